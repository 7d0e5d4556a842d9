package identity

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
)

var update = flag.Bool("update", false, "write the golden files anew")

var columnsInOrder = append(entente.Roles(), entente.RoleSystem)

// TestCanGolden walks every role × every verb × every sort of object × the doors
// and compares with testdata/policy.golden, which a reviewer signs off on its own.
func TestCanGolden(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Y may, - may not, . another organisation: answered as if it did not exist.\n")
	b.WriteString("# Objects in order: the organisation as a whole, a process in scope, a process out of scope, a partnership in scope,\n")
	b.WriteString("# a partnership out of scope, a supplier, a supply, a product, a system; then the same nine with an API token made\n")
	b.WriteString("# for the verb, and with one made for another verb; then all 27 in another organisation.\n")
	for _, v := range Verbs() {
		fmt.Fprintf(&b, "\n%s\n", v)
		for _, role := range columnsInOrder {
			fmt.Fprintf(&b, "  %-14s", role)
			for _, org := range []entente.OrgID{"beanline", "elsewhere"} {
				for _, narrowed := range []struct {
					door  entente.Door
					verbs []string
				}{{entente.DoorPage, nil}, {entente.DoorAPI, []string{string(v)}}, {entente.DoorAPI, []string{"other.verb"}}} {
					b.WriteByte(' ')
					for _, o := range []Object{
						{}, {Kind: KindProcess, ID: "mine"}, {Kind: KindProcess, ID: "theirs"},
						{Kind: KindPartnership, ID: "mine"}, {Kind: KindPartnership, ID: "theirs"},
						{Kind: "organisation", ID: "mine"}, {Kind: "supply", ID: "mine"}, {Kind: "product", ID: "x"}, {Kind: "system", ID: "mine"},
					} {
						o.Org = org
						actor := entente.Actor{Org: "beanline", Role: role, Door: narrowed.door, Scope: []string{"mine"}, Verbs: narrowed.verbs}
						ok, reason := Can(actor, v, o)
						switch {
						case ok && reason.Blank():
							b.WriteByte('Y')
						case ok || reason.Blank():
							t.Fatalf("%s %s %+v: ok %v with reason %q", role, v, o, ok, reason)
						case reason.Text == notHere:
							b.WriteByte('.')
						default:
							b.WriteByte('-')
						}
					}
				}
			}
			b.WriteByte('\n')
		}
	}
	const file = "testdata/policy.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the table of rights changed; if that is meant, run go test -update and have it reviewed:\n%s", diff)
	}
}

// What must hold whatever the table says.
func TestCanInvariants(t *testing.T) {
	for _, v := range Verbs() {
		for _, role := range columnsInOrder {
			actor := entente.Actor{Org: "a", Role: role, Scope: []string{"x"}}
			if ok, _ := Can(actor, v, Object{Org: "b", Kind: KindProcess, ID: "x"}); ok {
				t.Errorf("%s may %s in another organisation", role, v)
			}
			if err := Require(actor, v, In("b")); entente.KindOf(err) != entente.KindNotFound {
				t.Errorf("%s %s in another organisation: %v, want not found", role, v, err)
			}
		}
		if ok, _ := Can(entente.Actor{}, v, Object{}); ok {
			t.Errorf("the empty actor may %s", v)
		}
		if ok, _ := Can(entente.Actor{Org: "a", Role: "admin"}, v, In("a")); ok {
			t.Errorf("an unknown role may %s", v)
		}
		if ok, _ := Can(entente.Actor{Org: "a", Role: entente.RoleSystem, Person: "p"}, v, In("a")); ok {
			t.Errorf("a person may %s as the program", v)
		}
		if ok, _ := Can(entente.Actor{Org: "a", Role: entente.RoleOwner, Door: entente.DoorAPI}, v, In("a")); ok {
			t.Errorf("a token without verbs may %s", v)
		}
		if ok, _ := Can(entente.Actor{Org: "a", Role: entente.RoleAuditor}, v, In("a")); ok {
			if changes := !strings.HasSuffix(string(v), ".read") && v != JournalExport && v != ExchangeExport && v != JournalVerify && v != AccountSelf && v != TokenManage && v != ViewSave; changes {
				t.Errorf("an auditor may %s", v)
			}
		}
	}
	if err := Require(entente.Actor{Org: "a", Role: entente.RoleOwner}, "no.such", In("a")); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("an unknown verb: %v, want denied", err)
	}
	if err := Require(entente.Actor{Org: "a", Role: entente.RoleOwner}, ChainEdit, In("a")); err != nil {
		t.Error(err)
	}
}

func TestTokenVerbs(t *testing.T) {
	for _, v := range TokenVerbs(entente.Actor{Org: "a", Role: entente.RoleAuditor}) {
		if v == ChainEdit || v == TokenManage || v == AccountSelf {
			t.Errorf("an auditor's token can be made for %s", v)
		}
	}
	if got := TokenVerbs(entente.Actor{Role: "admin"}); got != nil {
		t.Errorf("an unknown role has token verbs %v", got)
	}
}

func BenchmarkCan(b *testing.B) {
	actor := entente.Actor{Org: "a", Role: entente.RoleBusinessOwner, Scope: []string{"x", "y", "z"}}
	for b.Loop() {
		Can(actor, ChainEdit, Object{Org: "a", Kind: KindProcess, ID: "z"})
	}
}
