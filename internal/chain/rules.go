package chain

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/entente-project/entente"
)

// Limits of a map's fields.
const (
	// MaxProblems is how many problems of one map are told one by one.
	MaxProblems = 100

	maxName     = 200
	maxText     = 4000
	maxList     = 500                // entries of one list inside a thing
	maxSpend    = 10_000_000_000_000 // half a million of them still fit in an int64
	maxPerHour  = 1_000_000_000_000
	maxThings   = 500_000
	maxCostRows = 100
)

// Validate lists what is wrong with a map, each with the path of its field; an
// empty list means that [Compile] takes it. At most [MaxProblems] are listed, and
// one more line that counts the rest.
//
// Needs may refer to a thing of any kind, and may form cycles; ownership
// (organisation.parent) may not.
func Validate(m *Map) []entente.FieldError {
	v := &validator{m: m}
	v.run()
	return v.problems.list()
}

// problems collects what is wrong, up to a bound.
type problems struct {
	found []entente.FieldError
	more  int
	ended bool // nobody looked any further
}

// maxCounted is how many problems are counted before nobody looks any further.
const maxCounted = 10_000

func (p *problems) add(f entente.FieldError) {
	if len(p.found) >= MaxProblems {
		p.more++
		return
	}
	p.found = append(p.found, f)
}

func (p *problems) list() []entente.FieldError {
	switch {
	case p.ended:
		return append(p.found, entente.FieldError{Message: entente.Say("… and more than %d more problems", p.more)})
	case p.more > 0:
		return append(p.found, entente.FieldError{Message: entente.Say("… and %d more problems", p.more)})
	}
	return p.found
}

// place is the path of a field, written out only when there is something to say.
type place struct {
	up    *place
	name  string // "" for an entry of a list
	index int
}

func (p *place) field(name string) *place { return &place{up: p, name: name} }
func (p *place) at(i int) *place          { return &place{up: p, index: i} }

// String writes the path: processes[2].bia.rto.
func (p *place) String() string {
	switch {
	case p == nil:
		return ""
	case p.name == "":
		return fmt.Sprintf("%s[%d]", p.up, p.index)
	case p.up == nil:
		return p.name
	}
	return p.up.String() + "." + p.name
}

func root(name string) *place { return &place{name: name} }

type validator struct {
	problems
	m         *Map
	kind      map[NodeID]NodeKind // flows included, as kindFlow
	suggested int
}

// kindFlow marks the ids of flows, which nothing may refer to.
const kindFlow NodeKind = "flow"

func (v *validator) say(at *place, text entente.Text, args ...any) {
	if len(v.found) >= MaxProblems {
		v.more++ // without the cost of words that nobody reads
		return
	}
	v.add(entente.FieldError{Field: at.String(), Message: entente.Say(text, args...)})
}

func (v *validator) run() {
	m := v.m
	if n := m.things(); n > maxThings {
		v.say(root("format"), "the map holds %d things; at most %d are taken", n, maxThings)
		return
	}
	v.identifiers()
	if err := validCurrency(m.Currency); err != nil {
		v.say(root("currency"), "%v", err)
	}
	v.reference(root("organisation"), m.Own, KindOrganisation)
	for i := range m.Organisations {
		v.organisation(root("organisations").at(i), &m.Organisations[i])
	}
	v.ownership()
	for i := range m.Processes {
		v.process(root("processes").at(i), &m.Processes[i])
	}
	for i := range m.Systems {
		v.system(root("systems").at(i), &m.Systems[i])
	}
	for i := range m.Supplies {
		v.supply(root("supplies").at(i), &m.Supplies[i])
	}
	for i := range m.Products {
		v.product(root("products").at(i), &m.Products[i])
	}
	for i := range m.Flows {
		v.flow(root("flows").at(i), &m.Flows[i])
	}
}

// things counts what a map holds.
func (m *Map) things() int {
	n := len(m.Organisations) + len(m.Processes) + len(m.Systems) + len(m.Supplies) + len(m.Products) + len(m.Flows)
	for i := range m.Processes {
		n += len(m.Processes[i].Activities)
	}
	return n
}

// each yields every identifier of the map with its kind and place.
func (m *Map) each() iter.Seq2[*place, idOf] {
	return func(yield func(*place, idOf) bool) {
		for i := range m.Organisations {
			if !yield(root("organisations").at(i), idOf{m.Organisations[i].ID, KindOrganisation}) {
				return
			}
		}
		for i := range m.Processes {
			at := root("processes").at(i)
			if !yield(at, idOf{m.Processes[i].ID, KindProcess}) {
				return
			}
			for j := range m.Processes[i].Activities {
				if !yield(at.field("activities").at(j), idOf{m.Processes[i].Activities[j].ID, KindActivity}) {
					return
				}
			}
		}
		for i := range m.Systems {
			if !yield(root("systems").at(i), idOf{m.Systems[i].ID, KindSystem}) {
				return
			}
		}
		for i := range m.Supplies {
			if !yield(root("supplies").at(i), idOf{m.Supplies[i].ID, KindSupply}) {
				return
			}
		}
		for i := range m.Products {
			if !yield(root("products").at(i), idOf{m.Products[i].ID, KindProduct}) {
				return
			}
		}
		for i := range m.Flows {
			if !yield(root("flows").at(i), idOf{m.Flows[i].ID, kindFlow}) {
				return
			}
		}
	}
}

type idOf struct {
	id   NodeID
	kind NodeKind
}

func (v *validator) identifiers() {
	v.kind = make(map[NodeID]NodeKind, v.m.things())
	for at, thing := range v.m.each() {
		if err := entente.ValidSlug(string(thing.id)); err != nil {
			v.say(at.field("id"), "%v", err)
			continue
		}
		if other, taken := v.kind[thing.id]; taken {
			v.say(at.field("id"), "the id %q is taken already by %s; an id is unique among all things of the map", thing.id, article(other))
			continue
		}
		v.kind[thing.id] = thing.kind
	}
}

// article names a thing of a kind, as one of several.
func article(k NodeKind) entente.Text {
	switch k {
	case KindOrganisation:
		return "an organisation"
	case KindProcess:
		return "a process"
	case KindActivity:
		return "an activity"
	case KindSystem:
		return "a system"
	case KindSupply:
		return "a supply"
	case KindProduct:
		return "a product"
	case kindFlow:
		return "a flow"
	}
	return "a thing"
}

// reference checks that id names a thing of one of the wanted kinds.
func (v *validator) reference(at *place, id NodeID, want ...NodeKind) bool {
	if id == "" {
		v.say(at, "the reference is missing: give the id of %s", oneOf(want))
		return false
	}
	kind, known := v.kind[id]
	if !known && len(v.found) >= MaxProblems {
		v.more++
		return false
	}
	if !known {
		near := v.near(id, want)
		if near != "" {
			v.say(at, "nothing in the map has the id %.80q; did you mean %q?", id, near)
		} else {
			v.say(at, "nothing in the map has the id %.80q", id)
		}
		return false
	}
	if !slices.Contains(want, kind) {
		v.say(at, "%q is %s; here belongs %s", id, article(kind), oneOf(want))
		return false
	}
	return true
}

// maxSuggested is for how many unknown references the whole map is searched for
// what may have been meant.
const maxSuggested = 10

func (v *validator) near(id NodeID, want []NodeKind) string {
	if v.suggested++; v.suggested > maxSuggested {
		return ""
	}
	return closest(string(id), func(yield func(string) bool) {
		for _, thing := range v.m.each() {
			if slices.Contains(want, thing.kind) && !yield(string(thing.id)) {
				return
			}
		}
	})
}

// optional is reference for a field that may be left out.
func (v *validator) optional(at *place, id NodeID, want ...NodeKind) {
	if id != "" {
		v.reference(at, id, want...)
	}
}

func oneOf(kinds []NodeKind) entente.List {
	words := make([]entente.Text, len(kinds))
	for i, k := range kinds {
		words[i] = article(k)
	}
	return entente.Or(words)
}

// anything are the kinds that a need may refer to.
var anything = []NodeKind{KindSystem, KindSupply, KindActivity, KindProcess, KindOrganisation, KindProduct}

func (v *validator) name(at *place, s string) {
	if strings.TrimSpace(s) == "" {
		v.say(at.field("name"), "the name is missing")
		return
	}
	v.line(at.field("name"), s)
}

// line checks a text of one line.
func (v *validator) line(at *place, s string) { v.text(at, s, maxName, false) }

// prose checks a text that may have several lines.
func (v *validator) prose(at *place, s string) { v.text(at, s, maxText, true) }

func (v *validator) text(at *place, s string, longest int, lines bool) {
	if s == "" {
		return
	}
	if n := utf8.RuneCountInString(s); n > longest {
		v.say(at, "the text has %d characters; at most %d are taken", n, longest)
		return
	}
	if !utf8.ValidString(s) {
		v.say(at, "the text is not valid UTF-8")
		return
	}
	for _, r := range s {
		switch {
		case lines && (r == '\n' || r == '\t'):
		case r == '\n':
			v.say(at, "the text holds a line break, and only one line is taken here")
			return
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff':
			v.say(at, "the text holds the character %U, which cannot be stored", r)
			return
		}
	}
}

func (v *validator) count(at *place, n int) bool {
	if n > maxList {
		v.say(at, "the list has %d entries; at most %d are taken", n, maxList)
		return false
	}
	return true
}

// choice checks a word out of a fixed set; "" is unknown, and is allowed unless
// the field is required.
func choice[T ~string](v *validator, at *place, s T, required bool, known ...T) {
	if slices.Contains(known, s) || s == "" && !required {
		return
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	list := strings.Join(words, ", ")
	if s == "" {
		v.say(at, "it is missing; take one of %s", list)
		return
	}
	if near := closest(strings.ToLower(string(s)), slices.Values(words)); near != "" {
		v.say(at, "%.40q is not one of %s; did you mean %q?", s, list, near)
		return
	}
	v.say(at, "%.40q is not one of %s", s, list)
}

func (v *validator) duration(at *place, d time.Duration) bool {
	switch {
	case d < 0:
		v.say(at, "the duration is negative")
	case d > MaxDuration:
		v.say(at, "the duration is longer than ten years")
	case d%time.Second != 0:
		v.say(at, "the duration %s is not in whole seconds", d.String())
	default:
		return true
	}
	return false
}

func (v *validator) organisation(at *place, o *Organisation) {
	v.name(at, o.Name)
	if o.LEI != "" {
		if err := validLEI(o.LEI); err != nil {
			v.say(at.field("lei"), "%v", err)
		}
	}
	if v.count(at.field("domains"), len(o.Domains)) {
		for i, d := range o.Domains {
			if err := validDomain(d); err != nil {
				v.say(at.field("domains").at(i), "%v", err)
			} else if slices.Contains(o.Domains[:i], d) {
				v.say(at.field("domains").at(i), "the domain %q is listed twice", d)
			}
		}
	}
	if o.Country != "" {
		if err := validCountry(o.Country); err != nil {
			v.say(at.field("country"), "%v", err)
		}
	}
	v.line(at.field("category"), o.Category)
	v.optional(at.field("parent"), o.Parent, KindOrganisation)
	v.prose(at.field("note"), o.Note)
	if !v.count(at.field("contacts"), len(o.Contacts)) {
		return
	}
	for i, c := range o.Contacts {
		at := at.field("contacts").at(i)
		v.name(at, c.Name)
		v.line(at.field("role"), c.Role)
		v.line(at.field("phone"), c.Phone)
		if c.Email != "" {
			if err := validEmail(c.Email); err != nil {
				v.say(at.field("email"), "%v", err)
			}
		}
	}
}

// ownership finds cycles of organisation.parent, each told once at its first
// organisation.
func (v *validator) ownership() {
	position := make(map[NodeID]int, len(v.m.Organisations))
	for i := range v.m.Organisations {
		position[v.m.Organisations[i].ID] = i
	}
	walk := make([]int, len(v.m.Organisations)) // by which walk an organisation was passed
	for start := range v.m.Organisations {
		for i, ok := start, true; ok; {
			if walk[i] == start+1 {
				v.cycle(i, position)
			}
			if walk[i] != 0 {
				break
			}
			walk[i] = start + 1
			i, ok = position[v.m.Organisations[i].Parent]
		}
	}
}

func (v *validator) cycle(start int, position map[NodeID]int) {
	var round []string
	first := start
	for i, n := start, 0; ; n++ {
		o := &v.m.Organisations[i]
		if n < 10 {
			round = append(round, strconv.Quote(string(o.ID)))
		}
		first = min(first, i)
		i = position[o.Parent]
		if i == start {
			if n >= 10 {
				round = append(round, "…")
			}
			break
		}
	}
	round = append(round, strconv.Quote(string(v.m.Organisations[start].ID)))
	v.say(root("organisations").at(first).field("parent"), "the ownership runs in a circle: %s", entente.Joined(round, ", owned by "))
}

func (v *validator) process(at *place, p *Process) {
	v.name(at, p.Name)
	v.prose(at.field("description"), p.Description)
	v.line(at.field("owner"), p.Owner)
	v.bia(at.field("bia"), &p.BIA)
	v.items(at.field("inputs"), p.Inputs)
	v.items(at.field("outputs"), p.Outputs)
	if v.count(at.field("activities"), len(p.Activities)) {
		for i := range p.Activities {
			a := &p.Activities[i]
			at := at.field("activities").at(i)
			v.name(at, a.Name)
			v.duration(at.field("buffer"), a.Buffer)
			v.needs(at.field("needs"), a.ID, a.Needs)
		}
	}
	v.needs(at.field("needs"), p.ID, p.Needs)
}

func (v *validator) bia(at *place, b *BIA) {
	choice(v, at.field("criticality"), b.Criticality, false, Critical, High, Medium, Low)
	rto := v.duration(at.field("rto"), b.RTO)
	mtpd := v.duration(at.field("mtpd"), b.MTPD)
	v.duration(at.field("rpo"), b.RPO)
	if rto && mtpd && b.RTO > 0 && b.MTPD > 0 && b.RTO > b.MTPD {
		v.say(at.field("rto"), "the RTO of %s is longer than the MTPD of %s: recovery would come after the damage became intolerable",
			FormatDuration(b.RTO), FormatDuration(b.MTPD))
	}
	if len(b.Cost) > maxCostRows {
		v.say(at.field("cost"), "the list has %d entries; at most %d are taken", len(b.Cost), maxCostRows)
		return
	}
	for i, c := range b.Cost {
		at := at.field("cost").at(i)
		if v.duration(at.field("from"), c.From) && i > 0 && c.From <= b.Cost[i-1].From {
			v.say(at.field("from"), "the rates do not ascend: %s comes after %s", FormatDuration(c.From), FormatDuration(b.Cost[i-1].From))
		}
		if c.PerHour < 0 || c.PerHour > maxPerHour {
			v.say(at.field("per_hour"), "the rate %d is outside of 0 to %d", c.PerHour, int64(maxPerHour))
		}
	}
}

func (v *validator) items(at *place, items []Item) {
	if !v.count(at, len(items)) {
		return
	}
	for i, it := range items {
		at := at.at(i)
		v.name(at, it.Name)
		v.optional(at.field("party"), it.Party, KindOrganisation)
		choice(v, at.field("kind"), it.Kind, false, ItemData, ItemGoods, ItemService)
	}
}

func (v *validator) needs(at *place, holder NodeID, needs []Need) {
	if !v.count(at, len(needs)) {
		return
	}
	for i, n := range needs {
		at := at.at(i)
		v.duration(at.field("buffer"), n.Buffer)
		v.line(at.field("note"), n.Note)
		if len(n.Any) == 0 {
			v.say(at.field("any"), "the need has no alternative: name at least one thing")
			continue
		}
		if !v.count(at.field("any"), len(n.Any)) {
			continue
		}
		for j, id := range n.Any {
			switch {
			case !v.reference(at.field("any").at(j), id, anything...):
			case id == holder:
				v.say(at.field("any").at(j), "%q needs itself", id)
			case slices.Contains(n.Any[:j], id):
				v.say(at.field("any").at(j), "the alternative %q is listed twice", id)
			}
		}
	}
}

func (v *validator) system(at *place, s *System) {
	v.name(at, s.Name)
	choice(v, at.field("kind"), s.Kind, false, SystemApplication, SystemService, SystemDataStore, SystemInterface)
	v.optional(at.field("operator"), s.Operator, KindOrganisation)
	if v.count(at.field("data"), len(s.Data)) {
		for i, c := range s.Data {
			at := at.field("data").at(i)
			choice(v, at, c, true, Classes()...)
			if slices.Contains(s.Data[:i], c) {
				v.say(at, "the class %q is listed twice", c)
			}
		}
	}
	v.products(at.field("products"), s.Products)
	v.needs(at.field("needs"), s.ID, s.Needs)
}

func (v *validator) products(at *place, products []NodeID) {
	if !v.count(at, len(products)) {
		return
	}
	for i, id := range products {
		if v.reference(at.at(i), id, KindProduct) && slices.Contains(products[:i], id) {
			v.say(at.at(i), "the product %q is listed twice", id)
		}
	}
}

func (v *validator) supply(at *place, s *Supply) {
	v.name(at, s.Name)
	supplier := v.reference(at.field("supplier"), s.Supplier, KindOrganisation)
	customer := v.reference(at.field("customer"), s.Customer, KindOrganisation)
	if supplier && customer && s.Supplier == s.Customer {
		v.say(at.field("customer"), "%q is supplier and customer of the same supply; what an organisation runs for itself is a system", s.Customer)
	}
	choice(v, at.field("kind"), s.Kind, false, Commodity, Bespoke)
	choice(v, at.field("nature"), s.Nature, true, NatureGoods, NatureService, NatureSoftware, NatureCloud)
	v.line(at.field("category"), s.Category)
	v.products(at.field("products"), s.Products)
	if v.count(at.field("access"), len(s.Access)) {
		for i, a := range s.Access {
			at := at.field("access").at(i)
			v.reference(at.field("system"), a.System, KindSystem)
			choice(v, at.field("level"), a.Level, true, AccessUser, AccessWrite, AccessPrivileged)
		}
	}
	if s.Spend < 0 || s.Spend > maxSpend {
		v.say(at.field("spend"), "the amount %d is outside of 0 to %d", s.Spend, int64(maxSpend))
	}
	v.needs(at.field("needs"), s.ID, s.Needs)
}

func (v *validator) product(at *place, p *Product) {
	v.name(at, p.Name)
	v.optional(at.field("supplier"), p.Supplier, KindOrganisation)
	v.line(at.field("version"), p.Version)
	if v.count(at.field("sboms"), len(p.SBOMs)) {
		for i, s := range p.SBOMs {
			at := at.field("sboms").at(i)
			if s == "" {
				v.say(at, "the file name is missing")
				continue
			}
			v.line(at, s)
			if err := validPattern(s); err != nil {
				v.say(at, "%v", err)
			}
		}
	}
}

func (v *validator) flow(at *place, f *Flow) {
	from := v.reference(at.field("from"), f.From, KindSystem, KindActivity, KindOrganisation)
	to := v.reference(at.field("to"), f.To, KindSystem, KindActivity, KindOrganisation)
	if from && to && f.From == f.To {
		v.say(at.field("to"), "the flow ends where it begins, at %q", f.To)
	}
	if v.count(at.field("data"), len(f.Data)) {
		for i, d := range f.Data {
			if strings.TrimSpace(d) == "" {
				v.say(at.field("data").at(i), "the name of the data is missing")
				continue
			}
			v.line(at.field("data").at(i), d)
		}
	}
	choice(v, at.field("class"), f.Class, false, Classes()...)
	v.line(at.field("interface"), f.Interface)
	v.line(at.field("protocol"), f.Protocol)
}

// Classes lists the classes of data, from the least to the most sensitive.
func Classes() []Class {
	return []Class{ClassPublic, ClassInternal, ClassConfidential, ClassPersonal, ClassSecret}
}
