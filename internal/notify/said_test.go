package notify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	entente "github.com/entente-project/entente"
)

// Whatever a delivery or a hook keeps as its reason is read back into its text, or
// people would read it in English whatever their language.
func TestEveryOutcomeIsReadBack(t *testing.T) {
	known := map[string]bool{}
	for _, text := range outcomes.Texts() {
		known[string(text)] = true
	}
	found := 0
	for _, name := range []string{"client.go", "worker.go", "../outbound/outbound.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		ok(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is {
				return true
			}
			f, is := call.Fun.(*ast.SelectorExpr)
			if !is || f.Sel.Name != "Say" {
				return true
			}
			literal, is := call.Args[0].(*ast.BasicLit)
			if !is {
				t.Errorf("%s says what is no constant", name)
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			ok(t, err)
			found++
			if !known[text] {
				t.Errorf("%s says %q, which is not among the outcomes", name, text)
			}
			return true
		})
	}
	if found < len(known) {
		t.Errorf("only %d sentences were found, of %d", found, len(known))
	}
	m := Outcome("Ada: the first set it up and may not manage webhooks any more; somebody who may must save it")
	if inner, is := m.Args[0].(entente.Message); m.Text != "%s; somebody who may must save it" || !is || inner.Args[0] != "Ada: the first" {
		t.Errorf("it was read as %#v", m)
	}
}
