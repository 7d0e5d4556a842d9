package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func chainRoutes() []Route {
	return []Route{
		page("/o/{org}/processes", identity.ChainRead, (*visit).processes),
		choosing(act("/o/{org}/processes", identity.ChainRead, (*visit).processes)),
		page("/o/{org}/processes/{id}", identity.ChainRead, (*visit).process),
		page("/o/{org}/processes/{id}/chain", identity.ChainRead, (*visit).processChain),
		page("/o/{org}/data-flows", identity.ChainRead, (*visit).dataFlows),
		choosing(act("/o/{org}/data-flows", identity.ChainRead, (*visit).dataFlows)),
		page("/o/{org}/systems", identity.ChainRead, (*visit).systems),
		choosing(act("/o/{org}/systems", identity.ChainRead, (*visit).systems)),
		page("/o/{org}/systems/{id}", identity.ChainRead, (*visit).system),
		page("/o/{org}/suppliers", identity.ChainRead, (*visit).suppliers),
		choosing(act("/o/{org}/suppliers", identity.ChainRead, (*visit).suppliers)),
		page("/o/{org}/suppliers/{id}", identity.ChainRead, (*visit).supplier),
		page("/o/{org}/supplies", identity.ChainRead, (*visit).supplies),
		choosing(act("/o/{org}/supplies", identity.ChainRead, (*visit).supplies)),
		page("/o/{org}/concentration", identity.ChainRead, (*visit).concentration),
		page("/o/{org}/what-if", identity.ChainRead, (*visit).whatIfPage),
		page("/o/{org}/what-if/moment", identity.ChainRead, (*visit).whatIfMoment),
		page("/o/{org}/map", identity.ChainRead, (*visit).mapPage),
		page("/o/{org}/map.yaml", identity.ChainRead, (*visit).mapFile),
		act("/o/{org}/map", identity.ChainEdit, (*visit).importMap).within(mapLimits),
	}
}

func (v *visit) noChain(title entente.Text, kind chain.NodeKind) ui.Empty {
	e := ui.Empty{Title: v.T(title), Text: v.T("They come from the map of your chain: what you do, what it needs, and who delivers that.")}
	ways := v.beginnings(kind)
	if len(ways) > 0 {
		e.Text = v.T("Add them one by one, or bring in what you have.")
		e.Next, e.More = ways[0], ways[1:]
	}
	return e
}

// firstTexts ask for the first thing of a kind.
var firstTexts = map[chain.NodeKind]entente.Text{
	chain.KindOrganisation: "Add your first supplier", chain.KindProcess: "Add your first process", chain.KindSystem: "Add your first system",
	chain.KindProduct: "Add your first product", chain.KindFlow: "Add your first flow of data", chain.KindSupply: "Add your first supply",
}

// beginnings are the ways in which the visitor can begin with things of a kind.
func (v *visit) beginnings(kind chain.NodeKind) []ui.Link {
	ways := v.newLink(kind, v.T(firstTexts[kind]))
	if sheet := sheetOf[kind]; sheet != "" && v.mayImport(sheet) {
		ways = append(ways, ui.Link{Text: v.T("Import a sheet"), Href: v.importOf(sheet)})
	}
	if v.may(identity.ChainEdit) {
		ways = append(ways, ui.Link{Text: v.T("Import a map"), Href: v.in("map")})
	}
	return ways
}

// processes lists the processes.
func (v *visit) processes() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	risks, err := v.risks()
	if err != nil {
		return err
	}
	all := pointers(p.g.Map().Processes)
	l := list[*chain.Process]{
		id: func(r *chain.Process) string { return string(r.ID) }, acts: v.chainActs(chain.KindProcess),
		name: "processes", one: "process", many: "processes", sort: "criticality",
		search: "Search by name, owner or what they hang on", empty: v.noChain("No processes yet", chain.KindProcess),
		text: func(r *chain.Process) []string {
			return append([]string{r.Name, string(r.ID), r.Owner, r.Description}, p.directNeeds(r)...)
		},
		columns: []column[*chain.Process]{
			{key: "name", label: "Process", order: byText(func(r *chain.Process) string { return r.Name }), cell: func(r *chain.Process) ui.Cell {
				return ui.Cell{Text: r.Name, Href: v.in("processes", string(r.ID)), Note: r.Owner}
			}},
			{key: "criticality", label: "Criticality", order: by(func(r *chain.Process) int { return criticalityOrder(r.BIA.Criticality) }), cell: func(r *chain.Process) ui.Cell {
				return badgeCell(v.criticalityBadge(r.BIA.Criticality))
			}},
			{key: "rto", label: "RTO", num: true, order: by(func(r *chain.Process) int64 { return int64(r.BIA.RTO) }), cell: func(r *chain.Process) ui.Cell { return v.spanCell(r.BIA.RTO) }},
			{key: "mtpd", label: "MTPD", num: true, order: by(func(r *chain.Process) int64 { return int64(r.BIA.MTPD) }), cell: func(r *chain.Process) ui.Cell { return v.spanCell(r.BIA.MTPD) }},
			{label: "Hangs on", cell: func(r *chain.Process) ui.Cell { return plainCell(v.reader().AndMore(p.directNeeds(r), 3)) }},
			{key: "advisories", label: "Advisories", order: by(func(r *chain.Process) int { return risks.of(r.ID) }), cell: func(r *chain.Process) ui.Cell {
				return risks.cell(v, r.ID)
			}},
		},
		filters: []filter[*chain.Process]{
			{key: "criticality", label: "Criticality", options: wordsIn(v, criticalityWords, all, func(r *chain.Process) chain.Criticality { return r.BIA.Criticality }), match: func(r *chain.Process, value string) bool { return string(r.BIA.Criticality) == value }},
			{key: "risk", label: "Risk", options: []ui.Option{{Label: v.T("All")}, {Value: "hit", Label: v.T("Hit by an advisory")}, {Value: "clear", Label: v.T("Not hit")}}, match: func(r *chain.Process, value string) bool { return (risks.of(r.ID) > 0) == (value == "hit") }},
		},
	}
	head := ui.Head{Title: v.T("Processes"), Lead: v.T("What you do, how critical it is, and what it hangs on."), Actions: append(v.newLink(chain.KindProcess, v.T("New process")), v.importLinks(chain.SheetProcesses)...)}
	return l.show(v, held[*chain.Process]{l, all}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

func pointers[T any](all []T) []*T {
	out := make([]*T, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

// directNeeds names what a process and its activities need, each once.
func (p *picture) directNeeds(r *chain.Process) []string {
	var names []string
	add := func(needs []chain.Need) {
		for _, n := range needs {
			for _, id := range n.Any {
				name := p.name(id)
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	add(r.Needs)
	for i := range r.Activities {
		add(r.Activities[i].Needs)
	}
	return names
}

// process shows one process as a SIPOC sheet.
func (v *visit) process() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	r, ok := p.g.Process(chain.NodeID(v.r.PathValue("id")))
	if !ok {
		return entente.NotFound("There is no process %q in the map. It may have been renamed or removed by a later import.", v.r.PathValue("id"))
	}
	risks, err := v.risks()
	if err != nil {
		return err
	}
	shown := processPage{
		Frame: v.frame(r.Name),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Processes"), Href: v.in("processes")}}, Title: r.Name,
			Badges: []ui.Badge{v.criticalityBadge(r.BIA.Criticality)},
			Main:   ui.Link{Text: v.T("What if it stops?"), Href: p.whatIf(r.ID)},
			Actions: append([]ui.Link{
				{Text: v.T("Its chain as a drawing"), Href: v.in("processes", string(r.ID), "chain")},
				{Text: v.T("Its data flows"), Href: v.in("data-flows") + "?process=" + url.QueryEscape(string(r.ID))},
			}, v.editLinks(chain.KindProcess, r.ID)...),
		},
		Facts: []ui.Fact{
			{Name: v.T("RTO"), Value: v.span(r.BIA.RTO), Note: v.T("to be running again")},
			{Name: v.T("MTPD"), Value: v.span(r.BIA.MTPD), Note: v.T("the longest that can be borne")},
			{Name: v.T("RPO"), Value: v.span(r.BIA.RPO), Note: v.T("of data that may be lost")},
			{Name: v.T("Advisories"), Value: v.reader().Count(risks.of(r.ID)), Note: v.T("reach this process")},
		},
		Needs: p.needs(r.Needs), Owner: r.Owner, About: r.Description, Costs: p.costs(r.BIA), Hits: risks.hitsOf(p, r.ID),
	}
	shown.Suppliers, shown.Inputs = p.sipocSide(r.Inputs, "delivers %s")
	shown.Customers, shown.Outputs = p.sipocSide(r.Outputs, "gets %s")
	for _, a := range r.Activities {
		one := activityView{Name: a.Name, Needs: p.needs(a.Needs)}
		if a.Buffer > 0 {
			one.Buffer = v.T("the process can do without it for %s", chain.SayDuration(a.Buffer))
		}
		shown.Activities = append(shown.Activities, one)
	}
	shown.Suppliers = append(shown.Suppliers, p.moreSuppliers(r)...)
	shown.Ranks, shown.Systems = p.hangsOn(r.ID)
	var later int
	shown.Single, later = p.singleFor(r.ID)
	if later > 0 {
		shown.Later = v.N(later, "%d more would stop it, but only after more than %s.", "%d more would stop it, but only after more than %s.", later, chain.SayDuration(soon))
	}
	return v.show(200, processView(shown))
}

// sipocSide tells one side of a SIPOC sheet: its parties, and the items that come
// from them or go to them.
func (p *picture) sipocSide(items []chain.Item, does entente.Text) (parties, things []sipocEntry) {
	byParty := map[chain.NodeID][]string{}
	var order []chain.NodeID
	for _, i := range items {
		things = append(things, sipocEntry{Link: ui.Link{Text: i.Name}, Note: p.v.Say(word(itemWords, i.Kind))})
		if _, known := byParty[i.Party]; !known {
			order = append(order, i.Party)
		}
		byParty[i.Party] = append(byParty[i.Party], i.Name)
	}
	for _, id := range order {
		e := sipocEntry{Link: ui.Link{Text: p.v.T("Internal")}, Note: p.v.T(does, p.v.reader().AndMore(byParty[id], 3))}
		if id != "" {
			e.Link = p.named(id)
		}
		parties = append(parties, e)
	}
	return parties, things
}

// moreSuppliers adds to the sheet those direct suppliers that no input names: the
// suppliers of the supplies that the process or an activity needs, and the operators
// of the systems.
func (p *picture) moreSuppliers(r *chain.Process) []sipocEntry {
	named := map[chain.NodeID]bool{p.own(): true, "": true}
	for _, i := range r.Inputs {
		named[i.Party] = true
	}
	var order []chain.NodeID
	because := map[chain.NodeID][]string{}
	add := func(needs []chain.Need) {
		for _, n := range needs {
			for _, id := range n.Any {
				node, ok := p.g.Node(id)
				if !ok || named[node.Organisation] || node.Kind != chain.KindSupply && node.Kind != chain.KindSystem {
					continue
				}
				if because[node.Organisation] == nil {
					order = append(order, node.Organisation)
				}
				if !slices.Contains(because[node.Organisation], node.Name) {
					because[node.Organisation] = append(because[node.Organisation], node.Name)
				}
			}
		}
	}
	add(r.Needs)
	for i := range r.Activities {
		add(r.Activities[i].Needs)
	}
	var entries []sipocEntry
	for _, id := range order {
		entries = append(entries, sipocEntry{Link: p.named(id), Note: p.v.T("behind %s", p.v.reader().AndMore(because[id], 3))})
	}
	return entries
}

// hangsOn groups the organisations behind a process by rank, and lists its systems.
func (p *picture) hangsOn(id chain.NodeID) ([]rankView, []ui.Link) {
	byRank := map[int][]ui.Link{}
	seen := map[chain.NodeID]bool{p.own(): true}
	var systems []ui.Link
	for _, h := range p.g.HangsOn(id) {
		if h.Kind == chain.KindSystem {
			systems = append(systems, p.link(h.Node))
		}
		organisation := h.Organisation
		if h.Kind == chain.KindOrganisation {
			organisation = h.ID
		}
		if organisation == "" || seen[organisation] {
			continue
		}
		seen[organisation] = true
		rank := p.g.Rank(organisation)
		byRank[rank] = append(byRank[rank], p.named(organisation))
	}
	var ranks []rankView
	for rank, who := range byRank {
		slices.SortFunc(who, func(a, b ui.Link) int { return strings.Compare(a.Text, b.Text) })
		ranks = append(ranks, rankView{Name: p.v.capital(sayRank(rank)), rank: rank, Who: who})
	}
	slices.SortFunc(ranks, func(a, b rankView) int { return cmp.Compare(a.order(), b.order()) })
	return ranks, systems
}

// costs tells the cost of an interruption, rate by rate.
func (p *picture) costs(b chain.BIA) []string {
	var lines []string
	for i, rate := range b.Cost {
		amount := p.money(rate.PerHour)
		switch {
		case rate.From == 0 && len(b.Cost) > 1:
			lines = append(lines, p.v.T("%s an hour at first", amount))
		case i > 0 || rate.From > 0:
			lines = append(lines, p.v.T("%s an hour from %s on", amount, chain.SayDuration(rate.From)))
		default:
			lines = append(lines, p.v.T("%s an hour", amount))
		}
	}
	return lines
}

// systems lists the systems.
func (v *visit) systems() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	all := pointers(p.g.Map().Systems)
	l := list[*chain.System]{
		id: func(r *chain.System) string { return string(r.ID) }, acts: v.chainActs(chain.KindSystem),
		name: "systems", one: "system", many: "systems", sort: "name",
		search: "Search by name, operator or product", empty: v.noChain("No systems yet", chain.KindSystem),
		text: func(r *chain.System) []string {
			words := []string{r.Name, string(r.ID), p.name(r.Operator)}
			for _, id := range r.Products {
				words = append(words, p.name(id))
			}
			return words
		},
		columns: []column[*chain.System]{
			{key: "name", label: "System", order: byText(func(r *chain.System) string { return r.Name }), cell: func(r *chain.System) ui.Cell {
				return linkCell(r.Name, v.in("systems", string(r.ID)))
			}},
			{key: "kind", label: "Kind", order: byText(func(r *chain.System) string { return string(r.Kind) }), cell: func(r *chain.System) ui.Cell { return plainCell(v.Say(word(systemWords, r.Kind))) }},
			{key: "operator", label: "Run by", order: byText(func(r *chain.System) string { return p.name(r.Operator) }), cell: func(r *chain.System) ui.Cell {
				l := p.named(r.Operator)
				return linkCell(l.Text, l.Href)
			}},
			{label: "Data", cell: func(r *chain.System) ui.Cell { return v.classCell(r.Data) }},
			{label: "Runs", cell: func(r *chain.System) ui.Cell { return p.linksCell(r.Products) }},
			{key: "used", label: "Relied on by", num: true, order: by(func(r *chain.System) int { return len(p.g.UsedBy(r.ID)) }), cell: func(r *chain.System) ui.Cell {
				return plainCell(v.N(len(p.g.UsedBy(r.ID)), "%d thing", "%d things"))
			}},
		},
		filters: []filter[*chain.System]{
			{key: "kind", label: "Kind", options: wordsIn(v, systemWords, all, func(r *chain.System) chain.SystemKind { return r.Kind }), match: func(r *chain.System, value string) bool { return string(r.Kind) == value }},
			{key: "data", label: "Data", options: []ui.Option{{Label: v.T("All")}, {Value: "secret", Label: v.T("Secret")}, {Value: "personal", Label: v.T("Personal")}, {Value: "confidential", Label: v.T("Confidential")}, {Value: "internal", Label: v.T("Internal")}, {Value: "public", Label: v.T("Public")}}, match: func(r *chain.System, value string) bool { return slices.Contains(r.Data, chain.Class(value)) }},
		},
	}
	head := ui.Head{Title: v.T("Systems"), Lead: v.T("Applications, services, data stores and interfaces that your processes and suppliers rely on."), Actions: append(v.newLink(chain.KindSystem, v.T("New system")), v.importLinks(chain.SheetSystems)...)}
	return l.show(v, held[*chain.System]{l, all}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

func (v *visit) classBadge(c chain.Class) ui.Badge {
	tone := ui.Calm
	switch c {
	case chain.ClassSecret:
		tone = ui.Bad
	case chain.ClassPersonal, chain.ClassConfidential:
		tone = ui.Warn
	}
	return ui.Badge{Text: v.Say(word(classWords, c)), Tone: tone}
}

func (v *visit) classCell(classes []chain.Class) ui.Cell {
	badges := make([]ui.Badge, len(classes))
	for i, c := range classes {
		badges[i] = v.classBadge(c)
	}
	return badgeCell(badges...)
}

func (p *picture) linksCell(ids []chain.NodeID) ui.Cell {
	if len(ids) == 0 {
		return ui.Cell{}
	}
	links := p.links(ids)
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.Text
	}
	return ui.Cell{Text: strings.Join(names, ", "), View: ui.Links(links)}
}

// system shows one system.
func (v *visit) system() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	id := chain.NodeID(v.r.PathValue("id"))
	i := slices.IndexFunc(p.g.Map().Systems, func(s chain.System) bool { return s.ID == id })
	if i < 0 {
		return entente.NotFound("There is no system %q in the map. It may have been renamed or removed by a later import.", id)
	}
	s := &p.g.Map().Systems[i]
	node, _ := p.g.Node(id)
	shown := systemPage{
		Frame: v.frame(s.Name),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Systems"), Href: v.in("systems")}}, Title: s.Name,
			Main:    ui.Link{Text: v.T("What if it stops?"), Href: p.whatIf(id)},
			Actions: v.editLinks(chain.KindSystem, id),
		},
		Defs: []ui.Def{
			{Term: v.T("Kind"), Text: v.Say(word(systemWords, s.Kind))},
			{Term: v.T("Data"), View: orNothing(len(s.Data) > 0, v.classCell(s.Data).View)},
			{Term: v.T("Products"), View: orNothing(len(s.Products) > 0, ui.Links(p.links(s.Products)))},
		},
		Needs: p.needs(s.Needs), Stops: p.stops(node),
	}
	if s.Operator != "" {
		shown.Defs = slices.Insert(shown.Defs, 1, ui.Def{Term: v.T("Run by"), View: ui.LinkTo(p.named(s.Operator))})
	}
	for _, n := range p.g.UsedBy(id) {
		shown.UsedBy = append(shown.UsedBy, p.link(n))
	}
	for _, f := range p.g.Map().Flows {
		if f.From == id || f.To == id {
			shown.Flows = append(shown.Flows, p.flowRow(f))
		}
	}
	return v.show(200, systemView(shown))
}

func orNothing(ok bool, c templ.Component) templ.Component {
	if !ok {
		return nil
	}
	return c
}

func (p *picture) flowRow(f chain.Flow) ui.Row {
	over := f.Interface
	if f.Protocol != "" {
		over = strings.TrimPrefix(over+", "+f.Protocol, ", ")
	}
	from, to := p.named(f.From), p.named(f.To)
	return ui.Row{Cells: []ui.Cell{
		plainCell(cmp.Or(p.v.reader().And(f.Data), string(f.ID))), linkCell(from.Text, from.Href), linkCell(to.Text, to.Href),
		badgeCell(p.v.classBadge(f.Class)), plainCell(over),
	}}
}

// mapPage is where a map comes in and goes out.
func (v *visit) mapPage() error {
	shown, err := v.mapShown()
	if err != nil {
		return err
	}
	return v.show(200, mapView(shown))
}

func (v *visit) mapShown() (mapPage, error) {
	p, err := v.picture()
	if err != nil {
		return mapPage{}, err
	}
	m := p.g.Map()
	shown := mapPage{
		Frame:     v.frame(v.T("Map")),
		Head:      ui.Head{Title: v.T("Map"), Lead: v.T("Your whole chain as one file, to bring it in and to take it away.")},
		Notice:    v.done(),
		MayImport: v.may(identity.ChainEdit), Action: v.in("map"),
	}
	if p.g.Revision() > 0 {
		shown.Download = v.in("map.yaml")
		shown.Facts = []ui.Fact{
			{Name: v.T("Organisations"), Value: v.reader().Count(len(m.Organisations)), Href: v.in("suppliers")},
			{Name: v.T("Processes"), Value: v.reader().Count(len(m.Processes)), Href: v.in("processes")},
			{Name: v.T("Systems"), Value: v.reader().Count(len(m.Systems)), Href: v.in("systems")},
			{Name: v.T("Supplies"), Value: v.reader().Count(len(m.Supplies))},
			{Name: v.T("Products"), Value: v.reader().Count(len(m.Products)), Href: v.in("products")},
			{Name: v.T("Flows"), Value: v.reader().Count(len(m.Flows)), Href: v.in("data-flows")},
		}
	}
	return shown, nil
}

// mapFile gives the map as a file.
func (v *visit) mapFile() error {
	m, err := v.Chain.Export(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+string(v.actor.Org)+`.map.yaml"`)
	v.answer = 200
	return chain.WriteMap(v.w, m)
}

// importMap takes over a map, or shows what is wrong in it.
func (v *visit) importMap() error {
	file, name, err := v.upload("map")
	if err != nil {
		return err
	}
	defer file.Close()
	m, err := chain.ParseMap(file, name)
	if err == nil {
		var result chain.ImportResult
		result, err = v.Chain.Import(v.r.Context(), v.actor, m)
		if err == nil {
			return v.redirect(v.in("map") + "?done=" + importOutcome(result))
		}
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	shown, err := v.mapShown()
	if err != nil {
		return err
	}
	shown.Notice = ui.Notice{Tone: ui.Bad, Text: v.T("The map was not imported. Nothing was changed.")}
	shown.WrongText = lang.Capital(v.T("%s", wrong.Message))
	for _, f := range wrong.Fields {
		shown.Wrong = append(shown.Wrong, ui.Row{Cells: []ui.Cell{plainCell(v.fieldPlace(f)), plainCell(v.T("%s", f.Message))}})
	}
	return v.show(422, mapView(shown))
}

func importOutcome(r chain.ImportResult) string {
	if r.Unchanged() {
		return "same"
	}
	return "imported"
}

func (v *visit) fieldPlace(f entente.FieldError) string {
	switch {
	case f.Line > 0 && f.Field != "":
		return v.T("Line %d, %s", f.Line, f.Field)
	case f.Line > 0:
		return v.T("Line %d", f.Line)
	case f.Field != "":
		return f.Field
	}
	return v.T("The file")
}
