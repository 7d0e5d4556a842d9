package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/db/dbtest"
)

// Two processes of the program share one PostgreSQL. What somebody changes by way of
// one is told at once to the pages that are open at the other.
func TestNewsOfOneReplicaReachThePagesOfAnother(t *testing.T) {
	database, folder := dbtest.PostgresConfig(t).Postgres, t.TempDir() // with the key that replicas share
	here := startReplica(t, database, folder)
	there := startReplica(t, database, folder)
	if here == there {
		t.Fatal("both listen at the same address")
	}
	person := signedInAt(t, here)

	ctx, leave := context.WithTimeout(t.Context(), 4*time.Minute)
	defer leave()
	page := fetched(ctx, t, there+"/o/us", person) // the session of one holds at the other
	after := regexp.MustCompile(`data-live="[^"]*" data-after="(\d+)"`).FindStringSubmatch(page)
	if after == nil {
		t.Fatalf("the page follows nothing:\n%s", page)
	}
	stream := opened(ctx, t, there+"/o/us/live?after="+after[1], person, "text/event-stream")
	defer stream.Close()

	form := url.Values{"id": {"newcomer"}, "name": {"Newcomer"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, here+"/o/us/new/organisation", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(person)
	answer, err := noRedirects.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("the change was answered with %d", answer.StatusCode)
	}

	for lines := bufio.NewScanner(stream); lines.Scan(); {
		var told struct{ Kind, Subject string }
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if ok && json.Unmarshal([]byte(data), &told) == nil && told.Kind == "chain.changed" {
			fetched(ctx, t, there+"/o/us/suppliers/newcomer", person) // and the page shows it
			return
		}
	}
	t.Error("the page at the other replica was not told of the change")
}

var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// startReplica starts the program as a process of its own, and gives its address.
func startReplica(t *testing.T, database, folder string) string {
	t.Helper()
	program, err := exec.LookPath("entente") // testscript.Main puts it on the path
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--database", database, "--data", folder, "--addr", "127.0.0.1:0", "--log-level", "error")
	cmd.Env = []string{
		"TMPDIR=" + folder, "HOME=" + folder,
		"ENTENTE_ORGANISATION=Us", "ENTENTE_OWNER_NAME=Ada", "ENTENTE_OWNER_EMAIL=ada@us.example", "ENTENTE_OWNER_PASSWORD=a long way to the harbour",
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	var all strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if _, address, ok := strings.Cut(lines.Text(), "serves at "); ok {
			go func() { _, _ = io.Copy(io.Discard, said) }() // so that it never waits for a reader
			return address
		}
	}
	t.Fatalf("the replica did not start:\n%s", all.String())
	return ""
}

// signedInAt signs the owner in and gives the cookie of the session.
func signedInAt(t *testing.T, at string) *http.Cookie {
	t.Helper()
	form := url.Values{"email": {"ada@us.example"}, "password": {"a long way to the harbour"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := noRedirects.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if len(answer.Cookies()) == 0 {
		t.Fatalf("the sign-in was answered with %d", answer.StatusCode)
	}
	return answer.Cookies()[0]
}

func opened(ctx context.Context, t *testing.T, at string, person *http.Cookie, kind string) io.ReadCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", kind)
	r.AddCookie(person)
	answer, err := noRedirects.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %d", at, answer.StatusCode)
	}
	return answer.Body
}

func fetched(ctx context.Context, t *testing.T, at string, person *http.Cookie) string {
	t.Helper()
	body := opened(ctx, t, at, person, "text/html")
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
