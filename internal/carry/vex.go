package carry

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
)

// speak brings what a supplier says of its products to the advisories: an OpenVEX or
// CycloneDX document, as the body of the entry or as its first file.
func (c *Carrier) speak(ctx context.Context, actor entente.Actor, e exchange.Received) (entente.Message, error) {
	document := []byte(e.Body)
	if len(e.Blobs) > 0 {
		content, size, err := c.file(ctx, actor, e)
		switch {
		case err != nil:
			return entente.Message{}, err
		case size > vex.MaxBytes:
			return entente.Message{}, entente.TooLarge("the VEX document is larger than %d bytes", vex.MaxBytes)
		}
		if document, err = io.ReadAll(io.LimitReader(content, vex.MaxBytes+1)); err != nil {
			return entente.Message{}, err
		}
	}
	statements, err := vex.Read(document)
	if err != nil {
		return entente.Message{}, err
	}
	p, err := c.exchange.Partner(ctx, actor, e.Party)
	if err != nil {
		return entente.Message{}, err
	}
	if p.KnownAs == "" {
		return entente.Message{}, entente.NotFound("say which organisation of your chain %s is; then what it says of its products counts", p.Name)
	}
	g, err := c.chain.Graph(ctx, actor)
	if err != nil {
		return entente.Message{}, err
	}
	var spoken []advisory.Spoken
	unknown := ""
	for _, s := range statements {
		for _, named := range s.Products {
			products := productsNamed(g, chain.NodeID(p.KnownAs), named)
			if len(products) == 0 {
				unknown = named.Name
			}
			for _, id := range products {
				for _, name := range append([]string{s.Vulnerability}, s.Aliases...) {
					spoken = append(spoken, advisory.Spoken{
						Product: id, Vulnerability: name, Party: e.Party, Number: e.Number, By: e.Name, Status: s.Status,
						Justification: s.Justification, Text: s.Text, Action: s.Action, Packages: named.Packages, At: firstMoment(s.At, e.Said),
					})
				}
			}
		}
	}
	if len(spoken) == 0 {
		return entente.Message{}, entente.NotFound("you have no product %q of %s; only what it says of its own products counts", unknown, p.Name)
	}
	if err := c.advisory.Speak(ctx, actor, chain.NodeID(p.KnownAs), spoken); err != nil {
		return entente.Message{}, err
	}
	if unknown != "" {
		return entente.Say("It is recorded with the products that you know. You have no product %s of %s.", unknown, p.Name), nil
	}
	return entente.Say("It is recorded with the products of %s.", p.Name), nil
}

func firstMoment(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// productsNamed finds the products of a supplier that a statement names: by name or
// identifier, and by the version where both sides say one.
func productsNamed(g *chain.Graph, supplier chain.NodeID, named vex.Product) []chain.NodeID {
	var all []chain.NodeID
	for i := range g.Map().Products {
		p := &g.Map().Products[i]
		called := strings.EqualFold(p.Name, named.Name) || strings.EqualFold(string(p.ID), named.Name) || named.ID != "" && strings.EqualFold(p.Name, named.ID)
		if p.Supplier == supplier && called && (named.Version == "" || p.Version == "" || named.Version == p.Version) {
			all = append(all, p.ID)
		}
	}
	return all
}

// State says how a product of ours stands to a vulnerability: for ourselves, and to the
// customers who are named. They get it as OpenVEX, under the strictest label of their
// agreements.
func (c *Carrier) State(ctx context.Context, actor entente.Actor, product chain.NodeID, s vex.Statement, to []entente.PartyID) (lines []exchange.Line, err error) {
	n, self, err := c.state(ctx, actor, product, &s, to)
	if err != nil {
		return nil, err
	}
	if len(to) > 0 {
		lines, err = c.exchange.Preview(ctx, actor, n)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if slices.Contains(to, l.Party) && !l.Allowed {
				return nil, entente.Invalid("%s cannot get it: %s", l.Name, l.Reason)
			}
		}
		if _, lines, err = c.exchange.Say(ctx, actor, n); err != nil {
			return nil, err
		}
	}
	return lines, c.advisory.Speak(ctx, actor, self.own, []advisory.Spoken{{
		Product: product, Vulnerability: s.Vulnerability, Party: self.Party(), Number: ownNumber(s.At), By: self.Document.Name, Status: s.Status,
		Justification: s.Justification, Text: s.Text, Action: s.Action, At: s.At,
	}})
}

// ownJob names a statement of ours that was taken back.
type ownJob struct {
	Statement string `json:"statement"`
}

// ownTakenBack takes back for ourselves what [Carrier.State] said and was taken back
// from all customers: we read of our product what they read.
func (c *Carrier) ownTakenBack(ctx context.Context, job *journal.Job) error {
	var todo ownJob
	if err := job.Decode(&todo); err != nil {
		return err
	}
	actor := entente.System(job.Org, entente.DoorWorker)
	st, _, err := c.exchange.Statement(ctx, actor, todo.Statement)
	if err != nil || st.Kind != entente.EntryVEX || st.Originator != "" {
		return err
	}
	said, err := vex.Read(st.Body)
	if err != nil {
		return nil // not what State says: nothing of it is with our products
	}
	self, err := c.exchange.Self(ctx, actor)
	if err != nil {
		return err
	}
	for _, s := range said {
		all, err := c.advisory.SpokenOf(ctx, actor, "", []string{s.Vulnerability})
		if err != nil {
			return err
		}
		for _, one := range all {
			if one.Party != self.Party() || subjectVEX(one.Product, one.Vulnerability) != st.Subject || one.Number != ownNumber(s.At) {
				continue
			}
			if err := c.advisory.Unsay(ctx, actor, one.Party, one.Number, time.Time{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownNumber takes the place of the number of an entry for what we say ourselves.
func ownNumber(at time.Time) uint64 { return uint64(at.UnixMilli()) }

// subjectVEX is the subject of all that we say of a product and a vulnerability.
func subjectVEX(product chain.NodeID, vulnerability string) string {
	return "vex/" + string(product) + "/" + vulnerability
}

// StatePreview says who would get what [Carrier.State] says and why, and who would not
// and why not. It changes nothing.
func (c *Carrier) StatePreview(ctx context.Context, actor entente.Actor, product chain.NodeID, s vex.Statement, to []entente.PartyID) ([]exchange.Line, error) {
	n, _, err := c.state(ctx, actor, product, &s, to)
	if err != nil || len(to) == 0 {
		return nil, err
	}
	return c.exchange.Preview(ctx, actor, n)
}

// speaker is who says how its product stands.
type speaker struct {
	exchange.Self
	own chain.NodeID
}

// state checks what is to be said of a product, dates it, and makes the statement for
// the customers who are named.
func (c *Carrier) state(ctx context.Context, actor entente.Actor, product chain.NodeID, s *vex.Statement, to []entente.PartyID) (n exchange.NewStatement, by speaker, err error) {
	if err := identity.Require(actor, identity.ExchangeShare, identity.In(actor.Org)); err != nil {
		return n, by, err
	}
	g, err := c.chain.Graph(ctx, actor)
	if err != nil {
		return n, by, err
	}
	by.own, s.Vulnerability = g.Map().Own, strings.TrimSpace(s.Vulnerability)
	node, known := g.Node(product)
	switch {
	case !known || node.Kind != chain.KindProduct:
		return n, by, entente.NotFound("there is no product %q in the chain", string(product))
	case node.Organisation != by.own:
		return n, by, entente.Invalid("%s is not made by you; only who makes a product says how it stands", node.Name)
	case s.Vulnerability == "" || len(s.Vulnerability) > 256:
		return n, by, entente.Invalid("name the vulnerability, such as CVE-2026-12345")
	case !slices.Contains(vex.Statuses(), s.Status):
		return n, by, entente.Invalid("%q is not one of: not affected, affected, fixed, under investigation", string(s.Status))
	case s.Status == vex.NotAffected && s.Justification == "" && strings.TrimSpace(s.Text) == "":
		return n, by, entente.Invalid("say why it is not affected")
	case s.Justification != "" && !slices.Contains(vex.Justifications(), s.Justification):
		return n, by, entente.Invalid("%q is no justification that OpenVEX knows", s.Justification)
	case s.Status == vex.Affected && strings.TrimSpace(s.Action) == "":
		return n, by, entente.Invalid("say what to do about it")
	}
	if by.Self, err = c.exchange.Self(ctx, actor); err != nil {
		return n, by, err
	}
	s.At, s.Products = time.Now(), []vex.Product{{Name: node.Name}}
	n = exchange.NewStatement{
		Kind: entente.EntryVEX, Subject: subjectVEX(product, s.Vulnerability), To: to,
		Title: entente.Say("%s: %s", node.Name, s.Vulnerability).String(), Marking: entente.Marking{TLP: entente.TLPClear},
	}
	for _, party := range to {
		p, err := c.exchange.Partner(ctx, actor, party)
		if err != nil {
			return n, by, err
		}
		if label, agreed := p.Agreement.Default(by.Party(), entente.EntryVEX); agreed {
			n.Marking.TLP = entente.Stricter(n.Marking.TLP, label)
		}
	}
	n.Body, err = vex.Write(by.Document.Name, "urn:entente:"+string(by.Party())+":"+n.Subject, *s)
	return n, by, err
}
