package chain

import (
	"iter"
	"math"
	"sync"
	"time"

	"github.com/entente-project/entente"
)

// Graph is a compiled [Map]: things are small numbers, and what hangs on what
// stands in flat slices. It never changes and may be asked by many at once.
//
// Besides the needs that a map writes down, these hold without a buffer: a process
// needs each of its activities (with the activity's own buffer), a supply needs
// its supplier and the products it delivers, and a system needs its operator and
// the products it runs. A thing that names such a party in a need of its own
// replaces the implied need by that one, so that it can give it a buffer or an
// alternative.
//
// What suppliers disclosed of their own suppliers is in the graph, but not in its map:
// [IsDisclosed] tells it by its id, [Graph.ToldBy] says who told it and when.
type Graph struct {
	m     *Map // with what suppliers disclosed
	ours  *Map // without it
	told  *disclosed
	ids   []NodeID
	names []string // as people call them, side by side: they are looked up by the thousand
	kinds []uint8
	place []int32 // position in the map's list of that kind
	owner []int32 // the organisation behind a thing, -1 if unknown
	index map[NodeID]int32
	own   int32

	moment // of the stored chain; zero for a graph of a file

	// Needs, and for each thing the needs in which it is an alternative.
	needs   []need
	reasons []reason
	needAt  []int32 // needs of thing v: needs[needAt[v]:needAt[v+1]]
	options []int32 // alternatives of need n: options[needs[n].options:][:needs[n].count]
	uses    []use   // needs that name thing v: uses[useAt[v]:useAt[v+1]]
	useAt   []int32

	// Edges along which a compromise spreads: those that leave a thing, where each
	// edge begins, and by number those that enter thing v: in[inAt[v]:inAt[v+1]].
	out  spread
	from []int32
	in   []int32
	inAt []int32
	// The two ends of each flow.
	flows [][2]int32
	// The classes of data, by their number in [Classes], that each system of the map
	// holds and each flow carries; -1: none.
	holds   [][]int8
	carries []int8

	processes []int32 // things that are processes, in the order of the map
	number    []int32 // for a process its position in processes, else -1
	ranks     []int32 // of organisations, by position in the map; -1 unknown

	scratch sync.Pool // *outageScratch
	paint   sync.Pool // *spreadScratch

	concentrate   sync.Once
	concentration Concentration
	disclose      sync.Once
	providers     []Provider
}

// need is one need of a thing; reason is what only words need of it.
type need struct {
	buffer  time.Duration
	holder  int32
	options int32
	count   int32
}

// use repeats of a need what the pass over time asks at each of its alternatives,
// so that the pass reads memory in order.
type use struct {
	buffer time.Duration
	holder int32
	need   int32 // -1-n for need n with several alternatives
}

func (u use) number() int32 {
	if u.need < 0 {
		return -1 - u.need
	}
	return u.need
}

type reason struct {
	kind reasonKind
	note string
}

type reasonKind uint8

const (
	writtenDown reasonKind = iota
	stepOf
	suppliedBy
	delivers
	operatedBy
	runs
	disclosedNeed
)

// Kinds as small numbers.
const (
	organisation uint8 = iota
	process
	activity
	system
	supply
	product
)

var kindNames = [...]NodeKind{KindOrganisation, KindProcess, KindActivity, KindSystem, KindSupply, KindProduct}

// Node is one thing of a graph.
type Node struct {
	ID   NodeID
	Kind NodeKind
	Name string
	// Organisation is who stands behind the thing: the supplier of a supply or
	// product, the operator of a system, our own organisation for a process or
	// activity; "" if unknown.
	Organisation NodeID
}

// Compile makes a graph from a map, which must not change afterwards. A map that
// does not hold gives an [entente.Error] with everything that [Validate] finds.
func Compile(m *Map) (*Graph, error) {
	if found := Validate(m); len(found) > 0 {
		wrong := entente.Invalid("the map does not hold")
		wrong.Fields = found
		return nil, wrong
	}
	return compile(m), nil
}

// compile is Compile for a map that is known to hold.
func compile(m *Map) *Graph { return compileWith(m, nil) }

// compileWith is compile with what suppliers disclosed of their own suppliers.
func compileWith(m *Map, told []Told) *Graph {
	g := &Graph{m: m, ours: m}
	if len(told) > 0 {
		g.m, g.told = with(m, told)
	}
	g.number = make([]int32, 0, g.m.things())
	g.name()
	g.link()
	g.wire()
	g.rank()
	g.scratch.New = func() any { return newOutageScratch(g) }
	g.paint.New = func() any { return newSpreadScratch(g) }
	return g
}

// name gives every thing its number.
func (g *Graph) name() {
	m := g.m
	n := m.things() - len(m.Flows)
	g.ids = make([]NodeID, 0, n)
	g.names = make([]string, 0, n)
	g.kinds = make([]uint8, 0, n)
	g.place = make([]int32, 0, n)
	g.index = make(map[NodeID]int32, n)
	add := func(id NodeID, name string, kind uint8, place int) int32 {
		v := int32(len(g.ids))
		g.ids = append(g.ids, id)
		g.names = append(g.names, name)
		g.kinds = append(g.kinds, kind)
		g.place = append(g.place, int32(place))
		g.number = append(g.number, -1)
		g.index[id] = v
		return v
	}
	for i := range m.Organisations {
		add(m.Organisations[i].ID, m.Organisations[i].Name, organisation, i)
	}
	for i := range m.Processes {
		p := &m.Processes[i]
		v := add(p.ID, p.Name, process, i)
		g.number[v] = int32(len(g.processes))
		g.processes = append(g.processes, v)
		for j := range p.Activities {
			add(p.Activities[j].ID, p.Activities[j].Name, activity, i)
		}
	}
	for i := range m.Systems {
		add(m.Systems[i].ID, m.Systems[i].Name, system, i)
	}
	for i := range m.Supplies {
		add(m.Supplies[i].ID, m.Supplies[i].Name, supply, i)
	}
	for i := range m.Products {
		add(m.Products[i].ID, m.Products[i].Name, product, i)
	}
	g.own = g.index[m.Own]
	g.owner = make([]int32, n)
	for v := range g.owner {
		g.owner[v] = g.behind(int32(v))
	}
}

func (g *Graph) behind(v int32) int32 {
	id := g.m.Own
	switch i := g.place[v]; g.kinds[v] {
	case organisation:
		return v
	case system:
		id = g.m.Systems[i].Operator
	case supply:
		id = g.m.Supplies[i].Supplier
	case product:
		id = g.m.Products[i].Supplier
	}
	if id == "" {
		return -1
	}
	return g.index[id]
}

// link writes the needs down, written and implied.
func (g *Graph) link() {
	m := g.m
	add := func(holder int32, why reason, buffer time.Duration, any ...NodeID) {
		g.needs = append(g.needs, need{buffer: buffer, holder: holder, options: int32(len(g.options)), count: int32(len(any))})
		g.reasons = append(g.reasons, why)
		for _, id := range any {
			g.options = append(g.options, g.index[id])
		}
	}
	written := func(holder int32, needs []Need) {
		for _, n := range needs {
			add(holder, reason{writtenDown, n.Note}, n.Buffer, n.Any...)
		}
	}
	implied := func(holder int32, needs []Need, why reasonKind, id NodeID) {
		if id != "" && !names(needs, id) {
			add(holder, reason{kind: why}, 0, id)
		}
	}
	if g.told != nil {
		for i := range m.Organisations {
			for _, n := range g.told.needs[m.Organisations[i].ID] {
				add(int32(i), reason{kind: disclosedNeed}, n.Buffer, n.Any...)
			}
		}
	}
	for i := range m.Processes {
		p := &m.Processes[i]
		v := g.index[p.ID]
		written(v, p.Needs)
		for _, a := range p.Activities {
			add(v, reason{kind: stepOf}, a.Buffer, a.ID)
		}
		for j := range p.Activities {
			written(v+1+int32(j), p.Activities[j].Needs)
		}
	}
	for i := range m.Systems {
		s := &m.Systems[i]
		v := g.index[s.ID]
		written(v, s.Needs)
		implied(v, s.Needs, operatedBy, s.Operator)
		for _, id := range s.Products {
			implied(v, s.Needs, runs, id)
		}
	}
	for i := range m.Supplies {
		s := &m.Supplies[i]
		v := g.index[s.ID]
		written(v, s.Needs)
		implied(v, s.Needs, suppliedBy, s.Supplier)
		for _, id := range s.Products {
			implied(v, s.Needs, delivers, id)
		}
	}
	// Needs were added in the order of their holders.
	g.needAt = make([]int32, len(g.ids)+1)
	g.useAt = make([]int32, len(g.ids)+1)
	for n := range g.needs {
		g.needAt[g.needs[n].holder+1]++
	}
	for _, o := range g.options {
		g.useAt[o+1]++
	}
	for v := range g.ids {
		g.needAt[v+1] += g.needAt[v]
		g.useAt[v+1] += g.useAt[v]
	}
	g.uses = make([]use, len(g.options))
	next := append([]int32(nil), g.useAt...)
	for n := range g.needs {
		need := &g.needs[n]
		u := use{buffer: need.buffer, holder: need.holder, need: int32(n)}
		if need.count > 1 {
			u.need = int32(-1 - n)
		}
		for _, o := range g.alternatives(int32(n)) {
			g.uses[next[o]] = u
			next[o]++
		}
	}
}

func names(needs []Need, id NodeID) bool {
	for _, n := range needs {
		for _, other := range n.Any {
			if other == id {
				return true
			}
		}
	}
	return false
}

func (g *Graph) alternatives(n int32) []int32 {
	at := g.needs[n].options
	return g.options[at : at+g.needs[n].count]
}

// reverse groups pairs by their first part: the values of key v are
// values[at[v]:at[v+1]], in the order of the pairs.
func reverse(keys, pairs int, each iter.Seq2[int32, int32]) (at, values []int32) {
	at = make([]int32, keys+1)
	for k := range each {
		at[k+1]++
	}
	for k := range keys {
		at[k+1] += at[k]
	}
	next := append([]int32(nil), at[:keys]...)
	values = make([]int32, pairs)
	for k, v := range each {
		values[next[k]] = v
		next[k]++
	}
	return at, values
}

// Map gives the map that the graph was made from, without what suppliers disclosed. It
// must not be changed.
func (g *Graph) Map() *Map { return g.ours }

// Size gives the number of things and of needs.
func (g *Graph) Size() (things, needs int) { return len(g.ids), len(g.needs) }

// Node gives one thing by its id.
func (g *Graph) Node(id NodeID) (Node, bool) {
	v, ok := g.index[id]
	if !ok {
		return Node{}, false
	}
	return g.node(v), true
}

// Nodes yields all things in the order of the map: organisations, processes with
// their activities, systems, supplies, products.
func (g *Graph) Nodes() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for v := range g.ids {
			if !yield(g.node(int32(v))) {
				return
			}
		}
	}
}

func (g *Graph) node(v int32) Node {
	n := Node{ID: g.ids[v], Kind: kindNames[g.kinds[v]], Name: g.label(v)}
	if o := g.owner[v]; o >= 0 {
		n.Organisation = g.ids[o]
	}
	return n
}

func (g *Graph) label(v int32) string { return g.names[v] }

// Organisation gives an organisation of the chain by its id.
func (g *Graph) Organisation(id NodeID) (*Organisation, bool) {
	v, ok := g.index[id]
	if !ok || g.kinds[v] != organisation {
		return nil, false
	}
	return &g.m.Organisations[g.place[v]], true
}

// Process gives a process of the chain by its id.
func (g *Graph) Process(id NodeID) (*Process, bool) {
	v, ok := g.index[id]
	if !ok || g.kinds[v] != process {
		return nil, false
	}
	return &g.m.Processes[g.place[v]], true
}

// UsedBy lists the things that name id among their needs, written or implied.
func (g *Graph) UsedBy(id NodeID) []Node {
	v, ok := g.index[id]
	if !ok {
		return nil
	}
	var all []Node
	seen := map[int32]bool{}
	for _, n := range g.usesOf(v) {
		if h := n.holder; !seen[h] {
			seen[h] = true
			all = append(all, g.node(h))
		}
	}
	return all
}

func (g *Graph) usesOf(v int32) []use { return g.uses[g.useAt[v]:g.useAt[v+1]] }

// UnknownRank is the rank of an organisation that no supply and no need connects
// with our own.
const UnknownRank = -1

// Rank gives the distance of an organisation in the chain: 0 is our own, 1 a
// direct supplier, 2 a supplier of one, and so on; [UnknownRank] if nothing
// connects them. Supplies decide; where none leads to an organisation, operating
// a system, making a product or being named by a need counts as a supply would.
func (g *Graph) Rank(id NodeID) int {
	v, ok := g.index[id]
	if !ok || g.kinds[v] != organisation {
		return UnknownRank
	}
	return int(g.ranks[g.place[v]])
}

// rank walks from our own organisation along supplies, and then from everything
// reached along all relations to organisations that no supply leads to.
func (g *Graph) rank() {
	m := g.m
	type relation struct{ from, to int32 } // customer, supplier
	supplies := make([]relation, 0, len(m.Supplies))
	for i := range m.Supplies {
		supplies = append(supplies, relation{g.index[m.Supplies[i].Customer], g.index[m.Supplies[i].Supplier]})
	}
	implied := append([]relation(nil), supplies...)
	for n := range g.needs {
		from := g.owner[g.needs[n].holder]
		for _, o := range g.alternatives(int32(n)) {
			if to := g.owner[o]; from >= 0 && to >= 0 && from != to {
				implied = append(implied, relation{from, to})
			}
		}
	}
	g.ranks = make([]int32, len(m.Organisations))
	for i := range g.ranks {
		g.ranks[i] = UnknownRank
	}
	g.ranks[g.own] = 0
	// Organisations come first in the numbering, so a thing's number is its place.
	walk := func(relations []relation) {
		at, to := reverse(len(g.ranks), len(relations), func(yield func(int32, int32) bool) {
			for _, r := range relations {
				if !yield(r.from, r.to) {
					return
				}
			}
		})
		var levels [][]int32
		put := func(o, r int32) {
			for int(r) >= len(levels) {
				levels = append(levels, nil)
			}
			levels[r] = append(levels[r], o)
		}
		for o, r := range g.ranks {
			if r >= 0 {
				put(int32(o), r)
			}
		}
		for r := 0; r < len(levels); r++ {
			for i := 0; i < len(levels[r]); i++ {
				o := levels[r][i]
				for _, next := range to[at[o]:at[o+1]] {
					if g.ranks[next] == UnknownRank {
						g.ranks[next] = int32(r + 1)
						put(next, int32(r+1))
					}
				}
			}
		}
	}
	walk(supplies)
	walk(implied)
}

// nextEpoch advances the stamp of a scratch space; when it runs over, the stamps
// of older passes are wiped.
func nextEpoch(epoch *uint32, wipe func()) {
	if *epoch == math.MaxUint32 {
		wipe()
		*epoch = 0
	}
	*epoch++
}

// Revision is that of the stored chain from which the graph was made; 0 if it was
// made from a map at hand.
func (g *Graph) Revision() int64 { return g.revision }

// Mapped is the revision at which the organisation's own things last changed; what
// suppliers tell of theirs makes later ones.
func (g *Graph) Mapped() int64 { return g.mapped }
