package chain

import (
	"cmp"
	"container/heap"
	"iter"
	"slices"
	"time"
)

// reliancesBudget bounds the search for ways, as waysBudget does.
const reliancesBudget = 20_000

// Link says that one thing names another among the alternatives of a need. Both are
// given by their position in the order of [Graph.Nodes].
type Link struct {
	Holder, Thing int
	// Choice says that the need has other alternatives too.
	Choice bool
}

// Links yields who relies on what, written or implied, each pair once for every need
// that names it.
func (g *Graph) Links() iter.Seq[Link] {
	return func(yield func(Link) bool) {
		for n := range g.needs {
			for _, o := range g.alternatives(int32(n)) {
				if !yield(Link{int(g.needs[n].holder), int(o), g.needs[n].count > 1}) {
					return
				}
			}
		}
	}
}

// Reliance is one way in which a thing relies on another: what it needs, what that
// needs, and so on. The last step is the thing that is relied on.
type Reliance []RelianceStep

// RelianceStep is one thing on a [Reliance], with the need by which it relies on the
// next one; empty on the last.
type RelianceStep struct {
	Node
	Buffer time.Duration
	Note   string
	// Others counts the other alternatives of that need.
	Others int
}

// Reliances gives up to limit ways in which a thing relies on another, the shortest
// first; none if it does not. No way passes a thing twice. More says that there are
// others.
func (g *Graph) Reliances(from, on NodeID, limit int) (ways []Reliance, more bool) {
	start, known := g.index[from]
	end, also := g.index[on]
	if !known || !also || start == end {
		return nil, false
	}
	s := relying{g: g, far: g.stepsTo(end)}
	if s.far[start] < 0 {
		return nil, false
	}
	s.add(leaning{node: start, need: -1, prev: -1, total: s.far[start]})
	for budget := reliancesBudget; len(s.queue) > 0; budget-- {
		if budget == 0 {
			return ways, true
		}
		at := heap.Pop(&s).(int32)
		p := s.all[at]
		if p.node == end {
			if len(ways) == limit {
				return ways, true
			}
			ways = append(ways, s.way(at))
			continue
		}
		for n := g.needAt[p.node]; n < g.needAt[p.node+1]; n++ {
			for _, o := range g.alternatives(n) {
				if s.far[o] >= 0 && !s.passes(at, o) {
					s.add(leaning{node: o, need: n, prev: at, done: p.done + 1, total: p.done + 1 + s.far[o]})
				}
			}
		}
	}
	return ways, false
}

// stepsTo counts for everything how many needs lie between it and the thing; -1 for
// what does not rely on it.
func (g *Graph) stepsTo(thing int32) []int32 {
	far := make([]int32, len(g.ids))
	for i := range far {
		far[i] = -1
	}
	far[thing] = 0
	queue := []int32{thing}
	for i := 0; i < len(queue); i++ {
		for _, u := range g.usesOf(queue[i]) {
			if far[u.holder] < 0 {
				far[u.holder] = far[queue[i]] + 1
				queue = append(queue, u.holder)
			}
		}
	}
	return far
}

// leaning is the beginning of a way: a thing, and the need that led to it.
type leaning struct {
	node, need, prev int32
	done, total      int32 // steps so far, and those of the whole way at least
}

// relying looks for ways forwards, the one that can be the shortest first.
type relying struct {
	g     *Graph
	far   []int32
	all   []leaning
	queue []int32
}

func (s *relying) add(p leaning) {
	s.all = append(s.all, p)
	heap.Push(s, int32(len(s.all)-1))
}

func (s *relying) passes(at, v int32) bool {
	for ; at >= 0; at = s.all[at].prev {
		if s.all[at].node == v {
			return true
		}
	}
	return false
}

func (s *relying) way(at int32) Reliance {
	way := make(Reliance, 0, s.all[at].done+1)
	need := int32(-1)
	for ; at >= 0; at = s.all[at].prev {
		step := RelianceStep{Node: s.g.node(s.all[at].node)}
		if need >= 0 {
			n := s.g.needs[need]
			step.Buffer, step.Note, step.Others = n.buffer, s.g.reasons[need].note, int(n.count)-1
		}
		way = append(way, step)
		need = s.all[at].need
	}
	slices.Reverse(way)
	return way
}

// Len, Less, Swap, Push and Pop make the queue a heap.
func (s *relying) Len() int { return len(s.queue) }

func (s *relying) Less(i, j int) bool {
	a, b := s.all[s.queue[i]], s.all[s.queue[j]]
	return cmp.Or(cmp.Compare(a.total, b.total), cmp.Compare(s.queue[i], s.queue[j])) < 0
}

func (s *relying) Swap(i, j int) { s.queue[i], s.queue[j] = s.queue[j], s.queue[i] }

func (s *relying) Push(x any) { s.queue = append(s.queue, x.(int32)) }

func (s *relying) Pop() any {
	last := s.queue[len(s.queue)-1]
	s.queue = s.queue[:len(s.queue)-1]
	return last
}
