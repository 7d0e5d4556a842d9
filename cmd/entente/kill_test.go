package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/node"
)

const (
	killComponents = 8_000
	killProduct    = chain.NodeID("portal")
	killOrg        = entente.OrgID("us")
)

// The program is killed at random instants while it records SBOMs. Whatever the
// instant, the node then holds the document before or the one after, whole, with a
// journal that verifies, and goes on.
func TestKilledImportLeavesOldOrNew(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killImports(t, node.Config{Data: t.TempDir()}, 20) })
	t.Run("postgres", func(t *testing.T) {
		c := dbtest.PostgresConfig(t)
		killImports(t, node.Config{Database: c.Postgres}, 10)
	})
}

func killImports(t *testing.T, c node.Config, times int) {
	c.Log = slog.New(slog.DiscardHandler)
	program, err := exec.LookPath("entente") // testscript.Main puts it on the path
	if err != nil {
		t.Fatal(err)
	}
	inNode(t, c, setUpKill)
	dir := t.TempDir()
	importing := func(n int) *exec.Cmd {
		file := killDocument(t, dir, n)
		args := []string{"import", "sbom", "--product", string(killProduct), file}
		if c.Data != "" {
			args = append(args, "--data", c.Data)
		} else {
			args = append(args, "--database", c.Database)
		}
		cmd := exec.Command(program, args...)
		cmd.Env = []string{"TMPDIR=" + dir, "HOME=" + dir}
		return cmd
	}
	began := time.Now()
	if out, err := importing(0).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(began)

	old, cut := 0, 0 // the number of the recorded document; how many imports were cut off
	for n := 1; n <= times; n++ {
		cmd := importing(n)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		kill := time.AfterFunc(rand.N(whole), func() { _ = cmd.Process.Kill() }) // it may have ended
		err := cmd.Wait()
		if kill.Stop(); err == nil {
			whole = time.Since(began) // the machine may be quicker or slower than before
		}
		inNode(t, c, func(t *testing.T, held *rooms) {
			now := recorded(t, held)
			if now != old && now != n {
				t.Fatalf("after the kill of import %d the node holds document %d, and held %d before", n, now, old)
			}
			if err != nil && now == old {
				cut++
			}
			old = now
		})
	}
	t.Logf("an import takes %v; %d of %d were cut off before they were kept", whole.Round(time.Millisecond), cut, times)
	if cut == 0 {
		t.Errorf("none of %d kills hit an import", times)
	}

	// A restart continues.
	if out, err := importing(times + 1).CombinedOutput(); err != nil {
		t.Fatalf("after the kills: %v: %s", err, out)
	}
	inNode(t, c, func(t *testing.T, held *rooms) {
		if now := recorded(t, held); now != times+1 {
			t.Errorf("after the kills the node holds document %d instead of %d", now, times+1)
		}
	})
}

func inNode(t *testing.T, c node.Config, fn func(*testing.T, *rooms)) {
	t.Helper()
	at, err := node.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := at.DB.Close(); err != nil {
			t.Error(err)
		}
	}()
	fn(t, &rooms{at})
}

func setUpKill(t *testing.T, n *rooms) {
	ctx := context.Background()
	_, err := n.Identity.CreateOrganisation(ctx, identity.NewOrganisation{
		ID: killOrg, Name: "Us", Owner: identity.NewPerson{Name: "Owner", Email: "owner@us.example", Password: "a long way to the harbour"},
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := chain.ParseMap(strings.NewReader(`format: entente.map/1
organisation: us
currency: EUR
organisations: [{id: us, name: Us}]
products: [{id: portal, name: Portal}]
`), "map")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Chain.Import(ctx, entente.System(killOrg, entente.DoorCommand), m); err != nil {
		t.Fatal(err)
	}
}

// killDocument writes a document whose subject carries its number.
func killDocument(t *testing.T, dir string, n int) string {
	t.Helper()
	type component struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	}
	all := make([]component, killComponents)
	for i := range all {
		version := fmt.Sprintf("%d.%d", n, i)
		all[i] = component{"library", fmt.Sprintf("part-%d", i), version, fmt.Sprintf("pkg:npm/part-%d@%s", i, version)}
	}
	text, err := json.Marshal(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": n,
		"metadata":   map[string]any{"component": map[string]any{"type": "application", "name": "Portal", "version": fmt.Sprint(n)}},
		"components": all,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprintf("portal-%d.cdx.json", n))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// recorded checks that the node is whole, lets it catch up, and gives the number of
// the current document.
func recorded(t *testing.T, n *rooms) int {
	t.Helper()
	ctx := context.Background()
	actor := entente.System(killOrg, entente.DoorCommand)
	if _, err := journal.Verify(ctx, n.DB, killOrg); err != nil {
		t.Fatal(err)
	}
	if err := n.Runner.CatchUp(ctx, killOrg); err != nil {
		t.Fatal(err)
	}
	docs, err := n.Inventory.Documents(ctx, actor, killProduct)
	if err != nil {
		t.Fatal(err)
	}
	current, number := 0, -1
	for _, d := range docs {
		if !d.Current() {
			continue
		}
		current++
		if _, err := fmt.Sscanf(d.Revision, "%d", &number); err != nil {
			t.Fatalf("the document's revision is %q", d.Revision)
		}
	}
	if current != 1 {
		t.Fatalf("%d documents are current", current)
	}
	err = n.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := db.One(ctx, tx, db.Value[int64], "SELECT COUNT(*) FROM inventory_component WHERE org = $1", string(killOrg))
		if err != nil {
			return err
		}
		want := int64(0)
		for _, d := range docs {
			want += int64(d.Components)
		}
		// One line more where a document tells its subject as a package; this one does not.
		if rows != want {
			t.Errorf("%d lines are stored for documents with %d components", rows, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return number
}
