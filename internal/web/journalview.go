package web

import "github.com/entente-project/entente/internal/web/ui"

// verifyPage says whether the journal is as it was written.
type verifyPage struct {
	Frame  ui.Page
	Head   ui.Head
	Action string
	Notice ui.Notice
	Feeds  ui.Notice
	Last   string
	Defs   []ui.Def
}
