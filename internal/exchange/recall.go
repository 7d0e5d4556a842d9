package exchange

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// aboutBody is the body of entries about an entry of the same two parties: recall,
// narrow and read.
type aboutBody struct {
	// Number and Hash name the entry: of the sender's own feed for recall and narrow,
	// of the receiver's feed for read.
	Number  uint64           `json:"n"`
	Hash    entente.Hash     `json:"hash"`
	Act     readAct          `json:"act,omitempty"`     // of read
	Asked   uint64           `json:"asked,omitempty"`   // of read: the entry of recall or narrow that asked for the act
	Marking *entente.Marking `json:"marking,omitempty"` // of narrow: as it counts from now on
	Reason  string           `json:"reason,omitempty"`
}

// readAct is what a receiver says that it did.
type readAct string

const (
	actRead     readAct = "read"         // a person has seen it
	actAnswered readAct = "acknowledged" // a person says so
	actRecalled readAct = "recalled"     // its content is deleted
	actNarrowed readAct = "narrowed"     // the narrower marking counts
)

// Recall takes a statement back: everybody who got it is told to delete it, and the
// ledger shows who has acknowledged that by its signature. With parties given, it is
// taken back from these alone.
func (s *Service) Recall(ctx context.Context, actor entente.Actor, id, reason string, from ...entente.PartyID) error {
	return s.revise(ctx, actor, id, reason, nil, from)
}

// Narrow gives a statement a stricter marking for those who hold it. A marking that is
// wider in anything is refused. Who may not have it any more under the new marking, and
// who is dropped, is told to delete it.
func (s *Service) Narrow(ctx context.Context, actor entente.Actor, id string, m entente.Marking, reason string, drop ...entente.PartyID) error {
	return s.revise(ctx, actor, id, reason, &m, drop)
}

func (s *Service) revise(ctx context.Context, actor entente.Actor, id, reason string, narrower *entente.Marking, drop []entente.PartyID) error {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return err
	}
	if len(reason) > entente.MaxMarkingText {
		return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
	}
	if narrower != nil {
		if err := narrower.Validate(); err != nil {
			return entente.Invalid("the marking is not valid: %s", err.Error())
		}
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error { return s.reviseIn(ctx, tx, actor, id, reason, narrower, drop) })
}

func (s *Service) reviseIn(ctx context.Context, tx *db.Tx, actor entente.Actor, id, reason string, narrower *entente.Marking, drop []entente.PartyID) error {
	st, err := readStatement(ctx, tx, actor.Org, id)
	if err != nil {
		return err
	}
	if st.State == TakenBack {
		return entente.Conflict("it was taken back already")
	}
	if narrower != nil && !st.Marking.Narrows(*narrower) {
		return entente.Invalid("this marking is not narrower than the one before")
	}
	self, signer, err := s.mine(ctx, tx, actor.Org)
	if err != nil {
		return err
	}
	lines, err := linesOf(ctx, tx, actor.Org, id)
	if err != nil {
		return err
	}
	for _, p := range drop {
		if !slices.ContainsFunc(lines, func(l Line) bool { return l.Party == p && l.Holds() }) {
			return entente.Invalid("it is with none that you want to take it back from: %s", string(p))
		}
	}
	r := revision{Service: s, tx: tx, self: self, signer: signer, st: st, reason: reason, narrower: narrower, drop: drop}
	told, left := 0, 0
	for _, line := range lines {
		if !line.Holds() {
			continue
		}
		next, err := r.of(ctx, line)
		if err != nil {
			return err
		}
		if next != "" {
			told++
		}
		if next != ToRecall {
			left++
		}
	}
	if told == 0 {
		return entente.Invalid("nothing would be narrower than it is")
	}
	st.Why = reason
	if narrower != nil {
		st.Marking = *narrower
	}
	event := EventMadeNarrower
	if left == 0 {
		st.State, st.Recalled, event = TakenBack, s.now(), EventTakenBack
	}
	if err := updateStatement(ctx, tx, actor.Org, st); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, event, id, map[string]any{"title": st.Title, "reason": reason, "tlp": st.Marking.TLP, "told": told, "left": left})
}

// revision is one act of taking a statement back, or of narrowing it.
type revision struct {
	*Service
	tx       *db.Tx
	self     Self
	signer   entente.Signer
	st       Statement
	reason   string
	narrower *entente.Marking // nil: it is taken back
	drop     []entente.PartyID
}

// of does what is to be done about one recipient, and says what that was; empty:
// nothing.
func (r revision) of(ctx context.Context, line Line) (Revision, error) {
	org := r.tx.Org()
	p, err := r.partner(ctx, r.tx, org, line.Party)
	if err != nil {
		return "", err
	}
	sent, err := readEntry(ctx, r.tx, org, p.Party, Out, line.Number)
	if err != nil {
		return "", err
	}
	next := NewStatement{Kind: r.st.Kind, Marking: r.st.Marking, To: []entente.PartyID{p.Party}, Originator: r.st.Originator}
	if line.Need {
		next.Need = next.To
	}
	if r.narrower != nil {
		next.Marking = *r.narrower
	}
	if sent.Marking.Embargo.After(next.Marking.Embargo) {
		next.Marking.Embargo = sent.Marking.Embargo // it was agreed with them alone
	}
	// Who cannot be told any more has not acknowledged, and the ledger shows that.
	reachable := p.State == Active && p.Agreement.InForce(r.now())
	m, _ := next.markingFor(r.self, p.Party)
	if len(sent.Marking.Audience) == 0 && len(next.Marking.Audience) == 0 && m.TLP < entente.TLPAmber {
		m.Audience = nil // it went to all, and they may go on telling each other
	}
	about := aboutBody{Number: line.Number, Hash: sent.Hash, Reason: r.reason}
	kind := entente.EntryRecall
	switch {
	case r.narrower == nil && len(r.drop) == 0, slices.Contains(r.drop, p.Party):
		line.Revise = ToRecall
	case r.narrower == nil:
		return "", nil
	case reachable && !r.judge(r.self, p, next, nil).Allowed:
		line.Revise = ToRecall // they may not have it any more
	case sent.Marking.Narrows(m) && m.Narrows(sent.Marking):
		return "", nil
	case !sent.Marking.Narrows(m):
		return "", entente.Invalid("for %s this marking is not narrower than the one before", p.Name)
	default:
		line.Revise, kind, about.Marking, sent.Marking = ToNarrow, entente.EntryNarrow, &m, m
	}
	line.Revised, line.Recall, line.Acked = r.now(), 0, time.Time{}
	if reachable {
		body, err := encode(about)
		if err != nil {
			return "", err
		}
		if line.Recall, err = r.tell(ctx, r.tx, r.self, r.signer, p, kind, r.st.Subject, body); err != nil {
			return "", err
		}
	}
	if line.Revise == ToRecall {
		// Nobody fetches the files any more who has not done so.
		err = dropBlobsOf(ctx, r.tx, org, sent)
	} else {
		err = updateEntry(ctx, r.tx, org, sent)
	}
	if err != nil {
		return "", err
	}
	return line.Revise, updateRevision(ctx, r.tx, org, r.st.ID, line)
}

// heardRecall does what a partner asks about an entry of its own, and acknowledges it
// by a signed entry.
func (s *Service) heardRecall(ctx context.Context, tx *db.Tx, self Self, p *Partner, e entente.Entry) error {
	var b aboutBody
	if json.Unmarshal(e.Body, &b) != nil {
		return nil
	}
	held, err := readEntry(ctx, tx, tx.Org(), p.Party, In, b.Number)
	if entente.KindOf(err) == entente.KindNotFound {
		return nil
	}
	if err != nil || held.Hash != b.Hash {
		return err
	}
	act, event := actRecalled, EventRecalled
	switch {
	case e.Kind == entente.EntryRecall, e.Kind == entente.EntryNarrow && b.Marking != nil && held.Marking.Narrows(*b.Marking) && leavesOut(self, held, *b.Marking):
		// What was said is gone; that it was said, and its hash, stay.
		if held.State == Recalled || held.State == Expired {
			break // it went before
		}
		held.State, held.Ended, held.Envelope, held.Why, held.Title = Recalled, s.now(), entente.Envelope{}, entente.Say("%s", b.Reason), ""
		held.Outcome, held.OutcomeWhy = "", entente.Message{}
		if err := dropBlobsOf(ctx, tx, tx.Org(), held); err != nil {
			return err
		}
	case b.Marking != nil && held.Marking.Narrows(*b.Marking):
		act, event = actNarrowed, EventNarrowed
		held.Marking, held.Narrowed = *b.Marking, true
		if err := s.expireAt(ctx, tx, held); err != nil {
			return err
		}
		if held.Marking.TLP == entente.TLPRed {
			held.Outcome, held.OutcomeWhy = "", entente.Message{} // the rooms let go of it
		}
	default:
		return nil
	}
	if err := updateEntry(ctx, tx, tx.Org(), held); err != nil {
		return err
	}
	if err := s.follow(ctx, tx, held, b.Reason); err != nil {
		return err
	}
	err = journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), event, entrySubject(p.Party, held.Number), entryEvent{
		Party: string(p.Party), Name: p.Name, Number: held.Number, Kind: string(held.Kind), Subject: held.Subject, Why: b.Reason,
	})
	if err != nil {
		return err
	}
	return s.report(ctx, tx, self, p, held, act, e.Number)
}

// report tells a partner what became of an entry of its; asked is the entry that asked
// for it, 0 where none did.
func (s *Service) report(ctx context.Context, tx *db.Tx, self Self, p *Partner, held stored, act readAct, asked uint64) error {
	_, signer, err := s.mine(ctx, tx, tx.Org())
	if err != nil {
		return err
	}
	body, err := encode(aboutBody{Number: held.Number, Hash: held.Hash, Act: act, Asked: asked})
	if err != nil {
		return err
	}
	d := draft{kind: entente.EntryRead, subject: held.Subject, originator: self.Party(), marking: entente.Marking{TLP: entente.TLPAmberStrict, Audience: []entente.PartyID{p.Party}}, body: body}
	_, _, _, err = s.enter(ctx, tx, self, signer, p, d, false)
	return err
}

// heardRead writes down what a partner did with an entry of ours.
func (s *Service) heardRead(ctx context.Context, tx *db.Tx, p *Partner, e entente.Entry) error {
	var b aboutBody
	if json.Unmarshal(e.Body, &b) != nil {
		return nil
	}
	sent, err := readEntry(ctx, tx, tx.Org(), p.Party, Out, b.Number)
	if entente.KindOf(err) == entente.KindNotFound {
		return nil
	}
	if err != nil || sent.Hash != b.Hash {
		return err
	}
	now := s.now()
	switch b.Act {
	case actRead:
		if sent.Read.IsZero() {
			sent.Read = now
		}
	case actAnswered:
		if sent.Read.IsZero() {
			sent.Read = now
		}
		sent.Answered = now
	case actRecalled:
		return s.done(ctx, tx, p, sent, ToRecall, b.Asked)
	case actNarrowed:
		return s.done(ctx, tx, p, sent, ToNarrow, b.Asked)
	}
	return updateEntry(ctx, tx, tx.Org(), sent)
}

// done writes down that a partner did what it was asked to do with an entry of ours.
func (s *Service) done(ctx context.Context, tx *db.Tx, p *Partner, sent stored, did Revision, asked uint64) error {
	news, err := ackRevision(ctx, tx, tx.Org(), sent.Statement, p.Party, did, asked, s.now())
	if err != nil || !news {
		return err
	}
	return journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), EventConfirmed, sent.Statement, map[string]any{"party": p.Party, "name": p.Name, "did": did})
}
