package advisory

import (
	"strings"
)

// maxPURL bounds a package URL; real ones have some hundred bytes.
const maxPURL = 4096

// purl is a package URL in its parts. It is read more tolerantly than the
// specification asks, because real documents are, and nothing of it is folded:
// what case means depends on the ecosystem (trap 3 of docs/matching.md).
type purl struct {
	kind       string // the type, lower case
	namespace  string
	name       string
	version    string
	qualifiers []qualifier
	subpath    string
}

type qualifier struct{ key, value string }

// qualifier gives the first of the named qualifiers that is set.
func (p *purl) qualifier(keys ...string) string {
	for _, key := range keys {
		for _, q := range p.qualifiers {
			if q.key == key && q.value != "" {
				return q.value
			}
		}
	}
	return ""
}

// readPURL takes a package URL apart.
func readPURL(s string) (purl, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 6 || len(s) > maxPURL || !strings.EqualFold(s[:4], "pkg:") {
		return purl{}, false
	}
	s = strings.TrimLeft(s[4:], "/")
	if strings.Contains(s, "&amp;") {
		s = strings.ReplaceAll(s, "&amp;", "&")
	}
	var p purl
	if i := strings.IndexByte(s, '#'); i >= 0 {
		p.subpath = cleanPath(s[i+1:])
		s = s[:i]
	}
	if i := strings.IndexByte(s, '?'); i >= 0 {
		p.qualifiers = readQualifiers(s[i+1:])
		s = s[:i]
	}
	kind, rest, ok := strings.Cut(s, "/")
	if !ok || kind == "" {
		return purl{}, false
	}
	p.kind = strings.ToLower(kind)
	if at := versionAt(rest); at >= 0 {
		p.version = strings.TrimSpace(unescape(rest[at+1:]))
		rest = rest[:at]
	}
	rest = strings.Trim(rest, "/")
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		p.namespace = cleanPath(rest[:i])
		rest = rest[i+1:]
	}
	p.name = strings.TrimSpace(unescape(rest))
	return p, p.name != ""
}

// versionAt finds the @ before the version. An @ at the begin of a segment is an
// npm scope that was not escaped; a version may hold unescaped slashes.
func versionAt(s string) int {
	for end := len(s); ; {
		i := strings.LastIndexByte(s[:end], '@')
		if i < 0 {
			return -1
		}
		if i > 0 && s[i-1] != '/' {
			return i
		}
		end = i
	}
}

func readQualifiers(s string) []qualifier {
	var out []qualifier
	for pair := range strings.SplitSeq(s, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if k == "" {
			continue
		}
		out = append(out, qualifier{strings.ToLower(k), unescape(v)})
	}
	return out
}

// cleanPath unescapes the segments of a path and drops those that say nothing.
func cleanPath(s string) string {
	plain := !strings.ContainsAny(s, "%. ")
	if plain {
		return strings.Trim(s, "/")
	}
	var out []string
	for seg := range strings.SplitSeq(s, "/") {
		seg = strings.TrimSpace(unescape(seg))
		if seg == "" || seg == "." || seg == ".." {
			continue
		}
		out = append(out, seg)
	}
	return strings.Join(out, "/")
}

// unescape decodes percent escapes; what is no escape stays as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, ok1 := hexDigit(s[i+1])
			lo, ok2 := hexDigit(s[i+2])
			if ok1 && ok2 {
				b.WriteByte(hi<<4 | lo)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
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
