package inventory

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
)

// TestEveryOddityIsReadBack looks through the readers of documents: a sentence that
// [oddities] does not know would be shown in English to everybody.
func TestEveryOddityIsReadBack(t *testing.T) {
	known := map[string]bool{}
	for _, text := range oddities.Texts() {
		known[string(text)] = true
	}
	var files []string
	for _, pattern := range []string{"*.go", "*/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	sentences := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			var said ast.Expr
			switch f := call.Fun.(type) {
			case *ast.Ident:
				if f.Name == "odd" {
					said = call.Args[0]
				}
			case *ast.SelectorExpr:
				of, _ := f.X.(*ast.SelectorExpr)
				bare, _ := f.X.(*ast.Ident)
				notes := of != nil && of.Sel.Name == "notes" || bare != nil && bare.Name == "notes"
				if len(call.Args) > 1 && (notes && (f.Sel.Name == "Add" || f.Sel.Name == "At") || f.Sel.Name == "note") {
					said = call.Args[1]
				}
			}
			if said == nil {
				return true
			}
			literal, ok := said.(*ast.BasicLit)
			if !ok {
				if _, passed := said.(*ast.Ident); !passed {
					t.Errorf("%s puts a sentence together from pieces", name)
				}
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			sentences++
			if !known[text] {
				t.Errorf("%s says %q, which is not among the oddities", name, text)
			}
			return true
		})
	}
	if sentences < 50 {
		t.Errorf("only %d sentences were found", sentences)
	}
}

func TestOddReadsWhatLiesWithin(t *testing.T) {
	m := Odd(`the package URL "npm:left" cannot be read: it does not begin with pkg:`)
	if len(m.Args) != 2 || m.Args[0] != "npm:left" {
		t.Fatalf("it was read as %#v", m)
	}
	if why, ok := m.Args[1].(entente.Message); !ok || why.Text != "it does not begin with pkg:" {
		t.Errorf("the reason was read as %#v", m.Args[1])
	}
	if m := Odd("component 1200 (left)"); m.Text != "component %d (%s)" || m.Args[0] != 1200 {
		t.Errorf("the place was read as %#v", m)
	}
}
