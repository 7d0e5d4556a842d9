package exchange

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange/vault"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
)

// An organisation moves to another node with its keys, partnerships and history, in a
// file that a passphrase opens. Every line after the first is sealed, with its number,
// and the last one says that it is the last.
const seatFormat = "entente.seat/1"

// seatHead is the first line, in the clear.
type seatHead struct {
	Format string `json:"seat"`
	Salt   []byte `json:"salt"`
	Time   uint32 `json:"argon2_time"`
	Memory uint32 `json:"argon2_memory"` // KiB
}

// seatLine is one of the sealed lines. Only one of its fields is set.
type seatLine struct {
	Self      *entente.KeyDocument `json:"self,omitempty"`
	Contacts  []entente.Contact    `json:"contacts,omitempty"` // with Self
	Key       *seatKey             `json:"key,omitempty"`
	Partner   *seatPartner         `json:"partner,omitempty"`
	Version   *seatVersion         `json:"agreement,omitempty"`
	Feed      *Feed                `json:"feed,omitempty"`
	Entry     *stored              `json:"entry,omitempty"`
	Use       *seatUse             `json:"use,omitempty"`
	Fork      *Fork                `json:"fork,omitempty"`
	Statement *Statement           `json:"statement,omitempty"`
	Ledger    *seatLedger          `json:"ledger,omitempty"`
	Part      *filePart            `json:"file,omitempty"`
	Last      bool                 `json:"last,omitempty"`
}

type (
	seatKey struct {
		Public entente.PublicKey `json:"public"`
		Sealed []byte            `json:"sealed"` // by the passphrase
	}
	seatPartner struct {
		Partner
		Document    string        `json:"key_document"`
		ComparedKey entente.KeyID `json:"compared_key"`
	}
	seatVersion struct {
		Party entente.PartyID `json:"party"`
		Version
	}
	seatUse struct {
		Party  entente.PartyID `json:"party"`
		Way    Way             `json:"way"`
		Number uint64          `json:"number"`
		Blob   entente.Blob    `json:"blob"`
	}
	seatLedger struct {
		Statement string `json:"statement"`
		Line
	}
)

// MinPassphrase is how long the passphrase of a seat must be, in characters.
const MinPassphrase = 16

func passphraseKey(passphrase string, h seatHead) (seal.Key, error) {
	return seal.New(argon2.IDKey([]byte(passphrase), h.Salt, h.Time, h.Memory, 1, 32))
}

// MoveOut writes the organisation's seat into a file and closes it here: from then on
// this node signs nothing for it and takes nothing. It may be written again, as long
// as it is not open anywhere else; [Service.Stay] opens it again here.
func (s *Service) MoveOut(ctx context.Context, actor entente.Actor, passphrase string, w io.Writer) error {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return err
	}
	if len([]rune(passphrase)) < MinPassphrase {
		return entente.Invalid("the passphrase has at least %d characters: whoever has the file and the passphrase can speak for you", MinPassphrase)
	}
	if s.c.Key.Check() == "" {
		return ErrNoKey
	}
	self, err := s.self(ctx, actor.Org)
	if err != nil {
		return err
	}
	if err := s.setMoved(ctx, actor, self, s.now(), EventMovedOut); err != nil {
		return err
	}
	head := seatHead{Format: seatFormat, Salt: make([]byte, 16), Time: 3, Memory: 64 << 10}
	if _, err := rand.Read(head.Salt); err != nil {
		return err
	}
	key, err := passphraseKey(passphrase, head)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	if err := json.NewEncoder(out).Encode(head); err != nil {
		return err
	}
	number := 0
	write := func(line seatLine) error {
		number++
		text, err := json.Marshal(line)
		if err != nil {
			return err
		}
		sealed, err := key.Seal(text, seatPlace(number))
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(sealed)
	}
	if err := s.writeSeat(ctx, actor.Org, self, key, write); err != nil {
		return err
	}
	return errors.Join(write(seatLine{Last: true}), out.Flush())
}

func seatPlace(number int) string { return "seat line " + entente.Say("%d", number).String() }

// Stay opens a seat again that was closed by [Service.MoveOut] and is open nowhere
// else: two nodes that speak for one organisation contradict each other.
func (s *Service) Stay(ctx context.Context, actor entente.Actor) error {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return err
	}
	self, err := s.self(ctx, actor.Org)
	if err != nil {
		return err
	}
	return s.setMoved(ctx, actor, self, time.Time{}, EventStayed)
}

// Holding is what a seat holds.
type Holding struct {
	Partners   int
	Said       int // entries to partners
	Heard      int // entries of partners
	Statements int // in the ledger
	Bytes      int64
	// Moved is when it left this node; zero: it is here.
	Moved time.Time
}

// Holding tells what the organisation would take along.
func (s *Service) Holding(ctx context.Context, actor entente.Actor) (h Holding, err error) {
	if err := identity.Require(actor, identity.PartnerRead, identity.In(actor.Org)); err != nil {
		return h, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		self, err := readSelf(ctx, tx, actor.Org)
		if err != nil || self == nil {
			return err
		}
		h, err = db.One(ctx, tx, func(row db.Scanner) (h Holding, err error) {
			return h, row.Scan(&h.Partners, &h.Said, &h.Heard, &h.Statements, &h.Bytes)
		}, `SELECT (SELECT count(*) FROM exchange_partner WHERE org = $1), (SELECT count(*) FROM exchange_entry WHERE org = $1 AND way = 'out'),
			(SELECT count(*) FROM exchange_entry WHERE org = $1 AND way = 'in'), (SELECT count(*) FROM exchange_statement WHERE org = $1),
			(SELECT CAST(coalesce(sum(held), 0) AS INTEGER) FROM exchange_blob WHERE org = $1)`, actor.Org)
		h.Moved = self.Moved
		return err
	})
	return h, err
}

// Moved tells when the organisation left this node; zero: it is here.
func (s *Service) Moved(ctx context.Context, actor entente.Actor) (at time.Time, err error) {
	if err := identity.Require(actor, identity.PartnerRead, identity.In(actor.Org)); err != nil {
		return at, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		self, err := readSelf(ctx, tx, actor.Org)
		if self != nil {
			at = self.Moved
		}
		return err
	})
	return at, err
}

func (s *Service) setMoved(ctx context.Context, actor entente.Actor, self Self, at time.Time, event journal.Kind) error {
	if at.IsZero() && self.Moved.IsZero() {
		return entente.Conflict("this organisation is here; it was not moved out")
	}
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE exchange_self SET moved_at = $2 WHERE org = $1", actor.Org, db.Millis(at)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, event, string(self.Party()), nil)
	})
	s.partiesChanged()
	return err
}

// writeSeat writes everything of an organisation, in the order in which it is read.
func (s *Service) writeSeat(ctx context.Context, org entente.OrgID, self Self, key seal.Key, write func(seatLine) error) error {
	if err := write(seatLine{Self: &self.Document, Contacts: self.Contacts}); err != nil {
		return err
	}
	var lines []seatLine
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		lines, err = s.seatRows(ctx, tx, org, self, key)
		return err
	})
	if err != nil {
		return err
	}
	blobs := map[entente.Hash]entente.Blob{}
	for _, line := range lines {
		if err := write(line); err != nil {
			return err
		}
		if line.Use != nil {
			blobs[line.Use.Blob.Hash] = line.Use.Blob
		}
	}
	for _, b := range blobs {
		held, err := s.heldOf(ctx, org, b.Hash)
		if err != nil {
			return err
		}
		part := make([]byte, blobPart)
		content := s.blobReader(ctx, org, b.Hash, 0, held)
		for offset := int64(0); offset < held; {
			n, err := io.ReadFull(content, part)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				return err
			}
			if err := write(seatLine{Part: &filePart{b.Hash, b.Size, offset, part[:n]}}); err != nil {
				return err
			}
			offset += int64(n)
		}
	}
	return nil
}

func (s *Service) seatRows(ctx context.Context, tx *db.Tx, org entente.OrgID, self Self, key seal.Key) (lines []seatLine, err error) {
	for _, k := range self.Ring.Keys {
		sealed, err := readKey(ctx, tx, org, k.Public.ID())
		if err != nil {
			return nil, err
		}
		moved, err := vault.Move(s.c.Key, key, org, seatOrg, k.Public, sealed)
		if err != nil {
			return nil, err
		}
		lines = append(lines, seatLine{Key: &seatKey{k.Public, moved}})
	}
	partners, err := s.partners(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	for _, p := range partners {
		lines = append(lines, seatLine{Partner: &seatPartner{Partner: p, Document: p.document, ComparedKey: p.comparedKey}}, seatLine{Feed: &p.Out}, seatLine{Feed: &p.In})
		versions, err := versionsOf(ctx, tx, org, p.Party)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			lines = append(lines, seatLine{Version: &seatVersion{p.Party, v}})
		}
		forks, err := forksOf(ctx, tx, org, p.Party)
		if err != nil {
			return nil, err
		}
		for _, f := range forks {
			lines = append(lines, seatLine{Fork: &f})
		}
	}
	entries, err := db.All(ctx, tx, scanEntry, "SELECT "+entryColumns+" FROM exchange_entry WHERE org = $1 ORDER BY party, way, number", org)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		lines = append(lines, seatLine{Entry: &e})
	}
	uses, err := db.All(ctx, tx, scanUse, "SELECT party, way, number, hash, size FROM exchange_entry_blob WHERE org = $1", org)
	if err != nil {
		return nil, err
	}
	for _, u := range uses {
		lines = append(lines, seatLine{Use: &u})
	}
	statements, err := db.All(ctx, tx, scanStatement, "SELECT "+statementColumns+" FROM exchange_statement WHERE org = $1 ORDER BY at, id", org)
	if err != nil {
		return nil, err
	}
	for _, st := range statements {
		lines = append(lines, seatLine{Statement: &st})
		ledger, err := linesOf(ctx, tx, org, st.ID)
		if err != nil {
			return nil, err
		}
		for _, l := range ledger {
			lines = append(lines, seatLine{Ledger: &seatLedger{st.ID, l}})
		}
	}
	return lines, nil
}

// seatOrg stands for the organisation while its keys travel: on the next node it may
// have another identifier.
const seatOrg = entente.OrgID("seat")

func scanUse(row db.Scanner) (u seatUse, err error) {
	var hash []byte
	err = row.Scan(&u.Party, &u.Way, &u.Number, &hash, &u.Blob.Size)
	copy(u.Blob.Hash[:], hash)
	return u, err
}

// MoveIn opens a seat from its file in an organisation of this node that has no
// partners yet, and tells all partners where it is now.
func (s *Service) MoveIn(ctx context.Context, actor entente.Actor, passphrase string, r io.Reader) (err error) {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return err
	}
	if s.c.Key.Check() == "" {
		return ErrNoKey
	}
	spool, err := os.CreateTemp("", "entente-seat-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.Close(), os.Remove(spool.Name())) }()
	size, err := io.Copy(spool, io.LimitReader(r, MaxFile+1))
	if err != nil {
		return err
	}
	if size > MaxFile {
		return entente.TooLarge("the file is larger than %d bytes", int64(MaxFile))
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if _, err := spool.Seek(0, io.SeekStart); err != nil {
			return err
		}
		partners, err := s.partners(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if len(partners) > 0 {
			return entente.Conflict("this organisation has partners of its own already; make a new one for the seat")
		}
		return s.readSeat(ctx, tx, actor, passphrase, spool)
	})
	if err != nil {
		return err
	}
	s.partiesChanged()
	return s.tellAddress(ctx, actor.Org)
}

// readSeat reads the lines of a seat. A file that is cut off, or of which a line was
// changed, brings nothing.
func (s *Service) readSeat(ctx context.Context, tx *db.Tx, actor entente.Actor, passphrase string, r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), 2*maxLine)
	var head seatHead
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head.Format != seatFormat || head.Memory > 1<<20 || head.Time > 20 || head.Time == 0 || len(head.Salt) < 16 {
		return entente.Invalid("this is no seat that was moved out of a node")
	}
	key, err := passphraseKey(passphrase, head)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM exchange_key WHERE org = $1", actor.Org); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM exchange_self WHERE org = $1", actor.Org); err != nil {
		return err
	}
	// What was offered under the key that goes cannot be accepted any more.
	if _, err := tx.Exec(ctx, "UPDATE exchange_invitation SET state = 'withdrawn' WHERE org = $1 AND state = 'open'", actor.Org); err != nil {
		return err
	}
	for number := 1; lines.Scan(); number++ {
		var sealed []byte
		if err := json.Unmarshal(lines.Bytes(), &sealed); err != nil {
			return entente.Invalid("the file of the seat is damaged at line %d", number+1)
		}
		text, err := key.Open(sealed, seatPlace(number))
		if err != nil {
			if number == 1 {
				return entente.Invalid("the passphrase is not the one of this seat")
			}
			return entente.Invalid("the file of the seat is damaged at line %d", number+1)
		}
		var line seatLine
		if err := json.Unmarshal(text, &line); err != nil {
			return entente.Invalid("the file of the seat is damaged at line %d", number+1)
		}
		if line.Last {
			if err := s.goOnFetching(ctx, tx); err != nil {
				return err
			}
			return journal.Append(ctx, tx, actor, EventMovedIn, "", map[string]any{"lines": number})
		}
		if err := s.readSeatLine(ctx, tx, actor.Org, key, line); err != nil {
			return err
		}
	}
	return errors.Join(entente.Invalid("the file of the seat ends too early; take it out of its node again"), lines.Err())
}

// readSeatEntry keeps an entry, and tells the rooms of this node of it: what they made
// of it elsewhere is not here.
func (s *Service) readSeatEntry(ctx context.Context, tx *db.Tx, e stored) error {
	heard := e.Way == In && e.State == Standing && !slices.Contains(keeping, e.Kind)
	if heard {
		e.Outcome, e.OutcomeWhy = "", entente.Message{}
	}
	if err := insertEntry(ctx, tx, tx.Org(), e); err != nil || !heard {
		return err
	}
	if err := s.expireAt(ctx, tx, e); err != nil {
		return err
	}
	p, err := readPartner(ctx, tx, tx.Org(), e.Party)
	if err != nil {
		return err
	}
	return journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), EventReceived, entrySubject(e.Party, e.Number), entryEvent{
		Party: string(e.Party), Name: p.Name, Number: e.Number, Kind: string(e.Kind), Subject: e.Subject,
	})
}

// goOnFetching fetches the files that had not arrived as a whole before the move.
func (s *Service) goOnFetching(ctx context.Context, tx *db.Tx) error {
	missing, err := db.All(ctx, tx, scanUse, `SELECT u.party, u.way, u.number, u.hash, u.size FROM exchange_entry_blob u LEFT JOIN exchange_blob b ON b.org = u.org AND b.hash = u.hash
		WHERE u.org = $1 AND u.way = 'in' AND coalesce(b.held, 0) < u.size`, tx.Org())
	if err != nil {
		return err
	}
	for _, u := range missing {
		if _, err := journal.Schedule(ctx, tx, tx.Org(), jobBlob, s.now(), fetchBlob{u.Party, u.Number, u.Blob.Hash, u.Blob.Size}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) readSeatLine(ctx context.Context, tx *db.Tx, org entente.OrgID, key seal.Key, line seatLine) error {
	switch {
	case line.Self != nil:
		if _, err := line.Self.Verify(); err != nil {
			return entente.Invalid("the key document does not prove itself: %s", err.Error())
		}
		return insertSelf(ctx, tx, org, Self{Document: *line.Self, Contacts: line.Contacts}, s.now())
	case line.Key != nil:
		sealed, err := vault.Move(key, s.c.Key, seatOrg, org, line.Key.Public, line.Key.Sealed)
		if err != nil {
			return err
		}
		return insertKey(ctx, tx, org, line.Key.Public.ID(), sealed, s.now())
	case line.Partner != nil:
		p := line.Partner.Partner
		p.document, p.comparedKey = line.Partner.Document, line.Partner.ComparedKey
		return insertPartner(ctx, tx, org, p)
	case line.Feed != nil:
		if err := insertFeed(ctx, tx, org, *line.Feed); err != nil {
			return err
		}
		return s.arm(ctx, tx, line.Feed.Party, line.Feed.Way, s.now())
	case line.Version != nil:
		return insertAgreement(ctx, tx, org, line.Version.Party, line.Version.Version)
	case line.Fork != nil:
		return insertFork(ctx, tx, org, *line.Fork)
	case line.Entry != nil:
		return s.readSeatEntry(ctx, tx, *line.Entry)
	case line.Use != nil:
		return insertBlobUse(ctx, tx, org, line.Use.Party, line.Use.Way, line.Use.Number, []entente.Blob{line.Use.Blob})
	case line.Statement != nil:
		return insertStatement(ctx, tx, org, *line.Statement)
	case line.Ledger != nil:
		return insertLine(ctx, tx, org, line.Ledger.Statement, line.Ledger.Line)
	case line.Part != nil:
		return writeParts(ctx, tx, org, line.Part.Hash, line.Part.Size, line.Part.Offset, line.Part.Bytes, s.now())
	}
	return nil // from a version to come
}
