package identity

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
)

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
		deadline := time.Now().Add(2 * time.Minute)
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
