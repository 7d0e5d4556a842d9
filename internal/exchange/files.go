package exchange

import (
	"bufio"
	"bytes"
	"cmp"
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
			batch, err = envelopesAfter(ctx, tx, actor.Org, party, Out, at)
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
	Known   int    // that were here already
	Files   int    // parts of files that were new
	Acked   uint64 // up to where the partner holds what we say
	Refused string // why the rest was not taken; empty: all was
	// Lines says what became of each line, up to [MostLines]; Left is how many more there were.
	Lines []ImportedLine
	Left  int
}

// ImportedLine says what became of one line of a file.
type ImportedLine struct {
	Line    int // from 1; the first names sender and receiver
	Result  LineResult
	Number  uint64 // of the entry; 0: it is none, or none that can be read
	Kind    entente.EntryKind
	Subject string
	Why     entente.Message // it was not taken
}

// LineResult says what became of a line.
type LineResult string

// The results.
const (
	LineTaken   LineResult = "taken"
	LineKnown   LineResult = "known"   // it was here already
	LineRefused LineResult = "refused" // Why says why
	LinePassed  LineResult = "passed"  // of a later version of the program
)

// MostLines bounds the lines of which [Service.ImportFile] tells.
const MostLines = 2_000

// stop says that nothing after a line was taken.
func (i *Imported) stop(line int, why entente.Message) {
	i.Refused = cmp.Or(i.Refused, why.String())
	i.add(ImportedLine{Line: line, Result: LineRefused, Why: why})
}

func (i *Imported) add(l ImportedLine) {
	switch l.Result {
	case LineTaken:
		if l.Number > 0 {
			i.Entries++
		} else {
			i.Files++
		}
	case LineKnown:
		if l.Number > 0 {
			i.Known++
		}
	}
	if len(i.Lines) >= MostLines {
		i.Left++
		return
	}
	i.Lines = append(i.Lines, l)
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
	whole := &io.LimitedReader{R: r, N: MaxFile}
	lines := bufio.NewScanner(whole)
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
	if err := s.takeLines(ctx, actor.Org, p.Party, lines, &done); err != nil {
		return done, err
	}
	if whole.N <= 0 {
		done.Refused = entente.Say("The file is larger than %d GiB, and what is beyond was not read.", MaxFile>>30).String()
	}
	p, err = s.partnerNow(ctx, actor.Org, head.From)
	done.Acked = p.Out.Acked
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

// takeLines takes the entries and the parts of files, and writes down what became of
// each line.
func (s *Service) takeLines(ctx context.Context, org entente.OrgID, party entente.PartyID, lines *bufio.Scanner, done *Imported) error {
	var batch []entente.Envelope
	var at []int // the lines of the batch
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		var results []taken
		if done.Refused == "" {
			var answer PushAnswer
			var err error
			if answer, results, err = s.takeBatch(ctx, org, party, batch, nil); err != nil {
				return err
			}
			done.Refused = answer.Refused
		}
		for i, envelope := range batch {
			l := ImportedLine{Line: at[i], Result: LineRefused, Why: entente.Say("An entry before it was not taken.")}
			var e entente.Entry
			if json.Unmarshal(envelope.Payload, &e) == nil {
				l.Number, l.Kind, l.Subject = e.Number, e.Kind, e.Subject
			}
			if i < len(results) {
				l.Result, l.Why = results[i].result, results[i].why
			}
			done.add(l)
		}
		batch, at, size = nil, nil, 0
		return nil
	}
	number := 1
	for lines.Scan() {
		number++
		var line fileLine
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			if err := flush(); err != nil {
				return err
			}
			done.stop(number, entente.Say("A line of the file cannot be read."))
			return nil
		}
		if line.Entry != nil {
			batch, at, size = append(batch, *line.Entry), append(at, number), size+len(lines.Bytes())
			if len(batch) < batchEntries && size < batchBytes {
				continue
			}
		}
		if err := flush(); err != nil {
			return err
		}
		switch {
		case line.Blob != nil:
			l := ImportedLine{Line: number, Subject: line.Blob.Hash.String()}
			var err error
			if l.Result, l.Why, err = s.takePart(ctx, org, party, *line.Blob); err != nil {
				return err
			}
			done.add(l)
		case line.Entry == nil:
			done.add(ImportedLine{Line: number, Result: LinePassed})
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if err := lines.Err(); err != nil {
		done.stop(number+1, entente.Say("The file cannot be read to its end."))
	}
	return nil
}

// takePart keeps a part of a blob that an entry of the partner names, if it is the
// next one. The job that fetches the blob finds it here.
func (s *Service) takePart(ctx context.Context, org entente.OrgID, party entente.PartyID, part filePart) (result LineResult, why entente.Message, err error) {
	var wanted bool
	var held, all int64
	err = s.db.Read(ctx, func(tx *db.Tx) error {
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
	switch {
	case err != nil:
		return "", why, err
	case !wanted:
		return LineRefused, entente.Say("No entry of theirs names this file."), nil
	case part.Offset < held:
		return LineKnown, why, nil
	case part.Offset != held || part.Offset%blobPart != 0 || held+int64(len(part.Bytes)) > part.Size:
		return LineRefused, entente.Say("A part of the file before it is missing."), nil
	case all+part.Size-held > maxHeld:
		return LineRefused, entente.Say("The files of this partner take as much room here as those of one partner may."), nil
	}
	return LineTaken, why, s.keepParts(ctx, org, part.Hash, part.Size, held, part.Bytes)
}
