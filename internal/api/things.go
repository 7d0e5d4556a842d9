package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

// thingOperations edit the chain one thing at a time, whatever its kind, in the
// words of a map.
var thingOperations = []operation{
	{
		id: "get-thing", method: http.MethodGet, path: "/things/{kind}/{id}", verb: identity.ChainRead, kindParam: "kind", object: "id",
		summary: "One thing of the chain, to be changed", about: "Its fields as a map has them (entente.map/1): what is read can be changed and put back. The ETag names this state of the thing.", register: answers(getThing),
	},
	{
		id: "put-thing", method: http.MethodPut, path: "/things/{kind}/{id}", verb: identity.ChainEdit, kindParam: "kind", object: "id",
		summary: "Change or add one thing", about: "Replaces the thing as a whole: what the body does not name is empty. With If-Match it changes the thing that was read; without it adds a new one. Nothing is done if the chain would not hold afterwards.", register: answers(putThing),
	},
	{
		id: "remove-thing", method: http.MethodDelete, path: "/things/{kind}/{id}", verb: identity.ChainEdit, kindParam: "kind", object: "id",
		summary: "Remove one thing", about: "Unless other things rely on it; then the problem names them.", register: answers(removeThing),
	},
	{
		id: "list-history", method: http.MethodGet, path: "/things/{kind}/{id}/history", verb: identity.ChainRead, kindParam: "kind", object: "id",
		summary: "List the changes of one thing", about: "The latest first; also of a thing that is gone.", register: answers(listHistory),
	},
	{
		id: "undo-thing", method: http.MethodPost, path: "/things/{kind}/{id}/undo", verb: identity.ChainEdit, kindParam: "kind", object: "id",
		summary: "Undo the latest change of one thing", about: "Restores what it was before. Nothing is done if the thing has changed since, or if the chain would not hold with what it was.", register: answers(undoThing),
	},
}

// ByThing is what operations on one thing take.
type ByThing struct {
	Kind string `path:"kind" enum:"organisation,process,system,supply,product,flow"`
	ID   string `path:"id" maxLength:"64" doc:"The id of the thing."`
}

// ThingCondition is that of a change of one thing.
type ThingCondition struct {
	IfMatch string `header:"If-Match" maxLength:"200" doc:"The ETag of the thing as it was read."`
}

const thingMark = `"thing-`

func thingTag(version string) string { return thingMark + version + `"` }

// version reads the condition; "" means that there is none.
func (c ThingCondition) version() (string, error) {
	tag := strings.TrimSpace(c.IfMatch)
	if tag == "" {
		return "", nil
	}
	version, found := strings.CutPrefix(tag, thingMark)
	version, closed := strings.CutSuffix(version, `"`)
	if !found || !closed || version == "" {
		return "", newProblem(problemPrecondition, "If-Match names no state of a thing; take the ETag of the thing")
	}
	return version, nil
}

// precondition tells a conflict with the condition from other conflicts.
func (c ThingCondition) precondition(err error) error {
	if _, edited := chain.WasEdited(err); edited && c.IfMatch != "" {
		return newProblem(problemPrecondition, err.Error())
	}
	return err
}

func getThing(s *server, ctx context.Context, actor entente.Actor, in *ByThing) (*revised[map[string]any], error) {
	t, err := s.Chain.Thing(ctx, actor, chain.NodeKind(in.Kind), chain.NodeID(in.ID))
	if err != nil {
		return nil, err
	}
	fields, err := t.Fields()
	if err != nil {
		return nil, err
	}
	return &revised[map[string]any]{ETag: thingTag(t.Version), Body: fields}, nil
}

func putThing(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByThing
	ThingCondition
	Body map[string]any `doc:"The fields of the thing, as in a map."`
}) (*one[ChainChange], error) {
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	done, err := s.Chain.PutThing(ctx, actor, chain.NodeKind(in.Kind), chain.NodeID(in.ID), string(text), version)
	if err != nil {
		return nil, in.precondition(err)
	}
	return &one[ChainChange]{chainChangeOf(done)}, nil
}

func removeThing(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByThing
	IfMatch string `header:"If-Match" required:"true" maxLength:"200" doc:"The ETag of the thing as it was read."`
}) (*one[ChainChange], error) {
	condition := ThingCondition{IfMatch: in.IfMatch}
	version, err := condition.version()
	if err != nil {
		return nil, err
	}
	done, err := s.Chain.RemoveThing(ctx, actor, chain.NodeKind(in.Kind), chain.NodeID(in.ID), version)
	if err != nil {
		return nil, condition.precondition(err)
	}
	return &one[ChainChange]{chainChangeOf(done)}, nil
}

// PastChange is one change of one thing.
type PastChange struct {
	N      int64     `json:"n" doc:"The revision of the chain that it made; undo takes it."`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Door   string    `json:"door" doc:"By which way they came in: page, api, command or worker."`
	Import bool      `json:"import" doc:"It came with a map or a sheet."`
	Before string    `json:"before,omitempty" doc:"YAML as in a map; absent if the change added it."`
	After  string    `json:"after,omitempty" doc:"Absent if the change removed it."`
}

func listHistory(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByThing
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many changes to answer at most."`
}) (*listOutput[PastChange], error) {
	past, err := s.Chain.History(ctx, actor, chain.NodeKind(in.Kind), chain.NodeID(in.ID), in.Limit)
	if err != nil {
		return nil, err
	}
	return &listOutput[PastChange]{Body: List[PastChange]{Items: orEmpty(each(past, pastChangeOf))}}, nil
}

func pastChangeOf(p chain.Past) PastChange {
	return PastChange{N: p.N, At: p.At, By: p.By, Door: p.Door, Import: p.Import, Before: p.Before, After: p.After}
}

func undoThing(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByThing
	Body struct {
		N int64 `json:"n" minimum:"1" doc:"The change to undo, which must be the latest."`
	}
}) (*one[ChainChange], error) {
	done, err := s.Chain.UndoThing(ctx, actor, chain.NodeKind(in.Kind), chain.NodeID(in.ID), in.Body.N)
	if err != nil {
		return nil, err
	}
	return &one[ChainChange]{chainChangeOf(done)}, nil
}
