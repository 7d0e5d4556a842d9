package identity

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/entente-project/entente"
)

func code(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAuthenticatorApp(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		token, session := h.signIn("ada@beanline.example")
		enrolment, err := h.EnrolTOTP(h.ctx, session)
		h.ok(err)
		if !strings.HasPrefix(enrolment.URL, "otpauth://totp/Entente:ada@beanline.example?") || !strings.Contains(enrolment.URL, enrolment.Secret) {
			t.Errorf("URL %s", enrolment.URL)
		}
		// Until the first code is seen, nothing is asked.
		if _, s := h.signIn("ada@beanline.example"); s.Pending {
			t.Fatal("an unconfirmed app is asked for")
		}
		_, err = h.ConfirmTOTP(h.ctx, session, "000000", desk)
		h.want(entente.KindDenied, err, "clock")
		recovery, err := h.ConfirmTOTP(h.ctx, session, code(t, enrolment.Secret, h.now()), desk)
		h.ok(err)
		if len(recovery) != recoveryCodes || len(recovery[0]) != 19 {
			t.Errorf("recovery codes %v", recovery)
		}
		if f, err := h.SecondFactor(h.ctx, session); err != nil || f.RecoveryCodes != 10 || f.App.IsZero() {
			t.Errorf("%+v, %v", f, err)
		}

		// From now on a password alone opens nothing.
		half, pending := h.signIn("ada@beanline.example")
		if !pending.Pending {
			t.Fatal("the second factor is not asked for")
		}
		_, _, err = h.Authenticate(h.ctx, half)
		h.want(entente.KindDenied, err, "second factor")
		_, err = pending.Actor("beanline", entente.DoorPage)
		h.want(entente.KindDenied, err)
		h.want(entente.KindDenied, h.Reauthenticate(h.ctx, half, Proof{Password: good}, desk))
		h.want(entente.KindDenied, h.RemoveTOTP(h.ctx, pending))
		_, err = h.Sessions(h.ctx, pending)
		h.want(entente.KindDenied, err)

		// The code of the enrolment is used up.
		_, _, err = h.ConfirmCode(h.ctx, half, code(t, enrolment.Secret, h.now()), desk)
		h.want(entente.KindDenied, err, "used already")
		h.pass(30 * time.Second)
		next := code(t, enrolment.Secret, h.now())
		full, session2, err := h.ConfirmCode(h.ctx, half, " "+next[:3]+" "+next[3:], desk)
		h.ok(err)
		if session2.Pending || session2.Method != ByPasswordCode || full == half {
			t.Errorf("session %+v", session2)
		}
		_, _, err = h.Authenticate(h.ctx, full)
		h.ok(err)
		_, _, err = h.Authenticate(h.ctx, half)
		h.want(entente.KindDenied, err)
		_, _, err = h.ConfirmCode(h.ctx, full, next, desk)
		h.want(entente.KindConflict, err)

		// The same code a second time, and the one before it.
		half, _ = h.signIn("ada@beanline.example")
		_, _, err = h.ConfirmCode(h.ctx, half, next, desk)
		h.want(entente.KindDenied, err)
		_, _, err = h.ConfirmCode(h.ctx, half, code(t, enrolment.Secret, h.now().Add(-30*time.Second)), desk)
		h.want(entente.KindDenied, err)

		// A recovery code, once, as people type it.
		typed := strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " "))
		_, _, err = h.ConfirmCode(h.ctx, half, typed, desk)
		h.ok(err)
		half, _ = h.signIn("ada@beanline.example")
		_, _, err = h.ConfirmCode(h.ctx, half, recovery[3], desk)
		h.want(entente.KindDenied, err)
		h.pass(30 * time.Second)
		_, _, err = h.ConfirmCode(h.ctx, half, code(t, enrolment.Secret, h.now()), desk)
		h.ok(err)

		// A pending session does not wait for ever.
		half, _ = h.signIn("ada@beanline.example")
		h.pass(pendingLife)
		_, _, err = h.ConfirmCode(h.ctx, half, recovery[4], desk)
		h.want(entente.KindDenied, err, "sign in again")

		// A fresh proof needs both.
		h.pass(time.Hour)
		h.want(entente.KindDenied, h.Reauthenticate(h.ctx, token, Proof{Password: good}, desk))
		h.want(entente.KindDenied, h.Reauthenticate(h.ctx, token, Proof{Password: "x", Code: code(t, enrolment.Secret, h.now())}, desk))
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		_, err = h.NewRecoveryCodes(h.ctx, session)
		if !IsNotFresh(err) {
			t.Error(err)
		}
		h.ok(h.Reauthenticate(h.ctx, token, Proof{Password: good, Code: code(t, enrolment.Secret, h.now())}, desk))
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		renewed, err := h.NewRecoveryCodes(h.ctx, session)
		h.ok(err)
		h.want(entente.KindDenied, h.Reauthenticate(h.ctx, token, Proof{Password: good, Code: recovery[5]}, desk))
		h.ok(h.Reauthenticate(h.ctx, token, Proof{Password: good, Code: renewed[5]}, desk))

		h.ok(h.RemoveTOTP(h.ctx, session))
		h.want(entente.KindNotFound, h.RemoveTOTP(h.ctx, session))
		if _, s := h.signIn("ada@beanline.example"); s.Pending {
			t.Error("a removed app is asked for")
		}
		e := h.events("beanline", EventFactorAdded, EventFactorRemoved)
		if len(e) != 3 {
			t.Errorf("events %+v", e)
		}
		for _, e := range h.events("beanline") {
			if strings.Contains(string(e.Body), enrolment.Secret) || strings.Contains(string(e.Body), recovery[0]) {
				t.Errorf("a secret is in the journal: %s", e.Body)
			}
		}
	})
}

// Who knows the password has as few tries at the code as at the password.
func TestCodesCannotBeGuessed(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		_, session := h.signIn("ada@beanline.example")
		enrolment, err := h.EnrolTOTP(h.ctx, session)
		h.ok(err)
		_, err = h.ConfirmTOTP(h.ctx, session, code(t, enrolment.Secret, h.now()), desk)
		h.ok(err)
		guesses := 0
		for range 30 {
			half, _, err := h.SignIn(h.ctx, "ada@beanline.example", good, desk)
			if err != nil {
				h.want(entente.KindUnavailable, err)
				break
			}
			_, _, err = h.ConfirmCode(h.ctx, half, "123456", desk)
			if entente.KindOf(err) == entente.KindUnavailable {
				break
			}
			h.want(entente.KindDenied, err)
			guesses++
		}
		if guesses > limitAccount.free {
			t.Errorf("%d guesses", guesses)
		}
	})
}

func TestCodesNeedTheNodeKey(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		c := h.config()
		c.Key = (Config{}).Key
		keyless, err := New(h.ctx, h.d, c)
		h.ok(err)
		_, session := h.signIn("ada@beanline.example")
		_, err = keyless.EnrolTOTP(h.ctx, session)
		h.want(entente.KindUnavailable, err, "key file")
	})
}
