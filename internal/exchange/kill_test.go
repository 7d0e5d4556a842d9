//go:build !windows

package exchange

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/identity/seal"
	"github.com/entente-project/entente/internal/journal"
)

// A child is this test program again, as a node that exchanges, with these variables
// set.
const (
	childSQLite   = "ENTENTE_TEST_SQLITE"
	childPostgres = "ENTENTE_TEST_POSTGRES"
	childAddr     = "ENTENTE_TEST_ADDR" // where it listens: it inherits the socket as file 3
	childSays     = "ENTENTE_TEST_SAYS" // the organisation that says something all the time
)

func TestMain(m *testing.M) {
	if os.Getenv(childAddr) == "" {
		os.Exit(m.Run())
	}
	if err := exchanging(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

// exchanging runs a node until it is killed. What it prints was said: it stood in the
// database before.
func exchanging(ctx context.Context) error {
	d, err := db.Open(ctx, db.Config{SQLite: os.Getenv(childSQLite), Postgres: os.Getenv(childPostgres), NoSync: true})
	if err != nil {
		return err
	}
	key, err := seal.New(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		return err
	}
	people, err := identity.New(ctx, d, identity.Config{Key: key, Log: quiet})
	if err != nil {
		return err
	}
	s := New(d, people, Config{Key: key, Origin: "http://" + os.Getenv(childAddr), AllowPrivate: true, Log: quiet, Fetch: time.Second, Backoff: func(int) time.Duration { return 20 * time.Millisecond }})
	r := journal.NewRunner(d, quiet, nil, s.Jobs())
	r.Poll, r.Lease = 20*time.Millisecond, 500*time.Millisecond
	r.Backoff = func(int) time.Duration { return 20 * time.Millisecond }
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	ended := make(chan error, 3)
	go func() { ended <- http.Serve(listener, s.Door()) }() //nolint:gosec // a test that is killed
	go func() { ended <- r.Run(ctx) }()
	fmt.Println("up") // the first line, before anything that is said
	if org := os.Getenv(childSays); org != "" {
		go func() { ended <- saying(ctx, s, entente.OrgID(org)) }()
	}
	return <-ended
}

func saying(ctx context.Context, s *Service, org entente.OrgID) error {
	for {
		id, _, err := s.Say(ctx, entente.System(org, entente.DoorWorker), practice(1))
		if err != nil {
			return err
		}
		fmt.Println(id)
		time.Sleep(2 * time.Millisecond)
	}
}

// child is a node in a process of its own.
type child struct {
	cmd  *exec.Cmd
	up   chan struct{}
	done chan struct{}
}

// start starts a child on a socket that the test keeps open, so that nobody else gets
// its port between two children.
func start(t *testing.T, c db.Config, socket *os.File, addr string, says entente.OrgID, said func(id string)) *child {
	t.Helper()
	ch := &child{cmd: exec.Command(os.Args[0]), up: make(chan struct{}), done: make(chan struct{})}
	ch.cmd.Env = append(os.Environ(), childAddr+"="+addr, childSQLite+"="+c.SQLite, childPostgres+"="+c.Postgres, childSays+"="+string(says))
	ch.cmd.ExtraFiles = []*os.File{socket}
	ch.cmd.Stderr = os.Stderr
	out, err := ch.cmd.StdoutPipe()
	ok(t, err)
	ok(t, ch.cmd.Start())
	go func() {
		defer close(ch.done)
		lines := bufio.NewReader(out)
		for up := false; ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return // what has no end of line was cut off
			}
			if !up {
				up = true
				close(ch.up)
				continue
			}
			said(strings.TrimSpace(line))
		}
	}()
	return ch
}

// await waits until the child is up.
func (ch *child) await(t *testing.T) {
	t.Helper()
	select {
	case <-ch.up:
	case <-ch.done:
		t.Fatalf("a child ended by itself: %v", ch.cmd.Wait())
	}
}

func (ch *child) kill(t *testing.T) {
	t.Helper()
	ok(t, ch.cmd.Process.Kill())
	<-ch.done
	_ = ch.cmd.Wait() // killed
}

// Sender and receiver are killed at random instants, again and again: nothing that was
// said or acknowledged is lost, nothing is taken twice, and all chains are whole.
func TestKilledWhileExchanging(t *testing.T) {
	kills := 100 // on each engine
	if testing.Short() {
		kills = 20
	}
	killExchange(t, kills)
}

func killExchange(t *testing.T, kills int) {
	for name, config := range map[string]func(testing.TB) db.Config{"sqlite": dbtest.SQLiteConfig, "postgres": dbtest.PostgresConfig} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits more than it works
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 1))
			configs := [2]db.Config{config(t), config(t)}
			var sockets [2]*os.File
			var addrs [2]string
			for i := range sockets {
				sockets[i], addrs[i] = newSocket(t)
			}
			sides := [2]someone{}
			open := func() {
				for i := range sides {
					d, err := db.Open(t.Context(), configs[i])
					ok(t, err)
					listener, err := net.FileListener(sockets[i])
					ok(t, err)
					h := newHouseAt(t, d, listener)
					if sides[i].org == "" {
						sides[i] = h.host([2]string{"Beanline", "Rosthof"}[i])
					} else {
						sides[i].house = h
					}
				}
			}
			shut := func() {
				for _, s := range sides {
					s.server.Close()
					ok(t, s.db.Close())
				}
			}
			open()
			become(sides[0], sides[1])
			sender := sides[1].org
			shut() // one program at a time has a file of SQLite open
			var mu sync.Mutex
			var said []string
			heard := func(id string) {
				mu.Lock()
				defer mu.Unlock()
				said = append(said, id)
			}
			launch := func(i int, says bool) *child {
				if i == 1 && says {
					return start(t, configs[i], sockets[i], addrs[i], sender, heard)
				}
				return start(t, configs[i], sockets[i], addrs[i], "", heard)
			}
			nodes := [2]*child{launch(0, true), launch(1, true)}
			for range kills {
				i := rng.IntN(2)
				nodes[i].await(t)
				time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
				nodes[i].kill(t)
				nodes[i] = launch(i, true)
			}
			nodes[1].await(t)
			nodes[1].kill(t)
			nodes[1] = launch(1, false)
			nodes[0].await(t)
			nodes[1].await(t)
			for _, n := range nodes {
				n.kill(t)
			}
			configs[0].NoSync, configs[1].NoSync = true, true
			open()
			defer shut()
			for range 50 {
				ok(t, sides[0].Fetch(t.Context(), sides[0].owner, sides[1].party()))
				if sides[1].knows(sides[0]).Out.Waiting() == 0 {
					break
				}
			}
			checkBoth(t, sides[0], sides[1], said)
		})
	}
}

// checkBoth looks at both ends of a feed after the kills.
func checkBoth(t *testing.T, receiver, sender someone, said []string) {
	t.Helper()
	out, in := sender.knows(receiver).Out, receiver.knows(sender).In
	if out.Number != in.Number || out.Head != in.Head || out.Acked != out.Number || !in.Quarantine.Blank() || !out.Quarantine.Blank() {
		t.Fatalf("sent %d (receipts up to %d, %v), held %d (%v)", out.Number, out.Acked, out.Quarantine, in.Number, in.Quarantine)
	}
	if len(said) == 0 || uint64(len(said)) > out.Number {
		t.Fatalf("%d were said, and %d entries are there", len(said), out.Number)
	}
	for _, s := range []someone{receiver, sender} {
		_, err := journal.Verify(t.Context(), s.db, s.org)
		ok(t, err)
	}
	kept := map[string]bool{}
	all, err := sender.Statements(t.Context(), sender.owner)
	ok(t, err)
	for _, st := range all {
		kept[st.ID] = true
	}
	for _, id := range said[max(0, len(said)-500):] {
		if !kept[id] {
			t.Errorf("the statement %s is lost", id)
		}
	}
	held, err := receiver.Inbox(t.Context(), receiver.owner, InboxQuery{Limit: 1_000_000})
	ok(t, err)
	subjects := map[string]int{}
	for _, e := range held {
		subjects[e.Subject]++
	}
	for _, id := range said {
		if n := subjects["practice/"+id]; n != 1 {
			t.Errorf("the statement %s was taken %d times", id, n)
		}
	}
	_, err = receiver.VerifyFeeds(t.Context(), receiver.owner)
	ok(t, err)
	_, err = sender.VerifyFeeds(t.Context(), sender.owner)
	ok(t, err)
	t.Logf("%d entries", in.Number)
}

// newSocket listens, and gives a copy of the socket that outlives every listener of it.
func newSocket(t *testing.T) (socket *os.File, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	socket, err = l.(*net.TCPListener).File()
	ok(t, err)
	t.Cleanup(func() { ok(t, socket.Close()) })
	addr = l.Addr().String()
	ok(t, l.Close())
	return socket, addr
}
