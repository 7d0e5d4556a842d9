package db

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// conn is one connection, inside a transaction.
type conn interface {
	exec(ctx context.Context, q string, args []any) (changed int64, err error)
	// ask asks questions in their order, and gives the rows of each to take.
	ask(ctx context.Context, questions []Question, take func(*Question, rows) error) error
}

// rows are the answer to a question, one at a time.
type rows interface {
	Scanner
	Next() bool
	Err() error
}

// sqliteConn keeps its prepared statements, which SQLite needs to be quick.
type sqliteConn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
	stuck bool // a rollback failed
	// writes says that a statement is let come to its end, as an interrupted one takes the
	// whole transaction with it, and to listen for the interruption costs a goroutine.
	writes bool
}

// uninterrupted gives the context of a statement, unless it is too late to begin.
func (c *sqliteConn) uninterrupted(ctx context.Context) (context.Context, error) {
	if !c.writes {
		return ctx, nil
	}
	return context.WithoutCancel(ctx), ctx.Err()
}

// begin begins a transaction of SQLite.
func (c *sqliteConn) begin(ctx context.Context, how string) error {
	if c.stuck {
		if err := c.rollback(ctx); err != nil {
			return explain(err)
		}
	}
	_, err := c.exec(ctx, how, nil)
	return explain(err)
}

// rollback ends a transaction of SQLite, if there is still one: an interrupted
// statement may have ended it already.
func (c *sqliteConn) rollback(ctx context.Context) error {
	_, err := c.exec(ctx, "ROLLBACK", nil)
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		err = nil
	}
	c.stuck = err != nil
	return err
}

// maxStmts bounds the prepared statements of one connection. Texts are constants
// and their combinations, so the bound is hardly ever reached.
const maxStmts = 512

func (c *sqliteConn) exec(ctx context.Context, q string, args []any) (int64, error) {
	ctx, err := c.uninterrupted(ctx)
	if err != nil {
		return 0, err
	}
	s, err := c.prepare(ctx, q)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (c *sqliteConn) ask(ctx context.Context, questions []Question, take func(*Question, rows) error) error {
	for i := range questions {
		q := &questions[i]
		ctx, err := c.uninterrupted(ctx)
		if err != nil {
			return err
		}
		s, err := c.prepare(ctx, q.text)
		if err != nil {
			return inQuery(err, q.text)
		}
		answer, err := s.QueryContext(ctx, q.args...)
		if err != nil {
			return inQuery(err, q.text)
		}
		if err := errors.Join(take(q, answer), inQuery(answer.Close(), q.text)); err != nil {
			return err
		}
	}
	return nil
}

func (c *sqliteConn) prepare(ctx context.Context, q string) (*sql.Stmt, error) {
	if s, ok := c.stmts[q]; ok {
		return s, nil
	}
	if len(c.stmts) >= maxStmts {
		for old, s := range c.stmts {
			delete(c.stmts, old)
			if err := s.Close(); err != nil {
				return nil, err
			}
			break
		}
	}
	s, err := c.c.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	c.stmts[q] = s
	return s, nil
}

func (c *sqliteConn) close() error {
	for _, s := range c.stmts {
		if err := s.Close(); err != nil {
			return err
		}
	}
	return c.c.Close()
}

// postgresConn sends what it is asked together, so that it takes one way there and
// back. pgx keeps prepared statements by itself.
type postgresConn struct {
	c     *pgx.Conn
	begin string // goes ahead of the first question
}

func (c *postgresConn) exec(ctx context.Context, q string, args []any) (int64, error) {
	tag, err := c.c.Exec(ctx, q, args...)
	return tag.RowsAffected(), err
}

func (c *postgresConn) ask(ctx context.Context, questions []Question, take func(*Question, rows) error) (err error) {
	var b pgx.Batch
	begin := c.begin
	c.begin = ""
	if begin != "" {
		b.Queue(begin)
	}
	for _, q := range questions {
		b.Queue(q.text, q.args...)
	}
	answers := c.c.SendBatch(ctx, &b)
	defer func() {
		if cerr := answers.Close(); err == nil {
			err = cerr
		}
	}()
	if begin != "" {
		if _, err := answers.Exec(); err != nil {
			return inQuery(err, begin)
		}
	}
	for i := range questions {
		q := &questions[i]
		answer, err := answers.Query()
		if err != nil {
			return inQuery(err, q.text)
		}
		err = take(q, postgresRows{answer})
		answer.Close()
		if err == nil {
			err = inQuery(answer.Err(), q.text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// postgresRows reads truth values from whole numbers, as they are stored.
type postgresRows struct{ pgx.Rows }

// Scan implements Scanner.
func (r postgresRows) Scan(dest ...any) error {
	for i := range dest {
		if b, ok := dest[i].(*bool); ok {
			dest[i] = truth{b}
		}
	}
	return r.Rows.Scan(dest...)
}

// truth takes a truth value, and a number in its place.
type truth struct{ to *bool }

// ScanBool implements pgtype.BoolScanner.
func (t truth) ScanBool(v pgtype.Bool) error {
	if !v.Valid {
		return errors.New("NULL for a truth value")
	}
	*t.to = v.Bool
	return nil
}

// ScanInt64 implements pgtype.Int64Scanner.
func (t truth) ScanInt64(v pgtype.Int8) error {
	return t.ScanBool(pgtype.Bool{Bool: v.Int64 != 0, Valid: v.Valid})
}
