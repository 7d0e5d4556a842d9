package web

import (
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// thingTexts is what pages call the things of a kind.
type thingTexts struct {
	Many entente.Text // as the heading of all of them
	New  entente.Text
	Add  entente.Text
}

// textsOfThings has a kind's words in whole, because the grammar of a language hangs
// on the noun.
var textsOfThings = map[chain.NodeKind]thingTexts{
	chain.KindOrganisation: {"Suppliers", "New organisation", "Add the organisation"},
	chain.KindProcess:      {"Processes", "New process", "Add the process"},
	chain.KindActivity:     {"Activities", "New activity", "Add the activity"},
	chain.KindSystem:       {"Systems", "New system", "Add the system"},
	chain.KindSupply:       {"Supplies", "New supply", "Add the supply"},
	chain.KindProduct:      {"Products", "New product", "Add the product"},
	chain.KindFlow:         {"Data flows", "New flow of data", "Add the flow of data"},
}

// choice is one of the values that a field of a thing takes, in words.
type choice struct {
	value string
	label entente.Text // as inside a sentence
}

// choicesOf gives the values of a field in the order in which they are offered.
func choicesOf[T ~string](words map[T]entente.Text, order ...T) []choice {
	choices := make([]choice, len(order))
	for i, value := range order {
		choices[i] = choice{string(value), words[value]}
	}
	return choices
}

// The values of fields that have only a few.
var (
	itemKinds     = choicesOf(itemWords, chain.ItemData, chain.ItemGoods, chain.ItemService)
	criticalities = choicesOf(criticalityWords, chain.Critical, chain.High, chain.Medium, chain.Low)
	systemKinds   = choicesOf(systemWords, chain.SystemApplication, chain.SystemService, chain.SystemDataStore, chain.SystemInterface)
	natures       = choicesOf(natureWords, chain.NatureGoods, chain.NatureService, chain.NatureSoftware, chain.NatureCloud)
	supplyTerms   = choicesOf(supplyWords, chain.Commodity, chain.Bespoke)
	accessLevels  = choicesOf(accessWords, chain.AccessUser, chain.AccessWrite, chain.AccessPrivileged)
	dataClasses   = choicesOf(classWords, chain.Classes()...)
)

// options offers the choices to the reader.
func (v *visit) options(choices []choice) []ui.Option {
	options := make([]ui.Option, len(choices))
	for i, c := range choices {
		options[i] = ui.Option{Value: c.value, Label: v.capital(entente.Say(c.label))}
	}
	return options
}

// roleTexts name the roles in a sentence.
var roleTexts = map[entente.Role]entente.Text{
	entente.RoleOwner:         "owner",
	entente.RoleSecurityLead:  "security lead",
	entente.RoleAnalyst:       "analyst",
	entente.RoleBusinessOwner: "business owner",
	entente.RoleProcurement:   "procurement",
	entente.RoleAuditor:       "auditor",
	entente.RoleContact:       "contact",
	entente.RoleSystem:        "system",
}

// roleHeads name the roles where they stand alone.
var roleHeads = map[entente.Role]entente.Text{
	entente.RoleOwner:         "Owner",
	entente.RoleSecurityLead:  "Security lead",
	entente.RoleAnalyst:       "Analyst",
	entente.RoleBusinessOwner: "Business owner",
	entente.RoleProcurement:   "Procurement",
	entente.RoleAuditor:       "Auditor",
	entente.RoleContact:       "Contact",
	entente.RoleSystem:        "System",
}

// meaningOfRole says what each role may do.
var meaningOfRole = map[entente.Role]entente.Text{
	entente.RoleOwner:         "Everything, also people, access and the organisation itself.",
	entente.RoleSecurityLead:  "Everything in the chain, products and advisories; reads the journal, oversees API tokens.",
	entente.RoleAnalyst:       "Works on the chain, products and advisories.",
	entente.RoleBusinessOwner: "Reads everything about the chain, and changes the processes that are assigned.",
	entente.RoleProcurement:   "Reads everything about the chain, and changes suppliers, supplies and products.",
	entente.RoleAuditor:       "Reads everything, also the journal, and changes nothing.",
	entente.RoleContact:       "A guest from a partner, who sees their own partnership only.",
}

func (v *visit) role(r entente.Role) string { return v.T(roleTexts[r]) }

func (v *visit) roleHead(r entente.Role) string { return v.T(roleHeads[r]) }

// methodTexts say how a session was opened.
var methodTexts = map[identity.Method]entente.Text{
	identity.ByPassword:     "password",
	identity.ByPasswordCode: "password and code",
	identity.ByPasskey:      "passkey",
	identity.BySSO:          "single sign-on",
	identity.ByInvitation:   "invitation",
}

// agent names the browser of a session, which is known as "Firefox on Linux".
func (v *visit) agent(known string) string {
	if known == "" || known == "unknown program" {
		return v.T("Unknown program")
	}
	if program, system, both := strings.Cut(known, " on "); both {
		return v.T("%s on %s", program, system)
	}
	return lang.Capital(known)
}
