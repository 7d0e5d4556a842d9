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
	"github.com/entente-project/entente/internal/sheet"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func importRoutes() []Route {
	// What somebody may not change is decided by the kind of the sheet and row by row.
	return []Route{
		page("/o/{org}/import", identity.ChainImport, (*visit).importStart),
		act("/o/{org}/import", identity.ChainImport, (*visit).importUpload).within(mapLimits),
		page("/o/{org}/import/template", identity.ChainImport, (*visit).importTemplate),
		page("/o/{org}/import/{id}", identity.ChainImport, (*visit).importStep),
		page("/o/{org}/import/{id}/refused", identity.ChainImport, (*visit).importRefused),
		act("/o/{org}/import/{id}/columns", identity.ChainImport, (*visit).importColumns),
		act("/o/{org}/import/{id}/options", identity.ChainImport, (*visit).importOptions),
		act("/o/{org}/import/{id}/start", identity.ChainImport, (*visit).importRun),
		act("/o/{org}/import/{id}/undo", identity.ChainImport, (*visit).importUndo).within(mapLimits),
		act("/o/{org}/import/{id}/drop", identity.ChainImport, (*visit).importDrop),
	}
}

// importItem leads to the import whoever may import anything.
func (v *visit) importItem() []ui.NavItem {
	if len(v.sheetsToImport()) == 0 {
		return nil
	}
	return []ui.NavItem{v.navItem("Import", "import")}
}

// sheetOf is the sheet in which things of a kind come.
var sheetOf = map[chain.NodeKind]chain.SheetKind{
	chain.KindOrganisation: chain.SheetSuppliers, chain.KindProcess: chain.SheetProcesses, chain.KindSystem: chain.SheetSystems, chain.KindProduct: chain.SheetProducts,
}

// mayImport says whether the visitor may change anything by sheets of a kind.
func (v *visit) mayImport(k chain.SheetKind) bool { return v.mayBatch(k.About()) }

func (v *visit) sheetsToImport() []chain.SheetKind {
	return slices.DeleteFunc(chain.SheetKinds(), func(k chain.SheetKind) bool { return !v.mayImport(k) })
}

// importOf is where the import of sheets of a kind begins.
func (v *visit) importOf(k chain.SheetKind) string {
	return v.in("import") + "?" + url.Values{"kind": {string(k)}}.Encode()
}

// importLinks lead from a list to the import of what it lists.
func (v *visit) importLinks(kinds ...chain.SheetKind) []ui.Link {
	var links []ui.Link
	for _, k := range kinds {
		if v.mayImport(k) {
			links = append(links, ui.Link{Text: v.T(textsOfSheets[k].title), Href: v.importOf(k)})
		}
	}
	return links
}

const (
	importRowsShown = 200
	importsShown    = 50
)

// sheetTexts is what pages call the sheets of a kind.
type sheetTexts struct{ name, title entente.Text }

var textsOfSheets = map[chain.SheetKind]sheetTexts{
	chain.SheetSuppliers: {"Suppliers", "Import suppliers"},
	chain.SheetProcesses: {"Processes", "Import processes"},
	chain.SheetSystems:   {"Systems", "Import systems"},
	chain.SheetProducts:  {"Products", "Import products"},
	chain.SheetContacts:  {"Contacts", "Import contacts"},
}

func (v *visit) sheetKind() chain.SheetKind {
	k := chain.SheetKind(v.r.URL.Query().Get("kind"))
	if may := v.sheetsToImport(); !k.Valid() && len(may) > 0 {
		return may[0]
	}
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
		shown.Notice = ui.Notice{Tone: ui.Good, Text: v.T("The upload was thrown away. Nothing was changed.")}
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
		Frame: v.frame(v.T("Import")), Head: ui.Head{Title: v.T("Import"), Lead: v.T("Bring in suppliers, products, systems, processes and contacts from a spreadsheet.")},
		Title: v.T(textsOfSheets[kind].title), Action: of(v.in("import")), CSV: of(v.in("import", "template"), "csv"), XLSX: of(v.in("import", "template"), "xlsx"),
	}
	for _, k := range chain.SheetKinds() {
		if !v.mayImport(k) {
			continue
		}
		shown.Tabs = append(shown.Tabs, ui.Tab{
			Link: ui.Link{Text: v.T(textsOfSheets[k].name), Href: v.in("import") + "?" + url.Values{"kind": {string(k)}}.Encode()}, Current: k == kind,
		})
	}
	for _, c := range chain.SheetColumns(kind) {
		name := plainCell(v.T(c.Label))
		if c.Required {
			name.Note = v.T("required")
		}
		shown.Columns = append(shown.Columns, ui.Row{Cells: []ui.Cell{name, plainCell(v.T(c.Meaning)), {Text: c.Example, Same: true}}})
	}
	all, err := v.Chain.SheetImports(v.r.Context(), v.actor, importsShown)
	if err != nil {
		return shown, err
	}
	for _, i := range all {
		what := linkCell(v.T(textsOfSheets[i.Kind].name), v.importPath(i.ID))
		what.Note = i.File
		when := cmp.Or(i.Done, i.At)
		shown.History = append(shown.History, ui.Row{Cells: []ui.Cell{
			what, badgeCell(v.importBadge(i.State)), plainCell(v.reader().Count(i.Rows)), plainCell(i.By), momentCell(v, when),
		}})
	}
	return shown, nil
}

func (v *visit) importBadge(s chain.SheetState) ui.Badge {
	switch s {
	case chain.SheetDone:
		return ui.Badge{Text: v.T("imported"), Tone: ui.Good}
	case chain.SheetUndone:
		return ui.Badge{Text: v.T("undone")}
	case chain.SheetWaiting:
		return ui.Badge{Text: v.T("under way"), Tone: ui.Accent}
	case chain.SheetFailed:
		return ui.Badge{Text: v.T("failed"), Tone: ui.Bad}
	case chain.SheetDraft:
	}
	return ui.Badge{Text: v.T("not started")}
}

// importUpload takes the file of the first step.
func (v *visit) importUpload() error {
	file, name, err := v.upload("sheet")
	if err != nil {
		return v.importRefusedUpload(err)
	}
	defer file.Close()
	read, err := chain.ParseSheet(file)
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
	shown.Notice = v.wrongNotice(wrong)
	return v.show(status, importStartView(shown))
}

// importTemplate gives an empty sheet to fill in.
func (v *visit) importTemplate() error {
	kind := v.sheetKind()
	var columns []sheet.Note
	for _, c := range chain.SheetColumns(kind) {
		columns = append(columns, sheet.Note{Heading: string(c.Label), Example: c.Example, Meaning: v.T(c.Meaning)})
	}
	if v.r.URL.Query().Get("format") == "xlsx" {
		v.sheetHead("entente-"+string(kind)+".xlsx", true)
		return sheet.TemplateXLSX(v.w, v.T(textsOfSheets[kind].name), v.T("What the columns mean"), columns)
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
	plan, err := v.importPlan(found)
	var wrong *entente.Error
	if asInvalid(err, &wrong) {
		return v.importColumnsShown(found, v.columnsNotice(found.Kind, wrong), http.StatusOK)
	}
	if err != nil {
		return err
	}
	return v.importPreview(found, plan)
}

func (v *visit) columnsNotice(kind chain.SheetKind, wrong *entente.Error) ui.Notice {
	n := ui.Notice{Tone: ui.Bad, Text: v.sentence(wrong)}
	for _, f := range wrong.Fields {
		label := f.Field
		for _, c := range chain.SheetColumns(kind) {
			if c.Key == f.Field {
				label = v.T(c.Label)
			}
		}
		n.Items = append(n.Items, v.T("%s: %s", label, f.Message))
	}
	return n
}

func (v *visit) importHead(found chain.SheetImport, lead string) ui.Head {
	return ui.Head{
		Crumbs: []ui.Link{{Text: v.T("Import"), Href: v.in("import") + "?kind=" + string(found.Kind)}},
		Title:  v.T(textsOfSheets[found.Kind].title), Lead: lead,
	}
}

// importColumnsShown is the second step.
func (v *visit) importColumnsShown(found chain.SheetImport, notice ui.Notice, status int) error {
	shown := importColumnsPage{
		Frame: v.frame(v.T("Import")), Head: v.importHead(found, v.T("Which column of %s is which? What was recognised is chosen already.", found.File)),
		Notice: notice, Action: v.importPath(found.ID, "columns"), Drop: v.importPath(found.ID, "drop"),
	}
	for _, c := range chain.SheetColumns(found.Kind) {
		f := ui.Choice{Name: "column-" + c.Key, Label: v.T(c.Label), Hint: v.T(c.Meaning)}
		none := v.T("not in the sheet")
		if c.Required {
			none = v.T("choose a column (required)")
		}
		f.Options = []ui.Option{{Label: none}}
		for i, heading := range found.Heading {
			label := strconv.Itoa(i+1) + ". " + heading
			f.Options = append(f.Options, ui.Option{Value: strconv.Itoa(i + 1), Label: label})
		}
		for _, word := range c.Choices {
			f.Options = append(f.Options, ui.Option{Value: "=" + word, Label: v.T("the same for every row: %s", word)})
		}
		from := found.Options.Mapping[c.Key]
		switch {
		case from.Column > 0:
			f.Value = strconv.Itoa(from.Column)
		case from.Fixed != "":
			f.Value = "=" + from.Fixed
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
		return v.importColumnsShown(found, v.columnsNotice(found.Kind, wrong), http.StatusUnprocessableEntity)
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
		Frame: v.frame(v.T("Import")), Head: v.importHead(found, v.T("What would happen with %s. Nothing was changed yet.", found.File)),
		Facts: v.importFacts(c), Options: v.importPath(found.ID, "options"), Start: v.importPath(found.ID, "start"), Drop: v.importPath(found.ID, "drop"),
		Columns: v.importPath(found.ID) + "?step=columns", Revision: strconv.FormatInt(plan.Revision, 10),
		Submit: v.N(c.Add+c.Update, "Import %d row", "Import %d rows"),
		Exists: ui.Choice{Name: "exists", Label: v.T("Rows that exist already"), Value: string(found.Options.Exists), Options: []ui.Option{
			{Value: string(chain.ExistsSkip), Label: v.T("Skip them")}, {Value: string(chain.ExistsUpdate), Label: v.T("Update them")}, {Value: string(chain.ExistsStop), Label: v.T("Stop if there is any")},
		}},
		Wrong: ui.Choice{Name: "wrong", Label: v.T("Rows that are wrong"), Value: string(found.Options.Wrong), Options: []ui.Option{
			{Value: string(chain.WrongStop), Label: v.T("Stop if there is any")}, {Value: string(chain.WrongPass), Label: v.T("Import the good rows")},
		}},
	}
	if found.State == chain.SheetFailed {
		shown.Notice = ui.Notice{Tone: ui.Bad, Text: v.T("The import did not go through, and nothing was changed: %s.", found.Note)}
	}
	if plan.Revision == 0 {
		shown.Currency = ui.Field{Name: "currency", Label: v.T("Currency of all amounts"), Value: cmp.Or(found.Options.Currency, "EUR"), MaxLength: 3}
	}
	if !plan.Blocked.Blank() {
		shown.Blocked = v.T("%s.", lang.Capital(v.Say(plan.Blocked)))
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
		Text: v.N(n, "%d row is refused. Take it with the reason, correct it and import it again.", "%d rows are refused. Take them with the reasons, correct them and import them again."),
		CSV:  path + "?format=csv", XLSX: path + "?format=xlsx",
	}
}

func (v *visit) importFacts(c chain.SheetCounts) []ui.Fact {
	return []ui.Fact{
		{Name: v.T("Rows"), Value: v.reader().Count(c.Rows)}, {Name: v.T("Added"), Value: v.reader().Count(c.Add)}, {Name: v.T("Changed"), Value: v.reader().Count(c.Update)},
		{Name: v.T("Skipped"), Value: v.reader().Count(c.Skip + c.Same), Note: v.T("left as they are")}, {Name: v.T("Refused"), Value: v.reader().Count(c.Refuse), Note: v.T("something is wrong")},
	}
}

// importRows shows rows, the refused ones first, up to a bound.
func (v *visit) importRows(rows []chain.PlannedRow, done bool) (shown []ui.Row, more string) {
	ordered := slices.Clone(rows)
	slices.SortStableFunc(ordered, func(a, b chain.PlannedRow) int {
		return cmp.Compare(importOrder(a.Action), importOrder(b.Action))
	})
	for _, r := range ordered[:min(len(ordered), importRowsShown)] {
		name := plainCell(cmp.Or(r.Name, v.T("without a name")))
		if done && r.ID != "" && r.Action != chain.RowRefuse {
			name.Href = v.thingPath(r.Kind, r.ID)
		}
		why := plainCell(v.T("%s", r.Reason))
		if len(r.Problems) > 0 {
			why = plainCell(v.importWhy(r))
		}
		shown = append(shown, ui.Row{Cells: []ui.Cell{plainCell(strconv.Itoa(r.Line)), name, badgeCell(v.rowBadge(r.Action, done)), why}})
	}
	if n := len(ordered) - len(shown); n > 0 {
		more = v.N(n, "… and %d more row.", "… and %d more rows.")
	}
	return shown, more
}

func importOrder(a chain.SheetAction) int {
	return slices.Index([]chain.SheetAction{chain.RowRefuse, chain.RowAdd, chain.RowUpdate, chain.RowSkip, chain.RowSame}, a)
}

func (v *visit) importWhy(r chain.PlannedRow) string {
	return v.T("%s", entente.Joined(r.Problems, "; "))
}

func (v *visit) rowBadge(a chain.SheetAction, done bool) ui.Badge {
	now := map[chain.SheetAction]entente.Text{chain.RowAdd: "is added", chain.RowUpdate: "is changed", chain.RowSame: "stays the same", chain.RowSkip: "is skipped", chain.RowRefuse: "is refused"}
	if done {
		now = map[chain.SheetAction]entente.Text{chain.RowAdd: "added", chain.RowUpdate: "changed", chain.RowSame: "stayed the same", chain.RowSkip: "skipped", chain.RowRefuse: "refused"}
	}
	b := ui.Badge{Text: v.T(now[a])}
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
	n := found.Rows
	shown := importProgressPage{
		Frame: v.frame(v.T("Import")), Head: v.importHead(found, found.File), Checked: found.Checked, Rows: n,
		Text: v.N(n, "The import of %d row is about to begin.", "The import of %d rows is about to begin."), Reload: ui.Link{Text: v.T("Look again now"), Href: v.importPath(found.ID)},
	}
	switch {
	case found.Checked >= n:
		shown.Text = v.N(n, "Taking over: %d row is checked and being written.", "Taking over: all %d rows are checked and being written.")
	case found.Checked > 0:
		shown.Text = v.N(n, "%d of %d row is checked.", "%d of %d rows are checked.", found.Checked, n)
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
		notice = ui.Notice{Tone: ui.Good, Text: v.N(found.Counts.Add+found.Counts.Update, "%d row was imported.", "%d rows were imported.")}
		if found.State == chain.SheetUndone {
			notice = ui.Notice{Text: v.T("This import was undone.")}
		}
	}
	shown := importResultPage{
		Frame: v.frame(v.T("Import")), Head: v.importHead(found, found.File), Notice: notice, Facts: v.importFacts(found.Counts),
		Defs: []ui.Def{{Term: v.T("Imported by"), Text: found.By}, {Term: v.T("When"), View: ui.Time(found.Done)}},
	}
	if found.State == chain.SheetUndone {
		shown.Defs = append(shown.Defs, ui.Def{Term: v.T("Undone by"), Text: found.UndoneBy}, ui.Def{Term: v.T("Undone"), View: ui.Time(found.Undone)})
	}
	if found.CanUndo {
		shown.Undo = v.importPath(found.ID, "undo")
		if notice.Tone == ui.Good && time.Since(found.Done) < undoFor {
			shown.Notice.Doing = ui.Doing{Action: shown.Undo, Text: v.T("Undo")}
		}
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
		return v.importResult(found, v.wrongNotice(wrong), http.StatusConflict)
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
			why[r.Line] = v.importWhy(r)
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
		out, err = sheet.NewXLSX(v.w, v.T("Refused"))
		if err != nil {
			return err
		}
	} else {
		v.sheetHead(name+".csv", false)
		out = sheet.NewCSV(v.w)
	}
	err = out.Row(append(slices.Clone(found.Heading), v.T("Line in the file"), v.T("What is wrong")))
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

// importPlan is what would become of each row of a draft.
func (v *visit) importPlan(of chain.SheetImport) (*chain.SheetPlan, error) {
	plan, _, err := atHead(v, asked{"import", of, []string{fromChain}}, func() (*chain.SheetPlan, int, int, error) {
		plan, err := v.Chain.PreviewSheet(v.r.Context(), v.actor, of.ID)
		if err != nil {
			return nil, 0, 0, err
		}
		return plan, 0, planWeight + len(plan.Rows), nil
	})
	return plan, err
}

// planWeight counts, in rows, what a plan holds besides its own.
const planWeight = 1000

// importOutcome tells what becomes or became of each row.
func (v *visit) importOutcome(found chain.SheetImport) ([]chain.PlannedRow, error) {
	if found.State == chain.SheetDone || found.State == chain.SheetUndone {
		return v.Chain.SheetResult(v.r.Context(), v.actor, found.ID)
	}
	plan, err := v.importPlan(found)
	if err != nil {
		return nil, err
	}
	return plan.Rows, nil
}
