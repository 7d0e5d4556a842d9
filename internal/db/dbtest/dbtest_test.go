package dbtest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/db"
)

// childVar makes the test program a child that opens a database and waits.
const childVar = "ENTENTE_DBTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		_, _, err := newDatabase(context.Background(), migratedTemplate)
		fmt.Println("ready", err)
		time.Sleep(time.Minute)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEachGivesAnEmptyMigratedDatabase(t *testing.T) {
	for range 2 {
		Each(t, func(t *testing.T, d *db.DB) {
			err := d.Write(t.Context(), "acme", func(tx *db.Tx) error {
				n, err := db.One(t.Context(), tx, db.Value[int], "SELECT COUNT(*) FROM journal_head")
				if err != nil {
					return err
				}
				if n != 0 {
					t.Errorf("the database has %d rows of another test", n)
				}
				_, err = tx.Exec(t.Context(), "INSERT INTO journal_head (org, seq, hash, job) VALUES ($1, 1, $2, 0)", "acme", []byte{})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// startChild gives a process that uses a cluster of its own, and the server's and
// the keeper's process numbers.
func startChild(t *testing.T) (child *exec.Cmd, home string, server, keeper int) {
	t.Helper()
	if _, err := serverPrograms(); err != nil {
		t.Skip(err)
	}
	home, err := os.MkdirTemp(baseDir(), "entente-dbtest-own-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	child = exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVar+"=1", homeDir+"="+home)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready <nil>\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	return child, home, pidIn(t, filepath.Join(home, "run", "data", "postmaster.pid")), pidIn(t, filepath.Join(home, "keeper"))
}

func pidIn(t *testing.T, path string) int {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func awaitEnd(t *testing.T, what string, pid int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil {
			return
		}
	}
	t.Errorf("%s still runs", what)
}

func TestServerEndsAfterItsUsersWereKilled(t *testing.T) {
	t.Parallel()
	child, home, server, keeper := startChild(t)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Killed as it was: the error is what is wanted.
	_ = child.Wait()
	awaitEnd(t, "the server", server)
	awaitEnd(t, "the keeper", keeper)
	if _, err := os.Stat(filepath.Join(home, "run")); err == nil {
		t.Error("the server's folder is still there")
	}
}

func TestServerEndsAfterItsKeeperWasKilled(t *testing.T) {
	t.Parallel()
	child, _, server, keeper := startChild(t)
	if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, "the server", server)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
}
