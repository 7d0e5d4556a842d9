package notify

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

const hookColumns = "org, id, name, url, kinds, secret, former, former_until, state, why, person, by, created_at, failing_since, armed_at, since"

func scanHook(row db.Scanner) (h hook, err error) {
	var kinds string
	var former, created, failing, armed int64
	err = row.Scan(&h.Org, &h.ID, &h.Name, &h.URL, &kinds, &h.secret, &h.former, &former, &h.State, &h.Why, &h.Person, &h.By, &created, &failing, &armed, &h.since)
	if err != nil {
		return h, err
	}
	h.FormerUntil, h.Created, h.FailingSince, h.armed = db.Time(former), db.Time(created), db.Time(failing), db.Time(armed)
	return h, json.Unmarshal([]byte(kinds), &h.Kinds)
}

func (h hook) row() ([]any, error) {
	kinds, err := json.Marshal(h.Kinds)
	return []any{
		h.Org, h.ID, h.Name, h.URL, string(kinds), h.secret, h.former, db.Millis(h.FormerUntil), h.State, h.Why, h.Person, h.By,
		db.Millis(h.Created), db.Millis(h.FailingSince), db.Millis(h.armed), h.since,
	}, err
}

func hooksOf(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]hook, error) {
	return db.All(ctx, tx, scanHook, "SELECT "+hookColumns+" FROM notify_hook WHERE org = $1 ORDER BY name, id", org)
}

func countHooks(ctx context.Context, tx *db.Tx, org entente.OrgID) (int, error) {
	return db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM notify_hook WHERE org = $1", org)
}

// readHook gives nil where there is none.
func readHook(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (*hook, error) {
	h, err := db.One(ctx, tx, scanHook, "SELECT "+hookColumns+" FROM notify_hook WHERE org = $1 AND id = $2", org, id)
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	return &h, err
}

func mustHook(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (hook, error) {
	h, err := readHook(ctx, tx, org, id)
	if err != nil {
		return hook{}, err
	}
	if h == nil {
		return hook{}, entente.NotFound("there is no such webhook; it may have been removed")
	}
	return *h, nil
}

func insertHook(ctx context.Context, tx *db.Tx, h hook) error {
	row, err := h.row()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO notify_hook ("+hookColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)", row...)
	return err
}

func updateHook(ctx context.Context, tx *db.Tx, h hook) error {
	row, err := h.row()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE notify_hook SET name = $3, url = $4, kinds = $5, secret = $6, former = $7, former_until = $8, state = $9, why = $10,
		person = $11, by = $12, created_at = $13, failing_since = $14, armed_at = $15, since = $16 WHERE org = $1 AND id = $2`, row...)
	return err
}

func deleteHook(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) error {
	_, err := tx.Exec(ctx, "DELETE FROM notify_delivery WHERE org = $1 AND hook = $2", org, id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM notify_hook WHERE org = $1 AND id = $2", org, id)
	return err
}

const deliveryColumns = "id, hook, seq, kind, subject, state, attempts, due_at, created_at, tried_at, code, took, error"

func scanDelivery(row db.Scanner) (d Delivery, err error) {
	var due, created, tried, took int64
	err = row.Scan(&d.ID, &d.Hook, &d.Seq, &d.Kind, &d.Subject, &d.State, &d.Attempts, &due, &created, &tried, &d.Code, &took, &d.Error)
	d.Due, d.Created, d.Tried, d.Took = db.Time(due), db.Time(created), db.Time(tried), time.Duration(took)*time.Millisecond
	return d, err
}

func insertDelivery(ctx context.Context, tx *db.Tx, org entente.OrgID, d Delivery) error {
	_, err := tx.Exec(ctx, "INSERT INTO notify_delivery (org, "+deliveryColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
		org, d.ID, d.Hook, d.Seq, d.Kind, d.Subject, d.State, d.Attempts, db.Millis(d.Due), db.Millis(d.Created), db.Millis(d.Tried), d.Code, d.Took.Milliseconds(), d.Error)
	return err
}

// updateDelivery writes how an attempt went, unless another was quicker.
func updateDelivery(ctx context.Context, tx *db.Tx, org entente.OrgID, before, after Delivery) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE notify_delivery SET state = $3, attempts = $4, due_at = $5, tried_at = $6, code = $7, took = $8, error = $9
		WHERE org = $1 AND id = $2 AND state = $10 AND attempts = $11`,
		org, before.ID, after.State, after.Attempts, db.Millis(after.Due), db.Millis(after.Tried), after.Code, after.Took.Milliseconds(), after.Error, before.State, before.Attempts)
	return n > 0, err
}

func narrowed(q *db.Query, w Which) *db.Query {
	return q.AndIf(w.Hook != "", "hook = $1", w.Hook).AndIf(w.State != "", "state = $1", w.State).AndIf(w.Kind != "", "kind = $1", w.Kind).
		AndIf(!w.Since.IsZero(), "created_at >= $1", db.Millis(w.Since))
}

func deliveriesOf(ctx context.Context, tx *db.Tx, org entente.OrgID, w Which, offset, limit int) ([]Delivery, error) {
	return db.AllOf(ctx, tx, scanDelivery, narrowed(db.Select("SELECT "+deliveryColumns+" FROM notify_delivery WHERE org = $1", org), w).
		Order("created_at DESC, seq DESC, id").Page(limit, offset))
}

func countDeliveries(ctx context.Context, tx *db.Tx, org entente.OrgID, w Which) (int, error) {
	all, err := db.AllOf(ctx, tx, db.Value[int], narrowed(db.Select("SELECT count(*) FROM notify_delivery WHERE org = $1", org), w))
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[0], nil
}

func mustDelivery(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (Delivery, error) {
	d, err := db.One(ctx, tx, scanDelivery, "SELECT "+deliveryColumns+" FROM notify_delivery WHERE org = $1 AND id = $2", org, id)
	if errors.Is(err, db.ErrNoRow) {
		return d, entente.NotFound("there is no such delivery; those of more than 30 days ago are forgotten")
	}
	return d, err
}

func firstDue(ctx context.Context, tx *db.Tx, org entente.OrgID, hook string, now time.Time) (*Delivery, error) {
	d, err := db.One(ctx, tx, scanDelivery, "SELECT "+deliveryColumns+" FROM notify_delivery WHERE org = $1 AND hook = $2 AND state = 'waiting' AND due_at <= $3 ORDER BY due_at, seq LIMIT 1",
		org, hook, db.Millis(now))
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	return &d, err
}

// nextDue gives when the hook's next delivery is due; zero: none waits.
func nextDue(ctx context.Context, tx *db.Tx, org entente.OrgID, hook string) (time.Time, error) {
	at, err := db.One(ctx, tx, db.Value[int64], "SELECT coalesce(min(due_at), 0) FROM notify_delivery WHERE org = $1 AND hook = $2 AND state = 'waiting'", org, hook)
	return db.Time(at), err
}

// wakeDelivery makes a delivery due again, from its first attempt on.
func wakeDelivery(ctx context.Context, tx *db.Tx, org entente.OrgID, id string, now time.Time) (int64, error) {
	return tx.Exec(ctx, "UPDATE notify_delivery SET state = 'waiting', attempts = 0, due_at = $3 WHERE org = $1 AND id = $2", org, id, db.Millis(now))
}

func wakeFailed(ctx context.Context, tx *db.Tx, org entente.OrgID, hook string, since, now time.Time) (int, error) {
	n, err := tx.Exec(ctx, "UPDATE notify_delivery SET state = 'waiting', attempts = 0, due_at = $4 WHERE org = $1 AND hook = $2 AND state = 'failed' AND created_at >= $3",
		org, hook, db.Millis(since), db.Millis(now))
	return int(n), err
}

// tidyLog forgets what is old, and what is more than the log holds; never what waits.
func tidyLog(ctx context.Context, tx *db.Tx, org entente.OrgID, hook string, before time.Time) error {
	_, err := tx.Exec(ctx, "DELETE FROM notify_delivery WHERE org = $1 AND hook = $2 AND state <> 'waiting' AND created_at < $3", org, hook, db.Millis(before))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM notify_delivery WHERE org = $1 AND hook = $2 AND state <> 'waiting' AND created_at <
		(SELECT created_at FROM notify_delivery WHERE org = $1 AND hook = $2 ORDER BY created_at DESC LIMIT 1 OFFSET 10000)`, org, hook)
	return err
}
