package advisory

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// database is all advisories of the real data by the packages they name.
type database struct {
	byKey   map[PackageKey][]*Matcher
	written map[spelling]string // how an advisory writes the name
	records int
	wrong   []string
}

// spelling names one package within one advisory.
type spelling struct {
	key      PackageKey
	advisory string
}

func readDatabase(t testing.TB, dir string) *database {
	t.Helper()
	db := &database{byKey: map[PackageKey][]*Matcher{}, written: map[spelling]string{}}
	seen := map[string]bool{}
	err := osv.Walk(t.Context(), dir, osv.DefaultLimits(), osv.Visitor{
		Doc: func(d osv.Doc) error {
			r, _, err := osv.Parse(d.Data)
			if err != nil {
				db.wrong = append(db.wrong, d.Where+": "+err.Error())
				return nil
			}
			db.records++
			if seen[r.ID] {
				return nil
			}
			seen[r.ID] = true
			for _, a := range r.Affected {
				eco, _ := splitEcosystem(a.Package.Ecosystem)
				db.written[spelling{PackageKey{eco, FoldName(eco, a.Package.Name)}, r.ID}] = a.Package.Name
			}
			m := Compile(&r)
			for _, k := range m.Keys() {
				db.byKey[k] = append(db.byKey[k], m)
			}
			return nil
		},
		Wrong: func(where string, err error) error {
			db.wrong = append(db.wrong, where+": "+err.Error())
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// pair is one package version and one advisory, as both sides can name it.
type pair struct {
	Ecosystem, Name, Version, Advisory string
}

type expectation struct {
	Exit     int `json:"exit"`
	Packages []struct {
		Ecosystem string   `json:"ecosystem"`
		Name      string   `json:"name"`
		Version   string   `json:"version"`
		Vulns     []string `json:"vulns"`
	} `json:"packages"`
}

// TestOracle compares with what osv-scanner v2.4.0 found in the same documents and
// advisories. No right pair may be missing. Every pair that only we find belongs to
// a class of docs/matching.md, and so does every pair on which we say "unknown".
func TestOracle(t *testing.T) {
	data := sharedData(t)
	db := readDatabase(t, filepath.Join(data, "osv"))
	if len(db.wrong) > 0 {
		t.Errorf("%d of the real advisories cannot be read, the first is %s", len(db.wrong), db.wrong[0])
	}
	files, err := os.ReadDir(filepath.Join(data, "sboms"))
	if err != nil {
		t.Fatal(err)
	}
	o := &oracle{data: data, db: db, count: map[string]int{}, example: map[string]string{}}
	for _, f := range files {
		o.file(t, f.Name())
	}
	t.Logf("%d documents, %d advisories", len(files), db.records)
	for _, class := range slices.Sorted(maps.Keys(o.count)) {
		t.Logf("%6d  %s   %s", o.count[class], class, o.example[class])
	}
	if n := o.count["missing"]; n > 0 {
		t.Errorf("%d pairs are missing, the first is %s", n, o.example["missing"])
	}
	for class, n := range o.count {
		if strings.HasSuffix(class, "unexplained") {
			t.Errorf("%d pairs are %s, the first is %s", n, class, o.example[class])
		}
	}
	if o.count["equal"] < 3000 {
		t.Errorf("only %d pairs are equal; the comparison itself is broken", o.count["equal"])
	}
}

type oracle struct {
	data    string
	db      *database
	count   map[string]int
	example map[string]string
}

func (o *oracle) note(class, example string) {
	o.count[class]++
	if o.example[class] == "" {
		o.example[class] = example
	}
}

// answer is what we say of one component, keyed by how osv-scanner names it.
type answer struct {
	verdict  Verdict
	from     inventory.Package
	name     string // the name by which the advisory was found
	advisory string // the name as the advisory writes it
	subject  bool
}

func (o *oracle) file(t *testing.T, name string) {
	t.Helper()
	answers := map[pair]answer{}
	subject := false
	emit := func(c sbom.Component) error {
		for _, purl := range append([]string{c.PURL}, c.More...) {
			c.PURL = purl
			o.judge(answers, inventory.ParsePackage(&c, func(entente.Text, ...any) {}), subject)
		}
		return nil
	}
	f, err := os.Open(filepath.Join(o.data, "sboms", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := inventory.ReadSBOM(f, name, sbom.DefaultLimits(), emit)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if doc.Subject != nil {
		subject = true
		if err := emit(*doc.Subject); err != nil {
			t.Fatal(err)
		}
	}

	raw, err := os.ReadFile(filepath.Join(o.data, "expected-findings", name+".expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want expectation
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	expected := map[pair]bool{}
	for _, p := range want.Packages {
		eco, _, _ := strings.Cut(p.Ecosystem, ":")
		for _, v := range p.Vulns {
			expected[pair{eco, FoldName(eco, p.Name), cleanVersion(eco, p.Version), v}] = true
		}
	}
	for at := range expected {
		a := answers[at]
		switch a.verdict.State {
		case Affected:
			o.note("equal", "")
		case Unknown:
			o.note("unknown here: "+whyUnknown(a), fmt.Sprint(name, at, a.verdict.Why))
		default:
			o.note("missing", fmt.Sprint(name, " ", at))
		}
	}
	for at, a := range answers {
		if a.verdict.State == Affected && !expected[at] {
			o.note("only here: "+whyExtra(at, a, want.Exit), fmt.Sprint(name, at, a.verdict.Why))
		}
	}
}

func (o *oracle) judge(answers map[pair]answer, p inventory.Package, subject bool) {
	names := KeyOf(&p)
	for i := range names.Candidates {
		cand := &names.Candidates[i]
		named := cand.Key.Name
		if cand.Key.Ecosystem == ecoGo && p.Subpath != "" {
			bare := p
			bare.Subpath = ""
			named = goPackage(&bare).Candidates[0].Key.Name
		}
		for _, m := range o.db.byKey[cand.Key] {
			v := m.MatchCandidate(cand)
			at := pair{cand.Key.Ecosystem, named, cand.Version, m.ID}
			if rank(v.State) > rank(answers[at].verdict.State) {
				answers[at] = answer{verdict: v, from: p, name: cand.Key.Name, advisory: o.db.written[spelling{cand.Key, m.ID}], subject: subject}
			}
		}
	}
}

func whyExtra(at pair, a answer, exit int) string {
	switch {
	case exit == 127:
		return "osv-scanner could not read the document"
	case a.subject:
		return "the document's own subject, which osv-scanner leaves out"
	case at.Name != a.name:
		return "the module path goes on in the subpath (trap 2)"
	case strings.ToLower(a.advisory) == a.name && a.advisory != a.name:
		return "the advisory writes the name with capitals (trap 3)"
	}
	return "unexplained"
}

func whyUnknown(a answer) string {
	switch {
	case a.from.Version == "(devel)" || strings.Contains(a.verdict.Why, `"(devel)"`):
		return "built from a working copy, version (devel)"
	case strings.Contains(a.verdict.Why, "has no version"):
		return "neither the package URL nor the component has a version (trap 5)"
	case strings.Contains(a.verdict.Why, "which may be a module"):
		return "the subpath may be a module of its own (trap 2)"
	}
	return "unexplained"
}
