package stix

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// MaxPattern bounds a pattern, in bytes, and how deep its brackets go.
const (
	MaxPattern  = 1 << 20
	deepPattern = 200
)

func isIPv6(value string) bool {
	address, bits, masked := strings.Cut(value, "/")
	a, err := netip.ParseAddr(address)
	return err == nil && a.Is6() && a.Zone() == "" && (!masked || ipv6Tail.MatchString(bits))
}

// Term is one comparison of a pattern.
type Term struct {
	Object, Path string // "file", "hashes.MD5"
	Op           string // "=", "IN", "NOT LIKE" …
	Value        string // as the pattern writes it, without the quotes of a text
}

// CheckPattern says what is wrong with a pattern of an indicator: what [Terms] refuses,
// and names that nothing may have.
func CheckPattern(text string) error {
	terms, err := Terms(text)
	if err != nil {
		return err
	}
	for _, t := range terms {
		first, _, _ := strings.Cut(t.Path, ".")
		first, _, _ = strings.Cut(first, "[")
		for _, name := range []string{t.Object, first} {
			if name != "id" && len(name) < 3 {
				return fmt.Errorf("%q is shorter than a name may be", name)
			}
		}
	}
	return nil
}

// Terms reads a pattern and gives its comparisons, in order.
func Terms(text string) ([]Term, error) {
	if len(text) > MaxPattern {
		return nil, fmt.Errorf("it is longer than %d bytes", MaxPattern)
	}
	words, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &pattern{words: words}
	err = p.observations(0)
	if err == nil && p.at < len(p.words) {
		err = p.unexpected()
	}
	return p.terms, err
}

var (
	wordForm = regexp.MustCompile(`^(?:[tbh]?'(?:[^'\\]|\\.)*'|[A-Za-z_][A-Za-z0-9_-]*|[+-]?\d+(?:\.\d+)?|[+-]?\.\d+|==|!=|<>|<=|>=|[=<>()\[\]:.,*])`)
	blanks   = regexp.MustCompile(`^(?:\s+|//[^\n]*|(?s:/\*.*?\*/))`)
	nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	count    = regexp.MustCompile(`^[1-9]\d*$`)
	period   = regexp.MustCompile(`^(\d+|\d*\.\d+)$`)
)

// scan cuts a pattern into words.
func scan(text string) ([]string, error) {
	var words []string
	for rest := text; ; {
		if b := blanks.FindString(rest); b != "" {
			rest = rest[len(b):]
			continue
		}
		if rest == "" {
			return words, nil
		}
		w := wordForm.FindString(rest)
		if w == "" {
			return nil, fmt.Errorf("nothing in a pattern begins with %.20q", rest)
		}
		words = append(words, w)
		rest = rest[len(w):]
	}
}

// pattern reads the words of one.
type pattern struct {
	words []string
	at    int
	terms []Term
}

func (p *pattern) next() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

func (p *pattern) take(word string) bool {
	if p.next() != word {
		return false
	}
	p.at++
	return true
}

func (p *pattern) expect(word string) error {
	if !p.take(word) {
		return p.unexpected()
	}
	return nil
}

func (p *pattern) unexpected() error {
	if p.at >= len(p.words) {
		return errors.New("it ends too early")
	}
	return fmt.Errorf("%.40q does not belong there", p.next())
}

// observations reads observation expressions joined by AND, OR and FOLLOWEDBY.
func (p *pattern) observations(depth int) error {
	if depth > deepPattern {
		return fmt.Errorf("its brackets go deeper than %d", deepPattern)
	}
	for {
		if err := p.observation(depth); err != nil {
			return err
		}
		if !p.take("AND") && !p.take("OR") && !p.take("FOLLOWEDBY") {
			return nil
		}
	}
}

func (p *pattern) observation(depth int) error {
	once := false // the same qualifier comes again only behind round brackets
	switch {
	case p.take("["):
		once = true
		if err := p.comparisons(depth + 1); err != nil {
			return err
		}
		if err := p.expect("]"); err != nil {
			return err
		}
	case p.take("("):
		if err := p.observations(depth + 1); err != nil {
			return err
		}
		if err := p.expect(")"); err != nil {
			return err
		}
	default:
		return p.unexpected()
	}
	return p.qualifiers(once)
}

// qualifiers reads what limits an observation.
func (p *pattern) qualifiers(once bool) error {
	seen := map[string]bool{}
	for {
		kind := p.next()
		if kind != "WITHIN" && kind != "REPEATS" && kind != "START" {
			return nil
		}
		if once && seen[kind] {
			return fmt.Errorf("%s comes twice", kind)
		}
		seen[kind] = true
		p.at++
		var err error
		switch kind {
		case "WITHIN":
			err = p.measure(period, "SECONDS")
		case "REPEATS":
			err = p.measure(count, "TIMES")
		case "START":
			if err = p.timestamp(); err == nil {
				if err = p.expect("STOP"); err == nil {
					err = p.timestamp()
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

func (p *pattern) measure(form *regexp.Regexp, unit string) error {
	if !form.MatchString(p.next()) {
		return p.unexpected()
	}
	p.at++
	return p.expect(unit)
}

func (p *pattern) timestamp() error {
	if !strings.HasPrefix(p.next(), "t'") {
		return p.unexpected()
	}
	_, err := p.constant()
	return err
}

// comparisons reads comparisons joined by AND and OR.
func (p *pattern) comparisons(depth int) error {
	if depth > deepPattern {
		return fmt.Errorf("its brackets go deeper than %d", deepPattern)
	}
	for {
		var err error
		if p.take("(") {
			if err = p.comparisons(depth + 1); err == nil {
				err = p.expect(")")
			}
		} else {
			err = p.comparison()
		}
		if err != nil {
			return err
		}
		if !p.take("AND") && !p.take("OR") {
			return nil
		}
	}
}

func (p *pattern) comparison() error {
	exists := p.take("EXISTS")
	var t Term
	var err error
	t.Object, t.Path, err = p.path()
	if err != nil {
		return err
	}
	if exists {
		t.Op = "EXISTS"
		p.terms = append(p.terms, t)
		return nil
	}
	if p.take("NOT") {
		t.Op = "NOT "
	}
	op := p.next()
	p.at++
	t.Op += op
	switch op {
	case "=", "==", "!=", "<>", "<", "<=", ">", ">=":
		t.Value, err = p.constant()
	case "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET":
		if !strings.HasPrefix(p.next(), "'") {
			return p.unexpected()
		}
		t.Value, err = p.constant()
	case "IN":
		t.Value, err = p.set()
	default:
		p.at--
		return p.unexpected()
	}
	if err == nil {
		err = t.check()
	}
	p.terms = append(p.terms, t)
	return err
}

// path reads "type:property.property[3].'quoted'".
func (p *pattern) path() (object, path string, err error) {
	if !nameForm.MatchString(p.next()) {
		return "", "", p.unexpected()
	}
	object = p.next()
	p.at++
	if err := p.expect(":"); err != nil {
		return "", "", err
	}
	var b strings.Builder
	for {
		word := p.next()
		switch {
		case strings.HasPrefix(word, "'"):
			b.WriteString(unquote(word))
		case nameForm.MatchString(word):
			b.WriteString(word)
		default:
			return "", "", p.unexpected()
		}
		p.at++
		for p.take("[") {
			if n := p.next(); n != "*" {
				if _, err := strconv.Atoi(n); err != nil {
					return "", "", p.unexpected()
				}
			}
			b.WriteString("[" + p.next() + "]")
			p.at++
			if err := p.expect("]"); err != nil {
				return "", "", err
			}
		}
		if !p.take(".") {
			return object, b.String(), nil
		}
		b.WriteByte('.')
	}
}

func (p *pattern) set() (string, error) {
	if err := p.expect("("); err != nil {
		return "", err
	}
	var all []string
	if p.take(")") {
		return "", nil
	}
	for {
		v, err := p.constant()
		if err != nil {
			return "", err
		}
		all = append(all, v)
		if !p.take(",") {
			break
		}
	}
	return strings.Join(all, ", "), p.expect(")")
}

var numberForm = regexp.MustCompile(`^[+-]?(\d+(\.\d+)?|\.\d+)$`)

// constant reads one value.
func (p *pattern) constant() (string, error) {
	word := p.next()
	switch {
	case strings.HasPrefix(word, "'"), numberForm.MatchString(word), word == "true", word == "false":
	case strings.HasPrefix(word, "t'"):
		if !timeForm.MatchString(unquote(word[1:])) {
			return "", fmt.Errorf("%.40s is no time", word)
		}
	case strings.HasPrefix(word, "b'"):
		if _, err := base64.StdEncoding.DecodeString(unquote(word[1:])); err != nil {
			return "", fmt.Errorf("%.40s is no base64", word)
		}
	case strings.HasPrefix(word, "h'"):
		if !hexForm.MatchString(unquote(word[1:])) {
			return "", fmt.Errorf("%.40s is not hexadecimal", word)
		}
	default:
		return "", p.unexpected()
	}
	p.at++
	return unquote(strings.TrimLeft(word, "tbh")), nil
}

func unquote(word string) string {
	if len(word) < 2 || word[0] != '\'' {
		return word
	}
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(word[1 : len(word)-1])
}

// check looks at hashes: the length of those whose kind is known.
func (t Term) check() error {
	name, hash := strings.CutPrefix(t.Path, "hashes.")
	letters, known := hashForms[name]
	if hash && known && t.Op == "=" && (len(t.Value) != letters || !hexForm.MatchString(t.Value)) {
		return fmt.Errorf("%.80q is no hash %s", t.Value, name)
	}
	return nil
}
