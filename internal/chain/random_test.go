package chain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// drawMap makes a random map that holds. Its buffers are whole hours up to four, so
// that an oracle can step through time.
func drawMap(t *rapid.T) *Map {
	count := func(name string, low, high int) int { return rapid.IntRange(low, high).Draw(t, name) }
	d := drawer{t: t}
	orgs := ids("o", count("organisations", 1, 5))
	systems := ids("y", count("systems", 0, 4))
	supplies := ids("s", count("supplies", 0, 5))
	products := ids("r", count("products", 0, 3))
	processes := ids("p", count("processes", 0, 3))
	if len(orgs) == 1 {
		supplies = nil
	}
	activities := map[NodeID][]NodeID{}
	d.all = slices.Concat(orgs, systems, supplies, products, processes)
	for _, p := range processes {
		activities[p] = ids(string(p)+"-", count("activities", 0, 3))
		d.all = append(d.all, activities[p]...)
	}

	m := &Map{Own: orgs[0], Currency: "EUR"}
	for i, id := range orgs {
		o := Organisation{
			ID: id, Name: d.name(), Category: d.text(), Note: d.prose(),
			LEI:     pick(d, "", "", "529900T8BM49AURSDO55", "7LTWFZYICNSX8D621K86"),
			Country: pick(d, "", "DE", "NO"),
			Domains: d.some([]NodeID{"bean.example", "shared.example", "x.org"}, 2).texts(),
		}
		if i > 0 {
			o.Parent = pick(d, append(slices.Clone(orgs[:i]), "")...)
		}
		for range count("contacts", 0, 2) {
			o.Contacts = append(o.Contacts, Contact{Name: d.name(), Role: d.text(), Email: pick(d, "", "a@b.example"), Phone: d.text()})
		}
		m.Organisations = append(m.Organisations, o)
	}
	party := append([]NodeID{""}, orgs...)
	for _, id := range processes {
		p := Process{ID: id, Name: d.name(), Description: d.prose(), Owner: d.text(), Needs: d.needs(id)}
		p.BIA = BIA{Criticality: pick(d, "", Critical, High, Medium, Low), RTO: d.hours(3), RPO: d.hours(9)}
		if rapid.Bool().Draw(t, "has MTPD") {
			p.BIA.MTPD = p.BIA.RTO + d.hours(9)
		}
		from := time.Duration(0)
		for range count("rates", 0, 3) {
			p.BIA.Cost = append(p.BIA.Cost, CostRate{From: from, PerHour: rapid.Int64Range(0, 5000).Draw(t, "rate")})
			from += time.Hour + d.hours(3)
		}
		for range count("items", 0, 2) {
			p.Inputs = append(p.Inputs, Item{Name: d.name(), Party: pick(d, party...), Kind: pick(d, "", ItemData, ItemGoods, ItemService)})
			p.Outputs = append(p.Outputs, Item{Name: d.name(), Party: pick(d, party...), Kind: ItemData})
		}
		for _, a := range activities[id] {
			p.Activities = append(p.Activities, Activity{ID: a, Name: d.name(), Buffer: d.hours(4), Needs: d.needs(a)})
		}
		m.Processes = append(m.Processes, p)
	}
	for _, id := range systems {
		m.Systems = append(m.Systems, System{
			ID: id, Name: d.name(), Kind: pick(d, "", SystemApplication, SystemDataStore), Operator: pick(d, party...),
			Data:     rapid.SampledFrom([][]Class{nil, {ClassSecret}, {ClassPersonal, ClassPublic}}).Draw(t, "data"),
			Products: d.some(products, 2), Needs: d.needs(id),
		})
	}
	for _, id := range supplies {
		supplier := rapid.IntRange(0, len(orgs)-1).Draw(t, "supplier")
		customer := (supplier + rapid.IntRange(1, len(orgs)-1).Draw(t, "customer")) % len(orgs)
		s := Supply{
			ID: id, Name: d.name(), Supplier: orgs[supplier], Customer: orgs[customer],
			Kind: pick(d, "", Commodity, Bespoke), Nature: pick(d, NatureGoods, NatureService, NatureSoftware, NatureCloud),
			Category: pick(d, "", "cloud", "beans"), Products: d.some(products, 2),
			Spend: rapid.Int64Range(0, 1000).Draw(t, "spend"), Needs: d.needs(id),
		}
		for _, y := range d.some(systems, 2) {
			s.Access = append(s.Access, Access{System: y, Level: pick(d, AccessUser, AccessWrite, AccessPrivileged)})
		}
		m.Supplies = append(m.Supplies, s)
	}
	for _, id := range products {
		m.Products = append(m.Products, Product{
			ID: id, Name: d.name(), Supplier: pick(d, party...), Version: pick(d, "", "1.10", "2024-01-02", "no"),
			SBOMs: d.some([]NodeID{"a.json", "b*.xml"}, 2).texts(),
		})
	}
	ends := slices.Concat(orgs, systems)
	for _, p := range processes {
		ends = append(ends, activities[p]...)
	}
	for i := range count("flows", 0, 4) {
		f := Flow{
			ID: NodeID(fmt.Sprintf("f%d", i)), From: pick(d, ends...), To: pick(d, ends...),
			Class: pick(d, "", ClassInternal, ClassSecret), Interface: d.text(), Protocol: d.text(),
		}
		if rapid.Bool().Draw(t, "names data") {
			f.Data = []string{d.name(), "orders"}
		}
		if f.From != f.To {
			m.Flows = append(m.Flows, f)
		}
	}
	return m
}

type drawer struct {
	t   *rapid.T
	all []NodeID
}

func ids(prefix string, n int) idList {
	var all idList
	for i := range n {
		all = append(all, NodeID(fmt.Sprintf("%s%d", prefix, i)))
	}
	return all
}

type idList []NodeID

func (l idList) texts() []string {
	var all []string
	for _, id := range l {
		all = append(all, string(id))
	}
	return all
}

func pick[T any](d drawer, from ...T) T { return rapid.SampledFrom(from).Draw(d.t, "pick") }

func (d drawer) hours(high int) time.Duration {
	return time.Duration(rapid.IntRange(0, high).Draw(d.t, "hours")) * time.Hour
}

// some takes up to limit different ones, in random order; nil for none.
func (d drawer) some(from []NodeID, limit int) idList {
	var all idList
	for range rapid.IntRange(0, min(limit, len(from))).Draw(d.t, "some") {
		if id := pick(d, from...); !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	return all
}

func (d drawer) needs(holder NodeID) []Need {
	var all []Need
	others := slices.DeleteFunc(slices.Clone(d.all), func(id NodeID) bool { return id == holder })
	for range rapid.IntRange(0, 2).Draw(d.t, "needs") {
		if any := d.some(others, 3); len(any) > 0 {
			all = append(all, Need{Any: any, Buffer: d.hours(4), Note: d.text()})
		}
	}
	return all
}

var runes = []rune("ab Zé漢0159:#-?,[]{}&*!|>'\"%@`~=<.\\\u00a0\u200b\u202e😀_/+")

func (d drawer) text() string {
	if rapid.IntRange(0, 3).Draw(d.t, "plain") > 0 {
		return pick(d, "", "yes", "null", "1e3", "0x1f", "12:30:45", "~", "a: b", "- a", " x ", "# no", "2026-01-01", ".inf", "Röst & Hof (Wien)")
	}
	return rapid.StringOfN(rapid.SampledFrom(runes), 0, 12, -1).Draw(d.t, "text")
}

func (d drawer) name() string {
	if s := d.text(); strings.TrimSpace(s) != "" {
		return s
	}
	return "Name"
}

func (d drawer) prose() string {
	return pick(d, "", "one\ntwo\n", "\n lead", "\ttab\n\n", d.text())
}
