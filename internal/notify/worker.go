package notify

import (
	"context"
	"errors"
	"slices"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Bounds of one round of deliveries to a hook, so that one that does not answer keeps
// no other waiting for long.
const (
	roundTime     = 20 * time.Second
	roundFailures = 3
	restTime      = 5 * time.Second // between rounds that ended by failures
	// lostTime is after how long a job that never came back is taken for lost.
	lostTime = time.Hour
)

// heard makes the deliveries of an event.
func (s *Service) heard(ctx context.Context, tx *db.Tx, e journal.Event) error {
	hooks, err := hooksOf(ctx, tx, e.Org)
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if !h.hears(e) {
			continue
		}
		d := Delivery{ID: messageID(e.Org, h.ID, e.Seq), Hook: h.ID, Seq: e.Seq, Kind: e.Kind, Subject: e.Subject, State: Waiting, Due: s.now(), Created: s.now()}
		if !h.FailingSince.IsZero() {
			waiting, err := countDeliveries(ctx, tx, e.Org, Which{Hook: h.ID, State: Waiting})
			if err != nil {
				return err
			}
			if waiting >= mostKept {
				d.State, d.Error = Failed, entente.Say("too many deliveries waited already").String()
			}
		}
		if err := insertDelivery(ctx, tx, e.Org, d); err != nil {
			return err
		}
		if err := s.arm(ctx, tx, &h, 0); err != nil {
			return err
		}
		if err := updateHook(ctx, tx, h); err != nil {
			return err
		}
	}
	return nil
}

// hears says whether a hook is told an event.
func (h hook) hears(e journal.Event) bool {
	switch {
	case h.State != HookOn || e.Seq <= h.since:
		return false
	case e.Kind == EventTested:
		return e.Subject == h.ID
	}
	return slices.Contains(h.Kinds, e.Kind)
}

// armed is the body of the job that delivers.
type armed struct {
	Hook string `json:"hook"`
	// At tells the job from others of the same hook: only the latest one counts.
	At int64 `json:"at"`
}

// arm sees to it that a job delivers what is due of a hook: now if something is, or
// when the next will be, but not before the rest has passed. The caller writes the
// hook.
func (s *Service) arm(ctx context.Context, tx *db.Tx, h *hook, rest time.Duration) error {
	now := s.now()
	next, err := nextDue(ctx, tx, h.Org, h.ID)
	if err != nil {
		return err
	}
	if next.IsZero() {
		return nil // a job that finds nothing to do ends by itself
	}
	if earliest := now.Add(rest); next.Before(earliest) {
		next = earliest
	}
	if !h.armed.IsZero() && !h.armed.After(next) && h.armed.After(now.Add(-lostTime)) {
		return nil
	}
	h.armed = next
	_, err = journal.Schedule(ctx, tx, h.Org, jobDeliver, next, armed{Hook: h.ID, At: db.Millis(next)})
	return err
}

// deliver sends what is due of one hook.
func (s *Service) deliver(ctx context.Context, job *journal.Job) error {
	var todo armed
	if err := job.Decode(&todo); err != nil {
		return err
	}
	failures, err := s.round(ctx, job.Org, todo)
	if err != nil {
		return err
	}
	return job.Finish(ctx, func(tx *db.Tx) error { return s.rest(ctx, tx, job.Org, todo, failures) })
}

// round attempts what is due of one hook, in order, within bounds.
func (s *Service) round(ctx context.Context, org entente.OrgID, todo armed) (failures int, err error) {
	began := time.Now()
	for time.Since(began) < roundTime && failures < roundFailures {
		h, d, e, err := s.next(ctx, org, todo)
		if err != nil {
			return failures, err
		}
		if d == nil {
			break
		}
		result, stop, err := s.attempt(ctx, h, *d, e)
		if err != nil {
			return failures, err
		}
		if ctx.Err() != nil {
			return failures, ctx.Err() // it was cut off; that is no failure of the receiver
		}
		if !result.err.Blank() {
			failures++
		}
		if err := s.record(ctx, h, *d, result, stop); err != nil {
			return failures, err
		}
	}
	return failures, nil
}

// rest ends a round: the log is tidied, and the job of the next round set.
func (s *Service) rest(ctx context.Context, tx *db.Tx, org entente.OrgID, todo armed, failures int) error {
	h, err := readHook(ctx, tx, org, todo.Hook)
	if err != nil || h == nil || db.Millis(h.armed) != todo.At {
		return err
	}
	if err := tidyLog(ctx, tx, org, h.ID, s.now().Add(-keepLog)); err != nil {
		return err
	}
	h.armed = time.Time{}
	if h.State == HookOn {
		pause := time.Duration(0)
		if failures > 0 {
			pause = restTime
		}
		if err := s.arm(ctx, tx, h, pause); err != nil {
			return err
		}
	}
	return updateHook(ctx, tx, *h)
}

// next gives the delivery that is due first, if the job still counts.
func (s *Service) next(ctx context.Context, org entente.OrgID, todo armed) (h *hook, d *Delivery, e journal.Event, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		h, err = readHook(ctx, tx, org, todo.Hook)
		if err != nil || h == nil || h.State != HookOn || db.Millis(h.armed) != todo.At {
			return err
		}
		d, err = firstDue(ctx, tx, org, h.ID, s.now())
		if err != nil || d == nil {
			return err
		}
		events, err := journal.Events(ctx, tx, org, d.Seq-1, 1)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return errors.New("a delivery is of an event that the journal does not have")
		}
		e = events[0]
		return nil
	})
	return h, d, e, err
}

// attempt tells a hook an event, if who registered it may still see it. It gives why
// the hook must be stopped, if it must.
func (s *Service) attempt(ctx context.Context, h *hook, d Delivery, e journal.Event) (result outcome, stop entente.Message, err error) {
	actor := entente.System(h.Org, entente.DoorWorker)
	if h.Person != "" {
		actor, err = s.identity.Actor(ctx, h.Person, h.Org, entente.DoorWorker)
		if entente.KindOf(err) == entente.KindNotFound && err != nil {
			reason := entente.Say("%s set it up and does not belong to the organisation any more", h.By)
			return outcome{err: reason}, entente.Say("%s; somebody else must save it", reason), nil
		}
		if err != nil {
			return outcome{}, stop, err
		}
	}
	if ok, _ := identity.Can(actor, identity.WebhookManage, identity.In(h.Org)); !ok {
		reason := entente.Say("%s set it up and may not manage webhooks any more", h.By)
		return outcome{err: reason}, entente.Say("%s; somebody who may must save it", reason), nil
	}
	k, known := kindOf(d.Kind)
	if ok, _ := identity.Can(actor, k.Verb, identity.In(h.Org)); !ok || !known {
		return outcome{err: entente.Say("it was not sent: %s set the webhook up and may not see such events any more", h.By)}, stop, nil
	}
	body, err := messageOf(s.c.Origin, k, e)
	if err != nil {
		return outcome{}, stop, err
	}
	at := s.now()
	signatures, err := s.signed(h, d.ID, at, body)
	if err != nil {
		return outcome{}, stop, err
	}
	return s.post(ctx, h.URL, d.ID, at, signatures, body), stop, nil
}

// signed makes the signatures with the secrets that count now.
func (s *Service) signed(h *hook, id string, at time.Time, body []byte) (signatures []string, err error) {
	sealed := [][]byte{h.secret}
	if len(h.former) > 0 && at.Before(h.FormerUntil) {
		sealed = append(sealed, h.former)
	}
	for _, one := range sealed {
		secret, err := s.c.Key.Open(one, sealContext(h.Org, h.ID))
		if err != nil {
			return nil, err
		}
		signature, err := sign(string(secret), id, at, body)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	return signatures, nil
}

// record writes down how an attempt went, and stops a hook that must be.
func (s *Service) record(ctx context.Context, h *hook, d Delivery, o outcome, stop entente.Message) error {
	return s.db.Write(ctx, h.Org, func(tx *db.Tx) error {
		now := s.now()
		after := d
		after.Attempts, after.Tried, after.Code, after.Took, after.Error = d.Attempts+1, now, o.code, o.took, o.err.String()
		wait, more := again(after.Attempts)
		switch {
		case o.err.Blank():
			after.State = Delivered
		case more && stop.Blank() && o.code != goneForGood:
			after.Due = now.Add(wait)
		default:
			after.State = Failed
		}
		fresh, err := updateDelivery(ctx, tx, h.Org, d, after)
		if err != nil || !fresh {
			return err // removed or done by another attempt meanwhile
		}
		current, err := readHook(ctx, tx, h.Org, h.ID)
		if err != nil || current == nil {
			return err
		}
		switch {
		case o.err.Blank():
			current.FailingSince = time.Time{}
		case current.FailingSince.IsZero():
			current.FailingSince = now
		}
		if stop.Blank() && !o.err.Blank() && (o.code == goneForGood || now.Sub(current.FailingSince) >= stopAfter) {
			stop = o.err
		}
		if stop.Blank() || current.State != HookOn {
			return updateHook(ctx, tx, *current)
		}
		current.State, current.Why = HookStopped, stop.String()
		if err := updateHook(ctx, tx, *current); err != nil {
			return err
		}
		return journal.Append(ctx, tx, entente.System(h.Org, entente.DoorWorker), EventStopped, h.ID, map[string]any{
			"name": current.Name, "place": current.Place(), "why": stop.String(), "failingSince": current.FailingSince.Format(time.RFC3339),
		})
	})
}

// goneForGood is the answer of a receiver that wants to hear nothing more.
const goneForGood = 410
