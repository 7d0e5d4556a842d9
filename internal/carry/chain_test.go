package carry

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/threat"
	"github.com/entente-project/entente/internal/threat/stix"
)

const criticalChain = `
format: entente.map/1
organisation: beanline
currency: EUR
organisations:
  - {id: beanline, name: Beanline}
  - {id: rosthof, name: Rösthof}
  - {id: kaffeekontor, name: Kaffeekontor, lei: 529900T8BM49AURSDO55}
processes:
  - id: roasting
    name: Roasting
    bia: {criticality: critical, rto: 8h, mtpd: 2d}
    needs: [{any: [beans]}]
supplies:
  - {id: beans, nature: goods, kind: commodity, name: Green beans, supplier: rosthof, customer: beanline, category: coffee}
`

const chainOfSupplier = `
format: entente.map/1
organisation: rosthof
currency: EUR
organisations:
  - {id: rosthof, name: Rösthof}
  - {id: nimbus, name: Nimbus Cloud, domains: [nimbus.example]}
  - {id: harbour, name: Harbour Logistics}
  - {id: stamps, name: Stamps and Co}
processes:
  - id: deliver
    name: Deliver beans
    bia: {criticality: critical, rto: 8h, mtpd: 2d}
    needs: [{any: [hosting], buffer: 12h}]
supplies:
  - {id: hosting, nature: cloud, kind: commodity, name: Hosting, supplier: nimbus, customer: rosthof, category: cloud hosting}
  - {id: freight, nature: goods, kind: commodity, name: Freight, supplier: harbour, customer: rosthof, category: freight}
  - {id: post, nature: goods, kind: commodity, name: Post, supplier: stamps, customer: rosthof}
`

func (n *node) importMap(actor entente.Actor, text string) {
	n.t.Helper()
	m, err := chain.ParseMap(strings.NewReader(text), "map.yaml")
	ok(n.t, err)
	_, err = n.chain.Import(n.t.Context(), actor, m)
	ok(n.t, err)
}

func (n *node) catchUp() {
	n.t.Helper()
	for range 3 {
		ok(n.t, n.runner.CatchUp(n.t.Context(), n.supplier.Org))
		ok(n.t, n.runner.CatchUp(n.t.Context(), n.buyer.Org))
	}
}

// tells lets the supplier choose and tell, and gives the graph of the buyer after it.
func (n *node) tells(c chain.Choice) *chain.Graph {
	n.t.Helper()
	ok(n.t, n.chain.Choose(n.t.Context(), n.supplier, n.to, c))
	ok(n.t, n.carrier.Tell(n.t.Context(), n.supplier, n.to, 0))
	n.catchUp()
	g, err := n.chain.Graph(n.t.Context(), n.buyer)
	ok(n.t, err)
	return g
}

func TestSuppliersOfASupplier(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		n.importMap(n.buyer, criticalChain)
		n.importMap(n.supplier, chainOfSupplier)

		// Nothing is told before somebody chose to.
		if err := n.carrier.Tell(t.Context(), n.supplier, n.to, 0); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("nothing was told without a choice: %v", err)
		}
		g := n.tells(chain.Choice{Overall: chain.TellCount, Suppliers: map[chain.NodeID]chain.Level{"nimbus": chain.TellBlind, "stamps": chain.TellNothing}})
		told, err := n.chain.Disclosures(t.Context(), n.buyer, "rosthof")
		ok(t, err)
		if len(told) != 1 || told[0].Name != "Rosthof" || told[0].Counted != 1 || told[0].Complete || len(told[0].Suppliers) != 1 || told[0].At.IsZero() || told[0].TLP != entente.TLPAmberStrict {
			t.Fatalf("told: %+v", told)
		}
		hidden := told[0].Suppliers[0]
		if hidden.Name != "" || len(hidden.Domains) != 0 || len(hidden.Blind) != 1 || hidden.Category != "cloud hosting" || !hidden.Needed || hidden.Buffer != "12h" {
			t.Errorf("hidden: %+v", hidden)
		}
		body, err := json.Marshal(told[0].Disclosure)
		ok(t, err)
		for _, secret := range []string{"Nimbus", "nimbus.example", "Harbour", "Stamps"} {
			if strings.Contains(string(body), secret) {
				t.Errorf("%s was to stay private: %s", secret, body)
			}
		}
		// It is in the graph, and not in the map.
		all := g.Providers()
		if len(all) != 1 || !all[0].Blind || all[0].Ours || len(all[0].Critical) != 1 || all[0].Critical[0] != "beans" || len(all[0].By) != 1 {
			t.Fatalf("providers: %+v", all)
		}
		if len(g.Map().Organisations) != 3 || len(g.Map().Supplies) != 1 || g.Rank(all[0].ID) != 2 {
			t.Errorf("what was told is mixed with what is our own: rank %d, %+v", g.Rank(all[0].ID), g.Map().Organisations)
		}
		o := g.Outage([]chain.NodeID{all[0].ID}, chain.OutageOptions{})
		stop, stops := o.Process("roasting")
		if !stops || !strings.Contains(stop.Words(), "Rösthof, which says that it needs cloud hosting (buffer 12 h), which is supplied by Undisclosed provider") {
			t.Errorf("the way: %s", stop.Words())
		}
		export, err := n.chain.Export(t.Context(), n.buyer)
		ok(t, err)
		if len(export.Organisations) != 3 || len(export.Supplies) != 1 {
			t.Errorf("exported: %+v", export.Organisations)
		}

		// A later one takes the place of the one before, by name now.
		g = n.tells(chain.Choice{Overall: chain.TellName})
		told, err = n.chain.Disclosures(t.Context(), n.buyer, "rosthof")
		ok(t, err)
		if len(told) != 2 || told[0].State != chain.ToldStanding || told[1].State != chain.ToldReplaced || !told[0].Complete || len(told[0].Suppliers) != 3 {
			t.Errorf("after the second: %+v", told)
		}
		if len(g.Providers()) != 3 || g.Providers()[0].Name != "Nimbus Cloud" || g.ToldBy(g.Providers()[0].ID)[0].Name != "Rosthof" {
			t.Errorf("providers: %+v", g.Providers())
		}
		// What we know ourselves is the same as what they name.
		n.importMap(n.buyer, strings.Replace(criticalChain, "lei: 529900T8BM49AURSDO55", "domains: [nimbus.example]", 1))
		g, err = n.chain.Graph(t.Context(), n.buyer)
		ok(t, err)
		if p := g.Providers()[0]; !p.Ours || p.ID != "kaffeekontor" || len(p.Critical) != 1 {
			t.Errorf("one that we know: %+v", p)
		}

		// To tell nothing takes back what was told; that it was told stays.
		g = n.tells(chain.Choice{})
		told, err = n.chain.Disclosures(t.Context(), n.buyer, "rosthof")
		ok(t, err)
		if len(g.Providers()) != 0 || len(told) != 2 || told[0].State != chain.ToldRecalled || told[1].State != chain.ToldRecalled || len(told[1].Suppliers) != 0 || len(told[0].Suppliers) != 0 {
			t.Errorf("after the recall: %+v %+v", g.Providers(), told)
		}
	})
}

// What a supplier tells stands in nobody's way who has opened a form of our own things;
// what changes these does.
func TestWhatIsToldIsNoConflict(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		n.importMap(n.buyer, criticalChain)
		n.importMap(n.supplier, chainOfSupplier)
		seen, err := n.chain.Graph(t.Context(), n.buyer)
		ok(t, err)
		ok(t, n.chain.Choose(t.Context(), n.buyer, n.from, chain.Choice{Overall: chain.TellName}))
		shown, err := n.carrier.Telling(t.Context(), n.buyer, n.from)
		ok(t, err)
		g := n.tells(chain.Choice{Overall: chain.TellName})
		if g.Revision() == seen.Revision() || len(g.Providers()) == 0 {
			t.Fatalf("revision %d, %d", g.Revision(), len(g.Providers()))
		}
		if now, err := n.carrier.Telling(t.Context(), n.buyer, n.from); err != nil || now.Revision != shown.Revision {
			t.Errorf("what was looked at has not changed: %d, %d (%v)", shown.Revision, now.Revision, err)
		}
		m, err := n.chain.Export(t.Context(), n.buyer)
		ok(t, err)
		process := m.Processes[0]
		process.Name = "Slow roasting"
		done, err := n.chain.PutProcess(t.Context(), n.buyer, process, seen.Revision())
		if err != nil || done.Revision != g.Revision()+1 {
			t.Fatalf("a form that was open: %+v %v", done, err)
		}
		process.Name = "Dark roasting"
		for _, old := range []int64{seen.Revision(), g.Revision(), done.Revision + 1} {
			if _, err := n.chain.PutProcess(t.Context(), n.buyer, process, old); entente.KindOf(err) != entente.KindConflict {
				t.Errorf("made for revision %d of %d: %v", old, done.Revision, err)
			}
		}
		if _, err = n.chain.PutProcess(t.Context(), n.buyer, process, done.Revision); err != nil {
			t.Error(err)
		}
	})
}

// Two suppliers hide the same provider: their customer sees that it is one.
func TestOneHiddenProviderOfTwo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		n.importMap(n.buyer, strings.Replace(criticalChain, "supplies:\n", "supplies:\n  - {id: boxes, nature: goods, kind: commodity, name: Boxes, supplier: kaffeekontor, customer: beanline}\n", 1))
		n.importMap(n.supplier, chainOfSupplier)
		n.tells(chain.Choice{Overall: chain.TellBlind})
		// The other supplier knows the provider by another name, and by one domain more.
		same := chain.BlindIDs(n.to, "NIMBUS GmbH", "", []string{"nimbus.example", "nimbus.cloud.example"})
		ok(t, n.chain.Learn(t.Context(), entente.System(n.buyer.Org, entente.DoorWorker), chain.Told{
			Party: n.to, Number: 1, By: "kaffeekontor", Name: "Kaffeekontor", TLP: entente.TLPAmber,
			Disclosure: chain.Disclosure{Suppliers: []chain.Disclosed{{Blind: same, Needed: true}}},
		}))
		g, err := n.chain.Graph(t.Context(), n.buyer)
		ok(t, err)
		all := g.Providers()
		if len(all) != 3 || !all[0].Blind || len(all[0].By) != 2 || len(all[0].Stops) != 2 || len(all[0].Critical) != 1 {
			t.Errorf("providers: %+v", all)
		}
		if a, b := chain.BlindIDs(n.to, "x", "", []string{"nimbus.example"}), chain.BlindIDs(n.from, "x", "", []string{"nimbus.example"}); a[0] == b[0] {
			t.Error("two customers can compare what each was told")
		}
	})
}

func TestWhoMayTellOfSuppliers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		n.importMap(n.supplier, chainOfSupplier)
		for _, role := range []entente.Role{entente.RoleAuditor, entente.RoleBusinessOwner, entente.RoleProcurement, entente.RoleContact} {
			actor := n.supplier
			actor.Role = role
			if err := n.chain.Choose(t.Context(), actor, n.to, chain.Choice{Overall: chain.TellName}); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s chose: %v", role, err)
			}
			if err := n.carrier.Tell(t.Context(), actor, n.to, 0); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s told: %v", role, err)
			}
			if err := n.chain.Learn(t.Context(), actor, chain.Told{Party: n.to}); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s learnt: %v", role, err)
			}
			if err := n.chain.Forget(t.Context(), actor, n.to, 1, time.Time{}); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s forgot: %v", role, err)
			}
			if err := n.chain.Rename(t.Context(), actor, n.to, "x"); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s renamed: %v", role, err)
			}
		}
		// Who may not read the chain, or see the partner, does not read what is told.
		guest := n.supplier
		guest.Role = entente.RoleContact
		nobody := entente.Actor{Org: n.supplier.Org}
		for _, actor := range []entente.Actor{guest, nobody} {
			if _, err := n.chain.Disclosures(t.Context(), actor, ""); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q read what was told: %v", actor.Role, err)
			}
			if _, err := n.carrier.Telling(t.Context(), actor, "ent1x"); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q looked at what would be told: %v", actor.Role, err)
			}
			if _, err := n.chain.Choice(t.Context(), actor, "ent1x"); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q read the choice: %v", actor.Role, err)
			}
			if _, err := n.carrier.threat.List(t.Context(), actor); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q listed threats: %v", actor.Role, err)
			}
			if _, err := n.carrier.threat.Get(t.Context(), actor, n.to, 1, "x"); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q read a threat: %v", actor.Role, err)
			}
			if err := n.carrier.threat.Record(t.Context(), actor, threat.Threat{}, stix.Document{}); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q recorded a threat: %v", actor.Role, err)
			}
			if _, err := n.advisory.SpokenOf(t.Context(), actor, "", nil); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q read what was spoken: %v", actor.Role, err)
			}
			if _, err := n.advisory.Learn(t.Context(), actor, advisory.Source{}); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q recorded an advisory: %v", actor.Role, err)
			}
		}
		if err := n.chain.Choose(t.Context(), n.supplier, n.to, chain.Choice{Overall: "everything"}); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("a level that is none: %v", err)
		}
		// What was looked at is what is told.
		ok(t, n.chain.Choose(t.Context(), n.supplier, n.to, chain.Choice{Overall: chain.TellName}))
		shown, err := n.carrier.Telling(t.Context(), n.supplier, n.to)
		ok(t, err)
		n.importMap(n.supplier, strings.Replace(chainOfSupplier, "Nimbus Cloud", "Cumulus", 1))
		if err := n.carrier.Tell(t.Context(), n.supplier, n.to, shown.Revision); entente.KindOf(err) != entente.KindConflict {
			t.Errorf("another chain than the one that was looked at: %v", err)
		}
	})
}
