package web

import (
	"github.com/a-h/templ"

	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/ui"
)

// Whom a supply is for, as the list of supplies tells them apart.
const (
	forUs     = "us"
	forOthers = "others"
)

// supplies lists what suppliers deliver, to us and to one another.
func (v *visit) supplies() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	type row = *chain.Supply
	all := pointers(p.g.Map().Supplies)
	name := func(id chain.NodeID) string { return p.named(id).Text }
	organisation := func(id chain.NodeID) ui.Cell { l := p.named(id); return linkCell(l.Text, l.Href) }
	l := list[row]{
		id: func(s row) string { return string(s.ID) }, acts: v.chainActs(chain.KindSupply),
		name: "supplies", one: "supply", many: "supplies", sort: "name",
		search: "Search by name, category, supplier or customer", empty: v.noChain("No supplies yet", chain.KindSupply),
		text: func(s row) []string {
			words := []string{s.Name, string(s.ID), s.Category, name(s.Supplier), name(s.Customer)}
			for _, id := range s.Products {
				words = append(words, p.name(id))
			}
			return words
		},
		columns: []column[row]{
			{key: "name", label: "Supply", order: byText(func(s row) string { return s.Name }), cell: func(s row) ui.Cell {
				return ui.Cell{Text: s.Name, Href: v.in("supplies", string(s.ID), "history"), Note: s.Category}
			}},
			{key: "supplier", label: "Supplier", order: byText(func(s row) string { return name(s.Supplier) }), cell: func(s row) ui.Cell { return organisation(s.Supplier) }},
			{key: "customer", label: "Customer", order: byText(func(s row) string { return name(s.Customer) }), cell: func(s row) ui.Cell { return organisation(s.Customer) }},
			{key: "nature", label: "What is delivered", order: byText(func(s row) string { return string(s.Nature) }), cell: func(s row) ui.Cell { return plainCell(v.capital(word(natureWords, s.Nature))) }},
			{key: "terms", label: "Terms", order: byText(func(s row) string { return string(s.Kind) }), cell: func(s row) ui.Cell { return plainCell(v.capital(word(supplyWords, s.Kind))) }},
			{label: "Products", cell: func(s row) ui.Cell { return p.linksCell(s.Products) }},
			{key: "spend", label: "Spend a year", num: true, order: by(func(s row) int64 { return s.Spend }), cell: func(s row) ui.Cell {
				if s.Spend == 0 {
					return plainCell("–")
				}
				return plainCell(p.money(s.Spend))
			}},
			{key: "used", label: "Relied on by", num: true, order: by(func(s row) int { return len(p.g.UsedBy(s.ID)) }), cell: func(s row) ui.Cell {
				return plainCell(v.N(len(p.g.UsedBy(s.ID)), "%d thing", "%d things"))
			}},
		},
		filters: []filter[row]{
			{key: "for", label: "For", options: []ui.Option{{Label: v.T("All")}, {Value: forUs, Label: v.T("Ourselves")}, {Value: forOthers, Label: v.T("Others in the chain")}}, match: func(s row, value string) bool {
				return (s.Customer == p.own()) == (value == forUs)
			}},
			{key: "nature", label: "What is delivered", options: wordsIn(v, natureWords, all, func(s row) chain.Nature { return s.Nature }), match: func(s row, value string) bool { return string(s.Nature) == value }},
			{key: "terms", label: "Terms", options: wordsIn(v, supplyWords, all, func(s row) chain.SupplyKind { return s.Kind }), match: func(s row, value string) bool { return string(s.Kind) == value }},
			{key: "category", label: "Category", options: valuesOf(v.T("All"), all, func(s row) string { return s.Category }), match: func(s row, value string) bool { return s.Category == value }},
		},
	}
	head := ui.Head{Title: v.T("Supplies"), Lead: v.T("What one supplier delivers to one customer: to you, and to one another as far up the chain as the map reaches."), Actions: v.newLink(chain.KindSupply, v.T(textsOfThings[chain.KindSupply].New))}
	return l.show(v, held[row]{l, all}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

// contactFilter finds the suppliers at which nobody can be called.
func (v *visit) contactFilter() filter[supplierRow] {
	return filter[supplierRow]{
		key: "contacts", label: "Contacts", options: []ui.Option{{Label: v.T("All")}, {Value: "none", Label: v.T("Nobody to call")}, {Value: "some", Label: v.T("Somebody to call")}},
		match: func(r supplierRow, value string) bool { return (len(r.Contacts) == 0) == (value == "none") },
	}
}
