package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
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
}

// What a partner takes back says so on its page, and counts no more.
func TestWhatWasTakenBack(t *testing.T) {
	n := newNode(t)
	supplier := n.partnerOf("rosthof-seat", "Rösthof")
	buyer, them := entente.System("beanline", entente.DoorCommand), entente.System("rosthof-seat", entente.DoorCommand)
	m, err := chain.ParseMap(strings.NewReader(chainOfBeanline+"products:\n  - {id: roaster, name: Roaster 3, supplier: rosthof}\n"), "map.yaml")
	must(t, err)
	_, err = n.Chain.Import(t.Context(), buyer, m)
	must(t, err)
	must(t, n.Exchange.SetKnownAs(t.Context(), buyer, supplier, "rosthof"))
	self, err := n.Exchange.Self(t.Context(), buyer)
	must(t, err)
	blob, err := n.Exchange.PutBlob(t.Context(), them, "roaster.cdx.json", "application/json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"roaster","version":"1.0.0","purl":"pkg:npm/roaster@1.0.0"}]}`))
	must(t, err)
	var said []string
	for _, s := range []exchange.NewStatement{
		{Kind: entente.EntrySBOM, Body: json.RawMessage(`{"product":"Roaster 3"}`), Blobs: []entente.Blob{blob}},
		{Kind: entente.EntryAdvisory, Body: json.RawMessage(`{"schema_version":"1.6.0","id":"ROST-2026-1","modified":"2026-01-02T00:00:00Z","summary":"It starts by itself","affected":[{"package":{"ecosystem":"npm","name":"roaster"},"versions":["1.0.0"]}]}`)},
	} {
		s.Title, s.Marking, s.To = "Something", entente.Marking{TLP: entente.TLPGreen}, []entente.PartyID{self.Party()}
		id, _, err := n.Exchange.Say(t.Context(), them, s)
		must(t, err)
		said = append(said, id)
		n.carryAll("rosthof-seat", "beanline")
	}
	ours := n.as("owner@beanline.example")
	ours.mustHold("/o/beanline/advisories/ROST-2026-1", "It starts by itself", "roaster")
	ours.mustHold("/o/beanline/documents/1", "Recorded by", "Rösthof")
	for _, id := range said {
		must(t, n.Exchange.Recall(t.Context(), them, id, "a mistake"))
	}
	n.carryAll("rosthof-seat", "beanline")
	wholePage(t, "advisory", ours.mustHold("/o/beanline/advisories/ROST-2026-1", "Rösthof took ROST-2026-1 back on", "taken back", "How it stood before", "was taken back by Rösthof on"))
	ours.mustNotHold("/o/beanline/advisories/ROST-2026-1", "It starts by itself")
	wholePage(t, "document", ours.mustHold("/o/beanline/documents/1", "Rösthof took it back on", "taken back"))
	ours.mustNotHold("/o/beanline/documents/1", "Withdraw")
	ours.mustHold("/o/beanline/products/roaster", "taken back")
}
