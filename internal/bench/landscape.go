package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/entente-project/entente/internal/chain"
)

// unit is how many processes one business unit has. What a unit needs lies mostly
// in the unit; a twentieth of the systems are platforms that all units share, so
// that some products reach few processes and some reach all.
const unit = 20

// landscape makes the map of a large company: processes whose activities need
// systems and supplies, suppliers of rank 1 to 3, and one product per document,
// which suppliers deliver and systems run.
func landscape(rng *rand.Rand, suppliers, processes, products int) *chain.Map {
	m := &chain.Map{Own: "us", Currency: "EUR", Organisations: []chain.Organisation{{ID: "us", Name: "Bench Ltd", Domains: []string{"bench.example"}}}}
	// Of ten suppliers six deliver to us, three to those, one to these.
	rank := func(i int) int {
		switch i % 10 {
		case 0, 1, 2, 3, 4, 5:
			return 1
		case 6, 7, 8:
			return 2
		}
		return 3
	}
	var byRank [4][]int
	natures := []chain.Nature{chain.NatureSoftware, chain.NatureCloud, chain.NatureService, chain.NatureGoods}
	for i := range suppliers {
		m.Organisations = append(m.Organisations, chain.Organisation{
			ID: id("supplier", i), Name: fmt.Sprintf("Supplier %d", i), Domains: []string{fmt.Sprintf("supplier-%d.example", i)},
			Category: []string{"logistics", "cloud host", "software", "laboratory", "payment"}[i%5],
			Contacts: []chain.Contact{{Name: "Service desk", Role: "incident", Email: fmt.Sprintf("incident@supplier-%d.example", i), Phone: "+49 30 1234"}},
		})
		byRank[rank(i)] = append(byRank[rank(i)], i)
	}
	for i := range products {
		m.Products = append(m.Products, chain.Product{ID: id("product", i), Name: fmt.Sprintf("Product %d", i), Supplier: id("supplier", i%suppliers), Version: "1.0"})
	}
	for i := range suppliers {
		s := chain.Supply{
			ID: id("supply", i), Name: fmt.Sprintf("Supply %d", i), Supplier: id("supplier", i), Customer: "us",
			Kind: chain.Commodity, Nature: natures[i%len(natures)],
		}
		if r := rank(i); r > 1 {
			before := byRank[r-1]
			s.Customer = id("supplier", before[rng.IntN(len(before))])
		}
		for p := i; p < products; p += suppliers {
			s.Products = append(s.Products, id("product", p))
		}
		m.Supplies = append(m.Supplies, s)
	}
	// What a supplier delivers rests on what is delivered to it.
	delivered := map[chain.NodeID][]chain.NodeID{} // supplies, by customer
	for i := range m.Supplies {
		delivered[m.Supplies[i].Customer] = append(delivered[m.Supplies[i].Customer], m.Supplies[i].ID)
	}
	for i := range m.Supplies {
		for _, one := range delivered[m.Supplies[i].Supplier] {
			m.Supplies[i].Needs = append(m.Supplies[i].Needs, chain.Need{Any: []chain.NodeID{one}, Buffer: time.Duration(rng.IntN(48)) * time.Hour})
		}
	}
	systems := processes * 2
	platforms := systems / 20
	near := func(u int) int { // a system of the unit, or a platform
		size := unit * 2
		if rng.IntN(10) == 0 || platforms+u*size >= systems {
			return rng.IntN(platforms)
		}
		return platforms + u*size + rng.IntN(min(size, systems-platforms-u*size))
	}
	unitOf := func(system int) int { return (system - platforms) / (unit * 2) }
	for i := range systems {
		s := chain.System{ID: id("system", i), Name: fmt.Sprintf("System %d", i), Kind: chain.SystemApplication, Operator: "us", Data: []chain.Class{chain.ClassInternal}}
		for range 3 {
			s.Products = appendNew(s.Products, id("product", rng.IntN(products)))
		}
		first := byRank[1]
		s.Needs = []chain.Need{{Any: []chain.NodeID{id("supply", first[rng.IntN(len(first))])}, Buffer: 4 * time.Hour}}
		if other := near(max(0, unitOf(i))); i >= platforms && other < i {
			s.Needs = append(s.Needs, chain.Need{Any: []chain.NodeID{id("system", other)}})
		}
		m.Systems = append(m.Systems, s)
	}
	for i := range processes {
		p := chain.Process{
			ID: id("process", i), Name: fmt.Sprintf("Process %d", i), Owner: "Operations",
			BIA: chain.BIA{Criticality: []chain.Criticality{chain.Critical, chain.High, chain.Medium, chain.Low}[i%4], RTO: 4 * time.Hour, MTPD: 24 * time.Hour,
				Cost: []chain.CostRate{{From: 0, PerHour: 1000}, {From: 8 * time.Hour, PerHour: 5000}}},
		}
		for a := range 3 {
			first := byRank[1]
			act := chain.Activity{ID: chain.NodeID(fmt.Sprintf("activity-%d-%d", i, a)), Name: fmt.Sprintf("Step %d of process %d", a+1, i), Buffer: time.Hour}
			act.Needs = []chain.Need{
				{Any: []chain.NodeID{id("system", near(i/unit))}},
				{Any: appendNew([]chain.NodeID{id("supply", first[rng.IntN(len(first))])}, id("supply", first[rng.IntN(len(first))])), Buffer: 12 * time.Hour},
			}
			p.Activities = append(p.Activities, act)
		}
		m.Processes = append(m.Processes, p)
	}
	for i := range systems / 2 {
		from := platforms + rng.IntN(systems-platforms)
		to := near(unitOf(from))
		if from != to && to >= platforms {
			m.Flows = append(m.Flows, chain.Flow{ID: id("flow", i), From: id("system", from), To: id("system", to), Data: []string{"orders"}, Class: chain.ClassConfidential, Interface: "REST API"})
		}
	}
	return m
}

func id(kind string, n int) chain.NodeID { return chain.NodeID(fmt.Sprintf("%s-%d", kind, n)) }

func appendNew(ids []chain.NodeID, one chain.NodeID) []chain.NodeID {
	for _, known := range ids {
		if known == one {
			return ids
		}
	}
	return append(ids, one)
}
