package exchange

import (
	"context"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// expireAt lets an entry that was received go when its time runs out.
func (s *Service) expireAt(ctx context.Context, tx *db.Tx, e stored) error {
	if e.Marking.Expires.IsZero() {
		return nil
	}
	_, err := journal.Schedule(ctx, tx, tx.Org(), jobExpire, e.Marking.Expires, EntryRef{e.Party, e.Number})
	return err
}

// expire deletes what an entry says whose time has run out. That it was said, and its
// hash, stay, so that the feed can still be verified.
func (s *Service) expire(ctx context.Context, job *journal.Job) error {
	var todo EntryRef
	if err := job.Decode(&todo); err != nil {
		return err
	}
	return job.Finish(ctx, func(tx *db.Tx) error {
		held, err := readEntry(ctx, tx, job.Org, todo.Party, In, todo.Number)
		if err != nil {
			return err
		}
		end, over := runOut(held.Marking, s.now())
		if held.State == Recalled || held.State == Expired || !over {
			return nil
		}
		p, err := readPartner(ctx, tx, job.Org, todo.Party)
		if err != nil {
			return err
		}
		if err := dropBlobsOf(ctx, tx, job.Org, held); err != nil {
			return err
		}
		held.State, held.Ended, held.Envelope, held.Title, held.Why = Expired, end, entente.Envelope{}, "", entente.Message{}
		held.Outcome, held.OutcomeWhy = "", entente.Message{}
		if err := updateEntry(ctx, tx, job.Org, held); err != nil {
			return err
		}
		return journal.Append(ctx, tx, entente.System(job.Org, entente.DoorWorker), EventExpired, entrySubject(held.Party, held.Number), entryEvent{
			Party: string(held.Party), Name: p.Name, Number: held.Number, Kind: string(held.Kind), Subject: held.Subject,
		})
	})
}

// runOut says whether the time of something has run out, and when it did.
func runOut(m entente.Marking, now time.Time) (end time.Time, over bool) {
	if m.Expires.IsZero() || now.Before(m.Expires) {
		return end, false
	}
	if db.Millis(m.Expires) <= 0 { // nothing was ever kept until then
		return now, true
	}
	return m.Expires, true
}
