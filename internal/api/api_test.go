package api

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

// Every operation × every role × the own and another organisation answers as the
// table of rights says, and an operation that is not in the list cannot be reached.
func TestRightsOfEveryOperation(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	tried := 0
	for _, o := range operations() {
		ids := []string{""}
		if o.object != "" || strings.Contains(o.path, "{") {
			ids = []string{"bean-procurement", "bean-distribution", "no-such-thing"}
		}
		for _, role := range entente.Roles() {
			for _, org := range []entente.OrgID{"beanline", "rosthof"} {
				token, has := n.tokens[string(org)+"/"+string(role)]
				if !has {
					continue // the role can make no tokens, and so has no way in
				}
				actor := n.person(org, role)
				narrow := identity.TokenVerbs(actor)
				actor.Door, actor.Verbs = entente.DoorAPI, []string{}
				for _, v := range narrow {
					actor.Verbs = append(actor.Verbs, string(v))
				}
				for _, id := range ids {
					object := identity.Object{Kind: o.kind, Org: org}
					if o.object != "" {
						object.ID = id
					}
					may, _ := identity.Can(actor, o.verb, object)
					path := base + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(o.path, id)
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
		path := base + regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(o.path, "x")
		n.problem(n.ask(o.method, path, nil, as(n.token("beanline", entente.RoleOwner, other))), 403, string(o.verb))
		n.problem(n.ask(o.method, path, nil, func(r *http.Request) { r.Header.Del("Authorization") }), 401, "API token")
		n.problem(n.ask(o.method, path, nil, as("ent_nonsense")), 401, "API token")
		n.problem(n.ask(o.method, path, nil, func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: "session", Value: n.tokens["beanline/owner"]})
		}), 401, "API token")
	}
	t.Logf("%d operations, %d requests", len(operations()), tried)
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
