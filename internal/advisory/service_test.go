package advisory

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
)

// room is a node with the rooms that this one needs.
type room struct {
	t      testing.TB
	d      *db.DB
	actor  entente.Actor
	chain  *chain.Service
	stock  *inventory.Service
	s      *Service
	runner *journal.Runner
}

func newRoom(t testing.TB, d *db.DB, org entente.OrgID) *room {
	t.Helper()
	r := &room{t: t, d: d, actor: entente.Actor{Org: org, Person: "lead", Name: "Lead", Role: entente.RoleSecurityLead, Door: entente.DoorPage}}
	r.chain = chain.New(d)
	r.stock = inventory.New(d, inventory.Options{Temp: t.TempDir()})
	r.restart()
	return r
}

// restart makes the service anew: nothing of it is in memory.
func (r *room) restart() {
	r.s = New(r.d, r.chain, Options{})
	r.runner = journal.NewRunner(r.d, nil, r.s.Consumers(), r.s.Jobs())
}

func (r *room) catchUp() {
	r.t.Helper()
	if err := r.runner.CatchUp(r.t.Context(), r.actor.Org); err != nil {
		r.t.Fatal(err)
	}
}

// demo imports the map and the bills of materials of the demonstration.
func (r *room) demo() {
	r.t.Helper()
	raw, err := fs.ReadFile(catalog.Files(), "beanline.yaml")
	if err != nil {
		r.t.Fatal(err)
	}
	m, err := chain.ParseMap(bytes.NewReader(raw), "beanline.yaml")
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.chain.Import(r.t.Context(), r.actor, m); err != nil {
		r.t.Fatal(err)
	}
	entries, err := fs.ReadDir(catalog.Files(), catalog.SBOMs)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := range m.Products {
		for _, pattern := range m.Products[i].SBOMs {
			for _, e := range entries {
				if ok, err := path.Match(pattern, e.Name()); err != nil || !ok {
					continue
				}
				f, err := catalog.Files().Open(path.Join(catalog.SBOMs, e.Name()))
				if err != nil {
					r.t.Fatal(err)
				}
				if _, _, err := r.stock.RecordPart(r.t.Context(), r.actor, m.Products[i].ID, e.Name(), e.Name(), f); err != nil {
					r.t.Fatal(err)
				}
				f.Close()
			}
		}
	}
}

func (r *room) ingest(records ...string) Report {
	r.t.Helper()
	report, err := r.s.Ingest(r.t.Context(), r.actor, FromReader(strings.NewReader(strings.Join(records, "\n")), "test.jsonl"), IngestOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func (r *room) ingestDemo() Report {
	r.t.Helper()
	files, err := fs.Sub(catalog.Files(), catalog.Advisories)
	if err != nil {
		r.t.Fatal(err)
	}
	report, err := r.s.Ingest(r.t.Context(), r.actor, FromFS(files, "demonstration"), IngestOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

// product makes a chain with products that are not used by anything.
func (r *room) products(ids ...string) {
	r.t.Helper()
	m := &chain.Map{Own: "us", Currency: "EUR", Organisations: []chain.Organisation{{ID: "us", Name: "Us"}, {ID: "maker", Name: "Maker"}}}
	for _, id := range ids {
		m.Products = append(m.Products, chain.Product{ID: chain.NodeID(id), Name: id, Supplier: "maker"})
	}
	if _, err := r.chain.Import(r.t.Context(), r.actor, m); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) sbom(product string, purls ...string) inventory.Document {
	r.t.Helper()
	var parts []string
	for i, p := range purls {
		parts = append(parts, fmt.Sprintf(`{"type":"library","bom-ref":"c%d","name":"c%d","purl":%q}`, i, i, p))
	}
	text := `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[` + strings.Join(parts, ",") + `]}`
	doc, _, err := r.stock.Record(r.t.Context(), r.actor, chain.NodeID(product), product+".json", strings.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	return doc
}

func (r *room) get(name string) Detail {
	r.t.Helper()
	d, err := r.s.Get(r.t.Context(), r.actor, name)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func leftPad(id, modified, fixed, more string) string {
	return fmt.Sprintf(`{"id":%q,"modified":%q,"affected":[{"package":{"ecosystem":"npm","name":"left-pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":%q}]}]}]%s}`, id, modified, fixed, more)
}

func TestServerAndCommandLineAnswerAlike(t *testing.T) {
	g, scan := demo(t)
	scanned, err := scan.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, documentsFirst := range []bool{true, false} {
			r := newRoom(t, d, entente.OrgID(fmt.Sprint("beanline-", documentsFirst)))
			steps := []func(){r.demo, func() { r.ingestDemo() }}
			if !documentsFirst {
				slices.Reverse(steps)
			}
			for _, step := range steps {
				step()
				r.catchUp()
			}
			list, total, err := r.s.List(t.Context(), r.actor, Query{Hits: true, Order: BySeverity})
			if err != nil {
				t.Fatal(err)
			}
			if total != len(list) || len(list) == 0 {
				t.Fatalf("%d of %d advisories", len(list), total)
			}
			hits := 0
			for _, b := range scanned.Briefs() {
				want, _ := scanned.Impact(g, b.ID, ImpactOptions{Products: -1, Processes: -1, Calls: -1})
				got, err := r.s.ImpactOf(t.Context(), r.actor, b.Names[len(b.Names)-1], ImpactOptions{Products: -1, Processes: -1, Calls: -1})
				if err != nil {
					t.Fatal(err)
				}
				if got.Counts != want.Counts || got.Advisory.ID != want.Advisory.ID || got.Advisory.Severity != want.Advisory.Severity {
					t.Errorf("%s: the server counts %+v, the command line %+v", b.ID, got.Counts, want.Counts)
				}
				if len(got.Processes) != len(want.Processes) {
					t.Errorf("%s: the server finds %d processes, the command line %d", b.ID, len(got.Processes), len(want.Processes))
					continue
				}
				for i := range got.Processes {
					if got.Processes[i].ID != want.Processes[i].ID || got.Processes[i].Sure != want.Processes[i].Sure {
						t.Errorf("%s: process %d is %+v, not %+v", b.ID, i, got.Processes[i], want.Processes[i])
					}
				}
				if want.Counts.Products > 0 {
					hits++
				}
			}
			if hits != total {
				t.Errorf("the list has %d advisories that hit, the command line finds %d", total, hits)
			}
		}
	})
}

func TestIngestTellsWhatItDid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d, "us")
		first := r.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.0.0", ""), `{"id":""}`, "nonsense", leftPad("A-2", "2024-01-01T00:00:00Z", "1.0.0", `,"severity":"HIGH"`))
		if first.Read != 2 || first.New != 2 || len(first.Wrong) != 2 || len(first.Odd) != 1 {
			t.Errorf("first: %+v", first)
		}
		if !strings.HasPrefix(first.Wrong[0].Where, "test.jsonl:2") || !strings.Contains(first.Wrong[0].What.String(), "id") {
			t.Errorf("wrong: %+v", first.Wrong)
		}
		again := r.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.0.0", ""), "  "+leftPad("A-2", "2024-01-01T00:00:00Z", "1.0.0", `,"severity":"HIGH"`))
		if again.Unchanged != 2 || again.New+again.Changed != 0 {
			t.Errorf("again: %+v", again)
		}
		third := r.ingest(
			leftPad("A-1", "2023-01-01T00:00:00Z", "0.5.0", ""), leftPad("A-2", "2024-02-01T00:00:00Z", "1.1.0", `,"withdrawn":"2024-02-01T00:00:00Z"`),
			leftPad("A-3", "2024-01-01T00:00:00Z", "1.0.0", ""), leftPad("A-3", "2024-01-02T00:00:00Z", "1.0.1", ""), leftPad("A-3", "2024-01-01T00:00:00Z", "1.0.2", ""),
		)
		if third.Older != 2 || third.Changed != 1 || third.New != 1 || third.Withdrawn != 1 {
			t.Errorf("third: %+v", third)
		}
		if got := r.get("a-3").Records[0]; got.Affected[0].Ranges[0].Events[1].Fixed != "1.0.1" || got.Source != "test.jsonl" {
			t.Errorf("of three records with one id %+v is kept", got)
		}
		events := 0
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			list, err := journal.Events(t.Context(), tx, "us", 0, 100)
			events = len(list)
			return err
		})
		if err != nil || events != 2 {
			t.Errorf("%d events, %v; want one for each ingest that changed something", events, err)
		}
	})
}

func TestMatchesChangeTheirStateAndKeepTheirHistory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d, "us")
		r.products("portal", "desk")
		r.sbom("portal", "pkg:npm/left-pad@1.0.0", "pkg:npm/left-pad")
		r.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", ""))
		r.catchUp()
		states := func() string {
			var out []string
			for _, m := range r.get("A-1").Matches {
				out = append(out, fmt.Sprintf("%s@%s=%s/%d", m.Name, m.Version, m.State, len(m.Past)))
			}
			return strings.Join(out, " ")
		}
		if got, want := states(), "left-pad@1.0.0=affected/0 left-pad@=unknown/0"; got != want {
			t.Fatalf("matches %q, want %q", got, want)
		}
		r.ingest(leftPad("A-1", "2024-02-01T00:00:00Z", "0.9.0", ""))
		r.catchUp()
		if got, want := states(), "left-pad@=unknown/0 left-pad@1.0.0=not/1"; got != want {
			t.Fatalf("after the range changed: %q, want %q", got, want)
		}
		if l, total, err := r.s.List(t.Context(), r.actor, Query{Hits: true}); err != nil || total != 0 {
			t.Errorf("it still hits: %+v, %v", l, err)
		}
		if l, total, err := r.s.List(t.Context(), r.actor, Query{Undecided: true}); err != nil || total != 1 || l[0].Undecided != 1 {
			t.Errorf("it is not among the undecided: %+v, %v", l, err)
		}
		r.ingest(leftPad("A-1", "2024-03-01T00:00:00Z", "1.1.0", ""))
		r.catchUp()
		r.ingest(leftPad("A-1", "2024-04-01T00:00:00Z", "1.1.0", `,"withdrawn":"2024-04-01T00:00:00Z"`))
		r.catchUp()
		if got, want := states(), "left-pad@=withdrawn/1 left-pad@1.0.0=withdrawn/3"; got != want {
			t.Fatalf("after it was withdrawn: %q, want %q", got, want)
		}
		m := r.get("A-1").Matches[1]
		if m.Past[0].State != Affected || m.Past[1].State != Not || m.Past[2].State != Affected || m.Past[0].Ended.Before(m.Past[0].Began) {
			t.Errorf("history %+v", m.Past)
		}
		if !strings.Contains(m.Why, "withdrawn on 2024-04-01") {
			t.Errorf("the reason is %q", m.Why)
		}
		if _, total, err := r.s.List(t.Context(), r.actor, Query{}); err != nil || total != 0 {
			t.Errorf("a withdrawn advisory is listed: %v", err)
		}
		if _, total, err := r.s.List(t.Context(), r.actor, Query{Withdrawn: OnlyWithdrawn}); err != nil || total != 1 {
			t.Errorf("a withdrawn advisory is not listed where it is asked for: %v", err)
		}
	})
}

func TestDocumentsComeAndGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d, "us")
		r.products("portal", "desk")
		r.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", `,"aliases":["CVE-2024-1"]`))
		r.catchUp()
		hit := func() string {
			t.Helper()
			var out []string
			fresh := New(r.d, r.chain, Options{})
			for _, s := range []*Service{r.s, fresh} { // what is in memory, and what is read anew
				i, err := s.ImpactOf(t.Context(), r.actor, "cve-2024-1", ImpactOptions{})
				if err != nil {
					t.Fatal(err)
				}
				var ids []string
				for _, p := range i.Products {
					ids = append(ids, string(p.ID))
				}
				slices.Sort(ids)
				out = append(out, strings.Join(ids, "+"))
			}
			if out[0] != out[1] {
				t.Errorf("the index in memory says %q, one built anew %q", out[0], out[1])
			}
			return out[0]
		}
		if got := hit(); got != "" {
			t.Errorf("before any document: %q", got)
		}
		r.sbom("portal", "pkg:npm/left-pad@1.0.0", "pkg:npm/other@1.0.0")
		r.catchUp()
		if got := hit(); got != "portal" {
			t.Errorf("after the first document: %q", got)
		}
		r.sbom("desk", "pkg:npm/left-pad@1.0.0", "pkg:npm/third@2.0.0")
		r.catchUp()
		if got := hit(); got != "desk+portal" {
			t.Errorf("after a document with a package that is known: %q", got)
		}
		newer := r.sbom("portal", "pkg:npm/left-pad@1.1.0")
		r.catchUp()
		if got := hit(); got != "desk" {
			t.Errorf("after a better document: %q", got)
		}
		lead := r.actor
		if _, err := r.stock.Remove(t.Context(), lead, newer.ID); err != nil {
			t.Fatal(err)
		}
		r.catchUp()
		if got := hit(); got != "desk+portal" {
			t.Errorf("after the better document was withdrawn: %q", got)
		}
		found, err := r.s.OfProduct(t.Context(), r.actor, "portal")
		if err != nil || len(found) != 1 || found[0].Advisory.ID != "A-1" || found[0].Why == "" {
			t.Errorf("findings of the product: %+v, %v", found, err)
		}
		if err := r.s.SaveIndex(t.Context(), "us"); err != nil {
			t.Fatal(err)
		}
		if got := hit(); got != "desk+portal" {
			t.Errorf("after the index was saved: %q", got)
		}
		r.sbom("desk", "pkg:npm/left-pad@2.0.0")
		r.catchUp()
		if got := hit(); got != "portal" {
			t.Errorf("from the saved index and what came after: %q", got)
		}
		// A damaged stored form is built anew.
		err = d.Write(t.Context(), "us", func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE advisory_index SET body = $2 WHERE org = $1`, "us", []byte("damaged"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := hit(); got != "portal" {
			t.Errorf("from a damaged index: %q", got)
		}
		events := map[journal.Kind]int{}
		err = d.Read(t.Context(), func(tx *db.Tx) error {
			list, err := journal.Events(t.Context(), tx, "us", 0, 100)
			for _, e := range list {
				events[e.Kind]++
			}
			return err
		})
		if err != nil || events[EventMatched] != 1 {
			t.Errorf("events %v, %v; want one match", events, err)
		}
	})
}

func TestAliasGroupsFollowTheRecords(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d, "us")
		r.products("portal")
		r.sbom("portal", "pkg:npm/left-pad@1.0.0")
		r.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", `,"aliases":["CVE-2024-1"]`))
		r.ingest(leftPad("A-2", "2024-01-01T00:00:00Z", "1.1.0", `,"aliases":["CVE-2024-2"]`))
		r.catchUp()
		groups := func() string {
			list, _, err := r.s.List(t.Context(), r.actor, Query{Order: ByName, Withdrawn: WithWithdrawn})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, l := range list {
				out = append(out, fmt.Sprintf("%s(%s)%d", l.ID, strings.Join(l.Names[1:], " "), l.Products))
			}
			return strings.Join(out, ", ")
		}
		if got, want := groups(), "A-1(CVE-2024-1)1, A-2(CVE-2024-2)1"; got != want {
			t.Errorf("groups %q, want %q", got, want)
		}
		r.ingest(`{"id":"GHSA-x","modified":"2024-01-01T00:00:00Z","summary":"Both","aliases":["cve-2024-1","CVE-2024-2"]}`)
		r.catchUp()
		if got, want := groups(), "GHSA-x(CVE-2024-1 CVE-2024-2 A-1 A-2)1"; got != want {
			t.Errorf("joined by a third record: %q, want %q", got, want)
		}
		if i, err := r.s.ImpactOf(t.Context(), r.actor, "cve-2024-2", ImpactOptions{}); err != nil || i.Advisory.ID != "GHSA-x" || i.Counts.Packages != 1 {
			t.Errorf("impact by an alias: %+v, %v", i.Counts, err)
		}
		r.ingest(`{"id":"GHSA-x","modified":"2024-01-02T00:00:00Z","summary":"One","aliases":["CVE-2024-2"]}`)
		r.catchUp()
		if got, want := groups(), "A-1(CVE-2024-1)1, GHSA-x(CVE-2024-2 A-2)1"; got != want {
			t.Errorf("parted again: %q, want %q", got, want)
		}
	})
}

func TestListsFilterSortAndPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRoom(t, d, "us")
		r.products("portal", "desk")
		r.sbom("portal", "pkg:npm/left-pad@1.0.0", "pkg:pypi/django@3.0")
		r.sbom("desk", "pkg:npm/left-pad@1.0.0")
		r.ingest(
			leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", `,"summary":"100% wrong_padding","database_specific":{"severity":"LOW"}`),
			`{"id":"A-2","modified":"2024-03-01T00:00:00Z","published":"2020-01-01T00:00:00Z","summary":"SQL injection","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"PyPI","name":"Django"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}`,
			`{"id":"A-3","modified":"2024-02-01T00:00:00Z","published":"2021-01-01T00:00:00Z","summary":"Nobody has it","affected":[{"package":{"ecosystem":"Go","name":"stdlib"},"versions":["1.0.0"]}]}`,
		)
		r.catchUp()
		for name, c := range map[string]struct {
			q    Query
			want string
		}{
			"newest":         {Query{}, "A-2 A-3 A-1"},
			"published":      {Query{Order: ByPublished}, "A-3 A-2 A-1"},
			"severity":       {Query{Order: BySeverity}, "A-2 A-1 A-3"},
			"hits":           {Query{Order: ByHits}, "A-1 A-2"},
			"that hit":       {Query{Hits: true, Order: ByName}, "A-1 A-2"},
			"page":           {Query{Order: ByName, Limit: 1, Offset: 1}, "A-2"},
			"page of hits":   {Query{Hits: true, Order: ByName, Limit: 1, Offset: 1}, "A-2"},
			"beyond the end": {Query{Order: ByName, Limit: 1, Offset: 9}, ""},
			"ecosystem":      {Query{Ecosystem: "pypi"}, "A-2"},
			"part of one":    {Query{Ecosystem: "Py"}, ""},
			"level":          {Query{Level: High}, "A-2"},
			"search":         {Query{Search: "sql INJ"}, "A-2"},
			"wild cards":     {Query{Search: "100% wrong_p"}, "A-1"},
			"no wild cards":  {Query{Search: "1%wrong"}, ""},
			"name":           {Query{Search: "a-3"}, "A-3"},
		} {
			list, total, err := r.s.List(t.Context(), r.actor, c.q)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, l := range list {
				ids = append(ids, l.ID)
			}
			if got := strings.Join(ids, " "); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
			if strings.Contains(name, "page") && total < 2 || strings.Contains(name, "beyond") && total != 3 {
				t.Errorf("%s: %d in all pages", name, total)
			}
		}
		totals, err := r.s.Totals(t.Context(), r.actor)
		if err != nil || totals.Records != 3 || totals.Advisories != 3 || totals.Concerning != 2 || totals.Updated.IsZero() {
			t.Errorf("totals %+v, %v", totals, err)
		}
		ecosystems, err := r.s.Ecosystems(t.Context(), r.actor)
		if err != nil || !slices.Equal(ecosystems, []string{"Go", "PyPI", "npm"}) {
			t.Errorf("ecosystems %q, %v", ecosystems, err)
		}
	})
}

func TestOrganisationsDoNotSeeEachOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		us, them := newRoom(t, d, "us"), newRoom(t, d, "them")
		us.products("portal")
		us.sbom("portal", "pkg:npm/left-pad@1.0.0")
		us.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", ""))
		us.catchUp()
		them.products("portal")
		them.catchUp()
		if _, err := them.s.Get(t.Context(), them.actor, "A-1"); entente.KindOf(err) != entente.KindNotFound {
			t.Errorf("another organisation reads the advisory: %v", err)
		}
		them.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", ""))
		them.catchUp()
		i, err := them.s.ImpactOf(t.Context(), them.actor, "A-1", ImpactOptions{})
		if err != nil || i.Counts.Products != 0 {
			t.Errorf("another organisation sees products: %+v, %v", i.Counts, err)
		}
	})
}

func TestPermissions(t *testing.T) {
	d := dbtest.SQLite(t)
	r := newRoom(t, d, "us")
	r.products("portal")
	r.ingest(leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", ""))
	r.catchUp()
	as := func(role entente.Role) entente.Actor {
		a := r.actor
		a.Role = role
		return a
	}
	acts := map[string]struct {
		do  func(context.Context, entente.Actor) error
		may []entente.Role
	}{
		"ingest": {func(ctx context.Context, a entente.Actor) error {
			_, err := r.s.Ingest(ctx, a, FromReader(strings.NewReader(leftPad("A-1", "2024-01-01T00:00:00Z", "1.1.0", "")), "a.json"), IngestOptions{})
			return err
		}, []entente.Role{entente.RoleOwner, entente.RoleSecurityLead, entente.RoleAnalyst}},
	}
	read := []entente.Role{entente.RoleOwner, entente.RoleSecurityLead, entente.RoleAnalyst, entente.RoleBusinessOwner, entente.RoleProcurement, entente.RoleAuditor}
	for name, do := range map[string]func(context.Context, entente.Actor) error{
		"list": func(ctx context.Context, a entente.Actor) error { _, _, err := r.s.List(ctx, a, Query{}); return err },
		"get":  func(ctx context.Context, a entente.Actor) error { _, err := r.s.Get(ctx, a, "A-1"); return err },
		"impact": func(ctx context.Context, a entente.Actor) error {
			_, err := r.s.ImpactOf(ctx, a, "A-1", ImpactOptions{})
			return err
		},
		"of product": func(ctx context.Context, a entente.Actor) error {
			_, err := r.s.OfProduct(ctx, a, "portal")
			return err
		},
		"totals":     func(ctx context.Context, a entente.Actor) error { _, err := r.s.Totals(ctx, a); return err },
		"ecosystems": func(ctx context.Context, a entente.Actor) error { _, err := r.s.Ecosystems(ctx, a); return err },
	} {
		acts[name] = struct {
			do  func(context.Context, entente.Actor) error
			may []entente.Role
		}{do, read}
	}
	for name, act := range acts {
		for _, role := range entente.Roles() {
			err := act.do(t.Context(), as(role))
			if denied := entente.KindOf(err) == entente.KindDenied && err != nil; denied == slices.Contains(act.may, role) {
				t.Errorf("%s as %s: %v", name, role, err)
			}
		}
		foreign := as(entente.RoleOwner)
		foreign.Door, foreign.Verbs = entente.DoorAPI, []string{"journal.read"}
		if err := act.do(t.Context(), foreign); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("%s with a token for something else: %v", name, err)
		}
	}
}
