package stix

import (
	"encoding/json"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/language"

	"github.com/entente-project/entente"
)

// orders are times of which the second is not before the first; strictly after it
// where strict is set.
var orders = []struct {
	types         []string // empty: all
	first, second string
	strict        bool
}{
	{nil, "created", "modified", false},
	{nil, "first_seen", "last_seen", false},
	{[]string{"indicator"}, "valid_from", "valid_until", true},
	{[]string{"relationship"}, "start_time", "stop_time", true},
	{[]string{"observed-data"}, "first_observed", "last_observed", false},
	{[]string{"network-traffic"}, "start", "end", false},
	{[]string{"malware-analysis"}, "analysis_started", "analysis_ended", false},
	{[]string{"x509-certificate"}, "validity_not_before", "validity_not_after", false},
}

// anyOf are types of which at least one property of their own is there.
var anyOf = []string{"process", "user-account", "windows-registry-key", "x509-certificate"}

var (
	mimeForm     = regexp.MustCompile(`^(application|audio|font|image|message|model|multipart|text|video)/[a-zA-Z0-9.+_-]+`)
	ipv4Form     = regexp.MustCompile(`^((\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])\.){3}(\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])(/(3[0-2]|[12]\d|\d))?$`)
	ipv6Tail     = regexp.MustCompile(`^(12[0-8]|1[01]\d|[1-9]?\d)$`)
	macForm      = regexp.MustCompile(`^([0-9a-f]{2}:){5}[0-9a-f]{2}$`)
	relationForm = regexp.MustCompile(`^[a-z0-9-]+$`)
	registryForm = regexp.MustCompile(`^(HKLM|HKCC|HKCR|HKCU|HKU|hklm|hkcc|hkcr|hkcu|hku)\b`)
)

func (c *checker) has(name string) bool {
	_, there := c.o.fields[name]
	return there
}

func (c *checker) whole(name string) (int64, bool) {
	n, _ := c.o.fields[name].(json.Number)
	v, err := n.Int64()
	return v, err == nil
}

// within bounds a whole number.
func (c *checker) within(name string, from, to int64) {
	if n, ok := c.whole(name); ok && (n < from || n > to) {
		c.wrong(name, "it is to be from %d to %d", int(from), int(to))
	}
}

// rules are those that a table does not say.
func (c *checker) rules() {
	o := c.o
	for _, r := range orders {
		first, ok := instant(o.Text(r.first))
		second, ok2 := instant(o.Text(r.second))
		if !ok || !ok2 || len(r.types) > 0 && !slices.Contains(r.types, o.Type) {
			continue
		}
		if second.Before(first) || r.strict && second.Equal(first) {
			c.wrong(r.second, "it is before %s", r.first)
		}
	}
	c.within("confidence", 0, 100)
	if lang := o.Text("lang"); lang != "" && !isLanguage(lang) {
		c.wrong("lang", "%q is no language by RFC 5646", short(lang))
	}
	switch c.kind.class {
	case "sco":
		c.observable()
	case "sro":
		c.relation()
	default:
		c.statement()
	}
}

func (c *checker) statement() {
	o := c.o
	switch o.Type {
	case "indicator":
		if o.Text("pattern_type") == "stix" && o.Text("pattern") != "" {
			if err := CheckPattern(o.Text("pattern")); err != nil {
				c.wrong("pattern", "the pattern cannot be read: %s", err.Error())
			}
		}
	case "location":
		if !c.has("region") && !c.has("country") && !(c.has("latitude") && c.has("longitude")) {
			c.wrong("", "a location has a region, a country, or latitude and longitude")
		}
		if c.has("latitude") != c.has("longitude") || c.has("precision") && !c.has("latitude") {
			c.wrong("latitude", "latitude and longitude go together")
		}
		c.degrees("latitude", 90)
		c.degrees("longitude", 180)
	case "malware":
		if family, _ := o.fields["is_family"].(bool); family && !c.has("name") {
			c.wrong("name", "a family of malware has a name")
		}
	case "malware-analysis":
		if !c.has("result") && !c.has("analysis_sco_refs") {
			c.wrong("result", "an analysis has a result, or names what it found")
		}
	case "observed-data":
		c.within("number_observed", 1, 999_999_999)
		if c.has("objects") == c.has("object_refs") {
			c.wrong("object_refs", "observed data refers to objects, or holds them, and not both")
		}
		for _, ref := range o.Texts("object_refs") {
			if class := types()[typeOf(ref)].class; class != "" && class != "sco" && class != "sro" {
				c.wrong("object_refs", "%q is nothing that can be observed", short(ref))
			}
		}
	case "language-content":
		c.translations()
	case "extension-definition":
		if c.has("extension_properties") && !slices.Contains(o.Texts("extension_types"), "toplevel-property-extension") {
			c.wrong("extension_properties", "only an extension of top-level properties names them")
		}
	case "marking-definition":
		c.definition()
	}
}

func (c *checker) degrees(name string, most float64) {
	n, _ := c.o.fields[name].(json.Number)
	if f, err := n.Float64(); err == nil && (f < -most || f > most) {
		c.wrong(name, "it is to be from %d to %d", -int(most), int(most))
	}
}

func (c *checker) translations() {
	contents, _ := c.o.fields["contents"].(map[string]any)
	for lang, texts := range contents {
		if !isLanguage(lang) {
			c.wrong("contents", "%q is no language by RFC 5646", short(lang))
		}
		in, _ := texts.(map[string]any)
		for name := range in {
			if !propertyForm.MatchString(name) {
				c.wrong("contents."+lang, "no property may have the name %q", short(name))
			}
		}
	}
	if slices.Contains([]string{"bundle", "language-content"}, typeOf(c.o.Text("object_ref"))) {
		c.wrong("object_ref", "it has no texts to translate")
	}
}

func (c *checker) definition() {
	o := c.o
	in, _ := o.fields["definition"].(map[string]any)
	word, _ := in["tlp"].(string)
	switch kind := o.Text("definition_type"); {
	case kind == "tlp":
		label, known := entente.TLPOfSTIX(o.ID)
		if said, err := entente.ParseTLP(word); err != nil || !known || said != label || o.Text("created") != "2017-01-20T00:00:00.000Z" {
			c.wrong("definition", "a TLP marking is one of those that the standard defines")
		}
	case kind == "statement":
		if s, _ := in["statement"].(string); s == "" {
			c.wrong("definition", "it says nothing")
		}
	case kind != "" && !c.has("definition"), kind == "" && !c.has("extensions"):
		c.wrong("definition", "a marking says what it means, by a definition or an extension")
	}
	if slices.Contains(o.markings(), o.ID) {
		c.wrong("object_marking_refs", "a marking does not mark itself")
	}
}

func (c *checker) relation() {
	o := c.o
	c.within("count", 0, 999_999_999)
	apart := []string{"relationship", "sighting", "bundle", "marking-definition", "language-content"}
	if o.Type == "relationship" {
		if kind := o.Text("relationship_type"); kind != "" && !relationForm.MatchString(kind) {
			c.wrong("relationship_type", "%q is no name that a type may have", short(kind))
		}
		for _, end := range []string{"source_ref", "target_ref"} {
			if slices.Contains(apart, typeOf(o.Text(end))) {
				c.wrong(end, "nothing relates to a relation, a bundle or a marking")
			}
		}
		return
	}
	of := o.Text("sighting_of_ref")
	if class := types()[typeOf(of)].class; slices.Contains(apart, typeOf(of)) || class != "" && class != "sdo" {
		c.wrong("sighting_of_ref", "%q is nothing that is sighted", short(of))
	}
}

func (c *checker) observable() {
	o := c.o
	if slices.Contains(anyOf, o.Type) && !c.anyOwn() {
		c.wrong("", "%s says nothing: at least one property of it is needed", o.Type)
	}
	if version := idForm.FindStringSubmatch(o.ID); version != nil {
		if o.Type == "process" && version[2] != "4" {
			c.wrong("id", "the id of a process is a random UUID (version 4)")
		}
	}
	value := o.Text("value")
	switch o.Type {
	case "artifact":
		if c.has("payload_bin") == c.has("url") || c.has("url") && !c.has("hashes") {
			c.wrong("", "an artifact holds its content, or a URL and its hashes")
		}
		if c.has("decryption_key") && !c.has("encryption_algorithm") {
			c.wrong("decryption_key", "there is no key without an algorithm")
		}
		if mime := o.Text("mime_type"); mime != "" && !mimeForm.MatchString(mime) {
			c.wrong("mime_type", "%q is no media type", short(mime))
		}
	case "directory":
		c.charset("path_enc")
	case "file":
		c.charset("name_enc")
		if !c.has("hashes") && !c.has("name") {
			c.wrong("name", "a file has hashes or a name")
		}
	case "email-addr":
		if a, err := mail.ParseAddress(value); value != "" && (err != nil || a.Address != value) {
			c.wrong("value", "%q is no e-mail address", short(value))
		}
	case "email-message":
		parts, _ := o.fields["is_multipart"].(bool)
		if parts && c.has("body") || !parts && c.has("body_multipart") {
			c.wrong("is_multipart", "the body does not agree with it")
		}
	case "ipv4-addr":
		if value != "" && !ipv4Form.MatchString(value) {
			c.wrong("value", "%q is no address of IPv4", short(value))
		}
	case "ipv6-addr":
		if value != "" && !isIPv6(value) {
			c.wrong("value", "%q is no address of IPv6", short(value))
		}
	case "mac-addr":
		if value != "" && !macForm.MatchString(value) {
			c.wrong("value", "%q is no MAC address", short(value))
		}
	case "network-traffic":
		c.within("src_port", 0, 65535)
		c.within("dst_port", 0, 65535)
		if !c.has("src_ref") && !c.has("dst_ref") {
			c.wrong("src_ref", "traffic has a source or a destination")
		}
		if active, _ := o.fields["is_active"].(bool); active && c.has("end") {
			c.wrong("end", "what is still going on has no end")
		}
	case "software":
		for _, lang := range o.Texts("languages") {
			if !isLanguage(lang) {
				c.wrong("languages", "%q is no language by RFC 5646", short(lang))
			}
		}
	case "windows-registry-key":
		if registryForm.MatchString(o.Text("key")) {
			c.wrong("key", "the name of a hive is not shortened")
		}
	}
}

// anyOwn says whether a property of the type itself is there.
func (c *checker) anyOwn() bool {
	common := stranger("sco").properties
	for name := range c.kind.properties {
		if _, shared := common[name]; !shared && c.has(name) {
			return true
		}
	}
	return c.has("extensions")
}

func (c *checker) charset(name string) {
	if s := c.o.Text(name); s != "" {
		if _, err := ianaindex.IANA.Encoding(s); err != nil {
			c.wrong(name, "%q is no character set of the IANA", short(s))
		}
	}
}

func isLanguage(s string) bool {
	_, err := language.Parse(s)
	return err == nil && !strings.Contains(s, "_")
}
