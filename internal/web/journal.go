package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/web/ui"
)

func journalRoutes() []Route {
	return []Route{
		page("/o/{org}/journal", identity.JournalRead, (*visit).journal),
		page("/o/{org}/journal/verify", identity.JournalVerify, (*visit).askVerify),
		act("/o/{org}/journal/verify", identity.JournalVerify, (*visit).verifyJournal),
	}
}

// mostSearched bounds how far back a search in the journal goes.
const mostSearched = 50_000

// events is the journal as a list, the newest first.
type events struct {
	ctx  context.Context
	db   *db.DB
	org  entente.OrgID
	zone *time.Location // in which the days of a view lie
	list list[journal.Event]
}

func (e events) page(q query, offset, limit int) (found []journal.Event, matching, all int, err error) {
	err = e.db.Read(e.ctx, func(tx *db.Tx) error {
		head, err := journal.Head(e.ctx, tx, e.org)
		if err != nil {
			return err
		}
		all = int(head)
		if !e.list.narrowed(q) {
			matching, found = all, nil
			if offset < all {
				found, err = journal.Latest(e.ctx, tx, e.org, head+1-int64(offset), limit)
			}
			return err
		}
		found, matching, err = e.search(tx, q, head, offset, limit)
		return err
	})
	return found, matching, all, err
}

func (e events) search(tx *db.Tx, q query, head int64, offset, limit int) (found []journal.Event, matching int, err error) {
	const step = 1000
	from, to := days(q, e.zone)
	before := head + 1
	if !to.IsZero() {
		before, err = e.firstAfter(tx, head, to.Add(clockSlack))
		if err != nil {
			return nil, 0, err
		}
	}
	fits := e.list.fits(q)
	for seen := 0; before > 1 && seen < mostSearched; seen += step {
		batch, err := journal.Latest(e.ctx, tx, e.org, before, step)
		if err != nil {
			return nil, 0, err
		}
		if len(batch) == 0 {
			break
		}
		for _, event := range batch {
			if fits == nil || fits(event) {
				if matching >= offset && len(found) < limit {
					found = append(found, event)
				}
				matching++
			}
		}
		oldest := batch[len(batch)-1]
		before = oldest.Seq
		if !from.IsZero() && oldest.At.Before(from.Add(-clockSlack)) {
			break
		}
	}
	return found, matching, nil
}

// clockSlack is how far the clocks of replicas that write one journal may be apart.
const clockSlack = time.Hour

// firstAfter finds the first event after a moment by halving, so that a span of long
// ago costs no more than one of today.
func (e events) firstAfter(tx *db.Tx, head int64, at time.Time) (int64, error) {
	low, high := int64(1), head+1
	for low < high {
		middle := low + (high-low)/2
		event, err := journal.Latest(e.ctx, tx, e.org, middle+1, 1)
		if err != nil {
			return 0, err
		}
		if len(event) == 0 || !event[0].At.After(at) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// days reads the days between which a view of the journal lies; zero is open.
func days(q query, zone *time.Location) (from, to time.Time) {
	from, _ = time.ParseInLocation(time.DateOnly, q.filter["from"], zone)
	to, _ = time.ParseInLocation(time.DateOnly, q.filter["to"], zone)
	if !to.IsZero() {
		to = to.AddDate(0, 0, 1) // the day itself belongs to it
	}
	return from, to
}

func isDay(value string) bool {
	_, err := time.Parse(time.DateOnly, value)
	return err == nil
}

// eventFields are the filters of the journal into which something is typed.
func (v *visit) eventFields(names map[string]string) []field[journal.Event] {
	zone := v.reader().Zone()
	holds := func(text, value string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(value)) }
	return []field[journal.Event]{
		{key: "kind", label: "What", match: func(e journal.Event, value string) bool {
			return holds(v.kindText(e.Kind), value) || holds(string(e.Kind), value)
		}},
		{key: "subject", label: "On", match: func(e journal.Event, value string) bool {
			return holds(e.Subject, value) || holds(names[e.Subject], value)
		}},
		{key: "from", label: "From", kind: "date", valid: isDay, match: func(e journal.Event, value string) bool {
			from, _ := time.ParseInLocation(time.DateOnly, value, zone)
			return !e.At.Before(from)
		}},
		{key: "to", label: "To", kind: "date", valid: isDay, match: func(e journal.Event, value string) bool {
			to, _ := time.ParseInLocation(time.DateOnly, value, zone)
			return e.At.Before(to.AddDate(0, 0, 1))
		}},
	}
}

// theProgram stands in the filter of people for what nobody in person did.
const theProgram = "program"

// whoFilter lets through what one person did.
func (v *visit) whoFilter(names map[string]string) filter[journal.Event] {
	options := []ui.Option{}
	for id, name := range names {
		options = append(options, ui.Option{Value: id, Label: name})
	}
	slices.SortFunc(options, func(a, b ui.Option) int { return cmp.Compare(a.Label+a.Value, b.Label+b.Value) })
	options = slices.Concat([]ui.Option{{Label: v.T("Everybody")}}, options, []ui.Option{{Value: theProgram, Label: v.T("The program itself")}})
	return filter[journal.Event]{key: "who", label: "Who", options: options, match: func(e journal.Event, value string) bool {
		return string(e.Person) == value || value == theProgram && e.Person == ""
	}}
}

// roomsOfKinds groups the kinds of events by what they are about.
var roomsOfKinds = []struct {
	value    string
	label    entente.Text
	prefixes string
}{
	{"partners", "Partners", "key. partnership. partner.rekeyed partner.moved agreement. entry. feed. statement. embargo."},
	{"chain", "Chain", "chain. partner."},
	{"inventory", "Products and SBOMs", "sbom. inventory. product."},
	{"advisory", "Advisories", "advisory."},
	{"access", "People and access", "organisation. member. invitation. token. sso. account. access. webhook."},
}

func kindGroup(k journal.Kind) string {
	for _, g := range roomsOfKinds {
		for prefix := range strings.FieldsSeq(g.prefixes) {
			if strings.HasPrefix(string(k), prefix) {
				return g.value
			}
		}
	}
	return ""
}

// journal lists what happened in the organisation.
func (v *visit) journal() error {
	about := []ui.Option{{Label: v.T("Everything")}}
	for _, g := range roomsOfKinds {
		about = append(about, ui.Option{Value: g.value, Label: v.T(g.label)})
	}
	names, err := v.memberNames()
	if err != nil {
		return err
	}
	l := list[journal.Event]{
		name: "journal", one: "event", many: "events",
		search: "Search by person, kind or subject",
		empty:  ui.Empty{Title: v.T("Nothing has happened yet"), Text: v.T("Everything that changes something is written here, with who did it.")},
		text: func(e journal.Event) []string {
			return []string{e.Actor, v.kindText(e.Kind), e.Subject, names[e.Subject], v.role(e.Role), string(e.Role), string(e.Body)}
		},
		columns: []column[journal.Event]{
			{label: "Number", cell: func(e journal.Event) ui.Cell { return plainCell(strconv.FormatInt(e.Seq, 10)) }},
			{label: "When", tight: true, cell: func(e journal.Event) ui.Cell { return momentCell(v, e.At) }},
			{label: "Who", cell: func(e journal.Event) ui.Cell { return ui.Cell{Text: e.Actor, Note: v.doorText(e)} }},
			{label: "What", cell: func(e journal.Event) ui.Cell { return plainCell(v.kindText(e.Kind)) }},
			{label: "On", cell: func(e journal.Event) ui.Cell {
				if name := names[e.Subject]; name != "" {
					return plainCell(name)
				}
				return plainCell(e.Subject)
			}},
			{label: "Details", cell: func(e journal.Event) ui.Cell {
				if string(e.Body) == "{}" {
					return ui.Cell{}
				}
				return ui.Cell{Text: string(e.Body), View: eventBody(indented(e.Body))}
			}},
		},
		filters: []filter[journal.Event]{
			{key: "about", label: "About", options: about, match: func(e journal.Event, value string) bool { return kindGroup(e.Kind) == value }},
			v.whoFilter(names),
		},
		fields: v.eventFields(names),
	}
	head := ui.Head{Title: v.T("Journal"), Lead: v.T("What happened here, who did it, and by which door. Entries are chained by their hashes: none can be changed or taken out without being noticed.")}
	if v.may(identity.JournalVerify) {
		head.Actions = []ui.Link{{Text: v.T("Verify the chain"), Href: v.in("journal", "verify")}}
	}
	from := events{ctx: v.r.Context(), db: v.DB, org: v.actor.Org, zone: v.reader().Zone(), list: l}
	q := l.query(v.r.URL)
	if q.file != "" {
		err := v.Identity.Require(*v.who, v.actor, identity.JournalExport, identity.In(v.actor.Org))
		if err != nil {
			return err
		}
	}
	return l.show(v, from, func(shown ui.List) templ.Component {
		if !v.may(identity.JournalExport) {
			shown.CSV, shown.XLSX = "", ""
		}
		if l.narrowed(q) && shown.All > mostSearched {
			shown.Count = v.T("%s; at most %d events were searched, from the newest or from the last day on", shown.Count, mostSearched)
		}
		return listView(v.frame(head.Title), head, shown)
	})
}

// memberNames gives the names of people by their ids, as far as the visitor may know
// them.
func (v *visit) memberNames() (map[string]string, error) {
	if !v.may(identity.PeopleRead) {
		return nil, nil
	}
	members, err := v.Identity.Members(v.r.Context(), v.actor)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, m := range members {
		names[string(m.Person.ID)] = m.Person.Name
	}
	return names, nil
}

func indented(body json.RawMessage) string {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return string(body)
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return string(body)
	}
	return string(text)
}

// askVerify says when the journal was last verified, and offers to do it now.
func (v *visit) askVerify() error {
	p := v.verifyPage()
	last, found, err := v.Identity.LastVerification(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	if found {
		p.Last = v.T("Last time: %s, by %s.", v.reader().Moment(last.At), last.By)
		p.Defs = v.verificationDefs(last)
		if last.BrokenAt > 0 {
			p.Notice = v.brokenNotice(last.BrokenAt, last.Reason)
		}
	}
	return v.show(http.StatusOK, verifyView(p))
}

// verifyJournal recomputes the hash chain of the whole journal, and reads the feeds
// to and from all partners.
func (v *visit) verifyJournal() error {
	done, err := v.Identity.VerifyJournal(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	p := v.verifyPage()
	p.Last = v.T("All of them were computed anew just now.")
	p.Notice = ui.Notice{Tone: ui.Good, Text: v.N(int(done.Events), "The one event is as it was written.", "All %d events are as they were written.")}
	if done.BrokenAt > 0 {
		p.Notice = v.brokenNotice(done.BrokenAt, done.Reason)
	}
	p.Defs = v.verificationDefs(done)
	entries, err := v.Exchange.VerifyFeeds(v.r.Context(), v.actor)
	var wrong *entente.Error
	switch {
	case errors.As(err, &wrong) && wrong.Kind == entente.KindConflict:
		p.Feeds = v.wrongNotice(wrong)
	case err != nil:
		return err
	case entries > 0:
		p.Feeds = ui.Notice{Tone: ui.Good, Text: v.N(int(entries), "The one entry to or from a partner is as it was signed.", "All %d entries to and from partners are as they were signed.")}
	}
	return v.show(http.StatusOK, verifyView(p))
}

func (v *visit) verifyPage() verifyPage {
	p := verifyPage{Frame: v.frame(v.T("Verify the journal")), Action: v.in("journal", "verify"), Head: ui.Head{Title: v.T("Verify the journal"), Lead: v.T("Every event carries the hash of the one before. To verify is to compute all of them anew, from the first event on; that it was done is itself an event.")}}
	if v.may(identity.JournalRead) {
		p.Head.Crumbs = []ui.Link{{Text: v.T("Journal"), Href: v.in("journal")}}
	}
	return p
}

func (v *visit) brokenNotice(seq int64, reason entente.Message) ui.Notice {
	return ui.Notice{Tone: ui.Bad, Text: v.T("The journal was tampered with, or the database is damaged: from event %d on it is not as it was written (%s). Compare with a backup from before, and tell whoever runs this node.", seq, reason)}
}

func (v *visit) verificationDefs(found identity.Verification) []ui.Def {
	defs := []ui.Def{{Term: v.T("Events as they were written"), Text: v.reader().Number(found.Events)}}
	if found.Hash != "" {
		defs = append(defs, ui.Def{Term: v.T("Hash of the latest"), View: code(found.Hash)})
	}
	return defs
}
