package cyclonedx

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente/internal/inventory/sbom"
)

var update = flag.Bool("update", false, "write the golden files anew")

func encodingOf(name string) string {
	return encodings[filepath.Ext(name)]
}

func readAll(text, encoding string, lim sbom.Limits) (sbom.Document, []sbom.Component, error) {
	var components []sbom.Component
	doc, err := Read(strings.NewReader(text), encoding, lim, func(c sbom.Component) error {
		components = append(components, c)
		return nil
	})
	return doc, components, err
}

// Every file of testdata is told as its golden file says.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		if encodingOf(file) == "" {
			continue
		}
		read++
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc, components, err := readAll(string(text), encodingOf(file), sbom.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			got := sbom.Text(doc, components)
			golden := file + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("want - got +\n%s", diff)
			}
		})
	}
	if read == 0 {
		t.Fatal("testdata holds no document")
	}
}

var encodings = map[string]string{".json": JSON, ".xml": XML}
