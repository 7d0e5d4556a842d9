package inventory

import (
	"fmt"
	"testing"

	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// fill makes an inventory of many small documents over one dictionary, without the
// cost of writing and reading each.
func fill(b *testing.B, d *db.DB, documents, each, dictionary int) {
	b.Helper()
	err := d.Write(b.Context(), org, func(tx *db.Tx) error {
		err := insertPackages(b.Context(), tx, org, func(yield func(key, Package) bool) {
			for i := range dictionary {
				p := Package{ID: uint32(i + 1), Type: "npm", Name: fmt.Sprintf("package-%d", i), Version: "1.0.0"}
				p.PURL = "pkg:npm/" + p.Name + "@" + p.Version
				if !yield(p.key(), p) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
		seed := uint32(1)
		for i := range documents {
			doc := Document{ID: uint32(i + 1), Product: chain.NodeID(fmt.Sprintf("product-%d", i/2)), Part: fmt.Sprint(i % 2)}
			if err := insertDocument(b.Context(), tx, org, &doc); err != nil {
				return err
			}
			ids := make([]uint32, 0, each)
			at := uint32(0)
			row := make([]any, 10)
			err := insertComponents(b.Context(), tx, func(yield func([]any) bool) {
				for n := range each {
					seed = seed*1664525 + 1013904223
					at += 1 + seed>>8%uint32(2*dictionary/each-1)
					ids = append(ids, min(at, uint32(dictionary)))
					copy(row, []any{string(org), int64(doc.ID), int64(n + 1), int64(ids[n]), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0)})
					if !yield(row) {
						return
					}
				}
			})
			if err != nil {
				return err
			}
			if err := insertContent(b.Context(), tx, org, doc.ID, encodeIDs(ids)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSearch asks what people ask of a large inventory.
func BenchmarkSearch(b *testing.B) {
	d := dbtest.SQLite(b)
	fill(b, d, 2000, 500, 100_000)
	s := New(d, Options{})
	for name, ask := range map[string]func() error{
		"a package by part of its name": func() error {
			_, _, err := s.Packages(b.Context(), analyst, PackageQuery{Search: "age-777"})
			return err
		},
		"the first page of all packages": func() error { _, _, err := s.Packages(b.Context(), analyst, PackageQuery{}); return err },
		"one package with its products":  func() error { _, _, err := s.Package(b.Context(), analyst, 777); return err },
		"components of a document": func() error {
			_, _, err := s.Components(b.Context(), analyst, 7, ComponentQuery{Order: ByName})
			return err
		},
		"products": func() error { _, _, err := s.Products(b.Context(), analyst, ProductQuery{}); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
