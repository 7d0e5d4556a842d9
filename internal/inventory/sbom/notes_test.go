package sbom

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A habit of a tool does not push other oddities out, and what is not kept is counted.
func TestNotesKeepAFewOfEachKind(t *testing.T) {
	n := NewNotes(30)
	asked := 0
	for i := range 100 {
		n.Add(func() string { asked++; return fmt.Sprint(i) }, "a habit: %d", i)
	}
	for range 20 {
		n.At("here", "another")
	}
	var d Document
	n.Into(&d)
	if len(d.Oddities) != 30 || d.MoreOddities != 90 || asked != perKind {
		t.Errorf("%d kept, %d more, %d places asked for", len(d.Oddities), d.MoreOddities, asked)
	}
	if d.Oddities[1] != (Oddity{"1", "a habit: 1"}) || d.Oddities[29] != (Oddity{"here", "another"}) {
		t.Errorf("got %+v", d.Oddities)
	}
}

func TestClip(t *testing.T) {
	if got := Clip(strings.Repeat("é", 60)); got != strings.Repeat("é", 40)+"…" {
		t.Errorf("got %q", got)
	}
}

func TestMoment(t *testing.T) {
	want := time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC)
	for _, s := range []string{"2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00Z", "2024-05-01T08:00:00", " 2024-05-01 08:00:00 "} {
		if got, ok := Moment(s); !ok || !got.Equal(want) {
			t.Errorf("%q: got %v", s, got)
		}
	}
	if _, ok := Moment("yesterday"); ok {
		t.Error("yesterday was read")
	}
}
