package chain

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The oracles read the map itself, slowly and without the compiled graph.

type slowNeed struct {
	holder NodeID
	any    []NodeID
	buffer time.Duration
}

func slowNeeds(m *Map) []slowNeed {
	var all []slowNeed
	add := func(holder NodeID, written []Need, implied ...NodeID) {
		for _, n := range written {
			all = append(all, slowNeed{holder, n.Any, n.Buffer})
		}
		for _, id := range implied {
			replaced := slices.ContainsFunc(written, func(n Need) bool { return slices.Contains(n.Any, id) })
			if id != "" && !replaced {
				all = append(all, slowNeed{holder, []NodeID{id}, 0})
			}
		}
	}
	for _, p := range m.Processes {
		add(p.ID, p.Needs)
		for _, a := range p.Activities {
			add(a.ID, a.Needs)
			all = append(all, slowNeed{p.ID, []NodeID{a.ID}, a.Buffer})
		}
	}
	for _, s := range m.Systems {
		add(s.ID, s.Needs, append(slices.Clone(s.Products), s.Operator)...)
	}
	for _, s := range m.Supplies {
		add(s.ID, s.Needs, append(slices.Clone(s.Products), s.Supplier)...)
	}
	return all
}

// stepThroughTime stops things hour by hour: at each hour, over and over until
// nothing more stops, a need whose alternatives are all stopped begins to use its
// buffer, and ends its holder when the buffer is used up.
func stepThroughTime(m *Map, down []NodeID) map[NodeID]time.Duration {
	needs := slowNeeds(m)
	stopped := map[NodeID]time.Duration{}
	for _, id := range down {
		stopped[id] = 0
	}
	unmet := make([]time.Duration, len(needs))
	for i := range unmet {
		unmet[i] = Never
	}
	quiet := 0
	for now := time.Duration(0); quiet < 6; now += time.Hour {
		quiet++
		for again := true; again; {
			again = false
			for i, n := range needs {
				if unmet[i] == Never && !slices.ContainsFunc(n.any, func(id NodeID) bool { _, ok := stopped[id]; return !ok }) {
					unmet[i], quiet = now, 0
				}
				if _, ok := stopped[n.holder]; !ok && unmet[i] != Never && now-unmet[i] >= n.buffer {
					stopped[n.holder] = now
					again, quiet = true, 0
				}
			}
		}
	}
	return stopped
}

func TestOutageAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := drawMap(rt)
		g, err := Compile(m)
		if err != nil {
			rt.Fatal(err)
		}
		d := drawer{t: rt, all: g.ids}
		for range 3 { // the second and third reuse the memory of the first
			down := d.some(g.ids, 3)
			want := stepThroughTime(m, down)
			o := g.Outage(down, OutageOptions{})
			if o.Len() != len(want) {
				rt.Fatalf("%v down: %d things stop, the oracle says %d: %v", down, o.Len(), len(want), want)
			}
			for id, at := range want {
				if got := o.Fails(id); got != at {
					rt.Fatalf("%v down: %s fails after %v, the oracle says %v", down, id, got, at)
				}
				checkPath(rt, &o, id, down, want)
			}
			for _, p := range o.Processes {
				if p.Fails != want[p.ID] {
					rt.Fatalf("process %s fails after %v, the oracle says %v", p.ID, p.Fails, want[p.ID])
				}
			}
			checkLimits(rt, g, down, want)
		}
	})
}

// checkPath checks that the critical path adds up, and begins and ends rightly.
func checkPath(rt *rapid.T, o *Outage, id NodeID, down []NodeID, want map[NodeID]time.Duration) {
	path := o.Path(id)
	steps := path.Steps
	if steps[0].ID != id || !slices.Contains(down, steps[len(steps)-1].ID) || path.Words() == "" {
		rt.Fatalf("the path of %s is wrong: %s", id, path.Words())
	}
	for i, s := range steps[:len(steps)-1] {
		next := steps[i+1]
		if s.At != next.At+s.Buffer || s.At != want[s.ID] {
			rt.Fatalf("the path does not add up at %s: %s", s.ID, path.Words())
		}
		for _, b := range s.Before {
			if at, ok := want[b.ID]; !ok || at > next.At {
				rt.Fatalf("%s did not stop before %s: %s", b.ID, next.ID, path.Words())
			}
		}
	}
}

func checkLimits(rt *rapid.T, g *Graph, down []NodeID, want map[NodeID]time.Duration) {
	limit := time.Duration(rapid.IntRange(1, 12).Draw(rt, "limit")) * time.Hour
	horizon := g.Outage(down, OutageOptions{Horizon: limit})
	restored := g.Outage(down, OutageOptions{Restored: limit})
	for id, at := range want {
		wantHorizon, wantRestored := at, at
		if at > limit {
			wantHorizon = Never
		}
		if at >= limit {
			wantRestored = Never
		}
		if got := horizon.Fails(id); got != wantHorizon {
			rt.Fatalf("with the horizon %v, %s fails after %v instead of %v", limit, id, got, wantHorizon)
		}
		if got := restored.Fails(id); got != wantRestored {
			rt.Fatalf("restored after %v, %s fails after %v instead of %v", limit, id, got, wantRestored)
		}
	}
	if n := len(restored.Stopped(limit)); n > 0 {
		rt.Fatalf("%d things are stopped after the restoration", n)
	}
}

type slowEdge struct {
	to   NodeID
	sure Sureness
}

func slowEdges(m *Map) map[NodeID][]slowEdge {
	all := map[NodeID][]slowEdge{}
	add := func(from, to NodeID, sure Sureness) {
		if from != "" && from != to {
			all[from] = append(all[from], slowEdge{to, sure})
		}
	}
	kind := map[NodeID]NodeKind{}
	goods := map[NodeID]bool{}
	for _, o := range m.Organisations {
		kind[o.ID] = KindOrganisation
	}
	for _, p := range m.Products {
		kind[p.ID] = KindProduct
		add(p.Supplier, p.ID, Likely)
	}
	for _, s := range m.Systems {
		kind[s.ID] = KindSystem
		add(s.Operator, s.ID, Likely)
		for _, p := range s.Products {
			add(p, s.ID, Certain)
		}
	}
	for _, s := range m.Supplies {
		kind[s.ID] = KindSupply
		goods[s.ID] = s.Nature == NatureGoods
		add(s.Supplier, s.ID, Likely)
		for _, p := range s.Products {
			add(p, s.ID, Certain)
		}
		for _, a := range s.Access {
			if a.Level == AccessUser {
				add(s.ID, a.System, Possible)
			} else {
				add(s.ID, a.System, Likely)
			}
		}
	}
	needs := func(holder NodeID, needs []Need) {
		for _, n := range needs {
			for _, id := range n.Any {
				switch {
				case kind[id] == KindSystem, kind[id] == KindProduct, kind[id] == KindSupply && !goods[id]:
					add(id, holder, Likely)
				case kind[id] == KindOrganisation:
					add(id, holder, Possible)
				}
			}
		}
	}
	for _, p := range m.Processes {
		needs(p.ID, p.Needs)
		for _, a := range p.Activities {
			needs(a.ID, a.Needs)
			add(a.ID, p.ID, Certain)
		}
	}
	for _, s := range m.Systems {
		needs(s.ID, s.Needs)
	}
	for _, s := range m.Supplies {
		needs(s.ID, s.Needs)
	}
	for _, f := range m.Flows {
		if kind[f.To] != KindOrganisation {
			add(f.From, f.To, Possible)
		}
	}
	return all
}

type slowWay struct {
	sure  Sureness
	nodes []NodeID
}

func (w slowWay) String() string { return fmt.Sprint(w.sure, w.nodes) }

// allSimpleWays lists every way from a source to each thing that passes no thing
// twice, the best first; ok is false when there are too many.
func allSimpleWays(m *Map, sources []Source) (ways map[NodeID][]slowWay, ok bool) {
	edges := slowEdges(m)
	ways = map[NodeID][]slowWay{}
	budget := 20_000
	var walk func(w slowWay)
	walk = func(w slowWay) {
		if budget--; budget < 0 {
			return
		}
		last := w.nodes[len(w.nodes)-1]
		ways[last] = append(ways[last], slowWay{w.sure, slices.Clone(w.nodes)})
		for _, e := range edges[last] {
			if !slices.Contains(w.nodes, e.to) {
				walk(slowWay{min(w.sure, e.sure), append(w.nodes, e.to)})
			}
		}
	}
	for _, s := range sources {
		walk(slowWay{s.Sure, []NodeID{s.Node}})
	}
	for _, list := range ways {
		slices.SortStableFunc(list, func(a, b slowWay) int {
			return cmp.Or(cmp.Compare(b.sure, a.sure), cmp.Compare(len(a.nodes), len(b.nodes)))
		})
	}
	return ways, budget >= 0
}

func TestCompromiseAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := drawMap(rt)
		g, err := Compile(m)
		if err != nil {
			rt.Fatal(err)
		}
		d := drawer{t: rt}
		for range 2 {
			var sources []Source
			for _, id := range d.some(g.ids, 3) {
				sources = append(sources, Source{Node: id, Why: "a test", Sure: pick(d, Possible, Likely, Certain)})
			}
			want, ok := allSimpleWays(m, sources)
			if !ok {
				return
			}
			c := g.Compromise(sources)
			if got := len(c.Processes) + len(c.Others()); got != len(want) {
				rt.Fatalf("%d things are reached, the oracle says %d", got, len(want))
			}
			for _, r := range slices.Concat(c.Processes, c.Others()) {
				best := want[r.ID][0]
				if r.Sure != best.sure || r.Hops != len(best.nodes)-1 {
					rt.Fatalf("%s: %v in %d hops, the oracle says %v", r.ID, r.Sure, r.Hops, best)
				}
				checkWays(rt, r, want[r.ID])
			}
		}
	})
}

// checkWays checks the best way and the alternatives against all simple ways.
func checkWays(rt *rapid.T, r Reached, want []slowWay) {
	known := map[string]bool{}
	for _, w := range want {
		known[fmt.Sprint(w.nodes)] = true
	}
	ways := r.Ways(len(known) + 5)
	if diff := gocmp.Diff(r.Way(), ways[0], gocmp.AllowUnexported(Source{}, Hop{}), gocmp.Comparer(func(a, b *Graph) bool { return a == b })); diff != "" {
		rt.Fatalf("the first of the ways is not the way: %s", diff)
	}
	if len(ways) > len(known) || len(known) < 50 && len(ways) != len(known) {
		rt.Fatalf("%d ways to %s, the oracle says %d", len(ways), r.ID, len(known))
	}
	for i, w := range ways {
		nodes := []NodeID{w.Source.Node}
		sure := w.Source.Sure
		for _, h := range w.Hops {
			if h.From.ID != nodes[len(nodes)-1] || h.Words() == "" {
				rt.Fatalf("the hops of %s do not join: %v", r.ID, w.Hops)
			}
			nodes = append(nodes, h.To.ID)
			sure = min(sure, h.Sure)
		}
		if !known[fmt.Sprint(nodes)] || sure != w.Sure {
			rt.Fatalf("there is no such way to %s: %v %v", r.ID, w.Sure, nodes)
		}
		delete(known, fmt.Sprint(nodes))
		if i > 0 && (w.Sure > ways[i-1].Sure || w.Sure == ways[i-1].Sure && len(w.Hops) < len(ways[i-1].Hops)) {
			rt.Fatalf("way %d to %s is better than the one before", i, r.ID)
		}
	}
}

// slowEntities merges organisations over and over until nothing more merges.
func slowEntities(m *Map) [][]NodeID {
	var groups [][]int
	for i := range m.Organisations {
		groups = append(groups, []int{i})
	}
	same := func(a, b []int) bool {
		for _, i := range a {
			for _, j := range b {
				x, y := m.Organisations[i], m.Organisations[j]
				if x.LEI != "" && x.LEI == y.LEI {
					return true
				}
				if slices.ContainsFunc(x.Domains, func(d string) bool { return slices.Contains(y.Domains, d) }) {
					return true
				}
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for i := 0; i < len(groups); i++ {
			for j := i + 1; j < len(groups); j++ {
				if same(groups[i], groups[j]) {
					groups[i] = append(groups[i], groups[j]...)
					groups = slices.Delete(groups, j, j+1)
					again = true
					j--
				}
			}
		}
	}
	var all [][]NodeID
	for _, group := range groups {
		slices.Sort(group)
		var members []NodeID
		for _, i := range group {
			members = append(members, m.Organisations[i].ID)
		}
		all = append(all, members)
	}
	return all
}

func slowStops(m *Map, down []NodeID) map[NodeID]time.Duration {
	stops := map[NodeID]time.Duration{}
	stopped := stepThroughTime(m, down)
	for _, p := range m.Processes {
		if at, ok := stopped[p.ID]; ok && !slices.Contains(down, p.ID) {
			stops[p.ID] = at
		}
	}
	return stops
}

func asMap(stops []ProcessStop) map[NodeID]time.Duration {
	all := map[NodeID]time.Duration{}
	for _, s := range stops {
		all[s.Process] = s.Fails
	}
	return all
}

func TestConcentrationAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := drawMap(rt)
		g, err := Compile(m)
		if err != nil {
			rt.Fatal(err)
		}
		c := g.Concentration()
		found := 0
		for _, members := range slowEntities(m) {
			want := slowStops(m, members)
			i := slices.IndexFunc(c.Dependences, func(d Dependence) bool { return slices.Equal(d.Organisations, members) })
			if slices.Contains(members, m.Own) || len(want) == 0 {
				if i >= 0 {
					rt.Fatalf("%v is listed as a dependence", members)
				}
				continue
			}
			found++
			if i < 0 {
				rt.Fatalf("%v stops %v and is not listed", members, want)
			}
			d := c.Dependences[i]
			if diff := gocmp.Diff(want, asMap(d.Stops)); diff != "" {
				rt.Fatal(diff)
			}
			if len(members) > 1 && len(d.Because) == 0 {
				rt.Fatalf("%v are one without a reason", members)
			}
		}
		if len(c.Dependences) != found {
			rt.Fatalf("%d dependences, the oracle says %d", len(c.Dependences), found)
		}
		points := map[NodeID]map[NodeID]time.Duration{}
		for _, p := range c.SinglePoints {
			points[p.ID] = asMap(p.Stops)
		}
		for v, id := range g.ids {
			want := slowStops(m, []NodeID{id})
			if id == m.Own || g.kinds[v] == activity || len(want) == 0 {
				want = nil
			}
			if diff := gocmp.Diff(want, points[id]); diff != "" {
				rt.Fatalf("%s alone: %s", id, diff)
			}
		}
	})
}
