package advisory

import (
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

func TestVerdictsGiveTheirReason(t *testing.T) {
	log4j := advisoryOn("Maven", "org.apache.logging.log4j:log4j-core", "introduced", "2.0-beta9", "fixed", "2.15.0")
	log4j.ID = "GHSA-jfh8-c2jp-5v3q"
	v := Compile(log4j).Match(component(sbom.Component{PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}))
	if want := "2.14.1 lies in [2.0-beta9, 2.15.0) of GHSA-jfh8-c2jp-5v3q"; v.Why != want {
		t.Errorf("the reason is %q, want %q", v.Why, want)
	}
}

func TestEveryEcosystemByItsOwnRules(t *testing.T) {
	for _, c := range []struct {
		ecosystem, name, fixed string
		before, after          string
	}{
		{"Maven", "g:a", "1.0", "pkg:maven/g/a@1.0-SNAPSHOT", "pkg:maven/g/a@1.0.0.Final"},
		{"PyPI", "a", "1.0", "pkg:pypi/a@1.0.dev5", "pkg:pypi/a@1!0.1"},
		{"RubyGems", "nokogiri", "1.15.4", "pkg:gem/nokogiri@1.15.3-x86_64-linux", "pkg:gem/nokogiri@1.15.4-java"},
		{"NuGet", "a.b", "1.2.3.4", "pkg:nuget/A.B@1.2.3.3", "pkg:nuget/A.B@1.2.3.4"},
		{"Packagist", "v/n", "2.0.0", "pkg:composer/V/N@2.0.0-beta1", "pkg:composer/v/n@v2.0.0"},
		{"crates.io", "a", "0.14.10", "pkg:cargo/a@0.14", "pkg:cargo/a@0.14.10"},
		{"Go", "example.com/m", "0.1.0", "pkg:golang/example.com/m@v0.0.0-20200615164410-66371956d46c", "pkg:golang/example.com/m@v0.1.0+incompatible"},
		{"npm", "a", "1.0.0", "pkg:npm/a@1.0.0-alpha", "pkg:npm/a@1.0.0+build"},
		{"Hex", "plug", "1.3.2", "pkg:hex/Plug@1.3.1", "pkg:hex/plug@1.3.2"},
		{"Pub", "http", "0.13.3", "pkg:pub/http@0.13.2", "pkg:pub/http@0.13.3"},
		{"Hackage", "aeson", "2.0.1.0", "pkg:hackage/aeson@2.0.0.9", "pkg:hackage/aeson@2.0.1.0"},
		{"CRAN", "igraph", "1.2.2-2", "pkg:cran/igraph@1.2.2-1", "pkg:cran/igraph@1.2.2.2"},
		{"Julia", "HTTP", "2.4.0", "pkg:julia/HTTP@2.3.9?uuid=cd3eb016", "pkg:julia/HTTP@2.4.0"},
		{"SwiftURL", "https://github.com/apple/swift-nio-http2.git", "1.28.0", "pkg:swift/github.com/Apple/swift-nio-http2@1.27.0", "pkg:swift/github.com/apple/swift-nio-http2@1.28.0"},
		{"Bitnami", "helm", "3.18.4", "pkg:bitnami/helm@3.18.3-2?arch=amd64", "pkg:bitnami/helm@3.18.4-1"},
		{"GitHub Actions", "tj-actions/changed-files", "46.0.1", "pkg:githubactions/tj-actions/changed-files@v45.0.7", "pkg:github/TJ-actions/changed-files@v46.0.1"},
		{"ConanCenter", "zlib", "1.2.12", "pkg:conan/zlib@1.2.11", "pkg:conan/zlib@1.2.12"},
		{"Wolfi", "curl", "8.0.1-r0", "pkg:apk/wolfi/curl@8.0.0-r5?arch=x86_64", "pkg:apk/wolfi/curl@8.0.1-r0"},
		{"Chainguard", "curl", "8.0.1-r0", "pkg:apk/chainguard/curl@8.0.1_rc1-r0", "pkg:apk/chainguard/curl@8.0.1-r1"},
		{"Rocky Linux:8", "curl", "7.61.1-22.el8", "pkg:rpm/rocky/libcurl@7.61.1-18.el8?upstream=curl-7.61.1-18.el8.src.rpm&distro=rocky-8.7", "pkg:rpm/rocky/curl@7.61.1-22.el8?distro=rocky-8.7"},
		{"openSUSE:Leap 15.3", "curl", "7.66.0-4.27.1", "pkg:rpm/opensuse-leap/curl@7.66.0-4.1?distro=opensuse-leap-15.3", "pkg:rpm/opensuse/curl@7.66.0-4.27.1?distro=opensuse-leap-15.3"},
		{"openSUSE:Tumbleweed", "curl", "8.0", "pkg:rpm/opensuse-tumbleweed/curl@7.9-1?distro=opensuse-tumbleweed-20240101", "pkg:rpm/opensuse/curl@8.0-1?distro=opensuse-tumbleweed"},
		{"openEuler:22.03-LTS", "curl", "7.79.1-5.oe2203", "pkg:rpm/openEuler/curl@7.79.1-4.oe2203?distro=openEuler-22.03-LTS", "pkg:rpm/openeuler/curl@7.79.1-5.oe2203?distro=openeuler-22.03-lts"},
		{"Mageia:9", "curl", "7.88.1-3.mga9", "pkg:rpm/mageia/curl@7.88.1-2.mga9?distro=mageia-9", "pkg:rpm/mageia/curl@7.88.1-3.mga9?distro=mageia-9"},
		{"Debian:12", "a", "1.0~rc2", "pkg:deb/debian/a@1.0~rc1?distro=bookworm", "pkg:deb/debian/a@1.0?distro=12"},
	} {
		r := advisoryOn(c.ecosystem, c.name, "introduced", "0", "fixed", c.fixed)
		expect(t, r, component(sbom.Component{PURL: c.before}), Affected)
		expect(t, r, component(sbom.Component{PURL: c.after}), Not)
	}
	floating := advisoryOn("GitHub Actions", "actions/checkout", "introduced", "0", "fixed", "4.1.0")
	expect(t, floating, component(sbom.Component{PURL: "pkg:githubactions/actions/checkout@v4"}), Unknown)
	noRules := advisoryOn("Curious", "x", "introduced", "0", "fixed", "1")
	if v := Compile(noRules).MatchCandidate(&Candidate{Key: PackageKey{"Curious", "x"}, Version: "1"}); v.State != Unknown || !strings.Contains(v.Why, "no rules are known") {
		t.Errorf("an ecosystem without rules gives %+v", v)
	}
	semver := advisoryOn("Curious", "x")
	semver.Affected[0].Ranges = []osv.Range{{Type: osv.RangeSemver, Events: eventsOf("introduced", "0", "fixed", "1.0.0")}}
	if v := Compile(semver).MatchCandidate(&Candidate{Key: PackageKey{"Curious", "x"}, Version: "0.9.0"}); v.State != Unknown {
		t.Errorf("an unknown ecosystem gives %+v", v)
	}
}

func TestSeverity(t *testing.T) {
	for vector, want := range map[string]float64{
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H":               10,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":               9.8,
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N":               6.1,
		"CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N/E:P/RL:O/RC:C": 4.7,
		"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N":               0,
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:N":               9.6,
	} {
		if got, ok := cvss3(vector); !ok || got != want {
			t.Errorf("%s has the score %v, %v; want %v", vector, got, ok, want)
		}
	}
	for _, vector := range []string{"", "AV:N", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/AV:N", "CVSS:4.0/AV:N/AC:L"} {
		if _, ok := cvss3(vector); ok {
			t.Errorf("%q has a score", vector)
		}
	}
	r := &osv.Record{Rating: "MEDIUM", Severity: []osv.Severity{{Type: "CVSS_V4", Score: "CVSS:4.0/AV:N"}}}
	if s := SeverityOf(r); s.Level != Moderate || s.Score != 0 || s.Vector != "CVSS:4.0/AV:N" {
		t.Errorf("severity %+v", s)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("pkg:deb/debian/a@1:1.0-1?distro=debian-11", "Debian:11", "a", "1.0", "2.0")
	f.Add("pkg:pypi/a@1.0rc1", "PyPI", "A", "0", "1.0.post1")
	f.Add("pkg:maven/g/a@1.0-beta-1", "Maven", "g:a", "1", "[")
	f.Add("pkg:gem/a@1.a.b", "RubyGems", "a", "1", "1.b.1")
	f.Add("pkg:nuget/a@1.0.0.0-x", "NuGet", "a", "1", "2")
	f.Add("pkg:composer/a/b@dev-master", "Packagist", "a/b", "1.0-dev", "2")
	f.Add("pkg:golang/go@go1.2rc3#v2", "Go", "stdlib", "1", "2")
	f.Fuzz(func(t *testing.T, purl, ecosystem, name, from, to string) {
		r := &osv.Record{ID: "F", Affected: []osv.Affected{{
			Package: osv.Package{Ecosystem: ecosystem, Name: name}, Versions: []string{from},
			Ranges: []osv.Range{{Type: osv.RangeEcosystem, Events: []osv.Event{{Introduced: from}, {Fixed: to}}}, {Type: osv.RangeSemver, Events: []osv.Event{{Introduced: to}, {LastAffected: from}}}},
		}}}
		v := Compile(r).Match(component(sbom.Component{PURL: purl}))
		if v.Why == "" {
			t.Fatalf("%s without a reason", v.State)
		}
	})
}

// SQLite finds the matches of an advisory, and the advisories that hit us, by their
// keys: however many others the organisation has, they are not looked at.
func TestFewAmongManyAreFoundByKey(t *testing.T) {
	d := dbtest.SQLite(t)
	var plan []string
	step := func(r db.Scanner) error {
		var id, parent, unused int
		var text string
		err := r.Scan(&id, &parent, &unused, &text)
		plan = append(plan, text)
		return err
	}
	explain := func(q *db.Query) func(tx *db.Tx) error {
		return func(tx *db.Tx) error { return db.EachOf(t.Context(), tx, q, step) }
	}
	const listed = `EXPLAIN QUERY PLAN SELECT ` + groupColumns + ` FROM advisory_group g WHERE g.org = $1`
	for _, c := range []struct {
		run  func(tx *db.Tx) error
		want []string
	}{
		{explain(db.Select(`EXPLAIN QUERY PLAN `+hitsOfName, "us", "ghsa-1")), []string{
			"SEARCH r USING COVERING INDEX advisory_record_member_of (org=? AND member_of=?)",
			"SCALAR SUBQUERY 1",
			"SEARCH a USING COVERING INDEX advisory_alias_folded (org=? AND folded=?)",
			"SEARCH n USING PRIMARY KEY (org=? AND id=?)",
			"SEARCH m USING PRIMARY KEY (org=? AND record=?)",
		}},
		{explain(Query{Hits: true}.choose(db.Select(listed, "us")).Order(`g.level DESC, g.score DESC, g.modified DESC, g.id`)), []string{"SEARCH g USING INDEX advisory_group_affected (org=? AND affected>?)"}},
		{explain(Query{Undecided: true}.choose(db.Select(listed, "us"))), []string{"SEARCH g USING INDEX advisory_group_unknown (org=? AND unknown>?)"}},
		{explain(db.Select(`EXPLAIN QUERY PLAN `+groupsThatHit, "us")), []string{"SEARCH advisory_group USING COVERING INDEX advisory_group_affected (org=? AND affected>?)"}},
	} {
		plan = nil
		if err := d.Read(t.Context(), c.run); err != nil {
			t.Fatal(err)
		}
		if len(plan) < len(c.want) || !slices.Equal(plan[:len(c.want)], c.want) {
			t.Errorf("the plan is %q, want %q", plan, c.want)
		}
	}
}
