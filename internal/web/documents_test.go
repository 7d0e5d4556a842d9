package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
)

// SBOMs of all products are found, sorted and withdrawn together; who may not withdraw
// is not offered it.
func TestSBOMsOfAllProducts(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner, auditor := n.as("owner@beanline.example"), n.join(entente.RoleAuditor)
	at := "/o/beanline/documents"
	wholePage(t, at, owner.mustHold(at, "SBOMs", "Flinkfracht Booking", `data-label="Components"`, "Withdraw"))
	owner.mustHold(at+"?q=flinkfracht", "1 document")
	owner.mustHold(at+"?state=not-assessable", "Crema Machine Firmware")
	owner.mustHold(at+"?q=no+such+thing", "Nothing matches")
	newest := regexp.MustCompile(`/documents/(\d+)"`)
	first := newest.FindStringSubmatch(owner.mustHold(at))[1]
	if up := newest.FindStringSubmatch(owner.mustHold(at + "?sort=recorded"))[1]; up != "1" || first == "1" {
		t.Errorf("the oldest first begins with %s, the newest first with %s", up, first)
	}
	if strings.Contains(auditor.mustHold(at), `value="withdraw"`) || strings.Contains(auditor.mustHold(at+"/1"), "Withdraw the document") {
		t.Error("an auditor is offered to withdraw")
	}
	w := owner.post(at, url.Values{"act": {"withdraw"}, "scope": {"ticked"}, "row": {"1", "2"}})
	mustAnswer(t, w, http.StatusOK, "Withdraw 2 documents", "cannot be undone")
	form := hiddenIn(t, w.Body.String(), "/o/beanline/withdraw-documents")
	if w := auditor.post("/o/beanline/withdraw-documents", form); w.Code != http.StatusForbidden {
		t.Errorf("an auditor withdraws: %d", w.Code)
	}
	mustLead(t, owner.post("/o/beanline/withdraw-documents", form), at+"?done=documents-withdrawn")
	owner.mustHold(at+"?state=withdrawn&done=documents-withdrawn", "2 documents", "What hung on it is worked out anew")
	w = owner.post(at, url.Values{"act": {"withdraw"}, "scope": {"ticked"}, "row": {"1"}})
	mustAnswer(t, w, http.StatusOK, "It was withdrawn already")
	if w := owner.post("/o/beanline/withdraw-documents", form); w.Code != http.StatusConflict {
		t.Errorf("twice: %d", w.Code)
	}
	owner.mustHold(at+"/3", `href="`+at+`/3/withdraw" data-ask`)
	owner.mustHold(at+"/3/withdraw", "data-question", `name="ids" value="3"`)
	if w := owner.get(at + "/1/withdraw"); w.Code != http.StatusConflict {
		t.Errorf("one that was withdrawn is asked for: %d", w.Code)
	}
}

// Supplies are a list like every other, with what can be done with many of them.
func TestSupplies(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	at := "/o/beanline/supplies"
	wholePage(t, at, owner.mustHold(at, "Supplies", "Rosthof", "Relied on by", "/history", "New supply", "supply.kind"))
	us, others := owner.mustHold(at+"?for=us"), owner.mustHold(at+"?for=others")
	if count := regexp.MustCompile(`(\d+) suppl(y|ies), out of (\d+)`); count.FindString(us) == "" || count.FindString(others) == "" {
		t.Error("supplies are not told apart by whom they are for")
	}
	owner.mustHold(at+"?q=nordhost", "Nordhost")
	owner.mustHold(at + "?sort=-spend")
	if w := owner.get(at + "?format=csv&nature=cloud"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Spend a year") {
		t.Errorf("as a file: %d %s", w.Code, w.Body)
	}
	row := regexp.MustCompile(`name="row" value="([^"]+)"`).FindStringSubmatch(owner.mustHold(at))[1]
	w := owner.post(at, url.Values{"act": {"supply.kind"}, "scope": {"ticked"}, "row": {row}})
	mustAnswer(t, w, http.StatusOK, "Set the kind of 1 supply")
	form := hiddenIn(t, w.Body.String(), "/o/beanline/batch")
	form.Set("value", "bespoke")
	if w := owner.post("/o/beanline/batch", form); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), at) {
		t.Errorf("changing one: %d to %s", w.Code, w.Header().Get("Location"))
	}
}

// A task on Home leads to the very rows that it counts.
func TestTasksOnHomeLeadToTheirRows(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	body := owner.mustHold("/o/beanline")
	found := 0
	for _, task := range []*regexp.Regexp{
		regexp.MustCompile(`href="(/o/beanline/suppliers\?tier=provisional)">The tiers? of (\d+) suppliers?`),
		regexp.MustCompile(`href="(/o/beanline/suppliers\?contacts=none&amp;rank=1)">(\d+) suppliers? ha`),
	} {
		m := task.FindStringSubmatch(body)
		if m == nil {
			continue
		}
		found++
		if rows := strings.Count(owner.mustHold(strings.ReplaceAll(m[1], "&amp;", "&")), `name="row"`); m[2] != strconv.Itoa(rows) {
			t.Errorf("%s shows %d rows; the task counts %s", m[1], rows, m[2])
		}
	}
	if found == 0 {
		t.Error("Home has no task about suppliers")
	}
}
