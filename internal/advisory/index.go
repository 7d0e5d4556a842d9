package advisory

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
)

// Index answers which packages, documents and products an advisory concerns, at a
// cost that follows the hits. It holds one organisation's current bills of
// materials in flat arrays: packages by the names that advisories use, and for each
// package the documents that contain it. What changes goes to small additions
// beside the arrays, which [Index.Compact] merges.
//
// An Index is not safe for use by several goroutines while it changes.
type Index struct {
	base  flat
	added additions
	docs  documents

	// nodes is what the chain knows of the products; see nodesOf.
	nodes atomic.Pointer[productNodes]
}

// flat is the part that does not change. Slots number the packages in ascending
// order of their ids.
type flat struct {
	// Names: key i is keyText[keyAt[i]:keyAt[i+1]], "ecosystem\x00name", sorted.
	keyText string
	keyAt   []uint32
	// The candidates of key i are candFrom[i]:candFrom[i+1].
	candFrom []uint32
	slot     []uint32 // the package of a candidate
	version  []uint32 // its version, a position in words
	release  []uint32 // its release, a position in words
	doubt    []uint32 // its doubt, a position in words
	noEpoch  []byte
	// Words are the texts above, each once: word i is wordText[wordAt[i]:wordAt[i+1]].
	wordText string
	wordAt   []uint32
	// Packages: id, and the documents posts[postAt[slot]:postAt[slot+1]], ascending.
	ids    []uint32
	postAt []uint32
	posts  []uint32
}

// additions is what came after the flat part was built.
type additions struct {
	names map[PackageKey][]added
	slots map[uint32]uint32 // id of a new package → slot, beyond those of the flat part
	ids   []uint32
	posts map[uint32][]uint32 // slot → documents
	count int
}

type added struct {
	slot uint32
	cand Candidate
}

// documents numbers the documents in the order in which they were added; postings
// hold these numbers.
type documents struct {
	ids      []uint32
	product  []uint32 // position in products
	gone     []bool
	missing  int // how many are gone
	number   map[uint32]uint32
	products []string
	place    map[string]uint32
}

// Hit is one package that an advisory concerns.
type Hit struct {
	Package uint32 // id in the dictionary of the organisation
	State   State  // [Affected] or [Unknown]
	Why     string
	Key     PackageKey
	Version string
}

// NewIndex gives an empty index.
func NewIndex() *Index {
	x := &Index{}
	x.base.keyAt, x.base.candFrom, x.base.wordAt, x.base.postAt = []uint32{0}, []uint32{0}, []uint32{0}, []uint32{0}
	x.clearAdditions()
	x.docs.number, x.docs.place = map[uint32]uint32{}, map[string]uint32{}
	return x
}

func (x *Index) clearAdditions() {
	x.added = additions{names: map[PackageKey][]added{}, slots: map[uint32]uint32{}, posts: map[uint32][]uint32{}}
}

// AddPackage puts a package into the index; one that is known stays as it is.
func (x *Index) AddPackage(id uint32, names Names) {
	if _, known := x.slotOf(id); known {
		return
	}
	slot := uint32(len(x.base.ids) + len(x.added.ids))
	x.added.ids = append(x.added.ids, id)
	x.added.slots[id] = slot
	for _, c := range names.Candidates {
		x.added.names[c.Key] = append(x.added.names[c.Key], added{slot, c})
		x.added.count++
	}
}

// AddDocument puts a document with its packages into the index. Packages that were
// not added before are ignored, and so is a document that is known.
func (x *Index) AddDocument(id uint32, product string, packages []uint32) {
	if n, known := x.docs.number[id]; known && !x.docs.gone[n] {
		return
	}
	n := x.docs.add(id, product)
	for _, p := range packages {
		slot, known := x.slotOf(p)
		if !known {
			continue
		}
		list := x.added.posts[slot]
		if len(list) > 0 && list[len(list)-1] == n {
			continue // the same package twice in one document
		}
		x.added.posts[slot] = append(list, n)
		x.added.count++
	}
}

func (d *documents) add(id uint32, product string) uint32 {
	n := uint32(len(d.ids))
	place, known := d.place[product]
	if !known {
		place = uint32(len(d.products))
		d.products = append(d.products, product)
		d.place[product] = place
	}
	d.ids = append(d.ids, id)
	d.product = append(d.product, place)
	d.gone = append(d.gone, false)
	d.number[id] = n
	return n
}

// RemoveDocument takes a document out: it was superseded or withdrawn.
func (x *Index) RemoveDocument(id uint32) {
	n, known := x.docs.number[id]
	if !known || x.docs.gone[n] {
		return
	}
	x.docs.gone[n] = true
	x.docs.missing++
	delete(x.docs.number, id)
}

// HasDocument says whether a document is in the index.
func (x *Index) HasDocument(id uint32) bool {
	_, known := x.docs.number[id]
	return known
}

// HasPackage says whether a package is in the index.
func (x *Index) HasPackage(id uint32) bool {
	_, known := x.slotOf(id)
	return known
}

func (x *Index) slotOf(id uint32) (uint32, bool) {
	if i, found := slices.BinarySearch(x.base.ids, id); found {
		return uint32(i), true
	}
	slot, found := x.added.slots[id]
	return slot, found
}

func (f *flat) key(i int) string { return f.keyText[f.keyAt[i]:f.keyAt[i+1]] }

func (f *flat) word(i uint32) string { return f.wordText[f.wordAt[i]:f.wordAt[i+1]] }

// find gives the position of a key in the flat part, -1 if it has none.
func (f *flat) find(k PackageKey) int {
	n := len(f.keyAt) - 1
	i := sort.Search(n, func(i int) bool { return compareKey(f.key(i), k) >= 0 })
	if i < n && compareKey(f.key(i), k) == 0 {
		return i
	}
	return -1
}

const keySeparator = "\x00"

// compareKey compares a written key with a key without joining the latter.
func compareKey(written string, k PackageKey) int {
	eco, name, _ := strings.Cut(written, keySeparator)
	return cmp.Or(strings.Compare(eco, k.Ecosystem), strings.Compare(name, k.Name))
}

// Concerns says whether any package has one of the names.
func (x *Index) Concerns(keys []PackageKey) bool {
	for _, k := range keys {
		if x.base.find(k) >= 0 || len(x.added.names[k]) > 0 {
			return true
		}
	}
	return false
}

// Match gives the packages that the advisory affects or may affect, in order of
// their ids.
func (x *Index) Match(m *Matcher) []Hit {
	var hits []Hit
	seen := map[uint32]int{}
	put := func(slot uint32, c *Candidate) {
		v := m.MatchCandidate(c)
		if v.State != Affected && v.State != Unknown {
			return
		}
		h := Hit{Package: x.idOf(slot), State: v.State, Why: v.Why, Key: c.Key, Version: c.Version}
		if at, twice := seen[slot]; twice {
			if rank(v.State) > rank(hits[at].State) {
				hits[at] = h
			}
			return
		}
		seen[slot] = len(hits)
		hits = append(hits, h)
	}
	for _, k := range m.Keys() {
		if i := x.base.find(k); i >= 0 {
			for at := x.base.candFrom[i]; at < x.base.candFrom[i+1]; at++ {
				c := x.base.candidate(k, at)
				put(x.base.slot[at], &c)
			}
		}
		for i := range x.added.names[k] {
			a := &x.added.names[k][i]
			put(a.slot, &a.cand)
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Compare(a.Package, b.Package) })
	return hits
}

func (f *flat) candidate(k PackageKey, at uint32) Candidate {
	return Candidate{
		Key: k, Version: f.word(f.version[at]), Release: f.word(f.release[at]),
		Doubt: f.word(f.doubt[at]), NoEpoch: f.noEpoch[at] != 0,
	}
}

func (x *Index) idOf(slot uint32) uint32 {
	if int(slot) < len(x.base.ids) {
		return x.base.ids[slot]
	}
	return x.added.ids[int(slot)-len(x.base.ids)]
}

// Posting is one document that contains a package.
type Posting struct {
	Document uint32
	Product  string
}

// Documents calls f for each current document that contains the package.
func (x *Index) Documents(id uint32, f func(Posting)) {
	x.numbers(id, func(n uint32) {
		f(Posting{Document: x.docs.ids[n], Product: x.docs.products[x.docs.product[n]]})
	})
}

// numbers calls f with the number of each current document of a package.
func (x *Index) numbers(id uint32, f func(n uint32)) {
	slot, known := x.slotOf(id)
	if !known {
		return
	}
	if int(slot) < len(x.base.ids) {
		for _, n := range x.base.posts[x.base.postAt[slot]:x.base.postAt[slot+1]] {
			if !x.docs.gone[n] {
				f(n)
			}
		}
	}
	for _, n := range x.added.posts[slot] {
		if !x.docs.gone[n] {
			f(n)
		}
	}
}

// IndexSize counts what an index holds.
type IndexSize struct {
	Packages, Documents, Products, Postings int
	Bytes                                   int64 // of memory, nearly
}

// Size counts what the index holds.
func (x *Index) Size() IndexSize {
	f := &x.base
	s := IndexSize{
		Packages: len(f.ids) + len(x.added.ids), Documents: len(x.docs.ids) - x.docs.missing,
		Products: len(x.docs.products), Postings: len(f.posts),
	}
	for _, list := range x.added.posts {
		s.Postings += len(list)
	}
	words := len(f.keyAt) + len(f.candFrom) + len(f.slot) + len(f.version) + len(f.release) + len(f.doubt) +
		len(f.wordAt) + len(f.ids) + len(f.postAt) + len(f.posts)
	s.Bytes = int64(words)*4 + int64(len(f.keyText)+len(f.wordText)+len(f.noEpoch))
	// A document with its maps takes about 60 bytes, a product with its name 90, an
	// entry of the additions 100.
	s.Bytes += int64(len(x.docs.ids))*60 + int64(len(x.docs.products))*90 + int64(x.added.count+len(x.added.ids))*100
	return s
}

// Worn says whether the additions and the documents that are gone have grown so
// much that [Index.Compact] pays.
func (x *Index) Worn() bool {
	return x.added.count > 50_000+len(x.base.posts)/4 || x.docs.missing > 100+len(x.docs.ids)/4
}
