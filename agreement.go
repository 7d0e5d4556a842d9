package entente

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Agreement is what two parties agree to share, signed by both over the same bytes.
// Who buys from whom stands in it too: the direction decides what TLP:AMBER may do.
type Agreement struct {
	Version int `json:"v"` // 1
	// Number counts the versions of the agreement between the two: 1, 2, 3 … Prev is
	// the hash of the version before, zero for the first.
	Number int  `json:"n"`
	Prev   Hash `json:"prev"`
	// Parties are the two, the one that invited first.
	Parties [2]AgreementParty `json:"parties"`
	From    time.Time         `json:"from"`
	Until   time.Time         `json:"until,omitzero"` // zero: until one of them ends it
	Shares  []Share           `json:"shares"`
	// Questions says how far "are you affected?" may go.
	Questions QuestionTerms `json:"questions"`
	// AnswerConcern is within how many hours a concern is answered; 0: not agreed.
	AnswerConcern int `json:"answer_concern_hours,omitempty"`
	// Retention is for how many days after its end, or after a recall, what was
	// received is kept; 0: not agreed.
	Retention int    `json:"retention_days,omitempty"`
	Onward    string `json:"onward,omitempty"` // further rules of passing on, in words
}

// AgreementParty is one side of an [Agreement].
type AgreementParty struct {
	Party    PartyID   `json:"party"`
	Name     string    `json:"name"`
	Address  string    `json:"address,omitempty"` // of its node
	Contacts []Contact `json:"contacts,omitempty"`
	// Buys and Supplies say what this side does in the partnership; both may be true.
	Buys     bool `json:"buys,omitempty"`
	Supplies bool `json:"supplies,omitempty"`
}

// Contact is a person or a desk to reach, and what for.
type Contact struct {
	Name  string `json:"name"`
	Role  string `json:"role,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Share lets one kind of entry travel from one side.
type Share struct {
	Kind EntryKind `json:"kind"`
	From PartyID   `json:"from"`
	// Default is the label that such an entry gets without a decision.
	Default TLP `json:"default"`
	// Ceiling is the strictest label that may travel this way.
	Ceiling TLP `json:"ceiling"`
}

// QuestionTerms say how far a question may go.
type QuestionTerms struct {
	Allowed     bool `json:"allowed"`
	Onward      bool `json:"onward,omitempty"` // to the suppliers of the one who is asked
	Hops        int  `json:"hops,omitempty"`   // at most
	AnswerHours int  `json:"answer_hours,omitempty"`
}

// AgreementType is the DSSE payload type of an [Agreement].
const AgreementType = "application/vnd.entente.agreement.v1+json"

// The bounds of an agreement.
const (
	MaxShares   = 100
	MaxContacts = 50
	MaxHops     = 8
)

// Validate says what is wrong with an agreement.
func (a Agreement) Validate() error {
	switch {
	case a.Version != 1:
		return fmt.Errorf("the agreement has the version %d, and this program knows version 1", a.Version)
	case a.Number < 1 || (a.Number == 1) != a.Prev.IsZero():
		return errors.New("versions of an agreement are numbered from 1, and name the one before")
	case a.Parties[0].Party == a.Parties[1].Party:
		return errors.New("an agreement has two parties")
	case a.From.IsZero() || !a.Until.IsZero() && !a.Until.After(a.From):
		return errors.New("the agreement does not say from when it is in force, or ends before")
	case len(a.Shares) > MaxShares || len(a.Onward) > MaxMarkingText:
		return errors.New("the agreement is too long")
	case a.Questions.Hops < 0 || a.Questions.Hops > MaxHops || a.Questions.AnswerHours < 0 || a.AnswerConcern < 0 || a.Retention < 0:
		return fmt.Errorf("a number in the agreement is below 0, or a question goes further than %d hops", MaxHops)
	}
	for _, p := range a.Parties {
		if err := p.Party.Valid(); err != nil {
			return err
		}
		if strings.TrimSpace(p.Name) == "" || len(p.Name) > 200 || len(p.Address) > 500 || len(p.Contacts) > MaxContacts {
			return errors.New("a side of the agreement has no name, or says too much")
		}
	}
	for _, s := range a.Shares {
		_, known := a.Side(s.From)
		if !known || s.Kind == "" || tlpLabels[s.Default] == "" || tlpLabels[s.Ceiling] == "" || s.Default > s.Ceiling {
			return fmt.Errorf("the agreement shares %.40q from nobody, or by no labels that fit", s.Kind)
		}
	}
	return nil
}

// Side finds a party's side.
func (a Agreement) Side(p PartyID) (AgreementParty, bool) {
	i := slices.IndexFunc(a.Parties[:], func(side AgreementParty) bool { return side.Party == p })
	if i < 0 {
		return AgreementParty{}, false
	}
	return a.Parties[i], true
}

// Other is the other party.
func (a Agreement) Other(p PartyID) PartyID {
	if a.Parties[0].Party == p {
		return a.Parties[1].Party
	}
	return a.Parties[0].Party
}

// InForce says whether the agreement is in force at a time.
func (a Agreement) InForce(at time.Time) bool {
	return !at.Before(a.From) && (a.Until.IsZero() || at.Before(a.Until))
}

// always are the kinds without which a partnership cannot be kept, or said to be
// over: they travel as long as an agreement is in force, whatever it shares.
var always = []EntryKind{EntryContacts, EntryKeyChanged, EntryMoved, EntryAgreement, EntryRecall, EntryNarrow, EntryEmbargo, EntryRead, EntryAnswer}

// Relation is how one party stands to the other by this agreement, for one kind of
// entry: what [MayShare] asks for. Need, Person and Originator are left to the
// caller.
func (a Agreement) Relation(from, to PartyID, kind EntryKind, at time.Time) Relation {
	r := Relation{At: at}
	sender, ok := a.Side(from)
	receiver, ok2 := a.Side(to)
	if !ok || !ok2 || from == to {
		return r
	}
	if sender.Supplies && receiver.Buys {
		r.Standing |= IsCustomer
	}
	if sender.Buys && receiver.Supplies {
		r.Standing |= IsSupplier
	}
	if !a.InForce(at) {
		return r
	}
	if slices.Contains(always, kind) {
		r.Agreed, r.Ceiling = true, TLPRed
		return r
	}
	for _, s := range a.Shares {
		if s.Kind == kind && s.From == from {
			r.Agreed, r.Ceiling = true, max(r.Ceiling, s.Ceiling)
		}
	}
	return r
}

// Default is the label that an entry of the kind gets without a decision.
func (a Agreement) Default(from PartyID, kind EntryKind) (TLP, bool) {
	for _, s := range a.Shares {
		if s.Kind == kind && s.From == from {
			return s.Default, true
		}
	}
	return 0, false
}

// ReadAgreement checks an agreement with the keys of its two parties: both signed
// the same bytes.
func ReadAgreement(e Envelope, rings ...Keyring) (Agreement, error) {
	if e.PayloadType != AgreementType {
		return Agreement{}, fmt.Errorf("the payload is %.60q and no agreement", e.PayloadType)
	}
	var a Agreement
	err := json.Unmarshal(e.Payload, &a)
	if err != nil {
		return Agreement{}, fmt.Errorf("the agreement cannot be read: %w", err)
	}
	err = a.Validate()
	if err != nil {
		return Agreement{}, err
	}
	for _, p := range a.Parties {
		i := slices.IndexFunc(rings, func(r Keyring) bool { return r.Party == p.Party })
		if i < 0 {
			return Agreement{}, fmt.Errorf("the keys of %s are not known", p.Party)
		}
		if _, err := e.signer(rings[i]); err != nil {
			return Agreement{}, fmt.Errorf("%s has not signed the agreement", p.Name)
		}
	}
	return a, nil
}

// SignAgreement makes the envelope of an agreement with the signature of one side;
// [Envelope.Add] adds the other's.
func SignAgreement(a Agreement, s Signer) (Envelope, error) {
	err := a.Validate()
	if err != nil {
		return Envelope{}, err
	}
	payload, err := json.Marshal(a)
	if err != nil {
		return Envelope{}, err
	}
	return Sign(AgreementType, payload, s)
}

// Add gives the envelope with one more signature over the same bytes.
func (e Envelope) Add(s Signer) (Envelope, error) {
	more, err := Sign(e.PayloadType, e.Payload, s)
	if err != nil {
		return Envelope{}, err
	}
	e.Signatures = append(slices.Clone(e.Signatures), more.Signatures...)
	return e, nil
}
