package web

import "github.com/entente-project/entente/internal/web/ui"

// preferencesPage asks how somebody likes to read.
type preferencesPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Action   string
	Language ui.Choice
	Zone     ui.Field
	Zones    []ui.Option
	Rows     ui.Choice
}
