package exchange

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// Passing is what a person decides who passes on what a partner said.
type Passing struct {
	To []entente.PartyID
	// Why is the person's reason: that those who get it need to know it, where the label
	// asks for that, and that the rules of passing on allow it, where the agreement with
	// the sender has some.
	Why     string
	Basis   string
	Decided []Decision
}

// PassLine says of one partner whether an entry may be passed on to it.
type PassLine struct {
	Line
	// Asks says that it may if a person decides that the partner needs to know it.
	Asks bool
}

// PassChoice is what there is to decide about passing an entry on.
type PassChoice struct {
	Entry    Received
	Lines    []PassLine
	Findings []Finding
	// Rules are those of passing on in the agreement with the sender, in words; where
	// there are some, a person says why it is within them.
	Rules string
}

// Passable tells who may get an entry of a partner from us and why, and who may not
// and why not. It changes nothing.
func (s *Service) Passable(ctx context.Context, actor entente.Actor, ref EntryRef) (c PassChoice, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return c, err
	}
	c.Entry, err = s.Entry(ctx, actor, ref.Party, ref.Number)
	if err != nil {
		return c, err
	}
	if err := c.Entry.passable(); err != nil {
		return c, err
	}
	n, err := s.passed(ctx, actor, c.Entry, Passing{})
	if err != nil {
		return c, err
	}
	self, partners, held, err := s.prospects(ctx, actor.Org, n)
	if err != nil {
		return c, err
	}
	c.Findings = toDecide(n, partners)
	for _, p := range partners {
		if p.Party == ref.Party {
			c.Rules = strings.TrimSpace(p.Agreement.Onward)
		}
		line := PassLine{Line: s.judge(self, p, n, held)}
		if !line.Allowed {
			needed := n
			needed.Need = []entente.PartyID{p.Party}
			if could := s.judge(self, p, needed, held); could.Allowed {
				line.Asks = true
			}
		}
		c.Lines = append(c.Lines, line)
	}
	slices.SortStableFunc(c.Lines, func(a, b PassLine) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return c, nil
}

// passable says why an entry can be passed on to nobody at all.
func (r Received) passable() error {
	switch {
	case r.State == Recalled:
		return entente.Conflict("it was taken back by %s: there is nothing left to pass on", r.Name)
	case r.State != Standing || r.Hidden:
		return entente.Denied("what this entry says is not for you to see")
	case !slices.Contains(SharedKinds(), r.Kind):
		return entente.Conflict("entries of this kind are between the two partners and are not passed on")
	}
	return nil
}

// passed makes the statement by which an entry is passed on: as it was said, by the
// same originator, under the same marking.
func (s *Service) passed(ctx context.Context, actor entente.Actor, r Received, p Passing) (n NewStatement, err error) {
	n = NewStatement{
		Kind: r.Kind, Subject: r.Subject, Title: cmp.Or(r.Title, r.Subject, string(r.Kind)), Marking: r.Marking, Body: r.Body, Blobs: r.Blobs,
		Originator: cmp.Or(r.Originator, r.Party), Withheld: r.Withheld || r.Marking.NoAttribution,
		Of: EntryRef{r.Party, r.Number}, To: p.To, NeedWhy: p.Why, Basis: p.Basis, Decided: p.Decided,
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		n.had, err = db.All(ctx, tx, db.Value[entente.PartyID], `SELECT l.party FROM exchange_statement s JOIN exchange_ledger l ON l.org = s.org AND l.statement = s.id
			WHERE s.org = $1 AND s.of_party = $2 AND s.of_number = $3 AND s.state = 'said' AND l.number > 0`, actor.Org, r.Party, int64(r.Number))
		return err
	})
	return n, err
}

// PassOn passes an entry of a partner on to others, as its marking, the agreements and
// a person's decision allow. It keeps its originator and its marking. If it is taken
// back, it is taken back from those who have it from us.
func (s *Service) PassOn(ctx context.Context, actor entente.Actor, ref EntryRef, p Passing) (id string, lines []Line, err error) {
	c, err := s.Passable(ctx, actor, ref)
	if err != nil {
		return "", nil, err
	}
	if len(p.To) == 0 {
		return "", nil, entente.Invalid("choose to whom it is passed on")
	}
	n, err := s.passed(ctx, actor, c.Entry, p)
	if err != nil {
		return "", nil, err
	}
	for _, line := range c.Lines {
		if line.Asks && slices.Contains(p.To, line.Party) {
			n.Need = append(n.Need, line.Party)
		}
	}
	switch {
	case strings.TrimSpace(p.Why) != "":
	case len(n.Need) > 0:
		return "", nil, entente.Invalid("say why they need to know it; that is kept")
	case c.Rules != "":
		return "", nil, entente.Invalid("say why that is within the rules of passing on that you have agreed with %s; that is kept", c.Entry.Name)
	}
	return s.say(ctx, actor, n)
}

// follow does with what we passed on as its sender did with the entry.
func (s *Service) follow(ctx context.Context, tx *db.Tx, held stored, reason string) error {
	ids, err := db.All(ctx, tx, db.Value[string], "SELECT id FROM exchange_statement WHERE org = $1 AND of_party = $2 AND of_number = $3 AND state = 'said' ORDER BY id", tx.Org(), held.Party, int64(held.Number))
	if err != nil {
		return err
	}
	actor := entente.System(tx.Org(), entente.DoorWorker)
	for _, id := range ids {
		st, err := readStatement(ctx, tx, tx.Org(), id)
		if err != nil {
			return err
		}
		if held.State == Standing {
			if held.Marking.Narrows(st.Marking) {
				continue // it is as narrow already
			}
			err = s.reviseIn(ctx, tx, actor, id, reason, &held.Marking, nil)
			if err == nil {
				continue
			}
			if entente.KindOf(err) != entente.KindInvalid {
				return err
			}
			// What was made narrower here in another way cannot be made to follow: it is taken back.
		}
		if err := s.reviseIn(ctx, tx, actor, id, reason, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// AnswerTo makes the statement by which a concern, or an answer in its thread, is
// answered: under the same subject, to who said it alone, under a label no wider than
// that of the concern.
func (s *Service) AnswerTo(ctx context.Context, actor entente.Actor, ref EntryRef, text string) (n NewStatement, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return n, err
	}
	r, err := s.Entry(ctx, actor, ref.Party, ref.Number)
	switch {
	case err != nil:
		return n, err
	case r.State != Standing || r.Hidden:
		return n, entente.Denied("what this entry says is not for you to see")
	case r.Kind != entente.EntryConcern && r.Kind != entente.EntryAnswer:
		return n, entente.Conflict("only concerns, and answers to them, are answered")
	}
	body, err := encode(entente.Answer{Number: r.Number, Hash: r.Hash, Text: text})
	if err != nil {
		return n, err
	}
	return NewStatement{
		Kind: entente.EntryAnswer, Subject: r.Subject, Title: cmp.Or(r.Title, "Answer"), Body: body, To: []entente.PartyID{r.Party},
		Marking: entente.Marking{TLP: max(r.Marking.TLP, entente.TLPAmberStrict)},
	}, nil
}
