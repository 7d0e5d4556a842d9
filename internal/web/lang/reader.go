package lang

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/message"
	"golang.org/x/text/number"

	entente "github.com/entente-project/entente"
)

// Reader is for whom something is said: in which language, and in which time zone.
type Reader struct {
	language *Language
	zone     *time.Location
	printer  *message.Printer
}

// NewReader makes a reader; nil for the zone is UTC.
func NewReader(language *Language, zone *time.Location) *Reader {
	if zone == nil {
		zone = time.UTC
	}
	return &Reader{language: language, zone: zone, printer: message.NewPrinter(language.tag)}
}

type key struct{}

// With gives a context in which [Of] gives the reader.
func With(ctx context.Context, r *Reader) context.Context { return context.WithValue(ctx, key{}, r) }

var plain = NewReader(English, nil)

// Of gives the reader of a context; without one, somebody who reads English in UTC.
func Of(ctx context.Context) *Reader {
	if r, ok := ctx.Value(key{}).(*Reader); ok {
		return r
	}
	return plain
}

// T says a text. Arguments that are messages, texts, lists, numbers and times are
// said in the reader's way too; strings are data and stay as they are.
func (r *Reader) T(text entente.Text, args ...any) string { return r.Say(entente.Say(text, args...)) }

// N says a text that depends on a number, as [entente.Plural] does.
func (r *Reader) N(n int, one, other entente.Text, args ...any) string {
	return r.Say(entente.Plural(n, one, other, args...))
}

// Say says a message.
func (r *Reader) Say(m entente.Message) string {
	if m.Text == "" {
		return ""
	}
	text := r.language.find(m)
	if len(m.Args) == 0 {
		return strings.ReplaceAll(text, "%%", "%")
	}
	// A form for one number may leave arguments out.
	args := make([]any, min(len(m.Args), taken(text)))
	for i, a := range m.Args[:len(args)] {
		args[i] = r.argument(a)
	}
	return fmt.Sprintf(entente.Text(text).Format(), args...)
}

// said is an argument that is text already, whatever the verb.
type said string

// Format writes it.
func (s said) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, string(s)) }

func (r *Reader) argument(a any) any {
	switch a := a.(type) {
	case entente.Message:
		return said(r.Say(a))
	case *entente.Message:
		return said(r.Say(*a))
	case entente.Text:
		return said(r.T(a))
	case entente.List:
		return said(a.In(func(t entente.Text) string { return r.T(t) }, func(item any) string { return fmt.Sprint(r.argument(item)) }))
	case int:
		return said(r.Number(int64(a)))
	case int64:
		return said(r.Number(a))
	case int32:
		return said(r.Number(int64(a)))
	case uint32:
		return said(r.Number(int64(a)))
	case interface{ Say() entente.Message }:
		return said(r.Say(a.Say()))
	case time.Time:
		return said(r.Moment(a))
	case error:
		return said(r.Say(entente.MessageOf(a)))
	}
	return a
}

// Number writes a number with thousands apart: "12,345".
func (r *Reader) Number(n int64) string {
	return strings.Replace(r.printer.Sprint(number.Decimal(n)), "-", "−", 1)
}

// Count is Number of an int.
func (r *Reader) Count(n int) string { return r.Number(int64(n)) }

// Decimal writes a number with so many places after the point.
func (r *Reader) Decimal(x float64, places int) string {
	return r.printer.Sprint(number.Decimal(x, number.MinFractionDigits(places), number.MaxFractionDigits(places)))
}

// Percent writes a share of one: "12 %".
func (r *Reader) Percent(share float64) string {
	return r.printer.Sprint(number.Percent(share, number.MaxFractionDigits(0)))
}

// Money writes an amount in whole units of a currency: "12,345 EUR".
func (r *Reader) Money(n int64, currency string) string {
	return strings.TrimSpace(r.Number(n) + " " + currency)
}

// Day writes the day of a point in time in the reader's zone.
func (r *Reader) Day(t time.Time) string { return r.language.date(t.In(r.zone), r.language.day) }

// Moment writes a point in time to the minute, in the reader's zone, and names the
// zone.
func (r *Reader) Moment(t time.Time) string {
	t = t.In(r.zone)
	name, _ := t.Zone()
	return r.language.date(t, r.language.moment) + " " + name
}

// UTC writes a point in time to the minute, in UTC.
func (r *Reader) UTC(t time.Time) string {
	return r.language.date(t.UTC(), r.language.moment) + " UTC"
}

// Bytes writes a size: "12 kB", "3.4 MB".
func (r *Reader) Bytes(n int64) string {
	const unit = 1000
	if n < unit {
		return r.N(int(n), "%d byte", "%d bytes")
	}
	size, names := float64(n)/unit, []string{"kB", "MB", "GB", "TB"}
	for size >= unit && len(names) > 1 {
		size, names = size/unit, names[1:]
	}
	if size < 10 {
		return r.Decimal(size, 1) + " " + names[0]
	}
	return r.Decimal(size, 0) + " " + names[0]
}

// And joins words to a phrase: "a", "a and b", "a, b and c".
func (r *Reader) And(words []string) string { return r.T("%s", entente.And(words)) }

// Or joins words to a phrase: "a", "a or b", "a, b or c".
func (r *Reader) Or(words []string) string { return r.T("%s", entente.Or(words)) }

// AndMore joins at most limit words and counts the rest: "a, b and 3 more".
func (r *Reader) AndMore(words []string, limit int) string {
	if len(words) <= limit+1 {
		return r.And(words)
	}
	return r.T("%s and %d more", entente.Joined(words[:limit], ", "), len(words)-limit)
}

// Capital begins a sentence with a capital letter.
func Capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// Error says what a person may know of an error, with its fields, a line each.
func (r *Reader) Error(err error) string {
	var known *entente.Error
	if !errors.As(err, &known) {
		return r.T("the program has a fault; its log says which")
	}
	if len(known.Fields) == 0 {
		return r.Say(known.Message)
	}
	var b strings.Builder
	b.WriteString(r.Say(known.Message))
	for _, f := range known.Fields {
		b.WriteString("\n  ")
		b.WriteString(r.Say(f.Say()))
	}
	return b.String()
}

// Tag names the language as HTML does: "en".
func (r *Reader) Tag() string { return r.language.tag.String() }

// Zone is the reader's time zone.
func (r *Reader) Zone() *time.Location { return r.zone }
