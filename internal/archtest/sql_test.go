package archtest

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// written finds the tables that a piece of SQL writes. Keywords stand in capitals
// throughout the house, which keeps prose out.
var written = regexp.MustCompile(`\b(?:INSERT\s+(?:OR\s+[A-Z]+\s+)?INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|ALTER\s+TABLE|DROP\s+TABLE)\s+([a-z_][a-z0-9_]*)`)

// A room writes only its own tables: their names begin with the room's.
func TestARoomWritesOnlyItsTables(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		owner := room(s.dir)
		if s.test || !strings.HasPrefix(owner, "internal/") || owner == "internal/db" || owner == "internal/archtest" {
			continue
		}
		prefix := strings.TrimPrefix(owner, "internal/") + "_"
		ast.Inspect(s.file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				return true
			}
			for _, match := range written.FindAllStringSubmatch(text, -1) {
				found++
				if !strings.HasPrefix(match[1], prefix) {
					t.Errorf("%s:%d writes the table %s: %s writes only tables that begin with %q; other rooms learn of it from the journal",
						s.path, line(literal.Pos()), match[1], owner, prefix)
				}
			}
			return true
		})
	}
	t.Logf("%d writing statements", found)
}

func TestWrittenFindsTables(t *testing.T) {
	for text, want := range map[string]string{
		"INSERT INTO chain_need (org) VALUES ($1) ON CONFLICT (org) DO UPDATE SET a = 1": "chain_need",
		"UPDATE advisory_match SET state = $1":                                           "advisory_match",
		"DELETE FROM inventory_document WHERE org = $1":                                  "inventory_document",
		"SELECT org FROM chain_need FOR UPDATE":                                          "",
		"update the map and import it again":                                             "",
	} {
		got := ""
		for _, match := range written.FindAllStringSubmatch(text, -1) {
			got += match[1]
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
