package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/alecthomas/kong"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
)

// Exit codes. 0 and 1 are answers of impact: nothing is hit, something is.
const (
	exitOK       = 0
	exitHit      = 1
	exitBadInput = 2 // the command line or a file is wrong, or something may not be done
	exitFault    = 3 // the program or the machine is at fault
)

// commands is the command line as kong reads it.
type commands struct {
	Impact  impactCommand   `cmd:"" help:"Say which processes are hit, by which way, by when, and whom to call. Needs no server."`
	Serve   serveCommand    `cmd:"" help:"Run a node."`
	Demo    demoCommand     `cmd:"" help:"Run the demonstration: three nodes that talk with each other, in a temporary folder."`
	Import  importCommands  `cmd:"" help:"Bring a map, bills of materials or advisories into a node."`
	Export  exportCommands  `cmd:"" help:"Write a map, or the whole demonstration, to files."`
	Partner partnerCommands `cmd:"" help:"Invite and accept partners at the terminal."`
	Verify  verifyCommand   `cmd:"" help:"Check that no journal of the node was changed afterwards."`
	Doctor  doctorCommand   `cmd:"" help:"Look over a node: database, schema, folders, what waits."`
	Version versionCommand  `cmd:"" help:"Print the version."`
}

// command runs one command line and gives its exit code.
func command(ctx context.Context, args []string, c *console) int {
	var cmds commands
	exit := -1
	parser, err := kong.New(&cmds,
		kong.Name("entente"),
		kong.Description("Supply-chain security as a partnership: what our processes depend on, and who is hit when something breaks."),
		kong.UsageOnError(),
		kong.Writers(c.out, c.err),
		kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 96}),
		kong.TypeMapper(reflect.TypeFor[duration](), durationMapper{}),
	)
	if err != nil {
		c.fail(fmt.Errorf("the command line itself is wrong: %w", err))
		return exitFault
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help was answered
		return exit
	}
	if err != nil {
		c.fail(entente.Invalid("%s", err.Error()))
		fmt.Fprintln(c.err, "Run entente --help, or entente COMMAND --help.")
		return exitBadInput
	}
	return c.exitCode(parsed.Run())
}

// errHit is the outcome of impact that something is hit: not an error, but an exit code.
var errHit = errors.New("something is hit")

// exitCode tells an error to the user and gives its code.
func (c *console) exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errHit) {
		return exitHit
	}
	c.fail(err)
	switch entente.KindOf(err) {
	case entente.KindInternal, entente.KindUnavailable:
		return exitFault
	}
	return exitBadInput
}

// duration is a flag written as maps write durations: 30m, 8h, 5d, 2w.
type duration time.Duration

type durationMapper struct{}

// Decode implements kong.Mapper.
func (durationMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, err := chain.ParseDuration(text)
	if err != nil {
		return err
	}
	target.Set(reflect.ValueOf(duration(d)))
	return nil
}
