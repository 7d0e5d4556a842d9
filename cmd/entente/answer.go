package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/entente-project/entente/internal/chain"
)

// answerer turns findings and outages into a report: pure, over one chain.
type answerer struct {
	g *chain.Graph
	o chain.OutageOptions
}

func (a answerer) thing(n chain.Node) thing {
	return thing{ID: n.ID, Kind: n.Kind, Name: n.Name, Organisation: n.Organisation, Rank: a.rank(n.Organisation)}
}

func (a answerer) byID(id chain.NodeID) thing {
	n, ok := a.g.Node(id)
	if !ok {
		return thing{ID: id}
	}
	return a.thing(n)
}

func (a answerer) rank(id chain.NodeID) *int {
	rank := a.g.Rank(id)
	if id == "" || rank == chain.UnknownRank {
		return nil
	}
	return &rank
}

// answer fills in which processes are hit: by what is down, and by the products in
// found.
func (a answerer) answer(r *report, down []chain.NodeID, found []finding) {
	slices.SortFunc(found, func(x, y finding) int {
		return cmp.Or(cmp.Compare(x.Product.ID, y.Product.ID), graver(x, y), cmp.Compare(x.Document, y.Document))
	})
	r.Found = append([]finding{}, found...)
	hits := map[chain.NodeID]*processHit{}
	at := func(id chain.NodeID) *processHit {
		if hits[id] == nil {
			p, _ := a.g.Process(id)
			hits[id] = &processHit{
				ID: p.ID, Name: p.Name, Criticality: p.BIA.Criticality, Owner: p.Owner,
				RTO: int64(p.BIA.RTO / time.Second), MTPD: int64(p.BIA.MTPD / time.Second),
				Ways: []way{}, Call: []call{},
			}
		}
		return hits[id]
	}
	if len(down) > 0 {
		outage := a.g.Outage(down, a.o)
		for _, p := range outage.Processes {
			h := at(p.ID)
			h.Outage = a.stop(&outage, p)
			h.call(a, p.Path().Call)
		}
	}
	a.compromise(r, found, at)
	r.Hits = []processHit{}
	for i := range a.g.Map().Processes {
		if h := hits[a.g.Map().Processes[i].ID]; h != nil {
			r.Hits = append(r.Hits, *h)
		}
	}
	slices.SortStableFunc(r.Hits, worse)
	r.Hit = len(r.Hits) > 0 || len(found) > 0
}

// worse orders processes: what stops first stands first, then what is reached most
// surely; at equal terms the more critical one.
func worse(x, y processHit) int {
	order := []chain.Criticality{chain.Low, chain.Medium, chain.High, chain.Critical}
	return cmp.Or(
		cmp.Compare(x.stops(), y.stops()),
		cmp.Compare(y.sure(), x.sure()),
		cmp.Compare(slices.Index(order, y.Criticality), slices.Index(order, x.Criticality)),
	)
}

func (h *processHit) stops() int64 {
	stops := int64(chain.Never)
	for _, s := range []*stop{h.Outage, h.SwitchedOff} {
		if s != nil {
			stops = min(stops, s.Stops)
		}
	}
	return stops
}

// near says whether more than a possibility is known against the process.
func (h *processHit) near() bool {
	return h.Outage != nil || h.SwitchedOff != nil || h.sure() >= chain.Likely
}

func (h *processHit) sure() chain.Sureness {
	if len(h.Ways) == 0 {
		return 0
	}
	return h.Ways[0].Sure
}

// compromise follows every product that has findings into the chain.
func (a answerer) compromise(r *report, found []finding, at func(chain.NodeID) *processHit) {
	r.Reach = reportReach{Systems: []reached{}, Data: []dataReached{}}
	if len(found) == 0 {
		return
	}
	var sources []chain.Source
	for i, f := range found {
		if i > 0 && f.Product.ID == found[i-1].Product.ID {
			continue
		}
		source := chain.Source{Node: f.Product.ID, Why: f.names() + " affects " + f.Component + " " + f.At, Sure: chain.Certain}
		sources = append(sources, source)
		count := 0
		for _, other := range found[i:] {
			if other.Product.ID == f.Product.ID {
				count++
			}
		}
		one := a.g.Compromise([]chain.Source{source})
		for _, p := range one.Processes {
			h := at(p.ID)
			h.Ways = append(h.Ways, a.way(f.Product, p.Way(), count))
		}
	}
	all := a.g.Compromise(sources)
	for _, o := range all.Others() {
		if o.Kind != chain.KindSystem {
			continue
		}
		r.Reach.Systems = append(r.Reach.Systems, reached{a.thing(o.Node), o.Sure})
	}
	for _, d := range all.Data {
		r.Reach.Data = append(r.Reach.Data, dataReached{d.Class, d.Sure, d.Where})
	}
	outage := a.g.Outage(all.SwitchOff(), chain.OutageOptions{})
	for _, p := range all.Processes {
		h := at(p.ID)
		slices.SortStableFunc(h.Ways, func(x, y way) int {
			return cmp.Or(cmp.Compare(y.Sure, x.Sure), cmp.Compare(len(x.Hops), len(y.Hops)))
		})
		for i, w := range h.Ways {
			if i == 0 || w.Sure >= chain.Likely {
				h.call(a, w.calls)
			}
		}
	}
	for _, p := range outage.Processes {
		h := at(p.ID)
		h.SwitchedOff = a.stop(&outage, p)
		if len(h.Ways) == 0 {
			h.call(a, p.Path().Call)
		}
	}
}

func (a answerer) way(product thing, w chain.Way, findings int) way {
	made := way{Product: product, Sure: w.Sure, Hops: []hop{}, Findings: findings, Words: w.Words(), calls: w.Call}
	for _, h := range w.Hops {
		made.Hops = append(made.Hops, hop{a.thing(h.From), a.thing(h.To), h.Sure, h.Words()})
	}
	return made
}

func (a answerer) stop(o *chain.Outage, p chain.ProcessOutage) *stop {
	path := p.Path()
	s := &stop{
		Stops: int64(p.Fails / time.Second), RTOExceeded: seconds(p.RTOAt), MTPDExceeded: seconds(p.MTPDAt),
		Costs: []cost{}, Path: []step{}, Down: []thing{}, Words: path.Words(),
	}
	for _, id := range o.Down {
		s.Down = append(s.Down, a.byID(id))
	}
	for _, st := range path.Steps {
		made := step{thing: a.thing(st.Node), Stops: int64(st.At / time.Second), Buffer: int64(st.Buffer / time.Second), Note: st.Note, Also: []thing{}}
		for _, other := range st.Before {
			made.Also = append(made.Also, a.thing(other))
		}
		s.Path = append(s.Path, made)
	}
	charge := func(at time.Duration, when string) {
		if at != chain.Never {
			s.Costs = append(s.Costs, cost{int64(at / time.Second), when, p.CostAt(at)})
		}
	}
	charge(p.RTOAt, "RTO exceeded")
	charge(p.MTPDAt, "MTPD exceeded")
	if o.Restored > 0 {
		charge(o.Restored, "restored")
	} else {
		charge(p.Fails+week, "a week after the stop")
	}
	return s
}

const week = 7 * 24 * time.Hour

// call adds organisations to call, each once, with all reasons.
func (h *processHit) call(a answerer, calls []chain.Call) {
	for _, c := range calls {
		if a.g.Rank(c.Organisation) == 0 {
			continue // ourselves: the owner of the process stands at its head
		}
		at := slices.IndexFunc(h.Call, func(known call) bool { return known.Organisation == c.Organisation })
		if at < 0 {
			made := call{Organisation: c.Organisation, Name: c.Name, Rank: a.rank(c.Organisation), Because: c.Because.String(), Contacts: []contact{}}
			for _, p := range c.Contacts {
				made.Contacts = append(made.Contacts, contact{p.Name, p.Role, p.Email, p.Phone})
			}
			h.Call = append(h.Call, made)
		}
	}
}
