package db

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// sqliteVars bounds the arguments of one statement: enough that the cost of a
// statement is shared by many rows, and below SQLite's limit of 32766.
const sqliteVars = 512

// insertValues writes rows with statements of many VALUES: full batches share
// one statement, and the rest goes by halves, so that only few texts exist.
func insertValues(ctx context.Context, tx *Tx, insert, suffix string, rows iter.Seq[[]any]) (int64, error) {
	var (
		total int64
		width int
		batch int
		args  []any
		texts = map[int]string{}
	)
	run := func(args []any) error {
		n := len(args) / width
		q, ok := texts[n]
		if !ok {
			q = valuesText(insert, suffix, n, width)
			texts[n] = q
		}
		changed, err := tx.conn.exec(ctx, q, args)
		total += changed
		return err
	}
	count := 0
	for row := range rows {
		if width == 0 {
			width = len(row)
			if width == 0 {
				return 0, errors.New("db: Insert of a row without columns")
			}
			batch = 1
			for batch*2*width <= sqliteVars {
				batch *= 2
			}
			args = make([]any, 0, batch*width)
		}
		if len(row) != width {
			return 0, fmt.Errorf("db: Insert: row %d has %d values, the first has %d", count+1, len(row), width)
		}
		for i, a := range row {
			v, err := plain(a)
			if err != nil {
				return 0, fmt.Errorf("db: Insert: row %d, value %d: %w", count+1, i+1, err)
			}
			if b, ok := v.([]byte); ok {
				// The caller may use the slice again for the next row.
				v = append([]byte{}, b...)
			}
			args = append(args, v)
		}
		count++
		if len(args) == batch*width {
			if err := run(args); err != nil {
				return 0, err
			}
			args = args[:0]
		}
	}
	for len(args) > 0 {
		n := batch
		for n*width > len(args) {
			n /= 2
		}
		if err := run(args[:n*width]); err != nil {
			return 0, err
		}
		args = args[n*width:]
	}
	return total, nil
}

// valuesText writes "insert (?,?), (?,?) suffix".
func valuesText(insert, suffix string, rows, width int) string {
	var b strings.Builder
	b.WriteString(insert)
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" (")
		for c := range width {
			if c > 0 {
				b.WriteByte(',')
			}
			// Not $n: SQLite would look the name of every argument up in a list.
			b.WriteByte('?')
		}
		b.WriteByte(')')
	}
	if suffix != "" {
		b.WriteByte(' ')
		b.WriteString(suffix)
	}
	return b.String()
}
