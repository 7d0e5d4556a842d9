package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/api"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/search"
)

// estate is the rooms on one database, with all that a large company keeps in them:
// the chain of landscape, one document per product, and all advisories.
type estate struct {
	db        *db.DB
	identity  *identity.Service
	chain     *chain.Service
	inventory *inventory.Service
	advisory  *advisory.Service
	runner    *journal.Runner
	filled    filling
}

// org is the organisation of the bench.
const org entente.OrgID = "us"

// filling says how long it took to put everything in.
type filling struct {
	documents, components  int
	record, ingest, follow time.Duration
	records                int
}

func system() entente.Actor { return entente.System(org, entente.DoorCommand) }

// open makes the rooms on a database.
func open(ctx context.Context, d *db.DB, temp string) (*estate, error) {
	e := &estate{db: d}
	var err error
	e.identity, err = identity.New(ctx, d, identity.Config{Cost: identity.PasswordCost{Memory: 128, Passes: 1, Threads: 1}})
	if err != nil {
		return nil, err
	}
	e.chain = chain.New(d)
	e.inventory = inventory.New(d, inventory.Options{Temp: temp})
	e.advisory = advisory.New(d, e.chain, advisory.Options{})
	e.runner = journal.NewRunner(d, slog.New(slog.DiscardHandler), e.advisory.Consumers(), e.advisory.Jobs())
	return e, nil
}

// openFolder makes the rooms on the SQLite file of a node's folder.
func openFolder(ctx context.Context, folder string) (*estate, error) {
	err := os.MkdirAll(folder, 0o700)
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, db.Config{SQLite: filepath.Join(folder, "entente.db"), NoSync: true})
	if err != nil {
		return nil, err
	}
	return open(ctx, d, folder)
}

// found sets the organisation up.
func (e *estate) found(ctx context.Context) error {
	_, err := e.identity.CreateOrganisation(ctx, identity.NewOrganisation{ID: org, Name: "Bench Ltd", Owner: identity.NewPerson{
		Name: "Owner", Email: "owner@bench.example", Password: "a password of the bench",
	}})
	return err
}

// fill puts everything in, through the same services that serve an upload.
func (b *bench) fill(ctx context.Context, e *estate) error {
	f, err := b.theFleet()
	if err != nil {
		return err
	}
	err = e.found(ctx)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(b.seed, 1))
	_, err = e.chain.Import(ctx, system(), landscape(rng, b.suppliers, b.processes, b.sboms))
	if err != nil {
		return err
	}
	began := time.Now()
	var text bytes.Buffer
	parts := make([]coordinates, len(f.purls))
	for i, p := range f.purls {
		parts[i] = coordinatesOf(p)
	}
	components := make([]coordinates, 0, b.components)
	for i := range b.sboms {
		components = components[:0]
		for _, p := range f.draw(rng, b.components) {
			components = append(components, parts[p])
		}
		text.Reset()
		err := writeCycloneDX(&text, fmt.Sprintf("Product %d", i), components)
		if err != nil {
			return err
		}
		doc, _, err := e.inventory.Record(ctx, system(), id("product", i), fmt.Sprintf("product-%d.cdx.json", i), &text)
		if err != nil {
			return err
		}
		e.filled.documents++
		if e.filled.documents%(b.sboms/4+1) == 0 {
			fmt.Printf("    %d of %d SBOMs recorded after %s\n", e.filled.documents, b.sboms, durationText(time.Since(began)))
		}
		e.filled.components += doc.Components
	}
	e.filled.record = time.Since(began)
	began = time.Now()
	report, err := e.advisory.Ingest(ctx, system(), advisory.FromPath(f.advisories), advisory.IngestOptions{})
	if err != nil {
		return err
	}
	e.filled.records = report.New
	e.filled.ingest = time.Since(began)
	began = time.Now()
	err = e.runner.CatchUp(ctx, org)
	e.filled.follow = time.Since(began)
	return err
}

// handler serves the estate's API.
func (e *estate) handler() (http.Handler, error) {
	return api.New(api.Config{
		DB: e.db, Auth: e.identity, Version: "bench", Log: slog.New(slog.DiscardHandler),
		Rooms: api.Rooms{Identity: e.identity, Chain: e.chain, Inventory: e.inventory, Advisory: e.advisory, Search: search.New(e.chain, e.inventory, e.advisory, e.identity)},
	})
}

// token makes an API token of the owner for the verbs given.
func (e *estate) token(ctx context.Context, verbs ...identity.Verb) (string, error) {
	return tokenOf(ctx, e.identity, org, verbs...)
}

// tokenOf makes an API token of the first member of an organisation.
func tokenOf(ctx context.Context, people *identity.Service, org entente.OrgID, verbs ...identity.Verb) (string, error) {
	members, err := people.Members(ctx, entente.System(org, entente.DoorCommand))
	if err != nil {
		return "", err
	}
	actor, err := people.Actor(ctx, members[0].Person.ID, org, entente.DoorPage)
	if err != nil {
		return "", err
	}
	text, _, err := people.CreateToken(ctx, actor, identity.NewToken{Name: "bench", Verbs: verbs})
	return text, err
}
