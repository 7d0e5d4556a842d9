package db

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/entente-project/entente"
)

// Migrations are written once, in SQLite's dialect with STRICT tables. For
// PostgreSQL the words for types and table options are replaced. Where that is
// not enough, a file of the same name in migrations/postgres takes the place of
// the shared one.
//
//go:embed migrations
var migrationFiles embed.FS

const versionTable = "goose_db_version"

// Migrations gives all migrations as one text, by which a test tells whether a
// prepared database fits this program.
func Migrations() ([]byte, error) {
	var all bytes.Buffer
	err := fs.WalkDir(migrationFiles, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := fs.ReadFile(migrationFiles, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&all, "%s\n%s\n", path, content)
		return nil
	})
	return all.Bytes(), err
}

// migrateUp brings the schema to this program's version, or says why it cannot.
func migrateUp(ctx context.Context, engine Engine, pool *sql.DB, name string) error {
	shared, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	return migrate(ctx, engine, pool, name, shared)
}

func migrate(ctx context.Context, engine Engine, pool *sql.DB, name string, files fs.FS) error {
	options := []goose.ProviderOption{
		goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
	}
	dialect := goose.DialectSQLite3
	if engine == Postgres {
		dialect = goose.DialectPostgres
		files = postgresFiles{files}
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, pool, files, options...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return entente.Invalid("the database %s has schema version %d, and this program knows versions up to %d; use the newer program that wrote it, or a backup from before", name, current, target)
	}
	if current == target {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema from version %d to %d: %w", current, target, err)
	}
	return nil
}

// postgresFiles shows migrations in PostgreSQL's dialect.
type postgresFiles struct{ fs.FS }

// Open implements fs.FS.
func (p postgresFiles) Open(name string) (fs.File, error) {
	if own, err := p.FS.Open("postgres/" + name); err == nil && name != "." {
		return own, nil
	}
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return f, nil
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(f); err != nil {
		return nil, err
	}
	text := forPostgres(raw.String())
	return &rewritten{File: f, Reader: bytes.NewReader([]byte(text)), size: int64(len(text))}, nil
}

// ReadDir implements fs.ReadDirFS.
func (p postgresFiles) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(p.FS, name) }

// rewritten is a file with other content.
type rewritten struct {
	fs.File
	*bytes.Reader
	size int64
}

// Read implements fs.File.
func (r *rewritten) Read(b []byte) (int, error) { return r.Reader.Read(b) }

// Stat implements fs.File.
func (r *rewritten) Stat() (fs.FileInfo, error) {
	info, err := r.File.Stat()
	return rewrittenInfo{info, r.size}, err
}

type rewrittenInfo struct {
	fs.FileInfo
	size int64
}

// Size implements fs.FileInfo.
func (i rewrittenInfo) Size() int64 { return i.size }

var (
	// dialectWord finds what to replace, and what to leave alone: quoted text and comments.
	dialectWord  = regexp.MustCompile(`(?s)'(?:[^']|'')*'|"[^"]*"|--[^\n]*|\b(?:INTEGER|BLOB|TEXT|REAL)\b`)
	tableOptions = regexp.MustCompile(`\)\s*(?:STRICT|WITHOUT\s+ROWID)(?:\s*,\s*(?:STRICT|WITHOUT\s+ROWID))*\s*;`)
	dialectWords = map[string]string{
		"INTEGER": "BIGINT",
		"BLOB":    "BYTEA",
		"TEXT":    `TEXT COLLATE "C"`,
		"REAL":    "DOUBLE PRECISION",
	}
)

// forPostgres rewrites a migration from SQLite's dialect.
func forPostgres(q string) string {
	q = dialectWord.ReplaceAllStringFunc(q, func(word string) string {
		if other, ok := dialectWords[word]; ok {
			return other
		}
		return word
	})
	return tableOptions.ReplaceAllString(q, ");")
}
