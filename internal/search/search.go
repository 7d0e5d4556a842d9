package search

import (
	"context"
	"strconv"
	"strings"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/inventory"
)

// Kind is what was found.
type Kind string

// The kinds, in the order in which answers group them.
const (
	Process  Kind = "process"
	Activity Kind = "activity"
	System   Kind = "system"
	Supplier Kind = "supplier"
	Supply   Kind = "supply"
	Product  Kind = "product"
	Advisory Kind = "advisory"
	Package  Kind = "package"
	Flow     Kind = "flow"
	Person   Kind = "person"
)

// Kinds lists them all.
func Kinds() []Kind {
	return []Kind{Process, Activity, System, Supplier, Supply, Product, Advisory, Package, Flow, Person}
}

// Limits of a search.
const (
	MaxQuery = 200 // bytes of what is searched for; what is beyond is not looked at
	MaxHits  = 100 // of one kind
	maxWords = 6
)

// Hit is one thing that was found.
type Hit struct {
	Kind Kind
	ID   string
	Name string
	// Of is what the thing is a part of: the process of an activity, the supplier of
	// a supply.
	Of   string
	Note entente.Message // what tells it from others of the name
}

// Group is what was found of one kind.
type Group struct {
	Kind Kind
	Hits []Hit
	// More says that there are more than these.
	More bool
}

// Query is what is searched for.
type Query struct {
	Text  string
	Kinds []Kind // none means all
	Limit int    // hits of each kind; 5 if 0
	// Thorough also reads the summaries of advisories that hit nothing, which takes
	// longer where very many are kept.
	Thorough bool
}

// Service answers searches.
type Service struct {
	chain     *chain.Service
	inventory *inventory.Service
	advisory  *advisory.Service
	identity  *identity.Service
	names     names
}

// New makes the service from the rooms that it asks.
func New(c *chain.Service, i *inventory.Service, a *advisory.Service, p *identity.Service) *Service {
	return &Service{chain: c, inventory: i, advisory: a, identity: p}
}

// Find gives what the actor may see of what the query names, kind by kind; kinds of
// which nothing was found are left out.
func (s *Service) Find(ctx context.Context, actor entente.Actor, q Query) ([]Group, error) {
	if err := identity.Require(actor, identity.OrganisationRead, identity.In(actor.Org)); err != nil {
		return nil, err
	}
	words := wordsOf(q.Text)
	if len(words) == 0 {
		return nil, nil
	}
	if q.Limit <= 0 {
		q.Limit = 5
	}
	q.Limit = min(q.Limit, MaxHits)
	f := &finder{Service: s, actor: actor, q: q, words: words, found: map[Kind]*Group{}}
	for _, find := range []func(context.Context) error{f.inChain, f.advisories, f.packages, f.people} {
		if err := find(ctx); err != nil {
			return nil, err
		}
	}
	var groups []Group
	for _, k := range Kinds() {
		if g := f.found[k]; g != nil && len(g.Hits) > 0 {
			groups = append(groups, *g)
		}
	}
	return groups, nil
}

// finder is one search under way.
type finder struct {
	*Service
	actor entente.Actor
	q     Query
	words []string
	found map[Kind]*Group
}

func (f *finder) wants(kinds ...Kind) bool {
	if len(f.q.Kinds) == 0 {
		return true
	}
	for _, k := range kinds {
		for _, wanted := range f.q.Kinds {
			if k == wanted {
				return true
			}
		}
	}
	return false
}

// everything says whether the actor may do v to whatever there is.
func (f *finder) everything(v identity.Verb) bool {
	ok, _ := identity.Can(f.actor, v, identity.In(f.actor.Org))
	return ok
}

func (f *finder) add(hits []Hit, more bool) {
	if len(hits) > 0 {
		f.found[hits[0].Kind] = &Group{Kind: hits[0].Kind, Hits: hits, More: more}
	}
}

func (f *finder) advisories(ctx context.Context) error {
	if !f.wants(Advisory) || !f.everything(identity.AdvisoryRead) {
		return nil
	}
	list, more, err := f.advisory.Find(ctx, f.actor, f.q.Text, f.q.Limit, f.q.Thorough)
	if err != nil {
		return err
	}
	var hits []Hit
	for i := range list {
		a := &list[i]
		h := Hit{Kind: Advisory, ID: a.ID, Name: a.ID}
		switch {
		case !a.Withdrawn.IsZero():
			h.Note = entente.Say("withdrawn; %s", a.Summary)
		case a.Products > 0:
			h.Note = entente.Say("hits %s; %s", entente.Plural(a.Products, "%d product", "%d products"), a.Summary)
		default:
			h.Note = entente.Say("%s", a.Summary)
		}
		hits = append(hits, h)
	}
	f.add(hits, more)
	return nil
}

func (f *finder) packages(ctx context.Context) error {
	if !f.wants(Package) || !f.everything(identity.InventoryRead) {
		return nil
	}
	list, more, err := f.inventory.FindPackages(ctx, f.actor, f.words, f.q.Limit)
	if err != nil {
		return err
	}
	var hits []Hit
	for i := range list {
		p := &list[i]
		name := p.Name
		if p.Namespace != "" {
			name = p.Namespace + "/" + p.Name
		}
		h := Hit{Kind: Package, ID: strconv.FormatUint(uint64(p.ID), 10), Name: strings.TrimSpace(name + " " + p.Version)}
		if p.Type != "" {
			h.Note = entente.Say("%s package", p.Type)
		}
		hits = append(hits, h)
	}
	f.add(hits, more)
	return nil
}

func (f *finder) people(ctx context.Context) error {
	if !f.wants(Person) || !f.everything(identity.PeopleRead) {
		return nil
	}
	members, err := f.identity.Members(ctx, f.actor)
	if err != nil {
		return err
	}
	var all []entry
	for i := range members {
		p := &members[i].Person
		all = append(all, newEntry(Hit{Kind: Person, ID: string(p.ID), Name: p.Name, Note: entente.Say("%s", p.Email)}, p.Email))
	}
	sortEntries(all)
	hits, more := match(all, f.words, f.q.Limit)
	f.add(hits, more)
	return nil
}
