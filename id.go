package entente

import (
	"strings"
)

// OrgID names one organisation hosted by a node. It is the shard key: every row
// of a room begins with it, and no query crosses it. It is a slug (see
// [ValidSlug]) chosen when the organisation is set up, and never changes.
type OrgID string

// PersonID names one person with an account on a node. People are node-wide: one
// person can belong to several organisations.
type PersonID string

// MaxSlug is the longest slug, in bytes.
const MaxSlug = 64

// ValidSlug says whether s can serve as an identifier in maps, URLs and keys:
// 1 to 64 lower-case ASCII letters, digits, hyphens and dots, that begin with a
// letter or a digit.
func ValidSlug(s string) error {
	if s == "" {
		return Invalid("an identifier is missing")
	}
	if len(s) > MaxSlug {
		return Invalid("the identifier %.20q… is longer than %d characters", s, MaxSlug)
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if letter || i > 0 && (c == '-' || c == '.') {
			continue
		}
		return Invalid("the identifier %q may hold only a-z, 0-9, hyphens and dots, and begins with a letter or digit", s)
	}
	return nil
}

// Slug makes an identifier from a name as people write it: "Röst & Hof GmbH"
// becomes "rost-hof-gmbh". It returns "" when nothing usable is left.
func Slug(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		if f, ok := folded[r]; ok {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteString(f)
			continue
		}
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
			continue
		}
		dash = true
	}
	s := b.String()
	if len(s) > MaxSlug {
		s = strings.TrimRight(s[:MaxSlug], "-")
	}
	return s
}

// folded holds the Latin letters that European company names use.
var folded = map[rune]string{
	'ä': "a", 'á': "a", 'à': "a", 'â': "a", 'ã': "a", 'å': "a", 'ą': "a", 'æ': "ae",
	'ç': "c", 'ć': "c", 'č': "c", 'ď': "d", 'đ': "d",
	'é': "e", 'è': "e", 'ê': "e", 'ë': "e", 'ę': "e", 'ě': "e",
	'í': "i", 'ì': "i", 'î': "i", 'ï': "i", 'ł': "l", 'ñ': "n", 'ń': "n", 'ň': "n",
	'ö': "o", 'ó': "o", 'ò': "o", 'ô': "o", 'õ': "o", 'ø': "o", 'ő': "o", 'œ': "oe",
	'ř': "r", 'ß': "ss", 'ś': "s", 'š': "s", 'ş': "s", 'ť': "t", 'ţ': "t",
	'ü': "u", 'ú': "u", 'ù': "u", 'û': "u", 'ů': "u", 'ű': "u",
	'ý': "y", 'ÿ': "y", 'ź': "z", 'ż': "z", 'ž': "z",
}
