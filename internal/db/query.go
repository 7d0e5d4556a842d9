package db

import (
	"context"
	"strconv"
	"strings"
)

// Query is a SELECT with optional conditions. Every fragment numbers its own
// arguments from $1; the query numbers them anew.
type Query struct {
	base  string
	conds []string
	order string
	group string
	page  string
	where bool
	args  []any
}

// Select begins a query with "SELECT … FROM …" and, if need be, a WHERE of its own.
func Select(q text, args ...any) *Query {
	s := &Query{where: hasWhere(string(q))}
	s.base = s.add(string(q), args)
	return s
}

// And adds a condition.
func (s *Query) And(cond text, args ...any) *Query {
	s.conds = append(s.conds, s.add(string(cond), args))
	return s
}

// AndIf adds a condition if ok.
func (s *Query) AndIf(ok bool, cond text, args ...any) *Query {
	if !ok {
		return s
	}
	return s.And(cond, args...)
}

// Group sets what follows GROUP BY, with HAVING if need be.
func (s *Query) Group(g text, args ...any) *Query {
	s.group = s.add(string(g), args)
	return s
}

// Order sets what follows ORDER BY.
func (s *Query) Order(o text) *Query {
	s.order = string(o)
	return s
}

// Page limits the result; a limit of 0 or less means no limit.
func (s *Query) Page(limit, offset int) *Query {
	if limit > 0 {
		s.page = s.add("LIMIT $1 OFFSET $2", []any{limit, max(offset, 0)})
	}
	return s
}

// AllOf gives every row of the query.
func AllOf[T any](ctx context.Context, tx *Tx, scan func(Scanner) (T, error), s *Query) ([]T, error) {
	return all(ctx, tx, scan, s.text(), s.args)
}

// EachOf calls row for every row of the query, as [Each] does.
func EachOf(ctx context.Context, tx *Tx, s *Query, row func(Scanner) error) error {
	return tx.each(ctx, s.text(), s.args, row)
}

func (s *Query) text() string {
	var b strings.Builder
	b.WriteString(s.base)
	for i, c := range s.conds {
		if i == 0 && !s.where {
			b.WriteString(" WHERE (")
		} else {
			b.WriteString(" AND (")
		}
		b.WriteString(c)
		b.WriteByte(')')
	}
	if s.group != "" {
		b.WriteString(" GROUP BY ")
		b.WriteString(s.group)
	}
	if s.order != "" {
		b.WriteString(" ORDER BY ")
		b.WriteString(s.order)
	}
	if s.page != "" {
		b.WriteByte(' ')
		b.WriteString(s.page)
	}
	return b.String()
}

// add moves the numbers of a fragment behind the arguments that are there.
func (s *Query) add(fragment string, args []any) string {
	out := renumber(fragment, len(s.args))
	s.args = append(s.args, args...)
	return out
}

// renumber adds by to every $n outside quotes.
func renumber(q string, by int) string {
	if by == 0 || !strings.Contains(q, "$") {
		return q
	}
	var b strings.Builder
	var quote byte
	for i := 0; i < len(q); i++ {
		c := q[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '$':
			j := i + 1
			for j < len(q) && q[j] >= '0' && q[j] <= '9' {
				j++
			}
			if n, err := strconv.Atoi(q[i+1 : j]); err == nil {
				b.WriteByte('$')
				b.WriteString(strconv.Itoa(n + by))
				i = j - 1
				continue
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// hasWhere says whether q has a WHERE of its own, outside brackets and quotes.
func hasWhere(q string) bool {
	depth := 0
	var quote byte
	word := strings.Builder{}
	found := false
	end := func() {
		if depth == 0 && strings.EqualFold(word.String(), "where") {
			found = true
		}
		word.Reset()
	}
	for i := 0; i < len(q); i++ {
		c := q[i]
		if quote != 0 {
			if c == quote {
				quote = 0
			}
			continue
		}
		switch {
		case c == '\'' || c == '"':
			end()
			quote = c
		case c == '(':
			end()
			depth++
		case c == ')':
			end()
			depth--
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_':
			word.WriteByte(c)
		default:
			end()
		}
	}
	end()
	return found
}
