package lang

import (
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	entente "github.com/entente-project/entente"
)

// Language is one language in which pages can be read.
type Language struct {
	tag         language.Tag
	name        string
	day, moment string   // layouts of package time
	months      []string // short names; nil for those of package time
	texts       map[entente.Text]forms
	pseudo      bool
}

// forms are the translations of one text by plural form; a text that depends on no
// number has "other" alone.
type forms map[plural.Form]string

// English is the language in which every text is written.
var English = &Language{tag: language.English, name: "English", day: "2 Jan 2006", moment: "2 Jan 2006, 15:04"}

// Pseudo is no language: it makes English longer and strange, so that tests see
// texts that no catalogue holds and pages that do not bear longer words.
var Pseudo = &Language{tag: language.MustParse("en-XA"), name: "Pseudo", day: "2 Jan 2006", moment: "2 Jan 2006, 15:04", pseudo: true}

// Name is what the language calls itself.
func (l *Language) Name() string { return l.name }

// Tag names the language as HTML does.
func (l *Language) Tag() string { return l.tag.String() }

func (l *Language) find(m entente.Message) string {
	text := m.Text
	if m.One != "" && m.N == 1 {
		text = m.One
	}
	if l.pseudo {
		return pseudo(string(text))
	}
	found := l.texts[m.Text]
	if m.One != "" {
		form := plural.Cardinal.MatchPlural(l.tag, m.N, 0, 0, 0, 0)
		if said, ok := found[form]; ok {
			return said
		}
	}
	if said, ok := found[plural.Other]; ok {
		return said
	}
	return string(text)
}

// date writes a time by a layout, with the language's names of months.
func (l *Language) date(t time.Time, layout string) string {
	s := t.Format(layout)
	if len(l.months) == 12 {
		s = strings.Replace(s, t.Format("Jan"), l.months[t.Month()-1], 1)
	}
	if l.pseudo {
		return pseudo(s)
	}
	return s
}

// pseudo spells a text with accents and makes it about 40 % longer; verbs stay.
func pseudo(s string) string {
	const plain, strange = "abcdeghijklnoprstuwyzABCDEGHIJKLNOPRSTUWYZ", "åƀçđéĝĥíĵķļñöþŕšţûŵýžÅƁÇĐÉĜĤÍĴĶĻÑÖÞŔŠŢÛŴÝŽ"
	to := []rune(strange)
	var b strings.Builder
	letters := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			end := i + 1
			for end < len(s) && !(s[end] >= 'a' && s[end] <= 'z' || s[end] == '%') {
				end++
			}
			end = min(end, len(s)-1)
			b.WriteString(s[i : end+1])
			i = end
			continue
		}
		if at := strings.IndexByte(plain, c); at >= 0 {
			b.WriteRune(to[at])
			letters++
			continue
		}
		b.WriteByte(c)
	}
	if letters > 1 {
		b.WriteString(strings.Repeat("·", (letters*2+4)/5))
	}
	return b.String()
}
