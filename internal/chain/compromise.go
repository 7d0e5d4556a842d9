package chain

import (
	"fmt"
	"slices"

	"github.com/entente-project/entente"
)

// Sureness is how sure it is that a compromise reaches a thing: that of the
// weakest hop of its surest way.
type Sureness uint8

// The degrees of sureness, from the weakest to the strongest.
const (
	Possible Sureness = iota + 1
	Likely
	Certain
)

// Text gives the word: "certain", "likely", "possible".
func (s Sureness) Text() entente.Text {
	switch s {
	case Certain:
		return "certain"
	case Likely:
		return "likely"
	case Possible:
		return "possible"
	}
	return "unknown"
}

// String gives the word in English.
func (s Sureness) String() string { return string(s.Text()) }

// MarshalText writes the word, for JSON.
func (s Sureness) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word back.
func (s *Sureness) UnmarshalText(text []byte) error {
	for _, known := range []Sureness{Possible, Likely, Certain} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("%.40q is not certain, likely or possible", text)
}

// Source is where a compromise begins.
type Source struct {
	Node NodeID
	Why  string   // in words, as the beginning of every way: "CVE-2021-44228 affects log4j-core 2.14.1"
	Sure Sureness // how sure it is that the source itself is affected; 0 means certain

	at int32 // 1 + its number in the graph, if that was looked up already
}

// Source begins a compromise at a thing, looked up once for many questions.
func (g *Graph) Source(node NodeID) Source {
	v, known := g.index[node]
	if !known {
		return Source{Node: node}
	}
	return Source{Node: node, at: v + 1}
}

// thing gives the number of the source; a number of another graph is not believed.
func (g *Graph) thing(s *Source) (int32, bool) {
	if v := s.at - 1; v >= 0 && int(v) < len(g.ids) && g.ids[v] == s.Node {
		return v, true
	}
	v, ok := g.index[s.Node]
	return v, ok
}

// Compromise is what follows when some things are under foreign control.
type Compromise struct {
	Sources []Source
	Unknown []NodeID // sources that are not in the chain
	// Processes reached: the surest first, then the more critical, then the nearer.
	Processes []Reached
	// Data are the classes of data within reach, the most sensitive first.
	Data []DataReached

	g      *Graph
	levels [Certain + 1][]mark
	others []reach          // what is no process, in order
	counts [product + 1]int // of everything reached, by kind
}

// reach is where a thing stands in the walk that reaches it most surely.
type reach struct {
	pos  int32
	sure Sureness
}

// Reached is one thing that a compromise reaches.
type Reached struct {
	Node
	Criticality Criticality // of a process
	Sure        Sureness
	Hops        int

	c   *Compromise
	pos int32
}

// DataReached is a class of data within reach, and where it lies.
type DataReached struct {
	Class Class
	Sure  Sureness
	Where []NodeID // systems that hold it, flows that carry it
}

// Way is how a compromise reaches a thing, from its source.
type Way struct {
	Source Source
	Sure   Sureness
	Hops   []Hop
	// Call is whom to call: the organisations behind the things on the way, those
	// at the source first.
	Call []Call
}

// Hop is one step of a [Way].
type Hop struct {
	From, To Node
	Sure     Sureness

	g    *Graph
	from int32
	edge int32
}

// hopKind says along what a compromise spreads.
type hopKind uint8

const (
	productInSupply hopKind = iota
	productInSystem
	productNeeded
	supplyNeeded
	systemNeeded
	organisationNeeded
	stepOfProcess
	supplierAccess
	supplierOf
	makerOf
	operatorOf
	dataFlow
	disclosedSupply
)

// edge is one way to spread; detail is the place of the access or flow in its list.
type edge struct {
	to     int32
	detail int32
	kind   hopKind
	sure   Sureness
}

// spread holds the edges that leave thing v in edges[at[v]:at[v+1]].
type spread struct {
	at    []int32
	edges []edge
}

// wire writes down along what a compromise spreads, and how surely:
//
//   - from a product to the supplies that deliver it and the systems that run it:
//     certain; to a thing that needs the product itself: likely
//   - from a supply of software, cloud or service to what needs it: likely; goods
//     carry nothing on
//   - from a supply into the systems that the supplier has access to: likely if it
//     may write or is privileged, possible for a user
//   - from a system to what needs it: likely
//   - from an activity to its process: certain. Needing an activity or a process
//     spreads nothing: it is an order of work, not a way in
//   - from an organisation to its supplies, its products and the systems that it
//     operates: likely; to a thing that needs the organisation itself: possible
//   - along a flow of data into a system or an activity: possible. An organisation
//     at the end of a flow receives data and is not counted as compromised
func (g *Graph) wire() {
	m := g.m
	type wired struct {
		from int32
		edge
	}
	var all []wired
	add := func(from, to int32, kind hopKind, sure Sureness, detail int) {
		if from >= 0 && to >= 0 && from != to {
			all = append(all, wired{from, edge{to: to, detail: int32(detail), kind: kind, sure: sure}})
		}
	}
	for i := range m.Supplies {
		s := &m.Supplies[i]
		v := g.index[s.ID]
		if IsDisclosed(s.ID) {
			add(g.owner[v], v, supplierOf, Possible, 0)
			add(v, g.index[s.Customer], disclosedSupply, Possible, 0)
			continue
		}
		add(g.owner[v], v, supplierOf, Likely, 0)
		for _, p := range s.Products {
			add(g.index[p], v, productInSupply, Certain, 0)
		}
		for j, a := range s.Access {
			sure := Likely
			if a.Level == AccessUser {
				sure = Possible
			}
			add(v, g.index[a.System], supplierAccess, sure, j)
		}
	}
	for i := range m.Systems {
		s := &m.Systems[i]
		v := g.index[s.ID]
		add(g.owner[v], v, operatorOf, Likely, 0)
		for _, p := range s.Products {
			add(g.index[p], v, productInSystem, Certain, 0)
		}
	}
	for i := range m.Products {
		v := g.index[m.Products[i].ID]
		add(g.owner[v], v, makerOf, Likely, 0)
	}
	for n := range g.needs {
		holder := g.needs[n].holder
		switch g.reasons[n].kind {
		case stepOf:
			add(g.options[g.needs[n].options], holder, stepOfProcess, Certain, 0)
		case writtenDown:
			for _, o := range g.alternatives(int32(n)) {
				switch g.kinds[o] {
				case system:
					add(o, holder, systemNeeded, Likely, 0)
				case supply:
					if m.Supplies[g.place[o]].Nature != NatureGoods {
						add(o, holder, supplyNeeded, Likely, 0)
					}
				case product:
					add(o, holder, productNeeded, Likely, 0)
				case organisation:
					add(o, holder, organisationNeeded, Possible, 0)
				}
			}
		}
	}
	classes := Classes()
	g.holds, g.carries = make([][]int8, len(m.Systems)), make([]int8, len(m.Flows))
	for i := range m.Systems {
		for _, class := range m.Systems[i].Data {
			if at := slices.Index(classes, class); at >= 0 {
				g.holds[i] = append(g.holds[i], int8(at))
			}
		}
	}
	for i := range m.Flows {
		f := &m.Flows[i]
		g.carries[i] = int8(slices.Index(classes, f.Class))
		from, to := g.index[f.From], g.index[f.To]
		g.flows = append(g.flows, [2]int32{from, to})
		if g.kinds[to] != organisation {
			add(from, to, dataFlow, Possible, i)
		}
	}

	// Of several edges between the same two things the surest is enough.
	at, order := reverse(len(g.ids), len(all), func(yield func(int32, int32) bool) {
		for i := range all {
			if !yield(all[i].from, int32(i)) {
				return
			}
		}
	})
	known := make([]int32, len(g.ids)) // 1 + position of the edge to a thing
	g.out = spread{at: make([]int32, len(g.ids)+1), edges: make([]edge, 0, len(all))}
	for v := range g.ids {
		start := int32(len(g.out.edges))
		for _, i := range order[at[v]:at[v+1]] {
			e := all[i].edge
			switch k := known[e.to]; {
			case k <= start:
				g.out.edges = append(g.out.edges, e)
				known[e.to] = int32(len(g.out.edges))
			case g.out.edges[k-1].sure < e.sure:
				g.out.edges[k-1] = e
			}
		}
		g.out.at[v+1] = int32(len(g.out.edges))
	}
	g.from = make([]int32, len(g.out.edges))
	for v := range g.ids {
		for i := g.out.at[v]; i < g.out.at[v+1]; i++ {
			g.from[i] = int32(v)
		}
	}
	g.inAt, g.in = reverse(len(g.ids), len(g.out.edges), func(yield func(int32, int32) bool) {
		for i := range g.out.edges {
			if !yield(g.out.edges[i].to, int32(i)) {
				return
			}
		}
	})
}

// mark is one thing reached in the walk of one degree of sureness; from is the
// position of the thing before it, and -1-i at source i.
type mark struct {
	node int32
	from int32
	edge int32 // in g.out.edges
	hops int32
}

// spreadScratch is the memory of one walk.
type spreadScratch struct {
	epoch uint32
	seen  [Certain + 1][]uint32 // by thing: the walk that reached it
	queue [Certain + 1][]mark
	// What an answer that is not kept lies in.
	sources []Source
	start   []int32
	others  []reach
	found   []Reached
}

func newSpreadScratch(g *Graph) *spreadScratch {
	s := &spreadScratch{}
	for level := Possible; level <= Certain; level++ {
		s.seen[level] = make([]uint32, len(g.ids))
	}
	return s
}

// Compromise says what is reached when the sources are under foreign control, how
// surely, and by which way: the surest, and of those the shortest.
//
// For each degree of sureness there is one walk in breadth over the edges that are
// at least so sure. A thing belongs to the surest walk that reaches it.
func (g *Graph) Compromise(sources []Source) Compromise {
	c := &Compromise{}
	g.Compromised(sources, func(of *Compromise) {
		*c = *of
		for level := range c.levels {
			c.levels[level] = slices.Clone(c.levels[level])
		}
		c.Sources, c.others, c.Processes = slices.Clone(c.Sources), slices.Clone(c.others), slices.Clone(c.Processes)
		for i := range c.Processes {
			c.Processes[i].c = c
		}
	})
	return *c
}

// Compromised is [Graph.Compromise] for an answer that is used up in tell and not
// kept: it lies in memory that is used again for the next question.
func (g *Graph) Compromised(sources []Source, tell func(*Compromise)) {
	scratch := g.paint.Get().(*spreadScratch)
	defer g.paint.Put(scratch)
	tell(g.compromise(scratch, sources))
}

func (g *Graph) compromise(scratch *spreadScratch, sources []Source) *Compromise {
	c := &Compromise{g: g, Sources: slices.Grow(scratch.sources[:0], len(sources))}
	start := slices.Grow(scratch.start[:0], len(sources))
	for i := range sources {
		s := &sources[i]
		v, ok := g.thing(s)
		if !ok {
			c.Unknown = append(c.Unknown, s.Node)
			continue
		}
		c.Sources = append(c.Sources, *s)
		if s.Sure < Possible || s.Sure > Certain {
			c.Sources[len(start)].Sure = Certain
		}
		start = append(start, v)
	}
	scratch.sources, scratch.start = c.Sources, start
	nextEpoch(&scratch.epoch, func() {
		for _, seen := range scratch.seen {
			clear(seen)
		}
	})
	for level := Certain; level >= Possible; level-- {
		c.levels[level] = scratch.walk(g, level, start, c.Sources)
	}
	c.others, c.Processes = slices.Grow(scratch.others[:0], len(c.levels[Possible])), scratch.found[:0]
	var processes [weights][]reach // of one level, by how grave they are
	for level := Certain; level >= Possible; level-- {
		for pos, k := range c.levels[level] {
			if level < Certain && scratch.reached(level+1, k.node) {
				continue
			}
			kind := g.kinds[k.node]
			c.counts[kind]++
			if r := (reach{int32(pos), level}); kind == process {
				w := weight(g.criticality(k.node))
				processes[w] = append(processes[w], r)
			} else {
				c.others = append(c.others, r)
			}
		}
		// A walk comes to the nearer things first.
		for w := weights - 1; w >= 0; w-- {
			for _, r := range processes[w] {
				c.Processes = append(c.Processes, c.reached(r))
			}
			processes[w] = processes[w][:0]
		}
	}
	scratch.others, scratch.found = c.others, c.Processes
	c.data(scratch)
	return c
}

func (c *Compromise) mark(r reach) *mark { return &c.levels[r.sure][r.pos] }

func (c *Compromise) reached(r reach) Reached {
	k := c.mark(r)
	return Reached{Node: c.g.node(k.node), Criticality: c.g.criticality(k.node), Sure: r.sure, Hops: int(k.hops), c: c, pos: r.pos}
}

// criticality is that of a process.
func (g *Graph) criticality(v int32) Criticality {
	if g.kinds[v] != process {
		return ""
	}
	return g.m.Processes[g.place[v]].BIA.Criticality
}

// Others gives the things that are no processes and are reached, in the order in
// which the compromise reaches them: the surest and then the nearest first. They
// can be very many.
func (c Compromise) Others() []Reached {
	all := make([]Reached, len(c.others))
	for i, r := range c.others {
		all[i] = c.reached(r)
	}
	return all
}

// Count says how many things of a kind are reached.
func (c Compromise) Count(kind NodeKind) int {
	return c.counts[slices.Index(kindNames[:], kind)]
}

// reached says whether a walk of at least this sureness came to the thing: the
// walks are nested.
func (s *spreadScratch) reached(level Sureness, v int32) bool {
	return s.seen[level][v] == s.epoch
}

// sure gives how surely a system or activity is reached; 0 if it is not.
func (s *spreadScratch) sure(g *Graph, v int32) Sureness {
	if !s.reached(Possible, v) || g.kinds[v] != system && g.kinds[v] != activity {
		return 0
	}
	for level := Certain; level >= Possible; level-- {
		if s.reached(level, v) {
			return level
		}
	}
	return 0
}

func (s *spreadScratch) walk(g *Graph, level Sureness, start []int32, sources []Source) []mark {
	seen := s.seen[level]
	queue := s.queue[level][:0]
	for i, v := range start {
		if sources[i].Sure >= level && seen[v] != s.epoch {
			seen[v] = s.epoch
			queue = append(queue, mark{node: v, from: int32(-1 - i), edge: -1})
		}
	}
	for pos := 0; pos < len(queue); pos++ {
		k := queue[pos]
		for i := g.out.at[k.node]; i < g.out.at[k.node+1]; i++ {
			e := g.out.edges[i]
			if e.sure >= level && seen[e.to] != s.epoch {
				seen[e.to] = s.epoch
				queue = append(queue, mark{node: e.to, from: int32(pos), edge: i, hops: k.hops + 1})
			}
		}
	}
	s.queue[level] = queue
	return queue
}

// data collects the classes that lie in reached systems and on flows that touch
// reached systems and activities.
func (c *Compromise) data(s *spreadScratch) {
	classes := Classes()
	found := make([]DataReached, len(classes))
	put := func(class int8, where NodeID, sure Sureness) {
		d := &found[class]
		if d.Where == nil {
			d.Class, d.Where = classes[class], make([]NodeID, 0, c.counts[system])
		}
		d.Sure = max(d.Sure, sure)
		d.Where = append(d.Where, where)
	}
	g := c.g
	for _, r := range c.others {
		if v := c.mark(r).node; g.kinds[v] == system {
			for _, class := range g.holds[g.place[v]] {
				put(class, g.ids[v], r.sure)
			}
		}
	}
	for i, class := range g.carries {
		if class < 0 {
			continue
		}
		if sure := max(s.sure(g, g.flows[i][0]), s.sure(g, g.flows[i][1])); sure > 0 {
			put(class, g.m.Flows[i].ID, sure)
		}
	}
	for _, d := range slices.Backward(found) {
		if d.Where != nil {
			c.Data = append(c.Data, d)
		}
	}
}

// Find gives what is known of one thing, if the compromise reaches it.
func (c Compromise) Find(id NodeID) (Reached, bool) {
	for _, r := range c.Processes {
		if r.ID == id {
			return r, true
		}
	}
	for _, r := range c.others {
		if c.g.ids[c.mark(r).node] == id {
			return c.reached(r), true
		}
	}
	return Reached{}, false
}

// Way gives the surest and then shortest way to the thing.
func (r Reached) Way() Way {
	marks := r.c.levels[r.Sure]
	edges := make([]int32, 0, r.Hops)
	pos := r.pos
	for marks[pos].from >= 0 {
		edges = append(edges, marks[pos].edge)
		pos = marks[pos].from
	}
	slices.Reverse(edges)
	return r.c.way(int(-1-marks[pos].from), marks[pos].node, edges)
}

func (c *Compromise) way(source int, from int32, edges []int32) Way {
	g := c.g
	w := Way{Source: c.Sources[source], Sure: c.Sources[source].Sure, Hops: make([]Hop, 0, len(edges))}
	callers := callers{g: g}
	callers.add(from)
	for _, i := range edges {
		e := g.out.edges[i]
		w.Hops = append(w.Hops, Hop{From: g.node(from), To: g.node(e.to), Sure: e.sure, g: g, from: from, edge: i})
		w.Sure = min(w.Sure, e.sure)
		callers.add(e.to)
		from = e.to
	}
	w.Call = callers.calls
	return w
}

// Say tells the hop: "Procurement portal runs Log4j Core".
func (h Hop) Say() entente.Message {
	if h.g == nil {
		return entente.Message{}
	}
	g, e, from := h.g, h.g.out.edges[h.edge], h.from
	a, b := g.label(from), g.label(e.to)
	switch e.kind {
	case productInSupply:
		return entente.Say("%s delivers %s", b, a)
	case supplierOf:
		return entente.Say("%s supplies %s", a, b)
	case productInSystem:
		return entente.Say("%s runs %s", b, a)
	case supplyNeeded:
		return entente.Say("%s needs %s from %s", b, a, g.label(g.owner[from]))
	case stepOfProcess:
		return entente.Say("%s is a step of %s", a, b)
	case supplierAccess:
		s := &g.m.Supplies[g.place[from]]
		return entente.Say(s.Access[e.detail].Level.text(), g.label(g.owner[from]), b, a)
	case makerOf:
		return entente.Say("%s makes %s", a, b)
	case operatorOf:
		return entente.Say("%s operates %s", a, b)
	case disclosedSupply:
		return entente.Say("%s says that it buys %s from %s", b, a, g.label(g.owner[from]))
	case dataFlow:
		return sayFlow(&g.m.Flows[e.detail], a, b)
	}
	return entente.Say("%s needs %s", b, a)
}

// Words says the hop in English.
func (h Hop) Words() string { return h.Say().String() }

// text tells who has access of the level to what, and for which supply.
func (l AccessLevel) text() entente.Text {
	switch l {
	case AccessWrite:
		return "%s has write access to %s for %s"
	case AccessPrivileged:
		return "%s has privileged access to %s for %s"
	}
	return "%s has user access to %s for %s"
}

func sayFlow(f *Flow, from, to string) entente.Message {
	var what any = entente.Text("data")
	if len(f.Data) > 0 {
		what = entente.And(f.Data[:min(3, len(f.Data))])
	}
	if f.Class != "" {
		what = entente.Say("%s (%s)", what, f.Class.Noun())
	}
	if f.Interface != "" {
		return entente.Say("%s sends %s to %s over %s", from, what, to, f.Interface)
	}
	return entente.Say("%s sends %s to %s", from, what, to)
}

// Say tells the way in one line, the reason first.
func (w Way) Say() entente.Message {
	hops := make([]any, len(w.Hops))
	for i, h := range w.Hops {
		hops[i] = h.Say()
	}
	way := entente.List{Items: hops, Join: "; ", Last: "; "}
	switch {
	case w.Source.Why == "":
		return entente.Say("%s", way)
	case len(hops) == 0:
		return entente.Say("%s", w.Source.Why)
	}
	return entente.Say("%s: %s", w.Source.Why, way)
}

// Words says the way in English.
func (w Way) Words() string { return w.Say().String() }
