package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
)

// lineOf is what the ledger says of one recipient.
func (s someone) lineOf(id string, other someone) Line {
	s.t.Helper()
	_, lines, err := s.Statement(s.t.Context(), s.owner, id)
	ok(s.t, err)
	i := slices.IndexFunc(lines, func(l Line) bool { return l.Party == other.party() })
	if i < 0 {
		s.t.Fatalf("the ledger does not know %s", other.org)
	}
	return lines[i]
}

// heard is what somebody holds of another.
func (s someone) heard(from someone) []Received {
	s.t.Helper()
	list, err := s.Inbox(s.t.Context(), s.owner, InboxQuery{Party: from.party()})
	ok(s.t, err)
	return list
}

// three gives a supplier with two customers.
func three(t *testing.T, fn func(t *testing.T, supplier, buyer, other someone)) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		other := buyer.host("Brewfix")
		become(buyer, supplier)
		become(other, supplier)
		fn(t, supplier, buyer, other)
	})
}

// What is narrowed counts narrower for those who remain and is deleted by those who are
// dropped; both sign for it, and until they do, it stays open.
func TestNarrow(t *testing.T) {
	three(t, func(t *testing.T, supplier, buyer, other someone) {
		ctx := t.Context()
		id, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		settle(supplier, buyer, other)
		strict := entente.Marking{TLP: entente.TLPAmberStrict}
		wants(t, entente.KindInvalid, supplier.Narrow(ctx, supplier.owner, id, strict, "", "ent1nobody"))
		wants(t, entente.KindInvalid, supplier.Narrow(ctx, supplier.owner, id, entente.Marking{TLP: entente.TLPClear}, ""))
		wants(t, entente.KindInvalid, supplier.Narrow(ctx, supplier.owner, id, entente.Marking{TLP: entente.TLPGreen}, ""))
		ok(t, supplier.Narrow(ctx, supplier.owner, id, strict, "it names a customer", other.party()))
		if l := supplier.lineOf(id, other); l.Revise != ToRecall || !l.Open() || l.Recall == 0 || l.Revised.IsZero() {
			t.Errorf("who was dropped: %+v", l)
		}
		if n, err := supplier.Unconfirmed(ctx, supplier.owner); err != nil || n != 1 {
			t.Errorf("%d statements are open, %v", n, err)
		}
		settle(supplier, buyer, other, supplier)
		if l := supplier.lineOf(id, other); l.Open() {
			t.Errorf("who was dropped has signed: %+v", l)
		}
		if l := supplier.lineOf(id, buyer); l.Revise != ToNarrow || l.Open() {
			t.Errorf("who remains has signed: %+v", l)
		}
		if got := other.heard(supplier); got[0].State != Recalled || len(got[0].Body) > 0 {
			t.Errorf("the dropped one still holds %+v", got[0])
		}
		if got := buyer.heard(supplier); got[0].State != Standing || got[0].Marking.TLP != entente.TLPAmberStrict || !slices.Equal(got[0].Marking.Audience, []entente.PartyID{buyer.party()}) {
			t.Errorf("the other one holds %+v", got[0])
		}
		if st, _, err := supplier.Statement(ctx, supplier.owner, id); err != nil || st.State != Said || st.Marking.TLP != entente.TLPAmberStrict {
			t.Errorf("the statement: %+v %v", st, err)
		}
		if list, _, _, err := supplier.Ledger(ctx, supplier.owner, LedgerQuery{TLP: entente.TLPAmberStrict}); err != nil || len(list) != 1 {
			t.Errorf("the ledger by its narrower label: %+v %v", list, err)
		}
		// TLP:AMBER+STRICT never becomes TLP:AMBER.
		wants(t, entente.KindInvalid, supplier.Narrow(ctx, supplier.owner, id, entente.Marking{TLP: entente.TLPAmber}, ""))
		wants(t, entente.KindInvalid, supplier.Recall(ctx, supplier.owner, id, "", other.party()))
		ok(t, supplier.Recall(ctx, supplier.owner, id, "", buyer.party()))
		if st, _, err := supplier.Statement(ctx, supplier.owner, id); err != nil || st.State != TakenBack {
			t.Errorf("nobody holds it any more: %+v %v", st, err)
		}
		wants(t, entente.KindConflict, supplier.Recall(ctx, supplier.owner, id, ""))
	})
}

// Under a stricter label than the agreement lets travel, nobody keeps anything; what
// was only dropped from one stays as it is with the others.
func TestNarrowBeyondTheAgreement(t *testing.T) {
	three(t, func(t *testing.T, supplier, buyer, other someone) {
		ctx := t.Context()
		ok(t, buyer.Propose(ctx, buyer.owner, supplier.party(), func(a *entente.Agreement) {
			for i := range a.Shares {
				a.Shares[i].Default, a.Shares[i].Ceiling = entente.TLPGreen, entente.TLPGreen
			}
		}))
		settle(buyer, supplier)
		versions, err := supplier.Versions(ctx, supplier.owner, buyer.party())
		ok(t, err)
		ok(t, supplier.Sign(ctx, supplier.owner, buyer.party(), entente.HashOf(versions[0].Envelope.Payload)))
		settle(supplier, buyer)
		id, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		second, _, err := supplier.Say(ctx, supplier.owner, practice(2))
		ok(t, err)
		ok(t, supplier.Narrow(ctx, supplier.owner, id, entente.Marking{TLP: entente.TLPAmber}, ""))
		if a, b := supplier.lineOf(id, buyer).Revise, supplier.lineOf(id, other).Revise; a != ToRecall || b != ToNarrow {
			t.Errorf("above the ceiling of one: %s and %s", a, b)
		}
		ok(t, supplier.Recall(ctx, supplier.owner, second, "", other.party()))
		if a, b := supplier.lineOf(second, buyer).Revise, supplier.lineOf(second, other).Revise; a != "" || b != ToRecall {
			t.Errorf("taken back from one: %s and %s", a, b)
		}
		settle(supplier, buyer, other)
		if got := buyer.heard(supplier); len(got) != 2 || got[0].State != Standing || len(got[0].Marking.Audience) != 0 || got[1].State != Recalled {
			t.Errorf("one holds %+v", got)
		}
		// Who has ended the partnership cannot be told, and that stays to be seen.
		ok(t, buyer.End(ctx, buyer.owner, supplier.party(), ""))
		settle(buyer, supplier)
		ok(t, supplier.Recall(ctx, supplier.owner, second, ""))
		if l := supplier.lineOf(second, buyer); l.Revise != ToRecall || l.Recall != 0 || !l.Open() {
			t.Errorf("who cannot be told: %+v", l)
		}
		list, n, _, err := supplier.Ledger(ctx, supplier.owner, LedgerQuery{Open: OpenRevision})
		ok(t, err)
		if n != 1 || list[0].ID != second || list[0].Revised != 2 || list[0].Done != 1 {
			t.Errorf("what is open: %+v", list)
		}
	})
}

// An acknowledgement of what was asked first is none of what was asked later.
func TestAcknowledgementsAreOfWhatWasAsked(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		id, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		settle(supplier, buyer)
		m := entente.Marking{TLP: entente.TLPAmber}
		ok(t, supplier.Narrow(ctx, supplier.owner, id, m, ""))
		for i, next := range []func() error{
			func() error {
				m.TLP = entente.TLPAmberStrict
				return supplier.Narrow(ctx, supplier.owner, id, m, "")
			},
			func() error { return supplier.Recall(ctx, supplier.owner, id, "") },
		} {
			ok(t, supplier.work()) // the partner's answer is ready, and not under way yet
			ok(t, next())
			ok(t, buyer.work())
			if l := supplier.lineOf(id, buyer); !l.Open() {
				t.Errorf("%d: %+v counts as done", i, l)
			}
		}
		settle(supplier, buyer)
		if l := supplier.lineOf(id, buyer); l.Open() || l.Revise != ToRecall {
			t.Errorf("at the end: %+v", l)
		}
	})
}

// The ledger finds what was said by what it is, to whom it went and what is open.
func TestLedger(t *testing.T) {
	three(t, func(t *testing.T, supplier, buyer, other someone) {
		ctx := t.Context()
		first, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		second, _, err := supplier.Say(ctx, supplier.owner, NewStatement{
			Kind: entente.EntryAdvisory, Subject: "advisory/ROST-1", Title: "Roaster 100% open", Basis: "contract, clause 7", Marking: entente.Marking{TLP: entente.TLPAmber},
			Body: json.RawMessage(`{}`), To: []entente.PartyID{buyer.party()},
		})
		ok(t, err)
		ok(t, supplier.work())
		settle(supplier, buyer)
		for name, c := range map[string]struct {
			q    LedgerQuery
			want []string
		}{
			"all":              {LedgerQuery{}, []string{second, first}},
			"oldest first":     {LedgerQuery{Sort: SortSaid}, []string{first, second}},
			"by title":         {LedgerQuery{Sort: SortTitle}, []string{first, second}},
			"by label":         {LedgerQuery{Sort: SortLabel, Desc: true}, []string{second, first}},
			"one page":         {LedgerQuery{Limit: 1, Offset: 1}, []string{first}},
			"by words":         {LedgerQuery{Search: "100% OPEN"}, []string{second}},
			"by ground":        {LedgerQuery{Search: "clause 7"}, []string{second}},
			"by pattern":       {LedgerQuery{Search: "1%n"}, nil},
			"by kind":          {LedgerQuery{Kind: entente.EntryPractice}, []string{first}},
			"by label amber":   {LedgerQuery{TLP: entente.TLPAmber}, []string{second}},
			"by strict amber":  {LedgerQuery{TLP: entente.TLPAmberStrict}, nil},
			"by partner":       {LedgerQuery{Party: other.party()}, []string{first}},
			"by subject":       {LedgerQuery{Subject: "advisory/ROST-1"}, []string{second}},
			"taken back":       {LedgerQuery{State: TakenBack}, nil},
			"not acknowledged": {LedgerQuery{Open: OpenAcknowledge}, []string{second, first}},
		} {
			list, n, all, err := supplier.Ledger(ctx, supplier.owner, c.q)
			ok(t, err)
			var got []string
			for _, l := range list {
				got = append(got, l.ID)
			}
			if !slices.Equal(got, c.want) || all != 2 || c.q.Limit == 0 && n != len(c.want) {
				t.Errorf("%s: %v of %d of %d, want %v", name, got, n, all, c.want)
			}
		}
		list, _, _, err := supplier.Ledger(ctx, supplier.owner, LedgerQuery{Kind: entente.EntryAdvisory})
		ok(t, err)
		if want := (Tally{Entitled: 1, Refused: 1, Delivered: 1}); list[0].Tally != want {
			t.Errorf("counted %+v, want %+v", list[0].Tally, want)
		}
	})
}

// The record says on what ground, by whom and to whom something went, and proves it.
func TestRecord(t *testing.T) {
	three(t, func(t *testing.T, supplier, buyer, other someone) {
		ctx := t.Context()
		n := NewStatement{
			Kind: entente.EntryNote, Title: "What we agreed", Basis: "contract, clause 7", Marking: entente.Marking{TLP: entente.TLPAmber},
			Body: json.RawMessage(`{"text":"call desk@rosthof.example"}`), To: []entente.PartyID{buyer.party()},
		}
		for _, f := range Inspect(n, nil) {
			n.Decided = append(n.Decided, Decision{Finding: f, Reason: "she agreed"})
		}
		id, _, err := supplier.Say(ctx, supplier.owner, n)
		ok(t, err)
		ok(t, supplier.Embargo(ctx, supplier.owner, buyer.party(), supplier.subject(id), entente.EmbargoStep{Act: entente.ProposeEmbargo, Until: supplier.Service.now().Add(time.Hour)}))
		settle(supplier, buyer)
		ok(t, buyer.Acknowledge(ctx, buyer.owner, supplier.party(), 1))
		settle(buyer, supplier)
		r, err := supplier.Record(ctx, supplier.owner, id)
		ok(t, err)
		if r.Basis != "contract, clause 7" || r.By != supplier.owner.Name || len(r.Decisions) != 1 || r.Decisions[0].Kind != "personal" || len(r.Recipients) != 2 || strings.Contains(string(r.Marking), "desk@") {
			t.Fatalf("the record: %+v", r)
		}
		got, not := r.Recipients[0], r.Recipients[1]
		if got.Party != string(buyer.party()) {
			got, not = not, got
		}
		if !got.Entitled || got.Agreement == nil || got.Agreement.Version != 1 || got.Agreement.Retention == 0 || got.Embargo == nil || got.Embargo.State != "proposed" || got.Embargo.Until == nil ||
			got.Delivered == nil || got.Acknowledged == nil || got.Hash == "" || !strings.Contains(string(got.Marking), string(buyer.party())) {
			t.Errorf("who got it: %+v", got)
		}
		var receipt entente.Envelope
		ok(t, json.Unmarshal(got.Receipt, &receipt))
		if proof, err := entente.ReadReceipt(receipt, supplier.knows(buyer).Ring); err != nil || proof.Number < got.Number {
			t.Errorf("the receipt proves %+v, %v", proof, err)
		}
		if not.Entitled || not.Reason != "You did not choose them." || not.Hash != "" || not.Receipt != nil {
			t.Errorf("who did not: %+v", not)
		}
		rows, err := r.Rows()
		ok(t, err)
		if len(rows) != 2 || len(rows[0]) != len(RecordHeads) {
			t.Errorf("as a table: %d rows of %d", len(rows), len(rows[0]))
		}
	})
}

// To say who got something and what became of it there, the database is asked as often
// for many as for two.
func TestRecordAsksNoMoreForMany(t *testing.T) {
	var ways atomic.Int64
	supplier := newHouse(t, dbtest.Open(t, db.Config{Postgres: dbtest.Counted(t, dbtest.PostgresConfig(t).Postgres, &ways), MaxConns: 1})).host("Rosthof")
	ctx, few, many := t.Context(), practice(1), practice(2)
	const others = 10
	for i := range others {
		other := supplier.host(fmt.Sprintf("Roastery %d", i))
		become(other, supplier)
		many.To = append(many.To, other.party())
	}
	few.To = many.To[:2]
	asked := map[string]int64{}
	for name, n := range map[string]NewStatement{"few": few, "many": many} {
		id, _, err := supplier.Say(ctx, supplier.owner, n)
		ok(t, err)
		n.Subject = supplier.subject(id)
		for _, p := range n.To {
			ok(t, supplier.Embargo(ctx, supplier.owner, p, n.Subject, entente.EmbargoStep{Act: entente.ProposeEmbargo, Until: supplier.Service.now().Add(time.Hour)}))
		}
		for what, ask := range map[string]func() error{
			"the record of ":    func() error { _, err := supplier.Record(ctx, supplier.owner, id); return err },
			"the statement to ": func() error { _, _, err := supplier.Statement(ctx, supplier.owner, id); return err },
			"the embargoes of ": func() error { _, err := supplier.Embargoes(ctx, supplier.owner, n.Subject); return err },
			"the preview for ":  func() error { _, err := supplier.Preview(ctx, supplier.owner, n); return err },
		} {
			ok(t, ask()) // which prepares what is asked
			before := ways.Load()
			ok(t, ask())
			asked[what+name] = ways.Load() - before
		}
	}
	for _, what := range []string{"the record of ", "the statement to ", "the embargoes of ", "the preview for "} {
		// The end of what was asked before may be counted too.
		if asked[what+"few"] == 0 || asked[what+"many"] > asked[what+"few"]+2 {
			t.Errorf("%sfew asks %d times, %smany %d times", what, asked[what+"few"], what, asked[what+"many"])
		}
	}
}

// SQLite finds embargoes without looking at what else was said.
func TestEmbargoesAreFoundByKey(t *testing.T) {
	d, q := dbtest.SQLite(t), func() *db.Query { return db.Select("EXPLAIN QUERY PLAN "+embargoSteps, "us") }
	for name, c := range map[string]struct {
		q    *db.Query
		want string
	}{
		"all":                      {q(), "SEARCH k USING COVERING INDEX exchange_entry_embargo (org=? AND kind=? AND state=?)"},
		"about a subject":          {q().And("k.subject = $1", "s"), "SEARCH k USING COVERING INDEX exchange_entry_embargo (org=? AND kind=? AND state=? AND subject=?)"},
		"about a subject with one": {q().And("k.party = $1 AND k.subject = $2", "p", "s"), "SEARCH k USING COVERING INDEX exchange_entry_embargo (org=? AND kind=? AND state=? AND subject=? AND party=?)"},
	} {
		var plan []string
		ok(t, d.Read(t.Context(), func(tx *db.Tx) error {
			return db.EachOf(t.Context(), tx, c.q.Order(embargoOrder), func(row db.Scanner) error {
				var id, parent, unused int
				var text string
				err := row.Scan(&id, &parent, &unused, &text)
				plan = append(plan, text)
				return err
			})
		}))
		if !slices.Contains(plan, c.want) || !slices.Contains(plan, "SEARCH e USING PRIMARY KEY (org=? AND party=? AND way=? AND number=?)") {
			t.Errorf("%s: the plan is %q", name, plan)
		}
	}
}

func (s someone) subject(id string) string {
	s.t.Helper()
	st, _, err := s.Statement(s.t.Context(), s.owner, id)
	ok(s.t, err)
	return st.Subject
}

// Both sides list the embargo, and whoever is to answer knows it.
func TestEmbargoesOfBothSides(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		until := supplier.Service.now().Add(time.Hour)
		ok(t, supplier.Embargo(ctx, supplier.owner, buyer.party(), "advisory/A", entente.EmbargoStep{Act: entente.ProposeEmbargo, Until: until}))
		settle(supplier, buyer)
		theirs, err := buyer.Embargoes(ctx, buyer.owner, "")
		ok(t, err)
		ours, err := supplier.Embargoes(ctx, supplier.owner, "")
		ok(t, err)
		if len(theirs) != 1 || len(ours) != 1 || !theirs[0].Ours() || ours[0].Ours() || theirs[0].Name != "Rosthof" || theirs[0].Subject != "advisory/A" {
			t.Errorf("%+v and %+v", ours, theirs)
		}
		ok(t, buyer.Embargo(ctx, buyer.owner, supplier.party(), "advisory/A", entente.EmbargoStep{Act: entente.AcceptEmbargo}))
		theirs, err = buyer.Embargoes(ctx, buyer.owner, "")
		ok(t, err)
		if theirs[0].Ours() || theirs[0].Over(until.Add(-time.Minute)) || !theirs[0].Over(until) {
			t.Errorf("accepted: %+v", theirs[0])
		}
	})
}

// An embargo about a statement is proposed to all who are chosen of those who hold it, or
// to none; each answers for itself.
func TestEmbargoWithSeveral(t *testing.T) {
	three(t, func(t *testing.T, supplier, buyer, other someone) {
		ctx, until := t.Context(), supplier.Service.now().Add(time.Hour)
		both := []entente.PartyID{buyer.party(), other.party()}
		id, _, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		one, _, err := supplier.Say(ctx, supplier.owner, func() NewStatement { n := practice(2); n.To = both[:1]; return n }())
		ok(t, err)
		states := func(of string) (all []string) {
			t.Helper()
			for _, s := range []someone{buyer, other} {
				e, err := supplier.EmbargoOf(ctx, supplier.owner, s.party(), supplier.subject(of))
				ok(t, err)
				all = append(all, string(e.State))
			}
			return all
		}
		propose := func(of string, to []entente.PartyID, until time.Time) error {
			return supplier.ProposeEmbargo(ctx, supplier.owner, of, to, until, "until the fix is out")
		}
		wants(t, entente.KindInvalid, propose(id, nil, until))
		wants(t, entente.KindInvalid, propose(id, both, supplier.Service.now()))
		wants(t, entente.KindInvalid, propose(one, both, until)) // one of them did not get it
		wants(t, entente.KindNotFound, propose("nothing", both, until))
		wants(t, entente.KindTooLarge, supplier.ProposeEmbargo(ctx, supplier.owner, id, both, until, strings.Repeat("x", entente.MaxMarkingText+1)))
		wants(t, entente.KindDenied, supplier.ProposeEmbargo(ctx, supplier.as(entente.RoleBusinessOwner), id, both, until, ""))
		ok(t, supplier.Embargo(ctx, supplier.owner, both[1], supplier.subject(one), entente.EmbargoStep{Act: entente.ProposeEmbargo, Until: until}))
		if got := states(one); !slices.Equal(got, []string{"", "proposed"}) {
			t.Errorf("after what was refused: %q", got)
		}
		ok(t, propose(id, append(both, both...), until))
		settle(supplier, buyer, other)
		if got := states(id); !slices.Equal(got, []string{"proposed", "proposed"}) {
			t.Errorf("proposed to both: %q", got)
		}
		for _, s := range []someone{buyer, other} {
			theirs, err := s.EmbargoOf(ctx, s.owner, supplier.party(), supplier.subject(id))
			ok(t, err)
			if !theirs.Ours() || len(theirs.Steps) != 1 || theirs.Steps[0].Step.Reason != "until the fix is out" {
				t.Errorf("%s was asked %+v", s.org, theirs)
			}
		}
		ok(t, buyer.Embargo(ctx, buyer.owner, supplier.party(), supplier.subject(id), entente.EmbargoStep{Act: entente.AcceptEmbargo}))
		ok(t, other.Embargo(ctx, other.owner, supplier.party(), supplier.subject(id), entente.EmbargoStep{Act: entente.RefuseEmbargo}))
		settle(supplier, buyer, other)
		if got := states(id); !slices.Equal(got, []string{"running", "refused"}) {
			t.Errorf("accepted by one: %q", got)
		}
		// With one of them there is an embargo already: nobody is asked, and it is said why.
		err = propose(id, both, until)
		wants(t, entente.KindConflict, err)
		if err == nil || !strings.Contains(err.Error(), supplier.knows(buyer).Name) {
			t.Errorf("nobody was asked: %v", err)
		}
		if got := states(id); !slices.Equal(got, []string{"running", "refused"}) {
			t.Errorf("after a proposal to nobody: %q", got)
		}
		ok(t, propose(id, both[1:], until))
		// Who was told to delete it is not asked any more.
		ok(t, supplier.Recall(ctx, supplier.owner, one, "", both[0]))
		wants(t, entente.KindInvalid, propose(one, both[:1], until))
		if n := supplier.countEvents(EventEmbargoStep); n != 4 {
			t.Errorf("the journal tells of %d steps", n)
		}
	})
}

// countEvents counts events of one kind in the journal of the organisation.
func (s someone) countEvents(kind journal.Kind) (n int) {
	s.t.Helper()
	ok(s.t, s.db.Read(s.t.Context(), s.events(s.t.Context(), func(e journal.Event) {
		if e.Kind == kind {
			n++
		}
	})))
	return n
}

// A file tells of each of its lines what became of it.
func TestLinesOfAFile(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		supplier.through(nobodyHome)
		buyer.through(nobodyHome)
		b, err := supplier.PutBlob(ctx, supplier.owner, "a.txt", "text/plain", strings.NewReader("beans"))
		ok(t, err)
		s := practice(1)
		s.Blobs = []entente.Blob{b}
		_, _, err = supplier.Say(ctx, supplier.owner, s)
		ok(t, err)
		_, _, err = supplier.Say(ctx, supplier.owner, practice(2))
		ok(t, err)
		var file bytes.Buffer
		ok(t, supplier.ExportFile(ctx, supplier.owner, buyer.party(), &file))
		lines := strings.SplitAfter(file.String(), "\n")
		results := func(text string) (all []LineResult, done Imported) {
			t.Helper()
			done, err := buyer.ImportFile(ctx, buyer.owner, strings.NewReader(text))
			ok(t, err)
			for _, l := range done.Lines {
				all = append(all, l.Result)
			}
			return all, done
		}
		if got, done := results(lines[0] + lines[3]); !slices.Equal(got, []LineResult{LineRefused}) || done.Refused == "" || done.Lines[0].Number != 2 || done.Lines[0].Line != 2 || done.Lines[0].Why.Blank() {
			t.Errorf("the second entry alone: %v %+v", got, done)
		}
		if got, done := results(lines[0] + lines[1] + "{\"dream\":1}\n" + lines[2] + lines[3]); !slices.Equal(got, []LineResult{LineTaken, LinePassed, LineTaken, LineTaken}) || done.Entries != 2 || done.Files != 1 {
			t.Errorf("with a line of a later version: %v %+v", got, done)
		}
		if got, done := results(file.String()); !slices.Equal(got, []LineResult{LineKnown, LineKnown, LineKnown}) || done.Entries != 0 || done.Known != 2 || done.Refused != "" {
			t.Errorf("again: %v %+v", got, done)
		}
		if got, done := results(lines[0] + "hello\n" + lines[1]); !slices.Equal(got, []LineResult{LineRefused}) || done.Refused == "" || done.Lines[0].Line != 2 {
			t.Errorf("a line that is none: %v %+v", got, done)
		}
	})
}

func nobodyHome(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
}

// Contacts are told to all partners; one whose agreement is over hinders nothing.
func TestContacts(t *testing.T) {
	three(t, func(t *testing.T, supplier, buyer, other someone) {
		ctx := t.Context()
		party := other.party()
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
			versions, err := versionsOf(ctx, tx, supplier.org, party)
			ok(t, err)
			a, err := versions[0].Agreement()
			ok(t, err)
			a.Until = supplier.Service.now().Add(-time.Minute)
			versions[0].Envelope.Payload, err = json.Marshal(a)
			ok(t, err)
			return updateAgreement(ctx, tx, supplier.org, party, versions[0])
		}))
		desk := []entente.Contact{{Name: " Security  desk ", Email: "desk@rosthof.example", Role: "security"}}
		wants(t, entente.KindInvalid, supplier.SetContacts(ctx, supplier.owner, []entente.Contact{{Name: "Nobody"}}))
		wants(t, entente.KindTooLarge, supplier.SetContacts(ctx, supplier.owner, make([]entente.Contact, entente.MaxContacts+1)))
		ok(t, supplier.SetContacts(ctx, supplier.owner, desk))
		ok(t, supplier.SetContacts(ctx, supplier.owner, []entente.Contact{{Name: "Security desk", Email: "desk@rosthof.example", Role: "security"}}))
		settle(supplier, buyer)
		p := buyer.knows(supplier)
		if len(p.Contacts) != 1 || p.Contacts[0].Name != "Security desk" || p.In.Number != 1 {
			t.Errorf("the partner knows %+v after %d entries", p.Contacts, p.In.Number)
		}
		if self := mustSelf(supplier); len(self.Contacts) != 1 {
			t.Errorf("we know %+v", self.Contacts)
		}
		wants(t, entente.KindDenied, supplier.SetContacts(ctx, supplier.as(entente.RoleAnalyst), desk))
		ok(t, supplier.Rotate(ctx, supplier.owner, "", false))
	})
}

// Whoever names keys that nobody knows cannot make a node ask others at will.
func TestUnknownKeysAreAskedForOnceInAWhile(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		var asked atomic.Int64
		supplier.through(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, pathParty) {
					asked.Add(1)
				}
				next.ServeHTTP(w, r)
			})
		})
		stranger := newHouse(t, dbtest.SQLite(t)).host("Mallory")
		_ = stranger.party()
		push := func() int {
			t.Helper()
			body, err := json.Marshal(pushBody{From: supplier.party(), To: buyer.party()})
			ok(t, err)
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, buyer.server.URL+pathPush, bytes.NewReader(body))
			ok(t, signRequest(r, body, stranger.signer(ctx), buyer.Service.now()))
			w := httptest.NewRecorder()
			buyer.Door().ServeHTTP(w, r)
			return w.Code
		}
		for range 20 {
			if code := push(); code != http.StatusUnauthorized {
				t.Fatalf("a stranger's request: %d", code)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("the partner was asked %d times", n)
		}
		buyer.later(2 * askAgain)
		push()
		if n := asked.Load(); n != 2 {
			t.Errorf("after a while, it was asked %d times", n)
		}
		// A new key is found out all the same.
		buyer.later(2 * askAgain)
		ok(t, supplier.Rotate(ctx, supplier.owner, "", true))
		settle(supplier)
		if len(buyer.knows(supplier).Ring.Keys) != 2 {
			t.Errorf("the new key did not arrive: %s", supplier.knows(buyer).Out.Error)
		}
	})
}

// signer signs for the organisation.
func (s someone) signer(ctx context.Context) (signer entente.Signer) {
	s.t.Helper()
	ok(s.t, s.db.Read(ctx, s.readSigner(ctx, &signer)))
	return signer
}

// A node without a key of its own says so, and what to do.
func TestNodeWithoutAKey(t *testing.T) {
	d := dbtest.SQLite(t)
	people, err := identity.New(t.Context(), d, identity.Config{Cost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1}, Log: quiet})
	ok(t, err)
	h := &house{t: t, people: people, Service: New(d, people, Config{Key: seal.Key{}, Origin: "https://entente.example", Log: quiet})}
	s := h.host("Beanline")
	_, err = s.Self(t.Context(), s.owner)
	if entente.KindOf(err) != entente.KindConflict || !strings.Contains(err.Error(), "--data") {
		t.Errorf("its key: %v", err)
	}
	wants(t, entente.KindConflict, s.MoveOut(t.Context(), s.owner, "nineteen grey herons", io.Discard))
	wants(t, entente.KindConflict, s.MoveIn(t.Context(), s.owner, "nineteen grey herons", strings.NewReader("")))
	wants(t, entente.KindConflict, s.Rotate(t.Context(), s.owner, "", false))
}

// The rooms of the new node hear what partners said, and what was missing is fetched.
func TestRoomsHearOfASeat(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		_, _, err := buyer.Say(ctx, buyer.owner, practice(1))
		ok(t, err)
		settle(buyer, supplier)
		from := buyer.party()
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
			_, err := supplier.Settle(ctx, tx, supplier.owner, from, 1, OutcomeTaken, entente.Say("%s", "here"))
			return err
		}))
		ok(t, supplier.SetContacts(ctx, supplier.owner, []entente.Contact{{Name: "Desk", Phone: "+49 1"}}))
		wants(t, entente.KindConflict, supplier.Stay(ctx, supplier.owner))
		var file bytes.Buffer
		ok(t, supplier.MoveOut(ctx, supplier.owner, "nineteen grey herons", &file))
		held, err := supplier.Holding(ctx, supplier.owner)
		ok(t, err)
		if held.Moved.IsZero() || held.Partners != 1 || held.Heard != 1 || held.Said == 0 {
			t.Errorf("the seat holds %+v", held)
		}
		own := newHouse(t, dbtest.SQLite(t)).host("Rösthof AG")
		_, open, err := own.Invite(ctx, own.owner, NewInvitation{Name: "x", Terms: StandardTerms(true, false, own.Service.now())})
		ok(t, err)
		ok(t, own.MoveIn(ctx, own.owner, "nineteen grey herons", bytes.NewReader(file.Bytes())))
		if got := own.heard(buyer); len(got) != 1 || got[0].Outcome != "" {
			t.Errorf("the new node holds %+v", got)
		}
		if self := mustSelf(own); len(self.Contacts) != 1 {
			t.Errorf("the contacts after the move: %+v", self.Contacts)
		}
		list, err := own.Invitations(ctx, own.owner)
		ok(t, err)
		if len(list) != 1 || list[0].ID != open.ID || list[0].State != InvitationWithdrawn {
			t.Errorf("the invitations under the old key: %+v", list)
		}
		heard := 0
		ok(t, own.db.Read(ctx, own.events(ctx, func(e journal.Event) {
			if e.Kind == EventReceived {
				heard++
			}
		})))
		if heard != 1 {
			t.Errorf("the rooms were told of %d entries", heard)
		}
	})
}

// A peer whose narrower marking names only others has taken the entry back, whatever it
// calls that.
func TestNarrowedForOthers(t *testing.T) {
	three(t, func(t *testing.T, supplier, buyer, other someone) {
		ctx := t.Context()
		id, lines, err := supplier.Say(ctx, supplier.owner, practice(1))
		ok(t, err)
		settle(supplier, buyer, other)
		line, to, others := supplier.lineOf(id, buyer), buyer.party(), entente.Marking{TLP: entente.TLPAmber, Audience: []entente.PartyID{other.party()}}
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
			p, self, signer, err := supplier.with(ctx, tx, to)
			if err != nil {
				return err
			}
			sent, err := readEntry(ctx, tx, supplier.org, to, Out, line.Number)
			if err != nil {
				return err
			}
			body, err := encode(aboutBody{Number: sent.Number, Hash: sent.Hash, Marking: &others})
			if err != nil {
				return err
			}
			line.Revise, line.Revised = ToNarrow, supplier.Service.now()
			if line.Recall, err = supplier.tell(ctx, tx, self, signer, p, entente.EntryNarrow, sent.Subject, body); err != nil {
				return err
			}
			return updateRevision(ctx, tx, supplier.org, id, line)
		}))
		settle(supplier, buyer, other, supplier)
		if got := buyer.heard(supplier); len(lines) == 0 || got[0].State != Recalled || len(got[0].Body) > 0 || got[0].Title != "" {
			t.Errorf("who is left out still holds %+v", got[0])
		}
		if l := supplier.lineOf(id, buyer); l.Open() {
			t.Errorf("who deleted it has signed for that: %+v", l)
		}
	})
}
