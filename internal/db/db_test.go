package db_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

func headSeq(ctx context.Context, tx *db.Tx, org string) (int64, error) {
	seq, err := db.One(ctx, tx, db.Value[int64], "SELECT seq FROM journal_head WHERE org = $1", org)
	if errors.Is(err, db.ErrNoRow) {
		return 0, nil
	}
	return seq, err
}

func setHead(ctx context.Context, tx *db.Tx, org string, seq int64) error {
	_, err := tx.Exec(ctx, "INSERT INTO journal_head (org, seq, hash, job) VALUES ($1, $2, $3, 0) ON CONFLICT (org) DO UPDATE SET seq = excluded.seq",
		org, seq, []byte{1})
	return err
}

func increment(ctx context.Context, d *db.DB, org entente.OrgID) error {
	return d.Write(ctx, org, func(tx *db.Tx) error {
		seq, err := headSeq(ctx, tx, string(org))
		if err != nil {
			return err
		}
		return setHead(ctx, tx, string(org), seq+1)
	})
}

func seqOf(t *testing.T, d *db.DB, org string) int64 {
	t.Helper()
	var seq int64
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		var err error
		seq, err = headSeq(t.Context(), tx, org)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// The lost update: a value is read, and written back one higher.
func TestNoIncrementIsLost(t *testing.T) {
	const workers, each = 40, 20
	count := func(t *testing.T, handles ...*db.DB) {
		var wg sync.WaitGroup
		for i := range workers {
			wg.Go(func() {
				for range each {
					if err := increment(t.Context(), handles[i%len(handles)], "acme"); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if seq := seqOf(t, handles[0], "acme"); seq != workers*each {
			t.Errorf("%d of %d increments are there", seq, workers*each)
		}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) { count(t, d) })
	t.Run("three replicas", func(t *testing.T) {
		c := dbtest.PostgresConfig(t)
		count(t, dbtest.Open(t, c), dbtest.Open(t, c), dbtest.Open(t, c))
	})
}

// Organisations with rows on the same pages write at once: none loses anything.
func TestManyOrganisationsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const orgs, each = 24, 15
		var wg sync.WaitGroup
		for i := range orgs {
			wg.Go(func() {
				for range each {
					if err := increment(t.Context(), d, entente.OrgID(fmt.Sprintf("org-%d", i))); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		for i := range orgs {
			if seq := seqOf(t, d, fmt.Sprintf("org-%d", i)); seq != each {
				t.Errorf("organisation %d: %d of %d", i, seq, each)
			}
		}
	})
}

// A long transaction ends at the first attempt, though other organisations write
// rows on the same pages all the time.
func TestLongWriteIsNotStarved(t *testing.T) {
	d := dbtest.Postgres(t)
	if err := db.MakeTable(t.Context(), d, itemTable); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := increment(t.Context(), d, entente.OrgID(fmt.Sprintf("org-%d", i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	attempts := 0
	err := d.Write(t.Context(), "big", func(tx *db.Tx) error {
		attempts++
		seq, err := headSeq(t.Context(), tx, "big")
		if err != nil {
			return err
		}
		_, err = tx.Insert(t.Context(), "INSERT INTO test_item (org, n, s, b) VALUES", "", items(0, 20_000))
		if err != nil {
			return err
		}
		return setHead(t.Context(), tx, "big", seq+1)
	})
	cancel()
	wg.Wait()
	if err != nil || attempts != 1 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// A conflict over one row is repeated, and nothing of it is lost: here the node's
// writer and an organisation's meet at a row, which rooms do not do.
func TestConflictIsRepeated(t *testing.T) {
	d := dbtest.Postgres(t)
	if err := increment(t.Context(), d, "acme"); err != nil {
		t.Fatal(err)
	}
	attempts := 0
	err := d.WriteNode(t.Context(), func(tx *db.Tx) error {
		attempts++
		seq, err := headSeq(t.Context(), tx, "acme")
		if err != nil {
			return err
		}
		if attempts < 4 {
			done := make(chan error, 1)
			go func() { done <- increment(t.Context(), d, "acme") }()
			if err := <-done; err != nil {
				return err
			}
		}
		if err := setHead(t.Context(), tx, "acme", seq+1); err != nil {
			return fmt.Errorf("a room's own words: %w", err)
		}
		return nil
	})
	if err != nil || attempts != 4 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
	if seq := seqOf(t, d, "acme"); seq != 5 {
		t.Errorf("the value is %d, want 5", seq)
	}
}

// A read sees one state, whatever is committed meanwhile, and the next read sees
// what was committed before it began.
func TestReadIsOneSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := increment(ctx, d, "acme"); err != nil {
			t.Fatal(err)
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			before, err := headSeq(ctx, tx, "acme")
			if err != nil {
				return err
			}
			meanwhile := make(chan error, 1)
			go func() { meanwhile <- increment(ctx, d, "acme") }()
			if err := <-meanwhile; err != nil {
				return err
			}
			after, err := headSeq(ctx, tx, "acme")
			if err != nil {
				return err
			}
			if before != 1 || after != 1 {
				t.Errorf("the read saw %d, then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if seq := seqOf(t, d, "acme"); seq != 2 {
			t.Errorf("the next read saw %d", seq)
		}
	})
}

func TestFailureRollsBack(t *testing.T) {
	errFn := errors.New("no")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Write(ctx, "acme", func(tx *db.Tx) error {
			if err := setHead(ctx, tx, "acme", 7); err != nil {
				return err
			}
			return errFn
		})
		if !errors.Is(err, errFn) {
			t.Errorf("the error is %v", err)
		}
		func() {
			defer func() {
				if p := recover(); p != "boom" {
					t.Errorf("the panic is %v", p)
				}
			}()
			_ = d.Write(ctx, "acme", func(tx *db.Tx) error {
				if err := setHead(ctx, tx, "acme", 8); err != nil {
					return err
				}
				panic("boom")
			})
		}()
		// A failed statement ends the transaction, also if its error is dropped.
		err = d.Write(ctx, "acme", func(tx *db.Tx) error {
			if err := setHead(ctx, tx, "acme", 9); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO no_such_table (a) VALUES ($1)", 1); err == nil {
				t.Error("a wrong statement was taken")
			}
			if err := setHead(ctx, tx, "acme", 10); err == nil {
				t.Error("a statement ran after a failed one")
			}
			return nil
		})
		if err == nil {
			t.Error("the failure of a statement was lost")
		}
		if seq := seqOf(t, d, "acme"); seq != 0 {
			t.Errorf("%d was kept", seq)
		}
		if err := increment(ctx, d, "acme"); err != nil {
			t.Errorf("the next write: %v", err)
		}
	})
}

// An error of a room keeps its meaning, also if it looks like one of a network.
func TestErrorsOfRoomsStay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, want := range []error{io.ErrUnexpectedEOF, io.EOF, entente.Invalid("line 3"), driver.ErrBadConn} {
			attempts := 0
			err := d.Write(t.Context(), "acme", func(*db.Tx) error {
				attempts++
				return want
			})
			if err != want || attempts != 1 {
				t.Errorf("%v became %v after %d attempts", want, err, attempts)
			}
			if err := d.Read(t.Context(), func(*db.Tx) error { return want }); err != want {
				t.Errorf("%v became %v", want, err)
			}
		}
	})
}

func TestIsDuplicate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		add := func(org any) error {
			return d.Write(t.Context(), "acme", func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), "INSERT INTO journal_head (org, seq, hash, job) VALUES ($1, 1, $2, 0)", org, []byte{})
				return err
			})
		}
		if err := add("acme"); err != nil {
			t.Fatal(err)
		}
		if err := add("acme"); !db.IsDuplicate(err) {
			t.Errorf("a second row with one key: %v", err)
		}
		if err := add(nil); err == nil || db.IsDuplicate(err) {
			t.Errorf("a missing value: %v", err)
		}
	})
}

func TestMisuseIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		var kept *db.Tx
		err := d.Write(ctx, "acme", func(tx *db.Tx) error {
			kept = tx
			if err := increment(ctx, d, "bolt"); err == nil || !strings.Contains(err.Error(), "inside another transaction") {
				t.Errorf("a Write inside a Write: %v", err)
			}
			if err := d.Read(ctx, func(*db.Tx) error { return nil }); err == nil {
				t.Error("a Read inside a Write was taken")
			}
			if err := d.WriteNode(ctx, func(*db.Tx) error { return nil }); err == nil {
				t.Error("a WriteNode inside a Write was taken")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := setHead(ctx, kept, "acme", 1); err == nil {
			t.Error("a transaction was used after its end")
		}
		if err := d.Write(ctx, "", func(*db.Tx) error { return nil }); err == nil {
			t.Error("a Write without an organisation was taken")
		}
		if err := d.Read(ctx, func(tx *db.Tx) error { return setHead(ctx, tx, "acme", 1) }); err == nil {
			t.Error("a Read has written")
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			return db.Each(ctx, tx, "SELECT 1", func(db.Scanner) error {
				_, err := headSeq(ctx, tx, "acme")
				return err
			})
		})
		if err == nil {
			t.Error("a transaction was used within Each")
		}
		for name, arg := range map[string]any{"NUL": "a\x00b", "UTF-8": "\xff", "time": time.Now(), "struct": struct{}{}} {
			err := d.Write(ctx, "acme", func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, "UPDATE journal_cursor SET error = $1", arg)
				return err
			})
			if err == nil {
				t.Errorf("an argument with a fault (%s) was taken", name)
			}
			if _, text := arg.(string); text != (entente.KindOf(err) == entente.KindInvalid) {
				t.Errorf("a fault of an argument (%s) is of kind %v", name, entente.KindOf(err))
			}
		}
	})
}

// A writer that gives up leaves neither lock nor connection behind.
func TestCancelFreesTheOrganisation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		hold := make(chan struct{})
		held := make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- d.Write(t.Context(), "acme", func(tx *db.Tx) error {
				close(held)
				<-hold
				return setHead(t.Context(), tx, "acme", 1)
			})
		}()
		<-held
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		for range 5 {
			if err := increment(ctx, d, "acme"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the waiting writer says %v", err)
			}
		}
		close(hold)
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		// Cancelled in the middle of its work.
		cctx, ccancel := context.WithCancel(t.Context())
		err := d.Write(cctx, "acme", func(tx *db.Tx) error {
			if err := setHead(cctx, tx, "acme", 99); err != nil {
				return err
			}
			ccancel()
			_, err := headSeq(cctx, tx, "acme")
			return err
		})
		if err == nil {
			t.Error("a cancelled write was kept")
		}
		if err := increment(t.Context(), d, "acme"); err != nil {
			t.Fatal(err)
		}
		if seq := seqOf(t, d, "acme"); seq != 2 {
			t.Errorf("the value is %d, want 2", seq)
		}
	})
}

// On PostgreSQL a waiting writer must not keep readers or other organisations.
func TestOrganisationsDoNotWait(t *testing.T) {
	c := dbtest.PostgresConfig(t)
	c.MaxConns = 3
	d, replica := dbtest.Open(t, c), dbtest.Open(t, c)
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := replica.Write(t.Context(), "slow", func(*db.Tx) error {
			close(held)
			<-hold
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	for range 20 {
		wg.Go(func() {
			if err := increment(t.Context(), d, "slow"); err != nil {
				t.Error(err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 10 {
		if err := increment(ctx, d, "quick"); err != nil {
			t.Fatal(err)
		}
		if seqOf(t, d, "slow") != 0 {
			t.Error("the slow organisation has written")
		}
	}
	close(hold)
	wg.Wait()
	if seq := seqOf(t, d, "slow"); seq != 20 {
		t.Errorf("the slow organisation has %d, want 20", seq)
	}
}

// A connection that breaks is told as such, and the next write works.
func TestLostConnection(t *testing.T) {
	d := dbtest.Postgres(t)
	err := d.Write(t.Context(), "acme", func(tx *db.Tx) error {
		if err := setHead(t.Context(), tx, "acme", 5); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())")
		return err
	})
	if entente.KindOf(err) != entente.KindUnavailable {
		t.Errorf("the error is %v, of kind %s", err, entente.KindOf(err))
	}
	if err := increment(t.Context(), d, "acme"); err != nil {
		t.Fatal(err)
	}
	if seq := seqOf(t, d, "acme"); seq != 1 {
		t.Errorf("the value is %d", seq)
	}
	_, err = db.Open(t.Context(), db.Config{Postgres: "postgres:///x?host=" + t.TempDir()})
	if entente.KindOf(err) != entente.KindUnavailable || !strings.Contains(err.Error(), "database x on ") {
		t.Errorf("a server that is not there: %v, of kind %s", err, entente.KindOf(err))
	}
}

func TestSecondProcessOnOneFileIsRefused(t *testing.T) {
	c := dbtest.SQLiteConfig(t)
	d := dbtest.Open(t, c)
	_, err := db.Open(t.Context(), c)
	if entente.KindOf(err) != entente.KindConflict || !strings.Contains(err.Error(), "another Entente process (pid ") {
		t.Fatalf("the second open says %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := db.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config db.Config
		kind   entente.Kind
	}{
		"nothing":     {db.Config{}, entente.KindInvalid},
		"both":        {db.Config{SQLite: "a", Postgres: "postgres://b"}, entente.KindInvalid},
		"bad address": {db.Config{Postgres: "postgres://u:secret@h:notaport/x"}, entente.KindInvalid},
		"junk":        {db.Config{SQLite: junk}, entente.KindInvalid},
		"no folder":   {db.Config{SQLite: filepath.Join(dir, "no", "such.db")}, entente.KindInvalid},
	} {
		_, err := db.Open(t.Context(), c.config)
		if entente.KindOf(err) != c.kind {
			t.Errorf("%s: %v, of kind %s", name, err, entente.KindOf(err))
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the message shows the password: %v", name, err)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		d, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Run(t.Context(), d, "INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, (1 = 1))", 4711)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = db.Open(t.Context(), c)
		if entente.KindOf(err) != entente.KindInvalid || !strings.Contains(err.Error(), "version 4711") || !strings.Contains(err.Error(), "up to ") {
			t.Errorf("the open says %v", err)
		}
	})
}

// Replicas that start at once on an empty database migrate it once.
func TestConcurrentFirstStarts(t *testing.T) {
	c := dbtest.EmptyPostgresConfig(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			d, err := db.Open(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			if err := increment(t.Context(), d, "acme"); err != nil {
				t.Error(err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestWatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var heard []string
		stop := d.Watch(func(org entente.OrgID, news db.News) { heard = append(heard, fmt.Sprint(org, news)) })
		write := func(org entente.OrgID, announce bool, end error) {
			err := d.Write(t.Context(), org, func(tx *db.Tx) error {
				if announce {
					tx.Announce(db.DueJobs)
				}
				return end
			})
			if !errors.Is(err, end) {
				t.Error(err)
			}
		}
		write("quiet", false, nil)
		write("failed", true, errors.New("no"))
		write("acme", true, nil)
		stop()
		write("late", true, nil)
		if len(heard) != 1 || heard[0] != fmt.Sprint("acme", db.DueJobs) {
			t.Errorf("heard %v", heard)
		}
	})
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		d, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := increment(t.Context(), d, "acme"); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	})
	goleak.VerifyNone(t, before)
}

func TestForPostgres(t *testing.T) {
	in := "-- INTEGER stays in a comment\nCREATE TABLE a (\n n INTEGER NOT NULL, s TEXT DEFAULT 'TEXT', b BLOB, r REAL\n) STRICT, WITHOUT ROWID;\nCREATE TABLE c (x TEXT) STRICT;\nCREATE INDEX i ON a (n);\n"
	want := "-- INTEGER stays in a comment\nCREATE TABLE a (\n n BIGINT NOT NULL, s TEXT COLLATE \"C\" DEFAULT 'TEXT', b BYTEA, r DOUBLE PRECISION\n);\nCREATE TABLE c (x TEXT COLLATE \"C\");\nCREATE INDEX i ON a (n);\n"
	if got := db.ForPostgres(in); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A file in migrations/postgres takes the place of the shared one.
func TestPostgresOwnMigration(t *testing.T) {
	files := db.PostgresFiles(fstest.MapFS{
		"0001_a.sql":          {Data: []byte("INTEGER")},
		"0002_b.sql":          {Data: []byte("INTEGER")},
		"postgres/0002_b.sql": {Data: []byte("own INTEGER")},
	})
	for name, want := range map[string]string{"0001_a.sql": "BIGINT", "0002_b.sql": "own INTEGER"} {
		got, err := fs.ReadFile(files, name)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
