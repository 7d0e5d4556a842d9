package search

import (
	"fmt"
	"strings"
	"testing"
)

func entries(names ...string) []entry {
	var all []entry
	for i, n := range names {
		all = append(all, newEntry(Hit{Kind: System, ID: fmt.Sprint("s", i), Name: n}, "own words"))
	}
	sortEntries(all)
	return all
}

func TestMatchTellsTheBestFirst(t *testing.T) {
	all := entries("Old portal", "Portal", "Portal of procurement", "Transportal", "Rösterei Straße", "Something")
	for query, want := range map[string]string{
		"portal":       "Portal, Portal of procurement, Old portal, Transportal",
		"PORTAL old":   "Old portal",
		"rosterei":     "Rösterei Straße",
		"röst strasse": "Rösterei Straße",
		"words thing":  "Something",
		"s5":           "Something",
		"nowhere":      "",
		"portal zebra": "",
	} {
		hits, more := match(all, wordsOf(query), 10)
		var names []string
		for _, h := range hits {
			names = append(names, h.Name)
		}
		if got := strings.Join(names, ", "); got != want || more {
			t.Errorf("%q: %q (more %v); want %q", query, got, more, want)
		}
	}
	hits, more := match(all, wordsOf("portal"), 2)
	if len(hits) != 2 || !more || hits[0].Name != "Portal" {
		t.Errorf("two of four: %v, more %v", hits, more)
	}
	hits, more = match(all, wordsOf("portal"), 4)
	if len(hits) != 4 || more {
		t.Errorf("four of four: %v, more %v", hits, more)
	}
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"portal", "ß", "\xff\xfe", "a\x00b", strings.Repeat("ö ", 300), "İ"} {
		f.Add(s)
	}
	all := entries("Portal", "Rösterei Straße", "a b c")
	f.Fuzz(func(t *testing.T, text string) {
		words := wordsOf(text)
		if len(words) > maxWords {
			t.Fatalf("%d words", len(words))
		}
		hits, _ := match(all, words, 2)
		if len(words) > 0 && len(hits) > 2 {
			t.Fatalf("%d hits", len(hits))
		}
		for _, e := range all {
			if got, _ := match(all, wordsOf(e.Name), 3); len(got) == 0 || got[0].Name != e.Name {
				t.Fatalf("%q does not find itself", e.Name)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	var names []string
	for i := range 100_000 {
		names = append(names, fmt.Sprintf("Supplier %d of things and services", i))
	}
	all := entries(names...)
	for b.Loop() {
		match(all, []string{"services", "99"}, 5)
	}
}
