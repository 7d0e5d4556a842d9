package identity

import (
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

func TestSessionsEndAndExpire(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		alive := func(token string) bool {
			t.Helper()
			_, _, err := h.Authenticate(h.ctx, token)
			if err != nil && entente.KindOf(err) != entente.KindDenied {
				t.Fatal(err)
			}
			return err == nil
		}
		one, first := h.signIn("ada@beanline.example")
		h.pass(time.Second)
		two, second := h.signIn("ada@beanline.example")
		three, _ := h.signIn("ada@beanline.example")
		_, rosa := h.signIn("rosa@roest.example")
		list, err := h.Sessions(h.ctx, first)
		h.ok(err)
		if len(list) != 3 || list[2].ID != first.ID || list[0].Person.Name != "Ada Lovelace" {
			t.Errorf("sessions %+v", list)
		}
		h.want(entente.KindNotFound, h.EndSession(h.ctx, rosa, second.ID))
		if !alive(two) {
			t.Fatal("Rosa ended Ada's session")
		}
		h.ok(h.EndSession(h.ctx, first, second.ID)) // takes effect at once, though two is remembered
		if alive(two) || !alive(one) || !alive(three) {
			t.Fatal("the wrong session ended")
		}
		h.want(entente.KindNotFound, h.EndSession(h.ctx, first, second.ID))
		h.ok(h.EndOtherSessions(h.ctx, first))
		if alive(three) || !alive(one) {
			t.Fatal("the wrong sessions ended")
		}
		if n := len(h.events("beanline", EventSessionEnded)); n != 2 {
			t.Errorf("%d events", n)
		}

		// Use keeps a session, but not for ever.
		for range 14 {
			h.pass(11 * time.Hour)
			if !alive(one) {
				t.Fatalf("ended while in use at %s", h.now())
			}
			h.ok(h.Tidy(h.ctx))
		}
		list, err = h.Sessions(h.ctx, first)
		h.ok(err)
		if len(list) != 1 || !list[0].Seen.Equal(h.now()) {
			t.Errorf("last seen %+v at %s", list, h.now())
		}
		h.pass(15 * time.Hour)
		if alive(one) {
			t.Error("alive after 7 days")
		}
		four, _ := h.signIn("ada@beanline.example")
		h.pass(11*time.Hour + 59*time.Minute)
		if !alive(four) {
			t.Error("ended before its idle time")
		}
		five, _ := h.signIn("ada@beanline.example")
		h.pass(12 * time.Hour)
		if alive(five) {
			t.Error("alive after its idle time")
		}
		h.ok(h.Tidy(h.ctx))
		h.ok(h.Sweep(h.ctx))
		n, err := countRows(h)
		h.ok(err)
		if n != 0 {
			t.Errorf("%d sessions are left after the sweep", n)
		}
	})
}

func countRows(h *house) (n int, err error) {
	err = h.d.Read(h.ctx, func(tx *db.Tx) error {
		n, err = db.One(h.ctx, tx, db.Value[int], "SELECT count(*) FROM identity_session")
		return err
	})
	return n, err
}

// Another replica learns within two seconds that a session ended.
func TestEndedSessionOnAnotherReplica(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		other, err := New(h.ctx, h.d, h.config())
		h.ok(err)
		token, _ := h.signIn("ada@beanline.example")
		_, _, err = other.Authenticate(h.ctx, token)
		h.ok(err)
		h.ok(h.SignOut(h.ctx, token))
		h.pass(2 * time.Second)
		_, _, err = other.Authenticate(h.ctx, token)
		h.want(entente.KindDenied, err)
	})
}

func TestSessionsOfOnePersonAreBounded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		first, _ := h.signIn("ada@beanline.example")
		for range maxSessions {
			h.pass(time.Second)
			h.signIn("ada@beanline.example")
		}
		n, err := countRows(h)
		h.ok(err)
		if n != maxSessions {
			t.Errorf("%d sessions", n)
		}
		h.pass(5 * time.Second)
		_, _, err = h.Authenticate(h.ctx, first)
		h.want(entente.KindDenied, err)
	})
}

func TestStepUp(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		token, session := h.signIn("ada@beanline.example")
		ada, err := session.Actor("beanline", entente.DoorPage)
		h.ok(err)
		h.ok(h.Require(session, ada, PeopleManage, In("beanline")))
		h.pass(Fresh)
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		if session.RecentlyAuthenticated() {
			t.Error("still fresh")
		}
		err = h.Require(session, ada, PeopleManage, In("beanline"))
		h.want(entente.KindDenied, err, "confirm")
		if !IsNotFresh(err) {
			t.Error("not told apart")
		}
		h.ok(h.Require(session, ada, ChainEdit, In("beanline")))
		_, err = h.EnrolTOTP(h.ctx, session)
		if !IsNotFresh(err) {
			t.Error(err)
		}
		h.want(entente.KindDenied, h.Reauthenticate(h.ctx, token, Proof{Password: "x"}, desk))
		h.ok(h.Reauthenticate(h.ctx, token, Proof{Password: good}, desk))
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		if !session.RecentlyAuthenticated() {
			t.Error("not fresh after the proof")
		}
		var none Session
		if none.RecentlyAuthenticated() {
			t.Error("no session is fresh")
		}
		h.want(entente.KindDenied, h.ChangeEmail(h.ctx, none, "x@y.example"))
	})
}
