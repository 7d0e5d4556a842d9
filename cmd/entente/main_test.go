package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"entente": main})
}

// The scenarios: one script for each command and each way to get it wrong, run
// against the real program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TMPDIR", e.WorkDir)
			e.Setenv("SHARED", sharedData())
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "shared" {
				return sharedData() != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":  scriptCode,
			"start": scriptStart,
			"stop":  scriptStop,
			"get":   scriptGet,
			"make":  scriptMake,
			"taken": scriptTaken,
		},
	})
}

// sharedData finds the folder of real data beside the repository; "" without one.
func sharedData() string {
	dir, err := filepath.Abs("../../../shared/data")
	if err != nil {
		return ""
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// scriptCode runs a command and checks its exit code: code 2 entente impact …
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// running is a server that a script started.
type running struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
	read   chan struct{}
}

// scriptStart starts a server, waits until it says where it serves, and sets $URL.
func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: start command…")
	}
	path, err := exec.LookPath(args[0])
	if err != nil { // the commands of the test live on the script's own PATH
		path = filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], args[0])
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "ENTENTE_ORGANISATION", "ENTENTE_OWNER_EMAIL", "ENTENTE_OWNER_PASSWORD", "ENTENTE_DATA"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	s := &running{cmd: cmd, output: &bytes.Buffer{}, read: make(chan struct{})}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		_, _ = cmd.Process.Wait()
	})
	url := make(chan string, 1)
	go func() {
		defer close(s.read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(s.output, lines.Text())
			if i := strings.Index(lines.Text(), "http://"); i >= 0 && len(url) == 0 {
				select {
				case url <- strings.TrimSpace(lines.Text()[i:]):
				default:
				}
			}
		}
	}()
	select {
	case at := <-url:
		ts.Setenv("URL", at)
	case <-s.read:
		_ = cmd.Wait()
		ts.Fatalf("the server ended: %s", errs.String())
	case <-time.After(2 * time.Minute):
		ts.Fatalf("the server does not serve: %s", errs.String())
	}
	ts.Setenv("PID", strconv.Itoa(cmd.Process.Pid))
	servers.Store(ts.Name(), s)
}

// servers are the running ones, by script.
var servers sync.Map

// scriptStop sends SIGTERM (or the named signal), waits for the end, checks exit code
// 0, and writes what the server printed to the file served.
func scriptStop(ts *testscript.TestScript, neg bool, args []string) {
	found, ok := servers.LoadAndDelete(ts.Name())
	if !ok {
		ts.Fatalf("nothing was started")
	}
	s := found.(*running)
	signal := syscall.SIGTERM
	if len(args) == 1 && args[0] == "INT" {
		signal = syscall.SIGINT
	}
	ts.Check(s.cmd.Process.Signal(signal))
	<-s.read
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if (err != nil) != neg {
			ts.Fatalf("the server ended with %v: %s", err, s.cmd.Stderr)
		}
	case <-time.After(2 * time.Minute):
		ts.Fatalf("the server does not end")
	}
	text := s.output.String() + s.cmd.Stderr.(*bytes.Buffer).String()
	ts.Check(os.WriteFile(ts.MkAbs("served"), []byte(text), 0o644))
}

// scriptGet asks the server for a path and checks the status: get 200 /healthz. The
// answer is written to the file answer.
func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get STATUS /path")
	}
	client := http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(ts.Getenv("URL") + args[1])
	ts.Check(err)
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(answer.Body.Close())
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o644))
	if strconv.Itoa(answer.StatusCode) != args[0] {
		ts.Fatalf("%s answered %s, want %s:\n%.400s", args[1], answer.Status, args[0], body)
	}
}

// runEntente runs a command line in this process.
func runEntente(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	c := &console{in: strings.NewReader(""), out: &o, err: &e, getenv: func(string) string { return "" }, width: unknown}
	code = command(context.Background(), args, c)
	return o.String(), e.String(), code
}

// exported writes the demonstration to a folder of the test.
func exported(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "demo")
	if _, errs, code := runEntente(t, "export", "demo", "--to", dir); code != exitOK {
		t.Fatal(errs)
	}
	return dir
}
