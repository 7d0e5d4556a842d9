package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
)

func TestTierOnThePages(t *testing.T) {
	n := newNode(t)
	n.tell()
	system := entente.System("beanline", entente.DoorCommand)
	for _, m := range []struct {
		name string
		role entente.Role
	}{{"lead", entente.RoleSecurityLead}, {"buyer", entente.RoleProcurement}, {"auditor", entente.RoleAuditor}} {
		_, err := n.Identity.AddMember(t.Context(), system, memberAs("The "+m.name, m.name+"@beanline.example", m.role))
		must(t, err)
	}
	lead, buyer, auditor := n.as("lead@beanline.example"), n.as("buyer@beanline.example"), n.as("auditor@beanline.example")
	const at = "/o/beanline/suppliers/rosthof"

	lead.mustHold("/o/beanline/suppliers", "Tier", "not direct")
	lead.mustHold("/o/beanline/suppliers?sort=tier&tier=provisional", "provisional")
	body := lead.mustHold(at, "How much hangs on it", "Criticality of the processes reached", "From the chain", "Points together", "Answer a criterion", "Set the tier by hand")
	wholePage(t, at, body)
	if body := buyer.mustHold(at, "Answer a criterion"); strings.Contains(body, "Set the tier by hand") {
		t.Error("procurement is shown a form that does not work")
	}
	if body := auditor.mustHold(at, "Points together"); strings.Contains(body, "Answer a criterion") || strings.Contains(body, "Set the tier") {
		t.Error("an auditor is shown a form that does not work")
	}
	if body := lead.get("/o/beanline/suppliers/nordhost").Body.String(); strings.Contains(body, "How much hangs on it") {
		t.Error("a supplier of rank 2 has a tier")
	}

	w := buyer.post(at+"/answer", url.Values{"answer": {"substitutability:3"}})
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "how you know") {
		t.Errorf("an answer without a reason: %d\n%s", w.Code, w.Body)
	}
	wholePage(t, at, w.Body.String())
	for _, wrong := range []string{"", "substitutability", "substitutability:9", "beauty:1"} {
		if w := buyer.post(at+"/answer", url.Values{"answer": {wrong}, "reason": {"I asked"}}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("the answer %q: %d", wrong, w.Code)
		}
	}
	w = buyer.post(at+"/answer", url.Values{"answer": {"substitutability:3"}, "reason": {"Nobody else roasts it"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("an answer: %d\n%s", w.Code, w.Body)
	}
	lead.mustHold(at+"?done=answered", "Answered by a person", "Nobody else roasts it (The buyer)", "Your answer was recorded", "Over six months, or nobody else")

	until := time.Now().AddDate(0, 3, 0).Format(time.DateOnly)
	set := url.Values{"tier": {"low"}, "why": {"The contract ends in spring"}, "until": {until}}
	if w := buyer.post(at+"/tier", set); w.Code != http.StatusForbidden {
		t.Errorf("procurement sets a tier: %d", w.Code)
	}
	for _, wrong := range []url.Values{{"tier": {"low"}, "why": {"short"}, "until": {until}}, {"tier": {"low"}, "why": {"long enough words"}, "until": {"soon"}}, {"tier": {"huge"}, "why": {"long enough words"}, "until": {until}}} {
		if w := lead.post(at+"/tier", wrong); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", wrong, w.Code)
		}
	}
	w = lead.post(at+"/tier", set)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("setting the tier: %d\n%s", w.Code, w.Body)
	}
	next, _, _ := strings.Cut(w.Header().Get("Location"), "#")
	form := regexp.MustCompile(`action="(/o/beanline/tiers/\d+/undo)"`).FindStringSubmatch(noticeOf(lead.mustHold(next, "The tier was set by hand", "Undo")))
	if form == nil {
		t.Fatalf("the notice of %s does not offer to undo", next)
	}
	mustLead(t, lead.post(form[1], url.Values{"back": {at}}), at+"?done=undone")
	if body := lead.mustHold(at+"?done=undone", "The change was undone"); strings.Contains(body, "tier low") {
		t.Error("the tier that was undone still applies")
	}
	if w := lead.post(at+"/tier", set); w.Code != http.StatusSeeOther {
		t.Fatalf("setting the tier again: %d", w.Code)
	}
	lead.mustHold(at, "tier low", "The contract ends in spring", "Let the computed tier apply again")
	lead.mustHold("/o/beanline/suppliers?tier=by-hand", "set by hand", "1 supplier, out of")
	if w := lead.post(at+"/tier/free", nil); w.Code != http.StatusSeeOther {
		t.Fatalf("freeing the tier: %d", w.Code)
	}
	if body := lead.get(at).Body.String(); strings.Contains(body, "tier low") {
		t.Error("the tier that was set by hand still applies")
	}
}
