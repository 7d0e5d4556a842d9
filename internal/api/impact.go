package api

import (
	"context"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
)

// Impact says whom an advisory hits.
type Impact struct {
	Advisory  Brief           `json:"advisory"`
	Counts    advisory.Counts `json:"counts" doc:"Everything, also what the lists leave away."`
	Processes []ImpactProcess `json:"processes" doc:"Those that the compromise reaches, the surest and most critical first; then those that only stop if the products are switched off."`
	Down      []string        `json:"switched_off" doc:"What has to be switched off to keep the compromise from the processes: what switched_off of a process tells the consequences of."`
	Products  []ImpactProduct `json:"products" doc:"Products that contain something affected, those first at which a way to a process begins."`
	Undecided []ImpactProduct `json:"undecided" doc:"Products with packages of which it cannot be told. They are not safe."`
	Data      []ImpactData    `json:"data" doc:"The classes of data within reach, the most sensitive first."`
	Call      []WhomToCall    `json:"call" doc:"Whom to call, the nearest to what is affected first."`
}

// ImpactProcess is one process that is hit.
type ImpactProcess struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Criticality string     `json:"criticality,omitempty"`
	Owner       string     `json:"owner,omitempty"`
	Sure        string     `json:"sure,omitempty" doc:"How surely the compromise reaches it: certain, likely or possible. Absent if it does not."`
	Product     string     `json:"product,omitempty" doc:"The product where the way begins."`
	Because     string     `json:"because,omitempty" doc:"What is wrong with that product."`
	Way         []Hop      `json:"way" doc:"How the compromise reaches it, hop by hop from the product."`
	Off         *SwitchOff `json:"switched_off,omitempty" doc:"What follows if the affected products are switched off now. Absent if the process goes on."`
}

// Hop is one step of a way.
type Hop struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Kind  string `json:"kind" doc:"What kind of thing to is."`
	Name  string `json:"name" doc:"The name of to."`
	Words string `json:"words"`
	Sure  string `json:"sure"`
}

// SwitchOff is when a process stops, counted from now, and what that means.
type SwitchOff struct {
	Stops  int64  `json:"stops_seconds"`
	RTOAt  *int64 `json:"rto_exceeded_seconds,omitempty"`
	MTPDAt *int64 `json:"mtpd_exceeded_seconds,omitempty"`
	Cost   int64  `json:"cost" doc:"What the interruption has cost by the time the MTPD is exceeded, or after a day where there is none."`
	Why    string `json:"why" doc:"The critical path in words."`
}

// ImpactProduct is one product that contains affected packages.
type ImpactProduct struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Supplier   string            `json:"supplier,omitempty"`
	Known      bool              `json:"known" doc:"The chain knows the product; else nothing can be said of what hangs on it."`
	Documents  []uint32          `json:"documents"`
	Components []ImpactComponent `json:"components"`
	More       int               `json:"more,omitempty" doc:"How many more components there are."`
	Reaches    []string          `json:"reaches,omitempty" doc:"The listed processes whose way begins here."`
}

// ImpactComponent is one affected package.
type ImpactComponent struct {
	Package uint32 `json:"package"`
	Name    string `json:"name"`
	Version string `json:"version"`
	State   string `json:"state"`
	Why     string `json:"why"`
	Record  string `json:"record" doc:"The record that says so."`
}

// ImpactData is a class of data within reach.
type ImpactData struct {
	Class string   `json:"class"`
	Sure  string   `json:"sure"`
	Where []string `json:"where" doc:"Systems that hold it and flows that carry it."`
	More  int      `json:"more,omitempty" doc:"How many more there are."`
}

func getImpact(s *server, ctx context.Context, actor entente.Actor, in *struct {
	ByAdvisory
	Processes int `query:"processes" minimum:"1" maximum:"10000" default:"25" doc:"How many processes to list at most."`
	Products  int `query:"products" minimum:"1" maximum:"10000" default:"25" doc:"How many products to list at most, and how many places of one class of data."`
	Calls     int `query:"calls" minimum:"1" maximum:"10000" default:"25" doc:"How many organisations to call to list at most."`
}) (*one[Impact], error) {
	found, err := s.Advisory.ImpactOf(ctx, actor, in.Advisory, advisory.ImpactOptions{Products: in.Products, Processes: in.Processes, Calls: in.Calls})
	if err != nil {
		return nil, err
	}
	out := impactOf(found)
	return &one[Impact]{out}, s.addTold(ctx, actor, out.Call)
}

func impactOf(a advisory.AdvisoryImpact) Impact {
	out := Impact{
		Advisory: briefOf(a.Advisory), Counts: a.Counts, Down: orEmpty(each(a.Down, word)), Processes: make([]ImpactProcess, len(a.Processes)),
		Products: orEmpty(each(a.Products, impactProductOf)), Undecided: orEmpty(each(a.Undecided, impactProductOf)),
		Data: orEmpty(each(a.Data, func(d advisory.DataImpact) ImpactData {
			return ImpactData{Class: string(d.Class), Sure: sureness(d.Sure), Where: orEmpty(each(d.Where, word)), More: d.More}
		})),
		Call: orEmpty(each(a.Call, func(c advisory.Call) WhomToCall {
			return WhomToCall{
				Organisation: string(c.Organisation), Name: c.Name, Rank: rankOf(c.Rank), Because: c.Because.String(),
				Contacts: orEmpty(each(c.Contacts, contactOf)),
			}
		})),
	}
	for i := range a.Processes {
		p := &a.Processes[i]
		to := &out.Processes[i]
		*to = ImpactProcess{
			ID: string(p.ID), Name: p.Name, Criticality: string(p.Criticality), Owner: p.Owner, Sure: sureness(p.Sure),
			Product: string(p.Product), Because: p.Because.String(), Way: make([]Hop, len(p.Way)),
		}
		for j := range p.Way {
			h := &p.Way[j]
			to.Way[j] = Hop{From: string(h.From), To: string(h.To), Kind: string(h.Kind), Name: h.Name, Words: h.Words.String(), Sure: sureness(h.Sure)}
		}
		if p.Off != nil {
			to.Off = &SwitchOff{
				Stops: seconds(time.Duration(p.Off.Stops)), RTOAt: spanOf(p.Off.RTO), MTPDAt: spanOf(p.Off.MTPD),
				Cost: p.Off.Cost, Why: p.Off.Words.String(),
			}
		}
	}
	return out
}

func impactProductOf(p advisory.ProductImpact) ImpactProduct {
	return ImpactProduct{
		ID: string(p.ID), Name: p.Name, Supplier: string(p.Supplier), Known: p.Known, Documents: orEmpty(p.Documents),
		Components: orEmpty(each(p.Components, func(c advisory.ComponentHit) ImpactComponent {
			return ImpactComponent{Package: c.Package, Name: c.Name, Version: c.Version, State: string(c.State), Why: c.Why, Record: c.Record}
		})),
		More: p.More, Reaches: each(p.Reaches, word),
	}
}

// sureness gives the word; nothing where there is none.
func sureness(s chain.Sureness) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func spanOf(s *advisory.Span) *int64 {
	if s == nil {
		return nil
	}
	n := seconds(time.Duration(*s))
	return &n
}
