package web

import (
	"time"

	"github.com/entente-project/entente/internal/web/ui"
)

type tokensPage struct {
	Frame       ui.Page
	Head        ui.Head
	Notice      ui.Notice
	Secret      string // of the token that was made just now
	SecretName  string
	SecretUntil time.Time
	Action      string
	Name        string
	Verbs       ui.CheckGroup
	Days        ui.Choice
	Everybody   bool // the list holds the tokens of all members
	All         []tokenView
	Choose      string // where the ticked ones go
	Working     int    // those that can be revoked
}

type tokenView struct {
	ID      string
	Name    string
	Prefix  string
	Person  string
	Mine    bool
	Verbs   string
	Made    time.Time
	Expires time.Time
	Used    time.Time
	State   ui.Badge
	Revoke  string // "" where it does not work any more
}
