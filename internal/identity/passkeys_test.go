package identity

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
)

func (h *house) addPasskey(session Session, d *device, name string) Passkey {
	h.t.Helper()
	c, err := h.BeginAddPasskey(h.ctx, session, desk)
	h.ok(err)
	k, err := h.FinishAddPasskey(h.ctx, session, c.ID, name, d.create(c), desk)
	h.ok(err)
	return k
}

func (h *house) passkeySignIn(d *device) (string, Session, error) {
	h.t.Helper()
	c, err := h.BeginPasskeySignIn(h.ctx, desk)
	h.ok(err)
	return h.FinishPasskeySignIn(h.ctx, c.ID, d.get(c), desk)
}

func TestPasskeys(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		token, session := h.signIn("ada@beanline.example")
		phone, stick := newDevice(t, 0), newDevice(t, 1)
		made := h.addPasskey(session, phone, "Phone")
		second := h.addPasskey(session, stick, "")
		if made.Name != "Phone" || !made.Synced || second.Name != "Firefox on Linux" || second.Synced {
			t.Errorf("passkeys %+v %+v", made, second)
		}
		if string(phone.handle) != string(session.Person.ID) {
			t.Errorf("the handle is %q", phone.handle)
		}
		for _, d := range []*device{phone, stick, stick, phone} {
			_, s, err := h.passkeySignIn(d)
			h.ok(err)
			if s.Person.ID != session.Person.ID || s.Method != ByPasskey || s.Pending || !s.RecentlyAuthenticated() {
				t.Errorf("session %+v", s)
			}
		}
		list, err := h.Passkeys(h.ctx, session)
		h.ok(err)
		if len(list) != 2 || list[0].Used.IsZero() {
			t.Errorf("passkeys %+v", list)
		}

		// A second factor is not asked of a passkey.
		enrolment, err := h.EnrolTOTP(h.ctx, session)
		h.ok(err)
		_, err = h.ConfirmTOTP(h.ctx, session, code(t, enrolment.Secret, h.now()), desk)
		h.ok(err)
		if _, s, err := h.passkeySignIn(phone); err != nil || s.Pending {
			t.Errorf("%+v, %v", s, err)
		}

		// A fresh proof by passkey, of one's own only.
		rosaToken, rosa := h.signIn("rosa@roest.example")
		rosas := newDevice(t, 0)
		h.addPasskey(rosa, rosas, "Rosa's")
		h.pass(time.Hour)
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		_, err = h.BeginAddPasskey(h.ctx, session, desk)
		if !IsNotFresh(err) {
			t.Error(err)
		}
		c, err := h.BeginPasskeyProof(h.ctx, session, desk)
		h.ok(err)
		h.want(entente.KindDenied, h.FinishPasskeyProof(h.ctx, token, c.ID, rosas.get(c), desk), "another account")
		c, err = h.BeginPasskeyProof(h.ctx, session, desk)
		h.ok(err)
		h.want(entente.KindDenied, h.FinishPasskeyProof(h.ctx, rosaToken, c.ID, phone.get(c), desk), "another account")
		c, err = h.BeginPasskeyProof(h.ctx, session, desk)
		h.ok(err)
		h.ok(h.FinishPasskeyProof(h.ctx, token, c.ID, phone.get(c), desk))
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		if !session.RecentlyAuthenticated() {
			t.Error("not fresh")
		}

		h.ok(h.RenamePasskey(h.ctx, session, second.ID, "Stick"))
		h.want(entente.KindNotFound, h.RenamePasskey(h.ctx, rosa, second.ID, "Mine"))
		h.want(entente.KindNotFound, h.RemovePasskey(h.ctx, session, "nothing"))
		rosaNow, err := h.Session(h.ctx, rosaToken)
		h.ok(err)
		if !IsNotFresh(h.RemovePasskey(h.ctx, rosaNow, second.ID)) {
			t.Error("a stale session removes passkeys")
		}

		// Passkeys only; the last way in stays.
		h.ok(h.RemovePassword(h.ctx, session))
		_, _, err = h.SignIn(h.ctx, "ada@beanline.example", good, desk)
		h.want(entente.KindDenied, err)
		h.want(entente.KindDenied, h.Reauthenticate(h.ctx, token, Proof{Password: good}, desk))
		h.ok(h.RemovePasskey(h.ctx, session, made.ID))
		h.want(entente.KindConflict, h.RemovePasskey(h.ctx, session, second.ID), "only way")
		_, _, err = h.passkeySignIn(phone)
		h.want(entente.KindDenied, err)
		_, _, err = h.passkeySignIn(stick)
		h.ok(err)
		// And back: the first password needs a fresh session only.
		h.ok(h.ChangePassword(h.ctx, session, Proof{}, good, desk))
		if _, s := h.signIn("ada@beanline.example"); s.Pending {
			t.Error("the authenticator app outlived the password")
		}
		if e := h.events("beanline", EventFactorAdded, EventFactorRemoved); len(e) != 5 {
			t.Errorf("%d events", len(e))
		}
	})
}

func TestPasskeysThatAreRefused(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		_, session := h.signIn("ada@beanline.example")
		stick := newDevice(t, 1)
		h.addPasskey(session, stick, "Stick")
		_, _, err := h.passkeySignIn(stick)
		h.ok(err)

		spoil := func(name string, change func(d *device), restore func(d *device)) {
			t.Helper()
			change(stick)
			_, _, err := h.passkeySignIn(stick)
			if entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%s: %v", name, err)
			}
			restore(stick)
		}
		right := *stick
		spoil("another site", func(d *device) { d.origin = "https://entente.example.evil" }, func(d *device) { d.origin = right.origin })
		spoil("another party", func(d *device) { d.party = "evil" }, func(d *device) { d.party = right.party })
		spoil("nobody verified", func(d *device) { d.flags = flagPresent }, func(d *device) { d.flags = right.flags })
		spoil("nobody present", func(d *device) { d.flags = flagVerified }, func(d *device) { d.flags = right.flags })
		spoil("another key", func(d *device) { d.key = newDevice(t, 1).key }, func(d *device) { d.key = right.key })
		spoil("unknown passkey", func(d *device) { d.id = []byte("0123456789abcdef") }, func(d *device) { d.id = right.id })
		spoil("unknown person", func(d *device) { d.handle = []byte("nobody") }, func(d *device) { d.handle = right.handle })
		spoil("no person", func(d *device) { d.handle = nil }, func(d *device) { d.handle = right.handle })
		_, _, err = h.passkeySignIn(stick)
		h.ok(err)

		// A copy of the stick: the counter runs backwards.
		stick.counter -= 3
		_, _, err = h.passkeySignIn(stick)
		h.want(entente.KindDenied, err, "copied")
		if e := h.events("beanline", EventFactorSuspect); len(e) != 1 {
			t.Errorf("%d events", len(e))
		}
		stick.counter += 10

		// An answer counts once, for its own ceremony, for ten minutes.
		c, err := h.BeginPasskeySignIn(h.ctx, desk)
		h.ok(err)
		answer := stick.get(c)
		other, err := h.BeginPasskeySignIn(h.ctx, desk)
		h.ok(err)
		_, _, err = h.FinishPasskeySignIn(h.ctx, other.ID, answer, desk)
		h.want(entente.KindDenied, err)
		h.want(entente.KindConflict, h.FinishPasskeyProof(h.ctx, first(h.signIn("ada@beanline.example")), c.ID, answer, desk))
		_, _, err = h.FinishPasskeySignIn(h.ctx, c.ID, answer, desk)
		h.ok(err)
		_, _, err = h.FinishPasskeySignIn(h.ctx, c.ID, answer, desk)
		h.want(entente.KindConflict, err, "begin again")
		c, err = h.BeginPasskeySignIn(h.ctx, desk)
		h.ok(err)
		h.pass(ceremonyLife)
		_, _, err = h.FinishPasskeySignIn(h.ctx, c.ID, stick.get(c), desk)
		h.want(entente.KindConflict, err, "too long")

		for _, junk := range [][]byte{nil, []byte("{}"), []byte("null"), []byte("[1]"), bytes.Repeat([]byte("{"), 30_000), []byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`)} {
			c, err := h.BeginPasskeySignIn(h.ctx, desk)
			h.ok(err)
			_, _, err = h.FinishPasskeySignIn(h.ctx, c.ID, junk, desk)
			h.want(entente.KindDenied, err)
		}
		_, _, err = h.FinishPasskeySignIn(h.ctx, "x", make([]byte, maxAnswer+1), desk)
		h.want(entente.KindTooLarge, err)

		// The same passkey does not come in a second time, nor for somebody else.
		_, session = h.signIn("ada@beanline.example")
		_, rosa := h.signIn("rosa@roest.example")
		for _, s := range []Session{session, rosa} {
			c, err := h.BeginAddPasskey(h.ctx, s, desk)
			h.ok(err)
			_, err = h.FinishAddPasskey(h.ctx, s, c.ID, "again", stick.create(c), desk)
			h.want(entente.KindConflict, err)
		}
		c, err = h.BeginAddPasskey(h.ctx, rosa, desk)
		h.ok(err)
		_, err = h.FinishAddPasskey(h.ctx, session, c.ID, "stolen", newDevice(t, 0).create(c), desk)
		h.want(entente.KindDenied, err)

		// A flood from one address is stopped, others are not.
		flood := Client{Address: "2001:db8::1"}
		for range maxCeremonies {
			if _, err = h.BeginPasskeySignIn(h.ctx, flood); err != nil {
				break
			}
		}
		h.ok(err)
		_, err = h.BeginPasskeySignIn(h.ctx, Client{Address: "2001:db8::2"}) // the same /64
		h.want(entente.KindUnavailable, err)
		_, err = h.BeginPasskeySignIn(h.ctx, desk)
		h.ok(err)
	})
}

func first[A, B any](a A, _ B) A { return a }

func TestInvitationByPasskey(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.as("ada@beanline.example", "beanline")
		secret, inv, err := h.Invite(h.ctx, ada, NewInvitation{Email: "au@audit.example", Role: entente.RoleAuditor})
		h.ok(err)
		_, err = h.BeginPasskeyInvitation(h.ctx, secret+"x", "Au", desk)
		h.want(entente.KindNotFound, err)
		_, err = h.BeginPasskeyInvitation(h.ctx, secret, "", desk)
		h.want(entente.KindInvalid, err)
		phone := newDevice(t, 0)
		c, err := h.BeginPasskeyInvitation(h.ctx, secret, "Au Ditor", desk)
		h.ok(err)
		token, session, err := h.FinishPasskeyInvitation(h.ctx, secret, c.ID, phone.create(c), desk)
		h.ok(err)
		if session.Method != ByPasskey || session.Person.Name != "Au Ditor" || session.Memberships[0].Role != entente.RoleAuditor || token == "" {
			t.Errorf("session %+v", session)
		}
		_, again, err := h.passkeySignIn(phone)
		h.ok(err)
		if again.Person.ID != session.Person.ID {
			t.Error("somebody else")
		}
		if has, err := h.HasPassword(h.ctx, again); err != nil || has {
			t.Errorf("a password: %v, %v", has, err)
		}

		secret, _, err = h.Invite(h.ctx, ada, NewInvitation{Email: "rosa@roest.example", Role: entente.RoleAuditor})
		h.ok(err)
		_, err = h.BeginPasskeyInvitation(h.ctx, secret, "Mallory", desk)
		h.want(entente.KindConflict, err, "sign in")

		// The answer to one invitation is not taken for another, nor after withdrawal.
		one, inv, err := h.Invite(h.ctx, ada, NewInvitation{Email: "one@x.example", Role: entente.RoleAuditor})
		h.ok(err)
		two, _, err := h.Invite(h.ctx, ada, NewInvitation{Email: "two@x.example", Role: entente.RoleOwner})
		h.ok(err)
		c, err = h.BeginPasskeyInvitation(h.ctx, one, "One", desk)
		h.ok(err)
		_, _, err = h.FinishPasskeyInvitation(h.ctx, two, c.ID, newDevice(t, 0).create(c), desk)
		h.want(entente.KindConflict, err, "another invitation")
		c, err = h.BeginPasskeyInvitation(h.ctx, one, "One", desk)
		h.ok(err)
		h.ok(h.WithdrawInvitation(h.ctx, ada, inv.ID))
		_, _, err = h.FinishPasskeyInvitation(h.ctx, one, c.ID, newDevice(t, 0).create(c), desk)
		h.want(entente.KindConflict, err, "withdrawn")
	})
}

func TestRelyingParty(t *testing.T) {
	for origin, want := range map[string]string{
		"":                             "does not know",
		"https://entente.example":      "",
		"https://entente.example:8443": "",
		"https://entente.example/":     "",
		"http://localhost:8080":        "",
		"http://127.0.0.1:8080":        "",
		"http://[::1]:8080":            "",
		"http://entente.example":       "need https",
		"https://192.0.2.1":            "host name",
	} {
		rp, err := newRelyingParty(origin)
		if err != nil {
			t.Errorf("%s: %v", origin, err)
			continue
		}
		if (rp.w != nil) != (want == "") || !strings.Contains(rp.why, want) {
			t.Errorf("%s: %+v", origin, rp)
		}
	}
	for _, bad := range []string{"entente.example", "ftp://x", "https://", "https://x/path", "https://x?q", "https://user@x", "://"} {
		if _, err := newRelyingParty(bad); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
	rp, err := newRelyingParty("http://127.0.0.1:8080")
	if err != nil || rp.w.Config.RPID != "localhost" || rp.w.Config.RPOrigins[0] != "http://localhost:8080" {
		t.Errorf("%+v, %v", rp, err)
	}
}
