package web

import (
	"github.com/entente-project/entente/internal/web/ui"
)

// processPage is one process as a SIPOC sheet, and below it what it hangs on.
type processPage struct {
	Frame      ui.Page
	Head       ui.Head
	Notice     ui.Notice
	Facts      []ui.Fact
	Suppliers  []sipocEntry
	Inputs     []sipocEntry
	Activities []activityView
	Needs      []needView // of the process as a whole
	Outputs    []sipocEntry
	Customers  []sipocEntry
	Hits       []homeHitView
	Ranks      []rankView
	Systems    []ui.Link
	Single     []ui.Row
	Later      string // how many more take long
	Owner      string
	About      string
	Costs      []string
}

type sipocEntry struct {
	ui.Link
	Note string
}

type activityView struct {
	Name   string
	Buffer string
	Needs  []needView
}

type needView struct {
	Any    []ui.Link
	Buffer string
}

type rankView struct {
	rank int
	Name string
	Who  []ui.Link
}

// systemPage is one system: what it needs, who relies on it, what stops with it.
type systemPage struct {
	Frame  ui.Page
	Head   ui.Head
	Defs   []ui.Def
	Needs  []needView
	UsedBy []ui.Link
	Stops  stopsView
	Flows  []ui.Row
}

// stopsView is the processes that stop when one thing stops.
type stopsView struct {
	Title string
	None  string
	Rows  []ui.Row
}

// supplierPage is one organisation of the chain.
type supplierPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Facts    []ui.Fact
	Tier     *tierView // nil where no tier is worked out
	Stops    stopsView
	Supplies []ui.Row
	Products []ui.Row
	Upstream []ui.Link
	Told     []toldView // what it told of its own suppliers
	// ToldBefore is what it told before, or took back.
	ToldBefore []ui.Row
	Systems    []ui.Link
	Contacts   []ui.Call
	Defs       []ui.Def
}

// mapPage is where a map comes in and goes out.
type mapPage struct {
	Frame     ui.Page
	Head      ui.Head
	Notice    ui.Notice
	Facts     []ui.Fact
	MayImport bool
	Action    string
	Download  string
	Wrong     []ui.Row
	WrongText string
}

var (
	stopColumns    = []ui.Column{{Label: "Process"}, {Label: "Criticality"}, {Label: "Stops", Tight: true}, {Label: "Exceeds RTO"}, {Label: "Exceeds MTPD"}, {Label: "Why", Wide: true}}
	supplyColumns  = []ui.Column{{Label: "Supply"}, {Label: "To"}, {Label: "What"}, {Label: "Spend a year", Num: true}, {Label: "Access"}}
	productColumns = []ui.Column{{Label: "Product"}, {Label: "Version"}}
	flowColumns    = []ui.Column{{Label: "Data"}, {Label: "From"}, {Label: "To"}, {Label: "Class"}, {Label: "Over"}}
)

// order puts the nearest rank first and what is not connected last.
func (r rankView) order() int {
	if r.rank < 0 {
		return 1 << 20
	}
	return r.rank
}

// concentrationPage is on whom and on what too much hangs.
type concentrationPage struct {
	Frame       ui.Page
	Head        ui.Head
	Notice      ui.Notice
	Facts       []ui.Fact
	Dependences []ui.Row
	Points      []ui.Row
	Providers   []ui.Row // on whom suppliers rest, as they told
	Rests       []string // the gravest of it, in sentences
	Categories  []ui.Row
	StopChart   ui.Chart
	StopRows    []ui.Row // the numbers under it
	HHIChart    ui.Chart
	Empty       ui.Empty
}
