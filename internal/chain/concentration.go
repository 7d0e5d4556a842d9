package chain

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

const (
	// concentrationBudget bounds how many things the simulations of one chain may
	// stop in all: a few seconds of work. Chains of ordinary size stay far below.
	concentrationBudget = 20_000_000
	// MaxListedPoints is how many dependences and single points are kept with what
	// they stop; the others are counted.
	MaxListedPoints = 500
)

// Concentration says on whom and on what too much hangs.
type Concentration struct {
	// Dependences has one entry for each legal entity but ourselves whose outage
	// alone stops at least one process: the one that stops the most critical
	// processes first.
	Dependences []Dependence
	// SinglePoints has one entry for each thing (system, supply, product,
	// organisation, or process that others need) whose outage alone stops at least
	// one process.
	SinglePoints []SinglePoint
	// MoreDependences and MoreSinglePoints count those beyond [MaxListedPoints],
	// which stop the least.
	MoreDependences, MoreSinglePoints int
	// Tolls has what the outage of the legal entity stops for each of its
	// organisations, also beyond [MaxListedPoints]; none for those that stop nothing.
	Tolls map[NodeID]Toll
	// Hidden counts the dependences of rank 2 and beyond, with which we have no
	// contract.
	Hidden int
	// Categories tells how supplies spread over suppliers, by category.
	Categories []Category
	// Uncategorised counts the supplies that no figure covers, for want of a category.
	Uncategorised int
	// Unexamined counts the entities and things that were not simulated because the
	// chain is too large.
	Unexamined int
}

// Dependence is a legal entity that processes depend on.
type Dependence struct {
	// Organisations that are one entity: the same LEI, or a shared domain.
	Organisations []NodeID
	Name          string
	Because       []entente.Message // why they are one: "the LEI 5299…", "the domain example.com"
	Rank          int               // the least of theirs; UnknownRank if nothing connects them
	Supplies      []NodeID          // what they supply, to anyone in the chain
	Stops         []ProcessStop

	severity severity
}

// SinglePoint is a thing that alone stops processes.
type SinglePoint struct {
	Node
	Rank  int // of the organisation behind it
	Stops []ProcessStop

	severity severity
}

// ProcessStop is what the outage does to one process.
type ProcessStop struct {
	Process     NodeID
	Name        string
	Criticality Criticality
	Fails       time.Duration
	// RTOAt and MTPDAt are when the objectives are exceeded; [Never] if not set.
	RTOAt, MTPDAt time.Duration
}

// Toll sums up what an outage does to the processes.
type Toll struct {
	Processes int
	Critical  int // of them
	First     time.Duration
}

// TollOf sums up stops.
func TollOf(stops []ProcessStop) Toll {
	t := Toll{Processes: len(stops)}
	for i, s := range stops {
		if i == 0 || s.Fails < t.First {
			t.First = s.Fails
		}
		if s.Criticality == Critical {
			t.Critical++
		}
	}
	return t
}

// Band is how concentrated a market is by its HHI, by analogy with the US merger
// guidelines of 2023.
type Band string

// The bands: above 1,800; from 1,000 to 1,800; below.
const (
	BandHigh     Band = "high"
	BandModerate Band = "moderate"
	BandLow      Band = "low"
)

// Category tells how the supplies of one category spread over suppliers.
type Category struct {
	Category string
	// Direct says that only supplies to ourselves count; else those of the whole
	// chain.
	Direct bool
	// BySpend says that shares are of the yearly spend; else of the number of
	// supplies, because the spend of some is not known. The whole chain always goes
	// by number: what others pay is not comparable.
	BySpend bool
	// HHI is the Herfindahl-Hirschman index, 0 to 10,000.
	HHI int
	// Normalised is the HHI from 0 (all equal) to 1 (one has all), whatever the
	// number of suppliers; 1 for a single one.
	Normalised float64
	Band       Band
	Shares     []Share // the largest first
}

// Share is the part of one supplier in a category.
type Share struct {
	Supplier NodeID // the first of the entity's organisations
	Name     string
	Supplies int
	Spend    int64
	Percent  float64
}

// Concentration says on whom and on what too much hangs, by simulating the outage
// of each entity and each thing alone. It is worked out once for a graph.
func (g *Graph) Concentration() Concentration {
	g.concentrate.Do(func() { g.concentration = g.concentrated() })
	return g.concentration
}

func (g *Graph) concentrated() Concentration {
	c := Concentration{Tolls: map[NodeID]Toll{}}
	s := g.scratch.Get().(*outageScratch)
	defer g.scratch.Put(s)
	entities := g.entities()
	suppliedAt, supplied := reverse(len(g.m.Organisations), len(g.m.Supplies), func(yield func(int32, int32) bool) {
		for i := range g.m.Supplies {
			if !yield(g.index[g.m.Supplies[i].Supplier], int32(i)) {
				return
			}
		}
	})
	budget := concentrationBudget
	stops := func(down ...int32) []ProcessStop {
		if budget <= 0 {
			c.Unexamined++
			return nil
		}
		order := s.run(g, down, Never-1)
		budget -= len(order)
		return g.stops(order, down)
	}
	alone := make(map[int32][]ProcessStop) // of organisations that are an entity alone
	for _, e := range entities {
		if slices.Contains(e.members, g.own) {
			continue
		}
		all := stops(e.members...)
		if len(e.members) == 1 {
			alone[e.members[0]] = all
		}
		if len(all) == 0 {
			continue
		}
		d, toll := g.dependence(e, all), TollOf(all)
		for _, o := range e.members {
			c.Tolls[g.ids[o]] = toll
			for _, i := range supplied[suppliedAt[o]:suppliedAt[o+1]] {
				d.Supplies = append(d.Supplies, g.m.Supplies[i].ID)
			}
		}
		if d.Rank >= 2 {
			c.Hidden++
		}
		c.Dependences = append(c.Dependences, d)
		trim(&c.Dependences, &c.MoreDependences, 2*MaxListedPoints)
	}
	for _, v := range g.pointOrder() {
		all, known := alone[v]
		if !known {
			all = stops(v)
		}
		if len(all) == 0 {
			continue
		}
		rank := UnknownRank
		if o := g.owner[v]; o >= 0 {
			rank = int(g.ranks[o])
		}
		c.SinglePoints = append(c.SinglePoints, SinglePoint{Node: g.node(v), Rank: rank, Stops: all, severity: severityOf(all)})
		trim(&c.SinglePoints, &c.MoreSinglePoints, 2*MaxListedPoints)
	}
	trim(&c.Dependences, &c.MoreDependences, 0)
	trim(&c.SinglePoints, &c.MoreSinglePoints, 0)
	g.categories(&c, entities)
	return c
}

func (d Dependence) severe() severity  { return d.severity }
func (p SinglePoint) severe() severity { return p.severity }

// trim sorts a list that is longer than a limit, the worst first, and cuts it to
// [MaxListedPoints].
func trim[T interface{ severe() severity }](all *[]T, more *int, limit int) {
	if len(*all) <= limit {
		return
	}
	slices.SortStableFunc(*all, func(a, b T) int { return b.severe().compare(a.severe()) })
	if n := len(*all) - MaxListedPoints; n > 0 {
		*more += n
		clear((*all)[MaxListedPoints:])
		*all = (*all)[:MaxListedPoints]
	}
}

// pointOrder lists the things that can be single points, those first that the most
// needs name.
func (g *Graph) pointOrder() []int32 {
	var all []int32
	for v := range g.ids {
		v := int32(v)
		if v != g.own && g.kinds[v] != activity && len(g.usesOf(v)) > 0 {
			all = append(all, v)
		}
	}
	slices.SortStableFunc(all, func(a, b int32) int { return len(g.usesOf(b)) - len(g.usesOf(a)) })
	return all
}

// stops lists the processes that an outage ends, without those that were down at
// first.
func (g *Graph) stops(order []stopped, down []int32) []ProcessStop {
	var all []ProcessStop
	for _, e := range order {
		if g.kinds[e.node] != process || slices.Contains(down, e.node) {
			continue
		}
		p := &g.m.Processes[g.place[e.node]]
		stop := ProcessStop{Process: p.ID, Name: p.Name, Criticality: p.BIA.Criticality, Fails: e.at, RTOAt: Never, MTPDAt: Never}
		if p.BIA.RTO > 0 {
			stop.RTOAt = later(e.at, p.BIA.RTO)
		}
		if p.BIA.MTPD > 0 {
			stop.MTPDAt = later(e.at, p.BIA.MTPD)
		}
		all = append(all, stop)
	}
	return all
}

// severity orders by what is stopped: the numbers of processes by criticality, and
// then how early the first of them stops.
type severity struct {
	counts [5]int // by weight of the criticality
	first  time.Duration
}

func severityOf(stops []ProcessStop) severity {
	s := severity{first: stops[0].Fails}
	for _, p := range stops {
		s.counts[weight(p.Criticality)]++
	}
	return s
}

func (s severity) compare(other severity) int {
	for w := len(s.counts) - 1; w >= 0; w-- {
		if c := cmp.Compare(s.counts[w], other.counts[w]); c != 0 {
			return c
		}
	}
	return cmp.Compare(other.first, s.first)
}

// entity is a set of organisations that are one: by number, ascending.
type entity struct {
	members []int32
	because []entente.Message
}

// entities merges organisations with the same LEI, then those that share a domain.
func (g *Graph) entities() []entity {
	orgs := g.m.Organisations
	parent := make([]int32, len(orgs))
	for i := range parent {
		parent[i] = int32(i)
	}
	find := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	because := make(map[int32][]entente.Message)
	merge := func(first map[string]int32, key string, i int32, why entente.Text) {
		known, ok := first[key]
		if !ok {
			first[key] = i
			return
		}
		a, b := find(known), find(i)
		if a == b {
			return
		}
		a, b = min(a, b), max(a, b)
		parent[b] = a
		because[a] = append(append(because[a], because[b]...), entente.Say(why, key))
		delete(because, b)
	}
	byLEI, byDomain := map[string]int32{}, map[string]int32{}
	for i := range orgs {
		if orgs[i].LEI != "" {
			merge(byLEI, orgs[i].LEI, int32(i), "the LEI %s")
		}
	}
	for i := range orgs {
		for _, d := range orgs[i].Domains {
			merge(byDomain, d, int32(i), "the domain %s")
		}
	}
	at := make(map[int32]int)
	var all []entity
	for i := range orgs {
		top := find(int32(i))
		k, ok := at[top]
		if !ok {
			k = len(all)
			at[top] = k
			why := because[top]
			slices.SortFunc(why, func(a, b entente.Message) int { return strings.Compare(a.String(), b.String()) })
			all = append(all, entity{because: slices.CompactFunc(why, func(a, b entente.Message) bool { return a.String() == b.String() })})
		}
		all[k].members = append(all[k].members, int32(i))
	}
	return all
}

func (g *Graph) dependence(e entity, stops []ProcessStop) Dependence {
	d := Dependence{Because: e.because, Rank: UnknownRank, Stops: stops, severity: severityOf(stops)}
	best := int32(math.MaxInt32)
	for _, o := range e.members {
		d.Organisations = append(d.Organisations, g.ids[o])
		if r := g.ranks[o]; r >= 0 && r < best {
			best = r
			d.Rank = int(r)
			d.Name = g.label(o)
		}
	}
	if d.Name == "" {
		d.Name = g.label(e.members[0])
	}
	return d
}

// categories works out the HHI of every category, for our own supplies and for
// the whole chain.
func (g *Graph) categories(c *Concentration, entities []entity) {
	entityOf := make([]int32, len(g.m.Organisations))
	for k, e := range entities {
		for _, o := range e.members {
			entityOf[o] = int32(k)
		}
	}
	type scope struct {
		category string
		direct   bool
	}
	scopes := map[scope][]*Supply{}
	for i := range g.m.Supplies {
		s := &g.m.Supplies[i]
		if s.Category == "" {
			c.Uncategorised++
			continue
		}
		key := scope{category: strings.ToLower(s.Category)}
		scopes[key] = append(scopes[key], s)
		if s.Customer == g.m.Own {
			key.direct = true
			scopes[key] = append(scopes[key], s)
		}
	}
	for key, supplies := range scopes {
		cat := Category{Category: supplies[0].Category, Direct: key.direct, BySpend: key.direct}
		for _, s := range supplies {
			cat.BySpend = cat.BySpend && s.Spend > 0
		}
		shares := map[int32]*Share{}
		var total float64
		for _, s := range supplies {
			k := entityOf[g.index[s.Supplier]]
			share := shares[k]
			if share == nil {
				first := entities[k].members[0]
				share = &Share{Supplier: g.ids[first], Name: g.label(first)}
				shares[k] = share
			}
			share.Supplies++
			share.Spend += s.Spend
		}
		for _, share := range shares {
			total += share.part(cat.BySpend)
		}
		var h float64
		for _, share := range shares {
			part := share.part(cat.BySpend) / total
			share.Percent = 100 * part
			cat.Shares = append(cat.Shares, *share)
		}
		slices.SortFunc(cat.Shares, func(a, b Share) int {
			return cmp.Or(cmp.Compare(b.Percent, a.Percent), cmp.Compare(a.Supplier, b.Supplier))
		})
		for _, share := range cat.Shares {
			h += share.Percent * share.Percent / 10_000
		}
		cat.HHI, cat.Normalised, cat.Band = hhi(h, len(cat.Shares))
		c.Categories = append(c.Categories, cat)
	}
	slices.SortFunc(c.Categories, func(a, b Category) int {
		switch {
		case a.Direct != b.Direct && a.Direct:
			return -1
		case a.Direct != b.Direct:
			return 1
		}
		return cmp.Or(cmp.Compare(b.HHI, a.HHI), cmp.Compare(a.Category, b.Category))
	})
}

func (s *Share) part(bySpend bool) float64 {
	if bySpend {
		return float64(s.Spend)
	}
	return float64(s.Supplies)
}

// hhi gives the index from the sum of the squared shares (as fractions) of n
// suppliers.
func hhi(h float64, n int) (index int, normalised float64, band Band) {
	index = int(math.Round(h * 10_000))
	normalised = 1
	if n > 1 {
		even := 1 / float64(n)
		normalised = max(0, (h-even)/(1-even))
	}
	switch {
	case index > 1800:
		band = BandHigh
	case index >= 1000:
		band = BandModerate
	default:
		band = BandLow
	}
	return index, normalised, band
}
