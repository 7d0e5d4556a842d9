package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// A node that was put back from a backup has forgotten what it said since, and its
// partners have not. Before it says more, it sees that from their receipts, and stops.
// The same would be seen if somebody else had its key: so a person decides that it was a
// backup. Then it gets its own entries back from its partners; what was said here
// meanwhile under the same numbers, and reached nobody, is said after them.

// GivenBack is what the receiver of a feed holds of it, for its sender who lost it.
type GivenBack struct {
	Entries []entente.Kept    `json:"entries,omitempty"`
	Receipt *entente.Envelope `json:"receipt,omitempty"` // for all that it holds
}

// GiveBack gives the sender of a feed what it said after an entry, as it is held here.
// from is the sender, who asks, to the receiver.
func (s *Service) GiveBack(ctx context.Context, from, to entente.PartyID, after uint64) (answer GivenBack, err error) {
	org, err := s.local(ctx, to)
	if err != nil {
		return answer, err
	}
	if org == "" {
		return answer, entente.NotFound("this node does not host %s", to)
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		f, err := readFeed(ctx, tx, org, from, In)
		if err != nil {
			return err
		}
		answer = GivenBack{Receipt: f.Receipt}
		answer.Entries, err = keptAfter(ctx, tx, org, from, In, after)
		return err
	})
	return answer, err
}

// meet makes sure, once after the start, that a partner on another node holds of our
// feed what we think that it does: who was put back from a backup must say nothing
// before. It says whether the partner stands elsewhere; the feed is as its receipt wants
// it then.
func (s *Service) meet(ctx context.Context, at node, org entente.OrgID, self Self, p Partner) (elsewhere bool, err error) {
	if _, here := at.(here); here || !p.Out.Quarantine.Blank() || s.hasMet(org, p.Party) {
		return false, nil // who shares our database is put back with us
	}
	answer, err := at.push(ctx, self.Party(), p.Party, nil)
	if err != nil {
		return false, err
	}
	if answer.Receipt != nil && proofOf(*answer.Receipt).Number != p.Out.Acked {
		elsewhere = true
		err = s.db.Write(ctx, org, func(tx *db.Tx) error {
			fresh, err := s.partner(ctx, tx, org, p.Party)
			if err != nil {
				return err
			}
			return s.acknowledge(ctx, tx, &fresh, *answer.Receipt)
		})
	}
	if err == nil {
		s.met(org, p.Party)
	}
	return elsewhere, err
}

func (s *Service) hasMet(org entente.OrgID, party entente.PartyID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.metBy[string(org)+" "+string(party)]
}

func (s *Service) met(org entente.OrgID, party entente.PartyID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.metBy) >= maxKnown {
		clear(s.metBy)
	}
	s.metBy[string(org)+" "+string(party)] = true
}

// Regain gets back what we have said to a partner and lost, after a person has made sure
// that this node was put back from a backup. What the partner gives back counts as far as
// we signed it.
func (s *Service) Regain(ctx context.Context, actor entente.Actor, party entente.PartyID) error {
	if err := identity.Require(actor, identity.PartnerManage, onPartner(actor, party)); err != nil {
		return err
	}
	return toPerson(s.regain(ctx, actor, party))
}

// RegainAll is [Service.Regain] with all partners who hold something else than we do. It
// is done in the background, with those who cannot be reached as soon as they can. It
// says how many they are.
func (s *Service) RegainAll(ctx context.Context, actor entente.Actor) (partners int, err error) {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		all, err := s.partners(ctx, tx, actor.Org)
		partners = 0
		for _, p := range all {
			if err != nil || p.Out.Quarantine.Blank() {
				continue
			}
			partners++
			_, err = journal.Schedule(ctx, tx, actor.Org, jobRegain, s.now(), armed{Party: p.Party})
		}
		return err
	})
	return partners, err
}

func (s *Service) regainJob(ctx context.Context, job *journal.Job) error {
	var todo armed
	if err := job.Decode(&todo); err != nil {
		return err
	}
	err := s.regain(ctx, entente.System(job.Org, entente.DoorWorker), todo.Party)
	switch entente.KindOf(err) {
	case entente.KindConflict, entente.KindNotFound, entente.KindInvalid:
		return journal.GiveUp(err) // a person must look
	}
	return err
}

// regain gets what we have said back from a partner who holds more of it, or something
// else, than we do. Where that ends the contradiction, the feed goes on.
func (s *Service) regain(ctx context.Context, actor entente.Actor, party entente.PartyID) error {
	org := actor.Org
	for {
		var p Partner
		var self Self
		var signer entente.Signer
		err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
			p, err = s.partner(ctx, tx, org, party)
			if err != nil {
				return err
			}
			self, signer, err = s.mine(ctx, tx, org)
			return err
		})
		if err != nil || p.Out.Quarantine.Blank() {
			return err
		}
		at, err := s.atPartner(ctx, p, self, signer)
		if err != nil {
			return err
		}
		got, err := at.back(ctx, self.Party(), party, p.Out.Acked)
		if err != nil {
			return err
		}
		err = s.db.Write(ctx, org, func(tx *db.Tx) error { return s.takeBack(ctx, tx, actor, party, p.Out.Acked, got) })
		if err != nil {
			return err
		}
	}
}

// takeBack takes a part of our feed back, and ends the quarantine with the last.
func (s *Service) takeBack(ctx context.Context, tx *db.Tx, actor entente.Actor, party entente.PartyID, after uint64, got GivenBack) error {
	p, err := s.partner(ctx, tx, tx.Org(), party)
	if err != nil || p.Out.Quarantine.Blank() || p.Out.Acked != after {
		return err // somebody else was faster
	}
	self, signer, err := s.mine(ctx, tx, tx.Org())
	if err != nil {
		return err
	}
	other := entente.Conflict("%s still holds something else than what was sent", p.Name)
	if got.Receipt == nil {
		return other
	}
	receipt, err := entente.ReadReceipt(*got.Receipt, p.Ring)
	if err != nil {
		return entente.Invalid("the receipt is not valid: %s", err.Error())
	}
	back, err := s.provenOurs(ctx, tx, self, p, got.Entries)
	if err != nil {
		return err
	}
	if len(back) == 0 && receipt.Number != after {
		return other
	}
	again, err := s.setAside(ctx, tx, &p, back)
	if err != nil {
		return err
	}
	for _, row := range back {
		if row.known {
			continue
		}
		if err := s.cameBack(ctx, tx, self, p, row); err != nil {
			return err
		}
	}
	fresh, err := s.partner(ctx, tx, tx.Org(), party)
	if err != nil {
		return err
	}
	fresh.Out = p.Out
	p = fresh // the agreement may be another one, or over
	if err := s.hearAgain(ctx, tx, &p, back); err != nil {
		return err
	}
	if last := len(back) - 1; last >= 0 {
		if err := delivered(ctx, tx, tx.Org(), party, after, back[last].Number, s.now()); err != nil {
			return err
		}
		p.Out.Acked = back[last].Number
	}
	if p, err = s.sayAgain(ctx, tx, self, signer, p, again); err != nil {
		return err
	}
	if p.Out.Acked == receipt.Number {
		p.Out.Quarantine, p.Out.Receipt, p.Out.Failures, p.Out.Error = entente.Message{}, nil, 0, ""
		if err := s.confirm(ctx, tx, self, &p, *got.Receipt); err != nil {
			return err
		}
		if !p.Out.Quarantine.Blank() {
			return other
		}
		if p.Out.Waiting() > 0 {
			if err := s.armFeed(ctx, tx, &p.Out, s.now()); err != nil {
				return err
			}
		}
		// What they said since is asked for now.
		if err := s.armFeed(ctx, tx, &p.In, s.now()); err != nil {
			return err
		}
	}
	if err := updateFeed(ctx, tx, tx.Org(), p.Out); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventRegained, string(party), map[string]any{"name": p.Name, "back": len(back), "again": len(again)})
}

// regained is an entry of ours that a partner gave back.
type regained struct {
	stored
	entry entente.Entry // empty where its content was deleted
	known bool          // we still have it
}

// provenOurs checks that what a partner gives back is what we said.
func (s *Service) provenOurs(ctx context.Context, tx *db.Tx, self Self, p Partner, list []entente.Kept) (back []regained, err error) {
	st := entente.FeedState{From: self.Party(), To: p.Party, Number: p.Out.Acked}
	if st.Number > 0 {
		if st.Head, _, err = hashOf(ctx, tx, tx.Org(), p.Party, Out, st.Number); err != nil {
			return nil, err
		}
	}
	for _, k := range list {
		var e entente.Entry
		if st, e, err = st.Regain(k, self.Ring); err != nil {
			return nil, entente.Conflict("what %s gives back of entry %d is not what was said: %s", p.Name, st.Number+1, err.Error())
		}
		r := regained{entry: e, stored: stored{Party: p.Party, Way: Out, Number: st.Number, Hash: st.Head, Kind: e.Kind, Subject: e.Subject, Originator: self.Party(),
			Marking: e.Marking, State: Standing, Said: e.At, Stored: s.now(), Title: headingOf(e.Body).title(), Due: dueOf(e)}}
		if e.Originator != "" {
			r.Originator = e.Originator
		}
		if k.Entry == nil {
			r.State, r.Why, r.Marking = Recalled, entente.Say("It was deleted there, and lost here."), entente.Marking{TLP: entente.TLPAmberStrict}
		} else {
			r.Envelope = *k.Entry
		}
		held, known, err := hashOf(ctx, tx, tx.Org(), p.Party, Out, st.Number)
		if err != nil {
			return nil, err
		}
		r.known = known && held == st.Head && (len(back) == 0 || back[len(back)-1].known)
		back = append(back, r)
	}
	return back, nil
}

// setAside takes those entries out of the feed that were said here, under numbers that
// others have already, or after them.
func (s *Service) setAside(ctx context.Context, tx *db.Tx, p *Partner, back []regained) (aside []stored, err error) {
	first := slices.IndexFunc(back, func(r regained) bool { return !r.known })
	if first < 0 {
		return nil, nil
	}
	from := int64(back[first].Number)
	aside, err = db.All(ctx, tx, scanEntry, "SELECT "+entryColumns+" FROM exchange_entry WHERE org = $1 AND party = $2 AND way = 'out' AND number >= $3 ORDER BY number", tx.Org(), p.Party, from)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM exchange_entry_blob WHERE org = $1 AND party = $2 AND way = 'out' AND number >= $3", tx.Org(), p.Party, from); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM exchange_entry WHERE org = $1 AND party = $2 AND way = 'out' AND number >= $3", tx.Org(), p.Party, from); err != nil {
		return nil, err
	}
	last := back[len(back)-1]
	p.Out.Number, p.Out.Head, p.Out.Key = last.Number, last.Hash, ""
	if len(last.Envelope.Signatures) > 0 {
		p.Out.Key = last.Envelope.Signatures[0].KeyID
	}
	return aside, nil
}

// sayAgain says what was set aside once more, behind what came back. The gate is asked
// anew.
func (s *Service) sayAgain(ctx context.Context, tx *db.Tx, self Self, signer entente.Signer, p Partner, aside []stored) (Partner, error) {
	asked, err := recallsAfter(ctx, tx, p.Party, aside)
	if err != nil {
		return p, err
	}
	moved := map[uint64]stored{} // by the number before
	for _, row := range aside {
		if len(row.Envelope.Payload) == 0 {
			continue // there is nothing left of it to say
		}
		var e entente.Entry
		if err := json.Unmarshal(row.Envelope.Payload, &e); err != nil {
			return p, err
		}
		d := draft{kind: e.Kind, subject: e.Subject, originator: row.Originator, withheld: e.Withheld, marking: row.Marking, body: e.Body, blobs: e.Blobs, statement: row.Statement, title: row.Title}
		if e.Kind == entente.EntryRecall || e.Kind == entente.EntryNarrow {
			var b aboutBody
			if err := json.Unmarshal(e.Body, &b); err != nil {
				return p, err
			}
			if about, was := moved[b.Number]; was {
				b.Number, b.Hash = about.Number, about.Hash
				if d.body, err = encode(b); err != nil {
					return p, err
				}
			}
		}
		line, err := lineOf(ctx, tx, row.Statement, p.Party)
		if err != nil {
			return p, err
		}
		number, allowed, why := uint64(0), false, entente.Say("The partnership has ended.")
		if p.State == Active {
			if number, allowed, why, err = s.enter(ctx, tx, self, signer, &p, d, line.Need); err != nil {
				return p, err
			}
		}
		if row.Statement != "" {
			if err := renumber(ctx, tx, row.Statement, p.Party, number, allowed, why); err != nil {
				return p, err
			}
		}
		if !allowed {
			continue
		}
		moved[row.Number] = stored{Number: number, Hash: p.Out.Head}
		for _, statement := range asked[row.Number] {
			if _, err := tx.Exec(ctx, "UPDATE exchange_ledger SET recall = $4 WHERE org = $1 AND statement = $2 AND party = $3", tx.Org(), statement, p.Party, int64(number)); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// recallsAfter gives which statements the entries that were set aside asked to delete
// or to narrow.
func recallsAfter(ctx context.Context, tx *db.Tx, party entente.PartyID, aside []stored) (map[uint64][]string, error) {
	of := map[uint64][]string{}
	if len(aside) == 0 {
		return of, nil
	}
	return of, db.Each(ctx, tx, "SELECT recall, statement FROM exchange_ledger WHERE org = $1 AND party = $2 AND recall >= $3", func(row db.Scanner) error {
		var n uint64
		var statement string
		err := row.Scan(&n, &statement)
		of[n] = append(of[n], statement)
		return err
	}, tx.Org(), party, int64(aside[0].Number))
}

// lineOf gives the line of a statement for one partner; nothing where it has none.
func lineOf(ctx context.Context, tx *db.Tx, statement string, party entente.PartyID) (Line, error) {
	if statement == "" {
		return Line{}, nil
	}
	lines, err := linesOf(ctx, tx, tx.Org(), statement)
	if i := slices.IndexFunc(lines, func(l Line) bool { return l.Party == party }); i >= 0 {
		return lines[i], err
	}
	return Line{}, err
}

// renumber writes down under which number a statement goes to a partner now.
func renumber(ctx context.Context, tx *db.Tx, statement string, party entente.PartyID, number uint64, allowed bool, why entente.Message) error {
	reason, err := sayingText(why)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE exchange_ledger SET number = $4, allowed = $5, reason = $6 WHERE org = $1 AND statement = $2 AND party = $3", tx.Org(), statement, party, int64(number), allowed, reason)
	return err
}

// cameBack keeps an entry that came back, and writes down in the ledger what it says.
func (s *Service) cameBack(ctx context.Context, tx *db.Tx, self Self, p Partner, r regained) error {
	var err error
	if len(r.Envelope.Payload) > 0 && !slices.Contains(keeping, r.Kind) {
		if r.Statement, err = s.statedBefore(ctx, tx, self, p, r); err != nil {
			return err
		}
	}
	if err := insertEntry(ctx, tx, tx.Org(), r.stored); err != nil {
		return err
	}
	for _, b := range r.entry.Blobs {
		_, size, err := readBlob(ctx, tx, tx.Org(), b.Hash)
		if err != nil {
			return err
		}
		if size == 0 {
			continue // the file was lost with the rest; the partner has it
		}
		if err := insertBlobUse(ctx, tx, tx.Org(), p.Party, Out, r.Number, []entente.Blob{b}); err != nil {
			return err
		}
	}
	switch r.Kind {
	case entente.EntryRecall, entente.EntryNarrow:
		return s.revisedBefore(ctx, tx, p, r)
	case entente.EntryAgreement:
		return s.agreedBefore(ctx, tx, self, p, r)
	}
	return nil
}

// hearAgain lets what the partner said about the entries that came back count, where
// that arrived before them.
func (s *Service) hearAgain(ctx context.Context, tx *db.Tx, p *Partner, back []regained) error {
	lost := map[uint64]bool{}
	for _, r := range back {
		if !r.known {
			lost[r.Number] = true
		}
	}
	if len(lost) == 0 {
		return nil
	}
	reports, err := db.All(ctx, tx, scanEntry, "SELECT "+entryColumns+" FROM exchange_entry WHERE org = $1 AND way = 'in' AND kind = $3 AND party = $2 ORDER BY number", tx.Org(), p.Party, entente.EntryRead)
	if err != nil {
		return err
	}
	for _, row := range reports {
		var e entente.Entry
		var b aboutBody
		if json.Unmarshal(row.Envelope.Payload, &e) != nil || json.Unmarshal(e.Body, &b) != nil || !lost[b.Number] {
			continue
		}
		if err := s.heardRead(ctx, tx, p, e); err != nil {
			return err
		}
	}
	return nil
}

// statedBefore gives the statement of the ledger that an entry carries. What went to
// several partners at once is one.
func (s *Service) statedBefore(ctx context.Context, tx *db.Tx, self Self, p Partner, r regained) (id string, err error) {
	line := Line{Party: p.Party, Name: p.Name, Allowed: true, Reason: entente.Say("They gave it back after it was lost here."), Number: r.Number, Agreement: p.Agreement.Number}
	body := []byte(r.entry.Body)
	if body == nil {
		body = []byte{}
	}
	ids, err := db.All(ctx, tx, db.Value[string], `SELECT id FROM exchange_statement WHERE org = $1 AND kind = $2 AND subject = $3 AND body = $4 AND at BETWEEN $5 AND $6
		AND NOT EXISTS (SELECT 1 FROM exchange_ledger l WHERE l.org = exchange_statement.org AND l.statement = exchange_statement.id AND l.party = $7) ORDER BY at DESC, id LIMIT 1`,
		tx.Org(), r.Kind, r.Subject, body, db.Millis(r.Said.Add(-time.Minute)), db.Millis(r.Said.Add(time.Minute)), p.Party)
	if err != nil {
		return "", err
	}
	if len(ids) > 0 {
		return ids[0], insertLine(ctx, tx, tx.Org(), ids[0], line)
	}
	m := r.Marking
	if r.Originator == self.Party() && len(m.Audience) == 1 && m.Audience[0] == p.Party {
		m.Audience = nil // each recipient was told of itself alone
	}
	us, _ := p.Agreement.Side(self.Party())
	st := Statement{ID: newID(), State: Said, At: r.Said, By: us.Name, NewStatement: NewStatement{
		Kind: r.Kind, Subject: r.Subject, Title: r.Title, Marking: m, Body: r.entry.Body, Blobs: r.entry.Blobs, Originator: r.entry.Originator, Withheld: r.entry.Withheld,
	}}
	if st.Title == "" {
		st.Title = st.Subject
	}
	if err := insertStatement(ctx, tx, tx.Org(), st); err != nil {
		return "", err
	}
	return st.ID, insertLine(ctx, tx, tx.Org(), st.ID, line)
}

// revisedBefore writes down that a recipient was asked to delete something, or to keep
// it under a narrower marking.
func (s *Service) revisedBefore(ctx context.Context, tx *db.Tx, p Partner, r regained) error {
	var b aboutBody
	if json.Unmarshal(r.entry.Body, &b) != nil {
		return nil
	}
	sent, err := readEntry(ctx, tx, tx.Org(), p.Party, Out, b.Number)
	if entente.KindOf(err) == entente.KindNotFound || err == nil && (sent.Hash != b.Hash || sent.Statement == "") {
		return nil
	}
	if err != nil {
		return err
	}
	line, err := lineOf(ctx, tx, sent.Statement, p.Party)
	if err != nil || line.Number != b.Number {
		return err
	}
	st, err := readStatement(ctx, tx, tx.Org(), sent.Statement)
	if err != nil {
		return err
	}
	line.Revise, line.Revised, line.Recall, line.Acked = ToRecall, r.Said, r.Number, time.Time{}
	st.Why = b.Reason
	if r.Kind == entente.EntryNarrow && b.Marking != nil {
		line.Revise, sent.Marking = ToNarrow, *b.Marking
		if err := updateEntry(ctx, tx, tx.Org(), sent); err != nil {
			return err
		}
		m := *b.Marking
		m.Audience = st.Marking.Audience
		if st.Marking.Narrows(m) {
			st.Marking = m
		}
	} else if err := dropBlobsOf(ctx, tx, tx.Org(), sent); err != nil {
		return err
	}
	if err := updateRevision(ctx, tx, tx.Org(), st.ID, line); err != nil {
		return err
	}
	lines, err := linesOf(ctx, tx, tx.Org(), st.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(lines, func(l Line) bool { return l.Number > 0 && l.Revise != ToRecall }) {
		st.State, st.Recalled = TakenBack, r.Said
	}
	return updateStatement(ctx, tx, tx.Org(), st)
}

// agreedBefore repeats what we said about the agreement, as far as it still fits.
func (s *Service) agreedBefore(ctx context.Context, tx *db.Tx, self Self, p Partner, r regained) error {
	var b agreementBody
	if json.Unmarshal(r.entry.Body, &b) != nil {
		return nil
	}
	if b.Act == actEnd && p.State == Active {
		return s.ended(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), p, self.Party(), b.Reason)
	}
	if b.Envelope == nil || b.Act != actPropose && b.Act != actSign {
		return nil
	}
	in, err := signedAgreement(ctx, tx, tx.Org(), p.Party)
	if err != nil {
		return err
	}
	var a entente.Agreement
	if json.Unmarshal(b.Envelope.Payload, &a) != nil || a.Validate() != nil || a.Prev != entente.HashOf(in.Payload) || a.Number != p.Agreement.Number+1 {
		return nil
	}
	v := Version{State: VersionProposed, Proposer: self.Party(), Envelope: *b.Envelope, At: r.Said}
	if b.Act == actSign {
		if _, err := entente.ReadAgreement(*b.Envelope, self.Ring, p.Ring); err != nil {
			return nil //nolint:nilerr // it was not signed by both, so it changed nothing
		}
		v.State, v.Proposer = VersionSigned, p.Party
	}
	open, err := proposal(ctx, tx, p.Party)
	switch {
	case err != nil:
		return err
	case open != nil && bytes.Equal(open.Envelope.Payload, b.Envelope.Payload):
		v.Number, v.Proposer = open.Number, open.Proposer
		return updateAgreement(ctx, tx, tx.Org(), p.Party, v)
	case open != nil:
		open.State, open.At, open.Why = VersionRefused, s.now(), "another was agreed on"
		if err := updateAgreement(ctx, tx, tx.Org(), p.Party, *open); err != nil {
			return err
		}
	}
	if v.Number, err = nextAgreement(ctx, tx, tx.Org(), p.Party); err != nil {
		return err
	}
	return insertAgreement(ctx, tx, tx.Org(), p.Party, v)
}
