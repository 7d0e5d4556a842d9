package db

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

var insertInto = regexp.MustCompile(`(?is)^\s*INSERT\s+INTO\s+([a-z_][a-z0-9_]*)\s*\(([a-z0-9_,\s]+)\)\s*VALUES\s*$`)

// insertTarget reads the table and the columns of a plain INSERT.
func insertTarget(insert string) (table string, columns []string, ok bool) {
	m := insertInto.FindStringSubmatch(insert)
	if m == nil {
		return "", nil, false
	}
	for c := range strings.SplitSeq(m[2], ",") {
		columns = append(columns, strings.ToLower(strings.TrimSpace(c)))
	}
	return strings.ToLower(m[1]), columns, true
}

// copyRows streams rows with PostgreSQL's COPY, several times as fast as INSERT.
func (c *postgresConn) copyRows(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) (int64, error) {
	next, stop := iter.Pull(rows)
	defer stop()
	return c.c.CopyFrom(ctx, pgx.Identifier{table}, columns, &copySource{next: next, width: len(columns)})
}

type copySource struct {
	next  func() ([]any, bool)
	width int
	count int
	row   []any
	err   error
}

// Next implements pgx.CopyFromSource.
func (s *copySource) Next() bool {
	row, ok := s.next()
	if !ok {
		return false
	}
	s.count++
	if len(row) != s.width {
		s.err = fmt.Errorf("db: Insert: row %d has %d values for %d columns", s.count, len(row), s.width)
		return false
	}
	s.row = s.row[:0]
	for i, a := range row {
		v, err := plain(a)
		if err != nil {
			s.err = fmt.Errorf("db: Insert: row %d, value %d: %w", s.count, i+1, err)
			return false
		}
		s.row = append(s.row, v)
	}
	return true
}

// Values implements pgx.CopyFromSource.
func (s *copySource) Values() ([]any, error) { return s.row, nil }

// Err implements pgx.CopyFromSource.
func (s *copySource) Err() error { return s.err }

// columnTypes gives the types of a table's columns, in the order asked for.
func (s *postgresStore) columnTypes(ctx context.Context, tx *Tx, table string, columns []string) ([]string, error) {
	s.mu.Lock()
	known := s.types[table]
	s.mu.Unlock()
	if known == nil {
		known = map[string]string{}
		err := tx.each(ctx, "SELECT attname, format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
			[]any{table}, func(row Scanner) error {
				var name, kind string
				if err := row.Scan(&name, &kind); err != nil {
					return err
				}
				known[name] = kind
				return nil
			})
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.types[table] = known
		s.mu.Unlock()
	}
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = known[c]
		if out[i] == "" {
			return nil, fmt.Errorf("db: Insert: table %s has no column %s", table, c)
		}
	}
	return out, nil
}

// arrayRows is how many rows go with one statement of insertArrays.
const arrayRows = 2048

// insertArrays passes each column as one array, which PostgreSQL takes in several
// times as fast as one argument per value.
func insertArrays(ctx context.Context, tx *Tx, insert, suffix string, types []string, rows iter.Seq[[]any]) (total int64, err error) {
	columns := make([]arrayColumn, len(types))
	var from strings.Builder
	for i, kind := range types {
		columns[i].kind = kind
		if i > 0 {
			from.WriteString(", ")
		}
		fmt.Fprintf(&from, "$%d::%s[]", i+1, kind)
	}
	into, _, _ := strings.Cut(insert, ")")
	q := into + ") SELECT * FROM unnest(" + from.String() + ") " + suffix
	pending := 0
	flush := func() error {
		args := make([]any, len(columns))
		for i := range columns {
			args[i] = columns[i].take()
		}
		pending = 0
		n, err := tx.conn.exec(ctx, q, args)
		total += n
		return err
	}
	count := 0
	for row := range rows {
		count++
		if len(row) != len(columns) {
			return 0, fmt.Errorf("db: Insert: row %d has %d values for %d columns", count, len(row), len(columns))
		}
		for i, a := range row {
			v, err := plain(a)
			if err == nil {
				err = columns[i].add(v)
			}
			if err != nil {
				return 0, fmt.Errorf("db: Insert: row %d, value %d: %w", count, i+1, err)
			}
		}
		pending++
		if pending == arrayRows {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	if pending > 0 {
		if err := flush(); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// arrayColumn gathers the values of one column.
type arrayColumn struct {
	kind   string
	ints   []pgtype.Int8
	texts  []pgtype.Text
	floats []pgtype.Float8
	bytes  [][]byte
}

func (c *arrayColumn) add(v any) error {
	switch c.kind {
	case "bigint":
		n, ok := v.(int64)
		if !ok && v != nil {
			return fmt.Errorf("a %T for a column of numbers", v)
		}
		c.ints = append(c.ints, pgtype.Int8{Int64: n, Valid: v != nil})
	case "text":
		s, ok := v.(string)
		if !ok && v != nil {
			return fmt.Errorf("a %T for a column of text", v)
		}
		c.texts = append(c.texts, pgtype.Text{String: s, Valid: v != nil})
	case "double precision":
		f, ok := v.(float64)
		if n, isInt := v.(int64); isInt {
			f, ok = float64(n), true
		}
		if !ok && v != nil {
			return fmt.Errorf("a %T for a column of numbers", v)
		}
		c.floats = append(c.floats, pgtype.Float8{Float64: f, Valid: v != nil})
	case "bytea":
		switch v := v.(type) {
		case nil:
			c.bytes = append(c.bytes, nil)
		case []byte:
			// The caller may use the slice again for the next row.
			c.bytes = append(c.bytes, append([]byte{}, v...))
		case string:
			c.bytes = append(c.bytes, []byte(v))
		default:
			return fmt.Errorf("a %T for a column of bytes", v)
		}
	default:
		return fmt.Errorf("columns of type %s are not used in this schema", c.kind)
	}
	return nil
}

// take gives the gathered array and begins a new one.
func (c *arrayColumn) take() any {
	var out any
	switch c.kind {
	case "bigint":
		out, c.ints = c.ints, make([]pgtype.Int8, 0, len(c.ints))
	case "text":
		out, c.texts = c.texts, make([]pgtype.Text, 0, len(c.texts))
	case "double precision":
		out, c.floats = c.floats, make([]pgtype.Float8, 0, len(c.floats))
	default:
		out, c.bytes = c.bytes, make([][]byte, 0, len(c.bytes))
	}
	return out
}
