package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
)

// The products of the chain are read here, never written.

// productNames gives nil if the product exists, and every product if it does not.
func productNames(ctx context.Context, tx *db.Tx, org entente.OrgID, id chain.NodeID) ([]productName, error) {
	_, err := db.One(ctx, tx, db.Value[string], `SELECT id FROM chain_product WHERE org = $1 AND id = $2`, org, string(id))
	if err == nil {
		return nil, nil
	}
	if !errors.Is(err, db.ErrNoRow) {
		return nil, err
	}
	known, err := db.All(ctx, tx, func(r db.Scanner) (productName, error) {
		var p productName
		err := r.Scan(&p.id, &p.name)
		return p, err
	}, `SELECT id, name FROM chain_product WHERE org = $1 ORDER BY id`, org)
	if known == nil {
		known = []productName{}
	}
	return known, err
}

func productsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, q ProductQuery) (list []Product, total int, err error) {
	search := strings.TrimSpace(q.Search) != ""
	like := contains(q.Search)
	sel := db.Select(`SELECT p.id, p.name, p.supplier, p.version, p.sboms, COALESCE(o.name, ''), COUNT(*) OVER ()
		FROM chain_product p
		LEFT JOIN chain_organisation o ON o.org = p.org AND o.id = p.supplier
		LEFT JOIN (
			SELECT org, product, SUM(assessable) AS assessable FROM inventory_document
			WHERE superseded_at = 0 AND removed_at = 0 GROUP BY org, product
		) d ON d.org = p.org AND d.product = p.id
		WHERE p.org = $1`, org).
		AndIf(search, `LOWER(p.name) LIKE $1 ESCAPE '\' OR p.id LIKE $2 ESCAPE '\' OR LOWER(COALESCE(o.name, '')) LIKE $3 ESCAPE '\'`, like, like, like).
		AndIf(q.State == WithoutDocument, `d.product IS NULL`).
		AndIf(q.State == NotAssessable, `d.assessable = 0`).
		AndIf(q.State == AssessableOnes, `d.assessable > 0`).
		Order(`LOWER(p.name), p.id`).
		Page(q.limit(), q.Offset)
	err = db.EachOf(ctx, tx, sel, func(r db.Scanner) error {
		var p Product
		var patterns []byte
		if err := r.Scan(&p.ID, &p.Name, &p.Supplier, &p.Version, &patterns, &p.SupplierName, &total); err != nil {
			return err
		}
		if err := json.Unmarshal(patterns, &p.SBOMs); err != nil {
			return fmt.Errorf("product %s: %w", p.ID, err)
		}
		list = append(list, p)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	for i := range list {
		p := &list[i]
		docs, err := currentDocumentsOf(ctx, tx, org, p.ID)
		if err != nil {
			return nil, 0, err
		}
		for j := range docs {
			p.Counts.sum(&docs[j].Counts)
			docs[j].Oddities = nil
		}
		p.Documents = docs
	}
	return list, total, nil
}

func currentDocumentsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, product chain.NodeID) ([]Document, error) {
	return db.All(ctx, tx, scanDocument, `SELECT `+documentColumns+` FROM inventory_document d
		WHERE d.org = $1 AND d.product = $2 AND d.superseded_at = 0 AND d.removed_at = 0 ORDER BY d.id DESC`, org, string(product))
}
