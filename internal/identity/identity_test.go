package identity

import (
	"bytes"
	"context"
	"encoding/json"
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
