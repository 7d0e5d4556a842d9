package journal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

// quick makes a runner that does not keep a test waiting.
func quick(d *db.DB, consumers []journal.Consumer, jobs map[string]journal.JobHandler) *journal.Runner {
	r := journal.NewRunner(d, nil, consumers, jobs)
	r.Poll = 20 * time.Millisecond
	r.Lease = 2 * time.Second
	r.Backoff = func(n int) time.Duration { return time.Duration(n) * 20 * time.Millisecond }
	return r
}

// start runs a runner until the end of the test, or until stop is called.
func start(t testing.TB, r *journal.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("in vain: %s", what)
}

// mark is an effect in the database: a job that is never due, of a kind that
// names what was handled.
func mark(ctx context.Context, tx *db.Tx, org entente.OrgID, what string) error {
	_, err := journal.Schedule(ctx, tx, org, what, time.Now().Add(time.Hour), nil)
	return err
}

// marks gives the effects in the order they were made.
func marks(t testing.TB, d *db.DB, org entente.OrgID) []string {
	t.Helper()
	jobs := read(t, d, func(tx *db.Tx) ([]journal.Job, error) {
		return journal.Jobs(t.Context(), tx, org, journal.JobWaiting, 100_000)
	})
	slices.SortFunc(jobs, func(a, b journal.Job) int { return int(a.ID - b.ID) })
	var out []string
	for _, j := range jobs {
		out = append(out, j.Kind)
	}
	return out
}

func marker(name string, kinds ...journal.Kind) journal.Consumer {
	return journal.Consumer{Name: name, Kinds: kinds, Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
		return mark(ctx, tx, e.Org, name+" "+e.Subject)
	}}
}

func status(t testing.TB, d *db.DB, org entente.OrgID, consumer string) journal.ConsumerStatus {
	t.Helper()
	all := read(t, d, func(tx *db.Tx) ([]journal.ConsumerStatus, error) { return journal.Consumers(t.Context(), tx, org) })
	for _, s := range all {
		if s.Consumer == consumer {
			return s
		}
	}
	return journal.ConsumerStatus{}
}

func TestConsumersFollow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		note(t, d, "acme", noted, "before")
		start(t, quick(d, []journal.Consumer{marker("a", noted), marker("b")}, nil))
		note(t, d, "acme", other, "x", "y")
		note(t, d, "acme", noted, "z")
		note(t, d, "bolt", noted, "w")
		eventually(t, "every event is handled", func() bool {
			return len(marks(t, d, "acme")) == 6 && len(marks(t, d, "bolt")) == 2
		})
		got := marks(t, d, "acme")
		for name, want := range map[string][]string{"a": {"before", "z"}, "b": {"before", "x", "y", "z"}} {
			var mine []string
			for _, m := range got {
				if s, ok := strings.CutPrefix(m, name+" "); ok {
					mine = append(mine, s)
				}
			}
			if !slices.Equal(mine, want) {
				t.Errorf("%s handled %v, want %v", name, mine, want)
			}
		}
	})
}

// A handler that fails is tried again from the failed event on. What it did
// before is kept, nothing is skipped, and nobody else waits.
func TestFailingConsumer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var sound atomic.Bool
		var tries atomic.Int64
		bad := journal.Consumer{Name: "bad", Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			if err := mark(ctx, tx, e.Org, "bad "+e.Subject); err != nil {
				return err
			}
			if e.Subject == "poison" && !sound.Load() {
				if tries.Add(1)%2 == 0 {
					panic("cannot swallow\x00")
				}
				return errors.New("cannot swallow")
			}
			return nil
		}}
		start(t, quick(d, []journal.Consumer{bad, marker("good")}, nil))
		note(t, d, "acme", noted, "one", "two", "poison", "three")
		note(t, d, "bolt", noted, "one")
		eventually(t, "several tries", func() bool { return status(t, d, "acme", "bad").Failures >= 4 })
		s := status(t, d, "acme", "bad")
		if s.Seq != 2 || s.Behind != 2 || !strings.Contains(s.Error, "event 3 (test.noted): ") || !strings.Contains(s.Error, "cannot swallow") || s.RetryAt.IsZero() {
			t.Errorf("the status is %+v", s)
		}
		eventually(t, "the others are done", func() bool {
			return status(t, d, "acme", "good").Seq == 4 && status(t, d, "bolt", "bad").Seq == 1 && status(t, d, "bolt", "good").Seq == 1
		})
		sound.Store(true)
		eventually(t, "it goes on", func() bool { return status(t, d, "acme", "bad").Seq == 4 })
		if s := status(t, d, "acme", "bad"); s.Failures != 0 || s.Error != "" {
			t.Errorf("the status is %+v", s)
		}
		var mine []string
		for _, m := range marks(t, d, "acme") {
			if strings.HasPrefix(m, "bad ") {
				mine = append(mine, m)
			}
		}
		if want := []string{"bad one", "bad two", "bad poison", "bad three"}; !slices.Equal(mine, want) {
			t.Errorf("effects %v, want %v", mine, want)
		}
	})
}

// A handler that hides the failure of a statement has failed all the same.
func TestHiddenFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := journal.Consumer{Name: "hides", Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			_, err := tx.Exec(ctx, "INSERT INTO no_such_table (a) VALUES (1)")
			_ = err
			return nil
		}}
		note(t, d, "acme", noted, "one")
		err := quick(d, []journal.Consumer{c}, nil).CatchUp(t.Context(), "acme")
		if err == nil || !strings.Contains(err.Error(), "no_such_table") {
			t.Errorf("the error is %v", err)
		}
		if s := status(t, d, "acme", "hides"); s.Failures != 1 || s.Seq != 0 {
			t.Errorf("the status is %+v", s)
		}
	})
}

// A consumer may append events, also ones that it handles itself later.
func TestConsumerAppends(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := journal.Consumer{Name: "chain", Kinds: []journal.Kind{noted}, Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			if len(e.Subject) > 5 {
				return nil
			}
			return journal.Append(ctx, tx, entente.System(e.Org, entente.DoorWorker), noted, e.Subject+"x", nil)
		}}
		note(t, d, "acme", noted, "x")
		if err := quick(d, []journal.Consumer{c}, nil).CatchUp(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		if n := len(events(t, d, "acme")); n != 6 {
			t.Errorf("%d events", n)
		}
	})
}

// Three replicas share the events of several organisations; each effect happens
// once, in order.
func TestReplicasShareEvents(t *testing.T) {
	c := dbtest.PostgresConfig(t)
	var handles []*db.DB
	for range 3 {
		d := dbtest.Open(t, c)
		handles = append(handles, d)
		start(t, quick(d, []journal.Consumer{marker("a"), marker("b", noted)}, nil))
	}
	const orgs, each = 5, 30
	var wg sync.WaitGroup
	for i := range orgs {
		org := entente.OrgID(fmt.Sprintf("org-%d", i))
		wg.Go(func() {
			for n := range each {
				note(t, handles[n%3], org, noted, fmt.Sprintf("%03d", n))
			}
		})
	}
	wg.Wait()
	for i := range orgs {
		org := entente.OrgID(fmt.Sprintf("org-%d", i))
		eventually(t, "all are handled", func() bool { return len(marks(t, handles[0], org)) >= 2*each })
		for _, name := range []string{"a ", "b "} {
			var mine []string
			for _, m := range marks(t, handles[0], org) {
				if s, ok := strings.CutPrefix(m, name); ok {
					mine = append(mine, s)
				}
			}
			if len(mine) != each || !slices.IsSorted(mine) {
				t.Errorf("%s of %s: %v", name, org, mine)
			}
		}
	}
}

// A cursor passes what its consumer does not want, and writes that down rarely.
func TestUnwantedEvents(t *testing.T) {
	d := dbtest.SQLite(t)
	r := quick(d, []journal.Consumer{marker("picky", noted)}, nil)
	many := func(n int) []string { return slices.Repeat([]string{"s"}, n) }
	note(t, d, "acme", other, many(100)...)
	if err := r.CatchUp(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if s := status(t, d, "acme", "picky"); s.Seq != 0 {
		t.Errorf("a cursor was written for nothing: %+v", s)
	}
	note(t, d, "acme", other, many(1200)...)
	if err := r.CatchUp(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if s := status(t, d, "acme", "picky"); s.Seq != 1300 {
		t.Errorf("the cursor is %+v", s)
	}
	note(t, d, "acme", other, many(700)...)
	note(t, d, "acme", noted, "wanted")
	if err := r.CatchUp(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if got := marks(t, d, "acme"); !slices.Equal(got, []string{"picky wanted"}) {
		t.Errorf("handled %v", got)
	}
}

// A stop waits for the handler that runs, keeps its effect, and leaves no
// goroutine behind; one that does not end is cancelled after the grace.
func TestStop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		before := goleak.IgnoreCurrent()
		began, finish := make(chan struct{}, 10), make(chan struct{})
		c := journal.Consumer{Name: "slow", Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			began <- struct{}{}
			select {
			case <-finish:
			case <-ctx.Done():
				return ctx.Err()
			}
			return mark(ctx, tx, e.Org, e.Subject)
		}}
		stop := start(t, quick(d, []journal.Consumer{c}, nil))
		note(t, d, "acme", noted, "one")
		<-began
		stopped := make(chan struct{})
		go func() {
			stop()
			close(stopped)
		}()
		select {
		case <-stopped:
			t.Error("the stop did not wait for the handler")
		case <-time.After(100 * time.Millisecond):
		}
		close(finish)
		<-stopped
		if got := marks(t, d, "acme"); !slices.Equal(got, []string{"one"}) {
			t.Errorf("handled %v", got)
		}

		finish = make(chan struct{})
		r := quick(d, []journal.Consumer{c}, nil)
		r.Grace = 50 * time.Millisecond
		stop = start(t, r)
		note(t, d, "acme", noted, "two")
		<-began
		stop()
		if s := status(t, d, "acme", "slow"); s.Seq != 1 || s.Failures != 0 {
			t.Errorf("a cancelled handler counts as %+v", s)
		}
		goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"), goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgconn/internal/bgreader.(*BGReader).bgRead"))
	})
}

func TestRunnerRefusesTwins(t *testing.T) {
	d := dbtest.SQLite(t)
	if err := quick(d, []journal.Consumer{marker("a"), marker("a")}, nil).CatchUp(t.Context(), "acme"); err == nil {
		t.Error("two consumers with one name were taken")
	}
	if err := quick(d, []journal.Consumer{{Name: "b"}}, nil).Run(t.Context()); err == nil {
		t.Error("a consumer without a handler was taken")
	}
}

// Consumers that are well have their turns in one transaction, also for what they tell
// one another; if one fails, what the others did is kept.
func TestConsumersShareATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var seen []*db.Tx
		var fails atomic.Bool
		first := journal.Consumer{Name: "first", Kinds: []journal.Kind{noted}, Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			seen = append(seen, tx)
			return journal.Append(ctx, tx, entente.System(e.Org, entente.DoorWorker), other, e.Subject, nil)
		}}
		second := journal.Consumer{Name: "second", Kinds: []journal.Kind{other}, Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
			seen = append(seen, tx)
			if fails.Load() {
				return errors.New("it fails")
			}
			return mark(ctx, tx, e.Org, e.Subject)
		}}
		r := quick(d, []journal.Consumer{first, second}, nil)
		stop := start(t, r)
		note(t, d, "acme", noted, "a")
		eventually(t, "the second has heard", func() bool { return len(marks(t, d, "acme")) == 1 })
		stop()
		if len(seen) != 2 || seen[0] != seen[1] {
			t.Errorf("%d turns, in one transaction: %v", len(seen), len(seen) > 1 && seen[0] == seen[1])
		}
		fails.Store(true)
		stop = start(t, r)
		note(t, d, "acme", noted, "b")
		eventually(t, "the second has failed", func() bool { return status(t, d, "acme", "second").Failures > 1 })
		if n := status(t, d, "acme", "first"); n.Failures != 0 || n.Seq < 3 {
			t.Errorf("the first: %+v", n)
		}
		fails.Store(false)
		eventually(t, "the second has heard", func() bool { return len(marks(t, d, "acme")) == 2 })
		stop()
		if _, err := journal.Verify(t.Context(), d, "acme"); err != nil {
			t.Error(err)
		}
	})
}
