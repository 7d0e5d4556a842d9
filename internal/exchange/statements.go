package exchange

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// StatementState says whether a statement stands.
type StatementState string

// The states of a statement.
const (
	Said      StatementState = "said"
	TakenBack StatementState = "recalled"
)

// NewStatement is what a person wants to say.
type NewStatement struct {
	Kind entente.EntryKind
	// Subject names what it is about, so that a later statement can say more about it;
	// empty: the statement itself.
	Subject string
	Title   string // what it is, in words, for the ledger
	Marking entente.Marking
	Body    json.RawMessage
	Blobs   []entente.Blob
	// To are the partners who are meant; empty: all who may have it by label and
	// agreement. TLP:AMBER and stricter name their recipients.
	To []entente.PartyID
	// Everyone means all whom the label and the agreements let have it, also by TLP:AMBER
	// and TLP:AMBER+STRICT: it goes to each of them by name.
	Everyone bool
	// Of is the entry of a partner that is passed on; without a party, it is our own.
	// See [Service.PassOn].
	Of EntryRef
	// Need are those partners of whom a person has decided that they need to know, for
	// what is passed on, and NeedWhy is why.
	Need    []entente.PartyID
	NeedWhy string
	// Originator said it first, if not we; Withheld, if they do not want to be named.
	Originator entente.PartyID
	Withheld   bool
	Basis      string            // on what ground it is shared, for counsel
	had        []entente.PartyID // those who have it from us already
	// Decided are the findings about its content (see [Inspect]) that a person has seen and
	// lets go all the same.
	Decided []Decision
}

// Statement is what was said, as the ledger keeps it.
type Statement struct {
	ID string
	NewStatement
	State    StatementState
	Why      string
	At       time.Time
	Person   entente.PersonID
	By       string
	Recalled time.Time
}

// Line says of one partner whether a statement goes to it, and why or why not; after
// it was said, also what became of it there.
type Line struct {
	Party   entente.PartyID
	Name    string
	Allowed bool
	Reason  entente.Message

	Number    uint64 // of the entry that carries it
	Agreement int    // the version of the agreement that counted
	Delivered time.Time
	Read      time.Time
	Answered  time.Time // acknowledged by a person there
	// Need says that a person decided that they need to know, for what is passed on.
	Need bool
	// Revise is what they were asked to do with it, since Revised. Recall is the entry that
	// asked, 0 if they cannot be told any more; Acked is when the partner's node
	// acknowledged by its signature that it was done, zero: not yet.
	Revise  Revision
	Revised time.Time
	Recall  uint64
	Acked   time.Time
}

// Revision is what recipients are asked to do with what they hold.
type Revision string

// The revisions. Without one, a recipient may keep what it has.
const (
	ToRecall Revision = "recall" // delete it
	ToNarrow Revision = "narrow" // keep it under a narrower marking
)

// Open says whether a recipient holds something that it was asked to delete or to
// narrow, as far as its signature tells.
func (l Line) Open() bool { return l.Revise != "" && l.Acked.IsZero() }

// Holds says whether a recipient got something and may keep it.
func (l Line) Holds() bool { return l.Number > 0 && l.Revise != ToRecall }

// Preview says who would get a statement and why, and who would not and why not. It
// changes nothing.
func (s *Service) Preview(ctx context.Context, actor entente.Actor, n NewStatement) (lines []Line, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	self, partners, held, err := s.prospects(ctx, actor.Org, n)
	if err != nil {
		return nil, err
	}
	for _, p := range partners {
		lines = append(lines, s.judge(self, p, n, held))
	}
	slices.SortFunc(lines, func(a, b Line) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return lines, nil
}

// prospects gives what [Service.judge] asks the gate about, before anything is said.
func (s *Service) prospects(ctx context.Context, org entente.OrgID, n NewStatement) (self Self, partners []Partner, held map[entente.PartyID]time.Time, err error) {
	self, err = s.self(ctx, org)
	if err != nil {
		return self, nil, nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		partners, err = s.partners(ctx, tx, org)
		if err == nil {
			held, err = embargoes(ctx, tx, org, n.Subject, s.now())
		}
		return err
	})
	return self, partners, held, err
}

// judge asks the gate about one partner. held are the partners with whom an embargo
// about the subject runs, and until when: it goes to nobody else meanwhile.
func (s *Service) judge(self Self, p Partner, n NewStatement, held map[entente.PartyID]time.Time) Line {
	line := Line{Party: p.Party, Name: p.Name, Agreement: p.Agreement.Number}
	if p.State != Active {
		line.Reason = entente.Say("The partnership has ended.")
		return line
	}
	m, chosen := n.markingFor(self, p.Party)
	switch {
	case n.Of.Party == "":
	case n.Of.Party == p.Party:
		line.Reason = entente.Say("You have it from them.")
		return line
	case n.Originator == p.Party:
		line.Reason = entente.Say("They said it themselves.")
		return line
	case slices.Contains(n.had, p.Party):
		line.Reason = entente.Say("They have it from you already.")
		return line
	}
	if !chosen {
		line.Reason = entente.Say("You did not choose them.")
		return line
	}
	if _, within := held[p.Party]; len(held) > 0 && !within {
		line.Reason = entente.Say("It is under an embargo that was agreed with others.")
		return line
	}
	r := p.Agreement.Relation(self.Party(), p.Party, n.Kind, s.now())
	r.Originator, r.Need = n.origin(self), slices.Contains(n.Need, p.Party)
	line.Allowed, line.Reason = entente.MayShare(m, self.Party(), p.Party, r)
	return line
}

// origin is who said it first.
func (n NewStatement) origin(self Self) entente.PartyID {
	if n.Originator != "" {
		return n.Originator
	}
	return self.Party()
}

// markingFor is the marking of the entry for one partner. Whom else it goes to is
// nobody's business: of our own statements each recipient sees itself as the only
// one. What others said keeps the marking that they gave it.
func (n NewStatement) markingFor(self Self, p entente.PartyID) (m entente.Marking, chosen bool) {
	if len(n.To) > 0 && !slices.Contains(n.To, p) {
		return n.Marking, false
	}
	m = n.Marking
	if n.origin(self) != self.Party() {
		return m, true
	}
	switch {
	case len(n.To) > 0 && (len(m.Audience) == 0 || slices.Contains(m.Audience, p)),
		n.Everyone && (m.TLP == entente.TLPAmber || m.TLP == entente.TLPAmberStrict):
		m.Audience = []entente.PartyID{p}
	case m.TLP >= entente.TLPAmber:
		m.Audience = nil // nobody was chosen: the gate says so
	}
	return m, true
}

// Say says something to all partners who are meant and may have it, and writes down
// for each why it went there or did not.
func (s *Service) Say(ctx context.Context, actor entente.Actor, n NewStatement) (id string, lines []Line, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return "", nil, err
	}
	if n.Originator != "" || n.Of.Party != "" {
		return "", nil, entente.Invalid("what somebody else said is passed on")
	}
	return s.say(ctx, actor, n)
}

// say says something of our own, or what [Service.PassOn] made of an entry.
func (s *Service) say(ctx context.Context, actor entente.Actor, n NewStatement) (id string, lines []Line, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return "", nil, err
	}
	if err := n.check(); err != nil {
		return "", nil, err
	}
	if _, err := s.self(ctx, actor.Org); err != nil {
		return "", nil, err
	}
	if err := s.mayName(ctx, actor, n.Blobs); err != nil {
		return "", nil, err
	}
	id = newID()
	if n.Subject == "" {
		n.Subject = string(n.Kind) + "/" + id
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		self, signer, err := s.mine(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		st := Statement{ID: id, NewStatement: n, State: Said, At: s.now(), Person: actor.Person, By: actor.Name}
		if err := insertStatement(ctx, tx, actor.Org, st); err != nil {
			return err
		}
		partners, err := s.partners(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if open := undecided(n, partners); len(open) > 0 {
			return entente.Invalid("look at what was found in the content, and decide: %s", open[0].What)
		}
		held, err := embargoes(ctx, tx, actor.Org, n.Subject, s.now())
		if err != nil {
			return err
		}
		lines = nil
		sent := 0
		for _, p := range partners {
			line := s.judge(self, p, n, held)
			line.Need = slices.Contains(n.Need, p.Party)
			if line.Allowed {
				m, _ := n.markingFor(self, p.Party)
				if until := held[p.Party]; until.After(m.Embargo) {
					m.Embargo = until
				}
				d := draft{kind: n.Kind, subject: n.Subject, originator: n.origin(self), withheld: n.Withheld, marking: m, body: n.Body, blobs: n.Blobs, statement: id, title: n.Title}
				line.Number, line.Allowed, line.Reason, err = s.enter(ctx, tx, self, signer, &p, d, line.Need)
				if err != nil {
					return err
				}
				if line.Allowed {
					sent++
				}
			}
			if err := insertLine(ctx, tx, actor.Org, id, line); err != nil {
				return err
			}
			lines = append(lines, line)
		}
		if sent == 0 {
			return entente.Denied("nobody may have this: see for each partner why")
		}
		return journal.Append(ctx, tx, actor, EventSaid, id, map[string]any{"kind": n.Kind, "subject": n.Subject, "title": n.Title, "tlp": n.Marking.TLP, "to": sent, "basis": n.Basis})
	})
	return id, lines, err
}

// mayName says whether a person may send files along: those that they brought, and
// those that they may see.
func (s *Service) mayName(ctx context.Context, actor entente.Actor, blobs []entente.Blob) error {
	for _, b := range blobs {
		var held, size int64
		var users []blobUser
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			held, size, err = readBlob(ctx, tx, actor.Org, b.Hash)
			if err != nil {
				return err
			}
			users, err = blobUsers(ctx, tx, actor.Org, b.Hash)
			return err
		})
		if err == nil && (size == 0 || held < size || size != b.Size) {
			err = entente.NotFound("this file is not here, or not yet whole")
		}
		if err == nil && len(users) > 0 {
			_, _, err = s.Blob(ctx, actor, b.Hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check says what is wrong with a statement, before anybody is asked.
func (n NewStatement) check() error {
	switch {
	case !slices.Contains(SharedKinds(), n.Kind) && n.Kind != entente.EntryContacts && n.Kind != entente.EntryEmbargo && n.Kind != entente.EntryAnswer:
		return entente.Invalid("%q is nothing that a person says", string(n.Kind))
	case strings.TrimSpace(n.Title) == "":
		return entente.Invalid("say in a few words what it is")
	case len(n.Title) > maxName || len(n.Subject) > maxName:
		return entente.TooLarge("the title is longer than %d characters", maxName)
	case len(n.Basis) > entente.MaxMarkingText || len(n.NeedWhy) > entente.MaxMarkingText:
		return entente.TooLarge("the ground is longer than %d characters", entente.MaxMarkingText)
	case len(n.Body) > entente.MaxEntry/2:
		return entente.TooLarge("this is larger than %d bytes", entente.MaxEntry/2)
	case len(n.Body) > 0 && !json.Valid(n.Body):
		return entente.Invalid("the content is no JSON")
	}
	if err := n.Marking.Validate(); err != nil {
		return entente.Invalid("the marking is not valid: %s", err.Error())
	}
	return nil
}

// Statements lists what was said, the newest first; [Service.Ledger] chooses.
func (s *Service) Statements(ctx context.Context, actor entente.Actor) (list []Statement, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = statementsOf(ctx, tx, actor.Org)
		return err
	})
	return list, err
}

// Statement gives one statement with its line for each partner.
func (s *Service) Statement(ctx context.Context, actor entente.Actor, id string) (st Statement, lines []Line, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return st, nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		st, err = readStatement(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		lines, err = linesOf(ctx, tx, actor.Org, id)
		return err
	})
	return st, lines, err
}
