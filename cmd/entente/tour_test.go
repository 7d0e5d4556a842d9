package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/node"
)

// The first half hour of a newcomer in a real browser (test/browser/tour.mjs), on
// both engines.
func TestTourInABrowser(t *testing.T) {
	folder, err := filepath.Abs("../../test/browser")
	if err != nil {
		t.Fatal(err)
	}
	missing := func(what string) {
		if os.Getenv("CI") == "true" {
			t.Fatal(what + "; make test installs it")
		}
		t.Skip(what + "; make test installs it")
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing("Node is missing")
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		missing("the packages of test/browser are missing")
	}
	browser := false
	for _, path := range []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := os.Stat(path); err == nil {
			browser = true
		}
	}
	if !browser {
		missing("Chromium is missing")
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		config := node.Config{Addr: "127.0.0.1:0", Data: t.TempDir(), Database: c.Postgres, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Say: func(string) {}}
		app, err := node.New(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := app.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := loadDemo(ctx, &console{out: io.Discard, err: io.Discard}, []*demoNode{{Node: app, orgs: catalog.Organisations()}}, func(*demoNode) {}); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- app.Run(ctx) }()
		await(t, app.URL()+"/healthz")
		var said bytes.Buffer
		tour := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", "tour.mjs")
		tour.Dir, tour.Stdout, tour.Stderr = folder, &said, &said
		tour.Env = append(os.Environ(), "ENTENTE_ADDRESS="+app.URL(), "ENTENTE_PASSWORD="+demoPassword)
		if c.Postgres != "" {
			tour.Env = append(tour.Env, "ENTENTE_AXE=no")
		}
		if err := tour.Run(); err != nil {
			t.Errorf("%v\n%s", err, said.String())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// await waits until the node answers.
func await(t *testing.T, address string) {
	t.Helper()
	for range 2400 {
		r, err := http.Get(address)
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the node does not answer")
}
