package db

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/entente-project/entente"
)

const (
	oldestPostgres = 15
	// maxAttempts bounds the repetitions of a transaction after conflicts.
	maxAttempts  = 24
	firstBackoff = 2 * time.Millisecond
	mostBackoff  = 400 * time.Millisecond
	// cleanUp is how long a rollback or unlock may take after the caller's
	// context has ended; after that the connection is given up.
	cleanUp = 5 * time.Second
)

// postgresStore keeps two pools, so that a read never waits for writers that
// wait for one another.
type postgresStore struct {
	writes *pgxpool.Pool
	reads  *pgxpool.Pool

	mu    sync.Mutex
	turns map[string]*turn
	types map[string]map[string]string // of the columns of tables; filled when needed
}

// turn is the place where the writers of one organisation in this process wait,
// so that only one of them holds a connection.
type turn struct {
	free  chan struct{}
	users int
}

func openPostgres(ctx context.Context, c Config) (_ *DB, err error) {
	cfg, err := pgxpool.ParseConfig(c.Postgres)
	if err != nil {
		// The error of pgx repeats the address with the password masked.
		return nil, entente.Invalid("the address of the database cannot be read: %s", err.Error()).Because(err)
	}
	name := fmt.Sprintf("%s on %s:%d", cfg.ConnConfig.Database, cfg.ConnConfig.Host, cfg.ConnConfig.Port)
	for key, value := range map[string]string{
		"application_name": "entente",
		// A replica that died must not keep an organisation locked.
		"client_connection_check_interval": "5s",
		"tcp_keepalives_idle":              "20",
		"tcp_keepalives_interval":          "5",
		"tcp_keepalives_count":             "3",
	} {
		if _, set := cfg.ConnConfig.RuntimeParams[key]; !set {
			cfg.ConnConfig.RuntimeParams[key] = value
		}
	}
	cfg.MaxConns = 12
	if c.MaxConns > 0 {
		cfg.MaxConns = int32(c.MaxConns)
	}
	cfg.MaxConnIdleTime = 5 * time.Minute
	s := &postgresStore{turns: map[string]*turn{}, types: map[string]map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(opening(name, err), s.close())
		}
	}()
	for _, p := range []**pgxpool.Pool{&s.writes, &s.reads} {
		*p, err = pgxpool.NewWithConfig(ctx, cfg)
		if err != nil {
			return nil, err
		}
	}
	var version int
	if err := s.reads.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&version); err != nil {
		return nil, err
	}
	if version < oldestPostgres {
		return nil, entente.Invalid("the database %s is PostgreSQL %d; Entente needs %d or newer", name, version, oldestPostgres)
	}
	pool := stdlib.OpenDBFromPool(s.writes)
	if err := errors.Join(migrateUp(ctx, Postgres, pool, name), pool.Close()); err != nil {
		return nil, err
	}
	return newDB(Postgres, s, name), nil
}

// close waits for reads that are ending.
func (s *postgresStore) close() error {
	for _, p := range []*pgxpool.Pool{s.writes, s.reads} {
		if p != nil {
			p.Close()
		}
	}
	return nil
}

func (s *postgresStore) read(ctx context.Context, fn func(*Tx) error) error {
	c, err := s.reads.Acquire(ctx)
	if err != nil {
		return explain(err)
	}
	tx := &Tx{store: s, conn: &postgresConn{c: c.Conn(), begin: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}}
	defer func() {
		tx.over = true
		// What was read of one snapshot is true however the transaction ends: nobody
		// waits for that.
		go func() {
			rollback(ctx, c)
			c.Release()
		}()
	}()
	return tx.run(fn)
}

func (s *postgresStore) write(ctx context.Context, org entente.OrgID, node bool, fn func(*Tx) error) error {
	key := "org " + string(org)
	if node {
		key = "node"
	}
	leave, err := s.enter(ctx, key)
	if err != nil {
		return err
	}
	defer leave()
	return s.locked(ctx, key, func(c *pgxpool.Conn) error {
		wait := firstBackoff
		for attempt := 1; ; attempt++ {
			tx := &Tx{store: s, org: org, node: node, write: true}
			// Not SERIALIZABLE: alone in the organisation already, a long transaction
			// would starve by conflicts over pages with others (docs/adr/0002).
			again, err := s.once(ctx, c, "BEGIN ISOLATION LEVEL REPEATABLE READ", tx, fn)
			if err == nil || !again {
				return err
			}
			if attempt == maxAttempts {
				return entente.Unavailable("the database is too busy: %d attempts met changes by others; try again", attempt).Because(err)
			}
			pause := time.NewTimer(wait/2 + rand.N(wait))
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return ctx.Err()
			}
			wait = min(wait*2, mostBackoff)
		}
	})
}

// enter waits for the turn of the organisation in this process.
func (s *postgresStore) enter(ctx context.Context, key string) (leave func(), err error) {
	s.mu.Lock()
	t := s.turns[key]
	if t == nil {
		t = &turn{free: make(chan struct{}, 1)}
		s.turns[key] = t
	}
	t.users++
	s.mu.Unlock()
	gone := func() {
		s.mu.Lock()
		t.users--
		if t.users == 0 {
			delete(s.turns, key)
		}
		s.mu.Unlock()
	}
	select {
	case t.free <- struct{}{}:
		return func() { <-t.free; gone() }, nil
	case <-ctx.Done():
		gone()
		return nil, ctx.Err()
	}
}

// locked runs fn on a connection that holds the organisation's lock. The lock
// belongs to the session and is taken before BEGIN: taken inside, the snapshot
// would be older than the lock, and the writer before would be overlooked.
func (s *postgresStore) locked(ctx context.Context, key string, fn func(*pgxpool.Conn) error) (err error) {
	c, err := s.writes.Acquire(ctx)
	if err != nil {
		return explain(err)
	}
	defer c.Release()
	lock := lockNumber(key)
	release := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
		defer cancel()
		var held bool
		if err := c.QueryRow(ctx, "SELECT pg_advisory_unlock($1)", lock).Scan(&held); err != nil || !held {
			discard(c)
		}
	}
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		// The lock may have been granted while the wait was given up.
		discard(c)
		return explain(err)
	}
	defer release()
	return fn(c)
}

// rollback ends the transaction of a connection, if there is one.
func rollback(ctx context.Context, c *pgxpool.Conn) {
	if c.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	if _, err := c.Exec(ctx, "ROLLBACK"); err != nil {
		discard(c)
	}
}

// discard closes the connection, which frees its locks and ends its transaction.
func discard(c *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), cleanUp)
	defer cancel()
	// It is given up: there is nothing else to learn.
	_ = c.Conn().Close(ctx)
}

// lockNumber makes the key of an advisory lock.
func lockNumber(key string) int64 {
	sum := sha256.Sum256([]byte("entente write lock\x00" + key))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// once runs one transaction and says whether it may be repeated.
func (s *postgresStore) once(ctx context.Context, c *pgxpool.Conn, begin string, tx *Tx, fn func(*Tx) error) (again bool, err error) {
	if _, err := c.Exec(ctx, begin); err != nil {
		return false, explain(err)
	}
	tx.conn = &postgresConn{c: c.Conn()}
	committed := false
	defer func() {
		tx.over = true
		rollback(ctx, c)
		if !committed {
			tx.undo()
		}
	}()
	if err := tx.run(fn); err != nil {
		// A room may wrap the failure of its statement in a message of its own.
		return isConflict(err) || isConflict(tx.failed), err
	}
	if _, err := c.Exec(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		if isConflict(err) {
			return true, err
		}
		if isLost(err) {
			// The commit may have happened: only the caller can find out.
			return false, entente.Unavailable("the connection to the database broke while it was saving; look whether the change is there before you repeat it").Because(err)
		}
		return false, explain(err)
	}
	committed = true
	return false, nil
}

func (s *postgresStore) insert(ctx context.Context, tx *Tx, insert, suffix text, rows iter.Seq[[]any]) (int64, error) {
	table, columns, ok := insertTarget(string(insert))
	switch {
	case !ok:
		return 0, errors.New("db: Insert is not of the form INSERT INTO t (a, b) VALUES")
	case suffix == "":
		return tx.conn.(*postgresConn).copyRows(ctx, table, columns, rows)
	}
	types, err := s.columnTypes(ctx, tx, table, columns)
	if err != nil {
		return 0, err
	}
	return insertArrays(ctx, tx, string(insert), string(suffix), types, rows)
}
