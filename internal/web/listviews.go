package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func viewRoutes() []Route {
	return []Route{
		page("/o/{org}/views", identity.ViewSave, (*visit).savedViews),
		act("/o/{org}/views", identity.ViewSave, (*visit).saveView),
		act("/o/{org}/views/{id}/rename", identity.ViewSave, (*visit).renameView),
		act("/o/{org}/views/{id}/remove", identity.ViewSave, (*visit).removeView),
		act("/o/{org}/views/{id}/standard", identity.ViewSave, (*visit).standardise),
	}
}

// listsWithViews are the lists of which views can be saved, by their paths inside the
// organisation.
var listsWithViews = map[string]entente.Text{
	"processes": "Processes", "systems": "Systems", "suppliers": "Suppliers", "supplies": "Supplies", "documents": "SBOMs", "data-flows": "Data flows",
	"advisories": "Advisories", "products": "Products", "components": "Components", "people": "People", "partners": "Partnerships", "journal": "Journal", "tokens": "API tokens",
}

// listHere names the list of the page for its views; "" if it has none.
func (v *visit) listHere() string {
	name, inside := strings.CutPrefix(v.r.URL.Path, v.in()+"/")
	if _, known := listsWithViews[name]; !inside || !known || !v.may(identity.ViewSave) {
		return ""
	}
	return name
}

// standardView is where a list leads that is opened without a word about how: to the
// view that the visitor chose for that; "" if they chose none.
func (v *visit) standardView() (string, error) {
	name := v.listHere()
	asked := v.r.URL.Query()
	done, change := asked.Get("done"), asked.Get("change")
	asked.Del("done")
	asked.Del("change")
	if name == "" || len(asked) > 0 {
		return "", nil
	}
	views, err := v.Identity.Views(v.r.Context(), v.actor, name)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(views, func(w identity.View) bool { return w.Standard })
	if i < 0 {
		return "", nil
	}
	values := viewValues(views[i].Query)
	for key, value := range map[string]string{"done": done, "change": change} {
		if value != "" {
			values.Set(key, value)
		}
	}
	return address(v.r.URL.Path, values), nil
}

// viewValues is a view as its URL says it; one that asks for nothing still says that
// it is not the standard one.
func viewValues(query string) url.Values {
	values, err := url.ParseQuery(query)
	if err != nil || len(values) == 0 {
		return url.Values{"view": {"all"}}
	}
	return values
}

// viewsOf gives the saved views of the list on the page.
func (v *visit) viewsOf(q query) (*ui.Views, error) {
	name := v.listHere()
	if name == "" {
		return nil, nil
	}
	saved, err := v.Identity.Views(v.r.Context(), v.actor, name)
	if err != nil {
		return nil, err
	}
	now := identity.OfView(q.values).Encode()
	shown := &ui.Views{
		All: ui.Tab{Link: ui.Link{Text: v.T("All"), Href: q.path + "?view=all"}, Current: now == ""}, Manage: v.in("views"),
		Save: v.in("views"), List: name, Query: now, Share: v.may(identity.ViewShare),
	}
	for _, w := range saved {
		shown.Saved = append(shown.Saved, ui.Tab{Link: ui.Link{Text: w.Name, Href: address(q.path, viewValues(w.Query))}, Current: now != "" && identity.OfView(viewValues(w.Query)).Encode() == now})
	}
	return shown, nil
}

// savedViews shows all views that the visitor has, to rename and remove them.
func (v *visit) savedViews() error {
	return v.showViews(http.StatusOK, v.done())
}

func (v *visit) showViews(status int, notice ui.Notice) error {
	all, err := v.Identity.Views(v.r.Context(), v.actor, "")
	if err != nil {
		return err
	}
	p := viewsPage{Frame: v.frame(v.T("Saved views")), Notice: notice, Head: ui.Head{
		Title: v.T("Saved views"), Lead: v.T("Search, filters, order and columns of lists under a name, to come back to them."),
	}}
	p.Empty = ui.Empty{Title: v.T("No saved views yet"), Text: v.T("Above each list you can save what it shows under a name."), Next: ui.Link{Text: v.T("To the processes"), Href: v.in("processes")}}
	share := v.may(identity.ViewShare)
	for _, w := range all {
		title, known := listsWithViews[w.List]
		if !known {
			continue // of a list that there is no more
		}
		one := savedView{
			ID: w.ID, Name: w.Name, List: v.T(title), Href: address(v.in(strings.Split(w.List, "/")...), viewValues(w.Query)), Shared: w.Shared, Mine: w.Mine, Standard: w.Standard,
			MakeStandard: v.in("views", w.ID, "standard"), MayShare: share && w.Mine,
		}
		if w.Shared {
			one.Badges = append(one.Badges, ui.Badge{Text: v.T("for everybody"), Tone: ui.Accent})
		}
		if w.Standard {
			one.Badges = append(one.Badges, ui.Badge{Text: v.T("opens the list"), Tone: ui.Good})
		}
		if !w.Mine {
			one.By = v.T("by %s", w.By)
		}
		if w.Mine && !w.Shared || share {
			one.Rename, one.Remove = v.in("views", w.ID, "rename"), v.in("views", w.ID, "remove")
		}
		p.Views = append(p.Views, one)
	}
	slices.SortStableFunc(p.Views, func(a, b savedView) int { return strings.Compare(a.List, b.List) })
	return v.show(status, viewsView(p))
}

// saveView keeps what a list shows under a name.
func (v *visit) saveView() error {
	list := v.text("list")
	saved, err := v.Identity.SaveView(v.r.Context(), v.actor, identity.View{
		List: list, Name: v.text("view-name"), Query: v.r.PostFormValue("query"), Shared: v.text("shared") != "", Standard: v.text("standard") != "",
	})
	if err != nil {
		return v.refusedView(err)
	}
	back := viewValues(saved.Query)
	back.Set("done", "view")
	return v.redirect(address(v.in(strings.Split(list, "/")...), back))
}

func (v *visit) refusedView(err error) error {
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showViews(statusFor(wrong), ui.Notice{Tone: ui.Bad, Text: v.wrongText(wrong)})
}

func (v *visit) renameView() error {
	err := v.Identity.RenameView(v.r.Context(), v.actor, v.r.PathValue("id"), v.text("view-name"), v.text("shared") != "")
	if err != nil {
		return v.refusedView(err)
	}
	return v.redirect(v.in("views") + "?done=view-changed")
}

func (v *visit) removeView() error {
	err := v.Identity.RemoveView(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return v.refusedView(err)
	}
	return v.redirect(v.in("views") + "?done=view-removed")
}

// standardise makes a view the one with which its list opens, or not any more.
func (v *visit) standardise() error {
	id, list := v.r.PathValue("id"), ""
	if v.text("standard") == "no" {
		all, err := v.Identity.Views(v.r.Context(), v.actor, "")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(w identity.View) bool { return w.ID == id })
		if i < 0 {
			return entente.NotFound("there is no such view; it may have been removed")
		}
		id, list = "", all[i].List
	}
	err := v.Identity.SetStandardView(v.r.Context(), v.actor, list, id)
	if err != nil {
		return v.refusedView(err)
	}
	return v.redirect(v.in("views") + "?done=view-changed")
}
