package web

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

var (
	linkOnPage = regexp.MustCompile(`<a [^>]*?href="(/[^"]*)"`)
	formOnPage = regexp.MustCompile(`<form[^>]*?method="post"[^>]*?action="(/[^"]*)"|<form[^>]*?action="(/[^"]*)"[^>]*?method="post"`)
)

// mostPages bounds how many pages of one role are visited, and mostVariants how many
// ways of asking for the same one.
const (
	mostPages    = 250
	mostVariants = 3
)

// Whatever a role is shown works: each link on each page that it reaches answers, and
// each form leads to an act that the role is allowed.
func TestNobodyIsOfferedWhatDoesNotWork(t *testing.T) {
	n := newNode(t)
	n.tell()
	mux, routes := http.NewServeMux(), map[string]Route{}
	for _, r := range Routes() {
		mux.HandleFunc(r.Address(), func(http.ResponseWriter, *http.Request) {})
		routes[r.Address()] = r
	}
	scopes := map[entente.Role][]string{entente.RoleBusinessOwner: {"bean-procurement"}, entente.RoleContact: {"rosthof"}}
	for _, role := range entente.Roles() {
		email := string(role) + "@beanline.example"
		if role != entente.RoleOwner {
			_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), identity.NewMember{
				NewPerson: identity.NewPerson{Name: "A " + roleHeadOf(role), Email: email, Password: testPassword}, Role: role, Scope: scopes[role],
			})
			must(t, err)
		}
		actor := entente.Actor{Org: "beanline", Person: "p", Role: role, Door: entente.DoorPage, Scope: scopes[role]}
		visitor := n.as(email)
		waiting, from := []string{"/o/beanline"}, map[string]string{"/o/beanline": "the start"}
		variants := map[string]int{}
		visited := 0
		for len(waiting) > 0 && visited < mostPages {
			at := waiting[0]
			waiting = waiting[1:]
			visited++
			w := visitor.get(at)
			if w.Code >= http.StatusBadRequest {
				t.Errorf("%s: the link to %s on %s: %d", role, at, from[at], w.Code)
				continue
			}
			if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				continue
			}
			body := w.Body.String()
			for _, m := range linkOnPage.FindAllStringSubmatch(body, -1) {
				to, _, _ := strings.Cut(html.UnescapeString(m[1]), "#")
				path, _, _ := strings.Cut(to, "?")
				if _, known := from[to]; known || !strings.HasPrefix(to, "/o/") || variants[path] >= mostVariants {
					continue
				}
				variants[path]++
				from[to] = at
				waiting = append(waiting, to)
			}
			for _, m := range formOnPage.FindAllStringSubmatch(body, -1) {
				to := html.UnescapeString(m[1] + m[2])
				r := httptest.NewRequest(http.MethodPost, to, nil)
				_, pattern := mux.Handler(r)
				route, known := routes[pattern]
				if !known {
					t.Errorf("%s: the form on %s leads to %s, where nothing is", role, at, to)
					continue
				}
				if route.Door != ByVerb {
					continue
				}
				if ok, why := identity.Can(actor, route.Verb, route.object("beanline", idOf(route.Pattern, r.URL))); !ok {
					t.Errorf("%s: the form on %s leads to %s: %s", role, at, to, why)
				}
			}
		}
		if visited < 3 && role != entente.RoleContact {
			t.Errorf("%s reached only %d pages", role, visited)
		}
	}
}

func roleHeadOf(r entente.Role) string { return string(roleHeads[r]) }

// idOf is what stands for {id} of a pattern in a path.
func idOf(pattern string, at *url.URL) string {
	i := slices.Index(strings.Split(pattern, "/"), "{id}")
	parts := strings.Split(at.EscapedPath(), "/")
	if i < 0 || i >= len(parts) {
		return ""
	}
	id, err := url.PathUnescape(parts[i])
	if err != nil {
		return ""
	}
	return id
}
