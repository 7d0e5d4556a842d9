package web

import "github.com/entente-project/entente/internal/web/ui"

type organisationPage struct {
	Frame     ui.Page
	Head      ui.Head
	Notice    ui.Notice
	Defs      []ui.Def
	Rename    string // "" for those who may not
	Name      string
	NameWrong string
}
