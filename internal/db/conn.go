package db

import (
	"context"
	"database/sql"
	"strings"
)

// conn is one connection. With stmts it keeps its prepared statements, which
// SQLite needs to be quick; pgx does so by itself.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
	stuck bool // a rollback failed
}

// rollback ends a transaction of SQLite, if there is still one: an interrupted
// statement may have ended it already.
func (c *conn) rollback(ctx context.Context) error {
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

func (c *conn) exec(ctx context.Context, q string, args []any) (sql.Result, error) {
	if c.stmts == nil {
		return c.c.ExecContext(ctx, q, args...)
	}
	s, err := c.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (c *conn) query(ctx context.Context, q string, args []any) (*sql.Rows, error) {
	if c.stmts == nil {
		return c.c.QueryContext(ctx, q, args...)
	}
	s, err := c.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (c *conn) prepare(ctx context.Context, q string) (*sql.Stmt, error) {
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

func (c *conn) close() error {
	for _, s := range c.stmts {
		if err := s.Close(); err != nil {
			return err
		}
	}
	return c.c.Close()
}
