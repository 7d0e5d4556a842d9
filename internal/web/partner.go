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

func tierBadge(t partner.Tier) ui.Badge {
	tone := ui.Calm
	switch t {
	case partner.TierCritical:
		tone = ui.Bad
	case partner.TierImportant:
		tone = ui.Warn
	}
	return ui.Badge{Text: string(t), Tone: tone}
}

// howTier says in a few words where a tier comes from.
func howTier(s *partner.Standing) string {
	switch {
	case s.Overridden:
		return "set by hand"
	case s.Assessment.Provisional:
		return "provisional"
	}
	return ""
}

func tierCell(s *partner.Standing) ui.Cell {
	if s == nil {
		return ui.Cell{Text: "–", Note: "not direct"}
	}
	c := badgeCell(tierBadge(s.Tier))
	c.Note = howTier(s)
	return c
}

func tierFilter() filter[supplierRow] {
	options := []ui.Option{{Label: "All"}}
	for _, t := range partner.Tiers() {
		options = append(options, ui.Option{Value: string(t), Label: ui.Capital(string(t))})
	}
	options = append(options, ui.Option{Value: "provisional", Label: "Provisional"}, ui.Option{Value: "by-hand", Label: "Set by hand"})
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
	shown.Head.Badges = append(shown.Head.Badges, ui.Badge{Text: "tier " + string(s.Tier), Tone: tierBadge(s.Tier).Tone})
	shown.Facts = slices.Insert(shown.Facts, 1, ui.Fact{Name: "Tier", Value: ui.Capital(string(s.Tier)), Note: cmp.Or(howTier(&s), "computed from the chain"), Href: "#tier"})
	t := &tierView{Words: ui.Capital(s.Assessment.InWords()), Lines: tierLines(&s), Total: strconv.Itoa(s.Assessment.Points) + " of " + strconv.Itoa(s.Assessment.Most)}
	if s.Assessment.Provisional {
		t.Provisional = "This tier is provisional: nobody has answered " + strings.ToLower(ui.And(s.Assessment.Unknown)) + ". Until then, one tier stricter applies than the points say."
	}
	if o := s.Override; o != nil {
		t.ByHand = "Set to " + string(o.Tier) + " by " + o.By + " on " + ui.Day(o.At) + ", until " + ui.Day(o.Until) + ": " + o.Reason
		if !s.Overridden {
			t.ByHand = "It was set by hand to " + string(o.Tier) + " until " + ui.Day(o.Until) + "; since then the computed tier applies again."
		}
	}
	kind := string(chain.KindOrganisation)
	if v.mayOn(identity.ChainEdit, kind, string(id)) {
		t.Answer = &answerForm{Action: v.in("suppliers", string(id), "answer")}
	}
	if v.mayOn(identity.ChainOverride, kind, string(id)) {
		t.Set = &tierForm{Action: v.in("suppliers", string(id), "tier"), Tier: string(s.Tier), Until: time.Now().AddDate(0, 6, 0).Format(time.DateOnly)}
		if s.Overridden {
			t.Free = v.in("suppliers", string(id), "tier", "free")
		}
	}
	shown.Tier = t
	return nil
}

func tierLines(s *partner.Standing) []ui.Row {
	rows := make([]ui.Row, 0, len(s.Assessment.Lines)+1)
	for _, l := range s.Assessment.Lines {
		value, points, from := badgeCell(ui.Badge{Text: "not known", Tone: ui.Warn}), "–", plainCell("")
		if l.Fact.Known {
			value = ui.Cell{Text: l.Scale.Values[min(max(l.Fact.Value, 0), 3)], Note: "value " + strconv.Itoa(l.Fact.Value) + " of 3"}
			points = strconv.Itoa(l.Points)
			from = ui.Cell{Text: "From the chain", Note: l.Fact.Reason}
			if !l.Fact.Computed {
				from.Text = "Answered by a person"
			}
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{plainCell(l.Scale.Label), value, plainCell("× " + strconv.Itoa(l.Scale.Weight)), plainCell(points), from}})
	}
	for _, a := range s.Answers {
		if a.Criterion == partner.CriticalFunction {
			value := "no"
			if a.Value > 0 {
				value = "yes"
			}
			rows = append(rows, ui.Row{Cells: []ui.Cell{plainCell(criticalFunction), plainCell(value), plainCell("–"), plainCell("–"), {Text: "Answered by a person", Note: a.Reason + " (" + a.By + ")"}}})
		}
	}
	return rows
}

const criticalFunction = "Supports a critical or important function (DORA)"

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
		err = v.Partner.SetTier(v.r.Context(), v.actor, chain.NodeID(v.r.PathValue("id")), o)
	}
	return v.tierDone(err, "tier", func(t *tierView, wrong string) {
		if t.Set != nil {
			t.Set.Tier, t.Set.Reason, t.Set.Until, t.Set.Wrong = v.text("tier"), o.Reason, v.text("until"), wrong
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
	shown.Notice = ui.Notice{Tone: ui.Bad, Text: "Nothing was recorded: " + wrong.Message + "."}
	if shown.Tier != nil {
		again(shown.Tier, ui.Capital(wrong.Message)+".")
	}
	return v.show(422, supplierView(shown))
}
