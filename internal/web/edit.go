package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

// roomOf is where the pages of the things of a kind are.
var roomOf = map[chain.NodeKind]string{
	chain.KindOrganisation: "suppliers", chain.KindProcess: "processes", chain.KindSystem: "systems",
	chain.KindSupply: "supplies", chain.KindProduct: "products", chain.KindFlow: "flows",
}

func editRoutes() []Route {
	var routes []Route
	for _, kind := range kindsWithForms() {
		with := func(run func(*visit, chain.NodeKind) error) func(*visit) error {
			return func(v *visit) error { return run(v, kind) }
		}
		at := "/o/{org}/" + roomOf[kind] + "/{id}/"
		routes = append(routes,
			page("/o/{org}/new/"+string(kind), identity.ChainEdit, with((*visit).editForm)).on(string(kind)),
			act("/o/{org}/new/"+string(kind), identity.ChainEdit, with((*visit).editSave)).on(string(kind)).within(editLimits),
			page(at+"edit", identity.ChainEdit, with((*visit).editForm)).on(string(kind)),
			act(at+"edit", identity.ChainEdit, with((*visit).editSave)).on(string(kind)).within(editLimits),
			page(at+"remove", identity.ChainEdit, with((*visit).askRemoveThing)).on(string(kind)),
			act(at+"remove", identity.ChainEdit, with((*visit).editRemove)).on(string(kind)),
			page(at+"history", identity.ChainRead, with((*visit).past)),
			act(at+"undo", identity.ChainEdit, with((*visit).undo)).on(string(kind)),
		)
	}
	return routes
}

var editLimits = limits{body: 1 << 20, time: pageLimits.time}

// editLinks are the ways to change a thing, and to see what was changed.
func (v *visit) editLinks(kind chain.NodeKind, id chain.NodeID) []ui.Link {
	var links []ui.Link
	if v.mayOn(identity.ChainEdit, string(kind), string(id)) {
		links = append(links, ui.Link{Text: v.T("Edit"), Href: v.in(roomOf[kind], string(id), "edit")})
	}
	return append(links, ui.Link{Text: v.T("What changed"), Href: v.in(roomOf[kind], string(id), "history")})
}

// newLink leads to the form of a new thing, for those who may add one.
func (v *visit) newLink(kind chain.NodeKind, text string) []ui.Link {
	if !v.mayOn(identity.ChainEdit, string(kind), "") {
		return nil
	}
	return []ui.Link{{Text: text, Href: v.in("new", string(kind))}}
}

// editForm shows the form of a thing, or of a new one.
func (v *visit) editForm(kind chain.NodeKind) error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	var thing chain.Thing
	what := newTyped()
	if id := v.r.PathValue("id"); id != "" {
		thing, err = v.Chain.Thing(v.r.Context(), v.actor, kind, chain.NodeID(id))
		if err != nil {
			return err
		}
		fields, err := thing.Fields()
		if err != nil {
			return err
		}
		what = typedOf(editForms[kind], fields)
	}
	return v.show(http.StatusOK, editPageView(v.editShown(p, kind, what, thing.Version)))
}

func (v *visit) editShown(p *picture, kind chain.NodeKind, what *typed, version string) editPage {
	id := chain.NodeID(v.r.PathValue("id"))
	shown := editPage{
		Action: v.in("new", string(kind)), Version: version, Form: what.view(v, editForms[kind], "", id != ""), Things: p.thingOptions(),
		Save: v.T(textsOfThings[kind].Add), Cancel: v.listOf(kind),
		Head: ui.Head{Title: v.T(textsOfThings[kind].New), Crumbs: []ui.Link{{Text: v.T(textsOfThings[kind].Many), Href: v.listOf(kind)}}},
	}
	if id != "" {
		name := p.name(id)
		shown.Head.Title, shown.Save, shown.Action = v.T("Edit %s", name), v.T("Save"), v.in(roomOf[kind], string(id), "edit")
		shown.Cancel = v.thingPage(p, kind, id)
		shown.Head.Crumbs = append(shown.Head.Crumbs, ui.Link{Text: name, Href: shown.Cancel})
		shown.Head.Actions = []ui.Link{{Text: v.T("What changed"), Href: v.in(roomOf[kind], string(id), "history")}}
		shown.Remove = v.in(roomOf[kind], string(id), "remove")
	}
	shown.Frame = v.frame(shown.Head.Title)
	return shown
}

// listOf is the page that lists the things of a kind.
func (v *visit) listOf(kind chain.NodeKind) string {
	switch kind {
	case chain.KindFlow:
		return v.in("data-flows")
	}
	return v.in(roomOf[kind])
}

// thingPage is the page on which a thing is shown.
func (v *visit) thingPage(p *picture, kind chain.NodeKind, id chain.NodeID) string {
	if kind == chain.KindFlow {
		return v.in("data-flows")
	}
	if to := p.path(kind, id); to != "" {
		return to
	}
	return v.listOf(kind)
}

// editSave saves what was typed, or changes the rows of the form without saving.
func (v *visit) editSave(kind chain.NodeKind) error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	err = v.r.ParseForm()
	if err != nil {
		return unreadable(err)
	}
	form := v.r.PostForm
	if dropped := form.Get("drop"); dropped != "" {
		for key := range form {
			if strings.HasPrefix(key, dropped+".") {
				form.Set(key, "") // a row of empty fields is left out
			}
		}
	}
	what, version := typedIn(editForms[kind], "", form), form.Get("as-read")
	id := v.r.PathValue("id")
	if id != "" {
		what.values["id"] = id
	}
	// A field for one more thing comes by itself when the form is shown again.
	if added := form.Get("add"); added != "" || form.Has("drop") || form.Has("more") {
		if added != "" {
			what.addRow(added)
		}
		return v.show(http.StatusOK, editPageView(v.editShown(p, kind, what, version)))
	}
	text, err := json.Marshal(what.fields(editForms[kind], p.resolver()))
	if err != nil {
		return err
	}
	to := chain.NodeID(what.values["id"])
	_, err = v.Chain.PutThing(v.r.Context(), v.actor, kind, to, string(text), version)
	if err == nil {
		return v.redirect(v.in(roomOf[kind], string(to), "history") + "?done=saved")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	shown := v.editShown(p, kind, what, version)
	shown.Notice = ui.Notice{Tone: ui.Bad, Text: v.sentence(wrong), Items: v.wrongAt(&shown.Form, wrong.Fields)}
	now, edited := chain.WasEdited(err)
	if edited && id != "" {
		mine, err := chain.Canonical(kind, string(text))
		if err != nil {
			return err
		}
		shown.Version, shown.Other = now.Version, diffLines(now.Text, mine)
	}
	status := http.StatusUnprocessableEntity
	if wrong.Kind == entente.KindConflict {
		status = http.StatusConflict
	}
	return v.show(status, editPageView(shown))
}

// editRemove removes a thing, or says what relies on it.
func (v *visit) editRemove(kind chain.NodeKind) error {
	id := chain.NodeID(v.r.PathValue("id"))
	_, err := v.Chain.RemoveThing(v.r.Context(), v.actor, kind, id, v.text("as-read"))
	if err == nil {
		return v.redirect(v.in(roomOf[kind], string(id), "history") + "?done=gone")
	}
	return v.refusedPast(kind, err)
}

// past shows what was changed of a thing, also of one that is gone.
func (v *visit) past(kind chain.NodeKind) error {
	shown, err := v.pastShown(kind)
	if err != nil {
		return err
	}
	shown.Notice = v.undoThing(v.done(), &shown)
	return v.show(http.StatusOK, pastPageView(shown))
}

// changesShown is how many changes of a thing its page shows.
const changesShown = 50

func (v *visit) pastShown(kind chain.NodeKind) (pastPage, error) {
	id := chain.NodeID(v.r.PathValue("id"))
	p, err := v.picture()
	if err != nil {
		return pastPage{}, err
	}
	past, err := v.Chain.History(v.r.Context(), v.actor, kind, id, changesShown)
	if err != nil {
		return pastPage{}, err
	}
	_, err = v.Chain.Thing(v.r.Context(), v.actor, kind, id)
	there := err == nil
	if !there && (entente.KindOf(err) != entente.KindNotFound || len(past) == 0) {
		return pastPage{}, err
	}
	name := p.name(id)
	shown := pastPage{
		Frame: v.frame(v.T("What changed of %s", name)),
		Head: ui.Head{
			Title: v.T("What changed of %s", name), Lead: v.T("Every change, the latest first, as the map writes it. Struck out is what went, underlined is what came."),
			Crumbs: []ui.Link{{Text: v.T(textsOfThings[kind].Many), Href: v.listOf(kind)}},
		},
	}
	may := v.mayOn(identity.ChainEdit, string(kind), string(id))
	if there {
		shown.Head.Crumbs = append(shown.Head.Crumbs, ui.Link{Text: name, Href: v.thingPage(p, kind, id)})
		if may {
			shown.Head.Actions = []ui.Link{{Text: v.T("Edit"), Href: v.in(roomOf[kind], string(id), "edit")}}
		}
	}
	if may {
		shown.Undo = v.in(roomOf[kind], string(id), "undo")
	}
	for _, c := range past {
		shown.Past = append(shown.Past, pastView{N: strconv.FormatInt(c.N, 10), What: v.T(whatHappened(&c)), By: c.By, At: c.At, Lines: diffLines(c.Before, c.After)})
	}
	return shown, nil
}

func whatHappened(c *chain.Past) entente.Text {
	switch {
	case c.Before == "" && c.Import:
		return "Added by an import"
	case c.After == "" && c.Import:
		return "Removed by an import"
	case c.Import:
		return "Changed by an import"
	case c.Before == "":
		return "Added"
	case c.After == "":
		return "Removed"
	}
	return "Changed"
}

// undo restores what a thing was before its latest change.
func (v *visit) undo(kind chain.NodeKind) error {
	id := chain.NodeID(v.r.PathValue("id"))
	n, err := strconv.ParseInt(v.text("n"), 10, 64)
	if err != nil {
		return entente.Invalid("The request does not say which change is to be undone.")
	}
	_, err = v.Chain.UndoThing(v.r.Context(), v.actor, kind, id, n)
	if err == nil {
		return v.redirect(v.in(roomOf[kind], string(id), "history") + "?done=undone")
	}
	return v.refusedPast(kind, err)
}

// refusedPast shows the history of a thing with the reason for which a change of it
// was refused.
func (v *visit) refusedPast(kind chain.NodeKind, err error) error {
	var wrong *entente.Error
	if !errors.As(err, &wrong) || wrong.Kind != entente.KindConflict {
		return err
	}
	shown, failed := v.pastShown(kind)
	if failed != nil {
		return failed
	}
	shown.Notice = v.wrongNotice(wrong)
	return v.show(http.StatusConflict, pastPageView(shown))
}

// mostCompared bounds the work of a comparison, in lines of either text.
const mostCompared = 1500

// diffLines compares two texts line by line.
func diffLines(before, after string) []diffLine {
	a, b := textLines(before), textLines(after)
	var out []diffLine
	if len(a) > mostCompared || len(b) > mostCompared {
		for _, l := range a {
			out = append(out, diffLine{Gone: true, Text: l})
		}
		for _, l := range b {
			out = append(out, diffLine{New: true, Text: l})
		}
		return out
	}
	common := make([][]int, len(a)+1) // lines that a[i:] and b[j:] have in common
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, diffLine{Text: a[i]})
			i++
			j++
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			out = append(out, diffLine{Gone: true, Text: a[i]})
			i++
		default:
			out = append(out, diffLine{New: true, Text: b[j]})
			j++
		}
	}
	return out
}

func textLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
