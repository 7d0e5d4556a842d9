package advisory

import (
	"fmt"
	"strings"
)

// PackageKey is the name of a package as advisories are looked up by it: the
// ecosystem without its release, and the name folded by the ecosystem's own rules,
// so that equal keys mean the same package.
type PackageKey struct {
	Ecosystem string // "npm", "AlmaLinux", "Packagist"
	Name      string
}

// String gives the key as people read it: "npm left-pad".
func (k PackageKey) String() string { return k.Ecosystem + " " + k.Name }

// Coordinates is what a bill of materials says of a component that matters for
// matching, as written there.
type Coordinates struct {
	PURL    string
	Group   string
	Name    string
	Version string
}

// Package is how matching understands a component.
type Package struct {
	// Candidates are the names by which advisories can concern it; none means that
	// it cannot be assessed.
	Candidates []Candidate
	// Why says in words why there are no candidates.
	Why string
}

// Candidate is one name by which advisories can concern a component.
type Candidate struct {
	Key PackageKey
	// Version as the ecosystem's rules read it, "" if the document names none.
	Version string
	// Release is the release of the distribution, folded ("11", "v3.16", "20.04"),
	// "" if it is not known or the ecosystem has none.
	Release string
	// NoEpoch marks an RPM or Debian version whose epoch nobody told: the
	// comparison with a version that has one is undecided.
	NoEpoch bool
	// Doubt says why a match by this name is never more than unknown.
	Doubt string
}

// Ecosystems as OSV writes them, without release.
const (
	ecoAlmaLinux  = "AlmaLinux"
	ecoAlpine     = "Alpine"
	ecoBitnami    = "Bitnami"
	ecoChainguard = "Chainguard"
	ecoConan      = "ConanCenter"
	ecoCRAN       = "CRAN"
	ecoCrates     = "crates.io"
	ecoDebian     = "Debian"
	ecoGit        = "GIT" // not of OSV: packages named by their source repository
	ecoGHC        = "GHC"
	ecoActions    = "GitHub Actions"
	ecoGo         = "Go"
	ecoHackage    = "Hackage"
	ecoHex        = "Hex"
	ecoJulia      = "Julia"
	ecoMageia     = "Mageia"
	ecoMaven      = "Maven"
	ecoNPM        = "npm"
	ecoNuGet      = "NuGet"
	ecoOpenEuler  = "openEuler"
	ecoOpenSUSE   = "openSUSE"
	ecoPackagist  = "Packagist"
	ecoPub        = "Pub"
	ecoPyPI       = "PyPI"
	ecoRedHat     = "Red Hat"
	ecoRocky      = "Rocky Linux"
	ecoRubyGems   = "RubyGems"
	ecoSUSE       = "SUSE"
	ecoSwift      = "SwiftURL"
	ecoUbuntu     = "Ubuntu"
	ecoWolfi      = "Wolfi"
)

// languages maps the types of package URLs whose name alone decides to ecosystems.
var languages = map[string]string{
	"bitnami": ecoBitnami, "cargo": ecoCrates, "composer": ecoPackagist, "conan": ecoConan, "cran": ecoCRAN,
	"dotnet": ecoNuGet, "dotnet-core": ecoNuGet, // types that some tools made up for NuGet packages
	"gem": ecoRubyGems, "githubactions": ecoActions, "golang": ecoGo, "hackage": ecoHackage, "hex": ecoHex,
	"julia": ecoJulia, "maven": ecoMaven, "npm": ecoNPM, "nuget": ecoNuGet, "pub": ecoPub, "pypi": ecoPyPI,
	"swift": ecoSwift,
}

// KeyOf tells by which names and in which version advisories can concern a
// component. The package URL decides; group, name and version of the component
// fill only what it leaves open.
func KeyOf(c Coordinates) Package {
	if strings.TrimSpace(c.PURL) == "" {
		return Package{Why: "the component has no package URL"}
	}
	p, ok := readPURL(c.PURL)
	if !ok {
		return Package{Why: fmt.Sprintf("%.80q is no package URL", c.PURL)}
	}
	version := p.version
	if version == "" {
		version = strings.TrimSpace(c.Version)
	}
	switch p.kind {
	case "deb", "apk", "alpine", "rpm":
		return distroPackage(p, version)
	case "github", "gitlab", "bitbucket":
		return repositoryPackage(p, version)
	}
	eco, ok := languages[p.kind]
	if !ok {
		return Package{Why: fmt.Sprintf("no advisories are known for packages of the type %q", p.kind)}
	}
	if eco == ecoGo {
		return goPackage(p, version)
	}
	name := packageName(eco, p, c.Group)
	cand := Candidate{Key: PackageKey{eco, FoldName(eco, name)}, Version: cleanVersion(eco, version)}
	if eco == ecoActions && strings.Count(cand.Version, ".") < 2 {
		cand.Doubt = fmt.Sprintf("%q is a moving tag, not a version", version)
	}
	return Package{Candidates: []Candidate{cand}}
}

// packageName joins namespace and name as the ecosystem writes them.
func packageName(eco string, p purl, group string) string {
	group = strings.TrimSpace(group)
	switch eco {
	case ecoNPM:
		scope := p.namespace
		if scope == "" && !strings.HasPrefix(p.name, "@") {
			scope = group
		}
		if scope == "" {
			return p.name
		}
		return "@" + strings.TrimPrefix(scope, "@") + "/" + p.name
	case ecoMaven:
		namespace := strings.ReplaceAll(p.namespace, "/", ".")
		if namespace == "" && !strings.Contains(p.name, ":") {
			namespace = group
		}
		if namespace == "" {
			return p.name
		}
		return namespace + ":" + p.name
	case ecoPackagist:
		namespace := p.namespace
		if namespace == "" && !strings.Contains(p.name, "/") {
			namespace = group
		}
		if namespace == "" {
			return p.name
		}
		return namespace + "/" + p.name
	case ecoSwift, ecoActions:
		if p.namespace == "" {
			return p.name
		}
		return p.namespace + "/" + p.name
	}
	return p.name
}

// FoldName brings the name of a package into the form in which the ecosystem
// compares names.
func FoldName(eco, name string) string {
	switch eco {
	case ecoGo, ecoNPM, ecoNuGet, ecoPackagist, ecoBitnami, ecoConan, ecoHex, ecoPub, ecoActions:
		return strings.ToLower(name)
	case ecoCrates:
		return strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case ecoPyPI:
		return foldPyPI(name)
	case ecoSwift, ecoGit:
		return foldRepository(name)
	}
	return name
}

// foldPyPI follows PEP 503: lower case, and every run of -, _ and . is one hyphen.
func foldPyPI(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	dash := false
	for _, c := range strings.ToLower(name) {
		if c == '-' || c == '_' || c == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(c)
	}
	if dash {
		b.WriteByte('-')
	}
	return b.String()
}

func foldRepository(name string) string {
	name = strings.ToLower(name)
	if _, rest, ok := strings.Cut(name, "://"); ok {
		name = rest
	}
	name = strings.TrimPrefix(name, "git@")
	return strings.TrimSuffix(strings.TrimSuffix(name, "/"), ".git")
}

// goPackage names a Go module. Trap 2: the major version may stand in the subpath
// only; any other subpath is a module of its own or a folder of the module, which
// a package URL cannot tell apart.
func goPackage(p purl, version string) Package {
	module := p.name
	if p.namespace != "" {
		module = p.namespace + "/" + p.name
	}
	module = strings.ToLower(module)
	switch module {
	case "stdlib", "std", "go/stdlib", "go/std", "golang/stdlib", "golang.org/stdlib":
		return Package{Candidates: []Candidate{{Key: PackageKey{ecoGo, "stdlib"}, Version: toolchainVersion(version)}}}
	case "toolchain", "go/toolchain", "golang.org/toolchain":
		return Package{Candidates: []Candidate{{Key: PackageKey{ecoGo, "toolchain"}, Version: toolchainVersion(version)}}}
	case "go", "golang", "golang/go", "golang.org/go":
		v := toolchainVersion(version)
		return Package{Candidates: []Candidate{
			{Key: PackageKey{ecoGo, "stdlib"}, Version: v}, {Key: PackageKey{ecoGo, "toolchain"}, Version: v},
		}}
	}
	version = cleanVersion(ecoGo, version)
	if p.subpath == "" {
		return Package{Candidates: []Candidate{{Key: PackageKey{ecoGo, module}, Version: version}}}
	}
	sub := strings.ToLower(p.subpath)
	if first, _, _ := strings.Cut(sub, "/"); isMajor(first) {
		if !strings.HasSuffix(module, "/"+first) {
			module += "/" + first
		}
		return Package{Candidates: []Candidate{{Key: PackageKey{ecoGo, module}, Version: version}}}
	}
	return Package{Candidates: []Candidate{
		{Key: PackageKey{ecoGo, module + "/" + sub}, Version: version},
		{Key: PackageKey{ecoGo, module}, Version: version,
			Doubt: fmt.Sprintf("the package URL names %q within it, which may be a module with versions of its own", p.subpath)},
	}}
}

// isMajor says whether a path segment is the major version of a Go module: v2, v3, …
func isMajor(s string) bool {
	if len(s) < 2 || s[0] != 'v' || s[1] == '0' || s == "v1" {
		return false
	}
	return strings.Trim(s[1:], "0123456789") == ""
}

// toolchainVersion turns Go's own way of writing its versions into semantic
// versions, as the Go vulnerability database does: go1.21.13 → 1.21.13,
// go1.22rc1 → 1.22.0-rc.1.
func toolchainVersion(v string) string {
	v = strings.TrimSpace(v)
	v, _, _ = strings.Cut(v, " ") // "go1.21.3 X:boringcrypto"
	v = strings.TrimPrefix(strings.TrimPrefix(v, "go"), "v")
	for _, pre := range []string{"rc", "beta"} {
		release, n, ok := strings.Cut(v, pre)
		if !ok || strings.ContainsAny(release, "-+") || release == "" {
			continue
		}
		for strings.Count(release, ".") < 2 {
			release += ".0"
		}
		return release + "-" + pre + "." + strings.TrimPrefix(n, ".")
	}
	return v
}

// repositoryPackage names software by its source repository: advisories with
// ranges of commits list its tags, and advisories on actions its name.
func repositoryPackage(p purl, version string) Package {
	if p.namespace == "" {
		return Package{Why: "the package URL names no owner of the repository"}
	}
	host := map[string]string{"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}[p.kind]
	name := p.namespace + "/" + p.name
	cands := []Candidate{{Key: PackageKey{ecoGit, FoldName(ecoGit, host+"/"+name)}, Version: version}}
	if p.kind == "github" {
		action := Candidate{Key: PackageKey{ecoActions, FoldName(ecoActions, name)}, Version: cleanVersion(ecoActions, version)}
		if strings.Count(action.Version, ".") < 2 {
			action.Doubt = fmt.Sprintf("%q is a moving tag or a commit, not a version", version)
		}
		cands = append(cands, action)
	}
	return Package{Candidates: cands}
}
