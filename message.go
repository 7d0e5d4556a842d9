package entente

import (
	"fmt"
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

// Say makes a message.
func Say(text Text, args ...any) Message { return Message{Text: text, Args: args} }

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
	text := m.Text
	if m.One != "" && m.N == 1 {
		text = m.One
	}
	if len(m.Args) == 0 {
		return strings.ReplaceAll(string(text), "%%", "%")
	}
	return fmt.Sprintf(string(text), m.Args...)
}

// MarshalText writes it in English.
func (m Message) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

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
func (l List) String() string {
	return l.In(func(t Text) string { return string(t) }, func(item any) string { return fmt.Sprint(item) })
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
