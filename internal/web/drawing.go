package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/draw"
	"github.com/entente-project/entente/internal/web/ui"
)

const (
	// mostDrawn is how many things one drawing holds; beyond that nobody can read it.
	mostDrawn = 150
	// mostProcessesToChoose bounds the choice of a process above the data flows.
	mostProcessesToChoose = 200
)

// drawingView is a drawing on a page.
type drawingView struct {
	SVG      string
	Label    string
	Download string
	LeftOut  string // what did not fit
	None     string // said instead of a drawing of nothing
	Walk     bool   // a script lets the reader walk in it
}

// asksForSVG says whether the drawing is asked for as a file.
func (v *visit) asksForSVG() bool { return v.r.URL.Query().Get("format") == "svg" }

// svgFile answers with a drawing as a file of its own.
func (v *visit) svgFile(d draw.Diagram, name string) error {
	for i := range d.Nodes {
		d.Nodes[i].Href = "" // a path of this node leads nowhere from a file
	}
	v.w.Header().Set("Content-Type", "image/svg+xml; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+string(v.actor.Org)+"-"+name+`.svg"`)
	v.answer = http.StatusOK
	_, err := v.w.Write([]byte(d.File()))
	return err
}

// flowView is one flow of data, with the organisations at both ends.
type flowView struct {
	chain.Flow
	from, to chain.Node
}

func (f flowView) crosses() bool { return f.from.Organisation != f.to.Organisation }

func (f flowView) over() string {
	return strings.Trim(f.Interface+", "+f.Protocol, ", ")
}

// end is one end of a flow; an organisation stands behind itself.
func (p *picture) end(id chain.NodeID) chain.Node {
	n, ok := p.g.Node(id)
	if !ok {
		n = chain.Node{ID: id, Name: string(id)}
	}
	if n.Kind == chain.KindOrganisation {
		n.Organisation = n.ID
	}
	return n
}

// endsOf is what a process and its activities are, and everything that they hang on.
func (p *picture) endsOf(id chain.NodeID) map[chain.NodeID]bool {
	ends := map[chain.NodeID]bool{}
	r, ok := p.g.Process(id)
	if !ok {
		return ends
	}
	ends[id] = true
	for _, h := range p.g.HangsOn(r.ID) {
		if h.Kind != chain.KindOrganisation {
			ends[h.ID] = true
		}
	}
	return ends
}

// dataFlows shows the flows of data as a drawing with a boundary around each
// organisation, and as a list; search and filters are about both.
func (v *visit) dataFlows() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	m := p.g.Map()
	all := make([]flowView, len(m.Flows))
	for i, f := range m.Flows {
		all[i] = flowView{f, p.end(f.From), p.end(f.To)}
	}
	asked := chain.NodeID(v.r.URL.Query().Get("process"))
	near := p.endsOf(asked)
	l := p.flowList(all, near)
	from := held[flowView]{l, all}
	q := l.query(v.r.URL)
	drawn, _, _, err := from.page(q, 0, len(all))
	if err != nil {
		return err
	}
	head := ui.Head{Title: v.T("Data flows"), Lead: v.T("Which data goes where, over which interface. A boundary stands around each organisation: what crosses one is a matter of trust."), Actions: v.newLink(chain.KindFlow, v.T("New flow"))}
	if r, ok := p.g.Process(asked); ok {
		head.Crumbs = []ui.Link{{Text: v.T("Processes"), Href: v.in("processes")}, {Text: r.Name, Href: v.in("processes", string(r.ID))}}
		head.Title = v.T("Data flows of %s", r.Name)
	}
	diagram, leftOut := p.flowDiagram(head.Title, drawn)
	if v.asksForSVG() {
		return v.svgFile(diagram, "data-flows")
	}
	return l.show(v, from, func(shown ui.List) templ.Component {
		d := drawingView{Label: head.Title, Download: q.with("format", "svg"), LeftOut: leftOut, Walk: len(diagram.Nodes) > 0}
		if d.Walk {
			v.island()
		}
		if len(diagram.Nodes) > 0 {
			d.SVG = v.svg(diagram)
		}
		return drawnListView(v.frame(head.Title), head, d, v.T("The flows as a table"), shown)
	})
}

func (p *picture) flowList(all []flowView, near map[chain.NodeID]bool) list[flowView] {
	v := p.v
	end := func(n chain.Node) ui.Cell {
		c := linkCell(n.Name, p.path(n.Kind, n.ID))
		if n.Organisation != "" && n.Organisation != n.ID {
			c.Note = p.name(n.Organisation)
		}
		return c
	}
	processes := []ui.Option{{Label: v.T("All")}}
	asked := v.r.URL.Query().Get("process")
	for _, r := range p.g.Map().Processes {
		if len(p.g.Map().Processes) <= mostProcessesToChoose || string(r.ID) == asked {
			processes = append(processes, ui.Option{Value: string(r.ID), Label: r.Name})
		}
	}
	organisation := func(n chain.Node) string {
		if n.Organisation == "" {
			return v.T("nobody named")
		}
		return p.name(n.Organisation)
	}
	return list[flowView]{
		id: func(f flowView) string { return string(f.ID) }, acts: v.chainActs(chain.KindFlow),
		name: "data-flows", one: "flow", many: "flows", sort: "data",
		search: "Search by data, system, organisation or interface", empty: v.noChain("No data flows yet", chain.KindFlow),
		text: func(f flowView) []string {
			return append([]string{string(f.ID), f.from.Name, f.to.Name, organisation(f.from), organisation(f.to), f.over(), string(f.Class), v.Say(word(classWords, f.Class))}, f.Data...)
		},
		columns: []column[flowView]{
			{key: "data", label: "Data", order: byText(func(f flowView) string { return v.reader().And(f.Data) }), cell: func(f flowView) ui.Cell {
				return linkCell(cmp.Or(v.reader().And(f.Data), string(f.ID)), v.in("flows", string(f.ID), "history"))
			}},
			{key: "from", label: "From", order: byText(func(f flowView) string { return f.from.Name }), cell: func(f flowView) ui.Cell { return end(f.from) }},
			{key: "to", label: "To", order: byText(func(f flowView) string { return f.to.Name }), cell: func(f flowView) ui.Cell { return end(f.to) }},
			{key: "class", label: "Class", order: by(func(f flowView) int { return -slices.Index(chain.Classes(), f.Class) }), cell: func(f flowView) ui.Cell { return badgeCell(v.classBadge(f.Class)) }},
			{key: "over", label: "Over", order: byText(flowView.over), cell: func(f flowView) ui.Cell { return plainCell(f.over()) }},
			{key: "boundary", label: "Boundary", order: by(func(f flowView) int {
				if f.crosses() {
					return 0
				}
				return 1
			}), cell: func(f flowView) ui.Cell {
				if !f.crosses() {
					return plainCell(v.T("stays inside"))
				}
				return ui.Cell{Text: v.T("crosses"), Note: v.T("%s to %s", organisation(f.from), organisation(f.to))}
			}},
		},
		filters: []filter[flowView]{
			{key: "process", label: "Process", options: processes, match: func(f flowView, _ string) bool { return near[f.From] || near[f.To] }},
			{key: "class", label: "Class", options: wordsIn(v, classWords, all, func(f flowView) chain.Class { return f.Class }), match: func(f flowView, value string) bool { return string(f.Class) == value }},
			{key: "boundary", label: "Boundary", options: []ui.Option{{Label: v.T("All")}, {Value: "crosses", Label: v.T("Crosses one")}, {Value: "inside", Label: v.T("Stays inside")}}, match: func(f flowView, value string) bool {
				return f.crosses() == (value == "crosses")
			}},
		},
	}
}

// flowDiagram draws flows, as many as fit.
func (p *picture) flowDiagram(title string, flows []flowView) (d draw.Diagram, leftOut string) {
	d = draw.Diagram{Title: title}
	seen := map[chain.NodeID]bool{}
	drawn, crossing := 0, 0
	for _, f := range flows {
		fresh := 0
		for _, id := range []chain.NodeID{f.From, f.To} {
			if !seen[id] {
				fresh++
			}
		}
		if len(d.Nodes)+fresh > mostDrawn {
			continue
		}
		drawn++
		for _, n := range []chain.Node{f.from, f.to} {
			if !seen[n.ID] {
				seen[n.ID] = true
				d.Nodes = append(d.Nodes, p.drawn(n))
			}
		}
		e := draw.Edge{From: string(f.From), To: string(f.To), Label: joinWords(" · ", f.Interface, p.v.Say(word(classWords, f.Class)), p.v.reader().And(f.Data)), Note: f.Protocol}
		if f.crosses() {
			crossing++
			e.Mark = draw.Crosses
			e.Note = joinWords(", ", f.Protocol, p.v.T("crosses a trust boundary"))
		}
		d.Edges = append(d.Edges, e)
	}
	d.Groups = p.boundaries(d.Nodes)
	d.Desc = p.v.T("%s between %s; %s, drawn with a thick line. The table below says the same in words.",
		entente.Plural(drawn, "%d flow", "%d flows"), entente.Plural(len(d.Nodes), "%d thing", "%d things"), entente.Plural(crossing, "%d crosses a trust boundary", "%d cross a trust boundary"))
	if n := len(flows) - drawn; n > 0 {
		leftOut = p.v.N(n, "%d flow was left out, because a drawing holds %d things at most. Choose a process or a class to see it; the table holds them all.", "%d flows were left out, because a drawing holds %d things at most. Choose a process or a class to see them; the table holds them all.", n, mostDrawn)
	}
	return d, leftOut
}

func joinWords(between string, words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), between)
}

// boundaries puts one around the things of each organisation.
func (p *picture) boundaries(nodes []draw.Node) []draw.Group {
	var groups []draw.Group
	for _, n := range nodes {
		known := n.Group == "" || slices.ContainsFunc(groups, func(g draw.Group) bool { return g.ID == n.Group })
		if known {
			continue
		}
		g := draw.Group{ID: n.Group, Label: p.name(chain.NodeID(n.Group))}
		if n.Group == string(p.own()) {
			g.Mark, g.Label = draw.Focus, p.v.T("%s (ourselves)", g.Label)
		}
		groups = append(groups, g)
	}
	return groups
}

// drawn is a thing as drawings show it.
func (p *picture) drawn(n chain.Node) draw.Node {
	d := draw.Node{ID: string(n.ID), Label: n.Name, Note: p.v.Say(word(kindWordsOf, n.Kind)), Group: string(n.Organisation), Href: p.path(n.Kind, n.ID)}
	switch n.Kind {
	case chain.KindOrganisation:
		d.Shape, d.Group = draw.Entity, string(n.ID)
	case chain.KindProcess, chain.KindActivity:
		d.Shape, d.Group = draw.Process, string(p.own())
	case chain.KindSupply:
		d.Shape = draw.Supply
	case chain.KindProduct:
		d.Shape = draw.Product
	case chain.KindSystem:
		d.Shape = draw.Process
		if s := p.system(n.ID); s != nil {
			d.Note = p.v.Say(word(systemWords, s.Kind))
			switch s.Kind {
			case chain.SystemDataStore:
				d.Shape = draw.Store
			case chain.SystemInterface:
				d.Shape = draw.System
			}
		}
	}
	return d
}

// system finds a system of the map by its id.
func (p *picture) system(id chain.NodeID) *chain.System {
	if p.systems == nil {
		p.systems = map[chain.NodeID]*chain.System{}
		m := p.g.Map()
		for i := range m.Systems {
			p.systems[m.Systems[i].ID] = &m.Systems[i]
		}
	}
	return p.systems[id]
}

// hangingRow is one thing that a process hangs on.
type hangingRow struct {
	chain.Hanging
	rank   int
	single time.Duration // when the process stops, if this alone stops
	alone  bool
}

// processChain shows what a process hangs on, as a drawing by rank and as a list.
func (v *visit) processChain() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	r, ok := p.g.Process(chain.NodeID(v.r.PathValue("id")))
	if !ok {
		return entente.NotFound("There is no process %q in the map. It may have been renamed or removed by a later import.", v.r.PathValue("id"))
	}
	all := p.hanging(r.ID)
	l := p.hangingList(r, all)
	q := l.query(v.r.URL)
	far, err := strconv.Atoi(q.filter["steps"])
	if err != nil {
		far = len(all)
	}
	near := slices.DeleteFunc(slices.Clone(all), func(h hangingRow) bool { return h.Steps > far })
	title := v.T("The chain of %s", r.Name)
	diagram, leftOut := p.chainDiagram(title, r, near)
	if v.asksForSVG() {
		return v.svgFile(diagram, "chain-of-"+string(r.ID))
	}
	head := ui.Head{
		Crumbs: []ui.Link{{Text: v.T("Processes"), Href: v.in("processes")}, {Text: r.Name, Href: v.in("processes", string(r.ID))}},
		Title:  title, Lead: v.T("Everything that the process hangs on, with a boundary around each rank. A dashed line leads to one of several alternatives; a thick red frame marks what stops the process when it alone stops."),
		Actions: []ui.Link{{Text: v.T("Its data flows"), Href: v.in("data-flows") + "?process=" + url.QueryEscape(string(r.ID))}},
	}
	return l.show(v, held[hangingRow]{l, all}, func(shown ui.List) templ.Component {
		d := drawingView{Label: title, Download: q.with("format", "svg"), LeftOut: leftOut, SVG: v.svg(diagram), Walk: true}
		v.island()
		return drawnListView(v.frame(title), head, d, v.T("The same as a table"), shown)
	})
}

// hanging lists what a process hangs on, and marks what stops it alone.
func (p *picture) hanging(id chain.NodeID) []hangingRow {
	stops := map[chain.NodeID]time.Duration{}
	note := func(things []chain.NodeID, all []chain.ProcessStop) {
		for _, s := range all {
			if s.Process != id {
				continue
			}
			for _, thing := range things {
				if at, known := stops[thing]; !known || s.Fails < at {
					stops[thing] = s.Fails
				}
			}
		}
	}
	c := p.g.Concentration()
	for _, d := range c.Dependences {
		note(d.Organisations, d.Stops)
	}
	for _, s := range c.SinglePoints {
		note([]chain.NodeID{s.Node.ID}, s.Stops)
	}
	var rows []hangingRow
	for _, h := range p.g.HangsOn(id) {
		organisation := h.Organisation
		if h.Kind == chain.KindOrganisation {
			organisation = h.ID
		}
		row := hangingRow{Hanging: h, rank: p.g.Rank(organisation)}
		if h.Kind == chain.KindActivity || h.Kind == chain.KindProcess {
			row.rank = 0
		}
		row.single, row.alone = stops[h.ID]
		rows = append(rows, row)
	}
	return rows
}

func (p *picture) hangingList(r *chain.Process, all []hangingRow) list[hangingRow] {
	steps := 0
	v := p.v
	var ranks []int
	for _, h := range all {
		steps = max(steps, h.Steps)
		if !slices.Contains(ranks, h.rank) {
			ranks = append(ranks, h.rank)
		}
	}
	slices.SortFunc(ranks, func(a, b int) int { return cmp.Compare(rankView{rank: a}.order(), rankView{rank: b}.order()) })
	far := []ui.Option{{Label: v.T("As far as known")}}
	for n := 1; n < min(steps, 10); n++ {
		far = append(far, ui.Option{Value: strconv.Itoa(n), Label: v.N(n, "%d step", "%d steps")})
	}
	return list[hangingRow]{
		name: "chain-of-" + string(r.ID), one: "thing", many: "things", sort: "steps",
		search: "Search by name or organisation", empty: ui.Empty{Title: v.T("It hangs on nothing"), Text: v.T("The map names nothing that this process or one of its activities needs.")},
		text: func(h hangingRow) []string { return []string{h.Name, string(h.ID), p.name(h.Organisation)} },
		columns: []column[hangingRow]{
			{key: "name", label: "Thing", order: byText(func(h hangingRow) string { return h.Name }), cell: func(h hangingRow) ui.Cell { return linkCell(h.Name, p.path(h.Kind, h.ID)) }},
			{key: "kind", label: "Kind", order: byText(func(h hangingRow) string { return string(h.Kind) }), cell: func(h hangingRow) ui.Cell { return plainCell(v.capital(word(kindWordsOf, h.Kind))) }},
			{key: "rank", label: "Rank", tight: true, order: by(func(h hangingRow) int { return rankView{rank: h.rank}.order() }), cell: func(h hangingRow) ui.Cell { return v.rankCell(h.rank) }},
			{label: "Behind it", cell: func(h hangingRow) ui.Cell {
				if h.Organisation == "" || h.Organisation == h.ID {
					return ui.Cell{}
				}
				return linkCell(p.name(h.Organisation), p.path(chain.KindOrganisation, h.Organisation))
			}},
			{key: "steps", label: "Steps", num: true, order: by(func(h hangingRow) int { return h.Steps }), cell: func(h hangingRow) ui.Cell {
				return ui.Cell{Text: v.reader().Count(h.Steps), Note: v.T("by %s", p.name(h.By))}
			}},
			{key: "alone", label: "If it alone stops", order: by(func(h hangingRow) time.Duration {
				if !h.alone {
					return chain.Never
				}
				return h.single
			}), cell: func(h hangingRow) ui.Cell {
				if !h.alone {
					return plainCell(v.T("the process goes on"))
				}
				return badgeCell(ui.Badge{Text: v.T("the process stops %s", sayAfter(h.single)), Tone: ui.Bad})
			}},
		},
		filters: []filter[hangingRow]{
			{key: "steps", label: "How far", options: far, match: func(h hangingRow, value string) bool {
				n, err := strconv.Atoi(value)
				return err != nil || h.Steps <= n
			}},
			{key: "rank", label: "Rank", options: v.rankOptions(ranks), match: func(h hangingRow, value string) bool { return strconv.Itoa(h.rank) == value }},
			{key: "kind", label: "Kind", options: wordsIn(v, kindWordsOf, all, func(h hangingRow) chain.NodeKind { return h.Kind }), match: func(h hangingRow, value string) bool { return string(h.Kind) == value }},
			{key: "alone", label: "Single points", options: []ui.Option{{Label: v.T("All")}, {Value: "yes", Label: v.T("Stops the process alone")}}, match: func(h hangingRow, _ string) bool { return h.alone }},
		},
	}
}

// chainDiagram draws a process and what it hangs on, the nearest first, as much as
// fits, with a boundary around each rank.
func (p *picture) chainDiagram(title string, r *chain.Process, rows []hangingRow) (d draw.Diagram, leftOut string) {
	d = draw.Diagram{Title: title}
	group := func(rank int) string {
		id := "rank" + strconv.Itoa(rank)
		if !slices.ContainsFunc(d.Groups, func(g draw.Group) bool { return g.ID == id }) {
			d.Groups = append(d.Groups, draw.Group{ID: id, Label: p.v.capital(sayRank(rank))})
		}
		return id
	}
	d.Nodes = append(d.Nodes, draw.Node{ID: string(r.ID), Label: r.Name, Note: p.v.T("process"), Shape: draw.Process, Group: group(0), Mark: draw.Focus, Href: p.path(chain.KindProcess, r.ID)})
	if n := len(rows) - (mostDrawn - 1); n > 0 {
		rows = rows[:mostDrawn-1]
		leftOut = p.v.N(n, "%d thing was left out, because a drawing holds %d things at most: the furthest one. The table holds them all.", "%d things were left out, because a drawing holds %d things at most: the furthest ones. The table holds them all.", n, mostDrawn)
	}
	drawn := map[chain.NodeID]bool{r.ID: true}
	single := 0
	for _, h := range rows {
		n := p.drawn(h.Node)
		n.Group = group(h.rank)
		if h.Organisation != "" && h.Organisation != h.ID && h.Organisation != p.own() {
			n.Note = joinWords(", ", n.Note, p.name(h.Organisation))
		}
		if h.alone {
			single++
			n.Mark, n.Note = draw.Hit, p.v.T("single point, %s", n.Note)
		}
		drawn[h.ID] = true
		d.Nodes = append(d.Nodes, n)
	}
	choices := p.choices()
	for _, h := range rows {
		for _, user := range p.g.UsedBy(h.ID) {
			if drawn[user.ID] {
				d.Edges = append(d.Edges, draw.Edge{From: string(user.ID), To: string(h.ID), Dashed: choices[[2]chain.NodeID{user.ID, h.ID}]})
			}
		}
	}
	d.Desc = p.v.T("%s hangs on %s drawn here; %s. The table below says the same in words.",
		r.Name, entente.Plural(len(rows), "%d thing", "%d things"), entente.Plural(single, "%d of them stops it when it alone stops", "%d of them stop it when they alone stop"))
	return d, leftOut
}

// choices finds the needs that have an alternative: who needs what.
func (p *picture) choices() map[[2]chain.NodeID]bool {
	found := map[[2]chain.NodeID]bool{}
	add := func(holder chain.NodeID, needs []chain.Need) {
		for _, n := range needs {
			for _, id := range n.Any {
				if len(n.Any) > 1 {
					found[[2]chain.NodeID{holder, id}] = true
				}
			}
		}
	}
	m := p.g.Map()
	for i := range m.Processes {
		add(m.Processes[i].ID, m.Processes[i].Needs)
		for _, a := range m.Processes[i].Activities {
			add(a.ID, a.Needs)
		}
	}
	for i := range m.Systems {
		add(m.Systems[i].ID, m.Systems[i].Needs)
	}
	for i := range m.Supplies {
		add(m.Supplies[i].ID, m.Supplies[i].Needs)
	}
	return found
}
