package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/ui"
)

const (
	horizonByDefault = "1w"
	mostDown         = 50  // things of one question
	mostSuggested    = 400 // things offered while typing
	mostMeant        = 12
)

// horizons to choose from.
var horizons = []string{"1d", "3d", "1w", "2w", "4w", "12w"}

// horizonParts cuts each horizon into parts that people count in.
var horizonParts = map[string]int{"1d": 4, "3d": 6, "1w": 7, "2w": 7, "4w": 4, "12w": 6}

func (v *visit) horizonOptions() []ui.Option {
	options := make([]ui.Option, len(horizons))
	for i, h := range horizons {
		options[i] = ui.Option{Value: h, Label: v.T("%s", chain.SayDuration(lengthOf(h)))}
	}
	return options
}

func lengthOf(horizon string) time.Duration {
	length, err := chain.ParseDuration(horizon)
	if err != nil {
		return 7 * 24 * time.Hour
	}
	return length
}

// whatIf is the address of a question.
func (v *visit) whatIf(down []chain.NodeID, horizon string) string {
	values := url.Values{}
	for _, id := range down {
		values.Add("down", string(id))
	}
	if horizon != "" && horizon != horizonByDefault {
		values.Set("horizon", horizon)
	}
	return address(v.in("what-if"), values)
}

// whatIfPage answers what stops when some things are down.
func (v *visit) whatIfPage() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	values := v.r.URL.Query()
	down := p.known(values["down"])
	horizon := values.Get("horizon")
	if !slices.Contains(horizons, horizon) {
		horizon = horizonByDefault
	}
	shown := whatIfPage{
		Frame:  v.frame(v.T("What if")),
		Head:   ui.Head{Title: v.T("What if it is down?"), Lead: v.T("Choose what is down, and see which processes stop, when, and why.")},
		Action: v.in("what-if"), AddLabel: v.T("What is down?"), Add: strings.TrimSpace(values.Get("add")), Horizon: horizon, Horizons: v.horizonOptions(),
	}
	if len(down) > 0 {
		shown.AddLabel = v.T("What else is down?")
	}
	if shown.Add != "" {
		found := p.find(shown.Add)
		switch {
		case len(found) == 1:
			if !slices.Contains(down, found[0].ID) {
				down = append(down, found[0].ID)
			}
			return v.redirect(v.whatIf(down, horizon))
		case len(found) == 0:
			shown.Wrong = v.T("Nothing in the map is called like that. Try a part of the name.")
		}
		for _, n := range found[:min(len(found), mostMeant)] {
			shown.Meant = append(shown.Meant, ui.Link{Text: v.T("%s, %s", n.Name, word(kindWordsOf, n.Kind)), Href: v.whatIf(append(slices.Clone(down), n.ID), horizon)})
		}
	}
	p.fillWhatIf(&shown, down)
	return v.show(200, whatIfView(shown))
}

// known keeps the things that the chain has, each once.
func (p *picture) known(ids []string) []chain.NodeID {
	var down []chain.NodeID
	for _, s := range ids {
		id := chain.NodeID(s)
		if _, ok := p.g.Node(id); ok && !slices.Contains(down, id) && len(down) < mostDown {
			down = append(down, id)
		}
	}
	return down
}

// find gives the things that a text means: the one with that id or name, or all
// whose name holds its words.
func (p *picture) find(text string) []chain.Node {
	if n, ok := p.g.Node(chain.NodeID(text)); ok {
		return []chain.Node{n}
	}
	folded := strings.ToLower(text)
	words := strings.Fields(folded)
	var exact, holding []chain.Node
	for n := range p.g.Nodes() {
		name := strings.ToLower(n.Name)
		if name == folded {
			exact = append(exact, n)
		}
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(name, w) }) {
			holding = append(holding, n)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return holding
}

func (p *picture) fillWhatIf(shown *whatIfPage, down []chain.NodeID) {
	for n := range p.g.Nodes() {
		if len(shown.Things) == mostSuggested {
			break
		}
		if n.ID != p.own() && !slices.Contains(down, n.ID) {
			shown.Things = append(shown.Things, thing{ID: string(n.ID), Name: n.Name, Kind: p.v.Say(word(kindWordsOf, n.Kind))})
		}
	}
	for _, id := range down {
		n, _ := p.g.Node(id)
		shown.Chosen = append(shown.Chosen, thing{ID: string(id), Name: n.Name, Kind: p.v.Say(word(kindWordsOf, n.Kind))})
	}
	if len(down) == 0 {
		p.suggest(shown)
		return
	}
	shown.Head.Title = p.v.N(len(down), "What if %s is down?", "What if %s are down?", p.v.reader().AndMore(p.names(down), 2))
	shown.Frame.Title = shown.Head.Title
	shown.Head.Lead = ""
	p.answer(shown, down, lengthOf(shown.Horizon))
	if len(shown.Rows) > 0 {
		p.v.island()
		shown.Moment = p.momentOf(down, shown.Horizon, moment(p.v.r.URL.Query(), lengthOf(shown.Horizon)))
	}
}

func (p *picture) names(ids []chain.NodeID) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = p.name(id)
	}
	return names
}

// suggest offers the single points of failure to begin with.
func (p *picture) suggest(shown *whatIfPage) {
	const most = 8
	for _, d := range p.g.Concentration().Dependences {
		if len(shown.Suggestions) == most {
			break
		}
		shown.Suggestions = append(shown.Suggestions, ui.Row{Cells: []ui.Cell{
			linkCell(d.Name, p.whatIf(d.Organisations...)), p.v.rankCell(d.Rank), p.v.stopsCell(d.Stops),
		}})
	}
	shown.Empty = ui.Empty{Title: p.v.T("No single organisation stops a process"), Text: p.v.T("Choose one or several things above to see what they would stop together.")}
	if len(p.g.Map().Processes) == 0 {
		shown.Empty = p.v.noChain("No chain yet", chain.KindProcess)
	}
}

func (p *picture) answer(shown *whatIfPage, down []chain.NodeID, horizon time.Duration) {
	outage := p.g.Outage(down, chain.OutageOptions{Horizon: horizon})
	within := chain.SayDuration(horizon)
	total := len(p.g.Map().Processes)
	if len(outage.Processes) == 0 {
		shown.Answer = p.v.T("Within %s no process stops.", within)
	} else {
		n := len(outage.Processes)
		shown.Answer = p.v.N(n, "%d process of %d stops within %s, %s.", "%d processes of %d stop within %s, the first %s.", n, total, within, sayAfter(outage.Processes[0].Fails))
		if cost := outage.CostAt(horizon); cost > 0 {
			shown.Answer += " " + p.v.T("By then it has cost %s.", p.money(cost))
		}
	}
	stopped := map[chain.NodeID]bool{}
	var calls [][]chain.Call
	for _, s := range outage.Processes {
		stopped[s.ID] = true
		link := ui.Link{Text: s.Name, Href: p.path(chain.KindProcess, s.ID)}
		shown.Rows = append(shown.Rows, p.stopRow(s, horizon, plainCell(p.cost(s.CostAt(horizon)))))
		path := s.Path()
		shown.Ways = append(shown.Ways, wayView{Process: link, Hops: p.pathHops(path), Words: p.v.Say(path.Say())})
		calls = append(calls, path.Call)
	}
	calls = append(calls, p.callsOf(down))
	shown.Contacts = p.calls(merged(calls...))
	for i := range p.g.Map().Processes {
		if process := &p.g.Map().Processes[i]; !stopped[process.ID] {
			shown.Keeps = append(shown.Keeps, ui.Link{Text: process.Name, Href: p.path(chain.KindProcess, process.ID)})
		}
	}
}

func (p *picture) cost(amount int64) string {
	if amount == 0 {
		return p.v.T("none stated")
	}
	return p.money(amount)
}

// callsOf names the organisations behind what is down.
func (p *picture) callsOf(down []chain.NodeID) []chain.Call {
	var calls []chain.Call
	for _, id := range down {
		n, _ := p.g.Node(id)
		because := entente.Say("is behind %s", n.Name)
		if n.Kind == chain.KindOrganisation {
			n.Organisation, because = n.ID, entente.Say("is down")
		}
		o, ok := p.g.Organisation(n.Organisation)
		if !ok || n.Kind == chain.KindProcess || n.Kind == chain.KindActivity {
			continue
		}
		calls = append(calls, chain.Call{Organisation: o.ID, Name: o.Name, Rank: p.g.Rank(o.ID), Because: because, Contacts: o.Contacts})
	}
	return calls
}

// pathHops is a critical path as links, from the process to what is down.
func (p *picture) pathHops(path chain.Path) []ui.Hop {
	hops := make([]ui.Hop, len(path.Steps))
	for i, s := range path.Steps {
		hops[i] = ui.Hop{Link: p.link(s.Node)}
		if s.Buffer > 0 {
			hops[i].Relation = p.v.T("%s buffer", chain.SayDuration(s.Buffer))
		}
	}
	return hops
}

func (v *visit) barOf(link ui.Link, s chain.ProcessOutage, horizon time.Duration) ui.Bar {
	at := func(t time.Duration) int {
		if t >= horizon {
			return 1000
		}
		return int(t * 1000 / horizon)
	}
	words := []entente.Message{entente.Say("%s stops %s", s.Name, sayAfter(s.Fails))}
	if s.RTOAt != chain.Never {
		words = append(words, entente.Say("exceeds its RTO %s", sayAfter(s.RTOAt)))
	}
	if s.MTPDAt != chain.Never {
		words = append(words, entente.Say("exceeds its MTPD %s", sayAfter(s.MTPDAt)))
	}
	return ui.Bar{Name: link, Note: v.Say(sayAfter(s.Fails)), Words: v.T("%s", entente.Joined(words, ", ")), Stopped: at(s.Fails), Late: at(s.RTOAt), Lost: at(s.MTPDAt)}
}
