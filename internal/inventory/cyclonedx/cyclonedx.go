package cyclonedx

import (
	"io"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// The encodings of CycloneDX that are read.
const (
	JSON = "json"
	XML  = "xml"
)

// Read reads one document and emits its components.
func Read(r io.Reader, encoding string, lim sbom.Limits, emit sbom.Emit) (sbom.Document, error) {
	s := &sink{lim: lim, emit: emit, notes: sbom.NewNotes(lim.Oddities)}
	s.doc.Format = sbom.CycloneDX
	s.doc.Encoding = encoding
	var err error
	switch encoding {
	case JSON:
		err = readJSON(r, s)
	case XML:
		err = readXML(r, s)
	default:
		err = entente.Invalid("CycloneDX in the encoding %q is not read; json and xml are", encoding)
	}
	s.notes.Into(&s.doc)
	return s.doc, err
}

// sink is what both encodings fill.
type sink struct {
	doc   sbom.Document
	lim   sbom.Limits
	emit  sbom.Emit
	notes *sbom.Notes
	count int
}

func (s *sink) component(c sbom.Component, where func() string) error {
	if s.count >= s.lim.Components {
		return entente.TooLarge("the document holds more than %d components", s.lim.Components)
	}
	s.count++
	s.check(c, where)
	return s.emit(c)
}

func (s *sink) check(c sbom.Component, where func() string) {
	switch {
	case c.Name != "":
	case c.PURL != "":
		s.notes.Add(where, "a component without a name; its package URL names it")
	default:
		s.notes.Add(where, "a component without a name")
	}
}

func (s *sink) version(v string, where func() string) {
	s.doc.SpecVersion = v
	switch v {
	case "1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7":
	default:
		s.notes.Add(where, "CycloneDX version %q is not known; it was read like 1.7", sbom.Clip(v))
	}
}

func (s *sink) created(v string, where func() string) {
	if v == "" {
		return
	}
	t, ok := sbom.Moment(v)
	if !ok {
		s.notes.Add(where, "the time %q cannot be read", sbom.Clip(v))
		return
	}
	s.doc.Created = t
}

// maxNames bounds the authors and tools of a document, which a person reads.
const maxNames = 50

func addName(list *[]string, parts ...string) {
	var kept []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			kept = append(kept, p)
		}
	}
	if len(kept) > 0 && len(*list) < maxNames {
		*list = append(*list, strings.Join(kept, " "))
	}
}

// maker chooses who stands behind a component from all that may be said of it.
type maker struct{ supplier, manufacturer, publisher, author string }

func (m maker) name() string {
	for _, s := range []string{m.supplier, m.manufacturer, m.publisher, m.author} {
		if s = strings.TrimSpace(s); s != "" {
			return s
		}
	}
	return ""
}
