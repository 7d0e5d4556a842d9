package exchange

import (
	"context"
	"encoding/json"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Dispute explains a quarantine: what we hold, and what contradicts it.
type Dispute struct {
	Way Way
	Why entente.Message
	// Forks are what the partner said against what it had said; for a feed of ours there
	// is the receipt instead.
	Forks   []Fork
	Held    []Contradicted
	Receipt *entente.Envelope
}

// Contradicted is the entry that we hold under a number that was signed twice.
type Contradicted struct {
	Number  uint64
	Hash    entente.Hash
	Kind    entente.EntryKind
	Subject string
}

// Read reads what the contradicting entry says it is.
func (f Fork) Read() (e entente.Entry) {
	_ = json.Unmarshal(f.Envelope.Payload, &e) // it was read before it was kept
	return e
}

// Disputes explains the quarantines of a partnership; none: all is well.
func (s *Service) Disputes(ctx context.Context, actor entente.Actor, party entente.PartyID) (list []Dispute, err error) {
	if err := identity.Require(actor, identity.PartnerRead, onPartner(actor, party)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list = nil
		p, err := s.partner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		if !p.In.Quarantine.Blank() {
			d := Dispute{Way: In, Why: p.In.Quarantine}
			d.Forks, err = forksOf(ctx, tx, actor.Org, party)
			if err != nil {
				return err
			}
			for _, f := range d.Forks {
				held, err := readEntry(ctx, tx, actor.Org, party, In, f.Number)
				if entente.KindOf(err) == entente.KindNotFound {
					continue
				}
				if err != nil {
					return err
				}
				d.Held = append(d.Held, Contradicted{held.Number, held.Hash, held.Kind, held.Subject})
			}
			list = append(list, d)
		}
		if !p.Out.Quarantine.Blank() {
			list = append(list, Dispute{Way: Out, Why: p.Out.Quarantine, Receipt: p.Out.Receipt})
		}
		return nil
	})
	return list, err
}

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
			return err
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
		if err := updateFeed(ctx, tx, actor.Org, fresh.In); err != nil {
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
		return err
	}
	if len(got.Entries) == 0 || entente.HashOf(got.Entries[0].Payload) != p.In.Head {
		return entente.Conflict("%s still says something else than what it said before; talk to its people, and let them put their history right", p.Name)
	}
	return nil
}
