package exchange

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// trade is three organisations in a row, maker supplies seller supplies customer, and
// an aside that supplies seller too.
func trade(t *testing.T, d *db.DB) (maker, seller, customer, aside someone) {
	h := newHouse(t, d)
	maker, seller, customer, aside = h.host("Maker"), h.host("Seller"), h.host("Customer"), h.host("Aside")
	become(seller, maker)
	become(customer, seller)
	become(seller, aside)
	return maker, seller, customer, aside
}

// has gives the one entry of a kind that somebody has from another.
func (s someone) has(from someone, kind entente.EntryKind) Received {
	s.t.Helper()
	list, err := s.Inbox(s.t.Context(), s.owner, InboxQuery{Party: from.party(), Kind: kind})
	ok(s.t, err)
	if len(list) != 1 {
		s.t.Fatalf("%s has %d entries of kind %s from %s", s.org, len(list), kind, from.org)
	}
	return list[0]
}

func (s someone) says(n NewStatement) string {
	s.t.Helper()
	id, _, err := s.Say(s.t.Context(), s.owner, n)
	ok(s.t, err)
	return id
}

var backups = json.RawMessage(`{"title":"Backups","text":"Restore one every month."}`)

// What a label lets go on goes on by a person's decision, with its originator and its
// marking; what it does not stays, and it is said why.
func TestPassingOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		maker, seller, customer, aside := trade(t, d)
		ctx := t.Context()
		say := func(m entente.Marking, everyone bool) EntryRef {
			n := NewStatement{Kind: entente.EntryPractice, Title: "Backups", Body: backups, Marking: m}
			if !everyone {
				n.To = []entente.PartyID{seller.party()}
			}
			_, lines, err := maker.Say(ctx, maker.owner, n)
			ok(t, err)
			settle(maker, seller)
			return EntryRef{maker.party(), lines[0].Number}
		}
		lineOf := func(c PassChoice, of someone) PassLine {
			i := slices.IndexFunc(c.Lines, func(l PassLine) bool { return l.Party == of.party() })
			return c.Lines[i]
		}

		amber := say(entente.Marking{TLP: entente.TLPAmber}, false)
		c, err := seller.Passable(ctx, seller.owner, amber)
		ok(t, err)
		if l := lineOf(c, customer); l.Allowed || !l.Asks {
			t.Errorf("AMBER to a customer needs a decision: %+v", l)
		}
		if l := lineOf(c, aside); l.Allowed || l.Asks || !strings.Contains(l.Reason.String(), "customers only") {
			t.Errorf("AMBER to a supplier: %+v", l)
		}
		if l := lineOf(c, maker); l.Allowed || l.Asks || !strings.Contains(l.Reason.String(), "from them") {
			t.Errorf("back to its sender: %+v", l)
		}
		_, _, err = seller.PassOn(ctx, seller.owner, amber, Passing{To: []entente.PartyID{customer.party()}})
		wants(t, entente.KindInvalid, err)
		_, _, err = seller.PassOn(ctx, seller.owner, amber, Passing{To: []entente.PartyID{aside.party()}, Why: "they ask"})
		wants(t, entente.KindDenied, err)
		id, lines, err := seller.PassOn(ctx, seller.owner, amber, Passing{To: []entente.PartyID{customer.party(), aside.party()}, Why: "it is in what we deliver to them"})
		ok(t, err)
		for _, l := range lines {
			if l.Allowed != (l.Party == customer.party()) {
				t.Errorf("passed on: %+v", l)
			}
		}
		st, _, err := seller.Statement(ctx, seller.owner, id)
		ok(t, err)
		if st.NeedWhy != "it is in what we deliver to them" || st.Of != amber {
			t.Errorf("what was decided is kept as %+v", st)
		}
		settle(seller, customer)
		got := customer.has(seller, entente.EntryPractice)
		if got.Originator != maker.party() || got.Marking.TLP != entente.TLPAmber || got.State != Standing || got.Title != "Backups" || string(got.Body) != string(backups) {
			t.Errorf("the customer has %+v", got)
		}
		_, _, err = seller.PassOn(ctx, seller.owner, amber, Passing{To: []entente.PartyID{customer.party()}, Why: "again"})
		wants(t, entente.KindDenied, err)

		green := say(entente.Marking{TLP: entente.TLPGreen, NoAttribution: true}, true)
		c, err = seller.Passable(ctx, seller.owner, green)
		ok(t, err)
		if !lineOf(c, customer).Allowed || !lineOf(c, aside).Allowed {
			t.Errorf("GREEN goes to partners: %+v", c.Lines)
		}
		_, _, err = seller.PassOn(ctx, seller.owner, green, Passing{To: []entente.PartyID{aside.party()}})
		ok(t, err)
		settle(seller, aside)
		if got := aside.has(seller, entente.EntryPractice); got.Originator != "" || !got.Withheld || got.State != Standing {
			t.Errorf("the originator who does not want to be named: %+v", got)
		}

		for _, m := range []entente.Marking{{TLP: entente.TLPAmberStrict}, {TLP: entente.TLPRed, People: []string{"seller@example.com"}}} {
			if m.TLP == entente.TLPRed {
				m.Audience = []entente.PartyID{seller.party()}
			}
			strict := say(m, false)
			c, err := seller.Passable(ctx, seller.owner, strict)
			ok(t, err)
			for _, l := range c.Lines {
				if l.Allowed || l.Asks {
					t.Errorf("%s goes on to %s", m.TLP, l.Name)
				}
			}
			_, _, err = seller.PassOn(ctx, seller.owner, strict, Passing{To: []entente.PartyID{customer.party()}, Why: "please"})
			wants(t, entente.KindDenied, err)
		}
		soon := say(entente.Marking{TLP: entente.TLPGreen, Embargo: maker.Service.now().Add(time.Hour)}, true)
		c, err = seller.Passable(ctx, seller.owner, soon)
		ok(t, err)
		if l := lineOf(c, customer); l.Allowed || l.Asks || !strings.Contains(l.Reason.String(), "embargo") {
			t.Errorf("under embargo: %+v", l)
		}
	})
}

// Who takes something back reaches those who have it from others, and who narrows it.
func TestRecallReachesThoseItWasPassedOnTo(t *testing.T) {
	eachRow := func(name string, marking entente.Marking, revise func(maker someone, id string), state EntryState, narrowed bool) {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				maker, seller, customer, _ := trade(t, d)
				id := maker.says(NewStatement{Kind: entente.EntryPractice, Title: "Backups", Body: backups, Marking: marking, Everyone: true})
				settle(maker, seller)
				e := seller.has(maker, entente.EntryPractice)
				passed, _, err := seller.PassOn(t.Context(), seller.owner, EntryRef{e.Party, e.Number}, Passing{To: []entente.PartyID{customer.party()}, Why: "they need it"})
				ok(t, err)
				settle(seller, customer)
				revise(maker, id)
				settle(maker, seller, customer, seller)
				got := customer.has(seller, entente.EntryPractice)
				if got.State != state || got.Narrowed != narrowed || (state == Recalled) != (len(got.Body) == 0) {
					t.Errorf("the customer has %+v", got)
				}
				_, lines, err := seller.Statement(t.Context(), seller.owner, passed)
				ok(t, err)
				i := slices.IndexFunc(lines, func(l Line) bool { return l.Party == customer.party() })
				if lines[i].Recall == 0 || lines[i].Acked.IsZero() {
					t.Errorf("the ledger of who passed it on: %+v", lines[i])
				}
			})
		})
	}
	amber := entente.Marking{TLP: entente.TLPAmber}
	eachRow("recalled", amber, func(maker someone, id string) {
		ok(maker.t, maker.Recall(maker.t.Context(), maker.owner, id, "it was wrong"))
	}, Recalled, false)
	eachRow("narrowed within what the customer may have", amber, func(maker someone, id string) {
		m := amber
		m.Expires = maker.Service.now().Add(24 * time.Hour)
		ok(maker.t, maker.Narrow(maker.t.Context(), maker.owner, id, m, "for a day"))
	}, Standing, true)
	eachRow("narrowed beyond", amber, func(maker someone, id string) {
		ok(maker.t, maker.Narrow(maker.t.Context(), maker.owner, id, entente.Marking{TLP: entente.TLPAmberStrict}, "for you alone"))
	}, Recalled, false)
}

// A concern has a date, both sides see the thread, and an answer ends the waiting.
func TestConcerns(t *testing.T) {
	eachPair(t, func(t *testing.T, buyer, supplier someone) {
		ctx := t.Context()
		become(buyer, supplier)
		due := buyer.Service.now().Add(-time.Hour).Truncate(time.Second)
		body, err := json.Marshal(entente.Concern{Title: "Who holds the keys?", Text: "Tell us.", AnswerBy: due})
		ok(t, err)
		buyer.says(NewStatement{Kind: entente.EntryConcern, Title: "Who holds the keys?", Body: body, To: []entente.PartyID{supplier.party()}, Marking: entente.Marking{TLP: entente.TLPAmberStrict}})
		settle(buyer, supplier)
		waits := func(s someone) Waiting {
			w, err := s.Waits(ctx, s.owner)
			ok(t, err)
			return w
		}
		if w := waits(supplier); w != (Waiting{Unread: 1, Answer: 1, Overdue: 1}) {
			t.Errorf("the supplier: %+v", w)
		}
		if w := waits(buyer); w != (Waiting{Theirs: 1, TheirsLate: 1}) {
			t.Errorf("the buyer: %+v", w)
		}
		for _, s := range []someone{buyer, supplier} {
			list, err := s.Concerns(ctx, s.owner)
			ok(t, err)
			if len(list) != 1 || !list[0].Overdue(due.Add(time.Second)) || list[0].Overdue(due) {
				t.Errorf("%s lists %+v", s.org, list)
			}
		}
		c := supplier.has(buyer, entente.EntryConcern)
		if !c.Due.Equal(due) || c.Title != "Who holds the keys?" {
			t.Errorf("the concern: %+v", c)
		}
		n, err := supplier.AnswerTo(ctx, supplier.owner, EntryRef{c.Party, c.Number}, "Two people, in a safe.")
		ok(t, err)
		supplier.says(n)
		settle(supplier, buyer)
		if w := waits(supplier); w.Answer != 0 || w.Overdue != 0 {
			t.Errorf("answered, at the supplier: %+v", w)
		}
		if w := waits(buyer); w.Theirs != 0 || w.TheirsLate != 0 || w.Unread != 1 {
			t.Errorf("answered, at the buyer: %+v", w)
		}
		a := buyer.has(supplier, entente.EntryAnswer)
		n, err = buyer.AnswerTo(ctx, buyer.owner, EntryRef{a.Party, a.Number}, "Thank you.")
		ok(t, err)
		buyer.says(n)
		settle(buyer, supplier)
		for _, pair := range [][2]someone{{buyer, supplier}, {supplier, buyer}} {
			s, other := pair[0], pair[1]
			thread, err := s.Thread(ctx, s.owner, other.party(), c.Subject)
			ok(t, err)
			if len(thread) != 3 || thread[0].Kind != entente.EntryConcern || (thread[0].Way == Out) != (s.org == buyer.org) || thread[2].Kind != entente.EntryAnswer {
				t.Errorf("%s sees %+v", s.org, thread)
			}
			list, err := s.Concerns(ctx, s.owner)
			ok(t, err)
			if len(list) != 1 || list[0].Reply.IsZero() || list[0].Overdue(due.Add(time.Second)) {
				t.Errorf("%s lists %+v", s.org, list)
			}
		}
		wrong := supplier.says(NewStatement{Kind: entente.EntryPractice, Title: "Backups", Body: backups, Marking: entente.Marking{TLP: entente.TLPGreen}})
		_, lines, err := supplier.Statement(ctx, supplier.owner, wrong)
		ok(t, err)
		settle(supplier, buyer)
		_, err = buyer.AnswerTo(ctx, buyer.owner, EntryRef{supplier.party(), lines[0].Number}, "Thanks")
		wants(t, entente.KindConflict, err)
	})
}

// An inbox is searched, filtered and sorted; what is for named people is seen, counted
// and found by nobody else.
func TestInboxOfManyAndOfNamed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		maker, seller, _, aside := trade(t, d)
		ctx := t.Context()
		lead := seller.as(entente.RoleSecurityLead)
		for _, by := range []someone{maker, aside} {
			by.says(NewStatement{Kind: entente.EntryPractice, Title: "Backups", Body: backups, Marking: entente.Marking{TLP: entente.TLPGreen}})
			by.says(NewStatement{Kind: entente.EntryNote, Title: "Spring", Subject: "note/Spring 100%", Everyone: true, Marking: entente.Marking{TLP: entente.TLPAmber}, Body: json.RawMessage(`{"title":"Spring","date":"2027-03-31","points":["a test"]}`)})
		}
		maker.says(NewStatement{
			Kind: entente.EntryThreat, Title: "Secret", Subject: "threat/secret", To: []entente.PartyID{seller.party()}, Body: json.RawMessage(`{"title":"Secret"}`),
			Marking: entente.Marking{TLP: entente.TLPRed, Audience: []entente.PartyID{seller.party()}, People: []string{"security lead@seller.example", lead.Name}},
		})
		settle(maker, aside, seller)
		count := func(actor entente.Actor, q InboxQuery) int {
			t.Helper()
			list, n, err := seller.InboxPage(ctx, actor, q)
			ok(t, err)
			if len(list) != n {
				t.Errorf("%+v: %d rows, and %d counted", q, len(list), n)
			}
			return n
		}
		for want, qs := range map[int][]InboxQuery{
			5: {{}, {State: InboxStanding}, {State: InboxUnread}, {Unread: true}},
			3: {{Party: maker.party()}},
			2: {{Kind: entente.EntryNote}, {Label: entente.TLPGreen}, {Search: "SPRING 100%"}, {Search: " back "}},
			1: {{Label: entente.TLPRed}, {Search: "spring", Party: aside.party()}},
			0: {{Search: "secret"}, {Search: "100%x"}, {State: InboxRead}, {State: InboxAnswered}, {State: InboxRecalled}, {State: InboxHeld}, {State: InboxNarrowed}, {State: InboxEmbargoed}, {State: InboxUnknown}, {Open: true}},
		} {
			for _, q := range qs {
				if n := count(seller.owner, q); n != want {
					t.Errorf("%+v: %d, want %d", q, n, want)
				}
			}
		}
		for _, order := range []InboxOrder{ByReceived, ByTitle, ByKind, ByPartner, ByLabel, ByDue} {
			up, err := seller.Inbox(ctx, seller.owner, InboxQuery{Order: order})
			ok(t, err)
			down, err := seller.Inbox(ctx, seller.owner, InboxQuery{Order: order, Desc: true})
			ok(t, err)
			if len(up) != 5 || len(down) != 5 {
				t.Errorf("by %q: %d and %d", order, len(up), len(down))
			}
		}
		strict, err := seller.Inbox(ctx, seller.owner, InboxQuery{Order: ByLabel})
		ok(t, err)
		if r := strict[0]; r.Marking.TLP != entente.TLPRed || !r.Hidden || r.Title != "" || r.Subject != "" || len(r.Body) > 0 {
			t.Errorf("what is for another person by name: %+v", r)
		}
		if r := seller.hasAs(lead, maker, entente.EntryThreat); r.Hidden || r.Title != "Secret" {
			t.Errorf("the person that it is for sees %+v", r)
		}
		for actor, want := range map[string]int{"owner": 4, "lead": 5} {
			who := map[string]entente.Actor{"owner": seller.owner, "lead": lead}[actor]
			w, err := seller.Waits(ctx, who)
			ok(t, err)
			if w.Unread != want {
				t.Errorf("unread for the %s: %d, want %d", actor, w.Unread, want)
			}
		}
		red := strict[0]
		wants(t, entente.KindDenied, seller.Seen(ctx, seller.owner, red.Party, red.Number))
		ok(t, seller.Seen(ctx, lead, red.Party, red.Number))
		_, err = seller.Passable(ctx, seller.owner, EntryRef{red.Party, red.Number})
		wants(t, entente.KindDenied, err)
	})
}

func (s someone) hasAs(actor entente.Actor, from someone, kind entente.EntryKind) Received {
	s.t.Helper()
	list, err := s.Inbox(s.t.Context(), actor, InboxQuery{Party: from.party(), Kind: kind})
	ok(s.t, err)
	if len(list) != 1 {
		s.t.Fatalf("%d entries of kind %s", len(list), kind)
	}
	return list[0]
}

// What a person let go is kept with the reason, and what nobody looked at does not go.
func TestFindingsAreDecided(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, seller, customer, aside := trade(t, d)
		ctx := t.Context()
		n := NewStatement{
			Kind: entente.EntryPractice, Title: "Backups", Marking: entente.Marking{TLP: entente.TLPGreen},
			Body: json.RawMessage(`{"title":"Backups","text":"Ask rosa@rosthof.example. It went wrong at Aside."}`),
		}
		found, err := seller.Findings(ctx, seller.owner, n)
		ok(t, err)
		if len(found) != 2 || found[0] != (Finding{FoundPersonal, "rosa@rosthof.example"}) || found[1] != (Finding{FoundVictim, "Aside"}) {
			t.Fatalf("found %+v", found)
		}
		alone := n
		alone.To = []entente.PartyID{aside.party()}
		if found, err := seller.Findings(ctx, seller.owner, alone); err != nil || len(found) != 1 {
			t.Errorf("to the one that is named: %+v, %v", found, err)
		}
		_, _, err = seller.Say(ctx, seller.owner, n)
		wants(t, entente.KindInvalid, err)
		n.Decided = []Decision{{found[0], "she agreed"}, {found[1], ""}}
		id := seller.says(n)
		st, _, err := seller.Statement(ctx, seller.owner, id)
		ok(t, err)
		if !slices.Equal(st.Decided, n.Decided) {
			t.Errorf("the ledger keeps %+v", st.Decided)
		}
		// Nobody sends a file along that they may not see.
		blob, err := seller.PutBlob(ctx, seller.owner, "x", "text/plain", strings.NewReader("content"))
		ok(t, err)
		n.Blobs = []entente.Blob{{Name: "x", Type: "text/plain", Size: blob.Size + 1, Hash: blob.Hash}}
		_, _, err = seller.Say(ctx, seller.owner, n)
		wants(t, entente.KindNotFound, err)
		_, _, err = customer.Say(ctx, customer.owner, NewStatement{Kind: entente.EntryPractice, Title: "x", Body: backups, Marking: entente.Marking{TLP: entente.TLPGreen}, Blobs: []entente.Blob{blob}})
		wants(t, entente.KindNotFound, err)
		// Who may not say anything passes nothing on and answers nothing.
		auditor := seller.as(entente.RoleAuditor)
		_, err = seller.Findings(ctx, auditor, n)
		wants(t, entente.KindDenied, err)
		_, err = seller.Passable(ctx, auditor, EntryRef{aside.party(), 1})
		wants(t, entente.KindDenied, err)
		_, _, err = seller.PassOn(ctx, auditor, EntryRef{aside.party(), 1}, Passing{})
		wants(t, entente.KindDenied, err)
		_, err = seller.AnswerTo(ctx, auditor, EntryRef{aside.party(), 1}, "x")
		wants(t, entente.KindDenied, err)
		contact := seller.as(entente.RoleContact)
		_, err = seller.Waits(ctx, contact)
		wants(t, entente.KindDenied, err)
		_, err = seller.Concerns(ctx, contact)
		wants(t, entente.KindDenied, err)
		_, err = seller.Thread(ctx, contact, aside.party(), "x")
		wants(t, entente.KindDenied, err)
		_, err = seller.SaidTo(ctx, contact, aside.party(), 1)
		wants(t, entente.KindDenied, err)
	})
}

// A file that somebody brought and never sent is not kept for ever.
func TestUnsentFilesGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		s := h.host("Beanline")
		old, err := s.PutBlob(t.Context(), s.owner, "old", "text/plain", strings.NewReader("old"))
		ok(t, err)
		s.later(25 * time.Hour)
		_, err = s.PutBlob(t.Context(), s.owner, "new", "text/plain", strings.NewReader("new"))
		ok(t, err)
		held, err := s.heldOf(t.Context(), s.org, old.Hash)
		ok(t, err)
		if held != 0 {
			t.Errorf("%d bytes of it are kept", held)
		}
	})
}

// What somebody else said leaves by passing it on alone, where its entry, its marking
// and its recall are kept; nobody can just say that another said it.
func TestNobodySpeaksForOthers(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	buyer, supplier := h.host("Beanline"), h.host("Rosthof")
	become(buyer, supplier)
	for name, change := range map[string]func(*NewStatement){
		"named as its originator": func(n *NewStatement) { n.Originator = buyer.party() },
		"as if it was passed on":  func(n *NewStatement) { n.Of = EntryRef{buyer.party(), 1} },
	} {
		n := NewStatement{Kind: entente.EntryPractice, Title: "Sign twice", Everyone: true, Marking: entente.Marking{TLP: entente.TLPGreen}, Body: []byte(`{"title":"Sign twice","text":"Two people sign."}`)}
		change(&n)
		_, _, err := supplier.Say(t.Context(), supplier.owner, n)
		t.Log(name)
		wants(t, entente.KindInvalid, err)
	}
}

// What SQL calls the kinds is what the program calls them.
func TestKindsInSQL(t *testing.T) {
	for list, kinds := range map[string][]entente.EntryKind{keepingSQL: keeping, knownSQL: knownKinds} {
		for _, kind := range kinds {
			if !strings.Contains(list, "'"+string(kind)+"'") {
				t.Errorf("%s is missing in %s", kind, list)
			}
		}
		if n := strings.Count(list, "'") / 2; n != len(kinds) {
			t.Errorf("%d kinds are in %s, want %d", n, list, len(kinds))
		}
	}
}
