package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

// editPage is the form of one thing.
type editPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Action  string
	Version string
	Form    editView
	Things  []ui.Option
	Save    string
	Cancel  string
	Remove  string     // where the form of the removal leads; "" if there is nothing to remove
	Other   []diffLine // what somebody else made of it, against what was typed
}

// editView is the fields of a thing or of one row, and the lists in it.
type editView struct {
	Path   string
	Name   string // of a row
	Drop   string // the button that takes the row away
	Inputs []editInput
	Lists  []editRows
}

type editRows struct {
	Label string
	Add   string // the button that adds a row
	Path  string
	Rows  []editView
}

type editInput struct {
	ui.Field
	Options []ui.Option
	Lines   int      // of a field that has several
	Several []string // the values of a field that takes several things, and room for one more
	Things  bool
	Fixed   bool
}

// described lists the ids of the texts that explain the field.
func (i editInput) described() string {
	switch {
	case i.Wrong != "" && i.Hint != "":
		return i.ID() + "-wrong " + i.ID() + "-hint"
	case i.Wrong != "":
		return i.ID() + "-wrong"
	case i.Hint != "":
		return i.ID() + "-hint"
	}
	return ""
}

// pastPage is what was changed of one thing.
type pastPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Past   []pastView
	Undo   string // where undoing the latest leads; "" for those who may not
}

type pastView struct {
	N     string
	What  string
	By    string
	At    time.Time
	Lines []diffLine
}

// diffLine is one line of a text that changed: taken away, added, or as it was.
type diffLine struct {
	Gone bool
	New  bool
	Text string
}
