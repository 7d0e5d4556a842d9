package db

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteReaders is how many reads run at once on SQLite.
const sqliteReaders = 4

// sqliteStore keeps one connection for writing and a few for reading. They stay
// open, so that their prepared statements do.
type sqliteStore struct {
	pool    *sql.DB // the write connection
	reads   *sql.DB
	writer  chan *sqliteConn
	group   *group // that is open; belongs to who holds the writer
	readers chan *sqliteConn
	lock    *fileLock
}

func openSQLite(ctx context.Context, c Config) (_ *DB, err error) {
	path, err := filepath.Abs(c.SQLite)
	if err != nil {
		return nil, wrapf(err, "database %s", c.SQLite)
	}
	s := &sqliteStore{writer: make(chan *sqliteConn, 1), readers: make(chan *sqliteConn, sqliteReaders)}
	defer func() {
		if err != nil {
			err = errors.Join(opening(path, err), s.close())
		}
	}()
	s.lock, err = lockFile(path)
	if err != nil {
		return nil, err
	}
	s.pool, err = sql.Open("sqlite", sqliteDSN(path, c.NoSync, false))
	if err != nil {
		return nil, err
	}
	s.pool.SetMaxOpenConns(1)
	if err := migrateUp(ctx, SQLite, s.pool, path); err != nil {
		return nil, err
	}
	s.reads, err = sql.Open("sqlite", sqliteDSN(path, c.NoSync, true))
	if err != nil {
		return nil, err
	}
	w, err := s.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s.writer <- &sqliteConn{c: w, stmts: map[string]*sql.Stmt{}, writes: true}
	for range sqliteReaders {
		r, err := s.reads.Conn(ctx)
		if err != nil {
			return nil, err
		}
		s.readers <- &sqliteConn{c: r, stmts: map[string]*sql.Stmt{}}
	}
	return newDB(SQLite, s, path), nil
}

// sqliteDSN puts every setting into the name, because a PRAGMA by Exec reaches
// one connection of a pool only.
func sqliteDSN(path string, noSync, readOnly bool) string {
	sync := "FULL"
	if noSync {
		sync = "OFF"
	}
	v := url.Values{}
	for _, p := range []string{
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(" + sync + ")",
		"foreign_keys(1)",
		"trusted_schema(0)",
		"temp_store(MEMORY)",
		"cache_size(-16384)",
	} {
		v.Add("_pragma", p)
	}
	if readOnly {
		v.Add("_pragma", "query_only(1)")
	}
	v.Set("_txlock", "immediate")
	// As a URI path, so that a file name may hold '?' and '%'.
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: v.Encode()}
	return u.String()
}

func (s *sqliteStore) close() error {
	var errs []error
	for _, idle := range []chan *sqliteConn{s.readers, s.writer} {
		for len(idle) > 0 {
			c := <-idle
			errs = append(errs, c.close())
		}
	}
	for _, p := range []*sql.DB{s.reads, s.pool} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.release())
	}
	return errors.Join(errs...)
}

// read runs fn on an idle connection for reading.
func (s *sqliteStore) read(ctx context.Context, fn func(*Tx) error) (err error) {
	var c *sqliteConn
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.readers <- c }()
	if err := c.begin(ctx, "BEGIN"); err != nil {
		return err
	}
	tx := &Tx{store: s, conn: c}
	defer func() {
		tx.over = true
		err = andRollback(err, c.rollback(context.WithoutCancel(ctx)))
	}()
	return tx.run(fn)
}

func (s *sqliteStore) insert(ctx context.Context, tx *Tx, insert, suffix text, rows iter.Seq[[]any]) (int64, error) {
	return insertValues(ctx, tx, string(insert), string(suffix), rows)
}
