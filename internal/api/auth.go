package api

import (
	"context"
	"net/http"
	"strings"

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
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	object := identity.Object{Kind: o.kind, Org: actor.Org}
	if o.object != "" {
		object.ID = r.PathValue(o.object)
	}
	err = identity.Require(actor, o.verb, object)
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
