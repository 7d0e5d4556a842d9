package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
)

// loadDemo brings the catalog in through the same services as anybody's data. What is
// there already is left alone, so that a kept folder can be started again. The nodes
// are started before they talk with each other.
func loadDemo(ctx context.Context, c *console, nodes []*demoNode, start func(*demoNode)) error {
	p := c.progress("Setting up the demonstration")
	defer p.end()
	loaded := make(chan error, len(nodes))
	for _, n := range nodes {
		go func() { loaded <- n.load(ctx) }()
	}
	var fault error
	for i := range nodes {
		fault = errors.Join(fault, <-loaded)
		p.step(i+1, len(nodes)+1, "nodes")
	}
	if fault != nil {
		return fault
	}
	at := map[string]*demoNode{}
	for _, n := range nodes {
		n.started = true
		start(n)
		for _, o := range n.orgs {
			at[o.ID] = n
		}
	}
	return demoTalk(ctx, at)
}

// load sets up who is on the node, with their chains.
func (n *demoNode) load(ctx context.Context) error {
	at := &rooms{n.Rooms}
	there, err := n.Identity.Organisations(ctx)
	if err != nil {
		return err
	}
	for _, org := range n.orgs {
		if !slices.ContainsFunc(there, func(o identity.Organisation) bool { return o.ID == entente.OrgID(org.ID) }) {
			if err := demoPeople(ctx, at, org); err != nil {
				return fmt.Errorf("setting up the people of %s: %w", org.Name, err)
			}
		}
		if org.Map == "" {
			continue
		}
		if err := demoContent(ctx, at, org); err != nil {
			return fmt.Errorf("loading the demonstration of %s: %w", org.Name, err)
		}
	}
	return nil
}

func demoPeople(ctx context.Context, a *rooms, org catalog.Organisation) error {
	owner := org.People[0]
	_, err := a.Identity.CreateOrganisation(ctx, identity.NewOrganisation{
		ID: entente.OrgID(org.ID), Name: org.Name,
		Owner: identity.NewPerson{Name: owner.Name, Email: owner.Email, Password: demoPassword},
	})
	if err != nil {
		return err
	}
	for _, p := range org.People[1:] {
		_, err := a.Identity.AddMember(ctx, entente.System(entente.OrgID(org.ID), entente.DoorCommand), identity.NewMember{
			NewPerson: identity.NewPerson{Name: p.Name, Email: p.Email, Password: demoPassword},
			Role:      entente.Role(p.Role), Scope: p.Scope,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// demoContent imports the chain, the SBOMs of its products and the advisories. All
// three do nothing the second time.
func demoContent(ctx context.Context, a *rooms, org catalog.Organisation) error {
	actor := entente.System(entente.OrgID(org.ID), entente.DoorCommand)
	text, err := fs.ReadFile(catalog.Files(), org.Map)
	if err != nil {
		return err
	}
	m, err := chain.ParseMap(strings.NewReader(string(text)), org.Map)
	if err != nil {
		return err
	}
	if _, err := a.Chain.Import(ctx, actor, m); err != nil {
		return err
	}
	documents, err := fs.Sub(catalog.Files(), catalog.SBOMs)
	if err != nil {
		return err
	}
	work, err := planned(m, documents)
	if err != nil {
		return err
	}
	for _, w := range work {
		if _, err := w.record(ctx, a, actor); err != nil {
			return err
		}
	}
	records, err := fs.Sub(catalog.Files(), catalog.Advisories)
	if err != nil {
		return err
	}
	if _, err := a.Advisory.Ingest(ctx, actor, advisory.FromFS(records, "the demonstration"), advisory.IngestOptions{}); err != nil {
		return err
	}
	return a.Runner.CatchUp(ctx, actor.Org)
}

// demoTalk makes the organisations partners and lets them say what the catalog has for
// them. Those who are partners already have said it.
func demoTalk(ctx context.Context, at map[string]*demoNode) error {
	fresh := map[string]bool{} // who found its partners now
	for _, p := range catalog.Partnerships() {
		made, err := demoPartners(ctx, at, p)
		if err != nil {
			return fmt.Errorf("%s and %s: %w", p.Inviter, p.Invitee, err)
		}
		fresh[p.Inviter], fresh[p.Invitee] = fresh[p.Inviter] || made, fresh[p.Invitee] || made
	}
	for _, pair := range catalog.Compared() {
		if err := demoCompare(ctx, at, pair[0], pair[1]); err != nil {
			return err
		}
	}
	for _, s := range catalog.Statements() {
		if fresh[s.From] {
			if err := demoSay(ctx, at, s); err != nil {
				return fmt.Errorf("%s says %q: %w", s.From, s.Title, err)
			}
		}
	}
	for _, one := range catalog.Tellings() {
		if fresh[one.From] {
			if err := demoTell(ctx, at, one); err != nil {
				return fmt.Errorf("%s tells of its suppliers: %w", one.From, err)
			}
		}
	}
	return nil
}

// demoTell lets somebody choose what a partner is told of its suppliers, and tell it.
func demoTell(ctx context.Context, at map[string]*demoNode, t catalog.Telling) error {
	actor, err := demoActor(ctx, at, t.From, t.By)
	if err != nil {
		return err
	}
	to, err := at[t.To].Exchange.Self(ctx, entente.System(entente.OrgID(t.To), entente.DoorCommand))
	if err != nil {
		return err
	}
	c := chain.Choice{Overall: chain.Level(t.Overall), Suppliers: map[chain.NodeID]chain.Level{}}
	for id, level := range t.Suppliers {
		c.Suppliers[chain.NodeID(id)] = chain.Level(level)
	}
	if err := at[t.From].Chain.Choose(ctx, actor, to.Party(), c); err != nil {
		return err
	}
	return at[t.From].Carry.Tell(ctx, actor, to.Party(), 0)
}

// demoActor is the person with an address, or the owner where that is empty.
func demoActor(ctx context.Context, at map[string]*demoNode, org, email string) (entente.Actor, error) {
	id := entente.OrgID(org)
	members, err := at[org].Identity.Members(ctx, entente.System(id, entente.DoorCommand))
	if err != nil {
		return entente.Actor{}, err
	}
	for _, m := range members {
		if m.Person.Email == email || email == "" && m.Role == entente.RoleOwner {
			return at[org].Identity.Actor(ctx, m.Person.ID, id, entente.DoorCommand)
		}
	}
	return entente.Actor{}, entente.NotFound("%s has nobody with the address %s", org, email)
}

// demoPartners makes two organisations partners, and says whether they were none
// before. If a node has moved to another port since, the two tell each other by file,
// as they cannot know where the other is.
func demoPartners(ctx context.Context, at map[string]*demoNode, pair catalog.Partnership) (made bool, err error) {
	us, err := demoActor(ctx, at, pair.Inviter, "")
	if err != nil {
		return false, err
	}
	them, err := demoActor(ctx, at, pair.Invitee, "")
	if err != nil {
		return false, err
	}
	here, there := at[pair.Inviter], at[pair.Invitee]
	self, err := there.Exchange.Self(ctx, them)
	if err != nil {
		return false, err
	}
	_, err = here.Exchange.Partner(ctx, us, self.Party())
	if err == nil {
		return false, demoByFile(ctx, here, there, us, them)
	}
	if entente.KindOf(err) != entente.KindNotFound {
		return false, err
	}
	terms := exchange.StandardTerms(pair.Buys, pair.Supplies, time.Now())
	terms.Contacts = demoContact(pair.Inviter)
	ticket, _, err := here.Exchange.Invite(ctx, us, exchange.NewInvitation{Name: self.Document.Name, KnownAs: demoKnown(ctx, here, us, pair.Invitee), Terms: terms})
	if err != nil {
		return false, err
	}
	_, err = there.Exchange.Accept(ctx, them, ticket.Link(), demoContact(pair.Invitee), demoKnown(ctx, there, them, pair.Inviter))
	return true, err
}

// demoByFile lets two nodes that know each other's old addresses tell the new ones.
func demoByFile(ctx context.Context, here, there *demoNode, us, them entente.Actor) error {
	ours, err := here.Exchange.Self(ctx, us)
	if err != nil {
		return err
	}
	theirs, err := there.Exchange.Self(ctx, them)
	if err != nil {
		return err
	}
	p, err := here.Exchange.Partner(ctx, us, theirs.Party())
	if err != nil || here == there || p.Address == there.URL() && p.Out.Waiting() == 0 {
		return err
	}
	if err := errors.Join(here.Exchange.TellAddress(ctx), there.Exchange.TellAddress(ctx)); err != nil {
		return err
	}
	var out, back bytes.Buffer
	if err := here.Exchange.ExportFile(ctx, us, theirs.Party(), &out); err != nil {
		return err
	}
	if _, err := there.Exchange.ImportFile(ctx, them, &out); err != nil {
		return err
	}
	if err := there.Exchange.ExportFile(ctx, them, ours.Party(), &back); err != nil {
		return err
	}
	_, err = here.Exchange.ImportFile(ctx, us, &back)
	return err
}

// demoContact is whom an organisation names to its partners.
func demoContact(org string) []entente.Contact {
	for _, o := range catalog.Organisations() {
		if o.ID == org {
			p := o.People[len(o.People)/2]
			return []entente.Contact{{Name: p.Name, Email: p.Email}}
		}
	}
	return nil
}

// demoKnown is which organisation of one's own chain a partner is; "" if it is none.
func demoKnown(ctx context.Context, at *demoNode, actor entente.Actor, id string) string {
	g, err := at.Chain.Graph(ctx, actor)
	if err == nil && slices.ContainsFunc(g.Map().Organisations, func(o chain.Organisation) bool { return string(o.ID) == id }) {
		return id
	}
	return ""
}

// demoCompare lets a person compare the words of a partner.
func demoCompare(ctx context.Context, at map[string]*demoNode, who, whose string) error {
	actor, err := demoActor(ctx, at, who, "")
	if err != nil {
		return err
	}
	other, err := at[whose].Exchange.Self(ctx, entente.System(entente.OrgID(whose), entente.DoorCommand))
	if err != nil {
		return err
	}
	p, err := at[who].Exchange.Partner(ctx, actor, other.Party())
	if err != nil || !p.Compared.IsZero() {
		return err
	}
	return at[who].Exchange.Compared(ctx, actor, other.Party(), other.Ring.Current().Public.ID())
}

// demoSay lets somebody say something, and take it back if that is what happened.
func demoSay(ctx context.Context, at map[string]*demoNode, s catalog.Statement) error {
	x := at[s.From].Exchange
	actor, err := demoActor(ctx, at, s.From, s.By)
	if err != nil {
		return err
	}
	n := exchange.NewStatement{Kind: entente.EntryKind(s.Kind), Subject: s.Subject, Title: s.Title, Basis: s.Basis, Body: []byte(s.Body)}
	n.Marking.TLP, err = entente.ParseTLP(s.Label)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(s.Body, "{") {
		n.Body, err = fs.ReadFile(catalog.Files(), s.Body)
		if err != nil {
			return err
		}
	}
	for _, to := range s.To {
		self, err := at[to].Exchange.Self(ctx, entente.System(entente.OrgID(to), entente.DoorCommand))
		if err != nil {
			return err
		}
		n.To = append(n.To, self.Party())
	}
	if s.Blob != "" {
		content, err := fs.ReadFile(catalog.Files(), s.Blob)
		if err != nil {
			return err
		}
		blob, err := x.PutBlob(ctx, actor, s.Blob[strings.LastIndexByte(s.Blob, '/')+1:], "application/json", bytes.NewReader(content))
		if err != nil {
			return err
		}
		n.Blobs = []entente.Blob{blob}
	}
	id, _, err := x.Say(ctx, actor, n)
	if err != nil || s.Recalled == "" {
		return err
	}
	return x.Recall(ctx, actor, id, s.Recalled)
}
