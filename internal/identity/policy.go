package identity

import (
	"fmt"
	"slices"

	"github.com/entente-project/entente"
)

// Verb is something that an actor may or may not do. Verbs are coarse: a few per
// room, so that the table below can be read in one go.
type Verb string

// The verbs.
const (
	ChainRead     Verb = "chain.read"     // see processes, systems, suppliers, impact and what-if; export the map
	ChainEdit     Verb = "chain.edit"     // change them; import a map
	ChainImport   Verb = "chain.import"   // bring in sheets; what of them is taken is decided by chain.edit, row by row
	ChainOverride Verb = "chain.override" // put a judgement with a reason over what is computed, such as a tier

	InventoryRead   Verb = "inventory.read"   // see products, SBOMs and components
	InventoryUpload Verb = "inventory.upload" // record an SBOM
	InventoryRemove Verb = "inventory.remove" // withdraw an SBOM

	AdvisoryRead Verb = "advisory.read" // see advisories, matches and whom they hit
	AdvisoryEdit Verb = "advisory.edit" // record advisories, judge matches

	JournalRead   Verb = "journal.read"   // see the audit trail
	JournalExport Verb = "journal.export" // take it away as a file
	JournalVerify Verb = "journal.verify" // recompute its hash chain

	PeopleRead         Verb = "people.read"         // see the members and their roles
	PeopleManage       Verb = "people.manage"       // change a role or scope, remove a member
	InvitationManage   Verb = "invitation.manage"   // invite colleagues, withdraw an invitation
	TokenManage        Verb = "token.manage"        // make and revoke API tokens of one's own
	TokenOversee       Verb = "token.oversee"       // see and revoke the API tokens of every member
	OrganisationRead   Verb = "organisation.read"   // see the organisation's name and settings
	OrganisationManage Verb = "organisation.manage" // change them; set up single sign-on
	WebhookRead        Verb = "webhook.read"        // see the webhooks and what was delivered
	WebhookManage      Verb = "webhook.manage"      // register, change, pause and remove them; deliver again
	AccountSelf        Verb = "account.self"        // look after one's own account: password, passkeys, sessions
	ViewSave           Verb = "view.save"           // keep views of lists for oneself
	ViewShare          Verb = "view.share"          // give them to the whole organisation, change and remove those

	PartnerRead    Verb = "partner.read"    // see the partners, the agreements with them and how the feeds stand
	PartnerManage  Verb = "partner.manage"  // invite, sign and end agreements, compare and change keys
	ExchangeRead   Verb = "exchange.read"   // see what was said to partners and by them, as far as its marking allows
	ExchangeShare  Verb = "exchange.share"  // say something to partners, take it back, answer
	ExchangeExport Verb = "exchange.export" // take the ledger away as a file
)

// may is one cell of the table; its zero value denies.
type may uint8

const (
	not may = iota // never
	yes            // on every object of the actor's own organisation
	own            // on the objects in the actor's Scope only
	buy            // on what procurement looks after only: suppliers, supplies and products
)

// policy is the whole of who may do what. What it does not say is denied, and
// nothing in it reaches beyond the actor's own organisation. The column "system"
// is the program itself, acting for one organisation; "token" says whether the verb
// can be granted to an API token at all; "fresh" marks the acts for which a person
// at a page must have proven within the last minutes who they are.
var policy = map[Verb]rule{
	//                   owner sec  ana  biz  proc aud  cont syst tok  fresh
	//                         lead lyst own. urem itor act  em   en
	ChainRead:          {yes, yes, yes, yes, yes, yes, not, yes, yes, not},
	ChainEdit:          {yes, yes, yes, own, buy, not, not, yes, yes, not},
	ChainImport:        {yes, yes, yes, yes, yes, not, not, yes, yes, not},
	ChainOverride:      {yes, yes, not, not, not, not, not, not, yes, not},
	InventoryRead:      {yes, yes, yes, yes, yes, yes, own, yes, yes, not},
	InventoryUpload:    {yes, yes, yes, not, yes, not, own, yes, yes, not},
	InventoryRemove:    {yes, yes, yes, not, not, not, not, yes, yes, not},
	AdvisoryRead:       {yes, yes, yes, yes, yes, yes, own, yes, yes, not},
	AdvisoryEdit:       {yes, yes, yes, not, not, not, not, yes, yes, not},
	JournalRead:        {yes, yes, not, not, not, yes, not, yes, yes, not},
	JournalExport:      {yes, yes, not, not, not, yes, not, yes, yes, not},
	JournalVerify:      {yes, yes, yes, not, not, yes, not, yes, yes, not},
	PeopleRead:         {yes, yes, yes, yes, yes, yes, not, yes, yes, not},
	PeopleManage:       {yes, not, not, not, not, not, not, yes, yes, yes},
	InvitationManage:   {yes, not, not, not, not, not, not, yes, yes, yes},
	TokenManage:        {yes, yes, yes, yes, yes, yes, not, not, not, yes},
	TokenOversee:       {yes, yes, not, not, not, not, not, yes, not, not},
	OrganisationRead:   {yes, yes, yes, yes, yes, yes, yes, yes, yes, not},
	OrganisationManage: {yes, not, not, not, not, not, not, yes, yes, yes},
	WebhookRead:        {yes, yes, not, not, not, yes, not, yes, yes, not},
	WebhookManage:      {yes, yes, not, not, not, not, not, yes, yes, yes},
	AccountSelf:        {yes, yes, yes, yes, yes, yes, yes, not, not, not},
	ViewSave:           {yes, yes, yes, yes, yes, yes, not, not, yes, not},
	ViewShare:          {yes, yes, yes, not, yes, not, not, not, yes, not},
	PartnerRead:        {yes, yes, yes, yes, yes, yes, own, yes, yes, not},
	PartnerManage:      {yes, yes, not, not, not, not, not, yes, not, yes},
	ExchangeRead:       {yes, yes, yes, yes, yes, yes, not, yes, yes, not},
	ExchangeShare:      {yes, yes, yes, not, not, not, not, yes, yes, not},
	ExchangeExport:     {yes, yes, not, not, not, yes, not, yes, yes, not},
}

// rule is one line of the table.
type rule [columns]may

// The columns of the table, in its order.
const (
	colOwner = iota
	colSecurityLead
	colAnalyst
	colBusinessOwner
	colProcurement
	colAuditor
	colContact
	colSystem
	colToken
	colFresh
	columns
)

// column finds the role's column; false for a role that the table does not know.
func column(r entente.Role) (int, bool) {
	switch r {
	case entente.RoleOwner:
		return colOwner, true
	case entente.RoleSecurityLead:
		return colSecurityLead, true
	case entente.RoleAnalyst:
		return colAnalyst, true
	case entente.RoleBusinessOwner:
		return colBusinessOwner, true
	case entente.RoleProcurement:
		return colProcurement, true
	case entente.RoleAuditor:
		return colAuditor, true
	case entente.RoleContact:
		return colContact, true
	case entente.RoleSystem:
		return colSystem, true
	}
	return 0, false
}

// The kinds of objects by which the table tells acts apart. Rooms use more kinds;
// to the policy these are all that matter.
const (
	KindProcess     = "process"     // the scope of a business owner; an activity is judged by its process
	KindPartnership = "partnership" // the scope of a contact
)

// tradeKinds are what procurement may change.
var tradeKinds = []string{"organisation", "supply", "product"}

// scopeKind is the kind of the objects that Actor.Scope lists, per role.
func scopeKind(r entente.Role) string {
	switch r {
	case entente.RoleBusinessOwner:
		return KindProcess
	case entente.RoleContact:
		return KindPartnership
	}
	return ""
}

func scopeWord(kind string) entente.Text {
	if kind == KindPartnership {
		return "partnership"
	}
	return "process"
}

// Object is what an act is on. Kind and ID matter only to roles that are limited to
// some objects; an act on the organisation as a whole leaves them empty.
type Object struct {
	Kind string
	Org  entente.OrgID
	ID   string
}

// In names an organisation as a whole as the object of an act.
func In(org entente.OrgID) Object { return Object{Org: org} }

// notHere is the reason given for whatever lies in another organisation: it tells
// nothing, not even whether the object exists.
const notHere entente.Text = "there is no such thing in this organisation"

// Can decides whether an actor may do something to an object, and if not, why, in
// words for the actor. It is the only such decision in the program.
func Can(actor entente.Actor, v Verb, o Object) (ok bool, reason entente.Message) {
	if actor.Org == "" || actor.Org != o.Org {
		return false, entente.Say(notHere)
	}
	line, known := policy[v]
	if !known {
		return false, entente.Say("nobody may do %q: the table of rights does not know it", v)
	}
	col, known := column(actor.Role)
	if !known {
		return false, entente.Say("the role %q is unknown", actor.Role)
	}
	if actor.Role == entente.RoleSystem && actor.Person != "" {
		return false, entente.Say("a person cannot act as the program itself")
	}
	if actor.Door == entente.DoorAPI || actor.Verbs != nil {
		if line[colToken] != yes {
			return false, entente.Say("%s cannot be done with an API token; sign in instead", v)
		}
		if !slices.Contains(actor.Verbs, string(v)) {
			return false, entente.Say("this API token was not made for %s", v)
		}
	}
	switch line[col] {
	case yes:
		return true, entente.Message{}
	case own:
		kind := scopeKind(actor.Role)
		if o.Kind == kind && o.ID != "" && slices.Contains(actor.Scope, o.ID) {
			return true, entente.Message{}
		}
		return false, entente.Say("the role %q allows %s only for the %s entries assigned to you; an owner can assign more", actor.Role, v, scopeWord(kind))
	case buy:
		if slices.Contains(tradeKinds, o.Kind) {
			return true, entente.Message{}
		}
		return false, entente.Say("the role %q allows %s only for suppliers, supplies and products", actor.Role, v)
	}
	return false, entente.Say("the role %q does not allow %s; ask an owner of the organisation", actor.Role, v)
}

// Denial is the cause of every error of [Require], from which a door writes it to
// the journal (see [Service.RecordDenied]).
type Denial struct {
	Actor  entente.Actor
	Verb   Verb
	Object Object
	Reason string // in English, for the journal
}

// Error tells who may not do what, for the log.
func (d *Denial) Error() string {
	return fmt.Sprintf("%s (%s) may not %s on %s %q of %s: %s",
		d.Actor.Name, d.Actor.Role, d.Verb, d.Object.Kind, d.Object.ID, d.Object.Org, d.Reason)
}

// Require is [Can] as an error: nil, a denial with the reason, or, for whatever is
// not in the actor's organisation, a not-found that tells nothing.
func Require(actor entente.Actor, v Verb, o Object) error {
	ok, reason := Can(actor, v, o)
	if ok {
		return nil
	}
	return deny(actor, v, o, reason)
}

// deny is the error of [Require], also for the few acts that the table allows to a
// role and something else forbids.
func deny(actor entente.Actor, v Verb, o Object, reason entente.Message) error {
	kind := entente.KindDenied
	if reason.Text == notHere {
		kind = entente.KindNotFound
	}
	return &entente.Error{Kind: kind, Message: reason, Err: &Denial{actor, v, o, reason.String()}}
}

// Verbs lists every verb of the table, in order of its name.
func Verbs() []Verb {
	all := make([]Verb, 0, len(policy))
	for v := range policy {
		all = append(all, v)
	}
	slices.Sort(all)
	return all
}

// TokenVerbs lists the verbs that an API token of the actor can be made for: those
// that the table opens to tokens and that the actor's role has, at least in part.
func TokenVerbs(actor entente.Actor) []Verb {
	col, known := column(actor.Role)
	if !known {
		return nil
	}
	return slices.DeleteFunc(Verbs(), func(v Verb) bool {
		return policy[v][colToken] != yes || policy[v][col] == not
	})
}

// NeedsFresh says whether a person at a page must have proven who they are within
// the last minutes before they may do v (see [Session.RecentlyAuthenticated]).
func NeedsFresh(v Verb) bool { return policy[v][colFresh] == yes }
