package advisory

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	entente "github.com/entente-project/entente"
)

// TestEveryReasonIsReadBack looks through the files that say why: a sentence that
// [reasons] does not know would be shown in English to everybody.
func TestEveryReasonIsReadBack(t *testing.T) {
	known := map[string]bool{}
	for _, text := range reasons.Texts() {
		known[string(text)] = true
	}
	found := 0
	for _, name := range []string{"match.go", "rules.go", "distro.go", "versions.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			var said ast.Expr
			switch n := n.(type) {
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Sprintf" || f.Sel.Name == "Errorf" || f.Sel.Name == "New") && len(n.Args) > 0 {
					said = n.Args[0]
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Why" || key.Name == "Doubt") {
					said = n.Value
				}
			}
			if literal, ok := said.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				found++
				if !known[text] {
					t.Errorf("%s says %q, which is not among the reasons", name, text)
				}
			}
			return true
		})
	}
	if found < 20 {
		t.Errorf("only %d sentences were found", found)
	}
}

func TestReasonTellsDoubtsApart(t *testing.T) {
	m := Reason(`2.0 lies in [1, 3) of GHSA-1, but "v2" is a moving tag, not a version`)
	if m.Text != "%s, but %s" {
		t.Fatalf("it was read as %#v", m)
	}
	for i, want := range []entente.Text{"%s lies in %s of %s", "%q is a moving tag, not a version"} {
		if part, ok := m.Args[i].(entente.Message); !ok || part.Text != want {
			t.Errorf("part %d was read as %#v, want %q", i, m.Args[i], want)
		}
	}
	if m := Reason("the words of somebody else"); m.Text != "%s" {
		t.Errorf("other words were read as %#v", m)
	}
}
