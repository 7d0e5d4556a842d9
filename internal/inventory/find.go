package inventory

import (
	"context"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// FindPackages gives packages of current documents whose name or version holds every
// word, and says whether there are more than limit. It counts nothing, so that it can
// be asked while somebody types.
func (s *Service) FindPackages(ctx context.Context, actor entente.Actor, words []string, limit int) (list []Package, more bool, err error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return nil, false, err
	}
	if len(words) == 0 || limit <= 0 {
		return nil, false, nil
	}
	limit = min(limit, 1000)
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		sel := db.Select(`SELECT `+packageColumns+` FROM inventory_package p WHERE p.org = $1`, actor.Org)
		for i, w := range words {
			if i == 0 {
				// The first word is part of the name: the index by name then answers alone.
				sel = sel.And(`p.search LIKE $1 ESCAPE '\'`, contains(w))
				continue
			}
			sel = sel.And(`(p.search LIKE $1 ESCAPE '\' OR p.version LIKE $2 ESCAPE '\')`, contains(w), contains(w))
		}
		list, err = db.AllOf(ctx, tx, scanPackage, sel.And(current).Order(`p.search, p.version, p.id`).Page(limit+1, 0))
		return err
	})
	if len(list) > limit {
		list, more = list[:limit], true
	}
	return list, more, err
}
