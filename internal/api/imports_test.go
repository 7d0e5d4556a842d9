package api

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

// three rows of this sheet are wrong, one exists, one is new.
const suppliersCSV = "Firma;Land;Leistung;Art;LEI\n" +
	"Kranwerk GmbH;DE;Crane upkeep;service;\n" +
	"Rosthof Wholesale;DE;;;\n" +
	";DE;Nothing;service;\n" +
	"Nordlicht;Atlantis;Lamps;goods;\n" +
	"Südwind;DE;Sails;goods;12\n"

// A sheet goes all its way over the API: upload, options, dry run, import, undo.
func TestImportOfASheet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		has := func(name string) bool {
			return slices.ContainsFunc(get[List[Supplier]](n, base+"/suppliers?limit=200").Items, func(s Supplier) bool { return s.Name == name })
		}
		upload := func(kind, text string) SheetImport {
			t.Helper()
			return answerOf[SheetImport](n, n.ask("POST", base+"/imports?file=vendors.csv&kind="+kind, strings.NewReader(text), with("Content-Type", "text/csv")))
		}
		made := upload("suppliers", suppliersCSV)
		at := fmt.Sprintf("%s/imports/%d", base, made.ID)
		if made.State != "draft" || made.Rows != 5 || made.File != "vendors.csv" || len(made.Heading) != 5 || !strings.HasPrefix(made.By, "owner") {
			t.Fatalf("uploaded: %+v", made)
		}
		columns := get[List[SheetColumn]](n, base+"/sheet-columns/suppliers").Items
		options := get[SheetOptions](n, at+"/options")
		key := func(i int) string {
			return columns[slices.IndexFunc(columns, func(c SheetColumn) bool { return c.Key == options.Columns[i].Key })].Heading
		}
		if len(options.Columns) != 5 || key(0) != "Supplier" || options.Columns[0].Column != 1 || options.Exists != "skip" || options.Wrong != "stop" {
			t.Errorf("guessed: %+v", options)
		}
		plan := get[SheetRows](n, at+"/rows")
		if plan.Blocked == "" || plan.Revision == 0 || plan.Counts != (SheetCounts{Add: 1, Skip: 1, Refuse: 3}) || *plan.Total != 5 {
			t.Fatalf("the dry run: %+v", plan)
		}
		wrong := get[SheetRows](n, at+"/rows?action=refuse&limit=2")
		if *wrong.Total != 3 || len(wrong.Items) != 2 || wrong.Next == "" || wrong.Items[0].Line != 4 || wrong.Items[0].Problems[0].Column != "Supplier" ||
			wrong.Items[1].Problems[0].Cell != "Atlantis" || wrong.Items[1].Problems[0].Message == "" {
			t.Errorf("the wrong rows: %+v", wrong)
		}

		// With the rule to stop nothing is imported; with the other one the good rows are.
		start := func(body string) SheetImport {
			t.Helper()
			if got := answerOf[SheetImport](n, n.send("POST", at+"/start", body)); got.State != "waiting" {
				t.Errorf("started: %+v", got)
			}
			must(t, n.runner.CatchUp(t.Context(), "beanline"))
			return get[SheetImport](n, at)
		}
		if got := start(`{}`); got.State != "failed" || got.Note == "" || has("Kranwerk GmbH") {
			t.Errorf("with wrong rows: %+v", got)
		}
		options.Exists, options.Wrong = "update", "pass"
		set := func(o SheetOptions) string {
			return fmt.Sprintf(`{"columns":[{"key":%q,"column":1},{"key":"supply","column":3},{"key":"nature","column":4},{"key":"country","column":2}%s],"exists":%q,"wrong":%q}`,
				o.Columns[0].Key, `,{"key":"lei","column":5}`, o.Exists, o.Wrong)
		}
		answerOf[SheetOptions](n, n.send("PUT", at+"/options", set(options)))
		n.problem(n.send("PUT", at+"/options", strings.Replace(set(options), `"column":5`, `"column":77`, 1)), 422, "lei")
		if got := start(fmt.Sprintf(`{"revision":%d}`, plan.Revision+7)); got.State != "failed" || has("Kranwerk GmbH") {
			t.Errorf("with another revision: %+v", got)
		}
		done := start(fmt.Sprintf(`{"revision":%d}`, plan.Revision))
		if done.State != "done" || done.Checked != 5 || done.Counts.Add != 1 || done.Counts.Refuse != 3 || !done.CanUndo || done.Done == nil || !has("Kranwerk GmbH") {
			t.Fatalf("imported: %+v", done)
		}
		result := get[SheetRows](n, at+"/rows?action=add")
		if len(result.Items) != 1 || result.Items[0].ID != "kranwerk" && result.Items[0].ID != "kranwerk-gmbh" || result.Revision != 0 {
			t.Errorf("the result: %+v", result)
		}
		n.problem(n.send("POST", at+"/start", `{}`), 409, "")
		n.problem(n.ask("DELETE", at, nil), 409, "")
		answerOf[ChainChange](n, n.ask("POST", at+"/undo", nil))
		if got := get[SheetImport](n, at); got.State != "undone" || !strings.HasPrefix(got.UndoneBy, "owner") || got.CanUndo || has("Kranwerk GmbH") {
			t.Errorf("undone: %+v", got)
		}
		n.problem(n.ask("POST", at+"/undo", nil), 409, "already")

		// What is not started can be thrown away.
		second := upload("systems", "Name\nCrane\n")
		if all := get[List[SheetImport]](n, base+"/imports").Items; len(all) != 2 || all[0].ID != second.ID {
			t.Errorf("listed: %+v", all)
		}
		gone := fmt.Sprintf("%s/imports/%d", base, second.ID)
		answerOf[Done](n, n.ask("DELETE", gone, nil))
		n.problem(n.ask("GET", gone, nil), 404, "")
	})
}

// Who may change nothing of what a sheet is about sees nothing of it either.
func TestRightsOfSheets(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	upload := func(kind string, token string) (path string, code int) {
		w := n.ask("POST", base+"/imports?kind="+kind, strings.NewReader("Name\nCrane\n"), with("Content-Type", "text/csv"), as(token))
		if w.Code != 200 {
			return "", w.Code
		}
		return fmt.Sprintf("%s/imports/%d", base, answerOf[SheetImport](n, w).ID), w.Code
	}
	buyer, limited := n.tokens["beanline/procurement"], n.tokens["beanline/business-owner"]
	for kind, code := range map[string]int{"suppliers": 200, "products": 200, "processes": 403, "systems": 403} {
		if _, got := upload(kind, buyer); got != code {
			t.Errorf("procurement uploads %s: %d, want %d", kind, got, code)
		}
	}
	if _, got := upload("suppliers", n.token("beanline", entente.RoleOwner, identity.ChainRead, identity.ChainImport)); got != 403 {
		t.Errorf("a token without chain.edit uploads: %d", got)
	}
	processes, _ := upload("processes", n.tokens["beanline/owner"])
	n.problem(n.ask("GET", processes+"/rows", nil, as(buyer)), 403, "")
	n.problem(n.ask("GET", processes, nil, as(n.tokens["rosthof/owner"])), 404, "")
	if rows := get[SheetRows](n, processes+"/rows", as(limited)); rows.Counts.Refuse != 1 {
		t.Errorf("one new process of whom one process is: %+v", rows)
	}
	n.problem(n.ask("POST", base+"/imports?kind=suppliers", strings.NewReader(""), with("Content-Type", "text/csv")), 422, "empty")
	n.problem(n.ask("POST", base+"/imports?kind=ships", strings.NewReader("Name\nCrane\n"), with("Content-Type", "text/csv")), 422, "query.kind")
	n.problem(n.ask("POST", base+"/imports?kind=suppliers", io.LimitReader(endless{}, 64<<20), with("Content-Type", "text/csv")), 413, "32 MiB")
}
