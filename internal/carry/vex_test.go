package carry

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
)

const affectedSBOM = `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"roaster","version":"1.0.0","purl":"pkg:npm/roaster@1.0.0"}]}`

func vexBody(product, status, why string) json.RawMessage {
	return json.RawMessage(`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"urn:x","author":"Rosthof","timestamp":"2026-05-12T10:00:00Z","version":1,"statements":[{"vulnerability":{"name":"ROST-2026-1"},"products":[{"@id":"` + product + `"}],"status":"` + status + `","impact_statement":"` + why + `"}]}`)
}

// A supplier says that its product is not affected: the match changes its state, and
// keeps its history; a later word counts; taken back, it is as before.
func TestVEXOfAPartner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		_, _, err := n.inventory.Record(t.Context(), n.buyer, "roaster", "roaster.cdx.json", strings.NewReader(affectedSBOM))
		ok(t, err)
		_, err = n.advisory.Ingest(t.Context(), n.buyer, advisory.FromReader(strings.NewReader(strings.Replace(osvRecord, "%s", "ROST-2026-1", 1)), "database.json"), advisory.IngestOptions{})
		ok(t, err)
		n.catchUp()
		stands := func(state advisory.State, products int) advisory.Detail {
			t.Helper()
			detail, err := n.advisory.Get(t.Context(), n.buyer, "ROST-2026-1")
			ok(t, err)
			impact, err := n.advisory.ImpactOf(t.Context(), n.buyer, "ROST-2026-1", advisory.ImpactOptions{})
			ok(t, err)
			if len(detail.Matches) != 1 || detail.Matches[0].State != state || impact.Counts.Products != products {
				t.Errorf("it is to be %s in %d products: %+v, %+v", state, products, detail.Matches, impact.Counts)
			}
			return detail
		}
		stands(advisory.Affected, 1)
		say := func(body json.RawMessage) exchange.Received {
			return n.says(exchange.NewStatement{Kind: entente.EntryVEX, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: body})
		}
		// Only of its own products.
		if e := say(vexBody("Grinder", "not_affected", "it has none")); e.Outcome != exchange.OutcomeRefused {
			t.Errorf("of another's product: %s %s", e.Outcome, e.OutcomeWhy)
		}
		stands(advisory.Affected, 1)
		e := say(vexBody("Roaster 3", "not_affected", "the code is never called"))
		if e.Outcome != exchange.OutcomeTaken {
			t.Fatalf("it was not taken: %s %s", e.Outcome, e.OutcomeWhy)
		}
		detail := stands(advisory.Excused, 0)
		if m := detail.Matches[0]; m.Why != "Rosthof says on 2026-05-12: not affected, because the code is never called" || len(m.Past) != 1 || m.Past[0].State != advisory.Affected {
			t.Errorf("why and history: %+v", m)
		}
		found, err := n.advisory.OfProduct(t.Context(), n.buyer, "roaster")
		ok(t, err)
		for _, f := range found {
			if f.State == advisory.Affected {
				t.Errorf("the product: %+v", f)
			}
		}
		// A later word takes its place.
		e = say(vexBody("Roaster 3", "affected", ""))
		stands(advisory.Affected, 1)
		said, err := n.advisory.SpokenOf(t.Context(), n.buyer, "roaster", nil)
		ok(t, err)
		if len(said) != 2 || said[0].State == said[1].State {
			t.Errorf("said: %+v", said)
		}
		say(vexBody("Roaster 3", "fixed", "since 3.1"))
		stands(advisory.Excused, 0)
		// What is in another product too is affected there.
		m, err := chain.ParseMap(strings.NewReader(chainOfBuyer+"  - {id: mill, name: Mill, supplier: rosthof}\n"), "map.yaml")
		ok(t, err)
		_, err = n.chain.Import(t.Context(), n.buyer, m)
		ok(t, err)
		_, _, err = n.inventory.Record(t.Context(), n.buyer, "mill", "mill.cdx.json", strings.NewReader(strings.Replace(affectedSBOM, `"version":1,`, `"version":2,`, 1)))
		ok(t, err)
		n.catchUp()
		stands(advisory.Affected, 1)
		_ = e
	})
}

func TestVEXIsTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		_, _, err := n.inventory.Record(t.Context(), n.buyer, "roaster", "roaster.cdx.json", strings.NewReader(affectedSBOM))
		ok(t, err)
		_, err = n.advisory.Ingest(t.Context(), n.buyer, advisory.FromReader(strings.NewReader(strings.Replace(osvRecord, "%s", "ROST-2026-1", 1)), "database.json"), advisory.IngestOptions{})
		ok(t, err)
		n.catchUp()
		id, _, err := n.exchange.Say(t.Context(), n.supplier, exchange.NewStatement{Kind: entente.EntryVEX, Title: "Not affected", Marking: entente.Marking{TLP: entente.TLPAmber}, To: []entente.PartyID{n.to}, Body: vexBody("Roaster 3", "not_affected", "no")})
		ok(t, err)
		n.catchUp()
		state := func() advisory.State {
			detail, err := n.advisory.Get(t.Context(), n.buyer, "ROST-2026-1")
			ok(t, err)
			return detail.Matches[0].State
		}
		if state() != advisory.Excused {
			t.Fatal(state())
		}
		ok(t, n.exchange.Recall(t.Context(), n.supplier, id, "we were wrong"))
		n.catchUp()
		if state() != advisory.Affected {
			t.Errorf("after the recall: %s", state())
		}
		said, err := n.advisory.SpokenOf(t.Context(), n.buyer, "", []string{"rost-2026-1"})
		ok(t, err)
		if len(said) != 1 || said[0].State != "recalled" || said[0].Text != "" {
			t.Errorf("said: %+v", said)
		}
		auditor := n.buyer
		auditor.Role = entente.RoleAuditor
		if err := n.advisory.Speak(t.Context(), auditor, "rosthof", nil); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("an auditor spoke: %v", err)
		}
		if err := n.advisory.Unsay(t.Context(), auditor, n.from, 1, time.Time{}); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("an auditor unsaid: %v", err)
		}
	})
}

// What a partner said before it was known which organisation of the chain it is counts
// once that is known: the latest word.
func TestVEXCountsOnceThePartnerIsKnown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		ok(t, n.exchange.SetKnownAs(t.Context(), n.buyer, n.from, ""))
		n.catchUp()
		say := func(body json.RawMessage) exchange.Received {
			return n.says(exchange.NewStatement{Kind: entente.EntryVEX, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: body})
		}
		first := say(vexBody("Roaster 3", "not_affected", "no"))
		last := say(vexBody("Roaster 3", "fixed", "since 3.1"))
		other := say(vexBody("Grinder", "fixed", "no such product"))
		if first.Outcome != exchange.OutcomeRefused || last.Outcome != exchange.OutcomeRefused {
			t.Fatalf("before it was known: %s %s", first.Outcome, last.Outcome)
		}
		ok(t, n.exchange.SetKnownAs(t.Context(), n.buyer, n.from, "rosthof"))
		n.catchUp()
		for e, want := range map[uint64]exchange.Outcome{first.Number: exchange.OutcomeTaken, last.Number: exchange.OutcomeTaken, other.Number: exchange.OutcomeRefused} {
			got, err := n.exchange.Entry(t.Context(), n.buyer, n.from, e)
			ok(t, err)
			if got.Outcome != want {
				t.Errorf("entry %d: %s %s", e, got.Outcome, got.OutcomeWhy)
			}
		}
		said, err := n.advisory.SpokenOf(t.Context(), n.buyer, "roaster", nil)
		ok(t, err)
		if len(said) != 2 || said[0].State == said[1].State {
			t.Fatalf("said: %+v", said)
		}
		for _, s := range said {
			if (s.State == "standing") != (s.Number == last.Number) {
				t.Errorf("the latest word is to stand: %+v", s)
			}
		}
	})
}

// What is said of a product is looked at first, and refused for whom the agreement does
// not let have it; nobody says it who may not share.
func TestStateAndItsPreview(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		n.importMap(n.supplier, chainOfSupplier+"products:\n  - {id: roaster, name: Roaster 3, supplier: rosthof}\n")
		s := vex.Statement{Vulnerability: "ROST-2026-1", Status: vex.NotAffected, Text: "never called"}
		for _, role := range []entente.Role{entente.RoleAuditor, entente.RoleBusinessOwner, entente.RoleProcurement, entente.RoleContact} {
			actor := n.supplier
			actor.Role = role
			if _, err := n.carrier.State(t.Context(), actor, "roaster", s, nil); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s said it: %v", role, err)
			}
			if _, err := n.carrier.StatePreview(t.Context(), actor, "roaster", s, nil); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s looked: %v", role, err)
			}
		}
		lines, err := n.carrier.StatePreview(t.Context(), n.supplier, "roaster", s, []entente.PartyID{n.to})
		ok(t, err)
		if len(lines) != 1 || !lines[0].Allowed {
			t.Errorf("the preview: %+v", lines)
		}
		if said, err := n.advisory.SpokenOf(t.Context(), n.supplier, "roaster", nil); err != nil || len(said) != 0 {
			t.Errorf("the preview said it: %+v %v", said, err)
		}
		if lines, err = n.carrier.State(t.Context(), n.supplier, "roaster", s, []entente.PartyID{n.to}); err != nil || len(lines) != 1 || lines[0].Number == 0 {
			t.Errorf("saying it: %+v %v", lines, err)
		}
		ok(t, n.exchange.Propose(t.Context(), n.supplier, n.to, func(a *entente.Agreement) {
			a.Shares = slices.DeleteFunc(a.Shares, func(s entente.Share) bool { return s.Kind == entente.EntryVEX })
		}))
		n.catchUp()
		versions, err := n.exchange.Versions(t.Context(), n.buyer, n.from)
		ok(t, err)
		ok(t, n.exchange.Sign(t.Context(), n.buyer, n.from, entente.HashOf(versions[0].Envelope.Payload)))
		n.catchUp()
		if lines, err = n.carrier.StatePreview(t.Context(), n.supplier, "roaster", s, []entente.PartyID{n.to}); err != nil || len(lines) != 1 || lines[0].Allowed || lines[0].Reason.Blank() {
			t.Errorf("the preview, not agreed: %+v %v", lines, err)
		}
		if _, err = n.carrier.State(t.Context(), n.supplier, "roaster", s, []entente.PartyID{n.to}); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("not agreed: %v", err)
		}
	})
}

// What we take back from the customers who were told, we take back from ourselves; what
// we said before counts again there as here.
func TestOurOwnWordIsTakenBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		n.importMap(n.supplier, chainOfSupplier+"products:\n  - {id: roaster, name: Roaster 3, supplier: rosthof}\n")
		for _, text := range []string{"never called", "not even built in"} {
			_, err := n.carrier.State(t.Context(), n.supplier, "roaster", vex.Statement{Vulnerability: "ROST-2026-1", Status: vex.NotAffected, Text: text}, []entente.PartyID{n.to})
			ok(t, err)
			n.catchUp()
		}
		stand := func(want ...string) {
			t.Helper()
			for _, side := range []entente.Actor{n.supplier, n.buyer} {
				said, err := n.advisory.SpokenOf(t.Context(), side, "roaster", nil)
				ok(t, err)
				var states []string
				for _, s := range said {
					states = append(states, strings.TrimSpace(s.State+" "+s.Text))
				}
				if !slices.Equal(states, want) {
					t.Errorf("at %s: %q, want %q", side.Name, states, want)
				}
			}
		}
		stand("standing not even built in", "replaced never called")
		all, err := n.exchange.Statements(t.Context(), n.supplier)
		ok(t, err)
		ok(t, n.exchange.Recall(t.Context(), n.supplier, all[0].ID, "we were wrong"))
		n.catchUp()
		stand("recalled", "standing never called")
		ok(t, n.exchange.Recall(t.Context(), n.supplier, all[1].ID, "wrong again"))
		n.catchUp()
		stand("recalled", "recalled")
	})
}
