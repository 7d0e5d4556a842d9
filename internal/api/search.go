package api

import (
	"context"
	"net/http"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/search"
)

var searchOperations = []operation{
	{
		id: "search", method: http.MethodGet, path: "/search", verb: identity.OrganisationRead,
		summary: "Search by name", about: "Finds things of every kind by what people call them. Kinds that the token has no right to read are left out.", register: answers(searchAll),
	},
}

// Found is what a search found of one kind.
type Found struct {
	Kind string     `json:"kind" enum:"process,activity,system,supplier,supply,product,advisory,package,flow,person"`
	Hits []FoundHit `json:"hits" doc:"The best first."`
	More bool       `json:"more" doc:"There are more than these."`
}

// FoundHit is one thing that was found.
type FoundHit struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Of   string `json:"of,omitempty" doc:"What it is a part of: the process of an activity, the supplier of a supply."`
	Note string `json:"note,omitempty" doc:"What tells it from others of the name."`
}

// FoundAll is the answer to a search.
type FoundAll struct {
	Groups []Found `json:"groups" doc:"Kind by kind; kinds of which nothing was found are absent."`
}

func searchAll(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Text     string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Words; all of them must be found, in any order and case."`
	Kind     string `query:"kind" enum:"process,activity,system,supplier,supply,product,advisory,package,flow,person" doc:"Only things of this kind."`
	Limit    int    `query:"limit" minimum:"1" maximum:"100" default:"10" doc:"How many of each kind at most."`
	Thorough bool   `query:"thorough" default:"true" doc:"Also read the summaries of advisories that hit nothing."`
}) (*one[FoundAll], error) {
	q := search.Query{Text: in.Text, Limit: in.Limit, Thorough: in.Thorough}
	if in.Kind != "" {
		q.Kinds = []search.Kind{search.Kind(in.Kind)}
	}
	groups, err := s.Search.Find(ctx, actor, q)
	if err != nil {
		return nil, err
	}
	out := FoundAll{Groups: []Found{}}
	for _, g := range groups {
		f := Found{Kind: string(g.Kind), More: g.More, Hits: []FoundHit{}}
		for _, h := range g.Hits {
			f.Hits = append(f.Hits, FoundHit{ID: h.ID, Name: h.Name, Of: h.Of, Note: h.Note.String()})
		}
		out.Groups = append(out.Groups, f)
	}
	return &one[FoundAll]{out}, nil
}
