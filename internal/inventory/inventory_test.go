package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/inventory/sbom"
	"github.com/entente-project/entente/internal/journal"
)

const org = entente.OrgID("beanline")

var analyst = entente.Actor{Org: org, Person: "p1", Name: "Ana", Role: entente.RoleAnalyst, Door: entente.DoorPage}

// stage is an organisation with two products.
func stage(t testing.TB, d *db.DB) *Service {
	t.Helper()
	m := &chain.Map{
		Own: "beanline", Currency: "EUR",
		Organisations: []chain.Organisation{{ID: "beanline", Name: "Beanline"}, {ID: "roast-it", Name: "Roast IT"}},
		Products: []chain.Product{
			{ID: "portal", Name: "Order portal", Supplier: "roast-it", Version: "7"},
			{ID: "scale", Name: "Warehouse scale", Supplier: "roast-it", SBOMs: []string{"scale-*.json"}},
		},
	}
	if _, err := chain.New(d).Import(t.Context(), entente.System(org, entente.DoorCommand), m); err != nil {
		t.Fatal(err)
	}
	return New(d, Options{Temp: t.TempDir()})
}

func cyclone(components ...string) string {
	return `{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:x","metadata":{"timestamp":"2024-05-01T10:00:00Z","component":{"type":"application","name":"portal","version":"7","purl":"pkg:generic/portal@7"}},"components":[` + strings.Join(components, ",") + `]}`
}

func lib(name, version string) string {
	return fmt.Sprintf(`{"type":"library","name":%q,"version":%q,"purl":"pkg:npm/%s@%s","supplier":{"name":"Brew Ltd"},"licenses":[{"license":{"id":"MIT"}}]}`, name, version, name, version)
}

func record(t testing.TB, s *Service, product chain.NodeID, text string) Document {
	t.Helper()
	doc, changed, err := s.Record(t.Context(), analyst, product, "bom.json", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if !changed {
		t.Fatal("nothing changed")
	}
	return doc
}

func events(t testing.TB, d *db.DB) (list []journal.Event) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		all, err := journal.Events(t.Context(), tx, org, 0, 1000)
		for _, e := range all {
			if strings.HasPrefix(string(e.Kind), "sbom.") {
				list = append(list, e)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// pairs gives what the matcher sees: "document:package-title@version".
func pairs(t testing.TB, d *db.DB) (list []string) {
	t.Helper()
	err := d.Read(t.Context(), func(tx *db.Tx) error {
		list = nil
		names := map[uint32]string{}
		err := EachPackage(t.Context(), tx, org, 0, 0, func(p Package) error {
			names[p.ID] = p.Title() + "@" + p.Version
			return nil
		})
		if err != nil {
			return err
		}
		last := [2]uint32{}
		return EachComponent(t.Context(), tx, org, func(document, pack uint32) error {
			if pack < last[0] || pack == last[0] && document <= last[1] {
				return fmt.Errorf("out of order: %d, %d", document, pack)
			}
			last = [2]uint32{pack, document}
			list = append(list, fmt.Sprintf("%d:%s", document, names[pack]))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		first := record(t, s, "portal", cyclone(lib("a", "1"), lib("b", "1"), `{"type":"file","name":"readme","group":"docs"}`, lib("a", "1"), `{"name":"c","purl":"pkg:npm/c"}`, `{"name":"d","purl":"nonsense"}`))
		if first.ID != 1 || first.Product != "portal" || first.Subject != "portal 7" || first.RecordedBy != "Ana" || first.SpecVersion != "1.5" {
			t.Errorf("got %+v", first)
		}
		want := Counts{Components: 7, Packages: 6, Assessable: 5, Unversioned: 1, Types: map[string]int{"npm": 4, "generic": 1}}
		if diff := cmp.Diff(want, first.Counts); diff != "" {
			t.Errorf("want - got +\n%s", diff)
		}
		if len(first.Oddities) != 1 || first.Oddities[0].Where != "component 6 (d)" {
			t.Errorf("oddities %+v", first.Oddities)
		}
		again, changed, err := s.Record(t.Context(), analyst, "portal", "other-name.json", strings.NewReader(cyclone(lib("a", "1"), lib("b", "1"), `{"type":"file","name":"readme","group":"docs"}`, lib("a", "1"), `{"name":"c","purl":"pkg:npm/c"}`, `{"name":"d","purl":"nonsense"}`)))
		if err != nil || changed || again.ID != 1 {
			t.Errorf("the same bytes: %v %v %+v", err, changed, again)
		}
		if n := len(events(t, d)); n != 1 {
			t.Errorf("%d events", n)
		}
		second := record(t, s, "portal", cyclone(lib("a", "2"), lib("b", "1")))
		other := record(t, s, "scale", cyclone(lib("a", "2")))
		docs, err := s.Documents(t.Context(), analyst, "portal")
		if err != nil || len(docs) != 2 || docs[0].ID != second.ID || !docs[0].Current() || docs[1].Current() || docs[1].SupersededBy != second.ID {
			t.Errorf("documents: %v %+v", err, docs)
		}
		list := events(t, d)
		var body Recorded
		if err := list[1].Decode(&body); err != nil {
			t.Fatal(err)
		}
		wantBody := Recorded{Document: 2, File: "bom.json", SHA256: second.SHA256, Components: 3, Assessable: 3, Superseded: []uint32{1}, FirstPackage: 7, LastPackage: 7}
		if diff := cmp.Diff(wantBody, body); diff != "" || list[1].Subject != "portal" || list[1].Person != "p1" {
			t.Errorf("event %+v\n%s", list[1], diff)
		}
		if diff := cmp.Diff([]string{"2:b@1", "2:portal@7", "3:portal@7", "2:a@2", "3:a@2"}, pairs(t, d)); diff != "" {
			t.Errorf("want - got +\n%s", diff)
		}
		stored, err := s.Document(t.Context(), analyst, other.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(other, stored); diff != "" {
			t.Errorf("recorded - stored +\n%s", diff)
		}
	})
}

func TestComponents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		doc := record(t, s, "portal", cyclone(lib("zed", "1"), `{"type":"file","name":"100%_real","components":[`+lib("Left-Pad", "1.3.0")+`]}`, `{"name":"c","purl":"pkg:npm/c","supplier":{"name":"Acme"}}`))
		ask := func(q ComponentQuery) (names []string, total int) {
			list, total, err := s.Components(t.Context(), analyst, doc.ID, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				names = append(names, c.Package.Name)
			}
			return names, total
		}
		for _, c := range []struct {
			q     ComponentQuery
			want  string
			total int
		}{
			{ComponentQuery{}, "zed Left-Pad 100%_real c portal", 5},
			{ComponentQuery{Order: ByName}, "100%_real c Left-Pad portal zed", 5},
			{ComponentQuery{Order: ByPackageType}, "100%_real portal c Left-Pad zed", 5},
			{ComponentQuery{Order: BySupplier}, "100%_real portal c Left-Pad zed", 5},
			{ComponentQuery{Search: "LEFT"}, "Left-Pad", 1},
			{ComponentQuery{Search: "%_"}, "100%_real", 1},
			{ComponentQuery{Search: `\`}, "", 0},
			{ComponentQuery{Type: "npm"}, "zed Left-Pad c", 3},
			{ComponentQuery{Type: "none"}, "100%_real", 1},
			{ComponentQuery{Unversioned: true}, "c", 1},
			{ComponentQuery{Page: Page{Limit: 2, Offset: 1}}, "Left-Pad 100%_real", 5},
		} {
			names, total := ask(c.q)
			if got := strings.Join(names, " "); got != c.want || total != c.total {
				t.Errorf("%+v: got %q of %d, want %q of %d", c.q, got, total, c.want, c.total)
			}
		}
		list, _, err := s.Components(t.Context(), analyst, doc.ID, ComponentQuery{Search: "left"})
		if err != nil {
			t.Fatal(err)
		}
		want := Component{N: 2, Depth: 1, Type: "library", Supplier: "Brew Ltd", Licence: "MIT", Package: list[0].Package}
		if diff := cmp.Diff(want, list[0]); diff != "" {
			t.Errorf("want - got +\n%s", diff)
		}
	})
}

func TestPackagesAcrossProducts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		record(t, s, "portal", cyclone(lib("log4j-core", "2.14.1"), lib("a", "1")))
		record(t, s, "scale", cyclone(lib("log4j-core", "2.14.1")))
		record(t, s, "scale", cyclone(lib("log4j-core", "2.14.1"), lib("log4j-core", "2.17.0")))
		list, total, err := s.Packages(t.Context(), analyst, PackageQuery{Search: "LOG4J"})
		if err != nil {
			t.Fatal(err)
		}
		if total != 2 || len(list) != 2 || list[0].Version != "2.14.1" || list[0].Products != 2 || list[0].Documents != 2 || list[1].Products != 1 {
			t.Errorf("got %d %+v", total, list)
		}
		p, uses, err := s.Package(t.Context(), analyst, list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Use{{"portal", 1, ""}, {"scale", 3, ""}}, uses); diff != "" || p.Name != "log4j-core" {
			t.Errorf("%+v\n%s", p, diff)
		}
		if _, _, err := s.Package(t.Context(), analyst, 999); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("got %v", err)
		}
	})
}

func TestProducts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		record(t, s, "portal", cyclone(lib("a", "1")))
		for _, c := range []struct {
			q    ProductQuery
			want string
		}{
			{ProductQuery{}, "portal scale"},
			{ProductQuery{Search: "ORDER"}, "portal"},
			{ProductQuery{Search: "roast"}, "portal scale"},
			{ProductQuery{State: WithoutDocument}, "scale"},
			{ProductQuery{State: AssessableOnes}, "portal"},
			{ProductQuery{State: NotAssessable}, ""},
			{ProductQuery{Page: Page{Limit: 1, Offset: 1}}, "scale"},
		} {
			list, _, err := s.Products(t.Context(), analyst, c.q)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, p := range list {
				ids = append(ids, string(p.ID))
			}
			if got := strings.Join(ids, " "); got != c.want {
				t.Errorf("%+v: got %q, want %q", c.q, got, c.want)
			}
		}
		list, total, err := s.Products(t.Context(), analyst, ProductQuery{})
		if err != nil || total != 2 || list[0].SupplierName != "Roast IT" || list[0].Components != 2 || len(list[0].Documents) != 1 || len(list[1].Documents) != 0 {
			t.Errorf("%v %d %+v", err, total, list)
		}
	})
}

func TestParts(t *testing.T) {
	s := stage(t, dbtest.SQLite(t))
	for _, part := range []string{"server", "app"} {
		if _, _, err := s.RecordPart(t.Context(), analyst, "portal", part, part+".json", strings.NewReader(cyclone(lib(part, "1")))); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.RecordPart(t.Context(), analyst, "portal", "app", "app.json", strings.NewReader(cyclone(lib("app", "2")))); err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Products(t.Context(), analyst, ProductQuery{Search: "portal"})
	if err != nil || len(list) != 1 || len(list[0].Documents) != 2 || list[0].Components != 4 {
		t.Errorf("%v %+v", err, list)
	}
	whole := record(t, s, "portal", cyclone(lib("whole", "1")))
	if diff := cmp.Diff([]string{"4:portal@7", "4:whole@1"}, pairs(t, s.d)); diff != "" || whole.ID != 4 {
		t.Errorf("want - got +\n%s", diff)
	}
	if _, _, err := s.RecordPart(t.Context(), analyst, "portal", "app", "app.json", strings.NewReader(cyclone(lib("app", "3")))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"5:portal@7", "5:app@3"}, pairs(t, s.d)); diff != "" {
		t.Errorf("want - got +\n%s", diff)
	}
}

// Of several documents all are withdrawn or none, and the list tells how it stands with
// each.
func TestRemoveAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		record(t, s, "portal", cyclone(lib("a", "1")))
		record(t, s, "portal", cyclone(lib("a", "2")))
		record(t, s, "scale", cyclone(lib("b", "1"), lib("c", "1")))
		ids := func(q DocumentQuery) (ids []uint32) {
			t.Helper()
			list, total, err := s.AllDocuments(t.Context(), analyst, q)
			if err != nil || total != len(list) {
				t.Fatalf("%d of %d: %v", len(list), total, err)
			}
			for _, doc := range list {
				ids = append(ids, doc.ID)
			}
			return ids
		}
		check := func(q DocumentQuery, want ...uint32) {
			t.Helper()
			if got := ids(q); !slices.Equal(got, want) {
				t.Errorf("%+v: %d; want %d", q, got, want)
			}
		}
		check(DocumentQuery{}, 3, 2, 1)
		check(DocumentQuery{State: CurrentOnes, Order: ByProduct}, 2, 3)
		check(DocumentQuery{State: SupersededOnes}, 1)
		check(DocumentQuery{Order: ByComponents}, 1, 2, 3)
		check(DocumentQuery{Search: "SCALE", Order: ByFile}, 3)
		check(DocumentQuery{State: RemovedOnes})
		if err := s.RemoveAll(t.Context(), analyst, []uint32{1, 99}); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("one that is not there: %v", err)
		}
		if err := s.RemoveAll(t.Context(), analyst, nil); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("none: %v", err)
		}
		check(DocumentQuery{State: RemovedOnes})
		if err := s.RemoveAll(t.Context(), analyst, []uint32{2, 1, 2}); err != nil {
			t.Fatal(err)
		}
		check(DocumentQuery{State: RemovedOnes}, 2, 1)
		if diff := cmp.Diff([]string{"3:portal@7", "3:b@1", "3:c@1"}, pairs(t, d)); diff != "" {
			t.Errorf("want - got +\n%s", diff)
		}
	})
}

func TestRemove(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		record(t, s, "portal", cyclone(lib("a", "1")))
		second := record(t, s, "portal", cyclone(lib("a", "2")))
		if _, err := s.Remove(t.Context(), analyst, second.ID); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"1:a@1", "1:portal@7"}, pairs(t, d)); diff != "" {
			t.Errorf("want - got +\n%s", diff)
		}
		var body Removed
		list := events(t, d)
		if err := list[len(list)-1].Decode(&body); err != nil || body != (Removed{Document: 2, Restored: 1}) {
			t.Errorf("%v %+v", err, body)
		}
		if _, err := s.Remove(t.Context(), analyst, second.ID); entente.KindOf(err) != entente.KindConflict {
			t.Errorf("got %v", err)
		}
		if _, err := s.Remove(t.Context(), analyst, 1); err != nil {
			t.Fatal(err)
		}
		if got := pairs(t, d); len(got) != 0 {
			t.Errorf("got %v", got)
		}
		third := record(t, s, "portal", cyclone(lib("a", "1")))
		if third.ID != 3 {
			t.Errorf("a number was used again: %d", third.ID)
		}
	})
}

func TestAWrongDocumentChangesNothing(t *testing.T) {
	s := stage(t, dbtest.SQLite(t))
	for _, c := range []struct {
		product chain.NodeID
		text    io.Reader
		kind    entente.Kind
		want    string
	}{
		{"portal", strings.NewReader(cyclone(lib("a", "1"))[:250]), entente.KindInvalid, "bom.json: the document ends too early"},
		{"portl", strings.NewReader(cyclone()), entente.KindNotFound, `there is no product "portl" in the chain; its products are portal, scale`},
		{"portal", io.MultiReader(strings.NewReader(cyclone()[:100]), iotest.ErrReader(errors.New("gone"))), entente.KindInternal, "gone"},
	} {
		_, changed, err := s.Record(t.Context(), analyst, c.product, "bom.json", c.text)
		if err == nil || changed || entente.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v %v, want %s", changed, err, c.want)
		}
	}
	if n := len(events(t, s.d)); n != 0 {
		t.Errorf("%d events", n)
	}
	left, err := os.ReadDir(s.dir)
	if err != nil || len(left) != 0 {
		t.Errorf("%v, files left behind: %v", err, left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Record(ctx, analyst, "portal", "x", strings.NewReader(cyclone())); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLimitsAreNamed(t *testing.T) {
	d := dbtest.SQLite(t)
	stage(t, d)
	lim := sbom.DefaultLimits()
	lim.Bytes = 300
	s := New(d, Options{Limits: lim})
	_, _, err := s.Record(t.Context(), analyst, "portal", "bom.json", strings.NewReader(cyclone(lib("a", "1"))))
	if entente.KindOf(err) != entente.KindTooLarge || err.Error() != "bom.json: the document is larger than 300 bytes" {
		t.Errorf("got %v", err)
	}
}

func TestPermissions(t *testing.T) {
	s := stage(t, dbtest.SQLite(t))
	doc := record(t, s, "portal", cyclone(lib("a", "1")))
	for _, role := range append(entente.Roles(), "nobody") {
		actor := entente.Actor{Org: org, Person: "p", Name: "x", Role: role, Door: entente.DoorPage, Scope: []string{"portal"}}
		reads := role != entente.RoleContact && role != "nobody"
		writes := role == entente.RoleOwner || role == entente.RoleSecurityLead || role == entente.RoleAnalyst
		uploads := writes || role == entente.RoleProcurement
		for _, c := range []struct {
			what string
			ok   bool
			do   func() error
		}{
			{"Document", reads, func() error { _, err := s.Document(t.Context(), actor, doc.ID); return err }},
			{"Documents", reads, func() error { _, err := s.Documents(t.Context(), actor, "portal"); return err }},
			{"Components", reads, func() error { _, _, err := s.Components(t.Context(), actor, doc.ID, ComponentQuery{}); return err }},
			{"Packages", reads, func() error { _, _, err := s.Packages(t.Context(), actor, PackageQuery{}); return err }},
			{"Package", reads, func() error { _, _, err := s.Package(t.Context(), actor, 1); return err }},
			{"Products", reads, func() error { _, _, err := s.Products(t.Context(), actor, ProductQuery{}); return err }},
			{"Record", uploads, func() error {
				_, _, err := s.Record(t.Context(), actor, "portal", "x", strings.NewReader(cyclone(lib(string(role), "1"))))
				return err
			}},
			{"AllDocuments", reads, func() error { _, _, err := s.AllDocuments(t.Context(), actor, DocumentQuery{}); return err }},
			{"Remove", writes, func() error {
				docs, err := s.Documents(t.Context(), analyst, "portal")
				if err != nil {
					return err
				}
				_, err = s.Remove(t.Context(), actor, docs[0].ID)
				return err
			}},
			{"RemoveAll", writes, func() error {
				_, _, err := s.Record(t.Context(), analyst, "portal", "y", strings.NewReader(cyclone(lib("for "+string(role), "1"))))
				if err != nil {
					return err
				}
				all, err := s.Documents(t.Context(), analyst, "portal")
				if err != nil {
					return err
				}
				return s.RemoveAll(t.Context(), actor, []uint32{all[0].ID})
			}},
		} {
			err := c.do()
			if c.ok && err != nil || !c.ok && entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s as %s: %v", c.what, role, err)
			}
		}
	}
	stranger := entente.Actor{Org: "other", Person: "p", Name: "x", Role: entente.RoleOwner, Door: entente.DoorPage}
	if _, err := s.Document(t.Context(), stranger, doc.ID); entente.KindOf(err) != entente.KindNotFound {
		t.Errorf("another organisation: %v", err)
	}
}

func TestNotAssessable(t *testing.T) {
	for _, c := range []struct {
		counts Counts
		want   string
	}{
		{Counts{Components: 3, Assessable: 1}, ""},
		{Counts{Components: 3}, "none of its 3 components has a package URL that can be read"},
		{Counts{Components: 1}, "its only component has no package URL that can be read"},
		{Counts{}, "the document lists no components"},
		{Counts{Vulnerabilities: 1}, "the document lists no components; it states something on 1 vulnerability"},
	} {
		not, why := c.counts.NotAssessable()
		if not != (c.want != "") || why.String() != c.want {
			t.Errorf("%+v: %q", c.counts, why)
		}
	}
}

// An import larger than the importer's memory, and one larger than a batch.
func TestManyComponents(t *testing.T) {
	s := stage(t, dbtest.SQLite(t))
	var parts []string
	for i := range 3000 {
		parts = append(parts, lib(fmt.Sprintf("n%d", i%2500), "1"))
	}
	doc := record(t, s, "portal", cyclone(parts...))
	if doc.Packages != 2501 || doc.Components != 3001 {
		t.Errorf("got %+v", doc.Counts)
	}
	again := record(t, s, "scale", cyclone(append(parts, lib("new", "1"))...))
	var body Recorded
	list := events(t, s.d)
	if err := json.Unmarshal(list[1].Body, &body); err != nil {
		t.Fatal(err)
	}
	if again.Packages != 2502 || body.FirstPackage != 2502 || body.LastPackage != 2502 {
		t.Errorf("got %+v %+v", again.Counts, body)
	}
}

func TestIDsInABlob(t *testing.T) {
	ids := []uint32{1, 2, 3, 200, 4_294_967_295}
	got, err := decodeIDs(encodeIDs(ids), nil)
	if diff := cmp.Diff(ids, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for _, bad := range []string{"\x80", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\x7f"} {
		if _, err := decodeIDs([]byte(bad), nil); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// Uploads of the same product at the same time leave one current document, and no
// package twice in the dictionary.
func TestUploadsAtTheSameTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stage(t, d)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				text := cyclone(lib("shared", "1"), lib(fmt.Sprintf("own-%d", i%4), "1"))
				if _, _, err := s.Record(t.Context(), analyst, "portal", "bom.json", strings.NewReader(text)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		docs, err := s.Documents(t.Context(), analyst, "portal")
		if err != nil {
			t.Fatal(err)
		}
		current := 0
		for _, doc := range docs {
			if doc.Current() {
				current++
			}
		}
		known := 0
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			known = 0
			return EachPackage(t.Context(), tx, org, 0, 0, func(Package) error { known++; return nil })
		})
		if err != nil || current != 1 || known != 6 || len(events(t, d)) != len(docs) {
			t.Errorf("%v: %d current of %d documents, %d packages, %d events", err, current, len(docs), known, len(events(t, d)))
		}
	})
}
