package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

// request is what the guard knows of a request under way.
type request struct {
	http  *http.Request
	actor entente.Actor
}

type requestKey struct{}

func requestOf(ctx context.Context) request {
	rq, _ := ctx.Value(requestKey{}).(request)
	return rq
}

// guard stands before every operation: who asks, may they, and was the same asked
// before? It decides before anything of the body is read.
func (s *server) guard(hc huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(hc)
	o, _ := hc.Operation().Metadata[metaOperation].(operation)
	actor, err := s.actor(r)
	if err == nil {
		err = legible(r)
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	err = identity.Require(actor, o.verb, o.on(actor.Org, r.PathValue))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	rq := request{http: r, actor: actor}
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, rq))
	if o.upload != nil {
		r.Body = &bounded{ReadCloser: http.MaxBytesReader(w, r.Body, o.upload.limit), limit: o.upload.limit}
	}
	run := func(w http.ResponseWriter, r *http.Request) { next(humago.NewContext(hc.Operation(), r, w)) }
	switch {
	case r.Method == http.MethodPost && r.Header.Get(headerIdempotency) != "":
		s.once(w, r, actor, run)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		conditional(w, r, run)
	default:
		run(w, r)
	}
}

// legible refuses an address that holds what is no text: no name in it could be
// that of anything, and no database takes it.
func legible(r *http.Request) error {
	query, err := url.QueryUnescape(r.URL.RawQuery)
	if err != nil {
		return newProblem(problemMalformed, "the query cannot be read: "+err.Error())
	}
	for place, text := range map[string]string{"path": r.URL.Path, "query": query} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			e := entente.Invalid("the address holds characters that are no text")
			e.Fields = []entente.FieldError{{Field: place, Message: entente.Say("must be UTF-8 without NUL")}}
			return e
		}
	}
	return nil
}

// actor finds who asks. Cookies are never looked at, so no browser can be made to
// send a request in somebody's name.
func (s *server) actor(r *http.Request) (entente.Actor, error) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return entente.Actor{}, unauthenticated("there is no API token; send it as: Authorization: Bearer TOKEN")
	}
	actor, err := s.auth.AuthenticateToken(r.Context(), strings.TrimSpace(token))
	if entente.KindOf(err) == entente.KindDenied {
		return entente.Actor{}, unauthenticated(err.Error())
	}
	return actor, err
}

func unauthenticated(detail string) *Problem {
	p := newProblem(problemUnauthenticated, detail)
	p.header = http.Header{"Www-Authenticate": {`Bearer realm="entente"`}}
	return p
}

// refuse answers with the problem of an error.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	s.problem(r, err).write(w)
}

// problem gives the answer to an error, and leaves what must be kept of it: in the
// journal what was denied, in the log what is our fault.
func (s *server) problem(r *http.Request, err error) *Problem {
	s.auth.RecordDenied(r.Context(), err)
	p := problemOf(err)
	p.logTo(s.log, r)
	return p
}
