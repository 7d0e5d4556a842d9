package chain

import (
	"bufio"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// WriteMap writes a map in the format entente.map/1. The same map always gives
// the same bytes: fields come in the order of the documentation, empty ones are
// left out, and things keep the order of the map (see [Map.Sort]). [ParseMap]
// gives the same map back.
func WriteMap(w io.Writer, m *Map) error {
	out := &writer{Writer: bufio.NewWriter(w)}
	out.text("format", MapFormat)
	out.text("organisation", string(m.Own))
	out.text("currency", m.Currency)
	section(out, "organisations", m.Organisations, (*writer).organisation)
	section(out, "processes", m.Processes, (*writer).process)
	section(out, "systems", m.Systems, (*writer).system)
	section(out, "supplies", m.Supplies, (*writer).supply)
	section(out, "products", m.Products, (*writer).product)
	section(out, "flows", m.Flows, (*writer).flow)
	return out.Flush()
}

// writer writes block YAML. An error of the underlying writer is kept by the
// buffer and comes out of Flush.
type writer struct {
	*bufio.Writer
	indent int
	first  bool // the next field opens an entry of a list, behind its dash
}

func section[T any](w *writer, key string, all []T, write func(*writer, *T)) {
	if len(all) == 0 {
		return
	}
	if w.indent == 0 {
		w.WriteByte('\n')
	}
	w.key(key)
	w.WriteByte('\n')
	w.indent += 4
	for i := range all {
		w.first = true
		write(w, &all[i])
	}
	w.indent -= 4
}

func (w *writer) key(name string) {
	indent := w.indent
	if w.first {
		indent -= 2
	}
	for range indent {
		w.WriteByte(' ')
	}
	if w.first {
		w.WriteString("- ")
		w.first = false
	}
	w.WriteString(name)
	w.WriteByte(':')
}

func (w *writer) text(name, value string) {
	if value == "" {
		return
	}
	w.key(name)
	w.WriteByte(' ')
	w.WriteString(scalar(value))
	w.WriteByte('\n')
}

func (w *writer) number(name string, value int64) {
	if value == 0 {
		return
	}
	w.key(name)
	w.WriteByte(' ')
	w.WriteString(strconv.FormatInt(value, 10))
	w.WriteByte('\n')
}

func (w *writer) duration(name string, d time.Duration) {
	if d != 0 {
		w.text(name, FormatDuration(d))
	}
}

// words writes a list on one line: [a, b].
func words[T ~string](w *writer, name string, all []T) {
	if len(all) == 0 {
		return
	}
	w.key(name)
	w.WriteByte(' ')
	inline(w, all)
	w.WriteByte('\n')
}

func inline[T ~string](w *writer, all []T) {
	w.WriteByte('[')
	for i, s := range all {
		if i > 0 {
			w.WriteString(", ")
		}
		w.WriteString(scalar(string(s)))
	}
	w.WriteByte(']')
}

func (w *writer) organisation(o *Organisation) {
	w.text("id", string(o.ID))
	w.text("name", o.Name)
	w.text("lei", o.LEI)
	words(w, "domains", o.Domains)
	w.text("country", o.Country)
	w.text("category", o.Category)
	w.text("parent", string(o.Parent))
	section(w, "contacts", o.Contacts, (*writer).contact)
	w.text("note", o.Note)
}

func (w *writer) contact(c *Contact) {
	w.text("name", c.Name)
	w.text("role", c.Role)
	w.text("email", c.Email)
	w.text("phone", c.Phone)
}

func (w *writer) process(p *Process) {
	w.text("id", string(p.ID))
	w.text("name", p.Name)
	w.text("description", p.Description)
	w.text("owner", p.Owner)
	w.bia(&p.BIA)
	section(w, "inputs", p.Inputs, (*writer).item)
	section(w, "outputs", p.Outputs, (*writer).item)
	section(w, "activities", p.Activities, (*writer).activity)
	w.needs(p.Needs)
}

func (w *writer) bia(b *BIA) {
	if b.Criticality == "" && b.RTO == 0 && b.MTPD == 0 && b.RPO == 0 && len(b.Cost) == 0 {
		return
	}
	w.key("bia")
	w.WriteByte('\n')
	w.indent += 2
	w.text("criticality", string(b.Criticality))
	w.duration("rto", b.RTO)
	w.duration("mtpd", b.MTPD)
	w.duration("rpo", b.RPO)
	section(w, "cost", b.Cost, func(w *writer, c *CostRate) {
		w.key("from")
		w.WriteString(" " + FormatDuration(c.From) + "\n")
		w.number("per_hour", c.PerHour)
	})
	w.indent -= 2
}

func (w *writer) item(it *Item) {
	w.text("name", it.Name)
	w.text("party", string(it.Party))
	w.text("kind", string(it.Kind))
}

func (w *writer) activity(a *Activity) {
	w.text("id", string(a.ID))
	w.text("name", a.Name)
	w.duration("buffer", a.Buffer)
	w.needs(a.Needs)
}

func (w *writer) needs(needs []Need) {
	section(w, "needs", needs, func(w *writer, n *Need) {
		if len(n.Any) == 1 && n.Buffer == 0 && n.Note == "" {
			w.indent -= 2
			for range w.indent {
				w.WriteByte(' ')
			}
			w.WriteString("- " + scalar(string(n.Any[0])) + "\n")
			w.indent += 2
			w.first = false
			return
		}
		w.key("any")
		w.WriteByte(' ')
		inline(w, n.Any)
		w.WriteByte('\n')
		w.duration("buffer", n.Buffer)
		w.text("note", n.Note)
	})
}

func (w *writer) system(s *System) {
	w.text("id", string(s.ID))
	w.text("name", s.Name)
	w.text("kind", string(s.Kind))
	w.text("operator", string(s.Operator))
	words(w, "data", s.Data)
	words(w, "products", s.Products)
	w.needs(s.Needs)
}

func (w *writer) supply(s *Supply) {
	w.text("id", string(s.ID))
	w.text("name", s.Name)
	w.text("supplier", string(s.Supplier))
	w.text("customer", string(s.Customer))
	w.text("kind", string(s.Kind))
	w.text("nature", string(s.Nature))
	w.text("category", s.Category)
	words(w, "products", s.Products)
	section(w, "access", s.Access, func(w *writer, a *Access) {
		w.text("system", string(a.System))
		w.text("level", string(a.Level))
	})
	w.number("spend", s.Spend)
	w.needs(s.Needs)
}

func (w *writer) product(p *Product) {
	w.text("id", string(p.ID))
	w.text("name", p.Name)
	w.text("supplier", string(p.Supplier))
	w.text("version", p.Version)
	words(w, "sboms", p.SBOMs)
}

func (w *writer) flow(f *Flow) {
	w.text("id", string(f.ID))
	w.text("from", string(f.From))
	w.text("to", string(f.To))
	words(w, "data", f.Data)
	w.text("class", string(f.Class))
	w.text("interface", f.Interface)
	w.text("protocol", f.Protocol)
}

// bare are texts that every YAML reader takes as they stand: they begin with a
// letter and hold nothing that YAML reads as punctuation.
var bare = regexp.MustCompile(`^\pL[\pL\pN ._/()+&'’–-]*$`)

// spoken are words that some YAML reader takes for a boolean, null or number.
var spoken = map[string]bool{
	"y": true, "yes": true, "n": true, "no": true, "true": true, "false": true,
	"on": true, "off": true, "null": true,
}

// stamp is what maps hold besides words and is no number, date or time to YAML:
// durations (1d12h) and identifiers that begin with a digit and go on in letters.
var stamp = regexp.MustCompile(`^([0-9]+[wdhms])+$`)

// scalar writes a text so that YAML reads it back as the same text.
func scalar(s string) string {
	if stamp.MatchString(s) || s == MapFormat {
		return s
	}
	if bare.MatchString(s) && !strings.HasSuffix(s, " ") && !spoken[strings.ToLower(s)] {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r > 0xffff && !unicode.IsPrint(r):
			b.WriteString(`\U` + hex(r, 8))
		case !unicode.IsPrint(r):
			b.WriteString(`\u` + hex(r, 4))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune, digits int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}

// Sort puts the things of a map into the order of their ids, as an export has
// them. What has an order of its own keeps it: activities, inputs and outputs,
// contacts, needs and their alternatives.
func (m *Map) Sort() {
	sortByID(m.Organisations, func(o *Organisation) NodeID { return o.ID })
	sortByID(m.Processes, func(p *Process) NodeID { return p.ID })
	sortByID(m.Systems, func(s *System) NodeID { return s.ID })
	sortByID(m.Supplies, func(s *Supply) NodeID { return s.ID })
	sortByID(m.Products, func(p *Product) NodeID { return p.ID })
	sortByID(m.Flows, func(f *Flow) NodeID { return f.ID })
}

func sortByID[T any](all []T, id func(*T) NodeID) {
	slices.SortStableFunc(all, func(a, b T) int { return strings.Compare(string(id(&a)), string(id(&b))) })
}
