package notify

import (
	"net/url"
	"slices"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// EventKind is a kind of events that a hook can be told.
type EventKind struct {
	Kind  journal.Kind
	Words entente.Text
	// Verb is what a person must be allowed to see such events.
	Verb identity.Verb
	// page is the part of the address of the page about the subject; empty where the
	// subject has none.
	page string
}

// The kinds that the room writes.
const (
	EventMade     journal.Kind = "webhook.made"     // subject: the hook
	EventChanged  journal.Kind = "webhook.changed"  // the same
	EventRemoved  journal.Kind = "webhook.removed"  // the same
	EventTested   journal.Kind = "webhook.tested"   // the same
	EventReplayed journal.Kind = "webhook.replayed" // the same
	EventStopped  journal.Kind = "webhook.stopped"  // the same
)

// kinds lists what hooks can be told, in the order in which people choose.
var kinds = []EventKind{
	{"advisory.matched", "An advisory hits a product, or one does no longer", identity.AdvisoryRead, "products"},
	{"advisory.recorded", "Advisories were recorded", identity.AdvisoryRead, ""},
	{"sbom.recorded", "An SBOM was recorded", identity.InventoryRead, "products"},
	{"sbom.removed", "An SBOM was withdrawn", identity.InventoryRead, "products"},
	{"chain.changed", "Something in the chain was changed", identity.ChainRead, ""},
	{"chain.imported", "A map or a sheet was imported", identity.ChainRead, ""},
	{"partner.answered", "A question about a supplier was answered", identity.ChainRead, "suppliers"},
	{"partner.tier-set", "A supplier's tier was set by hand", identity.ChainRead, "suppliers"},
	{"partner.tier-freed", "A supplier's computed tier applies again", identity.ChainRead, "suppliers"},
	{"partnership.began", "A partnership began", identity.PartnerRead, "partners"},
	{"partnership.ended", "A partnership ended", identity.PartnerRead, "partners"},
	{"partner.rekeyed", "A partner changed its key", identity.PartnerRead, "partners"},
	{"agreement.proposed", "A change of an agreement was proposed", identity.PartnerRead, "partners"},
	{"agreement.signed", "An agreement was signed", identity.PartnerRead, "partners"},
	{"feed.quarantined", "A feed was put into quarantine", identity.PartnerRead, "partners"},
	{"entry.received", "A partner said something", identity.ExchangeRead, ""},
	{identity.EventMemberAdded, "Somebody joined the organisation", identity.JournalRead, "people"},
	{identity.EventMemberChanged, "A member's role was changed", identity.JournalRead, "people"},
	{identity.EventMemberRemoved, "A member left or was removed", identity.JournalRead, ""},
	{identity.EventInvitationMade, "Somebody was invited", identity.JournalRead, ""},
	{identity.EventInvitationWithdrawn, "An invitation was withdrawn", identity.JournalRead, ""},
	{identity.EventInvitationAccepted, "An invitation was accepted", identity.JournalRead, ""},
	{identity.EventTokenMade, "An API token was made", identity.JournalRead, ""},
	{identity.EventTokenRevoked, "An API token was revoked", identity.JournalRead, ""},
	{identity.EventSSOChanged, "Single sign-on was changed", identity.JournalRead, ""},
	{identity.EventOrganisationRenamed, "The organisation was renamed", identity.JournalRead, ""},
	{identity.EventSignedIn, "A member signed in", identity.JournalRead, ""},
	{identity.EventSignInFailed, "A sign-in failed", identity.JournalRead, ""},
	{identity.EventPasswordChanged, "A member's password was changed", identity.JournalRead, ""},
	{identity.EventFactorAdded, "A member added a way to sign in", identity.JournalRead, ""},
	{identity.EventFactorRemoved, "A member removed a way to sign in", identity.JournalRead, ""},
	{identity.EventFactorSuspect, "A member's passkey may have been copied", identity.JournalRead, ""},
	{identity.EventDenied, "Something was denied to somebody", identity.JournalRead, ""},
	{EventMade, "A webhook was registered", identity.JournalRead, "webhooks"},
	{EventChanged, "A webhook was changed", identity.JournalRead, "webhooks"},
	{EventRemoved, "A webhook was removed", identity.JournalRead, ""},
	{EventStopped, "A webhook was stopped after days of failures", identity.JournalRead, "webhooks"},
}

// test is told to the hook that is tested, whatever else it wants to hear.
var test = EventKind{EventTested, "A test of this webhook", identity.WebhookManage, "webhooks"}

func kindOf(k journal.Kind) (EventKind, bool) {
	if k == EventTested {
		return test, true
	}
	i := slices.IndexFunc(kinds, func(e EventKind) bool { return e.Kind == k })
	if i < 0 {
		return EventKind{}, false
	}
	return kinds[i], true
}

func kindsTold() []journal.Kind {
	told := []journal.Kind{EventTested}
	for _, k := range kinds {
		told = append(told, k.Kind)
	}
	return told
}

// KindWords says a kind of events; false for one that no hook is told.
func KindWords(k journal.Kind) (entente.Text, bool) {
	known, ok := kindOf(k)
	return known.Words, ok
}

// KindsFor lists the kinds of events that a hook of the actor's can be told: those
// that the actor may see.
func KindsFor(actor entente.Actor) []EventKind {
	var may []EventKind
	for _, k := range kinds {
		if ok, _ := identity.Can(actor, k.Verb, identity.In(actor.Org)); ok {
			may = append(may, k)
		}
	}
	return may
}

// path is the address of the page about an event's subject, on this node; empty
// where there is none.
func (k EventKind) path(org entente.OrgID, subject string) string {
	if k.page == "" || subject == "" {
		return ""
	}
	return "/o/" + url.PathEscape(string(org)) + "/" + k.page + "/" + url.PathEscape(subject)
}
