package web

import (
	"cmp"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func inboxRoutes() []Route {
	return []Route{
		page("/o/{org}/inbox", identity.ExchangeRead, (*visit).inbox),
		page("/o/{org}/inbox/{id}", identity.ExchangeRead, (*visit).entry),
		page("/o/{org}/inbox/{id}/file", identity.ExchangeRead, (*visit).entryFile).within(uploadLimits),
		act("/o/{org}/inbox/{id}/acknowledge", identity.ExchangeShare, (*visit).acknowledge),
		page("/o/{org}/inbox/{id}/pass-on", identity.ExchangeShare, (*visit).passOnForm),
		act("/o/{org}/inbox/{id}/pass-on", identity.ExchangeShare, (*visit).passOn),
		page("/o/{org}/concerns", identity.ExchangeRead, (*visit).concerns),
		page("/o/{org}/concerns/{id}", identity.ExchangeRead, (*visit).concern),
	}
}

// inboxNotices are what [visit.done] tells after acts in the inbox.
var inboxNotices = map[string]told{
	"said":         {ui.Good, "It is signed and on its way."},
	"answer-sent":  {ui.Good, "Your answer is signed and on its way."},
	"acknowledged": {ui.Good, "The partner is told that you have taken note of it."},
	"passed-on":    {ui.Good, "It is signed and on its way, with its marking and who said it first."},
}

// inboxRows gives what partners said as the room pages it.
type inboxRows struct{ v *visit }

func (s inboxRows) page(q query, offset, limit int) ([]exchange.Received, int, int, error) {
	ask := exchange.InboxQuery{
		Party: entente.PartyID(q.filter["partner"]), Kind: entente.EntryKind(q.filter["kind"]), State: exchange.InboxState(q.filter["state"]), Search: q.search,
		Order: exchange.InboxOrder(q.sort), Desc: q.desc, Limit: limit, Offset: offset,
	}
	if q.filter["label"] != "" {
		label, err := entente.ParseTLP(q.filter["label"])
		if err != nil {
			return nil, 0, 0, entente.Invalid("choose a label")
		}
		ask.Label = label
	}
	if q.filter["state"] == inboxOpen {
		ask.State, ask.Open = "", true
	}
	if q.sort == "received" {
		ask.Order, ask.Desc = exchange.ByReceived, !q.desc
	}
	found, matching, err := s.v.Exchange.InboxPage(s.v.r.Context(), s.v.actor, ask)
	all := -1
	if ask == (exchange.InboxQuery{Order: ask.Order, Desc: ask.Desc, Limit: limit, Offset: offset}) {
		all = matching
	}
	return found, matching, all, err
}

const inboxOpen = "open" // concerns that wait for an answer

// stateTexts are the states that the inbox can be asked for.
var inboxStateTexts = map[exchange.InboxState]entente.Text{
	exchange.InboxStanding:  "Standing",
	exchange.InboxUnread:    "Unread",
	exchange.InboxRead:      "Read, not acknowledged",
	exchange.InboxAnswered:  "Acknowledged",
	exchange.InboxRecalled:  "Taken back",
	exchange.InboxExpired:   "Expired",
	exchange.InboxNarrowed:  "Narrowed",
	exchange.InboxEmbargoed: "Under embargo",
	exchange.InboxHeld:      "Held back",
	exchange.InboxUnknown:   "Of an unknown kind",
}

// inbox lists what partners said.
func (v *visit) inbox() error {
	partners, err := v.Exchange.Partners(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	waits, err := v.waits()
	if err != nil {
		return err
	}
	type row = exchange.Received
	l := list[row]{
		name: "inbox", one: "entry", many: "entries", search: "Search by title", sort: "-received",
		empty: v.emptyInbox(len(partners) > 0),
		columns: []column[row]{
			{key: "title", label: "What", cell: func(r row) ui.Cell {
				return ui.Cell{Text: v.entryTitle(r), Href: v.entryPath(r), Note: v.saidName(r.Kind)}
			}},
			{key: "partner", label: "From", cell: func(r row) ui.Cell { return linkCell(r.Name, v.in("partners", string(r.Party))) }},
			{key: "label", label: "Label", tight: true, cell: func(r row) ui.Cell { return badgeCell(tlpBadge(r.Marking.TLP)) }},
			{label: "State", cell: func(r row) ui.Cell { return badgeCell(v.entryBadges(r)...) }},
			{key: "due", label: "Answer until", tight: true, cell: func(r row) ui.Cell {
				if r.Due.IsZero() {
					return ui.Cell{}
				}
				return dateCell(v, r.Due)
			}},
			{key: "received", label: "Received", tight: true, cell: func(r row) ui.Cell { return momentCell(v, r.Stored) }},
		},
	}
	who := []ui.Option{{Label: v.T("All")}}
	for _, p := range partners {
		who = append(who, ui.Option{Value: string(p.Party), Label: p.Name})
	}
	kinds := []ui.Option{{Label: v.T("All")}}
	for _, k := range append(exchange.SharedKinds(), entente.EntryAnswer, entente.EntryContacts, entente.EntryEmbargo) {
		kinds = append(kinds, ui.Option{Value: string(k), Label: v.saidName(k)})
	}
	labels := []ui.Option{{Label: v.T("All")}}
	for _, t := range entente.TLPs() {
		labels = append(labels, ui.Option{Value: t.String(), Label: t.String()})
	}
	states := []ui.Option{{Label: v.T("All")}, {Value: inboxOpen, Label: v.T("Waits for an answer")}}
	for _, s := range exchange.InboxStates() {
		states = append(states, ui.Option{Value: string(s), Label: v.T(inboxStateTexts[s])})
	}
	l.filters = []filter[row]{
		{key: "partner", label: "From", options: who}, {key: "kind", label: "Kind", options: kinds}, {key: "label", label: "Label", options: labels}, {key: "state", label: "State", options: states},
	}
	head := ui.Head{Title: v.T("Inbox"), Lead: v.waitWords(waits)}
	if v.may(identity.ExchangeShare) {
		head.Actions = []ui.Link{{Text: v.T("Say something"), Href: v.in("say")}}
	}
	return l.show(v, inboxRows{v}, func(shown ui.List) templ.Component {
		return inboxView(inboxPage{Frame: v.frame(head.Title), Head: head, Notice: v.done(), List: shown})
	})
}

func (v *visit) emptyInbox(partners bool) ui.Empty {
	if !partners {
		return v.nobodyToTell()
	}
	e := ui.Empty{Title: v.T("No partner has said anything yet"), Text: v.T("What partners tell you is checked, kept as they signed it, and shown here.")}
	if v.may(identity.ExchangeShare) {
		e.Next = ui.Link{Text: v.T("Say something yourself"), Href: v.in("say")}
	}
	return e
}

// waitWords says what waits in the inbox.
func (v *visit) waitWords(w exchange.Waiting) string {
	if w.Unread == 0 && w.Answer == 0 {
		return v.T("What partners told you, as they signed it. Nothing is unread.")
	}
	if w.Answer == 0 {
		return v.N(w.Unread, "%d is unread.", "%d are unread.")
	}
	return v.T("%s %s", entente.Plural(w.Unread, "%d is unread.", "%d are unread."), entente.Plural(w.Answer, "%d concern waits for your answer.", "%d concerns wait for your answer."))
}

// saidTexts name an entry by its kind, where it stands alone.
var saidTexts = map[entente.EntryKind]entente.Text{
	entente.EntryAdvisory: "Security advisory",
	entente.EntrySBOM:     "SBOM",
	entente.EntryVEX:      "VEX",
	entente.EntryChain:    "Their suppliers",
	entente.EntryThreat:   "Threat",
	entente.EntryPractice: "Good practice",
	entente.EntryConcern:  "Concern",
	entente.EntryAnswer:   "Answer",
	entente.EntryNote:     "Notes of a meeting",
	entente.EntryContacts: "Contacts",
	entente.EntryEmbargo:  "A step of an embargo",
}

// saidName names the kind of one entry.
func (v *visit) saidName(k entente.EntryKind) string {
	if text, ok := saidTexts[k]; ok {
		return v.T(text)
	}
	return v.entryName(k)
}

// entryTitle is what an entry is called; what is for others is not named.
func (v *visit) entryTitle(r exchange.Received) string {
	if r.Hidden {
		return v.T("For named people")
	}
	return cmp.Or(r.Title, v.saidName(r.Kind))
}

func (v *visit) entryPath(r exchange.Received) string {
	return v.in("inbox", exchange.EntryRef{Party: r.Party, Number: r.Number}.String())
}

// entryBadges say in what state an entry is.
func (v *visit) entryBadges(r exchange.Received) []ui.Badge {
	var badges []ui.Badge
	switch {
	case r.State == exchange.Recalled:
		return []ui.Badge{{Text: v.T("taken back"), Tone: ui.Bad}}
	case r.State == exchange.Expired:
		return []ui.Badge{{Text: v.T("expired")}}
	case r.State == exchange.Held:
		return []ui.Badge{{Text: v.T("held back"), Tone: ui.Bad}}
	case !r.Answered.IsZero():
		badges = append(badges, ui.Badge{Text: v.T("acknowledged"), Tone: ui.Good})
	case !r.Read.IsZero():
		badges = append(badges, ui.Badge{Text: v.T("read")})
	default:
		badges = append(badges, ui.Badge{Text: v.T("unread"), Tone: ui.Accent})
	}
	if r.Narrowed {
		badges = append(badges, ui.Badge{Text: v.T("narrowed"), Tone: ui.Warn})
	}
	now := time.Now()
	if r.Marking.Embargo.After(now) {
		badges = append(badges, ui.Badge{Text: v.T("under embargo"), Tone: ui.Warn})
	}
	if !r.Known {
		badges = append(badges, ui.Badge{Text: v.T("of an unknown kind"), Tone: ui.Warn})
	}
	return badges
}

// entryRef reads which entry the address names.
func (v *visit) entryRef() (exchange.EntryRef, error) { return exchange.ReadRef(v.r.PathValue("id")) }

// entry shows one entry of a partner, and writes down that it was seen.
func (v *visit) entry() error { return v.showEntry(http.StatusOK, v.done()) }

func (v *visit) showEntry(status int, notice ui.Notice) error {
	ctx := v.r.Context()
	ref, err := v.entryRef()
	if err != nil {
		return err
	}
	r, err := v.Exchange.Entry(ctx, v.actor, ref.Party, ref.Number)
	if err != nil {
		return err
	}
	if r.State == exchange.Standing && !r.Hidden && r.Read.IsZero() {
		err = v.Exchange.Seen(ctx, v.actor, ref.Party, ref.Number)
		if err != nil {
			return err
		}
		r, err = v.Exchange.Entry(ctx, v.actor, ref.Party, ref.Number)
		if err != nil {
			return err
		}
	}
	p, err := v.Exchange.Partner(ctx, v.actor, ref.Party)
	if err != nil {
		return err
	}
	at := v.entryPath(r)
	shown := entryPage{
		Frame: v.frame(v.entryTitle(r)), Notice: notice, At: at, Name: r.Name, Open: r.State == exchange.Standing && !r.Hidden,
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Inbox"), Href: v.in("inbox")}}, Title: v.entryTitle(r), Lead: v.T("%s, from %s", v.saidName(r.Kind), r.Name),
			Badges: append([]ui.Badge{tlpBadge(r.Marking.TLP)}, v.entryBadges(r)...),
		},
		Marking: v.markingDefs(r.Marking)[1:], Allowed: v.T(allowedTexts[r.Marking.TLP]),
	}
	shown.State = v.stateNotice(r)
	shown.Said = v.saidOf(r.Kind, r.Body, r.Blobs)
	shown.Said.Unknown, shown.Said.Title = !r.Known, "" // the page bears it
	if id := recordID(r.Body); r.Kind == entente.EntryAdvisory && r.Outcome == exchange.OutcomeTaken && id != "" && v.may(identity.AdvisoryRead) {
		shown.Head.Actions = append(shown.Head.Actions, ui.Link{Text: v.T("See whom it hits"), Href: v.advisoryPath(id)})
	}
	for i := range shown.Said.Files {
		shown.Said.Files[i].Link.Href = at + "/file?sha256=" + r.Blobs[i].Hash.String()
	}
	shown.Defs, err = v.entryDefs(r)
	if err != nil {
		return err
	}
	e, err := v.Exchange.EmbargoOf(ctx, v.actor, r.Party, r.Subject)
	if err != nil {
		return err
	}
	shown.Embargo = v.embargoBox(e, p.State == exchange.Active)
	shown.Proof = v.proofDefs(r, p)
	shown.Outcome = v.outcomeNotice(r)
	share := shown.Open && v.may(identity.ExchangeShare) && p.State == exchange.Active
	shown.Acknowledge = share && r.Answered.IsZero()
	shown.PassOn = shown.Open && v.may(identity.ExchangeShare) && slices.Contains(exchange.SharedKinds(), r.Kind) && r.Marking.TLP < entente.TLPAmberStrict
	if shown.Open && (r.Kind == entente.EntryConcern || r.Kind == entente.EntryAnswer) {
		thread, err := v.Exchange.Thread(ctx, v.actor, r.Party, r.Subject)
		if err != nil {
			return err
		}
		shown.Thread = v.threadOf(thread, &r)
		if share {
			shown.Answer = v.in("say") + "?kind=answer&about=" + exchange.EntryRef{Party: r.Party, Number: r.Number}.String()
		}
	}
	return v.show(status, entryView(shown))
}

// stateNotice tells of an entry that is not simply there to be read.
func (v *visit) stateNotice(r exchange.Received) ui.Notice {
	switch {
	case r.State == exchange.Recalled && !r.Why.Blank() && r.Why.String() != "":
		return ui.Notice{Tone: ui.Warn, Text: v.T("%s took it back: %s What it said is deleted here, and %s has a signed word of that. That it was said stays.", r.Name, r.Why, r.Name)}
	case r.State == exchange.Recalled:
		return ui.Notice{Tone: ui.Warn, Text: v.T("%s took it back. What it said is deleted here, and %s has a signed word of that. That it was said stays.", r.Name, r.Name)}
	case r.State == exchange.Expired:
		return ui.Notice{Tone: ui.Warn, Text: v.T("Its time ran out on %s. What it said is deleted here; that it was said stays.", v.reader().Day(r.Ended))}
	case r.State == exchange.Held:
		return ui.Notice{Tone: ui.Bad, Text: v.T("It is held back: %s It is kept as proof, and shown to nobody.", r.Why)}
	case r.Hidden:
		return ui.Notice{Tone: ui.Warn, Text: v.Say(r.Why)}
	case !r.Known:
		return ui.Notice{Tone: ui.Warn, Text: v.T("This program does not know entries of this kind. It is kept as it was signed, and passed by.")}
	case r.Narrowed:
		return ui.Notice{Tone: ui.Warn, Text: v.T("%s has narrowed its marking since. What stands below counts now.", r.Name)}
	}
	return ui.Notice{}
}

// outcomeNotice tells what the rooms made of an entry.
func (v *visit) outcomeNotice(r exchange.Received) ui.Notice {
	switch r.Outcome {
	case exchange.OutcomeTaken:
		return ui.Notice{Tone: ui.Good, Text: lang.Capital(v.Say(r.OutcomeWhy))}
	case exchange.OutcomeRefused:
		return ui.Notice{Tone: ui.Warn, Text: v.T("It was not taken into your own records: %s.", strings.TrimSuffix(v.Say(r.OutcomeWhy), "."))}
	}
	return ui.Notice{}
}

// entryDefs say from whom an entry is and when it came.
func (v *visit) entryDefs(r exchange.Received) ([]ui.Def, error) {
	from := ui.Link{Text: r.Name}
	if v.mayOn(identity.PartnerRead, identity.KindPartnership, string(r.Party)) {
		from.Href = v.in("partners", string(r.Party))
	}
	defs := []ui.Def{{Term: v.T("From"), View: ui.LinkTo(from)}}
	switch {
	case r.Withheld:
		defs = append(defs, ui.Def{Term: v.T("Said first by"), Text: v.T("somebody who does not want to be named")})
	case r.Originator != "" && r.Originator != r.Party:
		names, err := v.partyNames()
		if err != nil {
			return nil, err
		}
		first := ui.Def{Term: v.T("Said first by"), View: code(string(r.Originator))}
		if name := names[r.Originator]; name != "" {
			first = ui.Def{Term: v.T("Said first by"), View: ui.LinkTo(ui.Link{Text: name, Href: v.in("partners", string(r.Originator))})}
		}
		defs = append(defs, first)
	}
	defs = append(defs, ui.Def{Term: v.T("Said, by their clock"), View: ui.Time(r.Said)}, ui.Def{Term: v.T("Received"), View: ui.Time(r.Stored)})
	if !r.Due.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Answer until"), View: ui.Time(r.Due)})
	}
	if !r.Read.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Read"), View: ui.Phrase(entente.Say("%s, by %s", ui.Time(r.Read), r.ReadBy))})
	}
	if !r.Answered.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Acknowledged"), View: ui.Time(r.Answered)})
	}
	switch {
	case r.Ended.IsZero():
	case r.State == exchange.Expired:
		defs = append(defs, ui.Def{Term: v.T("Expired"), View: ui.Time(r.Ended)})
	default:
		defs = append(defs, ui.Def{Term: v.T("Taken back"), View: ui.Time(r.Ended)})
	}
	if r.Retain > 0 {
		defs = append(defs, ui.Def{Term: v.T("Kept"), Text: v.N(r.Retain, "for %d day after the end of the partnership", "for %d days after the end of the partnership")})
	}
	return defs, nil
}

// partyNames are the names of the partners.
func (v *visit) partyNames() (map[entente.PartyID]string, error) {
	all, err := v.Exchange.Partners(v.r.Context(), v.actor)
	names := map[entente.PartyID]string{}
	for _, p := range all {
		names[p.Party] = p.Name
	}
	return names, err
}

// proofDefs are what both sides can prove by.
func (v *visit) proofDefs(r exchange.Received, p exchange.Partner) []ui.Def {
	defs := []ui.Def{
		{Term: v.T("Number in their feed"), Text: v.reader().Number(int64(r.Number))},
		{Term: v.T("Hash of the content"), View: code(r.Hash.String())},
		{Term: v.T("About"), View: orNothing(r.Subject != "", code(r.Subject))},
	}
	if r.Key != "" {
		defs = append(defs, ui.Def{Term: v.T("Signed with the key"), View: code(string(r.Key))})
	}
	if p.In.Acked >= r.Number && !p.In.AckedAt.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Your signed receipt"), View: ui.Phrase(entente.Say("up to entry %d, %s", int(p.In.Acked), ui.Time(p.In.AckedAt)))})
	}
	return defs
}

// acknowledge tells the partner that a person has taken note of an entry.
func (v *visit) acknowledge() error {
	ref, err := v.entryRef()
	if err != nil {
		return err
	}
	err = v.Exchange.Acknowledge(v.r.Context(), v.actor, ref.Party, ref.Number)
	if err != nil {
		return err
	}
	return v.redirect(v.in("inbox", ref.String()) + "?done=acknowledged")
}

// entryFile answers with a file of an entry.
func (v *visit) entryFile() error {
	ref, err := v.entryRef()
	if err != nil {
		return err
	}
	r, err := v.Exchange.Entry(v.r.Context(), v.actor, ref.Party, ref.Number)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(r.Blobs, func(b entente.Blob) bool { return b.Hash.String() == v.r.URL.Query().Get("sha256") })
	if i < 0 {
		return entente.NotFound("this entry has no such file")
	}
	content, size, err := v.Exchange.Blob(v.r.Context(), v.actor, r.Blobs[i].Hash)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(r.Blobs[i].Name)}))
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	v.answer = http.StatusOK
	if v.r.Method == http.MethodHead {
		return nil
	}
	_, err = io.Copy(v.w, content)
	return err
}

// inboxTasks puts on Home what waits in the inbox, and concerns that nobody answered.
func (v *visit) inboxTasks(shown *homePage) error {
	if !v.may(identity.ExchangeRead) {
		return nil
	}
	w, err := v.Exchange.Waits(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	add := func(n int, text, note, to string) {
		if n > 0 {
			shown.Tasks = append(shown.Tasks, homeTask{Link: ui.Link{Text: text, Href: to}, Note: note})
		}
	}
	add(w.Quarantined, v.N(w.Quarantined, "%d partnership is in quarantine", "%d partnerships are in quarantine"), v.T("What two nodes signed does not fit together. Nothing more passes until a person has looked."), v.in("partners")+"?look=quarantine")
	add(w.Overdue, v.N(w.Overdue, "The time to answer %d concern of a partner is over", "The time to answer %d concerns of partners is over"), "", v.in("concerns")+"?side=in&state=overdue")
	add(w.TheirsLate, v.N(w.TheirsLate, "A partner has not answered %d concern of yours in time", "Partners have not answered %d concerns of yours in time"), "", v.in("concerns")+"?side=out&state=overdue")
	if soon := w.Answer - w.Overdue; soon > 0 {
		add(soon, v.N(soon, "%d concern of a partner waits for your answer", "%d concerns of partners wait for your answer"), "", v.in("concerns")+"?side=in&state=open")
	}
	add(w.Unread, v.N(w.Unread, "%d entry of a partner is unread", "%d entries of partners are unread"), "", v.in("inbox")+"?state=unread")
	if v.may(identity.ExchangeShare) {
		add(w.Acknowledge, v.N(w.Acknowledge, "%d entry of a partner is read and not acknowledged", "%d entries of partners are read and not acknowledged"), "", v.in("inbox")+"?state=read")
	}
	return nil
}
