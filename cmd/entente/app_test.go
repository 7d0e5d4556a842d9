package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/node"
)

// started runs the demonstration's node in this process until the test ends.
func started(t *testing.T) *node.Node {
	t.Helper()
	return startedOn(t, node.Config{Data: t.TempDir()}, true)
}

func startedOn(t *testing.T, c node.Config, demo bool) *node.Node {
	t.Helper()
	c.Addr, c.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	app, err := node.New(ctx, c)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if demo {
		quiet := &console{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }, width: unknown}
		if err := loadDemo(ctx, quiet, []*demoNode{{Node: app, orgs: catalog.Organisations()}}, func(*demoNode) {}); err != nil {
			cancel()
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the node ended with %v", err)
			}
		case <-time.After(2 * time.Minute):
			t.Error("the node does not stop")
		}
		if err := app.Close(); err != nil {
			t.Error(err)
		}
	})
	return app
}

// The demonstration holds what it promises: a hidden single point of failure at rank
// 2 and 3 and a real vulnerability that reaches bean procurement through rank 3, for
// the organisation that runs it and for nobody else.
func TestDemonstration(t *testing.T) {
	app := started(t)
	ctx := context.Background()
	beanline := entente.System("beanline", entente.DoorCommand)
	g, err := app.Chain.Graph(ctx, beanline)
	if err != nil {
		t.Fatal(err)
	}
	for down, rank := range map[chain.NodeID]int{"nordhost": 2, "kabelhafen": 3} {
		outage := g.Outage([]chain.NodeID{down}, chain.OutageOptions{})
		if g.Rank(down) != rank || len(outage.Processes) < 3 {
			t.Errorf("%s at rank %d stops %d processes", down, g.Rank(down), len(outage.Processes))
		}
	}
	impact, err := app.Advisory.ImpactOf(ctx, beanline, "CVE-2022-1471", advisory.ImpactOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range impact.Processes {
		if p.ID == "bean-procurement" {
			found = true
			if p.Sure != chain.Likely || p.Off == nil || time.Duration(p.Off.Stops) != 24*time.Hour || len(p.Way) < 5 || g.Rank("dropwizard-project") != 3 {
				t.Errorf("bean procurement is reached %v over %d hops, and stops: %v", p.Sure, len(p.Way), p.Off)
			}
		}
	}
	if !found {
		t.Errorf("CVE-2022-1471 does not reach bean procurement")
	}
	nordhost := entente.System("nordhost", entente.DoorCommand)
	if other, err := app.Advisory.ImpactOf(ctx, nordhost, "CVE-2022-1471", advisory.ImpactOptions{}); err == nil && len(other.Products) > 0 {
		t.Errorf("Nordhost sees products of others: %v", other.Products)
	}
}

// Everybody whom the demonstration names can sign in, and sees pages without fault.
func TestEverybodyCanSignIn(t *testing.T) {
	app := started(t)
	for _, org := range catalog.Organisations() {
		for _, p := range org.People {
			answer, body := signedIn(t, app, p.Email)
			if answer.StatusCode != http.StatusOK || !strings.Contains(body, org.Name) {
				t.Errorf("%s: %s at %s", p.Email, answer.Status, answer.Request.URL)
			}
		}
	}
}

// signedIn signs somebody in by the form and gives the page that follows.
func signedIn(t *testing.T, app *node.Node, email string) (answer *http.Response, body string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 2 * time.Minute}
	answer, err = client.PostForm(app.URL()+"/sign-in", url.Values{"email": {email}, "password": {demoPassword}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer, string(text)
}

// Two replicas on one PostgreSQL are one node: what is set up at one is there at the
// other, and a key that is not theirs is refused.
func TestReplicasOnPostgres(t *testing.T) {
	database := dbtest.PostgresConfig(t).Postgres
	first := node.Config{Data: t.TempDir(), Database: database}
	startedOn(t, first, true)
	key, err := os.ReadFile(filepath.Join(first.Data, node.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	second := node.Config{Data: t.TempDir(), Database: database}
	if err := os.WriteFile(filepath.Join(second.Data, node.KeyFile), key, 0o600); err != nil {
		t.Fatal(err)
	}
	other := startedOn(t, second, false)
	if answer, body := signedIn(t, other, "lead@beanline.example"); answer.StatusCode != http.StatusOK || !strings.Contains(body, "Beanline") {
		t.Errorf("%s at %s", answer.Status, answer.Request.URL)
	}
	_, err = node.New(t.Context(), node.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), Database: database, Log: slog.New(slog.DiscardHandler)})
	if entente.KindOf(err) != entente.KindInvalid || !strings.Contains(err.Error(), "node key") {
		t.Errorf("a replica with another key: %v", err)
	}
}
