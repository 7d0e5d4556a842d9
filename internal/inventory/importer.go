package inventory

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

const (
	batchSize = 1024
	// maxRemembered bounds what the importer keeps of the dictionaries in memory;
	// beyond it, the database is asked again.
	maxRemembered = 200_000
	maxWords      = 20_000
)

// importer stores the lines of one document, batch by batch.
type importer struct {
	ctx    context.Context
	tx     *db.Tx
	org    entente.OrgID
	doc    uint32
	agents map[string]string

	packages       map[key]uint32
	words          map[string]uint32
	before, newest uint32 // number of the last package before the import, and now
	forgot         bool   // whether packages holds less than was given numbers
	lastWord       uint32

	batch []pending
	n     int
	all   []uint32 // package of every line
}

// pending is a line of the batch.
type pending struct {
	key                            key
	pack                           []byte
	role, depth                    int
	kind, scope, supplier, licence string
}

func newImporter(ctx context.Context, tx *db.Tx, org entente.OrgID, doc uint32, agents map[string]string) (*importer, error) {
	im := &importer{ctx: ctx, tx: tx, org: org, doc: doc, agents: agents, packages: make(map[key]uint32), words: make(map[string]uint32)}
	var err error
	im.before, err = lastPackage(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	im.newest = im.before
	im.lastWord, err = lastWord(ctx, tx, org)
	return im, err
}

func (im *importer) take(l *line) error {
	if len(im.batch) == cap(im.batch) && len(im.batch) < batchSize {
		im.batch = slices.Grow(im.batch, batchSize)
	}
	im.batch = im.batch[:len(im.batch)+1]
	p := &im.batch[len(im.batch)-1]
	*p = pending{key: l.key, pack: append(p.pack[:0], l.pack...), role: int(l.role), depth: l.depth,
		kind: l.kind, scope: l.scope, supplier: l.supplier, licence: l.licence}
	if name, ok := im.agents[p.supplier]; ok {
		p.supplier = word(name)
	}
	if len(im.batch) < batchSize {
		return nil
	}
	return im.flush()
}

// finish stores what is left and the list of the document's packages, and says how
// many different ones there are.
func (im *importer) finish() (int, error) {
	if err := im.flush(); err != nil {
		return 0, err
	}
	slices.Sort(im.all)
	distinct := slices.Compact(im.all)
	return len(distinct), insertContent(im.ctx, im.tx, im.org, im.doc, encodeIDs(distinct))
}

// newPackages gives the first and last of the packages that were not known before.
func (im *importer) newPackages() (first, last uint32) {
	if im.newest == im.before {
		return 0, 0
	}
	return im.before + 1, im.newest
}

func (im *importer) flush() error {
	if len(im.batch) == 0 {
		return nil
	}
	if err := im.knowPackages(); err != nil {
		return err
	}
	if err := im.knowWords(); err != nil {
		return err
	}
	row := make([]any, 10)
	rows := func(yield func([]any) bool) {
		for i := range im.batch {
			p := &im.batch[i]
			id := im.packages[p.key]
			im.n++
			im.all = append(im.all, id)
			row[0], row[1], row[2], row[3] = string(im.org), int64(im.doc), int64(im.n), int64(id)
			row[4], row[5] = int64(p.role), int64(p.depth)
			row[6], row[7], row[8], row[9] = int64(im.words[p.kind]), int64(im.words[p.scope]), int64(im.words[p.supplier]), int64(im.words[p.licence])
			if !yield(row) {
				return
			}
		}
	}
	if err := insertComponents(im.ctx, im.tx, rows); err != nil {
		return err
	}
	im.batch = im.batch[:0]
	return nil
}

// knowPackages finds the packages of the batch in the dictionary and adds those that
// are new.
func (im *importer) knowPackages() error {
	if len(im.packages) > maxRemembered {
		clear(im.packages)
		im.forgot = true
	}
	var asked []key
	for i := range im.batch {
		k := im.batch[i].key
		if _, ok := im.packages[k]; !ok {
			im.packages[k] = 0 // asked for
			asked = append(asked, k)
		}
	}
	// An empty dictionary has nothing to tell.
	if im.before > 0 || im.forgot {
		err := lookUpPackages(im.ctx, im.tx, im.org, asked, func(k key, id uint32) { im.packages[k] = id })
		if err != nil {
			return err
		}
	}
	if im.newest > math.MaxUint32-batchSize {
		return fmt.Errorf("the dictionary of packages of %s is full", im.org)
	}
	return insertPackages(im.ctx, im.tx, im.org, im.unknown())
}

// unknown gives the packages of the batch that are in no dictionary, once each, with
// their new numbers.
func (im *importer) unknown() iter.Seq2[key, Package] {
	return func(yield func(key, Package) bool) {
		for i := range im.batch {
			p := &im.batch[i]
			if im.packages[p.key] != 0 {
				continue
			}
			im.newest++
			im.packages[p.key] = im.newest
			pack := decodePackage(p.pack)
			pack.ID = im.newest
			if !yield(p.key, pack) {
				return
			}
		}
	}
}

// knowWords is knowPackages for words. The empty word is number 0 everywhere.
func (im *importer) knowWords() error {
	if len(im.words) > maxWords {
		clear(im.words)
	}
	var asked []string
	ask := func(w string) {
		if w == "" {
			return
		}
		if _, ok := im.words[w]; !ok {
			im.words[w] = 0
			asked = append(asked, w)
		}
	}
	for i := range im.batch {
		p := &im.batch[i]
		ask(p.kind)
		ask(p.scope)
		ask(p.supplier)
		ask(p.licence)
	}
	if len(asked) == 0 {
		return nil
	}
	err := lookUpWords(im.ctx, im.tx, im.org, asked, func(w string, id uint32) { im.words[w] = id })
	if err != nil {
		return err
	}
	return insertWords(im.ctx, im.tx, im.org, func(yield func(uint32, string) bool) {
		for _, w := range asked {
			if im.words[w] != 0 {
				continue
			}
			im.lastWord++
			im.words[w] = im.lastWord
			if !yield(im.lastWord, w) {
				return
			}
		}
	})
}

// encodeIDs writes ascending numbers as their differences.
func encodeIDs(ids []uint32) []byte {
	b := make([]byte, 0, 2*len(ids)+8)
	last := uint32(0)
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id-last))
		last = id
	}
	return b
}

// decodeIDs reads what encodeIDs wrote and appends it to ids.
func decodeIDs(b []byte, ids []uint32) ([]uint32, error) {
	last := uint64(0)
	for len(b) > 0 {
		step, n := binary.Uvarint(b)
		last += step
		if n <= 0 || last > math.MaxUint32 {
			return nil, fmt.Errorf("the list of a document's packages is damaged")
		}
		b = b[n:]
		ids = append(ids, uint32(last))
	}
	return ids, nil
}
