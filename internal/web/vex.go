package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func vexRoutes() []Route {
	return []Route{
		page("/o/{org}/products/{id}/vex", identity.ExchangeShare, (*visit).vexForm),
		act("/o/{org}/products/{id}/vex", identity.ExchangeShare, (*visit).sayVEX),
	}
}

// vexTexts say how a product stands, in words.
var vexTexts = map[vex.Status]entente.Text{
	vex.NotAffected: "not affected", vex.Affected: "affected", vex.Fixed: "fixed", vex.UnderInvestigation: "under investigation",
}

// justificationTexts are why a product is not affected.
var justificationTexts = map[string]entente.Text{
	"component_not_present":                             "The component is not in it",
	"vulnerable_code_not_present":                       "The code with the weakness is not in it",
	"vulnerable_code_not_in_execute_path":               "The code with the weakness is never run",
	"vulnerable_code_cannot_be_controlled_by_adversary": "No attacker can reach the code with the weakness",
	"inline_mitigations_already_exist":                  "Something in it prevents the attack",
}

// vexPage is where somebody says how a product of ours stands.
type vexPage struct {
	Frame         ui.Page
	Head          ui.Head
	Notice        ui.Notice
	Foreign       *ui.Empty // it is another's product: who says how it stands
	Action        string
	Vulnerability ui.Field
	Status        ui.Choice
	Justification ui.Choice
	Why           ui.Field
	Do            ui.Field
	To            ui.CheckGroup
	Looked        bool // who would get it is shown
	Gets, Not     []ui.Row
}

var spokenColumns = []ui.Column{{Label: "Product"}, {Label: "Vulnerability"}, {Label: "What was said"}, {Label: "Why, and what to do", Wide: true}, {Label: "Who and when"}}

// spokenRows tell what suppliers said of products.
func (p *picture) spokenRows(all []advisory.Spoken) []ui.Row {
	v := p.v
	var rows []ui.Row
	for i := range all {
		s := &all[i]
		tone := ui.Calm
		switch {
		case s.State != "standing": // it does not count
		case s.Status == vex.NotAffected, s.Status == vex.Fixed:
			tone = ui.Good
		case s.Status == vex.Affected:
			tone = ui.Bad
		}
		said := badgeCell(ui.Badge{Text: v.T(vexTexts[s.Status]), Tone: tone})
		switch s.State {
		case "replaced":
			said.Note = v.T("replaced by a later word")
		case "recalled":
			said.Note = v.T("taken back %s; what it said is deleted", v.reader().Day(s.Ended))
		case "expired":
			said.Note = v.T("its time ran out on %s; what it said is deleted", v.reader().Day(s.Ended))
		}
		why := s.Text
		if text, known := justificationTexts[s.Justification]; known {
			why = strings.TrimSpace(v.T(text) + ". " + why)
		} else if why == "" {
			why = strings.ReplaceAll(s.Justification, "_", " ")
		}
		product := p.named(s.Product)
		rows = append(rows, ui.Row{Cells: []ui.Cell{
			linkCell(product.Text, product.Href), linkCell(s.Vulnerability, v.advisoryPath(s.Vulnerability)), said, {Text: why, Note: s.Action}, {Text: v.T("%s says", s.By), Note: v.reader().Day(s.At)},
		}})
	}
	return rows
}

func (v *visit) vexForm() error { return v.showVEX(http.StatusOK, ui.Notice{}, nil) }

// showVEX shows the form; lines, if any, are who would get what is typed in.
func (v *visit) showVEX(status int, notice ui.Notice, lines []exchange.Line) error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	id := chain.NodeID(v.r.PathValue("id"))
	product, err := p.productOf(id)
	if err != nil {
		return err
	}
	title := v.T("Is %s affected?", product.Name)
	shown := vexPage{
		Frame: v.frame(title), Notice: notice, Action: v.in("products", string(id), "vex"),
		Head:          ui.Head{Crumbs: []ui.Link{{Text: v.T("Products"), Href: v.in("products")}, {Text: product.Name, Href: v.in("products", string(id))}}, Title: title, Lead: v.T("You say how your product stands to a vulnerability. Customers read it as your word, with the date.")},
		Vulnerability: ui.Field{Name: "vulnerability", Label: v.T("Vulnerability"), Value: v.typed("vulnerability"), Required: true, MaxLength: 256, Hint: v.T("Such as CVE-2026-12345.")},
		Status:        ui.Choice{Name: "status", Label: v.T("How it stands"), Value: v.typed("status")},
		Justification: ui.Choice{Name: "justification", Label: v.T("Why, if it is not affected"), Value: v.typed("justification"), Options: []ui.Option{{Label: v.T("In my own words only")}}},
		Why:           ui.Field{Name: "text", Label: v.T("In your words"), Value: v.typed("text"), MaxLength: 2000},
		Do:            ui.Field{Name: "action", Label: v.T("What customers should do"), Value: v.typed("action"), MaxLength: 2000},
		To:            ui.CheckGroup{Name: "to", Label: v.T("Whom you tell"), Hint: v.T("Nobody: it counts in your own pages only.")},
	}
	if product.Supplier != p.own() {
		foreign, err := v.askSupplier(p, product)
		if err != nil {
			return err
		}
		shown.Foreign, shown.Head.Lead = &foreign, ""
		return v.show(status, vexView(shown))
	}
	for _, s := range vex.Statuses() {
		shown.Status.Options = append(shown.Status.Options, ui.Option{Value: string(s), Label: lang.Capital(v.T(vexTexts[s]))})
	}
	for _, j := range vex.Justifications() {
		shown.Justification.Options = append(shown.Justification.Options, ui.Option{Value: j, Label: v.T(justificationTexts[j])})
	}
	partners, err := v.Exchange.Partners(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, one := range partners {
		if one.State == exchange.Active && one.Buys() {
			shown.To.Options = append(shown.To.Options, ui.Option{Value: string(one.Party), Label: one.Name})
		}
	}
	shown.To.Ticked = v.r.PostForm["to"]
	shown.Looked = len(lines) > 0
	shown.Gets, shown.Not = v.lineRows(lines)
	return v.show(status, vexView(shown))
}

// askSupplier says of another's product who says how it stands, and leads to asking.
func (v *visit) askSupplier(p *picture, product *chain.Product) (ui.Empty, error) {
	supplier := p.named(product.Supplier)
	e := ui.Empty{
		Title: v.T("%s says how it stands", supplier.Text),
		Text:  v.T("Whether a product is affected is said by who makes it, and %s is made by %s. What they say shows with the product and the advisory, dated and as their word.", product.Name, supplier.Text),
		Next:  ui.Link{Text: v.T("Go to %s", supplier.Text), Href: supplier.Href},
	}
	partners, err := v.activePartners()
	if err != nil {
		return e, err
	}
	for _, one := range partners {
		if one.KnownAs == string(product.Supplier) {
			ask := v.T("Is %s affected?", product.Name)
			if about := v.typed("vulnerability"); about != "" {
				ask = v.T("Is %s affected by %s?", product.Name, about)
			}
			e.Next = ui.Link{Text: v.T("Ask %s", one.Name), Href: v.in("say") + "?" + url.Values{sayKind: {string(entente.EntryConcern)}, sayTo: {string(one.Party)}, sayTitle: {ask}}.Encode()}
		}
	}
	return e, nil
}

// sayVEXLink leads from a finding of a product of ours to where somebody says how it
// stands; nil for those who may not.
func (v *visit) sayVEXLink(product chain.NodeID, vulnerability string) templ.Component {
	if !v.may(identity.ExchangeShare) {
		return nil
	}
	return ui.LinkTo(ui.Link{Text: v.T("Say whether it is affected"), Href: v.in("products", string(product), "vex") + "?vulnerability=" + url.QueryEscape(vulnerability)})
}

// typed is what somebody typed into a form that is shown again, or what a link asks to
// be filled in.
func (v *visit) typed(name string) string {
	if s := v.text(name); s != "" {
		return s
	}
	return strings.TrimSpace(v.r.URL.Query().Get(name))
}

func (v *visit) sayVEX() error {
	id := chain.NodeID(v.r.PathValue("id"))
	s := vex.Statement{Vulnerability: v.text("vulnerability"), Status: vex.Status(v.text("status")), Justification: v.text("justification"), Text: v.text("text"), Action: v.text("action")}
	if s.Status != vex.NotAffected {
		s.Justification = ""
	}
	var to []entente.PartyID
	for _, party := range v.r.PostForm["to"] {
		if !slices.Contains(to, entente.PartyID(party)) {
			to = append(to, entente.PartyID(party))
		}
	}
	say := v.Carry.State
	look := v.text("look") != ""
	if look {
		say = v.Carry.StatePreview
	}
	lines, err := say(v.r.Context(), v.actor, id, s, to)
	var wrong *entente.Error
	if asInvalid(err, &wrong) {
		return v.showVEX(statusFor(wrong), v.wrongNotice(wrong), nil)
	}
	if err != nil {
		return err
	}
	if look {
		notice := ui.Notice{Text: v.T("Nothing is sent yet.")}
		if len(to) == 0 {
			notice.Text = v.T("You tell nobody: it would count in your own pages only.")
		}
		return v.showVEX(http.StatusOK, notice, lines)
	}
	return v.redirect(v.in("products", string(id)) + "?done=told#vex")
}
