package advisory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
)

// jobSaveIndex saves the compact form of an organisation's index.
const jobSaveIndex = "advisory.save-index"

// Consumers are what this room does when the journal moves.
func (s *Service) Consumers() []journal.Consumer {
	return []journal.Consumer{
		{Name: "advisory.match", Kinds: []journal.Kind{EventRecorded, EventSpoken, inventory.EventRecorded}, Handle: s.match},
		{Name: "advisory.index", Kinds: []journal.Kind{inventory.EventRecorded, inventory.EventRemoved}, Handle: s.watchIndex},
	}
}

// Jobs are the handlers of the jobs that this room schedules.
func (s *Service) Jobs() map[string]journal.JobHandler {
	return map[string]journal.JobHandler{jobSaveIndex: s.saveIndexJob}
}

// match keeps the matches: advisories that are new or changed against all packages,
// packages that are new against all advisories.
func (s *Service) match(ctx context.Context, tx *db.Tx, e journal.Event) error {
	if e.Kind == EventRecorded {
		var body Recorded
		if err := e.Decode(&body); err != nil {
			return err
		}
		return s.matchRecords(ctx, tx, e.Org, body.Records)
	}
	if e.Kind == EventSpoken {
		var body Said
		if err := e.Decode(&body); err != nil {
			return err
		}
		return s.rematchSpoken(ctx, tx, e.Org, body.Vulnerabilities)
	}
	var body inventory.Recorded
	if err := e.Decode(&body); err != nil {
		return err
	}
	if err := s.recheckExcused(ctx, tx, e.Org); err != nil {
		return err
	}
	if body.LastPackage == 0 {
		return nil
	}
	return s.matchPackages(ctx, tx, e.Org, e.Subject, body)
}

// matchRecords matches advisories with the index.
func (s *Service) matchRecords(ctx context.Context, tx *db.Tx, org entente.OrgID, ids []string) error {
	type one struct {
		m                   *Matcher
		modified, withdrawn time.Time
		hits                []Hit
	}
	var records []one
	err := eachRecord(ctx, tx, org, ids, func(r osv.Record) {
		records = append(records, one{m: Compile(&r), modified: r.Modified, withdrawn: r.Withdrawn})
	})
	if err != nil {
		return err
	}
	stored, err := matchesOf(ctx, tx, org, ids)
	if err != nil {
		return err
	}
	before := map[string][]match{}
	for _, m := range stored {
		before[m.record] = append(before[m.record], m)
	}
	// The index is held only while it is asked, so that readers need not wait.
	err = s.indexes.with(ctx, tx, org, func(x *Index) error {
		for i := range records {
			if r := &records[i]; x.Concerns(r.m.Keys()) {
				r.hits = x.Match(r.m)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	now := s.now()
	var touched []string
	for i := range records {
		r := &records[i]
		over := fmt.Sprintf("%s, as modified on %s, does not name this version any more", r.m.ID, day(r.modified))
		if r.m.Withdrawn {
			over = fmt.Sprintf("%s was withdrawn on %s", r.m.ID, day(r.withdrawn))
			gone, err := goneWhy(ctx, tx, org, r.m.ID)
			if err != nil {
				return err
			}
			over = cmp.Or(gone, over)
		}
		changes, err := rematch(ctx, tx, org, r.m, before[r.m.ID], r.hits, over)
		if err != nil {
			return err
		}
		changes, err = s.excuse(ctx, tx, org, changes)
		if err != nil {
			return err
		}
		changes = slices.DeleteFunc(changes, func(c change) bool {
			return c.before != nil && c.before.state == c.state && c.before.why == c.why
		})
		if len(changes) == 0 {
			continue
		}
		if err := putMatches(ctx, tx, org, changes, now); err != nil {
			return err
		}
		touched = append(touched, r.m.ID)
	}
	if len(touched) >= statisticsAfter {
		if err := s.refreshStatistics(ctx, tx); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, org, "", 0, touched)
}

// rematch says how one record matches now, changed or not; over is the reason for those that match
// no longer, which keep their row with another state.
func rematch(ctx context.Context, tx *db.Tx, org entente.OrgID, m *Matcher, before []match, hits []Hit, over string) ([]change, error) {
	known := make(map[uint32]*match, len(before))
	for i := range before {
		known[before[i].pack] = &before[i]
	}
	var changes []change
	for _, h := range hits {
		old := known[h.Package]
		delete(known, h.Package)
		c := change{match: match{record: m.ID, pack: h.Package, state: h.State, why: h.Why}, before: old}
		if old != nil {
			c.name, c.version = old.name, old.version
		} else {
			p, err := inventory.PackageByID(ctx, tx, org, h.Package)
			if err != nil {
				return nil, err
			}
			c.name, c.version = p.Title(), p.Version
		}
		changes = append(changes, c)
	}
	for _, pack := range slices.Sorted(maps.Keys(known)) {
		old := known[pack]
		c := change{match: *old, before: old}
		c.state, c.why = Not, over
		if m.Withdrawn {
			c.state = Withdrawn
		}
		if old.state != c.state {
			changes = append(changes, c)
		}
	}
	return changes, nil
}

func day(t time.Time) string {
	if t.IsZero() || t.Unix() == 0 {
		return "an unknown day"
	}
	return t.Format(time.DateOnly)
}

// fresh is a package that is new to the dictionary, with what matching needs.
type fresh struct {
	pack  inventory.Package
	names Names
}

// matchPackages matches the packages that a document brought with the advisories
// that name them.
func (s *Service) matchPackages(ctx context.Context, tx *db.Tx, org entente.OrgID, product string, body inventory.Recorded) error {
	byKey := map[PackageKey][]*fresh{}
	err := inventory.EachPackage(ctx, tx, org, body.FirstPackage, body.LastPackage, func(p inventory.Package) error {
		f := &fresh{pack: p, names: KeyOf(&p)}
		for _, c := range f.names.Candidates {
			if list := byKey[c.Key]; len(list) == 0 || list[len(list)-1] != f {
				byKey[c.Key] = append(list, f)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	concerned := map[string][]*fresh{}
	err = recordsNaming(ctx, tx, org, maps.Keys(byKey), func(k PackageKey, record string) {
		concerned[record] = append(concerned[record], byKey[k]...)
	})
	if err != nil {
		return err
	}
	now := s.now()
	var touched []string
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(concerned)), batchSize) {
		var changes []change
		err := eachRecord(ctx, tx, org, ids, func(r osv.Record) {
			changes = append(changes, matchFresh(Compile(&r), concerned[r.ID])...)
		})
		if err != nil {
			return err
		}
		changes, err = s.excuse(ctx, tx, org, changes)
		if err != nil {
			return err
		}
		changes, err = unmatched(ctx, tx, org, changes)
		if err != nil {
			return err
		}
		if err := putMatches(ctx, tx, org, changes, now); err != nil {
			return err
		}
		for _, c := range changes {
			touched = append(touched, c.record)
		}
	}
	return s.tell(ctx, tx, org, product, body.Document, unique(touched))
}

// statisticsAfter is how many records of one event have to match anew for the
// tables to count as changed much.
const statisticsAfter = 50

// matchFresh matches one advisory with new packages that it names.
func matchFresh(m *Matcher, packages []*fresh) []change {
	var changes []change
	seen := map[uint32]bool{}
	for _, f := range packages {
		if seen[f.pack.ID] {
			continue
		}
		seen[f.pack.ID] = true
		v := m.Match(f.names)
		if rank(v.State) == 0 {
			continue
		}
		changes = append(changes, change{match: match{
			record: m.ID, pack: f.pack.ID, state: v.State, why: v.Why, name: f.pack.Title(), version: f.pack.Version,
		}})
	}
	return changes
}

// unmatched leaves out what is matched already: the advisory's own event may have
// been handled after the document was recorded.
func unmatched(ctx context.Context, tx *db.Tx, org entente.OrgID, changes []change) ([]change, error) {
	var records []string
	for _, c := range changes {
		records = append(records, c.record)
	}
	before, err := matchesOf(ctx, tx, org, unique(records))
	if err != nil {
		return nil, err
	}
	known := make(map[pastOf]*match, len(before))
	for i := range before {
		known[pastOf{before[i].record, before[i].pack}] = &before[i]
	}
	return slices.DeleteFunc(changes, func(c change) bool {
		m := known[pastOf{c.record, c.pack}]
		return m != nil && m.state == c.state && m.why == c.why
	}), nil
}

// toldAdvisories bounds the list in one event.
const toldAdvisories = 2000

// tell counts anew and appends what changed to the journal.
func (s *Service) tell(ctx context.Context, tx *db.Tx, org entente.OrgID, product string, document uint32, records []string) error {
	if len(records) == 0 {
		return nil
	}
	groups, err := recount(ctx, tx, org, records)
	if err != nil {
		return err
	}
	body := Matched{Document: document, Advisories: groups}
	if len(groups) > toldAdvisories {
		body.Advisories, body.Cut = groups[:toldAdvisories], len(groups)-toldAdvisories
	}
	return journal.Append(ctx, tx, worker(org), EventMatched, product, body)
}

// watchIndex asks for the index to be saved when enough has changed since it was.
func (s *Service) watchIndex(ctx context.Context, tx *db.Tx, e journal.Event) error {
	head, err := indexHead(ctx, tx, e.Org)
	if err != nil {
		return err
	}
	// A small inventory is read as fast as its index.
	if e.Seq-head.asked < int64(max(64, head.documents/4)) {
		return nil
	}
	if err := askIndex(ctx, tx, e.Org, e.Seq); err != nil {
		return err
	}
	_, err = journal.Schedule(ctx, tx, e.Org, jobSaveIndex, s.now(), nil)
	return err
}

func (s *Service) saveIndexJob(ctx context.Context, job *journal.Job) error {
	return s.SaveIndex(ctx, job.Org)
}
