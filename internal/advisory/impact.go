package advisory

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
)

// Brief is one finding as it is shown everywhere: what the records of one
// [Group] say together.
type Brief struct {
	ID        string    `json:"id"`
	Names     []string  `json:"names"`
	Records   []string  `json:"records"`
	Summary   string    `json:"summary"`
	Severity  Severity  `json:"severity"`
	Published time.Time `json:"published,omitzero"`
	Modified  time.Time `json:"modified,omitzero"`
	// Withdrawn is set if every record of the group was withdrawn.
	Withdrawn time.Time `json:"withdrawn,omitzero"`
}

// AdvisoryImpact is the main answer: who is hit by an advisory, by which way, how
// surely, by when it hurts to switch off what is reached, and whom to call. The
// lists are cut as [ImpactOptions] say; Counts always counts everything.
type AdvisoryImpact struct {
	Advisory Brief  `json:"advisory"`
	Counts   Counts `json:"counts"`
	// Processes hit: those that the compromise reaches, the surest and most critical
	// first; then those that only stop if what is reached is switched off ([chain.Compromise.SwitchOff]).
	Processes []ProcessImpact `json:"processes"`
	// Down is what has to be switched off to keep the compromise from the processes,
	// as [chain.Compromise.SwitchOff] chooses it.
	Down     []chain.NodeID  `json:"down"`
	Products []ProductImpact `json:"products"`
	// Undecided are products with packages of which it cannot be told.
	Undecided []ProductImpact `json:"undecided"`
	Data      []DataImpact    `json:"data"`
	Call      []Call          `json:"call"`
}

// Counts is how much is hit, whatever is shown.
type Counts struct {
	Packages  int `json:"packages"`  // distinct affected packages with a current document
	Documents int `json:"documents"` // bills of materials that contain one
	Products  int `json:"products"`  // their products
	Outside   int `json:"outside"`   // of these, products that the chain does not know
	Undecided int `json:"undecided"` // products with undecided packages only
	Excused   int `json:"excused"`   // products of which their supplier says that they are not affected
	Processes int `json:"processes"` // processes that the compromise reaches
	Down      int `json:"down"`      // things to switch off to keep it from the processes
	Stops     int `json:"stops"`     // processes that stop if they are switched off
	Systems   int `json:"systems"`
	Supplies  int `json:"supplies"`
	Suppliers int `json:"suppliers"` // organisations that make the products
}

// ProductImpact is one product that contains affected packages.
type ProductImpact struct {
	ID       chain.NodeID `json:"id"`
	Name     string       `json:"name"`
	Supplier chain.NodeID `json:"supplier,omitempty"`
	// Known says whether the chain knows the product.
	Known      bool           `json:"known"`
	Documents  []uint32       `json:"documents"`
	Components []ComponentHit `json:"components"`
	More       int            `json:"more,omitempty"` // components beyond those listed
	// Reaches are the processes whose told way begins here.
	Reaches []chain.NodeID `json:"reaches,omitempty"`

	last uint32 // the package that was put last
}

// ComponentHit is one affected package.
type ComponentHit struct {
	Package uint32 `json:"package"`
	Name    string `json:"name"`
	Version string `json:"version"`
	State   State  `json:"state"`
	Why     string `json:"why"`
	Record  string `json:"record"` // the record that says so
}

// ProcessImpact is one process that is hit.
type ProcessImpact struct {
	ID          chain.NodeID      `json:"id"`
	Name        string            `json:"name"`
	Criticality chain.Criticality `json:"criticality"`
	Owner       string            `json:"owner,omitempty"`
	// Sure is how surely the compromise reaches it; empty if it does not.
	Sure chain.Sureness `json:"sure,omitempty"`
	// Way is how: from the product, each hop named.
	Way     []Hop           `json:"way"`
	Product chain.NodeID    `json:"product,omitempty"` // where the way begins
	Because entente.Message `json:"because,omitzero"`  // what is wrong with the product
	// Off is what follows for the process if what is reached is switched off now; nil
	// if it goes on.
	Off *SwitchOff `json:"off"`
}

// Hop is one step of a way.
type Hop struct {
	From  chain.NodeID    `json:"from"`
	To    chain.NodeID    `json:"to"`
	Kind  chain.NodeKind  `json:"kind"` // of To
	Name  string          `json:"name"` // of To
	Words entente.Message `json:"words"`
	Sure  chain.Sureness  `json:"sure"`
}

// SwitchOff is when a process stops, and what that means, counted from now.
type SwitchOff struct {
	Stops Span  `json:"stops"`
	RTO   *Span `json:"rto"`  // when the recovery time objective is exceeded; nil: never
	MTPD  *Span `json:"mtpd"` // when the maximum tolerable period is exceeded; nil: never
	// Cost is what the interruption has cost by the time the MTPD is exceeded, or
	// after a day where there is none, in the map's currency.
	Cost  int64           `json:"cost"`
	Words entente.Message `json:"words"` // the critical path
}

// Span is a time from now, written as maps write durations: "8h", "2d12h".
type Span time.Duration

// MarshalText writes the span.
func (s Span) MarshalText() ([]byte, error) {
	return []byte(chain.FormatDuration(time.Duration(s))), nil
}

// UnmarshalText reads it back.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := chain.ParseDuration(string(text))
	*s = Span(d)
	return err
}

// DataImpact is a class of data within reach.
type DataImpact struct {
	Class chain.Class    `json:"class"`
	Sure  chain.Sureness `json:"sure"`
	Where []chain.NodeID `json:"where"`
	More  int            `json:"more,omitempty"`
}

// Call is an organisation to call.
type Call struct {
	Organisation chain.NodeID    `json:"organisation"`
	Name         string          `json:"name"`
	Rank         int             `json:"rank"`
	Because      entente.Message `json:"because"`
	Contacts     []chain.Contact `json:"contacts"`
}

// ImpactOptions say how much of each list is told; 0 is the default of 25, a
// negative number means all.
type ImpactOptions struct {
	Products, Processes, Calls int

	// excused are products whose supplier says that they are not affected.
	excused map[string]bool
}

func cut(n, limit int) int {
	const standard = 25
	switch {
	case limit < 0:
		return n
	case limit == 0:
		limit = standard
	}
	return min(n, limit)
}

// packageHit is one package that the group of an advisory concerns.
type packageHit struct {
	id      uint32
	name    string
	version string
	state   State
	why     string
	record  string
}

// productHits is what is wrong with one product. Most products are only counted;
// what is told of a few is looked up then.
type productHits struct {
	place    uint32 // in the index
	affected int32  // hits that are affected
	first    int32  // the first hit that is, -1 without
	last     int32  // the hit that was counted last
}

// assessment is the work on one answer. Its memory is used again for the next
// one: else most of the time of an answer would go to clearing up after it.
type assessment struct {
	out   AdvisoryImpact
	g     *chain.Graph
	x     *Index
	o     ImpactOptions
	nodes *productNodes
	hits  []packageHit

	products []productHits
	position []int32 // by place: 1 + the position in products
	told     []int32 // by place: 1 + the position in the list of told products, below 0 of undecided ones
	seen     []bool  // documents
	makers   []bool
	begun    []bool // ways in which products are used
	sources  []chain.Source
	first    map[uint32][]chain.NodeID // products at the begin of a told way → processes
	calls    caller
}

var assessments = sync.Pool{New: func() any { return &assessment{first: map[uint32][]chain.NodeID{}} }}

// cleared gives n zeroes in the memory of old.
func cleared[T any](old []T, n int) []T {
	old = slices.Grow(old[:0], n)[:n]
	clear(old)
	return old
}

// assess joins the hits of an advisory with the documents of the index and the
// chain. It is pure: the same answer for the command line and the server.
func assess(g *chain.Graph, x *Index, brief Brief, hits []packageHit, o ImpactOptions) AdvisoryImpact {
	a := assessments.Get().(*assessment)
	a.g, a.x, a.o, a.hits, a.nodes, a.calls = g, x, o, hits, x.nodesOf(g), caller{limit: o.Calls}
	a.out = AdvisoryImpact{
		Advisory: brief, Processes: []ProcessImpact{}, Products: []ProductImpact{}, Undecided: []ProductImpact{},
		Data: []DataImpact{}, Call: []Call{}, Down: []chain.NodeID{},
	}
	a.gather()
	if sources := a.begin(); len(sources) > 0 {
		g.Compromised(sources, a.follow)
	} else {
		a.follow(&chain.Compromise{})
	}
	out := a.out
	a.out, a.g, a.x, a.hits, a.nodes, a.calls = AdvisoryImpact{}, nil, nil, nil, nil, caller{}
	clear(a.first)
	assessments.Put(a)
	return out
}

// begin counts what the chain knows of the products, and gives those at which the
// compromise begins.
func (a *assessment) begin() []chain.Source {
	n, counts := a.nodes, &a.out.Counts
	a.makers, a.begun, a.sources = cleared(a.makers, n.makers), cleared(a.begun, n.twins), a.sources[:0]
	for i := range a.products {
		p := &a.products[i]
		if p.affected == 0 {
			continue
		}
		twin := n.twin[p.place]
		if twin < 0 {
			counts.Outside++
			continue
		}
		if maker := n.maker[p.place]; maker >= 0 && !a.makers[maker] {
			a.makers[maker] = true
			counts.Suppliers++
		}
		// Of products that are used in the same way one is enough: the others reach
		// the same things by the same hops.
		if !a.begun[twin] {
			a.begun[twin] = true
			a.sources = append(a.sources, n.sources[p.place])
		}
	}
	return a.sources
}

// follow tells what follows from the compromise, and from switching off what it
// reaches.
func (a *assessment) follow(reached *chain.Compromise) {
	off := reached.Off(chain.OutageOptions{})
	out, counts := &a.out, &a.out.Counts
	if n := len(off.Down); n > 0 {
		counts.Down, out.Down = n, off.Down[:cut(n, a.o.Products)]
	}
	counts.Processes, counts.Stops = len(reached.Processes), len(off.Processes)
	counts.Systems, counts.Supplies = reached.Count(chain.KindSystem), reached.Count(chain.KindSupply)
	a.processes(reached, &off)
	a.list()
	for _, p := range out.Products {
		if place, known := a.x.docs.place[string(p.ID)]; known {
			a.calls.maker(a.g, a.nodes.list[place])
		}
	}
	out.Call = a.calls.done()
	for _, d := range reached.Data {
		n := cut(len(d.Where), a.o.Products)
		out.Data = append(out.Data, DataImpact{Class: d.Class, Sure: d.Sure, Where: d.Where[:n], More: len(d.Where) - n})
	}
}

// because says what is wrong with the product at which the told way to a process
// begins.
func (a *assessment) because(product, process chain.NodeID) entente.Message {
	place, known := a.x.docs.place[string(product)]
	if !known || a.position[place] == 0 {
		return entente.Message{}
	}
	a.first[place] = append(a.first[place], process)
	return a.products[a.position[place]-1].because(a.hits, a.out.Advisory.ID)
}

// productNodes is what one chain knows of the products of an index, by their place.
type productNodes struct {
	g      *chain.Graph
	list   []chain.Node // without a kind: not in the chain
	maker  []int32      // number of the organisation, -1 if unknown
	makers int
	twin   []int32 // number of the way in which the product is used, -1 if not in the chain
	twins  int
	// sources are the products as the begin of a compromise.
	sources []chain.Source
}

// nodesOf looks the products up in the chain, once for each chain: chains and
// products change seldom, and questions come often.
func (x *Index) nodesOf(g *chain.Graph) *productNodes {
	if n := x.nodes.Load(); n != nil && n.g == g && len(n.list) == len(x.docs.products) {
		return n
	}
	products := len(x.docs.products)
	n := &productNodes{g: g, list: make([]chain.Node, products), maker: make([]int32, products), twin: make([]int32, products), sources: make([]chain.Source, products)}
	number, twins, uses := map[chain.NodeID]int32{}, map[string]int32{}, usesOf(g.Map())
	for place, id := range x.docs.products {
		node, known := g.Node(chain.NodeID(id))
		n.maker[place], n.twin[place] = -1, -1
		if !known {
			n.list[place] = chain.Node{ID: chain.NodeID(id), Name: id}
			continue
		}
		n.list[place], n.sources[place] = node, g.Source(node.ID)
		twin, known := twins[uses[node.ID]]
		if !known {
			twin = int32(len(twins))
			twins[uses[node.ID]] = twin
		}
		n.twin[place] = twin
		if node.Organisation == "" {
			continue
		}
		i, seen := number[node.Organisation]
		if !seen {
			i = int32(len(number))
			number[node.Organisation] = i
		}
		n.maker[place] = i
	}
	n.makers, n.twins = len(number), len(twins)
	x.nodes.Store(n)
	return n
}

// usesOf writes down for each product how it is used: which supplies deliver it,
// which systems run it, what names it as a need. Equal texts are equal uses.
func usesOf(m *chain.Map) map[chain.NodeID]string {
	uses := map[chain.NodeID]string{}
	put := func(how string, by chain.NodeID, products []chain.NodeID) {
		for _, p := range products {
			uses[p] += how + string(by) + " "
		}
	}
	needs := func(by chain.NodeID, list []chain.Need) {
		for _, n := range list {
			put("needed by ", by, n.Any)
		}
	}
	for i := range m.Supplies {
		put("in ", m.Supplies[i].ID, m.Supplies[i].Products)
		needs(m.Supplies[i].ID, m.Supplies[i].Needs)
	}
	for i := range m.Systems {
		put("on ", m.Systems[i].ID, m.Systems[i].Products)
		needs(m.Systems[i].ID, m.Systems[i].Needs)
	}
	for i := range m.Processes {
		p := &m.Processes[i]
		needs(p.ID, p.Needs)
		for j := range p.Activities {
			needs(p.Activities[j].ID, p.Activities[j].Needs)
		}
	}
	return uses
}

// gather counts the products of all documents that contain a hit. The cost follows
// the hits.
func (a *assessment) gather() {
	x, counts := a.x, &a.out.Counts
	a.position, a.seen = cleared(a.position, len(x.docs.products)), cleared(a.seen, len(x.docs.ids))
	products := a.products[:0]
	for i := range a.hits {
		current, affected := false, a.hits[i].state == Affected
		x.numbers(a.hits[i].id, func(n uint32) {
			place := x.docs.product[n]
			if a.o.excused[x.docs.products[place]] {
				return
			}
			current = true
			at := a.position[place]
			if at == 0 {
				products = append(products, productHits{place: place, first: -1, last: -1})
				at = int32(len(products))
				a.position[place] = at
			}
			p := &products[at-1]
			if affected && p.last != int32(i) {
				p.affected++
				if p.first < 0 {
					p.first = int32(i)
				}
			}
			p.last = int32(i)
			if affected && !a.seen[n] {
				a.seen[n] = true
				counts.Documents++
			}
		})
		if current && affected {
			counts.Packages++
		}
	}
	for i := range products {
		if products[i].affected > 0 {
			counts.Products++
		} else {
			counts.Undecided++
		}
	}
	a.products = products
}

// because says in words what is wrong with the product.
func (p *productHits) because(hits []packageHit, advisory string) entente.Message {
	if p.first < 0 {
		return entente.Message{}
	}
	h := &hits[p.first]
	what := strings.TrimSpace(h.name + " " + h.version)
	if more := int(p.affected) - 1; more > 0 {
		return entente.Plural(more, "%s affects %s and %d more", "%s affects %s and %d more", advisory, what, more)
	}
	return entente.Say("%s affects %s", advisory, what)
}

// processes tells the processes: reached ones first, then those that only stop.
func (a *assessment) processes(reached *chain.Compromise, off *chain.Outage) {
	g, out := a.g, &a.out
	stops := make(map[chain.NodeID]int, len(off.Processes))
	for i := range off.Processes {
		stops[off.Processes[i].ID] = i
	}
	told := cut(len(reached.Processes)+len(off.Processes), a.o.Processes)
	out.Processes = make([]ProcessImpact, 0, told)
	for i := range reached.Processes[:min(told, len(reached.Processes))] {
		r := &reached.Processes[i]
		p, _ := g.Process(r.ID)
		w := r.Way()
		hit := ProcessImpact{
			ID: r.ID, Name: r.Name, Criticality: r.Criticality, Owner: p.Owner, Sure: w.Sure,
			Product: w.Source.Node, Because: a.because(w.Source.Node, r.ID), Way: make([]Hop, 0, len(w.Hops)),
		}
		for _, h := range w.Hops {
			hit.Way = append(hit.Way, Hop{From: h.From.ID, To: h.To.ID, Kind: h.To.Kind, Name: h.To.Name, Words: h.Say(), Sure: h.Sure})
		}
		if at, does := stops[r.ID]; does {
			hit.Off = switchOff(g, &off.Processes[at])
		}
		for _, c := range w.Call {
			a.calls.add(Call{Organisation: c.Organisation, Name: c.Name, Rank: c.Rank, Because: c.Because, Contacts: c.Contacts})
		}
		out.Processes = append(out.Processes, hit)
	}
	if len(out.Processes) >= told {
		return
	}
	hit := make(map[chain.NodeID]bool, len(reached.Processes))
	for i := range reached.Processes {
		hit[reached.Processes[i].ID] = true
	}
	for i := range off.Processes {
		s := &off.Processes[i]
		if len(out.Processes) >= told || hit[s.ID] {
			continue
		}
		p, _ := g.Process(s.ID)
		out.Processes = append(out.Processes, ProcessImpact{
			ID: s.ID, Name: s.Name, Criticality: s.Criticality, Owner: p.Owner, Way: []Hop{}, Off: switchOff(g, s),
		})
	}
}

func switchOff(g *chain.Graph, p *chain.ProcessOutage) *SwitchOff {
	until := p.MTPDAt
	if until == chain.Never {
		until = p.Fails + 24*time.Hour
	}
	return &SwitchOff{
		Stops: Span(p.Fails), RTO: span(p.RTOAt), MTPD: span(p.MTPDAt), Cost: p.CostAt(until), Words: p.Say(),
	}
}

func span(d time.Duration) *Span {
	if d == chain.Never {
		return nil
	}
	s := Span(d)
	return &s
}

// componentsTold is how many components of one product are listed.
const componentsTold = 10

// list tells the products: those from which a told way begins, then the others.
func (a *assessment) list() {
	out, products, first := &a.out, a.products, a.first
	begin := make([]int32, 0, len(first))
	for place := range first {
		begin = append(begin, a.position[place]-1)
	}
	slices.SortFunc(begin, func(i, j int32) int {
		return cmp.Or(cmp.Compare(len(first[products[j].place]), len(first[products[i].place])), cmp.Compare(i, j))
	})
	told, undecided := cut(out.Counts.Products, a.o.Products), cut(out.Counts.Undecided, a.o.Products)
	out.Products, out.Undecided = make([]ProductImpact, 0, told), make([]ProductImpact, 0, undecided)
	a.told = cleared(a.told, len(a.position))
	take := func(p *productHits) {
		n := &a.nodes.list[p.place]
		one := ProductImpact{ID: n.ID, Name: n.Name, Supplier: n.Organisation, Known: n.Kind != "", Documents: []uint32{}, Reaches: first[p.place]}
		switch {
		case p.affected > 0 && len(out.Products) < told:
			out.Products = append(out.Products, one)
			a.told[p.place] = int32(len(out.Products))
		case p.affected == 0 && len(out.Undecided) < undecided:
			out.Undecided = append(out.Undecided, one)
			a.told[p.place] = -int32(len(out.Undecided))
		}
	}
	for _, i := range begin {
		take(&products[i])
	}
	for i := range products {
		if len(out.Products) == told && len(out.Undecided) == undecided {
			break
		}
		if a.told[products[i].place] == 0 {
			take(&products[i])
		}
	}
	for _, state := range []State{Affected, Unknown} {
		for i := range a.hits {
			if a.hits[i].state != state {
				continue
			}
			a.x.numbers(a.hits[i].id, func(n uint32) {
				switch at := a.told[a.x.docs.product[n]]; {
				case at > 0:
					out.Products[at-1].put(&a.hits[i], a.x.docs.ids[n])
				case at < 0:
					out.Undecided[-at-1].put(&a.hits[i], a.x.docs.ids[n])
				}
			})
		}
	}
}

// put adds a hit in one of the product's documents.
func (p *ProductImpact) put(h *packageHit, document uint32) {
	if !slices.Contains(p.Documents, document) {
		p.Documents = append(p.Documents, document)
	}
	if p.last == h.id {
		return
	}
	p.last = h.id
	if len(p.Components) == componentsTold {
		p.More++
		return
	}
	p.Components = append(p.Components, ComponentHit{
		Package: h.id, Name: h.name, Version: h.version, State: h.state, Why: h.why, Record: h.record,
	})
}

// caller collects whom to call, each organisation once.
type caller struct {
	limit int
	list  []Call
	known map[chain.NodeID]bool
}

func (c *caller) add(call Call) {
	if c.known == nil {
		c.known = map[chain.NodeID]bool{}
	}
	if call.Organisation == "" || c.known[call.Organisation] || call.Rank == 0 {
		return
	}
	c.known[call.Organisation] = true
	c.list = append(c.list, call)
}

func (c *caller) maker(g *chain.Graph, product chain.Node) {
	org, known := g.Organisation(product.Organisation)
	if !known || c.known[product.Organisation] {
		return
	}
	c.add(Call{Organisation: org.ID, Name: org.Name, Rank: g.Rank(org.ID), Because: entente.Say("makes %s", product.Name), Contacts: org.Contacts})
}

func (c *caller) done() []Call {
	if c.list == nil {
		return []Call{}
	}
	return c.list[:cut(len(c.list), c.limit)]
}
