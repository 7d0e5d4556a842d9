package db

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// ForPostgres is forPostgres for tests.
var ForPostgres = forPostgres

// PostgresFiles is postgresFiles for tests.
func PostgresFiles(files fs.FS) fs.FS { return postgresFiles{files} }

// MakeTable runs a CREATE in the dialect of migrations.
func MakeTable(ctx context.Context, d *DB, create string) error {
	if d.engine == Postgres {
		create = forPostgres(create)
	}
	return Run(ctx, d, create)
}

// Run runs a statement that is not a constant.
func Run(ctx context.Context, d *DB, q string, args ...any) error {
	return d.WriteNode(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, text(q), args...)
		return err
	})
}

// RunMigration runs the statements of a migration that begin with a word once more.
func RunMigration(ctx context.Context, d *DB, name, word string) error {
	content, err := fs.ReadFile(migrationFiles, "migrations/"+name)
	if err != nil {
		return err
	}
	for _, q := range strings.Split(string(content), ";") {
		if q = strings.TrimSpace(q); strings.HasPrefix(q, word) {
			err = errors.Join(err, Run(ctx, d, q))
		}
	}
	return err
}

// Before says how many others have had their turn in the transaction of a Write on SQLite.
func Before(tx *Tx) int { return len(tx.store.(*sqliteStore).group.done) }
