package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

var carriedField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// carriedIn gives the hidden fields of a page's form.
func carriedIn(body string) url.Values {
	form := url.Values{}
	for _, found := range carriedField.FindAllStringSubmatch(body, -1) {
		form.Add(found[1], html.UnescapeString(found[2]))
	}
	return form
}

func TestAuthenticatorApp(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline/account", `href="/o/beanline/account/security"`)
	owner.mustHold("/o/beanline/account/security", "Add an authenticator app")
	n.pass(11 * time.Minute)
	w := owner.post("/o/beanline/account/app", nil)
	mustAnswer(t, w, http.StatusForbidden, "Confirm that it is you", `action="/o/beanline/account/app"`)
	w = owner.post("/o/beanline/account/app", url.Values{proofPassword: {testPassword}})
	mustAnswer(t, w, http.StatusOK, `<svg class="qr"`, `<path class="module" d="M0 0h7v1h-7z`, "otpauth://totp/Entente:owner@beanline.example", "Open in an app")
	form := carriedIn(w.Body.String())
	secret := form.Get("secret")
	if !strings.Contains(w.Body.String(), secret[:4]+" "+secret[4:8]+" ") {
		t.Error("the secret cannot be typed")
	}
	form.Set("code", "000000")
	w = owner.post("/o/beanline/account/app/confirm", form)
	mustAnswer(t, w, http.StatusUnprocessableEntity, `<svg class="qr"`, "The code does not fit", `value="`+secret+`"`)
	mustAnswer(t, owner.post("/o/beanline/account/app/confirm", url.Values{"code": {"000000"}, "secret": {"x"}, "url": {"javascript:alert(1)"}}), http.StatusUnprocessableEntity, "No authenticator app was added")
	code, err := totp.GenerateCode(secret, time.Now().Add(11*time.Minute))
	must(t, err)
	form.Set("code", code)
	w = owner.post("/o/beanline/account/app/confirm", form)
	mustAnswer(t, w, http.StatusCreated, "Recovery codes", "owner@beanline.example")
	codes := regexp.MustCompile(`<li>([a-zA-Z0-9-]{8,})</li>`).FindAllStringSubmatch(w.Body.String(), -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes\n%s", len(codes), w.Body)
	}
	owner.mustHold("/o/beanline/account/security", "10 recovery codes are left", "Remove the app")

	// Signing in now takes the second step, which a recovery code takes once.
	browser := n.stranger()
	signIn := url.Values{"email": {"owner@beanline.example"}, "password": {testPassword}}
	w = browser.post("/sign-in", signIn)
	mustLead(t, w, "/sign-in/code?next=%2F")
	browser.cookie = w.Result().Cookies()[0]
	mustLead(t, browser.post("/sign-in/code", url.Values{"code": {codes[0][1]}}), "/")
	browser = n.stranger()
	browser.cookie = browser.post("/sign-in", signIn).Result().Cookies()[0]
	mustAnswer(t, browser.post("/sign-in/code", url.Values{"code": {codes[0][1]}}), http.StatusUnprocessableEntity, `role="alert"`)
	owner.mustHold("/o/beanline/account/security", "9 recovery codes are left")

	// Fresh proofs ask for the code, too, and a recovery code is one.
	n.pass(25 * time.Minute)
	mustAnswer(t, owner.post("/o/beanline/account/recovery", nil), http.StatusForbidden, `name="`+proofCode+`"`)
	mustAnswer(t, owner.post("/o/beanline/account/recovery", url.Values{proofPassword: {testPassword}}), http.StatusUnprocessableEntity, `role="alert"`)
	w = owner.post("/o/beanline/account/recovery", url.Values{proofPassword: {testPassword}, proofCode: {codes[1][1]}})
	mustAnswer(t, w, http.StatusCreated, "do not work any more")
	if strings.Contains(w.Body.String(), codes[2][1]) {
		t.Error("an old code is among the new ones")
	}
	mustLead(t, owner.post("/o/beanline/account/app/remove", nil), "/o/beanline/account/security?done=app-removed")
	mustAnswer(t, owner.post("/o/beanline/account/app/remove", nil), http.StatusNotFound, "Nothing was removed")
	mustAnswer(t, owner.post("/o/beanline/account/recovery", nil), http.StatusNotFound, "add one first")
}
