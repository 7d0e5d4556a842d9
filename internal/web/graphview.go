package web

import (
	"context"
	"time"

	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/ui"
)

// graphPage is the chain as a graph and as a table.
type graphPage struct {
	Frame ui.Page
	Head  ui.Head

	Action      string
	To, Thing   soughtField
	Process     string // its id
	ProcessName string
	From        string
	FromName    string
	Clear       string
	Processes   []string // names to choose from while typing
	Things      []thing
	Scope       ui.Link // shows more, or less
	ScopeText   string
	All         bool

	Source     string
	WaysSource string
	Tiers      []tierLegend
	Kinds      []kindLegend
	Ways       waysView
	Drawing    drawingView
	List       ui.List
}

// soughtField is a name that somebody typed, and what it can mean.
type soughtField struct {
	Value string
	Wrong string
	Meant []ui.Link
}

type tierLegend struct{ Class, Name string }

type kindLegend struct{ Kind, Name string }

// waysView is how a process hangs on a thing, and what stops it alone.
type waysView struct {
	Process ui.Link
	From    ui.Link
	Summary string
	Answer  string
	Ways    [][]ui.Hop
	More    bool
	Alone   []aloneView

	ways  [][]chain.NodeID
	all   []chain.NodeID
	alone []chain.NodeID
}

type aloneView struct {
	ui.Link
	Note string
	at   time.Duration
}

// graphColours are the colours that the script asks the style sheet for.
var graphColours = []string{"ink", "soft", "line", "paper", "thing", "focus", "alone", "critical", "important", "standard", "low"}

func tableTitle(ctx context.Context, p graphPage) string {
	if p.ProcessName != "" {
		return ui.T(ctx, "What %s hangs on, as a table", p.ProcessName)
	}
	return ui.T(ctx, "The same as a table")
}
