package stix

import (
	_ "embed" // the table of types
	"strings"
	"sync"
)

//go:embed types.txt
var table string

// kind is what the standard says of a type of objects.
type kind struct {
	class      string
	properties map[string]property
	required   []string
}

// property is how the value of a property looks.
type property struct {
	form  string   // as types.txt names it, of the items where it is a list
	only  []string // types that are referred to, or words that are allowed
	list  bool
	empty bool // the list may be empty
}

// base are the properties that every class has; ms is a time to the millisecond.
var base = map[string]string{
	"sdo":     "spec_version!=(2.0|2.1) created_by_ref=r created!=ms modified!=ms revoked=b labels=[s] confidence=u lang=s",
	"sro":     "spec_version!=(2.0|2.1) created_by_ref=r created!=ms modified!=ms revoked=b labels=[s] confidence=u lang=s",
	"meta":    "spec_version!=(2.0|2.1) created_by_ref=r created!=ms modified!=ms revoked=b labels=[s] confidence=u lang=s",
	"marking": "spec_version!=(2.0|2.1) created_by_ref=r created!=t",
	"sco":     "spec_version=(2.0|2.1) defanged=b",
}

const everywhere = " type!=s id!=r external_references=[ref] object_marking_refs=[r:marking-definition] granular_markings=[granular] extensions=d"

// types reads the table once.
var types = sync.OnceValue(func() map[string]kind {
	all := map[string]kind{}
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "#" {
			continue
		}
		all[words[0]] = newKind(words[1], words[2:])
	}
	return all
})

// stranger is a type that the standard does not know: what an extension defines has
// the properties of a domain object, or those of an observable where it says so.
func stranger(class string) kind { return newKind(class, nil) }

func newKind(class string, words []string) kind {
	k := kind{class: class, properties: map[string]property{}}
	for _, word := range append(strings.Fields(base[class]+everywhere), words...) {
		name, form, _ := strings.Cut(word, "=")
		if bare, required := strings.CutSuffix(name, "!"); required {
			name = bare
			k.required = append(k.required, name)
		}
		k.properties[name] = newProperty(form)
	}
	return k
}

func newProperty(form string) property {
	var p property
	switch {
	case strings.HasPrefix(form, "["):
		p.list, form = true, strings.Trim(form, "[]")
	case strings.HasPrefix(form, "*"):
		p.list, p.empty, form = true, true, form[1:]
	}
	switch {
	case strings.HasPrefix(form, "("):
		p.form, p.only = "one", strings.Split(strings.Trim(form, "()"), "|")
	case strings.HasPrefix(form, "r:"):
		p.form, p.only = "r", strings.Split(form[2:], "|")
	default:
		p.form = form
	}
	return p
}
