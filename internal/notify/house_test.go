package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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

const beanline = entente.OrgID("beanline")

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

// house is the room over a database, with an organisation, its owner and a security
// lead, and a clock that can be set.
type house struct {
	*Service
	t     testing.TB
	owner entente.Actor
	lead  entente.Actor

	mu sync.Mutex
	at time.Time // zero: the real time
}

func newHouse(t testing.TB, d *db.DB, c Config) *house {
	t.Helper()
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	ok(t, err)
	people, err := identity.New(t.Context(), d, identity.Config{Key: key, Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, Log: quiet})
	ok(t, err)
	h := &house{t: t}
	c.Key, c.Log, c.Now = key, quiet, h.now
	if c.Origin == "" {
		c.Origin = "https://entente.example"
	}
	h.Service = New(d, people, c)
	_, err = people.CreateOrganisation(t.Context(), identity.NewOrganisation{ID: beanline, Name: "Beanline", Owner: identity.NewPerson{
		Name: "Ada", Email: "ada@beanline.example", Password: "seven quiet beans in autumn",
	}})
	ok(t, err)
	_, err = people.AddMember(t.Context(), h.system(), identity.NewMember{
		NewPerson: identity.NewPerson{Name: "Leo", Email: "leo@beanline.example", Password: "seven quiet beans in winter"}, Role: entente.RoleSecurityLead,
	})
	ok(t, err)
	members, err := people.Members(t.Context(), h.system())
	ok(t, err)
	for _, m := range members {
		actor, err := people.Actor(t.Context(), m.Person.ID, beanline, entente.DoorPage)
		ok(t, err)
		if m.Role == entente.RoleOwner {
			h.owner = actor
		} else {
			h.lead = actor
		}
	}
	return h
}

func eachHouse(t *testing.T, fn func(*testing.T, *house)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newHouse(t, d, Config{AllowPrivate: true})) })
}

func (h *house) system() entente.Actor { return entente.System(beanline, entente.DoorCommand) }

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at.IsZero() {
		return time.Now()
	}
	return h.at
}

// later sets the clock on.
func (h *house) later(d time.Duration) {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = now.Add(d)
}

func (h *house) happen(kind journal.Kind, subject string) {
	h.t.Helper()
	ok(h.t, h.db.Write(h.t.Context(), beanline, func(tx *db.Tx) error {
		return journal.Append(h.t.Context(), tx, h.system(), kind, subject, map[string]any{"secret": "content"})
	}))
}

// run lets the room follow the journal and do what is due.
func (h *house) run() {
	h.t.Helper()
	r := journal.NewRunner(h.db, quiet, h.Consumers(), h.Jobs())
	ok(h.t, r.CatchUp(h.t.Context(), beanline))
}

// round does the next round of a hook at the time of the house's clock.
func (h *house) round(id string) {
	h.t.Helper()
	var at hook
	ok(h.t, h.db.Read(h.t.Context(), func(tx *db.Tx) (err error) {
		at, err = mustHook(h.t.Context(), tx, beanline, id)
		return err
	}))
	todo := armed{Hook: id, At: db.Millis(at.armed)}
	failures, err := h.Service.round(h.t.Context(), beanline, todo)
	ok(h.t, err)
	ok(h.t, h.db.Write(h.t.Context(), beanline, func(tx *db.Tx) error { return h.rest(h.t.Context(), tx, beanline, todo, failures) }))
}

func (h *house) events(kind journal.Kind) (found []journal.Event) {
	h.t.Helper()
	ok(h.t, h.db.Read(h.t.Context(), func(tx *db.Tx) error {
		all, err := journal.Events(h.t.Context(), tx, beanline, 0, 10_000)
		for _, e := range all {
			if e.Kind == kind {
				found = append(found, e)
			}
		}
		return err
	}))
	return found
}

// told is one request that a receiver got.
type told struct {
	id        string
	signature string
	stamp     string
	body      []byte
	message   Message
}

// receiver is a small server of the kind that docs/webhooks.md shows.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []told
	status int
	answer func(http.ResponseWriter, *http.Request) // instead of the status
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		one := told{id: q.Header.Get("webhook-id"), signature: q.Header.Get("webhook-signature"), stamp: q.Header.Get("webhook-timestamp"), body: body}
		_ = json.Unmarshal(body, &one.message)
		r.mu.Lock()
		r.got = append(r.got, one)
		status, answer := r.status, r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, q)
			return
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]told(nil), r.got...)
}

func (r *receiver) set(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.got = status, nil
}

// verified checks a message as a receiver does, without the code that signed it.
func verified(secret string, one told) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(one.id + "." + one.stamp + "." + string(one.body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for given := range strings.FieldsSeq(one.signature) {
		if hmac.Equal([]byte(given), []byte(want)) {
			return nil
		}
	}
	return errors.New("no signature fits")
}

func (h *house) hook(url string, kinds ...journal.Kind) (secret string, made Hook) {
	h.t.Helper()
	secret, made, err := h.CreateHook(context.Background(), h.owner, NewHook{Name: "Ours", URL: url, Kinds: kinds})
	ok(h.t, err)
	return secret, made
}
