package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/node"
)

type impactCommand struct {
	Map        string   `required:"" placeholder:"FILE" help:"Map of the chain, in the format entente.map/1."`
	SBOMs      string   `name:"sboms" placeholder:"DIR" help:"Folder of SBOMs. The map binds them to products by its field sboms; a file named after a product's id is taken too."`
	Advisories string   `placeholder:"DIR|ZIP" help:"OSV advisories: a file, a folder or a zip; folders of <Ecosystem>/all.zip are read as they are."`
	Advisory   []string `placeholder:"ID" sep:"none" help:"Only this advisory, by any of its names. Can be repeated."`
	Down       []string `placeholder:"NAME" sep:"none" help:"What is down: an id or a name in the map. Can be repeated."`
	Restored   duration `placeholder:"TIME" help:"Everything that is down works again after this time, such as 8h."`
	Horizon    duration `placeholder:"TIME" help:"Look only so far ahead, such as 2w."`
	Format     string   `enum:"text,json" default:"text" help:"text or json (docs/schema/entente.impact.1.json)."`
}

// Run answers who is hit.
func (i *impactCommand) Run(ctx context.Context, c *console) error {
	if err := i.check(); err != nil {
		return err
	}
	g, err := readGraph(i.Map)
	if err != nil {
		return err
	}
	a := answerer{g: g, o: chain.OutageOptions{Horizon: time.Duration(i.Horizon), Restored: time.Duration(i.Restored)}}
	down, err := a.find(i.Down)
	if err != nil {
		return err
	}
	r := i.begin(a, down)
	var found []finding
	if r.Asked.Documents {
		found, err = i.scan(ctx, c, a, r)
		if err != nil {
			return err
		}
	}
	a.answer(r, down, found)
	if i.Format == "json" {
		out := json.NewEncoder(c.out)
		out.SetIndent("", "  ")
		out.SetEscapeHTML(false)
		err = out.Encode(r)
	} else {
		s := c.sheet()
		r.text(s)
		err = s.flush()
	}
	if err == nil && r.Hit {
		return errHit
	}
	return err
}

func (i *impactCommand) check() error {
	switch {
	case (i.SBOMs == "") != (i.Advisories == ""):
		return entente.Invalid("SBOMs and advisories go together: give both --sboms and --advisories")
	case i.SBOMs == "" && len(i.Down) == 0:
		return entente.Invalid("nothing is asked: give --sboms and --advisories to match vulnerabilities, or --down for an outage, or both")
	case len(i.Advisory) > 0 && i.Advisories == "":
		return entente.Invalid("--advisory chooses among the advisories of --advisories, which is missing")
	case i.Restored > 0 && len(i.Down) == 0:
		return entente.Invalid("--restored is the end of an outage; say what is --down")
	}
	return nil
}

func readGraph(name string) (*chain.Graph, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, entente.NotFound("there is no file %s; entente export map --demo prints one to begin with", name)
	}
	if err != nil {
		return nil, entente.Invalid("the map %s cannot be opened: %s", name, node.Cause(err))
	}
	defer f.Close()
	m, err := chain.ParseMap(f, name)
	if err != nil {
		return nil, err
	}
	return chain.Compile(m)
}

// begin makes the report with what was asked, and every list empty rather than null.
func (i *impactCommand) begin(a answerer, down []chain.NodeID) *report {
	m := a.g.Map()
	own, _ := a.g.Organisation(m.Own)
	r := &report{
		Format: reportFormat,
		Map:    reportMap{File: i.Map, Organisation: m.Own, Name: own.Name, Currency: m.Currency, Processes: len(m.Processes)},
		Asked:  reportAsked{Advisories: append([]string{}, i.Advisory...), Down: []thing{}, Documents: i.SBOMs != "", At: time.Now().UTC().Truncate(time.Second)},
		Found:  []finding{},
		Open: reportUnknown{
			NotAssessable: []document{}, Undecided: []undecided{}, Unread: []document{},
			Without: []thing{}, Unbound: []string{}, Advisories: []string{},
		},
	}
	for _, id := range down {
		r.Asked.Down = append(r.Asked.Down, a.byID(id))
	}
	if i.Horizon > 0 {
		r.Asked.Horizon = seconds(time.Duration(i.Horizon))
	}
	if i.Restored > 0 {
		r.Asked.Restored = seconds(time.Duration(i.Restored))
	}
	return r
}

// find turns what people call a thing into its id: the id itself, the name, or a
// part of the name that only one thing has. An ambiguous name is refused with the
// candidates, so that nobody gets the answer to another question.
func (a answerer) find(asked []string) ([]chain.NodeID, error) {
	var ids []chain.NodeID
	var wrong []entente.FieldError
	for _, name := range asked {
		if _, ok := a.g.Node(chain.NodeID(name)); ok {
			ids = append(ids, chain.NodeID(name))
			continue
		}
		same, part := a.called(name)
		switch {
		case len(same) == 1:
			ids = append(ids, same[0].ID)
		case len(same) == 0 && len(part) == 1:
			ids = append(ids, part[0].ID)
		case len(same)+len(part) == 0:
			wrong = append(wrong, entente.FieldError{Field: "--down " + name, Message: entente.Say("nothing in the map has this id or name")})
		default:
			if len(same) > 0 {
				part = same
			}
			wrong = append(wrong, entente.FieldError{Field: "--down " + name, Message: entente.Say("several things are called so; say which by its id: %s", choices(part))})
		}
	}
	if len(wrong) > 0 {
		e := entente.Invalid("what is down is not clear")
		e.Fields = wrong
		return nil, e
	}
	return ids, nil
}

// called gives the things with a name, and those that have it as a part of theirs.
func (a answerer) called(name string) (same, part []chain.Node) {
	for n := range a.g.Nodes() {
		switch {
		case strings.EqualFold(n.Name, name):
			same = append(same, n)
		case strings.Contains(strings.ToLower(n.Name), strings.ToLower(name)):
			part = append(part, n)
		}
	}
	return same, part
}

func choices(nodes []chain.Node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, fmt.Sprintf("%s (the %s %s)", n.ID, n.Kind, n.Name))
	}
	if len(all) > 10 {
		all = append(all[:9], fmt.Sprintf("%d more", len(all)-9))
	}
	return strings.Join(all, ", ")
}
