package partner

import (
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
)

// mostGathered is about how many suppliers' facts are kept in memory, over all
// organisations.
const mostGathered = 50_000

// assessed is what the chain tells of a supplier, with the tier that follows from
// it alone.
type assessed struct {
	Gathered
	assessment Assessment
}

func (t gatherer) assessed(supplier chain.NodeID) assessed {
	of := t.of(supplier)
	return assessed{of, Assess(of.Facts, of.Circumstances)}
}

// gatheredChains keeps what was gathered from chains until they change.
type gatheredChains struct {
	mu    sync.Mutex
	chain map[entente.OrgID]gatheredChain
}

type gatheredChain struct {
	revision int64
	used     time.Time
	of       map[chain.NodeID]assessed // suppliers of rank 1; never changed
}

// gathered gives what the chain tells of every supplier of rank 1.
func (s *Service) gathered(org entente.OrgID, g *chain.Graph) map[chain.NodeID]assessed {
	k := &s.memory
	k.mu.Lock()
	known, ok := k.chain[org]
	k.mu.Unlock()
	if !ok || known.revision != g.Revision() {
		known = gatheredChain{revision: g.Revision(), of: map[chain.NodeID]assessed{}}
		t := newGatherer(g)
		for i := range t.m.Organisations {
			if id := t.m.Organisations[i].ID; g.Rank(id) == 1 {
				known.of[id] = t.assessed(id)
			}
		}
	}
	known.used = time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.chain == nil {
		k.chain = map[entente.OrgID]gatheredChain{}
	}
	k.chain[org] = known
	k.shrink()
	return known.of
}

// shrink forgets the chains that were not asked about for longest.
func (k *gatheredChains) shrink() {
	total := 0
	for _, c := range k.chain {
		total += len(c.of)
	}
	for total > mostGathered && len(k.chain) > 1 {
		oldest := entente.OrgID("")
		for org, c := range k.chain {
			if oldest == "" || c.used.Before(k.chain[oldest].used) {
				oldest = org
			}
		}
		total -= len(k.chain[oldest].of)
		delete(k.chain, oldest)
	}
}
