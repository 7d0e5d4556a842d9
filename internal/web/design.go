package web

import (
	"net/http"
	"time"

	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func designRoutes() []Route {
	return []Route{page("/o/{org}/design", identity.OrganisationRead, (*visit).design)}
}

// designPage shows what pages are made of.
type designPage struct {
	Frame   ui.Page
	Spaces  []string
	Texts   []string
	Colours []string
	Tones   []ui.Badge
	Table   ui.List
	Now     time.Time
	Here    string
}

// design shows the tokens and components of package ui, as they are.
func (v *visit) design() error {
	here := v.in("design")
	return v.show(http.StatusOK, designView(designPage{
		Frame: v.frame(v.T("Design system")), Here: here, Now: time.Now(),
		Spaces:  []string{"1", "2", "3", "4", "5", "6", "7"},
		Texts:   []string{"s", "m", "l", "xl", "2xl"},
		Colours: []string{"paper", "surface", "sunken", "line", "edge", "ink", "ink-soft", "accent", "accent-strong", "accent-soft", "bad", "bad-soft", "warn", "warn-soft", "good", "good-soft", "calm", "calm-soft"},
		Tones: []ui.Badge{
			{Text: v.T("calm")}, {Text: v.T("good"), Tone: ui.Good}, {Text: v.T("warning"), Tone: ui.Warn}, {Text: v.T("bad"), Tone: ui.Bad}, {Text: v.T("accent"), Tone: ui.Accent},
		},
		Table: ui.List{
			Noun: v.T("examples"), Columns: []ui.Column{{Label: "Name"}, {Label: "State"}, {Label: "Count", Num: true}},
			Rows: []ui.Row{
				{Cells: []ui.Cell{{Text: "entente.css", Href: here, Note: v.T("A second, quieter line")}, badgeCell(ui.Badge{Text: v.T("good"), Tone: ui.Good}), plainCell(v.reader().Count(12345))}},
				{Cells: []ui.Cell{plainCell("frame.js"), badgeCell(ui.Badge{Text: v.T("calm")}), plainCell(v.reader().Count(3))}},
			},
		},
	}))
}
