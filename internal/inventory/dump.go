package inventory

import (
	"context"
	"fmt"
	"math"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
)

// What the matcher builds its index from. These read within the caller's
// transaction and ask for no permission: they serve workers, not people.

// EachPackage gives every package of the organisation's dictionary with a number
// from first to last, in order of its number; a last of 0 means all. Ask for no more
// than is needed: PostgreSQL sends a whole answer, also if the reader stops early.
func EachPackage(ctx context.Context, tx *db.Tx, org entente.OrgID, first, last uint32, fn func(Package) error) error {
	if last == 0 {
		last = math.MaxUint32
	}
	return db.Each(ctx, tx, `SELECT `+packageColumns+` FROM inventory_package p WHERE p.org = $1 AND p.id >= $2 AND p.id <= $3 ORDER BY p.id`, func(r db.Scanner) error {
		p, err := scanPackage(r)
		if err != nil {
			return err
		}
		return fn(p)
	}, org, first, last)
}

// EachContent gives every current document with its packages, each once, ascending.
// The slice is valid within fn only. It reads five million pairs in well under a
// second.
func EachContent(ctx context.Context, tx *db.Tx, org entente.OrgID, fn func(document uint32, packages []uint32) error) error {
	var ids []uint32
	return db.Each(ctx, tx, `SELECT c.document, c.packages FROM inventory_content c
		JOIN inventory_document d ON d.org = c.org AND d.id = c.document
		WHERE c.org = $1 AND d.superseded_at = 0 AND d.removed_at = 0 ORDER BY c.document`, func(r db.Scanner) error {
		var document uint32
		var raw []byte
		if err := r.Scan(&document, &raw); err != nil {
			return err
		}
		var err error
		ids, err = decodeIDs(raw, ids[:0])
		if err != nil {
			return fmt.Errorf("document %d: %w", document, err)
		}
		return fn(document, ids)
	}, org)
}

// EachComponent gives every pair of a current document and a package in it, once,
// in order of the package and then the document.
func EachComponent(ctx context.Context, tx *db.Tx, org entente.OrgID, fn func(document, pack uint32) error) error {
	// A counting sort: first how many documents each package has, then the documents
	// of all packages behind one another.
	var ends []uint32
	err := EachContent(ctx, tx, org, func(_ uint32, packages []uint32) error {
		for _, p := range packages {
			if int(p) >= len(ends) {
				ends = append(ends, make([]uint32, int(p)+1-len(ends))...)
			}
			ends[p]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	sum := uint32(0)
	for p, n := range ends {
		ends[p] = sum
		sum += n
	}
	documents := make([]uint32, sum)
	err = EachContent(ctx, tx, org, func(document uint32, packages []uint32) error {
		for _, p := range packages {
			documents[ends[p]] = document
			ends[p]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	begin := uint32(0)
	for p, end := range ends {
		for _, document := range documents[begin:end] {
			if err := fn(document, uint32(p)); err != nil {
				return err
			}
		}
		begin = end
	}
	return nil
}

// Content gives the packages of one document, each once, ascending; none for a
// document that was removed.
func Content(ctx context.Context, tx *db.Tx, org entente.OrgID, document uint32) ([]uint32, error) {
	var ids []uint32
	err := db.Each(ctx, tx, `SELECT packages FROM inventory_content WHERE org = $1 AND document = $2`, func(r db.Scanner) error {
		var raw []byte
		if err := r.Scan(&raw); err != nil {
			return err
		}
		var err error
		ids, err = decodeIDs(raw, nil)
		return err
	}, org, document)
	if err != nil {
		return nil, fmt.Errorf("document %d: %w", document, err)
	}
	return ids, nil
}

// CurrentDocument is a document in the shortest form.
type CurrentDocument struct {
	ID      uint32
	Product chain.NodeID
	Part    string
}

// CurrentDocuments gives every current document of the organisation, by its number.
func CurrentDocuments(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]CurrentDocument, error) {
	return db.All(ctx, tx, func(r db.Scanner) (CurrentDocument, error) {
		var d CurrentDocument
		err := r.Scan(&d.ID, &d.Product, &d.Part)
		return d, err
	}, `SELECT id, product, part FROM inventory_document WHERE org = $1 AND superseded_at = 0 AND removed_at = 0 ORDER BY id`, org)
}

// DocumentsSince gives the documents that were recorded after the one with the given
// number, whether they are current or not, in order of their numbers.
func DocumentsSince(ctx context.Context, tx *db.Tx, org entente.OrgID, after uint32, limit int) ([]Document, error) {
	return db.All(ctx, tx, scanDocument, `SELECT `+documentColumns+` FROM inventory_document d WHERE d.org = $1 AND d.id > $2 ORDER BY d.id LIMIT $3`, org, after, limit)
}

// PackageByID gives one package of the dictionary.
func PackageByID(ctx context.Context, tx *db.Tx, org entente.OrgID, id uint32) (Package, error) {
	return packageByID(ctx, tx, org, id)
}
