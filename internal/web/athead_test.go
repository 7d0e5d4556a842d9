package web

import (
	"testing"
	"time"

	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/partner"
)

// What was worked out from a room stays when something happens elsewhere, and goes when
// something happens there, among whatever else.
func TestHeadsMoveWithTheirRooms(t *testing.T) {
	n := newNode(t)
	chain, both := n.head(fromChain), n.head(fromChain, fromAdvisories)
	for _, k := range []journal.Kind{identity.EventSignedIn, "advisory.matched", identity.EventSignedIn} {
		n.happen(k, "")
	}
	if now := n.head(fromChain); now != chain {
		t.Errorf("the chain moved from %d to %d, but nothing happened to it", chain, now)
	}
	if now := n.head(fromChain, fromAdvisories); now != both+2 {
		t.Errorf("advisories stand at %d, want %d", now, both+2)
	}
	for _, k := range []journal.Kind{"chain.changed", identity.EventSignedIn, "chain.imported", identity.EventSignedIn} {
		n.happen(k, "")
	}
	if now := n.head(fromChain); now != both+6 {
		t.Errorf("the chain stands at %d, want %d", now, both+6)
	}
}

// Signing in does not make the pages work out anew what they know of chain and
// advisories; a change of the chain does.
func TestAnswersOutliveASignIn(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	s := n.handler.(*Pages).server
	known := func() (*risks, *supplierRows, int) {
		for _, path := range []string{"", "/suppliers", "/advisories", "/products", "/components"} {
			if w := owner.get("/o/beanline" + path); w.Code != 200 {
				t.Fatalf("%s: %d", path, w.Code)
			}
		}
		return s.overviews.get("beanline", n.head(fromChain, fromInventory, fromAdvisories)), s.supplierLists.get("beanline", n.head(fromChain, fromPartners)), len(s.answers.known)
	}
	risks, rows, answers := known()
	n.happen(identity.EventSignedIn, "")
	if r, s, a := known(); r != risks || s != rows || a != answers || r == nil || s == nil || a == 0 {
		t.Errorf("after a sign-in something was worked out anew: %v %v, %d answers instead of %d", r != risks, s != rows, a, answers)
	}
	n.happen("chain.changed", "")
	if r, s, a := known(); r == risks || s == rows || a == answers {
		t.Errorf("after a change of the chain something was not worked out anew: %v %v, %d answers after %d", r == risks, s == rows, a, answers)
	}
}

// The list of suppliers is made anew when the first tier set by hand ends.
func TestTiersSetByHandEndInTheList(t *testing.T) {
	soon, later := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	set := func(until time.Time, inForce bool) partner.Standing {
		return partner.Standing{Override: &partner.Override{Until: until}, Overridden: inForce}
	}
	for _, c := range []struct {
		standings []partner.Standing
		want      time.Time
	}{
		{nil, time.Time{}}, {[]partner.Standing{{}}, time.Time{}},
		{[]partner.Standing{set(later, true), {}, set(soon, true)}, soon},
		{[]partner.Standing{set(later, true), set(time.Now().Add(-time.Hour), false)}, later},
	} {
		if got := firstEnd(c.standings); !got.Equal(c.want) {
			t.Errorf("%v: ends %v, want %v", c.standings, got, c.want)
		}
	}
	for ends, over := range map[time.Time]bool{{}: false, soon: false, time.Now().Add(-time.Second): true} {
		if (&supplierRows{ends: ends}).over() != over {
			t.Errorf("rows that end %v: over is not %v", ends, over)
		}
	}
}
