package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
)

// house is a node with two organisations: Beanline, owned by Ada, and Röst, owned by
// Rosa. Time stands still unless the test moves it.
type house struct {
	*Service
	t     *testing.T
	ctx   context.Context
	d     *db.DB
	mu    sync.Mutex
	clock time.Time
}

const good = "kettle orbit violin plum"

var desk = Client{Address: "192.0.2.7:4711", Agent: "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}

func testKey(t testing.TB, b byte) seal.Key {
	key, err := seal.New(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (h *house) config() Config {
	return Config{
		Key: testKey(h.t, 1), Origin: "https://entente.example", Cost: cheap,
		Now: h.now, Log: slog.New(slog.DiscardHandler),
	}
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

func eachHouse(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := &house{t: t, ctx: t.Context(), d: d, clock: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
		s, err := New(h.ctx, d, h.config())
		if err != nil {
			t.Fatal(err)
		}
		h.Service = s
		h.create("beanline", "Beanline", "Ada Lovelace", "ada@beanline.example")
		h.create("roest", "Röst & Hof", "Rosa Roth", "rosa@roest.example")
		f(t, h)
	})
}

func (h *house) create(id entente.OrgID, name, owner, email string) {
	h.t.Helper()
	_, err := h.CreateOrganisation(h.ctx, NewOrganisation{ID: id, Name: name, Owner: NewPerson{owner, email, good}})
	if err != nil {
		h.t.Fatal(err)
	}
}

// member adds somebody to Beanline at the command line.
func (h *house) member(name, email string, role entente.Role, scope ...string) Person {
	h.t.Helper()
	p, err := h.AddMember(h.ctx, entente.System("beanline", entente.DoorCommand), NewMember{NewPerson: NewPerson{name, email, good}, Role: role, Scope: scope})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) signIn(email string) (string, Session) {
	h.t.Helper()
	token, session, err := h.SignIn(h.ctx, email, good, desk)
	if err != nil {
		h.t.Fatal(err)
	}
	return token, session
}

// as gives somebody as an actor of an organisation, by page.
func (h *house) as(email string, org entente.OrgID) entente.Actor {
	h.t.Helper()
	_, session := h.signIn(email)
	actor, err := session.Actor(org, entente.DoorPage)
	if err != nil {
		h.t.Fatal(err)
	}
	return actor
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) want(kind entente.Kind, err error, words ...string) {
	h.t.Helper()
	if err == nil || entente.KindOf(err) != kind {
		h.t.Fatalf("got %v (%s), want an error of kind %s", err, entente.KindOf(err), kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			h.t.Fatalf("the message %q lacks %q", err, w)
		}
	}
}

// events gives the journal of an organisation, of some kinds or all.
func (h *house) events(org entente.OrgID, kinds ...journal.Kind) []journal.Event {
	h.t.Helper()
	var all []journal.Event
	err := h.d.Read(h.ctx, func(tx *db.Tx) (err error) {
		all, err = journal.Events(h.ctx, tx, org, 0, 10_000)
		return err
	})
	h.ok(err)
	var out []journal.Event
	for _, e := range all {
		for _, k := range kinds {
			if e.Kind == k {
				out = append(out, e)
			}
		}
		if len(kinds) == 0 {
			out = append(out, e)
		}
	}
	return out
}

func body(t *testing.T, e journal.Event) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal(e.Body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSetUpAndSignIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		token, session := h.signIn(" Ada@Beanline.example ")
		if session.Pending || session.Person.Name != "Ada Lovelace" || session.Method != ByPassword || session.Agent != "Firefox on Linux" || session.Address != "192.0.2.7" {
			t.Errorf("session %+v", session)
		}
		if len(session.Memberships) != 1 || session.Memberships[0].Org != "beanline" || session.Memberships[0].OrgName != "Beanline" || session.Memberships[0].Role != entente.RoleOwner {
			t.Errorf("memberships %+v", session.Memberships)
		}
		p, memberships, err := h.Authenticate(h.ctx, token)
		h.ok(err)
		if p != session.Person || len(memberships) != 1 {
			t.Errorf("authenticated %+v %+v", p, memberships)
		}
		actor, err := h.Actor(h.ctx, p.ID, "beanline", entente.DoorPage)
		h.ok(err)
		if actor.Name != "Ada Lovelace" || actor.Role != entente.RoleOwner || actor.Org != "beanline" || actor.Verbs != nil {
			t.Errorf("actor %+v", actor)
		}
		_, err = h.Actor(h.ctx, p.ID, "roest", entente.DoorPage)
		h.want(entente.KindNotFound, err)
		_, err = session.Actor("roest", entente.DoorPage)
		h.want(entente.KindNotFound, err)

		_, _, wrong := h.SignIn(h.ctx, "ada@beanline.example", "kettle orbit violin plume", desk)
		h.want(entente.KindDenied, wrong)
		_, _, unknown := h.SignIn(h.ctx, "nobody@beanline.example", good, desk)
		h.want(entente.KindDenied, unknown)
		if wrong.Error() != unknown.Error() {
			t.Errorf("an unknown account answers %q, a wrong password %q", unknown, wrong)
		}
		_, _, err = h.SignIn(h.ctx, "not an address", good, desk)
		h.want(entente.KindInvalid, err)

		for _, bad := range []string{"", "x", token + "x", token[1:], strings.Repeat("A", len(token))} {
			_, _, err := h.Authenticate(h.ctx, bad)
			h.want(entente.KindDenied, err, "sign in")
		}
		h.ok(h.SignOut(h.ctx, token))
		_, _, err = h.Authenticate(h.ctx, token)
		h.want(entente.KindDenied, err)
		h.ok(h.SignOut(h.ctx, token))

		if e := h.events("beanline", EventOrganisationCreated, EventMemberAdded, EventSignedIn, EventSignInFailed); len(e) != 4 {
			t.Errorf("events %v", e)
		} else if e[2].Actor != "Ada Lovelace" || e[2].Person != p.ID || e[2].Role != entente.RoleOwner || e[3].Kind != EventSignInFailed {
			t.Errorf("events %+v", e)
		}
		if e := h.events("roest", EventSignedIn, EventSignInFailed); len(e) != 0 {
			t.Errorf("another organisation's journal tells of Ada: %v", e)
		}
		for _, e := range h.events("beanline") {
			if strings.Contains(string(e.Body), good) || strings.Contains(string(e.Body), "argon2") || strings.Contains(string(e.Body), token) {
				t.Errorf("a secret is in the journal: %s", e.Body)
			}
		}
		if _, err := journal.Verify(h.ctx, h.d, "beanline"); err != nil {
			t.Error(err)
		}
	})
}

func TestCreateOrganisationRefuses(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		owner := NewPerson{"Bo", "bo@x.example", good}
		for _, c := range []struct {
			n     NewOrganisation
			kind  entente.Kind
			words string
		}{
			{NewOrganisation{ID: "beanline", Name: "Another", Owner: owner}, entente.KindConflict, "already"},
			{NewOrganisation{Name: "  ", Owner: owner}, entente.KindInvalid, "name is missing"},
			{NewOrganisation{Name: "!!!", Owner: owner}, entente.KindInvalid, "identifier"},
			{NewOrganisation{ID: "Upper", Name: "Upper", Owner: owner}, entente.KindInvalid, "identifier"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"Bo", "bo", good}}, entente.KindInvalid, "e-mail"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"", "bo@x.example", good}}, entente.KindInvalid, "name is missing"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"Bo", "bo@x.example", "short"}}, entente.KindInvalid, "at least 12"},
			{NewOrganisation{Name: "New", Owner: NewPerson{"Ada", "ada@beanline.example", good + "!"}}, entente.KindDenied, "not its password"},
		} {
			_, err := h.CreateOrganisation(h.ctx, c.n)
			h.want(c.kind, err, c.words)
		}
		all, err := h.Organisations(h.ctx)
		h.ok(err)
		if len(all) != 2 {
			t.Errorf("something was set up: %v", all)
		}
		// The same person, with her password, can own a second organisation.
		o, err := h.CreateOrganisation(h.ctx, NewOrganisation{Name: "Bohne & Söhne", Owner: NewPerson{"", "ADA@beanline.example", good}})
		h.ok(err)
		if o.ID != "bohne-sohne" {
			t.Errorf("id %q", o.ID)
		}
		_, session := h.signIn("ada@beanline.example")
		if len(session.Memberships) != 2 {
			t.Errorf("memberships %+v", session.Memberships)
		}
		if len(h.events("beanline", EventSignedIn)) != 1 || len(h.events("bohne-sohne", EventSignedIn)) != 1 {
			t.Error("the sign-in is not in both journals")
		}
	})
}

func TestSessionsEndAndExpire(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		alive := func(token string) bool {
			t.Helper()
			_, _, err := h.Authenticate(h.ctx, token)
			if err != nil && entente.KindOf(err) != entente.KindDenied {
				t.Fatal(err)
			}
			return err == nil
		}
		one, first := h.signIn("ada@beanline.example")
		h.pass(time.Second)
		two, second := h.signIn("ada@beanline.example")
		three, _ := h.signIn("ada@beanline.example")
		_, rosa := h.signIn("rosa@roest.example")
		list, err := h.Sessions(h.ctx, first)
		h.ok(err)
		if len(list) != 3 || list[2].ID != first.ID || list[0].Person.Name != "Ada Lovelace" {
			t.Errorf("sessions %+v", list)
		}
		h.want(entente.KindNotFound, h.EndSession(h.ctx, rosa, second.ID))
		if !alive(two) {
			t.Fatal("Rosa ended Ada's session")
		}
		h.ok(h.EndSession(h.ctx, first, second.ID)) // takes effect at once, though two is remembered
		if alive(two) || !alive(one) || !alive(three) {
			t.Fatal("the wrong session ended")
		}
		h.want(entente.KindNotFound, h.EndSession(h.ctx, first, second.ID))
		h.ok(h.EndOtherSessions(h.ctx, first))
		if alive(three) || !alive(one) {
			t.Fatal("the wrong sessions ended")
		}
		if n := len(h.events("beanline", EventSessionEnded)); n != 2 {
			t.Errorf("%d events", n)
		}

		// Use keeps a session, but not for ever.
		for range 14 {
			h.pass(11 * time.Hour)
			if !alive(one) {
				t.Fatalf("ended while in use at %s", h.now())
			}
			h.ok(h.Tidy(h.ctx))
		}
		list, err = h.Sessions(h.ctx, first)
		h.ok(err)
		if len(list) != 1 || !list[0].Seen.Equal(h.now()) {
			t.Errorf("last seen %+v at %s", list, h.now())
		}
		h.pass(15 * time.Hour)
		if alive(one) {
			t.Error("alive after 7 days")
		}
		four, _ := h.signIn("ada@beanline.example")
		h.pass(11*time.Hour + 59*time.Minute)
		if !alive(four) {
			t.Error("ended before its idle time")
		}
		five, _ := h.signIn("ada@beanline.example")
		h.pass(12 * time.Hour)
		if alive(five) {
			t.Error("alive after its idle time")
		}
		h.ok(h.Tidy(h.ctx))
		h.ok(h.Sweep(h.ctx))
		n, err := countRows(h)
		h.ok(err)
		if n != 0 {
			t.Errorf("%d sessions are left after the sweep", n)
		}
	})
}

func countRows(h *house) (n int, err error) {
	err = h.d.Read(h.ctx, func(tx *db.Tx) error {
		n, err = db.One(h.ctx, tx, db.Value[int], "SELECT count(*) FROM identity_session")
		return err
	})
	return n, err
}

// Another replica learns within two seconds that a session ended.
func TestEndedSessionOnAnotherReplica(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		other, err := New(h.ctx, h.d, h.config())
		h.ok(err)
		token, _ := h.signIn("ada@beanline.example")
		_, _, err = other.Authenticate(h.ctx, token)
		h.ok(err)
		h.ok(h.SignOut(h.ctx, token))
		h.pass(2 * time.Second)
		_, _, err = other.Authenticate(h.ctx, token)
		h.want(entente.KindDenied, err)
	})
}

func TestSessionsOfOnePersonAreBounded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		first, _ := h.signIn("ada@beanline.example")
		for range maxSessions {
			h.pass(time.Second)
			h.signIn("ada@beanline.example")
		}
		n, err := countRows(h)
		h.ok(err)
		if n != maxSessions {
			t.Errorf("%d sessions", n)
		}
		h.pass(5 * time.Second)
		_, _, err = h.Authenticate(h.ctx, first)
		h.want(entente.KindDenied, err)
	})
}

func TestMembers(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.as("ada@beanline.example", "beanline")
		bo := h.member("Bo Beck", "bo@beanline.example", entente.RoleBusinessOwner, "bean-procurement", "bean-procurement")
		actor := h.as("bo@beanline.example", "beanline")
		if ok, _ := Can(actor, ChainEdit, Object{KindProcess, "beanline", "bean-procurement"}); !ok {
			t.Error("Bo may not edit his process")
		}
		list, err := h.Members(h.ctx, actor)
		h.ok(err)
		if len(list) != 2 || list[1].Person.Name != "Bo Beck" || len(list[1].Scope) != 1 {
			t.Errorf("members %+v", list)
		}
		h.want(entente.KindDenied, h.SetRole(h.ctx, actor, bo.ID, entente.RoleOwner, nil))
		h.want(entente.KindDenied, h.RemoveMember(h.ctx, actor, ada.Person))
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, "admin", nil), "owner, security-lead")
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, entente.RoleSystem, nil))
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, entente.RoleAnalyst, []string{"x"}), "no scope")
		h.want(entente.KindInvalid, h.SetRole(h.ctx, ada, bo.ID, entente.RoleBusinessOwner, []string{"Not a slug"}))
		h.want(entente.KindConflict, h.SetRole(h.ctx, ada, ada.Person, entente.RoleAnalyst, nil), "last owner")
		h.want(entente.KindConflict, h.RemoveMember(h.ctx, ada, ada.Person), "last owner")
		rosa := h.as("rosa@roest.example", "roest")
		h.want(entente.KindNotFound, h.SetRole(h.ctx, rosa, bo.ID, entente.RoleAuditor, nil))
		h.want(entente.KindNotFound, h.SetRole(h.ctx, ada, rosa.Person, entente.RoleAuditor, nil))
		h.want(entente.KindNotFound, h.RemoveMember(h.ctx, ada, rosa.Person))

		token, _ := h.signIn("bo@beanline.example")
		h.ok(h.SetRole(h.ctx, ada, bo.ID, entente.RoleAuditor, nil))
		h.ok(h.SetRole(h.ctx, ada, bo.ID, entente.RoleAuditor, nil)) // changes nothing, writes nothing
		_, memberships, err := h.Authenticate(h.ctx, token)
		h.ok(err)
		if memberships[0].Role != entente.RoleAuditor || len(memberships[0].Scope) != 0 {
			t.Errorf("the old role is remembered: %+v", memberships)
		}
		h.ok(h.RemoveMember(h.ctx, ada, bo.ID))
		_, memberships, err = h.Authenticate(h.ctx, token)
		h.ok(err)
		if len(memberships) != 0 {
			t.Errorf("removed, and still a member: %+v", memberships)
		}
		h.want(entente.KindNotFound, h.RemoveMember(h.ctx, ada, bo.ID))

		// Who is no owner may leave; and a second owner lets the first one go.
		h.member("Cy", "cy@beanline.example", entente.RoleOwner)
		cy := h.as("cy@beanline.example", "beanline")
		h.ok(h.RemoveMember(h.ctx, ada, ada.Person))
		h.want(entente.KindConflict, h.RemoveMember(h.ctx, cy, cy.Person), "last owner")
		e := h.events("beanline", EventMemberChanged, EventMemberRemoved)
		if len(e) != 3 || e[0].Actor != "Ada Lovelace" || body(t, e[0])["role"] != "auditor" || e[0].Subject != string(bo.ID) {
			t.Errorf("events %+v", e)
		}
	})
}

func TestAddMemberIsForTheCommandLine(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada := h.as("ada@beanline.example", "beanline")
		n := NewMember{NewPerson: NewPerson{"Bo", "bo@beanline.example", good}, Role: entente.RoleAnalyst}
		_, err := h.AddMember(h.ctx, ada, n)
		h.want(entente.KindDenied, err, "invite")
		system := entente.System("beanline", entente.DoorCommand)
		_, err = h.AddMember(h.ctx, system, n)
		h.ok(err)
		_, err = h.AddMember(h.ctx, system, n)
		h.want(entente.KindConflict, err, "already")
		n.Password = "some other password here"
		_, err = h.AddMember(h.ctx, system, n)
		h.want(entente.KindDenied, err)
	})
}

// Two owners who remove each other at the same time leave one.
func TestLastOwnerUnderConcurrency(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.member("Bo", "bo@beanline.example", entente.RoleOwner)
		ada, bo := h.as("ada@beanline.example", "beanline"), h.as("bo@beanline.example", "beanline")
		var wg sync.WaitGroup
		errs := make([]error, 2)
		wg.Go(func() { errs[0] = h.RemoveMember(h.ctx, ada, bo.Person) })
		wg.Go(func() { errs[1] = h.RemoveMember(h.ctx, bo, ada.Person) })
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("removed: %v, %v", errs[0], errs[1])
		}
	})
}

func TestOrganisation(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		ada, rosa := h.as("ada@beanline.example", "beanline"), h.as("rosa@roest.example", "roest")
		h.member("Au", "au@beanline.example", entente.RoleAuditor)
		h.want(entente.KindDenied, h.RenameOrganisation(h.ctx, h.as("au@beanline.example", "beanline"), "Mine"))
		h.want(entente.KindInvalid, h.RenameOrganisation(h.ctx, ada, " \u202e"))
		h.ok(h.RenameOrganisation(h.ctx, ada, "  Beanline   Europe "))
		o, err := h.Organisation(h.ctx, ada)
		h.ok(err)
		if o.Name != "Beanline Europe" {
			t.Errorf("renamed to %q", o.Name)
		}
		o, err = h.Organisation(h.ctx, rosa)
		h.ok(err)
		if o.Name != "Röst & Hof" {
			t.Errorf("Röst is %q", o.Name)
		}
		if e := h.events("beanline", EventOrganisationRenamed); len(e) != 1 || body(t, e[0])["before"] != "Beanline" {
			t.Errorf("events %v", e)
		}
	})
}

func TestRateLimits(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		try := func(email, password, address string) error {
			_, _, err := h.SignIn(h.ctx, email, password, Client{Address: address})
			return err
		}
		var err error
		n := 0
		for n = 1; n < 20; n++ {
			if err = try("ada@beanline.example", "guess guess guess", "192.0.2.1"); entente.KindOf(err) != entente.KindDenied {
				break
			}
		}
		h.want(entente.KindUnavailable, err, "try again in 2 seconds", "UTC")
		if n != limitAccount.free+2 {
			t.Errorf("refused at attempt %d", n)
		}
		if wait, ok := RetryAfter(err); !ok || wait != 2*time.Second {
			t.Errorf("retry after %v", wait)
		}
		// The right password has to wait as well, from everywhere; others do not.
		h.want(entente.KindUnavailable, try("ada@beanline.example", good, "198.51.100.9"))
		h.ok(try("rosa@roest.example", good, "192.0.2.1"))
		waits := []time.Duration{}
		for range 12 {
			wait, _ := RetryAfter(try("ada@beanline.example", "x", "198.51.100.9"))
			waits = append(waits, wait)
			h.pass(wait)
			h.want(entente.KindDenied, try("ada@beanline.example", "x", "198.51.100.9"))
		}
		if waits[1] != 4*time.Second || waits[11] != 15*time.Minute {
			t.Errorf("waits %v", waits)
		}
		h.pass(15 * time.Minute)
		h.ok(try("ada@beanline.example", good, "192.0.2.1"))
		h.want(entente.KindDenied, try("ada@beanline.example", "x", "192.0.2.1"))
		h.ok(try("ada@beanline.example", good, "192.0.2.1"))

		// One address that tries many accounts.
		h.pass(2 * time.Hour)
		for n = 1; n < 100; n++ {
			if err = try("person"+string(rune('a'+n%26))+string(rune('a'+n/26))+"@x.example", "guess guess guess", "203.0.113.5"); entente.KindOf(err) != entente.KindDenied {
				break
			}
		}
		h.want(entente.KindUnavailable, err)
		if n != limitAddress.free+2 {
			t.Errorf("the address was refused at attempt %d", n)
		}
		h.want(entente.KindUnavailable, try("ada@beanline.example", good, "203.0.113.5"))
		h.ok(try("ada@beanline.example", good, "203.0.113.6"))
	})
}

// Attempts at the same moment count as many, also on two replicas.
func TestRateLimitUnderConcurrency(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		other, err := New(h.ctx, h.d, h.config())
		h.ok(err)
		var mu sync.Mutex
		tried := 0
		var wg sync.WaitGroup
		for i := range 24 {
			s := []*Service{h.Service, other}[i%2]
			wg.Go(func() {
				_, _, err := s.SignIn(h.ctx, "ada@beanline.example", "guess guess guess", Client{})
				if entente.KindOf(err) == entente.KindDenied {
					mu.Lock()
					tried++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if tried != limitAccount.free+1 {
			t.Errorf("%d guesses were checked", tried)
		}
	})
}

func TestPasswords(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		const next = "marble canyon fiddle soup"
		token, session := h.signIn("ada@beanline.example")
		elsewhere, _ := h.signIn("ada@beanline.example")
		h.want(entente.KindDenied, h.ChangePassword(h.ctx, session, Proof{Password: "x"}, next, desk))
		h.want(entente.KindInvalid, h.ChangePassword(h.ctx, session, Proof{Password: good}, "adalovelace1", desk))
		h.ok(h.ChangePassword(h.ctx, session, Proof{Password: good}, next, desk))
		_, _, err := h.Authenticate(h.ctx, token)
		h.ok(err)
		_, _, err = h.Authenticate(h.ctx, elsewhere)
		h.want(entente.KindDenied, err)
		_, _, err = h.SignIn(h.ctx, "ada@beanline.example", good, desk)
		h.want(entente.KindDenied, err)
		_, _, err = h.SignIn(h.ctx, "ada@beanline.example", next, desk)
		h.ok(err)

		h.want(entente.KindDenied, h.ResetPassword(h.ctx, h.as("rosa@roest.example", "roest"), "ada@beanline.example", good))
		h.want(entente.KindDenied, h.ResetPassword(h.ctx, entente.System("roest", entente.DoorWorker), "ada@beanline.example", good))
		h.want(entente.KindNotFound, h.ResetPassword(h.ctx, entente.System("", entente.DoorCommand), "no@beanline.example", good))
		h.ok(h.ResetPassword(h.ctx, entente.System("", entente.DoorCommand), "ada@beanline.example", good))
		_, _, err = h.Authenticate(h.ctx, token)
		h.want(entente.KindDenied, err)
		h.signIn("ada@beanline.example")
		if n := len(h.events("beanline", EventPasswordChanged)); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

// A stored password is made anew at sign-in when its cost has risen.
func TestRehash(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		c := h.config()
		c.Cost = PasswordCost{Memory: 128, Passes: 1, Threads: 1}
		dearer, err := New(h.ctx, h.d, c)
		h.ok(err)
		_, session, err := dearer.SignIn(h.ctx, "ada@beanline.example", good, desk)
		h.ok(err)
		var stored *credential
		h.ok(h.d.Read(h.ctx, func(tx *db.Tx) (err error) {
			stored, err = credentialOf(h.ctx, tx, session.Person.ID, kindPassword, single)
			return err
		}))
		if !strings.HasPrefix(string(stored.data), "$argon2id$v=19$m=128,") {
			t.Errorf("stored as %s", stored.data)
		}
		_, _, err = dearer.SignIn(h.ctx, "ada@beanline.example", good, desk)
		h.ok(err)
	})
}

func TestStepUp(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		token, session := h.signIn("ada@beanline.example")
		ada, err := session.Actor("beanline", entente.DoorPage)
		h.ok(err)
		h.ok(h.Require(session, ada, PeopleManage, In("beanline")))
		h.pass(Fresh)
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		if session.RecentlyAuthenticated() {
			t.Error("still fresh")
		}
		err = h.Require(session, ada, PeopleManage, In("beanline"))
		h.want(entente.KindDenied, err, "confirm")
		if !IsNotFresh(err) {
			t.Error("not told apart")
		}
		h.ok(h.Require(session, ada, ChainEdit, In("beanline")))
		_, err = h.EnrolTOTP(h.ctx, session)
		if !IsNotFresh(err) {
			t.Error(err)
		}
		h.want(entente.KindDenied, h.Reauthenticate(h.ctx, token, Proof{Password: "x"}, desk))
		h.ok(h.Reauthenticate(h.ctx, token, Proof{Password: good}, desk))
		session, err = h.Session(h.ctx, token)
		h.ok(err)
		if !session.RecentlyAuthenticated() {
			t.Error("not fresh after the proof")
		}
		var none Session
		if none.RecentlyAuthenticated() {
			t.Error("no session is fresh")
		}
		h.want(entente.KindDenied, h.ChangeEmail(h.ctx, none, "x@y.example"))
	})
}

func TestAccount(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		_, session := h.signIn("ada@beanline.example")
		h.ok(h.Rename(h.ctx, session, "Ada King"))
		h.want(entente.KindConflict, h.ChangeEmail(h.ctx, session, "rosa@roest.example"))
		h.want(entente.KindInvalid, h.ChangeEmail(h.ctx, session, "Ada <ada@x.example>"))
		h.ok(h.ChangeEmail(h.ctx, session, "King@Beanline.example"))
		_, session = h.signIn("king@beanline.example")
		if session.Person.Name != "Ada King" {
			t.Errorf("%+v", session.Person)
		}
		if n := len(h.events("beanline", EventAccountChanged)); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

func TestNodeKeyMustFit(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		c := h.config()
		c.Key = testKey(t, 2)
		_, err := New(h.ctx, h.d, c)
		h.want(entente.KindInvalid, err, "key file that belongs")
		_, err = New(h.ctx, h.d, h.config())
		h.ok(err)
		h.want(entente.KindDenied, h.SetSetting(h.ctx, h.as("ada@beanline.example", "beanline"), "k", "v"))
		h.ok(h.SetSetting(h.ctx, entente.System("", entente.DoorCommand), "k", "v"))
		v, err := h.Setting(h.ctx, "k")
		h.ok(err)
		if v != "v" {
			t.Errorf("setting %q", v)
		}
	})
}

func TestDenialsAreBounded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.member("Au", "au@beanline.example", entente.RoleAuditor)
		au := h.as("au@beanline.example", "beanline")
		err := Require(au, ChainEdit, Object{KindProcess, "beanline", "maintenance"})
		for range 50 {
			h.RecordDenied(h.ctx, errors.Join(errors.New("page"), err))
		}
		h.RecordDenied(h.ctx, Require(au, ChainEdit, In("roest")))
		h.RecordDenied(h.ctx, errors.New("another error"))
		h.RecordDenied(h.ctx, nil)
		e := h.events("beanline", EventDenied)
		if len(e) != 1 || e[0].Subject != "chain.edit" || e[0].Actor != "Au" || body(t, e[0])["id"] != "maintenance" {
			t.Fatalf("events %+v", e)
		}
		h.pass(denialsEvery)
		h.RecordDenied(h.ctx, err)
		e = h.events("beanline", EventDenied)
		if len(e) != 2 || body(t, e[1])["repeated"] != 50.0 {
			t.Fatalf("events %+v", e)
		}
		h.RecordDenied(h.ctx, err)
		h.pass(denialsEvery)
		h.ok(h.Tidy(h.ctx))
		if e = h.events("beanline", EventDenied); len(e) != 3 || body(t, e[2])["repeated"] != 1.0 {
			t.Fatalf("what was only counted is lost: %+v", e)
		}
		for i := range 1000 {
			h.RecordDenial(h.ctx, au, Verb(strings.Repeat("x", i%200)+"\xff\x00"), In("beanline"), "no")
		}
		if n := len(h.events("beanline", EventDenied)); n > 3+denialsPerHour {
			t.Errorf("%d events", n)
		}
	})
}

// While Run runs, notices are carried by it; what a stopped node left is carried by
// the next one.
func TestRunCarriesNotices(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.running.Store(true) // as if Run had begun and the node stopped before it came to it
		h.signIn("ada@beanline.example")
		if n := len(h.events("beanline", EventSignedIn)); n != 0 {
			t.Fatal("carried without Run")
		}
		next, err := New(h.ctx, h.d, h.config())
		h.ok(err)
		ctx, stop := context.WithCancel(h.ctx)
		done := make(chan error)
		go func() { done <- next.Run(ctx) }()
		for !next.running.Load() {
			time.Sleep(time.Millisecond)
		}
		_, _, err = next.SignIn(h.ctx, "ada@beanline.example", good, desk)
		h.ok(err)
		deadline := time.Now().Add(20 * time.Second)
		for len(h.events("beanline", EventSignedIn)) < 2 {
			if time.Now().After(deadline) {
				t.Fatal("the notices were not carried")
			}
			time.Sleep(5 * time.Millisecond)
		}
		stop()
		h.ok(<-done)
	})
}
