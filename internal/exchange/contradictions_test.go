package exchange

import (
	"encoding/json"
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// A partner that signs another entry under a number that it has used puts its feed into
// quarantine, and both entries are there to be seen; only what it did not sign is not.
func TestContradictions(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		_, _, err := supplier.Say(ctx, supplier.owner, NewStatement{Kind: entente.EntryPractice, Title: "Backups", Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{"of":"monday"}`)})
		ok(t, err)
		settle(supplier, buyer)
		none, err := buyer.Contradictions(ctx, buyer.owner, supplier.party())
		ok(t, err)
		if len(none) != 0 {
			t.Fatalf("before: %+v", none)
		}
		from, to := supplier.party(), buyer.party()
		var other entente.Envelope
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
			_, signer, err := supplier.mine(ctx, tx, supplier.org)
			if err != nil {
				return err
			}
			e := entente.FeedState{From: from, To: to}.Next(supplier.Service.now())
			e.Kind, e.Subject, e.Marking, e.Body = entente.EntryPractice, "practice/other", entente.Marking{TLP: entente.TLPGreen}, json.RawMessage(`{"of":"tuesday"}`)
			other, err = entente.SignEntry(e, signer)
			return err
		}))
		_, err = buyer.Take(ctx, supplier.party(), buyer.party(), []entente.Envelope{other})
		ok(t, err)
		got, err := buyer.Contradictions(ctx, buyer.owner, supplier.party())
		ok(t, err)
		if len(got) != 1 {
			t.Fatalf("contradictions: %+v", got)
		}
		c := got[0]
		if c.Way != In || c.First.Number != 1 || c.Second.Number != 1 || c.First.Hash == c.Second.Hash || c.Second.Hash != entente.HashOf(other.Payload) || c.Second.Subject != "practice/other" || c.First.Key == "" || c.First.Key != c.Second.Key {
			t.Errorf("the contradiction: %+v", c)
		}
		if buyer.knows(supplier).In.Quarantine.Blank() {
			t.Error("the feed is not in quarantine")
		}
		_, err = buyer.Contradictions(ctx, buyer.as(entente.RoleContact), supplier.party())
		wants(t, entente.KindDenied, err)
		_, err = supplier.Contradictions(ctx, supplier.owner, supplier.party())
		wants(t, entente.KindNotFound, err)
	})
}

// A browser that opens a link of this node gets the whole ticket of it, and another
// link nothing.
func TestShown(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		made, _, err := buyer.Invite(t.Context(), buyer.owner, NewInvitation{Name: "Rosthof", Terms: StandardTerms(true, false, buyer.Service.now())})
		ok(t, err)
		ticket, offer, err := buyer.Shown(t.Context(), made.Party, made.Secret)
		ok(t, err)
		if ticket.Link() != made.Link() || offer.Name != "Rosthof" {
			t.Errorf("shown: %+v", ticket)
		}
		_, _, err = buyer.Shown(t.Context(), made.Party, "another")
		wants(t, entente.KindNotFound, err)
	})
}

// Organisations of one node become partners also where the node has no address that
// others could call.
func TestPartnersOfAClosedNode(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	h.c.AllowPrivate = false
	buyer, supplier := h.host("Beanline"), h.host("Rosthof")
	become(buyer, supplier)
	if p := supplier.knows(buyer); p.State != Active {
		t.Errorf("partners: %+v", p)
	}
}
