package partner

import (
	"context"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
)

// recorded is all that people said of one organisation's suppliers.
type recorded struct {
	answers   map[chain.NodeID][]Answer
	overrides map[chain.NodeID]*Override
}

func readRecorded(ctx context.Context, tx *db.Tx, org entente.OrgID) (recorded, error) {
	out := recorded{answers: map[chain.NodeID][]Answer{}, overrides: map[chain.NodeID]*Override{}}
	err := db.Each(ctx, tx, `SELECT supplier, criterion, value, reason, by, at FROM partner_answer WHERE org = $1 ORDER BY supplier, criterion`,
		func(row db.Scanner) error {
			var supplier chain.NodeID
			var a Answer
			var at int64
			if err := row.Scan(&supplier, &a.Criterion, &a.Value, &a.Reason, &a.By, &at); err != nil {
				return err
			}
			a.At = db.Time(at)
			out.answers[supplier] = append(out.answers[supplier], a)
			return nil
		}, org)
	if err != nil {
		return recorded{}, err
	}
	err = db.Each(ctx, tx, `SELECT supplier, tier, reason, by, at, until FROM partner_override WHERE org = $1`,
		func(row db.Scanner) error {
			var supplier chain.NodeID
			var o Override
			var at, until int64
			if err := row.Scan(&supplier, &o.Tier, &o.Reason, &o.By, &at, &until); err != nil {
				return err
			}
			o.At, o.Until = db.Time(at), db.Time(until)
			out.overrides[supplier] = &o
			return nil
		}, org)
	return out, err
}

func putAnswer(ctx context.Context, tx *db.Tx, org entente.OrgID, supplier chain.NodeID, a Answer) error {
	_, err := tx.Exec(ctx, `INSERT INTO partner_answer (org, supplier, criterion, value, reason, by, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org, supplier, criterion) DO UPDATE SET value = excluded.value, reason = excluded.reason, by = excluded.by, at = excluded.at`,
		org, supplier, a.Criterion, a.Value, a.Reason, a.By, db.Millis(a.At))
	return err
}

func putOverride(ctx context.Context, tx *db.Tx, org entente.OrgID, supplier chain.NodeID, o Override) error {
	_, err := tx.Exec(ctx, `INSERT INTO partner_override (org, supplier, tier, reason, by, at, until) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org, supplier) DO UPDATE SET tier = excluded.tier, reason = excluded.reason, by = excluded.by, at = excluded.at, until = excluded.until`,
		org, supplier, o.Tier, o.Reason, o.By, db.Millis(o.At), db.Millis(o.Until))
	return err
}

func dropOverride(ctx context.Context, tx *db.Tx, org entente.OrgID, supplier chain.NodeID) (gone bool, err error) {
	n, err := tx.Exec(ctx, `DELETE FROM partner_override WHERE org = $1 AND supplier = $2`, org, supplier)
	return n > 0, err
}
