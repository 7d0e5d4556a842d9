package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// VersionState says where a version of an agreement stands.
type VersionState string

// The states of a version.
const (
	VersionProposed VersionState = "proposed"
	VersionSigned   VersionState = "signed"
	VersionRefused  VersionState = "refused"
)

// Version is one version of the agreement with a partner.
type Version struct {
	Number   int // within the partnership: 1, 2, 3 …
	State    VersionState
	Proposer entente.PartyID
	Envelope entente.Envelope
	At       time.Time
	Why      string
}

// Agreement reads the version's text.
func (v Version) Agreement() (a entente.Agreement, err error) {
	err = json.Unmarshal(v.Envelope.Payload, &a)
	return a, err
}

// agreementBody is the body of entries of [entente.EntryAgreement].
type agreementBody struct {
	Act      agreementAct      `json:"act"`
	Envelope *entente.Envelope `json:"agreement,omitempty"`
	Hash     entente.Hash      `json:"hash,omitzero"` // of the payload that is refused
	Reason   string            `json:"reason,omitempty"`
}

type agreementAct string

const (
	actPropose agreementAct = "propose" // signed by the proposer
	actSign    agreementAct = "sign"    // signed by both
	actRefuse  agreementAct = "refuse"
	actEnd     agreementAct = "end"
)

// Versions lists the versions of the agreement with a partner, the newest first.
func (s *Service) Versions(ctx context.Context, actor entente.Actor, party entente.PartyID) (list []Version, err error) {
	if err := identity.Require(actor, identity.PartnerRead, onPartner(actor, party)); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		list, err = versionsOf(ctx, tx, actor.Org, party)
		return err
	})
	return list, err
}

// Propose proposes new terms to a partner. What is in force stays so until the
// partner signs.
func (s *Service) Propose(ctx context.Context, actor entente.Actor, party entente.PartyID, change func(*entente.Agreement)) error {
	if err := identity.Require(actor, identity.PartnerManage, onPartner(actor, party)); err != nil {
		return err
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		p, self, signer, err := s.with(ctx, tx, party)
		if err != nil {
			return err
		}
		open, err := proposal(ctx, tx, party)
		if err != nil {
			return err
		}
		if open != nil {
			return entente.Conflict("a proposal is open already; it is answered first")
		}
		in, err := signedAgreement(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		var a entente.Agreement // a copy of its own, to be changed
		if err := json.Unmarshal(in.Payload, &a); err != nil {
			return err
		}
		change(&a)
		a.Version, a.Number, a.Prev = 1, p.Agreement.Number+1, entente.HashOf(in.Payload)
		for i := range a.Parties {
			a.Parties[i].Party = p.Agreement.Parties[i].Party
			if a.Parties[i].Party == self.Party() {
				a.Parties[i].Name, a.Parties[i].Address = self.Document.Name, self.Document.Address
			}
		}
		half, err := entente.SignAgreement(a, signer)
		if err != nil {
			return entente.Invalid("these terms are no agreement: %s", err.Error())
		}
		next, err := nextAgreement(ctx, tx, actor.Org, party)
		if err != nil {
			return err
		}
		err = insertAgreement(ctx, tx, actor.Org, party, Version{Number: next, State: VersionProposed, Proposer: self.Party(), Envelope: half, At: s.now()})
		if err != nil {
			return err
		}
		if err := s.tellAgreement(ctx, tx, self, signer, p, agreementBody{Act: actPropose, Envelope: &half}); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventProposed, string(party), map[string]any{"name": p.Name, "by": self.Party()})
	})
}

// Sign signs what the partner has proposed; with a reason, Refuse refuses it.
func (s *Service) Sign(ctx context.Context, actor entente.Actor, party entente.PartyID, hash entente.Hash) error {
	return s.answer(ctx, actor, party, hash, "", true)
}

// Refuse refuses what the partner has proposed.
func (s *Service) Refuse(ctx context.Context, actor entente.Actor, party entente.PartyID, hash entente.Hash, reason string) error {
	return s.answer(ctx, actor, party, hash, reason, false)
}

func (s *Service) answer(ctx context.Context, actor entente.Actor, party entente.PartyID, hash entente.Hash, reason string, agree bool) error {
	if err := identity.Require(actor, identity.PartnerManage, onPartner(actor, party)); err != nil {
		return err
	}
	if len(reason) > entente.MaxMarkingText {
		return entente.TooLarge("the reason is longer than %d characters", entente.MaxMarkingText)
	}
	return s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		p, self, signer, err := s.with(ctx, tx, party)
		if err != nil {
			return err
		}
		open, err := proposal(ctx, tx, party)
		if err != nil {
			return err
		}
		if open == nil || entente.HashOf(open.Envelope.Payload) != hash {
			return entente.Conflict("this proposal is not open any more")
		}
		if open.Proposer == self.Party() {
			if agree {
				return entente.Conflict("this is your own proposal: %s answers it", p.Name)
			}
		}
		open.At, open.Why = s.now(), reason
		if !agree {
			open.State = VersionRefused
			if err := updateAgreement(ctx, tx, actor.Org, party, *open); err != nil {
				return err
			}
			if err := s.tellAgreement(ctx, tx, self, signer, p, agreementBody{Act: actRefuse, Hash: hash, Reason: reason}); err != nil {
				return err
			}
			return journal.Append(ctx, tx, actor, EventRefused, string(party), map[string]any{"name": p.Name, "by": self.Party(), "reason": reason})
		}
		whole, err := open.Envelope.Add(signer)
		if err != nil {
			return err
		}
		open.State, open.Envelope = VersionSigned, whole
		if err := updateAgreement(ctx, tx, actor.Org, party, *open); err != nil {
			return err
		}
		if err := s.tellAgreement(ctx, tx, self, signer, p, agreementBody{Act: actSign, Envelope: &whole}); err != nil {
			return err
		}
		return journal.Append(ctx, tx, actor, EventSigned, string(party), map[string]any{"name": p.Name})
	})
}

func (s *Service) tellAgreement(ctx context.Context, tx *db.Tx, self Self, signer entente.Signer, p Partner, b agreementBody) error {
	body, err := encode(b)
	if err != nil {
		return err
	}
	_, err = s.tell(ctx, tx, self, signer, p, entente.EntryAgreement, "", body)
	return err
}

// with gives, inside a Write, an active partner, ourselves and what signs for us.
func (s *Service) with(ctx context.Context, tx *db.Tx, party entente.PartyID) (Partner, Self, entente.Signer, error) {
	p, err := s.partner(ctx, tx, tx.Org(), party)
	if err != nil {
		return p, Self{}, nil, err
	}
	if p.State != Active {
		return p, Self{}, nil, entente.Conflict("the partnership has ended")
	}
	self, signer, err := s.mine(ctx, tx, tx.Org())
	return p, self, signer, err
}

// proposal gives the version that waits for an answer; nil: none does.
func proposal(ctx context.Context, tx *db.Tx, party entente.PartyID) (*Version, error) {
	all, err := versionsOf(ctx, tx, tx.Org(), party)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if v.State == VersionProposed {
			return &v, nil
		}
	}
	return nil, nil
}

// heardAgreement applies what a partner says about the agreement. What does not fit is
// told in the journal and changes nothing: both sides keep what both have signed.
func (s *Service) heardAgreement(ctx context.Context, tx *db.Tx, self Self, p Partner, e entente.Entry) error {
	var b agreementBody
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return nil
	}
	if len(b.Reason) > entente.MaxMarkingText {
		b.Reason = b.Reason[:entente.MaxMarkingText]
	}
	system := entente.System(tx.Org(), entente.DoorWorker)
	open, err := proposal(ctx, tx, p.Party)
	if err != nil {
		return err
	}
	switch {
	case b.Act == actEnd && p.State == Active:
		return s.ended(ctx, tx, system, p, p.Party, b.Reason)
	case b.Act == actPropose && b.Envelope != nil:
		return s.heardProposal(ctx, tx, self, p, *b.Envelope, open)
	case b.Act == actRefuse && open != nil && entente.HashOf(open.Envelope.Payload) == b.Hash:
		open.State, open.At, open.Why = VersionRefused, s.now(), b.Reason
		if err := updateAgreement(ctx, tx, tx.Org(), p.Party, *open); err != nil {
			return err
		}
		return journal.Append(ctx, tx, system, EventRefused, string(p.Party), map[string]any{"name": p.Name, "by": p.Party, "reason": b.Reason})
	case b.Act == actSign && b.Envelope != nil && open != nil && bytes.Equal(open.Envelope.Payload, b.Envelope.Payload):
		if _, err := entente.ReadAgreement(*b.Envelope, self.Ring, p.Ring); err != nil {
			return nil //nolint:nilerr // what they sent is not signed by both, so nothing changes
		}
		open.State, open.Envelope, open.At = VersionSigned, *b.Envelope, s.now()
		if err := updateAgreement(ctx, tx, tx.Org(), p.Party, *open); err != nil {
			return err
		}
		return journal.Append(ctx, tx, system, EventSigned, string(p.Party), map[string]any{"name": p.Name})
	}
	return nil
}

// heardProposal keeps what a partner proposes. If both proposed at once, the proposal
// of the party whose name comes first counts, on both sides.
func (s *Service) heardProposal(ctx context.Context, tx *db.Tx, self Self, p Partner, half entente.Envelope, open *Version) error {
	var a entente.Agreement
	if json.Unmarshal(half.Payload, &a) != nil || half.PayloadType != entente.AgreementType || a.Validate() != nil {
		return nil
	}
	in, err := signedAgreement(ctx, tx, tx.Org(), p.Party)
	if err != nil {
		return err
	}
	_, ours := a.Side(self.Party())
	_, theirs := a.Side(p.Party)
	if !ours || !theirs || a.Prev != entente.HashOf(in.Payload) || a.Number != p.Agreement.Number+1 {
		return nil
	}
	if open != nil {
		if open.Proposer == self.Party() && self.Party() < p.Party {
			return nil
		}
		open.State, open.At, open.Why = VersionRefused, s.now(), "another proposal was made at the same time"
		if err := updateAgreement(ctx, tx, tx.Org(), p.Party, *open); err != nil {
			return err
		}
	}
	next, err := nextAgreement(ctx, tx, tx.Org(), p.Party)
	if err != nil {
		return err
	}
	err = insertAgreement(ctx, tx, tx.Org(), p.Party, Version{Number: next, State: VersionProposed, Proposer: p.Party, Envelope: half, At: s.now()})
	if err != nil {
		return err
	}
	return journal.Append(ctx, tx, entente.System(tx.Org(), entente.DoorWorker), EventProposed, string(p.Party), map[string]any{"name": p.Name, "by": p.Party})
}

// signedAgreement gives the version that both signed last.
func signedAgreement(ctx context.Context, tx *db.Tx, org entente.OrgID, party entente.PartyID) (entente.Envelope, error) {
	all, err := versionsOf(ctx, tx, org, party)
	if err != nil {
		return entente.Envelope{}, err
	}
	for _, v := range all {
		if v.State == VersionSigned {
			return v.Envelope, nil
		}
	}
	return entente.Envelope{}, errors.New("no agreement was signed")
}

// encode writes the body of an entry.
func encode(v any) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err == nil && len(text) > entente.MaxEntry/2 {
		err = entente.TooLarge("this is larger than %d bytes", entente.MaxEntry/2)
	}
	return text, err
}
