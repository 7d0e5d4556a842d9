package inventory

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/journal"
)

// childOf names the database that this process works on as the child of a test.
const childOf = "ENTENTE_INVENTORY_CHILD"

func TestMain(m *testing.M) {
	database, document := os.Getenv(childOf), os.Getenv(ingestOf)
	var err error
	switch {
	case document != "":
		err = ingest(document, database)
	case database != "":
		err = child(database)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func large(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = lib(fmt.Sprintf("large-%d", i), "1")
	}
	return cyclone(parts...)
}

const largeSize = 20_000

func child(file string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{SQLite: file})
	if err != nil {
		return err
	}
	s := New(d, Options{Temp: filepath.Join(filepath.Dir(file), "temp")})
	text := large(largeSize)
	fmt.Println("begin")
	if _, _, err := s.Record(ctx, analyst, "portal", "large.json", strings.NewReader(text)); err != nil {
		return err
	}
	fmt.Println("end")
	return d.Close()
}

// A kill at any instant leaves the old document or the new one, never a part of it,
// and nothing of an upload behind.
func TestAKilledImportLeavesTheOldOrTheNewState(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file in use cannot be unlinked on Windows")
	}
	c := dbtest.SQLiteConfig(t)
	temp := filepath.Join(filepath.Dir(c.SQLite), "temp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := stage(t, d)
	record(t, s, "portal", cyclone(lib("old", "1")))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	states := map[string]int{}
	for _, wait := range []time.Duration{5, 60, 120, 200, 300, 450, 700, 1000} {
		state := killed(t, c, temp, wait*time.Millisecond)
		states[state]++
		if state == "new" {
			break
		}
	}
	t.Logf("%v", states)
	if states["old"] == 0 {
		t.Error("no import was killed before its end: the waits are too long for this machine")
	}
	// The import that was killed can be repeated.
	d, err = db.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s = New(d, Options{Temp: temp})
	doc, _, err := s.Record(t.Context(), analyst, "portal", "large.json", strings.NewReader(large(largeSize)))
	if err != nil || doc.Packages != largeSize+1 {
		t.Errorf("%v %+v", err, doc.Counts)
	}
}

func killed(t *testing.T, c db.Config, temp string, wait time.Duration) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOf+"="+c.SQLite)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "begin" {
		t.Fatalf("the child said %q", lines.Text())
	}
	time.Sleep(wait)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	d, err := db.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		// A kill between the making of a file and its removal leaves its name, before
		// anything is in it.
		if info, err := f.Info(); err != nil || info.Size() != 0 {
			t.Errorf("%v, left behind: %v", err, f)
		}
		if err := os.Remove(filepath.Join(temp, f.Name())); err != nil {
			t.Error(err)
		}
	}
	if _, err := journal.Verify(t.Context(), d, org); err != nil {
		t.Error(err)
	}
	s := New(d, Options{Temp: temp})
	docs, err := s.Documents(t.Context(), analyst, "portal")
	if err != nil {
		t.Fatal(err)
	}
	have := pairs(t, d)
	switch {
	case len(docs) == 1 && len(have) == 2 && len(events(t, d)) == 1:
		return "old"
	case len(docs) == 2 && docs[0].Components == largeSize+1 && len(have) == largeSize+1 && len(events(t, d)) == 2:
		return "new"
	}
	t.Errorf("after %s: %d documents, %d packages, %d events", wait, len(docs), len(have), len(events(t, d)))
	return "broken"
}
