package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	entente "github.com/entente-project/entente"
)

// Problem is every answer that is not a success, after RFC 9457.
type Problem struct {
	Type   string  `json:"type" format:"uri-reference" doc:"The kind of problem: an address on the reference page that explains it." example:"/api/v1/#invalid"`
	Title  string  `json:"title" doc:"The kind of problem in words; always the same for one type."`
	Status int     `json:"status" doc:"The HTTP status code."`
	Detail string  `json:"detail,omitempty" doc:"What is wrong this time, where, and what to do."`
	ID     string  `json:"id,omitempty" doc:"Names the entry in the node's log; given when the fault is the program's."`
	Errors []Place `json:"errors,omitempty" nullable:"false" doc:"What is wrong in which place of the input."`
	cause  error
	header http.Header
}

// Place is one place of an input and what is wrong there.
type Place struct {
	Line    int    `json:"line,omitempty" doc:"The line of a file, counted from 1."`
	Field   string `json:"field,omitempty" doc:"The path of the field: body.name, query.limit, processes[2].bia.rto."`
	Message string `json:"message"`
}

// problemKind is one line of the table of problems.
type problemKind struct {
	name    string
	status  int
	title   string
	meaning string
}

// The problems that only a door of HTTP knows; the others are kinds of errors.
const (
	problemMalformed       = "malformed"
	problemUnauthenticated = "unauthenticated"
	problemMethod          = "method-not-allowed"
	problemTimeout         = "timeout"
	problemPrecondition    = "precondition-failed"
	problemMediaType       = "media-type"
)

// problems is the one table from kinds of errors to HTTP.
var problems = []problemKind{
	{problemMalformed, http.StatusBadRequest, "The request cannot be read", "The request is not what HTTP or JSON asks for: a body that breaks off, broken JSON, a missing body."},
	{problemUnauthenticated, http.StatusUnauthorized, "A valid API token is needed", "Send Authorization: Bearer with a token that has not expired and was not revoked."},
	{string(entente.KindDenied), http.StatusForbidden, "Not allowed", "The role of the token's owner, or the token itself, does not allow this. The detail says why."},
	{string(entente.KindNotFound), http.StatusNotFound, "Not found", "There is no such thing in the organisation of the token."},
	{problemMethod, http.StatusMethodNotAllowed, "Method not allowed", "The address exists, but not for this method; the Allow header lists the methods."},
	{problemTimeout, http.StatusRequestTimeout, "The request took too long to arrive", "Send the body faster, or in smaller parts."},
	{string(entente.KindConflict), http.StatusConflict, "Conflict", "Somebody else changed it meanwhile, it exists already, or a request with the same Idempotency-Key is still under way."},
	{problemPrecondition, http.StatusPreconditionFailed, "It has changed", "If-Match names a revision that is no longer the current one. Read it again, then repeat the change."},
	{string(entente.KindTooLarge), http.StatusRequestEntityTooLarge, "Too large", "A limit was hit; the detail names it."},
	{problemMediaType, http.StatusUnsupportedMediaType, "Content type not supported", "The body has a content type that this operation does not read."},
	{string(entente.KindInvalid), http.StatusUnprocessableEntity, "The input is wrong", "The request was read, but something in it is wrong. The errors list says what, and where."},
	{string(entente.KindInternal), http.StatusInternalServerError, "A fault of the program", "Nothing was changed. The node's log holds the cause under the id of the answer."},
	{string(entente.KindUnavailable), http.StatusServiceUnavailable, "Not available at the moment", "Try again; Retry-After says in how many seconds."},
}

func problemNamed(name string) problemKind {
	for _, p := range problems {
		if p.name == name {
			return p
		}
	}
	return problemNamed(string(entente.KindInternal))
}

func newProblem(name, detail string) *Problem {
	k := problemNamed(name)
	return &Problem{Type: base + "/#" + k.name, Title: k.title, Status: k.status, Detail: detail}
}

// problemOf gives the answer to an error of a service. A fault of the program gets
// an id under which the cause is logged, and no detail.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	kind := entente.KindOf(err)
	p = newProblem(string(kind), "")
	p.cause = err
	if kind == entente.KindInternal {
		p.ID = rand.Text()
		return p
	}
	var e *entente.Error
	if errors.As(err, &e) {
		p.Detail = e.Message.String()
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, Place{Line: f.Line, Field: f.Field, Message: f.Message.String()})
		}
	}
	if kind == entente.KindUnavailable {
		p.header = http.Header{"Retry-After": {"5"}}
	}
	return p
}

// Error gives the detail, or the title where there is none.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// Unwrap gives the cause, which is never part of an answer.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus gives the status code.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders gives the headers that go with the problem.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType gives the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// logTo writes the cause of a fault of the program to the log, under the id that
// the answer carries.
func (p *Problem) logTo(log *slog.Logger, r *http.Request) {
	if p.Status < http.StatusInternalServerError {
		return
	}
	log.ErrorContext(r.Context(), "an API request failed", "id", p.ID, "method", r.Method, "path", r.URL.Path, "status", p.Status, "cause", p.cause)
}

// write answers with the problem outside of huma.
func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"type":"about:blank","title":"A fault of the program","status":500}`)
	}
	for k, v := range p.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	w.Write(body) // the reader may be gone; nothing is left to do about it
}

// huma reaches its errors and its schemas through variables of its package; this is
// the only place that sets them.
func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		return problemOfHuma(status, detail, errs)
	}
}

// problemOfHuma gives the answer to what huma itself finds wrong with a request. The
// only 500 that it makes is a body that broke off, which is not our fault.
func problemOfHuma(status int, detail string, errs []error) *Problem {
	name := string(entente.KindInvalid)
	for _, k := range problems {
		if k.status == status {
			name = k.name
		}
	}
	if status >= http.StatusInternalServerError {
		name = problemMalformed
	}
	p := newProblem(name, sentence(detail))
	for _, err := range errs {
		var d *huma.ErrorDetail
		switch {
		case err == nil:
		case errors.As(err, &d):
			p.Errors = append(p.Errors, Place{Field: d.Location, Message: d.Message})
		default:
			p.Errors = append(p.Errors, Place{Message: err.Error()})
		}
	}
	if len(p.Errors) == 1 && p.Errors[0].Field == "" {
		p.Detail, p.Errors = p.Detail+": "+p.Errors[0].Message, nil
	}
	return p
}

// sentence puts huma's short messages into the words of the other problems.
func sentence(detail string) string {
	switch detail {
	case "validation failed":
		return "some of the values are wrong; errors lists them"
	case "request body is required":
		return "the request needs a body"
	case "cannot read request body":
		return "the body broke off"
	}
	return detail
}
