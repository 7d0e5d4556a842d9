package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// EmbargoOn is where the embargo of a subject stands with a partner.
type EmbargoOn struct {
	entente.Embargo
	Party   entente.PartyID
	Name    string // of the partner
	Subject string
	Steps   []EmbargoTaken
}

// Ours says whether terms are proposed that wait for our answer.
func (e EmbargoOn) Ours() bool {
	return (e.State == entente.EmbargoProposed || e.State == entente.EmbargoRevised) && e.By == e.Party
}

// Over says whether a time has come at which nothing is held back any more.
func (e EmbargoOn) Over(at time.Time) bool { return e.State != "" && !e.Active(at) }

// Embargoes lists all embargoes that were ever proposed, about a subject if one is
// named; those that run first.
func (s *Service) Embargoes(ctx context.Context, actor entente.Actor, subject string) (list []EmbargoOn, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = embargoesOf(ctx, tx, db.Select(embargoSteps, actor.Org).AndIf(subject != "", "k.subject = $1", subject))
		return err
	})
	now := s.now()
	slices.SortStableFunc(list, func(a, b EmbargoOn) int {
		switch {
		case a.Over(now) == b.Over(now):
			return 0
		case a.Over(now):
			return 1
		}
		return -1
	})
	return list, err
}

// EmbargoTaken is one step that counted.
type EmbargoTaken struct {
	By   entente.PartyID
	Step entente.EmbargoStep
	At   time.Time
}

// EmbargoOf tells where the embargo about a subject stands with a partner. It follows
// from the entries of both feeds, so both sides come to the same.
func (s *Service) EmbargoOf(ctx context.Context, actor entente.Actor, party entente.PartyID, subject string) (e EmbargoOn, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return e, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err := readPartner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		e, err = embargoOf(ctx, tx, actor.Org, party, subject)
		e.Name = p.Name
		return err
	})
	return e, err
}

// Embargo takes a step of an embargo about a subject: proposes it, answers, revises or
// releases it. The partner is told.
func (s *Service) Embargo(ctx context.Context, actor entente.Actor, party entente.PartyID, subject string, step entente.EmbargoStep) error {
	if err := identity.Require(actor, identity.ExchangeShare, onPartner(actor, party)); err != nil {
		return err
	}
	switch {
	case subject == "" || len(subject) > maxName:
		return entente.Invalid("say what the embargo is about")
	case len(step.Reason) > entente.MaxMarkingText:
		return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error { return s.stepEmbargo(ctx, tx, actor, party, subject, step) })
}

func (s *Service) stepEmbargo(ctx context.Context, tx *db.Tx, actor entente.Actor, party entente.PartyID, subject string, step entente.EmbargoStep) error {
	p, self, signer, err := s.with(ctx, tx, party)
	if err != nil {
		return err
	}
	now, err := embargoOf(ctx, tx, actor.Org, party, subject)
	if err != nil {
		return err
	}
	next, err := now.Step(self.Party(), step, s.now())
	if err != nil {
		return entente.Conflict("%s", err.Error())
	}
	body, err := encode(step)
	if err != nil {
		return err
	}
	if _, err := s.tell(ctx, tx, self, signer, p, entente.EntryEmbargo, subject, body); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventEmbargoStep, subject, map[string]any{"party": party, "name": p.Name, "act": step.Act, "state": next.State, "reason": step.Reason})
}

// ProposeEmbargo proposes an embargo about something that was said to several who hold
// it. All of them are asked, or, if one of them cannot be, none. Each answers for itself.
func (s *Service) ProposeEmbargo(ctx context.Context, actor entente.Actor, id string, to []entente.PartyID, until time.Time, reason string) error {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return err
	}
	to = slices.Compact(slices.Sorted(slices.Values(to)))
	switch {
	case len(to) == 0:
		return entente.Invalid("choose at least one of those who got it")
	case len(reason) > entente.MaxMarkingText:
		return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
	case !until.After(s.now()):
		return entente.Invalid("an embargo ends in the future")
	}
	step := entente.EmbargoStep{Act: entente.ProposeEmbargo, Until: until, Reason: reason}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		st, err := readStatement(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		lines, err := linesOf(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		asked := 0
		for _, l := range lines {
			if !l.Holds() || !slices.Contains(to, l.Party) {
				continue
			}
			asked++
			err := s.stepEmbargo(ctx, tx, actor, l.Party, st.Subject, step)
			if kind := entente.KindOf(err); kind == entente.KindConflict || kind == entente.KindDenied {
				return entente.Conflict("nobody was asked, because %s cannot be: %s", l.Name, err)
			}
			if err != nil {
				return err
			}
		}
		if asked < len(to) {
			return entente.Invalid("an embargo is proposed to those alone who got it and may keep it")
		}
		return nil
	})
}

// embargoSteps begins a query for [embargoesOf]. It finds the entries by an index that
// holds embargoes alone, and only then reads them.
const embargoSteps = `SELECT e.party, p.name, e.subject, e.envelope FROM exchange_entry k
	JOIN exchange_entry e ON e.org = k.org AND e.party = k.party AND e.way = k.way AND e.number = k.number
	JOIN exchange_partner p ON p.org = e.org AND p.party = e.party
	WHERE k.org = $1 AND k.kind = 'embargo' AND k.state = 'standing'`

const embargoOrder = "p.name, e.party, e.subject, e.number"

// embargoesOf gives the embargoes whose steps a query chooses, by partner and subject. It
// replays the steps of both sides in the order of their times; of steps that cross, the
// one of the party whose name comes first counts first, on both sides.
func embargoesOf(ctx context.Context, tx *db.Tx, steps *db.Query) (list []EmbargoOn, err error) {
	type embargoRow struct {
		party         entente.PartyID
		name, subject string
		taken         EmbargoTaken
	}
	var rows []embargoRow
	err = db.EachOf(ctx, tx, steps.Order(embargoOrder), func(row db.Scanner) error {
		var r embargoRow
		var text []byte
		var envelope entente.Envelope
		var entry entente.Entry
		err := row.Scan(&r.party, &r.name, &r.subject, &text)
		if err != nil {
			return err
		}
		if json.Unmarshal(text, &envelope) == nil && json.Unmarshal(envelope.Payload, &entry) == nil && json.Unmarshal(entry.Body, &r.taken.Step) == nil {
			r.taken.By, r.taken.At = entry.From, entry.At
			rows = append(rows, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for len(rows) > 0 {
		first, n := rows[0], 1
		for n < len(rows) && rows[n].party == first.party && rows[n].subject == first.subject {
			n++
		}
		e := EmbargoOn{Party: first.party, Name: first.name, Subject: first.subject}
		slices.SortStableFunc(rows[:n], func(a, b embargoRow) int {
			return cmp.Or(a.taken.At.Compare(b.taken.At), cmp.Compare(a.taken.By, b.taken.By))
		})
		for _, r := range rows[:n] {
			next, err := e.Step(r.taken.By, r.taken.Step, r.taken.At)
			if err != nil {
				continue // it came too late, or fits nothing: both sides pass it by
			}
			e.Embargo, e.Steps = next, append(e.Steps, r.taken)
		}
		if e.State != "" {
			list = append(list, e)
		}
		rows = rows[n:]
	}
	return list, nil
}

// embargoOf gives the embargo with one partner about a subject; its state is empty where
// there is none.
func embargoOf(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, subject string) (EmbargoOn, error) {
	all, err := embargoesOf(ctx, tx, db.Select(embargoSteps, org).And("k.party = $1 AND k.subject = $2", party, subject))
	if err != nil || len(all) == 0 {
		return EmbargoOn{Party: party, Subject: subject}, err
	}
	return all[0], nil
}

// embargoes gives, per partner, the active embargoes about a subject.
func embargoes(ctx context.Context, tx *db.Tx, org entente.OrgID, subject string, at time.Time) (map[entente.PartyID]time.Time, error) {
	about, err := embargoesOf(ctx, tx, db.Select(embargoSteps, org).And("k.subject = $1", subject))
	active := map[entente.PartyID]time.Time{}
	for _, e := range about {
		if e.Active(at) {
			active[e.Party] = e.Until
			if e.State == entente.EmbargoProposed {
				active[e.Party] = e.Proposed
			}
		}
	}
	return active, err
}
