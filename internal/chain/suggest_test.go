package chain

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestClosest(t *testing.T) {
	known := []string{"name", "note", "needs", "bean-procurement", "kind"}
	for s, want := range map[string]string{
		"nmae": "name", "nam": "name", "bean-procurment": "bean-procurement", "kinds": "kind", "quite-another": "", "": "", "x": "",
	} {
		if got := closest(s, slices.Values(known)); got != want {
			t.Errorf("%q is taken for %q instead of %q", s, got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	var slow func(a, b string) int
	slow = func(a, b string) int {
		switch {
		case a == "":
			return len(b)
		case b == "":
			return len(a)
		case a[0] == b[0]:
			return slow(a[1:], b[1:])
		}
		return 1 + min(slow(a[1:], b), slow(a, b[1:]), slow(a[1:], b[1:]))
	}
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abc")), 0, 7, -1)
	rapid.Check(t, func(rt *rapid.T) {
		a, b, limit := text.Draw(rt, "a"), text.Draw(rt, "b"), rapid.IntRange(0, 4).Draw(rt, "limit")
		var row []int
		got := editDistance(a, b, limit, &row)
		if want := min(slow(a, b), limit+1); got != want {
			rt.Fatalf("%q and %q differ by %d, not %d (limit %d)", a, b, want, got, limit)
		}
	})
}
