package advisory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
)

// MaxPage is the most rows that one page of a list holds.
const MaxPage = 1000

// Order is the order of a list of advisories.
type Order string

// The orders; the zero value is the newest change first.
const (
	ByModified  Order = ""
	ByPublished Order = "published"
	BySeverity  Order = "severity" // the gravest first, then the newest
	ByName      Order = "name"
	ByHits      Order = "hits" // those that hit most products first; others are left out
)

// Query chooses advisories.
type Query struct {
	Search    string // part of a name or of the summary, in any case
	Ecosystem string // "npm", "Go", …; "" for all
	Level     Level  // at least this grave; "" for all
	// Hits leaves only those that affect a package of a current document;
	// Undecided those with packages of which it cannot be told.
	Hits      bool
	Undecided bool
	Withdrawn Withdrawal
	Order     Order
	Limit     int // 100 if 0, at most MaxPage
	Offset    int
}

// Withdrawal chooses by whether an advisory stands.
type Withdrawal string

// The choices; the zero value leaves withdrawn ones out.
const (
	Standing      Withdrawal = ""
	WithWithdrawn Withdrawal = "all"
	OnlyWithdrawn Withdrawal = "only"
)

// Listed is one line of a list of advisories.
type Listed struct {
	Brief
	Ecosystems []string `json:"ecosystems"`
	// Products are those of which a current document contains an affected package;
	// Undecided those with packages of which it cannot be told.
	Products  int `json:"products"`
	Undecided int `json:"undecided"`
}

// List gives a page of advisories, and how many there are in all pages.
func (s *Service) List(ctx context.Context, actor entente.Actor, q Query) (list []Listed, total int, err error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return nil, 0, err
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Limit, q.Offset = min(q.Limit, MaxPage), max(q.Offset, 0)
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		if q.Hits || q.Undecided || q.Order == ByHits {
			list, total, err = s.listHits(ctx, tx, actor.Org, q)
			return err
		}
		list, total, err = selectGroups(ctx, tx, actor.Org, q, true)
		if err != nil {
			return err
		}
		return s.countProducts(ctx, tx, actor.Org, list)
	})
	return list, total, err
}

// listHits lists what concerns current documents: the tables know which packages
// are concerned, the index in which products they are today.
func (s *Service) listHits(ctx context.Context, tx *db.Tx, org entente.OrgID, q Query) ([]Listed, int, error) {
	all, _, err := selectGroups(ctx, tx, org, q, false)
	if err != nil {
		return nil, 0, err
	}
	if err := s.countProducts(ctx, tx, org, all); err != nil {
		return nil, 0, err
	}
	all = slices.DeleteFunc(all, func(l Listed) bool {
		return (q.Hits || q.Order == ByHits) && l.Products == 0 || q.Undecided && l.Undecided == 0
	})
	if q.Order == ByHits {
		slices.SortStableFunc(all, func(a, b Listed) int {
			return cmp.Or(cmp.Compare(b.Products, a.Products), cmp.Compare(b.Severity.Level.weight(), a.Severity.Level.weight()), strings.Compare(a.ID, b.ID))
		})
	}
	total := len(all)
	from := min(q.Offset, total)
	return all[from:min(from+q.Limit, total)], total, nil
}

// countProducts fills in how many products the listed advisories hit.
func (s *Service) countProducts(ctx context.Context, tx *db.Tx, org entente.OrgID, list []Listed) error {
	at := map[string]int{}
	var records []string
	for i := range list {
		for _, r := range list[i].Records {
			at[r] = i
			records = append(records, r)
		}
	}
	concerned := make([]map[uint32]State, len(list))
	err := eachState(ctx, tx, org, records, func(record string, pack uint32, st State) {
		i := at[record]
		if concerned[i] == nil {
			concerned[i] = map[uint32]State{}
		}
		if rank(st) > rank(concerned[i][pack]) {
			concerned[i][pack] = st
		}
	})
	if err != nil {
		return err
	}
	spoken, err := excusesIn(ctx, tx, org)
	if err != nil {
		return err
	}
	return s.indexes.with(ctx, tx, org, func(x *Index) error {
		counter := x.products()
		for i := range list {
			list[i].Products, list[i].Undecided = counter.count(concerned[i], spoken.wholly(list[i].Names))
		}
		return nil
	})
}

// productCounter counts the products of packages without a map: an entry of marks
// belongs to the count that wrote it.
type productCounter struct {
	x     *Index
	marks []uint32
	turn  uint32
}

func (x *Index) products() *productCounter {
	return &productCounter{x: x, marks: make([]uint32, len(x.docs.products))}
}

// count gives the products with an affected package, and those that have only
// undecided ones; without those that are excused.
func (c *productCounter) count(packages map[uint32]State, excused map[string]bool) (affected, undecided int) {
	for _, state := range []State{Affected, Unknown} {
		if state == Affected {
			c.turn++
		}
		for id, s := range packages {
			if s != state {
				continue
			}
			c.x.numbers(id, func(n uint32) {
				mark := &c.marks[c.x.docs.product[n]]
				if *mark == c.turn {
					return
				}
				*mark = c.turn
				if excused[c.x.docs.products[c.x.docs.product[n]]] {
					return
				}
				if state == Affected {
					affected++
				} else {
					undecided++
				}
			})
		}
	}
	return affected, undecided
}

const groupColumns = `g.id, g.names, g.records, g.summary, g.level, g.score, g.vector, g.published, g.modified, g.withdrawn, g.ecosystems`

func scanListed(r db.Scanner, after ...any) (Listed, error) {
	var l Listed
	var names, records []byte
	var eco string
	err := scanBrief(r, &l.Brief, []any{&l.ID, &names, &records}, slices.Concat([]any{&eco}, after)...)
	if err != nil {
		return l, err
	}
	l.Ecosystems = splitEcosystems(eco)
	if err := json.Unmarshal(names, &l.Names); err != nil {
		return l, fmt.Errorf("the names of %s: %w", l.ID, err)
	}
	if err := json.Unmarshal(records, &l.Records); err != nil {
		return l, fmt.Errorf("the records of %s: %w", l.ID, err)
	}
	return l, nil
}

func selectGroups(ctx context.Context, tx *db.Tx, org entente.OrgID, q Query, paged bool) (list []Listed, total int, err error) {
	sel := q.choose(db.Select(`SELECT `+groupColumns+` FROM advisory_group g WHERE g.org = $1`, org))
	switch q.Order {
	case ByPublished:
		sel = sel.Order(`g.published DESC, g.id`)
	case BySeverity, ByHits:
		sel = sel.Order(`g.level DESC, g.score DESC, g.modified DESC, g.id`)
	case ByName:
		sel = sel.Order(`g.id`)
	default:
		sel = sel.Order(`g.modified DESC, g.id`)
	}
	if paged {
		sel = sel.Page(q.Limit, q.Offset)
	}
	list, err = db.AllOf(ctx, tx, func(r db.Scanner) (Listed, error) { return scanListed(r) }, sel)
	if err != nil || !paged {
		return list, len(list), err
	}
	counts, err := db.AllOf(ctx, tx, db.Value[int], q.choose(db.Select(`SELECT COUNT(*) FROM advisory_group g WHERE g.org = $1`, org)))
	if err != nil {
		return nil, 0, err
	}
	return list, counts[0], nil
}

// choose adds the conditions of a query.
func (q Query) choose(sel *db.Query) *db.Query {
	search := strings.ToLower(strings.TrimSpace(cleanText(q.Search)))
	return sel.
		AndIf(search != "", `g.search LIKE $1 ESCAPE '\'`, like(search)).
		AndIf(q.Ecosystem != "", `LOWER(g.ecosystems) LIKE $1 ESCAPE '\'`, like("|"+strings.ToLower(cleanText(q.Ecosystem))+"|")).
		AndIf(q.Level != "", `g.level >= $1`, q.Level.weight()).
		AndIf(q.Withdrawn == Standing, `g.withdrawn = 0`).
		AndIf(q.Withdrawn == OnlyWithdrawn, `g.withdrawn > 0`).
		AndIf(q.Hits || q.Order == ByHits, `g.affected > 0`).
		AndIf(q.Undecided, `g.unknown > 0`)
}

// like makes a LIKE pattern for texts that contain s.
func like(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}

// groupOfName is the group that any name of its records leads to.
const groupOfName = `(SELECT n.member_of FROM advisory_alias a JOIN advisory_record n ON n.org = a.org AND n.id = a.record
	WHERE a.org = $1 AND a.folded = $2 ORDER BY a.record LIMIT 1)`

// askGroup asks for a group by any name of its records, in any case.
func askGroup(to *Listed, org entente.OrgID, name string) db.Question {
	return db.Ask(`SELECT `+groupColumns+` FROM advisory_group g WHERE g.org = $1 AND g.id = `+groupOfName, func(r db.Scanner) (err error) {
		*to, err = scanListed(r)
		return err
	}, org, foldID(cleanText(name)))
}

// there refuses the group that was asked for by a name, if there is none.
func (l *Listed) there(name string) error {
	if l.ID == "" {
		return entente.NotFound("there is no advisory %q in this organisation", name)
	}
	return nil
}

// ImpactOf says whom an advisory hits, by any of its names.
func (s *Service) ImpactOf(ctx context.Context, actor entente.Actor, name string, o ImpactOptions) (AdvisoryImpact, error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return AdvisoryImpact{}, err
	}
	var out AdvisoryImpact
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		var group Listed
		var hits []packageHit
		var revision, head int64
		err := db.Together(ctx, tx,
			askGroup(&group, actor.Org, name),
			askHits(&hits, actor.Org, name),
			chain.AskRevision(&revision, actor.Org),
			journal.AskHead(&head, actor.Org))
		if err != nil {
			return err
		}
		if err := group.there(name); err != nil {
			return err
		}
		g, err := s.chain.GraphAt(ctx, tx, actor.Org, revision)
		if err != nil {
			return err
		}
		spoken, err := excusesIn(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		o.excused = spoken.wholly(group.Names)
		return s.indexes.at(ctx, tx, actor.Org, head, func(x *Index) error {
			out = assess(g, x, group.Brief, worstHits(hits), o)
			out.Counts.Excused = len(o.excused)
			return nil
		})
	})
	return out, err
}

// Detail is one advisory with everything that is known of it.
type Detail struct {
	Listed
	Records []RecordDetail
	Matches []Match // affected and unknown first, then those that hold no longer
}

// RecordDetail is one record of an advisory.
type RecordDetail struct {
	osv.Record
	Source   string
	From     Origin
	Recorded time.Time
	// Ended is when the partner who said it took it back or, if it has Expired, its time
	// ran out: what it said is deleted. Zero: it stands.
	Ended   time.Time
	Expired bool
}

// Match is how one package stands to an advisory.
type Match struct {
	Record  string
	Package uint32
	Name    string
	Version string
	State   State
	Why     string
	Since   time.Time // when it was first matched
	Changed time.Time // when the state began
	Past    []Past    // the states before, the oldest first
	// Products are those of which a current document contains the package, at most
	// [MatchProducts]; More counts the others.
	Products []chain.NodeID
	More     int
}

// MatchProducts is how many products of one match are listed.
const MatchProducts = 20

// Get gives one advisory by any of its names.
func (s *Service) Get(ctx context.Context, actor entente.Actor, name string) (Detail, error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return Detail{}, err
	}
	var d Detail
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		d = Detail{}
		err := db.Together(ctx, tx, askGroup(&d.Listed, actor.Org, name))
		if err != nil {
			return err
		}
		if err := d.Listed.there(name); err != nil {
			return err
		}
		one := []Listed{d.Listed}
		if err := s.countProducts(ctx, tx, actor.Org, one); err != nil {
			return err
		}
		d.Listed = one[0]
		for _, id := range d.Listed.Records {
			r, err := recordDetail(ctx, tx, actor.Org, id)
			if err != nil {
				return err
			}
			d.Records = append(d.Records, r)
		}
		d.Matches, err = s.matches(ctx, tx, actor.Org, d.Listed.Records)
		return err
	})
	return d, err
}

func recordDetail(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (RecordDetail, error) {
	var d RecordDetail
	var recorded, ended int64
	var err error
	d.Record, err = recordByID(ctx, tx, org, id)
	if err != nil {
		return d, err
	}
	_, err = db.One(ctx, tx, func(r db.Scanner) (string, error) {
		err := r.Scan(&d.Source, &d.From.Party, &d.From.Number, &recorded, &ended, &d.Expired)
		return d.Source, err
	}, `SELECT source, party, number, recorded, ended_at, expired FROM advisory_record WHERE org = $1 AND id = $2`, org, id)
	d.Recorded, d.Ended = db.Time(recorded), timeOf(ended)
	return d, err
}

func (s *Service) matches(ctx context.Context, tx *db.Tx, org entente.OrgID, records []string) ([]Match, error) {
	rows, err := matchesOf(ctx, tx, org, records)
	if err != nil {
		return nil, err
	}
	past, err := historyOf(ctx, tx, org, records)
	if err != nil {
		return nil, err
	}
	out := make([]Match, 0, len(rows))
	err = s.indexes.with(ctx, tx, org, func(x *Index) error {
		for _, m := range rows {
			one := Match{
				Record: m.record, Package: m.pack, Name: m.name, Version: m.version, State: m.state, Why: m.why,
				Since: m.since, Changed: m.changed, Past: past[pastOf{m.record, m.pack}],
			}
			one.Products, one.More = x.productsOf(m.pack, MatchProducts)
			out = append(out, one)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(rank(b.State), rank(a.State)), strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	return out, err
}

// productsOf gives the products of which a current document contains the package.
func (x *Index) productsOf(id uint32, limit int) (list []chain.NodeID, more int) {
	seen := map[uint32]bool{}
	x.numbers(id, func(n uint32) {
		place := x.docs.product[n]
		if seen[place] {
			return
		}
		seen[place] = true
		if len(list) == limit {
			more++
			return
		}
		list = append(list, chain.NodeID(x.docs.products[place]))
	})
	return list, more
}

// ProductFinding is an advisory that concerns one package of a product.
type ProductFinding struct {
	Advisory Brief
	Record   string
	Document uint32
	Package  uint32
	Name     string
	Version  string
	State    State
	Why      string
	Since    time.Time
}

// OfProduct gives the advisories that concern the current documents of a product:
// one finding for each advisory and package, the affected and gravest first.
func (s *Service) OfProduct(ctx context.Context, actor entente.Actor, product chain.NodeID) ([]ProductFinding, error) {
	on := identity.Object{Kind: string(chain.KindProduct), Org: actor.Org, ID: string(product)}
	if err := identity.Require(actor, identity.AdvisoryRead, on); err != nil {
		return nil, err
	}
	var out []ProductFinding
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		out = nil
		documents, err := inventory.CurrentDocuments(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		for _, d := range documents {
			if d.Product != product {
				continue
			}
			found, err := findingsOf(ctx, tx, actor.Org, d.ID)
			if err != nil {
				return err
			}
			out = append(out, found...)
		}
		spoken, err := excusesIn(ctx, tx, actor.Org)
		for i := range out {
			f := &out[i]
			if said := spoken.of(f.Advisory.Names, product, f.Name, f.Version); said != nil {
				f.State, f.Why = Excused, said.Why().String()
			}
		}
		return err
	})
	slices.SortStableFunc(out, func(a, b ProductFinding) int {
		return cmp.Or(
			cmp.Compare(rank(b.State), rank(a.State)),
			cmp.Compare(b.Advisory.Severity.Level.weight(), a.Advisory.Severity.Level.weight()),
			cmp.Compare(b.Advisory.Severity.Score, a.Advisory.Severity.Score),
			strings.Compare(a.Advisory.ID, b.Advisory.ID), strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version),
		)
	})
	return out, err
}

func findingsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, document uint32) ([]ProductFinding, error) {
	content, err := inventory.Content(ctx, tx, org, document)
	if err != nil {
		return nil, err
	}
	type place struct {
		group string
		pack  uint32
	}
	at := map[place]int{}
	var out []ProductFinding
	const atOnce = 32
	args := make([]any, 1+atOnce)
	args[0] = string(org)
	for part := range slices.Chunk(content, atOnce) {
		for i := range atOnce {
			args[1+i] = int64(part[min(i, len(part)-1)])
		}
		err := db.Each(ctx, tx, `WITH hit AS MATERIALIZED (SELECT org, record, package FROM advisory_match WHERE org = $1 AND package IN (
			$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
			$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33))
			SELECT `+groupColumns+`, `+matchColumns+` FROM hit
			JOIN advisory_match m ON m.org = hit.org AND m.record = hit.record AND m.package = hit.package
			JOIN advisory_record r ON r.org = m.org AND r.id = m.record
			JOIN advisory_group g ON g.org = r.org AND g.id = r.member_of
			WHERE m.state IN ('affected', 'unknown', 'excused')`, func(r db.Scanner) error {
			var m match
			var since, changed int64
			l, err := scanListed(r, &m.record, &m.pack, &m.state, &m.why, &m.name, &m.version, &since, &changed)
			if err != nil {
				return err
			}
			f := ProductFinding{
				Advisory: l.Brief, Record: m.record, Document: document, Package: m.pack, Name: m.name, Version: m.version,
				State: m.state, Why: m.why, Since: db.Time(since),
			}
			if i, known := at[place{l.ID, m.pack}]; known {
				if rank(f.State) > rank(out[i].State) {
					out[i] = f
				}
				return nil
			}
			at[place{l.ID, m.pack}] = len(out)
			out = append(out, f)
			return nil
		}, args...)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Totals counts what an organisation's advisories come to.
type Totals struct {
	Records    int // records held
	Advisories int // groups of them that stand
	Concerning int // of these, groups that affect a package of the dictionary
	Undecided  int // groups with packages of which it cannot be told
	Updated    time.Time
}

// Totals counts the advisories of the actor's organisation.
func (s *Service) Totals(ctx context.Context, actor entente.Actor) (Totals, error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return Totals{}, err
	}
	var t Totals
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		var err error
		t, err = db.One(ctx, tx, func(r db.Scanner) (Totals, error) {
			var t Totals
			var updated int64
			err := r.Scan(&t.Records, &updated)
			t.Updated = timeOf(updated)
			return t, err
		}, `SELECT COUNT(*), COALESCE(MAX(recorded), 0) FROM advisory_record WHERE org = $1`, actor.Org)
		if err != nil {
			return err
		}
		_, err = db.One(ctx, tx, func(r db.Scanner) (int, error) {
			err := r.Scan(&t.Advisories, &t.Concerning, &t.Undecided)
			return 0, err
		}, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN affected > 0 THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN unknown > 0 THEN 1 ELSE 0 END), 0)
			FROM advisory_group WHERE org = $1 AND withdrawn = 0`, actor.Org)
		return err
	})
	return t, err
}

// Ecosystems lists the ecosystems that the organisation's advisories name, sorted:
// the choices of the filter.
func (s *Service) Ecosystems(ctx context.Context, actor entente.Actor) ([]string, error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	var all []string
	err := s.d.Read(ctx, func(tx *db.Tx) error {
		sets, err := db.All(ctx, tx, db.Value[string], `SELECT DISTINCT ecosystems FROM advisory_group WHERE org = $1`, actor.Org)
		if err != nil {
			return err
		}
		all = []string{}
		for _, set := range sets {
			all = append(all, splitEcosystems(set)...)
		}
		return nil
	})
	return unique(all), err
}
