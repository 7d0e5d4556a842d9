package web

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
)

// provider is a small OpenID Connect provider over TLS, before which one person sits.
type provider struct {
	*httptest.Server
	key   *rsa.PrivateKey
	now   func() time.Time
	email string // "": the person says no
	asked url.Values
}

func newProvider(t *testing.T, now func() time.Time) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	p := &provider{key: key, now: now}
	b64 := base64.RawURLEncoding.EncodeToString
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		must(t, json.NewEncoder(w).Encode(v))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		p.asked = r.URL.Query()
		back := url.Values{"state": {p.asked.Get("state")}, "code": {"code"}}
		if p.email == "" {
			back = url.Values{"state": {p.asked.Get("state")}, "error": {"access_denied"}}
		}
		http.Redirect(w, r, p.asked.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		now := p.now()
		claims, err := json.Marshal(map[string]any{
			"iss": p.URL, "aud": "entente", "sub": p.email, "email": p.email, "email_verified": true, "name": "From the provider",
			"nonce": p.asked.Get("nonce"), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "auth_time": now.Unix(),
		})
		must(t, err)
		text := b64([]byte(`{"alg":"RS256","kid":"1","typ":"JWT"}`)) + "." + b64(claims)
		digest := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		must(t, err)
		answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": text + "." + b64(signature)})
	})
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	return p
}

// through follows the browser to the provider and back, and gives the path at the node.
func (p *provider) through(t *testing.T, address string) string {
	t.Helper()
	browser := *p.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w, err := browser.Get(address)
	must(t, err)
	defer w.Body.Close()
	back, err := w.Location()
	must(t, err)
	return back.RequestURI()
}

// withCookies is a browser that keeps the cookies of an answer.
func (v *visitor) withCookies(path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return v.do(r)
}

func TestSingleSignOn(t *testing.T) {
	n := newNode(t)
	later := time.Duration(0)
	now := func() time.Time { return time.Now().Add(later) }
	p := newProvider(t, now)
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	must(t, err)
	n.Config.Identity, err = identity.New(t.Context(), n.DB, identity.Config{
		Key: key, Origin: "http://localhost:8080", Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), SSOClient: p.Client(), Now: now,
	})
	must(t, err)
	n.handler, err = New(n.Config)
	must(t, err)
	owner := n.as("owner@beanline.example")
	n.join(entente.RoleAuditor)
	const settings = "/o/beanline/organisation/single-sign-on"
	owner.mustHold("/o/beanline/organisation", settings)
	owner.mustHold(settings, "http://localhost:8080/sign-in/sso/callback")
	form := url.Values{"label": {"Beanline account"}, "issuer": {p.URL}, "client": {"entente"}, "secret": {"a secret"}}
	for field, text := range map[string]string{"label": "is missing", "issuer": "is not an https address", "client": "client ID is missing", "secret": "client secret is missing"} {
		wrong := url.Values{}
		for k, v := range form {
			wrong[k] = v
		}
		wrong.Del(field)
		w := owner.post(settings, wrong)
		mustAnswer(t, w, http.StatusUnprocessableEntity, text)
		if strings.Contains(w.Body.String(), "a secret") {
			t.Error("the secret is shown")
		}
	}
	mustLead(t, owner.post(settings, form), settings+"?done=sso")
	if body := owner.mustHold(settings, "It is set up", p.URL, "the one that is kept stays"); strings.Contains(body, "a secret") {
		t.Error("the secret is shown")
	}
	form.Del("secret")
	mustLead(t, owner.post(settings, form), settings+"?done=sso")

	// The button stands where the sign-in leads into the organisation.
	stranger := n.stranger()
	stranger.mustHold("/sign-in?next=/nowhere", "your organisation&#39;s account")
	body := stranger.mustHold("/sign-in?next=/o/beanline/people", "Sign in with Beanline account")
	begin := html.UnescapeString(regexp.MustCompile(`href="(/sign-in/sso[^"]+)"`).FindStringSubmatch(body)[1])
	mustAnswer(t, stranger.get("/sign-in/sso"), http.StatusOK, "Identifier of your organisation")
	mustAnswer(t, stranger.get("/sign-in/sso?org=nowhere"), http.StatusNotFound, "no single sign-on")

	w := stranger.get(begin)
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), p.URL+"/authorize?") {
		t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	binding := w.Result().Cookies()[0]
	if !binding.HttpOnly || binding.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie: %+v", binding)
	}
	w = stranger.withCookies(p.through(t, w.Header().Get("Location")), binding)
	mustAnswer(t, w, http.StatusUnprocessableEntity, `role="alert"`, "Sign in") // the person said no

	p.email = "auditor@beanline.example"
	w = stranger.get(begin)
	mustAnswer(t, stranger.get(p.through(t, w.Header().Get("Location"))), http.StatusUnprocessableEntity, "another browser")
	w = stranger.get(begin)
	w = stranger.withCookies(p.through(t, w.Header().Get("Location")), w.Result().Cookies()[0])
	mustLead(t, w, "/o/beanline/people")
	auditor := n.stranger()
	for _, c := range w.Result().Cookies() {
		if c.Name == "entente" {
			auditor.cookie = c
		}
	}
	auditor.mustHold("/o/beanline/people")
	mustAnswer(t, auditor.get(settings), http.StatusForbidden)

	// The provider opened the session, so it can prove it again.
	later = 11 * time.Minute
	long := url.Values{"name": {strings.Repeat("x", mostKept)}, "days": {"30"}}
	w = auditor.post("/o/beanline/tokens", long)
	mustAnswer(t, w, http.StatusForbidden, "send it again", "fresh=yes")
	if len(w.Result().Cookies()) != 0 {
		t.Errorf("a form that is too long is kept: %v", w.Result().Cookies())
	}
	w = auditor.post("/o/beanline/tokens", url.Values{"name": {"CI & more"}, "days": {"30"}, "verb": {"chain.read", "inventory.read"}})
	mustAnswer(t, w, http.StatusForbidden, "Confirm with your organisation", "fresh=yes", "What you typed is kept")
	typed := w.Result().Cookies()[0]
	if typed.Name != "entente-kept" || !typed.HttpOnly || typed.SameSite != http.SameSiteLaxMode || typed.MaxAge != 600 || len(typed.Value) > 4000 {
		t.Errorf("the cookie: %+v", typed)
	}
	w = auditor.get(html.UnescapeString(regexp.MustCompile(`href="(/sign-in/sso[^"]+)"`).FindStringSubmatch(w.Body.String())[1]))
	if w.Code != http.StatusSeeOther {
		t.Fatalf("the fresh proof: %d %s", w.Code, w.Body)
	}
	w = auditor.withCookies(p.through(t, w.Header().Get("Location")), w.Result().Cookies()[0])
	const goOn = "/o/beanline/account/prove/go-on"
	if p.asked.Get("prompt") != "login" || w.Code != http.StatusSeeOther || w.Header().Get("Location") != goOn {
		t.Errorf("the provider was asked with %v: %d to %q", p.asked, w.Code, w.Header().Get("Location"))
	}
	for _, c := range w.Result().Cookies() {
		if c.Name == "entente" {
			auditor.cookie = c
		}
	}

	// What was typed before waits, for this person and a while only, and is sent on.
	body = auditor.withCookies(goOn, typed).Body.String()
	wholePage(t, goOn, body)
	sent := url.Values{}
	for _, field := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		sent.Add(field[1], html.UnescapeString(field[2]))
	}
	if !strings.Contains(body, `action="/o/beanline/tokens"`) || len(sent["verb"]) != 2 {
		t.Fatalf("what was typed: %v\n%s", sent, body)
	}
	mustAnswer(t, auditor.post("/o/beanline/tokens", sent), http.StatusCreated, "The token CI &amp; more is made")
	auditor.mustHold(goOn, "Nothing waits to be sent")
	mustAnswer(t, owner.withCookies(goOn, typed), http.StatusOK, "Nothing waits to be sent")
	later += identity.KeptFor
	mustAnswer(t, auditor.withCookies(goOn, typed), http.StatusOK, "Nothing waits to be sent")
	later = 0
	mustLead(t, owner.post(settings+"/remove", nil), settings+"?done=sso-removed")
	mustAnswer(t, owner.post(settings+"/remove", nil), http.StatusNotFound)
	if w := auditor.get("/o/beanline/people"); w.Code != http.StatusSeeOther {
		t.Errorf("the provider's session lives on: %d", w.Code)
	}
}
