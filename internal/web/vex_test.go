package web

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
)

// Who makes a product says that it is not affected; its customer reads it on the
// advisory, the product and the component, dated and attributed.
func TestSayingHowAProductStands(t *testing.T) {
	n := newNode(t)
	supplier := n.partnerOf("rosthof-seat", "Rösthof")
	maps := map[entente.OrgID]string{
		"beanline":     chainOfBeanline + "products:\n  - {id: roaster, name: Roaster 3, supplier: rosthof}\n",
		"rosthof-seat": chainOfRosthof + "products:\n  - {id: roaster-3, name: Roaster 3, supplier: rosthof-seat}\n",
	}
	for org, text := range maps {
		m, err := chain.ParseMap(strings.NewReader(text), "map.yaml")
		must(t, err)
		_, err = n.Chain.Import(t.Context(), entente.System(org, entente.DoorCommand), m)
		must(t, err)
	}
	buyer := entente.System("beanline", entente.DoorCommand)
	must(t, n.Exchange.SetKnownAs(t.Context(), buyer, supplier, "rosthof"))
	_, _, err := n.Inventory.Record(t.Context(), buyer, "roaster", "roaster.cdx.json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"roaster","version":"1.0.0","purl":"pkg:npm/roaster@1.0.0"}]}`))
	must(t, err)
	_, err = n.Advisory.Ingest(t.Context(), buyer, advisory.FromReader(strings.NewReader(`{"schema_version":"1.6.0","id":"ROST-2026-1","modified":"2026-01-02T00:00:00Z","summary":"It starts by itself","affected":[{"package":{"ecosystem":"npm","name":"roaster"},"versions":["1.0.0"]}]}`), "database.json"), advisory.IngestOptions{})
	must(t, err)
	n.carryAll("rosthof-seat", "beanline")
	self, err := n.Exchange.Self(t.Context(), buyer)
	must(t, err)
	theirs, ours := n.as("owner@rosthof-seat.example"), n.as("owner@beanline.example")
	at := "/o/rosthof-seat/products/roaster-3/vex"
	theirs.mustHold("/o/rosthof-seat/products/roaster-3", at)
	ours.mustNotHold("/o/beanline/products/roaster", "Say whether it is affected")
	wholePage(t, at, theirs.mustHold(at, "Is Roaster 3 affected?", "Whom you tell", "Beanline"))
	// From a finding it is one step to saying so; the customer cannot.
	them := entente.System("rosthof-seat", entente.DoorCommand)
	_, _, err = n.Inventory.Record(t.Context(), them, "roaster-3", "roaster.cdx.json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"roaster","version":"1.0.0","purl":"pkg:npm/roaster@1.0.0"}]}`))
	must(t, err)
	_, err = n.Advisory.Ingest(t.Context(), them, advisory.FromReader(strings.NewReader(`{"schema_version":"1.6.0","id":"ROST-2026-1","modified":"2026-01-02T00:00:00Z","summary":"It starts by itself","affected":[{"package":{"ecosystem":"npm","name":"roaster"},"versions":["1.0.0"]}]}`), "database.json"), advisory.IngestOptions{})
	must(t, err)
	n.carryAll("rosthof-seat", "beanline")
	for _, page := range []string{"/o/rosthof-seat/advisories/ROST-2026-1", "/o/rosthof-seat/products/roaster-3"} {
		theirs.mustHold(page, at+"?vulnerability=ROST-2026-1")
	}
	ours.mustNotHold("/o/beanline/advisories/ROST-2026-1", "/vex?vulnerability")
	theirs.mustHold(at+"?vulnerability=ROST-2026-1", `value="ROST-2026-1"`)
	form := url.Values{"vulnerability": {"ROST-2026-1"}, "status": {"not_affected"}, "to": {string(self.Party())}}
	if w := theirs.post(at, form); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "Say why it is not affected") && !strings.Contains(w.Body.String(), "say why it is not affected") {
		t.Errorf("without a reason: %d", w.Code)
	}
	form.Set("justification", "vulnerable_code_not_in_execute_path")
	form.Set("look", "1")
	looked := theirs.post(at, form)
	if body := looked.Body.String(); looked.Code != http.StatusOK || !strings.Contains(body, "Nothing is sent yet") || !strings.Contains(body, "Who gets it, and why") || !strings.Contains(body, "It is addressed to them") {
		t.Errorf("who gets it: %d %s", looked.Code, body)
	}
	wholePage(t, "who gets a VEX", looked.Body.String())
	if said, err := n.Exchange.Statements(t.Context(), them); err != nil || len(said) != 0 {
		t.Errorf("looking said it: %+v %v", said, err)
	}
	form.Del("look")
	if w := theirs.post(at, form); w.Code != http.StatusSeeOther {
		t.Fatalf("saying it: %d %s", w.Code, w.Body)
	}
	n.carryAll("rosthof-seat", "beanline")
	theirs.mustHold("/o/rosthof-seat/products/roaster-3", "What suppliers say of their products", "The code with the weakness is never run")
	wholePage(t, "advisory", ours.mustHold("/o/beanline/advisories/ROST-2026-1", "What suppliers say of their products", "not affected", "Rösthof says", "The code with the weakness is never run", "Not affected, as its supplier says"))
	ours.mustHold("/o/beanline/products/roaster", "Rösthof says", "not affected, as its supplier says")
	ours.mustHold("/o/beanline/components/1", "not affected, as its supplier says", "Rösthof says on")
	if w := ours.post("/o/beanline/products/roaster/vex", form); w.Code == http.StatusSeeOther {
		t.Error("somebody spoke for another's product")
	}
	// A later word, and what counts again once it is taken back; the first has none before.
	form.Set("status", "fixed")
	form.Set("text", "since 3.1")
	if w := theirs.post(at, form); w.Code != http.StatusSeeOther {
		t.Fatalf("saying it anew: %d %s", w.Code, w.Body)
	}
	statements, err := n.Exchange.Statements(t.Context(), them)
	must(t, err)
	last, first := statements[0].ID, statements[1].ID
	recall := theirs.mustHold("/o/rosthof-seat/ledger/"+last+"/recall", "this counts again", "/o/rosthof-seat/ledger/"+first)
	wholePage(t, "taking a later word back", recall)
	theirs.mustNotHold("/o/rosthof-seat/ledger/"+first+"/recall", "counts again")
	n.carryAll("rosthof-seat", "beanline")
	ours.mustHold("/o/beanline/products/roaster", "since 3.1", "replaced by a later word")
	if w := theirs.post("/o/rosthof-seat/ledger/"+last+"/recall", url.Values{"reason": {"too early"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("taking it back: %d %s", w.Code, w.Body)
	}
	n.carryAll("rosthof-seat", "beanline")
	for page, v := range map[string]*visitor{"/o/beanline/products/roaster": ours, "/o/rosthof-seat/products/roaster-3": theirs} {
		v.mustNotHold(page, "since 3.1", "replaced by a later word")
		v.mustHold(page, "taken back", "The code with the weakness is never run")
	}
	// Who opens the form for a supplier's product reads at once whom to ask, and is led
	// there: to a question that is begun, or where there is no partnership to the supplier.
	foreign := "/o/beanline/products/roaster/vex?vulnerability=ROST-2026-1"
	body := ours.mustHold(foreign, "Rösthof says how it stands", "is said by who makes it", "Ask Rösthof")
	wholePage(t, "another's product", body)
	if strings.Contains(body, `name="status"`) {
		t.Error("the form for another's product is shown")
	}
	ask := linkTo(t, body, "Ask Rösthof")
	asked := ours.mustHold(ask, "Tell a concern", `value="Is Roaster 3 affected by ROST-2026-1?"`)
	wholePage(t, "asking the supplier", asked)
	if to := fieldsOf(t, asked, "/o/beanline/say/preview")["to"]; len(to) != 1 || to[0] != string(supplier) {
		t.Errorf("who is asked: %q", to)
	}
	must(t, n.Exchange.SetKnownAs(t.Context(), buyer, supplier, ""))
	body = ours.mustHold(foreign, "Rösthof says how it stands", "Go to Rösthof")
	if at := linkTo(t, body, "Go to Rösthof"); at != "/o/beanline/suppliers/rosthof" {
		t.Errorf("where to ask without a partnership: %s", at)
	}
}

// linkTo gives where the link with a text leads.
func linkTo(t *testing.T, body, text string) string {
	t.Helper()
	before, _, found := strings.Cut(body, ">"+text+"</a>")
	_, at, is := strings.Cut(before[strings.LastIndex(before, "<a "):], `href="`)
	if !found || !is {
		t.Fatalf("there is no link %q", text)
	}
	at, _, _ = strings.Cut(at, `"`)
	return html.UnescapeString(at)
}
