package web

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// How a field of a thing is typed.
type editKind int

const (
	editLine editKind = iota
	editProse
	editChoice
	editNumber
	editRef  // one thing, by its identifier or its name
	editList // several texts, one a line
	editRefs // several things, each in a field of its own
)

// mostRows bounds the rows of one list in a form. It is more than a chain takes, so
// that no row is lost without a word.
const mostRows = 600

// editField is a field of a thing, named as a map names it.
type editField struct {
	key     string
	label   entente.Text
	hint    entente.Text
	kind    editKind
	choices []choice
}

// editGroup is the fields of a thing, or of the rows of a list in it.
type editGroup struct {
	key    string
	label  entente.Text
	row    entente.Text // names a row by its number
	add    entente.Text // the button that adds a row
	drop   entente.Text // the button that takes a row away, by its number
	fields []editField
	groups []editGroup
}

const onePerLine entente.Text = "One on each line."

var (
	needGroup = editGroup{key: "needs", label: "Needs", row: "Need %d", add: "Add need", drop: "Take away need %d", fields: []editField{
		{key: "any", label: "Any one of", hint: "Alternatives: one of them suffices.", kind: editRefs},
		{key: "buffer", label: "Can do without for", hint: "Like 4h or 2d."},
		{key: "note", label: "How"},
	}}
	itemFields = []editField{{key: "name", label: "Name"}, {key: "party", label: "Organisation", kind: editRef}, {key: "kind", label: "Kind", kind: editChoice, choices: itemKinds}}
	idField    = editField{key: "id", label: "Identifier", hint: "Small letters, digits and hyphens. It stays for ever."}
	nameField  = editField{key: "name", label: "Name"}
)

// editForms says what is typed of each kind of thing.
var editForms = map[chain.NodeKind]editGroup{
	chain.KindOrganisation: {fields: []editField{
		idField, nameField, {key: "category", label: "Category", hint: "What they are to you in a word: logistics, cloud host."},
		{key: "country", label: "Country", hint: "Two letters: DE."}, {key: "lei", label: "LEI", hint: "20 characters."},
		{key: "domains", label: "Domains", hint: onePerLine, kind: editList}, {key: "parent", label: "Owned by", kind: editRef}, {key: "note", label: "Note", kind: editProse},
	}, groups: []editGroup{{key: "contacts", label: "Contacts", row: "Contact %d", add: "Add contact", drop: "Take away contact %d", fields: []editField{{key: "name", label: "Name"}, {key: "role", label: "For"}, {key: "email", label: "E-mail"}, {key: "phone", label: "Phone"}}}}},
	chain.KindProcess: {fields: []editField{
		idField, nameField, {key: "owner", label: "Owner"}, {key: "description", label: "Description", kind: editProse},
		{key: "bia.criticality", label: "Criticality", kind: editChoice, choices: criticalities},
		{key: "bia.rto", label: "RTO", hint: "Until when it must run again, like 4h or 2d."}, {key: "bia.mtpd", label: "MTPD", hint: "The longest that can be borne."}, {key: "bia.rpo", label: "RPO", hint: "How far back data may be lost."},
	}, groups: []editGroup{
		{key: "bia.cost", label: "Cost of interruption", row: "Rate %d", add: "Add rate", drop: "Take away rate %d", fields: []editField{{key: "from", label: "From", hint: "After the process stopped, like 4h."}, {key: "per_hour", label: "Per hour", kind: editNumber}}},
		{key: "inputs", label: "Inputs", row: "Input %d", add: "Add input", drop: "Take away input %d", fields: itemFields},
		{key: "activities", label: "Activities", row: "Activity %d", add: "Add activity", drop: "Take away activity %d", fields: []editField{{key: "id", label: "Identifier"}, {key: "name", label: "Name"}, {key: "buffer", label: "Can be left out for"}}, groups: []editGroup{needGroup}},
		{key: "outputs", label: "Outputs", row: "Output %d", add: "Add output", drop: "Take away output %d", fields: itemFields},
		needGroup,
	}},
	chain.KindSystem: {fields: []editField{
		idField, nameField, {key: "kind", label: "Kind", kind: editChoice, choices: systemKinds},
		{key: "operator", label: "Run by", kind: editRef}, {key: "data", label: "Classes of data", hint: "Of public, internal, confidential, personal and secret, one on each line.", kind: editList},
		{key: "products", label: "Products it runs", kind: editRefs},
	}, groups: []editGroup{needGroup}},
	chain.KindSupply: {fields: []editField{
		idField, nameField, {key: "supplier", label: "Supplier", kind: editRef}, {key: "customer", label: "Customer", hint: "Empty: ourselves.", kind: editRef},
		{key: "nature", label: "What is delivered", kind: editChoice, choices: natures}, {key: "kind", label: "Terms", kind: editChoice, choices: supplyTerms},
		{key: "category", label: "Category"}, {key: "products", label: "Products", kind: editRefs}, {key: "spend", label: "Spend a year", kind: editNumber},
	}, groups: []editGroup{
		{key: "access", label: "Access to our systems", row: "Access %d", add: "Add access", drop: "Take away access %d", fields: []editField{{key: "system", label: "System", kind: editRef}, {key: "level", label: "Level", kind: editChoice, choices: accessLevels}}},
		needGroup,
	}},
	chain.KindProduct: {fields: []editField{
		idField, nameField, {key: "supplier", label: "Supplier", kind: editRef}, {key: "version", label: "Version"},
		{key: "sboms", label: "Files of SBOMs", hint: "Names or patterns, one on each line.", kind: editList},
	}},
	chain.KindFlow: {fields: []editField{
		idField, {key: "from", label: "From", kind: editRef}, {key: "to", label: "To", kind: editRef}, {key: "data", label: "Data", hint: "What moves, one on each line.", kind: editList},
		{key: "class", label: "Class", kind: editChoice, choices: dataClasses}, {key: "interface", label: "Interface"}, {key: "protocol", label: "Protocol"},
	}},
}

// typed is what stands in a form: of a thing, or of one row of a list in it.
type typed struct {
	values map[string]string
	rows   map[string][]*typed
}

func newTyped() *typed { return &typed{values: map[string]string{}, rows: map[string][]*typed{}} }

// typedOf fills a form from the fields of a thing.
func typedOf(g editGroup, fields map[string]any) *typed {
	t := newTyped()
	for _, f := range g.fields {
		t.values[f.key] = scalarText(nested(fields, f.key))
	}
	for _, sub := range g.groups {
		entries, _ := nested(fields, sub.key).([]any)
		for _, e := range entries {
			row, whole := e.(map[string]any)
			if !whole {
				row = map[string]any{sub.fields[0].key: e} // a need that is written as one identifier
			}
			t.rows[sub.key] = append(t.rows[sub.key], typedOf(sub, row))
		}
	}
	return t
}

func nested(fields map[string]any, key string) any {
	outer, inner, deep := strings.Cut(key, ".")
	if !deep {
		return fields[key]
	}
	in, _ := fields[outer].(map[string]any)
	return in[inner]
}

func scalarText(value any) string {
	switch x := value.(type) {
	case nil:
		return ""
	case []any:
		words := make([]string, len(x))
		for i := range x {
			words[i] = scalarText(x[i])
		}
		return strings.Join(words, "\n")
	}
	return fmt.Sprint(value)
}

// typedIn reads what was sent; rows of which every field is empty are left out.
func typedIn(g editGroup, prefix string, form url.Values) *typed {
	t := newTyped()
	for _, f := range g.fields {
		t.values[f.key] = strings.TrimSpace(strings.ReplaceAll(strings.Join(form[prefix+f.key], "\n"), "\r\n", "\n"))
	}
	for _, sub := range g.groups {
		for i := range mostRows {
			at := prefix + sub.key + "[" + strconv.Itoa(i) + "]."
			if !form.Has(at + sub.fields[0].key) {
				break
			}
			if row := typedIn(sub, at, form); !row.blank() {
				t.rows[sub.key] = append(t.rows[sub.key], row)
			}
		}
	}
	return t
}

func (t *typed) blank() bool {
	for _, v := range t.values {
		if v != "" {
			return false
		}
	}
	for _, rows := range t.rows {
		if len(rows) > 0 {
			return false
		}
	}
	return true
}

// fields are those of a thing, as a map has them; resolve finds the identifier of a
// thing that was named.
func (t *typed) fields(g editGroup, resolve func(string) string) map[string]any {
	out := map[string]any{}
	set := func(key string, value any) {
		outer, inner, deep := strings.Cut(key, ".")
		if !deep {
			out[key] = value
			return
		}
		in, ok := out[outer].(map[string]any)
		if !ok {
			in = map[string]any{}
			out[outer] = in
		}
		in[inner] = value
	}
	for _, f := range g.fields {
		v := t.values[f.key]
		if v == "" {
			continue
		}
		switch f.kind {
		case editNumber:
			if n, err := strconv.ParseInt(strings.NewReplacer(" ", "", ",", "", "\u00a0", "").Replace(v), 10, 64); err == nil {
				set(f.key, n)
				continue
			}
			set(f.key, v)
		case editRef:
			set(f.key, resolve(v))
		case editList, editRefs:
			var words []string
			for w := range strings.SplitSeq(v, "\n") {
				if w = strings.TrimSpace(w); w != "" && f.kind == editRefs {
					w = resolve(w)
				}
				if w != "" {
					words = append(words, w)
				}
			}
			set(f.key, words)
		default:
			set(f.key, v)
		}
	}
	for _, sub := range g.groups {
		var rows []map[string]any
		for _, row := range t.rows[sub.key] {
			rows = append(rows, row.fields(sub, resolve))
		}
		if len(rows) > 0 {
			set(sub.key, rows)
		}
	}
	return out
}

// reach finds the list that a path like activities[1].needs names.
func (t *typed) reach(path string) (in *typed, key string) {
	for {
		list, rest, deeper := strings.Cut(path, "[")
		if !deeper {
			return t, path
		}
		number, rest, _ := strings.Cut(rest, "].")
		i, err := strconv.Atoi(strings.TrimSuffix(number, "]"))
		if err != nil || i < 0 || i >= len(t.rows[list]) {
			return nil, ""
		}
		if rest == "" {
			return t, path
		}
		t, path = t.rows[list][i], rest
	}
}

// addRow adds an empty row to the list at a path.
func (t *typed) addRow(path string) {
	if in, key := t.reach(path); in != nil && len(in.rows[key]) < mostRows {
		in.rows[key] = append(in.rows[key], newTyped())
	}
}

// wrongAt sorts what is wrong to the fields; what belongs to none stays over.
func (v *visit) wrongAt(shown *editView, wrong []entente.FieldError) (over []string) {
	for _, w := range wrong {
		at := shown.find(w.Field)
		switch {
		case at == nil:
			over = append(over, v.place(w))
		case at.Wrong == "":
			at.Wrong = lang.Capital(v.T("%s", w.Message))
		}
	}
	return over
}

// find gives the field that the path of an error lies in.
func (e *editView) find(path string) *editInput {
	for i := range e.Inputs {
		rest, in := strings.CutPrefix(path, e.Inputs[i].Name)
		if in && (rest == "" || rest[0] == '[' || rest[0] == '.') {
			return &e.Inputs[i]
		}
	}
	for i := range e.Lists {
		for j := range e.Lists[i].Rows {
			row := &e.Lists[i].Rows[j]
			if path == row.Path && len(row.Inputs) > 0 {
				return &row.Inputs[0]
			}
			if found := row.find(path); found != nil {
				return found
			}
		}
	}
	return nil
}

// view is the form as the page shows it.
func (t *typed) view(v *visit, g editGroup, path string, fixed bool) editView {
	prefix := ""
	if path != "" {
		prefix = path + "."
	}
	shown := editView{Path: path}
	for _, f := range g.fields {
		in := editInput{Field: ui.Field{Name: prefix + f.key, Label: v.T(f.label), Hint: v.T(f.hint), Value: t.values[f.key]}, Fixed: fixed && prefix == "" && f.key == "id"}
		switch f.kind {
		case editProse:
			in.Lines = 4
		case editList:
			in.Lines = min(max(2, strings.Count(in.Value, "\n")+2), 12)
		case editRefs:
			for one := range strings.Lines(in.Value + "\n") {
				if one = strings.TrimSpace(one); one != "" {
					in.Several = append(in.Several, one)
				}
			}
			in.Several = append(in.Several, "")
		case editChoice:
			in.Options = append([]ui.Option{{Label: v.T("Not stated")}}, v.options(f.choices)...)
			if !slices.ContainsFunc(in.Options, func(o ui.Option) bool { return o.Value == t.values[f.key] }) {
				in.Options = append(in.Options, ui.Option{Value: t.values[f.key], Label: t.values[f.key]})
			}
		case editRef:
			in.Things = true
		case editNumber:
			in.Mode = "numeric"
		}
		shown.Inputs = append(shown.Inputs, in)
	}
	for _, sub := range g.groups {
		l := editRows{Label: v.T(sub.label), Add: v.T(sub.add), Path: prefix + sub.key}
		for i, row := range t.rows[sub.key] {
			one := row.view(v, sub, l.Path+"["+strconv.Itoa(i)+"]", false)
			one.Name, one.Drop = v.T(sub.row, i+1), v.T(sub.drop, i+1)
			l.Rows = append(l.Rows, one)
		}
		shown.Lists = append(shown.Lists, l)
	}
	return shown
}

// resolver finds the identifier of a thing by its name, whatever its capitals.
func (p *picture) resolver() func(string) string {
	byName := map[string]chain.NodeID{}
	ids := map[chain.NodeID]bool{}
	for n := range p.g.Nodes() {
		if chain.IsDisclosed(n.ID) {
			continue
		}
		ids[n.ID] = true
		if _, taken := byName[strings.ToLower(n.Name)]; !taken {
			byName[strings.ToLower(n.Name)] = n.ID
		}
	}
	return func(s string) string {
		if id, known := byName[strings.ToLower(s)]; known && !ids[chain.NodeID(s)] {
			return string(id)
		}
		return s
	}
}

// thingOptions are what a form suggests where a thing is to be named.
func (p *picture) thingOptions() []ui.Option {
	var options []ui.Option
	for n := range p.g.Nodes() {
		if len(options) == mostThings {
			break
		}
		if chain.IsDisclosed(n.ID) {
			continue // it is not ours to refer to
		}
		options = append(options, ui.Option{Value: string(n.ID), Label: p.v.T("%s, %s", n.Name, n.Kind.Noun())})
	}
	return options
}

// mostThings bounds the suggestions of a form.
const mostThings = 1000

func kindsWithForms() []chain.NodeKind {
	return slices.SortedFunc(maps.Keys(editForms), func(a, b chain.NodeKind) int { return strings.Compare(string(a), string(b)) })
}
