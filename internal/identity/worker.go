package identity

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// How often the room looks after itself.
const (
	tidyEvery  = 30 * time.Second
	sweepEvery = time.Hour
)

// Run carries notices into the journals, writes when sessions and tokens were last
// used, and removes what has run out, until ctx ends. A node runs it beside its
// server; without it (at the command line, in tests) notices are carried at once and
// times of use are written by [Service.Tidy].
func (s *Service) Run(ctx context.Context) error {
	s.running.Store(true)
	defer s.running.Store(false)
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	swept := time.Time{}
	for {
		if err := s.Tidy(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.Error("looking after people and sessions", "error", err)
		}
		if now := s.now(); now.Sub(swept) >= sweepEvery {
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.c.Log.Error("removing ended sessions", "error", err)
			}
			swept = now
		}
		select {
		case <-tick.C:
		case <-s.nudge:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return s.Tidy(last)
		}
	}
}

// Tidy does once what [Service.Run] does again and again: notices, times of use,
// denials that were counted only.
func (s *Service) Tidy(ctx context.Context) error {
	err := s.deliverAll(ctx)
	for key, owed := range s.denials.settle(s.now()) {
		s.writeDenial(ctx, owed.actor, key.verb, map[string]any{"repeated": owed.unwritten, "reason": "the same was denied again"})
	}
	return errors.Join(err, s.writeTouched(ctx))
}

func (s *Service) writeTouched(ctx context.Context) error {
	var err error
	if used := s.touched.take(); len(used) > 0 {
		err = s.db.WriteNode(ctx, func(tx *db.Tx) error {
			for hash, at := range used {
				if err := touchSession(ctx, tx, []byte(hash), at); err != nil {
					return err
				}
			}
			return nil
		})
	}
	perOrg := map[entente.OrgID]map[string]time.Time{}
	for key, at := range s.tokensUsed.take() {
		org, id, _ := strings.Cut(key, " ")
		if perOrg[entente.OrgID(org)] == nil {
			perOrg[entente.OrgID(org)] = map[string]time.Time{}
		}
		perOrg[entente.OrgID(org)][id] = at
	}
	for org, used := range perOrg {
		err = errors.Join(err, s.db.Write(ctx, org, func(tx *db.Tx) error {
			for id, at := range used {
				if err := touchToken(ctx, tx, org, id, at); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return err
}

// Sweep removes sessions, ceremonies and counts that have run out.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	err := s.db.WriteNode(ctx, func(tx *db.Tx) error {
		_, err := sweep(ctx, tx, now, now.Add(-s.c.Idle))
		return err
	})
	s.forget()
	return err
}
