package inventory

import (
	"context"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// FindPackages gives packages of current documents of which the name holds the first
// word, and name or version every other, and says whether there are more than limit. It
// counts nothing and looks names up in memory, so that it can be asked while somebody
// types.
func (s *Service) FindPackages(ctx context.Context, actor entente.Actor, words []string, limit int) (list []Package, more bool, err error) {
	if err := identity.Require(actor, identity.InventoryRead, identity.In(actor.Org)); err != nil {
		return nil, false, err
	}
	if len(words) == 0 || limit <= 0 {
		return nil, false, nil
	}
	limit = min(limit, 1000)
	sought := make([]string, len(words))
	for i, w := range words {
		sought[i] = strings.ToLower(w)
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		list = nil
		known, err := s.names.of(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		var some []uint32
		for id := range known.holding(sought) {
			some = append(some, id)
			if len(some) < lookUpAtOnce {
				continue
			}
			list, err = addCurrent(ctx, tx, actor.Org, list, some)
			if err != nil || len(list) > limit {
				return err
			}
			some = some[:0]
		}
		list, err = addCurrent(ctx, tx, actor.Org, list, some)
		return err
	})
	if len(list) > limit {
		list, more = list[:limit], true
	}
	return list, more, err
}

// addCurrent adds those of at most lookUpAtOnce packages that stand in a current
// document, in their order.
func addCurrent(ctx context.Context, tx *db.Tx, org entente.OrgID, list []Package, ids []uint32) ([]Package, error) {
	if len(ids) == 0 {
		return list, nil
	}
	args := make([]any, 1, 1+lookUpAtOnce)
	args[0] = string(org)
	for i := range lookUpAtOnce {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	found, err := db.All(ctx, tx, scanPackage, `SELECT `+packageColumns+` FROM inventory_package p WHERE p.org = $1 AND p.id IN (
		$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33,
		$34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49,
		$50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65) AND `+current, args...)
	slices.SortFunc(found, func(a, b Package) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return append(list, found...), err
}
