package cyclonedx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

const namespace = "http://cyclonedx.org/schema/bom"

type xmlReader struct {
	*sink
	d     *xml.Decoder
	guard *guard
	depth int
	space string // of the root
}

// guard fails a read that goes on for too long within one token, because
// encoding/xml would keep all of it.
type guard struct {
	r     io.Reader
	buf   []byte
	pos   int
	end   int
	since int
	limit int
	err   error
}

func (g *guard) ReadByte() (byte, error) {
	for g.pos >= g.end {
		if g.err != nil {
			return 0, g.err
		}
		g.pos = 0
		g.end, g.err = g.r.Read(g.buf)
	}
	g.since++
	if g.since > g.limit {
		g.err = entente.TooLarge("one text or tag of the XML is longer than %d bytes", g.limit)
		return 0, g.err
	}
	c := g.buf[g.pos]
	g.pos++
	return c, nil
}

// Read is there because encoding/xml asks for an io.Reader; it reads bytes.
func (g *guard) Read(p []byte) (int, error) {
	for i := range p {
		c, err := g.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

func readXML(in io.Reader, s *sink) error {
	// Texts that are skipped, such as a licence in base64, may be longer than those
	// that are kept, but encoding/xml holds them for a moment.
	g := &guard{r: in, buf: make([]byte, 32<<10), limit: 8 * s.lim.Text}
	d := xml.NewDecoder(g)
	d.Strict = false
	d.CharsetReader = charset
	r := &xmlReader{sink: s, d: d, guard: g}
	for {
		t, err := r.token()
		if errors.Is(err, io.EOF) {
			return entente.Invalid("the XML holds no element at all; a CycloneDX document begins with <bom>")
		}
		if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local != "bom" {
			return entente.Invalid("the XML begins with <%s>, not with <bom>, so it is no CycloneDX document", sbom.Clip(start.Name.Local))
		}
		return r.bom(start)
	}
}

// charset reads the encodings of one byte per letter; UTF-16 has become UTF-8
// before the XML is read.
func charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8", "utf-16", "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "cp1252":
		b, ok := in.(io.ByteReader)
		if !ok {
			return nil, fmt.Errorf("the XML decoder gave no reader of bytes")
		}
		return &latin1{r: b}, nil
	}
	return nil, entente.Invalid("XML in the character set %q is not read; save the document as UTF-8", sbom.Clip(label))
}

type latin1 struct {
	r       io.ByteReader
	pending byte
}

func (l *latin1) Read(p []byte) (int, error) {
	for i := range p {
		c, err := l.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

func (l *latin1) ReadByte() (byte, error) {
	if l.pending != 0 {
		c := l.pending
		l.pending = 0
		return c, nil
	}
	c, err := l.r.ReadByte()
	if err != nil || c < 0x80 {
		return c, err
	}
	l.pending = 0x80 | c&0x3F
	return 0xC0 | c>>6, nil
}

func (r *xmlReader) token() (xml.Token, error) {
	r.guard.since = 0
	t, err := r.d.RawToken()
	if err == nil || errors.Is(err, io.EOF) {
		return t, err
	}
	var known *entente.Error
	if errors.As(err, &known) {
		return nil, err
	}
	line, _ := r.d.InputPos()
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		if strings.Contains(syntax.Msg, "unexpected EOF") {
			return nil, r.cut()
		}
		return nil, entente.Invalid("the XML is broken at line %d: %s", line, syntax.Msg)
	}
	if r.guard.err != nil && !errors.Is(r.guard.err, io.EOF) {
		return nil, fmt.Errorf("reading the XML at line %d: %w", line, err)
	}
	return nil, entente.Invalid("the XML is broken at line %d: %s", line, strings.TrimPrefix(err.Error(), "xml: "))
}

func (r *xmlReader) cut() error {
	line, _ := r.d.InputPos()
	return entente.Invalid("the document ends too early, at byte %d (line %d); it was probably cut off: fetch or export it again", r.d.InputOffset(), line)
}

func (r *xmlReader) where() string {
	line, _ := r.d.InputPos()
	return fmt.Sprintf("line %d", line)
}

// children calls element for every child of the element that was just opened, and
// returns when it is closed. element must read or skip the child.
func (r *xmlReader) children(of string, element func(xml.StartElement) error) error {
	if r.depth >= r.lim.Depth {
		return entente.TooLarge("the document is nested more than %d levels deep at %s; no bill of materials needs that", r.lim.Depth, r.where())
	}
	r.depth++
	for {
		t, err := r.token()
		if errors.Is(err, io.EOF) {
			return r.cut()
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := element(t); err != nil {
				return err
			}
		case xml.EndElement:
			r.depth--
			return r.closing(of, t)
		}
	}
}

func (r *xmlReader) closing(of string, end xml.EndElement) error {
	if end.Name.Local != of {
		return entente.Invalid("the XML is broken at %s: <%s> is closed by </%s>", r.where(), sbom.Clip(of), sbom.Clip(end.Name.Local))
	}
	return nil
}

// text reads the text of the element that was just opened; elements in it are
// skipped.
func (r *xmlReader) text(start xml.StartElement, into *string) error {
	var b strings.Builder
	for {
		t, err := r.token()
		if errors.Is(err, io.EOF) {
			return r.cut()
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.CharData:
			if b.Len()+len(t) > r.lim.Text {
				return entente.TooLarge("the text of <%s> at %s is longer than %d bytes", sbom.Clip(start.Name.Local), r.where(), r.lim.Text)
			}
			b.Write(t)
		case xml.StartElement:
			r.notes.Add(r.where, "<%s> within <%s>, which holds a text; it was left out", sbom.Clip(t.Name.Local), start.Name.Local)
			if err := r.skip(t); err != nil {
				return err
			}
		case xml.EndElement:
			*into = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(b.String(), "\x00", " "), "\uFFFD"))
			return r.closing(start.Name.Local, t)
		}
	}
}

func (r *xmlReader) skip(start xml.StartElement) error {
	return r.children(start.Name.Local, r.skip)
}

// own says whether an element belongs to CycloneDX and not to an extension with a
// name space of its own. Raw tokens carry the prefix, and documents give the
// prefix of the root to all of CycloneDX.
func (r *xmlReader) own(e xml.StartElement) bool { return e.Name.Space == r.space }

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

func (r *xmlReader) bom(root xml.StartElement) error {
	r.space = root.Name.Space
	uri := ""
	for _, a := range root.Attr {
		if r.space == "" && a.Name.Space == "" && a.Name.Local == "xmlns" || r.space != "" && a.Name.Space == "xmlns" && a.Name.Local == r.space {
			uri = a.Value
		}
	}
	if version, ok := strings.CutPrefix(uri, namespace+"/"); ok {
		r.version(version, r.where)
	} else {
		r.notes.Add(r.where, "<bom> has the name space %q, not that of CycloneDX; it was read like 1.7", sbom.Clip(uri))
	}
	r.doc.Serial = attribute(root, "serialNumber")
	r.doc.Revision = attribute(root, "version")
	err := r.children("bom", func(e xml.StartElement) error {
		if !r.own(e) {
			return r.skip(e)
		}
		switch e.Name.Local {
		case "metadata":
			return r.metadata(e)
		case "components":
			return r.components(e, 0)
		case "services":
			return r.services(e, 0)
		case "vulnerabilities":
			return r.children("vulnerabilities", func(e xml.StartElement) error {
				r.doc.Vulnerabilities++
				return r.skip(e)
			})
		}
		return r.skip(e)
	})
	if err != nil {
		return err
	}
	return r.rest()
}

// rest notes elements after the end of the root.
func (r *xmlReader) rest() error {
	for {
		t, err := r.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		_, more := t.(xml.StartElement)
		if more || err != nil && entente.KindOf(err) == entente.KindInvalid {
			r.notes.Add(r.where, "more text after the end of the document; it was not read")
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *xmlReader) metadata(e xml.StartElement) error {
	return r.children(e.Name.Local, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "timestamp":
			var v string
			if err := r.text(e, &v); err != nil {
				return err
			}
			r.created(v, r.where)
			return nil
		case "authors":
			return r.children(e.Name.Local, func(e xml.StartElement) error { return r.party(e, &r.doc.Authors) })
		case "supplier", "manufacture", "manufacturer":
			return r.party(e, &r.doc.Authors)
		case "tools":
			return r.tools(e)
		case "component":
			c, err := r.read(e, 0, true)
			if err != nil {
				return err
			}
			r.check(c, r.where)
			r.doc.Subject = &c
			r.doc.Name = c.Name
			return nil
		}
		return r.skip(e)
	})
}

func (r *xmlReader) party(e xml.StartElement, into *[]string) error {
	name, err := r.partyName(e)
	if err != nil {
		return err
	}
	addName(into, name)
	return nil
}

// partyName reads the <name> of a party, or else its <email>.
func (r *xmlReader) partyName(e xml.StartElement) (string, error) {
	var name, email string
	err := r.children(e.Name.Local, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "name":
			return r.text(e, &name)
		case "email":
			return r.text(e, &email)
		}
		return r.skip(e)
	})
	if name == "" {
		name = email
	}
	return name, err
}

func (r *xmlReader) tools(e xml.StartElement) error {
	return r.children(e.Name.Local, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "components", "services":
			return r.tools(e)
		case "tool", "component", "service":
			var vendor, name, version string
			err := r.children(e.Name.Local, func(e xml.StartElement) error {
				switch e.Name.Local {
				case "vendor", "group":
					return r.text(e, &vendor)
				case "name":
					return r.text(e, &name)
				case "version":
					return r.text(e, &version)
				}
				return r.skip(e)
			})
			addName(&r.doc.Tools, vendor, name, version)
			return err
		}
		return r.skip(e)
	})
}

func (r *xmlReader) components(e xml.StartElement, depth int) error {
	return r.children(e.Name.Local, func(e xml.StartElement) error {
		if e.Name.Local != "component" || !r.own(e) {
			r.notes.Add(r.where, "<%s> within <components>; it was left out", sbom.Clip(e.Name.Local))
			return r.skip(e)
		}
		c, err := r.read(e, depth, false)
		if err != nil {
			return err
		}
		return r.component(c, r.where)
	})
}

func (r *xmlReader) services(e xml.StartElement, depth int) error {
	return r.children(e.Name.Local, func(e xml.StartElement) error {
		if e.Name.Local != "service" || !r.own(e) {
			r.notes.Add(r.where, "<%s> within <services>; it was left out", sbom.Clip(e.Name.Local))
			return r.skip(e)
		}
		c, err := r.read(e, depth, false)
		if err != nil {
			return err
		}
		c.Type = "service"
		return r.component(c, r.where)
	})
}

func (r *xmlReader) read(e xml.StartElement, depth int, subject bool) (sbom.Component, error) {
	c := sbom.Component{Ref: attribute(e, "bom-ref"), Type: attribute(e, "type"), Depth: depth}
	inner := depth + 1
	if subject {
		inner = 0
	}
	var by maker
	err := r.children(e.Name.Local, func(e xml.StartElement) error {
		if !r.own(e) {
			return r.skip(e)
		}
		switch e.Name.Local {
		case "group":
			return r.text(e, &c.Group)
		case "name":
			return r.text(e, &c.Name)
		case "version":
			return r.text(e, &c.Version)
		case "purl":
			return r.text(e, &c.PURL)
		case "cpe":
			return r.text(e, &c.CPE)
		case "scope":
			return r.text(e, &c.Scope)
		case "components":
			return r.components(e, inner)
		case "services":
			return r.services(e, inner)
		case "hashes":
			return r.hashes(e, &c.Hashes)
		case "licenses":
			return r.licences(e, &c.Licences)
		case "supplier", "provider":
			return r.maker(e, &by.supplier)
		case "manufacturer":
			return r.maker(e, &by.manufacturer)
		case "publisher":
			return r.text(e, &by.publisher)
		case "author":
			return r.text(e, &by.author)
		case "authors":
			return r.authors(e, &by.author)
		}
		return r.skip(e)
	})
	c.Supplier = by.name()
	return c, err
}

func (r *xmlReader) maker(e xml.StartElement, into *string) error {
	name, err := r.partyName(e)
	if err != nil {
		return err
	}
	*into = name
	return nil
}

func (r *xmlReader) authors(e xml.StartElement, into *string) error {
	var names []string
	err := r.children(e.Name.Local, func(e xml.StartElement) error { return r.party(e, &names) })
	if len(names) > 0 {
		*into = strings.Join(names, ", ")
	}
	return err
}

func (r *xmlReader) hashes(e xml.StartElement, into *[]string) error {
	return r.children(e.Name.Local, func(e xml.StartElement) error {
		if e.Name.Local != "hash" {
			return r.skip(e)
		}
		var content string
		if err := r.text(e, &content); err != nil {
			return err
		}
		addHash(into, attribute(e, "alg"), content)
		return nil
	})
}

func (r *xmlReader) licences(e xml.StartElement, into *[]string) error {
	return r.children(e.Name.Local, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "license":
			return r.licences(e, into)
		case "id", "name", "expression":
			var v string
			if err := r.text(e, &v); err != nil {
				return err
			}
			addLicence(into, v)
			return nil
		}
		return r.skip(e)
	})
}
