package web

import (
	"cmp"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

func (v *visit) severityBadge(s advisory.Severity) ui.Badge {
	tone := ui.Calm
	switch s.Level {
	case advisory.Critical:
		tone = ui.Bad
	case advisory.High:
		tone = ui.Warn
	case "":
		return ui.Badge{Text: v.T("severity unknown")}
	}
	text := v.T(levelTexts[s.Level])
	if s.Score > 0 {
		text = v.T("%s %s", text, v.reader().Decimal(s.Score, 1))
	}
	return ui.Badge{Text: text, Tone: tone}
}

var levelTexts = map[advisory.Level]entente.Text{
	advisory.Critical: "critical", advisory.High: "high", advisory.Moderate: "moderate", advisory.Low: "low",
}

var sureTexts = map[chain.Sureness]entente.Text{chain.Certain: "certain", chain.Likely: "likely", chain.Possible: "possible"}

func (v *visit) sureBadge(s chain.Sureness) ui.Badge {
	switch s {
	case chain.Certain:
		return ui.Badge{Text: v.T("certain"), Tone: ui.Bad}
	case chain.Likely:
		return ui.Badge{Text: v.T("likely"), Tone: ui.Warn}
	case chain.Possible:
		return ui.Badge{Text: v.T("possible")}
	}
	return ui.Badge{Text: v.T("only if switched off")}
}

func (v *visit) advisoryPath(id string) string { return v.in("advisories", id) }

// advisoryTitle names an advisory for people.
func advisoryTitle(b *advisory.Brief) string { return cmp.Or(b.Summary, b.ID) }

// advisoryNames gives the id of an advisory and those of its names that people know
// best.
func (v *visit) advisoryNames(b *advisory.Brief) string {
	var known []string
	for _, n := range otherNames(b) {
		if strings.HasPrefix(n, "CVE-") {
			known = append(known, n)
		}
	}
	if len(known) == 0 {
		return b.ID
	}
	return v.T("%s (%s)", b.ID, v.reader().AndMore(known, 2))
}

// wayHops is a way of a compromise as links, from where it begins to the process.
func (p *picture) wayHops(way []advisory.Hop) []ui.Hop {
	if len(way) == 0 {
		return nil
	}
	hops := []ui.Hop{{Link: p.named(way[0].From)}}
	for _, h := range way {
		hops = append(hops, ui.Hop{Link: p.named(h.To)})
	}
	return hops
}

// whyWords tells a way in sentences: what is wrong, and then every step.
func (v *visit) whyWords(because entente.Message, way []advisory.Hop) string {
	sentences := []any{because}
	for _, h := range way {
		sentences = append(sentences, h.Words)
	}
	return v.T("%s.", entente.Joined(sentences, "; "))
}

// fillImpact tells who is hit by an advisory, by which way, how surely, and what
// follows.
func (p *picture) fillImpact(shown *advisoryPage, impact *advisory.AdvisoryImpact) {
	shown.Answer = p.impactAnswer(impact)
	shown.Hits = impact.Counts.Products > 0
	for _, h := range impact.Processes {
		if h.Off != nil {
			shown.Stops = append(shown.Stops, p.offRow(&h))
		}
		if len(h.Way) == 0 && h.Because.Blank() {
			continue
		}
		hit := processHit{
			Process:     ui.Link{Text: h.Name, Href: p.path(chain.KindProcess, h.ID)},
			Criticality: p.v.criticalityBadge(h.Criticality), Sure: p.v.sureBadge(h.Sure),
			Way: p.wayHops(h.Way), Why: p.v.whyWords(h.Because, h.Way),
		}
		if h.Owner != "" {
			hit.Note = p.v.T("Owner: %s", h.Owner)
		}
		shown.Processes = append(shown.Processes, hit)
	}
	if more := impact.Counts.Processes - len(shown.Processes); more > 0 {
		shown.MoreProcesses = p.v.N(more, "%d more process is hit.", "%d more processes are hit.")
	}
	for i := range impact.Products {
		shown.Affected = append(shown.Affected, p.componentRows(&impact.Products[i], impact.Advisory.ID)...)
	}
	if more := impact.Counts.Products - len(impact.Products); more > 0 {
		shown.MoreAffected = p.v.N(more, "%d more product is affected.", "%d more products are affected.")
	}
	for i := range impact.Undecided {
		shown.Undecidable = append(shown.Undecidable, p.componentRows(&impact.Undecided[i], impact.Advisory.ID)...)
	}
	for _, c := range impact.Call {
		shown.Contacts = append(shown.Contacts, ui.Call{
			Organisation: ui.Link{Text: c.Name, Href: p.path(chain.KindOrganisation, c.Organisation)},
			Note:         p.callNote(c.Rank, c.Because), People: p.withPartner(c.Organisation, people(c.Contacts)),
		})
	}
	for _, d := range impact.Data {
		where := p.links(d.Where)
		text := p.v.T("%s (%s)", p.v.classBadge(d.Class).Text, sureTexts[d.Sure])
		if d.More > 0 {
			where = append(where, ui.Link{Text: p.v.N(d.More, "%d more place", "%d more places")})
		}
		shown.Reached = append(shown.Reached, ui.Def{Term: lang.Capital(text), View: ui.Links(where)})
	}
}

func (p *picture) impactAnswer(impact *advisory.AdvisoryImpact) string {
	c := &impact.Counts
	if !impact.Advisory.Withdrawn.IsZero() {
		return p.v.T("This advisory was withdrawn by its author. It counts for nothing any more; what it had matched is kept.")
	}
	if c.Products == 0 && c.Undecided == 0 {
		return p.v.T("It does not hit you: none of the components that you know of falls under it.")
	}
	var parts []string
	if c.Products > 0 {
		components, products := entente.Plural(c.Packages, "%d component", "%d components"), entente.Plural(c.Products, "%d product", "%d products")
		if c.Processes > 0 {
			parts = append(parts, p.v.T("It hits you: through %s in %s it reaches %s.", components, products, entente.Plural(c.Processes, "%d process", "%d processes")))
		} else {
			parts = append(parts, p.v.T("It hits %s in %s, but reaches none of your processes by any way in the map.", components, products))
		}
		if c.Outside > 0 {
			parts = append(parts, p.v.N(c.Outside, "%d of the products is not in the map.", "%d of the products are not in the map."))
		}
	}
	if c.Undecided > 0 {
		parts = append(parts, p.v.N(c.Undecided, "For %d product it cannot be decided.", "For %d products it cannot be decided."))
	}
	return strings.Join(parts, " ")
}

func (p *picture) offRow(h *advisory.ProcessImpact) ui.Row {
	at := func(s *advisory.Span) time.Duration {
		if s == nil {
			return chain.Never
		}
		return time.Duration(*s)
	}
	process, known := p.g.Process(h.ID)
	if !known {
		process = &chain.Process{}
	}
	return ui.Row{Cells: []ui.Cell{
		{Text: h.Name, Href: p.path(chain.KindProcess, h.ID)},
		badgeCell(p.v.criticalityBadge(h.Criticality)),
		plainCell(p.v.capital(sayAfter(time.Duration(h.Off.Stops)))),
		plainCell(p.v.capital(sayExceeds(process.BIA.RTO, at(h.Off.RTO), 0))),
		plainCell(p.v.capital(sayExceeds(process.BIA.MTPD, at(h.Off.MTPD), 0))),
		plainCell(p.cost(h.Off.Cost)),
		plainCell(p.v.Say(h.Off.Words)),
	}}
}

// componentRows tells the components of one product that an advisory names.
func (p *picture) componentRows(impact *advisory.ProductImpact, id string) []ui.Row {
	product := ui.Cell{Text: impact.Name}
	if impact.Known {
		product.Href = p.path(chain.KindProduct, impact.ID)
		if impact.Supplier == p.own() {
			product.NoteView = p.v.sayVEXLink(impact.ID, id)
		}
	} else {
		product.Note = p.v.T("not in the map")
	}
	supplier := ui.Cell{}
	if impact.Supplier != "" {
		l := p.named(impact.Supplier)
		supplier = linkCell(l.Text, l.Href)
	}
	var rows []ui.Row
	for _, c := range impact.Components {
		component := linkCell(c.Name, p.v.componentPath(c.Package))
		version := plainCell(c.Version)
		if c.Version == "" {
			version = badgeCell(ui.Badge{Text: p.v.T("unknown"), Tone: ui.Warn})
		}
		rows = append(rows, ui.Row{Cells: []ui.Cell{component, version, product, supplier, {Text: lang.Capital(p.v.Say(advisory.Reason(c.Why))), Note: c.Record}}})
	}
	if impact.More > 0 {
		rows = append(rows, ui.Row{Cells: []ui.Cell{plainCell(p.v.N(impact.More, "%d more component", "%d more components")), {}, product, supplier, {}}})
	}
	return rows
}
