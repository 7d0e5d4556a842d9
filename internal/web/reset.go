package web

import (
	"net/http"
	"net/url"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/web/ui"
)

// A password is set anew by a link that is mailed, on nodes that can mail it.
func resetRoutes() []Route {
	return []Route{
		page("/sign-in/forgotten", "", (*visit).forgottenForm).through(Open),
		act("/sign-in/forgotten", "", (*visit).forgotten).through(Open),
		page("/new-password", "", (*visit).resetForm).through(Open),
		act("/new-password", "", (*visit).reset).through(Open),
	}
}

type forgottenPage struct {
	Notice ui.Notice
	Email  string
	Sent   bool
}

type resetPage struct {
	Notice   ui.Notice
	Key      string
	Shortest int
}

func (v *visit) forgottenForm() error {
	if !v.Notify.CanMail() {
		return errNoPage
	}
	return v.show(http.StatusOK, forgottenView(forgottenPage{}))
}

// forgotten mails a link, and answers the same whether there is such an account.
func (v *visit) forgotten() error {
	if !v.Notify.CanMail() {
		return errNoPage
	}
	p := forgottenPage{Email: v.text("email")}
	made, err := v.Identity.BeginReset(v.r.Context(), p.Email, v.client())
	if err == nil && made != nil {
		link := v.Notify.Origin() + "/new-password?" + url.Values{"key": {made.Secret}}.Encode()
		to, failed := v.readerFor(made.Person.Email)
		if failed != nil {
			return failed
		}
		text := to.T("Somebody, hopefully you, wants to set a new password for your account. This link does so, once and within an hour: %s", link) + "\n\n" +
			to.T("If it was not you, there is nothing to do: without the link nothing changes.") + "\n"
		err = v.Notify.Mail(v.r.Context(), entente.System(made.Org, entente.DoorPage), notify.Mail{
			To: made.Person.Email, Subject: to.T("Set a new password"), Text: text, Until: made.Until,
		})
	}
	if err != nil {
		status, said := v.refusal(err)
		if status == 0 {
			return err
		}
		p.Notice = ui.Notice{Tone: ui.Bad, Text: said}
		return v.show(status, forgottenView(p))
	}
	p.Sent = true
	return v.show(http.StatusOK, forgottenView(p))
}

func (v *visit) resetForm() error {
	if !v.Notify.CanMail() {
		return errNoPage
	}
	return v.show(http.StatusOK, resetView(resetPage{Key: v.r.URL.Query().Get("key"), Shortest: identity.MinPassword}))
}

func (v *visit) reset() error {
	key := v.text("key")
	err := v.Identity.FinishReset(v.r.Context(), key, v.r.PostFormValue("password"))
	if err == nil {
		return v.redirect("/sign-in?done=new-password")
	}
	status, said := v.refusal(err)
	if status == 0 {
		return err
	}
	return v.show(status, resetView(resetPage{Key: key, Shortest: identity.MinPassword, Notice: ui.Notice{Tone: ui.Bad, Text: said}}))
}
