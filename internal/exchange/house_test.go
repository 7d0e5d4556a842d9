package exchange

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t testing.TB, kind entente.Kind, err error) {
	t.Helper()
	if err == nil || entente.KindOf(err) != kind {
		t.Errorf("got %v, want %s", err, kind)
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// house is a node of this room alone, with a clock that can be set and a door that
// answers over HTTP.
type house struct {
	*Service
	t      testing.TB
	people *identity.Service
	server *httptest.Server

	mu    sync.Mutex
	ahead time.Duration
	door  http.Handler
}

// newHouse opens a node over a database.
func newHouse(t testing.TB, d *db.DB) *house {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	return newHouseAt(t, d, listener)
}

// newHouseAt opens a node that answers at a listener.
func newHouseAt(t testing.TB, d *db.DB, listener net.Listener) *house {
	t.Helper()
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	ok(t, err)
	h := &house{t: t}
	h.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.door.ServeHTTP(w, r) }))
	ok(t, h.server.Listener.Close())
	h.server.Listener = listener
	h.server.Start()
	t.Cleanup(h.server.Close)
	h.people, err = identity.New(t.Context(), d, identity.Config{Key: key, Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, Log: quiet})
	ok(t, err)
	h.Service = New(d, h.people, Config{Key: key, Origin: h.server.URL, AllowPrivate: true, Log: quiet, Now: h.now})
	h.door = h.Door()
	return h
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

// later sets the clock on.
func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

// someone is an organisation on a node, with a person who may do everything.
type someone struct {
	*house
	org   entente.OrgID
	owner entente.Actor
}

// host sets an organisation up on the node.
func (h *house) host(name string) someone {
	h.t.Helper()
	o, err := h.people.CreateOrganisation(h.t.Context(), identity.NewOrganisation{Name: name, Owner: identity.NewPerson{
		Name: "Owner of " + name, Email: entente.Slug(name) + "@example.com", Password: "seven quiet beans in autumn",
	}})
	ok(h.t, err)
	members, err := h.people.Members(h.t.Context(), entente.System(o.ID, entente.DoorCommand))
	ok(h.t, err)
	actor, err := h.people.Actor(h.t.Context(), members[0].Person.ID, o.ID, entente.DoorPage)
	ok(h.t, err)
	return someone{h, o.ID, actor}
}

// as gives a person of the organisation in a role.
func (s someone) as(role entente.Role) entente.Actor {
	s.t.Helper()
	email := string(role) + "@" + string(s.org) + ".example"
	_, err := s.people.AddMember(s.t.Context(), entente.System(s.org, entente.DoorCommand), identity.NewMember{
		NewPerson: identity.NewPerson{Name: string(role), Email: email, Password: "seven quiet beans in winter"}, Role: role,
	})
	ok(s.t, err)
	members, err := s.people.Members(s.t.Context(), entente.System(s.org, entente.DoorCommand))
	ok(s.t, err)
	for _, m := range members {
		if m.Person.Email == email {
			actor, err := s.people.Actor(s.t.Context(), m.Person.ID, s.org, entente.DoorPage)
			ok(s.t, err)
			return actor
		}
	}
	s.t.Fatalf("nobody is %s", role)
	return entente.Actor{}
}

// party is the organisation's name among all nodes.
func (s someone) party() entente.PartyID {
	s.t.Helper()
	self, err := s.Self(s.t.Context(), s.owner)
	ok(s.t, err)
	return self.Party()
}

// work does all that is due, of this organisation.
func (s someone) work() error {
	r := journal.NewRunner(s.db, quiet, nil, s.Jobs())
	return r.CatchUp(s.t.Context(), s.org)
}

// hurry ends the wait of jobs of a kind for their next attempt.
func (s someone) hurry(kind string) {
	s.t.Helper()
	ok(s.t, s.db.Write(s.t.Context(), s.org, func(tx *db.Tx) error {
		_, err := tx.Exec(s.t.Context(), "UPDATE journal_job SET wake_at = 1 WHERE org = $1 AND state = 'waiting' AND kind = $2", s.org, kind)
		return err
	}))
}

// settle lets both sides work until nothing waits any more.
func settle(all ...someone) {
	for range 4 {
		for _, s := range all {
			ok(s.t, s.work())
		}
	}
}

// become makes two organisations partners: buyer invites supplier.
func become(buyer, supplier someone) {
	buyer.t.Helper()
	ticket, _, err := buyer.Invite(buyer.t.Context(), buyer.owner, NewInvitation{Name: "Supplier", Terms: StandardTerms(true, false, buyer.Service.now())})
	ok(buyer.t, err)
	_, err = supplier.Accept(buyer.t.Context(), supplier.owner, ticket.Link(), nil, "")
	ok(buyer.t, err)
}

// partner gives the other as one knows it.
func (s someone) knows(other someone) Partner {
	s.t.Helper()
	p, err := s.Partner(s.t.Context(), s.owner, other.party())
	ok(s.t, err)
	return p
}

// eachPair runs a test with two organisations, on two nodes and on one, on both
// engines.
func eachPair(t *testing.T, fn func(t *testing.T, buyer, supplier someone)) {
	for name, open := range map[string]func(testing.TB) *db.DB{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		t.Run(name+", two nodes", func(t *testing.T) {
			fn(t, newHouse(t, open(t)).host("Beanline"), newHouse(t, open(t)).host("Rosthof"))
		})
		t.Run(name+", one node", func(t *testing.T) {
			h := newHouse(t, open(t))
			fn(t, h.host("Beanline"), h.host("Rosthof"))
		})
	}
}

// hears applies an entry of another organisation, and leaves nothing of it.
func (s someone) hears(ctx context.Context, party entente.PartyID, e entente.Entry) error {
	undone := errors.New("undone")
	err := s.db.Write(ctx, s.org, func(tx *db.Tx) error {
		p, self, _, err := s.with(ctx, tx, party)
		if err != nil {
			return err
		}
		e.From, e.To, e.Number, e.At = p.Party, self.Party(), 1, s.Service.now()
		if err := s.apply(ctx, tx, self, &p, e); err != nil {
			return err
		}
		return undone
	})
	if errors.Is(err, undone) {
		return nil
	}
	return err
}

// readSigner reads what signs for the organisation.
func (s someone) readSigner(ctx context.Context, into *entente.Signer) func(tx *db.Tx) error {
	return func(tx *db.Tx) (err error) {
		_, *into, err = s.mine(ctx, tx, s.org)
		return err
	}
}

// events goes through the journal of the organisation.
func (s someone) events(ctx context.Context, see func(journal.Event)) func(tx *db.Tx) error {
	return func(tx *db.Tx) error {
		all, err := journal.Events(ctx, tx, s.org, 0, 1000)
		for _, e := range all {
			see(e)
		}
		return err
	}
}
