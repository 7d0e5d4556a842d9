package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
)

func init() {
	for kind, id := range map[chain.NodeKind]string{
		chain.KindOrganisation: "rosthof", chain.KindProcess: "bean-procurement", chain.KindSystem: "procurement-portal",
		chain.KindSupply: "", chain.KindProduct: "dropwizard", chain.KindFlow: "arrivals",
	} {
		if id == "" {
			id = "rosthof-normal"
		}
		for _, what := range []string{"edit", "remove", "history", "undo"} {
			examples["/o/{org}/"+roomOf[kind]+"/{id}/"+what] = id
		}
	}
}

// form takes the fields of the form on a page, as a browser would send them.
func formOn(t *testing.T, body string) url.Values {
	t.Helper()
	form := url.Values{}
	_, body, found := strings.Cut(body, `<form class="form edit"`)
	if !found {
		t.Fatalf("the page has no form\n%s", body)
	}
	body, _, _ = strings.Cut(body, "</form>")
	attribute := func(tag, name string) string {
		_, rest, _ := strings.Cut(tag, " "+name+`="`)
		value, _, _ := strings.Cut(rest, `"`)
		return strings.NewReplacer("&#34;", `"`, "&amp;", "&", "&#39;", "'", "&lt;", "<", "&gt;", ">").Replace(value)
	}
	for _, tag := range strings.Split(body, "<")[1:] {
		tag, text, _ := strings.Cut(tag, ">")
		switch {
		case strings.HasPrefix(tag, "input"):
			form.Add(attribute(tag, "name"), attribute(tag, "value"))
		case strings.HasPrefix(tag, "textarea"), strings.HasPrefix(tag, "select"):
			form.Set("", attribute(tag, "name"))
			form.Set(attribute(tag, "name"), text)
			if strings.HasPrefix(tag, "select") {
				form.Set(attribute(tag, "name"), "")
			}
		case strings.HasPrefix(tag, "option") && strings.Contains(tag, " selected"):
			form.Set(form.Get(""), attribute(tag, "value"))
		}
	}
	form.Del("")
	return form
}

func TestFormsHoldEveryThing(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	m := demoMap(t)
	at := map[string]bool{}
	for i := range m.Processes {
		at["processes/"+string(m.Processes[i].ID)] = true
	}
	at["suppliers/"+string(m.Organisations[1].ID)] = true
	at["systems/"+string(m.Systems[0].ID)] = true
	at["supplies/"+string(m.Supplies[0].ID)] = true
	at["products/"+string(m.Products[0].ID)] = true
	at["flows/"+string(m.Flows[0].ID)] = true
	revision, err := n.Chain.Revision(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	for thing := range at {
		body := owner.get("/o/beanline/" + thing + "/edit").Body.String()
		wholePage(t, thing, body)
		w := owner.post("/o/beanline/"+thing+"/edit", formOn(t, body))
		if w.Code != http.StatusSeeOther {
			t.Errorf("%s cannot be saved as it is: %d\n%s", thing, w.Code, w.Body)
		}
	}
	now, err := n.Chain.Revision(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	if now != revision {
		t.Errorf("saving forms as they are changed the chain %d times", now-revision)
	}
}

func TestEditAProcess(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	const at = "/o/beanline/processes/bean-procurement"
	form := formOn(t, owner.mustHold(at+"/edit", "Edit Bean procurement"))
	old := formOn(t, owner.mustHold(at+"/edit", "Edit Bean procurement"))

	form.Set("add", "activities")
	w := owner.post(at+"/edit", form)
	more := formOn(t, w.Body.String())
	rows := 0
	for more.Has("activities[" + string(rune('0'+rows)) + "].id") {
		rows++
	}
	last := "activities[" + string(rune('0'+rows-1)) + "]."
	if w.Code != http.StatusOK || form.Has(last+"id") {
		t.Fatalf("no row was added: %d, %s", w.Code, last)
	}
	more.Set(last+"id", "taste")
	more.Set(last+"name", "Taste <it>")
	more.Set("add", last+"needs")
	more = formOn(t, owner.post(at+"/edit", more).Body.String())
	more.Set(last+"needs[0].any", "Nordhost Cloud, nothing-like-it")
	more.Set(last+"needs[0].buffer", "soon")
	w = owner.post(at+"/edit", more)
	if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, `id="f-`+last+`needs[0].buffer-wrong"`) {
		t.Fatalf("what is wrong is not said beside the field: %d\n%s", w.Code, body)
	}
	wholePage(t, "form with errors", w.Body.String())
	more.Set(last+"needs[0].buffer", "4h")
	w = owner.post(at+"/edit", more)
	if body := w.Body.String(); !strings.Contains(body, "nothing-like-it") || !strings.Contains(body, `id="f-`+last+`needs[0].any-wrong"`) {
		t.Fatalf("what is wrong is not said beside the field: %d", w.Code)
	}
	more[last+"needs[0].any"] = []string{"Nordhost Cloud", "", "Arrivals, gross"}
	more.Set("more", last+"needs[0].any")
	more = formOn(t, owner.post(at+"/edit", more).Body.String())
	if got := more[last+"needs[0].any"]; !slices.Equal(got, []string{"Nordhost Cloud", "Arrivals, gross", ""}) {
		t.Fatalf("one more: %q", got)
	}
	more.Set(last+"needs[0].any", "Nordhost Cloud")
	w = owner.post(at+"/edit", more)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("saving: %d\n%s", w.Code, w.Body)
	}
	owner.mustHold(w.Header().Get("Location"), "It was saved", "<ins>", "Taste &lt;it&gt;", "Undo this change", "nordhost")

	// Somebody else had opened the form before.
	old.Set("owner", "Another owner")
	w = owner.post(at+"/edit", old)
	body := w.Body.String()
	if w.Code != http.StatusConflict || !strings.Contains(body, "Theirs and yours") || !strings.Contains(body, "Another owner") || !strings.Contains(body, "<del>") {
		t.Fatalf("the conflict: %d\n%s", w.Code, body)
	}
	wholePage(t, "conflict", body)
	if w := owner.post(at+"/edit", formOn(t, body)); w.Code != http.StatusSeeOther {
		t.Errorf("saving again after the conflict: %d", w.Code)
	}
	past := owner.mustHold(at+"/history", "Another owner")
	_, number, _ := strings.Cut(past, `name="n" value="`)
	number, _, _ = strings.Cut(number, `"`)
	if w := owner.post(at+"/undo", url.Values{"n": {number}}); w.Code != http.StatusSeeOther {
		t.Errorf("undo: %d\n%s", w.Code, w.Body)
	}
	if w := owner.post(at+"/undo", url.Values{"n": {number}}); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "only the latest") {
		t.Errorf("undoing what is not the latest: %d", w.Code)
	}
	owner.mustHold(at, "Taste")
}

func TestAddAndRemove(t *testing.T) {
	n := newNode(t)
	n.tell()
	_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), memberAs("The buyer", "buyer@beanline.example", entente.RoleProcurement))
	must(t, err)
	buyer := n.as("buyer@beanline.example")
	w := buyer.post("/o/beanline/new/organisation", url.Values{"id": {"new lab"}, "name": {"New lab"}})
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "f-id-wrong") {
		t.Errorf("a wrong identifier: %d\n%s", w.Code, w.Body)
	}
	for _, c := range []struct {
		kind string
		form url.Values
	}{
		{"organisation", url.Values{"id": {"new-lab"}, "name": {"New lab"}, "domains": {"lab.example\r\n labs.example\r\n\r\n"}, "contacts[0].name": {"Desk"}, "contacts[0].email": {"desk@lab.example"}, "contacts[0].phone": {""}}},
		{"supply", url.Values{"id": {"new-tests"}, "name": {"New tests"}, "supplier": {"New lab"}, "nature": {"service"}, "spend": {"12 000"}}},
	} {
		w := buyer.post("/o/beanline/new/"+c.kind, c.form)
		if w.Code != http.StatusSeeOther {
			t.Fatalf("a new %s: %d\n%s", c.kind, w.Code, w.Body)
		}
		buyer.mustHold(w.Header().Get("Location"), "Added")
	}
	buyer.mustHold("/o/beanline/suppliers/new-lab", "desk@lab.example", "New tests", "Edit")
	domains := formOn(t, buyer.get("/o/beanline/suppliers/new-lab/edit").Body.String()).Get("domains")
	if domains != "lab.example\nlabs.example" {
		t.Errorf("the domains come back as %q", domains)
	}
	if w := buyer.post("/o/beanline/new/system", url.Values{"id": {"x"}, "name": {"X"}}); w.Code != http.StatusForbidden {
		t.Errorf("procurement adds a system: %d", w.Code)
	}
	if body := buyer.get("/o/beanline/systems").Body.String(); strings.Contains(body, "New system") {
		t.Error("procurement is shown a link that does not work")
	}
	version := formOn(t, buyer.get("/o/beanline/suppliers/new-lab/edit").Body.String()).Get("as-read")
	w = buyer.post("/o/beanline/suppliers/new-lab/remove", url.Values{"as-read": {version}})
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "New tests") {
		t.Errorf("removing what is needed: %d\n%s", w.Code, w.Body)
	}
	version = formOn(t, buyer.get("/o/beanline/supplies/new-tests/edit").Body.String()).Get("as-read")
	w = buyer.post("/o/beanline/supplies/new-tests/remove", url.Values{"as-read": {version}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("removing: %d\n%s", w.Code, w.Body)
	}
	buyer.mustHold(w.Header().Get("Location"), "It was removed", "Removed", "<del>")
}

// A value with a comma in it is one value.
func TestListsKeepCommas(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	const at = "/o/beanline/flows/arrivals/edit"
	form := formOn(t, owner.get(at).Body.String())
	const data = "Weights, gross and net\nArrivals"
	form.Set("data", data)
	mustLead(t, owner.post(at, form), "/o/beanline/flows/arrivals/history?done=saved")
	if got := formOn(t, owner.get(at).Body.String()).Get("data"); got != data {
		t.Errorf("the list comes back as %q", got)
	}
	owner.mustHold("/o/beanline/data-flows", "Weights, gross and net and Arrivals")
}

func TestDiffLines(t *testing.T) {
	var b strings.Builder
	for _, l := range diffLines("a\nb\nc\n", "a\nx\nc\nd\n") {
		switch {
		case l.Gone:
			b.WriteString("-")
		case l.New:
			b.WriteString("+")
		}
		b.WriteString(l.Text)
	}
	if b.String() != "a-b+xc+d" {
		t.Error(b.String())
	}
}

// A list as long as a chain takes comes back from its form whole.
func TestLongListsStayWhole(t *testing.T) {
	form := url.Values{}
	for i := range 500 {
		form.Set(fmt.Sprintf("needs[%d].any", i), "portal")
	}
	read := typedIn(editForms[chain.KindSystem], "", form)
	if n := len(read.rows["needs"]); n != 500 {
		t.Errorf("%d of 500 rows came back", n)
	}
}
