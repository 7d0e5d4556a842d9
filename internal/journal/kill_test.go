//go:build !windows

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

// A child is this test program again, as one replica, with these variables set.
const (
	childSQLite   = "ENTENTE_TEST_SQLITE"
	childPostgres = "ENTENTE_TEST_POSTGRES"
	childFolder   = "ENTENTE_TEST_FOLDER"
)

func TestMain(m *testing.M) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		os.Exit(m.Run())
	}
	c := db.Config{SQLite: os.Getenv(childSQLite), Postgres: os.Getenv(childPostgres), NoSync: true}
	if err := replica(context.Background(), c, folder); err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		os.Exit(1)
	}
}

const effect journal.Kind = "test.effect"

// replica runs jobs and a consumer until it is killed. Each effect is an event.
func replica(ctx context.Context, c db.Config, folder string) error {
	d, err := db.Open(ctx, c)
	if err != nil {
		return err
	}
	append1 := func(ctx context.Context, tx *db.Tx, org entente.OrgID, subject string) error {
		return journal.Append(ctx, tx, entente.System(org, entente.DoorWorker), effect, subject, nil)
	}
	follow := journal.Consumer{Name: "follow", Kinds: []journal.Kind{noted}, Handle: func(ctx context.Context, tx *db.Tx, e journal.Event) error {
		time.Sleep(5 * time.Millisecond)
		return append1(ctx, tx, e.Org, fmt.Sprintf("event %d", e.Seq))
	}}
	work := func(ctx context.Context, j *journal.Job) error {
		// The kernel frees this lock with the process: whoever finds it taken works
		// on the job at the same time as another.
		lock, err := os.OpenFile(filepath.Join(folder, fmt.Sprintf("%s-%d", j.Org, j.ID)), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		defer lock.Close()
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return errors.Join(err, os.WriteFile(filepath.Join(folder, "overlap"), []byte(lock.Name()), 0o600))
		}
		if err := os.WriteFile(working(folder, os.Getpid()), nil, 0o600); err != nil {
			return err
		}
		select {
		case <-time.After(10*time.Millisecond + rand.N(60*time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
		return j.Finish(ctx, func(tx *db.Tx) error { return append1(ctx, tx, j.Org, fmt.Sprintf("job %d", j.ID)) })
	}
	r := quick(d, []journal.Consumer{follow}, map[string]journal.JobHandler{"work": work})
	r.Lease = 6 * time.Second // a replica that a busy machine lets wait for less is not taken for dead
	return r.Run(ctx)
}

// working names the file by which a replica says that it works on jobs.
func working(folder string, pid int) string {
	return filepath.Join(folder, fmt.Sprintf("working-%d", pid))
}

// Replicas are killed in the middle of their work: everything is done in the end,
// every effect is there once, and no job was worked on by two at the same time.
func TestKilledReplicas(t *testing.T) {
	t.Parallel() // it waits more than it works
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		t.Parallel()
		replicas := 3
		if c.SQLite != "" {
			replicas = 1
		}
		const jobs, noteds, kills = 80, 40, 4
		orgs := []entente.OrgID{"acme", "bolt", "cove"}
		d, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, org := range orgs {
			for range noteds {
				note(t, d, org, noted, "s")
			}
			err := d.Write(t.Context(), org, func(tx *db.Tx) error {
				for range jobs {
					if _, err := journal.Schedule(t.Context(), tx, org, "work", time.Now(), nil); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}

		folder := t.TempDir()
		children := make([]*exec.Cmd, replicas)
		begin := func(i int) {
			children[i] = exec.Command(os.Args[0])
			children[i].Env = append(os.Environ(), childFolder+"="+folder, childSQLite+"="+c.SQLite, childPostgres+"="+c.Postgres)
			children[i].Stderr = os.Stderr
			if err := children[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		kill := func(i int) {
			if err := children[i].Process.Kill(); err != nil {
				t.Error(err)
			}
			// It was killed, which is its error.
			_ = children[i].Wait()
		}
		works := func(i int) bool {
			_, err := os.Stat(working(folder, children[i].Process.Pid))
			return err == nil
		}
		begin(0)
		eventually(t, "the first replica works", func() bool { return works(0) })
		for i := 1; i < replicas; i++ {
			begin(i)
		}
		for n := range kills {
			time.Sleep(rand.N(400 * time.Millisecond))
			kill(n % replicas)
			begin(n % replicas)
		}
		// SQLite belongs to the replica; let it work on, and look when it is gone.
		left := func() int {
			d, err := db.Open(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			done := 0
			for _, org := range orgs {
				done += len(read(t, d, func(tx *db.Tx) ([]journal.Job, error) {
					return journal.Jobs(t.Context(), tx, org, journal.JobDone, 10_000)
				}))
				for _, e := range events(t, d, org) {
					if e.Kind == effect && e.Subject[0] == 'e' {
						done++
					}
				}
			}
			return len(orgs)*(jobs+noteds) - done
		}
		wait := 1500 * time.Millisecond
		for deadline := time.Now().Add(2 * time.Minute); ; {
			if c.SQLite != "" {
				time.Sleep(wait)
				wait *= 2 // on a slow machine it hardly begins
				kill(0)
			}
			n := left()
			if n <= 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%d things are not done", n)
				break
			}
			if c.SQLite != "" {
				begin(0)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if c.SQLite == "" {
			for i := range replicas {
				kill(i)
			}
		}

		if where, err := os.ReadFile(filepath.Join(folder, "overlap")); err == nil {
			t.Errorf("two worked on a job at the same time: %s", where)
		}
		d = dbtest.Open(t, c)
		retried := 0
		for _, org := range orgs {
			count := map[string]int{}
			for _, e := range events(t, d, org) {
				if e.Kind == effect {
					count[e.Subject]++
				}
			}
			for subject, n := range count {
				if n != 1 {
					t.Errorf("%s, %s: %d effects", org, subject, n)
				}
			}
			if len(count) != jobs+noteds {
				t.Errorf("%s: %d effects, want %d", org, len(count), jobs+noteds)
			}
			if _, err := journal.Verify(t.Context(), d, org); err != nil {
				t.Error(err)
			}
			for _, j := range read(t, d, func(tx *db.Tx) ([]journal.Job, error) { return journal.Jobs(t.Context(), tx, org, "", 10_000) }) {
				if j.Attempt > 1 {
					retried++
				}
			}
		}
		t.Logf("%d kills made %d jobs run again", kills, retried)
		if retried == 0 {
			t.Error("no kill hit a job: the test shows nothing")
		}
	})
}
