package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
)

// Kind names what happened: the room and a verb in the past, "sbom.recorded".
// The constants stand in the room that writes them.
type Kind string

// MaxBody is the size limit of an event's or a job's body, in bytes of JSON.
// What is larger belongs in a table, and the event names it.
const MaxBody = 1 << 20

// Event is one thing that happened in an organisation.
type Event struct {
	Org     entente.OrgID
	Seq     int64 // 1, 2, 3, … within the organisation, without gaps
	At      time.Time
	Person  entente.PersonID // empty for the program itself
	Actor   string           // the name of the person or the program at that time
	Role    entente.Role
	Door    entente.Door
	Kind    Kind
	Subject string // what it happened to, in the words of the room
	Body    json.RawMessage
	Prev    []byte // the hash of the event before; 32 zero bytes for the first
	// Hash is SHA-256 over the event; see the encoding in rules.go.
	Hash []byte
}

// Decode reads the body into a value.
func (e Event) Decode(into any) error {
	if err := json.Unmarshal(e.Body, into); err != nil {
		return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
	}
	return nil
}

// Append adds an event to the actor's organisation, inside the Write of the room
// that makes the change. The body is stored as JSON; nil means an empty object.
func Append(ctx context.Context, tx *db.Tx, actor entente.Actor, kind Kind, subject string, body any) error {
	if err := writesFor(tx, actor.Org); err != nil {
		return err
	}
	if kind == "" {
		return errors.New("journal: an event needs a kind")
	}
	raw, err := encode(body)
	if err != nil {
		return fmt.Errorf("event %s: %w", kind, err)
	}
	h, err := readHead(ctx, tx, actor.Org)
	if err != nil {
		return err
	}
	e := Event{
		Org: actor.Org, Seq: h.seq + 1, At: db.Time(db.Millis(time.Now())),
		Person: actor.Person, Actor: actor.Name, Role: actor.Role, Door: actor.Door,
		Kind: kind, Subject: subject, Body: raw, Prev: h.hash,
	}
	e.Hash = hashOf(e)
	if err := insertEvent(ctx, tx, e); err != nil {
		return err
	}
	h.seq, h.hash = e.Seq, e.Hash
	writeHead(ctx, tx, h, mark{e.Seq, e.Kind})
	tx.Announce(db.NewEvents)
	return nil
}

// Head gives the number of the organisation's latest event, 0 without any.
func Head(ctx context.Context, tx *db.Tx, org entente.OrgID) (int64, error) {
	h, err := readHead(ctx, tx, org)
	return h.seq, err
}

// Since gives the number of the organisation's latest event, and for each kind that
// happened after a number the latest event of it.
func Since(ctx context.Context, tx *db.Tx, org entente.OrgID, after int64) (head int64, latest map[Kind]int64, err error) {
	head, err = Head(ctx, tx, org)
	if err != nil || head <= after {
		return head, nil, err
	}
	latest, err = selectKinds(ctx, tx, org, after)
	return head, latest, err
}

// AskHead is [Head] as a question among others; without events it leaves to as it is.
func AskHead(to *int64, org entente.OrgID) db.Question {
	return db.Ask("SELECT seq FROM journal_head WHERE org = $1", func(s db.Scanner) error { return s.Scan(to) }, org)
}

// Events gives events after a number, oldest first, at most limit of them.
func Events(ctx context.Context, tx *db.Tx, org entente.OrgID, after int64, limit int) ([]Event, error) {
	return selectEvents(ctx, tx, org, after, limit)
}

// Latest gives events before a number, newest first, at most limit of them;
// before 0 means from the newest.
func Latest(ctx context.Context, tx *db.Tx, org entente.OrgID, before int64, limit int) ([]Event, error) {
	return selectLatest(ctx, tx, org, before, limit)
}

// LatestOf gives the latest event of a kind among the last 20,000.
func LatestOf(ctx context.Context, tx *db.Tx, org entente.OrgID, kind Kind) (e Event, found bool, err error) {
	head, err := Head(ctx, tx, org)
	if err != nil {
		return e, false, err
	}
	e, err = selectLatestOf(ctx, tx, org, kind, head-20_000)
	if errors.Is(err, db.ErrNoRow) {
		return e, false, nil
	}
	return e, err == nil, err
}

// Report says what [Verify] saw.
type Report struct {
	Org    entente.OrgID
	Events int64
	Hash   []byte // of the latest event; who keeps it elsewhere can tell a rewritten chain
}

// BrokenError names the first event at which an organisation's chain is broken.
type BrokenError struct {
	Org    entente.OrgID
	Seq    int64
	Reason entente.Message
}

// Error implements error.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the journal of %s is broken at event %d: %s", e.Org, e.Seq, e.Reason)
}

// Verify reads an organisation's whole chain and checks numbers and hashes. A
// [*BrokenError] names the first event that is not as it was written.
func Verify(ctx context.Context, d *db.DB, org entente.OrgID) (Report, error) {
	report := Report{Org: org}
	err := d.Read(ctx, func(tx *db.Tx) error {
		report.Events, report.Hash = 0, firstPrev
		err := eachEvent(ctx, tx, org, func(e Event) error {
			if reason := follows(e, report.Events, report.Hash); !reason.Blank() {
				return &BrokenError{Org: org, Seq: report.Events + 1, Reason: reason}
			}
			report.Events, report.Hash = e.Seq, e.Hash
			return nil
		})
		if err != nil {
			return err
		}
		h, err := readHead(ctx, tx, org)
		if err != nil {
			return err
		}
		switch {
		case h.seq > report.Events:
			return &BrokenError{Org: org, Seq: report.Events + 1, Reason: entente.Say("it is missing; %d events were written", h.seq)}
		case h.seq < report.Events:
			return &BrokenError{Org: org, Seq: h.seq + 1, Reason: entente.Say("it is not among the events that were written")}
		case !bytes.Equal(h.hash, report.Hash):
			return &BrokenError{Org: org, Seq: h.seq, Reason: entente.Say("it is not the one that was written")}
		}
		return nil
	})
	return report, err
}

// writesFor guards against an event or job of one organisation in the write
// transaction of another, whose numbers it does not hold.
func writesFor(tx *db.Tx, org entente.OrgID) error {
	switch {
	case org == "":
		return errors.New("journal: the organisation is missing")
	case !tx.Writes():
		return errors.New("journal: an event or job needs a Write")
	case tx.Org() != org:
		return fmt.Errorf("journal: an event or job of %q in the transaction of %q", org, tx.Org())
	}
	return nil
}

func encode(body any) (json.RawMessage, error) {
	if body == nil {
		return json.RawMessage("{}"), nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxBody {
		return nil, entente.TooLarge("the body has %d bytes of JSON; the limit is %d", len(raw), MaxBody)
	}
	return raw, nil
}
