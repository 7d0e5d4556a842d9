package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// Finding is something in the content of a statement that perhaps should not leave:
// a person looks at it, and takes it out or lets it go.
type Finding struct {
	Kind FindingKind
	// What is the place itself, shortened and, for secrets, mostly hidden.
	What string
}

// Decision is a finding that a person has seen and lets go all the same, and why.
type Decision struct {
	Finding
	Reason string `json:",omitempty"`
}

// FindingKind says of what kind a finding is.
type FindingKind string

// The kinds of findings.
const (
	FoundPersonal FindingKind = "personal" // data about a person (GDPR, Article 4(1))
	FoundSecret   FindingKind = "secret"   // what opens something
	FoundVictim   FindingKind = "victim"   // names another partner, who might be the victim
	FoundInside   FindingKind = "inside"   // addresses of an inner network
)

// MaxFindings bounds what is listed of one statement.
const MaxFindings = 100

var findings = []struct {
	kind    FindingKind
	pattern *regexp.Regexp
}{
	{FoundSecret, regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{FoundSecret, regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`)},
	{FoundSecret, regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36,}\b`)},
	{FoundSecret, regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{10,}`)},
	{FoundSecret, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+`)},
	{FoundSecret, regexp.MustCompile(`(?i)\b(?:password|passwd|secret|api[_-]?key|token)["']?\s*[:=]\s*["']?[^\s"',;]{6,}`)},
	{FoundSecret, regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@"]+:[^\s/@"]+@`)},
	{FoundPersonal, regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)},
	{FoundPersonal, regexp.MustCompile(`\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b`)},
	{FoundPersonal, regexp.MustCompile(`(?:\+|\b00)[1-9][0-9]{0,2}[ ()/.-]*(?:[0-9][ ()/.-]*){6,12}`)},
	{FoundInside, regexp.MustCompile(`\b(?:10(?:\.[0-9]{1,3}){3}|192\.168(?:\.[0-9]{1,3}){2}|172\.(?:1[6-9]|2[0-9]|3[01])(?:\.[0-9]{1,3}){2})\b`)},
}

// Inspect looks in the title and the body of a statement for what should perhaps not
// leave: personal data, secrets, inner addresses, and the names given. It finds what
// has a form; a person must still read.
func Inspect(n NewStatement, names []string) []Finding {
	text := n.Title + "\n" + n.Marking.Purpose + "\n" + plainText(n.Body)
	var found []Finding
	add := func(kind FindingKind, what string) {
		if kind == FoundSecret && len(what) > 12 {
			what = what[:8] + "…"
		}
		if len(what) > 80 {
			what = strings.ToValidUTF8(what[:80], "") + "…"
		}
		f := Finding{kind, what}
		if len(found) < MaxFindings && !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	for _, p := range findings {
		for _, what := range p.pattern.FindAllString(text, MaxFindings) {
			add(p.kind, what)
		}
	}
	lower := strings.ToLower(text)
	for _, name := range names {
		if len(name) > 2 && strings.Contains(lower, strings.ToLower(name)) {
			add(FoundVictim, name)
		}
	}
	return found
}

// plainText gives the texts of a JSON value, with their keys.
func plainText(body json.RawMessage) string {
	var b strings.Builder
	d := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return b.String()
		}
		if s, ok := token.(string); ok {
			b.WriteString(s)
			b.WriteByte('\n')
		}
	}
}

// Findings looks through a statement as [Inspect] does, with the names of all partners
// but the one that alone would get it.
func (s *Service) Findings(ctx context.Context, actor entente.Actor, n NewStatement) (found []Finding, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		partners, err := s.partners(ctx, tx, actor.Org)
		found = toDecide(n, partners)
		return err
	})
	return found, err
}

// toDecide are the findings of a statement on which a person decides. Advisories,
// SBOMs and VEX are what they are; their texts are made by programs.
func toDecide(n NewStatement, partners []Partner) []Finding {
	if slices.Contains([]entente.EntryKind{entente.EntryAdvisory, entente.EntrySBOM, entente.EntryVEX, entente.EntryContacts}, n.Kind) {
		return nil
	}
	var names []string
	for _, p := range partners {
		if !slices.Equal(n.To, []entente.PartyID{p.Party}) {
			names = append(names, p.Name)
		}
	}
	return Inspect(n, names)
}

// undecided are the findings of a statement that nobody has let go.
func undecided(n NewStatement, partners []Partner) []Finding {
	return slices.DeleteFunc(toDecide(n, partners), func(f Finding) bool {
		return slices.ContainsFunc(n.Decided, func(d Decision) bool { return d.Finding == f })
	})
}
