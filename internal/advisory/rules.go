package advisory

import (
	"fmt"
	"strings"

	"github.com/entente-project/entente/internal/inventory"
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

// Names is how matching understands a package: the names by which advisories can
// concern it.
type Names struct {
	// Candidates is empty if the package cannot be assessed.
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
	"gem": ecoRubyGems, "githubactions": ecoActions, "hackage": ecoHackage, "hex": ecoHex,
	"julia": ecoJulia, "maven": ecoMaven, "npm": ecoNPM, "nuget": ecoNuGet, "pub": ecoPub, "pypi": ecoPyPI,
	"swift": ecoSwift,
}

// KeyOf tells by which names and in which version advisories can concern a package.
func KeyOf(p *inventory.Package) Names {
	if !p.Assessable() {
		if p.PURL != "" {
			return Names{Why: fmt.Sprintf("%.80q is no package URL", p.PURL)}
		}
		return Names{Why: "the component has no package URL"}
	}
	switch p.Type {
	case "deb", "apk", "alpine", "rpm":
		return distroPackage(p)
	case "github", "gitlab", "bitbucket":
		return repositoryPackage(p)
	case "golang":
		return goPackage(p)
	}
	eco, ok := languages[p.Type]
	if !ok {
		return Names{Why: fmt.Sprintf("no advisories are known for packages of the type %q", p.Type)}
	}
	cand := Candidate{Key: PackageKey{eco, FoldName(eco, packageName(eco, p))}, Version: cleanVersion(eco, p.Version)}
	if eco == ecoActions && strings.Count(cand.Version, ".") < 2 {
		cand.Doubt = fmt.Sprintf("%q is a moving tag, not a version", p.Version)
	}
	return Names{Candidates: []Candidate{cand}}
}

// packageName joins namespace and name as the ecosystem writes them.
func packageName(eco string, p *inventory.Package) string {
	if p.Namespace == "" {
		return p.Name
	}
	switch eco {
	case ecoNPM:
		return "@" + strings.TrimPrefix(p.Namespace, "@") + "/" + p.Name
	case ecoMaven:
		return strings.ReplaceAll(p.Namespace, "/", ".") + ":" + p.Name
	case ecoPackagist, ecoSwift, ecoActions:
		return p.Namespace + "/" + p.Name
	}
	return p.Name
}

// qualifier gives the first of the named qualifiers of a package URL that is set.
func qualifier(p *inventory.Package, keys ...string) string {
	for _, key := range keys {
		for pair := range strings.SplitSeq(p.Qualifiers, "&") {
			k, v, _ := strings.Cut(pair, "=")
			if k == key && v != "" {
				return plainValue.Replace(v)
			}
		}
	}
	return ""
}

// plainValue undoes what the dictionary of packages escapes in qualifiers.
var plainValue = strings.NewReplacer("%26", "&", "%25", "%")

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
func goPackage(p *inventory.Package) Names {
	version := p.Version
	module := p.Name
	if p.Namespace != "" {
		module = p.Namespace + "/" + p.Name
	}
	module = strings.ToLower(module)
	switch module {
	case "stdlib", "std", "go/stdlib", "go/std", "golang/stdlib", "golang.org/stdlib":
		return Names{Candidates: []Candidate{{Key: PackageKey{ecoGo, "stdlib"}, Version: toolchainVersion(version)}}}
	case "toolchain", "go/toolchain", "golang.org/toolchain":
		return Names{Candidates: []Candidate{{Key: PackageKey{ecoGo, "toolchain"}, Version: toolchainVersion(version)}}}
	case "go", "golang", "golang/go", "golang.org/go":
		v := toolchainVersion(version)
		return Names{Candidates: []Candidate{
			{Key: PackageKey{ecoGo, "stdlib"}, Version: v}, {Key: PackageKey{ecoGo, "toolchain"}, Version: v},
		}}
	}
	version = cleanVersion(ecoGo, version)
	if p.Subpath == "" {
		return Names{Candidates: []Candidate{{Key: PackageKey{ecoGo, module}, Version: version}}}
	}
	sub := strings.ToLower(p.Subpath)
	if first, _, _ := strings.Cut(sub, "/"); isMajor(first) {
		if !strings.HasSuffix(module, "/"+first) {
			module += "/" + first
		}
		return Names{Candidates: []Candidate{{Key: PackageKey{ecoGo, module}, Version: version}}}
	}
	return Names{Candidates: []Candidate{
		{Key: PackageKey{ecoGo, module + "/" + sub}, Version: version},
		{Key: PackageKey{ecoGo, module}, Version: version,
			Doubt: fmt.Sprintf("the package URL names %q within it, which may be a module with versions of its own", p.Subpath)},
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
func repositoryPackage(p *inventory.Package) Names {
	version := p.Version
	if p.Namespace == "" {
		return Names{Why: "the package URL names no owner of the repository"}
	}
	host := map[string]string{"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}[p.Type]
	name := p.Namespace + "/" + p.Name
	cands := []Candidate{{Key: PackageKey{ecoGit, FoldName(ecoGit, host+"/"+name)}, Version: version}}
	if p.Type == "github" {
		action := Candidate{Key: PackageKey{ecoActions, FoldName(ecoActions, name)}, Version: cleanVersion(ecoActions, version)}
		if strings.Count(action.Version, ".") < 2 {
			action.Doubt = fmt.Sprintf("%q is a moving tag or a commit, not a version", version)
		}
		cands = append(cands, action)
	}
	return Names{Candidates: cands}
}
