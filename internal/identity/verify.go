package identity

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/journal"
)

// Verification is what a verification of the journal found.
type Verification struct {
	At       time.Time       `json:"at"`
	By       string          `json:"-"`
	Events   int64           `json:"events"`              // found to be as they were written
	Hash     string          `json:"hash,omitempty"`      // of the latest of them, in hexadecimal
	BrokenAt int64           `json:"broken_at,omitempty"` // the first event that is not as it was written
	Reason   entente.Message `json:"reason,omitzero"`
}

// VerifyJournal computes the chain of the organisation's journal anew, from the first
// event to the latest, and records what it found.
func (s *Service) VerifyJournal(ctx context.Context, actor entente.Actor) (Verification, error) {
	if err := Require(actor, JournalVerify, In(actor.Org)); err != nil {
		return Verification{}, err
	}
	report, err := journal.Verify(ctx, s.db, actor.Org)
	v := Verification{At: s.now(), By: actor.Name, Events: report.Events, Hash: hex.EncodeToString(report.Hash)}
	var broken *journal.BrokenError
	switch {
	case errors.As(err, &broken):
		v.Events, v.Hash, v.BrokenAt, v.Reason = broken.Seq-1, "", broken.Seq, broken.Reason
	case err != nil:
		return Verification{}, err
	}
	return v, s.db.Write(ctx, actor.Org, func(tx *db.Tx) error {
		return journal.Append(ctx, tx, actor, EventVerified, string(actor.Org), v)
	})
}

// LastVerification gives the latest verification of the journal, if there was one
// among its latest events.
func (s *Service) LastVerification(ctx context.Context, actor entente.Actor) (v Verification, found bool, err error) {
	if err := Require(actor, JournalVerify, In(actor.Org)); err != nil {
		return Verification{}, false, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		e, some, err := journal.LatestOf(ctx, tx, actor.Org, EventVerified)
		if err != nil || !some {
			return err
		}
		found = true
		err = json.Unmarshal(e.Body, &v)
		v.By = e.Actor
		return err
	})
	return v, found, err
}
