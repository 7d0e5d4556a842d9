package advisory

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/entente-project/entente/internal/inventory"
)

// distributions maps how package URLs and their distro qualifier name a
// distribution to the ecosystem; "" is one that no OSV source covers.
var distributions = map[string]string{
	"debian": ecoDebian, "ubuntu": ecoUbuntu,
	"alpine": ecoAlpine, "wolfi": ecoWolfi, "chainguard": ecoChainguard,
	"almalinux": ecoAlmaLinux, "alma": ecoAlmaLinux,
	"rocky": ecoRocky, "rockylinux": ecoRocky, "rocky-linux": ecoRocky,
	"redhat": ecoRedHat, "rhel": ecoRedHat, "redhat_enterprise_linux": ecoRedHat,
	"suse": ecoSUSE, "sles": ecoSUSE, "sled": ecoSUSE, "sle": ecoSUSE, "suse_linux_enterprise_server": ecoSUSE,
	"opensuse": ecoOpenSUSE, "opensuse-leap": ecoOpenSUSE, "opensuse-tumbleweed": ecoOpenSUSE,
	"openeuler": ecoOpenEuler, "mageia": ecoMageia,
	"centos": "", "fedora": "", "amazon": "", "amzn": "", "oracle": "", "ol": "", "photon": "", "mariner": "",
	"azurelinux": "", "raspbian": "", "kali": "", "linuxmint": "", "scientific": "",
}

// bySource are the ecosystems whose advisories name source packages.
var bySource = map[string]bool{ecoDebian: true, ecoUbuntu: true, ecoAlpine: true, ecoWolfi: true, ecoChainguard: true}

// byBoth are those whose advisories name source packages, but tools disagree.
var byBoth = map[string]bool{ecoRocky: true, ecoSUSE: true, ecoOpenSUSE: true, ecoOpenEuler: true, ecoMageia: true}

// distroPackage names a package of a Linux distribution. Trap 6: what is affected
// hangs on the release of the distribution, and advisories may name the source
// package from which several packages are built.
func distroPackage(p *inventory.Package) Names {
	distro := strings.ToLower(qualifier(p, "distro", "os_distro"))
	kind, vendor := p.Type, strings.ToLower(p.Namespace)
	if kind == "alpine" {
		kind = "apk" // an older spelling: pkg:alpine/zlib
		if vendor == "" {
			vendor = "alpine"
		}
	}
	eco, known := distributions[vendor]
	if !known {
		eco, known = distroFamily(distro)
	}
	if !known || eco == "" {
		if vendor == "" {
			return Names{Why: "the package URL names no distribution"}
		}
		return Names{Why: fmt.Sprintf("no advisories are known for packages of the distribution %q", vendor)}
	}
	if !fits(kind, eco) {
		return Names{Why: fmt.Sprintf("%q has no packages of the type %q", vendor, kind)}
	}
	release := foldRelease(eco, releaseOf(distro))
	if release == "" && kind == "rpm" {
		release = foldRelease(eco, releaseInVersion(p.Version))
	}
	base := Candidate{Release: release}
	epoch := qualifier(p, "epoch")
	base.Version, base.NoEpoch = withEpoch(p.Version, epoch, kind)

	source, sourceVersion := sourcePackage(p)
	if sourceVersion == "" {
		sourceVersion = base.Version
		if kind == "deb" {
			sourceVersion = binaryRebuild.ReplaceAllString(sourceVersion, "")
		}
	}
	bySourceName := base
	bySourceName.Key = PackageKey{eco, source}
	bySourceName.Version = sourceVersion
	byName := base
	byName.Key = PackageKey{eco, p.Name}
	switch {
	case bySource[eco] && source != "":
		return Names{Candidates: []Candidate{bySourceName}}
	case byBoth[eco] && source != "" && source != p.Name:
		return Names{Candidates: []Candidate{byName, bySourceName}}
	}
	return Names{Candidates: []Candidate{byName}}
}

// binaryRebuild is what Debian adds to a version when only the build is repeated.
var binaryRebuild = regexp.MustCompile(`\+b[0-9]+$`)

func fits(kind, eco string) bool {
	switch eco {
	case ecoDebian, ecoUbuntu:
		return kind == "deb"
	case ecoAlpine, ecoWolfi, ecoChainguard:
		return kind == "apk"
	}
	return kind == "rpm"
}

// distroFamily finds the ecosystem by the distro qualifier alone: "debian-11",
// "almalinux-8.6", "bullseye".
func distroFamily(distro string) (string, bool) {
	for _, sep := range []string{"", "-", ":", " "} {
		family := distro
		if sep != "" {
			i := strings.Index(distro, sep)
			if i < 0 {
				continue
			}
			family = distro[:i]
		}
		if eco, ok := distributions[family]; ok {
			return eco, true
		}
	}
	if i := strings.LastIndexByte(distro, '-'); i >= 0 {
		if eco, ok := distributions[distro[:i]]; ok {
			return eco, true
		}
	}
	if _, ok := debianNames[distro]; ok {
		return ecoDebian, true
	}
	if _, ok := ubuntuNames[distro]; ok {
		return ecoUbuntu, true
	}
	return "", false
}

// releaseOf cuts the name of the distribution off a distro qualifier.
func releaseOf(distro string) string {
	if strings.Contains(distro, "tumbleweed") {
		return "tumbleweed" // it rolls: what follows is the date of an image
	}
	best := distro
	for name := range distributions {
		rest, ok := strings.CutPrefix(distro, name)
		if ok && len(rest) < len(best) && (rest == "" || strings.ContainsRune("-: ", rune(rest[0]))) {
			best = rest
		}
	}
	return strings.Trim(best, "-: ")
}

var elRelease = regexp.MustCompile(`\.el([0-9]+)`)

// releaseInVersion reads the release that rebuilds of RHEL write into versions:
// 1.1.1k-5.el8_5 is of release 8.
func releaseInVersion(version string) string {
	m := elRelease.FindStringSubmatch(version)
	if m == nil {
		return ""
	}
	return m[1]
}

var (
	number       = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*`)
	suseRelease  = regexp.MustCompile(`([0-9]+) ?(?:sp ?([0-9]+))?$`)
	ubuntuNumber = regexp.MustCompile(`[0-9]{2}\.[0-9]{2}`)
)

// foldRelease brings the release of a distribution into one form, whether it comes
// from a package URL ("11.1", "bullseye", "15.3") or from the ecosystem of an
// advisory ("11", "20.04:LTS", "Linux Enterprise Server 15 SP3"). "" is unknown.
func foldRelease(eco, text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return ""
	}
	switch eco {
	case ecoDebian:
		if n, ok := debianNames[text]; ok {
			return n
		}
		major, _, _ := strings.Cut(number.FindString(text), ".")
		return major
	case ecoUbuntu:
		if n, ok := ubuntuNames[text]; ok {
			return n
		}
		n := ubuntuNumber.FindString(text)
		if n != "" && strings.HasPrefix(text, "pro:") {
			return "pro:" + n
		}
		return n
	case ecoAlpine:
		if text == "edge" {
			return text
		}
		parts := strings.Split(number.FindString(strings.TrimPrefix(text, "v")), ".")
		if len(parts) < 2 {
			return ""
		}
		return "v" + parts[0] + "." + parts[1]
	case ecoAlmaLinux, ecoRocky, ecoMageia:
		major, _, _ := strings.Cut(number.FindString(text), ".")
		return major
	case ecoSUSE:
		if n := number.FindString(text); n == text {
			return strings.TrimSuffix(n, ".0")
		}
		m := suseRelease.FindStringSubmatch(text)
		switch {
		case m == nil:
			return ""
		case m[2] == "":
			return m[1]
		}
		return m[1] + "." + m[2]
	case ecoOpenSUSE:
		if strings.Contains(text, "tumbleweed") {
			return "tumbleweed"
		}
		text = strings.TrimLeft(strings.TrimPrefix(text, "leap"), " -")
		return number.FindString(text)
	}
	return text
}

// hasReleases says whether advisories of the ecosystem hold for one release of the
// distribution only.
func hasReleases(eco string) bool {
	switch eco {
	case ecoAlmaLinux, ecoAlpine, ecoDebian, ecoMageia, ecoOpenEuler, ecoOpenSUSE, ecoRedHat, ecoRocky, ecoSUSE, ecoUbuntu:
		return true
	}
	return false
}

// sameRelease says whether an advisory for the release of one ecosystem holds for
// a package of another; known is false where that cannot be told.
func sameRelease(eco, advisory, component string) (same, known bool) {
	if eco == ecoRedHat {
		return sameRedHat(advisory, component)
	}
	if advisory == "" {
		return true, true // the advisory holds for all releases
	}
	return advisory == component, component != ""
}

var (
	redHatVersion  = regexp.MustCompile(`^[a-z_]+:([0-9]+)(?:\.([0-9]+))?`)
	redHatPlatform = regexp.MustCompile(`::el([0-9]+)`)
)

// sameRedHat compares a product of Red Hat ("enterprise_linux:8::baseos",
// "rhel_eus:8.4::appstream", "openshift:4.12::el8") with a release ("8.6").
func sameRedHat(advisory, component string) (same, known bool) {
	component = number.FindString(component)
	if component == "" {
		return false, false
	}
	major, minor, _ := strings.Cut(component, ".")
	if m := redHatPlatform.FindStringSubmatch(advisory); m != nil {
		// A layered product: it may or may not be installed there.
		return m[1] == major, m[1] != major
	}
	m := redHatVersion.FindStringSubmatch(advisory)
	if m == nil {
		return false, false
	}
	if m[1] != major {
		return false, true
	}
	if strings.HasPrefix(advisory, "enterprise_linux:") || m[2] == "" {
		return true, true
	}
	if minor == "" {
		return false, false
	}
	minor, _, _ = strings.Cut(minor, ".")
	return m[2] == minor, true
}

// withEpoch puts the epoch that a qualifier names before the version. noEpoch says
// that neither names one.
func withEpoch(version, epoch, kind string) (v string, noEpoch bool) {
	if version == "" || kind == "apk" {
		return version, false
	}
	if i := strings.IndexByte(version, ':'); i > 0 && strings.Trim(version[:i], "0123456789") == "" {
		return version, false
	}
	if epoch == "" || strings.Trim(epoch, "0123456789") != "" {
		return version, true
	}
	return epoch + ":" + version, false
}

var sourceRPM = regexp.MustCompile(`^(.+)-([^-]+)-([^-]+?)(?:\.(?:no)?src)?(?:\.rpm)?$`)

// sourcePackage reads the source package that the qualifiers name.
func sourcePackage(p *inventory.Package) (name, version string) {
	up := qualifier(p, "upstream", "sourcename", "source", "origin", "sourcerpm", "source_rpm")
	if up == "" {
		return "", ""
	}
	if p.Type == "rpm" {
		if m := sourceRPM.FindStringSubmatch(up); m != nil {
			// The release in the file name lacks the epoch; the package's own
			// version is kept.
			return m[1], ""
		}
		return up, ""
	}
	name, version, _ = strings.Cut(up, "@")
	if version == "" {
		version = qualifier(p, "sourceversion", "source_version")
	}
	return name, version
}

// debianNames and ubuntuNames are the code names of releases.
var debianNames = map[string]string{
	"jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14", "duke": "15",
	"wheezy": "7", "squeeze": "6", "lenny": "5", "etch": "4",
}

var ubuntuNames = map[string]string{
	"precise": "12.04", "trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04",
	"noble": "24.04", "resolute": "26.04", "hirsute": "21.04", "impish": "21.10", "kinetic": "22.10", "lunar": "23.04",
	"mantic": "23.10", "oracular": "24.10", "plucky": "25.04", "questing": "25.10", "groovy": "20.10", "eoan": "19.10",
}
