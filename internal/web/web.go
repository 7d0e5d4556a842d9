package web

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

type server struct {
	Config
	mux       *http.ServeMux
	overviews overviews
	heads     heads
	streams   *streams

	supplierLists supplierLists
	answers       *kept[headQuestion, any]
	concentrated  *kept[concentrationState, concentrationPage]
	drawings      *kept[[sha256.Size]byte, string]
	graphLists    *kept[chainState, []graphThing]
	graphReplies  *kept[graphState, packedReply]
	graphDrawings *kept[graphState, graphDrawing]
}

// New makes the handler of all pages. It fails on a route without a decision who
// may visit it.
func New(c Config) (*Pages, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Address == nil {
		c.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if c.Languages == nil {
		var err error
		c.Languages, err = lang.Shipped()
		if err != nil {
			return nil, err
		}
	}
	s := &server{
		Config: c, mux: http.NewServeMux(), streams: newStreams(),
		answers:       newKept[headQuestion, any](mostFoundRows),
		concentrated:  newKept[concentrationState, concentrationPage](mostConcentrationRows),
		drawings:      newKept[[sha256.Size]byte, string](mostDrawingBytes),
		graphLists:    newKept[chainState, []graphThing](mostGraphRows),
		graphReplies:  newKept[graphState, packedReply](mostGraphBytes),
		graphDrawings: newKept[graphState, graphDrawing](mostDrawingBytes),
	}
	for _, route := range Routes() {
		err := route.decided()
		if err != nil {
			return nil, err
		}
		s.mux.HandleFunc(route.Address(), s.visitor(route))
	}
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(s.foreign))
	return &Pages{Handler: s.recovering(crossOrigin.Handler(http.HandlerFunc(s.serve))), server: s}, nil
}

func (r Route) decided() error {
	switch {
	case r.run == nil || r.limits == limits{}:
		return fmt.Errorf("the route %s has no code or no limits", r.Address())
	case r.Door == ByVerb && (r.Verb == "" || !strings.HasPrefix(r.Pattern, "/o/{org}")):
		return fmt.Errorf("the route %s says neither which right it needs nor in which organisation", r.Address())
	case r.Door != ByVerb && r.Verb != "":
		return fmt.Errorf("the route %s names a right that nobody asks for", r.Address())
	case r.Door != Open && r.Door != SignedIn && r.Door != ByVerb:
		return fmt.Errorf("the route %s does not say who may visit it", r.Address())
	}
	return nil
}

// serve answers static files and what no route knows; everything else goes to its
// route.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, ui.StaticPrefix) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if !ui.Static(w, r) {
			http.Error(w, "There is no such file.", http.StatusNotFound)
		}
		return
	}
	_, pattern := s.mux.Handler(r)
	if pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	v := s.newVisit(w, r)
	v.lookAround()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "" && method != r.Method {
			w.Header().Set("Allow", method)
			v.fail(&wrongMethod{method: r.Method})
			return
		}
	}
	v.fail(errNoPage)
}

// visitor makes the handler of one route.
func (s *server) visitor(route Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), route.limits.time)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, route.limits.body)
		// Not every kind of connection has deadlines; a test's has none.
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Now().Add(route.limits.time))
		_ = control.SetWriteDeadline(time.Now().Add(route.limits.time + 10*time.Second))
		v := s.newVisit(w, r)
		defer v.recovered()
		err := v.enter(route)
		if err == nil {
			err = route.run(v)
		}
		if err != nil {
			v.fail(err)
		}
	}
}

// recovering sets the headers that every answer has, and turns a panic into an
// error page.
func (s *server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.strict(w.Header())
		defer s.newVisit(w, r).recovered()
		next.ServeHTTP(w, r)
	})
}

// contentPolicy lets a page load its style sheet and pictures from this node and
// send its forms there, and nothing else.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (s *server) strict(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if s.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// foreign answers a request that another site made a browser send.
func (s *server) foreign(w http.ResponseWriter, r *http.Request) {
	s.newVisit(w, r).fail(errForeign)
}
