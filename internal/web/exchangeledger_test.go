package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
)

// pair is Beanline with a supplier on the same node, and their owners.
func (n *node) pair() (owner, supplier *visitor, party entente.PartyID) {
	n.t.Helper()
	party = n.partnerOf("rosthof", "Rosthof Wholesale")
	return n.as("owner@beanline.example"), n.as("owner@rosthof.example"), party
}

// says lets Beanline say something to its partners.
func (n *node) says(s exchange.NewStatement) string {
	n.t.Helper()
	id, _, err := n.Exchange.Say(n.t.Context(), entente.System("beanline", entente.DoorCommand), s)
	must(n.t, err)
	n.exchange("beanline", "rosthof")
	return id
}

func aNote(to ...entente.PartyID) exchange.NewStatement {
	s := exchange.NewStatement{
		Kind: entente.EntryNote, Title: "What we agreed on <firmware>", Subject: "note/firmware", Basis: "contract, clause 7", Marking: entente.Marking{TLP: entente.TLPAmber, Purpose: "to plan"},
		Body: json.RawMessage(`{"text":"call desk@rosthof.example"}`), To: to,
	}
	for _, f := range exchange.Inspect(s, nil) {
		s.Decided = append(s.Decided, exchange.Decision{Finding: f})
	}
	return s
}

// Something is said, read and acknowledged, narrowed and taken back; the ledger shows
// each step, and Home what is not confirmed.
func TestLedgerPages(t *testing.T) {
	n := newNode(t)
	owner, supplier, party := n.pair()
	owner.mustHold("/o/beanline/ledger", "Nothing was said yet")
	other := n.partnerOf("arabista", "Arabista Growers")
	id := n.says(aNote(party))
	at := "/o/beanline/ledger/" + id
	list := owner.mustHold("/o/beanline/ledger", "What we agreed on &lt;firmware&gt;", "TLP:AMBER", "1 partner", "1 did not", "0 of 1", "1 statement")
	wholePage(t, "ledger", list)
	for query, want := range map[string]bool{
		"?kind=note": true, "?kind=practice": false, "?label=TLP%3AAMBER": true, "?label=TLP%3AAMBER%2BSTRICT": false, "?state=recalled": false, "?partner=" + string(party): true,
		"?partner=" + string(other): false, "?open=acknowledge": true, "?open=delivery": false, "?q=clause+7": true, "?q=nothing": false, "?q=note%2Ffirmware": true, "?sort=-title": true,
	} {
		if got := strings.Contains(owner.mustHold("/o/beanline/ledger"+query), at); got != want {
			t.Errorf("the ledger with %s lists it: %v", query, got)
		}
	}
	if w := owner.get("/o/beanline/ledger?format=csv"); !strings.Contains(w.Body.String(), "What we agreed on <firmware>") || !strings.Contains(w.Body.String(), "1 of 1") {
		t.Errorf("the ledger as a file: %s", w.Body)
	}
	must(t, n.Exchange.Acknowledge(t.Context(), entente.System("rosthof", entente.DoorCommand), n.self("beanline"), 1))
	n.exchange("rosthof", "beanline")
	body := owner.mustHold(at, "Rosthof Wholesale", "It is addressed to them.", "agreement, version 1", "entry 1; signed receipt up to entry 1", "Arabista Growers", "You did not choose them.",
		"contract, clause 7", "Personal data: desk@rosthof.example", "to plan", "Narrow it", "Take it back")
	wholePage(t, "statement", body)
	if strings.Contains(body, "not yet") {
		t.Error("something is still open although all is done")
	}

	// Narrower, never wider, and not narrower in nothing.
	narrow := owner.mustHold(at+"/narrow", "TLP:AMBER+STRICT", "Held by: Rosthof Wholesale", "Only labels as strict as now")
	wholePage(t, "narrow", narrow)
	if strings.Contains(narrow, `value="TLP:GREEN"`) {
		t.Error("a wider label is offered")
	}
	for name, form := range map[string]url.Values{
		"wider": {"label": {"TLP:GREEN"}}, "the same": {"label": {"TLP:AMBER"}}, "red for nobody": {"label": {"TLP:RED"}}, "no label": {"label": {"amber?"}},
		"no day": {"label": {"TLP:AMBER"}, "expires": {"soon"}}, "from a stranger": {"label": {"TLP:AMBER"}, "drop": {string(other)}},
	} {
		w := owner.post(at+"/narrow", form)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%s: %d", name, w.Code)
		}
		wholePage(t, "narrow", w.Body.String())
	}
	if w := owner.post(at+"/narrow", url.Values{"label": {"TLP:AMBER+STRICT"}, "reason": {"it names a customer"}, "expires": {"2099-12-31"}}); w.Header().Get("Location") != at+"?done=narrowed" {
		t.Fatalf("narrowed: %d %s", w.Code, w.Body)
	}
	owner.mustHold(at+"?done=narrowed", "It is narrower now", "not confirmed", "1 partner has not confirmed", "asked to narrow it", "it names a customer", "TLP:AMBER+STRICT")
	owner.mustHold("/o/beanline", "1 recall or narrowing is not confirmed")
	n.exchange("beanline", "rosthof", "beanline")
	if body := owner.mustHold(at, "confirmed by signature"); strings.Contains(body, "has not confirmed") {
		t.Error("what was confirmed is still open")
	}
	// TLP:AMBER+STRICT never becomes TLP:AMBER.
	if w := owner.post(at+"/narrow", url.Values{"label": {"TLP:AMBER"}, "expires": {"2099-12-31"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("AMBER+STRICT became AMBER: %d", w.Code)
	}

	wholePage(t, "recall", owner.mustHold(at+"/recall", "Take back: What we agreed on", "asked to delete it"))
	if w := owner.post(at+"/recall", url.Values{"reason": {strings.Repeat("x", 3000)}}); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a reason without end: %d", w.Code)
	}
	if w := owner.post(at+"/recall", url.Values{"reason": {"the wrong file"}}); w.Header().Get("Location") != at+"?done=taken-back" {
		t.Fatalf("taken back: %d %s", w.Code, w.Body)
	}
	owner.mustHold(at, "taken back", "1 not confirmed", "the wrong file")
	owner.mustHold("/o/beanline/ledger?open=revision", at)
	n.exchange("beanline", "rosthof", "beanline")
	owner.mustHold(at, "deleted")
	if body := owner.mustHold("/o/beanline"); strings.Contains(body, "is not confirmed") {
		t.Error("Home shows what was confirmed")
	}
	if w := owner.get(at + "/recall"); w.Code != http.StatusConflict {
		t.Errorf("taken back twice: %d", w.Code)
	}
	if !n.journalHolds(exchange.EventTakenBack, "Owner of Beanline") {
		t.Error("the recall is not in the journal")
	}
	if w := supplier.get(strings.Replace(at, "beanline", "rosthof", 1)); w.Code != http.StatusNotFound {
		t.Errorf("the ledger of another organisation: %d", w.Code)
	}
}

// self is an organisation's name among all nodes.
func (n *node) self(org entente.OrgID) entente.PartyID {
	n.t.Helper()
	self, err := n.Exchange.Self(n.t.Context(), entente.System(org, entente.DoorCommand))
	must(n.t, err)
	return self.Party()
}

// The record is there to read, to print and to take away, for those who may.
func TestRecordForCounsel(t *testing.T) {
	n := newNode(t)
	owner, _, party := n.pair()
	id := n.says(aNote(party))
	at := "/o/beanline/ledger/" + id + "/record"
	body := owner.mustHold(at, "This record was made", "contract, clause 7", "Personal data: desk@rosthof.example", "version 1, in force from", "Hash of what both signed", "Delivered, by signed receipt", "after a recall")
	wholePage(t, "record", body)
	if strings.Contains(body, "call desk@") {
		t.Error("the record holds what was said")
	}
	var r exchange.Record
	must(t, json.Unmarshal(owner.get(at+"?format=json").Body.Bytes(), &r))
	if r.Format != "entente.record/1" || len(r.Recipients) != 1 || r.Recipients[0].Name != "Rosthof Wholesale" || r.Recipients[0].Receipt == nil || r.Recipients[0].Agreement == nil {
		t.Errorf("the record as JSON: %+v", r)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(owner.get(at+"?format=csv").Body.String(), "\ufeff"))).ReadAll()
	must(t, err)
	if len(rows) != 2 || rows[0][0] != "id" || rows[1][0] != id {
		t.Errorf("the record as CSV: %v", rows)
	}
	analyst := n.join(entente.RoleAnalyst)
	if body := analyst.mustHold("/o/beanline/ledger/" + id); strings.Contains(body, "for counsel") {
		t.Error("an analyst is shown what they may not take away")
	}
	if w := analyst.get(at); w.Code != http.StatusForbidden {
		t.Errorf("an analyst takes the record: %d", w.Code)
	}
	if w := analyst.get("/o/beanline/ledger?format=csv"); w.Code != http.StatusForbidden {
		t.Errorf("an analyst takes the ledger: %d", w.Code)
	}
}

// An embargo is proposed, answered with another end, accepted, and ended by both; each
// side sees the same, and what waits for it on Home.
func TestEmbargoPages(t *testing.T) {
	n := newNode(t)
	owner, supplier, party := n.pair()
	id := n.says(aNote(party))
	ours, theirs := "/o/beanline/partners/"+string(party)+"/embargo", "/o/rosthof/partners/"+string(n.self("beanline"))+"/embargo"
	about := "?subject=note%2Ffirmware"
	step := func(v *visitor, at string, form url.Values) {
		t.Helper()
		form.Set("subject", "note/firmware")
		if w := v.post(at, form); w.Code != http.StatusSeeOther {
			t.Fatalf("%v: %d %s", form, w.Code, w.Body)
		}
		n.exchange("beanline", "rosthof", "beanline")
	}
	owner.mustHold("/o/beanline/ledger/"+id, "Propose one to Rosthof Wholesale", html.EscapeString(ours+about))
	body := owner.mustHold(ours+about, "There is no embargo", "Propose an embargo")
	wholePage(t, "embargo", body)
	for _, until := range []string{"", "soon", "2020-01-01T12:00"} {
		if w := owner.post(ours, url.Values{"subject": {"note/firmware"}, "act": {"terms"}, "until": {until}}); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusConflict {
			t.Errorf("until %q: %d", until, w.Code)
		}
	}
	step(owner, ours, url.Values{"act": {"terms"}, "until": {"2099-03-01T12:00"}, "reason": {"until the fix is out"}})
	owner.mustHold(ours+about+"&done=embargo-propose", "You propose that nobody passes it on", "Take the proposal back", "until the fix is out")
	supplier.mustHold("/o/rosthof", "Beanline proposes an embargo")
	supplier.mustHold("/o/rosthof/inbox/"+exchange.EntryRef{Party: n.self("beanline"), Number: 1}.String(), "Answer the proposal")
	supplier.mustHold("/o/rosthof/embargoes", "note/firmware", "waits for you")
	body = supplier.mustHold(theirs+about, "Beanline proposes that nobody passes it on", "Accept it", "Refuse it", "Propose another end", "until the fix is out")
	wholePage(t, "their embargo", body)
	if w := owner.post(ours, url.Values{"subject": {"note/firmware"}, "act": {"accept"}}); w.Code != http.StatusConflict {
		t.Errorf("one accepts its own proposal: %d", w.Code)
	}
	step(supplier, theirs, url.Values{"act": {"terms"}, "until": {"2099-02-01T12:00"}})
	owner.mustHold("/o/beanline", "Rosthof Wholesale proposes an embargo")
	step(owner, ours, url.Values{"act": {"accept"}})
	for at, v := range map[string]*visitor{ours: owner, theirs: supplier} {
		v.mustHold(at+about, "Nobody passes it on before", "2099", "running")
	}
	step(owner, ours, url.Values{"act": {"terms"}, "until": {"2099-05-01T12:00"}})
	supplier.mustHold(theirs+about, "instead, which counts when you accept", "new end proposed")
	step(supplier, theirs, url.Values{"act": {"refuse"}})
	step(supplier, theirs, url.Values{"act": {"release"}, "reason": {"it is public"}})
	owner.mustHold("/o/beanline", "would end an embargo now")
	owner.mustHold(ours+about, "End it now, as Rosthof Wholesale wants")
	step(owner, ours, url.Values{"act": {"release"}})
	for at, v := range map[string]*visitor{ours: owner, theirs: supplier} {
		v.mustHold(at+about, "The embargo was ended by both", "Propose an embargo")
	}
	auditor := n.join(entente.RoleAuditor)
	if body := auditor.mustHold(ours + about); strings.Contains(body, `action="`+ours) {
		t.Error("an auditor is offered a step")
	}
}

// One form proposes an embargo to all who got something, or to those who are left chosen;
// the statement tells who has agreed and who has not.
func TestEmbargoToSeveral(t *testing.T) {
	n := newNode(t)
	owner, supplier, party := n.pair()
	other, third := n.partnerOf("arabista", "Arabista Growers"), n.partnerOf("casa-verde", "Casa Verde")
	id := n.says(aNote(party, other, third))
	at, about := "/o/beanline/ledger/"+id, "?subject=note%2Ffirmware"
	settle := func() { n.exchange("beanline", "rosthof", "arabista", "casa-verde", "beanline") }
	settle()
	if body := owner.mustHold(at, `href="`+at+`/embargo"`, "Propose one to several"); strings.Contains(body, "Agreed:") {
		t.Error("it is counted who agreed to what nobody proposed")
	}
	body := owner.mustHold(at+"/embargo", "What we agreed on &lt;firmware&gt;", "Those who got it", "Rosthof Wholesale", "Arabista Growers", "Casa Verde", "Not passed on before")
	wholePage(t, "embargo to several", body)
	if got := strings.Count(body, "checked"); got != 3 {
		t.Errorf("%d are chosen at first", got)
	}
	form := func(until string, to ...entente.PartyID) url.Values {
		f := url.Values{"until": {until}, "reason": {"until the fix is out"}}
		for _, p := range to {
			f.Add("to", string(p))
		}
		return f
	}
	for name, wrong := range map[string]url.Values{
		"nobody": form("2099-03-01T12:00"), "no end": form("", party), "in the past": form("2020-03-01T12:00", party), "a stranger": form("2099-03-01T12:00", party, n.self("beanline")),
	} {
		w := owner.post(at+"/embargo", wrong)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) || !strings.Contains(w.Body.String(), "until the fix is out") {
			t.Errorf("%s: %d", name, w.Code)
		}
		if got, want := strings.Count(w.Body.String(), "checked"), len(wrong["to"]); name != "a stranger" && got != want {
			t.Errorf("%s: %d are still chosen, not %d", name, got, want)
		}
		wholePage(t, name, w.Body.String())
	}
	if w := owner.post(at+"/embargo", form("2099-03-01T12:00", party, other)); w.Header().Get("Location") != at+"?done=embargo-propose#embargo" {
		t.Fatalf("proposed: %d %s", w.Code, w.Body)
	}
	settle()
	owner.mustHold(at+"?done=embargo-propose", "Your proposal is on its way", "Who got it: 3. Agreed: 0. Not answered: 2. Refused: 0.", "Rosthof Wholesale has not answered", "Arabista Growers has not answered", "Propose one to Casa Verde")
	body = owner.mustHold(at+"/embargo", "Casa Verde", "2 more got it, and cannot be asked")
	if strings.Contains(body, `value="`+string(party)+`"`) {
		t.Error("one who was asked can be asked again")
	}
	// All or none: with one of them there is an embargo already.
	if w := owner.post(at+"/embargo", form("2099-03-01T12:00", party, third)); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "because Rosthof Wholesale cannot be") {
		t.Errorf("proposed again: %d %s", w.Code, w.Body)
	}
	owner.mustHold(at, "Propose one to Casa Verde")
	step := func(v *visitor, org, act string) {
		t.Helper()
		if w := v.post("/o/"+org+"/partners/"+string(n.self("beanline"))+"/embargo", url.Values{"subject": {"note/firmware"}, "act": {act}}); w.Code != http.StatusSeeOther {
			t.Fatalf("%s of %s: %d %s", act, org, w.Code, w.Body)
		}
	}
	step(supplier, "rosthof", "accept")
	step(n.as("owner@arabista.example"), "arabista", "refuse")
	settle()
	owner.mustHold(at, "Who got it: 3. Agreed: 1. Not answered: 0. Refused: 1.", "accepted by Rosthof Wholesale,", "refused by Arabista Growers,")
	supplier.mustHold("/o/rosthof/partners/"+string(n.self("beanline"))+"/embargo"+about, "Nobody passes it on before", "until the fix is out")
	auditor := n.join(entente.RoleAuditor)
	if body := auditor.mustHold(at, "Agreed: 1"); strings.Contains(body, "Propose one to several") {
		t.Error("an auditor is offered to propose one")
	}
	if w := auditor.get(at + "/embargo"); w.Code != http.StatusForbidden {
		t.Errorf("an auditor proposes one: %d", w.Code)
	}
	if w := owner.post(at+"/recall", url.Values{"reason": {"the wrong file"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("taken back: %d", w.Code)
	}
	wholePage(t, "nobody to ask", owner.mustHold(at+"/embargo", "There is nobody to whom one can be proposed", "3 more got it"))
}

// Two organisations exchange files, line by line.
func TestExchangeByFilePages(t *testing.T) {
	n := newNode(t)
	owner, supplier, party := n.pair()
	_, _, err := n.Exchange.Say(t.Context(), entente.System("beanline", entente.DoorCommand), aNote(party))
	must(t, err)
	ours, theirs := "/o/beanline/partners/"+string(party), "/o/rosthof/partners/"+string(n.self("beanline"))
	owner.mustHold(ours, "Exchange by file", "What you said to them")
	wholePage(t, "file", owner.mustHold(ours+"/file", "1 entry is not acknowledged by them yet", "2.1 GB"))
	w := owner.get(ours + "/entries.jsonl")
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Disposition"), "entente-entries-for-rosthof-wholesale") {
		t.Fatalf("the file: %d %v", w.Code, w.Header())
	}
	file := w.Body.Bytes()
	read := func(v *visitor, at string, content []byte, code int, texts ...string) {
		t.Helper()
		w := v.send(at+"/file", "entries", "entries.jsonl", content)
		mustAnswer(t, w, code, texts...)
		wholePage(t, "read", w.Body.String())
	}
	read(supplier, theirs, []byte("hello"), http.StatusUnprocessableEntity, "This is no file of entries")
	read(owner, ours, file, http.StatusUnprocessableEntity, "This file is for")
	read(supplier, theirs, append(file[:len(file):len(file)], "hello\n"...), http.StatusOK, "Not everything in the file was taken", "taken", "entry 1: Notes of meetings", "refused", "A line of the file cannot be read")
	read(supplier, theirs, file, http.StatusOK, "The file was read to its end", "known already")
	if w := supplier.post(theirs+"/file", nil); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", w.Code)
	}
	read(owner, ours, supplier.get(theirs+"/entries.jsonl").Body.Bytes(), http.StatusOK, "They acknowledge what you said up to", "entry 1")
	owner.mustHold(ours+"/file", "0 entries are not acknowledged")
}

// A seat moves to another node, stays away, or comes back.
func TestMovingASeatPages(t *testing.T) {
	n := newNode(t)
	_, guest, _ := n.pair()
	n.says(aNote(n.self("rosthof")))
	const passphrase = "nineteen grey herons"
	body := guest.mustHold("/o/rosthof/move", "What moves", "1, with its agreements and keys", "What stays here", "Write the file and close the seat here")
	wholePage(t, "move", body)
	for name, form := range map[string]url.Values{"short": {"passphrase": {"x"}, "again": {"x"}}, "another": {"passphrase": {passphrase}, "again": {"x"}}} {
		if w := guest.post("/o/rosthof/move", form); w.Code != http.StatusUnprocessableEntity || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if w := guest.post("/o/rosthof/move/stay", nil); w.Code != http.StatusConflict {
		t.Errorf("stay where one is: %d", w.Code)
	}
	w := guest.post("/o/rosthof/move", url.Values{"passphrase": {passphrase}, "again": {passphrase}})
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Disposition"), "entente-seat-rosthof-wholesale.jsonl") {
		t.Fatalf("the file: %d %v", w.Code, w.Header())
	}
	wholePage(t, "moved", guest.mustHold("/o/rosthof/move", "is closed here", "Stay on this node", "Write the file again"))
	guest.mustHold("/o/rosthof/partners", "closed here")
	guest.mustHold("/o/rosthof/move/stay", "Only if the file was opened nowhere")
	if w := guest.post("/o/rosthof/move/stay", nil); w.Header().Get("Location") != "/o/rosthof/move?done=stays" {
		t.Fatalf("stayed: %d %s", w.Code, w.Body)
	}
	if body := guest.mustHold("/o/rosthof/move?done=stays", "open here again"); strings.Contains(body, "is closed here") {
		t.Error("after it stayed it is closed")
	}
	w = guest.post("/o/rosthof/move", url.Values{"passphrase": {passphrase}, "again": {passphrase}})
	file := w.Body.Bytes()

	own := newNode(t)
	there := own.as("owner@beanline.example")
	there.mustHold("/o/beanline/partners", "Bring a seat with you")
	wholePage(t, "bring", there.mustHold("/o/beanline/bring-seat", "Passphrase of the file", "At most 2.1 GB"))
	bring := func(passphrase string, file []byte) *httptest.ResponseRecorder {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		must(t, form.WriteField("passphrase", passphrase))
		part, err := form.CreateFormFile("seat", "seat.jsonl")
		must(t, err)
		_, err = part.Write(file)
		must(t, err)
		must(t, form.Close())
		r := httptest.NewRequest(http.MethodPost, "/o/beanline/bring-seat", &body)
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return there.do(r)
	}
	for name, w := range map[string]*httptest.ResponseRecorder{"another passphrase": bring("another passphrase", file), "cut off": bring(passphrase, file[:len(file)-100]), "no seat": bring(passphrase, []byte("hello"))} {
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := bring(passphrase, file); w.Header().Get("Location") != "/o/beanline/partners?done=moved-in" {
		t.Fatalf("moved in: %d %s", w.Code, w.Body)
	}
	there.mustHold("/o/beanline/partners?done=moved-in", "The seat is open here", "Beanline", "buys from us")
	there.mustHold("/o/beanline/bring-seat", "has partners of its own already")
	if own.self("beanline") != n.self("rosthof") {
		t.Error("the seat has another name now")
	}
}

// Contacts are changed in one place and told to all.
func TestContactsPage(t *testing.T) {
	n := newNode(t)
	owner, supplier, _ := n.pair()
	body := owner.mustHold("/o/beanline/contacts", "One more", "1 partner is told at once")
	wholePage(t, "contacts", body)
	form := fieldsOf(t, body, "/o/beanline/contacts")
	form.Set("name-0", "Security desk")
	if w := owner.post("/o/beanline/contacts", form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Security desk") {
		t.Errorf("a contact that nobody can reach: %d", w.Code)
	}
	form.Set("email-0", "desk@beanline.example")
	if w := owner.post("/o/beanline/contacts", form); w.Header().Get("Location") != "/o/beanline/contacts?done=contacts-told" {
		t.Fatalf("saved: %d %s", w.Code, w.Body)
	}
	n.exchange("beanline", "rosthof")
	supplier.mustHold("/o/rosthof/partners/"+string(n.self("beanline")), "Security desk", "desk@beanline.example")
	auditor := n.join(entente.RoleAuditor)
	if body := auditor.mustHold("/o/beanline/contacts", "Security desk"); strings.Contains(body, "<form method=\"post\" action=\"/o/beanline/contacts") {
		t.Error("an auditor can change the contacts")
	}
}

// A node that cannot keep keys says why, and what to do.
func TestKeyPageWithoutAKey(t *testing.T) {
	n := newNode(t)
	d := dbtest.SQLite(t)
	people, err := identity.New(t.Context(), d, identity.Config{Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, Log: n.Log})
	must(t, err)
	c := n.Config
	c.Exchange = exchange.New(d, people, exchange.Config{Key: seal.Key{}, Origin: "http://localhost:8080", Log: n.Log})
	c.DB, c.Identity = d, people
	bare := &node{t: t, Config: c}
	bare.handler, err = New(c)
	must(t, err)
	bare.found("beanline", "Beanline")
	owner := bare.as("owner@beanline.example")
	wholePage(t, "key", owner.mustHold("/o/beanline/key", "This node can keep no key yet", "--data DIR besides --database"))
	if w := owner.get("/o/beanline/contacts"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "--data DIR") {
		t.Errorf("the contacts: %d", w.Code)
	}
}

// From a supplier one step leads to its invitation, filled in.
func TestInvitingFromASupplier(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	body := owner.mustHold("/o/beanline/suppliers/rosthof", "Invite as partner")
	link := regexp.MustCompile(`href="(/o/beanline/invite-partner\?[^"]+)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatal("no link leads to an invitation")
	}
	owner.mustHold(html.UnescapeString(link[1]), "is to supply you.", `value="rosthof"`, "Make the invitation")
	if body := n.join(entente.RoleAnalyst).mustHold("/o/beanline/suppliers/rosthof"); strings.Contains(body, "Invite as partner") {
		t.Error("an analyst is offered to invite")
	}
	party := n.partnerOf("rosthof", "Rosthof Wholesale")
	must(t, n.Exchange.SetKnownAs(t.Context(), entente.System("beanline", entente.DoorCommand), party, "rosthof"))
	if body := owner.mustHold("/o/beanline/suppliers/rosthof", "/o/beanline/partners/"+string(party)); strings.Contains(body, "Invite as partner") {
		t.Error("a partner is to be invited")
	}
}
