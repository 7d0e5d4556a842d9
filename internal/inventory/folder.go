package inventory

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
)

// Folder is a folder of bills of materials, bound to products.
type Folder struct {
	Bound []BoundFile
	// Unbound are files that belong to no product.
	Unbound []string
	// Without are products that no file belongs to.
	Without []chain.NodeID
}

// BoundFile is a file that belongs to a product. A product with several files has a
// part for each.
type BoundFile struct {
	Path    string
	Product chain.NodeID
	Part    string
}

// endings are what files of bills of materials are called; several may follow one
// another: portal.cdx.json.gz.
var endings = []string{".json", ".xml", ".spdx", ".cdx", ".jsonld", ".gz", ".bom", ".sbom", ".tag", ".spdx3", ".cyclonedx"}

// stems gives a file name without its last ending, without its last two, and so on,
// in lower case; none for a file that is no bill of materials by its name.
func stems(name string) []string {
	name = strings.ToLower(name)
	var out []string
	for {
		end := strings.LastIndexByte(name, '.')
		if end <= 0 || !slices.Contains(endings, name[end:]) {
			return out
		}
		name = name[:end]
		out = append(out, name)
	}
}

// BindFolder binds the files of a folder and its subfolders to products: by the
// patterns of the product, which are matched with the path within the folder and
// with the name alone, or, for a product without patterns, by the name, which is the
// product's id with the ending of a bill of materials. Hidden files and files with
// another ending that no pattern names are passed over.
func BindFolder(dir fs.FS, products []chain.Product) (Folder, error) {
	var f Folder
	byProduct := make(map[chain.NodeID][]string)
	byID := make(map[string]chain.NodeID, len(products))
	var patterned []chain.Product
	for _, p := range products {
		if len(p.SBOMs) == 0 {
			byID[strings.ToLower(string(p.ID))] = p.ID
			continue
		}
		for _, pattern := range p.SBOMs {
			if _, err := path.Match(pattern, ""); err != nil {
				return f, entente.Invalid("product %s: %q is no pattern for file names", p.ID, pattern)
			}
		}
		patterned = append(patterned, p)
	}
	err := fs.WalkDir(dir, ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(e.Name(), ".") && file != "." {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			return nil
		}
		bound := false
		for _, p := range patterned {
			if matches(p.SBOMs, file) {
				byProduct[p.ID] = append(byProduct[p.ID], file)
				bound = true
			}
		}
		names := stems(e.Name())
		for _, name := range names {
			if id, ok := byID[name]; ok {
				byProduct[id] = append(byProduct[id], file)
				bound = true
				break
			}
		}
		if !bound && len(names) > 0 {
			f.Unbound = append(f.Unbound, file)
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	for _, p := range products {
		files := byProduct[p.ID]
		if len(files) == 0 {
			f.Without = append(f.Without, p.ID)
			continue
		}
		for _, file := range files {
			b := BoundFile{Path: file, Product: p.ID}
			if len(files) > 1 {
				b.Part = file
			}
			f.Bound = append(f.Bound, b)
		}
	}
	slices.SortFunc(f.Bound, func(a, b BoundFile) int {
		return cmp.Or(cmp.Compare(a.Product, b.Product), cmp.Compare(a.Path, b.Path))
	})
	return f, nil
}

// matches says whether one of the patterns names the file. They were checked before.
func matches(patterns []string, file string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		for _, name := range []string{file, path.Base(file)} {
			if ok, err := path.Match(pattern, name); ok && err == nil {
				return true
			}
		}
		return false
	})
}

// FolderReport says what became of the files of a folder.
type FolderReport struct {
	Recorded  []Document
	Unchanged int
	Failed    []FileError
	// Stale are current documents of parts that the folder holds no file for; they
	// were recorded earlier and stay until they are removed.
	Stale []CurrentDocument
}

// FileError is a file that could not be recorded, and why.
type FileError struct {
	Path string
	Err  error
}

// RecordFolder records every bound file of a folder. A file that is wrong is
// reported and does not stop the others; done is called after each file and may be
// nil.
func (s *Service) RecordFolder(ctx context.Context, actor entente.Actor, dir fs.FS, f Folder, done func(file BoundFile)) (FolderReport, error) {
	var report FolderReport
	parts := make(map[chain.NodeID][]string)
	for _, b := range f.Bound {
		parts[b.Product] = append(parts[b.Product], b.Part)
	}
	for _, b := range f.Bound {
		doc, changed, err := s.recordFile(ctx, actor, dir, b, parts[b.Product])
		switch {
		case err == nil && changed:
			report.Recorded = append(report.Recorded, doc)
		case err == nil:
			report.Unchanged++
		case ctx.Err() != nil:
			return report, ctx.Err()
		case entente.KindOf(err) == entente.KindInvalid, entente.KindOf(err) == entente.KindTooLarge, entente.KindOf(err) == entente.KindNotFound,
			errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			report.Failed = append(report.Failed, FileError{b.Path, err})
		default:
			return report, err
		}
		if done != nil {
			done(b)
		}
	}
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		report.Stale = nil
		current, err := CurrentDocuments(ctx, tx, actor.Org)
		for _, d := range current {
			if held, ok := parts[d.Product]; ok && !slices.Contains(held, d.Part) {
				report.Stale = append(report.Stale, d)
			}
		}
		return err
	})
	return report, err
}

func (s *Service) recordFile(ctx context.Context, actor entente.Actor, dir fs.FS, b BoundFile, parts []string) (doc Document, changed bool, err error) {
	in, err := dir.Open(b.Path)
	if err != nil {
		return Document{}, false, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	return s.record(ctx, actor, b.Product, b.Part, path.Base(b.Path), in, Origin{}, func(part string) bool { return slices.Contains(parts, part) })
}
