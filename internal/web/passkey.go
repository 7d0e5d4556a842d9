package web

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// A ceremony with a passkey is two requests of the script in ui/script/passkey.ts:
// the task to begin with, and the browser's answer to it.

func passkeyRoutes() []Route {
	return []Route{
		act("/sign-in/passkey/begin", "", (*visit).beginPasskeySignIn).through(Open),
		act("/sign-in/passkey/finish", "", (*visit).finishPasskeySignIn).through(Open),
		act("/invitation/passkey/begin", "", (*visit).beginPasskeyInvitation).through(Open),
		act("/invitation/passkey/finish", "", (*visit).finishPasskeyInvitation).through(Open),
		act("/o/{org}/account/prove/passkey/begin", identity.AccountSelf, (*visit).beginPasskeyProof),
		act("/o/{org}/account/prove/passkey/finish", identity.AccountSelf, (*visit).finishPasskeyProof),
		act("/o/{org}/account/passkeys/begin", identity.AccountSelf, (*visit).beginAddPasskey),
		act("/o/{org}/account/passkeys/finish", identity.AccountSelf, (*visit).finishAddPasskey),
		act("/o/{org}/account/passkeys/{id}/name", identity.AccountSelf, (*visit).renamePasskey),
		page("/o/{org}/account/passkeys/{id}/remove", identity.AccountSelf, (*visit).askRemovePasskey),
		act("/o/{org}/account/passkeys/{id}/remove", identity.AccountSelf, (*visit).removePasskey),
		act("/o/{org}/account/password/remove", identity.AccountSelf, (*visit).removePassword),
	}
}

// fromScript is what the script sends: the fields of its form, and to finish, the id
// of the task and the browser's answer.
type fromScript struct {
	ID       string          `json:"id"`
	Answer   json.RawMessage `json:"answer"`
	Name     string          `json:"name"`      // of a passkey
	FullName string          `json:"full-name"` // of a person
	Key      string          `json:"key"`
	Next     string          `json:"next"`
}

type toScript struct {
	Next  string `json:"next,omitempty"`
	Error string `json:"error,omitempty"`
	Prove string `json:"prove,omitempty"`
}

// ceremony reads what the script sent, does one half of the ceremony, and answers;
// what is refused goes back to the script in words.
func (v *visit) ceremony(half func(in fromScript) (any, error)) error {
	var in fromScript
	err := v.sent(&in)
	if err == nil {
		var out any
		out, err = half(in)
		if err == nil {
			return v.reply(http.StatusOK, out)
		}
	}
	status, text := v.refusal(err)
	if status == 0 {
		return err
	}
	out := toScript{Error: v.T("%s.", text)}
	if identity.IsNotFresh(err) {
		status = http.StatusForbidden
		back := v.in("account", "security") + "?" + url.Values{"passkey": {in.Name}}.Encode()
		out.Prove = v.in("account", "prove") + "?" + url.Values{"next": {back}}.Encode()
	}
	return v.reply(status, out)
}

func (v *visit) beginPasskeySignIn() error {
	return v.ceremony(func(fromScript) (any, error) { return v.Identity.BeginPasskeySignIn(v.r.Context(), v.client()) })
}

func (v *visit) finishPasskeySignIn() error {
	return v.ceremony(func(in fromScript) (any, error) {
		token, session, err := v.Identity.FinishPasskeySignIn(v.r.Context(), in.ID, in.Answer, v.client())
		if err != nil {
			return nil, err
		}
		v.remember(token, session)
		return toScript{Next: within(in.Next)}, nil
	})
}

func (v *visit) beginPasskeyInvitation() error {
	return v.ceremony(func(in fromScript) (any, error) {
		return v.Identity.BeginPasskeyInvitation(v.r.Context(), in.Key, in.FullName, v.client())
	})
}

func (v *visit) finishPasskeyInvitation() error {
	return v.ceremony(func(in fromScript) (any, error) {
		token, session, err := v.Identity.FinishPasskeyInvitation(v.r.Context(), in.Key, in.ID, in.Answer, v.client())
		if err != nil {
			return nil, err
		}
		v.remember(token, session)
		return toScript{Next: "/"}, nil
	})
}

func (v *visit) beginPasskeyProof() error {
	return v.ceremony(func(fromScript) (any, error) {
		return v.Identity.BeginPasskeyProof(v.r.Context(), *v.who, v.client())
	})
}

func (v *visit) finishPasskeyProof() error {
	return v.ceremony(func(in fromScript) (any, error) {
		return toScript{}, v.Identity.FinishPasskeyProof(v.r.Context(), v.token, in.ID, in.Answer, v.client())
	})
}

func (v *visit) beginAddPasskey() error {
	return v.ceremony(func(fromScript) (any, error) {
		return v.Identity.BeginAddPasskey(v.r.Context(), *v.who, v.client())
	})
}

func (v *visit) finishAddPasskey() error {
	return v.ceremony(func(in fromScript) (any, error) {
		_, err := v.Identity.FinishAddPasskey(v.r.Context(), *v.who, in.ID, in.Name, in.Answer, v.client())
		return toScript{Next: v.in("account", "security") + "?done=passkey"}, err
	})
}

func (v *visit) renamePasskey() error {
	err := v.Identity.RenamePasskey(v.r.Context(), *v.who, v.r.PathValue("id"), v.text("name"))
	if err != nil {
		return v.refusedHere(err, "The passkey keeps its name.")
	}
	return v.redirect(v.in("account", "security") + "?done=passkey-named")
}

func (v *visit) removePasskey() error {
	err := v.Identity.RemovePasskey(v.r.Context(), *v.who, v.r.PathValue("id"))
	if err != nil {
		return v.refusedHere(err, "The passkey was not removed.")
	}
	return v.redirect(v.in("account", "security") + "?done=passkey-removed")
}

func (v *visit) removePassword() error {
	err := v.Identity.RemovePassword(v.r.Context(), *v.who)
	if err != nil {
		return v.refusedHere(err, "The password was not removed.")
	}
	return v.redirect(v.in("account", "security") + "?done=password-removed")
}

// passkeyOffer makes the form of a ceremony for a page, and lets the page load the
// script; without passkeys on this node it is empty.
func (v *visit) passkeyOffer(f passkeyForm) passkeyForm {
	possible, _ := v.Identity.PasskeysPossible()
	if !possible {
		return passkeyForm{}
	}
	f.Offered = true
	f.Localhost = v.localhost()
	if f.Localhost == "" {
		v.island()
	}
	return f
}

// addPasskeys shows the passkeys of the visitor on the page of their sign-in.
func (v *visit) addPasskeys(p *securityPage) error {
	list, err := v.Identity.Passkeys(v.r.Context(), *v.who)
	if err != nil {
		return err
	}
	for _, k := range list {
		p.Passkeys = append(p.Passkeys, passkeyView{
			Name: k.Name, Synced: k.Synced, Made: k.Created, Used: k.Used,
			Rename: v.in("account", "passkeys", k.ID, "name"), Remove: v.in("account", "passkeys", k.ID, "remove"), Field: "name-" + k.ID,
		})
	}
	_, why := v.Identity.PasskeysPossible()
	p.WhyNone = lang.Capital(v.T("%s.", why))
	name := v.r.URL.Query().Get("passkey")
	if len(name) > 120 {
		name = ""
	}
	p.Add = v.passkeyOffer(passkeyForm{
		Does: "create", Begin: v.in("account", "passkeys", "begin"), Finish: v.in("account", "passkeys", "finish"), Button: v.T("Add a passkey"),
		Fields: []ui.Field{{Name: "name", Label: v.T("Name of the passkey"), Value: name, Hint: v.T("So that you know it later: the phone, the key on your ring. Left empty, it is named after the browser."), MaxLength: 120}},
	})
	if p.HasPassword && len(list) > 0 {
		p.RemovePassword = v.in("account", "password", "remove")
	}
	return nil
}

// hasPasskey says whether the visitor can prove who they are by passkey.
func (v *visit) hasPasskey() (bool, error) {
	list, err := v.Identity.Passkeys(v.r.Context(), *v.who)
	return len(list) > 0, err
}
