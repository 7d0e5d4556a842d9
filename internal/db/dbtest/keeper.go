package dbtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// The keeper is a test program that was started again with these variables set.
const (
	keeperDir = "ENTENTE_DBTEST_KEEPER"
	keeperBin = "ENTENTE_DBTEST_BIN"
	// homeDir gives a cluster of its own to the tests of this package.
	homeDir = "ENTENTE_DBTEST_HOME"
)

// idleLife is how long the server outlives its last user, so that packages that
// are tested one after the other share it.
const idleLife = 3 * time.Second

func init() {
	dir := os.Getenv(keeperDir)
	if dir == "" {
		return
	}
	if err := keep(dir, os.Getenv(keeperBin)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// keep runs the server until nobody uses it, and removes what it left.
func keep(dir, bin string) error {
	// The kernel ends the server when the thread that started it ends.
	runtime.LockOSThread()
	mine, err := onlyKeeper(filepath.Join(dir, "keeper"))
	if err != nil || mine == nil {
		return err
	}
	run := filepath.Join(dir, "run")
	data := filepath.Join(run, "data")
	if err := os.RemoveAll(run); err != nil {
		return err
	}
	if err := os.Mkdir(run, 0o755); err != nil {
		return err
	}
	who, err := serverUser()
	if err != nil {
		return err
	}
	if who != nil {
		if err := os.Chown(run, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	program := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = run
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
		cmd.SysProcAttr = endWithParent(&syscall.SysProcAttr{Credential: who})
		return cmd
	}
	if err := program("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions").Run(); err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	server := program("postgres", "-D", data, "-k", run,
		"-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=64MB",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_wal_size=512MB", "-c", "checkpoint_timeout=1h", "-c", "autovacuum_naptime=30s",
		"-c", "max_pred_locks_per_transaction=256", "-c", "log_min_messages=fatal", "-c", "log_min_error_statement=panic")
	if err := server.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	users, err := os.OpenFile(filepath.Join(dir, "users"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	idle := time.Duration(0)
	const look = 250 * time.Millisecond
	for idle < idleLife {
		select {
		case err := <-ended:
			return errors.Join(errors.New("the server ended by itself"), err)
		case <-time.After(look):
		}
		if !alone(users) {
			idle = 0
			continue
		}
		idle += look
		if idle < idleLife {
			if err := syscall.Flock(int(users.Fd()), syscall.LOCK_UN); err != nil {
				return err
			}
		}
	}
	// The lock is held from here to the end of the process: who comes now waits,
	// then finds nothing and starts anew.
	if err := server.Process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		if err := server.Process.Kill(); err != nil {
			return err
		}
		<-ended
	}
	err = os.RemoveAll(run)
	runtime.KeepAlive(mine)
	return err
}

// onlyKeeper takes the keeper's lock; it gives nil if there is another keeper,
// also after a while in which one that is ending would be gone.
func onlyKeeper(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for range 20 {
		if alone(f) {
			_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
			return f, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, nil
}

// alone takes the lock on a file if nobody else has it.
func alone(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
