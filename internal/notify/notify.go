package notify

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/outbound"
)

// Config says how a node tells others. Without a Key there are no webhooks and no
// mail; without Mail there is no mail.
type Config struct {
	// Key seals the secrets of hooks and the mail that waits.
	Key seal.Key
	// Origin is the address by which browsers reach the node; links begin with it.
	Origin string
	// AllowPrivate lets hooks lead to this machine and to private networks, also
	// without TLS. Only the operator of a node can know whether that is harmless.
	AllowPrivate bool
	// Mail is the server that takes mail; nil for none.
	Mail *MailServer
	// Say says a message as a person likes to read, moments too; nil says it in English.
	Say func(identity.Preferences, entente.Message) string
	// Log gets what no person can be told; nil means slog.Default().
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Service is the room.
type Service struct {
	db       *db.DB
	identity *identity.Service
	c        Config
	client   *http.Client
}

// New opens the room.
func New(d *db.DB, people *identity.Service, c Config) *Service {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{db: d, identity: people, c: c, client: outbound.Client(c.AllowPrivate, attemptTime)}
}

// now gives the time as the database keeps it.
func (s *Service) now() time.Time { return db.Time(db.Millis(s.c.Now())) }

// Origin is the address by which people reach the node.
func (s *Service) Origin() string { return s.c.Origin }

// Consumers follow the journal for the room.
func (s *Service) Consumers() []journal.Consumer {
	all := []journal.Consumer{{Name: "notify.hooks", Kinds: kindsTold(), Handle: s.heard}}
	if s.CanMail() {
		all = append(all, journal.Consumer{Name: "notify.alerts", Kinds: kindsAlerted(), Handle: s.alert})
	}
	return all
}

// The kinds of the room's jobs.
const (
	jobDeliver = "notify.deliver"
	jobMail    = "notify.mail"
)

// Jobs are the room's handlers of due work.
func (s *Service) Jobs() map[string]journal.JobHandler {
	return map[string]journal.JobHandler{
		jobDeliver: func(ctx context.Context, job *journal.Job) error { return s.deliver(ctx, job) },
		jobMail:    func(ctx context.Context, job *journal.Job) error { return s.sendMail(ctx, job) },
		jobAlert:   func(ctx context.Context, job *journal.Job) error { return s.sendAlert(ctx, job) },
	}
}
