package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/entente-project/entente/internal/db"
)

var errNoPostgres = errors.New("PostgreSQL's server programs were not found")

// cluster is the shared PostgreSQL of this user. Its folder holds:
//
//	users     locked shared by every test process that uses the cluster
//	start     locked by the one that starts it
//	keeper    locked by the keeper of the running server
//	template  locked while a template database is made
//	run/      data and socket of the running server, made and removed by the keeper
type cluster struct {
	dir   string
	users *os.File
}

var (
	shared    = sync.OnceValues(join)
	templates sync.Mutex
	template  string
)

// join finds the running cluster or starts one, and stays a user of it until the
// process ends; the kernel frees the lock even after kill -9.
func join() (*cluster, error) {
	bin, err := serverPrograms()
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: os.Getenv(homeDir)}
	if c.dir == "" {
		c.dir = filepath.Join(baseDir(), fmt.Sprintf("entente-dbtest-%d", os.Getuid()))
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	start, err := lockedFile(filepath.Join(c.dir, "start"), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer start.Close()
	c.users, err = lockedFile(filepath.Join(c.dir, "users"), syscall.LOCK_SH)
	if err != nil {
		return nil, err
	}
	if !c.alive() {
		if err := c.launch(bin); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *cluster) run() string { return filepath.Join(c.dir, "run") }

func (c *cluster) url(database string) string {
	v := url.Values{"host": {c.run()}, "user": {"postgres"}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + v.Encode()
}

func (c *cluster) alive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return c.admin(ctx) == nil
}

// admin runs statements on a connection of its own, so that no pool stays behind.
func (c *cluster) admin(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return err
	}
	for _, q := range statements {
		if _, err = conn.Exec(ctx, q); err != nil {
			err = fmt.Errorf("%s: %w", q, err)
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

// launch starts the keeper, which is this test program again, in a session of
// its own, and waits for the server.
func (c *cluster) launch(bin string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	logName := filepath.Join(c.dir, "log")
	log, err := os.Create(logName)
	if err != nil {
		return err
	}
	defer log.Close()
	begin := func() (gone chan error, err error) {
		cmd := exec.Command(self)
		cmd.Dir = c.dir
		cmd.Env = append(os.Environ(), keeperDir+"="+c.dir, keeperBin+"="+bin)
		// "go test" waits for whoever holds its output.
		cmd.Stdout, cmd.Stderr = log, log
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		gone = make(chan error, 1)
		go func() { gone <- cmd.Wait() }()
		return gone, nil
	}
	gone, err := begin()
	if err != nil {
		return err
	}
	deadline := time.After(90 * time.Second)
	for {
		if c.alive() {
			return nil
		}
		select {
		case err := <-gone:
			if err != nil {
				return fmt.Errorf("start PostgreSQL: %w\n%s", err, tail(logName, 4000))
			}
			// There was another keeper, of a process that died while it waited for it.
			if gone, err = begin(); err != nil {
				return err
			}
		case <-deadline:
			return fmt.Errorf("start PostgreSQL: it does not answer\n%s", tail(logName, 4000))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// The templates of databases; any other database that nobody uses can be one, too.
const (
	emptyTemplate    = "template0"
	migratedTemplate = "" // with the schema of this program
)

// newDatabase makes a database as a copy of another.
func newDatabase(ctx context.Context, from string) (address string, drop func() error, err error) {
	c, err := shared()
	if err != nil {
		return "", nil, err
	}
	if from == migratedTemplate {
		from, err = c.migrated(ctx)
		if err != nil {
			return "", nil, err
		}
	}
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", nil, err
	}
	name := "test_" + hex.EncodeToString(random[:])
	if err := c.admin(ctx, "CREATE DATABASE "+name+" TEMPLATE "+from+""); err != nil {
		return "", nil, err
	}
	return c.url(name), func() error {
		return c.admin(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
	}, nil
}

// migrated gives the name of a template database with the schema of this program.
func (c *cluster) migrated(ctx context.Context) (string, error) {
	templates.Lock()
	defer templates.Unlock()
	if template != "" {
		return template, nil
	}
	// Programs with other migrations may share the cluster; the program itself
	// tells them apart well enough.
	name, err := fingerprint()
	if err != nil {
		return "", err
	}
	name = "template_" + name
	making, err := lockedFile(filepath.Join(c.dir, "template"), syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer making.Close()
	exists, err := c.has(ctx, name)
	if err != nil {
		return "", err
	}
	if !exists {
		// Made under another name first, so that a process that dies here leaves no half template.
		draft := name + "_draft"
		if err := c.admin(ctx, "DROP DATABASE IF EXISTS "+draft+" WITH (FORCE)", "CREATE DATABASE "+draft); err != nil {
			return "", err
		}
		d, err := db.Open(ctx, db.Config{Postgres: c.url(draft)})
		if err != nil {
			return "", err
		}
		if err := d.Close(); err != nil {
			return "", err
		}
		if err := c.admin(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name); err != nil {
			return "", err
		}
	}
	template = name
	return template, nil
}

func (c *cluster) has(ctx context.Context, database string) (bool, error) {
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return false, err
	}
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", database).Scan(&exists)
	return exists, errors.Join(err, conn.Close(ctx))
}

func fingerprint() (string, error) {
	files, err := db.Migrations()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(files)
	return hex.EncodeToString(sum[:8]), nil
}

// serverPrograms finds the folder of initdb and postgres. Debian keeps them
// outside PATH, a folder per version.
func serverPrograms() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err != nil {
			return 0
		}
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	for _, path := range found {
		dir := filepath.Dir(path)
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errNoPostgres
}

// baseDir is where the cluster lives: in memory where there is room, since a
// database is made of some three hundred files and a test makes a database; else
// the temporary folder. As root it is one that the server's own user can reach.
func baseDir() string {
	const room = 2 << 30
	if free("/dev/shm") > room && syscall.Access("/dev/shm", 7) == nil {
		return "/dev/shm"
	}
	dir := os.TempDir()
	if os.Getuid() != 0 {
		return dir
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

func free(dir string) uint64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0
	}
	return uint64(s.Bavail) * uint64(s.Bsize)
}

// serverUser is whom the server runs as: nil for the present user, since only
// root must step down.
func serverUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres")
}

func lockedFile(path string, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		return f, nil
	}
}
