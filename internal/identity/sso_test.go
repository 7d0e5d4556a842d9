package identity

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
)

// ssoHouse is a house in which Beanline has single sign-on by a provider.
func ssoHouse(t *testing.T, f func(t *testing.T, h *house, p *idp, ada entente.Actor)) {
	eachHouse(t, func(t *testing.T, h *house) {
		p := newIDP(t, h.now)
		c := h.config()
		c.SSOClient = p.server.Client()
		s, err := New(h.ctx, h.d, c)
		h.ok(err)
		h.Service = s
		ada := h.as("ada@beanline.example", "beanline")
		h.ok(h.SetSSO(h.ctx, ada, SSO{Label: "Beanline account", Issuer: p.server.URL, ClientID: idpClient, Secret: p.secret}))
		f(t, h, p, ada)
	})
}

func (h *house) ssoSignIn(p *idp, fresh bool) (Session, string, error) {
	h.t.Helper()
	address, binding, err := h.BeginSSO(h.ctx, "beanline", "/o/beanline/chain?x=1", fresh, desk)
	h.ok(err)
	_, session, next, err := h.FinishSSO(h.ctx, p.visit(address), binding, desk)
	return session, next, err
}

func lee(h *house) map[string]any {
	return map[string]any{"sub": "lee-1", "email": "Lee@beanline.example", "email_verified": true, "name": "Lee Long", "auth_time": h.now().Unix()}
}

func TestSSO(t *testing.T) {
	ssoHouse(t, func(t *testing.T, h *house, p *idp, ada entente.Actor) {
		h.member("Lee", "lee@beanline.example", entente.RoleAnalyst)
		p.who = lee(h)
		session, next, err := h.ssoSignIn(p, false)
		h.ok(err)
		if session.Person.Email != "lee@beanline.example" || session.Method != BySSO || session.Only != "beanline" || next != "/o/beanline/chain?x=1" || session.Pending {
			t.Errorf("session %+v, next %s", session, next)
		}
		if !session.RecentlyAuthenticated() {
			t.Error("the provider asked just now")
		}
		// Later sign-ins go by the link, whatever the address is then.
		p.who["email"], p.who["email_verified"] = "lee@elsewhere.example", false
		again, _, err := h.ssoSignIn(p, false)
		h.ok(err)
		if again.Person.ID != session.Person.ID {
			t.Error("somebody else")
		}
		// Another account at the provider does not take over the address.
		p.who = lee(h)
		p.who["sub"] = "impostor"
		_, _, err = h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "another account")

		// The session opens this organisation only, and not the account.
		p.who = map[string]any{"sub": "ada-1", "email": "ada@beanline.example", "email_verified": true, "auth_time": h.now().Unix()}
		h.create("second", "Second", "Ada", "ada@beanline.example")
		bySSO, _, err := h.ssoSignIn(p, false)
		h.ok(err)
		if len(bySSO.Memberships) != 1 || bySSO.Memberships[0].Org != "beanline" {
			t.Errorf("memberships %+v", bySSO.Memberships)
		}
		_, err = bySSO.Actor("second", entente.DoorPage)
		h.want(entente.KindNotFound, err)
		h.want(entente.KindDenied, h.ChangeEmail(h.ctx, bySSO, "mine@evil.example"), "single sign-on of one organisation")
		_, err = h.BeginAddPasskey(h.ctx, bySSO, desk)
		h.want(entente.KindDenied, err)
		_, err = h.EnrolTOTP(h.ctx, bySSO)
		h.want(entente.KindDenied, err)
		_, err = h.Sessions(h.ctx, bySSO)
		h.want(entente.KindDenied, err)
		if e := h.events("second", EventSignedIn); len(e) != 0 {
			t.Errorf("the second organisation hears of it: %+v", e)
		}
		if e := h.events("beanline", EventSSOLinked, EventSSOChanged); len(e) != 3 || strings.Contains(string(e[0].Body), p.secret) {
			t.Errorf("events %+v", e)
		}

		// Leaving the organisation ends it.
		h.ok(h.RemoveMember(h.ctx, ada, session.Person.ID))
		p.who = lee(h)
		_, _, err = h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "ask one of its owners")
		if e := h.events("beanline", EventDenied); len(e) == 0 || e[0].Subject != "sso.sign-in" {
			t.Errorf("denials %+v", e)
		}
	})
}

func TestSSOJoins(t *testing.T) {
	ssoHouse(t, func(t *testing.T, h *house, p *idp, ada entente.Actor) {
		p.who = lee(h)
		_, _, err := h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "not a member")
		_, _, err = h.Invite(h.ctx, ada, NewInvitation{Email: "lee@beanline.example", Role: entente.RoleAuditor})
		h.ok(err)
		p.who["email_verified"] = false
		_, _, err = h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "verified")
		p.who["email_verified"] = "true" // as some providers write it
		session, _, err := h.ssoSignIn(p, false)
		h.ok(err)
		if session.Person.Name != "Lee Long" || session.Memberships[0].Role != entente.RoleAuditor {
			t.Errorf("session %+v", session)
		}
		list, err := h.Invitations(h.ctx, ada)
		h.ok(err)
		if list[0].Outcome != InvitationAccepted {
			t.Errorf("invitation %+v", list[0])
		}
		// Who has nothing but this may add a way of their own, while it is all there is.
		h.addPasskey(session, newDevice(t, 0), "Phone")
		_, err = h.BeginAddPasskey(h.ctx, session, desk)
		h.want(entente.KindDenied, err)

		// Whoever has an account elsewhere on the node is not pulled in without it.
		_, _, err = h.Invite(h.ctx, ada, NewInvitation{Email: "rosa@roest.example", Role: entente.RoleAuditor})
		h.ok(err)
		p.who = map[string]any{"sub": "rosa-1", "email": "rosa@roest.example", "email_verified": true}
		_, _, err = h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "not a member")

		// The address from user info, and trusted by the owner's word.
		_, _, err = h.Invite(h.ctx, ada, NewInvitation{Email: "max@beanline.example", Role: entente.RoleAuditor})
		h.ok(err)
		p.who = map[string]any{"sub": "max-1"}
		_, _, err = h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "not accepted")
		p.info = map[string]any{"sub": "another", "email": "max@beanline.example"}
		_, _, err = h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "not accepted")
		p.info["sub"] = "max-1"
		_, _, err = h.ssoSignIn(p, false)
		h.want(entente.KindDenied, err, "verified")
		h.ok(h.SetSSO(h.ctx, ada, SSO{Label: "Beanline account", Issuer: p.server.URL, ClientID: idpClient, TrustEmails: true}))
		session, _, err = h.ssoSignIn(p, false)
		h.ok(err)
		if session.RecentlyAuthenticated() {
			t.Error("fresh, though the provider does not say when it asked")
		}
	})
}

func TestSSORefuses(t *testing.T) {
	ssoHouse(t, func(t *testing.T, h *house, p *idp, ada entente.Actor) {
		h.member("Lee", "lee@beanline.example", entente.RoleAnalyst)
		p.who = lee(h)
		for name, spoil := range map[string]func(){
			"no signature":    func() { p.forge = "none" },
			"shared secret":   func() { p.forge = "HS256" },
			"another key":     func() { p.forge = "other key" },
			"another issuer":  func() { p.cheat = func(c map[string]any) { c["iss"] = "https://evil.example" } },
			"another client":  func() { p.cheat = func(c map[string]any) { c["aud"] = "another" } },
			"another nonce":   func() { p.cheat = func(c map[string]any) { c["nonce"] = "x" } },
			"no nonce":        func() { p.cheat = func(c map[string]any) { delete(c, "nonce") } },
			"expired":         func() { p.cheat = func(c map[string]any) { c["exp"] = h.now().Add(-time.Minute).Unix() } },
			"no subject":      func() { p.cheat = func(c map[string]any) { delete(c, "sub") } },
			"long subject":    func() { p.cheat = func(c map[string]any) { c["sub"] = strings.Repeat("x", 300) } },
			"another secret":  func() { p.secret = "changed" },
			"person refuses":  func() { p.who = nil },
			"email no string": func() { p.cheat = func(c map[string]any) { c["email"] = 7 } },
		} {
			secret := p.secret
			spoil()
			_, _, err := h.ssoSignIn(p, false)
			if entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s: %v", name, err)
			}
			p.forge, p.cheat, p.who, p.secret = "", nil, lee(h), secret
		}
		_, _, err := h.ssoSignIn(p, false)
		h.ok(err)

		// Another browser, a second time, too late.
		address, binding, err := h.BeginSSO(h.ctx, "beanline", "/", false, desk)
		h.ok(err)
		answer := p.visit(address)
		_, _, _, err = h.FinishSSO(h.ctx, answer, newSecret(), desk)
		h.want(entente.KindDenied, err, "another browser")
		_, _, _, err = h.FinishSSO(h.ctx, answer, binding, desk)
		h.want(entente.KindConflict, err)
		address, binding, err = h.BeginSSO(h.ctx, "beanline", "/", false, desk)
		h.ok(err)
		answer = p.visit(address)
		h.pass(ceremonyLife)
		_, _, _, err = h.FinishSSO(h.ctx, answer, binding, desk)
		h.want(entente.KindConflict, err)
		_, _, _, err = h.FinishSSO(h.ctx, SSOAnswer{State: "made up", Code: "x"}, binding, desk)
		h.want(entente.KindConflict, err)

		// A fresh proof asks the person again.
		p.who = lee(h)
		p.who["auth_time"] = h.now().Add(-time.Hour).Unix()
		session, _, err := h.ssoSignIn(p, false)
		h.ok(err)
		if session.RecentlyAuthenticated() {
			t.Error("fresh by an old sign-in at the provider")
		}
		_, _, err = h.ssoSignIn(p, true)
		h.want(entente.KindDenied, err, "did not ask")
		if p.prompt != "login" {
			t.Errorf("prompt %q", p.prompt)
		}
		p.who = lee(h)
		session, _, err = h.ssoSignIn(p, true)
		h.ok(err)
		if !session.RecentlyAuthenticated() {
			t.Error("not fresh")
		}
	})
}

func TestSSOSettings(t *testing.T) {
	ssoHouse(t, func(t *testing.T, h *house, p *idp, ada entente.Actor) {
		h.member("Lee", "lee@beanline.example", entente.RoleSecurityLead)
		other := h.as("lee@beanline.example", "beanline")
		proper := SSO{Label: "B", Issuer: p.server.URL, ClientID: idpClient, Secret: "s"}
		h.want(entente.KindDenied, h.SetSSO(h.ctx, other, proper))
		h.want(entente.KindDenied, h.RemoveSSO(h.ctx, other))
		_, err := h.SSO(h.ctx, other)
		h.want(entente.KindDenied, err)
		for change, words := range map[*SSO]string{
			{Issuer: p.server.URL, ClientID: "c", Secret: "s"}:                          "name is missing",
			{Label: "B", Issuer: "http://x.example", ClientID: "c", Secret: "s"}:        "https",
			{Label: "B", Issuer: "x", ClientID: "c", Secret: "s"}:                       "https",
			{Label: "B", Issuer: p.server.URL, Secret: "s"}:                             "client ID",
			{Label: "B", Issuer: p.server.URL, ClientID: "another"}:                     "secret is missing",
			{Label: "B", Issuer: p.server.URL + "/nothing", ClientID: "c", Secret: "s"}: "does not answer",
			{Label: "B", Issuer: "https://127.0.0.1:1", ClientID: "c", Secret: "s"}:     "does not answer",
		} {
			h.want(entente.KindInvalid, h.SetSSO(h.ctx, ada, *change), words)
		}
		kept, err := h.SSO(h.ctx, ada)
		h.ok(err)
		if kept.Label != "Beanline account" || kept.Secret != "" {
			t.Errorf("settings %+v", kept)
		}
		label, ok, err := h.SSOLabel(h.ctx, "beanline")
		if err != nil || !ok || label != "Beanline account" {
			t.Errorf("%q %v %v", label, ok, err)
		}
		for _, org := range []entente.OrgID{"roest", "no-such"} {
			_, ok, err := h.SSOLabel(h.ctx, org)
			if err != nil || ok {
				t.Errorf("%s: %v %v", org, ok, err)
			}
			_, _, err = h.BeginSSO(h.ctx, org, "/", false, desk)
			h.want(entente.KindNotFound, err)
		}
		p.who = lee(h)
		session, _, err := h.ssoSignIn(p, false)
		h.ok(err)
		address, binding, err := h.BeginSSO(h.ctx, "beanline", "/", false, desk)
		h.ok(err)
		h.ok(h.RemoveSSO(h.ctx, ada))
		_, _, _, err = h.FinishSSO(h.ctx, p.visit(address), binding, desk)
		h.want(entente.KindConflict, err)
		n, err := countRows(h)
		h.ok(err)
		if n != 2 { // Ada and Lee by password
			t.Errorf("%d sessions are left, that of %s among them", n, session.Method)
		}
		h.want(entente.KindNotFound, h.RemoveSSO(h.ctx, ada))
	})
}

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/o/beanline?x=1#y": "/o/beanline?x=1#y", "": "/", "//evil.example": "/", "https://evil.example": "/", "/\\evil.example": "/",
		"/a\r\nSet-Cookie: x": "/", "javascript:alert(1)": "/", "relative": "/", "/\t/evil.example": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("%q: %q", next, got)
		}
	}
}

func TestProvidersOutside(t *testing.T) {
	for address, want := range map[string]bool{
		"192.0.2.1": true, "10.1.2.3": true, "2001:db8::1": true,
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "169.254.169.254": false, "fe80::1": false, "fd00:ec2::254": false, "100.100.100.200": false,
	} {
		if got := outside(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	p := newIDP(t, time.Now)
	if _, err := newProviders(nil).get(t.Context(), p.server.URL); err == nil || !strings.Contains(err.Error(), "belongs to this machine") {
		t.Errorf("the default client reached this machine: %v", err)
	}
}
