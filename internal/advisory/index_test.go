package advisory

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

func packageOf(purl string) inventory.Package {
	return inventory.ParsePackage(&sbom.Component{PURL: purl}, func(entente.Text, ...any) {})
}

func namesOf(purl string) Names {
	p := packageOf(purl)
	return KeyOf(&p)
}

// fleet is an inventory told plainly, the way the brute force reads it.
type fleet struct {
	names map[uint32]Names
	docs  map[uint32]plainDocument
}

type plainDocument struct {
	product  string
	packages []uint32
}

// scan is the brute force: every document, every package, every rule.
func (f *fleet) scan(m *Matcher) map[string]State {
	out := map[string]State{}
	for id, d := range f.docs {
		for _, p := range d.packages {
			if v := m.Match(f.names[p]); v.State != Not {
				out[fmt.Sprint(id, d.product, p)] = v.State
			}
		}
	}
	return out
}

func (x *Index) scan(m *Matcher) map[string]State {
	out := map[string]State{}
	for _, h := range x.Match(m) {
		x.Documents(h.Package, func(p Posting) {
			out[fmt.Sprint(p.Document, p.Product, h.Package)] = h.State
		})
	}
	return out
}

func TestIndexAnswersAsAScanDoes(t *testing.T) {
	templates := []string{
		"pkg:npm/a@%d.0.0", "pkg:npm/b@%d.1.0", "pkg:npm/a", "pkg:maven/g/a@%d.0", "pkg:golang/go@1.%d.0", "pkg:generic/x@%d",
		"pkg:golang/example.com/m@v%d.0.0#sub", "pkg:deb/debian/a@1:%d.0?distro=debian-11", "pkg:deb/debian/a@%d.0", "pkg:pypi/A_b@%d.0rc1",
	}
	keys := []osv.Package{
		{Ecosystem: "npm", Name: "a"}, {Ecosystem: "npm", Name: "b"}, {Ecosystem: "Maven", Name: "g:a"}, {Ecosystem: "Go", Name: "stdlib"},
		{Ecosystem: "Go", Name: "example.com/m"}, {Ecosystem: "Go", Name: "example.com/m/sub"}, {Ecosystem: "Debian:11", Name: "a"}, {Ecosystem: "PyPI", Name: "a-b"},
	}
	rapid.Check(t, func(t *rapid.T) {
		f := &fleet{names: map[uint32]Names{}, docs: map[uint32]plainDocument{}}
		purl := rapid.Custom(func(t *rapid.T) string {
			text := rapid.SampledFrom(templates).Draw(t, "purl")
			if bytes.Contains([]byte(text), []byte("%d")) {
				return fmt.Sprintf(text, rapid.IntRange(0, 5).Draw(t, "n"))
			}
			return text
		})
		advisories := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *Matcher {
			r := osv.Record{ID: "A"}
			for range rapid.IntRange(1, 3).Draw(t, "affected") {
				from, to := rapid.IntRange(0, 5).Draw(t, "from"), rapid.IntRange(0, 6).Draw(t, "to")
				events := []osv.Event{{Fixed: fmt.Sprint(to, ".0")}, {Introduced: fmt.Sprint(from)}}
				r.Affected = append(r.Affected, osv.Affected{
					Package: rapid.SampledFrom(keys).Draw(t, "key"), Ranges: []osv.Range{{Type: osv.RangeEcosystem, Events: events}},
				})
			}
			return Compile(&r)
		}), 1, 5).Draw(t, "advisories")

		b := NewBuilder()
		var nextPackage, nextDocument uint32
		addDocument := func(x *Index) {
			nextDocument++
			d := plainDocument{product: fmt.Sprint("p", rapid.IntRange(1, 4).Draw(t, "product"))}
			for range rapid.IntRange(0, 6).Draw(t, "components") {
				if nextPackage > 0 && rapid.Bool().Draw(t, "known") {
					d.packages = append(d.packages, rapid.Uint32Range(1, nextPackage).Draw(t, "package"))
					continue
				}
				nextPackage++
				f.names[nextPackage] = namesOf(purl.Draw(t, "purl"))
				d.packages = append(d.packages, nextPackage)
				if x == nil {
					b.AddPackage(nextPackage, f.names[nextPackage])
				}
			}
			f.docs[nextDocument] = d
			if x == nil {
				b.AddDocument(nextDocument, d.product, d.packages)
			} else {
				for _, p := range d.packages {
					if !x.HasPackage(p) { // new, or left out because no document contained it
						x.AddPackage(p, f.names[p])
					}
				}
				x.AddDocument(nextDocument, d.product, d.packages)
			}
		}
		for range rapid.IntRange(0, 5).Draw(t, "documents") {
			addDocument(nil)
		}
		x := b.Index()
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				addDocument(x)
			case 2:
				if nextDocument > 0 {
					id := rapid.Uint32Range(1, nextDocument).Draw(t, "gone")
					delete(f.docs, id)
					x.RemoveDocument(id)
				}
			case 3:
				x = x.Compact()
			case 4:
				x = saveAndLoad(t, x)
			}
			for _, m := range advisories {
				if want, got := f.scan(m), x.scan(m); !maps.Equal(want, got) {
					t.Fatalf("the index gives %v, the scan %v", got, want)
				}
			}
		}
	})
}

type fataler interface {
	Fatal(args ...any)
}

func saveAndLoad(t fataler, x *Index) *Index {
	var form bytes.Buffer
	if err := x.Save(&form); err != nil {
		t.Fatal(err)
	}
	back, err := LoadIndex(&form)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func smallIndex() *Index {
	b := NewBuilder()
	b.AddPackage(7, namesOf("pkg:npm/left@1.0.0"))
	b.AddPackage(3, namesOf("pkg:deb/debian/libssl1.1@1.1.1n-0?upstream=openssl&distro=debian-11"))
	b.AddDocument(1, "portal", []uint32{7, 3, 7})
	b.AddDocument(2, "desk", []uint32{3, 99})
	return b.Index()
}

func TestIndexCountsWhatItHolds(t *testing.T) {
	x := smallIndex()
	if s := x.Size(); s.Packages != 2 || s.Documents != 2 || s.Products != 2 || s.Postings != 3 || s.Bytes <= 0 {
		t.Errorf("size %+v", s)
	}
	if !x.HasDocument(2) || x.HasDocument(3) || !x.HasPackage(3) || x.HasPackage(99) {
		t.Error("the index does not know what it holds")
	}
	x.RemoveDocument(2)
	x.RemoveDocument(2)
	if s := x.Size(); s.Documents != 1 {
		t.Errorf("size %+v after a document left", s)
	}
	if !x.Concerns([]PackageKey{{"npm", "right"}, {"npm", "left"}}) || x.Concerns([]PackageKey{{"npm", "lef"}}) {
		t.Error("Concerns is wrong")
	}
}

func TestIndexRefusesADamagedForm(t *testing.T) {
	var form bytes.Buffer
	if err := smallIndex().Save(&form); err != nil {
		t.Fatal(err)
	}
	for at := range form.Len() {
		damaged := slices.Clone(form.Bytes())
		damaged[at] ^= 0x40
		if _, err := LoadIndex(bytes.NewReader(damaged)); !errors.Is(err, ErrIndexForm) {
			t.Fatalf("a form with byte %d damaged gives %v", at, err)
		}
		if _, err := LoadIndex(bytes.NewReader(form.Bytes()[:at])); !errors.Is(err, ErrIndexForm) {
			t.Fatalf("a form of %d bytes gives %v", at, err)
		}
	}
}

func FuzzLoadIndex(f *testing.F) {
	var form bytes.Buffer
	if err := smallIndex().Save(&form); err != nil {
		f.Fatal(err)
	}
	f.Add(form.Bytes())
	r := osv.Record{ID: "A", Affected: []osv.Affected{{Package: osv.Package{Ecosystem: "npm", Name: "left"}, Versions: []string{"1.0.0"}}}}
	m := Compile(&r)
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := LoadIndex(bytes.NewReader(data))
		if err != nil {
			return
		}
		x.scan(m)
		x.Compact()
	})
}
