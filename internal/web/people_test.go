package web

import (
	"bytes"
	"html"
	"io"
	"log/slog"
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

// pass lets time go by for the people of the node, who keep their sessions.
func (n *node) pass(d time.Duration) {
	n.t.Helper()
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	must(n.t, err)
	n.Config.Identity, err = identity.New(n.t.Context(), n.DB, identity.Config{
		Key: key, Origin: "http://localhost:8080", Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return time.Now().Add(d) },
	})
	must(n.t, err)
	n.handler, err = New(n.Config)
	must(n.t, err)
}

func (n *node) join(role entente.Role, scope ...string) *visitor {
	n.t.Helper()
	email := string(role) + "@beanline.example"
	m := memberAs("A "+string(roleTexts[role]), email, role)
	m.Scope = scope
	_, err := n.Identity.AddMember(n.t.Context(), entente.System("beanline", entente.DoorCommand), m)
	must(n.t, err)
	return n.as(email)
}

var onceShown = regexp.MustCompile(`(?s)<textarea[^>]* readonly[^>]*>([^<]+)</textarea>`)

// secretIn is the secret that a page shows this once.
func secretIn(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	found := onceShown.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusCreated || found == nil {
		t.Fatalf("no secret: %d\n%s", w.Code, w.Body)
	}
	return html.UnescapeString(found[1])
}

func mustAnswer(t *testing.T, w *httptest.ResponseRecorder, code int, texts ...string) {
	t.Helper()
	if w.Code != code {
		t.Fatalf("%d instead of %d to %q\n%s", w.Code, code, w.Header().Get("Location"), w.Body)
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("the answer does not say %q\n%s", text, w.Body)
		}
	}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		wholePage(t, "the answer", w.Body.String())
	}
}

func mustLead(t *testing.T, w *httptest.ResponseRecorder, to string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
		t.Fatalf("%d to %q instead of to %q\n%s", w.Code, w.Header().Get("Location"), to, w.Body)
	}
}

func TestInviteANewColleague(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	form := url.Values{"email": {"ada@beanline.example"}, "name": {"Ada"}, "role": {"business-owner"}, "scope": {"bean-procurement"}, "days": {"3"}}
	for name, wrong := range map[string]url.Values{
		"Nobody was invited: choose for how many days": {"email": {"ada@beanline.example"}, "role": {"auditor"}},
		"is not an e-mail address":                     {"email": {"ada"}, "role": {"auditor"}, "days": {"3"}},
		"is unknown":                                   {"email": {"ada@beanline.example"}, "role": {"king"}, "days": {"3"}},
		"a contact is a guest":                         {"email": {"ada@beanline.example"}, "role": {"contact"}, "days": {"3"}},
		"there is no process":                          {"email": {"ada@beanline.example"}, "role": {"business-owner"}, "scope": {"nothing"}, "days": {"3"}},
		"lives between":                                {"email": {"ada@beanline.example"}, "role": {"auditor"}, "days": {"99"}},
	} {
		mustAnswer(t, owner.post("/o/beanline/invitations", wrong), http.StatusUnprocessableEntity, name, `value="`+wrong.Get("email")+`"`)
	}
	w := owner.post("/o/beanline/invitations", form)
	link := secretIn(t, w)
	if !strings.HasPrefix(link, "http://example.com/invitation?key=inv_beanline_") {
		t.Fatalf("the link is %q", link)
	}
	path := strings.TrimPrefix(link, "http://example.com")
	if body := owner.mustHold("/o/beanline/invitations", "ada@beanline.example", "Bean procurement", "Withdraw"); strings.Contains(body, path) {
		t.Error("the link is shown a second time")
	}
	u, err := url.Parse(path)
	must(t, err)
	key := u.Query().Get("key")

	ada := n.stranger()
	ada.mustHold(path, "Join Beanline", "business owner", `name="password"`, `value="Ada"`)
	mustAnswer(t, ada.post("/invitation", url.Values{"key": {key}, "name": {"Ada"}, "password": {"short"}}), http.StatusUnprocessableEntity, "characters", `value="Ada"`)
	mustAnswer(t, ada.get("/invitation?key=inv_beanline_0000000000_nothing"), http.StatusNotFound, "belongs to no invitation")
	mustAnswer(t, owner.get(path), http.StatusOK, "You are signed in as owner@beanline.example")
	w = ada.post("/invitation", url.Values{"key": {key}, "name": {"Ada"}, "password": {testPassword}})
	mustLead(t, w, "/")
	ada.cookie = w.Result().Cookies()[0]
	ada.mustHold("/o/beanline/people", "Ada", "Business owner", "Bean procurement")
	mustAnswer(t, ada.get(path), http.StatusConflict, "was accepted")
	owner.mustHold("/o/beanline/invitations", "accepted")
}

func TestInviteSomebodyWithAnAccount(t *testing.T) {
	n := newNode(t)
	n.found("rosthof", "Rosthof Wholesale")
	owner := n.as("owner@beanline.example")
	invite := func() string {
		link := secretIn(t, owner.post("/o/beanline/invitations", url.Values{"email": {"owner@rosthof.example"}, "role": {"auditor"}, "days": {"1"}}))
		return strings.TrimPrefix(link, "http://example.com")
	}
	first := invite()
	mustAnswer(t, owner.get("/o/beanline/invitations"), http.StatusOK, "/withdraw")
	action := regexp.MustCompile(`/o/beanline/invitations/[^"]+/withdraw`).FindString(owner.get("/o/beanline/invitations").Body.String())
	mustLead(t, owner.post(action, nil), "/o/beanline/invitations?done=withdrawn")
	mustAnswer(t, n.stranger().get(first), http.StatusConflict, "withdrawn")

	path := invite()
	body := n.stranger().mustHold(path, "has an account here already")
	to := html.UnescapeString(regexp.MustCompile(`href="(/sign-in[^"]+)"`).FindStringSubmatch(body)[1])
	if u, err := url.Parse(to); err != nil || u.Query().Get("next") != path {
		t.Fatalf("signing in leads on to %q", to)
	}
	u, err := url.Parse(path)
	must(t, err)
	key := url.Values{"key": {u.Query().Get("key")}, "name": {"Thief"}, "password": {testPassword}}
	mustAnswer(t, n.stranger().post("/invitation", key), http.StatusConflict, "sign in")
	mustAnswer(t, owner.post("/invitation", key), http.StatusForbidden, "invitation was made to owner@rosthof.example")
	guest := n.as("owner@rosthof.example")
	guest.mustHold(path, "Join Beanline")
	mustLead(t, guest.post("/invitation", key), "/o/beanline/account?done=joined")
	guest.mustHold("/o/beanline/people", "Auditor")
}

func TestRolesAndRemoval(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	analyst := n.join(entente.RoleAnalyst)
	session, err := n.Identity.Session(t.Context(), analyst.cookie.Value)
	must(t, err)
	path := "/o/beanline/people/" + string(session.Person.ID)
	owner.mustHold(path, "A analyst", "Change the role", "Remove A analyst")
	mustAnswer(t, owner.post(path+"/role", url.Values{"role": {"business-owner"}, "scope": {"no-process"}}), http.StatusUnprocessableEntity, "there is no process")
	mustLead(t, owner.post(path+"/role", url.Values{"role": {"business-owner"}, "scope": {"bean-procurement"}}), path+"?done=role")
	owner.mustHold(path+"?done=role", "The role was changed", "Bean procurement", `value="bean-procurement" checked`)
	mustLead(t, owner.post(path+"/role", url.Values{"role": {"auditor"}, "scope": {"bean-procurement"}}), path+"?done=role")
	if body := analyst.mustHold(path); strings.Contains(body, `<form class="form`) || strings.Contains(body, "Remove from") {
		t.Error("an auditor is offered what does not work")
	}
	for _, page := range []string{"/o/beanline/people", "/o/beanline/organisation"} {
		if body := analyst.mustHold(page); strings.Contains(body, "Change the role") || strings.Contains(body, "Rename") || strings.Contains(body, "Invite") {
			t.Errorf("%s offers an auditor what does not work", page)
		}
	}
	self := examples["/o/{org}/people/{id}"]
	mustAnswer(t, owner.post("/o/beanline/people/"+self+"/role", url.Values{"role": {"analyst"}}), http.StatusConflict, "last owner")
	mustAnswer(t, owner.post("/o/beanline/people/"+self+"/remove", nil), http.StatusConflict, "last owner")
	mustLead(t, owner.post(path+"/remove", nil), "/o/beanline/people?done=removed")
	mustAnswer(t, owner.get(path), http.StatusNotFound)
	mustAnswer(t, analyst.get("/o/beanline/people"), http.StatusNotFound)
	if !n.journalHolds("member.removed", "Owner of Beanline") {
		t.Error("the removal is not in the journal")
	}
}

func TestTokens(t *testing.T) {
	n := newNode(t)
	analyst, owner := n.join(entente.RoleAnalyst), n.as("owner@beanline.example")
	mustAnswer(t, analyst.post("/o/beanline/tokens", url.Values{"name": {"CI"}, "days": {"30"}}), http.StatusUnprocessableEntity, "could do nothing", `value="CI"`)
	mustAnswer(t, analyst.post("/o/beanline/tokens", url.Values{"name": {"CI"}, "days": {"30"}, "verb": {"journal.read"}}), http.StatusUnprocessableEntity, "cannot be made for")
	mustAnswer(t, analyst.post("/o/beanline/tokens", url.Values{"name": {"CI"}, "days": {"900"}, "verb": {"chain.read"}}), http.StatusUnprocessableEntity, "lives between", `value="chain.read" checked`)
	secret := secretIn(t, analyst.post("/o/beanline/tokens", url.Values{"name": {"CI"}, "days": {"30"}, "verb": {"chain.read", "inventory.upload"}}))
	actor, err := n.Identity.AuthenticateToken(t.Context(), secret)
	must(t, err)
	if strings.Join(actor.Verbs, " ") != "chain.read inventory.upload" {
		t.Errorf("the token may %v", actor.Verbs)
	}
	if body := analyst.mustHold("/o/beanline/tokens", "CI", "Record SBOMs", "Revoke"); strings.Contains(body, secret) {
		t.Error("the token is shown a second time")
	}
	body := owner.mustHold("/o/beanline/tokens", "CI", "of A analyst", "every member")
	revoke := regexp.MustCompile(`/o/beanline/tokens/[^"]+/revoke`).FindString(body)
	mustLead(t, owner.post(revoke, nil), "/o/beanline/tokens?done=revoked")
	if _, err := n.Identity.AuthenticateToken(t.Context(), secret); entente.KindOf(err) != entente.KindDenied {
		t.Errorf("the revoked token: %v", err)
	}
	mustAnswer(t, owner.post(revoke, nil), http.StatusNotFound)
	for _, v := range identity.Verbs() {
		if identity.TokenVerbs(entente.Actor{Role: entente.RoleOwner}) != nil && wordsOfVerbs[v] == "" && !strings.HasPrefix(string(v), "token.") && v != identity.AccountSelf {
			t.Errorf("%s has no words", v)
		}
	}
}

func TestRenameOrganisation(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	mustAnswer(t, owner.post("/o/beanline/organisation/name", url.Values{"name": {" "}}), http.StatusUnprocessableEntity, "is missing")
	mustLead(t, owner.post("/o/beanline/organisation/name", url.Values{"name": {"Beanline Coffee"}}), "/o/beanline/organisation?done=renamed")
	owner.mustHold("/o/beanline/organisation?done=renamed", "Beanline Coffee", "has its new name")
}

// A sensitive act without a fresh proof asks for it, loses nothing that was typed, and
// goes on.
func TestSensitiveActsAskForAFreshProof(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	n.pass(11 * time.Minute)
	owner.mustHold("/o/beanline/invitations", "Make the link") // looking is not sensitive
	form := url.Values{"email": {"ada@beanline.example"}, "role": {"auditor"}, "days": {"7"}, "scope": {"a", "b"}}
	w := owner.post("/o/beanline/invitations", form)
	mustAnswer(t, w, http.StatusForbidden, "Confirm that it is you", `action="/o/beanline/invitations"`, `name="email" value="ada@beanline.example"`, `name="scope" value="b"`)
	if n.journalHolds("invitation.made", "Owner of Beanline") {
		t.Fatal("the act was done without the proof")
	}
	form.Set(proofPassword, "wrong")
	w = owner.post("/o/beanline/invitations", form)
	mustAnswer(t, w, http.StatusUnprocessableEntity, `role="alert"`, `name="scope" value="a"`)
	if strings.Contains(w.Body.String(), "wrong\"") {
		t.Error("the wrong password is shown")
	}
	form.Set(proofPassword, testPassword)
	secretIn(t, owner.post("/o/beanline/invitations", form))
	form.Del(proofPassword)
	secretIn(t, owner.post("/o/beanline/invitations", form)) // fresh now

	// An upload cannot be carried along: the proof leads back to its page.
	n.pass(30 * time.Minute)
	r := httptest.NewRequest(http.MethodPost, "/o/beanline/organisation/name", strings.NewReader("x"))
	r.Header.Set("Content-Type", "text/plain")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Referer", "http://example.com/o/beanline/organisation")
	mustAnswer(t, owner.do(r), http.StatusForbidden, `action="/o/beanline/account/prove"`, `name="next" value="/o/beanline/organisation"`)
	mustAnswer(t, owner.get("/o/beanline/account/prove?next=//evil.example"), http.StatusOK, `name="next" value="/"`)
	mustLead(t, owner.post("/o/beanline/account/prove", url.Values{"next": {"/o/beanline/organisation"}, proofPassword: {testPassword}}), "/o/beanline/organisation")

	// Who may not do it at all is told so, and not asked for a password.
	auditor := n.join(entente.RoleAuditor)
	n.pass(60 * time.Minute)
	mustAnswer(t, auditor.post("/o/beanline/invitations", form), http.StatusForbidden, "does not allow")
}
