package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// Writers of several organisations that wait for one another share a transaction, and
// each finds its own committed when it is answered.
func TestWritersShareACommit(t *testing.T) {
	d := dbtest.SQLite(t)
	const writers, each = 8, 50
	var shared atomic.Int64
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			org := fmt.Sprintf("org-%d", w)
			for n := range int64(each) {
				err := d.Write(t.Context(), entente.OrgID(org), func(tx *db.Tx) error {
					if db.Before(tx) > 0 {
						shared.Add(1)
					}
					return setHead(t.Context(), tx, org, n+1)
				})
				if seq := seqOf(t, d, org); err != nil || seq != n+1 {
					t.Errorf("%s: after write %d the value is %d (%v)", org, n+1, seq, err)
					return
				}
			}
		})
	}
	all.Wait()
	if shared.Load() == 0 {
		t.Error("nobody shared a transaction")
	}
}

// Whatever becomes of one writer of a group, the others are saved, and only once.
func TestFaultOfOneSparesTheOthers(t *testing.T) {
	refusal := errors.New("refused")
	for name, fault := range map[string]func(ctx context.Context, cancel func(), tx *db.Tx) error{
		"error":  func(context.Context, func(), *db.Tx) error { return refusal },
		"panic":  func(context.Context, func(), *db.Tx) error { panic(refusal) },
		"cancel": func(ctx context.Context, cancel func(), tx *db.Tx) error { cancel(); return setHead(ctx, tx, "bad", 2) },
		"statement": func(ctx context.Context, _ func(), tx *db.Tx) error {
			_, _ = tx.Exec(ctx, "INSERT INTO journal_head (org) VALUES ('bad')") // and it is kept silent
			return nil
		},
		// As SQLite does by itself when it interrupts a statement or has no room.
		"lost": func(ctx context.Context, _ func(), tx *db.Tx) error {
			_, err := tx.Exec(ctx, "ROLLBACK")
			return errors.Join(err, refusal)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := dbtest.SQLite(t)
			for round := int64(1); ; round++ {
				if together(t, d, round, fault) {
					break
				}
				if round == 10_000 {
					t.Fatal("the two never met in a transaction")
				}
			}
			if err := increment(t.Context(), d, "bad"); err != nil {
				t.Error(err)
			}
			if seq := seqOf(t, d, "bad"); seq != 1 {
				t.Errorf("the value of who failed is %d", seq)
			}
		})
	}
}

// together lets a good writer write, and a bad one wait for it; it says whether the two
// met in one transaction.
func together(t *testing.T, d *db.DB, round int64, fault func(context.Context, func(), *db.Tx) error) (met bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun, ended := make(chan struct{}), make(chan error, 1)
	begin := sync.OnceFunc(func() { close(begun) })
	go func() {
		ended <- d.Write(t.Context(), "good", func(tx *db.Tx) error {
			begin()
			seq, err := headSeq(t.Context(), tx, "good")
			if err != nil {
				return err
			}
			return setHead(t.Context(), tx, "good", seq+1)
		})
	}()
	<-begun
	var err error
	func() {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		err = d.Write(ctx, "bad", func(tx *db.Tx) error {
			met = db.Before(tx) > 0
			if err := setHead(ctx, tx, "bad", 1); err != nil {
				return err
			}
			return fault(ctx, cancel, tx)
		})
	}()
	if err == nil {
		t.Error("the bad writer was told that all is well")
	}
	if err := <-ended; err != nil {
		t.Errorf("the good writer: %v", err)
	}
	if seq := seqOf(t, d, "good"); seq != round {
		t.Fatalf("after %d writes the value is %d", round, seq)
	}
	return met
}

// A writer sees nothing of its organisation, or of the node, that is not committed.
func TestNobodySeesWhatIsNotCommitted(t *testing.T) {
	d := dbtest.SQLite(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				err := d.Write(t.Context(), "acme", func(tx *db.Tx) error {
					if n := db.Before(tx); n > 1 {
						return fmt.Errorf("%d others before", n)
					}
					seq, err := headSeq(t.Context(), tx, "acme")
					if err != nil {
						return err
					}
					return setHead(t.Context(), tx, "acme", seq+1)
				})
				if err == nil {
					err = d.WriteNode(t.Context(), func(tx *db.Tx) error {
						if n := db.Before(tx); n > 0 {
							return fmt.Errorf("%d others before", n)
						}
						return nil
					})
				}
				if err == nil {
					err = increment(t.Context(), d, "bolt")
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if a, b := seqOf(t, d, "acme"), seqOf(t, d, "bolt"); a != 200 || b != 200 {
		t.Errorf("%d and %d of 200 increments", a, b)
	}
}

// What was kept in memory of a transaction is taken back if it is not committed, before
// anybody else of the organisation begins.
func TestUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		kept, refusal := int64(0), errors.New("refused")
		for name, end := range map[string]func() error{
			"saved":   func() error { return nil },
			"refused": func() error { return refusal },
			"panic":   func() error { panic(refusal) },
		} {
			func() {
				defer func() { _ = recover() }()
				_ = d.Write(t.Context(), "acme", func(tx *db.Tx) error {
					seq, err := headSeq(t.Context(), tx, "acme")
					if err != nil || kept != seq {
						t.Errorf("before %q: %d is kept of %d (%v)", name, kept, seq, err)
					}
					kept = seq + 1
					tx.Undone(func() { kept = seq })
					if err := setHead(t.Context(), tx, "acme", seq+1); err != nil {
						return err
					}
					return end()
				})
			}()
		}
		if seq := seqOf(t, d, "acme"); seq != 1 || kept != 1 {
			t.Errorf("%d is kept of %d", kept, seq)
		}
	})
}

// The same, if it was lost by the fault of another writer.
func TestUndoneWithAnother(t *testing.T) {
	d := dbtest.SQLite(t)
	for round := 0; ; round++ {
		var undone atomic.Int64
		begun, ended := make(chan struct{}), make(chan error, 1)
		begin := sync.OnceFunc(func() { close(begun) })
		runs := 0
		go func() {
			ended <- d.Write(t.Context(), "good", func(tx *db.Tx) error {
				begin()
				runs++
				tx.Undone(func() { undone.Add(1) })
				return nil
			})
		}()
		<-begun
		err := d.Write(t.Context(), "bad", func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "ROLLBACK")
			return errors.Join(err, errors.New("refused"))
		})
		if good := <-ended; err == nil || good != nil {
			t.Fatal(err, good)
		}
		if int(undone.Load()) != runs-1 {
			t.Fatalf("%d runs, %d undone", runs, undone.Load())
		}
		if runs == 2 {
			return
		}
		if round == 10_000 {
			t.Fatal("the two never met in a transaction")
		}
	}
}
