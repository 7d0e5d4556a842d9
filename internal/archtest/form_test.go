package archtest

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const longest = 800

func TestFilesAreShort(t *testing.T) {
	err := walk(func(name string) error {
		if !slices.Contains([]string{".go", ".templ", ".css", ".ts", ".sql"}, path.Ext(name)) || strings.HasSuffix(name, "_templ.go") {
			return nil
		}
		if n := lines(t, name); n > longest {
			t.Errorf("%s has %d lines, %d more than a reader should meet at once: split it by what it does", name, n, n-longest)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A package is named after what it holds; these names hold anything.
func TestNoLumberRooms(t *testing.T) {
	lumber := []string{"utils", "util", "common", "helpers", "helper", "misc", "shared", "base", "lib", "types", "models", "interfaces"}
	for _, s := range sources(t) {
		if slices.Contains(lumber, s.file.Name.Name) || slices.Contains(lumber, path.Base(s.dir)) {
			t.Errorf("%s: package %s says nothing about what it holds", s.path, s.file.Name.Name)
		}
	}
}

// One word for one thing (docs/architecture.md). Codecs speak their format's
// language and are left out.
func TestOneWordForOneThing(t *testing.T) {
	words := map[string]string{
		"Vendor": "Supplier", "ThirdParty": "Supplier", "Company": "Organisation", "Organization": "Organisation",
		"Tenant": "Organisation", "Vuln": "Advisory", "Dependency": "Need", "Dependencies": "Needs",
		"Workflow": "Process",
	}
	for _, s := range sources(t) {
		if _, codec := pure[s.dir]; codec || s.test || strings.HasSuffix(s.path, "_templ.go") {
			continue
		}
		for name, at := range declared(s.file) {
			for word, ours := range words {
				if regexp.MustCompile(word + `($|[A-Z0-9_s])`).MatchString(name) {
					t.Errorf("%s:%d declares %s: the house says %s for that", s.path, at, name, ours)
				}
			}
		}
	}
}

// declared gives the exported names that a file declares, with their lines.
func declared(f *ast.File) map[string]int {
	names := map[string]int{}
	add := func(id *ast.Ident) {
		if id != nil && id.IsExported() {
			names[id.Name] = line(id.Pos())
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(d.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name)
					if fields, ok := spec.Type.(*ast.StructType); ok {
						for _, field := range fields.Fields.List {
							for _, id := range field.Names {
								add(id)
							}
						}
					}
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						add(id)
					}
				}
			}
		}
	}
	return names
}

// Every room begins with a tour.
func TestEveryPackageHasADoc(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test {
			documented[s.dir] = documented[s.dir] || s.file.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: say what it is for", dir)
		}
	}
	for _, storey := range floors {
		for _, name := range storey {
			if _, exists := documented[name]; !exists || !strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "internal/bench") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, name, "doc.go")); err != nil {
				t.Errorf("%s has no doc.go: every room begins with one (purpose, tables, events)", name)
			}
		}
	}
}

// What reads foreign text is fuzzed: an exported function that begins with Parse,
// Read, Decode or Walk and takes a reader or bytes needs a Fuzz test in its package.
func TestParsersAreFuzzed(t *testing.T) {
	fuzzed, parsers := map[string]bool{}, map[string]string{}
	reads := regexp.MustCompile(`^(Parse|Read|Decode)`)
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			switch {
			case s.test && strings.HasPrefix(fn.Name.Name, "Fuzz"):
				fuzzed[s.dir] = true
			case !s.test && fn.Recv == nil && reads.MatchString(fn.Name.Name) && takesText(fn):
				parsers[s.dir] = fn.Name.Name
			}
		}
	}
	for dir, name := range parsers {
		if !fuzzed[dir] {
			t.Errorf("%s has the parser %s but no Fuzz test", dir, name)
		}
	}
}

func takesText(fn *ast.FuncDecl) bool {
	for _, field := range fn.Type.Params.List {
		switch kind := field.Type.(type) {
		case *ast.ArrayType:
			if id, ok := kind.Elt.(*ast.Ident); ok && id.Name == "byte" && kind.Len == nil {
				return true
			}
		case *ast.SelectorExpr:
			if pkg, ok := kind.X.(*ast.Ident); ok && pkg.Name == "io" && strings.HasPrefix(kind.Sel.Name, "Read") {
				return true
			}
		}
	}
	return false
}

// Open ends carry the number of an issue, and nothing says of itself that it is
// not there yet.
func TestNoLooseEnds(t *testing.T) {
	open := regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	numbered := regexp.MustCompile(`\bTODO\(#\d+\)`)
	for _, s := range sources(t) {
		if s.dir == "internal/archtest" {
			continue
		}
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if open.MatchString(c.Text) && !numbered.MatchString(c.Text) {
					t.Errorf("%s:%d: an open end without the number of its issue", s.path, line(c.Pos()))
				}
			}
		}
	}
}
