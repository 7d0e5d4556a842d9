package advisory

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/inventory/sbom"
)

// Words are what somebody writes of a vulnerability who knows no format.
type Words struct {
	ID, Summary, Details string
	// Package is what is affected, by its package URL; empty: people are told, and no
	// program can compare it with anything.
	Package string
	// Versions are affected one by one, and all before Fixed; neither: all versions.
	Versions []string
	Fixed    string
	At       time.Time
}

// The bounds of what is written.
const (
	maxWordsID       = 100
	maxWordsVersions = 1_000
)

// Record makes a record of OSV 1.6 of the words.
func (w Words) Record() (json.RawMessage, error) {
	id := strings.TrimSpace(w.ID)
	switch {
	case id == "" || len(id) > maxWordsID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, entente.Invalid("give the advisory a name without spaces, as in ACME-2027-01")
	case strings.TrimSpace(w.Summary) == "":
		return nil, entente.Invalid("say in a few words what it is about")
	case len(w.Versions) > maxWordsVersions:
		return nil, entente.TooLarge("there are more than %d versions", maxWordsVersions)
	}
	affected, err := w.affected()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Schema    string         `json:"schema_version"`
		ID        string         `json:"id"`
		Modified  time.Time      `json:"modified"`
		Published time.Time      `json:"published"`
		Summary   string         `json:"summary"`
		Details   string         `json:"details,omitempty"`
		Affected  []wordsPackage `json:"affected,omitempty"`
	}{"1.6.0", id, w.At, w.At, strings.TrimSpace(w.Summary), strings.TrimSpace(w.Details), affected})
}

// wordsPackage is [osv.Affected] as it is written.
type wordsPackage struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Ranges   []osv.Range `json:"ranges,omitempty"`
	Versions []string    `json:"versions,omitempty"`
}

func (w Words) affected() ([]wordsPackage, error) {
	text := strings.TrimSpace(w.Package)
	if text == "" {
		if len(w.Versions) > 0 || w.Fixed != "" {
			return nil, entente.Invalid("say of which package these are versions, or leave them out")
		}
		return nil, nil
	}
	p := inventory.ParsePackage(&sbom.Component{PURL: text}, func(entente.Text, ...any) {})
	names := KeyOf(&p)
	if len(names.Candidates) == 0 {
		return nil, entente.Invalid("customers cannot find the package by this name: %s", names.Why)
	}
	versions := w.Versions
	if len(versions) == 0 && w.Fixed == "" && p.Version != "" {
		versions = []string{p.Version}
	}
	var all []wordsPackage
	for _, c := range names.Candidates {
		a := wordsPackage{Versions: versions}
		a.Package.Ecosystem, a.Package.Name = c.Key.Ecosystem, c.Key.Name
		if w.Fixed != "" || len(versions) == 0 {
			events := []osv.Event{{Introduced: "0"}}
			if w.Fixed != "" {
				events = append(events, osv.Event{Fixed: w.Fixed})
			}
			a.Ranges = []osv.Range{{Type: osv.RangeEcosystem, Events: events}}
		}
		all = append(all, a)
	}
	return all, nil
}
