package search

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

// mostEntries is about how many names of chains are kept in memory, over all
// organisations; the chain that was asked for last always stays.
const mostEntries = 400_000

// names keeps the names of the chains that were searched last.
type names struct {
	mu    sync.Mutex
	known map[entente.OrgID]*namesOf
}

// namesOf is the names of one chain, never changed once made.
type namesOf struct {
	graph *chain.Graph
	byKin map[Kind][]entry
	size  int
	used  time.Time
}

func (n *names) of(org entente.OrgID, g *chain.Graph) *namesOf {
	n.mu.Lock()
	known := n.known[org]
	if known != nil && known.graph == g {
		known.used = time.Now()
		n.mu.Unlock()
		return known
	}
	n.mu.Unlock()
	made := gather(g)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[entente.OrgID]*namesOf{}
	}
	made.used = time.Now()
	n.known[org] = made
	total := 0
	for _, one := range n.known {
		total += one.size
	}
	for total > mostEntries && len(n.known) > 1 {
		var oldest entente.OrgID
		for id, one := range n.known {
			if id != org && (oldest == "" || one.used.Before(n.known[oldest].used)) {
				oldest = id
			}
		}
		total -= n.known[oldest].size
		delete(n.known, oldest)
	}
	return made
}

// gather collects what things of a chain are found by.
func gather(g *chain.Graph) *namesOf {
	m := g.Map()
	n := &namesOf{graph: g, byKin: map[Kind][]entry{}}
	name := func(id chain.NodeID) string {
		if node, ok := g.Node(id); ok {
			return node.Name
		}
		return string(id)
	}
	add := func(h Hit, others ...string) {
		n.byKin[h.Kind] = append(n.byKin[h.Kind], newEntry(h, others...))
		n.size++
	}
	for i := range m.Processes {
		p := &m.Processes[i]
		add(Hit{Kind: Process, ID: string(p.ID), Name: p.Name, Note: entente.Say("%s", p.Owner)}, p.Owner)
		for j := range p.Activities {
			a := &p.Activities[j]
			add(Hit{Kind: Activity, ID: string(a.ID), Name: a.Name, Of: string(p.ID), Note: entente.Say("of %s", p.Name)})
		}
	}
	for i := range m.Systems {
		y := &m.Systems[i]
		h := Hit{Kind: System, ID: string(y.ID), Name: y.Name}
		if y.Operator != "" {
			h.Note = entente.Say("run by %s", name(y.Operator))
		}
		add(h)
	}
	for i := range m.Organisations {
		o := &m.Organisations[i]
		if o.ID != m.Own {
			add(Hit{Kind: Supplier, ID: string(o.ID), Name: o.Name, Note: entente.Say("%s", o.Category)}, append(o.Domains, o.LEI, o.Category)...)
		}
	}
	for i := range m.Supplies {
		y := &m.Supplies[i]
		add(Hit{Kind: Supply, ID: string(y.ID), Name: y.Name, Of: string(y.Supplier), Note: entente.Say("from %s to %s", name(y.Supplier), name(y.Customer))}, y.Category)
	}
	for i := range m.Products {
		p := &m.Products[i]
		h := Hit{Kind: Product, ID: string(p.ID), Name: p.Name}
		if p.Supplier != "" {
			h.Note = entente.Say("from %s", name(p.Supplier))
		}
		add(h, p.Version)
	}
	for i := range m.Flows {
		f := &m.Flows[i]
		add(Hit{
			Kind: Flow, ID: string(f.ID), Name: cmp.Or(strings.Join(f.Data, ", "), f.Interface, string(f.ID)),
			Note: entente.Say("from %s to %s", name(f.From), name(f.To)),
		}, f.Interface, f.Protocol)
	}
	for _, all := range n.byKin {
		sortEntries(all)
	}
	return n
}

// inChain finds what the chain knows. The room hands the chain out as a whole, to
// those who may read all of it.
func (f *finder) inChain(ctx context.Context) error {
	kinds := []Kind{Process, Activity, System, Supplier, Supply, Product, Flow}
	if !f.wants(kinds...) || !f.everything(identity.ChainRead) {
		return nil
	}
	g, err := f.chain.Graph(ctx, f.actor)
	if err != nil {
		return err
	}
	all := f.names.of(f.actor.Org, g)
	for _, k := range kinds {
		if !f.wants(k) || k == Product && !f.everything(identity.InventoryRead) {
			continue
		}
		hits, more := match(all.byKin[k], f.words, f.q.Limit)
		f.add(hits, more)
	}
	return nil
}
