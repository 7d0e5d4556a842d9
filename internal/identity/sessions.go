package identity

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Session is one signed-in browser of one person, as the node knows it at this
// moment, with the organisations that it opens.
type Session struct {
	ID          string
	Person      Person
	Preferences Preferences
	Memberships []Membership
	Method      Method
	// Only is set where single sign-on of one organisation opened the session: its
	// provider vouches for that organisation alone.
	Only entente.OrgID
	// Pending says that the second factor is still due; until then the session opens
	// nothing (see [Service.ConfirmCode]).
	Pending bool
	Agent   string
	Address string
	Created time.Time
	Seen    time.Time
	Proven  time.Time // when the person last proved who they are
	Expires time.Time

	at time.Time // when this was read
}

// RecentlyAuthenticated says whether the person proved who they are within the last
// minutes, as acts of [NeedsFresh] ask.
func (s Session) RecentlyAuthenticated() bool {
	return !s.Pending && !s.Proven.IsZero() && s.at.Sub(s.Proven) < Fresh
}

// Actor makes the person of the session an actor in one of their organisations.
func (s Session) Actor(org entente.OrgID, door entente.Door) (entente.Actor, error) {
	if s.Pending {
		return entente.Actor{}, errPending()
	}
	for _, m := range s.Memberships {
		if m.Org == org {
			return actorOf(s.Person, m, door), nil
		}
	}
	return entente.Actor{}, entente.NotFound("there is no organisation %q among yours", org)
}

func actorOf(p Person, m Membership, door entente.Door) entente.Actor {
	return entente.Actor{Org: m.Org, Person: p.ID, Name: p.Name, Role: m.Role, Door: door, Scope: m.Scope}
}

func errPending() error {
	return entente.Denied("the second factor is still due; enter the code of your authenticator app")
}

func errSignedOut() error {
	return entente.Denied("you are not signed in, or the session has ended; sign in again")
}

func errNotFresh() error {
	return entente.Denied("this needs a fresh proof that it is you; confirm with your password or passkey and repeat it")
}

// Require is [Require] for a page: it also asks for a fresh proof of identity where
// the table says so. IsNotFresh tells that error from the others.
func (s *Service) Require(session Session, actor entente.Actor, v Verb, o Object) error {
	if err := Require(actor, v, o); err != nil {
		return err
	}
	if NeedsFresh(v) && !session.RecentlyAuthenticated() {
		return notFresh()
	}
	return nil
}

// errStaleProof marks the error that a page answers by asking for the password or
// passkey again.
var errStaleProof = errors.New("the proof of identity is not fresh")

func notFresh() error {
	e := errNotFresh().(*entente.Error)
	e.Err = errStaleProof
	return e
}

// IsNotFresh says whether err asks for a fresh proof of identity (see [Service.Reauthenticate]).
func IsNotFresh(err error) bool { return errors.Is(err, errStaleProof) }

// own checks that a session may be used for its person's own account. A session of
// single sign-on may not, because the provider of one organisation must not get a
// hold on what the same person does in another; except where that organisation is
// all there is.
func (s *Service) own(ctx context.Context, tx *db.Tx, session Session, fresh bool) error {
	switch {
	case session.Person.ID == "":
		return errSignedOut()
	case session.Pending:
		return errPending()
	case fresh && !session.RecentlyAuthenticated():
		return notFresh()
	case session.Only == "":
		return nil
	}
	memberships, err := membershipsOf(ctx, tx, session.Person.ID)
	if err != nil {
		return err
	}
	factors, err := countCredentials(ctx, tx, session.Person.ID)
	if err != nil {
		return err
	}
	if factors == 0 && len(memberships) == 1 && memberships[0].Org == session.Only {
		return nil
	}
	return entente.Denied("you are signed in by single sign-on of one organisation; to change your account, sign in with your password or passkey")
}

// openSession writes a new session and gives its token.
func (s *Service) openSession(ctx context.Context, tx *db.Tx, p entente.PersonID, m Method, only entente.OrgID, pending bool, c Client) (token string, err error) {
	token = newSecret()
	now := s.now()
	row := sessionRow{
		hash: hashed(token), id: newID(), person: p, only: only, method: m, pending: pending,
		agent: shortAgent(c.Agent), address: shortAddress(c.Address),
		created: now, seen: now, proven: now, expires: now.Add(s.c.Longest),
	}
	if pending {
		row.proven, row.expires = time.Time{}, now.Add(pendingLife)
	}
	if err := insertSession(ctx, tx, row); err != nil {
		return "", err
	}
	return token, trimSessions(ctx, tx, p, maxSessions)
}

// shortAddress gives the address without its port, for the list of sessions.
func shortAddress(a string) string {
	if ap, err := netip.ParseAddrPort(a); err == nil {
		return ap.Addr().Unmap().WithZone("").String()
	}
	if ip, err := netip.ParseAddr(a); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return ""
}

// Session gives the session of a token, also one whose second factor is still due.
// It costs one small read at most; ending a session takes effect at once on this
// replica, and within two seconds on others.
func (s *Service) Session(ctx context.Context, token string) (Session, error) {
	return s.session(ctx, token, true)
}

// StillSession is [Service.Session] for what a page asks by itself: it does not count
// as use, so that a page left open does not keep a session from ending.
func (s *Service) StillSession(ctx context.Context, token string) (Session, error) {
	return s.session(ctx, token, false)
}

func (s *Service) session(ctx context.Context, token string, used bool) (Session, error) {
	if len(token) != len(newSecretShape) {
		return Session{}, errSignedOut()
	}
	now := s.now()
	key := string(hashed(token))
	if found, ok := s.known.get(key, now); ok {
		return s.alive(key, found, now, used)
	}
	generation := s.known.generation()
	var found *Session
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = readSession(ctx, tx, []byte(key))
		return err
	})
	if err != nil {
		return Session{}, err
	}
	if found == nil {
		return Session{}, errSignedOut()
	}
	s.known.put(key, *found, now, generation)
	return s.alive(key, *found, now, used)
}

// newSecretShape has the length of every token of a session.
const newSecretShape = "0123456789012345678901234567890123456789012"

func (s *Service) alive(key string, found Session, now time.Time, used bool) (Session, error) {
	seen := s.touched.last(key, found.Seen)
	if !now.Before(found.Expires) || now.Sub(seen) >= s.c.Idle {
		return Session{}, errSignedOut()
	}
	if used && now.Sub(seen) >= touchEvery {
		s.touched.add(key, now)
	}
	found.at = now
	return found, nil
}

// Authenticate gives the person of a session and what they belong to. It refuses a
// session whose second factor is still due.
func (s *Service) Authenticate(ctx context.Context, token string) (Person, []Membership, error) {
	session, err := s.Session(ctx, token)
	if err != nil {
		return Person{}, nil, err
	}
	if session.Pending {
		return Person{}, nil, errPending()
	}
	return session.Person, session.Memberships, nil
}

// Actor makes a person an actor in one of their organisations, with the role that
// they have there now.
func (s *Service) Actor(ctx context.Context, person entente.PersonID, org entente.OrgID, door entente.Door) (actor entente.Actor, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		m, err := readMember(ctx, tx, org, person)
		if err != nil {
			return err
		}
		if m == nil {
			return entente.NotFound("there is no organisation %q among yours", org)
		}
		actor = actorOf(m.Person, Membership{Org: org, Role: m.Role, Scope: m.Scope}, door)
		return nil
	})
	return actor, err
}

// SignOut ends the session of a token; a token without a session is no error.
func (s *Service) SignOut(ctx context.Context, token string) error {
	key := hashed(token)
	err := s.db.WriteNode(ctx, func(tx *db.Tx) error { return deleteSession(ctx, tx, key) })
	s.forget()
	return err
}

// Sessions lists the sessions of the person, the one last used first.
func (s *Service) Sessions(ctx context.Context, session Session) (list []Session, err error) {
	now := s.now()
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		if err := s.own(ctx, tx, session, false); err != nil {
			return err
		}
		list, err = sessionsOf(ctx, tx, session.Person.ID, now, now.Add(-s.c.Idle))
		return err
	})
	for i := range list {
		list[i].Person = session.Person
	}
	return list, err
}

// EndSession ends one session of the person, named by its id.
func (s *Service) EndSession(ctx context.Context, session Session, id string) error {
	return s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, false); err != nil {
			return nil, err
		}
		n, err := deleteSessionByID(ctx, tx, session.Person.ID, id)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, entente.NotFound("there is no such session; it may have ended already")
		}
		return &act{kind: EventSessionEnded, body: map[string]any{"session": id, "by": session.ID}}, nil
	})
}

// EndOtherSessions ends every session of the person except this one.
func (s *Service) EndOtherSessions(ctx context.Context, session Session) error {
	return s.personally(ctx, session.Person.ID, func(tx *db.Tx) (*act, error) {
		if err := s.own(ctx, tx, session, false); err != nil {
			return nil, err
		}
		n, err := deleteSessions(ctx, tx, session.Person.ID, session.ID)
		if err != nil {
			return nil, err
		}
		return &act{kind: EventSessionEnded, body: map[string]any{"others": n, "by": session.ID}}, nil
	})
}

// touchEvery is how often the time of last use is written.
const touchEvery = time.Minute

// touched collects which sessions and tokens were used, so that no request waits for
// a write. [Service.Run] writes them.
type touched struct {
	mu  sync.Mutex
	all map[string]time.Time
}

// maxTouched bounds what is collected between two writes.
const maxTouched = 100_000

func newTouched() *touched { return &touched{all: map[string]time.Time{}} }

func (t *touched) add(key string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) < maxTouched {
		t.all[key] = at
	}
}

func (t *touched) last(key string, stored time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.all[key]; ok && at.After(stored) {
		return at
	}
	return stored
}

func (t *touched) take() map[string]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.all
	t.all = map[string]time.Time{}
	return all
}

// known remembers for two seconds what a session or API token opened, because a
// page asks with each of its requests.
type known[T any] struct {
	mu  sync.Mutex
	all map[string]remembered[T]
	gen uint64
}

type remembered[T any] struct {
	what  T
	until time.Time
}

const (
	knownLife = 2 * time.Second
	maxKnown  = 10_000
)

func newKnown[T any]() *known[T] { return &known[T]{all: map[string]remembered[T]{}} }

func (k *known[T]) get(key string, now time.Time) (what T, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.all[key]
	if !ok || !now.Before(r.until) {
		return what, false
	}
	return r.what, true
}

// put remembers what was read since generation, unless something ended meanwhile.
func (k *known[T]) put(key string, what T, now time.Time, generation uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if generation != k.gen {
		return
	}
	if len(k.all) >= maxKnown {
		clear(k.all)
	}
	k.all[key] = remembered[T]{what, now.Add(knownLife)}
}

func (k *known[T]) generation() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.gen
}

func (k *known[T]) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gen++
	clear(k.all)
}

// forget is called after every change to sessions, people, members and tokens.
// Changes are so rare that forgetting all costs nothing.
func (s *Service) forget() {
	s.known.forget()
	s.knownTokens.forget()
}
