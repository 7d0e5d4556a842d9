package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

// operation is one line of a room's list: everything that is known of an operation
// before it runs.
type operation struct {
	id      string
	method  string
	path    string // below base
	summary string
	about   string // more than the summary says, where there is more to say

	verb identity.Verb // what the actor must be allowed
	kind string        // the kind of the object that the verb is asked for, "" for the organisation as a whole
	// object names the path parameter with the object's id, kindParam the one with
	// its kind where that is not always the same.
	object, kindParam string

	created bool     // success is 201 when something new was made, else 200
	upload  *upload  // the body is a file, which is streamed and not held in memory
	answers []string // media types of an answer that is not JSON

	register func(*server, huma.API, huma.Operation)
}

// upload says what a streamed body may be.
type upload struct {
	types []string // media types, for the document; what a file is, its content says
	limit int64    // bytes
	about string
}

// rooms lists every operation, room by room, in the order of the reference page.
func rooms() []roomOperations {
	return []roomOperations{
		{"organisation", "The organisation of the token, and who acts with it.", identityOperations},
		{"chain", "Processes, systems, supplies and suppliers; what stops when something is down; concentration; and the chain's things, one by one.", slices.Concat(chainOperations, thingOperations, batchOperations, importOperations, drawingOperations)},
		{"partner", "How much hangs on each supplier: its tier, computed with the arithmetic shown, and what people set by hand.", partnerOperations},
		{"exchange", "Partnerships: who they are with, what was agreed, how the feeds stand, and what is said by them and to them.", slices.Concat(exchangeOperations, sayOperations, vexOperations, ledgerOperations)},
		{"disclosure", "What partners are told of our suppliers, and what suppliers told of theirs.", disclosureOperations},
		{"inventory", "Products, their SBOMs and components.", inventoryOperations},
		{"advisory", "Advisories, what they match, and whom they hit.", advisoryOperations},
		{"threat", "Threats that partners shared.", threatOperations},
		{"search", "Everything, by name.", searchOperations},
		{"views", "Saved views of lists: search, filters, order and columns under a name.", viewOperations},
		{"webhooks", "Addresses that are told what happens, and what they were told.", notifyOperations},
		{"journal", "What happened in the organisation, and proof that nothing was changed afterwards.", journalOperations},
	}
}

// roomOperations are the operations of one room.
type roomOperations struct {
	name, about string
	operations  []operation
}

// operations lists every operation.
func operations() []operation {
	var all []operation
	for _, r := range rooms() {
		all = append(all, r.operations...)
	}
	return all
}

// answers makes an operation's function from one that gets the actor as an explicit
// argument, and from I and O the operation's part of the document.
func answers[I, O any](fn func(s *server, ctx context.Context, actor entente.Actor, in *I) (*O, error)) func(*server, huma.API, huma.Operation) {
	return func(s *server, a huma.API, op huma.Operation) {
		huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
			rq := requestOf(ctx)
			out, err := fn(s, ctx, rq.actor, in)
			if err != nil {
				return nil, s.problem(rq.http, err)
			}
			return out, nil
		})
	}
}

// describe gives the operation in huma's words.
func (o operation) describe(room string) huma.Operation {
	op := huma.Operation{
		OperationID:  o.id,
		Method:       o.method,
		Path:         base + o.path,
		Summary:      o.summary,
		Description:  strings.TrimSpace(o.about + "\n\nNeeds the right " + string(o.verb) + "."),
		Tags:         []string{room},
		MaxBodyBytes: maxJSONBody,
		Errors:       o.problems(),
		Metadata:     map[string]any{metaOperation: o},
		Extensions:   map[string]any{"x-entente-verb": string(o.verb)},
		Security:     []map[string][]string{{securityScheme: {}}},

		RejectUnknownQueryParameters: true,
	}
	return op
}

// problems lists the statuses that the operation can answer besides success.
func (o operation) problems() []int {
	codes := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	if o.changes() {
		codes = append(codes, http.StatusRequestTimeout, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	slices.Sort(codes)
	return codes
}

// changes says whether the operation can change something.
func (o operation) changes() bool { return o.method != http.MethodGet }

// documentBody adds to the document what huma cannot see in the types: a streamed
// body, an answer that is not JSON, and the headers that all operations share.
func (o operation) documentBody(doc *huma.OpenAPI) {
	op := operationIn(doc, o)
	if o.upload != nil {
		op.RequestBody = &huma.RequestBody{Description: o.upload.about, Required: true, Content: map[string]*huma.MediaType{}}
		for _, t := range o.upload.types {
			op.RequestBody.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
	}
	if o.created {
		same := *op.Responses["200"]
		same.Description = "Created"
		op.Responses["201"] = &same
		op.Responses["200"].Description = "It was there already, and nothing was changed."
	}
	if len(o.answers) > 0 {
		op.Responses["200"].Content = map[string]*huma.MediaType{}
		for _, t := range o.answers {
			op.Responses["200"].Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
	}
	if o.method == http.MethodPost {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: headerIdempotency, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MinLength: ptr(1), MaxLength: ptr(maxIdempotencyKey)},
			Description: "Any text that is new for each act. A repeated request with the same key gets the first answer again, for a day.",
		})
	}
	if o.method == http.MethodGet {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "If-None-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "The ETag of an earlier answer. If nothing has changed, the answer is 304 without a body.",
		})
		op.Responses["304"] = &huma.Response{Description: "Nothing has changed since the answer with that ETag."}
	}
}

// on is the object of the act, as the address names it.
func (o operation) on(org entente.OrgID, param func(string) string) identity.Object {
	object := identity.Object{Kind: o.kind, Org: org}
	if o.object != "" {
		object.ID = param(o.object)
	}
	if o.kindParam != "" {
		object.Kind = param(o.kindParam)
	}
	return object
}

// operationIn finds the operation in the document.
func operationIn(doc *huma.OpenAPI, o operation) *huma.Operation {
	item := doc.Paths[base+o.path]
	switch o.method {
	case http.MethodGet:
		return item.Get
	case http.MethodPost:
		return item.Post
	case http.MethodPut:
		return item.Put
	}
	return item.Delete
}

func ptr[T any](v T) *T { return &v }
