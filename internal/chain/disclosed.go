package chain

import (
	"cmp"
	"crypto/sha256"
	hexadecimal "encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// Told is a disclosure as it was received: from whom and when.
type Told struct {
	Party  entente.PartyID
	Number uint64
	// By is which organisation of the chain the party is, "" for none; Name is what the
	// party calls itself.
	By   NodeID
	Name string
	TLP  entente.TLP
	At   time.Time
	// State says whether it stands; Ended when it was replaced or taken back, or its time
	// ran out.
	State ToldState
	Ended time.Time
	Disclosure
}

// ToldState says whether a disclosure stands.
type ToldState string

// The states of a disclosure.
const (
	ToldStanding ToldState = "standing"
	ToldReplaced ToldState = "replaced" // by a later one
	ToldRecalled ToldState = "recalled" // by who told it; what it said is deleted
	ToldExpired  ToldState = "expired"  // its time ran out; what it said is deleted
)

// gone says whether what was told is deleted.
func (s ToldState) gone() bool { return s == ToldRecalled || s == ToldExpired }

// foreign begins the ids of things that others disclosed; no thing of a map has such.
const foreign = "~"

// IsDisclosed says whether an id is that of something that a supplier disclosed, and
// that does not stand in our own map.
func IsDisclosed(id NodeID) bool { return strings.HasPrefix(string(id), foreign) }

// provider is somebody whom suppliers disclosed.
type provider struct {
	id    NodeID
	blind bool
	told  []*Told // by whom, each once
	items []Disclosed
}

// disclosed is what the standing disclosures add to a chain.
type disclosed struct {
	providers map[NodeID]*provider
	// needs are supplies without which a supplier cannot go on, by the supplier.
	needs map[NodeID][]Need
	by    map[NodeID]*Told // of the supplies that were disclosed
	// items are who each line of what a party told is.
	items map[entente.PartyID][]NodeID
}

// with adds to a map what was disclosed: providers that are not in it, and what they
// supply to those who told of them. The map itself stays as it is.
func with(ours *Map, told []Told) (*Map, *disclosed) {
	m := *ours
	d := &disclosed{providers: map[NodeID]*provider{}, needs: map[NodeID][]Need{}, by: map[NodeID]*Told{}, items: map[entente.PartyID][]NodeID{}}
	m.Organisations, m.Supplies = slices.Clone(ours.Organisations), slices.Clone(ours.Supplies)
	known := map[string]NodeID{}
	for i := range ours.Organisations {
		for _, key := range keysOf(Disclosed{Name: ours.Organisations[i].Name, LEI: ours.Organisations[i].LEI, Domains: ours.Organisations[i].Domains}) {
			if known[key] == "" {
				known[key] = ours.Organisations[i].ID
			}
		}
	}
	for i := range told {
		t := &told[i]
		if !slices.ContainsFunc(ours.Organisations, func(o Organisation) bool { return o.ID == t.By }) || t.By == ours.Own {
			continue
		}
		for n, item := range t.Suppliers {
			id := d.add(&m, known, t, item)
			d.items[t.Party] = append(d.items[t.Party], id)
			if id == t.By || id == ours.Own {
				continue
			}
			s := Supply{ID: NodeID(foreign + string(t.By) + "." + strconv.Itoa(n+1)), Supplier: id, Customer: t.By, Category: item.Category, Name: item.Category}
			if s.Name == "" {
				s.Name = entente.Say("supply by %s", nameIn(&m, id)).String()
			}
			m.Supplies = append(m.Supplies, s)
			d.by[s.ID] = t
			if item.Needed {
				d.needs[t.By] = append(d.needs[t.By], Need{Any: []NodeID{s.ID}, Buffer: item.Span()})
			}
		}
	}
	return &m, d
}

func nameIn(m *Map, id NodeID) string {
	for i := range m.Organisations {
		if m.Organisations[i].ID == id {
			return m.Organisations[i].Name
		}
	}
	return string(id)
}

// add finds the organisation that a supplier told of, or makes one.
func (d *disclosed) add(m *Map, known map[string]NodeID, t *Told, item Disclosed) NodeID {
	keys := keysOf(item)
	id := NodeID("")
	for _, key := range keys {
		id = cmp.Or(id, known[key])
	}
	if id == "" {
		sum := sha256.Sum256([]byte(keys[0]))
		id = NodeID(foreign + hexadecimal.EncodeToString(sum[:8]))
		o := Organisation{ID: id, Name: item.Name, LEI: item.LEI, Domains: item.Domains, Country: item.Country, Category: item.Category}
		if item.Name == "" {
			o.Name = Undisclosed(id).String()
		}
		m.Organisations = append(m.Organisations, o)
	}
	for _, key := range keys {
		if known[key] == "" {
			known[key] = id
		}
	}
	p := d.providers[id]
	if p == nil {
		p = &provider{id: id, blind: IsDisclosed(id) && item.Name == ""}
		d.providers[id] = p
	}
	if !slices.Contains(p.told, t) {
		p.told = append(p.told, t)
		p.items = append(p.items, item)
	}
	return id
}

// Undisclosed is what a provider is called of whom nobody told the name.
func Undisclosed(id NodeID) entente.Message {
	short := strings.TrimPrefix(string(id), foreign)
	return entente.Say("Undisclosed provider %s", short[:min(6, len(short))])
}

// keysOf are the marks by which two mentions are of one organisation, the best first.
func keysOf(d Disclosed) []string {
	var keys []string
	for _, b := range d.Blind {
		keys = append(keys, "blind:"+b)
	}
	if len(keys) > 0 {
		return keys
	}
	if d.LEI != "" {
		keys = append(keys, "lei:"+strings.ToUpper(d.LEI))
	}
	for _, domain := range d.Domains {
		keys = append(keys, "domain:"+strings.ToLower(domain))
	}
	return append(keys, "name:"+foldName(d.Name))
}

// Provider is somebody on whom suppliers rest, as they told.
type Provider struct {
	Node
	Blind bool // nobody told its name
	Ours  bool // it stands in our own map too
	// By are those who told of it, and when.
	By []Told
	// Items are what each of them told, in the order of By.
	Items []Disclosed
	// Stops are those of our supplies that end when it alone stops, by what was told,
	// and Critical those of them without which a critical process stops.
	Stops, Critical []NodeID
}

// Providers lists whom suppliers disclosed: those on whom the most of our critical
// supplies rest first. It is worked out once for a graph.
func (g *Graph) Providers() []Provider {
	g.disclose.Do(func() { g.providers = g.allProviders() })
	return g.providers
}

func (g *Graph) allProviders() []Provider {
	if g.told == nil {
		return nil
	}
	critical := map[NodeID]bool{}
	for _, id := range g.CriticalSupplies() {
		critical[id] = true
	}
	var all []Provider
	for _, id := range slices.Sorted(maps.Keys(g.told.providers)) {
		p := g.told.providers[id]
		node, ok := g.Node(id)
		if !ok {
			continue
		}
		shown := Provider{Node: node, Blind: p.blind, Ours: !IsDisclosed(id), Items: p.items}
		for _, t := range p.told {
			shown.By = append(shown.By, *t)
		}
		o := g.Outage([]NodeID{id}, OutageOptions{})
		for _, e := range o.order {
			if g.kinds[e.node] != supply {
				continue
			}
			s := &g.m.Supplies[g.place[e.node]]
			if s.Customer != g.m.Own {
				continue
			}
			shown.Stops = append(shown.Stops, s.ID)
			if critical[s.ID] {
				shown.Critical = append(shown.Critical, s.ID)
			}
		}
		all = append(all, shown)
	}
	slices.SortStableFunc(all, func(a, b Provider) int {
		return cmp.Or(cmp.Compare(len(b.Critical), len(a.Critical)), cmp.Compare(len(b.Stops), len(a.Stops)), cmp.Compare(len(b.By), len(a.By)), strings.Compare(a.Name, b.Name))
	})
	return all
}

// ProvidersOf gives for each line of what a party told who it is, in the same order;
// none if what it told is not in the graph.
func (g *Graph) ProvidersOf(party entente.PartyID) []NodeID {
	if g.told == nil {
		return nil
	}
	return g.told.items[party]
}

// CriticalSupplies are those of our own supplies that alone stop a critical process.
func (g *Graph) CriticalSupplies() []NodeID {
	var all []NodeID
	for _, p := range g.Concentration().SinglePoints {
		if p.Kind != KindSupply || !slices.ContainsFunc(p.Stops, func(s ProcessStop) bool { return s.Criticality == Critical }) {
			continue
		}
		if g.m.Supplies[g.place[g.index[p.ID]]].Customer == g.m.Own {
			all = append(all, p.ID)
		}
	}
	return all
}

// ToldBy gives who disclosed a thing that does not stand in our own map, or one of the
// supplies that were disclosed; none for what is our own knowledge.
func (g *Graph) ToldBy(id NodeID) []Told {
	if g.told == nil || !IsDisclosed(id) {
		return nil
	}
	if t := g.told.by[id]; t != nil {
		return []Told{*t}
	}
	var all []Told
	if p := g.told.providers[id]; p != nil {
		for _, t := range p.told {
			all = append(all, *t)
		}
	}
	return all
}
