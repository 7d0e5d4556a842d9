package chain

import (
	"context"
	"iter"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

const (
	// maxRemembered is how many things one change keeps in the history; of a larger
	// import, the others are only in its event.
	maxRemembered = 1000
	// keepRevisions is for how many revisions of the chain the history is kept.
	keepRevisions = 10_000
)

// remember keeps what a change made of each thing, in the transaction of the change.
func remember(ctx context.Context, tx *db.Tx, actor entente.Actor, kind journal.Kind, done Changed, old, m *Map, now time.Time) error {
	if old == nil {
		old = &Map{}
	}
	added, changed, removed := done.Counts()
	if added+changed+removed == 0 {
		return nil
	}
	before, after := textsFor(old), textsFor(m)
	if added+changed+removed > 10 {
		before, after = textsIn(old), textsIn(m)
	}
	_, err := tx.Insert(ctx, "INSERT INTO chain_history (org, kind, id, n, at, by, door, what, before, after) VALUES", "", func(yield func([]any) bool) {
		kept := 0
		for k, id := range done.each() {
			if kept++; kept > maxRemembered {
				return
			}
			row := []any{string(actor.Org), string(k), string(id), done.Revision, db.Millis(now), actor.Name, string(actor.Door), string(kind), before(k, id), after(k, id)}
			if !yield(row) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "DELETE FROM chain_history WHERE org = $1 AND n <= $2", actor.Org, done.Revision-keepRevisions)
	return err
}

// each yields every thing that was added, changed or removed.
func (c *Changed) each() iter.Seq2[NodeKind, NodeID] {
	return func(yield func(NodeKind, NodeID) bool) {
		for i, k := range c.kinds() {
			for _, list := range [][]NodeID{k.Changed, k.Removed, k.Added} {
				for _, id := range list {
					if !yield(Kinds()[i], id) {
						return
					}
				}
			}
		}
	}
}

// textsFor finds the texts of a few things of a map, textsIn those of many.
func textsFor(m *Map) func(NodeKind, NodeID) string {
	return func(kind NodeKind, id NodeID) string { return findThing(m, kind, id).Text }
}

func textsIn(m *Map) func(NodeKind, NodeID) string {
	at := spots(m)
	return func(kind NodeKind, id NodeID) string {
		s, known := at[id]
		if !known || s.kind != kind {
			return ""
		}
		return entryText(m.thing(s))
	}
}

func readHistory(ctx context.Context, tx *db.Tx, org entente.OrgID, kind NodeKind, id NodeID, limit int) ([]Past, error) {
	return db.All(ctx, tx, func(s db.Scanner) (Past, error) {
		var p Past
		var at int64
		var what journal.Kind
		err := s.Scan(&p.N, &at, &p.By, &p.Door, &what, &p.Before, &p.After)
		p.At, p.Import = db.Time(at), what == EventImported
		return p, err
	}, `SELECT n, at, by, door, what, before, after FROM chain_history
		WHERE org = $1 AND kind = $2 AND id = $3 ORDER BY n DESC LIMIT $4`, org, string(kind), string(id), limit)
}

func readChange(ctx context.Context, tx *db.Tx, org entente.OrgID, n int64) ([]PastThing, error) {
	return db.All(ctx, tx, func(s db.Scanner) (PastThing, error) {
		t := PastThing{Past: Past{N: n}}
		var at int64
		var what journal.Kind
		err := s.Scan(&t.Kind, &t.ID, &at, &t.By, &t.Door, &what, &t.Before, &t.After)
		t.At, t.Import = db.Time(at), what == EventImported
		return t, err
	}, `SELECT kind, id, at, by, door, what, before, after FROM chain_history
		WHERE org = $1 AND n = $2 ORDER BY kind, id`, org, n)
}
