package api

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
)

const anyType = "application/octet-stream"

var sayOperations = []operation{
	{
		id: "say", method: http.MethodPost, path: "/statements", verb: identity.ExchangeShare,
		summary:  "Say something to partners",
		about:    "With preview, nothing is sent: the answer says who would get it and why, who would not and why not, and what in the content a person should look at. What is found must be decided before it is sent.",
		register: answers(say),
	},
	{
		id: "put-file", method: http.MethodPost, path: "/files", verb: identity.ExchangeShare,
		summary: "Bring a file that is to be shared", about: "An SBOM, to be named by its hash when it is said. A file that is not sent within a day is forgotten.",
		upload: &upload{types: []string{anyType}, limit: entente.MaxBlob + 1, about: "The file."}, register: answers(putFile),
	},
	{
		id: "list-inbox", method: http.MethodGet, path: "/inbox", verb: identity.ExchangeRead,
		summary: "List what partners said", about: "The latest first. What is for people by name (TLP:RED) is told to these people alone.", register: answers(listInbox),
	},
	{
		id: "get-entry", method: http.MethodGet, path: "/inbox/{entry}", verb: identity.ExchangeRead,
		summary: "One entry of a partner", about: "As far as the person behind the token may see it. Reading it here does not tell the partner that a person has read it; read-entry does.", register: answers(getEntry),
	},
	{
		id: "get-entry-file", method: http.MethodGet, path: "/inbox/{entry}/file", verb: identity.ExchangeRead, answers: []string{anyType},
		summary: "A file of an entry", register: answers(getEntryFile),
	},
	{
		id: "read-entry", method: http.MethodPost, path: "/inbox/{entry}/read", verb: identity.ExchangeRead,
		summary: "Tell the partner that a person has read an entry", register: answers(readEntry),
	},
	{
		id: "acknowledge-entry", method: http.MethodPost, path: "/inbox/{entry}/acknowledge", verb: identity.ExchangeShare,
		summary: "Tell the partner that a person has taken note of an entry", register: answers(acknowledgeEntry),
	},
	{
		id: "answer-concern", method: http.MethodPost, path: "/inbox/{entry}/answer", verb: identity.ExchangeShare,
		summary: "Answer a concern", about: "Only who said it gets the answer, under a label no wider than that of the concern.", register: answers(answerConcern),
	},
	{
		id: "pass-on", method: http.MethodPost, path: "/inbox/{entry}/pass-on", verb: identity.ExchangeShare,
		summary:  "Pass an entry on to other partners",
		about:    "As it was said, with its marking and who said it first. With preview, nothing is sent: the answer says who may get it and why, and who may not. Where the label or the agreement asks for a person's word, why is needed, and kept.",
		register: answers(passOn),
	},
	{
		id: "list-concerns", method: http.MethodGet, path: "/concerns", verb: identity.ExchangeRead,
		summary: "List the concerns of both sides", about: "The next date first.", register: answers(listConcerns),
	},
}

// NewSaying is what a person wants to say.
type NewSaying struct {
	Kind     string      `json:"kind" enum:"practice,concern,note,advisory,sbom,threat"`
	Title    string      `json:"title,omitempty" maxLength:"200" doc:"Of practice, concern, note and threat."`
	Text     string      `json:"text,omitempty" maxLength:"50000" doc:"Of practice, concern and note."`
	AnswerBy *time.Time  `json:"answer_by,omitempty" doc:"Of a concern: until when an answer is asked for."`
	Date     string      `json:"date,omitempty" maxLength:"10" doc:"Of a note: the day on which you met, as in 2027-03-31."`
	People   []string    `json:"people,omitempty" maxItems:"200" doc:"Of a note: who met, by role."`
	Points   []string    `json:"points,omitempty" maxItems:"200" doc:"Of a note: what was agreed."`
	Advisory string      `json:"advisory,omitempty" maxLength:"200" doc:"The id of an advisory that is known here."`
	Record   any         `json:"record,omitempty" doc:"Of an advisory: an OSV record. Of a threat: a bundle of STIX 2.1."`
	Product  string      `json:"product,omitempty" maxLength:"200" doc:"Of an SBOM."`
	Version  string      `json:"version,omitempty" maxLength:"200" doc:"Of an SBOM."`
	File     *SharedFile `json:"file,omitempty" doc:"Of an SBOM: the file, as put-file answered."`

	NewMarking
	Everyone bool             `json:"everyone,omitempty" doc:"All partners whom the label and the agreements let have it; not with TLP:RED."`
	To       []string         `json:"to,omitempty" maxItems:"5000" doc:"Else: the partners who are meant."`
	Basis    string           `json:"basis,omitempty" maxLength:"2000" doc:"On what ground it is shared, for your own ledger."`
	Decided  []DecidedFinding `json:"decided,omitempty" maxItems:"100" doc:"What was found in the content and is let go."`
	Preview  bool             `json:"preview,omitempty" doc:"Send nothing."`
}

// NewMarking is how something is marked.
type NewMarking struct {
	Label         string     `json:"label" enum:"TLP:CLEAR,TLP:GREEN,TLP:AMBER,TLP:AMBER+STRICT,TLP:RED"`
	Named         []string   `json:"named,omitempty" maxItems:"200" doc:"With TLP:RED: the people who may see it, as they are known at the partner."`
	Purpose       string     `json:"purpose,omitempty" maxLength:"2000"`
	PAP           string     `json:"pap,omitempty" enum:"PAP:CLEAR,PAP:GREEN,PAP:AMBER,PAP:RED"`
	NoAttribution bool       `json:"no_attribution,omitempty" doc:"Whoever passes it on does not say from whom it came."`
	Embargo       *time.Time `json:"embargo,omitempty" doc:"Nobody passes it on before."`
	Expires       *time.Time `json:"expires,omitempty"`
}

func (m NewMarking) marking() (entente.Marking, error) {
	tlp, err := entente.ParseTLP(m.Label)
	if err != nil {
		return entente.Marking{}, entente.Invalid("%s", err.Error())
	}
	made := entente.Marking{TLP: tlp, People: m.Named, Purpose: m.Purpose, PAP: entente.PAP(m.PAP), NoAttribution: m.NoAttribution}
	if m.Embargo != nil {
		made.Embargo = *m.Embargo
	}
	if m.Expires != nil {
		made.Expires = *m.Expires
	}
	if err := made.Validate(); err != nil {
		return made, entente.Invalid("the marking is not valid: %s", err.Error())
	}
	return made, nil
}

// SharedFile names a file that is shared.
type SharedFile struct {
	Name   string `json:"name" maxLength:"255"`
	Type   string `json:"type,omitempty" maxLength:"200"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256" maxLength:"64"`
}

func fileOf(b entente.Blob) SharedFile {
	return SharedFile{Name: b.Name, Type: b.Type, Size: b.Size, SHA256: b.Hash.String()}
}

func (f SharedFile) blob() (b entente.Blob, err error) {
	b = entente.Blob{Name: f.Name, Type: f.Type, Size: f.Size}
	if b.Hash.UnmarshalText([]byte(f.SHA256)) != nil {
		err = entente.Invalid("the file has no SHA-256 in hex: bring it first, and name it as the answer says")
	}
	return b, err
}

// SharedFinding is something in the content on which a person decides.
type SharedFinding struct {
	Kind string `json:"kind" doc:"personal, secret, victim or inside."`
	What string `json:"what"`
}

// DecidedFinding is a finding that is let go.
type DecidedFinding struct {
	SharedFinding
	Reason string `json:"reason,omitempty" maxLength:"2000"`
}

func decisions(all []DecidedFinding) []exchange.Decision {
	return each(all, func(d DecidedFinding) exchange.Decision {
		return exchange.Decision{Finding: exchange.Finding{Kind: exchange.FindingKind(d.Kind), What: d.What}, Reason: d.Reason}
	})
}

// Said is what came, or would come, of saying something.
type Said struct {
	ID       string          `json:"id,omitempty" doc:"Of the statement in the ledger; absent in a preview."`
	Partners []SaidLine      `json:"partners" nullable:"false"`
	Findings []SharedFinding `json:"findings" nullable:"false" doc:"In the content, to be decided before it goes."`
}

// SaidLine says of one partner whether it gets something, and why or why not.
type SaidLine struct {
	Party   string `json:"party"`
	Name    string `json:"name"`
	Allowed bool   `json:"allowed"`
	Asks    bool   `json:"asks,omitempty" doc:"It may be passed on to them if a person decides that they need to know it."`
	Reason  string `json:"reason"`
	Number  uint64 `json:"number,omitempty" doc:"Of the entry that carries it."`
}

func saidOf(id string, lines []exchange.Line, found []exchange.Finding) *one[Said] {
	out := Said{ID: id, Partners: []SaidLine{}, Findings: []SharedFinding{}}
	for _, l := range lines {
		out.Partners = append(out.Partners, SaidLine{Party: string(l.Party), Name: l.Name, Allowed: l.Allowed, Reason: l.Reason.String(), Number: l.Number})
	}
	for _, f := range found {
		out.Findings = append(out.Findings, SharedFinding{string(f.Kind), f.What})
	}
	return &one[Said]{out}
}

func parties(names []string) []entente.PartyID {
	return each(names, func(name string) entente.PartyID { return entente.PartyID(name) })
}

func say(s *server, ctx context.Context, actor entente.Actor, in *struct{ Body NewSaying }) (*one[Said], error) {
	n, err := s.statement(ctx, actor, in.Body)
	if err != nil {
		return nil, err
	}
	return s.saying(ctx, actor, n, in.Body.Preview)
}

// saying sends a statement, or only previews it.
func (s *server) saying(ctx context.Context, actor entente.Actor, n exchange.NewStatement, preview bool) (*one[Said], error) {
	if !preview {
		id, lines, err := s.Exchange.Say(ctx, actor, n)
		if err != nil {
			return nil, err
		}
		return saidOf(id, lines, nil), nil
	}
	lines, err := s.Exchange.Preview(ctx, actor, n)
	if err != nil {
		return nil, err
	}
	found, err := s.Exchange.Findings(ctx, actor, n)
	if err != nil {
		return nil, err
	}
	return saidOf("", lines, found), nil
}

// statement makes of what was asked for what is to be said.
func (s *server) statement(ctx context.Context, actor entente.Actor, in NewSaying) (n exchange.NewStatement, err error) {
	n = exchange.NewStatement{Kind: entente.EntryKind(in.Kind), Everyone: in.Everyone, To: parties(in.To), Basis: in.Basis, Decided: decisions(in.Decided)}
	n.Marking, err = in.marking()
	if err != nil {
		return n, err
	}
	switch {
	case in.Everyone && (len(in.To) > 0 || n.Marking.TLP == entente.TLPRed || n.Kind == entente.EntryConcern):
		return n, entente.Invalid("everyone is not for TLP:RED, for concerns, or beside partners who are named")
	case !in.Everyone && len(in.To) == 0:
		return n, entente.Invalid("say who is meant: everyone, or the partners by their names among all nodes")
	case n.Marking.TLP == entente.TLPRed:
		n.Marking.Audience = n.To
	}
	w := exchange.Words{
		Title: in.Title, Text: in.Text, Date: in.Date, People: in.People, Points: in.Points, Product: in.Product, Version: in.Version,
	}
	if in.AnswerBy != nil {
		w.AnswerBy = *in.AnswerBy
	}
	if in.Record != nil {
		w.Record, err = json.Marshal(in.Record)
		if err != nil {
			return n, entente.Invalid("the content is no JSON")
		}
	}
	switch n.Kind {
	case entente.EntryAdvisory:
		w.Record, err = s.ownRecord(ctx, actor, in.Advisory, w.Record)
	case entente.EntryThreat:
		var title string
		title, err = carry.ThreatToSay(w.Record, n.Marking.TLP)
		w.Title = cmp.Or(w.Title, title, string(n.Kind))
	case entente.EntrySBOM:
		if in.File == nil {
			return n, entente.Invalid("an SBOM comes with its file: bring it first, and name it as the answer says")
		}
		var b entente.Blob
		b, err = in.File.blob()
		n.Blobs = []entente.Blob{b}
	}
	if err != nil {
		return n, err
	}
	return n, w.Into(&n)
}

// ownRecord is an advisory that is ours to share: what a partner told is passed on.
func (s *server) ownRecord(ctx context.Context, actor entente.Actor, id string, record json.RawMessage) (json.RawMessage, error) {
	given := id != ""
	if !given {
		var named struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(record, &named) != nil {
			return record, nil // that it is no advisory is said by who reads it
		}
		id = named.ID
	}
	detail, err := s.Advisory.Get(ctx, actor, id)
	if entente.KindOf(err) == entente.KindNotFound && err != nil && !given {
		return record, nil
	}
	if err != nil {
		return nil, err
	}
	for _, r := range detail.Records {
		switch from := exchange.PartyOfSource(r.Source); {
		case from == "" && given:
			return r.Raw, nil
		case from != "" && (given || r.ID == id):
			return nil, entente.Conflict("a partner told you this advisory: pass on what they said instead, by its marking")
		}
	}
	return record, nil
}

func putFile(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Upload
	Name string `query:"name" maxLength:"255" doc:"What the file is called."`
	Type string `query:"type" maxLength:"200" doc:"Its media type."`
}) (*one[SharedFile], error) {
	name, media := in.Name, in.Type
	if name == "" {
		name = "file"
	}
	if media == "" {
		media = anyType
	}
	b, err := s.Exchange.PutBlob(ctx, actor, name, media, in.file)
	if err != nil {
		return nil, in.verdict(err)
	}
	return &one[SharedFile]{fileOf(b)}, nil
}

// InboxEntry is what a partner said, as far as the reader may see it.
type InboxEntry struct {
	ID           string          `json:"id"`
	Party        string          `json:"party" doc:"From whom it came."`
	Name         string          `json:"name" doc:"Of the partner."`
	Number       uint64          `json:"number" doc:"In the partner's feed."`
	Hash         string          `json:"hash" doc:"Of what was signed."`
	Kind         string          `json:"kind"`
	Known        bool            `json:"known" doc:"Whether this program knows the kind."`
	Title        string          `json:"title,omitempty"`
	Subject      string          `json:"subject,omitempty"`
	Originator   string          `json:"originator,omitempty" doc:"Who said it first, if not the partner."`
	Withheld     bool            `json:"withheld,omitempty" doc:"Who said it first does not want to be named."`
	Label        string          `json:"label"`
	Marking      json.RawMessage `json:"marking" doc:"As docs/protocol.md describes it, as it counts now."`
	State        string          `json:"state" doc:"standing, held, recalled or expired."`
	Ended        *time.Time      `json:"ended,omitempty" doc:"When it was taken back, or its time ran out, as the state says."`
	Why          string          `json:"why,omitempty" doc:"Of the state, or why the content is not shown."`
	Hidden       bool            `json:"hidden,omitempty" doc:"The content is for others by name."`
	Narrowed     bool            `json:"narrowed,omitempty" doc:"The marking is narrower now than it was signed."`
	AnswerBy     *time.Time      `json:"answer_by,omitempty"`
	Said         time.Time       `json:"said" doc:"By the clock of the sender."`
	Received     time.Time       `json:"received"`
	Read         *time.Time      `json:"read,omitempty"`
	ReadBy       string          `json:"read_by,omitempty"`
	Acknowledged *time.Time      `json:"acknowledged,omitempty"`
	Outcome      string          `json:"outcome,omitempty" doc:"taken or refused: what was made of it here."`
	OutcomeWhy   string          `json:"outcome_why,omitempty"`
	Body         any             `json:"body,omitempty" doc:"By kind, as docs/protocol.md describes it."`
	Files        []SharedFile    `json:"files,omitempty"`
}

func entryOf(r exchange.Received) InboxEntry {
	marking, err := json.Marshal(r.Marking)
	if err != nil {
		marking = []byte("{}") // what was read can be written
	}
	out := InboxEntry{
		ID: exchange.EntryRef{Party: r.Party, Number: r.Number}.String(), Party: string(r.Party), Name: r.Name, Number: r.Number, Hash: r.Hash.String(), Kind: string(r.Kind), Known: r.Known,
		Title: r.Title, Subject: r.Subject, Originator: string(r.Originator), Withheld: r.Withheld, Label: r.Marking.TLP.String(), Marking: marking, State: string(r.State), Ended: momentOrNone(r.Ended), Why: r.Why.String(),
		Hidden: r.Hidden, Narrowed: r.Narrowed, AnswerBy: momentOrNone(r.Due), Said: r.Said, Received: r.Stored, Read: momentOrNone(r.Read), ReadBy: r.ReadBy, Acknowledged: momentOrNone(r.Answered),
		Outcome: string(r.Outcome), OutcomeWhy: r.OutcomeWhy.String(), Files: each(r.Blobs, fileOf),
	}
	if len(r.Body) > 0 {
		out.Body = r.Body
	}
	return out
}

func listInbox(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Paging
	Party string `query:"party" maxLength:"64" doc:"Only of this partner."`
	Kind  string `query:"kind" maxLength:"64" doc:"Only of this kind."`
	Label string `query:"label" enum:"TLP:CLEAR,TLP:GREEN,TLP:AMBER,TLP:AMBER+STRICT,TLP:RED"`
	State string `query:"state" enum:"standing,unread,read,acknowledged,recalled,expired,narrowed,embargoed,held,unknown,open" doc:"open are concerns that wait for an answer."`
	Q     string `query:"q" maxLength:"200" doc:"In title and subject; what is for people by name is not searched."`
}) (*listOutput[InboxEntry], error) {
	list := []string{"inbox", in.Party, in.Kind, in.Label, in.State, in.Q}
	pos, limit, err := in.place(list...)
	if err != nil {
		return nil, err
	}
	q := exchange.InboxQuery{Party: entente.PartyID(in.Party), Kind: entente.EntryKind(in.Kind), State: exchange.InboxState(in.State), Search: in.Q, Limit: limit, Offset: pos.offset}
	if in.State == "open" {
		q.State, q.Open = "", true
	}
	if in.Label != "" {
		if q.Label, err = entente.ParseTLP(in.Label); err != nil {
			return nil, entente.Invalid("%s", err.Error())
		}
	}
	found, total, err := s.Exchange.InboxPage(ctx, actor, q)
	if err != nil {
		return nil, err
	}
	out := &listOutput[InboxEntry]{Body: List[InboxEntry]{Items: append([]InboxEntry{}, each(found, entryOf)...), Total: &total}}
	if next := pos.offset + len(found); len(found) > 0 && next < total {
		out.Body.Next = cursor(position{offset: next}, list...)
	}
	return out, nil
}

// ByEntry is what operations on one entry take.
type ByEntry struct {
	Entry string `path:"entry" maxLength:"100"`
}

func (b ByEntry) ref() (exchange.EntryRef, error) { return exchange.ReadRef(b.Entry) }

func getEntry(s *server, ctx context.Context, actor entente.Actor, in *ByEntry) (*one[InboxEntry], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, err
	}
	r, err := s.Exchange.Entry(ctx, actor, ref.Party, ref.Number)
	if err != nil {
		return nil, err
	}
	return &one[InboxEntry]{entryOf(r)}, nil
}

func getEntryFile(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByEntry
	SHA256 string `query:"sha256" maxLength:"64" doc:"Which of its files; else the first."`
}) (*streamed, error) {
	ref, err := in.ref()
	if err != nil {
		return nil, err
	}
	r, err := s.Exchange.Entry(ctx, actor, ref.Party, ref.Number)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.Blobs, func(b entente.Blob) bool { return in.SHA256 == "" || strings.EqualFold(b.Hash.String(), in.SHA256) })
	if i < 0 {
		return nil, entente.NotFound("this entry has no such file")
	}
	content, _, err := s.Exchange.Blob(ctx, actor, r.Blobs[i].Hash)
	if err != nil {
		return nil, err
	}
	return &streamed{ContentType: anyType, Body: func(hc huma.Context) {
		if _, err := io.Copy(hc.BodyWriter(), content); err != nil {
			s.log.WarnContext(ctx, "a file was not taken away to its end", "cause", err)
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
	}}, nil
}

func readEntry(s *server, ctx context.Context, actor entente.Actor, in *ByEntry) (*one[InboxEntry], error) {
	return s.reacted(ctx, actor, in, s.Exchange.Seen)
}

func acknowledgeEntry(s *server, ctx context.Context, actor entente.Actor, in *ByEntry) (*one[InboxEntry], error) {
	return s.reacted(ctx, actor, in, s.Exchange.Acknowledge)
}

func (s *server) reacted(ctx context.Context, actor entente.Actor, in *ByEntry, act func(context.Context, entente.Actor, entente.PartyID, uint64) error) (*one[InboxEntry], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, err
	}
	if err := act(ctx, actor, ref.Party, ref.Number); err != nil {
		return nil, err
	}
	return getEntry(s, ctx, actor, in)
}

// NewAnswer answers a concern.
type NewAnswer struct {
	Text    string           `json:"text" maxLength:"50000"`
	Label   string           `json:"label,omitempty" enum:"TLP:AMBER+STRICT,TLP:RED" doc:"Absent: TLP:AMBER+STRICT, or that of the concern if it is stricter."`
	Named   []string         `json:"named,omitempty" maxItems:"200" doc:"With TLP:RED: the people who may see it."`
	Basis   string           `json:"basis,omitempty" maxLength:"2000"`
	Decided []DecidedFinding `json:"decided,omitempty" maxItems:"100"`
	Preview bool             `json:"preview,omitempty" doc:"Send nothing."`
}

func answerConcern(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByEntry
	Body NewAnswer
}) (*one[Said], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, err
	}
	n, err := s.Exchange.AnswerTo(ctx, actor, ref, in.Body.Text)
	if err != nil {
		return nil, err
	}
	if err := entente.CheckBody(n.Kind, n.Body); err != nil {
		return nil, err
	}
	if in.Body.Label != "" {
		label, err := entente.ParseTLP(in.Body.Label)
		if err != nil || label < n.Marking.TLP {
			return nil, entente.Invalid("an answer bears a label no wider than what it answers: at least %s", n.Marking.TLP.String())
		}
		n.Marking.TLP = label
	}
	if n.Marking.TLP == entente.TLPRed {
		n.Marking.People, n.Marking.Audience = in.Body.Named, n.To
	}
	n.Basis, n.Decided = in.Body.Basis, decisions(in.Body.Decided)
	return s.saying(ctx, actor, n, in.Body.Preview)
}

// NewPassing passes an entry on.
type NewPassing struct {
	To      []string         `json:"to,omitempty" maxItems:"5000" doc:"The partners to whom it is passed on."`
	Why     string           `json:"why,omitempty" maxLength:"2000" doc:"The person's reason, where one is asked for."`
	Basis   string           `json:"basis,omitempty" maxLength:"2000"`
	Decided []DecidedFinding `json:"decided,omitempty" maxItems:"100"`
	Preview bool             `json:"preview,omitempty" doc:"Send nothing."`
}

func passOn(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByEntry
	Body NewPassing
}) (*one[Said], error) {
	ref, err := in.ref()
	if err != nil {
		return nil, err
	}
	if !in.Body.Preview {
		id, lines, err := s.Exchange.PassOn(ctx, actor, ref, exchange.Passing{To: parties(in.Body.To), Why: in.Body.Why, Basis: in.Body.Basis, Decided: decisions(in.Body.Decided)})
		if err != nil {
			return nil, err
		}
		return saidOf(id, lines, nil), nil
	}
	c, err := s.Exchange.Passable(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	out := saidOf("", nil, c.Findings)
	for _, l := range c.Lines {
		out.Body.Partners = append(out.Body.Partners, SaidLine{Party: string(l.Party), Name: l.Name, Allowed: l.Allowed, Asks: l.Asks, Reason: l.Reason.String()})
	}
	return out, nil
}

// OpenConcern is something that one side worries about.
type OpenConcern struct {
	ID       string     `json:"id,omitempty" doc:"Of the entry in the inbox; absent where we said it."`
	Party    string     `json:"party" doc:"The other side."`
	Name     string     `json:"name"`
	Ours     bool       `json:"ours" doc:"We ask, and the partner answers."`
	Number   uint64     `json:"number" doc:"In the feed of who asks."`
	Title    string     `json:"title,omitempty" doc:"Absent where it is for others by name."`
	Label    string     `json:"label"`
	Said     time.Time  `json:"said"`
	AnswerBy *time.Time `json:"answer_by,omitempty"`
	Answered *time.Time `json:"answered,omitempty" doc:"By the other side; absent: not yet."`
	Overdue  bool       `json:"overdue"`
}

func listConcerns(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Paging
	Open bool `query:"open" doc:"Only those that nobody has answered."`
}) (*listOutput[OpenConcern], error) {
	all, err := s.Exchange.Concerns(ctx, actor)
	if err != nil {
		return nil, err
	}
	now, which := time.Now(), "all"
	if in.Open {
		which = "open"
	}
	return filtered(all, func(c *exchange.Concern) bool { return !in.Open || c.Reply.IsZero() }, in.Paging, func(c exchange.Concern) OpenConcern {
		out := OpenConcern{
			Party: string(c.Party), Name: c.Name, Ours: c.Way == exchange.Out, Number: c.Number, Title: c.Title, Label: c.Marking.TLP.String(), Said: c.Said, AnswerBy: momentOrNone(c.Due),
			Answered: momentOrNone(c.Reply), Overdue: c.Overdue(now),
		}
		if !out.Ours {
			out.ID = exchange.EntryRef{Party: c.Party, Number: c.Number}.String()
		}
		return out
	}, "concerns", which)
}
