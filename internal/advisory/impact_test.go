package advisory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/entente-project/entente/internal/chain"
)

// TestImpactReachesWhatACompromiseOfAllProductsReaches checks that asking for one of
// several products that are used in the same way loses nothing.
func TestImpactReachesWhatACompromiseOfAllProductsReaches(t *testing.T) {
	m := landscape(200, 30, 40)
	// Some products are needed as such, which is another use than running them.
	m.Processes[3].Needs = []chain.Need{{Any: []chain.NodeID{chain.NodeID(productName(7)), chain.NodeID(productName(8))}}}
	m.Systems[2].Needs = append(m.Systems[2].Needs, chain.Need{Any: []chain.NodeID{chain.NodeID(productName(9))}})
	g, err := chain.Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		b := NewBuilder()
		b.AddPackage(1, namesOf("pkg:npm/a@1.0.0"))
		b.AddPackage(2, namesOf("pkg:npm/a"))
		var sources []chain.Source
		outside, undecided := 0, 0
		for n := range 210 {
			switch r.IntN(6) {
			case 0:
				b.AddDocument(uint32(n), productName(n), []uint32{1})
				if n >= 200 {
					outside++
					continue
				}
				sources = append(sources, chain.Source{Node: chain.NodeID(productName(n))})
			case 1:
				b.AddDocument(uint32(n), productName(n), []uint32{2})
				undecided++
			}
		}
		x := b.Index()
		hits := []packageHit{{id: 1, name: "a", version: "1.0.0", state: Affected, why: "x", record: "A"}, {id: 2, name: "a", state: Unknown, why: "y", record: "A"}}
		got := assess(g, x, Brief{ID: "A"}, hits, ImpactOptions{Products: -1, Processes: -1, Calls: -1})
		want := g.Compromise(sources)
		if got.Counts.Products != len(sources)+outside || got.Counts.Outside != outside || got.Counts.Undecided != undecided || len(got.Products) != got.Counts.Products {
			t.Errorf("counts %+v; want %d products in the chain, %d outside, %d undecided", got.Counts, len(sources), outside, undecided)
		}
		if got.Counts.Systems != want.Count(chain.KindSystem) || got.Counts.Supplies != want.Count(chain.KindSupply) {
			t.Errorf("counts %+v; want %d systems, %d supplies", got.Counts, want.Count(chain.KindSystem), want.Count(chain.KindSupply))
		}
		var a, w []string
		for _, p := range got.Processes {
			if p.Sure > 0 {
				a = append(a, fmt.Sprint(p.ID, p.Sure, len(p.Way)))
			}
		}
		for _, p := range want.Processes {
			w = append(w, fmt.Sprint(p.ID, p.Sure, p.Hops))
		}
		slices.Sort(a)
		slices.Sort(w)
		if !slices.Equal(a, w) {
			t.Errorf("processes %v, want %v", a, w)
		}
	}
}

func TestImpactIsCutAsAsked(t *testing.T) {
	g, err := chain.Compile(landscape(200, 30, 40))
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder()
	b.AddPackage(1, namesOf("pkg:npm/a@1.0.0"))
	for n := range 200 {
		b.AddDocument(uint32(n), productName(n), []uint32{1})
	}
	x := b.Index()
	hits := []packageHit{{id: 1, name: "a", version: "1.0.0", state: Affected, why: "x", record: "A"}}
	for _, c := range []struct {
		o                          ImpactOptions
		products, processes, calls int
	}{
		{ImpactOptions{}, 25, 25, 25},
		{ImpactOptions{Products: 3, Processes: 4, Calls: 2}, 3, 4, 2},
		{ImpactOptions{Products: -1, Processes: -1, Calls: -1}, 200, 40, 30},
	} {
		got := assess(g, x, Brief{ID: "A"}, hits, c.o)
		if len(got.Products) != c.products || len(got.Processes) != c.processes || len(got.Call) != c.calls || got.Counts.Products != 200 || got.Counts.Processes != 40 {
			t.Errorf("%+v gives %d products, %d processes, %d calls, counts %+v", c.o, len(got.Products), len(got.Processes), len(got.Call), got.Counts)
		}
		if len(got.Products[0].Reaches) == 0 {
			t.Error("the first product is none from which a told way begins")
		}
		for _, p := range got.Processes {
			if p.Off == nil || p.Off.RTO == nil || *p.Off.RTO-p.Off.Stops != Span(8*3600e9) || p.Off.Words.Blank() {
				t.Errorf("%s is switched off with %+v", p.ID, p.Off)
			}
		}
	}
}
