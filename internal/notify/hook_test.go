package notify

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

func TestDelivery(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		r := newReceiver(t)
		h.happen("advisory.matched", "before")
		secret, made := h.hook(r.URL+"/in", "advisory.matched", "sbom.recorded")
		h.happen("advisory.matched", "portal")
		h.happen("chain.changed", "not wanted")
		h.happen("sbom.recorded", "portal")
		h.run()
		got := r.all()
		if len(got) != 2 || got[0].message.Type != "advisory.matched" || got[1].message.Type != "sbom.recorded" {
			t.Fatalf("got %+v", got)
		}
		for _, one := range got {
			ok(t, verified(secret, one))
		}
		m := got[0].message
		if m.Data.Subject != "portal" || m.Data.Organisation != beanline || m.Data.Links["page"] != "https://entente.example/o/beanline/products/portal" || m.Data.Event == 0 || time.Since(m.Timestamp) > time.Minute {
			t.Errorf("the message: %+v", m)
		}
		if strings.Contains(string(got[0].body), "content") {
			t.Errorf("the message holds what the event says: %s", got[0].body)
		}
		log, n, err := h.Deliveries(t.Context(), h.lead, Which{}, 0, 10)
		ok(t, err)
		if n != 2 || log[0].State != Delivered || log[0].Attempts != 1 || log[0].Code != 204 || log[0].ID != got[1].id || log[0].Tried.IsZero() {
			t.Errorf("the log: %+v", log)
		}
		ok(t, h.TestHook(t.Context(), h.owner, made.ID))
		h.run()
		if got := r.all(); len(got) != 3 || got[2].message.Type != EventTested {
			t.Errorf("the test: %+v", got)
		}
		// Again by hand: the same message with the same id.
		ok(t, h.Replay(t.Context(), h.owner, got[0].id))
		h.run()
		if again := r.all(); len(again) != 4 || again[3].id != got[0].id || string(again[3].body) != string(got[0].body) {
			t.Errorf("delivered again: %+v", again)
		}
		ok(t, h.RemoveHook(t.Context(), h.owner, made.ID))
		h.happen("advisory.matched", "portal")
		h.run()
		if len(r.all()) != 4 {
			t.Error("a hook that was removed is told")
		}
	})
}

// While a receiver fails, deliveries wait longer and longer, for a day; then they are
// given up, and can be delivered again.
func TestFailures(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		r := newReceiver(t)
		secret, made := h.hook(r.URL, "sbom.recorded")
		r.set(http.StatusInternalServerError)
		h.happen("sbom.recorded", "portal")
		h.run()
		began := h.now()
		attempts := 1
		for range 100 {
			log, _, err := h.Deliveries(t.Context(), h.owner, Which{}, 0, 10)
			ok(t, err)
			if log[0].State != Waiting {
				break
			}
			if log[0].Attempts != attempts || log[0].Code != 500 || log[0].Error == "" || !log[0].Due.After(h.now()) {
				t.Fatalf("after %d attempts: %+v", attempts, log[0])
			}
			h.later(log[0].Due.Sub(h.now()))
			h.round(made.ID)
			attempts++
		}
		if spent := h.now().Sub(began); attempts != len(waits)+1 || spent < 20*time.Hour || spent > 28*time.Hour {
			t.Errorf("given up after %d attempts in %s", attempts, spent)
		}
		got := r.all()
		if len(got) != attempts {
			t.Fatalf("%d requests for %d attempts", len(got), attempts)
		}
		for _, one := range got {
			ok(t, verified(secret, one))
			if one.id != got[0].id {
				t.Errorf("an attempt has the id %s, the first had %s", one.id, got[0].id)
			}
		}
		shown, err := h.Hook(t.Context(), h.owner, made.ID)
		ok(t, err)
		if shown.State != HookOn || shown.FailingSince.IsZero() {
			t.Errorf("after a day of failures: %+v", shown)
		}
		r.set(http.StatusOK)
		n, err := h.ReplayFailed(t.Context(), h.owner, made.ID, began.Add(-time.Hour))
		ok(t, err)
		h.round(made.ID)
		if again := r.all(); n != 1 || len(again) != 1 || again[0].id != got[0].id {
			t.Errorf("%d replayed: %+v", n, again)
		}
		shown, err = h.Hook(t.Context(), h.owner, made.ID)
		ok(t, err)
		if !shown.FailingSince.IsZero() {
			t.Error("it still counts as failing")
		}
		if n, err := h.ReplayFailed(t.Context(), h.owner, made.ID, began.Add(-time.Hour)); err != nil || n != 0 {
			t.Errorf("nothing failed, and %d were replayed: %v", n, err)
		}
		h.later(keepLog + time.Hour)
		ok(t, h.TestHook(t.Context(), h.owner, made.ID))
		h.run()
		h.round(made.ID)
		if _, n, err := h.Deliveries(t.Context(), h.owner, Which{Kind: "sbom.recorded"}, 0, 10); err != nil || n != 0 {
			t.Errorf("%d deliveries of more than a month ago are kept: %v", n, err)
		}
	})
}

// A hook that fails for days is stopped, its people are told, and it can go on.
func TestStopped(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		r := newReceiver(t)
		_, made := h.hook(r.URL, "sbom.recorded")
		r.set(http.StatusServiceUnavailable)
		h.happen("sbom.recorded", "one")
		h.run()
		h.later(stopAfter + time.Minute)
		h.round(made.ID)
		shown, err := h.Hook(t.Context(), h.owner, made.ID)
		ok(t, err)
		if shown.State != HookStopped || !strings.Contains(shown.Why, "503") {
			t.Fatalf("after days of failures: %+v", shown)
		}
		if e := h.events(EventStopped); len(e) != 1 || e[0].Subject != made.ID {
			t.Errorf("the journal: %+v", e)
		}
		wants(t, entente.KindConflict, h.TestHook(t.Context(), h.owner, made.ID))
		r.set(http.StatusOK)
		h.happen("sbom.recorded", "meanwhile")
		h.run()
		if len(r.all()) != 0 {
			t.Error("a stopped hook is told")
		}
		_, err = h.PauseHook(t.Context(), h.owner, made.ID, false)
		ok(t, err)
		h.later(11 * time.Minute)
		h.round(made.ID)
		if got := r.all(); len(got) != 1 || got[0].message.Data.Subject != "one" {
			t.Errorf("after it went on: %+v", got)
		}
	})
}

// A receiver that says it is gone is not asked again.
func TestGone(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t), Config{AllowPrivate: true})
	r := newReceiver(t)
	_, made := h.hook(r.URL, "sbom.recorded")
	r.set(http.StatusGone)
	h.happen("sbom.recorded", "one")
	h.run()
	if shown, err := h.Hook(t.Context(), h.owner, made.ID); err != nil || shown.State != HookStopped {
		t.Errorf("%+v %v", shown, err)
	}
}

// A new secret and the one before count side by side for a day.
func TestTwoSecrets(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		r := newReceiver(t)
		first, made := h.hook(r.URL, "sbom.recorded")
		second, shown, err := h.RotateSecret(t.Context(), h.owner, made.ID)
		ok(t, err)
		if first == second || shown.FormerUntil.IsZero() {
			t.Fatalf("%s %+v", second, shown)
		}
		h.happen("sbom.recorded", "one")
		h.run()
		ok(t, verified(first, r.all()[0]))
		ok(t, verified(second, r.all()[0]))
		h.later(bothSecrets + time.Minute)
		h.happen("sbom.recorded", "two")
		h.run()
		h.round(made.ID)
		got := r.all()
		ok(t, verified(second, got[1]))
		if verified(first, got[1]) == nil {
			t.Error("the secret before counts for ever")
		}
	})
}

// What whoever registered the hook may not see any more is not told.
func TestRightsAtDelivery(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		r := newReceiver(t)
		_, byLead, err := h.CreateHook(t.Context(), h.lead, NewHook{Name: "Of Leo", URL: r.URL, Kinds: []journal.Kind{"sbom.recorded"}})
		ok(t, err)
		ok(t, h.identity.SetRole(t.Context(), h.system(), h.lead.Person, entente.RoleAnalyst, nil))
		h.happen("sbom.recorded", "one")
		h.run()
		shown, err := h.Hook(t.Context(), h.owner, byLead.ID)
		ok(t, err)
		if len(r.all()) != 0 || shown.State != HookStopped || !strings.Contains(shown.Why, "Leo") {
			t.Errorf("told %d times; %+v", len(r.all()), shown)
		}
		// Somebody who may takes it over.
		_, err = h.ChangeHook(t.Context(), h.owner, byLead.ID, NewHook{Name: "Of Ada", URL: r.URL, Kinds: []journal.Kind{"sbom.recorded"}})
		ok(t, err)
		_, err = h.PauseHook(t.Context(), h.owner, byLead.ID, false)
		ok(t, err)
		h.happen("sbom.recorded", "two")
		h.run()
		if got := r.all(); len(got) != 1 || got[0].message.Data.Subject != "two" {
			t.Errorf("taken over: %+v", got)
		}
	})
}

func TestPaused(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t), Config{AllowPrivate: true})
	r := newReceiver(t)
	_, made := h.hook(r.URL, "sbom.recorded")
	_, err := h.PauseHook(t.Context(), h.owner, made.ID, true)
	ok(t, err)
	h.happen("sbom.recorded", "one")
	h.run()
	_, err = h.PauseHook(t.Context(), h.owner, made.ID, false)
	ok(t, err)
	h.happen("sbom.recorded", "two")
	h.run()
	if got := r.all(); len(got) != 1 || got[0].message.Data.Subject != "two" {
		t.Errorf("got %+v", got)
	}
}

// Names that lead to the node itself are not called, whatever they are called; and
// neither redirects nor long answers are followed.
func TestForgedAddresses(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t), Config{})
	r := newReceiver(t)
	for _, address := range []string{"https://localhost:1/", "https://ip6-localhost/"} {
		result := h.post(t.Context(), address, "id", time.Now(), nil, nil)
		if result.err.Blank() || result.code != 0 {
			t.Errorf("%s: %+v", address, result)
		}
	}
	result := h.post(t.Context(), strings.Replace(r.URL, "127.0.0.1", "localhost", 1), "id", time.Now(), nil, nil)
	if !strings.Contains(result.err.String(), "private network") || len(r.all()) != 0 {
		t.Errorf("localhost: %+v, %d requests", result, len(r.all()))
	}

	open := newHouse(t, dbtest.SQLite(t), Config{AllowPrivate: true})
	brokenOff := make(chan bool, 1)
	r.answer = func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/loop" {
			http.Redirect(w, q, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		for range 1 << 20 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				brokenOff <- true
				return
			}
		}
		brokenOff <- false
	}
	if result := open.post(t.Context(), r.URL+"/loop", "id", time.Now(), nil, nil); result.code != 307 || result.err.Blank() || len(r.all()) != 1 {
		t.Errorf("a redirect: %+v, %d requests", result, len(r.all()))
	}
	if result := open.post(t.Context(), r.URL+"/long", "id", time.Now(), nil, nil); result.code != 200 || !<-brokenOff {
		t.Errorf("a long answer: %+v, or it was read to its end", result)
	}
}

// Every method asks for its right, for every role, in its own organisation and in
// another.
func TestRights(t *testing.T) {
	calls := map[string]struct {
		verb identity.Verb
		call func(*house, entente.Actor) error
	}{
		"Hooks": {identity.WebhookRead, func(h *house, a entente.Actor) error { _, err := h.Hooks(h.t.Context(), a); return err }},
		"Hook":  {identity.WebhookRead, func(h *house, a entente.Actor) error { _, err := h.Hook(h.t.Context(), a, "x"); return err }},
		"Deliveries": {identity.WebhookRead, func(h *house, a entente.Actor) error {
			_, _, err := h.Deliveries(h.t.Context(), a, Which{}, 0, 1)
			return err
		}},
		"Delivery": {identity.WebhookRead, func(h *house, a entente.Actor) error { _, err := h.Delivery(h.t.Context(), a, "x"); return err }},
		"CreateHook": {identity.WebhookManage, func(h *house, a entente.Actor) error {
			_, _, err := h.CreateHook(h.t.Context(), a, NewHook{})
			return err
		}},
		"ChangeHook": {identity.WebhookManage, func(h *house, a entente.Actor) error {
			_, err := h.ChangeHook(h.t.Context(), a, "x", NewHook{})
			return err
		}},
		"PauseHook":    {identity.WebhookManage, func(h *house, a entente.Actor) error { _, err := h.PauseHook(h.t.Context(), a, "x", true); return err }},
		"RotateSecret": {identity.WebhookManage, func(h *house, a entente.Actor) error { _, _, err := h.RotateSecret(h.t.Context(), a, "x"); return err }},
		"TestHook":     {identity.WebhookManage, func(h *house, a entente.Actor) error { return h.TestHook(h.t.Context(), a, "x") }},
		"RemoveHook":   {identity.WebhookManage, func(h *house, a entente.Actor) error { return h.RemoveHook(h.t.Context(), a, "x") }},
		"Replay":       {identity.WebhookManage, func(h *house, a entente.Actor) error { return h.Replay(h.t.Context(), a, "x") }},
		"ReplayFailed": {identity.WebhookManage, func(h *house, a entente.Actor) error {
			_, err := h.ReplayFailed(h.t.Context(), a, "x", time.Time{})
			return err
		}},
		"Mail": {identity.InvitationManage, func(h *house, a entente.Actor) error { return h.Mail(h.t.Context(), a, Mail{}) }},
	}
	h := newHouse(t, dbtest.SQLite(t), Config{AllowPrivate: true})
	for name, c := range calls {
		for _, role := range append(entente.Roles(), entente.RoleSystem) {
			for _, verbs := range [][]string{nil, {string(c.verb)}, {}} {
				actor := entente.Actor{Org: beanline, Person: "p", Name: "Somebody", Role: role, Door: entente.DoorPage, Verbs: verbs}
				if role == entente.RoleSystem {
					actor.Person = ""
				}
				want, _ := identity.Can(actor, c.verb, identity.In(beanline))
				if got := entente.KindOf(c.call(h, actor)) != entente.KindDenied; got != want {
					t.Errorf("%s as %s with %v: goes on %v, the table says %v", name, role, verbs, got, want)
				}
			}
		}
	}
}

// A hook is told only kinds that exist and that its maker may see; nobody sees the
// hooks of another organisation; an auditor sees no more of the address than its host.
func TestWhatCanBeRegistered(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		for name, n := range map[string]NewHook{
			"no name": {URL: "https://x.example", Kinds: []journal.Kind{"sbom.recorded"}}, "no kinds": {Name: "x", URL: "https://x.example"},
			"unknown kind": {Name: "x", URL: "https://x.example", Kinds: []journal.Kind{"no.such"}}, "no address": {Name: "x", Kinds: []journal.Kind{"sbom.recorded"}},
		} {
			_, _, err := h.CreateHook(t.Context(), h.owner, n)
			if entente.KindOf(err) != entente.KindInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		narrow := h.owner
		narrow.Door, narrow.Verbs = entente.DoorAPI, []string{string(identity.WebhookManage)}
		_, _, err := h.CreateHook(t.Context(), narrow, NewHook{Name: "x", URL: "https://x.example", Kinds: []journal.Kind{"sbom.recorded"}})
		wants(t, entente.KindInvalid, err)
		_, made := h.hook("https://hooks.example/secret-path", "sbom.recorded")
		auditor := entente.Actor{Org: beanline, Person: "p", Role: entente.RoleAuditor, Door: entente.DoorPage}
		shown, err := h.Hook(t.Context(), auditor, made.ID)
		ok(t, err)
		if shown.URL != "https://hooks.example" {
			t.Errorf("an auditor sees %s", shown.URL)
		}
		stranger := h.owner
		stranger.Org = "elsewhere"
		_, err = h.Hook(t.Context(), stranger, made.ID)
		wants(t, entente.KindNotFound, err)
		for range maxHooks - 1 {
			h.hook("https://hooks.example/", "sbom.recorded")
		}
		_, _, err = h.CreateHook(t.Context(), h.owner, NewHook{Name: "x", URL: "https://x.example", Kinds: []journal.Kind{"sbom.recorded"}})
		wants(t, entente.KindTooLarge, err)
		var sealed []byte
		ok(t, h.db.Read(t.Context(), func(tx *db.Tx) error {
			one, err := mustHook(t.Context(), tx, beanline, made.ID)
			sealed = one.secret
			return err
		}))
		if strings.Contains(string(sealed), secretMark) {
			t.Error("the secret lies open in the database")
		}
	})
}
