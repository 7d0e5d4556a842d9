package journal_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

// A slow transaction that commits after a quick one: a cursor over numbers from a
// sequence skips the slow one for ever, a cursor over the journal does not.
func TestSlowCommitIsNotSkipped(t *testing.T) {
	c := dbtest.PostgresConfig(t)
	ctx := t.Context()

	t.Run("a sequence skips it", func(t *testing.T) {
		slow, quick := connect(t, c.Postgres), connect(t, c.Postgres)
		run(t, slow, "CREATE TABLE naive (seq BIGSERIAL PRIMARY KEY, s TEXT)")
		run(t, slow, "BEGIN")
		run(t, slow, "INSERT INTO naive (s) VALUES ('slow')")
		run(t, quick, "INSERT INTO naive (s) VALUES ('quick')")
		var cursor int64
		var seen []string
		look := func() {
			rows, err := quick.Query(ctx, "SELECT seq, s FROM naive WHERE seq > $1 ORDER BY seq", cursor)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var s string
				if err := rows.Scan(&cursor, &s); err != nil {
					t.Fatal(err)
				}
				seen = append(seen, s)
			}
		}
		look()
		run(t, slow, "COMMIT")
		look()
		if !slices.Equal(seen, []string{"quick"}) {
			t.Errorf("the naive cursor saw %v; this test shows nothing any more", seen)
		}
	})

	t.Run("the journal does not", func(t *testing.T) {
		one, two := dbtest.Open(t, c), dbtest.Open(t, c) // two replicas
		reader := dbtest.Open(t, c)
		start(t, quick(reader, []journal.Consumer{marker("follows")}, nil))
		note(t, one, "acme", noted, "first")
		eventually(t, "the first is handled", func() bool { return len(marks(t, reader, "acme")) == 1 })

		appended, commit := make(chan struct{}), make(chan struct{})
		slowDone, quickDone := make(chan error, 1), make(chan error, 1)
		write := func(d *db.DB, org entente.OrgID, subject string, before func()) error {
			return d.Write(ctx, org, func(tx *db.Tx) error {
				err := journal.Append(ctx, tx, entente.System(org, entente.DoorWorker), noted, subject, nil)
				before()
				return err
			})
		}
		go func() {
			slowDone <- write(one, "acme", "slow", func() {
				close(appended)
				<-commit
			})
		}()
		<-appended
		go func() { quickDone <- write(two, "acme", "quick", func() {}) }()

		// Another organisation does not wait.
		octx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		err := two.Write(octx, "bolt", func(tx *db.Tx) error {
			return journal.Append(octx, tx, entente.System("bolt", entente.DoorWorker), noted, "elsewhere", nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-quickDone:
			t.Fatalf("the quick one was numbered before the slow one had committed: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		if got := marks(t, reader, "acme"); len(got) != 1 {
			t.Errorf("the reader saw what is not committed: %v", got)
		}
		close(commit)
		if err := <-slowDone; err != nil {
			t.Fatal(err)
		}
		if err := <-quickDone; err != nil {
			t.Fatal(err)
		}
		eventually(t, "both are handled", func() bool { return len(marks(t, reader, "acme")) == 3 })
		if got := marks(t, reader, "acme"); !slices.Equal(got, []string{"follows first", "follows slow", "follows quick"}) {
			t.Errorf("the reader saw %v", got)
		}
		if r, err := journal.Verify(ctx, reader, "acme"); err != nil || r.Events != 3 {
			t.Errorf("verify: %+v, %v", r, err)
		}
	})
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func run(t *testing.T, conn *pgx.Conn, q string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}
