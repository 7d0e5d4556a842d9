package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// threadOf is what both sides said about a concern, but the entry that the page shows.
func (v *visit) threadOf(all []exchange.Received, but *exchange.Received) []threadItem {
	var items []threadItem
	for _, r := range all {
		item := threadItem{Who: v.T("You"), When: r.Said, Kind: v.saidName(r.Kind), Ours: r.Way == exchange.Out}
		if !item.Ours {
			item.Who, item.Href = r.Name, v.entryPath(r)
		}
		if but != nil && r.Way == but.Way && r.Number == but.Number {
			item.Href = ""
		}
		switch {
		case r.State == exchange.Recalled:
			item.Text = v.T("It was taken back.")
		case r.Hidden:
			item.Text = v.Say(r.Why)
		default:
			var b struct {
				Title string `json:"title"`
				Text  string `json:"text"`
			}
			if json.Unmarshal(r.Body, &b) == nil {
				item.Title, item.Text = b.Title, b.Text
			}
		}
		items = append(items, item)
	}
	return items
}

// concerns lists what each side is worried about, the next date first.
func (v *visit) concerns() error {
	all, err := v.Exchange.Concerns(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	type row = exchange.Concern
	now := time.Now()
	l := list[row]{
		name: "concerns", one: "concern", many: "concerns", search: "Search by title or partner", sort: "due",
		empty: ui.Empty{Title: v.T("No concerns"), Text: v.T("When something about a partner worries you, ask early, and name a date.")},
		text:  func(r row) []string { return []string{r.Title, r.Name} },
		columns: []column[row]{
			{key: "title", label: "Concern", order: byText(func(r row) string { return r.Title }), cell: func(r row) ui.Cell {
				at := v.entryPath(r.Received)
				if r.Way == exchange.Out {
					at = v.in("concerns", exchange.EntryRef{Party: r.Party, Number: r.Number}.String())
				}
				return linkCell(v.entryTitle(r.Received), at)
			}},
			{key: "side", label: "Who asks", order: byText(func(r row) string { return string(r.Way) + r.Name }), cell: func(r row) ui.Cell {
				if r.Way == exchange.Out {
					return plainCell(v.T("You ask %s", r.Name))
				}
				return plainCell(v.T("%s asks you", r.Name))
			}},
			{key: "due", label: "Answer until", tight: true, order: by(dueOrder), cell: func(r row) ui.Cell {
				if r.Due.IsZero() {
					return plainCell(v.T("no date"))
				}
				return dateCell(v, r.Due)
			}},
			{key: "state", label: "State", order: byText(func(r row) string { return v.concernBadge(r, now).Text }), cell: func(r row) ui.Cell { return badgeCell(v.concernBadge(r, now)) }},
			{key: "said", label: "Said", tight: true, order: by(func(r row) int64 { return r.Said.Unix() }), cell: func(r row) ui.Cell { return dateCell(v, r.Said) }},
		},
		filters: []filter[row]{
			{key: "side", label: "Who asks", options: []ui.Option{{Label: v.T("All")}, {Value: string(exchange.In), Label: v.T("Partners ask us")}, {Value: string(exchange.Out), Label: v.T("We ask partners")}}, match: func(r row, value string) bool { return string(r.Way) == value }},
			{key: "state", label: "State", options: []ui.Option{{Label: v.T("All")}, {Value: "open", Label: v.T("Not answered")}, {Value: "overdue", Label: v.T("Overdue")}, {Value: "answered", Label: v.T("Answered")}}, match: func(r row, value string) bool {
				return value == "open" && r.Reply.IsZero() || value == "overdue" && r.Overdue(now) || value == "answered" && !r.Reply.IsZero()
			}},
		},
	}
	head := ui.Head{Title: v.T("Concerns"), Lead: v.T("What one side wants heard before it becomes an incident, and until when the other answers.")}
	if v.may(identity.ExchangeShare) {
		head.Main = ui.Link{Text: v.T("Tell a concern"), Href: v.in("say") + "?kind=concern"}
		l.empty.Next = head.Main
	}
	return l.show(v, held[row]{l, all}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

// dueOrder puts concerns without a date last.
func dueOrder(c exchange.Concern) int64 {
	if c.Due.IsZero() {
		return 1 << 62
	}
	return c.Due.Unix()
}

func (v *visit) concernBadge(c exchange.Concern, now time.Time) ui.Badge {
	switch {
	case !c.Reply.IsZero():
		return ui.Badge{Text: v.T("answered"), Tone: ui.Good}
	case c.Overdue(now):
		return ui.Badge{Text: v.T("overdue"), Tone: ui.Bad}
	}
	return ui.Badge{Text: v.T("not answered"), Tone: ui.Warn}
}

// concern shows a concern of ours at one partner, with what was said about it.
func (v *visit) concern() error {
	ref, err := v.entryRef()
	if err != nil {
		return err
	}
	r, err := v.Exchange.SaidTo(v.r.Context(), v.actor, ref.Party, ref.Number)
	if err == nil && r.Kind != entente.EntryConcern {
		err = entente.NotFound("there is no such concern")
	}
	if err != nil {
		return err
	}
	thread, err := v.Exchange.Thread(v.r.Context(), v.actor, r.Party, r.Subject)
	if err != nil {
		return err
	}
	shown := concernPage{
		Frame: v.frame(v.entryTitle(r)),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Concerns"), Href: v.in("concerns")}}, Title: v.entryTitle(r), Lead: v.T("You ask %s.", r.Name), Badges: []ui.Badge{tlpBadge(r.Marking.TLP)},
		},
	}
	if r.State == exchange.Standing {
		shown.Head.Badges = append(shown.Head.Badges, v.concernBadge(exchange.ConcernOf(r, thread), time.Now()))
	}
	shown.Defs = []ui.Def{{Term: v.T("Answer until"), View: orNothing(!r.Due.IsZero(), ui.Time(r.Due))}, {Term: v.T("Read there"), View: orNothing(!r.Read.IsZero(), ui.Time(r.Read))}, {Term: v.T("Acknowledged there"), View: orNothing(!r.Answered.IsZero(), ui.Time(r.Answered))}}
	if r.Statement != "" {
		shown.Ledger = v.saidPath(r.Statement)
	}
	shown.Thread = v.threadOf(thread, nil)
	return v.show(http.StatusOK, concernView(shown))
}
