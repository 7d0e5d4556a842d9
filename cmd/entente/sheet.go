package main

import (
	"bufio"
	"fmt"
	"strings"
	"unicode/utf8"
)

// sheet lays text out in columns for people: headings, labelled rows, hanging
// indents. Errors of the writer are kept until flush.
type sheet struct {
	w      *bufio.Writer
	width  int
	colour bool
}

func (c *console) sheet() *sheet {
	return &sheet{w: bufio.NewWriter(c.out), width: c.width, colour: c.outTerm}
}

func (s *sheet) flush() error { return s.w.Flush() }

// style is a terminal attribute; it is left out where there is no terminal.
type style string

const (
	plain style = ""
	bold  style = "1"
	faint style = "2"
	red   style = "1;31"
	amber style = "33"
)

func (s *sheet) styled(st style, text string) string {
	if !s.colour || st == plain || text == "" {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

func (s *sheet) blank() { fmt.Fprintln(s.w) }

// line writes one paragraph, broken at spaces, whose further lines hang by indent.
func (s *sheet) line(st style, first string, indent int, text string) {
	if margin := len(text) - len(strings.TrimLeft(text, " ")); first == "" && margin > 0 {
		fmt.Fprintln(s.w, s.styled(st, strings.Join(s.hung(text, margin, indent), "\n")))
		return
	}
	room := max(s.width-indent, 20)
	for i, part := range wrap(text, room) {
		lead := strings.Repeat(" ", indent)
		if i == 0 {
			lead = first + strings.Repeat(" ", max(indent-utf8.RuneCountInString(first), 0))
		}
		fmt.Fprintln(s.w, strings.TrimRight(lead+s.styled(st, part), " "))
	}
}

// hung breaks a text that begins with a margin of its own.
func (s *sheet) hung(text string, margin, indent int) []string {
	parts := wrap(text, max(s.width-indent, 20))
	for i := range parts {
		if i == 0 {
			parts[i] = strings.Repeat(" ", margin) + parts[i]
			continue
		}
		parts[i] = strings.Repeat(" ", indent) + parts[i]
	}
	return parts
}

const labelWidth = 11

// row writes a labelled paragraph.
func (s *sheet) row(label string, st style, format string, args ...any) {
	s.line(st, "  "+label, 2+labelWidth, fmt.Sprintf(format, args...))
}

// sub writes a paragraph below a row, with a marker of its own.
func (s *sheet) sub(marker string, st style, format string, args ...any) {
	indent := 2 + labelWidth + utf8.RuneCountInString(marker)
	s.line(st, strings.Repeat(" ", 2+labelWidth)+marker, indent, fmt.Sprintf(format, args...))
}

// kept joins what a line break must not part.
func kept(text string) string { return strings.ReplaceAll(text, " ", "\u00a0") }

// wrap breaks text at spaces, but not at those of [kept], into lines of at most
// width characters; a longer word gets a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line, length := "", 0
	for word := range strings.SplitSeq(text, " ") {
		if word == "" {
			continue
		}
		word = strings.ReplaceAll(word, "\u00a0", " ")
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
			line, length = word, n
		case length+1+n <= width:
			line, length = line+" "+word, length+1+n
		default:
			lines = append(lines, line)
			line, length = word, n
		}
	}
	return append(lines, line)
}

// visible replaces what would command the terminal: file names and texts come from
// outside.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '�'
		}
		return r
	}, text)
}

// plural gives "1 product", "5 products".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(int64(n)) + " " + many
}

// grouped writes a number with thin groups of thousands: 1 234 567.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "\u00a0" + text[i:]
	}
	return sign + text
}
