package web

import (
	"cmp"
	"strconv"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/web/ui"
)

func documentRoutes() []Route {
	return []Route{
		page("/o/{org}/documents", identity.InventoryRead, (*visit).documents),
		choosing(act("/o/{org}/documents", identity.InventoryRead, (*visit).documents)),
		page("/o/{org}/documents/{document}", identity.InventoryRead, (*visit).document),
		page("/o/{org}/documents/{document}/withdraw", identity.InventoryRemove, (*visit).askWithdrawDocument),
		choosing(act("/o/{org}/withdraw-documents", identity.InventoryRemove, (*visit).withdrawDocuments)),
	}
}

// documentsInRoom gives documents as the room pages them.
type documentsInRoom struct{ v *visit }

func (s documentsInRoom) page(q query, offset, limit int) ([]inventory.Document, int, int, error) {
	ask := inventory.DocumentQuery{Search: q.search, State: inventory.DocumentState(q.filter["state"]), Order: inventory.DocumentOrder(q.sort)}
	downwards := false // the room's own direction
	if q.sort == "recorded" {
		ask.Order, downwards = inventory.NewestFirst, true
	}
	get := func(offset, limit int) ([]inventory.Document, int, error) {
		ask.Page = inventory.Page{Limit: limit, Offset: offset}
		return s.v.Inventory.AllDocuments(s.v.r.Context(), s.v.actor, ask)
	}
	if q.desc == downwards {
		found, matching, err := get(offset, limit)
		return found, matching, -1, err
	}
	found, matching, err := backwards(offset, limit, get)
	return found, matching, -1, err
}

// documents lists the bills of materials of all products.
func (v *visit) documents() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	type row = inventory.Document
	l := list[row]{
		id: func(d row) string { return strconv.FormatUint(uint64(d.ID), 10) }, acts: v.documentActs(),
		name: "documents", one: oneDocument, many: manyDocuments, sort: "-recorded", search: "Search by file, product or what it describes",
		columns: []column[row]{
			{key: "file", label: "Document", cell: func(d row) ui.Cell { return v.documentCell(&d) }},
			{key: "product", label: "Product", cell: func(d row) ui.Cell { l := p.named(d.Product); return linkCell(l.Text, l.Href) }},
			{label: "State", cell: func(d row) ui.Cell { return badgeCell(v.documentBadges(&d)...) }},
			{key: "components", label: "Components", num: true, cell: func(d row) ui.Cell { return v.documentCounts(&d) }},
			{key: "recorded", label: "Recorded", tight: true, cell: func(d row) ui.Cell { return v.documentRecorded(&d) }},
		},
		filters: []filter[row]{{key: "state", label: "State", options: []ui.Option{
			{Label: v.T("All")}, {Value: string(inventory.CurrentOnes), Label: v.T("Current")}, {Value: string(inventory.SilentOnes), Label: v.T("Not assessable")},
			{Value: string(inventory.SupersededOnes), Label: v.T("Superseded")}, {Value: string(inventory.RemovedOnes), Label: v.T("Withdrawn ones")},
		}}},
		empty: ui.Empty{
			Title: v.T("No SBOM yet"), Text: v.T("Ask your suppliers for bills of materials, and record one for each product."),
			Next: ui.Link{Text: v.T("Go to the products"), Href: v.in("products")},
		},
	}
	head := ui.Head{Title: v.T("SBOMs"), Lead: v.T("The bills of materials of all products, those before and those that were withdrawn too.")}
	return l.show(v, documentsInRoom{v}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

// documentCell names a document.
func (v *visit) documentCell(d *inventory.Document) ui.Cell {
	c := linkCell(v.documentName(d), v.documentPath(d.ID))
	c.Note = formatWords(d, " ")
	if d.Part != "" {
		c.Note = v.T("%s, part %s", c.Note, d.Part)
	}
	return c
}

func (v *visit) documentName(d *inventory.Document) string {
	return cmp.Or(d.File, d.Subject, d.Name, v.documentNumber(d.ID))
}

func (v *visit) documentCounts(d *inventory.Document) ui.Cell {
	return ui.Cell{Text: v.reader().Count(d.Components), Note: v.T("%d assessable", d.Assessable)}
}

func (v *visit) documentRecorded(d *inventory.Document) ui.Cell {
	c := dateCell(v, d.Recorded)
	if d.RecordedBy != "" {
		c.Note = v.T("by %s", d.RecordedBy)
	}
	return c
}

// documentRow is a document among those of its product.
func (v *visit) documentRow(d *inventory.Document) ui.Row {
	return ui.Row{Cells: []ui.Cell{v.documentCell(d), badgeCell(v.documentBadges(d)...), v.documentCounts(d), v.documentRecorded(d)}}
}

const (
	oneDocument   entente.Text = "document"
	manyDocuments entente.Text = "documents"

	// aboutWithdrawing is what should be known before.
	aboutWithdrawing entente.Text = "What is withdrawn counts no more, and its components are forgotten; the document before it, if there is one, counts again. It cannot be undone, but the file can be recorded anew."
)

// documentActs are what can be done with many documents.
func (v *visit) documentActs() []bulkAct {
	if !v.may(identity.InventoryRemove) {
		return nil
	}
	return []bulkAct{withdrawAct()}
}

func withdrawAct() bulkAct {
	return bulkAct{
		key: "withdraw", label: "Withdraw", title: "Withdraw %s", now: "State now", grave: true, warn: aboutWithdrawing,
		action: func(v *visit) string { return v.in("withdraw-documents") },
		plan:   (*visit).planWithdrawing,
	}
}

func (v *visit) planWithdrawing(ids []string) (bulkPlan, error) {
	var plan bulkPlan
	for _, id := range ids {
		row := bulkRow{id: id, name: ui.Link{Text: id}}
		n, err := documentID(id)
		var d inventory.Document
		if err == nil {
			d, err = v.Inventory.Document(v.r.Context(), v.actor, n)
		}
		switch {
		case entente.KindOf(err) == entente.KindNotFound && err != nil:
			row.why = err
		case err != nil:
			return bulkPlan{}, err
		default:
			row.name, row.now = ui.Link{Text: v.documentName(&d), Href: v.documentPath(n)}, badgeCell(v.documentBadges(&d)...).Text
			if !d.Removed.IsZero() {
				row.why = entente.Conflict("it was withdrawn already")
			}
		}
		plan.rows = append(plan.rows, row)
	}
	return plan, nil
}

func documentID(id string) (uint32, error) {
	n, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return 0, entente.NotFound("There is no document %q.", id)
	}
	return uint32(n), nil
}

// askWithdrawDocument asks whether one document is to count no more.
func (v *visit) askWithdrawDocument() error {
	id, err := v.number("document", "There is no document %q.")
	if err != nil {
		return err
	}
	d, err := v.Inventory.Document(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	if !d.Removed.IsZero() {
		return entente.Conflict("it was withdrawn already")
	}
	name, at := v.documentName(&d), v.documentPath(id)
	return v.ask([]ui.Link{{Text: v.T("SBOMs"), Href: v.in("documents")}, {Text: name, Href: at}}, ui.Ask{
		Title: v.T("Withdraw %s?", name), Yes: v.T("Withdraw it"), Action: v.in("withdraw-documents"), Back: at, Text: v.T(aboutWithdrawing),
		Fields: []ui.Option{{Value: "ids", Label: v.r.PathValue("document")}},
	})
}

// withdrawDocuments withdraws the documents that were chosen and confirmed.
func (v *visit) withdrawDocuments() error {
	ask := v.confirmed()
	ask.one, ask.many = oneDocument, manyDocuments
	var ids []uint32
	for _, id := range ask.ids {
		n, err := documentID(id)
		if err != nil {
			return err
		}
		ids = append(ids, n)
	}
	err := v.Inventory.RemoveAll(v.r.Context(), v.actor, ids)
	if err != nil {
		a := withdrawAct()
		return v.refusedBulk(&a, ask, err)
	}
	return v.redirect(v.in("documents") + "?done=documents-withdrawn")
}
