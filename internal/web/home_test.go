package web

import (
	"regexp"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
)

// Home answers what needs each role today, and offers nothing that is denied to it.
func TestHomeByRole(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline", "Waiting for you", "Advisories that hit us", "Processes at risk", `data-follows="advisory`)
	for role, want := range map[entente.Role][]string{
		entente.RoleSecurityLead:  {"Waiting for you", "Advisories that hit us"},
		entente.RoleProcurement:   {"Waiting for you", "Single points of failure"},
		entente.RoleAnalyst:       {"Newest advisories that hit us", "Whom to call"},
		entente.RoleBusinessOwner: {"Advisories that reach your processes", "Your processes at risk"},
		entente.RoleAuditor:       {"Events in the journal", "Verify the journal", "Take the evidence away", "What happened"},
	} {
		who := n.join(role)
		body := who.mustHold("/o/beanline", want...)
		for _, href := range regexp.MustCompile(`<a [^>]*href="(/o/beanline[^"#]*)`).FindAllStringSubmatch(body, -1) {
			address := strings.ReplaceAll(href[1], "&amp;", "&")
			if code := who.get(address).Code; code != 200 {
				t.Errorf("Home leads the %s to %s, which answers %d", role, address, code)
			}
		}
	}
}

// A business owner is told of their own processes only.
func TestHomeOfABusinessOwner(t *testing.T) {
	n := newNode(t)
	n.tell()
	r := &risks{byProcess: nil}
	if got := r.narrow([]string{"x"}); got.total != 0 {
		t.Errorf("nothing hits, but %d", got.total)
	}
	boss := n.join(entente.RoleBusinessOwner)
	system := entente.System("beanline", entente.DoorCommand)
	session, err := n.Identity.Session(t.Context(), boss.cookie.Value)
	must(t, err)
	must(t, n.Identity.SetRole(t.Context(), system, session.Person.ID, entente.RoleBusinessOwner, []string{"bean-procurement"}))
	body := boss.mustHold("/o/beanline", "Bean procurement")
	g, err := n.Chain.Graph(t.Context(), system)
	must(t, err)
	for _, p := range g.Map().Processes {
		if p.ID != "bean-procurement" && strings.Contains(body, `href="/o/beanline/processes/`+string(p.ID)+`"`) {
			t.Errorf("Home tells a business owner of %s, which is not theirs", p.Name)
		}
	}
}
