package api

import (
	"context"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

var identityOperations = []operation{
	{
		id: "get-organisation", method: http.MethodGet, path: "/organisation", verb: identity.OrganisationRead,
		summary: "The organisation of the token", register: answers(getOrganisation),
	},
	{
		id: "get-me", method: http.MethodGet, path: "/me", verb: identity.OrganisationRead,
		summary: "Who acts with the token", about: "The owner of the token, their role, and what the token allows.", register: answers(getMe),
	},
	{
		id: "list-members", method: http.MethodGet, path: "/members", verb: identity.PeopleRead,
		summary: "List the members of the organisation", register: answers(listMembers),
	},
	{
		id: "get-member", method: http.MethodGet, path: "/members/{person}", verb: identity.PeopleRead,
		summary: "One member", register: answers(getMember),
	},
	{
		id: "set-role", method: http.MethodPut, path: "/members/{person}/role", verb: identity.PeopleManage,
		summary: "Change a member's role", about: "With the processes of a business owner, or the partnerships of a contact.", register: answers(setRole),
	},
	{
		id: "remove-member", method: http.MethodDelete, path: "/members/{person}", verb: identity.PeopleManage,
		summary: "Remove a member", about: "Their tokens end with it; their account stays theirs.", register: answers(removeMember),
	},
	{
		id: "list-invitations", method: http.MethodGet, path: "/invitations", verb: identity.InvitationManage,
		summary: "List the open invitations", register: answers(listInvitations),
	},
	{
		id: "invite", method: http.MethodPost, path: "/invitations", verb: identity.InvitationManage,
		summary: "Invite a colleague", about: "The answer holds the secret of the link, this once only: hand the link /invitation?key=… to that person and to nobody else. A former open invitation of the same address ends.", register: answers(invite),
	},
	{
		id: "withdraw-invitation", method: http.MethodDelete, path: "/invitations/{invitation}", verb: identity.InvitationManage,
		summary: "Withdraw an invitation", register: answers(withdrawInvitation),
	},
	{
		id: "rename-organisation", method: http.MethodPut, path: "/organisation", verb: identity.OrganisationManage,
		summary: "Rename the organisation", register: answers(renameOrganisation),
	},
}

// Tenancy is an organisation that this node hosts. The chain's picture of it is
// the organisation named own in the map.
type Tenancy struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
}

func getOrganisation(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*one[Tenancy], error) {
	o, err := s.Identity.Organisation(ctx, actor)
	if err != nil {
		return nil, err
	}
	return &one[Tenancy]{Tenancy{ID: string(o.ID), Name: o.Name, Created: o.Created}}, nil
}

// Me is who acts with a token.
type Me struct {
	Organisation string   `json:"organisation"`
	Person       string   `json:"person,omitempty"`
	Name         string   `json:"name"`
	Role         string   `json:"role"`
	Scope        []string `json:"scope,omitempty" doc:"The processes or partnerships to which the role is limited."`
	Verbs        []string `json:"verbs" doc:"What the token can be used for; the role may allow less."`
}

func getMe(_ *server, _ context.Context, actor entente.Actor, _ *struct{}) (*one[Me], error) {
	return &one[Me]{Me{
		Organisation: string(actor.Org), Person: string(actor.Person), Name: actor.Name, Role: string(actor.Role),
		Scope: actor.Scope, Verbs: orEmpty(actor.Verbs),
	}}, nil
}

// Member is a person in the organisation.
type Member struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Email string    `json:"email"`
	Role  string    `json:"role"`
	Scope []string  `json:"scope,omitempty"`
	Since time.Time `json:"since"`
}

func listMembers(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[Member], error) {
	all, err := s.Identity.Members(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*identity.Member) bool { return true }, in.Paging, memberOf, "members")
}
