package inventory

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/entente-project/entente"
)

// tempFile is a file that nobody else sees and whose contents are gone when it is
// closed, or when the program is killed.
type tempFile struct {
	*os.File
	left string // its name, where a file in use cannot be removed
}

func newTemp(dir string) (*tempFile, error) {
	f, err := os.CreateTemp(dir, "entente-sbom-*")
	if err != nil {
		return nil, fmt.Errorf("keep an upload: %w", err)
	}
	t := &tempFile{File: f}
	if err := os.Remove(f.Name()); err != nil {
		t.left = f.Name()
	}
	return t, nil
}

func (t *tempFile) close() error {
	err := t.Close()
	if t.left != "" {
		return errors.Join(err, os.Remove(t.left))
	}
	return err
}

func (t *tempFile) rewind() error {
	_, err := t.Seek(0, io.SeekStart)
	return err
}

// upload is the bytes of a document as they came.
type upload struct {
	*tempFile
	sha256 string
	size   int64
}

// receive keeps a document in a file, so that a slow sender holds up nobody.
func receive(ctx context.Context, dir, name string, r io.Reader, limit int64) (*upload, error) {
	f, err := newTemp(dir)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	buf := make([]byte, 64<<10)
	size, err := io.CopyBuffer(io.MultiWriter(struct{ io.Writer }{f}, h), struct{ io.Reader }{&cancelled{ctx, io.LimitReader(r, limit+1)}}, buf)
	if err == nil && size > limit {
		err = named(name, entente.TooLarge("the document is larger than %s", bytesText(limit)))
	}
	if err == nil {
		err = f.rewind()
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return &upload{f, hex.EncodeToString(h.Sum(nil)), size}, nil
}

// cancelled ends a read when its context does.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// line is a component on its way into the database.
type line struct {
	key      key
	role     Role
	depth    int
	kind     string
	scope    string
	supplier string
	licence  string
	pack     []byte // the package, encoded; most are in the dictionary already
}

// lines is a file of components that were read and understood, from which the
// transaction that stores them can be run, and run again.
type lines struct {
	*tempFile
	w   *bufio.Writer
	buf []byte
}

func newLines(dir string) (*lines, error) {
	f, err := newTemp(dir)
	if err != nil {
		return nil, err
	}
	return &lines{tempFile: f, w: bufio.NewWriterSize(f, 64<<10)}, nil
}

func putText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func (l *lines) add(p *Package, role Role, depth int, kind, scope, supplier, licence string) error {
	k := p.key()
	b := append(l.buf[:0], k[:]...)
	b = binary.AppendUvarint(b, uint64(role))
	b = binary.AppendUvarint(b, uint64(depth))
	for _, s := range []string{kind, scope, supplier, licence} {
		b = putText(b, s)
	}
	for _, s := range []string{p.Type, p.Namespace, p.Name, p.Version, p.Qualifiers, p.Subpath, p.PURL, p.CPE} {
		b = putText(b, s)
	}
	l.buf = b
	var size [binary.MaxVarintLen64]byte
	if _, err := l.w.Write(size[:binary.PutUvarint(size[:], uint64(len(b)))]); err != nil {
		return err
	}
	_, err := l.w.Write(b)
	return err
}

// each reads the file from its begin. The line is valid within take only.
func (l *lines) each(take func(*line) error) error {
	if err := l.w.Flush(); err != nil {
		return err
	}
	if err := l.rewind(); err != nil {
		return err
	}
	in := bufio.NewReaderSize(l.File, 64<<10)
	var raw []byte
	var at line
	for {
		size, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if uint64(cap(raw)) < size {
			raw = make([]byte, size)
		}
		raw = raw[:size]
		if _, err := io.ReadFull(in, raw); err != nil {
			return err
		}
		at.decode(raw)
		if err := take(&at); err != nil {
			return err
		}
	}
}

func (at *line) decode(b []byte) {
	b = b[copy(at.key[:], b):]
	number := func() int {
		v, n := binary.Uvarint(b)
		b = b[n:]
		return int(v)
	}
	text := func(old string) string {
		n := number()
		s := b[:n]
		b = b[n:]
		if string(s) == old {
			return old // neighbours repeat each other
		}
		return string(s)
	}
	at.role = Role(number())
	at.depth = number()
	at.kind = text(at.kind)
	at.scope = text(at.scope)
	at.supplier = text(at.supplier)
	at.licence = text(at.licence)
	at.pack = b
}

// decodePackage reads what add wrote of a package.
func decodePackage(b []byte) Package {
	var p Package
	for _, into := range []*string{&p.Type, &p.Namespace, &p.Name, &p.Version, &p.Qualifiers, &p.Subpath, &p.PURL, &p.CPE} {
		n, size := binary.Uvarint(b)
		b = b[size:]
		*into = string(b[:n])
		b = b[n:]
	}
	return p
}
