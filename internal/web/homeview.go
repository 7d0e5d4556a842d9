package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

// homePage answers what needs the visitor now.
type homePage struct {
	Frame  ui.Page
	Title  string
	Lead   string
	Steps  []homeStep // of an organisation that has only begun
	Facts  []ui.Fact
	Filled bool // there is a chain to tell about

	Hits    []homeHitView
	NoHits  ui.Empty
	AllHits ui.Link

	AtRisk    []ui.Row
	Single    []ui.Row
	AllSingle ui.Link

	NotAssessable []ui.Row

	Tasks      []homeTask // what waits for the visitor
	HitsTitle  string
	HitsWhy    string
	RiskTitle  string
	Calls      []ui.Call // whom to call about the most urgent hit
	CallsWhy   string
	Since      []ui.Row // what happened, for those who watch over it
	SinceTitle string
	Customers  []ui.Row // what customers get from us
}

// homeStep is one step of setting an organisation up.
type homeStep struct {
	Title string
	Text  string
	Done  bool
	Next  ui.Link
	More  []ui.Link
}

// homeHitView is one advisory that hits us: which processes, by which ways.
type homeHitView struct {
	Severity ui.Badge
	Title    ui.Link
	Text     string
	Ways     [][]ui.Hop
	More     string
	When     time.Time
}
