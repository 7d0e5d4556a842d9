package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// Every kind of error has a line in the table, with a status that says the same.
func TestProblemOfEveryKind(t *testing.T) {
	cases := []struct {
		err    error
		status int
		detail string
	}{
		{entente.Invalid("the name is missing"), 422, "the name is missing"},
		{entente.NotFound("no such process"), 404, "no such process"},
		{entente.Denied("not yours"), 403, "not yours"},
		{entente.Conflict("changed meanwhile"), 409, "changed meanwhile"},
		{entente.TooLarge("more than 5 MB"), 413, "more than 5 MB"},
		{entente.Unavailable("later"), 503, "later"},
		{errors.New("the disk at /secret is full"), 500, ""},
		{fmt.Errorf("wrapped: %w", entente.NotFound("no such process")), 404, "no such process"},
		{unauthenticated("no token"), 401, "no token"},
	}
	for _, c := range cases {
		p := problemOf(c.err)
		if p.Status != c.status || p.Detail != c.detail {
			t.Errorf("%v: got %d %q, want %d %q", c.err, p.Status, p.Detail, c.status, c.detail)
		}
		if (p.ID != "") != (c.status == 500) {
			t.Errorf("%v: id %q", c.err, p.ID)
		}
		if !strings.HasPrefix(p.Type, "/api/v1/#") || p.Title == "" {
			t.Errorf("%v: type %q title %q", c.err, p.Type, p.Title)
		}
	}
	e := entente.Invalid("the map is wrong")
	e.Fields = []entente.FieldError{{Line: 12, Field: "processes[2].bia.rto", Message: entente.Say("is negative")}}
	if got := problemOf(e).Errors; len(got) != 1 || got[0] != (Place{Line: 12, Field: "processes[2].bia.rto", Message: "is negative"}) {
		t.Errorf("the places are %v", got)
	}
	if p := problemOf(entente.Unavailable("later")); p.GetHeaders().Get("Retry-After") == "" {
		t.Error("503 has no Retry-After")
	}
}

func TestProblemOfHuma(t *testing.T) {
	for _, c := range []struct{ status, want int }{{400, 400}, {408, 408}, {413, 413}, {415, 415}, {422, 422}, {500, 400}} {
		if got := problemOfHuma(c.status, "validation failed", nil).Status; got != c.want {
			t.Errorf("%d became %d, want %d", c.status, got, c.want)
		}
	}
}

func TestCursor(t *testing.T) {
	all := make([]int, 250)
	for i := range all {
		all[i] = i
	}
	p, seen := Paging{Limit: 50}, 0
	for pages := 1; ; pages++ {
		page, err := window(all, p, "processes", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Items {
			if n != seen {
				t.Fatalf("item %d is %d", seen, n)
			}
			seen++
		}
		if *page.Total != 250 {
			t.Errorf("total %d", *page.Total)
		}
		if page.Next == "" {
			if pages != 5 {
				t.Errorf("%d pages", pages)
			}
			break
		}
		p.Cursor = page.Next
	}
	if seen != 250 {
		t.Errorf("saw %d of 250", seen)
	}
	for _, bad := range []string{"!", "eA", cursor(position{offset: 5}, "suppliers", ""), cursor(position{offset: -1}, "processes", "")} {
		_, err := window(all, Paging{Cursor: bad}, "processes", "")
		if entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
	if page, err := window(all, Paging{Limit: 1000}, "x"); err != nil || len(page.Items) != maxLimit {
		t.Errorf("limit 1000: %d items, %v", len(page.Items), err)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor(position{offset: 7, after: "a\x00b"}, "list", "filter"))
	f.Add("AA")
	f.Fuzz(func(t *testing.T, s string) {
		pos, _, err := Paging{Cursor: s}.place("list", "filter")
		if err == nil && s != "" && pos.offset < 0 {
			t.Errorf("%q: %+v", s, pos)
		}
		if err != nil && entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("%q: %v", s, err)
		}
	})
}

func TestConditional(t *testing.T) {
	body := `{"a":1}`
	run := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, body)
	}
	get := func(tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		conditional(w, r, run)
		return w
	}
	first := get("")
	tag := first.Header().Get("ETag")
	if first.Code != 200 || tag == "" || first.Body.String() != body || first.Header().Get("Content-Length") != "7" {
		t.Fatalf("first: %d %v %q", first.Code, first.Header(), first.Body)
	}
	for _, same := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		if again := get(same); again.Code != 304 || again.Body.Len() != 0 || again.Header().Get("ETag") != tag {
			t.Errorf("%s: %d %v", same, again.Code, again.Header())
		}
	}
	body = `{"a":2}`
	if changed := get(tag); changed.Code != 200 || changed.Header().Get("ETag") == tag {
		t.Errorf("changed: %d %v", changed.Code, changed.Header())
	}
	body = strings.Repeat("x", maxHeld)
	if long := get(""); long.Body.Len() != len(body) {
		t.Errorf("an answer of %d bytes arrived with %d", len(body), long.Body.Len())
	}
	body += "xx"
	if long := get(""); long.Body.Len() != len(body) || long.Code != 200 {
		t.Errorf("an answer of %d bytes arrived with %d, %d", len(body), long.Body.Len(), long.Code)
	}
}

func TestIdempotency(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
		s := &server{db: d, auth: nobody{}, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }}
		var runs atomic.Int32
		status := http.StatusCreated
		run := func(w http.ResponseWriter, r *http.Request) {
			io.CopyN(io.Discard, r.Body, 3)
			n := runs.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"run":%d}`, n)
		}
		actor := entente.Actor{Org: "a", Person: "p"}
		post := func(actor entente.Actor, key, path, body string, run func(http.ResponseWriter, *http.Request)) *httptest.ResponseRecorder {
			r := httptest.NewRequest("POST", path, strings.NewReader(body))
			r.Header.Set(headerIdempotency, key)
			w := httptest.NewRecorder()
			s.once(w, r, actor, run)
			return w
		}
		expect := func(what string, w *httptest.ResponseRecorder, code int, body string) {
			t.Helper()
			if w.Code != code || body != "" && w.Body.String() != body {
				t.Errorf("%s: %d %s, want %d %s", what, w.Code, w.Body, code, body)
			}
		}
		expect("first", post(actor, "k", "/x", "body", run), 201, `{"run":1}`)
		again := post(actor, "k", "/x", "body", run)
		expect("repeated", again, 201, `{"run":1}`)
		if again.Header().Get(headerReplayed) != "true" || again.Header().Get("Content-Type") != "application/json" {
			t.Errorf("headers of the repetition: %v", again.Header())
		}
		expect("other body", post(actor, "k", "/x", "bodY", run), 422, "")
		expect("other path", post(actor, "k", "/y", "body", run), 422, "")
		expect("other person", post(entente.Actor{Org: "a", Person: "q"}, "k", "/x", "body", run), 422, "")
		expect("other organisation", post(entente.Actor{Org: "b", Person: "p"}, "k", "/x", "body", run), 201, `{"run":2}`)
		expect("bad key", post(actor, "k\n", "/x", "body", run), 422, "")
		expect("under way", post(actor, "slow", "/x", "body", func(w http.ResponseWriter, r *http.Request) {
			expect("second at once", post(actor, "slow", "/x", "body", run), 409, "")
			run(w, r)
		}), 201, `{"run":3}`)

		status = http.StatusInternalServerError
		expect("fault", post(actor, "f", "/x", "body", run), 500, `{"run":4}`)
		status = http.StatusCreated
		expect("after a fault it runs again", post(actor, "f", "/x", "body", run), 201, `{"run":5}`)

		func() {
			defer func() { recover() }()
			post(actor, "panic", "/x", "body", func(http.ResponseWriter, *http.Request) { panic("x") })
		}()
		expect("after a panic it runs again", post(actor, "panic", "/x", "body", run), 201, `{"run":6}`)

		// A node that stopped in the middle leaves its claim behind.
		if mine, _, err := claimKey(t.Context(), d, "a", "dead", kept{request: []byte("r"), claim: "c"}, now); err != nil || !mine {
			t.Fatal(mine, err)
		}
		now = now.Add(claimLife)
		expect("a claim runs out", post(actor, "dead", "/x", "body", run), 201, `{"run":7}`)
		now = now.Add(keptLife)
		expect("an answer runs out", post(actor, "k", "/x", "body", run), 201, `{"run":8}`)
	})
}

// nobody has no tokens.
type nobody struct{}

func (nobody) AuthenticateToken(context.Context, string) (entente.Actor, error) {
	return entente.Actor{}, entente.Denied("no such token")
}
func (nobody) RecordDenied(context.Context, error) {}

// A text that no database takes is the client's mistake, in every field of every
// operation.
func TestTextThatCannotBeStored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		w := n.ask("PUT", base+"/suppliers/casa-verde/tier/answers/substitutability", strings.NewReader(`{"value": 1, "reason": "\u0000"}`),
			with("Content-Type", "application/json"))
		n.problem(w, 422, "NUL")
	})
}
