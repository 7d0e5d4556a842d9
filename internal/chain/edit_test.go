package chain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

const editMap = `
format: entente.map/1
organisation: us
currency: EUR
organisations:
  - {id: us, name: Us}
  - {id: roaster, name: Roaster}
processes:
  - {id: buying, name: Buying, needs: [portal, beans]}
systems:
  - {id: portal, name: Portal, kind: application, operator: us}
  - {id: shop, name: Shop, kind: application, operator: roaster}
supplies:
  - {id: beans, name: Beans, supplier: roaster, customer: us, kind: bespoke, nature: goods}
products:
  - {id: suite, name: Suite, supplier: roaster, version: "1.0"}
flows:
  - {id: orders, from: portal, to: shop, data: [orders], class: confidential}
`

func editable(t *testing.T, d *db.DB) *Service {
	t.Helper()
	m, err := ParseMap(strings.NewReader(editMap), "map")
	if err != nil {
		t.Fatal(err)
	}
	s := New(d)
	mustImport(t, s, owner, m)
	t.Cleanup(func() {
		if err := keptAsStored(s, d, owner.Org); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustThing(t *testing.T, s *Service, kind NodeKind, id NodeID) Thing {
	t.Helper()
	thing, err := s.Thing(t.Context(), owner, kind, id)
	if err != nil {
		t.Fatal(err)
	}
	return thing
}

func TestEditOneThing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := editable(t, d)
		for _, c := range []struct {
			kind NodeKind
			id   NodeID
			text string
		}{
			{KindOrganisation, "lab", `{"id": "lab", "name": "Lab", "country": "DE", "contacts": [{"name": "Desk", "phone": "+49 30 1"}]}`},
			{KindSystem, "desk", `{"id": "desk", "name": "Desk", "kind": "service", "needs": [{"any": ["portal", "shop"], "buffer": "4h", "note": "paper"}]}`},
			{KindSupply, "tests", `{"id": "tests", "name": "Tests", "supplier": "lab", "nature": "service"}`},
			{KindProduct, "kit", "id: kit\nname: Kit\nsupplier: lab\nversion: \"2\"\n"},
			{KindFlow, "results", `{"id": "results", "from": "lab", "to": "desk", "data": ["results"], "class": "personal"}`},
			{KindProcess, "testing", `{"id": "testing", "name": "Testing", "bia": {"criticality": "high", "rto": "4h"}, "activities": [{"id": "test", "name": "Test", "needs": ["tests"]}]}`},
		} {
			done, err := s.PutThing(t.Context(), owner, c.kind, c.id, c.text, "")
			if err != nil {
				t.Fatalf("adding %s: %v", c.id, err)
			}
			if added, _, _ := done.Counts(); added != 1 {
				t.Errorf("adding %s: %+v", c.id, done)
			}
			now := mustThing(t, s, c.kind, c.id)
			if _, err := s.PutThing(t.Context(), owner, c.kind, c.id, c.text, ""); entente.KindOf(err) != entente.KindConflict {
				t.Errorf("adding %s twice: %v", c.id, err)
			}
			fields, err := now.Fields()
			if err != nil || fields["id"] != string(c.id) {
				t.Errorf("the fields of %s: %v %v", c.id, fields, err)
			}
			if done, err := s.PutThing(t.Context(), owner, c.kind, c.id, c.text, now.Version); err != nil || !done.Unchanged() {
				t.Errorf("saving %s as it is: %+v %v", c.id, done, err)
			}
			past, err := s.History(t.Context(), owner, c.kind, c.id, 10)
			if err != nil || len(past) != 1 || past[0].Before != "" || past[0].After != now.Text || past[0].By != "Ada" || past[0].Import {
				t.Errorf("the history of %s: %+v %v", c.id, past, err)
			}
		}
		past, err := s.History(t.Context(), owner, KindSystem, "portal", 10)
		if err != nil || len(past) != 1 || !past[0].Import {
			t.Errorf("the history of what was imported: %+v %v", past, err)
		}
		for _, c := range []struct{ text, field, words string }{
			{`{"id": "portal", "name": ""}`, "name", ""},
			{`{"id": "portal", "name": "P", "needs": [{"any": ["portal"]}]}`, "needs[0].any[0]", "itself"},
			{`{"id": "portal", "name": "P", "needs": [{"any": ["nothing"]}]}`, "needs[0].any[0]", "nothing in the map"},
			{`{"id": "portal", "name": "P", "needs": [{"any": ["shop"], "buffer": "soon"}]}`, "needs[0].buffer", "soon"},
			{`{"id": "gate", "name": "P"}`, "id", "stays"},
			{`{"id": "portal", "name": "P", "colour": "red"}`, "colour", ""},
		} {
			_, err := s.PutThing(t.Context(), owner, KindSystem, "portal", c.text, mustThing(t, s, KindSystem, "portal").Version)
			var wrong *entente.Error
			if !errors.As(err, &wrong) || wrong.Kind != entente.KindInvalid || len(wrong.Fields) == 0 || wrong.Fields[0].Field != c.field || !strings.Contains(wrong.Fields[0].Message.String(), c.words) {
				t.Errorf("%s: %+v", c.text, err)
			}
		}
	})
}

func TestTwoEditOneThing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := editable(t, d)
		read := mustThing(t, s, KindSystem, "portal")
		other := mustThing(t, s, KindSystem, "shop")
		if _, err := s.PutThing(t.Context(), owner, KindSystem, "portal", `{"id": "portal", "name": "Portal of Ada", "operator": "us"}`, read.Version); err != nil {
			t.Fatal(err)
		}
		_, err := s.PutThing(t.Context(), owner, KindSystem, "portal", `{"id": "portal", "name": "Portal of Bea"}`, read.Version)
		now, edited := WasEdited(err)
		if entente.KindOf(err) != entente.KindConflict || !edited || now.Name != "Portal of Ada" {
			t.Fatalf("the second edit: %v, %+v", err, now)
		}
		if _, err := s.PutThing(t.Context(), owner, KindSystem, "portal", `{"id": "portal", "name": "Portal of Bea"}`, now.Version); err != nil {
			t.Errorf("the second edit, decided: %v", err)
		}
		if _, err := s.PutThing(t.Context(), owner, KindSystem, "shop", `{"id": "shop", "name": "Web shop"}`, other.Version); err != nil {
			t.Errorf("an edit of another thing is no conflict: %v", err)
		}
		if _, err := s.RemoveThing(t.Context(), owner, KindFlow, "orders", mustThing(t, s, KindFlow, "orders").Version); err != nil {
			t.Fatal(err)
		}
		_, err = s.PutThing(t.Context(), owner, KindFlow, "orders", `{"id": "orders", "from": "portal", "to": "shop"}`, "some version")
		if now, edited := WasEdited(err); !edited || now.Version != "" {
			t.Errorf("saving what was removed: %v", err)
		}
	})
}

func TestRemoveAndUndo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := editable(t, d)
		remove := func(kind NodeKind, id NodeID) error {
			_, err := s.RemoveThing(t.Context(), owner, kind, id, mustThing(t, s, kind, id).Version)
			return err
		}
		undo := func(kind NodeKind, id NodeID) error {
			past, err := s.History(t.Context(), owner, kind, id, 1)
			if err != nil || len(past) == 0 {
				return fmt.Errorf("no history: %w", err)
			}
			_, err = s.UndoThing(t.Context(), owner, kind, id, past[0].N)
			return err
		}
		for id, kind := range map[NodeID]NodeKind{"portal": KindSystem, "beans": KindSupply, "roaster": KindOrganisation, "us": KindOrganisation} {
			err := remove(kind, id)
			if entente.KindOf(err) != entente.KindConflict || !strings.Contains(err.Error(), map[NodeID]string{"portal": "Buying", "beans": "Buying", "roaster": "Beans", "us": "our own"}[id]) {
				t.Errorf("removing %s, which is needed: %v", id, err)
			}
		}
		was := mustThing(t, s, KindProduct, "suite")
		if err := remove(KindProduct, "suite"); err != nil {
			t.Fatal(err)
		}
		if err := undo(KindProduct, "suite"); err != nil {
			t.Fatal(err)
		}
		if now := mustThing(t, s, KindProduct, "suite"); now != was {
			t.Errorf("after the undo: %+v; want %+v", now, was)
		}
		if err := undo(KindProduct, "suite"); err != nil { // the undo of the undo
			t.Fatal(err)
		}
		if _, err := s.Thing(t.Context(), owner, KindProduct, "suite"); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("the undo was not undone: %v", err)
		}

		// What was added cannot be undone once something relies on it.
		put := func(kind NodeKind, id NodeID, text, version string) {
			t.Helper()
			if _, err := s.PutThing(t.Context(), owner, kind, id, text, version); err != nil {
				t.Fatal(err)
			}
		}
		put(KindSystem, "new", `{"id": "new", "name": "New"}`, "")
		put(KindProcess, "buying", `{"id": "buying", "name": "Buying", "needs": ["new"]}`, mustThing(t, s, KindProcess, "buying").Version)
		if err := undo(KindSystem, "new"); entente.KindOf(err) != entente.KindConflict || !strings.Contains(err.Error(), "Buying") {
			t.Errorf("undoing what is needed: %v", err)
		}
		// What it was before cannot come back when what it relied on is gone.
		put(KindSystem, "shop", `{"id": "shop", "name": "Shop", "needs": ["portal"]}`, mustThing(t, s, KindSystem, "shop").Version)
		put(KindSystem, "shop", `{"id": "shop", "name": "Shop"}`, mustThing(t, s, KindSystem, "shop").Version)
		if err := remove(KindFlow, "orders"); err != nil {
			t.Fatal(err)
		}
		if err := remove(KindSystem, "portal"); err != nil {
			t.Fatal(err)
		}
		if err := undo(KindSystem, "shop"); entente.KindOf(err) != entente.KindConflict || !strings.Contains(err.Error(), "portal") {
			t.Errorf("undoing to what does not hold: %v", err)
		}
		past, err := s.History(t.Context(), owner, KindSystem, "shop", 10)
		if err != nil || len(past) != 3 {
			t.Fatalf("%+v %v", past, err)
		}
		if _, err := s.UndoThing(t.Context(), owner, KindSystem, "shop", past[1].N); entente.KindOf(err) != entente.KindConflict {
			t.Errorf("undoing what is not the latest change: %v", err)
		}
	})
}

func TestWhoMayEditWhat(t *testing.T) {
	s := editable(t, dbtest.SQLite(t))
	texts := map[NodeKind]string{}
	ids := map[NodeKind]NodeID{KindOrganisation: "roaster", KindProcess: "buying", KindSystem: "shop", KindSupply: "beans", KindProduct: "suite", KindFlow: "orders"}
	for kind, id := range ids {
		texts[kind] = strings.TrimPrefix(strings.ReplaceAll("\n"+mustThing(t, s, kind, id).Text, "\n  ", "\n"), "\n- ")
		if strings.HasPrefix(texts[kind], "\n") {
			t.Fatal(texts[kind])
		}
	}
	for _, c := range []struct {
		actor entente.Actor
		may   []NodeKind
	}{
		{actor("beanline", entente.RoleOwner), Kinds()},
		{actor("beanline", entente.RoleAnalyst), Kinds()},
		{actor("beanline", entente.RoleProcurement), []NodeKind{KindOrganisation, KindSupply, KindProduct}},
		{actor("beanline", entente.RoleBusinessOwner, "buying"), []NodeKind{KindProcess}},
		{actor("beanline", entente.RoleBusinessOwner, "other"), nil},
		{actor("beanline", entente.RoleAuditor), nil},
		{actor("beanline", entente.RoleContact), nil},
	} {
		for kind, id := range ids {
			want := entente.Kind("")
			if !slices.Contains(c.may, kind) {
				want = entente.KindDenied
			}
			if _, err := s.PutThing(t.Context(), c.actor, kind, id, texts[kind], mustThing(t, s, kind, id).Version); kindOrNone(err) != want {
				t.Errorf("%s edits %s: %v", c.actor.Role, kind, err)
			}
			if want == "" {
				continue
			}
			if _, err := s.RemoveThing(t.Context(), c.actor, kind, id, ""); entente.KindOf(err) != want {
				t.Errorf("%s removes %s: %v", c.actor.Role, kind, err)
			}
			if _, err := s.UndoThing(t.Context(), c.actor, kind, id, 1); entente.KindOf(err) != want {
				t.Errorf("%s undoes a change of %s: %v", c.actor.Role, kind, err)
			}
		}
	}
	if _, err := s.History(t.Context(), actor("beanline", entente.RoleContact), KindSystem, "shop", 1); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("a contact reads the history: %v", err)
	}
	if past, err := s.History(t.Context(), actor("rosthof", entente.RoleOwner), KindSystem, "shop", 1); err != nil || len(past) != 0 {
		t.Errorf("another organisation reads the history: %+v %v", past, err)
	}
}

func kindOrNone(err error) entente.Kind {
	if err == nil {
		return ""
	}
	return entente.KindOf(err)
}

// Text that a person typed never makes the reader fall over, and what it takes can
// be written and read back.
func FuzzParseThing(f *testing.F) {
	for _, k := range Kinds() {
		f.Add(string(k), `{"id": "a", "name": "A", "needs": ["b", {"any": ["c", "d"], "buffer": "4h"}]}`)
	}
	f.Add("process", "id: a\nbia: {rto: 4h}\nactivities: [{id: x, needs: [y]}]")
	f.Add("flow", "&a [*a]")
	f.Fuzz(func(t *testing.T, kind, text string) {
		thing, _, err := parseThing(NodeKind(kind), text)
		if err != nil {
			return
		}
		entry := entryText(thing)
		if entry == "" {
			return
		}
		again, err := parseEntry(NodeKind(kind), entry)
		if err != nil {
			t.Fatalf("%v\n%s", err, entry)
		}
		if entryText(again) != entry {
			t.Fatalf("%q became %q", entry, entryText(again))
		}
	})
}
