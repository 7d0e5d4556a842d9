package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/node"
)

type importCommands struct {
	Map        importMapCommand        `cmd:"" help:"Take a map over as the organisation's chain: all of it or nothing."`
	SBOM       importSBOMCommand       `cmd:"" name:"sbom" help:"Record SBOMs of products."`
	Advisories importAdvisoriesCommand `cmd:"" help:"Record OSV advisories and match them."`
}

// importing is what the three have in common.
type importing struct{ nodeFlags }

// begin opens the node and says who acts: the program, for one organisation.
func (i importing) begin(ctx context.Context, c *console) (*rooms, entente.Actor, error) {
	return i.beginWith(ctx, c, node.Config{})
}

func (i importing) beginWith(ctx context.Context, c *console, more node.Config) (*rooms, entente.Actor, error) {
	n, err := i.openWith(ctx, c, more)
	if err != nil {
		return nil, entente.Actor{}, err
	}
	org, err := n.organisation(ctx, i.Organisation)
	if err != nil {
		n.close(c)
		return nil, entente.Actor{}, err
	}
	return n, entente.System(org, entente.DoorCommand), nil
}

type importMapCommand struct {
	File string `arg:"" help:"File in the format entente.map/1, - for standard input."`
	importing
}

// Run imports the map.
func (i *importMapCommand) Run(ctx context.Context, c *console) error {
	m, err := c.parseMap(i.File)
	if err != nil {
		return err
	}
	n, actor, err := i.begin(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	result, err := n.Chain.Import(ctx, actor, m)
	if err != nil {
		return err
	}
	if result.Unchanged() {
		_, err = fmt.Fprintln(c.out, "Nothing changed: the chain is as the map says already.")
		return err
	}
	added, changed, removed := result.Counts()
	fmt.Fprintf(c.out, "The chain of %s is taken over: %d added, %d changed, %d removed.\n", actor.Org, added, changed, removed)
	return n.Runner.CatchUp(ctx, actor.Org)
}

func (c *console) parseMap(name string) (*chain.Map, error) {
	if name == "-" {
		return chain.ParseMap(c.in, "standard input")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, entente.NotFound("the map %s cannot be opened: %s", name, node.Cause(err))
	}
	m, err := chain.ParseMap(f, name)
	return m, errors.Join(err, f.Close())
}

type importSBOMCommand struct {
	Product string   `placeholder:"ID" help:"The product that the files describe; without it the map binds them by its field sboms."`
	Files   []string `arg:"" help:"Files and folders of SBOMs; - for standard input."`
	importing
}

// Run records the SBOMs one by one: a wrong one is told and does not stop the others.
func (i *importSBOMCommand) Run(ctx context.Context, c *console) error {
	n, actor, err := i.begin(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	work, err := i.plan(ctx, c, n, actor)
	if err != nil {
		return err
	}
	recorded, same := 0, 0
	var wrong error
	p := c.progress("Recording SBOMs")
	for at, w := range work {
		p.step(at+1, len(work), w.name)
		changed, err := w.record(ctx, n, actor)
		switch {
		case err != nil && entente.KindOf(err) == entente.KindInternal, ctx.Err() != nil:
			p.end()
			return errors.Join(err, ctx.Err())
		case err != nil:
			wrong = err
			c.fail(err)
		case changed:
			recorded++
		default:
			same++
		}
	}
	p.end()
	fmt.Fprintf(c.out, "%s recorded, %d unchanged, %d refused.\n", plural(recorded, "SBOM", "SBOMs"), same, len(work)-recorded-same)
	if err := n.Runner.CatchUp(ctx, actor.Org); err != nil {
		return err
	}
	if wrong != nil {
		return entente.Invalid("%d of %s could not be recorded", len(work)-recorded-same, plural(len(work), "SBOM", "SBOMs"))
	}
	return nil
}

// sbomWork is one document to record.
type sbomWork struct {
	name    string
	product chain.NodeID
	part    string
	open    func() (io.ReadCloser, error)
}

func (w sbomWork) record(ctx context.Context, n *rooms, actor entente.Actor) (changed bool, err error) {
	in, err := w.open()
	if err != nil {
		return false, entente.NotFound("%s cannot be opened: %s", w.name, node.Cause(err))
	}
	_, changed, err = n.Inventory.RecordPart(ctx, actor, w.product, w.part, filepath.Base(w.name), in)
	return changed, errors.Join(err, in.Close())
}

// plan finds out which file belongs to which product.
func (i *importSBOMCommand) plan(ctx context.Context, c *console, n *rooms, actor entente.Actor) ([]sbomWork, error) {
	m, err := n.Chain.Export(ctx, actor)
	if err != nil {
		return nil, err
	}
	var work []sbomWork
	for _, name := range i.Files {
		if name == "-" {
			if i.Product == "" {
				return nil, entente.Invalid("an SBOM from standard input has no name to bind it by: say --product")
			}
			work = append(work, sbomWork{name: "standard input", product: chain.NodeID(i.Product), open: func() (io.ReadCloser, error) { return io.NopCloser(c.in), nil }})
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, entente.NotFound("%s cannot be read: %s", name, node.Cause(err))
		}
		open := func() (io.ReadCloser, error) { return os.Open(name) }
		switch {
		case i.Product != "" && !info.IsDir():
			work = append(work, sbomWork{name: name, product: chain.NodeID(i.Product), open: open})
		case i.Product != "":
			return nil, entente.Invalid("%s is a folder, and --product binds single files; leave it out to bind by the map", name)
		case info.IsDir():
			more, err := planned(m, os.DirFS(name))
			if err != nil {
				return nil, err
			}
			work = append(work, more...)
		default:
			more, err := planned(m, os.DirFS(filepath.Dir(name)))
			if err != nil {
				return nil, err
			}
			more = slices.DeleteFunc(more, func(w sbomWork) bool { return w.name != filepath.Base(name) })
			if len(more) == 0 {
				return nil, entente.Invalid("%s belongs to no product of the map: say --product, or name it in a product's field sboms", name)
			}
			work = append(work, more...)
		}
	}
	return work, nil
}

func planned(m *chain.Map, folder fs.FS) ([]sbomWork, error) {
	bound, err := inventory.BindFolder(folder, m.Products)
	if err != nil {
		return nil, err
	}
	work := make([]sbomWork, 0, len(bound.Bound))
	for _, f := range bound.Bound {
		work = append(work, sbomWork{name: f.Path, product: f.Product, part: f.Part, open: func() (io.ReadCloser, error) { return folder.Open(f.Path) }})
	}
	return work, nil
}

type importAdvisoriesCommand struct {
	Files []string `arg:"" help:"OSV records: files, folders and zips; folders of <Ecosystem>/all.zip are read as they are."`
	importing
}

// Run records the advisories; those that are known in the same version are skipped.
func (i *importAdvisoriesCommand) Run(ctx context.Context, c *console) error {
	for _, name := range i.Files {
		if _, err := os.Stat(name); err != nil {
			return entente.NotFound("%s cannot be read: %s", name, node.Cause(err))
		}
	}
	n, actor, err := i.begin(ctx, c)
	if err != nil {
		return err
	}
	defer n.close(c)
	wrong := 0
	for _, name := range i.Files {
		p := c.progress("Recording advisories")
		report, err := n.Advisory.Ingest(ctx, actor, advisory.FromPath(name), advisory.IngestOptions{
			Progress: func(read int) { p.step(read, 0, name) },
		})
		p.end()
		if err != nil {
			return err
		}
		for _, w := range report.Wrong {
			fmt.Fprintf(c.err, "entente: %s: %s\n", w.Where, w.What)
		}
		wrong += len(report.Wrong) + report.MoreWrong
		fmt.Fprintf(c.out, "%s: %s read, %d new, %d changed, %d unchanged, %d older than what is known, %d unreadable.\n",
			name, plural(report.Read, "advisory", "advisories"), report.New, report.Changed, report.Unchanged, report.Older, len(report.Wrong)+report.MoreWrong)
	}
	if err := n.Runner.CatchUp(ctx, actor.Org); err != nil {
		return err
	}
	if wrong > 0 {
		return entente.Invalid("%s could not be read; the others are recorded", plural(wrong, "advisory", "advisories"))
	}
	return nil
}
