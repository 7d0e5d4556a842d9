package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/entente-project/entente/internal/chain"
)

// The graph of part d.
const (
	outageThings = 100_000
	outageNeeds  = 500_000
	outageAsked  = 200
)

// outage measures what-if questions over a graph as large as the target names,
// each with other things down, until all that follows is known and in order.
func (b *bench) outage(ctx context.Context) error {
	rng := rand.New(rand.NewPCG(b.seed, 4))
	m := web(rng, outageThings, outageNeeds)
	began := time.Now()
	g, err := chain.Compile(m)
	if err != nil {
		return err
	}
	compiled := time.Since(began)
	things, needs := g.Size()
	if things < outageThings || needs < outageNeeds {
		return fmt.Errorf("the graph has %d things and %d needs", things, needs)
	}
	var took spread
	stops := 0
	for range outageAsked {
		if err := ctx.Err(); err != nil {
			return err
		}
		down := []chain.NodeID{m.Organisations[1+rng.IntN(len(m.Organisations)-1)].ID, m.Systems[rng.IntN(len(m.Systems))].ID}
		began := time.Now()
		o := g.Outage(down, chain.OutageOptions{})
		took = append(took, time.Since(began))
		stops = max(stops, o.Len())
	}
	note := fmt.Sprintf("%d questions; up to %d things stop", outageAsked, stops)
	b.fact("d", "things, needs", fmt.Sprintf("%d, %d", things, needs))
	b.below("d", "compile the graph", compiled, 0, "once per change of the chain")
	b.below("d", "outage what-if, p50", took.at(.5), 0, "")
	b.below("d", "outage what-if, p99", took.at(.99), 100*time.Millisecond, note)
	return nil
}

// web makes a chain of so many things with so many needs at least, every kind of
// thing needing others of a kind that it can need, with alternatives, buffers and
// circles.
func web(rng *rand.Rand, things, needs int) *chain.Map {
	m := &chain.Map{Own: "us", Currency: "EUR", Organisations: []chain.Organisation{{ID: "us", Name: "Bench Ltd"}}}
	organisations, supplies, systems := things/100, things/4, things*3/10
	const steps = 3
	processes := (things - organisations - supplies - systems) / (steps + 1)
	for i := range organisations {
		m.Organisations = append(m.Organisations, chain.Organisation{ID: id("supplier", i), Name: "Supplier"})
	}
	holders := supplies + systems + processes*steps
	implied := supplies + systems + processes*steps
	left := needs - implied + needs/1000 // a few are drawn twice and fall away
	some := func(self chain.NodeID) []chain.Need {
		n := (left + holders - 1) / holders
		left -= n
		holders--
		out := make([]chain.Need, 0, n)
		for range n {
			need := chain.Need{Buffer: time.Duration(rng.IntN(200)) * time.Hour}
			for range 1 + rng.IntN(10)/7 {
				other := id("system", rng.IntN(systems))
				if rng.IntN(3) == 0 || other == self {
					other = id("supply", rng.IntN(supplies))
				}
				if other != self {
					need.Any = appendNew(need.Any, other)
				}
			}
			if len(need.Any) > 0 {
				out = append(out, need)
			}
		}
		return out
	}
	for i := range supplies {
		m.Supplies = append(m.Supplies, chain.Supply{ID: id("supply", i), Name: "Supply", Supplier: id("supplier", rng.IntN(organisations)), Customer: "us", Nature: chain.NatureService, Kind: chain.Commodity, Needs: some(id("supply", i))})
	}
	for i := range systems {
		m.Systems = append(m.Systems, chain.System{ID: id("system", i), Name: "System", Kind: chain.SystemService, Operator: id("supplier", rng.IntN(organisations)), Needs: some(id("system", i))})
	}
	for i := range processes {
		p := chain.Process{ID: id("process", i), Name: "Process", BIA: chain.BIA{Criticality: chain.High, RTO: 4 * time.Hour, MTPD: 24 * time.Hour}}
		for a := range steps {
			p.Activities = append(p.Activities, chain.Activity{ID: chain.NodeID(fmt.Sprintf("activity-%d-%d", i, a)), Name: "Step", Needs: some("")})
		}
		m.Processes = append(m.Processes, p)
	}
	for len(m.Processes)*(steps+1)+organisations+supplies+systems+len(m.Products) < things {
		m.Products = append(m.Products, chain.Product{ID: id("product", len(m.Products)), Name: "Product", Supplier: id("supplier", rng.IntN(organisations))})
	}
	return m
}
