package identity

import (
	"testing"

	"github.com/entente-project/entente"
)

// Somebody who was let in founds an organisation: as a new person, or signed in.
func TestFounding(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		owner := NewPerson{Name: "Rosa", Email: "rosa@rosthof.example", Password: good}
		for _, c := range []struct {
			n    NewOrganisation
			kind entente.Kind
		}{
			{NewOrganisation{Owner: owner}, entente.KindInvalid},
			{NewOrganisation{Name: "Rosthof", Owner: NewPerson{Name: "Rosa", Email: "nobody", Password: good}}, entente.KindInvalid},
			{NewOrganisation{Name: "Rosthof", Owner: NewPerson{Name: "", Email: owner.Email, Password: good}}, entente.KindInvalid},
			{NewOrganisation{Name: "Rosthof", Owner: NewPerson{Name: "Rosa", Email: owner.Email, Password: "short"}}, entente.KindInvalid},
			{NewOrganisation{Name: "Rosthof", Owner: NewPerson{Name: "Ada", Email: "ada@beanline.example", Password: good}}, entente.KindConflict},
		} {
			_, _, _, err := h.FoundAsNew(h.ctx, c.n, desk)
			h.want(c.kind, err)
		}
		token, session, o, err := h.FoundAsNew(h.ctx, NewOrganisation{Name: "Beanline", Owner: owner}, desk)
		h.ok(err)
		if o.Name != "Beanline" || o.ID == "beanline" || token == "" || session.Method != ByInvitation || len(session.Memberships) != 1 {
			t.Fatalf("founded %+v, session %+v", o, session)
		}
		if m := session.Memberships[0]; m.Org != o.ID || m.Role != entente.RoleOwner {
			t.Errorf("the founder is %+v", m)
		}
		second, err := h.Found(h.ctx, "Rosthof", session, desk)
		h.ok(err)
		if second.ID != "rosthof" {
			t.Errorf("the second is %q", second.ID)
		}
		actor, err := h.Actor(h.ctx, session.Person.ID, second.ID, entente.DoorPage)
		h.ok(err)
		if actor.Role != entente.RoleOwner {
			t.Errorf("the founder is %s", actor.Role)
		}
		_, err = h.Found(h.ctx, "", session, desk)
		h.want(entente.KindInvalid, err)
		_, err = h.Found(h.ctx, "Another", Session{}, desk)
		h.want(entente.KindDenied, err)
		// Single sign-on of one organisation opens no other.
		session.Only = o.ID
		_, err = h.Found(h.ctx, "Third", session, desk)
		h.want(entente.KindDenied, err, "single sign-on")
	})
}
