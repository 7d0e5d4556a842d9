package web

import (
	"strconv"

	"github.com/entente-project/entente/internal/partner"
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
	Chosen string
	Reason string
	Wrong  string
}

// tierForm takes a tier that a person sets for a time.
type tierForm struct {
	Action string
	Tier   string
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

func answerGroups() []answerGroup {
	var groups []answerGroup
	for _, s := range partner.Scales() {
		g := answerGroup{Label: s.Label}
		for value, words := range s.Values {
			g.Options = append(g.Options, ui.Option{Value: string(s.Criterion) + ":" + strconv.Itoa(value), Label: ui.Capital(words)})
		}
		groups = append(groups, g)
	}
	return append(groups, answerGroup{Label: criticalFunction, Options: []ui.Option{
		{Value: string(partner.CriticalFunction) + ":0", Label: "No"}, {Value: string(partner.CriticalFunction) + ":1", Label: "Yes"},
	}})
}

func tierChoice(value string) ui.Choice {
	c := ui.Choice{Name: "tier", Label: "Tier", Value: value}
	for _, t := range partner.Tiers() {
		c.Options = append(c.Options, ui.Option{Value: string(t), Label: ui.Capital(string(t))})
	}
	return c
}
