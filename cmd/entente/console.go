package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/entente-project/entente"
)

// console is where a command reads and writes. Answers go to out, everything else
// to err.
type console struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	getenv  func(string) string
	outTerm bool // out is a terminal: colours
	errTerm bool // err is a terminal: progress
	width   int  // columns of out

	mu     sync.Mutex
	drawn  bool // a progress line stands on the terminal
	keyfd  int  // file descriptor of in, to read passwords without echo
	typing bool // in is a terminal: questions can be asked
}

const (
	narrowest = 60
	widest    = 100
	unknown   = 96 // columns where out is no terminal
)

func newConsole(in, out, err *os.File, getenv func(string) string) *console {
	c := &console{in: in, out: out, getenv: getenv, width: unknown, keyfd: int(in.Fd())}
	c.typing = term.IsTerminal(c.keyfd)
	c.errTerm = term.IsTerminal(int(err.Fd())) && getenv("TERM") != "dumb"
	if term.IsTerminal(int(out.Fd())) {
		c.outTerm = getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
		if width, _, e := term.GetSize(int(out.Fd())); e == nil {
			c.width = min(max(width, narrowest), widest)
		}
	}
	c.err = &aboveProgress{c: c, w: err}
	return c
}

// fail tells an error: what people may know of it, and for a fault also the cause,
// since whoever runs the command runs the node.
func (c *console) fail(err error) {
	var known *entente.Error
	if errors.As(err, &known) {
		fmt.Fprintln(c.err, "entente:", strings.ReplaceAll(known.Error(), "\n", "\n "))
		return
	}
	fmt.Fprintln(c.err, "entente:", err)
}

// log makes the log of servers, to stderr.
func (c *console) log(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level}))
}

// aboveProgress clears the progress line before anything else is written.
type aboveProgress struct {
	c *console
	w io.Writer
}

// Write implements io.Writer.
func (a *aboveProgress) Write(p []byte) (int, error) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	if a.c.drawn {
		a.c.drawn = false
		if _, err := io.WriteString(a.w, "\r\x1b[K"); err != nil {
			return 0, err
		}
	}
	return a.w.Write(p)
}
