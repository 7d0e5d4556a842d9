package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/diagram"
	"github.com/entente-project/entente/internal/draw"
	"github.com/entente-project/entente/internal/web/ui"
)

const (
	mostDrawn = diagram.MostDrawn
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

// maker makes drawings for the visitor.
func (p *picture) maker() *diagram.Maker {
	return &diagram.Maker{Graph: p.g, Say: p.v.Say, Path: p.path}
}

// besideTable says that the drawing on the page stands above a table.
func (v *visit) besideTable(d *draw.Diagram) {
	d.Desc = v.T("%s The table below says the same in words.", d.Desc)
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

// dataFlows shows the flows of data as a drawing with a boundary around each
// organisation, and as a list; search and filters are about both.
func (v *visit) dataFlows() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	all := diagram.Flows(p.g)
	asked := chain.NodeID(v.r.URL.Query().Get("process"))
	near := diagram.Near(p.g, asked)
	l := p.flowList(all, near)
	from := held[diagram.Flow]{l, all}
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
	drawing, left := p.maker().Flows(head.Title, drawn)
	if v.asksForSVG() {
		return v.svgFile(drawing, "data-flows")
	}
	v.besideTable(&drawing)
	leftOut := ""
	if left > 0 {
		leftOut = v.N(left, "%d flow was left out, because a drawing holds %d things at most. Choose a process or a class to see it; the table holds them all.", "%d flows were left out, because a drawing holds %d things at most. Choose a process or a class to see them; the table holds them all.", left, mostDrawn)
	}
	return l.show(v, from, func(shown ui.List) templ.Component {
		d := drawingView{Label: head.Title, Download: q.with("format", "svg"), LeftOut: leftOut, Walk: len(drawing.Nodes) > 0}
		if d.Walk {
			v.island()
		}
		if len(drawing.Nodes) > 0 {
			d.SVG = v.svg(drawing)
		}
		return drawnListView(v.frame(head.Title), head, d, v.T("The flows as a table"), shown)
	})
}

func (p *picture) flowList(all []diagram.Flow, near map[chain.NodeID]bool) list[diagram.Flow] {
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
	return list[diagram.Flow]{
		id: func(f diagram.Flow) string { return string(f.ID) }, acts: v.chainActs(chain.KindFlow),
		name: "data-flows", one: "flow", many: "flows", sort: "data",
		search: "Search by data, system, organisation or interface", empty: v.noChain("No data flows yet", chain.KindFlow),
		text: func(f diagram.Flow) []string {
			return append([]string{string(f.ID), f.Source.Name, f.Target.Name, organisation(f.Source), organisation(f.Target), f.Over(), string(f.Class), v.Say(word(classWords, f.Class))}, f.Data...)
		},
		columns: []column[diagram.Flow]{
			{key: "data", label: "Data", order: byText(func(f diagram.Flow) string { return v.reader().And(f.Data) }), cell: func(f diagram.Flow) ui.Cell {
				return linkCell(cmp.Or(v.reader().And(f.Data), string(f.ID)), v.in("flows", string(f.ID), "history"))
			}},
			{key: "from", label: "From", order: byText(func(f diagram.Flow) string { return f.Source.Name }), cell: func(f diagram.Flow) ui.Cell { return end(f.Source) }},
			{key: "to", label: "To", order: byText(func(f diagram.Flow) string { return f.Target.Name }), cell: func(f diagram.Flow) ui.Cell { return end(f.Target) }},
			{key: "class", label: "Class", order: by(func(f diagram.Flow) int { return -slices.Index(chain.Classes(), f.Class) }), cell: func(f diagram.Flow) ui.Cell { return badgeCell(v.classBadge(f.Class)) }},
			{key: "over", label: "Over", order: byText(diagram.Flow.Over), cell: func(f diagram.Flow) ui.Cell { return plainCell(f.Over()) }},
			{key: "boundary", label: "Boundary", order: by(func(f diagram.Flow) int {
				if f.Crosses() {
					return 0
				}
				return 1
			}), cell: func(f diagram.Flow) ui.Cell {
				if !f.Crosses() {
					return plainCell(v.T("stays inside"))
				}
				return ui.Cell{Text: v.T("crosses"), Note: v.T("%s to %s", organisation(f.Source), organisation(f.Target))}
			}},
		},
		filters: []filter[diagram.Flow]{
			{key: "process", label: "Process", options: processes, match: func(f diagram.Flow, _ string) bool { return near[f.From] || near[f.To] }},
			{key: "class", label: "Class", options: wordsIn(v, classWords, all, func(f diagram.Flow) chain.Class { return f.Class }), match: func(f diagram.Flow, value string) bool { return string(f.Class) == value }},
			{key: "boundary", label: "Boundary", options: []ui.Option{{Label: v.T("All")}, {Value: "crosses", Label: v.T("Crosses one")}, {Value: "inside", Label: v.T("Stays inside")}}, match: func(f diagram.Flow, value string) bool {
				return f.Crosses() == (value == "crosses")
			}},
		},
	}
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
	all := diagram.HangsOn(p.g, r.ID)
	l := p.hangingList(r, all)
	q := l.query(v.r.URL)
	far, err := strconv.Atoi(q.filter["steps"])
	if err != nil {
		far = len(all)
	}
	near := slices.DeleteFunc(slices.Clone(all), func(h diagram.Hanging) bool { return h.Steps > far })
	title := v.T("The chain of %s", r.Name)
	drawing, left := p.maker().Chain(title, r, near)
	if v.asksForSVG() {
		return v.svgFile(drawing, "chain-of-"+string(r.ID))
	}
	v.besideTable(&drawing)
	leftOut := ""
	if left > 0 {
		leftOut = v.N(left, "%d thing was left out, because a drawing holds %d things at most: the furthest one. The table holds them all.", "%d things were left out, because a drawing holds %d things at most: the furthest ones. The table holds them all.", left, mostDrawn)
	}
	head := ui.Head{
		Crumbs: []ui.Link{{Text: v.T("Processes"), Href: v.in("processes")}, {Text: r.Name, Href: v.in("processes", string(r.ID))}},
		Title:  title, Lead: v.T("Everything that the process hangs on, with a boundary around each rank. A dashed line leads to one of several alternatives; a thick red frame marks what stops the process when it alone stops."),
		Actions: []ui.Link{{Text: v.T("Its data flows"), Href: v.in("data-flows") + "?process=" + url.QueryEscape(string(r.ID))}},
	}
	return l.show(v, held[diagram.Hanging]{l, all}, func(shown ui.List) templ.Component {
		d := drawingView{Label: title, Download: q.with("format", "svg"), LeftOut: leftOut, SVG: v.svg(drawing), Walk: true}
		v.island()
		return drawnListView(v.frame(title), head, d, v.T("The same as a table"), shown)
	})
}

func (p *picture) hangingList(r *chain.Process, all []diagram.Hanging) list[diagram.Hanging] {
	steps := 0
	v := p.v
	var ranks []int
	for _, h := range all {
		steps = max(steps, h.Steps)
		if !slices.Contains(ranks, h.Rank) {
			ranks = append(ranks, h.Rank)
		}
	}
	slices.SortFunc(ranks, func(a, b int) int { return cmp.Compare(rankView{rank: a}.order(), rankView{rank: b}.order()) })
	far := []ui.Option{{Label: v.T("As far as known")}}
	for n := 1; n < min(steps, 10); n++ {
		far = append(far, ui.Option{Value: strconv.Itoa(n), Label: v.N(n, "%d step", "%d steps")})
	}
	return list[diagram.Hanging]{
		name: "chain-of-" + string(r.ID), one: "thing", many: "things", sort: "steps",
		search: "Search by name or organisation", empty: ui.Empty{Title: v.T("It hangs on nothing"), Text: v.T("The map names nothing that this process or one of its activities needs.")},
		text: func(h diagram.Hanging) []string { return []string{h.Name, string(h.ID), p.name(h.Organisation)} },
		columns: []column[diagram.Hanging]{
			{key: "name", label: "Thing", order: byText(func(h diagram.Hanging) string { return h.Name }), cell: func(h diagram.Hanging) ui.Cell { return linkCell(h.Name, p.path(h.Kind, h.ID)) }},
			{key: "kind", label: "Kind", order: byText(func(h diagram.Hanging) string { return string(h.Kind) }), cell: func(h diagram.Hanging) ui.Cell { return plainCell(v.capital(word(kindWordsOf, h.Kind))) }},
			{key: "rank", label: "Rank", tight: true, order: by(func(h diagram.Hanging) int { return rankView{rank: h.Rank}.order() }), cell: func(h diagram.Hanging) ui.Cell { return v.rankCell(h.Rank) }},
			{label: "Behind it", cell: func(h diagram.Hanging) ui.Cell {
				if h.Organisation == "" || h.Organisation == h.ID {
					return ui.Cell{}
				}
				return linkCell(p.name(h.Organisation), p.path(chain.KindOrganisation, h.Organisation))
			}},
			{key: "steps", label: "Steps", num: true, order: by(func(h diagram.Hanging) int { return h.Steps }), cell: func(h diagram.Hanging) ui.Cell {
				return ui.Cell{Text: v.reader().Count(h.Steps), Note: v.T("by %s", p.name(h.By))}
			}},
			{key: "alone", label: "If it alone stops", order: by(func(h diagram.Hanging) time.Duration {
				if !h.Alone {
					return chain.Never
				}
				return h.Fails
			}), cell: func(h diagram.Hanging) ui.Cell {
				if !h.Alone {
					return plainCell(v.T("the process goes on"))
				}
				return badgeCell(ui.Badge{Text: v.T("the process stops %s", sayAfter(h.Fails)), Tone: ui.Bad})
			}},
		},
		filters: []filter[diagram.Hanging]{
			{key: "steps", label: "How far", options: far, match: func(h diagram.Hanging, value string) bool {
				n, err := strconv.Atoi(value)
				return err != nil || h.Steps <= n
			}},
			{key: "rank", label: "Rank", options: v.rankOptions(ranks), match: func(h diagram.Hanging, value string) bool { return strconv.Itoa(h.Rank) == value }},
			{key: "kind", label: "Kind", options: wordsIn(v, kindWordsOf, all, func(h diagram.Hanging) chain.NodeKind { return h.Kind }), match: func(h diagram.Hanging, value string) bool { return string(h.Kind) == value }},
			{key: "alone", label: "Single points", options: []ui.Option{{Label: v.T("All")}, {Value: "yes", Label: v.T("Stops the process alone")}}, match: func(h diagram.Hanging, _ string) bool { return h.Alone }},
		},
	}
}
