package web

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
)

// send posts one file in a form.
func (v *visitor) send(path, field, name string, content []byte) *httptest.ResponseRecorder {
	v.t.Helper()
	return v.sendWith(path, nil, field, name, content)
}

// sendWith sends a file behind other fields.
func (v *visitor) sendWith(path string, fields url.Values, field, name string, content []byte) *httptest.ResponseRecorder {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range fields {
		for _, value := range values {
			must(v.t, form.WriteField(name, value))
		}
	}
	part, err := form.CreateFormFile(field, name)
	must(v.t, err)
	_, err = part.Write(content)
	must(v.t, err)
	must(v.t, form.Close())
	r := httptest.NewRequest(http.MethodPost, path, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(r)
}

func (v *visitor) mustHold(path string, texts ...string) string {
	v.t.Helper()
	w := v.get(path)
	if w.Code != http.StatusOK {
		v.t.Fatalf("%s: %d\n%s", path, w.Code, w.Body)
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			v.t.Errorf("%s does not say %q", path, text)
		}
	}
	return w.Body.String()
}

func demoFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := fs.ReadFile(catalog.Files(), name)
	must(t, err)
	return content
}

func TestSignIn(t *testing.T) {
	n := newNode(t)
	stranger := n.stranger()
	w := stranger.get("/o/beanline/processes?q=bean&sort=-rto")
	if to := w.Header().Get("Location"); to != "/sign-in?next=%2Fo%2Fbeanline%2Fprocesses%3Fq%3Dbean%26sort%3D-rto" {
		t.Fatalf("a stranger is led to %q", to)
	}
	for _, wrong := range []url.Values{
		{"email": {"owner@beanline.example"}, "password": {"wrong"}},
		{"email": {"nobody@beanline.example"}, "password": {testPassword}},
		{"email": {"no address"}, "password": {testPassword}},
		{},
	} {
		w := stranger.post("/sign-in", wrong)
		if w.Code != http.StatusUnprocessableEntity || len(w.Result().Cookies()) > 0 || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%v: %d, cookies %v", wrong, w.Code, w.Result().Cookies())
		}
		wholePage(t, "/sign-in", w.Body.String())
	}
	right := url.Values{"email": {" Owner@Beanline.example "}, "password": {testPassword}, "next": {"/o/beanline/processes?q=bean"}}
	w = stranger.post("/sign-in", right)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/o/beanline/processes?q=bean" {
		t.Fatalf("signed in: %d to %q", w.Code, w.Header().Get("Location"))
	}
	cookie := w.Result().Cookies()[0]
	if cookie.Name != "entente" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie: %+v", cookie)
	}
	owner := &visitor{node: n, cookie: cookie}
	if w := owner.get("/sign-in"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Errorf("signing in again: %d", w.Code)
	}
	if w := owner.get("/"); w.Header().Get("Location") != "/o/beanline" {
		t.Errorf("the start leads to %q", w.Header().Get("Location"))
	}
	if w := owner.post("/sign-out", nil); w.Code != http.StatusSeeOther || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("signing out: %d %v", w.Code, w.Result().Cookies())
	}
	if w := owner.get("/o/beanline"); w.Code != http.StatusSeeOther {
		t.Errorf("the session lives on after signing out: %d", w.Code)
	}
}

func TestSecondStepOfSigningIn(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	session, err := n.Identity.Session(t.Context(), owner.cookie.Value)
	must(t, err)
	enrolment, err := n.Identity.EnrolTOTP(t.Context(), session)
	must(t, err)
	code, err := totp.GenerateCode(enrolment.Secret, time.Now())
	must(t, err)
	recovery, err := n.Identity.ConfirmTOTP(t.Context(), session, code, identity.Client{})
	must(t, err)
	owner.mustHold("/o/beanline/account", "Code of your authenticator app")

	browser := n.stranger()
	w := browser.post("/sign-in", url.Values{"email": {"owner@beanline.example"}, "password": {testPassword}, "next": {"/o/beanline/map"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in/code?next=%2Fo%2Fbeanline%2Fmap" {
		t.Fatalf("after the password: %d to %q", w.Code, w.Header().Get("Location"))
	}
	browser.cookie = w.Result().Cookies()[0]
	for _, path := range []string{"/", "/o/beanline", "/o/beanline/account"} {
		if w := browser.get(path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in/code" {
			t.Errorf("%s half-way: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	wholePage(t, "code", browser.mustHold("/sign-in/code?next=/o/beanline/map", "Enter the code", `value="/o/beanline/map"`))
	if w := browser.post("/sign-in/code", url.Values{"code": {"000000"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", w.Code)
	}
	w = browser.post("/sign-in/code", url.Values{"code": {recovery[0]}, "next": {"/o/beanline/map"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/o/beanline/map" {
		t.Fatalf("a right code: %d to %q\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	if w := browser.get("/o/beanline"); w.Code != http.StatusSeeOther {
		t.Error("the half-way session lives on")
	}
	browser.cookie = w.Result().Cookies()[0]
	browser.mustHold("/o/beanline/map")
}

func TestSecureCookie(t *testing.T) {
	n := newNode(t)
	c := n.Config
	c.Secure = true
	h, err := New(c)
	must(t, err)
	n.handler = h
	cookie := n.as("owner@beanline.example").cookie
	if cookie.Name != "__Host-entente" || !cookie.Secure || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie: %+v", cookie)
	}
	if w := n.stranger().get("/sign-in"); w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("browsers are not told to stay with TLS")
	}
}

func TestWithinKeepsRedirectsHere(t *testing.T) {
	for next, want := range map[string]string{
		"/o/beanline?x=1": "/o/beanline?x=1", "": "/", "//evil.example": "/", "https://evil.example/": "/", "/\\evil.example": "/",
		"\\/evil.example": "/", "/\t/evil.example": "/", "javascript:alert(1)": "/", "o/beanline": "/", "/%": "/", "/a\r\nSet-Cookie: x": "/", "///evil.example": "/",
	} {
		if got := within(next); got != want {
			t.Errorf("%q leads to %q; want %q", next, got, want)
		}
	}
}

func TestRequestsFromOtherSitesAreRefused(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	for name, header := range map[string][2]string{"fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "origin": {"Origin", "https://evil.example"}} {
		r := httptest.NewRequest(http.MethodPost, "/o/beanline/account/sessions/end-others", nil)
		r.Header.Set(header[0], header[1])
		w := owner.do(r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
		strictHeaders(t, r.URL.Path, w)
	}
}

func TestTwoOrganisations(t *testing.T) {
	n := newNode(t)
	n.found("rosthof", "Rosthof Wholesale")
	owner := n.as("owner@beanline.example")
	if w := owner.get("/o/rosthof"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "Rosthof") {
		t.Errorf("another organisation: %d", w.Code)
	}
	_, err := n.Identity.AddMember(t.Context(), entente.System("rosthof", entente.DoorCommand), memberAs("Owner of Beanline", "owner@beanline.example", entente.RoleAuditor))
	must(t, err)
	owner = n.as("owner@beanline.example")
	body := owner.mustHold("/", `href="/o/beanline"`, `href="/o/rosthof"`, "auditor")
	wholePage(t, "/", body)
	owner.mustHold("/o/rosthof", "Change organisation")
	if body := owner.mustHold("/o/rosthof/map"); strings.Contains(body, "Import a map") {
		t.Error("an auditor is offered what does not work")
	}
}

func TestAccount(t *testing.T) {
	n := newNode(t)
	owner, other := n.as("owner@beanline.example"), n.as("owner@beanline.example")
	body := owner.mustHold("/o/beanline/account", "this one", "End all other sessions")
	end := `action="/o/beanline/account/sessions/`
	if strings.Count(body, end) != 2 { // one to end, and the one for all others
		t.Errorf("%d forms end sessions", strings.Count(body, end))
	}
	if w := owner.post("/o/beanline/account/sessions/none/end", nil); w.Code != http.StatusNotFound {
		t.Errorf("ending no session: %d", w.Code)
	}
	for old, fresh := range map[string]string{"wrong": "another long password", testPassword: "short"} {
		w := owner.post("/o/beanline/account/password", url.Values{"old": {old}, "new": {fresh}})
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "aria-invalid") {
			t.Errorf("%q to %q: %d", old, fresh, w.Code)
		}
		wholePage(t, "password", w.Body.String())
	}
	w := owner.post("/o/beanline/account/password", url.Values{"old": {testPassword}, "new": {"eleven loud grinders at dawn"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("changing the password: %d\n%s", w.Code, w.Body)
	}
	owner.mustHold(w.Header().Get("Location"), "The password was changed")
	if w := other.get("/o/beanline"); w.Code != http.StatusSeeOther {
		t.Errorf("the other session lives on: %d", w.Code)
	}
}

func TestImportOfAMap(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline/processes", "No processes yet", "Import a map")
	for name, bad := range map[string]string{
		"no map":             "hello: world\n",
		"no YAML":            "\x00\x01",
		"unknown references": "format: entente.map/1\norganisation: x\ncurrency: EUR\norganisations:\n  - {id: x, name: X}\nprocesses:\n  - {id: p, name: P, needs: [{any: [nobody]}]}\n",
	} {
		w := owner.send("/o/beanline/map", "map", "bad.yaml", []byte(bad))
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Nothing was changed") {
			t.Errorf("%s: %d\n%s", name, w.Code, w.Body)
		}
		wholePage(t, name, w.Body.String())
	}
	if w := owner.post("/o/beanline/map", nil); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", w.Code)
	}
	if w := owner.send("/o/beanline/map", "map", "", nil); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an empty choice: %d", w.Code)
	}
	if w := owner.send("/o/beanline/map", "map", "huge.yaml", bytes.Repeat([]byte("# beans\n"), 5<<20)); w.Code != http.StatusRequestEntityTooLarge && w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a huge file: %d", w.Code)
	}
	demo := demoFile(t, "beanline.yaml")
	for i, done := range []string{"imported", "same"} {
		w := owner.send("/o/beanline/map", "map", "beanline.yaml", demo)
		if w.Code != http.StatusSeeOther || !strings.HasSuffix(w.Header().Get("Location"), "done="+done) {
			t.Fatalf("import %d: %d to %q\n%s", i+1, w.Code, w.Header().Get("Location"), w.Body)
		}
		owner.mustHold(w.Header().Get("Location"), `role="status"`)
	}
	w := owner.get("/o/beanline/map.yaml")
	m, err := chain.ParseMap(w.Body, "map.yaml")
	must(t, err)
	if len(m.Processes) != len(demoMap(t).Processes) || w.Header().Get("Content-Disposition") == "" {
		t.Errorf("the map comes back with %d processes", len(m.Processes))
	}
}

func TestRecordingAnSBOM(t *testing.T) {
	n := newNode(t)
	_, err := n.Chain.Import(t.Context(), entente.System("beanline", entente.DoorCommand), demoMap(t))
	must(t, err)
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline/products/dropwizard", "no document", "Record an SBOM")
	to := "/o/beanline/products/dropwizard/documents"
	for _, bad := range []string{"", "hello", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"name":`, "<bom>"} {
		w := owner.send(to, "sbom", "bad.json", []byte(bad))
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "nothing was changed") {
			t.Errorf("%q: %d\n%s", bad, w.Code, w.Body)
		}
	}
	if w := owner.send("/o/beanline/products/nothing/documents", "sbom", "x.json", []byte("{}")); w.Code != http.StatusNotFound {
		t.Errorf("a product that is not there: %d", w.Code)
	}
	content := demoFile(t, "sboms/dropwizard-1.3.15.cdx.json")
	w := owner.send(to, "sbom", "dropwizard.json", content)
	if w.Code != http.StatusSeeOther || !strings.HasSuffix(w.Header().Get("Location"), "done=recorded") {
		t.Fatalf("recording: %d to %q\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	owner.mustHold(w.Header().Get("Location"), "dropwizard.json", "The document was recorded", "current")
	w = owner.send(to, "sbom", "again.json", content)
	if !strings.HasSuffix(w.Header().Get("Location"), "done=known") {
		t.Errorf("again: %d to %q", w.Code, w.Header().Get("Location"))
	}
	owner.mustHold("/o/beanline/products/dropwizard", "assessable", "dropwizard.json")
	owner.mustHold("/o/beanline/components?q=dropwizard", "dropwizard-core")
	owner.mustHold("/o/beanline/documents/1?sort=-name&type=maven", "maven")
}

// A document without package URLs is never shown as safe.
func TestNotAssessableIsSaid(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	silent := `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"libfoo","version":"1"},{"type":"library","name":"libbar"}]}`
	w := owner.send("/o/beanline/products/dropwizard/documents", "sbom", "silent.json", []byte(silent))
	owner.mustHold(w.Header().Get("Location"), "Not assessable: none of its 2 components has a package URL", "not the same as safe")
	owner.mustHold("/o/beanline/products?state=not-assessable", "Dropwizard", "not assessable")
}

func TestErrorsArePages(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	for _, c := range []struct {
		method, path string
		code         int
		says         string
	}{
		{"GET", "/nowhere", 404, "no page"},
		{"GET", "/o/beanline/nowhere", 404, `aria-label="Entente"`}, // inside the frame
		{"GET", "/o/nobody/processes", 404, "no page"},
		{"GET", "/o/beanline/processes/nothing", 404, "no process"},
		{"GET", "/o/beanline/documents/one", 404, "no document"},
		{"GET", "/o/beanline/documents/999", 404, "document"},
		{"GET", "/o/beanline/components/999999", 404, ""},
		{"DELETE", "/o/beanline/concentration", 405, "another kind of request"},
		{"POST", "/o/beanline/concentration", 405, "another kind of request"},
		{"GET", "/o/beanline/account/password", 405, "another kind of request"},
	} {
		w := owner.do(httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d, want %d with %q\n%s", c.method, c.path, w.Code, c.code, c.says, w.Body)
		}
		strictHeaders(t, c.path, w)
		wholePage(t, c.path, w.Body.String())
	}
}

// A fault of the program shows a number and nothing else; the log has the cause
// under that number.
func TestFaultsAreNumbered(t *testing.T) {
	n := newNode(t)
	var log bytes.Buffer
	n.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := &server{Config: n.Config, mux: http.NewServeMux()}
	s.Address = func(*http.Request) string { return "192.0.2.1" }
	languages, err := lang.Shipped()
	must(t, err)
	s.Languages = languages
	for name, run := range map[string]func(*visit) error{
		"error": func(*visit) error { return errors.New("secret of the database") },
		"panic": func(*visit) error { panic("secret of the database") },
	} {
		log.Reset()
		w := httptest.NewRecorder()
		s.recovering(s.visitor(Route{Method: "GET", Pattern: "/x", Door: Open, limits: pageLimits, run: run})).ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		body := w.Body.String()
		_, number, _ := strings.Cut(body, `<code translate="no">`)
		number, _, _ = strings.Cut(number, "</code>")
		if w.Code != http.StatusInternalServerError || strings.Contains(body, "secret") || len(number) != 10 {
			t.Errorf("%s: %d, number %q\n%s", name, w.Code, number, body)
		}
		if !strings.Contains(log.String(), number) || !strings.Contains(log.String(), "secret of the database") {
			t.Errorf("%s: the log says %q", name, log.String())
		}
	}
	log.Reset()
	w := httptest.NewRecorder()
	slow := Route{Method: "GET", Pattern: "/x", Door: Open, limits: pageLimits, run: func(*visit) error { return context.DeadlineExceeded }}
	s.visitor(slow)(w, httptest.NewRequest("GET", "/x", nil))
	if w.Code != http.StatusServiceUnavailable || log.Len() > 0 {
		t.Errorf("too slow: %d, log %q", w.Code, log.String())
	}
}

func TestWhatIf(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	body := owner.mustHold("/o/beanline/what-if?down=nordhost&horizon=3d",
		"What if Nordhost Cloud is down?", "Bean procurement stops after 24 h", "Network operations", `<svg viewBox="0 0 1000 20"`, "Whom to call", "Machine maintenance")
	wholePage(t, "what-if", body)
	body = owner.mustHold("/o/beanline/what-if?down=nordhost&down=helplane&down=nordhost&down=unknown", "Nordhost Cloud and Helplane are down", "Machine maintenance")
	if strings.Count(body, `type="checkbox"`) != 2 {
		t.Error("not two things are chosen")
	}
	for add, want := range map[string]string{
		"Nordhost Cloud": "/o/beanline/what-if?down=helplane&down=nordhost", "nordhost": "/o/beanline/what-if?down=helplane&down=nordhost",
		"helplane": "/o/beanline/what-if?down=helplane",
	} {
		w := owner.get("/o/beanline/what-if?down=helplane&add=" + url.QueryEscape(add))
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("adding %q: %d to %q; want %q", add, w.Code, w.Header().Get("Location"), want)
		}
	}
	owner.mustHold("/o/beanline/what-if?add=beans", "Which one?")
	owner.mustHold("/o/beanline/what-if?add=unobtainium", "Nothing in the map is called like that", `aria-invalid="true"`)
	owner.mustHold("/o/beanline/what-if?down=offices", "no process stops")
}

func TestChainPagesSayWhy(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline/processes/bean-procurement", "Order from the wholesale sellers", "Kabelhafen Data Centre", "Rank 3", "What can stop it alone", "stops after 24 h: it needs")
	owner.mustHold("/o/beanline/suppliers/nordhost", "rank 2", "Network operations", "Kabelhafen Data Centre", "What stops if it stops")
	owner.mustHold("/o/beanline/concentration", "Hidden ones", "Nordhost Cloud", "Cloud hosting", "10,000")
	owner.mustHold("/o/beanline/systems?kind=service", "Transport booking")
	owner.mustHold("/o/beanline/suppliers?rank=3", "Kabelhafen", "2 suppliers, out of 15")
	owner.mustHold("/o/beanline/journal?about=chain", "Chain imported")
	owner.mustHold("/o/beanline/journal/verify", "Verify now")
}
