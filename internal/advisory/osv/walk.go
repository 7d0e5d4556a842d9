package osv

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/entente-project/entente"
)

// Limits bounds what a walk reads, so that a hostile archive costs little. A bound
// that is hit is named in the error.
type Limits struct {
	Record   int64 // bytes of one record
	File     int64 // bytes of one file that holds several records
	Entries  int   // entries of one archive
	Unpacked int64 // bytes that all archives of one walk may unpack to
	Ratio    int64 // unpacked to packed size of one entry, beyond its first MiB
	Nesting  int   // archives within archives
	Archive  int64 // bytes of an archive within an archive, which is held in memory
}

// DefaultLimits suit the whole of osv.dev.
func DefaultLimits() Limits {
	return Limits{
		Record: MaxRecord, File: 256 << 20, Entries: 2_000_000, Unpacked: 32 << 30,
		Ratio: 200, Nesting: 1, Archive: 256 << 20,
	}
}

// Doc is one record as found. The receiver owns Data.
type Doc struct {
	Where string // file, then the entry of an archive, then the place in an array: "Go/all.zip/GO-2024-2448.json"
	Data  []byte
}

// Visitor receives what a walk finds, in order. An error that it returns ends the
// walk and comes back unchanged.
type Visitor struct {
	Doc func(Doc) error
	// Wrong is told of what could not be read; the walk goes on.
	Wrong func(where string, err error) error
	// Skipped is told of files that are no advisories by their name; it may be nil.
	Skipped func(where string)
}

type walker struct {
	ctx      context.Context
	lim      Limits
	v        Visitor
	unpacked int64
}

// Walk visits the records of a file (.json, .jsonl, .ndjson, .zip) or of all files
// of a folder and its folders.
func Walk(ctx context.Context, name string, lim Limits, v Visitor) error {
	info, err := os.Stat(name)
	if err != nil {
		return entente.Invalid("the advisories %s cannot be read: %s", name, err.Error()).Because(err)
	}
	w := &walker{ctx: ctx, lim: lim, v: v}
	if !info.IsDir() {
		if kind(name) == other {
			return entente.Invalid("%s is neither .json, .jsonl nor .zip", name)
		}
		return w.file(os.DirFS(filepath.Dir(name)), filepath.Base(name), name)
	}
	return w.folder(os.DirFS(name), filepath.ToSlash(filepath.Clean(name)))
}

// WalkFS visits the records of all files of a file system, such as the advisories
// that ship with the program.
func WalkFS(ctx context.Context, fsys fs.FS, lim Limits, v Visitor) error {
	w := &walker{ctx: ctx, lim: lim, v: v}
	return w.folder(fsys, "")
}

// WalkReader visits the records of one uploaded file; name tells what it is.
func WalkReader(ctx context.Context, r io.Reader, name string, lim Limits, v Visitor) error {
	w := &walker{ctx: ctx, lim: lim, v: v}
	switch kind(name) {
	case archive:
		data, err := readAll(r, lim.Archive)
		if err != nil {
			return named(name, err)
		}
		return w.zip(bytes.NewReader(data), int64(len(data)), name, 0)
	case lines, single:
		return w.stream(r, name, kind(name))
	}
	return entente.Invalid("%s is neither .json, .jsonl nor .zip", name)
}

type fileKind int

const (
	other fileKind = iota
	single
	lines
	archive
)

func kind(name string) fileKind {
	switch strings.ToLower(path.Ext(filepath.ToSlash(name))) {
	case ".json":
		return single
	case ".jsonl", ".ndjson":
		return lines
	case ".zip":
		return archive
	}
	return other
}

func (w *walker) folder(fsys fs.FS, base string) error {
	return fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		where := path.Join(base, p)
		if err != nil {
			return w.v.Wrong(where, fmt.Errorf("cannot be read: %w", err))
		}
		if d.IsDir() {
			return nil
		}
		if !d.Type().IsRegular() || kind(p) == other {
			w.skip(where)
			return nil
		}
		return w.file(fsys, p, where)
	})
}

func (w *walker) skip(where string) {
	if w.v.Skipped != nil {
		w.v.Skipped(where)
	}
}

func (w *walker) file(fsys fs.FS, p, where string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	f, err := fsys.Open(p)
	if err != nil {
		return w.v.Wrong(where, fmt.Errorf("cannot be opened: %w", err))
	}
	defer f.Close()
	k := kind(p)
	if k != archive {
		return w.stream(f, where, k)
	}
	if ra, ok := f.(io.ReaderAt); ok {
		info, err := f.Stat()
		if err != nil {
			return w.v.Wrong(where, fmt.Errorf("cannot be read: %w", err))
		}
		return w.zip(ra, info.Size(), where, 0)
	}
	data, err := readAll(f, w.lim.Archive)
	if err != nil {
		return w.v.Wrong(where, err)
	}
	return w.zip(bytes.NewReader(data), int64(len(data)), where, 0)
}

func (w *walker) zip(r io.ReaderAt, size int64, where string, depth int) error {
	zr, err := zip.NewReader(r, size)
	if err != nil {
		return w.v.Wrong(where, entente.Invalid("the archive cannot be read: %v", err))
	}
	if len(zr.File) > w.lim.Entries {
		return w.v.Wrong(where, entente.TooLarge("the archive has %d entries; at most %d are read", len(zr.File), w.lim.Entries))
	}
	for _, f := range zr.File {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if f.FileInfo().IsDir() {
			continue
		}
		entry := where + "/" + f.Name
		k := kind(f.Name)
		if k == other || !f.Mode().IsRegular() {
			w.skip(entry)
			continue
		}
		if k == archive && depth >= w.lim.Nesting {
			if err := w.v.Wrong(entry, entente.TooLarge("the archive lies in more than %d others", w.lim.Nesting)); err != nil {
				return err
			}
			continue
		}
		data, err := w.unpack(f, k)
		var stop *spent
		switch {
		case errors.As(err, &stop):
			return w.v.Wrong(entry, stop.err)
		case err != nil:
			if err := w.v.Wrong(entry, err); err != nil {
				return err
			}
			continue
		}
		if k == archive {
			err = w.zip(bytes.NewReader(data), int64(len(data)), entry, depth+1)
		} else {
			err = w.records(data, entry, k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// spent ends an archive: what all archives may unpack to is used up.
type spent struct{ err error }

func (s *spent) Error() string { return s.err.Error() }

func (w *walker) unpack(f *zip.File, k fileKind) ([]byte, error) {
	limit := w.lim.Record
	switch k {
	case lines:
		limit = w.lim.File
	case archive:
		limit = w.lim.Archive
	}
	// The size that the archive claims is checked first, then what really comes out.
	if f.UncompressedSize64 > uint64(limit) {
		return nil, entente.TooLarge("the entry unpacks to %d bytes; at most %d are read", f.UncompressedSize64, limit)
	}
	const free = 1 << 20
	if f.UncompressedSize64 > free && f.UncompressedSize64/uint64(w.lim.Ratio) > f.CompressedSize64 {
		return nil, entente.TooLarge("the entry unpacks to more than %d times its size", w.lim.Ratio)
	}
	if w.unpacked+int64(f.UncompressedSize64) > w.lim.Unpacked {
		return nil, &spent{entente.TooLarge("the archives unpack to more than %d bytes; the rest is not read", w.lim.Unpacked)}
	}
	rc, err := f.Open()
	if err != nil {
		return nil, entente.Invalid("the entry cannot be opened: %v", err)
	}
	defer rc.Close()
	// The claimed size is not trusted with memory; reading to the end makes
	// archive/zip check the sum.
	var data bytes.Buffer
	data.Grow(int(min(f.UncompressedSize64, free)))
	n, err := data.ReadFrom(io.LimitReader(rc, int64(f.UncompressedSize64)+1))
	w.unpacked += n
	if err != nil {
		return nil, entente.Invalid("the entry cannot be unpacked: %v", err)
	}
	if n > int64(f.UncompressedSize64) {
		return nil, entente.Invalid("the entry unpacks to more than it claims")
	}
	return data.Bytes(), nil
}

// stream reads one plain file.
func (w *walker) stream(r io.Reader, where string, k fileKind) error {
	data, err := readAll(r, w.lim.File)
	if err != nil {
		return w.v.Wrong(where, err)
	}
	return w.records(data, where, k)
}

// records splits what one file holds: one record, an array of them, the answer of
// the OSV API ({"vulns": […]}), or one record a line.
func (w *walker) records(data []byte, where string, k fileKind) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if k == lines {
		n := 0
		for line := range bytes.Lines(data) {
			n++
			line = bytes.TrimSpace(line)
			if len(line) == 0 {
				continue
			}
			if err := w.doc(fmt.Sprintf("%s:%d", where, n), line); err != nil {
				return err
			}
		}
		return nil
	}
	start := bytes.TrimLeft(data, " \t\r\n")
	if len(start) == 0 {
		return w.v.Wrong(where, entente.Invalid("the file is empty"))
	}
	var many []json.RawMessage
	switch {
	case start[0] == '[':
		if err := json.Unmarshal(start, &many); err != nil {
			return w.v.Wrong(where, syntax(start, err))
		}
	case bytes.HasPrefix(bytes.TrimLeft(start[1:], " \t\r\n"), []byte(`"vulns"`)):
		var answer struct {
			Vulns []json.RawMessage `json:"vulns"`
		}
		if err := json.Unmarshal(start, &answer); err != nil {
			return w.v.Wrong(where, syntax(start, err))
		}
		many = answer.Vulns
	default:
		return w.doc(where, data)
	}
	for i, one := range many {
		if err := w.doc(fmt.Sprintf("%s[%d]", where, i), one); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) doc(where string, data []byte) error {
	if int64(len(data)) > w.lim.Record {
		return w.v.Wrong(where, entente.TooLarge("the record has %d bytes; at most %d are read", len(data), w.lim.Record))
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return w.v.Doc(Doc{Where: where, Data: data})
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, entente.TooLarge("the file has more than %d bytes", limit)
	}
	return data, nil
}

func named(name string, err error) error {
	var e *entente.Error
	if errors.As(err, &e) {
		return &entente.Error{Kind: e.Kind, Message: entente.Say("%s: %s", name, e.Message), Fields: e.Fields, Err: e.Err}
	}
	return fmt.Errorf("%s: %w", name, err)
}
