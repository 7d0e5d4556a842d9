package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
)

// A change of a role offers to give the old one back; what it was comes from the
// journal, so an address alone proposes nothing.
func TestUndoOfARole(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner, analyst := n.as("owner@beanline.example"), n.join(entente.RoleAnalyst)
	session, err := n.Identity.Session(t.Context(), analyst.cookie.Value)
	must(t, err)
	path := "/o/beanline/people/" + string(session.Person.ID)
	if body := owner.mustHold(path + "?done=role&role=owner"); strings.Contains(body, "Undo") {
		t.Error("an address alone offers to undo what nobody did")
	}
	mustLead(t, owner.post(path+"/role", url.Values{"role": {"auditor"}}), path+"?done=role")
	owner.mustHold(path+"?done=role", "The role was changed", `action="`+path+`/role"`, `name="role" value="analyst"`, "Undo")
	mustLead(t, owner.post(path+"/role", url.Values{"role": {"analyst"}}), path+"?done=role")
	m, err := n.Identity.Member(t.Context(), entente.System("beanline", entente.DoorCommand), session.Person.ID)
	must(t, err)
	if m.Role != entente.RoleAnalyst {
		t.Errorf("the role is %s after the undoing", m.Role)
	}
}

// Grave acts are asked for on a page of their own, which only asks.
func TestGraveActsAreAskedFor(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner, analyst := n.as("owner@beanline.example"), n.join(entente.RoleAnalyst)
	session, err := n.Identity.Session(t.Context(), analyst.cookie.Value)
	must(t, err)
	path := "/o/beanline/people/" + string(session.Person.ID)
	owner.mustHold(path, `href="`+path+`/remove"`, "data-ask")
	owner.mustHold(path+"/remove", "data-question", `method="post" action="`+path+`/remove"`, "loses every access", "data-cancel")
	owner.mustHold(path, "A analyst")
	mustLead(t, owner.post(path+"/remove", nil), "/o/beanline/people?done=removed")
	owner.mustHold("/o/beanline/systems/procurement-portal/edit", `href="/o/beanline/systems/procurement-portal/remove"`)
	owner.mustHold("/o/beanline/systems/procurement-portal/remove", "data-question", `name="as-read" value="`, "Procurement portal")
	if w := analyst.get("/o/beanline/systems/procurement-portal/remove"); w.Code == http.StatusOK {
		t.Error("somebody who left is asked")
	}
}

// What takes a way in away for good is asked for first, and only while there is
// something to take away.
func TestWaysInAreTakenAwayOnlyAfterAQuestion(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	mustAnswer(t, owner.post("/o/beanline/tokens", url.Values{"name": {"CI"}, "days": {"30"}, "verb": {"chain.read"}}), http.StatusCreated)
	mustAnswer(t, owner.post("/o/beanline/invitations", url.Values{"email": {"new@beanline.example"}, "role": {"analyst"}, "days": {"7"}}), http.StatusCreated)
	for _, c := range []struct{ list, act, says, done string }{
		{"/o/beanline/tokens", "/revoke", "Revoke CI?", "?done=revoked"},
		{"/o/beanline/invitations", "/withdraw", "Withdraw the invitation of new@beanline.example?", "?done=withdrawn"},
	} {
		at := regexp.MustCompile(c.list + `/[^"/]+` + c.act).FindString(owner.mustHold(c.list, "data-ask"))
		if strings.Contains(owner.mustHold(c.list), `action="`+at+`"`) {
			t.Errorf("%s does it without asking", c.list)
		}
		owner.mustHold(at, "data-question", c.says, `method="post" action="`+at+`"`, `href="`+c.list+`" data-cancel`)
		mustLead(t, owner.post(at, nil), c.list+c.done)
		if w := owner.get(at); w.Code != http.StatusNotFound {
			t.Errorf("%s is asked for again: %d", at, w.Code)
		}
	}
	owner.mustHold("/o/beanline/account/app/remove", "data-question", "Your password alone")
	owner.mustHold("/o/beanline/organisation/single-sign-on/remove", "data-question")
	hook := examples["/o/{org}/webhooks/{id}"]
	owner.mustHold("/o/beanline/webhooks/"+hook, `href="/o/beanline/webhooks/`+hook+`/remove" data-ask`)
	owner.mustHold("/o/beanline/webhooks/"+hook+"/remove", "data-question", "Remove Ticket desk?")
}

// Saving offers to undo the very change, and the undoing works.
func TestUndoOfAChange(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	w := owner.post("/o/beanline/new/organisation", url.Values{"id": {"newcomer"}, "name": {"Newcomer"}})
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther {
		t.Fatalf("adding: %d %s", w.Code, w.Body)
	}
	body := owner.mustHold(to, "toast", "Undo", "data-away")
	if !strings.Contains(body, `action="/o/beanline/suppliers/newcomer/undo"`) {
		t.Errorf("the notice offers no undo of the change")
	}
}
