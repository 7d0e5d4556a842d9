package journal

import (
	"context"
	"sync"

	"github.com/entente-project/entente"
)

// agenda is the list of organisations to look at. An organisation is on it once.
// With exclusive set, it is not handed out again while somebody works on it.
type agenda struct {
	exclusive bool

	mu      sync.Mutex
	cond    *sync.Cond
	waiting []entente.OrgID
	listed  map[entente.OrgID]bool
	busy    map[entente.OrgID]bool
	again   map[entente.OrgID]bool // added while busy
}

func newAgenda(exclusive bool) *agenda {
	a := &agenda{
		exclusive: exclusive,
		listed:    map[entente.OrgID]bool{}, busy: map[entente.OrgID]bool{}, again: map[entente.OrgID]bool{},
	}
	a.cond = sync.NewCond(&a.mu)
	return a
}

// add puts an organisation at the end of the list.
func (a *agenda) add(org entente.OrgID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.exclusive && a.busy[org]:
		a.again[org] = true
	case !a.listed[org]:
		a.listed[org] = true
		a.waiting = append(a.waiting, org)
		a.cond.Signal()
	}
}

// next waits for an organisation to look at; it gives false when ctx ends.
func (a *agenda) next(ctx context.Context) (entente.OrgID, bool) {
	stop := context.AfterFunc(ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.cond.Broadcast()
	})
	defer stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.waiting) == 0 && ctx.Err() == nil {
		a.cond.Wait()
	}
	if ctx.Err() != nil {
		return "", false
	}
	org := a.waiting[0]
	a.waiting = a.waiting[1:]
	delete(a.listed, org)
	if a.exclusive {
		a.busy[org] = true
	}
	return org, true
}

// done says that the work on an organisation of an exclusive agenda has ended.
func (a *agenda) done(org entente.OrgID) {
	a.mu.Lock()
	again := a.again[org]
	delete(a.again, org)
	delete(a.busy, org)
	a.mu.Unlock()
	if again {
		a.add(org)
	}
}
