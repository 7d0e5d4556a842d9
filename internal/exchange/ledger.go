package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// LedgerQuery chooses statements of the ledger.
type LedgerQuery struct {
	Search  string            // in title, subject, ground and the name of who said it
	Kind    entente.EntryKind // empty: every kind
	Subject string            // empty: every subject
	TLP     entente.TLP       // 0: every label
	State   StatementState    // empty: every state
	Party   entente.PartyID   // it went to this partner; empty: to whomever
	Open    Open
	Sort    LedgerSort
	Desc    bool
	Limit   int // 0: 50
	Offset  int
}

// Open says what of a statement is still open with somebody who got it.
type Open string

// What may be open.
const (
	OpenDelivery    Open = "delivery"    // the receiver has not signed that it holds it
	OpenReading     Open = "reading"     // nobody there has seen it
	OpenAcknowledge Open = "acknowledge" // nobody there has acknowledged it
	OpenRevision    Open = "revision"    // it was taken back or narrowed, and the receiver has not signed that this is done
)

// LedgerSort is by what the ledger is sorted.
type LedgerSort string

// The orders.
const (
	SortSaid  LedgerSort = "said"
	SortTitle LedgerSort = "title"
	SortKind  LedgerSort = "kind"
	SortLabel LedgerSort = "label"
	SortState LedgerSort = "state"
)

// Tally counts the recipients of a statement.
type Tally struct {
	Entitled, Refused             int // who got it, and who did not
	Delivered, Read, Acknowledged int // of those who got it
	Revised, Done                 int // who was asked to delete or to narrow it, and has signed that this is done
}

// Listed is a statement as the ledger lists it: without its content.
type Listed struct {
	Statement
	Tally
}

// Ledger lists what was said, and counts all that match.
func (s *Service) Ledger(ctx context.Context, actor entente.Actor, q LedgerQuery) (list []Listed, matching, all int, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return nil, 0, 0, err
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		list, matching, all, err = ledgerOf(ctx, tx, actor.Org, q)
		return err
	})
	return list, matching, all, err
}

// Unconfirmed counts the statements that were taken back or narrowed and that somebody
// still holds as they were, as far as its signature tells.
func (s *Service) Unconfirmed(ctx context.Context, actor entente.Actor) (n int, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return 0, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		n, err = db.One(ctx, tx, db.Value[int], "SELECT count(DISTINCT statement) FROM exchange_ledger WHERE org = $1 AND revised_at > 0 AND recall_acked_at = 0", actor.Org)
		return err
	})
	return n, err
}

// listedColumns are those of a statement without its content.
const listedColumns = "id, kind, subject, title, marking, originator, withheld, basis, state, why, at, person, by, recalled_at"

func scanListed(row db.Scanner) (l Listed, err error) {
	var marking string
	var at, recalled int64
	err = row.Scan(&l.ID, &l.Kind, &l.Subject, &l.Title, &marking, &l.Originator, &l.Withheld, &l.Basis, &l.State, &l.Why, &at, &l.Person, &l.By, &recalled)
	if err != nil {
		return l, err
	}
	l.At, l.Recalled = db.Time(at), db.Time(recalled)
	return l, json.Unmarshal([]byte(marking), &l.Marking)
}

func ledgerOf(ctx context.Context, tx *db.Tx, org entente.OrgID, q LedgerQuery) (list []Listed, matching, all int, err error) {
	all, err = db.One(ctx, tx, db.Value[int], "SELECT count(*) FROM exchange_statement WHERE org = $1", org)
	if err != nil {
		return nil, 0, 0, err
	}
	counts, err := db.AllOf(ctx, tx, db.Value[int], q.choose(db.Select("SELECT count(*) FROM exchange_statement s WHERE s.org = $1", org)))
	if err != nil {
		return nil, 0, 0, err
	}
	list, err = db.AllOf(ctx, tx, scanListed, q.order(q.choose(db.Select("SELECT "+listedColumns+" FROM exchange_statement s WHERE s.org = $1", org))).Page(q.Limit, q.Offset))
	if err != nil {
		return nil, 0, 0, err
	}
	for i := range list {
		if list[i].Tally, err = tallyOf(ctx, tx, org, list[i].ID); err != nil {
			return nil, 0, 0, err
		}
	}
	return list, counts[0], all, nil
}

func (q LedgerQuery) choose(sel *db.Query) *db.Query {
	search := contains(q.Search)
	return sel.AndIf(strings.TrimSpace(q.Search) != "", `LOWER(s.title) LIKE $1 ESCAPE '\' OR LOWER(s.subject) LIKE $1 ESCAPE '\' OR LOWER(s.basis) LIKE $1 ESCAPE '\' OR LOWER(s.by) LIKE $1 ESCAPE '\'`, search).
		AndIf(q.Kind != "", "s.kind = $1", q.Kind).
		AndIf(q.Subject != "", "s.subject = $1", q.Subject).
		AndIf(q.TLP != 0, "s.tlp = $1", int64(q.TLP)).
		AndIf(q.State != "", "s.state = $1", q.State).
		AndIf(q.Party != "", "EXISTS (SELECT 1 FROM exchange_ledger l WHERE l.org = s.org AND l.statement = s.id AND l.party = $1 AND l.number > 0)", q.Party).
		AndIf(q.Open == OpenDelivery, openEntry+" AND e.delivered_at = 0)").
		AndIf(q.Open == OpenReading, openEntry+" AND e.read_at = 0 AND l.revise <> 'recall')").
		AndIf(q.Open == OpenAcknowledge, openEntry+" AND e.answered_at = 0 AND l.revise <> 'recall')").
		AndIf(q.Open == OpenRevision, "s.id IN (SELECT l.statement FROM exchange_ledger l WHERE l.org = s.org AND l.revised_at > 0 AND l.recall_acked_at = 0)")
}

const openEntry = `EXISTS (SELECT 1 FROM exchange_ledger l JOIN exchange_entry e ON e.org = l.org AND e.party = l.party AND e.way = 'out' AND e.number = l.number
	WHERE l.org = s.org AND l.statement = s.id AND l.number > 0`

func (q LedgerQuery) order(sel *db.Query) *db.Query {
	switch {
	case q.Sort == SortTitle && q.Desc:
		return sel.Order("LOWER(s.title) DESC, s.id")
	case q.Sort == SortTitle:
		return sel.Order("LOWER(s.title), s.id")
	case q.Sort == SortKind && q.Desc:
		return sel.Order("s.kind DESC, s.at DESC, s.id")
	case q.Sort == SortKind:
		return sel.Order("s.kind, s.at DESC, s.id")
	case q.Sort == SortLabel && q.Desc:
		return sel.Order("s.tlp DESC, s.at DESC, s.id")
	case q.Sort == SortLabel:
		return sel.Order("s.tlp, s.at DESC, s.id")
	case q.Sort == SortState && q.Desc:
		return sel.Order("s.state DESC, s.at DESC, s.id")
	case q.Sort == SortState:
		return sel.Order("s.state, s.at DESC, s.id")
	case q.Sort == SortSaid && !q.Desc:
		return sel.Order("s.at, s.id")
	}
	return sel.Order("s.at DESC, s.id")
}

// contains makes a LIKE pattern for texts that contain s, in small letters.
func contains(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(strings.TrimSpace(s))) + "%"
}

func tallyOf(ctx context.Context, tx *db.Tx, org entente.OrgID, statement string) (Tally, error) {
	return db.One(ctx, tx, func(row db.Scanner) (t Tally, err error) {
		return t, row.Scan(&t.Entitled, &t.Refused, &t.Delivered, &t.Read, &t.Acknowledged, &t.Revised, &t.Done)
	}, `SELECT count(CASE WHEN l.number > 0 THEN 1 END), count(CASE WHEN l.number = 0 THEN 1 END), count(CASE WHEN e.delivered_at > 0 THEN 1 END), count(CASE WHEN e.read_at > 0 THEN 1 END),
			count(CASE WHEN e.answered_at > 0 THEN 1 END), count(CASE WHEN l.revised_at > 0 THEN 1 END), count(CASE WHEN l.revised_at > 0 AND l.recall_acked_at > 0 THEN 1 END)
		FROM exchange_ledger l LEFT JOIN exchange_entry e ON e.org = l.org AND e.party = l.party AND e.way = 'out' AND e.number = l.number AND l.number > 0
		WHERE l.org = $1 AND l.statement = $2`, org, statement)
}

// Record is what can be said later of one statement, and proven: on what ground, by
// whose decision and to whom it went, and what became of it there. What it said is not
// in it; the hash of each entry proves that.
type Record struct {
	Format       string          `json:"format" doc:"entente.record/1"`
	Made         time.Time       `json:"made" doc:"When the record was made."`
	Organisation string          `json:"organisation"`
	Party        string          `json:"party" doc:"The organisation's name among all nodes."`
	ID           string          `json:"id"`
	Kind         string          `json:"kind"`
	Subject      string          `json:"subject"`
	Title        string          `json:"title"`
	Originator   string          `json:"originator,omitempty" doc:"Who said it first, if another party did."`
	Withheld     bool            `json:"withheld,omitempty" doc:"Recipients were not told who said it first."`
	Said         time.Time       `json:"said"`
	By           string          `json:"by" doc:"The person who decided to say it."`
	Marking      json.RawMessage `json:"marking" doc:"As it counts now; docs/protocol.md describes it."`
	Basis        string          `json:"basis,omitempty" doc:"On what ground it was shared."`
	NeedWhy      string          `json:"need_why,omitempty" doc:"Why a person decided that it may be passed on."`
	Decisions    []RecordFinding `json:"decisions" doc:"What was found in the content and let go by that person."`
	Files        []RecordFile    `json:"files"`
	State        string          `json:"state" doc:"said or recalled."`
	Reason       string          `json:"reason,omitempty" doc:"It was taken back or narrowed."`
	Recalled     *time.Time      `json:"recalled,omitempty"`
	Recipients   []RecordLine    `json:"recipients" doc:"Every partner of that time: who got it and who did not."`
}

// RecordFinding is something in the content that a person looked at and let go.
type RecordFinding struct {
	Kind   string `json:"kind" doc:"personal, secret, victim or inside."`
	What   string `json:"what"`
	Reason string `json:"reason,omitempty" doc:"Why it was let go."`
}

// RecordFile is a file that went with it.
type RecordFile struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Hash string `json:"sha256"`
}

// RecordLine is one partner in a [Record].
type RecordLine struct {
	Party        string           `json:"party"`
	Name         string           `json:"name"`
	Entitled     bool             `json:"entitled"`
	Reason       string           `json:"reason" doc:"Why they got it, or why not."`
	Need         bool             `json:"need,omitempty" doc:"The person decided that they need to know it, for what is passed on."`
	Agreement    *RecordAgreement `json:"agreement,omitempty" doc:"The version that counted."`
	Marking      json.RawMessage  `json:"marking,omitempty" doc:"As it counts for them now."`
	Embargo      *RecordEmbargo   `json:"embargo,omitempty"`
	Number       uint64           `json:"number,omitempty" doc:"Of the entry that carries it."`
	Hash         string           `json:"hash,omitempty" doc:"Of the entry's payload."`
	Delivered    *time.Time       `json:"delivered,omitempty"`
	Read         *time.Time       `json:"read,omitempty"`
	Acknowledged *time.Time       `json:"acknowledged,omitempty"`
	Asked        string           `json:"asked,omitempty" doc:"recall or narrow: what they were asked to do with it."`
	AskedAt      *time.Time       `json:"asked_at,omitempty"`
	AskedBy      uint64           `json:"asked_by,omitempty" doc:"The number of the entry that asked; absent: they could not be told."`
	Done         *time.Time       `json:"done,omitempty" doc:"When they acknowledged by signature that it was done."`
	Receipt      json.RawMessage  `json:"receipt,omitempty" doc:"The latest receipt that they signed, a DSSE envelope: they hold everything up to the entry that it names."`
}

// RecordAgreement names the agreement that was the basis.
type RecordAgreement struct {
	Version   int        `json:"version"`
	Hash      string     `json:"hash" doc:"Of what both signed."`
	From      time.Time  `json:"from"`
	Until     *time.Time `json:"until,omitempty"`
	Retention int        `json:"retention_days,omitempty" doc:"For how many days it is kept after the end or a recall; absent: not agreed."`
	Onward    string     `json:"onward,omitempty" doc:"Further rules of passing on."`
}

// RecordEmbargo is where the embargo with one partner stands.
type RecordEmbargo struct {
	State string     `json:"state"`
	Until *time.Time `json:"until,omitempty"`
}

// Record makes the record of a statement.
func (s *Service) Record(ctx context.Context, actor entente.Actor, id string) (r Record, err error) {
	if err := identity.Require(actor, identity.ExchangeExport, identity.In(actor.Org)); err != nil {
		return r, err
	}
	name, err := s.nameOf(ctx, actor.Org)
	if err != nil {
		return r, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		self, err := readSelf(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		st, err := readStatement(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		r = Record{
			Format: "entente.record/1", Made: s.now(), Organisation: name, Party: string(self.Party()), ID: st.ID, Kind: string(st.Kind), Subject: st.Subject, Title: st.Title,
			Originator: string(st.Originator), Withheld: st.Withheld, Said: st.At, By: st.By, Basis: st.Basis, NeedWhy: st.NeedWhy, State: string(st.State), Reason: st.Why, Recalled: moment(st.Recalled),
			Decisions: []RecordFinding{}, Files: []RecordFile{}, Recipients: []RecordLine{},
		}
		if r.Marking, err = json.Marshal(st.Marking); err != nil {
			return err
		}
		for _, f := range st.Decided {
			r.Decisions = append(r.Decisions, RecordFinding{string(f.Kind), f.What, f.Reason})
		}
		for _, b := range st.Blobs {
			r.Files = append(r.Files, RecordFile{b.Name, b.Size, b.Hash.String()})
		}
		lines, err := linesOf(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		known, err := s.recorded(ctx, tx, actor.Org, st)
		if err != nil {
			return err
		}
		for _, l := range lines {
			r.Recipients = append(r.Recipients, known.line(l))
		}
		return nil
	})
	return r, err
}

// recorded is what the record tells of partners beyond their lines in the ledger: of all
// of them at once.
type recorded struct {
	agreements map[entente.PartyID][]signedText // all versions
	embargoes  map[entente.PartyID]EmbargoOn
	entries    map[entente.PartyID]recordedEntry
}

// recordedEntry is the entry that carries a statement to one partner.
type recordedEntry struct {
	hash             entente.Hash
	marking, receipt json.RawMessage // the receipt only if it covers the entry
}

func (s *Service) recorded(ctx context.Context, tx *db.Tx, org entente.OrgID, st Statement) (r recorded, err error) {
	r = recorded{agreements: map[entente.PartyID][]signedText{}, embargoes: map[entente.PartyID]EmbargoOn{}, entries: map[entente.PartyID]recordedEntry{}}
	err = db.Each(ctx, tx, `SELECT party, envelope FROM exchange_agreement WHERE org = $1 AND state = 'signed'
		AND party IN (SELECT party FROM exchange_ledger WHERE org = $1 AND statement = $2)`, func(row db.Scanner) error {
		var party entente.PartyID
		var text []byte
		if err := row.Scan(&party, &text); err != nil {
			return err
		}
		a, err := s.agreement(string(text))
		r.agreements[party] = append(r.agreements[party], a)
		return err
	}, org, st.ID)
	if err != nil {
		return r, err
	}
	about, err := embargoesOf(ctx, tx, db.Select(embargoSteps, org).And("k.subject = $1", st.Subject))
	if err != nil {
		return r, err
	}
	for _, e := range about {
		r.embargoes[e.Party] = e
	}
	err = db.Each(ctx, tx, `SELECT e.party, e.hash, e.marking, CASE WHEN f.acked >= e.number THEN f.receipt END
		FROM exchange_ledger l
		JOIN exchange_entry e ON e.org = l.org AND e.party = l.party AND e.way = 'out' AND e.number = l.number
		JOIN exchange_feed f ON f.org = l.org AND f.party = l.party AND f.way = 'out'
		WHERE l.org = $1 AND l.statement = $2 AND l.number > 0`, func(row db.Scanner) error {
		var party entente.PartyID
		var hash, receipt []byte
		var marking string
		err := row.Scan(&party, &hash, &marking, &receipt)
		e := recordedEntry{marking: json.RawMessage(marking), receipt: receipt}
		copy(e.hash[:], hash)
		r.entries[party] = e
		return err
	}, org, st.ID)
	return r, err
}

func (known recorded) line(l Line) RecordLine {
	r := RecordLine{
		Party: string(l.Party), Name: l.Name, Entitled: l.Number > 0, Reason: l.Reason.String(), Need: l.Need, Number: l.Number, Delivered: moment(l.Delivered), Read: moment(l.Read),
		Acknowledged: moment(l.Answered), Asked: string(l.Revise), AskedAt: moment(l.Revised), AskedBy: l.Recall, Done: moment(l.Acked),
	}
	for _, a := range known.agreements[l.Party] {
		if a.Number == l.Agreement {
			r.Agreement = &RecordAgreement{Version: a.Number, Hash: a.hash.String(), From: a.From, Until: moment(a.Until), Retention: a.Retention, Onward: a.Onward}
		}
	}
	if l.Number == 0 {
		return r
	}
	if e := known.embargoes[l.Party]; e.State != "" {
		r.Embargo = &RecordEmbargo{State: string(e.State), Until: moment(e.Until)}
		if e.Until.IsZero() {
			r.Embargo.Until = moment(e.Proposed)
		}
	}
	sent := known.entries[l.Party]
	r.Hash, r.Marking, r.Receipt = sent.hash.String(), sent.marking, sent.receipt
	return r
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// RecordHeads are the heads of [Record.Rows].
var RecordHeads = []string{
	"id", "kind", "subject", "title", "said", "by", "basis", "marking", "decisions", "need_why", "files", "state", "reason", "recalled",
	"party", "name", "entitled", "why", "need", "agreement", "agreement_hash", "retention_days", "onward", "marking_now", "embargo", "embargo_until", "entry", "entry_hash",
	"delivered", "read", "acknowledged", "asked", "asked_at", "asked_by", "done", "receipt",
}

// Rows writes the record as a table, a row for each partner.
func (r Record) Rows() ([][]string, error) {
	decisions, err := json.Marshal(r.Decisions)
	files, err2 := json.Marshal(r.Files)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	number := func(n uint64) string {
		if n == 0 {
			return ""
		}
		return entente.Say("%d", int(n)).String()
	}
	yes := map[bool]string{true: "yes", false: "no"}
	var rows [][]string
	for _, l := range r.Recipients {
		var a RecordAgreement
		if l.Agreement != nil {
			a = *l.Agreement
		}
		var e RecordEmbargo
		if l.Embargo != nil {
			e = *l.Embargo
		}
		rows = append(rows, []string{
			r.ID, r.Kind, r.Subject, r.Title, at(&r.Said), r.By, r.Basis, string(r.Marking), string(decisions), r.NeedWhy, string(files), r.State, r.Reason, at(r.Recalled),
			l.Party, l.Name, yes[l.Entitled], l.Reason, yes[l.Need], number(uint64(a.Version)), a.Hash, number(uint64(a.Retention)), a.Onward, string(l.Marking), e.State, at(e.Until), number(l.Number), l.Hash,
			at(l.Delivered), at(l.Read), at(l.Acknowledged), l.Asked, at(l.AskedAt), number(l.AskedBy), at(l.Done), string(l.Receipt),
		})
	}
	return rows, nil
}

// With counts one more line.
func (t Tally) With(l Line) Tally {
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	count(&t.Entitled, l.Number > 0)
	count(&t.Refused, l.Number == 0)
	count(&t.Delivered, !l.Delivered.IsZero())
	count(&t.Read, !l.Read.IsZero())
	count(&t.Acknowledged, !l.Answered.IsZero())
	count(&t.Revised, l.Revise != "")
	count(&t.Done, !l.Acked.IsZero())
	return t
}
