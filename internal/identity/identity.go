package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity/seal"
)

// Config says how a node treats its people. Its zero value is usable: without a Key
// there are no authenticator apps and no single sign-on, without an Origin no
// passkeys and no single sign-on.
type Config struct {
	// Key seals secrets at rest; all replicas of a node have the same.
	Key seal.Key
	// Origin is the address by which browsers reach the node, "https://entente.example".
	Origin string
	// Cost of checking a password; zero means [DefaultPasswordCost].
	Cost PasswordCost
	// Idle and Longest end a session: unused for so long, and in any case. Zero
	// means 12 hours and 7 days.
	Idle, Longest time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log gets what no person can be told; nil means slog.Default().
	Log *slog.Logger
	// SSOClient calls providers of single sign-on; nil means one that refuses
	// addresses of this machine and of the metadata services of clouds.
	SSOClient *http.Client
}

// Service is the room.
type Service struct {
	db          *db.DB
	c           Config
	hasher      *hasher
	known       *known[Session]
	knownTokens *known[token]
	touched     *touched // sessions in use, by hash
	tokensUsed  *touched // API tokens in use
	denials     *denials
	passkeys    *relyingParty
	sso         *providers
	running     atomic.Bool
	nudge       chan struct{}
}

// New opens the room. It refuses a key other than the one with which the secrets in
// this database were sealed.
func New(ctx context.Context, d *db.DB, c Config) (*Service, error) {
	if c.Cost == (PasswordCost{}) {
		c.Cost = DefaultPasswordCost
	}
	if c.Idle == 0 {
		c.Idle = idleDefault
	}
	if c.Longest == 0 {
		c.Longest = longestDefault
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	rp, err := newRelyingParty(c.Origin)
	if err != nil {
		return nil, err
	}
	s := &Service{
		db: d, c: c, hasher: newHasher(c.Cost), known: newKnown[Session](), knownTokens: newKnown[token](), touched: newTouched(), tokensUsed: newTouched(), denials: newDenials(),
		passkeys: rp, sso: newProviders(c.SSOClient), nudge: make(chan struct{}, 1),
	}
	if err := s.checkKey(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// settingKeyCheck is the node setting that names the key of the sealed secrets.
const settingKeyCheck = "seal.check"

func (s *Service) checkKey(ctx context.Context) error {
	mine := s.c.Key.Check()
	if mine == "" {
		return nil
	}
	theirs, err := s.Setting(ctx, settingKeyCheck)
	if err != nil {
		return err
	}
	if theirs == "" {
		err := s.db.WriteNode(ctx, func(tx *db.Tx) error {
			if err := insertSetting(ctx, tx, settingKeyCheck, mine); err != nil {
				return err
			}
			theirs, err = readSetting(ctx, tx, settingKeyCheck)
			return err
		})
		if err != nil {
			return err
		}
	}
	if theirs != mine {
		return entente.Invalid("the secrets in this database were sealed with the node key %s, and this program was given the key %s; give it the key file that belongs to the database", theirs, mine)
	}
	return nil
}

// Setting gives a setting of the node; "" if it was never set.
func (s *Service) Setting(ctx context.Context, key string) (value string, err error) {
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		value, err = readSetting(ctx, tx, key)
		return err
	})
	return value, err
}

// SetSetting changes a setting of the node. Only the program itself does so, at the
// command line or at start.
func (s *Service) SetSetting(ctx context.Context, actor entente.Actor, key, value string) error {
	if actor.Role != entente.RoleSystem || actor.Person != "" {
		return entente.Denied("settings of the node are changed at its command line")
	}
	return s.db.WriteNode(ctx, func(tx *db.Tx) error { return writeSetting(ctx, tx, key, value) })
}

// Person is somebody with an account on this node.
type Person struct {
	ID      entente.PersonID
	Email   string
	Name    string
	Created time.Time
}

// Membership is one person's place in one organisation.
type Membership struct {
	Org     entente.OrgID
	OrgName string
	Role    entente.Role
	Scope   []string
	Since   time.Time
}

// Client is what is known of the program that somebody signs in with: the address
// it calls from and what it says of itself.
type Client struct {
	Address string // IP address, with or without port
	Agent   string // the User-Agent header
}

// Method is how a session was opened.
type Method string

// The methods.
const (
	ByPassword     Method = "password"
	ByPasswordCode Method = "password and code"
	ByPasskey      Method = "passkey"
	BySSO          Method = "single sign-on"
	ByInvitation   Method = "invitation"
)

// now gives the time as the database keeps it, to the millisecond.
func (s *Service) now() time.Time { return db.Time(db.Millis(s.c.Now())) }

// newID gives an unguessable identifier.
func newID() string { return strings.ToLower(rand.Text()) }

// newSecret gives 32 random bytes in text.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// hashed is how a secret is stored: it has so much chance in it that one pass of
// SHA-256 is enough.
func hashed(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func hashedHex(secret string) string { return hex.EncodeToString(hashed(secret)) }

// orNone turns the absence of a row into a nil.
func orNone[T any](v T, err error) (*T, error) {
	if errors.Is(err, db.ErrNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &v, nil
}
