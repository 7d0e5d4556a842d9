package entente

import (
	"slices"
	"time"
)

// Standing is what one party is to another, from the view of the one that shares.
type Standing uint8

// The standings. A party can be several of them: each allows something of its own.
const (
	IsCustomer Standing = 1 << iota // buys from the one that shares, directly
	IsSupplier                      // supplies the one that shares, directly
	IsMember                        // is in a circle with it, to which the entry belongs
	IsPublic                        // is the world: a public page, an open provider
)

// Relation is what stands between the party that shares and the one that would
// receive, at the time of the decision.
type Relation struct {
	// Originator is who said it first; the party that shares is not always that.
	Originator PartyID
	Standing   Standing
	// Agreed says that an agreement (or the rules of a circle) between the two is in
	// force and lets this kind of entry travel this way.
	Agreed bool
	// Ceiling is the strictest label that the agreement lets travel; 0: any.
	Ceiling TLP
	// Need says that the receiver needs to know it: decided by a person, or by a rule
	// that a person set, such as "it hits what we supply to them".
	Need bool
	// Person is the person to whom it would be shown, for TLP:RED at the receiving
	// node and for the people of one's own organisation; empty for an organisation.
	Person string
	// At is now.
	At time.Time
}

// MayShare decides whether the holder from may let to have something with this
// marking, and says why or why not. It is pure, and the only gate: every way out of
// a node goes through it.
//
// Rules, of which the first that applies decides (TLP 2.0; the recipient's clients
// are its customers: in a supply chain TLP:AMBER goes on to customers who need to
// know it, never to suppliers):
//
//  1. what has no valid marking, is expired, or is under embargo and would be passed
//     on, stays
//  2. TLP:RED reaches the people it names at the parties it names, from the originator
//     alone; inside an organisation nobody else
//  3. within one organisation everything else is open
//  4. an audience that is named binds all others
//  5. TLP:CLEAR may go to anyone
//  6. nothing else goes to the public or to a party without an agreement in force,
//     or above the ceiling of the agreement
//  7. TLP:GREEN may go to partners and members of the circle, in both directions
//  8. TLP:AMBER+STRICT goes from its originator to the parties it names, and no further
//  9. TLP:AMBER goes from its originator to the parties it names, and on from these to
//     their customers: the clients that it names, or who need to know it
func MayShare(m Marking, from, to PartyID, r Relation) (bool, Message) {
	if err := m.Validate(); err != nil {
		return false, Say("It is not marked in a way that allows anything to be shared.")
	}
	origin := from == r.Originator
	switch {
	case from == "" || r.Originator == "":
		return false, Say("It is not known who said it.")
	case !m.Expires.IsZero() && !r.At.Before(m.Expires):
		return false, Say("Its time has run out: it is to be deleted.")
	case from != to && !origin && r.At.Before(m.Embargo):
		return false, Say("It is under embargo: nobody but its originator passes it on.")
	case m.TLP == TLPRed:
		return mayShareRed(m, from, to, r, origin)
	case from == to:
		return true, Say("It stays within the organisation.")
	case m.TLP == TLPClear && len(m.Audience) == 0:
		return true, Say("TLP:CLEAR may go to anyone.")
	case r.Standing&IsPublic != 0:
		return false, Say("%s does not go to the public.", m.TLP.String())
	case len(m.Audience) > 0 && !slices.Contains(m.Audience, to) && (m.TLP != TLPAmber || origin):
		return false, Say("It is addressed to others.")
	case !r.Agreed:
		return false, Say("No agreement in force lets this travel to them.")
	case r.Ceiling != 0 && m.TLP > r.Ceiling:
		return false, Say("The agreement with them goes up to %s, and this is %s.", r.Ceiling.String(), m.TLP.String())
	case m.TLP == TLPClear:
		return true, Say("It is TLP:CLEAR and addressed to them.")
	case m.TLP == TLPGreen:
		if r.Standing&(IsCustomer|IsSupplier|IsMember) == 0 {
			return false, Say("TLP:GREEN goes to partners and to members of the community, and they are neither.")
		}
		return true, Say("TLP:GREEN may go to partners and to the community.")
	case len(m.Audience) == 0:
		return false, Say("%s names its recipients, and this names none.", m.TLP.String())
	case origin:
		return true, Say("It is addressed to them.")
	case m.TLP == TLPAmberStrict:
		return false, Say("TLP:AMBER+STRICT stays in the organisation that received it.")
	}
	return mayPassAmber(m, from, to, r)
}

// mayShareRed is rule 2.
func mayShareRed(m Marking, from, to PartyID, r Relation, origin bool) (bool, Message) {
	switch {
	case r.Standing&IsPublic != 0:
		return false, Say("%s does not go to the public.", m.TLP.String())
	case from == to && origin && r.Person == "":
		return true, Say("It stays with the organisation that said it.")
	case from == to && slices.Contains(m.People, r.Person):
		return true, Say("It is addressed to this person.")
	case from == to:
		return false, Say("TLP:RED is only for the people it names.")
	case !origin:
		return false, Say("TLP:RED is never passed on.")
	case len(m.Audience) == 0 || len(m.People) == 0:
		return false, Say("TLP:RED names its recipients, party and people, and this does not.")
	case !slices.Contains(m.Audience, to):
		return false, Say("It is addressed to others.")
	case !r.Agreed:
		return false, Say("No agreement in force lets this travel to them.")
	case r.Ceiling != 0 && m.TLP > r.Ceiling:
		return false, Say("The agreement with them goes up to %s, and this is %s.", r.Ceiling.String(), m.TLP.String())
	}
	return true, Say("It is addressed to people there by name.")
}

// mayPassAmber is the second half of rule 9: on from a recipient.
func mayPassAmber(m Marking, from, to PartyID, r Relation) (bool, Message) {
	switch {
	case to == r.Originator:
		return true, Say("They said it themselves.")
	case slices.Contains(m.Audience, to):
		return true, Say("It is addressed to them too.")
	case !slices.Contains(m.Audience, from):
		return false, Say("TLP:AMBER goes one step beyond the parties it is addressed to, and no further.")
	case r.Standing&IsCustomer == 0:
		return false, Say("TLP:AMBER goes on to customers only, and they are none.")
	case len(m.Clients) > 0 && !slices.Contains(m.Clients, to):
		return false, Say("Its originator named the customers to whom it may go, and they are not among them.")
	case len(m.Clients) == 0 && !r.Need:
		return false, Say("TLP:AMBER goes on to customers who need to know it, and nobody has said that they do.")
	}
	return true, Say("They are a customer who needs to know it.")
}
