package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// draft is an entry before it has its place in a feed.
type draft struct {
	kind       entente.EntryKind
	subject    string
	originator entente.PartyID
	withheld   bool
	marking    entente.Marking
	body       json.RawMessage
	blobs      []entente.Blob
	statement  string
	title      string
}

// enter is the only place where an entry gets into a feed: it asks the gate, signs,
// stores, and sees to it that the entry is delivered. Without leave of the gate
// nothing is written, and the reason is given.
func (s *Service) enter(ctx context.Context, tx *db.Tx, self Self, signer entente.Signer, p *Partner, d draft, need bool) (number uint64, allowed bool, why entente.Message, err error) {
	relation := p.Agreement.Relation(self.Party(), p.Party, d.kind, s.now())
	relation.Originator, relation.Need = d.originator, need
	if relation.Originator == "" && !d.withheld {
		relation.Originator = self.Party()
	}
	allowed, why = entente.MayShare(d.marking, self.Party(), p.Party, relation)
	if !allowed {
		return 0, false, why, nil
	}
	e := p.Out.state(self.Party()).Next(s.now())
	e.Kind, e.Subject, e.Withheld, e.Marking, e.Body, e.Blobs = d.kind, d.subject, d.withheld, d.marking, d.body, d.blobs
	if d.originator != self.Party() && !d.withheld {
		e.Originator = d.originator
	}
	envelope, err := entente.SignEntry(e, signer)
	if err != nil {
		return 0, false, why, err
	}
	st := p.Out.state(self.Party()).Sent(envelope, e.Number)
	p.Out.Number, p.Out.Head, p.Out.Key = st.Number, st.Head, signer.Key().ID()
	row := stored{Party: p.Party, Way: Out, Number: e.Number, Hash: st.Head, Envelope: envelope, Kind: e.Kind, Subject: e.Subject,
		Originator: e.Originator, Marking: e.Marking, Statement: d.statement, State: Standing, Said: e.At, Stored: s.now(), Title: d.title, Due: dueOf(e)}
	if err := insertEntry(ctx, tx, tx.Org(), row); err != nil {
		return 0, false, why, err
	}
	if err := insertBlobUse(ctx, tx, tx.Org(), p.Party, Out, e.Number, e.Blobs); err != nil {
		return 0, false, why, err
	}
	if err := updateFeed(ctx, tx, tx.Org(), p.Out); err != nil {
		return 0, false, why, err
	}
	return e.Number, true, why, s.armFeed(ctx, tx, &p.Out, s.now())
}

// tell says something that keeps the partnership itself: keys, agreements, recalls.
// It is for the partner alone.
func (s *Service) tell(ctx context.Context, tx *db.Tx, self Self, signer entente.Signer, p Partner, kind entente.EntryKind, subject string, body json.RawMessage) (uint64, error) {
	d := draft{kind: kind, subject: subject, originator: self.Party(), marking: entente.Marking{TLP: entente.TLPAmberStrict, Audience: []entente.PartyID{p.Party}}, body: body}
	number, allowed, why, err := s.enter(ctx, tx, self, signer, &p, d, false)
	if err == nil && !allowed && kind == entente.EntryAgreement {
		// After its end nothing travels any more, and both sides know that by themselves.
		return 0, nil
	}
	if err == nil && !allowed {
		return 0, entente.Denied(why.Text, why.Args...)
	}
	return number, err
}

// armed is the body of the jobs that move a feed.
type armed struct {
	Party entente.PartyID `json:"party"`
	// At tells the job from others of the same feed: only the latest one counts.
	At int64 `json:"at"`
}

// lostTime is after how long a job that never came back is taken for lost.
const lostTime = time.Hour

// arm sees to it that a job moves a feed at a time, or before.
func (s *Service) arm(ctx context.Context, tx *db.Tx, party entente.PartyID, way Way, at time.Time) error {
	f, err := readFeed(ctx, tx, tx.Org(), party, way)
	if err != nil {
		return err
	}
	return s.armFeed(ctx, tx, &f, at)
}

func (s *Service) armFeed(ctx context.Context, tx *db.Tx, f *Feed, at time.Time) error {
	// While a partner does not answer, new entries wait for the next attempt.
	if f.Failures > 0 && f.armed.After(s.now()) {
		return nil
	}
	if !f.armed.IsZero() && !f.armed.After(at) && f.armed.After(s.now().Add(-lostTime)) {
		return nil
	}
	f.armed = db.Time(db.Millis(at))
	if err := updateFeed(ctx, tx, tx.Org(), *f); err != nil {
		return err
	}
	kind := jobDeliver
	if f.Way == In {
		kind = jobFetch
	}
	_, err := journal.Schedule(ctx, tx, tx.Org(), kind, f.armed, armed{Party: f.Party, At: db.Millis(f.armed)})
	return err
}

// The bounds of one request that carries entries.
const (
	batchEntries = 200
	batchBytes   = 4 << 20
	roundTime    = 20 * time.Second
)

// deliver pushes what a partner has not signed for.
func (s *Service) deliver(ctx context.Context, job *journal.Job) error {
	var todo armed
	if err := job.Decode(&todo); err != nil {
		return err
	}
	began := time.Now()
	var fault error
	for time.Since(began) < roundTime {
		more, err := s.pushSome(ctx, job.Org, todo)
		if err != nil {
			fault = err
			break
		}
		if !more {
			break
		}
	}
	if ctx.Err() != nil {
		return ctx.Err() // it was cut off; that is no failure of the partner
	}
	return job.Finish(ctx, func(tx *db.Tx) error { return s.rested(ctx, tx, todo, Out, fault) })
}

// pushSome pushes the next batch, and says whether there is more.
func (s *Service) pushSome(ctx context.Context, org entente.OrgID, todo armed) (more bool, err error) {
	var p Partner
	var self Self
	var batch []entente.Envelope
	var signer entente.Signer
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = s.partner(ctx, tx, org, todo.Party)
		if err != nil {
			return err
		}
		batch = nil
		if db.Millis(p.Out.armed) != todo.At || p.Out.Waiting() == 0 || !p.Out.Quarantine.Blank() {
			return nil
		}
		self, signer, err = s.mine(ctx, tx, org)
		if err != nil {
			return err
		}
		batch, err = envelopesAfter(ctx, tx, org, p.Party, Out, p.Out.Acked, batchEntries, batchBytes)
		return err
	})
	if err != nil || len(batch) == 0 {
		return false, err
	}
	at, err := s.atPartner(ctx, p, self, signer)
	if err != nil {
		return false, err
	}
	answer, err := at.push(ctx, self.Party(), p.Party, batch)
	if err != nil {
		return false, err
	}
	return s.receipted(ctx, org, p.Party, answer)
}

// receipted takes the receipt for what was pushed or fetched.
func (s *Service) receipted(ctx context.Context, org entente.OrgID, party entente.PartyID, a PushAnswer) (more bool, err error) {
	var refused error
	err = s.db.Write(ctx, org, func(tx *db.Tx) error {
		refused = nil
		p, err := s.partner(ctx, tx, org, party)
		if err != nil {
			return err
		}
		before := p.Out.Acked
		if a.Receipt != nil {
			if err := s.acknowledge(ctx, tx, &p, *a.Receipt); err != nil {
				return err
			}
		}
		more = p.Out.Waiting() > 0 && p.Out.Acked > before
		switch {
		case a.Refused != "":
			refused = errors.New(a.Refused)
		case p.Out.Waiting() > 0 && p.Out.Acked == before:
			refused = errors.New("the partner took nothing")
		}
		return nil
	})
	return more && refused == nil, errors.Join(err, refused)
}

// acknowledge checks a receipt of a partner and moves the feed to it on.
func (s *Service) acknowledge(ctx context.Context, tx *db.Tx, p *Partner, envelope entente.Envelope) error {
	self, err := readSelf(ctx, tx, tx.Org())
	if err != nil || self == nil {
		return err
	}
	r, err := entente.ReadReceipt(envelope, p.Ring)
	if err != nil {
		return entente.Invalid("the receipt is not valid: %s", err.Error())
	}
	var fault error
	err = r.Confirms(self.Party(), p.Party, func(n uint64) (entente.Hash, bool) {
		h, known, err := hashOf(ctx, tx, tx.Org(), p.Party, Out, n)
		fault = errors.Join(fault, err)
		return h, known
	})
	if fault != nil {
		return fault
	}
	if err != nil {
		return s.disputed(ctx, tx, p, envelope, err)
	}
	if r.Number <= p.Out.Acked && p.Out.Receipt != nil {
		return nil
	}
	if err := delivered(ctx, tx, tx.Org(), p.Party, p.Out.Acked, r.Number, s.now()); err != nil {
		return err
	}
	p.Out.Acked, p.Out.Receipt, p.Out.AckedAt = max(p.Out.Acked, r.Number), &envelope, s.now()
	return updateFeed(ctx, tx, tx.Org(), p.Out)
}

// disputed stops a feed whose receiver signed for something else than was sent: one
// of the two lost or changed its history, and a person must look.
func (s *Service) disputed(ctx context.Context, tx *db.Tx, p *Partner, receipt entente.Envelope, why error) error {
	if !p.Out.Quarantine.Blank() {
		return nil
	}
	p.Out.Quarantine = entente.Say("The partner signed for something else than what was sent: %s.", why.Error())
	p.Out.Receipt = &receipt
	if err := updateFeed(ctx, tx, tx.Org(), p.Out); err != nil {
		return err
	}
	return journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), EventForked, string(p.Party), map[string]any{"name": p.Name, "way": Out, "why": p.Out.Quarantine.String()})
}

// rested ends a round of a feed's job, and sets the next one.
func (s *Service) rested(ctx context.Context, tx *db.Tx, todo armed, way Way, fault error) error {
	f, err := readFeed(ctx, tx, tx.Org(), todo.Party, way)
	if err != nil || db.Millis(f.armed) != todo.At {
		return err
	}
	f.armed, f.Tried = time.Time{}, s.now()
	var next time.Time
	if fault != nil {
		f.Failures, f.Error = f.Failures+1, s.why(fault)
		next = s.now().Add(s.c.Backoff(f.Failures))
	} else {
		f.Failures, f.Error = 0, ""
	}
	p, err := readPartner(ctx, tx, tx.Org(), todo.Party)
	if err != nil {
		return err
	}
	switch {
	case p.State == Ended && p.EndedBy == p.Party:
		return updateFeed(ctx, tx, tx.Org(), f) // it takes nothing any more
	case way == Out && f.Waiting() > 0 && f.Quarantine.Blank():
		if next.IsZero() {
			next = s.now()
		}
	case way == In && p.State == Active:
		if fetch := s.now().Add(s.c.Fetch); next.Before(fetch) {
			next = fetch
		}
	default:
		return updateFeed(ctx, tx, tx.Org(), f)
	}
	failures := f.Failures
	f.Failures = 0 // the wait is decided here
	err = s.armFeed(ctx, tx, &f, next)
	f.Failures = failures
	return errors.Join(err, updateFeed(ctx, tx, tx.Org(), f))
}
