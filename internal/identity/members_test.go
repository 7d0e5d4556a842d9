package identity

import (
	"sync"
	"testing"

	"github.com/entente-project/entente"
)

func TestMembers(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.as("ada@beanline.example", "beanline")
		bo := h.member("Bo Beck", "bo@beanline.example", entente.RoleBusinessOwner, "bean-procurement", "bean-procurement")
		actor := h.as("bo@beanline.example", "beanline")
		if ok, _ := Can(actor, ChainEdit, Object{KindProcess, "beanline", "bean-procurement"}); !ok {
			t.Error("Bo may not edit his process")
		}
		list, err := h.Members(h.ctx, actor)
		h.ok(err)
		if len(list) != 2 || list[1].Person.Name != "Bo Beck" || len(list[1].Scope) != 1 {
			t.Errorf("members %+v", list)
		}
		h.want(entente.KindDenied, h.SetRole(h.ctx, actor, bo.ID, entente.RoleOwner, nil))
		h.want(entente.KindDenied, h.RemoveMember(h.ctx, actor, ada.Person))
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, "admin", nil), "owner, security-lead")
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, entente.RoleSystem, nil))
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, entente.RoleAnalyst, []string{"x"}), "no scope")
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, entente.RoleBusinessOwner, []string{"Not a slug"}))
		h.want(entente.KindConflict, h.SetRole(h.ctx, ada, ada.Person, entente.RoleAnalyst, nil), "last owner")
		h.want(entente.KindConflict, h.RemoveMember(h.ctx, ada, ada.Person), "last owner")
		rosa := h.as("rosa@roest.example", "roest")
		h.want(entente.KindNotFound, h.SetRole(h.ctx, rosa, bo.ID, entente.RoleAuditor, nil))
		h.want(entente.KindNotFound, h.SetRole(h.ctx, ada, rosa.Person, entente.RoleAuditor, nil))
		h.want(entente.KindNotFound, h.RemoveMember(h.ctx, ada, rosa.Person))

		token, _ := h.signIn("bo@beanline.example")
		h.ok(h.SetRole(h.ctx, ada, bo.ID, entente.RoleAuditor, nil))
		h.ok(h.SetRole(h.ctx, ada, bo.ID, entente.RoleAuditor, nil)) // changes nothing, writes nothing
		_, memberships, err := h.Authenticate(h.ctx, token)
		h.ok(err)
		if memberships[0].Role != entente.RoleAuditor || len(memberships[0].Scope) != 0 {
			t.Errorf("the old role is remembered: %+v", memberships)
		}
		h.ok(h.RemoveMember(h.ctx, ada, bo.ID))
		_, memberships, err = h.Authenticate(h.ctx, token)
		h.ok(err)
		if len(memberships) != 0 {
			t.Errorf("removed, and still a member: %+v", memberships)
		}
		h.want(entente.KindNotFound, h.RemoveMember(h.ctx, ada, bo.ID))

		// Who is no owner may leave; and a second owner lets the first one go.
		h.member("Cy", "cy@beanline.example", entente.RoleOwner)
		cy := h.as("cy@beanline.example", "beanline")
		h.ok(h.RemoveMember(h.ctx, ada, ada.Person))
		h.want(entente.KindConflict, h.RemoveMember(h.ctx, cy, cy.Person), "last owner")
		e := h.events("beanline", EventMemberChanged, EventMemberRemoved)
		if len(e) != 3 || e[0].Actor != "Ada Lovelace" || body(t, e[0])["role"] != "auditor" || e[0].Subject != string(bo.ID) {
			t.Errorf("events %+v", e)
		}
	})
}

func TestAddMemberIsForTheCommandLine(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.as("ada@beanline.example", "beanline")
		n := NewMember{NewPerson: NewPerson{"Bo", "bo@beanline.example", good}, Role: entente.RoleAnalyst}
		_, err := h.AddMember(h.ctx, ada, n)
		h.want(entente.KindDenied, err, "invite")
		system := entente.System("beanline", entente.DoorCommand)
		_, err = h.AddMember(h.ctx, system, n)
		h.ok(err)
		_, err = h.AddMember(h.ctx, system, n)
		h.want(entente.KindConflict, err, "already")
		n.Password = "some other password here"
		_, err = h.AddMember(h.ctx, system, n)
		h.want(entente.KindDenied, err)
	})
}

// Two owners who remove each other at the same time leave one.
func TestLastOwnerUnderConcurrency(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.member("Bo", "bo@beanline.example", entente.RoleOwner)
		ada, bo := h.as("ada@beanline.example", "beanline"), h.as("bo@beanline.example", "beanline")
		var wg sync.WaitGroup
		errs := make([]error, 2)
		wg.Go(func() { errs[0] = h.RemoveMember(h.ctx, ada, bo.Person) })
		wg.Go(func() { errs[1] = h.RemoveMember(h.ctx, bo, ada.Person) })
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("removed: %v, %v", errs[0], errs[1])
		}
	})
}

func TestOrganisation(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada, rosa := h.as("ada@beanline.example", "beanline"), h.as("rosa@roest.example", "roest")
		h.member("Au", "au@beanline.example", entente.RoleAuditor)
		h.want(entente.KindDenied, h.RenameOrganisation(h.ctx, h.as("au@beanline.example", "beanline"), "Mine"))
		h.want(entente.KindInvalid, h.RenameOrganisation(h.ctx, ada, " \u202e"))
		h.ok(h.RenameOrganisation(h.ctx, ada, "  Beanline   Europe "))
		o, err := h.Organisation(h.ctx, ada)
		h.ok(err)
		if o.Name != "Beanline Europe" {
			t.Errorf("renamed to %q", o.Name)
		}
		o, err = h.Organisation(h.ctx, rosa)
		h.ok(err)
		if o.Name != "Röst & Hof" {
			t.Errorf("Röst is %q", o.Name)
		}
		if e := h.events("beanline", EventOrganisationRenamed); len(e) != 1 || body(t, e[0])["before"] != "Beanline" {
			t.Errorf("events %v", e)
		}
	})
}

func TestCreateOrganisationRefuses(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		owner := NewPerson{"Bo", "bo@x.example", good}
		for _, c := range []struct {
			n     NewOrganisation
			kind  entente.Kind
			words string
		}{
			{NewOrganisation{ID: "beanline", Name: "Another", Owner: owner}, entente.KindConflict, "already"},
			{NewOrganisation{Name: "  ", Owner: owner}, entente.KindInvalid, "name is missing"},
			{NewOrganisation{Name: "!!!", Owner: owner}, entente.KindInvalid, "identifier"},
			{NewOrganisation{ID: "Upper", Name: "Upper", Owner: owner}, entente.KindInvalid, "identifier"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"Bo", "bo", good}}, entente.KindInvalid, "e-mail"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"", "bo@x.example", good}}, entente.KindInvalid, "name is missing"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"Bo", "bo@x.example", "short"}}, entente.KindInvalid, "at least 12"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"Ada", "ada@beanline.example", good + "!"}}, entente.KindDenied, "not its password"},
		} {
			_, err := h.CreateOrganisation(h.ctx, c.n)
			h.want(c.kind, err, c.words)
		}
		all, err := h.Organisations(h.ctx)
		h.ok(err)
		if len(all) != 2 {
			t.Errorf("something was set up: %v", all)
		}
		greek, err := h.CreateOrganisation(h.ctx, NewOrganisation{Name: "Κόκκος", Owner: owner})
		h.ok(err)
		if err := entente.ValidSlug(string(greek.ID)); err != nil || greek.Name != "Κόκκος" {
			t.Errorf("an organisation without Latin letters: %+v, %v", greek, err)
		}
		// The same person, with her password, can own a second organisation.
		o, err := h.CreateOrganisation(h.ctx, NewOrganisation{Name: "Bohne & Söhne", Owner: NewPerson{"", "ADA@beanline.example", good}})
		h.ok(err)
		if o.ID != "bohne-sohne" {
			t.Errorf("id %q", o.ID)
		}
		_, session := h.signIn("ada@beanline.example")
		if len(session.Memberships) != 2 {
			t.Errorf("memberships %+v", session.Memberships)
		}
		if len(h.events("beanline", EventSignedIn)) != 1 || len(h.events("bohne-sohne", EventSignedIn)) != 1 {
			t.Error("the sign-in is not in both journals")
		}
	})
}
