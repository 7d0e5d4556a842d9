package exchange

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
)

// EntryRef names an entry of a partner.
type EntryRef struct {
	Party  entente.PartyID
	Number uint64
}

// String writes the name as addresses of pages have it: "ent1abc….12".
func (r EntryRef) String() string { return fmt.Sprintf("%s.%d", r.Party, r.Number) }

// ReadRef reads what [EntryRef.String] wrote.
func ReadRef(text string) (EntryRef, error) {
	party, number, err := ReadSubject(strings.Replace(text, ".", "/", 1))
	if err != nil {
		return EntryRef{}, entente.NotFound("there is no such entry")
	}
	return EntryRef{party, number}, nil
}

// InboxQuery chooses entries that were received.
type InboxQuery struct {
	Party  entente.PartyID   // empty: of all partners
	Kind   entente.EntryKind // empty: what people and rooms are told; not what keeps the partnership itself
	Label  entente.TLP       // 0: any
	State  InboxState        // empty: any
	Unread bool
	Open   bool   // concerns that nobody of ours has answered
	Search string // in title and subject; what is for named people only is not searched
	Order  InboxOrder
	Desc   bool // the other way round than the order does by itself
	Limit  int  // 0: 100
	Offset int
}

// InboxState is what became of an entry.
type InboxState string

// The states that an inbox can be asked for. An entry may be in several.
const (
	InboxStanding  InboxState = "standing"
	InboxUnread    InboxState = "unread"
	InboxRead      InboxState = "read" // and not acknowledged
	InboxAnswered  InboxState = "acknowledged"
	InboxRecalled  InboxState = "recalled"
	InboxExpired   InboxState = "expired"
	InboxNarrowed  InboxState = "narrowed"
	InboxEmbargoed InboxState = "embargoed"
	InboxHeld      InboxState = "held"
	InboxUnknown   InboxState = "unknown" // of a kind that this program does not know
)

// InboxStates lists them.
func InboxStates() []InboxState {
	return []InboxState{InboxStanding, InboxUnread, InboxRead, InboxAnswered, InboxRecalled, InboxExpired, InboxNarrowed, InboxEmbargoed, InboxHeld, InboxUnknown}
}

// InboxOrder is an order of an inbox.
type InboxOrder string

// The orders: the newest, the stricter label and the next date come first; names go
// upwards.
const (
	ByReceived InboxOrder = ""
	ByTitle    InboxOrder = "title"
	ByKind     InboxOrder = "kind"
	ByPartner  InboxOrder = "partner"
	ByLabel    InboxOrder = "label"
	ByDue      InboxOrder = "due"
)

// search is what is searched of an entry.
func (e stored) search() string {
	if e.State != Standing || e.Marking.TLP == entente.TLPRed {
		return ""
	}
	return strings.ToLower(e.Title + "\n" + e.Subject)
}

// choose adds what an inbox is asked for to a SELECT from exchange_entry e.
func (q InboxQuery) choose(sel *db.Query, now time.Time) *db.Query {
	at := db.Millis(now)
	return sel.
		AndIf(q.Party != "", "e.party = $1", q.Party).
		AndIf(q.Kind != "", "e.kind = $1", q.Kind).
		AndIf(q.Kind == "", "e.kind NOT IN "+keepingSQL).
		AndIf(q.Label != 0, "e.tlp = $1", int64(q.Label)).
		AndIf(strings.TrimSpace(q.Search) != "", `e.search LIKE $1 ESCAPE '\'`, contains(q.Search)).
		AndIf(q.Unread || q.State == InboxUnread, "e.read_at = 0 AND e.state = 'standing' AND (e.expires_at = 0 OR e.expires_at > $1)", at).
		AndIf(q.State == InboxStanding, "e.state = 'standing' AND (e.expires_at = 0 OR e.expires_at > $1)", at).
		AndIf(q.State == InboxRead, "e.read_at > 0 AND e.answered_at = 0 AND e.state = 'standing' AND (e.expires_at = 0 OR e.expires_at > $1)", at).
		AndIf(q.State == InboxAnswered, "e.answered_at > 0").
		AndIf(q.State == InboxRecalled, "e.state = 'recalled'").
		AndIf(q.State == InboxExpired, "e.state = 'expired' OR e.state = 'standing' AND e.expires_at <> 0 AND e.expires_at <= $1", at).
		AndIf(q.State == InboxHeld, "e.state = 'held'").
		AndIf(q.State == InboxNarrowed, "e.narrowed = 1").
		AndIf(q.State == InboxEmbargoed, "e.embargo_at > $1 AND e.state = 'standing'", at).
		AndIf(q.State == InboxUnknown, "e.kind NOT IN "+knownSQL).
		AndIf(q.Open, "e.kind = 'concern' AND e.state = 'standing' AND "+notAnswered)
}

// The lists [keeping] and [knownKinds] as SQL has them.
const (
	keepingSQL = "('key.change', 'moved', 'agreement', 'recall', 'narrow', 'read')"
	knownSQL   = `('key.change', 'moved', 'agreement', 'recall', 'narrow', 'read',
		'advisory', 'sbom', 'vex', 'chain', 'threat', 'practice', 'concern', 'note', 'contacts', 'answer', 'embargo')`
)

// notAnswered is that the other side of a feed has not answered an entry e.
const notAnswered = `NOT EXISTS (SELECT 1 FROM exchange_entry a WHERE a.org = e.org AND a.way <> e.way AND a.subject = e.subject AND a.party = e.party AND a.kind = 'answer' AND a.state = 'standing')`

const inboxFrom = ` FROM exchange_entry e LEFT JOIN exchange_partner p ON p.org = e.org AND p.party = e.party WHERE e.org = $1 AND e.way = 'in'`

const inboxColumns = "e.party, e.way, e.number, e.hash, e.envelope, e.kind, e.subject, e.originator, e.marking, e.statement, e.state, e.why, e.said_at, e.stored_at, e.delivered_at, e.read_at, e.read_by, e.answered_at, e.outcome, e.outcome_why, e.title, e.due_at, e.narrowed, e.ended_at"

func inboxOf(ctx context.Context, tx *db.Tx, org entente.OrgID, q InboxQuery, now time.Time) ([]stored, error) {
	sel := q.choose(db.Select("SELECT "+inboxColumns+inboxFrom, org), now).Page(q.Limit, q.Offset)
	switch {
	case q.Order == ByTitle && q.Desc:
		sel.Order("lower(e.title) DESC, e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByTitle:
		sel.Order("lower(e.title), e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByKind && q.Desc:
		sel.Order("e.kind DESC, e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByKind:
		sel.Order("e.kind, e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByPartner && q.Desc:
		sel.Order("lower(p.name) DESC, e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByPartner:
		sel.Order("lower(p.name), e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByLabel && q.Desc:
		sel.Order("e.tlp, e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByLabel:
		sel.Order("e.tlp DESC, e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByDue && q.Desc:
		sel.Order("e.due_at DESC, e.stored_at DESC, e.party, e.number DESC")
	case q.Order == ByDue:
		sel.Order("CASE WHEN e.due_at = 0 THEN 1 ELSE 0 END, e.due_at, e.stored_at DESC, e.party, e.number DESC")
	case q.Desc:
		sel.Order("e.stored_at, e.party, e.number")
	default:
		sel.Order("e.stored_at DESC, e.party, e.number DESC")
	}
	return db.AllOf(ctx, tx, scanEntry, sel)
}

// Inbox lists what partners have said, the newest first.
func (s *Service) Inbox(ctx context.Context, actor entente.Actor, q InboxQuery) (list []Received, err error) {
	list, _, err = s.inbox(ctx, actor, q, false)
	return list, err
}

// InboxPage is [Service.Inbox] with the count of all that fits.
func (s *Service) InboxPage(ctx context.Context, actor entente.Actor, q InboxQuery) ([]Received, int, error) {
	return s.inbox(ctx, actor, q, true)
}

func (s *Service) inbox(ctx context.Context, actor entente.Actor, q InboxQuery, count bool) (list []Received, matching int, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	err = s.reading(ctx, actor, func(tx *db.Tx, self Self, person []string) error {
		names, err := s.known(ctx, tx, actor.Org)
		if err != nil {
			return err
		}
		rows, err := inboxOf(ctx, tx, actor.Org, q, s.now())
		if err != nil {
			return err
		}
		list = make([]Received, len(rows))
		for i, row := range rows {
			list[i] = s.shown(self, names[row.Party], row, person)
		}
		if !count {
			return nil
		}
		counted, err := db.AllOf(ctx, tx, db.Value[int], q.choose(db.Select("SELECT count(*)"+inboxFrom, actor.Org), s.now()))
		if err == nil {
			matching = counted[0]
		}
		return err
	})
	return list, matching, err
}

// known gives the partners by their names among all nodes.
func (s *Service) known(ctx context.Context, tx *db.Tx, org entente.OrgID) (map[entente.PartyID]Partner, error) {
	all, err := s.partners(ctx, tx, org)
	names := make(map[entente.PartyID]Partner, len(all))
	for _, p := range all {
		names[p.Party] = p
	}
	return names, err
}

// Waiting counts what waits for people of an organisation.
type Waiting struct {
	Unread      int // entries that nobody has opened
	Acknowledge int // opened, and not acknowledged
	Answer      int // concerns of partners that nobody has answered
	Overdue     int // of them, those whose time is over
	Theirs      int // concerns of ours that a partner has not answered
	TheirsLate  int // of them, those whose time is over
	Quarantined int // partnerships of which a feed is in quarantine
}

// Waits counts what waits for the actor: what is for others by name does not.
func (s *Service) Waits(ctx context.Context, actor entente.Actor) (w Waiting, err error) {
	if err := identity.Require(actor, identity.ExchangeRead, identity.In(actor.Org)); err != nil {
		return w, err
	}
	person, err := s.person(ctx, actor)
	if err != nil {
		return w, err
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		w = Waiting{}
		at := s.now()
		_, err := db.One(ctx, tx, func(row db.Scanner) (bool, error) {
			return true, row.Scan(&w.Unread, &w.Acknowledge)
		}, `SELECT coalesce(sum(CASE WHEN read_at = 0 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN read_at > 0 THEN 1 ELSE 0 END), 0) FROM exchange_entry
			WHERE org = $1 AND way = 'in' AND state = 'standing' AND answered_at = 0 AND tlp <> 5 AND (expires_at = 0 OR expires_at > $2)
			AND kind NOT IN `+keepingSQL, actor.Org, db.Millis(at))
		if err != nil {
			return err
		}
		w.Quarantined, err = db.One(ctx, tx, db.Value[int], "SELECT count(DISTINCT party) FROM exchange_feed WHERE org = $1 AND quarantine <> ''", actor.Org)
		if err != nil {
			return err
		}
		named, err := db.All(ctx, tx, scanEntry, "SELECT "+entryColumns+` FROM exchange_entry WHERE org = $1 AND way = 'in' AND state = 'standing' AND answered_at = 0 AND tlp = 5
			AND (expires_at = 0 OR expires_at > $2)`, actor.Org, db.Millis(at))
		if err != nil {
			return err
		}
		for _, row := range named {
			switch {
			case isNamed(row.Marking, person) == "" || slices.Contains(keeping, row.Kind):
			case row.Read.IsZero():
				w.Unread++
			default:
				w.Acknowledge++
			}
		}
		open, err := concernsOf(ctx, tx, actor.Org, true)
		for _, c := range open {
			ours, late := c.Way == Out, !c.Due.IsZero() && at.After(c.Due)
			if !ours && c.Marking.TLP == entente.TLPRed && isNamed(c.Marking, person) == "" {
				continue
			}
			for _, n := range []struct {
				into *int
				on   bool
			}{{&w.Answer, !ours}, {&w.Overdue, !ours && late}, {&w.Theirs, ours}, {&w.TheirsLate, ours && late}} {
				if n.on {
					*n.into++
				}
			}
		}
		return err
	})
	return w, err
}
