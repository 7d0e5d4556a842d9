package web

import (
	"net/http"
	"net/url"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func ssoRoutes() []Route {
	return []Route{
		page("/o/{org}/organisation/single-sign-on", identity.OrganisationManage, (*visit).ssoSettings),
		act("/o/{org}/organisation/single-sign-on", identity.OrganisationManage, (*visit).setSSO),
		page("/o/{org}/organisation/single-sign-on/remove", identity.OrganisationManage, (*visit).askRemoveSSO),
		act("/o/{org}/organisation/single-sign-on/remove", identity.OrganisationManage, (*visit).removeSSO),
		page("/sign-in/sso", "", (*visit).beginSSO).through(Open),
		page(identity.SSOCallback, "", (*visit).finishSSO).through(Open),
	}
}

// ssoSettings shows by which provider the members of the organisation sign in.
func (v *visit) ssoSettings() error {
	return v.showSSO(http.StatusOK, v.done(), nil)
}

// showSSO shows the settings as they are or, where typed is given, as they were typed.
func (v *visit) showSSO(status int, notice ui.Notice, typed *identity.SSO) error {
	set, err := v.Identity.SSO(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	p := ssoPage{
		Frame: v.frame(v.T("Single sign-on")), Notice: notice, Set: set != nil, Action: v.in("organisation", "single-sign-on"), Remove: v.in("organisation", "single-sign-on", "remove"),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Organisation"), Href: v.in("organisation")}}, Title: v.T("Single sign-on"),
			Lead: v.T("Members sign in with the account that they have at your organisation already, by OpenID Connect. It opens this organisation only."),
		},
	}
	p.Callback, err = v.Identity.SSOAddress()
	if err != nil {
		p.Notice = ui.Notice{Tone: ui.Warn, Text: v.T("%s.", v.failureOf(err).Text)}
	}
	if typed == nil {
		typed = set
	}
	if typed != nil {
		p.Label, p.Issuer, p.Client, p.Trust = typed.Label, typed.Issuer, typed.ClientID, typed.TrustEmails
	}
	if set != nil {
		p.SignIn = v.base() + "/sign-in/sso?" + url.Values{"org": {string(v.actor.Org)}}.Encode()
	}
	return v.show(status, ssoView(p))
}

func (v *visit) setSSO() error {
	n := identity.SSO{Label: v.text("label"), Issuer: v.text("issuer"), ClientID: v.text("client"), Secret: v.text("secret"), TrustEmails: v.text("trust") != ""}
	err := v.Identity.SetSSO(v.r.Context(), v.actor, n)
	if err == nil {
		return v.redirect(v.in("organisation", "single-sign-on") + "?done=sso")
	}
	status, text := v.refusal(err)
	if status == 0 || entente.KindOf(err) == entente.KindDenied {
		return err
	}
	return v.showSSO(status, ui.Notice{Tone: ui.Bad, Text: v.T("Nothing was changed. %s.", text)}, &n)
}

func (v *visit) removeSSO() error {
	err := v.Identity.RemoveSSO(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	return v.redirect(v.in("organisation", "single-sign-on") + "?done=sso-removed")
}

// ssoCookie ties a sign-in under way at a provider to the browser that began it.
func (v *visit) ssoCookie(binding string) {
	c := &http.Cookie{Name: v.cookieName() + "-sso", Value: binding, Path: "/", MaxAge: 600, HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteLaxMode}
	if binding == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// beginSSO sends the browser to the provider of an organisation, and asks which
// organisation where the link does not say so.
func (v *visit) beginSSO() error {
	query := v.r.URL.Query()
	p := chooseSSOPage{Org: strings.TrimSpace(query.Get("org")), Next: within(query.Get("next"))}
	if p.Org == "" {
		return v.show(http.StatusOK, chooseSSOView(p))
	}
	fresh := query.Get("fresh") != "" && v.signedIn()
	to, binding, err := v.Identity.BeginSSO(v.r.Context(), entente.OrgID(p.Org), p.Next, fresh, v.client())
	if err != nil {
		status, text := v.refusal(err)
		if status == 0 {
			return err
		}
		p.Wrong = v.T("%s.", text)
		return v.show(status, chooseSSOView(p))
	}
	v.ssoCookie(binding)
	return v.redirect(to)
}

// finishSSO takes the browser back from the provider.
func (v *visit) finishSSO() error {
	binding := ""
	cookie, err := v.r.Cookie(v.cookieName() + "-sso")
	if err == nil {
		binding = cookie.Value
	}
	v.ssoCookie("")
	query := v.r.URL.Query()
	answer := identity.SSOAnswer{State: query.Get("state"), Code: query.Get("code"), Error: query.Get("error")}
	token, session, next, err := v.Identity.FinishSSO(v.r.Context(), answer, binding, v.client())
	if err != nil {
		status, text := v.refusal(err)
		if status == 0 {
			return err
		}
		return v.showSignIn(status, signInPage{Next: "/", Notice: ui.Notice{Tone: ui.Bad, Text: v.T("%s.", text)}})
	}
	v.remember(token, session)
	return v.redirect(within(next))
}

// offerSSO adds the provider of the organisation to which signing in leads.
func (v *visit) offerSSO(p *signInPage) error {
	p.SSO = ui.Link{Text: v.T("Sign in with your organisation's account"), Href: "/sign-in/sso?" + url.Values{"next": {p.Next}}.Encode()}
	rest, inside := strings.CutPrefix(p.Next, "/o/")
	if !inside {
		return nil
	}
	org, _, _ := strings.Cut(strings.SplitN(rest, "?", 2)[0], "/")
	if entente.ValidSlug(org) != nil {
		return nil
	}
	label, ok, err := v.Identity.SSOLabel(v.r.Context(), entente.OrgID(org))
	if err != nil || !ok {
		return err
	}
	p.SSO = ui.Link{Text: v.T("Sign in with %s", label), Href: "/sign-in/sso?" + url.Values{"org": {org}, "next": {p.Next}}.Encode()}
	return nil
}
