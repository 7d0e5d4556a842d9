package web

import (
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// mostBars is how many bars one chart holds; the tables hold them all.
const mostBars = 12

// stopSpans cut the time after an outage begins, for the chart of what stops when.
var stopSpans = []struct {
	until time.Duration
	text  entente.Text
	class string
}{
	{4 * time.Hour, "within 4 h", "bar-lost"},
	{24 * time.Hour, "within 24 h", "bar-late"},
	{5 * 24 * time.Hour, "within 5 days", "bar-stopped"},
	{chain.Never, "later", "bar-later"},
}

var stopChartColumns = []ui.Column{{Label: "Organisation"}, {Label: "Within 4 h", Num: true}, {Label: "Within 24 h", Num: true}, {Label: "Within 5 days", Num: true}, {Label: "At all", Num: true}}

// stopChart shows how many processes each organisation stops alone, and how soon. The
// table under it counts up: what stops within 24 h holds what stops within 4 h.
func (p *picture) stopChart(all []chain.Dependence) (ui.Chart, []ui.Row) {
	v := p.v
	most := 1
	for _, d := range all[:min(len(all), mostBars)] {
		most = max(most, len(d.Stops))
	}
	chart := ui.Chart{Title: v.T("Processes that stop, by organisation and how soon")}
	for _, s := range stopSpans {
		chart.Keys = append(chart.Keys, ui.ChartKey{Class: s.class, Text: v.T(s.text)})
	}
	chart.Marks = []ui.ChartMark{{At: 0, Text: "0"}, {At: 1000, Text: v.N(most, "%d process", "%d processes")}}
	var rows []ui.Row
	for i := range all[:min(len(all), mostBars)] {
		d := &all[i]
		link := ui.Link{Text: d.Name, Href: p.path(chain.KindOrganisation, d.Organisations[0])}
		bar := ui.ChartBar{Name: link, Note: v.Say(sayRank(d.Rank))}
		row := ui.Row{Cells: []ui.Cell{linkCell(link.Text, link.Href)}}
		var words []entente.Message
		counted := 0
		for _, span := range stopSpans {
			until := 0
			for _, s := range d.Stops {
				if s.Fails <= span.until {
					until++
				}
			}
			if until > counted {
				bar.Parts = append(bar.Parts, ui.ChartPart{Class: span.class, From: counted * 1000 / most, To: until * 1000 / most})
				words = append(words, entente.Say("%d %s", until-counted, span.text))
			}
			counted = until
			row.Cells = append(row.Cells, plainCell(v.reader().Count(until)))
		}
		bar.Words = v.T("%s stops processes alone: %s", d.Name, entente.Joined(words, ", "))
		chart.Bars = append(chart.Bars, bar)
		rows = append(rows, row)
	}
	if n := len(all) - mostBars; n > 0 {
		chart.Note = v.N(n, "%d more organisation stands in the table.", "%d more organisations stand in the table.")
	}
	return chart, rows
}

// hhiChart shows how concentrated each category is, with the limits of the bands. The
// numbers stand in the table under it.
func (p *picture) hhiChart(all []chain.Category) ui.Chart {
	v := p.v
	classes := map[chain.Band]string{chain.BandHigh: "bar-lost", chain.BandModerate: "bar-stopped", chain.BandLow: "bar-count"}
	chart := ui.Chart{Title: v.T("Herfindahl-Hirschman index by category"), Marks: []ui.ChartMark{{At: 0, Text: "0"}, {At: 100, Text: v.reader().Count(1000), Line: true}, {At: 180, Text: v.reader().Count(1800), Line: true, After: true}, {At: 1000, Text: v.reader().Count(10_000)}}}
	for _, b := range []chain.Band{chain.BandLow, chain.BandModerate, chain.BandHigh} {
		chart.Keys = append(chart.Keys, ui.ChartKey{Class: classes[b], Text: v.capital(word(bandWords, b))})
	}
	for _, c := range all[:min(len(all), 2*mostBars)] {
		bar := ui.ChartBar{
			Name: ui.Link{Text: lang.Capital(c.Category)}, Note: v.reader().Count(c.HHI),
			Parts: []ui.ChartPart{{Class: classes[c.Band], To: c.HHI / 10}},
			Words: v.T("%s: %d, %s", lang.Capital(c.Category), c.HHI, word(bandWords, c.Band)),
		}
		if !c.Direct {
			bar.Note = v.T("%d, whole chain", c.HHI)
		}
		chart.Bars = append(chart.Bars, bar)
	}
	if n := len(all) - 2*mostBars; n > 0 {
		chart.Note = v.N(n, "%d more category stands in the table.", "%d more categories stand in the table.")
	}
	return chart
}
