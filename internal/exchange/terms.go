package exchange

import (
	"time"

	"github.com/entente-project/entente"
)

// Terms are what an invitation proposes: an agreement in which the other side is not
// named yet.
type Terms struct {
	// Buys and Supplies say what the inviter does in the partnership; both may be true.
	Buys          bool                  `json:"buys,omitempty"`
	Supplies      bool                  `json:"supplies,omitempty"`
	From          time.Time             `json:"from"`
	Until         time.Time             `json:"until,omitzero"`
	Shares        []TermShare           `json:"shares"`
	Questions     entente.QuestionTerms `json:"questions"`
	AnswerConcern int                   `json:"answer_concern_hours,omitempty"`
	Retention     int                   `json:"retention_days,omitempty"`
	Onward        string                `json:"onward,omitempty"`
	Contacts      []entente.Contact     `json:"contacts,omitempty"` // of the inviter
}

// TermShare lets one kind of entry travel from one side or from both.
type TermShare struct {
	Kind    entente.EntryKind `json:"kind"`
	Inviter bool              `json:"inviter,omitempty"` // shares it
	Invitee bool              `json:"invitee,omitempty"` // shares it
	Default entente.TLP       `json:"default"`
	Ceiling entente.TLP       `json:"ceiling"`
}

// SharedKinds are the kinds that an agreement lets travel or not; the others belong
// to every partnership.
func SharedKinds() []entente.EntryKind {
	return []entente.EntryKind{
		entente.EntryAdvisory, entente.EntrySBOM, entente.EntryVEX, entente.EntryChain, entente.EntryThreat, entente.EntryPractice, entente.EntryConcern, entente.EntryNote,
	}
}

// StandardTerms are what most partnerships begin with: a supplier tells what it
// delivers and what is wrong with it, both tell what threatens them and what they
// are worried about, and nothing goes further than the other side.
func StandardTerms(buys, supplies bool, from time.Time) Terms {
	t := Terms{
		Buys: buys, Supplies: supplies, From: from.UTC().Truncate(time.Millisecond),
		Questions:     entente.QuestionTerms{Allowed: true, Hops: 1, AnswerHours: 72},
		AnswerConcern: 120, Retention: 365,
	}
	for _, k := range SharedKinds() {
		share := TermShare{Kind: k, Inviter: true, Invitee: true, Default: entente.TLPAmber, Ceiling: entente.TLPRed}
		switch k {
		case entente.EntrySBOM, entente.EntryVEX, entente.EntryChain:
			share.Inviter, share.Invitee = supplies, buys
			if k == entente.EntryChain {
				share.Default = entente.TLPAmberStrict
			}
		case entente.EntryPractice:
			share.Default = entente.TLPGreen
		case entente.EntryConcern, entente.EntryNote:
			share.Default = entente.TLPAmberStrict
		}
		t.Shares = append(t.Shares, share)
	}
	return t
}

// Agreement is what the two sign when the invitation is accepted. Both sides make it
// from the same terms and come to the same.
func (t Terms) Agreement(inviter, invitee entente.AgreementParty) entente.Agreement {
	inviter.Buys, inviter.Supplies, inviter.Contacts = t.Buys, t.Supplies, t.Contacts
	invitee.Buys, invitee.Supplies = t.Supplies, t.Buys
	a := entente.Agreement{
		Version: 1, Number: 1, Parties: [2]entente.AgreementParty{inviter, invitee}, From: t.From, Until: t.Until,
		Questions: t.Questions, AnswerConcern: t.AnswerConcern, Retention: t.Retention, Onward: t.Onward,
	}
	for _, s := range t.Shares {
		if s.Inviter {
			a.Shares = append(a.Shares, entente.Share{Kind: s.Kind, From: inviter.Party, Default: s.Default, Ceiling: s.Ceiling})
		}
		if s.Invitee {
			a.Shares = append(a.Shares, entente.Share{Kind: s.Kind, From: invitee.Party, Default: s.Default, Ceiling: s.Ceiling})
		}
	}
	return a
}
