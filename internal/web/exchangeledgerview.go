package web

import (
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/ui"
)

// statementPage is one thing that was said.
type statementPage struct {
	Frame     ui.Page
	Head      ui.Head
	Notice    ui.Notice
	At        string
	Open      string // who has not confirmed; "" where nothing is open
	Defs      []ui.Def
	Said      saidView
	Labels    []ui.Def
	Got       []ui.Row
	Not       []ui.Row
	Embargoes []ui.Row
	Embargo   string // how many have agreed to one; "" where none was proposed
	Propose   string // where one is proposed to several; "" where it cannot be
	Recall    string // where it is taken back; "" for those who may not
	Narrow    string
}

// recordPage is the record of one thing that was said.
type recordPage struct {
	Frame ui.Page
	Head  ui.Head
	Made  time.Time
	Defs  []ui.Def
	Got   []recordedView
	Not   []ui.Row
	JSON  string
	CSV   string
}

type recordedView struct {
	Name string
	Defs []ui.Def
}

// revisePage asks whether something is to be taken back or narrowed.
type revisePage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Ask     ui.Ask
	Reason  ui.Field
	Holders []string
	Before  *ui.Link   // what counts again once it is taken back
	Label   *ui.Choice // nil where it is taken back
	People  ui.Field
	Expires ui.Field
	Drop    ui.CheckGroup // from whom it can be taken back
}

// embargoPage is the embargo of a subject with one partner.
type embargoPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Embargo embargoView
}

// embargoAskPage asks to whom of those who got something an embargo is proposed.
type embargoAskPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Action string
	Back   string
	To     ui.CheckGroup
	Until  ui.Field
	Reason ui.Field
}

// embargoView is where an embargo stands, and what the visitor can do about it.
type embargoView struct {
	Name    string // of the partner
	Page    string // where it stands with its steps
	Open    bool   // there is something to answer, to change or to see
	Says    string
	Steps   []ui.Row
	Action  string // "" for those who may not
	Subject string
	Accept  bool
	Refuse  bool
	Release string       // the words of the button; "" where there is nothing to end
	Terms   entente.Text // the words of the button that proposes an end; "" where none can be
	Until   ui.Field
	Reason  ui.Field
}
