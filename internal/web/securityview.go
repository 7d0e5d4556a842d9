package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

type securityPage struct {
	Frame       ui.Page
	Head        ui.Head
	Notice      ui.Notice
	HasPassword bool
	App         bool
	Since       time.Time
	Codes       int
	Enrol       string
	Remove      string
	NewCodes    string

	Passkeys       []passkeyView
	Add            passkeyForm
	WhyNone        string // why this node has no passkeys
	RemovePassword string
}

type enrolPage struct {
	Frame  ui.Page
	Head   ui.Head
	Code   qrView
	Secret string
	Spaced string
	URL    string
	Wrong  string
	Action string
}

type codesPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Email  string
	Codes  []string
	Next   string
}
