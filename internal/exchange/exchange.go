package exchange

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/outbound"
)

// Config says how a node talks with others.
type Config struct {
	// Key seals the private keys. Without it an organisation cannot have one.
	Key seal.Key
	// Origin is the address by which other nodes reach this one.
	Origin string
	// AllowPrivate lets partners live on private networks and on this machine, also
	// without TLS. Only the operator of a node can know whether that is harmless.
	AllowPrivate bool
	// Log gets what no person can be told; nil means slog.Default().
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Fetch is how often a node asks its partners by itself for what it may have
	// missed; 0 means every 15 minutes.
	Fetch time.Duration
	// Backoff is the wait after the n-th failure in a row to reach a partner; nil means
	// [journal.Backoff].
	Backoff func(n int) time.Duration
}

// Service is the room.
type Service struct {
	db       *db.DB
	identity *identity.Service
	c        Config
	client   *http.Client

	mu        sync.Mutex
	parties   map[entente.PartyID]entente.OrgID // of this node
	looked    time.Time                         // when those that were not known were read
	changed   int                               // how often they changed since the start
	lookedAll time.Time                         // when all of them were read
	clocks    map[string]time.Duration          // by how much the clock of a host is ahead of ours
	asked     map[string]time.Time              // when a partner's node was last asked for keys, by organisation and partner
	metBy     map[string]bool                   // whether a partner was met since the start, by the same

	rings      memo[knownKeys]  // of key documents
	agreements memo[signedText] // of envelopes
}

// New opens the room.
func New(d *db.DB, people *identity.Service, c Config) *Service {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Backoff == nil {
		c.Backoff = journal.Backoff
	}
	if c.Fetch == 0 {
		c.Fetch = 15 * time.Minute
	}
	return &Service{
		db: d, identity: people, c: c, client: outbound.Client(c.AllowPrivate, requestTime),
		parties: map[entente.PartyID]entente.OrgID{}, clocks: map[string]time.Duration{}, asked: map[string]time.Time{}, metBy: map[string]bool{},
	}
}

// now gives the time as the database keeps it.
func (s *Service) now() time.Time { return db.Time(db.Millis(s.c.Now())) }

// host is the authority of this node's address, as signed requests name it.
func (s *Service) host() string {
	u, err := url.Parse(s.c.Origin)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// The kinds of the room's jobs.
const (
	jobDeliver = "exchange.deliver"
	jobFetch   = "exchange.fetch"
	jobBlob    = "exchange.blob"
	jobExpire  = "exchange.expire"
	jobRegain  = "exchange.regain"
)

// Jobs are the room's handlers of due work.
func (s *Service) Jobs() map[string]journal.JobHandler {
	return map[string]journal.JobHandler{
		jobDeliver: func(ctx context.Context, job *journal.Job) error { return s.deliver(ctx, job) },
		jobFetch:   func(ctx context.Context, job *journal.Job) error { return s.fetch(ctx, job) },
		jobBlob:    func(ctx context.Context, job *journal.Job) error { return s.fetchOne(ctx, job) },
		jobExpire:  s.expire,
		jobRegain:  s.regainJob,
	}
}

// local gives the organisation of this node that is a party; empty: none is. That none
// is holds for a moment only, as another replica may host it by now.
func (s *Service) local(ctx context.Context, party entente.PartyID) (entente.OrgID, error) {
	s.mu.Lock()
	org, known := s.parties[party]
	began, round := time.Now(), s.changed
	fresh := began.Sub(s.looked) < partiesTime
	s.mu.Unlock()
	if known || fresh {
		return org, nil
	}
	all, err := s.identity.Organisations(ctx)
	if err != nil {
		return "", err
	}
	// Hardly anybody moves: most of the time only those are asked for who are not known.
	found, named := map[entente.PartyID]entente.OrgID{}, map[entente.OrgID]bool{}
	s.mu.Lock()
	whole := began.Sub(s.lookedAll) >= allPartiesTime
	if !whole {
		maps.Copy(found, s.parties)
	}
	s.mu.Unlock()
	for _, org := range found {
		named[org] = true
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		for _, o := range all {
			if named[o.ID] {
				continue
			}
			err := db.Each(ctx, tx, "SELECT party FROM exchange_self WHERE org = $1 AND moved_at = 0", func(row db.Scanner) error {
				var p entente.PartyID
				err := row.Scan(&p)
				found[p] = o.ID
				return err
			}, o.ID)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == round {
		s.parties, s.looked = found, began
		if whole {
			s.lookedAll = began
		}
	}
	return found[party], nil
}

// partiesTime is for how long it is believed that a party does not live here, and
// allPartiesTime that those who do still do.
const (
	partiesTime    = time.Second
	allPartiesTime = time.Minute
)

// partiesChanged says that a party came to this node or left it.
func (s *Service) partiesChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.parties)
	s.looked, s.lookedAll = time.Time{}, time.Time{}
	s.changed++
}

// knownKeys is a key document that was read and verified.
type knownKeys struct {
	document entente.KeyDocument
	ring     entente.Keyring
}

// ring reads and verifies a key document once for each of its states.
func (s *Service) ring(text string) (entente.KeyDocument, entente.Keyring, error) {
	if k, known := s.rings.get(text); known {
		return k.document, k.ring, nil
	}
	document, err := readDocument([]byte(text))
	if err != nil {
		return document, entente.Keyring{}, err
	}
	ring, err := document.Verify()
	if err != nil {
		return document, ring, entente.Invalid("the key document does not prove itself: %s", err.Error())
	}
	document.Changes = slices.Clip(document.Changes) // who adds one makes a copy
	s.rings.put(text, knownKeys{document, ring})
	return document, ring, nil
}

// signedText is an agreement that was read, with the hash of what was signed.
type signedText struct {
	entente.Agreement
	hash entente.Hash
}

// agreement reads the stored envelope of an agreement once. Who changes what it gives
// makes a copy.
func (s *Service) agreement(text string) (signedText, error) {
	a, known := s.agreements.get(text)
	if known {
		return a, nil
	}
	var e entente.Envelope
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return a, err
	}
	if err := json.Unmarshal(e.Payload, &a.Agreement); err != nil {
		return a, err
	}
	a.hash = entente.HashOf(e.Payload)
	s.agreements.put(text, a)
	return a, nil
}

// memo keeps what was made of texts, within bounds.
type memo[V any] struct {
	mu    sync.Mutex
	known map[string]V
	size  int // of the texts, in bytes
}

func (m *memo[V]) get(text string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, known := m.known[text]
	return v, known
}

func (m *memo[V]) put(text string, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.size += len(text); m.known == nil || len(m.known) >= maxKnown || m.size > maxKnownSize {
		m.known, m.size = map[string]V{}, len(text)
	}
	m.known[text] = v
}

// maxKnown is how many things of a kind are kept in memory, and maxKnownSize how many
// bytes their texts have in all.
const (
	maxKnown     = 5_000
	maxKnownSize = 32 << 20
)
