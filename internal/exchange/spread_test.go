package exchange

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

var spreadSeed = flag.Uint64("spread-seed", firstSpread, "of the communities of TestNobodyHoldsMore; 0: a new one")

const (
	communityOrganisations = 100
	communityStatements    = 500
)

// community is a random one on one node: who trades with whom, what they agreed, and
// who would say of whom that they need to know.
type community struct {
	t      *testing.T
	rng    *rand.Rand
	houses []someone
	ids    []entente.PartyID
	trades map[[2]int]deal // from, to
	all    []spreading
	passed map[string]bool // organisation and subject
}

// deal is what one may tell the other, as the agreement has it.
type deal struct {
	customer bool // the other buys from the one
	ceiling  map[entente.EntryKind]entente.TLP
	force    bool // the agreement is in force already
	need     bool // who passes something on would say that the other needs to know it
}

// spreading is one statement on its way.
type spreading struct {
	by int
	NewStatement
}

// Nobody ever holds an entry that marking and agreements did not allow, and everyone
// entitled does: random communities say and pass on through the real outbox, and what
// everybody holds at the end is what the labels define, worked out in another way.
func TestNobodyHoldsMore(t *testing.T) {
	seed := *spreadSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	const communities = spreadHoldings / (communityOrganisations * communityStatements)
	for worker := range uint64(2) {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, worker))
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("again: -run TestNobodyHoldsMore -spread-seed %d", seed)
				}
			})
			held := 0
			for range (communities + 1) / 2 {
				held += newCommunity(t, rng).spread()
				if t.Failed() {
					return
				}
			}
			t.Logf("%d times an organisation held something of another", held)
		})
	}
}

// spread lets everybody say something and pass on what they may, until nothing moves,
// and compares what each holds with what it is entitled to.
func (c *community) spread() (held int) {
	for n := range communityStatements {
		c.say(n)
	}
	for moved := true; moved; {
		for _, s := range c.houses {
			ok(c.t, s.work())
		}
		moved = c.passOn()
	}
	for i, s := range c.houses {
		subjects := map[string]bool{}
		for _, e := range s.holds() {
			subjects[e.Subject] = true
		}
		for _, st := range c.all {
			entitled := c.entitled(st)[i] && i != st.by
			if subjects[st.Subject] {
				held++
			}
			if subjects[st.Subject] != entitled {
				c.t.Errorf("%s holds %s: %v, entitled: %v; said by %s: %+v", s.org, st.Subject, subjects[st.Subject], entitled, c.houses[st.by].org, st.NewStatement)
			}
		}
	}
	return held
}

// holds is all that the organisation received and that people say.
func (s someone) holds() (all []stored) {
	s.t.Helper()
	ok(s.t, s.db.Read(s.t.Context(), func(tx *db.Tx) (err error) {
		all, err = db.All(s.t.Context(), tx, scanEntry, "SELECT "+entryColumns+" FROM exchange_entry WHERE org = $1 AND way = 'in' AND kind IN ('practice', 'note') ORDER BY party, number", s.org)
		return err
	}))
	return all
}

func newCommunity(t *testing.T, rng *rand.Rand) *community {
	c := &community{t: t, rng: rng, trades: map[[2]int]deal{}, passed: map[string]bool{}}
	h := newHouse(t, dbtest.SQLite(t))
	for i := range communityOrganisations {
		s := h.host(fmt.Sprintf("Organisation %d", i))
		c.houses, c.ids = append(c.houses, s), append(c.ids, s.party())
	}
	for range communityOrganisations * 3 / 2 {
		c.partners(rng.IntN(communityOrganisations), rng.IntN(communityOrganisations))
	}
	return c
}

// partners makes two organisations partners, by terms drawn.
func (c *community) partners(a, b int) {
	if _, are := c.trades[[2]int{a, b}]; are || a == b {
		return
	}
	buys, from := c.rng.IntN(3) > 0, c.houses[a].Service.now()
	force := c.rng.IntN(8) > 0
	if !force {
		from = from.Add(24 * time.Hour)
	}
	terms := StandardTerms(buys, !buys || c.rng.IntN(4) == 0, from)
	terms.Shares = nil
	draw := func(customer, inviter bool) deal {
		t := deal{customer: customer, force: force, need: c.rng.IntN(2) == 0, ceiling: map[entente.EntryKind]entente.TLP{}}
		for _, kind := range []entente.EntryKind{entente.EntryPractice, entente.EntryNote} {
			if ceiling := entente.TLP(c.rng.IntN(6)); ceiling > 0 {
				t.ceiling[kind] = ceiling
				terms.Shares = append(terms.Shares, TermShare{Kind: kind, Inviter: inviter, Invitee: !inviter, Default: entente.TLPClear, Ceiling: ceiling})
			}
		}
		return t
	}
	c.trades[[2]int{a, b}], c.trades[[2]int{b, a}] = draw(terms.Supplies, true), draw(terms.Buys, false)
	ticket, _, err := c.houses[a].Invite(c.t.Context(), c.houses[a].owner, NewInvitation{Name: "Partner", Terms: terms})
	ok(c.t, err)
	_, err = c.houses[b].Accept(c.t.Context(), c.houses[b].owner, ticket.Link(), nil, "")
	ok(c.t, err)
}

// say lets somebody say something to whomever, under any label.
func (c *community) say(n int) {
	st := spreading{by: c.rng.IntN(len(c.houses)), NewStatement: NewStatement{
		Kind: entente.EntryPractice, Subject: fmt.Sprintf("practice/%d", n), Title: "Two people sign", Basis: "by agreement",
		Body: []byte(`{"title":"Two people sign","text":"Every release is signed by two people."}`), Marking: entente.Marking{TLP: entente.TLP(1 + c.rng.IntN(5))},
	}}
	if c.rng.IntN(3) == 0 {
		st.Kind, st.Body = entente.EntryNote, []byte(`{"title":"We met","date":"2026-11-02","points":["Two people sign."]}`)
	}
	some := func(likely int) (chosen []entente.PartyID) {
		for i, id := range c.ids {
			if i != st.by && c.rng.IntN(10) < likely {
				chosen = append(chosen, id)
			}
		}
		return chosen
	}
	if c.rng.IntN(4) > 0 {
		st.To = some(6)
	}
	m := &st.Marking
	if m.TLP == entente.TLPAmber && c.rng.IntN(3) == 0 {
		m.Clients = some(3)
	}
	if m.TLP == entente.TLPRed && c.rng.IntN(4) > 0 {
		m.People = []string{"security lead"}
	}
	if c.rng.IntN(6) == 0 {
		m.Embargo = time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	}
	switch c.rng.IntN(12) {
	case 0:
		m.Expires = time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	case 1:
		m.Expires = time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	}
	s := c.houses[st.by]
	_, _, err := s.Say(c.t.Context(), s.owner, st.NewStatement)
	someone := slices.Contains(c.entitled(st), true)
	switch {
	case err != nil && (someone || entente.KindOf(err) != entente.KindDenied):
		c.t.Fatalf("%s could not say %+v: %v", s.org, st.NewStatement, err)
	case err == nil && !someone:
		c.t.Errorf("%s said to nobody: %+v", s.org, st.NewStatement)
	}
	c.all = append(c.all, st)
}

// passOn lets everybody pass on whatever they received to all who may have it, and says
// whether anything was passed on.
func (c *community) passOn() (moved bool) {
	for i, s := range c.houses {
		for _, e := range s.holds() {
			once := fmt.Sprint(i, e.Subject)
			if c.passed[once] {
				continue
			}
			c.passed[once] = true
			ref := EntryRef{e.Party, e.Number}
			choice, err := s.Passable(c.t.Context(), s.owner, ref)
			if entente.KindOf(err) == entente.KindDenied {
				continue // TLP:RED that this person does not see
			}
			ok(c.t, err)
			var to []entente.PartyID
			for _, line := range choice.Lines {
				if line.Allowed || line.Asks && c.trades[[2]int{i, slices.Index(c.ids, line.Party)}].need {
					to = append(to, line.Party)
				}
			}
			if len(to) > 0 {
				_, _, err = s.PassOn(c.t.Context(), s.owner, ref, Passing{To: to, Why: "it concerns what they run"})
				ok(c.t, err)
				moved = true
			}
		}
	}
	return moved
}

// entitled says who may come to hold a statement, from the definitions of the labels
// (TLP 2.0) and the agreements, and not from the order of the gate's rules.
func (c *community) entitled(st spreading) []bool {
	holds := make([]bool, len(c.houses))
	m := st.Marking
	if !m.Expires.IsZero() && m.Expires.Before(time.Now()) {
		return holds
	}
	channel := func(a, b int) bool {
		t := c.trades[[2]int{a, b}]
		return t.force && t.ceiling[st.Kind] > 0 && m.TLP <= t.ceiling[st.Kind]
	}
	partners := func(a, b int) bool { _, are := c.trades[[2]int{a, b}]; return are }
	named := func(b int) bool { return slices.Contains(st.To, c.ids[b]) }
	for b := range holds { // from its originator
		switch {
		case m.TLP == entente.TLPClear && len(st.To) == 0:
			holds[b] = partners(st.by, b)
		case m.TLP <= entente.TLPGreen:
			holds[b] = channel(st.by, b) && (len(st.To) == 0 || named(b))
		default:
			holds[b] = channel(st.by, b) && named(b) && (m.TLP != entente.TLPRed || len(m.People) > 0)
		}
	}
	if !m.Embargo.IsZero() {
		return holds
	}
	first := slices.Clone(holds)
	for changed := true; changed; { // and on
		changed = false
		for a := range holds {
			for b := range holds {
				if !holds[a] || holds[b] || b == st.by || a == st.by {
					continue
				}
				t := c.trades[[2]int{a, b}]
				switch {
				case m.TLP == entente.TLPClear && len(st.To) == 0:
					holds[b] = partners(a, b)
				case m.TLP == entente.TLPGreen && len(st.To) == 0:
					holds[b] = channel(a, b)
				case m.TLP == entente.TLPAmber: // one step, to customers
					client := len(m.Clients) == 0 && t.need || slices.Contains(m.Clients, c.ids[b])
					holds[b] = first[a] && t.customer && client && channel(a, b)
				}
				changed = changed || holds[b]
			}
		}
	}
	return holds
}
