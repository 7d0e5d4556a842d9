package web

import (
	"context"
	"slices"
	"sync"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// Bounds of what is worked out for the overviews.
const (
	mostRisks     = 100 // advisories, the gravest first
	waysKept      = 20  // ways of one advisory
	overviewsKept = 64  // organisations
)

// risks is which processes the advisories that hit us reach: the gravest advisories
// first.
type risks struct {
	hits      []riskHit
	byProcess map[chain.NodeID][]int // places in hits
	total     int                    // of advisories that hit us; more than len(hits) if there are too many
}

// riskHit is one advisory that hits us.
type riskHit struct {
	advisory.Listed
	reached   int                      // processes
	processes []advisory.ProcessImpact // with their ways, the surest first
}

// overviews keeps the risks of organisations until something happens in the rooms that
// they are worked out from.
type overviews struct {
	mu     sync.Mutex
	known  map[entente.OrgID]overview
	making map[entente.OrgID]chan struct{} // closed once it is done
}

// enter lets one caller at a time work out the risks of an organisation.
func (o *overviews) enter(ctx context.Context, org entente.OrgID) (leave func(), err error) {
	for {
		o.mu.Lock()
		busy, ok := o.making[org]
		if !ok {
			if o.making == nil {
				o.making = map[entente.OrgID]chan struct{}{}
			}
			done := make(chan struct{})
			o.making[org] = done
			o.mu.Unlock()
			return func() {
				o.mu.Lock()
				delete(o.making, org)
				o.mu.Unlock()
				close(done)
			}, nil
		}
		o.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

type overview struct {
	head  int64 // the last event of those rooms
	used  time.Time
	risks *risks
	// looked says that somebody has seen them: then they are made ready again.
	looked bool
}

// look notes that somebody sees the risks of an organisation.
func (o *overviews) look(org entente.OrgID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known, ok := o.known[org]; ok {
		known.looked = true
		o.known[org] = known
	}
}

// wanted says once whether somebody has seen the risks since they were made, so that
// nothing is made ready again and again that nobody looks at.
func (o *overviews) wanted(org entente.OrgID) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	known, ok := o.known[org]
	if !ok || !known.looked {
		return false
	}
	known.looked = false
	o.known[org] = known
	return true
}

func (o *overviews) get(org entente.OrgID, head int64) *risks {
	o.mu.Lock()
	defer o.mu.Unlock()
	known, ok := o.known[org]
	if !ok || known.head != head {
		return nil
	}
	known.used = time.Now()
	o.known[org] = known
	return known.risks
}

func (o *overviews) put(org entente.OrgID, head int64, r *risks) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.known = map[entente.OrgID]overview{}
	}
	o.known[org] = overview{head: head, used: time.Now(), risks: r}
	for len(o.known) > overviewsKept {
		oldest, at := entente.OrgID(""), time.Time{}
		for id, one := range o.known {
			if oldest == "" || one.used.Before(at) {
				oldest, at = id, one.used
			}
		}
		delete(o.known, oldest)
	}
}

// risks gives the risks of the visited organisation, as far as the visitor may see
// advisories.
func (v *visit) risks() (*risks, error) {
	if !v.may(identity.AdvisoryRead) {
		return &risks{}, nil
	}
	r, err := v.risksOf(v.r.Context(), v.actor)
	v.overviews.look(v.actor.Org)
	return r, err
}

// risksOf gives the risks of the actor's organisation. Whoever asks while they are
// worked out waits for that.
func (s *server) risksOf(ctx context.Context, actor entente.Actor) (*risks, error) {
	head, err := s.headOf(ctx, actor.Org, fromChain, fromInventory, fromAdvisories)
	if err != nil {
		return nil, err
	}
	if known := s.overviews.get(actor.Org, head); known != nil {
		return known, nil
	}
	leave, err := s.overviews.enter(ctx, actor.Org)
	if err != nil {
		return nil, err
	}
	defer leave()
	if known := s.overviews.get(actor.Org, head); known != nil {
		return known, nil
	}
	r, err := s.assess(ctx, actor)
	if err != nil {
		return nil, err
	}
	s.overviews.put(actor.Org, head, r)
	return r, nil
}

func (s *server) assess(ctx context.Context, actor entente.Actor) (*risks, error) {
	found, total, err := s.Advisory.List(ctx, actor, advisory.Query{Hits: true, Order: advisory.BySeverity, Limit: mostRisks})
	if err != nil {
		return nil, err
	}
	r := &risks{total: total, byProcess: map[chain.NodeID][]int{}}
	for i, one := range found {
		impact, err := s.Advisory.ImpactOf(ctx, actor, one.ID, advisory.ImpactOptions{Products: 1, Processes: -1, Calls: 1})
		if err != nil {
			return nil, err
		}
		hit := riskHit{Listed: one, reached: impact.Counts.Processes}
		for _, p := range impact.Processes {
			if len(p.Way) == 0 {
				continue // it only stops when something is switched off
			}
			r.byProcess[p.ID] = append(r.byProcess[p.ID], i)
			if len(hit.processes) < waysKept {
				hit.processes = append(hit.processes, p)
			}
		}
		r.hits = append(r.hits, hit)
	}
	return r, nil
}

// of counts the advisories that reach a process.
func (r *risks) of(process chain.NodeID) int { return len(r.byProcess[process]) }

// cell tells how many advisories reach a process, and how grave the worst is.
func (r *risks) cell(v *visit, process chain.NodeID) ui.Cell {
	places := r.byProcess[process]
	if len(places) == 0 {
		return plainCell(v.T("none"))
	}
	worst := v.severityBadge(r.hits[places[0]].Severity)
	return ui.Cell{
		Text: v.N(len(places), "%d advisory", "%d advisories"), Href: v.in("processes", string(process)) + "#advisories",
		Note: v.T("the gravest: %s", worst.Text),
	}
}

// hitsOf tells the advisories that reach one process, each by its way there.
func (r *risks) hitsOf(p *picture, process chain.NodeID) []homeHitView {
	var views []homeHitView
	for _, i := range r.byProcess[process] {
		views = append(views, r.hits[i].view(p, process))
	}
	return views
}

const waysOnHome = 2

// view tells one advisory with its ways: to one process, or to the first ones.
func (h *riskHit) view(p *picture, process chain.NodeID) homeHitView {
	view := homeHitView{
		Severity: p.v.severityBadge(h.Severity), Title: ui.Link{Text: advisoryTitle(&h.Brief), Href: p.v.advisoryPath(h.ID)}, When: h.Modified,
	}
	reached := h.reached
	for i := range h.processes {
		one := &h.processes[i]
		if process != "" && one.ID != process || process == "" && len(view.Ways) == waysOnHome {
			continue
		}
		view.Ways = append(view.Ways, p.wayHops(one.Way))
		if process != "" {
			view.Text = h.because(p.v, one) + " " + p.v.T("That it reaches this process is %s.", p.v.sureBadge(one.Sure).Text)
		} else if view.Text == "" {
			view.Text = h.because(p.v, one)
		}
	}
	switch {
	case process != "":
	case reached == 0:
		view.Text = p.v.N(h.Products, "%[2]s hits %[1]d product, but reaches no process by any way in the map.", "%[2]s hits %[1]d products, but reaches no process by any way in the map.", h.Products, p.v.advisoryNames(&h.Brief))
	case reached > len(view.Ways):
		view.More = p.v.N(reached-len(view.Ways), "It reaches %d more process.", "It reaches %d more processes.")
	}
	return view
}

// because tells what is wrong, with the names of the advisory that people know.
func (h *riskHit) because(v *visit, p *advisory.ProcessImpact) string {
	because := p.Because
	if len(because.Args) > 0 && because.Args[0] == any(h.ID) {
		because.Args = slices.Clone(because.Args)
		because.Args[0] = v.advisoryNames(&h.Brief)
	}
	return v.T("%s.", because)
}
