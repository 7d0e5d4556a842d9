package exchange

import (
	"context"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// fetch asks a partner for what it has said and did not bring.
func (s *Service) fetch(ctx context.Context, job *journal.Job) error {
	var todo armed
	if err := job.Decode(&todo); err != nil {
		return err
	}
	fault := s.fetchAll(ctx, job.Org, todo.Party, todo.At)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return job.Finish(ctx, func(tx *db.Tx) error {
		p, err := s.partner(ctx, tx, tx.Org(), todo.Party)
		if err != nil {
			return err
		}
		return s.rested(ctx, tx, p, todo, In, fault)
	})
}

// Fetch asks a partner now for what it has said and did not bring; what waits for it
// is brought now too.
func (s *Service) Fetch(ctx context.Context, actor entente.Actor, party entente.PartyID) error {
	if err := identity.Require(actor, identity.ExchangeShare, onPartner(actor, party)); err != nil {
		return err
	}
	err := s.fetchAll(ctx, actor.Org, party, 0)
	if entente.KindOf(err) == entente.KindNotFound {
		return err
	}
	if err != nil {
		return entente.Unavailable("the partner's node could not be asked: %s", err.Error())
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		f, err := readFeed(ctx, tx, actor.Org, party, Out)
		if err != nil || f.Waiting() == 0 {
			return err
		}
		f.Failures = 0
		return s.armFeed(ctx, tx, &f, s.now())
	})
}

// fetchAll fetches until nothing is missing, within bounds. at is the job for which it
// is done; 0: a person.
func (s *Service) fetchAll(ctx context.Context, org entente.OrgID, party entente.PartyID, at int64) error {
	began := time.Now()
	for time.Since(began) < roundTime {
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
		if err != nil {
			return err
		}
		if p.State != Active || !p.In.Quarantine.Blank() || at != 0 && db.Millis(p.In.armed) != at {
			return nil
		}
		from, err := s.atPartner(ctx, p, self, signer)
		if err != nil {
			return err
		}
		got, err := from.pull(ctx, p.Party, self.Party(), Pull{After: p.In.Number, Receipt: p.In.Receipt})
		if err != nil {
			return err
		}
		if len(got.Entries) == 0 {
			return nil
		}
		answer, err := s.take(ctx, org, p.Party, got.Entries)
		switch {
		case err != nil:
			return err
		case answer.Refused != "":
			return errors.New(answer.Refused)
		case answer.Want == p.In.Number+1:
			return errors.New("what the partner sent does not go on")
		}
	}
	return nil
}
