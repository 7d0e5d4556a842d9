package web

import (
	"net/http"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func securityRoutes() []Route {
	return []Route{
		page("/o/{org}/account/security", identity.AccountSelf, (*visit).security),
		act("/o/{org}/account/app", identity.AccountSelf, (*visit).enrolApp),
		act("/o/{org}/account/app/confirm", identity.AccountSelf, (*visit).confirmApp),
		page("/o/{org}/account/app/remove", identity.AccountSelf, (*visit).askRemoveApp),
		act("/o/{org}/account/app/remove", identity.AccountSelf, (*visit).removeApp),
		act("/o/{org}/account/recovery", identity.AccountSelf, (*visit).newRecoveryCodes),
	}
}

// security shows what stands beside the visitor's password.
func (v *visit) security() error {
	return v.showSecurity(http.StatusOK, v.done())
}

func (v *visit) showSecurity(status int, notice ui.Notice) error {
	factor, err := v.Identity.SecondFactor(v.r.Context(), *v.who)
	if err != nil {
		return err
	}
	p := securityPage{Frame: v.frame(v.T("Signing in")), Head: v.securityHead(v.T("Signing in"), ""), Notice: notice}
	p.Head.Crumbs = p.Head.Crumbs[:1]
	p.Head.Lead = v.T("What proves that it is you, beside your password.")
	p.HasPassword, err = v.Identity.HasPassword(v.r.Context(), *v.who)
	if err != nil {
		return err
	}
	p.App, p.Since, p.Codes = !factor.App.IsZero(), factor.App, factor.RecoveryCodes
	p.Enrol, p.Remove, p.NewCodes = v.in("account", "app"), v.in("account", "app", "remove"), v.in("account", "recovery")
	err = v.addPasskeys(&p)
	if err != nil {
		return err
	}
	return v.show(status, securityView(p))
}

func (v *visit) securityHead(title, lead string) ui.Head {
	return ui.Head{Crumbs: []ui.Link{{Text: v.T("Account"), Href: v.in("account")}, {Text: v.T("Signing in"), Href: v.in("account", "security")}}, Title: title, Lead: lead}
}

// refusedHere shows the page of the visitor's sign-in with what an act on it was
// refused for.
func (v *visit) refusedHere(err error, before entente.Text) error {
	status, text := v.refusal(err)
	if status == 0 || identity.IsNotFresh(err) {
		return err
	}
	return v.showSecurity(status, ui.Notice{Tone: ui.Bad, Text: v.T("%s %s.", before, text)})
}

// enrolApp begins to add an authenticator app.
func (v *visit) enrolApp() error {
	e, err := v.Identity.EnrolTOTP(v.r.Context(), *v.who)
	if err != nil {
		return v.refusedHere(err, "No authenticator app was added.")
	}
	return v.showEnrolment(http.StatusOK, e, "")
}

func (v *visit) showEnrolment(status int, e identity.Enrolment, wrong string) error {
	code, err := codeOf(e.URL)
	if err != nil {
		return err
	}
	return v.show(status, enrolView(enrolPage{
		Frame: v.frame(v.T("Add an authenticator app")),
		Head:  v.securityHead(v.T("Add an authenticator app"), v.T("An app on your phone then shows six digits that you enter after your password.")),
		Code:  code, Secret: e.Secret, Spaced: inFours(e.Secret), URL: e.URL, Wrong: wrong, Action: v.in("account", "app", "confirm"),
	}))
}

// inFours breaks a secret into groups that people can type.
func inFours(s string) string {
	var groups []string
	for len(s) > 4 {
		groups, s = append(groups, s[:4]), s[4:]
	}
	return strings.Join(append(groups, s), " ")
}

// confirmApp makes the app count by its first code. A wrong code shows the same
// enrolment again, which the form carries, so that nobody has to scan twice.
func (v *visit) confirmApp() error {
	codes, err := v.Identity.ConfirmTOTP(v.r.Context(), *v.who, v.text("code"), v.client())
	if err == nil {
		return v.showCodes("The authenticator app counts from now on. Your other sessions stay.", codes)
	}
	e := identity.Enrolment{Secret: v.text("secret"), URL: v.text("url")}
	status, text := v.refusal(err)
	if status != http.StatusUnprocessableEntity || identity.IsNotFresh(err) || e.Secret == "" || len(e.URL) > 600 || !strings.HasPrefix(e.URL, "otpauth://totp/") {
		return v.refusedHere(err, "No authenticator app was added.")
	}
	return v.showEnrolment(status, e, v.T("%s.", text))
}

func (v *visit) removeApp() error {
	err := v.Identity.RemoveTOTP(v.r.Context(), *v.who)
	if err != nil {
		return v.refusedHere(err, "Nothing was removed.")
	}
	return v.redirect(v.in("account", "security") + "?done=app-removed")
}

func (v *visit) newRecoveryCodes() error {
	codes, err := v.Identity.NewRecoveryCodes(v.r.Context(), *v.who)
	if err != nil {
		return v.refusedHere(err, "No recovery codes were made.")
	}
	return v.showCodes("The codes that you had before do not work any more.", codes)
}

func (v *visit) showCodes(text entente.Text, codes []string) error {
	return v.show(http.StatusCreated, codesView(codesPage{
		Frame: v.frame(v.T("Recovery codes")), Notice: ui.Notice{Tone: ui.Good, Text: v.T(text)}, Codes: codes, Email: v.who.Person.Email, Next: v.in("account", "security"),
		Head: v.securityHead(v.T("Recovery codes"), v.T("If you lose your phone, each of these codes lets you in once, in place of the six digits. They are shown this once only: print them, or keep them where you keep passwords.")),
	}))
}
