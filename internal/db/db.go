package db

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/entente-project/entente"
)

// Engine names the database engine behind a [DB].
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Config says which database to open: exactly one of SQLite and Postgres is set.
type Config struct {
	// SQLite is the path of the database file; it is created if missing.
	SQLite string
	// Postgres is a postgres:// URL or a keyword DSN of libpq.
	Postgres string
	// NoSync lets SQLite answer before the disk has the data, so that a power
	// cut can lose acknowledged writes. For tests and benches only.
	NoSync bool
	// MaxConns bounds the connections to PostgreSQL for reading and, again, for
	// writing; 0 means 12 each.
	MaxConns int
}

// ErrNoRow is the error of [One] when the query finds nothing.
var ErrNoRow = errors.New("no such row")

// text is SQL. It is unexported so that only untyped constants convert to it:
// SQL made of variables does not compile outside this package.
type text string

// store is what differs between the engines.
type store interface {
	read(ctx context.Context, fn func(*Tx) error) error
	write(ctx context.Context, org entente.OrgID, node bool, fn func(*Tx) error) error
	insert(ctx context.Context, tx *Tx, insert, suffix text, rows iter.Seq[[]any]) (int64, error)
	close() error
}

// DB is an open database with the schema of this program.
type DB struct {
	engine Engine
	store  store
	name   string // for messages; holds no password

	mu      sync.Mutex
	watches map[int]func(entente.OrgID, News)
	watched int
	closed  bool
}

func newDB(engine Engine, s store, name string) *DB {
	return &DB{engine: engine, store: s, name: name, watches: map[int]func(entente.OrgID, News){}}
}

// Open opens the database, creates or upgrades its schema, and refuses a schema
// that is newer than this program, a PostgreSQL older than 15, and a SQLite file
// that another process uses.
func Open(ctx context.Context, c Config) (*DB, error) {
	switch {
	case c.SQLite != "" && c.Postgres != "":
		return nil, entente.Invalid("two databases are configured; set either a SQLite file or a PostgreSQL address")
	case c.SQLite != "":
		return openSQLite(ctx, c)
	case c.Postgres != "":
		return openPostgres(ctx, c)
	}
	return nil, entente.Invalid("no database is configured; set a SQLite file or a PostgreSQL address")
}

// Close waits for nothing: end all use first. It releases the SQLite file. To
// close again does nothing.
func (d *DB) Close() error {
	d.mu.Lock()
	closed := d.closed
	d.closed = true
	d.mu.Unlock()
	if closed {
		return nil
	}
	return d.store.close()
}

// Engine says which engine is behind d.
func (d *DB) Engine() Engine { return d.engine }

// Name says where the database is, without a password.
func (d *DB) Name() string { return d.name }

// Read runs fn on one consistent, read-only snapshot.
func (d *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	if err := outside("Read"); err != nil {
		return err
	}
	return d.store.read(ctx, fn)
}

// Write runs fn as the only writer of the organisation, also across replicas,
// and commits what it did if it returns nil. After a conflict fn runs again, so
// it must have no effect outside the transaction. An error or a panic of fn
// rolls back.
func (d *DB) Write(ctx context.Context, org entente.OrgID, fn func(*Tx) error) error {
	if org == "" {
		return errors.New("db: Write without an organisation; use WriteNode for node-wide tables")
	}
	return d.write(ctx, org, false, fn)
}

// WriteNode is [DB.Write] for node-wide tables: people, sessions, settings.
func (d *DB) WriteNode(ctx context.Context, fn func(*Tx) error) error {
	return d.write(ctx, "", true, fn)
}

func (d *DB) write(ctx context.Context, org entente.OrgID, node bool, fn func(*Tx) error) error {
	if err := outside("Write"); err != nil {
		return err
	}
	var news News
	err := d.store.write(ctx, org, node, func(tx *Tx) error {
		err := fn(tx)
		news = tx.news
		return err
	})
	if err == nil && news != 0 {
		d.announce(org, news)
	}
	return err
}

// outside refuses a transaction inside a transaction: a Write in a Write would wait
// for its own caller for ever, and so would, under load, any other nesting when
// all connections are taken by callers that wait for one more.
func outside(what string) error {
	if insideTx() {
		return fmt.Errorf("db: a %s was begun inside another transaction; pass the transaction down instead", what)
	}
	return nil
}

// Watch calls fn after every commit of this process that was announced with
// [Tx.Announce], until stop is called. It is a hint to look, never the truth:
// other replicas commit too. fn must be quick.
func (d *DB) Watch(fn func(entente.OrgID, News)) (stop func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := d.watched
	d.watched++
	d.watches[id] = fn
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watches, id)
	}
}

func (d *DB) announce(org entente.OrgID, news News) {
	d.mu.Lock()
	fns := make([]func(entente.OrgID, News), 0, len(d.watches))
	for _, fn := range d.watches {
		fns = append(fns, fn)
	}
	d.mu.Unlock()
	for _, fn := range fns {
		fn(org, news)
	}
}

// Millis is how times are stored: milliseconds since 1970, UTC; 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is the reverse of [Millis], in UTC.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// wrapf keeps the kind of err, if it has one, under a longer message.
func wrapf(err error, format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, err)...)
}
