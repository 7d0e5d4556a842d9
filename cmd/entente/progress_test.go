package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// On a terminal progress is one line that goes away, and never mixes with messages;
// in a pipe there is none.
func TestProgress(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		var out bytes.Buffer
		c := &console{errTerm: terminal}
		c.err = &aboveProgress{c: c, w: &out}
		p := c.progress("Reading")
		p.step(1, 9, "too early")
		p.next = time.Now()
		p.step(2, 9, strings.Repeat("x", 500))
		fmt.Fprintln(c.err, "a message")
		p.next = time.Now()
		p.step(3, 0, "")
		p.end()
		want := ""
		if terminal {
			line := []rune("Reading: 2 of 9  " + strings.Repeat("x", 500))
			want = "\r\x1b[K" + string(line[:narrowest-1]) + "…" + "\r\x1b[K"
		}
		want += "a message\n"
		if terminal {
			want += "\r\x1b[KReading: 3  \r\x1b[K"
		}
		if out.String() != want {
			t.Errorf("on a terminal %v: got %q, want %q", terminal, out.String(), want)
		}
	}
}

func TestSheetKeepsItsWidth(t *testing.T) {
	var out bytes.Buffer
	s := (&console{out: &out, width: 60}).sheet()
	s.row("Label", plain, "%s", strings.Repeat("word ", 40)+kept("2 days 6 h")+" "+strings.Repeat("y", 80))
	s.line(plain, "", 4, "  "+strings.Repeat("hanging ", 20))
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if len(line) > 60 && !strings.Contains(line, "yyy") {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
	if !strings.Contains(out.String(), "2 days 6 h") {
		t.Error("what belongs together was broken")
	}
	if got := visible("a\x1b[31mb\x00\u0085"); strings.ContainsAny(got, "\x1b\x00\u0085") {
		t.Errorf("%q commands the terminal", got)
	}
	if got := strings.ReplaceAll(grouped(-1234567), "\u00a0", " "); got != "-1 234 567" {
		t.Errorf("got %q", got)
	}
}
