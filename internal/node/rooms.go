package node

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"

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
	"github.com/entente-project/entente/internal/threat"
	"github.com/entente-project/entente/internal/web/lang"
)

// What stands in a node's folder.
const (
	DatabaseFile = "entente.db"
	KeyFile      = "node.key"
)

// Rooms are the rooms of an open database.
type Rooms struct {
	DB        *db.DB
	Identity  *identity.Service
	Chain     *chain.Service
	Inventory *inventory.Service
	Advisory  *advisory.Service
	Partner   *partner.Service
	Notify    *notify.Service
	Exchange  *exchange.Service
	Threat    *threat.Service
	Carry     *carry.Carrier
	Languages *lang.Languages
	Search    *search.Service
	Runner    *journal.Runner
}

// Open opens the database and the rooms. The folder must exist.
func Open(ctx context.Context, c Config) (*Rooms, error) {
	at := db.Config{Postgres: c.Database, NoSync: c.NoSync}
	if c.Database == "" {
		at.SQLite = filepath.Join(c.Data, DatabaseFile)
	}
	d, err := db.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	r := &Rooms{DB: d}
	if err := r.wire(ctx, c); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return r, nil
}

// wire makes the rooms, each of which knows only those below it.
func (r *Rooms) wire(ctx context.Context, c Config) error {
	key := seal.Key{}
	if c.Data != "" {
		var err error
		key, err = seal.Load(filepath.Join(c.Data, KeyFile))
		if err != nil {
			return err
		}
	}
	var err error
	r.Identity, err = identity.New(ctx, r.DB, identity.Config{Key: key, Origin: c.Origin, Cost: c.PasswordCost, Log: c.Log})
	if err != nil {
		return err
	}
	r.Chain = chain.New(r.DB)
	r.Chain.NameWith(r.organisationName)
	r.Inventory = inventory.New(r.DB, inventory.Options{})
	r.Advisory = advisory.New(r.DB, r.Chain, advisory.Options{})
	r.Partner = partner.New(r.DB, r.Chain)
	r.Languages, err = c.languages()
	if err != nil {
		return err
	}
	r.Notify = notify.New(r.DB, r.Identity, notify.Config{
		Key: key, Origin: c.Origin, AllowPrivate: c.AllowPrivate, Mail: c.Mail, Log: c.Log,
		Say: func(likes identity.Preferences, m entente.Message) string {
			return r.Languages.Reader(likes.Language, "", likes.Zone).Say(m)
		},
	})
	r.Exchange = exchange.New(r.DB, r.Identity, exchange.Config{Key: key, Origin: c.Origin, AllowPrivate: c.AllowPrivate, Fetch: c.Fetch, Backoff: c.Backoff, Log: c.Log})
	r.Search = search.New(r.Chain, r.Inventory, r.Advisory, r.Identity)
	jobs := r.Advisory.Jobs()
	maps.Copy(jobs, r.Chain.Jobs())
	maps.Copy(jobs, r.Notify.Jobs())
	maps.Copy(jobs, r.Exchange.Jobs())
	r.Threat = threat.New(r.DB)
	r.Carry = carry.New(r.Exchange, r.Chain, r.Inventory, r.Advisory, r.Threat)
	maps.Copy(jobs, r.Carry.Jobs())
	r.Runner = journal.NewRunner(r.DB, c.Log, slices.Concat(r.Advisory.Consumers(), r.Notify.Consumers(), r.Carry.Consumers()), jobs)
	return nil
}

// organisationName is how the chain learns the name of an organisation.
func (r *Rooms) organisationName(ctx context.Context, actor entente.Actor) (string, error) {
	o, err := r.Identity.Organisation(ctx, actor)
	return o.Name, err
}
