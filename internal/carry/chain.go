package carry

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
)

// subjectChain is the subject of all disclosures to a partner, so that a later one
// takes the place of the one before.
func subjectChain(party entente.PartyID) string { return "chain/" + string(party) }

// learn brings what a supplier told of its own suppliers to the chain.
func (c *Carrier) learn(ctx context.Context, actor entente.Actor, e exchange.Received) (entente.Message, error) {
	d, err := chain.ParseDisclosure(e.Body)
	if err != nil {
		return entente.Message{}, err
	}
	p, err := c.exchange.Partner(ctx, actor, e.Party)
	if err != nil {
		return entente.Message{}, err
	}
	err = c.chain.Learn(ctx, actor, chain.Told{Party: e.Party, Number: e.Number, By: chain.NodeID(p.KnownAs), Name: e.Name, TLP: e.Marking.TLP, At: e.Said, Disclosure: d})
	if err != nil {
		return entente.Message{}, err
	}
	if p.KnownAs == "" {
		return entente.Say("It is kept. Say which organisation of your chain %s is; then it shows there.", p.Name), nil
	}
	return entente.Say("It shows in the chain, as told by %s.", p.Name), nil
}

// Telling is what a partner would be told of our suppliers.
type Telling struct {
	Partner   exchange.Partner
	Choice    chain.Choice
	Suppliers []chain.ToTell
	Revision  int64 // at which our own chain, of which it tells, last changed
	Marking   entente.Marking
	// Line says whether it may go there, and why or why not.
	Line exchange.Line
	// Before is what was told before and not taken back, the latest first.
	Before []exchange.Statement
}

// Anything says whether anything would be told.
func (t Telling) Anything() bool {
	return slices.ContainsFunc(t.Suppliers, func(s chain.ToTell) bool { return s.Said != chain.TellNothing })
}

// Telling says exactly what a partner would be told of our suppliers, by what was
// chosen for it. It changes nothing.
func (c *Carrier) Telling(ctx context.Context, actor entente.Actor, party entente.PartyID) (t Telling, err error) {
	t.Partner, err = c.exchange.Partner(ctx, actor, party)
	if err != nil {
		return t, err
	}
	t.Choice, err = c.chain.Choice(ctx, actor, party)
	if err != nil {
		return t, err
	}
	g, err := c.chain.Graph(ctx, actor)
	if err != nil {
		return t, err
	}
	t.Revision, t.Suppliers = g.Mapped(), g.ToTell(t.Choice, chain.NodeID(t.Partner.KnownAs))
	self := t.Partner.Agreement.Other(party)
	t.Marking.TLP, _ = t.Partner.Agreement.Default(self, entente.EntryChain)
	if t.Marking.TLP == 0 {
		t.Marking.TLP = entente.TLPAmberStrict
	}
	if may, _ := identity.Can(actor, identity.ExchangeShare, identity.In(actor.Org)); may {
		lines, err := c.exchange.Preview(ctx, actor, c.told(t, chain.Disclosure{}))
		if err != nil {
			return t, err
		}
		for _, l := range lines {
			if l.Party == party {
				t.Line = l
			}
		}
	}
	all, err := c.exchange.Statements(ctx, actor)
	if err != nil {
		return t, err
	}
	for _, s := range all {
		if s.Kind == entente.EntryChain && s.State == exchange.Said && s.Subject == subjectChain(party) {
			t.Before = append(t.Before, s)
		}
	}
	return t, nil
}

func (c *Carrier) told(t Telling, d chain.Disclosure) exchange.NewStatement {
	n := exchange.NewStatement{
		Kind: entente.EntryChain, Subject: subjectChain(t.Partner.Party), Title: entente.Say("Our suppliers, as far as we tell of them").String(),
		Marking: t.Marking, To: []entente.PartyID{t.Partner.Party},
	}
	n.Body, _ = json.Marshal(d) // a disclosure can be written
	return n
}

// Tell tells a partner of our suppliers what was chosen for it, as [Carrier.Telling]
// shows it. A revision other than 0 is that of the chain which a person has seen. If
// nothing is to be told any more, all that was told before is taken back.
func (c *Carrier) Tell(ctx context.Context, actor entente.Actor, party entente.PartyID, revision int64) error {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return err
	}
	t, err := c.Telling(ctx, actor, party)
	switch {
	case err != nil:
		return err
	case revision != 0 && revision != t.Revision:
		return entente.Conflict("the chain has changed since you looked; look again at what would be told")
	case !t.Anything() && len(t.Before) == 0:
		return entente.Invalid("you have chosen to tell nothing, and nothing was told before")
	case !t.Anything():
		for _, s := range slices.Backward(t.Before) { // the oldest first, so that none counts again meanwhile
			if err := c.exchange.Recall(ctx, actor, s.ID, entente.Say("we tell nothing of our suppliers any more").String()); err != nil {
				return err
			}
		}
		return nil
	case !t.Line.Allowed:
		return &entente.Error{Kind: entente.KindDenied, Message: t.Line.Reason}
	}
	n := c.told(t, chain.Disclose(t.Suppliers, party))
	found, err := c.exchange.Findings(ctx, actor, n)
	if err != nil {
		return err
	}
	for _, f := range found { // also a supplier that is a partner itself
		n.Decided = append(n.Decided, exchange.Decision{Finding: f, Reason: entente.Say("seen and chosen supplier by supplier").String()})
	}
	_, _, err = c.exchange.Say(ctx, actor, n)
	return err
}
