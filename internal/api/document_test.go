package api

import (
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

var seed = flag.Uint64("seed", 1, "of the requests that are made from the document")

// The document says what the API does: every operation that is asked for as it should be
// succeeds, requests made up from the document, good and bad, are never answered with
// 5xx, and every answer holds to its schema.
func TestAnswersHoldToTheDocument(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the same requests again: go test ./internal/api -run %s -seed %d", t.Name(), *seed)
			}
		})
		a := &asker{&inventor{document: readDocument(t, n.handler), rng: rand.New(rand.NewPCG(*seed, 1)), files: files(t)}, n, map[string]int{}}
		a.meansWell()
		g, err := n.rooms.Chain.Graph(t.Context(), entente.System("beanline", entente.DoorCommand))
		must(t, err)
		v := a.inventor
		v.known = map[string][]string{}
		for node := range g.Nodes() {
			v.known["things"] = append(v.known["things"], string(node.Kind)+"/"+string(node.ID))
		}
		for _, f := range g.Map().Flows {
			v.known["things"] = append(v.known["things"], "flow/"+string(f.ID))
		}
		rounds := 40
		if testing.Short() || strings.HasPrefix(t.Name(), "TestAnswersHoldToTheDocument/postgres") {
			rounds = 10 // answers are made alike on both engines
		}
		tokens := []string{n.tokens["beanline/owner"], n.tokens["beanline/owner"], n.tokens["beanline/auditor"], n.tokens["rosthof/analyst"]}
		all := v.calls()
		for round := range rounds {
			for _, c := range all {
				if c.method == "DELETE" && round%3 > 0 {
					continue // so that something is left for the others to meet
				}
				a.ask(c, v.request(c, tokens[v.rng.IntN(len(tokens))]))
			}
			must(t, n.runner.CatchUp(t.Context(), "beanline")) // so that what was started is done
		}
		t.Logf("%d operations, %d ids learned, successes: %v", len(all), len(v.known["any"]), a.succeeded)
	})
}

// files are what is uploaded: documents, advisories and maps of the demonstration.
func files(t *testing.T) [][]byte {
	t.Helper()
	var all [][]byte
	err := fs.WalkDir(catalog.Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".yaml") && path != "beanline.yaml" {
			return err // the map of another organisation would leave little to ask for
		}
		text, err := fs.ReadFile(catalog.Files(), path)
		all = append(all, text)
		return err
	})
	must(t, err)
	return all
}

// Every operation is in the document and on the page, with a right that it needs.
func TestDocumentIsWhole(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	doc := readDocument(t, n.handler)
	listed := map[string]bool{}
	for _, c := range doc.calls() {
		listed[c.id()] = true
		if c.op["summary"] == "" || c.op["x-entente-verb"] == "" || c.op["security"] == nil {
			t.Errorf("%s has no summary, right or security", c.id())
		}
	}
	page := n.ask("GET", base+"/", nil)
	if page.Code != 200 || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("the page: %d %v", page.Code, page.Header())
	}
	for _, o := range operations() {
		if !listed[o.id] {
			t.Errorf("%s is not in the document", o.id)
		}
		if !strings.Contains(page.Body.String(), fmt.Sprintf(`id="%s"`, o.id)) {
			t.Errorf("%s is not on the page", o.id)
		}
	}
	if len(listed) != len(operations()) {
		t.Errorf("the document lists %d operations, the list has %d", len(listed), len(operations()))
	}
	for _, p := range problems {
		if !strings.Contains(page.Body.String(), fmt.Sprintf(`id="%s"`, p.name)) {
			t.Errorf("the problem %s is not on the page, to which its type leads", p.name)
		}
	}
}

// The page holds to its own policy: no script, nothing inline, nothing from outside,
// and every link inside it leads somewhere.
func TestReferencePageIsClean(t *testing.T) {
	n := newNode(t, dbtest.SQLite(t))
	page := n.ask("GET", base+"/", nil)
	body := page.Body.String()
	if policy := page.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self';") {
		t.Errorf("policy %q", policy)
	}
	for _, bad := range []string{"<script", "<style", " style=", " onclick", "http://", "https://", "<img"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if ids[m[1]] {
			t.Errorf("the id %s is there twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		inside, anchor := strings.CutPrefix(m[1], "#")
		switch {
		case anchor && !ids[inside]:
			t.Errorf("the link %s leads nowhere", m[1])
		case !anchor:
			if w := n.ask("GET", m[1], nil); w.Code != 200 {
				t.Errorf("the link %s: %d", m[1], w.Code)
			}
		}
	}
	yaml := n.ask("GET", base+"/openapi.yaml", nil)
	if yaml.Code != 200 || !strings.Contains(yaml.Body.String(), "openapi: 3.1.0") {
		t.Errorf("the YAML form: %d %.100s", yaml.Code, yaml.Body)
	}
}
