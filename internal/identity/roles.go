package identity

import (
	"context"
	"slices"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// MaxRoles is how many roles are changed at once.
const MaxRoles = 1000

// roleChange is the body of [EventMemberChanged]. Those of one batch follow one another
// in the journal and name the first of them; so the batch can be undone.
type roleChange struct {
	Name   string       `json:"name"`
	Role   entente.Role `json:"role"`
	Scope  []string     `json:"scope"`
	Before roleBefore   `json:"before"`
	Batch  int64        `json:"batch,omitempty"`
}

type roleBefore struct {
	Role  entente.Role `json:"role"`
	Scope []string     `json:"scope"`
}

// SetRoles gives several members a role, all or none of them. The last owner stays
// one. It gives the number by which [Service.UndoRoles] takes that back; 0 if nothing
// changed.
func (s *Service) SetRoles(ctx context.Context, actor entente.Actor, ids []entente.PersonID, role entente.Role, scope []string) (batch int64, err error) {
	if err := Require(actor, PeopleManage, In(actor.Org)); err != nil {
		return 0, err
	}
	scope, err = cleanScope(role, scope)
	if err != nil {
		return 0, err
	}
	switch {
	case len(ids) == 0:
		return 0, entente.Invalid("nobody was chosen")
	case len(ids) > MaxRoles:
		return 0, entente.TooLarge("these are %d; at most %d are changed at once", len(ids), MaxRoles)
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		head, err := journal.Head(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		batch = 0
		for _, id := range ids {
			changed, err := setRole(ctx, tx, actor, id, roleBefore{role, scope}, head+1)
			if err != nil {
				return err
			}
			if changed {
				batch = head + 1
			}
		}
		return nil
	})
	s.forget()
	return batch, err
}

func setRole(ctx context.Context, tx *db.Tx, actor entente.Actor, id entente.PersonID, to roleBefore, batch int64) (bool, error) {
	m, err := mustMember(ctx, tx, actor.Org, id)
	if err != nil {
		return false, err
	}
	if m.Role == to.Role && slices.Equal(m.Scope, to.Scope) {
		return false, nil
	}
	if m.Role == entente.RoleOwner && to.Role != entente.RoleOwner {
		if err := notLastOwner(ctx, tx, actor.Org); err != nil {
			return false, err
		}
	}
	if err := putMember(ctx, tx, actor.Org, id, to.Role, to.Scope, m.Since); err != nil {
		return false, err
	}
	return true, journal.Append(ctx, tx, actor, EventMemberChanged, string(id), roleChange{
		Name: m.Person.Name, Role: to.Role, Scope: to.Scope, Before: roleBefore{m.Role, m.Scope}, Batch: batch,
	})
}

// UndoRoles takes back what [Service.SetRoles] did, for everybody or for nobody: not
// if a role was changed since, or a member has left.
func (s *Service) UndoRoles(ctx context.Context, actor entente.Actor, batch int64) error {
	if err := Require(actor, PeopleManage, In(actor.Org)); err != nil {
		return err
	}
	if batch < 1 {
		return entente.NotFound("no roles were changed under the number %d", batch)
	}
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		events, err := journal.Events(ctx, tx, actor.Org, batch-1, MaxRoles)
		if err != nil {
			return err
		}
		undone := 0
		for _, e := range events {
			if e.Kind != EventMemberChanged {
				break
			}
			var did roleChange
			if err := e.Decode(&did); err != nil {
				return err
			}
			if did.Batch != batch {
				break
			}
			m, err := mustMember(ctx, tx, actor.Org, entente.PersonID(e.Subject))
			if err != nil {
				return err
			}
			if m.Role != did.Role || !slices.Equal(m.Scope, did.Scope) {
				return entente.Conflict("the role of %s was changed since; nothing was undone", m.Person.Name)
			}
			if _, err := setRole(ctx, tx, actor, m.Person.ID, did.Before, 0); err != nil {
				return err
			}
			undone++
		}
		if undone == 0 {
			return entente.NotFound("no roles were changed under the number %d", batch)
		}
		return nil
	})
	s.forget()
	return err
}
