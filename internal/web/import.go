package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/sheet"
	"github.com/entente-project/entente/internal/web/ui"
)

func importRoutes() []Route {
	routes := []Route{
		page("/o/{org}/import", identity.ChainEdit, (*visit).importStart),
		act("/o/{org}/import", identity.ChainEdit, (*visit).importUpload).within(mapLimits),
		page("/o/{org}/import/template", identity.ChainEdit, (*visit).importTemplate),
		page("/o/{org}/import/{id}", identity.ChainEdit, (*visit).importStep),
		page("/o/{org}/import/{id}/refused", identity.ChainEdit, (*visit).importRefused),
		act("/o/{org}/import/{id}/columns", identity.ChainEdit, (*visit).importColumns),
		act("/o/{org}/import/{id}/options", identity.ChainEdit, (*visit).importOptions),
		act("/o/{org}/import/{id}/start", identity.ChainEdit, (*visit).importRun),
		act("/o/{org}/import/{id}/undo", identity.ChainEdit, (*visit).importUndo).within(mapLimits),
		act("/o/{org}/import/{id}/drop", identity.ChainEdit, (*visit).importDrop),
	}
	for i := range routes {
		// Whoever may change suppliers comes in; what they may not change beside them
		// is decided by the kind of the sheet and row by row.
		routes[i] = routes[i].on(string(chain.KindOrganisation))
	}
	return routes
}

// importItem leads to the import whoever may import anything.
func (v *visit) importItem() []ui.NavItem {
	if !v.mayOn(identity.ChainEdit, string(chain.KindOrganisation), "") {
		return nil
	}
	return []ui.NavItem{v.navItem("Import", "import")}
}

const (
	importRowsShown = 200
	importsShown    = 50
)

func (v *visit) sheetKind() chain.SheetKind {
	k := chain.SheetKind(v.r.URL.Query().Get("kind"))
	if !k.Valid() {
		return chain.SheetSuppliers
	}
	return k
}

func (v *visit) importID() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, errNoPage
	}
	return id, nil
}

func (v *visit) importPath(id int64, parts ...string) string {
	return v.in(append([]string{"import", strconv.FormatInt(id, 10)}, parts...)...)
}

func (v *visit) importFound() (chain.SheetImport, error) {
	id, err := v.importID()
	if err != nil {
		return chain.SheetImport{}, err
	}
	return v.Chain.SheetImport(v.r.Context(), v.actor, id)
}

// importStart is the first step.
func (v *visit) importStart() error {
	shown, err := v.importStartShown()
	if err != nil {
		return err
	}
	if v.r.URL.Query().Get("done") == "dropped" {
		shown.Notice = ui.Notice{Tone: ui.Good, Text: "The upload was thrown away. Nothing was changed."}
	}
	return v.show(http.StatusOK, importStartView(shown))
}

func (v *visit) importStartShown() (importStartPage, error) {
	kind := v.sheetKind()
	of := func(path string, more ...string) string {
		q := url.Values{"kind": {string(kind)}}
		if len(more) > 0 {
			q.Set("format", more[0])
		}
		return path + "?" + q.Encode()
	}
	shown := importStartPage{
		Frame: v.frame("Import"), Head: ui.Head{Title: "Import", Lead: "Bring in suppliers, products, systems, processes and contacts from a spreadsheet."},
		Title: "Import " + string(kind), Action: of(v.in("import")), CSV: of(v.in("import", "template"), "csv"), XLSX: of(v.in("import", "template"), "xlsx"),
	}
	for _, k := range chain.SheetKinds() {
		if !v.mayOn(identity.ChainEdit, string(k.About()), "") {
			continue
		}
		shown.Tabs = append(shown.Tabs, ui.Tab{
			Link: ui.Link{Text: ui.Capital(string(k)), Href: v.in("import") + "?" + url.Values{"kind": {string(k)}}.Encode()}, Current: k == kind,
		})
	}
	for _, c := range chain.SheetColumns(kind) {
		name := plainCell(c.Label)
		if c.Required {
			name.Note = "required"
		}
		shown.Columns = append(shown.Columns, ui.Row{Cells: []ui.Cell{name, plainCell(c.Meaning), plainCell(c.Example)}})
	}
	all, err := v.Chain.SheetImports(v.r.Context(), v.actor, importsShown)
	if err != nil {
		return shown, err
	}
	for _, i := range all {
		what := linkCell(ui.Capital(string(i.Kind)), v.importPath(i.ID))
		what.Note = i.File
		when := cmp.Or(i.Done, i.At)
		shown.History = append(shown.History, ui.Row{Cells: []ui.Cell{
			what, badgeCell(importBadge(i.State)), plainCell(ui.Count(i.Rows)), plainCell(i.By), {Text: ui.Moment(when), View: ui.Time(when)},
		}})
	}
	return shown, nil
}

func importBadge(s chain.SheetState) ui.Badge {
	switch s {
	case chain.SheetDone:
		return ui.Badge{Text: "imported", Tone: ui.Good}
	case chain.SheetUndone:
		return ui.Badge{Text: "undone"}
	case chain.SheetWaiting:
		return ui.Badge{Text: "under way", Tone: ui.Accent}
	case chain.SheetFailed:
		return ui.Badge{Text: "failed", Tone: ui.Bad}
	case chain.SheetDraft:
	}
	return ui.Badge{Text: "not started"}
}

// importUpload takes the file of the first step.
func (v *visit) importUpload() error {
	file, name, err := v.upload("sheet")
	if err != nil {
		return v.importRefusedUpload(err)
	}
	defer file.Close()
	var read chain.Sheet
	limits := sheet.DefaultLimits()
	limits.Rows = chain.MaxSheetRows
	err = sheet.Read(file, limits, func(heading []string) error {
		read.Heading = heading
		return nil
	}, func(r sheet.Row) error {
		read.Rows = append(read.Rows, chain.SheetRow{Line: r.Line, Cells: r.Cells})
		return nil
	})
	if err != nil {
		return v.importRefusedUpload(err)
	}
	kept, err := v.Chain.KeepSheet(v.r.Context(), v.actor, v.sheetKind(), name, read)
	if err != nil {
		return v.importRefusedUpload(err)
	}
	return v.redirect(v.importPath(kept.ID) + "?step=columns")
}

// importRefusedUpload shows the first step again with what was wrong with the file.
func (v *visit) importRefusedUpload(err error) error {
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	shown, failed := v.importStartShown()
	if failed != nil {
		return failed
	}
	status, _ := statusOf(wrong.Kind)
	shown.Notice = ui.Notice{Tone: ui.Bad, Text: ui.Capital(wrong.Message)}
	return v.show(status, importStartView(shown))
}

// importTemplate gives an empty sheet to fill in.
func (v *visit) importTemplate() error {
	kind := v.sheetKind()
	var columns []sheet.Note
	for _, c := range chain.SheetColumns(kind) {
		columns = append(columns, sheet.Note{Heading: c.Label, Example: c.Example, Meaning: c.Meaning})
	}
	if v.r.URL.Query().Get("format") == "xlsx" {
		v.sheetHead("entente-"+string(kind)+".xlsx", true)
		return sheet.TemplateXLSX(v.w, ui.Capital(string(kind)), columns)
	}
	v.sheetHead("entente-"+string(kind)+".csv", false)
	return sheet.TemplateCSV(v.w, columns)
}

// sheetHead begins the answer with a spreadsheet.
func (v *visit) sheetHead(name string, xlsx bool) {
	kind := "text/csv; charset=utf-8; header=present"
	if xlsx {
		kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	v.answer = http.StatusOK
}

// importStep shows the step at which an import is.
func (v *visit) importStep() error {
	found, err := v.importFound()
	if err != nil {
		return err
	}
	switch found.State {
	case chain.SheetWaiting:
		return v.importUnderWay(found)
	case chain.SheetDone, chain.SheetUndone:
		return v.importResult(found, ui.Notice{}, http.StatusOK)
	case chain.SheetDraft, chain.SheetFailed:
	}
	if v.r.URL.Query().Get("step") == "columns" {
		return v.importColumnsShown(found, ui.Notice{}, http.StatusOK)
	}
	plan, err := v.Chain.PreviewSheet(v.r.Context(), v.actor, found.ID)
	var wrong *entente.Error
	if asInvalid(err, &wrong) {
		return v.importColumnsShown(found, columnsNotice(found.Kind, wrong), http.StatusOK)
	}
	if err != nil {
		return err
	}
	return v.importPreview(found, plan)
}

func columnsNotice(kind chain.SheetKind, wrong *entente.Error) ui.Notice {
	n := ui.Notice{Tone: ui.Bad, Text: ui.Capital(wrong.Message) + "."}
	for _, f := range wrong.Fields {
		label := f.Field
		for _, c := range chain.SheetColumns(kind) {
			if c.Key == f.Field {
				label = c.Label
			}
		}
		n.Items = append(n.Items, label+": "+f.Message)
	}
	return n
}

func (v *visit) importHead(found chain.SheetImport, lead string) ui.Head {
	return ui.Head{
		Crumbs: []ui.Link{{Text: "Import", Href: v.in("import") + "?kind=" + string(found.Kind)}},
		Title:  "Import " + string(found.Kind), Lead: lead,
	}
}

// importColumnsShown is the second step.
func (v *visit) importColumnsShown(found chain.SheetImport, notice ui.Notice, status int) error {
	shown := importColumnsPage{
		Frame: v.frame("Import"), Head: v.importHead(found, "Which column of "+found.File+" is which? What was recognised is chosen already."),
		Notice: notice, Action: v.importPath(found.ID, "columns"), Drop: v.importPath(found.ID, "drop"),
	}
	for _, c := range chain.SheetColumns(found.Kind) {
		f := importField{Meaning: c.Meaning, Choice: ui.Choice{Name: "column-" + c.Key, Label: c.Label}}
		none := "not in the sheet"
		if c.Required {
			none = "choose a column (required)"
		}
		f.Choice.Options = []ui.Option{{Label: none}}
		for i, heading := range found.Heading {
			label := strconv.Itoa(i+1) + ". " + heading
			f.Choice.Options = append(f.Choice.Options, ui.Option{Value: strconv.Itoa(i + 1), Label: label})
		}
		for _, word := range c.Choices {
			f.Choice.Options = append(f.Choice.Options, ui.Option{Value: "=" + word, Label: "the same for every row: " + word})
		}
		from := found.Options.Mapping[c.Key]
		switch {
		case from.Column > 0:
			f.Choice.Value = strconv.Itoa(from.Column)
		case from.Fixed != "":
			f.Choice.Value = "=" + from.Fixed
		}
		shown.Fields = append(shown.Fields, f)
	}
	return v.show(status, importColumnsView(shown))
}

// importColumns takes the answers of the second step.
func (v *visit) importColumns() error {
	found, err := v.importFound()
	if err != nil {
		return err
	}
	opt := found.Options
	opt.Mapping = chain.SheetMapping{}
	for _, c := range chain.SheetColumns(found.Kind) {
		value := v.text("column-" + c.Key)
		if word, fixed := strings.CutPrefix(value, "="); fixed {
			opt.Mapping[c.Key] = chain.SheetSource{Fixed: word}
		} else if n, err := strconv.Atoi(value); err == nil {
			opt.Mapping[c.Key] = chain.SheetSource{Column: n}
		}
	}
	err = v.Chain.SetSheetOptions(v.r.Context(), v.actor, found.ID, opt)
	var wrong *entente.Error
	if asInvalid(err, &wrong) && wrong.Kind == entente.KindInvalid {
		found.Options = opt
		return v.importColumnsShown(found, columnsNotice(found.Kind, wrong), http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return v.redirect(v.importPath(found.ID))
}

// importOptions takes the choices of the third step.
func (v *visit) importOptions() error {
	found, err := v.importFound()
	if err != nil {
		return err
	}
	opt := found.Options
	opt.Exists, opt.Wrong = chain.SheetExists(v.text("exists")), chain.SheetWrong(v.text("wrong"))
	opt.OwnName, opt.Currency = v.org.Name, strings.ToUpper(v.text("currency"))
	err = v.Chain.SetSheetOptions(v.r.Context(), v.actor, found.ID, opt)
	if err != nil {
		return err
	}
	return v.redirect(v.importPath(found.ID))
}

// importPreview is the third step.
func (v *visit) importPreview(found chain.SheetImport, plan *chain.SheetPlan) error {
	c := plan.Counts
	shown := importPreviewPage{
		Frame: v.frame("Import"), Head: v.importHead(found, "What would happen with "+found.File+". Nothing was changed yet."),
		Facts: importFacts(c), Options: v.importPath(found.ID, "options"), Start: v.importPath(found.ID, "start"), Drop: v.importPath(found.ID, "drop"),
		Columns: v.importPath(found.ID) + "?step=columns", Revision: strconv.FormatInt(plan.Revision, 10),
		Submit: "Import " + ui.Plural(c.Add+c.Update, "row", "rows"),
		Exists: ui.Choice{Name: "exists", Label: "Rows that exist already", Value: string(found.Options.Exists), Options: []ui.Option{
			{Value: string(chain.ExistsSkip), Label: "Skip them"}, {Value: string(chain.ExistsUpdate), Label: "Update them"}, {Value: string(chain.ExistsStop), Label: "Stop if there is any"},
		}},
		Wrong: ui.Choice{Name: "wrong", Label: "Rows that are wrong", Value: string(found.Options.Wrong), Options: []ui.Option{
			{Value: string(chain.WrongStop), Label: "Stop if there is any"}, {Value: string(chain.WrongPass), Label: "Import the good rows"},
		}},
	}
	if found.State == chain.SheetFailed {
		shown.Notice = ui.Notice{Tone: ui.Bad, Text: "The import did not go through, and nothing was changed: " + found.Note + "."}
	}
	if plan.Revision == 0 {
		shown.Currency = ui.Field{Name: "currency", Label: "Currency of all amounts", Value: cmp.Or(found.Options.Currency, "EUR"), MaxLength: 3}
	}
	if plan.Blocked != "" {
		shown.Blocked = ui.Capital(plan.Blocked) + "."
	}
	shown.Rows, shown.More = v.importRows(plan.Rows, false)
	if c.Refuse > 0 {
		shown.Refused = v.refusedLinks(found.ID, c.Refuse)
	}
	return v.show(http.StatusOK, importPreviewView(shown))
}

func (v *visit) refusedLinks(id int64, n int) importRefused {
	path := v.importPath(id, "refused")
	return importRefused{
		Text: ui.Plural(n, "row is refused", "rows are refused") + ". Take them with the reasons, correct them and import them again:",
		CSV:  path + "?format=csv", XLSX: path + "?format=xlsx",
	}
}

func importFacts(c chain.SheetCounts) []ui.Fact {
	return []ui.Fact{
		{Name: "Rows", Value: ui.Count(c.Rows)}, {Name: "Added", Value: ui.Count(c.Add)}, {Name: "Changed", Value: ui.Count(c.Update)},
		{Name: "Skipped", Value: ui.Count(c.Skip + c.Same), Note: "left as they are"}, {Name: "Refused", Value: ui.Count(c.Refuse), Note: "something is wrong"},
	}
}

// importRows shows rows, the refused ones first, up to a bound.
func (v *visit) importRows(rows []chain.PlannedRow, done bool) (shown []ui.Row, more string) {
	ordered := slices.Clone(rows)
	slices.SortStableFunc(ordered, func(a, b chain.PlannedRow) int {
		return cmp.Compare(importOrder(a.Action), importOrder(b.Action))
	})
	for _, r := range ordered[:min(len(ordered), importRowsShown)] {
		name := plainCell(cmp.Or(r.Name, "without a name"))
		if done && r.ID != "" && r.Action != chain.RowRefuse {
			name.Href = v.thingPath(r.Kind, r.ID)
		}
		why := plainCell(r.Reason)
		if len(r.Problems) > 0 {
			why = plainCell(importWhy(r))
		}
		shown = append(shown, ui.Row{Cells: []ui.Cell{plainCell(strconv.Itoa(r.Line)), name, badgeCell(rowBadge(r.Action, done)), why}})
	}
	if n := len(ordered) - len(shown); n > 0 {
		more = "… and " + ui.Plural(n, "more row", "more rows") + "."
	}
	return shown, more
}

func importOrder(a chain.SheetAction) int {
	return slices.Index([]chain.SheetAction{chain.RowRefuse, chain.RowAdd, chain.RowUpdate, chain.RowSkip, chain.RowSame}, a)
}

func importWhy(r chain.PlannedRow) string {
	var words []string
	for _, p := range r.Problems {
		words = append(words, p.String())
	}
	return strings.Join(words, "; ")
}

func rowBadge(a chain.SheetAction, done bool) ui.Badge {
	now := map[chain.SheetAction]string{chain.RowAdd: "is added", chain.RowUpdate: "is changed", chain.RowSame: "stays the same", chain.RowSkip: "is skipped", chain.RowRefuse: "is refused"}
	if done {
		now = map[chain.SheetAction]string{chain.RowAdd: "added", chain.RowUpdate: "changed", chain.RowSame: "stayed the same", chain.RowSkip: "skipped", chain.RowRefuse: "refused"}
	}
	b := ui.Badge{Text: now[a]}
	switch a {
	case chain.RowAdd, chain.RowUpdate:
		b.Tone = ui.Good
	case chain.RowRefuse:
		b.Tone = ui.Bad
	case chain.RowSame, chain.RowSkip:
	}
	return b
}

// thingPath is the page of a thing; "" if it has none.
func (v *visit) thingPath(kind chain.NodeKind, id chain.NodeID) string {
	switch kind {
	case chain.KindOrganisation:
		return v.in("suppliers", string(id))
	case chain.KindProcess:
		return v.in("processes", string(id))
	case chain.KindSystem:
		return v.in("systems", string(id))
	case chain.KindProduct:
		return v.in("products", string(id))
	case chain.KindActivity, chain.KindSupply:
	}
	return ""
}

// importRun starts the import.
func (v *visit) importRun() error {
	id, err := v.importID()
	if err != nil {
		return err
	}
	revision, _ := strconv.ParseInt(v.text("revision"), 10, 64)
	err = v.Chain.StartSheet(v.r.Context(), v.actor, id, revision)
	if err != nil {
		return err
	}
	return v.redirect(v.importPath(id))
}

// importUnderWay stands until the import is through; the browser asks again by
// itself.
func (v *visit) importUnderWay(found chain.SheetImport) error {
	shown := importProgressPage{
		Frame: v.frame("Import"), Head: v.importHead(found, found.File),
		Text: "The import of " + ui.Plural(found.Rows, "row", "rows") + " is about to begin.", Reload: ui.Link{Text: "Look again now", Href: v.importPath(found.ID)},
	}
	n, running := v.Chain.SheetProgress(v.actor, found.ID)
	switch {
	case running && n >= found.Rows:
		shown.Text = "All " + ui.Plural(found.Rows, "row is", "rows are") + " checked and being written."
	case running:
		shown.Text = ui.Count(n) + " of " + ui.Plural(found.Rows, "row is", "rows are") + " checked."
	}
	v.w.Header().Set("Refresh", "1")
	return v.show(http.StatusOK, importProgressView(shown))
}

// importResult is the last step.
func (v *visit) importResult(found chain.SheetImport, notice ui.Notice, status int) error {
	rows, err := v.Chain.SheetResult(v.r.Context(), v.actor, found.ID)
	if err != nil {
		return err
	}
	if notice.Text == "" {
		notice = ui.Notice{Tone: ui.Good, Text: ui.Plural(found.Counts.Add+found.Counts.Update, "row was imported.", "rows were imported.")}
		if found.State == chain.SheetUndone {
			notice = ui.Notice{Text: "This import was undone."}
		}
	}
	shown := importResultPage{
		Frame: v.frame("Import"), Head: v.importHead(found, found.File), Notice: notice, Facts: importFacts(found.Counts),
		Defs: []ui.Def{{Term: "Imported by", Text: found.By}, {Term: "When", View: ui.Time(found.Done)}},
	}
	if found.State == chain.SheetUndone {
		shown.Defs = append(shown.Defs, ui.Def{Term: "Undone by", Text: found.UndoneBy}, ui.Def{Term: "Undone", View: ui.Time(found.Undone)})
	}
	if found.CanUndo {
		shown.Undo = v.importPath(found.ID, "undo")
	}
	shown.Rows, shown.More = v.importRows(rows, found.State == chain.SheetDone)
	if found.Counts.Refuse > 0 {
		shown.Refused = v.refusedLinks(found.ID, found.Counts.Refuse)
	}
	return v.show(status, importResultView(shown))
}

// importUndo takes an import back, or names what stands in the way.
func (v *visit) importUndo() error {
	found, err := v.importFound()
	if err != nil {
		return err
	}
	_, err = v.Chain.UndoSheet(v.r.Context(), v.actor, found.ID)
	var wrong *entente.Error
	if asInvalid(err, &wrong) && found.State == chain.SheetDone {
		notice := ui.Notice{Tone: ui.Bad, Text: ui.Capital(wrong.Message) + "."}
		for _, f := range wrong.Fields {
			notice.Items = append(notice.Items, f.String())
		}
		return v.importResult(found, notice, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	return v.redirect(v.importPath(found.ID))
}

func (v *visit) importDrop() error {
	found, err := v.importFound()
	if err != nil {
		return err
	}
	err = v.Chain.DropSheet(v.r.Context(), v.actor, found.ID)
	if err != nil {
		return err
	}
	return v.redirect(v.in("import") + "?kind=" + string(found.Kind) + "&done=dropped")
}

// importRefused gives the rows that are refused as a sheet, with the reasons behind
// them, to correct and import again.
func (v *visit) importRefused() error {
	found, err := v.importFound()
	if err != nil {
		return err
	}
	rows, err := v.importOutcome(found)
	if err != nil {
		return err
	}
	why := map[int]string{}
	for _, r := range rows {
		if r.Action == chain.RowRefuse {
			why[r.Line] = importWhy(r)
		}
	}
	kept, err := v.Chain.SheetRows(v.r.Context(), v.actor, found.ID)
	if err != nil {
		return err
	}
	xlsx := v.r.URL.Query().Get("format") == "xlsx"
	name := string(v.actor.Org) + "-" + string(found.Kind) + "-refused-" + time.Now().UTC().Format("2006-01-02")
	var out sheet.Writer
	if xlsx {
		v.sheetHead(name+".xlsx", true)
		out, err = sheet.NewXLSX(v.w, "Refused")
		if err != nil {
			return err
		}
	} else {
		v.sheetHead(name+".csv", false)
		out = sheet.NewCSV(v.w)
	}
	err = out.Row(append(slices.Clone(found.Heading), "Line in the file", "What is wrong"))
	for _, r := range kept.Rows {
		if err != nil {
			return err
		}
		if text, refused := why[r.Line]; refused {
			cells := make([]string, len(found.Heading))
			copy(cells, r.Cells)
			err = out.Row(append(cells, strconv.Itoa(r.Line), text))
		}
	}
	return cmp.Or(err, out.Close())
}

// importOutcome tells what becomes or became of each row.
func (v *visit) importOutcome(found chain.SheetImport) ([]chain.PlannedRow, error) {
	if found.State == chain.SheetDone || found.State == chain.SheetUndone {
		return v.Chain.SheetResult(v.r.Context(), v.actor, found.ID)
	}
	plan, err := v.Chain.PreviewSheet(v.r.Context(), v.actor, found.ID)
	if err != nil {
		return nil, err
	}
	return plan.Rows, nil
}
