package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

func small(t *testing.T) *bench {
	t.Helper()
	s, err := newStage()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.clear(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{options: options{seed: 1, sboms: 30, components: 40, suppliers: 20, processes: 30, partners: 6, feed: 5, nodes: "sqlite"}, report: &report{out: io.Discard}, stage: s}
	b.fleet, err = inventFleet(s.dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The parts that need no built program run on an invented fleet, in small.
func TestPartsRun(t *testing.T) {
	b := small(t)
	b.engines = "sqlite,postgres"
	for _, run := range []func() error{
		func() error { return b.impact(t.Context()) },
		func() error { return b.index(t.Context()) },
		func() error { return b.exchange(t.Context()) },
	} {
		if err := run(); err != nil {
			t.Fatal(err)
		}
	}
	text := b.markdown()
	for _, want := range []string{"sqlite: whom an advisory hits, p99", "first answer after a start", "load it", "a partner has it, durable and matched, p99", "1 signed requests each"} {
		if !strings.Contains(text, want) {
			t.Errorf("no figure %q in:\n%s", want, text)
		}
	}
}

func TestMapsHold(t *testing.T) {
	for _, size := range [][3]int{{500, 500, 10_000}, {20, 30, 30}, {1, 1, 1}, {10, 100, 1000}} {
		m := landscape(rand.New(rand.NewPCG(1, 1)), size[0], size[1], size[2])
		if wrong := chain.Validate(m); len(wrong) > 0 {
			t.Errorf("a landscape of %v does not hold: %v", size, wrong[:min(len(wrong), 3)])
		}
	}
	g, err := chain.Compile(web(rand.New(rand.NewPCG(1, 4)), 2000, 10_000))
	if err != nil {
		t.Fatal(err)
	}
	if things, needs := g.Size(); things < 2000 || needs < 10_000 || needs > 11_000 {
		t.Errorf("%d things, %d needs", things, needs)
	}
}

func TestDrawIsFixedBySeed(t *testing.T) {
	f := small(t).fleet
	draw := func() []int32 { return f.draw(rand.New(rand.NewPCG(7, 7)), 300) }
	one := draw()
	if !slices.Equal(one, draw()) {
		t.Error("the same seed drew something else")
	}
	slices.Sort(one)
	if len(slices.Compact(one)) != 300 {
		t.Error("a component was drawn twice")
	}
}

// What the bench writes is read without a complaint, component for component.
func TestDocumentsAreRead(t *testing.T) {
	f := small(t).fleet
	part := func(i int) coordinates { return coordinatesOf(f.purls[i]) }
	for name, write := range map[string]func(io.Writer, int64, func(int) coordinates) (int, error){
		"CycloneDX": writeLargeCycloneDX, "SPDX": writeLargeSPDX,
		"small CycloneDX": func(w io.Writer, _ int64, part func(int) coordinates) (int, error) {
			return 2, writeCycloneDX(w, `a "product"`, []coordinates{part(0), part(1)})
		},
	} {
		var text bytes.Buffer
		wrote, err := write(&text, 300<<10, part)
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		doc, err := inventory.ReadSBOM(&text, name, sbom.DefaultLimits(), func(c sbom.Component) error {
			if read == 0 && (c.PURL != f.purls[0] || c.Name == "" || c.Version == "") {
				t.Errorf("%s: the first component is %+v", name, c)
			}
			read++
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if read != wrote || len(doc.Oddities) > 0 {
			t.Errorf("%s: wrote %d, read %d, oddities %v", name, wrote, read, doc.Oddities)
		}
	}
}

func TestFigures(t *testing.T) {
	r := &report{out: io.Discard}
	r.below("a", "slow", 7*time.Millisecond, 5*time.Millisecond, "")
	r.within("b", "fits", 3<<20, 4<<20, "a note")
	r.fact("c", "said", "12")
	if r.missed() != 1 {
		t.Errorf("%d missed", r.missed())
	}
	text := r.markdown()
	for _, want := range []string{"| a | slow | 7.00 ms | < 5.00 ms | **missed** |", "| b | fits (a note) | 3.0 MiB | ≤ 4.0 MiB | met |", "| c | said | 12 |  |  |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	s := spread{5, 1, 4, 2, 3}
	if s.at(.5) != 3 || s.at(1) != 5 || s.at(0) != 1 || (spread{}).at(.5) != 0 {
		t.Errorf("spread: %v %v %v", s.at(0), s.at(.5), s.at(1))
	}
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("before\n"+markBegin+"\nold\n"+markEnd+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := record(page, r); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(got), "before\n") || !strings.HasSuffix(string(got), "\nafter\n") || strings.Contains(string(got), "old") || !strings.Contains(string(got), "slow") {
		t.Errorf("the page is:\n%s", got)
	}
	if host, err := os.Hostname(); err == nil && len(host) > 3 && strings.Contains(string(got), host) {
		t.Error("the page names the host")
	}
}
