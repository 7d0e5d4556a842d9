package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/node"
)

// demoPassword is everybody's in the demonstration. It is no secret, which is why
// the demonstration listens on this machine only unless it is told otherwise.
const demoPassword = "beans-for-every-desk"

const demoAddr = "127.0.0.1:8080"

type demoCommand struct {
	Addr     string `placeholder:"HOST:PORT" help:"Where the first node listens; without it 127.0.0.1:8080. Each node takes the next free port."`
	Data     string `placeholder:"DIR" help:"Folder to keep; without it a temporary one that is removed at the end."`
	Alone    bool   `help:"All organisations on one node instead of three."`
	LogLevel string `default:"warn" enum:"debug,info,warn,error" help:"How much to log: debug, info, warn or error."`
}

// demoNode is a node of the demonstration with those who are on it.
type demoNode struct {
	*node.Node
	dir     string
	orgs    []catalog.Organisation
	started bool
}

// demoNodes says who is on which node.
func demoNodes(alone bool) []*demoNode {
	all := catalog.Organisations()
	if alone {
		return []*demoNode{{orgs: all}}
	}
	var nodes []*demoNode
	for _, o := range all {
		if o.Host == "" {
			nodes = append(nodes, &demoNode{dir: o.ID, orgs: []catalog.Organisation{o}})
		}
	}
	for _, o := range all {
		if o.Host != "" {
			i := slices.IndexFunc(nodes, func(n *demoNode) bool { return n.dir == o.Host })
			nodes[i].orgs = append(nodes[i].orgs, o)
		}
	}
	return nodes
}

// Run shows the demonstration until a signal comes.
func (d *demoCommand) Run(ctx context.Context, c *console) (err error) {
	dir := d.Data
	if dir == "" {
		dir, err = os.MkdirTemp("", "entente-demo-")
		if err != nil {
			return entente.Invalid("no temporary folder can be made: %s; name one with --data", node.Cause(err))
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	began := time.Now()
	nodes := demoNodes(d.Alone)
	defer func() {
		for _, n := range nodes {
			if n.Node != nil {
				err = errors.Join(err, n.Close())
			}
		}
	}()
	if err := d.open(ctx, c, dir, nodes); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, len(nodes))
	err = loadDemo(ctx, c, nodes, func(n *demoNode) { go func() { ended <- n.Run(running) }() })
	started := nodes
	if err != nil {
		stop()
		started = slices.DeleteFunc(slices.Clone(nodes), func(n *demoNode) bool { return !n.started })
	} else {
		d.tell(c, nodes, time.Since(began))
	}
	for range started {
		fault := <-ended
		stop() // they stand and fall together
		err = errors.Join(err, fault)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	if err == nil {
		fmt.Fprintln(c.out, "The demonstration has ended.")
	}
	return err
}

// open opens the nodes, each in a folder and at a port of its own.
func (d *demoCommand) open(ctx context.Context, c *console, dir string, nodes []*demoNode) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(d.LogLevel)); err != nil {
		return err
	}
	addr := d.Addr
	if addr == "" {
		addr = free(demoAddr)
	}
	for i, n := range nodes {
		log := c.log(level)
		say := func(string) {}
		if i == 0 {
			say = func(sentence string) { fmt.Fprintln(c.err, sentence) }
		} else {
			addr = free(following(addr))
		}
		var err error
		n.Node, err = node.New(ctx, node.Config{Addr: addr, Data: filepath.Join(dir, n.dir), AllowPrivate: true, Log: log, Version: version(), Say: say})
		if err != nil {
			return err
		}
	}
	return nil
}

// following is the address with the next port; any free port follows any free port.
func following(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	n, notNumber := strconv.Atoi(port)
	if err != nil || notNumber != nil || n == 0 {
		return addr
	}
	return net.JoinHostPort(host, strconv.Itoa(n+1))
}

// free gives the address, or the same with the next free port.
func free(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	at, err := net.LookupPort("tcp", port)
	if err != nil {
		return addr
	}
	if at == 0 {
		return addr
	}
	for next := at; next < at+100; next++ {
		candidate := net.JoinHostPort(host, fmt.Sprint(next))
		l, err := net.Listen("tcp", candidate)
		if err == nil {
			_ = l.Close()
			return candidate
		}
	}
	return net.JoinHostPort(host, "0")
}

func (d *demoCommand) tell(c *console, nodes []*demoNode, took time.Duration) {
	s := c.sheet()
	s.line(bold, "", 0, "Entente shows Beanline, which leases coffee machines and supplies the beans: "+nodes[0].URL())
	s.line(faint, "", 0, fmt.Sprintf("ready after %s; everything is invented but the vulnerabilities", took.Round(time.Millisecond)))
	s.blank()
	s.line(plain, "", 0, "Sign in as one of these people; the second column is the password:")
	for _, n := range nodes {
		for i, org := range n.orgs {
			s.blank()
			switch {
			case d.Alone:
				s.line(bold, "", 2, "  "+org.Name)
			case i == 0:
				s.line(bold, "", 2, "  "+org.Name+", on its own node: "+n.URL())
			default:
				s.line(bold, "", 2, "  "+org.Name+", with a guest seat there")
			}
			for _, p := range org.People {
				fmt.Fprintf(s.w, "    %-30s %s  %s\n", p.Email, demoPassword, p.Role)
			}
		}
	}
	s.blank()
	if at, ok := nodes[0].Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		s.line(amber, "", 0, "It listens beyond this machine, and these passwords are no secret: put nothing real into it.")
	}
	if d.Data == "" {
		s.line(plain, "", 0, "Ctrl-C ends it; nothing is kept.")
	} else {
		s.line(plain, "", 0, "Ctrl-C ends it; the data stays in "+d.Data+".")
	}
	if err := s.flush(); err != nil {
		c.fail(err)
	}
}
