package api

import (
	"context"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

// ByPerson is what operations on one member take.
type ByPerson struct {
	Person string `path:"person" maxLength:"64" doc:"The id of the member."`
}

// RoleChange is a role and, for roles that are limited to some objects, these.
type RoleChange struct {
	Role  string   `json:"role" enum:"owner,security-lead,analyst,business-owner,procurement,auditor,contact"`
	Scope []string `json:"scope,omitempty" maxItems:"500" doc:"The processes of a business owner, the partnerships of a contact."`
}

// Done is the answer to an act that leaves nothing to tell.
type Done struct {
	Done bool `json:"done"`
}

func done(err error) (*one[Done], error) {
	if err != nil {
		return nil, err
	}
	return &one[Done]{Done{true}}, nil
}

func memberOf(m identity.Member) Member {
	return Member{ID: string(m.Person.ID), Name: m.Person.Name, Email: m.Person.Email, Role: string(m.Role), Scope: m.Scope, Since: m.Since}
}

func getMember(s *server, ctx context.Context, actor entente.Actor, in *ByPerson) (*one[Member], error) {
	m, err := s.Identity.Member(ctx, actor, entente.PersonID(in.Person))
	if err != nil {
		return nil, err
	}
	return &one[Member]{memberOf(m)}, nil
}

func setRole(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByPerson
	Body RoleChange
}) (*one[Member], error) {
	id := entente.PersonID(in.Person)
	if err := s.Identity.SetRole(ctx, actor, id, entente.Role(in.Body.Role), in.Body.Scope); err != nil {
		return nil, err
	}
	m, err := s.Identity.Member(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return &one[Member]{memberOf(m)}, nil
}

func removeMember(s *server, ctx context.Context, actor entente.Actor, in *ByPerson) (*one[Done], error) {
	return done(s.Identity.RemoveMember(ctx, actor, entente.PersonID(in.Person)))
}

// Invitation is an invitation of a colleague.
type Invitation struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name,omitempty"`
	Role      string    `json:"role"`
	Scope     []string  `json:"scope,omitempty"`
	InvitedBy string    `json:"invited_by"`
	Created   time.Time `json:"created"`
	Expires   time.Time `json:"expires"`
	Outcome   string    `json:"outcome,omitempty" doc:"accepted or withdrawn; absent while it is open or after it has expired."`
	Secret    string    `json:"secret,omitempty" doc:"The key of the link; only in the answer to the invitation itself."`
}

func invitationOf(i identity.Invitation) Invitation {
	return Invitation{
		ID: i.ID, Email: i.Email, Name: i.Name, Role: string(i.Role), Scope: i.Scope, InvitedBy: i.InvitedBy,
		Created: i.Created, Expires: i.Expires, Outcome: string(i.Outcome),
	}
}

func listInvitations(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[Invitation], error) {
	all, err := s.Identity.Invitations(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*identity.Invitation) bool { return true }, in.Paging, invitationOf, "invitations")
}

func invite(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Body struct {
		RoleChange
		Email string `json:"email" format:"email" maxLength:"254"`
		Name  string `json:"name,omitempty" maxLength:"200"`
		Days  int    `json:"days,omitempty" minimum:"1" maximum:"30" doc:"How long the link can be used; a week by default."`
	}
}) (*one[Invitation], error) {
	secret, made, err := s.Identity.Invite(ctx, actor, identity.NewInvitation{
		Email: in.Body.Email, Name: in.Body.Name, Role: entente.Role(in.Body.Role), Scope: in.Body.Scope,
		Life: time.Duration(in.Body.Days) * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	out := invitationOf(made)
	out.Secret = secret
	return &one[Invitation]{out}, nil
}

func withdrawInvitation(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Invitation string `path:"invitation" maxLength:"64" doc:"The id of the invitation."`
}) (*one[Done], error) {
	return done(s.Identity.WithdrawInvitation(ctx, actor, in.Invitation))
}

func renameOrganisation(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Body struct {
		Name string `json:"name" maxLength:"200"`
	}
}) (*one[Tenancy], error) {
	if err := s.Identity.RenameOrganisation(ctx, actor, in.Body.Name); err != nil {
		return nil, err
	}
	return getOrganisation(s, ctx, actor, nil)
}
