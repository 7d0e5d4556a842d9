package exchange

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// snapshot is what a backup of a node holds of one partnership.
type snapshot struct {
	in, out Feed
	version int
	at      time.Time
}

// backup notes what a backup would hold.
func (s someone) backup(of someone) (m snapshot) {
	s.t.Helper()
	p := s.knows(of)
	time.Sleep(2 * time.Millisecond) // what is said from now on is later than this
	m = snapshot{in: p.In, out: p.Out, version: p.Agreement.Number, at: s.Service.now()}
	time.Sleep(2 * time.Millisecond)
	return m
}

// restore puts the node back to what a backup holds, and starts it anew.
func (s someone) restore(ctx context.Context, m snapshot) {
	s.t.Helper()
	party := m.in.Party
	ok(s.t, s.db.Write(ctx, s.org, func(tx *db.Tx) error {
		for _, f := range []Feed{m.in, m.out} {
			f.armed = time.Time{}
			if err := updateFeed(ctx, tx, s.org, f); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "DELETE FROM exchange_entry WHERE org = $1 AND party = $2 AND way = $3 AND number > $4", s.org, party, f.Way, int64(f.Number)); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "DELETE FROM exchange_entry_blob WHERE org = $1 AND party = $2 AND way = $3 AND number > $4", s.org, party, f.Way, int64(f.Number)); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "DELETE FROM exchange_agreement WHERE org = $1 AND party = $2 AND number > $3", s.org, party, m.version); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE exchange_ledger SET revise = '', revised_at = 0, recall = 0, recall_acked_at = 0 WHERE org = $1", s.org); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE exchange_statement SET state = 'said', why = '', recalled_at = 0 WHERE org = $1", s.org); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM exchange_ledger WHERE org = $1 AND statement IN (SELECT id FROM exchange_statement WHERE org = $1 AND at > $2)", s.org, db.Millis(m.at)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM exchange_statement WHERE org = $1 AND at > $2", s.org, db.Millis(m.at)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DELETE FROM journal_job WHERE org = $1", s.org)
		return err
	}))
	clear(s.metBy)
}

// titled gives the statement with a title, and its line for a partner.
func (s someone) titled(ctx context.Context, title string, to someone) (Statement, Line) {
	s.t.Helper()
	all, err := s.Statements(ctx, s.owner)
	ok(s.t, err)
	for _, st := range all {
		if st.Title != title {
			continue
		}
		st, lines, err := s.Statement(ctx, s.owner, st.ID)
		ok(s.t, err)
		for _, l := range lines {
			if l.Party == to.party() {
				return st, l
			}
		}
	}
	s.t.Fatalf("%s has not said %q", s.org, title)
	return Statement{}, Line{}
}

func titledPractice(title string) NewStatement {
	return NewStatement{Kind: entente.EntryPractice, Title: title, Marking: entente.Marking{TLP: entente.TLPGreen}, Body: json.RawMessage(`{"title":"` + title + `"}`)}
}

// A node that was put back from a backup gets back what it had said since, says after it
// what was said here meanwhile, and neither side goes into quarantine.
func TestRestoredFromABackup(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		say := func(title string) string {
			t.Helper()
			id, _, err := supplier.Say(ctx, supplier.owner, titledPractice(title))
			ok(t, err)
			return id
		}
		say("before")
		settle(supplier, buyer)
		m := supplier.backup(buyer)
		early, _ := supplier.titled(ctx, "before", buyer)
		say("lost")
		wrong := say("lost and wrong")
		settle(supplier, buyer)
		_, line := supplier.titled(ctx, "lost", buyer)
		ok(t, buyer.Acknowledge(ctx, buyer.owner, supplier.party(), line.Number))
		settle(buyer, supplier)
		ok(t, supplier.Recall(ctx, supplier.owner, wrong, "the wrong file"))
		ok(t, supplier.Narrow(ctx, supplier.owner, early.ID, entente.Marking{TLP: entente.TLPAmberStrict}, "it names a customer"))
		ok(t, supplier.Propose(ctx, supplier.owner, buyer.party(), func(a *entente.Agreement) { a.AnswerConcern = 24 }))
		settle(supplier, buyer)
		held := buyer.knows(supplier).In

		supplier.restore(ctx, m)
		ok(t, supplier.Fetch(ctx, supplier.owner, buyer.party())) // what the buyer said since is here before
		said := say("said after the restore")
		taken := say("said and taken back")
		ok(t, supplier.Recall(ctx, supplier.owner, taken, "too soon"))
		settle(supplier, buyer)
		if out := supplier.knows(buyer).Out; out.Quarantine.Blank() || out.Number <= m.out.Number {
			t.Fatalf("the supplier has not noticed that it was put back: %+v", out)
		}
		n, err := supplier.RegainAll(ctx, supplier.owner)
		if ok(t, err); n != 1 {
			t.Fatalf("it is asked back from %d", n)
		}
		for range 2 { // without the wait after an attempt that failed
			supplier.hurry(jobDeliver)
			buyer.hurry(jobDeliver)
			settle(supplier, buyer)
		}

		if in := buyer.knows(supplier).In; !in.Quarantine.Blank() || in.Number < held.Number+3 {
			t.Fatalf("what the buyer holds: %+v", in)
		}
		if out := supplier.knows(buyer).Out; !out.Quarantine.Blank() || out.Waiting() != 0 || out.Failures != 0 {
			t.Fatalf("where the supplier stands: %+v", out)
		}
		var st Statement
		st, line = supplier.titled(ctx, "lost", buyer)
		if !line.Allowed || line.Delivered.IsZero() || line.Answered.IsZero() || line.Number <= m.out.Number || line.Number > held.Number || st.Marking.TLP != entente.TLPGreen || st.By == "" {
			t.Errorf("what came back: %+v, %+v", st, line)
		}
		if st, line := supplier.titled(ctx, "said after the restore", buyer); st.ID != said || line.Number <= held.Number || line.Delivered.IsZero() {
			t.Errorf("what was said meanwhile: %+v, %+v", st, line)
		}
		if st, line := supplier.titled(ctx, "said and taken back", buyer); st.State != TakenBack || line.Acked.IsZero() {
			t.Errorf("what was taken back meanwhile: %+v, %+v", st, line)
		}
		if st, line := supplier.titled(ctx, "before", buyer); st.Marking.TLP != entente.TLPAmberStrict || line.Revise != ToNarrow {
			t.Errorf("what was narrowed: %+v, %+v", st, line)
		}
		inbox, err := buyer.Inbox(ctx, buyer.owner, InboxQuery{Kind: entente.EntryPractice})
		ok(t, err)
		states := map[EntryState]int{}
		for _, r := range inbox {
			states[r.State]++
		}
		if states[Standing] != 3 || states[Recalled] != 2 {
			t.Errorf("the buyer has %v", states)
		}
		for _, one := range []someone{supplier, buyer} {
			if _, err := one.VerifyFeeds(ctx, entente.System(one.org, entente.DoorCommand)); err != nil {
				t.Errorf("the feeds of %s: %v", one.org, err)
			}
		}
		// What came back can be taken back like all else, and the agreement be signed.
		ok(t, supplier.Recall(ctx, supplier.owner, st.ID, "it is old"))
		settle(supplier, buyer)
		if _, line := supplier.titled(ctx, "lost", buyer); line.Acked.IsZero() {
			t.Errorf("the recall of what came back: %+v", line)
		}
		versions, err := buyer.Versions(ctx, buyer.owner, supplier.party())
		ok(t, err)
		ok(t, buyer.Sign(ctx, buyer.owner, supplier.party(), entente.HashOf(versions[0].Envelope.Payload)))
		settle(buyer, supplier)
		if a := supplier.knows(buyer).Agreement; a.AnswerConcern != 24 || a.Number != m.version+1 {
			t.Errorf("the agreement: %+v", a)
		}
		back := 0
		ok(t, supplier.db.Read(ctx, supplier.events(ctx, func(e journal.Event) {
			if e.Kind == EventRegained {
				back++
			}
		})))
		if back == 0 {
			t.Error("the journal says nothing of it")
		}
	})
}

// A partner that asks first shows a restored node that it has forgotten something; until
// it has that back, it gives nothing that would fork its feed.
func TestRestoredAndAskedFirst(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		m := supplier.backup(buyer)
		for _, title := range []string{"one", "two"} {
			_, _, err := supplier.Say(ctx, supplier.owner, titledPractice(title))
			ok(t, err)
		}
		settle(supplier, buyer)
		supplier.restore(ctx, m)
		for _, title := range []string{"three", "four", "five"} {
			_, _, err := supplier.Say(ctx, supplier.owner, titledPractice(title))
			ok(t, err)
		}
		ok(t, buyer.Fetch(ctx, buyer.owner, supplier.party()))
		if in := buyer.knows(supplier).In; !in.Quarantine.Blank() {
			t.Fatalf("the buyer was given something else: %+v", in)
		}
		if supplier.knows(buyer).Out.Quarantine.Blank() {
			t.Fatal("the supplier has not seen that something is missing")
		}
		ok(t, supplier.Regain(ctx, supplier.owner, buyer.party()))
		settle(supplier, buyer)
		if in := buyer.knows(supplier).In; !in.Quarantine.Blank() || in.Number != m.out.Number+5 {
			t.Errorf("the buyer holds %+v", in)
		}
	})
}

// More than one request carries comes back, too; and where the end of the partnership was
// among it, nothing is said after it.
func TestMuchIsGivenBack(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		m := supplier.backup(buyer)
		const lost = batchEntries + 30
		for i := range lost {
			_, _, err := supplier.Say(ctx, supplier.owner, practice(i))
			ok(t, err)
		}
		settle(supplier, buyer)
		restore := func() (said, taken string) {
			t.Helper()
			supplier.restore(ctx, m)
			for _, into := range []*string{&said, &taken} {
				id, _, err := supplier.Say(ctx, supplier.owner, titledPractice("said meanwhile"))
				ok(t, err)
				*into = id
			}
			ok(t, supplier.Recall(ctx, supplier.owner, taken, "too soon"))
			ok(t, supplier.work())
			ok(t, supplier.Regain(ctx, supplier.owner, buyer.party()))
			return said, taken
		}
		said, taken := restore()
		settle(supplier, buyer)
		if in := buyer.knows(supplier).In; !in.Quarantine.Blank() || in.Number != m.out.Number+lost+3 {
			t.Fatalf("the buyer holds %+v", in)
		}
		for id, want := range map[string]uint64{said: 1, taken: 2} {
			_, lines, err := supplier.Statement(ctx, supplier.owner, id)
			ok(t, err)
			if l := lines[0]; l.Number != m.out.Number+lost+want || l.Recall != 0 && l.Recall != l.Number+1 {
				t.Errorf("the line of what was said meanwhile: %+v", l)
			}
		}
		held, err := buyer.Entry(ctx, buyer.owner, supplier.party(), m.out.Number+lost+2)
		if ok(t, err); held.State != Recalled {
			t.Errorf("what was taken back is %s", held.State)
		}
		if _, err := supplier.VerifyFeeds(ctx, entente.System(supplier.org, entente.DoorCommand)); err != nil {
			t.Error(err)
		}

		ok(t, supplier.End(ctx, supplier.owner, buyer.party(), "the contract has ended"))
		settle(supplier, buyer)
		ok(t, supplier.db.Write(ctx, supplier.org, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE exchange_partner SET state = 'active' WHERE org = $1", supplier.org)
			return err
		}))
		said, _ = restore()
		_, lines, err := supplier.Statement(ctx, supplier.owner, said)
		ok(t, err)
		if p := supplier.knows(buyer); p.State != Ended || p.Out.Waiting() != 0 || lines[0].Allowed || lines[0].Number != 0 {
			t.Errorf("after the end: %+v, %+v", p.Out, lines[0])
		}
	})
}

// Before a node says something for the first time after its start, it asks where the
// partner stands; not if the partner has shown that already.
func TestAsksOnceWhereAPartnerStands(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		say := func() {
			t.Helper()
			_, _, err := supplier.Say(ctx, supplier.owner, titledPractice("one more"))
			ok(t, err)
			settle(supplier, buyer)
		}
		say()
		var pushed atomic.Int64
		buyer.through(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == pathPush {
					pushed.Add(1)
				}
				next.ServeHTTP(w, r)
			})
		})
		clear(supplier.metBy)
		for i, want := range []int64{2, 1, 1} {
			if i == 2 {
				clear(supplier.metBy)
				ok(t, buyer.Fetch(ctx, buyer.owner, supplier.party()))
			}
			pushed.Store(0)
			if say(); pushed.Load() != want {
				t.Errorf("%d: it was pushed %d times, want %d", i, pushed.Load(), want)
			}
		}
	})
}

// What a partner gives back is believed only as far as we signed it, and in one piece
// with what we still have.
func TestGivenBackFalsely(t *testing.T) {
	eachNodes(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		m := supplier.backup(buyer)
		for _, title := range []string{"one", "two"} {
			_, _, err := supplier.Say(ctx, supplier.owner, titledPractice(title))
			ok(t, err)
		}
		settle(supplier, buyer)
		supplier.restore(ctx, m)
		var change atomic.Pointer[func(*GivenBack)]
		buyer.through(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != pathBack {
					next.ServeHTTP(w, r)
					return
				}
				answer, err := buyer.GiveBack(r.Context(), supplier.party(), buyer.party(), m.out.Number)
				if err != nil {
					t.Error(err)
				}
				(*change.Load())(&answer)
				_ = json.NewEncoder(w).Encode(answer)
			})
		})
		var signer entente.Signer
		ok(t, buyer.db.Read(ctx, buyer.readSigner(ctx, &signer)))
		for name, lie := range map[string]func(*GivenBack){
			"another body": func(g *GivenBack) {
				g.Entries[0].Entry.Payload = []byte(strings.Replace(string(g.Entries[0].Entry.Payload), "one", "eno", 1))
				g.Entries[0].Hash = entente.HashOf(g.Entries[0].Entry.Payload)
			},
			"signed by themselves": func(g *GivenBack) {
				e, err := entente.Sign(entente.EntryType, g.Entries[0].Entry.Payload, signer)
				if err != nil {
					t.Error(err)
				}
				g.Entries[0].Entry = &e
			},
			"one left out":  func(g *GivenBack) { g.Entries = g.Entries[1:] },
			"nothing":       func(g *GivenBack) { g.Entries = nil },
			"no receipt":    func(g *GivenBack) { g.Receipt = nil },
			"another hash":  func(g *GivenBack) { g.Entries[1] = entente.Kept{Hash: entente.HashOf([]byte("two"))} },
			"a wrong order": func(g *GivenBack) { g.Entries[0], g.Entries[1] = g.Entries[1], g.Entries[0] },
		} {
			change.Store(&lie)
			ok(t, buyer.Fetch(ctx, buyer.owner, supplier.party()))
			wants(t, entente.KindConflict, supplier.Regain(ctx, supplier.owner, buyer.party()))
			if out := supplier.knows(buyer).Out; out.Quarantine.Blank() || out.Number != m.out.Number {
				t.Fatalf("%s: %+v", name, out)
			}
		}
		honest := func(*GivenBack) {}
		change.Store(&honest)
		ok(t, supplier.Regain(ctx, supplier.owner, buyer.party()))
		if out := supplier.knows(buyer).Out; !out.Quarantine.Blank() || out.Number != m.out.Number+2 {
			t.Errorf("after all: %+v", out)
		}
		_, err := supplier.GiveBack(ctx, supplier.party(), entente.PartyID("ent1nobody"), 0)
		wants(t, entente.KindNotFound, err)
	})
}
