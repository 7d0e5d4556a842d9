package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
)

// running starts the demonstration's nodes in a folder, and gives them by name with
// what ends them.
func runningDemo(t *testing.T, dir string) (map[string]*demoNode, func()) {
	t.Helper()
	c := &console{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }, width: unknown}
	nodes := demoNodes(false)
	d := demoCommand{Addr: "127.0.0.1:0", LogLevel: "error"}
	if err := d.open(t.Context(), c, dir, nodes); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, len(nodes))
	if err := loadDemo(ctx, c, nodes, func(n *demoNode) { go func() { ended <- n.Run(ctx) }() }); err != nil {
		t.Fatal(err)
	}
	at := map[string]*demoNode{}
	for _, n := range nodes {
		for _, o := range n.orgs {
			at[o.ID] = n
		}
	}
	return at, func() {
		cancel()
		for range nodes {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		for _, n := range nodes {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// eventually waits for what the nodes do by themselves.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	err := holds()
	for until := time.Now().Add(4 * time.Minute); err != nil && time.Now().Before(until); err = holds() {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// Three nodes talk with each other: what was shared has arrived and was matched, what
// was taken back is gone, a guest speaks from its seat; and they find each other again
// at other ports.
func TestDemonstrationOfThreeNodes(t *testing.T) {
	dir := t.TempDir()
	at, stop := runningDemo(t, dir)
	ctx := context.Background()
	system := func(org entente.OrgID) entente.Actor { return entente.System(org, entente.DoorCommand) }
	if at["beanline"] == at["rosthof"] || at["nordhost"] == at["rosthof"] || at["casa-verde"] != at["nordhost"] {
		t.Fatal("the organisations are not on three nodes")
	}
	eventually(t, "the advisory of Rosthof hits processes of Beanline", func() error {
		impact, err := at["beanline"].Advisory.ImpactOf(ctx, system("beanline"), "ROSTHOF-2026-01", advisory.ImpactOptions{})
		if err == nil && len(impact.Processes) == 0 {
			err = fmt.Errorf("%d products", len(impact.Products))
		}
		return err
	})
	eventually(t, "the SBOM of the laboratory is with its product", func() error {
		documents, err := at["beanline"].Inventory.Documents(ctx, system("beanline"), "aroma-lims")
		for _, d := range documents {
			if d.File == "aroma-lims-2.2.cdx.json" {
				return nil
			}
		}
		return fmt.Errorf("%d documents, %v", len(documents), err)
	})
	eventually(t, "what Rosthof took back is gone at Beanline", func() error {
		said, err := at["rosthof"].Exchange.Statements(ctx, system("rosthof"))
		if err != nil {
			return err
		}
		for _, s := range said {
			_, lines, err := at["rosthof"].Exchange.Statement(ctx, system("rosthof"), s.ID)
			if err != nil {
				return err
			}
			for _, l := range lines {
				if l.Allowed && (l.Delivered.IsZero() || s.State == exchange.TakenBack && l.Acked.IsZero()) {
					return fmt.Errorf("%s at %s: %+v", s.Title, l.Name, l)
				}
			}
		}
		return nil
	})
	eventually(t, "Beanline knows on whom Rosthof rests, as far as it tells", func() error {
		told, err := at["beanline"].Chain.Disclosures(ctx, system("beanline"), "rosthof")
		if err != nil || len(told) != 1 {
			return fmt.Errorf("%d disclosures, %v", len(told), err)
		}
		self, err := at["beanline"].Exchange.Self(ctx, system("beanline"))
		if err != nil {
			return err
		}
		hidden := chain.BlindIDs(self.Party(), "Zahlwerk Payments", "99990000DEMOZAHLWE11", []string{"zahlwerk.example"})
		named, blind := 0, false
		for _, s := range told[0].Suppliers {
			if s.Name != "" {
				named++
			}
			blind = blind || slices.Equal(s.Blind, hidden) && s.Name == "" && s.Needed
		}
		if named != 2 || !blind || told[0].Counted == 0 {
			return fmt.Errorf("told: %+v", told[0])
		}
		said, err := at["rosthof"].Exchange.Statements(ctx, system("rosthof"))
		if err == nil && !slices.ContainsFunc(said, func(s exchange.Statement) bool { return s.Subject == "chain/"+string(self.Party()) }) {
			err = errors.New("it is not under the subject under which a later one takes its place")
		}
		return err
	})
	eventually(t, "Rosthof has the concern", func() error {
		list, err := at["rosthof"].Exchange.Inbox(ctx, system("rosthof"), exchange.InboxQuery{Kind: entente.EntryConcern})
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("%d concerns", len(list))
		}
		return err
	})
	stop()

	at, stop = runningDemo(t, dir)
	defer stop()
	for _, org := range []entente.OrgID{"beanline", "rosthof", "casa-verde"} {
		partners, err := at[string(org)].Exchange.Partners(ctx, system(org))
		if err != nil || len(partners) == 0 {
			t.Fatalf("%s has %d partners: %v", org, len(partners), err)
		}
	}
	eventually(t, "after a start at other ports nothing waits", func() error {
		partners, err := at["beanline"].Exchange.Partners(ctx, system("beanline"))
		for _, p := range partners {
			if p.KnownAs == "rosthof" && (p.Address != at["rosthof"].URL() || p.Out.Waiting() > 0 || p.Out.Failures > 0) {
				return fmt.Errorf("Rosthof is looked for at %s, %d wait: %s", p.Address, p.Out.Waiting(), p.Out.Error)
			}
		}
		return err
	})
}
