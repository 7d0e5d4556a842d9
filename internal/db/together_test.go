package db_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

func TestTogetherAsksInOrder(t *testing.T) {
	withItems(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Write(ctx, "acme", func(tx *db.Tx) error {
			_, err := tx.Insert(ctx, "INSERT INTO test_item (org, n, s, b) VALUES", "", items(1, 4))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		refusal := errors.New("refused")
		err = d.Read(ctx, func(tx *db.Tx) error {
			var got []int64
			var small bool
			each := func(s db.Scanner) error {
				var n int64
				err := s.Scan(&n)
				got = append(got, n)
				return err
			}
			err := db.Together(ctx, tx,
				db.Ask("SELECT n FROM test_item WHERE org = $1 ORDER BY n", each, "acme"),
				db.Ask("SELECT n FROM test_item WHERE org = $1 AND n > $2", each, "acme", 100),
				db.Ask("SELECT n FROM test_item WHERE org = $1 ORDER BY n DESC", each, "acme"),
				db.Ask("SELECT CASE WHEN n < 3 THEN 1 ELSE 0 END FROM test_item WHERE n = 2", func(s db.Scanner) error { return s.Scan(&small) }))
			if err != nil || !slices.Equal(got, []int64{1, 2, 3, 3, 2, 1}) || !small {
				t.Errorf("%v %v %v", got, small, err)
			}
			asked := false
			err = db.Together(ctx, tx,
				db.Ask("SELECT n FROM test_item ORDER BY n", func(db.Scanner) error { return refusal }),
				db.Ask("SELECT n FROM test_item ORDER BY n", func(db.Scanner) error { asked = true; return nil }))
			if !errors.Is(err, refusal) || asked {
				t.Errorf("a row was refused: %v, the next question was answered: %v", err, asked)
			}
			// A row that is refused is no failure of the transaction; a statement is.
			if n, err := db.One(ctx, tx, db.Value[int64], "SELECT COUNT(*) FROM test_item"); n != 3 || err != nil {
				t.Errorf("%d rows, %v", n, err)
			}
			err = db.Together(ctx, tx, db.Ask("SELECT 1", func(db.Scanner) error { return nil }), db.Ask("SELECT wrong", each))
			if err == nil {
				t.Error("a wrong question was answered")
			}
			return nil
		})
		if err == nil {
			t.Error("a failed statement was forgotten")
		}
	})
}

// On PostgreSQL a read takes one way there and back, and one that nobody waits for
// at its end.
func TestTogetherTakesOneWay(t *testing.T) {
	config := dbtest.PostgresConfig(t)
	var ways atomic.Int64
	d := dbtest.Open(t, db.Config{Postgres: dbtest.Counted(t, config.Postgres, &ways), MaxConns: 1})
	read := func() {
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			ask := db.Ask("SELECT COUNT(*) FROM journal_head WHERE org = $1", func(s db.Scanner) error {
				var n int64
				return s.Scan(&n)
			}, "acme")
			return db.Together(t.Context(), tx, ask, ask, ask)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	read() // which prepares the statements
	before := ways.Load()
	const reads = 10
	for range reads {
		read()
	}
	// The end of the first may be counted too.
	if n := ways.Load() - before; n > 2*reads+1 {
		t.Errorf("%d ways for %d reads", n, reads)
	}
}
