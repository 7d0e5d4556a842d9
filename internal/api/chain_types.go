package api

import (
	"time"

	"github.com/entente-project/entente/internal/chain"
)

// Organisation is a legal entity of the chain.
type Organisation struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	LEI      string    `json:"lei,omitempty" doc:"ISO 17442."`
	Domains  []string  `json:"domains,omitempty"`
	Country  string    `json:"country,omitempty" doc:"ISO 3166-1 alpha-2."`
	Category string    `json:"category,omitempty"`
	Parent   string    `json:"parent,omitempty" doc:"Who owns it."`
	Contacts []Contact `json:"contacts,omitempty"`
	Note     string    `json:"note,omitempty"`
}

// Contact is whom to call.
type Contact struct {
	Name  string `json:"name"`
	Role  string `json:"role,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Process is a business process by SIPOC, with its BIA.
type Process struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Owner       string     `json:"owner,omitempty"`
	BIA         BIA        `json:"bia"`
	Inputs      []Item     `json:"inputs,omitempty"`
	Outputs     []Item     `json:"outputs,omitempty"`
	Activities  []Activity `json:"activities,omitempty"`
	Needs       []Need     `json:"needs,omitempty"`
}

// BIA is the business impact analysis of a process.
type BIA struct {
	Criticality string     `json:"criticality,omitempty" doc:"critical, high, medium or low."`
	RTO         int64      `json:"rto_seconds,omitempty" doc:"Recovery time objective."`
	MTPD        int64      `json:"mtpd_seconds,omitempty" doc:"Maximum tolerable period of disruption."`
	RPO         int64      `json:"rpo_seconds,omitempty" doc:"Recovery point objective."`
	Cost        []CostRate `json:"cost,omitempty" doc:"What an interruption costs, by the hour."`
}

// CostRate is what each hour of interruption costs from a time on.
type CostRate struct {
	From    int64 `json:"from_seconds"`
	PerHour int64 `json:"per_hour" doc:"In whole units of the chain's currency."`
}

// Item is an input or an output of a process.
type Item struct {
	Name  string `json:"name"`
	Party string `json:"party,omitempty" doc:"The organisation it comes from or goes to."`
	Kind  string `json:"kind,omitempty" doc:"data, goods or service."`
}

// Activity is a step of a process.
type Activity struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Buffer int64  `json:"buffer_seconds,omitempty" doc:"How long the process can do without this step."`
	Needs  []Need `json:"needs,omitempty"`
}

// Need is what a thing relies on: any one suffices.
type Need struct {
	Any    []string `json:"any" doc:"The ids of the alternatives."`
	Buffer int64    `json:"buffer_seconds,omitempty" doc:"How long the thing can do without all of them."`
	Note   string   `json:"note,omitempty"`
}

// System is an application, service, data store or interface.
type System struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Kind     string   `json:"kind,omitempty" doc:"application, service, datastore or interface."`
	Operator string   `json:"operator,omitempty" doc:"The organisation that runs it."`
	Data     []string `json:"data,omitempty" doc:"The classes of data that it holds."`
	Products []string `json:"products,omitempty" doc:"The products that it runs."`
	Needs    []Need   `json:"needs,omitempty"`
}

// Supply is one product or service that one supplier delivers to one customer.
type Supply struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Supplier string   `json:"supplier"`
	Customer string   `json:"customer"`
	Kind     string   `json:"kind,omitempty" doc:"commodity or bespoke."`
	Nature   string   `json:"nature,omitempty" doc:"goods, service, software or cloud."`
	Category string   `json:"category,omitempty"`
	Products []string `json:"products,omitempty"`
	Access   []Access `json:"access,omitempty"`
	Spend    int64    `json:"spend,omitempty" doc:"A year, in whole units of the chain's currency."`
	Needs    []Need   `json:"needs,omitempty"`
}

// Access is a supplier's way into a system.
type Access struct {
	System string `json:"system"`
	Level  string `json:"level" doc:"user, write or privileged."`
}

// Flow is data that moves between two things of the chain.
type Flow struct {
	ID        string   `json:"id"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	Data      []string `json:"data,omitempty"`
	Class     string   `json:"class,omitempty"`
	Interface string   `json:"interface,omitempty"`
	Protocol  string   `json:"protocol,omitempty"`
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// each converts a list; an empty one stays nil, which its tag leaves away.
func each[A, B any](from []A, to func(A) B) []B {
	if len(from) == 0 {
		return nil
	}
	out := make([]B, len(from))
	for i, v := range from {
		out[i] = to(v)
	}
	return out
}

func word[T ~string](v T) string { return string(v) }

func organisationOf(o chain.Organisation) Organisation {
	return Organisation{
		ID: string(o.ID), Name: o.Name, LEI: o.LEI, Domains: o.Domains, Country: o.Country, Category: o.Category,
		Parent: string(o.Parent), Contacts: each(o.Contacts, contactOf), Note: o.Note,
	}
}

func contactOf(c chain.Contact) Contact { return Contact(c) }

func processOf(p chain.Process) Process {
	return Process{
		ID: string(p.ID), Name: p.Name, Description: p.Description, Owner: p.Owner,
		BIA: BIA{
			Criticality: string(p.BIA.Criticality), RTO: seconds(p.BIA.RTO), MTPD: seconds(p.BIA.MTPD), RPO: seconds(p.BIA.RPO),
			Cost: each(p.BIA.Cost, func(c chain.CostRate) CostRate { return CostRate{From: seconds(c.From), PerHour: c.PerHour} }),
		},
		Inputs: each(p.Inputs, itemOf), Outputs: each(p.Outputs, itemOf),
		Activities: each(p.Activities, func(a chain.Activity) Activity {
			return Activity{ID: string(a.ID), Name: a.Name, Buffer: seconds(a.Buffer), Needs: each(a.Needs, needOf)}
		}),
		Needs: each(p.Needs, needOf),
	}
}

func itemOf(i chain.Item) Item {
	return Item{Name: i.Name, Party: string(i.Party), Kind: string(i.Kind)}
}

func needOf(n chain.Need) Need {
	any := each(n.Any, word)
	if any == nil {
		any = []string{}
	}
	return Need{Any: any, Buffer: seconds(n.Buffer), Note: n.Note}
}

func systemOf(s chain.System) System {
	return System{
		ID: string(s.ID), Name: s.Name, Kind: string(s.Kind), Operator: string(s.Operator),
		Data: each(s.Data, word), Products: each(s.Products, word), Needs: each(s.Needs, needOf),
	}
}

func supplyOf(s chain.Supply) Supply {
	return Supply{
		ID: string(s.ID), Name: s.Name, Supplier: string(s.Supplier), Customer: string(s.Customer), Kind: string(s.Kind),
		Nature: string(s.Nature), Category: s.Category, Products: each(s.Products, word), Spend: s.Spend,
		Access: each(s.Access, func(a chain.Access) Access { return Access{System: string(a.System), Level: string(a.Level)} }),
		Needs:  each(s.Needs, needOf),
	}
}

func flowOf(f chain.Flow) Flow {
	return Flow{
		ID: string(f.ID), From: string(f.From), To: string(f.To), Data: f.Data, Class: string(f.Class),
		Interface: f.Interface, Protocol: f.Protocol,
	}
}

// ChainChange says what an import or an edit did.
type ChainChange struct {
	Revision  int64      `json:"revision" doc:"The revision of the chain afterwards."`
	Unchanged bool       `json:"unchanged" doc:"Nothing was done: the chain was like that already."`
	Kinds     []KindDone `json:"kinds" doc:"What was done to the things of each kind; kinds without a change are absent."`
}

// KindDone lists what was done to the things of one kind.
type KindDone struct {
	Kind    string   `json:"kind"`
	Added   []string `json:"added,omitempty"`
	Changed []string `json:"changed,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

func chainChangeOf(c chain.Changed) ChainChange {
	out := ChainChange{Revision: c.Revision, Unchanged: c.Unchanged(), Kinds: []KindDone{}}
	for _, k := range []struct {
		name string
		done chain.Change
	}{
		{"organisation", c.Organisations}, {"process", c.Processes}, {"system", c.Systems},
		{"supply", c.Supplies}, {"product", c.Products}, {"flow", c.Flows},
	} {
		if len(k.done.Added)+len(k.done.Changed)+len(k.done.Removed) > 0 {
			out.Kinds = append(out.Kinds, KindDone{Kind: k.name, Added: each(k.done.Added, word), Changed: each(k.done.Changed, word), Removed: each(k.done.Removed, word)})
		}
	}
	return out
}

// toChain is the reverse of processOf.
func (p Process) toChain() chain.Process {
	items := func(all []Item) []chain.Item {
		return each(all, func(i Item) chain.Item {
			return chain.Item{Name: i.Name, Party: chain.NodeID(i.Party), Kind: chain.ItemKind(i.Kind)}
		})
	}
	needs := func(all []Need) []chain.Need {
		return each(all, func(n Need) chain.Need {
			return chain.Need{Any: each(n.Any, func(id string) chain.NodeID { return chain.NodeID(id) }), Buffer: fromSeconds(n.Buffer), Note: n.Note}
		})
	}
	return chain.Process{
		ID: chain.NodeID(p.ID), Name: p.Name, Description: p.Description, Owner: p.Owner,
		BIA: chain.BIA{
			Criticality: chain.Criticality(p.BIA.Criticality), RTO: fromSeconds(p.BIA.RTO), MTPD: fromSeconds(p.BIA.MTPD), RPO: fromSeconds(p.BIA.RPO),
			Cost: each(p.BIA.Cost, func(c CostRate) chain.CostRate {
				return chain.CostRate{From: fromSeconds(c.From), PerHour: c.PerHour}
			}),
		},
		Inputs: items(p.Inputs), Outputs: items(p.Outputs), Needs: needs(p.Needs),
		Activities: each(p.Activities, func(a Activity) chain.Activity {
			return chain.Activity{ID: chain.NodeID(a.ID), Name: a.Name, Buffer: fromSeconds(a.Buffer), Needs: needs(a.Needs)}
		}),
	}
}

// fromSeconds keeps what is too long as too long, which the chain then refuses.
func fromSeconds(n int64) time.Duration {
	const most = int64(chain.Never / time.Second)
	return time.Duration(max(-most, min(n, most))) * time.Second
}
