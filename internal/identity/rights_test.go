package identity

import (
	"testing"

	"github.com/entente-project/entente"
)

// Every method that changes something or tells something asks for the right that the
// table gives, for every role, in its own organisation and in another.
func TestEveryMethodAsksForItsRight(t *testing.T) {
	calls := map[string]struct {
		verb Verb
		call func(h *house, actor entente.Actor) error
	}{
		"Members": {PeopleRead, func(h *house, a entente.Actor) error { _, err := h.Members(h.ctx, a); return err }},
		"Member":  {PeopleRead, func(h *house, a entente.Actor) error { _, err := h.Member(h.ctx, a, "x"); return err }},
		"SetRole": {PeopleManage, func(h *house, a entente.Actor) error { return h.SetRole(h.ctx, a, "x", entente.RoleAuditor, nil) }},
		"RemoveMember": {PeopleManage, func(h *house, a entente.Actor) error {
			return h.RemoveMember(h.ctx, a, "x")
		}},
		"RemoveMember themselves": {AccountSelf, func(h *house, a entente.Actor) error {
			a.Person = "x" // of whom there is none: whoever may, is told so
			return h.RemoveMember(h.ctx, a, "x")
		}},
		"Organisation": {OrganisationRead, func(h *house, a entente.Actor) error { _, err := h.Organisation(h.ctx, a); return err }},
		"RenameOrganisation": {OrganisationManage, func(h *house, a entente.Actor) error {
			return h.RenameOrganisation(h.ctx, a, "Beanline")
		}},
		"Invite": {InvitationManage, func(h *house, a entente.Actor) error {
			_, _, err := h.Invite(h.ctx, a, NewInvitation{Email: "x@y.example", Role: entente.RoleAuditor})
			return err
		}},
		"Invitations":        {InvitationManage, func(h *house, a entente.Actor) error { _, err := h.Invitations(h.ctx, a); return err }},
		"WithdrawInvitation": {InvitationManage, func(h *house, a entente.Actor) error { return h.WithdrawInvitation(h.ctx, a, "x") }},
		"CreateToken": {TokenManage, func(h *house, a entente.Actor) error {
			_, _, err := h.CreateToken(h.ctx, a, NewToken{Name: "x"})
			return err
		}},
		"Tokens":          {TokenManage, func(h *house, a entente.Actor) error { _, err := h.Tokens(h.ctx, a); return err }},
		"AllTokens":       {TokenOversee, func(h *house, a entente.Actor) error { _, err := h.AllTokens(h.ctx, a); return err }},
		"SSO":             {OrganisationManage, func(h *house, a entente.Actor) error { _, err := h.SSO(h.ctx, a); return err }},
		"SetSSO":          {OrganisationManage, func(h *house, a entente.Actor) error { return h.SetSSO(h.ctx, a, SSO{}) }},
		"Views":           {ViewSave, func(h *house, a entente.Actor) error { _, err := h.Views(h.ctx, a, ""); return err }},
		"SaveView":        {ViewSave, func(h *house, a entente.Actor) error { _, err := h.SaveView(h.ctx, a, View{}); return err }},
		"RenameView":      {ViewSave, func(h *house, a entente.Actor) error { return h.RenameView(h.ctx, a, "x", "x", false) }},
		"RemoveView":      {ViewSave, func(h *house, a entente.Actor) error { return h.RemoveView(h.ctx, a, "x") }},
		"SetStandardView": {ViewSave, func(h *house, a entente.Actor) error { return h.SetStandardView(h.ctx, a, "processes", "x") }},
		"RemoveSSO":       {OrganisationManage, func(h *house, a entente.Actor) error { return h.RemoveSSO(h.ctx, a) }},
	}
	eachHouse(t, func(t *testing.T, h *house) {
		for name, c := range calls {
			for _, role := range columnsInOrder {
				for _, verbs := range [][]string{nil, {string(c.verb)}, {}} {
					actor := entente.Actor{Org: "beanline", Person: "p", Name: "Somebody", Role: role, Door: entente.DoorPage, Verbs: verbs}
					if role == entente.RoleSystem {
						actor.Person = ""
					}
					if name == "RemoveMember themselves" {
						actor.Person = "x"
					}
					want, _ := Can(actor, c.verb, In("beanline"))
					if got := entente.KindOf(c.call(h, actor)) != entente.KindDenied; got != want {
						t.Errorf("%s as %s with %v: goes on %v, the table says %v", name, role, verbs, got, want)
					}
				}
			}
		}
		for _, role := range columnsInOrder {
			actor := entente.Actor{Org: "beanline", Person: "p", Role: role, Door: entente.DoorPage}
			mine, _ := Can(actor, TokenManage, In("beanline"))
			all, _ := Can(actor, TokenOversee, In("beanline"))
			if got := entente.KindOf(h.RevokeToken(h.ctx, actor, "x")) != entente.KindDenied; got != (mine || all) {
				t.Errorf("RevokeToken as %s goes on: %v", role, got)
			}
			if got := entente.KindOf(h.RevokeTokens(h.ctx, actor, []string{"x", "y"})) != entente.KindDenied; got != (mine || all) {
				t.Errorf("RevokeTokens as %s goes on: %v", role, got)
			}
			_, err := h.AddMember(h.ctx, actor, NewMember{})
			h.want(entente.KindDenied, err)
			h.want(entente.KindDenied, h.SetSetting(h.ctx, actor, "k", "v"))
			h.want(entente.KindDenied, h.ResetPassword(h.ctx, actor, "ada@beanline.example", good))
		}
	})
}
