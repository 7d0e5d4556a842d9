package draw

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the things, no two stand in one place, every thing stands in its ring,
// rings do not overlap, and the same input gives the same places.
func TestRingsKeepThingsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		things := make([]RingThing, rapid.IntRange(1, 300).Draw(t, "things"))
		for i := range things {
			things[i] = RingThing{Ring: rapid.IntRange(0, 4).Draw(t, "ring"), Row: rapid.IntRange(0, 3).Draw(t, "row"), Group: rapid.IntRange(0, 9).Draw(t, "group")}
		}
		var links [][2]int32
		for range rapid.IntRange(0, 400).Draw(t, "links") {
			links = append(links, [2]int32{int32(rapid.IntRange(0, len(things)-1).Draw(t, "from")), int32(rapid.IntRange(0, len(things)-1).Draw(t, "to"))})
		}
		at, rings := PlaceRings(things, links)
		again, _ := PlaceRings(things, links)
		byNumber := map[int]Ring{}
		for i, r := range rings {
			byNumber[r.Number] = r
			if i > 0 && r.Inner <= rings[i-1].Outer {
				t.Fatalf("ring %d begins inside ring %d", r.Number, rings[i-1].Number)
			}
		}
		for i, p := range at {
			r := byNumber[things[i].Ring]
			if d := math.Hypot(p.X, p.Y); math.IsNaN(d) || d < r.Inner-1e-6 || d > r.Outer+1e-6 {
				t.Fatalf("thing %d stands at %.1f, outside of its ring from %.1f to %.1f", i, d, r.Inner, r.Outer)
			}
			if p != again[i] {
				t.Fatalf("thing %d stands at %v and at %v", i, p, again[i])
			}
			for j, q := range at[:i] {
				if d := math.Hypot(p.X-q.X, p.Y-q.Y); d < 8 {
					t.Fatalf("things %d and %d are %.1f apart", i, j, d)
				}
			}
		}
	})
}

// A thing stands near what it is linked with.
func TestRingsPlaceLinkedThingsTogether(t *testing.T) {
	var things []RingThing
	var links [][2]int32
	for i := range 12 {
		things = append(things, RingThing{Ring: 0, Row: 1})
		links = append(links, [2]int32{int32(i), int32(12 + (i*5)%12)})
	}
	for range 12 {
		things = append(things, RingThing{Ring: 1})
	}
	at, _ := PlaceRings(things, links)
	for _, l := range links {
		a, b := math.Atan2(at[l[0]].Y, at[l[0]].X), math.Atan2(at[l[1]].Y, at[l[1]].X)
		if d := math.Abs(math.Remainder(a-b, 2*math.Pi)); d > 0.1 {
			t.Errorf("%d and %d stand %.2f apart", l[0], l[1], d)
		}
	}
}
