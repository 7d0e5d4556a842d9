package web

import "github.com/entente-project/entente/internal/web/ui"

// productPage is one product with its documents.
type productPage struct {
	Frame       ui.Page
	Head        ui.Head
	Notice      ui.Notice
	Facts       []ui.Fact
	Hits        []ui.Row
	MoreHits    string
	Documents   []ui.Row
	NoDocuments ui.Empty
	Upload      string // where the form leads; "" if the visitor may not
	UsedBy      []ui.Link
	Spoken      []ui.Row
	Say         string // where somebody says how it stands; "" where it is not ours
}

// documentPage is one bill of materials with its components.
type documentPage struct {
	Frame        ui.Page
	Head         ui.Head
	Notice       ui.Notice
	Facts        []ui.Fact
	Components   ui.List
	Oddities     []ui.Row
	MoreOddities string
	Withdraw     string // where it is asked for; "" if the visitor may not
	Defs         []ui.Def
}

// packagePage is one package at one version, wherever it is a component.
type packagePage struct {
	Frame     ui.Page
	Head      ui.Head
	Defs      []ui.Def
	Documents []ui.Row
	Hits      []ui.Row
}

var (
	documentColumns   = []ui.Column{{Label: "Document"}, {Label: "State"}, {Label: "Components", Num: true}, {Label: "Recorded"}}
	productHitColumns = []ui.Column{{Label: "Advisory"}, {Label: "Severity"}, {Label: "Component"}, {Label: "Why", Wide: true}}
)
