package web

import "github.com/entente-project/entente/internal/web/ui"

// whatIfPage is the question what stops when some things are down, and its answer.
type whatIfPage struct {
	Frame  ui.Page
	Head   ui.Head
	Action string

	Chosen   []thing
	Things   []thing // to choose from while typing
	AddLabel string
	Add      string
	Wrong    string
	Meant    []ui.Link
	Horizon  string
	Horizons []ui.Option

	Suggestions []ui.Row
	Empty       ui.Empty

	Answer   string
	Moment   *momentView // nil where nothing stops
	Rows     []ui.Row
	Ways     []wayView
	Contacts []ui.Call
	Keeps    []ui.Link
}

type thing struct {
	ID   string
	Name string
	Kind string
}

type wayView struct {
	Words   string
	Process ui.Link
	Hops    []ui.Hop
}

var whatIfColumns = []ui.Column{
	{Label: "Process"}, {Label: "Criticality"}, {Label: "Stops", Num: true}, {Label: "Exceeds RTO", Num: true}, {Label: "Exceeds MTPD", Num: true}, {Label: "Cost by then", Num: true},
}
