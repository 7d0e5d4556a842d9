package identity

import (
	"testing"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// A link that was mailed sets a new password once, within an hour, for accounts that
// have one; the second factor is still asked for.
func TestReset(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		token, _ := h.signIn("ada@beanline.example")
		made, err := h.BeginReset(h.ctx, " Ada@beanline.example", desk)
		h.ok(err)
		if made == nil || made.Person.Email != "ada@beanline.example" || made.Org != "beanline" {
			t.Fatalf("%+v", made)
		}
		if none, err := h.BeginReset(h.ctx, "nobody@beanline.example", desk); none != nil || err != nil {
			t.Errorf("an address without an account: %+v %v", none, err)
		}
		h.want(entente.KindNotFound, h.FinishReset(h.ctx, "guessed", "another fine password"))
		h.want(entente.KindInvalid, h.FinishReset(h.ctx, made.Secret, "short"))
		h.ok(h.FinishReset(h.ctx, made.Secret, "another fine password"))
		h.want(entente.KindNotFound, h.FinishReset(h.ctx, made.Secret, "yet another password"))
		_, _, err = h.Authenticate(h.ctx, token)
		h.want(entente.KindDenied, err)
		_, _, err = h.SignIn(h.ctx, "ada@beanline.example", "another fine password", desk)
		h.ok(err)
		if n := len(h.events("beanline", EventPasswordChanged)); n != 1 {
			t.Errorf("%d events", n)
		}

		late, err := h.BeginReset(h.ctx, "ada@beanline.example", desk)
		h.ok(err)
		h.ok(h.d.WriteNode(h.ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(h.ctx, "UPDATE identity_challenge SET expires_at = 1")
			return err
		}))
		h.want(entente.KindNotFound, h.FinishReset(h.ctx, late.Secret, "yet another password"))
		for range 10 {
			_, err = h.BeginReset(h.ctx, "ada@beanline.example", desk)
		}
		h.want(entente.KindUnavailable, err)
		h.want(entente.KindInvalid, func() error { _, err := h.BeginReset(h.ctx, "no address", desk); return err }())
	})
}
