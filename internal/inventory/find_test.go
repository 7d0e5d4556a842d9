package inventory

import (
	"fmt"
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// A part of a name is found, in the documents of today and no others, also after more
// were recorded: the names in memory never fall behind.
func TestPackagesAreFoundByAPartOfTheirName(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		find := func(limit int, words ...string) (names []string, more bool) {
			t.Helper()
			list, more, err := s.FindPackages(t.Context(), analyst, words, limit)
			if err != nil {
				t.Fatal(err)
			}
			for i := range list {
				names = append(names, list[i].Title()+"@"+list[i].Version)
			}
			return names, more
		}
		expect := func(names []string, words ...string) {
			t.Helper()
			if got, more := find(200, words...); !slices.Equal(got, names) || more {
				t.Errorf("%q: found %q (more: %v), want %q", words, got, more, names)
			}
		}
		record(t, s, "portal", cyclone(lib("left-pad", "1.0.0"), lib("Padlock", "2.1.0-RC1"), lib("other", "1.0.0")))
		expect([]string{"left-pad@1.0.0", "Padlock@2.1.0-RC1"}, "pad")
		expect([]string{"Padlock@2.1.0-RC1"}, "pad", "rc1")
		expect([]string{"Padlock@2.1.0-RC1"}, "PAD", "2.1")
		expect(nil, "1.0.0") // a version alone is no name
		expect(nil, "%")
		expect(nil, "d\x002")

		record(t, s, "scale", cyclone(lib("pad", "3.0.0"), lib("left-pad", "1.0.0")))
		expect([]string{"left-pad@1.0.0", "pad@3.0.0", "Padlock@2.1.0-RC1"}, "pad")
		record(t, s, "portal", cyclone(lib("other", "1.0.0")))
		expect([]string{"left-pad@1.0.0", "pad@3.0.0"}, "pad")
		if got, more := find(1, "pad"); len(got) != 1 || got[0] != "left-pad@1.0.0" || !more {
			t.Errorf("found %q, more: %v", got, more)
		}
		// More than are looked up at once, many of them not current any more.
		var old, now []string
		var want []string
		for i := range 100 {
			old = append(old, lib(fmt.Sprintf("many-%03d", i), "1.0.0"))
			now = append(now, lib(fmt.Sprintf("many-%03d", i), "2.0.0"))
			want = append(want, fmt.Sprintf("many-%03d@2.0.0", i))
		}
		record(t, s, "portal", cyclone(old...))
		record(t, s, "portal", cyclone(now...))
		expect(want, "many")
		if got, more := find(70, "many"); !slices.Equal(got, want[:70]) || !more {
			t.Errorf("%d found, more: %v", len(got), more)
		}
	})
}

// What is kept in memory stays within its bound; the one asked for last stays.
func TestNamesStayWithinTheirBound(t *testing.T) {
	var d dictionaries
	d.put("one", &names{last: 1, bytes: mostNames / 2})
	d.put("two", &names{last: 1, bytes: mostNames})
	if d.known["one"] != nil || d.known["two"] == nil {
		t.Errorf("kept: %v", d.known)
	}
	d.put("two", &names{last: 3})
	d.put("two", &names{last: 2})
	if d.known["two"].last != 3 {
		t.Error("older names took the place of newer ones")
	}
}
