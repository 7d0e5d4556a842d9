package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// hiddenIn gives the hidden fields of the page's form that leads somewhere.
func hiddenIn(t *testing.T, body, action string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(body, `method="post" action="`+action+`"`)
	if !found {
		t.Fatalf("no form leads to %s:\n%s", action, body)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	for _, f := range hiddenField.FindAllStringSubmatch(form, -1) {
		values.Add(f[1], strings.NewReplacer("&amp;", "&", "&#34;", `"`, "&#xA;", "\n").Replace(f[2]))
	}
	return values
}

func (v *visitor) criticality(id chain.NodeID) chain.Criticality {
	v.node.t.Helper()
	m, err := v.node.Chain.Export(v.node.t.Context(), entente.System("beanline", entente.DoorCommand))
	must(v.node.t, err)
	for _, p := range m.Processes {
		if p.ID == id {
			return p.BIA.Criticality
		}
	}
	return ""
}

// Rows are chosen, what would happen is shown, it is done to all, and undone by one button.
func TestManyRowsAtOnce(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	list := "/o/beanline/processes?q=" + url.QueryEscape("bean")
	body := owner.mustHold(list, "Which rows", "What to do with them", `name="row" value="bean-procurement" form="picking"`)
	if strings.Contains(body, `name="row" value="machine-maintenance"`) {
		t.Fatal("the search does not narrow the rows to choose from")
	}
	w := owner.post(list, url.Values{"act": {"process.criticality"}, "scope": {"ticked"}})
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Nothing is ticked") {
		t.Errorf("nothing ticked: %d\n%s", w.Code, w.Body)
	}
	if w := owner.post(list, url.Values{"act": {"nothing"}, "scope": {"page"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no act: %d", w.Code)
	}
	w = owner.post(list, url.Values{"act": {"process.criticality"}, "scope": {"ticked"}, "row": {"bean-procurement", "machine-maintenance"}})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Set the criticality of 1 process") {
		t.Fatalf("asking: %d\n%s", w.Code, w.Body)
	}
	wholePage(t, "bulk", w.Body.String())
	before := owner.criticality("bean-procurement")
	form := hiddenIn(t, w.Body.String(), "/o/beanline/batch")
	form.Set("value", "nonsense")
	again := owner.post("/o/beanline/batch", form)
	if again.Code != http.StatusUnprocessableEntity || !strings.Contains(again.Body.String(), "nothing was changed") {
		t.Errorf("a wrong value: %d\n%s", again.Code, again.Body)
	}
	form.Set("value", "low")
	w = owner.post("/o/beanline/batch", form)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("doing: %d\n%s", w.Code, w.Body)
	}
	if owner.criticality("bean-procurement") != chain.Low {
		t.Error("nothing was done")
	}
	body = owner.mustHold(w.Header().Get("Location"), "It was done for all of them", "Undo", "See what changed")
	change := regexp.MustCompile(`/o/beanline/changes/\d+/undo`).FindString(body)
	wholePage(t, "change", owner.mustHold(strings.TrimSuffix(change, "/undo"), "Bean procurement: changed", "Undo this change", "<ins>"))

	// The page that asked is old now.
	if w := owner.post("/o/beanline/batch", form); w.Code != http.StatusConflict {
		t.Errorf("with the old revision: %d", w.Code)
	}
	w = owner.post(change, nil)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("undoing: %d\n%s", w.Code, w.Body)
	}
	owner.mustHold(w.Header().Get("Location"), "The change was undone")
	if got := owner.criticality("bean-procurement"); got != before {
		t.Errorf("undone to %q; was %q", got, before)
	}
	if w := owner.post(change, nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "it was changed since") {
		t.Errorf("undone twice: %d\n%s", w.Code, w.Body)
	}
}

func TestRemovingManySaysWhatStays(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	w := owner.post("/o/beanline/suppliers", url.Values{"act": {"organisation.remove"}, "scope": {"all"}})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "These stay as they are") || !strings.Contains(w.Body.String(), "still needed by") && !strings.Contains(w.Body.String(), "rely on it") {
		t.Fatalf("asking: %d\n%s", w.Code, w.Body)
	}
	wholePage(t, "removal", w.Body.String())
}

// The selection is exported as it is ticked, or as all that match.
func TestExportOfTheSelection(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	for _, c := range []struct {
		path  string
		form  url.Values
		lines int
		holds string
	}{
		{"/o/beanline/processes", url.Values{"scope": {"ticked"}, "row": {"bean-procurement"}}, 2, "Bean procurement"},
		{"/o/beanline/suppliers?rank=3", url.Values{"scope": {"all"}}, 3, "Kabelhafen"},
		{"/o/beanline/advisories", url.Values{"scope": {"page"}}, 0, "GHSA-"},
		{"/o/beanline/components?q=dropwizard", url.Values{"scope": {"page"}}, 0, "dropwizard-core"},
		{"/o/beanline/data-flows", url.Values{"scope": {"all"}}, 0, ""},
		{"/o/beanline/supplies?for=us&q=nordhost", url.Values{"scope": {"all"}}, 0, ""},
		{"/o/beanline/documents?state=current", url.Values{"scope": {"ticked"}, "row": {"1"}}, 2, ""},
		{"/o/beanline/people", url.Values{"scope": {"all"}}, 2, "Owner of Beanline"},
		{"/o/beanline/products", url.Values{"scope": {"ticked"}, "row": {"dropwizard"}}, 2, "Dropwizard"},
		{"/o/beanline/systems", url.Values{"scope": {"ticked"}, "row": {"procurement-portal"}}, 2, ""},
	} {
		c.form.Set("act", "csv")
		w := owner.post(c.path, c.form)
		lines := strings.Count(w.Body.String(), "\n")
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") || !strings.Contains(w.Body.String(), c.holds) || c.lines > 0 && lines != c.lines {
			t.Errorf("%s: %d, %d lines\n%s", c.path, w.Code, lines, w.Body)
		}
	}
}

func TestTiersAndRolesOfMany(t *testing.T) {
	n := newNode(t)
	n.tell()
	system := entente.System("beanline", entente.DoorCommand)
	for _, name := range []string{"Ada", "Bob"} {
		_, err := n.Identity.AddMember(t.Context(), system, memberAs(name, strings.ToLower(name)+"@beanline.example", entente.RoleAuditor))
		must(t, err)
	}
	owner := n.as("owner@beanline.example")
	w := owner.post("/o/beanline/suppliers", url.Values{"act": {"tier"}, "scope": {"all"}})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "not a direct supplier") {
		t.Fatalf("asking: %d\n%s", w.Code, w.Body)
	}
	form := hiddenIn(t, w.Body.String(), "/o/beanline/tiers")
	form.Set("tier", "low")
	form.Set("until", "2099-01-01")
	form.Set("why", "short")
	if w := owner.post("/o/beanline/tiers", form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `value="2099-01-01"`) {
		t.Errorf("no reason: %d\n%s", w.Code, w.Body)
	}
	form.Set("why", "All of them were looked at by hand")
	form.Set("until", tierEnd())
	w = owner.post("/o/beanline/tiers", form)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("setting: %d\n%s", w.Code, w.Body)
	}
	body := owner.mustHold(w.Header().Get("Location"), "set by hand", "The tiers were set by hand")
	undo := regexp.MustCompile(`/o/beanline/tiers/\d+/undo`).FindString(body)
	if w := owner.post(undo, nil); w.Code != http.StatusSeeOther {
		t.Fatalf("undoing: %d\n%s", w.Code, w.Body)
	}
	again := owner.post(undo, nil)
	backTo(t, again, "tiers are undone twice", "/o/beanline/suppliers", "was changed since; nothing was undone")
	named := regexp.MustCompile(`The tier of ([^<]+) was changed since`).FindStringSubmatch(again.Body.String())
	if !slices.ContainsFunc(demoMap(t).Organisations, func(o chain.Organisation) bool { return named != nil && o.Name == named[1] }) {
		t.Errorf("the supplier is not named: %q", named)
	}
	if body := owner.get("/o/beanline/suppliers").Body.String(); strings.Contains(body, `class="note">set by hand`) {
		t.Error("the tiers are still set")
	}

	members, err := n.Identity.Members(t.Context(), system)
	must(t, err)
	role := func(name string) entente.Role {
		now, err := n.Identity.Members(t.Context(), system)
		must(t, err)
		for _, m := range now {
			if m.Person.Name == name {
				return m.Role
			}
		}
		return ""
	}
	var ids []string
	for _, m := range members {
		ids = append(ids, string(m.Person.ID))
	}
	w = owner.post("/o/beanline/people", url.Values{"act": {"role"}, "scope": {"ticked"}, "row": ids})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Change the role of 2 people") || !strings.Contains(w.Body.String(), "It is you") {
		t.Fatalf("asking: %d\n%s", w.Code, w.Body)
	}
	form = hiddenIn(t, w.Body.String(), "/o/beanline/roles")
	form.Set("role", "analyst")
	w = owner.post("/o/beanline/roles", form)
	if w.Code != http.StatusSeeOther || role("Ada") != entente.RoleAnalyst || role("Bob") != entente.RoleAnalyst {
		t.Fatalf("changing: %d, %s\n%s", w.Code, role("Ada"), w.Body)
	}
	undo = regexp.MustCompile(`/o/beanline/roles/\d+/undo`).FindString(owner.get(w.Header().Get("Location")).Body.String())
	if w := owner.post(undo, nil); w.Code != http.StatusSeeOther || role("Ada") != entente.RoleAuditor || role("Bob") != entente.RoleAuditor {
		t.Errorf("undoing: %d, %s\n%s", w.Code, role("Ada"), w.Body)
	}
	backTo(t, owner.post(undo, nil), "roles are undone twice", "/o/beanline/people", "was changed since; nothing was undone")

	// Business owners get the same processes, which are chosen on the page that asks.
	w = owner.post("/o/beanline/people", url.Values{"act": {"role"}, "scope": {"ticked"}, "row": ids})
	if !strings.Contains(w.Body.String(), `name="scope" value="bean-procurement"`) {
		t.Errorf("the processes are not offered\n%s", w.Body)
	}
	form = hiddenIn(t, w.Body.String(), "/o/beanline/roles")
	form.Set("role", "business-owner")
	form["scope"] = []string{"bean-procurement", "gone"}
	if w := owner.post("/o/beanline/roles", form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `value="bean-procurement" checked`) {
		t.Errorf("a process that is none: %d\n%s", w.Code, w.Body)
	}
	form["scope"] = []string{"bean-procurement"}
	if w := owner.post("/o/beanline/roles", form); w.Code != http.StatusSeeOther || role("Ada") != entente.RoleBusinessOwner {
		t.Errorf("business owners: %d, %s\n%s", w.Code, role("Ada"), w.Body)
	}
	owner.mustHold("/o/beanline/people?role=business-owner", "Ada", "Bob", "Bean procurement")
}

// backTo wants the list again with the reason why nothing was undone.
func backTo(t *testing.T, w *httptest.ResponseRecorder, what, list, why string) {
	t.Helper()
	body := w.Body.String()
	if w.Code != http.StatusConflict || !strings.Contains(body, why) || !strings.Contains(body, `id="picking"`) || !strings.Contains(body, `action="`+list) {
		t.Errorf("%s: %d\n%s", what, w.Code, body)
	}
	wholePage(t, what, body)
}

// Several API tokens are ticked, named once more, and revoked together.
func TestTokensAreRevokedTogether(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	for _, name := range []string{"One", "Two", "Three"} {
		if w := owner.post("/o/beanline/tokens", url.Values{"name": {name}, "days": {"30"}, "verb": {string(identity.ChainRead)}}); w.Code != http.StatusCreated {
			t.Fatalf("%d\n%s", w.Code, w.Body)
		}
	}
	body := owner.mustHold("/o/beanline/tokens", `id="revoking"`, "Choose the token One of")
	wholePage(t, "tokens", body)
	id := func(name string) string {
		return regexp.MustCompile(`name="token" value="([^"]+)"[^>]*Choose the token ` + name).FindStringSubmatch(body)[1]
	}
	if w := owner.post("/o/beanline/tokens/chosen", nil); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Nothing is ticked") {
		t.Errorf("nothing is ticked: %d\n%s", w.Code, w.Body)
	}
	chosen := url.Values{"token": {id("One"), id("Two")}}
	w := owner.post("/o/beanline/tokens/chosen", chosen)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Revoke 2 API tokens") || strings.Contains(w.Body.String(), "Three") {
		t.Fatalf("asking: %d\n%s", w.Code, w.Body)
	}
	wholePage(t, "question", w.Body.String())
	form := hiddenIn(t, w.Body.String(), "/o/beanline/tokens/revoke")
	if w := owner.post("/o/beanline/tokens/revoke", form); w.Header().Get("Location") != "/o/beanline/tokens?done=tokens-revoked" {
		t.Fatalf("revoking: %d\n%s", w.Code, w.Body)
	}
	body = owner.mustHold("/o/beanline/tokens?done=tokens-revoked", "The tokens were revoked.", "Revoke the token Three of")
	if strings.Count(body, "/revoke\"") != 1 {
		t.Error("others than the two were revoked, or they were not")
	}
	w = owner.post("/o/beanline/tokens/chosen", chosen)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "it may have been revoked already") {
		t.Errorf("revoked twice: %d\n%s", w.Code, w.Body)
	}
}

// A business owner sees what can be done, and does it to their own processes alone.
func TestBusinessOwnersAndSelections(t *testing.T) {
	n := newNode(t)
	n.tell()
	_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), identity.NewMember{
		NewPerson: identity.NewPerson{Name: "Bo", Email: "bo@beanline.example", Password: testPassword}, Role: entente.RoleBusinessOwner, Scope: []string{"bean-procurement"},
	})
	must(t, err)
	bo := n.as("bo@beanline.example")
	w := bo.post("/o/beanline/processes", url.Values{"act": {"process.owner"}, "scope": {"all"}})
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Set the owner of 1 process") || !strings.Contains(w.Body.String(), "assigned to you") {
		t.Fatalf("asking: %d\n%s", w.Code, w.Body)
	}
	form := hiddenIn(t, w.Body.String(), "/o/beanline/batch")
	form.Set("value", "Bo")
	form.Set("ids", form.Get("ids")+"\nmachine-maintenance")
	if w := bo.post("/o/beanline/batch", form); w.Code != http.StatusForbidden {
		t.Errorf("somebody else's process: %d", w.Code)
	}
	if body := bo.get("/o/beanline/suppliers").Body.String(); strings.Contains(body, `value="organisation.remove"`) || !strings.Contains(body, `<option value="csv"`) {
		t.Error("a business owner is offered what does not work, or not offered the export")
	}
}

func TestSavedViews(t *testing.T) {
	if pages, kept := slices.Sorted(maps.Keys(listsWithViews)), slices.Sorted(slices.Values(identity.ViewLists())); !slices.Equal(pages, kept) {
		t.Errorf("pages show views of %v, and those of %v are kept", pages, kept)
	}
	n := newNode(t)
	n.tell()
	_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), memberAs("Aud", "aud@beanline.example", entente.RoleAuditor))
	must(t, err)
	owner, auditor := n.as("owner@beanline.example"), n.as("aud@beanline.example")
	list := "/o/beanline/processes"
	owner.mustHold(list+"?criticality=critical&sort=-name", "Save this view", `name="query" value="criticality=critical&amp;sort=-name"`)
	w := owner.post("/o/beanline/views", url.Values{"list": {"processes"}, "query": {"criticality=critical&sort=-name&page=2&done=x"}, "view-name": {"Critical ones"}, "shared": {"yes"}, "standard": {"yes"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("saving: %d\n%s", w.Code, w.Body)
	}
	owner.mustHold(w.Header().Get("Location"), "The view was saved", `aria-current="page">Critical ones`)

	// The list opens with it, and there is a way round it.
	w = owner.get(list)
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != list+"?criticality=critical&sort=-name" {
		t.Errorf("the list opens at %d %q", w.Code, to)
	}
	owner.mustHold(list+"?view=all", `aria-current="page">All`, "Critical ones")
	owner.mustHold(list+"?criticality=critical", `href="/o/beanline/processes?view=all">Clear`)

	auditor.mustHold(list, "Critical ones")
	if body := auditor.get(list).Body.String(); strings.Contains(body, "For everybody in the organisation") {
		t.Error("an auditor may share")
	}
	body := auditor.mustHold("/o/beanline/views", "Critical ones", "for everybody", "by Owner of Beanline", "Open the list with it")
	if strings.Contains(body, "Rename or remove") {
		t.Error("an auditor is offered to rename what is shared")
	}
	wholePage(t, "views", body)
	standard := regexp.MustCompile(`/o/beanline/views/([a-z0-9]+)/standard`).FindStringSubmatch(body)
	if w := auditor.post(standard[0], nil); w.Code != http.StatusSeeOther {
		t.Errorf("standard: %d", w.Code)
	}
	if w := auditor.get(list); w.Code != http.StatusSeeOther {
		t.Errorf("the auditor's list opens at %d", w.Code)
	}
	if w := auditor.post(standard[0], url.Values{"standard": {"no"}}); w.Code != http.StatusSeeOther {
		t.Errorf("not standard: %d", w.Code)
	}
	if w := auditor.get(list); w.Code != http.StatusOK {
		t.Errorf("the auditor's list opens at %d", w.Code)
	}
	one := "/o/beanline/views/" + standard[1]
	if w := auditor.post(one+"/remove", nil); w.Code != http.StatusForbidden {
		t.Errorf("an auditor removes it: %d", w.Code)
	}
	if w := owner.post(one+"/rename", url.Values{"view-name": {""}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", w.Code)
	}
	owner.post(one+"/rename", url.Values{"view-name": {"The worst"}, "shared": {"yes"}})
	auditor.mustHold(list, "The worst")
	owner.post(one+"/remove", nil)
	if body := owner.get(list).Body.String(); strings.Contains(body, "The worst") {
		t.Error("it was not removed")
	}
	for _, list := range []string{"", "../people", "nowhere"} {
		if w := owner.post("/o/beanline/views", url.Values{"list": {list}, "view-name": {"x"}}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("a view of %q: %d", list, w.Code)
		}
	}
}

func tierEnd() string { return time.Now().AddDate(0, 1, 0).Format(time.DateOnly) }
