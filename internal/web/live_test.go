package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// happen appends an event to Beanline's journal, as any replica may.
func (n *node) happen(kind journal.Kind, subject string) {
	n.t.Helper()
	must(n.t, n.DB.Write(n.t.Context(), "beanline", func(tx *db.Tx) error {
		return journal.Append(n.t.Context(), tx, entente.System("beanline", entente.DoorCommand), kind, subject, map[string]string{"secret": "content"})
	}))
}

// streamOf opens the stream as a browser does, and gives its lines.
func streamOf(t *testing.T, v *visitor, server *httptest.Server, last string) (lines <-chan string, status int, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/o/beanline/live", nil)
	must(t, err)
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Last-Event-ID", last)
	r.AddCookie(v.cookie)
	answer, err := server.Client().Do(r)
	must(t, err)
	told := make(chan string, 100)
	go func() {
		defer close(told)
		defer answer.Body.Close()
		for s := bufio.NewScanner(answer.Body); s.Scan(); {
			if strings.HasPrefix(s.Text(), "data: ") {
				told <- strings.TrimPrefix(s.Text(), "data: ")
			}
		}
	}()
	return told, answer.StatusCode, cancel
}

func next(t *testing.T, lines <-chan string) tidings {
	t.Helper()
	select {
	case line, ok := <-lines:
		var one tidings
		if !ok || json.Unmarshal([]byte(line), &one) != nil {
			t.Fatalf("the stream told %q (open %v)", line, ok)
		}
		if strings.Contains(line, "secret") {
			t.Errorf("the stream tells content: %s", line)
		}
		return one
	case <-time.After(time.Minute):
		t.Fatal("the stream told nothing within a minute")
	}
	return tidings{}
}

func TestLiveTellsWhatHappens(t *testing.T) {
	n := newNode(t)
	server := httptest.NewServer(n.handler)
	defer server.Close()
	owner := n.as("owner@beanline.example")
	n.happen("chain.changed", "before")
	head, err := headOf(t.Context(), n.DB, "beanline")
	must(t, err)
	lines, _, leave := streamOf(t, owner, server, fmt.Sprint(head))
	n.happen("advisory.recorded", "x")
	n.happen("account.signed-in", "p")
	if one := next(t, lines); one.Kind != "advisory.recorded" || one.Subject != "x" || one.Seq != head+1 {
		t.Errorf("the first event told is %+v", one)
	}
	if one := next(t, lines); one.Kind != "account.signed-in" {
		t.Errorf("the owner, who reads the journal, is told %+v", one)
	}
	leave()
	// Whoever comes back is told what they missed.
	n.happen("chain.changed", "missed")
	lines, _, leave = streamOf(t, owner, server, fmt.Sprint(head+2))
	if one := next(t, lines); one.Subject != "missed" {
		t.Errorf("after coming back: %+v", one)
	}
	leave()
}

func TestLiveKeepsToTheRights(t *testing.T) {
	n := newNode(t)
	server := httptest.NewServer(n.handler)
	defer server.Close()
	system := entente.System("beanline", entente.DoorCommand)
	_, err := n.Identity.AddMember(t.Context(), system, memberAs("Ana", "ana@beanline.example", entente.RoleAnalyst))
	must(t, err)
	ana := n.as("ana@beanline.example")
	head, err := headOf(t.Context(), n.DB, "beanline")
	must(t, err)
	lines, _, leave := streamOf(t, ana, server, fmt.Sprint(head))
	defer leave()
	n.happen("account.signed-in", "p")
	n.happen("invitation.made", "i")
	n.happen("something.new", "s")
	n.happen("sbom.recorded", "dropwizard")
	if one := next(t, lines); one.Kind != "sbom.recorded" {
		t.Errorf("an analyst is told %+v", one)
	}
	// A membership that ends closes the stream.
	members, err := n.Identity.Members(t.Context(), system)
	must(t, err)
	for _, m := range members {
		if m.Person.Email == "ana@beanline.example" {
			must(t, n.Identity.RemoveMember(t.Context(), system, m.Person.ID))
		}
	}
	select {
	case _, open := <-lines:
		if open {
			t.Error("the stream goes on after the membership ended")
		}
	case <-time.After(time.Minute):
		t.Error("the stream is still open after the membership ended")
	}
}

// The table of kinds and rights, for every role.
func TestMayKnow(t *testing.T) {
	for _, role := range entente.Roles() {
		actor := entente.Actor{Org: "beanline", Person: "p", Role: role, Door: entente.DoorPage}
		for kind, verb := range map[journal.Kind]identity.Verb{
			"chain.changed": identity.ChainRead, "partner.tier-set": identity.ChainRead, "sbom.recorded": identity.InventoryRead,
			"advisory.matched": identity.AdvisoryRead, "member.added": identity.PeopleRead, "invitation.made": identity.InvitationManage,
			"account.signed-in": identity.JournalRead, "access.denied": identity.JournalRead, "token.made": identity.JournalRead, "unknown": identity.JournalRead,
		} {
			want, _ := identity.Can(actor, verb, identity.In("beanline"))
			if got := mayKnow(actor, kind); got != want {
				t.Errorf("%s may know of %s: %v; want %v", role, kind, got, want)
			}
		}
	}
}

func TestLiveIsBoundedAndEnds(t *testing.T) {
	n := newNode(t)
	pages, err := New(n.Config)
	must(t, err)
	n.handler = pages
	server := httptest.NewServer(pages)
	defer server.Close()
	owner := n.as("owner@beanline.example")
	var all []<-chan string
	for range streamsOfOne {
		lines, status, _ := streamOf(t, owner, server, "0")
		if status != http.StatusOK {
			t.Fatalf("a stream answers %d", status)
		}
		all = append(all, lines)
	}
	_, status, leave := streamOf(t, owner, server, "0")
	if status != http.StatusTooManyRequests {
		t.Errorf("one stream too many answers %d", status)
	}
	leave()
	pages.End()
	for _, lines := range all {
		deadline := time.After(time.Minute)
		for open := true; open; {
			select {
			case _, open = <-lines:
			case <-deadline:
				t.Fatal("a stream is open after the node stopped")
			}
		}
	}
	if len(pages.server.streams.topics) != 0 && !eventually(func() bool {
		pages.server.streams.mu.Lock()
		defer pages.server.streams.mu.Unlock()
		return len(pages.server.streams.topics) == 0 && pages.server.streams.all == 0
	}) {
		t.Error("the journal is still followed for nobody")
	}
}

func eventually(ok func() bool) bool {
	for range 3000 {
		if ok() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// What a page left open asks by itself is no use of the session.
func TestNewsOfTheDemonstration(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	n.tell()
	var body struct {
		Seq  int64
		News []newsItem
	}
	w := owner.get("/o/beanline/live?after=0")
	must(t, json.Unmarshal(w.Body.Bytes(), &body))
	if w.Code != http.StatusOK || body.Seq == 0 || len(body.News) == 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, item := range body.News {
		if item.Text == "" || item.Show == "" || strings.Contains(item.Text, "%!") {
			t.Errorf("news without words: %+v", item)
		}
	}
	w = owner.get(fmt.Sprintf("/o/beanline/live?after=%d", body.Seq))
	if body.News = nil; json.Unmarshal(w.Body.Bytes(), &body) != nil || len(body.News) != 0 {
		t.Errorf("nothing happened since, but %s", w.Body)
	}
}
