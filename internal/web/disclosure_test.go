package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/journal"
)

// carryAll lets everything between organisations of the node come to rest, the rooms
// included.
func (n *node) carryAll(orgs ...entente.OrgID) {
	n.t.Helper()
	jobs := n.Exchange.Jobs()
	for name, handler := range n.Carry.Jobs() {
		jobs[name] = handler
	}
	for name, handler := range n.Advisory.Jobs() {
		jobs[name] = handler
	}
	for range 4 {
		for _, org := range orgs {
			must(n.t, journal.NewRunner(n.DB, n.Log, slices.Concat(n.Carry.Consumers(), n.Advisory.Consumers()), jobs).CatchUp(n.t.Context(), org))
		}
	}
}

// mustNotHold opens a page and looks that it does not say some things.
func (v *visitor) mustNotHold(path string, texts ...string) {
	v.t.Helper()
	body := v.mustHold(path)
	for _, text := range texts {
		if strings.Contains(body, text) {
			v.t.Errorf("%s says %q", path, text)
		}
	}
}

const chainOfRosthof = `
format: entente.map/1
organisation: rosthof-seat
currency: EUR
organisations:
  - {id: rosthof-seat, name: Rösthof}
  - {id: nimbus, name: Nimbus Cloud, domains: [nimbus.example]}
  - {id: harbour, name: Harbour Logistics}
processes:
  - id: roasting
    name: Roasting
    bia: {criticality: critical, rto: 8h, mtpd: 2d}
    needs: [{any: [hosting], buffer: 12h}]
supplies:
  - {id: hosting, name: Hosting, supplier: nimbus, customer: rosthof-seat, nature: cloud, category: cloud hosting}
  - {id: freight, name: Freight, supplier: harbour, customer: rosthof-seat, nature: service, category: freight}
`

const chainOfBeanline = `
format: entente.map/1
organisation: beanline
currency: EUR
organisations:
  - {id: beanline, name: Beanline}
  - {id: rosthof, name: Rösthof}
processes:
  - id: packing
    name: Packing
    bia: {criticality: critical, rto: 8h, mtpd: 2d}
    needs: [{any: [beans]}]
supplies:
  - {id: beans, name: Roasted beans, supplier: rosthof, customer: beanline, nature: goods}
`

// A supplier chooses what to tell, looks at it and tells it; its customer sees it
// attributed and dated, in the chain, in the concentration and in what-if; and taken
// back it is gone.
func TestTellingOfSuppliers(t *testing.T) {
	n := newNode(t)
	supplier := n.partnerOf("rosthof-seat", "Rösthof")
	for org, text := range map[entente.OrgID]string{"beanline": chainOfBeanline, "rosthof-seat": chainOfRosthof} {
		m, err := chain.ParseMap(strings.NewReader(text), "map.yaml")
		must(t, err)
		_, err = n.Chain.Import(t.Context(), entente.System(org, entente.DoorCommand), m)
		must(t, err)
	}
	buyer := entente.System("beanline", entente.DoorCommand)
	must(t, n.Exchange.SetKnownAs(t.Context(), buyer, supplier, "rosthof"))
	self, err := n.Exchange.Self(t.Context(), buyer)
	must(t, err)
	theirs, ours := n.as("owner@rosthof-seat.example"), n.as("owner@beanline.example")
	at := "/o/rosthof-seat/partners/" + string(self.Party()) + "/disclosure"

	theirs.mustHold("/o/rosthof-seat/partners/"+string(self.Party()), "What they are told of your suppliers", at)
	body := theirs.mustHold(at, "Nimbus Cloud", "Harbour Logistics", "What Beanline would read", "<li>Nothing.</li>")
	wholePage(t, at, body)
	if strings.Contains(body, at+"/tell") {
		t.Error("nothing can be told")
	}
	form := fieldsOf(t, body, at)
	form.Set("overall", "count")
	form.Set("of-nimbus", "blind")
	if w := theirs.post(at, form); w.Code != http.StatusSeeOther {
		t.Fatalf("choosing: %d %s", w.Code, w.Body)
	}
	body = theirs.mustHold(at, "1 supplier without a name.", "That there is 1 more, and nothing else of it.", "That these are all.", "It is marked TLP:AMBER+STRICT.", "Nimbus Cloud, behind a blind id", "Work stops after 12 h without it", "Tell Beanline now")
	ours.mustNotHold("/o/beanline/suppliers/rosthof", "as told by")
	if w := theirs.post(at+"/tell", fieldsOf(t, body, at+"/tell")); w.Code != http.StatusSeeOther {
		t.Fatalf("telling: %d %s", w.Code, w.Body)
	}
	n.carryAll("rosthof-seat", "beanline")
	theirs.mustHold(at, "What was told before", "Our suppliers, as far as we tell of them")

	page := ours.mustHold("/o/beanline/suppliers/rosthof", "Its own suppliers, as told by Rösthof", "marked TLP:AMBER+STRICT", "Undisclosed provider", "Rösthof did not tell its name", "Work stops after 12 h without it", "There is 1 more", "says that there are no others")
	wholePage(t, "supplier", page)
	_, id, _ := strings.Cut(page, "/o/beanline/suppliers/~")
	id, _, _ = strings.Cut(id, `"`)
	ours.mustHold("/o/beanline/concentration", "What your suppliers rest on", "1 of your 1 critical supplies rests on one undisclosed provider.", "Rösthof")
	wholePage(t, "provider", ours.mustHold("/o/beanline/suppliers/~"+id, "told by suppliers", "Who told of it", "Roasted beans", "Packing"))
	ours.mustHold("/o/beanline/what-if?down=~"+id, "Packing", "Rösthof, which says that it needs cloud hosting (buffer 12 h)")
	for _, path := range []string{"/o/beanline/suppliers", "/o/beanline/supplies", "/o/beanline/map.yaml", "/o/beanline/suppliers/rosthof", "/o/beanline/concentration"} {
		ours.mustNotHold(path, "Nimbus", "Harbour")
	}
	ours.mustNotHold("/o/beanline/map.yaml", "~")
	if w := ours.get("/o/beanline/suppliers/~" + id + "/edit"); w.Code != http.StatusNotFound {
		t.Errorf("what others told can be edited: %d", w.Code)
	}

	form.Set("overall", "nothing")
	form.Set("of-nimbus", "")
	if w := theirs.post(at, form); w.Code != http.StatusSeeOther {
		t.Fatalf("choosing nothing: %d %s", w.Code, w.Body)
	}
	body = theirs.mustHold(at, "Take back what Beanline was told")
	if w := theirs.post(at+"/tell", fieldsOf(t, body, at+"/tell")); w.Code != http.StatusSeeOther {
		t.Fatalf("taking it back: %d %s", w.Code, w.Body)
	}
	n.carryAll("rosthof-seat", "beanline")
	ours.mustHold("/o/beanline/suppliers/rosthof", "What it told of its suppliers before", "taken back by Rösthof")
	ours.mustNotHold("/o/beanline/suppliers/rosthof", "Undisclosed provider")
	if w := ours.get("/o/beanline/suppliers/~" + id); w.Code != http.StatusNotFound {
		t.Errorf("what was taken back: %d", w.Code)
	}

	// An analyst may tell it, an auditor may not even look.
	for role, code := range map[entente.Role]int{entente.RoleAnalyst: http.StatusOK, entente.RoleAuditor: http.StatusForbidden, entente.RoleProcurement: http.StatusForbidden} {
		email := string(role) + "@rosthof-seat.example"
		_, err := n.Identity.AddMember(t.Context(), entente.System("rosthof-seat", entente.DoorCommand), memberAs(string(role), email, role))
		must(t, err)
		if w := n.as(email).get(at); w.Code != code {
			t.Errorf("%s: %d", role, w.Code)
		}
	}
}
