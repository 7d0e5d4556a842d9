package exchange

import (
	"context"
	"encoding/json"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// Contradiction is two signed statements about one feed of which only one can be
// true: why the feed is in quarantine.
type Contradiction struct {
	Way Way
	// First is what we hold, or have sent. Its number is that of Second, or the one
	// before it where Second does not follow.
	First Proof
	// Second is what the partner signed besides.
	Second Proof
	At     time.Time // when it came
}

// Proof is one of the two sides of a [Contradiction]: what proves itself of an entry
// or of a receipt, and never what it says.
type Proof struct {
	Number  uint64
	Hash    entente.Hash
	Prev    entente.Hash // zero for receipts
	Key     entente.KeyID
	Kind    entente.EntryKind // empty for receipts
	Subject string
	Said    time.Time // by the clock of who signed it
}

// Contradictions lists what a partner has signed against what it said before, or
// against what we sent, the first first.
func (s *Service) Contradictions(ctx context.Context, actor entente.Actor, party entente.PartyID) (list []Contradiction, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list = nil
		p, err := s.partner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		forks, err := forksOf(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		for _, f := range forks {
			c := Contradiction{Way: In, Second: proofOf(f.Envelope), At: f.At}
			c.First, err = heldBeside(ctx, tx, actor.Org, party, In, f.Number)
			if err != nil {
				return err
			}
			list = append(list, c)
		}
		if p.Out.Quarantine.Blank() || p.Out.Receipt == nil {
			return nil
		}
		c := Contradiction{Way: Out, Second: proofOf(*p.Out.Receipt), At: p.Out.Tried}
		c.First, err = heldBeside(ctx, tx, actor.Org, party, Out, c.Second.Number)
		list = append(list, c)
		return err
	})
	return list, err
}

// heldBeside is the entry that stands in a feed with a number or, where there is
// none, the one before it.
func heldBeside(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID, way Way, number uint64) (Proof, error) {
	row, err := readEntry(ctx, tx, org, party, way, number)
	if entente.KindOf(err) == entente.KindNotFound && number > 1 {
		row, err = readEntry(ctx, tx, org, party, way, number-1)
	}
	if entente.KindOf(err) == entente.KindNotFound {
		return Proof{}, nil
	}
	if err != nil {
		return Proof{}, err
	}
	p := proofOf(row.Envelope)
	p.Number, p.Hash, p.Kind, p.Subject, p.Said = row.Number, row.Hash, row.Kind, row.Subject, row.Said // also where the content was deleted
	return p, nil
}

// proofOf reads what an envelope of an entry or a receipt proves.
func proofOf(e entente.Envelope) Proof {
	var p Proof
	if len(e.Signatures) > 0 {
		p.Key = e.Signatures[0].KeyID
	}
	if e.PayloadType == entente.ReceiptType {
		var r entente.Receipt
		if json.Unmarshal(e.Payload, &r) == nil {
			p.Number, p.Hash, p.Said = r.Number, r.Hash, r.At
		}
		return p
	}
	var entry entente.Entry
	if json.Unmarshal(e.Payload, &entry) == nil {
		p.Number, p.Prev, p.Kind, p.Subject, p.Said = entry.Number, entry.Prev, entry.Kind, entry.Subject, entry.At
	}
	p.Hash = entente.HashOf(e.Payload)
	return p
}
