package web

import (
	"net/http"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/ui"
)

func disclosureRoutes() []Route {
	const kind = identity.KindPartnership
	return []Route{
		page("/o/{org}/partners/{id}/disclosure", identity.ExchangeShare, (*visit).disclosure).on(kind),
		act("/o/{org}/partners/{id}/disclosure", identity.ExchangeShare, (*visit).chooseDisclosure).on(kind),
		act("/o/{org}/partners/{id}/disclosure/tell", identity.ExchangeShare, (*visit).tellDisclosure).on(kind),
	}
}

// toldTexts say how much is told of a supplier.
var toldTexts = map[chain.Level]entente.Text{
	chain.TellNothing: "Nothing",
	chain.TellCount:   "Only that there is one more",
	chain.TellBlind:   "What it does, and no name",
	chain.TellName:    "Its name",
}

// disclosurePage is where somebody chooses what a partner is told of our suppliers.
type disclosurePage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Empty    *ui.Empty // there is no supplier
	Name     string
	Overall  ui.Choice
	Choices  []ui.Choice
	Action   string
	Said     []string // in sentences
	Rows     []ui.Row // of those who are named or hidden
	Reason   string   // why it may not go there; "" if it may
	Tell     string   // where the form leads that tells it; "" if there is nothing to tell
	Button   string
	Revision string
	Before   []ui.Row
}

var (
	disclosureColumns = []ui.Column{{Label: "Supplier"}, {Label: "Category"}, {Label: "What hangs on it", Wide: true}}
	beforeColumns     = []ui.Column{{Label: "What was told"}, {Label: "When"}, {Label: "By"}}
)

// disclosure shows what a partner is told of our suppliers, and what it would be told.
func (v *visit) disclosure() error { return v.showDisclosure(http.StatusOK, v.done()) }

func (v *visit) showDisclosure(status int, notice ui.Notice) error {
	t, err := v.Carry.Telling(v.r.Context(), v.actor, v.party())
	if err != nil {
		return err
	}
	at := v.in("partners", string(v.party()), "disclosure")
	title := v.T("What %s is told of your suppliers", t.Partner.Name)
	shown := disclosurePage{
		Frame: v.frame(title), Notice: notice, Name: t.Partner.Name, Action: at,
		Head: ui.Head{Crumbs: v.partnerCrumbs(&t.Partner), Title: title, Lead: v.T("You decide how much. It is signed, dated and marked as yours, and you can take it back.")},
	}
	if len(t.Suppliers) == 0 {
		empty := v.noChain("No suppliers yet", chain.KindOrganisation)
		shown.Empty = &empty
		return v.show(status, disclosureView(shown))
	}
	options := make([]ui.Option, 0, len(chain.Levels()))
	for _, l := range chain.Levels() {
		options = append(options, ui.Option{Value: string(l), Label: v.T(toldTexts[l])})
	}
	shown.Overall = ui.Choice{Name: "overall", Label: v.T("Of all suppliers"), Value: string(t.Choice.Of("")), Options: options, Hint: v.T("As long as nothing else is said below.")}
	for _, s := range t.Suppliers {
		shown.Choices = append(shown.Choices, ui.Choice{
			Name: "of-" + string(s.Organisation.ID), Label: s.Organisation.Name, Value: string(s.Level), Hint: s.Category,
			Options: append([]ui.Option{{Label: v.T("As above")}}, options...),
		})
	}
	v.previewDisclosure(&shown, t, at)
	for _, s := range t.Before {
		shown.Before = append(shown.Before, ui.Row{Cells: []ui.Cell{plainCell(s.Title), momentCell(v, s.At), plainCell(s.By)}})
	}
	return v.show(status, disclosureView(shown))
}

// previewDisclosure says exactly what would be told.
func (v *visit) previewDisclosure(shown *disclosurePage, t carry.Telling, at string) {
	counts := map[chain.Level]int{}
	for _, s := range t.Suppliers {
		counts[s.Said]++
		switch s.Said {
		case chain.TellName, chain.TellBlind:
			shown.Rows = append(shown.Rows, ui.Row{Cells: []ui.Cell{v.toldCell(s), plainCell(s.Category), plainCell(v.hangsOn(s.Needed, chain.FormatDuration(s.Buffer)))}})
		}
	}
	if n := counts[chain.TellName]; n > 0 {
		shown.Said = append(shown.Said, v.N(n, "%d supplier by name.", "%d suppliers by name."))
	}
	if n := counts[chain.TellBlind]; n > 0 {
		shown.Said = append(shown.Said, v.N(n, "%d supplier without a name.", "%d suppliers without a name."))
	}
	if n := counts[chain.TellCount]; n > 0 {
		shown.Said = append(shown.Said, v.N(n, "That there is %d more, and nothing else of it.", "That there are %d more, and nothing else of them."))
	}
	switch {
	case counts[chain.TellNothing] == len(t.Suppliers):
		shown.Said = append(shown.Said, v.T("Nothing."))
	case counts[chain.TellNothing] > 0:
		shown.Said = append(shown.Said, v.T("That these are not all. Not how many there are besides."))
	default:
		shown.Said = append(shown.Said, v.T("That these are all."))
	}
	shown.Revision = strconv.FormatInt(t.Revision, 10)
	switch {
	case t.Anything() && !t.Line.Allowed:
		shown.Reason = v.T("It cannot go there: %s", t.Line.Reason)
	case t.Anything():
		shown.Said = append(shown.Said, v.T("It is marked %s.", t.Marking.TLP.String()))
		shown.Tell, shown.Button = at+"/tell", v.T("Tell %s now", t.Partner.Name)
	case len(t.Before) > 0:
		shown.Tell, shown.Button = at+"/tell", v.T("Take back what %s was told", t.Partner.Name)
	}
}

// toldCell names a supplier as the customer would read it.
func (v *visit) toldCell(s chain.ToTell) ui.Cell {
	if s.Said == chain.TellBlind {
		return ui.Cell{Text: v.T("Without a name"), Note: v.T("%s, behind a blind id", s.Organisation.Name)}
	}
	o := s.Organisation
	return ui.Cell{Text: o.Name, Note: strings.Join(append(nonEmpty(o.LEI, o.Country), o.Domains...), ", ")}
}

func nonEmpty(all ...string) []string {
	var kept []string
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// hangsOn says whether a supplier can go on without one of its own, and how long.
func (v *visit) hangsOn(needed bool, buffer string) string {
	span, err := chain.ParseDuration(buffer)
	switch {
	case !needed:
		return v.T("Nothing stops without it")
	case err != nil || span == 0:
		return v.T("Work stops at once without it")
	}
	return v.T("Work stops after %s without it", chain.SayDuration(span))
}

// choiceFrom reads what somebody chose in the form.
func (v *visit) choiceFrom() chain.Choice {
	c := chain.Choice{Overall: chain.Level(v.text("overall")), Suppliers: map[chain.NodeID]chain.Level{}}
	for name, values := range v.r.PostForm {
		if id, ok := strings.CutPrefix(name, "of-"); ok && len(values) > 0 && values[0] != "" {
			c.Suppliers[chain.NodeID(id)] = chain.Level(values[0])
		}
	}
	return c
}

func (v *visit) chooseDisclosure() error {
	if v.text("overall") == "" {
		return v.disclosureDone("", entente.Invalid("choose how much is told"))
	}
	return v.disclosureDone("chosen", v.Chain.Choose(v.r.Context(), v.actor, v.party(), v.choiceFrom()))
}

func (v *visit) tellDisclosure() error {
	revision, err := strconv.ParseInt(v.text("revision"), 10, 64)
	if err != nil {
		return entente.Invalid("the page is too old; look again at what would be told")
	}
	return v.disclosureDone("told", v.Carry.Tell(v.r.Context(), v.actor, v.party(), revision))
}

// disclosureDone leads back to the page after an act, or says there why it failed.
func (v *visit) disclosureDone(done string, err error) error {
	if err == nil {
		return v.redirect(v.in("partners", string(v.party()), "disclosure") + "?done=" + done + "#preview")
	}
	var wrong *entente.Error
	if !asInvalid(err, &wrong) {
		return err
	}
	return v.showDisclosure(statusFor(wrong), v.wrongNotice(wrong))
}

// disclosedRow is one supplier of a supplier, as it was told.
func (p *picture) disclosedRow(by string, d chain.Disclosed, id chain.NodeID) ui.Row {
	name := linkCell(d.Name, p.path(chain.KindOrganisation, id))
	if d.Name == "" {
		name = linkCell(p.v.Say(chain.Undisclosed(id)), name.Href)
		name.Note = p.v.T("%s did not tell its name", by)
	} else {
		name.Note = strings.Join(nonEmpty(d.Country, d.LEI), ", ")
	}
	return ui.Row{Cells: []ui.Cell{name, plainCell(d.Category), plainCell(p.v.hangsOn(d.Needed, d.Buffer)), linkCell(p.v.T("What if it stops?"), p.whatIf(id))}}
}

var (
	upstreamColumns = []ui.Column{{Label: "Its supplier"}, {Label: "Category"}, {Label: "What hangs on it", Wide: true}, {Label: "Look closer", Tight: true}}
	providerColumns = []ui.Column{{Label: "Provider"}, {Label: "Told by"}, {Label: "Your supplies that rest on it", Wide: true}, {Label: "Look closer", Tight: true}}
)

// toldView is what one supplier told of its own suppliers.
type toldView struct {
	By    string
	Told  chain.Told
	Rows  []ui.Row
	Notes []string
}

// told gives what an organisation tells of its suppliers now, and what it told before.
func (p *picture) told(id chain.NodeID) (now []toldView, before []ui.Row, err error) {
	all, err := p.v.Chain.Disclosures(p.v.r.Context(), p.v.actor, id)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range all {
		if t.State != chain.ToldStanding {
			what := p.v.T("replaced by a later one")
			switch t.State {
			case chain.ToldRecalled:
				what = p.v.T("taken back by %s on %s; what it said is deleted", t.Name, p.v.reader().Day(t.Ended))
			case chain.ToldExpired:
				what = p.v.T("its time ran out on %s; what it said is deleted", p.v.reader().Day(t.Ended))
			}
			before = append(before, ui.Row{Cells: []ui.Cell{momentCell(p.v, t.At), plainCell(t.TLP.String()), plainCell(p.v.reader().Count(len(t.Suppliers) + t.Counted)), plainCell(what)}})
			continue
		}
		one := toldView{By: t.Name, Told: t}
		for i, item := range p.g.ProvidersOf(t.Party) {
			one.Rows = append(one.Rows, p.disclosedRow(t.Name, t.Suppliers[i], item))
		}
		if t.Counted > 0 {
			one.Notes = append(one.Notes, p.v.N(t.Counted, "There is %d more, of which %[2]s told nothing else.", "There are %d more, of which %[2]s told nothing else.", t.Counted, t.Name))
		}
		if t.Complete {
			one.Notes = append(one.Notes, p.v.T("%s says that there are no others.", t.Name))
		} else {
			one.Notes = append(one.Notes, p.v.T("%s says that these are not all.", t.Name))
		}
		now = append(now, one)
	}
	return now, before, nil
}

var toldBeforeColumns = []ui.Column{{Label: "Told"}, {Label: "Marked"}, {Label: "Suppliers", Num: true}, {Label: "What became of it"}}

// toldBy says by whom something was told, and when.
func (v *visit) toldBy(all []chain.Told) string {
	words := make([]entente.Message, len(all))
	for i, t := range all {
		words[i] = entente.Say("%s, %s", t.Name, v.reader().Day(t.At))
	}
	return v.T("%s", entente.Joined(words, "; "))
}

// providers tells on whom our supplies rest, by what suppliers told.
func (p *picture) providers() (rows []ui.Row, sentences []string) {
	critical := len(p.g.CriticalSupplies())
	for _, one := range p.g.Providers() {
		name := linkCell(p.link(one.Node).Text, p.path(chain.KindOrganisation, one.ID))
		if one.Ours {
			name.Note = p.v.T("stands in your map too")
		}
		rests := plainCell(p.v.T("none stops without it"))
		if len(one.Stops) > 0 {
			rests = ui.Cell{Text: p.v.reader().AndMore(p.names(one.Stops), 3), Note: p.v.N(len(one.Critical), "%d of them critical", "%d of them critical")}
			if len(one.Critical) == 0 {
				rests.Note = p.v.T("none of them critical")
			}
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{name, plainCell(p.v.toldBy(one.By)), rests, linkCell(p.v.T("What if it stops?"), p.whatIf(one.ID))}})
		if len(one.Critical) > 0 && len(sentences) < 3 {
			of := one.Name
			if one.Blind {
				of = p.v.T("one undisclosed provider")
			}
			sentences = append(sentences, p.v.N(len(one.Critical), "%[1]d of your %[2]d critical supplies rests on %[3]s.", "%[1]d of your %[2]d critical supplies rest on %[3]s.", len(one.Critical), critical, of))
		}
	}
	return rows, sentences
}

// provider shows an organisation that is not in our map, as suppliers told of it.
func (v *visit) provider(p *picture, node chain.Node) error {
	told := p.g.ToldBy(node.ID)
	name, rank := p.link(node).Text, p.g.Rank(node.ID)
	o, ok := p.g.Organisation(node.ID)
	if !ok || len(told) == 0 {
		return entente.NotFound("There is no organisation %q in the map. It may have been renamed or removed by a later import.", node.ID)
	}
	shown := providerPage{
		Frame: v.frame(name), Stops: p.stops(chain.Node{ID: node.ID, Kind: node.Kind, Name: name}),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Suppliers"), Href: v.in("suppliers")}}, Title: name,
			Badges: []ui.Badge{{Text: v.Say(sayRank(rank)), Tone: ui.Accent}, {Text: v.T("told by suppliers")}},
			Lead:   v.T("You know of it only what suppliers told. It is their word, and nothing here can be changed by you."),
			Main:   ui.Link{Text: v.T("What if it stops?"), Href: p.whatIf(node.ID)},
		},
		Defs: []ui.Def{{Term: v.T("Category"), Text: o.Category}, {Term: v.T("Country"), Text: o.Country}, {Term: v.T("LEI"), Text: o.LEI}, {Term: v.T("Domains"), Text: strings.Join(o.Domains, ", ")}},
	}
	for _, one := range p.g.Providers() {
		if one.ID != node.ID {
			continue
		}
		for i, t := range one.By {
			by := p.named(t.By)
			shown.Told = append(shown.Told, ui.Row{Cells: []ui.Cell{{Text: by.Text, Href: by.Href, Note: t.TLP.String()}, dateCell(v, t.At), plainCell(one.Items[i].Category), plainCell(v.hangsOn(one.Items[i].Needed, one.Items[i].Buffer))}})
		}
		for _, id := range one.Stops {
			shown.Rest = append(shown.Rest, p.named(id))
		}
	}
	return v.show(http.StatusOK, providerView(shown))
}

// providerPage is an organisation of which only suppliers told.
type providerPage struct {
	Frame ui.Page
	Head  ui.Head
	Stops stopsView
	Told  []ui.Row
	Rest  []ui.Link
	Defs  []ui.Def
}

var providerToldColumns = []ui.Column{{Label: "Told by"}, {Label: "When", Tight: true}, {Label: "Category"}, {Label: "What hangs on it", Wide: true}}
