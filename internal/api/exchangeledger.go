package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
)

// What was said, taking it back and narrowing it, embargoes, and exchange by file.
// Moving a seat and changing contacts need a person at a page.
var ledgerOperations = []operation{
	{
		id: "list-ledger", method: http.MethodGet, path: "/ledger", verb: identity.ExchangeRead,
		summary: "List what was said to partners", about: "The newest first, each with how many got it and what became of it there.", register: answers(listLedger),
	},
	{
		id: "get-statement", method: http.MethodGet, path: "/ledger/{statement}", verb: identity.ExchangeRead,
		summary: "One thing that was said", about: "Partner by partner: whether it went there and why, and what became of it.", register: answers(getStatement),
	},
	{
		id: "get-record", method: http.MethodGet, path: "/ledger/{statement}/record", verb: identity.ExchangeExport,
		summary: "The record of one thing that was said", about: "What counsel asks for: on what ground, by whose decision, under which marking, embargo and retention, and to whom it went, with the receipts as signed. What was said is not in it.", register: answers(getRecord),
	},
	{
		id: "recall-statement", method: http.MethodPost, path: "/ledger/{statement}/recall", verb: identity.ExchangeShare,
		summary: "Take something back", about: "Those who got it are told to delete it. Whose node has signed that it did stands in the answer of get-statement.", register: answers(recallStatement),
	},
	{
		id: "narrow-statement", method: http.MethodPost, path: "/ledger/{statement}/narrow", verb: identity.ExchangeShare,
		summary: "Narrow the marking of something", about: "A marking that is wider in anything is refused. Who may not have it any more under the new one is told to delete it.", register: answers(narrowStatement),
	},
	{
		id: "list-embargoes", method: http.MethodGet, path: "/embargoes", verb: identity.ExchangeRead,
		summary: "List the embargoes", about: "Those that run come first.", register: answers(listEmbargoes),
	},
	{
		id: "propose-embargo", method: http.MethodPost, path: "/ledger/{statement}/embargo", verb: identity.ExchangeShare,
		summary: "Propose an embargo to several who got something", about: "All of them are asked, or, if one of them cannot be, none. Each answers for itself; the answer tells where it stands with each of them.", register: answers(proposeEmbargo),
	},
	{
		id: "get-embargo", method: http.MethodGet, path: "/partners/{party}/embargo", verb: identity.ExchangeRead,
		summary: "The embargo with a partner about a subject", about: "Its state is empty where none was ever proposed.", register: answers(getEmbargo),
	},
	{
		id: "step-embargo", method: http.MethodPost, path: "/partners/{party}/embargo", verb: identity.ExchangeShare, kind: identity.KindPartnership, object: "party",
		summary: "Propose an embargo, answer, revise or end it", about: "The partner is told. It runs when both have agreed, and ends at its end or when both want that.", register: answers(stepEmbargo),
	},
	{
		id: "export-entries", method: http.MethodGet, path: "/partners/{party}/entries", verb: identity.ExchangeShare, kind: identity.KindPartnership, object: "party", answers: []string{linesType},
		summary: "Write the entries that a partner has not acknowledged as a file", about: "For partners whose nodes cannot reach each other, as docs/protocol.md describes it. Writing it again changes nothing.", register: answers(exportEntries),
	},
	{
		id: "import-entries", method: http.MethodPost, path: "/partner-entries", verb: identity.ExchangeShare,
		summary: "Read a file of entries that came from a partner", about: "The file says from whom it is. The answer tells what became of each line, up to 2,000 of them; reading the same file again changes nothing.",
		upload: &upload{types: []string{linesType, "application/octet-stream"}, limit: exchange.MaxFile + 1, about: "A file of entries."}, register: answers(importEntries),
	},
	{
		id: "list-own-contacts", method: http.MethodGet, path: "/contacts", verb: identity.PartnerRead,
		summary: "Whom all partners were told that they can reach", about: "Empty: each knows whom it was told when the partnership began.", register: answers(listOwnContacts),
	},
}

// StatementBrief is one thing that was said, in a list.
type StatementBrief struct {
	ID           string          `json:"id"`
	Kind         string          `json:"kind"`
	Subject      string          `json:"subject"`
	Title        string          `json:"title"`
	Marking      json.RawMessage `json:"marking" doc:"As it counts now; docs/protocol.md describes it."`
	Basis        string          `json:"basis,omitempty" doc:"On what ground it was shared."`
	Originator   string          `json:"originator,omitempty" doc:"Who said it first, if another party did."`
	State        string          `json:"state" doc:"said or recalled."`
	Reason       string          `json:"reason,omitempty" doc:"It was taken back or narrowed."`
	Said         time.Time       `json:"said"`
	By           string          `json:"by"`
	Recalled     *time.Time      `json:"recalled,omitempty"`
	Entitled     int             `json:"entitled" doc:"How many got it."`
	Refused      int             `json:"refused" doc:"How many did not."`
	Delivered    int             `json:"delivered"`
	Read         int             `json:"read"`
	Acknowledged int             `json:"acknowledged"`
	Asked        int             `json:"asked" doc:"How many were asked to delete or to narrow it."`
	Confirmed    int             `json:"confirmed" doc:"How many of those have signed that they did."`
}

func statementBriefOf(l exchange.Listed) StatementBrief {
	marking, err := json.Marshal(l.Marking)
	if err != nil {
		marking = nil // what was read from JSON can be written
	}
	return StatementBrief{
		ID: l.ID, Kind: string(l.Kind), Subject: l.Subject, Title: l.Title, Marking: marking, Basis: l.Basis, Originator: string(l.Originator), State: string(l.State), Reason: l.Why, Said: l.At, By: l.By,
		Recalled: momentOrNone(l.Recalled), Entitled: l.Entitled, Refused: l.Refused, Delivered: l.Delivered, Read: l.Read, Acknowledged: l.Acknowledged, Asked: l.Revised, Confirmed: l.Done,
	}
}

func listLedger(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Paging
	Search  string `query:"q" maxLength:"200" doc:"In title, subject, ground and the name of who said it."`
	Kind    string `query:"kind" maxLength:"64"`
	Subject string `query:"subject" maxLength:"500"`
	Label   string `query:"label" enum:"TLP:CLEAR,TLP:GREEN,TLP:AMBER,TLP:AMBER+STRICT,TLP:RED"`
	State   string `query:"state" enum:"said,recalled"`
	Party   string `query:"party" maxLength:"64" doc:"It went to this partner."`
	Open    string `query:"open" enum:"delivery,reading,acknowledge,revision" doc:"What is still open with somebody who got it: not delivered, not read, not acknowledged, or taken back or narrowed without confirmation."`
}) (*listOutput[StatementBrief], error) {
	q := exchange.LedgerQuery{
		Search: in.Search, Kind: entente.EntryKind(in.Kind), Subject: in.Subject, State: exchange.StatementState(in.State), Party: entente.PartyID(in.Party), Open: exchange.Open(in.Open), Sort: exchange.SortSaid, Desc: true,
	}
	if in.Label != "" {
		var err error
		if q.TLP, err = entente.ParseTLP(in.Label); err != nil {
			return nil, entente.Invalid("%.40q is no TLP label", in.Label)
		}
	}
	filters := []string{"ledger", in.Search, in.Kind, in.Subject, in.Label, in.State, in.Party, in.Open}
	return pageOf(in.Paging, statementBriefOf, filters, func(page inventory.Page) ([]exchange.Listed, int, error) {
		q.Limit, q.Offset = page.Limit, page.Offset
		list, matching, _, err := s.Exchange.Ledger(ctx, actor, q)
		return list, matching, err
	})
}

// ByStatement is what operations on one statement take.
type ByStatement struct {
	Statement string `path:"statement" maxLength:"64"`
}

// StatementDetail is one thing that was said, with its line for each partner.
type StatementDetail struct {
	StatementBrief
	Partners []StatementLine `json:"partners" nullable:"false"`
}

// StatementLine is one partner of a statement.
type StatementLine struct {
	Party        string     `json:"party"`
	Name         string     `json:"name"`
	Entitled     bool       `json:"entitled"`
	Reason       string     `json:"reason" doc:"Why they got it, or why not."`
	Agreement    int        `json:"agreement,omitempty" doc:"The version that counted."`
	Entry        uint64     `json:"entry,omitempty" doc:"The number of the entry that carries it."`
	Delivered    *time.Time `json:"delivered,omitempty" doc:"By a signed receipt."`
	Read         *time.Time `json:"read,omitempty"`
	Acknowledged *time.Time `json:"acknowledged,omitempty"`
	Asked        string     `json:"asked,omitempty" doc:"recall or narrow: what they were asked to do with it."`
	AskedAt      *time.Time `json:"asked_at,omitempty"`
	Told         bool       `json:"told,omitempty" doc:"False with asked: they could not be told, because nothing travels to them any more."`
	Confirmed    *time.Time `json:"confirmed,omitempty" doc:"When they acknowledged by signature that it was done."`
}

func getStatement(s *server, ctx context.Context, actor entente.Actor, in *ByStatement) (*one[StatementDetail], error) {
	st, lines, err := s.Exchange.Statement(ctx, actor, in.Statement)
	if err != nil {
		return nil, err
	}
	listed := exchange.Listed{Statement: st}
	out := StatementDetail{Partners: []StatementLine{}}
	for _, l := range lines {
		listed.Tally = listed.Tally.With(l)
		out.Partners = append(out.Partners, StatementLine{
			Party: string(l.Party), Name: l.Name, Entitled: l.Number > 0, Reason: l.Reason.String(), Agreement: l.Agreement, Entry: l.Number, Delivered: momentOrNone(l.Delivered), Read: momentOrNone(l.Read),
			Acknowledged: momentOrNone(l.Answered), Asked: string(l.Revise), AskedAt: momentOrNone(l.Revised), Told: l.Recall > 0, Confirmed: momentOrNone(l.Acked),
		})
	}
	out.StatementBrief = statementBriefOf(listed)
	return &one[StatementDetail]{out}, nil
}

func getRecord(s *server, ctx context.Context, actor entente.Actor, in *ByStatement) (*one[exchange.Record], error) {
	r, err := s.Exchange.Record(ctx, actor, in.Statement)
	if err != nil {
		return nil, err
	}
	return &one[exchange.Record]{r}, nil
}

func recallStatement(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByStatement
	Body struct {
		Reason string   `json:"reason,omitempty" maxLength:"2000" doc:"Those who got it can read it."`
		From   []string `json:"from,omitempty" maxItems:"5000" doc:"Parties; absent: from all who got it."`
	}
}) (*one[StatementDetail], error) {
	err := s.Exchange.Recall(ctx, actor, in.Statement, in.Body.Reason, parties(in.Body.From)...)
	if err != nil {
		return nil, err
	}
	return getStatement(s, ctx, actor, &in.ByStatement)
}

func narrowStatement(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByStatement
	Body struct {
		Label   string    `json:"label" enum:"TLP:CLEAR,TLP:GREEN,TLP:AMBER,TLP:AMBER+STRICT,TLP:RED" doc:"As strict as now, or stricter."`
		People  []string  `json:"people,omitempty" maxItems:"200" doc:"With TLP:RED: whom it is for; absent: as before."`
		Expires time.Time `json:"expires,omitzero" doc:"From when on holders delete it; absent: as before."`
		Reason  string    `json:"reason,omitempty" maxLength:"2000" doc:"Those who got it can read it."`
		Drop    []string  `json:"drop,omitempty" maxItems:"5000" doc:"Parties that are to delete it."`
	}
}) (*one[StatementDetail], error) {
	st, _, err := s.Exchange.Statement(ctx, actor, in.Statement)
	if err != nil {
		return nil, err
	}
	label, err := entente.ParseTLP(in.Body.Label)
	if err != nil {
		return nil, entente.Invalid("%.40q is no TLP label", in.Body.Label)
	}
	m := st.Marking.Under(label, in.Body.People)
	if !in.Body.Expires.IsZero() {
		m.Expires = in.Body.Expires.UTC()
	}
	err = s.Exchange.Narrow(ctx, actor, in.Statement, m, in.Body.Reason, parties(in.Body.Drop)...)
	if err != nil {
		return nil, err
	}
	return getStatement(s, ctx, actor, &in.ByStatement)
}

// Embargo is where an embargo with a partner stands.
type Embargo struct {
	Party      string     `json:"party"`
	Name       string     `json:"name"`
	Subject    string     `json:"subject"`
	State      string     `json:"state,omitempty" doc:"proposed, running, revised, released or refused; absent: none was proposed."`
	Active     bool       `json:"active" doc:"What it is about is held back now."`
	Until      *time.Time `json:"until,omitempty" doc:"The end in force."`
	Proposed   *time.Time `json:"proposed,omitempty" doc:"The end that waits for an answer."`
	By         string     `json:"by,omitempty" doc:"The party that proposed it."`
	Answer     bool       `json:"answer" doc:"It waits for our answer."`
	ReleasedBy string     `json:"released_by,omitempty" doc:"The party that wants it to end now."`
	Steps      []Step     `json:"steps" nullable:"false"`
}

// Step is one step of an embargo that counted.
type Step struct {
	By     string     `json:"by"`
	Act    string     `json:"act"`
	Until  *time.Time `json:"until,omitempty"`
	Reason string     `json:"reason,omitempty"`
	At     time.Time  `json:"at"`
}

func embargoOf(e exchange.EmbargoOn) Embargo {
	return Embargo{
		Party: string(e.Party), Name: e.Name, Subject: e.Subject, State: string(e.State), Active: e.Active(time.Now()), Until: momentOrNone(e.Until), Proposed: momentOrNone(e.Proposed), By: string(e.By),
		Answer: e.Ours() && e.Active(time.Now()), ReleasedBy: string(e.ReleasedBy),
		Steps: orEmpty(each(e.Steps, func(t exchange.EmbargoTaken) Step {
			return Step{By: string(t.By), Act: string(t.Step.Act), Until: momentOrNone(t.Step.Until), Reason: t.Step.Reason, At: t.At}
		})),
	}
}

func listEmbargoes(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Paging
	Subject string `query:"subject" maxLength:"500" doc:"Those about this subject only."`
}) (*listOutput[Embargo], error) {
	all, err := s.Exchange.Embargoes(ctx, actor, in.Subject)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*exchange.EmbargoOn) bool { return true }, in.Paging, embargoOf, "embargoes")
}

func proposeEmbargo(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByStatement
	Body struct {
		To     []string  `json:"to" minItems:"1" maxItems:"5000" nullable:"false" doc:"Parties that got it and hold it still."`
		Until  time.Time `json:"until" doc:"The end."`
		Reason string    `json:"reason,omitempty" maxLength:"2000" doc:"They can read it."`
	}
}) (*one[List[Embargo]], error) {
	to := parties(in.Body.To)
	if err := s.Exchange.ProposeEmbargo(ctx, actor, in.Statement, to, in.Body.Until.UTC(), in.Body.Reason); err != nil {
		return nil, err
	}
	st, _, err := s.Exchange.Statement(ctx, actor, in.Statement)
	if err != nil {
		return nil, err
	}
	all, err := s.Exchange.Embargoes(ctx, actor, st.Subject)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e exchange.EmbargoOn) bool { return !slices.Contains(to, e.Party) })
	return &one[List[Embargo]]{List[Embargo]{Items: orEmpty(each(all, embargoOf))}}, nil
}

func getEmbargo(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByParty
	Subject string `query:"subject" required:"true" minLength:"1" maxLength:"500"`
}) (*one[Embargo], error) {
	e, err := s.Exchange.EmbargoOf(ctx, actor, in.Party, in.Subject)
	if err != nil {
		return nil, err
	}
	return &one[Embargo]{embargoOf(e)}, nil
}

func stepEmbargo(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByParty
	Body struct {
		Subject string    `json:"subject" minLength:"1" maxLength:"200"`
		Act     string    `json:"act" enum:"propose,accept,refuse,revise,release"`
		Until   time.Time `json:"until,omitzero" doc:"With propose and revise: the end."`
		Reason  string    `json:"reason,omitempty" maxLength:"2000" doc:"The partner can read it."`
	}
}) (*one[Embargo], error) {
	err := s.Exchange.Embargo(ctx, actor, in.Party, in.Body.Subject, entente.EmbargoStep{Act: entente.EmbargoAct(in.Body.Act), Until: in.Body.Until.UTC(), Reason: in.Body.Reason})
	if err != nil {
		return nil, err
	}
	e, err := s.Exchange.EmbargoOf(ctx, actor, in.Party, in.Body.Subject)
	if err != nil {
		return nil, err
	}
	return &one[Embargo]{embargoOf(e)}, nil
}

func exportEntries(s *server, ctx context.Context, actor entente.Actor, in *ByParty) (*streamed, error) {
	// What can be wrong is found out before the answer begins.
	if _, err := s.Exchange.Partner(ctx, actor, in.Party); err != nil {
		return nil, err
	}
	return &streamed{ContentType: linesType, Body: func(hc huma.Context) {
		if err := s.Exchange.ExportFile(ctx, actor, in.Party, hc.BodyWriter()); err != nil {
			s.log.WarnContext(ctx, "entries were not written to their end", "cause", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
	}}, nil
}

// ImportedEntries says what a file of entries brought.
type ImportedEntries struct {
	Party        string              `json:"party"`
	Name         string              `json:"name"`
	New          int                 `json:"new" doc:"Entries that were new."`
	Known        int                 `json:"known" doc:"Entries that were here already."`
	Files        int                 `json:"files" doc:"Parts of files that were new."`
	Acknowledged uint64              `json:"acknowledged" doc:"Up to which entry the partner has signed that it holds what we say."`
	Refused      string              `json:"refused,omitempty" doc:"Why the rest was not taken; absent: all was."`
	Lines        []ImportedEntryLine `json:"lines" nullable:"false"`
	More         int                 `json:"more,omitempty" doc:"Lines that are not listed."`
}

// ImportedEntryLine says what became of one line.
type ImportedEntryLine struct {
	Line    int    `json:"line"`
	Result  string `json:"result" doc:"taken, known, refused or passed."`
	Entry   uint64 `json:"entry,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Subject string `json:"subject,omitempty"`
	Why     string `json:"why,omitempty"`
}

func importEntries(s *server, ctx context.Context, actor entente.Actor, in *struct{ Upload }) (*one[ImportedEntries], error) {
	done, err := s.Exchange.ImportFile(ctx, actor, in.file)
	if err != nil {
		return nil, in.verdict(err)
	}
	return &one[ImportedEntries]{ImportedEntries{
		Party: string(done.Party), Name: done.Name, New: done.Entries, Known: done.Known, Files: done.Files, Acknowledged: done.Acked, Refused: done.Refused, More: done.Left,
		Lines: orEmpty(each(done.Lines, func(l exchange.ImportedLine) ImportedEntryLine {
			return ImportedEntryLine{Line: l.Line, Result: string(l.Result), Entry: l.Number, Kind: string(l.Kind), Subject: l.Subject, Why: l.Why.String()}
		})),
	}}, nil
}

func listOwnContacts(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*one[List[Contact]], error) {
	self, err := s.Exchange.Self(ctx, actor)
	if err != nil {
		return nil, err
	}
	return &one[List[Contact]]{List[Contact]{Items: orEmpty(each(self.Contacts, func(c entente.Contact) Contact { return Contact(c) }))}}, nil
}
