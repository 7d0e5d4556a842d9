package web

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/web/ui"
)

// mostSupplierRows is about how many suppliers are kept ready for their lists, over
// all organisations.
const mostSupplierRows = 50_000

// supplierRow is one organisation of the list of suppliers.
type supplierRow struct {
	*chain.Organisation
	rank     int
	supplies []string
	stops    chain.Toll
	standing *partner.Standing // nil for those who do not deliver to us
	searched string            // in lower case
}

// supplierRows are the rows of one organisation's list of suppliers, ready to be
// narrowed and sorted. They are shared between visits and never changed.
type supplierRows struct {
	rows       []supplierRow
	ranks      []int       // the nearest first
	categories []ui.Option // after a first one for all of them, without a label
	tiers      map[chain.NodeID]partner.Tier
	tiersHash  uint64
	ends       time.Time // when the first tier set by hand does; zero if none does
}

// over says whether time alone has changed a tier.
func (r *supplierRows) over() bool { return !r.ends.IsZero() && !time.Now().Before(r.ends) }

// supplierLists keeps the rows of organisations until their chain or a tier changes,
// or the first tier that was set by hand ends.
type supplierLists struct {
	mu    sync.Mutex
	known map[entente.OrgID]supplierList
}

type supplierList struct {
	head int64 // the last event of chain and partnerships
	used time.Time
	of   *supplierRows
}

func (k *supplierLists) get(org entente.OrgID, head int64) *supplierRows {
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.known[org]
	if !ok || l.head != head || l.of.over() {
		return nil
	}
	l.used = time.Now()
	k.known[org] = l
	return l.of
}

func (k *supplierLists) put(org entente.OrgID, head int64, of *supplierRows) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[entente.OrgID]supplierList{}
	}
	k.known[org] = supplierList{head, time.Now(), of}
	total := 0
	for _, l := range k.known {
		total += len(l.of.rows)
	}
	for total > mostSupplierRows && len(k.known) > 1 {
		oldest := org
		for id, l := range k.known {
			if l.used.Before(k.known[oldest].used) {
				oldest = id
			}
		}
		total -= len(k.known[oldest].of.rows)
		delete(k.known, oldest)
	}
}

// supplierRows gives the rows of the actor's organisation.
func (s *server) supplierRows(ctx context.Context, actor entente.Actor) (*supplierRows, error) {
	head, err := s.headOf(ctx, actor.Org, fromChain, fromPartners)
	if err != nil {
		return nil, err
	}
	if known := s.supplierLists.get(actor.Org, head); known != nil {
		return known, nil
	}
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	standings, err := s.Partner.Standings(ctx, actor)
	if err != nil {
		return nil, err
	}
	made := &supplierRows{rows: rowsOfSuppliers(g, standings), ends: firstEnd(standings)}
	seen := map[int]bool{}
	for _, r := range made.rows {
		if !seen[r.rank] {
			seen[r.rank] = true
			made.ranks = append(made.ranks, r.rank)
		}
	}
	slices.SortFunc(made.ranks, func(a, b int) int { return cmp.Compare(rankView{rank: a}.order(), rankView{rank: b}.order()) })
	made.tiers = make(map[chain.NodeID]partner.Tier, len(standings))
	hash := fnv.New64a()
	for i := range standings {
		made.tiers[standings[i].Supplier] = standings[i].Tier
		_, _ = hash.Write([]byte(standings[i].Supplier + "\x00" + chain.NodeID(standings[i].Tier) + "\x00"))
	}
	made.tiersHash = hash.Sum64()
	made.categories = valuesOf("", made.rows, func(r supplierRow) string { return r.Category })
	s.supplierLists.put(actor.Org, head, made)
	return made, nil
}

// firstEnd is when the first of the tiers that are set by hand now ends.
func firstEnd(standings []partner.Standing) (first time.Time) {
	for i := range standings {
		s := &standings[i]
		if s.Overridden && (first.IsZero() || s.Override.Until.Before(first)) {
			first = s.Override.Until
		}
	}
	return first
}

func rowsOfSuppliers(g *chain.Graph, standings []partner.Standing) []supplierRow {
	m := g.Map()
	standing := make(map[chain.NodeID]*partner.Standing, len(standings))
	for i := range standings {
		standing[standings[i].Supplier] = &standings[i]
	}
	supplies := map[chain.NodeID][]string{}
	for i := range m.Supplies {
		supplies[m.Supplies[i].Supplier] = append(supplies[m.Supplies[i].Supplier], m.Supplies[i].Name)
	}
	tolls := g.Concentration().Tolls
	var rows []supplierRow
	for i := range m.Organisations {
		o := &m.Organisations[i]
		rank := g.Rank(o.ID)
		if o.ID == m.Own || len(supplies[o.ID]) == 0 && rank == chain.UnknownRank {
			continue
		}
		searched := append([]string{o.Name, string(o.ID), o.Category, o.Country, o.LEI, strings.Join(o.Domains, " ")}, supplies[o.ID]...)
		rows = append(rows, supplierRow{
			Organisation: o, rank: rank, supplies: supplies[o.ID], stops: tolls[o.ID], standing: standing[o.ID],
			searched: strings.ToLower(strings.Join(searched, "\n")),
		})
	}
	return rows
}

func (r supplierRow) rankOrder() int {
	if r.rank < 0 {
		return 1 << 20
	}
	return r.rank
}
