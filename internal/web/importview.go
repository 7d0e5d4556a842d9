package web

import "github.com/entente-project/entente/internal/web/ui"

// importStartPage is the first step of an import: what is imported, and the file.
type importStartPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Tabs    []ui.Tab
	Title   string
	Action  string
	CSV     string
	XLSX    string
	Columns []ui.Row
	History []ui.Row
}

// importColumnsPage is the second step: which column of the sheet is which.
type importColumnsPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Action string
	Drop   string
	Fields []ui.Choice
}

// importPreviewPage is the third step: what would become of each row.
type importPreviewPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Facts    []ui.Fact
	Options  string
	Exists   ui.Choice
	Wrong    ui.Choice
	Currency ui.Field // without a name when the chain has one already
	Blocked  string
	Start    string
	Submit   string
	Revision string
	Rows     []ui.Row
	More     string
	Refused  importRefused
	Columns  string
	Drop     string
}

// importRefused leads to the rows that are refused, as files.
type importRefused struct {
	Text string
	CSV  string
	XLSX string
}

// importProgressPage stands until an import is through.
type importProgressPage struct {
	Frame   ui.Page
	Head    ui.Head
	Text    string
	Checked int
	Rows    int
	Reload  ui.Link
}

// importResultPage is the last step: what became of each row, and the way back.
type importResultPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Facts   []ui.Fact
	Rows    []ui.Row
	More    string
	Refused importRefused
	Undo    string
	Defs    []ui.Def
}

var (
	importColumnColumns  = []ui.Column{{Label: "Column"}, {Label: "What it means", Wide: true}, {Label: "Example"}}
	importRowColumns     = []ui.Column{{Label: "Line", Tight: true}, {Label: "Row"}, {Label: "What happens", Tight: true}, {Label: "Why", Wide: true}}
	importResultColumns  = []ui.Column{{Label: "Line", Tight: true}, {Label: "Row"}, {Label: "What happened", Tight: true}, {Label: "Why", Wide: true}}
	importHistoryColumns = []ui.Column{{Label: "Import"}, {Label: "State", Tight: true}, {Label: "Rows", Num: true}, {Label: "By"}, {Label: "When", Tight: true}}
)
