package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/search"
	"github.com/entente-project/entente/internal/web/ui"
)

func searchRoutes() []Route {
	return []Route{page("/o/{org}/search", identity.OrganisationRead, (*visit).search)}
}

// groupNames are the headings of what a search found.
var groupNames = map[search.Kind]entente.Text{
	search.Process: "Processes", search.Activity: "Activities", search.System: "Systems", search.Supplier: "Suppliers", search.Supply: "Supplies",
	search.Product: "Products", search.Advisory: "Advisories", search.Package: "Components", search.Flow: "Data flows", search.Person: "People",
}

// How many hits of each kind an answer tells.
const (
	hitsAsOneTypes = 5
	hitsOnPage     = 10
)

// foundGroup is what was found of one kind, as the page and its script show it.
type foundGroup struct {
	Name string     `json:"name"`
	Hits []foundHit `json:"hits"`
	All  string     `json:"all,omitempty"` // leads to more of the kind
}

type foundHit struct {
	Name string `json:"name"`
	Note string `json:"note,omitempty"`
	Href string `json:"href"`
}

// search finds things by name: as a page, and as JSON for the dialog on every page.
func (v *visit) search() error {
	values := v.r.URL.Query()
	q := search.Query{Text: strings.TrimSpace(values.Get("q")), Limit: hitsOnPage, Thorough: true}
	if len(q.Text) > search.MaxQuery {
		q.Text = strings.ToValidUTF8(q.Text[:search.MaxQuery], "")
	}
	typed := strings.Contains(v.r.Header.Get("Accept"), "application/json")
	if typed {
		q.Limit, q.Thorough = hitsAsOneTypes, false
	}
	kind := search.Kind(values.Get("kind"))
	if groupNames[kind] != "" {
		q.Kinds, q.Limit = []search.Kind{kind}, search.MaxHits
	} else {
		kind = ""
	}
	found, err := v.Search.Find(v.r.Context(), v.actor, q)
	if err != nil {
		return err
	}
	frame := v.frame(v.T("Search"))
	var groups []foundGroup
	if kind == "" {
		groups = pagesNamed(frame, q.Text, v.T("Pages"))
	}
	count, more := 0, false
	for _, g := range found {
		groups = append(groups, v.foundGroup(g, q.Text, kind == ""))
		more = more || g.More
	}
	for _, g := range groups {
		count += len(g.Hits)
	}
	said := v.N(count, "%d result", "%d results")
	switch {
	case q.Text == "":
		said = ""
	case count == 0:
		said = v.T("Nothing was found for “%s”.", q.Text)
	case more:
		said = v.N(count, "%d result, and there are more", "%d results, and there are more")
	}
	if typed {
		return v.reply(http.StatusOK, struct {
			Said   string       `json:"said"`
			Groups []foundGroup `json:"groups"`
		}{said, groups})
	}
	shown := searchPage{
		Frame: frame, Head: ui.Head{Title: v.T("Search")}, Action: v.in("search"), Query: q.Text, Said: said, Groups: groups,
	}
	if kind != "" {
		shown.Back = ui.Link{Text: v.T("Search everything for “%s”", q.Text), Href: v.searchFor(q.Text, "")}
	}
	if q.Text != "" && count == 0 {
		shown.None = ui.Empty{Title: said, Text: v.T("A part of a name is enough: of a process, a system, a supplier, a product, a component or an advisory. Words may stand in any order.")}
	}
	return v.show(http.StatusOK, searchView(shown))
}

func (v *visit) searchFor(text string, kind search.Kind) string {
	values := url.Values{"q": {text}}
	if kind != "" {
		values.Set("kind", string(kind))
	}
	return v.in("search") + "?" + values.Encode()
}

func (v *visit) foundGroup(g search.Group, text string, leads bool) foundGroup {
	shown := foundGroup{Name: v.T(groupNames[g.Kind])}
	for i := range g.Hits {
		h := &g.Hits[i]
		shown.Hits = append(shown.Hits, foundHit{Name: h.Name, Note: v.Say(h.Note), Href: v.hitPath(h)})
	}
	if g.More && leads {
		shown.All = v.searchFor(text, g.Kind)
	}
	return shown
}

// hitPath is the page on which what was found is shown.
func (v *visit) hitPath(h *search.Hit) string {
	switch h.Kind {
	case search.Process:
		return v.in("processes", h.ID)
	case search.Activity:
		return v.in("processes", h.Of)
	case search.System:
		return v.in("systems", h.ID)
	case search.Supplier:
		return v.in("suppliers", h.ID)
	case search.Supply:
		return v.in("suppliers", h.Of) + "#supplies"
	case search.Product:
		return v.in("products", h.ID)
	case search.Advisory:
		return v.advisoryPath(h.ID)
	case search.Package:
		id, _ := strconv.ParseUint(h.ID, 10, 32)
		return v.componentPath(uint32(id))
	case search.Flow:
		return v.in(roomOf[chain.KindFlow], h.ID, "history")
	case search.Person:
		return v.in("people", h.ID)
	}
	return v.in()
}

// pagesNamed finds pages of the program among those that the visitor may open.
func pagesNamed(frame ui.Page, text, name string) []foundGroup {
	wanted := strings.ToLower(text)
	if wanted == "" {
		return nil
	}
	var hits []foundHit
	for _, group := range frame.Nav {
		for _, item := range group.Items {
			if strings.Contains(strings.ToLower(item.Text), wanted) || group.Name != "" && strings.EqualFold(group.Name, wanted) {
				hits = append(hits, foundHit{Name: item.Text, Note: group.Name, Href: item.Href})
			}
		}
	}
	if len(hits) == 0 {
		return nil
	}
	return []foundGroup{{Name: name, Hits: hits}}
}

// searchPage is the page of a search.
type searchPage struct {
	Frame  ui.Page
	Head   ui.Head
	Action string
	Query  string
	Said   string
	Groups []foundGroup
	None   ui.Empty
	Back   ui.Link
}
