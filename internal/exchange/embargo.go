package exchange

import (
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
		list = nil
		found, err := db.AllOf(ctx, tx, func(row db.Scanner) (e EmbargoOn, err error) {
			return e, row.Scan(&e.Party, &e.Name, &e.Subject)
		}, db.Select(`SELECT DISTINCT e.party, p.name, e.subject FROM exchange_entry e JOIN exchange_partner p ON p.org = e.org AND p.party = e.party
			WHERE e.org = $1 AND e.way IN ('in', 'out') AND e.kind = 'embargo'`, actor.Org).
			AndIf(subject != "", "e.subject = $1", subject).Order("p.name, e.party, e.subject"))
		if err != nil {
			return err
		}
		for _, one := range found {
			e, err := embargoOf(ctx, tx, actor.Org, one.Party, one.Subject)
			if err != nil {
				return err
			}
			e.Name = one.Name
			if e.State != "" {
				list = append(list, e)
			}
		}
		return nil
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
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
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
	})
}

// embargoOf replays the steps of both sides in the order of their times; of steps that
// cross, the one of the party whose name comes first counts first, on both sides.
func embargoOf(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, subject string) (e EmbargoOn, err error) {
	e = EmbargoOn{Party: party, Subject: subject}
	rows, err := db.All(ctx, tx, scanEntry, "SELECT "+entryColumns+` FROM exchange_entry WHERE org = $1 AND way IN ('in', 'out') AND subject = $3 AND party = $2 AND kind = 'embargo' AND state = 'standing'
		ORDER BY said_at, way`, org, party, subject)
	if err != nil {
		return e, err
	}
	steps := make([]EmbargoTaken, 0, len(rows))
	for _, row := range rows {
		var entry entente.Entry
		var step entente.EmbargoStep
		if json.Unmarshal(row.Envelope.Payload, &entry) != nil || json.Unmarshal(entry.Body, &step) != nil {
			continue
		}
		steps = append(steps, EmbargoTaken{By: entry.From, Step: step, At: entry.At})
	}
	for i := 1; i < len(steps); i++ {
		if steps[i].At.Equal(steps[i-1].At) && steps[i].By < steps[i-1].By {
			steps[i], steps[i-1] = steps[i-1], steps[i]
		}
	}
	for _, step := range steps {
		next, err := e.Step(step.By, step.Step, step.At)
		if err != nil {
			continue // it came too late, or fits nothing: both sides pass it by
		}
		e.Embargo, e.Steps = next, append(e.Steps, step)
	}
	return e, nil
}

// embargoes gives, per partner, the active embargoes about a subject.
func embargoes(ctx context.Context, tx *db.Tx, org entente.OrgID, subject string, at time.Time) (map[entente.PartyID]time.Time, error) {
	parties, err := db.All(ctx, tx, db.Value[entente.PartyID], "SELECT DISTINCT party FROM exchange_entry WHERE org = $1 AND way IN ('in', 'out') AND subject = $2 AND kind = 'embargo'", org, subject)
	if err != nil || len(parties) == 0 {
		return nil, err
	}
	active := map[entente.PartyID]time.Time{}
	for _, p := range parties {
		e, err := embargoOf(ctx, tx, org, p, subject)
		if err != nil {
			return nil, err
		}
		if e.Active(at) {
			active[p] = e.Until
			if e.State == entente.EmbargoProposed {
				active[p] = e.Proposed
			}
		}
	}
	return active, nil
}
