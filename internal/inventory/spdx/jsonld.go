package spdx

import (
	"io"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/jsonstream"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// ldReader reads the graph of an SPDX 3 document. It takes elements wherever they
// stand: in @graph, alone at the top, or written in place of a reference, since
// JSON-LD allows all three.
type ldReader struct {
	*sink
	d        *jsonstream.Decoder
	elements int
	makers   []string // identifiers of agents, for the authors
	usedBy   []string // identifiers of tools
}

func readJSONLD(in io.Reader, s *sink) error {
	d := jsonstream.New(in, jsonstream.Limits{Depth: s.lim.Depth, Text: s.lim.Text}, s.notes.Add)
	s.doc.Agents = make(map[string]string)
	r := &ldReader{sink: s, d: d}
	kind, err := d.Kind()
	if err != nil {
		return err
	}
	if kind != jsonstream.Object && kind != jsonstream.Array {
		return entente.Invalid("an SPDX 3 document begins with an object, this one with %s", kind)
	}
	if err := r.value(); err != nil {
		return err
	}
	if r.elements == 0 {
		return entente.Invalid("this JSON is no SPDX 3 document: no element with a type of SPDX 3 is in it")
	}
	for _, id := range r.makers {
		r.name(&s.doc.Authors, id)
	}
	for _, id := range r.usedBy {
		r.name(&s.doc.Tools, id)
	}
	return d.Finish()
}

func (r *ldReader) name(list *[]string, id string) {
	name, ok := r.doc.Agents[id]
	if !ok {
		name = id
	}
	for _, known := range *list {
		if known == name {
			return
		}
	}
	if name != "" && len(*list) < maxNames {
		*list = append(*list, name)
	}
}

func (r *ldReader) word(into *string) error {
	s, err := r.d.Word()
	if err != nil {
		return err
	}
	*into = strings.TrimSpace(s)
	return nil
}

// value walks through any value in search of elements.
func (r *ldReader) value() error {
	kind, err := r.d.Kind()
	if err != nil {
		return err
	}
	switch kind {
	case jsonstream.Object:
		_, err := r.element()
		return err
	case jsonstream.Array:
		return r.d.Array(func(int) error { return r.value() })
	}
	return r.d.Skip()
}

// element holds what is wanted of any kind of element; which kind it is may be
// told last.
type element struct {
	id, kind, name string
	c              sbom.Component
	created, spec  string
	by, using      []string
	roots          []string
	supplier       string
	originator     string
	idType, ident  string
	algorithm      string
	hash           string
}

// keep adds an identifier to a short list.
func keep(list *[]string) func(id string) {
	return func(id string) {
		if len(*list) < maxNames {
			*list = append(*list, id)
		}
	}
}

// bare takes the profile off a name: software_packageVersion, software:packageVersion
// and https://spdx.org/rdf/3.0.1/terms/Software/packageVersion are one.
func bare(key string) string {
	if cut := strings.LastIndexAny(key, "_:/#"); cut >= 0 && cut+1 < len(key) {
		return key[cut+1:]
	}
	return key
}

// element reads one element, emits it if it is a package, and gives its identifier.
func (r *ldReader) element() (element, error) {
	var e element
	err := r.d.Object(func(key string) error {
		switch bare(key) {
		case "@context":
			return r.d.Skip()
		case "type", "@type":
			return r.word(&e.kind)
		case "spdxId", "@id":
			return r.word(&e.id)
		case "name":
			return r.word(&e.name)
		case "packageVersion":
			return r.word(&e.c.Version)
		case "packageUrl":
			var v string
			if err := r.word(&v); err != nil {
				return err
			}
			addPURL(&e.c, v)
			return nil
		case "primaryPurpose":
			return r.word(&e.c.Type)
		case "externalIdentifier":
			return r.d.Items(func() error { return r.identifier(&e.c) })
		case "verifiedUsing":
			return r.d.Items(func() error { return r.hash(&e.c) })
		case "suppliedBy":
			return r.refs(func(id string) { e.supplier = id })
		case "originatedBy":
			return r.refs(func(id string) {
				if e.originator == "" {
					e.originator = id
				}
			})
		case "rootElement":
			return r.refs(keep(&e.roots))
		case "createdBy":
			return r.refs(keep(&e.by))
		case "createdUsing":
			return r.refs(keep(&e.using))
		case "created":
			return r.word(&e.created)
		case "specVersion":
			return r.word(&e.spec)
		case "externalIdentifierType":
			return r.word(&e.idType)
		case "identifier":
			return r.word(&e.ident)
		case "algorithm":
			return r.word(&e.algorithm)
		case "hashValue":
			return r.word(&e.hash)
		}
		return r.value()
	})
	if err != nil {
		return e, err
	}
	return e, r.take(&e)
}

// refs reads references to elements, one or a list, as identifiers or in place.
func (r *ldReader) refs(take func(id string)) error {
	one := func() error {
		kind, err := r.d.Kind()
		if err != nil {
			return err
		}
		if kind == jsonstream.Object {
			e, err := r.element()
			take(e.id)
			return err
		}
		var id string
		err = r.word(&id)
		take(id)
		return err
	}
	kind, err := r.d.Kind()
	if err != nil {
		return err
	}
	if kind == jsonstream.Array {
		return r.d.Array(func(int) error { return one() })
	}
	return one()
}

func (r *ldReader) inner() (element, error) {
	kind, err := r.d.Kind()
	if err != nil {
		return element{}, err
	}
	if kind != jsonstream.Object {
		r.notes.Add(r.d.Path, "%s instead of an object; it was left out", kind)
		return element{}, r.d.Skip()
	}
	return r.element()
}

func (r *ldReader) identifier(c *sbom.Component) error {
	e, err := r.inner()
	if err == nil && e.ident != "" {
		r.reference(c, e.idType, e.ident, r.d.Path)
	}
	return err
}

func (r *ldReader) hash(c *sbom.Component) error {
	e, err := r.inner()
	if bare(e.kind) == "Hash" {
		addHash(c, e.algorithm, e.hash)
	}
	return err
}

// take uses an element that was read whole.
func (r *ldReader) take(e *element) error {
	switch bare(e.kind) {
	case "":
		return nil
	case "Package", "AIPackage", "DatasetPackage":
		r.elements++
		return r.pkg(e)
	case "SpdxDocument":
		r.elements++
		if r.doc.Serial == "" {
			r.doc.Serial = e.id
		}
		if e.name != "" {
			r.doc.Name = e.name
		}
		r.allRoots(e.roots)
	case "Sbom", "Bom", "Bundle":
		r.elements++
		if r.doc.Name == "" {
			r.doc.Name = e.name
		}
		r.allRoots(e.roots)
	case "CreationInfo":
		r.elements++
		r.creation(e)
	case "Person", "Organization", "Tool", "SoftwareAgent", "Agent":
		r.elements++
		if len(r.doc.Agents) < maxAgents && e.name != "" && e.id != "" {
			r.doc.Agents[e.id] = e.name
		}
	case "Relationship", "LifecycleScopedRelationship", "File":
		r.elements++
	}
	return nil
}

func (r *ldReader) allRoots(ids []string) {
	for _, id := range ids {
		r.root(id)
	}
}

// creation takes the first of the creation infos: it is nearest to the document.
func (r *ldReader) creation(e *element) {
	if r.doc.SpecVersion != "" {
		return
	}
	r.doc.SpecVersion = e.spec
	if e.spec != "" && !strings.HasPrefix(e.spec, "3.") {
		r.notes.Add(r.d.Path, "SPDX version %q is not known; it was read like 3.0", sbom.Clip(e.spec))
	}
	r.created(e.created, r.d.Path)
	r.makers = e.by
	r.usedBy = e.using
}

func (r *ldReader) pkg(e *element) error {
	c := e.c
	c.Ref = e.id
	c.Name = e.name
	c.Version = present(c.Version)
	switch bare(e.kind) {
	case "AIPackage":
		c.Type = "machine-learning-model"
	case "DatasetPackage":
		c.Type = "data"
	default:
		c.Type = purpose(c.Type)
	}
	c.Supplier = e.supplier
	if c.Supplier == "" {
		c.Supplier = e.originator
	}
	if name, ok := r.doc.Agents[c.Supplier]; ok {
		c.Supplier = name
	}
	if e.id == "" {
		r.notes.Add(r.d.Path, "a package without an spdxId")
	}
	return r.component(c, r.d.Path)
}
