package threat

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/threat/stix"
)

// The events of the room. The subject is the party.
const (
	EventRecorded  journal.Kind = "threat.recorded"
	EventForgotten journal.Kind = "threat.forgotten" // its sender took it back
	EventExpired   journal.Kind = "threat.expired"   // its time ran out
)

// Service is the room.
type Service struct{ d *db.DB }

// New opens the room.
func New(d *db.DB) *Service { return &Service{d} }

// Threat is one object that a partner shared.
type Threat struct {
	Party  entente.PartyID
	Number uint64 // of the entry
	ID     string
	Type   string
	Title  string
	By     string // what the party calls itself
	TLP    entente.TLP
	At     time.Time
	Raw    []byte // as it came; nil in lists, and when it is gone
	// Ended is when its sender took it back or, if it has Expired, its time ran out: what
	// it said is deleted. Zero: it stands.
	Ended   time.Time
	Expired bool
}

// Object reads the object.
func (t Threat) Object() (stix.Object, error) {
	d, err := stix.Read(t.Raw)
	if err != nil || len(d.Objects) != 1 {
		return stix.Object{}, errors.Join(err, errors.New("threat: what is stored is not one object"))
	}
	return d.Objects[0], nil
}

// Record keeps the objects of an entry. The same again changes nothing.
func (s *Service) Record(ctx context.Context, actor entente.Actor, t Threat, d stix.Document) error {
	if err := identity.Require(actor, identity.AdvisoryEdit, identity.In(actor.Org)); err != nil {
		return err
	}
	var rows [][]any
	seen := map[string]bool{}
	for _, o := range d.Objects {
		if o.ID == "" || seen[o.ID] {
			continue
		}
		seen[o.ID] = true
		rows = append(rows, []any{string(actor.Org), string(t.Party), int64(t.Number), o.ID, clean(o.Type), clean(o.Title()), clean(t.By), t.TLP.String(), db.Millis(t.At), []byte(o.Raw)})
	}
	return s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		n, err := tx.Insert(ctx, "INSERT INTO threat_object (org, party, number, id, type, title, by, tlp, at, raw) VALUES", "ON CONFLICT (org, party, number, id) DO UPDATE SET tlp = excluded.tlp", slices.Values(rows))
		if err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, actor, EventRecorded, string(t.Party), map[string]any{"name": t.By, "number": t.Number, "objects": len(rows)})
	})
}

func clean(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
	if r := []rune(text); len(r) > 500 {
		return string(r[:500]) + "…"
	}
	return text
}

// Forget deletes what an entry brought. That it was there, and when and why it went,
// stays. expired is when its time ran out; zero: its sender took it back.
func (s *Service) Forget(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64, expired time.Time) error {
	if err := identity.Require(actor, identity.AdvisoryEdit, identity.In(actor.Org)); err != nil {
		return err
	}
	event, ended := EventForgotten, time.Now()
	if !expired.IsZero() {
		event, ended = EventExpired, expired
	}
	return s.d.Write(ctx, actor.Org, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE threat_object SET title = '', raw = $4, ended_at = $5, expired = $6 WHERE org = $1 AND party = $2 AND number = $3 AND ended_at = 0", actor.Org, party, int64(number), []byte{}, db.Millis(ended), !expired.IsZero())
		if err != nil || n == 0 {
			return err
		}
		return journal.Append(ctx, tx, actor, event, string(party), map[string]any{"number": number, "objects": n})
	})
}

// List gives the objects that partners shared and that are not gone, the latest word of
// each party on each, the newest first.
func (s *Service) List(ctx context.Context, actor entente.Actor) (list []Threat, err error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		list, err = db.All(ctx, tx, scan, `SELECT party, number, id, type, title, by, tlp, at, ended_at, expired FROM threat_object t WHERE org = $1 AND ended_at = 0
			AND number = (SELECT MAX(number) FROM threat_object o WHERE o.org = t.org AND o.party = t.party AND o.id = t.id AND o.ended_at = 0) ORDER BY at DESC, party, id`, actor.Org)
		return err
	})
	return list, err
}

// Get gives one object as it came.
func (s *Service) Get(ctx context.Context, actor entente.Actor, party entente.PartyID, number uint64, id string) (t Threat, err error) {
	if err := identity.Require(actor, identity.AdvisoryRead, identity.In(actor.Org)); err != nil {
		return t, err
	}
	err = s.d.Read(ctx, func(tx *db.Tx) error {
		var raw []byte
		t, err = db.One(ctx, tx, func(row db.Scanner) (t Threat, err error) { return scanAnd(row, &raw) },
			"SELECT party, number, id, type, title, by, tlp, at, ended_at, expired, raw FROM threat_object WHERE org = $1 AND party = $2 AND number = $3 AND id = $4", actor.Org, party, int64(number), id)
		t.Raw = raw
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		err = entente.NotFound("there is no such threat")
	}
	return t, err
}

func scan(row db.Scanner) (Threat, error) { return scanAnd(row) }

func scanAnd(row db.Scanner, more ...any) (t Threat, err error) {
	var at, ended int64
	var tlp string
	if err = row.Scan(append([]any{&t.Party, &t.Number, &t.ID, &t.Type, &t.Title, &t.By, &tlp, &at, &ended, &t.Expired}, more...)...); err != nil {
		return t, err
	}
	t.At, t.Ended = db.Time(at), db.Time(ended)
	t.TLP, err = entente.ParseTLP(tlp)
	return t, err
}
