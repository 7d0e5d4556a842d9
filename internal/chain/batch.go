package chain

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// MaxBatch is how many things are changed at once. What goes with them counts too,
// so that the history keeps all of it and the change can be undone.
const MaxBatch = maxRemembered - 1

// BatchField is a field that many things can be given at once.
type BatchField string

// The fields; an empty one removes the things.
const (
	BatchRemove      BatchField = ""
	BatchOwner       BatchField = "owner"
	BatchCriticality BatchField = "criticality"
	BatchCategory    BatchField = "category"
	BatchCountry     BatchField = "country"
	BatchKind        BatchField = "kind"
	BatchOperator    BatchField = "operator"
	BatchSupplier    BatchField = "supplier"
	BatchClass       BatchField = "class"
)

// Batch is one change of many things of one kind.
type Batch struct {
	Kind  NodeKind
	IDs   []NodeID
	Field BatchField
	Value string // what the field is set to
	// Revision is that of the chain for which the batch was planned; 0 is any.
	Revision int64
}

// BatchPlan tells what a batch would do.
type BatchPlan struct {
	Revision int64
	Things   []BatchThing
}

// BatchThing is what becomes of one thing of a batch.
type BatchThing struct {
	ID   NodeID
	Name string
	Now  string // what the field holds
	With []Node // what goes with a thing that is removed
	Why  error  // why it cannot be done; nil if it can
}

// Can lists the things for which nothing stands in the way.
func (p BatchPlan) Can() []NodeID {
	var ids []NodeID
	for i := range p.Things {
		if p.Things[i].Why == nil {
			ids = append(ids, p.Things[i].ID)
		}
	}
	return ids
}

// BatchFields lists the fields of the things of a kind that a batch can set.
func BatchFields(kind NodeKind) []BatchField {
	switch kind {
	case KindProcess:
		return []BatchField{BatchOwner, BatchCriticality}
	case KindOrganisation:
		return []BatchField{BatchCategory, BatchCountry}
	case KindSystem:
		return []BatchField{BatchKind, BatchOperator}
	case KindSupply:
		return []BatchField{BatchCategory, BatchKind}
	case KindProduct:
		return []BatchField{BatchSupplier}
	case kindFlow:
		return []BatchField{BatchClass}
	}
	return nil
}

// batchField finds a field of a thing; nil if a batch cannot set it.
func batchField(thing any, f BatchField) (get func() string, set func(string)) {
	switch t := thing.(type) {
	case *Process:
		switch f {
		case BatchOwner:
			return textField(&t.Owner)
		case BatchCriticality:
			return textField(&t.BIA.Criticality)
		}
	case *Organisation:
		switch f {
		case BatchCategory:
			return textField(&t.Category)
		case BatchCountry:
			return textField(&t.Country)
		}
	case *System:
		switch f {
		case BatchKind:
			return textField(&t.Kind)
		case BatchOperator:
			return textField(&t.Operator)
		}
	case *Supply:
		switch f {
		case BatchCategory:
			return textField(&t.Category)
		case BatchKind:
			return textField(&t.Kind)
		}
	case *Product:
		if f == BatchSupplier {
			return textField(&t.Supplier)
		}
	case *Flow:
		if f == BatchClass {
			return textField(&t.Class)
		}
	}
	return nil, nil
}

func textField[T ~string](p *T) (get func() string, set func(string)) {
	return func() string { return string(*p) }, func(s string) { *p = T(s) }
}

func (b Batch) check() error {
	switch {
	case !slices.Contains(Kinds(), b.Kind):
		return entente.NotFound("there are no things of the kind %.40q", b.Kind)
	case b.Field != BatchRemove && !slices.Contains(BatchFields(b.Kind), b.Field):
		return entente.Invalid("the field %.40q cannot be set for many things at once", b.Field)
	case len(b.IDs) == 0:
		return entente.Invalid("nothing was chosen")
	case len(b.IDs) > MaxBatch:
		return entente.TooLarge("these are %d; at most %d are changed at once", len(b.IDs), MaxBatch)
	}
	return nil
}

// PlanBatch tells what a batch would do, thing by thing, and changes nothing. What
// the actor may not change, and what others rely on, is listed with the reason.
func (s *Service) PlanBatch(ctx context.Context, actor entente.Actor, b Batch) (BatchPlan, error) {
	if err := b.check(); err != nil {
		return BatchPlan{}, err
	}
	g, err := s.Graph(ctx, actor) // requires chain.read
	if err != nil {
		return BatchPlan{}, err
	}
	plan, _ := planBatch(g.Map(), b, mayEdit(actor))
	plan.Revision = g.Revision()
	return plan, nil
}

// ApplyBatch does what a batch says, to all of its things or to none, as one change
// that can be undone as one (see [Service.UndoChange]).
func (s *Service) ApplyBatch(ctx context.Context, actor entente.Actor, b Batch) (Changed, error) {
	for _, id := range b.IDs {
		if err := identity.Require(actor, identity.ChainEdit, Thing{Kind: b.Kind, ID: id}.object(actor.Org)); err != nil {
			return Changed{}, err
		}
	}
	if len(b.IDs) == 0 {
		if err := identity.Require(actor, identity.ChainEdit, identity.In(actor.Org)); err != nil {
			return Changed{}, err
		}
	}
	if err := b.check(); err != nil {
		return Changed{}, err
	}
	return s.write(ctx, actor, EventChanged, "", func(old *Map, now moment) (*Map, error) {
		if err := madeFor(b.Revision, now); err != nil {
			return nil, err
		}
		if old == nil {
			return nil, entente.NotFound("there is no chain yet")
		}
		plan, gone := planBatch(old, b, mayEdit(actor))
		if err := plan.refused(); err != nil {
			return nil, err
		}
		if b.Field == BatchRemove {
			if len(gone) > MaxBatch {
				return nil, entente.TooLarge("with what goes along these are %d things; at most %d are removed at once", len(gone), MaxBatch)
			}
			m := old.withoutAll(gone)
			return m, valid(m)
		}
		return batched(old, b)
	})
}

// refused is the error of a batch of which something cannot be done.
func (p BatchPlan) refused() error {
	var fields []entente.FieldError
	for i := range p.Things {
		t := &p.Things[i]
		if t.Why != nil && len(fields) < mostFields {
			f := entente.FieldError{Field: t.Name}
			var known *entente.Error
			if errors.As(t.Why, &known) {
				f.Message = known.Message
			}
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	wrong := entente.Conflict("not all of it can be done, so nothing was changed")
	wrong.Fields = fields
	return wrong
}

// batched gives the map with the batch's field set.
func batched(old *Map, b Batch) (*Map, error) {
	m := old.copied()
	at := spots(m)
	for _, id := range b.IDs {
		_, set := batchField(m.thing(at[id]), b.Field)
		set(b.Value)
	}
	found := Validate(m)
	if len(found) == 0 {
		return m, nil
	}
	wrong := entente.Invalid("the value cannot be taken; nothing was changed")
	for _, f := range found {
		one := entente.FieldError{Field: string(b.Field), Message: f.Message}
		said := func(other entente.FieldError) bool { return other.String() == one.String() }
		if !slices.ContainsFunc(wrong.Fields, said) && len(wrong.Fields) < mostFields {
			wrong.Fields = append(wrong.Fields, one)
		}
	}
	return nil, wrong
}

// planBatch decides for each thing; gone is all that a removal takes away.
func planBatch(m *Map, b Batch, may func(NodeKind, NodeID) error) (plan BatchPlan, gone map[NodeID]bool) {
	at := spots(m)
	seen := map[NodeID]bool{}
	for _, id := range b.IDs {
		if seen[id] {
			continue
		}
		seen[id] = true
		t := BatchThing{ID: id, Name: string(id)}
		s, known := at[id]
		if !known || s.kind != b.Kind {
			t.Why = entente.NotFound("it is gone, or was renamed")
			plan.Things = append(plan.Things, t)
			continue
		}
		t.Name = thingName(m.thing(s))
		if get, _ := batchField(m.thing(s), b.Field); get != nil {
			t.Now = get()
		}
		t.Why = may(b.Kind, id)
		if t.Why == nil && b.Field == BatchRemove && id == m.Own {
			t.Why = entente.Conflict("it is our own organisation")
		}
		plan.Things = append(plan.Things, t)
	}
	if b.Field != BatchRemove {
		return plan, nil
	}
	return plan, m.planRemoval(plan.Things, at, may)
}

// planRemoval marks what cannot be removed because something that stays refers to
// it, and names what goes with the others.
func (m *Map) planRemoval(things []BatchThing, at map[NodeID]spot, may func(NodeKind, NodeID) error) (gone map[NodeID]bool) {
	place := map[NodeID]int{} // of a thing in the batch
	for i := range things {
		place[things[i].ID] = i
	}
	with := map[NodeID][]NodeID{} // what goes with a thing
	for id, holder := range m.belongs() {
		target := m.whole(at, id)
		i, chosen := place[target]
		if !chosen || slices.Contains(with[target], holder) {
			continue
		}
		with[target] = append(with[target], holder)
		if err := may(at[holder].kind, holder); err != nil && things[i].Why == nil {
			things[i].Why = err
		}
	}
	for {
		gone = map[NodeID]bool{}
		for i := range things {
			if things[i].Why != nil {
				continue
			}
			gone[things[i].ID] = true
			for _, id := range with[things[i].ID] {
				gone[id] = true
			}
		}
		needed := m.neededBy(at, gone)
		stuck := false
		for i := range things {
			if things[i].Why != nil {
				continue
			}
			holders := needed[things[i].ID]
			for _, id := range with[things[i].ID] {
				holders = append(holders, needed[id]...)
			}
			if len(holders) > 0 {
				things[i].Why, stuck = stillNeeded(holders), true
			}
		}
		if !stuck {
			break
		}
	}
	told := map[NodeID]bool{}
	for i := range things {
		for _, id := range with[things[i].ID] {
			if things[i].Why == nil && !told[id] {
				told[id] = true
				things[i].With = append(things[i].With, Node{ID: id, Kind: at[id].kind, Name: thingName(m.thing(at[id]))})
			}
		}
	}
	return gone
}

// mostFields is how many things an error names one by one.
const mostFields = 20

// mostNamed is how many things are named that rely on another.
const mostNamed = 3

func stillNeeded(holders []string) error {
	slices.Sort(holders)
	holders = slices.Compact(holders)
	if n := len(holders) - mostNamed; n > 0 {
		return entente.Conflict("%s and %d more rely on it", entente.Joined(holders[:mostNamed], ", "), n)
	}
	return entente.Conflict("it is still needed by %s", entente.And(holders))
}

// neededBy names for each thing that goes what refers to it and stays.
func (m *Map) neededBy(at map[NodeID]spot, gone map[NodeID]bool) map[NodeID][]string {
	needed := map[NodeID][]string{}
	for id, holder := range m.references() {
		target := m.whole(at, id)
		if gone[target] && !gone[holder] && target != holder {
			needed[target] = append(needed[target], thingName(m.thing(at[holder])))
		}
	}
	return needed
}

// whole is the thing that an identifier is of: the process for an activity.
func (m *Map) whole(at map[NodeID]spot, id NodeID) NodeID {
	if s := at[id]; s.kind == KindActivity {
		return m.Processes[s.i].ID
	}
	return id
}

// belongs yields what makes no sense without another thing, as that thing and what
// goes with it: supplies and products of an organisation, flows of their ends.
func (m *Map) belongs() iter.Seq2[NodeID, NodeID] {
	return func(yield func(NodeID, NodeID) bool) {
		for i := range m.Supplies {
			y := &m.Supplies[i]
			if !yield(y.Supplier, y.ID) || !yield(y.Customer, y.ID) {
				return
			}
		}
		for i := range m.Products {
			if !yield(m.Products[i].Supplier, m.Products[i].ID) {
				return
			}
		}
		for i := range m.Flows {
			f := &m.Flows[i]
			if !yield(f.From, f.ID) || !yield(f.To, f.ID) {
				return
			}
		}
	}
}

// references yields every identifier that a thing refers to, with the thing.
func (m *Map) references() iter.Seq2[NodeID, NodeID] {
	return func(yield func(NodeID, NodeID) bool) {
		all := func(holder NodeID, ids ...NodeID) bool {
			for _, id := range ids {
				if id != "" && !yield(id, holder) {
					return false
				}
			}
			return true
		}
		needs := func(holder NodeID, needs []Need) bool {
			for i := range needs {
				if !all(holder, needs[i].Any...) {
					return false
				}
			}
			return true
		}
		for i := range m.Organisations {
			if o := &m.Organisations[i]; !all(o.ID, o.Parent) {
				return
			}
		}
		for i := range m.Processes {
			p := &m.Processes[i]
			ok := needs(p.ID, p.Needs)
			for _, item := range slices.Concat(p.Inputs, p.Outputs) {
				ok = ok && all(p.ID, item.Party)
			}
			for _, a := range p.Activities {
				ok = ok && needs(p.ID, a.Needs)
			}
			if !ok {
				return
			}
		}
		for i := range m.Systems {
			y := &m.Systems[i]
			if !all(y.ID, y.Operator) || !all(y.ID, y.Products...) || !needs(y.ID, y.Needs) {
				return
			}
		}
		for i := range m.Supplies {
			y := &m.Supplies[i]
			ok := all(y.ID, y.Supplier, y.Customer) && all(y.ID, y.Products...) && needs(y.ID, y.Needs)
			for _, a := range y.Access {
				ok = ok && all(y.ID, a.System)
			}
			if !ok {
				return
			}
		}
		for i := range m.Products {
			if p := &m.Products[i]; !all(p.ID, p.Supplier) {
				return
			}
		}
		for i := range m.Flows {
			if f := &m.Flows[i]; !all(f.ID, f.From, f.To) {
				return
			}
		}
	}
}

// withoutAll gives the map without some things.
func (m *Map) withoutAll(gone map[NodeID]bool) *Map {
	c := m.copied()
	c.Organisations = slices.DeleteFunc(c.Organisations, func(t Organisation) bool { return gone[t.ID] })
	c.Processes = slices.DeleteFunc(c.Processes, func(t Process) bool { return gone[t.ID] })
	c.Systems = slices.DeleteFunc(c.Systems, func(t System) bool { return gone[t.ID] })
	c.Supplies = slices.DeleteFunc(c.Supplies, func(t Supply) bool { return gone[t.ID] })
	c.Products = slices.DeleteFunc(c.Products, func(t Product) bool { return gone[t.ID] })
	c.Flows = slices.DeleteFunc(c.Flows, func(t Flow) bool { return gone[t.ID] })
	return c
}

// PastThing is what one change made of one thing.
type PastThing struct {
	Kind NodeKind
	ID   NodeID
	Name string
	Past
}

// ChangeAt lists what one change of the chain, by the revision that it made, did to
// each thing. Of very large imports only a part is kept.
func (s *Service) ChangeAt(ctx context.Context, actor entente.Actor, n int64) ([]PastThing, error) {
	if err := identity.Require(actor, identity.ChainRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	var all []PastThing
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		all, err = readChange(ctx, tx, actor.Org, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, entente.NotFound("no change of the chain with the number %d is known", n)
	}
	for i := range all {
		t := &all[i]
		text := t.After
		if text == "" {
			text = t.Before
		}
		t.Name = string(t.ID)
		if thing, err := parseEntry(t.Kind, text); err == nil {
			t.Name = thingName(thing)
		}
	}
	return all, nil
}

// UndoChange takes a whole change of the chain back: every thing becomes what it was
// before. If any of them was changed since, or the chain would not hold with what
// they were, nothing is done, and the error names what stands in the way.
func (s *Service) UndoChange(ctx context.Context, actor entente.Actor, n int64) (Changed, error) {
	all, err := s.ChangeAt(ctx, actor, n)
	if err != nil {
		return Changed{}, err
	}
	may := mayEdit(actor)
	for i := range all {
		if err := may(all[i].Kind, all[i].ID); err != nil {
			return Changed{}, err
		}
	}
	if len(all) > MaxBatch {
		return Changed{}, entente.TooLarge("the change is too large to be undone here; an import is undone on its own page")
	}
	return s.write(ctx, actor, EventChanged, "", func(old *Map, _ moment) (*Map, error) {
		if old == nil {
			return nil, entente.Conflict("the chain is gone")
		}
		return unchanged(old, all)
	})
}

// unchanged gives the map as it was before a change.
func unchanged(old *Map, all []PastThing) (*Map, error) {
	wrong := entente.Conflict("the change cannot be undone, because things have changed since; nothing was undone")
	say := func(f entente.FieldError) {
		if len(wrong.Fields) < mostFields {
			wrong.Fields = append(wrong.Fields, f)
		}
	}
	now, at := textsIn(old), spots(old)
	gone := map[NodeID]bool{}
	m := old.copied()
	var back []any
	for _, t := range all {
		if now(t.Kind, t.ID) != t.After {
			say(since(t.Name, entente.Conflict("it was changed since")))
			continue
		}
		if t.Before == "" {
			gone[t.ID] = true
			continue
		}
		thing, err := parseEntry(t.Kind, t.Before)
		if err != nil {
			return nil, err
		}
		if t.After == "" {
			back = append(back, thing)
			continue
		}
		m.put(at[t.ID], thing)
	}
	if len(wrong.Fields) > 0 {
		return nil, wrong
	}
	m = m.withoutAll(gone)
	for _, thing := range back {
		m.put(spot{i: -1}, thing)
	}
	for _, f := range Validate(m) {
		say(entente.FieldError{Message: entente.Say("%s: %s", m.holderOf(f.Field), f.Message)})
	}
	if len(wrong.Fields) > 0 {
		return nil, wrong
	}
	return m, nil
}

func since(name string, e *entente.Error) entente.FieldError {
	return entente.FieldError{Field: name, Message: e.Message}
}
