package identity

import (
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

func TestTokens(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		an := h.member("Ann", "ann@beanline.example", entente.RoleAnalyst)
		h.member("Bob", "bob@beanline.example", entente.RoleAnalyst)
		h.member("Gus", "gus@beanline.example", entente.RoleContact, "partner")
		ann, bob, ada := h.as("ann@beanline.example", "beanline"), h.as("bob@beanline.example", "beanline"), h.as("ada@beanline.example", "beanline")

		text, made, err := h.CreateToken(h.ctx, ann, NewToken{Name: "CI", Verbs: []Verb{InventoryUpload, ChainRead, ChainRead}})
		h.ok(err)
		if !strings.HasPrefix(text, "ent_beanline_"+made.ID+"_") || strings.Contains(made.Prefix(), text[len(text)-43:]) {
			t.Errorf("token %s, prefix %s", text, made.Prefix())
		}
		actor, err := h.AuthenticateToken(h.ctx, text)
		h.ok(err)
		if actor.Person != an.ID || actor.Org != "beanline" || actor.Role != entente.RoleAnalyst || actor.Door != entente.DoorAPI || actor.Name != "Ann (token CI)" {
			t.Errorf("actor %+v", actor)
		}
		for v, want := range map[Verb]bool{InventoryUpload: true, ChainRead: true, ChainEdit: false, AccountSelf: false, TokenManage: false, JournalRead: false} {
			if ok, _ := Can(actor, v, In("beanline")); ok != want {
				t.Errorf("the token may %s: %v", v, ok)
			}
		}
		if ok, _ := Can(actor, ChainRead, In("roest")); ok {
			t.Error("the token reads another organisation")
		}

		for _, c := range []struct {
			by    entente.Actor
			n     NewToken
			kind  entente.Kind
			words string
		}{
			{ann, NewToken{Name: "", Verbs: []Verb{ChainRead}}, entente.KindInvalid, "name is missing"},
			{ann, NewToken{Name: "x"}, entente.KindInvalid, "at least one of advisory.edit"},
			{ann, NewToken{Name: "x", Verbs: []Verb{PeopleManage}}, entente.KindInvalid, "people.manage"},
			{ann, NewToken{Name: "x", Verbs: []Verb{TokenManage}}, entente.KindInvalid, "token.manage"},
			{ann, NewToken{Name: "x", Verbs: []Verb{"no.such"}}, entente.KindInvalid, "no.such"},
			{ann, NewToken{Name: "x", Verbs: []Verb{ChainRead}, Life: 400 * 24 * time.Hour}, entente.KindInvalid, "366 days"},
			{ann, NewToken{Name: "x", Verbs: []Verb{ChainRead}, Life: -time.Hour}, entente.KindInvalid, "366 days"},
			{actor, NewToken{Name: "x", Verbs: []Verb{ChainRead}}, entente.KindDenied, "sign in"},
			{h.as("gus@beanline.example", "beanline"), NewToken{Name: "x", Verbs: []Verb{InventoryRead}}, entente.KindDenied, "contact"},
			{entente.System("beanline", entente.DoorCommand), NewToken{Name: "x", Verbs: []Verb{ChainRead}}, entente.KindDenied, "system"},
		} {
			_, _, err := h.CreateToken(h.ctx, c.by, c.n)
			h.want(c.kind, err, c.words)
		}

		// Each sees and revokes their own; the owner sees and revokes all.
		mine, err := h.Tokens(h.ctx, ann)
		h.ok(err)
		theirs, err := h.Tokens(h.ctx, bob)
		h.ok(err)
		if len(mine) != 1 || len(theirs) != 0 {
			t.Errorf("Ann sees %v, Bob %v", mine, theirs)
		}
		_, err = h.AllTokens(h.ctx, bob)
		h.want(entente.KindDenied, err)
		all, err := h.AllTokens(h.ctx, ada)
		h.ok(err)
		if len(all) != 1 || all[0].Person.Name != "Ann" {
			t.Errorf("the owner sees %+v", all)
		}
		h.want(entente.KindNotFound, h.RevokeToken(h.ctx, bob, made.ID))
		h.want(entente.KindNotFound, h.RevokeToken(h.ctx, h.as("rosa@roest.example", "roest"), made.ID))
		_, err = h.AuthenticateToken(h.ctx, text)
		h.ok(err)
		h.ok(h.Tidy(h.ctx))
		all, err = h.AllTokens(h.ctx, ada)
		h.ok(err)
		if !all[0].Used.Equal(h.now()) {
			t.Errorf("last used %v", all[0].Used)
		}
		h.ok(h.RevokeToken(h.ctx, ada, made.ID)) // at once, though it is remembered
		_, err = h.AuthenticateToken(h.ctx, text)
		h.want(entente.KindDenied, err, "revoked")
		h.want(entente.KindNotFound, h.RevokeToken(h.ctx, ann, made.ID))

		// What is a token in form only.
		second, _, err := h.CreateToken(h.ctx, ann, NewToken{Name: "two", Verbs: []Verb{ChainRead}, Life: time.Hour})
		h.ok(err)
		for _, bad := range []string{
			"", "ent_", "x" + second, second + "x", second[:len(second)-1], strings.Replace(second, "beanline", "roest", 1),
			second[:len(second)-1] + string(rune('A'+(second[len(second)-1]-'A'+1)%26)), strings.Repeat("ent_beanline_", 100), "ent_../_aaaaaaaaaa_" + newSecretShape,
		} {
			if _, err := h.AuthenticateToken(h.ctx, bad); entente.KindOf(err) != entente.KindDenied {
				t.Errorf("%q: %v", bad, err)
			}
		}
		h.pass(time.Hour)
		_, err = h.AuthenticateToken(h.ctx, second)
		h.want(entente.KindDenied, err, "expired on 2 November 2026")

		// A token never outlives its person's membership, and follows the role.
		third, _, err := h.CreateToken(h.ctx, ann, NewToken{Name: "three", Verbs: []Verb{ChainEdit}})
		h.ok(err)
		h.ok(h.SetRole(h.ctx, ada, an.ID, entente.RoleAuditor, nil))
		actor, err = h.AuthenticateToken(h.ctx, third)
		h.ok(err)
		if ok, _ := Can(actor, ChainEdit, In("beanline")); ok {
			t.Error("the token kept a role that its person lost")
		}
		h.ok(h.RemoveMember(h.ctx, ada, an.ID))
		_, err = h.AuthenticateToken(h.ctx, third)
		h.want(entente.KindDenied, err)

		if e := h.events("beanline", EventTokenMade, EventTokenRevoked); len(e) != 4 || e[3].Kind != EventTokenMade || e[1].Actor != "Ada Lovelace" {
			t.Errorf("events %+v", e)
		}
		if e := h.events("beanline", EventDenied); len(e) != 2 || e[0].Subject != "token.use" {
			t.Errorf("denials %+v", e)
		}
		for _, e := range h.events("beanline") {
			if strings.Contains(string(e.Body), text[len(text)-43:]) {
				t.Error("a token is in the journal")
			}
		}
		var stored []string
		h.ok(h.d.Read(h.ctx, func(tx *db.Tx) (err error) {
			stored, err = db.All(h.ctx, tx, db.Value[string], "SELECT name || verbs || id FROM identity_token WHERE org = $1", "beanline")
			return err
		}))
		if strings.Contains(strings.Join(stored, " "), text[len(text)-43:]) {
			t.Error("a token is in the database")
		}
	})
}

func TestTokensAreBounded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.as("ada@beanline.example", "beanline")
		for range maxTokens {
			_, _, err := h.CreateToken(h.ctx, ada, NewToken{Name: "x", Verbs: []Verb{ChainRead}, Life: time.Hour})
			h.ok(err)
		}
		_, _, err := h.CreateToken(h.ctx, ada, NewToken{Name: "x", Verbs: []Verb{ChainRead}})
		h.want(entente.KindTooLarge, err, "revoke")
		h.pass(time.Hour)
		_, _, err = h.CreateToken(h.ctx, ada, NewToken{Name: "x", Verbs: []Verb{ChainRead}})
		h.ok(err)
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	for name, remembered := range map[string]bool{"read": false, "remembered": true} {
		b.Run(name, func(b *testing.B) { benchAuthenticate(b, remembered) })
	}
}
