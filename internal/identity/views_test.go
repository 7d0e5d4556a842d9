package identity

import (
	"strings"
	"testing"

	"github.com/entente-project/entente"
)

// joins makes somebody a member and gives them as an actor.
func (h *house) joins(name string, role entente.Role) entente.Actor {
	h.t.Helper()
	email := strings.ToLower(name) + "@beanline.example"
	h.member(name, email, role)
	return h.as(email, "beanline")
}

func TestViews(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		lead := h.joins("Lea", entente.RoleSecurityLead)
		auditor := h.joins("Aud", entente.RoleAuditor)
		list := func(a entente.Actor, want ...string) []View {
			t.Helper()
			all, err := h.Views(h.ctx, a, "processes")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range all {
				name := v.Name
				if v.Standard {
					name += "*"
				}
				got = append(got, name)
			}
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("%s sees %q; want %q", a.Name, got, want)
			}
			return all
		}
		save := func(a entente.Actor, v View) View {
			t.Helper()
			v.List = "processes"
			saved, err := h.SaveView(h.ctx, a, v)
			if err != nil {
				t.Fatal(err)
			}
			return saved
		}
		save(auditor, View{Name: "Mine alone", Query: "q=beans"})
		shared := save(lead, View{Name: " Critical   ones ", Query: "criticality=critical&sort=-name", Shared: true, Standard: true})
		list(lead, "Critical ones*")
		all := list(auditor, "Critical ones", "Mine alone")
		if all[0].By != "Lea" || all[0].Mine || !all[1].Mine || all[0].Query != "criticality=critical&sort=-name" {
			t.Errorf("what the auditor sees: %+v", all)
		}

		// The same name on the same list is the same view.
		again := save(lead, View{Name: "critical ones", Query: "criticality=high"})
		if again.ID != shared.ID || !again.Shared {
			t.Errorf("saved again: %+v", again)
		}
		list(lead, "critical ones*")

		if err := h.SetStandardView(h.ctx, auditor, "", shared.ID); err != nil {
			t.Fatal(err)
		}
		list(auditor, "critical ones*", "Mine alone")
		if err := h.SetStandardView(h.ctx, auditor, "", all[1].ID); err != nil {
			t.Fatal(err)
		}
		list(auditor, "critical ones", "Mine alone*")
		if err := h.SetStandardView(h.ctx, auditor, "processes", ""); err != nil {
			t.Fatal(err)
		}
		list(auditor, "critical ones", "Mine alone")

		// What is shared is not an auditor's to change, and what is private nobody else's.
		h.want(entente.KindDenied, h.RenameView(h.ctx, auditor, shared.ID, "Other", true))
		h.want(entente.KindDenied, h.RemoveView(h.ctx, auditor, shared.ID))
		h.want(entente.KindDenied, h.RenameView(h.ctx, auditor, all[1].ID, "Mine alone", true))
		h.want(entente.KindNotFound, h.RemoveView(h.ctx, lead, all[1].ID))
		h.want(entente.KindNotFound, h.SetStandardView(h.ctx, lead, "", all[1].ID))
		_, err := h.SaveView(h.ctx, auditor, View{List: "processes", Name: "For all", Shared: true})
		h.want(entente.KindDenied, err)

		for name, v := range map[string]View{
			"no name": {List: "processes"}, "no list": {Name: "x", List: "../people"}, "long": {Name: strings.Repeat("x", 61), List: "processes"},
			"no query": {Name: "x", List: "processes", Query: "%zz"}, "a long query": {Name: "x", List: "processes", Query: strings.Repeat("q", 3000)},
		} {
			if _, err := h.SaveView(h.ctx, lead, v); err == nil || entente.KindOf(err) == entente.KindInternal {
				t.Errorf("%s: %v", name, err)
			}
		}

		// Once it is not shared any more, it is nobody's standard but its maker's.
		if err := h.SetStandardView(h.ctx, auditor, "", shared.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.RenameView(h.ctx, lead, shared.ID, "Only mine", false); err != nil {
			t.Fatal(err)
		}
		list(auditor, "Mine alone")
		list(lead, "Only mine*")
		if err := h.RenameView(h.ctx, lead, shared.ID, "Again", true); err != nil {
			t.Fatal(err)
		}
		list(auditor, "Again", "Mine alone")

		// Who leaves takes along what nobody else has seen.
		owner := entente.System("beanline", entente.DoorCommand)
		if err := h.RemoveMember(h.ctx, owner, lead.Person); err != nil {
			t.Fatal(err)
		}
		list(auditor, "Again", "Mine alone")
		if err := h.RemoveMember(h.ctx, owner, auditor.Person); err != nil {
			t.Fatal(err)
		}
		list(auditor, "Again")
	})
}

func TestViewsAreBounded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		lead := h.joins("Lea", entente.RoleSecurityLead)
		var err error
		for i := range maxViews + 1 {
			_, err = h.SaveView(h.ctx, lead, View{List: "processes", Name: "View " + strings.Repeat("x", i%50) + string(rune('a'+i/50))})
			if i < maxViews && err != nil {
				t.Fatal(err)
			}
		}
		h.want(entente.KindTooLarge, err)
	})
}

func TestPreferences(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		id := h.joins("Lea", entente.RoleSecurityLead).Person
		token, session := h.signIn("lea@beanline.example")
		other, _ := h.signIn("lea@beanline.example")
		want := Preferences{Language: "de-CH", Zone: "Europe/Zurich", Rows: 100}
		if err := h.SetPreferences(h.ctx, session, want); err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{token, other} {
			now, err := h.Session(h.ctx, token)
			if err != nil || now.Preferences != want {
				t.Errorf("%+v, %v", now.Preferences, err)
			}
		}
		for name, p := range map[string]Preferences{
			"zone": {Zone: "Mars/Olympus"}, "local": {Zone: "Local"}, "path": {Zone: "../../etc/passwd"}, "language": {Language: "de; x=1"}, "rows": {Rows: -1}, "many rows": {Rows: 5000},
		} {
			h.want(entente.KindInvalid, h.SetPreferences(h.ctx, session, p))
			_ = name
		}
		h.want(entente.KindDenied, h.SetPreferences(h.ctx, Session{}, want))
		h.want(entente.KindDenied, h.SetPreferences(h.ctx, Session{Person: Person{ID: id}, Pending: true}, want))
		if err := h.SetPreferences(h.ctx, session, Preferences{}); err != nil {
			t.Fatal(err)
		}
		if now, err := h.Session(h.ctx, other); err != nil || now.Preferences != (Preferences{}) {
			t.Errorf("given up: %+v, %v", now.Preferences, err)
		}
	})
}
