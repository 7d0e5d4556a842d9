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
	return e.Number, true, why, s.saveArmed(ctx, tx, &p.Out, s.now())
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
	if s.isArmed(f, at) {
		return nil
	}
	return s.saveArmed(ctx, tx, f, at)
}

// isArmed says whether a job moves a feed at a time, or before.
func (s *Service) isArmed(f *Feed, at time.Time) bool {
	// While a partner does not answer, new entries wait for the next attempt.
	return f.Failures > 0 && f.armed.After(s.now()) ||
		!f.armed.IsZero() && !f.armed.After(at) && f.armed.After(s.now().Add(-lostTime))
}

// saveArmed writes a feed that has changed, and sees to it that a job moves it.
func (s *Service) saveArmed(ctx context.Context, tx *db.Tx, f *Feed, at time.Time) error {
	if s.isArmed(f, at) {
		return updateFeed(ctx, tx, tx.Org(), *f)
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
	batchEntries = 200 // keptAfter has it too
	batchBytes   = 4 << 20
	roundTime    = 20 * time.Second
)

// The bounds of one round of deliveries.
const (
	deliverTogether = 64
	deliverAtOnce   = 8
	// receiptTime is how long a receipt waits for others that come after it.
	receiptTime = 50 * time.Millisecond
)

// delivery is what one push to a partner is for, and what came of it.
type delivery struct {
	job    *journal.Job
	todo   armed
	p      Partner
	batch  []entente.Envelope
	answer PushAnswer
	fault  error
}

// deliver pushes what partners have not signed for: a request to each, some at once.
// Their receipts are taken together as they come, so that nobody waits for the slowest.
func (s *Service) deliver(ctx context.Context, job *journal.Job) error {
	alike, err := job.Alike(ctx, deliverTogether-1)
	if err != nil {
		return err
	}
	list, self, signer, err := s.deliveries(ctx, job.Org, append(alike, job))
	if err != nil {
		return err
	}
	due, done := make(chan *delivery), make(chan *delivery, len(list))
	for range min(deliverAtOnce, len(list)) {
		go func() {
			for d := range due {
				d.answer, d.fault = s.push(ctx, d, self, signer)
				done <- d
			}
		}()
	}
	go func() {
		defer close(due)
		for _, d := range list {
			due <- d
		}
	}()
	var fault error
	for left := len(list); left > 0; {
		ready := []*delivery{<-done}
		for enough := time.After(receiptTime); len(ready) < left && enough != nil; {
			select {
			case d := <-done:
				ready = append(ready, d)
			case <-enough:
				enough = nil
			}
		}
		left -= len(ready)
		if ctx.Err() == nil && fault == nil {
			fault = s.delivered(ctx, self, ready)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err() // it was cut off; that is no failure of the partners
	}
	return fault
}

// deliveries reads what is to be pushed.
func (s *Service) deliveries(ctx context.Context, org entente.OrgID, jobs []*journal.Job) (list []*delivery, self Self, signer entente.Signer, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list = nil
		for _, j := range jobs {
			d := &delivery{job: j}
			if err := j.Decode(&d.todo); err != nil {
				return err
			}
			d.p, err = s.partner(ctx, tx, org, d.todo.Party)
			if err != nil {
				return err
			}
			list = append(list, d)
			if db.Millis(d.p.Out.armed) != d.todo.At || d.p.Out.Waiting() == 0 || !d.p.Out.Quarantine.Blank() {
				continue
			}
			if signer == nil && d.fault == nil {
				self, signer, err = s.mine(ctx, tx, org)
			}
			if signer == nil {
				d.fault = err // whoever moved out does not speak from here
				continue
			}
			d.batch, err = envelopesAfter(ctx, tx, org, d.p.Party, Out, d.p.Out.Acked)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return list, self, signer, err
}

// push pushes to one partner.
func (s *Service) push(ctx context.Context, d *delivery, self Self, signer entente.Signer) (PushAnswer, error) {
	if len(d.batch) == 0 {
		return PushAnswer{}, d.fault
	}
	at, err := s.atPartner(ctx, d.p, self, signer)
	if err != nil {
		return PushAnswer{}, err
	}
	if elsewhere, err := s.meet(ctx, at, d.job.Org, self, d.p); err != nil || elsewhere {
		d.batch = nil // it is another one now
		return PushAnswer{}, err
	}
	return at.push(ctx, self.Party(), d.p.Party, d.batch)
}

// delivered takes the receipts of some partners, and ends their jobs.
func (s *Service) delivered(ctx context.Context, self Self, list []*delivery) error {
	of := map[*journal.Job]*delivery{}
	jobs := make([]*journal.Job, len(list))
	for i, d := range list {
		jobs[i], of[d.job] = d.job, d
	}
	return journal.FinishAll(ctx, jobs, func(tx *db.Tx, j *journal.Job) error {
		d := of[j]
		p, err := s.partner(ctx, tx, tx.Org(), d.todo.Party)
		if err != nil {
			return err
		}
		fault := d.fault
		if fault == nil && len(d.batch) > 0 {
			fault, err = s.receipt(ctx, tx, self, &p, d.answer)
			if err != nil {
				return err
			}
		}
		return s.rested(ctx, tx, p, d.todo, Out, fault)
	})
}

// receipt takes the receipt for what was pushed, and says why more was not taken.
// The feed is saved by who calls.
func (s *Service) receipt(ctx context.Context, tx *db.Tx, self Self, p *Partner, a PushAnswer) (refused, err error) {
	before := p.Out.Acked
	if a.Receipt != nil {
		err := s.confirm(ctx, tx, self, p, *a.Receipt)
		if entente.KindOf(err) == entente.KindInvalid && err != nil {
			return err, nil
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case a.Refused != "":
		return errors.New(a.Refused), nil
	case p.Out.Waiting() > 0 && p.Out.Acked == before:
		return errors.New("the partner took nothing"), nil
	}
	return nil, nil
}

// acknowledge checks a receipt of a partner and moves the feed to it on.
func (s *Service) acknowledge(ctx context.Context, tx *db.Tx, p *Partner, envelope entente.Envelope) error {
	self, err := readSelf(ctx, tx, tx.Org())
	if err != nil || self == nil {
		return err
	}
	if err := s.confirm(ctx, tx, *self, p, envelope); err != nil {
		return err
	}
	return updateFeed(ctx, tx, tx.Org(), p.Out)
}

// confirm is acknowledge without saving the feed.
func (s *Service) confirm(ctx context.Context, tx *db.Tx, self Self, p *Partner, envelope entente.Envelope) error {
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
	return nil
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
func (s *Service) rested(ctx context.Context, tx *db.Tx, p Partner, todo armed, way Way, fault error) error {
	f := p.Out
	if way == In {
		f = p.In
	}
	if db.Millis(f.armed) != todo.At {
		return updateFeed(ctx, tx, tx.Org(), f)
	}
	f.armed, f.Tried = time.Time{}, s.now()
	var next time.Time
	if fault != nil {
		f.Failures, f.Error = f.Failures+1, s.why(fault)
		next = s.now().Add(s.c.Backoff(f.Failures))
	} else {
		f.Failures, f.Error = 0, ""
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
	err := s.armFeed(ctx, tx, &f, next)
	f.Failures = failures
	return errors.Join(err, updateFeed(ctx, tx, tx.Org(), f))
}
