package draw

import (
	"cmp"
	"math"
	"slices"
)

// Sizes of a drawing in rings.
const (
	ringStep  = 34.0 // between two things, along a row and across
	ringSpace = 46.0 // between two rings, where the name of the ring stands
	ringRow   = 30.0 // more between rows of different kinds, for their names
)

// RingThing is a thing to be placed by [PlaceRings].
type RingThing struct {
	Ring int // 0 is the innermost
	Row  int // inside the ring, 0 is the innermost
	// Group keeps things together that belong together; 0 is none.
	Group int
}

// Point is a place in a drawing; the middle is 0, 0.
type Point struct{ X, Y float64 }

// Ring is one ring, from its inner to its outer edge.
type Ring struct {
	Number       int
	Inner, Outer float64
}

// PlaceRings places things in rings around the middle, every thing near what it is
// linked with further inside. Links are pairs of positions in things. It takes time
// in proportion to what there is, and gives the same for the same.
func PlaceRings(things []RingThing, links [][2]int32) ([]Point, []Ring) {
	at := make([]Point, len(things))
	angle := make([]float64, len(things))
	placed := make([]bool, len(things))
	near := make([][]int32, len(things))
	for _, l := range links {
		near[l[0]] = append(near[l[0]], l[1])
		near[l[1]] = append(near[l[1]], l[0])
	}
	type band struct{ ring, row int }
	bands := map[band][]int32{}
	var order []band
	for i, t := range things {
		b := band{t.Ring, t.Row}
		if bands[b] == nil {
			order = append(order, b)
		}
		bands[b] = append(bands[b], int32(i))
	}
	slices.SortFunc(order, func(a, b band) int { return cmp.Or(cmp.Compare(a.ring, b.ring), cmp.Compare(a.row, b.row)) })
	var rings []Ring
	groups := map[int]Point{} // the sum of directions of each group's things
	radius := 0.0
	for _, b := range order {
		members := bands[b]
		if n := len(rings); n == 0 || rings[n-1].Number != b.ring {
			if n > 0 {
				radius += ringSpace
			}
			rings = append(rings, Ring{Number: b.ring, Inner: radius})
		} else {
			radius += ringRow
		}
		if radius == 0 && len(members) == 1 {
			placed[members[0]] = true
			radius = 2 * ringStep
		} else {
			wished := make([]float64, len(members))
			for k, i := range members {
				wished[k] = wish(i, things, near, placed, angle, groups)
			}
			radius = placeBand(members, wished, max(radius, ringStep), at, angle)
			for _, i := range members {
				placed[i] = true
				if g := things[i].Group; g != 0 {
					sum := groups[g]
					groups[g] = Point{sum.X + math.Cos(angle[i]), sum.Y + math.Sin(angle[i])}
				}
			}
		}
		rings[len(rings)-1].Outer = radius
	}
	return at, rings
}

// wish is the direction in which a thing is best placed: that of what it is linked
// with, else of its group; NaN if there is nothing.
func wish(i int32, things []RingThing, near [][]int32, placed []bool, angle []float64, groups map[int]Point) float64 {
	var sum Point
	for _, n := range near[i] {
		if placed[n] && things[n].Ring+things[n].Row > 0 {
			sum = Point{sum.X + math.Cos(angle[n]), sum.Y + math.Sin(angle[n])}
		}
	}
	if g := things[i].Group; g != 0 {
		if all := groups[g]; all != (Point{}) {
			length := math.Hypot(all.X, all.Y) + 1e-9
			sum = Point{sum.X + all.X/length, sum.Y + all.Y/length}
		}
	}
	if math.Hypot(sum.X, sum.Y) < 1e-6 {
		return math.NaN()
	}
	return math.Mod(math.Atan2(sum.Y, sum.X)+2*math.Pi, 2*math.Pi)
}

// placeBand places things in as many rows as they need from a radius on, and gives
// the radius behind the last one.
func placeBand(members []int32, wished []float64, radius float64, at []Point, angle []float64) float64 {
	// Every row has the room of the innermost; where the circle closes, the first and
	// the last may stand in the same row and need the distance of a whole turn of rows.
	rows := 1
	for float64(rows)*2*math.Pi*radius/ringStep < float64(len(members)+rows-1) {
		rows++
	}
	order := make([]int, len(members))
	for k := range order {
		order[k] = k
	}
	// What wishes for nothing stands where it was given, spread evenly.
	for k := range wished {
		if math.IsNaN(wished[k]) {
			wished[k] = 2 * math.Pi * (float64(k) + 0.5) / float64(len(members))
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(wished[a], wished[b]) })
	sorted := make([]float64, len(order))
	for k, o := range order {
		sorted[k] = wished[o]
	}
	angles, cut := apart(sorted, ringStep/(float64(rows)*radius), rows)
	for k, a := range angles {
		i := members[order[k]]
		angle[i] = a
		r := radius + float64((k-cut+len(order))%len(order)%rows)*ringStep
		at[i] = Point{r * math.Cos(a), r * math.Sin(a)}
	}
	return radius + float64(rows)*ringStep
}

// apart moves angles, given in ascending order, as little as possible until any two
// are a gap apart. The circle is cut where it is emptiest, before the one at cut;
// there they are as many gaps apart as there are rows.
func apart(wished []float64, gap float64, rows int) (angles []float64, cut int) {
	n := len(wished)
	widest := -1.0
	for k := range n {
		next := wished[(k+1)%n]
		if k == n-1 {
			next += 2 * math.Pi
		}
		if d := next - wished[k]; d > widest {
			cut, widest = (k+1)%n, d
		}
	}
	// Without the gaps, the best angles that never fall are found by pooling those
	// that do (isotonic regression).
	type pool struct {
		sum   float64
		count int
	}
	var pools []pool
	for k := range n {
		a := wished[(cut+k)%n]
		if cut+k >= n {
			a += 2 * math.Pi
		}
		pools = append(pools, pool{a - float64(k)*gap, 1})
		for m := len(pools); m > 1 && pools[m-2].sum/float64(pools[m-2].count) > pools[m-1].sum/float64(pools[m-1].count); m = len(pools) {
			pools[m-2].sum += pools[m-1].sum
			pools[m-2].count += pools[m-1].count
			pools = pools[:m-1]
		}
	}
	found := make([]float64, 0, n)
	for _, p := range pools {
		for range p.count {
			found = append(found, p.sum/float64(p.count)+float64(len(found))*gap)
		}
	}
	// More than the whole circle: the same distance between all.
	if span := found[n-1] - found[0]; span > 2*math.Pi-float64(rows)*gap+1e-9 {
		first := found[0]
		for k := range found {
			found[k] = first + 2*math.Pi*float64(k)/float64(n+rows-1)
		}
	}
	out := make([]float64, n)
	for k := range n {
		out[(cut+k)%n] = found[k]
	}
	return out, cut
}
