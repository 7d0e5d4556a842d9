package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// script sends what the script of a page sends.
func (v *visitor) script(path, body string) *httptest.ResponseRecorder {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(r)
}

func replyIn(t *testing.T, w *httptest.ResponseRecorder, code int) map[string]any {
	t.Helper()
	var reply map[string]any
	if w.Code != code || w.Header().Get("Content-Type") != "application/json" || json.Unmarshal(w.Body.Bytes(), &reply) != nil {
		t.Fatalf("%d instead of %d: %s", w.Code, code, w.Body)
	}
	return reply
}

func TestPasskeyCeremonies(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	link := secretIn(t, owner.post("/o/beanline/invitations", url.Values{"email": {"ada@beanline.example"}, "role": {"auditor"}, "days": {"3"}}))
	u, err := url.Parse(link)
	must(t, err)
	key := u.Query().Get("key")
	for _, c := range []struct {
		who        *visitor
		path, body string
		creates    bool
	}{
		{n.stranger(), "/sign-in/passkey", `{"next":"/o/beanline"}`, false},
		{n.stranger(), "/invitation/passkey", `{"key":"` + key + `","full-name":"Ada"}`, true},
		{owner, "/o/beanline/account/prove/passkey", `{}`, false},
		{owner, "/o/beanline/account/passkeys", `{"name":"Phone"}`, true},
	} {
		begun := replyIn(t, c.who.script(c.path+"/begin", c.body), http.StatusOK)
		options, _ := begun["options"].(map[string]any)["publicKey"].(map[string]any)
		if begun["id"] == "" || options["challenge"] == "" || (options["user"] != nil) != c.creates {
			t.Errorf("%s begins with %v", c.path, begun)
		}
		for answer, code := range map[string]int{
			`{"id":"unknown","answer":{}}`: http.StatusConflict,
			`{"id":5}`:                     http.StatusUnprocessableEntity,
			`{`:                            http.StatusUnprocessableEntity,
			`{"id":"` + begun["id"].(string) + `","key":"` + key + `","answer":{"id":"x"}}`: http.StatusUnprocessableEntity,
		} {
			w := c.who.script(c.path+"/finish", answer)
			if reply := replyIn(t, w, code); reply["error"] == nil || len(w.Result().Cookies()) > 0 {
				t.Errorf("%s %s: %v", c.path, answer, reply)
			}
			strictHeaders(t, c.path, w)
		}
		r := httptest.NewRequest(http.MethodPost, c.path+"/begin", strings.NewReader(c.body))
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if w := c.who.do(r); w.Code != http.StatusForbidden {
			t.Errorf("%s from another site: %d", c.path, w.Code)
		}
	}
	replyIn(t, n.stranger().script("/invitation/passkey/begin", `{"key":"`+key+`"}`), http.StatusUnprocessableEntity)
	replyIn(t, n.stranger().script("/invitation/passkey/begin", `{"key":"x"}`), http.StatusNotFound)

	n.pass(11 * time.Minute)
	reply := replyIn(t, owner.script("/o/beanline/account/passkeys/begin", `{"name":"My phone"}`), http.StatusForbidden)
	if reply["prove"] != "/o/beanline/account/prove?next=%2Fo%2Fbeanline%2Faccount%2Fsecurity%3Fpasskey%3DMy%2Bphone" {
		t.Errorf("the script is led to %v", reply["prove"])
	}
	owner.mustHold("/o/beanline/account/security?passkey=My+phone", `value="My phone"`)
	mustAnswer(t, owner.post("/o/beanline/account/passkeys/none/name", url.Values{"name": {"x"}}), http.StatusNotFound, "no such passkey")
	mustAnswer(t, owner.post("/o/beanline/account/password/remove", url.Values{proofPassword: {testPassword}}), http.StatusConflict, "add a passkey first")
}

// Scripts are let through only where there is one, and where it can work.
func TestPagesWithAScript(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	for path, want := range map[string]bool{"/o/beanline/account/security": true, "/o/beanline/people": true, "/": false, "/nowhere": false} {
		w := n.stranger().get(path)
		if want {
			w = owner.get(path)
		}
		strictHeaders(t, path, w)
		if got := w.Header().Get("Content-Security-Policy") == islandPolicy; got != want {
			t.Errorf("%s carries a script: %v", path, got)
		}
	}
	w := n.stranger().get("/sign-in?next=/o/beanline")
	mustAnswer(t, w, http.StatusOK, "Sign in with a passkey", "<noscript>", `data-begin="/sign-in/passkey/begin"`, `name="next" value="/o/beanline"`)
	script := ourScript.FindString(w.Body.String())
	asset := n.stranger().get(strings.TrimSuffix(strings.TrimPrefix(script, `<script type="module" src="`), `"></script>`))
	if asset.Code != http.StatusOK || asset.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(asset.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("the script: %d %v", asset.Code, asset.Header())
	}
	for host, want := range map[string]string{"127.0.0.1:8080": "http://localhost:8080/sign-in?next=/x", "[::1]": "http://localhost/sign-in?next=/x", "localhost:8080": "", "10.0.0.1": ""} {
		r := httptest.NewRequest(http.MethodGet, "/sign-in?next=/x", nil)
		r.Host = host
		w := n.stranger().do(r)
		strictHeaders(t, host, w)
		if strings.Contains(w.Body.String(), "Open this page at localhost") != (want != "") || want != "" && !strings.Contains(w.Body.String(), `href="`+want+`"`) {
			t.Errorf("at %s: %s", host, w.Body)
		}
	}
}
