package advisory

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// mostTexts is about how many bytes of names and summaries are kept in memory, over all
// organisations; those that were searched last always stay.
const mostTexts = 128 << 20

// texts keeps what the advisories of the organisations searched last are found by: no
// index of the database finds a part of a summary.
type texts struct {
	mu    sync.Mutex
	known map[entente.OrgID]*textsOf
}

// textsOf is the advisories of one organisation that stand, the latest change first,
// until others are recorded; never changed once made.
type textsOf struct {
	seq   int64 // up to which event of the journal nothing was recorded since; guarded by texts.mu
	used  time.Time
	all   []groupText
	bytes int
}

// groupText is one advisory with its names and its summary, in lower case.
type groupText struct{ id, text string }

// of gives the texts as the transaction sees them, or newer.
func (t *texts) of(ctx context.Context, tx *db.Tx, org entente.OrgID) (*textsOf, error) {
	t.mu.Lock()
	known, after := t.known[org], int64(0)
	if known != nil {
		known.used = time.Now()
		after = known.seq
	}
	t.mu.Unlock()
	if known != nil {
		head, latest, err := journal.Since(ctx, tx, org, after)
		if err != nil {
			return nil, err
		}
		if latest[EventRecorded] == 0 {
			t.mu.Lock()
			known.seq = max(known.seq, head)
			t.mu.Unlock()
			return known, nil
		}
	}
	head, err := journal.Head(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	made := &textsOf{seq: head, used: time.Now()}
	made.all, err = db.All(ctx, tx, func(r db.Scanner) (groupText, error) {
		var g groupText
		err := r.Scan(&g.id, &g.text)
		made.bytes += len(g.id) + len(g.text) + 32
		return g, err
	}, `SELECT id, search FROM advisory_group WHERE org = $1 AND withdrawn = 0 ORDER BY modified DESC, id`, org)
	if err != nil {
		return nil, err
	}
	t.put(org, made)
	return made, nil
}

func (t *texts) put(org entente.OrgID, made *textsOf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = map[entente.OrgID]*textsOf{}
	}
	if before := t.known[org]; before != nil && before.seq > made.seq {
		return
	}
	t.known[org] = made
	total := 0
	for _, one := range t.known {
		total += one.bytes
	}
	for total > mostTexts && len(t.known) > 1 {
		oldest := org
		for id, one := range t.known {
			if id != org && (oldest == org || one.used.Before(t.known[oldest].used)) {
				oldest = id
			}
		}
		total -= t.known[oldest].bytes
		delete(t.known, oldest)
	}
}

// groupsTelling finds groups that stand and whose names and summary hold all words, the
// latest change first.
func (s *Service) groupsTelling(ctx context.Context, tx *db.Tx, org entente.OrgID, text string, limit int) ([]Listed, error) {
	known, err := s.texts.of(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	words := wordsOf(text)
	var list []Listed
	for i := range known.all {
		g := &known.all[i]
		if !g.holds(words) {
			continue
		}
		l, err := db.One(ctx, tx, func(r db.Scanner) (Listed, error) { return scanListed(r) },
			`SELECT `+groupColumns+` FROM advisory_group g WHERE g.org = $1 AND g.id = $2`, org, g.id)
		if errors.Is(err, db.ErrNoRow) {
			continue // the texts are newer than the transaction
		}
		if err != nil {
			return nil, err
		}
		list = append(list, l)
		if len(list) == limit {
			break
		}
	}
	return list, nil
}

func (g *groupText) holds(words []string) bool {
	for _, w := range words {
		if !strings.Contains(g.text, w) {
			return false
		}
	}
	return true
}
