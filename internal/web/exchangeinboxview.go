package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

type inboxPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	List   ui.List
}

type entryPage struct {
	Frame       ui.Page
	Head        ui.Head
	Notice      ui.Notice
	At          string
	Name        string
	Open        bool // what it says is shown
	State       ui.Notice
	Outcome     ui.Notice
	Said        saidView
	Marking     []ui.Def
	Allowed     string
	Defs        []ui.Def
	Proof       []ui.Def
	Thread      []threadItem
	Embargo     embargoView
	Answer      string // where it is answered; "" for those who may not
	Acknowledge bool
	PassOn      bool
}

// threadItem is one thing that one side said about a concern.
type threadItem struct {
	Who   string
	Kind  string
	When  time.Time
	Title string
	Text  string
	Href  string
	Ours  bool
}

type concernPage struct {
	Frame  ui.Page
	Head   ui.Head
	Defs   []ui.Def
	Ledger string
	Thread []threadItem
}

type passOnPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Action   string
	Back     string
	Name     string
	Allowed  string
	Rules    string // of passing on, as agreed with the sender
	To       ui.CheckGroup
	Asks     bool // some need a person's word
	Not      []ui.Row
	Findings []findingView
	Why      string
	Basis    string
}

// lineColumns are those of [visit.lineRows].
var lineColumns = []ui.Column{{Label: "Partner"}, {Label: "Why", Wide: true}}
