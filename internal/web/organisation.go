package web

import (
	"net/http"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func organisationRoutes() []Route {
	return []Route{
		page("/o/{org}/organisation", identity.OrganisationRead, (*visit).organisation),
		act("/o/{org}/organisation/name", identity.OrganisationManage, (*visit).renameOrganisation),
	}
}

// organisation shows the settings of the organisation.
func (v *visit) organisation() error {
	return v.showOrganisation(http.StatusOK, v.done(), "", "")
}

func (v *visit) showOrganisation(status int, notice ui.Notice, name, wrong string) error {
	o, err := v.Identity.Organisation(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	p := organisationPage{
		Frame: v.frame(v.T("Organisation")), Notice: notice, Name: o.Name, NameWrong: wrong,
		Head: ui.Head{Title: v.T("Organisation"), Lead: v.T("Settings that apply to everybody in %s.", o.Name)},
		Defs: []ui.Def{{Term: v.T("Name"), Text: o.Name}, {Term: v.T("Identifier"), View: code(string(o.ID))}, {Term: v.T("On this node since"), View: ui.Date(o.Created)}},
	}
	if wrong != "" {
		p.Name = name
	}
	if v.may(identity.JournalVerify) && !v.may(identity.JournalRead) {
		p.Head.Actions = []ui.Link{{Text: v.T("Verify the journal"), Href: v.in("journal", "verify")}}
	}
	if v.may(identity.OrganisationManage) {
		p.Rename = v.in("organisation", "name")
		p.Head.Actions = append(p.Head.Actions, ui.Link{Text: v.T("Single sign-on"), Href: v.in("organisation", "single-sign-on")})
	}
	return v.show(status, organisationView(p))
}

func (v *visit) renameOrganisation() error {
	name := v.text("name")
	err := v.Identity.RenameOrganisation(v.r.Context(), v.actor, name)
	if err == nil {
		return v.redirect(v.in("organisation") + "?done=renamed")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showOrganisation(statusFor(wrong), ui.Notice{Tone: ui.Bad, Text: v.T("The name was not changed.")}, name, v.sentence(wrong))
}
