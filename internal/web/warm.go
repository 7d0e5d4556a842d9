package web

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// mostWarmed is how many organisations are made ready when a node starts; the
// others are at their first visit.
const mostWarmed = 8

// Pages is the handler of all pages.
type Pages struct {
	http.Handler
	server *server
}

// End ends what open pages listen to, so that a server can stop. Call it before the
// server is shut down.
func (p *Pages) End() { p.server.streams.end() }

// Run works out ahead what the first visit of a large chain would have to wait for:
// at the start, and after each change by this process, one organisation at a time,
// until ctx ends. The pages do not need it: they work out by themselves
// what is not ready.
func (p *Pages) Run(ctx context.Context) error {
	s := p.server
	changed := make(chan entente.OrgID, 64)
	stop := s.DB.Watch(func(org entente.OrgID, _ db.News) {
		select {
		case changed <- org:
		default:
		}
	})
	defer stop()
	organisations, err := s.Identity.Organisations(ctx)
	if err != nil {
		return err
	}
	ready := map[entente.OrgID]int64{} // the revision of the chain
	for _, o := range organisations[:min(len(organisations), mostWarmed)] {
		s.warm(ctx, o.ID, ready)
	}
	// Starting and warming leave much behind that is never needed again.
	debug.FreeOSMemory()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case org := <-changed:
			s.warm(ctx, org, ready)
		}
	}
}

func (s *server) warm(ctx context.Context, org entente.OrgID, ready map[entente.OrgID]int64) {
	actor := entente.System(org, entente.DoorWorker)
	revision, err := s.Chain.Revision(ctx, actor)
	if made, known := ready[org]; err == nil && (!known || made != revision) {
		ready[org] = revision
		// With the graph, which they are made of.
		_, err = s.supplierRows(ctx, actor)
	}
	if err == nil && s.overviews.wanted(org) {
		_, err = s.risksOf(ctx, actor)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		s.Log.Warn("a chain could not be made ready ahead of the next visit", "organisation", org, "error", err)
	}
}
