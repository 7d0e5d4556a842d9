package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/threat"
)

var threatOperations = []operation{
	{
		id: "list-threats", method: http.MethodGet, path: "/threats", verb: identity.AdvisoryRead,
		summary: "List the threats that partners shared", about: "STIX 2.1 objects, the latest word of each partner on each, the newest first.", register: answers(listThreats),
	},
	{
		id: "get-threat", method: http.MethodGet, path: "/threats/{party}/{number}/{id}", verb: identity.AdvisoryRead,
		summary: "Get one threat that a partner shared", about: "Also one that is gone: whether its sender took it back or its time ran out, and when.", register: answers(getThreat),
	},
}

// SharedThreat is a STIX object that a partner shared.
type SharedThreat struct {
	Party    string          `json:"party"`
	Number   uint64          `json:"number" doc:"Of the entry."`
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Title    string          `json:"title,omitempty"`
	By       string          `json:"by"`
	Marking  string          `json:"marking" doc:"The stricter of the entry's label and what is written inside."`
	At       time.Time       `json:"at"`
	Recalled *time.Time      `json:"recalled,omitempty" doc:"When its sender took it back: what it said is deleted."`
	Expired  *time.Time      `json:"expired,omitempty" doc:"When the time ran out for which its sender shared it: what it said is deleted."`
	Object   json.RawMessage `json:"object,omitempty" doc:"As it came; in a list, with full=true."`
}

func threatOf(t threat.Threat) SharedThreat {
	out := SharedThreat{Party: string(t.Party), Number: t.Number, ID: t.ID, Type: t.Type, Title: t.Title, By: t.By, Marking: t.TLP.String(), At: t.At}
	if t.Expired {
		out.Expired = date(t.Ended)
	} else {
		out.Recalled = date(t.Ended)
	}
	if len(t.Raw) > 0 {
		out.Object = t.Raw
	}
	return out
}

func getThreat(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByParty
	Number uint64 `path:"number" doc:"Of the entry."`
	ID     string `path:"id" maxLength:"500" doc:"Of the object."`
}) (*one[SharedThreat], error) {
	t, err := s.Threat.Get(ctx, actor, in.Party, in.Number, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[SharedThreat]{threatOf(t)}, nil
}

func listThreats(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Type string `query:"type" doc:"Of this type only."`
	Full bool   `query:"full" doc:"With the objects themselves."`
	Paging
}) (*listOutput[SharedThreat], error) {
	all, err := s.Threat.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	var fault error
	out, err := filtered(all, func(t *threat.Threat) bool { return in.Type == "" || t.Type == in.Type }, in.Paging, func(t threat.Threat) SharedThreat {
		one := threatOf(t)
		if in.Full && fault == nil {
			var whole threat.Threat
			whole, fault = s.Threat.Get(ctx, actor, t.Party, t.Number, t.ID)
			one.Object = whole.Raw
		}
		return one
	}, "threats", in.Type)
	if fault != nil {
		return nil, fault
	}
	return out, err
}
