// Command texts writes the list of everything that Entente says to people: every
// constant of type entente.Text in the tree, with its form for one where it depends
// on a number, and the files in which it is said.
//
//	go run ./texts ROOT
package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/tools/go/packages"
)

const (
	vocabulary = "github.com/entente-project/entente"
	catalogue  = "internal/web/lang/catalogue/en.yaml"

	head = `# Every text of Entente, and the files in which it is said. Written by make generate;
# do not change it. How to add a language: docs/languages.md.
language: en
name: English
day: 2 Jan 2006
moment: 2 Jan 2006, 15:04
texts:
`
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: texts ROOT")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "texts:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	mode := packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedSyntax
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: root}, "./...")
	if err != nil {
		return err
	}
	found := finding{texts: map[string]*text{}}
	for _, p := range loaded {
		for _, e := range p.Errors {
			err = errors.Join(err, e)
		}
		for _, file := range p.Syntax {
			name, relative := filepath.Rel(root, p.Fset.Position(file.Package).Filename)
			if relative != nil {
				return relative
			}
			found.file(p.TypesInfo, file, said(filepath.ToSlash(name)))
		}
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, catalogue), found.yaml(), 0o644)
}

// said names the file that people write.
func said(name string) string {
	if source, ok := strings.CutSuffix(name, "_templ.go"); ok {
		return source + ".templ"
	}
	return name
}

// text is one text of the tree.
type text struct {
	one   string
	files map[string]bool
}

type finding struct{ texts map[string]*text }

func (f *finding) add(said, one, file string) {
	if !worded(said) {
		return
	}
	t := f.texts[said]
	if t == nil {
		t = &text{one: one, files: map[string]bool{}}
		f.texts[said] = t
	}
	if t.one == "" || one != "" && one < t.one {
		t.one = one
	}
	t.files[file] = true
}

// worded says whether there is something to translate.
func worded(s string) bool {
	for _, verb := range []string{"%s", "%d", "%v", "%q", "%w"} {
		s = strings.ReplaceAll(s, verb, "")
	}
	return s != "" && (strings.ContainsFunc(s, unicode.IsLetter) || strings.ContainsAny(s, ",;.:"))
}

func (f *finding) file(info *types.Info, file *ast.File, name string) {
	ones := map[ast.Expr]bool{} // said with their partner, not by themselves
	ast.Inspect(file, func(n ast.Node) bool {
		one, other := pair(info, n)
		if one != nil {
			ones[one] = true
			f.add(value(info, other), value(info, one), name)
		}
		e, ok := n.(ast.Expr)
		if !ok || !constantText(info, e) {
			return true
		}
		if !ones[e] {
			f.add(value(info, e), "", name)
		}
		return false
	})
}

func isText(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Text" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == vocabulary
}

func constantText(info *types.Info, e ast.Expr) bool {
	tv, ok := info.Types[e]
	return ok && tv.Value != nil && tv.Value.Kind() == constant.String && isText(tv.Type)
}

func value(info *types.Info, e ast.Expr) string { return constant.StringVal(info.Types[e].Value) }

// pair finds a text and its form for one: arguments of parameters called one and
// other, or fields of one literal.
func pair(info *types.Info, n ast.Node) (one, other ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		signature, ok := info.TypeOf(n.Fun).(*types.Signature)
		if !ok {
			return nil, nil
		}
		for i := 0; i+1 < min(signature.Params().Len(), len(n.Args)); i++ {
			if signature.Params().At(i).Name() == "one" && isText(signature.Params().At(i).Type()) {
				one, other = n.Args[i], n.Args[i+1]
			}
		}
	case *ast.CompositeLit:
		for _, element := range n.Elts {
			field, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key, ok := field.Key.(*ast.Ident)
			if !ok {
				continue
			}
			switch strings.ToLower(key.Name) {
			case "one":
				one = field.Value
			case "text", "many", "other":
				other = field.Value
			}
		}
	}
	if one == nil || other == nil || !constantText(info, one) || !constantText(info, other) {
		return nil, nil
	}
	return one, other
}

func (f *finding) yaml() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	texts := slices.SortedFunc(maps.Keys(f.texts), func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	})
	for _, said := range texts {
		t := f.texts[said]
		fmt.Fprintf(&b, "  # %s\n  %s:", strings.Join(slices.Sorted(maps.Keys(t.files)), " "), strconv.Quote(said))
		if t.one == "" {
			fmt.Fprintf(&b, " %s\n", strconv.Quote(said))
			continue
		}
		fmt.Fprintf(&b, "\n    one: %s\n    other: %s\n", strconv.Quote(t.one), strconv.Quote(said))
	}
	return b.Bytes()
}
