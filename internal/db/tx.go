package db

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/entente-project/entente"
)

// Tx is a transaction. It is used by one goroutine at a time, and ends with the
// function that it was given to.
type Tx struct {
	store  store
	conn   conn
	org    entente.OrgID
	node   bool
	write  bool
	failed error // the first failure; nothing runs after it
	busy   bool  // rows of Each are being read
	over   bool

	news   News
	kept   map[any]any
	ending []func() error
	undone []func()
}

// Kept gives what was kept under a key with Keep; nil: nothing.
func (tx *Tx) Kept(key any) any { return tx.kept[key] }

// Keep keeps a value as long as the transaction lasts, for who would read or write the
// same row again and again in it. AtEnd is called before the commit, if all went well
// until then, and not used after.
func (tx *Tx) Keep(key, value any, atEnd func() error) {
	if tx.kept == nil {
		tx.kept = map[any]any{}
	}
	tx.kept[key] = value
	tx.ending = append(tx.ending, atEnd)
}

// Undone has fn called if the transaction is not committed, before another Write of the
// organisation begins: for what was kept in memory of what it wrote.
func (tx *Tx) Undone(fn func()) { tx.undone = append(tx.undone, fn) }

// undo calls what is to be called when the transaction was not committed.
func (tx *Tx) undo() {
	for _, fn := range tx.undone {
		fn()
	}
	tx.undone = nil
}

// News is what a commit can bring to those who watch.
type News uint8

// The news.
const (
	NewEvents News = 1 << iota // in the journal of the organisation
	DueJobs
)

// Announce makes [DB.Watch] hear of the commit.
func (tx *Tx) Announce(n News) { tx.news |= n }

// Org is the organisation whose writer this is; empty in Read and WriteNode.
func (tx *Tx) Org() entente.OrgID { return tx.org }

// Writes says whether the transaction may write.
func (tx *Tx) Writes() bool { return tx.write }

// Scanner gives the columns of one row.
type Scanner interface{ Scan(dest ...any) error }

// Value scans a single column, as the scan function of [One] and [All].
func Value[T any](s Scanner) (T, error) {
	var v T
	err := s.Scan(&v)
	return v, err
}

// Exec runs a statement and says how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, q text, args ...any) (int64, error) {
	if err := tx.usable(); err != nil {
		return 0, err
	}
	if !tx.write {
		return 0, tx.fail(errors.New("db: Exec in a Read; use Write"))
	}
	args, err := plainArgs(args)
	if err != nil {
		return 0, tx.fail(err)
	}
	n, err := tx.conn.exec(ctx, string(q), args)
	if err != nil {
		return 0, tx.fail(inQuery(err, string(q)))
	}
	return n, nil
}

// Insert writes many rows with few statements. The insert text is everything up
// to VALUES, "INSERT INTO t (a, b) VALUES"; the suffix is what follows the
// values, such as "ON CONFLICT DO NOTHING", or empty. The slice of a row may be
// used again by the caller for the next row. It says how many rows were written.
func (tx *Tx) Insert(ctx context.Context, insert, suffix text, rows iter.Seq[[]any]) (int64, error) {
	if err := tx.usable(); err != nil {
		return 0, err
	}
	if !tx.write {
		return 0, tx.fail(errors.New("db: Insert in a Read; use Write"))
	}
	n, err := tx.store.insert(ctx, tx, insert, suffix, rows)
	if err != nil {
		return 0, tx.fail(inQuery(err, string(insert)))
	}
	return n, nil
}

// One gives the first row of a query; without any, the error is [ErrNoRow].
func One[T any](ctx context.Context, tx *Tx, scan func(Scanner) (T, error), q text, args ...any) (T, error) {
	var out T
	found := false
	err := tx.each(ctx, string(q), args, func(s Scanner) error {
		v, err := scan(s)
		if err != nil {
			return err
		}
		out, found = v, true
		return errStop
	})
	if err != nil {
		var none T
		return none, err
	}
	if !found {
		return out, ErrNoRow
	}
	return out, nil
}

// All gives every row of a query; no row gives an empty result.
func All[T any](ctx context.Context, tx *Tx, scan func(Scanner) (T, error), q text, args ...any) ([]T, error) {
	return all(ctx, tx, scan, string(q), args)
}

// Each calls row for every row of a query, one at a time, without holding the
// result in memory. Within row the transaction cannot be used.
func Each(ctx context.Context, tx *Tx, q text, row func(Scanner) error, args ...any) error {
	return tx.each(ctx, string(q), args, row)
}

func all[T any](ctx context.Context, tx *Tx, scan func(Scanner) (T, error), q string, args []any) ([]T, error) {
	var out []T
	err := tx.each(ctx, q, args, func(s Scanner) error {
		v, err := scan(s)
		if err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// EachIn is [Each] for a query whose last word is IN, with the values of the list that
// follows it. It asks several times if they are many.
func EachIn(ctx context.Context, tx *Tx, q text, values []string, row func(Scanner) error, args ...any) error {
	for part := range slices.Chunk(values, listSizes[len(listSizes)-1]) {
		// Lists of few lengths are few statements; the last value fills them up.
		size := listSizes[slices.IndexFunc(listSizes, func(n int) bool { return n >= len(part) })]
		list := strings.Builder{}
		all := slices.Clone(args)
		for i := range size {
			fmt.Fprintf(&list, ", $%d", len(args)+1+i)
			all = append(all, part[min(i, len(part)-1)])
		}
		if err := tx.each(ctx, string(q)+" ("+list.String()[2:]+")", all, row); err != nil {
			return err
		}
	}
	return nil
}

// listSizes are the lengths of the lists of EachIn.
var listSizes = []int{1, 4, 32}

// errStop ends each without an error.
var errStop = errors.New("stop")

func (tx *Tx) each(ctx context.Context, q string, args []any, row func(Scanner) error) error {
	return tx.together(ctx, []Question{{q, args, row}})
}

// Question is a query with what takes its rows, for [Together].
type Question struct {
	text string
	args []any
	row  func(Scanner) error
}

// Ask makes a question whose rows go to row, one at a time.
func Ask(q text, row func(Scanner) error, args ...any) Question {
	return Question{string(q), args, row}
}

// Together is [Each] for several questions, in their order. On PostgreSQL they take
// one way to the database and back, which is most of the time of a small question.
func Together(ctx context.Context, tx *Tx, questions ...Question) error {
	return tx.together(ctx, questions)
}

func (tx *Tx) together(ctx context.Context, questions []Question) error {
	if err := tx.usable(); err != nil || len(questions) == 0 {
		return err
	}
	for i := range questions {
		var err error
		questions[i].args, err = plainArgs(questions[i].args)
		if err != nil {
			return tx.fail(err)
		}
	}
	var refused error // by row: no failure of the database
	tx.busy = true
	err := tx.conn.ask(ctx, questions, func(q *Question, r rows) error {
		for r.Next() {
			if err := ctx.Err(); err != nil {
				return err
			}
			refused = q.row(scanner{r, q.text})
			if errors.Is(refused, errStop) {
				refused = nil
				return nil
			}
			if refused != nil {
				return refused
			}
		}
		return inQuery(r.Err(), q.text)
	})
	tx.busy = false
	if refused != nil {
		return refused
	}
	if err != nil {
		return tx.fail(err)
	}
	return nil
}

type scanner struct {
	rows rows
	q    string
}

func (s scanner) Scan(dest ...any) error {
	return inQuery(s.rows.Scan(dest...), s.q)
}

// inQuery adds the text of a query to its error.
func inQuery(err error, q string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n  in: %s", err, clip(q))
}

func (tx *Tx) usable() error {
	switch {
	case tx.over:
		return errors.New("db: a transaction was used after its end")
	case tx.busy:
		return tx.fail(errors.New("db: a transaction was used while rows of Each or a scan function are being read"))
	case tx.failed != nil:
		return tx.failed
	}
	return nil
}

// fail remembers the first failure. PostgreSQL refuses everything after one; on
// SQLite an interrupted statement may have ended the transaction already, and
// the next one would commit on its own.
func (tx *Tx) fail(err error) error {
	err = explain(err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// run calls fn and gives the error for which the transaction must be rolled
// back. A panic of fn passes on after rollback. It is a call of its own, so that
// insideTx finds it.
//
//go:noinline
func (tx *Tx) run(fn func(*Tx) error) error {
	err := fn(tx)
	for _, end := range tx.ending {
		if err != nil {
			break
		}
		err = end()
	}
	if err == nil && tx.failed != nil {
		return tx.failed
	}
	return err
}

func clip(q string) string {
	const most = 300
	if len(q) > most {
		return q[:most] + "…"
	}
	return q
}
