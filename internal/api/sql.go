package api

import (
	"context"
	"errors"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// kept is a request that was made with an Idempotency-Key, and its answer once
// there is one.
type kept struct {
	request []byte // hash of who asked for what, without the body
	claim   string // who runs it
	done    bool
	body    []byte // hash of the body of the request
	status  int
	header  string // JSON
	answer  []byte
}

func scanKept(s db.Scanner) (kept, error) {
	var k kept
	var done int
	err := s.Scan(&k.request, &k.claim, &done, &k.body, &k.status, &k.header, &k.answer)
	k.done = done != 0
	return k, err
}

// claimKey takes a key for a request, or gives what is kept under it.
func claimKey(ctx context.Context, d *db.DB, org entente.OrgID, key string, k kept, now time.Time) (mine bool, found kept, err error) {
	err = d.Write(ctx, org, func(tx *db.Tx) error {
		mine, found = false, kept{}
		_, err := tx.Exec(ctx, `DELETE FROM api_idempotency WHERE org = $1 AND until <= $2`, string(org), db.Millis(now))
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO api_idempotency (org, key, request, claim, done, body, status, header, answer, until)
			VALUES ($1, $2, $3, $4, 0, NULL, 0, '', NULL, $5) ON CONFLICT (org, key) DO NOTHING`,
			string(org), key, k.request, k.claim, db.Millis(now.Add(claimLife)))
		if err != nil {
			return err
		}
		if n == 1 {
			mine = true
			return nil
		}
		found, err = db.One(ctx, tx, scanKept, `SELECT request, claim, done, body, status, header, answer
			FROM api_idempotency WHERE org = $1 AND key = $2`, string(org), key)
		return err
	})
	return mine, found, err
}

// keepAnswer stores the answer, if the claim still holds.
func keepAnswer(ctx context.Context, d *db.DB, org entente.OrgID, key string, k kept, now time.Time) error {
	return d.Write(ctx, org, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE api_idempotency SET done = 1, body = $4, status = $5, header = $6, answer = $7, until = $8
			WHERE org = $1 AND key = $2 AND claim = $3 AND done = 0`,
			string(org), key, k.claim, k.body, k.status, k.header, k.answer, db.Millis(now.Add(keptLife)))
		if err != nil {
			return err
		}
		if n == 0 {
			return errors.New("the key was taken over meanwhile")
		}
		return nil
	})
}

// dropKey gives a key free whose request left nothing worth repeating.
func dropKey(ctx context.Context, d *db.DB, org entente.OrgID, key, claim string) error {
	return d.Write(ctx, org, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM api_idempotency WHERE org = $1 AND key = $2 AND claim = $3 AND done = 0`, string(org), key, claim)
		return err
	})
}
