package web

import (
	"bytes"
	"encoding/csv"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/sheet"
)

func TestJournalIsNarrowedAndTakenAway(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	mustLead(t, owner.post("/o/beanline/organisation/name", url.Values{"name": {"=Beanline"}}), "/o/beanline/organisation?done=renamed")
	must(t, n.Identity.Tidy(t.Context()))
	self := examples["/o/{org}/people/{id}"]
	today, tomorrow := time.Now().UTC().Format(time.DateOnly), time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	for view, want := range map[string]struct{ holds, lacks string }{
		"who=" + self:                           {"Organisation renamed", "Chain imported"},
		"who=program":                           {"Chain imported", "Organisation renamed"},
		"about=access":                          {"Organisation renamed", "Chain imported"},
		"kind=renamed":                          {"Organisation renamed", "Chain imported"},
		"kind=organisation.renamed":             {"Organisation renamed", "Chain imported"},
		"subject=owner+of":                      {"Member added", "Organisation renamed"},
		"from=" + today + "&to=" + tomorrow:     {"Organisation renamed", "Nothing matches"},
		"from=" + tomorrow:                      {"Nothing matches", "Organisation renamed"},
		"to=2020-01-01":                         {"Nothing matches", "Organisation renamed"},
		"from=yesterday":                        {"Organisation renamed", "Nothing matches"},
		"who=" + self + "&kind=renamed&to=2020": {"Organisation renamed", "Nothing matches"},
	} {
		w := owner.get("/o/beanline/journal?rows=250&" + view)
		mustAnswer(t, w, http.StatusOK, want.holds)
		if strings.Contains(w.Body.String(), want.lacks) {
			t.Errorf("%s says %q", view, want.lacks)
		}
	}
	// The days are those of the reader's zone.
	e := n.as("owner@beanline.example")
	at := time.Now().UTC()
	zone, here := "Pacific/Kiritimati", at.Add(14*time.Hour) // a day ahead from ten in the morning on
	if at.Hour() < 10 {
		zone, here = "Pacific/Pago_Pago", at.Add(-11*time.Hour) // a day behind until eleven
	}
	for day, want := range map[string]string{here.Format(time.DateOnly): "Organisation renamed", at.Format(time.DateOnly): "Nothing matches"} {
		w := e.withCookies("/o/beanline/journal?kind=renamed&from="+day+"&to="+day, &http.Cookie{Name: zoneCookie, Value: zone})
		mustAnswer(t, w, http.StatusOK, want)
	}
	view := "/o/beanline/journal?kind=renamed&who=" + self
	w := owner.get(view + "&format=csv")
	mustAnswer(t, w, http.StatusOK)
	rows, err := csv.NewReader(w.Body).ReadAll()
	must(t, err)
	if len(rows) != 2 || rows[1][3] != "Organisation renamed" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="beanline-journal-`) {
		t.Errorf("CSV: %q %v", rows, w.Header())
	}
	w = owner.get(view + "&format=xlsx")
	var cells []string
	err = sheet.Read(bytes.NewReader(w.Body.Bytes()), sheet.DefaultLimits(), func([]string) error { return nil }, func(r sheet.Row) error {
		cells = append(cells, r.Cells...)
		return nil
	})
	must(t, err)
	if w.Code != http.StatusOK || len(cells) != 6 || cells[3] != rows[1][3] || cells[5] != rows[1][5] {
		t.Errorf("XLSX: %q instead of %q", cells, rows[1])
	}
	auditor := n.join(entente.RoleAuditor)
	auditor.mustHold("/o/beanline/journal", "Download as XLSX", "Verify the chain")
	if body := auditor.mustHold("/o/beanline/journal/verify", "Verify now"); strings.Contains(body, "Last time") {
		t.Error("a journal that was never verified says when it was")
	}
	for _, part := range []string{"events are as they were written", "Hash of the latest"} {
		if w := auditor.post("/o/beanline/journal/verify", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), part) {
			t.Errorf("verifying: %d without %q", w.Code, part)
		}
	}
	auditor.mustHold("/o/beanline/journal/verify", "Last time", "Hash of the latest")
	auditor.mustHold("/o/beanline/journal", "Journal verified")
	analyst := n.join(entente.RoleAnalyst)
	for _, format := range []string{"", "?format=csv", "?format=xlsx"} {
		mustAnswer(t, analyst.get("/o/beanline/journal"+format), http.StatusForbidden)
	}
	analyst.mustHold("/o/beanline/organisation", "/o/beanline/journal/verify")
	if body := analyst.mustHold("/o/beanline/journal/verify"); strings.Contains(body, `href="/o/beanline/journal"`) {
		t.Error("an analyst is offered the journal, which does not open")
	}
}

func TestVerifyingFindsAForgedEvent(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	verify := func(part string) {
		t.Helper()
		if w := owner.post("/o/beanline/journal/verify", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), part) {
			t.Errorf("verifying: %d without %q", w.Code, part)
		}
	}
	verify("events are as they were written")
	must(t, n.DB.Write(t.Context(), "beanline", func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE journal_event SET subject = 'forged' WHERE org = 'beanline' AND seq = 1")
		return err
	}))
	verify("from event 1 on")
	owner.mustHold("/o/beanline/journal/verify", "tampered with", "from event 1 on")
}

func TestFirstEventAfterAMoment(t *testing.T) {
	n := newNode(t)
	n.tell()
	e := events{ctx: t.Context(), db: n.DB, org: "beanline"}
	must(t, n.DB.Read(t.Context(), func(tx *db.Tx) error {
		head, err := journal.Head(t.Context(), tx, "beanline")
		must(t, err)
		for at, want := range map[time.Time]int64{{}: 1, time.Now().Add(time.Hour): head + 1} {
			got, err := e.firstAfter(tx, head, at)
			if err != nil || got != want {
				t.Errorf("after %v: %d %v; want %d", at, got, err, want)
			}
		}
		return nil
	}))
}

// Every kind of event that a room names is said in words.
func TestKindsHaveWords(t *testing.T) {
	named := regexp.MustCompile(`journal\.Kind = "([^"]+)"`)
	found := 0
	must(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range named.FindAllStringSubmatch(string(source), -1) {
			found++
			if textsOfKinds[journal.Kind(m[1])] == "" {
				t.Errorf("%s: %s has no words", path, m[1])
			}
		}
		return nil
	}))
	if found < 30 {
		t.Errorf("only %d kinds were found", found)
	}
}
