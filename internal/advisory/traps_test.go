package advisory

import (
	"slices"
	"strings"
	"testing"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// component reads a component as the inventory does.
func component(c sbom.Component) Names {
	p := inventory.ParsePackage(&c, func(entente.Text, ...any) {})
	return KeyOf(&p)
}

// advisoryOn makes an advisory on one package with one range, told by pairs of an
// event and a version.
func advisoryOn(ecosystem, name string, events ...string) *osv.Record {
	r := &osv.Record{ID: "TEST-1", Affected: []osv.Affected{{Package: osv.Package{Ecosystem: ecosystem, Name: name}}}}
	if len(events) > 0 {
		r.Affected[0].Ranges = []osv.Range{{Type: osv.RangeEcosystem, Events: eventsOf(events...)}}
	}
	return r
}

func eventsOf(pairs ...string) []osv.Event {
	var out []osv.Event
	for i := 0; i+1 < len(pairs); i += 2 {
		switch pairs[i] {
		case "introduced":
			out = append(out, osv.Event{Introduced: pairs[i+1]})
		case "fixed":
			out = append(out, osv.Event{Fixed: pairs[i+1]})
		case "last_affected":
			out = append(out, osv.Event{LastAffected: pairs[i+1]})
		case "limit":
			out = append(out, osv.Event{Limit: pairs[i+1]})
		}
	}
	return out
}

func expect(t *testing.T, r *osv.Record, n Names, want State) {
	t.Helper()
	v := Compile(r).Match(n)
	if v.State != want {
		t.Errorf("%+v is %s (%s), want %s", n, v.State, v.Why, want)
	}
	if v.Why == "" {
		t.Errorf("%+v is %s without a reason", n, v.State)
	}
}

func TestTrap01TheVersionOfThePackageURLCounts(t *testing.T) {
	stdlib := advisoryOn("Go", "stdlib", "introduced", "0", "fixed", "1.21.13")
	expect(t, stdlib, component(sbom.Component{PURL: "pkg:golang/stdlib@1.21.13", Name: "go/stdlib", Version: "go1.21.12"}), Not)
	expect(t, stdlib, component(sbom.Component{PURL: "pkg:golang/stdlib@1.21.12", Name: "stdlib", Version: "go1.21.13"}), Affected)
	for _, version := range []string{"go1.21.12", "v1.21.12", "1.21.12", "go1.21.12 X:boringcrypto", "go1.21rc2", "1.21"} {
		expect(t, stdlib, component(sbom.Component{PURL: "pkg:golang/stdlib", Name: "go/stdlib", Version: version}), Affected)
	}
	expect(t, stdlib, component(sbom.Component{PURL: "pkg:golang/stdlib", Version: "go1.21.13"}), Not)
	expect(t, stdlib, component(sbom.Component{PURL: "pkg:golang/go@go1.21.12"}), Affected)
	prerelease := advisoryOn("Go", "stdlib", "introduced", "1.22.0-rc.1", "fixed", "1.22.0-rc.2")
	expect(t, prerelease, component(sbom.Component{PURL: "pkg:golang/stdlib@go1.22rc1"}), Affected)
	expect(t, prerelease, component(sbom.Component{PURL: "pkg:golang/stdlib@go1.22rc2"}), Not)
}

func TestTrap02TheMajorVersionInTheSubpath(t *testing.T) {
	v3 := advisoryOn("Go", "github.com/go-jose/go-jose/v3", "introduced", "0", "fixed", "3.0.4")
	expect(t, v3, component(sbom.Component{PURL: "pkg:golang/github.com/go-jose/go-jose@v3.0.3#v3"}), Affected)
	expect(t, v3, component(sbom.Component{PURL: "pkg:golang/github.com/go-jose/go-jose/v3@v3.0.3"}), Affected)
	expect(t, v3, component(sbom.Component{PURL: "pkg:golang/github.com/go-jose/go-jose/v3@v3.0.3#v3"}), Affected)
	expect(t, v3, component(sbom.Component{PURL: "pkg:golang/github.com/go-jose/go-jose@v3.0.4#v3"}), Not)
	base := advisoryOn("Go", "github.com/go-jose/go-jose", "introduced", "0")
	expect(t, base, component(sbom.Component{PURL: "pkg:golang/github.com/go-jose/go-jose@v3.0.3#v3"}), Not)

	toolchain := advisoryOn("Go", "toolchain", "introduced", "0")
	stdlib := advisoryOn("Go", "stdlib", "introduced", "0")
	for _, r := range []*osv.Record{toolchain, stdlib} {
		expect(t, r, component(sbom.Component{PURL: "pkg:golang/github.com/json-iterator/go@v1.1.12"}), Not)
	}

	// A module within a module, and a folder of a module, look alike.
	api := component(sbom.Component{PURL: "pkg:golang/github.com/hashicorp/consul@v1.12.0#api"})
	expect(t, advisoryOn("Go", "github.com/hashicorp/consul/api", "introduced", "0", "fixed", "1.13.0"), api, Affected)
	expect(t, advisoryOn("Go", "github.com/hashicorp/consul", "introduced", "0", "fixed", "1.13.0"), api, Unknown)
}

func TestTrap03CapitalsInNames(t *testing.T) {
	r := advisoryOn("Go", "github.com/Masterminds/goutils", "introduced", "0", "fixed", "1.1.1")
	expect(t, r, component(sbom.Component{PURL: "pkg:golang/github.com/Masterminds/goutils@v1.1.0"}), Affected)
	expect(t, r, component(sbom.Component{PURL: "pkg:golang/github.com/masterminds/goutils@v1.1.0"}), Affected)
	expect(t, advisoryOn("PyPI", "Django_Rest.Framework", "introduced", "0"), component(sbom.Component{PURL: "pkg:pypi/django-rest-framework@3.0"}), Affected)
	expect(t, advisoryOn("NuGet", "Newtonsoft.Json", "introduced", "0", "fixed", "13.0.1"), component(sbom.Component{PURL: "pkg:nuget/newtonsoft.json@12.0.3"}), Affected)
	expect(t, advisoryOn("Packagist", "Symfony/HTTP-Kernel", "introduced", "0"), component(sbom.Component{PURL: "pkg:composer/symfony/http-kernel@v5.0.1"}), Affected)
	expect(t, advisoryOn("crates.io", "smallvec_x", "introduced", "0"), component(sbom.Component{PURL: "pkg:cargo/smallvec-x@1.0.0"}), Affected)
	// Where case tells packages apart, it is kept.
	expect(t, advisoryOn("Maven", "org.Example:lib", "introduced", "0"), component(sbom.Component{PURL: "pkg:maven/org.example/lib@1.0"}), Not)
}

func TestTrap04ScopeAndGroup(t *testing.T) {
	npm := advisoryOn("npm", "@babel/traverse", "introduced", "0", "fixed", "7.23.2")
	for _, c := range []sbom.Component{
		{PURL: "pkg:npm/%40babel/traverse@7.20.0", Name: "traverse"},
		{PURL: "pkg:npm/@babel/traverse@7.20.0"},
		{PURL: "pkg:npm/%40babel%2Ftraverse@7.20.0"},
		{PURL: "pkg:npm/traverse@7.20.0", Group: "@babel", Name: "traverse"},
	} {
		expect(t, npm, component(c), Affected)
	}
	expect(t, npm, component(sbom.Component{PURL: "pkg:npm/traverse@7.20.0"}), Not)
	maven := advisoryOn("Maven", "org.apache.logging.log4j:log4j-core", "introduced", "2.0-beta9", "fixed", "2.15.0")
	expect(t, maven, component(sbom.Component{PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}), Affected)
	expect(t, maven, component(sbom.Component{PURL: "pkg:maven/log4j-core@2.14.1", Group: "org.apache.logging.log4j", Name: "log4j-core"}), Affected)
	expect(t, maven, component(sbom.Component{PURL: "pkg:maven/org.apache.logging.log4j/log4j-core@2.15.0?type=jar"}), Not)
}

func TestTrap05NoVersionIsUnknown(t *testing.T) {
	r := advisoryOn("npm", "left", "introduced", "0", "fixed", "2.0.0")
	expect(t, r, component(sbom.Component{PURL: "pkg:npm/left", Version: "1.0.0"}), Affected)
	expect(t, r, component(sbom.Component{PURL: "pkg:npm/left", Version: "2.0.0"}), Not)
	expect(t, r, component(sbom.Component{PURL: "pkg:npm/left"}), Unknown)
	expect(t, r, component(sbom.Component{PURL: "pkg:npm/left@"}), Unknown)
	for _, word := range []string{"latest", "(devel)", "${project.version}", "NOASSERTION", "*", "1.x", "6a5b1e4f6a5b1e4f6a5b1e4f6a5b1e4f6a5b1e4f"} {
		expect(t, r, component(sbom.Component{PURL: "pkg:npm/left", Version: word}), Unknown)
	}
	// Every version there is has the hole: then it needs none.
	expect(t, advisoryOn("npm", "left", "introduced", "0"), component(sbom.Component{PURL: "pkg:npm/left@latest"}), Affected)
	if n := component(sbom.Component{Name: "left", Version: "1.0.0"}); len(n.Candidates) != 0 || n.Why == "" {
		t.Errorf("a component without a package URL gives %+v", n)
	}
}

func TestTrap06Distributions(t *testing.T) {
	deb := advisoryOn("Debian:11", "openssl", "introduced", "0", "fixed", "1.1.1n-0+deb11u4")
	expect(t, deb, component(sbom.Component{PURL: "pkg:deb/debian/libssl1.1@1.1.1n-0%2Bdeb11u3?arch=amd64&upstream=openssl&distro=debian-11"}), Affected)
	expect(t, deb, component(sbom.Component{PURL: "pkg:deb/debian/libssl1.1@1.1.1n-0%2Bdeb11u4?upstream=openssl&distro=bullseye"}), Not)
	expect(t, deb, component(sbom.Component{PURL: "pkg:deb/debian/libssl1.1@1.1.1n-0%2Bdeb11u3?upstream=openssl%401.1.1n-0%2Bdeb11u4&distro=debian-11.6"}), Not)
	expect(t, deb, component(sbom.Component{PURL: "pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?distro=debian-10"}), Not)
	expect(t, deb, component(sbom.Component{PURL: "pkg:deb/ubuntu/openssl@1.1.1n-0?distro=ubuntu-20.04"}), Not)
	for _, purl := range []string{
		"pkg:deb/debian/openssl@1.1.1n-0%2Bdeb11u3?arch=amd64", "pkg:deb/debian/openssl@9.9.9", "pkg:deb/debian/openssl@9.9.9?distro=sid",
	} {
		expect(t, deb, component(sbom.Component{PURL: purl}), Unknown) // never safe
	}

	alma := advisoryOn("AlmaLinux:8", "openssl-libs", "introduced", "0", "fixed", "1:1.1.1k-7.el8_6")
	expect(t, alma, component(sbom.Component{PURL: "pkg:rpm/almalinux/openssl-libs@1.1.1k-6.el8_5?epoch=1&distro=almalinux-8.6"}), Affected)
	expect(t, alma, component(sbom.Component{PURL: "pkg:rpm/almalinux/openssl-libs@1.1.1k-7.el8_6?epoch=1&distro=almalinux-8.6"}), Not)
	expect(t, alma, component(sbom.Component{PURL: "pkg:rpm/almalinux/openssl-libs@1:1.1.1k-6.el8_5"}), Affected) // .el8 tells the release
	expect(t, alma, component(sbom.Component{PURL: "pkg:rpm/almalinux/openssl-libs@1:1.1.1k-6"}), Unknown)
	expect(t, alma, component(sbom.Component{PURL: "pkg:rpm/almalinux/openssl-libs@1:1.1.1k-6.el9?distro=almalinux-9.1"}), Not)
	// Without the epoch the versions can be compared only if it makes no difference.
	expect(t, alma, component(sbom.Component{PURL: "pkg:rpm/almalinux/openssl-libs@3.0.7-1.el8?distro=almalinux-8"}), Unknown)
	expect(t, alma, component(sbom.Component{PURL: "pkg:rpm/almalinux/openssl-libs@1.1.1k-6.el8_5?distro=almalinux-8"}), Affected)

	ubuntu := advisoryOn("Ubuntu:20.04:LTS", "zlib", "introduced", "0", "fixed", "1:1.2.11.dfsg-2ubuntu1.5")
	expect(t, ubuntu, component(sbom.Component{PURL: "pkg:deb/ubuntu/zlib1g@1:1.2.11.dfsg-2ubuntu1.3?arch=amd64&amp;upstream=zlib&amp;distro=ubuntu-20.04"}), Affected)
	expect(t, ubuntu, component(sbom.Component{PURL: "pkg:deb/ubuntu/zlib1g@1:1.2.11.dfsg-2ubuntu1.3?upstream=zlib&distro=focal"}), Affected)
	expect(t, ubuntu, component(sbom.Component{PURL: "pkg:deb/ubuntu/zlib1g@1:1.2.11.dfsg-2ubuntu1.3?upstream=zlib&distro=ubuntu-22.04"}), Not)

	apk := advisoryOn("Alpine:v3.16", "openssl", "introduced", "0", "fixed", "1.1.1s-r0")
	expect(t, apk, component(sbom.Component{PURL: "pkg:apk/alpine/libssl1.1@1.1.1q-r0?upstream=openssl&distro=alpine-3.16.2"}), Affected)
	expect(t, apk, component(sbom.Component{PURL: "pkg:apk/alpine/libssl1.1@1.1.1q-r0?upstream=openssl&distro=3.17.0"}), Not)

	suse := advisoryOn("SUSE:Linux Enterprise Server 15 SP3", "zlib", "introduced", "0", "fixed", "1.2.11-150000.3.36.1")
	expect(t, suse, component(sbom.Component{PURL: "pkg:rpm/sles/libz1@1.2.11-3.1?upstream=zlib-1.2.11-3.1.src.rpm&distro=sles-15.3&epoch=0"}), Affected)
	expect(t, suse, component(sbom.Component{PURL: "pkg:rpm/suse/libz1@1.2.11-3.1?upstream=zlib-1.2.11-3.1.src.rpm&distro=sles-15.4&epoch=0"}), Not)

	redhat := advisoryOn("Red Hat:enterprise_linux:8::baseos", "openssl", "introduced", "0", "fixed", "1:1.1.1k-7.el8_6")
	expect(t, redhat, component(sbom.Component{PURL: "pkg:rpm/redhat/openssl@1.1.1k-6.el8?epoch=1&distro=rhel-8.6"}), Affected)
	expect(t, redhat, component(sbom.Component{PURL: "pkg:rpm/redhat/openssl@1.1.1k-6.el9?epoch=1&distro=rhel-9.0"}), Not)
	layered := advisoryOn("Red Hat:openshift:4.12::el8", "openssl", "introduced", "0")
	expect(t, layered, component(sbom.Component{PURL: "pkg:rpm/redhat/openssl@1.1.1k-6.el8?epoch=1&distro=rhel-8.6"}), Unknown)

	if n := component(sbom.Component{PURL: "pkg:rpm/centos/openssl@1.0.2k-25.el7_9?distro=centos-7.9.2009"}); len(n.Candidates) != 0 || !strings.Contains(n.Why, "centos") {
		t.Errorf("a distribution without advisories gives %+v", n)
	}
}

func TestTrap07RangesOfEveryShape(t *testing.T) {
	at := func(version string) Names { return component(sbom.Component{PURL: "pkg:npm/left@" + version}) }
	for name, c := range map[string]struct {
		events                 []string
		affected, not, unknown []string
	}{
		"plain":               {[]string{"introduced", "1.0.0", "fixed", "2.0.0"}, []string{"1.0.0", "1.9.9", "2.0.0-rc.1"}, []string{"0.9.9", "2.0.0"}, nil},
		"unsorted":            {[]string{"fixed", "4.0.5", "introduced", "4.0.1", "fixed", "3.0.21", "introduced", "0"}, []string{"3.0.20", "4.0.4"}, []string{"3.0.21", "4.0.0", "4.0.5"}, nil},
		"empty":               {[]string{"introduced", "1.2.0", "fixed", "1.2.0"}, nil, []string{"1.1.9", "1.2.0", "1.3.0"}, nil},
		"empty, end first":    {[]string{"fixed", "1.2.0", "introduced", "1.2.0"}, nil, []string{"1.1.9", "1.2.0", "1.3.0"}, nil},
		"never":               {[]string{"introduced", "0", "fixed", "0"}, nil, []string{"0.0.0", "1.3.0"}, nil},
		"one version":         {[]string{"introduced", "1.2.0", "last_affected", "1.2.0"}, []string{"1.2.0"}, []string{"1.1.9", "1.2.1"}, nil},
		"one version, turned": {[]string{"last_affected", "1.2.0", "introduced", "1.2.0"}, []string{"1.2.0"}, []string{"1.1.9", "1.2.1"}, nil},
		"touching":            {[]string{"introduced", "0", "fixed", "1.0.0", "introduced", "1.0.0", "fixed", "2.0.0"}, []string{"0.1.0", "1.0.0", "1.9.0"}, []string{"2.0.0"}, nil},
		"inverted":            {[]string{"introduced", "9.4.0", "fixed", "9.3.4"}, nil, []string{"9.3.9", "9.0.0"}, []string{"9.4.0", "10.0.0"}},
		"no end":              {[]string{"introduced", "1.0.0"}, []string{"1.0.0", "99.0.0"}, []string{"0.9.0"}, nil},
		"two ends":            {[]string{"introduced", "0", "fixed", "1.2.0", "fixed", "2.1.0"}, []string{"1.1.0"}, []string{"1.2.0", "2.0.0"}, nil},
		"limit":               {[]string{"introduced", "0", "limit", "2.0.0"}, []string{"1.9.9"}, []string{"2.0.0"}, nil},
		"limit without bound": {[]string{"introduced", "0", "limit", "*"}, []string{"1.9.9"}, nil, nil},
		"last affected":       {[]string{"introduced", "0", "last_affected", "1.2.3"}, []string{"1.2.3"}, []string{"1.2.4"}, nil},
		"unreadable":          {[]string{"introduced", "0", "fixed", "soon"}, nil, nil, []string{"1.0.0"}},
		"numbers, not text":   {[]string{"introduced", "0", "fixed", "1.10.0"}, []string{"1.9.0"}, []string{"1.10.0", "1.11.0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := advisoryOn("npm", "left", c.events...)
			for state, versions := range map[State][]string{Affected: c.affected, Not: c.not, Unknown: c.unknown} {
				for _, v := range versions {
					expect(t, r, at(v), state)
				}
			}
		})
	}

	// Several ranges are OR, and versions are OR too.
	r := advisoryOn("npm", "left", "introduced", "1.0.0", "fixed", "1.1.0")
	r.Affected[0].Ranges = append(r.Affected[0].Ranges, osv.Range{Type: osv.RangeSemver, Events: eventsOf("introduced", "3.0.0", "fixed", "3.1.0")})
	r.Affected[0].Versions = []string{"v5.0.0", "odd-one"}
	for version, want := range map[string]State{"1.0.5": Affected, "2.0.0": Not, "3.0.5": Affected, "5.0.0": Affected, "5.0.1": Not, "odd-one": Affected} {
		expect(t, r, at(version), want)
	}

	withdrawn := advisoryOn("npm", "left", "introduced", "0")
	withdrawn.Withdrawn = time.Now()
	expect(t, withdrawn, at("1.0.0"), Not)

	expect(t, advisoryOn("npm", "left"), at("1.0.0"), Unknown) // no versions at all
	commits := advisoryOn("npm", "left")
	commits.Affected[0].Ranges = []osv.Range{{Type: osv.RangeGit, Repo: "https://example.com/left.git", Events: eventsOf("introduced", "0", "fixed", "a3e77da9f843")}}
	expect(t, commits, at("1.0.0"), Unknown)
	commits.Affected[0].Versions = []string{"1.0.0"}
	expect(t, commits, at("1.0.0"), Affected)
	expect(t, commits, at("1.0.1"), Not)

	tags := &osv.Record{ID: "TEST-2", Affected: []osv.Affected{{
		Ranges: []osv.Range{{Type: osv.RangeGit, Repo: "https://github.com/curl/curl.git", Events: eventsOf("introduced", "0")}}, Versions: []string{"curl-7_88_0"},
	}}}
	expect(t, tags, component(sbom.Component{PURL: "pkg:github/curl/curl@curl-7_88_0"}), Affected)
}

func TestTrap08AliasesAreOneFinding(t *testing.T) {
	g := NewGroups()
	g.Add("GO-2024-2687", []string{"CVE-2023-45288", "GHSA-4v7x-pqxf-cx7m"})
	g.Add("GHSA-4v7x-pqxf-cx7m", []string{"CVE-2023-45288"})
	g.Add("BIT-golang-2023-45288", []string{"CVE-2023-45288"})
	g.Add("GO-2023-2102", []string{"CVE-2023-39325", "GHSA-4374-p667-p6c8"})
	g.Add("ALSA-2024:1", nil)
	all := g.All()
	if len(all) != 3 {
		t.Fatalf("%d groups: %+v, want 3", len(all), all)
	}
	var first Group
	for _, one := range all {
		if one.ID == "GHSA-4v7x-pqxf-cx7m" {
			first = one
		}
	}
	if !slices.Equal(first.Records, []string{"BIT-golang-2023-45288", "GHSA-4v7x-pqxf-cx7m", "GO-2024-2687"}) {
		t.Errorf("records %q", first.Records)
	}
	if !slices.Equal(first.Names, []string{"GHSA-4v7x-pqxf-cx7m", "CVE-2023-45288", "BIT-golang-2023-45288", "GO-2024-2687"}) {
		t.Errorf("names %q", first.Names)
	}
}

func TestTrap09SpellingsOfOnePackage(t *testing.T) {
	r := advisoryOn("Alpine:v3.16", "zlib", "introduced", "0", "fixed", "1.2.13-r0")
	for _, purl := range []string{
		"pkg:alpine/zlib@1.2.12-r3?arch=x86_64&upstream=zlib&distro=alpine-3.16.2",
		"pkg:apk/alpine/zlib@1.2.12-r3?distro=3.16",
		"pkg:APK/Alpine/zlib@1.2.12-r3?distro=alpine-3.16.2",
		"PKG:apk/alpine/zlib@1.2.12-r3?arch=x86&amp;distro=alpine-3.16.2",
		"pkg://apk/alpine/zlib@1.2.12-r3?distro=v3.16",
	} {
		expect(t, r, component(sbom.Component{PURL: purl}), Affected)
	}
	x := NewIndex()
	x.AddPackage(1, namesOf("pkg:npm/left@1.0.0"))
	x.AddPackage(1, namesOf("pkg:npm/left@1.0.0"))
	x.AddDocument(1, "portal", []uint32{1, 1, 1})
	count := 0
	x.Documents(1, func(Posting) { count++ })
	if count != 1 {
		t.Errorf("one component that stands three times in a document counts %d times", count)
	}
}

func TestTrap10WhatCannotBeReadIsToldNotDropped(t *testing.T) {
	for purl, why := range map[string]string{
		"":                          "no package URL",
		"not-a-purl":                "is no package URL",
		"pkg:generic/openssl@3.0.7": "no advisories are known",
		"pkg:oci/app@sha256:abc":    "no advisories are known",
		"pkg:rpm/openssl@1.0":       "names no distribution",
	} {
		n := component(sbom.Component{PURL: purl, Name: "x"})
		if len(n.Candidates) != 0 || !strings.Contains(n.Why, why) {
			t.Errorf("%q gives %+v, want the reason %q", purl, n, why)
		}
	}
}
