package chain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// The events that this room writes. The subject is the process of a change, and
// empty for the import of a map; that of a sheet, and its undoing, name it by
// [SheetSubject]. The body is [Changed].
const (
	EventImported journal.Kind = "chain.imported"
	EventChanged  journal.Kind = "chain.changed"
)

// Service keeps one chain for each hosted organisation. Ranks, impact and lists are
// questions to its [Graph]; only whole maps and single processes are written.
type Service struct {
	db     *db.DB
	graphs *graphs
	named  func(context.Context, entente.Actor) (string, error)
}

// NameWith tells the room how to learn the name of an actor's organisation, with
// which a chain begins that nobody has imported. Without it the name is the
// identifier. It is called while the program is wired, before any request.
func (s *Service) NameWith(named func(context.Context, entente.Actor) (string, error)) {
	s.named = named
}

// currencyAtFirst is that of a chain that begins without a map.
const currencyAtFirst = "EUR"

// beginning makes the chain with which an organisation begins: itself, and nothing
// more. The name is only looked up where there is no chain yet.
func (s *Service) beginning(ctx context.Context, actor entente.Actor) (func() *Map, error) {
	own := Organisation{ID: NodeID(actor.Org), Name: string(actor.Org)}
	var revision int64
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		revision, err = revisionOf(ctx, tx, actor.Org)
		return err
	})
	if err != nil {
		return nil, err
	}
	if revision == 0 && s.named != nil {
		name, err := s.named(ctx, actor)
		if err != nil {
			return nil, err
		}
		own.Name = name
	}
	return func() *Map {
		return &Map{Own: own.ID, Currency: currencyAtFirst, Organisations: []Organisation{own}}
	}, nil
}

// New opens the room.
func New(d *db.DB) *Service {
	return &Service{db: d, graphs: newGraphs(graphsWeight)}
}

// Changed says what an import or an edit did. As the body of an event its lists are
// cut to [MaxListed] ids for each kind, and Cut says so.
type Changed struct {
	Revision      int64  `json:"revision"`
	Head          bool   `json:"head,omitempty"` // our own organisation or the currency of the map
	Organisations Change `json:"organisations,omitzero"`
	Processes     Change `json:"processes,omitzero"` // with their activities
	Systems       Change `json:"systems,omitzero"`
	Supplies      Change `json:"supplies,omitzero"`
	Products      Change `json:"products,omitzero"`
	Flows         Change `json:"flows,omitzero"`
	Cut           bool   `json:"cut,omitempty"`
}

// ImportResult says what an import did, in full.
type ImportResult = Changed

// Change lists the things of one kind that were added, changed and removed, each
// in order of its id.
type Change struct {
	Added   []NodeID `json:"added,omitempty"`
	Changed []NodeID `json:"changed,omitempty"`
	Removed []NodeID `json:"removed,omitempty"`
}

// MaxListed is how many ids an event lists for each kind and way of change. A
// reader that finds an event cut reads the chain anew.
const MaxListed = 1000

// kinds are the changes by kind, in the order of a map.
func (c *Changed) kinds() [6]*Change {
	return [...]*Change{&c.Organisations, &c.Processes, &c.Systems, &c.Supplies, &c.Products, &c.Flows}
}

// Unchanged says whether nothing was done.
func (c Changed) Unchanged() bool {
	added, changed, removed := c.Counts()
	return !c.Head && added+changed+removed == 0
}

// Counts gives how many things of all kinds were added, changed and removed.
func (c Changed) Counts() (added, changed, removed int) {
	for _, k := range c.kinds() {
		added += len(k.Added)
		changed += len(k.Changed)
		removed += len(k.Removed)
	}
	return added, changed, removed
}

// cut gives the change as an event lists it.
func (c Changed) cut() Changed {
	for _, k := range c.kinds() {
		for _, list := range []*[]NodeID{&k.Added, &k.Changed, &k.Removed} {
			if len(*list) > MaxListed {
				*list = (*list)[:MaxListed]
				c.Cut = true
			}
		}
	}
	return c
}

// Import takes a map over as the organisation's whole chain: what the map does not
// hold is removed. Either all of it is taken over or, when something is wrong,
// nothing. A map that changes nothing writes nothing, not even an event.
func (s *Service) Import(ctx context.Context, actor entente.Actor, m *Map) (ImportResult, error) {
	return s.ImportAt(ctx, actor, m, 0)
}

// ImportAt is [Service.Import] for a map that was made from a revision of the chain:
// if the chain has moved on since, the import is refused as a conflict. A revision
// of 0 is any.
func (s *Service) ImportAt(ctx context.Context, actor entente.Actor, m *Map, revision int64) (ImportResult, error) {
	if err := identity.Require(actor, identity.ChainEdit, identity.In(actor.Org)); err != nil {
		return ImportResult{}, err
	}
	if err := valid(m); err != nil {
		return ImportResult{}, err
	}
	return s.write(ctx, actor, EventImported, "", func(_ *Map, now moment) (*Map, error) {
		return m, madeFor(revision, now)
	})
}

// moment is where a chain stands: its revision, and the one at which its own things last
// changed. What suppliers tell makes revisions besides.
type moment struct{ revision, mapped int64 }

// madeFor refuses a change that was made before our own things changed.
func madeFor(revision int64, now moment) error {
	if revision == 0 || revision >= now.mapped && revision <= now.revision {
		return nil
	}
	return entente.Conflict("the chain has changed since it was read (revision %d, now %d); read it again and repeat the change", revision, now.revision)
}

// PutProcess changes one process, its BIA, activities and needs included, or adds
// it. A revision other than 0 is the one that the change was made for; if the chain
// has moved on since, the change is refused as a conflict. A business owner may
// change the processes in their scope.
func (s *Service) PutProcess(ctx context.Context, actor entente.Actor, p Process, revision int64) (Changed, error) {
	on := identity.Object{Kind: identity.KindProcess, Org: actor.Org, ID: string(p.ID)}
	if err := identity.Require(actor, identity.ChainEdit, on); err != nil {
		return Changed{}, err
	}
	begin, err := s.beginning(ctx, actor)
	if err != nil {
		return Changed{}, err
	}
	return s.write(ctx, actor, EventChanged, string(p.ID), func(old *Map, now moment) (*Map, error) {
		if err := madeFor(revision, now); err != nil {
			return nil, err
		}
		if old == nil {
			old = begin()
		}
		m := *old
		m.Processes = slices.Clone(old.Processes)
		if i := slices.IndexFunc(m.Processes, func(other Process) bool { return other.ID == p.ID }); i >= 0 {
			m.Processes[i] = p
		} else {
			m.Processes = append(m.Processes, p)
		}
		return &m, valid(&m)
	})
}

func valid(m *Map) error {
	if found := Validate(m); len(found) > 0 {
		wrong := entente.Invalid("the chain does not hold; nothing was changed")
		wrong.Fields = found
		return wrong
	}
	return nil
}

// write replaces the chain by what edit makes of it, in one transaction with its
// event. Edit gets nil if there is none yet.
func (s *Service) write(ctx context.Context, actor entente.Actor, kind journal.Kind, subject string, edit func(old *Map, now moment) (*Map, error)) (Changed, error) {
	nothing := func(*db.Tx, *Map, *Map) error { return nil }
	return s.writeAnd(ctx, actor, kind, subject, edit, nothing)
}

// writeAnd is write with something more to do in the same transaction, which gets
// the chain before and after.
func (s *Service) writeAnd(ctx context.Context, actor entente.Actor, kind journal.Kind, subject string, edit func(old *Map, now moment) (*Map, error), also func(tx *db.Tx, old, m *Map) error) (Changed, error) {
	var done Changed
	var made *Graph
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		made = nil
		old, before, err := s.loadKept(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		m, err := edit(old, before)
		if err != nil {
			return err
		}
		done, err = save(ctx, tx, actor.Org, old, m)
		if err != nil {
			return err
		}
		if err := also(tx, old, m); err != nil {
			return err
		}
		done.Revision = before.revision
		if done.Unchanged() {
			return nil
		}
		done.Revision++
		now := time.Now()
		err = putRevision(ctx, tx, actor.Org, done.Revision, m, now)
		if err != nil {
			return err
		}
		err = remember(ctx, tx, actor, kind, done, old, m, now)
		if err != nil {
			return err
		}
		// Who changes a chain waits for it to be compiled, not who looks at it next.
		told, err := standing(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		made = compileWith(asStored(m), told)
		made.moment = moment{done.Revision, done.Revision}
		return journal.Append(ctx, tx, actor, kind, subject, done.cut())
	})
	if err != nil {
		return Changed{}, err
	}
	if made != nil {
		s.graphs.put(actor.Org, made)
	}
	return done, nil
}

// loadKept is load, from memory where the chain is kept as it is now. Nobody changes
// the map that it gives.
func (s *Service) loadKept(ctx context.Context, tx *db.Tx, org entente.OrgID) (*Map, moment, error) {
	revision, err := revisionOf(ctx, tx, org)
	if err != nil || revision == 0 {
		return nil, moment{}, err
	}
	if g := s.graphs.get(org, revision); g != nil {
		return g.ours, g.moment, nil
	}
	return load(ctx, tx, org)
}

// Export gives the organisation's whole chain, its things in the order of their
// ids.
func (s *Service) Export(ctx context.Context, actor entente.Actor) (*Map, error) {
	if err := identity.Require(actor, identity.ChainRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	var m *Map
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		m, _, err = load(ctx, tx, actor.Org)
		return err
	})
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, entente.NotFound("there is no chain yet; import a map first")
	}
	return m, nil
}

// Revision counts the changes of the organisation's chain; 0 without one.
func (s *Service) Revision(ctx context.Context, actor entente.Actor) (int64, error) {
	if err := identity.Require(actor, identity.ChainRead, identity.In(actor.Org)); err != nil {
		return 0, err
	}
	var revision int64
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		revision, err = revisionOf(ctx, tx, actor.Org)
		return err
	})
	return revision, err
}

// Graph gives the organisation's compiled chain. It is kept in memory until the
// chain changes or other organisations need the room. Before the first import the
// chain holds nothing but the organisation itself, and its revision is 0.
func (s *Service) Graph(ctx context.Context, actor entente.Actor) (*Graph, error) {
	if err := identity.Require(actor, identity.ChainRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	var g *Graph
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		var err error
		g, err = s.GraphIn(ctx, tx, actor.Org)
		return err
	})
	return g, err
}

// GraphIn gives the compiled chain of an organisation as a transaction sees it,
// for the workers of other rooms. It checks no permission.
func (s *Service) GraphIn(ctx context.Context, tx *db.Tx, org entente.OrgID) (*Graph, error) {
	revision, err := revisionOf(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	return s.GraphAt(ctx, tx, org, revision)
}

// GraphAt is [Service.GraphIn] for who knows the revision that the transaction sees.
func (s *Service) GraphAt(ctx context.Context, tx *db.Tx, org entente.OrgID, revision int64) (*Graph, error) {
	if g := s.graphs.get(org, revision); g != nil {
		return g, nil
	}
	leave, err := s.graphs.enter(ctx, org)
	if err != nil {
		return nil, err
	}
	defer leave()
	if g := s.graphs.get(org, revision); g != nil {
		return g, nil
	}
	m, now, err := load(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = &Map{Own: NodeID(org), Organisations: []Organisation{{ID: NodeID(org), Name: string(org)}}}
	} else if found := Validate(m); len(found) > 0 {
		return nil, fmt.Errorf("chain: the stored chain of %s does not hold: %s", org, found[0])
	}
	told, err := standing(ctx, tx, org)
	if err != nil {
		return nil, err
	}
	g := compileWith(m, told)
	g.moment = moment{revision, now.mapped}
	s.graphs.put(org, g)
	return g, nil
}
