package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/node"
)

// nodeFlags say which node a command works on, and in which organisation.
type nodeFlags struct {
	Data         string `env:"ENTENTE_DATA" placeholder:"DIR" help:"Folder of the node ($ENTENTE_DATA)."`
	Database     string `env:"ENTENTE_DATABASE" placeholder:"URL" help:"PostgreSQL instead of the SQLite file in the folder: postgres://… ($ENTENTE_DATABASE)."`
	Organisation string `env:"ENTENTE_ORGANISATION" placeholder:"NAME" help:"Organisation, by its name or identifier; not needed where the node has one ($ENTENTE_ORGANISATION)."`
}

// rooms are those of a node that a command works on.
type rooms struct{ *node.Rooms }

// open opens the node of a command that is not a server.
func (f nodeFlags) open(ctx context.Context, c *console) (*rooms, error) {
	return f.openWith(ctx, c, node.Config{})
}

// openWith is open for a command that says more of the node than where it is.
func (f nodeFlags) openWith(ctx context.Context, c *console, more node.Config) (*rooms, error) {
	if f.Data == "" && f.Database == "" {
		return nil, entente.Invalid("say which node: --data DIR (or ENTENTE_DATA), or --database postgres://… (or ENTENTE_DATABASE)")
	}
	if f.Database == "" {
		file := filepath.Join(f.Data, node.DatabaseFile)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, entente.NotFound("there is no node in %s (no %s); entente serve --data %s sets one up", f.Data, node.DatabaseFile, f.Data)
		}
	}
	more.Data, more.Database, more.Log = f.Data, f.Database, c.log(slog.LevelWarn)
	at, err := node.Open(ctx, more)
	return &rooms{at}, err
}

func (n *rooms) close(c *console) {
	if err := n.DB.Close(); err != nil {
		c.fail(err)
	}
}

// organisation finds the organisation that a command works in: by identifier or
// name, or the only one that there is.
func (n *rooms) organisation(ctx context.Context, name string) (entente.OrgID, error) {
	list, err := n.Identity.Organisations(ctx)
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
