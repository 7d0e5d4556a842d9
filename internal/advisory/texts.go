package advisory

import (
	"cmp"
	"context"
	"errors"
	"slices"
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

// groupText is one advisory with its names and its summary, in lower case, and how grave
// it is.
type groupText struct {
	id, text     string
	level, score int32
}

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
		err := r.Scan(&g.id, &g.text, &g.level, &g.score)
		made.bytes += len(g.id) + len(g.text) + 40
		return g, err
	}, `SELECT id, search, level, score FROM advisory_group WHERE org = $1 AND withdrawn = 0 ORDER BY modified DESC, id`, org)
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

const groupsThatHit = `SELECT id FROM advisory_group WHERE org = $1 AND affected > 0`

// groupsTelling finds groups that stand and whose names and summary hold all words: of
// those that hit us the gravest first, of all of them the latest change first.
func (s *Service) groupsTelling(ctx context.Context, tx *db.Tx, org entente.OrgID, text string, hits bool, limit int) ([]Listed, error) {
	known, err := s.texts.of(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	words, hit := wordsOf(text), map[string]bool{}
	if hits {
		err := db.Each(ctx, tx, groupsThatHit, func(r db.Scanner) error {
			var id string
			err := r.Scan(&id)
			hit[id] = true
			return err
		}, org)
		if err != nil {
			return nil, err
		}
	}
	var found []*groupText
	for i := range known.all {
		g := &known.all[i]
		if hits && !hit[g.id] || !g.holds(words) {
			continue
		}
		found = append(found, g)
		if !hits && len(found) == limit {
			break
		}
	}
	if hits {
		slices.SortStableFunc(found, func(a, b *groupText) int { return cmp.Or(cmp.Compare(b.level, a.level), cmp.Compare(b.score, a.score)) })
	}
	var list []Listed
	for _, g := range found[:min(len(found), limit)] {
		l, err := db.One(ctx, tx, func(r db.Scanner) (Listed, error) { return scanListed(r) },
			`SELECT `+groupColumns+` FROM advisory_group g WHERE g.org = $1 AND g.id = $2`, org, g.id)
		if errors.Is(err, db.ErrNoRow) {
			continue // the texts are newer than the transaction
		}
		if err != nil {
			return nil, err
		}
		list = append(list, l)
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
