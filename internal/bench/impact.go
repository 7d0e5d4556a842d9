package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

// impactTarget is p99 of the question "whom does this advisory hit?".
const impactTarget = 5 * time.Millisecond

// impactRounds is how often each advisory is asked for, in as many rounds over all;
// the middle time of each counts, so that a pause of the machine does not.
const impactRounds = 3

// impact measures the main question over HTTP on each engine: every advisory that
// hits, in the order of the list, after the index was loaded.
func (b *bench) impact(ctx context.Context) error {
	for _, engine := range strings.Split(b.engines, ",") {
		n := len(b.stage.down)
		err := b.stage.guarded(func() error { return b.impactOn(ctx, db.Engine(engine)) })
		b.stage.takeDown(n)
		var missing skipped
		if errors.As(err, &missing) {
			b.fact("a", engine, "skipped: "+missing.why)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	return nil
}

// estateOn gives the rooms on a database of the engine: one that is kept, which may
// be filled already, or a new one.
func (b *bench) estateOn(ctx context.Context, engine db.Engine) (*estate, error) {
	var e *estate
	var err error
	if engine == db.Postgres {
		e, err = b.postgresEstate(ctx)
	} else {
		b.large = cmp.Or(b.keep, filepath.Join(b.stage.dir, "large"))
		e, err = openFolder(ctx, b.large)
		if err == nil {
			b.stage.Cleanup(func() {
				if err := e.db.Close(); err != nil {
					b.stage.Errorf("close the database: %v", err)
				}
			})
		}
	}
	if err != nil {
		return nil, err
	}
	there, err := e.identity.Organisations(ctx)
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		fmt.Printf("    %s is filled already\n", e.db.Name())
		return e, nil
	}
	return e, b.fill(ctx, e)
}

// postgresEstate gives the rooms on the PostgreSQL that was named, or on a private one.
func (b *bench) postgresEstate(ctx context.Context) (*estate, error) {
	if b.postgres == "" {
		return open(ctx, dbtest.Postgres(b.stage), b.stage.dir)
	}
	return open(ctx, dbtest.Open(b.stage, db.Config{Postgres: b.postgres}), b.stage.dir)
}

func (b *bench) impactOn(ctx context.Context, engine db.Engine) error {
	e, err := b.estateOn(ctx, engine)
	if err != nil {
		return err
	}
	if e.filled.documents > 0 {
		b.fact("a", string(engine)+": recorded", fmt.Sprintf("%d SBOMs, %d components in %s", e.filled.documents, e.filled.components, durationText(e.filled.record)))
		b.fact("a", string(engine)+": advisories", fmt.Sprintf("%d in %s, matched in %s", e.filled.records, durationText(e.filled.ingest), durationText(e.filled.follow)))
	}
	h, err := e.handler()
	if err != nil {
		return err
	}
	address, stop, err := serve(h)
	if err != nil {
		return err
	}
	defer stop()
	token, err := e.token(ctx, identity.AdvisoryRead, identity.ChainRead, identity.InventoryRead)
	if err != nil {
		return err
	}
	c := &client{address: address, token: token}
	ids, err := hits(ctx, c)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return errors.New("no advisory hits; nothing can be measured")
	}
	path := func(id string) string { return "/api/v1/advisories/" + url.PathEscape(id) + "/impact" }
	first, err := coldStart(ctx, e, path(ids[0]))
	if err != nil {
		return err
	}
	// The first round warms connections, statements and caches, and tells what is
	// asked; the second is measured.
	var size, processes, products int
	for _, id := range ids {
		_, err := c.expect(ctx, "GET", path(id), nil)
		if err != nil {
			return err
		}
		size = max(size, c.body.Len())
		var answer struct {
			Counts struct{ Products, Processes int }
		}
		err = json.Unmarshal(c.body.Bytes(), &answer)
		if err != nil {
			return err
		}
		processes, products = max(processes, answer.Counts.Processes), max(products, answer.Counts.Products)
	}
	b.fact("a", string(engine)+": advisories that hit", fmt.Sprintf("%d; up to %d products, %d processes", len(ids), products, processes))
	b.fact("a", string(engine)+": longest answer", sizeText(int64(size)))
	for _, q := range []struct {
		name, query string
		target      time.Duration
	}{
		{"whom an advisory hits", "", impactTarget},
		{"the same, all processes told", "?processes=10000&products=10000&calls=10000", 0},
	} {
		stopProfile, err := b.profiled(string(engine) + q.query)
		if err != nil {
			return err
		}
		single := make(spread, 0, impactRounds*len(ids))
		each := make([]spread, len(ids))
		for range impactRounds {
			for i, id := range ids {
				one, err := c.expect(ctx, "GET", path(id)+q.query, nil)
				if err != nil {
					return err
				}
				single, each[i] = append(single, one), append(each[i], one)
			}
		}
		stopProfile()
		took := make(spread, len(ids))
		slowest := 0
		for i := range each {
			took[i] = each[i].at(.5)
			if took[i] > took[slowest] {
				slowest = i
			}
		}
		name := string(engine) + ": " + q.name + ", "
		b.below("a", name+"p50", took.at(.5), 0, "")
		b.below("a", name+"p95", took.at(.95), 0, "")
		b.below("a", name+"p99", took.at(.99), q.target, "")
		b.below("a", name+"p99 of all single requests", single.at(.99), 0, "what else runs on the machine counts here")
		b.below("a", name+"slowest", took.at(1), 0, ids[slowest])
	}
	b.below("a", string(engine)+": first answer after a start, index loaded", first, 0, "")
	return nil
}

// hits lists the advisories that hit a product.
func hits(ctx context.Context, c *client) ([]string, error) {
	var ids []string
	for cursor := ""; ; {
		_, err := c.expect(ctx, "GET", "/api/v1/advisories?hits=true&limit=200&cursor="+url.QueryEscape(cursor), nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Items []struct{ ID string }
			Next  string
		}
		err = json.Unmarshal(c.body.Bytes(), &page)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Items {
			ids = append(ids, a.ID)
		}
		if page.Next == "" {
			return ids, nil
		}
		cursor = page.Next
	}
}

// coldStart gives the time of the first answer of rooms that know nothing yet: the
// index is loaded from its stored form and the chain is read.
func coldStart(ctx context.Context, e *estate, path string) (time.Duration, error) {
	err := e.advisory.SaveIndex(ctx, org)
	if err != nil {
		return 0, err
	}
	fresh, err := open(ctx, e.db, os.TempDir())
	if err != nil {
		return 0, err
	}
	h, err := fresh.handler()
	if err != nil {
		return 0, err
	}
	address, stop, err := serve(h)
	if err != nil {
		return 0, err
	}
	defer stop()
	token, err := fresh.token(ctx, identity.AdvisoryRead)
	if err != nil {
		return 0, err
	}
	c := &client{address: address, token: token}
	return c.expect(ctx, "GET", path, nil)
}

// profiled writes a CPU profile until stop is called, where one was asked for.
func (b *bench) profiled(engine string) (stop func(), err error) {
	if b.profile == "" {
		return func() {}, nil
	}
	f, err := os.Create(b.profile + "." + engine)
	if err != nil {
		return nil, err
	}
	err = pprof.StartCPUProfile(f)
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			b.stage.Errorf("the profile: %v", err)
		}
	}, nil
}
