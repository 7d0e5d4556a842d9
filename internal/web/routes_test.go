package web

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
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

// examples are things of the demonstration, for the wildcards of the routes.
var examples = map[string]string{
	"/o/{org}/processes/{id}":                "bean-procurement",
	"/o/{org}/processes/{id}/chain":          "bean-procurement",
	"/o/{org}/systems/{id}":                  "procurement-portal",
	"/o/{org}/suppliers/{id}":                "nordhost",
	"/o/{org}/suppliers/{id}/answer":         "rosthof",
	"/o/{org}/suppliers/{id}/tier":           "rosthof",
	"/o/{org}/suppliers/{id}/tier/free":      "rosthof",
	"/o/{org}/products/{id}":                 "dropwizard",
	"/o/{org}/products/{id}/documents":       "dropwizard",
	"/o/{org}/products/{id}/vex":             "dropwizard",
	"/o/{org}/threats/{id}":                  "none",
	"/o/{org}/threats/{id}/original":         "none",
	"/o/{org}/documents/{document}":          "1",
	"/o/{org}/documents/{document}/withdraw": "1",
	"/o/{org}/components/{package}":          "1",
	"/o/{org}/account/sessions/{id}/end":     "none",
	"/o/{org}/account/passkeys/{id}/name":    "none",
	"/o/{org}/account/passkeys/{id}/remove":  "none",

	"/o/{org}/tokens/{id}/revoke": "none",

	"/join/{party}/{secret}":                     "none",
	"/join/{party}/{secret}/invitation.json":     "none",
	"/o/{org}/partner-invitations/{id}/withdraw": "none",

	"/o/{org}/invitations/{id}/withdraw": "none",
	"/o/{org}/webhook-log/{id}/replay":   "none",
	"/o/{org}/advisories/{id}":           "GHSA-jfh8-c2jp-5v3q",
	"/o/{org}/changes/{id}":              "1",
	"/o/{org}/changes/{id}/undo":         "999",
	"/o/{org}/tiers/{id}/undo":           "999",
	"/o/{org}/roles/{id}/undo":           "999",
	"/o/{org}/views/{id}/rename":         "none",
	"/o/{org}/views/{id}/remove":         "none",
	"/o/{org}/views/{id}/standard":       "none",
	"/o/{org}/import/{id}":               "1",
	"/o/{org}/import/{id}/refused":       "1",
	"/o/{org}/import/{id}/columns":       "1",
	"/o/{org}/import/{id}/options":       "1",
	"/o/{org}/import/{id}/start":         "1",
	"/o/{org}/import/{id}/undo":          "1",
	"/o/{org}/import/{id}/drop":          "2",
}

var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// example is a path that the route's pattern matches.
func example(t *testing.T, r Route, org string) string {
	t.Helper()
	path := strings.Replace(strings.TrimSuffix(r.Pattern, "{$}"), "{org}", org, 1)
	if wildcard.MatchString(path) {
		value := examples[r.Pattern]
		if value == "" {
			t.Fatalf("the route %s has no example; add one to examples", r.Address())
		}
		path = wildcard.ReplaceAllString(path, value)
	}
	return path
}

func (v *visitor) visit(r Route, path string) *httptest.ResponseRecorder {
	if r.Method == http.MethodPost {
		return v.post(path, url.Values{})
	}
	return v.get(path)
}

// Every route is tried by every role of its own organisation, by members of another
// one and by a stranger, and answers as identity.Can decides.
func TestEveryRouteAsksForItsRight(t *testing.T) {
	n := newNode(t)
	n.tell()
	n.found("rosthof", "Rosthof Wholesale")
	system := entente.System("beanline", entente.DoorCommand)
	scopes := map[entente.Role][]string{entente.RoleBusinessOwner: {"bean-procurement"}, entente.RoleContact: {"rosthof"}}
	for _, role := range entente.Roles() {
		email := string(role) + "@beanline.example"
		if role != entente.RoleOwner {
			_, err := n.Identity.AddMember(t.Context(), system, identity.NewMember{
				NewPerson: identity.NewPerson{Name: "A " + string(roleTexts[role]), Email: email, Password: testPassword}, Role: role, Scope: scopes[role],
			})
			must(t, err)
		}
		own, denied := n.as(email), 0
		for _, r := range Routes() {
			if r.Door != ByVerb {
				continue
			}
			actor := entente.Actor{Org: "beanline", Person: "p", Role: role, Door: entente.DoorPage, Scope: scopes[role]}
			may, _ := identity.Can(actor, r.Verb, r.object("beanline", examples[r.Pattern]))
			if strings.HasPrefix(r.Pattern, "/o/{org}/import/{id}") && role == entente.RoleBusinessOwner {
				// The example is a sheet of suppliers, which are not theirs.
				if code := own.visit(r, example(t, r, "beanline")).Code; code != http.StatusForbidden && code != http.StatusNotFound {
					t.Errorf("%s as %s: %d", r.Address(), role, code)
				}
				continue
			}
			code := own.visit(r, example(t, r, "beanline")).Code
			switch {
			case may && (code == http.StatusForbidden || code >= 500):
				t.Errorf("%s as %s: %d although identity.Can allows it", r.Address(), role, code)
			case !may && code != http.StatusForbidden:
				t.Errorf("%s as %s: %d although identity.Can denies it", r.Address(), role, code)
			}
			if !may {
				denied++
			}
			if code := own.visit(r, example(t, r, "rosthof")).Code; code != http.StatusNotFound {
				t.Errorf("%s of another organisation as %s: %d; want 404", r.Address(), role, code)
			}
		}
		if denied > 0 && !n.journalHolds("access.denied", "A "+string(roleTexts[role])) {
			t.Errorf("what was denied to %s is not in the journal", role)
		}
	}
	stranger := n.stranger()
	for _, r := range Routes() {
		if r.Door == Open {
			continue
		}
		w := stranger.visit(r, example(t, r, "beanline"))
		if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/sign-in") {
			t.Errorf("%s without a session: %d to %q; want the sign-in", r.Address(), w.Code, w.Header().Get("Location"))
		}
	}
}

func TestRoutesAreDecided(t *testing.T) {
	run := func(*visit) error { return nil }
	for name, r := range map[string]Route{
		"no door":         {Method: "GET", Pattern: "/o/{org}/x", limits: pageLimits, run: run},
		"no right":        {Method: "GET", Pattern: "/o/{org}/x", Door: ByVerb, limits: pageLimits, run: run},
		"no organisation": {Method: "GET", Pattern: "/x", Door: ByVerb, Verb: identity.ChainRead, limits: pageLimits, run: run},
		"right not asked": {Method: "GET", Pattern: "/x", Door: Open, Verb: identity.ChainRead, limits: pageLimits, run: run},
		"no limits":       {Method: "GET", Pattern: "/x", Door: Open, run: run},
		"no code":         {Method: "GET", Pattern: "/x", Door: Open, limits: pageLimits},
	} {
		if r.decided() == nil {
			t.Errorf("a route with %s is taken", name)
		}
	}
	verbs := identity.Verbs()
	for _, r := range Routes() {
		must(t, r.decided())
		if r.Verb != "" && !slices.Contains(verbs, r.Verb) {
			t.Errorf("%s asks for %q, which the table of rights does not know", r.Address(), r.Verb)
		}
	}
}

// Every page is whole: status, form, headers, and nothing that the content policy
// would stop.
func TestEveryPageIsWhole(t *testing.T) {
	for _, filled := range []bool{true, false} {
		n := newNode(t)
		if filled {
			n.tell()
		}
		owner := n.as("owner@beanline.example")
		for _, r := range Routes() {
			path := example(t, r, "beanline")
			if r.Method != http.MethodGet || r.Door == Open || !filled && wildcard.MatchString(strings.Replace(r.Pattern, "{org}", "", 1)) {
				continue
			}
			w := owner.get(path)
			want := http.StatusOK
			switch {
			case r.Pattern == "/{$}":
				want = http.StatusSeeOther
			case strings.HasSuffix(path, "map.yaml") && !filled, strings.Contains(path, "/none/"), strings.HasSuffix(path, "/threats/none"):
				want = http.StatusNotFound
			}
			if w.Code != want {
				t.Errorf("%s (filled %v): %d; want %d\n%s", path, filled, w.Code, want, w.Body)
				continue
			}
			strictHeaders(t, path, w)
			if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				wholePage(t, path, w.Body.String())
			}
		}
		for _, path := range []string{"/sign-in", "/nowhere"} {
			w := n.stranger().get(path)
			strictHeaders(t, path, w)
			wholePage(t, path, w.Body.String())
		}
	}
}

func strictHeaders(t *testing.T, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy":      policyFor(w.Body.String()),
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %s is %q; want %q", path, name, got, want)
		}
	}
}

// ourScript is how a page loads a script of this node.
var ourScript = regexp.MustCompile(`<script type="module" src="/static/[^"]+\.js"></script>`)

// policyFor is the content policy of a page: scripts are let through only where there
// is one.
func policyFor(body string) string {
	if ourScript.MatchString(body) {
		return islandPolicy
	}
	return contentPolicy
}

var inline = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|(src|href|action)="(https?:)?//`)

// wholePage checks that all tags are closed, ids are unique, and fields have labels.
func wholePage(t *testing.T, path, body string) {
	t.Helper()
	outside := regexp.MustCompile(`<a href="https?://[^"]*" rel="noreferrer nofollow external">`)
	if found := inline.FindString(ourScript.ReplaceAllString(outside.ReplaceAllString(body, ""), "")); found != "" {
		t.Errorf("%s holds %q", path, found)
	}
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	ids, labels, fields := map[string]bool{}, map[string]bool{}, []string{}
	headings := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("%s is not well-formed: %v", path, err)
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			if e.Name.Local == "h1" {
				headings++
			}
			for _, a := range e.Attr {
				switch {
				case a.Name.Local == "id" && ids[a.Value]:
					t.Errorf("%s: the id %q stands twice", path, a.Value)
				case a.Name.Local == "id":
					ids[a.Value] = true
				case a.Name.Local == "for":
					labels[a.Value] = true
				}
			}
			if e.Name.Local == "input" || e.Name.Local == "select" {
				fields = append(fields, fieldID(e))
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				t.Errorf("%s: </%s> closes %v", path, e.Name.Local, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s leaves %v open", path, open)
	}
	if headings != 1 {
		t.Errorf("%s has %d main headings", path, headings)
	}
	for _, f := range fields {
		if f != "" && !labels[f] {
			t.Errorf("%s: the field %q has no label", path, f)
		}
	}
}

// fieldID is the id by which a label finds a field; "" for fields without one of
// their own: hidden ones and those inside their label.
func fieldID(e xml.StartElement) string {
	id, hidden := "", false
	for _, a := range e.Attr {
		switch {
		case a.Name.Local == "id":
			id = a.Value
		case a.Name.Local == "type" && (a.Value == "hidden" || a.Value == "checkbox"), a.Name.Local == "hidden":
			hidden = true
		}
	}
	if hidden {
		return ""
	}
	return id
}

func TestPackedPagesAreTheSame(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	plain := owner.get("/o/beanline/processes")
	r := httptest.NewRequest(http.MethodGet, "/o/beanline/processes", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := owner.do(r)
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
		t.Fatalf("not packed: %v", w.Header())
	}
	unpacked, err := gzip.NewReader(w.Body)
	must(t, err)
	body, err := io.ReadAll(unpacked)
	must(t, err)
	if !bytes.Equal(body, plain.Body.Bytes()) {
		t.Error("the packed page is another one")
	}
}
