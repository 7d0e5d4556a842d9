package carry

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
)

const warning = `{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48.000Z","name":"Poisoned beans","pattern_type":"stix","pattern":"[domain-name:value = 'beans.example']","valid_from":"2026-04-06T20:03:48Z","x_own":"kept"MARKED}`

func marked(t entente.TLP) string {
	if t == 0 {
		return strings.Replace(warning, "MARKED", "", 1)
	}
	return strings.Replace(warning, "MARKED", `,"object_marking_refs":["`+t.STIX()+`"]`, 1)
}

func TestThreatOfAPartner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		warn := func(body string) exchange.Received {
			return n.says(exchange.NewStatement{Kind: entente.EntryThreat, Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(body)})
		}
		e := warn(marked(0))
		all, err := n.carrier.threat.List(t.Context(), n.buyer)
		ok(t, err)
		if e.Outcome != exchange.OutcomeTaken || len(all) != 1 || all[0].Title != "Poisoned beans" || all[0].By != "Rosthof" || all[0].TLP != entente.TLPGreen {
			t.Fatalf("%s %s %+v", e.Outcome, e.OutcomeWhy, all)
		}
		one, err := n.carrier.threat.Get(t.Context(), n.buyer, all[0].Party, all[0].Number, all[0].ID)
		ok(t, err)
		if string(one.Raw) != marked(0) {
			t.Errorf("it is not kept as it came: %s", one.Raw)
		}
		// The stricter label holds.
		e = warn(marked(entente.TLPAmberStrict))
		all, err = n.carrier.threat.List(t.Context(), n.buyer)
		ok(t, err)
		if len(all) != 1 || all[0].TLP != entente.TLPAmberStrict || !strings.Contains(e.OutcomeWhy.String(), "stricter") {
			t.Errorf("%s %+v", e.OutcomeWhy, all)
		}
		if e := warn(marked(entente.TLPRed)); e.Outcome != exchange.OutcomeRefused {
			t.Errorf("TLP:RED inside: %s", e.Outcome)
		}
		if e := warn(strings.Replace(marked(0), `"valid_from"`, `"from"`, 1)); e.Outcome != exchange.OutcomeRefused {
			t.Errorf("what is no valid STIX: %s", e.Outcome)
		}
		id, lines, err := n.exchange.Say(t.Context(), n.supplier, exchange.NewStatement{Kind: entente.EntryThreat, Title: "x", Marking: entente.Marking{TLP: entente.TLPGreen}, To: []entente.PartyID{n.to}, Body: json.RawMessage(strings.Replace(marked(0), "8e2e2d2b", "9e2e2d2b", 1))})
		ok(t, err)
		n.catchUp()
		ok(t, n.exchange.Recall(t.Context(), n.supplier, id, "wrong"))
		n.catchUp()
		all, err = n.carrier.threat.List(t.Context(), n.buyer)
		ok(t, err)
		if len(all) != 1 {
			t.Errorf("after the recall: %+v", all)
		}
		gone, err := n.carrier.threat.Get(t.Context(), n.buyer, n.from, lines[0].Number, "indicator--9e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f")
		ok(t, err)
		if gone.Ended.IsZero() || gone.Expired || len(gone.Raw) != 0 || gone.Title != "" || gone.By != "Rosthof" {
			t.Errorf("what is left of it: %+v", gone)
		}
		auditor := n.buyer
		auditor.Role = entente.RoleAuditor
		if err := n.carrier.threat.Forget(t.Context(), auditor, n.from, 1, time.Time{}); entente.KindOf(err) != entente.KindDenied {
			t.Errorf("an auditor forgot: %v", err)
		}
	})
}
