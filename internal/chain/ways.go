package chain

import (
	"cmp"
	"container/heap"
	"slices"
)

// waysBudget bounds the search for alternative ways: a dense chain has more of
// them than anyone can read.
const waysBudget = 20_000

// Ways gives up to limit ways to the thing, the best first: the surest, then the
// shortest. No way passes a thing twice. In a dense chain the search ends early,
// and gives the ways found until then; the first is always that of [Reached.Way].
func (r Reached) Ways(limit int) []Way {
	g := r.c.g
	s := search{c: r.c, sources: map[int32]int{}}
	for i, source := range r.c.Sources {
		v := g.index[source.Node]
		if known, ok := s.sources[v]; !ok || r.c.Sources[known].Sure < source.Sure {
			s.sources[v] = i
		}
	}
	for level := Possible; level <= Certain; level++ {
		s.hops[level] = make(map[int32]int32, len(r.c.levels[level]))
		for _, k := range r.c.levels[level] {
			s.hops[level][k.node] = k.hops
		}
	}
	s.add(partial{node: g.index[r.ID], edge: -1, next: -1, sure: Certain, source: -1})
	ways := []Way{r.Way()}
	seen := [][]int32{edgesOf(ways[0], r)}
	for budget := waysBudget; budget > 0 && len(ways) < limit && len(s.queue) > 0; budget-- {
		at := heap.Pop(&s).(int32)
		p := s.all[at]
		if p.source >= 0 {
			edges := s.edges(at)
			if !slices.ContainsFunc(seen, func(other []int32) bool { return slices.Equal(other, edges) }) {
				seen = append(seen, edges)
				ways = append(ways, r.c.way(int(p.source), p.node, edges))
			}
			continue
		}
		if i, ok := s.sources[p.node]; ok {
			end := p
			end.source = int32(i)
			end.sure = min(p.sure, r.c.Sources[i].Sure)
			s.add(end)
		}
		for _, e := range g.in[g.inAt[p.node]:g.inAt[p.node+1]] {
			from := g.from[e]
			if _, reached := s.hops[Possible][from]; reached && !s.passes(at, from) {
				s.add(partial{node: from, edge: e, next: at, sure: min(p.sure, g.out.edges[e].sure), done: p.done + 1, source: -1})
			}
		}
	}
	return ways
}

// edgesOf gives the edges of the way that Reached.Way found.
func edgesOf(w Way, r Reached) []int32 {
	marks := r.c.levels[r.Sure]
	edges := make([]int32, 0, len(w.Hops))
	for pos := r.pos; marks[pos].from >= 0; pos = marks[pos].from {
		edges = append(edges, marks[pos].edge)
	}
	slices.Reverse(edges)
	return edges
}

// partial is the end of a way, from a thing to the one that is asked about.
type partial struct {
	node   int32
	edge   int32 // that leaves node, -1 at the end of the way
	next   int32 // the partial way behind it
	done   int32 // hops so far
	sure   Sureness
	source int32 // the source, once the way is whole; -1 before

	best  Sureness // what the whole way can be at best
	total int32    // and how many hops it has then
}

// search looks for ways backwards, the most promising first: how sure and how
// short the missing beginning can be is known from the walks.
type search struct {
	c       *Compromise
	sources map[int32]int
	hops    [Certain + 1]map[int32]int32
	all     []partial
	queue   []int32
}

func (s *search) add(p partial) {
	p.best, p.total = p.sure, p.done
	if p.source < 0 {
		for ; p.best > Possible; p.best-- {
			if _, ok := s.hops[p.best][p.node]; ok {
				break
			}
		}
		p.total += s.hops[p.best][p.node]
	}
	s.all = append(s.all, p)
	heap.Push(s, int32(len(s.all)-1))
}

func (s *search) passes(at, v int32) bool {
	for ; at >= 0; at = s.all[at].next {
		if s.all[at].node == v {
			return true
		}
	}
	return false
}

// edges of a whole way, from its source on.
func (s *search) edges(at int32) []int32 {
	var edges []int32
	for ; at >= 0; at = s.all[at].next {
		if e := s.all[at].edge; e >= 0 {
			edges = append(edges, e)
		}
	}
	return edges
}

// Len, Less, Swap, Push and Pop make the queue a heap.
func (s *search) Len() int { return len(s.queue) }

func (s *search) Less(i, j int) bool {
	a, b := &s.all[s.queue[i]], &s.all[s.queue[j]]
	return cmp.Or(cmp.Compare(b.best, a.best), cmp.Compare(a.total, b.total), cmp.Compare(s.queue[i], s.queue[j])) < 0
}

func (s *search) Swap(i, j int) { s.queue[i], s.queue[j] = s.queue[j], s.queue[i] }

func (s *search) Push(x any) { s.queue = append(s.queue, x.(int32)) }

func (s *search) Pop() any {
	last := s.queue[len(s.queue)-1]
	s.queue = s.queue[:len(s.queue)-1]
	return last
}
