package web

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// The rooms that answers of pages are worked out from, by how the kinds of their
// events begin.
const (
	fromChain      = "chain"
	fromPartners   = "partner"
	fromInventory  = "sbom"
	fromAdvisories = "advisory"
	fromEntries    = "entry"
	fromStatements = "statement"
)

// mostHeads is of how many organisations the heads are kept.
const mostHeads = 10_000

// heads knows which event of an organisation's journal was the last of each room, so
// that what was worked out from one room stays when something happens in another:
// somebody signs in far more often than a chain changes.
type heads struct {
	mu    sync.Mutex
	known map[entente.OrgID]roomHeads
}

// roomHeads is the last event of each room as of event seq, never changed once made.
// A room that had none since the first look counts as of then.
type roomHeads struct {
	seq, first int64
	last       map[string]int64
}

func (h *heads) of(org entente.OrgID) roomHeads {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known[org]
}

// moved takes in what happened after the heads that were read before.
func (h *heads) moved(org entente.OrgID, head int64, latest map[journal.Kind]int64) roomHeads {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, seen := h.known[org]
	if !seen {
		now.first = head
		if h.known == nil || len(h.known) >= mostHeads {
			h.known = map[entente.OrgID]roomHeads{}
		}
	}
	now.seq, now.last = max(now.seq, head), maps.Clone(now.last)
	if now.last == nil {
		now.last = map[string]int64{}
	}
	for kind, seq := range latest {
		room, _, _ := strings.Cut(string(kind), ".")
		now.last[room] = max(now.last[room], seq)
	}
	h.known[org] = now
	return now
}

// headOf gives the number of the last event of some rooms in an organisation. Who reads
// it before the rooms themselves gets what is as new, or newer and only made again.
func (s *server) headOf(ctx context.Context, org entente.OrgID, rooms ...string) (int64, error) {
	known := s.heads.of(org)
	head := known.seq
	var latest map[journal.Kind]int64
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if known.last == nil {
			head, err = journal.Head(ctx, tx, org)
		} else {
			head, latest, err = journal.Since(ctx, tx, org, known.seq)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if known.last == nil || head > known.seq {
		known = s.heads.moved(org, head, latest)
	}
	last := known.first
	for _, r := range rooms {
		last = max(last, known.last[r])
	}
	return last, nil
}

// mostFoundRows bounds what atHead keeps, in rows over all organisations.
const mostFoundRows = 10_000

// headQuestion is one question of one person about some rooms of an organisation as of
// their last event.
type headQuestion struct {
	org    entente.OrgID
	head   int64
	person entente.PersonID
	role   entente.Role
	scope  string
	what   string
}

// headAnswer is what was answered.
type headAnswer[T any] struct {
	rows  T
	total int
}

// asked names a question that [atHead] answers, and the rooms that its answer is worked
// out from.
type asked struct {
	what  string
	about any
	rooms []string
}

// atHead answers a question of a visitor from what was answered before, for as long as
// nothing has happened in the rooms that it is about. What it gives is shared between
// visits and never changed.
func atHead[T any](v *visit, q asked, ask func() (rows T, total, size int, err error)) (T, int, error) {
	head, err := v.headOf(v.r.Context(), v.actor.Org, q.rooms...)
	if err != nil {
		var none T
		return none, 0, err
	}
	key := headQuestion{
		v.actor.Org, head, v.actor.Person, v.actor.Role, strings.Join(v.actor.Scope, "\x00"), fmt.Sprintf("%s %+v", q.what, q.about),
	}
	answer, err := v.answers.get(key, func() (any, int, error) {
		rows, total, size, err := ask()
		return headAnswer[T]{rows, total}, size + 1, err
	})
	if err != nil {
		var none T
		return none, 0, err
	}
	of := answer.(headAnswer[T])
	return of.rows, of.total, nil
}

// listAtHead is atHead for a part of a list.
func listAtHead[T any](v *visit, q asked, ask func() ([]T, int, error)) ([]T, int, error) {
	return atHead(v, q, func() ([]T, int, int, error) {
		rows, total, err := ask()
		return rows, total, len(rows), err
	})
}
