package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// dependences finds, for every organisation, what stops when its legal entity alone
// stops.
func (p *picture) dependences() map[chain.NodeID]*chain.Dependence {
	of := map[chain.NodeID]*chain.Dependence{}
	for _, d := range p.g.Concentration().Dependences {
		for _, id := range d.Organisations {
			of[id] = &d
		}
	}
	return of
}

// suppliers lists the organisations that we hang on, of every rank.
func (v *visit) suppliers() error {
	all, err := v.supplierRows(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	l := list[supplierRow]{
		id: func(r supplierRow) string { return string(r.ID) }, acts: append(v.tierActs(), v.chainActs(chain.KindOrganisation)...),
		name: "suppliers", one: "supplier", many: "suppliers", sort: "rank",
		search: "Search by name, category, country or supply", empty: v.noChain("No suppliers yet", chain.KindOrganisation),
		text: func(r supplierRow) []string {
			return []string{r.searched}
		},
		columns: []column[supplierRow]{
			{key: "name", label: "Supplier", order: byText(func(r supplierRow) string { return r.Name }), cell: func(r supplierRow) ui.Cell {
				return ui.Cell{Text: r.Name, Href: v.in("suppliers", string(r.ID)), Note: r.Country}
			}},
			{key: "rank", label: "Rank", tight: true, order: by(supplierRow.rankOrder), cell: func(r supplierRow) ui.Cell { return v.rankCell(r.rank) }},
			{key: "tier", label: "Tier", tight: true, order: by(supplierRow.tierOrder), cell: func(r supplierRow) ui.Cell { return v.tierCell(r.standing) }},
			{key: "category", label: "Category", order: byText(func(r supplierRow) string { return r.Category }), cell: func(r supplierRow) ui.Cell { return plainCell(r.Category) }},
			{label: "Supplies", cell: func(r supplierRow) ui.Cell { return plainCell(v.reader().AndMore(r.supplies, 3)) }},
			{key: "stops", label: "If it alone stops", order: by(func(r supplierRow) int { return -r.stops.Processes }), cell: func(r supplierRow) ui.Cell { return v.tollCell(r.stops) }},
			{key: "contacts", label: "Contacts", num: true, order: by(func(r supplierRow) int { return len(r.Contacts) }), cell: func(r supplierRow) ui.Cell {
				if len(r.Contacts) == 0 {
					return badgeCell(ui.Badge{Text: v.T("none"), Tone: ui.Warn})
				}
				return plainCell(v.reader().Count(len(r.Contacts)))
			}},
		},
		filters: []filter[supplierRow]{
			{key: "rank", label: "Rank", options: v.rankOptions(all.ranks), match: func(r supplierRow, value string) bool { return strconv.Itoa(r.rank) == value }},
			v.tierFilter(),
			v.contactFilter(),
			{key: "category", label: "Category", options: append([]ui.Option{{Label: v.T("All")}}, all.categories[1:]...), match: func(r supplierRow, value string) bool { return r.Category == value }},
			{key: "stops", label: "Single points", options: []ui.Option{{Label: v.T("All")}, {Value: "yes", Label: v.T("Stops a process alone")}, {Value: "critical", Label: v.T("Stops a critical process")}}, match: func(r supplierRow, value string) bool {
				return r.stops.Critical > 0 || value == "yes" && r.stops.Processes > 0
			}},
		},
	}
	head := ui.Head{Title: v.T("Suppliers"), Lead: v.T("Everyone you hang on, as far up the chain as the map reaches."), Actions: append([]ui.Link{{Text: v.T("Concentration"), Href: v.in("concentration")}}, slices.Concat(v.newLink(chain.KindOrganisation, v.T("New supplier")), v.importLinks(chain.SheetSuppliers, chain.SheetContacts))...)}
	return l.show(v, held[supplierRow]{l, all.rows}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

// stopsCell tells in a few words what one outage does.
func (v *visit) stopsCell(stops []chain.ProcessStop) ui.Cell { return v.tollCell(chain.TollOf(stops)) }

// rankOptions offers ranks to choose from.
func (v *visit) rankOptions(ranks []int) []ui.Option {
	options := []ui.Option{{Label: v.T("All")}}
	for _, rank := range ranks {
		options = append(options, ui.Option{Value: strconv.Itoa(rank), Label: v.capital(sayRank(rank))})
	}
	return options
}

func (v *visit) tollCell(t chain.Toll) ui.Cell {
	if t.Processes == 0 {
		return plainCell(v.T("No process stops"))
	}
	c := ui.Cell{Text: v.N(t.Processes, "%d process stops", "%d processes stop"), Note: v.T("the first %s", sayAfter(t.First))}
	switch {
	case t.Critical == t.Processes:
		c.Text = v.N(t.Critical, "%d critical process stops", "%d critical processes stop")
	case t.Critical > 0:
		c.Text = v.T("%s, %d of them critical", c.Text, t.Critical)
	}
	if t.Processes == 1 {
		c.Note = v.Say(sayAfter(t.First))
	}
	return c
}

// soon bounds what a process sheet shows of the outages that stop it: what takes
// longer leaves time to act.
const soon = 30 * 24 * time.Hour

// singleFor lists the entities that stop one process when they alone stop, and
// counts those that take longer than [soon].
func (p *picture) singleFor(id chain.NodeID) (rows []ui.Row, later int) {
	type single struct {
		d     *chain.Dependence
		fails time.Duration
	}
	var singles []single
	for _, d := range p.g.Concentration().Dependences {
		for _, s := range d.Stops {
			if s.Process == id {
				singles = append(singles, single{&d, s.Fails})
			}
		}
	}
	slices.SortStableFunc(singles, func(a, b single) int { return cmp.Compare(a.fails, b.fails) })
	for _, s := range singles {
		if s.fails > soon {
			later++
			continue
		}
		outage := p.g.Outage(s.d.Organisations, chain.OutageOptions{})
		words := ""
		if stop, ok := outage.Process(id); ok {
			words = p.v.T("%s", stop.Say())
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{
			linkCell(s.d.Name, p.path(chain.KindOrganisation, s.d.Organisations[0])),
			p.v.rankCell(s.d.Rank),
			plainCell(p.v.capital(sayAfter(s.fails))),
			plainCell(words),
		}})
	}
	return rows, later
}

// supplier shows one organisation of the chain.
func (v *visit) supplier() error {
	if id := chain.NodeID(v.r.PathValue("id")); chain.IsDisclosed(id) {
		p, err := v.picture()
		if err != nil {
			return err
		}
		node, _ := p.g.Node(id)
		return v.provider(p, node)
	}
	shown, err := v.supplierShown()
	if err != nil {
		return err
	}
	shown.Notice = v.undoOffer()
	return v.show(200, supplierView(shown))
}

func (v *visit) supplierShown() (supplierPage, error) {
	p, err := v.picture()
	if err != nil {
		return supplierPage{}, err
	}
	id := chain.NodeID(v.r.PathValue("id"))
	o, ok := p.g.Organisation(id)
	if !ok {
		return supplierPage{}, entente.NotFound("There is no organisation %q in the map. It may have been renamed or removed by a later import.", id)
	}
	node, _ := p.g.Node(id)
	rank := p.g.Rank(id)
	shown := supplierPage{
		Frame: v.frame(o.Name),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Suppliers"), Href: v.in("suppliers")}}, Title: o.Name,
			Badges: []ui.Badge{{Text: v.Say(sayRank(rank)), Tone: ui.Accent}},
			Lead:   o.Note,
			Main:   ui.Link{Text: v.T("What if it stops?"), Href: p.whatIf(id)},

			Actions: v.editLinks(chain.KindOrganisation, id),
		},
		Stops: p.stops(node),
	}
	if all := p.withPartner(id, people(o.Contacts)); len(all) > 0 {
		if o.ID == p.own() {
			v.inviteColleagues(all)
		}
		shown.Contacts = []ui.Call{{People: all}}
	}
	if o.ID == p.own() {
		shown.Stops.None = v.T("No process is in the map.")
	}
	err = p.addPartnership(&shown, id, o.Name)
	if err != nil {
		return supplierPage{}, err
	}
	customers := p.addSupplies(&shown, id)
	p.addUpstream(&shown, id)
	shown.Told, shown.ToldBefore, err = p.told(id)
	if err != nil {
		return supplierPage{}, err
	}
	shown.Facts = []ui.Fact{
		{Name: v.T("Rank"), Value: v.Say(sayRank(rank)), Note: v.T("distance in the chain")},
		{Name: v.T("Supplies"), Value: v.reader().Count(len(shown.Supplies)), Note: v.N(customers, "to %d customer in the chain", "to %d customers in the chain")},
		{Name: v.T("Processes that stop"), Value: v.reader().Count(len(shown.Stops.Rows)), Note: v.T("when it alone stops")},
	}
	err = v.addTier(&shown, id, rank)
	if err != nil {
		return supplierPage{}, err
	}
	if d := p.dependences()[id]; d != nil && len(d.Organisations) > 1 {
		var others []ui.Link
		for _, other := range d.Organisations {
			if other != id {
				others = append(others, p.named(other))
			}
		}
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T("One with"), View: ui.Links(others)}, ui.Def{Term: v.T("Because of"), Text: v.T("%s", entente.And(d.Because))})
	}
	if o.Parent != "" {
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T("Owned by"), View: ui.LinkTo(p.named(o.Parent))})
	}
	shown.Defs = append(shown.Defs,
		ui.Def{Term: v.T("Category"), Text: o.Category}, ui.Def{Term: v.T("Country"), Text: o.Country}, ui.Def{Term: v.T("LEI"), Text: o.LEI},
		ui.Def{Term: v.T("Domains"), Text: strings.Join(o.Domains, ", ")}, ui.Def{Term: v.T("Identifier in the map"), Text: string(o.ID)})
	return shown, nil
}

// addPartnership leads to the partnership with the organisation, or to an invitation.
func (p *picture) addPartnership(shown *supplierPage, id chain.NodeID, name string) error {
	m := p.g.Map()
	supplies, buys := false, false
	for i := range m.Supplies {
		supplies = supplies || m.Supplies[i].Supplier == id && m.Supplies[i].Customer == m.Own
		buys = buys || m.Supplies[i].Supplier == m.Own && m.Supplies[i].Customer == id
	}
	if id == m.Own {
		return nil
	}
	link, err := p.v.inviteLink(string(id), name, supplies, buys)
	if link.Href != "" {
		shown.Head.Actions = append(shown.Head.Actions, link)
	}
	return err
}

// addSupplies adds what an organisation supplies, to whom, and its products.
func (p *picture) addSupplies(shown *supplierPage, id chain.NodeID) (customers int) {
	m := p.g.Map()
	seen := map[chain.NodeID]bool{}
	for i := range m.Supplies {
		s := &m.Supplies[i]
		if s.Supplier != id {
			continue
		}
		if !seen[s.Customer] {
			seen[s.Customer] = true
			customers++
		}
		spend := "–"
		if s.Spend > 0 {
			spend = p.money(s.Spend)
		}
		var access []string
		for _, a := range s.Access {
			access = append(access, p.v.T("%s (%s)", p.name(a.System), word(accessWords, a.Level)))
		}
		to := p.named(s.Customer)
		shown.Supplies = append(shown.Supplies, ui.Row{Cells: []ui.Cell{
			{Text: s.Name, Href: p.v.in("supplies", string(s.ID), "history"), Note: s.Category}, linkCell(to.Text, to.Href),
			plainCell(lang.Capital(strings.TrimSpace(p.v.T("%s %s", word(supplyWords, s.Kind), word(natureWords, s.Nature))))), plainCell(spend), plainCell(p.v.reader().And(access)),
		}})
	}
	for i := range m.Products {
		if m.Products[i].Supplier == id {
			shown.Products = append(shown.Products, p.v.productRow(&m.Products[i]))
		}
	}
	return customers
}

// addUpstream adds an organisation's own suppliers, and the systems that it runs.
func (p *picture) addUpstream(shown *supplierPage, id chain.NodeID) {
	m := p.g.Map()
	seen := map[chain.NodeID]bool{id: true}
	for i := range m.Supplies {
		if s := &m.Supplies[i]; s.Customer == id && !seen[s.Supplier] {
			seen[s.Supplier] = true
			shown.Upstream = append(shown.Upstream, p.named(s.Supplier))
		}
	}
	for i := range m.Systems {
		if m.Systems[i].Operator == id {
			shown.Systems = append(shown.Systems, p.named(m.Systems[i].ID))
		}
	}
}

// concentration shows on whom and on what too much hangs.
func (v *visit) concentration() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	shown, err := v.concentrated.get(concentrationState{v.actor.Org, p.g.Revision(), v.reader().Tag()}, func() (concentrationPage, int, error) {
		made := p.concentration()
		return made, len(made.Dependences) + len(made.Points) + len(made.Categories), nil
	})
	if err != nil {
		return err
	}
	shown.Frame = v.frame(v.T("Concentration"))
	shown.Head = ui.Head{
		Crumbs: []ui.Link{{Text: v.T("Suppliers"), Href: v.in("suppliers")}}, Title: v.T("Concentration"),
		Lead: v.T("On whom and on what too much hangs. Every outage here is simulated with all alternatives and buffers, not counted by links."),
	}
	shown.Empty = v.noChain("No chain yet", chain.KindProcess)
	return v.show(200, concentrationView(shown))
}

// concentrationState is what the rows of the page of concentration depend on.
type concentrationState struct {
	org      entente.OrgID
	revision int64 // of the chain
	language string
}

// concentration tells the rows and charts, alike for everybody who reads the language.
func (p *picture) concentration() (shown concentrationPage) {
	v, c := p.v, p.g.Concentration()
	for _, d := range c.Dependences {
		shown.Dependences = append(shown.Dependences, p.dependenceRow(&d))
	}
	for _, s := range c.SinglePoints {
		if s.Kind == chain.KindOrganisation {
			continue
		}
		l := p.link(s.Node)
		shown.Points = append(shown.Points, ui.Row{Cells: []ui.Cell{
			linkCell(l.Text, l.Href), plainCell(v.capital(word(kindWordsOf, s.Kind))), {Text: p.name(s.Organisation), Note: v.Say(sayRank(s.Rank))}, v.stopsCell(s.Stops),
		}})
	}
	for _, one := range c.Categories {
		shown.Categories = append(shown.Categories, p.categoryRow(one))
	}
	shown.Providers, shown.Rests = p.providers()
	shown.StopChart, shown.StopRows = p.stopChart(c.Dependences)
	shown.HHIChart = p.hhiChart(c.Categories)
	shown.Facts = []ui.Fact{
		{Name: v.T("Single points of failure"), Value: v.reader().Count(len(c.Dependences)), Note: v.T("organisations that stop a process alone")},
		{Name: v.T("Hidden ones"), Value: v.reader().Count(c.Hidden), Note: v.T("of rank 2 and beyond: you have no contract with them")},
		{Name: v.T("Concentrated categories"), Value: v.reader().Count(countHigh(c.Categories)), Note: v.T("HHI above 1,800")},
	}
	if c.Unexamined > 0 {
		shown.Notice = ui.Notice{Tone: ui.Warn, Text: v.N(c.Unexamined, "%d thing was not simulated, because the chain is too large for one page.", "%d things were not simulated, because the chain is too large for one page.")}
	}
	return shown
}

func countHigh(categories []chain.Category) int {
	n := 0
	for _, c := range categories {
		if c.Band == chain.BandHigh {
			n++
		}
	}
	return n
}

func (p *picture) dependenceRow(d *chain.Dependence) ui.Row {
	var names []string
	for _, s := range d.Stops {
		names = append(names, p.v.T("%s %s", s.Name, sayAfter(s.Fails)))
	}
	name := linkCell(d.Name, p.path(chain.KindOrganisation, d.Organisations[0]))
	if len(d.Organisations) > 1 {
		name.Note = p.v.N(len(d.Organisations), "%d organisation as one, because of %s", "%d organisations as one, because of %s", len(d.Organisations), entente.And(d.Because))
	}
	if told := p.g.ToldBy(d.Organisations[0]); len(told) > 0 {
		name.Text = p.named(d.Organisations[0]).Text
		name.Note = p.v.T("told by %s", p.v.toldBy(told))
	}
	rank := ui.Badge{Text: p.v.Say(sayRank(d.Rank))}
	if d.Rank > 1 {
		rank.Tone = ui.Warn
	}
	return ui.Row{Cells: []ui.Cell{
		name, badgeCell(rank), {Text: p.v.reader().AndMore(names, 3)},
		linkCell(p.v.T("What if it stops?"), p.whatIf(d.Organisations...)),
	}}
}

func (p *picture) categoryRow(c chain.Category) ui.Row {
	tone := map[chain.Band]ui.Tone{chain.BandHigh: ui.Bad, chain.BandModerate: ui.Warn}[c.Band]
	basis := entente.Say("by number of supplies")
	if c.BySpend {
		basis = entente.Say("by yearly spend")
	}
	if !c.Direct {
		basis = entente.Say("%s, whole chain", basis)
	}
	var shares []string
	for _, s := range c.Shares {
		shares = append(shares, p.v.T("%s %s", s.Name, p.v.reader().Percent(s.Percent/100)))
	}
	return ui.Row{Cells: []ui.Cell{
		{Text: lang.Capital(c.Category), Note: p.v.Say(basis)},
		{Text: p.v.reader().Count(c.HHI), NoteView: ui.Share(c.HHI / 10)},
		badgeCell(ui.Badge{Text: p.v.Say(word(bandWords, c.Band)), Tone: tone}),
		plainCell(p.v.reader().AndMore(shares, 4)),
	}}
}
