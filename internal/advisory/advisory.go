package advisory

import (
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// The events that this room writes.
const (
	// EventRecorded says that records are new or changed. The subject is the source,
	// the body [Recorded].
	EventRecorded journal.Kind = "advisory.recorded"
	// EventMatched says that packages stand differently to advisories than before.
	// The subject is the product whose document brought it about, or empty if it was
	// an advisory; the body is [Matched].
	EventMatched journal.Kind = "advisory.matched"
)

// Recorded is the body of [EventRecorded]. One event tells of up to some hundred
// records.
type Recorded struct {
	Source    string   `json:"source"`
	Records   []string `json:"records"` // new and changed ones
	New       int      `json:"new"`
	Changed   int      `json:"changed"`
	Withdrawn int      `json:"withdrawn"` // of the records, those that are withdrawn
}

// Matched is the body of [EventMatched].
type Matched struct {
	Document   uint32            `json:"document,omitempty"` // that brought it about
	Advisories []MatchedAdvisory `json:"advisories"`
	Cut        int               `json:"cut,omitempty"` // advisories beyond those listed
}

// MatchedAdvisory is one advisory of a [Matched]: how many packages of the
// organisation's dictionary it affects now.
type MatchedAdvisory struct {
	ID       string `json:"id"` // of the group
	Affected int    `json:"affected"`
	Unknown  int    `json:"unknown"`
}

// Options are the settings of a [Service]; the zero value is right.
type Options struct {
	// CacheBytes bounds the indexes that are kept in memory; 512 MiB if 0.
	CacheBytes int64
	Now        func() time.Time
}

// Service records advisories and answers whom they hit.
type Service struct {
	d       *db.DB
	chain   *chain.Service
	indexes *indexes
	texts   texts
	now     func() time.Time
}

// New makes the service on an open database. It reads chains through the chain's
// service and the inventory within its own transactions.
func New(d *db.DB, c *chain.Service, o Options) *Service {
	if o.CacheBytes == 0 {
		o.CacheBytes = 512 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{d: d, chain: c, indexes: newIndexes(o.CacheBytes), now: o.Now}
}

// worker is the program itself, following the journal.
func worker(org entente.OrgID) entente.Actor { return entente.System(org, entente.DoorWorker) }
