package exchange

import (
	"context"
	"encoding/json"

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
// ledger shows who has acknowledged that by its signature.
func (s *Service) Recall(ctx context.Context, actor entente.Actor, id, reason string) error {
	return s.revise(ctx, actor, id, reason, nil)
}

// Narrow gives a statement a stricter marking for those who hold it. A marking that is
// wider in anything is refused.
func (s *Service) Narrow(ctx context.Context, actor entente.Actor, id string, m entente.Marking, reason string) error {
	return s.revise(ctx, actor, id, reason, &m)
}

func (s *Service) revise(ctx context.Context, actor entente.Actor, id, reason string, narrower *entente.Marking) error {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return err
	}
	if len(reason) > entente.MaxMarkingText {
		return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		st, err := readStatement(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		if st.State == TakenBack {
			return entente.Conflict("it was taken back already")
		}
		kind, event := entente.EntryRecall, EventTakenBack
		if narrower != nil {
			kind, event = entente.EntryNarrow, EventMadeNarrower
			if !st.Marking.Narrows(*narrower) {
				return entente.Invalid("this marking is not narrower than the one before")
			}
		}
		self, signer, err := s.mine(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		lines, err := linesOf(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if line.Number == 0 {
				continue
			}
			p, err := s.partner(ctx, tx, actor.Org, line.Party)
			if err != nil {
				return err
			}
			if p.State != Active {
				continue // it cannot be told; the ledger shows that it has not acknowledged
			}
			hash, _, err := hashOf(ctx, tx, actor.Org, p.Party, Out, line.Number)
			if err != nil {
				return err
			}
			about := aboutBody{Number: line.Number, Hash: hash, Reason: reason}
			if narrower != nil {
				m, _ := NewStatement{Marking: *narrower, To: []entente.PartyID{p.Party}, Originator: st.Originator}.markingFor(self, p.Party)
				about.Marking = &m
			}
			body, err := encode(about)
			if err != nil {
				return err
			}
			line.Recall, err = s.tell(ctx, tx, self, signer, p, kind, st.Subject, body)
			if err != nil {
				return err
			}
			if err := updateRecall(ctx, tx, actor.Org, id, line.Party, line.Recall, 0); err != nil {
				return err
			}
		}
		if narrower == nil {
			// Nobody fetches the files any more who has not done so.
			for _, line := range lines {
				if err := dropBlobsOf(ctx, tx, actor.Org, stored{Party: line.Party, Way: Out, Number: line.Number}); err != nil {
					return err
				}
			}
		}
		st.Why = reason
		if narrower != nil {
			st.Marking = *narrower
		} else {
			st.State, st.Recalled = TakenBack, s.now()
		}
		if err := updateStatement(ctx, tx, actor.Org, st); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, event, id, map[string]any{"title": st.Title, "reason": reason, "tlp": st.Marking.TLP})
	})
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
	case e.Kind == entente.EntryRecall:
		// What was said is gone; that it was said, and its hash, stay.
		held.State, held.Envelope, held.Why = Recalled, entente.Envelope{}, entente.Say("%s", b.Reason)
		if err := dropBlobsOf(ctx, tx, tx.Org(), held); err != nil {
			return err
		}
	case b.Marking != nil && held.Marking.Narrows(*b.Marking):
		act, event = actNarrowed, EventNarrowed
		held.Marking = *b.Marking
	default:
		return nil
	}
	if err := updateEntry(ctx, tx, tx.Org(), held); err != nil {
		return err
	}
	err = journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), event, entrySubject(p.Party, held.Number), entryEvent{
		Party: string(p.Party), Name: p.Name, Number: held.Number, Kind: string(held.Kind), Subject: held.Subject, Why: b.Reason,
	})
	if err != nil {
		return err
	}
	return s.report(ctx, tx, self, p, held, act)
}

// report tells a partner what became of an entry of its.
func (s *Service) report(ctx context.Context, tx *db.Tx, self Self, p *Partner, held stored, act readAct) error {
	_, signer, err := s.mine(ctx, tx, tx.Org())
	if err != nil {
		return err
	}
	body, err := encode(aboutBody{Number: held.Number, Hash: held.Hash, Act: act})
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
	case actRecalled, actNarrowed:
		if sent.Statement == "" {
			return nil
		}
		return ackRecall(ctx, tx, tx.Org(), sent.Statement, p.Party, now)
	}
	return updateEntry(ctx, tx, tx.Org(), sent)
}
