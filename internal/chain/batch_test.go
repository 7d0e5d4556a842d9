package chain

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

const batchMap = `
format: entente.map/1
organisation: us
currency: EUR
organisations:
  - {id: us, name: Us}
  - {id: roaster, name: Roaster}
  - {id: printer, name: Printer}
  - {id: holding, name: Holding}
  - {id: daughter, name: Daughter, parent: holding}
processes:
  - {id: buying, name: Buying, owner: Ada, bia: {criticality: high}, needs: [portal, beans]}
  - {id: selling, name: Selling, activities: [{id: shelving, name: Shelving}]}
systems:
  - {id: portal, name: Portal, kind: application, operator: us}
  - {id: shop, name: Shop, kind: application, operator: us}
supplies:
  - {id: beans, name: Beans, supplier: roaster, customer: us, kind: bespoke, nature: goods}
  - {id: labels, name: Labels, supplier: printer, customer: us, kind: bespoke, nature: goods}
products:
  - {id: suite, name: Suite, supplier: printer, version: "1.0"}
flows:
  - {id: orders, from: portal, to: shop, data: [orders], class: confidential}
  - {id: counts, from: shelving, to: portal, data: [counts], class: internal}
`

func batchChain(t *testing.T, d *db.DB) *Service {
	t.Helper()
	m, err := ParseMap(strings.NewReader(batchMap), "map")
	if err != nil {
		t.Fatal(err)
	}
	s := New(d)
	mustImport(t, s, owner, m)
	return s
}

func whys(p BatchPlan) map[NodeID]string {
	out := map[NodeID]string{}
	for _, t := range p.Things {
		if t.Why != nil {
			out[t.ID] = t.Why.Error()
		}
	}
	return out
}

func namesOf(nodes []Node) string {
	var words []string
	for _, n := range nodes {
		words = append(words, n.Name)
	}
	return strings.Join(words, ", ")
}

// What others rely on stays, with the reason; what only belongs to a thing goes with it.
func TestPlanOfARemoval(t *testing.T) {
	s := batchChain(t, dbtest.SQLite(t))
	for _, c := range []struct {
		kind NodeKind
		ids  []NodeID
		why  map[NodeID]string // a part of the reason
		with map[NodeID]string
	}{
		{KindOrganisation, []NodeID{"roaster", "printer", "us", "gone", "printer"}, map[NodeID]string{"roaster": "Buying", "us": "our own", "gone": "gone"}, map[NodeID]string{"printer": "Labels, Suite"}},
		{KindOrganisation, []NodeID{"holding"}, map[NodeID]string{"holding": "Daughter"}, nil},
		{KindOrganisation, []NodeID{"holding", "daughter"}, nil, nil},
		{KindSystem, []NodeID{"portal", "shop"}, map[NodeID]string{"portal": "Buying"}, map[NodeID]string{"shop": "the flow orders"}},
		{KindProcess, []NodeID{"selling", "buying"}, nil, map[NodeID]string{"selling": "the flow counts"}},
		{KindSupply, []NodeID{"beans", "labels"}, map[NodeID]string{"beans": "Buying"}, nil},
		{KindFlow, []NodeID{"orders"}, nil, nil},
	} {
		plan, err := s.PlanBatch(t.Context(), owner, Batch{Kind: c.kind, IDs: c.ids})
		if err != nil {
			t.Fatal(err)
		}
		got := whys(plan)
		for id, want := range c.why {
			if !strings.Contains(got[id], want) {
				t.Errorf("%v: %s: %q; want %q in it", c.ids, id, got[id], want)
			}
		}
		if len(got) != len(c.why) {
			t.Errorf("%v: refused %v", c.ids, got)
		}
		for _, thing := range plan.Things {
			if got := namesOf(thing.With); got != c.with[thing.ID] {
				t.Errorf("%v: with %s goes %q; want %q", c.ids, thing.ID, got, c.with[thing.ID])
			}
		}
		if can := plan.Can(); len(can) > 0 {
			before, err := s.Export(t.Context(), owner)
			if err != nil {
				t.Fatal(err)
			}
			done, err := s.ApplyBatch(t.Context(), owner, Batch{Kind: c.kind, IDs: can, Revision: plan.Revision})
			if err != nil {
				t.Fatalf("%v: %v", c.ids, err)
			}
			if _, err := s.UndoChange(t.Context(), owner, done.Revision); err != nil {
				t.Fatalf("undo of %v: %v", c.ids, err)
			}
			after, err := s.Export(t.Context(), owner)
			if err != nil {
				t.Fatal(err)
			}
			if mapText(t, before) != mapText(t, after) {
				t.Errorf("%v: the undo left\n%s", c.ids, mapText(t, after))
			}
		}
	}
}

func mapText(t *testing.T, m *Map) string {
	t.Helper()
	var b strings.Builder
	if err := WriteMap(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBatchIsAllOrNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := batchChain(t, d)
		set := Batch{Kind: KindProcess, IDs: []NodeID{"buying", "selling"}, Field: BatchOwner, Value: "Grace"}
		done, err := s.ApplyBatch(t.Context(), owner, set)
		if err != nil {
			t.Fatal(err)
		}
		if _, changed, _ := done.Counts(); changed != 2 {
			t.Errorf("changed: %+v", done)
		}
		owners := func(want ...string) {
			t.Helper()
			var got []string
			for _, id := range set.IDs {
				fields, err := mustThing(t, s, KindProcess, id).Fields()
				if err != nil {
					t.Fatal(err)
				}
				name, _ := fields["owner"].(string)
				got = append(got, name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("owners: %q; want %q", got, want)
			}
		}
		owners("Grace", "Grace")

		for name, wrong := range map[string]Batch{
			"a thing that is gone": {Kind: KindProcess, IDs: []NodeID{"buying", "nothing"}, Field: BatchOwner, Value: "Eve"},
			"a value":              {Kind: KindProcess, IDs: set.IDs, Field: BatchCriticality, Value: "very"},
			"a field":              {Kind: KindProcess, IDs: set.IDs, Field: "name", Value: "Eve"},
			"a kind":               {Kind: "activity", IDs: set.IDs},
			"nothing":              {Kind: KindProcess, Field: BatchOwner, Value: "Eve"},
			"too much":             {Kind: KindProcess, IDs: make([]NodeID, MaxBatch+1), Field: BatchOwner, Value: "Eve"},
			"another revision":     {Kind: KindProcess, IDs: set.IDs, Field: BatchOwner, Value: "Eve", Revision: 1},
			"what is needed":       {Kind: KindSystem, IDs: []NodeID{"portal"}},
		} {
			if _, err := s.ApplyBatch(t.Context(), owner, wrong); err == nil || entente.KindOf(err) == entente.KindInternal {
				t.Errorf("%s was taken: %v", name, err)
			}
		}
		owners("Grace", "Grace")

		past, err := s.ChangeAt(t.Context(), owner, done.Revision)
		if err != nil || len(past) != 2 || past[0].Name != "Buying" || past[0].By != "Ada" {
			t.Fatalf("the change: %+v, %v", past, err)
		}
		if _, err := s.UndoChange(t.Context(), owner, done.Revision); err != nil {
			t.Fatal(err)
		}
		owners("Ada", "")
		if _, err := s.UndoChange(t.Context(), owner, done.Revision); entente.KindOf(err) != entente.KindConflict {
			t.Errorf("undone twice: %v", err)
		}
		if _, err := s.UndoChange(t.Context(), owner, 999); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("no change: %v", err)
		}
	})
}

// A business owner changes their processes only, and never a part of a batch.
func TestBatchAsksForTheRightOfEachThing(t *testing.T) {
	s := batchChain(t, dbtest.SQLite(t))
	theirs := actor("beanline", entente.RoleBusinessOwner, "buying")
	set := Batch{Kind: KindProcess, IDs: []NodeID{"buying", "selling"}, Field: BatchOwner, Value: "Grace"}
	plan, err := s.PlanBatch(t.Context(), theirs, set)
	if err != nil {
		t.Fatal(err)
	}
	if can := plan.Can(); len(can) != 1 || can[0] != "buying" {
		t.Errorf("a business owner may change %v", can)
	}
	if _, err := s.ApplyBatch(t.Context(), theirs, set); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("the whole batch: %v", err)
	}
	set.IDs = plan.Can()
	done, err := s.ApplyBatch(t.Context(), theirs, set)
	if err != nil {
		t.Fatal(err)
	}
	buyer := actor("beanline", entente.RoleProcurement)
	if _, err := s.UndoChange(t.Context(), buyer, done.Revision); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("procurement undoes a process: %v", err)
	}
	if _, err := s.ApplyBatch(t.Context(), buyer, Batch{Kind: KindOrganisation, IDs: []NodeID{"printer"}, Field: BatchCountry, Value: "DE"}); err != nil {
		t.Errorf("procurement sets a country: %v", err)
	}
	for _, role := range entente.Roles() {
		a := actor("beanline", role)
		may := role == entente.RoleOwner || role == entente.RoleSecurityLead || role == entente.RoleAnalyst
		if _, err := s.ApplyBatch(t.Context(), a, Batch{Kind: KindProcess}); (entente.KindOf(err) != entente.KindDenied) != may {
			t.Errorf("an empty batch as %s: %v", role, err)
		}
		if _, err := s.ApplyBatch(t.Context(), a, Batch{Kind: KindSystem, IDs: []NodeID{"shop"}, Field: BatchOperator, Value: "us", Revision: 99}); (entente.KindOf(err) != entente.KindDenied) != may {
			t.Errorf("systems as %s: %v", role, err)
		}
	}
	if _, err := s.PlanBatch(t.Context(), actor("beanline", entente.RoleContact), set); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("a guest plans: %v", err)
	}
	if _, err := s.ChangeAt(t.Context(), actor("beanline", entente.RoleContact), done.Revision); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("a guest reads a change: %v", err)
	}
}

// Without a map the first thing begins the chain, with the organisation in it.
func TestTheFirstThingBeginsTheChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		s.NameWith(func(_ context.Context, a entente.Actor) (string, error) { return "Name of " + string(a.Org), nil })
		if _, err := s.PutThing(t.Context(), owner, KindProcess, "wrong", `{"id": "wrong", "name": "Wrong", "needs": ["nothing"]}`, ""); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("something wrong first: %v", err)
		}
		if n, err := s.Revision(t.Context(), owner); n != 0 || err != nil {
			t.Errorf("the wrong thing began a chain: %d, %v", n, err)
		}
		if _, err := s.PutThing(t.Context(), owner, KindSupply, "beans", `{"id": "beans", "name": "Beans", "supplier": "roaster"}`, ""); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("a supply of nobody: %v", err)
		}
		if _, err := s.PutThing(t.Context(), owner, KindProcess, "buying", `{"id": "buying", "name": "Buying"}`, ""); err != nil {
			t.Fatal(err)
		}
		g, err := s.Graph(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		own, _ := g.Organisation(g.Map().Own)
		if own == nil || own.Name != "Name of beanline" || len(g.Map().Processes) != 1 || g.Revision() != 1 {
			t.Errorf("the chain begins as %+v", g.Map())
		}
	})
}
