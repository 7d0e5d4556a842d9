package advisory

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// EventSpoken says that a supplier said how products stand to vulnerabilities, took it
// back, or that its time ran out. The subject is the party, the body [Said].
const EventSpoken journal.Kind = "advisory.spoken"

// Said is the body of [EventSpoken].
type Said struct {
	By              string         `json:"by"`
	Products        []chain.NodeID `json:"products"`
	Vulnerabilities []string       `json:"vulnerabilities"`
	Recalled        bool           `json:"recalled,omitempty"` // it was taken back
	Expired         bool           `json:"expired,omitempty"`  // its time ran out
}

// Excused is the state of a match of which the product's own supplier says that it is
// not affected, or fixed. It counts as affected no more.
const Excused State = "excused"

// Spoken is what a supplier says of one product and one vulnerability.
type Spoken struct {
	Product       chain.NodeID
	Vulnerability string
	Party         entente.PartyID
	Number        uint64
	By            string // what the party calls itself
	Status        vex.Status
	Justification string
	Text, Action  string
	Packages      []string // parts of the product that it is about; none: all
	At            time.Time
	State         string // standing, replaced, recalled or expired
	Ended         time.Time
}

// excuses says whether it takes a match back.
func (s *Spoken) excuses() bool {
	return s.State == spokenStanding && (s.Status == vex.NotAffected || s.Status == vex.Fixed)
}

// covers says whether it is about a package of its product.
func (s *Spoken) covers(name, version string) bool {
	return len(s.Packages) == 0 || slices.ContainsFunc(s.Packages, func(p string) bool {
		p, _, _ = strings.Cut(p, "?")
		p, _, _ = strings.Cut(p, "#")
		what, at, _ := strings.Cut(p, "@")
		if i := strings.LastIndexByte(p, '@'); i > 0 { // the name of an npm package may begin with one
			what, at = p[:i], p[i+1:]
		}
		short := name[strings.LastIndexAny(name, "/:")+1:]
		return strings.EqualFold(what[strings.LastIndexByte(what, '/')+1:], short) && (at == "" || version == "" || at == version)
	})
}

// Why says it in a sentence, as matches keep it.
func (s *Spoken) Why() entente.Message {
	reason := s.Text
	if reason == "" {
		reason = strings.ReplaceAll(s.Justification, "_", " ")
	}
	switch {
	case s.Status == vex.Fixed && reason == "":
		return entente.Say("%s says on %s: fixed", s.By, day(s.At))
	case s.Status == vex.Fixed:
		return entente.Say("%s says on %s: fixed, because %s", s.By, day(s.At), reason)
	case reason == "":
		return entente.Say("%s says on %s: not affected", s.By, day(s.At))
	}
	return entente.Say("%s says on %s: not affected, because %s", s.By, day(s.At), reason)
}

const (
	spokenStanding = "standing"
	spokenReplaced = "replaced"
	spokenRecalled = "recalled"
	spokenExpired  = "expired"
)

// Speak records what the supplier of products says of them. Of a product that is
// another's it is refused: only who makes something knows. The same again changes
// nothing.
func (s *Service) Speak(ctx context.Context, actor entente.Actor, supplier chain.NodeID, all []Spoken) error {
	if err := identity.Require(actor, identity.AdvisoryEdit, identity.In(actor.Org)); err != nil {
		return err
	}
	return s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		g, err := s.chain.GraphIn(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		said := Said{}
		for i := range all {
			one := &all[i]
			node, known := g.Node(one.Product)
			if !known || node.Kind != chain.KindProduct || node.Organisation != supplier || supplier == "" {
				return entente.Invalid("%q is no product of %s", string(one.Product), one.By)
			}
			fresh, err := putSpoken(ctx, tx, actor.Org, *one, i)
			if err != nil {
				return err
			}
			if fresh {
				said.By = one.By
				said.Products, said.Vulnerabilities = append(said.Products, one.Product), append(said.Vulnerabilities, one.Vulnerability)
			}
		}
		if len(said.Products) == 0 {
			return nil
		}
		said.Products, said.Vulnerabilities = slices.Compact(said.Products), unique(said.Vulnerabilities)
		return journal.Append(ctx, tx, actor, EventSpoken, string(all[0].Party), said)
	})
}

// Unsay takes back what an entry said: it counts no more, and what it said is deleted.
// What the party said of the same before counts again, dated as it was. expired is when
// its time ran out; zero: the party took it back.
func (s *Service) Unsay(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64, expired time.Time) error {
	if err := identity.Require(actor, identity.AdvisoryEdit, identity.In(actor.Org)); err != nil {
		return err
	}
	return s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		all, err := db.All(ctx, tx, scanSpoken, "SELECT "+spokenColumns+" FROM advisory_vex WHERE org = $1 AND party = $2 AND number = $3 AND state IN ('standing', 'replaced')", actor.Org, party, int64(number))
		if err != nil || len(all) == 0 {
			return err
		}
		state, ended := spokenRecalled, s.now()
		if !expired.IsZero() {
			state, ended = spokenExpired, expired
		}
		_, err = tx.Exec(ctx, "UPDATE advisory_vex SET state = $4, ended_at = $5, justification = '', text = '', action = '', packages = '[]' WHERE org = $1 AND party = $2 AND number = $3", actor.Org, party, int64(number), state, db.Millis(ended))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE advisory_vex SET state = 'standing', ended_at = 0 WHERE org = $1 AND party = $2 AND state = 'replaced' AND number = (SELECT MAX(o.number) FROM advisory_vex o
			WHERE o.org = advisory_vex.org AND o.product = advisory_vex.product AND o.vulnerability = advisory_vex.vulnerability AND o.party = advisory_vex.party AND o.state IN ('standing', 'replaced'))`, actor.Org, party)
		if err != nil {
			return err
		}
		said := Said{By: all[0].By, Recalled: expired.IsZero(), Expired: !expired.IsZero()}
		for _, one := range all {
			said.Products, said.Vulnerabilities = append(said.Products, one.Product), append(said.Vulnerabilities, one.Vulnerability)
		}
		said.Products, said.Vulnerabilities = slices.Compact(said.Products), unique(said.Vulnerabilities)
		return journal.Append(ctx, tx, actor, EventSpoken, string(party), said)
	})
}

// SpokenOf lists what was said of a product, or of a vulnerability by any of its names,
// the newest first, with what was replaced, taken back or expired.
func (s *Service) SpokenOf(ctx context.Context, actor entente.Actor, product chain.NodeID, names []string) (list []Spoken, err error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		all, err := spokenIn(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		list = nil
		for _, one := range all {
			named := len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return foldID(n) == foldID(one.Vulnerability) })
			if named && (product == "" || one.Product == product) {
				list = append(list, one)
			}
		}
		slices.SortStableFunc(list, func(a, b Spoken) int { return b.At.Compare(a.At) })
		return nil
	})
	return list, err
}

const spokenColumns = "product, name, party, number, by, status, justification, text, action, packages, at, state, ended_at"

func scanSpoken(row db.Scanner) (s Spoken, err error) {
	var at, ended int64
	var packages string
	if err = row.Scan(&s.Product, &s.Vulnerability, &s.Party, &s.Number, &s.By, &s.Status, &s.Justification, &s.Text, &s.Action, &packages, &at, &s.State, &ended); err != nil {
		return s, err
	}
	s.At, s.Ended = db.Time(at), db.Time(ended)
	return s, json.Unmarshal([]byte(packages), &s.Packages)
}

// spokenIn gives all that was said. There is one for a product and a vulnerability that
// somebody spoke of, so they are few.
func spokenIn(ctx context.Context, tx *db.Tx, org entente.OrgID) ([]Spoken, error) {
	return db.All(ctx, tx, scanSpoken, "SELECT "+spokenColumns+" FROM advisory_vex WHERE org = $1 ORDER BY product, vulnerability, party, number, n", org)
}

// putSpoken writes one statement down, in the place of what the party said before; it
// is not fresh if it is there already.
func putSpoken(ctx context.Context, tx *db.Tx, org entente.OrgID, s Spoken, n int) (fresh bool, err error) {
	key := foldID(cleanText(s.Vulnerability))
	newest, err := db.One(ctx, tx, db.Value[int64], "SELECT COALESCE(MAX(number), 0) FROM advisory_vex WHERE org = $1 AND product = $2 AND vulnerability = $3 AND party = $4 AND state IN ('standing', 'replaced')", org, s.Product, key, s.Party)
	if err != nil {
		return false, err
	}
	state, ended := spokenStanding, int64(0)
	if newest > int64(s.Number) {
		state, ended = spokenReplaced, db.Millis(s.At)
	}
	packages, err := json.Marshal(s.Packages)
	if err != nil {
		return false, err
	}
	written, err := tx.Exec(ctx, `INSERT INTO advisory_vex (org, product, vulnerability, party, number, n, name, by, status, justification, text, action, packages, at, state, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (org, product, vulnerability, party, number, n) DO NOTHING`,
		org, s.Product, key, s.Party, int64(s.Number), n, cleanText(s.Vulnerability), cleanText(s.By), s.Status, cleanText(s.Justification), cleanText(s.Text), cleanText(s.Action), string(packages), db.Millis(s.At), state, ended)
	if err != nil || written == 0 || state != spokenStanding {
		return written > 0, err
	}
	_, err = tx.Exec(ctx, `UPDATE advisory_vex SET state = 'replaced', ended_at = $6 WHERE org = $1 AND product = $2 AND vulnerability = $3 AND party = $4 AND number < $5 AND state = 'standing'`,
		org, s.Product, key, s.Party, int64(s.Number), db.Millis(s.At))
	return true, err
}

// excuses are the statements that take matches back, by the folded vulnerability.
type excuses map[string][]Spoken

func excusesIn(ctx context.Context, tx *db.Tx, org entente.OrgID) (excuses, error) {
	all, err := spokenIn(ctx, tx, org)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	by := excuses{}
	for _, s := range all {
		if s.excuses() {
			key := foldID(s.Vulnerability)
			by[key] = append(by[key], s)
		}
	}
	return by, nil
}

// of gives the statement that takes a package of a product back, if there is one.
func (e excuses) of(names []string, product chain.NodeID, name, version string) *Spoken {
	for _, n := range names {
		all := e[foldID(n)]
		for i := range all {
			if all[i].Product == product && all[i].covers(name, version) {
				return &all[i]
			}
		}
	}
	return nil
}

// wholly gives the products of which everything is taken back for a vulnerability.
func (e excuses) wholly(names []string) map[string]bool {
	var products map[string]bool
	for _, n := range names {
		for _, s := range e[foldID(n)] {
			if len(s.Packages) == 0 {
				if products == nil {
					products = map[string]bool{}
				}
				products[string(s.Product)] = true
			}
		}
	}
	return products
}

// excuse gives the state of those changes that suppliers take back in all products that
// hold the package.
func (s *Service) excuse(ctx context.Context, tx *db.Tx, org entente.OrgID, changes []change) ([]change, error) {
	by, err := excusesIn(ctx, tx, org)
	if err != nil || len(by) == 0 || len(changes) == 0 {
		return changes, err
	}
	names := map[string][]string{}
	for _, c := range changes {
		if names[c.record] == nil {
			if names[c.record], err = allNamesOf(ctx, tx, org, c.record); err != nil {
				return nil, err
			}
		}
	}
	err = s.indexes.with(ctx, tx, org, func(x *Index) error {
		for i := range changes {
			c := &changes[i]
			if rank(c.state) == 0 {
				continue
			}
			products, more := x.productsOf(c.pack, mostExcused)
			var last *Spoken
			for _, p := range products {
				last = by.of(names[c.record], p, c.name, c.version)
				if last == nil {
					break
				}
			}
			if last != nil && more == 0 {
				c.state, c.why = Excused, last.Why().String()
			}
		}
		return nil
	})
	return changes, err
}

// mostExcused bounds the products that are looked at for one package.
const mostExcused = 10_000

// allNamesOf gives all names of the advisory to which a record belongs.
func allNamesOf(ctx context.Context, tx *db.Tx, org entente.OrgID, record string) ([]string, error) {
	var l Listed
	if err := db.Together(ctx, tx, askGroup(&l, org, record)); err != nil {
		return nil, err
	}
	return append(slices.Clone(l.Names), record), nil
}

// rematchSpoken matches the records of vulnerabilities anew.
func (s *Service) rematchSpoken(ctx context.Context, tx *db.Tx, org entente.OrgID, vulnerabilities []string) error {
	var records []string
	for _, v := range vulnerabilities {
		var l Listed
		if err := db.Together(ctx, tx, askGroup(&l, org, v)); err != nil {
			return err
		}
		records = append(records, l.Records...)
	}
	return s.matchRecords(ctx, tx, org, unique(records))
}

// recheckExcused matches anew what was taken back: a package may be in a product now
// of which nobody said so.
func (s *Service) recheckExcused(ctx context.Context, tx *db.Tx, org entente.OrgID) error {
	records, err := db.All(ctx, tx, db.Value[string], "SELECT DISTINCT record FROM advisory_match WHERE org = $1 AND state = 'excused'", org)
	if err != nil || len(records) == 0 {
		return err
	}
	return s.matchRecords(ctx, tx, org, records)
}
