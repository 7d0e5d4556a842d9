package web

import (
	"errors"
	"net/http"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// passOnForm tells who may get an entry from us and why, and who may not.
func (v *visit) passOnForm() error {
	return v.showPassOn(http.StatusOK, ui.Notice{})
}

func (v *visit) showPassOn(status int, notice ui.Notice) error {
	ref, err := v.entryRef()
	if err != nil {
		return err
	}
	c, err := v.Exchange.Passable(v.r.Context(), v.actor, ref)
	if err != nil {
		return err
	}
	at := v.entryPath(c.Entry)
	shown := passOnPage{
		Frame: v.frame(v.T("Pass it on")), Notice: notice, Action: at + "/pass-on", Back: at, Allowed: v.T(allowedTexts[c.Entry.Marking.TLP]), Rules: c.Rules, Name: c.Entry.Name,
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Inbox"), Href: v.in("inbox")}, {Text: v.entryTitle(c.Entry), Href: at}}, Title: v.T("Pass it on"), Badges: []ui.Badge{tlpBadge(c.Entry.Marking.TLP)},
			Lead: v.T("It goes as it was said, with its marking and who said it first. If it is taken back, it is taken back from those who have it from you."),
		},
		Findings: v.findingViews(c.Findings, v.r.PostForm), Why: v.text("why"), Basis: v.text(sayBasis), To: ui.CheckGroup{Name: sayTo, Label: v.T("To whom"), Ticked: v.r.PostForm[sayTo]},
	}
	for _, l := range c.Lines {
		switch {
		case l.Allowed:
			shown.To.Options = append(shown.To.Options, ui.Option{Value: string(l.Party), Label: v.T("%s: %s", l.Name, l.Reason)})
		case l.Asks:
			shown.Asks = true
			shown.To.Options = append(shown.To.Options, ui.Option{Value: string(l.Party), Label: v.T("%s: a customer, if you decide that they need to know it", l.Name)})
		default:
			shown.Not = append(shown.Not, ui.Row{Cells: []ui.Cell{linkCell(l.Name, v.in("partners", string(l.Party))), plainCell(v.Say(l.Reason))}})
		}
	}
	return v.show(status, passOnView(shown))
}

// passOn passes an entry on to those who were chosen.
func (v *visit) passOn() error {
	ref, err := v.entryRef()
	if err != nil {
		return err
	}
	err = v.r.ParseForm()
	if err != nil {
		return unreadable(err)
	}
	c, err := v.Exchange.Passable(v.r.Context(), v.actor, ref)
	if err != nil {
		return err
	}
	p := exchange.Passing{Why: v.text("why"), Basis: v.text(sayBasis), Decided: decidedOf(v.r.PostForm, c.Findings)}
	for _, to := range v.r.PostForm[sayTo] {
		p.To = append(p.To, entente.PartyID(to))
	}
	id, _, err := v.Exchange.PassOn(v.r.Context(), v.actor, ref, p)
	if err == nil {
		return v.redirect(v.saidPath(id) + "?done=passed-on")
	}
	var wrong *entente.Error
	if errors.As(err, &wrong) && (wrong.Kind == entente.KindDenied || asInvalid(err, &wrong)) && !identity.IsNotFresh(err) {
		return v.showPassOn(statusFor(wrong), v.wrongNotice(wrong))
	}
	return err
}
