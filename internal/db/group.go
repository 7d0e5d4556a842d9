package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/entente-project/entente"
)

// SQLite has one writer, and to wait for the disk is most of what a small write costs.
// Writers of different organisations that wait for one another therefore share a
// transaction: one after the other, each behind a savepoint of its own, and nobody is
// answered before it is committed (docs/adr/0007). As a group holds one Write of an
// organisation at most, and a WriteNode is alone, nobody sees what is not committed.

// group is the transaction that several writers share.
type group struct {
	done  map[entente.OrgID]*Tx // whose turn is over, and who wait for the commit
	began time.Time
	ended chan struct{}
	err   error // of the commit; set when ended
}

// groupTime is for how long a group takes others in: so much later may an answer be
// for their sake.
const groupTime = 20 * time.Millisecond

// errLost says that the group was lost by the fault of another one in it.
var errLost = errors.New("db: the transaction was lost with that of another writer")

func (s *sqliteStore) write(ctx context.Context, org entente.OrgID, node bool, fn func(*Tx) error) error {
	for alone := node; ; alone = true {
		err := s.writeIn(ctx, &Tx{store: s, org: org, node: node, write: true}, alone, fn)
		if !errors.Is(err, errLost) {
			return err
		}
	}
}

// writeIn runs fn in a group of others, or alone, and waits for the commit.
func (s *sqliteStore) writeIn(ctx context.Context, tx *Tx, alone bool, fn func(*Tx) error) error {
	var c *sqliteConn
	select {
	case c = <-s.writer:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.group != nil && (alone || s.group.done[tx.org] != nil) {
		s.commit(ctx, c)
	}
	g, err := s.turn(ctx, c, tx, fn)
	if err != nil {
		return err
	}
	if alone || time.Since(g.began) >= groupTime {
		s.commit(ctx, c)
		s.writer <- c
		return g.err
	}
	// Who waits for the writer by now comes before us, and joins the group.
	s.writer <- c
	select {
	case <-g.ended:
	case c := <-s.writer:
		if s.group == g {
			s.commit(ctx, c)
		}
		s.writer <- c
	}
	return g.err
}

// turn runs fn as the next of the open group, or as the first of a new one. The caller
// has the writer; if fn fails or panics, what it did is undone and the writer free.
func (s *sqliteStore) turn(ctx context.Context, c *sqliteConn, tx *Tx, fn func(*Tx) error) (_ *group, err error) {
	g, undo, done := s.group, "", false
	defer func() {
		tx.over = true
		if done {
			return
		}
		if undo != "" {
			err = andRollback(err, s.undo(context.WithoutCancel(ctx), c, undo))
		}
		tx.undo()
		s.writer <- c
	}()
	if g == nil {
		if err := c.begin(ctx, "BEGIN IMMEDIATE"); err != nil {
			return nil, err
		}
		g = &group{done: map[entente.OrgID]*Tx{}, began: time.Now(), ended: make(chan struct{})}
		s.group, undo = g, undoAll
	} else {
		if _, err := c.exec(context.WithoutCancel(ctx), "SAVEPOINT turn", nil); err != nil {
			return nil, explain(err)
		}
		undo = undoTurn
	}
	tx.conn = c
	if err := tx.run(fn); err != nil {
		return nil, err
	}
	if undo == undoTurn {
		if _, err := c.exec(context.WithoutCancel(ctx), "RELEASE turn", nil); err != nil {
			return nil, explain(err)
		}
	}
	g.done[tx.org], done = tx, true
	return g, nil
}

// How the effects of a turn are undone.
const (
	undoAll  = "ROLLBACK"
	undoTurn = "ROLLBACK TO turn"
)

// undo undoes a turn. If the whole group is lost with it, as by a statement that was
// interrupted, the others are told.
func (s *sqliteStore) undo(ctx context.Context, c *sqliteConn, how string) error {
	if how == undoTurn {
		_, err := c.exec(ctx, undoTurn, nil)
		if err == nil {
			_, err = c.exec(ctx, "RELEASE turn", nil)
		}
		if err == nil {
			return nil
		}
	}
	err := c.rollback(ctx)
	s.end(errLost)
	return err
}

// commit commits the open group; what came of it stands in the group.
func (s *sqliteStore) commit(ctx context.Context, c *sqliteConn) {
	ctx = context.WithoutCancel(ctx)
	_, err := c.exec(ctx, "COMMIT", nil)
	if err != nil {
		err = andRollback(explain(err), c.rollback(ctx))
	}
	s.end(err)
}

// end ends the open group.
func (s *sqliteStore) end(err error) {
	if err != nil {
		for _, tx := range s.group.done {
			tx.undo()
		}
	}
	s.group.err = err
	close(s.group.ended)
	s.group = nil
}

// andRollback adds the error of a rollback, if there is one; others stay as they are.
func andRollback(err, rollback error) error {
	if rollback == nil {
		return err
	}
	return errors.Join(err, fmt.Errorf("roll back: %w", rollback))
}
