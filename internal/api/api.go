package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

const (
	base           = "/api/v1"
	securityScheme = "token"
	metaOperation  = "operation"
	// maxJSONBody bounds a JSON body; files have bounds of their own.
	maxJSONBody = 1 << 20
)

// Authenticator knows who acts with an API token, and keeps what was denied.
type Authenticator interface {
	// AuthenticateToken makes the holder of a token an actor. An unknown, expired
	// or revoked token is an error of [entente.KindDenied].
	AuthenticateToken(ctx context.Context, token string) (entente.Actor, error)
	// RecordDenied writes to the journal that an act was denied, if err says so.
	RecordDenied(ctx context.Context, err error)
}

// Config is what the API is wired to. All fields are needed, apart from Version,
// Log and Now.
type Config struct {
	DB      *db.DB
	Auth    Authenticator
	Rooms   Rooms
	Version string           // of the program, for the document
	Log     *slog.Logger     // for faults; slog.Default by default
	Now     func() time.Time // time.Now by default
}

type server struct {
	Rooms
	db   *db.DB
	auth Authenticator
	log  *slog.Logger
	now  func() time.Time
	mux  *http.ServeMux
}

// New makes the handler of everything under /api/v1.
func New(c Config) (http.Handler, error) {
	s := &server{Rooms: c.Rooms, db: c.DB, auth: c.Auth, log: c.Log, now: c.Now, mux: http.NewServeMux()}
	if s.db == nil || s.auth == nil {
		return nil, fmt.Errorf("api: a database and an authenticator are needed")
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	doc, err := s.register(c.Version)
	if err != nil {
		return nil, err
	}
	s.serveDocument(doc)
	s.mux.HandleFunc("/", s.nothingHere)
	return s.recovered(), nil
}

// OpenAPI gives the document of an API that answers nothing, for tools
// that only need the text.
func OpenAPI(version string) ([]byte, error) {
	s := &server{mux: http.NewServeMux()}
	doc, err := s.register(version)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(doc, "", "  ")
}

func (s *server) register(version string) (*huma.OpenAPI, error) {
	if version == "" {
		version = "development"
	}
	a := humago.New(s.mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Entente",
				Version:     version,
				Description: about,
				License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: "/"}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					securityScheme: {Type: "http", Scheme: "bearer", Description: "An API token of a member, made on the page Settings, for some of the rights of its owner's role. It belongs to one organisation."},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
	})
	a.UseMiddleware(s.guard)
	seen := map[string]bool{}
	for _, room := range rooms() {
		a.OpenAPI().Tags = append(a.OpenAPI().Tags, &huma.Tag{Name: room.name, Description: room.about})
		for _, o := range room.operations {
			if o.id == "" || o.verb == "" || seen[o.id] {
				return nil, fmt.Errorf("api: the operation %q %s %s has no name of its own, or no verb", o.id, o.method, o.path)
			}
			seen[o.id] = true
			o.register(s, a, o.describe(room.name))
			o.documentBody(a.OpenAPI())
		}
	}
	return a.OpenAPI(), nil
}

const about = `Supply-chain security as a partnership: what our business processes depend on, and who is hit when something breaks anywhere in the chain.

Every request carries an API token: "Authorization: Bearer TOKEN". A token belongs to one organisation, and everything that is asked or changed is that organisation's.

Lists answer a page of items and, in next, the cursor of the page that follows. Answers to GET carry an ETag; send it as If-None-Match to get 304 while nothing has changed. A POST can carry an Idempotency-Key: repeated with the same key, it acts once. Times are RFC 3339 in UTC; durations are whole seconds.

Whatever is not a success is a problem document (RFC 9457).`

// nothingHere answers what no operation does.
func (s *server) nothingHere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := s.mux.Handler(probe); pattern != "" && pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		newProblem(string(entente.KindNotFound), "there is no operation at this address; "+base+"/ lists them").write(w)
		return
	}
	p := newProblem(problemMethod, "this address does not know "+r.Method)
	p.header = http.Header{"Allow": allowed}
	p.write(w)
}

// recovered serves the API with the headers that every answer carries, and turns a
// panic into an answer and an entry in the log.
func (s *server) recovered() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Cache-Control", "no-store")
		}
		started := &startedWriter{ResponseWriter: w}
		defer func() {
			fault := recover()
			if fault == nil {
				return
			}
			if fault == http.ErrAbortHandler {
				panic(fault)
			}
			p := problemOf(fmt.Errorf("panic: %v", fault))
			s.log.ErrorContext(r.Context(), "an API request panicked", "id", p.ID, "method", r.Method, "path", r.URL.Path, "cause", fault, "stack", stack())
			if started.yes {
				panic(http.ErrAbortHandler) // half an answer must not look like a whole one
			}
			p.write(w)
		}()
		s.mux.ServeHTTP(started, r)
	})
}

// startedWriter knows whether an answer has begun.
type startedWriter struct {
	http.ResponseWriter
	yes bool
}

// WriteHeader passes on, and remembers.
func (w *startedWriter) WriteHeader(status int) {
	w.yes = true
	w.ResponseWriter.WriteHeader(status)
}

// Write passes on, and remembers.
func (w *startedWriter) Write(p []byte) (int, error) {
	w.yes = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *startedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
