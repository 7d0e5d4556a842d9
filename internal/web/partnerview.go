package web

import (
	"strconv"

	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// tierView is a supplier's tier with its arithmetic, and the forms to correct it.
type tierView struct {
	Words       string
	Provisional string
	ByHand      string
	Lines       []ui.Row
	Total       string
	Answer      *answerForm // nil for those who may not answer
	Set         *tierForm   // nil for those who may not set it by hand
	Free        string
}

// answerForm takes what a person knows by one criterion.
type answerForm struct {
	Action string
	Groups []answerGroup
	Chosen string
	Reason string
	Wrong  string
}

// tierForm takes a tier that a person sets for a time.
type tierForm struct {
	Action string
	Tier   ui.Choice
	Reason string
	Until  string
	Wrong  string
}

var tierColumns = []ui.Column{{Label: "Criterion"}, {Label: "Value", Wide: true}, {Label: "Weight", Num: true}, {Label: "Points", Num: true}, {Label: "Where it comes from", Wide: true}}

// answerGroup is the answers to choose from by one criterion.
type answerGroup struct {
	Label   string
	Options []ui.Option
}

func (v *visit) answerGroups() []answerGroup {
	var groups []answerGroup
	for _, s := range partner.Scales() {
		g := answerGroup{Label: v.T("%s", s.Label)}
		for value, words := range s.Values {
			g.Options = append(g.Options, ui.Option{Value: string(s.Criterion) + ":" + strconv.Itoa(value), Label: lang.Capital(v.T("%s", words))})
		}
		groups = append(groups, g)
	}
	return append(groups, answerGroup{Label: v.T(criticalFunction), Options: []ui.Option{
		{Value: string(partner.CriticalFunction) + ":0", Label: v.T("No")}, {Value: string(partner.CriticalFunction) + ":1", Label: v.T("Yes")},
	}})
}

func (v *visit) tierChoice(value string) ui.Choice {
	c := ui.Choice{Name: "tier", Label: v.T("Tier"), Value: value}
	for _, t := range partner.Tiers() {
		c.Options = append(c.Options, ui.Option{Value: string(t), Label: v.capital(word(tierInside, t))})
	}
	return c
}
