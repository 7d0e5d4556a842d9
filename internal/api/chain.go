package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

const mapType = "application/yaml"

var chainOperations = []operation{
	{
		id: "list-processes", method: http.MethodGet, path: "/processes", verb: identity.ChainRead,
		summary: "List processes", about: "Business processes with their BIA, in the order of the map.", register: answers(listProcesses),
	},
	{
		id: "get-process", method: http.MethodGet, path: "/processes/{id}", verb: identity.ChainRead, kind: identity.KindProcess, object: "id",
		summary: "One process", about: "A process by SIPOC: inputs, activities with their needs, outputs, BIA.", register: answers(getProcess),
	},
	{
		id: "put-process", method: http.MethodPut, path: "/processes/{id}", verb: identity.ChainEdit, kind: identity.KindProcess, object: "id",
		summary: "Change or add one process", about: "Replaces the process as a whole. With If-Match, only if the chain is still at that revision.", register: answers(putProcess),
	},
	{
		id: "list-suppliers", method: http.MethodGet, path: "/suppliers", verb: identity.ChainRead,
		summary: "List suppliers", about: "Every organisation of the chain but our own, with its rank: 1 is a direct supplier, 2 a supplier of one, and so on.", register: answers(listSuppliers),
	},
	{
		id: "get-supplier", method: http.MethodGet, path: "/suppliers/{id}", verb: identity.ChainRead, kind: string(chain.KindOrganisation), object: "id",
		summary: "One supplier", about: "An organisation with what it supplies, operates and makes.", register: answers(getSupplier),
	},
	{
		id: "list-supplies", method: http.MethodGet, path: "/supplies", verb: identity.ChainRead,
		summary: "List supplies", register: answers(listSupplies),
	},
	{
		id: "list-systems", method: http.MethodGet, path: "/systems", verb: identity.ChainRead,
		summary: "List systems", register: answers(listSystems),
	},
	{
		id: "list-flows", method: http.MethodGet, path: "/flows", verb: identity.ChainRead,
		summary: "List flows of data", register: answers(listFlows),
	},
	{
		id: "get-node", method: http.MethodGet, path: "/nodes/{id}", verb: identity.ChainRead,
		summary: "One thing of the chain, whatever its kind", about: "What it is, who stands behind it, what it hangs on and what uses it.", register: answers(getNode),
	},
	{
		id: "what-if", method: http.MethodGet, path: "/what-if", verb: identity.ChainRead,
		summary: "What stops when something is down",
		about:   "Simulates the outage of one or more things of the chain and says which processes stop, when, by which path, when they exceed RTO and MTPD, and what it costs.", register: answers(whatIf),
	},
	{
		id: "concentration", method: http.MethodGet, path: "/concentration", verb: identity.ChainRead,
		summary: "On whom too much hangs",
		about:   "For every legal entity and every thing whose outage alone stops a process, what stops and when, by simulation; and how supplies spread over suppliers, by category (HHI).", register: answers(concentration),
	},
	{
		id: "export-map", method: http.MethodGet, path: "/map", verb: identity.ChainRead, answers: []string{mapType},
		summary: "Export the chain as a map", about: "The whole chain in the format entente.map/1.", register: answers(exportMap),
	},
	{
		id: "import-map", method: http.MethodPut, path: "/map", verb: identity.ChainEdit,
		summary: "Import a map",
		about:   "Makes the chain what the map says, all or nothing. The same map a second time changes nothing. With If-Match, only if the chain is still at that revision.",
		upload:  &upload{types: []string{mapType}, limit: chain.MaxMapBytes + 1, about: "A map in the format entente.map/1."}, register: answers(importMap),
	},
}

// Listing is what the lists of the chain take.
type Listing struct {
	Paging
	Search string `query:"search" maxLength:"200" doc:"Only what has these words in its id or name."`
}

// found says whether a thing's words hold all words of a search.
func found(search string, words ...string) bool {
	if search == "" {
		return true
	}
	text := strings.ToLower(strings.Join(words, " "))
	for _, w := range strings.Fields(strings.ToLower(search)) {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// filtered keeps what matches and converts the page that is asked for.
func filtered[A, B any](all []A, keep func(*A) bool, p Paging, to func(A) B, list ...string) (*listOutput[B], error) {
	kept := make([]int, 0, len(all))
	for i := range all {
		if keep(&all[i]) {
			kept = append(kept, i)
		}
	}
	page, err := window(kept, p, list...)
	if err != nil {
		return nil, err
	}
	out := &listOutput[B]{Body: List[B]{Items: make([]B, len(page.Items)), Next: page.Next, Total: page.Total}}
	for i, at := range page.Items {
		out.Body.Items[i] = to(all[at])
	}
	return out, nil
}

type listOutput[T any] struct{ Body List[T] }

type one[T any] struct{ Body T }

// revised is an answer that holds until the chain changes.
type revised[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// Condition is that of a change.
type Condition struct {
	IfMatch string `header:"If-Match" maxLength:"100" doc:"The ETag of the chain for which the change was made."`
}

const tagMark = `"chain-`

// tagOf names a revision of the chain.
func tagOf(revision int64) string { return tagMark + strconv.FormatInt(revision, 10) + `"` }

// revision reads the condition; 0 means that there is none.
func (m Condition) revision() (int64, error) {
	tag := strings.TrimSpace(m.IfMatch)
	if tag == "" || tag == "*" {
		return 0, nil
	}
	number, found := strings.CutPrefix(tag, tagMark)
	number, closed := strings.CutSuffix(number, `"`)
	n, err := strconv.ParseInt(number, 10, 64)
	if !found || !closed || err != nil || n < 0 {
		return 0, newProblem(problemPrecondition, "If-Match names no revision of the chain; take the ETag of the map or of a process")
	}
	if n == 0 {
		return 0, newProblem(problemPrecondition, "the revision 0 is the empty chain; leave If-Match away to begin one")
	}
	return n, nil
}

// precondition tells a conflict with the condition from other conflicts.
func (m Condition) precondition(err error) error {
	if m.IfMatch != "" && entente.KindOf(err) == entente.KindConflict {
		return newProblem(problemPrecondition, err.Error())
	}
	return err
}

// ByID is what reads of one thing take.
type ByID struct {
	ID string `path:"id" maxLength:"64" doc:"The id of the thing."`
}

func listProcesses(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	Criticality string `query:"criticality" enum:"critical,high,medium,low" doc:"Only processes of this criticality."`
}) (*listOutput[Process], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(g.Map().Processes, func(p *chain.Process) bool {
		return found(in.Search, string(p.ID), p.Name) && (in.Criticality == "" || in.Criticality == string(p.BIA.Criticality))
	}, in.Paging, processOf, "processes", in.Search, in.Criticality)
}

func getProcess(s *server, ctx context.Context, actor entente.Actor, in *ByID) (*revised[Process], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	p, ok := g.Process(chain.NodeID(in.ID))
	if !ok {
		return nil, entente.NotFound("there is no process %q", in.ID)
	}
	return &revised[Process]{ETag: tagOf(g.Revision()), Body: processOf(*p)}, nil
}

func putProcess(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByID
	Condition
	Body Process
}) (*revised[ChainChange], error) {
	if in.Body.ID != "" && in.Body.ID != in.ID {
		e := entente.Invalid("the body is another process than the address")
		e.Fields = []entente.FieldError{{Field: "body.id", Message: entente.Say("must be %s, as in the address, or be left away", in.ID)}}
		return nil, e
	}
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	in.Body.ID = in.ID
	done, err := s.Chain.PutProcess(ctx, actor, in.Body.toChain(), revision)
	if err != nil {
		return nil, in.precondition(err)
	}
	return &revised[ChainChange]{ETag: tagOf(done.Revision), Body: chainChangeOf(done)}, nil
}

// Supplier is an organisation of the chain with its distance from ours.
type Supplier struct {
	Organisation
	Rank     *int     `json:"rank,omitempty" doc:"The distance in the chain: 1 is a direct supplier. Absent when nothing connects it with us."`
	Supplies []string `json:"supplies,omitempty" doc:"What it supplies, to anyone in the chain."`
	Operates []string `json:"operates,omitempty" doc:"The systems that it runs."`
	Makes    []string `json:"makes,omitempty" doc:"The products that it ships."`
}

func supplierOf(g *chain.Graph, o chain.Organisation) Supplier {
	s := Supplier{Organisation: organisationOf(o), Rank: rankOf(g.Rank(o.ID))}
	m := g.Map()
	for i := range m.Supplies {
		if m.Supplies[i].Supplier == o.ID {
			s.Supplies = append(s.Supplies, string(m.Supplies[i].ID))
		}
	}
	for i := range m.Systems {
		if m.Systems[i].Operator == o.ID {
			s.Operates = append(s.Operates, string(m.Systems[i].ID))
		}
	}
	for i := range m.Products {
		if m.Products[i].Supplier == o.ID {
			s.Makes = append(s.Makes, string(m.Products[i].ID))
		}
	}
	return s
}

func rankOf(rank int) *int {
	if rank == chain.UnknownRank {
		return nil
	}
	return &rank
}

func listSuppliers(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	Rank     int    `query:"rank" minimum:"0" maximum:"100" doc:"Only organisations of this rank; 0 means all."`
	Category string `query:"category" maxLength:"200" doc:"Only organisations of this category."`
}) (*listOutput[Supplier], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	m := g.Map()
	return filtered(m.Organisations, func(o *chain.Organisation) bool {
		return o.ID != m.Own && found(in.Search, append(o.Domains, string(o.ID), o.Name)...) &&
			(in.Rank == 0 || g.Rank(o.ID) == in.Rank) && (in.Category == "" || strings.EqualFold(in.Category, o.Category))
	}, in.Paging, func(o chain.Organisation) Supplier {
		return Supplier{Organisation: organisationOf(o), Rank: rankOf(g.Rank(o.ID))}
	}, "suppliers", in.Search, in.Category, strconv.Itoa(in.Rank))
}

func getSupplier(s *server, ctx context.Context, actor entente.Actor, in *ByID) (*one[Supplier], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	o, ok := g.Organisation(chain.NodeID(in.ID))
	if !ok {
		return nil, entente.NotFound("there is no organisation %q in the chain", in.ID)
	}
	return &one[Supplier]{supplierOf(g, *o)}, nil
}

func listSupplies(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	Supplier string `query:"supplier" maxLength:"64" doc:"Only what this organisation supplies."`
	Customer string `query:"customer" maxLength:"64" doc:"Only what this organisation is supplied with."`
}) (*listOutput[Supply], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(g.Map().Supplies, func(y *chain.Supply) bool {
		return found(in.Search, string(y.ID), y.Name, y.Category) && (in.Supplier == "" || in.Supplier == string(y.Supplier)) &&
			(in.Customer == "" || in.Customer == string(y.Customer))
	}, in.Paging, supplyOf, "supplies", in.Search, in.Supplier, in.Customer)
}

func listSystems(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	Operator string `query:"operator" maxLength:"64" doc:"Only systems that this organisation runs."`
}) (*listOutput[System], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(g.Map().Systems, func(y *chain.System) bool {
		return found(in.Search, string(y.ID), y.Name) && (in.Operator == "" || in.Operator == string(y.Operator))
	}, in.Paging, systemOf, "systems", in.Search, in.Operator)
}

func listFlows(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Listing
	Touches string `query:"touches" maxLength:"64" doc:"Only flows from or to this thing."`
}) (*listOutput[Flow], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	return filtered(g.Map().Flows, func(f *chain.Flow) bool {
		return found(in.Search, append(f.Data, string(f.ID), f.Interface)...) &&
			(in.Touches == "" || in.Touches == string(f.From) || in.Touches == string(f.To))
	}, in.Paging, flowOf, "flows", in.Search, in.Touches)
}

// Ref names a thing of the chain.
type Ref struct {
	ID   string `json:"id"`
	Kind string `json:"kind" doc:"organisation, process, activity, system, supply or product."`
	Name string `json:"name"`
}

func refOf(n chain.Node) Ref { return Ref{ID: string(n.ID), Kind: string(n.Kind), Name: n.Name} }

// Node is a thing of the chain and what it is connected with.
type Node struct {
	Ref
	Organisation string    `json:"organisation,omitempty" doc:"Who stands behind it."`
	UsedBy       []Ref     `json:"used_by" doc:"What names it among its needs."`
	HangsOn      []Hanging `json:"hangs_on" doc:"Everything that it hangs on, directly or through others, the nearest first; at most 1000."`
	HangsOnTotal int       `json:"hangs_on_total"`
}

// Hanging is one thing that another hangs on.
type Hanging struct {
	Ref
	Steps int    `json:"steps" doc:"How many needs lie between, on the shortest way."`
	By    string `json:"by" doc:"The thing nearer to the asking one that names this one."`
}

const maxHanging = 1000

func getNode(s *server, ctx context.Context, actor entente.Actor, in *ByID) (*one[Node], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	n, ok := g.Node(chain.NodeID(in.ID))
	if !ok {
		return nil, entente.NotFound("there is nothing with the id %q in the chain", in.ID)
	}
	hangs := g.HangsOn(n.ID)
	out := Node{Ref: refOf(n), Organisation: string(n.Organisation), UsedBy: orEmpty(each(g.UsedBy(n.ID), refOf)), HangsOnTotal: len(hangs)}
	out.HangsOn = orEmpty(each(hangs[:min(len(hangs), maxHanging)], func(h chain.Hanging) Hanging {
		return Hanging{Ref: refOf(h.Node), Steps: h.Steps, By: string(h.By)}
	}))
	return &one[Node]{out}, nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

type fileOutput struct {
	ContentType string `header:"Content-Type"`
	ETag        string `header:"ETag"`
	Body        []byte
}

func exportMap(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*fileOutput, error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	if g.Revision() == 0 {
		return nil, entente.NotFound("there is no chain yet; import a map first")
	}
	var text bytes.Buffer
	err = chain.WriteMap(&text, g.Map())
	if err != nil {
		return nil, err
	}
	return &fileOutput{ContentType: mapType, ETag: tagOf(g.Revision()), Body: text.Bytes()}, nil
}

func importMap(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Upload
	Condition
}) (*revised[ChainChange], error) {
	revision, err := in.revision()
	if err != nil {
		return nil, err
	}
	m, err := chain.ParseMap(in.file, "the map")
	if err != nil {
		return nil, in.verdict(err)
	}
	done, err := s.Chain.ImportAt(ctx, actor, m, revision)
	if err != nil {
		return nil, in.precondition(err)
	}
	return &revised[ChainChange]{ETag: tagOf(done.Revision), Body: chainChangeOf(done)}, nil
}
