package api

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

func TestSavedViews(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		auditor := as(n.tokens["beanline/auditor"])
		names := func(set ...func(*http.Request)) string {
			t.Helper()
			var all []string
			for _, v := range get[List[SavedView]](n, base+"/views?list=suppliers", set...).Items {
				name := v.Name
				if v.Shared {
					name += " shared"
				}
				if v.Standard {
					name += " standard"
				}
				all = append(all, name)
			}
			return strings.Join(all, ", ")
		}
		saved := answerOf[SavedView](n, n.send("POST", base+"/views", `{"list":"suppliers","name":"Critical ones","query":"tier=critical&sort=-name&page=3&format=csv","shared":true,"standard":true}`))
		if saved.ID == "" || saved.Query != "sort=-name&tier=critical" || !saved.Mine || !saved.Standard {
			t.Errorf("saved: %+v", saved)
		}
		answerOf[SavedView](n, n.send("POST", base+"/views", `{"list":"suppliers","name":"Mine","query":"q=host"}`, auditor))
		if mine, theirs := names(), names(auditor); mine != "Critical ones shared standard" || theirs != "Critical ones shared, Mine" {
			t.Errorf("the owner sees %q, the auditor %q", mine, theirs)
		}
		at := base + "/views/" + saved.ID
		n.problem(n.send("PUT", at, `{"name":"Other","shared":true}`, auditor), 403, "view.share")
		n.problem(n.ask("DELETE", at, nil, auditor), 403, "view.share")
		n.problem(n.ask("DELETE", at, nil, as(n.tokens["rosthof/owner"])), 404, "")
		n.problem(n.ask("GET", base+"/views", nil, as(n.token("beanline", entente.RoleOwner, identity.ChainRead))), 403, "view.save")
		n.problem(n.send("POST", base+"/views", `{"list":"invoices","name":"x"}`), 422, "body.list")
		n.problem(n.send("POST", base+"/views", `{"list":"suppliers","name":"x","query":"%zz"}`), 422, "cannot be read")

		answerOf[Done](n, n.send("PUT", base+"/standard-views/suppliers", `{"view":"`+saved.ID+`"}`, auditor))
		n.problem(n.send("PUT", base+"/standard-views/systems", `{"view":"`+saved.ID+`"}`, auditor), 404, "no such view")
		if got := names(auditor); got != "Critical ones shared standard, Mine" {
			t.Errorf("with a standard the auditor sees %q", got)
		}
		answerOf[Done](n, n.send("PUT", base+"/standard-views/suppliers", `{}`))
		answerOf[Done](n, n.send("PUT", at, `{"name":"Mine alone","shared":false}`))
		if mine, theirs := names(), names(auditor); mine != "Mine alone" || theirs != "Mine" {
			t.Errorf("not shared any more: the owner sees %q, the auditor %q", mine, theirs)
		}
		answerOf[Done](n, n.ask("DELETE", at, nil))
		n.problem(n.ask("DELETE", at, nil), 404, "")
	})
}

// The document names the lists that have views.
func TestListsOfViews(t *testing.T) {
	field, _ := reflect.TypeFor[NewView]().FieldByName("List")
	if got, want := field.Tag.Get("enum"), strings.Join(identity.ViewLists(), ","); got != want {
		t.Errorf("the document says %s, and views are kept of %s", got, want)
	}
}
