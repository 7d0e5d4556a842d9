package web

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/diagram"
	"github.com/entente-project/entente/internal/draw"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/web/ui"
)

const (
	// mostInGraph bounds what one graph holds: the nearest to us first.
	mostInGraph = 6000
	// mostReliances is how many ways between two things are told.
	mostReliances = 6
)

func graphRoutes() []Route {
	return []Route{
		page("/o/{org}/graph", identity.ChainRead, (*visit).graphPage),
		page("/o/{org}/graph/things", identity.ChainRead, (*visit).graphThings),
		page("/o/{org}/graph/ways", identity.ChainRead, (*visit).graphWays),
	}
}

// graphThing is one thing of the graph, and one row of its table.
type graphThing struct {
	chain.Node
	at    int // in the order of the chain
	rank  int
	tier  partner.Tier // "" where none is worked out
	needs int
	users int
	// Of the process that is asked about: how many steps away, and when it stops if
	// this alone stops.
	steps  int
	alone  bool
	single time.Duration
}

// graphAsked is what the URL asks of the graph.
type graphAsked struct {
	process *chain.Process // nil for none
	from    chain.Node     // the chosen thing; no id for none
	all     bool           // also what lies outside the processes of a business owner
	scoped  bool           // there is such a difference
}

func (v *visit) graphAsked(p *picture) graphAsked {
	values := v.r.URL.Query()
	var a graphAsked
	a.scoped = v.actor.Role == entente.RoleBusinessOwner && len(v.actor.Scope) > 0
	a.all = !a.scoped || values.Get("scope") == "all"
	if r, ok := p.g.Process(chain.NodeID(values.Get("process"))); ok {
		a.process = r
	}
	if n, ok := p.g.Node(chain.NodeID(values.Get("from"))); ok && (a.process == nil || n.ID != a.process.ID) {
		a.from = n
	}
	return a
}

// address is the page's address with another question.
func (v *visit) graphAddress(path string, a graphAsked) string {
	values := url.Values{}
	if a.process != nil {
		values.Set("process", string(a.process.ID))
	}
	if a.from.ID != "" {
		values.Set("from", string(a.from.ID))
	}
	if a.scoped && a.all {
		values.Set("scope", "all")
	}
	return address(path, values)
}

// chainState tells on what the rows of the graph depend, and the tiers of suppliers.
func (v *visit) chainState(p *picture) (chainState, map[chain.NodeID]partner.Tier, error) {
	suppliers, err := v.supplierRows(v.r.Context(), v.actor)
	if err != nil {
		return chainState{}, nil, err
	}
	return chainState{v.actor.Org, p.g.Revision(), suppliers.tiersHash}, suppliers.tiers, nil
}

// graphRows are the things of the graph: those of the question's scope, the nearest
// to us first.
func (v *visit) graphRows(p *picture, state chainState, tiers map[chain.NodeID]partner.Tier, a graphAsked) ([]graphThing, error) {
	all, err := v.graphLists.get(state, func() ([]graphThing, int, error) {
		made := p.graphThings(tiers)
		return made, len(made), nil
	})
	if err != nil || a.all {
		return all, err
	}
	inside := p.within(v.actor.Scope)
	var rows []graphThing
	for _, row := range all {
		if inside[row.ID] {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// graphThings are all things of the graph.
func (p *picture) graphThings(tiers map[chain.NodeID]partner.Tier) []graphThing {
	size, _ := p.g.Size()
	needs, users := make([]int, size), make([]int, size)
	for l := range p.g.Links() {
		needs[l.Holder]++
		users[l.Thing]++
	}
	rows := make([]graphThing, 0, size)
	at := -1
	for n := range p.g.Nodes() {
		at++
		behind := n.Organisation
		if n.Kind == chain.KindOrganisation {
			behind = n.ID
		}
		row := graphThing{Node: n, at: at, rank: p.g.Rank(behind), needs: needs[at], users: users[at]}
		if n.Kind == chain.KindOrganisation {
			row.tier = tiers[n.ID]
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(x, y graphThing) int {
		return cmp.Compare(rankView{rank: x.rank}.order(), rankView{rank: y.rank}.order())
	})
	return rows
}

// within is everything that some processes are and hang on, and their activities.
func (p *picture) within(processes []string) map[chain.NodeID]bool {
	inside := map[chain.NodeID]bool{p.own(): true}
	for _, id := range processes {
		r, ok := p.g.Process(chain.NodeID(id))
		if !ok {
			continue
		}
		inside[r.ID] = true
		for _, h := range p.g.HangsOn(r.ID) {
			inside[h.ID] = true
		}
	}
	return inside
}

// ringName says what a ring of the graph holds.
func (v *visit) ringName(rank int) string { return v.capital(sayRank(rank)) }

func (v *visit) kindName(k chain.NodeKind) string { return v.capital(word(kindWordsOf, k)) }

func (v *visit) tierName(t partner.Tier) string { return v.capital(word(tierInside, t)) }

// graphKinds is the order in which the kinds stand in a ring, from the middle out.
var graphKinds = []chain.NodeKind{chain.KindOrganisation, chain.KindProcess, chain.KindActivity, chain.KindSystem, chain.KindSupply, chain.KindProduct}

// graphPage shows the chain as a graph: as a drawing to walk in, and as a table.
func (v *visit) graphPage() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	a := v.graphAsked(p)
	shown := graphPage{
		Head: ui.Head{Title: v.T("Graph"), Lead: v.T("The whole chain in rings: ourselves in the middle, around us rank 1 that delivers to us, then rank 2 that delivers to those, and so on.")},
	}
	if wrong := v.graphSought(p, &a, &shown); wrong != nil {
		return wrong
	}
	if v.answer != 0 {
		return nil // it led on to the address that holds the answer
	}
	state, tiers, err := v.chainState(p)
	if err != nil {
		return err
	}
	rows, err := v.graphRows(p, state, tiers, a)
	if err != nil {
		return err
	}
	if a.process != nil {
		rows = p.reaching(rows, a.process)
	}
	l := v.graphList(p, a, rows)
	return l.show(v, held[graphThing]{l, rows}, func(list ui.List) templ.Component {
		v.island()
		shown.Frame, shown.List = v.frame(shown.Head.Title), list
		v.fillGraph(p, state, a, &shown)
		return graphView(shown)
	})
}

// graphSought reads what was typed: the name of a process, and of a thing.
func (v *visit) graphSought(p *picture, a *graphAsked, shown *graphPage) error {
	values := v.r.URL.Query()
	seek := func(name string, fits func(chain.Node) bool) (found chain.Node, field soughtField) {
		field = soughtField{Value: strings.TrimSpace(values.Get(name))}
		if field.Value == "" {
			return found, field
		}
		matching := slices.DeleteFunc(p.find(field.Value), func(n chain.Node) bool { return !fits(n) })
		switch len(matching) {
		case 0:
			field.Wrong = v.T("Nothing in the map is called like that. Try a part of the name.")
		case 1:
			return matching[0], field
		}
		for _, n := range matching[:min(len(matching), mostMeant)] {
			b := *a
			if name == "to" {
				b.process, _ = p.g.Process(n.ID)
			} else {
				b.from = n
			}
			field.Meant = append(field.Meant, ui.Link{Text: v.T("%s, %s", n.Name, word(kindWordsOf, n.Kind)), Href: v.graphAddress(v.in("graph"), b)})
		}
		return found, field
	}
	var to, thing chain.Node
	to, shown.To = seek("to", func(n chain.Node) bool { return n.Kind == chain.KindProcess })
	thing, shown.Thing = seek("thing", func(n chain.Node) bool { return n.ID != p.own() })
	if to.ID == "" && thing.ID == "" {
		return nil
	}
	if to.ID != "" {
		a.process, _ = p.g.Process(to.ID)
	}
	if thing.ID != "" {
		a.from = thing
	}
	if len(shown.To.Meant)+len(shown.Thing.Meant) > 0 || shown.To.Wrong+shown.Thing.Wrong != "" {
		return nil
	}
	return v.redirect(v.graphAddress(v.in("graph"), *a))
}

// reaching keeps what a process hangs on, and the process itself, and tells what
// stops it alone.
func (p *picture) reaching(rows []graphThing, r *chain.Process) []graphThing {
	hanging := map[chain.NodeID]diagram.Hanging{}
	for _, h := range diagram.HangsOn(p.g, r.ID) {
		hanging[h.ID] = h
	}
	var kept []graphThing
	for _, row := range rows {
		h, ok := hanging[row.ID]
		if !ok {
			continue
		}
		row.steps, row.alone, row.single = h.Steps, h.Alone, h.Fails
		kept = append(kept, row)
	}
	return kept
}

func (v *visit) graphList(p *picture, a graphAsked, all []graphThing) list[graphThing] {
	var ranks, tiers []ui.Option
	ranks, tiers = append(ranks, ui.Option{Label: v.T("All")}), append(tiers, ui.Option{Label: v.T("All")})
	ringed, seen := map[int]bool{}, map[chain.NodeKind]bool{}
	for i := range all {
		row := &all[i]
		if i > 0 && row.Kind == all[i-1].Kind && row.rank == all[i-1].rank {
			continue // they come in long runs
		}
		seen[row.Kind] = true
		if !ringed[row.rank] {
			ringed[row.rank] = true
			ranks = append(ranks, ui.Option{Value: strconv.Itoa(row.rank), Label: v.ringName(row.rank)})
		}
	}
	for _, t := range partner.Tiers() {
		tiers = append(tiers, ui.Option{Value: string(t), Label: v.tierName(t)})
	}
	kinds := []ui.Option{{Label: v.T("All")}}
	for _, k := range graphKinds {
		if seen[k] {
			kinds = append(kinds, ui.Option{Value: string(k), Label: v.kindName(k)})
		}
	}
	l := list[graphThing]{
		name: "graph", one: "thing", many: "things", sort: "rank", keep: []string{"process", "from", "scope"},
		search: "Search by name or organisation", empty: v.noChain("No chain yet", chain.KindProcess),
		text: func(g graphThing) []string { return []string{g.Name, string(g.ID), p.name(g.Organisation)} },
		columns: []column[graphThing]{
			{key: "name", label: "Thing", order: byText(func(g graphThing) string { return g.Name }), cell: func(g graphThing) ui.Cell { return linkCell(g.Name, p.path(g.Kind, g.ID)) }},
			{key: "kind", label: "Kind", order: by(func(g graphThing) int { return slices.Index(graphKinds, g.Kind) }), cell: func(g graphThing) ui.Cell { return plainCell(v.kindName(g.Kind)) }},
			{key: "rank", label: "Rank", tight: true, order: by(func(g graphThing) int { return rankView{rank: g.rank}.order() }), cell: func(g graphThing) ui.Cell { return plainCell(v.ringName(g.rank)) }},
			{key: "tier", label: "Tier", order: by(func(g graphThing) int { return tierPlace(g.tier) }), cell: func(g graphThing) ui.Cell {
				if g.tier == "" {
					return ui.Cell{}
				}
				return badgeCell(ui.Badge{Text: v.tierName(g.tier), Tone: v.tierBadge(g.tier).Tone})
			}},
			{key: "behind", label: "Behind it", order: byText(func(g graphThing) string { return p.name(g.Organisation) }), cell: func(g graphThing) ui.Cell {
				if g.Organisation == "" || g.Organisation == g.ID {
					return ui.Cell{}
				}
				return linkCell(p.name(g.Organisation), p.path(chain.KindOrganisation, g.Organisation))
			}},
			{key: "needs", label: "Needs", num: true, order: by(func(g graphThing) int { return g.needs }), cell: func(g graphThing) ui.Cell { return plainCell(v.reader().Count(g.needs)) }},
			{key: "users", label: "Relied on by", num: true, order: by(func(g graphThing) int { return g.users }), cell: func(g graphThing) ui.Cell { return plainCell(v.reader().Count(g.users)) }},
		},
		filters: []filter[graphThing]{
			{key: "rank", label: "Rank", options: ranks, match: func(g graphThing, value string) bool { return strconv.Itoa(g.rank) == value }},
			{key: "kind", label: "Kind", options: kinds, match: func(g graphThing, value string) bool { return string(g.Kind) == value }},
			{key: "tier", label: "Tier", options: tiers, match: func(g graphThing, value string) bool { return string(g.tier) == value }},
		},
	}
	if a.process == nil {
		return l
	}
	l.sort = "alone"
	l.columns = slices.DeleteFunc(l.columns, func(c column[graphThing]) bool { return c.key == "needs" || c.key == "users" || c.key == "tier" })
	l.columns = append(l.columns,
		column[graphThing]{key: "alone", label: "If it alone stops", order: by(func(g graphThing) time.Duration {
			if !g.alone {
				return chain.Never
			}
			return g.single
		}), cell: func(g graphThing) ui.Cell {
			if !g.alone {
				return plainCell(v.T("the process goes on"))
			}
			text := v.T("the process stops %s", sayAfter(g.single))
			return ui.Cell{Text: text, View: ui.BadgeOf(ui.Badge{Text: text, Tone: ui.Bad})}
		}},
		column[graphThing]{key: "way", label: "Its ways", cell: func(g graphThing) ui.Cell {
			b := a
			b.from = g.Node
			return linkCell(v.T("Show"), v.graphAddress(v.in("graph"), b)+"#ways")
		}},
	)
	return l
}

func tierPlace(t partner.Tier) int {
	if i := slices.Index(partner.Tiers(), t); i >= 0 {
		return i
	}
	return len(partner.Tiers())
}

// fillGraph adds to the page what stands around the table.
func (v *visit) fillGraph(p *picture, state chainState, a graphAsked, shown *graphPage) {
	shown.Action, shown.Process, shown.All = v.in("graph"), "", a.all && a.scoped
	if a.process != nil {
		shown.Process, shown.ProcessName = string(a.process.ID), a.process.Name
	}
	if a.from.ID != "" {
		shown.From, shown.FromName = string(a.from.ID), a.from.Name
	}
	if a.process != nil || a.from.ID != "" {
		shown.Clear = v.graphAddress(v.in("graph"), graphAsked{scoped: a.scoped, all: a.all})
	}
	if a.scoped {
		b := a
		b.all = !a.all
		shown.Scope = ui.Link{Text: v.T("Show the whole chain"), Href: v.graphAddress(v.in("graph"), b)}
		shown.ScopeText = v.T("This is the part of the chain that your processes hang on.")
		if a.all {
			shown.ScopeText = v.T("This is the whole chain.")
			shown.Scope.Text = v.T("Show what your processes hang on")
		}
	}
	for _, r := range p.g.Map().Processes {
		if len(shown.Processes) == mostSuggested {
			break
		}
		shown.Processes = append(shown.Processes, r.Name)
	}
	for n := range p.g.Nodes() {
		if len(shown.Things) == mostSuggested {
			break
		}
		if n.ID != p.own() {
			shown.Things = append(shown.Things, thing{Name: n.Name, Kind: v.kindName(n.Kind)})
		}
	}
	shown.Source = v.graphAddress(v.in("graph", "things"), graphAsked{scoped: a.scoped, all: a.all})
	shown.WaysSource = v.in("graph", "ways")
	shown.Ways = v.graphWaysOf(p, a)
	for _, t := range partner.Tiers() {
		shown.Tiers = append(shown.Tiers, tierLegend{Class: "tier-" + string(t), Name: v.tierName(t)})
	}
	for _, k := range graphKinds {
		shown.Kinds = append(shown.Kinds, kindLegend{Kind: string(k), Name: v.kindName(k)})
	}
	drawn, _ := v.graphDrawings.get(v.graphState(state, a), func() (graphDrawing, int, error) {
		diagram, leftOut := p.organisationDiagram(a)
		made := graphDrawing{leftOut: leftOut}
		if len(diagram.Nodes) > 1 {
			made.svg = diagram.SVG()
		}
		return made, len(made.svg) + len(leftOut), nil
	})
	shown.Drawing = drawingView{Label: shown.Head.Title, LeftOut: drawn.leftOut, SVG: drawn.svg}
	shown.Drawing.Download = address(v.in("graph"), url.Values{"format": {"svg"}})
}

// graphWaysOf tells how a process hangs on the chosen thing, and what stops it alone.
func (v *visit) graphWaysOf(p *picture, a graphAsked) waysView {
	if a.process == nil {
		return waysView{}
	}
	w := waysView{Process: p.link(chain.Node{ID: a.process.ID, Kind: chain.KindProcess, Name: a.process.Name})}
	for _, h := range diagram.HangsOn(p.g, a.process.ID) {
		w.all = append(w.all, h.ID)
		if !h.Alone {
			continue
		}
		w.alone = append(w.alone, h.ID)
		b := a
		b.from = h.Node
		w.Alone = append(w.Alone, aloneView{Link: ui.Link{Text: h.Name, Href: v.graphAddress(v.in("graph"), b) + "#ways"}, Note: v.T("%s, %s", word(kindWordsOf, h.Kind), sayAfter(h.Fails)), at: h.Fails})
	}
	slices.SortStableFunc(w.Alone, func(x, y aloneView) int { return cmp.Compare(x.at, y.at) })
	w.Summary = v.N(len(w.all), "%[2]s hangs on %[1]d thing.", "%[2]s hangs on %[1]d things.", len(w.all), a.process.Name)
	if a.from.ID == "" {
		return w
	}
	w.From = p.link(a.from)
	ways, more := p.g.Reliances(a.process.ID, a.from.ID, mostReliances)
	w.More = more
	for _, way := range ways {
		hops := make([]ui.Hop, len(way))
		ids := make([]chain.NodeID, len(way))
		for i, s := range way {
			ids[i] = s.ID
			hops[i] = ui.Hop{Link: p.link(s.Node), Relation: v.relation(s)}
		}
		w.ways = append(w.ways, ids)
		w.Ways = append(w.Ways, hops)
	}
	outage := p.g.Outage([]chain.NodeID{a.from.ID}, chain.OutageOptions{})
	switch stop, stops := outage.Process(a.process.ID); {
	case len(ways) == 0:
		w.Answer = v.T("%s does not hang on %s.", a.process.Name, a.from.Name)
	case stops:
		w.Answer = v.T("If %s alone stops, %s stops %s.", a.from.Name, a.process.Name, sayAfter(stop.Fails))
	default:
		w.Answer = v.T("If %s alone stops, %s goes on: every way has an alternative.", a.from.Name, a.process.Name)
	}
	return w
}

// relation says under which terms a thing relies on the next one of a way.
func (v *visit) relation(s chain.RelianceStep) string {
	switch {
	case s.Buffer > 0 && s.Others > 0:
		return v.T("%s buffer, one of %d", chain.SayDuration(s.Buffer), s.Others+1)
	case s.Buffer > 0:
		return v.T("%s buffer", chain.SayDuration(s.Buffer))
	case s.Others > 0:
		return v.T("one of %d", s.Others+1)
	}
	return ""
}

// organisationDiagram draws who delivers to whom, by rank: the picture for those who
// have no script. With a process it holds those that the process hangs on.
func (p *picture) organisationDiagram(a graphAsked) (d draw.Diagram, leftOut string) {
	v := p.v
	d = draw.Diagram{Title: v.T("Who delivers to whom")}
	m := p.g.Map()
	var inside map[chain.NodeID]bool
	switch {
	case a.process != nil:
		inside = p.within([]string{string(a.process.ID)})
	case !a.all:
		inside = p.within(v.actor.Scope)
	}
	type ranked struct {
		id   chain.NodeID
		rank int
	}
	var all []ranked
	for i := range m.Organisations {
		o := &m.Organisations[i]
		if rank := p.g.Rank(o.ID); rank >= 0 && (inside == nil || inside[o.ID] || o.ID == p.own()) {
			all = append(all, ranked{o.ID, rank})
		}
	}
	slices.SortStableFunc(all, func(x, y ranked) int { return cmp.Compare(x.rank, y.rank) })
	if n := len(all) - mostDrawn; n > 0 {
		all = all[:mostDrawn]
		leftOut = v.N(n, "%d organisation was left out, because a drawing holds %d at most: the furthest one. The table holds them all.",
			"%d organisations were left out, because a drawing holds %d at most: the furthest ones. The table holds them all.", n, mostDrawn)
	}
	maker, drawn := p.maker(), map[chain.NodeID]bool{}
	for _, r := range all {
		thing, _ := p.g.Node(r.id)
		n := maker.Thing(thing)
		n.Group = "rank" + strconv.Itoa(r.rank)
		n.Note = ""
		switch {
		case r.rank == 0:
			n.Mark = draw.Focus
		case r.id == a.from.ID:
			n.Mark = draw.Source
		}
		if !slices.ContainsFunc(d.Groups, func(g draw.Group) bool { return g.ID == n.Group }) {
			d.Groups = append(d.Groups, draw.Group{ID: n.Group, Label: v.ringName(r.rank)})
		}
		drawn[r.id] = true
		d.Nodes = append(d.Nodes, n)
	}
	seen := map[[2]chain.NodeID]bool{}
	for i := range m.Supplies {
		pair := [2]chain.NodeID{m.Supplies[i].Customer, m.Supplies[i].Supplier}
		if drawn[pair[0]] && drawn[pair[1]] && !seen[pair] {
			seen[pair] = true
			d.Edges = append(d.Edges, draw.Edge{From: string(pair[0]), To: string(pair[1])})
		}
	}
	d.Desc = v.N(len(d.Nodes), "%d organisation by rank; an arrow leads from a customer to its supplier. The table says the same in words.", "%d organisations by rank; an arrow leads from a customer to its supplier. The table says the same in words.")
	return d, leftOut
}

// graphData is the graph as its script reads it.
type graphData struct {
	Kinds  []string    `json:"kinds"`
	Tiers  []string    `json:"tiers"`
	Rings  []graphRing `json:"rings"`
	Things [][]any     `json:"things"` // id, name, kind, ring, tier or −1, x, y, path, needs, users, who is behind it
	Links  [][2]int32  `json:"links"`  // who needs, and what
	Choice []int       `json:"choice"` // the places of links to one of several alternatives
	Left   string      `json:"left,omitempty"`
}

type graphRing struct {
	Name  string  `json:"name"`
	Inner float64 `json:"inner"`
	Outer float64 `json:"outer"`
}

// graphState is what an answer about the graph depends on.
func (v *visit) graphState(state chainState, a graphAsked) graphState {
	key := graphState{chainState: state, language: v.reader().Tag(), from: a.from.ID}
	if !a.all {
		key.scope = strings.Join(v.actor.Scope, "\x00")
	}
	if a.process != nil {
		key.process = a.process.ID
	}
	return key
}

// graphThings answers with the graph as data. Placing and packing it takes long, so
// the answer is kept for as long as it would be the same.
func (v *visit) graphThings() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	a := v.graphAsked(p)
	state, tiers, err := v.chainState(p)
	if err != nil {
		return err
	}
	a.process, a.from = nil, chain.Node{} // the data hold everything
	reply, err := v.graphReplies.get(v.graphState(state, a), func() (packedReply, int, error) {
		rows, err := v.graphRows(p, state, tiers, a)
		if err != nil {
			return packedReply{}, 0, err
		}
		return packReply(v.graphData(p, rows))
	})
	if err != nil {
		return err
	}
	return v.replyPacked(reply)
}

// graphData places the things of the graph.
func (v *visit) graphData(p *picture, rows []graphThing) graphData {
	data := graphData{Things: [][]any{}, Links: [][2]int32{}, Choice: []int{}}
	if n := len(rows) - mostInGraph; n > 0 {
		rows = rows[:mostInGraph]
		data.Left = v.N(n, "%d thing is not drawn, because a graph holds %d at most: the furthest one. The table holds them all.",
			"%d things are not drawn, because a graph holds %d at most: the furthest ones. The table holds them all.", n, mostInGraph)
	}
	for _, k := range graphKinds {
		data.Kinds = append(data.Kinds, v.kindName(k))
	}
	for _, t := range partner.Tiers() {
		data.Tiers = append(data.Tiers, v.tierName(t))
	}
	size, _ := p.g.Size()
	place := make([]int32, size) // in rows, plus one
	groups := map[chain.NodeID]int{}
	things := make([]draw.RingThing, len(rows))
	unknown := 0
	for i, row := range rows {
		place[row.at] = int32(i + 1)
		ring := row.rank
		if ring < 0 {
			ring = unknown
		}
		unknown = max(unknown, row.rank+1)
		behind := row.Organisation
		if row.Kind == chain.KindOrganisation {
			behind = row.ID
		}
		if groups[behind] == 0 {
			groups[behind] = len(groups) + 1
		}
		things[i] = draw.RingThing{Ring: ring, Row: slices.Index(graphKinds, row.Kind)}
		if ring > 0 {
			things[i].Group = groups[behind]
		}
	}
	for l := range p.g.Links() {
		from, to := place[l.Holder], place[l.Thing]
		if from == 0 || to == 0 {
			continue
		}
		if l.Choice {
			data.Choice = append(data.Choice, len(data.Links))
		}
		data.Links = append(data.Links, [2]int32{from - 1, to - 1})
	}
	at, rings := draw.PlaceRings(things, data.Links)
	number := map[int]int{}
	for i, r := range rings {
		number[r.Number] = i
		rank := r.Number
		if rank >= unknown {
			rank = chain.UnknownRank
		}
		data.Rings = append(data.Rings, graphRing{Name: v.ringName(rank), Inner: r.Inner, Outer: r.Outer})
	}
	for i, row := range rows {
		tier := slices.Index(partner.Tiers(), row.tier)
		behind := ""
		if row.Organisation != "" && row.Organisation != row.ID && row.Organisation != p.own() {
			behind = p.name(row.Organisation)
		}
		data.Things = append(data.Things, []any{
			row.ID, row.Name, things[i].Row, number[things[i].Ring], tier, math.Round(at[i].X), math.Round(at[i].Y), p.path(row.Kind, row.ID), row.needs, row.users, behind,
		})
	}
	return data
}

// graphWays answers with the ways of a question: what to highlight, and the words.
func (v *visit) graphWays() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	w := v.graphWaysOf(p, v.graphAsked(p))
	var words strings.Builder
	err = waysWords(w).Render(v.r.Context(), &words)
	if err != nil {
		return err
	}
	return v.reply(200, map[string]any{"ways": orEmpty(w.ways), "all": orEmpty(w.all), "alone": orEmpty(w.alone), "words": words.String()})
}

func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
