package chain

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

func seconds(d time.Duration) int64  { return int64(d / time.Second) }
func duration(s int64) time.Duration { return time.Duration(s) * time.Second }

// texts stores a short list in one column, as JSON.
type texts[T ~string] []T

func (t texts[T]) column() string {
	if len(t) == 0 {
		return "[]"
	}
	raw, err := json.Marshal(t)
	if err != nil {
		panic(err) // a list of strings always has a JSON form
	}
	return string(raw)
}

func textsOf[T ~string](column string) ([]T, error) {
	if column == "[]" {
		return nil, nil
	}
	var all []T
	err := json.Unmarshal([]byte(column), &all)
	return all, err
}

// AskRevision asks for the revision of a chain; without a chain it leaves to as it is.
func AskRevision(to *int64, org entente.OrgID) db.Question {
	return db.Ask("SELECT revision FROM chain_revision WHERE org = $1", func(s db.Scanner) error { return s.Scan(to) }, org)
}

func revisionOf(ctx context.Context, tx *db.Tx, org entente.OrgID) (revision int64, err error) {
	err = db.Together(ctx, tx, AskRevision(&revision, org))
	return revision, err
}

func putRevision(ctx context.Context, tx *db.Tx, org entente.OrgID, revision int64, m *Map, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO chain_revision (org, revision, mapped, own, currency, changed_at) VALUES ($1, $2, $2, $3, $4, $5)
		ON CONFLICT (org) DO UPDATE SET revision = excluded.revision, mapped = excluded.mapped, own = excluded.own, currency = excluded.currency, changed_at = excluded.changed_at`,
		org, revision, string(m.Own), m.Currency, db.Millis(now))
	return err
}

// loader reads a whole chain. Rows of things come in the order of their ids, rows
// of their parts in their own order, so that a load is one pass over each table.
type loader struct {
	ctx   context.Context
	tx    *db.Tx
	org   entente.OrgID
	m     *Map
	needs map[NodeID][]Need
	carry map[NodeID][]NodeID
	byID  map[NodeID]int // place of a thing in its list
}

// load gives an organisation's chain and where it stands; nil if there is none.
func load(ctx context.Context, tx *db.Tx, org entente.OrgID) (*Map, moment, error) {
	m := &Map{}
	now, err := db.One(ctx, tx, func(s db.Scanner) (now moment, err error) {
		return now, s.Scan(&now.revision, &now.mapped, &m.Own, &m.Currency)
	}, "SELECT revision, mapped, own, currency FROM chain_revision WHERE org = $1", org)
	if errors.Is(err, db.ErrNoRow) {
		return nil, now, nil
	}
	if err != nil {
		return nil, now, err
	}
	l := &loader{ctx: ctx, tx: tx, org: org, m: m, needs: map[NodeID][]Need{}, carry: map[NodeID][]NodeID{}, byID: map[NodeID]int{}}
	for _, part := range []func() error{
		l.loadNeeds, l.loadCarried, l.loadOrganisations, l.loadProcesses, l.loadSystems, l.loadSupplies, l.loadProducts, l.loadFlows,
	} {
		if err := part(); err != nil {
			return nil, now, err
		}
	}
	return m, now, nil
}

func (l *loader) loadNeeds() error {
	err := db.Each(l.ctx, l.tx, "SELECT holder, buffer, note FROM chain_need WHERE org = $1 ORDER BY holder, n", func(s db.Scanner) error {
		var holder NodeID
		var buffer int64
		var n Need
		err := s.Scan(&holder, &buffer, &n.Note)
		n.Buffer = duration(buffer)
		l.needs[holder] = append(l.needs[holder], n)
		return err
	}, l.org)
	if err != nil {
		return err
	}
	return db.Each(l.ctx, l.tx, "SELECT holder, need, target FROM chain_need_option WHERE org = $1 ORDER BY holder, need, n", func(s db.Scanner) error {
		var holder, target NodeID
		var need int
		err := s.Scan(&holder, &need, &target)
		if err != nil {
			return err
		}
		any := &l.needs[holder][need].Any
		*any = append(*any, target)
		return nil
	}, l.org)
}

func (l *loader) loadCarried() error {
	return db.Each(l.ctx, l.tx, "SELECT holder, product FROM chain_carries WHERE org = $1 ORDER BY holder, n", func(s db.Scanner) error {
		var holder, product NodeID
		err := s.Scan(&holder, &product)
		l.carry[holder] = append(l.carry[holder], product)
		return err
	}, l.org)
}

func (l *loader) loadOrganisations() error {
	err := db.Each(l.ctx, l.tx, `SELECT id, name, lei, domains, country, category, parent, note
		FROM chain_organisation WHERE org = $1 ORDER BY id`, func(s db.Scanner) error {
		var o Organisation
		var domains string
		err := s.Scan(&o.ID, &o.Name, &o.LEI, &domains, &o.Country, &o.Category, &o.Parent, &o.Note)
		if err != nil {
			return err
		}
		o.Domains, err = textsOf[string](domains)
		l.byID[o.ID] = len(l.m.Organisations)
		l.m.Organisations = append(l.m.Organisations, o)
		return err
	}, l.org)
	if err != nil {
		return err
	}
	return db.Each(l.ctx, l.tx, `SELECT organisation, name, role, email, phone
		FROM chain_contact WHERE org = $1 ORDER BY organisation, n`, func(s db.Scanner) error {
		var id NodeID
		var c Contact
		err := s.Scan(&id, &c.Name, &c.Role, &c.Email, &c.Phone)
		o := &l.m.Organisations[l.byID[id]]
		o.Contacts = append(o.Contacts, c)
		return err
	}, l.org)
}

func (l *loader) loadProcesses() error {
	err := db.Each(l.ctx, l.tx, `SELECT id, name, description, owner, criticality, rto, mtpd, rpo
		FROM chain_process WHERE org = $1 ORDER BY id`, func(s db.Scanner) error {
		var p Process
		var rto, mtpd, rpo int64
		err := s.Scan(&p.ID, &p.Name, &p.Description, &p.Owner, &p.BIA.Criticality, &rto, &mtpd, &rpo)
		p.BIA.RTO, p.BIA.MTPD, p.BIA.RPO = duration(rto), duration(mtpd), duration(rpo)
		p.Needs = l.needs[p.ID]
		l.byID[p.ID] = len(l.m.Processes)
		l.m.Processes = append(l.m.Processes, p)
		return err
	}, l.org)
	if err != nil {
		return err
	}
	err = db.Each(l.ctx, l.tx, "SELECT process, since, per_hour FROM chain_cost WHERE org = $1 ORDER BY process, n", func(s db.Scanner) error {
		var id NodeID
		var since int64
		var c CostRate
		err := s.Scan(&id, &since, &c.PerHour)
		c.From = duration(since)
		b := &l.m.Processes[l.byID[id]].BIA
		b.Cost = append(b.Cost, c)
		return err
	}, l.org)
	if err != nil {
		return err
	}
	err = db.Each(l.ctx, l.tx, "SELECT process, side, name, party, kind FROM chain_item WHERE org = $1 ORDER BY process, side, n", func(s db.Scanner) error {
		var id NodeID
		var side string
		var it Item
		err := s.Scan(&id, &side, &it.Name, &it.Party, &it.Kind)
		p := &l.m.Processes[l.byID[id]]
		if side == sideInput {
			p.Inputs = append(p.Inputs, it)
		} else {
			p.Outputs = append(p.Outputs, it)
		}
		return err
	}, l.org)
	if err != nil {
		return err
	}
	return db.Each(l.ctx, l.tx, "SELECT process, id, name, buffer FROM chain_activity WHERE org = $1 ORDER BY process, n", func(s db.Scanner) error {
		var id NodeID
		var buffer int64
		var a Activity
		err := s.Scan(&id, &a.ID, &a.Name, &buffer)
		a.Buffer = duration(buffer)
		a.Needs = l.needs[a.ID]
		p := &l.m.Processes[l.byID[id]]
		p.Activities = append(p.Activities, a)
		return err
	}, l.org)
}

const (
	sideInput  = "input"
	sideOutput = "output"
)

func (l *loader) loadSystems() error {
	return db.Each(l.ctx, l.tx, "SELECT id, name, kind, operator, data FROM chain_system WHERE org = $1 ORDER BY id", func(s db.Scanner) error {
		var y System
		var data string
		err := s.Scan(&y.ID, &y.Name, &y.Kind, &y.Operator, &data)
		if err != nil {
			return err
		}
		y.Data, err = textsOf[Class](data)
		y.Products, y.Needs = l.carry[y.ID], l.needs[y.ID]
		l.m.Systems = append(l.m.Systems, y)
		return err
	}, l.org)
}

func (l *loader) loadSupplies() error {
	err := db.Each(l.ctx, l.tx, `SELECT id, name, supplier, customer, kind, nature, category, spend
		FROM chain_supply WHERE org = $1 ORDER BY id`, func(s db.Scanner) error {
		var y Supply
		err := s.Scan(&y.ID, &y.Name, &y.Supplier, &y.Customer, &y.Kind, &y.Nature, &y.Category, &y.Spend)
		y.Products, y.Needs = l.carry[y.ID], l.needs[y.ID]
		l.byID[y.ID] = len(l.m.Supplies)
		l.m.Supplies = append(l.m.Supplies, y)
		return err
	}, l.org)
	if err != nil {
		return err
	}
	return db.Each(l.ctx, l.tx, "SELECT supply, system, level FROM chain_access WHERE org = $1 ORDER BY supply, n", func(s db.Scanner) error {
		var id NodeID
		var a Access
		err := s.Scan(&id, &a.System, &a.Level)
		y := &l.m.Supplies[l.byID[id]]
		y.Access = append(y.Access, a)
		return err
	}, l.org)
}

func (l *loader) loadProducts() error {
	return db.Each(l.ctx, l.tx, "SELECT id, name, supplier, version, sboms FROM chain_product WHERE org = $1 ORDER BY id", func(s db.Scanner) error {
		var p Product
		var sboms string
		err := s.Scan(&p.ID, &p.Name, &p.Supplier, &p.Version, &sboms)
		if err != nil {
			return err
		}
		p.SBOMs, err = textsOf[string](sboms)
		l.m.Products = append(l.m.Products, p)
		return err
	}, l.org)
}

func (l *loader) loadFlows() error {
	return db.Each(l.ctx, l.tx, `SELECT id, from_id, to_id, data, class, interface, protocol
		FROM chain_flow WHERE org = $1 ORDER BY id`, func(s db.Scanner) error {
		var f Flow
		var data string
		err := s.Scan(&f.ID, &f.From, &f.To, &data, &f.Class, &f.Interface, &f.Protocol)
		if err != nil {
			return err
		}
		f.Data, err = textsOf[string](data)
		l.m.Flows = append(l.m.Flows, f)
		return err
	}, l.org)
}
