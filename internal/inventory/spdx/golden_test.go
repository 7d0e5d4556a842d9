package spdx

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
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

// told gives a document as JSON without the lines that say nothing.
func told(t *testing.T, doc sbom.Document, components []sbom.Component) string {
	t.Helper()
	raw, err := json.MarshalIndent(map[string]any{"Document": doc, "Components": components}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return silent.ReplaceAllString(string(raw), "") + "\n"
}

var silent = regexp.MustCompile(`(?m)^ *"\w+": (""|null|0|\{\}|"0001-01-01T00:00:00Z"),?\n`)

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
			got := told(t, doc, components)
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

var encodings = map[string]string{".json": JSON, ".spdx": TagValue, ".jsonld": JSONLD}
