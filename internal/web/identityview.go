package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

type signInPage struct {
	Notice    ui.Notice
	Email     string
	Next      string
	Passkey   passkeyForm
	SSO       ui.Link
	Forgotten bool // a new password can be set by mail
}

type codePage struct {
	Notice ui.Notice
	Next   string
}

type organisationsPage struct {
	Organisations []organisationChoice
}

type organisationChoice struct {
	ui.Link
	Role string
}

type accountPage struct {
	Frame          ui.Page
	Notice         ui.Notice
	Defs           []ui.Def
	Email          string
	PasswordAction string
	OldWrong       string
	NewWrong       string
	Shortest       int
	First          bool   // there is no password yet
	Reading        string // where it is chosen how the person likes to read
	Security       string // where the second factor and passkeys are looked after
	Code           bool   // an authenticator app is enrolled, and its code is asked for
	Sessions       []sessionView
	EndOthers      string
}

type sessionView struct {
	Agent   string
	Address string
	Method  string
	Created time.Time
	Seen    time.Time
	This    bool
	End     string // where the form that ends it leads
}
