package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/draw"
	"github.com/entente-project/entente/internal/web/ui"
)

const (
	mostStopped = 60 // things listed of one moment
	mostNext    = 5
)

// moments are offered beside the slider.
var moments = []time.Duration{4 * time.Hour, 24 * time.Hour, 72 * time.Hour, 120 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour}

// momentView is what has stopped by a moment of an outage, and what stops next.
type momentView struct {
	Action  string
	Source  string
	Down    []string
	Horizon string // "" for that by default
	At      int    // hours
	Most    int
	Step    int
	After   string
	Presets []ui.Link

	Answer  string
	Next    string
	Bars    []ui.Bar
	Ticks   []string
	Drawing drawingView
	Rows    []ui.Row
	More    string
}

var momentColumns = []ui.Column{{Label: "Thing"}, {Label: "Kind"}, {Label: "Behind it"}, {Label: "Stopped", Tight: true}}

// moment reads which moment is asked about; without one it is the horizon.
func moment(values url.Values, horizon time.Duration) time.Duration {
	hours, err := strconv.Atoi(values.Get("at"))
	if err != nil || hours < 0 || time.Duration(hours) > horizon/time.Hour {
		return horizon
	}
	return time.Duration(hours) * time.Hour
}

// whatIfMoment answers with one moment of a question: its words for the slider.
func (v *visit) whatIfMoment() error {
	p, err := v.picture()
	if err != nil {
		return err
	}
	values := v.r.URL.Query()
	horizon := values.Get("horizon")
	if !slices.Contains(horizons, horizon) {
		horizon = horizonByDefault
	}
	m := p.momentOf(p.known(values["down"]), horizon, moment(values, lengthOf(horizon)))
	var words strings.Builder
	err = momentWords(m).Render(v.r.Context(), &words)
	if err != nil {
		return err
	}
	return v.reply(200, map[string]string{"after": m.After, "words": words.String()})
}

// momentOf tells one moment of an outage.
func (p *picture) momentOf(down []chain.NodeID, horizonName string, at time.Duration) *momentView {
	v, horizon := p.v, lengthOf(horizonName)
	outage := p.g.Outage(down, chain.OutageOptions{Horizon: horizon})
	m := &momentView{
		Action: v.in("what-if"), Source: v.in("what-if", "moment"), At: int(at / time.Hour), Most: int(horizon / time.Hour), Step: 1, After: v.Say(sayAfter(at)),
	}
	if horizon > 14*24*time.Hour {
		m.Step = 6
	}
	if horizonName != horizonByDefault {
		m.Horizon = horizonName
	}
	for _, id := range down {
		m.Down = append(m.Down, string(id))
	}
	for _, t := range moments {
		if t < horizon {
			m.Presets = append(m.Presets, ui.Link{Text: v.Say(sayAfter(t)), Href: v.whatIfAt(down, horizonName, t)})
		}
	}
	m.Presets = append(m.Presets, ui.Link{Text: v.Say(sayAfter(horizon)), Href: v.whatIfAt(down, horizonName, horizon)})
	stopped := 0
	for _, s := range outage.Processes {
		if s.Fails <= at {
			stopped++
		}
		bar := v.barOf(ui.Link{Text: s.Name, Href: p.path(chain.KindProcess, s.ID)}, s, horizon)
		bar.Now, bar.Note = int(at*1000/horizon), v.Say(stateAt(s, at))
		bar.Words = v.T("%s: %s", s.Name, stateAt(s, at))
		m.Bars = append(m.Bars, bar)
	}
	parts := time.Duration(horizonParts[horizonName])
	for tick := range parts + 1 {
		m.Ticks = append(m.Ticks, v.T("%s", chain.SayDuration(horizon*tick/parts)))
	}
	m.Answer = v.N(stopped, "%[3]s, %[1]d of %[2]d processes has stopped.", "%[3]s, %[1]d of %[2]d processes have stopped.", stopped, len(p.g.Map().Processes), v.capital(sayAfter(at)))
	if cost := outage.CostAt(at); cost > 0 {
		m.Answer += " " + v.T("By then it has cost %s.", p.money(cost))
	}
	whole := outage.Stopped(horizon)
	now := outage.Stopped(at)
	m.Next = v.T("Nothing more stops within %s.", chain.SayDuration(horizon))
	if len(now) < len(whole) {
		next := whole[len(now)]
		var names []string
		for _, s := range whole[len(now):] {
			if s.At != next.At {
				break
			}
			names = append(names, s.Name)
		}
		m.Next = v.N(len(names), "Next, %s stops %s.", "Next, %s stop %s.", v.reader().AndMore(names, mostNext), sayAfter(next.At))
	}
	for _, s := range now[:min(len(now), mostStopped)] {
		l := p.link(s.Node)
		m.Rows = append(m.Rows, ui.Row{Cells: []ui.Cell{
			linkCell(l.Text, l.Href), plainCell(v.capital(word(kindWordsOf, s.Kind))), plainCell(p.behindName(s.Node)), plainCell(v.capital(sayAfter(s.At))),
		}})
	}
	if n := len(now) - mostStopped; n > 0 {
		m.More = v.N(n, "and %d more thing", "and %d more things")
	}
	m.Drawing = p.momentDrawing(down, outage, at)
	return m
}

// behindName names who is behind a thing, unless it is that organisation itself.
func (p *picture) behindName(n chain.Node) string {
	if n.Organisation == "" || n.Organisation == n.ID {
		return ""
	}
	return p.name(n.Organisation)
}

// stateAt says how a process is at a moment.
func stateAt(s chain.ProcessOutage, at time.Duration) entente.Message {
	switch {
	case at < s.Fails:
		return entente.Say("works, stops %s", sayAfter(s.Fails))
	case at >= s.MTPDAt:
		return entente.Say("stopped %s, longer than its MTPD", sayAfter(s.Fails))
	case at >= s.RTOAt:
		return entente.Say("stopped %s, longer than its RTO", sayAfter(s.Fails))
	}
	return entente.Say("stopped %s", sayAfter(s.Fails))
}

// whatIfAt is the address of a moment of a question.
func (v *visit) whatIfAt(down []chain.NodeID, horizon string, at time.Duration) string {
	u := v.whatIf(down, horizon)
	if at < lengthOf(horizon) {
		u += "&at=" + strconv.Itoa(int(at/time.Hour))
	}
	return u
}

// momentDrawing draws the critical paths of all processes that stop, with what has
// stopped by the moment.
func (p *picture) momentDrawing(down []chain.NodeID, outage chain.Outage, at time.Duration) drawingView {
	v := p.v
	d := draw.Diagram{Title: v.T("What has stopped %s", sayAfter(at))}
	maker, drawn := p.maker(), map[chain.NodeID]bool{}
	linked := map[[2]chain.NodeID]bool{}
	stopped, left := 0, 0
	for _, s := range outage.Processes {
		steps := s.Path().Steps
		if len(d.Nodes)+len(steps) > mostDrawn {
			left++
			continue
		}
		for i, step := range steps {
			if !drawn[step.ID] {
				drawn[step.ID] = true
				n := maker.Thing(step.Node)
				n.Note = v.Say(sayAfter(step.At))
				switch {
				case slices.Contains(down, step.ID):
					n.Mark, n.Note = draw.Source, v.T("down")
				case step.At <= at:
					n.Mark = draw.Hit
					n.Note = v.T("stopped %s", sayAfter(step.At))
				default:
					n.Note = v.T("stops %s", sayAfter(step.At))
				}
				if step.At <= at {
					stopped++
				}
				d.Nodes = append(d.Nodes, n)
			}
			if i == 0 {
				continue
			}
			pair := [2]chain.NodeID{steps[i-1].ID, step.ID}
			if linked[pair] {
				continue
			}
			linked[pair] = true
			e := draw.Edge{From: string(pair[0]), To: string(pair[1])}
			if steps[i-1].Buffer > 0 {
				e.Label = v.T("%s buffer", chain.SayDuration(steps[i-1].Buffer))
			}
			if steps[i-1].At <= at {
				e.Mark = draw.Hit
			}
			d.Edges = append(d.Edges, e)
		}
	}
	if len(d.Nodes) == 0 {
		return drawingView{}
	}
	d.Groups = maker.Boundaries(d.Nodes)
	d.Desc = v.T("%d of %d things on the critical paths have stopped. The table below says the same in words.", stopped, len(d.Nodes))
	shown := drawingView{Label: d.Title, SVG: d.SVG()}
	if left > 0 {
		shown.LeftOut = v.N(left, "The path of %d process was left out, because a drawing holds %d things at most.", "The paths of %d processes were left out, because a drawing holds %d things at most.", left, mostDrawn)
	}
	return shown
}
