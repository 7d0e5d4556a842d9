package partner

import (
	"strings"
	"testing"
	"time"
)

func facts(values ...int) map[Criterion]Fact {
	out := map[Criterion]Fact{}
	for i, s := range Scales() {
		if values[i] >= 0 {
			out[s.Criterion] = Fact{Known: true, Value: values[i]}
		}
	}
	return out
}

func TestAssess(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name        string
		values      []int // data, logical, process, substitutability, connection, concentration, regulation; -1 unknown
		with        Circumstances
		score       int
		tier        Tier
		provisional bool
		why         string
	}{
		{"nothing hangs on it", []int{0, 0, 0, 0, 0, 0, 0}, Circumstances{}, 0, TierLow, false, "0 of 54"},
		{"everything hangs on it", []int{3, 3, 3, 3, 3, 3, 3}, Circumstances{}, 100, TierCritical, false, "54 of 54"},
		{"just standard", []int{0, 0, 1, 2, 1, 0, 1}, Circumstances{}, 22, TierStandard, false, ""},
		{"just below standard", []int{0, 0, 1, 1, 1, 0, 1}, Circumstances{}, 19, TierLow, false, ""},
		{"important by points", []int{1, 1, 2, 2, 1, 1, 1}, Circumstances{}, 44, TierStandard, false, ""},
		{"one point more", []int{2, 1, 2, 2, 1, 1, 1}, Circumstances{}, 50, TierImportant, false, ""},
		{"an update channel", []int{0, 3, 0, 0, 0, 0, 0}, Circumstances{}, 17, TierImportant, false, "update channel"},
		{"DORA function", []int{0, 0, 1, 0, 0, 0, 3}, Circumstances{Function: true}, 19, TierCritical, false, "DORA"},
		{"a day's process, hard to replace", []int{0, 0, 3, 2, 0, 0, 0}, Circumstances{MTPD: day}, 30, TierCritical, false, "24 hours"},
		{"a day's process, easily replaced", []int{0, 0, 3, 1, 0, 0, 0}, Circumstances{MTPD: day}, 26, TierStandard, false, ""},
		{"personal data", []int{1, 0, 0, 0, 0, 0, 0}, Circumstances{Personal: true}, 6, TierStandard, false, "personal data"},
		{"one unknown", []int{0, 0, 0, -1, 0, 0, 0}, Circumstances{}, 0, TierLow, false, ""},
		{"two unknown", []int{0, 0, 0, -1, 0, 0, -1}, Circumstances{}, 0, TierStandard, true, "time to replace, regulation"},
		{"unknown and already critical", []int{3, 3, 3, -1, 3, 3, -1}, Circumstances{}, 78, TierCritical, true, ""},
	} {
		a := Assess(facts(c.values...), c.with)
		if a.Score != c.score || a.Tier != c.tier || a.Provisional != c.provisional || !strings.Contains(a.InWords(), c.why) {
			t.Errorf("%s: score %d, tier %s, provisional %v: %s", c.name, a.Score, a.Tier, a.Provisional, a.InWords())
		}
	}
}

func TestOverride(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	good := Override{Tier: TierLow, Reason: "Only delivers office plants.", At: now, Until: now.AddDate(1, 0, 0)}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Override){
		"tier":     func(o *Override) { o.Tier = "T1" },
		"reason":   func(o *Override) { o.Reason = "because " },
		"past":     func(o *Override) { o.Until = now },
		"too long": func(o *Override) { o.Until = now.AddDate(1, 0, 2) },
	} {
		o := good
		change(&o)
		if o.Check() == nil {
			t.Errorf("%s: a wrong override was taken", name)
		}
	}
	a := Assess(facts(3, 3, 3, 3, 3, 3, 3), Circumstances{})
	if tier, by := Effective(a, &good, now); tier != TierLow || !by {
		t.Error("an override that holds is not used")
	}
	if tier, by := Effective(a, &good, good.Until); tier != TierCritical || by {
		t.Error("an override that ended is used")
	}
}
