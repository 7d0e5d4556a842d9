package web

import (
	"errors"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// Some acts need a proof of the last minutes that it is still the same person. Where
// it is missing, the answer is a page that asks for it and carries everything that
// was typed along: sent with the proof, it goes to the act itself, which goes on.

const (
	proofPassword = "prove-password"
	proofCode     = "prove-code"
)

func proofRoutes() []Route {
	return []Route{
		page("/o/{org}/account/prove", identity.AccountSelf, (*visit).proveForm),
		act("/o/{org}/account/prove", identity.AccountSelf, (*visit).proven),
		page("/o/{org}/account/prove/go-on", identity.AccountSelf, (*visit).goOn),
	}
}

// wrongProof is a proof of identity that does not hold.
type wrongProof struct{ err error }

func (e *wrongProof) Error() string { return "the proof of identity: " + e.err.Error() }

func (e *wrongProof) Unwrap() error { return e.err }

// isForm says whether the request carries a plain form.
func (v *visit) isForm() bool {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	return v.r.Method == http.MethodPost && err == nil && kind == "application/x-www-form-urlencoded"
}

// takeProof makes the session fresh by the proof that a form carries beside its own
// fields.
func (v *visit) takeProof() error {
	if !v.isForm() {
		return nil
	}
	err := v.r.ParseForm()
	if err != nil {
		return unreadable(err)
	}
	form := v.r.PostForm
	if !form.Has(proofPassword) {
		return nil
	}
	proof := identity.Proof{Password: form.Get(proofPassword), Code: strings.TrimSpace(form.Get(proofCode))}
	form.Del(proofPassword)
	form.Del(proofCode)
	err = v.Identity.Reauthenticate(v.r.Context(), v.token, proof, v.client())
	if entente.KindOf(err) != entente.KindInternal && err != nil {
		return &wrongProof{err}
	}
	if err != nil {
		return err
	}
	return v.recognise(true)
}

// askProof answers an error that a fresh proof of identity mends with the page that
// asks for it; false for all others.
func (v *visit) askProof(err error) bool {
	var wrong *wrongProof
	if !errors.As(err, &wrong) && !identity.IsNotFresh(err) || v.actor.Org == "" || v.who == nil {
		return false
	}
	p := proofPage{Status: http.StatusForbidden, Action: v.r.URL.RequestURI(), Back: v.cameFrom()}
	if v.isForm() && v.r.ParseForm() == nil {
		p.Carried = carriedOf(v.r.PostForm)
		p.Form = v.r.PostForm
	} else {
		// What was sent cannot be carried along: it is sent again from its page.
		p.Action, p.Carried = v.in("account", "prove"), []ui.Option{{Value: "next", Label: p.Back}}
	}
	if wrong != nil {
		p.Status, p.Wrong = v.refusal(wrong.err)
	}
	shown := v.showProof(p)
	if shown != nil {
		v.Log.ErrorContext(v.r.Context(), "the page that asks for a proof could not be made", slog.Any("error", shown))
		return false
	}
	return true
}

// carriedOf makes the hidden fields that carry a form along.
func carriedOf(form url.Values) []ui.Option {
	var fields []ui.Option
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			fields = append(fields, ui.Option{Value: name, Label: value})
		}
	}
	return fields
}

// cameFrom is the page of this node from which the request was sent.
func (v *visit) cameFrom() string {
	from, err := url.Parse(v.r.Referer())
	if err != nil || from.Host != v.r.Host || from.Path == v.r.URL.Path && v.r.Method == http.MethodPost {
		return v.in("account")
	}
	return within(from.RequestURI())
}

func (v *visit) showProof(p proofPage) error {
	ctx := v.r.Context()
	has, err := v.Identity.HasPassword(ctx, *v.who)
	if err != nil {
		return err
	}
	factor, err := v.Identity.SecondFactor(ctx, *v.who)
	if err != nil {
		return err
	}
	p.Frame = v.frame(v.T("Confirm that it is you"))
	p.Email, p.Password, p.Code = v.who.Person.Email, has, !factor.App.IsZero()
	key, err := v.hasPasskey()
	if err != nil {
		return err
	}
	if key {
		p.Passkey = v.passkeyOffer(passkeyForm{
			Does: "get", Begin: v.in("account", "prove", "passkey", "begin"), Finish: v.in("account", "prove", "passkey", "finish"),
			Action: p.Action, Carried: p.Carried, Button: v.T("Confirm by passkey and go on"),
		})
	}
	if v.who.Only != "" {
		next := p.Back
		if p.Form != nil {
			p.Kept, err = v.keep(keptForm{To: p.Action, Back: p.Back, Form: p.Form})
			if err != nil {
				return err
			}
		}
		if p.Kept {
			next = v.in("account", "prove", "go-on")
		}
		p.SSO = "/sign-in/sso?" + url.Values{"org": {string(v.who.Only)}, "next": {next}, "fresh": {"yes"}}.Encode()
	}
	p.Minutes = int(identity.Fresh.Minutes())
	return v.show(p.Status, proofView(p))
}

// proveForm asks for a proof for its own sake, and leads back.
func (v *visit) proveForm() error {
	back := within(v.r.URL.Query().Get("next"))
	return v.showProof(proofPage{Status: http.StatusOK, Action: v.in("account", "prove"), Carried: []ui.Option{{Value: "next", Label: back}}, Back: back})
}

// proven leads back to the page for which the proof was asked; the proof itself was
// taken at the door.
func (v *visit) proven() error {
	if !v.who.RecentlyAuthenticated() {
		return v.proveForm()
	}
	return v.redirect(within(v.text("next")))
}
