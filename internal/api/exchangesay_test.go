package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

// answerAs reads an answer that must be a success.
func answerAs[T any](t *testing.T, w *httptest.ResponseRecorder) (out T) {
	t.Helper()
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// tell posts JSON.
func (n *node) tell(path string, body any, with ...func(*http.Request)) *httptest.ResponseRecorder {
	n.t.Helper()
	if body == nil {
		return n.ask("POST", path, nil, with...)
	}
	text, err := json.Marshal(body)
	must(n.t, err)
	return n.ask("POST", path, bytes.NewReader(text), append(with, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })...)
}

// A program previews, says, reads, acknowledges and answers what people do on pages.
func TestSayingOverTheAPI(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	other := as(n.tokens["rosthof/owner"])
	partner := get[List[Partnership]](n, base+"/partners").Items[0].Party
	practice := map[string]any{"kind": "practice", "title": "Backups", "text": "Ask rosa@example.org.", "label": "TLP:AMBER", "everyone": true, "preview": true}
	seen := answerAs[Said](t, n.tell(base+"/statements", practice))
	if seen.ID != "" || len(seen.Partners) != 1 || !seen.Partners[0].Allowed || seen.Partners[0].Party != partner || len(seen.Findings) != 1 || seen.Findings[0].Kind != "personal" {
		t.Fatalf("the preview: %+v", seen)
	}
	practice["preview"] = false
	n.problem(n.tell(base+"/statements", practice), 422, "look at what was found")
	practice["decided"] = []map[string]any{{"kind": "personal", "what": "rosa@example.org", "reason": "she agreed"}}
	said := answerAs[Said](t, n.tell(base+"/statements", practice))
	if said.ID == "" || said.Partners[0].Number == 0 {
		t.Fatalf("said: %+v", said)
	}
	for name, wrong := range map[string]map[string]any{
		"nobody":          {"kind": "practice", "title": "x", "text": "x", "label": "TLP:GREEN"},
		"RED to all":      {"kind": "practice", "title": "x", "text": "x", "label": "TLP:RED", "everyone": true},
		"no text":         {"kind": "practice", "title": "x", "label": "TLP:GREEN", "everyone": true},
		"an SBOM of air":  {"kind": "sbom", "product": "x", "label": "TLP:GREEN", "everyone": true},
		"an odd advisory": {"kind": "advisory", "record": []int{1}, "label": "TLP:GREEN", "everyone": true},
	} {
		if w := n.tell(base+"/statements", wrong); w.Code != 422 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	n.exchange()
	inbox := get[List[InboxEntry]](n, base+"/inbox", other)
	if len(inbox.Items) == 0 || inbox.Items[0].Title != "Backups" || inbox.Items[0].Label != "TLP:AMBER" || inbox.Items[0].Read != nil {
		t.Fatalf("the inbox of rosthof: %+v", inbox)
	}
	at := base + "/inbox/" + inbox.Items[0].ID
	if e := get[InboxEntry](n, at, other); e.Body.(map[string]any)["title"] != "Backups" || e.Read != nil {
		t.Errorf("the entry: %+v", e)
	}
	if e := answerAs[InboxEntry](t, n.tell(at+"/read", nil, other)); e.Read == nil || e.Acknowledged != nil {
		t.Errorf("read: %+v", e)
	}
	if e := answerAs[InboxEntry](t, n.tell(at+"/acknowledge", nil, other)); e.Acknowledged == nil {
		t.Errorf("acknowledged: %+v", e)
	}
	// Their only partner is who said it.
	passed := answerAs[Said](t, n.tell(at+"/pass-on", map[string]any{"preview": true}, other))
	if len(passed.Partners) != 1 || passed.Partners[0].Allowed || passed.Partners[0].Asks || !strings.Contains(passed.Partners[0].Reason, "from them") {
		t.Errorf("passing on: %+v", passed)
	}
	n.problem(n.tell(at+"/pass-on", map[string]any{"to": []string{partner}, "why": "x"}, other), 422, "look at what was found")

	concerns := get[List[OpenConcern]](n, base+"/concerns?open=true")
	if len(concerns.Items) != 1 || concerns.Items[0].Ours || !concerns.Items[0].Overdue || concerns.Items[0].ID == "" {
		t.Fatalf("the concerns: %+v", concerns)
	}
	if c := get[List[OpenConcern]](n, base+"/concerns", other); len(c.Items) != 1 || !c.Items[0].Ours || c.Items[0].Title != "Who holds the keys?" {
		t.Errorf("the concerns of rosthof: %+v", c)
	}
	at = base + "/inbox/" + concerns.Items[0].ID
	n.problem(n.tell(at+"/answer", map[string]any{"text": " "}), 422, "write what you want to say")
	answerAs[Said](t, n.tell(at+"/answer", map[string]any{"text": "Two people."}))
	if c := get[List[OpenConcern]](n, base+"/concerns?open=true"); len(c.Items) != 0 {
		t.Errorf("after the answer: %+v", c)
	}
	n.problem(n.tell(base+"/inbox/"+inbox.Items[0].ID+"/answer", map[string]any{"text": "x"}, other), 409, "only concerns")

	sbom := get[List[InboxEntry]](n, base+"/inbox?kind=sbom").Items[0]
	if w := n.ask("GET", base+"/inbox/"+sbom.ID+"/file?sha256="+sbom.Files[0].SHA256, nil); w.Code != 200 || !strings.Contains(w.Body.String(), "CycloneDX") {
		t.Errorf("its file: %d %s", w.Code, w.Body)
	}
	n.problem(n.ask("GET", base+"/inbox/"+sbom.ID+"/file", nil, other), 404, "")
	n.problem(n.ask("GET", base+"/inbox/nothing", nil), 404, "no such entry")
}

// Who may not, does not; and TLP:RED is told to the people it names alone.
func TestSayingRightsOverTheAPI(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	entry := base + "/inbox/" + get[List[InboxEntry]](n, base+"/inbox?kind=concern").Items[0].ID
	auditor := as(n.tokens["beanline/auditor"])
	for path, body := range map[string]any{
		base + "/statements": map[string]any{"kind": "practice", "title": "x", "text": "x", "label": "TLP:GREEN", "everyone": true}, entry + "/acknowledge": nil,
		entry + "/answer": map[string]any{"text": "x"}, entry + "/pass-on": map[string]any{"preview": true}, base + "/files": nil,
	} {
		if w := n.tell(path, body, auditor); w.Code != 403 {
			t.Errorf("%s as an auditor: %d %s", path, w.Code, w.Body)
		}
	}
	if e := get[InboxEntry](n, entry, auditor); e.Title == "" {
		t.Errorf("an auditor reads %+v", e)
	}
	other := as(n.tokens["rosthof/owner"])
	beanline := get[List[Partnership]](n, base+"/partners", other).Items[0].Party
	answerAs[Said](t, n.tell(base+"/statements", map[string]any{
		"kind": "practice", "title": "Only for one", "text": "the gate", "label": "TLP:RED", "named": []string{string(entente.RoleAnalyst)}, "to": []string{beanline},
	}, other))
	n.exchange()
	red := get[List[InboxEntry]](n, base+"/inbox?label=TLP%3ARED").Items[0]
	if !red.Hidden || red.Title != "" || red.Body != nil || red.Subject != "" {
		t.Errorf("another person is told %+v", red)
	}
	if w := n.tell(base+"/inbox/"+red.ID+"/acknowledge", nil); w.Code != 403 {
		t.Errorf("another person acknowledges: %d", w.Code)
	}
	if e := get[InboxEntry](n, base+"/inbox/"+red.ID, as(n.tokens["beanline/analyst"])); e.Hidden || e.Title != "Only for one" {
		t.Errorf("whom it is for is told %+v", e)
	}
	if identity.NeedsFresh(identity.ExchangeShare) {
		t.Error("a token cannot prove anything anew")
	}
}
