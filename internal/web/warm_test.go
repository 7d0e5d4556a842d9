package web

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
)

// head is the last event of some rooms in Beanline's journal, as the pages know it.
func (n *node) head(rooms ...string) int64 {
	n.t.Helper()
	head, err := n.handler.(*Pages).server.headOf(n.t.Context(), "beanline", rooms...)
	must(n.t, err)
	return head
}

// A changed chain is ready before anybody visits, and Run ends with its context.
func TestChangesAreMadeReady(t *testing.T) {
	n := newNode(t)
	pages := n.handler.(*Pages)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- pages.Run(ctx) }()
	system := entente.System("beanline", entente.DoorCommand)
	awaitReady := func(suppliers int) {
		t.Helper()
		for until := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if ready := pages.server.supplierLists.get("beanline", n.head(fromChain, fromPartners)); ready != nil && len(ready.rows) == suppliers {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("%d suppliers were not made ready", suppliers)
			}
		}
	}
	for _, suppliers := range []int{30, 20} {
		_, err := n.Chain.Import(t.Context(), system, wideMap(suppliers, 5))
		must(t, err)
		awaitReady(suppliers)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// What stands on Home is made ready again after a change if somebody has looked at it,
// and not otherwise.
func TestRisksAreMadeReadyForThoseWhoLook(t *testing.T) {
	n := newNode(t)
	n.tell()
	s := n.handler.(*Pages).server
	ready := func() *risks {
		return s.overviews.get("beanline", n.head(fromChain, fromInventory, fromAdvisories))
	}
	made := map[entente.OrgID]int64{}
	s.warm(t.Context(), "beanline", made)
	if ready() != nil {
		t.Error("made ready, but nobody has looked")
	}
	if w := n.as("owner@beanline.example").get("/o/beanline"); w.Code != 200 {
		t.Fatal(w.Code)
	}
	for _, want := range []bool{true, false} {
		n.happen("chain.changed", "")
		s.warm(t.Context(), "beanline", made)
		if (ready() != nil) != want {
			t.Errorf("made ready: %v, want %v", !want, want)
		}
	}
}

// The list tells what each supplier's outage stops, also beyond those whose outages
// are kept in full.
func TestEverySupplierHasItsToll(t *testing.T) {
	n := newNode(t)
	_, err := n.Chain.Import(t.Context(), entente.System("beanline", entente.DoorCommand), wideMap(2500, 1500))
	must(t, err)
	g, err := n.Chain.Graph(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	c := g.Concentration()
	if c.MoreDependences == 0 || len(c.Tolls) != len(c.Dependences)+c.MoreDependences {
		t.Fatalf("%d tolls of %d and %d more dependences", len(c.Tolls), len(c.Dependences), c.MoreDependences)
	}
	body := n.as("owner@beanline.example").get("/o/beanline/suppliers?stops=yes&sort=-stops&rows=25").Body.String()
	if strings.Contains(body, "No process stops") || !strings.Contains(body, "1 process stops") && !strings.Contains(body, "1 critical process stops") {
		t.Error("the suppliers that stop the least are not told with what they stop")
	}
}
