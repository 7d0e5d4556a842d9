package carry

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/advisory/vex"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
)

// speak brings what a supplier says of its products to the advisories: an OpenVEX or
// CycloneDX document, as the body of the entry or as its first file.
func (c *Carrier) speak(ctx context.Context, actor entente.Actor, e exchange.Received) (entente.Message, error) {
	document := []byte(e.Body)
	if len(e.Blobs) > 0 {
		content, size, err := c.exchange.Blob(ctx, actor, e.Blobs[0].Hash)
		switch {
		case err != nil && entente.KindOf(err) == entente.KindNotFound:
			return entente.Message{}, errNothing // it is still under way
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
