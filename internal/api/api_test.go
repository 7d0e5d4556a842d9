package api

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

// Every operation × every role × the own and another organisation answers as the
// table of rights says, and an operation that is not in the list cannot be reached.
func TestRightsOfEveryOperation(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	tried := 0
	narrow := map[identity.Verb]string{ // tokens of an owner, each for one verb alone
		identity.ChainRead:    n.token("beanline", entente.RoleOwner, identity.ChainRead),
		identity.AdvisoryRead: n.token("beanline", entente.RoleOwner, identity.AdvisoryRead),
	}
	for _, o := range operations() {
		ids := []string{""}
		if o.object != "" || strings.Contains(o.path, "{") {
			ids = []string{"bean-procurement", "bean-distribution", "no-such-thing", "supply no-such-thing"}
		}
		for _, role := range entente.Roles() {
			for _, org := range []entente.OrgID{"beanline", "rosthof"} {
				token, has := n.tokens[string(org)+"/"+string(role)]
				if !has {
					continue // the role can make no tokens, and so has no way in
				}
				actor := n.person(org, role)
				allowed := identity.TokenVerbs(actor)
				actor.Door, actor.Verbs = entente.DoorAPI, []string{}
				for _, v := range allowed {
					actor.Verbs = append(actor.Verbs, string(v))
				}
				for _, id := range ids {
					object := o.on(org, func(name string) string { return param(name, id) })
					may, _ := identity.Can(actor, o.verb, object)
					path := base + filled(o.path, id)
					w := n.ask(o.method, path, nil, as(token))
					tried++
					denied := w.Code == http.StatusForbidden
					if may == denied || w.Code == http.StatusUnauthorized || w.Code >= 500 {
						t.Errorf("%s %s as %s of %s: %d, and the table says %v", o.method, path, role, org, w.Code, may)
					}
				}
			}
		}
		// A token for another verb, no token, a broken one.
		other := identity.ChainRead
		if o.verb == other {
			other = identity.AdvisoryRead
		}
		path := base + filled(o.path, "x")
		n.problem(n.ask(o.method, path, nil, as(narrow[other])), 403, string(o.verb))
		n.problem(n.ask(o.method, path, nil, func(r *http.Request) { r.Header.Del("Authorization") }), 401, "API token")
		n.problem(n.ask(o.method, path, nil, as("ent_nonsense")), 401, "API token")
		n.problem(n.ask(o.method, path, nil, func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: "session", Value: n.tokens["beanline/owner"]})
		}), 401, "API token")
	}
	t.Logf("%d operations, %d requests", len(operations()), tried)
}

// param fills a parameter of an address: the kind is process, unless the id says it.
func param(name, id string) string {
	kind, rest, named := strings.Cut(id, " ")
	if !named {
		kind, rest = "process", id
	}
	if name == "kind" {
		return kind
	}
	return rest
}

func filled(path, id string) string {
	return regexp.MustCompile(`\{[^}]+\}`).ReplaceAllStringFunc(path, func(name string) string { return param(strings.Trim(name, "{}"), id) })
}

// What one organisation holds is not there for another, whoever asks.
func TestOrganisationsAreApart(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	other := as(n.tokens["rosthof/owner"])
	if got := get[Process](n, base+"/processes/bean-procurement"); got.Name == "" {
		t.Fatalf("beanline has no bean procurement: %+v", got)
	}
	n.problem(n.ask("GET", base+"/processes/bean-procurement", nil, other), 404, "bean-procurement")
	mine := get[List[Supplier]](n, base+"/suppliers?limit=200")
	theirs := get[List[Supplier]](n, base+"/suppliers?limit=200", other)
	if len(mine.Items) == 0 || len(theirs.Items) == 0 || len(mine.Items) == len(theirs.Items) {
		t.Errorf("%d and %d suppliers", len(mine.Items), len(theirs.Items))
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	n.problem(n.ask("GET", base+"/nonsense", nil), 404, "no operation")
	n.problem(n.ask("GET", "/api/", nil), 404, "no operation")
	w := n.ask("DELETE", base+"/processes", nil)
	n.problem(w, 405, "DELETE")
	if w.Header().Get("Allow") != "GET" {
		t.Errorf("Allow: %v", w.Header()["Allow"])
	}
	n.problem(n.ask("GET", base+"/processes?limit=0", nil), 422, "query.limit")
	n.problem(n.ask("GET", base+"/processes?limit=5000", nil), 422, "query.limit")
	n.problem(n.ask("GET", base+"/processes?colour=blue", nil), 422, "query.colour")
	n.problem(n.ask("GET", base+"/processes?cursor=xyz", nil), 422, "query.cursor")
}

// A fault of the program shows its id, and nothing else.
func TestFaultsStayInside(t *testing.T) {
	d := dbtest.SQLite(t)
	n := newNode(t, d)
	fault := func(err error, panics bool) func(*server, http.ResponseWriter, *http.Request) {
		return func(s *server, w http.ResponseWriter, r *http.Request) {
			if panics {
				panic(err)
			}
			s.refuse(w, r, err)
		}
	}
	for _, panics := range []bool{false, true} {
		s := &server{Rooms: n.rooms, db: d, auth: n.rooms.Identity, mux: http.NewServeMux(), log: slog.New(slog.NewTextHandler(n.log, nil))}
		s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			fault(errors.New("the table secret_table is locked"), panics)(s, w, r)
		})
		w := httptest.NewRecorder()
		s.recovered().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		p := n.problem(w, 500, "")
		if p.ID == "" || p.Detail != "" || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("panics %v: %s", panics, w.Body)
		}
		if !strings.Contains(n.log.String(), p.ID) || !strings.Contains(n.log.String(), "secret_table") {
			t.Errorf("panics %v: the log does not hold the cause:\n%s", panics, n.log)
		}
	}
}

func TestETags(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		for _, path := range []string{"/processes", "/processes/bean-procurement", "/map", "/concentration", "/me", "/events"} {
			first := n.ask("GET", base+path, nil)
			tag := first.Header().Get("ETag")
			if first.Code != 200 || tag == "" {
				t.Fatalf("%s: %d %v", path, first.Code, first.Header())
			}
			if again := n.ask("GET", base+path, nil, with("If-None-Match", tag)); again.Code != 304 || again.Body.Len() > 0 {
				t.Errorf("%s: %d %s", path, again.Code, again.Body)
			}
		}
		// A change under a condition: it holds once.
		w := n.ask("GET", base+"/processes/bean-procurement", nil)
		tag, body := w.Header().Get("ETag"), w.Body.String()
		changed := strings.Replace(body, `"name":"`, `"name":"Changed `, 1)
		put := func(body, tag string) *httptest.ResponseRecorder {
			return n.ask("PUT", base+"/processes/bean-procurement", strings.NewReader(body), with("Content-Type", "application/json"), with("If-Match", tag))
		}
		if w := put(changed, tag); w.Code != 200 || w.Header().Get("ETag") == tag {
			t.Fatalf("the change: %d %v %s", w.Code, w.Header(), w.Body)
		}
		n.problem(put(body, tag), 412, "changed since")
		n.problem(put(body, `"nonsense"`), 412, "revision")
		if got := get[Process](n, base+"/processes/bean-procurement"); !strings.HasPrefix(got.Name, "Changed ") {
			t.Errorf("the process is %+v", got)
		}
	})
}

// Every thing can be read, put back, changed, undone and removed, by its own state.
func TestThings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		g, err := n.rooms.Chain.Graph(t.Context(), entente.System("beanline", entente.DoorCommand))
		must(t, err)
		m := g.Map()
		for kind, id := range map[string]chain.NodeID{
			"organisation": m.Organisations[1].ID, "process": m.Processes[0].ID, "system": m.Systems[0].ID,
			"supply": m.Supplies[0].ID, "product": m.Products[0].ID, "flow": m.Flows[0].ID,
		} {
			path := base + "/things/" + kind + "/" + string(id)
			put := func(fields map[string]any, tag string) *httptest.ResponseRecorder {
				text, err := json.Marshal(fields)
				must(t, err)
				return n.ask("PUT", path, bytes.NewReader(text), with("Content-Type", "application/json"), with("If-Match", tag))
			}
			first := n.ask("GET", path, nil)
			tag := first.Header().Get("ETag")
			thing := get[map[string]any](n, path)
			if w := put(thing, tag); w.Code != 200 || !strings.Contains(w.Body.String(), `"unchanged":true`) {
				t.Errorf("%s back as it was: %d %s", path, w.Code, w.Body)
			}
			field := "name"
			if kind == "flow" {
				field = "interface"
			}
			before := thing[field]
			thing[field] = "Changed"
			if w := put(thing, tag); w.Code != 200 || !strings.Contains(w.Body.String(), `"unchanged":false`) {
				t.Fatalf("%s changed: %d %s", path, w.Code, w.Body)
			}
			n.problem(put(thing, tag), 412, "changed")
			n.problem(put(thing, ""), 409, "already")
			thing["colour"] = "blue"
			n.problem(put(thing, n.ask("GET", path, nil).Header().Get("ETag")), 422, "colour")
			past := get[List[PastChange]](n, path+"/history").Items
			if len(past) == 0 || past[0].Door != "api" || !strings.Contains(past[0].After, "Changed") {
				t.Fatalf("%s history: %+v", path, past)
			}
			undo := n.ask("POST", path+"/undo", strings.NewReader(`{"n":`+strconv.FormatInt(past[0].N, 10)+`}`), with("Content-Type", "application/json"))
			if undo.Code != 200 || get[map[string]any](n, path)[field] != before {
				t.Errorf("%s undone: %d %s", path, undo.Code, undo.Body)
			}
		}
		gone := base + "/things/flow/" + string(m.Flows[0].ID)
		n.problem(n.ask("DELETE", gone, nil), 422, "If-Match")
		if w := n.ask("DELETE", gone, nil, with("If-Match", n.ask("GET", gone, nil).Header().Get("ETag"))); w.Code != 200 {
			t.Errorf("removed: %d %s", w.Code, w.Body)
		}
		n.problem(n.ask("GET", gone, nil), 404, "flow")
	})
}

// A process that is read and put back is the same.
func TestProcessesComeBackAsTheyWent(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	for _, p := range get[List[Process]](n, base+"/processes?limit=200").Items {
		body := n.ask("GET", base+"/processes/"+p.ID, nil).Body.String()
		w := n.ask("PUT", base+"/processes/"+p.ID, strings.NewReader(body), with("Content-Type", "application/json"))
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"unchanged":true`) {
			t.Errorf("%s: %d %s", p.ID, w.Code, w.Body)
		}
	}
}

func TestMapComesBackAsItWent(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	w := n.ask("GET", base+"/map", nil)
	if w.Code != 200 || w.Header().Get("Content-Type") != mapType {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	text, tag := w.Body.Bytes(), w.Header().Get("ETag")
	same := n.ask("PUT", base+"/map", bytes.NewReader(text), with("If-Match", tag))
	if same.Code != 200 || !strings.Contains(same.Body.String(), `"unchanged":true`) {
		t.Errorf("%d %s", same.Code, same.Body)
	}
	smaller := bytes.Replace(text, []byte("Bean procurement"), []byte("Buying beans"), 1)
	if w := n.ask("PUT", base+"/map", bytes.NewReader(smaller), with("If-Match", tag)); w.Code != 200 || !strings.Contains(w.Body.String(), `"unchanged":false`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	n.problem(n.ask("PUT", base+"/map", bytes.NewReader(text), with("If-Match", tag)), 412, "changed since")
	p := n.problem(n.ask("PUT", base+"/map", strings.NewReader("format: entente.map/1\norganisation: x\ncolour: blue\n")), 422, "colour")
	if len(p.Errors) == 0 || p.Errors[0].Line == 0 {
		t.Errorf("the places: %+v", p.Errors)
	}
	n.problem(n.ask("PUT", base+"/map", io.LimitReader(endless{}, 32<<20)), 413, "16 MiB")
	n.problem(n.ask("PUT", base+"/map", io.MultiReader(bytes.NewReader(text[:500]), broken{})), 400, "broke off")
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	return len(p), nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestRecordingAnSBOM(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		text := `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"lodash","version":"4.17.20","purl":"pkg:npm/lodash@4.17.20"},{"type":"library","name":"loose"}]}`
		product := get[List[Product]](n, base+"/products").Items[0].ID
		path := base + "/products/" + product + "/sboms?file=portal.cdx.json"
		post := func(body string, set ...func(*http.Request)) *httptest.ResponseRecorder {
			return n.ask("POST", path, strings.NewReader(body), set...)
		}
		key := with("Idempotency-Key", "upload-1")
		first := post(text, key)
		var doc Document
		must(t, json.Unmarshal(first.Body.Bytes(), &doc))
		if first.Code != 201 || doc.Product != product || doc.Counts.Components != 2 || doc.Counts.Assessable != 1 || !doc.Current || doc.File != "portal.cdx.json" {
			t.Fatalf("%d %+v", first.Code, doc)
		}
		if again := post(text, key); again.Code != 201 || again.Header().Get(headerReplayed) != "true" || again.Body.String() != first.Body.String() {
			t.Errorf("repeated: %d %s", again.Code, again.Body)
		}
		n.problem(post(text+" ", key), 422, "another body")
		if same := post(text); same.Code != 200 || same.Header().Get("Location") != first.Header().Get("Location") {
			t.Errorf("the same bytes: %d %s", same.Code, same.Body)
		}
		if got := get[Document](n, first.Header().Get("Location")); got.SHA256 != doc.SHA256 {
			t.Errorf("the document is %+v", got)
		}
		if uses := get[List[PackageUse]](n, base+"/packages?search=lodash"); len(uses.Items) == 0 || uses.Items[0].Products == 0 {
			t.Errorf("lodash is in %+v", uses)
		}
		n.problem(post(text[:90]), 422, "portal.cdx.json")
		n.problem(n.ask("POST", path, io.MultiReader(strings.NewReader(text[:90]), broken{})), 400, "broke off")
		n.problem(n.ask("POST", base+"/products/no-such-product/sboms", strings.NewReader(text)), 404, "no-such-product")
		n.problem(n.ask("POST", path, strings.NewReader(text), as(n.tokens["beanline/auditor"])), 403, "inventory.upload")
		if w := n.ask("DELETE", first.Header().Get("Location"), nil); w.Code != 200 {
			t.Errorf("withdrawn: %d %s", w.Code, w.Body)
		}
		n.problem(n.ask("DELETE", first.Header().Get("Location"), nil), 409, "removed already")
	})
}

func TestWhatIf(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	single := get[Concentration](n, base+"/concentration").SinglePoints
	if len(single) == 0 {
		t.Fatal("nothing in the demonstration stops a process alone")
	}
	for _, point := range single {
		got := get[WhatIf](n, base+"/what-if?horizon=520w&down="+point.ID)
		if len(got.Processes) == 0 || got.Cost == nil || got.Stops < len(got.Processes) {
			t.Errorf("%s: %+v", point.ID, got)
		}
		if few := get[WhatIf](n, base+"/what-if?horizon=520w&processes=1&down="+point.ID); len(few.Processes) != 1 || few.Total != len(got.Processes) || *few.Cost != *got.Cost {
			t.Errorf("%s, one process told: %+v", point.ID, few)
		}
		for _, p := range got.Processes {
			if p.Why == "" || len(p.Path) == 0 || p.Path[len(p.Path)-1].ID != point.ID {
				t.Errorf("%s stops %s without a path: %+v", point.ID, p.ID, p)
			}
			for _, id := range p.Call {
				if !slices.ContainsFunc(got.Call, func(c WhomToCall) bool { return c.Organisation == id }) {
					t.Errorf("%s is to be called, and is not in the list", id)
				}
			}
		}
	}
	n.problem(n.ask("GET", base+"/what-if", nil), 422, "query.down")
	n.problem(n.ask("GET", base+"/what-if?down=atlantis", nil), 422, "atlantis")
	n.problem(n.ask("GET", base+"/what-if?horizon=soon&down="+single[0].ID, nil), 422, "query.horizon")
}

func TestEventsAndTheirProof(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	var forward, back []int64
	for path := base + "/events?limit=7&after=0"; path != ""; {
		page := get[List[Event]](n, path)
		for _, e := range page.Items {
			forward = append(forward, e.Seq)
		}
		path = ""
		if page.Next != "" {
			path = base + "/events?limit=7&after=0&cursor=" + page.Next
		}
	}
	for path := base + "/events?limit=7"; path != ""; {
		page := get[List[Event]](n, path)
		for _, e := range page.Items {
			back = append(back, e.Seq)
		}
		path = ""
		if page.Next != "" {
			path = base + "/events?limit=7&cursor=" + page.Next
		}
	}
	slices.Reverse(back)
	if len(forward) < 8 || forward[0] != 1 || forward[len(forward)-1] != int64(len(forward)) || !slices.Equal(forward, back) {
		t.Errorf("forward %v\nback %v", forward, back)
	}
	n.problem(n.ask("GET", base+"/journal/verification", nil), 404, "not verified")
	if w := n.ask("POST", base+"/journal/verification", nil); w.Code != 200 {
		t.Errorf("verifying: %d %s", w.Code, w.Body)
	}
	if v := get[Verification](n, base+"/journal/verification"); !v.Intact || v.Events != int64(len(forward)) || len(v.Hash) != 64 {
		t.Errorf("verification %+v of %d", v, len(forward))
	}
}

func TestDrawings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		draw := func(path string, holds ...string) string {
			t.Helper()
			w := n.ask("GET", base+"/drawings/"+path, nil)
			text := w.Body.String()
			if w.Code != 200 || w.Header().Get("Content-Type") != svgType || w.Header().Get("ETag") == "" || strings.Contains(text, "href") {
				t.Fatalf("%s: %d %v %.300s", path, w.Code, w.Header(), text)
			}
			for from := xml.NewDecoder(w.Body); ; {
				if _, err := from.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%s is no XML: %v", path, err)
				}
			}
			for _, part := range holds {
				if !strings.Contains(text, part) {
					t.Errorf("%s holds no %q", path, part)
				}
			}
			return text
		}
		draw("data-flows", "<style>", "<title>Data flows</title>", `class="boundary focus"`, "edge crosses", "order API")
		if inside := draw("data-flows?boundary=inside&class=internal"); strings.Contains(inside, "edge crosses") {
			t.Error("what stays inside crosses a boundary")
		}
		draw("data-flows?process=bean-procurement", "Data flows of Bean procurement")
		whole := draw("processes/bean-procurement", "Rank 1", "Rank 2", "single point", "edge dashed", "The chain of Bean procurement")
		if near := draw("processes/bean-procurement?steps=1"); len(near) >= len(whole) {
			t.Error("one step is as far as all")
		}
		n.problem(n.ask("GET", base+"/drawings/processes/atlantis", nil), 404, "atlantis")
		n.problem(n.ask("GET", base+"/drawings/data-flows?process=atlantis", nil), 404, "atlantis")
	})
}

// The journal comes as a file with a right of its own, and is what list-events tells.
func TestJournalAsAFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		all := get[List[Event]](n, base+"/events?after=0&limit=200").Items
		lines := n.ask("GET", base+"/journal/export?format=jsonl", nil)
		if lines.Code != 200 || lines.Header().Get("Content-Type") != linesType || lines.Header().Get("ETag") == "" {
			t.Fatalf("%d %v", lines.Code, lines.Header())
		}
		var events []Event
		for from := json.NewDecoder(lines.Body); from.More(); {
			var e Event
			must(t, from.Decode(&e))
			events = append(events, e)
		}
		if len(all) < 10 || !slices.EqualFunc(events[:len(all)], all, func(a, b Event) bool { return a.Hash == b.Hash && a.At.Equal(b.At) && a.Subject == b.Subject }) {
			t.Errorf("the file holds %d events and not those of the list, %d", len(events), len(all))
		}
		sheet, err := csv.NewReader(n.ask("GET", base+"/journal/export?after=3", nil).Body).ReadAll()
		must(t, err)
		if len(sheet) != len(events)-3+1 || sheet[0][1] != "at" || sheet[1][0] != "4" || sheet[1][10] != events[3].Hash {
			t.Errorf("the CSV file has %d rows: %v", len(sheet), sheet[:2])
		}
		span := fmt.Sprintf("?format=jsonl&from=%s&to=%s", url.QueryEscape(events[4].At.Format(time.RFC3339Nano)), url.QueryEscape(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)))
		if w := n.ask("GET", base+"/journal/export"+span, nil); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("a span without events: %d %s", w.Code, w.Body)
		}
		n.problem(n.ask("GET", base+"/journal/export", nil, as(n.token("beanline", entente.RoleOwner, identity.JournalRead))), 403, "journal.export")
		n.problem(n.ask("GET", base+"/journal/export?format=xlsx", nil), 422, "query.format")
	})
}

// The main job over HTTP: advisories go in, whom they hit comes out, by any name.
func TestImpact(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		hits := get[List[ListedAdvisory]](n, base+"/advisories?hits=true&order=hits")
		if len(hits.Items) == 0 || *hits.Total != len(hits.Items) {
			t.Fatalf("no advisory of the demonstration hits: %+v", hits)
		}
		reached := false
		for _, a := range hits.Items {
			for _, name := range append(a.Names, strings.ToLower(a.ID)) {
				got := get[Impact](n, base+"/advisories/"+name+"/impact")
				if got.Advisory.ID != a.ID || got.Counts.Products != a.Products || got.Counts.Products != len(got.Products) {
					t.Errorf("%s: %+v", name, got.Counts)
				}
				for _, p := range got.Processes {
					if p.Sure != "" && (len(p.Way) == 0 || p.Way[0].From != p.Product || p.Way[len(p.Way)-1].To != p.ID || !strings.Contains(p.Because, " affects ")) {
						t.Errorf("%s reaches %s by %+v", name, p.ID, p.Way)
					}
					reached = reached || p.ID == "bean-procurement" && len(p.Way) >= 3
				}
			}
			if one := get[Impact](n, base+"/advisories/"+a.ID+"/impact?processes=1&products=1&calls=1"); len(one.Processes) > 1 || len(one.Products) > 1 || len(one.Call) > 1 {
				t.Errorf("%s: %d processes, %d products, %d calls", a.ID, len(one.Processes), len(one.Products), len(one.Call))
			}
			detail := get[AdvisoryDetail](n, base+"/advisories/"+a.ID)
			if len(detail.Records) == 0 || len(detail.Matches) == 0 || len(detail.Records[0].OSV) < 100 {
				t.Errorf("%s: %+v", a.ID, detail)
			}
			product := get[Impact](n, base+"/advisories/"+a.ID+"/impact").Products[0].ID
			findings := get[List[Finding]](n, base+"/products/"+product+"/findings?limit=200")
			if !slices.ContainsFunc(findings.Items, func(f Finding) bool { return f.Advisory.ID == a.ID }) {
				t.Errorf("%s is not among the findings of %s", a.ID, product)
			}
		}
		if !reached {
			t.Error("nothing reaches bean procurement over three hops")
		}
		n.problem(n.ask("GET", base+"/advisories/CVE-1999-0001/impact", nil), 404, "CVE-1999-0001")
	})
}

func TestRecordingAdvisories(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	record := `{"id":"TEST-2026-1","modified":"2026-01-01T00:00:00Z","summary":"a test","affected":[{"package":{"ecosystem":"npm","name":"left-pad"},"versions":["1.0.0"]}]}`
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range []string{"TEST-2026-2.json", "TEST-2026-3.json", "README.md"} {
		f, err := z.Create(name)
		must(t, err)
		io.WriteString(f, strings.Replace(record, "TEST-2026-1", strings.TrimSuffix(name, ".json"), 1))
	}
	must(t, z.Close())
	post := func(body string) IngestReport {
		t.Helper()
		w := n.ask("POST", base+"/advisories", strings.NewReader(body))
		var r IngestReport
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &r))
		return r
	}
	if r := post(record); r.New != 1 {
		t.Errorf("one record: %+v", r)
	}
	if r := post(record); r.Unchanged != 1 || r.New != 0 {
		t.Errorf("the same again: %+v", r)
	}
	if r := post(archive.String()); r.New != 2 || r.Skipped != 1 {
		t.Errorf("an archive: %+v", r)
	}
	if r := post("{\"id\":\n"); len(r.Wrong) != 1 {
		t.Errorf("broken JSON: %+v", r)
	}
	n.problem(n.ask("POST", base+"/advisories", io.MultiReader(strings.NewReader(archive.String()[:100]), broken{})), 400, "broke off")
	if got := get[AdvisoryTotals](n, base+"/advisory-totals"); got.Records < 3 || !slices.Contains(got.Ecosystems, "npm") {
		t.Errorf("totals %+v", got)
	}
}
