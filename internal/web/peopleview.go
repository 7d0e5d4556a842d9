package web

import (
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/ui"
)

type peoplePage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	List   ui.List
	Roles  []ui.Def
}

// roleForm is the fields in which a role and its scope are chosen.
type roleForm struct {
	Role     ui.Choice
	Scope    ui.CheckGroup
	Wrong    string
	Meanings []ui.Def // what each role may do
}

type memberPage struct {
	Frame        ui.Page
	Head         ui.Head
	Notice       ui.Notice
	Defs         []ui.Def
	Self         bool
	Name         string
	Form         roleForm
	RoleAction   string // "" for those who may not change it
	RemoveAction string
}

type invitationsPage struct {
	Frame     ui.Page
	Head      ui.Head
	Notice    ui.Notice
	Link      string // of the invitation that was made just now
	LinkFor   string
	LinkUntil time.Time
	Mailed    bool // the link was mailed as well
	CanMail   bool
	Action    string
	Email     string
	Name      string
	Form      roleForm
	Days      ui.Choice
	All       []invitationView
}

type invitationView struct {
	Email    string
	Role     string
	Scope    string
	By       string
	Made     time.Time
	State    ui.Badge
	Ended    entente.Message // when it ended or will, with the time as a view
	Withdraw string          // "" where there is nothing to withdraw
}

// The ways in which an invitation can be answered.
const (
	offerNew    = "new"     // no account yet
	offerSignIn = "sign in" // there is an account for the address
	offerAccept = "accept"  // signed in with it
	offerOther  = "other"   // signed in with another one
)

type offerPage struct {
	Notice   ui.Notice
	As       string
	Org      string
	Role     entente.Role
	Meaning  string
	By       string
	Email    string
	Expires  time.Time
	Key      string
	Name     string
	Other    string
	SignIn   string
	Shortest int
	Passkey  passkeyForm
}
