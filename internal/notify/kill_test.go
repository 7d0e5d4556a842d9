//go:build !windows

package notify

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
)

// A child is this test program again, as a node that delivers, with these variables set.
const (
	childSQLite   = "ENTENTE_TEST_SQLITE"
	childPostgres = "ENTENTE_TEST_POSTGRES"
	childOn       = "ENTENTE_TEST_DELIVERS"
)

func TestMain(m *testing.M) {
	if os.Getenv(childOn) == "" {
		os.Exit(m.Run())
	}
	if err := delivering(context.Background(), db.Config{SQLite: os.Getenv(childSQLite), Postgres: os.Getenv(childPostgres), NoSync: true}); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

// delivering runs the room on a database until it is killed.
func delivering(ctx context.Context, c db.Config) error {
	d, err := db.Open(ctx, c)
	if err != nil {
		return err
	}
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return err
	}
	people, err := identity.New(ctx, d, identity.Config{Key: key, Log: quiet})
	if err != nil {
		return err
	}
	s := New(d, people, Config{Key: key, Origin: "https://entente.example", AllowPrivate: true, Log: quiet})
	return runnerOf(d, s).Run(ctx)
}

func runnerOf(d *db.DB, s *Service) *journal.Runner {
	r := journal.NewRunner(d, quiet, s.Consumers(), s.Jobs())
	r.Poll, r.Lease = 50*time.Millisecond, 2*time.Second
	r.Backoff = func(int) time.Duration { return 100 * time.Millisecond }
	return r
}

// A node that is killed while it delivers, again and again, loses nothing: every
// event reaches the receiver, and what reaches it twice has the same webhook-id.
func TestKilledWhileDelivering(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		c.NoSync = true
		d, err := db.Open(t.Context(), c)
		ok(t, err)
		h := newHouse(t, d, Config{AllowPrivate: true})
		r := newReceiver(t)
		var busy atomic.Bool // the receiver holds a message, unanswered
		busy.Store(true)
		arrived := make(chan struct{}, 100)
		r.answer = func(w http.ResponseWriter, q *http.Request) {
			if busy.Load() {
				arrived <- struct{}{}
				<-q.Context().Done() // the sender was killed
				return
			}
			w.WriteHeader(http.StatusNoContent)
		}
		secret, _ := h.hook(r.URL, "sbom.recorded")
		const events = 5
		for i := range events {
			h.happen("sbom.recorded", fmt.Sprintf("product-%d", i))
		}
		ok(t, d.Close()) // one program at a time has a file of SQLite open
		for range 2 {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), childOn+"=1", childSQLite+"="+c.SQLite, childPostgres+"="+c.Postgres)
			child.Stderr = os.Stderr
			ok(t, child.Start())
			select {
			case <-arrived:
			case <-time.After(2 * time.Minute):
				t.Error("nothing was delivered")
			}
			ok(t, child.Process.Kill())
			_ = child.Wait() // killed
		}
		busy.Store(false)
		h.db = dbtest.Open(t, c)
		h.identity, err = identity.New(t.Context(), h.db, identity.Config{Key: h.c.Key, Log: quiet})
		ok(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- runnerOf(h.db, h.Service).Run(ctx) }()
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			_, n, err := h.Deliveries(t.Context(), h.owner, Which{State: Delivered}, 0, 1)
			ok(t, err)
			if n == events {
				break
			}
			if time.Since(began) > 2*time.Minute {
				t.Fatalf("%d of %d were delivered", n, events)
			}
		}
		stop()
		ok(t, <-ended)
		ids := map[string]string{}
		for _, one := range r.all() {
			ok(t, verified(secret, one))
			subject := one.message.Data.Subject
			if before := ids[subject]; before != "" && before != one.id {
				t.Errorf("%s came as %s and as %s", subject, before, one.id)
			}
			ids[subject] = one.id
		}
		if len(ids) != events || len(r.all()) < events+2 {
			t.Errorf("%d events in %d requests", len(ids), len(r.all()))
		}
	})
}
