package api

import (
	"context"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/sheet"
)

// importOperations bring spreadsheets into the chain: upload, options, the dry run,
// the import in the background, and back. What somebody may not change is decided by
// the kind of the sheet and row by row.
var importOperations = []operation{
	{
		id: "list-sheet-columns", method: http.MethodGet, path: "/sheet-columns/{kind}", verb: identity.ChainImport,
		summary: "The columns of a sheet", about: "What a sheet of the kind can say: the key for the options, the heading of the template, and what a cell takes.", register: answers(listSheetColumns),
	},
	{
		id: "list-imports", method: http.MethodGet, path: "/imports", verb: identity.ChainImport,
		summary: "List the latest imports of sheets", about: "The newest first.", register: answers(listImports),
	},
	{
		id: "upload-sheet", method: http.MethodPost, path: "/imports", verb: identity.ChainImport,
		summary: "Upload a sheet", about: "CSV or XLSX, the first sheet of it; its first row names the columns. Nothing of the chain is changed: the columns are guessed, the rows of the import tell what would happen, and start makes it so. What is not started is thrown away after a day.",
		upload: &upload{types: []string{"application/octet-stream", "text/csv", sheetType}, limit: sheet.DefaultLimits().Bytes + 1, about: "A spreadsheet."}, register: answers(uploadSheet),
	},
	{
		id: "get-import", method: http.MethodGet, path: "/imports/{import}", verb: identity.ChainImport,
		summary: "One import: how far it is", register: answers(getImport),
	},
	{
		id: "drop-import", method: http.MethodDelete, path: "/imports/{import}", verb: identity.ChainImport,
		summary: "Throw an upload away", about: "Only while it has not been started.", register: answers(dropImport),
	},
	{
		id: "get-import-options", method: http.MethodGet, path: "/imports/{import}/options", verb: identity.ChainImport,
		summary: "How a sheet is imported", register: answers(getImportOptions),
	},
	{
		id: "set-import-options", method: http.MethodPut, path: "/imports/{import}/options", verb: identity.ChainImport,
		summary: "Change how a sheet is imported", about: "Which column is which, and what to do with rows that exist already or are wrong.", register: answers(setImportOptions),
	},
	{
		id: "list-import-rows", method: http.MethodGet, path: "/imports/{import}/rows", verb: identity.ChainImport,
		summary: "What becomes of each row", about: "Before the import a dry run with what is wrong in which cell, and nothing is changed; afterwards what was done.", register: answers(listImportRows),
	},
	{
		id: "start-import", method: http.MethodPost, path: "/imports/{import}/start", verb: identity.ChainImport,
		summary: "Import the sheet", about: "It runs in the background: get-import tells its state, until it is done or failed. A failed one has changed nothing.", register: answers(startImport),
	},
	{
		id: "undo-import", method: http.MethodPost, path: "/imports/{import}/undo", verb: identity.ChainImport,
		summary: "Undo an import", about: "Within 90 days, as long as nothing that came with it has changed since.", register: answers(undoImport),
	},
}

const sheetType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// SheetColumn is a column that sheets of a kind can have.
type SheetColumn struct {
	Key      string   `json:"key"`
	Heading  string   `json:"heading"`
	Required bool     `json:"required"`
	Meaning  string   `json:"meaning"`
	Example  string   `json:"example,omitempty"`
	Choices  []string `json:"choices,omitempty" doc:"The words that a cell takes; absent for any text."`
}

func listSheetColumns(_ *server, _ context.Context, _ entente.Actor, in *struct {
	Kind string `path:"kind" enum:"suppliers,products,systems,processes,contacts"`
}) (*one[List[SheetColumn]], error) {
	return &one[List[SheetColumn]]{List[SheetColumn]{Items: each(chain.SheetColumns(chain.SheetKind(in.Kind)), func(c chain.SheetColumn) SheetColumn {
		return SheetColumn{Key: c.Key, Heading: string(c.Label), Required: c.Required, Meaning: string(c.Meaning), Example: c.Example, Choices: c.Choices}
	})}}, nil
}

// SheetImport is the import of a spreadsheet, from its upload on.
type SheetImport struct {
	ID       int64       `json:"id"`
	Kind     string      `json:"kind"`
	File     string      `json:"file,omitempty"`
	State    string      `json:"state" doc:"draft, waiting, done, failed or undone."`
	Rows     int         `json:"rows"`
	Checked  int         `json:"checked" doc:"How many rows are checked, while it runs; once all are, they are being written."`
	Heading  []string    `json:"heading" doc:"The headings of its columns."`
	Counts   SheetCounts `json:"counts" doc:"What became of the rows, once it is done."`
	Note     string      `json:"note,omitempty" doc:"Why it failed."`
	By       string      `json:"by"`
	Uploaded time.Time   `json:"uploaded"`
	Done     *time.Time  `json:"done,omitempty"`
	Undone   *time.Time  `json:"undone,omitempty"`
	UndoneBy string      `json:"undone_by,omitempty"`
	CanUndo  bool        `json:"can_undo"`
}

// SheetCounts counts rows by what becomes of them.
type SheetCounts struct {
	Add    int `json:"add"`
	Update int `json:"update"`
	Same   int `json:"same" doc:"They exist, and the sheet says nothing new."`
	Skip   int `json:"skip"`
	Refuse int `json:"refuse"`
}

func sheetCountsOf(c chain.SheetCounts) SheetCounts {
	return SheetCounts{Add: c.Add, Update: c.Update, Same: c.Same, Skip: c.Skip, Refuse: c.Refuse}
}

func sheetImportOf(i chain.SheetImport) SheetImport {
	return SheetImport{
		ID: i.ID, Kind: string(i.Kind), File: i.File, State: string(i.State), Rows: i.Rows, Checked: i.Checked, Heading: orEmpty(i.Heading), Counts: sheetCountsOf(i.Counts),
		Note: i.Note, By: i.By, Uploaded: i.At, Done: momentOrNone(i.Done), Undone: momentOrNone(i.Undone), UndoneBy: i.UndoneBy, CanUndo: i.CanUndo,
	}
}

func momentOrNone(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// latestImports is how many imports are listed.
const latestImports = 200

func listImports(s *server, ctx context.Context, actor entente.Actor, in *struct{ Paging }) (*listOutput[SheetImport], error) {
	all, err := s.Chain.SheetImports(ctx, actor, latestImports)
	if err != nil {
		return nil, err
	}
	return filtered(all, func(*chain.SheetImport) bool { return true }, in.Paging, sheetImportOf, "imports")
}

func uploadSheet(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Upload
	Kind string `query:"kind" required:"true" enum:"suppliers,products,systems,processes,contacts" doc:"What the rows are about."`
	File string `query:"file" maxLength:"200" doc:"What the file is called."`
}) (*one[SheetImport], error) {
	read, err := chain.ParseSheet(in.file)
	if err != nil {
		return nil, in.verdict(err)
	}
	kept, err := s.Chain.KeepSheet(ctx, actor, chain.SheetKind(in.Kind), in.File, read)
	if err != nil {
		return nil, err
	}
	return &one[SheetImport]{sheetImportOf(kept)}, nil
}

// ByImport is what operations on one import take.
type ByImport struct {
	Import int64 `path:"import" minimum:"1" maximum:"9007199254740991" doc:"The id of the import."`
}

func getImport(s *server, ctx context.Context, actor entente.Actor, in *ByImport) (*one[SheetImport], error) {
	found, err := s.Chain.SheetImport(ctx, actor, in.Import)
	if err != nil {
		return nil, err
	}
	return &one[SheetImport]{sheetImportOf(found)}, nil
}

func dropImport(s *server, ctx context.Context, actor entente.Actor, in *ByImport) (*one[Done], error) {
	return done(s.Chain.DropSheet(ctx, actor, in.Import))
}

// SheetOptions say how a sheet is imported.
type SheetOptions struct {
	Columns  []SheetSource `json:"columns" maxItems:"100" nullable:"false"`
	Exists   string        `json:"exists" enum:"skip,update,stop" doc:"What to do with rows that exist already."`
	Wrong    string        `json:"wrong" enum:"stop,pass" doc:"Whether wrong rows stop the import, or the good ones pass."`
	Currency string        `json:"currency,omitempty" maxLength:"3" doc:"Of all amounts, for an organisation that has no chain yet."`
}

// SheetSource says where the values of one column come from.
type SheetSource struct {
	Key    string `json:"key" maxLength:"64" doc:"As list-sheet-columns has it."`
	Column int    `json:"column,omitempty" minimum:"0" maximum:"1000" doc:"The number of the column in the sheet, from 1."`
	Fixed  string `json:"fixed,omitempty" maxLength:"64" doc:"The same word for every row, instead of a column."`
}

func getImportOptions(s *server, ctx context.Context, actor entente.Actor, in *ByImport) (*one[SheetOptions], error) {
	found, err := s.Chain.SheetImport(ctx, actor, in.Import)
	if err != nil {
		return nil, err
	}
	opt := SheetOptions{Columns: []SheetSource{}, Exists: string(found.Options.Exists), Wrong: string(found.Options.Wrong), Currency: found.Options.Currency}
	for _, c := range chain.SheetColumns(found.Kind) {
		if from, known := found.Options.Mapping[c.Key]; known {
			opt.Columns = append(opt.Columns, SheetSource{Key: c.Key, Column: from.Column, Fixed: from.Fixed})
		}
	}
	return &one[SheetOptions]{opt}, nil
}

func setImportOptions(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByImport
	Body SheetOptions
}) (*one[SheetOptions], error) {
	opt := chain.SheetOptions{
		Mapping: chain.SheetMapping{}, Exists: chain.SheetExists(in.Body.Exists), Wrong: chain.SheetWrong(in.Body.Wrong), Currency: in.Body.Currency,
	}
	for _, c := range in.Body.Columns {
		opt.Mapping[c.Key] = chain.SheetSource{Column: c.Column, Fixed: c.Fixed}
	}
	org, err := s.Identity.Organisation(ctx, actor)
	if err != nil {
		return nil, err
	}
	opt.OwnName = org.Name
	if err := s.Chain.SetSheetOptions(ctx, actor, in.Import, opt); err != nil {
		return nil, err
	}
	return getImportOptions(s, ctx, actor, &in.ByImport)
}

// SheetRows tell what becomes of the rows of a sheet.
type SheetRows struct {
	Revision int64       `json:"revision,omitempty" doc:"Of the chain for which the dry run was made; start takes it."`
	Blocked  string      `json:"blocked,omitempty" doc:"Why nothing would be imported."`
	Counts   SheetCounts `json:"counts"`
	List[SheetRow]
}

// SheetRow is what becomes of one row.
type SheetRow struct {
	Line     int         `json:"line" doc:"As a spreadsheet program counts it."`
	Name     string      `json:"name,omitempty"`
	Action   string      `json:"action" doc:"add, update, same, skip or refuse."`
	Kind     string      `json:"kind,omitempty"`
	ID       string      `json:"id,omitempty" doc:"Of the thing that the row is about."`
	Reason   string      `json:"reason,omitempty"`
	Problems []CellFault `json:"problems,omitempty"`
}

// CellFault is what is wrong with one cell of a row.
type CellFault struct {
	Column  string `json:"column,omitempty" doc:"Its heading in the template; absent for the row as a whole."`
	Cell    string `json:"cell,omitempty"`
	Message string `json:"message"`
}

func sheetRowOf(r chain.PlannedRow) SheetRow {
	return SheetRow{
		Line: r.Line, Name: r.Name, Action: string(r.Action), Kind: string(r.Kind), ID: string(r.ID), Reason: r.Reason.String(),
		Problems: each(r.Problems, func(p chain.CellProblem) CellFault {
			return CellFault{Column: string(p.Column), Cell: p.Cell, Message: p.Message.String()}
		}),
	}
}

func listImportRows(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByImport
	Paging
	Action string `query:"action" enum:"add,update,same,skip,refuse" doc:"Only rows of which this becomes."`
}) (*one[SheetRows], error) {
	found, err := s.Chain.SheetImport(ctx, actor, in.Import)
	if err != nil {
		return nil, err
	}
	out := SheetRows{Counts: sheetCountsOf(found.Counts)}
	var rows []chain.PlannedRow
	switch found.State {
	case chain.SheetDone, chain.SheetUndone:
		rows, err = s.Chain.SheetResult(ctx, actor, found.ID)
	default:
		var plan *chain.SheetPlan
		plan, err = s.Chain.PreviewSheet(ctx, actor, found.ID)
		if err == nil {
			rows, out.Revision, out.Counts, out.Blocked = plan.Rows, plan.Revision, sheetCountsOf(plan.Counts), plan.Blocked.String()
		}
	}
	if err != nil {
		return nil, err
	}
	page, err := filtered(rows, func(r *chain.PlannedRow) bool { return in.Action == "" || in.Action == string(r.Action) }, in.Paging, sheetRowOf, "rows", in.Action)
	if err != nil {
		return nil, err
	}
	out.List = page.Body
	return &one[SheetRows]{out}, nil
}

func startImport(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByImport
	Body struct {
		Revision int64 `json:"revision,omitempty" minimum:"0" doc:"That of the dry run: if the chain has changed since, the import fails. 0 is any."`
	}
}) (*one[SheetImport], error) {
	if err := s.Chain.StartSheet(ctx, actor, in.Import, in.Body.Revision); err != nil {
		return nil, err
	}
	return getImport(s, ctx, actor, &in.ByImport)
}

func undoImport(s *server, ctx context.Context, actor entente.Actor, in *ByImport) (*one[ChainChange], error) {
	done, err := s.Chain.UndoSheet(ctx, actor, in.Import)
	if err != nil {
		return nil, err
	}
	return &one[ChainChange]{chainChangeOf(done)}, nil
}
