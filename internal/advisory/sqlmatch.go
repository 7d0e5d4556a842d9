package advisory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// The tables advisory_match, advisory_match_history and the counts in
// advisory_group.

// match is one row of advisory_match.
type match struct {
	record  string
	pack    uint32
	state   State
	why     string
	name    string
	version string
	since   time.Time
	changed time.Time
}

const matchColumns = `m.record, m.package, m.state, m.why, m.name, m.version, m.since, m.changed`

func scanMatch(r db.Scanner) (match, error) {
	var m match
	var since, changed int64
	err := r.Scan(&m.record, &m.pack, &m.state, &m.why, &m.name, &m.version, &since, &changed)
	m.since, m.changed = db.Time(since), db.Time(changed)
	return m, err
}

// matchesOf gives the matches of records, in order of the package and record.
func matchesOf(ctx context.Context, tx *db.Tx, org entente.OrgID, records []string) ([]match, error) {
	var all []match
	var err error
	if len(records) <= 4 {
		// A page asks for few records; one by one the key is used in any case.
		for _, record := range records {
			some, err := db.All(ctx, tx, scanMatch, `SELECT `+matchColumns+` FROM advisory_match m WHERE m.org = $1 AND m.record = $2`, org, record)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	} else {
		all, err = matchesOfMany(ctx, tx, org, records)
	}
	slices.SortFunc(all, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.pack, b.pack), strings.Compare(a.record, b.record))
	})
	return all, err
}

// hitsOfName are the matches of the records of an advisory that count. CROSS JOIN keeps
// SQLite from going through every match of the organisation first.
const hitsOfName = `SELECT m.package, m.name, m.version, m.state, m.why, m.record
	FROM advisory_record r CROSS JOIN advisory_match m
	WHERE r.org = $1 AND r.member_of = ` + groupOfName + ` AND m.org = r.org AND m.record = r.id AND m.state IN ('affected', 'unknown')`

// askHits asks for what the records of an advisory affect, or may affect.
func askHits(to *[]packageHit, org entente.OrgID, name string) db.Question {
	return db.Ask(hitsOfName, func(r db.Scanner) error {
		var h packageHit
		err := r.Scan(&h.id, &h.name, &h.version, &h.state, &h.why, &h.record)
		*to = append(*to, h)
		return err
	}, org, foldID(cleanText(name)))
}

// worstHits leaves each package once, with the worst that is said of it, in order.
func worstHits(hits []packageHit) []packageHit {
	slices.SortFunc(hits, func(a, b packageHit) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(rank(b.state), rank(a.state)), strings.Compare(a.record, b.record))
	})
	return slices.CompactFunc(hits, func(a, b packageHit) bool { return a.id == b.id })
}

func matchesOfMany(ctx context.Context, tx *db.Tx, org entente.OrgID, records []string) ([]match, error) {
	var all []match
	err := db.EachIn(ctx, tx, `SELECT `+matchColumns+` FROM advisory_match m WHERE m.org = $1 AND m.record IN`, records, func(r db.Scanner) error {
		m, err := scanMatch(r)
		all = append(all, m)
		return err
	}, org)
	return all, err
}

// refreshStatistics tells PostgreSQL how large the tables have become. Without it,
// after a large ingest, it would read whole tables until its own survey comes
// around. SQLite chooses by the order of the indexes alone.
func (s *Service) refreshStatistics(ctx context.Context, tx *db.Tx) error {
	if s.d.Engine() != db.Postgres {
		return nil
	}
	_, err := tx.Exec(ctx, `ANALYZE advisory_record, advisory_body, advisory_alias, advisory_affects, advisory_group, advisory_match`)
	return err
}

// change is a match that is new or stands differently than before.
type change struct {
	match
	before *match // nil if it is new
}

// putMatches writes new and changed matches; what changed keeps its history.
func putMatches(ctx context.Context, tx *db.Tx, org entente.OrgID, changes []change, now time.Time) error {
	if len(changes) == 0 {
		return nil
	}
	_, err := tx.Insert(ctx, `INSERT INTO advisory_match (org, record, package, state, why, name, version, since, changed) VALUES`,
		`ON CONFLICT (org, record, package) DO UPDATE SET state = excluded.state, why = excluded.why, changed = excluded.changed`,
		func(yield func([]any) bool) {
			for _, c := range changes {
				if !yield([]any{string(org), c.record, int64(c.pack), string(c.state), cleanText(c.why), cleanText(c.name), cleanText(c.version), db.Millis(now), db.Millis(now)}) {
					return
				}
			}
		})
	if err != nil {
		return err
	}
	for _, c := range changes {
		if c.before == nil {
			continue
		}
		_, err := tx.Exec(ctx, `INSERT INTO advisory_match_history (org, record, package, ended, n, state, why, began)
			SELECT $1, $2, $3, $4, COUNT(*), $5, $6, $7 FROM advisory_match_history WHERE org = $1 AND record = $2 AND package = $3 AND ended = $4`,
			org, c.record, c.pack, db.Millis(now), string(c.before.state), c.before.why, db.Millis(c.before.changed))
		if err != nil {
			return err
		}
	}
	return nil
}

// Past is a state that a match had before.
type Past struct {
	State State     `json:"state"`
	Why   string    `json:"why"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
}

type pastOf struct {
	record string
	pack   uint32
}

func historyOf(ctx context.Context, tx *db.Tx, org entente.OrgID, records []string) (map[pastOf][]Past, error) {
	past := map[pastOf][]Past{}
	for _, record := range records {
		err := db.Each(ctx, tx, `SELECT package, state, why, began, ended FROM advisory_match_history
			WHERE org = $1 AND record = $2 ORDER BY package, ended, n`, func(r db.Scanner) error {
			of := pastOf{record: record}
			var p Past
			var began, ended int64
			if err := r.Scan(&of.pack, &p.State, &p.Why, &began, &ended); err != nil {
				return err
			}
			p.Began, p.Ended = db.Time(began), db.Time(ended)
			past[of] = append(past[of], p)
			return nil
		}, org, record)
		if err != nil {
			return nil, err
		}
	}
	return past, nil
}

// packageCounts counts the packages of several records, each once.
type packageCounts struct {
	state map[uint32]State
}

func newPackageCounts() *packageCounts { return &packageCounts{state: map[uint32]State{}} }

func (c *packageCounts) put(pack uint32, s State) {
	if rank(s) > rank(c.state[pack]) {
		c.state[pack] = s
	}
}

func (c *packageCounts) add(other *packageCounts) {
	if other == nil {
		return
	}
	for pack, s := range other.state {
		c.put(pack, s)
	}
}

func (c *packageCounts) numbers() (affected, unknown int) {
	for _, s := range c.state {
		if s == Affected {
			affected++
		} else {
			unknown++
		}
	}
	return affected, unknown
}

// matchCounts counts the packages that records concern, by record.
func matchCounts(ctx context.Context, tx *db.Tx, org entente.OrgID, members []*member) (map[string]*packageCounts, error) {
	counts := map[string]*packageCounts{}
	any, err := db.All(ctx, tx, db.Value[string], `SELECT record FROM advisory_match WHERE org = $1 LIMIT 1`, org)
	if err != nil || len(any) == 0 {
		return counts, err
	}
	ids := make([]string, 0, len(members))
	for _, m := range members {
		ids = append(ids, m.id)
	}
	err = eachState(ctx, tx, org, ids, func(record string, pack uint32, s State) {
		if counts[record] == nil {
			counts[record] = newPackageCounts()
		}
		counts[record].put(pack, s)
	})
	return counts, err
}

// eachState gives the packages that records affect or may affect.
func eachState(ctx context.Context, tx *db.Tx, org entente.OrgID, records []string, put func(record string, pack uint32, s State)) error {
	return db.EachIn(ctx, tx, `SELECT record, package, state FROM advisory_match WHERE org = $1 AND state IN ('affected', 'unknown') AND record IN`, records, func(r db.Scanner) error {
		var record string
		var pack uint32
		var s State
		if err := r.Scan(&record, &pack, &s); err != nil {
			return err
		}
		put(record, pack, s)
		return nil
	}, org)
}

// recount brings the counts of the groups of some records up to date, and tells the
// groups with their counts.
func recount(ctx context.Context, tx *db.Tx, org entente.OrgID, records []string) ([]MatchedAdvisory, error) {
	heads, err := recordHeads(ctx, tx, org, records)
	if err != nil {
		return nil, err
	}
	groups := map[string]bool{}
	for _, h := range heads {
		groups[h.memberOf] = true
	}
	of, err := recordsOf(ctx, tx, org, keysOf(groups))
	if err != nil {
		return nil, err
	}
	counts := map[string]*packageCounts{}
	for g := range groups {
		counts[g] = newPackageCounts()
	}
	err = eachState(ctx, tx, org, keysOf(of), func(record string, pack uint32, s State) { counts[of[record]].put(pack, s) })
	if err != nil {
		return nil, err
	}
	var out []MatchedAdvisory
	for _, g := range keysOf(groups) {
		m := MatchedAdvisory{ID: g}
		m.Affected, m.Unknown = counts[g].numbers()
		out = append(out, m)
		_, err := tx.Exec(ctx, `UPDATE advisory_group SET affected = $3, unknown = $4 WHERE org = $1 AND id = $2`, org, g, m.Affected, m.Unknown)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recordsNaming gives, for packages by their names, the records that name them.
func recordsNaming(ctx context.Context, tx *db.Tx, org entente.OrgID, keys iter.Seq[PackageKey], put func(PackageKey, string)) error {
	byEcosystem := map[string][]string{}
	for k := range keys {
		byEcosystem[k.Ecosystem] = append(byEcosystem[k.Ecosystem], k.Name)
	}
	for eco, names := range byEcosystem {
		names = unique(names)
		for i := range names {
			names[i] = cleanText(names[i])
		}
		err := db.EachIn(ctx, tx, `SELECT name, record FROM advisory_affects WHERE org = $1 AND ecosystem = $2 AND name IN`, names, func(r db.Scanner) error {
			var name, record string
			if err := r.Scan(&name, &record); err != nil {
				return err
			}
			put(PackageKey{eco, name}, record)
			return nil
		}, org, eco)
		if err != nil {
			return err
		}
	}
	return nil
}
