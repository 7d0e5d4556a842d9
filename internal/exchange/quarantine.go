package exchange

import (
	"context"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Release lifts the quarantine of a partnership, if the partner's node now says again
// what it said before: people have talked, and its history was put right. The proof is
// kept.
func (s *Service) Release(ctx context.Context, actor entente.Actor, party entente.PartyID) error {
	if err := identity.Require(actor, identity.PartnerManage, onPartner(actor, party)); err != nil {
		return err
	}
	self, err := s.self(ctx, actor.Org)
	if err != nil {
		return err
	}
	var p Partner
	var signer entente.Signer
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = s.partner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		_, signer, err = s.mine(ctx, tx, actor.Org)
		return err
	})
	if err != nil {
		return err
	}
	at, err := s.atPartner(ctx, p, self, signer)
	if err != nil {
		return err
	}
	if !p.In.Quarantine.Blank() {
		if err := s.saysAgain(ctx, at, self, p); err != nil {
			return err
		}
	}
	var receipt *entente.Envelope
	if !p.Out.Quarantine.Blank() {
		answer, err := at.push(ctx, self.Party(), party, nil)
		if err != nil {
			return toPerson(err)
		}
		receipt = answer.Receipt
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		fresh, err := s.partner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		if fresh.In.Quarantine.Blank() && fresh.Out.Quarantine.Blank() {
			return nil
		}
		fresh.In.Quarantine, fresh.Out.Quarantine = entente.Message{}, entente.Message{}
		// What came while it was in quarantine is asked for now.
		if err := s.saveArmed(ctx, tx, &fresh.In, s.now()); err != nil {
			return err
		}
		if receipt != nil {
			fresh.Out.Receipt = nil
			if err := s.acknowledge(ctx, tx, &fresh, *receipt); err != nil {
				return err
			}
			if !fresh.Out.Quarantine.Blank() {
				return entente.Conflict("%s still holds something else than what was sent", p.Name)
			}
		}
		if err := s.armFeed(ctx, tx, &fresh.Out, s.now()); err != nil {
			return err
		}
		if err := updateFeed(ctx, tx, actor.Org, fresh.Out); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventReleased, string(party), map[string]any{"name": p.Name})
	})
}

// saysAgain asks the partner's node for the last entry that we hold of it.
func (s *Service) saysAgain(ctx context.Context, at node, self Self, p Partner) error {
	if p.In.Number == 0 {
		return nil
	}
	got, err := at.pull(ctx, p.Party, self.Party(), Pull{After: p.In.Number - 1})
	if err != nil {
		return toPerson(err)
	}
	if len(got.Entries) == 0 || entente.HashOf(got.Entries[0].Payload) != p.In.Head {
		return entente.Conflict("%s still says something else than what it said before; talk to its people, and let them put their history right", p.Name)
	}
	return nil
}
