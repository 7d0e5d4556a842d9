package web

import (
	"slices"
	"strconv"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/web/ui"
)

// termsDraft is terms as a form holds them, from the view of who fills it in.
type termsDraft struct {
	Ours, Theirs map[entente.EntryKind]sharing
	Questions    entente.QuestionTerms
	Concern      int
	Retention    int
	Onward       string
	Until        time.Time
}

// sharing is the labels by which a side shares a kind; zero: it does not.
type sharing struct{ Default, Ceiling entente.TLP }

// draftOf reads an agreement into a form.
func draftOf(a entente.Agreement, us entente.PartyID) termsDraft {
	d := termsDraft{
		Ours: map[entente.EntryKind]sharing{}, Theirs: map[entente.EntryKind]sharing{},
		Questions: a.Questions, Concern: a.AnswerConcern, Retention: a.Retention, Onward: a.Onward, Until: a.Until,
	}
	for _, s := range a.Shares {
		side := d.Theirs
		if s.From == us {
			side = d.Ours
		}
		side[s.Kind] = sharing{s.Default, s.Ceiling}
	}
	return d
}

// standardDraft is the terms that most partnerships begin with.
func standardDraft(buys, supplies bool) termsDraft {
	us := entente.AgreementParty{Party: "us"}
	return draftOf(exchange.StandardTerms(buys, supplies, time.Now()).Agreement(us, entente.AgreementParty{Party: "them"}), us.Party)
}

// into writes the draft into an agreement. What it shares of kinds that the form does
// not know stays as it is.
func (d termsDraft) into(a *entente.Agreement, us entente.PartyID) {
	shares := slices.DeleteFunc(slices.Clone(a.Shares), func(s entente.Share) bool { return slices.Contains(exchange.SharedKinds(), s.Kind) })
	add := func(from entente.PartyID, k entente.EntryKind, s sharing) {
		if s.Default != 0 {
			shares = append(shares, entente.Share{Kind: k, From: from, Default: s.Default, Ceiling: s.Ceiling})
		}
	}
	for _, k := range exchange.SharedKinds() {
		add(us, k, d.Ours[k])
		add(a.Other(us), k, d.Theirs[k])
	}
	a.Shares, a.Questions, a.AnswerConcern, a.Retention, a.Onward, a.Until = shares, d.Questions, d.Concern, d.Retention, d.Onward, d.Until
}

// terms makes of the draft what an invitation proposes.
func (d termsDraft) terms(buys, supplies bool) exchange.Terms {
	t := exchange.StandardTerms(buys, supplies, time.Now())
	t.Shares = nil
	add := func(k entente.EntryKind, s sharing, ours bool) {
		if s.Default != 0 {
			t.Shares = append(t.Shares, exchange.TermShare{Kind: k, Inviter: ours, Invitee: !ours, Default: s.Default, Ceiling: s.Ceiling})
		}
	}
	for _, k := range exchange.SharedKinds() {
		add(k, d.Ours[k], true)
		add(k, d.Theirs[k], false)
	}
	t.Questions, t.AnswerConcern, t.Retention, t.Onward, t.Until = d.Questions, d.Concern, d.Retention, d.Onward, d.Until
	return t
}

// What the fields of a kind are called besides it: who shares it, and how strict it
// may be.
const (
	fieldOurs, fieldOursMost     = "ours-", "ours-most-"
	fieldTheirs, fieldTheirsMost = "theirs-", "theirs-most-"
)

// termsFields makes the fields of a draft.
func (v *visit) termsFields(d termsDraft, partner string) termsForm {
	f := termsForm{
		Questions: d.Questions.Allowed, Onward: d.Questions.Onward,
		Numbers: []ui.Field{
			{Name: "answer-hours", Label: v.T("Hours within which a question is answered"), Type: "number", Value: count(d.Questions.AnswerHours)},
			{Name: "hops", Label: v.T("Steps that a question goes at most, if it is passed on"), Type: "number", Value: count(d.Questions.Hops)},
			{Name: "concern-hours", Label: v.T("Hours within which a concern is answered"), Type: "number", Value: count(d.Concern)},
			{Name: "retention", Label: v.T("Days for which things are kept after the end, or after they were taken back"), Type: "number", Value: count(d.Retention)},
		},
		Rules: ui.Field{Name: "onward", Label: v.T("Further rules of passing on, in your words"), Value: d.Onward, MaxLength: entente.MaxMarkingText},
		Until: ui.Field{Name: "until", Label: v.T("Until, if it ends by itself"), Type: "date"},
	}
	if !d.Until.IsZero() {
		f.Until.Value = d.Until.UTC().Format(time.DateOnly)
	}
	labels := []ui.Option{{Value: "", Label: v.T("Not shared")}}
	for _, t := range entente.TLPs() {
		labels = append(labels, ui.Option{Value: t.String(), Label: t.String()})
	}
	choice := func(name, label string, value entente.TLP, options []ui.Option) ui.Choice {
		c := ui.Choice{Name: name, Label: label, Options: options}
		if value != 0 {
			c.Value = value.String()
		}
		return c
	}
	for _, k := range exchange.SharedKinds() {
		ours, theirs := d.Ours[k], d.Theirs[k]
		if ours.Ceiling == 0 {
			ours.Ceiling = entente.TLPRed
		}
		if theirs.Ceiling == 0 {
			theirs.Ceiling = entente.TLPRed
		}
		f.Kinds = append(f.Kinds, kindFields{Name: v.entryName(k), Choices: []ui.Choice{
			choice(fieldOurs+string(k), v.T("You share, marked"), ours.Default, labels), choice(fieldOursMost+string(k), v.T("You, at most"), ours.Ceiling, labels[1:]),
			choice(fieldTheirs+string(k), v.T("%s shares, marked", partner), theirs.Default, labels), choice(fieldTheirsMost+string(k), v.T("%s, at most", partner), theirs.Ceiling, labels[1:]),
		}})
	}
	return f
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// typedTerms reads the fields of [visit.termsFields].
func (v *visit) typedTerms() (termsDraft, error) {
	d := termsDraft{Ours: map[entente.EntryKind]sharing{}, Theirs: map[entente.EntryKind]sharing{}, Onward: v.text("onward")}
	var wrong error
	for _, k := range exchange.SharedKinds() {
		for _, side := range []struct {
			of      map[entente.EntryKind]sharing
			name    string
			ceiling string
		}{{d.Ours, fieldOurs, fieldOursMost}, {d.Theirs, fieldTheirs, fieldTheirsMost}} {
			label := v.text(side.name + string(k))
			if label == "" {
				continue
			}
			standard, err := entente.ParseTLP(label)
			ceiling, err2 := entente.ParseTLP(v.text(side.ceiling + string(k)))
			if err != nil || err2 != nil {
				wrong = entente.Invalid("choose for each kind one of the labels that are listed")
				continue
			}
			side.of[k] = sharing{standard, ceiling}
			if standard > ceiling {
				wrong = entente.Invalid("%s: the label that it is marked with is stricter than the strictest one that may travel", kindTexts[k])
			}
		}
	}
	d.Questions.Allowed, d.Questions.Onward = v.text("questions") != "", v.text("questions-onward") != ""
	for name, into := range map[string]*int{"answer-hours": &d.Questions.AnswerHours, "hops": &d.Questions.Hops, "concern-hours": &d.Concern, "retention": &d.Retention} {
		text := v.text(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 100_000 {
			wrong = entente.Invalid("write hours, days and steps as whole numbers, or leave them empty")
			continue
		}
		*into = n
	}
	if text := v.text("until"); text != "" {
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			wrong = entente.Invalid("give the day on which it ends, as in 2027-03-31")
		}
		d.Until = day
	}
	return d, wrong
}
