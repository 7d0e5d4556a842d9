package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/carry"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/partner"
	"github.com/entente-project/entente/internal/search"
	"github.com/entente-project/entente/internal/web/lang"
)

// What stands in a node's folder.
const (
	databaseFile = "entente.db"
	keyFile      = "node.key"
)

// nodeFlags say which node a command works on, and in which organisation.
type nodeFlags struct {
	Data         string `env:"ENTENTE_DATA" placeholder:"DIR" help:"Folder of the node ($ENTENTE_DATA)."`
	Database     string `env:"ENTENTE_DATABASE" placeholder:"URL" help:"PostgreSQL instead of the SQLite file in the folder: postgres://… ($ENTENTE_DATABASE)."`
	Organisation string `env:"ENTENTE_ORGANISATION" placeholder:"NAME" help:"Organisation, by its name or identifier; not needed where the node has one ($ENTENTE_ORGANISATION)."`
}

// node is the rooms of an open database.
type node struct {
	db        *db.DB
	identity  *identity.Service
	chain     *chain.Service
	inventory *inventory.Service
	advisory  *advisory.Service
	partner   *partner.Service
	notify    *notify.Service
	exchange  *exchange.Service
	languages *lang.Languages
	search    *search.Service
	runner    *journal.Runner
}

// openNode opens the database and the rooms. The folder must exist.
func openNode(ctx context.Context, c Config) (*node, error) {
	at := db.Config{Postgres: c.Database}
	if c.Database == "" {
		at.SQLite = filepath.Join(c.Data, databaseFile)
	}
	d, err := db.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	n := &node{db: d}
	if err := n.wire(ctx, c); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return n, nil
}

// wire makes the rooms, each of which knows only those below it.
func (n *node) wire(ctx context.Context, c Config) error {
	key := seal.Key{}
	if c.Data != "" {
		var err error
		key, err = seal.Load(filepath.Join(c.Data, keyFile))
		if err != nil {
			return err
		}
	}
	var err error
	n.identity, err = identity.New(ctx, n.db, identity.Config{Key: key, Origin: c.Origin, Log: c.Log})
	if err != nil {
		return err
	}
	n.chain = chain.New(n.db)
	n.chain.NameWith(n.organisationName)
	n.inventory = inventory.New(n.db, inventory.Options{})
	n.advisory = advisory.New(n.db, n.chain, advisory.Options{})
	n.partner = partner.New(n.db, n.chain)
	n.languages, err = c.languages()
	if err != nil {
		return err
	}
	n.notify = notify.New(n.db, n.identity, notify.Config{
		Key: key, Origin: c.Origin, AllowPrivate: c.AllowPrivate, Mail: c.Mail, Log: c.Log,
		Say: func(likes identity.Preferences, m entente.Message) string {
			return n.languages.Reader(likes.Language, "", likes.Zone).Say(m)
		},
	})
	n.exchange = exchange.New(n.db, n.identity, exchange.Config{Key: key, Origin: c.Origin, AllowPrivate: c.AllowPrivate, Log: c.Log})
	n.search = search.New(n.chain, n.inventory, n.advisory, n.identity)
	jobs := n.advisory.Jobs()
	maps.Copy(jobs, n.chain.Jobs())
	maps.Copy(jobs, n.notify.Jobs())
	maps.Copy(jobs, n.exchange.Jobs())
	carrier := carry.New(n.exchange, n.chain, n.inventory, n.advisory)
	maps.Copy(jobs, carrier.Jobs())
	n.runner = journal.NewRunner(n.db, c.Log, slices.Concat(n.advisory.Consumers(), n.notify.Consumers(), carrier.Consumers()), jobs)
	return nil
}

// organisationName is how the chain learns the name of an organisation.
func (n *node) organisationName(ctx context.Context, actor entente.Actor) (string, error) {
	o, err := n.identity.Organisation(ctx, actor)
	return o.Name, err
}

// open opens the node of a command that is not a server.
func (f nodeFlags) open(ctx context.Context, c *console) (*node, error) {
	if f.Data == "" && f.Database == "" {
		return nil, entente.Invalid("say which node: --data DIR (or ENTENTE_DATA), or --database postgres://… (or ENTENTE_DATABASE)")
	}
	if f.Database == "" {
		file := filepath.Join(f.Data, databaseFile)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, entente.NotFound("there is no node in %s (no %s); entente serve --data %s sets one up", f.Data, databaseFile, f.Data)
		}
	}
	return openNode(ctx, Config{Data: f.Data, Database: f.Database, Log: c.log(slog.LevelWarn)})
}

func (n *node) close(c *console) {
	if err := n.db.Close(); err != nil {
		c.fail(err)
	}
}

// organisation finds the organisation that a command works in: by identifier or
// name, or the only one that there is.
func (n *node) organisation(ctx context.Context, name string) (entente.OrgID, error) {
	list, err := n.identity.Organisations(ctx)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, o := range list {
		if name == string(o.ID) || name != "" && strings.EqualFold(name, o.Name) {
			return o.ID, nil
		}
		ids = append(ids, string(o.ID))
	}
	switch {
	case len(list) == 0:
		return "", entente.NotFound("the node has no organisation yet; entente serve sets up the first one")
	case name != "":
		return "", entente.NotFound("the node has no organisation %q; it has %s", name, strings.Join(ids, ", "))
	case len(list) > 1:
		return "", entente.Invalid("the node has several organisations; say which one with --organisation: %s", strings.Join(ids, ", "))
	}
	return list[0].ID, nil
}
