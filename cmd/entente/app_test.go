package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
)

// started runs the demonstration's node in this process until the test ends.
func started(t *testing.T) *App {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	app, err := New(ctx, Config{Addr: "127.0.0.1:0", Data: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	c := &console{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }, width: unknown}
	if err := app.loadDemo(ctx, c); err != nil {
		cancel()
		t.Fatal(err)
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
		case <-time.After(30 * time.Second):
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
	g, err := app.chain.Graph(ctx, beanline)
	if err != nil {
		t.Fatal(err)
	}
	for down, rank := range map[chain.NodeID]int{"nordhost": 2, "kabelhafen": 3} {
		outage := g.Outage([]chain.NodeID{down}, chain.OutageOptions{})
		if g.Rank(down) != rank || len(outage.Processes) < 3 {
			t.Errorf("%s at rank %d stops %d processes", down, g.Rank(down), len(outage.Processes))
		}
	}
	impact, err := app.advisory.ImpactOf(ctx, beanline, "CVE-2022-1471", advisory.ImpactOptions{})
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
	if other, err := app.advisory.ImpactOf(ctx, nordhost, "CVE-2022-1471", advisory.ImpactOptions{}); err == nil && len(other.Products) > 0 {
		t.Errorf("Nordhost sees products of others: %v", other.Products)
	}
}

// Everybody whom the demonstration names can sign in, and sees pages without fault.
func TestEverybodyCanSignIn(t *testing.T) {
	app := started(t)
	for _, org := range catalog.Organisations() {
		for _, p := range org.People {
			jar, err := cookiejar.New(nil)
			if err != nil {
				t.Fatal(err)
			}
			client := &http.Client{Jar: jar, Timeout: 20 * time.Second}
			answer, err := client.PostForm(app.URL()+"/sign-in", url.Values{"email": {p.Email}, "password": {demoPassword}})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK || !strings.Contains(string(body), org.Name) {
				t.Errorf("%s: %s at %s", p.Email, answer.Status, answer.Request.URL)
			}
		}
	}
}
