package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/sheet"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func ledgerRoutes() []Route {
	return []Route{
		page("/o/{org}/ledger", identity.ExchangeRead, (*visit).ledger),
		page("/o/{org}/ledger/{id}", identity.ExchangeRead, (*visit).statement),
		page("/o/{org}/ledger/{id}/record", identity.ExchangeExport, (*visit).record),
		page("/o/{org}/ledger/{id}/recall", identity.ExchangeShare, (*visit).askRecall),
		act("/o/{org}/ledger/{id}/recall", identity.ExchangeShare, (*visit).recall),
		page("/o/{org}/ledger/{id}/narrow", identity.ExchangeShare, (*visit).askNarrow),
		act("/o/{org}/ledger/{id}/narrow", identity.ExchangeShare, (*visit).narrow),
	}
}

// openTexts say what may be open about something that was said.
var openTexts = map[exchange.Open]entente.Text{
	exchange.OpenDelivery: "Not delivered", exchange.OpenReading: "Not read", exchange.OpenAcknowledge: "Not acknowledged", exchange.OpenRevision: "Recall or narrowing not confirmed",
}

// ledgerRows are statements as the room chooses and sorts them.
type ledgerRows struct{ v *visit }

func (l ledgerRows) page(q query, offset, limit int) ([]exchange.Listed, int, int, error) {
	asked := exchange.LedgerQuery{
		Search: q.search, Kind: entente.EntryKind(q.filter["kind"]), State: exchange.StatementState(q.filter["state"]), Party: entente.PartyID(q.filter["partner"]),
		Open: exchange.Open(q.filter["open"]), Sort: exchange.LedgerSort(q.sort), Desc: q.desc, Limit: limit, Offset: offset,
	}
	if label := q.filter["label"]; label != "" {
		asked.TLP, _ = entente.ParseTLP(label) // one of the options
	}
	return l.v.Exchange.Ledger(l.v.r.Context(), l.v.actor, asked)
}

// ledger lists what was said to partners.
func (v *visit) ledger() error {
	options, err := v.ledgerOptions()
	if err != nil {
		return err
	}
	type row = exchange.Listed
	sorted := func(a, b row) int { return 0 } // the room sorts
	l := list[row]{
		name: "ledger", one: "statement", many: "statements", search: "Search by title, subject, ground or person", sort: "-said",
		empty: ui.Empty{Title: v.T("Nothing was said yet"), Text: v.T("What you say to partners stands here for good: who got it and why, who did not and why not, and what became of it there.")},
		columns: []column[row]{
			{key: "title", label: "What", order: sorted, cell: func(s row) ui.Cell {
				return ui.Cell{Text: s.Title, Href: v.in("ledger", s.ID), Note: v.entryName(s.Kind)}
			}},
			{key: "label", label: "Label", tight: true, order: sorted, cell: func(s row) ui.Cell { return badgeCell(tlpBadge(s.Marking.TLP)) }},
			{key: "state", label: "State", order: sorted, cell: func(s row) ui.Cell { return badgeCell(v.statementBadges(s.State, s.Revised-s.Done)...) }},
			{label: "Got it", tight: true, cell: func(s row) ui.Cell {
				c := plainCell(v.N(s.Entitled, "%d partner", "%d partners"))
				if s.Refused > 0 {
					c.Note = v.N(s.Refused, "%d did not", "%d did not")
				}
				return c
			}},
			{label: "Delivered", tight: true, cell: func(s row) ui.Cell { return v.share(s.Delivered, s.Entitled) }},
			{label: "Read", tight: true, cell: func(s row) ui.Cell { return v.share(s.Read, s.Entitled) }},
			{label: "Acknowledged", tight: true, cell: func(s row) ui.Cell { return v.share(s.Acknowledged, s.Entitled) }},
			{key: "said", label: "Said", order: sorted, cell: func(s row) ui.Cell {
				c := momentCell(v, s.At)
				c.Note = v.T("by %s", s.By)
				return c
			}},
		},
		filters: options,
	}
	head := ui.Head{Title: v.T("Ledger"), Lead: v.T("What you said to partners: who was entitled to it, who was not, and what became of it there.")}
	head.Actions = []ui.Link{{Text: v.T("Embargoes"), Href: v.in("embargoes")}}
	if v.may(identity.ExchangeShare) {
		head.Main = ui.Link{Text: v.T("Say something"), Href: v.in("say")}
		l.empty.Next = head.Main
	}
	if q := l.query(v.r.URL); q.file != "" {
		err := v.Identity.Require(*v.who, v.actor, identity.ExchangeExport, identity.In(v.actor.Org))
		if err != nil {
			return err
		}
	}
	return l.show(v, ledgerRows{v}, func(shown ui.List) templ.Component {
		if !v.may(identity.ExchangeExport) {
			shown.CSV, shown.XLSX = "", ""
		}
		return partnersView(partnersPage{Frame: v.frame(head.Title), Head: head, Notice: v.done(), List: shown})
	})
}

func (v *visit) ledgerOptions() ([]filter[exchange.Listed], error) {
	type row = exchange.Listed
	all := ui.Option{Label: v.T("All")}
	kinds, labels, partners, open := []ui.Option{all}, []ui.Option{all}, []ui.Option{all}, []ui.Option{all}
	for _, k := range append(exchange.SharedKinds(), entente.EntryAnswer) {
		kinds = append(kinds, ui.Option{Value: string(k), Label: v.entryName(k)})
	}
	for _, t := range entente.TLPs() {
		labels = append(labels, ui.Option{Value: t.String(), Label: t.String()})
	}
	for _, o := range []exchange.Open{exchange.OpenAcknowledge, exchange.OpenDelivery, exchange.OpenReading, exchange.OpenRevision} {
		open = append(open, ui.Option{Value: string(o), Label: v.T(openTexts[o])})
	}
	known, err := v.Exchange.Partners(v.r.Context(), v.actor)
	if err != nil {
		return nil, err
	}
	for _, p := range known[:min(len(known), mostKnown)] {
		partners = append(partners, ui.Option{Value: string(p.Party), Label: p.Name})
	}
	return []filter[row]{
		{key: "kind", label: "Kind", options: kinds}, {key: "label", label: "Label", options: labels},
		{key: "state", label: "State", options: []ui.Option{all, {Value: string(exchange.Said), Label: v.T("Stands")}, {Value: string(exchange.TakenBack), Label: v.T("Taken back")}}},
		{key: "partner", label: "Partner who got it", options: partners}, {key: "open", label: "Still open", options: open},
	}, nil
}

// share tells how many of some.
func (v *visit) share(n, of int) ui.Cell {
	if of == 0 {
		return ui.Cell{}
	}
	return plainCell(v.T("%d of %d", n, of))
}

func (v *visit) statementBadges(s exchange.StatementState, open int) []ui.Badge {
	badges := []ui.Badge{{Text: v.T("stands"), Tone: ui.Good}}
	if s == exchange.TakenBack {
		badges[0] = ui.Badge{Text: v.T("taken back")}
	}
	if open > 0 {
		badges = append(badges, ui.Badge{Text: v.N(open, "%d not confirmed", "%d not confirmed"), Tone: ui.Warn})
	}
	return badges
}

// statement shows one thing that was said.
func (v *visit) statement() error { return v.showStatement(http.StatusOK, v.done()) }

func (v *visit) showStatement(status int, notice ui.Notice) error {
	st, lines, err := v.Exchange.Statement(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	known, err := v.partnersByParty()
	if err != nil {
		return err
	}
	at := v.in("ledger", st.ID)
	open := 0
	for _, l := range lines {
		if l.Open() {
			open++
		}
	}
	with, err := v.embargoesAbout(st.Subject)
	if err != nil {
		return err
	}
	p := statementPage{
		Frame: v.frame(st.Title), Notice: notice, At: at,
		Head: ui.Head{
			Crumbs: v.ledgerCrumbs(nil), Title: st.Title, Badges: append([]ui.Badge{tlpBadge(st.Marking.TLP)}, v.statementBadges(st.State, open)...),
			Lead: v.T("Said by %s, %s.", st.By, v.reader().Moment(st.At)),
		},
		Defs: v.statementDefs(st, known), Labels: v.labelMeanings(), Said: v.saidOf(st.Kind, st.Body, st.Blobs),
	}
	if v.may(identity.ExchangeExport) {
		p.Head.Actions = []ui.Link{{Text: v.T("The record, for counsel"), Href: at + "/record"}}
	}
	if st.State == exchange.Said && v.may(identity.ExchangeShare) {
		p.Recall, p.Narrow = at+"/recall", at+"/narrow"
	}
	if open > 0 {
		p.Open = v.N(open, "%d partner has not confirmed that it deleted or narrowed this. Until it does, it may still hold it as it was.", "%d partners have not confirmed that they deleted or narrowed this. Until they do, they may still hold it as it was.")
	}
	var embargoes []exchange.EmbargoOn
	several := 0
	for _, l := range lines {
		if l.Number == 0 {
			p.Not = append(p.Not, ui.Row{Cells: []ui.Cell{v.partnerCell(l.Party, l.Name), plainCell(v.Say(l.Reason))}})
			continue
		}
		p.Got = append(p.Got, v.gotRow(l, known[l.Party]))
		e := with[l.Party]
		e.Party, e.Name = l.Party, l.Name
		embargoes = append(embargoes, e)
		if askable(l, known, with) {
			several++
		}
		p.Embargoes = append(p.Embargoes, v.embargoRow(e, v.embargoPath(l.Party, st.Subject)))
	}
	p.Embargo = v.embargoTally(embargoes)
	if several > 1 && v.may(identity.ExchangeShare) {
		p.Propose = at + "/embargo"
	}
	return v.show(status, statementView(p))
}

func (v *visit) partnersByParty() (map[entente.PartyID]exchange.Partner, error) {
	all, err := v.Exchange.Partners(v.r.Context(), v.actor)
	known := map[entente.PartyID]exchange.Partner{}
	for _, p := range all {
		known[p.Party] = p
	}
	return known, err
}

func (v *visit) partnerCell(party entente.PartyID, name string) ui.Cell {
	return linkCell(name, v.in("partners", string(party)))
}

// ledgerCrumbs lead back to the list, and to what was said.
func (v *visit) ledgerCrumbs(st *exchange.Statement) []ui.Link {
	crumbs := []ui.Link{{Text: v.T("Ledger"), Href: v.in("ledger")}}
	if st != nil {
		crumbs = append(crumbs, ui.Link{Text: st.Title, Href: v.in("ledger", st.ID)})
	}
	return crumbs
}

func (v *visit) statementDefs(st exchange.Statement, known map[entente.PartyID]exchange.Partner) []ui.Def {
	m := st.Marking
	defs := []ui.Def{
		{Term: v.T("What it is"), Text: v.entryName(st.Kind)}, {Term: v.T("Subject"), View: code(st.Subject)}, {Term: v.T("Label"), Text: v.T("%s: %s", m.TLP.String(), labelTexts[m.TLP])},
		{Term: v.T("People it is addressed to"), Text: strings.Join(m.People, ", ")}, {Term: v.T("Purpose"), Text: m.Purpose}, {Term: v.T("What may be done with it (PAP)"), Text: string(m.PAP)},
	}
	if !m.Expires.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Deleted by holders from"), View: ui.Time(m.Expires)})
	}
	if !m.Embargo.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Not passed on before"), View: ui.Time(m.Embargo)})
	}
	switch {
	case st.Withheld:
		defs = append(defs, ui.Def{Term: v.T("First said by"), Text: v.T("withheld: they do not want to be named")})
	case st.Originator != "":
		defs = append(defs, ui.Def{Term: v.T("First said by"), Text: v.nameOf(st.Originator, known)})
	}
	defs = append(defs, ui.Def{Term: v.T("On what ground"), Text: st.Basis})
	var decided []string
	for _, f := range st.Decided {
		said := v.T("%s: %s", findingWords[f.Kind], f.What)
		if f.Reason != "" {
			said = v.T("%s. Reason: %s", said, f.Reason)
		}
		decided = append(decided, said)
	}
	if len(decided) > 0 {
		defs = append(defs, ui.Def{Term: v.T("Looked at and let go by %s", st.By), View: says(decided)})
	}
	defs = append(defs, ui.Def{Term: v.T("Why recipients need to know"), Text: st.NeedWhy})
	var files []string
	for _, b := range st.Blobs {
		files = append(files, v.T("%s, %s", b.Name, v.reader().Bytes(b.Size)))
	}
	if len(files) > 0 {
		defs = append(defs, ui.Def{Term: v.T("Files"), View: says(files)})
	}
	if !st.Recalled.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Taken back"), View: ui.Time(st.Recalled)})
	}
	return append(defs, ui.Def{Term: v.T("Reason given last"), Text: st.Why})
}

// findingWords say what was found in the content of a statement.
var findingWords = map[exchange.FindingKind]entente.Text{
	exchange.FoundPersonal: "Personal data", exchange.FoundSecret: "A secret", exchange.FoundVictim: "The name of another partner", exchange.FoundInside: "An address of an inner network",
}

func (v *visit) nameOf(party entente.PartyID, known map[entente.PartyID]exchange.Partner) string {
	if p, ok := known[party]; ok {
		return p.Name
	}
	return string(party)
}

// gotRow tells what became of a statement at one who got it.
func (v *visit) gotRow(l exchange.Line, p exchange.Partner) ui.Row {
	moment := func(t time.Time) ui.Cell {
		if t.IsZero() {
			return badgeCell(ui.Badge{Text: v.T("not yet"), Tone: ui.Warn})
		}
		return momentCell(v, t)
	}
	delivered := moment(l.Delivered)
	if !l.Delivered.IsZero() && p.Out.Acked >= l.Number {
		delivered.Note = v.T("entry %d; signed receipt up to entry %d", int(l.Number), int(p.Out.Acked))
	}
	return ui.Row{Cells: []ui.Cell{
		v.partnerCell(l.Party, l.Name), {Text: v.Say(l.Reason), Note: v.T("agreement, version %d", l.Agreement)}, delivered, moment(l.Read), moment(l.Answered), v.revisionCell(l),
	}}
}

// revisionCell tells whether a recipient did what it was asked to do afterwards.
func (v *visit) revisionCell(l exchange.Line) ui.Cell {
	if l.Revise == "" {
		return plainCell("–")
	}
	asked, done := v.T("asked to delete it %s", v.reader().Moment(l.Revised)), v.T("deleted")
	if l.Revise == exchange.ToNarrow {
		asked, done = v.T("asked to narrow it %s", v.reader().Moment(l.Revised)), v.T("narrowed")
	}
	c := badgeCell(ui.Badge{Text: v.T("not confirmed"), Tone: ui.Bad})
	if !l.Acked.IsZero() {
		c = badgeCell(ui.Badge{Text: done, Tone: ui.Good})
		asked = v.T("%s; confirmed by signature %s", asked, v.reader().Moment(l.Acked))
	}
	if l.Recall == 0 {
		asked = v.T("they could not be told: nothing travels to them any more")
	}
	c.Note = asked
	return c
}

// gotColumns and notColumns are those of who got something and who did not.
var (
	gotColumns = []ui.Column{{Label: "Partner"}, {Label: "Why they got it"}, {Label: "Delivered"}, {Label: "Read"}, {Label: "Acknowledged"}, {Label: "Taken back or narrowed"}}
	notColumns = []ui.Column{{Label: "Partner"}, {Label: "Why not", Wide: true}}
)

// record shows or gives the record of a statement that counsel asks for.
func (v *visit) record() error {
	r, err := v.Exchange.Record(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	switch format := v.r.URL.Query().Get("format"); format {
	case "json", formatCSV:
		return v.recordFile(r, format)
	}
	st, lines, err := v.Exchange.Statement(v.r.Context(), v.actor, r.ID)
	if err != nil {
		return err
	}
	var known map[entente.PartyID]exchange.Partner
	if st.Originator != "" { // its name is told
		known, err = v.partnersByParty()
	}
	if err != nil {
		return err
	}
	title := v.T("Record of: %s", r.Title)
	at := v.in("ledger", r.ID, "record")
	p := recordPage{
		Frame: v.frame(title), JSON: at + "?format=json", CSV: at + "?format=csv", Made: r.Made,
		Head: ui.Head{Crumbs: v.ledgerCrumbs(&st), Title: title, Lead: v.T("Said by %s of %s, %s.", r.By, r.Organisation, v.reader().Moment(r.Said))},
		Defs: append(v.statementDefs(st, known), ui.Def{Term: v.T("Name of %s among all nodes", r.Organisation), View: code(r.Party)}, ui.Def{Term: v.T("Number in the ledger"), View: code(r.ID)}),
	}
	for i, l := range r.Recipients {
		if !l.Entitled {
			p.Not = append(p.Not, ui.Row{Cells: []ui.Cell{plainCell(l.Name), plainCell(v.Say(lines[i].Reason))}})
			continue
		}
		p.Got = append(p.Got, v.recordedRecipient(l, lines[i]))
	}
	return v.show(http.StatusOK, recordView(p))
}

// recordedRecipient is one recipient in the record.
func (v *visit) recordedRecipient(r exchange.RecordLine, l exchange.Line) recordedView {
	shown := recordedView{Name: r.Name}
	add := func(term entente.Text, text string) {
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T(term), Text: text})
	}
	at := func(term entente.Text, t *time.Time) {
		if t == nil {
			add(term, v.T("not yet"))
			return
		}
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T(term), View: ui.Time(*t)})
	}
	add("Why they got it", v.Say(l.Reason))
	if r.Need {
		add("Need to know", v.T("decided by the person who said it"))
	}
	if a := r.Agreement; a != nil {
		basis := v.T("version %d, in force from %s", a.Version, v.reader().Day(a.From))
		if a.Until != nil {
			basis = v.T("version %d, in force from %s until %s", a.Version, v.reader().Day(a.From), v.reader().Day(*a.Until))
		}
		add("Agreement", basis)
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T("Hash of what both signed"), View: code(a.Hash)})
		retention := v.T("not agreed")
		if a.Retention > 0 {
			retention = v.N(a.Retention, "%d day after the end or after a recall", "%d days after the end or after a recall")
		}
		add("Kept by them", retention)
		add("Further rules of passing on", a.Onward)
	}
	var m entente.Marking
	if json.Unmarshal(r.Marking, &m) == nil {
		add("Label as it counts for them", m.TLP.String())
		if !m.Expires.IsZero() {
			at("Deleted by them from", &m.Expires)
		}
	}
	if r.Embargo != nil {
		add("Embargo", v.Say(word(embargoWords, entente.EmbargoState(r.Embargo.State))))
		if r.Embargo.Until != nil {
			at("Embargo until", r.Embargo.Until)
		}
	}
	add("Entry", v.reader().Number(int64(r.Number)))
	shown.Defs = append(shown.Defs, ui.Def{Term: v.T("Hash of the entry"), View: code(r.Hash)})
	at("Delivered, by signed receipt", r.Delivered)
	at("Read", r.Read)
	at("Acknowledged", r.Acknowledged)
	if r.Asked != "" {
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T("Taken back or narrowed"), View: ui.BadgeRow([]ui.Badge{{Text: v.revisionCell(l).Text}})})
		at("Asked", r.AskedAt)
		at("Confirmed by signature", r.Done)
	}
	return shown
}

func (v *visit) recordFile(r exchange.Record, format string) error {
	var b bytes.Buffer
	media := "application/json"
	if format == "json" {
		out := json.NewEncoder(&b)
		out.SetIndent("", "  ")
		if err := out.Encode(r); err != nil {
			return err
		}
	} else {
		media = "text/csv; charset=utf-8; header=present"
		rows, err := r.Rows()
		if err != nil {
			return err
		}
		out := sheet.NewCSV(&b)
		for _, row := range slices.Concat([][]string{exchange.RecordHeads}, rows) {
			if err := out.Row(row); err != nil {
				return err
			}
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	return v.file(media, "entente-record-"+entente.Slug(r.Title)+"."+format, b.Bytes())
}

// file answers with a file to be kept.
func (v *visit) file(media, name string, content []byte) error {
	v.w.Header().Set("Content-Type", media)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	v.answer = http.StatusOK
	_, _ = v.w.Write(content) // the reader has gone; there is nobody to tell
	return nil
}

// reviseForm is what somebody typed to take something back or to narrow it.
type reviseForm struct {
	Reason  string
	Label   string
	People  string
	Expires string
	Drop    []string
}

// askRecall asks whether something is to be taken back.
func (v *visit) askRecall() error {
	return v.showRevise(http.StatusOK, false, reviseForm{}, ui.Notice{})
}

// askNarrow asks how something is to be narrowed.
func (v *visit) askNarrow() error {
	return v.showRevise(http.StatusOK, true, reviseForm{}, ui.Notice{})
}

func (v *visit) showRevise(status int, narrow bool, f reviseForm, notice ui.Notice) error {
	st, lines, err := v.Exchange.Statement(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if st.State == exchange.TakenBack {
		return entente.Conflict("it was taken back already")
	}
	at := v.in("ledger", st.ID)
	p := revisePage{
		Notice: notice,
		Reason: ui.Field{Name: "reason", Label: v.T("Reason, which those who got it can read"), Value: f.Reason, MaxLength: entente.MaxMarkingText},
		Ask: ui.Ask{
			Title: v.T("Take back: %s?", st.Title), Yes: v.T("Take it back"), Action: at + "/recall", Back: at,
			Text: v.T("All who got it are asked to delete it, and their nodes do so at once and sign for it. What people there have read, they have read. Who has not confirmed stays visible here and on Home."),
		},
	}
	for _, l := range lines {
		if !l.Holds() {
			continue
		}
		p.Holders = append(p.Holders, l.Name)
		p.Drop.Name, p.Drop.Label, p.Drop.Ticked = "drop", v.T("Take it back from"), f.Drop
		p.Drop.Options = append(p.Drop.Options, ui.Option{Value: string(l.Party), Label: l.Name})
	}
	if !narrow {
		p.Before, err = v.saidBefore(&st)
	}
	if err != nil {
		return err
	}
	if narrow {
		p.Ask.Title, p.Ask.Yes, p.Ask.Action = v.T("Narrow: %s", st.Title), v.T("Narrow it"), at+"/narrow"
		p.Ask.Text = v.T("Whoever keeps it keeps it under the new marking from now on. Who may not have it any more is asked to delete it. A label never becomes wider again.")
		p.Label = &ui.Choice{Name: "label", Label: v.T("Label"), Value: st.Marking.TLP.String(), Hint: v.T("Only labels as strict as now, or stricter.")}
		if f.Label != "" {
			p.Label.Value = f.Label
		}
		for _, t := range entente.TLPs() {
			if t >= st.Marking.TLP {
				p.Label.Options = append(p.Label.Options, ui.Option{Value: t.String(), Label: t.String()})
			}
		}
		p.People = ui.Field{Name: "people", Label: v.T("With TLP:RED: the people it is for"), Hint: v.T("Their names or addresses, with commas between them."), Value: f.People, MaxLength: entente.MaxMarkingText}
		p.Expires = ui.Field{Name: "expires", Label: v.T("Deleted by holders from"), Type: "date", Value: f.Expires}
		if f.Expires == "" && !st.Marking.Expires.IsZero() {
			p.Expires.Value = st.Marking.Expires.UTC().Format(time.DateOnly)
		}
		if f.People == "" {
			p.People.Value = strings.Join(st.Marking.People, ", ")
		}
	}
	p.Frame = v.frame(p.Ask.Title)
	p.Head = ui.Head{Title: p.Ask.Title, Crumbs: v.ledgerCrumbs(&st)}
	return v.show(status, reviseView(p))
}

// saidBefore gives what was said of the same before and counts again when a statement is
// taken back; nil: nothing.
func (v *visit) saidBefore(st *exchange.Statement) (*ui.Link, error) {
	if !slices.Contains([]entente.EntryKind{entente.EntryAdvisory, entente.EntryVEX, entente.EntryChain}, st.Kind) {
		return nil, nil
	}
	all, err := v.Exchange.Statements(v.r.Context(), v.actor) // the latest first
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(s exchange.Statement) bool { return s.ID == st.ID })
	same := func(s exchange.Statement) bool {
		return s.Kind == st.Kind && s.Subject == st.Subject && s.State == exchange.Said
	}
	if i < 0 || slices.ContainsFunc(all[:i], same) {
		return nil, nil // it does not count itself
	}
	if b := slices.IndexFunc(all[i+1:], same); b >= 0 {
		before := all[i+1+b]
		return &ui.Link{Text: v.T("%s, of %s", before.Title, v.reader().Day(before.At)), Href: v.in("ledger", before.ID)}, nil
	}
	return nil, nil
}

// recall takes something back.
func (v *visit) recall() error {
	f := reviseForm{Reason: v.text("reason")}
	return v.revised(false, f, v.Exchange.Recall(v.r.Context(), v.actor, v.r.PathValue("id"), f.Reason))
}

// narrow gives something a narrower marking, and takes it back from some.
func (v *visit) narrow() error {
	if err := v.r.ParseForm(); err != nil {
		return unreadable(err)
	}
	f := reviseForm{Reason: v.text("reason"), Label: v.text("label"), People: v.text("people"), Expires: v.text("expires"), Drop: v.r.PostForm["drop"]}
	st, _, err := v.Exchange.Statement(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	label, err := entente.ParseTLP(f.Label)
	if err != nil {
		return v.revised(true, f, entente.Invalid("choose one of the labels that are listed"))
	}
	people := slices.DeleteFunc(strings.Split(f.People, ","), func(one string) bool { return strings.TrimSpace(one) == "" })
	for i, one := range people {
		people[i] = strings.TrimSpace(one)
	}
	m := st.Marking.Under(label, people)
	if label == entente.TLPRed && len(m.People) == 0 {
		return v.revised(true, f, entente.Invalid("TLP:RED is for people: name them"))
	}
	if f.Expires != "" {
		day, err := time.Parse(time.DateOnly, f.Expires)
		if err != nil {
			return v.revised(true, f, entente.Invalid("give the day as in 2027-03-31"))
		}
		if !day.Equal(m.Expires.UTC().Truncate(24 * time.Hour)) {
			m.Expires = day
		}
	}
	drop := make([]entente.PartyID, len(f.Drop))
	for i, p := range f.Drop {
		drop[i] = entente.PartyID(p)
	}
	return v.revised(true, f, v.Exchange.Narrow(v.r.Context(), v.actor, st.ID, m, f.Reason, drop...))
}

// revised leads back to what was taken back or narrowed, or says why it was not.
func (v *visit) revised(narrow bool, f reviseForm, err error) error {
	done := "taken-back"
	if narrow {
		done = "narrowed"
	}
	if err == nil {
		return v.redirect(v.in("ledger", v.r.PathValue("id")) + "?done=" + done)
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showRevise(statusFor(wrong), narrow, f, v.wrongNotice(wrong))
}

// exchangeTasks puts on Home what partners have not confirmed, and what waits for an
// answer.
func (v *visit) exchangeTasks(shown *homePage) error {
	if !v.may(identity.ExchangeRead) {
		return nil
	}
	ctx := v.r.Context()
	open, err := v.Exchange.Unconfirmed(ctx, v.actor)
	if err != nil {
		return err
	}
	if open > 0 {
		shown.Tasks = append(shown.Tasks, homeTask{
			Link: ui.Link{Text: v.N(open, "%d recall or narrowing is not confirmed", "%d recalls or narrowings are not confirmed"), Href: v.in("ledger") + "?open=" + string(exchange.OpenRevision)},
			Note: v.T("Somebody may still hold what you took back or narrowed. If it lasts, call them."),
		})
	}
	embargoes, err := v.Exchange.Embargoes(ctx, v.actor, "")
	if err != nil {
		return err
	}
	now := time.Now()
	for _, e := range embargoes {
		switch {
		case e.Ours() && e.Active(now):
			shown.Tasks = append(shown.Tasks, homeTask{
				Link: ui.Link{Text: v.T("%s proposes an embargo", e.Name), Href: v.embargoPath(e.Party, e.Subject)},
				Note: lang.Capital(v.T("about %s, until %s. What it is about is held back until you answer.", e.Subject, v.reader().Moment(e.Proposed))),
			})
		case e.ReleasedBy == e.Party && e.Active(now):
			shown.Tasks = append(shown.Tasks, homeTask{
				Link: ui.Link{Text: v.T("%s would end an embargo now", e.Name), Href: v.embargoPath(e.Party, e.Subject)},
				Note: lang.Capital(v.T("about %s. It ends when you agree, or at %s.", e.Subject, v.reader().Moment(e.Until))),
			})
		}
	}
	return nil
}
