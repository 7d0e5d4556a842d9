package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// picture tells a chain's things in the words and links of the pages.
type picture struct {
	v *visit
	g *chain.Graph
	// processOf finds the process of an activity; made when first needed.
	processOf map[chain.NodeID]chain.NodeID
	// reached are the contacts that partners told of themselves; made when first needed.
	reached map[chain.NodeID][]ui.Contact
}

func (v *visit) picture() (*picture, error) {
	g, err := v.Chain.Graph(v.r.Context(), v.actor)
	if err != nil {
		return nil, err
	}
	return &picture{v: v, g: g}, nil
}

func (p *picture) path(kind chain.NodeKind, id chain.NodeID) string {
	switch kind {
	case chain.KindProcess:
		return p.v.in("processes", string(id))
	case chain.KindActivity:
		return p.v.in("processes", string(p.process(id)))
	case chain.KindSystem:
		return p.v.in("systems", string(id))
	case chain.KindOrganisation:
		return p.v.in("suppliers", string(id))
	case chain.KindProduct:
		return p.v.in("products", string(id))
	case chain.KindSupply:
		if n, ok := p.g.Node(id); ok && n.Organisation != "" {
			return p.v.in("suppliers", string(n.Organisation)) + "#supplies"
		}
	}
	return ""
}

func (p *picture) process(activity chain.NodeID) chain.NodeID {
	if p.processOf == nil {
		p.processOf = map[chain.NodeID]chain.NodeID{}
		for _, process := range p.g.Map().Processes {
			for _, a := range process.Activities {
				p.processOf[a.ID] = process.ID
			}
		}
	}
	return p.processOf[activity]
}

func (p *picture) link(n chain.Node) ui.Link {
	if chain.IsDisclosed(n.ID) && n.Name == chain.Undisclosed(n.ID).String() {
		n.Name = p.v.Say(chain.Undisclosed(n.ID))
	}
	return ui.Link{Text: n.Name, Href: p.path(n.Kind, n.ID)}
}

// named is a link to a thing by its id; what the chain does not know stays a text.
func (p *picture) named(id chain.NodeID) ui.Link {
	n, ok := p.g.Node(id)
	if ok {
		return p.link(n)
	}
	for i := range p.g.Map().Flows {
		if f := &p.g.Map().Flows[i]; f.ID == id {
			return ui.Link{Text: p.v.T("flow of %s", cmp.Or(p.v.reader().And(f.Data), string(f.ID)))}
		}
	}
	return ui.Link{Text: string(id)}
}

func (p *picture) links(ids []chain.NodeID) []ui.Link {
	links := make([]ui.Link, len(ids))
	for i, id := range ids {
		links[i] = p.named(id)
	}
	return links
}

func (p *picture) name(id chain.NodeID) string { return p.named(id).Text }

func (p *picture) own() chain.NodeID { return p.g.Map().Own }

func sayRank(rank int) entente.Message { return chain.SayRank(rank) }

// capital says something that begins a sentence, or stands alone.
func (v *visit) capital(m entente.Message) string { return lang.Capital(v.Say(m)) }

func (v *visit) rankCell(rank int) ui.Cell { return plainCell(v.capital(sayRank(rank))) }

func (p *picture) money(amount int64) string {
	return p.v.reader().Money(amount, p.g.Map().Currency)
}

// needs tells what a thing needs, each need with its alternatives and its buffer.
func (p *picture) needs(needs []chain.Need) []needView {
	views := make([]needView, len(needs))
	for i, n := range needs {
		views[i] = needView{Any: p.links(n.Any)}
		switch {
		case n.Buffer > 0 && n.Note != "":
			views[i].Buffer = p.v.T("can do without for %s: %s", chain.SayDuration(n.Buffer), n.Note)
		case n.Buffer > 0:
			views[i].Buffer = p.v.T("can do without for %s", chain.SayDuration(n.Buffer))
		case n.Note != "":
			views[i].Buffer = n.Note
		}
	}
	return views
}

// calls tells whom to call, in the order in which the chain names them.
func (p *picture) calls(calls []chain.Call) []ui.Call {
	var all []ui.Call
	for _, c := range calls {
		if c.Organisation != p.own() {
			all = append(all, ui.Call{
				Organisation: ui.Link{Text: c.Name, Href: p.path(chain.KindOrganisation, c.Organisation)},
				Note:         p.callNote(c.Rank, c.Because),
				People:       p.withPartner(c.Organisation, people(c.Contacts)),
			})
		}
	}
	return all
}

// withPartner adds to the contacts of the map those that the organisation told as a
// partner, each person once.
func (p *picture) withPartner(id chain.NodeID, known []ui.Contact) []ui.Contact {
	if p.reached == nil {
		p.reached = map[chain.NodeID][]ui.Contact{}
		if p.v.may(identity.PartnerRead) {
			told, err := p.v.Exchange.Reachable(p.v.r.Context(), p.v.actor)
			if err != nil {
				p.v.Log.Warn("the contacts of partners cannot be read", "error", err)
			}
			for known, contacts := range told {
				p.reached[chain.NodeID(known)] = reachable(contacts)
			}
		}
	}
	for _, c := range p.reached[id] {
		same := func(k ui.Contact) bool {
			return c.Email != "" && strings.EqualFold(k.Email, c.Email) || c.Phone != "" && k.Phone == c.Phone || c.Email == "" && c.Phone == "" && k.Name == c.Name
		}
		if !slices.ContainsFunc(known, same) {
			c.Role = strings.Trim(p.v.T("%s, told as a partner", c.Role), ", ")
			known = append(known, c)
		}
	}
	return known
}

// callNote tells who an organisation is and why to call it.
func (p *picture) callNote(rank int, because any) string {
	return lang.Capital(p.v.T("%s, %s", sayRank(rank), because))
}

func people(contacts []chain.Contact) []ui.Contact {
	all := make([]ui.Contact, len(contacts))
	for i, c := range contacts {
		all[i] = ui.Contact{Name: cmp.Or(c.Name, c.Email, c.Phone), Role: c.Role, Email: c.Email, Phone: c.Phone}
	}
	return all
}

// merged joins several answers whom to call: every organisation once, in the order
// of its first mention.
func merged(answers ...[]chain.Call) []chain.Call {
	var all []chain.Call
	for _, calls := range answers {
		for _, c := range calls {
			known := slices.ContainsFunc(all, func(other chain.Call) bool { return other.Organisation == c.Organisation })
			if !known {
				all = append(all, c)
			}
		}
	}
	return all
}

// span is a duration, or a dash where none is set.
func (v *visit) span(d time.Duration) string {
	if d <= 0 {
		return "–"
	}
	return v.T("%s", chain.SayDuration(d))
}

func (v *visit) spanCell(d time.Duration) ui.Cell { return plainCell(v.span(d)) }

func (v *visit) criticalityBadge(c chain.Criticality) ui.Badge {
	tone := ui.Calm
	switch c {
	case chain.Critical:
		tone = ui.Bad
	case chain.High:
		tone = ui.Warn
	}
	return ui.Badge{Text: v.Say(word(criticalityWords, c)), Tone: tone}
}

// criticalityOrder sorts the most critical first.
func criticalityOrder(c chain.Criticality) int {
	i := slices.Index([]chain.Criticality{chain.Critical, chain.High, chain.Medium, chain.Low}, c)
	if i < 0 {
		return 4
	}
	return i
}

// after tells when something happens, counted from the beginning of an outage.
func sayAfter(at time.Duration) entente.Message {
	switch at {
	case chain.Never:
		return entente.Say("never")
	case 0:
		return entente.Say("at once")
	}
	return entente.Say("after %s", chain.SayDuration(at))
}

// exceeds tells when an objective of a process is exceeded.
func sayExceeds(objective, at time.Duration, horizon time.Duration) entente.Message {
	switch {
	case objective == 0:
		return entente.Say("none set")
	case at == chain.Never && horizon > 0:
		return entente.Say("not within %s", chain.SayDuration(horizon))
	}
	return sayAfter(at)
}

// stopRow is one line of the tables of processes that stop.
func (p *picture) stopRow(stop chain.ProcessOutage, horizon time.Duration, last ui.Cell) ui.Row {
	process, _ := p.g.Process(stop.ID)
	return ui.Row{Cells: []ui.Cell{
		linkCell(stop.Name, p.path(chain.KindProcess, stop.ID)),
		badgeCell(p.v.criticalityBadge(stop.Criticality)),
		plainCell(p.v.capital(sayAfter(stop.Fails))),
		plainCell(p.v.capital(sayExceeds(process.BIA.RTO, stop.RTOAt, horizon))),
		plainCell(p.v.capital(sayExceeds(process.BIA.MTPD, stop.MTPDAt, horizon))),
		last,
	}}
}

// stops simulates that one thing is down.
func (p *picture) stops(n chain.Node) stopsView {
	s := stopsView{
		Title: p.v.T("What stops if it stops"),
		None:  p.v.T("No process stops: everything that relies on %s has an alternative, or nothing relies on it.", n.Name),
	}
	outage := p.g.Outage([]chain.NodeID{n.ID}, chain.OutageOptions{})
	for _, stop := range outage.Processes {
		s.Rows = append(s.Rows, p.stopRow(stop, 0, plainCell(p.v.Say(stop.Say()))))
	}
	return s
}

func (p *picture) whatIf(ids ...chain.NodeID) string {
	return p.v.whatIf(ids, "")
}
