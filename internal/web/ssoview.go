package web

import "github.com/entente-project/entente/internal/web/ui"

type ssoPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Set      bool
	Callback string // what the provider must be told of this node
	SignIn   string // the link that begins a sign-in
	Action   string
	Remove   string
	Label    string
	Issuer   string
	Client   string
	Trust    bool
}

// chooseSSOPage asks by which organisation's provider somebody signs in.
type chooseSSOPage struct {
	Org   string
	Next  string
	Wrong string
}
