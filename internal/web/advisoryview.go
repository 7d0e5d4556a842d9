package web

import "github.com/entente-project/entente/internal/web/ui"

// advisoryPage is one advisory with whom it hits.
type advisoryPage struct {
	Frame     ui.Page
	Head      ui.Head
	Notice    ui.Notice
	Answer    string // whether and how it hits us, in a sentence
	Hits      bool
	Processes []processHit
	Affected  []ui.Row
	// How many more there are than are shown.
	MoreProcesses string
	MoreAffected  string
	Undecidable   []ui.Row
	Stops         []ui.Row
	OffWhy        string
	WhatIf        ui.Link
	Contacts      []ui.Call
	Reached       []ui.Def
	Defs          []ui.Def
	Details       string
	History       []ui.Row // matches that changed
	Spoken        []ui.Row // what suppliers say of their products
	Ranges        []ui.Row
	References    []ui.Link
}

// processHit is one process that an advisory reaches, by which way, how surely.
type processHit struct {
	Process     ui.Link
	Criticality ui.Badge
	Sure        ui.Badge
	Way         []ui.Hop
	Why         string
	Note        string
}

// uploadPage takes one file.
type uploadPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Action string
	Field  ui.Field
	Button string
	// Odd is what was left out of records that could be read.
	Odd     []ui.Row
	MoreOdd string
}

// pastState is how a match stood before: which state from when to when, and why.
type pastState struct {
	State string
	Why   string
}

var affectedColumns = []ui.Column{{Label: "Component"}, {Label: "Version"}, {Label: "Product"}, {Label: "Supplier"}, {Label: "Why", Wide: true}}

var offColumns = []ui.Column{
	{Label: "Process"}, {Label: "Criticality"}, {Label: "Stops", Tight: true}, {Label: "Exceeds RTO", Tight: true}, {Label: "Exceeds MTPD", Tight: true}, {Label: "Cost until then", Num: true}, {Label: "Why", Wide: true},
}
