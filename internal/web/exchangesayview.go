package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

type sayKindsPage struct {
	Frame ui.Page
	Head  ui.Head
	None  ui.Empty // there is nobody to tell
	Kinds []sayKindView
}

type sayKindView struct {
	Link ui.Link
	What string
}

type sayPage struct {
	Frame   ui.Page
	Head    ui.Head
	Notice  ui.Notice
	Action  string
	Back    string
	Carried []ui.Option
	Fields  []sayField
	File    *ui.Field // nil where none is chosen
	Has     string    // what was chosen already
	Labels  radios
	Who     *radios // nil where it goes to one partner that is known
	To      ui.CheckGroup
	About   *ui.Choice // the one partner that it is about
	Named   sayField
	Terms   []sayField
	PAP     ui.Choice
	Private bool // the originator is withheld
}

// sayField is a field of one line or of several.
type sayField struct {
	ui.Field
	Lines int // 0: one
}

// radios is a question with one answer.
type radios struct {
	Name    string
	Label   string
	Value   string
	Options []radioOption
}

type radioOption struct {
	Value string
	Label string
	Text  string
}

// showSayForm shows the form of one kind, with what was typed.
func (v *visit) showSayForm(status int, values url.Values, notice ui.Notice) error {
	kind, ok := sayingOf(values.Get(sayKind))
	if !ok {
		return entente.NotFound("nothing of this kind is said here")
	}
	partners, err := v.activePartners()
	if err != nil {
		return err
	}
	title := v.T(kind.head)
	shown := sayPage{
		Frame: v.frame(title), Notice: notice, Action: v.in("say", "preview"), Back: v.in("say"),
		Head: ui.Head{Title: title, Lead: v.T(kind.what), Crumbs: []ui.Link{{Text: v.T("Say something to partners"), Href: v.in("say")}}},
	}
	for _, name := range []string{sayKind, sayAbout, sayAdvisory, sayDocument, sayFileName, sayFileSize, sayFileHash, sayRecord} {
		if value := values.Get(name); value != "" {
			shown.Carried = append(shown.Carried, ui.Option{Value: name, Label: value})
		}
	}
	v.sayFields(&shown, kind, values)
	v.sayAudience(&shown, kind, values, partners)
	shown.Labels = radios{Name: sayLabel, Label: v.T("How it is marked"), Value: values.Get(sayLabel)}
	for _, t := range entente.TLPs() {
		shown.Labels.Options = append(shown.Labels.Options, radioOption{t.String(), t.String(), v.T(labelTexts[t])})
	}
	shown.Named = sayField{ui.Field{Name: sayNamed, Label: v.T("People who may see it"), Value: values.Get(sayNamed), Hint: v.T("One in each line, as they are known at the partner: a name, an e-mail address or a role such as security-lead.")}, 3}
	v.sayTerms(&shown, values)
	if kind.kind == entente.EntryAnswer {
		ref, err := exchange.ReadRef(values.Get(sayAbout))
		if err != nil {
			return err
		}
		e, err := v.Exchange.Entry(v.r.Context(), v.actor, ref.Party, ref.Number)
		if err != nil {
			return err
		}
		shown.Back = v.entryPath(e)
		shown.Head.Title, shown.Head.Lead = v.T("Answer %s", e.Name), e.Title
		shown.Head.Crumbs = []ui.Link{{Text: v.T("Inbox"), Href: v.in("inbox")}, {Text: v.entryTitle(e), Href: shown.Back}}
	}
	return v.show(status, sayView(shown))
}

// sayFields are what is typed of each kind.
func (v *visit) sayFields(shown *sayPage, kind saying, values url.Values) {
	add := func(lines int, required bool, name string, label entente.Text, hint entente.Text, kind string) {
		f := sayField{ui.Field{Name: name, Label: v.T(label), Value: values.Get(name), Type: kind, Required: required, MaxLength: entente.MaxTitle}, lines}
		if hint != "" {
			f.Hint = v.T(hint)
		}
		if lines > 0 {
			f.MaxLength = entente.MaxText
		}
		shown.Fields = append(shown.Fields, f)
	}
	file := func(label, hint entente.Text, accept string) {
		shown.File = &ui.Field{Name: sayFile, Label: v.T(label), Type: "file", Hint: v.T(hint), Accept: accept, Required: !values.Has(sayFileName)}
		if name := values.Get(sayFileName); name != "" {
			shown.Has = v.T("You have chosen %s. Choose another file only if it is to take its place.", name)
		}
	}
	switch kind.kind {
	case entente.EntryPractice:
		add(0, true, sayTitle, "What it is about", "", "")
		add(8, true, sayText, "What you do, and why it works", "", "")
	case entente.EntryConcern:
		add(0, true, sayTitle, "What worries you, in a few words", "", "")
		add(8, true, sayText, "What you have seen, and what you want to know", "", "")
		add(0, false, sayBy, "Answer until", "The date is preset by what you have agreed. Both sides see it, and both see when it is over.", "date")
	case entente.EntryNote:
		add(0, true, sayTitle, "What the meeting was about", "", "")
		add(0, true, sayDate, "When you met", "", "date")
		add(3, false, sayPeople, "Who was there, by role, one in each line", "Roles instead of names: such as security lead of the supplier.", "")
		add(6, true, sayPoints, "What you agreed, one point in each line", "", "")
		add(4, false, sayText, "Further notes", "", "")
	case entente.EntryAnswer:
		add(8, true, sayText, "Your answer", "", "")
	case entente.EntryAdvisory:
		if id := values.Get(sayAdvisory); id != "" {
			shown.Has = v.T("The advisory %s goes as it is recorded here.", id)
			return
		}
		add(0, false, sayTitle, "What is wrong, in a few words", "", "")
		add(6, false, sayText, "What can happen, and what to do about it", "", "")
		add(0, false, sayPackage, "Package URL of what has it", "As SBOMs name it, such as pkg:npm/left-pad: then your customers' programs find where they use it. Empty: only people are told.", "")
		add(0, false, sayFixed, "First version without it", "Empty: there is none yet, or the versions stand below.", "")
		add(3, false, sayVersions, "Versions that have it, one in each line", "Empty: all before the first version without it.", "")
		add(0, false, sayID, "Name of the advisory", "Later news about it bear the same name.", "")
		file("Or a file", "One record in the OSV format (JSON) takes the place of all that is written above.", ".json,application/json")
		shown.File.Required = false
	case entente.EntrySBOM:
		add(0, true, sayProduct, "Product", "As your customers know it.", "")
		add(0, false, sayVersion, "Version", "", "")
		if values.Get(sayDocument) != "" && !values.Has(sayFileName) {
			file("SBOM file", "Choose the file again that is recorded here: only what it lists is kept, not the file. Another file is refused.", "")
			return
		}
		file("SBOM file", "CycloneDX or SPDX, up to 512 MB.", "")
	case entente.EntryThreat:
		add(0, false, sayTitle, "What it is, in a few words", "", "")
		file("STIX file", "A bundle of STIX 2.1 (JSON).", ".json,application/json")
	}
}

// sayAudience asks who gets it.
func (v *visit) sayAudience(shown *sayPage, kind saying, values url.Values, partners []exchange.Partner) {
	switch kind.kind {
	case entente.EntryAnswer:
		return
	case entente.EntryConcern:
		about := ui.Choice{Name: sayTo, Label: v.T("Which partner it is about"), Value: values.Get(sayTo), Options: []ui.Option{{Label: v.T("Choose")}}, Hint: v.T("Only they get it.")}
		for _, p := range partners {
			about.Options = append(about.Options, ui.Option{Value: string(p.Party), Label: p.Name})
		}
		shown.About = &about
		return
	}
	shown.Who = &radios{Name: sayWho, Label: v.T("Who gets it"), Value: cmp.Or(values.Get(sayWho), sayEveryone), Options: []radioOption{
		{sayEveryone, v.T("All partners"), v.T("Everybody whom the label and your agreements let have it. The next page names them.")},
		{sayChosen, v.T("Only those chosen below"), v.T("They see that it is for them, and nobody sees who else got it.")},
	}}
	shown.To = ui.CheckGroup{Name: sayTo, Label: v.T("Partners"), Ticked: values[sayTo]}
	for _, p := range partners {
		label := p.Name
		if trade := v.tradeWords(p.Supplies(), p.Buys()); trade != "" {
			label = v.T("%s, %s", p.Name, trade)
		}
		shown.To.Options = append(shown.To.Options, ui.Option{Value: string(p.Party), Label: label})
	}
}

// papTexts say what the labels of the Permissible Actions Protocol let recipients do.
var papTexts = map[entente.PAP]entente.Text{
	entente.PAPClear: "They may do anything with it.",
	entente.PAPGreen: "They may act on it: block, ping, set a trap.",
	entente.PAPAmber: "They may look things up, also with others, but not touch what it is about.",
	entente.PAPRed:   "They may only look into their own logs, so that nobody notices.",
}

// sayTerms are the conditions that most do not need.
func (v *visit) sayTerms(shown *sayPage, values url.Values) {
	add := func(name string, label, hint entente.Text, kind string) {
		shown.Terms = append(shown.Terms, sayField{ui.Field{Name: name, Label: v.T(label), Hint: v.T(hint), Value: values.Get(name), Type: kind, MaxLength: entente.MaxMarkingText}, 0})
	}
	add(sayPurpose, "What it may be used for", "Recipients read it beside the label.", "")
	add(sayExpires, "Until when it counts", "Nobody passes it on after that day, and holders delete it.", "date")
	add(sayEmbargo, "Under embargo until", "Nobody passes it on before the end of that day.", "date")
	add(sayBasis, "On what ground you share it", "For your own ledger: a contract, a law, a decision. Partners do not see it.", "")
	shown.Private = values.Get(sayWithheld) != ""
	shown.PAP = ui.Choice{Name: sayPAP, Label: v.T("What recipients may do with it"), Value: values.Get(sayPAP), Options: []ui.Option{{Label: v.T("Nothing is said about it")}}}
	for _, p := range []entente.PAP{entente.PAPClear, entente.PAPGreen, entente.PAPAmber, entente.PAPRed} {
		shown.PAP.Options = append(shown.PAP.Options, ui.Option{Value: string(p), Label: v.T("%s: %s", string(p), papTexts[p])})
	}
}

type sayPreviewPage struct {
	Frame    ui.Page
	Head     ui.Head
	Notice   ui.Notice
	Said     saidView
	Marking  []ui.Def
	Gets     []ui.Row
	Not      []ui.Row
	Findings []findingView
	Carried  []ui.Option
	Send     string
	Edit     string
	Nobody   bool
}

// findingView is something found in the content on which a person decides.
type findingView struct {
	At     string
	Kind   string
	What   string
	Value  string
	Gone   bool // it is let go
	Reason string
}

// findingTexts say what was found, and why that matters.
var findingTexts = map[exchange.FindingKind]entente.Text{
	exchange.FoundPersonal: "Data about a person",
	exchange.FoundSecret:   "A secret that opens something",
	exchange.FoundVictim:   "The name of another partner, who may be the victim",
	exchange.FoundInside:   "An address of an inner network",
}

// findingViews are the findings as the forms show them.
func (v *visit) findingViews(found []exchange.Finding, values url.Values) []findingView {
	decided := decidedOf(values, found)
	views := make([]findingView, len(found))
	for i, f := range found {
		views[i] = findingView{
			At: strconv.Itoa(i), Kind: v.T(findingTexts[f.Kind]), What: f.What, Value: string(f.Kind) + " " + f.What, Reason: values.Get(sayReason + strconv.Itoa(i)),
			Gone: slices.ContainsFunc(decided, func(d exchange.Decision) bool { return d.Finding == f }),
		}
	}
	return views
}

// showSayPreview shows who would get a statement and why, and who would not.
func (v *visit) showSayPreview(status int, values url.Values, n exchange.NewStatement, notice ui.Notice) error {
	lines, err := v.Exchange.Preview(v.r.Context(), v.actor, n)
	if err != nil {
		return err
	}
	found, err := v.Exchange.Findings(v.r.Context(), v.actor, n)
	if err != nil {
		return err
	}
	kind, _ := sayingOf(values.Get(sayKind))
	title := v.T("Before it goes")
	shown := sayPreviewPage{
		Frame: v.frame(title), Notice: notice, Send: v.in("say"), Edit: v.in("say", "edit"), Said: v.saidOf(n.Kind, n.Body, n.Blobs), Marking: v.markingDefs(n.Marking),
		Findings: v.findingViews(found, values),
		Head:     ui.Head{Crumbs: []ui.Link{{Text: v.T("Say something to partners"), Href: v.in("say")}}, Title: title, Badges: []ui.Badge{tlpBadge(n.Marking.TLP)}, Lead: v.T(kind.head)},
	}
	shown.Gets, shown.Not = v.lineRows(lines)
	shown.Nobody = len(shown.Gets) == 0
	decisions := map[string]bool{}
	for i := range found {
		decisions[sayLetGo+strconv.Itoa(i)], decisions[sayReason+strconv.Itoa(i)] = true, true
	}
	for _, o := range carriedOf(values) {
		if !decisions[o.Value] && o.Value != sayFile {
			shown.Carried = append(shown.Carried, o)
		}
	}
	return v.show(status, sayPreviewView(shown))
}

// lineRows are who gets something and why, and who does not and why not.
func (v *visit) lineRows(lines []exchange.Line) (gets, not []ui.Row) {
	for _, l := range lines {
		row := ui.Row{Cells: []ui.Cell{linkCell(l.Name, v.in("partners", string(l.Party))), plainCell(lang.Capital(v.Say(l.Reason)))}}
		if l.Allowed {
			gets = append(gets, row)
		} else {
			not = append(not, row)
		}
	}
	return gets, not
}

// tlpBadge is a label of TLP as a badge: the stricter, the louder.
func tlpBadge(t entente.TLP) ui.Badge {
	tones := map[entente.TLP]ui.Tone{entente.TLPGreen: ui.Good, entente.TLPAmber: ui.Warn, entente.TLPAmberStrict: ui.Warn, entente.TLPRed: ui.Bad}
	return ui.Badge{Text: t.String(), Tone: tones[t]}
}

// allowedTexts say to a recipient what a label lets them do.
var allowedTexts = map[entente.TLP]entente.Text{
	entente.TLPClear:       "You may tell it to anybody.",
	entente.TLPGreen:       "You may pass it on to partners and in your community. You may not make it public.",
	entente.TLPAmber:       "It may be known in your organisation to those who need it, and go on to those of your customers who need to know it. It may not go to your suppliers.",
	entente.TLPAmberStrict: "It stays in your organisation, with those who need it.",
	entente.TLPRed:         "It is for the people who are named. They tell nobody else, also not in their own organisation.",
}

// markingDefs says in words how something is marked.
func (v *visit) markingDefs(m entente.Marking) []ui.Def {
	defs := []ui.Def{{Term: m.TLP.String(), Text: v.T(labelTexts[m.TLP])}}
	if len(m.People) > 0 {
		defs = append(defs, ui.Def{Term: v.T("For"), Text: v.reader().And(m.People)})
	}
	if m.PAP != "" {
		defs = append(defs, ui.Def{Term: string(m.PAP), Text: v.T(papTexts[m.PAP])})
	}
	defs = append(defs, ui.Def{Term: v.T("To be used for"), Text: m.Purpose})
	if m.NoAttribution {
		defs = append(defs, ui.Def{Term: v.T("Source"), Text: v.T("Who passes it on does not say from whom it came.")})
	}
	if !m.Embargo.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Embargo"), View: ui.Phrase(entente.Say("Nobody passes it on before %s.", ui.Time(m.Embargo)))})
	}
	if !m.Expires.IsZero() {
		defs = append(defs, ui.Def{Term: v.T("Counts until"), View: ui.Time(m.Expires)})
	}
	return defs
}
