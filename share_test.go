package entente

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func party(n int) PartyID {
	_, key := testKey(fmt.Sprintf("party %d", n))
	return PartyOf(key)
}

func TestMarkingOnlyNarrows(t *testing.T) {
	a, b, now := party(1), party(2), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	wide := Marking{TLP: TLPAmber, Audience: []PartyID{a, b}, NoAttribution: true, Embargo: now, Expires: now.Add(time.Hour), PAP: PAPGreen}
	for name, c := range map[string]struct {
		change func(*Marking)
		narrow bool
	}{
		"the same":              {func(*Marking) {}, true},
		"stricter label":        {func(m *Marking) { m.TLP = TLPAmberStrict }, true},
		"wider label":           {func(m *Marking) { m.TLP = TLPGreen }, false},
		"fewer parties":         {func(m *Marking) { m.Audience = []PartyID{b} }, true},
		"more parties":          {func(m *Marking) { m.Audience = append(m.Audience, party(3)) }, false},
		"no audience":           {func(m *Marking) { m.Audience = nil }, false},
		"attribution":           {func(m *Marking) { m.NoAttribution = false }, false},
		"longer embargo":        {func(m *Marking) { m.Embargo = now.Add(time.Minute) }, true},
		"shorter embargo":       {func(m *Marking) { m.Embargo = time.Time{} }, false},
		"earlier end":           {func(m *Marking) { m.Expires = now.Add(time.Minute) }, true},
		"no end":                {func(m *Marking) { m.Expires = time.Time{} }, false},
		"stricter PAP":          {func(m *Marking) { m.PAP = PAPRed }, true},
		"wider PAP":             {func(m *Marking) { m.PAP = PAPClear }, false},
		"named clients at last": {func(m *Marking) { m.Clients = []PartyID{party(4)} }, true},
	} {
		next := wide
		next.Audience = slices.Clone(wide.Audience)
		c.change(&next)
		if got := wide.Narrows(next); got != c.narrow {
			t.Errorf("%s: narrows is %v", name, got)
		}
	}
}

func TestLabels(t *testing.T) {
	for s, want := range map[string]TLP{"tlp:amber+strict": TLPAmberStrict, "WHITE": TLPClear, " TLP:RED ": TLPRed, "green": TLPGreen, "TLP:BLUE": 0, "": 0} {
		if got, err := ParseTLP(s); got != want || (err == nil) != (want != 0) {
			t.Errorf("ParseTLP(%q) = %v, %v", s, got, err)
		}
	}
	for _, label := range TLPs() {
		if got, ok := TLPOfSTIX(label.STIX()); !ok || got != label {
			t.Errorf("%s: the id of STIX is read as %s", label, got)
		}
		for _, v := range []TLPVocabulary{TLP1, TLP2} {
			if got, ok := v.Convert(label); !ok || got < label {
				t.Errorf("%s becomes %s", label, got)
			}
		}
	}
	if got, ok := TLPAmberStrict.CSAF20(); !ok || got != "RED" {
		t.Errorf("TLP:AMBER+STRICT becomes %s in CSAF 2.0", got)
	}
	if _, ok := (TLPVocabulary{TLPClear, TLPGreen}).Convert(TLPAmber); ok {
		t.Error("TLP:AMBER fits into a format that knows only green")
	}
	if Stricter(TLPGreen, TLPAmber) != TLPAmber || Stricter(TLPGreen, 0) != 0 {
		t.Error("the stricter label is not the stricter one")
	}
}

var worldParties = func() (all []PartyID) {
	for i := range 6 {
		all = append(all, party(i))
	}
	return all
}()

// world is a random community: who buys from whom, what is agreed, who needs to know.
type world struct {
	parties   []PartyID
	customer  [][]bool // [a][b]: b is a customer of a
	agreed    [][]bool
	ceiling   [][]TLP
	member    [][]bool
	need      [][]bool
	originate int
	marking   Marking
	at        time.Time
}

func drawWorld(t *rapid.T) *world {
	n := rapid.IntRange(2, 6).Draw(t, "parties")
	w := &world{at: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	for i := range n {
		w.parties = append(w.parties, worldParties[i])
	}
	table := func(name string, likely int) [][]bool {
		rows := make([][]bool, n)
		for a := range rows {
			rows[a] = make([]bool, n)
			for b := range rows[a] {
				rows[a][b] = a != b && rapid.IntRange(0, 9).Draw(t, name) < likely
			}
		}
		return rows
	}
	w.customer, w.agreed, w.member, w.need = table("customer", 4), table("agreed", 6), table("member", 2), table("need", 5)
	w.ceiling = make([][]TLP, n)
	for a := range n {
		w.ceiling[a] = make([]TLP, n)
		for b := range n {
			w.ceiling[a][b] = TLP(rapid.IntRange(0, 5).Draw(t, "ceiling"))
		}
	}
	w.originate = rapid.IntRange(0, n-1).Draw(t, "originator")
	some := func(name string) []PartyID {
		var chosen []PartyID
		for _, p := range w.parties {
			if rapid.Bool().Draw(t, name) {
				chosen = append(chosen, p)
			}
		}
		return chosen
	}
	w.marking = Marking{TLP: TLP(rapid.IntRange(1, 5).Draw(t, "label"))}
	if rapid.IntRange(0, 3).Draw(t, "named") > 0 {
		w.marking.Audience = some("audience")
	}
	switch w.marking.TLP {
	case TLPAmber:
		w.marking.Clients = some("clients")
	case TLPRed:
		if rapid.Bool().Draw(t, "with people") {
			w.marking.People = []string{"a person"}
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "embargo") == 0 {
		w.marking.Embargo = w.at.Add(time.Hour)
	}
	if rapid.IntRange(0, 6).Draw(t, "expiry") == 0 {
		w.marking.Expires = w.at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "expires")) * time.Hour)
	}
	return w
}

func (w *world) relation(a, b int) Relation {
	r := Relation{Originator: w.parties[w.originate], Agreed: w.agreed[a][b], Ceiling: w.ceiling[a][b], Need: w.need[a][b], At: w.at}
	if w.customer[a][b] {
		r.Standing |= IsCustomer
	}
	if w.customer[b][a] {
		r.Standing |= IsSupplier
	}
	if w.member[a][b] {
		r.Standing |= IsMember
	}
	return r
}

// spread lets everybody pass on whatever the gate allows until nothing changes.
func (w *world) spread() []bool {
	holds := make([]bool, len(w.parties))
	holds[w.originate] = true
	for changed := true; changed; {
		changed = false
		for a := range holds {
			for b := range holds {
				if !holds[a] || holds[b] {
					continue
				}
				if ok, _ := MayShare(w.marking, w.parties[a], w.parties[b], w.relation(a, b)); ok {
					holds[b], changed = true, true
				}
			}
		}
	}
	return holds
}

// entitled says who may come to hold it, from the definitions of the labels and not
// from the order of the gate's rules.
func (w *world) entitled() []bool {
	m, n, o := w.marking, len(w.parties), w.originate
	holds := make([]bool, n)
	holds[o] = true
	if !m.Expires.IsZero() && !w.at.Before(m.Expires) {
		return holds
	}
	named := func(p int) bool { return slices.Contains(m.Audience, w.parties[p]) }
	passes := w.at.Before(m.Embargo) // only the originator
	channel := func(a, b int) bool {
		return w.agreed[a][b] && (w.ceiling[a][b] == 0 || m.TLP <= w.ceiling[a][b])
	}
	open := m.TLP == TLPClear && len(m.Audience) == 0
	partners := func(a, b int) bool { return w.customer[a][b] || w.customer[b][a] || w.member[a][b] }
	for range n {
		for a := range n {
			if !holds[a] || passes && a != o {
				continue
			}
			for b := range n {
				if a == b {
					continue
				}
				var ok bool
				switch m.TLP {
				case TLPClear:
					ok = open || named(b) && channel(a, b)
				case TLPGreen:
					ok = channel(a, b) && partners(a, b) && (len(m.Audience) == 0 || named(b))
				case TLPAmber:
					client := named(a) && a != o && w.customer[a][b] && (len(m.Clients) == 0 && w.need[a][b] || slices.Contains(m.Clients, w.parties[b]))
					ok = channel(a, b) && len(m.Audience) > 0 && (named(b) || client)
				case TLPAmberStrict:
					ok = a == o && channel(a, b) && named(b)
				case TLPRed:
					ok = a == o && channel(a, b) && named(b) && len(m.People) > 0
				}
				holds[b] = holds[b] || ok
			}
		}
	}
	return holds
}

// many makes rapid try so many cases in this test.
func many(t *testing.T, checks int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	before := f.Value.String()
	if err := f.Value.Set(strconv.Itoa(checks)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(before) })
}

// Nobody ever holds an entry that marking and agreements did not allow, and everyone
// entitled does.
func TestSpread(t *testing.T) {
	many(t, spreadChecks)
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		holds, entitled := w.spread(), w.entitled()
		for i := range holds {
			if holds[i] != entitled[i] {
				t.Fatalf("party %d holds %v, entitled %v: originator %d, %+v", i, holds[i], entitled[i], w.originate, w.marking)
			}
		}
	})
}

// A person who is not named never sees TLP:RED, wherever it is held.
func TestRedIsForPeople(t *testing.T) {
	a, b := party(1), party(2)
	m := Marking{TLP: TLPRed, Audience: []PartyID{b}, People: []string{"the security lead"}}
	for _, c := range []struct {
		from, to PartyID
		person   string
		ok       bool
	}{
		{a, a, "", true}, {a, a, "somebody else", false}, {a, a, "the security lead", true},
		{b, b, "", false}, {b, b, "somebody else", false}, {b, b, "the security lead", true},
		{a, b, "", true}, {b, a, "", false},
	} {
		ok, why := MayShare(m, c.from, c.to, Relation{Originator: a, Agreed: true, Person: c.person, At: time.Now()})
		if ok != c.ok {
			t.Errorf("%s to %s, %q: %v: %s", c.from, c.to, c.person, ok, why)
		}
	}
}
