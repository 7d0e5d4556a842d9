package web

import "github.com/entente-project/entente/internal/web/ui"

type hooksPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	List   ui.List
}

type hookForm struct {
	Name  string
	URL   string
	Kinds ui.CheckGroup
}

type newHookPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Form   hookForm
	Action string
}

type hookPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Stopped ui.Notice
	Secret  string // that was made just now
	Rotated bool   // in the place of another
	Defs    []ui.Def
	Manage  bool
	Form    hookForm
	Paused  bool
	Base    string // the address of the webhook, below which its acts are
	Since   string // the day that is offered for delivering again
}
