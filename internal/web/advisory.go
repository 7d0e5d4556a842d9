package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/advisory/osv"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func advisoryRoutes() []Route {
	return []Route{
		page("/o/{org}/advisories", identity.AdvisoryRead, (*visit).advisories),
		choosing(act("/o/{org}/advisories", identity.AdvisoryRead, (*visit).advisories)),
		page("/o/{org}/advisories/{id}", identity.AdvisoryRead, (*visit).advisory),
		page("/o/{org}/record-advisories", identity.AdvisoryEdit, (*visit).advisoryForm),
		act("/o/{org}/record-advisories", identity.AdvisoryEdit, (*visit).recordAdvisories).within(uploadLimits),
	}
}

// What the list of advisories shows.
const (
	showHits      = "hits"
	showUndecided = "undecided"
	showAll       = "all"
	showWithdrawn = "withdrawn"
)

// findings is the advisories as the room pages them.
type findings struct{ v *visit }

func (s findings) page(q query, offset, limit int) ([]advisory.Listed, int, int, error) {
	ask := advisory.Query{Search: q.search, Ecosystem: q.filter["ecosystem"], Level: advisory.Level(q.filter["level"])}
	switch q.filter["show"] {
	case showHits:
		ask.Hits = true
	case showUndecided:
		ask.Undecided = true
	case showWithdrawn:
		ask.Withdrawn = advisory.OnlyWithdrawn
	}
	// The room's own direction of each order; names alone go upwards.
	upwards := false
	switch q.sort {
	case "severity":
		ask.Order = advisory.BySeverity
	case "published":
		ask.Order = advisory.ByPublished
	case "name":
		ask.Order, upwards = advisory.ByName, true
	case "products":
		ask.Order = advisory.ByHits
	}
	get := func(offset, limit int) ([]advisory.Listed, int, error) {
		ask.Offset, ask.Limit = offset, limit
		return listAtHead(s.v, asked{"advisories", ask, []string{fromInventory, fromAdvisories}}, func() ([]advisory.Listed, int, error) {
			return s.v.Advisory.List(s.v.r.Context(), s.v.actor, ask)
		})
	}
	var found []advisory.Listed
	var matching int
	var err error
	if q.desc == upwards {
		found, matching, err = backwards(offset, limit, get)
	} else {
		found, matching, err = get(offset, limit)
	}
	return found, matching, -1, err
}

func (v *visit) advisoryTotals() (advisory.Totals, error) {
	totals, _, err := atHead(v, asked{"totals of advisories", nil, []string{fromAdvisories}}, func() (advisory.Totals, int, int, error) {
		totals, err := v.Advisory.Totals(v.r.Context(), v.actor)
		return totals, 0, 0, err
	})
	return totals, err
}

// advisories lists the advisories, those that hit us first of all.
func (v *visit) advisories() error {
	totals, err := v.advisoryTotals()
	if err != nil {
		return err
	}
	ecosystems, _, err := listAtHead(v, asked{"ecosystems", nil, []string{fromAdvisories}}, func() ([]string, int, error) {
		all, err := v.Advisory.Ecosystems(v.r.Context(), v.actor)
		return all, len(all), err
	})
	if err != nil {
		return err
	}
	type row = advisory.Listed
	hitsKey := "" // only where every row hits something can the list be sorted by it
	if cmp.Or(v.r.URL.Query().Get("show"), showHits) == showHits {
		hitsKey = "products"
	}
	l := list[row]{
		id:   func(a row) string { return a.ID },
		name: "advisories", one: "advisory", many: "advisories", sort: "-severity", search: "Search by id or summary",
		columns: []column[row]{
			{key: "name", label: "Advisory", cell: func(a row) ui.Cell {
				return ui.Cell{Text: a.ID, Href: v.advisoryPath(a.ID), Note: a.Summary}
			}},
			{key: "severity", label: "Severity", cell: func(a row) ui.Cell { return badgeCell(v.severityBadge(a.Severity)) }},
			{key: hitsKey, label: "Hits", cell: func(a row) ui.Cell { return v.hitsCell(&a) }},
			{label: "Other names", cell: func(a row) ui.Cell { return plainCell(v.reader().AndMore(otherNames(&a.Brief), 2)) }},
			{label: "Ecosystems", cell: func(a row) ui.Cell { return plainCell(v.reader().AndMore(a.Ecosystems, 3)) }},
			{key: "modified", label: "Changed", tight: true, cell: func(a row) ui.Cell { return dateCell(v, a.Modified) }},
		},
		filters: []filter[row]{
			{key: "show", label: "Show", standard: showHits, options: []ui.Option{
				{Value: showHits, Label: v.T("Those that hit us")}, {Value: showUndecided, Label: v.T("Those not decided")}, {Value: showAll, Label: v.T("All")}, {Value: showWithdrawn, Label: v.T("Withdrawn ones")},
			}},
			{key: "level", label: "Severity", options: []ui.Option{
				{Label: v.T("All")}, {Value: string(advisory.Critical), Label: v.T("Critical")}, {Value: string(advisory.High), Label: v.T("High or worse")}, {Value: string(advisory.Moderate), Label: v.T("Moderate or worse")},
			}},
			{key: "ecosystem", label: "Ecosystem", options: slices.DeleteFunc(v.typeOptions(ecosystems), func(o ui.Option) bool { return o.Value == "none" })},
		},
		empty: v.noAdvisories(totals),
	}
	head := ui.Head{Title: v.T("Advisories"), Lead: v.advisoryLead(totals)}
	if v.may(identity.AdvisoryEdit) {
		head.Actions = []ui.Link{{Text: v.T("Record advisories"), Href: v.in("record-advisories")}}
	}
	return l.show(v, findings{v}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

func (v *visit) advisoryLead(t advisory.Totals) string {
	if t.Advisories == 0 {
		return v.T("Statements that versions of something have a vulnerability, and whom of yours they hit.")
	}
	return v.N(t.Advisories, "%d advisory is known here, recorded on %s.", "%d advisories are known here, the latest recorded on %s.", t.Advisories, v.reader().Day(t.Updated))
}

func (v *visit) noAdvisories(t advisory.Totals) ui.Empty {
	if t.Advisories > 0 {
		return ui.Empty{
			Title: v.T("No advisory hits you"), Text: v.N(t.Advisories, "The %d known advisory affects no component that a current document lists. Products without a document, or with one that is not assessable, are not covered by that.", "None of the %d known advisories affects a component that a current document lists. Products without a document, or with one that is not assessable, are not covered by that."),
			Next: ui.Link{Text: v.T("Show all advisories"), Href: v.in("advisories") + "?show=all"},
		}
	}
	e := ui.Empty{Title: v.T("No advisories yet"), Text: v.T("Bring in records in the OSV format, from a file or an archive such as all.zip. They are compared with every component that you know of.")}
	if v.may(identity.AdvisoryEdit) {
		e.Next = ui.Link{Text: v.T("Record advisories"), Href: v.in("record-advisories")}
	}
	return e
}

func (v *visit) hitsCell(a *advisory.Listed) ui.Cell {
	var c ui.Cell
	switch {
	case !a.Withdrawn.IsZero():
		return badgeCell(ui.Badge{Text: v.T("withdrawn")})
	case a.Products > 0:
		c = badgeCell(ui.Badge{Text: v.N(a.Products, "%d product", "%d products"), Tone: ui.Bad})
	case a.Undecided == 0:
		return plainCell(v.T("nothing of ours"))
	}
	if a.Undecided > 0 {
		c.Note = v.N(a.Undecided, "%d product not decided", "%d products not decided")
	}
	return c
}

// otherNames are the names of an advisory besides its first.
func otherNames(b *advisory.Brief) []string {
	return slices.DeleteFunc(slices.Clone(b.Names), func(n string) bool { return n == b.ID })
}

// advisoryAbout says what an advisory is about, and how else it is called.
func (v *visit) advisoryAbout(b *advisory.Brief) string {
	names := otherNames(b)
	if len(names) == 0 {
		return b.Summary
	}
	return strings.TrimSpace(v.T("Also known as %s. %s", v.reader().AndMore(names, 3), b.Summary))
}

// advisory shows one advisory with whom it hits.
func (v *visit) advisory() error {
	id := v.r.PathValue("id")
	detail, err := v.Advisory.Get(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	if detail.ID != id {
		return v.redirect(v.advisoryPath(detail.ID))
	}
	impact, err := v.Advisory.ImpactOf(v.r.Context(), v.actor, id, advisory.ImpactOptions{Products: 50, Processes: 100, Calls: 50})
	if err != nil {
		return err
	}
	p, err := v.picture()
	if err != nil {
		return err
	}
	shown := advisoryPage{
		Frame: v.frame(detail.ID),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Advisories"), Href: v.in("advisories")}}, Title: detail.ID, Lead: v.advisoryAbout(&detail.Brief),
			Badges: []ui.Badge{v.severityBadge(detail.Severity)},
		},
		Notice: v.done(),
	}
	if !detail.Withdrawn.IsZero() && !slices.ContainsFunc(detail.Records, func(r advisory.RecordDetail) bool { return !r.Ended.IsZero() }) {
		shown.Head.Badges = append(shown.Head.Badges, ui.Badge{Text: v.T("withdrawn")})
	}
	for i := range detail.Records {
		switch r := &detail.Records[i]; {
		case r.Ended.IsZero():
		case r.Expired:
			shown.Head.Badges = append(shown.Head.Badges, ui.Badge{Text: v.T("expired"), Tone: ui.Warn})
			shown.Notice = ui.Notice{Tone: ui.Warn, Text: v.T("The time for which %s shared %s ran out on %s. What it said is deleted here, and it counts no more.", r.By(), r.ID, v.reader().Day(r.Ended))}
		default:
			shown.Head.Badges = append(shown.Head.Badges, ui.Badge{Text: v.T("taken back"), Tone: ui.Warn})
			shown.Notice = ui.Notice{Tone: ui.Warn, Text: v.T("%s took %s back on %s. What it said is deleted here, and it counts no more.", r.By(), r.ID, v.reader().Day(r.Ended))}
		}
	}
	if share, err := v.shareAdvisory(detail.ID); err != nil {
		return err
	} else if share.Href != "" {
		shown.Head.Actions = append(shown.Head.Actions, share)
	}
	shown.OffWhy = v.T("When the processes stop that hang on it, counted from now, with all alternatives and buffers.")
	p.fillImpact(&shown, &impact)
	v.describe(&shown, &detail)
	spoken, err := v.Advisory.SpokenOf(v.r.Context(), v.actor, "", append(slices.Clone(detail.Names), detail.ID))
	if err != nil {
		return err
	}
	shown.Spoken = p.spokenRows(spoken)
	return v.show(http.StatusOK, advisoryView(shown))
}

// describe tells what an advisory says, as far as its records say it.
func (v *visit) describe(shown *advisoryPage, d *advisory.Detail) {
	var sources []string
	seen := map[string]bool{}
	for i := range d.Records {
		r := &d.Records[i]
		switch {
		case r.Expired:
			sources = append(sources, v.T("%s from %s, expired %s", r.ID, r.By(), v.reader().Day(r.Ended)))
		case !r.Ended.IsZero():
			sources = append(sources, v.T("%s from %s, taken back %s", r.ID, r.By(), v.reader().Day(r.Ended)))
		case r.Source != "":
			sources = append(sources, v.T("%s from %s, recorded %s", r.ID, r.Source, v.reader().Day(r.Recorded)))
		}
		if shown.Details == "" {
			shown.Details = strings.TrimSpace(r.Details)
		}
		for _, a := range r.Affected {
			row := ui.Row{Cells: []ui.Cell{{Text: cmp.Or(a.Package.Name, a.Package.PURL, v.T("not named")), Note: r.ID}, plainCell(a.Package.Ecosystem), plainCell(v.versionWords(&a))}}
			shown.Ranges = append(shown.Ranges, row)
		}
		for _, ref := range r.References {
			if u, err := url.Parse(ref.URL); err == nil && (u.Scheme == "https" || u.Scheme == "http") && !seen[ref.URL] {
				seen[ref.URL] = true
				shown.References = append(shown.References, ui.Link{Text: ref.URL, Href: ref.URL})
			}
		}
	}
	shown.Defs = []ui.Def{
		{Term: v.T("Other names"), Text: strings.Join(otherNames(&d.Brief), ", ")},
		{Term: v.T("Severity"), View: ui.BadgeOf(v.severityBadge(d.Severity))}, {Term: v.T("Vector"), Text: d.Severity.Vector},
		{Term: v.T("Published"), View: orNothing(!d.Published.IsZero(), ui.Time(d.Published))},
		{Term: v.T("Changed"), View: orNothing(!d.Modified.IsZero(), ui.Time(d.Modified))},
		{Term: v.T("Withdrawn"), View: orNothing(!d.Withdrawn.IsZero(), ui.Time(d.Withdrawn))},
		{Term: v.T("Records"), Text: strings.Join(sources, "; ")},
	}
	for _, m := range d.Matches {
		if len(m.Past) == 0 && (m.State == advisory.Affected || m.State == advisory.Unknown) {
			continue
		}
		var past []pastState
		for _, s := range m.Past {
			past = append(past, pastState{
				State: lang.Capital(v.T("%s from %s to %s", stateText(s.State), v.reader().Day(s.Began), v.reader().Day(s.Ended))), Why: lang.Capital(v.Say(advisory.Reason(s.Why))),
			})
		}
		shown.History = append(shown.History, ui.Row{Cells: []ui.Cell{
			linkCell(strings.TrimSpace(m.Name+" "+m.Version), v.componentPath(m.Package)), {Text: lang.Capital(v.T(stateText(m.State))), Note: lang.Capital(v.Say(advisory.Reason(m.Why)))}, dateCell(v, m.Changed), {View: pastStates(past)},
		}})
	}
}

func stateText(s advisory.State) entente.Text {
	switch s {
	case advisory.Affected:
		return "affected"
	case advisory.Unknown:
		return "cannot be decided"
	case advisory.Not:
		return "not affected"
	case advisory.Withdrawn:
		return "advisory withdrawn"
	case advisory.Excused:
		return "not affected, as its supplier says"
	}
	return ""
}

// mostVersions bounds how many single versions are told one by one.
const mostVersions = 12

// versionWords tells the affected versions of one package: "from 1.2 until before
// 1.4.1; 2.0".
func (v *visit) versionWords(a *osv.Affected) string {
	var parts []string
	for _, r := range a.Ranges {
		if r.Type == osv.RangeGit && r.Repo == "" {
			parts = append(parts, v.T("commits of its repository"))
			continue
		}
		if r.Type == osv.RangeGit {
			parts = append(parts, v.T("commits of %s", r.Repo))
			continue
		}
		open, from := false, ""
		for _, e := range r.Events {
			if e.Introduced != "" {
				open, from = true, e.Introduced
				continue
			}
			if words := v.rangeWords(open, from, e); words != "" {
				parts, open, from = append(parts, words), false, ""
			}
		}
		switch {
		case open && from == "0":
			parts = append(parts, v.T("all versions, without a fixed one"))
		case open:
			parts = append(parts, v.T("from %s, without a fixed one", from))
		}
	}
	if len(parts) == 0 && len(a.Versions) > 0 {
		parts = append(parts, v.reader().AndMore(a.Versions, mostVersions))
	}
	if len(parts) == 0 {
		return v.T("not stated")
	}
	return v.T("%s", entente.Joined(parts, "; "))
}

// rangeWords tells a range that an event ends; "" for one that ends none.
func (v *visit) rangeWords(open bool, from string, e osv.Event) string {
	before := cmp.Or(e.Fixed, e.Limit)
	switch {
	case before != "" && !open:
		return v.T("until before %s", before)
	case before != "" && from == "0":
		return v.T("all versions until before %s", before)
	case before != "":
		return v.T("from %s until before %s", from, before)
	case e.LastAffected != "" && !open:
		return v.T("up to and with %s", e.LastAffected)
	case e.LastAffected != "" && from == "0":
		return v.T("all versions up to and with %s", e.LastAffected)
	case e.LastAffected != "":
		return v.T("from %s up to and with %s", from, e.LastAffected)
	}
	return ""
}

func (v *visit) advisoryUpload() uploadPage {
	return uploadPage{
		Frame: v.frame(v.T("Record advisories")),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Advisories"), Href: v.in("advisories")}}, Title: v.T("Record advisories"),
			Lead: v.T("Records in the OSV format: one file, or an archive with many. A record that cannot be read is told and stops nothing; one that is known already changes nothing."),
		},
		Action: v.in("record-advisories"), Button: v.T("Record the advisories"),
		Field: ui.Field{Name: "advisories", Label: v.T("File"), Type: "file", Accept: ".json,.zip,application/json,application/zip", Hint: v.T("JSON or a zip archive, up to 512 MB."), Required: true},
	}
}

func (v *visit) advisoryForm() error { return v.show(http.StatusOK, uploadView(v.advisoryUpload())) }

// recordAdvisories takes in a file of advisories and says what came of it.
func (v *visit) recordAdvisories() error {
	file, name, err := v.upload("advisories")
	if err != nil {
		return err
	}
	defer file.Close()
	report, err := v.Advisory.Ingest(v.r.Context(), v.actor, advisory.FromReader(file, name), advisory.IngestOptions{})
	shown, status := v.advisoryUpload(), http.StatusOK
	var wrong *entente.Error
	switch {
	case err != nil && !asInvalid(err, &wrong):
		return err
	case err != nil:
		shown.Notice, status = ui.Notice{Tone: ui.Bad, Text: v.sentence(wrong)}, http.StatusUnprocessableEntity
	case report.Read == 0:
		shown.Notice, status = ui.Notice{Tone: ui.Bad, Text: v.T("No advisory was found in %s. Nothing was changed.", name)}, http.StatusUnprocessableEntity
	default:
		shown.Notice = ui.Notice{Tone: ui.Good, Text: v.N(report.Read, "Read %d record: %d new, %d changed, %d known already. What is new is compared with your components now; the list shows the result in a moment.",
			"Read %d records: %d new, %d changed, %d known already. What is new is compared with your components now; the list shows the result in a moment.", report.Read, report.New, report.Changed, report.Unchanged+report.Older)}
	}
	for _, w := range report.Wrong {
		shown.Notice.Items = append(shown.Notice.Items, v.T("%s: %s", w.Where, w.What))
	}
	for _, o := range report.Odd {
		shown.Odd = append(shown.Odd, ui.Row{Cells: []ui.Cell{{Text: o.Where, Same: true}, plainCell(lang.Capital(v.Say(o.What)))}})
	}
	if report.MoreOdd > 0 {
		shown.MoreOdd = v.N(report.MoreOdd, "And %d more of the kind.", "And %d more of the kind.")
	}
	if report.MoreWrong > 0 {
		shown.Notice.Items = append(shown.Notice.Items, v.N(report.MoreWrong, "%d more record could not be read.", "%d more records could not be read."))
	}
	return v.show(status, uploadView(shown))
}

// mostProductHits is how many advisories the sheet of a product shows.
const mostProductHits = 25

// addProductHits adds the advisories that concern a product to its sheet.
func (v *visit) addProductHits(shown *productPage, id chain.NodeID, ours bool) error {
	if !v.may(identity.AdvisoryRead) {
		return nil
	}
	found, err := v.Advisory.OfProduct(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	hits, undecided := map[string]bool{}, map[string]bool{}
	for i := range found {
		f := &found[i]
		if f.State == advisory.Affected {
			hits[f.Advisory.ID] = true
		} else if f.State == advisory.Unknown && !hits[f.Advisory.ID] {
			undecided[f.Advisory.ID] = true
		}
		if i < mostProductHits {
			row := v.findingRow(f)
			if ours {
				row.Cells[2].NoteView = v.sayVEXLink(id, f.Advisory.ID)
			}
			shown.Hits = append(shown.Hits, row)
		}
	}
	if more := len(found) - mostProductHits; more > 0 {
		shown.MoreHits = v.N(more, "%d more finding of this product is not shown here.", "%d more findings of this product are not shown here.")
	}
	fact := ui.Fact{Name: v.T("Advisories"), Value: v.reader().Count(len(hits)), Note: v.T("hit it")}
	if len(undecided) > 0 {
		fact.Note = v.T("hit it; %d not decided", len(undecided))
	}
	shown.Facts = append(shown.Facts, fact)
	return nil
}

func (v *visit) findingRow(f *advisory.ProductFinding) ui.Row {
	why := ui.Cell{Text: lang.Capital(v.Say(advisory.Reason(f.Why)))}
	if f.State == advisory.Unknown {
		why.Note = v.T("cannot be decided")
	}
	if f.State == advisory.Excused {
		why.Note = v.T(stateText(f.State))
	}
	return ui.Row{Cells: []ui.Cell{
		{Text: f.Advisory.ID, Href: v.advisoryPath(f.Advisory.ID), Note: f.Advisory.Summary},
		badgeCell(v.severityBadge(f.Advisory.Severity)),
		linkCell(strings.TrimSpace(f.Name+" "+f.Version), v.componentPath(f.Package)),
		why,
	}}
}

// packageHits lists the advisories about one package, as found in one of the
// products that hold it.
func (v *visit) packageHits(id uint32, product chain.NodeID) ([]ui.Row, error) {
	if product == "" || !v.may(identity.AdvisoryRead) {
		return nil, nil
	}
	found, err := v.Advisory.OfProduct(v.r.Context(), v.actor, product)
	if err != nil {
		return nil, err
	}
	var rows []ui.Row
	for i := range found {
		if found[i].Package == id {
			rows = append(rows, v.findingRow(&found[i]))
		}
	}
	return rows, nil
}
