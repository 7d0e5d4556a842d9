package spdx

import (
	"io"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/jsonstream"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

type jsonReader struct {
	*sink
	d     *jsonstream.Decoder
	marks int // how many of the signs of an SPDX document were seen
}

func readJSON(in io.Reader, s *sink) error {
	d := jsonstream.New(in, jsonstream.Limits{Depth: s.lim.Depth, Text: s.lim.Text}, s.notes.Add)
	r := &jsonReader{sink: s, d: d}
	kind, err := d.Kind()
	if err != nil {
		return err
	}
	if kind != jsonstream.Object {
		return entente.Invalid("an SPDX document in JSON begins with an object, this one with %s", kind)
	}
	if err := d.Object(r.top()); err != nil {
		return err
	}
	if r.marks == 0 {
		return entente.Invalid("this JSON is no SPDX document: none of spdxVersion, SPDXID, creationInfo and packages is in it")
	}
	if s.doc.SpecVersion == "" {
		s.notes.At("the document", "no spdxVersion; it was read like 2.3")
	}
	return d.Finish()
}

func (r *jsonReader) word(into *string) error {
	s, err := r.d.Word()
	if err != nil {
		return err
	}
	*into = strings.TrimSpace(s)
	return nil
}

// once notes a key that is repeated within one object.
func (r *jsonReader) once(seen *uint32, bit uint, key string) {
	if *seen&(1<<bit) != 0 {
		r.notes.Add(r.d.Path, "%q is there twice; the last one was taken (of lists, both)", key)
	}
	*seen |= 1 << bit
}

func (r *jsonReader) top() func(string) error {
	var seen uint32
	return func(key string) error {
		switch key {
		case "spdxVersion":
			r.once(&seen, 0, key)
			r.marks++
			var v string
			if err := r.word(&v); err != nil {
				return err
			}
			r.version(v, r.d.Path)
			return nil
		case "SPDXID":
			r.once(&seen, 1, key)
			r.marks++
			var id string
			if err := r.word(&id); err != nil {
				return err
			}
			if id != "SPDXRef-DOCUMENT" {
				r.notes.Add(r.d.Path, "the document calls itself %q, not \"SPDXRef-DOCUMENT\"", sbom.Clip(id))
			}
			return nil
		case "name":
			return r.word(&r.doc.Name)
		case "documentNamespace":
			r.once(&seen, 2, key)
			return r.word(&r.doc.Serial)
		case "creationInfo":
			r.once(&seen, 3, key)
			r.marks++
			return r.d.Fields(r.creation)
		case "packages":
			r.once(&seen, 4, key)
			r.marks++
			return r.d.Items(r.pkg)
		case "documentDescribes":
			return r.d.Items(func() error {
				var id string
				if err := r.word(&id); err != nil {
					return err
				}
				r.root(id)
				return nil
			})
		case "relationships":
			return r.d.Items(r.relationship)
		case "sbom", "predicate", "Document":
			return r.wrapped(key)
		}
		return r.d.Skip()
	}
}

// wrapped reads a document that lies within another, such as an attestation or
// GitHub's export.
func (r *jsonReader) wrapped(key string) error {
	kind, err := r.d.Kind()
	if err != nil {
		return err
	}
	if kind != jsonstream.Object || r.d.Depth() > 1 {
		return r.d.Skip()
	}
	r.notes.Add(r.d.Path, "the document lies within %q of another one; signatures around it were not checked", key)
	return r.d.Object(r.top())
}

func (r *jsonReader) creation(key string) error {
	switch key {
	case "created":
		var v string
		if err := r.word(&v); err != nil {
			return err
		}
		r.created(v, r.d.Path)
		return nil
	case "creators":
		return r.d.Items(func() error {
			var v string
			if err := r.word(&v); err != nil {
				return err
			}
			r.creator(v, r.d.Path)
			return nil
		})
	}
	return r.d.Skip()
}

func (r *jsonReader) relationship() error {
	var from, to, kind string
	err := r.d.Fields(func(key string) error {
		switch key {
		case "spdxElementId":
			return r.word(&from)
		case "relatedSpdxElement":
			return r.word(&to)
		case "relationshipType":
			return r.word(&kind)
		}
		return r.d.Skip()
	})
	r.relate(from, kind, to)
	return err
}

// relate takes the two ways of saying what the document describes.
func (s *sink) relate(from, kind, to string) {
	switch strings.ToUpper(kind) {
	case "DESCRIBES":
		if from == "SPDXRef-DOCUMENT" {
			s.root(to)
		}
	case "DESCRIBED_BY":
		if to == "SPDXRef-DOCUMENT" {
			s.root(from)
		}
	}
}

func (r *jsonReader) pkg() error {
	kind, err := r.d.Kind()
	if err != nil {
		return err
	}
	c := sbom.Component{}
	switch kind {
	case jsonstream.Object:
	case jsonstream.String:
		r.notes.Add(r.d.Path, "a text instead of a package; it was read as its name")
		if err := r.word(&c.Name); err != nil || c.Name == "" {
			return err
		}
		return r.component(c, r.d.Path)
	default:
		r.notes.Add(r.d.Path, "%s instead of a package; it was left out", kind)
		return r.d.Skip()
	}
	var supplier, originator string
	var seen uint32
	err = r.d.Object(func(key string) error {
		switch key {
		case "SPDXID":
			r.once(&seen, 0, key)
			if err := r.word(&c.Ref); err != nil {
				return err
			}
			if !strings.HasPrefix(c.Ref, "SPDXRef-") {
				r.notes.Add(r.d.Path, "the identifier %q does not begin with SPDXRef-", sbom.Clip(c.Ref))
			}
			return nil
		case "name":
			r.once(&seen, 1, key)
			return r.word(&c.Name)
		case "versionInfo":
			r.once(&seen, 2, key)
			if err := r.word(&c.Version); err != nil {
				return err
			}
			c.Version = present(c.Version)
			return nil
		case "primaryPackagePurpose":
			r.once(&seen, 3, key)
			var v string
			if err := r.word(&v); err != nil {
				return err
			}
			c.Type = purpose(v)
			return nil
		case "supplier":
			r.once(&seen, 4, key)
			return r.agentInto(&supplier, "the supplier")
		case "originator":
			r.once(&seen, 5, key)
			return r.agentInto(&originator, "the originator")
		case "licenseConcluded", "licenseDeclared":
			return r.licence(&c, key)
		case "externalRefs":
			r.once(&seen, 6, key)
			return r.references(&c)
		case "checksums":
			r.once(&seen, 7, key)
			return r.checksums(&c)
		case "purl":
			// Not in the specification, but what it means is plain.
			var v string
			if err := r.word(&v); err != nil {
				return err
			}
			r.notes.Add(r.d.Path, "a package URL outside of externalRefs")
			addPURL(&c, v)
			return nil
		}
		return r.d.Skip()
	})
	if err != nil {
		return err
	}
	c.Supplier = supplier
	if c.Supplier == "" {
		c.Supplier = originator
	}
	return r.component(c, r.d.Path)
}

func (r *jsonReader) agentInto(into *string, what entente.Text) error {
	var v string
	if err := r.word(&v); err != nil {
		return err
	}
	*into = r.agent(v, what, r.d.Path)
	return nil
}

// licence keeps the declared licence, or the concluded one where none is declared.
func (r *jsonReader) licence(c *sbom.Component, key string) error {
	var v string
	if err := r.word(&v); err != nil {
		return err
	}
	takeLicence(c, v, key == "licenseDeclared")
	return nil
}

func takeLicence(c *sbom.Component, v string, declared bool) {
	v = present(v)
	if v == "" || !declared && len(c.Licences) > 0 {
		return
	}
	c.Licences = []string{v}
}

func (r *jsonReader) references(c *sbom.Component) error {
	return r.d.Items(func() error {
		var kind, locator string
		err := r.d.Fields(func(key string) error {
			switch key {
			case "referenceType":
				return r.word(&kind)
			case "referenceLocator":
				return r.word(&locator)
			}
			return r.d.Skip()
		})
		if err != nil {
			return err
		}
		r.reference(c, kind, locator, r.d.Path)
		return nil
	})
}

func (r *jsonReader) checksums(c *sbom.Component) error {
	return r.d.Items(func() error {
		var algorithm, value string
		err := r.d.Fields(func(key string) error {
			switch key {
			case "algorithm":
				return r.word(&algorithm)
			case "checksumValue":
				return r.word(&value)
			}
			return r.d.Skip()
		})
		addHash(c, algorithm, value)
		return err
	})
}
