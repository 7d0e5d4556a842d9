package cyclonedx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// Whatever comes in, the reader ends with a document or with a message for people,
// keeps to its limits, and emits text that a database can store.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if encodingOf(file) == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encodingOf(file), string(text))
		f.Add(encodingOf(file), string(text[:len(text)/2]))
	}
	lim := sbom.Limits{Bytes: 1 << 20, Depth: 20, Components: 50, Text: 500, Ratio: 10, Oddities: 10}
	f.Fuzz(func(t *testing.T, encoding, text string) {
		doc, components, err := readAll(text, encoding, lim)
		if err != nil {
			switch entente.KindOf(err) {
			case entente.KindInvalid, entente.KindTooLarge:
			default:
				t.Errorf("an error that is no message for people: %v", err)
			}
		}
		if len(components) > lim.Components || len(doc.Oddities) > lim.Oddities {
			t.Errorf("%d components, %d oddities", len(components), len(doc.Oddities))
		}
		for _, c := range components {
			for _, s := range []string{c.Ref, c.Type, c.Group, c.Name, c.Version, c.PURL, c.CPE, c.Supplier} {
				if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
					t.Errorf("%q cannot be stored", s)
				}
			}
		}
	})
}
