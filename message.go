package entente

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Text is a text that people read, in English: what is said where no translation is
// at hand, and the key under which catalogues hold its translations. It may have the
// verbs of [fmt]; translations may order them anew ("%[2]s"). Only constants are
// texts: names and other data go into the arguments.
type Text string

// Message is a text with what it is about, kept apart so that every door says it in
// its reader's language. Arguments may be messages themselves.
type Message struct {
	Text Text
	Args []any
	// One is said instead of Text when N is one; without One there is no number that
	// the text depends on. Languages with more forms choose theirs by N.
	One Text
	N   int
}

// Say makes a message. An argument that is an error is told as by [MessageOf].
func Say(text Text, args ...any) Message {
	cloned := false
	for i, a := range args {
		err, is := a.(error)
		if !is {
			continue
		}
		if !cloned {
			args, cloned = slices.Clone(args), true
		}
		args[i] = MessageOf(err)
	}
	return Message{Text: text, Args: args}
}

// Plural makes a message that depends on a number; without arguments, the number is
// the one argument: Plural(3, "%d process", "%d processes").
func Plural(n int, one, other Text, args ...any) Message {
	if len(args) == 0 {
		args = []any{n}
	}
	return Message{Text: other, One: one, N: n, Args: args}
}

// Blank says whether the message says nothing.
func (m Message) Blank() bool { return m.Text == "" }

// String says it in English.
func (m Message) String() string {
	if len(m.Args) == 0 {
		text := m.Text
		if m.One != "" && m.N == 1 {
			text = m.One
		}
		return strings.ReplaceAll(string(text), "%%", "%")
	}
	return string(m.appendTo(make([]byte, 0, 128)))
}

// appendTo writes what [fmt.Sprintf] would. Words are made for every hop of many
// ways, of names and other messages nearly always, so these are written at once.
func (m Message) appendTo(b []byte) []byte {
	text := m.Text
	if m.One != "" && m.N == 1 {
		text = m.One
	}
	begin, next, rest := len(b), 0, string(text)
	for {
		at := strings.IndexByte(rest, '%')
		if at < 0 {
			break
		}
		b = append(b, rest[:at]...)
		end := at + 1
		for end < len(rest) && rest[end] != '%' && !(rest[end] >= 'a' && rest[end] <= 'z' || rest[end] >= 'A' && rest[end] <= 'Z') {
			end++
		}
		verb := rest[at:min(end+1, len(rest))]
		switch {
		case verb == "%%":
			b = append(b, '%')
		case len(m.Args) == 0:
			b = append(b, verb...)
		case next == len(m.Args) || strings.ContainsAny(verb, "[*"):
			return fmt.Appendf(b[:begin], text.Format(), m.Args...)
		default:
			b = appendArg(b, verb, m.Args[next])
			next++
		}
		rest = rest[at+len(verb):]
	}
	if next < len(m.Args) {
		return fmt.Appendf(b[:begin], text.Format(), m.Args...)
	}
	return append(b, rest...)
}

func appendArg(b []byte, verb string, arg any) []byte {
	switch verb {
	case "%s", "%v", "%w":
		switch a := arg.(type) {
		case string:
			return append(b, a...)
		case Text:
			return append(b, a...)
		case Message:
			return a.appendTo(b)
		case List:
			return a.appendTo(b)
		}
	case "%d":
		if n, ok := arg.(int); ok {
			return strconv.AppendInt(b, int64(n), 10)
		}
	}
	return fmt.Appendf(b, Text(verb).Format(), arg)
}

// Format gives the text as [fmt.Sprintf] takes it: "%w", by which the text of an
// [Error] shows its cause, is like "%s".
func (t Text) Format() string { return strings.ReplaceAll(string(t), "%w", "%s") }

// MarshalText writes it in English.
func (m Message) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText wrote; it stays in English.
func (m *Message) UnmarshalText(text []byte) error {
	*m = Message{}
	if len(text) > 0 {
		*m = Say("%s", string(text))
	}
	return nil
}

// List is an argument of a [Message]: several things in one phrase. Items may be
// messages.
type List struct {
	Items []any
	// Join stands between two items; the joins of [And] and [Or] are told by language.
	Join Text
	// Last stands before the last item instead.
	Last Text
}

// And joins items: "a", "a and b", "a, b and c".
func And[T any](items []T) List { return joined(items, ", ", " and ") }

// Or joins items: "a", "a or b", "a, b or c".
func Or[T any](items []T) List { return joined(items, ", ", " or ") }

// Joined puts the same between all items.
func Joined[T any](items []T, join Text) List { return joined(items, join, join) }

func joined[T any](items []T, join, last Text) List {
	l := List{Items: make([]any, len(items)), Join: join, Last: last}
	for i := range items {
		l.Items[i] = items[i]
	}
	return l
}

// String says it in English.
func (l List) String() string { return string(l.appendTo(nil)) }

func (l List) appendTo(b []byte) []byte {
	for i, item := range l.Items {
		switch {
		case i == 0:
		case i == len(l.Items)-1:
			b = append(b, l.Last...)
		default:
			b = append(b, l.Join...)
		}
		b = appendArg(b, "%v", item)
	}
	return b
}

// In says it in a language that knows how to say texts and items.
func (l List) In(text func(Text) string, item func(any) string) string {
	var b strings.Builder
	for i, one := range l.Items {
		switch {
		case i == 0:
		case i == len(l.Items)-1:
			b.WriteString(text(l.Last))
		default:
			b.WriteString(text(l.Join))
		}
		b.WriteString(item(one))
	}
	return b.String()
}
