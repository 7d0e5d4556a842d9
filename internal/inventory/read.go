package inventory

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/cyclonedx"
	"github.com/entente-project/entente/internal/inventory/sbom"
	"github.com/entente-project/entente/internal/inventory/spdx"
)

// sniffSize is how much of a document is looked at to tell its format.
const sniffSize = 64 << 10

// ReadSBOM reads a bill of materials of any known format and emits its components.
// It unpacks gzip, and reads UTF-8 with or without a mark and UTF-16. The name is
// that of the file or upload, for messages; it does not decide about the format.
func ReadSBOM(r io.Reader, name string, lim sbom.Limits, emit sbom.Emit) (sbom.Document, error) {
	doc, err := readSBOM(r, lim, emit)
	if err != nil {
		return doc, named(name, err)
	}
	return doc, nil
}

// named puts the name of the document before the message of a known error.
func named(name string, err error) error {
	var known *entente.Error
	if name == "" || !errors.As(err, &known) {
		return err
	}
	with := *known
	with.Message = entente.Say("%s: %s", sbom.Clip(name), known.Message)
	return &with
}

func readSBOM(r io.Reader, lim sbom.Limits, emit sbom.Emit) (sbom.Document, error) {
	in, err := plain(r, lim)
	if err != nil {
		return sbom.Document{}, err
	}
	head, err := in.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return sbom.Document{}, readError(err)
	}
	kind, err := sniff(head)
	if err != nil {
		return sbom.Document{}, err
	}
	var doc sbom.Document
	switch kind.format {
	case sbom.CycloneDX:
		doc, err = cyclonedx.Read(in, kind.encoding, lim, emit)
	default:
		doc, err = spdx.Read(in, kind.encoding, lim, emit)
	}
	return doc, readError(err)
}

// readError gives a message to errors of decompression; others stay as they are.
func readError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return entente.Invalid("the compressed document ends too early; it was probably cut off: fetch or export it again")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		return entente.Invalid("the gzip archive is damaged: %v; fetch or export it again", err)
	}
	return err
}

// plain gives the document as UTF-8 without compression and within the limits.
func plain(r io.Reader, lim sbom.Limits) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(&limited{r: r, limit: lim.Bytes}, sniffSize)
	head, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte{0x1F, 0x8B}) {
		packed := &counted{r: in}
		unpacked, err := gzip.NewReader(packed)
		if err != nil {
			return nil, readError(err)
		}
		in = bufio.NewReaderSize(&limited{r: unpacked, limit: lim.Bytes, packed: packed, ratio: int64(lim.Ratio)}, sniffSize)
		head, err = in.Peek(4)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, readError(err)
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		_, err := in.Discard(3)
		return in, err
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		return bufio.NewReaderSize(&utf16Reader{r: in}, sniffSize), nil
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		return bufio.NewReaderSize(&utf16Reader{r: in, big: true}, sniffSize), nil
	case len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return bufio.NewReaderSize(&utf16Reader{r: in}, sniffSize), nil
	case len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return bufio.NewReaderSize(&utf16Reader{r: in, big: true}, sniffSize), nil
	}
	return in, nil
}

// counted counts what was read of a compressed document.
type counted struct {
	r *bufio.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counted) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// unpackedFree is what a compressed document may unpack to before its ratio counts.
const unpackedFree = 1 << 20

// limited fails when a document goes beyond its limits.
type limited struct {
	r      io.Reader
	limit  int64
	n      int64
	packed *counted
	ratio  int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += int64(n)
	if l.n > l.limit {
		return 0, entente.TooLarge("the document is larger than %s", bytesText(l.limit))
	}
	if l.packed != nil && l.n > unpackedFree && l.n/l.ratio > l.packed.n {
		return 0, entente.TooLarge("the compressed document unpacks to more than %d times its size; send it uncompressed if that is right", l.ratio)
	}
	return n, err
}

func bytesText(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// utf16Reader turns UTF-16 into UTF-8.
type utf16Reader struct {
	r       *bufio.Reader
	big     bool
	pending []byte
	begun   bool
	saved   rune // the first half of a pair without its second, or what came instead
	err     error
}

func (u *utf16Reader) unit() (rune, error) {
	if u.saved != 0 {
		r := u.saved
		u.saved = 0
		return r, nil
	}
	var b [2]byte
	if _, err := io.ReadFull(u.r, b[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, io.EOF
		}
		return 0, err
	}
	if u.big {
		return rune(b[0])<<8 | rune(b[1]), nil
	}
	return rune(b[1])<<8 | rune(b[0]), nil
}

func (u *utf16Reader) rune() (rune, error) {
	r, err := u.unit()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	low, err := u.unit()
	if err != nil {
		return utf8.RuneError, nil
	}
	pair := utf16.DecodeRune(r, low)
	if pair == utf8.RuneError {
		u.saved = low
	}
	return pair, nil
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.pending) < 4096 && u.err == nil {
		r, err := u.rune()
		if err != nil {
			u.err = err
			break
		}
		if !u.begun && r == 0xFEFF {
			u.begun = true
			continue
		}
		u.begun = true
		u.pending = utf8.AppendRune(u.pending, r)
	}
	n := copy(p, u.pending)
	u.pending = u.pending[:copy(u.pending, u.pending[n:])]
	if n == 0 && len(p) > 0 {
		return 0, u.err
	}
	return n, nil
}
