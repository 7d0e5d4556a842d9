package api

import (
	"context"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

var disclosureOperations = []operation{
	{
		id: "get-disclosure-choice", method: http.MethodGet, path: "/partners/{party}/disclosure", verb: identity.ExchangeShare, kind: identity.KindPartnership, object: "party",
		summary: "What a partner is told of our suppliers", about: "The choice, and for each direct supplier what would be told of it now. Nothing is sent.", register: answers(getDisclosure),
	},
	{
		id: "choose-disclosure", method: http.MethodPut, path: "/partners/{party}/disclosure", verb: identity.ExchangeShare, kind: identity.KindPartnership, object: "party",
		summary: "Choose how much a partner is told of our suppliers", about: "Overall, and for single suppliers otherwise. Nothing is sent; the answer is what would be.", register: answers(chooseDisclosure),
	},
	{
		id: "tell-disclosure", method: http.MethodPost, path: "/partners/{party}/disclosure/tell", verb: identity.ExchangeShare, kind: identity.KindPartnership, object: "party",
		summary: "Tell a partner of our suppliers, as chosen", about: "If the choice is to tell nothing, what was told before is taken back. With the revision that a preview was made from, a chain that has changed since is refused as a conflict.", register: answers(tellDisclosure),
	},
	{
		id: "list-disclosures", method: http.MethodGet, path: "/disclosures", verb: identity.ChainRead,
		summary: "List what suppliers told of their own suppliers", about: "The latest first, with those that were replaced or taken back, or whose time ran out; what the latter two said is deleted. When a later one goes, the one before counts again.", register: answers(listDisclosures),
	},
	{
		id: "list-disclosed-providers", method: http.MethodGet, path: "/disclosed-providers", verb: identity.ChainRead,
		summary: "List on whom suppliers rest, as they told", about: "Those first on whom the most critical supplies rest. One that is hidden behind a blind id by several suppliers is listed once.", register: answers(listProviders),
	},
}

// DisclosureChoice says how much a partner is told of our suppliers.
type DisclosureChoice struct {
	Overall   string            `json:"overall" enum:"nothing,count,blind,name" doc:"Of all suppliers of whom nothing else is said: nothing; that there is one more; what it does, behind a blind id; its name."`
	Suppliers map[string]string `json:"suppliers,omitempty" doc:"By identifier of the supplier, where it is told more or less of it."`
}

// DisclosurePreview is what a partner would be told.
type DisclosurePreview struct {
	Choice    DisclosureChoice `json:"choice"`
	Suppliers []SupplierToTell `json:"suppliers"`
	Revision  int64            `json:"revision" doc:"Of the chain from which this was made."`
	Marking   string           `json:"marking" doc:"The label of TLP 2.0 that it would have."`
	Allowed   bool             `json:"allowed" doc:"Whether it may go there."`
	Reason    string           `json:"reason"`
	Told      []ToldBefore     `json:"told" doc:"What was told before and not taken back, the latest first."`
}

// SupplierToTell is one direct supplier, and what would be told of it.
type SupplierToTell struct {
	Organisation string `json:"organisation"`
	Name         string `json:"name"`
	Said         string `json:"said" doc:"nothing, count, blind or name."`
	Category     string `json:"category,omitempty"`
	Needed       bool   `json:"needed" doc:"Work stops without it."`
	Buffer       *int64 `json:"buffer_seconds,omitempty" doc:"After how long."`
}

// ToldBefore is a statement of the ledger.
type ToldBefore struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	By string    `json:"by"`
}

func getDisclosure(s *server, ctx context.Context, actor entente.Actor, in *ByParty) (*one[DisclosurePreview], error) {
	t, err := s.Carry.Telling(ctx, actor, in.Party)
	if err != nil {
		return nil, err
	}
	out := DisclosurePreview{
		Choice: DisclosureChoice{Overall: string(t.Choice.Of("")), Suppliers: map[string]string{}}, Suppliers: []SupplierToTell{}, Told: []ToldBefore{},
		Revision: t.Revision, Marking: t.Marking.TLP.String(), Allowed: t.Line.Allowed, Reason: t.Line.Reason.String(),
	}
	for id, level := range t.Choice.Suppliers {
		out.Choice.Suppliers[string(id)] = string(level)
	}
	for _, one := range t.Suppliers {
		told := SupplierToTell{Organisation: string(one.Organisation.ID), Name: one.Organisation.Name, Said: string(one.Said), Category: one.Category, Needed: one.Needed}
		if one.Needed {
			buffer := seconds(one.Buffer)
			told.Buffer = &buffer
		}
		out.Suppliers = append(out.Suppliers, told)
	}
	for _, st := range t.Before {
		out.Told = append(out.Told, ToldBefore{ID: st.ID, At: st.At, By: st.By})
	}
	return &one[DisclosurePreview]{out}, nil
}

func chooseDisclosure(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByParty
	Body DisclosureChoice
}) (*one[DisclosurePreview], error) {
	c := chain.Choice{Overall: chain.Level(in.Body.Overall), Suppliers: map[chain.NodeID]chain.Level{}}
	for id, level := range in.Body.Suppliers {
		c.Suppliers[chain.NodeID(id)] = chain.Level(level)
	}
	// Who is no partner is told nothing.
	if _, err := s.Exchange.Partner(ctx, actor, in.Party); err != nil {
		return nil, err
	}
	if err := s.Chain.Choose(ctx, actor, in.Party, c); err != nil {
		return nil, err
	}
	return getDisclosure(s, ctx, actor, &in.ByParty)
}

func tellDisclosure(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByParty
	Revision int64 `query:"revision" doc:"Of the preview that a person has seen; absent: any."`
}) (*one[DisclosurePreview], error) {
	if err := s.Carry.Tell(ctx, actor, in.Party, in.Revision); err != nil {
		return nil, err
	}
	return getDisclosure(s, ctx, actor, &in.ByParty)
}

// ReceivedDisclosure is what a supplier told of its own suppliers.
type ReceivedDisclosure struct {
	Party        string            `json:"party"`
	Number       uint64            `json:"number" doc:"Of the entry."`
	Name         string            `json:"name"`
	Organisation string            `json:"organisation,omitempty" doc:"The organisation of the chain that it is."`
	Marking      string            `json:"marking"`
	At           time.Time         `json:"at"`
	State        string            `json:"state" doc:"standing, replaced, recalled or expired."`
	Ended        *time.Time        `json:"ended,omitempty"`
	Suppliers    []chain.Disclosed `json:"suppliers"`
	Counted      int               `json:"counted,omitempty" doc:"How many there are besides, of whom nothing else was told."`
	Complete     bool              `json:"complete,omitempty" doc:"There are no others, it says."`
}

func listDisclosures(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Organisation string `query:"organisation" doc:"Of this organisation of the chain only."`
	Paging
}) (*listOutput[ReceivedDisclosure], error) {
	all, err := s.Chain.Disclosures(ctx, actor, chain.NodeID(in.Organisation))
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*chain.Told) bool { return true }, in.Paging, receivedOf, "disclosures", in.Organisation)
}

func receivedOf(t chain.Told) ReceivedDisclosure {
	return ReceivedDisclosure{
		Party: string(t.Party), Number: t.Number, Name: t.Name, Organisation: string(t.By), Marking: t.TLP.String(), At: t.At, State: string(t.State), Ended: momentOrNone(t.Ended),
		Suppliers: orEmpty(t.Suppliers), Counted: t.Counted, Complete: t.Complete,
	}
}

// DisclosedProvider is somebody on whom suppliers rest, as they told.
type DisclosedProvider struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Hidden   bool           `json:"hidden" doc:"Nobody told its name."`
	Ours     bool           `json:"ours" doc:"It is an organisation of our own chain too."`
	Told     []ProviderTold `json:"told"`
	Supplies []string       `json:"supplies" doc:"Our supplies that end when it alone stops, by what was told."`
	Critical []string       `json:"critical" doc:"Those of them that stop a critical process."`
}

// ProviderTold is who told of a provider, and when.
type ProviderTold struct {
	Party        string    `json:"party"`
	Organisation string    `json:"organisation"`
	Name         string    `json:"name"`
	At           time.Time `json:"at"`
}

func listProviders(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[DisclosedProvider], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(g.Providers(), func(*chain.Provider) bool { return true }, in.Paging, func(p chain.Provider) DisclosedProvider {
		return DisclosedProvider{
			ID: string(p.ID), Name: p.Name, Hidden: p.Blind, Ours: p.Ours, Supplies: orEmpty(each(p.Stops, word)), Critical: orEmpty(each(p.Critical, word)),
			Told: orEmpty(each(p.By, func(t chain.Told) ProviderTold {
				return ProviderTold{Party: string(t.Party), Organisation: string(t.By), Name: t.Name, At: t.At}
			})),
		}
	}, "disclosed-providers")
}
