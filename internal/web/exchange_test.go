package web

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
)

var linkMade = regexp.MustCompile(`http://localhost:8080(/join/[^"<#]+)#([0-9a-f]{64})`)

// fields are those of the one form of a page that leads to an address, filled in as
// the page has them.
func fieldsOf(t *testing.T, body, action string) url.Values {
	t.Helper()
	_, form, found := strings.Cut(body, `action="`+action+`"`)
	if !found {
		t.Fatalf("no form leads to %s", action)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	attribute := func(tag, name string) string {
		m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
		if m == nil {
			return ""
		}
		return html.UnescapeString(m[1])
	}
	for _, tag := range regexp.MustCompile(`(?s)<input[^>]*>`).FindAllString(form, -1) {
		if kind := attribute(tag, "type"); (kind == "checkbox" || kind == "radio") && !strings.Contains(tag, " checked") {
			continue
		}
		if name := attribute(tag, "name"); name != "" {
			values.Set(name, attribute(tag, "value"))
		}
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>`).FindAllStringSubmatch(form, -1) {
		values.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, tag := range regexp.MustCompile(`(?s)<select.*?</select>`).FindAllString(form, -1) {
		head, _, _ := strings.Cut(tag, ">")
		for i, o := range regexp.MustCompile(`<option[^>]*>`).FindAllString(tag, -1) {
			if i == 0 || strings.Contains(o, " selected") {
				values.Set(attribute(head, "name"), attribute(o, "value"))
			}
		}
	}
	return values
}

// invited makes an invitation on the pages and gives its link: path and key.
func (v *visitor) invited(name, trade string) (path, link string) {
	v.t.Helper()
	step := "/o/beanline/invite-partner?" + url.Values{"name": {name}, "trade": {trade}}.Encode()
	body := v.mustHold(step, name, "Make the invitation")
	wholePage(v.t.(*testing.T), step, body)
	w := v.post("/o/beanline/partner-invitations", fieldsOf(v.t.(*testing.T), body, "/o/beanline/partner-invitations"))
	m := linkMade.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusCreated || m == nil {
		v.t.Fatalf("the invitation: %d %s", w.Code, w.Body)
	}
	wholePage(v.t.(*testing.T), "invited", w.Body.String())
	return m[1], m[0]
}

// Somebody without an account takes a seat through the link; both sides see the same
// words, and neither sees more of the other than the partnership.
func TestGuestSeat(t *testing.T) {
	n := newNode(t)
	owner, stranger := n.as("owner@beanline.example"), n.stranger()
	owner.mustHold("/o/beanline/partners", "No partnerships yet", "Invite a partner", "I was invited")
	owner.mustHold("/o/beanline/invite-partner", "Whom do you invite?")
	path, link := owner.invited("Rösthof", "supplies")
	owner.mustHold("/o/beanline/partner-invitations", "Rösthof", "open", "Withdraw")

	body := stranger.mustHold(path, "Beanline invites you to a partnership", "would like to be supplied by you", "take a seat here, free", html.EscapeString(link), `value="Rösthof"`)
	wholePage(t, "join", body)
	strictHeaders(t, "join", stranger.get(path))
	file := stranger.get(path + joinFile)
	if file.Code != http.StatusOK || !strings.HasPrefix(file.Header().Get("Content-Disposition"), "attachment") {
		t.Fatalf("the file: %d %v", file.Code, file.Header())
	}
	if ticket, key, err := exchange.ReadTicket(file.Body.String()); err != nil || !strings.HasSuffix(link, string(key)) || ticket.Name != "Beanline" {
		t.Errorf("the file says %+v, %v", ticket, err)
	}
	seat := url.Values{"organisation": {"Beanline"}, "name": {"Rosa"}, "email": {"rosa@rosthof.example"}, "password": {"eleven loud grinders at dawn"}}
	for field, wrong := range map[string]string{"organisation": "", "name": "", "email": "nobody", "password": "short"} {
		bad := url.Values{}
		for k, v := range seat {
			bad[k] = slices.Clone(v)
		}
		bad.Set(field, wrong)
		w := stranger.post(path, bad)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%s %q: %d", field, wrong, w.Code)
		}
		wholePage(t, "join", w.Body.String())
	}
	// Also under a name that is taken here: whose it is, is nobody's business.
	w := stranger.post(path, seat)
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/o/beanline-") || !strings.HasSuffix(to, "?done=seat") {
		t.Fatalf("the seat: %d to %q\n%s", w.Code, to, w.Body)
	}
	stranger.cookie = w.Result().Cookies()[0]
	guests := stranger.mustHold(to, "Welcome", "What to do next", "You supply Beanline.", "Nobody of yours has compared them yet")
	wholePage(t, "seat", guests)
	if w := stranger.get("/o/beanline/partners"); w.Code != http.StatusNotFound {
		t.Errorf("the guest sees the inviter's partnerships: %d", w.Code)
	}
	if w := n.stranger().get(path); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "not open any more") {
		t.Errorf("the link after it was used: %d", w.Code)
	}
	if w := n.stranger().post(path, seat); w.Code != http.StatusNotFound {
		t.Errorf("a second seat by the same link: %d", w.Code)
	}

	list := owner.mustHold("/o/beanline/partners", "supplies us", "not yet", "1 partnership")
	at := regexp.MustCompile(`/o/beanline/partners/ent1[a-z0-9]+`).FindString(list)
	inviters := owner.mustHold(at, "You buy from Beanline.", "rosa@rosthof.example", "TLP:AMBER")
	words := regexp.MustCompile(`(?s)<ol class="key-words".*?</ol>`)
	ours, theirs := words.FindAllString(inviters, -1), words.FindAllString(guests, -1)
	if len(ours) != 2 || len(theirs) != 2 || ours[0] != theirs[1] || ours[1] != theirs[0] || ours[0] == ours[1] {
		t.Errorf("the words are not the same on both sides: %v %v", ours, theirs)
	}
	if w := owner.post(at+"/compared", fieldsOf(t, inviters, at+"/compared")); w.Code != http.StatusSeeOther {
		t.Errorf("compared: %d %s", w.Code, w.Body)
	}
	owner.mustHold(at, "Compared by Owner of Beanline")
	if w := owner.post(at+"/compared", url.Values{"key": {"another"}}); w.Code != http.StatusConflict {
		t.Errorf("words of another key: %d", w.Code)
	}
	owner.mustHold("/o/beanline/partners?look=words", "Nothing matches")
	if w := owner.get("/o/beanline/partners?format=csv"); !strings.Contains(w.Body.String(), "supplies us") {
		t.Errorf("the list as a file: %s", w.Body)
	}
}

// An account that is there is not taken over through a link, and trying is counted.
func TestSeatOfSomebodyKnown(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	n.found("rosthof", "Rosthof Wholesale")
	path, _ := owner.invited("Rosthof", "both")
	seat := url.Values{"organisation": {"Rosthof"}, "name": {"Rosa"}, "email": {"owner@rosthof.example"}, "password": {testPassword}}
	w := n.stranger().post(path, seat)
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "sign in with it") || len(w.Result().Cookies()) > 0 {
		t.Errorf("an address that has an account: %d", w.Code)
	}
	code := 0
	for range 12 {
		code = n.stranger().post(path, seat).Code
	}
	if code != http.StatusServiceUnavailable {
		t.Errorf("after many attempts: %d", code)
	}
	// Signed in, the same person takes a seat without a password, or accepts for the organisation that they have.
	known := n.as("owner@rosthof.example")
	body := known.mustHold(path, "Accept it for Rosthof Wholesale", "You are signed in as Owner of Rosthof Wholesale")
	form := fieldsOf(t, body, "/o/rosthof/accept-partner")
	offered := known.post("/o/rosthof/accept-partner", form)
	mustAnswer(t, offered, http.StatusOK, "Beanline invites you", "You buy from Beanline.", "You supply Beanline.")
	wholePage(t, "offered", offered.Body.String())
	w = known.post(path, url.Values{"organisation": {"Rosthof"}})
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/o/rosthof-") {
		t.Fatalf("the seat of somebody signed in: %d to %q\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	known.mustHold(w.Header().Get("Location"), "Welcome")
}

// One organisation invites another of the node, which accepts by link or by file; they
// change the agreement, and end it.
func TestAcceptingAndAgreeing(t *testing.T) {
	n := newNode(t)
	n.found("rosthof", "Rosthof Wholesale")
	owner, rosthof := n.as("owner@beanline.example"), n.as("owner@rosthof.example")
	_, link := owner.invited("Rosthof", "supplies")
	for _, bad := range []string{"", "hello", "https://example.com/", strings.Replace(link, "ent1", "ent2", 1), link[:len(link)-64] + strings.Repeat("0", 64)} {
		w := rosthof.post("/o/rosthof/accept-partner", url.Values{"invitation": {bad}})
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%q: %d", bad, w.Code)
		}
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(link, "http://localhost:8080"), "#")
	w := rosthof.send("/o/rosthof/accept-partner", "file", "invitation.json", rosthof.get(path+joinFile).Body.Bytes())
	mustAnswer(t, w, http.StatusOK, "Beanline invites you", "You supply Beanline.")
	w = rosthof.post("/o/rosthof/accept-partner", url.Values{"invitation": {link}})
	mustAnswer(t, w, http.StatusOK, "Accept and sign")
	w = rosthof.post("/o/rosthof/accept-partner/sign", fieldsOf(t, w.Body.String(), "/o/rosthof/accept-partner/sign"))
	theirs := strings.TrimSuffix(w.Header().Get("Location"), "?done=accepted")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(theirs, "/o/rosthof/partners/ent1") {
		t.Fatalf("accepted: %d to %q\n%s", w.Code, theirs, w.Body)
	}
	rosthof.mustHold(theirs+"?done=accepted", "You are partners now", "You supply Beanline.")
	ours := regexp.MustCompile(`/o/beanline/partners/ent1[a-z0-9]+`).FindString(owner.mustHold("/o/beanline/partners", "Rosthof Wholesale"))

	body := owner.mustHold(ours+"/propose", "Propose it")
	wholePage(t, "propose", body)
	form := fieldsOf(t, body, ours+"/propose")
	form.Set("concern-hours", "24")
	form.Set("theirs-threat", "TLP:GREEN")
	form.Set("theirs-most-threat", "TLP:CLEAR")
	if w := owner.post(ours+"/propose", form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "stricter than the strictest") {
		t.Errorf("labels that do not fit: %d", w.Code)
	}
	form.Set("theirs-most-threat", "TLP:AMBER")
	if w := owner.post(ours+"/propose", form); w.Header().Get("Location") != ours+"/agreement?done=proposed" {
		t.Fatalf("proposed: %d %s", w.Code, w.Body)
	}
	owner.mustHold(ours+"/agreement", "You propose a change", "waits for the answer", "Take it back")
	n.exchange("beanline", "rosthof")
	rosthof.mustHold(theirs, "has proposed a change")
	body = rosthof.mustHold(theirs+"/agreement", "Beanline proposes a change", "Within 5 days.", "Within 24 h.", "marked TLP:GREEN unless you decide otherwise, at most TLP:AMBER", "Sign it")
	wholePage(t, "agreement", body)
	if w := rosthof.post(theirs+"/sign", url.Values{"proposal": {strings.Repeat("0", 64)}}); w.Code != http.StatusConflict {
		t.Errorf("signing another proposal: %d", w.Code)
	}
	if w := rosthof.post(theirs+"/sign", fieldsOf(t, body, theirs+"/sign")); w.Header().Get("Location") != theirs+"/agreement?done=signed" {
		t.Errorf("signed: %d %s", w.Code, w.Body)
	}
	n.exchange("beanline", "rosthof")
	owner.mustHold(ours+"/agreement", "Version 2, signed by both", "Within 24 h.")
	owner.mustHold(ours, "up to entry 1", "Ask now")
	if w := owner.post(ours+"/ask", nil); w.Header().Get("Location") != ours+"?done=asked#feeds" {
		t.Errorf("asked: %d %s", w.Code, w.Body)
	}
	owner.mustHold(ours+"/quarantine", "No feed of this partnership is in quarantine")

	owner.mustHold(ours+"/end", "End the partnership with Rosthof Wholesale?")
	if w := owner.post(ours+"/end", url.Values{"reason": {"the contract has ended"}}); w.Code != http.StatusSeeOther {
		t.Errorf("ended: %d %s", w.Code, w.Body)
	}
	n.exchange("beanline", "rosthof")
	if w := rosthof.post(theirs+"/release", nil); w.Code != http.StatusSeeOther {
		t.Errorf("nothing to release: %d %s", w.Code, w.Body)
	}
	if body := rosthof.mustHold(theirs, "ended", "the contract has ended"); strings.Contains(body, "Ask now") {
		t.Error("a partnership that has ended offers to ask")
	}
}

// Those who may not manage see everything and no button.
func TestPartnersForAnAuditor(t *testing.T) {
	n := newNode(t)
	n.tell()
	auditor := n.join(entente.RoleAuditor)
	at := regexp.MustCompile(`/o/beanline/partners/ent1[a-z0-9]+`).FindString(auditor.mustHold("/o/beanline/partners", "Arabista Growers"))
	for _, path := range []string{"/o/beanline/partners", at, at + "/agreement", at + "/quarantine", "/o/beanline/partner-invitations", "/o/beanline/key"} {
		if body := auditor.mustHold(path); strings.Contains(body, `method="post" action="/o/beanline/partner`) || strings.Contains(body, `method="post" action="/o/beanline/key`) || strings.Contains(body, "invite-partner") {
			t.Errorf("%s shows an auditor what does not work", path)
		}
	}
	if !identity.NeedsFresh(identity.PartnerManage) {
		t.Error("what is signed for the organisation needs no fresh proof")
	}
}

// The key is changed, and revoked with a reason; partners must compare again.
func TestKeyPage(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	before := regexp.MustCompile(`(?s)<ol class="key-words".*?</ol>`).FindString(owner.mustHold("/o/beanline/key", "in force", "1 partner is told"))
	if w := owner.post("/o/beanline/key", url.Values{"stolen": {"yes"}}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Say what happened") {
		t.Errorf("revoked without a reason: %d", w.Code)
	}
	if w := owner.post("/o/beanline/key", url.Values{"reason": {"once a year"}}); w.Header().Get("Location") != "/o/beanline/key?done=key-changed" {
		t.Fatalf("changed: %d %s", w.Code, w.Body)
	}
	body := owner.mustHold("/o/beanline/key", "replaced")
	if strings.Contains(body, before) {
		t.Error("the words are those of the old key")
	}
	wholePage(t, "key", body)
	if w := owner.post("/o/beanline/key", url.Values{"stolen": {"yes"}, "reason": {"a laptop was stolen"}}); w.Code != http.StatusSeeOther {
		t.Errorf("revoked: %d %s", w.Code, w.Body)
	}
	owner.mustHold("/o/beanline/key", "revoked")
	if !n.journalHolds(exchange.EventKeyRotated, "Owner of Beanline") {
		t.Error("the change is not in the journal")
	}
}

// A partner that contradicts itself is shown with both of what it signed.
func TestQuarantinePage(t *testing.T) {
	n := newNode(t)
	party := n.partnerOf("arabista", "Arabista Growers")
	at := "/o/beanline/partners/" + string(party)
	self, err := n.Exchange.Self(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	say := func(title string) {
		t.Helper()
		_, _, err := n.Exchange.Say(t.Context(), entente.System("arabista", entente.DoorCommand), exchange.NewStatement{
			Kind: entente.EntryPractice, Title: title, Subject: "practice/" + title, Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{}`),
		})
		must(t, err)
		n.exchange("arabista", "beanline")
	}
	say("backups")
	// The partner is set back to before it said so, and says something else.
	must(t, n.DB.Write(t.Context(), "arabista", func(tx *db.Tx) error {
		if _, err := tx.Exec(t.Context(), "DELETE FROM exchange_entry WHERE org = 'arabista' AND party = $1 AND way = 'out'", self.Party()); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "UPDATE exchange_feed SET number = 0, acked = 0, head = $2, receipt = NULL WHERE org = 'arabista' AND party = $1 AND way = 'out'", self.Party(), make([]byte, 32))
		return err
	}))
	say("passwords")
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline", "1 partnership is in quarantine", "/o/beanline/partners?look=quarantine")
	owner.mustHold("/o/beanline/partners?look=quarantine", "in quarantine", "1 partnership")
	owner.mustHold(at, "What was signed does not fit together", "What happened, and what to do")
	body := owner.mustHold(at+"/quarantine", "signed two different entries with the number 1", "practice/backups", "practice/passwords", "What came first, and you hold", "Ask their node, and go on")
	wholePage(t, "quarantine", body)
	if w := owner.post(at+"/release", nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "still says something else") {
		t.Errorf("released although nothing is right: %d", w.Code)
	}

	// The partner says that it was a backup, and gets back what it had said.
	arabista := n.as("owner@arabista.example")
	theirs := "/o/arabista/partners/" + string(self.Party())
	body = arabista.mustHold(theirs+"/quarantine", "Beanline holds something else of what you said", "put back from a backup", "It was a backup: get it back from Beanline", `href="/o/arabista/key"`)
	if strings.Contains(body, "get it back from all") {
		t.Error("all are asked where there is one")
	}
	wholePage(t, "quarantine-ours", body)
	if w := arabista.post(theirs+"/regain", nil); w.Header().Get("Location") != theirs+"?done=regained#feeds" {
		t.Fatalf("got back: %d %s", w.Code, w.Body)
	}
	arabista.mustHold("/o/arabista/ledger", "backups", "passwords")
	if w := arabista.post("/o/arabista/partners/regain", nil); w.Header().Get("Location") != "/o/arabista/partners?done=regaining" {
		t.Errorf("got back from all: %d %s", w.Code, w.Body)
	}
	if w := owner.post(at+"/release", nil); w.Header().Get("Location") != at+"?done=released#feeds" {
		t.Errorf("released: %d %s", w.Code, w.Body)
	}
	n.exchange("arabista", "beanline")
	if body := owner.mustHold("/o/beanline/inbox"); strings.Count(body, "/o/beanline/inbox/ent1") != 2 {
		t.Errorf("the inbox: %s", body)
	}
	owner.mustHold(at+"/quarantine", "No feed of this partnership is in quarantine")
}
