package identity

import (
	"context"
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// Invitation asks one person, by a link, to become a member with a role.
type Invitation struct {
	Org       entente.OrgID
	ID        string
	Email     string
	Name      string // as the inviter knows them; may be empty
	Role      entente.Role
	Scope     []string
	InvitedBy string
	Created   time.Time
	Expires   time.Time
	Outcome   Outcome
	OutcomeAt time.Time

	hash []byte
}

// Outcome is how an invitation ended.
type Outcome string

// The outcomes.
const (
	InvitationOpen      Outcome = "" // or expired, see [Invitation.Expires]
	InvitationAccepted  Outcome = "accepted"
	InvitationWithdrawn Outcome = "withdrawn"
)

// invitationMark begins the secret part of every invitation's link.
const invitationMark = "inv_"

// NewInvitation is what it takes to invite somebody.
type NewInvitation struct {
	Email string
	Name  string // optional
	Role  entente.Role
	Scope []string
	Life  time.Duration // 0 means [InvitationLife]
}

// Invite makes an invitation and gives the secret for its link, this once only: who
// holds the link can accept it, so it goes to that person alone. No mail is needed. A
// former open invitation of the same address is withdrawn.
func (s *Service) Invite(ctx context.Context, actor entente.Actor, n NewInvitation) (secret string, inv Invitation, err error) {
	if err := Require(actor, InvitationManage, In(actor.Org)); err != nil {
		return "", Invitation{}, err
	}
	email, err := cleanEmail(n.Email)
	if err != nil {
		return "", Invitation{}, err
	}
	name := ""
	if n.Name != "" {
		name, err = cleanName("person's name", n.Name)
		if err != nil {
			return "", Invitation{}, err
		}
	}
	scope, err := cleanScope(n.Role, n.Scope)
	if err != nil {
		return "", Invitation{}, err
	}
	life := n.Life
	if life == 0 {
		life = InvitationLife
	}
	if life < time.Minute || life > maxInvitationLife {
		return "", Invitation{}, entente.Invalid("an invitation lives between a minute and %d days; choose an expiry within", int(maxInvitationLife/(24*time.Hour)))
	}
	random, now := newSecret(), s.now()
	inv = Invitation{
		Org: actor.Org, ID: newID()[:tokenIDLength], Email: email, Name: name, Role: n.Role, Scope: scope,
		InvitedBy: actor.Name, Created: now, Expires: now.Add(life), hash: hashed(random),
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		there, err := personByEmail(ctx, tx, email)
		if err != nil {
			return err
		}
		if there != nil {
			m, err := readMember(ctx, tx, actor.Org, there.ID)
			if err != nil {
				return err
			}
			if m != nil {
				return entente.Conflict("%s is a member already, as %s; change the role there", email, m.Role)
			}
		}
		open, err := openInvitations(ctx, tx, actor.Org, now)
		if err != nil {
			return err
		}
		if len(open) >= maxOpenInvitations {
			return entente.TooLarge("%d invitations are open; withdraw some before inviting more", len(open))
		}
		for _, former := range open {
			if former.Email == email {
				if err := s.withdraw(ctx, tx, actor, former); err != nil {
					return err
				}
			}
		}
		if err := insertInvitation(ctx, tx, inv); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventInvitationMade, inv.ID, map[string]any{
			"email": email, "role": inv.Role, "scope": scope, "expires": inv.Expires.Format(time.RFC3339),
		})
	})
	if err != nil {
		return "", Invitation{}, err
	}
	return fmt.Sprintf("%s%s_%s_%s", invitationMark, inv.Org, inv.ID, random), inv, nil
}

func (s *Service) withdraw(ctx context.Context, tx *db.Tx, actor entente.Actor, inv Invitation) error {
	if err := closeInvitation(ctx, tx, inv, InvitationWithdrawn, s.now(), ""); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventInvitationWithdrawn, inv.ID, map[string]any{"email": inv.Email})
}

// Invitations lists the invitations of the actor's organisation, the latest first,
// at most 1000.
func (s *Service) Invitations(ctx context.Context, actor entente.Actor) (list []Invitation, err error) {
	if err := Require(actor, InvitationManage, In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = invitationsOf(ctx, tx, actor.Org)
		return err
	})
	return list, err
}

// WithdrawInvitation makes the link of an open invitation useless.
func (s *Service) WithdrawInvitation(ctx context.Context, actor entente.Actor, id string) error {
	if err := Require(actor, InvitationManage, In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		inv, err := readInvitation(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		if inv == nil || inv.Outcome != InvitationOpen {
			return entente.NotFound("there is no such open invitation; it may have been accepted or withdrawn already")
		}
		return s.withdraw(ctx, tx, actor, *inv)
	})
}

// Offer is an invitation as the one who opens its link sees it.
type Offer struct {
	Invitation
	OrgName string
	// HasAccount says that the address has an account on this node: then its person
	// signs in and accepts, and nobody else can.
	HasAccount bool
}

// Offer gives what the secret of a link offers, if it can still be accepted.
func (s *Service) Offer(ctx context.Context, secret string) (o Offer, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		inv, err := s.offered(ctx, tx, secret)
		if err != nil {
			return err
		}
		org, err := readOrganisation(ctx, tx, inv.Org)
		if err != nil {
			return err
		}
		there, err := personByEmail(ctx, tx, inv.Email)
		if err != nil || org == nil {
			return err
		}
		o = Offer{Invitation: inv, OrgName: org.Name, HasAccount: there != nil}
		return nil
	})
	return o, err
}

// offered finds the open invitation that a secret belongs to.
func (s *Service) offered(ctx context.Context, tx *db.Tx, secret string) (Invitation, error) {
	unknown := func() (Invitation, error) {
		return Invitation{}, entente.NotFound("this link belongs to no invitation; check that it was copied whole")
	}
	org, id, random, ok := splitSecret(invitationMark, secret)
	if !ok {
		return unknown()
	}
	inv, err := readInvitation(ctx, tx, org, id)
	if err != nil {
		return Invitation{}, err
	}
	switch {
	case inv == nil || subtle.ConstantTimeCompare(hashed(random), inv.hash) != 1:
		return unknown()
	case inv.Outcome == InvitationAccepted:
		return Invitation{}, entente.Conflict("this invitation was accepted on %s; sign in", inv.OutcomeAt.Format("2 January 2006"))
	case inv.Outcome == InvitationWithdrawn:
		return Invitation{}, entente.Conflict("this invitation was withdrawn; ask %s for a new one", inv.InvitedBy)
	case !s.now().Before(inv.Expires):
		return Invitation{}, entente.Conflict("this invitation expired on %s; ask %s for a new one", inv.Expires.Format("2 January 2006"), inv.InvitedBy)
	}
	return *inv, nil
}

// AcceptInvitation makes the person of a session a member. The invitation must have
// been made to their address, and the session not be one of another organisation's
// single sign-on.
func (s *Service) AcceptInvitation(ctx context.Context, secret string, session Session) (entente.OrgID, error) {
	org, _, _, ok := splitSecret(invitationMark, secret)
	if !ok {
		_, err := s.Offer(ctx, secret)
		return "", err
	}
	err := s.db.Write(ctx, org, func(tx *db.Tx) error {
		inv, err := s.offered(ctx, tx, secret)
		if err != nil {
			return err
		}
		if err := s.own(ctx, tx, session, false); err != nil {
			return err
		}
		who, err := personByID(ctx, tx, session.Person.ID)
		if err != nil {
			return err
		}
		if who == nil || who.Email != inv.Email {
			return entente.Denied("this invitation was made to %s, and you are signed in as %s; sign in as %s, or ask %s for an invitation to your address",
				inv.Email, session.Person.Email, inv.Email, inv.InvitedBy)
		}
		return s.accept(ctx, tx, inv, preparedPerson{person: *who, exists: true})
	})
	s.forget()
	if err != nil {
		return "", err
	}
	return org, nil
}

// AcceptInvitationAsNew makes a new account with a password, a member, and signs them
// in. For an address that has an account it is refused: its person signs in and
// accepts.
func (s *Service) AcceptInvitationAsNew(ctx context.Context, secret, name, password string, c Client) (token string, session Session, err error) {
	offer, err := s.Offer(ctx, secret)
	if err != nil {
		return "", Session{}, err
	}
	p, err := s.newcomer(offer.Invitation, name)
	if err != nil {
		return "", Session{}, err
	}
	if err := CheckPassword(password, p.person.Name, p.person.Email); err != nil {
		return "", Session{}, err
	}
	p.stored, err = s.hasher.Hash(ctx, password)
	if err != nil {
		return "", Session{}, err
	}
	return s.welcome(ctx, secret, p, ByInvitation, nil, c)
}

func (s *Service) newcomer(inv Invitation, name string) (preparedPerson, error) {
	name, err := cleanName("name", name)
	if err != nil {
		return preparedPerson{}, err
	}
	return preparedPerson{person: Person{ID: entente.PersonID(newID()), Email: inv.Email, Name: name, Created: s.now()}}, nil
}

// welcome accepts an invitation for a new person, with what else belongs into the
// same transaction, and signs them in.
func (s *Service) welcome(ctx context.Context, secret string, p preparedPerson, m Method, also func(*db.Tx) error, c Client) (token string, session Session, err error) {
	org, _, _, _ := splitSecret(invitationMark, secret)
	err = s.db.Write(ctx, org, func(tx *db.Tx) error {
		inv, err := s.offered(ctx, tx, secret)
		if err != nil {
			return err
		}
		if err := s.accept(ctx, tx, inv, p); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		token, err = s.openSession(ctx, tx, p.person.ID, m, "", false, c)
		return err
	})
	s.forget()
	if err != nil {
		return "", Session{}, err
	}
	session, err = s.Session(ctx, token)
	return token, session, err
}

// accept closes the invitation and makes its person a member, as an act of their own.
func (s *Service) accept(ctx context.Context, tx *db.Tx, inv Invitation, p preparedPerson) error {
	actor := actorOf(p.person, Membership{Org: inv.Org, Role: inv.Role, Scope: inv.Scope}, entente.DoorPage)
	if err := closeInvitation(ctx, tx, inv, InvitationAccepted, s.now(), p.person.ID); err != nil {
		return err
	}
	if err := journal.Append(ctx, tx, actor, EventInvitationAccepted, inv.ID, map[string]any{"email": inv.Email, "invitedBy": inv.InvitedBy}); err != nil {
		return err
	}
	return s.join(ctx, tx, actor, p, inv.Role, inv.Scope)
}
