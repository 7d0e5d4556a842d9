package inventory

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	packageurl "github.com/package-url/packageurl-go"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

func TestParsePackage(t *testing.T) {
	for _, c := range []struct {
		name string
		in   sbom.Component
		want Package
		odd  int
	}{
		{"plain", sbom.Component{Name: "x", Version: "9", PURL: "pkg:npm/left-pad@1.3.0"},
			Package{Type: "npm", Name: "left-pad", Version: "1.3.0"}, 0},
		{"trap 1: the version of the package URL counts", sbom.Component{Name: "stdlib", Version: "go1.21.13", PURL: "pkg:golang/stdlib@1.21.13"},
			Package{Type: "golang", Name: "stdlib", Version: "1.21.13"}, 0},
		{"trap 2: a subpath", sbom.Component{PURL: "pkg:golang/github.com/go-jose/go-jose@v3.0.3#v3"},
			Package{Type: "golang", Namespace: "github.com/go-jose", Name: "go-jose", Version: "v3.0.3", Subpath: "v3"}, 0},
		{"trap 3: capitals stay", sbom.Component{PURL: "pkg:golang/github.com/Masterminds/Sprig@v3.0.0"},
			Package{Type: "golang", Namespace: "github.com/Masterminds", Name: "Sprig", Version: "v3.0.0"}, 0},
		{"trap 4: npm scope only in the group", sbom.Component{Group: "@babel", Name: "core", PURL: "pkg:npm/core@7.0.0"},
			Package{Type: "npm", Namespace: "@babel", Name: "core", Version: "7.0.0"}, 1},
		{"trap 4: npm scope only in the package URL", sbom.Component{Name: "core", PURL: "pkg:npm/%40babel/core@7.0.0"},
			Package{Type: "npm", Namespace: "@babel", Name: "core", Version: "7.0.0"}, 0},
		{"trap 4: Maven group only in the group", sbom.Component{Group: "org.slf4j", Name: "slf4j-api", PURL: "pkg:maven/slf4j-api@2.0.0"},
			Package{Type: "maven", Namespace: "org.slf4j", Name: "slf4j-api", Version: "2.0.0"}, 1},
		{"a group that is no npm scope", sbom.Component{Group: "framework", Name: "express", PURL: "pkg:npm/express@4.16.0"},
			Package{Type: "npm", Name: "express", Version: "4.16.0"}, 0},
		{"trap 5: the version of the component", sbom.Component{Name: "x", Version: "1.0", PURL: "pkg:pypi/x"},
			Package{Type: "pypi", Name: "x", Version: "1.0"}, 0},
		{"trap 5: no version at all", sbom.Component{Name: "x", PURL: "pkg:pypi/x"},
			Package{Type: "pypi", Name: "x"}, 0},
		{"trap 6: qualifiers in order", sbom.Component{PURL: "pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl&distro=debian-12&Arch=amd64"},
			Package{Type: "deb", Namespace: "debian", Name: "libssl3", Version: "3.0.11-1", Qualifiers: "arch=amd64&distro=debian-12&upstream=openssl"}, 0},
		{"trap 9: &amp; and mixed case", sbom.Component{PURL: "PKG:Deb/debian/a@1?arch=all&amp;distro=debian-12"},
			Package{Type: "deb", Namespace: "debian", Name: "a", Version: "1", Qualifiers: "arch=all&distro=debian-12"}, 0},
		{"trap 9: alpine beside apk", sbom.Component{PURL: "pkg:alpine/musl@1.2.3-r4?distro=alpine-3.17"},
			Package{Type: "alpine", Name: "musl", Version: "1.2.3-r4", Qualifiers: "distro=alpine-3.17"}, 0},
		{"a scope that is not escaped", sbom.Component{PURL: "pkg:npm/@babel/core@7.0.0"},
			Package{Type: "npm", Namespace: "@babel", Name: "core", Version: "7.0.0"}, 0},
		{"a name whose slash is escaped", sbom.Component{PURL: "pkg:npm/%40babel%2Fcore@7.0.0"},
			Package{Type: "npm", Namespace: "@babel", Name: "core", Version: "7.0.0"}, 0},
		{"slashes after pkg:", sbom.Component{PURL: "pkg://npm/a@1"}, Package{Type: "npm", Name: "a", Version: "1"}, 0},
		{"a broken escape", sbom.Component{PURL: "pkg:npm/a%zz@1"}, Package{Type: "npm", Name: "a%zz", Version: "1"}, 0},
		{"no name", sbom.Component{Name: "busybox", Version: "2", PURL: "pkg:apk/alpine/@1.36.1-r27?distro=alpine-3.17.2"},
			Package{Name: "busybox", Version: "2"}, 1},
		{"no type", sbom.Component{Name: "n", PURL: "pkg:///"}, Package{Name: "n"}, 1},
		{"no package URL at all", sbom.Component{Name: "n", PURL: "/"}, Package{Name: "n"}, 1},
		{"no package URL", sbom.Component{Group: "g", Name: "n", Version: "1"}, Package{Namespace: "g", Name: "n", Version: "1"}, 0},
		{"too long", sbom.Component{Name: strings.Repeat("n", 3000)}, Package{Name: strings.Repeat("n", maxText)}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			odd := 0
			got := ParsePackage(&c.in, func(entente.Text, ...any) { odd++ })
			c.want.PURL = strings.TrimSpace(c.in.PURL)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("want - got +\n%s", diff)
			}
			if odd != c.odd {
				t.Errorf("%d oddities, want %d", odd, c.odd)
			}
		})
	}
}

// Whatever packageurl-go reads must be read alike here, apart from the case and the
// hyphens that it folds.
func TestPackageURLsAgainstTheLibrary(t *testing.T) {
	data := sharedData(t)
	f, err := os.Open(filepath.Join(data, "fleet", "fleet-purls.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	lines := bufio.NewScanner(z)
	n, refused, kept := 0, 0, 0
	for lines.Scan() {
		_, raw, _ := strings.Cut(lines.Text(), "\t")
		if seen[raw] {
			continue
		}
		seen[raw] = true
		n++
		got, problem := readPURL(raw)
		want, err := packageurl.FromString(raw)
		if err != nil {
			refused++
			if problem == "" {
				kept++
			}
			continue
		}
		if problem != "" {
			t.Errorf("%s: %s", raw, problem)
			continue
		}
		fold := strings.NewReplacer("_", "-").Replace
		same := func(a, b string) bool { return strings.EqualFold(fold(a), fold(b)) }
		if got.Type != want.Type || !same(got.Namespace+"/"+got.Name, want.Namespace+"/"+want.Name) || got.Version != strings.TrimSpace(want.Version) {
			t.Errorf("%s: got %+v, the library %+v", raw, got, want)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d different package URLs; the library refuses %d, of which %d are read here", n, refused, kept)
}

// No package that osv-scanner reads from a document is missing here, by name and
// version in the ecosystem's spelling. It names a package by its CPE if there is
// nothing else.
func TestNoPackageOfTheOracleIsLost(t *testing.T) {
	data := sharedData(t)
	files, err := filepath.Glob(filepath.Join(data, "expected-findings", "*.expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range files {
		want := oraclePackages(t, file)
		if len(want) == 0 {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(file), ".expected.json")
		r := readFile(t, filepath.Join(data, "sboms", name))
		have := map[string]bool{}
		for _, c := range r.components {
			have[spelling(c.CPE, "")] = true
			for _, raw := range append([]string{c.PURL}, c.More...) {
				p := parsePackage(&c, raw, func(entente.Text, ...any) {})
				have[spelling(p.Name, p.Version)] = true
				for _, q := range strings.Split(p.Qualifiers, "&") {
					if source, ok := strings.CutPrefix(q, "upstream="); ok {
						have[spelling(source, p.Version)] = true
					}
					if epoch, ok := strings.CutPrefix(q, "epoch="); ok {
						have[spelling(p.Name, epoch+":"+p.Version)] = true
					}
				}
			}
		}
		for _, p := range want {
			checked++
			if !have[spelling(p.Name, p.Version)] {
				t.Errorf("%s: %s %s %s is missing", name, p.Ecosystem, p.Name, p.Version)
			}
		}
	}
	t.Logf("%d packages of %d documents", checked, len(files))
}

// spelling folds what the oracle writes differently: the namespace, the v of Go.
func spelling(name, version string) string {
	name = name[strings.LastIndexAny(name, "/:")+1:]
	fold := strings.NewReplacer("_", "-", ".", "-").Replace
	return fmt.Sprintf("%s@%s", fold(strings.ToLower(name)), strings.TrimPrefix(strings.TrimPrefix(version, "v"), "go"))
}

func FuzzParsePackage(f *testing.F) {
	for _, s := range []string{"pkg:npm/%40babel/core@7.0.0", "pkg:deb/debian/a@1?arch=all&amp;distro=x#y", "pkg:///", "pkg:apk/alpine/@1", "pkg:npm/@a", "pkg:golang/a/b@v1#v2/%2e%2e"} {
		f.Add(s, "group", "1.0")
	}
	f.Fuzz(func(t *testing.T, purl, group, version string) {
		purl, group, version = strings.ToValidUTF8(purl, ""), strings.ToValidUTF8(group, ""), strings.ToValidUTF8(version, "")
		c := sbom.Component{Name: "n", Group: group, Version: version, PURL: purl}
		p := ParsePackage(&c, func(entente.Text, ...any) {})
		if p.Type != "" && p.Name == "" {
			t.Errorf("%q: a type without a name", purl)
		}
		for _, s := range []string{p.Type, p.Namespace, p.Name, p.Version, p.Qualifiers, p.Subpath, p.PURL, p.search()} {
			if strings.IndexByte(s, 0) >= 0 || strings.ToValidUTF8(s, "") != s || len(s) > 3*maxText {
				t.Errorf("%q: %q cannot be stored", purl, s)
			}
		}
	})
}
