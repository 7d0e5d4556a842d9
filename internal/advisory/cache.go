package advisory

import (
	"bytes"
	linked "container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
)

// indexes keeps the indexes of the organisations that were asked for last, within a
// bound of bytes. An index that is not kept is loaded from its stored form, or built
// from the inventory if that is missing or unusable; then it catches up with the
// journal. The tables are the truth; what is here can be thrown away at any time.
type indexes struct {
	mu    sync.Mutex
	limit int64
	bytes int64
	order *linked.List // of *kept, the latest used first
	byOrg map[entente.OrgID]*linked.Element
}

// kept is the index of one organisation as of event seq of its journal.
type kept struct {
	org   entente.OrgID
	bytes int64 // as counted in indexes.bytes; guarded by indexes.mu

	mu      sync.RWMutex
	x       *Index // nil: not loaded
	seq     int64
	changed int64 // the event at which it was made, or caught up with the inventory last
}

func newIndexes(limit int64) *indexes {
	return &indexes{limit: limit, order: linked.New(), byOrg: map[entente.OrgID]*linked.Element{}}
}

// with calls f with the index as the transaction sees the inventory, or newer. The
// index must not be kept or changed by f.
func (c *indexes) with(ctx context.Context, tx *db.Tx, org entente.OrgID, f func(*Index) error) error {
	head, err := journal.Head(ctx, tx, org)
	if err != nil {
		return err
	}
	return c.at(ctx, tx, org, head, f)
}

// at is with for who knows the head of the journal that the transaction sees.
func (c *indexes) at(ctx context.Context, tx *db.Tx, org entente.OrgID, head int64, f func(*Index) error) error {
	k := c.enter(org)
	k.mu.RLock()
	if k.x == nil || k.seq < head {
		k.mu.RUnlock()
		if err := c.follow(ctx, tx, k, head); err != nil {
			return err
		}
		k.mu.RLock()
	}
	defer k.mu.RUnlock()
	return f(k.x)
}

// enter gives the organisation's place in the cache.
func (c *indexes) enter(org entente.OrgID) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byOrg[org]
	if !ok {
		e = c.order.PushFront(&kept{org: org})
		c.byOrg[org] = e
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept)
}

// follow loads the index if need be, and brings it to the event head.
func (c *indexes) follow(ctx context.Context, tx *db.Tx, k *kept, head int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	before := k.seq
	if tx.Writes() {
		// Events that the transaction itself appends may never have happened.
		tx.Undone(func() { k.back(before) })
	}
	if k.x == nil {
		x, seq, err := openIndex(ctx, tx, k.org, head)
		if err != nil {
			return err
		}
		k.x, k.seq, k.changed = x, seq, head
	}
	if k.seq < head {
		_, latest, err := journal.Since(ctx, tx, k.org, k.seq)
		if err == nil && max(latest[inventory.EventRecorded], latest[inventory.EventRemoved]) > k.seq {
			k.changed = head
			err = catchUp(ctx, tx, k.org, k.x, k.seq, head)
		}
		if err != nil {
			// It may have stopped half-way.
			k.x, k.seq = nil, 0
			return err
		}
		k.seq = head
	}
	c.weigh(k, k.x.Size().Bytes)
	return nil
}

// back takes an index back to an event, or away if it has changed since.
func (k *kept) back(seq int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.changed > seq {
		k.x, seq = nil, 0
	}
	k.seq = min(k.seq, seq)
}

// weigh counts the bytes of an index and drops those used longest ago, until the
// rest fits; the one in use stays.
func (c *indexes) weigh(k *kept, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byOrg[k.org] == nil || c.byOrg[k.org].Value.(*kept) != k {
		return // it was dropped meanwhile; whoever uses it still may
	}
	c.bytes += bytes - k.bytes
	k.bytes = bytes
	for c.bytes > c.limit && c.order.Len() > 1 {
		last := c.order.Back()
		old := c.order.Remove(last).(*kept)
		delete(c.byOrg, old.org)
		c.bytes -= old.bytes
	}
}

// swap puts a newly built index in the place of an older one.
func (c *indexes) swap(org entente.OrgID, x *Index, seq int64) {
	c.mu.Lock()
	e, ok := c.byOrg[org]
	c.mu.Unlock()
	if !ok {
		return
	}
	k := e.Value.(*kept)
	k.mu.Lock()
	defer k.mu.Unlock()
	// What happened since is caught up with by the next question.
	k.x, k.seq, k.changed = x, seq, seq
	c.weigh(k, x.Size().Bytes)
}

// openIndex loads the stored form, or builds the index from the inventory if there
// is none that can be used or if so much has happened since that building is faster.
func openIndex(ctx context.Context, tx *db.Tx, org entente.OrgID, head int64) (*Index, int64, error) {
	stored, err := indexHead(ctx, tx, org)
	if err != nil {
		return nil, 0, err
	}
	if stored.parts > 0 && stored.seq <= head && head-stored.seq < 1000+int64(stored.documents)/2 {
		body, err := indexParts(ctx, tx, org)
		if err != nil {
			return nil, 0, err
		}
		x, err := LoadIndex(bytes.NewReader(body))
		if err == nil {
			return x, stored.seq, nil
		}
		if !errors.Is(err, ErrIndexForm) {
			return nil, 0, err
		}
	}
	x, err := buildIndex(ctx, tx, org)
	return x, head, err
}

// buildIndex makes the index of all current documents.
func buildIndex(ctx context.Context, tx *db.Tx, org entente.OrgID) (*Index, error) {
	documents, err := inventory.CurrentDocuments(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	products := make(map[uint32]string, len(documents))
	for _, d := range documents {
		products[d.ID] = string(d.Product)
	}
	b := NewBuilder()
	err = inventory.EachPackage(ctx, tx, org, 0, 0, func(p inventory.Package) error {
		b.AddPackage(p.ID, KeyOf(&p))
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = inventory.EachContent(ctx, tx, org, func(document uint32, packages []uint32) error {
		b.AddDocument(document, products[document], packages)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return b.Index(), nil
}

// catchUp brings an index from one event of the journal to another.
func catchUp(ctx context.Context, tx *db.Tx, org entente.OrgID, x *Index, from, to int64) error {
	const page = 200
	for from < to {
		events, err := journal.Events(ctx, tx, org, from, page)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return fmt.Errorf("the journal of %s ends before event %d", org, to)
		}
		for _, e := range events {
			from = e.Seq
			if err := apply(ctx, tx, org, x, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func apply(ctx context.Context, tx *db.Tx, org entente.OrgID, x *Index, e journal.Event) error {
	switch e.Kind {
	case inventory.EventRecorded:
		var body inventory.Recorded
		if err := e.Decode(&body); err != nil {
			return err
		}
		for _, old := range body.Superseded {
			x.RemoveDocument(old)
		}
		return addDocument(ctx, tx, org, x, body.Document, e.Subject)
	case inventory.EventRemoved:
		var body inventory.Removed
		if err := e.Decode(&body); err != nil {
			return err
		}
		x.RemoveDocument(body.Document)
		if body.Restored != 0 {
			return addDocument(ctx, tx, org, x, body.Restored, e.Subject)
		}
	}
	return nil
}

func addDocument(ctx context.Context, tx *db.Tx, org entente.OrgID, x *Index, document uint32, product string) error {
	content, err := inventory.Content(ctx, tx, org, document)
	if err != nil {
		return err
	}
	var first, last uint32
	missing := 0
	for _, id := range content {
		if !x.HasPackage(id) {
			if first == 0 {
				first = id
			}
			last = id
			missing++
		}
	}
	// New packages follow one another in the dictionary; stray ones are read singly.
	if missing > 0 && int(last-first) < 4*missing+64 {
		err := inventory.EachPackage(ctx, tx, org, first, last, func(p inventory.Package) error {
			x.AddPackage(p.ID, KeyOf(&p))
			return nil
		})
		if err != nil {
			return err
		}
		missing = 0
	}
	for _, id := range content {
		if missing == 0 {
			break
		}
		if x.HasPackage(id) {
			continue
		}
		p, err := inventory.PackageByID(ctx, tx, org, id)
		if err != nil {
			return err
		}
		x.AddPackage(id, KeyOf(&p))
		missing--
	}
	x.AddDocument(document, product, content)
	return nil
}

// SaveIndex builds the organisation's index anew and stores its compact form, from
// which a start of the program is fast. It is safe at any time.
func (s *Service) SaveIndex(ctx context.Context, org entente.OrgID) error {
	var x *Index
	var head int64
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		var err error
		head, err = journal.Head(ctx, tx, org)
		if err != nil {
			return err
		}
		x, err = buildIndex(ctx, tx, org)
		return err
	})
	if err != nil {
		return err
	}
	var form bytes.Buffer
	if err := x.Save(&form); err != nil {
		return err
	}
	err = s.d.Write(ctx, org, func(tx *db.Tx) error {
		return putIndex(ctx, tx, org, form.Bytes(), storedIndex{seq: head, documents: x.Size().Documents}, s.now())
	})
	if err != nil {
		return err
	}
	s.indexes.swap(org, x, head)
	return nil
}

// storedIndex is the row of advisory_index_head.
type storedIndex struct {
	seq       int64
	parts     int
	documents int
	asked     int64
}

func indexHead(ctx context.Context, tx *db.Tx, org entente.OrgID) (storedIndex, error) {
	h, err := db.One(ctx, tx, func(r db.Scanner) (storedIndex, error) {
		var h storedIndex
		err := r.Scan(&h.seq, &h.parts, &h.documents, &h.asked)
		return h, err
	}, `SELECT seq, parts, documents, asked FROM advisory_index_head WHERE org = $1`, org)
	if errors.Is(err, db.ErrNoRow) {
		return storedIndex{}, nil
	}
	return h, err
}

func askIndex(ctx context.Context, tx *db.Tx, org entente.OrgID, seq int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO advisory_index_head (org, seq, parts, documents, saved, asked) VALUES ($1, 0, 0, 0, 0, $2)
		ON CONFLICT (org) DO UPDATE SET asked = excluded.asked`, org, seq)
	return err
}

func indexParts(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]byte, error) {
	var body []byte
	err := db.Each(ctx, tx, `SELECT body FROM advisory_index WHERE org = $1 ORDER BY part`, func(r db.Scanner) error {
		var part []byte
		if err := r.Scan(&part); err != nil {
			return err
		}
		body = append(body, part...)
		return nil
	}, org)
	return body, err
}

// partSize is the size of one stored part.
const partSize = 1 << 20

func putIndex(ctx context.Context, tx *db.Tx, org entente.OrgID, form []byte, head storedIndex, now time.Time) error {
	stored, err := indexHead(ctx, tx, org)
	if err != nil {
		return err
	}
	if stored.parts > 0 && stored.seq > head.seq {
		return nil // another replica was faster
	}
	if _, err := tx.Exec(ctx, `DELETE FROM advisory_index WHERE org = $1`, org); err != nil {
		return err
	}
	for part := 0; part*partSize < len(form); part++ {
		body := form[part*partSize : min((part+1)*partSize, len(form))]
		if _, err := tx.Exec(ctx, `INSERT INTO advisory_index (org, part, body) VALUES ($1, $2, $3)`, org, part, body); err != nil {
			return err
		}
		head.parts++
	}
	_, err = tx.Exec(ctx, `INSERT INTO advisory_index_head (org, seq, parts, documents, saved, asked) VALUES ($1, $2, $3, $4, $5, $2)
		ON CONFLICT (org) DO UPDATE SET seq = excluded.seq, parts = excluded.parts, documents = excluded.documents, saved = excluded.saved`,
		org, head.seq, head.parts, head.documents, db.Millis(now))
	return err
}
