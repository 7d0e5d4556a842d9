package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// KindFlow is the kind of flows, to which nothing can refer.
const KindFlow = kindFlow

// Kinds lists the kinds of things that are edited one by one; an activity is edited
// with its process.
func Kinds() []NodeKind {
	return []NodeKind{KindOrganisation, KindProcess, KindSystem, KindSupply, KindProduct, KindFlow}
}

// maxThing is how long the text of one thing may be.
const maxThing = 1 << 20

// Thing is one thing of a chain as its map says it.
type Thing struct {
	Kind NodeKind
	ID   NodeID
	Name string
	// Text is YAML, the thing's entry in the list of its kind (see [WriteMap]).
	Text string
	// Version tells whether the thing has changed since; "" for one that is not there.
	Version string
}

// Fields gives the thing's text as maps, lists and scalars.
func (t Thing) Fields() (map[string]any, error) {
	var fields []map[string]any
	if err := yaml.Unmarshal([]byte(t.Text), &fields); err != nil || len(fields) != 1 {
		return nil, fmt.Errorf("chain: the text of %s %s: %w", t.Kind, t.ID, err)
	}
	return fields[0], nil
}

// Edited is the cause of the conflict that [Service.PutThing] and
// [Service.RemoveThing] give when the thing was changed meanwhile.
type Edited struct {
	// Now is the thing as it is; without a version if it was removed.
	Now Thing
}

func (e *Edited) Error() string {
	return fmt.Sprintf("%s %s was changed meanwhile", e.Now.Kind, e.Now.ID)
}

func (t Thing) object(org entente.OrgID) identity.Object {
	return identity.Object{Kind: string(t.Kind), Org: org, ID: string(t.ID)}
}

func thingAt(m *Map, kind NodeKind, id NodeID) (spot, bool) {
	i := -1
	switch kind {
	case KindOrganisation:
		i = slices.IndexFunc(m.Organisations, func(t Organisation) bool { return t.ID == id })
	case KindProcess:
		i = slices.IndexFunc(m.Processes, func(t Process) bool { return t.ID == id })
	case KindSystem:
		i = slices.IndexFunc(m.Systems, func(t System) bool { return t.ID == id })
	case KindSupply:
		i = slices.IndexFunc(m.Supplies, func(t Supply) bool { return t.ID == id })
	case KindProduct:
		i = slices.IndexFunc(m.Products, func(t Product) bool { return t.ID == id })
	case kindFlow:
		i = slices.IndexFunc(m.Flows, func(t Flow) bool { return t.ID == id })
	}
	return spot{kind, i}, i >= 0
}

func findThing(m *Map, kind NodeKind, id NodeID) Thing {
	t := Thing{Kind: kind, ID: id}
	if m == nil {
		return t
	}
	if s, ok := thingAt(m, kind, id); ok {
		thing := m.thing(s)
		t.Name, t.Text, t.Version = thingName(thing), entryText(thing), fingerprint(thing)
	}
	return t
}

// Thing gives one thing of the chain.
func (s *Service) Thing(ctx context.Context, actor entente.Actor, kind NodeKind, id NodeID) (Thing, error) {
	g, err := s.Graph(ctx, actor) // requires chain.read
	if err != nil {
		return Thing{}, err
	}
	t := findThing(g.Map(), kind, id)
	if t.Version == "" {
		return Thing{}, entente.NotFound("there is no %s %q in the chain; it may have been renamed or removed", kind.Noun(), id)
	}
	return t, nil
}

// PutThing changes one thing, or adds it where the version is empty. The text is
// the thing's own fields as a map has them, in YAML or JSON; what it does not name
// is empty. The version is that of the thing as it was read: if somebody has
// changed it since, nothing is done, and the cause of the conflict is [Edited].
func (s *Service) PutThing(ctx context.Context, actor entente.Actor, kind NodeKind, id NodeID, text, version string) (Changed, error) {
	t := Thing{Kind: kind, ID: id}
	if err := identity.Require(actor, identity.ChainEdit, t.object(actor.Org)); err != nil {
		return Changed{}, err
	}
	thing, named, err := parseThing(kind, text)
	if err != nil {
		return Changed{}, err
	}
	if named != id {
		wrong := entente.Invalid("nothing was changed")
		wrong.Fields = []entente.FieldError{{Field: "id", Message: entente.Say("the identifier of a thing stays: it is %q, not %q", id, named)}}
		return Changed{}, wrong
	}
	begin, err := s.beginning(ctx, actor)
	if err != nil {
		return Changed{}, err
	}
	return s.write(ctx, actor, EventChanged, string(id), func(old *Map, _ moment) (*Map, error) {
		if old == nil {
			old = begin()
		}
		now := findThing(old, kind, id)
		if err := unedited(now, version); err != nil {
			return nil, err
		}
		m := old.copied()
		at, _ := thingAt(m, kind, id)
		if supply, ok := thing.(*Supply); ok && supply.Customer == "" {
			supply.Customer = m.Own
		}
		i := m.put(at, thing)
		return m, validAt(m, kind, i)
	})
}

func unedited(now Thing, version string) error {
	if now.Version == version {
		return nil
	}
	var text entente.Text = "somebody else has changed %s %q since you opened it; nothing was saved"
	switch {
	case version == "":
		text = "there is a %s %q already; nothing was saved"
	case now.Version == "":
		text = "somebody else has removed %s %q since you opened it; nothing was saved"
	}
	return entente.Conflict(text, now.Kind.Noun(), now.ID).Because(&Edited{Now: now})
}

// validAt checks a map of which one thing is new; what is wrong in that thing is
// named by its own fields.
func validAt(m *Map, kind NodeKind, i int) error {
	found := Validate(m)
	if len(found) == 0 {
		return nil
	}
	here := fmt.Sprintf("%s[%d].", sectionOf(kind), i)
	for n, f := range found {
		rest, own := strings.CutPrefix(f.Field, here)
		if !own && f.Field+"." != here && f.Field != "" {
			found[n].Message = entente.Say("%s: %s", m.holderOf(f.Field), f.Message)
			rest = ""
		}
		found[n].Field = rest
	}
	wrong := entente.Invalid("the chain would not hold like that; nothing was changed")
	wrong.Fields = found
	return wrong
}

// sectionOf is the list of a map that holds the things of a kind.
func sectionOf(kind NodeKind) string {
	switch kind {
	case KindOrganisation:
		return "organisations"
	case KindProcess:
		return "processes"
	case KindSystem:
		return "systems"
	case KindSupply:
		return "supplies"
	case KindProduct:
		return "products"
	}
	return "flows"
}

// copied gives a map whose lists can be changed without changing those of m.
func (m *Map) copied() *Map {
	c := *m
	c.Organisations, c.Processes, c.Systems = slices.Clone(m.Organisations), slices.Clone(m.Processes), slices.Clone(m.Systems)
	c.Supplies, c.Products, c.Flows = slices.Clone(m.Supplies), slices.Clone(m.Products), slices.Clone(m.Flows)
	return &c
}

// without gives the map without one thing.
func (m *Map) without(s spot) *Map {
	c := m.copied()
	switch s.kind {
	case KindOrganisation:
		c.Organisations = slices.Delete(c.Organisations, s.i, s.i+1)
	case KindProcess:
		c.Processes = slices.Delete(c.Processes, s.i, s.i+1)
	case KindSystem:
		c.Systems = slices.Delete(c.Systems, s.i, s.i+1)
	case KindSupply:
		c.Supplies = slices.Delete(c.Supplies, s.i, s.i+1)
	case KindProduct:
		c.Products = slices.Delete(c.Products, s.i, s.i+1)
	case kindFlow:
		c.Flows = slices.Delete(c.Flows, s.i, s.i+1)
	}
	return c
}

// RemoveThing takes one thing out of the chain, unless something refers to it: then
// the fields of the error name what does.
func (s *Service) RemoveThing(ctx context.Context, actor entente.Actor, kind NodeKind, id NodeID, version string) (Changed, error) {
	t := Thing{Kind: kind, ID: id}
	if err := identity.Require(actor, identity.ChainEdit, t.object(actor.Org)); err != nil {
		return Changed{}, err
	}
	return s.write(ctx, actor, EventChanged, string(id), func(old *Map, _ moment) (*Map, error) {
		now := findThing(old, kind, id)
		if now.Version == "" && version == "" {
			return nil, entente.NotFound("there is no %s %q in the chain", kind.Noun(), id)
		}
		if err := unedited(now, version); err != nil {
			return nil, err
		}
		return removed(old, now)
	})
}

func removed(old *Map, t Thing) (*Map, error) {
	at, _ := thingAt(old, t.Kind, t.ID)
	m := old.without(at)
	found := Validate(m)
	if len(found) == 0 {
		return m, nil
	}
	wrong := entente.Conflict("%s cannot be removed, because other things rely on it; nothing was changed", t.Name)
	seen := map[string]bool{}
	for _, f := range found {
		holder := m.holderOf(f.Field)
		if f.Field == "organisation" {
			holder = entente.Say("the chain itself: it is our own organisation")
		}
		if key := holder.String(); !seen[key] {
			seen[key] = true
			wrong.Fields = append(wrong.Fields, entente.FieldError{Message: holder})
		}
	}
	return nil, wrong
}

// parseThing reads the fields of one thing.
func parseThing(kind NodeKind, text string) (thing any, id NodeID, err error) {
	if len(text) > maxThing {
		return nil, "", entente.TooLarge("the text is longer than %d kB", maxThing>>10)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, "", entente.Invalid("the text is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, "", entente.Invalid("the text does not hold the fields of one %s", kind.Noun())
	}
	r := &reader{values: maxValues}
	n := doc.Content[0]
	switch kind {
	case KindOrganisation:
		o := r.organisation(n, nil)
		thing, id = &o, o.ID
	case KindProcess:
		p := r.process(n, nil)
		thing, id = &p, p.ID
	case KindSystem:
		y := r.system(n, nil)
		thing, id = &y, y.ID
	case KindSupply:
		y := r.supply(n, nil)
		thing, id = &y, y.ID
	case KindProduct:
		p := r.product(n, nil)
		thing, id = &p, p.ID
	case kindFlow:
		f := r.flow(n, nil)
		thing, id = &f, f.ID
	default:
		return nil, "", entente.NotFound("there are no things of the kind %.40q", kind)
	}
	if found := r.list(); len(found) > 0 {
		wrong := entente.Invalid("something in the fields is wrong; nothing was changed")
		wrong.Fields = found
		return nil, "", wrong
	}
	return thing, id, nil
}

// entryText is the thing as the entry of its list.
func entryText(thing any) string {
	text := thingText(thing)
	if text == "" {
		return ""
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		switch {
		case i == 0:
			lines[i] = "- " + line
		case line != "":
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// WasEdited gives the thing as it is now, if err is a conflict with another change
// of the same thing.
func WasEdited(err error) (now Thing, ok bool) {
	var e *Edited
	if errors.As(err, &e) {
		return e.Now, true
	}
	return Thing{}, false
}

// Past is one change of one thing.
type Past struct {
	N      int64 // the revision of the chain that it made
	At     time.Time
	By     string
	Door   string
	Import bool
	Before string // as a map says it; "" if it was added
	After  string // "" if it was removed
}

// History lists the changes of one thing, the latest first. It also knows things
// that are gone.
func (s *Service) History(ctx context.Context, actor entente.Actor, kind NodeKind, id NodeID, limit int) ([]Past, error) {
	if err := identity.Require(actor, identity.ChainRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	var all []Past
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		all, err = readHistory(ctx, tx, actor.Org, kind, id, limit)
		return err
	})
	return all, err
}

// UndoThing restores what a thing was before its latest change, which n names. If
// the thing has changed since, or the chain would not hold with what it was, nothing
// is done, and the error says why.
func (s *Service) UndoThing(ctx context.Context, actor entente.Actor, kind NodeKind, id NodeID, n int64) (Changed, error) {
	t := Thing{Kind: kind, ID: id}
	if err := identity.Require(actor, identity.ChainEdit, t.object(actor.Org)); err != nil {
		return Changed{}, err
	}
	last, err := s.History(ctx, actor, kind, id, 1)
	if err != nil {
		return Changed{}, err
	}
	if len(last) == 0 {
		return Changed{}, entente.NotFound("no change of %s %q is known", kind.Noun(), id)
	}
	if last[0].N != n {
		return Changed{}, entente.Conflict("there is a newer change of %s %q; only the latest can be undone", kind.Noun(), id)
	}
	return s.write(ctx, actor, EventChanged, string(id), func(old *Map, _ moment) (*Map, error) {
		now := findThing(old, kind, id)
		if now.Text != last[0].After {
			return nil, entente.Conflict("%s %q was changed since, so the change cannot be undone", kind.Noun(), id)
		}
		if last[0].Before == "" {
			return removed(old, now)
		}
		thing, err := parseEntry(kind, last[0].Before)
		if err != nil {
			return nil, fmt.Errorf("chain: the history of %s %s: %w", kind, id, err)
		}
		m := old.copied()
		at, _ := thingAt(m, kind, id)
		i := m.put(at, thing)
		err = validAt(m, kind, i)
		var wrong *entente.Error
		if errors.As(err, &wrong) {
			wrong.Kind, wrong.Message = entente.KindConflict, entente.Say("the change cannot be undone, because the chain would not hold with what it was; nothing was changed")
		}
		return m, err
	})
}

// parseEntry reads what entryText wrote.
func parseEntry(kind NodeKind, text string) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || len(doc.Content[0].Content) != 1 {
		return nil, errors.New("not the entry of one thing")
	}
	one, err := yaml.Marshal(doc.Content[0].Content[0])
	if err != nil {
		return nil, err
	}
	thing, _, err := parseThing(kind, string(one))
	return thing, err
}

// Canonical gives the fields of one thing as a map writes them.
func Canonical(kind NodeKind, text string) (string, error) {
	thing, _, err := parseThing(kind, text)
	if err != nil {
		return "", err
	}
	return entryText(thing), nil
}
