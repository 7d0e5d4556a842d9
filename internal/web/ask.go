package web

import (
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/web/ui"
)

// ask shows the page of a question about a grave act.
func (v *visit) ask(crumbs []ui.Link, q ui.Ask) error {
	return v.show(http.StatusOK, askView(v.frame(q.Title), ui.Head{Title: q.Title, Crumbs: crumbs}, q))
}

// askRemoveMember asks whether a membership is to end.
func (v *visit) askRemoveMember() error {
	m, err := v.Identity.Member(v.r.Context(), v.actor, entente.PersonID(v.r.PathValue("id")))
	if err != nil {
		return err
	}
	at := v.in("people", string(m.Person.ID))
	q := ui.Ask{
		Title: v.T("Remove %s?", m.Person.Name), Yes: v.T("Remove %s", m.Person.Name), Action: at + "/remove", Back: at,
		Text: v.T("%s loses every access to this organisation at once, and the API tokens made for it are revoked. The account itself stays, and so does what the journal says.", m.Person.Name),
	}
	if m.Person.ID == v.actor.Person {
		q.Title, q.Yes = v.T("Leave %s?", v.org.Name), v.T("Leave the organisation")
		q.Text = v.T("You lose every access to this organisation at once. Your account itself stays.")
	}
	return v.ask([]ui.Link{{Text: v.T("People"), Href: v.in("people")}, {Text: m.Person.Name, Href: at}}, q)
}

// askRemoveThing asks whether a thing of the chain is to go.
func (v *visit) askRemoveThing(kind chain.NodeKind) error {
	id := chain.NodeID(v.r.PathValue("id"))
	thing, err := v.Chain.Thing(v.r.Context(), v.actor, kind, id)
	if err != nil {
		return err
	}
	p, err := v.picture()
	if err != nil {
		return err
	}
	name, at := p.name(id), v.in(roomOf[kind], string(id))
	return v.ask([]ui.Link{{Text: name, Href: v.thingPage(p, kind, id)}}, ui.Ask{
		Title: v.T("Remove %s?", name), Yes: v.T("Remove it"), Action: at + "/remove", Back: at + "/edit",
		Text:   v.T("It goes only if nothing else relies on it. It can be brought back from its history."),
		Fields: []ui.Option{{Value: "as-read", Label: thing.Version}},
	})
}

// askRevokeToken asks whether an API token is to stop working.
func (v *visit) askRevokeToken() error {
	all, err := v.tokensInSight()
	if err != nil {
		return err
	}
	for _, t := range all {
		if at := v.in("tokens"); t.ID == v.r.PathValue("id") && t.Revoked.IsZero() {
			return v.ask([]ui.Link{{Text: v.T("API tokens"), Href: at}}, ui.Ask{
				Title: v.T("Revoke %s?", t.Name), Yes: v.T("Revoke the token"), Action: v.in("tokens", t.ID, "revoke"), Back: at,
				Text: v.T("Programs that use this token of %s are refused at once, and it cannot be made to work again.", t.Person.Name),
			})
		}
	}
	return entente.NotFound("there is no such API token; it may have been revoked already")
}

// askWithdrawInvitation asks whether the link of an invitation is to stop working.
func (v *visit) askWithdrawInvitation() error {
	all, err := v.Identity.Invitations(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, i := range all {
		if at := v.in("invitations"); i.ID == v.r.PathValue("id") && i.Outcome == identity.InvitationOpen {
			return v.ask([]ui.Link{{Text: v.T("People"), Href: v.in("people")}, {Text: v.T("Invitations"), Href: at}}, ui.Ask{
				Title: v.T("Withdraw the invitation of %s?", i.Email), Yes: v.T("Withdraw it"), Action: v.in("invitations", i.ID, "withdraw"), Back: at,
				Text: v.T("The link that they were given opens nothing any more. To have them join after all, invite them again."),
			})
		}
	}
	return entente.NotFound("there is no such invitation; it may have been accepted or withdrawn already")
}

// askRemovePasskey asks whether a passkey of the visitor's is to stop working.
func (v *visit) askRemovePasskey() error {
	all, err := v.Identity.Passkeys(v.r.Context(), *v.who)
	if err != nil {
		return err
	}
	for _, k := range all {
		if k.ID == v.r.PathValue("id") {
			return v.ask(v.securityHead("", "").Crumbs, ui.Ask{
				Title: v.T("Remove the passkey %s?", k.Name), Yes: v.T("Remove the passkey"), Action: v.in("account", "passkeys", k.ID, "remove"), Back: v.in("account", "security"),
				Text: v.T("Nobody can sign in with it any more, you neither. Take it off the device that holds it as well."),
			})
		}
	}
	return entente.NotFound("you have no such passkey; it may have been removed already")
}

// askRemoveApp asks whether the visitor's password is to be enough again.
func (v *visit) askRemoveApp() error {
	return v.ask(v.securityHead("", "").Crumbs, ui.Ask{
		Title: v.T("Remove the authenticator app?"), Yes: v.T("Remove the app"), Action: v.in("account", "app", "remove"), Back: v.in("account", "security"),
		Text: v.T("Your password alone opens your account then: whoever learns it can sign in as you. The recovery codes go with the app."),
	})
}

// askRemoveHook asks whether a webhook is to go.
func (v *visit) askRemoveHook() error {
	h, err := v.Notify.Hook(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	at := v.in("webhooks", h.ID)
	return v.ask([]ui.Link{{Text: v.T("Webhooks"), Href: v.in("webhooks")}, {Text: h.Name, Href: at}}, ui.Ask{
		Title: v.T("Remove %s?", h.Name), Yes: v.T("Remove the webhook"), Action: at + "/remove", Back: at,
		Text: v.T("Nothing is sent to it any more, and what was delivered to it is forgotten. That cannot be undone. To let it rest, let it pause."),
	})
}

// askRemoveSSO asks whether members are to sign in without the provider.
func (v *visit) askRemoveSSO() error {
	at := v.in("organisation", "single-sign-on")
	return v.ask([]ui.Link{{Text: v.T("Organisation"), Href: v.in("organisation")}, {Text: v.T("Single sign-on"), Href: at}}, ui.Ask{
		Title: v.T("Remove single sign-on?"), Yes: v.T("Remove single sign-on"), Action: at + "/remove", Back: at,
		Text: v.T("The sessions that it opened end at once. Who has neither password nor passkey cannot sign in any more."),
	})
}

// undoFor is how long after an act its notice offers to undo it.
const undoFor = 15 * time.Minute

// undoThing adds to the notice of a change of a thing the form that undoes it.
func (v *visit) undoThing(n ui.Notice, shown *pastPage) ui.Notice {
	switch v.r.URL.Query().Get("done") {
	case "saved", "gone":
		if shown.Undo != "" && len(shown.Past) > 0 && time.Since(shown.Past[0].At) < undoFor {
			n.Doing = ui.Doing{Text: v.T("Undo"), Action: shown.Undo, Fields: []ui.Option{{Value: "n", Label: shown.Past[0].N}}}
		}
	}
	return n
}

// undoRole adds to the notice of a change of role the form that gives the old one
// back. What was before comes from the journal, never from the address: a link that
// somebody sends cannot propose a role.
func (v *visit) undoRole(n ui.Notice, id entente.PersonID) (ui.Notice, error) {
	if v.r.URL.Query().Get("done") != "role" || !v.may(identity.PeopleManage) {
		return n, nil
	}
	var before struct {
		Before struct {
			Role  entente.Role `json:"role"`
			Scope []string     `json:"scope"`
		} `json:"before"`
	}
	ctx := v.r.Context()
	err := v.DB.Read(ctx, func(tx *db.Tx) error {
		events, err := journal.Latest(ctx, tx, v.actor.Org, 0, 100)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Kind == identity.EventMemberChanged && e.Subject == string(id) {
				if e.Person == v.actor.Person && time.Since(e.At) < undoFor {
					return e.Decode(&before)
				}
				return nil
			}
		}
		return nil
	})
	if err != nil || before.Before.Role == "" {
		return n, err
	}
	n.Doing = ui.Doing{Text: v.T("Undo"), Action: v.in("people", string(id), "role"), Fields: []ui.Option{{Value: "role", Label: string(before.Before.Role)}}}
	for _, s := range before.Before.Scope {
		n.Doing.Fields = append(n.Doing.Fields, ui.Option{Value: "scope", Label: s})
	}
	return n, nil
}
