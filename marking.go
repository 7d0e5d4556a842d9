package entente

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// TLP is a label of the Traffic Light Protocol 2.0 (FIRST): how far something may
// spread. The stricter label is the greater one.
type TLP uint8

// The labels, from the widest to the narrowest. The zero value is no label, and
// nothing without a label is shared.
const (
	TLPClear       TLP = iota + 1 // the world
	TLPGreen                      // the community and partner organisations, no public channel
	TLPAmber                      // the receiving organisation and its clients, need-to-know
	TLPAmberStrict                // the receiving organisation only, need-to-know
	TLPRed                        // the named recipients only
)

var tlpLabels = map[TLP]string{
	TLPClear: "TLP:CLEAR", TLPGreen: "TLP:GREEN", TLPAmber: "TLP:AMBER", TLPAmberStrict: "TLP:AMBER+STRICT", TLPRed: "TLP:RED",
}

// TLPs lists the labels, from the widest to the narrowest.
func TLPs() []TLP { return []TLP{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed} }

// String writes the label exactly as TLP 2.0 asks: "TLP:AMBER+STRICT".
func (t TLP) String() string {
	if label, ok := tlpLabels[t]; ok {
		return label
	}
	return "no label"
}

// MarshalText writes the label.
func (t TLP) MarshalText() ([]byte, error) {
	if label, ok := tlpLabels[t]; ok {
		return []byte(label), nil
	}
	return nil, fmt.Errorf("%d is no TLP label", uint8(t))
}

// UnmarshalText reads the label as [ParseTLP] does.
func (t *TLP) UnmarshalText(text []byte) error {
	parsed, err := ParseTLP(string(text))
	*t = parsed
	return err
}

// ParseTLP reads a label as other programs write it: in any case, with or without
// "TLP:". WHITE is the name of CLEAR in TLP 1.
func ParseTLP(s string) (TLP, error) {
	word := strings.ToUpper(strings.TrimSpace(s))
	word = strings.TrimPrefix(word, "TLP:")
	if word == "WHITE" {
		return TLPClear, nil
	}
	for t, label := range tlpLabels {
		if word == strings.TrimPrefix(label, "TLP:") {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%.40q is no TLP label: one of TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT, TLP:RED", s)
}

// Stricter gives the stricter of two labels: what is derived from several things
// bears the strictest label of them. No label is stricter than any, as nothing
// without a label is shared.
func Stricter(a, b TLP) TLP {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// TLPVocabulary is a set of labels that another format knows.
type TLPVocabulary []TLP

// The vocabularies of formats that know fewer labels than TLP 2.0: CSAF 2.0 and STIX
// 2.1 before its TLP 2.0 extension.
var (
	TLP1   = TLPVocabulary{TLPClear, TLPGreen, TLPAmber, TLPRed}
	TLP2   = TLPVocabulary{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed}
	csaf20 = map[TLP]string{TLPClear: "WHITE", TLPGreen: "GREEN", TLPAmber: "AMBER", TLPRed: "RED"}
)

// Convert gives the label to write in a format with fewer labels: the same, or else
// the next stricter one, never a wider one. It is false when there is none.
func (v TLPVocabulary) Convert(t TLP) (TLP, bool) {
	if t == 0 {
		return 0, false
	}
	for _, known := range slices.Sorted(slices.Values(v)) {
		if known >= t {
			return known, true
		}
	}
	return 0, false
}

// CSAF20 gives the label as CSAF 2.0 writes it ("document.distribution.tlp.label"),
// converted to the stricter one where it has none.
func (t TLP) CSAF20() (string, bool) {
	converted, ok := TLP1.Convert(t)
	return csaf20[converted], ok
}

// stixMarkings are the ids of the marking definitions of STIX 2.1: those of its TLP
// 2.0 extension, and for reading only those of TLP 1 (STIX 2.1, 7.2.1.4).
var stixMarkings = map[string]TLP{
	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": TLPClear,
	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": TLPGreen,
	"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": TLPAmber,
	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": TLPAmberStrict,
	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": TLPRed,
}

var stixMarkings1 = map[string]TLP{
	"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": TLPClear,
	"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": TLPGreen,
	"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": TLPAmber,
	"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": TLPRed,
}

// STIX gives the id of the label's marking definition in STIX 2.1 with TLP 2.0.
func (t TLP) STIX() string {
	for id, label := range stixMarkings {
		if label == t {
			return id
		}
	}
	return ""
}

// TLPOfSTIX reads the id of a marking definition, of TLP 2.0 or TLP 1.
func TLPOfSTIX(id string) (TLP, bool) {
	if t, ok := stixMarkings[id]; ok {
		return t, true
	}
	t, ok := stixMarkings1[id]
	return t, ok
}

// PAP is a label of the Permissible Actions Protocol: what a recipient may do with
// something. It says nothing about spreading; see [TLP].
type PAP string

// The labels of PAP.
const (
	PAPClear PAP = "PAP:CLEAR" // anything
	PAPGreen PAP = "PAP:GREEN" // active measures: ping, block, honeypot
	PAPAmber PAP = "PAP:AMBER" // passive cross-checks, also through third parties
	PAPRed   PAP = "PAP:RED"   // passive and undetectable only: one's own logs
)

// Valid says whether it is a label; none at all is valid.
func (p PAP) Valid() bool {
	return p == "" || p == PAPClear || p == PAPGreen || p == PAPAmber || p == PAPRed
}

// Marking says who may have an entry, what for, and for how long. Only the
// originator may widen it; every holder may narrow it for those to whom it passes
// the entry on.
type Marking struct {
	TLP TLP `json:"tlp"`
	// Audience narrows the label to these parties; empty: whoever the label allows.
	// TLP:RED, TLP:AMBER+STRICT and TLP:AMBER are never without one when they leave
	// the originator: its recipients are named.
	Audience []PartyID `json:"audience,omitempty"`
	// People are the persons to whom TLP:RED is addressed, as "name <address>" or a
	// role; the receiving node shows it to nobody else.
	People []string `json:"people,omitempty"`
	// Clients are the customers of a recipient to whom the originator of TLP:AMBER
	// knows that it may go; empty: those customers who need to know it, which the
	// recipient decides.
	Clients []PartyID `json:"clients,omitempty"`
	// Purpose says in words what it may be used for.
	Purpose string `json:"purpose,omitempty"`
	PAP     PAP    `json:"pap,omitempty"`
	// NoAttribution withholds the originator (Chatham House Rule): whoever passes the
	// entry on does not say from whom it came. Set by the originator alone.
	NoAttribution bool `json:"no_attribution,omitempty"`
	// Embargo is until when nobody passes it on; zero: no embargo.
	Embargo time.Time `json:"embargo,omitzero"`
	// Expires is from when on nobody passes it on any more, and holders delete it;
	// zero: never.
	Expires time.Time `json:"expires,omitzero"`
}

// The bounds of a marking, so that none can be made to hurt.
const (
	MaxAudience    = 5_000
	MaxPeople      = 200
	MaxMarkingText = 2_000 // of the purpose and of each person, in bytes
)

// Validate says what is wrong with a marking.
func (m Marking) Validate() error {
	switch {
	case tlpLabels[m.TLP] == "":
		return fmt.Errorf("the marking has no TLP label")
	case !m.PAP.Valid():
		return fmt.Errorf("%.40q is no PAP label", m.PAP)
	case len(m.Audience) > MaxAudience || len(m.Clients) > MaxAudience:
		return fmt.Errorf("the marking names more than %d parties", MaxAudience)
	case len(m.People) > MaxPeople:
		return fmt.Errorf("the marking names more than %d people", MaxPeople)
	case len(m.Purpose) > MaxMarkingText:
		return fmt.Errorf("the purpose of the marking is longer than %d bytes", MaxMarkingText)
	case len(m.People) > 0 && m.TLP != TLPRed:
		return fmt.Errorf("only TLP:RED is addressed to people")
	case len(m.Clients) > 0 && m.TLP != TLPAmber:
		return fmt.Errorf("only TLP:AMBER names clients of its recipients")
	}
	for _, person := range m.People {
		if person == "" || len(person) > MaxMarkingText {
			return fmt.Errorf("the marking names a person without a name, or one longer than %d bytes", MaxMarkingText)
		}
	}
	for _, p := range slices.Concat(m.Audience, m.Clients) {
		if err := p.Valid(); err != nil {
			return fmt.Errorf("the marking names a party that is none: %w", err)
		}
	}
	return nil
}

// Narrows says whether next is m or stricter in every respect: what a holder who is
// not the originator may make of it.
func (m Marking) Narrows(next Marking) bool {
	within := func(wide, narrow []PartyID) bool {
		return len(wide) == 0 || len(narrow) > 0 && !slices.ContainsFunc(narrow, func(p PartyID) bool { return !slices.Contains(wide, p) })
	}
	people := len(m.People) == 0 || len(next.People) > 0 && !slices.ContainsFunc(next.People, func(p string) bool { return !slices.Contains(m.People, p) })
	return next.TLP >= m.TLP && within(m.Audience, next.Audience) && people && (next.TLP != TLPAmber || within(m.Clients, next.Clients)) &&
		(next.NoAttribution || !m.NoAttribution) && !next.Embargo.Before(m.Embargo) &&
		(m.Expires.IsZero() || !next.Expires.IsZero() && !next.Expires.After(m.Expires)) &&
		papOrder(next.PAP) >= papOrder(m.PAP)
}

// Under is the marking with another label, without what only goes with other labels.
// people are those to whom it is addressed under TLP:RED; none: those of before.
func (m Marking) Under(t TLP, people []string) Marking {
	m.TLP = t
	if t != TLPAmber {
		m.Clients = nil
	}
	switch {
	case t != TLPRed:
		m.People = nil
	case len(people) > 0:
		m.People = people
	}
	return m
}

func papOrder(p PAP) int { return slices.Index([]PAP{"", PAPClear, PAPGreen, PAPAmber, PAPRed}, p) }

// UnmarshalJSON reads a marking and refuses one that [Marking.Validate] refuses: a
// marking that is not understood allows nothing.
func (m *Marking) UnmarshalJSON(data []byte) error {
	type plain Marking
	var read plain
	err := json.Unmarshal(data, &read)
	if err != nil {
		return err
	}
	*m = Marking(read)
	return m.Validate()
}
