package journal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

func schedule(t testing.TB, d *db.DB, org entente.OrgID, kind string, due time.Time, body any) int64 {
	t.Helper()
	var id int64
	err := d.Write(t.Context(), org, func(tx *db.Tx) error {
		var err error
		id, err = journal.Schedule(t.Context(), tx, org, kind, due, body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func job(t testing.TB, d *db.DB, org entente.OrgID, id int64) journal.Job {
	t.Helper()
	for _, j := range read(t, d, func(tx *db.Tx) ([]journal.Job, error) { return journal.Jobs(t.Context(), tx, org, "", 10_000) }) {
		if j.ID == id {
			return j
		}
	}
	t.Fatalf("there is no job %d", id)
	return journal.Job{}
}

func TestJobRunsWhenDue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var ran atomic.Int64
		due := time.Now().Add(300 * time.Millisecond)
		type order struct{ Sacks int }
		start(t, quick(d, nil, map[string]journal.JobHandler{"order": func(ctx context.Context, j *journal.Job) error {
			ran.Add(1)
			if time.Now().Before(due.Truncate(time.Millisecond)) {
				t.Error("the job ran before its time")
			}
			var o order
			if err := j.Decode(&o); err != nil {
				return err
			}
			if o.Sacks != 40 || j.Attempt != 1 {
				t.Errorf("the job is %+v with %+v", j, o)
			}
			return j.Finish(ctx, func(tx *db.Tx) error {
				return journal.Append(ctx, tx, entente.System(j.Org, entente.DoorWorker), noted, "ordered", nil)
			})
		}}))
		later := schedule(t, d, "acme", "order", due, order{40})
		far := schedule(t, d, "acme", "order", time.Now().Add(time.Hour), order{1})
		for range 20 {
			schedule(t, d, "acme", "unknown", time.Now(), nil)
		}
		eventually(t, "the job is done", func() bool { return job(t, d, "acme", later).State == journal.JobDone })
		if j := job(t, d, "acme", far); j.State != journal.JobWaiting {
			t.Errorf("the far job is %+v", j)
		}
		if n := len(events(t, d, "acme")); n != 1 || ran.Load() != 1 {
			t.Errorf("%d runs with %d effects", ran.Load(), n)
		}
	})
}

func TestJobIsRetriedThenDead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var attempts sync.Map
		r := quick(d, nil, map[string]journal.JobHandler{
			"flaky": func(ctx context.Context, j *journal.Job) error {
				attempts.Store(j.Attempt, j.Error)
				if j.Attempt < 3 {
					return errors.New("not yet")
				}
				return nil
			},
			"hopeless": func(context.Context, *journal.Job) error { panic("never") },
			"final":    func(context.Context, *journal.Job) error { return journal.GiveUp(errors.New("makes no sense")) },
			"rolls":    func(ctx context.Context, j *journal.Job) error { return finishBadly(ctx, j) },
		})
		r.MaxAttempts = 4
		start(t, r)
		flaky := schedule(t, d, "acme", "flaky", time.Now(), nil)
		hopeless := schedule(t, d, "acme", "hopeless", time.Now(), nil)
		final := schedule(t, d, "acme", "final", time.Now(), nil)
		rolls := schedule(t, d, "acme", "rolls", time.Now(), nil)
		eventually(t, "all have ended", func() bool {
			return job(t, d, "acme", flaky).State == journal.JobDone && job(t, d, "acme", hopeless).State == journal.JobDead &&
				job(t, d, "acme", final).State == journal.JobDead && job(t, d, "acme", rolls).State == journal.JobDead
		})
		if e, ok := attempts.Load(3); !ok || e != "not yet" {
			t.Errorf("the third attempt knew of %v", e)
		}
		if j := job(t, d, "acme", hopeless); j.Attempt != 4 || !strings.Contains(j.Error, "given up after 4 attempts: panic: never") {
			t.Errorf("the hopeless job is %+v", j)
		}
		if j := job(t, d, "acme", final); j.Attempt != 1 || j.Error != "makes no sense" {
			t.Errorf("the final job is %+v", j)
		}
		if n := len(events(t, d, "acme")); n != 0 {
			t.Errorf("%d effects of failed attempts were kept", n)
		}
		err := d.Write(t.Context(), "acme", func(tx *db.Tx) error { return journal.Revive(t.Context(), tx, "acme", hopeless) })
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the revived job has died again", func() bool {
			dead := read(t, d, func(tx *db.Tx) ([]journal.Job, error) {
				return journal.Jobs(t.Context(), tx, "acme", journal.JobDead, 10)
			})
			return slices.ContainsFunc(dead, func(j journal.Job) bool { return j.Kind == "hopeless" && j.ID > rolls })
		})
		for id, kind := range map[int64]entente.Kind{flaky: entente.KindConflict, 4711: entente.KindNotFound} {
			err := d.Write(t.Context(), "acme", func(tx *db.Tx) error { return journal.Revive(t.Context(), tx, "acme", id) })
			if entente.KindOf(err) != kind {
				t.Errorf("revive %d: %v", id, err)
			}
		}
	})
}

// finishBadly makes an effect and then fails in the same transaction.
func finishBadly(ctx context.Context, j *journal.Job) error {
	return j.Finish(ctx, func(tx *db.Tx) error {
		if err := journal.Append(ctx, tx, entente.System(j.Org, entente.DoorWorker), noted, "half", nil); err != nil {
			return err
		}
		return errors.New("on second thoughts")
	})
}

// An attempt whose lease ran out can no longer finish: the later one counts.
func TestLateAttemptIsFencedOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		began, release := make(chan int, 4), make(chan struct{})
		var late error
		lateDone := make(chan struct{})
		handler := func(ctx context.Context, j *journal.Job) error {
			began <- j.Attempt
			if j.Attempt == 1 {
				defer close(lateDone)
				<-release // deaf to its context, as a hanging call is
				late = j.Finish(context.WithoutCancel(ctx), func(tx *db.Tx) error {
					return journal.Append(context.WithoutCancel(ctx), tx, entente.System(j.Org, entente.DoorWorker), noted, "late", nil)
				})
				return late
			}
			return j.Finish(ctx, func(tx *db.Tx) error {
				return journal.Append(ctx, tx, entente.System(j.Org, entente.DoorWorker), noted, "second", nil)
			})
		}
		r := quick(d, nil, map[string]journal.JobHandler{"slow": handler})
		start(t, r)
		id := schedule(t, d, "acme", "slow", time.Now(), nil)
		<-began
		// As if this replica had been silent for the length of the lease.
		err := d.Write(t.Context(), "acme", func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE journal_job SET wake_at = 1 WHERE org = 'acme' AND id = $1", id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if attempt := <-began; attempt != 2 {
			t.Errorf("attempt %d followed", attempt)
		}
		eventually(t, "the second attempt is done", func() bool { return job(t, d, "acme", id).State == journal.JobDone })
		close(release)
		<-lateDone
		if !errors.Is(late, journal.ErrLeaseLost) {
			t.Errorf("the late attempt was told %v", late)
		}
		got := events(t, d, "acme")
		if len(got) != 1 || got[0].Subject != "second" {
			t.Errorf("the effects are %+v", got)
		}
	})
}

// A lease is renewed for as long as the handler works.
func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel() // it only waits
	d := dbtest.SQLite(t)
	const lease = 2 * time.Second // a busy machine lets the renewal wait for less
	var runs atomic.Int64
	r := quick(d, nil, map[string]journal.JobHandler{"long": func(ctx context.Context, j *journal.Job) error {
		runs.Add(1)
		select {
		case <-time.After(2 * lease):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	r.Lease = lease
	start(t, r)
	id := schedule(t, d, "acme", "long", time.Now(), nil)
	eventually(t, "the job is done", func() bool { return job(t, d, "acme", id).State == journal.JobDone })
	if runs.Load() != 1 {
		t.Errorf("%d runs", runs.Load())
	}
}

func TestCatchUpRunsJobs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := quick(d, []journal.Consumer{{Name: "plans", Kinds: []journal.Kind{noted}, Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			_, err := journal.Schedule(ctx, tx, e.Org, "act", time.Now(), nil)
			return err
		}}}, map[string]journal.JobHandler{
			"act": func(ctx context.Context, j *journal.Job) error {
				return j.Finish(ctx, func(tx *db.Tx) error {
					return journal.Append(ctx, tx, entente.System(j.Org, entente.DoorWorker), other, "acted", nil)
				})
			},
			"fails": func(context.Context, *journal.Job) error { return errors.New("no such luck") },
		})
		note(t, d, "acme", noted, "a", "b")
		if err := r.CatchUp(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		if n := len(events(t, d, "acme")); n != 4 {
			t.Errorf("%d events, want 4", n)
		}
		schedule(t, d, "acme", "fails", time.Now(), nil)
		if err := r.CatchUp(t.Context(), "acme"); err == nil || !strings.Contains(err.Error(), "no such luck") {
			t.Errorf("the failure of a job is told as %v", err)
		}
	})
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 10: 512 * time.Second, 11: 10 * time.Minute, 1 << 40: 10 * time.Minute} {
		for range 100 {
			if got := journal.Backoff(n); got < want*3/4 || got > want*5/4 {
				t.Errorf("after %d failures it waits %v, want about %v", n, got, want)
			}
		}
	}
}

// A handler that works on many jobs at once claims those like its own, and finishes
// them in one transaction; those that it leaves are tried again.
func TestJobsTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var rounds atomic.Int64
		r := quick(d, nil, map[string]journal.JobHandler{
			"order": func(ctx context.Context, j *journal.Job) error {
				round := rounds.Add(1)
				alike, err := j.Alike(ctx, 6)
				if err != nil {
					return err
				}
				all := append(alike, j)
				if round == 1 {
					all = all[1:] // one is forgotten
				}
				return journal.FinishAll(ctx, all, func(tx *db.Tx, j *journal.Job) error {
					return journal.Append(ctx, tx, entente.System(j.Org, entente.DoorWorker), noted, string(j.Body), nil)
				})
			},
			"other": func(context.Context, *journal.Job) error { return nil },
		})
		for n := range 10 {
			schedule(t, d, "acme", "order", time.Now(), n)
			schedule(t, d, "acme", "other", time.Now(), n)
		}
		later := schedule(t, d, "acme", "order", time.Now().Add(time.Hour), "later")
		start(t, r)
		eventually(t, "all are done", func() bool { return len(events(t, d, "acme")) == 10 })
		done := map[string]bool{}
		for _, e := range events(t, d, "acme") {
			done[e.Subject] = true
		}
		if len(done) != 10 || rounds.Load() > 6 {
			t.Errorf("%d different jobs in %d rounds", len(done), rounds.Load())
		}
		if j := job(t, d, "acme", later); j.State != journal.JobWaiting {
			t.Errorf("the far job is %+v", j)
		}
	})
}
