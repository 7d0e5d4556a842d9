package diagram

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/draw"
)

// MostDrawn is how many things one drawing holds; beyond that nobody can read it.
const MostDrawn = 150

// Flow is one flow of data, with the organisations at both ends.
type Flow struct {
	chain.Flow
	Source, Target chain.Node
}

// Crosses says whether the flow leaves an organisation.
func (f Flow) Crosses() bool { return f.Source.Organisation != f.Target.Organisation }

// Over is what the flow goes over: its interface and protocol.
func (f Flow) Over() string { return strings.Trim(f.Interface+", "+f.Protocol, ", ") }

// Flows lists the flows of data of a chain.
func Flows(g *chain.Graph) []Flow {
	m := g.Map()
	all := make([]Flow, len(m.Flows))
	for i, f := range m.Flows {
		all[i] = Flow{f, end(g, f.From), end(g, f.To)}
	}
	return all
}

// end is one end of a flow; an organisation stands behind itself.
func end(g *chain.Graph, id chain.NodeID) chain.Node {
	n, ok := g.Node(id)
	if !ok {
		n = chain.Node{ID: id, Name: string(id)}
	}
	if n.Kind == chain.KindOrganisation {
		n.Organisation = n.ID
	}
	return n
}

// Near is what a process and its activities are, and everything that they hang on.
func Near(g *chain.Graph, process chain.NodeID) map[chain.NodeID]bool {
	ends := map[chain.NodeID]bool{}
	r, ok := g.Process(process)
	if !ok {
		return ends
	}
	ends[process] = true
	for _, h := range g.HangsOn(r.ID) {
		if h.Kind != chain.KindOrganisation {
			ends[h.ID] = true
		}
	}
	return ends
}

// Hanging is one thing that a process hangs on.
type Hanging struct {
	chain.Hanging
	Rank  int
	Fails time.Duration // when the process stops, if this alone stops
	Alone bool          // it does
}

// HangsOn lists what a process hangs on, and marks what stops it alone.
func HangsOn(g *chain.Graph, process chain.NodeID) []Hanging {
	stops := map[chain.NodeID]time.Duration{}
	note := func(things []chain.NodeID, all []chain.ProcessStop) {
		for _, s := range all {
			if s.Process != process {
				continue
			}
			for _, thing := range things {
				if at, known := stops[thing]; !known || s.Fails < at {
					stops[thing] = s.Fails
				}
			}
		}
	}
	c := g.Concentration()
	for _, d := range c.Dependences {
		note(d.Organisations, d.Stops)
	}
	for _, s := range c.SinglePoints {
		note([]chain.NodeID{s.Node.ID}, s.Stops)
	}
	var rows []Hanging
	for _, h := range g.HangsOn(process) {
		organisation := h.Organisation
		if h.Kind == chain.KindOrganisation {
			organisation = h.ID
		}
		row := Hanging{Hanging: h, Rank: g.Rank(organisation)}
		if h.Kind == chain.KindActivity || h.Kind == chain.KindProcess {
			row.Rank = 0
		}
		row.Fails, row.Alone = stops[h.ID]
		rows = append(rows, row)
	}
	return rows
}

// Maker makes the diagrams of one chain.
type Maker struct {
	Graph *chain.Graph
	Say   func(entente.Message) string              // in the words of the reader
	Path  func(chain.NodeKind, chain.NodeID) string // where a click leads; nil for nowhere

	systems map[chain.NodeID]*chain.System // made when first needed
}

func (m *Maker) path(kind chain.NodeKind, id chain.NodeID) string {
	if m.Path == nil {
		return ""
	}
	return m.Path(kind, id)
}

func (m *Maker) name(id chain.NodeID) string {
	if n, ok := m.Graph.Node(id); ok {
		return n.Name
	}
	return string(id)
}

func (m *Maker) own() chain.NodeID { return m.Graph.Map().Own }

// Flows draws flows of data, as many as fit, with a boundary around each
// organisation.
func (m *Maker) Flows(title string, flows []Flow) (d draw.Diagram, leftOut int) {
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
		if len(d.Nodes)+fresh > MostDrawn {
			continue
		}
		drawn++
		for _, n := range []chain.Node{f.Source, f.Target} {
			if !seen[n.ID] {
				seen[n.ID] = true
				d.Nodes = append(d.Nodes, m.Thing(n))
			}
		}
		e := draw.Edge{From: string(f.From), To: string(f.To), Label: joined(" · ", f.Interface, m.Say(entente.Say(f.Class.Word())), m.Say(entente.Say("%s", entente.And(f.Data)))), Note: f.Protocol}
		if f.Crosses() {
			crossing++
			e.Mark = draw.Crosses
			e.Note = joined(", ", f.Protocol, m.Say(entente.Say("crosses a trust boundary")))
		}
		d.Edges = append(d.Edges, e)
	}
	d.Groups = m.Boundaries(d.Nodes)
	d.Desc = m.Say(entente.Say("%s between %s; %s, drawn with a thick line.",
		entente.Plural(drawn, "%d flow", "%d flows"), entente.Plural(len(d.Nodes), "%d thing", "%d things"), entente.Plural(crossing, "%d crosses a trust boundary", "%d cross a trust boundary")))
	return d, len(flows) - drawn
}

func joined(between string, words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), between)
}

// Boundaries puts one around the things of each organisation.
func (m *Maker) Boundaries(nodes []draw.Node) []draw.Group {
	var groups []draw.Group
	for _, n := range nodes {
		known := n.Group == "" || slices.ContainsFunc(groups, func(g draw.Group) bool { return g.ID == n.Group })
		if known {
			continue
		}
		g := draw.Group{ID: n.Group, Label: m.name(chain.NodeID(n.Group))}
		if n.Group == string(m.own()) {
			g.Mark, g.Label = draw.Focus, m.Say(entente.Say("%s (ourselves)", g.Label))
		}
		groups = append(groups, g)
	}
	return groups
}

// Thing is a thing of the chain as drawings show it.
func (m *Maker) Thing(n chain.Node) draw.Node {
	d := draw.Node{ID: string(n.ID), Label: n.Name, Note: m.Say(entente.Say(n.Kind.Noun())), Group: string(n.Organisation), Href: m.path(n.Kind, n.ID)}
	switch n.Kind {
	case chain.KindOrganisation:
		d.Shape, d.Group = draw.Entity, string(n.ID)
	case chain.KindProcess, chain.KindActivity:
		d.Shape, d.Group = draw.Process, string(m.own())
	case chain.KindSupply:
		d.Shape = draw.Supply
	case chain.KindProduct:
		d.Shape = draw.Product
	case chain.KindSystem:
		d.Shape = draw.Process
		if s := m.system(n.ID); s != nil {
			d.Note = m.Say(entente.Say(s.Kind.Word()))
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
func (m *Maker) system(id chain.NodeID) *chain.System {
	if m.systems == nil {
		m.systems = map[chain.NodeID]*chain.System{}
		all := m.Graph.Map()
		for i := range all.Systems {
			m.systems[all.Systems[i].ID] = &all.Systems[i]
		}
	}
	return m.systems[id]
}

// Chain draws a process and what it hangs on, the nearest first, as much as fits,
// with a boundary around each rank.
func (m *Maker) Chain(title string, r *chain.Process, rows []Hanging) (d draw.Diagram, leftOut int) {
	d = draw.Diagram{Title: title}
	group := func(rank int) string {
		id := "rank" + strconv.Itoa(rank)
		if !slices.ContainsFunc(d.Groups, func(g draw.Group) bool { return g.ID == id }) {
			d.Groups = append(d.Groups, draw.Group{ID: id, Label: capital(m.Say(chain.SayRank(rank)))})
		}
		return id
	}
	d.Nodes = append(d.Nodes, draw.Node{ID: string(r.ID), Label: r.Name, Note: m.Say(entente.Say("process")), Shape: draw.Process, Group: group(0), Mark: draw.Focus, Href: m.path(chain.KindProcess, r.ID)})
	leftOut = max(0, len(rows)-(MostDrawn-1))
	rows = rows[:len(rows)-leftOut]
	drawn := map[chain.NodeID]bool{r.ID: true}
	single := 0
	for _, h := range rows {
		n := m.Thing(h.Node)
		n.Group = group(h.Rank)
		if h.Organisation != "" && h.Organisation != h.ID && h.Organisation != m.own() {
			n.Note = joined(", ", n.Note, m.name(h.Organisation))
		}
		if h.Alone {
			single++
			n.Mark, n.Note = draw.Hit, m.Say(entente.Say("single point, %s", n.Note))
		}
		drawn[h.ID] = true
		d.Nodes = append(d.Nodes, n)
	}
	choices := choicesOf(m.Graph.Map())
	for _, h := range rows {
		for _, user := range m.Graph.UsedBy(h.ID) {
			if drawn[user.ID] {
				d.Edges = append(d.Edges, draw.Edge{From: string(user.ID), To: string(h.ID), Dashed: choices[[2]chain.NodeID{user.ID, h.ID}]})
			}
		}
	}
	d.Desc = m.Say(entente.Say("%s hangs on %s drawn here; %s.",
		r.Name, entente.Plural(len(rows), "%d thing", "%d things"), entente.Plural(single, "%d of them stops it when it alone stops", "%d of them stop it when they alone stop")))
	return d, leftOut
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// choicesOf finds the needs that have an alternative: who needs what.
func choicesOf(m *chain.Map) map[[2]chain.NodeID]bool {
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
