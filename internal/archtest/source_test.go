package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/entente-project/entente"

// source is one parsed Go file of the house.
type source struct {
	path    string // from the root, with slashes
	dir     string // "" for the root
	test    bool
	file    *ast.File
	imports []string
}

var fset = token.NewFileSet()

var house = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := walk(func(name string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, filepath.Join(root, filepath.FromSlash(name)), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if ignored(file) {
			return nil
		}
		s := source{path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), file: file}
		if s.dir == "." {
			s.dir = ""
		}
		for _, imported := range file.Imports {
			s.imports = append(s.imports, strings.Trim(imported.Path.Value, `"`))
		}
		all = append(all, s)
		return nil
	})
	return all, err
})

const root = "../.."

// walk calls fn with every file of the house, by its path from the root.
func walk(fn func(name string) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			hidden := strings.HasPrefix(d.Name(), ".") && name != "." && name != ".ci"
			if hidden || name == "bin" || d.Name() == "node_modules" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		return fn(name)
	})
}

// ignored says whether a file is never built: its build constraint is "never".
func ignored(f *ast.File) bool {
	for _, group := range f.Comments {
		if group.Pos() < f.Package && slices.ContainsFunc(group.List, func(c *ast.Comment) bool { return c.Text == "//go:build never" }) {
			return true
		}
	}
	return false
}

func sources(t *testing.T) []source {
	t.Helper()
	all, err := house()
	if err != nil {
		t.Fatalf("the house cannot be read: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("the house has no Go files: is the test run from its own folder?")
	}
	return all
}

func line(pos token.Pos) int { return fset.Position(pos).Line }

func lines(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	n := strings.Count(string(text), "\n")
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return n
}
