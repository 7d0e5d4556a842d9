package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

const (
	rowsByDefault = 50
	longestSearch = 200
)

var rowsToChoose = []int{25, 50, 100, 200}

// followedBy says, by the name of a list, what its rows follow while the page stands
// open: how the kinds of events begin.
var followedBy = map[string]string{
	"advisories": "advisory sbom chain", "processes": "chain advisory sbom", "systems": "chain", "suppliers": "chain partner",
	"products": "sbom chain advisory", "supplies": "chain", "documents": "sbom chain", "components": "sbom", "people": "member",
	"partners": "partner agreement feed", "partner-invitations": "partnership",
	"inbox": "entry", "concerns": "entry statement",
	"ledger": "statement entry", "embargoes": "embargo entry",
}

// list describes a list of a page: its columns, filters and what is searched. The
// same description makes the table and the files to take away.
type list[T any] struct {
	name    string       // of the files, and of the list among the saved views
	one     entente.Text // the noun of a row: "process"
	many    entente.Text
	search  entente.Text // label of the search field; "" for none
	text    func(T) []string
	columns []column[T]
	filters []filter[T]
	fields  []field[T]
	sort    string // when the URL says nothing: a column's key, with "-" for descending
	empty   ui.Empty
	// keep names parameters of the URL that belong to the page around the list.
	keep []string
	// id names a row among those that are chosen; nil for lists of which none is.
	id   func(T) string
	acts []bulkAct
}

// column is one column of a list. Only a column with a key can be sorted by.
type column[T any] struct {
	key   string
	label entente.Text
	num   bool
	tight bool
	cell  func(T) ui.Cell
	order func(a, b T) int // nil where the source sorts by itself
}

// filter lets through the rows that match one of a few values.
type filter[T any] struct {
	key      string
	label    entente.Text
	options  []ui.Option
	standard string // the value in force when the URL says nothing
	match    func(row T, value string) bool
}

// field lets through the rows that fit what somebody types into it.
type field[T any] struct {
	key   string
	label entente.Text
	kind  string // of the input: "" is text
	// valid says whether a value can be used; others count as nothing. nil takes all.
	valid func(value string) bool
	match func(row T, value string) bool
}

// rows is where the rows of a list come from: [held] in memory, or a room that
// searches and sorts by itself.
type rows[T any] interface {
	// page gives rows from offset on, the count of all that match, and the count of
	// all that there are, or -1 where that is not known.
	page(q query, offset, limit int) (rows []T, matching, all int, err error)
}

// query is what the URL says about a list.
type query struct {
	path   string
	values url.Values
	search string
	sort   string // a column's key
	desc   bool
	filter map[string]string
	number int // of the page, from 1
	rows   int
	chosen []int  // places of the columns shown; nil for all of them
	file   string // "csv" or "xlsx" where the rows are taken away; "" for the page
}

func (l list[T]) query(at *url.URL) query {
	values := at.Query()
	for _, passing := range []string{"done", "change", "view"} {
		values.Del(passing)
	}
	q := query{path: at.Path, values: values, filter: map[string]string{}}
	if format := values.Get("format"); format == formatCSV || format == formatXLSX {
		q.file = format
	}
	q.chosen = l.choose(values)
	q.search = strings.TrimSpace(values.Get("q"))
	if len(q.search) > longestSearch {
		q.search = strings.ToValidUTF8(q.search[:longestSearch], "")
	}
	if l.search == "" {
		q.search = ""
	}
	q.sort, q.desc = l.sorting(values.Get("sort"))
	for _, f := range l.filters {
		q.filter[f.key] = f.standard
		for _, o := range f.options {
			if values.Has(f.key) && values.Get(f.key) == o.Value {
				q.filter[f.key] = o.Value
			}
		}
	}
	for _, f := range l.fields {
		value := strings.TrimSpace(values.Get(f.key))
		if len(value) <= longestSearch && (f.valid == nil || f.valid(value)) {
			q.filter[f.key] = value
		}
	}
	q.number, _ = strconv.Atoi(values.Get("page"))
	q.number = max(q.number, 1)
	q.rows, _ = strconv.Atoi(values.Get("rows"))
	if !slices.Contains(rowsToChoose, q.rows) {
		q.rows = rowsByDefault
	}
	return q
}

// sorting reads "name" or "-name"; what no column knows becomes the list's own order.
func (l list[T]) sorting(s string) (key string, desc bool) {
	for _, s := range []string{s, l.sort} {
		key, desc := strings.CutPrefix(s, "-")
		for _, c := range l.columns {
			if c.key != "" && c.key == key {
				return key, desc
			}
		}
	}
	return "", false
}

// choose reads which columns the URL wants, as one "columns=name,rank" or as the
// many values that checkboxes send, and leaves the short way of saying it in values.
// The first column names the row and always stays.
func (l list[T]) choose(values url.Values) []int {
	wanted := strings.Split(strings.Join(values["columns"], ","), ",")
	var chosen []int
	var ids []string
	for i, c := range l.columns {
		if i == 0 || slices.Contains(wanted, c.id()) {
			chosen, ids = append(chosen, i), append(ids, c.id())
		}
	}
	if !values.Has("columns") || len(chosen) == len(l.columns) {
		values.Del("columns")
		return nil
	}
	values.Set("columns", strings.Join(ids, ","))
	return chosen
}

// shown are the columns that the reader chose, in the order of the list.
func (l list[T]) shown(q query) []column[T] {
	if q.chosen == nil {
		return l.columns
	}
	columns := make([]column[T], len(q.chosen))
	for i, place := range q.chosen {
		columns[i] = l.columns[place]
	}
	return columns
}

// id names a column in the URL.
func (c column[T]) id() string {
	if c.key != "" {
		return c.key
	}
	return strings.Join(strings.FieldsFunc(strings.ToLower(string(c.label)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), "-")
}

// with is the list's URL with one parameter changed; any change leads back to the
// first page.
func (q query) with(key, value string) string {
	next := url.Values{}
	for k, v := range q.values {
		if k != "page" && k != "format" && len(v) > 0 {
			next[k] = v
		}
	}
	next.Set(key, value)
	if value == "" {
		next.Del(key)
	}
	return address(q.path, next)
}

func address(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// held is rows that are all in memory.
type held[T any] struct {
	list list[T]
	all  []T
}

func (h held[T]) page(q query, offset, limit int) ([]T, int, int, error) {
	places := make([]int32, 0, len(h.all)) // moved about instead of whole rows
	fits := h.list.fits(q)
	for i := range h.all {
		if fits == nil || fits(h.all[i]) {
			places = append(places, int32(i))
		}
	}
	matching := len(places)
	for _, c := range h.list.columns {
		if c.key != "" && c.key == q.sort && c.order != nil {
			places = first(places, offset+limit, func(a, b int32) int {
				order := c.order(h.all[a], h.all[b])
				if q.desc {
					order = -order
				}
				return cmp.Or(order, cmp.Compare(a, b))
			})
			break
		}
	}
	from := min(offset, len(places))
	shown := make([]T, 0, min(limit, len(places)-from))
	for _, place := range places[from:min(from+limit, len(places))] {
		shown = append(shown, h.all[place])
	}
	return shown, matching, len(h.all), nil
}

// fewRows is up to how many rows are picked out instead of sorting all of them.
const fewRows = 500

// first gives at least the n first of the places, in order. What comes after them is
// not looked at by a page, so it is not put in order.
func first(places []int32, n int, order func(a, b int32) int) []int32 {
	if n <= 0 || n > fewRows || n >= len(places) {
		slices.SortFunc(places, order)
		return places
	}
	picked := make([]int32, 0, n+1)
	for _, place := range places {
		if len(picked) == n && order(place, picked[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(picked, place, order)
		picked = slices.Insert(picked, at, place)
		picked = picked[:min(len(picked), n)]
	}
	return picked
}

// fits says of a row whether a query asks for it; nil where it asks for all.
func (l list[T]) fits(q query) func(row T) bool {
	var all []func(row T) bool
	for _, f := range l.filters {
		if value := q.filter[f.key]; value != "" && f.match != nil {
			all = append(all, func(row T) bool { return f.match(row, value) })
		}
	}
	for _, f := range l.fields {
		if value := q.filter[f.key]; value != "" {
			all = append(all, func(row T) bool { return f.match(row, value) })
		}
	}
	if words := strings.Fields(strings.ToLower(q.search)); len(words) > 0 {
		all = append(all, func(row T) bool {
			text := strings.ToLower(strings.Join(l.text(row), "\n"))
			return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
		})
	}
	if all == nil {
		return nil
	}
	return func(row T) bool {
		for _, fits := range all {
			if !fits(row) {
				return false
			}
		}
		return true
	}
}

// show answers with the page around the list, or with the list as a file.
func (l list[T]) show(v *visit, from rows[T], page func(ui.List) templ.Component) error {
	if v.r.Method == http.MethodPost {
		return l.chosen(v, from, page)
	}
	to, err := v.standardView()
	if err != nil {
		return err
	}
	if to != "" {
		return v.redirect(to)
	}
	q := l.asked(v, v.r.URL)
	if q.file != "" {
		return l.file(v, q, from)
	}
	shown, err := l.whole(v, q, from)
	if err != nil {
		return err
	}
	if v.failed != nil {
		shown.Notice = ui.Notice{Tone: ui.Bad, Text: v.wrongText(v.failed)}
		return v.show(statusFor(v.failed), page(shown))
	}
	return v.show(http.StatusOK, page(shown))
}

// asked is the query with what the visitor prefers where the URL says nothing.
func (l list[T]) asked(v *visit, at *url.URL) query {
	q := l.query(at)
	if v.who != nil && !q.values.Has("rows") && slices.Contains(rowsToChoose, v.who.Preferences.Rows) {
		q.rows = v.who.Preferences.Rows
	}
	return q
}

// whole is the list with its saved views and what was just done with it.
func (l list[T]) whole(v *visit, q query, from rows[T]) (ui.List, error) {
	shown, err := l.view(v, q, from)
	if err != nil {
		return shown, err
	}
	shown.Notice = v.undoOffer()
	shown.Views, err = v.viewsOf(q)
	return shown, err
}

func (l list[T]) view(v *visit, q query, from rows[T]) (ui.List, error) {
	found, matching, all, err := from.page(q, (q.number-1)*q.rows, q.rows)
	if err != nil {
		return ui.List{}, err
	}
	pages := max((matching+q.rows-1)/q.rows, 1)
	if q.number > pages {
		q.number = pages
		found, matching, all, err = from.page(q, (q.number-1)*q.rows, q.rows)
		if err != nil {
			return ui.List{}, err
		}
	}
	shown := ui.List{Noun: v.T(l.many), Action: q.path, Search: v.T(l.search), Query: q.search, Empty: l.empty, All: all, Follows: followedBy[l.name]}
	shown.Filters = l.choices(v, q)
	for _, f := range l.fields {
		shown.Fields = append(shown.Fields, ui.Field{Name: f.key, Label: v.T(f.label), Type: f.kind, Value: q.filter[f.key], MaxLength: longestSearch})
	}
	if l.narrowed(q) {
		shown.Clear = l.cleared(q)
		shown.None = ui.Empty{
			Title: v.T("Nothing matches"),
			Text:  l.noneText(v, all),
			Next:  ui.Link{Text: v.T("Clear search and filters"), Href: shown.Clear},
		}
	}
	l.addColumns(v, q, &shown)
	columns := l.shown(q)
	for _, row := range found {
		cells := make([]ui.Cell, len(columns))
		for i, c := range columns {
			cells[i] = c.cell(row)
		}
		r := ui.Row{Cells: cells}
		if l.id != nil {
			r.ID = l.id(row)
		}
		shown.Rows = append(shown.Rows, r)
	}
	l.pick(v, q, matching, len(found), &shown)
	for _, k := range l.keep {
		for _, value := range q.values[k] {
			shown.Keep = append(shown.Keep, ui.Option{Value: k, Label: value})
		}
	}
	if matching > rowsToChoose[0] {
		shown.Size = strconv.Itoa(q.rows)
		for _, n := range rowsToChoose {
			shown.Sizes = append(shown.Sizes, ui.Option{Value: strconv.Itoa(n), Label: v.reader().Count(n)})
		}
	}
	first := (q.number-1)*q.rows + 1
	count := l.counted(matching)
	if pages > 1 {
		count = entente.Say("%d to %d of %s", first, first+len(found)-1, count)
		shown.Pages = v.T("Page %d of %d", q.number, pages)
	}
	if all > matching {
		count = entente.Say("%s, out of %d", count, all)
	}
	shown.Count = v.Say(count)
	if q.number > 1 {
		shown.Prev = q.with("page", strconv.Itoa(q.number-1))
	}
	if q.number < pages {
		shown.Next = q.with("page", strconv.Itoa(q.number+1))
	}
	shown.CSV, shown.XLSX = q.with("format", formatCSV), q.with("format", formatXLSX)
	return shown, nil
}

// counted tells a number of rows: "3 processes".
func (l list[T]) counted(n int) entente.Message {
	return entente.Say("%d %s", n, entente.Message{Text: l.many, One: l.one, N: n})
}

func (l list[T]) noneText(v *visit, all int) string {
	if all < 0 {
		return v.T("Nothing fits the search and the filters together.")
	}
	return v.T("Nothing among %s fits the search and the filters together.", l.counted(all))
}

func (l list[T]) choices(v *visit, q query) []ui.Choice {
	var choices []ui.Choice
	for _, f := range l.filters {
		if len(f.options) > 1 {
			choices = append(choices, ui.Choice{Name: f.key, Label: v.T(f.label), Value: q.filter[f.key], Options: f.options})
		}
	}
	return choices
}

// narrowed says whether search or a filter is in force that the list does not have
// by itself.
func (l list[T]) narrowed(q query) bool {
	for _, f := range l.filters {
		if q.filter[f.key] != f.standard {
			return true
		}
	}
	for _, f := range l.fields {
		if q.filter[f.key] != "" {
			return true
		}
	}
	return q.search != ""
}

func (l list[T]) cleared(q query) string {
	kept := url.Values{}
	for _, k := range append([]string{"sort", "rows", "columns"}, l.keep...) {
		if q.values.Has(k) {
			kept[k] = q.values[k]
		}
	}
	if len(kept) == 0 {
		kept.Set("view", "all") // and not the standard one
	}
	return address(q.path, kept)
}

func (l list[T]) addColumns(v *visit, q query, shown *ui.List) {
	for i, c := range l.columns {
		seen := q.chosen == nil || slices.Contains(q.chosen, i)
		if len(l.columns) > 2 {
			shown.Choose = append(shown.Choose, ui.ColumnChoice{Value: c.id(), Label: v.T(c.label), On: seen, Always: i == 0})
		}
		column := ui.Column{Label: c.label, Num: c.num, Tight: c.tight}
		if c.key != "" {
			column.SortHref = q.with("sort", c.key)
			shown.Sorts = append(shown.Sorts, ui.Option{Value: c.key, Label: v.T(c.label)}, ui.Option{Value: "-" + c.key, Label: v.T("%s, from the end", c.label)})
		}
		if c.key != "" && c.key == q.sort {
			column.Sorted, shown.Sort = "ascending", c.key
			if q.desc {
				column.Sorted, shown.Sort = "descending", "-"+c.key
			} else {
				column.SortHref = q.with("sort", "-"+c.key)
			}
		}
		if seen {
			shown.Columns = append(shown.Columns, column)
		}
	}
}

func plainCell(text string) ui.Cell { return ui.Cell{Text: text} }

func linkCell(text, href string) ui.Cell { return ui.Cell{Text: text, Href: href} }

func badgeCell(badges ...ui.Badge) ui.Cell {
	words := make([]string, len(badges))
	for i, b := range badges {
		words[i] = b.Text
	}
	return ui.Cell{Text: strings.Join(words, ", "), View: ui.BadgeRow(badges)}
}

// byText orders rows by a text as people sort it.
func byText[T any](text func(T) string) func(a, b T) int {
	return func(a, b T) int {
		x, y := text(a), text(b)
		return cmp.Or(compareFolded(x, y), strings.Compare(x, y))
	}
}

// compareFolded compares as strings.ToLower would have it, without making the lower
// texts.
func compareFolded(x, y string) int {
	for x != "" && y != "" {
		a, n := utf8.DecodeRuneInString(x)
		b, m := utf8.DecodeRuneInString(y)
		if c := cmp.Compare(unicode.ToLower(a), unicode.ToLower(b)); c != 0 {
			return c
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Compare(len(x), len(y))
}

// by orders rows by a number.
func by[T any, N cmp.Ordered](number func(T) N) func(a, b T) int {
	return func(a, b T) int { return cmp.Compare(number(a), number(b)) }
}

// wordsIn makes the options of a filter from the fixed values that the rows have.
func wordsIn[T any, W ~string](v *visit, words map[W]entente.Text, rows []T, value func(T) W) []ui.Option {
	options := valuesOf("", rows, func(row T) string { return string(value(row)) })
	options[0].Label = v.T("All")
	for i, o := range options[1:] {
		options[i+1].Label = v.capital(word(words, W(o.Value)))
	}
	return options
}

// valuesOf makes the options of a filter from the values that the rows have, with
// "all" before them.
func valuesOf[T any](all string, rows []T, value func(T) string) []ui.Option {
	seen := map[string]bool{}
	var options []ui.Option
	for _, row := range rows {
		v := value(row)
		if v != "" && !seen[v] {
			seen[v] = true
			options = append(options, ui.Option{Value: v, Label: lang.Capital(v)})
		}
	}
	slices.SortFunc(options, func(a, b ui.Option) int { return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)) })
	return append([]ui.Option{{Label: all}}, options...)
}
