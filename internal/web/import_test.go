package web

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/sheet"
)

// runJobs lets the started imports run.
func (n *node) runJobs() {
	n.t.Helper()
	must(n.t, journal.NewRunner(n.DB, n.Log, nil, n.Chain.Jobs()).CatchUp(n.t.Context(), "beanline"))
}

var revisionField = regexp.MustCompile(`name="revision" value="([0-9]+)"`)

// A sheet with three bad rows goes the whole way: upload, columns, preview, import,
// result, the refused rows, and back.
func TestImportWizard(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline/import?kind=suppliers", "Import suppliers", "/o/beanline/import/template?format=xlsx", "529900T8BM49AURSDO55", "suppliers.csv", "not started")
	w := owner.send("/o/beanline/import?kind=suppliers", "sheet", "new suppliers.csv", []byte("Vendor;Land;What;Nature;Hint\n"+
		"Fjordbeans;NO;Green beans;goods;\nBadland;Atlantis;Bread;goods;\nOddly;DE;Bread;tasty;\n;DE;Bread;goods;\nNordwind;Germany;Mail;cloud;\n"))
	at := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || at != "/o/beanline/import/2?step=columns" {
		t.Fatalf("the upload: %d to %q %s", w.Code, at, w.Body)
	}
	body := owner.mustHold(at, `<option value="1" selected>1. Vendor</option>`, `<option value="2" selected>2. Land</option>`, "the same for every row: cloud")
	wholePage(t, at, body)
	w = owner.post("/o/beanline/import/2/columns", url.Values{"column-name": {"1"}, "column-country": {"1"}})
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "taken for “Supplier” already") {
		t.Errorf("a column taken twice: %d %s", w.Code, w.Body)
	}
	wholePage(t, "columns", w.Body.String())
	columns := url.Values{"column-name": {"1"}, "column-country": {"2"}, "column-supply": {"3"}, "column-nature": {"4"}, "column-bespoke": {"=bespoke"}}
	if w := owner.post("/o/beanline/import/2/columns", columns); w.Code != http.StatusSeeOther {
		t.Fatalf("columns: %d %s", w.Code, w.Body)
	}
	body = owner.mustHold("/o/beanline/import/2", "3 rows are refused", "Country: &#34;Atlantis&#34; is not a country", "is not one of goods", "it is empty", "Rows of the sheet are wrong (3)")
	if strings.Contains(body, "/start") {
		t.Error("a blocked import can be started")
	}
	wholePage(t, "preview", body)
	if w := owner.post("/o/beanline/import/2/options", url.Values{"exists": {"skip"}, "wrong": {"pass"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("options: %d %s", w.Code, w.Body)
	}
	body = owner.mustHold("/o/beanline/import/2", "Import 2 rows")
	refused := owner.get("/o/beanline/import/2/refused?format=csv").Body.String()
	if !strings.Contains(refused, "Badland,Atlantis,Bread,goods,,3,") || strings.Contains(refused, "Fjordbeans") {
		t.Errorf("the refused rows: %s", refused)
	}
	w = owner.post("/o/beanline/import/2/start", url.Values{"revision": {revisionField.FindStringSubmatch(body)[1]}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("start: %d %s", w.Code, w.Body)
	}
	w = owner.get("/o/beanline/import/2")
	if w.Header().Get("Refresh") != "1" || !strings.Contains(w.Body.String(), "The import of 5 rows is about to begin.") {
		t.Errorf("under way: %q %s", w.Header().Get("Refresh"), w.Body)
	}
	wholePage(t, "progress", w.Body.String())
	for checked, want := range map[int]string{3: "3 of 5 rows are checked.", 5: "Taking over: all 5 rows"} {
		must(t, n.DB.Write(t.Context(), "beanline", func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE chain_import SET checked = $1 WHERE org = 'beanline' AND id = 2", checked)
			return err
		}))
		owner.mustHold("/o/beanline/import/2", want, `<progress`, `value="`+strconv.Itoa(checked)+`" max="5"`)
	}
	n.runJobs()
	body = owner.mustHold("/o/beanline/import/2", "2 rows were imported.", `href="/o/beanline/suppliers/fjordbeans"`, "Undo this import", "/o/beanline/import/2/refused?format=xlsx")
	if notice := noticeOf(body); !strings.Contains(notice, `action="/o/beanline/import/2/undo"`) || !strings.Contains(notice, "Undo") {
		t.Errorf("the notice does not offer to undo the import: %s", notice)
	}
	wholePage(t, "result", body)
	owner.mustHold("/o/beanline/suppliers/fjordbeans", "Green beans")
	var back [][]string
	err := sheet.Read(owner.get("/o/beanline/import/2/refused?format=xlsx").Body, sheet.DefaultLimits(),
		func([]string) error { return nil }, func(r sheet.Row) error { back = append(back, r.Cells); return nil })
	if err != nil || len(back) != 3 {
		t.Errorf("the refused rows as XLSX: %v, %v", back, err)
	}
	if w := owner.post("/o/beanline/import/2/undo", nil); w.Code != http.StatusSeeOther {
		t.Errorf("undo: %d %s", w.Code, w.Body)
	}
	owner.mustHold("/o/beanline/import/2", "This import was undone.")
	if w := owner.get("/o/beanline/suppliers/fjordbeans"); w.Code != http.StatusNotFound {
		t.Errorf("the supplier is still there: %d", w.Code)
	}
	owner.mustHold("/o/beanline/import", "undone", "new suppliers.csv")
}

// noticeOf is the notice of a page, with what can be done about it.
func noticeOf(body string) string {
	_, after, _ := strings.Cut(body, `class="notice `)
	notice, _, _ := strings.Cut(after, "Dismiss")
	return notice
}

// What has changed since is named, and nothing is undone.
func TestUndoOfAnImportNamesWhatChanged(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	owner.post("/o/beanline/import/1/options", url.Values{"exists": {"skip"}, "wrong": {"pass"}})
	owner.post("/o/beanline/import/1/start", nil)
	n.runJobs()
	system := entente.System("beanline", entente.DoorCommand)
	m, err := n.Chain.Export(t.Context(), system)
	must(t, err)
	for i := range m.Organisations {
		if m.Organisations[i].ID == "newcomer" {
			m.Organisations[i].Country = "FR"
		}
	}
	_, err = n.Chain.Import(t.Context(), system, m)
	must(t, err)
	w := owner.post("/o/beanline/import/1/undo", nil)
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Newcomer: it was changed since") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wholePage(t, "conflict", w.Body.String())
}

func TestImportRefusesBadFiles(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	for name, c := range map[string]struct {
		content string
		want    string
	}{
		"empty":     {"", "The sheet is empty"},
		"only head": {"Supplier;Country\n", "no rows below its heading"},
		"not a zip": {"PK\x03\x04nonsense", "not a spreadsheet"},
	} {
		w := owner.send("/o/beanline/import?kind=systems", "sheet", "x", []byte(c.content))
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), c.want) || !strings.Contains(w.Body.String(), "Import systems") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		wholePage(t, name, w.Body.String())
	}
	if w := owner.post("/o/beanline/import/1/drop", nil); w.Header().Get("Location") != "/o/beanline/import?kind=suppliers&done=dropped" {
		t.Errorf("drop: %d", w.Code)
	}
	if w := owner.get("/o/beanline/import/1"); w.Code != http.StatusNotFound {
		t.Errorf("dropped: %d", w.Code)
	}
	if w := owner.get("/o/beanline/import/x"); w.Code != http.StatusNotFound {
		t.Errorf("no number: %d", w.Code)
	}
}

// An auditor neither comes in nor sees the way.
func TestAuditorsDoNotImport(t *testing.T) {
	n := newNode(t)
	n.tell()
	_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), identity.NewMember{
		NewPerson: identity.NewPerson{Name: "An auditor", Email: "auditor@beanline.example", Password: testPassword}, Role: entente.RoleAuditor,
	})
	must(t, err)
	auditor := n.as("auditor@beanline.example")
	if body := auditor.mustHold("/o/beanline/processes"); strings.Contains(body, "/o/beanline/import") {
		t.Error("the auditor is led to the import")
	}
	for _, path := range []string{"/o/beanline/import", "/o/beanline/import/1", "/o/beanline/import/template", "/o/beanline/import/1/refused"} {
		if w := auditor.get(path); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := auditor.send("/o/beanline/import", "sheet", "x.csv", []byte("Supplier\nA\n")); w.Code != http.StatusForbidden {
		t.Errorf("upload: %d", w.Code)
	}
}

// Procurement imports what it looks after, and is not shown the rest.
func TestProcurementImportsSuppliers(t *testing.T) {
	n := newNode(t)
	n.tell()
	_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), identity.NewMember{
		NewPerson: identity.NewPerson{Name: "A buyer", Email: "buyer@beanline.example", Password: testPassword}, Role: entente.RoleProcurement,
	})
	must(t, err)
	buyer := n.as("buyer@beanline.example")
	body := buyer.mustHold("/o/beanline/import", `href="/o/beanline/import"`, "kind=products", "kind=contacts")
	if strings.Contains(body, "kind=processes") || strings.Contains(body, "kind=systems") {
		t.Error("procurement is led to sheets that it may not import")
	}
	if w := buyer.send("/o/beanline/import?kind=processes", "sheet", "x.csv", []byte("Process\nA\n")); w.Code != http.StatusForbidden {
		t.Errorf("processes: %d", w.Code)
	}
	w := buyer.send("/o/beanline/import?kind=suppliers", "sheet", "x.csv", []byte("Supplier\nA\n"))
	if w.Code != http.StatusSeeOther {
		t.Fatalf("suppliers: %d %s", w.Code, w.Body)
	}
	buyer.post("/o/beanline/import/2/start", nil)
	n.runJobs()
	buyer.mustHold("/o/beanline/import/2", "1 row was imported.")
	if w := buyer.post("/o/beanline/import/2/undo", nil); w.Code != http.StatusSeeOther {
		t.Errorf("undo: %d", w.Code)
	}
}

// A template names every column, is recognised as a whole, and its own rows are not
// imported.
func TestTemplatesReadBack(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	system := entente.System("beanline", entente.DoorCommand)
	for _, kind := range chain.SheetKinds() {
		for _, format := range []string{"csv", "xlsx"} {
			content := owner.get("/o/beanline/import/template?kind=" + string(kind) + "&format=" + format).Body.Bytes()
			var read chain.Sheet
			err := sheet.Read(bytes.NewReader(content), sheet.DefaultLimits(), func(h []string) error { read.Heading = h; return nil },
				func(r sheet.Row) error {
					read.Rows = append(read.Rows, chain.SheetRow{Line: r.Line, Cells: r.Cells})
					return nil
				})
			must(t, err)
			kept, err := n.Chain.KeepSheet(t.Context(), system, kind, "template", read)
			must(t, err)
			plan, err := n.Chain.PreviewSheet(t.Context(), system, kept.ID)
			must(t, err)
			if len(kept.Options.Mapping) != len(chain.SheetColumns(kind)) || plan.Counts != (chain.SheetCounts{Rows: 1, Skip: 1}) {
				t.Errorf("%s %s: %d columns, %+v", kind, format, len(kept.Options.Mapping), plan.Counts)
			}
		}
	}
}
