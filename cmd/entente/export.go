package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/node"
)

type exportCommands struct {
	Map  exportMapCommand  `cmd:"" help:"Print the chain of an organisation in the format entente.map/1."`
	Demo exportDemoCommand `cmd:"" help:"Write the map, the SBOMs and the advisories of the demonstration to a folder."`
}

type exportMapCommand struct {
	Demo bool `help:"Print the demonstration's map; needs no node."`
	nodeFlags
}

// Run prints the map.
func (e *exportMapCommand) Run(ctx context.Context, c *console) error {
	if e.Demo {
		text, err := fs.ReadFile(catalog.Files(), catalog.Organisations()[0].Map)
		if err != nil {
			return err
		}
		_, err = c.out.Write(text)
		return err
	}
	n, err := e.open(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	org, err := n.organisation(ctx, e.Organisation)
	if err != nil {
		return err
	}
	m, err := n.Chain.Export(ctx, entente.System(org, entente.DoorCommand))
	if err != nil {
		return err
	}
	return chain.WriteMap(c.out, m)
}

type exportDemoCommand struct {
	To string `required:"" placeholder:"DIR" help:"The folder; it must be missing or empty."`
}

// Run writes the files.
func (e *exportDemoCommand) Run(c *console) error {
	entries, err := os.ReadDir(e.To)
	switch {
	case err == nil && len(entries) > 0:
		return entente.Conflict("the folder %s is not empty; name one that is missing or empty", e.To)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return entente.Invalid("the folder %s cannot be used: %s", e.To, node.Cause(err))
	}
	written := 0
	err = fs.WalkDir(catalog.Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(e.To, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := fs.ReadFile(catalog.Files(), name)
		if err != nil {
			return err
		}
		written++
		return os.WriteFile(target, text, 0o644)
	})
	if err != nil {
		return entente.Invalid("the demonstration cannot be written to %s: %s", e.To, node.Cause(err))
	}
	_, err = fmt.Fprintf(c.out, `%d files written to %s. Try:

  entente impact --map %[3]s --sboms %[4]s --advisories %[5]s
  entente impact --map %[3]s --down nordhost
`, written, e.To, path.Join(e.To, catalog.Organisations()[0].Map), path.Join(e.To, catalog.SBOMs), path.Join(e.To, catalog.Advisories))
	return err
}
