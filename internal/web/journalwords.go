package web

import (
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/threat"
	"github.com/entente-project/entente/internal/web/lang"
)

// textsOfKinds say what happened, by the kind of the event.
var textsOfKinds = map[journal.Kind]entente.Text{
	chain.EventImported:               "Chain imported",
	chain.EventChanged:                "Chain changed",
	threat.EventRecorded:              "Threats shared by a partner",
	threat.EventForgotten:             "Threats taken back by a partner",
	threat.EventExpired:               "Threats of a partner expired, and deleted",
	advisory.EventSpoken:              "Supplier said how products stand (VEX)",
	chain.EventDisclosed:              "Suppliers of a supplier told, taken back or expired",
	chain.EventChosen:                 "Chosen what a partner is told of suppliers",
	inventory.EventRecorded:           "SBOM recorded",
	inventory.EventRemoved:            "SBOM withdrawn",
	advisory.EventRecorded:            "Advisory recorded",
	advisory.EventMatched:             "Advisory compared with components",
	partner.EventAnswered:             "Question about a partner answered",
	partner.EventTierSet:              "Tier of a partner set by hand",
	partner.EventTierFreed:            "Tier of a partner computed again",
	identity.EventOrganisationCreated: "Organisation created",
	identity.EventOrganisationRenamed: "Organisation renamed",
	identity.EventMemberAdded:         "Member added",
	identity.EventMemberChanged:       "Member changed",
	identity.EventMemberRemoved:       "Member removed",
	identity.EventInvitationMade:      "Invitation made",
	identity.EventInvitationWithdrawn: "Invitation withdrawn",
	identity.EventInvitationAccepted:  "Invitation accepted",
	identity.EventTokenMade:           "API token made",
	identity.EventTokenRevoked:        "API token revoked",
	identity.EventSSOChanged:          "Single sign-on changed",
	identity.EventSSOLinked:           "Account linked by single sign-on",
	identity.EventSignedIn:            "Signed in",
	identity.EventSignInFailed:        "Sign-in failed",
	identity.EventSessionEnded:        "Session ended",
	identity.EventAccountChanged:      "Account changed",
	identity.EventPasswordChanged:     "Password changed",
	identity.EventFactorAdded:         "Second factor or passkey added",
	identity.EventFactorRemoved:       "Second factor or passkey removed",
	identity.EventFactorSuspect:       "Passkey may have been copied",
	identity.EventDenied:              "Access denied",
	identity.EventVerified:            "Journal verified",
	notify.EventMade:                  "Webhook registered",
	notify.EventChanged:               "Webhook changed",
	notify.EventRemoved:               "Webhook removed",
	notify.EventTested:                "Webhook tested",
	notify.EventReplayed:              "Webhook deliveries replayed",
	notify.EventStopped:               "Webhook stopped",
	exchange.EventKeyMade:             "Key made",
	exchange.EventKeyRotated:          "Key changed",
	exchange.EventContacts:            "Contacts for partners changed",
	exchange.EventMoved:               "Node reached at another address",
	exchange.EventMovedOut:            "Seat moved out of this node",
	exchange.EventMovedIn:             "Seat moved into this node",
	exchange.EventStayed:              "Seat opened again",
	exchange.EventInvited:             "Partner invited",
	exchange.EventWithdrawn:           "Invitation of a partner withdrawn",
	exchange.EventBegan:               "Partnership began",
	exchange.EventEnded:               "Partnership ended",
	exchange.EventCompared:            "Words of a partner's key compared",
	exchange.EventKnownAs:             "Partner linked with an organisation of the chain",
	exchange.EventPartnerKey:          "Partner changed its key",
	exchange.EventPartnerMoved:        "Partner moved to another node",
	exchange.EventProposed:            "Change of an agreement proposed",
	exchange.EventSigned:              "Agreement signed",
	exchange.EventRefused:             "Change of an agreement refused",
	exchange.EventReceived:            "Entry of a partner received",
	exchange.EventBlob:                "File of an entry arrived",
	exchange.EventSettled:             "Entry of a partner looked at by the rooms",
	exchange.EventHeld:                "Entry of a partner held back",
	exchange.EventRecalled:            "Entry taken back by a partner",
	exchange.EventExpired:             "Entry of a partner expired, and deleted",
	exchange.EventNarrowed:            "Entry narrowed by a partner",
	exchange.EventRead:                "Entry of a partner read",
	exchange.EventForked:              "Feed put into quarantine",
	exchange.EventReleased:            "Feed released from quarantine",
	exchange.EventRegained:            "What was said and lost given back by a partner",
	exchange.EventSaid:                "Something said to partners",
	exchange.EventTakenBack:           "Something said taken back",
	exchange.EventMadeNarrower:        "Something said made narrower",
	exchange.EventConfirmed:           "Partner confirmed that it deleted or narrowed something",
	exchange.EventEmbargoStep:         "Embargo changed",
}

var kindSpelling = strings.NewReplacer(".", " ", "-", " ")

// kindText says what happened; a kind that has no words is spelled out.
func (v *visit) kindText(k journal.Kind) string {
	if text, ok := textsOfKinds[k]; ok {
		return v.T(text)
	}
	return lang.Capital(kindSpelling.Replace(string(k)))
}

// doorTexts say in which role and by which door somebody came.
var doorTexts = map[entente.Door]entente.Text{
	entente.DoorPage:    "%s, on a page",
	entente.DoorAPI:     "%s, through the API",
	entente.DoorCommand: "%s, at the command line",
	entente.DoorWorker:  "%s, following the journal",
}

func (v *visit) doorText(e journal.Event) string {
	if text, ok := doorTexts[e.Door]; ok {
		return v.T(text, roleTexts[e.Role])
	}
	return v.role(e.Role)
}
