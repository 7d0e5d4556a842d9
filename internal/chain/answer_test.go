package chain

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
)

const day = 24 * time.Hour

func portal(t testing.TB) *Graph {
	t.Helper()
	g, err := Compile(readMap(t, "testdata/portal.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestOutageTellsWhatWhenAndWhy(t *testing.T) {
	g := portal(t)
	o := g.Outage([]NodeID{"nimbus-ops", "nobody", "nimbus-ops"}, OutageOptions{})
	if diff := cmp.Diff([]NodeID{"nimbus-ops"}, o.Down); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]NodeID{"nobody"}, o.Unknown); diff != "" {
		t.Error(diff)
	}
	if len(o.Processes) != 2 {
		t.Fatalf("%d processes stop", len(o.Processes))
	}
	p := o.Processes[0]
	if p.ID != "bean-procurement" || p.Fails != 36*time.Hour || p.RTOAt != 60*time.Hour || p.MTPDAt != 4*day+12*time.Hour {
		t.Errorf("%s fails after %v, exceeds its RTO after %v and its MTPD after %v", p.ID, p.Fails, p.RTOAt, p.MTPDAt)
	}
	want := "Bean procurement stops after 36 h: it needs its activity Order beans, which needs Procurement portal, " +
		"which needs Cloud hosting (buffer 24 h: cached catalogue), which needs Data hall (buffer 12 h: diesel), " +
		"which is supplied by Nimbus Operations, which is down."
	if got := p.Path().Words(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var calls []string
	for _, c := range p.Path().Call {
		calls = append(calls, c.Name+" "+c.Because.String())
	}
	wantCalls := []string{"Rösthof AS operates Procurement portal", "Nimbus Hosting supplies Cloud hosting", "Nimbus Operations supplies Data hall"}
	if diff := cmp.Diff(wantCalls, calls); diff != "" {
		t.Error(diff)
	}
	if got := p.Path().Call[1].Contacts; len(got) != 1 || got[0].Name != "Operations centre" || p.Path().Call[1].Rank != 2 {
		t.Errorf("whom to call at Nimbus: %v", got)
	}
	second := o.Processes[1]
	if second.ID != "bean-distribution" || second.Fails != 36*time.Hour+6*day || second.MTPDAt != Never || second.RTOAt != second.Fails+8*time.Hour {
		t.Errorf("%+v", second)
	}
	if got := o.CostAt(36*time.Hour + 40*time.Hour); got != 36*500+4*2000 {
		t.Errorf("the cost is %d", got)
	}
	ids := func(at time.Duration) []NodeID {
		var all []NodeID
		for _, s := range o.Stopped(at) {
			all = append(all, s.ID)
		}
		return all
	}
	if diff := cmp.Diff([]NodeID{"nimbus-ops", "data-hall"}, ids(11*time.Hour)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]NodeID{"nimbus-ops", "data-hall", "hosting"}, ids(12*time.Hour)); diff != "" {
		t.Error(diff)
	}
	if got := g.Outage([]NodeID{"bean-procurement"}, OutageOptions{}).Processes[0].Path().Words(); got != "Bean procurement is down." {
		t.Error(got)
	}
}

func TestOutageWithAlternatives(t *testing.T) {
	g := portal(t)
	if o := g.Outage([]NodeID{"mercado"}, OutageOptions{}); len(o.Processes) != 0 {
		t.Errorf("one of two sellers stops %v", o.Processes)
	}
	o := g.Outage([]NodeID{"mercado", "green-beans"}, OutageOptions{})
	want := "Bean procurement stops after 5 days: it needs its activity Order beans, which needs Beans from the spot market " +
		"(buffer 5 days: stock in the warehouse; no way around it: Green beans, normal stopped too), which is supplied by Mercado Spot, which is down."
	if got := o.Processes[0].Path().Words(); got != want || o.Processes[0].Fails != 5*day {
		t.Errorf("after %v: %s", o.Processes[0].Fails, got)
	}
}

func TestOutageThatEnds(t *testing.T) {
	g := portal(t)
	o := g.Outage([]NodeID{"portal"}, OutageOptions{Restored: 2 * day})
	p := o.Processes[0]
	if p.Fails != 0 || p.RTOAt != day || p.MTPDAt != Never || len(o.Processes) != 1 {
		t.Errorf("%+v", o.Processes)
	}
	if got, want := p.CostAt(10*day), int64(36*500+12*2000); got != want || o.CostAt(10*day) != want {
		t.Errorf("the cost is %d, not %d", got, want)
	}
	if o := g.Outage([]NodeID{"nimbus-ops"}, OutageOptions{Restored: 36 * time.Hour}); len(o.Processes) != 0 {
		t.Error("a buffer that lasts until the end of the outage does not help")
	}
	o = g.Outage([]NodeID{"portal"}, OutageOptions{Horizon: day})
	if p := o.Processes[0]; p.RTOAt != day || p.MTPDAt != Never {
		t.Errorf("%+v", p)
	}
}

func TestCycles(t *testing.T) {
	m := &Map{Own: "own", Currency: "EUR", Organisations: []Organisation{{ID: "own", Name: "Own"}}, Systems: []System{
		{ID: "a", Name: "A", Needs: []Need{{Any: []NodeID{"b"}, Buffer: time.Hour}}},
		{ID: "b", Name: "B", Needs: []Need{{Any: []NodeID{"c"}}}},
		{ID: "c", Name: "C", Needs: []Need{{Any: []NodeID{"a", "d"}}}},
		{ID: "d", Name: "D"},
	}}
	g, err := Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	if o := g.Outage([]NodeID{"d"}, OutageOptions{}); o.Len() != 1 {
		t.Error("things that need each other in a circle do not keep each other up")
	}
	o := g.Outage([]NodeID{"b"}, OutageOptions{})
	if o.Fails("a") != time.Hour || o.Fails("c") != Never {
		t.Errorf("a fails after %v, c after %v", o.Fails("a"), o.Fails("c"))
	}
	if o := g.Outage([]NodeID{"b", "d"}, OutageOptions{}); o.Fails("c") != time.Hour {
		t.Errorf("c fails after %v", o.Fails("c"))
	}
}

func TestWrittenNeedReplacesTheImpliedOne(t *testing.T) {
	m := &Map{Own: "own", Currency: "EUR", Organisations: []Organisation{{ID: "own", Name: "Own"}, {ID: "them", Name: "Them"}, {ID: "others", Name: "Others"}}, Systems: []System{
		{ID: "plain", Name: "Plain", Operator: "them"},
		{ID: "buffered", Name: "Buffered", Operator: "them", Needs: []Need{{Any: []NodeID{"them"}, Buffer: 5 * day}}},
		{ID: "doubled", Name: "Doubled", Operator: "them", Needs: []Need{{Any: []NodeID{"others", "them"}}}},
	}}
	g, err := Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	o := g.Outage([]NodeID{"them"}, OutageOptions{})
	for id, want := range map[NodeID]time.Duration{"plain": 0, "buffered": 5 * day, "doubled": Never} {
		if got := o.Fails(id); got != want {
			t.Errorf("%s fails after %v instead of %v", id, got, want)
		}
	}
}

func TestCost(t *testing.T) {
	bia := BIA{Cost: []CostRate{{From: 2 * time.Hour, PerHour: 90}, {From: 4 * time.Hour, PerHour: 1000}}}
	for since, want := range map[time.Duration]int64{
		-time.Hour: 0, 0: 0, 2 * time.Hour: 0, 2*time.Hour + 20*time.Minute: 30, 4 * time.Hour: 180, 6 * time.Hour: 2180, 4*time.Hour + 90*time.Minute: 1680,
	} {
		if got := Cost(bia, since); got != want {
			t.Errorf("after %v: %d instead of %d", since, got, want)
		}
	}
	most := BIA{Cost: []CostRate{{PerHour: maxPerHour}}}
	if got := Cost(most, Never); got <= 0 {
		t.Errorf("the cost runs over: %d", got)
	}
}

func TestCompromiseTellsTheWay(t *testing.T) {
	g := portal(t)
	c := g.Compromise([]Source{{Node: "portal-app", Why: "CVE-2021-44228 affects log4j-core 2.14.1 in Portal application"}, {Node: "nobody"}})
	if diff := cmp.Diff([]NodeID{"nobody"}, c.Unknown); diff != "" {
		t.Error(diff)
	}
	if len(c.Processes) != 1 {
		t.Fatalf("%d processes are reached", len(c.Processes))
	}
	p := c.Processes[0]
	want := "CVE-2021-44228 affects log4j-core 2.14.1 in Portal application: Procurement portal runs Portal application; " +
		"Order beans needs Procurement portal; Order beans is a step of Bean procurement"
	if got := p.Way().Words(); got != want || p.Sure != Likely || p.Criticality != Critical || p.Hops != 3 {
		t.Errorf("%v in %d hops:\ngot  %s\nwant %s", p.Sure, p.Hops, got, want)
	}
	var calls []string
	for _, call := range p.Way().Call {
		calls = append(calls, call.Name+" "+call.Because.String())
	}
	if diff := cmp.Diff([]string{"OpenLog project makes Portal application", "Rösthof AS operates Procurement portal"}, calls); diff != "" {
		t.Error(diff)
	}
	wantData := []DataReached{
		{Class: ClassPersonal, Sure: Certain, Where: []NodeID{"portal"}},
		{Class: ClassConfidential, Sure: Certain, Where: []NodeID{"portal"}},
		{Class: ClassInternal, Sure: Certain, Where: []NodeID{"warehouse", "stock-levels"}},
	}
	if diff := cmp.Diff(wantData, c.Data); diff != "" {
		t.Error(diff)
	}
	if r, ok := c.Find("warehouse"); !ok || r.Sure != Possible || r.Way().Hops[1].Words() != "Procurement portal sends stock levels (internal) to Warehouse inventory over REST API" {
		t.Errorf("%+v", r)
	}
}

func TestCompromiseOfASupplierWithAccess(t *testing.T) {
	g := portal(t)
	c := g.Compromise([]Source{{Node: "nimbus", Why: "Nimbus reports an intrusion", Sure: Likely}})
	p := c.Processes[0]
	want := "Nimbus reports an intrusion: Nimbus Hosting supplies Cloud hosting; Nimbus Hosting has privileged access to Procurement portal for Cloud hosting; " +
		"Order beans needs Procurement portal; Order beans is a step of Bean procurement"
	if got := p.Way().Words(); got != want || p.Sure != Likely {
		t.Errorf("%v: %s", p.Sure, got)
	}
	if c := g.Compromise([]Source{{Node: "green-beans"}}); len(c.Processes) != 0 {
		t.Error("a compromise spreads with goods")
	}
	if c := g.Compromise([]Source{{Node: "bean-procurement"}}); len(c.Processes) != 1 || c.Processes[0].Way().Words() != "" {
		t.Error("a compromise spreads from a process to those that need it")
	}
}

func TestSurenessAsText(t *testing.T) {
	for _, s := range []Sureness{Possible, Likely, Certain} {
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Sureness
		if err := json.Unmarshal(raw, &back); err != nil || back != s || string(raw) != `"`+s.String()+`"` {
			t.Errorf("%s: %v, %v", raw, back, err)
		}
	}
	var s Sureness
	if json.Unmarshal([]byte(`"sure"`), &s) == nil {
		t.Error("an unknown word was taken")
	}
}

func TestConcentrationFindsTheHidden(t *testing.T) {
	g := portal(t)
	c := g.Concentration()
	var lines []string
	for _, d := range c.Dependences {
		line := d.Name + ":"
		for _, s := range d.Stops {
			line += " " + string(s.Process) + " after " + FormatDuration(s.Fails)
		}
		lines = append(lines, line)
	}
	want := []string{
		"Rösthof AS: bean-procurement after 0 bean-distribution after 6d",
		"Nimbus Hosting: bean-procurement after 1d bean-distribution after 1w",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	nimbus := c.Dependences[1]
	if diff := cmp.Diff([]NodeID{"nimbus", "nimbus-ops"}, nimbus.Organisations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]NodeID{"hosting", "data-hall"}, nimbus.Supplies); diff != "" {
		t.Error(diff)
	}
	if nimbus.Rank != 2 || entente.And(nimbus.Because).String() != "the domain nimbus.example" || c.Hidden != 1 {
		t.Errorf("rank %d because of %v, %d hidden", nimbus.Rank, nimbus.Because, c.Hidden)
	}
	var points []NodeID
	for _, p := range c.SinglePoints {
		points = append(points, p.ID)
	}
	wantPoints := []NodeID{"rosthof", "portal", "portal-app", "nimbus", "hosting", "nimbus-ops", "data-hall", "bean-procurement"}
	slices.Sort(points)
	slices.Sort(wantPoints)
	if diff := cmp.Diff(wantPoints, points); diff != "" {
		t.Error(diff)
	}
}

func TestHHI(t *testing.T) {
	g := portal(t)
	c := g.Concentration()
	coffee := c.Categories[0]
	if coffee.Category != "green coffee" || !coffee.Direct || !coffee.BySpend || coffee.HHI != 6800 || coffee.Band != BandHigh ||
		math.Abs(coffee.Normalised-0.36) > 1e-9 || coffee.Shares[0].Supplier != "rosthof" || coffee.Shares[0].Percent != 80 {
		t.Errorf("%+v", coffee)
	}
	for _, x := range []struct {
		shares []float64
		index  int
		normal float64
		band   Band
	}{
		{[]float64{1}, 10_000, 1, BandHigh},
		{[]float64{.5, .5}, 5000, 0, BandHigh},
		{[]float64{.2, .2, .2, .2, .2}, 2000, 0, BandHigh},
		{[]float64{.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}, 1000, 0, BandModerate},
		{[]float64{.35, .2, .1, .1, .05, .05, .05, .05, .05}, 1950, 0.094375, BandHigh},
		{[]float64{.3, .2, .15, .1, .1, .05, .05, .05}, 1800, 0.0628571428, BandModerate},
		{slices.Repeat([]float64{.05}, 20), 500, 0, BandLow},
	} {
		var h float64
		for _, s := range x.shares {
			h += s * s
		}
		index, normal, band := hhi(h, len(x.shares))
		if index != x.index || math.Abs(normal-x.normal) > 1e-6 || band != x.band {
			t.Errorf("%v: %d, %f, %s", x.shares, index, normal, band)
		}
	}
}

func TestSharesGoByNumberWhereASpendIsUnknown(t *testing.T) {
	m := readMap(t, "testdata/portal.yaml")
	m.Supplies[1].Spend = 0
	g, err := Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	if c := g.Concentration().Categories[0]; c.BySpend || c.HHI != 5000 {
		t.Errorf("%+v", c)
	}
}

func TestRanks(t *testing.T) {
	g := portal(t)
	for id, want := range map[NodeID]int{
		"beanline": 0, "rosthof": 1, "mercado": 1, "nimbus": 2, "nimbus-ops": 3,
		"openlog": 2, // no supply leads there, but a system of a direct supplier runs its product
		"portal":  UnknownRank,
	} {
		if got := g.Rank(id); got != want {
			t.Errorf("%s has rank %d instead of %d", id, got, want)
		}
	}
}

func TestHangsOn(t *testing.T) {
	g := portal(t)
	var got []NodeID
	for _, h := range g.HangsOn("order-beans") {
		got = append(got, h.ID)
	}
	want := []NodeID{"portal", "green-beans", "spot-market", "hosting", "rosthof", "portal-app", "mercado", "data-hall", "nimbus", "nimbus-ops"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if g.HangsOn("nobody") != nil || len(g.UsedBy("hosting")) != 1 || g.UsedBy("nobody") != nil {
		t.Error("HangsOn or UsedBy of an unknown thing")
	}
}
