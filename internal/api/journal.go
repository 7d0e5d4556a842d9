package api

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/sheet"
)

var journalOperations = []operation{
	{
		id: "list-events", method: http.MethodGet, path: "/events", verb: identity.JournalRead,
		summary: "List events", about: "What happened in the organisation, the newest first. With after, the events that follow that number, the oldest first: repeat with the last number to follow the journal.", register: answers(listEvents),
	},
	{
		id: "export-journal", method: http.MethodGet, path: "/journal/export", verb: identity.JournalExport, answers: []string{csvType, linesType},
		summary: "Take the journal away as a file", about: "The oldest event first, as CSV or as JSON lines: an event as list-events has it on each line. The page asks for the same right. list-events needs journal.read alone, because it tells page by page what the page tells; give a token journal.export where the whole is to be archived elsewhere.", register: answers(exportJournal),
	},
	{
		id: "get-verification", method: http.MethodGet, path: "/journal/verification", verb: identity.JournalVerify,
		summary: "See the latest verification of the journal", about: "404 if the journal was not verified lately.", register: answers(getVerification),
	},
	{
		id: "verify-journal", method: http.MethodPost, path: "/journal/verification", verb: identity.JournalVerify,
		summary: "Verify the journal", about: "Recomputes the hash chain from the first event to the latest, and records in the journal what was found. Keep the hash elsewhere to be able to tell a chain that was rewritten as a whole.", register: answers(verifyJournal),
	},
}

// Event is one thing that happened.
type Event struct {
	Seq     int64           `json:"seq" doc:"1, 2, 3, … within the organisation, without gaps."`
	At      time.Time       `json:"at"`
	Person  string          `json:"person,omitempty" doc:"Absent for the program itself."`
	Actor   string          `json:"actor" doc:"The name of the person or the program at that time."`
	Role    string          `json:"role"`
	Door    string          `json:"door" doc:"By which way they came in: page, api, command or worker."`
	Kind    string          `json:"kind"`
	Subject string          `json:"subject"`
	Body    json.RawMessage `json:"body" doc:"What the room that wrote it says of it."`
	Prev    string          `json:"prev" doc:"The hash of the event before, in hexadecimal."`
	Hash    string          `json:"hash"`
}

func eventOf(e journal.Event) Event {
	return Event{
		Seq: e.Seq, At: e.At, Person: string(e.Person), Actor: e.Actor, Role: string(e.Role), Door: string(e.Door),
		Kind: string(e.Kind), Subject: e.Subject, Body: e.Body, Prev: hex.EncodeToString(e.Prev), Hash: hex.EncodeToString(e.Hash),
	}
}

func listEvents(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Paging
	After int64 `query:"after" minimum:"-1" default:"-1" doc:"Only events after this number, the oldest first; 0 begins with the first event."`
}) (*listOutput[Event], error) {
	forward := in.After >= 0
	direction := "back"
	if forward {
		direction = "on"
	}
	pos, limit, err := in.place("events", direction)
	if err != nil {
		return nil, err
	}
	var events []journal.Event
	var total int64
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		total, err = journal.Head(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		if forward {
			events, err = journal.Events(ctx, tx, actor.Org, max(in.After, int64(pos.offset)), limit)
			return err
		}
		events, err = journal.Latest(ctx, tx, actor.Org, int64(pos.offset), limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &listOutput[Event]{Body: List[Event]{Items: orEmpty(each(events, eventOf))}}
	all := int(total)
	out.Body.Total = &all
	if n := len(events); n == limit {
		last := events[n-1].Seq
		if forward && last < total || !forward && last > 1 {
			out.Body.Next = cursor(position{offset: int(last)}, "events", direction)
		}
	}
	return out, nil
}

const (
	csvType   = "text/csv"
	linesType = "application/jsonl"

	// eventsAtATime are read while a file is written.
	eventsAtATime = 1000
)

// streamed is an answer that is written as it is read.
type streamed struct {
	ContentType string `header:"Content-Type"`
	Body        func(huma.Context)
}

func exportJournal(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Format string    `query:"format" enum:"csv,jsonl" default:"csv"`
	After  int64     `query:"after" minimum:"0" doc:"Only events after this number."`
	From   time.Time `query:"from" doc:"Only events of this moment and later."`
	To     time.Time `query:"to" doc:"Only events before this moment."`
}) (*streamed, error) {
	read := func(after int64) (events []journal.Event, err error) {
		err = s.db.Read(ctx, func(tx *db.Tx) error {
			events, err = journal.Events(ctx, tx, actor.Org, after, eventsAtATime)
			return err
		})
		return events, err
	}
	events, err := read(in.After)
	if err != nil {
		return nil, err
	}
	write := func(w io.Writer) error {
		out := csvOfEvents(w)
		if in.Format == "jsonl" {
			out = linesOfEvents(w)
		}
		for len(events) > 0 {
			for _, e := range events {
				if e.At.Before(in.From) || !in.To.IsZero() && !e.At.Before(in.To) {
					continue
				}
				if err := out.event(eventOf(e)); err != nil {
					return err
				}
			}
			if len(events) < eventsAtATime {
				break
			}
			var err error
			if events, err = read(events[len(events)-1].Seq); err != nil {
				return err
			}
		}
		return out.end()
	}
	file := &streamed{ContentType: csvType + "; charset=utf-8; header=present"}
	if in.Format == "jsonl" {
		file.ContentType = linesType
	}
	file.Body = func(hc huma.Context) {
		if err := write(hc.BodyWriter()); err != nil {
			s.log.WarnContext(ctx, "the journal was not taken away to its end", "cause", err)
			panic(http.ErrAbortHandler) // half a journal must not look like a whole one
		}
	}
	return file, nil
}

// eventFile writes events in one of the formats.
type eventFile struct {
	event func(Event) error
	end   func() error
}

func linesOfEvents(w io.Writer) eventFile {
	lines := json.NewEncoder(w)
	return eventFile{event: func(e Event) error { return lines.Encode(e) }, end: func() error { return nil }}
}

func csvOfEvents(w io.Writer) eventFile {
	out := sheet.NewCSV(w)
	headed := false
	head := func() error {
		if headed {
			return nil
		}
		headed = true
		return out.Row([]string{"seq", "at", "person", "actor", "role", "door", "kind", "subject", "body", "prev", "hash"})
	}
	return eventFile{event: func(e Event) error {
		if err := head(); err != nil {
			return err
		}
		return out.Row([]string{strconv.FormatInt(e.Seq, 10), e.At.UTC().Format(time.RFC3339Nano), e.Person, e.Actor, e.Role, e.Door, e.Kind, e.Subject, string(e.Body), e.Prev, e.Hash})
	}, end: func() error {
		return cmp.Or(head(), out.Close())
	}}
}

// Verification says whether the journal is as it was written.
type Verification struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Intact   bool      `json:"intact"`
	Events   int64     `json:"events" doc:"How many events were found to be as they were written."`
	Hash     string    `json:"hash,omitempty" doc:"The hash of the latest event, in hexadecimal."`
	BrokenAt int64     `json:"broken_at,omitempty" doc:"The first event that is not as it was written."`
	Reason   string    `json:"reason,omitempty"`
}

func verificationOf(v identity.Verification) *one[Verification] {
	return &one[Verification]{Verification{v.At, v.By, v.BrokenAt == 0, v.Events, v.Hash, v.BrokenAt, v.Reason.String()}}
}

func verifyJournal(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*one[Verification], error) {
	v, err := s.Identity.VerifyJournal(ctx, actor)
	if err != nil {
		return nil, err
	}
	return verificationOf(v), nil
}

func getVerification(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*one[Verification], error) {
	v, found, err := s.Identity.LastVerification(ctx, actor)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, entente.NotFound("the journal was not verified lately")
	}
	return verificationOf(v), nil
}
