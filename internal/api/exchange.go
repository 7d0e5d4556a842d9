package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
)

// What is signed for the organisation needs a person at a page: no token may invite,
// accept, agree, compare words, change keys or end a partnership.
var exchangeOperations = []operation{
	{
		id: "list-partners", method: http.MethodGet, path: "/partners", verb: identity.PartnerRead,
		summary: "List the partnerships", about: "The active ones first, by name.", register: answers(listPartners),
	},
	{
		id: "get-partner", method: http.MethodGet, path: "/partners/{party}", verb: identity.PartnerRead, kind: identity.KindPartnership, object: "party",
		summary: "One partnership", register: answers(getPartner),
	},
	{
		id: "ask-partner", method: http.MethodPost, path: "/partners/{party}/ask", verb: identity.ExchangeShare, kind: identity.KindPartnership, object: "party",
		summary: "Ask a partner's node for what it has said", about: "What waits for the partner is brought as well.", register: answers(askPartner),
	},
	{
		id: "list-agreement-versions", method: http.MethodGet, path: "/partners/{party}/agreements", verb: identity.PartnerRead, kind: identity.KindPartnership, object: "party",
		summary: "List the versions of the agreement with a partner", about: "The latest first, each as it was signed or proposed.", register: answers(listAgreements),
	},
	{
		id: "list-contradictions", method: http.MethodGet, path: "/partners/{party}/contradictions", verb: identity.ExchangeRead,
		summary: "List what put a partner's feeds into quarantine", about: "For each case the two signed statements of which only one can be true; never what they say.", register: answers(listContradictions),
	},
	{
		id: "list-partner-invitations", method: http.MethodGet, path: "/partner-invitations", verb: identity.PartnerRead,
		summary: "List the invitations of partners", about: "The latest first. Their links are shown once only, when they are made.", register: answers(listPartnerInvitations),
	},
	{
		id: "get-key", method: http.MethodGet, path: "/key", verb: identity.PartnerRead,
		summary: "The organisation's own key", about: "With its words, and the document by which it proves itself.", register: answers(getKey),
	},
}

// Partnership is a partner and how the feeds to it and from it stand.
type Partnership struct {
	Party        string          `json:"party" doc:"The partner's name among all nodes."`
	Name         string          `json:"name"`
	Organisation string          `json:"organisation,omitempty" doc:"The organisation of the chain that it is."`
	Address      string          `json:"address,omitempty" doc:"Of its node."`
	State        string          `json:"state" doc:"active or ended."`
	Buys         bool            `json:"buys" doc:"It buys from us."`
	Supplies     bool            `json:"supplies" doc:"It supplies us."`
	Began        time.Time       `json:"began"`
	Ended        *time.Time      `json:"ended,omitempty"`
	EndedWhy     string          `json:"ended_why,omitempty"`
	Words        []string        `json:"words" doc:"Of its key, to be compared by two people."`
	Compared     *time.Time      `json:"compared,omitempty" doc:"When a person compared the words of the key in force; absent: nobody has."`
	ComparedBy   string          `json:"compared_by,omitempty"`
	Contacts     []Contact       `json:"contacts,omitempty"`
	Agreement    json.RawMessage `json:"agreement" doc:"The version that both signed last, as docs/protocol.md describes it."`
	Out          PartnerFeed     `json:"out" doc:"What we say."`
	In           PartnerFeed     `json:"in" doc:"What the partner says."`
}

// PartnerFeed is where one feed stands.
type PartnerFeed struct {
	Number       uint64     `json:"number" doc:"Of the last entry."`
	Acknowledged uint64     `json:"acknowledged" doc:"Up to where its receiver has signed that it holds the feed."`
	Waiting      uint64     `json:"waiting" doc:"Entries that its receiver has not signed for."`
	AckedAt      *time.Time `json:"acknowledged_at,omitempty"`
	Tried        *time.Time `json:"tried,omitempty"`
	Failures     int        `json:"failures,omitempty" doc:"In a row."`
	Error        string     `json:"error,omitempty"`
	Quarantine   string     `json:"quarantine,omitempty" doc:"Why nothing more is taken."`
}

func feedOf(f exchange.Feed) PartnerFeed {
	return PartnerFeed{
		Number: f.Number, Acknowledged: f.Acked, Waiting: f.Waiting(), AckedAt: momentOrNone(f.AckedAt), Tried: momentOrNone(f.Tried), Failures: f.Failures, Error: f.Error,
		Quarantine: f.Quarantine.String(),
	}
}

func partnershipOf(p exchange.Partner) Partnership {
	agreement, err := json.Marshal(p.Agreement)
	if err != nil {
		agreement = nil // an agreement that both signed can be written
	}
	return Partnership{
		Party: string(p.Party), Name: p.Name, Organisation: p.KnownAs, Address: p.Address, State: string(p.State), Buys: p.Buys(), Supplies: p.Supplies(),
		Began: p.Began, Ended: momentOrNone(p.Ended), EndedWhy: p.EndedWhy, Words: p.Fingerprint(), Compared: momentOrNone(p.Compared), ComparedBy: p.ComparedBy,
		Contacts: each(p.Contacts, func(c entente.Contact) Contact { return Contact(c) }), Agreement: agreement, Out: feedOf(p.Out), In: feedOf(p.In),
	}
}

// ByParty is what operations on one partnership take.
type ByParty struct {
	Party entente.PartyID `path:"party" maxLength:"64"`
}

func listPartners(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[Partnership], error) {
	all, err := s.Exchange.Partners(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*exchange.Partner) bool { return true }, in.Paging, partnershipOf, "partners")
}

func getPartner(s *server, ctx context.Context, actor entente.Actor, in *ByParty) (*one[Partnership], error) {
	p, err := s.Exchange.Partner(ctx, actor, in.Party)
	if err != nil {
		return nil, err
	}
	return &one[Partnership]{partnershipOf(p)}, nil
}

func askPartner(s *server, ctx context.Context, actor entente.Actor, in *ByParty) (*one[Partnership], error) {
	err := s.Exchange.Fetch(ctx, actor, in.Party)
	if err != nil {
		return nil, err
	}
	return getPartner(s, ctx, actor, in)
}

// AgreementVersion is one version of the agreement with a partner.
type AgreementVersion struct {
	Number    int             `json:"number" doc:"Within the partnership."`
	State     string          `json:"state" doc:"proposed, signed or refused."`
	Proposer  string          `json:"proposer" doc:"A party."`
	At        time.Time       `json:"at"`
	Why       string          `json:"why,omitempty" doc:"It was refused."`
	Agreement json.RawMessage `json:"agreement" doc:"As docs/protocol.md describes it."`
	Envelope  json.RawMessage `json:"envelope" doc:"The same as it was signed: a DSSE envelope."`
}

func versionOf(v exchange.Version) AgreementVersion {
	envelope, err := json.Marshal(v.Envelope)
	if err != nil {
		envelope = nil // what was read from JSON can be written
	}
	return AgreementVersion{Number: v.Number, State: string(v.State), Proposer: string(v.Proposer), At: v.At, Why: v.Why, Agreement: v.Envelope.Payload, Envelope: envelope}
}

func listAgreements(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByParty
	Paging
}) (*listOutput[AgreementVersion], error) {
	all, err := s.Exchange.Versions(ctx, actor, in.Party)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*exchange.Version) bool { return true }, in.Paging, versionOf, "agreements", string(in.Party))
}

// Contradiction is two signed statements of which only one can be true.
type Contradiction struct {
	Way    string      `json:"way" doc:"in: the partner contradicts itself; out: it signed for something else than we sent."`
	First  SignedProof `json:"first" doc:"What we hold, or have sent."`
	Second SignedProof `json:"second" doc:"What the partner signed besides."`
	At     time.Time   `json:"at"`
}

// SignedProof is one side of a contradiction.
type SignedProof struct {
	Number  uint64     `json:"number"`
	Hash    string     `json:"hash"`
	Prev    string     `json:"prev,omitempty"`
	Key     string     `json:"key"`
	Kind    string     `json:"kind,omitempty"`
	Subject string     `json:"subject,omitempty"`
	Said    *time.Time `json:"said,omitempty" doc:"By the clock of who signed it."`
}

func proofOf(p exchange.Proof) SignedProof {
	s := SignedProof{Number: p.Number, Hash: p.Hash.String(), Key: string(p.Key), Kind: string(p.Kind), Subject: p.Subject, Said: momentOrNone(p.Said)}
	if !p.Prev.IsZero() {
		s.Prev = p.Prev.String()
	}
	return s
}

func listContradictions(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByParty
	Paging
}) (*listOutput[Contradiction], error) {
	all, err := s.Exchange.Contradictions(ctx, actor, in.Party)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*exchange.Contradiction) bool { return true }, in.Paging, func(c exchange.Contradiction) Contradiction {
		return Contradiction{Way: string(c.Way), First: proofOf(c.First), Second: proofOf(c.Second), At: c.At}
	}, "contradictions", string(in.Party))
}

// PartnerInvitation is an invitation to become partners.
type PartnerInvitation struct {
	ID           string    `json:"id"`
	Name         string    `json:"name" doc:"Of whom is invited."`
	Organisation string    `json:"organisation,omitempty" doc:"The organisation of the chain that it is."`
	State        string    `json:"state" doc:"open, accepted or withdrawn; an open one may have expired."`
	Party        string    `json:"party,omitempty" doc:"Who accepted."`
	By           string    `json:"by"`
	Made         time.Time `json:"made"`
	Expires      time.Time `json:"expires"`
}

func listPartnerInvitations(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[PartnerInvitation], error) {
	all, err := s.Exchange.Invitations(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*exchange.Invitation) bool { return true }, in.Paging, func(i exchange.Invitation) PartnerInvitation {
		return PartnerInvitation{ID: i.ID, Name: i.Name, Organisation: i.KnownAs, State: string(i.State), Party: string(i.Party), By: i.By, Made: i.Made, Expires: i.Expires}
	}, "partner-invitations")
}

// OwnKey is the organisation as its partners know it.
type OwnKey struct {
	Party    string          `json:"party"`
	Words    []string        `json:"words" doc:"Of the key in force, to be compared by two people."`
	Key      string          `json:"key" doc:"The name of the key in force."`
	Document json.RawMessage `json:"document" doc:"The key document, as docs/protocol.md describes it."`
}

func getKey(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*one[OwnKey], error) {
	self, err := s.Exchange.Self(ctx, actor)
	if err != nil {
		return nil, err
	}
	document, err := json.Marshal(self.Document)
	if err != nil {
		return nil, err
	}
	return &one[OwnKey]{OwnKey{Party: string(self.Party()), Words: self.Fingerprint(), Key: string(self.Ring.Current().Public.ID()), Document: document}}, nil
}
