package chain

import (
	"bufio"
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// difference compares two lists of things of one kind by what a map would say of
// them. It returns what to write: the added and the changed ones.
func difference[T any](old, now []T, id func(*T) NodeID, write func(*writer, *T)) (c Change, put []*T) {
	text := func(thing *T) string {
		var b bytes.Buffer
		w := &writer{Writer: bufio.NewWriterSize(&b, 512)}
		write(w, thing)
		w.Flush() // a buffer takes everything
		return b.String()
	}
	before := make(map[NodeID]*T, len(old))
	for i := range old {
		before[id(&old[i])] = &old[i]
	}
	for i := range now {
		thing := &now[i]
		was, known := before[id(thing)]
		switch {
		case !known:
			c.Added = append(c.Added, id(thing))
		case text(was) != text(thing):
			c.Changed = append(c.Changed, id(thing))
		default:
			delete(before, id(thing))
			continue
		}
		delete(before, id(thing))
		put = append(put, thing)
	}
	for gone := range before {
		c.Removed = append(c.Removed, gone)
	}
	for _, list := range [][]NodeID{c.Added, c.Changed, c.Removed} {
		slices.Sort(list)
	}
	return c, put
}

// save writes the difference between the stored chain and the new one. Things that
// changed are deleted with all their parts and written anew.
func save(ctx context.Context, tx *db.Tx, org entente.OrgID, old, m *Map) (Changed, error) {
	if old == nil {
		old = &Map{}
	}
	var done Changed
	s := saver{ctx: ctx, tx: tx, org: org}
	done.Head = old.Own != m.Own || old.Currency != m.Currency

	c, organisations := difference(old.Organisations, m.Organisations, func(o *Organisation) NodeID { return o.ID }, (*writer).organisation)
	done.Organisations = c
	for id := range c.gone() {
		s.done(tx.Exec(ctx, "DELETE FROM chain_organisation WHERE org = $1 AND id = $2", org, id))
		s.done(tx.Exec(ctx, "DELETE FROM chain_contact WHERE org = $1 AND organisation = $2", org, id))
	}
	c, processes := difference(old.Processes, m.Processes, func(p *Process) NodeID { return p.ID }, (*writer).process)
	done.Processes = c
	activities := map[NodeID][]Activity{}
	for i := range old.Processes {
		activities[old.Processes[i].ID] = old.Processes[i].Activities
	}
	for id := range c.gone() {
		s.done(tx.Exec(ctx, "DELETE FROM chain_process WHERE org = $1 AND id = $2", org, id))
		s.done(tx.Exec(ctx, "DELETE FROM chain_cost WHERE org = $1 AND process = $2", org, id))
		s.done(tx.Exec(ctx, "DELETE FROM chain_item WHERE org = $1 AND process = $2", org, id))
		s.done(tx.Exec(ctx, "DELETE FROM chain_activity WHERE org = $1 AND process = $2", org, id))
		s.holder(id)
		for _, a := range activities[id] {
			s.holder(a.ID)
		}
	}
	c, systems := difference(old.Systems, m.Systems, func(y *System) NodeID { return y.ID }, (*writer).system)
	done.Systems = c
	for id := range c.gone() {
		s.done(tx.Exec(ctx, "DELETE FROM chain_system WHERE org = $1 AND id = $2", org, id))
		s.holder(id)
	}
	c, supplies := difference(old.Supplies, m.Supplies, func(y *Supply) NodeID { return y.ID }, (*writer).supply)
	done.Supplies = c
	for id := range c.gone() {
		s.done(tx.Exec(ctx, "DELETE FROM chain_supply WHERE org = $1 AND id = $2", org, id))
		s.done(tx.Exec(ctx, "DELETE FROM chain_access WHERE org = $1 AND supply = $2", org, id))
		s.holder(id)
	}
	c, products := difference(old.Products, m.Products, func(p *Product) NodeID { return p.ID }, (*writer).product)
	done.Products = c
	for id := range c.gone() {
		s.done(tx.Exec(ctx, "DELETE FROM chain_product WHERE org = $1 AND id = $2", org, id))
	}
	c, flows := difference(old.Flows, m.Flows, func(f *Flow) NodeID { return f.ID }, (*writer).flow)
	done.Flows = c
	for id := range c.gone() {
		s.done(tx.Exec(ctx, "DELETE FROM chain_flow WHERE org = $1 AND id = $2", org, id))
	}

	// Everything old is gone before anything new comes, because an id may have moved
	// from one kind to another.
	s.organisations(organisations)
	s.processes(processes)
	s.systems(systems)
	s.supplies(supplies)
	s.products(products)
	s.flows(flows)
	return done, s.err
}

// gone yields what must leave the tables: the removed and the changed.
func (c Change) gone() iter.Seq[NodeID] {
	return func(yield func(NodeID) bool) {
		for _, list := range [][]NodeID{c.Changed, c.Removed} {
			for _, id := range list {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// saver writes rows and keeps the first error.
type saver struct {
	ctx context.Context
	tx  *db.Tx
	org entente.OrgID
	err error
}

func (s *saver) done(_ int64, err error) {
	if s.err == nil {
		s.err = err
	}
}

// holder deletes what hangs on a thing that has needs.
func (s *saver) holder(id NodeID) {
	s.done(s.tx.Exec(s.ctx, "DELETE FROM chain_need WHERE org = $1 AND holder = $2", s.org, id))
	s.done(s.tx.Exec(s.ctx, "DELETE FROM chain_need_option WHERE org = $1 AND holder = $2", s.org, id))
	s.done(s.tx.Exec(s.ctx, "DELETE FROM chain_carries WHERE org = $1 AND holder = $2", s.org, id))
}

// rows makes the rows to insert: each gets a function that takes the values of one
// row, behind the organisation. Once the database wants no more, after an error,
// the function does nothing.
func (s *saver) rows(each func(row func(...any))) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		values := make([]any, 0, 10)
		more := true
		each(func(v ...any) {
			if more {
				values = append(append(values[:0], string(s.org)), v...)
				more = yield(values)
			}
		})
	}
}

func (s *saver) organisations(all []*Organisation) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_organisation (org, id, name, lei, domains, country, category, parent, note) VALUES", "", s.rows(func(row func(...any)) {
		for _, o := range all {
			row(string(o.ID), o.Name, o.LEI, texts[string](o.Domains).column(), o.Country, o.Category, string(o.Parent), o.Note)
		}
	})))
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_contact (org, organisation, n, name, role, email, phone) VALUES", "", s.rows(func(row func(...any)) {
		for _, o := range all {
			for n, c := range o.Contacts {
				row(string(o.ID), n, c.Name, c.Role, c.Email, c.Phone)
			}
		}
	})))
}

func (s *saver) processes(all []*Process) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_process (org, id, name, description, owner, criticality, rto, mtpd, rpo) VALUES", "", s.rows(func(row func(...any)) {
		for _, p := range all {
			row(string(p.ID), p.Name, p.Description, p.Owner, string(p.BIA.Criticality), seconds(p.BIA.RTO), seconds(p.BIA.MTPD), seconds(p.BIA.RPO))
		}
	})))
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_cost (org, process, n, since, per_hour) VALUES", "", s.rows(func(row func(...any)) {
		for _, p := range all {
			for n, c := range p.BIA.Cost {
				row(string(p.ID), n, seconds(c.From), c.PerHour)
			}
		}
	})))
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_item (org, process, side, n, name, party, kind) VALUES", "", s.rows(func(row func(...any)) {
		for _, p := range all {
			for n, it := range p.Inputs {
				row(string(p.ID), sideInput, n, it.Name, string(it.Party), string(it.Kind))
			}
			for n, it := range p.Outputs {
				row(string(p.ID), sideOutput, n, it.Name, string(it.Party), string(it.Kind))
			}
		}
	})))
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_activity (org, process, n, id, name, buffer) VALUES", "", s.rows(func(row func(...any)) {
		for _, p := range all {
			for n, a := range p.Activities {
				row(string(p.ID), n, string(a.ID), a.Name, seconds(a.Buffer))
			}
		}
	})))
	s.needs(func(holder func(NodeID, []Need)) {
		for _, p := range all {
			holder(p.ID, p.Needs)
			for _, a := range p.Activities {
				holder(a.ID, a.Needs)
			}
		}
	})
}

func (s *saver) systems(all []*System) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_system (org, id, name, kind, operator, data) VALUES", "", s.rows(func(row func(...any)) {
		for _, y := range all {
			row(string(y.ID), y.Name, string(y.Kind), string(y.Operator), texts[Class](y.Data).column())
		}
	})))
	s.carries(func(holder func(NodeID, []NodeID)) {
		for _, y := range all {
			holder(y.ID, y.Products)
		}
	})
	s.needs(func(holder func(NodeID, []Need)) {
		for _, y := range all {
			holder(y.ID, y.Needs)
		}
	})
}

func (s *saver) supplies(all []*Supply) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_supply (org, id, name, supplier, customer, kind, nature, category, spend) VALUES", "", s.rows(func(row func(...any)) {
		for _, y := range all {
			row(string(y.ID), y.Name, string(y.Supplier), string(y.Customer), string(y.Kind), string(y.Nature), y.Category, y.Spend)
		}
	})))
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_access (org, supply, n, system, level) VALUES", "", s.rows(func(row func(...any)) {
		for _, y := range all {
			for n, a := range y.Access {
				row(string(y.ID), n, string(a.System), string(a.Level))
			}
		}
	})))
	s.carries(func(holder func(NodeID, []NodeID)) {
		for _, y := range all {
			holder(y.ID, y.Products)
		}
	})
	s.needs(func(holder func(NodeID, []Need)) {
		for _, y := range all {
			holder(y.ID, y.Needs)
		}
	})
}

func (s *saver) products(all []*Product) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_product (org, id, name, supplier, version, sboms) VALUES", "", s.rows(func(row func(...any)) {
		for _, p := range all {
			row(string(p.ID), p.Name, string(p.Supplier), p.Version, texts[string](p.SBOMs).column())
		}
	})))
}

func (s *saver) flows(all []*Flow) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_flow (org, id, from_id, to_id, data, class, interface, protocol) VALUES", "", s.rows(func(row func(...any)) {
		for _, f := range all {
			row(string(f.ID), string(f.From), string(f.To), texts[string](f.Data).column(), string(f.Class), f.Interface, f.Protocol)
		}
	})))
}

func (s *saver) carries(each func(holder func(NodeID, []NodeID))) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_carries (org, holder, n, product) VALUES", "", s.rows(func(row func(...any)) {
		each(func(holder NodeID, products []NodeID) {
			for n, p := range products {
				row(string(holder), n, string(p))
			}
		})
	})))
}

func (s *saver) needs(each func(holder func(NodeID, []Need))) {
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_need (org, holder, n, buffer, note) VALUES", "", s.rows(func(row func(...any)) {
		each(func(holder NodeID, needs []Need) {
			for n, need := range needs {
				row(string(holder), n, seconds(need.Buffer), need.Note)
			}
		})
	})))
	s.done(s.tx.Insert(s.ctx, "INSERT INTO chain_need_option (org, holder, need, n, target) VALUES", "", s.rows(func(row func(...any)) {
		each(func(holder NodeID, needs []Need) {
			for need := range needs {
				for n, target := range needs[need].Any {
					row(string(holder), need, n, string(target))
				}
			}
		})
	})))
}

// asStored gives a map as [load] reads it back once it is saved: in the order of its
// ids, and without empty lists. It shares no list with the map, which may be another's.
func asStored(m *Map) *Map {
	c := &Map{Own: m.Own, Currency: m.Currency}
	c.Organisations, c.Processes, c.Systems = owned(m.Organisations), owned(m.Processes), owned(m.Systems)
	c.Supplies, c.Products, c.Flows = owned(m.Supplies), owned(m.Products), owned(m.Flows)
	c.Sort()
	for i := range c.Organisations {
		o := &c.Organisations[i]
		o.Domains, o.Contacts = owned(o.Domains), owned(o.Contacts)
	}
	for i := range c.Processes {
		p := &c.Processes[i]
		p.BIA.Cost, p.Inputs, p.Outputs, p.Needs = owned(p.BIA.Cost), owned(p.Inputs), owned(p.Outputs), ownedNeeds(p.Needs)
		p.Activities = owned(p.Activities)
		for j := range p.Activities {
			p.Activities[j].Needs = ownedNeeds(p.Activities[j].Needs)
		}
	}
	for i := range c.Systems {
		y := &c.Systems[i]
		y.Data, y.Products, y.Needs = owned(y.Data), owned(y.Products), ownedNeeds(y.Needs)
	}
	for i := range c.Supplies {
		y := &c.Supplies[i]
		y.Products, y.Access, y.Needs = owned(y.Products), owned(y.Access), ownedNeeds(y.Needs)
	}
	for i := range c.Products {
		c.Products[i].SBOMs = owned(c.Products[i].SBOMs)
	}
	for i := range c.Flows {
		c.Flows[i].Data = owned(c.Flows[i].Data)
	}
	return c
}

// owned copies a list; an empty one becomes nil.
func owned[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.Clone(list)
}

func ownedNeeds(list []Need) []Need {
	list = owned(list)
	for i := range list {
		list[i].Any = owned(list[i].Any)
	}
	return list
}
