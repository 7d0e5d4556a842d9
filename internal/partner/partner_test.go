package partner

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

const beanline = entente.OrgID("beanline")

func actor(role entente.Role) entente.Actor {
	return entente.Actor{Org: beanline, Person: "person", Name: "Security lead", Role: role, Door: entente.DoorPage}
}

var lead = actor(entente.RoleSecurityLead)

const sample = `
format: entente.map/1
organisation: us
currency: EUR
organisations:
  - {id: us, name: Us}
  - {id: roaster, name: Roaster}
  - {id: lab, name: Lab}
  - {id: host, name: Host}
  - {id: plants, name: Office plants}
processes:
  - id: buying
    name: Buying
    bia: {criticality: critical, rto: 4h, mtpd: 20h}
    activities:
      - {id: order, name: Order, needs: [portal, beans]}
  - id: testing
    name: Testing
    bia: {criticality: critical, rto: 2d, mtpd: 5d}
    needs: [tests]
systems:
  - {id: portal, name: Portal, kind: application, operator: us, products: [portal-suite], needs: [hosting]}
  - {id: shop, name: Shop, kind: application, operator: roaster, needs: [roaster-hosting]}
products:
  - {id: portal-suite, name: Portal suite, supplier: roaster}
supplies:
  - {id: beans, name: Beans, supplier: roaster, customer: us, kind: bespoke, nature: goods, spend: 1000, access: [{system: portal, level: write}]}
  - {id: tests, name: Tests, supplier: lab, customer: us, kind: bespoke, nature: service}
  - {id: hosting, name: Hosting, supplier: host, customer: us, kind: commodity, nature: cloud}
  - {id: roaster-hosting, name: Hosting for the roaster, supplier: host, customer: roaster, kind: commodity, nature: cloud}
  - {id: green, name: Plants, supplier: plants, customer: us, kind: commodity, nature: goods}
flows:
  - {id: orders, from: portal, to: shop, data: [orders], class: confidential, interface: REST API, protocol: https}
  - {id: samples, from: portal, to: lab, data: [names of staff], class: personal, interface: SFTP drop}
`

func service(t *testing.T, d *db.DB) *Service {
	t.Helper()
	m, err := chain.ParseMap(strings.NewReader(sample), "sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := chain.New(d)
	if _, err := c.Import(t.Context(), entente.System(beanline, entente.DoorCommand), m); err != nil {
		t.Fatal(err)
	}
	return New(d, c)
}

func TestFactsComeFromTheChain(t *testing.T) {
	s := service(t, dbtest.SQLite(t))
	all, err := s.Standings(t.Context(), lead)
	if err != nil {
		t.Fatal(err)
	}
	by := map[chain.NodeID]Standing{}
	var names []string
	for _, st := range all {
		by[st.Supplier] = st
		names = append(names, st.Name)
	}
	if got := strings.Join(names, ","); got != "Host,Lab,Office plants,Roaster" {
		t.Fatalf("suppliers of rank 1: %s", got)
	}
	for _, c := range []struct {
		supplier chain.NodeID
		of       Criterion
		known    bool
		value    int
		why      string
	}{
		{"roaster", LogicalAccess, true, 3, "runs on our Portal"},
		{"roaster", DataAccess, true, 2, "orders"},
		{"roaster", Connectivity, true, 2, "REST API"},
		{"roaster", ProcessCriticality, true, 3, "Buying"},
		{"roaster", Substitutability, false, 0, ""},
		{"lab", DataAccess, true, 2, "names of staff"},
		{"lab", Connectivity, true, 1, "SFTP"},
		{"lab", ProcessCriticality, true, 2, "Testing"},
		{"lab", Regulation, true, 2, "personal"},
		{"host", Concentration, true, 3, "Roaster"},
		{"host", DataAccess, false, 0, ""},
		{"host", Regulation, false, 0, ""},
		{"plants", DataAccess, true, 0, "goods"},
		{"plants", Substitutability, true, 0, "no process stops"},
		{"plants", ProcessCriticality, true, 0, "no process"},
	} {
		var got Fact
		for _, l := range by[c.supplier].Assessment.Lines {
			if l.Scale.Criterion == c.of {
				got = l.Fact
			}
		}
		if got.Known != c.known || got.Value != c.value || !strings.Contains(got.Reason.String(), c.why) {
			t.Errorf("%s, %s: %+v", c.supplier, c.of, got)
		}
	}
	if tier := by["plants"].Tier; tier != TierLow {
		t.Errorf("office plants are %s: %s", tier, by["plants"].Assessment.InWords())
	}
	if !by["lab"].Assessment.Provisional && len(by["lab"].Assessment.Unknown) > 1 || !by["host"].Assessment.Provisional {
		t.Error("what nobody knows does not make a tier provisional")
	}
}

func TestAnswersAndOverrides(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := service(t, d)
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		s.now = func() time.Time { return now }
		standing := func() Standing {
			st, err := s.Standing(t.Context(), lead, "roaster")
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		before := standing()
		answer := Answer{Criterion: Substitutability, Value: 2, Reason: "Two months by the last tender."}
		if err := s.SetAnswer(t.Context(), lead, "roaster", answer); err != nil {
			t.Fatal(err)
		}
		if st := standing(); st.Tier != TierCritical || len(st.Answers) != 1 || st.Assessment.Points != before.Assessment.Points+4 {
			t.Errorf("with the answer: %s, %s", st.Tier, st.Assessment.InWords())
		}
		answer.Value = 1
		if err := s.SetAnswer(t.Context(), lead, "roaster", answer); err != nil {
			t.Fatal(err)
		}
		if st := standing(); st.Assessment.Points != before.Assessment.Points+2 {
			t.Errorf("the changed answer is not used: %s", st.Assessment.InWords())
		}
		if err := s.SetTier(t.Context(), lead, "roaster", Override{Tier: TierLow, Reason: "The contract ends this month.", Until: now.AddDate(0, 1, 0)}); err != nil {
			t.Fatal(err)
		}
		if st := standing(); st.Tier != TierLow || !st.Overridden || st.Override.By != "Security lead" {
			t.Errorf("the override is not used: %+v", st)
		}
		now = now.AddDate(0, 2, 0)
		if st := standing(); st.Overridden {
			t.Error("an override that ended is used")
		}
		if err := s.FreeTier(t.Context(), lead, "roaster"); err != nil {
			t.Fatal(err)
		}
		if st := standing(); st.Override != nil {
			t.Error("the override is still there")
		}
		var kinds []string
		err := d.Read(t.Context(), func(tx *db.Tx) error {
			all, err := journal.Events(t.Context(), tx, beanline, 1, 100)
			for _, e := range all {
				kinds = append(kinds, string(e.Kind))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(kinds, " "); got != "partner.answered partner.answered partner.tier-set partner.tier-freed" {
			t.Errorf("the journal tells: %s", got)
		}
	})
}

func TestWrongAnswersChangeNothing(t *testing.T) {
	s := service(t, dbtest.SQLite(t))
	for name, c := range map[string]struct {
		supplier chain.NodeID
		a        Answer
		kind     entente.Kind
	}{
		"supplier":  {"nobody", Answer{Criterion: Regulation, Reason: "x"}, entente.KindNotFound},
		"ourselves": {"us", Answer{Criterion: Regulation, Reason: "x"}, entente.KindNotFound},
		"criterion": {"roaster", Answer{Criterion: "mood", Reason: "x"}, entente.KindInvalid},
		"value":     {"roaster", Answer{Criterion: Regulation, Value: 4, Reason: "x"}, entente.KindInvalid},
		"function":  {"roaster", Answer{Criterion: CriticalFunction, Value: 2, Reason: "x"}, entente.KindInvalid},
		"reason":    {"roaster", Answer{Criterion: Regulation, Reason: " "}, entente.KindInvalid},
		"long":      {"roaster", Answer{Criterion: Regulation, Reason: strings.Repeat("x", maxReason+1)}, entente.KindTooLarge},
	} {
		if err := s.SetAnswer(t.Context(), lead, c.supplier, c.a); entente.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPermissions(t *testing.T) {
	s := service(t, dbtest.SQLite(t))
	year := Override{Tier: TierLow, Reason: "Only delivers office plants.", Until: time.Now().AddDate(0, 6, 0)}
	for role, may := range map[entente.Role][2]bool{ // answer, override
		entente.RoleOwner: {true, true}, entente.RoleSecurityLead: {true, true}, entente.RoleAnalyst: {true, false},
		entente.RoleProcurement: {true, false}, entente.RoleAuditor: {false, false}, entente.RoleContact: {false, false}, entente.RoleBusinessOwner: {false, false},
	} {
		a := actor(role)
		answered := s.SetAnswer(t.Context(), a, "plants", Answer{Criterion: Regulation, Reason: "No duty touches it."})
		set := s.SetTier(t.Context(), a, "plants", year)
		freed := s.FreeTier(t.Context(), a, "plants")
		if (answered == nil) != may[0] || (set == nil) != may[1] || (freed == nil) != may[1] {
			t.Errorf("%s: answer %v, set %v, free %v", role, answered, set, freed)
		}
	}
}

// The demonstration's suppliers all get a tier, and the shared cloud host shows
// that it stands behind others.
func TestDemonstrationHasTiers(t *testing.T) {
	f, err := catalog.Files().Open("beanline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := chain.ParseMap(f, "beanline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g, err := chain.Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	gather := newGatherer(g)
	shared := 0
	for _, o := range m.Organisations {
		if g.Rank(o.ID) < 1 {
			continue
		}
		got := gather.of(o.ID)
		if got.Facts[Concentration].Value == 3 {
			shared++
		}
		if a := Assess(got.Facts, got.Circumstances); !a.Tier.Valid() {
			t.Errorf("%s has no tier", o.Name)
		}
	}
	if shared == 0 {
		t.Error("no supplier is seen to stand behind others")
	}
}
