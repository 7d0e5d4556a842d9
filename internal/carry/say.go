package carry

import (
	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/threat/stix"
)

// ThreatToSay checks a threat before it is said under a label, and names it: it keeps
// what STIX 2.1 demands, and nothing in it is marked stricter than that label.
func ThreatToSay(body []byte, tlp entente.TLP) (title string, err error) {
	d, err := stix.Read(body)
	if err != nil {
		return "", err
	}
	if err := d.Check(); err != nil {
		return "", err
	}
	if inside, said := d.TLP(); said && inside > tlp {
		return "", entente.Invalid("what is marked inside is %s: share it under that label or a stricter one", inside.String())
	}
	for _, o := range d.Objects {
		class, name := stix.Class(o.Type), o.Title()
		if title == "" && class != "marking" && class != "meta" && len(name) <= entente.MaxTitle {
			title = name
		}
	}
	return title, nil
}
