package inventory

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// maxText bounds every text of a package, in bytes; what is longer is cut and noted.
// Real ones have some hundred.
const maxText = 2000

// Package is one entry of an organisation's dictionary: what a component is, apart
// from the document that it stands in.
type Package struct {
	ID uint32
	// Type is the type of the package URL in lower case; "" if there is none that
	// can be read, and then nothing is known of advisories for the package.
	Type string
	// Namespace and Name are unescaped and otherwise as written: what case means is
	// for the rules of each ecosystem. Without a package URL they are the
	// component's group and name.
	Namespace string
	Name      string
	// Version is that of the package URL, else that of the component; "" is unknown.
	Version    string
	Qualifiers string // "arch=amd64&distro=debian-12", in order of the key, only % and & escaped
	Subpath    string
	PURL       string // as written
	CPE        string // as written
}

// Assessable says whether advisories can be looked up for the package.
func (p *Package) Assessable() bool { return p.Type != "" }

// Title names the package for people: "@babel/core", "org.slf4j:slf4j-api".
func (p *Package) Title() string {
	switch {
	case p.Namespace == "":
		return p.Name
	case p.Type == "maven" || p.Type == "" && !strings.HasPrefix(p.Namespace, "@") && strings.Contains(p.Namespace, "."):
		return p.Namespace + ":" + p.Name
	}
	return p.Namespace + "/" + p.Name
}

// key is what tells two packages apart.
type key [20]byte

func (p *Package) key() key {
	h := sha256.New()
	part := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	part(p.Type)
	part(p.Namespace)
	part(p.Name)
	part(p.Version)
	part(p.Qualifiers)
	part(p.Subpath)
	if p.Type == "" {
		part(p.PURL)
		part(p.CPE)
	}
	var sum [sha256.Size]byte
	return key(h.Sum(sum[:0])[:len(key{})])
}

// search is the text in which people find the package.
func (p *Package) search() string {
	s := strings.ToLower(p.Title())
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "")
	}
	return s
}

// note is told what was odd about a component; the sentence is constant.
type note func(sentence entente.Text, args ...any)

// ParsePackage takes a component apart. The package URL decides; group, name and
// version fill what it leaves open. What cannot be read is kept as written and noted.
func ParsePackage(c *sbom.Component, odd func(sentence entente.Text, args ...any)) Package {
	p := parsePackage(c, c.PURL, odd)
	p.CPE = tidy(c.CPE, "a CPE", odd)
	return p
}

// parseMore takes one of a component's further package URLs apart.
func parseMore(c *sbom.Component, purl string, odd note) Package {
	return parsePackage(c, purl, odd)
}

func parsePackage(c *sbom.Component, purl string, odd note) Package {
	group := tidy(c.Group, "a group", odd)
	name := tidy(c.Name, "a name", odd)
	version := tidy(c.Version, "a version", odd)
	raw := tidy(purl, "a package URL", odd)
	if raw == "" {
		return Package{Namespace: group, Name: name, Version: version}
	}
	p, problem := readPURL(raw)
	if problem != "" {
		odd("the package URL %q cannot be read: %s", sbom.Clip(raw), problem)
		return Package{Namespace: group, Name: name, Version: version, PURL: raw}
	}
	p.PURL = raw
	if p.Version == "" {
		p.Version = version
	}
	if p.Namespace == "" && group != "" && namespaceInGroup(p.Type, p.Name, group) {
		p.Namespace = group
		odd("the package URL %q leaves out the namespace, which the group %q gives", sbom.Clip(raw), sbom.Clip(group))
	}
	return p
}

// namespaceInGroup says whether a component's group is the namespace that its
// package URL leaves out. An npm scope begins with @; any other group beside a whole
// npm package URL is a remark of the tool.
func namespaceInGroup(kind, name, group string) bool {
	switch kind {
	case "npm":
		return strings.HasPrefix(group, "@") && !strings.HasPrefix(name, "@")
	case "maven":
		return !strings.Contains(name, ":")
	case "composer":
		return !strings.Contains(name, "/")
	}
	return false
}

// tidy trims a text and cuts what is too long to be meant.
func tidy(s string, what entente.Text, odd note) string {
	s = strings.TrimSpace(s)
	if len(s) > maxText {
		odd("%s of %d bytes; it was cut to %d", what, len(s), maxText)
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		s = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, s)
	}
	return s
}

// readPURL takes a package URL apart, more leniently than the specification, because
// real documents are. It folds no case, except that of the type.
func readPURL(raw string) (p Package, problem string) {
	s := raw
	if len(s) < 4 || !strings.EqualFold(s[:4], "pkg:") {
		return p, "it does not begin with pkg:"
	}
	s = strings.TrimLeft(s[4:], "/")
	if strings.Contains(s, "&amp;") {
		s = strings.ReplaceAll(s, "&amp;", "&")
	}
	s, fragment, _ := strings.Cut(s, "#")
	p.Subpath = segments(fragment, true)
	s, query, _ := strings.Cut(s, "?")
	p.Qualifiers = qualifiers(query)
	kind, rest, _ := strings.Cut(s, "/")
	p.Type = strings.ToLower(strings.TrimSpace(kind))
	if !validType(p.Type) {
		return Package{}, "it names no type of package"
	}
	if at := versionAt(rest); at >= 0 {
		p.Version = strings.TrimSpace(unescape(rest[at+1:]))
		rest = rest[:at]
	}
	// A slash at the end stands where a name should be.
	if cut := strings.LastIndexByte(rest, '/'); cut >= 0 {
		p.Namespace = segments(rest[:cut], false)
		rest = rest[cut+1:]
	}
	p.Name = strings.TrimSpace(unescape(rest))
	if p.Name == "" {
		return Package{}, "it names no package"
	}
	// The whole name may be escaped, its slash included: pkg:npm/%40babel%2Fcore.
	if cut := strings.LastIndexByte(p.Name, '/'); cut > 0 && cut+1 < len(p.Name) && p.Namespace == "" {
		p.Namespace, p.Name = strings.Trim(p.Name[:cut], "/"), p.Name[cut+1:]
	}
	return p, ""
}

func validType(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' && i > 0 || c == '.' || c == '-' || c == '+' || c == '_' {
			continue
		}
		return false
	}
	return s != ""
}

// versionAt finds the @ before the version. One at the begin of a segment is an npm
// scope that was not escaped.
func versionAt(s string) int {
	for end := len(s); ; {
		at := strings.LastIndexByte(s[:end], '@')
		if at < 0 {
			return -1
		}
		if at > 0 && s[at-1] != '/' {
			return at
		}
		if at > 0 && strings.IndexByte(s[at:], '/') < 0 {
			// "pkg:apk/alpine/@1.36": the name is missing, not the version.
			return at
		}
		end = at
	}
}

// segments unescapes a path and drops what is empty; dots are dropped from a subpath
// only, since in a namespace ("../api") they tell that the package is a local one.
func segments(s string, dots bool) string {
	if s == "" {
		return ""
	}
	var kept []string
	for part := range strings.SplitSeq(s, "/") {
		part = strings.TrimSpace(unescape(part))
		if part != "" && !(dots && (part == "." || part == "..")) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "/")
}

var escapeValue = strings.NewReplacer("%", "%25", "&", "%26")

// qualifiers brings the pairs into the order of their keys; of a key that is
// repeated, the first counts.
func qualifiers(query string) string {
	if query == "" {
		return ""
	}
	type pair struct{ key, value string }
	var pairs []pair
	for part := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(part, "=")
		k = strings.ToLower(strings.TrimSpace(k))
		v = strings.TrimSpace(unescape(v))
		if k != "" && v != "" {
			pairs = append(pairs, pair{k, v})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	pairs = slices.CompactFunc(pairs, func(a, b pair) bool { return a.key == b.key })
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.key)
		b.WriteByte('=')
		b.WriteString(escapeValue.Replace(p.value))
	}
	return b.String()
}

// unescape decodes percent escapes. What is no escape, or would give text that is
// not UTF-8 or a control character, stays as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, ok1 := hexDigit(s[i+1])
			lo, ok2 := hexDigit(s[i+2])
			if ok1 && ok2 {
				b = append(b, hi<<4|lo)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	out := string(b)
	if strings.ToValidUTF8(out, "") != out || strings.IndexFunc(out, unicode.IsControl) >= 0 {
		return s
	}
	return out
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
