package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/node"
)

// partnerCommands let whoever runs the node do at a terminal what its owner does at a
// page. On SQLite the node must not run meanwhile.
type partnerCommands struct {
	Invite partnerInviteCommand `cmd:"" help:"Invite a partner: prints the link, this once."`
	Accept partnerAcceptCommand `cmd:"" help:"Accept the link of an invitation; the inviter's node must run."`
	List   partnerListCommand   `cmd:"" help:"List the partners, the words of their keys, and what waits for them."`
}

// partnering is what inviting and accepting have in common.
type partnering struct {
	importing
	Origin       string `required:"" env:"ENTENTE_ORIGIN" placeholder:"URL" help:"Address by which partners reach this node ($ENTENTE_ORIGIN)."`
	AllowPrivate bool   `name:"allow-private-addresses" env:"ENTENTE_ALLOW_PRIVATE_ADDRESSES" help:"Let partners be on private networks and on this machine, also without TLS ($ENTENTE_ALLOW_PRIVATE_ADDRESSES)."`
}

func (p partnering) begin(ctx context.Context, c *console) (*rooms, entente.Actor, error) {
	return p.beginWith(ctx, c, node.Config{Origin: strings.TrimRight(p.Origin, "/"), AllowPrivate: p.AllowPrivate})
}

type partnerInviteCommand struct {
	partnering
	Name string `required:"" placeholder:"NAME" help:"Whom you invite."`
	As   string `required:"" enum:"supplier,customer,both" help:"What they are to you: supplier, customer or both."`
}

// Run makes an invitation with the usual terms.
func (i *partnerInviteCommand) Run(ctx context.Context, c *console) error {
	n, actor, err := i.begin(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	terms := exchange.StandardTerms(i.As != "customer", i.As != "supplier", time.Now())
	ticket, _, err := n.Exchange.Invite(ctx, actor, exchange.NewInvitation{Name: i.Name, Terms: terms})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, ticket.Link())
	fmt.Fprintf(c.err, "It can be accepted once, until %s. The words of your key are: %s\n", ticket.Expires.Format(time.DateOnly), strings.Join(ticket.Key.Fingerprint(), " "))
	return nil
}

type partnerAcceptCommand struct {
	Link string `arg:"" help:"The whole link of the invitation."`
	partnering
}

// Run accepts an invitation.
func (a *partnerAcceptCommand) Run(ctx context.Context, c *console) error {
	n, actor, err := a.begin(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	p, err := n.Exchange.Accept(ctx, actor, a.Link, nil, "")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "%s is a partner now. Let its people read you the words of its key: %s\n", visible(p.Name), strings.Join(p.Fingerprint(), " "))
	return err
}

type partnerListCommand struct{ importing }

// Run lists the partners.
func (l *partnerListCommand) Run(ctx context.Context, c *console) error {
	n, actor, err := l.begin(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	list, err := n.Exchange.Partners(ctx, actor)
	if err != nil {
		return err
	}
	for _, p := range list {
		fmt.Fprintf(c.out, "%s: %s, %s, %d received, %d of %d delivered\n  %s\n", visible(p.Name), p.State, visible(p.Address), p.In.Number, p.Out.Acked, p.Out.Number, strings.Join(p.Fingerprint(), " "))
	}
	return nil
}
