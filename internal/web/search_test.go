package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

type answered struct {
	Said   string
	Groups []foundGroup
}

// typed asks the search as the dialog does.
func (v *visitor) typed(text string) answered {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/o/beanline/search?"+url.Values{"q": {text}}.Encode(), nil)
	r.Header.Set("Accept", "application/json")
	w := v.do(r)
	var a answered
	if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &a) != nil {
		v.t.Fatalf("searching for %q: %d %s", text, w.Code, w.Body)
	}
	return a
}

func (a answered) hrefs() []string {
	var all []string
	for _, g := range a.Groups {
		for _, h := range g.Hits {
			all = append(all, h.Href)
		}
	}
	return all
}

func TestSearchFindsEveryKind(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	for text, want := range map[string]string{
		"bean procurement": "/o/beanline/processes/bean-procurement",
		"PROCUREMENT bean": "/o/beanline/processes/bean-procurement",
		"nordhost":         "/o/beanline/suppliers/nordhost",
		"portal":           "/o/beanline/systems/procurement-portal",
		"dropwizard":       "/o/beanline/products/dropwizard",
		"GHSA-jfh8-c2jp":   "/o/beanline/advisories/GHSA-jfh8-c2jp-5v3q",
		"cve-2021-44228":   "/o/beanline/advisories/GHSA-jfh8-c2jp-5v3q",
		"advisories":       "/o/beanline/advisories",
	} {
		got := owner.typed(text)
		if !slices.Contains(got.hrefs(), want) {
			t.Errorf("%q finds %q; want %s among it", text, got.hrefs(), want)
		}
		page := owner.get("/o/beanline/search?" + url.Values{"q": {text}}.Encode())
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `href="`+want+`"`) {
			t.Errorf("the page for %q (%d) does not lead to %s", text, page.Code, want)
		}
	}
	for _, kind := range []string{"log4j", "owner of beanline"} {
		if len(owner.typed(kind).Groups) == 0 {
			t.Errorf("%q finds nothing", kind)
		}
	}
	for _, text := range []string{"", "   ", "no such thing at all", "%", `\`, "_", strings.Repeat("x", 5000), "\x00\xff"} {
		if got := owner.typed(text); len(got.Groups) > 0 && text != "_" {
			t.Errorf("%q finds %v", text, got.Groups)
		}
	}
}

// Nobody finds what they may not open: every hit of every role leads to a page that
// answers them, and kinds that the table of rights closes to them are never told.
func TestSearchTellsNobodyWhatTheyMayNotSee(t *testing.T) {
	n := newNode(t)
	n.tell()
	n.found("rosthof", "Rosthof Wholesale")
	system := entente.System("beanline", entente.DoorCommand)
	needs := map[string]identity.Verb{
		"processes": identity.ChainRead, "systems": identity.ChainRead, "suppliers": identity.ChainRead, "flows": identity.ChainRead,
		"products": identity.InventoryRead, "components": identity.InventoryRead, "advisories": identity.AdvisoryRead, "people": identity.PeopleRead,
	}
	scopes := map[entente.Role][]string{entente.RoleBusinessOwner: {"bean-procurement"}, entente.RoleContact: {"rosthof"}}
	queries := []string{"a", "e", "o", "log4j", "ghsa", "beanline", "procurement"}
	for _, role := range entente.Roles() {
		email := string(role) + "@beanline.example"
		if role != entente.RoleOwner {
			_, err := n.Identity.AddMember(t.Context(), system, memberAs("A "+string(roleTexts[role]), email, role))
			must(t, err)
			if scopes[role] != nil {
				people, err := n.Identity.Members(t.Context(), system)
				must(t, err)
				for _, m := range people {
					if m.Person.Email == email {
						must(t, n.Identity.SetRole(t.Context(), system, m.Person.ID, role, scopes[role]))
					}
				}
			}
		}
		who, found := n.as(email), map[string]bool{}
		actor := entente.Actor{Org: "beanline", Person: "p", Role: role, Door: entente.DoorPage, Scope: scopes[role]}
		for _, text := range queries {
			for _, href := range who.typed(text).hrefs() {
				path, _, _ := strings.Cut(href, "#")
				room := strings.Split(strings.TrimPrefix(path, "/o/beanline/"), "/")[0]
				found[room] = true
				if code := who.get(path).Code; code != http.StatusOK {
					t.Errorf("as %s, %q finds %s, which answers %d", role, text, href, code)
				}
				verb, known := needs[room]
				if may, _ := identity.Can(actor, verb, identity.In("beanline")); known && !may {
					t.Errorf("as %s, %q finds %s although %s is denied", role, text, href, verb)
				}
			}
		}
		for room, verb := range needs {
			if may, _ := identity.Can(actor, verb, identity.In("beanline")); may && !found[room] {
				t.Errorf("as %s nothing of %s was found, which %s may see", role, room, role)
			}
		}
	}
	other := n.as("owner@rosthof.example")
	r := httptest.NewRequest(http.MethodGet, "/o/rosthof/search?q=a", nil)
	r.Header.Set("Accept", "application/json")
	if body := other.do(r).Body.String(); strings.Contains(body, "bean-procurement") || strings.Contains(body, "nordhost") || strings.Contains(body, "beanline.example") {
		t.Errorf("Rosthof finds things of Beanline: %s", body)
	}
	if code := other.get("/o/beanline/search?q=a").Code; code != http.StatusNotFound {
		t.Errorf("another organisation's search answers %d", code)
	}
}
