package web

import "github.com/entente-project/entente/internal/web/ui"

// verifyPage says whether the journal is as it was written.
type verifyPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Defs   []ui.Def
}
