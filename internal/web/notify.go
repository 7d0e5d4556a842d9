package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func notifyRoutes() []Route {
	return []Route{
		page("/o/{org}/webhooks", identity.WebhookRead, (*visit).hooks),
		act("/o/{org}/webhooks", identity.WebhookManage, (*visit).makeHook),
		page("/o/{org}/webhooks/{id}", identity.WebhookRead, (*visit).hook),
		act("/o/{org}/webhooks/{id}", identity.WebhookManage, (*visit).changeHook),
		act("/o/{org}/webhooks/{id}/pause", identity.WebhookManage, (*visit).pauseHook),
		act("/o/{org}/webhooks/{id}/resume", identity.WebhookManage, (*visit).resumeHook),
		act("/o/{org}/webhooks/{id}/secret", identity.WebhookManage, (*visit).rotateHook),
		act("/o/{org}/webhooks/{id}/test", identity.WebhookManage, (*visit).testHook),
		act("/o/{org}/webhooks/{id}/replay", identity.WebhookManage, (*visit).replayHook),
		page("/o/{org}/webhooks/{id}/remove", identity.WebhookManage, (*visit).askRemoveHook),
		act("/o/{org}/webhooks/{id}/remove", identity.WebhookManage, (*visit).removeHook),
		page("/o/{org}/new-webhook", identity.WebhookManage, (*visit).newHook),
		page("/o/{org}/webhook-log", identity.WebhookRead, (*visit).hookLog),
		act("/o/{org}/webhook-log/{id}/replay", identity.WebhookManage, (*visit).replayDelivery),
	}
}

var hookStates = map[notify.HookState]told{
	notify.HookOn:      {ui.Good, "on"},
	notify.HookPaused:  {ui.Calm, "paused"},
	notify.HookStopped: {ui.Bad, "stopped"},
}

func (v *visit) hookBadge(h notify.Hook) ui.Badge {
	state := hookStates[h.State]
	if h.State == notify.HookOn && !h.FailingSince.IsZero() {
		state = told{ui.Warn, "fails at the moment"}
	}
	return ui.Badge{Text: v.T(state.text), Tone: state.tone}
}

var deliveryStates = map[notify.DeliveryState]told{
	notify.Waiting:   {ui.Calm, "waiting"},
	notify.Delivered: {ui.Good, "delivered"},
	notify.Failed:    {ui.Bad, "given up"},
}

func (v *visit) deliveryBadge(s notify.DeliveryState) ui.Badge {
	state := deliveryStates[s]
	return ui.Badge{Text: v.T(state.text), Tone: state.tone}
}

// hookKind says a kind of events; one that no hook is told any more, as it is.
func (v *visit) hookKind(k journal.Kind) string {
	words, known := notify.KindWords(k)
	if !known {
		return string(k)
	}
	return v.T(words)
}

// hooks lists the webhooks of the organisation.
func (v *visit) hooks() error {
	all, err := v.Notify.Hooks(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	l := list[notify.Hook]{
		name: "webhooks", one: "webhook", many: "webhooks", search: "Search by name or address", sort: "name",
		empty: ui.Empty{Title: v.T("Nobody is told yet"), Text: v.T("A webhook tells a program of yours, by a signed message, when something happens here.")},
		text:  func(h notify.Hook) []string { return []string{h.Name, h.URL, h.By} },
		columns: []column[notify.Hook]{
			{key: "name", label: "Name", order: byText(func(h notify.Hook) string { return h.Name }), cell: func(h notify.Hook) ui.Cell {
				return ui.Cell{Text: h.Name, Href: v.in("webhooks", h.ID), Note: h.URL}
			}},
			{label: "State", cell: func(h notify.Hook) ui.Cell { return badgeCell(v.hookBadge(h)) }},
			{label: "Is told", cell: func(h notify.Hook) ui.Cell {
				return plainCell(v.N(len(h.Kinds), "%d kind of events", "%d kinds of events"))
			}},
			{key: "by", label: "Set up by", order: byText(func(h notify.Hook) string { return h.By }), cell: func(h notify.Hook) ui.Cell { return plainCell(h.By) }},
			{key: "since", label: "Since", tight: true, order: by(func(h notify.Hook) int64 { return h.Created.Unix() }), cell: func(h notify.Hook) ui.Cell { return dateCell(v, h.Created) }},
		},
	}
	head := ui.Head{Title: v.T("Webhooks"), Lead: v.T("Programs of yours that are told when something happens here."), Actions: []ui.Link{{Text: v.T("What was delivered"), Href: v.in("webhook-log")}}}
	if v.may(identity.WebhookManage) {
		head.Main = ui.Link{Text: v.T("Register a webhook"), Href: v.in("new-webhook")}
		l.empty.Next = head.Main
	}
	return l.show(v, held[notify.Hook]{l, all}, func(shown ui.List) templ.Component {
		return hooksView(hooksPage{Frame: v.frame(head.Title), Head: head, Notice: v.done(), List: shown})
	})
}

// hookForm makes the fields of a webhook.
func (v *visit) hookForm(n notify.NewHook) hookForm {
	f := hookForm{Name: n.Name, URL: n.URL, Kinds: ui.CheckGroup{Name: "kind", Label: v.T("What it is told"), Hint: v.T("It is told that something happened and where to look, never what.")}}
	for _, k := range n.Kinds {
		f.Kinds.Ticked = append(f.Kinds.Ticked, string(k))
	}
	for _, k := range notify.KindsFor(v.actor) {
		f.Kinds.Options = append(f.Kinds.Options, ui.Option{Value: string(k.Kind), Label: v.T(k.Words)})
	}
	return f
}

// typedHook reads the fields of [visit.hookForm].
func (v *visit) typedHook() notify.NewHook {
	n := notify.NewHook{Name: v.text("name"), URL: v.text("url")}
	for _, k := range v.r.PostForm["kind"] {
		n.Kinds = append(n.Kinds, journal.Kind(k))
	}
	return n
}

func (v *visit) newHook() error { return v.showNewHook(http.StatusOK, notify.NewHook{}, ui.Notice{}) }

func (v *visit) showNewHook(status int, n notify.NewHook, notice ui.Notice) error {
	title := v.T("Register a webhook")
	return v.show(status, newHookView(newHookPage{
		Frame: v.frame(title), Notice: notice, Form: v.hookForm(n), Action: v.in("webhooks"),
		Head: ui.Head{Crumbs: []ui.Link{{Text: v.T("Webhooks"), Href: v.in("webhooks")}}, Title: title, Lead: v.T("Each message is signed with a secret that you get once the webhook is registered.")},
	}))
}

func (v *visit) makeHook() error {
	n := v.typedHook()
	secret, made, err := v.Notify.CreateHook(v.r.Context(), v.actor, n)
	if err == nil {
		return v.showHook(http.StatusCreated, made.ID, hookPage{Secret: secret}, nil)
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showNewHook(statusFor(wrong), n, v.wrongNotice(wrong))
}

func (v *visit) hook() error {
	return v.showHook(http.StatusOK, v.r.PathValue("id"), hookPage{Notice: v.done()}, nil)
}

// showHook shows a webhook as it is or, where typed is given, as it was typed.
func (v *visit) showHook(status int, id string, p hookPage, typed *notify.NewHook) error {
	h, err := v.Notify.Hook(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	kinds := make([]string, len(h.Kinds))
	for i, k := range h.Kinds {
		kinds[i] = v.hookKind(k)
	}
	p.Frame = v.frame(h.Name)
	p.Head = ui.Head{
		Crumbs: []ui.Link{{Text: v.T("Webhooks"), Href: v.in("webhooks")}}, Title: h.Name, Badges: []ui.Badge{v.hookBadge(h)},
		Actions: []ui.Link{{Text: v.T("What was delivered"), Href: v.in("webhook-log") + "?" + url.Values{"hook": {h.ID}}.Encode()}},
	}
	p.Defs = []ui.Def{
		{Term: v.T("Address"), View: code(h.URL)}, {Term: v.T("Is told"), Text: v.T("%s", entente.Joined(kinds, "; "))}, {Term: v.T("Set up by"), Text: h.By},
		{Term: v.T("Since"), View: ui.Date(h.Created)},
	}
	switch {
	case h.State == notify.HookStopped:
		p.Stopped = ui.Notice{Tone: ui.Bad, Text: v.T("The webhook was stopped. Nothing more is sent until somebody lets it go on."), Items: []string{v.T("The reason: %s.", notify.Outcome(h.Why))}}
	case !h.FailingSince.IsZero():
		p.Defs = append(p.Defs, ui.Def{Term: v.T("Fails since"), View: ui.Time(h.FailingSince)})
	}
	if !h.FormerUntil.IsZero() {
		p.Defs = append(p.Defs, ui.Def{Term: v.T("Secret before counts until"), View: ui.Time(h.FormerUntil)})
	}
	if v.may(identity.WebhookManage) {
		n := notify.NewHook{Name: h.Name, URL: h.URL, Kinds: h.Kinds}
		if typed != nil {
			n = *typed
		}
		p.Manage, p.Form, p.Paused, p.Base = true, v.hookForm(n), h.State != notify.HookOn, v.in("webhooks", h.ID)
		p.Since = time.Now().UTC().AddDate(0, 0, -7).Format(time.DateOnly)
	}
	return v.show(status, hookView(p))
}

func (v *visit) changeHook() error {
	id, n := v.r.PathValue("id"), v.typedHook()
	_, err := v.Notify.ChangeHook(v.r.Context(), v.actor, id, n)
	return v.hookDone(id, "webhook-changed", err, &n)
}

// hookDone leads back to the webhook after an act, or says there why it failed.
func (v *visit) hookDone(id, done string, err error, typed *notify.NewHook) error {
	if err == nil {
		return v.redirect(v.in("webhooks", id) + "?done=" + done)
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showHook(statusFor(wrong), id, hookPage{Notice: v.wrongNotice(wrong)}, typed)
}

func (v *visit) pauseHook() error {
	_, err := v.Notify.PauseHook(v.r.Context(), v.actor, v.r.PathValue("id"), true)
	return v.hookDone(v.r.PathValue("id"), "webhook-paused", err, nil)
}

func (v *visit) resumeHook() error {
	_, err := v.Notify.PauseHook(v.r.Context(), v.actor, v.r.PathValue("id"), false)
	return v.hookDone(v.r.PathValue("id"), "webhook-resumed", err, nil)
}

func (v *visit) rotateHook() error {
	secret, h, err := v.Notify.RotateSecret(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.showHook(http.StatusOK, h.ID, hookPage{Secret: secret, Rotated: true}, nil)
}

func (v *visit) testHook() error {
	return v.hookDone(v.r.PathValue("id"), "webhook-tested", v.Notify.TestHook(v.r.Context(), v.actor, v.r.PathValue("id")), nil)
}

func (v *visit) removeHook() error {
	err := v.Notify.RemoveHook(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.redirect(v.in("webhooks") + "?done=webhook-removed")
}

// replayHook delivers again what was given up since a day.
func (v *visit) replayHook() error {
	id := v.r.PathValue("id")
	since, err := time.Parse(time.DateOnly, v.text("since"))
	if err != nil {
		return v.hookDone(id, "", entente.Invalid("choose the day from which on everything is delivered again"), nil)
	}
	n, err := v.Notify.ReplayFailed(v.r.Context(), v.actor, id, since)
	done := "webhook-replayed"
	if n == 0 {
		done = "webhook-nothing"
	}
	return v.hookDone(id, done, err, nil)
}

func (v *visit) replayDelivery() error {
	id := v.r.PathValue("id")
	err := v.Notify.Replay(v.r.Context(), v.actor, id)
	if err == nil {
		return v.redirect(v.in("webhook-log") + "?done=webhook-again")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	d, err := v.Notify.Delivery(v.r.Context(), v.actor, id)
	if err != nil {
		return err
	}
	return v.showHook(statusFor(wrong), d.Hook, hookPage{Notice: v.wrongNotice(wrong)}, nil)
}

// deliveries is the log as the room pages it.
type deliveries struct{ v *visit }

func (s deliveries) page(q query, offset, limit int) ([]notify.Delivery, int, int, error) {
	which := notify.Which{Hook: q.filter["hook"], State: notify.DeliveryState(q.filter["state"]), Kind: journal.Kind(q.filter["kind"])}
	which.Since, _ = time.Parse(time.DateOnly, q.filter["from"])
	found, matching, err := s.v.Notify.Deliveries(s.v.r.Context(), s.v.actor, which, offset, limit)
	return found, matching, -1, err
}

// hookLog lists what the webhooks were told.
func (v *visit) hookLog() error {
	all, err := v.Notify.Hooks(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	names, which := map[string]string{}, []ui.Option{{Label: v.T("All")}}
	for _, h := range all {
		names[h.ID] = h.Name
		which = append(which, ui.Option{Value: h.ID, Label: h.Name})
	}
	states := []ui.Option{{Label: v.T("All")}}
	for _, s := range notify.DeliveryStates() {
		states = append(states, ui.Option{Value: string(s), Label: lang.Capital(v.deliveryBadge(s).Text)})
	}
	kinds := []ui.Option{{Label: v.T("All")}, {Value: string(notify.EventTested), Label: v.hookKind(notify.EventTested)}}
	for _, k := range notify.KindsFor(entente.System(v.actor.Org, entente.DoorPage)) {
		kinds = append(kinds, ui.Option{Value: string(k.Kind), Label: v.T(k.Words)})
	}
	slices.SortStableFunc(kinds[1:], func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	l := list[notify.Delivery]{
		name: "webhook-log", one: "delivery", many: "deliveries",
		empty: ui.Empty{Title: v.T("Nothing was delivered yet"), Text: v.T("As soon as something happens of which a webhook is told, it stands here, for 30 days.")},
		columns: []column[notify.Delivery]{
			{label: "Event", cell: func(d notify.Delivery) ui.Cell { return ui.Cell{Text: v.hookKind(d.Kind), Note: d.Subject} }},
			{label: "Webhook", cell: func(d notify.Delivery) ui.Cell {
				return linkCell(names[d.Hook], v.in("webhooks", d.Hook))
			}},
			{label: "State", cell: func(d notify.Delivery) ui.Cell {
				c := badgeCell(v.deliveryBadge(d.State))
				if d.Error != "" {
					c.Note = v.Say(notify.Outcome(d.Error))
				}
				return c
			}},
			{label: "Attempts", num: true, cell: func(d notify.Delivery) ui.Cell { return plainCell(strconv.Itoa(d.Attempts)) }},
			{label: "Answer", num: true, cell: func(d notify.Delivery) ui.Cell {
				if d.Code == 0 {
					return ui.Cell{}
				}
				return plainCell(strconv.Itoa(d.Code))
			}},
			{label: "Took", num: true, cell: func(d notify.Delivery) ui.Cell {
				if d.Tried.IsZero() {
					return ui.Cell{}
				}
				return plainCell(v.T("%d ms", int(d.Took.Milliseconds())))
			}},
			{label: "Last attempt", tight: true, cell: func(d notify.Delivery) ui.Cell {
				if d.Tried.IsZero() {
					return ui.Cell{}
				}
				return momentCell(v, d.Tried)
			}},
		},
		filters: []filter[notify.Delivery]{{key: "hook", label: "Webhook", options: which}, {key: "state", label: "State", options: states}, {key: "kind", label: "Event", options: kinds}},
		fields:  []field[notify.Delivery]{{key: "from", label: "From (UTC)", kind: "date", valid: isDay, match: func(notify.Delivery, string) bool { return true }}},
	}
	if v.may(identity.WebhookManage) {
		l.columns = append(l.columns, column[notify.Delivery]{label: "Again", cell: func(d notify.Delivery) ui.Cell {
			if d.State == notify.Waiting {
				return ui.Cell{}
			}
			return ui.Cell{View: replayButton(v.in("webhook-log", d.ID, "replay"), v.T("Deliver event %d to %s again", int(d.Seq), names[d.Hook]))}
		}})
	}
	head := ui.Head{Crumbs: []ui.Link{{Text: v.T("Webhooks"), Href: v.in("webhooks")}}, Title: v.T("What was delivered"), Lead: v.T("A message that was not taken is sent again for a day, ever more seldom; then it is given up. Each keeps its webhook-id, by which a receiver knows one that it had already.")}
	return l.show(v, deliveries{v}, func(shown ui.List) templ.Component {
		return hooksView(hooksPage{Frame: v.frame(head.Title), Head: head, Notice: v.done(), List: shown})
	})
}
