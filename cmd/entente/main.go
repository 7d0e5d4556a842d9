// Entente is the one program: it answers at the command line who is hit
// (entente impact), serves a node (entente serve), shows the demonstration (entente
// demo), and brings maps, bills of materials and advisories in and out. Nodes are put
// together by internal/node; docs/cli.md describes every command.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the zones of readers, also where the machine has none
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := command(ctx, os.Args[1:], newConsole(os.Stdin, os.Stdout, os.Stderr, os.Getenv))
	os.Exit(code)
}
