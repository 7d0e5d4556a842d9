package draw

import "slices"

const (
	mazeBudget = 60_000 // steps for all edges of a drawing: some ten milliseconds
	mazeSpace  = 6      // from a box to an edge that runs past it
	mazeTurn   = 40     // a corner costs as much as so many pixels
	mazeShared = 3      // running where another edge runs costs so many times the way
	mazePort   = 14     // how far an edge runs straight before its first corner
)

// maze is the lines between the boxes on which edges can run around them.
type maze struct {
	xs, ys []int
	// Whether the piece of a line is blocked by a box, and how many edges run there:
	// to the right of, and below, each crossing.
	right, below   []bool
	rights, belows []uint8
	budget         int
	// What the cheapest way to a crossing costs in the present search, by the way in
	// which it is entered; entries of other searches count for nothing.
	best   []stamped
	search int32
	all    []stand
	queue  stands
}

type stamped struct{ search, cost int32 }

func newMaze(p *placed, all []ends) *maze {
	m := &maze{budget: mazeBudget}
	for _, b := range p.order {
		m.xs = append(m.xs, b.x-mazePort, b.x-2*mazePort, b.x+b.w+mazePort, b.x+b.w+2*mazePort)
		m.ys = append(m.ys, b.y-mazeSpace-2, b.y+b.h+mazeSpace+2)
	}
	for _, e := range all {
		m.ys = append(m.ys, e.y1, e.y2)
	}
	for _, c := range p.clusters {
		m.ys = append(m.ys, c.y-mazeSpace, c.y+c.h+mazeSpace)
	}
	slices.Sort(m.xs)
	slices.Sort(m.ys)
	m.xs, m.ys = slices.Compact(m.xs), slices.Compact(m.ys)
	size := len(m.xs) * len(m.ys)
	m.right, m.below = make([]bool, size), make([]bool, size)
	m.rights, m.belows = make([]uint8, size), make([]uint8, size)
	m.best = make([]stamped, 2*size)
	solid := make([]area, 0, len(p.order)+len(p.clusters))
	for _, b := range p.order {
		solid = append(solid, b.area().wider(mazeSpace))
	}
	for _, c := range p.clusters {
		if c.group != nil {
			solid = append(solid, c.title())
		}
	}
	for _, a := range solid {
		// Only the crossings around the box can be blocked by it.
		x0, _ := slices.BinarySearch(m.xs, a.x)
		x1, _ := slices.BinarySearch(m.xs, a.x+a.w)
		y0, _ := slices.BinarySearch(m.ys, a.y)
		y1, _ := slices.BinarySearch(m.ys, a.y+a.h)
		for i := max(x0-1, 0); i < x1; i++ {
			for j := max(y0-1, 0); j < y1; j++ {
				x, y := m.xs[i], m.ys[j]
				if i+1 < len(m.xs) && y > a.y && y < a.y+a.h && x < a.x+a.w && m.xs[i+1] > a.x {
					m.right[m.at(i, j)] = true
				}
				if j+1 < len(m.ys) && x > a.x && x < a.x+a.w && y < a.y+a.h && m.ys[j+1] > a.y {
					m.below[m.at(i, j)] = true
				}
			}
		}
	}
	return m
}

func (m *maze) at(i, j int) int { return j*len(m.xs) + i }

// stand is a crossing with the direction in which it was entered, and what it cost.
type stand struct {
	at, from int32 // place among all stands ever made
	cross    int32
	upright  bool
	cost     int32
	total    int32
}

// way finds the cheapest way between the ends of an edge; nil if there is none, or if
// the budget of the drawing is used up.
func (m *maze) way(e ends) []point {
	i1, _ := slices.BinarySearch(m.xs, e.x1+e.leaves*mazePort)
	i2, _ := slices.BinarySearch(m.xs, e.x2+e.entering*mazePort)
	j1, _ := slices.BinarySearch(m.ys, e.y1)
	j2, _ := slices.BinarySearch(m.ys, e.y2)
	goal := int32(m.at(i2, j2))
	ahead := func(cross int32) int32 {
		i, j := int(cross)%len(m.xs), int(cross)/len(m.xs)
		return int32(abs(m.xs[i]-m.xs[i2]) + abs(m.ys[j]-m.ys[j2]))
	}
	m.search++
	m.all, m.queue = m.all[:0], m.queue[:0]
	push := func(cross int32, upright bool, cost, from int32) {
		key := 2 * cross
		if upright {
			key++
		}
		if known := m.best[key]; known.search == m.search && known.cost <= cost {
			return
		}
		m.best[key] = stamped{m.search, cost}
		s := stand{at: int32(len(m.all)), from: from, cross: cross, upright: upright, cost: cost, total: cost + ahead(cross)}
		m.all = append(m.all, s)
		m.queue.push(s)
	}
	push(int32(m.at(i1, j1)), false, 0, -1)
	for len(m.queue) > 0 && m.budget > 0 {
		m.budget--
		s := m.queue.pop()
		if s.cross == goal {
			return m.trace(s, e)
		}
		i, j := int(s.cross)%len(m.xs), int(s.cross)/len(m.xs)
		step := func(ni, nj int, upright, blocked bool, used uint8) {
			if blocked {
				return
			}
			far := int32(abs(m.xs[ni]-m.xs[i]) + abs(m.ys[nj]-m.ys[j]))
			cost := s.cost + far*(1+mazeShared*int32(used))
			if upright != s.upright {
				cost += mazeTurn
			}
			push(int32(m.at(ni, nj)), upright, cost, s.at)
		}
		if i+1 < len(m.xs) {
			step(i+1, j, false, m.right[m.at(i, j)], m.rights[m.at(i, j)])
		}
		if i > 0 {
			step(i-1, j, false, m.right[m.at(i-1, j)], m.rights[m.at(i-1, j)])
		}
		if j+1 < len(m.ys) {
			step(i, j+1, true, m.below[m.at(i, j)], m.belows[m.at(i, j)])
		}
		if j > 0 {
			step(i, j-1, true, m.below[m.at(i, j-1)], m.belows[m.at(i, j-1)])
		}
	}
	return nil
}

// trace writes a way down as its corners, and marks the lines as used.
func (m *maze) trace(s stand, e ends) []point {
	way := []point{{float64(e.x2), float64(e.y2)}}
	for {
		i, j := int(s.cross)%len(m.xs), int(s.cross)/len(m.xs)
		way = append(way, point{float64(m.xs[i]), float64(m.ys[j])})
		if s.from < 0 {
			break
		}
		before := m.all[s.from]
		bi, bj := int(before.cross)%len(m.xs), int(before.cross)/len(m.xs)
		if bj == j {
			m.rights[m.at(min(i, bi), j)] = min(m.rights[m.at(min(i, bi), j)]+1, 9)
		} else {
			m.belows[m.at(i, min(j, bj))] = min(m.belows[m.at(i, min(j, bj))]+1, 9)
		}
		s = before
	}
	way = append(way, point{float64(e.x1), float64(e.y1)})
	slices.Reverse(way)
	// Only corners stay.
	corners := way[:1:1]
	for k := 1; k+1 < len(way); k++ {
		a, b, c := corners[len(corners)-1], way[k], way[k+1]
		if !(a.x == b.x && b.x == c.x || a.y == b.y && b.y == c.y) {
			corners = append(corners, b)
		}
	}
	return append(corners, way[len(way)-1])
}

// stands is a heap, the cheapest first.
type stands []stand

func (q stands) less(i, j int) bool {
	if q[i].total != q[j].total {
		return q[i].total < q[j].total
	}
	return q[i].at < q[j].at
}

func (q *stands) push(s stand) {
	*q = append(*q, s)
	all := *q
	for i := len(all) - 1; i > 0; {
		up := (i - 1) / 2
		if !all.less(i, up) {
			return
		}
		all[i], all[up] = all[up], all[i]
		i = up
	}
}

func (q *stands) pop() stand {
	all := *q
	top, last := all[0], len(all)-1
	all[0] = all[last]
	all = all[:last]
	*q = all
	for i := 0; ; {
		least := i
		for _, k := range [2]int{2*i + 1, 2*i + 2} {
			if k < last && all.less(k, least) {
				least = k
			}
		}
		if least == i {
			return top
		}
		all[i], all[least] = all[least], all[i]
		i = least
	}
}
