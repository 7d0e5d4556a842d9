package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/threat"
	"github.com/entente-project/entente/internal/threat/stix"
	"github.com/entente-project/entente/internal/web/ui"
)

func threatRoutes() []Route {
	return []Route{
		page("/o/{org}/threats", identity.AdvisoryRead, (*visit).threats),
		page("/o/{org}/threats/{id}", identity.AdvisoryRead, (*visit).threat),
		page("/o/{org}/threats/{id}/original", identity.AdvisoryRead, (*visit).threatFile),
	}
}

// threatTexts say what the types of STIX are, in plain words.
var threatTexts = map[string]entente.Text{
	"attack-pattern": "Way of attacking", "campaign": "Campaign", "course-of-action": "What to do", "grouping": "Group of objects", "identity": "Person or organisation",
	"incident": "Incident", "indicator": "Sign to look for", "infrastructure": "Infrastructure of attackers", "intrusion-set": "Group of attacks", "location": "Place",
	"malware": "Malware", "malware-analysis": "Analysis of malware", "note": "Note", "observed-data": "Observation", "opinion": "Opinion", "report": "Report",
	"threat-actor": "Attacker", "tool": "Tool of attackers", "vulnerability": "Vulnerability", "relationship": "Relation", "sighting": "Sighting",
	"marking-definition": "Marking", "extension-definition": "Extension", "language-content": "Translation", "file": "File", "url": "URL", "domain-name": "Domain",
	"ipv4-addr": "Address (IPv4)", "ipv6-addr": "Address (IPv6)", "email-addr": "E-mail address", "email-message": "E-mail",
}

func (v *visit) threatType(kind string) string {
	if text, ok := threatTexts[kind]; ok {
		return v.T(text)
	}
	return kind
}

func threatPath(t threat.Threat) string {
	return string(t.Party) + "." + strconv.FormatUint(t.Number, 10) + "." + t.ID
}

// threats lists what partners shared of threats.
func (v *visit) threats() error {
	all, err := v.Threat.List(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	type row = threat.Threat
	title := func(t row) string {
		if t.Title == "" {
			return t.ID
		}
		return t.Title
	}
	var labels []ui.Option
	for _, t := range entente.TLPs()[:4] {
		labels = append(labels, ui.Option{Value: t.String(), Label: t.String()})
	}
	l := list[row]{
		name: "threats", one: "threat", many: "threats", sort: "-when", search: "Search by name, type or partner",
		empty: ui.Empty{Title: v.T("No threats yet"), Text: v.T("What partners share of threats, as STIX 2.1, is kept here: what to look for, who attacks and how.")},
		text:  func(t row) []string { return []string{t.Title, t.ID, t.Type, v.threatType(t.Type), t.By} },
		columns: []column[row]{
			{key: "title", label: "What", order: byText(title), cell: func(t row) ui.Cell { return ui.Cell{Text: title(t), Href: v.in("threats", threatPath(t))} }},
			{key: "type", label: "Type", order: byText(func(t row) string { return v.threatType(t.Type) }), cell: func(t row) ui.Cell { return plainCell(v.threatType(t.Type)) }},
			{key: "by", label: "Said by", order: byText(func(t row) string { return t.By }), cell: func(t row) ui.Cell { return linkCell(t.By, v.in("partners", string(t.Party))) }},
			{key: "when", label: "When", tight: true, order: by(func(t row) int64 { return t.At.Unix() }), cell: func(t row) ui.Cell { return momentCell(v, t.At) }},
			{key: "label", label: "Marked", tight: true, order: by(func(t row) int { return int(t.TLP) }), cell: func(t row) ui.Cell { return badgeCell(tlpBadge(t.TLP)) }},
		},
		filters: []filter[row]{
			{key: "type", label: "Type", options: valuesOf(v.T("All"), all, func(t row) string { return v.threatType(t.Type) }), match: func(t row, value string) bool { return v.threatType(t.Type) == value }},
			{key: "by", label: "Said by", options: valuesOf(v.T("All"), all, func(t row) string { return t.By }), match: func(t row, value string) bool { return t.By == value }},
			{key: "label", label: "Marked", options: append([]ui.Option{{Label: v.T("All")}}, labels...), match: func(t row, value string) bool { return t.TLP.String() == value }},
		},
	}
	head := ui.Head{Title: v.T("Threats"), Lead: v.T("What partners have seen of attackers, attributed and dated. Look at the label before you pass anything on.")}
	return l.show(v, held[row]{l, all}, func(shown ui.List) templ.Component { return listView(v.frame(head.Title), head, shown) })
}

func (v *visit) threatOf() (threat.Threat, error) {
	parts := strings.SplitN(v.r.PathValue("id"), ".", 3)
	if len(parts) != 3 {
		return threat.Threat{}, errNoPage
	}
	number, err := strconv.ParseUint(parts[1], 10, 63)
	if err != nil {
		return threat.Threat{}, errNoPage
	}
	return v.Threat.Get(v.r.Context(), v.actor, entente.PartyID(parts[0]), number, parts[2])
}

// threatPage is one object in plain words.
type threatPage struct {
	Frame  ui.Page
	Head   ui.Head
	Notice ui.Notice
	Words  string
	Defs   []ui.Def
	Terms  []ui.Row
	File   string
}

var termColumns = []ui.Column{{Label: "Where to look"}, {Label: "How it compares", Tight: true}, {Label: "What for"}}

// threat shows one object in plain words.
func (v *visit) threat() error {
	t, err := v.threatOf()
	if err != nil {
		return err
	}
	if !t.Ended.IsZero() {
		return v.show(http.StatusOK, threatView(v.threatGone(t)))
	}
	o, err := t.Object()
	if err != nil {
		return err
	}
	title := t.Title
	if title == "" {
		title = v.threatType(t.Type)
	}
	shown := threatPage{
		Frame: v.frame(title), Words: o.Text("description"), File: v.in("threats", threatPath(t), "original"),
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Threats"), Href: v.in("threats")}}, Title: title,
			Badges: []ui.Badge{{Text: v.threatType(t.Type), Tone: ui.Accent}, tlpBadge(t.TLP)}, Lead: v.T("%s said so on %s.", t.By, v.reader().Day(t.At)),
		},
	}
	if o.Revoked() {
		shown.Head.Badges = append(shown.Head.Badges, ui.Badge{Text: v.T("revoked by its creator"), Tone: ui.Warn})
	}
	if shown.Words == "" {
		shown.Words = o.Text("content")
	}
	day := func(name string) string {
		if at := o.Time(name); !at.IsZero() {
			return v.reader().Day(at)
		}
		return ""
	}
	list := func(name string) string { return v.reader().And(o.Texts(name)) }
	shown.Defs = []ui.Def{
		{Term: v.T("Also called"), Text: list("aliases")}, {Term: v.T("Kinds"), Text: strings.Join(nonEmpty(list("indicator_types"), list("malware_types"), list("threat_actor_types"), list("tool_types"), list("report_types"), list("infrastructure_types")), ", ")},
		{Term: v.T("Goals"), Text: list("goals")}, {Term: v.T("First seen"), Text: day("first_seen")}, {Term: v.T("Last seen"), Text: day("last_seen")},
		{Term: v.T("Look for it from"), Text: day("valid_from")}, {Term: v.T("Until"), Text: day("valid_until")},
		{Term: v.T("From"), Text: o.Text("source_ref")}, {Term: v.T("Relation"), Text: o.Text("relationship_type")}, {Term: v.T("To"), Text: o.Text("target_ref")},
		{Term: v.T("Made"), Text: day("created")}, {Term: v.T("Changed"), Text: day("modified")}, {Term: v.T("Identifier"), View: code(t.ID)},
	}
	if o.Type == "indicator" && o.Text("pattern_type") == "stix" {
		terms, _ := stix.Terms(o.Text("pattern")) // a pattern that cannot be read stands in the original
		for _, one := range terms {
			shown.Terms = append(shown.Terms, ui.Row{Cells: []ui.Cell{{Text: v.threatType(one.Object), Note: one.Path}, plainCell(one.Op), plainCell(one.Value)}})
		}
	} else if o.Type == "indicator" {
		shown.Terms = []ui.Row{{Cells: []ui.Cell{plainCell(o.Text("pattern_type")), plainCell("–"), plainCell(o.Text("pattern"))}}}
	}
	return v.show(http.StatusOK, threatView(shown))
}

// threatGone says how a threat went.
func (v *visit) threatGone(t threat.Threat) threatPage {
	title, state := v.T("A threat that was taken back"), v.T("taken back")
	why := v.T("%s took it back on %s. What it said is deleted here.", t.By, v.reader().Day(t.Ended))
	if t.Expired {
		title, state = v.T("A threat whose time ran out"), v.T("expired")
		why = v.T("The time for which %s shared it ran out on %s. What it said is deleted here.", t.By, v.reader().Day(t.Ended))
	}
	return threatPage{
		Frame: v.frame(title), Notice: ui.Notice{Tone: ui.Warn, Text: why},
		Head: ui.Head{
			Crumbs: []ui.Link{{Text: v.T("Threats"), Href: v.in("threats")}}, Title: title,
			Badges: []ui.Badge{{Text: v.threatType(t.Type), Tone: ui.Accent}, {Text: state, Tone: ui.Warn}}, Lead: v.T("%s said so on %s.", t.By, v.reader().Day(t.At)),
		},
		Defs: []ui.Def{{Term: v.T("Identifier"), View: code(t.ID)}},
	}
}

// threatFile gives an object as it came.
func (v *visit) threatFile() error {
	t, err := v.threatOf()
	if err != nil {
		return err
	}
	switch {
	case t.Expired:
		return entente.NotFound("its time ran out; what it said is deleted")
	case !t.Ended.IsZero():
		return entente.NotFound("it was taken back; what it said is deleted")
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/stix+json;version=2.1")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": entente.Slug(t.ID) + ".json"}))
	v.answer = http.StatusOK
	_, err = v.w.Write(t.Raw)
	return err
}
