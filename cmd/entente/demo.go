package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/node"
)

// demoPassword is everybody's in the demonstration. It is no secret, which is why
// the demonstration listens on this machine only unless it is told otherwise.
const demoPassword = "beans-for-every-desk"

const demoAddr = "127.0.0.1:8080"

type demoCommand struct {
	Addr     string `placeholder:"HOST:PORT" help:"Where to listen; without it 127.0.0.1:8080, or the next free port."`
	Data     string `placeholder:"DIR" help:"Folder to keep; without it a temporary one that is removed at the end."`
	LogLevel string `default:"warn" enum:"debug,info,warn,error" help:"How much to log: debug, info, warn or error."`
}

// Run shows the demonstration until a signal comes.
func (d *demoCommand) Run(ctx context.Context, c *console) (err error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(d.LogLevel)); err != nil {
		return err
	}
	dir := d.Data
	if dir == "" {
		dir, err = os.MkdirTemp("", "entente-demo-")
		if err != nil {
			return entente.Invalid("no temporary folder can be made: %s; name one with --data", node.Cause(err))
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	addr := d.Addr
	if addr == "" {
		addr = free(demoAddr)
	}
	app, err := node.New(ctx, node.Config{Addr: addr, Data: dir, AllowPrivate: true, Log: c.log(level), Version: version(), Say: func(sentence string) { fmt.Fprintln(c.err, sentence) }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	began := time.Now()
	if err := loadDemo(ctx, &rooms{app.Rooms}, c); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	d.tell(c, app, time.Since(began))
	err = app.Run(ctx)
	if err == nil {
		fmt.Fprintln(c.out, "The demonstration has ended.")
	}
	return err
}

// free gives the address, or the same with the next free port.
func free(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	at, err := net.LookupPort("tcp", port)
	if err != nil {
		return addr
	}
	for next := at; next < at+100; next++ {
		candidate := net.JoinHostPort(host, fmt.Sprint(next))
		l, err := net.Listen("tcp", candidate)
		if err == nil {
			_ = l.Close()
			return candidate
		}
	}
	return net.JoinHostPort(host, "0")
}

// loadDemo brings the catalog in through the same services as anybody's data. What
// is there already is left alone, so that a kept folder can be started again.
func loadDemo(ctx context.Context, a *rooms, c *console) error {
	there, err := a.Identity.Organisations(ctx)
	if err != nil {
		return err
	}
	known := map[entente.OrgID]bool{}
	for _, o := range there {
		known[o.ID] = true
	}
	organisations := catalog.Organisations()
	p := c.progress("Setting up the demonstration")
	defer p.end()
	for i, org := range organisations {
		id := entente.OrgID(org.ID)
		if !known[id] {
			p.step(i+1, len(organisations), org.Name)
			if err := demoPeople(ctx, a, org); err != nil {
				return fmt.Errorf("setting up the people of %s: %w", org.Name, err)
			}
		}
		if err := demoContent(ctx, a, org); err != nil {
			return fmt.Errorf("loading the demonstration of %s: %w", org.Name, err)
		}
	}
	return demoPartners(ctx, a, organisations[0], organisations[1])
}

// demoPartners lets the first organisation become a partner of one that supplies it.
func demoPartners(ctx context.Context, a *rooms, buyer, supplier catalog.Organisation) error {
	us, them := entente.System(entente.OrgID(buyer.ID), entente.DoorCommand), entente.System(entente.OrgID(supplier.ID), entente.DoorCommand)
	known, err := a.Exchange.Partners(ctx, us)
	if err != nil || len(known) > 0 {
		return err
	}
	contact := func(o catalog.Organisation) []entente.Contact {
		p := o.People[1]
		return []entente.Contact{{Name: p.Name, Email: p.Email}}
	}
	terms := exchange.StandardTerms(true, false, time.Now())
	terms.Contacts = contact(buyer)
	ticket, _, err := a.Exchange.Invite(ctx, us, exchange.NewInvitation{Name: supplier.Name, KnownAs: supplier.ID, Terms: terms})
	if err != nil {
		return err
	}
	_, err = a.Exchange.Accept(ctx, them, ticket.Link(), contact(supplier), buyer.ID)
	return err
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

func (d *demoCommand) tell(c *console, app *node.Node, took time.Duration) {
	s := c.sheet()
	s.line(bold, "", 0, "Entente shows Beanline, which leases coffee machines and supplies the beans: "+app.URL())
	s.line(faint, "", 0, fmt.Sprintf("ready after %s; everything is invented but the vulnerabilities", took.Round(time.Millisecond)))
	s.blank()
	s.line(plain, "", 0, "Sign in as one of these people; the second column is the password:")
	for _, org := range catalog.Organisations() {
		s.blank()
		s.line(bold, "", 2, "  "+org.Name)
		for _, p := range org.People {
			fmt.Fprintf(s.w, "    %-30s %s  %s\n", p.Email, demoPassword, p.Role)
		}
	}
	s.blank()
	if at, ok := app.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		s.line(amber, "", 0, "It listens beyond this machine, and these passwords are no secret: put nothing real into it.")
	}
	if d.Data == "" {
		s.line(plain, "", 0, "Ctrl-C ends it; nothing is kept.")
	} else {
		s.line(plain, "", 0, "Ctrl-C ends it; the data stays in "+d.Data+".")
	}
	if err := s.flush(); err != nil {
		c.fail(err)
	}
}
