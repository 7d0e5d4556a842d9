package chain

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// layeredMap makes a chain as large companies have it: processes with activities
// rest on systems, those on supplies and other systems, those on supplies of the
// next rank. A part of the needs has alternatives or a buffer, and some lead back
// up, so that there are cycles. things and needs are met within a few per cent.
func layeredMap(things, needs int, seed uint64) *Map {
	r := rand.New(rand.NewPCG(seed, 0))
	m := &Map{Own: "own", Currency: "EUR"}
	part := func(percent int) int { return max(1, things*percent/100) }
	id := func(prefix string, i int) NodeID { return NodeID(fmt.Sprintf("%s%d", prefix, i)) }
	orgs, processes, systems, supplies := part(10), part(5), part(25), part(40)
	m.Organisations = append(m.Organisations, Organisation{ID: "own", Name: "Own"})
	for i := range orgs {
		m.Organisations = append(m.Organisations, Organisation{ID: id("o", i), Name: fmt.Sprintf("Organisation %d", i)})
	}
	const ranks = 6
	layer := func(i, n int) int { return i * ranks / n }
	supplyOf := func(rank int) NodeID {
		low, high := rank*supplies/ranks, (rank+1)*supplies/ranks
		return id("s", low+r.IntN(max(1, high-low)))
	}
	systemOf := func(rank int) NodeID {
		low, high := rank*systems/ranks, (rank+1)*systems/ranks
		return id("y", low+r.IntN(max(1, high-low)))
	}
	// The implied needs: one for each activity, system and supply.
	activities := things - orgs - processes - systems - supplies - part(2)
	each := float64(needs-activities-systems-supplies) / float64(activities+systems+supplies)
	written := func(self NodeID, rank int) []Need {
		var all []Need
		for n := each + r.Float64(); n >= 1; n-- {
			to := min(ranks-1, rank+1)
			if r.IntN(100) < 2 {
				to = r.IntN(ranks) // back up: cycles
			}
			var any []NodeID
			options := 1
			if r.IntN(100) < 15 {
				options = 2 + r.IntN(2)
			}
			for range options {
				next := supplyOf(to)
				if r.IntN(3) == 0 {
					next = systemOf(to)
				}
				if next != self && !slices.Contains(any, next) {
					any = append(any, next)
				}
			}
			if len(any) == 0 {
				continue
			}
			need := Need{Any: any}
			if r.IntN(100) < 40 {
				need.Buffer = time.Duration(1+r.IntN(120)) * time.Hour
			}
			all = append(all, need)
		}
		return all
	}
	for i := range processes {
		p := Process{ID: id("p", i), Name: fmt.Sprintf("Process %d", i), BIA: BIA{
			Criticality: []Criticality{Critical, High, Medium, Low}[r.IntN(4)], RTO: 8 * time.Hour, MTPD: 72 * time.Hour,
			Cost: []CostRate{{0, 100}, {24 * time.Hour, 1000}},
		}}
		for j := i * activities / processes; j < (i+1)*activities/processes; j++ {
			a := id("a", j)
			p.Activities = append(p.Activities, Activity{ID: a, Name: "Activity", Needs: written(a, -1)})
		}
		m.Processes = append(m.Processes, p)
	}
	for i := range systems {
		y := id("y", i)
		m.Systems = append(m.Systems, System{ID: y, Name: "System", Operator: id("o", r.IntN(orgs)), Needs: written(y, layer(i, systems))})
	}
	for i := range part(2) {
		m.Products = append(m.Products, Product{ID: id("r", i), Name: "Product"})
	}
	natures := []Nature{NatureGoods, NatureService, NatureSoftware, NatureCloud}
	for i := range supplies {
		s := id("s", i)
		supplier := r.IntN(orgs)
		customer := NodeID("own")
		if rank := layer(i, supplies); rank > 0 {
			customer = id("o", (supplier+1+r.IntN(max(1, orgs-1)))%orgs)
		}
		supply := Supply{
			ID: s, Name: "Supply", Supplier: id("o", supplier), Customer: customer, Nature: natures[r.IntN(4)],
			Category: fmt.Sprintf("category %d", r.IntN(40)), Needs: written(s, layer(i, supplies)),
		}
		if len(m.Products) > 0 && r.IntN(10) == 0 {
			supply.Products = []NodeID{m.Products[r.IntN(len(m.Products))].ID}
		}
		if supply.Supplier != supply.Customer {
			m.Supplies = append(m.Supplies, supply)
		}
	}
	return m
}

// deepest gives the supplies of the last rank that the most things use.
func deepest(g *Graph, n int) []NodeID {
	last := slices.Clone(g.m.Supplies[len(g.m.Supplies)*5/6:])
	slices.SortStableFunc(last, func(a, b Supply) int {
		return len(g.usesOf(g.index[b.ID])) - len(g.usesOf(g.index[a.ID]))
	})
	var all []NodeID
	for _, s := range last[:n] {
		all = append(all, s.ID)
	}
	return all
}

func large(b *testing.B, things, needs int) *Graph {
	b.Helper()
	g, err := Compile(layeredMap(things, needs, 1))
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// BenchmarkOutage100k asks what stops in a chain of 100,000 things and 500,000
// needs: "all" takes everything with it, "one" is a single supply of the last rank.
func BenchmarkOutage100k(b *testing.B) {
	g := large(b, 100_000, 500_000)
	nodes, needs := g.Size()
	for _, c := range []struct {
		name string
		down int
	}{{"one", 1}, {"all", 200}} {
		down := deepest(g, c.down)
		b.Run(c.name, func(b *testing.B) {
			var o Outage
			for b.Loop() {
				o = g.Outage(down, OutageOptions{})
			}
			b.ReportMetric(float64(nodes), "things")
			b.ReportMetric(float64(needs), "needs")
			b.ReportMetric(float64(o.Len()), "stopped")
			b.ReportMetric(float64(len(o.Processes)), "processes")
		})
	}
}

func BenchmarkCompromise100k(b *testing.B) {
	g := large(b, 100_000, 500_000)
	source := []Source{{Node: g.m.Products[0].ID, Why: "a bench"}}
	var c Compromise
	for b.Loop() {
		c = g.Compromise(source)
		for _, r := range c.Processes[:min(100, len(c.Processes))] {
			r.Way()
		}
	}
	b.ReportMetric(float64(len(c.Processes)+len(c.Others())), "reached")
	b.ReportMetric(float64(len(c.Processes)), "processes")
}

func BenchmarkCompile100k(b *testing.B) {
	m := layeredMap(100_000, 500_000, 1)
	for b.Loop() {
		if _, err := Compile(m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConcentration simulates each of 1,000 organisations and 10,000 things.
func BenchmarkConcentration10k(b *testing.B) {
	m := layeredMap(10_000, 30_000, 1)
	for b.Loop() {
		b.StopTimer()
		g := compile(m)
		b.StartTimer()
		c := g.Concentration()
		b.ReportMetric(float64(len(c.Dependences)), "dependences")
		b.ReportMetric(float64(c.Unexamined), "unexamined")
	}
}

func BenchmarkParseMap(b *testing.B) {
	var text bytes.Buffer
	if err := WriteMap(&text, layeredMap(20_000, 100_000, 1)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMap(bytes.NewReader(text.Bytes()), "bench"); err != nil {
			b.Fatal(err)
		}
	}
}
