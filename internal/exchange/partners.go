package exchange

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// PartnerState says whether a partnership goes on.
type PartnerState string

// The states of a partnership.
const (
	Active PartnerState = "active"
	Ended  PartnerState = "ended" // its history is kept, its feeds stand still
)

// Partner is the other side of a partnership.
type Partner struct {
	Party    entente.PartyID
	Name     string
	KnownAs  string // the organisation of the chain that it is; empty: none
	Address  string // of its node
	Document entente.KeyDocument
	Ring     entente.Keyring
	State    PartnerState
	Began    time.Time
	Ended    time.Time
	EndedBy  entente.PartyID
	EndedWhy string
	// Compared is when a person of ours compared the fingerprint of the key in force;
	// zero: nobody has, or the key was changed after.
	Compared   time.Time
	ComparedBy string
	Contacts   []entente.Contact

	// Agreement is the version that both signed last; its Version is 0 where there is
	// none.
	Agreement entente.Agreement
	// Out and In are the feeds to the partner and from it.
	Out, In Feed

	document    string
	comparedKey entente.KeyID
}

// Fingerprint is what the partner's people should read.
func (p Partner) Fingerprint() []string { return p.Ring.Current().Public.Fingerprint() }

// Buys says whether the partner buys from us.
func (p Partner) Buys() bool { side, _ := p.Agreement.Side(p.Party); return side.Buys }

// Supplies says whether the partner supplies us.
func (p Partner) Supplies() bool { side, _ := p.Agreement.Side(p.Party); return side.Supplies }

// Way is the direction of a feed, from the view of the organisation.
type Way string

// The directions.
const (
	Out Way = "out" // what we say
	In  Way = "in"  // what the partner says
)

// Feed is where one feed stands.
type Feed struct {
	Party  entente.PartyID
	Way    Way
	Number uint64 // of the last entry
	Head   entente.Hash
	Key    entente.KeyID
	// Quarantine says why nothing more is taken; blank: all is well.
	Quarantine entente.Message
	// Acked is up to where the receiver has signed that it holds the feed.
	Acked    uint64
	Receipt  *entente.Envelope
	AckedAt  time.Time
	Tried    time.Time
	Failures int
	Error    string

	armed time.Time
}

// Waiting is how many entries the receiver has not signed for.
func (f Feed) Waiting() uint64 { return f.Number - f.Acked }

// state is the feed as the rules see it.
func (f Feed) state(self entente.PartyID) entente.FeedState {
	st := entente.FeedState{From: self, To: f.Party, Number: f.Number, Head: f.Head, Key: f.Key, Quarantined: f.Quarantine}
	if f.Way == In {
		st.From, st.To = f.Party, self
	}
	return st
}

// Partners lists all partnerships, the active ones first, by name.
func (s *Service) Partners(ctx context.Context, actor entente.Actor) (list []Partner, err error) {
	if err := identity.Require(actor, identity.PartnerRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = s.partners(ctx, tx, actor.Org)
		return err
	})
	slices.SortStableFunc(list, func(a, b Partner) int {
		if a.State != b.State {
			return strings.Compare(string(a.State), string(b.State))
		}
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list, err
}

// Partner gives one partnership.
func (s *Service) Partner(ctx context.Context, actor entente.Actor, party entente.PartyID) (p Partner, err error) {
	if err := identity.Require(actor, identity.PartnerRead, onPartner(actor, party)); err != nil {
		return Partner{}, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		p, err = s.partner(ctx, tx, actor.Org, party)
		return err
	})
	return p, err
}

func onPartner(actor entente.Actor, party entente.PartyID) identity.Object {
	return identity.Object{Kind: identity.KindPartnership, Org: actor.Org, ID: string(party)}
}

// Compared records that a person has compared the words of the partner's key with
// those that the partner's people read out.
func (s *Service) Compared(ctx context.Context, actor entente.Actor, party entente.PartyID, key entente.KeyID) error {
	if err := identity.Require(actor, identity.PartnerManage, onPartner(actor, party)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		p, err := s.partner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		if current := p.Ring.Current().Public.ID(); current != key {
			return entente.Conflict("%s has changed its key since; compare the words again", p.Name)
		}
		p.Compared, p.ComparedBy, p.comparedKey = s.now(), actor.Name, key
		if err := updatePartner(ctx, tx, actor.Org, p); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventCompared, string(party), map[string]any{"name": p.Name, "key": key})
	})
}

// SetKnownAs says which organisation of the chain a partner is; empty: none.
func (s *Service) SetKnownAs(ctx context.Context, actor entente.Actor, party entente.PartyID, id string) error {
	if err := identity.Require(actor, identity.PartnerManage, onPartner(actor, party)); err != nil {
		return err
	}
	if id != "" {
		if err := entente.ValidSlug(id); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		all, err := s.partners(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.KnownAs == id && id != "" && p.Party != party && p.State == Active {
				return entente.Conflict("%s is that organisation already", p.Name)
			}
		}
		i := slices.IndexFunc(all, func(p Partner) bool { return p.Party == party })
		if i < 0 {
			return noPartner()
		}
		p := all[i]
		if p.KnownAs == id {
			return nil
		}
		p.KnownAs = id
		if err := updatePartner(ctx, tx, actor.Org, p); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventKnownAs, string(party), map[string]any{"name": p.Name, "organisation": id})
	})
}

func noPartner() error { return entente.NotFound("there is no such partner") }

// End ends a partnership: the other side is told, nothing more is sent or taken, and
// what was said stays as it is.
func (s *Service) End(ctx context.Context, actor entente.Actor, party entente.PartyID, reason string) error {
	if err := identity.Require(actor, identity.PartnerManage, onPartner(actor, party)); err != nil {
		return err
	}
	if len(reason) > entente.MaxMarkingText {
		return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		p, err := s.partner(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		if p.State == Ended {
			return entente.Conflict("the partnership has ended already")
		}
		self, signer, err := s.mine(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		body, err := encode(agreementBody{Act: actEnd, Reason: reason})
		if err != nil {
			return err
		}
		if _, err := s.tell(ctx, tx, self, signer, p, entente.EntryAgreement, "", body); err != nil {
			return err
		}
		return s.ended(ctx, tx, actor, p, self.Party(), reason)
	})
}

// ended writes down the end of a partnership. What is in the feed to the partner is
// still delivered: the last entry says that it is over.
func (s *Service) ended(ctx context.Context, tx *db.Tx, actor entente.Actor, p Partner, by entente.PartyID, reason string) error {
	p.State, p.Ended, p.EndedBy, p.EndedWhy = Ended, s.now(), by, reason
	if err := updatePartner(ctx, tx, tx.Org(), p); err != nil {
		return err
	}
	return journal.Append(ctx, tx, actor, EventEnded, string(p.Party), map[string]any{"name": p.Name, "by": by, "reason": reason})
}
