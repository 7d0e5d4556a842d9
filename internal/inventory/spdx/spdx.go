package spdx

import (
	"io"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// The encodings of SPDX that are read.
const (
	JSON     = "json"      // SPDX 2
	TagValue = "tag-value" // SPDX 2
	JSONLD   = "json-ld"   // SPDX 3
)

// Read reads one document and emits its packages.
func Read(r io.Reader, encoding string, lim sbom.Limits, emit sbom.Emit) (sbom.Document, error) {
	s := &sink{lim: lim, emit: emit, notes: sbom.NewNotes(lim.Oddities)}
	s.doc.Format = sbom.SPDX
	s.doc.Encoding = encoding
	var err error
	switch encoding {
	case JSON:
		err = readJSON(r, s)
	case TagValue:
		err = readTagValue(r, s)
	case JSONLD:
		err = readJSONLD(r, s)
	default:
		err = entente.Invalid("SPDX in the encoding %q is not read; json, tag-value and json-ld are", encoding)
	}
	s.notes.Into(&s.doc)
	s.subject()
	return s.doc, err
}

const (
	maxNames  = 50     // authors and tools, which a person reads
	maxAgents = 10_000 // names behind identifiers in SPDX 3
	maxRoots  = 16     // what a document says it describes
	recent    = 8      // packages remembered to find the subject among
)

// sink is what the encodings fill.
type sink struct {
	doc   sbom.Document
	lim   sbom.Limits
	emit  sbom.Emit
	notes *sbom.Notes
	count int

	roots []string
	// first and last are packages that may turn out to be the subject: what a
	// document describes is often told after its packages, and tools put the
	// subject first, last, or give it the document's name.
	first, last, named []sbom.Component
}

func (s *sink) component(c sbom.Component, where func() string) error {
	if s.count >= s.lim.Components {
		return entente.TooLarge("the document holds more than %d packages", s.lim.Components)
	}
	s.count++
	switch {
	case c.Name != "":
	case c.PURL != "":
		s.notes.Add(where, "a package without a name; its package URL names it")
	default:
		s.notes.Add(where, "a package without a name")
	}
	s.remember(c)
	return s.emit(c)
}

func (s *sink) remember(c sbom.Component) {
	switch {
	case len(s.first) < recent:
		s.first = append(s.first, c)
	case c.Name != "" && c.Name == s.doc.Name && len(s.named) < recent:
		s.named = append(s.named, c)
	default:
		if len(s.last) == recent {
			copy(s.last, s.last[1:])
			s.last = s.last[:recent-1]
		}
		s.last = append(s.last, c)
	}
}

func (s *sink) root(id string) {
	if id = strings.TrimSpace(id); id != "" && len(s.roots) < maxRoots {
		s.roots = append(s.roots, id)
	}
}

func (s *sink) subject() {
	for _, id := range s.roots {
		for _, list := range [][]sbom.Component{s.first, s.named, s.last} {
			for _, c := range list {
				if c.Ref == id {
					s.doc.Subject = &c
					return
				}
			}
		}
	}
}

func (s *sink) created(v string, where func() string) {
	if v == "" {
		return
	}
	t, ok := sbom.Moment(v)
	if ok {
		s.doc.Created = t
		return
	}
	s.notes.Add(where, "the time %q cannot be read", sbom.Clip(v))
}

// version takes "SPDX-2.3" or "2.3".
func (s *sink) version(v string, where func() string) {
	v = strings.TrimSpace(v)
	s.doc.SpecVersion = v
	switch strings.TrimPrefix(v, "SPDX-") {
	case "2.0", "2.1", "2.2", "2.2.1", "2.2.2", "2.3":
	default:
		s.notes.Add(where, "SPDX version %q is not known; it was read like 2.3", sbom.Clip(v))
	}
}

// creator takes "Tool: x", "Person: x (mail)" or "Organization: x".
func (s *sink) creator(v string, where func() string) {
	v = strings.TrimSpace(v)
	if v == "" {
		return
	}
	kind, name, ok := typed(v)
	if !ok {
		s.notes.Add(where, "the creator %q does not say whether it is a tool, a person or an organisation", sbom.Clip(v))
	}
	list := &s.doc.Authors
	if strings.EqualFold(kind, "tool") {
		list = &s.doc.Tools
	}
	if name != "" && len(*list) < maxNames {
		*list = append(*list, name)
	}
}

// agent reads a supplier or an originator: "Organization: x (mail)", "NOASSERTION".
func (s *sink) agent(v string, what entente.Text, where func() string) string {
	v = present(v)
	if v == "" {
		return ""
	}
	_, name, ok := typed(v)
	if !ok {
		s.notes.Add(where, "%s %q does not say whether it is a person or an organisation", what, sbom.Clip(v))
	}
	return name
}

// typed splits "Organization: Example (mail@example.org)" into its kind and name.
func typed(v string) (kind, name string, ok bool) {
	kind, name, found := strings.Cut(v, ":")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "tool", "person", "organization", "organisation":
	default:
		found = false
	}
	if !found {
		return "", v, false
	}
	name = strings.TrimSpace(name)
	if cut := strings.LastIndex(name, "("); cut >= 0 && strings.HasSuffix(name, ")") {
		inside := name[cut+1 : len(name)-1]
		if inside == "" || strings.Contains(inside, "@") {
			name = strings.TrimSpace(name[:cut])
		}
	}
	return strings.TrimSpace(kind), name, true
}

// present turns the words for "nothing is said" into nothing.
func present(v string) string {
	v = strings.TrimSpace(v)
	switch strings.ToUpper(v) {
	case "NOASSERTION", "NONE":
		return ""
	}
	return v
}

// reference takes an external reference of a package.
func (s *sink) reference(c *sbom.Component, kind, locator string, where func() string) {
	locator = strings.TrimSpace(locator)
	if cut := strings.LastIndexAny(kind, "/#"); cut >= 0 {
		kind = kind[cut+1:]
	}
	switch strings.ToLower(kind) {
	case "purl", "packageurl", "package-url", "package_url":
		addPURL(c, locator)
	case "cpe23type", "cpe22type", "cpe23", "cpe22":
		if c.CPE == "" {
			c.CPE = locator
		}
	default:
		if strings.HasPrefix(locator, "pkg:") {
			s.notes.Add(where, "a package URL as a reference of the type %q", sbom.Clip(kind))
			addPURL(c, locator)
		}
	}
}

func addPURL(c *sbom.Component, purl string) {
	switch {
	case purl == "":
	case c.PURL == "":
		c.PURL = purl
	case c.PURL != purl && len(c.More) < 64:
		c.More = append(c.More, purl)
	}
}

func addHash(c *sbom.Component, algorithm, value string) {
	if value == "" || len(c.Hashes) >= 16 || len(value) > 256 {
		return
	}
	c.Hashes = append(c.Hashes, strings.ToUpper(algorithm)+":"+strings.ToLower(value))
}

// purpose gives a primary package purpose in the words of CycloneDX.
func purpose(v string) string {
	switch p := strings.ToLower(present(v)); p {
	case "operating-system", "operating_system", "operatingsystem":
		return "operating-system"
	default:
		return p
	}
}
