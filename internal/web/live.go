package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/web/ui"
)

func liveRoutes() []Route {
	r := page("/o/{org}/live", identity.OrganisationRead, (*visit).live).within(limits{body: pageLimits.body, time: streamLife + time.Minute})
	r.unasked = true
	return []Route{r}
}

// Bounds of the streams that tell open pages what happened.
const (
	streamLife       = 10 * time.Minute // then the page asks again, by itself
	streamBeat       = 20 * time.Second // how often a silent stream shows that it lives
	streamsOfOne     = 8                // of one person at once; a page that nobody looks at holds none
	streamsOfAll     = 4000             // of this process
	journalLook      = time.Second      // how often the journal is looked at, for what other replicas wrote
	mostMissed       = 500              // events that a stream or an answer goes back for; older ones are passed over
	streamWriteLimit = 10 * time.Second
)

// rightFor is what it takes to know that an event of a kind happened, by how the
// kind begins. What is not named here is told to those who may read the journal.
var rightFor = []struct {
	begins string
	verb   identity.Verb
}{
	{"chain.", identity.ChainRead},
	{"partner.", identity.ChainRead},
	{"sbom.", identity.InventoryRead},
	{"advisory.", identity.AdvisoryRead},
	{"member.", identity.PeopleRead},
	{"invitation.", identity.InvitationManage},
	{"organisation.", identity.OrganisationRead},
	{"statement.", identity.ExchangeRead},
	{"embargo.", identity.ExchangeRead},
	{"entry.", identity.ExchangeRead},
}

// mayKnow decides whether an actor may know that an event of a kind happened.
func mayKnow(actor entente.Actor, kind journal.Kind) bool {
	verb := identity.JournalRead
	for _, r := range rightFor {
		if strings.HasPrefix(string(kind), r.begins) {
			verb = r.verb
		}
	}
	ok, _ := identity.Can(actor, verb, identity.In(actor.Org))
	return ok
}

// streams keeps count of the streams that are open, and wakes those of an
// organisation when its journal grew, whichever replica wrote it.
type streams struct {
	mu     sync.Mutex
	ended  chan struct{} // closed when the node stops
	over   bool
	all    int
	of     map[entente.PersonID]int
	topics map[entente.OrgID]*topic
}

// topic is the journal of one organisation that pages follow.
type topic struct {
	followers int
	stop      func()
	grown     chan struct{} // closed when it grew; a new one takes its place
}

func newStreams() *streams {
	return &streams{ended: make(chan struct{}), of: map[entente.PersonID]int{}, topics: map[entente.OrgID]*topic{}}
}

// end ends all streams and lets none begin.
func (s *streams) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		close(s.ended)
	}
}

// enter counts a stream of a person in, if there is room for one more.
func (s *streams) enter(person entente.PersonID) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.all >= streamsOfAll || s.of[person] >= streamsOfOne {
		return nil, false
	}
	s.all++
	s.of[person]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.of[person]--; s.of[person] == 0 {
			delete(s.of, person)
		}
	}, true
}

// follow begins to look at the journal of an organisation, unless somebody does
// already.
func (s *streams) follow(d *db.DB, org entente.OrgID) (unfollow func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[org]
	if t == nil {
		ctx, cancel := context.WithCancel(context.Background())
		nudged := make(chan struct{}, 1)
		unwatch := d.Watch(func(changed entente.OrgID, news db.News) {
			if changed == org && news&db.NewEvents != 0 {
				select {
				case nudged <- struct{}{}:
				default:
				}
			}
		})
		t = &topic{grown: make(chan struct{}), stop: func() { unwatch(); cancel() }}
		s.topics[org] = t
		go s.look(ctx, d, org, t, nudged)
	}
	t.followers++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.followers--; t.followers == 0 {
			t.stop()
			delete(s.topics, org)
		}
	}
}

// look wakes the followers of a journal whenever its head has moved.
func (s *streams) look(ctx context.Context, d *db.DB, org entente.OrgID, t *topic, nudged <-chan struct{}) {
	tick := time.NewTicker(journalLook)
	defer tick.Stop()
	last := int64(-1)
	for {
		head, err := headOf(ctx, d, org)
		if err == nil && head != last {
			last = head
			s.mu.Lock()
			close(t.grown)
			t.grown = make(chan struct{})
			s.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-nudged:
		case <-tick.C:
		}
	}
}

// growth is closed the next time that the journal of an organisation grows.
func (s *streams) growth(org entente.OrgID) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.topics[org]; t != nil {
		return t.grown
	}
	return nil
}

func headOf(ctx context.Context, d *db.DB, org entente.OrgID) (head int64, err error) {
	err = d.Read(ctx, func(tx *db.Tx) error {
		head, err = journal.Head(ctx, tx, org)
		return err
	})
	return head, err
}

// happened gives the events after a number that the actor may know of, and up to
// where it looked.
func (s *server) happened(ctx context.Context, actor entente.Actor, after int64) (known []journal.Event, upTo int64, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		known = nil
		head, err := journal.Head(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		upTo = head
		if after < 0 || after >= head {
			return nil
		}
		events, err := journal.Events(ctx, tx, actor.Org, max(after, head-mostMissed), mostMissed)
		for _, e := range events {
			if mayKnow(actor, e.Kind) {
				known = append(known, e)
			}
		}
		return err
	})
	return known, upTo, err
}

// tidings is what a stream tells of an event: that it happened, and nothing of it.
type tidings struct {
	Seq     int64  `json:"seq"`
	Kind    string `json:"kind"`
	Subject string `json:"subject"`
}

func toldOf(events []journal.Event) []tidings {
	all := make([]tidings, len(events))
	for i, e := range events {
		all[i] = tidings{e.Seq, string(e.Kind), e.Subject}
	}
	return all
}

// since is the number after which the visitor has seen nothing: that of the last
// event of a stream that broke, or the one in the address.
func (v *visit) since() int64 {
	for _, text := range []string{v.r.Header.Get("Last-Event-ID"), v.r.URL.Query().Get("after")} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}

// live streams what happens to an open page; asked without a stream, it answers what
// happened so far, with the news among it in words.
func (v *visit) live() error {
	if !strings.Contains(v.r.Header.Get("Accept"), "text/event-stream") {
		return v.news()
	}
	leave, ok := v.streams.enter(v.actor.Person)
	if !ok {
		v.w.Header().Set("Retry-After", "60")
		v.answer = http.StatusTooManyRequests
		http.Error(v.w, v.T("Too many pages of yours are open at once. This one does not update by itself."), http.StatusTooManyRequests)
		return nil
	}
	defer leave()
	defer v.streams.follow(v.DB, v.actor.Org)()
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // a proxy must not wait for more
	v.answer = http.StatusOK
	v.w.WriteHeader(http.StatusOK)
	return v.stream(v.since())
}

// stream writes to the visitor until they leave, may no longer see anything, or the
// stream has lived long enough.
func (v *visit) stream(after int64) error {
	ctx := v.r.Context()
	control := http.NewResponseController(v.w)
	write := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(streamWriteLimit)) // not every connection has deadlines
		_, err := fmt.Fprint(v.w, text)
		return err == nil && control.Flush() == nil
	}
	if !write("retry: 3000\n\n") {
		return nil
	}
	end := time.NewTimer(streamLife)
	defer end.Stop()
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for {
		grown := v.streams.growth(v.actor.Org)
		if !v.stillHere(ctx) {
			return nil
		}
		events, upTo, err := v.happened(ctx, v.actor, after)
		if err != nil {
			return nil // the page asks again; there is no way to tell it here
		}
		var b strings.Builder
		for _, one := range toldOf(events) {
			body, err := json.Marshal(one)
			if err != nil {
				return nil
			}
			fmt.Fprintf(&b, "id: %d\ndata: %s\n\n", one.Seq, body)
		}
		// The number alone also keeps the connection alive.
		fmt.Fprintf(&b, "id: %d\n\n", upTo)
		if !write(b.String()) {
			return nil
		}
		after = upTo
		select {
		case <-grown:
		case <-beat.C:
		case <-end.C:
			return nil
		case <-v.streams.ended:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// stillHere finds out anew who the visitor is: a session can end and a role change
// while a stream is open.
func (v *visit) stillHere(ctx context.Context) bool {
	session, err := v.Identity.StillSession(ctx, v.token)
	if err != nil || session.Pending {
		return false
	}
	actor, err := session.Actor(v.actor.Org, entente.DoorPage)
	if err != nil {
		return false
	}
	v.actor = actor
	return v.may(identity.OrganisationRead)
}

// news answers what happened after a number, and what of it is news to the visitor.
func (v *visit) news() error {
	events, upTo, err := v.happened(v.r.Context(), v.actor, v.since())
	if err != nil {
		return err
	}
	items, err := v.newsOf(events)
	if err != nil {
		return err
	}
	return v.reply(http.StatusOK, struct {
		Seq    int64      `json:"seq"`
		Events []tidings  `json:"events"`
		News   []newsItem `json:"news"`
	}{upTo, toldOf(events), items})
}

// ofVisitor says whether the visitor did it on a page, and so knows.
func (v *visit) ofVisitor(e *journal.Event) bool {
	return e.Person != "" && e.Person == v.actor.Person && e.Door == entente.DoorPage
}

// equip gives a page inside the organisation its script, and what that script needs:
// where to search, and where to listen.
func (v *visit) equip(p *ui.Page) {
	v.island()
	p.Search = v.in("search")
	if v.seen > 0 {
		p.Live, p.Seen = v.in("live"), v.seen
	}
}
