package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/api"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
	"github.com/entente-project/entente/internal/notify"
	"github.com/entente-project/entente/internal/web"
	"github.com/entente-project/entente/internal/web/lang"
)

// Config is everything that a running node is told. Its zero value is refused: at
// least Addr, and Data or Database, must be set.
type Config struct {
	// Addr is where to listen: "127.0.0.1:8080", ":0" for any free port.
	Addr string
	// Data is the folder of the node: the SQLite database and the node's key.
	Data string
	// Database is a postgres:// URL; it replaces the SQLite file.
	Database string
	// Origin is the address by which browsers reach the node, "https://entente.example",
	// where that is not the one it listens on.
	Origin string
	// Languages is a folder with more languages than the shipped ones; "" for none.
	Languages string
	// AllowPrivate lets webhooks and partners be on private networks and on this machine.
	AllowPrivate bool
	// Mail is the server that takes the node's mail; nil for none.
	Mail *notify.MailServer
	// Version is how the node names itself.
	Version string
	// Proxies are those that are trusted to tell from where a request came.
	Proxies Proxies
	// Grace is how long a stop waits for requests and workers; 0 means 20 seconds.
	Grace time.Duration
	// Fetch is how often partners are asked for what they did not bring, Backoff the wait
	// after the n-th failure in a row to reach one; the zero values are those of the
	// exchange.
	Fetch   time.Duration
	Backoff func(n int) time.Duration
	// PasswordCost is what one check of a password costs; the zero value is the default.
	PasswordCost identity.PasswordCost
	// NoSync lets SQLite answer before the disk has the data: for tests and the bench.
	NoSync bool
	// Log gets what happens; nil means slog.Default().
	Log *slog.Logger
	// Say is told what a stop waits for; nil sends it to Log.
	Say func(sentence string)
}

// Node is a node as a value: open, serve, close.
type Node struct {
	*Rooms
	c        Config
	listener net.Listener
	server   *http.Server
	pages    *web.Pages
	asking   atomic.Int64 // requests under way
}

// New opens the database, binds the address and makes the doors; it serves nothing
// yet. A failed New leaves nothing open.
func New(ctx context.Context, c Config) (*Node, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Say == nil {
		c.Say = func(sentence string) { c.Log.Info(sentence) }
	}
	if c.Grace == 0 {
		c.Grace = 20 * time.Second
	}
	if c.Data == "" && c.Database == "" {
		return nil, entente.Invalid("the node has no place for its data: set a folder or a PostgreSQL address")
	}
	if c.Data != "" {
		if err := Usable(c.Data); err != nil {
			return nil, err
		}
	}
	listener, err := listen(c.Addr)
	if err != nil {
		return nil, err
	}
	if c.Origin == "" {
		c.Origin = "http://" + reachable(listener.Addr())
	}
	n := &Node{c: c, listener: listener}
	n.Rooms, err = Open(ctx, c)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	if err := n.doors(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// doors puts the pages and the API behind one server.
func (n *Node) doors() error {
	rooms := api.Rooms{Chain: n.Chain, Exchange: n.Exchange, Threat: n.Threat, Carry: n.Carry, Inventory: n.Inventory, Advisory: n.Advisory, Identity: n.Identity, Notify: n.Notify, Partner: n.Partner, Search: n.Search}
	machine, err := api.New(api.Config{DB: n.DB, Auth: n.Identity, Rooms: rooms, Version: n.c.Version, Log: n.c.Log})
	if err != nil {
		return err
	}
	n.pages, err = web.New(web.Config{
		DB: n.DB, Identity: n.Identity, Chain: n.Chain, Inventory: n.Inventory, Advisory: n.Advisory, Partner: n.Partner, Exchange: n.Exchange, Threat: n.Threat, Carry: n.Carry, Notify: n.Notify, Search: n.Search, Languages: n.Languages,
		Secure: strings.HasPrefix(n.c.Origin, "https:"), Log: n.c.Log,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", machine)
	mux.Handle("/exchange/", n.Exchange.Door())
	mux.HandleFunc("GET /healthz", n.health)
	mux.Handle("/", n.pages)
	n.server = &http.Server{
		Handler:           n.counted(n.c.Proxies.behind(mux)),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Minute, // an upload; the doors set shorter ones per route
		WriteTimeout:      16 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(n.c.Log.Handler(), slog.LevelDebug),
	}
	return nil
}

// languages are those of the pages: the shipped ones, and the operator's own.
func (c Config) languages() (*lang.Languages, error) {
	if c.Languages == "" {
		return lang.Shipped()
	}
	return lang.Load(os.DirFS(c.Languages))
}

func (n *Node) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.asking.Add(1)
		defer n.asking.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// health answers whether the node can read its database, and tells nothing else.
func (n *Node) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	if _, err := n.Identity.Organisations(ctx); err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// URL is where the node can be reached from this machine.
func (n *Node) URL() string { return "http://" + reachable(n.listener.Addr()) }

// Addr is where the node listens.
func (n *Node) Addr() net.Addr { return n.listener.Addr() }

// Run serves until ctx ends, then stops: no new requests, those under way are
// finished, then the workers. What is still running after Grace is cut off; it is
// safe to do so, since nothing is acknowledged before it is stored.
func (n *Node) Run(ctx context.Context) error {
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	if err := n.Exchange.TellAddress(ctx); err != nil {
		n.c.Log.Error("the partners were not told where this node is now", "cause", err)
	}
	ended := make(chan error, 4)
	go func() { ended <- n.Runner.Run(working) }()
	go func() { ended <- n.Identity.Run(working) }()
	go func() { ended <- n.pages.Run(working) }()
	go func() { ended <- n.server.Serve(n.listener) }()
	n.c.Log.Info("serving", "address", n.URL(), "database", n.DB.Name())

	var fault error
	running := 4
	select {
	case <-ctx.Done():
	case fault = <-ended: // nothing ends by itself unless it failed
		running--
	}
	grace, cancel := context.WithTimeout(context.Background(), n.c.Grace)
	defer cancel()
	n.c.Say(fmt.Sprintf("stopping: requests that are still to be answered: %d, in at most %s", n.asking.Load(), chain.DurationWords(n.c.Grace)))
	n.pages.End()
	if err := n.server.Shutdown(grace); err != nil {
		n.c.Say(fmt.Sprintf("stopping: requests that were cut off: %d", n.asking.Load()))
		fault = errors.Join(fault, n.server.Close())
	}
	n.c.Say("stopping: waiting for the workers to finish what they began")
	stopWork()
	for range running {
		if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, context.Canceled) {
			fault = errors.Join(fault, err)
		}
	}
	n.c.Say("stopped")
	return fault
}

// Close releases the address and the database. Call it after Run, or without.
func (n *Node) Close() error {
	err := n.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, n.DB.Close())
}

// listen binds an address and says in words why it cannot.
func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, entente.Conflict("the address %s is taken by another program; choose another with --addr", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, entente.Denied("the address %s may not be used by this user: ports below 1024 need a privilege; choose another with --addr", addr)
	case err != nil:
		return nil, entente.Invalid("the address %q cannot be listened on: %s", addr, err.Error()).Because(err)
	}
	return listener, nil
}

// reachable writes a listening address as a browser on this machine would.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return fmt.Sprintf("localhost:%d", tcp.Port)
}

// Usable makes the node's folder and tries to write there, so that a wrong one is
// noticed before anything else happens.
func Usable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return entente.Invalid("the folder %s cannot be made: %s; choose another with --data", dir, Cause(err))
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return entente.Denied("the folder %s cannot be written: %s; give it to the user who runs entente, or choose another with --data", dir, Cause(err))
	}
	return errors.Join(probe.Close(), os.Remove(filepath.Clean(probe.Name())))
}

// Cause strips the call and path off an error of the file system.
func Cause(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
