package notify

import (
	"context"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// DeliveryState says where a delivery stands.
type DeliveryState string

// The states of a delivery.
const (
	Waiting   DeliveryState = "waiting" // for its first attempt or for the next one
	Delivered DeliveryState = "delivered"
	Failed    DeliveryState = "failed" // given up; it can be delivered again
)

// DeliveryStates lists the states.
func DeliveryStates() []DeliveryState { return []DeliveryState{Waiting, Delivered, Failed} }

// Delivery is one event for one hook.
type Delivery struct {
	ID       string // webhook-id
	Hook     string
	Seq      int64 // the event
	Kind     journal.Kind
	Subject  string
	State    DeliveryState
	Attempts int
	Due      time.Time // of the next attempt, while it waits
	Created  time.Time
	Tried    time.Time // zero: not yet
	Code     int       // of the latest answer; 0: none came
	Took     time.Duration
	Error    string // of the latest attempt
}

// Which narrows the log; empty fields let everything through.
type Which struct {
	Hook  string
	State DeliveryState
	Kind  journal.Kind
	// Since leaves out what is older.
	Since time.Time
}

// Deliveries lists the log, the latest first, with the number of those that fit.
func (s *Service) Deliveries(ctx context.Context, actor entente.Actor, w Which, offset, limit int) (list []Delivery, fit int, err error) {
	if err := identity.Require(actor, identity.WebhookRead, identity.In(actor.Org)); err != nil {
		return nil, 0, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		fit, err = countDeliveries(ctx, tx, actor.Org, w)
		if err != nil {
			return err
		}
		list, err = deliveriesOf(ctx, tx, actor.Org, w, offset, limit)
		return err
	})
	return list, fit, err
}

// Delivery gives one line of the log.
func (s *Service) Delivery(ctx context.Context, actor entente.Actor, id string) (d Delivery, err error) {
	if err := identity.Require(actor, identity.WebhookRead, identity.In(actor.Org)); err != nil {
		return Delivery{}, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		d, err = mustDelivery(ctx, tx, actor.Org, id)
		return err
	})
	return d, err
}

// Replay delivers again what was delivered or given up, with the same webhook-id.
func (s *Service) Replay(ctx context.Context, actor entente.Actor, id string) error {
	if err := identity.Require(actor, identity.WebhookManage, identity.In(actor.Org)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		d, err := mustDelivery(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		h, err := onHook(ctx, tx, actor.Org, d.Hook)
		if err != nil {
			return err
		}
		if _, err := wakeDelivery(ctx, tx, actor.Org, id, s.now()); err != nil {
			return err
		}
		return s.replayed(ctx, tx, actor, h, 1)
	})
}

// ReplayFailed delivers again all of one hook that was given up since a moment, and
// says how many that are.
func (s *Service) ReplayFailed(ctx context.Context, actor entente.Actor, id string, since time.Time) (n int, err error) {
	if err := identity.Require(actor, identity.WebhookManage, identity.In(actor.Org)); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		h, err := onHook(ctx, tx, actor.Org, id)
		if err != nil {
			return err
		}
		n, err = wakeFailed(ctx, tx, actor.Org, id, since, s.now())
		if err != nil || n == 0 {
			return err
		}
		return s.replayed(ctx, tx, actor, h, n)
	})
	return n, err
}

func onHook(ctx context.Context, tx *db.Tx, org entente.OrgID, id string) (hook, error) {
	h, err := mustHook(ctx, tx, org, id)
	if err == nil && h.State != HookOn {
		err = entente.Conflict("the webhook is %s; let it go on first", h.State)
	}
	return h, err
}

func (s *Service) replayed(ctx context.Context, tx *db.Tx, actor entente.Actor, h hook, n int) error {
	if err := s.arm(ctx, tx, &h, 0); err != nil {
		return err
	}
	if err := updateHook(ctx, tx, h); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventReplayed, h.ID, map[string]any{"name": h.Name, "deliveries": n})
}
