package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func identityRoutes() []Route {
	return slices.Concat([]Route{
		page("/{$}", "", (*visit).start).through(SignedIn),
		page("/sign-in", "", (*visit).signInForm).through(Open),
		act("/sign-in", "", (*visit).signIn).through(Open),
		page("/sign-in/code", "", (*visit).codeForm).through(Open),
		act("/sign-in/code", "", (*visit).confirmCode).through(Open),
		act("/sign-out", "", (*visit).signOut).through(Open),
		page("/o/{org}/account", identity.AccountSelf, (*visit).account),
		act("/o/{org}/account/password", identity.AccountSelf, (*visit).changePassword),
		act("/o/{org}/account/sessions/{id}/end", identity.AccountSelf, (*visit).endSession),
		act("/o/{org}/account/sessions/end-others", identity.AccountSelf, (*visit).endOtherSessions),
	}, proofRoutes(), preferenceRoutes(), securityRoutes(), passkeyRoutes(), peopleRoutes(), tokenRoutes(), resetRoutes(), notifyRoutes(), organisationRoutes(), ssoRoutes())
}

// start leads to the visitor's organisation, or lets them choose.
func (v *visit) start() error {
	if len(v.who.Memberships) == 1 {
		return v.redirect(pathIn(v.who.Memberships[0].Org))
	}
	var p organisationsPage
	for _, m := range v.who.Memberships {
		p.Organisations = append(p.Organisations, organisationChoice{Link: ui.Link{Text: m.OrgName, Href: pathIn(m.Org)}, Role: v.role(m.Role)})
	}
	slices.SortFunc(p.Organisations, func(a, b organisationChoice) int { return strings.Compare(a.Text, b.Text) })
	return v.show(http.StatusOK, organisationsView(p))
}

func (v *visit) signInForm() error {
	if v.who != nil && !v.who.Pending {
		return v.redirect("/")
	}
	return v.showSignIn(http.StatusOK, signInPage{Next: within(v.r.URL.Query().Get("next")), Notice: v.done()})
}

// showSignIn shows the ways of signing in that this node has.
func (v *visit) showSignIn(status int, p signInPage) error {
	p.Passkey = v.passkeyOffer(passkeyForm{
		Does: "get", Begin: "/sign-in/passkey/begin", Finish: "/sign-in/passkey/finish", Button: v.T("Sign in with a passkey"), Carried: []ui.Option{{Value: "next", Label: p.Next}},
	})
	p.Forgotten = v.Notify.CanMail()
	err := v.offerSSO(&p)
	if err != nil {
		return err
	}
	return v.show(status, signInView(p))
}

func (v *visit) signIn() error {
	next, email := within(v.r.PostFormValue("next")), v.text("email")
	token, session, err := v.Identity.SignIn(v.r.Context(), email, v.r.PostFormValue("password"), v.client())
	if err != nil {
		status, text := v.refusal(err)
		if status == 0 {
			return err
		}
		return v.showSignIn(status, signInPage{Next: next, Email: email, Notice: ui.Notice{Tone: ui.Bad, Text: text}})
	}
	v.remember(token, session)
	if session.Pending {
		return v.redirect("/sign-in/code?" + url.Values{"next": {next}}.Encode())
	}
	return v.redirect(next)
}

// refusal tells the visitor what an act of theirs was refused for; 0 for faults,
// which are not theirs.
func (v *visit) refusal(err error) (status int, text string) {
	kind := entente.KindOf(err)
	if kind == entente.KindInternal {
		return 0, ""
	}
	status, _ = statusOf(kind)
	if kind == entente.KindDenied {
		// The form is shown again: it is the answer to what was typed into it.
		status = http.StatusUnprocessableEntity
	}
	return status, v.failureOf(err).Text
}

func (v *visit) codeForm() error {
	if v.who == nil || !v.who.Pending {
		return v.redirect("/sign-in")
	}
	return v.show(http.StatusOK, codeView(codePage{Next: within(v.r.URL.Query().Get("next"))}))
}

func (v *visit) confirmCode() error {
	if v.who == nil || !v.who.Pending {
		return v.redirect("/sign-in")
	}
	next := within(v.r.PostFormValue("next"))
	token, session, err := v.Identity.ConfirmCode(v.r.Context(), v.token, v.text("code"), v.client())
	if err != nil {
		status, text := v.refusal(err)
		if status == 0 {
			return err
		}
		return v.show(status, codeView(codePage{Next: next, Notice: ui.Notice{Tone: ui.Bad, Text: text}}))
	}
	v.remember(token, session)
	return v.redirect(next)
}

func (v *visit) signOut() error {
	if v.token != "" {
		err := v.Identity.SignOut(v.r.Context(), v.token)
		if err != nil {
			return err
		}
	}
	v.forget()
	return v.redirect("/sign-in")
}

// account shows the visitor's own account.
func (v *visit) account() error {
	p, err := v.accountShown()
	if err != nil {
		return err
	}
	p.Notice = v.done()
	return v.show(http.StatusOK, accountView(p))
}

func (v *visit) accountShown() (accountPage, error) {
	sessions, err := v.Identity.Sessions(v.r.Context(), *v.who)
	if err != nil {
		return accountPage{}, err
	}
	factor, err := v.Identity.SecondFactor(v.r.Context(), *v.who)
	if err != nil {
		return accountPage{}, err
	}
	has, err := v.Identity.HasPassword(v.r.Context(), *v.who)
	if err != nil {
		return accountPage{}, err
	}
	names, err := v.processNames()
	if err != nil {
		return accountPage{}, err
	}
	p := accountPage{
		Frame: v.frame(v.T("Account")), First: !has, Security: v.in("account", "security"), Reading: v.in("account", "preferences"), Code: !factor.App.IsZero(), Email: v.who.Person.Email, Shortest: identity.MinPassword,
		PasswordAction: v.in("account", "password"), EndOthers: v.in("account", "sessions", "end-others"),
		Defs: []ui.Def{
			{Term: v.T("Name"), Text: v.who.Person.Name}, {Term: v.T("E-mail address"), Text: v.who.Person.Email},
			{Term: v.T("Role here"), Text: v.role(v.actor.Role)}, {Term: v.T("Limited to"), Text: v.scopeWords(v.actor.Role, v.actor.Scope, names)},
		},
	}
	for _, s := range sessions {
		p.Sessions = append(p.Sessions, sessionView{
			Agent: v.agent(s.Agent), Address: s.Address, Method: v.T(methodTexts[s.Method]), Created: s.Created, Seen: s.Seen,
			This: s.ID == v.who.ID, End: v.in("account", "sessions", s.ID, "end"),
		})
	}
	return p, nil
}

func (v *visit) changePassword() error {
	old := identity.Proof{Password: v.r.PostFormValue("old"), Code: v.text("code")}
	err := v.Identity.ChangePassword(v.r.Context(), *v.who, old, v.r.PostFormValue("new"), v.client())
	if err == nil {
		return v.redirect(v.in("account") + "?done=password")
	}
	status, text := v.refusal(err)
	if status == 0 || identity.IsNotFresh(err) {
		return err
	}
	p, shown := v.accountShown()
	if shown != nil {
		return shown
	}
	p.Notice = ui.Notice{Tone: ui.Bad, Text: v.T("The password was not changed.")}
	if entente.KindOf(err) == entente.KindInvalid {
		p.NewWrong = text
	} else {
		p.OldWrong = text
	}
	return v.show(status, accountView(p))
}

func (v *visit) endSession() error {
	err := v.Identity.EndSession(v.r.Context(), *v.who, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.redirect(v.in("account") + "?done=ended")
}

func (v *visit) endOtherSessions() error {
	err := v.Identity.EndOtherSessions(v.r.Context(), *v.who)
	if err != nil {
		return err
	}
	return v.redirect(v.in("account") + "?done=others")
}
