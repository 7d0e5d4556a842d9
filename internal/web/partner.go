package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func partnerRoutes() []Route {
	const kind = string(chain.KindOrganisation)
	return []Route{
		act("/o/{org}/suppliers/{id}/answer", identity.ChainEdit, (*visit).answerCriterion).on(kind),
		act("/o/{org}/suppliers/{id}/tier", identity.ChainOverride, (*visit).setTier).on(kind),
		act("/o/{org}/suppliers/{id}/tier/free", identity.ChainOverride, (*visit).freeTier).on(kind),
	}
}

// tierOrder puts the critical ones first and those without a tier last.
func (r supplierRow) tierOrder() int {
	if r.standing == nil {
		return len(partner.Tiers())
	}
	return slices.Index(partner.Tiers(), r.standing.Tier)
}

func (v *visit) tierBadge(t partner.Tier) ui.Badge {
	tone := ui.Calm
	switch t {
	case partner.TierCritical:
		tone = ui.Bad
	case partner.TierImportant:
		tone = ui.Warn
	}
	return ui.Badge{Text: v.Say(word(tierInside, t)), Tone: tone}
}

// howTier says in a few words where a tier comes from.
func (v *visit) howTier(s *partner.Standing) string {
	switch {
	case s.Overridden:
		return v.T("set by hand")
	case s.Assessment.Provisional:
		return v.T("provisional")
	}
	return ""
}

func (v *visit) tierCell(s *partner.Standing) ui.Cell {
	if s == nil {
		return ui.Cell{Text: v.T("–"), Note: v.T("not direct")}
	}
	c := badgeCell(v.tierBadge(s.Tier))
	c.Note = v.howTier(s)
	return c
}

func (v *visit) tierFilter() filter[supplierRow] {
	options := []ui.Option{{Label: v.T("All")}}
	for _, t := range partner.Tiers() {
		options = append(options, ui.Option{Value: string(t), Label: v.capital(word(tierInside, t))})
	}
	options = append(options, ui.Option{Value: "provisional", Label: v.T("Provisional")}, ui.Option{Value: "by-hand", Label: v.T("Set by hand")})
	return filter[supplierRow]{key: "tier", label: "Tier", options: options, match: func(r supplierRow, value string) bool {
		switch {
		case r.standing == nil:
			return false
		case value == "provisional":
			return r.standing.Assessment.Provisional && !r.standing.Overridden
		case value == "by-hand":
			return r.standing.Overridden
		}
		return string(r.standing.Tier) == value
	}}
}

// addTier adds the tier of a direct supplier with its arithmetic.
func (v *visit) addTier(shown *supplierPage, id chain.NodeID, rank int) error {
	if rank != 1 {
		return nil // the tier is for those with whom there can be a partnership
	}
	s, err := v.Partner.Standing(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	shown.Head.Badges = append(shown.Head.Badges, ui.Badge{Text: v.T("tier %s", word(tierInside, s.Tier)), Tone: v.tierBadge(s.Tier).Tone})
	shown.Facts = slices.Insert(shown.Facts, 1, ui.Fact{Name: v.T("Tier"), Value: v.capital(word(tierInside, s.Tier)), Note: cmp.Or(v.howTier(&s), v.T("computed from the chain")), Href: "#tier"})
	t := &tierView{Words: lang.Capital(v.Say(s.Assessment.Say())), Lines: v.tierLines(&s), Total: v.T("Points together: %d of %d", s.Assessment.Points, s.Assessment.Most)}
	if s.Assessment.Provisional {
		t.Provisional = v.T("This tier is provisional: nobody has answered %s. Until then, one tier stricter applies than the points say.", entente.And(s.Assessment.Unknown))
	}
	if o := s.Override; o != nil {
		t.ByHand = v.T("Set to %s by %s on %s, until %s: %s", word(tierInside, o.Tier), o.By, v.reader().Day(o.At), v.reader().Day(o.Until), o.Reason)
		if !s.Overridden {
			t.ByHand = v.T("It was set by hand to %s until %s; since then the computed tier applies again.", word(tierInside, o.Tier), v.reader().Day(o.Until))
		}
	}
	kind := string(chain.KindOrganisation)
	if v.mayOn(identity.ChainEdit, kind, string(id)) {
		t.Answer = &answerForm{Action: v.in("suppliers", string(id), "answer"), Groups: v.answerGroups()}
	}
	if v.mayOn(identity.ChainOverride, kind, string(id)) {
		t.Set = &tierForm{Action: v.in("suppliers", string(id), "tier"), Tier: v.tierChoice(string(s.Tier)), Until: time.Now().AddDate(0, 6, 0).Format(time.DateOnly)}
		if s.Overridden {
			t.Free = v.in("suppliers", string(id), "tier", "free")
		}
	}
	shown.Tier = t
	return nil
}

func (v *visit) tierLines(s *partner.Standing) []ui.Row {
	rows := make([]ui.Row, 0, len(s.Assessment.Lines)+1)
	for _, l := range s.Assessment.Lines {
		value, points, from := badgeCell(ui.Badge{Text: v.T("not known"), Tone: ui.Warn}), "–", plainCell(v.T(""))
		if l.Fact.Known {
			value = ui.Cell{Text: v.T("%s", l.Scale.Values[min(max(l.Fact.Value, 0), 3)]), Note: v.T("value %d of 3", l.Fact.Value)}
			points = v.reader().Count(l.Points)
			from = ui.Cell{Text: v.T("From the chain"), Note: v.T("%s", l.Fact.Reason)}
			if !l.Fact.Computed {
				from.Text = v.T("Answered by a person")
			}
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{plainCell(v.T("%s", l.Scale.Label)), value, plainCell("× " + strconv.Itoa(l.Scale.Weight)), plainCell(points), from}})
	}
	for _, a := range s.Answers {
		if a.Criterion == partner.CriticalFunction {
			value := v.T("no")
			if a.Value > 0 {
				value = v.T("yes")
			}
			rows = append(rows, ui.Row{Cells: []ui.Cell{plainCell(v.T(criticalFunction)), plainCell(value), plainCell(v.T("–")), plainCell(v.T("–")), {Text: v.T("Answered by a person"), Note: v.T("%s (%s)", a.Reason, a.By)}}})
		}
	}
	return rows
}

const criticalFunction entente.Text = "Supports a critical or important function (DORA)"

// answerCriterion records what the visitor knows of a supplier.
func (v *visit) answerCriterion() error {
	id := chain.NodeID(v.r.PathValue("id"))
	criterion, value, _ := strings.Cut(v.text("answer"), ":")
	a := partner.Answer{Criterion: partner.Criterion(criterion), Reason: v.text("reason")}
	number, err := strconv.Atoi(value)
	if err != nil {
		err = entente.Invalid("choose a criterion and its value")
	} else {
		a.Value = number
		err = v.Partner.SetAnswer(v.r.Context(), v.actor, id, a)
	}
	return v.tierDone(err, "answered", func(t *tierView, wrong string) {
		if t.Answer != nil {
			t.Answer.Chosen, t.Answer.Reason, t.Answer.Wrong = v.text("answer"), a.Reason, wrong
		}
	})
}

// setTier sets the tier of a supplier by hand.
func (v *visit) setTier() error {
	o := partner.Override{Tier: partner.Tier(v.text("tier")), Reason: v.text("why")}
	until, err := time.Parse(time.DateOnly, v.text("until"))
	if err != nil {
		err = entente.Invalid("give the day on which it ends, as in 2027-03-31")
	} else {
		o.Until = until.AddDate(0, 0, 1) // the day itself belongs to it
		var batch int64
		id := v.r.PathValue("id")
		batch, err = v.Partner.SetTiers(v.r.Context(), v.actor, nodeIDs([]string{id}), o)
		if err == nil {
			return v.redirect(doneTo(v.in("suppliers", id), "tier", batch) + "#tier")
		}
	}
	return v.tierDone(err, "", func(t *tierView, wrong string) {
		if t.Set != nil {
			t.Set.Tier.Value, t.Set.Reason, t.Set.Until, t.Set.Wrong = v.text("tier"), o.Reason, v.text("until"), wrong
		}
	})
}

// freeTier lets the computed tier apply again.
func (v *visit) freeTier() error {
	err := v.Partner.FreeTier(v.r.Context(), v.actor, chain.NodeID(v.r.PathValue("id")))
	return v.tierDone(err, "freed", func(*tierView, string) {})
}

// tierDone leads back to the supplier, or shows the form again with what is wrong.
func (v *visit) tierDone(err error, outcome string, again func(t *tierView, wrong string)) error {
	if err == nil {
		return v.redirect(v.in("suppliers", v.r.PathValue("id")) + "?done=" + outcome + "#tier")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	shown, failed := v.supplierShown()
	if failed != nil {
		return failed
	}
	shown.Notice = ui.Notice{Tone: ui.Bad, Text: v.T("Nothing was recorded: %s.", wrong.Message)}
	if shown.Tier != nil {
		again(shown.Tier, lang.Capital(v.T("%s.", wrong.Message)))
	}
	return v.show(422, supplierView(shown))
}
