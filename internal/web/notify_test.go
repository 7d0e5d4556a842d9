package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/notify"
)

// A webhook is registered, told something, seen in the log, delivered again, given a
// new secret, paused and removed; an auditor sees all of it and no button.
func TestWebhookPages(t *testing.T) {
	n := newNode(t)
	_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), memberAs("Aude", "aude@beanline.example", entente.RoleAuditor))
	must(t, err)
	heard := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		heard++
		if heard == 1 {
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer receiver.Close()
	owner, auditor := n.as("owner@beanline.example"), n.as("aude@beanline.example")
	follow := func() {
		runner := journal.NewRunner(n.DB, n.Log, n.Notify.Consumers(), n.Notify.Jobs())
		must(t, runner.CatchUp(t.Context(), "beanline"))
	}

	owner.mustHold("/o/beanline/webhooks", "Nobody is told yet", "Register a webhook")
	owner.mustHold("/o/beanline/new-webhook", "An advisory hits a product")
	for _, wrong := range []url.Values{{}, {"name": {"Desk"}, "url": {"nonsense"}, "kind": {"chain.imported"}}, {"name": {"Desk"}, "url": {receiver.URL}, "kind": {"no.such"}}} {
		w := owner.post("/o/beanline/webhooks", wrong)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%v: %d", wrong, w.Code)
		}
		wholePage(t, "new-webhook", w.Body.String())
	}
	w := owner.post("/o/beanline/webhooks", url.Values{"name": {"Desk"}, "url": {receiver.URL}, "kind": {"organisation.renamed"}})
	if w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), "whsec_") {
		t.Fatalf("registered: %d %s", w.Code, w.Body)
	}
	wholePage(t, "registered", w.Body.String())
	at := regexp.MustCompile(`/o/beanline/webhooks/[a-z0-9]{10}`).FindString(w.Body.String())
	if body := owner.mustHold(at, "Desk", "The organisation was renamed"); strings.Contains(body, "whsec_") {
		t.Error("the secret is shown again")
	}
	must(t, n.Identity.RenameOrganisation(t.Context(), entente.System("beanline", entente.DoorCommand), "Beanline Ltd"))
	follow()
	owner.mustHold(at, "The webhook was stopped", "410", "Let it go on")
	if w := owner.post(at+"/test", nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "let it go on first") {
		t.Errorf("a test of a stopped webhook: %d", w.Code)
	}
	if w := owner.post(at+"/resume", nil); w.Code != http.StatusSeeOther {
		t.Errorf("resume: %d", w.Code)
	}
	log := owner.mustHold("/o/beanline/webhook-log?state=failed", "given up", "410", "1 delivery")
	again := regexp.MustCompile(`/o/beanline/webhook-log/msg_[0-9a-f]+/replay`).FindString(log)
	if w := owner.post(again, nil); w.Code != http.StatusSeeOther {
		t.Fatalf("again at %q: %d", again, w.Code)
	}
	follow()
	owner.mustHold("/o/beanline/webhook-log?state=delivered", "1 delivery", "200")
	if w := owner.get("/o/beanline/webhook-log?format=csv"); w.Code != 200 || !strings.Contains(w.Body.String(), "The organisation was renamed") {
		t.Errorf("the log as a file: %d %s", w.Code, w.Body)
	}
	if w := owner.post(at+"/replay", url.Values{"since": {"2020-01-01"}}); w.Header().Get("Location") != at+"?done=webhook-nothing" {
		t.Errorf("nothing to deliver again: %d to %s", w.Code, w.Header().Get("Location"))
	}
	if w := owner.post(at+"/replay", url.Values{"since": {"soon"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("since soon: %d", w.Code)
	}
	if w := owner.post(at+"/secret", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "whsec_") {
		t.Errorf("a new secret: %d", w.Code)
	}
	owner.mustHold(at, "Secret before counts until")
	if w := owner.post(at, url.Values{"name": {"Other desk"}, "url": {receiver.URL}, "kind": {"sbom.recorded"}}); w.Code != http.StatusSeeOther {
		t.Errorf("changed: %d %s", w.Code, w.Body)
	}
	owner.mustHold(at, "Other desk", "An SBOM was recorded")

	for _, path := range []string{"/o/beanline/webhooks", at, "/o/beanline/webhook-log"} {
		if body := auditor.mustHold(path); strings.Contains(body, `method="post" action="/o/beanline/webhook`) || strings.Contains(body, "new-webhook") {
			t.Errorf("%s shows an auditor what does not work", path)
		}
	}
	if w := owner.post(at+"/pause", nil); w.Code != http.StatusSeeOther {
		t.Errorf("pause: %d", w.Code)
	}
	if w := owner.post(at+"/remove", nil); w.Code != http.StatusSeeOther {
		t.Errorf("remove: %d", w.Code)
	}
	if w := owner.get(at); w.Code != http.StatusNotFound {
		t.Errorf("a webhook that was removed: %d", w.Code)
	}
}

// Mail to somebody whom the node knows is in their language, whoever makes it.
func TestMailIsInTheLanguageOfWhomItIsFor(t *testing.T) {
	n := newNode(t)
	server, err := notify.NewMailServer("smtp://127.0.0.1:1", "entente@beanline.example")
	must(t, err)
	n.Notify = notify.New(n.DB, n.Identity, notify.Config{Key: n.key, Origin: "http://localhost:8080", Mail: server, Log: n.Log})
	n.handler, err = New(n.Config)
	must(t, err)
	n.found("rosthof", "Rosthof")
	mustLead(t, n.as("owner@rosthof.example").post("/o/rosthof/account/preferences", url.Values{"language": {"en-XA"}, "zone": {"Asia/Tokyo"}}), "/o/rosthof/account/preferences?done=preferences")
	owner := n.as("owner@beanline.example")
	for _, email := range []string{"owner@rosthof.example", "stranger@rosthof.example"} {
		mustAnswer(t, owner.post("/o/beanline/invitations", url.Values{"email": {email}, "role": {"auditor"}, "days": {"7"}, "mail": {"yes"}}), http.StatusCreated, email)
	}
	mustAnswer(t, n.stranger().post("/sign-in/forgotten", url.Values{"email": {"owner@rosthof.example"}}), http.StatusOK)
	for email, says := range map[string][]string{
		"owner@rosthof.example":    {"Åñ íñvíţåţíöñ", "JST"},
		"stranger@rosthof.example": {"An invitation to Beanline", "UTC"},
	} {
		for _, want := range says {
			if letters := n.mailTo("beanline", email); !strings.Contains(letters, want) {
				t.Errorf("to %s, without %q: %s", email, want, letters)
			}
		}
	}
	if letters := n.mailTo("rosthof", "owner@rosthof.example"); letters == "" || strings.Contains(letters, "Somebody, hopefully you") {
		t.Errorf("the link for a new password: %q", letters)
	}
}

// mailTo gives the mail to somebody that waits to be sent.
func (n *node) mailTo(org entente.OrgID, email string) (letters string) {
	n.t.Helper()
	must(n.t, n.DB.Read(n.t.Context(), func(tx *db.Tx) error {
		bodies, err := db.All(n.t.Context(), tx, db.Value[string], "SELECT body FROM journal_job WHERE org = $1 AND kind = 'notify.mail'", org)
		for _, body := range bodies {
			var waiting struct{ Sealed []byte }
			var m notify.Mail
			must(n.t, json.Unmarshal([]byte(body), &waiting))
			text, err := n.key.Open(waiting.Sealed, "mail "+string(org))
			must(n.t, err)
			must(n.t, json.Unmarshal(text, &m))
			if m.To == email {
				letters += m.Subject + "\n" + m.Text
			}
		}
		return err
	}))
	return letters
}

// Where a node can send mail, invitations may go by it, and a password can be set anew
// by a link. Where it cannot, neither is offered.
func TestPagesThatMail(t *testing.T) {
	n := newNode(t)
	stranger, owner := n.stranger(), n.as("owner@beanline.example")
	for _, path := range []string{"/sign-in/forgotten", "/new-password?key=x"} {
		if w := stranger.get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s without mail: %d", path, w.Code)
		}
	}
	if strings.Contains(stranger.mustHold("/sign-in"), "Forgotten") || strings.Contains(owner.mustHold("/o/beanline/invitations"), "by mail as well") {
		t.Error("mail is offered where there is none")
	}
	server, err := notify.NewMailServer("smtp://127.0.0.1:1", "entente@beanline.example")
	must(t, err)
	key := n.key
	n.Notify = notify.New(n.DB, n.Identity, notify.Config{Key: key, Origin: "http://localhost:8080", Mail: server, Log: n.Log})
	n.handler, err = New(n.Config)
	must(t, err)

	wholePage(t, "forgotten", stranger.mustHold("/sign-in/forgotten", "Send the link"))
	stranger.mustHold("/sign-in", "Forgotten your password?")
	known := stranger.post("/sign-in/forgotten", url.Values{"email": {"owner@beanline.example"}})
	unknown := stranger.post("/sign-in/forgotten", url.Values{"email": {"nobody@beanline.example"}})
	if known.Code != 200 || strings.ReplaceAll(known.Body.String(), "owner@", "nobody@") != unknown.Body.String() {
		t.Errorf("the answer tells who has an account: %d %d", known.Code, unknown.Code)
	}
	w := owner.post("/o/beanline/invitations", url.Values{"email": {"new@beanline.example"}, "role": {"analyst"}, "days": {"7"}, "mail": {"yes"}})
	if w.Code != http.StatusCreated || !strings.Contains(w.Body.String(), "on its way by mail") || !strings.Contains(w.Body.String(), "/invitation?key=") {
		t.Errorf("invited by mail: %d", w.Code)
	}
	made, err := n.Identity.BeginReset(t.Context(), "owner@beanline.example", identity.Client{})
	must(t, err)
	wholePage(t, "reset", stranger.mustHold("/new-password?key="+made.Secret, "Set a new password"))
	if w := stranger.post("/new-password", url.Values{"key": {made.Secret}, "password": {"short"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a short password: %d", w.Code)
	}
	const next = "eleven slow beans in spring"
	if w := stranger.post("/new-password", url.Values{"key": {made.Secret}, "password": {next}}); w.Code != http.StatusSeeOther {
		t.Fatalf("a new password: %d %s", w.Code, w.Body)
	}
	if w := stranger.post("/new-password", url.Values{"key": {made.Secret}, "password": {next + "!"}}); w.Code != http.StatusNotFound {
		t.Errorf("the link works twice: %d", w.Code)
	}
	if w := owner.get("/o/beanline"); w.Code != http.StatusSeeOther {
		t.Errorf("the session lives on: %d", w.Code)
	}
	if w := stranger.post("/sign-in", url.Values{"email": {"owner@beanline.example"}, "password": {next}}); w.Code != http.StatusSeeOther {
		t.Errorf("the new password: %d", w.Code)
	}
	if until := time.Until(made.Until); until <= 0 || until > identity.ResetLife {
		t.Errorf("the link works for %s", until)
	}
}
