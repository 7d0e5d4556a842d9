package identity

import (
	"context"
	"strings"
	"time"
	"unicode"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// Organisation is an organisation that this node hosts.
type Organisation struct {
	ID      entente.OrgID
	Name    string
	Created time.Time
}

// NewOrganisation is what it takes to set up an organisation.
type NewOrganisation struct {
	ID    entente.OrgID // "" makes one of the name
	Name  string
	Owner NewPerson
}

// NewPerson is what it takes to make an account. For an e-mail address that has one
// already, the password must be that account's, and the name is not used.
type NewPerson struct {
	Name, Email, Password string
}

// CreateOrganisation sets up an organisation with its owner. Only the program itself
// does so, at first start or at the command line, and so there is no actor.
func (s *Service) CreateOrganisation(ctx context.Context, n NewOrganisation) (Organisation, error) {
	name, err := cleanName("organisation's name", n.Name)
	if err != nil {
		return Organisation{}, err
	}
	id := n.ID
	if id == "" {
		id = slugOf(name)
	}
	if err := entente.ValidSlug(string(id)); err != nil {
		return Organisation{}, entente.Invalid("the organisation: %w", err)
	}
	owner, err := s.prepare(ctx, n.Owner)
	if err != nil {
		return Organisation{}, err
	}
	o := Organisation{ID: id, Name: name, Created: s.now()}
	return o, s.create(ctx, entente.System(id, entente.DoorCommand), o, owner, nil)
}

// slugOf makes an identifier of an organisation's name.
func slugOf(name string) entente.OrgID {
	id := entente.OrgID(entente.Slug(name))
	if id == "" && strings.ContainsFunc(name, unicode.IsLetter) {
		id = entente.OrgID("org-" + newID()[:8]) // the letters are not Latin ones
	}
	return id
}

// create writes an organisation with its owner, and what else belongs into the same
// transaction.
func (s *Service) create(ctx context.Context, actor entente.Actor, o Organisation, owner preparedPerson, also func(*db.Tx) error) error {
	err := s.db.Write(ctx, o.ID, func(tx *db.Tx) error {
		there, err := readOrganisation(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		if there != nil {
			return entente.Conflict("there is an organisation %q on this node already; choose another identifier", o.ID)
		}
		if err := insertOrganisation(ctx, tx, o); err != nil {
			return err
		}
		if err := journal.Append(ctx, tx, actor, EventOrganisationCreated, string(o.ID), map[string]any{"name": o.Name}); err != nil {
			return err
		}
		if err := s.join(ctx, tx, actor, owner, entente.RoleOwner, []string{}); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
	s.forget()
	return err
}

// NewMember is what it takes to make somebody a member without an invitation.
type NewMember struct {
	NewPerson
	Role  entente.Role
	Scope []string
}

// AddMember makes somebody a member at the command line of the node, where an
// operator sets up people without sending links. At every other door colleagues are
// invited and choose their own password (see [Service.Invite]).
func (s *Service) AddMember(ctx context.Context, actor entente.Actor, n NewMember) (Person, error) {
	if err := Require(actor, PeopleManage, In(actor.Org)); err != nil {
		return Person{}, err
	}
	if actor.Role != entente.RoleSystem {
		return Person{}, deny(actor, PeopleManage, In(actor.Org), entente.Say("members are added without an invitation only at the node's command line; invite them instead"))
	}
	scope, err := cleanScope(n.Role, n.Scope)
	if err != nil {
		return Person{}, err
	}
	p, err := s.prepare(ctx, n.NewPerson)
	if err != nil {
		return Person{}, err
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error { return s.join(ctx, tx, actor, p, n.Role, scope) })
	s.forget()
	return p.person, err
}

// prepared is a person whose password was checked or made before the transaction,
// because that takes long.
type preparedPerson struct {
	person Person
	exists bool
	stored string // the password's hash: the new one, or the one that was checked
}

func (s *Service) prepare(ctx context.Context, n NewPerson) (preparedPerson, error) {
	email, err := cleanEmail(n.Email)
	if err != nil {
		return preparedPerson{}, err
	}
	var there *Person
	var password *credential
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		there, err = personByEmail(ctx, tx, email)
		if err != nil || there == nil {
			return err
		}
		password, err = credentialOf(ctx, tx, there.ID, kindPassword, single)
		return err
	})
	if err != nil {
		return preparedPerson{}, err
	}
	if there != nil {
		stored := ""
		if password != nil {
			stored = string(password.data)
		}
		ok, _, err := s.hasher.Check(ctx, stored, n.Password)
		if err != nil {
			return preparedPerson{}, err
		}
		if !ok {
			return preparedPerson{}, entente.Denied("%s has an account on this node already, and this is not its password", email)
		}
		return preparedPerson{person: *there, exists: true, stored: stored}, nil
	}
	name, err := cleanName("person's name", n.Name)
	if err != nil {
		return preparedPerson{}, err
	}
	if err := CheckPassword(n.Password, name, email); err != nil {
		return preparedPerson{}, err
	}
	stored, err := s.hasher.Hash(ctx, n.Password)
	if err != nil {
		return preparedPerson{}, err
	}
	return preparedPerson{person: Person{ID: entente.PersonID(newID()), Email: email, Name: name, Created: s.now()}, stored: stored}, nil
}

// join makes a prepared person a member of the actor's organisation.
func (s *Service) join(ctx context.Context, tx *db.Tx, actor entente.Actor, p preparedPerson, role entente.Role, scope []string) error {
	now := s.now()
	if p.exists {
		member, err := readMember(ctx, tx, actor.Org, p.person.ID)
		if err != nil {
			return err
		}
		if member != nil {
			return entente.Conflict("%s is a member of this organisation already, as %s", p.person.Email, member.Role)
		}
	} else {
		if err := s.insertNew(ctx, tx, p.person); err != nil {
			return err
		}
		if p.stored != "" {
			err := putCredential(ctx, tx, credential{person: p.person.ID, kind: kindPassword, id: single, data: []byte(p.stored), created: now})
			if err != nil {
				return err
			}
		}
	}
	if err := putMember(ctx, tx, actor.Org, p.person.ID, role, scope, now); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventMemberAdded, string(p.person.ID), map[string]any{
		"name": p.person.Name, "email": p.person.Email, "role": role, "scope": scope, "new": !p.exists,
	})
}

// insertNew writes a new account, unless its e-mail address was taken meanwhile.
func (s *Service) insertNew(ctx context.Context, tx *db.Tx, p Person) error {
	there, err := personByEmail(ctx, tx, p.Email)
	if err != nil {
		return err
	}
	if there != nil {
		return entente.Conflict("%s has an account on this node already; sign in with it and repeat this", p.Email)
	}
	return insertPerson(ctx, tx, p)
}

// Organisations lists what this node hosts, for the program itself: its workers go
// through them. It is never shown to people, who see only their own.
func (s *Service) Organisations(ctx context.Context) (list []Organisation, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = allOrganisations(ctx, tx)
		return err
	})
	return list, err
}

// Organisation gives the actor's organisation.
func (s *Service) Organisation(ctx context.Context, actor entente.Actor) (o Organisation, err error) {
	if err := Require(actor, OrganisationRead, In(actor.Org)); err != nil {
		return o, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		found, err := readOrganisation(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if found == nil {
			return entente.NotFound("there is no organisation %q on this node", actor.Org)
		}
		o = *found
		return nil
	})
	return o, err
}

// RenameOrganisation changes the name that people see; the identifier stays.
func (s *Service) RenameOrganisation(ctx context.Context, actor entente.Actor, name string) error {
	if err := Require(actor, OrganisationManage, In(actor.Org)); err != nil {
		return err
	}
	name, err := cleanName("organisation's name", name)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		before, err := readOrganisation(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if before == nil {
			return entente.NotFound("there is no organisation %q on this node", actor.Org)
		}
		if before.Name == name {
			return nil
		}
		if err := renameOrganisation(ctx, tx, actor.Org, name); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventOrganisationRenamed, string(actor.Org), map[string]any{"name": name, "before": before.Name})
	})
	s.forget()
	return err
}
