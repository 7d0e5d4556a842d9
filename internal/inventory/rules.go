package inventory

import (
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// NotAssessable says whether nothing in a document can be looked up among the
// advisories, and why, in words. Such a product is unknown, never safe.
func (c *Counts) NotAssessable() (not bool, why entente.Message) {
	switch {
	case c.Assessable > 0:
		return false, entente.Message{}
	case c.Components == 0 && c.Vulnerabilities > 0:
		return true, entente.Plural(c.Vulnerabilities, "the document lists no components; it states something on %d vulnerability", "the document lists no components; it states something on %d vulnerabilities")
	case c.Components == 0:
		return true, entente.Say("the document lists no components")
	case c.Components == 1:
		return true, entente.Say("its only component has no package URL that can be read")
	}
	return true, entente.Say("none of its %d components has a package URL that can be read", c.Components)
}

// maxTypes bounds how many types of packages a document tells; there are some forty.
const maxTypes = 200

// add counts one component with its packages, of which the first decides.
func (c *Counts) add(packages []Package) {
	c.Components++
	kind, version := "", ""
	for i := range packages {
		if packages[i].Assessable() && (kind == "" || version == "") {
			kind, version = packages[i].Type, packages[i].Version
		}
	}
	if kind == "" {
		return
	}
	c.Assessable++
	if version == "" {
		c.Unversioned++
	}
	if c.Types == nil {
		c.Types = make(map[string]int)
	}
	if _, known := c.Types[kind]; !known && len(c.Types) >= maxTypes {
		kind = "other"
	}
	c.Types[kind]++
}

// sum adds the counts of another document of the same product.
func (c *Counts) sum(o *Counts) {
	c.Components += o.Components
	c.Packages += o.Packages
	c.Assessable += o.Assessable
	c.Unversioned += o.Unversioned
	c.Vulnerabilities += o.Vulnerabilities
	for kind, n := range o.Types {
		if c.Types == nil {
			c.Types = make(map[string]int)
		}
		c.Types[kind] += n
	}
}

// subject names what a document describes: "portal 7".
func subject(c *sbom.Component) string {
	if c == nil {
		return ""
	}
	name := c.Name
	if c.Group != "" {
		name = c.Group + "/" + name
	}
	return strings.TrimSpace(name + " " + c.Version)
}

// maxWord bounds the texts that components repeat, in bytes; they are indexed.
const maxWord = 500

// word shortens a text for the table of words.
func word(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\x00", " "))
	if len(s) > maxWord {
		s = strings.ToValidUTF8(s[:maxWord-3], "") + "…"
	}
	return s
}

// licence joins the licences of a component.
func licence(list []string) string {
	if len(list) == 1 {
		return word(list[0])
	}
	return word(strings.Join(list, ", "))
}

// header shortens a text of a document's head.
func header(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText-3], "") + "…"
	}
	return strings.ReplaceAll(s, "\x00", " ")
}
