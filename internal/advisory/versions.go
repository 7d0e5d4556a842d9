package advisory

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// version is a version that the rules of its ecosystem could read.
type version struct {
	text   string
	parsed semantic.Version
}

// rulesOf names the ecosystem by whose rules versions are compared, "" if no rules
// are known.
func rulesOf(eco string) string {
	switch eco {
	case ecoActions, "Linux", "VSCode", "Kubernetes", "OSS-Fuzz":
		return "npm" // plain semantic versions
	case ecoGit, "":
		return ""
	}
	return eco
}

// parseVersion reads a version by the rules of its ecosystem. It never compares
// text, and a version that the rules cannot read is an error, not a guess.
func parseVersion(eco, text string) (v version, err error) {
	// A fault in the library must cost one version, not the run.
	defer func() {
		if r := recover(); r != nil {
			v, err = version{}, fmt.Errorf("%q cannot be read as a version of %s", text, eco)
		}
	}()
	rules := rulesOf(eco)
	if rules == "" {
		return version{}, fmt.Errorf("no rules are known for the order of versions of %s", eco)
	}
	if !plausible(eco, text) {
		return version{}, fmt.Errorf("%q is no version of %s", text, eco)
	}
	parsed, err := semantic.Parse(text, rules)
	if errors.Is(err, semantic.ErrUnsupportedEcosystem) {
		return version{}, fmt.Errorf("no rules are known for the order of versions of %s", eco)
	}
	if err != nil {
		return version{}, fmt.Errorf("%q cannot be read as a version of %s", text, eco)
	}
	return version{text: text, parsed: parsed}, nil
}

// compare gives the order of two versions of one ecosystem.
func (v version) compare(w version) (order int, err error) {
	defer func() {
		if r := recover(); r != nil {
			order, err = 0, fmt.Errorf("%q and %q cannot be compared", v.text, w.text)
		}
	}()
	order, err = v.parsed.Compare(w.parsed)
	if err != nil {
		return 0, fmt.Errorf("%q and %q cannot be compared", v.text, w.text)
	}
	return order, nil
}

// maxVersion bounds a version; the rules of some ecosystems take time that grows
// with the square of the length.
const maxVersion = 256

var (
	startsWithNumber = regexp.MustCompile(`^v?[0-9]`)
	placeholder      = regexp.MustCompile(`(?i)^(latest|unknown|unspecified|undefined|none|null|n/?a|noassertion|any|\*|-|\?|head|master|main|trunk|dev|devel|\(devel\)|local|workspace|todo|0{40}|[$@{].*|.*\.(x|\*))$`)
	commit           = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$|^sha[0-9]+:`)
)

// plausible says whether text can be a version at all. The rules of most
// ecosystems order any text ("latest" would come before 0.0.1), which would make
// a finding out of a word that says nothing.
func plausible(eco, text string) bool {
	if text == "" || len(text) > maxVersion || placeholder.MatchString(text) || commit.MatchString(text) {
		return false
	}
	switch eco {
	case ecoMaven, ecoPyPI, ecoPackagist, ecoNuGet:
		// Old versions such as r09 are right there, and their rules order them.
		return strings.ContainsAny(text, "0123456789")
	case ecoRedHat, ecoAlmaLinux, ecoRocky, ecoSUSE, ecoOpenSUSE, ecoOpenEuler, ecoMageia:
		return strings.ContainsAny(text, "0123456789")
	}
	return startsWithNumber.MatchString(text)
}

var (
	gemPlatform = regexp.MustCompile(`-(?:java|jruby|ruby|mswin[0-9a-z]*|mingw[0-9a-z-]*|(?:x86|x64|x86_64|i[3-6]86|amd64|arm|arm64|armv[0-9a-z]+|aarch64|universal|ppc64le|s390x|riscv64)-[a-z0-9_.-]+)$`)
	bitnamiRev  = regexp.MustCompile(`-r?[0-9]+$`)
)

// cleanVersion takes off what tools add to a version that the ecosystem itself does
// not have.
func cleanVersion(eco, v string) string {
	v = strings.TrimSpace(v)
	switch eco {
	case ecoGo, ecoPackagist, ecoActions, ecoSwift, ecoBitnami, ecoHex, ecoCrates, ecoNPM, ecoJulia:
		if len(v) > 1 && (v[0] == 'v' || v[0] == 'V') && v[1] >= '0' && v[1] <= '9' {
			v = v[1:]
		}
	}
	switch eco {
	case ecoNPM:
		v = strings.TrimPrefix(v, "npm:")
	case ecoRubyGems:
		v = gemPlatform.ReplaceAllString(v, "")
	case ecoBitnami:
		v = bitnamiRev.ReplaceAllString(v, "")
	}
	return v
}
