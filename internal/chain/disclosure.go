package chain

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	hexadecimal "encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/entente-project/entente"
)

// Level is how much a customer is told of one of our suppliers.
type Level string

// The levels, from the least to the most.
const (
	TellNothing Level = "nothing"
	TellCount   Level = "count" // that there is one more
	TellBlind   Level = "blind" // hidden behind blind ids, with the category and what hangs on it
	TellName    Level = "name"  // who it is
)

// Levels lists the levels, from the least to the most.
func Levels() []Level { return []Level{TellNothing, TellCount, TellBlind, TellName} }

// Choice says how much a customer is told of our suppliers.
type Choice struct {
	Overall   Level // of those of whom nothing else is said; empty: nothing
	Suppliers map[NodeID]Level
}

// Of is the level for one supplier.
func (c Choice) Of(supplier NodeID) Level {
	return cmp.Or(c.Suppliers[supplier], c.Overall, TellNothing)
}

// Disclosure is what a supplier tells of its own suppliers, all of it: the body of
// entries of [entente.EntryChain].
type Disclosure struct {
	Suppliers []Disclosed `json:"suppliers,omitempty"`
	// Counted are how many there are besides, of whom nothing else is told.
	Counted int `json:"counted,omitempty"`
	// Complete says that there are no others.
	Complete bool `json:"complete,omitempty"`
}

// Disclosed is one supplier of a supplier: named, or hidden behind blind ids.
type Disclosed struct {
	Name    string   `json:"name,omitempty"`
	LEI     string   `json:"lei,omitempty"`
	Domains []string `json:"domains,omitempty"`
	Country string   `json:"country,omitempty"`
	// Blind are its blind ids for this customer (see [BlindIDs]), if it is not named.
	Blind    []string `json:"blind,omitempty"`
	Category string   `json:"category,omitempty"`
	// Needed says that the sender cannot go on without it for longer than Buffer, as
	// maps write durations.
	Needed bool   `json:"needed,omitempty"`
	Buffer string `json:"buffer,omitempty"`
}

// Span is the buffer as a duration; 0 if it says none that can be read.
func (d Disclosed) Span() time.Duration {
	span, err := ParseDuration(d.Buffer)
	if err != nil {
		return 0
	}
	return span
}

// The bounds of a disclosure.
const (
	MaxDisclosed      = 2_000
	maxDisclosedText  = 300
	maxDisclosedItems = 20 // domains and blind ids of one supplier
)

// ParseDisclosure reads the body of an entry.
func ParseDisclosure(body []byte) (Disclosure, error) {
	var d Disclosure
	if len(body) > entente.MaxEntry {
		return d, entente.TooLarge("what is told of suppliers is larger than %d bytes", entente.MaxEntry)
	}
	if json.NewDecoder(bytes.NewReader(body)).Decode(&d) != nil {
		return d, entente.Invalid("what is told of suppliers cannot be read")
	}
	if len(d.Suppliers) > MaxDisclosed {
		return d, entente.TooLarge("more than %d suppliers are told of", MaxDisclosed)
	}
	if d.Counted < 0 || d.Counted > 1_000_000_000 {
		return d, entente.Invalid("the number of suppliers is none")
	}
	for i := range d.Suppliers {
		s := &d.Suppliers[i]
		s.Name, s.LEI, s.Country, s.Category = plain(s.Name), plain(s.LEI), plain(s.Country), plain(s.Category)
		if s.Name == "" && len(s.Blind) == 0 {
			return d, entente.Invalid("supplier %d is neither named nor hidden behind a blind id", i+1)
		}
		for _, list := range [][]string{{s.Name, s.LEI, s.Country, s.Category, s.Buffer}, s.Domains, s.Blind} {
			if len(list) > maxDisclosedItems || slices.ContainsFunc(list, func(text string) bool { return len(text) > maxDisclosedText }) {
				return d, entente.TooLarge("more is told of supplier %d than can be kept", i+1)
			}
		}
		if _, err := ParseDuration(s.Buffer); s.Buffer != "" && err != nil {
			return d, entente.Invalid("the buffer of supplier %d is no duration", i+1)
		}
		for j := range s.Domains {
			s.Domains[j] = strings.ToLower(plain(s.Domains[j]))
		}
		for _, b := range s.Blind {
			if raw, err := hexadecimal.DecodeString(b); err != nil || len(raw) != blindBytes {
				return d, entente.Invalid("the blind id of supplier %d is none", i+1)
			}
		}
	}
	return d, nil
}

// plain takes out of a foreign text what does not belong into one line.
func plain(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x200e && r <= 0x202e || r >= 0x2060 && r <= 0x206f {
			return ' '
		}
		return r
	}, text))
}

// How blind ids are made: argon2id (RFC 9106) with 2 passes over 19 MiB.
const (
	blindBytes  = 16
	blindPasses = 2
	blindMemory = 19 << 10 // KiB
)

// BlindIDs hides an organisation for one customer: an id for its LEI and for each of its
// domains, or, if it has neither, for its name. Two suppliers of the customer who hide
// the same organisation have an id in common, which the customer sees; two customers
// have none. Whoever receives the ids can test a guess, at the price of one run of
// argon2id each; they cannot be turned back, but they do not protect against somebody
// who has a short list to try.
func BlindIDs(customer entente.PartyID, name, lei string, domains []string) []string {
	var all []string
	if lei = strings.ToUpper(strings.TrimSpace(lei)); lei != "" {
		all = append(all, "lei:"+lei)
	}
	for _, d := range domains {
		if d = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(d)), "."); d != "" {
			all = append(all, "domain:"+d)
		}
	}
	if len(all) == 0 {
		all = append(all, "name:"+foldName(name))
	}
	salt := sha256.Sum256([]byte("entente blind v1\x00" + customer))
	for i, text := range all {
		all[i] = hexadecimal.EncodeToString(argon2.IDKey([]byte(text), salt[:blindBytes], blindPasses, blindMemory, 1, blindBytes))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// foldName writes a name so that small differences of writing do not count.
func foldName(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

// ToTell is one direct supplier, and what a customer would be told of it.
type ToTell struct {
	Organisation *Organisation
	Level        Level // as it was chosen for it; empty: as for all
	Said         Level // as it counts
	Category     string
	Needed       bool
	Buffer       time.Duration
}

// ToTell lists our direct suppliers with what would be told of each. The customer, as
// an organisation of our chain or "", is told nothing of itself.
func (g *Graph) ToTell(c Choice, customer NodeID) []ToTell {
	var all []ToTell
	category := map[NodeID]string{}
	for i := range g.ours.Supplies {
		if s := &g.ours.Supplies[i]; s.Customer == g.ours.Own && category[s.Supplier] == "" {
			category[s.Supplier] = s.Category
		}
	}
	ends := g.endsFor(customer)
	for i := range g.ours.Organisations {
		o := &g.ours.Organisations[i]
		if g.ranks[i] != 1 || o.ID == customer {
			continue
		}
		t := ToTell{Organisation: o, Level: c.Suppliers[o.ID], Said: c.Of(o.ID), Category: cmp.Or(category[o.ID], o.Category)}
		t.Needed, t.Buffer = g.ends(o.ID, ends)
		all = append(all, t)
	}
	return all
}

// endsFor are what must go on for a customer: what we supply to it, if the chain says
// so, and else all our processes.
func (g *Graph) endsFor(customer NodeID) map[NodeID]bool {
	ends := map[NodeID]bool{}
	for i := range g.ours.Supplies {
		if s := &g.ours.Supplies[i]; s.Supplier == g.ours.Own && s.Customer == customer && len(s.Needs) > 0 {
			ends[s.ID] = true
		}
	}
	if len(ends) == 0 {
		for i := range g.ours.Processes {
			ends[g.ours.Processes[i].ID] = true
		}
	}
	return ends
}

// ends says whether an organisation alone stops one of some things, and how soon.
func (g *Graph) ends(organisation NodeID, things map[NodeID]bool) (bool, time.Duration) {
	o := g.Outage([]NodeID{organisation}, OutageOptions{})
	for _, e := range o.order {
		if things[g.ids[e.node]] && e.at < Never {
			return true, e.at
		}
	}
	return false, 0
}

// Disclose makes of a list what the customer is told. Blind ids take a moment each.
func Disclose(all []ToTell, customer entente.PartyID) Disclosure {
	d := Disclosure{Complete: true}
	for _, t := range all {
		told := Disclosed{Category: t.Category, Needed: t.Needed}
		if t.Needed && t.Buffer > 0 {
			told.Buffer = FormatDuration(t.Buffer)
		}
		o := t.Organisation
		switch t.Said {
		case TellName:
			told.Name, told.LEI, told.Domains, told.Country = o.Name, o.LEI, o.Domains, o.Country
		case TellBlind:
			told.Blind = BlindIDs(customer, o.Name, o.LEI, o.Domains)
		case TellCount:
			d.Counted++
			continue
		default:
			d.Complete = false
			continue
		}
		d.Suppliers = append(d.Suppliers, told)
	}
	return d
}
