package nodetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/exchange"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/journal"
	"github.com/entente-project/entente/internal/node"
)

// World declares the nodes of a story, and runs them.
type World struct {
	Nodes []*Node

	t     testing.TB
	where map[string]*Organisation
	// subjects are those of what was said, by the kind and the file of the story.
	subjects map[string]string
}

// Node declares one node.
type Node struct {
	// Name is how stories call it.
	Name string
	// Hosts are the organisations that are set up on it, or take a seat there later.
	Hosts []*Organisation

	*node.Node
	link   *Link
	config node.Config
	stop   func() error
	backup db.Config
}

// Start starts all nodes, each on a fresh database. They end with the test.
func (w *World) Start(t testing.TB, open func(testing.TB) db.Config) {
	t.Helper()
	w.t, w.where, w.subjects = t, map[string]*Organisation{}, map[string]string{}
	for _, n := range w.Nodes {
		link, err := newLink()
		check(t, err)
		t.Cleanup(func() { check(t, link.Close()) })
		at := open(t)
		data := t.TempDir()
		if at.SQLite != "" {
			check(t, os.Rename(at.SQLite, filepath.Join(data, node.DatabaseFile)))
		}
		n.link = link
		n.config = node.Config{
			Addr: "127.0.0.1:0", Data: data, Database: at.Postgres, Origin: link.URL(), AllowPrivate: true, NoSync: true,
			PasswordCost: identity.PasswordCost{Memory: 64, Passes: 1, Threads: 1},
			Backoff:      func(int) time.Duration { return 20 * time.Millisecond },
			Grace:        10 * time.Second, Log: slog.New(slog.NewTextHandler(logged{t}, &slog.HandlerOptions{Level: slog.LevelError})), Say: func(string) {},
		}
		check(t, n.start())
		t.Cleanup(func() { check(t, n.Stop()) })
		for _, o := range n.Hosts {
			w.where[o.Name] = o
			o.world, o.node = w, n
			if !o.Guest {
				check(t, o.found())
			}
		}
	}
}

// Organisation finds an organisation by its name.
func (w *World) Organisation(name string) *Organisation { return w.where[name] }

// node finds a node by its name.
func (w *World) node(name string) *Node {
	for _, n := range w.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

func (n *Node) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	made, err := node.New(ctx, n.config)
	if err != nil {
		cancel()
		return err
	}
	n.Node = made
	// What waits is looked for often, and what fails is tried again soon.
	made.Runner.Poll = 20 * time.Millisecond
	made.Runner.Backoff = n.config.Backoff
	made.Runner.MaxAttempts = 1_000
	n.link.to(made.Addr().String())
	ended := make(chan error, 1)
	go func() { ended <- made.Run(ctx) }()
	n.stop = sync.OnceValue(func() error {
		n.link.to("")
		cancel()
		return errors.Join(<-ended, made.Close())
	})
	return nil
}

// Stop ends the node, as a person does. Its data stays.
func (n *Node) Stop() error {
	err := n.stop()
	n.Node = nil
	return err
}

// database is where the node keeps its data.
func (n *Node) database() db.Config {
	if n.config.Database != "" {
		return db.Config{Postgres: n.config.Database}
	}
	return db.Config{SQLite: filepath.Join(n.config.Data, node.DatabaseFile)}
}

// restore puts the last backup of the node back.
func (n *Node) restore(t testing.TB) error {
	copied := dbtest.Copy(t, n.backup)
	t.Cleanup(func() { check(t, n.Stop()) }) // before what it uses is gone
	if n.config.Database != "" {
		n.config.Database = copied.Postgres
		return nil
	}
	return os.Rename(copied.SQLite, filepath.Join(n.config.Data, node.DatabaseFile))
}

// up says whether others can reach the node.
func (n *Node) up() bool { return n.Node != nil && !n.link.cut() }

// settleTime is after how long a world that does not come to rest is a failure.
const settleTime = 3 * time.Minute

// Settle waits until nothing is under way any more between the nodes that can be
// reached, and all rooms have done what follows from what arrived.
func (w *World) Settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for calm := 0; calm < 2; {
		why, err := w.restless(ctx)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("it does not come to rest: %s", why)
		case err != nil:
			return err
		case why != "":
			calm = 0
			time.Sleep(5 * time.Millisecond)
		default:
			calm++
		}
	}
	return nil
}

// restless says what is still under way; empty: nothing.
func (w *World) restless(ctx context.Context) (why string, err error) {
	for _, o := range w.where {
		if o.ID == "" || o.node.Node == nil {
			continue
		}
		// Beside the node's own workers, as a replica would.
		if err := o.node.Runner.CatchUp(ctx, o.ID); err != nil && ctx.Err() != nil {
			return o.Name + " has work to do: " + err.Error(), nil
		}
		why, err = o.restless(ctx)
		if err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

// following are the jobs that are always planned for later.
var following = map[string]bool{"exchange.deliver": true, "exchange.fetch": true}

func (o *Organisation) restless(ctx context.Context) (why string, err error) {
	soon := time.Now().Add(5 * time.Second)
	err = o.node.DB.Read(ctx, func(tx *db.Tx) error {
		for _, state := range []journal.JobState{journal.JobRunning, journal.JobWaiting} {
			jobs, err := journal.Jobs(ctx, tx, o.ID, state, 1_000)
			if err != nil {
				return err
			}
			for _, j := range jobs {
				if state == journal.JobRunning || !following[j.Kind] && j.At.Before(soon) {
					why = fmt.Sprintf("%s: the job %s is %s: %s", o.Name, j.Kind, state, j.Error)
				}
			}
		}
		return nil
	})
	if err != nil || why != "" {
		return why, err
	}
	partners, err := o.node.Exchange.Partners(ctx, o.system())
	if err != nil {
		return "", err
	}
	for _, p := range partners {
		if p.Out.Waiting() == 0 || !p.Out.Quarantine.Blank() || p.State == exchange.Ended && p.EndedBy == p.Party {
			continue
		}
		if reached, err := o.reaches(ctx, p); err != nil || !reached {
			return "", err
		}
		return fmt.Sprintf("%s: %d entries wait for %s: %s", o.Name, p.Out.Waiting(), p.Name, p.Out.Error), nil
	}
	return "", nil
}

// reaches says whether what waits for a partner can arrive.
func (o *Organisation) reaches(ctx context.Context, p exchange.Partner) (bool, error) {
	self, err := o.self(ctx)
	if err != nil || !self.Moved.IsZero() {
		return false, err
	}
	for _, other := range o.world.where {
		if other.ID == "" || other.node.Node == nil || other.node != o.node && !other.node.up() {
			continue
		}
		theirs, err := other.self(ctx)
		if err != nil {
			return false, err
		}
		if theirs.Party() != p.Party || !theirs.Moved.IsZero() || other.node != o.node && p.Address != other.node.link.URL() {
			continue
		}
		us, err := other.node.Exchange.Partner(ctx, other.system(), self.Party())
		if entente.KindOf(err) == entente.KindNotFound {
			return false, nil
		}
		return err == nil && us.In.Quarantine.Blank() && us.State == exchange.Active, err
	}
	return false, nil
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logged sends what a node logs to the test.
type logged struct{ testing.TB }

// Write logs one line.
func (l logged) Write(line []byte) (int, error) {
	l.Log(string(bytes.TrimSpace(line)))
	return len(line), nil
}

var _ io.Writer = logged{}
