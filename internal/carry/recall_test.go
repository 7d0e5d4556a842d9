package carry

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/inventory"
)

// said lets the supplier say something, and gives the statement and its entry.
func (n *node) said(s exchange.NewStatement) (id string, e exchange.Received) {
	n.t.Helper()
	s.Title, s.To = "Something", []entente.PartyID{n.to}
	id, lines, err := n.exchange.Say(n.t.Context(), n.supplier, s)
	ok(n.t, err)
	n.catchUp()
	e, err = n.exchange.Entry(n.t.Context(), n.buyer, n.from, lines[0].Number)
	ok(n.t, err)
	if e.Outcome != exchange.OutcomeTaken {
		n.t.Fatalf("it was not taken: %s %s", e.Outcome, e.OutcomeWhy)
	}
	return id, e
}

// ways are how something can be taken from the buyer: each leaves it with nothing.
func (n *node) ways() map[string]func(id string) {
	return map[string]func(string){
		"recall": func(id string) { ok(n.t, n.exchange.Recall(n.t.Context(), n.supplier, id, "wrong")) },
		"left out": func(id string) {
			ok(n.t, n.exchange.Narrow(n.t.Context(), n.supplier, id, entente.Marking{TLP: entente.TLPAmber}, "not for you", n.to))
		},
		"for a person": func(id string) {
			ok(n.t, n.exchange.Narrow(n.t.Context(), n.supplier, id, entente.Marking{TLP: entente.TLPRed, Audience: []entente.PartyID{n.to}, People: []string{"somebody@example.com"}}, "for one only"))
		},
	}
}

// An advisory that a partner takes back counts no more: its matches keep their history
// and say who took it back, what it said is deleted. What the partner said of it before
// holds again.
func TestAdvisoryIsTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		_, _, err := n.inventory.Record(t.Context(), n.buyer, "roaster", "roaster.cdx.json", strings.NewReader(affectedSBOM))
		ok(t, err)
		for _, way := range []string{"recall", "left out", "for a person"} {
			id := "ROST-" + strings.ReplaceAll(way, " ", "-")
			record := strings.Replace(strings.Replace(osvRecord, "%s", id, 1), `"summary"`, `"aliases":["CVE-2026-`+id+`"],"summary"`, 1)
			statement, _ := n.said(exchange.NewStatement{Kind: entente.EntryAdvisory, Subject: "advisory/" + id, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(record)})
			stands := func(state advisory.State, products int) advisory.Detail {
				t.Helper()
				detail, err := n.advisory.Get(t.Context(), n.buyer, id)
				ok(t, err)
				impact, err := n.advisory.ImpactOf(t.Context(), n.buyer, id, advisory.ImpactOptions{})
				ok(t, err)
				if len(detail.Matches) != 1 || detail.Matches[0].State != state || impact.Counts.Products != products || detail.Products != products {
					t.Errorf("%s: it is to be %s in %d products: %+v, %+v", way, state, products, detail.Matches, impact.Counts)
				}
				return detail
			}
			stands(advisory.Affected, 1)
			n.ways()[way](statement)
			n.catchUp()
			detail := stands(advisory.Withdrawn, 0)
			r, m := detail.Records[0], detail.Matches[0]
			if r.Ended.IsZero() || r.Expired || r.By() != "Rosthof" || detail.Summary != "" || strings.Contains(string(r.Raw), "roaster") || detail.Withdrawn.IsZero() {
				t.Errorf("%s: what is left: %+v %s", way, detail.Brief, r.Raw)
			}
			if !strings.HasPrefix(m.Why, id+" was taken back by Rosthof on ") || len(m.Past) != 1 || m.Past[0].State != advisory.Affected || advisory.Reason(m.Why).Blank() {
				t.Errorf("%s: why and history: %q %+v", way, m.Why, m.Past)
			}
			if _, err := n.advisory.Get(t.Context(), n.buyer, "CVE-2026-"+id); entente.KindOf(err) != entente.KindNotFound {
				t.Errorf("%s: its other names are left: %v", way, err)
			}
			if found, err := n.advisory.OfProduct(t.Context(), n.buyer, "roaster"); err != nil || slices.ContainsFunc(found, func(f advisory.ProductFinding) bool { return f.State == advisory.Affected }) {
				t.Errorf("%s: the product: %+v %v", way, found, err)
			}
			// Said anew, also with an older date, it counts again.
			n.said(exchange.NewStatement{Kind: entente.EntryAdvisory, Subject: "advisory/" + id, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(strings.Replace(record, "2026-01-02", "2026-01-01", 1))})
			stands(advisory.Affected, 1)
			// A later word that is taken back leaves the one before.
			statement, _ = n.said(exchange.NewStatement{Kind: entente.EntryAdvisory, Subject: "advisory/" + id, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(strings.NewReplacer("2026-01-02", "2026-01-03", "1.0.0\"", "0.9.0\"").Replace(record))})
			stands(advisory.Not, 0)
			n.ways()[way](statement)
			n.catchUp()
			if detail := stands(advisory.Affected, 1); !detail.Records[0].Ended.IsZero() || detail.Summary == "" {
				t.Errorf("%s: the word before: %+v", way, detail.Brief)
			}
			n.unsayAll()
		}
		auditor := n.buyer
		auditor.Role = entente.RoleAuditor
		if _, err := n.advisory.Recall(t.Context(), auditor, advisory.Origin{Party: n.from, Number: 1}, time.Time{}); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("an auditor took it back: %v", err)
		}
	})
}

// unsayAll takes back all that the supplier said.
func (n *node) unsayAll() {
	n.t.Helper()
	all, err := n.exchange.Statements(n.t.Context(), n.supplier)
	ok(n.t, err)
	for _, s := range all {
		if s.State == exchange.Said {
			ok(n.t, n.exchange.Recall(n.t.Context(), n.supplier, s.ID, "the end"))
		}
	}
	n.catchUp()
}

// Another source that told the same since is not taken back with the partner's word.
func TestAnotherSourceStays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		record := strings.Replace(osvRecord, "%s", "ROST-2026-1", 1)
		id, _ := n.said(exchange.NewStatement{Kind: entente.EntryAdvisory, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(record)})
		_, err := n.advisory.Ingest(t.Context(), n.buyer, advisory.FromReader(strings.NewReader(strings.Replace(record, "2026-01-02", "2026-01-03", 1)), "database.json"), advisory.IngestOptions{})
		ok(t, err)
		ok(t, n.exchange.Recall(t.Context(), n.supplier, id, "wrong"))
		n.catchUp()
		detail, err := n.advisory.Get(t.Context(), n.buyer, "ROST-2026-1")
		ok(t, err)
		if r := detail.Records[0]; !r.Ended.IsZero() || r.Source != "database.json" || detail.Summary == "" {
			t.Errorf("what the database says: %+v", detail)
		}
	})
}

func TestSBOMIsTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		_, err := n.advisory.Ingest(t.Context(), n.buyer, advisory.FromReader(strings.NewReader(strings.Replace(osvRecord, "%s", "ROST-2026-1", 1)), "database.json"), advisory.IngestOptions{})
		ok(t, err)
		own, _, err := n.inventory.Record(t.Context(), n.buyer, "roaster", "own.cdx.json", strings.NewReader(strings.NewReplacer("1.0.0", "0.9.0", `"version":1,`, `"version":7,`).Replace(affectedSBOM)))
		ok(t, err)
		products := func() int {
			impact, err := n.advisory.ImpactOf(t.Context(), n.buyer, "ROST-2026-1", advisory.ImpactOptions{})
			ok(t, err)
			return impact.Counts.Products
		}
		for i, way := range []string{"recall", "left out", "for a person"} {
			document := strings.Replace(affectedSBOM, `"version":1,`, `"version":`+string(rune('2'+i))+`,`, 1)
			blob, err := n.exchange.PutBlob(t.Context(), n.supplier, "roaster.cdx.json", "application/vnd.cyclonedx+json", strings.NewReader(document))
			ok(t, err)
			body, err := json.Marshal(entente.SBOM{Product: "Roaster 3"})
			ok(t, err)
			id, _ := n.said(exchange.NewStatement{Kind: entente.EntrySBOM, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: body, Blobs: []entente.Blob{blob}})
			if products() != 1 {
				t.Fatalf("%s: it does not count", way)
			}
			n.ways()[way](id)
			n.catchUp()
			if products() != 0 {
				t.Errorf("%s: it counts still", way)
			}
			documents, err := n.inventory.Documents(t.Context(), n.buyer, "roaster")
			ok(t, err)
			if gone := documents[0]; !gone.Recalled || gone.Expired || gone.Removed.IsZero() || gone.From.Name != "Rosthof" || gone.RecordedBy != "Rosthof" {
				t.Errorf("%s: %+v", way, gone)
			}
			if _, left, err := n.inventory.Components(t.Context(), n.buyer, documents[0].ID, inventory.ComponentQuery{}); err != nil || left != 0 {
				t.Errorf("%s: %d components are left: %v", way, left, err)
			}
			// What was known before is current again.
			if last := documents[len(documents)-1]; last.ID != own.ID || !last.Current() {
				t.Errorf("%s: before: %+v", way, last)
			}
		}
		auditor := n.buyer
		auditor.Role = entente.RoleAuditor
		if err := n.inventory.Recall(t.Context(), auditor, n.from, 1, time.Time{}); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("an auditor took it back: %v", err)
		}
		if _, _, err := n.inventory.RecordFrom(t.Context(), auditor, "roaster", inventory.Origin{}, "x", strings.NewReader("{}")); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("an auditor recorded: %v", err)
		}
	})
}

// What goes to no room is deleted where it was received: notes, practice, concerns.
func TestWhatIsReadIsTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		for _, kind := range []entente.EntryKind{entente.EntryNote, entente.EntryPractice, entente.EntryConcern} {
			for way, take := range n.ways() {
				s := exchange.NewStatement{Kind: kind, Title: "Something", To: []entente.PartyID{n.to}, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(`{"title":"Beans","text":"They burn.","date":"2026-01-02"}`)}
				id, lines, err := n.exchange.Say(t.Context(), n.supplier, s)
				ok(t, err)
				n.catchUp()
				take(id)
				n.catchUp()
				e, err := n.exchange.Entry(t.Context(), n.buyer, n.from, lines[0].Number)
				ok(t, err)
				if len(e.Body) != 0 || e.Title != "" || e.State != exchange.Recalled && !e.Hidden {
					t.Errorf("%s, %s: %+v", kind, way, e)
				}
				list, err := n.exchange.Concerns(t.Context(), n.buyer)
				ok(t, err)
				if slices.ContainsFunc(list, func(c exchange.Concern) bool { return c.Title != "" }) {
					t.Errorf("%s, %s: %+v", kind, way, list)
				}
			}
		}
	})
}

// What is taken back in the moment in which a room takes it does not stay there.
func TestTakenBackMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		id, lines, err := n.exchange.Say(t.Context(), n.supplier, exchange.NewStatement{
			Kind: entente.EntryAdvisory, Title: "x", To: []entente.PartyID{n.to}, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(strings.Replace(osvRecord, "%s", "ROST-2026-1", 1)),
		})
		ok(t, err)
		n.catchUp()
		e, err := n.exchange.Entry(t.Context(), n.buyer, n.from, lines[0].Number)
		ok(t, err)
		ok(t, n.exchange.Recall(t.Context(), n.supplier, id, "wrong"))
		n.catchUp()
		system := entente.System(n.buyer.Org, entente.DoorWorker)
		e.Outcome = "" // as a job read it before
		ok(t, n.carrier.settle(t.Context(), system, e, func(ctx context.Context, effect func(*db.Tx) error) error { return d.Write(ctx, system.Org, effect) }))
		detail, err := n.advisory.Get(t.Context(), n.buyer, "ROST-2026-1")
		ok(t, err)
		if detail.Records[0].Ended.IsZero() || detail.Summary != "" {
			t.Errorf("it is back: %+v", detail)
		}
	})
}
