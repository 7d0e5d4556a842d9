package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count writes a number with thousands apart: "12,345".
func Count(n int) string { return Number(int64(n)) }

// Number writes a number with thousands apart: "12,345".
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Money writes an amount in whole units of a currency: "12,345 EUR".
func Money(n int64, currency string) string {
	return strings.TrimSpace(Number(n) + " " + currency)
}

// Plural writes a count with its noun: "1 process", "3 processes".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// And joins words to a phrase: "a", "a and b", "a, b and c".
func And(words []string) string { return joined(words, "and") }

// Or joins words to a phrase: "a", "a or b", "a, b or c".
func Or(words []string) string { return joined(words, "or") }

func joined(words []string, last string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	n := len(words) - 1
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}

// AndMore joins at most limit words and counts the rest: "a, b and 3 more".
func AndMore(words []string, limit int) string {
	if len(words) <= limit+1 {
		return And(words)
	}
	return strings.Join(words[:limit], ", ") + " and " + Count(len(words)-limit) + " more"
}

// Capital begins a sentence with a capital letter.
func Capital(s string) string {
	for i, r := range s {
		return strings.ToUpper(string(r)) + s[i+len(string(r)):]
	}
	return s
}

// Moment writes a point in time to the minute, in UTC.
func Moment(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04") + " UTC" }

// Day writes the day of a point in time, in UTC.
func Day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// Bytes writes a size: "12 kB", "3.4 MB".
func Bytes(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d bytes", n)
	}
	size, names := float64(n)/unit, []string{"kB", "MB", "GB", "TB"}
	for size >= unit && len(names) > 1 {
		size, names = size/unit, names[1:]
	}
	if size < 10 {
		return fmt.Sprintf("%.1f %s", size, names[0])
	}
	return fmt.Sprintf("%.0f %s", size, names[0])
}
