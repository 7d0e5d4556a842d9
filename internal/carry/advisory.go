package carry

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/journal"
)

// Advisories are what has to be known soonest. They are recorded in the transaction that
// moves the consumer on, without a job; it takes a job only where that fails, so that
// one that cannot be written holds up nothing that came after it.

// maxHard bounds what is remembered of advisories that failed.
const maxHard = 1000

// adviseAtOnce records an advisory that was received, and says whether it did.
func (c *Carrier) adviseAtOnce(ctx context.Context, tx *db.Tx, event journal.Event, party entente.PartyID, number uint64) (done bool, err error) {
	var about struct {
		Kind entente.EntryKind `json:"kind"`
	}
	if event.Kind != exchange.EventReceived || event.Decode(&about) != nil || about.Kind != entente.EntryAdvisory || c.isHard(event) {
		return false, nil
	}
	actor := entente.System(event.Org, entente.DoorWorker)
	e, err := c.exchange.EntryIn(ctx, tx, actor, party, number)
	if err != nil {
		return false, err
	}
	if e.State != exchange.Standing || e.Hidden || e.Outcome != "" {
		return false, nil
	}
	defer func() {
		if !done {
			c.setHard(event)
		}
	}()
	id, err := c.advisory.LearnIn(ctx, tx, actor, advisoryOf(e))
	outcome, why, err := outcomeOf(recordedAs(id), err)
	if err == nil {
		_, err = c.exchange.Settle(ctx, tx, actor, party, number, outcome, why)
	}
	return err == nil, err
}

func nameOf(e journal.Event) string { return fmt.Sprintf("%s %d", e.Org, e.Seq) }

func (c *Carrier) isHard(e journal.Event) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hard[nameOf(e)]
}

func (c *Carrier) setHard(e journal.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.hard) >= maxHard {
		clear(c.hard)
	}
	c.hard[nameOf(e)] = true
}

// advise records an advisory for a job.
func (c *Carrier) advise(ctx context.Context, actor entente.Actor, e exchange.Received) (entente.Message, error) {
	id, err := c.advisory.Learn(ctx, actor, advisoryOf(e))
	return recordedAs(id), err
}

// advisoryOf is what an entry says, as the room of advisories takes it.
func advisoryOf(e exchange.Received) advisory.Source {
	from := advisory.FromReader(bytes.NewReader(e.Body), "advisory.json")
	from.Name, from.From = exchange.SourceOf(e), advisory.Origin{Party: e.Party, Number: e.Number}
	return from
}

// unadvise takes away what an entry brought. What the partner said of the same before
// holds again, if that was not taken back and has not expired.
func (c *Carrier) unadvise(ctx context.Context, actor entente.Actor, e exchange.Received, expired time.Time) error {
	ids, err := c.advisory.Recall(ctx, actor, advisory.Origin{Party: e.Party, Number: e.Number}, expired)
	if err != nil {
		return err
	}
	for _, id := range ids {
		subject := "advisory/" + id
		before, err := c.exchange.Inbox(ctx, actor, exchange.InboxQuery{Party: e.Party, Kind: entente.EntryAdvisory, State: exchange.InboxStanding, Search: subject})
		if err != nil {
			return err
		}
		before = slices.DeleteFunc(before, func(b exchange.Received) bool { return b.Hidden || b.Number == e.Number || b.Subject != subject })
		if len(before) > 0 {
			if _, err := c.advise(ctx, actor, before[0]); err != nil { // the newest
				return err
			}
		}
	}
	return nil
}

func recordedAs(id string) entente.Message {
	return entente.Say("It is recorded as the advisory %s.", id)
}
