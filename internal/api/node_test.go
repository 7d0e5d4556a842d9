package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/search"
	"github.com/entente-project/entente/internal/threat"
)

// node is an API over real rooms that hold the demonstration: beanline whole, and
// rosthof as the other organisation.
type node struct {
	t       testing.TB
	db      *db.DB
	rooms   Rooms
	runner  *journal.Runner
	handler http.Handler
	log     *bytes.Buffer
	now     func() time.Time  // of the exchange
	tokens  map[string]string // "beanline/owner" → token for all that the role can have
}

// cheap makes passwords quick to check; they are not what is tested here.
var cheap = identity.PasswordCost{Memory: 128, Passes: 1, Threads: 1}

const password = "long enough for anybody"

func newNode(t testing.TB, d *db.DB) *node {
	t.Helper()
	ctx := t.Context()
	n := &node{t: t, db: d, now: time.Now, log: &bytes.Buffer{}, tokens: map[string]string{}}
	var err error
	n.rooms.Identity, err = identity.New(ctx, d, identity.Config{Cost: cheap})
	must(t, err)
	n.rooms.Chain = chain.New(d)
	n.rooms.Inventory = inventory.New(d, inventory.Options{Temp: t.TempDir()})
	n.rooms.Advisory = advisory.New(d, n.rooms.Chain, advisory.Options{})
	n.rooms.Partner = partner.New(d, n.rooms.Chain)
	n.rooms.Search = search.New(n.rooms.Chain, n.rooms.Inventory, n.rooms.Advisory, n.rooms.Identity)
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	must(t, err)
	n.rooms.Notify = notify.New(d, n.rooms.Identity, notify.Config{Key: key, Origin: "https://entente.example", AllowPrivate: true})
	n.rooms.Exchange = exchange.New(d, n.rooms.Identity, exchange.Config{Key: key, Origin: "https://entente.example", AllowPrivate: true, Now: func() time.Time { return n.now() }})
	n.rooms.Threat = threat.New(d)
	n.rooms.Carry = carry.New(n.rooms.Exchange, n.rooms.Chain, n.rooms.Inventory, n.rooms.Advisory, n.rooms.Threat)
	jobs := n.rooms.Advisory.Jobs()
	maps.Copy(jobs, n.rooms.Chain.Jobs())
	maps.Copy(jobs, n.rooms.Notify.Jobs())
	n.runner = journal.NewRunner(d, nil, append(n.rooms.Advisory.Consumers(), n.rooms.Notify.Consumers()...), jobs)
	n.handler, err = New(Config{DB: d, Auth: n.rooms.Identity, Rooms: n.rooms, Version: "test", Log: slog.New(slog.NewTextHandler(n.log, nil))})
	must(t, err)
	for _, o := range []string{"beanline", "rosthof"} {
		n.organisation(o)
	}
	n.hooks()
	n.partners()
	n.told()
	return n
}

// partners makes the two organisations partners.
func (n *node) partners() {
	n.t.Helper()
	ticket, _, err := n.rooms.Exchange.Invite(n.t.Context(), entente.System("beanline", entente.DoorCommand), exchange.NewInvitation{
		Name: "Rosthof", KnownAs: "rosthof", Terms: exchange.StandardTerms(true, true, time.Now()),
	})
	must(n.t, err)
	_, err = n.rooms.Exchange.Accept(n.t.Context(), entente.System("rosthof", entente.DoorCommand), ticket.Link(), []entente.Contact{{Name: "IT on call"}}, "beanline")
	must(n.t, err)
	for i := range 40 {
		_, _, err := n.rooms.Exchange.Say(n.t.Context(), entente.System("beanline", entente.DoorCommand), exchange.NewStatement{
			Kind: entente.EntryPractice, Title: fmt.Sprintf("Practice %d", i), Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{"text":"try your backups"}`),
		})
		must(n.t, err)
	}
}

// told lets rosthof tell beanline what an inbox can hold: a concern, an SBOM with its
// file, and good practice.
func (n *node) told() {
	n.t.Helper()
	ctx, rosthof := n.t.Context(), entente.System("rosthof", entente.DoorCommand)
	blob, err := n.rooms.Exchange.PutBlob(ctx, rosthof, "roaster.cdx.json", "application/vnd.cyclonedx+json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1}`))
	must(n.t, err)
	for _, s := range []exchange.NewStatement{
		{Kind: entente.EntryConcern, Title: "Who holds the keys?", Body: json.RawMessage(`{"title":"Who holds the keys?","text":"Tell us.","answer_by":"2026-01-02T00:00:00Z"}`)},
		{Kind: entente.EntrySBOM, Title: "Roaster 3", Body: json.RawMessage(`{"product":"Roaster 3"}`), Blobs: []entente.Blob{blob}},
		{Kind: entente.EntryPractice, Title: "Backups", Body: json.RawMessage(`{"title":"Backups","text":"Restore one every month."}`)},
	} {
		s.Everyone, s.Marking.TLP = true, entente.TLPAmber
		_, _, err := n.rooms.Exchange.Say(ctx, rosthof, s)
		must(n.t, err)
	}
	n.exchange()
}

// exchange lets the feeds of the two organisations come to rest.
func (n *node) exchange() {
	n.t.Helper()
	for _, org := range []entente.OrgID{"rosthof", "beanline", "rosthof", "beanline"} {
		must(n.t, journal.NewRunner(n.db, nil, nil, n.rooms.Exchange.Jobs()).CatchUp(n.t.Context(), org))
	}
}

// organisation sets up one organisation with a member of every role, each with a
// token for all that the role can have.
func (n *node) organisation(name string) {
	n.t.Helper()
	ctx := n.t.Context()
	org := entente.OrgID(name)
	_, err := n.rooms.Identity.CreateOrganisation(ctx, identity.NewOrganisation{ID: org, Name: name, Owner: identity.NewPerson{
		Name: "owner", Email: "owner@" + name + ".example", Password: password,
	}})
	must(n.t, err)
	system := entente.System(org, entente.DoorCommand)
	for _, role := range entente.Roles() {
		var scope []string
		switch role {
		case entente.RoleBusinessOwner:
			scope = []string{"bean-procurement"}
		case entente.RoleContact:
			scope = []string{"partnership-1"}
		}
		if role != entente.RoleOwner {
			_, err := n.rooms.Identity.AddMember(ctx, system, identity.NewMember{
				NewPerson: identity.NewPerson{Name: string(role), Email: string(role) + "@" + name + ".example", Password: password}, Role: role, Scope: scope,
			})
			must(n.t, err)
		}
		if ok, _ := identity.Can(n.person(org, role), identity.TokenManage, identity.In(org)); ok {
			n.tokens[name+"/"+string(role)] = n.token(org, role)
		}
	}
	text, err := fs.ReadFile(catalog.Files(), name+".yaml")
	must(n.t, err)
	m, err := chain.ParseMap(bytes.NewReader(text), name)
	must(n.t, err)
	_, err = n.rooms.Chain.Import(ctx, system, m)
	must(n.t, err)
	for _, p := range m.Products {
		for _, pattern := range p.SBOMs {
			files, err := fs.Glob(catalog.Files(), catalog.SBOMs+"/"+pattern)
			must(n.t, err)
			for _, file := range files {
				f, err := catalog.Files().Open(file)
				must(n.t, err)
				_, _, err = n.rooms.Inventory.Record(ctx, system, p.ID, file, f)
				must(n.t, err)
				must(n.t, f.Close())
			}
		}
	}
	files, err := fs.Sub(catalog.Files(), catalog.Advisories)
	must(n.t, err)
	_, err = n.rooms.Advisory.Ingest(ctx, system, advisory.FromFS(files, "the demonstration"), advisory.IngestOptions{})
	must(n.t, err)
	must(n.t, n.runner.CatchUp(ctx, org))
}

// hooks registers some webhooks of beanline, each of which is told a test.
func (n *node) hooks() {
	n.t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	owner := n.person("beanline", entente.RoleOwner)
	for i := range 15 {
		_, made, err := n.rooms.Notify.CreateHook(n.t.Context(), owner, notify.NewHook{Name: fmt.Sprintf("Hook %d", i), URL: receiver.URL, Kinds: []journal.Kind{"chain.imported"}})
		must(n.t, err)
		must(n.t, n.rooms.Notify.TestHook(n.t.Context(), owner, made.ID))
	}
	must(n.t, n.runner.CatchUp(n.t.Context(), "beanline"))
}

// token makes a token of the member with the role, for the verbs given, or all that
// it can be made for.
func (n *node) token(org entente.OrgID, role entente.Role, verbs ...identity.Verb) string {
	n.t.Helper()
	actor := n.person(org, role)
	if len(verbs) == 0 {
		verbs = identity.TokenVerbs(actor)
	}
	text, _, err := n.rooms.Identity.CreateToken(n.t.Context(), actor, identity.NewToken{Name: fmt.Sprintf("%s %d", role, len(verbs)), Verbs: verbs, Life: time.Hour})
	must(n.t, err)
	return text
}

// person signs the member with the role in, as at a page.
func (n *node) person(org entente.OrgID, role entente.Role) entente.Actor {
	n.t.Helper()
	members, err := n.rooms.Identity.Members(n.t.Context(), entente.System(org, entente.DoorCommand))
	must(n.t, err)
	for _, m := range members {
		if m.Role == role {
			actor, err := n.rooms.Identity.Actor(n.t.Context(), m.Person.ID, org, entente.DoorPage)
			must(n.t, err)
			return actor
		}
	}
	n.t.Fatalf("%s has nobody as %s", org, role)
	return entente.Actor{}
}

// ask sends one request as the owner of beanline, unless who says otherwise.
func (n *node) ask(method, path string, body io.Reader, set ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, path, body)
	r.Header.Set("Authorization", "Bearer "+n.tokens["beanline/owner"])
	for _, s := range set {
		s(r)
	}
	w := httptest.NewRecorder()
	n.handler.ServeHTTP(w, r)
	return w
}

func as(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// get answers the JSON of a GET that must succeed.
func get[T any](n *node, path string, set ...func(*http.Request)) T {
	n.t.Helper()
	w := n.ask("GET", path, nil, set...)
	var out T
	if w.Code != 200 {
		n.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	must(n.t, json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

// problem checks that an answer is the problem that is expected, and gives it.
func (n *node) problem(w *httptest.ResponseRecorder, status int, part string) Problem {
	n.t.Helper()
	var p Problem
	if w.Code != status || w.Header().Get("Content-Type") != problemType {
		n.t.Errorf("got %d %s %s, want the problem %d", w.Code, w.Header().Get("Content-Type"), w.Body, status)
		return p
	}
	must(n.t, json.Unmarshal(w.Body.Bytes(), &p))
	text := p.Detail
	for _, e := range p.Errors {
		text += "\n" + e.Field + ": " + e.Message
	}
	if p.Status != status || p.Title == "" || !strings.Contains(text, part) {
		n.t.Errorf("problem %+v, want one that says %q", p, part)
	}
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
