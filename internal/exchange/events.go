package exchange

import "github.com/entente-project/entente/internal/journal"

// The events of the room. The subject is the party, where nothing else is said.
const (
	EventKeyMade      journal.Kind = "key.made"              // the organisation's first key
	EventKeyRotated   journal.Kind = "key.rotated"           // its next one; body: why, and what was revoked
	EventContacts     journal.Kind = "organisation.contacts" // whom partners can reach was changed, and told to all
	EventMoved        journal.Kind = "organisation.moved"    // this node is reached at another address now; body: from, to
	EventMovedOut     journal.Kind = "seat.moved-out"        // written into a file and closed here
	EventMovedIn      journal.Kind = "seat.moved-in"         // opened here from a file
	EventStayed       journal.Kind = "seat.stayed"           // opened again after it was closed
	EventInvited      journal.Kind = "partnership.invited"   // subject: the invitation
	EventWithdrawn    journal.Kind = "partnership.withdrawn" // an invitation; subject: the invitation
	EventBegan        journal.Kind = "partnership.began"
	EventEnded        journal.Kind = "partnership.ended"
	EventCompared     journal.Kind = "partnership.compared" // a person compared the fingerprint
	EventKnownAs      journal.Kind = "partnership.known"    // which organisation of the chain it is
	EventPartnerKey   journal.Kind = "partner.rekeyed"      // the partner has changed its keys
	EventPartnerMoved journal.Kind = "partner.moved"        // the partner lives on another node
	EventProposed     journal.Kind = "agreement.proposed"
	EventSigned       journal.Kind = "agreement.signed"
	EventRefused      journal.Kind = "agreement.refused"
	EventReceived     journal.Kind = "entry.received" // subject: party/number
	EventBlob         journal.Kind = "entry.file"     // a file of an entry is here, whole; subject: party/number
	EventHeld         journal.Kind = "entry.held"     // received, and its marking does not let us have it
	EventExpired      journal.Kind = "entry.expired"  // its time ran out; subject: party/number
	EventRecalled     journal.Kind = "entry.recalled" // by its sender; subject: party/number
	EventNarrowed     journal.Kind = "entry.narrowed" // by its sender; subject: party/number
	EventRead         journal.Kind = "entry.read"     // by a person of ours; subject: party/number
	EventSettled      journal.Kind = "entry.settled"  // what the rooms made of it; subject: party/number
	EventForked       journal.Kind = "feed.quarantined"
	EventReleased     journal.Kind = "feed.released"       // from quarantine, by a person
	EventRegained     journal.Kind = "feed.regained"       // what we had said and lost came back from the partner
	EventSaid         journal.Kind = "statement.said"      // subject: the statement
	EventTakenBack    journal.Kind = "statement.recalled"  // by us; subject: the statement
	EventMadeNarrower journal.Kind = "statement.narrowed"  // by us; subject: the statement
	EventConfirmed    journal.Kind = "statement.confirmed" // a partner signed that it deleted or narrowed it; subject: the statement
	EventEmbargoStep  journal.Kind = "embargo.changed"     // subject: what it is about
)

// entryEvent is the body of the events about an entry that was received.
type entryEvent struct {
	Party   string `json:"party"`
	Name    string `json:"name"`
	Number  uint64 `json:"number"`
	Kind    string `json:"kind"`
	Subject string `json:"subject"`
	Why     string `json:"why,omitempty"`
}
