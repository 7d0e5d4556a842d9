package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func agreementRoutes() []Route {
	const kind = identity.KindPartnership
	return []Route{
		page("/o/{org}/partners/{id}/agreement", identity.PartnerRead, (*visit).agreement).on(kind),
		page("/o/{org}/partners/{id}/propose", identity.PartnerManage, (*visit).proposeForm).on(kind),
		act("/o/{org}/partners/{id}/propose", identity.PartnerManage, (*visit).propose).on(kind),
		act("/o/{org}/partners/{id}/sign", identity.PartnerManage, (*visit).signProposal).on(kind),
		act("/o/{org}/partners/{id}/refuse", identity.PartnerManage, (*visit).refuseProposal).on(kind),
	}
}

// kindTexts are what travels between partners, in the words of an agreement.
var kindTexts = map[entente.EntryKind]entente.Text{
	entente.EntryAdvisory:   "Security advisories",
	entente.EntrySBOM:       "SBOMs: what products are made of",
	entente.EntryVEX:        "Whether products are affected (VEX)",
	entente.EntryChain:      "Who stands behind them: their own suppliers",
	entente.EntryThreat:     "Threats that were seen",
	entente.EntryPractice:   "Good practice",
	entente.EntryConcern:    "Concerns about each other",
	entente.EntryNote:       "Notes of meetings",
	entente.EntryContacts:   "Contacts",
	entente.EntryKeyChanged: "A change of keys",
	entente.EntryMoved:      "A move to another node",
	entente.EntryAgreement:  "A change of the agreement",
	entente.EntryAnswer:     "An answer",
	entente.EntryRecall:     "Something taken back",
	entente.EntryNarrow:     "A narrower marking",
	entente.EntryEmbargo:    "A step of an embargo",
	entente.EntryRead:       "A note that something was read",
}

// entryName names a kind of entry; one of a later version of the program is named as
// it came.
func (v *visit) entryName(k entente.EntryKind) string {
	if text, ok := kindTexts[k]; ok {
		return v.T(text)
	}
	return v.T("Something of a later version (%s)", string(k))
}

// labelTexts say what the labels of TLP 2.0 mean, in plain words.
var labelTexts = map[entente.TLP]entente.Text{
	entente.TLPClear:       "Everybody may know it.",
	entente.TLPGreen:       "It may be passed on among partners and in the community, but not made public.",
	entente.TLPAmber:       "It is for the organisation that gets it, and for those of its customers who need to know it. It never goes to its suppliers.",
	entente.TLPAmberStrict: "It is for the organisation that gets it, and for nobody else.",
	entente.TLPRed:         "It is for the people who are named, and for nobody else, also within their organisation.",
}

func (v *visit) labelMeanings() []ui.Def {
	var defs []ui.Def
	for _, t := range entente.TLPs() {
		defs = append(defs, ui.Def{Term: t.String(), Text: v.T(labelTexts[t])})
	}
	return defs
}

// term is one thing that an agreement says, in words.
type term struct {
	Name string
	Says []string
}

// termsOf says an agreement in plain words, as one of its two parties reads it.
func (v *visit) termsOf(a entente.Agreement, reader entente.PartyID) []term {
	us, _ := a.Side(reader)
	them, _ := a.Side(a.Other(reader))
	terms := []term{{Name: v.T("Who buys from whom")}}
	if us.Buys && them.Supplies {
		terms[0].Says = append(terms[0].Says, v.T("You buy from %s.", them.Name))
	}
	if us.Supplies && them.Buys {
		terms[0].Says = append(terms[0].Says, v.T("You supply %s.", them.Name))
	}
	kinds := exchange.SharedKinds()
	for _, s := range a.Shares {
		if !slices.Contains(kinds, s.Kind) {
			kinds = append(kinds, s.Kind)
		}
	}
	for _, k := range kinds {
		t := term{Name: v.entryName(k)}
		for _, s := range a.Shares {
			switch {
			case s.Kind != k:
			case s.From == reader:
				t.Says = append(t.Says, v.T("You tell %s, marked %s unless you decide otherwise, at most %s.", them.Name, s.Default.String(), s.Ceiling.String()))
			default:
				t.Says = append(t.Says, v.T("%s tells you, marked %s unless they decide otherwise, at most %s.", them.Name, s.Default.String(), s.Ceiling.String()))
			}
		}
		if t.Says == nil {
			t.Says = []string{v.T("Not shared.")}
		}
		terms = append(terms, t)
	}
	questions := term{Name: v.T("Questions whether somebody is affected"), Says: []string{v.T("Not asked.")}}
	if q := a.Questions; q.Allowed {
		questions.Says = []string{v.T("Each may ask the other.")}
		if q.AnswerHours > 0 {
			questions.Says = append(questions.Says, v.T("They are answered within %s.", hours(q.AnswerHours)))
		}
		if q.Onward {
			questions.Says = append(questions.Says, v.N(q.Hops, "They may be passed on to suppliers, %d step at most.", "They may be passed on to suppliers, %d steps at most.", q.Hops))
		} else {
			questions.Says = append(questions.Says, v.T("They are not passed on to suppliers."))
		}
	}
	concern := term{Name: v.T("Answers to concerns"), Says: []string{v.T("No time was agreed.")}}
	if a.AnswerConcern > 0 {
		concern.Says = []string{v.T("Within %s.", hours(a.AnswerConcern))}
	}
	keep := term{Name: v.T("How long things are kept"), Says: []string{v.T("No time was agreed.")}}
	if a.Retention > 0 {
		keep.Says = []string{v.N(a.Retention, "For %d day after the end of the partnership, or after something was taken back.", "For %d days after the end of the partnership, or after something was taken back.", a.Retention)}
	}
	onward := term{Name: v.T("Passing on"), Says: []string{v.T("As the label of each entry says.")}}
	if a.Onward != "" {
		onward.Says = append(onward.Says, a.Onward)
	}
	in := term{Name: v.T("In force"), Says: []string{v.T("Since %s, until one of the two ends it.", v.reader().Day(a.From))}}
	if !a.Until.IsZero() {
		in.Says = []string{v.T("From %s until %s.", v.reader().Day(a.From), v.reader().Day(a.Until))}
	}
	return append(terms, questions, concern, keep, onward, in)
}

func hours(n int) entente.Message { return chain.SayDuration(time.Duration(n) * time.Hour) }

// changed are the terms of after that before does not say alike.
func changed(before, after []term) []ui.Row {
	var rows []ui.Row
	for _, t := range after {
		i := slices.IndexFunc(before, func(old term) bool { return old.Name == t.Name })
		switch {
		case i < 0:
			rows = append(rows, ui.Row{Cells: []ui.Cell{plainCell(t.Name), {}, {View: says(t.Says)}}})
		case !slices.Equal(before[i].Says, t.Says):
			rows = append(rows, ui.Row{Cells: []ui.Cell{plainCell(t.Name), {View: says(before[i].Says)}, {View: says(t.Says)}}})
		}
	}
	return rows
}

// agreement shows the agreement with a partner, what is proposed, and how it came.
func (v *visit) agreement() error { return v.showAgreement(http.StatusOK, v.done()) }

func (v *visit) showAgreement(status int, notice ui.Notice) error {
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	versions, err := v.Exchange.Versions(v.r.Context(), v.actor, p.Party)
	if err != nil {
		return err
	}
	title := v.T("Agreement with %s", p.Name)
	at, us := v.in("partners", string(p.Party)), p.Agreement.Other(p.Party)
	manage := v.mayOn(identity.PartnerManage, identity.KindPartnership, string(p.Party)) && p.State == exchange.Active
	shown := agreementPage{
		Frame: v.frame(title), Notice: notice, Name: p.Name, At: at, Terms: v.termsOf(p.Agreement, us), Labels: v.labelMeanings(),
		Head: ui.Head{Crumbs: v.partnerCrumbs(&p), Title: title, Lead: v.T("Version %d, signed by both.", p.Agreement.Number)},
	}
	open := false
	for _, w := range versions {
		if w.State == exchange.VersionProposed && p.State == exchange.Active {
			a, err := w.Agreement()
			if err != nil {
				return err
			}
			open = true
			shown.Proposal = &proposalView{Ours: w.Proposer != p.Party, At: w.At, Rows: changed(shown.Terms, v.termsOf(a, us)), Hash: entente.HashOf(w.Envelope.Payload).String(), Answer: manage}
		}
		shown.Versions = append(shown.Versions, v.versionRow(p, w))
	}
	if manage && !open {
		shown.Head.Main = ui.Link{Text: v.T("Propose a change"), Href: at + "/propose"}
	}
	return v.show(status, agreementView(shown))
}

func (v *visit) versionRow(p exchange.Partner, w exchange.Version) ui.Row {
	state := map[exchange.VersionState]ui.Badge{
		exchange.VersionProposed: {Text: v.T("proposed"), Tone: ui.Accent}, exchange.VersionSigned: {Text: v.T("signed by both"), Tone: ui.Good}, exchange.VersionRefused: {Text: v.T("refused")},
	}[w.State]
	by := v.org.Name
	if w.Proposer == p.Party {
		by = p.Name
	}
	cell := badgeCell(state)
	cell.Note = w.Why
	return ui.Row{Cells: []ui.Cell{plainCell(strconv.Itoa(w.Number)), cell, plainCell(by), momentCell(v, w.At)}}
}

// proposeForm offers the agreement in force to be changed.
func (v *visit) proposeForm() error {
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	return v.showPropose(http.StatusOK, p, v.termsFields(draftOf(p.Agreement, p.Agreement.Other(p.Party)), p.Name), ui.Notice{})
}

func (v *visit) showPropose(status int, p exchange.Partner, fields termsForm, notice ui.Notice) error {
	title := v.T("Propose a change")
	at := v.in("partners", string(p.Party))
	return v.show(status, proposeView(proposePage{
		Frame: v.frame(title), Notice: notice, Fields: fields, Action: at + "/propose", Back: at + "/agreement", Labels: v.labelMeanings(),
		Head: ui.Head{
			Crumbs: append(v.partnerCrumbs(&p), ui.Link{Text: v.T("Agreement"), Href: at + "/agreement"}), Title: title,
			Lead: v.T("What both have signed counts until %s signs your proposal as well.", p.Name),
		},
	}))
}

func (v *visit) propose() error {
	p, err := v.Exchange.Partner(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	us := p.Agreement.Other(p.Party)
	d, err := v.typedTerms()
	if err == nil {
		err = v.Exchange.Propose(v.r.Context(), v.actor, p.Party, func(a *entente.Agreement) { d.into(a, us) })
	}
	if err == nil {
		return v.redirect(v.in("partners", string(p.Party), "agreement") + "?done=proposed")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showPropose(statusFor(wrong), p, v.termsFields(d, p.Name), v.wrongNotice(wrong))
}

func (v *visit) signProposal() error {
	return v.answered("signed", func(h entente.Hash) error { return v.Exchange.Sign(v.r.Context(), v.actor, v.party(), h) })
}

func (v *visit) refuseProposal() error {
	return v.answered("refused", func(h entente.Hash) error {
		return v.Exchange.Refuse(v.r.Context(), v.actor, v.party(), h, v.text("reason"))
	})
}

// answered answers the proposal that the form names by its hash: no other one can
// have taken its place meanwhile.
func (v *visit) answered(done string, answer func(entente.Hash) error) error {
	var hash entente.Hash
	err := hash.UnmarshalText([]byte(v.text("proposal")))
	if err != nil {
		err = entente.Conflict("this proposal is not open any more")
	} else {
		err = answer(hash)
	}
	if err == nil {
		return v.redirect(v.in("partners", string(v.party()), "agreement") + "?done=" + done)
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showAgreement(statusFor(wrong), v.wrongNotice(wrong))
}
