package exchange

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/outbound"
)

// InvitationState says what became of an invitation.
type InvitationState string

// The states of an invitation; an open one may have expired.
const (
	InvitationOpen      InvitationState = "open"
	InvitationAccepted  InvitationState = "accepted"
	InvitationWithdrawn InvitationState = "withdrawn"
)

// Invitation to become partners, as the inviter keeps it.
type Invitation struct {
	ID      string
	Name    string // of whom is invited
	KnownAs string // the organisation of the chain that it is; empty: none
	Terms   Terms
	State   InvitationState
	Party   entente.PartyID // who accepted
	Made    time.Time
	By      string
	Expires time.Time

	secret entente.Hash
}

// InvitationLife is for how long an invitation can be accepted.
const InvitationLife = 30 * 24 * time.Hour

// Ticket is an invitation as it travels: as a link, a QR code or a file. Whoever
// holds it may accept, once.
type Ticket struct {
	Version int               `json:"v"`       // 1
	Address string            `json:"address"` // of the inviter's node
	Party   entente.PartyID   `json:"party"`
	Name    string            `json:"name"`
	Key     entente.PublicKey `json:"key"` // in force when it was made
	Secret  string            `json:"secret"`
	Expires time.Time         `json:"expires"`
}

// JoinPath is where a browser opens a link on the inviter's node.
const JoinPath = "/join/"

// Link writes the ticket as a link to the inviter's node, which a browser can open
// and another node can read. It holds the key's name, so that nobody between the two
// can put another node in its place.
func (t Ticket) Link() string {
	return t.Address + JoinPath + string(t.Party) + "/" + t.Secret + "#" + string(t.Key.ID())
}

// ErrTicket says that a text is no invitation.
var errTicket = entente.Text("this is no invitation: paste the whole link, or choose the file")

// ReadTicket reads an invitation that somebody was given, a link or the content of a
// file of at most 64 KiB. Of a link, the name and the key are fetched; key is the one
// that it must be.
func ReadTicket(text string) (t Ticket, key entente.KeyID, err error) {
	text = strings.TrimSpace(text)
	if len(text) > maxTicket {
		return t, "", entente.TooLarge("the invitation is larger than %d bytes", maxTicket)
	}
	if strings.HasPrefix(text, "{") {
		if json.Unmarshal([]byte(text), &t) != nil || t.Version != 1 || t.Party.Valid() != nil || t.Secret == "" || t.Address == "" || len(t.Key) == 0 {
			return Ticket{}, "", entente.Invalid(errTicket)
		}
		return t, t.Key.ID(), nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return t, "", entente.Invalid(errTicket)
	}
	at := strings.LastIndex(u.Path, JoinPath)
	if at < 0 {
		return t, "", entente.Invalid(errTicket)
	}
	party, secret, _ := strings.Cut(strings.TrimSuffix(u.Path[at+len(JoinPath):], "/"), "/")
	t = Ticket{Version: 1, Address: u.Scheme + "://" + u.Host + u.Path[:at], Party: entente.PartyID(party), Secret: secret}
	if t.Party.Valid() != nil || secret == "" || strings.Contains(secret, "/") {
		return Ticket{}, "", entente.Invalid(errTicket)
	}
	return t, entente.KeyID(u.Fragment), nil
}

const maxTicket = 64 << 10

// NewInvitation is what it takes to invite.
type NewInvitation struct {
	Name    string
	KnownAs string
	Terms   Terms
}

// Invite makes an invitation. The ticket is given out now and never again: the
// secret is kept as a hash.
func (s *Service) Invite(ctx context.Context, actor entente.Actor, n NewInvitation) (Ticket, Invitation, error) {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return Ticket{}, Invitation{}, err
	}
	self, err := s.self(ctx, actor.Org)
	if err != nil {
		return Ticket{}, Invitation{}, err
	}
	n.Name = strings.Join(strings.Fields(n.Name), " ")
	switch {
	case n.Name == "":
		return Ticket{}, Invitation{}, entente.Invalid("say whom you invite")
	case len(n.Name) > maxName:
		return Ticket{}, Invitation{}, entente.TooLarge("the name is longer than %d characters", maxName)
	case !n.Terms.Buys && !n.Terms.Supplies:
		return Ticket{}, Invitation{}, entente.Invalid("say whether they supply you, buy from you, or both")
	}
	if err := n.Terms.check(self, n.Name); err != nil {
		return Ticket{}, Invitation{}, err
	}
	raw := make([]byte, 24)
	_, _ = rand.Read(raw)
	secret := base64.RawURLEncoding.EncodeToString(raw)
	now := s.now()
	inv := Invitation{
		ID: newID(), Name: n.Name, KnownAs: n.KnownAs, Terms: n.Terms, State: InvitationOpen, Made: now, By: actor.Name, Expires: now.Add(InvitationLife),
		secret: entente.HashOf([]byte(secret)),
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		if err := insertInvitation(ctx, tx, actor.Org, inv); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventInvited, inv.ID, map[string]any{"name": inv.Name, "until": inv.Expires.Format(time.RFC3339)})
	})
	t := Ticket{Version: 1, Address: s.c.Origin, Party: self.Party(), Name: self.Document.Name, Key: self.Ring.Current().Public, Secret: secret, Expires: inv.Expires}
	return t, inv, err
}

// check makes sure that the terms can become an agreement.
func (t Terms) check(self Self, name string) error {
	stand := entente.PartyOf(bytes.Repeat([]byte{1}, 32)) // for whom is not known yet
	err := t.Agreement(entente.AgreementParty{Party: self.Party(), Name: self.Document.Name, Address: self.Document.Address}, entente.AgreementParty{Party: stand, Name: name}).Validate()
	if err != nil {
		return entente.Invalid("the terms cannot become an agreement: %s", err.Error())
	}
	return nil
}

// Invitations lists the invitations, the newest first.
func (s *Service) Invitations(ctx context.Context, actor entente.Actor) (list []Invitation, err error) {
	if err := identity.Require(actor, identity.PartnerRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = invitationsOf(ctx, tx, actor.Org)
		return err
	})
	return list, err
}

// Withdraw takes back an invitation that nobody has accepted.
func (s *Service) Withdraw(ctx context.Context, actor entente.Actor, id string) error {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		inv, err := readInvitation(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		if inv.State != InvitationOpen {
			return entente.Conflict("the invitation is not open any more")
		}
		inv.State = InvitationWithdrawn
		if err := updateInvitation(ctx, tx, actor.Org, inv); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventWithdrawn, id, map[string]any{"name": inv.Name})
	})
}

// Offer is what whoever holds a ticket is shown before accepting.
type Offer struct {
	Document entente.KeyDocument `json:"document"` // of the inviter
	Terms    Terms               `json:"terms"`
	Name     string              `json:"name"` // as the inviter calls whom it invites
	Expires  time.Time           `json:"expires"`
}

// Offered gives what an invitation of a party of this node offers to whoever holds
// the secret.
func (s *Service) Offered(ctx context.Context, party entente.PartyID, secret string) (Offer, error) {
	org, err := s.local(ctx, party)
	if err != nil {
		return Offer{}, err
	}
	if org == "" {
		return Offer{}, noInvitation()
	}
	self, err := s.self(ctx, org)
	if err != nil {
		return Offer{}, err
	}
	var inv Invitation
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		inv, err = openInvitation(ctx, tx, org, secret, s.now())
		return err
	})
	return Offer{Document: self.Document, Terms: inv.Terms, Name: inv.Name, Expires: inv.Expires}, err
}

// Shown is [Service.Offered] with the whole ticket, for a browser that opened its link
// on this node.
func (s *Service) Shown(ctx context.Context, party entente.PartyID, secret string) (Ticket, Offer, error) {
	o, err := s.Offered(ctx, party, secret)
	if err != nil {
		return Ticket{}, o, err
	}
	ring, err := s.offeredBy(o, party, "")
	return Ticket{Version: 1, Address: s.c.Origin, Party: party, Name: o.Document.Name, Key: ring.Current().Public, Secret: secret, Expires: o.Expires}, o, err
}

func noInvitation() error {
	return entente.NotFound("this invitation is not open any more: it was accepted, withdrawn, or is too old; ask for a new one")
}

// openInvitation finds the invitation with a secret, if it can be accepted.
func openInvitation(ctx context.Context, tx *db.Tx, org entente.OrgID, secret string, now time.Time) (Invitation, error) {
	inv, err := invitationWith(ctx, tx, org, entente.HashOf([]byte(secret)))
	switch {
	case errors.Is(err, db.ErrNoRow):
		return inv, noInvitation()
	case err != nil:
		return inv, err
	case inv.State != InvitationOpen || now.After(inv.Expires):
		return inv, noInvitation()
	}
	return inv, nil
}

// Look asks the inviter's node what a ticket offers, and checks that the answer is
// from whom it says. The ticket that it gives is complete.
func (s *Service) Look(ctx context.Context, actor entente.Actor, text string) (Ticket, Offer, error) {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return Ticket{}, Offer{}, err
	}
	t, key, err := ReadTicket(text)
	if err != nil {
		return t, Offer{}, err
	}
	if err := s.callable(ctx, t.Party, t.Address); err != nil {
		return t, Offer{}, err
	}
	at, err := s.at(ctx, t.Party, t.Address)
	if err != nil {
		return t, Offer{}, err
	}
	offer, err := at.look(ctx, t.Party, t.Secret)
	if err != nil {
		return t, Offer{}, toPerson(err)
	}
	ring, err := s.offeredBy(offer, t.Party, key)
	if err != nil {
		return t, Offer{}, err
	}
	t.Name, t.Key, t.Expires = offer.Document.Name, ring.Current().Public, offer.Expires
	return t, offer, nil
}

// callable says whether this node may call the address of a party. One that lives here
// is never called.
func (s *Service) callable(ctx context.Context, party entente.PartyID, address string) error {
	org, err := s.local(ctx, party)
	if err != nil || org != "" {
		return err
	}
	_, err = outbound.Clean(address, "https://entente.example.com", s.c.AllowPrivate)
	return err
}

// offeredBy checks that an offer comes from the party, and has the key that the
// ticket names.
func (s *Service) offeredBy(o Offer, party entente.PartyID, key entente.KeyID) (entente.Keyring, error) {
	text, err := json.Marshal(o.Document)
	if err != nil {
		return entente.Keyring{}, err
	}
	_, ring, err := s.ring(string(text))
	switch {
	case err != nil:
		return ring, err
	case ring.Party != party:
		return ring, entente.Invalid("the node answered for somebody else than the one who invited")
	case key == "":
		return ring, nil
	}
	if _, known := ring.Find(key); !known {
		return ring, entente.Invalid("the node that answered does not have the key that the invitation names: do not go on, and ask the inviter")
	}
	return ring, nil
}

// Accept accepts an invitation: both sides sign the same agreement. What this side
// says of itself are its contacts. To accept again after an answer was lost gives
// the same partnership.
func (s *Service) Accept(ctx context.Context, actor entente.Actor, text string, contacts []entente.Contact, knownAs string) (Partner, error) {
	t, offer, err := s.Look(ctx, actor, text)
	if err != nil {
		// Accepted already, and the answer was lost: the inviter says so to the same party.
		if entente.KindOf(err) != entente.KindNotFound || t.Party == "" {
			return Partner{}, err
		}
		if p, known := s.Partner(ctx, actor, t.Party); known == nil && p.State == Active {
			return p, nil
		}
		return Partner{}, err
	}
	self, err := s.self(ctx, actor.Org)
	if err != nil {
		return Partner{}, err
	}
	if self.Party() == t.Party {
		return Partner{}, entente.Invalid("this is an invitation of your own organisation; give it to the one whom you invite")
	}
	inviter := entente.AgreementParty{Party: t.Party, Name: offer.Document.Name, Address: offer.Document.Address}
	invitee := entente.AgreementParty{Party: self.Party(), Name: self.Document.Name, Address: self.Document.Address, Contacts: contacts}
	var signer entente.Signer
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		_, signer, err = s.mine(ctx, tx, actor.Org)
		return err
	})
	if err != nil {
		return Partner{}, err
	}
	half, err := entente.SignAgreement(offer.Terms.Agreement(inviter, invitee), signer)
	if err != nil {
		return Partner{}, entente.Invalid("the agreement cannot be signed: %s", err.Error())
	}
	at, err := s.at(ctx, t.Party, t.Address)
	if err != nil {
		return Partner{}, err
	}
	whole, err := at.join(ctx, t.Party, Joining{Secret: t.Secret, Document: self.Document, Agreement: half})
	if err != nil {
		return Partner{}, toPerson(err)
	}
	if !bytes.Equal(whole.Payload, half.Payload) {
		return Partner{}, entente.Invalid("the inviter signed something else than what it offered")
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		return s.begin(ctx, tx, actor, self, offer.Document, whole, knownAs)
	})
	if err != nil {
		return Partner{}, err
	}
	return s.Partner(ctx, actor, t.Party)
}

// Joining is what the one who accepts sends to the inviter.
type Joining struct {
	Secret    string              `json:"secret"`
	Document  entente.KeyDocument `json:"document"`
	Agreement entente.Envelope    `json:"agreement"` // signed by the one who accepts
}

// Joined takes an acceptance at the inviter's node: it checks that what was signed is
// what was offered, signs too, and begins the partnership. The same acceptance again
// gives the same answer.
func (s *Service) Joined(ctx context.Context, party entente.PartyID, j Joining) (whole entente.Envelope, err error) {
	org, err := s.local(ctx, party)
	if err != nil {
		return whole, err
	}
	if org == "" {
		return whole, noInvitation()
	}
	text, err := json.Marshal(j.Document)
	if err != nil {
		return whole, err
	}
	_, ring, err := s.ring(string(text))
	if err != nil {
		return whole, err
	}
	if j.Document.Address != "" {
		if err := s.callable(ctx, ring.Party, j.Document.Address); err != nil {
			return whole, err
		}
	}
	self, err := s.self(ctx, org)
	if err != nil {
		return whole, err
	}
	err = s.db.Write(ctx, org, func(tx *db.Tx) error {
		inv, err := invitationWith(ctx, tx, org, entente.HashOf([]byte(j.Secret)))
		switch {
		case errors.Is(err, db.ErrNoRow):
			return noInvitation()
		case err != nil:
			return err
		case inv.State == InvitationAccepted && inv.Party == ring.Party:
			whole, err = signedAgreement(ctx, tx, org, ring.Party)
			return err
		case inv.State != InvitationOpen || s.now().After(inv.Expires):
			return noInvitation()
		case ring.Party == self.Party():
			return entente.Invalid("nobody is a partner of their own")
		}
		_, signer, err := s.mine(ctx, tx, org)
		if err != nil {
			return err
		}
		var signed entente.Agreement
		if err := json.Unmarshal(j.Agreement.Payload, &signed); err != nil {
			return entente.Invalid("the agreement cannot be read: %s", err.Error())
		}
		invitee, _ := signed.Side(ring.Party)
		inviter := entente.AgreementParty{Party: self.Party(), Name: self.Document.Name, Address: self.Document.Address}
		offered, err := json.Marshal(inv.Terms.Agreement(inviter, entente.AgreementParty{Party: ring.Party, Name: j.Document.Name, Address: j.Document.Address, Contacts: invitee.Contacts}))
		if err != nil {
			return err
		}
		if !bytes.Equal(offered, j.Agreement.Payload) {
			return entente.Conflict("what was signed is not what is offered now; open the invitation again")
		}
		whole, err = j.Agreement.Add(signer)
		if err != nil {
			return err
		}
		inv.State, inv.Party = InvitationAccepted, ring.Party
		if err := updateInvitation(ctx, tx, org, inv); err != nil {
			return err
		}
		return s.begin(ctx, tx, entente.System(org, entente.DoorWorker), self, j.Document, whole, inv.KnownAs)
	})
	return whole, err
}

// begin writes down a partnership with the agreement that both have signed.
func (s *Service) begin(ctx context.Context, tx *db.Tx, actor entente.Actor, self Self, other entente.KeyDocument, whole entente.Envelope, knownAs string) error {
	text, err := json.Marshal(other)
	if err != nil {
		return err
	}
	_, ring, err := s.ring(string(text))
	if err != nil {
		return err
	}
	a, err := entente.ReadAgreement(whole, self.Ring, ring)
	if err != nil {
		return entente.Invalid("the agreement is not valid: %s", err.Error())
	}
	known, err := s.partner(ctx, tx, tx.Org(), ring.Party)
	switch {
	case entente.KindOf(err) == entente.KindNotFound:
		known = Partner{Party: ring.Party}
	case err != nil:
		return err
	case known.State == Active:
		return entente.Conflict("%s is a partner already", known.Name)
	}
	side, _ := a.Side(ring.Party)
	p := Partner{Party: ring.Party, Name: other.Name, KnownAs: knownAs, Address: other.Address, State: Active, Began: s.now(), Contacts: side.Contacts, document: string(text), Out: known.Out, In: known.In}
	if known.Name != "" {
		p.Compared, p.ComparedBy, p.comparedKey = known.Compared, known.ComparedBy, known.comparedKey
		if err := updatePartner(ctx, tx, tx.Org(), p); err != nil {
			return err
		}
	} else {
		if err := insertPartner(ctx, tx, tx.Org(), p); err != nil {
			return err
		}
		for _, way := range []Way{Out, In} {
			if err := insertFeed(ctx, tx, tx.Org(), Feed{Party: p.Party, Way: way}); err != nil {
				return err
			}
		}
	}
	// An agreement after one that has ended takes the next free place in the list.
	next, err := nextAgreement(ctx, tx, tx.Org(), p.Party)
	if err != nil {
		return err
	}
	if err := insertAgreement(ctx, tx, tx.Org(), p.Party, Version{Number: next, State: VersionSigned, Proposer: a.Parties[0].Party, Envelope: whole, At: s.now()}); err != nil {
		return err
	}
	if err := s.arm(ctx, tx, p.Party, In, s.now().Add(s.c.Fetch)); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventBegan, string(p.Party), map[string]any{"name": p.Name, "address": p.Address, "organisation": knownAs})
}
