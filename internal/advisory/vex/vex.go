// Package vex reads statements of whether products are affected by vulnerabilities, as
// OpenVEX (0.0.1 to 0.2.0) and CycloneDX (1.4 and later) write them, and writes OpenVEX.
// It is pure.
package vex

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// Status is how a product stands to a vulnerability.
type Status string

// The statuses, as OpenVEX calls them.
const (
	NotAffected        Status = "not_affected"
	Affected           Status = "affected"
	Fixed              Status = "fixed"
	UnderInvestigation Status = "under_investigation"
)

// Statuses lists them.
func Statuses() []Status { return []Status{NotAffected, Affected, Fixed, UnderInvestigation} }

// Justifications are why a product is not affected, as OpenVEX calls them.
func Justifications() []string {
	return []string{"component_not_present", "vulnerable_code_not_present", "vulnerable_code_not_in_execute_path", "vulnerable_code_cannot_be_controlled_by_adversary", "inline_mitigations_already_exist"}
}

// Statement says how some products stand to one vulnerability.
type Statement struct {
	Vulnerability string
	Aliases       []string
	// Products are named as the document names them: by name, package URL, or reference.
	Products []Product
	Status   Status
	// Justification is one of [Justifications], or another word of CycloneDX; Text is the
	// reason in words, Action what to do.
	Justification, Text, Action string
	At                          time.Time // zero: not said
}

// Product is what a statement is about.
type Product struct {
	ID      string // a package URL or another identifier
	Name    string
	Version string
	// Packages are the parts of the product that the statement is about; none: all.
	Packages []string
}

// The bounds of a document.
const (
	MaxBytes      = 16 << 20
	MaxStatements = 10_000
	maxText       = 4_000
	maxProducts   = 1_000
)

// Read reads a document of one of the formats.
func Read(data []byte) ([]Statement, error) {
	if len(data) > MaxBytes {
		return nil, entente.TooLarge("the VEX document is larger than %d bytes", MaxBytes)
	}
	var head struct {
		Context    json.RawMessage `json:"@context"`
		BOMFormat  string          `json:"bomFormat"`
		Statements json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, entente.Invalid("this is no VEX document: %s", err.Error())
	}
	var all []Statement
	var err error
	switch {
	case head.BOMFormat == "CycloneDX":
		all, err = cycloneDX(data)
	case strings.Contains(string(head.Context), "openvex"), head.Statements != nil:
		all, err = openVEX(data)
	default:
		return nil, entente.Invalid("this is no VEX document: neither OpenVEX nor CycloneDX")
	}
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, entente.Invalid("the VEX document says nothing about any product")
	}
	if len(all) > MaxStatements {
		return nil, entente.TooLarge("the VEX document has more than %d statements", MaxStatements)
	}
	for i := range all {
		if err := all[i].check(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// check bounds a statement and cleans its texts.
func (s *Statement) check() error {
	if s.Vulnerability == "" || len(s.Vulnerability) > 256 || len(s.Aliases) > 100 {
		return entente.Invalid("a statement of the VEX document names no vulnerability")
	}
	if !slices.Contains(Statuses(), s.Status) {
		return entente.Invalid("the VEX document has the unknown status %q", string(s.Status))
	}
	if len(s.Products) > maxProducts {
		return entente.TooLarge("a statement of the VEX document is about more than %d products", maxProducts)
	}
	for _, text := range []*string{&s.Justification, &s.Text, &s.Action} {
		*text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(*text, "\uFFFD"), "\x00", ""))
		if len(*text) > maxText {
			*text = strings.ToValidUTF8((*text)[:maxText], "") + "…"
		}
	}
	return nil
}

// component is a product or a part of one in OpenVEX.
type component struct {
	ID            string            `json:"@id"`
	Identifiers   map[string]string `json:"identifiers,omitempty"`
	Subcomponents []json.RawMessage `json:"subcomponents,omitempty"`
}

// componentOf reads a component, which is an object or, in older documents, a text.
func componentOf(raw json.RawMessage) component {
	var c component
	if json.Unmarshal(raw, &c) != nil {
		_ = json.Unmarshal(raw, &c.ID) // neither: it names nothing
	}
	if c.Identifiers["purl"] != "" {
		c.ID = c.Identifiers["purl"]
	}
	return c
}

func openVEX(data []byte) ([]Statement, error) {
	var doc struct {
		Timestamp  string `json:"timestamp"`
		Statements []struct {
			Vulnerability   json.RawMessage   `json:"vulnerability"`
			Products        []json.RawMessage `json:"products"`
			Subcomponents   []json.RawMessage `json:"subcomponents"`
			Status          Status            `json:"status"`
			Justification   string            `json:"justification"`
			ImpactStatement string            `json:"impact_statement"`
			ActionStatement string            `json:"action_statement"`
			Notes           string            `json:"status_notes"`
			Timestamp       string            `json:"timestamp"`
		} `json:"statements"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, entente.Invalid("this OpenVEX document cannot be read: %s", err.Error())
	}
	var all []Statement
	for _, in := range doc.Statements {
		s := Statement{Status: in.Status, Justification: in.Justification, Text: in.ImpactStatement, Action: in.ActionStatement}
		if s.Text == "" {
			s.Text = in.Notes
		}
		var named struct {
			ID      string   `json:"@id"`
			Name    string   `json:"name"`
			Aliases []string `json:"aliases"`
		}
		if json.Unmarshal(in.Vulnerability, &named) == nil {
			s.Vulnerability, s.Aliases = named.Name, named.Aliases
			if s.Vulnerability == "" {
				s.Vulnerability = named.ID[strings.LastIndexByte(named.ID, '/')+1:]
			}
		} else {
			_ = json.Unmarshal(in.Vulnerability, &s.Vulnerability) // neither: it names nothing
		}
		s.At = firstTime(in.Timestamp, doc.Timestamp)
		for _, raw := range in.Products {
			c := componentOf(raw)
			p := productOf(c.ID)
			for _, sub := range append(c.Subcomponents, in.Subcomponents...) {
				if id := componentOf(sub).ID; id != "" {
					p.Packages = append(p.Packages, id)
				}
			}
			s.Products = append(s.Products, p)
		}
		all = append(all, s)
	}
	return all, nil
}

// productOf names a product by its package URL, or by whatever it is called.
func productOf(id string) Product {
	p := Product{ID: id}
	name := id
	if purl, ok := strings.CutPrefix(id, "pkg:"); ok {
		name, _, _ = strings.Cut(purl, "?")
		name, _, _ = strings.Cut(name, "#")
		name, p.Version, _ = strings.Cut(name, "@")
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	p.Name = name
	return p
}

func firstTime(texts ...string) time.Time {
	for _, t := range texts {
		if at, err := time.Parse(time.RFC3339Nano, t); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// states are the statuses of CycloneDX.
var states = map[string]Status{
	"resolved": Fixed, "resolved_with_pedigree": Fixed, "exploitable": Affected, "in_triage": UnderInvestigation, "not_affected": NotAffected, "false_positive": NotAffected,
}

func cycloneDX(data []byte) ([]Statement, error) {
	type part struct {
		Ref     string `json:"bom-ref"`
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	}
	var doc struct {
		Metadata struct {
			Timestamp string `json:"timestamp"`
			Component part   `json:"component"`
		} `json:"metadata"`
		Components      []part `json:"components"`
		Vulnerabilities []struct {
			ID         string `json:"id"`
			Updated    string `json:"updated"`
			Published  string `json:"published"`
			References []struct {
				ID string `json:"id"`
			} `json:"references"`
			Recommendation string `json:"recommendation"`
			Analysis       struct {
				State         string `json:"state"`
				Justification string `json:"justification"`
				Detail        string `json:"detail"`
				LastUpdated   string `json:"lastUpdated"`
			} `json:"analysis"`
			Affects []struct {
				Ref string `json:"ref"`
			} `json:"affects"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, entente.Invalid("this CycloneDX document cannot be read: %s", err.Error())
	}
	main := doc.Metadata.Component
	parts := map[string]part{main.Ref: main}
	for _, c := range doc.Components {
		if _, known := parts[c.Ref]; !known {
			parts[c.Ref] = c
		}
	}
	var all []Statement
	for _, v := range doc.Vulnerabilities {
		status, known := states[v.Analysis.State]
		if !known {
			continue // a vulnerability without an analysis is no VEX
		}
		s := Statement{
			Vulnerability: v.ID, Status: status, Justification: v.Analysis.Justification, Text: v.Analysis.Detail, Action: v.Recommendation,
			At: firstTime(v.Analysis.LastUpdated, doc.Metadata.Timestamp, v.Updated),
		}
		for _, r := range v.References {
			s.Aliases = append(s.Aliases, r.ID)
		}
		for _, a := range v.Affects {
			c, in := parts[a.Ref]
			switch {
			case in && a.Ref != main.Ref && main.Name != "": // a part of the product that the document is of
				s.Products = append(s.Products, Product{ID: main.PURL, Name: main.Name, Version: main.Version, Packages: []string{or(c.PURL, c.Name)}})
			case in:
				s.Products = append(s.Products, Product{ID: c.PURL, Name: c.Name, Version: c.Version})
			default:
				s.Products = append(s.Products, productOf(a.Ref))
			}
		}
		all = append(all, s)
	}
	return all, nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Write writes one statement as OpenVEX 0.2.0. The product is named by its name.
func Write(author, id string, s Statement) ([]byte, error) {
	type named struct {
		ID string `json:"@id"`
	}
	type statement struct {
		Vulnerability map[string]any `json:"vulnerability"`
		Timestamp     time.Time      `json:"timestamp"`
		Products      []named        `json:"products"`
		Status        Status         `json:"status"`
		Justification string         `json:"justification,omitempty"`
		Impact        string         `json:"impact_statement,omitempty"`
		Action        string         `json:"action_statement,omitempty"`
	}
	in := statement{Vulnerability: map[string]any{"name": s.Vulnerability}, Timestamp: s.At.UTC().Truncate(time.Millisecond), Status: s.Status, Justification: s.Justification, Impact: s.Text, Action: s.Action}
	if len(s.Aliases) > 0 {
		in.Vulnerability["aliases"] = s.Aliases
	}
	for _, p := range s.Products {
		in.Products = append(in.Products, named{or(p.ID, p.Name)})
	}
	return json.Marshal(struct {
		Context    string      `json:"@context"`
		ID         string      `json:"@id"`
		Author     string      `json:"author"`
		Timestamp  time.Time   `json:"timestamp"`
		Version    int         `json:"version"`
		Statements []statement `json:"statements"`
	}{"https://openvex.dev/ns/v0.2.0", id, author, in.Timestamp, 1, []statement{in}})
}
