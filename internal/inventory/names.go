package inventory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// mostNames is about how many bytes of names are kept in memory, over all
// organisations; those that were searched last always stay.
const mostNames = 64 << 20

// dictionaries keeps the names of the packages of the organisations that were searched
// last: no index of the database finds a part of a name.
type dictionaries struct {
	mu    sync.Mutex
	known map[entente.OrgID]*names
}

// names is what the packages of a dictionary are found by, in the order of lists; never
// changed once made. Packages are only added, so what is missing is read and merged in.
type names struct {
	last  uint32 // the newest package
	all   []nameOf
	bytes int
	used  time.Time // guarded by dictionaries.mu
}

// nameOf is one package with its name and version, a zero byte between them, in lower
// case.
type nameOf struct {
	id   uint32
	text string
}

// of gives the names of a dictionary as the transaction sees it, or newer.
func (d *dictionaries) of(ctx context.Context, tx *db.Tx, org entente.OrgID) (*names, error) {
	last, err := lastPackage(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	known := d.known[org]
	if known == nil {
		known = &names{}
	}
	known.used = time.Now()
	d.mu.Unlock()
	if known.last >= last {
		return known, nil
	}
	more, err := namesAfter(ctx, tx, org, known.last)
	if err != nil {
		return nil, err
	}
	grown := &names{last: last, all: slices.Concat(known.all, more), bytes: known.bytes, used: time.Now()}
	for i := range more {
		grown.bytes += len(more[i].text) + 24
	}
	slices.SortFunc(grown.all, func(a, b nameOf) int { return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.id, b.id)) })
	d.put(org, grown)
	return grown, nil
}

func (d *dictionaries) put(org entente.OrgID, n *names) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil {
		d.known = map[entente.OrgID]*names{}
	}
	if before := d.known[org]; before != nil && before.last > n.last {
		return
	}
	d.known[org] = n
	total := 0
	for _, one := range d.known {
		total += one.bytes
	}
	for total > mostNames && len(d.known) > 1 {
		oldest := org
		for id, one := range d.known {
			if id != org && (oldest == org || one.used.Before(d.known[oldest].used)) {
				oldest = id
			}
		}
		total -= d.known[oldest].bytes
		delete(d.known, oldest)
	}
}

// holding yields the packages whose name holds the first word, and name or version the
// others.
func (n *names) holding(words []string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := range n.all {
			if n.all[i].holds(words) && !yield(n.all[i].id) {
				return
			}
		}
	}
}

func (p *nameOf) holds(words []string) bool {
	for _, w := range words {
		if !strings.Contains(p.text, w) {
			return false
		}
	}
	name, _, _ := strings.Cut(p.text, "\x00")
	return strings.Contains(name, words[0])
}

func namesAfter(ctx context.Context, tx *db.Tx, org entente.OrgID, after uint32) ([]nameOf, error) {
	return db.All(ctx, tx, func(r db.Scanner) (nameOf, error) {
		var n nameOf
		var name, version string
		err := r.Scan(&n.id, &name, &version)
		n.text = name + "\x00" + strings.ToLower(version)
		return n, err
	}, `SELECT id, search, version FROM inventory_package WHERE org = $1 AND id > $2`, org, after)
}
