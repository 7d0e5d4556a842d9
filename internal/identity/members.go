package identity

import (
	"context"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// Member is a person in one organisation.
type Member struct {
	Person Person
	Role   entente.Role
	Scope  []string
	Since  time.Time
}

// Members lists the people of the actor's organisation by name.
func (s *Service) Members(ctx context.Context, actor entente.Actor) (list []Member, err error) {
	if err := Require(actor, PeopleRead, In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = membersOf(ctx, tx, actor.Org)
		return err
	})
	return list, err
}

// Member gives one person of the actor's organisation.
func (s *Service) Member(ctx context.Context, actor entente.Actor, id entente.PersonID) (m Member, err error) {
	if err := Require(actor, PeopleRead, In(actor.Org)); err != nil {
		return m, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		m, err = mustMember(ctx, tx, actor.Org, id)
		return err
	})
	return m, err
}

func mustMember(ctx context.Context, tx *db.Tx, org entente.OrgID, id entente.PersonID) (Member, error) {
	m, err := readMember(ctx, tx, org, id)
	if err != nil {
		return Member{}, err
	}
	if m == nil {
		return Member{}, entente.NotFound("there is no such member of this organisation; they may have left")
	}
	return *m, nil
}

// SetRole changes what a member may do. The last owner stays one.
func (s *Service) SetRole(ctx context.Context, actor entente.Actor, id entente.PersonID, role entente.Role, scope []string) error {
	_, err := s.SetRoles(ctx, actor, []entente.PersonID{id}, role, scope)
	return err
}

// RemoveMember ends a membership, with the member's API tokens for the organisation
// and its single sign-on. Everybody but the last owner may also leave by themselves.
func (s *Service) RemoveMember(ctx context.Context, actor entente.Actor, id entente.PersonID) error {
	verb := PeopleManage
	if id != "" && id == actor.Person {
		verb = AccountSelf
	}
	if err := Require(actor, verb, In(actor.Org)); err != nil {
		return err
	}
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		m, err := mustMember(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		if m.Role == entente.RoleOwner {
			if err := notLastOwner(ctx, tx, actor.Org); err != nil {
				return err
			}
		}
		tokens, err := revokeTokensOf(ctx, tx, actor.Org, id, s.now())
		if err != nil {
			return err
		}
		if err := unlinkSSO(ctx, tx, actor.Org, id); err != nil {
			return err
		}
		if err := deleteViewsOf(ctx, tx, actor.Org, id); err != nil {
			return err
		}
		if err := deleteSessionsOnly(ctx, tx, id, actor.Org); err != nil {
			return err
		}
		if err := deleteMember(ctx, tx, actor.Org, id); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventMemberRemoved, string(id), map[string]any{
			"name": m.Person.Name, "email": m.Person.Email, "role": m.Role, "tokens": tokens,
		})
	})
	s.forget()
	return err
}

func notLastOwner(ctx context.Context, tx *db.Tx, org entente.OrgID) error {
	n, err := countOwners(ctx, tx, org)
	if err != nil {
		return err
	}
	if n <= 1 {
		return entente.Conflict("this is the last owner of the organisation; make somebody else an owner first")
	}
	return nil
}
