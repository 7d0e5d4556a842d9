package main

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/node"
)

// Two fresh nodes become partners by the commands that the README shows: each is told
// what the README tells it, with addresses of this test.
func TestTwoFreshNodesBecomePartners(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	ctx := context.Background()
	addresses := map[string]string{"127.0.0.1:9001": free("127.0.0.1:19001"), "127.0.0.1:9002": free("127.0.0.1:19101")}
	set := map[string]bool{} // nodes that are set up
	link, ran := "", 0
	for _, line := range strings.Split(string(text), "\n") {
		shown, inside := strings.CutPrefix(line, "    bin/entente ")
		if !inside || !strings.Contains(shown, "--data a") && !strings.Contains(shown, "--data b") {
			continue
		}
		shown, _, _ = strings.Cut(shown, "  #")
		for of, at := range addresses {
			shown = strings.ReplaceAll(shown, of, at)
		}
		args := strings.Fields(strings.ReplaceAll(shown, "LINK", link))
		data := regexp.MustCompile(`--data (\w+)`).FindStringSubmatch(shown)[1]
		ran++
		if args[0] != "serve" {
			out, errs, code := runEntente(t, args...)
			if code != exitOK {
				t.Fatalf("%s: %s", shown, errs)
			}
			switch args[1] {
			case "invite":
				link = strings.TrimSpace(out)
			case "accept":
				if !strings.Contains(out, "a is a partner now") || len(strings.Fields(out)) < 20 {
					t.Errorf("%s: %s", shown, out)
				}
			}
			continue
		}
		c := node.Config{Addr: "127.0.0.1:0", Data: data, AllowPrivate: true, Log: slog.New(slog.DiscardHandler), Say: func(string) {}}
		for _, at := range addresses {
			if strings.Contains(shown, "--addr "+at+" ") {
				c.Addr = at
			}
		}
		n, err := node.New(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if !set[data] {
			// The three questions.
			set[data] = true
			_, err := n.Identity.CreateOrganisation(ctx, identity.NewOrganisation{Name: data, Owner: identity.NewPerson{Name: "Owner", Email: "owner@" + data + ".example", Password: "a long way to the harbour"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- n.Run(running) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if ran != 6 {
		t.Fatalf("%d lines of the README were tried", ran)
	}
}
