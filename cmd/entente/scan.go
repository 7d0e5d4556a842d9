package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/advisory"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/inventory"
	"github.com/entente-project/entente/internal/node"
)

// scan matches the SBOMs of the map's products with the advisories, and notes in the
// report what was read and what could not be decided.
func (i *impactCommand) scan(ctx context.Context, c *console, a answerer, r *report) ([]finding, error) {
	folder, err := openFolder(i.SBOMs)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(i.Advisories); err != nil {
		return nil, entente.NotFound("the advisories %s cannot be read: %s", i.Advisories, node.Cause(err))
	}
	bound, err := inventory.BindFolder(folder, a.g.Map().Products)
	if err != nil {
		return nil, err
	}
	scan := advisory.Scan{Only: i.Advisory, Advisories: advisory.FromPath(i.Advisories).Walk}
	for _, b := range bound.Bound {
		scan.Documents = append(scan.Documents, advisory.ScanDocument{
			Name: b.Path, Product: string(b.Product),
			Open: func() (io.ReadCloser, error) { return folder.Open(b.Path) },
		})
	}
	steps := map[advisory.ScanStep]*progress{
		advisory.ScanDocuments: c.progress("Reading SBOMs"), advisory.ScanAdvisories: c.progress("Reading advisories"),
	}
	scan.Progress = func(step advisory.ScanStep, done, total int) { steps[step].step(done, total, "") }
	scanned, err := scan.Run(ctx)
	for _, p := range steps {
		p.end()
	}
	if err != nil {
		return nil, err
	}
	if len(scanned.Missing) > 0 {
		return nil, entente.NotFound("%s holds no advisory called %s", i.Advisories, strings.Join(scanned.Missing, ", "))
	}
	if scanned.Advisories == 0 {
		return nil, entente.Invalid("%s holds no advisory that could be read%s; give OSV records as .json, .jsonl or .zip, or a folder of them", i.Advisories, firstWrong(scanned))
	}
	i.note(a, r, bound, scanned)
	return a.findings(scanned.Findings), nil
}

func firstWrong(s *advisory.Scanned) string {
	if len(s.Wrong) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", s.Wrong[0].Where, s.Wrong[0].What)
}

func openFolder(name string) (fs.FS, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, entente.NotFound("there is no folder %s", name)
	case err != nil:
		return nil, entente.Invalid("the folder %s cannot be read: %s", name, node.Cause(err))
	case !info.IsDir():
		return nil, entente.Invalid("%s is not a folder; put the SBOMs into one", name)
	}
	return os.DirFS(name), nil
}

// note writes down what the scan read and what stays unknown.
func (i *impactCommand) note(a answerer, r *report, bound inventory.Folder, s *advisory.Scanned) {
	r.Read.Advisories, r.Read.Withdrawn = s.Advisories, s.Withdrawn
	for _, d := range s.Documents {
		product := a.byID(chain.NodeID(d.Product))
		r.Read.Documents++
		r.Read.Components += d.Components
		switch {
		case d.Err != nil:
			r.Open.Unread = append(r.Open.Unread, document{File: d.Name, Product: product, Components: d.Components, Why: flat(d.Err)})
		case d.Assessable == 0:
			r.Open.NotAssessable = append(r.Open.NotAssessable, document{
				File: d.Name, Product: product, Components: d.Components,
				Why: "none of its components has a package URL that advisories could concern",
			})
		}
	}
	for _, f := range a.findings(s.Undecided) {
		r.Open.Undecided = append(r.Open.Undecided, undecided{
			Product: f.Product, Document: f.Document, Component: f.Component, At: f.At, PURL: f.PURL, Advisory: f.names(), Why: f.Why,
		})
	}
	for _, id := range bound.Without {
		r.Open.Without = append(r.Open.Without, a.byID(id))
	}
	r.Open.Unbound = append(r.Open.Unbound, bound.Unbound...)
	for _, w := range s.Wrong {
		r.Open.Advisories = append(r.Open.Advisories, w.Where+": "+w.What.String())
	}
	if s.MoreWrong > 0 {
		r.Open.Advisories = append(r.Open.Advisories, fmt.Sprintf("… and %d more that could not be read", s.MoreWrong))
	}
}

// flat writes an error in one line.
func flat(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func (a answerer) findings(list []advisory.Finding) []finding {
	found := make([]finding, 0, len(list))
	for _, f := range list {
		product := chain.NodeID(f.Product)
		version := ""
		for i := range a.g.Map().Products {
			if p := &a.g.Map().Products[i]; p.ID == product {
				version = p.Version
			}
		}
		aliases := slices.DeleteFunc(slices.Clone(f.Advisory.Names), func(n string) bool { return n == f.Advisory.ID })
		found = append(found, finding{
			Product: a.byID(product), Version: version, Document: f.Document,
			Component: f.Package.Title(), At: f.Package.Version, PURL: f.Package.PURL,
			Advisory: f.Advisory.ID, Aliases: append([]string{}, aliases...),
			Summary: f.Advisory.Summary, Severity: string(f.Advisory.Severity.Level), Score: f.Advisory.Severity.Score, Why: f.Why,
		})
	}
	return found
}
