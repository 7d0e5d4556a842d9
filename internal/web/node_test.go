package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
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

const testPassword = "seven quiet beans in autumn"

// node is a whole node without a network: the pages over real rooms over SQLite.
type node struct {
	t testing.TB
	Config
	handler http.Handler
	key     seal.Key
	now     func() time.Time // of the exchange
}

func newNode(t testing.TB) *node {
	t.Helper()
	d := dbtest.SQLite(t)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	must(t, err)
	people, err := identity.New(t.Context(), d, identity.Config{Key: key, Origin: "http://localhost:8080", Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, Log: quiet})
	must(t, err)
	chains := chain.New(d)
	chains.NameWith(func(ctx context.Context, actor entente.Actor) (string, error) {
		o, err := people.Organisation(ctx, actor)
		return o.Name, err
	})
	n := &node{t: t, now: time.Now, Config: Config{
		DB: d, Identity: people, Chain: chains, Inventory: inventory.New(d, inventory.Options{Temp: t.TempDir()}),
		Advisory: advisory.New(d, chains, advisory.Options{}), Partner: partner.New(d, chains), Notify: notify.New(d, people, notify.Config{Key: key, Origin: "http://localhost:8080", AllowPrivate: true, Log: quiet}), Log: quiet,
	}}
	n.Exchange = exchange.New(d, people, exchange.Config{Key: key, Origin: "http://localhost:8080", AllowPrivate: true, Log: quiet, Now: func() time.Time { return n.now() }})
	n.Threat = threat.New(d)
	n.Carry = carry.New(n.Exchange, chains, n.Inventory, n.Advisory, n.Threat)
	n.Search = search.New(chains, n.Inventory, n.Advisory, people)
	n.key = key
	n.handler, err = New(n.Config)
	must(t, err)
	n.found("beanline", "Beanline")
	members, err := people.Members(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	for _, act := range []string{"", "/role", "/remove"} {
		examples["/o/{org}/people/{id}"+act] = string(members[0].Person.ID)
	}
	return n
}

// found sets up an organisation, whose owner is owner@<id>.example.
func (n *node) found(id entente.OrgID, name string) {
	n.t.Helper()
	_, err := n.Identity.CreateOrganisation(n.t.Context(), identity.NewOrganisation{
		ID: id, Name: name, Owner: identity.NewPerson{Name: "Owner of " + name, Email: "owner@" + string(id) + ".example", Password: testPassword},
	})
	must(n.t, err)
}

// tell brings in the demonstration: the map of Beanline, its SBOMs and advisories.
func (n *node) tell() {
	n.t.Helper()
	m := demoMap(n.t)
	system := entente.System("beanline", entente.DoorCommand)
	_, err := n.Chain.Import(n.t.Context(), system, m)
	must(n.t, err)
	_, err = n.Chain.KeepSheet(n.t.Context(), system, chain.SheetSuppliers, "suppliers.csv", chain.Sheet{
		Heading: []string{"Supplier", "Country"}, Rows: []chain.SheetRow{{Line: 2, Cells: []string{"Newcomer", "DE"}}, {Line: 3, Cells: []string{"Elsewhere", "Atlantis"}}},
	})
	must(n.t, err)
	names, err := fs.Glob(catalog.Files(), catalog.SBOMs+"/*")
	must(n.t, err)
	for _, name := range names {
		product := productFor(m, strings.TrimPrefix(name, catalog.SBOMs+"/"))
		if product == "" {
			continue
		}
		file, err := catalog.Files().Open(name)
		must(n.t, err)
		_, _, err = n.Inventory.Record(n.t.Context(), system, product, name, file)
		must(n.t, err)
		must(n.t, file.Close())
	}
	advisories, err := fs.Sub(catalog.Files(), catalog.Advisories)
	must(n.t, err)
	_, err = n.Advisory.Ingest(n.t.Context(), system, advisory.FromFS(advisories, "demonstration"), advisory.IngestOptions{})
	must(n.t, err)
	n.catchUp()
	_, hook, err := n.Notify.CreateHook(n.t.Context(), system, notify.NewHook{Name: "Ticket desk", URL: "https://desk.beanline.example/entente", Kinds: []journal.Kind{"advisory.matched"}})
	must(n.t, err)
	party := string(n.partnerOf("arabista", "Arabista Growers"))
	for _, act := range []string{"", "/quarantine", "/release", "/regain", "/compared", "/organisation", "/ask", "/disclosure", "/disclosure/tell", "/end", "/agreement", "/propose", "/sign", "/refuse", "/embargo", "/file", "/entries.jsonl"} {
		examples["/o/{org}/partners/{id}"+act] = party
	}
	n.tellConcerns()
	said, _, err := n.Exchange.Say(n.t.Context(), system, exchange.NewStatement{
		Kind: entente.EntryPractice, Title: "Backups that were tried", Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{"text":"try them"}`),
	})
	must(n.t, err)
	for _, act := range []string{"", "/record", "/recall", "/narrow", "/embargo"} {
		examples["/o/{org}/ledger/{id}"+act] = said
	}
	for _, act := range []string{"", "/pause", "/resume", "/secret", "/test", "/replay", "/remove"} {
		examples["/o/{org}/webhooks/{id}"+act] = hook.ID
	}
}

// partnerOf makes an organisation of the node a partner that supplies Beanline, and
// gives its name among all nodes.
func (n *node) partnerOf(id entente.OrgID, name string) entente.PartyID {
	n.t.Helper()
	n.found(id, name)
	us, them := entente.System("beanline", entente.DoorCommand), entente.System(id, entente.DoorCommand)
	ticket, _, err := n.Exchange.Invite(n.t.Context(), us, exchange.NewInvitation{Name: name, Terms: exchange.StandardTerms(true, false, time.Now())})
	must(n.t, err)
	_, err = n.Exchange.Accept(n.t.Context(), them, ticket.Link(), nil, "")
	must(n.t, err)
	self, err := n.Exchange.Self(n.t.Context(), them)
	must(n.t, err)
	return self.Party()
}

// exchange lets the feeds of organisations of the node come to rest.
func (n *node) exchange(orgs ...entente.OrgID) {
	n.t.Helper()
	for range 3 {
		for _, org := range orgs {
			must(n.t, journal.NewRunner(n.DB, n.Log, nil, n.Exchange.Jobs()).CatchUp(n.t.Context(), org))
		}
	}
}

// catchUp lets the rooms follow the journal.
func (n *node) catchUp() {
	n.t.Helper()
	runner := journal.NewRunner(n.DB, n.Log, n.Advisory.Consumers(), n.Advisory.Jobs())
	must(n.t, runner.CatchUp(n.t.Context(), "beanline"))
}

func demoMap(t testing.TB) *chain.Map {
	t.Helper()
	file, err := catalog.Files().Open("beanline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, err := chain.ParseMap(file, "beanline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func productFor(m *chain.Map, file string) chain.NodeID {
	for i := range m.Products {
		for _, name := range m.Products[i].SBOMs {
			if ok, _ := path.Match(name, file); ok {
				return m.Products[i].ID
			}
		}
		if strings.HasPrefix(file, string(m.Products[i].ID)+".") {
			return m.Products[i].ID
		}
	}
	return ""
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// visitor is a browser of one person.
type visitor struct {
	*node
	cookie *http.Cookie
}

func (n *node) stranger() *visitor { return &visitor{node: n} }

// as signs somebody in.
func (n *node) as(email string) *visitor {
	n.t.Helper()
	v := n.stranger()
	w := v.post("/sign-in", url.Values{"email": {email}, "password": {testPassword}})
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
		n.t.Fatalf("signing in as %s: %d %s", email, w.Code, w.Body)
	}
	v.cookie = w.Result().Cookies()[0]
	return v
}

func (v *visitor) get(path string) *httptest.ResponseRecorder {
	v.t.Helper()
	return v.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (v *visitor) post(path string, form url.Values) *httptest.ResponseRecorder {
	v.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(r)
}

func (v *visitor) do(r *http.Request) *httptest.ResponseRecorder {
	v.t.Helper()
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	return w
}

// journalHolds says whether Beanline's journal holds such an event of somebody.
func (n *node) journalHolds(kind journal.Kind, actor string) bool {
	n.t.Helper()
	found := false
	err := n.DB.Read(n.t.Context(), func(tx *db.Tx) error {
		events, err := journal.Latest(n.t.Context(), tx, "beanline", 0, 1000)
		found = slices.ContainsFunc(events, func(e journal.Event) bool { return e.Kind == kind && e.Actor == actor })
		return err
	})
	must(n.t, err)
	return found
}

func memberAs(name, email string, role entente.Role) identity.NewMember {
	return identity.NewMember{NewPerson: identity.NewPerson{Name: name, Email: email, Password: testPassword}, Role: role}
}
