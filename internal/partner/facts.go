package partner

import (
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
)

// Gathered is what the chain tells of one supplier.
type Gathered struct {
	Facts         map[Criterion]Fact
	Circumstances Circumstances
	Spend         int64 // a year, in the map's currency; it informs and never counts
}

// gatherer looks at one chain again and again, a supplier at a time.
type gatherer struct {
	g   *chain.Graph
	m   *chain.Map
	own chain.NodeID

	supplies map[chain.NodeID][]*chain.Supply  // to us, by supplier
	products map[chain.NodeID][]*chain.Product // by supplier
	runs     map[chain.NodeID]string           // names of our systems, by a product that they run
	flowing  map[chain.NodeID][]*chain.Flow    // between us and another, by the other
	stops    map[chain.NodeID]bool             // whose legal entity stops a process
	all      bool                              // stops is about all organisations
}

func newGatherer(g *chain.Graph) gatherer {
	m := g.Map()
	t := gatherer{
		g: g, m: m, own: m.Own,
		supplies: map[chain.NodeID][]*chain.Supply{}, products: map[chain.NodeID][]*chain.Product{},
		runs: map[chain.NodeID]string{}, flowing: map[chain.NodeID][]*chain.Flow{}, stops: map[chain.NodeID]bool{},
	}
	for i := range m.Supplies {
		if s := &m.Supplies[i]; s.Customer == t.own {
			t.supplies[s.Supplier] = append(t.supplies[s.Supplier], s)
		}
	}
	for i := range m.Products {
		p := &m.Products[i]
		t.products[p.Supplier] = append(t.products[p.Supplier], p)
	}
	for i := range m.Systems {
		s := &m.Systems[i]
		if s.Operator != t.own {
			continue
		}
		for _, p := range s.Products {
			if t.runs[p] == "" {
				t.runs[p] = s.Name
			}
		}
	}
	for i := range m.Flows {
		f := &m.Flows[i]
		from, to := t.behind(f.From), t.behind(f.To)
		switch {
		case from == to:
		case from == t.own:
			t.flowing[to] = append(t.flowing[to], f)
		case to == t.own:
			t.flowing[from] = append(t.flowing[from], f)
		}
	}
	c := g.Concentration()
	t.all = c.Unexamined == 0 && c.MoreDependences == 0
	for _, d := range c.Dependences {
		for _, o := range d.Organisations {
			t.stops[o] = true
		}
	}
	return t
}

// of gathers the facts about one supplier. What the chain cannot tell stays unknown.
func (t gatherer) of(supplier chain.NodeID) Gathered {
	out := Gathered{Facts: map[Criterion]Fact{}}
	say := func(c Criterion, value int, text entente.Text, args ...any) {
		if old, ok := out.Facts[c]; ok && old.Value >= value {
			return
		}
		out.Facts[c] = Fact{Known: true, Computed: true, Value: value, Reason: entente.Say(text, args...)}
	}
	supplies := t.supplies[supplier]
	goodsOnly := len(supplies) > 0
	for _, s := range supplies {
		out.Spend += s.Spend
		goodsOnly = goodsOnly && s.Nature == chain.NatureGoods
		for _, a := range s.Access {
			say(LogicalAccess, accessValue(a.Level), "%s access to %s through %s", a.Level, t.name(a.System), s.Name)
		}
	}
	for _, p := range t.products[supplier] {
		if system, runs := t.runs[p.ID]; runs {
			say(LogicalAccess, 3, "%s runs on our %s: its updates are a way in", p.Name, system)
		}
	}
	say(LogicalAccess, 0, "the chain names no access of this supplier to a system of ours")

	t.flows(supplier, &out, say)
	if goodsOnly {
		say(DataAccess, 0, "it delivers goods only, and no data flows to it")
		say(Connectivity, 0, "it delivers goods only, and no data flows to it")
	}
	t.processes(supplier, &out, say)
	if out.Circumstances.Personal {
		say(Regulation, 2, "personal data flows to it")
	}
	return out
}

func accessValue(l chain.AccessLevel) int {
	switch l {
	case chain.AccessPrivileged:
		return 3
	case chain.AccessWrite:
		return 2
	}
	return 1
}

// flows reads what data reaches the supplier, and over which interfaces.
func (t gatherer) flows(supplier chain.NodeID, out *Gathered, say func(Criterion, int, entente.Text, ...any)) {
	for _, f := range t.flowing[supplier] {
		say(Connectivity, interfaceValue(f.Interface+" "+f.Protocol), "%s between %s and %s", strings.TrimSpace(f.Interface+" "+f.Protocol), t.name(f.From), t.name(f.To))
		if t.behind(f.To) != supplier {
			continue
		}
		say(DataAccess, classValue(f.Class), "%s data flows to it: %s", f.Class.Noun(), strings.Join(f.Data, ", "))
		out.Circumstances.Personal = out.Circumstances.Personal || f.Class == chain.ClassPersonal
	}
}

func classValue(c chain.Class) int {
	switch c {
	case chain.ClassSecret:
		return 3
	case chain.ClassPersonal, chain.ClassConfidential:
		return 2
	case chain.ClassInternal:
		return 1
	}
	return 0
}

// interfaceValue reads from the words people use how closely two systems are tied.
func interfaceValue(words string) int {
	words = strings.ToLower(words)
	for _, known := range []struct {
		value int
		marks []string
	}{
		{3, []string{"sso", "single sign-on", "saml", "site-to-site", "agent", "federation"}},
		{1, []string{"sftp", "ftp", "file", "csv", "mail", "edi", "upload", "drop"}},
	} {
		for _, mark := range known.marks {
			if strings.Contains(words, mark) {
				return known.value
			}
		}
	}
	return 2
}

// processes reads which processes rely on the supplier, and which stop with it.
func (t gatherer) processes(supplier chain.NodeID, out *Gathered, say func(Criterion, int, entente.Text, ...any)) {
	var relying []*chain.Process
	others := map[chain.NodeID]bool{}
	seen := map[chain.NodeID]bool{supplier: true}
	open := []chain.NodeID{supplier}
	for len(open) > 0 {
		id := open[0]
		open = open[1:]
		for _, user := range t.g.UsedBy(id) {
			if seen[user.ID] {
				continue
			}
			seen[user.ID] = true
			if p, ok := t.g.Process(user.ID); ok {
				relying = append(relying, p)
				continue // what other processes need of this one is theirs to say
			}
			if o := user.Organisation; o != "" && o != supplier && o != t.own {
				others[o] = true
			}
			open = append(open, user.ID)
		}
	}
	slices.SortFunc(relying, func(a, b *chain.Process) int { return strings.Compare(string(a.ID), string(b.ID)) })
	say(ProcessCriticality, 0, "no process of ours relies on it")
	critical := 0
	for _, p := range relying {
		mtpd := p.BIA.MTPD
		switch {
		case mtpd > 0 && mtpd <= 24*time.Hour:
			say(ProcessCriticality, 3, "%s relies on it and tolerates %s", p.Name, chain.SayDuration(mtpd))
		case mtpd > 0 && mtpd <= 7*24*time.Hour:
			say(ProcessCriticality, 2, "%s relies on it and tolerates %s", p.Name, chain.SayDuration(mtpd))
		default:
			say(ProcessCriticality, 1, "%s relies on it", p.Name)
		}
		if p.BIA.Criticality == chain.Critical {
			critical++
		}
	}
	switch {
	case len(others) > 0:
		var names []string
		for o := range others {
			names = append(names, t.name(o))
		}
		slices.Sort(names)
		say(Concentration, 3, "it also stands behind %s", strings.Join(names, ", "))
	case critical > 1:
		say(Concentration, 2, "%d critical processes rely on it", critical)
	case len(relying) > 1:
		say(Concentration, 1, "%d processes rely on it", len(relying))
	default:
		say(Concentration, 0, "at most one process relies on it")
	}
	var stopped []chain.ProcessOutage
	if t.stops[supplier] || !t.all { // else the simulation of its legal entity has told already
		stopped = t.g.Outage([]chain.NodeID{supplier}, chain.OutageOptions{}).Processes
	}
	if len(stopped) == 0 {
		say(Substitutability, 0, "no process stops without it: what it delivers has an alternative today")
	}
	for _, p := range stopped {
		if process, ok := t.g.Process(p.ID); ok && process.BIA.MTPD > 0 {
			if m := out.Circumstances.MTPD; m == 0 || process.BIA.MTPD < m {
				out.Circumstances.MTPD = process.BIA.MTPD
			}
		}
	}
}

// behind gives the organisation that stands behind a thing.
func (t gatherer) behind(id chain.NodeID) chain.NodeID {
	n, ok := t.g.Node(id)
	if !ok {
		return ""
	}
	if n.Kind == chain.KindOrganisation {
		return n.ID
	}
	return n.Organisation
}

func (t gatherer) name(id chain.NodeID) string {
	if n, ok := t.g.Node(id); ok {
		return n.Name
	}
	return string(id)
}
