package chain

import (
	linked "container/list"
	"context"
	"sync"

	"github.com/entente-project/entente"
)

// graphsWeight bounds the graphs that a node keeps in memory, in things and needs:
// about 200 MB, or a thousand chains of ordinary size.
const graphsWeight = 1_000_000

// graphs keeps the compiled chains that were asked for last.
type graphs struct {
	mu      sync.Mutex
	limit   int
	weight  int
	order   *linked.List // of *kept, the latest used first
	byOrg   map[entente.OrgID]*linked.Element
	loading map[entente.OrgID]chan struct{}
}

type kept struct {
	org    entente.OrgID
	graph  *Graph
	weight int
}

func newGraphs(limit int) *graphs {
	return &graphs{
		limit: limit, order: linked.New(),
		byOrg: map[entente.OrgID]*linked.Element{}, loading: map[entente.OrgID]chan struct{}{},
	}
}

// get gives the organisation's graph if it is that of the revision.
func (c *graphs) get(org entente.OrgID, revision int64) *Graph {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byOrg[org]
	if !ok || e.Value.(*kept).graph.revision != revision {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept).graph
}

// put keeps a graph and drops those used longest ago, until the rest fits; the new
// one stays even if it alone does not. An older one never replaces a newer.
func (c *graphs) put(org entente.OrgID, g *Graph) {
	things, needs := g.Size()
	k := &kept{org, g, 1 + things + needs}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byOrg[org]; ok {
		if e.Value.(*kept).graph.revision > g.revision {
			return
		}
		c.drop(e)
	}
	c.byOrg[org] = c.order.PushFront(k)
	c.weight += k.weight
	for c.weight > c.limit && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *graphs) drop(e *linked.Element) {
	k := c.order.Remove(e).(*kept)
	delete(c.byOrg, k.org)
	c.weight -= k.weight
}

// enter lets one caller at a time load the graph of an organisation, so that many
// questions after a change load it once.
func (c *graphs) enter(ctx context.Context, org entente.OrgID) (leave func(), err error) {
	for {
		c.mu.Lock()
		busy, ok := c.loading[org]
		if !ok {
			done := make(chan struct{})
			c.loading[org] = done
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.loading, org)
				c.mu.Unlock()
				close(done)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
