package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"

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

// The lost update: a value is read, and written back one higher.
func TestNoIncrementIsLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		const workers, each = 40, 20
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					err := d.Write(ctx, "acme", func(tx *db.Tx) error {
						seq, err := headSeq(ctx, tx, "acme")
						if err != nil {
							return err
						}
						return setHead(ctx, tx, "acme", seq+1)
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		err := d.Read(ctx, func(tx *db.Tx) error {
			seq, err := headSeq(ctx, tx, "acme")
			if err != nil {
				return err
			}
			if seq != workers*each {
				t.Errorf("%d of %d increments are there", seq, workers*each)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
