// Package web is the pages: HTML made on the server, which works without a script.
//
// routes.go lists every route as data, with what the visitor must be allowed; web.go
// makes the handler from it; guard.go finds who visits and decides by [identity.Can]
// before a page's own code runs. Each room has one file with its handlers and one
// with its templates: chain.go and chain.templ, advisory.go and advisory.templ. A
// handler asks the room's Service, fills a struct with what the page shows, and
// renders it. What pages are made of lies in ui/.
//
// Lists are all made by list.go: search, filters, sorting, pages and the CSV file of
// the same rows come from the URL alone, so that every view can be kept as a link.
//
// Nothing needs a script but the few things that a page alone cannot do: those have one
// in ui/script, bundled to ui/static (make generate). Only a page that carries one lets
// scripts be loaded (island.go).
//
// Tables owned: none. Events: none are written here, and none are read except to
// show the journal.
package web

//go:generate sh -c "cd ../.. && go tool -modfile=tools/go.mod templ generate"
