package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestPreferences(t *testing.T) {
	n := newNode(t)
	n.tell()
	here, there := n.as("owner@beanline.example"), n.as("owner@beanline.example")
	to := "/o/beanline/account/preferences"
	wholePage(t, "preferences", here.mustHold(to, "Time zone", "Europe/Berlin", "That of the browser"))
	if w := here.post(to, url.Values{"zone": {"Mars/Olympus"}, "rows": {"25"}}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "aria-invalid") {
		t.Errorf("a wrong zone: %d\n%s", w.Code, w.Body)
	}
	w := here.post(to, url.Values{"language": {"en-XA"}, "zone": {"Asia/Tokyo"}, "rows": {"25"}})
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 2 {
		t.Fatalf("saving: %d %v\n%s", w.Code, w.Result().Cookies(), w.Body)
	}
	// Another device has it too, without a cookie.
	body := there.mustHold("/o/beanline/journal", "JST", `lang="en-XA"`)
	if strings.Contains(body, "UTC</time>") {
		t.Error("times are told in UTC")
	}
	if body := there.get("/o/beanline/components?view=all").Body.String(); strings.Count(body, `name="row"`) != 25 {
		t.Errorf("%d rows on a page", strings.Count(body, `name="row"`))
	}
	there.mustHold("/o/beanline/components?rows=50", `<option value="50" selected>`)
	here.post(to, url.Values{"rows": {"0"}})
	if body := there.get("/o/beanline/journal").Body.String(); strings.Contains(body, "JST") {
		t.Error("it was not given up")
	}
}

func TestZonesAreKnown(t *testing.T) {
	for z := range strings.FieldsSeq(zones) {
		if _, err := time.LoadLocation(z); err != nil {
			t.Errorf("%s: %v", z, err)
		}
	}
}

// An organisation that has only begun has one clear next step on each page, and each
// works from nothing.
func TestTheFirstThing(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	for _, page := range []string{"/o/beanline", "/o/beanline/processes"} {
		owner.mustHold(page, "Add your first process", `href="/o/beanline/new/process"`, "Import a sheet", `href="/o/beanline/import?kind=processes"`, "Import a map", `href="/o/beanline/map"`)
	}
	owner.mustHold("/o/beanline/systems", "Add your first system", `href="/o/beanline/import?kind=systems"`)
	owner.mustHold("/o/beanline/suppliers", "Add your first supplier", `href="/o/beanline/import?kind=suppliers"`)
	owner.mustHold("/o/beanline/products", "Add your first product")
	w := owner.post("/o/beanline/new/process", url.Values{"id": {"roasting"}, "name": {"Roasting"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("the first process: %d\n%s", w.Code, w.Body)
	}
	owner.mustHold("/o/beanline/processes", "Roasting", "Import processes")
	if w := owner.post("/o/beanline/new/organisation", url.Values{"id": {"roaster"}, "name": {"Roaster"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("the first supplier: %d\n%s", w.Code, w.Body)
	}
	owner.mustHold("/o/beanline/suppliers/beanline", "Beanline")
}

// A contact of our own organisation is invited with a form that is filled in already.
func TestContactsOfOursAreInvited(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	w := owner.post("/o/beanline/new/process", url.Values{"id": {"roasting"}, "name": {"Roasting"}})
	if w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	form := hiddenIn(t, owner.get("/o/beanline/suppliers/beanline/edit").Body.String(), "/o/beanline/suppliers/beanline/edit")
	form.Set("name", "Beanline")
	form.Set("contacts[0].name", "Net Desk")
	form.Set("contacts[0].email", "desk@beanline.example")
	if w := owner.post("/o/beanline/suppliers/beanline/edit", form); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	owner.mustHold("/o/beanline/suppliers/beanline", "Invite to Entente", "/o/beanline/invitations?email=desk%40beanline.example&amp;name=Net+Desk")
	owner.mustHold("/o/beanline/invitations?email=desk%40beanline.example&name=Net+Desk", `value="desk@beanline.example"`, `value="Net Desk"`)
}
