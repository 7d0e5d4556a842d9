package exchange

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Received is an entry of a partner, as far as the reader may see it.
type Received struct {
	Party      entente.PartyID
	Name       string // of the partner
	Way        Way    // In; Out where it is one of ours to the partner
	Number     uint64
	Hash       entente.Hash
	Key        entente.KeyID // that signed it; empty after it was deleted
	Kind       entente.EntryKind
	Known      bool   // whether this program knows the kind
	Title      string // what it is called, as far as it says so
	Subject    string
	Originator entente.PartyID // who said it first, if not the partner
	Withheld   bool
	Marking    entente.Marking
	State      EntryState
	Ended      time.Time       // when it was taken back or its time ran out, as the state says; zero: it was not, or nobody wrote it down
	Why        entente.Message // of the state, or why the reader does not see the content
	Hidden     bool            // from this reader
	Narrowed   bool            // its marking is narrower now than it was signed
	Statement  string          // of ours, that it carries
	Body       json.RawMessage
	Blobs      []entente.Blob
	Due        time.Time // until when an answer is asked for; zero: none is
	Said       time.Time // by the clock of the sender
	Stored     time.Time
	Read       time.Time
	ReadBy     string
	Answered   time.Time // acknowledged to the partner by a person
	Outcome    Outcome   // what the rooms made of it, and why
	OutcomeWhy entente.Message
	Retain     int // for how many days it is kept after the end or a recall, by the agreement; 0: not agreed
}

// keeping are the kinds that keep a partnership itself; the exchange deals with them.
var keeping = []entente.EntryKind{entente.EntryKeyChanged, entente.EntryMoved, entente.EntryAgreement, entente.EntryRecall, entente.EntryNarrow, entente.EntryRead}

// knownKinds are those that this program does something with.
var knownKinds = append(slices.Clone(keeping), append(SharedKinds(), entente.EntryContacts, entente.EntryAnswer, entente.EntryEmbargo)...)

// reading lets somebody read who may read what was exchanged; where nothing was ever
// exchanged there is nothing to read.
func (s *Service) reading(ctx context.Context, actor entente.Actor, read func(tx *db.Tx, self Self, person []string) error) error {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return err
	}
	person, err := s.person(ctx, actor)
	if err != nil {
		return err
	}
	return s.db.Read(ctx, func(tx *db.Tx) error {
		self, err := readSelf(ctx, tx, actor.Org)
		if err != nil || self == nil {
			return err
		}
		return read(tx, *self, person)
	})
}

// Entry gives one entry that was received, as far as the reader may see it.
func (s *Service) Entry(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64) (r Received, err error) {
	return s.entry(ctx, actor, party, In, number)
}

func (s *Service) entry(ctx context.Context, actor entente.Actor, party entente.PartyID, way Way, number uint64) (r Received, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return r, err
	}
	person, err := s.person(ctx, actor)
	if err != nil {
		return r, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		r, err = s.entryIn(ctx, tx, actor.Org, party, way, number, person)
		return err
	})
	return r, err
}

// EntryIn is [Service.Entry] inside a transaction of the program, but for what was agreed
// on keeping it.
func (s *Service) EntryIn(ctx context.Context, tx *db.Tx, actor entente.Actor, party entente.PartyID, number uint64) (Received, error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return Received{}, err
	}
	self, err := readSelf(ctx, tx, actor.Org)
	if err != nil {
		return Received{}, err
	}
	if self == nil {
		return Received{}, noPartner()
	}
	p, err := readPartner(ctx, tx, actor.Org, party)
	if err != nil {
		return Received{}, err
	}
	row, err := readEntry(ctx, tx, actor.Org, party, In, number)
	return s.shown(*self, p, row, nil), err
}

// entryIn gives an entry as somebody may see it whom markings name as person says.
func (s *Service) entryIn(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way, number uint64, person []string) (r Received, err error) {
	self, err := readSelf(ctx, tx, org)
	if err != nil {
		return r, err
	}
	if self == nil {
		return r, noPartner()
	}
	p, err := s.partner(ctx, tx, org, party)
	if err != nil {
		return r, err
	}
	row, err := readEntry(ctx, tx, org, party, way, number)
	if err != nil {
		return r, err
	}
	return s.shown(*self, p, row, person), nil
}

// person is how a marking may name the actor; the program itself sees for the rooms
// what the whole organisation may.
func (s *Service) person(ctx context.Context, actor entente.Actor) ([]string, error) {
	if actor.Person == "" {
		return nil, nil
	}
	m, err := s.identity.Member(ctx, entente.System(actor.Org, entente.DoorWorker), actor.Person)
	if err != nil {
		return nil, err
	}
	return []string{m.Person.Name + " <" + m.Person.Email + ">", m.Person.Email, m.Person.Name, string(m.Role)}, nil
}

// isNamed gives how a marking names somebody; empty: it does not.
func isNamed(m entente.Marking, person []string) string {
	named := ""
	for _, one := range m.People {
		if slices.ContainsFunc(person, func(p string) bool { return strings.EqualFold(p, one) }) {
			named = one
		}
	}
	return named
}

// shown is an entry as a person may see it: the gate decides, inside as outside.
func (s *Service) shown(self Self, p Partner, row stored, person []string) Received {
	r := Received{
		Party: row.Party, Name: p.Name, Way: row.Way, Number: row.Number, Hash: row.Hash, Title: row.Title, Due: row.Due, Narrowed: row.Narrowed, Statement: row.Statement, Kind: row.Kind, Known: slices.Contains(knownKinds, row.Kind), Subject: row.Subject,
		Originator: row.Originator, Marking: row.Marking, State: row.State, Ended: row.Ended, Why: row.Why, Said: row.Said, Stored: row.Stored, Read: row.Read, ReadBy: row.ReadBy,
		Answered: row.Answered, Outcome: row.Outcome, OutcomeWhy: row.OutcomeWhy, Retain: p.Agreement.Retention,
	}
	if end, over := runOut(row.Marking, s.now()); over && row.State == Standing && row.Way == In {
		row.State = Expired // also before it is deleted
		r.State, r.Ended, r.Title = Expired, end, ""
	}
	if row.State != Standing {
		if row.Marking.TLP == entente.TLPRed && row.Way == In && isNamed(row.Marking, person) == "" {
			r.Subject, r.Title = "", ""
		}
		return r
	}
	relation := entente.Relation{Originator: row.Originator, At: s.now()}
	switch {
	case row.Way == Out && relation.Originator == "":
		relation.Originator = self.Party()
	case relation.Originator == "":
		relation.Originator = row.Party
	}
	if row.Way == In {
		relation.Person = isNamed(row.Marking, person)
	}
	allowed, why := entente.MayShare(row.Marking, self.Party(), self.Party(), relation)
	if !allowed {
		r.Hidden, r.Why, r.Subject, r.Title = true, why, "", ""
		return r
	}
	if len(row.Envelope.Signatures) > 0 {
		r.Key = row.Envelope.Signatures[0].KeyID
	}
	var e entente.Entry
	if json.Unmarshal(row.Envelope.Payload, &e) == nil {
		r.Body, r.Blobs, r.Withheld = e.Body, e.Blobs, e.Withheld
	}
	return r
}

// Seen writes down that a person of ours has seen an entry, and tells the partner so:
// that, and not who.
func (s *Service) Seen(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64) error {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return err
	}
	return s.reacted(ctx, actor, party, number, actRead)
}

// Acknowledge tells the partner that a person has taken note of an entry.
func (s *Service) Acknowledge(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64) error {
	if err := identity.Require(actor, identity.ExchangeShare, onPartner(actor, party)); err != nil {
		return err
	}
	return s.reacted(ctx, actor, party, number, actAnswered)
}

func (s *Service) reacted(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64, act readAct) error {
	r, err := s.Entry(ctx, actor, party, number)
	if err != nil {
		return err
	}
	if r.Hidden || r.State != Standing {
		return entente.Denied("what this entry says is not for you to see")
	}
	if !r.Answered.IsZero() || act == actRead && !r.Read.IsZero() {
		return nil
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		row, err := readEntry(ctx, tx, actor.Org, party, In, number)
		if err != nil {
			return err
		}
		if act == actRead && !row.Read.IsZero() || act == actAnswered && !row.Answered.IsZero() {
			return nil
		}
		if row.Read.IsZero() {
			row.Read, row.ReadBy = s.now(), actor.Name
		}
		if act == actAnswered {
			row.Answered = s.now()
		}
		if err := updateEntry(ctx, tx, actor.Org, row); err != nil {
			return err
		}
		if err := journal.Append(ctx, tx, actor, EventRead, entrySubject(party, number), map[string]any{"act": act}); err != nil {
			return err
		}
		p, err := s.partner(ctx, tx, actor.Org, party)
		if err != nil || p.State != Active {
			return err
		}
		self, err := readSelf(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		return s.report(ctx, tx, *self, &p, row, act, 0)
	})
}

// Outcome is what the rooms made of what a partner said.
type Outcome string

// The outcomes. Without one, there is nothing to be made of the entry, or it was not
// looked at yet.
const (
	OutcomeTaken   Outcome = "taken"
	OutcomeRefused Outcome = "refused"
)

// Settle writes down what the rooms made of an entry, and why, inside the Write that
// ends the work on it. The latest word counts. It says whether the rooms may keep it: not
// if it was taken back meanwhile, or is for people by name now.
func (s *Service) Settle(ctx context.Context, tx *db.Tx, actor entente.Actor, party entente.PartyID, number uint64, o Outcome, why entente.Message) (stands bool, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, onPartner(actor, party)); err != nil {
		return false, err
	}
	text, err := sayingText(why)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `UPDATE exchange_entry SET outcome = $4, outcome_why = $5
		WHERE org = $1 AND party = $2 AND way = 'in' AND number = $3 AND state = 'standing' AND tlp <> $6`,
		actor.Org, party, int64(number), o, text, int64(entente.TLPRed))
	if err != nil || n == 0 {
		return false, err
	}
	return true, journal.Append(ctx, tx, actor, EventSettled, entrySubject(party, number), map[string]any{"outcome": o, "why": why.String()})
}

// ReadSubject reads the subject of an event about an entry.
func ReadSubject(subject string) (party entente.PartyID, number uint64, err error) {
	name, n, _ := strings.Cut(subject, "/")
	number, err = strconv.ParseUint(n, 10, 64)
	if err != nil || entente.PartyID(name).Valid() != nil {
		return "", 0, entente.Invalid("%.80q names no entry", subject)
	}
	return entente.PartyID(name), number, nil
}
