package web

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
)

// wideMap is a chain with many suppliers: of ten, six deliver to us, three to
// those and one to these; processes hang on systems, systems on supplies.
func wideMap(suppliers, processes int) *chain.Map {
	rng := rand.New(rand.NewPCG(1, 2))
	m := &chain.Map{Own: "us", Currency: "EUR", Organisations: []chain.Organisation{{ID: "us", Name: "Beanline", Domains: []string{"beanline.example"}}}}
	named := func(kind string, n int) chain.NodeID { return chain.NodeID(fmt.Sprintf("%s-%d", kind, n)) }
	direct := suppliers * 6 / 10
	for i := range suppliers {
		m.Organisations = append(m.Organisations, chain.Organisation{
			ID: named("supplier", i), Name: fmt.Sprintf("Supplier %d", i), Domains: []string{fmt.Sprintf("supplier-%d.example", i)},
			Category: []string{"logistics", "cloud host", "software", "laboratory", "payment"}[i%5],
		})
		s := chain.Supply{
			ID: named("supply", i), Name: fmt.Sprintf("Supply %d", i), Supplier: named("supplier", i), Customer: "us",
			Kind: chain.Commodity, Nature: []chain.Nature{chain.NatureSoftware, chain.NatureCloud, chain.NatureService, chain.NatureGoods}[i%4],
		}
		if i >= direct {
			behind := rng.IntN(i * 2 / 3)
			s.Customer = named("supplier", behind)
			m.Supplies[behind].Needs = append(m.Supplies[behind].Needs, chain.Need{Any: []chain.NodeID{s.ID}, Buffer: time.Duration(rng.IntN(48)) * time.Hour})
		}
		m.Supplies = append(m.Supplies, s)
	}
	for i := range processes * 2 {
		s := chain.System{ID: named("system", i), Name: fmt.Sprintf("System %d", i), Kind: chain.SystemApplication, Operator: "us"}
		s.Needs = []chain.Need{{Any: []chain.NodeID{named("supply", rng.IntN(direct))}, Buffer: 4 * time.Hour}}
		m.Systems = append(m.Systems, s)
	}
	for i := range processes {
		m.Processes = append(m.Processes, chain.Process{
			ID: named("process", i), Name: fmt.Sprintf("Process %d", i),
			BIA:   chain.BIA{Criticality: []chain.Criticality{chain.Critical, chain.High, chain.Medium, chain.Low}[i%4], RTO: 4 * time.Hour, MTPD: 24 * time.Hour},
			Needs: []chain.Need{{Any: []chain.NodeID{named("system", rng.IntN(processes*2))}}, {Any: []chain.NodeID{named("supply", rng.IntN(direct))}, Buffer: time.Hour}},
		})
	}
	return m
}

// BenchmarkSuppliers asks for the list of 10,000 suppliers: the first time after the
// chain changed, and again and again.
func BenchmarkSuppliers(b *testing.B) {
	n := newNode(b)
	_, err := n.Chain.Import(b.Context(), entente.System("beanline", entente.DoorCommand), wideMap(10_000, 1000))
	must(b, err)
	owner := n.as("owner@beanline.example")
	for _, path := range []string{"", "?sort=name&page=7", "?sort=-tier", "?sort=stops", "?stops=critical", "?q=supplier+77&rows=200"} {
		b.Run("path="+path, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if w := owner.get("/o/beanline/suppliers" + path); w.Code != 200 {
					b.Fatal(w.Code)
				}
				took = append(took, time.Since(began))
			}
			b.ReportMetric(float64(took[0].Microseconds())/1000, "ms/first")
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
		})
	}
}
