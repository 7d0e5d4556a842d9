package chain

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// pack makes the form in which sheets, results and undo data are stored.
func pack(value any) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(value); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

func unpack(packed []byte, to any) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, to)
}

func clearSheets(ctx context.Context, tx *db.Tx, org entente.OrgID, now time.Time) error {
	_, err := tx.Exec(ctx, "DELETE FROM chain_import WHERE org = $1 AND state IN ('draft', 'failed') AND at < $2", org, db.Millis(now.Add(-keepDrafts)))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM chain_import WHERE org = $1 AND id IN (
		SELECT id FROM chain_import WHERE org = $1 AND state IN ('draft', 'failed') ORDER BY at DESC, id DESC LIMIT 1000 OFFSET $2)`, org, maxOpenSheets-1)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE chain_import SET undo = NULL, sheet = NULL
		WHERE org = $1 AND state IN ('done', 'undone') AND at < $2 AND (undo IS NOT NULL OR sheet IS NOT NULL)`, org, db.Millis(now.Add(-keepUndo)))
	return err
}

func insertSheet(ctx context.Context, tx *db.Tx, actor entente.Actor, i SheetImport, sheet []byte) (int64, error) {
	id, err := db.One(ctx, tx, db.Value[int64], "SELECT COALESCE(MAX(id), 0) + 1 FROM chain_import WHERE org = $1", actor.Org)
	if err != nil {
		return 0, err
	}
	options, err := json.Marshal(i.Options)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO chain_import
		(org, id, kind, file, state, rows, heading, options, counts, note, by_person, by_name, at, done_at, undone_at, undone_by, sheet)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{}', '', $9, $10, $11, 0, 0, '', $12)`,
		actor.Org, id, string(i.Kind), i.File, string(i.State), i.Rows, texts[string](i.Heading).column(), string(options),
		string(actor.Person), i.By, db.Millis(i.At), sheet)
	return id, err
}

func scanSheet(s db.Scanner) (SheetImport, error) {
	var i SheetImport
	var heading, options, counts string
	var at, done, undone, undo int64
	err := s.Scan(&i.ID, &i.Kind, &i.File, &i.State, &i.Rows, &i.Checked, &heading, &options, &counts, &i.Note, &i.By, &at, &done, &undone, &i.UndoneBy, &undo)
	if err != nil {
		return i, err
	}
	i.At, i.CanUndo = db.Time(at), i.State == SheetDone && undo == 1
	if done > 0 {
		i.Done = db.Time(done)
	}
	if undone > 0 {
		i.Undone = db.Time(undone)
	}
	i.Heading, err = textsOf[string](heading)
	if err != nil {
		return i, err
	}
	return i, errors.Join(json.Unmarshal([]byte(options), &i.Options), json.Unmarshal([]byte(counts), &i.Counts))
}

func selectSheet(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64) (SheetImport, error) {
	found, err := db.One(ctx, tx, scanSheet, `SELECT id, kind, file, state, rows, checked, heading, options, counts, note, by_name, at, done_at, undone_at, undone_by,
		CASE WHEN undo IS NULL THEN 0 ELSE 1 END FROM chain_import WHERE org = $1 AND id = $2`, org, id)
	if errors.Is(err, db.ErrNoRow) {
		return found, entente.NotFound("there is no import %d; an upload is thrown away after a day if it was not imported", id)
	}
	return found, err
}

func selectSheets(ctx context.Context, tx *db.Tx, org entente.OrgID, limit int) ([]SheetImport, error) {
	return db.All(ctx, tx, scanSheet, `SELECT id, kind, file, state, rows, checked, heading, options, counts, note, by_name, at, done_at, undone_at, undone_by,
		CASE WHEN undo IS NULL THEN 0 ELSE 1 END FROM chain_import WHERE org = $1 ORDER BY id DESC LIMIT $2`, org, limit)
}

// packedColumn is one of the packed columns.
type packedColumn int

const (
	columnSheet packedColumn = iota
	columnResult
	columnUndo
)

func unpackColumn(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64, column packedColumn, to any) error {
	var packed []byte
	var err error
	switch column {
	case columnSheet:
		packed, err = db.One(ctx, tx, db.Value[[]byte], "SELECT sheet FROM chain_import WHERE org = $1 AND id = $2", org, id)
	case columnResult:
		packed, err = db.One(ctx, tx, db.Value[[]byte], "SELECT result FROM chain_import WHERE org = $1 AND id = $2", org, id)
	case columnUndo:
		packed, err = db.One(ctx, tx, db.Value[[]byte], "SELECT undo FROM chain_import WHERE org = $1 AND id = $2", org, id)
	}
	if err != nil || packed == nil {
		return err
	}
	return unpack(packed, to)
}

func changedOne(n int64, err error, id int64) error {
	if err == nil && n == 0 {
		return entente.Conflict("import %d has been started, done or thrown away meanwhile; open it again", id)
	}
	return err
}

func updateSheetOptions(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64, opt SheetOptions) error {
	options, err := json.Marshal(opt)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, "UPDATE chain_import SET options = $3 WHERE org = $1 AND id = $2 AND state IN ('draft', 'failed')", org, id, string(options))
	return changedOne(n, err, id)
}

func deleteSheet(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64) error {
	n, err := tx.Exec(ctx, "DELETE FROM chain_import WHERE org = $1 AND id = $2 AND state IN ('draft', 'failed')", org, id)
	return changedOne(n, err, id)
}

func startSheet(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64) error {
	n, err := tx.Exec(ctx, "UPDATE chain_import SET state = 'waiting', checked = 0, note = '' WHERE org = $1 AND id = $2 AND state IN ('draft', 'failed')", org, id)
	return changedOne(n, err, id)
}

func updateChecked(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64, rows int) error {
	_, err := tx.Exec(ctx, "UPDATE chain_import SET checked = $3 WHERE org = $1 AND id = $2 AND state = 'waiting'", org, id, rows)
	return err
}

func failSheet(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64, why string) error {
	_, err := tx.Exec(ctx, "UPDATE chain_import SET state = 'failed', note = $3 WHERE org = $1 AND id = $2 AND state = 'waiting'", org, id, why)
	return err
}

func finishSheet(ctx context.Context, tx *db.Tx, org entente.OrgID, id int64, plan *SheetPlan, refused Sheet, undo []undoEntry) error {
	var packed [3][]byte
	for i, value := range []any{refused, plan.Rows, undo} {
		if i == 0 && len(refused.Rows) == 0 {
			continue
		}
		var err error
		packed[i], err = pack(value)
		if err != nil {
			return err
		}
	}
	counts, err := json.Marshal(plan.Counts)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE chain_import SET state = 'done', done_at = $3, counts = $4, sheet = $5, result = $6, undo = $7
		WHERE org = $1 AND id = $2 AND state = 'waiting'`, org, id, db.Millis(time.Now()), string(counts), packed[0], packed[1], packed[2])
	return changedOne(n, err, id)
}

func undoneSheet(ctx context.Context, tx *db.Tx, actor entente.Actor, id int64) error {
	n, err := tx.Exec(ctx, "UPDATE chain_import SET state = 'undone', undone_at = $3, undone_by = $4, undo = NULL WHERE org = $1 AND id = $2 AND state = 'done'",
		actor.Org, id, db.Millis(time.Now()), actor.Name)
	return changedOne(n, err, id)
}
