// Package sbom is the neutral form of a software bill of materials, to which the
// codecs cyclonedx and spdx translate what they read. It has no I/O of its own.
package sbom

import "time"

// Format names the family of a document.
type Format string

// The formats.
const (
	CycloneDX Format = "CycloneDX"
	SPDX      Format = "SPDX"
)

// Document is what a bill of materials says of itself.
type Document struct {
	Format      Format
	SpecVersion string // "1.5", "SPDX-2.3", "3.0.1"
	Encoding    string // "json", "xml", "tag-value", "json-ld"
	Serial      string // serial number or document namespace
	Revision    string // the document's own version, as written
	Name        string // name of the subject or of the document
	Subject     *Component
	Created     time.Time // zero if missing or unreadable
	Authors     []string  // people and organisations that made it
	Tools       []string
	// Oddities is what was wrong or unusual and how it was read, in order of
	// appearance; at most Limits.Oddities are kept.
	Oddities []Oddity
	// MoreOddities counts those beyond the limit.
	MoreOddities int
	// Vulnerabilities counts the statements on vulnerabilities in the document; a
	// VEX has those and often nothing else.
	Vulnerabilities int
	// Agents gives the names behind identifiers that a component's Supplier may
	// hold, because SPDX 3 may tell who an agent is after using it.
	Agents map[string]string
}

// Component is one part of a product as the document tells it.
type Component struct {
	Ref      string // the document's own id of the component
	Type     string // "library", "application", "operating-system", "file", …
	Group    string // CycloneDX group, "" elsewhere
	Name     string
	Version  string
	PURL     string   // as written
	More     []string // further package URLs of the same component, as written
	CPE      string   // the first CPE, as written
	Supplier string   // supplier, manufacturer, originator or publisher
	Licences []string // expressions or ids as written
	Hashes   []string // "SHA-256:ab12…"
	Scope    string   // required, optional, excluded, or ""
	Depth    int      // 0 for a top-level component, +1 for each nesting
}

// Oddity is something in a document that a strict reader would have refused.
type Oddity struct {
	Where string `json:"where"` // line, path or component: "line 12", "components[3].purl"
	What  string `json:"what"`
}

// Limits bounds what a reader takes. A bound that is hit is named in the error.
type Limits struct {
	Bytes      int64 // size of the document
	Depth      int   // nesting of JSON or XML
	Components int
	Text       int // length of one string in bytes
	Ratio      int // how many bytes one byte of a compressed document may become
	Oddities   int // how many oddities are kept
}

// DefaultLimits suit uploads of real documents.
func DefaultLimits() Limits {
	return Limits{Bytes: 512 << 20, Depth: 200, Components: 2_000_000, Text: 1 << 20, Ratio: 200, Oddities: 200}
}

// Emit receives the components one by one, in document order, only that a nested
// one may come before the one that holds it; an error from it stops the reader and
// is returned unchanged. The subject of a CycloneDX document is not emitted, since
// it stands apart from the components; that of an SPDX document is a package like
// the others and is.
type Emit func(Component) error
