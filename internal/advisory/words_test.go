package advisory

import (
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
)

// What somebody writes in words becomes a record that hits what they meant.
func TestWordsHitWhatTheyMean(t *testing.T) {
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		words     Words
		hit, miss []string
	}{
		"before a fixed one":    {Words{Package: "pkg:npm/%40beans/roaster", Fixed: "2.0.0"}, []string{"1.9.9", "0.1.0"}, []string{"2.0.0", "3.1.0"}},
		"one by one":            {Words{Package: "pkg:npm/%40beans/roaster", Versions: []string{"1.0.0", "1.2.0"}}, []string{"1.0.0", "1.2.0"}, []string{"1.1.0"}},
		"the one it names":      {Words{Package: "pkg:npm/%40beans/roaster@1.2.0"}, []string{"1.2.0"}, []string{"1.1.0"}},
		"all":                   {Words{Package: "pkg:npm/%40beans/roaster"}, []string{"0.0.1", "99.0.0"}, nil},
		"before, and one later": {Words{Package: "pkg:npm/%40beans/roaster", Fixed: "2.0.0", Versions: []string{"2.1.0"}}, []string{"1.0.0", "2.1.0"}, []string{"2.0.0"}},
	} {
		c.words.ID, c.words.Summary, c.words.At = "BEAN-1", "It starts by itself", at
		raw, err := c.words.Record()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, odd, err := osv.Parse(raw)
		if err != nil || len(odd) > 0 || r.Summary != "It starts by itself" || !r.Modified.Equal(at) {
			t.Fatalf("%s: %+v, %v, %v", name, r, odd, err)
		}
		state := func(version string) State {
			return Compile(&r).MatchCandidate(&Candidate{Key: PackageKey{"npm", "@beans/roaster"}, Version: version}).State
		}
		for _, version := range c.hit {
			if state(version) != Affected {
				t.Errorf("%s: %s is %s", name, version, state(version))
			}
		}
		for _, version := range c.miss {
			if state(version) != Not {
				t.Errorf("%s: %s is %s", name, version, state(version))
			}
		}
	}
}

// Without a package, people are told; what no program could find is refused.
func TestWordsWithoutAPackage(t *testing.T) {
	raw, err := Words{ID: "BEAN-1", Summary: "Keys were lost", Details: "Change yours."}.Record()
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := osv.Parse(raw); err != nil || r.Details != "Change yours." || len(r.Affected) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for name, w := range map[string]Words{
		"no name":                   {Summary: "x"},
		"a name with a space":       {ID: "BEAN 1", Summary: "x"},
		"nothing said":              {ID: "BEAN-1"},
		"versions of nothing":       {ID: "BEAN-1", Summary: "x", Fixed: "2"},
		"no package URL":            {ID: "BEAN-1", Summary: "x", Package: "the portal"},
		"a package nobody can find": {ID: "BEAN-1", Summary: "x", Package: "pkg:generic/portal"},
		"too many versions":         {ID: "BEAN-1", Summary: "x", Versions: make([]string, maxWordsVersions+1)},
	} {
		_, err := w.Record()
		if k := entente.KindOf(err); k != entente.KindInvalid && k != entente.KindTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}
