package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange/vault"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// Self is an organisation as other nodes know it.
type Self struct {
	Document entente.KeyDocument
	Ring     entente.Keyring
	// Contacts are whom all partners were told that they can reach; none: each knows whom
	// we named when we became partners.
	Contacts []entente.Contact
	// Moved is when its seat left this node; zero: it is here.
	Moved time.Time
}

// Party is the organisation's name among all nodes.
func (s Self) Party() entente.PartyID { return s.Document.Party }

// Fingerprint is what its people read to those of a partner.
func (s Self) Fingerprint() []string { return s.Ring.Current().Public.Fingerprint() }

// Self gives the organisation as others know it, and makes its first key where it
// has none.
func (s *Service) Self(ctx context.Context, actor entente.Actor) (self Self, err error) {
	if err := identity.Require(actor, identity.PartnerRead, identity.In(actor.Org)); err != nil {
		return Self{}, err
	}
	return s.self(ctx, actor.Org)
}

// self is [Service.Self] for the program.
func (s *Service) self(ctx context.Context, org entente.OrgID) (self Self, err error) {
	var known *Self
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		known, err = readSelf(ctx, tx, org)
		return err
	})
	if err != nil {
		return Self{}, err
	}
	if known != nil {
		return s.verified(*known)
	}
	if s.c.Key.Check() == "" {
		return Self{}, ErrNoKey
	}
	name, err := s.nameOf(ctx, org)
	if err != nil {
		return Self{}, err
	}
	public, sealed, err := vault.Make(s.c.Key, org)
	if err != nil {
		return Self{}, err
	}
	err = s.db.Write(ctx, org, func(tx *db.Tx) error {
		known, err = readSelf(ctx, tx, org)
		if err != nil || known != nil {
			return err
		}
		now := s.now()
		document := entente.KeyDocument{Version: 1, Party: entente.PartyOf(public), Name: name, Address: s.c.Origin, First: public, Since: now}
		known = &Self{Document: document}
		if err := insertSelf(ctx, tx, org, *known, now); err != nil {
			return err
		}
		if err := insertKey(ctx, tx, org, public.ID(), sealed, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, entente.System(org, entente.DoorWorker), EventKeyMade, string(document.Party), map[string]any{"key": public.ID()})
	})
	if err != nil {
		return Self{}, err
	}
	s.partiesChanged()
	return s.verified(*known)
}

func (s *Service) verified(self Self) (Self, error) {
	text, err := json.Marshal(self.Document)
	if err != nil {
		return self, err
	}
	_, self.Ring, err = s.ring(string(text))
	return self, err
}

func (s *Service) nameOf(ctx context.Context, org entente.OrgID) (string, error) {
	o, err := s.identity.Organisation(ctx, entente.System(org, entente.DoorWorker))
	return o.Name, err
}

// mine gives, inside a Write, the organisation's self and what signs for it.
func (s *Service) mine(ctx context.Context, tx *db.Tx, org entente.OrgID) (Self, entente.Signer, error) {
	known, text, err := selfText(ctx, tx, org)
	if err != nil {
		return Self{}, nil, err
	}
	if known == nil {
		return Self{}, nil, errors.New("the organisation has no key yet")
	}
	if !known.Moved.IsZero() {
		return Self{}, nil, entente.Conflict("the seat of this organisation was moved to another node")
	}
	self := *known
	self.Document, self.Ring, err = s.ring(text)
	if err != nil {
		return self, nil, err
	}
	if s.c.Key.Check() == "" {
		return self, nil, ErrNoKey
	}
	current := self.Ring.Current().Public
	sealed, err := readKey(ctx, tx, org, current.ID())
	if err != nil {
		return self, nil, err
	}
	signer, err := vault.Open(s.c.Key, org, current, sealed)
	return self, signer, err
}

// ErrNoKey says that the node cannot keep private keys, because it has no key of its
// own to seal them with.
var ErrNoKey = entente.Conflict("this node has no folder for the key that seals private keys, so nothing can be signed here; whoever runs it starts it with --data DIR besides --database, and gives all replicas the same folder or a copy of it")

// Rotate puts a new key in the place of the organisation's key, and tells all its
// partners. A key that was stolen is revoked with it: nothing that it signed is
// believed any more.
func (s *Service) Rotate(ctx context.Context, actor entente.Actor, reason string, revoke bool) error {
	if err := identity.Require(actor, identity.PartnerManage, identity.In(actor.Org)); err != nil {
		return err
	}
	if len(reason) > entente.MaxMarkingText {
		return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
	}
	if _, err := s.self(ctx, actor.Org); err != nil {
		return err
	}
	if s.c.Key.Check() == "" {
		return ErrNoKey
	}
	public, sealed, err := vault.Make(s.c.Key, actor.Org)
	if err != nil {
		return err
	}
	next, err := vault.Open(s.c.Key, actor.Org, public, sealed)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		self, current, err := s.mine(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if len(self.Document.Changes) >= entente.MaxKeyChanges {
			return entente.Conflict("the key was changed %d times, and no more changes fit into its document", entente.MaxKeyChanges)
		}
		now := s.now()
		c := entente.KeyChange{Version: 1, Party: self.Party(), Number: len(self.Document.Changes) + 1, At: now, New: public, Reason: reason}
		if n := len(self.Document.Changes); n > 0 {
			c.Prev = entente.HashOf(self.Document.Changes[n-1].Payload)
		}
		if revoke {
			c.Revokes = current.Key().ID()
		}
		change, err := entente.MakeKeyChange(c, current, next)
		if err != nil {
			return err
		}
		self.Document.Changes = append(self.Document.Changes, change)
		self, err = s.verified(self)
		if err != nil {
			return err
		}
		if err := updateSelf(ctx, tx, actor.Org, self); err != nil {
			return err
		}
		if err := insertKey(ctx, tx, actor.Org, public.ID(), sealed, now); err != nil {
			return err
		}
		err = journal.Append(ctx, tx, actor, EventKeyRotated, string(self.Party()), map[string]any{"key": public.ID(), "revoked": string(c.Revokes), "reason": reason})
		if err != nil {
			return err
		}
		if revoke {
			if err := resign(ctx, tx, actor.Org, next); err != nil {
				return err
			}
		}
		// The change itself is signed by both keys; the entry that carries it by the new.
		body, err := json.Marshal(self.Document)
		if err != nil {
			return err
		}
		return s.tellAll(ctx, tx, self, next, entente.EntryKeyChanged, "", body)
	})
}

// tellAll says something that keeps partnerships going to every active partner.
func (s *Service) tellAll(ctx context.Context, tx *db.Tx, self Self, signer entente.Signer, kind entente.EntryKind, subject string, body json.RawMessage) error {
	partners, err := s.partners(ctx, tx, tx.Org())
	if err != nil {
		return err
	}
	for _, p := range partners {
		if p.State != Active || !p.Agreement.InForce(s.now()) {
			continue // nothing travels to them any more
		}
		if _, err := s.tell(ctx, tx, self, signer, p, kind, subject, body); err != nil {
			return err
		}
	}
	return nil
}

// TellAddress tells all partners of the organisations of this node where
// the node is to be reached now, if that has changed since it was last told.
func (s *Service) TellAddress(ctx context.Context) error {
	all, err := s.identity.Organisations(ctx)
	if err != nil {
		return err
	}
	for _, o := range all {
		if err := s.tellAddress(ctx, o.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) tellAddress(ctx context.Context, org entente.OrgID) error {
	var known *Self
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		known, err = readSelf(ctx, tx, org)
		return err
	})
	if err != nil || known == nil || !known.Moved.IsZero() || known.Document.Address == s.c.Origin {
		return err
	}
	return s.db.Write(ctx, org, func(tx *db.Tx) error {
		self, signer, err := s.mine(ctx, tx, org)
		if err != nil || self.Document.Address == s.c.Origin {
			return err
		}
		from := self.Document.Address
		self.Document.Address = s.c.Origin
		if err := updateSelf(ctx, tx, org, self); err != nil {
			return err
		}
		body, err := json.Marshal(self.Document)
		if err != nil {
			return err
		}
		if err := s.tellAll(ctx, tx, self, signer, entente.EntryMoved, "", body); err != nil {
			return err
		}
		return journal.Append(ctx, tx, entente.System(org, entente.DoorWorker), EventMoved, string(self.Party()), map[string]any{"from": from, "to": s.c.Origin})
	})
}

// KeyDocument gives the key document of a party of this node, for anybody who asks.
func (s *Service) KeyDocument(ctx context.Context, party entente.PartyID) (entente.KeyDocument, error) {
	org, err := s.local(ctx, party)
	if err != nil {
		return entente.KeyDocument{}, err
	}
	if org == "" {
		return entente.KeyDocument{}, entente.NotFound("this node does not host %s", party)
	}
	self, err := s.self(ctx, org)
	return self.Document, err
}

// readDocument reads a key document as it was stored or sent.
func readDocument(text []byte) (entente.KeyDocument, error) {
	var d entente.KeyDocument
	if len(text) > maxDocument {
		return d, entente.TooLarge("the key document is larger than %d bytes", maxDocument)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, entente.Invalid("this is no key document: %s", err.Error())
	}
	if len(d.Name) > maxName || len(d.Address) > maxAddress {
		return d, entente.TooLarge("the name or the address in the key document is too long")
	}
	return d, nil
}

// The bounds of what others send.
const (
	maxDocument = 2 << 20
	maxName     = 200
	maxAddress  = 500
)

// requestTime is how long one request to another node may take.
const requestTime = 30 * time.Second
