package api

import (
	"context"
	"net/http"
	"slices"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/diagram"
	"github.com/entente-project/entente/internal/draw"
	"github.com/entente-project/entente/internal/identity"
)

const svgType = "image/svg+xml"

var drawingOperations = []operation{
	{
		id: "draw-flows", method: http.MethodGet, path: "/drawings/data-flows", verb: identity.ChainRead, answers: []string{svgType},
		summary: "The data-flow diagram as SVG", about: "With a boundary around each organisation. list-flows tells the same.", register: answers(drawFlows),
	},
	{
		id: "draw-chain", method: http.MethodGet, path: "/drawings/processes/{id}", verb: identity.ChainRead, kind: string(chain.KindProcess), object: "id", answers: []string{svgType},
		summary: "What a process hangs on as SVG", about: "By rank, with what stops it alone marked. get-node tells the same.", register: answers(drawChain),
	},
}

// drawing answers with a diagram as a file; what did not fit is said in it.
func drawing(d draw.Diagram, leftOut int) *fileOutput {
	if leftOut > 0 {
		d.Desc += " " + entente.Plural(leftOut, "%d more was left out, because a drawing holds %d things at most.", "%d more were left out, because a drawing holds %d things at most.", leftOut, diagram.MostDrawn).String()
	}
	return &fileOutput{ContentType: svgType, Body: []byte(d.File())}
}

func drawFlows(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Process  string `query:"process" maxLength:"64" doc:"Only flows of what this process is made of or hangs on."`
	Class    string `query:"class" enum:"public,internal,confidential,personal,secret" doc:"Only flows of this class of data."`
	Boundary string `query:"boundary" enum:"crosses,inside" doc:"Only flows that cross a boundary, or stay inside."`
}) (*fileOutput, error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	title, near := entente.Say("Data flows"), map[chain.NodeID]bool(nil)
	if in.Process != "" {
		r, ok := g.Process(chain.NodeID(in.Process))
		if !ok {
			return nil, entente.NotFound("there is no process %q", in.Process)
		}
		title, near = entente.Say("Data flows of %s", r.Name), diagram.Near(g, r.ID)
	}
	flows := slices.DeleteFunc(diagram.Flows(g), func(f diagram.Flow) bool {
		return near != nil && !near[f.From] && !near[f.To] || in.Class != "" && string(f.Class) != in.Class || in.Boundary != "" && f.Crosses() != (in.Boundary == "crosses")
	})
	return drawing((&diagram.Maker{Graph: g, Say: entente.Message.String}).Flows(title.String(), flows)), nil
}

func drawChain(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByID
	Steps int `query:"steps" minimum:"0" maximum:"1000" doc:"How far to go at most; 0 is as far as known."`
}) (*fileOutput, error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	r, ok := g.Process(chain.NodeID(in.ID))
	if !ok {
		return nil, entente.NotFound("there is no process %q", in.ID)
	}
	rows := slices.DeleteFunc(diagram.HangsOn(g, r.ID), func(h diagram.Hanging) bool { return in.Steps > 0 && h.Steps > in.Steps })
	return drawing((&diagram.Maker{Graph: g, Say: entente.Message.String}).Chain(entente.Say("The chain of %s", r.Name).String(), r, rows)), nil
}
