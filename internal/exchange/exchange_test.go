package exchange

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// Two organisations become partners, compare their words, say something, take it back
// and see that the other side has acknowledged it.
func TestPartnership(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		ticket, inv, err := buyer.Invite(ctx, buyer.owner, NewInvitation{Name: "Rösthof", KnownAs: "rosthof", Terms: StandardTerms(true, false, buyer.Service.now())})
		ok(t, err)
		_, offer, err := supplier.Look(ctx, supplier.owner, ticket.Link())
		ok(t, err)
		if offer.Document.Name != "Beanline" || !offer.Terms.Buys || offer.Name != "Rösthof" {
			t.Errorf("the offer: %+v", offer)
		}
		p, err := supplier.Accept(ctx, supplier.owner, ticket.Link(), []entente.Contact{{Name: "Security desk", Email: "security@rosthof.example"}}, "")
		ok(t, err)
		if p.Party != buyer.party() || !p.Buys() || p.Supplies() || p.State != Active {
			t.Errorf("the supplier knows %+v", p)
		}
		q := buyer.knows(supplier)
		if !q.Supplies() || q.KnownAs != "rosthof" || len(q.Contacts) != 1 || !slices.Equal(q.Fingerprint(), mustSelf(supplier).Fingerprint()) {
			t.Errorf("the buyer knows %+v", q)
		}
		// Once only; but whoever did not hear the answer may ask again.
		if again, err := supplier.Accept(ctx, supplier.owner, ticket.Link(), nil, ""); err != nil || again.Party != p.Party {
			t.Errorf("accepted again: %v", err)
		}
		list, err := buyer.Invitations(ctx, buyer.owner)
		ok(t, err)
		if len(list) != 1 || list[0].State != InvitationAccepted || list[0].Party != supplier.party() || list[0].ID != inv.ID {
			t.Errorf("invitations: %+v", list)
		}
		ok(t, buyer.Compared(ctx, buyer.owner, supplier.party(), q.Ring.Current().Public.ID()))
		if buyer.knows(supplier).Compared.IsZero() {
			t.Error("the comparison is not kept")
		}

		id, lines, err := supplier.Say(ctx, supplier.owner, NewStatement{
			Kind: entente.EntryAdvisory, Subject: "advisory/ROST-1", Title: "Roaster firmware", Marking: entente.Marking{TLP: entente.TLPAmber},
			Body: json.RawMessage(`{"id":"ROST-1"}`), To: []entente.PartyID{buyer.party()},
		})
		ok(t, err)
		if len(lines) != 1 || !lines[0].Allowed || lines[0].Number == 0 {
			t.Fatalf("who gets it: %+v", lines)
		}
		settle(supplier, buyer)
		got, err := buyer.Inbox(ctx, buyer.owner, InboxQuery{})
		ok(t, err)
		if len(got) != 1 || got[0].Subject != "advisory/ROST-1" || string(got[0].Body) != `{"id":"ROST-1"}` || got[0].Party != supplier.party() {
			t.Fatalf("received: %+v", got)
		}
		ok(t, buyer.Acknowledge(ctx, buyer.owner, got[0].Party, got[0].Number))
		settle(buyer, supplier)
		_, lines, err = supplier.Statement(ctx, supplier.owner, id)
		ok(t, err)
		if l := lines[0]; l.Delivered.IsZero() || l.Read.IsZero() || l.Answered.IsZero() || l.Agreement != 1 {
			t.Errorf("the ledger: %+v", l)
		}

		ok(t, supplier.Recall(ctx, supplier.owner, id, "it was the wrong file"))
		_, lines, err = supplier.Statement(ctx, supplier.owner, id)
		ok(t, err)
		if lines[0].Recall == 0 || !lines[0].Acked.IsZero() {
			t.Errorf("before the partner has acknowledged: %+v", lines[0])
		}
		settle(supplier, buyer, supplier)
		_, lines, err = supplier.Statement(ctx, supplier.owner, id)
		ok(t, err)
		if lines[0].Acked.IsZero() {
			t.Error("the recall is not acknowledged")
		}
		got, err = buyer.Inbox(ctx, buyer.owner, InboxQuery{})
		ok(t, err)
		if len(got) != 1 || got[0].State != Recalled || len(got[0].Body) > 0 {
			t.Errorf("after the recall: %+v", got)
		}

		ok(t, buyer.End(ctx, buyer.owner, supplier.party(), "the contract has ended"))
		settle(buyer, supplier)
		if p := supplier.knows(buyer); p.State != Ended || p.EndedBy != buyer.party() || p.EndedWhy != "the contract has ended" {
			t.Errorf("the supplier knows of the end: %+v", p)
		}
		_, _, err = supplier.Say(ctx, supplier.owner, NewStatement{Kind: entente.EntryPractice, Title: "Backups", Marking: entente.Marking{TLP: entente.TLPClear}, Body: json.RawMessage(`{}`)})
		wants(t, entente.KindDenied, err)
	})
}

func mustSelf(s someone) Self {
	s.t.Helper()
	self, err := s.Self(s.t.Context(), s.owner)
	ok(s.t, err)
	return self
}

// New keys are told, believed, and used; the old ones prove nothing new.
func TestRotation(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		before := buyer.knows(supplier)
		ok(t, buyer.Compared(ctx, buyer.owner, supplier.party(), before.Ring.Current().Public.ID()))
		_, _, err := supplier.Say(ctx, supplier.owner, NewStatement{Kind: entente.EntryPractice, Title: "Backups", Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{}`)})
		ok(t, err)
		ok(t, supplier.Rotate(ctx, supplier.owner, "the laptop was stolen", true))
		settle(supplier, buyer)
		after := buyer.knows(supplier)
		if len(after.Ring.Keys) != 2 || after.Ring.Keys[0].Revoked.IsZero() || after.Party != before.Party {
			t.Fatalf("the keys after: %+v", after.Ring)
		}
		if !after.Compared.IsZero() {
			t.Error("the words of the new key were never compared")
		}
		if after.In.Number != 2 {
			t.Errorf("the feed stands at %d", after.In.Number)
		}
	})
}

// Terms change only when both have signed.
func TestAgreementChanges(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		ok(t, buyer.Propose(ctx, buyer.owner, supplier.party(), func(a *entente.Agreement) { a.AnswerConcern = 24 }))
		settle(buyer, supplier)
		versions, err := supplier.Versions(ctx, supplier.owner, buyer.party())
		ok(t, err)
		if len(versions) != 2 || versions[0].State != VersionProposed || supplier.knows(buyer).Agreement.AnswerConcern != 120 {
			t.Fatalf("versions: %+v", versions)
		}
		hash := entente.HashOf(versions[0].Envelope.Payload)
		wants(t, entente.KindConflict, buyer.Sign(ctx, buyer.owner, supplier.party(), hash))
		ok(t, supplier.Sign(ctx, supplier.owner, buyer.party(), hash))
		settle(supplier, buyer)
		for _, p := range []Partner{buyer.knows(supplier), supplier.knows(buyer)} {
			if p.Agreement.AnswerConcern != 24 || p.Agreement.Number != 2 {
				t.Errorf("%s: %+v", p.Name, p.Agreement)
			}
		}
		ok(t, supplier.Propose(ctx, supplier.owner, buyer.party(), func(a *entente.Agreement) { a.AnswerConcern = 500 }))
		settle(supplier, buyer)
		versions, err = buyer.Versions(ctx, buyer.owner, supplier.party())
		ok(t, err)
		ok(t, buyer.Refuse(ctx, buyer.owner, supplier.party(), entente.HashOf(versions[0].Envelope.Payload), "too long"))
		settle(buyer, supplier)
		versions, err = supplier.Versions(ctx, supplier.owner, buyer.party())
		ok(t, err)
		if versions[0].State != VersionRefused || versions[0].Why != "too long" || supplier.knows(buyer).Agreement.AnswerConcern != 24 {
			t.Errorf("after the refusal: %+v", versions[0])
		}
	})
}

// Another organisation's partner is nobody's business, also on the same node.
func TestPartnersOfOthers(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		become(buyer, supplier)
		_, err := supplier.Partner(t.Context(), supplier.owner, supplier.party())
		wants(t, entente.KindNotFound, err)
	})
}

// A node that is reached elsewhere tells its partners; nobody else can.
func TestMove(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		before := buyer.server.URL
		moved := newHouse(t, buyer.db) // the same node at another address
		buyer.house.server.Close()
		buyer.house = moved
		ok(t, buyer.TellAddress(ctx))
		ok(t, buyer.work())
		ok(t, buyer.TellAddress(ctx)) // once is enough
		p := supplier.knows(buyer)
		if p.Address != moved.server.URL || p.Address == before || p.In.Number != 1 {
			t.Fatalf("the partner knows %s (%d entries), it is %s", p.Address, p.In.Number, moved.server.URL)
		}
		_, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		ok(t, supplier.work())
		if got := buyer.knows(supplier).In.Number; got != 1 {
			t.Errorf("at the new address %d entries arrived: %s", got, supplier.knows(buyer).Out.Error)
		}
		// Who has only the keys of somebody, as everybody may, cannot rename or move them.
		forged := mustSelf(buyer).Document
		forged.Name, forged.Address = "Mallory", "https://mallory.example"
		ok(t, supplier.takeHead(ctx, supplier.org, buyer.party(), fileHead{Document: forged}))
		if p := supplier.knows(buyer); p.Name != "Beanline" || p.Address != moved.server.URL {
			t.Errorf("after a forged document: %s at %s", p.Name, p.Address)
		}
	})
}

// A guest moves to a node of its own with key, history, files and partnerships; its
// partners are told, and the seat it left says nothing any more.
func TestMoveOfASeat(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			h := newHouse(t, open(t))
			buyer, guest := h.host("Beanline"), h.host("Rosthof")
			become(buyer, guest)
			b, err := guest.PutBlob(ctx, guest.owner, "a.txt", "text/plain", strings.NewReader("beans"))
			ok(t, err)
			s := practice(1)
			s.Blobs = []entente.Blob{b}
			id, _, err := guest.Say(ctx, guest.owner, s)
			ok(t, err)
			short := practice(5)
			short.Marking.Expires = buyer.Service.now().Add(time.Hour)
			_, _, err = buyer.Say(ctx, buyer.owner, short)
			ok(t, err)
			settle(guest, buyer)
			party := guest.party()
			const passphrase = "nineteen grey herons"
			var file bytes.Buffer
			wants(t, entente.KindInvalid, guest.MoveOut(ctx, guest.owner, "short", &file))
			ok(t, guest.MoveOut(ctx, guest.owner, passphrase, &file))
			_, _, err = guest.Say(ctx, guest.owner, practice(2))
			wants(t, entente.KindConflict, err)

			own := newHouse(t, open(t)).host("Rösthof AG")
			wants(t, entente.KindInvalid, own.MoveIn(ctx, own.owner, "another passphrase", bytes.NewReader(file.Bytes())))
			wants(t, entente.KindInvalid, own.MoveIn(ctx, own.owner, passphrase, bytes.NewReader(file.Bytes()[:file.Len()-200])))
			wants(t, entente.KindInvalid, own.MoveIn(ctx, own.owner, passphrase, strings.NewReader("hello")))
			ok(t, own.MoveIn(ctx, own.owner, passphrase, bytes.NewReader(file.Bytes())))
			if own.party() != party {
				t.Fatalf("it is %s now, and was %s", own.party(), party)
			}
			settle(own, buyer)
			p, err := buyer.Partner(ctx, buyer.owner, party)
			ok(t, err)
			if p.Address != own.server.URL || p.In.Number != 2 {
				t.Errorf("the partner knows it at %s with %d entries: %s", p.Address, p.In.Number, own.knows(buyer).Out.Error)
			}
			_, _, err = own.Say(ctx, own.owner, practice(3))
			ok(t, err)
			_, _, err = buyer.Say(ctx, buyer.owner, practice(4))
			ok(t, err)
			settle(own, buyer)
			if in := own.knows(buyer).In; in.Number != 2 {
				t.Errorf("from the partner %d entries arrived: %s", in.Number, buyer.knows(own).Out.Error)
			}
			if p, err = buyer.Partner(ctx, buyer.owner, party); err != nil || p.In.Number != 3 || !p.In.Quarantine.Blank() {
				t.Errorf("the feed goes on at %d %v %v", p.In.Number, p.In.Quarantine, err)
			}
			_, lines, err := own.Statement(ctx, own.owner, id)
			ok(t, err)
			if len(lines) != 1 || lines[0].Delivered.IsZero() {
				t.Errorf("the ledger after the move: %+v", lines)
			}
			_, err = own.VerifyFeeds(ctx, own.owner)
			ok(t, err)
			if r, _, err := own.Blob(ctx, own.owner, b.Hash); err != nil {
				t.Error(err)
			} else if got, err := io.ReadAll(r); err != nil || string(got) != "beans" {
				t.Errorf("the file after the move: %q %v", got, err)
			}
			// What was given for a time goes on the new node too.
			own.later(2 * time.Hour)
			ok(t, own.db.Write(ctx, own.org, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, "UPDATE journal_job SET wake_at = 1 WHERE org = $1 AND kind = 'exchange.expire'", own.org)
				return err
			}))
			ok(t, own.work())
			if gone, err := own.Inbox(ctx, own.owner, InboxQuery{State: InboxExpired}); err != nil || len(gone) != 1 || gone[0].State != Expired || !gone[0].Ended.Equal(gone[0].Marking.Expires) {
				t.Errorf("what expired after the move: %+v %v", gone, err)
			}
		})
	}
}
