package web

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
)

// tellConcerns lets Arabista and Beanline worry about each other, and fills in the
// examples of the inbox.
func (n *node) tellConcerns() {
	n.t.Helper()
	for from, to := range map[entente.OrgID]entente.OrgID{"arabista": "beanline", "beanline": "arabista"} {
		self, err := n.Exchange.Self(n.t.Context(), entente.System(to, entente.DoorCommand))
		must(n.t, err)
		_, lines, err := n.Exchange.Say(n.t.Context(), entente.System(from, entente.DoorCommand), exchange.NewStatement{
			Kind: entente.EntryConcern, Title: "Who holds the keys?", To: []entente.PartyID{self.Party()}, Marking: entente.Marking{TLP: entente.TLPAmber},
			Body: json.RawMessage(`{"title":"Who holds the keys?","text":"Tell us.","answer_by":"2026-01-02T00:00:00Z"}`),
		})
		must(n.t, err)
		if from == "beanline" {
			examples["/o/{org}/concerns/{id}"] = exchange.EntryRef{Party: self.Party(), Number: lines[0].Number}.String()
			continue
		}
		ours, err := n.Exchange.Self(n.t.Context(), entente.System(from, entente.DoorCommand))
		must(n.t, err)
		id := exchange.EntryRef{Party: ours.Party(), Number: lines[0].Number}.String()
		for _, act := range []string{"", "/acknowledge", "/pass-on"} {
			examples["/o/{org}/inbox/{id}"+act] = id
		}
	}
	examples["/o/{org}/inbox/{id}/file"] = "none"
	n.exchange("arabista", "beanline")
}

// two gives the owners of two organisations that are partners; the second supplies the
// first.
func (n *node) two() (buyer, supplier *visitor, party entente.PartyID) {
	n.t.Helper()
	party = n.partnerOf("rosthof", "Rosthof")
	return n.as("owner@beanline.example"), n.as("owner@rosthof.example"), party
}

// previewed sends the form of a kind to its preview, with some fields changed.
func (v *visitor) previewed(org, query string, change url.Values) string {
	v.t.Helper()
	at := "/o/" + org + "/say"
	form := fieldsOf(v.t.(*testing.T), v.mustHold(at+"?"+query, "Look at who gets it"), at+"/preview")
	for k, values := range change {
		form[k] = values
	}
	w := v.post(at+"/preview", form)
	if w.Code != http.StatusOK {
		v.t.Fatalf("the preview: %d %s", w.Code, w.Body)
	}
	wholePage(v.t.(*testing.T), query, w.Body.String())
	return w.Body.String()
}

// sent sends what a preview shows.
func (v *visitor) sent(org, preview string) {
	v.t.Helper()
	at := "/o/" + org + "/say"
	w := v.post(at, fieldsOf(v.t.(*testing.T), preview, at))
	if w.Code != http.StatusSeeOther {
		v.t.Fatalf("sent: %d %s", w.Code, w.Body)
	}
}

var entryLink = regexp.MustCompile(`/o/[a-z]+/inbox/ent1[a-z0-9]+\.[0-9]+`)

// A person writes, sees who gets it and why, and sends; the other side reads it in its
// inbox and acknowledges it.
func TestSayingSomething(t *testing.T) {
	n := newNode(t)
	owner, rosthof, party := n.two()
	n.partnerOf("aside", "Aside")
	owner.mustHold("/o/beanline/inbox", "No partner has said anything yet", "Say something yourself")
	for _, s := range sayings {
		wholePage(t, string(s.kind), owner.mustHold("/o/beanline/say?kind="+string(s.kind), html.EscapeString(string(s.head)), "TLP:AMBER+STRICT", "for nobody else"))
	}
	owner.mustHold("/o/beanline/say", "Tell a concern", "Share good practice")

	body := owner.previewed("beanline", "kind=practice", url.Values{"title": {"Backups"}, "text": {"Restore one every month."}, "who": {sayChosen}, "to": {string(party)}, "label": {"TLP:AMBER"}, "purpose": {"to learn"}})
	mustSay(t, body, "It is addressed to them.", "You did not choose them.", "Restore one every month.", "to learn", "It is for the organisation that gets it, and for those of its customers")
	w := owner.post("/o/beanline/say/edit", fieldsOf(t, body, "/o/beanline/say"))
	mustAnswer(t, w, http.StatusOK, "Restore one every month.", "Backups")
	owner.sent("beanline", body)
	n.exchange("beanline", "rosthof", "aside")
	if !n.journalHolds(exchange.EventSaid, "Owner of Beanline") {
		t.Error("the journal does not know that it was said")
	}
	if body := n.as("owner@aside.example").mustHold("/o/aside/inbox"); strings.Contains(body, "Backups") {
		t.Error("who was not chosen has it")
	}
	rosthof.mustHold("/o/rosthof", "Inbox (1)")
	list := rosthof.mustHold("/o/rosthof/inbox", "Backups", "unread", "TLP:AMBER", "1 is unread.")
	at := entryLink.FindString(list)
	page := rosthof.mustHold(at, "Restore one every month.", "to learn", "go on to those of your customers", "Acknowledge", "read", "up to entry 1")
	wholePage(t, at, page)
	rosthof.mustHold("/o/rosthof/inbox?state=read", "Backups")
	rosthof.mustHold("/o/rosthof/inbox?state=unread", "Nothing matches")
	rosthof.mustHold("/o/rosthof/inbox?q=backups&label=TLP%3AAMBER&kind=practice&sort=title", "Backups")
	if w := rosthof.get("/o/rosthof/inbox?format=csv"); !strings.Contains(w.Body.String(), "Backups") || !strings.Contains(w.Body.String(), "TLP:AMBER") {
		t.Errorf("the inbox as a file: %s", w.Body)
	}
	if w := rosthof.post(at+"/acknowledge", nil); w.Header().Get("Location") != at+"?done=acknowledged" {
		t.Errorf("acknowledged: %d %s", w.Code, w.Body)
	}
	rosthof.mustHold(at+"?done=acknowledged", "The partner is told", "acknowledged")
	n.exchange("rosthof", "beanline")
	statements, err := n.Exchange.Statements(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	_, lines, err := n.Exchange.Statement(t.Context(), entente.System("beanline", entente.DoorCommand), statements[0].ID)
	must(t, err)
	for _, l := range lines {
		if (l.Party == party) == l.Answered.IsZero() {
			t.Errorf("the ledger: %+v", l)
		}
	}
	must(t, n.Exchange.Recall(t.Context(), entente.System("beanline", entente.DoorCommand), statements[0].ID, "It was the wrong text."))
	n.exchange("beanline", "rosthof")
	if body := rosthof.mustHold(at, "taken back", "It was the wrong text."); strings.Contains(body, "Restore one") || strings.Contains(body, "/acknowledge") {
		t.Error("what was taken back is still there")
	}
}

func mustSay(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, html.EscapeString(text)) && !strings.Contains(body, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// What is typed wrongly is said, and nothing is sent.
func TestSayingWrongly(t *testing.T) {
	n := newNode(t)
	owner, _, party := n.two()
	good := url.Values{"kind": {"practice"}, "title": {"Backups"}, "text": {"Restore."}, "who": {sayChosen}, "to": {string(party)}, "label": {"TLP:AMBER"}}
	for name, change := range map[string]url.Values{
		"no title": {"title": {" "}}, "no text": {"text": {""}}, "no label": {"label": {"TLP:PINK"}}, "nobody": {"to": nil}, "an odd day": {"expires": {"tomorrow"}}, "a day that is over": {"embargo": {"2020-01-01"}},
		"red for nobody by name": {"label": {"TLP:RED"}}, "an odd PAP": {"pap": {"PAP:PINK"}},
		"an advisory without a file": {"kind": {"advisory"}}, "an advisory that is none": {"kind": {"advisory"}, "record": {`{"a":1}`}}, "an advisory that is not known": {"kind": {"advisory"}, "advisory": {"CVE-1"}},
		"an SBOM without a file": {"kind": {"sbom"}, "product": {"Roaster"}}, "an SBOM whose file is not here": {"kind": {"sbom"}, "product": {"Roaster"}, "file-size": {"3"}, "file-hash": {strings.Repeat("ab", 32)}},
		"a note without points": {"kind": {"note"}, "date": {"2026-01-01"}}, "a concern about all": {"kind": {"concern"}, "who": {sayEveryone}, "to": nil}, "an answer to nothing": {"kind": {"answer"}, "about": {"x"}},
		"a threat without a file": {"kind": {"threat"}}, "a kind that is none": {"kind": {"gossip"}},
	} {
		form := url.Values{}
		for _, from := range []url.Values{good, change} {
			for k, values := range from {
				form[k] = values
			}
		}
		for _, step := range []string{"/o/beanline/say/preview", "/o/beanline/say"} {
			if name == "an SBOM whose file is not here" && step != "/o/beanline/say" {
				continue
			}
			w := owner.post(step, form)
			if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusNotFound {
				t.Errorf("%s at %s: %d", name, step, w.Code)
			}
		}
	}
	statements, err := n.Exchange.Statements(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	if len(statements) > 0 {
		t.Errorf("said all the same: %+v", statements)
	}
}

// What was found in the content goes only if a person lets it go, with the reason.
func TestFindingsBeforeSending(t *testing.T) {
	n := newNode(t)
	owner, _, _ := n.two()
	body := owner.previewed("beanline", "kind=practice", url.Values{"title": {"Backups"}, "text": {"Ask rosa@rosthof.example, password: hunter2hunter2."}, "label": {"TLP:GREEN"}})
	mustSay(t, body, "Look at this before it goes", "Data about a person", "rosa@rosthof.example", "A secret that opens something")
	form := fieldsOf(t, body, "/o/beanline/say")
	w := owner.post("/o/beanline/say", form)
	mustAnswer(t, w, http.StatusUnprocessableEntity, "Decide about")
	for _, m := range regexp.MustCompile(`name="(let-go-[0-9]+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
		form.Set(strings.Replace(m[1], "let-go", "reason", 1), "they agreed")
	}
	other := url.Values{}
	for k, values := range form {
		other[k] = values
	}
	other.Set("text", "Ask somebody.else@rosthof.example.")
	if w := owner.post("/o/beanline/say", other); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("what was decided about another text: %d", w.Code)
	}
	if w := owner.post("/o/beanline/say", form); w.Code != http.StatusSeeOther {
		t.Fatalf("decided: %d %s", w.Code, w.Body)
	}
	statements, err := n.Exchange.Statements(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	if len(statements) != 1 || len(statements[0].Decided) < 2 || statements[0].Decided[0].Reason != "they agreed" || statements[0].By != "Owner of Beanline" {
		t.Errorf("kept: %+v", statements)
	}
}

// TLP:RED is shown to the people it names, on pages and to nobody else.
func TestRedOnPages(t *testing.T) {
	n := newNode(t)
	owner, rosthof, _ := n.two()
	lead := n.joins("rosthof", entente.RoleSecurityLead)
	self, err := n.Exchange.Self(t.Context(), entente.System("rosthof", entente.DoorCommand))
	must(t, err)
	body := owner.previewed("beanline", "kind=note&to="+string(self.Party()), url.Values{
		"title": {"A break-in"}, "points": {"the gate stays shut"}, "label": {"TLP:RED"}, "named": {"security-lead"},
	})
	mustSay(t, body, "It is addressed to people there by name.", "security-lead")
	owner.sent("beanline", body)
	n.exchange("beanline", "rosthof")
	list := rosthof.mustHold("/o/rosthof/inbox", "For named people", "TLP:RED", "Nothing is unread")
	if strings.Contains(list, "break-in") {
		t.Error("the list names what is for others")
	}
	at := entryLink.FindString(list)
	if page := rosthof.mustHold(at, "TLP:RED is only for the people it names"); strings.Contains(page, "gate stays") || strings.Contains(page, "break-in") {
		t.Error("the page shows what is for others")
	}
	if w := rosthof.post(at+"/acknowledge", nil); w.Code != http.StatusForbidden {
		t.Errorf("acknowledged by somebody else: %d", w.Code)
	}
	if w := rosthof.get(at + "/pass-on"); w.Code != http.StatusForbidden {
		t.Errorf("passed on by somebody else: %d", w.Code)
	}
	if body := lead.mustHold("/o/rosthof/inbox", "A break-in", "1 is unread."); !strings.Contains(body, at) {
		t.Error("another entry")
	}
	if page := lead.mustHold(at, "the gate stays shut", "nobody else, also not in their own organisation"); strings.Contains(page, "/pass-on") {
		t.Error("TLP:RED offers to be passed on")
	}
	if body := rosthof.mustHold(at); strings.Contains(body, "gate stays") {
		t.Error("after the right person has read it")
	}
}

// selfOf is the name of an organisation among all nodes.
func (n *node) selfOf(org entente.OrgID) entente.PartyID {
	n.t.Helper()
	self, err := n.Exchange.Self(n.t.Context(), entente.System(org, entente.DoorCommand))
	must(n.t, err)
	return self.Party()
}

// joins makes somebody a member of an organisation, and signs them in.
func (n *node) joins(org entente.OrgID, role entente.Role) *visitor {
	n.t.Helper()
	email := string(role) + "@" + string(org) + ".example"
	_, err := n.Identity.AddMember(n.t.Context(), entente.System(org, entente.DoorCommand), memberAs("A "+string(role), email, role))
	must(n.t, err)
	return n.as(email)
}

// A concern has a date that both see, and is answered; while it is not, Home of both
// sides says so.
func TestConcernsOnPages(t *testing.T) {
	n := newNode(t)
	owner, rosthof, party := n.two()
	due := time.Now().AddDate(0, 0, 5).UTC().Format(time.DateOnly)
	owner.mustHold("/o/beanline/say?kind=concern&to="+string(party), `value="`+due+`"`)
	body := owner.previewed("beanline", "kind=concern&to="+string(party), url.Values{"title": {"Who holds the keys?"}, "text": {"Tell us."}, "to": {string(party)}})
	owner.sent("beanline", body)
	n.exchange("beanline", "rosthof")
	rosthof.mustHold("/o/rosthof", "1 concern of a partner waits for your answer", "1 entry of a partner is unread")
	at := entryLink.FindString(rosthof.mustHold("/o/rosthof/inbox?state=open", "Who holds the keys?"))
	rosthof.mustHold("/o/rosthof/concerns", "Beanline asks you", "not answered")
	ours := regexp.MustCompile(`/o/beanline/concerns/ent1[a-z0-9]+\.[0-9]+`).FindString(owner.mustHold("/o/beanline/concerns", "You ask Rosthof", "not answered"))
	for _, org := range []string{"beanline", "rosthof"} {
		must(t, n.DB.Write(t.Context(), entente.OrgID(org), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE exchange_entry SET due_at = 1000 WHERE org = $1 AND kind = 'concern'", org)
			return err
		}))
	}
	rosthof.mustHold("/o/rosthof", "The time to answer 1 concern of a partner is over")
	owner.mustHold("/o/beanline", "A partner has not answered 1 concern of yours in time")
	owner.mustHold("/o/beanline/concerns?state=overdue", "Who holds the keys?", "overdue")

	page := rosthof.mustHold(at, "Tell us.", "Answer")
	answer := regexp.MustCompile(`/o/rosthof/say\?kind=answer[^"]*`).FindString(page)
	_, query, _ := strings.Cut(html.UnescapeString(answer), "?")
	body = rosthof.previewed("rosthof", query, url.Values{"text": {"Two people, in a safe."}})
	mustSay(t, body, "Two people, in a safe.", "It is addressed to them.")
	rosthof.sent("rosthof", body)
	n.exchange("rosthof", "beanline")
	wholePage(t, at, rosthof.mustHold(at, "What both sides said", "Two people, in a safe.", "You"))
	wholePage(t, ours, owner.mustHold(ours, "Two people, in a safe.", "answered", "Tell us."))
	if body := owner.mustHold("/o/beanline"); strings.Contains(body, "in time") {
		t.Error("what was answered still waits")
	}
	owner.mustHold("/o/beanline/inbox", "Answer", "Who holds the keys?")
}

// What is received is passed on by the rules of its label, and the page says so.
func TestPassingOnPages(t *testing.T) {
	n := newNode(t)
	owner, rosthof, _ := n.two()
	n.found("kafenio", "Kafenio")
	// Beanline supplies Kafenio, and Rosthof supplies Beanline.
	us, them := entente.System("beanline", entente.DoorCommand), entente.System("kafenio", entente.DoorCommand)
	ticket, _, err := n.Exchange.Invite(t.Context(), us, exchange.NewInvitation{Name: "Kafenio", Terms: exchange.StandardTerms(false, true, time.Now())})
	must(t, err)
	_, err = n.Exchange.Accept(t.Context(), them, ticket.Link(), nil, "")
	must(t, err)
	self, err := n.Exchange.Self(t.Context(), them)
	must(t, err)
	for _, label := range []string{"TLP:AMBER", "TLP:AMBER+STRICT"} {
		rosthof.sent("rosthof", rosthof.previewed("rosthof", "kind=practice", url.Values{"title": {"Backups"}, "text": {"Restore one " + label}, "label": {label}}))
		n.exchange("rosthof", "beanline")
	}
	links := entryLink.FindAllString(owner.mustHold("/o/beanline/inbox?label=TLP%3AAMBER"), -1)
	at := links[0]
	strict := entryLink.FindString(owner.mustHold("/o/beanline/inbox?label=TLP%3AAMBER%2BSTRICT"))
	if page := owner.mustHold(strict, "It stays in your organisation"); strings.Contains(page, "/pass-on") {
		t.Error("TLP:AMBER+STRICT offers to be passed on")
	}
	owner.mustHold(strict+"/pass-on", "None of your partners may have it from you", "It is addressed to others.")
	owner.mustHold(at, "Pass it on")
	body := owner.mustHold(at+"/pass-on", "Kafenio: a customer, if you decide that they need to know it", "You have it from them.", "Why they need to know it")
	wholePage(t, at+"/pass-on", body)
	form := fieldsOf(t, body, at+"/pass-on")
	mustAnswer(t, owner.post(at+"/pass-on", form), http.StatusUnprocessableEntity, "Choose to whom")
	form.Set("to", string(self.Party()))
	mustAnswer(t, owner.post(at+"/pass-on", form), http.StatusUnprocessableEntity, "Say why they need to know it")
	form.Set("why", "it is in what we deliver")
	if w := owner.post(at+"/pass-on", form); w.Code != http.StatusSeeOther || !strings.HasSuffix(w.Header().Get("Location"), "?done=passed-on") {
		t.Fatalf("passed on: %d %s", w.Code, w.Body)
	}
	n.exchange("beanline", "kafenio")
	kafenio := n.as("owner@kafenio.example")
	got := entryLink.FindString(kafenio.mustHold("/o/kafenio/inbox", "Backups", "Beanline"))
	kafenio.mustHold(got, "Said first by", "Restore one TLP:AMBER", "TLP:AMBER")
	owner.mustHold(at+"/pass-on", "They have it from you already.")
}

// An advisory goes from its page, and what a partner told is passed on instead; an SBOM
// of our own product goes with the very file that is recorded.
func TestSharingFromPages(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	page := owner.mustHold("/o/beanline/advisories/GHSA-jfh8-c2jp-5v3q", "Share this advisory with partners")
	link := regexp.MustCompile(`/o/beanline/say\?[^"]*`).FindString(page)
	_, query, _ := strings.Cut(html.UnescapeString(link), "?")
	body := owner.previewed("beanline", query, nil)
	mustSay(t, body, "GHSA-jfh8-c2jp-5v3q", "Affected versions", "Arabista Growers")
	owner.sent("beanline", body)
	n.exchange("beanline", "arabista")
	n.as("owner@arabista.example").mustHold("/o/arabista/inbox?kind=advisory", "GHSA-jfh8-c2jp-5v3q")
	if got := exchange.PartyOfSource("Rosthof (" + string(n.selfOf("arabista")) + ")"); got != n.selfOf("arabista") {
		t.Error("the source of a partner is not known as one")
	}
	if got := exchange.PartyOfSource("all.zip (ent1)"); got != "" {
		t.Errorf("%q is no partner", got)
	}

	// A file goes with its bytes, and is read at the other side.
	sbom := `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0"}]}`
	arabista := n.as("owner@arabista.example")
	w := arabista.sendWith("/o/arabista/say/preview", url.Values{"kind": {"sbom"}, "product": {"Green beans"}, "label": {"TLP:AMBER"}, "who": {sayEveryone}}, "file", "beans.cdx.json", []byte(sbom))
	mustAnswer(t, w, http.StatusOK, "Green beans", "beans.cdx.json", "Beanline")
	arabista.sent("arabista", w.Body.String())
	n.exchange("arabista", "beanline", "arabista", "beanline")
	at := entryLink.FindString(owner.mustHold("/o/beanline/inbox?kind=sbom", "Green beans"))
	file := regexp.MustCompile(at + `/file\?sha256=[0-9a-f]{64}`).FindString(owner.mustHold(at, "beans.cdx.json"))
	if w := owner.get(file); w.Code != http.StatusOK || w.Body.String() != sbom || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("the file: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := owner.get(at + "/file?sha256=" + strings.Repeat("0", 64)); w.Code != http.StatusNotFound {
		t.Errorf("another file: %d", w.Code)
	}
}

// A threat is checked as STIX, also for what is marked inside; an advisory may come
// from a file.
func TestSharingFiles(t *testing.T) {
	n := newNode(t)
	owner, rosthof, _ := n.two()
	bundle := `{"type":"bundle","id":"bundle--4e0f6a3e-5a0b-4c1e-9a53-6d1f3c1a2b3c","objects":[{"type":"campaign","spec_version":"2.1","id":"campaign--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-01-02T03:04:05.000Z","modified":"2026-01-02T03:04:05.000Z","name":"Cold brew","description":"They write to buyers."%s}]}`
	fields := url.Values{"kind": {"threat"}, "label": {"TLP:GREEN"}, "who": {sayEveryone}}
	send := func(text string) *httptest.ResponseRecorder {
		return owner.sendWith("/o/beanline/say/preview", fields, "file", "threat.json", []byte(text))
	}
	mustAnswer(t, send(`{"hello":1}`), http.StatusUnprocessableEntity, `role="alert"`)
	mustAnswer(t, send(`not JSON`), http.StatusUnprocessableEntity, "no JSON")
	mustAnswer(t, send(fmt.Sprintf(bundle, `,"object_marking_refs":["`+entente.TLPAmber.STIX()+`"]`)), http.StatusUnprocessableEntity, "What is marked inside is TLP:AMBER")
	w := send(fmt.Sprintf(bundle, ""))
	mustAnswer(t, w, http.StatusOK, "Cold brew", "campaign", "They write to buyers.")
	owner.sent("beanline", w.Body.String())

	record := `{"schema_version":"1.6.0","id":"BEAN-1","modified":"2026-01-02T00:00:00Z","summary":"The roaster starts by itself","affected":[{"package":{"ecosystem":"npm","name":"roaster"},"versions":["1.0.0"]}]}`
	fields = url.Values{"kind": {"advisory"}, "label": {"TLP:GREEN"}, "who": {sayEveryone}}
	w = send(record)
	mustAnswer(t, w, http.StatusOK, "The roaster starts by itself", "BEAN-1")
	owner.sent("beanline", w.Body.String())
	n.exchange("beanline", "rosthof")
	rosthof.mustHold("/o/rosthof/inbox?kind=threat", "Cold brew")
	rosthof.mustHold(entryLink.FindString(rosthof.mustHold("/o/rosthof/inbox?kind=advisory", "BEAN-1: The roaster starts by itself")), "1.0.0")
}

// Somebody who knows no format writes an advisory in words; what cannot be found by
// programs is refused in words as well.
func TestAdvisoryInWords(t *testing.T) {
	n := newNode(t)
	owner, rosthof, _ := n.two()
	wholePage(t, "an advisory in words", owner.mustHold("/o/beanline/say?kind=advisory", "What is wrong, in a few words", "Or a file", `value="BEANLINE-`))
	fields := url.Values{
		"kind": {"advisory"}, "label": {"TLP:AMBER"}, "who": {sayEveryone}, "id": {"BEAN-2"}, "title": {"The roaster starts by itself"}, "text": {"Pull the plug at night."},
		"package": {"pkg:generic/roaster"}, "fixed": {"2.0.0"},
	}
	send := func() *httptest.ResponseRecorder { return owner.post("/o/beanline/say/preview", fields) }
	mustAnswer(t, send(), http.StatusUnprocessableEntity, `role="alert"`, "Customers cannot find the package by this name")
	fields.Set("package", "pkg:npm/roaster")
	w := send()
	mustAnswer(t, w, http.StatusOK, "The roaster starts by itself", "Pull the plug at night.", "BEAN-2", "roaster", "2.0.0")
	owner.sent("beanline", w.Body.String())
	n.exchange("beanline", "rosthof")
	rosthof.mustHold(entryLink.FindString(rosthof.mustHold("/o/rosthof/inbox?kind=advisory", "BEAN-2: The roaster starts by itself")), "Pull the plug at night.", "npm")
}
