package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/node"
	"github.com/entente-project/entente/internal/notify"
)

type serveCommand struct {
	Addr string `default:"127.0.0.1:8080" env:"ENTENTE_ADDR" placeholder:"HOST:PORT" help:"Where to listen ($ENTENTE_ADDR)."`
	nodeFlags
	Origin        string   `env:"ENTENTE_ORIGIN" placeholder:"URL" help:"Address by which browsers reach the node, if it stands behind a proxy ($ENTENTE_ORIGIN)."`
	Languages     string   `env:"ENTENTE_LANGUAGES" placeholder:"DIR" help:"Folder with languages of the pages, a YAML file each ($ENTENTE_LANGUAGES); see docs/languages.md."`
	OwnerName     string   `env:"ENTENTE_OWNER_NAME" placeholder:"NAME" help:"First start: the owner's name ($ENTENTE_OWNER_NAME)."`
	OwnerEmail    string   `env:"ENTENTE_OWNER_EMAIL" placeholder:"ADDRESS" help:"First start: the owner's e-mail address ($ENTENTE_OWNER_EMAIL)."`
	OwnerPassword string   `env:"ENTENTE_OWNER_PASSWORD" hidden:""`
	PasswordFile  string   `env:"ENTENTE_OWNER_PASSWORD_FILE" placeholder:"FILE" help:"First start: file with the owner's password ($ENTENTE_OWNER_PASSWORD_FILE, or the password itself in $ENTENTE_OWNER_PASSWORD)."`
	TrustedProxy  []string `env:"ENTENTE_TRUSTED_PROXY" placeholder:"CIDR" help:"Proxies that are trusted to tell from where a request came ($ENTENTE_TRUSTED_PROXY)."`
	SMTPURL       string   `name:"smtp-url" env:"ENTENTE_SMTP_URL" placeholder:"URL" help:"Server that takes the node's mail: smtp://user:password@host:port, or smtps://… ($ENTENTE_SMTP_URL)."`
	MailFrom      string   `env:"ENTENTE_MAIL_FROM" placeholder:"ADDRESS" help:"Sender of the node's mail ($ENTENTE_MAIL_FROM)."`
	AllowPrivate  bool     `name:"allow-private-addresses" env:"ENTENTE_ALLOW_PRIVATE_ADDRESSES" help:"Let webhooks and partners be on private networks and on this machine, also without TLS ($ENTENTE_ALLOW_PRIVATE_ADDRESSES)."`
	LogLevel      string   `default:"info" enum:"debug,info,warn,error" env:"ENTENTE_LOG" help:"How much to log: debug, info, warn or error ($ENTENTE_LOG)."`
}

// Run serves a node until a signal comes.
func (s *serveCommand) Run(ctx context.Context, c *console) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return err
	}
	if s.Data == "" && s.Database == "" {
		return entente.Invalid("say where the node keeps its data: --data DIR (or ENTENTE_DATA); --database postgres://… replaces the SQLite file in it")
	}
	to := node.Config{Addr: s.Addr, Data: s.Data, Database: s.Database, Origin: strings.TrimRight(s.Origin, "/"), Languages: s.Languages, AllowPrivate: s.AllowPrivate, Version: version(), Log: c.log(level)}
	var err error
	to.Proxies, err = node.ParseProxies(s.TrustedProxy)
	if err != nil {
		return err
	}
	switch {
	case s.SMTPURL != "":
		to.Mail, err = notify.NewMailServer(s.SMTPURL, s.MailFrom)
	case s.MailFrom != "":
		err = entente.Invalid("--mail-from names a sender, and there is no server that takes mail; add --smtp-url")
	}
	if err != nil {
		return err
	}
	app, err := node.New(ctx, to)
	if err != nil {
		return err
	}
	err = s.setUp(ctx, c, app)
	if err == nil {
		fmt.Fprintf(c.out, "Entente serves at %s\n", app.URL())
		err = app.Run(ctx)
	}
	return errors.Join(err, app.Close())
}

// setUp makes the first organisation and its owner, from the flags and the
// environment, and otherwise by asking at the terminal.
func (s *serveCommand) setUp(ctx context.Context, c *console, app *node.Node) error {
	there, err := app.Identity.Organisations(ctx)
	if err != nil || len(there) > 0 {
		return err
	}
	n, err := s.owner()
	if err != nil {
		return err
	}
	if n.Name == "" || n.Owner.Email == "" || n.Owner.Password == "" {
		if !c.typing {
			return entente.Invalid("the node has no organisation yet, and there is no terminal to ask at: set --organisation, --owner-email and --password-file (or ENTENTE_ORGANISATION, ENTENTE_OWNER_EMAIL and ENTENTE_OWNER_PASSWORD)")
		}
		if err := c.asking(ctx, func() error { return c.askOwner(&n) }); err != nil {
			return err
		}
	}
	made, err := app.Identity.CreateOrganisation(ctx, n)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is set up; sign in as %s\n", made.Name, n.Owner.Email)
	return nil
}

func (s *serveCommand) owner() (identity.NewOrganisation, error) {
	n := identity.NewOrganisation{Name: s.Organisation, Owner: identity.NewPerson{Name: s.OwnerName, Email: s.OwnerEmail, Password: s.OwnerPassword}}
	if s.PasswordFile != "" {
		if s.OwnerPassword != "" {
			return n, entente.Invalid("the owner's password is given twice, as a file and in ENTENTE_OWNER_PASSWORD; leave one out")
		}
		text, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return n, entente.Invalid("the password file %s cannot be read: %s", s.PasswordFile, node.Cause(err))
		}
		n.Owner.Password = strings.TrimRight(string(text), "\r\n")
	}
	if n.Owner.Name == "" && n.Owner.Email != "" {
		n.Owner.Name, _, _ = strings.Cut(n.Owner.Email, "@")
	}
	return n, nil
}

// asking runs questions that a signal can end: reading from a terminal cannot be
// cancelled, so it is left behind, with the terminal put right.
func (c *console) asking(ctx context.Context, questions func() error) error {
	before, err := term.GetState(c.keyfd)
	if err != nil {
		return err
	}
	answered := make(chan error, 1)
	go func() { answered <- questions() }()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		fmt.Fprintln(c.err)
		return errors.Join(entente.Invalid("the set-up was not finished; nothing was made"), term.Restore(c.keyfd, before))
	}
}

// askOwner asks at the terminal for what is still missing.
func (c *console) askOwner(n *identity.NewOrganisation) error {
	lines := bufio.NewScanner(c.in)
	ask := func(question string, into *string) error {
		for *into == "" {
			fmt.Fprintf(c.err, "%s: ", question)
			if !lines.Scan() {
				return entente.Invalid("the set-up was not finished; nothing was made")
			}
			*into = strings.TrimSpace(lines.Text())
		}
		return nil
	}
	fmt.Fprintln(c.err, "This node is new. Three questions set up its first organisation.")
	if err := ask("Organisation's name", &n.Name); err != nil {
		return err
	}
	if err := ask("Owner's e-mail address", &n.Owner.Email); err != nil {
		return err
	}
	if n.Owner.Name == "" {
		n.Owner.Name, _, _ = strings.Cut(n.Owner.Email, "@")
	}
	for n.Owner.Password == "" {
		first, err := c.secret("Owner's password (not shown)")
		if err != nil {
			return err
		}
		if err := identity.CheckPassword(first, n.Name, n.Owner.Email); err != nil {
			c.fail(err)
			continue
		}
		again, err := c.secret("The same again")
		if err != nil {
			return err
		}
		if first != again {
			fmt.Fprintln(c.err, "The two are not the same.")
			continue
		}
		n.Owner.Password = first
	}
	return nil
}

func (c *console) secret(question string) (string, error) {
	fmt.Fprintf(c.err, "%s: ", question)
	text, err := term.ReadPassword(c.keyfd)
	fmt.Fprintln(c.err)
	if err != nil {
		return "", entente.Invalid("the password could not be read: %s", err.Error())
	}
	return string(text), nil
}
