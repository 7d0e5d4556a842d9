package inventory

import (
	"context"
	"slices"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// DocumentState is how it stands with a document.
type DocumentState string

// The states; the zero value chooses all.
const (
	AnyDocument    DocumentState = ""
	CurrentOnes    DocumentState = "current"
	SilentOnes     DocumentState = "not-assessable" // of the current ones
	SupersededOnes DocumentState = "superseded"
	RemovedOnes    DocumentState = "withdrawn"
)

// DocumentOrder is the order of a list of documents.
type DocumentOrder string

// The orders; the zero value is the newest first.
const (
	NewestFirst  DocumentOrder = ""
	ByFile       DocumentOrder = "file"
	ByProduct    DocumentOrder = "product"
	ByComponents DocumentOrder = "components" // the fewest first
)

// DocumentQuery chooses documents of all products.
type DocumentQuery struct {
	Search string // part of the file's name, of what it describes or of the product's name, in any case
	State  DocumentState
	Order  DocumentOrder
	Page
}

// AllDocuments gives a page of the documents of all products, and how many there are in
// all pages.
func (s *Service) AllDocuments(ctx context.Context, actor entente.Actor, q DocumentQuery) (list []Document, total int, err error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return nil, 0, err
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		list, total, err = allDocuments(ctx, tx, actor.Org, q)
		return err
	})
	return list, total, err
}

// withTotal scans a row that ends with a number for all of them.
type withTotal struct {
	db.Scanner
	total *int
}

// Scan implements [db.Scanner].
func (s withTotal) Scan(dest ...any) error { return s.Scanner.Scan(append(dest, s.total)...) }

func allDocuments(ctx context.Context, tx *db.Tx, org entente.OrgID, q DocumentQuery) (list []Document, total int, err error) {
	like := contains(q.Search)
	sel := db.Select(`SELECT `+documentColumns+`, COUNT(*) OVER ()
		FROM inventory_document d
		LEFT JOIN chain_product p ON p.org = d.org AND p.id = d.product
		WHERE d.org = $1`, org).
		AndIf(strings.TrimSpace(q.Search) != "", `LOWER(d.file) LIKE $1 ESCAPE '\' OR LOWER(d.subject) LIKE $2 ESCAPE '\' OR LOWER(d.name) LIKE $3 ESCAPE '\' OR LOWER(COALESCE(p.name, d.product)) LIKE $4 ESCAPE '\'`, like, like, like, like).
		AndIf(q.State == CurrentOnes || q.State == SilentOnes, `d.superseded_at = 0 AND d.removed_at = 0`).
		AndIf(q.State == SilentOnes, `d.assessable = 0`).
		AndIf(q.State == SupersededOnes, `d.superseded_at <> 0 AND d.removed_at = 0`).
		AndIf(q.State == RemovedOnes, `d.removed_at <> 0`).
		Page(q.limit(), q.Offset)
	switch q.Order {
	case ByFile:
		sel = sel.Order(`LOWER(d.file), d.id`)
	case ByProduct:
		sel = sel.Order(`LOWER(COALESCE(p.name, d.product)), d.id`)
	case ByComponents:
		sel = sel.Order(`d.components, d.id`)
	default:
		sel = sel.Order(`d.id DESC`)
	}
	err = db.EachOf(ctx, tx, sel, func(r db.Scanner) error {
		d, err := scanDocument(withTotal{r, &total})
		list = append(list, d)
		return err
	})
	return list, total, err
}

// RemoveAll withdraws several documents as [Service.Remove] does one, or none of them.
func (s *Service) RemoveAll(ctx context.Context, actor entente.Actor, ids []uint32) error {
	if err := identity.Require(actor, identity.InventoryRemove, identity.In(actor.Org)); err != nil {
		return err
	}
	switch {
	case len(ids) == 0:
		return entente.Invalid("no document is named")
	case len(ids) > MaxPage:
		return entente.TooLarge("%d documents are named; at most %d are withdrawn at once", len(ids), MaxPage)
	}
	// The oldest first: what one restores that goes as well would be restored for nothing.
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	return s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		for _, id := range ids {
			if _, err := s.remove(ctx, tx, actor, id, ending{}); err != nil {
				return err
			}
		}
		return nil
	})
}
