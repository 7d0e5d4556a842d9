package identity

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entente-project/entente"
)

func TestInvitations(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.as("ada@beanline.example", "beanline")
		h.member("Lee", "lee@beanline.example", entente.RoleSecurityLead)
		lee := h.as("lee@beanline.example", "beanline")

		_, _, err := h.Invite(h.ctx, lee, NewInvitation{Email: "x@y.example", Role: entente.RoleOwner})
		h.want(entente.KindDenied, err)
		_, err = h.Invitations(h.ctx, lee)
		h.want(entente.KindDenied, err)
		for _, c := range []struct {
			n     NewInvitation
			kind  entente.Kind
			words string
		}{
			{NewInvitation{Email: "nobody", Role: entente.RoleAuditor}, entente.KindInvalid, "e-mail"},
			{NewInvitation{Email: "x@y.example", Role: "king"}, entente.KindInvalid, "role"},
			{NewInvitation{Email: "x@y.example", Role: entente.RoleAuditor, Scope: []string{"a"}}, entente.KindInvalid, "scope"},
			{NewInvitation{Email: "x@y.example", Role: entente.RoleAuditor, Life: 60 * 24 * time.Hour}, entente.KindInvalid, "30 days"},
			{NewInvitation{Email: "Lee@beanline.example", Role: entente.RoleAuditor}, entente.KindConflict, "member already"},
		} {
			_, _, err := h.Invite(h.ctx, ada, c.n)
			h.want(c.kind, err, c.words)
		}

		former, _, err := h.Invite(h.ctx, ada, NewInvitation{Email: "au@audit.example", Role: entente.RoleAuditor})
		h.ok(err)
		secret, inv, err := h.Invite(h.ctx, ada, NewInvitation{Email: "Au@audit.example", Name: "Au Ditor", Role: entente.RoleAuditor})
		h.ok(err)
		_, err = h.Offer(h.ctx, former)
		h.want(entente.KindConflict, err, "withdrawn", "Ada Lovelace")
		offer, err := h.Offer(h.ctx, secret)
		h.ok(err)
		if offer.OrgName != "Beanline" || offer.Role != entente.RoleAuditor || offer.InvitedBy != "Ada Lovelace" || offer.HasAccount || offer.Email != "au@audit.example" {
			t.Errorf("offer %+v", offer)
		}
		for _, bad := range []string{"", "inv_", secret + "x", strings.Replace(secret, "beanline", "roest", 1), secret[:len(secret)-43] + newSecretShape, "ent_" + secret[4:]} {
			_, err := h.Offer(h.ctx, bad)
			h.want(entente.KindNotFound, err, "no invitation")
			_, err = h.AcceptInvitation(h.ctx, bad, Session{})
			h.want(entente.KindNotFound, err)
			_, _, err = h.AcceptInvitationAsNew(h.ctx, bad, "Au", good, desk)
			h.want(entente.KindNotFound, err)
		}

		_, _, err = h.AcceptInvitationAsNew(h.ctx, secret, "", good, desk)
		h.want(entente.KindInvalid, err)
		_, _, err = h.AcceptInvitationAsNew(h.ctx, secret, "Au Ditor", "short", desk)
		h.want(entente.KindInvalid, err)
		token, session, err := h.AcceptInvitationAsNew(h.ctx, secret, "Au Ditor", good, desk)
		h.ok(err)
		if len(session.Memberships) != 1 || session.Memberships[0].Role != entente.RoleAuditor || session.Person.Email != "au@audit.example" {
			t.Errorf("session %+v", session)
		}
		_, _, err = h.Authenticate(h.ctx, token)
		h.ok(err)
		_, _, err = h.AcceptInvitationAsNew(h.ctx, secret, "Au Ditor", good, desk)
		h.want(entente.KindConflict, err, "accepted on 2 November 2026")
		h.want(entente.KindNotFound, h.WithdrawInvitation(h.ctx, ada, inv.ID))
		h.signIn("au@audit.example")

		// Somebody with an account: only its person can accept, signed in.
		secret, inv, err = h.Invite(h.ctx, ada, NewInvitation{Email: "rosa@roest.example", Role: entente.RoleContact, Scope: []string{"roest"}})
		h.ok(err)
		if offer, err := h.Offer(h.ctx, secret); err != nil || !offer.HasAccount {
			t.Errorf("%+v, %v", offer, err)
		}
		_, _, err = h.AcceptInvitationAsNew(h.ctx, secret, "Mallory", good, desk)
		h.want(entente.KindConflict, err, "sign in")
		_, err = h.AcceptInvitation(h.ctx, secret, session)
		h.want(entente.KindDenied, err, "rosa@roest.example")
		_, err = h.AcceptInvitation(h.ctx, secret, Session{})
		h.want(entente.KindDenied, err)
		_, rosa := h.signIn("rosa@roest.example")
		org, err := h.AcceptInvitation(h.ctx, secret, rosa)
		h.ok(err)
		guest := h.as("rosa@roest.example", org)
		if guest.Role != entente.RoleContact || len(guest.Scope) != 1 {
			t.Errorf("guest %+v", guest)
		}

		secret, inv, err = h.Invite(h.ctx, ada, NewInvitation{Email: "late@x.example", Role: entente.RoleAnalyst, Life: time.Hour})
		h.ok(err)
		roest := h.as("rosa@roest.example", "roest")
		h.want(entente.KindNotFound, h.WithdrawInvitation(h.ctx, roest, inv.ID))
		h.pass(time.Hour)
		_, _, err = h.AcceptInvitationAsNew(h.ctx, secret, "Late", good, desk)
		h.want(entente.KindConflict, err, "expired on 2 November 2026", "Ada Lovelace")
		secret, inv, err = h.Invite(h.ctx, ada, NewInvitation{Email: "late@x.example", Role: entente.RoleAnalyst})
		h.ok(err)
		h.want(entente.KindDenied, h.WithdrawInvitation(h.ctx, lee, inv.ID))
		h.ok(h.WithdrawInvitation(h.ctx, ada, inv.ID))
		_, _, err = h.AcceptInvitationAsNew(h.ctx, secret, "Late", good, desk)
		h.want(entente.KindConflict, err, "withdrawn")

		list, err := h.Invitations(h.ctx, ada)
		h.ok(err)
		if len(list) != 5 || list[0].Outcome != InvitationWithdrawn {
			t.Errorf("invitations %+v", list)
		}
		if e := h.events("beanline", EventInvitationMade, EventInvitationAccepted, EventInvitationWithdrawn); len(e) != 9 {
			t.Errorf("%d events", len(e))
		}
		for _, e := range h.events("beanline") {
			if strings.Contains(string(e.Body), secret[len(secret)-43:]) {
				t.Error("a secret is in the journal")
			}
		}
	})
}

// Two people with the same link: one account comes of it.
func TestInvitationIsAcceptedOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		secret, _, err := h.Invite(h.ctx, h.as("ada@beanline.example", "beanline"), NewInvitation{Email: "au@audit.example", Role: entente.RoleAuditor})
		h.ok(err)
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() { _, _, errs[i] = h.AcceptInvitationAsNew(h.ctx, secret, "Au Ditor", good, desk) })
		}
		wg.Wait()
		accepted := 0
		for _, err := range errs {
			if err == nil {
				accepted++
			} else if entente.KindOf(err) != entente.KindConflict {
				t.Error(err)
			}
		}
		if accepted != 1 {
			t.Errorf("accepted %d times", accepted)
		}
	})
}
