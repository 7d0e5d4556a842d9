package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func embargoRoutes() []Route {
	return []Route{
		page("/o/{org}/embargoes", identity.ExchangeRead, (*visit).embargoes),
		page("/o/{org}/partners/{id}/embargo", identity.ExchangeRead, (*visit).embargo),
		act("/o/{org}/partners/{id}/embargo", identity.ExchangeShare, (*visit).stepEmbargo).on(identity.KindPartnership),
		page("/o/{org}/ledger/{id}/embargo", identity.ExchangeShare, (*visit).askEmbargo),
		act("/o/{org}/ledger/{id}/embargo", identity.ExchangeShare, (*visit).proposeEmbargo),
	}
}

// embargoWords name the states of an embargo; ended is one whose end has come.
var embargoWords = map[entente.EmbargoState]entente.Text{
	entente.EmbargoProposed: "proposed", entente.EmbargoRunning: "running", entente.EmbargoRevised: "running, new end proposed", entente.EmbargoReleased: "released",
	entente.EmbargoRefused: "refused", embargoEnded: "ended",
}

const embargoEnded entente.EmbargoState = "ended"

// embargoActs say what one side did.
var embargoActs = map[entente.EmbargoAct]entente.Text{
	entente.ProposeEmbargo: "proposed it", entente.AcceptEmbargo: "accepted", entente.RefuseEmbargo: "refused", entente.ReviseEmbargo: "proposed another end", entente.ReleaseEmbargo: "wants it to end",
}

// embargoPath is the page of an embargo.
func (v *visit) embargoPath(party entente.PartyID, subject string) string {
	return v.in("partners", string(party), "embargo") + "?" + url.Values{"subject": {subject}}.Encode()
}

// embargoNow is the state as it is now: an embargo whose end has come has ended.
func embargoNow(e exchange.EmbargoOn) entente.EmbargoState {
	if (e.State == entente.EmbargoRunning || e.State == entente.EmbargoRevised || e.State == entente.EmbargoProposed) && e.Over(time.Now()) {
		return embargoEnded
	}
	return e.State
}

func (v *visit) embargoBadge(e exchange.EmbargoOn) ui.Badge {
	state := embargoNow(e)
	tone := map[entente.EmbargoState]ui.Tone{entente.EmbargoProposed: ui.Warn, entente.EmbargoRevised: ui.Warn, entente.EmbargoRunning: ui.Accent}[state]
	return ui.Badge{Text: v.Say(word(embargoWords, state)), Tone: tone}
}

// embargoRow is a line of a table of embargoes: of one partner about one subject.
func (v *visit) embargoRow(e exchange.EmbargoOn, href string) ui.Row {
	state, until := plainCell(v.T("none")), ui.Cell{}
	words := v.T("Propose one to %s", e.Name)
	if e.State != "" {
		state, until, words = badgeCell(v.embargoBadge(e)), v.embargoEnd(e), v.T("Embargo with %s", e.Name)
		state.Note = v.embargoAnswer(e)
	}
	return ui.Row{Cells: []ui.Cell{v.partnerCell(e.Party, e.Name), state, until, linkCell(words, href)}}
}

// embargoAnswer says who accepted it or refused it, or who has not answered.
func (v *visit) embargoAnswer(e exchange.EmbargoOn) string {
	switch state := embargoNow(e); {
	case (state == entente.EmbargoProposed || state == entente.EmbargoRevised) && e.Ours():
		return v.T("waits for your answer")
	case state == entente.EmbargoProposed || state == entente.EmbargoRevised:
		return v.T("%s has not answered", e.Name)
	}
	for _, s := range slices.Backward(e.Steps) {
		who := v.org.Name
		if s.By == e.Party {
			who = e.Name
		}
		switch s.Step.Act {
		case entente.AcceptEmbargo:
			return v.T("accepted by %s, %s", who, v.reader().Moment(s.At))
		case entente.RefuseEmbargo:
			return v.T("refused by %s, %s", who, v.reader().Moment(s.At))
		}
	}
	return ""
}

// embargoTally says how many of those who hold something have agreed to an embargo, have
// not answered, and have refused; "" where none was ever proposed.
func (v *visit) embargoTally(all []exchange.EmbargoOn) string {
	count := func(states ...entente.EmbargoState) (n int) {
		for _, e := range all {
			if slices.Contains(states, embargoNow(e)) {
				n++
			}
		}
		return n
	}
	running, open, refused := count(entente.EmbargoRunning, entente.EmbargoRevised), count(entente.EmbargoProposed), count(entente.EmbargoRefused)
	if running+open+refused == 0 {
		return ""
	}
	return v.T("Who got it: %d. Agreed: %d. Not answered: %d. Refused: %d.", len(all), running, open, refused)
}

// embargoEnd is when it ends, or would.
func (v *visit) embargoEnd(e exchange.EmbargoOn) ui.Cell {
	switch {
	case e.State == entente.EmbargoRefused || e.State == entente.EmbargoReleased:
		return ui.Cell{}
	case e.State == entente.EmbargoProposed:
		return momentCell(v, e.Proposed)
	}
	c := momentCell(v, e.Until)
	if e.State == entente.EmbargoRevised {
		c.Note = v.T("%s is proposed", v.reader().Moment(e.Proposed))
	}
	return c
}

// embargoColumns are those of [visit.embargoRow].
var embargoColumns = []ui.Column{{Label: "Partner"}, {Label: "Embargo"}, {Label: "Until"}, {Label: "More"}}

// embargoes lists all embargoes.
func (v *visit) embargoes() error {
	all, err := v.Exchange.Embargoes(v.r.Context(), v.actor, "")
	if err != nil {
		return err
	}
	type row = exchange.EmbargoOn
	l := list[row]{
		name: "embargoes", one: "embargo", many: "embargoes", search: "Search by subject or partner",
		empty: ui.Empty{Title: v.T("No embargo yet"), Text: v.T("An embargo is an agreement with a partner that nobody passes something on before a date. Propose one on the page of what you said or of what you were told.")},
		text:  func(e row) []string { return []string{e.Subject, e.Name} },
		columns: []column[row]{
			{key: "subject", label: "About", order: byText(func(e row) string { return e.Subject }), cell: func(e row) ui.Cell { return linkCell(e.Subject, v.embargoPath(e.Party, e.Subject)) }},
			{key: "partner", label: "Partner", order: byText(func(e row) string { return e.Name }), cell: func(e row) ui.Cell { return v.partnerCell(e.Party, e.Name) }},
			{key: "state", label: "State", order: byText(func(e row) string { return string(embargoNow(e)) }), cell: func(e row) ui.Cell {
				badges := []ui.Badge{v.embargoBadge(e)}
				if e.Ours() && e.Active(time.Now()) {
					badges = append(badges, ui.Badge{Text: v.T("waits for you"), Tone: ui.Bad})
				}
				return badgeCell(badges...)
			}},
			{key: "until", label: "Until", tight: true, order: by(func(e row) int64 { return max(e.Until.Unix(), e.Proposed.Unix()) }), cell: v.embargoEnd},
		},
		filters: []filter[row]{{key: "state", label: "State", options: wordsIn(v, embargoWords, all, embargoNow), match: func(e row, value string) bool { return string(embargoNow(e)) == value }}},
	}
	head := ui.Head{Crumbs: v.ledgerCrumbs(nil), Title: v.T("Embargoes"), Lead: v.T("What you and a partner have agreed not to pass on before a date.")}
	return l.show(v, held[row]{l, all}, func(shown ui.List) templ.Component {
		return partnersView(partnersPage{Frame: v.frame(head.Title), Head: head, Notice: v.done(), List: shown})
	})
}

// embargo shows the embargo about a subject with a partner.
func (v *visit) embargo() error {
	return v.showEmbargo(http.StatusOK, v.r.URL.Query().Get("subject"), v.done(), "", "")
}

func (v *visit) showEmbargo(status int, subject string, notice ui.Notice, until, reason string) error {
	e, err := v.Exchange.EmbargoOf(v.r.Context(), v.actor, v.party(), subject)
	if err != nil {
		return err
	}
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, e.Party)
	if err != nil {
		return err
	}
	title := v.T("Embargo with %s", e.Name)
	shown := embargoPage{
		Frame: v.frame(title), Notice: notice, Embargo: v.embargoBox(e, p.State == exchange.Active),
		Head: ui.Head{Crumbs: append(v.partnerCrumbs(&p), ui.Link{Text: v.T("Embargoes"), Href: v.in("embargoes")}), Title: title, Lead: v.T("About %s", subject)},
	}
	if e.State != "" {
		shown.Head.Badges = []ui.Badge{v.embargoBadge(e)}
	}
	shown.Embargo.Until.Value, shown.Embargo.Reason.Value = until, reason
	return v.show(status, embargoPageView(shown))
}

// embargoBox tells where an embargo stands and what can be done about it, for any page
// about its subject.
func (v *visit) embargoBox(e exchange.EmbargoOn, active bool) embargoView {
	now, state := time.Now(), embargoNow(e)
	shown := embargoView{
		Name: e.Name, Subject: e.Subject, Page: v.embargoPath(e.Party, e.Subject), Open: e.State != "", Says: v.embargoSays(e, state),
		Until:  ui.Field{Name: "until", Label: v.T("Not passed on before"), Type: "datetime-local", Hint: v.T("By the clock of %s.", v.reader().Zone().String())},
		Reason: ui.Field{Name: "reason", Label: v.T("Reason, which %s reads", e.Name), MaxLength: entente.MaxMarkingText},
	}
	for _, s := range slices.Backward(e.Steps) {
		who, until := v.org.Name, ui.Cell{}
		if s.By == e.Party {
			who = e.Name
		}
		if !s.Step.Until.IsZero() {
			until = momentCell(v, s.Step.Until)
		}
		shown.Steps = append(shown.Steps, ui.Row{Cells: []ui.Cell{momentCell(v, s.At), plainCell(who), {Text: v.Say(word(embargoActs, s.Step.Act)), Note: s.Step.Reason}, until}})
	}
	if !active || e.Subject == "" || !v.mayOn(identity.ExchangeShare, identity.KindPartnership, string(e.Party)) {
		return shown
	}
	shown.Action, shown.Open = v.in("partners", string(e.Party), "embargo"), true
	shown.Accept, shown.Refuse = e.Ours() && e.Active(now), e.Ours() && e.Active(now)
	switch state {
	case entente.EmbargoProposed:
		shown.Terms = "Propose another end"
		if !e.Ours() {
			shown.Release = v.T("Take the proposal back")
		}
	case entente.EmbargoRunning, entente.EmbargoRevised:
		shown.Terms = "Propose another end"
		switch {
		case e.ReleasedBy == e.Party:
			shown.Release = v.T("End it now, as %s wants", e.Name)
		case e.ReleasedBy == "":
			shown.Release = v.T("Ask %s to end it now", e.Name)
		}
	default:
		shown.Terms = "Propose an embargo"
	}
	return shown
}

// embargoStepColumns are those of the steps of an embargo.
var embargoStepColumns = []ui.Column{{Label: "When", Tight: true}, {Label: "Who"}, {Label: "What"}, {Label: "End that was named", Tight: true}}

// embargoSays says in a sentence where an embargo stands.
func (v *visit) embargoSays(e exchange.EmbargoOn, state entente.EmbargoState) string {
	at := v.reader().Moment
	switch state {
	case entente.EmbargoProposed:
		if e.Ours() {
			return v.T("%s proposes that nobody passes it on before %s. Until you answer, it is held back.", e.Name, at(e.Proposed))
		}
		return v.T("You propose that nobody passes it on before %s. Until %s answers, it is held back.", at(e.Proposed), e.Name)
	case entente.EmbargoRunning:
		switch e.ReleasedBy {
		case "":
			return v.T("Nobody passes it on before %s.", at(e.Until))
		case e.Party:
			return v.T("Nobody passes it on before %s. %s would end that now, which needs your word too.", at(e.Until), e.Name)
		}
		return v.T("Nobody passes it on before %s. You would end that now, which needs the word of %s too.", at(e.Until), e.Name)
	case entente.EmbargoRevised:
		if e.Ours() {
			return v.T("Nobody passes it on before %s. %s proposes %s instead, which counts when you accept.", at(e.Until), e.Name, at(e.Proposed))
		}
		return v.T("Nobody passes it on before %s. You propose %s instead, which counts when %s accepts.", at(e.Until), at(e.Proposed), e.Name)
	case entente.EmbargoReleased:
		return v.T("The embargo was ended by both. It may be passed on as its label says.")
	case entente.EmbargoRefused:
		return v.T("An embargo was proposed and refused. It may be passed on as its label says.")
	case embargoEnded:
		if e.State == entente.EmbargoProposed {
			return v.T("An embargo was proposed, and nobody answered before its end came. It may be passed on as its label says.")
		}
		return v.T("The embargo ended %s. It may be passed on as its label says.", at(e.Until))
	}
	return v.T("There is no embargo. It may be passed on as its label says.")
}

// stepEmbargo takes a step of an embargo.
func (v *visit) stepEmbargo() error {
	subject, until, reason := v.text("subject"), v.text("until"), v.text("reason")
	step := entente.EmbargoStep{Act: entente.EmbargoAct(v.text("act")), Reason: reason}
	var err error
	if step.Act == actTerms {
		// Whether these are the first terms or others is for the state to say.
		step.Act, err = v.termsAct(subject)
		if err != nil {
			return err
		}
		step.Until, err = v.embargoUntil(until)
	}
	if err == nil {
		err = v.Exchange.Embargo(v.r.Context(), v.actor, v.party(), subject, step)
	}
	if err == nil {
		return v.redirect(v.embargoPath(v.party(), subject) + "&done=embargo-" + string(step.Act))
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showEmbargo(statusFor(wrong), subject, v.wrongNotice(wrong), until, reason)
}

// embargoAsk is the form that proposes an embargo to several.
type embargoAsk struct {
	to            []string
	until, reason string
}

// askEmbargo asks with whom of those who got something an embargo is to be agreed: with
// all, unless somebody is left out.
func (v *visit) askEmbargo() error { return v.showEmbargoAsk(http.StatusOK, nil, ui.Notice{}) }

func (v *visit) showEmbargoAsk(status int, f *embargoAsk, notice ui.Notice) error {
	st, lines, err := v.Exchange.Statement(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	with, err := v.embargoesAbout(st.Subject)
	if err != nil {
		return err
	}
	known, err := v.partnersByParty()
	if err != nil {
		return err
	}
	title := v.T("Propose an embargo")
	p := embargoAskPage{
		Frame: v.frame(title), Notice: notice, Action: v.in("ledger", st.ID, "embargo"), Back: v.in("ledger", st.ID),
		Head:   ui.Head{Crumbs: v.ledgerCrumbs(&st), Title: title, Lead: v.T("About %s", st.Title)},
		To:     ui.CheckGroup{Name: "to", Label: v.T("Those who got it")},
		Until:  ui.Field{Name: "until", Label: v.T("Not passed on before"), Type: "datetime-local", Hint: v.T("By the clock of %s.", v.reader().Zone().String()), Required: true},
		Reason: ui.Field{Name: "reason", Label: v.T("Reason, which all of them read"), MaxLength: entente.MaxMarkingText},
	}
	left := 0
	for _, l := range lines {
		switch {
		case askable(l, known, with):
			p.To.Options = append(p.To.Options, ui.Option{Value: string(l.Party), Label: l.Name})
			p.To.Ticked = append(p.To.Ticked, string(l.Party))
		case l.Number > 0:
			left++
		}
	}
	if left > 0 {
		p.To.Hint = v.N(left, "%d more got it, and cannot be asked: there is an embargo with them already, they were told to delete it, or the partnership has ended.",
			"%d more got it, and cannot be asked: there is an embargo with them already, they were told to delete it, or the partnership has ended.")
	}
	if f != nil {
		p.To.Ticked, p.Until.Value, p.Reason.Value = f.to, f.until, f.reason
	}
	return v.show(status, embargoAskView(p))
}

// askable says whether an embargo can be proposed to one who got something.
func askable(l exchange.Line, known map[entente.PartyID]exchange.Partner, with map[entente.PartyID]exchange.EmbargoOn) bool {
	return l.Holds() && known[l.Party].State == exchange.Active && !with[l.Party].Active(time.Now())
}

// embargoesAbout gives the embargoes about a subject by partner.
func (v *visit) embargoesAbout(subject string) (map[entente.PartyID]exchange.EmbargoOn, error) {
	all, err := v.Exchange.Embargoes(v.r.Context(), v.actor, subject)
	with := map[entente.PartyID]exchange.EmbargoOn{}
	for _, e := range all {
		with[e.Party] = e
	}
	return with, err
}

// proposeEmbargo proposes an embargo to all who were chosen, or to none.
func (v *visit) proposeEmbargo() error {
	if err := v.r.ParseForm(); err != nil {
		return unreadable(err)
	}
	f := embargoAsk{to: v.r.PostForm["to"], until: v.text("until"), reason: v.text("reason")}
	until, err := v.embargoUntil(f.until)
	if err == nil {
		to := make([]entente.PartyID, len(f.to))
		for i, p := range f.to {
			to[i] = entente.PartyID(p)
		}
		err = v.Exchange.ProposeEmbargo(v.r.Context(), v.actor, v.r.PathValue("id"), to, until, f.reason)
	}
	if err == nil {
		return v.redirect(v.in("ledger", v.r.PathValue("id")) + "?done=embargo-propose#embargo")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showEmbargoAsk(statusFor(wrong), &f, v.wrongNotice(wrong))
}

// embargoUntil reads an end as forms send it, by the clock of the visitor.
func (v *visit) embargoUntil(text string) (time.Time, error) {
	until, err := time.ParseInLocation("2006-01-02T15:04", text, v.reader().Zone())
	if err != nil {
		return until, entente.Invalid("say until when, with day and time")
	}
	return until.UTC(), nil
}

// actTerms is what the form that names an end sends.
const actTerms entente.EmbargoAct = "terms"

func (v *visit) termsAct(subject string) (entente.EmbargoAct, error) {
	e, err := v.Exchange.EmbargoOf(v.r.Context(), v.actor, v.party(), subject)
	switch embargoNow(e) {
	case entente.EmbargoProposed, entente.EmbargoRunning, entente.EmbargoRevised:
		return entente.ReviseEmbargo, err
	}
	return entente.ProposeEmbargo, err
}
