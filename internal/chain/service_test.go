package chain

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

func actor(org entente.OrgID, role entente.Role, scope ...string) entente.Actor {
	return entente.Actor{Org: org, Person: "person", Name: "Ada", Role: role, Door: entente.DoorPage, Scope: scope}
}

var owner = actor("beanline", entente.RoleOwner)

func events(t *testing.T, d *db.DB, org entente.OrgID) []journal.Event {
	t.Helper()
	var all []journal.Event
	err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
		all, err = journal.Events(t.Context(), tx, org, 0, 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func mustImport(t *testing.T, s *Service, a entente.Actor, m *Map) ImportResult {
	t.Helper()
	r, err := s.Import(t.Context(), a, m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestImportAndExport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		m := readMap(t, "testdata/portal.yaml")
		r := mustImport(t, s, owner, m)
		if added, changed, removed := r.Counts(); added != m.things()-2 || changed+removed != 0 || r.Revision != 1 || r.Unchanged() {
			t.Errorf("the first import: %d added, %d changed, %d removed, revision %d", added, changed, removed, r.Revision)
		}
		r = mustImport(t, s, owner, m)
		if !r.Unchanged() || r.Revision != 1 {
			t.Errorf("the second import of the same map did something: %+v", r)
		}
		back, err := s.Export(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		want := readMap(t, "testdata/portal.yaml")
		want.Sort()
		if diff := cmp.Diff(want, back); diff != "" {
			t.Error(diff)
		}
		if r := mustImport(t, s, owner, back); !r.Unchanged() {
			t.Errorf("importing the export changed something: %+v", r)
		}
		all := events(t, d, "beanline")
		if len(all) != 1 || all[0].Kind != EventImported || all[0].Actor != "Ada" {
			t.Fatalf("events: %+v", all)
		}

		m.Systems = slices.Delete(m.Systems, 1, 2) // warehouse
		m.Flows = nil
		m.Processes[0].Activities[0].Needs[1].Buffer = 3 * 24 * time.Hour
		m.Products[0].Version = "1.11"
		m.Organisations = append(m.Organisations, Organisation{ID: "newcomer", Name: "Newcomer"})
		m.Currency = "CHF"
		r = mustImport(t, s, owner, m)
		wantResult := Changed{
			Revision: 2, Head: true,
			Organisations: Change{Added: []NodeID{"newcomer"}},
			Processes:     Change{Changed: []NodeID{"bean-procurement"}},
			Systems:       Change{Removed: []NodeID{"warehouse"}},
			Products:      Change{Changed: []NodeID{"portal-app"}},
			Flows:         Change{Removed: []NodeID{"stock-levels"}},
		}
		if diff := cmp.Diff(wantResult, r); diff != "" {
			t.Error(diff)
		}
		all = events(t, d, "beanline")
		var body Changed
		if err := all[1].Decode(&body); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantResult, body); diff != "" {
			t.Error(diff)
		}
	})
}

// keptAsStored checks that the chain which a service keeps after a change, without
// reading it back, is the one that another service reads.
func keptAsStored(s *Service, d *db.DB, org entente.OrgID) error {
	ctx, who := context.Background(), actor(org, entente.RoleAuditor)
	revision, err := s.Revision(ctx, who)
	if err != nil {
		return err
	}
	kept := s.graphs.get(org, revision)
	if kept == nil {
		return fmt.Errorf("revision %d is not kept", revision)
	}
	stored, err := New(d).Graph(ctx, who)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(kept.m, stored.m) {
		return fmt.Errorf("what is kept is not what is stored:\n%s", cmp.Diff(stored.m, kept.m))
	}
	return nil
}

// TestImportsOneAfterTheOther imports random maps over each other, so that every
// kind of change meets every other; what is stored is always the last map.
func TestImportsOneAfterTheOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			if n++; n > 25 {
				return // each takes several transactions
			}
			org := entente.OrgID(fmt.Sprintf("org-%d", n))
			for range 3 {
				m := drawMap(rt)
				if _, err := s.Import(t.Context(), actor(org, entente.RoleOwner), m); err != nil {
					rt.Fatal(err)
				}
				back, err := s.Export(t.Context(), actor(org, entente.RoleAuditor))
				if err != nil {
					rt.Fatal(err)
				}
				m.Sort()
				if diff := cmp.Diff(m, back); diff != "" {
					rt.Fatal(diff)
				}
				if r, err := s.Import(t.Context(), actor(org, entente.RoleOwner), m); err != nil || !r.Unchanged() {
					rt.Fatalf("the same map again: %+v, %v", r, err)
				}
				for i := range m.Supplies { // the map is ours to change
					for j := range m.Supplies[i].Needs {
						m.Supplies[i].Needs[j].Any[0] = "another"
					}
				}
				if err := keptAsStored(s, d, org); err != nil {
					rt.Fatal(err)
				}
			}
		})
	})
}

func TestWrongMapChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		m := readMap(t, "testdata/portal.yaml")
		mustImport(t, s, owner, m)
		wrong := readMap(t, "testdata/portal.yaml")
		wrong.Organisations[0].Name = "Changed"
		wrong.Systems[0].Operator = "nobody"
		_, err := s.Import(t.Context(), owner, wrong)
		var e *entente.Error
		if !errors.As(err, &e) || e.Kind != entente.KindInvalid || len(e.Fields) != 1 || e.Fields[0].Field != "systems[0].operator" {
			t.Fatalf("%v", err)
		}
		back, err := s.Export(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		if back.Organisations[0].Name != "Beanline GmbH" || len(events(t, d, "beanline")) != 1 {
			t.Error("a wrong map changed something")
		}
	})
}

func TestOrganisationsDoNotMeet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		m := readMap(t, "testdata/portal.yaml")
		mustImport(t, s, owner, m)
		other := actor("other", entente.RoleOwner)
		if _, err := s.Export(t.Context(), other); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("another organisation exports: %v", err)
		}
		g, err := s.Graph(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		if things, _ := g.Size(); things != 1 || g.Map().Own != "other" || g.Revision() != 0 {
			t.Errorf("the chain of an organisation without a map has %d things", things)
		}
		small := &Map{Own: "other", Currency: "EUR", Organisations: []Organisation{{ID: "other", Name: "Other"}}}
		mustImport(t, s, other, small)
		g, err = s.Graph(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := g.Process("bean-procurement"); !ok {
			t.Error("the import of one organisation touched another")
		}
	})
}

func TestRights(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New(d)
	m := readMap(t, "testdata/portal.yaml")
	mustImport(t, s, entente.System("beanline", entente.DoorCommand), m)
	ctx := t.Context()
	for _, c := range []struct {
		actor                  entente.Actor
		read, all, mine, other bool
	}{
		{owner, true, true, true, true},
		{actor("beanline", entente.RoleSecurityLead), true, true, true, true},
		{actor("beanline", entente.RoleAnalyst), true, true, true, true},
		{actor("beanline", entente.RoleBusinessOwner, "bean-procurement"), true, false, true, false},
		{actor("beanline", entente.RoleProcurement), true, false, false, false},
		{actor("beanline", entente.RoleAuditor), true, false, false, false},
		{actor("beanline", entente.RoleContact, "bean-procurement"), false, false, false, false},
		{actor("beanline", "stranger"), false, false, false, false},
		{entente.Actor{Org: "beanline", Role: entente.RoleOwner, Door: entente.DoorAPI, Verbs: []string{"chain.read"}}, true, false, false, false},
	} {
		allowed := func(want bool, what string, err error) {
			t.Helper()
			if want != (err == nil) || !want && entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s: %s: %v", c.actor.Role, what, err)
			}
		}
		_, err := s.Graph(ctx, c.actor)
		allowed(c.read, "Graph", err)
		_, err = s.Export(ctx, c.actor)
		allowed(c.read, "Export", err)
		_, err = s.Revision(ctx, c.actor)
		allowed(c.read, "Revision", err)
		_, err = s.Import(ctx, c.actor, m)
		allowed(c.all, "Import", err)
		_, err = s.PutProcess(ctx, c.actor, m.Processes[0], 0)
		allowed(c.mine, "PutProcess of their own", err)
		_, err = s.PutProcess(ctx, c.actor, m.Processes[1], 0)
		allowed(c.other, "PutProcess of another", err)
	}
}

func TestPutProcess(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		m := readMap(t, "testdata/portal.yaml")
		mustImport(t, s, owner, m)
		g, err := s.Graph(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := g.Process("bean-procurement")
		edited := *p
		edited.BIA.RTO = 12 * time.Hour
		done, err := s.PutProcess(t.Context(), owner, edited, g.Revision())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Changed{Revision: 2, Processes: Change{Changed: []NodeID{"bean-procurement"}}}, done); diff != "" {
			t.Error(diff)
		}
		if _, err := s.PutProcess(t.Context(), owner, edited, g.Revision()); entente.KindOf(err) != entente.KindConflict {
			t.Errorf("a change of an old revision: %v", err)
		}
		edited.BIA.MTPD = time.Hour
		if _, err := s.PutProcess(t.Context(), owner, edited, 0); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("an RTO above the MTPD: %v", err)
		}
		alone := actor("empty", entente.RoleOwner)
		if _, err := s.PutProcess(t.Context(), alone, edited, 0); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("a process that names what is not there, without a chain: %v", err)
		}
		if _, err := s.PutProcess(t.Context(), alone, Process{ID: "first", Name: "The first process"}, 0); err != nil {
			t.Errorf("a process that begins a chain: %v", err)
		}
		if g, err := s.Graph(t.Context(), alone); err != nil || len(g.Map().Processes) != 1 {
			t.Errorf("the chain that it began: %v", err)
		}
		after, err := s.Graph(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}
		if now, _ := after.Process("bean-procurement"); now.BIA.RTO != 12*time.Hour || after.Revision() != 2 {
			t.Errorf("the graph still has the RTO %v at revision %d", now.BIA.RTO, after.Revision())
		}
		if p.BIA.RTO != 24*time.Hour {
			t.Error("the graph that was handed out earlier has changed")
		}
		if all := events(t, d, "beanline"); len(all) != 2 || all[1].Kind != EventChanged || all[1].Subject != "bean-procurement" {
			t.Errorf("events: %+v", all)
		}
	})
}

func TestGraphIsKeptUntilTheChainChanges(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New(d)
	m := readMap(t, "testdata/portal.yaml")
	mustImport(t, s, owner, m)
	var wait sync.WaitGroup
	graphs := make([]*Graph, 8)
	for i := range graphs {
		wait.Go(func() {
			g, err := s.Graph(context.Background(), owner)
			if err != nil {
				t.Error(err)
			}
			graphs[i] = g
		})
	}
	wait.Wait()
	for _, g := range graphs {
		if g != graphs[0] {
			t.Fatal("the graph was compiled more than once")
		}
	}
	m.Processes[0].Name = "Buying beans"
	mustImport(t, s, owner, m)
	g, err := s.Graph(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := g.Node("bean-procurement"); n.Name != "Buying beans" {
		t.Errorf("the graph is stale: %s", n.Name)
	}
	// Another replica wrote to the same database.
	m.Processes[0].Name = "Purchasing"
	mustImport(t, New(d), owner, m)
	g, err = s.Graph(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := g.Node("bean-procurement"); n.Name != "Purchasing" {
		t.Errorf("the graph is stale: %s", n.Name)
	}
}

func TestGraphsAreBounded(t *testing.T) {
	c := newGraphs(20)
	make := func(revision int64, things int) *Graph {
		g := &Graph{moment: moment{revision: revision}}
		g.ids = append(g.ids, ids("x", things)...)
		return g
	}
	for i := range 10 {
		c.put(entente.OrgID(fmt.Sprint("org-", i)), make(1, 6))
	}
	if len(c.byOrg) != 2 || c.weight != 14 || c.get("org-9", 1) == nil || c.get("org-8", 1) == nil {
		t.Errorf("%d graphs are kept, of weight %d", len(c.byOrg), c.weight)
	}
	c.put("large", make(1, 100))
	if len(c.byOrg) != 1 || c.get("large", 1) == nil {
		t.Error("the large graph was not kept alone")
	}
	c.put("large", make(3, 1))
	c.put("large", make(2, 1))
	if c.get("large", 3) == nil || c.get("large", 2) != nil || c.weight != 2 {
		t.Error("an older graph replaced a newer one")
	}
}

func TestLongEventsAreCut(t *testing.T) {
	d := dbtest.SQLite(t)
	s := New(d)
	m := &Map{Own: "own", Currency: "EUR", Organisations: []Organisation{{ID: "own", Name: "Own"}}}
	for i := range MaxListed + 5 {
		m.Systems = append(m.Systems, System{ID: NodeID(fmt.Sprintf("y%05d", i)), Name: "System"})
	}
	r := mustImport(t, s, owner, m)
	if len(r.Systems.Added) != MaxListed+5 || r.Cut {
		t.Errorf("the result lists %d", len(r.Systems.Added))
	}
	var body Changed
	if err := events(t, d, "beanline")[0].Decode(&body); err != nil {
		t.Fatal(err)
	}
	if len(body.Systems.Added) != MaxListed || !body.Cut {
		t.Errorf("the event lists %d, cut: %v", len(body.Systems.Added), body.Cut)
	}
	text := write(t, m)
	if !strings.Contains(text, "y00000") {
		t.Error("the map was changed")
	}
}
