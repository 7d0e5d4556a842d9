package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func bulkRoutes() []Route {
	return []Route{
		// What of a batch may be done is decided by chain.edit, thing by thing.
		choosing(act("/o/{org}/batch", identity.ChainImport, (*visit).batch)),
		page("/o/{org}/changes/{id}", identity.ChainRead, (*visit).change),
		act("/o/{org}/changes/{id}/undo", identity.ChainImport, (*visit).undoChange),
		choosing(act("/o/{org}/tiers", identity.ChainOverride, (*visit).setTiers)),
		act("/o/{org}/tiers/{id}/undo", identity.ChainOverride, (*visit).undoTiers),
		choosing(act("/o/{org}/roles", identity.PeopleManage, (*visit).setRoles)),
		act("/o/{org}/roles/{id}/undo", identity.PeopleManage, (*visit).undoRoles),
	}
}

// fieldActs says how each field is asked for that many things can be given at once.
var fieldActs = map[chain.BatchField]struct{ label, title, field, now entente.Text }{
	chain.BatchOwner:       {"Set the owner", "Set the owner of %s", "Owner", "Owner now"},
	chain.BatchCriticality: {"Set the criticality", "Set the criticality of %s", "Criticality", "Criticality now"},
	chain.BatchCategory:    {"Set the category", "Set the category of %s", "Category", "Category now"},
	chain.BatchCountry:     {"Set the country", "Set the country of %s", "Country", "Country now"},
	chain.BatchKind:        {"Set the kind", "Set the kind of %s", "Kind", "Kind now"},
	chain.BatchOperator:    {"Set who runs them", "Set who runs %s", "Run by", "Run by now"},
	chain.BatchSupplier:    {"Set the supplier", "Set the supplier of %s", "Supplier", "Supplier now"},
	chain.BatchClass:       {"Set the class", "Set the class of %s", "Class", "Class now"},
}

// fieldHints say what is to be typed into a field of a batch.
var fieldHints = map[chain.BatchField]entente.Text{
	chain.BatchCountry: "Two letters, like DE.",
	chain.BatchOwner:   "Who answers for them: a function or a name.",
}

// fieldChoices are the values of the fields that have only a few.
var fieldChoices = map[chain.NodeKind]map[chain.BatchField][]choice{
	chain.KindProcess: {chain.BatchCriticality: criticalities},
	chain.KindSystem:  {chain.BatchKind: systemKinds},
	chain.KindSupply:  {chain.BatchKind: supplyTerms},
	chain.KindFlow:    {chain.BatchClass: dataClasses},
}

// mayBatch says whether the visitor may change anything of a kind.
func (v *visit) mayBatch(kind chain.NodeKind) bool {
	if !v.may(identity.ChainImport) {
		return false
	}
	if v.mayOn(identity.ChainEdit, string(kind), "") {
		return true
	}
	return slices.ContainsFunc(v.actor.Scope, func(id string) bool { return v.mayOn(identity.ChainEdit, string(kind), id) })
}

// chainActs are what can be done with many things of a kind.
func (v *visit) chainActs(kind chain.NodeKind) []bulkAct {
	if !v.mayBatch(kind) {
		return nil
	}
	var acts []bulkAct
	for _, f := range append(chain.BatchFields(kind), chain.BatchRemove) {
		acts = append(acts, chainAct(kind, f))
	}
	return acts
}

const removeKey = "remove"

func chainAct(kind chain.NodeKind, f chain.BatchField) bulkAct {
	a := bulkAct{
		key: string(kind) + "." + string(f), action: func(v *visit) string { return v.in("batch") },
		plan: func(v *visit, ids []string) (bulkPlan, error) { return v.planBatch(kind, f, ids) },
	}
	if f == chain.BatchRemove {
		a.key, a.label, a.title, a.grave = string(kind)+"."+removeKey, "Remove", "Remove %s", true
		a.warn = "Nothing was changed yet. What is removed can be brought back by undoing the change."
		return a
	}
	words := fieldActs[f]
	a.label, a.title, a.now = words.label, words.title, words.now
	a.fields = func(v *visit) ([]bulkField, error) { return v.batchFields(kind, f) }
	return a
}

func (v *visit) batchFields(kind chain.NodeKind, f chain.BatchField) ([]bulkField, error) {
	p, err := v.picture()
	if err != nil {
		return nil, err
	}
	one := bulkField{Field: ui.Field{Name: "value", Label: v.T(fieldActs[f].field), MaxLength: 200}}
	if hint := fieldHints[f]; hint != "" {
		one.Hint = v.T(hint)
	}
	if choices := fieldChoices[kind][f]; choices != nil {
		one.Choose, one.Options = true, v.options(choices)
		return []bulkField{one}, nil
	}
	one.Options = p.knownValues(f)
	return []bulkField{one}, nil
}

// knownValues suggests what a field of a batch holds elsewhere.
func (p *picture) knownValues(f chain.BatchField) []ui.Option {
	m := p.g.Map()
	var options []ui.Option
	seen := map[string]bool{}
	add := func(value, label string) {
		if value != "" && !seen[value] && len(options) < mostThings {
			seen[value] = true
			options = append(options, ui.Option{Value: value, Label: label})
		}
	}
	for i := range m.Processes {
		if f == chain.BatchOwner {
			add(m.Processes[i].Owner, "")
		}
	}
	for i := range m.Organisations {
		o := &m.Organisations[i]
		switch f {
		case chain.BatchCategory:
			add(o.Category, "")
		case chain.BatchCountry:
			add(o.Country, "")
		case chain.BatchOperator, chain.BatchSupplier:
			add(o.Name, "")
		}
	}
	slices.SortFunc(options, func(a, b ui.Option) int { return strings.Compare(a.Value, b.Value) })
	return options
}

func nodeIDs(ids []string) []chain.NodeID {
	out := make([]chain.NodeID, len(ids))
	for i, id := range ids {
		out[i] = chain.NodeID(id)
	}
	return out
}

func (v *visit) planBatch(kind chain.NodeKind, f chain.BatchField, ids []string) (bulkPlan, error) {
	p, err := v.picture()
	if err != nil {
		return bulkPlan{}, err
	}
	planned, err := v.Chain.PlanBatch(v.r.Context(), v.actor, chain.Batch{Kind: kind, IDs: nodeIDs(ids), Field: f})
	if err != nil {
		return bulkPlan{}, err
	}
	plan := bulkPlan{version: strconv.FormatInt(planned.Revision, 10)}
	for _, t := range planned.Things {
		row := bulkRow{id: string(t.ID), name: ui.Link{Text: t.Name, Href: p.path(kind, t.ID)}, now: t.Now, why: t.Why}
		if f == chain.BatchOperator || f == chain.BatchSupplier {
			row.now = p.nameOr(chain.NodeID(t.Now))
		}
		for _, w := range t.With {
			row.with = append(row.with, w.Name)
		}
		plan.rows = append(plan.rows, row)
	}
	return plan, nil
}

// nameOr names a thing; nothing stays nothing.
func (p *picture) nameOr(id chain.NodeID) string {
	if id == "" {
		return ""
	}
	return p.name(id)
}

// batch does what the page that asked was about.
func (v *visit) batch() error {
	ask := v.confirmed()
	kind, name, _ := strings.Cut(v.text("act"), ".")
	f := chain.BatchField(name)
	if name == removeKey {
		f = chain.BatchRemove
	}
	b := chain.Batch{Kind: chain.NodeKind(kind), IDs: nodeIDs(ask.ids), Field: f, Value: v.text("value")}
	b.Revision, _ = strconv.ParseInt(v.text("as-read"), 10, 64)
	if f != chain.BatchRemove && !slices.Contains(chain.BatchFields(b.Kind), f) || roomOf[b.Kind] == "" {
		return entente.Invalid("the request does not say what is to be done; choose it in the list")
	}
	if f == chain.BatchOperator || f == chain.BatchSupplier {
		p, err := v.picture()
		if err != nil {
			return err
		}
		b.Value = p.resolver()(b.Value)
	}
	ask.one, ask.many = nounsOf(b.Kind)
	done, err := v.Chain.ApplyBatch(v.r.Context(), v.actor, b)
	if err != nil {
		a := chainAct(b.Kind, f)
		return v.refusedBulk(&a, ask, err)
	}
	if done.Unchanged() {
		return v.redirect(ask.back)
	}
	return v.redirect(doneTo(ask.back, "batch", done.Revision))
}

// nounsOf names one thing of a kind and several.
func nounsOf(kind chain.NodeKind) (one, many entente.Text) {
	switch kind {
	case chain.KindProcess:
		return "process", "processes"
	case chain.KindSystem:
		return "system", "systems"
	case chain.KindOrganisation:
		return "supplier", "suppliers"
	case chain.KindProduct:
		return "product", "products"
	case chain.KindSupply:
		return "supply", "supplies"
	case chain.KindFlow:
		return "data flow", "data flows"
	}
	return "row", "rows"
}

// change shows one change of the chain, whatever it changed.
func (v *visit) change() error { return v.showChange(http.StatusOK, v.done()) }

// thingsOfChange is how many things of a change its page shows.
const thingsOfChange = 200

func (v *visit) changeNumber() (int64, error) {
	n, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, errNoPage
	}
	return n, nil
}

// changed gives what a change did, as far as its page needs it, and how many things
// there are in all: an import can change everything.
func (v *visit) changed(n int64) ([]chain.PastThing, int, error) {
	return listAtHead(v, asked{"change", n, []string{fromChain}}, func() ([]chain.PastThing, int, error) {
		all, err := v.Chain.ChangeAt(v.r.Context(), v.actor, n)
		total := len(all)
		if total > chain.MaxBatch {
			all = slices.Clone(all[:min(total, thingsOfChange)])
		}
		return all, total, err
	})
}

func (v *visit) showChange(status int, notice ui.Notice) error {
	n, err := v.changeNumber()
	if err != nil {
		return err
	}
	all, total, err := v.changed(n)
	if err != nil {
		return err
	}
	title := v.T("Change %s", v.reader().Number(n))
	p := changePage{
		Frame: v.frame(title), Notice: notice, By: all[0].By, At: all[0].At,
		Head: ui.Head{Title: title, Lead: v.N(total, "It changed one thing. Struck out is what went, underlined is what came.", "It changed %d things. Struck out is what went, underlined is what came.")},
	}
	may := v.may(identity.ChainImport) && total <= chain.MaxBatch
	for i := range all {
		may = may && v.mayOn(identity.ChainEdit, string(all[i].Kind), string(all[i].ID))
	}
	if may {
		p.Undo = v.in("changes", v.r.PathValue("id"), "undo")
	}
	for i := range all[:min(len(all), thingsOfChange)] {
		t := &all[i]
		one := changedView{Lines: diffLines(t.Before, t.After)}
		switch {
		case t.Before == "":
			one.What = v.T("%s: added", t.Name)
		case t.After == "":
			one.What = v.T("%s: removed", t.Name)
		default:
			one.What = v.T("%s: changed", t.Name)
		}
		one.Name = ui.Link{Text: v.T("Everything that changed of it"), Href: v.in(roomOf[t.Kind], string(t.ID), "history")}
		p.Things = append(p.Things, one)
	}
	if more := total - len(p.Things); more > 0 {
		p.More = v.N(more, "… and one more.", "… and %d more.")
	}
	return v.show(status, changeView(p))
}

// undoChange takes a whole change back, or says what stands in the way.
func (v *visit) undoChange() error {
	n, err := v.changeNumber()
	if err != nil {
		return err
	}
	done, err := v.Chain.UndoChange(v.r.Context(), v.actor, n)
	if err == nil {
		return v.redirect(v.in("changes", strconv.FormatInt(max(done.Revision, n), 10)) + "?done=undone")
	}
	var wrong *entente.Error
	if !errors.As(err, &wrong) || wrong.Kind != entente.KindConflict && wrong.Kind != entente.KindTooLarge {
		return err
	}
	notice := ui.Notice{Tone: ui.Bad, Text: v.wrongText(wrong)}
	for _, f := range wrong.Fields {
		notice.Items = append(notice.Items, f.String())
	}
	return v.showChange(statusFor(wrong), notice)
}
