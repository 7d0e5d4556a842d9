package exchange

import (
	"context"
	"encoding/json"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// VerifyFeeds reads all feeds of the organisation and checks that they are whole:
// numbers without gaps, each entry naming the hash of the one before, each what its
// hash says, each signed by a key of its sender. What was deleted after a recall is
// checked by its hash alone. It gives how many there are; the error names the first place that is not as it was
// signed.
func (s *Service) VerifyFeeds(ctx context.Context, actor entente.Actor) (entries uint64, err error) {
	if err := identity.Require(actor, identity.JournalVerify, identity.In(actor.Org)); err != nil {
		return 0, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		entries = 0
		known, err := readSelf(ctx, tx, actor.Org)
		if known == nil {
			return err // without a key nothing was signed
		}
		self, err := s.verified(*known)
		if err != nil {
			return err
		}
		partners, err := s.partners(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		for _, p := range partners {
			for _, f := range []Feed{p.Out, p.In} {
				ring := p.Ring
				if f.Way == Out {
					ring = self.Ring
				}
				if err := verifyFeed(ctx, tx, actor.Org, p, f, ring); err != nil {
					return err
				}
				entries += f.Number
			}
		}
		return nil
	})
	return entries, err
}

func verifyFeed(ctx context.Context, tx *db.Tx, org entente.OrgID, p Partner, f Feed, ring entente.Keyring) error {
	broken := func(n uint64, why entente.Text) error {
		return entente.Conflict("the feed %s %s is broken at entry %d: %s", f.Way, p.Name, n, entente.Say(why))
	}
	var number uint64
	var prev entente.Hash
	err := db.Each(ctx, tx, "SELECT "+entryColumns+" FROM exchange_entry WHERE org = $1 AND party = $2 AND way = $3 ORDER BY number", func(row db.Scanner) error {
		e, err := scanEntry(row)
		if err != nil {
			return err
		}
		if e.Number != number+1 {
			return broken(number+1, "it is missing")
		}
		if e.State != Recalled && e.State != Expired || len(e.Envelope.Payload) > 0 {
			var read entente.Entry
			switch {
			case entente.HashOf(e.Envelope.Payload) != e.Hash:
				return broken(e.Number, "it is not what its hash says")
			case json.Unmarshal(e.Envelope.Payload, &read) != nil:
				return broken(e.Number, "it cannot be read")
			case read.Prev != prev || read.Number != e.Number:
				return broken(e.Number, "it does not follow the one before")
			case !e.Envelope.SignedByAny(ring):
				return broken(e.Number, "it is not signed by a key of its sender")
			}
		}
		number, prev = e.Number, e.Hash
		return nil
	}, org, f.Party, f.Way)
	if err == nil && (number != f.Number || prev != f.Head) {
		return broken(f.Number, "the feed does not end with it")
	}
	return err
}
