package api

import (
	"context"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

// WhatIf is what follows when some things are down from time 0 on.
type WhatIf struct {
	Down      []Ref            `json:"down"`
	Horizon   int64            `json:"horizon_seconds,omitempty" doc:"How far the answer looks; absent when it looks as far as it goes."`
	Restored  int64            `json:"restored_seconds,omitempty" doc:"When everything works again."`
	Stops     int              `json:"stops" doc:"How many things stop, of any kind, those that were down at first included."`
	Cost      *int64           `json:"cost,omitempty" doc:"What the interruptions have cost by the horizon, in whole units of the currency."`
	Currency  string           `json:"currency,omitempty"`
	Total     int              `json:"processes_total" doc:"How many processes stop, whether they are listed or not."`
	Processes []ProcessOutage  `json:"processes" doc:"The first to stop first; at the same time the more critical first."`
	Call      []WhomToCall     `json:"call" doc:"Whom to call: the organisations on the paths, those that processes name first in front."`
	Others    []StoppedElement `json:"others" doc:"Everything else that stops, in order of time; at most 1000."`
}

// ProcessOutage is the end of one process.
type ProcessOutage struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Criticality string     `json:"criticality,omitempty"`
	Fails       int64      `json:"fails_seconds" doc:"When it stops, counted from the beginning of the outage."`
	RTOAt       *int64     `json:"rto_exceeded_seconds,omitempty" doc:"When its recovery time objective is exceeded; absent if it is not."`
	MTPDAt      *int64     `json:"mtpd_exceeded_seconds,omitempty" doc:"When its maximum tolerable period of disruption is exceeded; absent if it is not."`
	Cost        *int64     `json:"cost,omitempty" doc:"What its interruption has cost by the horizon."`
	Why         string     `json:"why" doc:"The critical path in words."`
	Path        []PathStep `json:"path" doc:"The critical path, from the process to what was down at first."`
	Call        []string   `json:"call" doc:"The organisations on the path; call has their contacts."`
}

// PathStep is one thing on a critical path.
type PathStep struct {
	Ref
	At     int64  `json:"at_seconds" doc:"When it stops."`
	Buffer int64  `json:"buffer_seconds,omitempty" doc:"How long it can do without the next step."`
	Note   string `json:"note,omitempty"`
}

// WhomToCall is an organisation to call, and why.
type WhomToCall struct {
	Organisation string    `json:"organisation"`
	Name         string    `json:"name"`
	Rank         *int      `json:"rank,omitempty"`
	Because      string    `json:"because"`
	Contacts     []Contact `json:"contacts" doc:"As the chain has them; empty when nobody is known."`
	Told         []Contact `json:"told,omitempty" doc:"Whom it named itself, as a partner, to those who may see partners."`
}

// StoppedElement is a thing that does not work from a time on.
type StoppedElement struct {
	Ref
	At int64 `json:"at_seconds"`
}

const maxOthers = 1000

func whatIf(s *server, ctx context.Context, actor entente.Actor, in *struct {
	Down     []string `query:"down" required:"true" minItems:"1" maxItems:"50" doc:"The ids of what is down, with commas between."`
	Horizon  string   `query:"horizon" maxLength:"20" example:"5d" doc:"How far to look: 4h, 5d, 2w. Without it, as far as it goes, and no cost is given."`
	Restored string   `query:"restored" maxLength:"20" example:"36h" doc:"When everything works again."`
	Limit    int      `query:"processes" minimum:"1" maximum:"10000" default:"200" doc:"How many processes to list at most."`
}) (*one[WhatIf], error) {
	var o chain.OutageOptions
	var err error
	o.Horizon, err = span("horizon", in.Horizon)
	if err != nil {
		return nil, err
	}
	o.Restored, err = span("restored", in.Restored)
	if err != nil {
		return nil, err
	}
	down := make([]chain.NodeID, 0, len(in.Down))
	for _, id := range in.Down {
		down = append(down, chain.NodeID(strings.TrimSpace(id)))
	}
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	outage := g.Outage(down, o)
	if len(outage.Unknown) > 0 {
		e := entente.Invalid("not everything that is to be down is part of the chain")
		for _, id := range outage.Unknown {
			e.Fields = append(e.Fields, entente.FieldError{Field: "query.down", Message: entente.Say("there is nothing with the id %s", id)})
		}
		return nil, e
	}
	out := whatIfOf(g, outage, in.Limit)
	return &one[WhatIf]{out}, s.addTold(ctx, actor, out.Call)
}

// span reads a duration of a query; an empty one is 0.
func span(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := chain.ParseDuration(text)
	if err != nil {
		e := entente.Invalid("the %s is not a duration", name)
		e.Fields = []entente.FieldError{{Field: "query." + name, Message: entente.MessageOf(err)}}
		return 0, e
	}
	return d, nil
}

func whatIfOf(g *chain.Graph, o chain.Outage, limit int) WhatIf {
	out := WhatIf{
		Down: make([]Ref, 0, len(o.Down)), Horizon: seconds(o.Horizon), Restored: seconds(o.Restored), Stops: o.Len(), Currency: g.Map().Currency,
		Total: len(o.Processes), Others: []StoppedElement{},
	}
	for _, id := range o.Down {
		n, _ := g.Node(id)
		out.Down = append(out.Down, refOf(n))
	}
	end := o.Horizon
	if end == 0 {
		end = o.Restored
	}
	if end > 0 {
		cost := o.CostAt(end)
		out.Cost = &cost
	}
	calls := caller{seen: map[chain.NodeID]int{}}
	told := o.Processes[:min(len(o.Processes), limit)]
	out.Processes = make([]ProcessOutage, 0, len(told))
	for _, p := range told {
		path := p.Path()
		one := ProcessOutage{
			ID: string(p.ID), Name: p.Name, Criticality: string(p.Criticality), Fails: seconds(p.Fails),
			RTOAt: moment(p.RTOAt), MTPDAt: moment(p.MTPDAt), Why: path.Words(), Path: make([]PathStep, 0, len(path.Steps)),
			Call: calls.take(path.Call),
		}
		for _, step := range path.Steps {
			one.Path = append(one.Path, PathStep{Ref: refOf(step.Node), At: seconds(step.At), Buffer: seconds(step.Buffer), Note: step.Note})
		}
		if end > 0 {
			cost := p.CostAt(end)
			one.Cost = &cost
		}
		out.Processes = append(out.Processes, one)
	}
	out.Call = calls.list()
	stopped := o.Stopped(chain.Never - 1)
	if o.Restored > 0 {
		stopped = o.Stopped(o.Restored - 1)
	}
	for _, n := range stopped {
		if n.Kind != chain.KindProcess && len(out.Others) < maxOthers {
			out.Others = append(out.Others, StoppedElement{Ref: refOf(n.Node), At: seconds(n.At)})
		}
	}
	return out
}

func moment(at time.Duration) *int64 {
	if at == chain.Never {
		return nil
	}
	n := seconds(at)
	return &n
}

// caller collects whom to call over many paths, each organisation once.
type caller struct {
	seen map[chain.NodeID]int
	all  []chain.Call
}

// take adds the organisations of one path and gives their ids.
func (c *caller) take(calls []chain.Call) []string {
	ids := make([]string, 0, len(calls))
	for _, one := range calls {
		if _, known := c.seen[one.Organisation]; !known {
			c.seen[one.Organisation] = len(c.all)
			c.all = append(c.all, one)
		}
		ids = append(ids, string(one.Organisation))
	}
	return ids
}

func (c *caller) list() []WhomToCall {
	return orEmpty(each(c.all, func(one chain.Call) WhomToCall {
		return WhomToCall{
			Organisation: string(one.Organisation), Name: one.Name, Rank: rankOf(one.Rank), Because: one.Because.String(),
			Contacts: orEmpty(each(one.Contacts, contactOf)),
		}
	}))
}

// addTold adds whom partners named themselves.
func (s *server) addTold(ctx context.Context, actor entente.Actor, calls []WhomToCall) error {
	if may, _ := identity.Can(actor, identity.PartnerRead, identity.In(actor.Org)); !may || len(calls) == 0 {
		return nil
	}
	told, err := s.Exchange.Reachable(ctx, actor)
	for i := range calls {
		calls[i].Told = each(told[calls[i].Organisation], func(c entente.Contact) Contact { return Contact(c) })
	}
	return err
}

// Concentration says on whom and on what too much hangs.
type Concentration struct {
	Dependences   []Dependence  `json:"dependences" doc:"Every legal entity whose outage alone stops a process, the one that stops the most critical first."`
	SinglePoints  []SinglePoint `json:"single_points" doc:"Every thing whose outage alone stops a process."`
	Hidden        int           `json:"hidden" doc:"How many of the dependences are of rank 2 and beyond, with which there is no contract."`
	Categories    []Category    `json:"categories"`
	Uncategorised int           `json:"uncategorised" doc:"Supplies that no figure covers, for want of a category."`
	Unexamined    int           `json:"unexamined" doc:"What was not simulated because the chain is too large."`
}

// Dependence is a legal entity that processes depend on.
type Dependence struct {
	Organisations []string      `json:"organisations" doc:"The organisations that are one entity."`
	Name          string        `json:"name"`
	Because       []string      `json:"because" doc:"Why they are one."`
	Rank          *int          `json:"rank,omitempty"`
	Supplies      []string      `json:"supplies"`
	Stops         []ProcessStop `json:"stops"`
}

// SinglePoint is a thing that alone stops processes.
type SinglePoint struct {
	Ref
	Organisation string        `json:"organisation,omitempty"`
	Rank         *int          `json:"rank,omitempty"`
	Stops        []ProcessStop `json:"stops"`
}

// ProcessStop is what the outage does to one process.
type ProcessStop struct {
	Process     string `json:"process"`
	Name        string `json:"name"`
	Criticality string `json:"criticality,omitempty"`
	Fails       int64  `json:"fails_seconds"`
	RTOAt       *int64 `json:"rto_exceeded_seconds,omitempty"`
	MTPDAt      *int64 `json:"mtpd_exceeded_seconds,omitempty"`
}

// Category tells how the supplies of one category spread over suppliers.
type Category struct {
	Category   string  `json:"category"`
	Direct     bool    `json:"direct" doc:"Only supplies to ourselves count."`
	BySpend    bool    `json:"by_spend" doc:"Shares are of the yearly spend; else of the number of supplies."`
	HHI        int     `json:"hhi" doc:"Herfindahl-Hirschman index, 0 to 10000."`
	Normalised float64 `json:"normalised" doc:"0 means all are equal, 1 that one has all."`
	Band       string  `json:"band" doc:"high above 1800, moderate from 1000, low below."`
	Shares     []Share `json:"shares"`
}

// Share is the part of one supplier in a category.
type Share struct {
	Supplier string  `json:"supplier"`
	Name     string  `json:"name"`
	Supplies int     `json:"supplies"`
	Spend    int64   `json:"spend"`
	Percent  float64 `json:"percent"`
}

func concentration(s *server, ctx context.Context, actor entente.Actor, _ *struct{}) (*one[Concentration], error) {
	g, err := s.Chain.Graph(ctx, actor)
	if err != nil {
		return nil, err
	}
	c := g.Concentration()
	stops := func(all []chain.ProcessStop) []ProcessStop {
		return orEmpty(each(all, func(p chain.ProcessStop) ProcessStop {
			return ProcessStop{
				Process: string(p.Process), Name: p.Name, Criticality: string(p.Criticality), Fails: seconds(p.Fails),
				RTOAt: moment(p.RTOAt), MTPDAt: moment(p.MTPDAt),
			}
		}))
	}
	return &one[Concentration]{Concentration{
		Dependences: orEmpty(each(c.Dependences, func(d chain.Dependence) Dependence {
			return Dependence{
				Organisations: orEmpty(each(d.Organisations, word)), Name: d.Name, Because: orEmpty(each(d.Because, entente.Message.String)), Rank: rankOf(d.Rank),
				Supplies: orEmpty(each(d.Supplies, word)), Stops: stops(d.Stops),
			}
		})),
		SinglePoints: orEmpty(each(c.SinglePoints, func(p chain.SinglePoint) SinglePoint {
			return SinglePoint{Ref: refOf(p.Node), Organisation: string(p.Organisation), Rank: rankOf(p.Rank), Stops: stops(p.Stops)}
		})),
		Hidden: c.Hidden, Uncategorised: c.Uncategorised, Unexamined: c.Unexamined,
		Categories: orEmpty(each(c.Categories, func(k chain.Category) Category {
			return Category{
				Category: k.Category, Direct: k.Direct, BySpend: k.BySpend, HHI: k.HHI, Normalised: k.Normalised, Band: string(k.Band),
				Shares: orEmpty(each(k.Shares, func(x chain.Share) Share {
					return Share{Supplier: string(x.Supplier), Name: x.Name, Supplies: x.Supplies, Spend: x.Spend, Percent: x.Percent}
				})),
			}
		})),
	}}, nil
}
