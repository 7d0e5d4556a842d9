// Package dbtest gives a test a real, migrated, empty database of each engine.
//
// PostgreSQL runs as a private cluster from the system's binaries, in a folder
// of its own and without a network port. Test processes of one user share it,
// and it ends by itself shortly after the last of them, however that ended.
package dbtest

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/entente-project/entente/internal/db"
)

// Each runs a subtest per engine, each on a fresh migrated database.
func Each(t *testing.T, f func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Helper()
		f(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Helper()
		f(t, Postgres(t))
	})
}

// EachConfig is [Each] for tests that open the database themselves, or more than once.
func EachConfig(t *testing.T, f func(t *testing.T, c db.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Helper()
		f(t, SQLiteConfig(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Helper()
		f(t, PostgresConfig(t))
	})
}

// SQLite opens a fresh migrated SQLite database, closed at the end of the test.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, SQLiteConfig(t))
}

// Postgres opens a fresh migrated PostgreSQL database, dropped at the end of the
// test. Without PostgreSQL on the machine the test is skipped, but fails where
// the environment says CI=true.
func Postgres(t testing.TB) *db.DB {
	t.Helper()
	return Open(t, PostgresConfig(t))
}

// Open opens a database and closes it at the end of the test.
func Open(t testing.TB, c db.Config) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return d
}

var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "entente-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	d, err := db.Open(context.Background(), db.Config{SQLite: path, NoSync: true})
	if err != nil {
		return nil, err
	}
	// The last connection to close folds the write-ahead log into the file.
	if err := d.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLiteConfig makes a fresh migrated SQLite file, not open yet.
func SQLiteConfig(t testing.TB) db.Config {
	t.Helper()
	content, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "entente.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return db.Config{SQLite: path, NoSync: true}
}

// PostgresConfig makes a fresh migrated PostgreSQL database, not open yet. It is
// dropped at the end of the test, whoever still uses it.
func PostgresConfig(t testing.TB) db.Config {
	t.Helper()
	return postgresConfig(t, migratedTemplate)
}

// EmptyPostgresConfig is [PostgresConfig] without a schema.
func EmptyPostgresConfig(t testing.TB) db.Config {
	t.Helper()
	return postgresConfig(t, emptyTemplate)
}

// Copy copies a database that nobody has open: a backup of it.
func Copy(t testing.TB, c db.Config) db.Config {
	t.Helper()
	if c.Postgres != "" {
		at, err := url.Parse(c.Postgres)
		if err != nil {
			t.Fatal(err)
		}
		return postgresConfig(t, strings.TrimPrefix(at.Path, "/"))
	}
	content, err := os.ReadFile(c.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	c.SQLite = filepath.Join(t.TempDir(), "entente.db")
	if err := os.WriteFile(c.SQLite, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func postgresConfig(t testing.TB, from string) db.Config {
	t.Helper()
	url, drop, err := newDatabase(context.Background(), from)
	if errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true" {
		t.Skipf("%v; install postgresql (15 or newer) to run this test", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return db.Config{Postgres: url}
}

// tail gives the end of a log.
func tail(path string, most int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return ""
		}
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	return string(b)
}
