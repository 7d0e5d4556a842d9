package draw

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// Sizes in SVG user units (CSS pixels at 100 %).
const (
	boxWidth   = 172
	lineHeight = 17
	boxPad     = 11
	columnGap  = 84
	rowGap     = 34 // room for an edge to run between two boxes
	groupPad   = 20
	groupTitle = 26
	groupGap   = 96
	groupRow   = 36
	margin     = 20
	labelGap   = 60 // more between columns where edges have labels
	wrapAt     = 22 // characters of a label line at 14 px
)

type box struct {
	node       *Node
	lines      []string
	x, y, w, h int
}

func (b *box) cx() int { return b.x + b.w/2 }

type cluster struct {
	group      *Group
	boxes      []*box
	x, y, w, h int
}

type placed struct {
	boxes    map[string]*box
	order    []*box
	clusters []*cluster
	edges    []Edge
	w, h     int
	gap      int // more between columns, for labels
}

// place computes where everything goes.
func place(d Diagram) placed {
	p := placed{boxes: map[string]*box{}}
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if _, twice := p.boxes[n.ID]; twice {
			continue
		}
		b := &box{node: n, lines: wrap(n.Label, wrapAt), w: boxWidth}
		b.h = 2*boxPad + lineHeight*len(b.lines)
		if n.Note != "" {
			b.h += lineHeight - 2
		}
		p.boxes[n.ID] = b
		p.order = append(p.order, b)
	}
	for _, e := range d.Edges {
		if p.boxes[e.From] != nil && p.boxes[e.To] != nil && e.From != e.To {
			p.edges = append(p.edges, e)
			if e.Label != "" {
				p.gap = labelGap
			}
		}
	}
	p.clusters = clusters(d, p.order)
	of := map[*box]int{}
	for i, c := range p.clusters {
		for _, b := range c.boxes {
			of[b] = i
		}
	}
	for _, c := range p.clusters {
		placeInside(c, p, of)
	}
	placeClusters(&p, of)
	return p
}

// clusters sorts the boxes into their groups; things without one stand alone.
func clusters(d Diagram, boxes []*box) []*cluster {
	byID := map[string]*cluster{}
	var out []*cluster
	for i := range d.Groups {
		g := &d.Groups[i]
		if byID[g.ID] == nil {
			c := &cluster{group: g}
			byID[g.ID] = c
			out = append(out, c)
		}
	}
	for _, b := range boxes {
		c := byID[b.node.Group]
		if c == nil {
			c = &cluster{}
			out = append(out, c)
		}
		c.boxes = append(c.boxes, b)
	}
	return slices.DeleteFunc(out, func(c *cluster) bool { return len(c.boxes) == 0 })
}

func placeInside(c *cluster, p placed, of map[*box]int) {
	index := map[*box]int{}
	for i, b := range c.boxes {
		index[b] = i
	}
	var links [][2]int
	for _, e := range p.edges {
		from, inside := index[p.boxes[e.From]]
		to, also := index[p.boxes[e.To]]
		if inside && also {
			links = append(links, [2]int{from, to})
		}
	}
	columns := columnsOf(len(c.boxes), links)
	if len(links) == 0 && len(c.boxes) > 6 {
		columns = grid(len(c.boxes))
	}
	order(columns, links)
	top, left := 0, 0
	if c.group != nil {
		top, left = groupTitle+groupPad/2, groupPad
	}
	tallest := 0
	heights := make([]int, len(columns))
	for i, column := range columns {
		for j, n := range column {
			if j > 0 {
				heights[i] += rowGap
			}
			heights[i] += c.boxes[n].h
		}
		tallest = max(tallest, heights[i])
	}
	x := left
	for i, column := range columns {
		y := top + (tallest-heights[i])/2
		for _, n := range column {
			b := c.boxes[n]
			b.x, b.y = x, y
			y += b.h + rowGap
		}
		x += boxWidth + columnGap + p.gap
	}
	c.w = x - columnGap - p.gap + left
	c.h = top + tallest
	if c.group != nil {
		c.h += groupPad
		c.w = max(c.w, 2*groupPad+8*utf8.RuneCountInString(c.group.Label))
	}
}

func placeClusters(p *placed, of map[*box]int) {
	var links [][2]int
	for _, e := range p.edges {
		from, to := of[p.boxes[e.From]], of[p.boxes[e.To]]
		if from != to {
			links = append(links, [2]int{from, to})
		}
	}
	columns := columnsOf(len(p.clusters), links)
	order(columns, links)
	tallest := 0
	heights := make([]int, len(columns))
	for i, column := range columns {
		for j, n := range column {
			if j > 0 {
				heights[i] += groupRow
			}
			heights[i] += p.clusters[n].h
		}
		tallest = max(tallest, heights[i])
	}
	x := margin
	for i, column := range columns {
		y := margin + (tallest-heights[i])/2
		widest := 0
		for _, n := range column {
			widest = max(widest, p.clusters[n].w)
		}
		for _, n := range column {
			c := p.clusters[n]
			c.x, c.y = x+(widest-c.w)/2, y
			for _, b := range c.boxes {
				b.x += c.x
				b.y += c.y
			}
			y += c.h + groupRow
		}
		x += widest + groupGap + p.gap/2
	}
	p.w = x - groupGap - p.gap/2 + margin
	p.h = tallest + 2*margin
}

// columnsOf gives each of n things a column by the longest way to it, after
// turning round the links that close a cycle.
func columnsOf(n int, links [][2]int) [][]int {
	if n == 0 {
		return nil
	}
	forward := acyclic(n, links)
	indegree := make([]int, n)
	next := make([][]int, n)
	for _, l := range forward {
		next[l[0]] = append(next[l[0]], l[1])
		indegree[l[1]]++
	}
	column := make([]int, n)
	var ready []int
	for i := range n {
		if indegree[i] == 0 {
			ready = append(ready, i)
		}
	}
	last := 0
	for len(ready) > 0 {
		i := ready[0]
		ready = ready[1:]
		last = max(last, column[i])
		for _, to := range next[i] {
			column[to] = max(column[to], column[i]+1)
			if indegree[to]--; indegree[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	out := make([][]int, last+1)
	for i, c := range column {
		out[c] = append(out[c], i)
	}
	return slices.DeleteFunc(out, func(c []int) bool { return len(c) == 0 })
}

// acyclic turns round every link that leads back to a thing still being visited.
func acyclic(n int, links [][2]int) [][2]int {
	next := make([][]int, n)
	for i, l := range links {
		next[l[0]] = append(next[l[0]], i)
	}
	const unseen, open, done = 0, 1, 2
	state := make([]int, n)
	back := make([]bool, len(links))
	type frame struct{ node, at int }
	for root := range n {
		if state[root] != unseen {
			continue
		}
		state[root] = open
		stack := []frame{{node: root}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.at == len(next[top.node]) {
				state[top.node] = done
				stack = stack[:len(stack)-1]
				continue
			}
			link := next[top.node][top.at]
			top.at++
			switch to := links[link][1]; state[to] {
			case unseen:
				state[to] = open
				stack = append(stack, frame{node: to})
			case open:
				back[link] = true
			}
		}
	}
	out := make([][2]int, 0, len(links))
	for i, l := range links {
		if back[i] {
			l[0], l[1] = l[1], l[0]
		}
		out = append(out, l)
	}
	return out
}

// order reduces crossings by the barycentre rule, a few sweeps to and fro. Ties
// keep the order in which things were given, so that drawings are stable.
func order(columns [][]int, links [][2]int) {
	near := map[int][]int{}
	for _, l := range links {
		near[l[0]] = append(near[l[0]], l[1])
		near[l[1]] = append(near[l[1]], l[0])
	}
	at := map[int]float64{}
	number := func(column []int) {
		for i, n := range column {
			at[n] = float64(i) - float64(len(column)-1)/2
		}
	}
	for _, c := range columns {
		number(c)
	}
	weight := func(n int) float64 {
		if len(near[n]) == 0 {
			return at[n]
		}
		sum := 0.0
		for _, m := range near[n] {
			sum += at[m]
		}
		return sum / float64(len(near[n]))
	}
	for sweep := range 6 {
		for i := range columns {
			c := columns[i]
			if sweep%2 == 1 {
				c = columns[len(columns)-1-i]
			}
			sort.SliceStable(c, func(a, b int) bool { return weight(c[a]) < weight(c[b]) })
			number(c)
		}
	}
}

// grid puts things without links into columns of nearly equal length.
func grid(n int) [][]int {
	per := 6
	var out [][]int
	for i := range n {
		if i%per == 0 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], i)
	}
	return out
}

// wrap breaks a label into at most three lines of about width characters; what
// does not fit ends in an ellipsis (the whole label is the box's tooltip).
func wrap(label string, width int) []string {
	words := strings.Fields(label)
	var lines []string
	for _, word := range words {
		for utf8.RuneCountInString(word) > width {
			r := []rune(word)
			lines = append(lines, string(r[:width]))
			word = string(r[width:])
		}
		if n := len(lines); n > 0 && utf8.RuneCountInString(lines[n-1])+1+utf8.RuneCountInString(word) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	if len(lines) == 0 {
		lines = []string{"(no name)"}
	}
	if len(lines) > 3 {
		r := []rune(lines[2])
		lines = append(lines[:2], string(r[:min(len(r), width-1)])+"…")
	}
	return lines
}
