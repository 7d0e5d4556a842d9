package identity

import (
	"context"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// The door through which somebody sets up an organisation of their own on this node
// must have let them in before: it asks for an invitation to a partnership.

// Found sets up an organisation for the person of a session, who becomes its owner.
func (s *Service) Found(ctx context.Context, name string, session Session, c Client) (Organisation, error) {
	name, err := cleanName("organisation's name", name)
	if err != nil {
		return Organisation{}, err
	}
	try := attemptOn("seat", string(session.Person.ID), c)
	if err := s.begin(ctx, try); err != nil {
		return Organisation{}, err
	}
	var who *Person
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if err := s.own(ctx, tx, session, false); err != nil {
			return err
		}
		who, err = personByID(ctx, tx, session.Person.ID)
		return err
	})
	if err != nil {
		return Organisation{}, err
	}
	if who == nil || session.Only != "" {
		return Organisation{}, entente.Denied("you are signed in by single sign-on of one organisation; sign in with your password or passkey to set up another")
	}
	return s.seat(ctx, name, preparedPerson{person: *who, exists: true}, func(tx *db.Tx) error { return try.succeed(ctx, tx) })
}

// FoundAsNew makes a new account with a password, sets up an organisation of which it
// is the owner, and signs the person in. For an address that has an account it is
// refused: its person signs in and founds.
func (s *Service) FoundAsNew(ctx context.Context, n NewOrganisation, c Client) (token string, session Session, o Organisation, err error) {
	name, err := cleanName("organisation's name", n.Name)
	if err != nil {
		return "", Session{}, o, err
	}
	email, err := cleanEmail(n.Owner.Email)
	if err != nil {
		return "", Session{}, o, err
	}
	p, err := s.newcomer(Invitation{Email: email}, n.Owner.Name)
	if err != nil {
		return "", Session{}, o, err
	}
	if err := CheckPassword(n.Owner.Password, p.person.Name, email); err != nil {
		return "", Session{}, o, err
	}
	// Whether an address has an account is not to be tried out.
	try := attemptOn("seat", email, c)
	if err := s.begin(ctx, try); err != nil {
		return "", Session{}, o, err
	}
	p.stored, err = s.hasher.Hash(ctx, n.Owner.Password)
	if err != nil {
		return "", Session{}, o, err
	}
	o, err = s.seat(ctx, name, p, func(tx *db.Tx) error {
		if err := try.succeed(ctx, tx); err != nil {
			return err
		}
		token, err = s.openSession(ctx, tx, p.person.ID, ByInvitation, "", false, c)
		return err
	})
	if err != nil {
		return "", Session{}, o, err
	}
	session, err = s.Session(ctx, token)
	return token, session, o, err
}

// seat creates the organisation as an act of its owner. Which identifiers are taken is
// nobody's business: the next one is tried.
func (s *Service) seat(ctx context.Context, name string, owner preparedPerson, also func(*db.Tx) error) (Organisation, error) {
	o := Organisation{ID: slugOf(name), Name: name, Created: s.now()}
	all, err := s.Organisations(ctx)
	if err != nil {
		return o, err
	}
	for _, there := range all {
		if there.ID == o.ID {
			o.ID = o.ID[:min(len(o.ID), entente.MaxSlug-7)] + entente.OrgID("-"+newID()[:6])
			break
		}
	}
	if err := entente.ValidSlug(string(o.ID)); err != nil {
		return o, entente.Invalid("the organisation: %w", err)
	}
	actor := actorOf(owner.person, Membership{Org: o.ID, Role: entente.RoleOwner}, entente.DoorPage)
	return o, s.create(ctx, actor, o, owner, also)
}
