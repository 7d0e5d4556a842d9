package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

const largeDocument = 50 << 20

// ingest measures what it costs the real program to take in one very large document
// of each format over HTTP, from the first byte until it is recorded.
func (b *bench) ingest(ctx context.Context) error {
	f, err := b.theFleet()
	if err != nil {
		return err
	}
	part := func(i int) coordinates { return coordinatesOf(f.purls[i%len(f.purls)]) }
	for _, d := range []struct {
		name  string
		write func(io.Writer, int64, func(int) coordinates) (int, error)
	}{{"CycloneDX", writeLargeCycloneDX}, {"SPDX", writeLargeSPDX}} {
		file := filepath.Join(b.stage.dir, "large-document")
		components, size, err := writeFile(file, func(w io.Writer) (int, error) { return d.write(w, largeDocument, part) })
		if err != nil {
			return err
		}
		cost, err := b.ingestOne(ctx, file, filepath.Join(b.stage.dir, "ingest-"+d.name))
		if err != nil {
			return err
		}
		what := fmt.Sprintf("%s of %s with %d components", d.name, sizeText(size), components)
		b.fact("c", what+": time, processor time", fmt.Sprintf("%s, %.1f s", durationText(cost.took), cost.cpu))
		b.within("c", what+": memory above idle", cost.peak-cost.idle, 64<<20, fmt.Sprintf("idle %s, peak %s", sizeText(cost.idle), sizeText(cost.peak)))
	}
	return nil
}

// costs is what one upload cost the program.
type costs struct {
	took       time.Duration
	cpu        float64
	idle, peak int64
}

// ingestOne uploads a file to a program that was just started.
func (b *bench) ingestOne(ctx context.Context, file, folder string) (c costs, err error) {
	token, err := smallNode(ctx, folder)
	if err != nil {
		return c, err
	}
	s, err := serveFolder(ctx, b.entente, folder)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	c.idle, err = s.idle(ctx)
	if err != nil {
		return c, err
	}
	err = s.forgetPeak()
	if err != nil {
		return c, err
	}
	before, err := s.cpu()
	if err != nil {
		return c, err
	}
	body, err := os.Open(file)
	if err != nil {
		return c, err
	}
	ask := client{address: s.address, token: token}
	c.took, err = ask.expect(ctx, "POST", "/api/v1/products/portal/sboms?file=large", body)
	if err != nil {
		return c, err
	}
	c.peak = s.peak()
	after, err := s.cpu()
	c.cpu = after - before
	return c, err
}

// smallNode makes a node with one organisation, a chain of a few things and a token
// that may upload.
func smallNode(ctx context.Context, folder string) (token string, err error) {
	e, err := openFolder(ctx, folder)
	if err != nil {
		return "", err
	}
	defer func() {
		if cerr := e.db.Close(); err == nil {
			err = cerr
		}
	}()
	err = e.found(ctx)
	if err != nil {
		return "", err
	}
	m := &chain.Map{
		Own: "us", Currency: "EUR", Organisations: []chain.Organisation{{ID: "us", Name: "Bench Ltd"}, {ID: "supplier", Name: "Supplier"}},
		Products: []chain.Product{{ID: "portal", Name: "Portal", Supplier: "supplier"}},
	}
	_, err = e.chain.Import(ctx, system(), m)
	if err != nil {
		return "", err
	}
	return e.token(ctx, identity.InventoryUpload, identity.InventoryRead)
}

func writeFile(name string, write func(io.Writer) (int, error)) (n int, size int64, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, 0, err
	}
	n, err = write(f)
	if err != nil {
		return 0, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	return n, info.Size(), f.Close()
}

// startup measures how long the real program takes until it answers, and what it
// holds when nobody asks: on a small node, and on that of part a where it ran.
func (b *bench) startup(ctx context.Context) error {
	folder := filepath.Join(b.stage.dir, "small")
	_, err := smallNode(ctx, folder)
	if err != nil {
		return err
	}
	nodes := []struct{ what, folder string }{{"a small node", folder}}
	if b.large != "" {
		nodes = append(nodes, struct{ what, folder string }{fmt.Sprintf("the node of part a (%d SBOMs)", b.sboms), b.large})
	}
	for _, n := range nodes {
		const starts = 5
		var took spread
		for i := range starts {
			s, err := serveFolder(ctx, b.entente, n.folder)
			if err != nil {
				return err
			}
			took = append(took, s.started)
			if i == starts-1 {
				idle, err := s.idle(ctx)
				if err != nil {
					return err
				}
				b.below("e", "start until it answers, "+n.what, took.at(.5), 2*time.Second, fmt.Sprintf("middle of %d starts", starts))
				b.within("e", "idle memory, "+n.what, idle, 60<<20, "")
			}
			err = s.stop()
			if err != nil {
				return err
			}
		}
	}
	return nil
}
