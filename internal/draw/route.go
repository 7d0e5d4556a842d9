package draw

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Sizes of edges and their labels.
const (
	labelWidth  = 6.7 // of one character at 12 px, rather too much
	labelLine   = 14
	labelPad    = 3
	labelWrap   = 18
	curvePoints = 48
)

type point struct{ x, y float64 }

// area is a rectangle.
type area struct{ x, y, w, h int }

func (a area) meets(b area) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

func (a area) wider(by int) area { return area{a.x - by, a.y - by, a.w + 2*by, a.h + 2*by} }

func (a area) holds(p point) bool {
	return p.x > float64(a.x) && p.x < float64(a.x+a.w) && p.y > float64(a.y) && p.y < float64(a.y+a.h)
}

func (b *box) area() area { return area{b.x, b.y, b.w, b.h} }

// route is where an edge runs, and where its label stands.
type route struct {
	edge   *Edge
	path   string
	points []point
	around area     // that the edge runs in
	lines  []string // of the label
	label  area
}

// ends are the points at which an edge leaves and enters its boxes; a sign says on
// which side: 1 is right.
type ends struct {
	from, to         *box
	x1, y1, x2, y2   int
	leaves, entering int
}

// routes lets every edge run around the boxes, and places the labels so that they
// cover neither boxes nor one another. It may make the drawing larger.
func (p *placed) routes() []route {
	all := make([]route, len(p.edges))
	found := p.ports()
	var m *maze
	for i, e := range found {
		all[i] = route{edge: &p.edges[i]}
		all[i].path, all[i].points = e.curve()
		if !p.runsThrough(all[i].points, e) {
			continue
		}
		if m == nil {
			m = newMaze(p, found)
		}
		if way := m.way(e); way != nil {
			all[i].path, all[i].points = rounded(way)
		}
	}
	for i := range all {
		all[i].around = around(all[i].points)
	}
	p.placeLabels(all)
	return all
}

func around(points []point) area {
	left, top, right, bottom := points[0].x, points[0].y, points[0].x, points[0].y
	for _, p := range points {
		left, right = min(left, p.x), max(right, p.x)
		top, bottom = min(top, p.y), max(bottom, p.y)
	}
	return area{int(left) - 1, int(top) - 1, int(right-left) + 3, int(bottom-top) + 3}
}

// ports spreads the ends of edges along the sides of the boxes, in the order of what
// they lead to.
func (p *placed) ports() []ends {
	type side struct {
		b     *box
		right bool
	}
	type port struct {
		y     *int
		other int
	}
	found := make([]ends, len(p.edges))
	sides := map[side][]port{}
	for i := range p.edges {
		from, to := p.boxes[p.edges[i].From], p.boxes[p.edges[i].To]
		e := ends{from: from, to: to, leaves: 1, entering: 1}
		switch {
		case to.x >= from.x+from.w:
			e.entering = -1
		case to.x+to.w <= from.x:
			e.leaves = -1
		}
		e.x1, e.x2 = from.side(e.leaves), to.side(e.entering)
		found[i] = e
		leaving, entered := side{from, e.leaves > 0}, side{to, e.entering > 0}
		sides[leaving] = append(sides[leaving], port{&found[i].y1, to.y + to.h/2})
		sides[entered] = append(sides[entered], port{&found[i].y2, from.y + from.h/2})
	}
	for s, ports := range sides {
		slices.SortStableFunc(ports, func(a, b port) int { return cmp.Compare(a.other, b.other) })
		for k, at := range ports {
			*at.y = s.b.y + s.b.h*(k+1)/(len(ports)+1)
		}
	}
	return found
}

func (b *box) side(sign int) int {
	if sign > 0 {
		return b.x + b.w
	}
	return b.x
}

// curve is the plain way of an edge.
func (e ends) curve() (string, []point) {
	bend := max(28, abs(e.x2-e.x1)/2)
	c1, c2 := e.x1+e.leaves*bend, e.x2+e.entering*bend
	if e.leaves == e.entering {
		c1 = max(e.x1, e.x2) + 56
		c2 = c1
	}
	path := fmt.Sprintf("M%d %dC%d %d %d %d %d %d", e.x1, e.y1, c1, e.y1, c2, e.y2, e.x2, e.y2)
	points := make([]point, curvePoints+1)
	for i := range points {
		t := float64(i) / curvePoints
		a, b, c, d := (1-t)*(1-t)*(1-t), 3*(1-t)*(1-t)*t, 3*(1-t)*t*t, t*t*t
		points[i] = point{a*float64(e.x1) + b*float64(c1) + c*float64(c2) + d*float64(e.x2), (a+b)*float64(e.y1) + (c+d)*float64(e.y2)}
	}
	return path, points
}

// runsThrough says whether a way runs through a box or the name of a boundary.
func (p *placed) runsThrough(points []point, e ends) bool {
	run := around(points)
	for _, b := range p.order {
		a := b.area().wider(3)
		if b == e.from || b == e.to {
			a = b.area().wider(-2)
		}
		if !a.meets(run) {
			continue
		}
		for _, at := range points {
			if a.holds(at) {
				return true
			}
		}
	}
	for _, c := range p.clusters {
		if c.group != nil && c.title().meets(run) && slices.ContainsFunc(points, c.title().holds) {
			return true
		}
	}
	return false
}

// rounded draws a way of straight lines with round corners.
func rounded(way []point) (string, []point) {
	const radius = 9.0
	var b strings.Builder
	fmt.Fprintf(&b, "M%.0f %.0f", way[0].x, way[0].y)
	for i := 1; i+1 < len(way); i++ {
		before, at, after := way[i-1], way[i], way[i+1]
		r := min(radius, distance(before, at)/2, distance(at, after)/2)
		in, out := toward(at, before, r), toward(at, after, r)
		fmt.Fprintf(&b, "L%.0f %.0fQ%.0f %.0f %.0f %.0f", in.x, in.y, at.x, at.y, out.x, out.y)
	}
	last := way[len(way)-1]
	fmt.Fprintf(&b, "L%.0f %.0f", last.x, last.y)
	var points []point
	for i := 1; i < len(way); i++ {
		steps := max(1, int(distance(way[i-1], way[i])/10))
		for k := range steps {
			points = append(points, toward(way[i-1], way[i], distance(way[i-1], way[i])*float64(k)/float64(steps)))
		}
	}
	return b.String(), append(points, last)
}

func distance(a, b point) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// toward is the point at a distance from one on the way to another.
func toward(from, to point, far float64) point {
	d := distance(from, to)
	if d == 0 {
		return from
	}
	return point{from.x + (to.x-from.x)*far/d, from.y + (to.y-from.y)*far/d}
}

func abs(n int) int { return max(n, -n) }

// placeLabels gives every label a place on its edge, or as near to it as there is
// room: over no box, no title and no other label.
func (p *placed) placeLabels(all []route) {
	var taken []area
	for _, b := range p.order {
		taken = append(taken, b.area().wider(4))
	}
	for _, c := range p.clusters {
		if c.group != nil {
			taken = append(taken, c.title())
		}
	}
	clear := func(a area) bool {
		return a.x >= 2 && a.y >= 2 && !slices.ContainsFunc(taken, a.meets)
	}
	// The shortest edges have the least choice.
	order := make([]int, 0, len(all))
	for i := range all {
		if all[i].edge.Label != "" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(length(all[a].points), length(all[b].points)) })
	for _, i := range order {
		r := &all[i]
		r.lines = wrap(r.edge.Label, labelWrap)
		longest := 0
		for _, line := range r.lines {
			longest = max(longest, utf8.RuneCountInString(line))
		}
		w, h := int(float64(longest)*labelWidth)+2*labelPad, labelLine*len(r.lines)+2*labelPad
		r.label = p.room(all, i, w, h, clear)
		taken = append(taken, r.label.wider(2))
		p.w, p.h = max(p.w, r.label.x+w+margin), max(p.h, r.label.y+h+margin)
	}
}

// title is where a boundary's name stands.
func (c *cluster) title() area {
	return area{c.x + groupPad - 4, c.y + groupTitle - 18, 8*utf8.RuneCountInString(c.group.Label) + 8, 20}
}

// along is where on an edge a label is tried, the best first.
var along = []float64{.5, .42, .58, .34, .66, .27, .73, .2, .8, .13, .87}

// room finds a place for a label: on the edge where it crosses the fewest others,
// else ever farther from it, and at last below everything.
func (p *placed) room(all []route, own, w, h int, clear func(area) bool) area {
	points := all[own].points
	best, least := area{}, math.MaxInt
	for n, t := range along {
		at := points[int(t*float64(len(points)-1))]
		a := area{int(at.x) - w/2, int(at.y) - h/2, w, h}
		if !clear(a) {
			continue
		}
		if cost := 3*crossed(all, own, a) + n; cost < least {
			best, least = a, cost
		}
	}
	if least < math.MaxInt {
		return best
	}
	for far := 8; far <= 160; far += 8 {
		for _, t := range along {
			at := points[int(t*float64(len(points)-1))]
			for _, d := range [][2]int{{0, -far}, {0, far}, {-far, 0}, {far, 0}, {-far, -far}, {far, far}, {far, -far}, {-far, far}} {
				a := area{int(at.x) - w/2 + d[0], int(at.y) - h/2 + d[1], w, h}
				if clear(a) {
					return a
				}
			}
		}
	}
	a := area{max(2, int(points[len(points)/2].x)-w/2), p.h - margin/2, w, h}
	for !clear(a) {
		a.y += h / 2
	}
	return a
}

// crossed counts the other edges that run below a label.
func crossed(all []route, own int, a area) int {
	n := 0
	for i := range all {
		if i != own && a.meets(all[i].around) && slices.ContainsFunc(all[i].points, a.holds) {
			n++
		}
	}
	return n
}

func length(points []point) float64 {
	sum := 0.0
	for i := 1; i < len(points); i++ {
		sum += distance(points[i-1], points[i])
	}
	return sum
}
