package inventory

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// sharedData finds the folder of real data beside the project, or skips.
func sharedData(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		data := filepath.Join(dir, "shared", "data")
		if _, err := os.Stat(filepath.Join(data, "SBOM-MANIFEST.tsv")); err == nil {
			return data
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skip("../shared/data is absent: the real documents are not read")
		}
		dir = up
	}
}

type manifestLine struct {
	file, format string
	components   int
	purls        map[string]int
}

func manifest(t *testing.T, data string) []manifestLine {
	t.Helper()
	f, err := os.Open(filepath.Join(data, "SBOM-MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []manifestLine
	in := bufio.NewScanner(f)
	for in.Scan() {
		col := strings.Split(in.Text(), "\t")
		if len(col) < 9 || col[0] != "sboms" {
			continue
		}
		n, err := strconv.Atoi(col[7])
		if err != nil {
			t.Fatalf("%s: %v", col[1], err)
		}
		l := manifestLine{file: col[1], format: col[6], components: n, purls: map[string]int{}}
		for pair := range strings.SplitSeq(col[8], ";") {
			if kind, count, ok := strings.Cut(pair, "="); ok {
				l.purls[kind], _ = strconv.Atoi(count)
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// reading is what one document of the corpus gave.
type reading struct {
	doc        sbom.Document
	components []sbom.Component
	purls      map[string]int // by type, of components and the subject
}

func readFile(t testing.TB, path string) reading {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := reading{purls: map[string]int{}}
	out.doc, err = ReadSBOM(f, filepath.Base(path), sbom.DefaultLimits(), func(c sbom.Component) error {
		out.components = append(out.components, c)
		return nil
	})
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(path), err)
	}
	all := out.components
	if out.doc.Subject != nil && out.doc.Format == sbom.CycloneDX {
		all = append(slices.Clone(all), *out.doc.Subject)
	}
	for _, c := range all {
		for _, p := range append([]string{c.PURL}, c.More...) {
			if p != "" {
				kind, _, _ := strings.Cut(strings.TrimPrefix(p, "pkg:"), "/")
				out.purls[kind]++
			}
		}
	}
	return out
}

// different tells why a document's counts are not those of the manifest; "" if no
// reason is known.
func different(l manifestLine, r reading) string {
	top, services, models, purls := 0, 0, 0, 0
	for _, c := range r.components {
		switch {
		case c.Type == "service":
			services++
		case r.doc.SpecVersion != "" && r.doc.Encoding == "json-ld" && (c.Type == "machine-learning-model" || c.Type == "data"):
			models++
		case c.Depth == 0:
			top++
		}
	}
	for kind, n := range r.purls {
		if kind != "" {
			purls += n
		}
	}
	listed := 0
	for _, n := range l.purls {
		listed += n
	}
	var why []string
	nested := len(r.components) - top - services - models
	switch {
	case len(r.components) == l.components:
	case l.components == top && services > 0:
		why = append(why, "the manifest leaves out services")
	case l.components == top && models > 0:
		why = append(why, "the manifest leaves out packages of the AI and dataset profiles")
	case l.components == top && nested > 0:
		why = append(why, "the manifest counts the top level only; osv-scanner reads those nested too")
	case strings.Contains(l.format, "xml") && l.components > len(r.components):
		why = append(why, "the manifest counts every element named component, so the subject and pedigrees too")
	default:
		return ""
	}
	switch {
	case maps.Equal(r.purls, l.purls):
	case listed > purls:
		why = append(why, "the manifest counts the package URLs of pedigrees, which are not part of the product")
	case listed == 0 && purls > 0:
		why = append(why, "the manifest missed package URLs in CDATA")
	case listed == purls:
		why = append(why, "two package URLs without a type")
	default:
		return ""
	}
	return strings.Join(why, "; ")
}

func TestEveryRealDocumentIsRead(t *testing.T) {
	data := sharedData(t)
	lines := manifest(t, data)
	if len(lines) != 227 {
		t.Errorf("the manifest lists %d documents, 227 were expected", len(lines))
	}
	same, differ, kinds := 0, map[string]int{}, map[string]int{}
	odd, components, silent := 0, 0, 0
	for _, l := range lines {
		r := readFile(t, filepath.Join(data, "sboms", l.file))
		components += len(r.components)
		if len(r.doc.Oddities) > 0 {
			odd++
		}
		if len(r.purls) == 0 {
			silent++
		}
		for _, o := range r.doc.Oddities {
			kinds[general(o.What)]++
		}
		if len(r.components) == l.components && maps.Equal(r.purls, l.purls) {
			same++
			continue
		}
		why := different(l, r)
		if why == "" {
			t.Errorf("%s: %d components, the manifest says %d; package URLs %v, it says %v", l.file, len(r.components), l.components, r.purls, l.purls)
		}
		differ[why]++
	}
	t.Logf("%d documents as in the manifest, %d with a reason; %d components; %d documents without any package URL; oddities in %d documents", same, len(lines)-same, components, silent, odd)
	for _, m := range []map[string]int{differ, kinds} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			t.Logf("%5d  %s", m[k], k)
		}
	}
}

// general takes the particulars off an oddity, to count its kind.
func general(what string) string {
	if cut := strings.IndexByte(what, '"'); cut >= 0 {
		return what[:cut] + "…" + what[strings.LastIndexByte(what, '"')+1:]
	}
	return what
}

type oraclePackage struct{ Ecosystem, Name, Version string }

func oraclePackages(t *testing.T, file string) []oraclePackage {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var expected struct{ Packages []oraclePackage }
	if err := json.Unmarshal(raw, &expected); err != nil {
		t.Fatal(err)
	}
	return expected.Packages
}

// Every real document is recorded, on a database, with the counts that the codec
// gave, and one without a package URL is told as not assessable.
func TestEveryRealDocumentIsRecorded(t *testing.T) {
	data := sharedData(t)
	d := dbtest.SQLite(t)
	stage(t, d)
	s := New(d, Options{Temp: t.TempDir()})
	silent, components, kinds := 0, 0, map[string]int{}
	for _, l := range manifest(t, data) {
		f, err := os.Open(filepath.Join(data, "sboms", l.file))
		if err != nil {
			t.Fatal(err)
		}
		doc, _, err := s.RecordPart(t.Context(), analyst, "portal", l.file, l.file, f)
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", l.file, err)
			continue
		}
		components += doc.Components
		not, why := doc.NotAssessable()
		if not {
			silent++
		}
		if not != (len(l.purls) == 0 && doc.Assessable == 0) || not == why.Blank() {
			t.Errorf("%s: not assessable: %v %q; the manifest has %v", l.file, not, why, l.purls)
		}
		list, total, err := s.Components(t.Context(), analyst, doc.ID, ComponentQuery{Page: Page{Limit: 5}})
		if err != nil || total < doc.Components || len(list) != min(5, total) {
			t.Errorf("%s: %v, %d of %d, %d components", l.file, err, len(list), total, doc.Components)
		}
		for _, o := range doc.Oddities {
			kinds[general(o.What)]++
		}
	}
	t.Logf("%d components; %d documents are not assessable", components, silent)
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%5d  %s", kinds[k], k)
	}
}
