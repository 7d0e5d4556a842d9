package sbom

import (
	"fmt"
	"strings"
)

// Text tells a document and its components in lines, as the golden files of the
// codecs' tests keep them.
func Text(d Document, components []Component) string {
	var b strings.Builder
	line := func(what string, value any) {
		if s := fmt.Sprint(value); s != "" && s != "0" && s != "[]" && s != "map[]" {
			fmt.Fprintf(&b, "%s: %s\n", what, s)
		}
	}
	line("format", fmt.Sprintf("%s %s %s", d.Format, d.SpecVersion, d.Encoding))
	line("serial", d.Serial)
	line("revision", d.Revision)
	line("name", d.Name)
	if !d.Created.IsZero() {
		line("created", d.Created.Format("2006-01-02T15:04:05Z"))
	}
	line("authors", strings.Join(d.Authors, "; "))
	line("tools", strings.Join(d.Tools, "; "))
	line("vulnerabilities", d.Vulnerabilities)
	line("agents", d.Agents)
	if d.Subject != nil {
		b.WriteString("subject\n")
		component(&b, *d.Subject)
	}
	for _, c := range components {
		b.WriteString("component\n")
		component(&b, c)
	}
	for _, o := range d.Oddities {
		fmt.Fprintf(&b, "odd: %s: %s\n", o.Where, o.What)
	}
	line("more oddities", d.MoreOddities)
	return b.String()
}

func component(b *strings.Builder, c Component) {
	for _, f := range []struct{ name, value string }{
		{"ref", c.Ref}, {"type", c.Type}, {"group", c.Group}, {"name", c.Name}, {"version", c.Version},
		{"purl", c.PURL}, {"more", strings.Join(c.More, " ")}, {"cpe", c.CPE}, {"supplier", c.Supplier},
		{"licences", strings.Join(c.Licences, "; ")}, {"hashes", strings.Join(c.Hashes, " ")}, {"scope", c.Scope},
	} {
		if f.value != "" {
			fmt.Fprintf(b, "  %s: %s\n", f.name, f.value)
		}
	}
	if c.Depth > 0 {
		fmt.Fprintf(b, "  depth: %d\n", c.Depth)
	}
}
