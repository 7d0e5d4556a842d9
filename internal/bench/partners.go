package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
)

// pagePartners is how many partners the node of part f has, with seats on it.
const pagePartners = 50

// exchangeOf opens the exchange of the estate, with partners and something said by each.
func exchangeOf(ctx context.Context, e *estate) (*exchange.Service, []string, error) {
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return nil, nil, err
	}
	x := exchange.New(e.db, e.identity, exchange.Config{Key: key, Origin: "https://bench.example", Log: slog.New(slog.DiscardHandler)})
	known, err := x.Partners(ctx, system())
	if err != nil {
		return nil, nil, err
	}
	for n := len(known); n < pagePartners; n++ {
		if err := partnerUp(ctx, e, x, n); err != nil {
			return nil, nil, err
		}
	}
	known, err = x.Partners(ctx, system())
	var ids []string
	for _, p := range known {
		ids = append(ids, string(p.Party))
	}
	return x, ids, err
}

func partnerUp(ctx context.Context, e *estate, x *exchange.Service, n int) error {
	o, err := e.identity.CreateOrganisation(ctx, identity.NewOrganisation{Name: fmt.Sprintf("Partner %d", n), Owner: identity.NewPerson{
		Name: "Owner", Email: fmt.Sprintf("owner-%d@bench.example", n), Password: "a password of the bench",
	}})
	if err != nil {
		return err
	}
	ticket, _, err := x.Invite(ctx, system(), exchange.NewInvitation{Name: o.Name, Terms: exchange.StandardTerms(true, false, time.Now())})
	if err != nil {
		return err
	}
	_, err = x.Accept(ctx, entente.System(o.ID, entente.DoorCommand), ticket.Link(), nil, "")
	return err
}
