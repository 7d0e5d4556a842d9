package search

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// entry is one thing that can be found, with its words folded.
type entry struct {
	Hit
	name  string // folded
	other string // what else it is found by, folded
}

func newEntry(h Hit, others ...string) entry {
	return entry{Hit: h, name: fold(h.Name), other: fold(h.ID + " " + strings.Join(others, " "))}
}

// fold makes texts alike that people take for the same: in lower case, without
// accents.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'ß':
			b.WriteString("ss")
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// wordsOf takes a query apart.
func wordsOf(text string) []string {
	if len(text) > MaxQuery {
		text = strings.ToValidUTF8(text[:MaxQuery], "")
	}
	words := strings.Fields(fold(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", " "), "")))
	return words[:min(len(words), maxWords)]
}

// How well an entry answers a query, the best first.
const (
	whole    = iota // it is called so
	begins          // its name begins so
	aWord           // a word of its name begins so
	inName          // its name holds all words
	anywhere        // it is found by something else
	levels
)

// fits says how well an entry answers; levels if it does not.
func (e *entry) fits(words []string, phrase string) int {
	within := true
	for _, w := range words {
		if !strings.Contains(e.name, w) {
			within = false
			if !strings.Contains(e.other, w) {
				return levels
			}
		}
	}
	switch {
	case e.name == phrase:
		return whole
	case strings.HasPrefix(e.name, phrase):
		return begins
	case !within:
		return anywhere
	}
	for rest := e.name; ; {
		at := strings.Index(rest, phrase)
		if at < 0 {
			return inName
		}
		if at > 0 && !letter(rest[at-1]) {
			return aWord
		}
		rest = rest[at+1:]
	}
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80
}

// sortEntries brings entries into the order in which equally good ones are told.
func sortEntries(all []entry) {
	slices.SortStableFunc(all, func(a, b entry) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// match gives the best of sorted entries, and whether there are
// more. It passes over all of them once and keeps no more than limit of each level.
func match(sorted []entry, words []string, limit int) (hits []Hit, more bool) {
	phrase := strings.Join(words, " ")
	var at [levels][]int
	total := 0
	for i := range sorted {
		level := sorted[i].fits(words, phrase)
		if level == levels || len(at[level]) > limit {
			continue
		}
		at[level] = append(at[level], i)
		total++
	}
	for _, places := range at {
		for _, i := range places {
			if len(hits) == limit {
				return hits, true
			}
			hits = append(hits, sorted[i].Hit)
		}
	}
	return hits, total > limit
}
