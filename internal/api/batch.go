package api

import (
	"context"
	"net/http"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

// batchOperations change many things of the chain at once, and take a whole change
// back. Whether each of the things may be changed is decided by chain.edit, thing by
// thing, so that who may change a part can change that part.
var batchOperations = []operation{
	{
		id: "plan-batch", method: http.MethodPost, path: "/batches/plan", verb: identity.ChainRead,
		summary: "What a change of many things would do", about: "Thing by thing, and why where it cannot be done; nothing is changed. The revision of the answer can be sent with the batch.", register: answers(planBatch),
	},
	{
		id: "apply-batch", method: http.MethodPost, path: "/batches", verb: identity.ChainImport,
		summary: "Change or remove many things at once", about: "All of them or none, as one change that can be undone as one. Needs chain.edit for each of the things as well.", register: answers(applyBatch),
	},
	{
		id: "get-change", method: http.MethodGet, path: "/changes/{n}", verb: identity.ChainRead,
		summary: "One change of the chain", about: "What it made of each thing. Of very large imports only a part is kept.", register: answers(getChange),
	},
	{
		id: "undo-change", method: http.MethodPost, path: "/changes/{n}/undo", verb: identity.ChainImport,
		summary: "Undo a whole change of the chain", about: "Every thing becomes what it was before. Nothing is done if one of them was changed since. Needs chain.edit for each of the things as well.", register: answers(undoChange),
	},
}

// Batch is one change of many things of one kind.
type Batch struct {
	Kind     string   `json:"kind" enum:"organisation,process,system,supply,product,flow"`
	IDs      []string `json:"ids" minItems:"1" maxItems:"999" nullable:"false"`
	Field    string   `json:"field,omitempty" enum:"owner,criticality,category,country,kind,operator,supplier,class" doc:"What to set; absent to remove the things. A process has owner and criticality, an organisation category and country, a system kind and operator, a supply category and kind, a product supplier, a flow class."`
	Value    string   `json:"value,omitempty" maxLength:"500"`
	Revision int64    `json:"revision,omitempty" minimum:"0" doc:"Of the chain for which the batch was planned: if the chain has changed since, nothing is done. 0 is any."`
}

func (b Batch) toChain() chain.Batch {
	return chain.Batch{
		Kind: chain.NodeKind(b.Kind), IDs: each(b.IDs, func(id string) chain.NodeID { return chain.NodeID(id) }),
		Field: chain.BatchField(b.Field), Value: b.Value, Revision: b.Revision,
	}
}

// BatchPlan tells what a batch would do.
type BatchPlan struct {
	Revision int64        `json:"revision"`
	Things   []BatchThing `json:"things" nullable:"false"`
}

// BatchThing is what would become of one thing of a batch.
type BatchThing struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Now  string `json:"now,omitempty" doc:"What the field holds."`
	With []Ref  `json:"with,omitempty" doc:"What goes with a thing that is removed."`
	Can  bool   `json:"can"`
	Why  string `json:"why,omitempty" doc:"Why it cannot be done."`
}

func planBatch(s *server, ctx context.Context, actor entente.Actor, in *struct{ Body Batch }) (*one[BatchPlan], error) {
	plan, err := s.Chain.PlanBatch(ctx, actor, in.Body.toChain())
	if err != nil {
		return nil, err
	}
	return &one[BatchPlan]{BatchPlan{Revision: plan.Revision, Things: orEmpty(each(plan.Things, func(t chain.BatchThing) BatchThing {
		thing := BatchThing{ID: string(t.ID), Name: t.Name, Now: t.Now, With: each(t.With, refOf), Can: t.Why == nil}
		if t.Why != nil {
			thing.Why = problemOf(t.Why).Detail
		}
		return thing
	}))}}, nil
}

func applyBatch(s *server, ctx context.Context, actor entente.Actor, in *struct{ Body Batch }) (*one[ChainChange], error) {
	done, err := s.Chain.ApplyBatch(ctx, actor, in.Body.toChain())
	if err != nil {
		return nil, err
	}
	return &one[ChainChange]{chainChangeOf(done)}, nil
}

// ByChange is what operations on one change of the chain take.
type ByChange struct {
	N int64 `path:"n" minimum:"1" maximum:"9007199254740991" doc:"The revision of the chain that the change made."`
}

// ChangedThing is what one change made of one thing.
type ChangedThing struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
	PastChange
}

func getChange(s *server, ctx context.Context, actor entente.Actor, in *ByChange) (*one[List[ChangedThing]], error) {
	all, err := s.Chain.ChangeAt(ctx, actor, in.N)
	if err != nil {
		return nil, err
	}
	return &one[List[ChangedThing]]{List[ChangedThing]{Items: each(all, func(t chain.PastThing) ChangedThing {
		return ChangedThing{Kind: string(t.Kind), ID: string(t.ID), Name: t.Name, PastChange: pastChangeOf(t.Past)}
	})}}, nil
}

func undoChange(s *server, ctx context.Context, actor entente.Actor, in *ByChange) (*one[ChainChange], error) {
	done, err := s.Chain.UndoChange(ctx, actor, in.N)
	if err != nil {
		return nil, err
	}
	return &one[ChainChange]{chainChangeOf(done)}, nil
}
