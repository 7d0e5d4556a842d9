package partner

import (
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// Tier says how much hangs on a supplier.
type Tier string

// The tiers, from the most to the least that hangs on a supplier.
const (
	TierCritical  Tier = "critical"  // T1
	TierImportant Tier = "important" // T2
	TierStandard  Tier = "standard"  // T3
	TierLow       Tier = "low"       // T4
)

// Tiers lists the tiers from the strictest to the least strict.
func Tiers() []Tier { return []Tier{TierCritical, TierImportant, TierStandard, TierLow} }

func (t Tier) rank() int {
	for i, known := range Tiers() {
		if t == known {
			return i
		}
	}
	return len(Tiers())
}

// Valid says whether t is one of [Tiers].
func (t Tier) Valid() bool { return t.rank() < len(Tiers()) }

// stricter gives whichever of the two lets more hang on the supplier.
func stricter(a, b Tier) Tier {
	if a.rank() <= b.rank() {
		return a
	}
	return b
}

// Criterion is one question of the tiering.
type Criterion string

// The criteria. Spend informs but never counts.
const (
	DataAccess         Criterion = "data-access"
	LogicalAccess      Criterion = "logical-access"
	ProcessCriticality Criterion = "process-criticality"
	Substitutability   Criterion = "substitutability"
	Connectivity       Criterion = "connectivity"
	Concentration      Criterion = "concentration"
	Regulation         Criterion = "regulation"
)

// Scale is one criterion with its weight and what its values 0 to 3 mean.
type Scale struct {
	Criterion Criterion
	Label     entente.Text
	Weight    int
	Values    [4]entente.Text
}

// Scales is the whole scoring: criteria from DORA Art. 28–31, NIS2 Implementing
// Regulation 2024/2690 annex 5.1.2 and the NCSC supply-chain principles 1–3; the
// values and weights are the product's own defaults.
func Scales() []Scale {
	return []Scale{
		{DataAccess, "Data access", 3, [4]entente.Text{"none", "internal data", "confidential or personal data", "secrets, special-category or bulk data"}},
		{LogicalAccess, "Access to our systems", 3, [4]entente.Text{"none", "a user in one application", "integration that writes, or remote support", "privileged, or a code or update channel into our systems"}},
		{ProcessCriticality, "Criticality of the processes reached", 4, [4]entente.Text{"none", "MTPD above one week", "MTPD up to one week", "MTPD up to 24 hours"}},
		{Substitutability, "Time to replace", 2, [4]entente.Text{"under a week", "under a month", "under six months", "over six months, or nobody else"}},
		{Connectivity, "Connection", 2, [4]entente.Text{"none", "file exchange", "API or VPN", "always-on trust: single sign-on, site-to-site link, agent"}},
		{Concentration, "Concentration", 2, [4]entente.Text{"one minor process", "several processes", "several critical processes", "also behind other suppliers"}},
		{Regulation, "Regulation", 2, [4]entente.Text{"none", "contract only", "personal data, or in scope of NIS2", "critical or important function under DORA, health or card data, high-risk AI"}},
	}
}

// Fact is the value of one criterion for one supplier, with where it comes from.
// A fact that nobody knows has Known false; its value is then not used.
type Fact struct {
	Known  bool
	Value  int // 0 to 3
	Reason entente.Message
	// Computed is true when the chain gave the value, false when a person did.
	Computed bool
}

// Circumstances are facts beside the criteria that force a tier at least.
type Circumstances struct {
	// Function is true when the supplier supports a critical or important function
	// (DORA Art. 3(22)).
	Function bool
	// Personal is true when it processes personal data on our behalf.
	Personal bool
	// MTPD is the shortest maximum tolerable period of disruption among the
	// processes that stop when it stops; 0 if none stops.
	MTPD time.Duration
}

// Line is one row of a tier's arithmetic.
type Line struct {
	Scale  Scale
	Fact   Fact
	Points int // value × weight
	Most   int // 3 × weight
}

// Assessment is a computed tier with its arithmetic, so that a reader can check it.
type Assessment struct {
	Lines  []Line
	Points int
	Most   int
	Score  int  // percent of the points that can be had, rounded to the nearest
	ByMark Tier // from the score alone
	Forced []entente.Text
	// Unknown names the criteria nobody has answered. Two or more make the tier
	// provisional: the next stricter one applies until they are answered.
	Unknown     []entente.Text
	Provisional bool
	Tier        Tier
}

// Assess computes a supplier's tier: score = Σ(value × weight) ÷ (3 × Σ weight) ×
// 100; 65 and more is critical, 45 important, 20 standard, below low; then the
// circumstances that force a tier, then the rule for what is unknown. The weight of
// an unknown criterion stays in the divisor.
func Assess(facts map[Criterion]Fact, c Circumstances) Assessment {
	var a Assessment
	for _, s := range Scales() {
		f := facts[s.Criterion]
		l := Line{Scale: s, Fact: f, Most: 3 * s.Weight}
		if f.Known {
			l.Points = min(max(f.Value, 0), 3) * s.Weight
		} else {
			a.Unknown = append(a.Unknown, s.Criterion.inside())
		}
		a.Points += l.Points
		a.Most += l.Most
		a.Lines = append(a.Lines, l)
	}
	a.Score = (200*a.Points + a.Most) / (2 * a.Most)
	a.ByMark = byScore(a.Score)
	a.Tier = a.ByMark
	a.force(facts[LogicalAccess].Known && facts[LogicalAccess].Value == 3, TierImportant,
		"privileged access or an update channel into our systems is at least important")
	a.force(c.Function, TierCritical, "it supports a critical or important function (DORA)")
	a.force(c.MTPD > 0 && c.MTPD <= 24*time.Hour && facts[Substitutability].Known && facts[Substitutability].Value >= 2, TierCritical,
		"a process that tolerates at most 24 hours stops with it, and it cannot be replaced within a month")
	a.force(c.Personal, TierStandard, "it processes personal data for us, which is at least standard")
	if len(a.Unknown) >= 2 {
		a.Provisional = true
		if r := a.Tier.rank(); r > 0 {
			a.Tier = Tiers()[r-1]
		}
	}
	return a
}

func (a *Assessment) force(when bool, least Tier, why entente.Text) {
	if !when || stricter(a.Tier, least) == a.Tier {
		return
	}
	a.Tier = least
	a.Forced = append(a.Forced, why)
}

func byScore(score int) Tier {
	switch {
	case score >= 65:
		return TierCritical
	case score >= 45:
		return TierImportant
	case score >= 20:
		return TierStandard
	}
	return TierLow
}

// inside is the criterion in the middle of a sentence.
func (c Criterion) inside() entente.Text {
	switch c {
	case DataAccess:
		return "data access"
	case LogicalAccess:
		return "access to our systems"
	case ProcessCriticality:
		return "criticality of the processes reached"
	case Substitutability:
		return "time to replace"
	case Connectivity:
		return "connection"
	case Concentration:
		return "concentration"
	}
	return "regulation"
}

// Noun is the word for the tier.
func (t Tier) Noun() entente.Text {
	switch t {
	case TierCritical:
		return "critical"
	case TierImportant:
		return "important"
	case TierStandard:
		return "standard"
	case TierLow:
		return "low"
	}
	return "unknown"
}

// Say tells how the tier came about in one or two sentences.
func (a Assessment) Say() entente.Message {
	parts := []entente.Message{entente.Say("%d of %d points make %d %%, which is %s", a.Points, a.Most, a.Score, a.ByMark.Noun())}
	for _, f := range a.Forced {
		parts = append(parts, entente.Message{Text: f})
	}
	if a.Provisional {
		parts = append(parts, entente.Say("provisional, one tier stricter until answered: %s", entente.Joined(a.Unknown, ", ")))
	}
	return entente.Say("%s.", entente.Joined(parts, "; "))
}

// InWords says it in English.
func (a Assessment) InWords() string { return a.Say().String() }

// MaxOverride is the longest time for which a person may set a tier by hand.
const MaxOverride = 366 * 24 * time.Hour

// Override is a tier that a person set, with the reason and until when.
type Override struct {
	Tier   Tier
	Reason string
	By     string
	At     time.Time
	Until  time.Time
}

// Check says what is wrong with an override; nil if nothing is.
func (o Override) Check() error {
	switch {
	case !o.Tier.Valid():
		return entente.Invalid("%q is not a tier; choose critical, important, standard or low", o.Tier)
	case len(strings.TrimSpace(o.Reason)) < 10:
		return entente.Invalid("say in a sentence why the computed tier does not fit")
	case !o.Until.After(o.At):
		return entente.Invalid("the end must lie in the future")
	case o.Until.Sub(o.At) > MaxOverride:
		return entente.Invalid("a tier set by hand holds for twelve months at most")
	}
	return nil
}

// Effective gives the tier that applies at a time: the override while it holds,
// else the computed one.
func Effective(a Assessment, o *Override, now time.Time) (Tier, bool) {
	if o != nil && o.Tier.Valid() && now.Before(o.Until) {
		return o.Tier, true
	}
	return a.Tier, false
}
