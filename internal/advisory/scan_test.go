package advisory

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/chain"
)

// demo reads the demonstration: its first map, its bills of materials bound to
// products as the map says, and its advisories.
func demo(t testing.TB) (*chain.Graph, *Scan) {
	t.Helper()
	raw, err := fs.ReadFile(catalog.Files(), "beanline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := chain.ParseMap(bytes.NewReader(raw), "beanline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	g, err := chain.Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	s := &Scan{Advisories: func(ctx context.Context, v osv.Visitor) error {
		files, err := fs.Sub(catalog.Files(), "advisories")
		if err != nil {
			return err
		}
		return osv.WalkFS(ctx, files, osv.DefaultLimits(), v)
	}}
	entries, err := fs.ReadDir(catalog.Files(), "sboms")
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Products {
		for _, pattern := range m.Products[i].SBOMs {
			for _, e := range entries {
				if ok, err := path.Match(pattern, e.Name()); err != nil || !ok && pattern != e.Name() {
					continue
				}
				s.Documents = append(s.Documents, ScanDocument{
					Name: e.Name(), Product: string(m.Products[i].ID),
					Open: func() (io.ReadCloser, error) { return catalog.Files().Open(path.Join("sboms", e.Name())) },
				})
			}
		}
	}
	return g, s
}

func TestScanOfTheDemonstration(t *testing.T) {
	g, s := demo(t)
	if len(s.Documents) == 0 {
		t.Fatal("the demonstration binds no bills of materials")
	}
	found, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found.Documents {
		if d.Err != nil {
			t.Errorf("%s: %v", d.Name, d.Err)
		}
	}
	if len(found.Wrong) > 0 || found.Advisories == 0 {
		t.Errorf("%d advisories, wrong ones %v", found.Advisories, found.Wrong)
	}
	deepest := 0
	for _, b := range found.Briefs() {
		impact, ok := found.Impact(g, b.ID, ImpactOptions{Products: -1, Processes: -1, Calls: -1})
		if !ok {
			t.Fatalf("no impact of %s", b.ID)
		}
		for _, p := range impact.Products {
			if len(p.Components) == 0 || p.Components[0].Why == "" {
				t.Errorf("%s: the product %s is hit without a reason", b.ID, p.ID)
			}
			if n, ok := g.Node(p.ID); ok && len(impact.Processes) > 0 {
				deepest = max(deepest, g.Rank(n.Organisation))
			}
		}
		for _, p := range impact.Processes {
			if p.Sure > 0 && (len(p.Way) == 0 || p.Because.Blank()) {
				t.Errorf("%s: %s is reached without a way or a reason", b.ID, p.ID)
			}
		}
		if len(impact.Processes) > 0 && len(impact.Call) == 0 {
			t.Errorf("%s reaches processes, but nobody is called", b.ID)
		}
		if impact.Counts.Products != len(impact.Products) || impact.Counts.Undecided != len(impact.Undecided) {
			t.Errorf("%s: counts %+v do not fit the lists", b.ID, impact.Counts)
		}
		if _, err := json.Marshal(impact); err != nil {
			t.Error(err)
		}
	}
	if deepest < 3 {
		t.Errorf("the deepest product that hits a process is of rank %d, want 3", deepest)
	}
}

func TestScanNarrowsToOneAdvisoryByAnyName(t *testing.T) {
	_, s := demo(t)
	s.Only = []string{"cve-2021-44228", "CVE-1999-0000"}
	found, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found.Missing, []string{"CVE-1999-0000"}) {
		t.Errorf("missing %q", found.Missing)
	}
	for _, f := range found.Findings {
		if f.Advisory.ID != "GHSA-jfh8-c2jp-5v3q" {
			t.Errorf("%s is found, which was not asked", f.Advisory.ID)
		}
	}
	if len(found.Findings) == 0 {
		t.Error("log4j-core is not found")
	}
}

func TestScanTellsWhatItCannotRead(t *testing.T) {
	s := &Scan{
		Documents: []ScanDocument{{Name: "x.json", Product: "p", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.5","components":[`)), nil
		}}, {Name: "absent.json", Product: "p", Open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}},
		Advisories: func(ctx context.Context, v osv.Visitor) error {
			return osv.WalkReader(ctx, strings.NewReader("{}\n{\"id\":\"A-1\"}\nx"), "all.jsonl", osv.DefaultLimits(), v)
		},
	}
	found, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found.Documents[0].Err == nil || found.Documents[1].Err == nil {
		t.Errorf("documents %+v", found.Documents)
	}
	if len(found.Wrong) != 2 || found.Advisories != 1 || !strings.HasPrefix(found.Wrong[0].Where, "all.jsonl:1") {
		t.Errorf("%d advisories, wrong %v", found.Advisories, found.Wrong)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Run(ctx); err == nil {
		t.Error("a cancelled scan gives a result")
	}
}

func BenchmarkScan(b *testing.B) {
	data := sharedData(b)
	files, err := os.ReadDir(filepath.Join(data, "sboms"))
	if err != nil {
		b.Fatal(err)
	}
	s := &Scan{Advisories: func(ctx context.Context, v osv.Visitor) error {
		return osv.Walk(ctx, filepath.Join(data, "osv"), osv.DefaultLimits(), v)
	}}
	for _, f := range files {
		s.Documents = append(s.Documents, ScanDocument{
			Name: f.Name(), Product: f.Name(),
			Open: func() (io.ReadCloser, error) { return os.Open(filepath.Join(data, "sboms", f.Name())) },
		})
	}
	for b.Loop() {
		found, err := s.Run(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(found.Findings)), "findings")
	}
}
