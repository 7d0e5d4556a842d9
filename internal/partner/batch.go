package partner

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// MaxTiers is how many tiers are set at once.
const MaxTiers = 1000

// tierSet is the body of [EventTierSet]. Those of one batch follow one another in the
// journal and name the first of them; so the batch can be undone.
type tierSet struct {
	Tier   Tier      `json:"tier"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until"`
	At     int64     `json:"at"`
	Batch  int64     `json:"batch"`
	Before *wasSet   `json:"before,omitempty"`
}

// wasSet is an override that another one replaced.
type wasSet struct {
	Tier   Tier   `json:"tier"`
	Reason string `json:"reason"`
	By     string `json:"by"`
	At     int64  `json:"at"`
	Until  int64  `json:"until"`
}

// SetTiers sets the tiers of several suppliers by hand, of all or of none. It gives
// the number by which [Service.UndoTiers] takes that back.
func (s *Service) SetTiers(ctx context.Context, actor entente.Actor, suppliers []chain.NodeID, o Override) (batch int64, err error) {
	if len(suppliers) == 0 {
		if err := identity.Require(actor, identity.ChainOverride, identity.In(actor.Org)); err != nil {
			return 0, err
		}
		return 0, entente.Invalid("nothing was chosen")
	}
	for _, id := range suppliers {
		if err := identity.Require(actor, identity.ChainOverride, on(actor, id)); err != nil {
			return 0, err
		}
	}
	if len(suppliers) > MaxTiers {
		return 0, entente.TooLarge("these are %d; at most %d are changed at once", len(suppliers), MaxTiers)
	}
	o.By, o.At, o.Reason = actor.Name, s.now(), strings.TrimSpace(o.Reason)
	if err := o.Check(); err != nil {
		return 0, err
	}
	if len(o.Reason) > maxReason {
		return 0, entente.TooLarge("the reason is longer than %d characters", maxReason)
	}
	for _, id := range suppliers {
		if err := s.known(ctx, actor, id); err != nil {
			return 0, err
		}
	}
	err = s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		before, err := readRecorded(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		batch, err = journal.Head(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		batch++
		for _, id := range suppliers {
			if err := putOverride(ctx, tx, actor.Org, id, o); err != nil {
				return err
			}
			body := tierSet{Tier: o.Tier, Reason: o.Reason, Until: o.Until.UTC(), At: db.Millis(o.At), Batch: batch}
			if was := before.overrides[id]; was != nil {
				body.Before = &wasSet{was.Tier, was.Reason, was.By, db.Millis(was.At), db.Millis(was.Until)}
			}
			if err := journal.Append(ctx, tx, actor, EventTierSet, string(id), body); err != nil {
				return err
			}
		}
		return nil
	})
	return batch, err
}

// UndoTiers takes back what [Service.SetTiers] did, for all suppliers or for none: not
// if one of the tiers was changed since.
func (s *Service) UndoTiers(ctx context.Context, actor entente.Actor, batch int64) error {
	if err := identity.Require(actor, identity.ChainOverride, identity.In(actor.Org)); err != nil {
		return err
	}
	if batch < 1 {
		return entente.NotFound("no tiers were set under the number %d", batch)
	}
	g, err := s.chain.Graph(ctx, actor) // for names; requires chain.read
	if err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		events, err := journal.Events(ctx, tx, actor.Org, batch-1, MaxTiers)
		if err != nil {
			return err
		}
		now, err := readRecorded(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		undone := 0
		for _, e := range events {
			if e.Kind != EventTierSet {
				break
			}
			var did tierSet
			if err := e.Decode(&did); err != nil {
				return err
			}
			if did.Batch != batch {
				break
			}
			id := chain.NodeID(e.Subject)
			is := now.overrides[id]
			if is == nil || db.Millis(is.At) != did.At || is.Tier != did.Tier || is.Reason != did.Reason {
				name := string(id)
				if o, ok := g.Organisation(id); ok {
					name = o.Name
				}
				return entente.Conflict("the tier of %s was changed since; nothing was undone", name)
			}
			if err := undoTier(ctx, tx, actor, id, did.Before); err != nil {
				return err
			}
			undone++
		}
		if undone == 0 {
			return entente.NotFound("no tiers were set under the number %d", batch)
		}
		return nil
	})
}

func undoTier(ctx context.Context, tx *db.Tx, actor entente.Actor, id chain.NodeID, was *wasSet) error {
	if was == nil {
		if _, err := dropOverride(ctx, tx, actor.Org, id); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventTierFreed, string(id), nil)
	}
	o := Override{Tier: was.Tier, Reason: was.Reason, By: was.By, At: db.Time(was.At), Until: db.Time(was.Until)}
	if err := putOverride(ctx, tx, actor.Org, id, o); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventTierSet, string(id), tierSet{Tier: o.Tier, Reason: o.Reason, Until: o.Until.UTC(), At: was.At})
}

// NoTiers gives the reason for each of some organisations whose tier cannot be set:
// those to whom no chain leads.
func (s *Service) NoTiers(ctx context.Context, actor entente.Actor, ids []chain.NodeID) (map[chain.NodeID]error, error) {
	g, err := s.chain.Graph(ctx, actor) // requires chain.read
	if err != nil {
		return nil, err
	}
	why := map[chain.NodeID]error{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if err := identity.Require(actor, identity.ChainOverride, on(actor, id)); err != nil {
			why[id] = err
			continue
		}
		if _, ok := g.Organisation(id); !ok || g.Rank(id) < 1 {
			why[id] = entente.NotFound("it is not a supplier in this chain")
		}
	}
	return why, nil
}
