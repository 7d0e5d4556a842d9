package web

import (
	"net/http"
	"slices"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
)

// Route is one line of the list of routes: everything that is known of a page
// before its own code runs.
type Route struct {
	Method  string
	Pattern string
	// Door says who comes in; behind [ByVerb], Verb says what they must be allowed.
	Door Door
	Verb identity.Verb
	// Kind is that of the thing that Verb is about, whose id stands as {id} in the
	// path (no id: any thing of the kind). Without a kind, it is the organisation as a
	// whole.
	Kind string

	// unasked says that pages ask for it by themselves: it counts as no use of a session.
	unasked bool

	limits limits
	run    func(*visit) error
}

// Door says who may visit a route.
type Door string

// The doors. A route without one does not exist: [New] refuses it.
const (
	Open     Door = "open"      // anybody
	SignedIn Door = "signed-in" // anybody with a session; about nobody's data but their own
	ByVerb   Door = "by verb"   // members of the organisation in the path whom identity.Can allows the verb
)

// limits bounds one request: bytes of its body, and how long reading and answering
// it may take.
type limits struct {
	body int64
	time time.Duration
}

var (
	pageLimits   = limits{body: 64 << 10, time: 30 * time.Second}
	mapLimits    = limits{body: 32 << 20, time: 2 * time.Minute}
	uploadLimits = limits{body: 513 << 20, time: 15 * time.Minute}
)

// Routes lists every route of the pages, room by room.
func Routes() []Route {
	return slices.Concat(identityRoutes(), homeRoutes(), searchRoutes(), liveRoutes(), designRoutes(), chainRoutes(), graphRoutes(), editRoutes(), bulkRoutes(), viewRoutes(), importRoutes(), partnerRoutes(), exchangeRoutes(), inventoryRoutes(), documentRoutes(), advisoryRoutes(), journalRoutes())
}

func page(pattern string, verb identity.Verb, run func(*visit) error) Route {
	return Route{Method: http.MethodGet, Pattern: pattern, Door: ByVerb, Verb: verb, limits: pageLimits, run: run}
}

func act(pattern string, verb identity.Verb, run func(*visit) error) Route {
	return Route{Method: http.MethodPost, Pattern: pattern, Door: ByVerb, Verb: verb, limits: pageLimits, run: run}
}

func (r Route) through(d Door) Route {
	r.Door, r.Verb = d, ""
	return r
}

// on narrows the right that the route needs to one thing.
func (r Route) on(kind string) Route {
	r.Kind = kind
	return r
}

// object is what the verb of the route is about.
func (r Route) object(org entente.OrgID, id string) identity.Object {
	if r.Kind == "" {
		return identity.In(org)
	}
	return identity.Object{Kind: r.Kind, Org: org, ID: id}
}

func (r Route) within(l limits) Route {
	r.limits = l
	return r
}

// Address is the route as net/http's mux takes it: "GET /o/{org}/processes".
func (r Route) Address() string { return r.Method + " " + r.Pattern }
