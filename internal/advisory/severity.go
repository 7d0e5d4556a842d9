package advisory

import (
	"math"
	"strings"

	"github.com/entente-project/entente/internal/advisory/osv"
)

// Severity is how grave an advisory is by its publisher's word or score; the zero
// value is unknown.
type Severity struct {
	Level  Level   `json:"level"`
	Score  float64 `json:"score,omitempty"`  // CVSS base score, 0 if unknown
	Vector string  `json:"vector,omitempty"` // as published
}

// Level is a severity in a word, as GitHub and others use them; "" is unknown.
type Level string

// The levels, from the gravest.
const (
	Critical Level = "critical"
	High     Level = "high"
	Moderate Level = "moderate"
	Low      Level = "low"
)

// weight orders levels; an unknown one counts least.
func (l Level) weight() int {
	switch l {
	case Critical:
		return 4
	case High:
		return 3
	case Moderate:
		return 2
	case Low:
		return 1
	}
	return 0
}

// SeverityOf reads the severity of a record: its scores, of which the highest
// counts, else the publisher's word.
func SeverityOf(r *osv.Record) Severity {
	var s Severity
	take := func(list []osv.Severity) {
		for _, one := range list {
			score, ok := cvss3(one.Score)
			if s.Vector == "" || ok && score > s.Score {
				s.Score, s.Vector = score, one.Score
			}
		}
	}
	take(r.Severity)
	for i := range r.Affected {
		take(r.Affected[i].Severity)
	}
	if len(s.Vector) > 200 {
		s.Vector = ""
	}
	switch {
	case s.Score >= 9:
		s.Level = Critical
	case s.Score >= 7:
		s.Level = High
	case s.Score >= 4:
		s.Level = Moderate
	case s.Score > 0:
		s.Level = Low
	}
	switch r.Rating {
	case "CRITICAL":
		s.Level = Critical
	case "HIGH", "IMPORTANT":
		s.Level = High
	case "MODERATE", "MEDIUM":
		s.Level = Moderate
	case "LOW":
		s.Level = Low
	}
	return s
}

// Weights of CVSS 3.0 and 3.1 (first.org, specification document, section 7.4).
var (
	cvssAV = map[string]float64{"N": .85, "A": .62, "L": .55, "P": .2}
	cvssAC = map[string]float64{"L": .77, "H": .44}
	cvssPR = map[string]float64{"N": .85, "L": .62, "H": .27}
	// with a changed scope
	cvssPRChanged = map[string]float64{"N": .85, "L": .68, "H": .5}
	cvssUI        = map[string]float64{"N": .85, "R": .62}
	cvssCIA       = map[string]float64{"H": .56, "L": .22, "N": 0}
)

// cvss3 computes the base score of a CVSS 3.0 or 3.1 vector. Other versions have
// no score here; their publisher's word counts.
func cvss3(vector string) (float64, bool) {
	rest, ok := strings.CutPrefix(vector, "CVSS:3.")
	if !ok || len(vector) > 200 {
		return 0, false
	}
	m := map[string]string{}
	for part := range strings.SplitSeq(rest, "/") {
		k, v, ok := strings.Cut(part, ":")
		if ok {
			m[k] = v
		}
	}
	changed := m["S"] == "C"
	pr := cvssPR
	if changed {
		pr = cvssPRChanged
	}
	weights := [7]float64{}
	for i, w := range []struct {
		table map[string]float64
		of    string
	}{{cvssAV, "AV"}, {cvssAC, "AC"}, {pr, "PR"}, {cvssUI, "UI"}, {cvssCIA, "C"}, {cvssCIA, "I"}, {cvssCIA, "A"}} {
		weights[i], ok = w.table[m[w.of]]
		if !ok {
			return 0, false
		}
	}
	if !changed && m["S"] != "U" {
		return 0, false
	}
	iss := 1 - (1-weights[4])*(1-weights[5])*(1-weights[6])
	impact := 6.42 * iss
	if changed {
		impact = 7.52*(iss-.029) - 3.25*math.Pow(iss-.02, 15)
	}
	if impact <= 0 {
		return 0, true
	}
	score := impact + 8.22*weights[0]*weights[1]*weights[2]*weights[3]
	if changed {
		score *= 1.08
	}
	return roundUp(min(score, 10)), true
}

// roundUp gives the next tenth, by the specification's own way around the errors
// of floating-point numbers.
func roundUp(x float64) float64 {
	n := int(math.Round(x * 100_000))
	if n%10_000 == 0 {
		return float64(n) / 100_000
	}
	return float64(n/10_000+1) / 10
}
