package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
)

// What a partner takes back says so on its page, and what it shared for a time that ran
// out says that; neither counts any more.
func TestWhatIsGone(t *testing.T) {
	for way, expires := range map[string]bool{"taken back": false, "expired": true} {
		t.Run(way, func(t *testing.T) {
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
			_, err = n.Advisory.Ingest(t.Context(), buyer, advisory.FromReader(strings.NewReader(`{"schema_version":"1.6.0","id":"OTHER-1","modified":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"grinder"},"versions":["1.0.0"]}]}`), "database.json"), advisory.IngestOptions{})
			must(t, err)
			blob, err := n.Exchange.PutBlob(t.Context(), them, "roaster.cdx.json", "application/json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"roaster","version":"1.0.0","purl":"pkg:npm/roaster@1.0.0"}]}`))
			must(t, err)
			end := time.Now().Add(time.Hour)
			var said, entries []string
			for _, s := range []exchange.NewStatement{
				{Kind: entente.EntrySBOM, Body: json.RawMessage(`{"product":"Roaster 3"}`), Blobs: []entente.Blob{blob}},
				{Kind: entente.EntryAdvisory, Body: json.RawMessage(`{"schema_version":"1.6.0","id":"ROST-2026-1","modified":"2026-01-02T00:00:00Z","summary":"It starts by itself","affected":[{"package":{"ecosystem":"npm","name":"roaster"},"versions":["1.0.0"]}]}`)},
				{Kind: entente.EntryVEX, Body: json.RawMessage(`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:example:1","author":"Rösthof","timestamp":"2026-04-06T20:03:48Z","version":1,"statements":[{"vulnerability":{"name":"OTHER-1"},"products":[{"@id":"Roaster 3"}],"status":"not_affected","impact_statement":"It grinds nothing."}]}`)},
				{Kind: entente.EntryChain, Body: json.RawMessage(`{"suppliers":[{"name":"Nordhost"}]}`)},
				{Kind: entente.EntryThreat, Body: json.RawMessage(poisoned)},
			} {
				s.Title, s.Marking, s.To = "Something", entente.Marking{TLP: entente.TLPGreen}, []entente.PartyID{self.Party()}
				if expires {
					s.Marking.Expires = end
				}
				id, lines, err := n.Exchange.Say(t.Context(), them, s)
				must(t, err)
				said, entries = append(said, id), append(entries, "/o/beanline/inbox/"+exchange.EntryRef{Party: supplier, Number: lines[0].Number}.String())
				n.carryAll("rosthof-seat", "beanline")
			}
			threats, err := n.Threat.List(t.Context(), buyer)
			must(t, err)
			threat := "/o/beanline/threats/" + threatPath(threats[0])
			ours := n.as("owner@beanline.example")
			ours.mustHold("/o/beanline/advisories/ROST-2026-1", "It starts by itself", "roaster")
			ours.mustHold("/o/beanline/documents/1", "Recorded by", "Rösthof")
			ours.mustHold("/o/beanline/products/roaster", "It grinds nothing.")
			ours.mustHold("/o/beanline/suppliers/rosthof", "Nordhost")

			if expires {
				n.now = func() time.Time { return end.Add(time.Minute) }
				must(t, n.DB.Write(t.Context(), "beanline", func(tx *db.Tx) error {
					_, err := tx.Exec(t.Context(), "UPDATE journal_job SET wake_at = 1 WHERE org = 'beanline' AND kind = 'exchange.expire'")
					return err
				}))
			} else {
				for _, id := range said {
					must(t, n.Exchange.Recall(t.Context(), them, id, "a mistake"))
				}
			}
			n.carryAll("rosthof-seat", "beanline")

			recalled := map[string][]string{
				"/o/beanline/advisories/ROST-2026-1": {"Rösthof took ROST-2026-1 back on", "taken back", "How it stood before", "was taken back by Rösthof on"},
				"/o/beanline/documents/1":            {"Rösthof took it back on", "taken back"},
				"/o/beanline/products/roaster":       {"taken back"},
				"/o/beanline/advisories/OTHER-1":     {"taken back"},
				"/o/beanline/suppliers/rosthof":      {"taken back by Rösthof on"},
				threat:                               {"A threat that was taken back", "Rösthof took it back on"},
				entries[0]:                           {"Rösthof took it back", "taken back", "Taken back"},
				"/o/beanline/inbox?state=recalled":   {"5 entries", "taken back"},
				"/o/beanline/inbox?state=expired":    {"Nothing matches"},
			}
			expired := map[string][]string{
				"/o/beanline/advisories/ROST-2026-1": {"The time for which Rösthof shared ROST-2026-1 ran out on", "expired", "How it stood before", "The time of ROST-2026-1 from Rösthof ran out on"},
				"/o/beanline/documents/1":            {"The time for which Rösthof shared it ran out on", "expired"},
				"/o/beanline/products/roaster":       {"its time ran out on", "expired"},
				"/o/beanline/advisories/OTHER-1":     {"its time ran out on"},
				"/o/beanline/suppliers/rosthof":      {"its time ran out on"},
				threat:                               {"A threat whose time ran out", "The time for which Rösthof shared it ran out on"},
				entries[0]:                           {"Its time ran out on", "expired", "Expired"},
				"/o/beanline/inbox?state=expired":    {"5 entries", "expired"},
				"/o/beanline/inbox?state=recalled":   {"Nothing matches"},
			}
			says, says2 := recalled, expired
			if expires {
				says, says2 = expired, recalled
			}
			for page, texts := range says {
				body := ours.mustHold(page, texts...)
				wholePage(t, page, body)
				for _, other := range says2[page] {
					if !strings.Contains(page, "inbox") && !strings.Contains(strings.Join(texts, "\n"), other) && strings.Contains(body, other) {
						t.Errorf("%s says %q", page, other)
					}
				}
			}
			ours.mustNotHold("/o/beanline/advisories/ROST-2026-1", "It starts by itself")
			ours.mustNotHold("/o/beanline/documents/1", "Withdraw")
			ours.mustNotHold("/o/beanline/products/roaster", "It grinds nothing.")
			ours.mustNotHold("/o/beanline/suppliers/rosthof", "Nordhost")
			if w := ours.get(threat + "/original"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "time ran out") != expires {
				t.Errorf("the original of what is gone: %d %s", w.Code, w.Body)
			}
		})
	}
}
