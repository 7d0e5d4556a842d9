package exchange

import (
	"context"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Concern is something that one side worries about, and whether the other has answered.
type Concern struct {
	Received
	Reply time.Time // when the other side answered first; zero: not yet
}

// Overdue says whether the time for an answer is over, at a time.
func (c Concern) Overdue(at time.Time) bool {
	return c.State == Standing && c.Reply.IsZero() && !c.Due.IsZero() && at.After(c.Due)
}

// maxConcerns bounds the concerns of one list.
const maxConcerns = 2_000

// concernsOf gives the concerns that stand, in both directions, the next date first;
// open ones are those that the other side has not answered.
func concernsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, open bool) ([]stored, error) {
	return db.AllOf(ctx, tx, scanEntry, db.Select("SELECT "+inboxColumns+" FROM exchange_entry e WHERE e.org = $1 AND e.kind = 'concern' AND e.state = 'standing'", org).
		AndIf(open, notAnswered).
		Order("CASE WHEN e.due_at = 0 THEN 1 ELSE 0 END, e.due_at, e.stored_at DESC, e.party, e.way, e.number").Page(maxConcerns, 0))
}

// answeredBy names the side that answers under a subject.
type answeredBy struct {
	party   entente.PartyID
	way     Way
	subject string
}

// Concerns lists the concerns of both sides, as far as the actor may see them, the next
// date first.
func (s *Service) Concerns(ctx context.Context, actor entente.Actor) (list []Concern, err error) {
	err = s.reading(ctx, actor, func(tx *db.Tx, self Self, person []string) error {
		list = nil
		names, err := s.known(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		first := map[answeredBy]time.Time{}
		err = db.Each(ctx, tx, "SELECT party, way, subject, min(said_at) FROM exchange_entry WHERE org = $1 AND kind = 'answer' AND state = 'standing' GROUP BY party, way, subject", func(row db.Scanner) error {
			var by answeredBy
			var at int64
			err := row.Scan(&by.party, &by.way, &by.subject, &at)
			first[by] = db.Time(at)
			return err
		}, actor.Org)
		if err != nil {
			return err
		}
		rows, err := concernsOf(ctx, tx, actor.Org, false)
		for _, row := range rows {
			other := Out
			if row.Way == Out {
				other = In
			}
			list = append(list, Concern{s.shown(self, names[row.Party], row, person), first[answeredBy{row.Party, other, row.Subject}]})
		}
		return err
	})
	return list, err
}

// titleUnder is what a concern is called; empty: none is known under the subject.
func titleUnder(ctx context.Context, tx *db.Tx, party entente.PartyID, subject string) (string, error) {
	titles, err := db.All(ctx, tx, db.Value[string], "SELECT title FROM exchange_entry WHERE org = $1 AND way IN ('in', 'out') AND subject = $3 AND party = $2 AND kind = 'concern' ORDER BY way, number LIMIT 1", tx.Org(), party, subject)
	if err != nil || len(titles) == 0 {
		return "", err
	}
	return titles[0], nil
}

// Thread gives what both sides said under the subject of a concern, the oldest first,
// as far as the actor may see it.
func (s *Service) Thread(ctx context.Context, actor entente.Actor, party entente.PartyID, subject string) (list []Received, err error) {
	err = s.reading(ctx, actor, func(tx *db.Tx, self Self, person []string) error {
		list = nil
		p, err := s.partner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		rows, err := db.All(ctx, tx, scanEntry, "SELECT "+entryColumns+` FROM exchange_entry WHERE org = $1 AND way IN ('in', 'out') AND subject = $3 AND party = $2 AND kind IN ('concern', 'answer')
			ORDER BY said_at, way, number LIMIT 500`, actor.Org, party, subject)
		for _, row := range rows {
			list = append(list, s.shown(self, p, row, person))
		}
		return err
	})
	return list, err
}

// ConcernOf is a concern with the first answer of the other side, from all that was said
// under its subject (see [Service.Thread]).
func ConcernOf(r Received, thread []Received) Concern {
	c := Concern{Received: r}
	for _, said := range thread {
		if said.Kind == entente.EntryAnswer && said.Way != r.Way && said.State == Standing && (c.Reply.IsZero() || said.Said.Before(c.Reply)) {
			c.Reply = said.Said
		}
	}
	return c
}

// SaidTo gives one entry that we said to a partner, with what became of it there.
func (s *Service) SaidTo(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64) (Received, error) {
	return s.entry(ctx, actor, party, Out, number)
}
