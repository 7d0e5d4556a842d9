package chain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/sheet"
)

// Sheet is a spreadsheet as it was read: its heading and the rows below.
type Sheet struct {
	Heading []string
	Rows    []SheetRow
}

// SheetRow is one row of a sheet.
type SheetRow struct {
	Line  int // of the file, 1-based
	Cells []string
}

// Limits of a sheet.
const (
	MaxSheetRows  = 50_000
	MaxSheetBytes = 64 << 20 // of all cells together
)

// ParseSheet reads a sheet, CSV or XLSX, whose first row names the columns.
func ParseSheet(r io.Reader) (read Sheet, err error) {
	limits := sheet.DefaultLimits()
	limits.Rows = MaxSheetRows
	err = sheet.Read(r, limits, func(heading []string) error {
		read.Heading = heading
		return nil
	}, func(row sheet.Row) error {
		read.Rows = append(read.Rows, SheetRow(row))
		return nil
	})
	return read, err
}

// SheetExists says what to do with rows that the chain holds already.
type SheetExists string

// What to do with rows that exist.
const (
	ExistsSkip   SheetExists = "skip"   // leave what is there as it is
	ExistsUpdate SheetExists = "update" // fill in what the sheet says; an empty cell changes nothing, and nothing is taken out of a list
	ExistsStop   SheetExists = "stop"   // import nothing if there is any
)

// SheetWrong says what to do when some rows are wrong.
type SheetWrong string

// What to do with wrong rows.
const (
	WrongStop SheetWrong = "stop" // import nothing
	WrongPass SheetWrong = "pass" // import the others
)

// SheetOptions are the choices of the person who imports a sheet.
type SheetOptions struct {
	Mapping SheetMapping `json:"mapping"`
	Exists  SheetExists  `json:"exists"`
	Wrong   SheetWrong   `json:"wrong"`
	// OwnName and Currency begin the chain of an organisation that has none yet.
	OwnName  string `json:"own_name,omitempty"`
	Currency string `json:"currency,omitempty"`
}

func (o SheetOptions) check() error {
	if !slices.Contains([]SheetExists{ExistsSkip, ExistsUpdate, ExistsStop}, o.Exists) {
		return entente.Invalid("say what to do with rows that exist already: skip, update or stop")
	}
	if o.Wrong != WrongStop && o.Wrong != WrongPass {
		return entente.Invalid("say what to do when rows are wrong: stop, or import the good ones")
	}
	return nil
}

// SheetAction is what an import does with a row.
type SheetAction string

// What becomes of a row.
const (
	RowAdd    SheetAction = "add"
	RowUpdate SheetAction = "update"
	RowSame   SheetAction = "same" // it exists, and the sheet says nothing new
	RowSkip   SheetAction = "skip"
	RowRefuse SheetAction = "refuse"
)

// CellProblem is what is wrong with one cell of a row.
type CellProblem struct {
	Column  entente.Text    `json:"column,omitempty"` // the label of the column; "" for the row as a whole
	Cell    string          `json:"cell,omitempty"`
	Message entente.Message `json:"message"`
}

// Say tells the problem with its place: "RTO: …".
func (p CellProblem) Say() entente.Message {
	if p.Column == "" {
		return p.Message
	}
	return entente.Say("%s: %s", p.Column, p.Message)
}

// String says it in English.
func (p CellProblem) String() string { return p.Say().String() }

// PlannedRow is what an import makes of one row.
type PlannedRow struct {
	Line     int             `json:"line"`
	Name     string          `json:"name,omitempty"`
	Action   SheetAction     `json:"action"`
	Kind     NodeKind        `json:"kind,omitempty"`
	ID       NodeID          `json:"id,omitempty"`    // of the thing that the row is about; "" if it was refused before it had one
	Reason   entente.Message `json:"reason,omitzero"` // why it is skipped, or by what it was found to exist
	Problems []CellProblem   `json:"problems,omitempty"`
}

// SheetCounts counts the rows by what becomes of them.
type SheetCounts struct {
	Rows   int `json:"rows"`
	Add    int `json:"add,omitempty"`
	Update int `json:"update,omitempty"`
	Same   int `json:"same,omitempty"`
	Skip   int `json:"skip,omitempty"`
	Refuse int `json:"refuse,omitempty"`
	Exist  int `json:"exist,omitempty"` // that the chain holds already, whatever becomes of them
}

// SheetPlan is what an import would do: the dry run.
type SheetPlan struct {
	Kind     SheetKind
	Revision int64 // of the chain that it was made for
	Rows     []PlannedRow
	Counts   SheetCounts
	Blocked  entente.Message // why nothing would be imported; blank if something would

	next    *Map
	touched []NodeID
}

// planner makes the plan of one sheet, in passes over its rows: what each row is
// about, what it says, whether that holds, and then the new map. No pass looks at
// more of the map than the rows name, so that the cost grows with the sheet.
type planner struct {
	kind SheetKind
	opt  SheetOptions
	may  func(NodeKind, NodeID) error
	tell func(rows int)

	m       *Map
	kinds   map[NodeID]NodeKind // of everything, new things included
	at      map[NodeID]spot     // new things have no place yet: -1
	maker   map[NodeID]*row     // the row that makes a new thing
	claimed map[NodeID]*row     // the row that is about an existing thing
	names   map[NodeKind]map[string][]NodeID
	lei     map[string]NodeID
	domain  map[string][]NodeID
	offers  map[[3]string][]NodeID // supplies by supplier, customer and name
	// contacts are those that rows are about, by organisation and address or name.
	contacts map[[2]string]*row
	made     map[NodeID]any // new things and new states of existing ones
	order    []NodeID       // of made
	serial   map[string]int

	columns   []SheetColumn
	heading   []string
	suggested int
	broken    entente.Message // what went wrong after a part of a row was built already
}

// row is one row while it is planned.
type row struct {
	PlannedRow
	cells  []string
	values map[string]string
	exists bool
	first  *row   // the row above that is about the same supplier
	rest   []*row // the rows that refer to what this one makes
	things []any  // what it makes or changes, in order
	fresh  []NodeID
	add    func() error // what it adds to things that other rows may add to as well
	parent NodeID       // that it gives to its organisation
}

func (r *row) refuse(column entente.Text, cell string, message entente.Message) {
	r.Problems = append(r.Problems, CellProblem{Column: column, Cell: cell, Message: message})
	r.Action = RowRefuse
}

func (r *row) wrong() bool { return len(r.Problems) > 0 }

// planSheet makes the plan of a sheet for a map. May refuses what the person may
// not change; tell hears how many rows are checked.
func planSheet(m *Map, kind SheetKind, sheet Sheet, opt SheetOptions, may func(NodeKind, NodeID) error, tell func(int)) (*SheetPlan, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	if err := checkMapping(kind, opt.Mapping, len(sheet.Heading)); err != nil {
		return nil, err
	}
	p := newPlanner(m, kind, sheet.Heading, opt, may, tell)
	rows := make([]*row, 0, len(sheet.Rows))
	for _, from := range sheet.Rows {
		if r := p.read(from); r != nil {
			rows = append(rows, r)
			p.identify(r)
		}
	}
	for i, r := range rows {
		if !r.wrong() && r.Action != RowSkip {
			p.fill(r)
		}
		if i%100 == 99 {
			p.tell(i + 1)
		}
	}
	p.circles(rows)
	refuseWithTheirRows(rows)
	plan := &SheetPlan{Kind: kind}
	for _, r := range rows {
		if !r.wrong() && r.Action != RowSkip {
			p.build(r)
		}
	}
	for _, r := range rows {
		plan.count(r)
	}
	p.tell(len(rows))
	plan.decide(opt)
	if plan.Blocked.Blank() {
		plan.Blocked = p.broken
	}
	if plan.Blocked.Blank() {
		plan.next = p.m
		plan.touched = p.order
		if found := Validate(p.m); len(found) > 0 {
			plan.next, plan.Blocked = nil, entente.Say("the chain would not hold: %s", found[0].Say())
		}
	}
	return plan, nil
}

func newPlanner(old *Map, kind SheetKind, heading []string, opt SheetOptions, may func(NodeKind, NodeID) error, tell func(int)) *planner {
	m := *old
	m.Organisations, m.Processes, m.Systems = slices.Clone(old.Organisations), slices.Clone(old.Processes), slices.Clone(old.Systems)
	m.Supplies, m.Products = slices.Clone(old.Supplies), slices.Clone(old.Products)
	p := &planner{
		kind: kind, opt: opt, may: may, tell: tell, m: &m, at: spots(&m), columns: sheetColumns[kind], heading: heading,
		maker: map[NodeID]*row{}, claimed: map[NodeID]*row{}, names: map[NodeKind]map[string][]NodeID{}, lei: map[string]NodeID{},
		domain: map[string][]NodeID{}, offers: map[[3]string][]NodeID{}, contacts: map[[2]string]*row{}, made: map[NodeID]any{}, serial: map[string]int{},
	}
	if p.tell == nil {
		p.tell = func(int) {}
	}
	p.kinds = make(map[NodeID]NodeKind, len(p.at))
	for id, s := range p.at {
		p.kinds[id] = s.kind
	}
	for i := range m.Organisations {
		p.indexOrganisation(&m.Organisations[i])
	}
	for i := range m.Processes {
		p.name(KindProcess, m.Processes[i].Name, m.Processes[i].ID)
		for _, a := range m.Processes[i].Activities {
			p.name(KindActivity, a.Name, a.ID)
		}
	}
	for i := range m.Systems {
		p.name(KindSystem, m.Systems[i].Name, m.Systems[i].ID)
	}
	for i := range m.Supplies {
		s := &m.Supplies[i]
		p.name(KindSupply, s.Name, s.ID)
		p.offer(s)
	}
	for i := range m.Products {
		p.name(KindProduct, m.Products[i].Name, m.Products[i].ID)
	}
	return p
}

func (p *planner) name(kind NodeKind, name string, id NodeID) {
	key := plainName(name)
	if key == "" {
		return
	}
	if p.names[kind] == nil {
		p.names[kind] = map[string][]NodeID{}
	}
	p.names[kind][key] = append(p.names[kind][key], id)
}

func (p *planner) indexOrganisation(o *Organisation) {
	p.name(KindOrganisation, o.Name, o.ID)
	if o.LEI != "" {
		p.lei[o.LEI] = o.ID
	}
	for _, d := range o.Domains {
		p.domain[d] = append(p.domain[d], o.ID)
	}
}

// read takes the values of a row by the mapping; nil for a line that is only a note.
func (p *planner) read(from SheetRow) *row {
	for _, c := range from.Cells {
		if c = strings.TrimSpace(c); c != "" {
			if strings.HasPrefix(c, "#") {
				return nil
			}
			break
		}
	}
	r := &row{PlannedRow: PlannedRow{Line: from.Line}, cells: from.Cells, values: make(map[string]string, len(p.opt.Mapping))}
	example := true
	for _, c := range p.columns {
		source := p.opt.Mapping[c.Key]
		value := source.Fixed
		if source.Column > 0 {
			value = ""
			if source.Column <= len(from.Cells) {
				value = strings.TrimSpace(from.Cells[source.Column-1])
			}
			example = example && value == c.Example
		}
		if value != "" {
			r.values[c.Key] = value
		}
		if c.Required && value == "" {
			r.refuse(c.Label, "", entente.Say("it is empty, and no row can be imported without"))
		}
	}
	r.Name = r.values["name"]
	if example && len(p.opt.Mapping) >= 2 {
		r.Action, r.Reason = RowSkip, entente.Say("it is the example of the template")
	}
	return r
}

func (p *planner) label(key string) entente.Text {
	for _, c := range p.columns {
		if c.Key == key {
			return c.Label
		}
	}
	return ""
}

func (p *planner) say(r *row, key string, err error) {
	r.refuse(p.label(key), r.values[key], entente.MessageOf(err))
}

// newID makes an id that nothing has yet.
func (p *planner) newID(base, kind string) NodeID {
	slug := entente.Slug(base)
	if slug == "" {
		slug = kind
	}
	for n := p.serial[slug]; ; n++ {
		id := slug
		if n > 0 {
			end := fmt.Sprintf("-%d", n+1)
			id = strings.TrimRight(slug[:min(len(slug), entente.MaxSlug-len(end))], "-") + end
		}
		if _, taken := p.kinds[NodeID(id)]; !taken {
			p.serial[slug] = n + 1
			return NodeID(id)
		}
	}
}

// makes enters a new thing, so that other rows can refer to it.
func (p *planner) makes(r *row, kind NodeKind, id NodeID, name string) {
	p.kinds[id], p.at[id], p.maker[id] = kind, spot{kind, -1}, r
	r.fresh = append(r.fresh, id)
	if kind != KindOrganisation {
		p.name(kind, name, id)
	}
}

// refer finds the thing that a cell names.
func (p *planner) refer(r *row, key, name string, kinds ...NodeKind) (NodeID, bool) {
	id, err := p.find(name, kinds)
	if err != nil {
		r.refuse(p.label(key), r.values[key], entente.MessageOf(err))
		return "", false
	}
	if maker := p.maker[id]; maker != nil && maker != r {
		maker.rest = append(maker.rest, r)
	}
	return id, true
}

func (p *planner) find(name string, kinds []NodeKind) (NodeID, error) {
	id := NodeID(strings.ToLower(name))
	if kind, known := p.kinds[id]; known && slices.Contains(kinds, kind) {
		return id, nil
	}
	if slices.Contains(kinds, KindOrganisation) {
		if id, known := p.lei[strings.ToUpper(name)]; known {
			return id, nil
		}
		domain, err := cellDomain(name)
		holders := p.domain[domain]
		switch {
		case err != nil || len(holders) == 0:
		case len(holders) == 1:
			return holders[0], nil
		default:
			return "", entente.Invalid("%q is the domain of %d organisations, such as %s and %s; write the ID of the one that is meant", domain, len(holders), holders[0], holders[1])
		}
	}
	var found []NodeID
	key := plainName(name)
	for _, kind := range kinds {
		found = append(found, p.names[kind][key]...)
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", p.unknown(name, key, kinds)
	}
	words := make([]entente.Message, 0, 4)
	for _, id := range found[:min(len(found), 4)] {
		words = append(words, entente.Say("%s (%s)", id, p.kinds[id].Noun()))
	}
	return "", entente.Invalid("%.80q is the name of %d things: %s; write the ID of the one that is meant", name, len(found), entente.Joined(words, ", "))
}

// mostSuggested bounds for how many cells a near name is looked for.
const mostSuggested = 50

func (p *planner) unknown(name, key string, kinds []NodeKind) error {
	what := oneOf(kinds)
	if len(kinds) > 3 {
		what = entente.Or([]entente.Text{article("")})
	}
	if p.suggested < mostSuggested {
		p.suggested++
		for _, kind := range kinds {
			if near := closest(key, maps.Keys(p.names[kind])); near != "" {
				return entente.Invalid("the chain does not hold %s with the name or ID %.80q; did you mean %q?", what, name, p.names[kind][near][0])
			}
		}
	}
	return entente.Invalid("the chain does not hold %s with the name or ID %.80q; import it first, or leave the cell empty", what, name)
}

// circles refuses rows by which the ownership of organisations would run in a circle.
func (p *planner) circles(rows []*row) {
	parent := map[NodeID]NodeID{}
	setBy := map[NodeID]*row{}
	for _, r := range rows {
		if r.parent != "" && !r.wrong() {
			parent[r.ID], setBy[r.ID] = r.parent, r
		}
	}
	if len(parent) == 0 {
		return
	}
	up := func(id NodeID) NodeID {
		if by, ok := parent[id]; ok {
			return by
		}
		if s := p.at[id]; s.kind == KindOrganisation && s.i >= 0 {
			return p.m.Organisations[s.i].Parent
		}
		return ""
	}
	walked := map[NodeID]int{}
	for i, r := range rows {
		if setBy[r.ID] != r {
			continue
		}
		id := r.ID
		for id != "" && walked[id] == 0 {
			walked[id] = i + 1
			id = up(id)
		}
		if id == "" || walked[id] != i+1 {
			continue
		}
		for start, on := id, true; on; on = id != start {
			if by := setBy[id]; by != nil {
				by.refuse(p.label("parent"), by.values["parent"], entente.Say("the ownership would run in a circle"))
			}
			id = up(id)
		}
	}
}

// refuseWithTheirRows refuses the rows that refer to what a refused row would have
// made.
func refuseWithTheirRows(rows []*row) {
	var queue []*row
	for _, r := range rows {
		if r.wrong() {
			queue = append(queue, r)
		}
	}
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
		for _, other := range r.rest {
			if !other.wrong() {
				other.refuse("", "", entente.Say("it refers to %q of line %d, which is refused", r.Name, r.Line))
				queue = append(queue, other)
			}
		}
	}
}

// build takes over what a row makes into the new map.
func (p *planner) build(r *row) {
	for _, thing := range r.things {
		p.set(thing)
	}
	if r.add != nil {
		if err := r.add(); err != nil {
			r.refuse("", "", entente.MessageOf(err))
			if p.broken.Blank() {
				p.broken = entente.Say("line %d: %s", r.Line, err)
			}
		}
	}
}

func (p *planner) set(thing any) {
	id := idOfThing(thing)
	s := p.at[id]
	s.i = p.m.put(s, thing)
	p.at[id] = s
	if _, known := p.made[id]; !known {
		p.order = append(p.order, id)
	}
	p.made[id] = thing
}

func idOfThing(thing any) NodeID {
	switch t := thing.(type) {
	case *Organisation:
		return t.ID
	case *Process:
		return t.ID
	case *System:
		return t.ID
	case *Supply:
		return t.ID
	case *Product:
		return t.ID
	}
	return ""
}

func (plan *SheetPlan) count(r *row) {
	c := &plan.Counts
	c.Rows++
	if r.exists {
		c.Exist++
	}
	if r.wrong() {
		r.Action = RowRefuse
	}
	switch r.Action {
	case RowAdd:
		c.Add++
	case RowUpdate:
		c.Update++
	case RowSame:
		c.Same++
	case RowSkip:
		c.Skip++
	case RowRefuse:
		c.Refuse++
	}
	plan.Rows = append(plan.Rows, r.PlannedRow)
}

// decide says whether anything is imported.
func (plan *SheetPlan) decide(opt SheetOptions) {
	c := plan.Counts
	switch {
	case c.Rows == 0:
		plan.Blocked = entente.Say("the sheet has no rows below its heading")
	case opt.Exists == ExistsStop && c.Exist > 0:
		plan.Blocked = entente.Say("rows of the sheet exist already (%d), and you chose to stop then", c.Exist)
	case opt.Wrong == WrongStop && c.Refuse > 0:
		plan.Blocked = entente.Say("rows of the sheet are wrong (%d), and you chose to stop then", c.Refuse)
	case c.Add+c.Update == 0:
		plan.Blocked = entente.Say("no row adds or changes anything")
	}
}
