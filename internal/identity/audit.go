package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// act is something that a person did to their own account, for the journal of each
// of their organisations.
type act struct {
	kind journal.Kind
	body map[string]any
	only entente.OrgID // where it concerns one organisation alone
}

// notice is the stored form of an act.
type notice struct {
	Actor entente.Actor   `json:"actor"`
	Body  json.RawMessage `json:"body"`
}

// personally changes what belongs to one person alone. What fn says was done is
// noted in the same transaction and then carried into the journals of the person's
// organisations, each of which has its own writer.
func (s *Service) personally(ctx context.Context, p entente.PersonID, fn func(*db.Tx) (*act, error)) error {
	var orgs []entente.OrgID
	err := s.db.WriteNode(ctx, func(tx *db.Tx) error {
		orgs = nil
		done, err := fn(tx)
		if err != nil || done == nil {
			return err
		}
		orgs, err = s.note(ctx, tx, p, *done)
		return err
	})
	s.forget()
	if err != nil {
		return err
	}
	s.deliver(ctx, orgs)
	return nil
}

// note writes the notices of an act.
func (s *Service) note(ctx context.Context, tx *db.Tx, p entente.PersonID, a act) (orgs []entente.OrgID, err error) {
	who, err := personByID(ctx, tx, p)
	if err != nil || who == nil {
		return nil, err
	}
	memberships, err := membershipsOf(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if a.body == nil {
		a.body = map[string]any{}
	}
	a.body["at"] = now.Format(time.RFC3339)
	for _, m := range memberships {
		if a.only != "" && a.only != m.Org {
			continue
		}
		err := insertNotice(ctx, tx, m.Org, noticeRow{
			id: fmt.Sprintf("%016x-%.8s", s.c.Now().UnixNano(), newID()), kind: string(a.kind), subject: string(p),
			body: jsonText(notice{Actor: actorOf(*who, m, entente.DoorPage), Body: json.RawMessage(jsonText(a.body))}),
		}, now)
		if err != nil {
			return nil, err
		}
		orgs = append(orgs, m.Org)
	}
	return orgs, nil
}

// deliver carries notices into journals: at once, or by [Service.Run] where it runs,
// so that no page waits for the writer of an organisation.
func (s *Service) deliver(ctx context.Context, orgs []entente.OrgID) {
	if len(orgs) == 0 {
		return
	}
	if s.running.Load() {
		select {
		case s.nudge <- struct{}{}:
		default:
		}
		return
	}
	for _, org := range orgs {
		if err := s.deliverTo(context.WithoutCancel(ctx), org); err != nil {
			s.c.Log.Error("notices wait for the journal", "org", org, "error", err)
		}
	}
}

func (s *Service) deliverTo(ctx context.Context, org entente.OrgID) error {
	const batch = 500
	for {
		n := 0
		err := s.db.Write(ctx, org, func(tx *db.Tx) error {
			rows, err := noticesOf(ctx, tx, org, batch)
			if err != nil {
				return err
			}
			n = len(rows)
			for _, row := range rows {
				var kept notice
				if err := json.Unmarshal([]byte(row.body), &kept); err != nil {
					return fmt.Errorf("notice %s: %w", row.id, err)
				}
				if _, err := deleteNotice(ctx, tx, org, row.id); err != nil {
					return err
				}
				if err := journal.Append(ctx, tx, kept.Actor, journal.Kind(row.kind), row.subject, kept.Body); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < batch {
			return err
		}
	}
}

// deliverAll carries every notice that is left, also from before a stop.
func (s *Service) deliverAll(ctx context.Context) error {
	var orgs []entente.OrgID
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		orgs, err = orgsWithNotices(ctx, tx)
		return err
	})
	for _, org := range orgs {
		err = errors.Join(err, s.deliverTo(ctx, org))
	}
	return err
}

// RecordDenied writes to the journal that an act was denied, if err is such a
// denial, as every error of [Require] is. The doors call it with the error that
// they answer, so that no room has to.
func (s *Service) RecordDenied(ctx context.Context, err error) {
	var d *Denial
	if errors.As(err, &d) {
		s.RecordDenial(ctx, d.Actor, d.Verb, d.Object, d.Reason)
	}
}

// RecordDenial writes to the journal of the actor's organisation that an act was
// denied. Of the same person and verb one event in ten minutes is written, with the
// number of those between, and of one organisation so many in an hour; so a flood of
// attempts can fill neither the disk nor the view of an auditor.
func (s *Service) RecordDenial(ctx context.Context, actor entente.Actor, v Verb, o Object, reason string) {
	if actor.Org == "" {
		return
	}
	repeated, write := s.denials.admit(actor, v, s.now())
	if !write {
		return
	}
	s.writeDenial(ctx, actor, v, map[string]any{
		"kind": clip(o.Kind), "id": clip(o.ID), "org": clip(string(o.Org)), "reason": reason, "repeated": repeated,
	})
}

func (s *Service) writeDenial(ctx context.Context, actor entente.Actor, v Verb, body map[string]any) {
	ctx = context.WithoutCancel(ctx)
	err := s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		return journal.Append(ctx, tx, actor, EventDenied, clip(string(v)), body)
	})
	if err != nil {
		s.c.Log.Error("a denial could not be recorded", "org", actor.Org, "person", actor.Person, "verb", v, "error", err)
	}
}

// clip bounds what a stranger can make the journal hold, and keeps it text.
func clip(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s[:min(len(s), 100)], "\x00", ""), "")
}

// Bounds of denials in the journal.
const (
	denialsEvery   = 10 * time.Minute // the same person and verb
	denialsPerHour = 120              // of one organisation
	maxDenials     = 10_000           // that are remembered
)

// denials decides which denials are written. Each replica decides for itself, so the
// bounds hold per replica.
type denials struct {
	mu   sync.Mutex
	seen map[denialKey]*denied
	hour map[entente.OrgID]*hourly
}

type denialKey struct {
	org    entente.OrgID
	person entente.PersonID
	name   string
	verb   Verb
}

type denied struct {
	actor     entente.Actor
	written   time.Time
	unwritten int
}

type hourly struct {
	began time.Time
	n     int
}

func newDenials() *denials {
	return &denials{seen: map[denialKey]*denied{}, hour: map[entente.OrgID]*hourly{}}
}

// admit says whether this denial is to be written, and how many like it were not.
func (d *denials) admit(actor entente.Actor, v Verb, now time.Time) (repeated int, write bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := denialKey{actor.Org, actor.Person, actor.Name, v}
	if actor.Person != "" {
		key.name = ""
	}
	before := d.seen[key]
	if before == nil {
		if len(d.seen) >= maxDenials {
			return 0, false
		}
		before = &denied{actor: actor}
		d.seen[key] = before
	}
	if now.Sub(before.written) < denialsEvery || !d.within(actor.Org, now) {
		before.unwritten++
		return 0, false
	}
	repeated = before.unwritten
	before.written, before.unwritten = now, 0
	return repeated, true
}

// within counts against the organisation's hour.
func (d *denials) within(org entente.OrgID, now time.Time) bool {
	h := d.hour[org]
	if h == nil || now.Sub(h.began) >= time.Hour {
		h = &hourly{began: now}
		d.hour[org] = h
	}
	if h.n >= denialsPerHour {
		return false
	}
	h.n++
	return true
}

// settle forgets what is old, and gives what was counted and never written.
func (d *denials) settle(now time.Time) map[denialKey]denied {
	d.mu.Lock()
	defer d.mu.Unlock()
	owed := map[denialKey]denied{}
	for key, one := range d.seen {
		if now.Sub(one.written) < denialsEvery {
			continue
		}
		if one.unwritten > 0 {
			if !d.within(key.org, now) {
				continue
			}
			owed[key] = *one
		}
		delete(d.seen, key)
	}
	for org, h := range d.hour {
		if now.Sub(h.began) >= time.Hour {
			delete(d.hour, org)
		}
	}
	return owed
}
