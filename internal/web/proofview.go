package web

import (
	"net/url"

	"github.com/entente-project/entente/internal/web/ui"
)

// proofPage asks for a proof of identity and carries along what it is needed for.
type proofPage struct {
	Frame    ui.Page
	Status   int
	Wrong    string
	Action   string
	Carried  []ui.Option // fields of the form: name and value
	Form     url.Values  // the same, to be kept while a provider asks
	Back     string
	Email    string
	Password bool
	Code     bool
	Passkey  passkeyForm
	SSO      string // where the provider asks again; "" where no provider opened the session
	Kept     bool   // what was typed waits until the provider has asked
	Minutes  int
}
