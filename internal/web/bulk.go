package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// Rows of a list are chosen by ticks, or as all of the page or all that match; the
// list's own address takes the choice. What changes something is shown on a page
// first, with what cannot be done and why, and is confirmed there.

// The ways to choose rows.
const (
	scopeTicked = "ticked"
	scopePage   = "page"
	scopeAll    = "all"
)

// bulkAct is something that can be done with many rows of a list.
type bulkAct struct {
	key   string
	label entente.Text // what one chooses: "Set the owner"
	title entente.Text // of the page that asks, about a counted noun: "Set the owner of %s"
	warn  entente.Text // what should be known before; "" for nothing
	grave bool
	now   entente.Text // the head of the column with what is there now; "" for none
	// action is where the page that asks leads.
	action func(*visit) string
	fields func(v *visit) ([]bulkField, error)
	plan   func(v *visit, ids []string) (bulkPlan, error)
}

// bulkField is a field of the page that asks: typed, or chosen.
type bulkField struct {
	ui.Field
	Options []ui.Option // suggestions, or with Choose all that there are
	Choose  bool
	Checks  *ui.CheckGroup // several of them to tick, instead of one value
}

// bulkPlan tells what would become of the rows.
type bulkPlan struct {
	version string
	rows    []bulkRow
}

type bulkRow struct {
	id   string
	name ui.Link
	now  string
	with []string
	why  error
}

// longestBulk bounds a form that carries the rows that were chosen.
const longestBulk = 1 << 20

func choosing(r Route) Route { return r.within(limits{body: longestBulk, time: pageLimits.time}) }

// pick adds to a list how its rows are chosen.
func (l list[T]) pick(v *visit, q query, matching, here int, shown *ui.List) {
	if l.id == nil || here == 0 {
		return
	}
	p := &ui.Picking{Action: address(q.path, q.values)}
	p.Scopes = []ui.Option{
		{Value: scopeTicked, Label: v.T("The ticked ones")},
		{Value: scopePage, Label: v.N(here, "The one on this page", "All %d on this page")},
	}
	if matching > here {
		p.Scopes = append(p.Scopes, ui.Option{Value: scopeAll, Label: v.N(matching, "The one that matches", "All %d that match")})
	}
	for _, a := range l.acts {
		p.Acts = append(p.Acts, ui.Option{Value: a.key, Label: v.T(a.label)})
	}
	p.Acts = append(p.Acts, ui.Option{Value: formatCSV, Label: v.T("Download as CSV")}, ui.Option{Value: formatXLSX, Label: v.T("Download as XLSX")})
	shown.Picking = p
}

// picked is rows that were chosen from a list.
type picked[T any] struct{ all []T }

func (p picked[T]) page(_ query, offset, limit int) ([]T, int, int, error) {
	from := min(offset, len(p.all))
	return p.all[from:min(from+limit, len(p.all))], len(p.all), len(p.all), nil
}

// chosen does with the chosen rows what the form asks for, or shows the list again
// with what is missing.
func (l list[T]) chosen(v *visit, from rows[T], page func(ui.List) templ.Component) error {
	err := v.r.ParseForm()
	if err != nil {
		return unreadable(err)
	}
	form := v.r.PostForm
	q := l.asked(v, v.r.URL)
	name := form.Get("act")
	place := slices.IndexFunc(l.acts, func(a bulkAct) bool { return a.key == name })
	export := name == formatCSV || name == formatXLSX
	if place < 0 && !export || l.id == nil {
		return l.again(v, q, from, page, entente.Invalid("choose what to do with the rows"))
	}
	if export && form.Get("scope") == scopeAll {
		q.file = name
		return l.file(v, q, from)
	}
	rows, err := l.take(q, from, form)
	if err != nil {
		return l.again(v, q, from, page, err)
	}
	if export {
		q.file = name
		return l.file(v, q, picked[T]{rows})
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = l.id(r)
	}
	return v.askBulk(http.StatusOK, &l.acts[place], bulkAsk{
		ids: ids, one: l.one, many: l.many, back: address(v.r.URL.Path, q.values),
	}, ui.Notice{})
}

// take gives the rows that a form chooses.
func (l list[T]) take(q query, from rows[T], form url.Values) ([]T, error) {
	scope := form.Get("scope")
	offset, limit := (q.number-1)*q.rows, q.rows
	if scope == scopeAll {
		offset, limit = 0, chain.MaxBatch+1
	}
	rows, _, _, err := from.page(q, offset, limit)
	if err != nil {
		return nil, err
	}
	if scope == scopeAll && len(rows) > chain.MaxBatch {
		return nil, entente.TooLarge("at most %d are changed at once; narrow the list by search and filters", chain.MaxBatch)
	}
	if scope != scopeAll && scope != scopePage {
		ticked := form["row"]
		rows = slices.DeleteFunc(slices.Clone(rows), func(r T) bool { return !slices.Contains(ticked, l.id(r)) })
	}
	if len(rows) == 0 {
		return nil, entente.Invalid("nothing is ticked; tick the rows, or choose all of the page")
	}
	return rows, nil
}

// again shows the list with what was wrong with a choice.
func (l list[T]) again(v *visit, q query, from rows[T], page func(ui.List) templ.Component, err error) error {
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	shown, failed := l.whole(v, q, from)
	if failed != nil {
		return failed
	}
	shown.Notice = ui.Notice{Tone: ui.Bad, Text: v.wrongText(wrong)}
	return v.show(http.StatusUnprocessableEntity, page(shown))
}

// bulkAsk is what a page that asks is about.
type bulkAsk struct {
	ids       []string
	one, many entente.Text
	back      string
	typed     url.Values // what was typed before, if something was wrong with it
}

// rowsInQuestion is how many rows a page that asks shows one by one.
const rowsInQuestion = 200

// askBulk shows what would be done, and asks.
func (v *visit) askBulk(status int, a *bulkAct, ask bulkAsk, notice ui.Notice) error {
	plan, err := a.plan(v, ask.ids)
	if err != nil {
		return err
	}
	p := bulkPage{Notice: notice, Action: a.action(v), Back: ask.back, Grave: a.grave, Version: plan.version, Key: a.key}
	var can []string
	for _, r := range plan.rows {
		if r.why != nil {
			p.Cannot = append(p.Cannot, ui.Row{Cells: []ui.Cell{linkCell(r.name.Text, r.name.Href), plainCell(lang.Capital(v.reader().Error(r.why)))}})
			continue
		}
		can = append(can, r.id)
		row := ui.Row{Cells: []ui.Cell{linkCell(r.name.Text, r.name.Href)}}
		if a.now != "" {
			row.Cells = append(row.Cells, plainCell(r.now))
		}
		if len(r.with) > 0 {
			row.Cells[0].Note = v.T("and with it %s", entente.And(r.with))
		}
		p.Can = append(p.Can, row)
	}
	count := func(n int) entente.Message {
		return entente.Say("%d %s", n, entente.Message{Text: ask.many, One: ask.one, N: n})
	}
	title := v.T(a.title, count(len(can)))
	p.Submit = title
	if len(can) == 0 {
		title = v.T(a.title, count(len(plan.rows)))
		p.None = v.T("None of it can be done, for the reasons below.")
	}
	p.Frame = v.frame(title)
	p.Head = ui.Head{Title: title, Lead: v.T("Nothing was changed yet.")}
	if a.warn != "" {
		p.Head.Lead = v.T(a.warn)
	}
	p.IDs, p.Columns = strings.Join(can, "\n"), []ui.Column{{Label: "Name"}}
	if a.now != "" {
		p.Columns = append(p.Columns, ui.Column{Label: a.now})
	}
	p.Can, p.MoreCan = v.cutRows(p.Can)
	p.Cannot, p.MoreCannot = v.cutRows(p.Cannot)
	if a.fields != nil && len(can) > 0 {
		p.Fields, err = a.fields(v)
		if err != nil {
			return err
		}
		for i := range p.Fields {
			if c := p.Fields[i].Checks; c != nil {
				c.Ticked = ask.typed[c.Name]
				continue
			}
			if ask.typed.Has(p.Fields[i].Name) {
				p.Fields[i].Value = ask.typed.Get(p.Fields[i].Name)
			}
		}
	}
	return v.show(status, bulkView(p))
}

func (v *visit) cutRows(rows []ui.Row) (shown []ui.Row, more string) {
	if n := len(rows) - rowsInQuestion; n > 0 {
		return rows[:rowsInQuestion], v.N(n, "… and one more.", "… and %d more.")
	}
	return rows, ""
}

// confirmed reads the form of a page that asked.
func (v *visit) confirmed() bulkAsk {
	ask := bulkAsk{one: "row", many: "rows", back: within(v.text("back")), typed: v.r.PostForm}
	for id := range strings.FieldsSeq(v.r.PostFormValue("ids")) {
		ask.ids = append(ask.ids, id)
	}
	return ask
}

// refusedBulk shows the page that asks again, with what was wrong.
func (v *visit) refusedBulk(a *bulkAct, ask bulkAsk, err error) error {
	var wrong *entente.Error
	if !asInvalid(err, &wrong) || len(ask.ids) == 0 {
		return err
	}
	notice := ui.Notice{Tone: ui.Bad, Text: v.wrongText(wrong)}
	for _, f := range wrong.Fields {
		notice.Items = append(notice.Items, f.String())
	}
	return v.askBulk(statusFor(wrong), a, ask, notice)
}

// refusedUndo shows a list with the reason why something that was done there was not
// undone.
func (v *visit) refusedUndo(list string, show func(*visit) error, err error) error {
	var wrong *entente.Error
	if !errors.As(err, &wrong) || wrong.Kind != entente.KindConflict && wrong.Kind != entente.KindNotFound {
		return err
	}
	r := v.r.Clone(v.r.Context())
	r.Method, r.URL = http.MethodGet, &url.URL{Path: v.in(list), RawQuery: "view=all"}
	v.r, v.failed = r, wrong
	return show(v)
}

// wrongText says what was wrong as a sentence.
func (v *visit) wrongText(wrong *entente.Error) string {
	return lang.Capital(v.reader().Error(&entente.Error{Kind: wrong.Kind, Message: wrong.Message})) + "."
}

// doneTo is a page with a word of what was done there, and the number by which it can
// be undone.
func doneTo(back, what string, n int64) string {
	u, err := url.Parse(back)
	if err != nil {
		return back
	}
	values := u.Query()
	values.Set("done", what)
	values.Set("change", strconv.FormatInt(n, 10))
	return address(u.Path, values)
}

// undoOffer is the notice of a page to which [doneTo] led.
func (v *visit) undoOffer() ui.Notice {
	values := v.r.URL.Query()
	n, err := strconv.ParseInt(values.Get("change"), 10, 64)
	if err != nil || n < 1 {
		return v.done()
	}
	id := strconv.FormatInt(n, 10)
	undo := func(parts ...string) ui.Doing { return ui.Doing{Action: v.in(parts...), Text: v.T("Undo")} }
	switch values.Get("done") {
	case "batch":
		d := undo("changes", id, "undo")
		d.More = ui.Link{Text: v.T("See what changed"), Href: v.in("changes", id)}
		return ui.Notice{Tone: ui.Good, Text: v.T("It was done for all of them."), Doing: d}
	case "tiers":
		return ui.Notice{Tone: ui.Good, Text: v.T("The tiers were set by hand."), Doing: undo("tiers", id, "undo")}
	case "tier":
		d := undo("tiers", id, "undo")
		d.Fields = []ui.Option{{Value: "back", Label: v.r.URL.Path}}
		return ui.Notice{Tone: ui.Good, Text: v.T("The tier was set by hand."), Doing: d}
	case "roles":
		return ui.Notice{Tone: ui.Good, Text: v.T("The roles were changed. They apply at once."), Doing: undo("roles", id, "undo")}
	}
	return v.done()
}
