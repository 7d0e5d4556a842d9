package advisory

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/db"
)

func eachDigest(ctx context.Context, tx *db.Tx, org entente.OrgID, put func(digest)) error {
	return db.Each(ctx, tx, `SELECT digest FROM advisory_record WHERE org = $1`, func(r db.Scanner) error {
		var raw []byte
		if err := r.Scan(&raw); err != nil {
			return err
		}
		if len(raw) == len(digest{}) {
			put(digest(raw))
		}
		return nil
	}, org)
}

type recordHead struct {
	digest   digest
	modified time.Time
	memberOf string
	source   string
	party    entente.PartyID // where a partner said it
	ended    bool            // and took it back, or its time ran out
}

func recordHeads(ctx context.Context, tx *db.Tx, org entente.OrgID, ids []string) (map[string]recordHead, error) {
	heads := map[string]recordHead{}
	err := db.EachIn(ctx, tx, `SELECT id, digest, modified, member_of, source, party, ended_at FROM advisory_record WHERE org = $1 AND id IN`, ids, func(r db.Scanner) error {
		var id string
		var raw []byte
		var modified, ended int64
		var h recordHead
		if err := r.Scan(&id, &raw, &modified, &h.memberOf, &h.source, &h.party, &ended); err != nil {
			return err
		}
		if len(raw) == len(h.digest) {
			h.digest = digest(raw)
		}
		h.modified, h.ended = db.Time(modified), ended != 0
		heads[id] = h
		return nil
	}, org)
	return heads, err
}

// putRecords writes records with their names and packages.
func putRecords(ctx context.Context, tx *db.Tx, org entente.OrgID, write []*prepared, old map[string]string, from Source, now time.Time) error {
	for _, p := range write {
		if _, known := old[p.record.ID]; !known {
			continue
		}
		if _, err := tx.Exec(ctx, `DELETE FROM advisory_alias WHERE org = $1 AND record = $2`, org, p.record.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM advisory_affects WHERE org = $1 AND record = $2`, org, p.record.ID); err != nil {
			return err
		}
	}
	row := make([]any, 16)
	_, err := tx.Insert(ctx, `INSERT INTO advisory_record (org, id, member_of, digest, modified, published, withdrawn, recorded, source, summary, level, score, vector, ecosystems, party, number) VALUES`,
		`ON CONFLICT (org, id) DO UPDATE SET digest = excluded.digest, modified = excluded.modified, published = excluded.published,
			withdrawn = excluded.withdrawn, recorded = excluded.recorded, source = excluded.source, summary = excluded.summary,
			level = excluded.level, score = excluded.score, vector = excluded.vector, ecosystems = excluded.ecosystems,
			party = excluded.party, number = excluded.number, ended_at = 0, expired = 0`,
		func(yield func([]any) bool) {
			for _, p := range write {
				b := &p.brief
				row[0], row[1], row[2], row[3] = string(org), p.record.ID, p.record.ID, p.digest[:]
				row[4], row[5], row[6], row[7] = millis(b.Modified), millis(b.Published), millis(b.Withdrawn), db.Millis(now)
				row[8], row[9], row[10], row[11] = from.Name, b.Summary, int64(b.Severity.Level.weight()), tenths(b.Severity.Score)
				row[12], row[13] = b.Severity.Vector, p.ecosystems
				row[14], row[15] = string(from.From.Party), int64(from.From.Number)
				if !yield(row) {
					return
				}
			}
		})
	if err != nil {
		return err
	}
	rows := func(each func(p *prepared, yield func(...any) bool) bool) iter.Seq[[]any] {
		return func(yield func([]any) bool) {
			for _, p := range write {
				if !each(p, func(row ...any) bool { return yield(row) }) {
					return
				}
			}
		}
	}
	_, err = tx.Insert(ctx, `INSERT INTO advisory_body (org, id, body) VALUES`, `ON CONFLICT (org, id) DO UPDATE SET body = excluded.body`,
		rows(func(p *prepared, yield func(...any) bool) bool { return yield(string(org), p.record.ID, p.body) }))
	if err != nil {
		return err
	}
	_, err = tx.Insert(ctx, `INSERT INTO advisory_alias (org, folded, record, name) VALUES`, `ON CONFLICT DO NOTHING`,
		rows(func(p *prepared, yield func(...any) bool) bool {
			for _, name := range p.names {
				if !yield(string(org), foldID(name), p.record.ID, name) {
					return false
				}
			}
			return true
		}))
	if err != nil {
		return err
	}
	_, err = tx.Insert(ctx, `INSERT INTO advisory_affects (org, ecosystem, name, record) VALUES`, `ON CONFLICT DO NOTHING`,
		rows(func(p *prepared, yield func(...any) bool) bool {
			for _, k := range p.keys {
				if !yield(string(org), k.Ecosystem, k.Name, p.record.ID) {
					return false
				}
			}
			return true
		}))
	return err
}

// foldID folds the name of an advisory, so that people need not know its case.
func foldID(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// millis keeps the zero time as 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	// A record withdrawn at an unreadable time has the time 0, which is not "never".
	return max(db.Millis(t), 1)
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return db.Time(ms)
}

func tenths(score float64) int64 { return int64(math.Round(score * 10)) }

func levelOf(weight int) Level {
	return [...]Level{"", Low, Moderate, High, Critical}[min(max(weight, 0), 4)]
}

// member is a record as its group sees it.
type member struct {
	id         string
	memberOf   string
	brief      Brief
	ecosystems []string
	names      []string
}

// regroup joins the written records with those that share a name with them, and
// parts what hung together only by a name that is gone.
func regroup(ctx context.Context, tx *db.Tx, org entente.OrgID, write []*prepared, old map[string]string) error {
	groups := map[string]bool{}
	for _, g := range old {
		groups[g] = true
	}
	var folded []string
	for _, p := range write {
		groups[p.record.ID] = true // as which it was just inserted
		for _, n := range p.names {
			folded = append(folded, foldID(n))
		}
	}
	if err := groupsOfNames(ctx, tx, org, unique(folded), groups); err != nil {
		return err
	}
	members, err := membersOf(ctx, tx, org, keysOf(groups))
	if err != nil {
		return err
	}
	counts, err := matchCounts(ctx, tx, org, members)
	if err != nil {
		return err
	}
	set := NewGroups()
	spelling := map[string]string{}
	byFold := map[string]*member{}
	for _, m := range members {
		byFold[foldID(m.id)] = m
		var others []string
		for _, n := range m.names {
			f := foldID(n)
			others = append(others, f)
			if spelling[f] == "" {
				spelling[f] = n
			}
		}
		spelling[foldID(m.id)] = m.id
		set.Add(foldID(m.id), others)
	}
	var rows [][]any
	for _, g := range set.All() {
		var records, names []string
		for _, f := range g.Records {
			records = append(records, byFold[f].id)
		}
		for _, f := range g.Names {
			names = append(names, spelling[f])
		}
		slices.Sort(records)
		id := Principal(records)
		row, err := groupRow(org, id, OrderNames(id, names), records, byFold, counts)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		delete(groups, id)
		for _, f := range g.Records {
			m := byFold[f]
			if m.memberOf == id {
				continue
			}
			if _, err := tx.Exec(ctx, `UPDATE advisory_record SET member_of = $3 WHERE org = $1 AND id = $2`, org, m.id, id); err != nil {
				return err
			}
		}
	}
	for id := range groups {
		if _, err := tx.Exec(ctx, `DELETE FROM advisory_group WHERE org = $1 AND id = $2`, org, id); err != nil {
			return err
		}
	}
	_, err = tx.Insert(ctx, `INSERT INTO advisory_group (org, id, names, records, search, summary, level, score, vector, ecosystems, published, modified, withdrawn, affected, unknown) VALUES`,
		`ON CONFLICT (org, id) DO UPDATE SET names = excluded.names, records = excluded.records, search = excluded.search, summary = excluded.summary,
			level = excluded.level, score = excluded.score, vector = excluded.vector, ecosystems = excluded.ecosystems, published = excluded.published,
			modified = excluded.modified, withdrawn = excluded.withdrawn, affected = excluded.affected, unknown = excluded.unknown`,
		slices.Values(rows))
	return err
}

func groupRow(org entente.OrgID, id string, names, records []string, byFold map[string]*member, counts map[string]*packageCounts) ([]any, error) {
	var told []*scanned
	ecosystems := map[string]bool{}
	total := newPackageCounts()
	for _, r := range records {
		m := byFold[foldID(r)]
		told = append(told, &scanned{brief: m.brief})
		for _, e := range m.ecosystems {
			ecosystems[e] = true
		}
		total.add(counts[r])
	}
	b := mergeBriefs(Group{ID: id, Names: names, Records: records}, told)
	listed, err := json.Marshal(names)
	if err != nil {
		return nil, err
	}
	held, err := json.Marshal(records)
	if err != nil {
		return nil, err
	}
	search := strings.ToLower(strings.Join(names, " ") + " " + b.Summary)
	if len(search) > 2000 {
		search = strings.ToValidUTF8(search[:2000], "")
	}
	affected, unknown := total.numbers()
	return []any{
		string(org), id, string(listed), string(held), search, b.Summary, int64(b.Severity.Level.weight()), tenths(b.Severity.Score), b.Severity.Vector,
		joinEcosystems(ecosystems), millis(b.Published), millis(b.Modified), millis(b.Withdrawn), int64(affected), int64(unknown),
	}, nil
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func keysOf[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }

func groupsOfNames(ctx context.Context, tx *db.Tx, org entente.OrgID, folded []string, groups map[string]bool) error {
	return db.EachIn(ctx, tx, `SELECT DISTINCT r.member_of FROM advisory_alias a
			JOIN advisory_record r ON r.org = a.org AND r.id = a.record
			WHERE a.org = $1 AND a.folded IN`, folded, func(r db.Scanner) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		groups[id] = true
		return nil
	}, org)
}

// recordsOf gives the records of groups, with the group of each.
func recordsOf(ctx context.Context, tx *db.Tx, org entente.OrgID, groups []string) (map[string]string, error) {
	of := map[string]string{}
	err := db.EachIn(ctx, tx, `SELECT id, member_of FROM advisory_record WHERE org = $1 AND member_of IN`, groups, func(r db.Scanner) error {
		var id, group string
		if err := r.Scan(&id, &group); err != nil {
			return err
		}
		of[id] = group
		return nil
	}, org)
	return of, err
}

func membersOf(ctx context.Context, tx *db.Tx, org entente.OrgID, groups []string) ([]*member, error) {
	// In two steps, each by one index: SQLite would rather read the whole table than
	// join the two by itself.
	of, err := recordsOf(ctx, tx, org, groups)
	if err != nil {
		return nil, err
	}
	ids := keysOf(of)
	var members []*member
	byID := map[string]*member{}
	err = db.EachIn(ctx, tx, `SELECT id, member_of, summary, level, score, vector, published, modified, withdrawn, ecosystems FROM advisory_record WHERE org = $1 AND id IN`, ids, func(r db.Scanner) error {
		m := &member{}
		var eco string
		if err := scanBrief(r, &m.brief, []any{&m.id, &m.memberOf}, &eco); err != nil {
			return err
		}
		m.brief.ID, m.ecosystems = m.id, splitEcosystems(eco)
		byID[m.id] = m
		members = append(members, m)
		return nil
	}, org)
	if err != nil {
		return nil, err
	}
	err = db.EachIn(ctx, tx, `SELECT record, name FROM advisory_alias WHERE org = $1 AND record IN`, ids, func(r db.Scanner) error {
		var id, name string
		if err := r.Scan(&id, &name); err != nil {
			return err
		}
		byID[id].names = append(byID[id].names, name)
		return nil
	}, org)
	for _, m := range members {
		m.names = unique(m.names)
	}
	return members, err
}

// scanBrief reads summary, level, score, vector, published, modified and withdrawn,
// between other columns.
func scanBrief(r db.Scanner, b *Brief, before []any, after ...any) error {
	var level, score int
	var published, modified, withdrawn int64
	dest := slices.Concat(before, []any{&b.Summary, &level, &score, &b.Severity.Vector, &published, &modified, &withdrawn}, after)
	if err := r.Scan(dest...); err != nil {
		return err
	}
	b.Severity.Level, b.Severity.Score = levelOf(level), float64(score)/10
	b.Published, b.Modified, b.Withdrawn = timeOf(published), timeOf(modified), timeOf(withdrawn)
	return nil
}

// recordByID reads a stored record back.
func recordByID(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (osv.Record, error) {
	var found osv.Record
	err := eachRecord(ctx, tx, org, []string{id}, func(r osv.Record) { found = r })
	if err == nil && found.ID == "" {
		err = entente.NotFound("there is no advisory %s in this organisation", id)
	}
	return found, err
}

// eachRecord reads stored records back, in any order.
func eachRecord(ctx context.Context, tx *db.Tx, org entente.OrgID, ids []string, put func(osv.Record)) error {
	return db.EachIn(ctx, tx, `SELECT id, body FROM advisory_body WHERE org = $1 AND id IN`, ids, func(s db.Scanner) error {
		var id string
		var body []byte
		if err := s.Scan(&id, &body); err != nil {
			return err
		}
		data, err := unpack(body)
		if err != nil {
			return fmt.Errorf("advisory %s: %w", id, err)
		}
		r, _, err := osv.Decode(data)
		if err != nil {
			return fmt.Errorf("advisory %s: %w", id, err)
		}
		r.Raw = data
		put(r)
		return nil
	}, org)
}
