package advisory

import (
	"cmp"
	"slices"
	"strings"
)

// Builder collects packages and documents and makes an [Index] of them at once,
// which is faster than adding them one by one.
type Builder struct {
	ids      []uint32
	names    []Names
	docs     documents
	content  []uint32 // ids of packages of all documents, one after the other
	contents []int    // where the content of each document ends
}

// NewBuilder gives an empty builder.
func NewBuilder() *Builder {
	return &Builder{docs: documents{number: map[uint32]uint32{}, place: map[string]uint32{}}}
}

// AddPackage adds a package; ids may come in any order, each once.
func (b *Builder) AddPackage(id uint32, names Names) {
	b.ids = append(b.ids, id)
	b.names = append(b.names, names)
}

// AddDocument adds a document with its packages.
func (b *Builder) AddDocument(id uint32, product string, packages []uint32) {
	if _, known := b.docs.number[id]; known {
		return
	}
	b.docs.add(id, product)
	b.content = append(b.content, packages...)
	b.contents = append(b.contents, len(b.content))
}

// Index makes the index. The builder must not be used afterwards.
func (b *Builder) Index() *Index {
	x := NewIndex()
	x.docs = b.docs
	order := make([]uint32, len(b.ids))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(i, j uint32) int { return cmp.Compare(b.ids[i], b.ids[j]) })
	f := &x.base
	f.ids = make([]uint32, len(order))
	var cands []added
	for slot, i := range order {
		f.ids[slot] = b.ids[i]
		for _, c := range b.names[i].Candidates {
			cands = append(cands, added{uint32(slot), c})
		}
	}
	f.fillNames(cands)
	b.names = nil

	// Packages of the documents, as slots: ids are dense as a rule, then a table
	// does; a slot that was seen in the document before is left out.
	slots := lookup(f.ids)
	const none = ^uint32(0)
	last := make([]uint32, len(f.ids))
	for i := range last {
		last[i] = none
	}
	f.postAt = make([]uint32, len(f.ids)+1)
	each := func(visit func(slot, doc uint32)) {
		for i := range last {
			last[i] = none
		}
		from := 0
		for doc, to := range b.contents {
			for _, id := range b.content[from:to] {
				slot, known := slots(id)
				if known && last[slot] != uint32(doc) {
					last[slot] = uint32(doc)
					visit(slot, uint32(doc))
				}
			}
			from = to
		}
	}
	each(func(slot, _ uint32) { f.postAt[slot+1]++ })
	for i := range f.ids {
		f.postAt[i+1] += f.postAt[i]
	}
	f.posts = make([]uint32, f.postAt[len(f.ids)])
	next := slices.Clone(f.postAt[:len(f.ids)])
	each(func(slot, doc uint32) {
		f.posts[next[slot]] = doc
		next[slot]++
	})
	return x
}

// lookup gives the position of an id in a sorted list, by a table where ids are
// dense enough.
func lookup(ids []uint32) func(id uint32) (uint32, bool) {
	if n := len(ids); n > 0 && int(ids[n-1]) < 4*n+1024 {
		table := make([]uint32, ids[n-1]+1)
		for i, id := range ids {
			table[id] = uint32(i) + 1
		}
		return func(id uint32) (uint32, bool) {
			if int(id) >= len(table) || table[id] == 0 {
				return 0, false
			}
			return table[id] - 1, true
		}
	}
	return func(id uint32) (uint32, bool) {
		i, found := slices.BinarySearch(ids, id)
		return uint32(i), found
	}
}

// fillNames sorts the candidates by their names and writes them flat.
func (f *flat) fillNames(cands []added) {
	slices.SortStableFunc(cands, func(a, b added) int {
		return cmp.Or(strings.Compare(a.cand.Key.Ecosystem, b.cand.Key.Ecosystem), strings.Compare(a.cand.Key.Name, b.cand.Key.Name),
			cmp.Compare(a.slot, b.slot))
	})
	n := len(cands)
	f.slot, f.version, f.release, f.doubt = make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n)
	f.noEpoch = make([]byte, n)
	f.keyAt, f.candFrom, f.wordAt = []uint32{0}, nil, []uint32{0}
	var keys, words strings.Builder
	known := map[string]uint32{}
	word := func(s string) uint32 {
		at, ok := known[s]
		if !ok {
			at = uint32(len(f.wordAt) - 1)
			known[s] = at
			words.WriteString(s)
			f.wordAt = append(f.wordAt, uint32(words.Len()))
		}
		return at
	}
	word("")
	for i := range cands {
		c := &cands[i].cand
		if i == 0 || cands[i-1].cand.Key != c.Key {
			keys.WriteString(c.Key.Ecosystem)
			keys.WriteString(keySeparator)
			keys.WriteString(c.Key.Name)
			f.keyAt = append(f.keyAt, uint32(keys.Len()))
			f.candFrom = append(f.candFrom, uint32(i))
		}
		f.slot[i], f.version[i], f.release[i], f.doubt[i] = cands[i].slot, word(c.Version), word(c.Release), word(c.Doubt)
		if c.NoEpoch {
			f.noEpoch[i] = 1
		}
	}
	f.candFrom = append(f.candFrom, uint32(n))
	f.keyText, f.wordText = keys.String(), words.String()
}

// Compact merges the additions into the flat part, and leaves out the documents
// that are gone and the packages that no document contains any more.
func (x *Index) Compact() *Index {
	b := NewBuilder()
	number := make([]uint32, len(x.docs.ids)) // old number → new
	lists := [][]uint32{}
	for n, id := range x.docs.ids {
		if !x.docs.gone[n] {
			number[n] = b.docs.add(id, x.docs.products[x.docs.product[n]])
			lists = append(lists, nil)
		}
	}
	total := len(x.base.ids) + len(x.added.ids)
	names := make([][]Candidate, total)
	for i := range len(x.base.keyAt) - 1 {
		eco, name, _ := strings.Cut(x.base.key(i), keySeparator)
		k := PackageKey{eco, name}
		for at := x.base.candFrom[i]; at < x.base.candFrom[i+1]; at++ {
			slot := x.base.slot[at]
			names[slot] = append(names[slot], x.base.candidate(k, at))
		}
	}
	for _, list := range x.added.names {
		for _, a := range list {
			names[a.slot] = append(names[a.slot], a.cand)
		}
	}
	for slot := range total {
		id := x.idOf(uint32(slot))
		used := false
		x.numbers(id, func(n uint32) {
			used = true
			lists[number[n]] = append(lists[number[n]], id)
		})
		if used {
			b.AddPackage(id, Names{Candidates: names[slot]})
		}
	}
	for _, list := range lists {
		b.content = append(b.content, list...)
		b.contents = append(b.contents, len(b.content))
	}
	return b.Index()
}
