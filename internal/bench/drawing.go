package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The graph of part g: 5,000 things.
const (
	graphSuppliers = 1500 // and as many supplies
	graphProcesses = 125  // with three activities and two systems each
	graphProducts  = 1249
	graphLoads     = "5"
	graphTarget    = 1500 * time.Millisecond
	graphScript    = "test/browser/bench-graph.mjs"
)

// drawing measures how long the graph takes to be drawn for the first time, by the
// real program in a real Chromium.
func (b *bench) drawing(ctx context.Context) (err error) {
	program, err := chromiumNode()
	var missing skipped
	if errors.As(err, &missing) {
		b.fact("g", "first drawing of the graph", "skipped: "+missing.why)
		return nil
	}
	folder := filepath.Join(b.stage.dir, "graph")
	err = fillGraph(ctx, folder, b.seed)
	if err != nil {
		return err
	}
	s, err := serveFolder(ctx, b.entente, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, program, graphScript, s.address, "owner@bench.example", "a password of the bench", graphLoads)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", graphScript, err, complaint.String())
	}
	var told struct {
		Things int
		Times  []float64
	}
	err = json.Unmarshal(out, &told)
	if err != nil {
		return fmt.Errorf("%s said %q: %w", graphScript, out, err)
	}
	var took spread
	for _, ms := range told.Times {
		took = append(took, time.Duration(ms*float64(time.Millisecond)))
	}
	b.below("g", fmt.Sprintf("first drawing of a graph of %d things in Chromium, middle of %d loads", told.Things, len(took)), took.at(.5), graphTarget, "slowest "+durationText(took.at(1)))
	return nil
}

// chromiumNode gives the program Node, if it, Chromium and the packages that drive it
// are there.
func chromiumNode() (string, error) {
	program, err := exec.LookPath("node")
	if err != nil {
		return "", skipped{"Node is not installed"}
	}
	chromium := false
	for _, name := range []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		_, err := os.Stat(name)
		chromium = chromium || err == nil
	}
	if !chromium {
		return "", skipped{"Chromium is not installed"}
	}
	_, err = os.Stat(filepath.Join(filepath.Dir(graphScript), "node_modules", "playwright-core"))
	if err != nil {
		return "", skipped{"the packages of test/browser are not installed (npm ci there)"}
	}
	return program, nil
}

func fillGraph(ctx context.Context, folder string, seed uint64) (err error) {
	e, err := openFolder(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.db.Close()) }()
	err = e.found(ctx)
	if err != nil {
		return err
	}
	_, err = e.chain.Import(ctx, system(), landscape(rand.New(rand.NewPCG(seed, 7)), graphSuppliers, graphProcesses, graphProducts))
	return err
}
