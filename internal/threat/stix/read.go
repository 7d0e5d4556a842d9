package stix

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// The bounds of what is read.
const (
	MaxBytes   = 8 << 20 // of a document
	MaxDepth   = 64      // of nesting
	MaxObjects = 20_000  // of a document
	maxTold    = 50      // problems of one document
)

// Object is one STIX object.
type Object struct {
	Type, ID string
	// Raw is the object as it came.
	Raw json.RawMessage

	fields map[string]any
	path   string // where it stood in the document
}

// Document is what was read.
type Document struct {
	Objects []Object

	odd []entente.FieldError // of the bundle itself
}

// Read reads a bundle, a list of objects, or one object. What it refuses is no STIX
// at all; what the standard forbids besides is told by [Document.Check].
func Read(data []byte) (Document, error) {
	if len(data) > MaxBytes {
		return Document{}, entente.TooLarge("the STIX document is larger than %d bytes", MaxBytes)
	}
	if err := bounded(data); err != nil {
		return Document{}, err
	}
	var d Document
	raws, path, err := d.parts(data)
	if err != nil {
		return Document{}, err
	}
	if len(raws) == 0 {
		return Document{}, entente.Invalid("there is no STIX object in it")
	}
	if len(raws) > MaxObjects {
		return Document{}, entente.TooLarge("the STIX document holds more than %d objects", MaxObjects)
	}
	for i, raw := range raws {
		o := Object{Raw: raw, path: path}
		if path != "" || len(raws) > 1 {
			o.path = path + "[" + strconv.Itoa(i) + "]"
		}
		value := json.NewDecoder(bytes.NewReader(raw))
		value.UseNumber()
		if value.Decode(&o.fields) != nil || o.fields == nil {
			return Document{}, entente.Invalid("%s is no STIX object: it is no JSON object", orDocument(o.path))
		}
		o.Type, o.ID = o.Text("type"), o.Text("id")
		if o.Type == "" {
			return Document{}, entente.Invalid("%s is no STIX object: it has no type", orDocument(o.path))
		}
		d.Objects = append(d.Objects, o)
	}
	return d, nil
}

func orDocument(path string) string {
	if path == "" {
		return "this"
	}
	return path
}

// bounded says whether it is one JSON value that is not nested too deeply.
func bounded(data []byte) error {
	depth, text := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{', c == '[':
			depth++
			if depth > MaxDepth {
				return entente.TooLarge("the STIX document is nested deeper than %d", MaxDepth)
			}
		case c == '}', c == ']':
			depth--
		}
	}
	var any json.RawMessage
	if err := json.Unmarshal(data, &any); err != nil {
		return entente.Invalid("this is no JSON: %s", err.Error())
	}
	return nil
}

// parts finds the objects of a document.
func (d *Document) parts(data []byte) (raws []json.RawMessage, path string, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		if err := json.Unmarshal(data, &raws); err != nil {
			return nil, "", entente.Invalid("this is no JSON: %s", err.Error())
		}
		return raws, "", nil
	}
	var bundle struct {
		Type    string          `json:"type"`
		ID      string          `json:"id"`
		Objects json.RawMessage `json:"objects"`
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		return nil, "", entente.Invalid("this is no STIX: %s", err.Error())
	}
	if bundle.Type != "bundle" {
		return []json.RawMessage{bytes.TrimSpace(data)}, "", nil
	}
	if !identifier(bundle.ID, []string{"bundle"}) {
		d.odd = append(d.odd, entente.FieldError{Field: "id", Message: entente.Say("a bundle has an id of the form bundle--, and a UUID")})
	}
	if err := json.Unmarshal(bundle.Objects, &raws); err != nil && bundle.Objects != nil {
		return nil, "", entente.Invalid("the objects of the bundle are no list")
	}
	return raws, "objects", nil
}

// Check gives what a MUST of the standard forbids in the document, as one error with
// a field for each place; nil: nothing.
func (d Document) Check() error {
	found := slices.Clone(d.odd)
	for i := range d.Objects {
		if found = append(found, d.Objects[i].Problems()...); len(found) > maxTold {
			break
		}
	}
	if len(found) == 0 {
		return nil
	}
	wrong := entente.Invalid("this is no valid STIX 2.1")
	wrong.Fields = found[:min(len(found), maxTold)]
	return wrong
}

// TLP is the strictest label that the objects bear, by the marking definitions of TLP
// 2.0 and TLP 1 or such as the document brings; false where none bears one.
func (d Document) TLP() (label entente.TLP, said bool) {
	own := map[string]entente.TLP{}
	for _, o := range d.Objects {
		if t, ok := o.defines(); ok {
			own[o.ID] = t
		}
	}
	for _, o := range d.Objects {
		for _, ref := range o.markings() {
			t, ok := entente.TLPOfSTIX(ref)
			if !ok {
				t, ok = own[ref]
			}
			if ok {
				label, said = max(label, t), true
			}
		}
	}
	return label, said
}

// defines gives the label that a marking definition stands for.
func (o Object) defines() (entente.TLP, bool) {
	if o.Type != "marking-definition" {
		return 0, false
	}
	if t, ok := entente.TLPOfSTIX(o.ID); ok {
		return t, true
	}
	definition, _ := o.fields["definition"].(map[string]any)
	word, _ := definition["tlp"].(string)
	extensions, _ := o.fields["extensions"].(map[string]any)
	for _, e := range extensions {
		if in, ok := e.(map[string]any); ok && word == "" {
			word, _ = in["tlp_2_0"].(string)
		}
	}
	t, err := entente.ParseTLP(word)
	return t, err == nil
}

// markings are the marking definitions that an object or a part of it refers to.
func (o Object) markings() []string {
	refs := o.Texts("object_marking_refs")
	granular, _ := o.fields["granular_markings"].([]any)
	for _, g := range granular {
		if in, ok := g.(map[string]any); ok {
			if ref, ok := in["marking_ref"].(string); ok {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// Text gives a property that is a text; "" if it is none.
func (o Object) Text(name string) string {
	s, _ := o.fields[name].(string)
	return s
}

// Texts gives the texts of a property that is a list.
func (o Object) Texts(name string) []string {
	var all []string
	list, _ := o.fields[name].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// Time gives a property that is a time; zero if it is none.
func (o Object) Time(name string) time.Time {
	at, _ := instant(o.Text(name))
	return at
}

// Revoked says whether its creator does not stand by it any more.
func (o Object) Revoked() bool {
	b, _ := o.fields["revoked"].(bool)
	return b
}

// Title names the object in a few words: its name, its value, or what it is of.
func (o Object) Title() string {
	for _, name := range []string{"name", "value", "path", "abstract", "subject", "key", "user_id", "account_login", "command_line", "product", "pattern"} {
		if s := strings.TrimSpace(o.Text(name)); s != "" {
			return s
		}
	}
	if o.Type == "relationship" {
		return typeOf(o.Text("source_ref")) + " " + o.Text("relationship_type") + " " + typeOf(o.Text("target_ref"))
	}
	return ""
}

func typeOf(ref string) string {
	kind, _, _ := strings.Cut(ref, "--")
	return kind
}

// Class says what kind of thing an object of the type is: "sdo" (a statement of an
// analyst), "sco" (something observable), "sro" (a relation), "meta" or "marking"; ""
// for a type that the standard does not know.
func Class(kind string) string { return types()[kind].class }
