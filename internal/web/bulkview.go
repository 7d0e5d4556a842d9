package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

// bulkPage asks before something is done with many rows.
type bulkPage struct {
	Frame      ui.Page
	Head       ui.Head
	Notice     ui.Notice
	Action     string
	Key        string
	Version    string
	IDs        string
	Back       string
	Submit     string
	Grave      bool
	None       string // nothing of it can be done
	Fields     []bulkField
	Columns    []ui.Column
	Can        []ui.Row
	MoreCan    string
	Cannot     []ui.Row
	MoreCannot string
}

// changePage is one change of the chain, whatever it changed.
type changePage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	By     string
	At     time.Time
	Undo   string
	Things []changedView
	More   string
}

type changedView struct {
	What  string
	Name  ui.Link
	Lines []diffLine
}
