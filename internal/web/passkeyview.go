package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

// passkeyForm is a form that ui/script/passkey.ts shows and drives.
type passkeyForm struct {
	Offered   bool
	Localhost string // where passkeys work, if they do not at this address
	Does      string // "create" or "get"
	Begin     string
	Finish    string
	Action    string // with it, the form itself is sent when the ceremony is done
	Button    string
	Fields    []ui.Field
	Carried   []ui.Option
}

type passkeyView struct {
	Name   string
	Synced bool
	Made   time.Time
	Used   time.Time
	Rename string
	Field  string
	Remove string
}
