package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
)

const poisoned = `{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48.000Z","name":"Poisoned beans","description":"Do not drink.","pattern_type":"stix","pattern":"[domain-name:value = 'beans.example']","valid_from":"2026-04-06T20:03:48Z","x_own":"kept"}`

// What a partner shares is listed, shown in plain words, and taken away as it came; its
// practice stands on its page, and its contacts where somebody looks whom to call.
func TestWhatAPartnerShares(t *testing.T) {
	n := newNode(t)
	n.tell()
	supplier := n.partnerOf("rosthof-seat", "Rösthof")
	buyer, them := entente.System("beanline", entente.DoorCommand), entente.System("rosthof-seat", entente.DoorCommand)
	must(t, n.Exchange.SetKnownAs(t.Context(), buyer, supplier, "rosthof"))
	self, err := n.Exchange.Self(t.Context(), buyer)
	must(t, err)
	for kind, body := range map[entente.EntryKind]string{
		entente.EntryThreat: poisoned, entente.EntryPractice: `{"title":"Two people open the vault","text":"Always."}`,
		entente.EntryContacts: `{"contacts":[{"name":"Night desk","phone":"+49 30 5550100","role":"incident"}]}`,
	} {
		s := exchange.NewStatement{Kind: kind, Title: "Something", Marking: entente.Marking{TLP: entente.TLPGreen}, To: []entente.PartyID{self.Party()}, Body: json.RawMessage(body)}
		for _, f := range exchange.Inspect(s, nil) {
			s.Decided = append(s.Decided, exchange.Decision{Finding: f, Reason: "meant"})
		}
		_, _, err := n.Exchange.Say(t.Context(), them, s)
		must(t, err)
	}
	n.carryAll("rosthof-seat", "beanline")
	ours := n.as("owner@beanline.example")
	body := ours.mustHold("/o/beanline/threats", "Poisoned beans", "Sign to look for", "Rösthof", "TLP:GREEN")
	wholePage(t, "threats", body)
	_, at, _ := strings.Cut(body, `href="/o/beanline/threats/`)
	at, _, _ = strings.Cut(at, `"`)
	wholePage(t, "threat", ours.mustHold("/o/beanline/threats/"+at, "Do not drink.", "What to look for", "beans.example", "Domain", "Rösthof said so on"))
	if w := ours.get("/o/beanline/threats/" + at + "/original"); w.Code != http.StatusOK || w.Body.String() != poisoned {
		t.Errorf("the original: %d %s", w.Code, w.Body)
	}
	statements, err := n.Exchange.Statements(t.Context(), them)
	must(t, err)
	for _, s := range statements {
		if s.Kind == entente.EntryThreat {
			must(t, n.Exchange.Recall(t.Context(), them, s.ID, "a mistake"))
		}
	}
	n.carryAll("rosthof-seat", "beanline")
	ours.mustNotHold("/o/beanline/threats", "Poisoned beans")
	wholePage(t, "a threat that was taken back", ours.mustHold("/o/beanline/threats/"+at, "A threat that was taken back", "Rösthof took it back on", "Sign to look for"))
	ours.mustNotHold("/o/beanline/threats/"+at, "Poisoned", "Download the original")
	if w := ours.get("/o/beanline/threats/" + at + "/original"); w.Code != http.StatusNotFound {
		t.Errorf("the original of what was taken back: %d", w.Code)
	}
	if w := ours.get("/o/beanline/threats/x"); w.Code != http.StatusNotFound {
		t.Errorf("no threat: %d", w.Code)
	}
	ours.mustHold("/o/beanline/partners/"+string(supplier), "What Rösthof said last", "Two people open the vault", "Night desk")
	ours.mustHold("/o/beanline/suppliers/rosthof", "Night desk", "told as a partner")
	ours.mustHold("/o/beanline/what-if?down=rosthof", "Night desk")
	m, err := chain.ParseMap(strings.NewReader(chainOfBeanline+"products:\n  - {id: roaster, name: Roaster 3, supplier: rosthof}\n"), "map.yaml")
	must(t, err)
	_, err = n.Chain.Import(t.Context(), buyer, m)
	must(t, err)
	_, _, err = n.Inventory.Record(t.Context(), buyer, "roaster", "roaster.cdx.json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"roaster","version":"1.0.0","purl":"pkg:npm/roaster@1.0.0"}]}`))
	must(t, err)
	_, err = n.Advisory.Ingest(t.Context(), buyer, advisory.FromReader(strings.NewReader(`{"schema_version":"1.6.0","id":"ROST-2026-1","modified":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"roaster"},"versions":["1.0.0"]}]}`), "database.json"), advisory.IngestOptions{})
	must(t, err)
	n.carryAll("beanline")
	ours.mustHold("/o/beanline/advisories/ROST-2026-1", "Whom to call", "Night desk", "told as a partner")
}

// The page of an entry says in words what it holds, of every kind that partners send.
func TestWhatAnEntrySays(t *testing.T) {
	n := newNode(t)
	n.tell()
	supplier := n.partnerOf("rosthof-seat", "Rösthof")
	buyer, them := entente.System("beanline", entente.DoorCommand), entente.System("rosthof-seat", entente.DoorCommand)
	self, err := n.Exchange.Self(t.Context(), buyer)
	must(t, err)
	for kind, c := range map[entente.EntryKind]struct {
		body string
		says []string
	}{
		entente.EntryChain: {
			`{"suppliers":[{"name":"Nordhost","lei":"5493001KJTIIGC8Y1R12","category":"hosting","needed":true,"buffer":"4h"},{"blind":["63a4fc2904ee927da2b08ec39f5dc7fb"],"category":"payment"}],"counted":3}`,
			[]string{"Nordhost", "5493001KJTIIGC8Y1R12", "hosting", "Without a name", "payment", "3 more suppliers"},
		},
		entente.EntryVEX: {
			`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:example:1","author":"Rösthof","timestamp":"2026-04-06T20:03:48Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2021-44228"},"products":[{"@id":"pkg:generic/portal@1"}],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path","action_statement":"Nothing to do."}]}`,
			[]string{"CVE-2021-44228", "portal 1", "not affected", "The code with the weakness is never run", "Nothing to do."},
		},
		entente.EntryContacts: {`{"contacts":[{"name":"Night desk","phone":"+49 30 5550100","email":"night@rosthof.example","role":"incident"}]}`, []string{"Night desk", "+49 30 5550100", "night@rosthof.example"}},
		entente.EntryThreat:   {poisoned, []string{"Sign to look for", "Poisoned beans", "beans.example"}},
	} {
		s := exchange.NewStatement{Kind: kind, Title: "Something", Marking: entente.Marking{TLP: entente.TLPGreen}, To: []entente.PartyID{self.Party()}, Body: json.RawMessage(c.body)}
		for _, f := range exchange.Inspect(s, nil) {
			s.Decided = append(s.Decided, exchange.Decision{Finding: f, Reason: "meant"})
		}
		_, _, err := n.Exchange.Say(t.Context(), them, s)
		must(t, err)
		n.carryAll("rosthof-seat", "beanline")
		heard, err := n.Exchange.Inbox(t.Context(), buyer, exchange.InboxQuery{Kind: kind, Limit: 1})
		must(t, err)
		if len(heard) != 1 {
			t.Fatalf("%s: %d entries", kind, len(heard))
		}
		at := "/o/beanline/inbox/" + exchange.EntryRef{Party: supplier, Number: heard[0].Number}.String()
		body := n.as("owner@beanline.example").mustHold(at)
		said, _, _ := strings.Cut(body, "As data, for programs")
		for _, words := range c.says {
			if !strings.Contains(said, words) {
				t.Errorf("the page of an entry of kind %s does not say %q in words", kind, words)
			}
		}
		wholePage(t, string(kind), body)
	}
}
