package advisory

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"unsafe"
)

// indexForm is the version of the stored form. It goes up whenever the form or the
// rules by which packages are named change, so that older ones are built anew.
const indexForm = 1

var indexMagic = [8]byte{'e', 'n', 't', 'i', 'n', 'd', 'e', 'x'}

// ErrIndexForm says that a stored index cannot be used: it is damaged or of another
// version. It is built anew from the tables.
var ErrIndexForm = errors.New("the stored index is damaged or of another version")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Save writes the compact form: flat arrays of little-endian numbers, then a sum.
// An index with additions is compacted first.
func (x *Index) Save(w io.Writer) error {
	if x.added.count > 0 || len(x.added.ids) > 0 || x.docs.missing > 0 {
		x = x.Compact()
	}
	sum := crc32.New(castagnoli)
	buf := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<20)
	e := encoder{w: buf}
	e.bytes(indexMagic[:])
	e.number(indexForm)
	f := &x.base
	for _, list := range [][]uint32{f.keyAt, f.candFrom, f.slot, f.version, f.release, f.doubt, f.wordAt, f.ids, f.postAt, f.posts} {
		e.list(list)
	}
	e.text(f.keyText)
	e.text(f.wordText)
	e.text(string(f.noEpoch))
	e.list(x.docs.ids)
	e.list(x.docs.product)
	e.number(uint32(len(x.docs.products)))
	for _, p := range x.docs.products {
		e.text(p)
	}
	if e.err == nil {
		e.err = buf.Flush()
	}
	if e.err != nil {
		return fmt.Errorf("save the index: %w", e.err)
	}
	var end [4]byte
	binary.LittleEndian.PutUint32(end[:], sum.Sum32())
	if _, err := w.Write(end[:]); err != nil {
		return fmt.Errorf("save the index: %w", err)
	}
	return nil
}

type encoder struct {
	w   io.Writer
	err error
}

func (e *encoder) bytes(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *encoder) number(n uint32) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], n)
	e.bytes(b[:])
}

func (e *encoder) list(list []uint32) {
	e.number(uint32(len(list)))
	var b [4096]byte
	for part := range slices.Chunk(list, len(b)/4) {
		for i, n := range part {
			binary.LittleEndian.PutUint32(b[4*i:], n)
		}
		e.bytes(b[:4*len(part)])
	}
}

func (e *encoder) text(s string) {
	e.number(uint32(len(s)))
	if e.err == nil {
		_, e.err = io.WriteString(e.w, s)
	}
}

// LoadIndex reads the compact form. What is damaged or of another version gives
// [ErrIndexForm]; nothing in it is trusted before its sum and its order are right.
func LoadIndex(r io.Reader) (*Index, error) {
	d := &decoder{r: bufio.NewReaderSize(r, 1<<20)}
	var magic [len(indexMagic)]byte
	d.fill(magic[:])
	if form := d.number(); d.err != nil || magic != indexMagic || form != indexForm {
		return nil, ErrIndexForm
	}
	x := NewIndex()
	f := &x.base
	for _, list := range []*[]uint32{&f.keyAt, &f.candFrom, &f.slot, &f.version, &f.release, &f.doubt, &f.wordAt, &f.ids, &f.postAt, &f.posts} {
		*list = d.list()
	}
	f.keyText, f.wordText = d.text(), d.text()
	f.noEpoch = []byte(d.text())
	docs, product := d.list(), d.list()
	products := int(d.number())
	for i := 0; i < products && d.err == nil; i++ {
		name := d.text()
		x.docs.place[name] = uint32(len(x.docs.products))
		x.docs.products = append(x.docs.products, name)
	}
	want := d.sum
	if sum := d.number(); d.err != nil || sum != want {
		return nil, ErrIndexForm
	}
	x.docs.ids, x.docs.product, x.docs.gone = docs, product, make([]bool, len(docs))
	if !x.sound() {
		return nil, ErrIndexForm
	}
	x.docs.number = make(map[uint32]uint32, len(docs))
	for n, id := range docs {
		x.docs.number[id] = uint32(n)
	}
	return x, nil
}

// sound checks everything that the code relies on, so that a form that was written
// wrongly cannot crash it.
func (x *Index) sound() bool {
	f := &x.base
	n := uint32(len(f.slot))
	below := func(list []uint32, limit int) bool {
		return len(list) == 0 || int64(slices.Max(list)) < int64(limit)
	}
	return bounds(f.keyAt, len(f.keyText)) && bounds(f.wordAt, len(f.wordText)) && bounds(f.postAt, len(f.posts)) &&
		bounds(f.candFrom, int(n)) && len(f.candFrom) == len(f.keyAt) && len(f.postAt) == len(f.ids)+1 &&
		len(f.version) == int(n) && len(f.release) == int(n) && len(f.doubt) == int(n) && len(f.noEpoch) == int(n) &&
		below(f.slot, len(f.ids)) && below(f.version, len(f.wordAt)-1) && below(f.release, len(f.wordAt)-1) &&
		below(f.doubt, len(f.wordAt)-1) && below(f.posts, len(x.docs.ids)) && slices.IsSorted(f.ids) &&
		len(x.docs.product) == len(x.docs.ids) && below(x.docs.product, len(x.docs.products))
}

// bounds says whether a list begins at 0, ascends and ends at the end.
func bounds(list []uint32, end int) bool {
	return len(list) > 0 && list[0] == 0 && int(list[len(list)-1]) == end && slices.IsSorted(list)
}

type decoder struct {
	r   io.Reader
	sum uint32
	err error
}

func (d *decoder) fill(b []byte) {
	if d.err != nil {
		return
	}
	if _, d.err = io.ReadFull(d.r, b); d.err == nil {
		d.sum = crc32.Update(d.sum, castagnoli, b)
	}
}

func (d *decoder) number() uint32 {
	var b [4]byte
	d.fill(b[:])
	return binary.LittleEndian.Uint32(b[:])
}

// piece is how much is read at once: a length that lies costs no more memory.
const piece = 1 << 20

func (d *decoder) list() []uint32 {
	n := int(d.number())
	var out []uint32
	for len(out) < n && d.err == nil {
		part := min(n-len(out), piece)
		at := len(out)
		out = slices.Grow(out, part)[:at+part]
		d.fill(raw(out[at:]))
	}
	if d.err != nil {
		return nil
	}
	if !littleEndian {
		for i, v := range out {
			var b [4]byte
			binary.NativeEndian.PutUint32(b[:], v)
			out[i] = binary.LittleEndian.Uint32(b[:])
		}
	}
	return out
}

// raw gives the memory of a list, to read straight into it.
func raw(list []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(list))), 4*len(list))
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

func (d *decoder) text() string {
	n := int(d.number())
	var out []byte
	for len(out) < n && d.err == nil {
		part := min(n-len(out), 4*piece)
		at := len(out)
		out = slices.Grow(out, part)[:at+part]
		d.fill(out[at:])
	}
	if d.err != nil {
		return ""
	}
	return string(out)
}
