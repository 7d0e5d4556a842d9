package carry

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/journal"
)

// jobsOf gives the jobs about entries that a node of the buyer has or had.
func (n *node) jobsOf(d *db.DB, states ...journal.JobState) (kinds int) {
	n.t.Helper()
	ok(n.t, d.Read(n.t.Context(), func(tx *db.Tx) error {
		kinds = 0
		for _, state := range states {
			all, err := journal.Jobs(n.t.Context(), tx, n.buyer.Org, state, 100)
			if err != nil {
				return err
			}
			for _, j := range all {
				if j.Kind == jobEntry {
					kinds++
				}
			}
		}
		return nil
	}))
	return kinds
}

// An advisory is recorded as it is read in the journal. One that cannot be recorded
// holds up nothing that comes after it, and is tried again by a job of its own.
func TestAdvisoryNeedsNoJob(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		advisoryOf := func(id string) exchange.NewStatement {
			return exchange.NewStatement{Kind: entente.EntryAdvisory, Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(strings.Replace(osvRecord, "%s", id, 1))}
		}
		if e := n.says(advisoryOf("ROST-2026-1")); e.Outcome != exchange.OutcomeTaken || n.jobsOf(d, journal.JobWaiting, journal.JobRunning, journal.JobDone) != 0 {
			t.Fatalf("%s %s", e.Outcome, e.OutcomeWhy)
		}
		alter := func(do func(ctx context.Context, tx *db.Tx) (int64, error)) {
			ok(t, d.Write(t.Context(), n.buyer.Org, func(tx *db.Tx) error {
				_, err := do(t.Context(), tx)
				return err
			}))
		}
		alter(func(ctx context.Context, tx *db.Tx) (int64, error) {
			return tx.Exec(ctx, "ALTER TABLE advisory_alias RENAME TO gone")
		})
		statement := advisoryOf("ROST-2026-2")
		statement.Title, statement.To = "It fails", []entente.PartyID{n.to}
		_, lines, err := n.exchange.Say(t.Context(), n.supplier, statement)
		ok(t, err)
		ok(t, n.runner.CatchUp(t.Context(), n.supplier.Org))
		for range 3 {
			// It says that the consumer, and then the job, failed.
			if err := n.runner.CatchUp(t.Context(), n.buyer.Org); err != nil && !strings.Contains(err.Error(), "advisory_alias") {
				t.Fatal(err)
			}
		}
		if jobs := n.jobsOf(d, journal.JobWaiting); jobs != 1 {
			t.Errorf("%d jobs wait", jobs)
		}
		alter(func(ctx context.Context, tx *db.Tx) (int64, error) {
			return tx.Exec(ctx, "ALTER TABLE gone RENAME TO advisory_alias")
		})
		if e := n.says(advisoryOf("ROST-2026-3")); e.Outcome != exchange.OutcomeTaken {
			t.Errorf("what came after it: %s %s", e.Outcome, e.OutcomeWhy)
		}
		ok(t, d.Write(t.Context(), n.buyer.Org, func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE journal_job SET wake_at = 1 WHERE org = $1 AND kind = $2 AND state = 'waiting'", n.buyer.Org, jobEntry)
			return err
		}))
		ok(t, n.runner.CatchUp(t.Context(), n.buyer.Org))
		e, err := n.exchange.Entry(t.Context(), n.buyer, n.from, lines[0].Number)
		if err != nil || e.Outcome != exchange.OutcomeTaken {
			t.Errorf("by its job: %s %s (%v)", e.Outcome, e.OutcomeWhy, err)
		}
	})
}
