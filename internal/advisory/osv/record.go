package osv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// MaxRecord is the largest record that [Parse] takes, in bytes. The largest record
// of osv.dev is far below.
const MaxRecord = 16 << 20

// maxID bounds an identifier; longer ones are no identifiers.
const maxID = 256

// Record is one advisory. Raw keeps the whole of it, so that fields this type does
// not know are not lost.
type Record struct {
	SchemaVersion string
	ID            string
	Modified      time.Time // zero if missing or unreadable
	Published     time.Time
	Withdrawn     time.Time // zero if it stands
	Aliases       []string
	Related       []string
	Upstream      []string
	Summary       string
	Details       string
	Severity      []Severity
	Affected      []Affected
	References    []Reference
	// Rating is what the publisher calls the severity in a word
	// (database_specific.severity), "" if nothing is said.
	Rating string
	// Raw is the record as JSON without insignificant white space.
	Raw []byte
}

// Severity is a score in some system: Type "CVSS_V3", Score a vector.
type Severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

// Reference is a link to more.
type Reference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// Affected names one package and its versions that are affected.
type Affected struct {
	Package  Package    `json:"package"`
	Severity []Severity `json:"severity"`
	Ranges   []Range    `json:"ranges"`
	Versions []string   `json:"versions"`
}

// Package is how an ecosystem names a package.
type Package struct {
	Ecosystem string `json:"ecosystem"` // "npm", "AlmaLinux:8", "Packagist:https://packages.drupal.org/8"
	Name      string `json:"name"`
	PURL      string `json:"purl"`
}

// RangeType says by which rules the versions of a range are ordered.
type RangeType string

// The types of ranges.
const (
	RangeSemver    RangeType = "SEMVER"
	RangeEcosystem RangeType = "ECOSYSTEM"
	RangeGit       RangeType = "GIT"
)

// Range is a set of versions, told by events in any order.
type Range struct {
	Type   RangeType `json:"type"`
	Repo   string    `json:"repo"`
	Events []Event   `json:"events"`
}

// Event opens or closes an interval; exactly one field is set in a right record.
type Event struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// Oddity is something in a record that a strict reader would have refused.
type Oddity struct {
	Where string          `json:"where"` // path of the field
	What  entente.Message `json:"what"`
}

// wire is the record as written; times are text here so that a wrong one costs
// only itself.
type wire struct {
	SchemaVersion    string          `json:"schema_version"`
	ID               string          `json:"id"`
	Modified         string          `json:"modified"`
	Published        string          `json:"published"`
	Withdrawn        string          `json:"withdrawn"`
	Aliases          []string        `json:"aliases"`
	Related          []string        `json:"related"`
	Upstream         []string        `json:"upstream"`
	Summary          string          `json:"summary"`
	Details          string          `json:"details"`
	Severity         []Severity      `json:"severity"`
	Affected         []Affected      `json:"affected"`
	References       []Reference     `json:"references"`
	DatabaseSpecific json.RawMessage `json:"database_specific"`
}

// Parse reads one record. An error means that nothing of it can be used; oddities
// say what was left out of a record that can.
func Parse(data []byte) (Record, []Oddity, error) {
	r, odd, err := Decode(data)
	if err != nil {
		return Record{}, nil, err
	}
	var compact bytes.Buffer
	compact.Grow(len(data))
	if err := json.Compact(&compact, data); err != nil {
		return Record{}, nil, syntax(data, err)
	}
	r.Raw = compact.Bytes()
	return r, odd, nil
}

// Decode is [Parse] without keeping the record as a whole.
func Decode(data []byte) (Record, []Oddity, error) {
	if len(data) > MaxRecord {
		return Record{}, nil, entente.TooLarge("the record has %d bytes; at most %d are read", len(data), MaxRecord)
	}
	var w wire
	var odd []Oddity
	err := json.Unmarshal(data, &w)
	if err != nil {
		// encoding/json reads on after a value of the wrong type and reports the first.
		var wrongType *json.UnmarshalTypeError
		if !errors.As(err, &wrongType) || wrongType.Field == "" {
			return Record{}, nil, syntax(data, err)
		}
		odd = append(odd, Oddity{Where: wrongType.Field, What: entente.Say("holds %s; it was left out, and so may be others like it", kindOfJSON(wrongType.Value))})
	}
	w.ID = strings.TrimSpace(w.ID)
	if w.ID == "" {
		return Record{}, nil, entente.Invalid("the record has no id; an OSV record begins with \"id\" and \"modified\"")
	}
	if len(w.ID) > maxID {
		return Record{}, nil, entente.Invalid("the id %.40q… is longer than %d characters", w.ID, maxID)
	}
	r := Record{
		SchemaVersion: w.SchemaVersion, ID: w.ID,
		Aliases: names(w.Aliases, w.ID), Related: names(w.Related, w.ID), Upstream: names(w.Upstream, w.ID),
		Summary: w.Summary, Details: w.Details, Severity: w.Severity, References: w.References,
	}
	r.Modified, odd = when(w.Modified, "modified", odd)
	r.Published, odd = when(w.Published, "published", odd)
	r.Withdrawn, odd = when(w.Withdrawn, "withdrawn", odd)
	if w.Withdrawn != "" && r.Withdrawn.IsZero() {
		// The record says it is withdrawn; only when is unreadable.
		r.Withdrawn = time.Unix(0, 0).UTC()
	}
	for i, a := range w.Affected {
		a.Package.Ecosystem = strings.TrimSpace(a.Package.Ecosystem)
		a.Package.Name = strings.TrimSpace(a.Package.Name)
		if (a.Package.Ecosystem == "") != (a.Package.Name == "") {
			odd = append(odd, Oddity{Where: fmt.Sprintf("affected[%d].package", i), What: entente.Say("names no ecosystem and package; nothing can be matched by it")})
		}
		r.Affected = append(r.Affected, a)
	}
	r.Rating = rating(w.DatabaseSpecific)
	return r, odd, nil
}

// kindOfJSON says what encoding/json calls a value of the wrong type.
func kindOfJSON(value string) entente.Text {
	switch kind, _, _ := strings.Cut(value, " "); kind {
	case "bool":
		return "true or false"
	case "number":
		return "a number"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "a text"
}

// syntax turns a JSON error into one that names the line.
func syntax(data []byte, err error) error {
	var se *json.SyntaxError
	switch {
	case errors.As(err, &se):
		at := min(max(se.Offset, 0), int64(len(data)))
		line := 1 + bytes.Count(data[:at], []byte("\n"))
		e := entente.Invalid("the record is not JSON at line %d: %s", line, se.Error())
		e.Fields = []entente.FieldError{{Line: line, Message: entente.Say("%s", se.Error())}}
		return e
	case errors.Is(err, io.ErrUnexpectedEOF):
		return entente.Invalid("the record ends too early")
	}
	return entente.Invalid("the record is not a JSON object: %v", err)
}

// names cleans a list of identifiers: no empty, no repeated, not the record itself.
func names(in []string, self string) []string {
	var out []string
	seen := map[string]bool{self: true}
	for _, n := range in {
		n = strings.TrimSpace(n)
		if n == "" || len(n) > maxID || seen[n] {
			continue
		}
		seen[n] = true
		out = append(out, n)
	}
	return out
}

func when(text, field string, odd []Oddity) (time.Time, []Oddity) {
	if text == "" {
		return time.Time{}, odd
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		t, err := time.Parse(layout, text)
		if err == nil {
			return t.UTC(), odd
		}
	}
	return time.Time{}, append(odd, Oddity{Where: field, What: entente.Say("%.40q is no time of RFC 3339", text)})
}

// rating reads the severity word that GitHub and others put beside the scores; the
// field has no fixed shape, so anything else is ignored.
func rating(specific json.RawMessage) string {
	if len(specific) == 0 || specific[0] != '{' {
		return ""
	}
	var s struct {
		Severity json.RawMessage `json:"severity"`
	}
	if err := json.Unmarshal(specific, &s); err != nil {
		return ""
	}
	var word string
	if err := json.Unmarshal(s.Severity, &word); err != nil || len(word) > 20 {
		return ""
	}
	return strings.ToUpper(strings.TrimSpace(word))
}
