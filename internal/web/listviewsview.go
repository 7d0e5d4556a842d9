package web

import "github.com/entente-project/entente/internal/web/ui"

// viewsPage is the saved views of a person, with those that are shared.
type viewsPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Views  []savedView
	Empty  ui.Empty
}

type savedView struct {
	ID           string
	Name         string
	List         string
	Href         string
	By           string
	Badges       []ui.Badge
	Shared       bool
	Mine         bool
	Standard     bool
	MayShare     bool
	MakeStandard string
	Rename       string // "" for those who may not
	Remove       string
}
