package api

import (
	"context"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/partner"
)

var partnerOperations = []operation{
	{
		id: "list-tiers", method: http.MethodGet, path: "/tiers", verb: identity.ChainRead,
		summary: "List the tiers of the direct suppliers", about: "By name, each with its arithmetic.", register: answers(listTiers),
	},
	{
		id: "get-tier", method: http.MethodGet, path: "/suppliers/{id}/tier", verb: identity.ChainRead, kind: string(chain.KindOrganisation), object: "id",
		summary: "A supplier's tier", about: "How much hangs on it, with the arithmetic and what people answered or set by hand.", register: answers(getTier),
	},
	{
		id: "answer-criterion", method: http.MethodPut, path: "/suppliers/{id}/tier/answers/{criterion}", verb: identity.ChainEdit, kind: string(chain.KindOrganisation), object: "id",
		summary: "Answer a criterion of a supplier's tier", about: "What a person knows goes before what the chain tells.", register: answers(answerCriterion),
	},
	{
		id: "set-tier", method: http.MethodPut, path: "/suppliers/{id}/tier", verb: identity.ChainOverride, kind: string(chain.KindOrganisation), object: "id",
		summary: "Set a supplier's tier by hand", about: "With a reason, for twelve months at most.", register: answers(setTier),
	},
	{
		id: "free-tier", method: http.MethodDelete, path: "/suppliers/{id}/tier", verb: identity.ChainOverride, kind: string(chain.KindOrganisation), object: "id",
		summary: "Let the computed tier apply again", register: answers(freeTier),
	},
}

// Tier is how much hangs on a supplier, and how that was found.
type Tier struct {
	Supplier    string        `json:"supplier"`
	Name        string        `json:"name"`
	Rank        *int          `json:"rank" doc:"1 is a direct supplier; null if nothing connects it with the organisation."`
	Tier        string        `json:"tier" doc:"The one that applies now: critical, important, standard or low."`
	Computed    string        `json:"computed" doc:"What the arithmetic gives."`
	Overridden  bool          `json:"overridden"`
	Provisional bool          `json:"provisional" doc:"Two or more criteria are unknown, and one tier stricter applies until they are answered."`
	Points      int           `json:"points"`
	Most        int           `json:"most" doc:"The points that can be had."`
	Score       int           `json:"score" doc:"Percent of the points that can be had."`
	Why         string        `json:"why"`
	Lines       []TierLine    `json:"lines"`
	Override    *TierOverride `json:"override,omitempty" doc:"What a person set by hand, also if it has ended; absent if nobody has."`
}

// TierLine is one criterion of a tier's arithmetic.
type TierLine struct {
	Criterion string `json:"criterion"`
	Label     string `json:"label"`
	Weight    int    `json:"weight"`
	Known     bool   `json:"known"`
	Value     int    `json:"value" doc:"0 to 3; 0 if it is not known."`
	Meaning   string `json:"meaning,omitempty" doc:"What the value means."`
	Points    int    `json:"points"`
	Computed  bool   `json:"computed" doc:"The chain gave the value; else a person did."`
	Reason    string `json:"reason,omitempty"`
}

// TierOverride is a tier that a person set.
type TierOverride struct {
	Tier   string    `json:"tier"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"`
}

func tierOf(s partner.Standing) Tier {
	a := s.Assessment
	t := Tier{
		Supplier: string(s.Supplier), Name: s.Name, Rank: rankOf(s.Rank), Tier: string(s.Tier), Computed: string(a.Tier), Overridden: s.Overridden,
		Provisional: a.Provisional, Points: a.Points, Most: a.Most, Score: a.Score, Why: a.InWords(), Lines: make([]TierLine, len(a.Lines)),
	}
	for i, l := range a.Lines {
		line := TierLine{Criterion: string(l.Scale.Criterion), Label: string(l.Scale.Label), Weight: l.Scale.Weight, Known: l.Fact.Known, Points: l.Points}
		if l.Fact.Known {
			line.Value = min(max(l.Fact.Value, 0), 3)
			line.Meaning, line.Computed, line.Reason = string(l.Scale.Values[line.Value]), l.Fact.Computed, l.Fact.Reason.String()
		}
		t.Lines[i] = line
	}
	if o := s.Override; o != nil {
		t.Override = &TierOverride{Tier: string(o.Tier), Reason: o.Reason, By: o.By, At: o.At, Until: o.Until}
	}
	return t
}

func listTiers(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[Tier], error) {
	all, err := s.Partner.Standings(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*partner.Standing) bool { return true }, in.Paging, tierOf, "tiers")
}

func getTier(s *server, ctx context.Context, actor entente.Actor, in *ByID) (*one[Tier], error) {
	found, err := s.Partner.Standing(ctx, actor, chain.NodeID(in.ID))
	if err != nil {
		return nil, err
	}
	return &one[Tier]{tierOf(found)}, nil
}

func answerCriterion(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByID
	Criterion string `path:"criterion" enum:"data-access,logical-access,process-criticality,substitutability,connectivity,concentration,regulation,critical-function"`
	Body      struct {
		Value  int    `json:"value" minimum:"0" maximum:"3"`
		Reason string `json:"reason" maxLength:"2000" doc:"How you know, so that others can check it."`
	}
}) (*one[Tier], error) {
	err := s.Partner.SetAnswer(ctx, actor, chain.NodeID(in.ID), partner.Answer{Criterion: partner.Criterion(in.Criterion), Value: in.Body.Value, Reason: in.Body.Reason})
	if err != nil {
		return nil, err
	}
	return getTier(s, ctx, actor, &in.ByID)
}

func setTier(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByID
	Body struct {
		Tier   string    `json:"tier" enum:"critical,important,standard,low"`
		Reason string    `json:"reason" maxLength:"2000" doc:"Why the computed tier does not fit."`
		Until  time.Time `json:"until"`
	}
}) (*one[Tier], error) {
	err := s.Partner.SetTier(ctx, actor, chain.NodeID(in.ID), partner.Override{Tier: partner.Tier(in.Body.Tier), Reason: in.Body.Reason, Until: in.Body.Until})
	if err != nil {
		return nil, err
	}
	return getTier(s, ctx, actor, &in.ByID)
}

func freeTier(s *server, ctx context.Context, actor entente.Actor, in *ByID) (*one[Done], error) {
	return done(s.Partner.FreeTier(ctx, actor, chain.NodeID(in.ID)))
}
