package stix

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

var (
	typeForm      = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*-?$`)
	idForm        = regexp.MustCompile(`^([a-z][a-z0-9-]+[a-z0-9])--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-([1-5])[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$`)
	timeForm      = regexp.MustCompile(`^\d{4}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?Z$`)
	millisForm    = regexp.MustCompile(`\.\d{3,}Z$`)
	propertyForm  = regexp.MustCompile(`^([a-z][a-z0-9_]{2,249}|id)$`)
	selectorForm  = regexp.MustCompile(`^([a-z0-9_-]{3,249}(\.(\[\d+\]|[a-z0-9_-]{1,250}))*|id)$`)
	keyForm       = regexp.MustCompile(`^[a-zA-Z0-9_-]{0,250}$`)
	hexForm       = regexp.MustCompile(`^([a-fA-F0-9]{2})+$`)
	hashName      = regexp.MustCompile(`^[a-zA-Z0-9_-]{3,250}$`)
	extensionName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*-ext$`)
	hashForms     = map[string]int{"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64, "SHA3-512": 128}
)

// reserved are names that no property may have.
var reserved = []string{"severity", "action", "username", "phone_numbers"}

// checker looks at one object.
type checker struct {
	o     *Object
	kind  kind
	found []entente.FieldError
}

// Problems lists what a MUST of the standard forbids in the object.
func (o *Object) Problems() []entente.FieldError {
	k, known := types()[o.Type]
	if !known {
		k = stranger(o.strangerClass())
	}
	c := &checker{o: o, kind: k}
	c.object()
	if known {
		c.rules()
	}
	return c.found
}

// strangerClass is what an object of an unknown type says of itself by its extension,
// or else by its having no times: an observable has none.
func (o *Object) strangerClass() string {
	extensions, _ := o.fields["extensions"].(map[string]any)
	for _, e := range extensions {
		in, _ := e.(map[string]any)
		switch in["extension_type"] {
		case "new-sco":
			return "sco"
		case "new-sro":
			return "sro"
		case "new-sdo":
			return "sdo"
		}
	}
	_, created := o.fields["created"]
	_, modified := o.fields["modified"]
	if !created && !modified {
		return "sco"
	}
	return "sdo"
}

func (c *checker) wrong(path string, text entente.Text, args ...any) {
	c.found = append(c.found, entente.FieldError{Field: strings.Trim(c.o.path+"."+path, "."), Message: entente.Say(text, args...)})
}

func (c *checker) object() {
	if !typeForm.MatchString(c.o.Type) || len(c.o.Type) < 3 || len(c.o.Type) > 250 || c.o.Type == "action" {
		c.wrong("type", "%q is no name that a type may have", short(c.o.Type))
	}
	for _, name := range c.kind.required {
		if _, there := c.o.fields[name]; !there {
			c.wrong(name, "%s needs the property %s", c.o.Type, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.o.fields)) {
		value := c.o.fields[name]
		if slices.Contains(reserved, name) || !propertyForm.MatchString(name) {
			c.wrong(name, "no property may have the name %q", short(name))
			continue
		}
		p, known := c.kind.properties[name]
		switch {
		case known:
			c.property(name, p, value)
		case strings.HasSuffix(name, "_hex"):
			c.value(name, property{form: "x"}, value)
		case strings.HasSuffix(name, "_bin"):
			c.value(name, property{form: "y"}, value)
		default:
			c.filled(name, value)
		}
	}
	if id := c.o.Text("id"); id != "" && identifier(id, nil) && c.kind.properties["id"].form == "r" && types()[c.o.Type].class != "" && typeOf(id) != c.o.Type {
		c.wrong("id", "the id of %s begins with its type", c.o.Type)
	}
}

func (c *checker) property(path string, p property, value any) {
	if !p.list {
		c.value(path, p, value)
		return
	}
	list, ok := value.([]any)
	if !ok {
		c.wrong(path, "it is to be a list")
		return
	}
	if len(list) == 0 && !p.empty {
		c.wrong(path, "a list is not empty: leave the property out")
	}
	for i, v := range list {
		c.value(path+"["+strconv.Itoa(i)+"]", p, v)
	}
}

func (c *checker) value(path string, p property, value any) {
	text, isText := value.(string)
	switch p.form {
	case "b":
		if _, ok := value.(bool); !ok {
			c.wrong(path, "it is to be true or false")
		}
	case "i", "u", "n":
		c.number(path, p.form, value)
	case "d":
		c.dictionary(path, value)
	case "h":
		c.hashes(path, value)
	case "kill":
		c.fields(path, value, "kill_chain_name", "phase_name")
	case "ref":
		c.reference(path, value)
	case "granular":
		c.granular(path, value)
	default:
		if !isText {
			c.wrong(path, "it is to be a text")
			return
		}
		c.text(path, p, text)
	}
}

func (c *checker) text(path string, p property, text string) {
	switch p.form {
	case "t", "ms":
		if _, ok := instant(text); !ok {
			c.wrong(path, "%q is no time as STIX writes it: 2026-01-31T12:00:00.000Z", short(text))
		} else if p.form == "ms" && !millisForm.MatchString(text) {
			c.wrong(path, "%q is not precise to the millisecond", short(text))
		}
	case "r":
		if !identifier(text, p.only) {
			if len(p.only) > 0 {
				c.wrong(path, "%q does not refer to one of: %s", short(text), strings.Join(p.only, ", "))
			} else {
				c.wrong(path, "%q is no identifier of the form type--UUID", short(text))
			}
		}
	case "one":
		if !slices.Contains(p.only, text) {
			c.wrong(path, "%q is not one of: %s", short(text), strings.Join(p.only, ", "))
		}
	case "x":
		if !hexForm.MatchString(text) {
			c.wrong(path, "it is to be hexadecimal, two letters for a byte")
		}
	case "y":
		if _, err := base64.StdEncoding.DecodeString(text); err != nil || text == "" {
			c.wrong(path, "it is to be base64")
		}
	case "l":
		if _, err := url.Parse(text); err != nil || text == "" {
			c.wrong(path, "%q is no URL", short(text))
		}
	}
}

func (c *checker) number(path, form string, value any) {
	n, ok := value.(json.Number)
	if !ok {
		c.wrong(path, "it is to be a number")
		return
	}
	if form == "n" {
		return
	}
	whole, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil {
		if f, ferr := n.Float64(); ferr != nil || f != float64(int64(f)) {
			c.wrong(path, "it is to be a whole number")
			return
		}
	}
	if form == "u" && whole < 0 {
		c.wrong(path, "it is not to be below 0")
	}
}

// filled refuses what no property may be: nothing, or an empty list.
func (c *checker) filled(path string, value any) {
	list, isList := value.([]any)
	if value == nil || isList && len(list) == 0 {
		c.wrong(path, "a property is not empty: leave it out")
	}
}

func (c *checker) dictionary(path string, value any) {
	d, ok := value.(map[string]any)
	if !ok {
		c.wrong(path, "it is to be an object")
		return
	}
	if len(d) == 0 {
		c.wrong(path, "an object is not empty: leave the property out")
	}
	for _, key := range slices.Sorted(maps.Keys(d)) {
		at := path + "." + key
		if path == "extensions" {
			c.extension(at, key, d[key])
			continue
		}
		if !keyForm.MatchString(key) {
			c.wrong(at, "no key may have the name %q", short(key))
		}
		c.filled(at, d[key])
	}
	c.times(path, d)
}

func (c *checker) extension(path, key string, value any) {
	defined := identifier(key, []string{"extension-definition"})
	if !defined && (c.kind.class == "marking" || !extensionName.MatchString(key)) {
		c.wrong(path, "an extension is named by its definition, or ends with -ext")
	}
	in, ok := value.(map[string]any)
	if !ok || len(in) == 0 {
		c.wrong(path, "an extension is an object that is not empty")
		return
	}
	if defined {
		name, _ := in["extension_type"].(string)
		if form := types()["extension-definition"].properties["extension_types"]; !slices.Contains(form.only, name) {
			c.wrong(path+".extension_type", "it is to be one of: %s", strings.Join(form.only, ", "))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		c.filled(path+"."+name, in[name])
	}
	c.times(path, in)
}

// times looks at what has the name of a time within an extension.
func (c *checker) times(path string, in map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(in)) {
		text, ok := in[name].(string)
		if !ok || !slices.Contains(embeddedTimes, name) {
			continue
		}
		if _, ok := instant(text); !ok {
			c.wrong(path+"."+name, "%q is no time as STIX writes it: 2026-01-31T12:00:00.000Z", short(text))
		}
	}
}

// embeddedTimes are the times of the extensions that the standard defines.
var embeddedTimes = []string{"time_date_stamp", "private_key_usage_period_not_before", "private_key_usage_period_not_after"}

func (c *checker) hashes(path string, value any) {
	d, ok := value.(map[string]any)
	if !ok || len(d) == 0 {
		c.wrong(path, "hashes are an object that is not empty")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(d)) {
		text, _ := d[name].(string)
		letters, known := hashForms[name]
		if !hashName.MatchString(name) || text == "" || known && (len(text) != letters || !hexForm.MatchString(text)) {
			c.wrong(path+"."+name, "this is no hash %s", short(name))
		}
	}
}

// fields looks at an object of texts, all of which are required.
func (c *checker) fields(path string, value any, names ...string) {
	in, ok := value.(map[string]any)
	if !ok {
		c.wrong(path, "it is to be an object")
		return
	}
	for _, name := range names {
		if s, _ := in[name].(string); s == "" {
			c.wrong(path+"."+name, "it is required")
		}
	}
}

var cveForm = regexp.MustCompile(`^CVE-\d{4}-(0\d{3}|[1-9]\d{3,})$`)

func (c *checker) reference(path string, value any) {
	in, ok := value.(map[string]any)
	if !ok {
		c.wrong(path, "it is to be an object")
		return
	}
	source, _ := in["source_name"].(string)
	id, _ := in["external_id"].(string)
	if source == "" {
		c.wrong(path+".source_name", "it is required")
	}
	if strings.EqualFold(source, "cve") && (source != "cve" || !cveForm.MatchString(id)) {
		c.wrong(path, "a CVE is named with the source cve and an external id of the form CVE-2026-12345")
	}
	if link, there := in["url"]; there {
		c.value(path+".url", property{form: "l"}, link)
	}
	if hashes, there := in["hashes"]; there {
		c.hashes(path+".hashes", hashes)
	}
	_, described := in["description"]
	_, linked := in["url"]
	if id == "" && !described && !linked {
		c.wrong(path, "a reference has a description, a url or an external id")
	}
}

func (c *checker) granular(path string, value any) {
	in, ok := value.(map[string]any)
	if !ok {
		c.wrong(path, "it is to be an object")
		return
	}
	ref, isRef := in["marking_ref"].(string)
	_, said := in["lang"]
	if isRef && !identifier(ref, []string{"marking-definition"}) || !isRef && !said {
		c.wrong(path+".marking_ref", "it refers to a marking definition")
	}
	selectors, _ := in["selectors"].([]any)
	if len(selectors) == 0 {
		c.wrong(path+".selectors", "it is required")
	}
	for i, s := range selectors {
		at := fmt.Sprintf("%s.selectors[%d]", path, i)
		text, _ := s.(string)
		if !selectorForm.MatchString(text) {
			c.wrong(at, "%q selects nothing", short(text))
		} else if !selects(c.o.fields, strings.Split(text, ".")) {
			c.wrong(at, "%q selects nothing that is there", short(text))
		}
	}
}

// selects says whether a selector finds something.
func selects(in any, steps []string) bool {
	for _, step := range steps {
		switch at := in.(type) {
		case map[string]any:
			next, there := at[step]
			if !there {
				return false
			}
			in = next
		case []any:
			i, err := strconv.Atoi(strings.Trim(step, "[]"))
			if err != nil || i < 0 || i >= len(at) {
				return false
			}
			in = at[i]
		default:
			return false
		}
	}
	return true
}

// identifier says whether a text is an id, of one of the types where some are given.
func identifier(text string, kinds []string) bool {
	return idForm.MatchString(text) && (len(kinds) == 0 || slices.Contains(kinds, typeOf(text)))
}

// instant reads a time as STIX writes it. A leap second counts as the second after.
func instant(text string) (time.Time, bool) {
	if !timeForm.MatchString(text) {
		return time.Time{}, false
	}
	leap := text[17:19] == "60"
	if leap {
		text = text[:17] + "59" + text[19:]
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, false
	}
	if leap {
		at = at.Add(time.Second)
	}
	return at, true
}

func short(s string) string {
	r := []rune(s)
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
