// The bench measures Entente at the size of a large company and prints every
// figure beside its target; docs/performance.md holds the results and says how to
// repeat them. It runs the real rooms, the real HTTP API and, for start-up and
// memory, the real program.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	parts      string
	engines    string
	entente    string
	record     string
	seed       uint64
	sboms      int
	components int
	suppliers  int
	processes  int
	partners   int
	feed       int
	nodes      string
	profile    string
	only       string
	keep       string
	postgres   string
}

func main() {
	var o options
	flag.StringVar(&o.parts, "parts", "a,b,c,d,e,f,g,h", "which `parts` to run")
	flag.StringVar(&o.engines, "engines", "sqlite,postgres", "the databases of part a")
	flag.StringVar(&o.entente, "entente", "bin/entente", "the built program, for parts c, e, g and h")
	flag.StringVar(&o.record, "record", "", "put the figures into this Markdown `file`, between its marks")
	flag.Uint64Var(&o.seed, "seed", 1, "the seed of everything that is drawn")
	flag.IntVar(&o.sboms, "sboms", 10_000, "documents of part a and b")
	flag.IntVar(&o.components, "components", 500, "components of each document")
	flag.IntVar(&o.suppliers, "suppliers", 500, "suppliers of part a")
	flag.IntVar(&o.processes, "processes", 500, "processes of part a")
	flag.IntVar(&o.partners, "partners", 1_000, "partners of part h")
	flag.IntVar(&o.feed, "feed", 2_400, "advisories that one partner of part h has said")
	flag.StringVar(&o.nodes, "nodes", "sqlite", "the database of the nodes of part h, sqlite or postgres")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the requests of parts a and f, and of part h, to this `file`")
	flag.StringVar(&o.only, "only", "", "measure in part f only the routes that hold this `text`")
	flag.StringVar(&o.keep, "keep", "", "fill the SQLite nodes of parts a and f in this `folder`, keep them, and use them again if they are there")
	flag.StringVar(&o.postgres, "postgres", "", "fill the PostgreSQL database at this `address` in part a, keep it, and use it again if it is filled")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// part is one part of the bench.
type part struct {
	name string
	what string
	run  func(*bench, context.Context) error
}

var parts = []part{
	{"d", "outage what-if over a large graph", (*bench).outage},
	{"a", "one advisory over the whole fleet, through the HTTP API", (*bench).impact},
	{"b", "the index of packages: build, save, load", (*bench).index},
	{"c", "ingest of large documents by the program", (*bench).ingest},
	{"f", "every kind of page over HTTP", (*bench).pages},
	{"g", "the graph in Chromium", (*bench).drawing},
	{"h", "what one organisation says to its partners", (*bench).exchange},
	{"e", "start-up and idle memory of the program", (*bench).startup},
}

// bench is one run.
type bench struct {
	options
	*report
	stage *stage
	fleet *fleet
	large string // the folder of the node of part a, once it is filled
}

func run(ctx context.Context, o options) (err error) {
	b := &bench{options: o, report: &report{out: os.Stdout}}
	b.stage, err = newStage()
	if err != nil {
		return err
	}
	defer func() {
		if cerr := b.stage.clear(); err == nil {
			err = cerr
		}
	}()
	began := time.Now()
	fmt.Println(machine())
	wanted := strings.Split(o.parts, ",")
	for _, p := range parts {
		if !slices.Contains(wanted, p.name) {
			continue
		}
		fmt.Printf("\n(%s) %s\n", p.name, p.what)
		err = b.stage.guarded(func() error { return p.run(b, ctx) })
		if err != nil {
			return fmt.Errorf("part %s: %w", p.name, err)
		}
	}
	fmt.Printf("\n%d figures in %s, %d targets missed\n", len(b.figures), durationText(time.Since(began)), b.missed())
	if o.record != "" {
		return record(o.record, b.report)
	}
	return nil
}

// theFleet loads the fleet once.
func (b *bench) theFleet() (*fleet, error) {
	if b.fleet != nil {
		return b.fleet, nil
	}
	f, err := loadFleet(sharedData(), b.stage.dir, b.seed)
	if err != nil {
		return nil, err
	}
	b.fleet = f
	fmt.Printf("    %s: %d documents, %d package URLs\n", f.source, len(f.sboms), len(f.purls))
	return f, nil
}

// The marks between which record puts the figures.
const (
	markBegin = "<!-- figures -->"
	markEnd   = "<!-- /figures -->"
)

// record puts the figures into a page, in the place of those that it holds.
func record(file string, r *report) error {
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), markBegin)
	_, after, closed := strings.Cut(rest, markEnd)
	if !found || !closed {
		return fmt.Errorf("%s has no marks %s and %s", file, markBegin, markEnd)
	}
	page := before + markBegin + "\n\n" + fmt.Sprintf("Measured on %s: %s.\n\n", time.Now().UTC().Format("2 January 2006"), machine()) + r.markdown() + "\n" + markEnd + after
	return os.WriteFile(file, []byte(page), 0o644)
}
