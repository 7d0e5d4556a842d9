package cyclonedx

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
	marks int // how many of the signs of a CycloneDX document were seen
}

func readJSON(in io.Reader, s *sink) error {
	d := jsonstream.New(in, jsonstream.Limits{Depth: s.lim.Depth, Text: s.lim.Text}, s.notes.Add)
	r := &jsonReader{sink: s, d: d}
	kind, err := d.Kind()
	if err != nil {
		return err
	}
	if kind != jsonstream.Object {
		return entente.Invalid("a CycloneDX document in JSON begins with an object, this one with %s", kind)
	}
	if err := d.Object(r.top()); err != nil {
		return err
	}
	if r.marks == 0 {
		return entente.Invalid("this JSON is no CycloneDX document: none of bomFormat, specVersion, metadata, components, services and vulnerabilities is in it")
	}
	if s.doc.SpecVersion == "" {
		s.notes.At("the document", "no specVersion; it was read like 1.7")
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
		case "bomFormat":
			r.once(&seen, 0, key)
			r.marks++
			var v string
			if err := r.word(&v); err != nil {
				return err
			}
			if v != "CycloneDX" {
				r.notes.Add(r.d.Path, "bomFormat is %q, not \"CycloneDX\"", sbom.Clip(v))
			}
			return nil
		case "specVersion":
			r.once(&seen, 1, key)
			r.marks++
			var v string
			if err := r.word(&v); err != nil {
				return err
			}
			r.version(v, r.d.Path)
			return nil
		case "serialNumber":
			r.once(&seen, 2, key)
			return r.word(&r.doc.Serial)
		case "version":
			s, _, err := r.d.Text()
			r.doc.Revision = s
			return err
		case "metadata":
			r.once(&seen, 3, key)
			r.marks++
			return r.d.Fields(r.metadata)
		case "components":
			r.once(&seen, 4, key)
			r.marks++
			return r.components(0)
		case "services":
			r.once(&seen, 5, key)
			r.marks++
			return r.services(0)
		case "vulnerabilities":
			r.once(&seen, 6, key)
			r.marks++
			return r.d.Items(func() error {
				r.doc.Vulnerabilities++
				return r.d.Skip()
			})
		case "predicate", "sbom", "bom":
			return r.wrapped(key)
		}
		return r.d.Skip()
	}
}

// wrapped reads a document that lies within another, such as an attestation.
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

func (r *jsonReader) metadata(key string) error {
	switch key {
	case "timestamp":
		var v string
		if err := r.word(&v); err != nil {
			return err
		}
		r.created(v, r.d.Path)
		return nil
	case "authors":
		return r.d.Items(func() error { return r.party(&r.doc.Authors) })
	case "supplier", "manufacture", "manufacturer":
		return r.party(&r.doc.Authors)
	case "tools":
		return r.tools()
	case "component":
		return r.subject()
	}
	return r.d.Skip()
}

func (r *jsonReader) subject() error {
	c, ok, err := r.read(0, "a component", true)
	if err != nil || !ok {
		return err
	}
	r.check(c, r.d.Path)
	r.doc.Subject = &c
	r.doc.Name = c.Name
	return nil
}

// party adds the name of a person or organisation: an object or a bare text.
func (r *jsonReader) party(into *[]string) error {
	name, err := r.partyName()
	if err != nil {
		return err
	}
	addName(into, name)
	return nil
}

func (r *jsonReader) partyName() (string, error) {
	kind, err := r.d.Kind()
	if err != nil {
		return "", err
	}
	var name, email string
	if kind != jsonstream.Object {
		err := r.word(&name)
		return name, err
	}
	err = r.d.Object(func(key string) error {
		switch key {
		case "name":
			return r.word(&name)
		case "email":
			return r.word(&email)
		}
		return r.d.Skip()
	})
	if name == "" {
		name = email
	}
	return name, err
}

// tools reads the list of 1.0 to 1.4 and the object of 1.5 and later.
func (r *jsonReader) tools() error {
	kind, err := r.d.Kind()
	if err != nil {
		return err
	}
	if kind != jsonstream.Object {
		return r.d.Items(r.tool)
	}
	return r.d.Object(func(key string) error {
		if key == "components" || key == "services" {
			return r.d.Items(r.tool)
		}
		return r.d.Skip()
	})
}

func (r *jsonReader) tool() error {
	kind, err := r.d.Kind()
	if err != nil {
		return err
	}
	var vendor, name, version string
	if kind != jsonstream.Object {
		if err := r.word(&name); err != nil {
			return err
		}
		addName(&r.doc.Tools, name)
		return nil
	}
	err = r.d.Object(func(key string) error {
		switch key {
		case "vendor", "group":
			return r.word(&vendor)
		case "name":
			return r.word(&name)
		case "version":
			return r.word(&version)
		}
		return r.d.Skip()
	})
	addName(&r.doc.Tools, vendor, name, version)
	return err
}

func (r *jsonReader) components(depth int) error {
	return r.d.Items(func() error {
		c, ok, err := r.read(depth, "a component", false)
		if err != nil || !ok {
			return err
		}
		return r.component(c, r.d.Path)
	})
}

func (r *jsonReader) services(depth int) error {
	return r.d.Items(func() error {
		c, ok, err := r.read(depth, "a service", false)
		if err != nil || !ok {
			return err
		}
		c.Type = "service"
		return r.component(c, r.d.Path)
	})
}

// read reads one component or service; those nested in it are emitted on the way.
func (r *jsonReader) read(depth int, what entente.Text, subject bool) (c sbom.Component, ok bool, err error) {
	c.Depth = depth
	kind, err := r.d.Kind()
	if err != nil {
		return c, false, err
	}
	switch kind {
	case jsonstream.Object:
	case jsonstream.String:
		r.notes.Add(r.d.Path, "a text instead of %s; it was read as its name", what)
		err := r.word(&c.Name)
		return c, c.Name != "", err
	default:
		r.notes.Add(r.d.Path, "%s instead of %s; it was left out", kind, what)
		return c, false, r.d.Skip()
	}
	inner := depth + 1
	if subject {
		inner = 0
	}
	var by maker
	var seen uint32
	err = r.d.Object(func(key string) error {
		switch key {
		case "bom-ref":
			r.once(&seen, 0, key)
			return r.word(&c.Ref)
		case "type":
			r.once(&seen, 1, key)
			return r.word(&c.Type)
		case "group":
			r.once(&seen, 2, key)
			return r.word(&c.Group)
		case "name":
			r.once(&seen, 3, key)
			return r.word(&c.Name)
		case "version":
			r.once(&seen, 4, key)
			return r.word(&c.Version)
		case "purl":
			r.once(&seen, 5, key)
			return r.word(&c.PURL)
		case "cpe":
			r.once(&seen, 6, key)
			return r.word(&c.CPE)
		case "scope":
			r.once(&seen, 7, key)
			return r.word(&c.Scope)
		case "components":
			r.once(&seen, 8, key)
			return r.components(inner)
		case "services":
			r.once(&seen, 9, key)
			return r.services(inner)
		case "hashes":
			return r.hashes(&c.Hashes)
		case "licenses":
			return r.licences(&c.Licences)
		case "supplier", "provider":
			return r.maker(&by.supplier)
		case "manufacturer":
			return r.maker(&by.manufacturer)
		case "publisher":
			return r.word(&by.publisher)
		case "author":
			return r.word(&by.author)
		case "authors":
			return r.authors(&by.author)
		}
		return r.d.Skip()
	})
	c.Supplier = by.name()
	return c, err == nil, err
}

func (r *jsonReader) maker(into *string) error {
	name, err := r.partyName()
	if err != nil {
		return err
	}
	*into = name
	return nil
}

func (r *jsonReader) authors(into *string) error {
	var names []string
	err := r.d.Items(func() error { return r.party(&names) })
	if len(names) > 0 {
		*into = strings.Join(names, ", ")
	}
	return err
}

func (r *jsonReader) hashes(into *[]string) error {
	return r.d.Items(func() error {
		var alg, content string
		err := r.d.Fields(func(key string) error {
			switch key {
			case "alg":
				return r.word(&alg)
			case "content":
				return r.word(&content)
			}
			return r.d.Skip()
		})
		addHash(into, alg, content)
		return err
	})
}

// addHash keeps a hash; a component has a handful of them, so more are not kept.
func addHash(into *[]string, alg, content string) {
	if content == "" || len(*into) >= 16 || len(content) > 256 {
		return
	}
	*into = append(*into, strings.ToUpper(alg)+":"+strings.ToLower(content))
}

// licences reads all the ways in which licences are written: a list of licence
// objects, of expressions, or of bare texts.
func (r *jsonReader) licences(into *[]string) error {
	return r.d.Items(func() error {
		kind, err := r.d.Kind()
		if err != nil {
			return err
		}
		if kind == jsonstream.String {
			return r.licence(into)
		}
		return r.d.Fields(func(key string) error {
			switch key {
			case "expression", "id", "name":
				return r.licence(into)
			case "license":
				return r.licenceObject(into)
			}
			return r.d.Skip()
		})
	})
}

func (r *jsonReader) licenceObject(into *[]string) error {
	kind, err := r.d.Kind()
	if err != nil {
		return err
	}
	if kind == jsonstream.String {
		return r.licence(into)
	}
	return r.d.Fields(func(key string) error {
		switch key {
		case "id", "name", "expression":
			return r.licence(into)
		}
		return r.d.Skip()
	})
}

func (r *jsonReader) licence(into *[]string) error {
	var v string
	if err := r.word(&v); err != nil {
		return err
	}
	addLicence(into, v)
	return nil
}

func addLicence(into *[]string, v string) {
	if v == "" || len(*into) >= 32 {
		return
	}
	*into = append(*into, v)
}
