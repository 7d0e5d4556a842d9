package exchange

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// A file carries what a feed would, for partners without a link between their nodes:
// JSON lines, of which the first says from whom to whom it is. The receipt for it
// stands in the first line of a file in the other direction, which may carry nothing
// else.
const fileFormat = "entente.exchange/1"

// fileLine is one line of the file. Only one of its fields is set.
type fileLine struct {
	Head  *fileHead         `json:"exchange,omitempty"`
	Entry *entente.Envelope `json:"entry,omitempty"`
	Blob  *filePart         `json:"file,omitempty"`
}

// fileHead is the first line.
type fileHead struct {
	Format   string              `json:"format"`
	From     entente.PartyID     `json:"from"`
	To       entente.PartyID     `json:"to"`
	Document entente.KeyDocument `json:"document"` // of the sender
	// Receipt is for the feed in the other direction, as far as the sender holds it.
	Receipt *entente.Envelope `json:"receipt,omitempty"`
}

// filePart is a part of a blob, in order.
type filePart struct {
	Hash   entente.Hash `json:"sha256"`
	Size   int64        `json:"size"`
	Offset int64        `json:"offset"`
	Bytes  []byte       `json:"bytes"`
}

// The bounds of a file.
const (
	MaxFile = 2 << 30
	maxLine = 3 << 20
)

// ExportFile writes what a partner has not signed for, with the files that belong to
// it, and the receipt for what it has said. To write it again changes nothing.
func (s *Service) ExportFile(ctx context.Context, actor entente.Actor, party entente.PartyID, w io.Writer) error {
	if err := identity.Require(actor, identity.ExchangeShare, onPartner(actor, party)); err != nil {
		return err
	}
	self, err := s.self(ctx, actor.Org)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	p, err := s.partnerNow(ctx, actor.Org, party)
	if err != nil {
		return err
	}
	head := fileHead{Format: fileFormat, From: self.Party(), To: party, Document: self.Document, Receipt: p.In.Receipt}
	if err := lines.Encode(fileLine{Head: &head}); err != nil {
		return err
	}
	given := map[entente.Hash]bool{}
	for at := p.Out.Acked; at < p.Out.Number; {
		var batch []entente.Envelope
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			batch, err = envelopesAfter(ctx, tx, actor.Org, party, Out, at, batchEntries, batchBytes)
			return err
		})
		if err != nil || len(batch) == 0 {
			return errors.Join(err, out.Flush())
		}
		for _, envelope := range batch {
			var e entente.Entry
			if err := json.Unmarshal(envelope.Payload, &e); err != nil {
				return err
			}
			if err := lines.Encode(fileLine{Entry: &envelope}); err != nil {
				return err
			}
			for _, b := range e.Blobs {
				if given[b.Hash] {
					continue
				}
				given[b.Hash] = true
				if err := s.exportBlob(ctx, lines, self.Party(), party, b); err != nil {
					return err
				}
			}
		}
		at += uint64(len(batch))
	}
	return out.Flush()
}

// exportBlob writes a blob in parts; one that was taken back meanwhile is left out.
func (s *Service) exportBlob(ctx context.Context, lines *json.Encoder, from, to entente.PartyID, b entente.Blob) error {
	part := make([]byte, blobPart)
	for offset := int64(0); offset < b.Size; {
		r, _, _, err := s.GiveBlob(ctx, from, to, b.Hash, offset)
		if entente.KindOf(err) == entente.KindNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		for {
			n, err := io.ReadFull(r, part)
			if n > 0 {
				if err := lines.Encode(fileLine{Blob: &filePart{b.Hash, b.Size, offset, part[:n]}}); err != nil {
					return err
				}
				offset += int64(n)
			}
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) partnerNow(ctx context.Context, org entente.OrgID, party entente.PartyID) (p Partner, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = s.partner(ctx, tx, org, party)
		return err
	})
	return p, err
}

// Imported says what a file brought.
type Imported struct {
	Party   entente.PartyID
	Name    string
	Entries int    // that were new
	Acked   uint64 // up to where the partner holds what we say
	Refused string // why the rest was not taken; empty: all was
}

// ImportFile takes what a partner's file carries, by the same checks as what comes
// over the network. To take it again changes nothing.
func (s *Service) ImportFile(ctx context.Context, actor entente.Actor, r io.Reader) (done Imported, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return done, err
	}
	self, err := s.self(ctx, actor.Org)
	if err != nil {
		return done, err
	}
	lines := bufio.NewScanner(io.LimitReader(r, MaxFile))
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	head, err := readHead(lines)
	if err != nil {
		return done, err
	}
	if head.To != self.Party() {
		return done, entente.Invalid("this file is for %s, and you are %s", head.To, self.Party())
	}
	p, err := s.partnerNow(ctx, actor.Org, head.From)
	if err != nil {
		return done, err
	}
	done.Party, done.Name = p.Party, p.Name
	if err := s.takeHead(ctx, actor.Org, p.Party, head); err != nil {
		return done, err
	}
	before := p.In.Number
	done.Refused, err = s.takeLines(ctx, actor.Org, p.Party, lines)
	if err != nil {
		return done, err
	}
	p, err = s.partnerNow(ctx, actor.Org, head.From)
	done.Entries, done.Acked = int(p.In.Number-before), p.Out.Acked
	return done, err
}

func readHead(lines *bufio.Scanner) (fileHead, error) {
	var first fileLine
	if !lines.Scan() || json.Unmarshal(bytes.TrimPrefix(lines.Bytes(), []byte("\xef\xbb\xbf")), &first) != nil || first.Head == nil || first.Head.Format != fileFormat {
		return fileHead{}, entente.Invalid("this is no file of entries: its first line must name the format %s", fileFormat)
	}
	return *first.Head, nil
}

// takeHead takes the sender's keys and its receipt.
func (s *Service) takeHead(ctx context.Context, org entente.OrgID, party entente.PartyID, head fileHead) error {
	return s.db.Write(ctx, org, func(tx *db.Tx) error {
		p, err := s.partner(ctx, tx, org, party)
		if err != nil {
			return err
		}
		if _, err := s.rekeyed(ctx, tx, &p, head.Document, false); err != nil {
			return err
		}
		if head.Receipt == nil {
			return nil
		}
		return s.acknowledge(ctx, tx, &p, *head.Receipt)
	})
}

// takeLines takes the entries and then the blobs of a file.
func (s *Service) takeLines(ctx context.Context, org entente.OrgID, party entente.PartyID, lines *bufio.Scanner) (refused string, err error) {
	var batch []entente.Envelope
	size := 0
	flush := func() error {
		if len(batch) == 0 || refused != "" {
			return nil
		}
		answer, err := s.take(ctx, org, party, batch)
		batch, size, refused = nil, 0, answer.Refused
		return err
	}
	for lines.Scan() {
		var line fileLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return "a line of the file cannot be read", flush()
		}
		switch {
		case line.Entry != nil:
			batch, size = append(batch, *line.Entry), size+len(lines.Bytes())
			if len(batch) < batchEntries && size < batchBytes {
				continue
			}
		case line.Blob == nil:
			continue // from a version to come
		}
		if err := flush(); err != nil {
			return refused, err
		}
		if line.Blob != nil {
			if err := s.takePart(ctx, org, party, *line.Blob); err != nil {
				return refused, err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return "the file cannot be read to its end", flush()
	}
	return refused, flush()
}

// takePart keeps a part of a blob that an entry of the partner names, if it is the
// next one. The job that fetches the blob finds it here.
func (s *Service) takePart(ctx context.Context, org entente.OrgID, party entente.PartyID, part filePart) error {
	var wanted bool
	var held, all int64
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		users, err := blobUsers(ctx, tx, org, part.Hash)
		if err != nil {
			return err
		}
		wanted = false
		for _, u := range users {
			wanted = wanted || u.way == In && u.party == party
		}
		if held, _, err = readBlob(ctx, tx, org, part.Hash); err != nil {
			return err
		}
		all, err = heldOfPartner(ctx, tx, org, party)
		return err
	})
	if err != nil || !wanted || part.Offset != held || part.Offset%blobPart != 0 || held+int64(len(part.Bytes)) > part.Size || all+part.Size-held > maxHeld {
		return err
	}
	return s.keepParts(ctx, org, part.Hash, part.Size, held, part.Bytes)
}
