package identity

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// idp is a small OpenID Connect provider over TLS: discovery, keys, authorisation
// code with PKCE, user info. It signs in whom the test says, and cheats on demand.
type idp struct {
	t      *testing.T
	server *httptest.Server
	key    *rsa.PrivateKey
	now    func() time.Time

	mu     sync.Mutex
	codes  map[string]url.Values // what the code was asked with
	who    map[string]any        // claims of the person who sits before the browser
	info   map[string]any        // user info; nil: none
	cheat  func(claims map[string]any)
	forge  string // "none", "HS256", "other key"
	secret string
	prompt string // the last one asked for
}

const idpClient = "entente-client"

var idpKey, idpOtherKey = sync.OnceValue(newRSA), sync.OnceValue(newRSA)

func newRSA() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func newIDP(t *testing.T, now func() time.Time) *idp {
	p := &idp{t: t, key: idpKey(), now: now, codes: map[string]url.Values{}, secret: "client & secret/+%"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		base := p.server.URL
		reply(w, map[string]any{
			"issuer": base, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token",
			"jwks_uri": base + "/keys", "userinfo_endpoint": base + "/userinfo",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		reply(w, map[string]any{"keys": []map[string]any{{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1",
			"n": b64(p.key.N.Bytes()), "e": b64(big.NewInt(int64(p.key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.info == nil || r.Header.Get("Authorization") != "Bearer access" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		reply(w, p.info)
	})
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (p *idp) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	p.prompt = q.Get("prompt")
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != idpClient || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("nonce") == "" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	if p.who == nil {
		answer.Set("error", "access_denied")
	} else {
		code := newSecret()
		p.codes[code] = q
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if !basic {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	asked, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || id != idpClient || secret != p.secret || b64(challenge[:]) != asked.Get("code_challenge") || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		reply(w, map[string]any{"error": "invalid_grant"})
		return
	}
	said := map[string]any{
		"iss": p.server.URL, "aud": idpClient, "nonce": asked.Get("nonce"),
		"iat": p.now().Unix(), "exp": p.now().Add(5 * time.Minute).Unix(),
	}
	for k, v := range p.who {
		said[k] = v
	}
	if p.cheat != nil {
		p.cheat(said)
	}
	reply(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": p.sign(said)})
}

func (p *idp) sign(said map[string]any) string {
	alg, key := "RS256", p.key
	switch p.forge {
	case "none", "HS256":
		alg = p.forge
	case "other key":
		key = idpOtherKey()
	}
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			p.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(map[string]any{"alg": alg, "kid": "1", "typ": "JWT"}) + "." + part(said)
	switch alg {
	case "none":
		return text + "."
	case "HS256":
		mac := hmac.New(sha256.New, []byte(p.secret))
		mac.Write([]byte(text))
		return text + "." + b64(mac.Sum(nil))
	}
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		p.t.Error(err)
	}
	return text + "." + b64(signature)
}

// visit is the browser on its way to the provider and back.
func (p *idp) visit(address string) SSOAnswer {
	p.t.Helper()
	browser := *p.server.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Get(address)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		p.t.Fatalf("the provider answered %s", resp.Status)
	}
	if back.Host != "entente.example" || back.Path != SSOCallback {
		p.t.Fatalf("sent back to %s", back)
	}
	q := back.Query()
	return SSOAnswer{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error")}
}
