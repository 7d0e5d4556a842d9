package web

import (
	"testing"

	"github.com/entente-project/entente/internal/draw"
)

// What is kept stays within its bound, and what was asked for last stays longest.
func TestKeptStaysWithinItsBound(t *testing.T) {
	k := newKept[string, int](10)
	made := 0
	get := func(key string, size int) {
		t.Helper()
		_, err := k.get(key, func() (int, int, error) { made++; return made, size, nil })
		must(t, err)
	}
	get("a", 4)
	get("b", 4)
	get("a", 4)
	get("c", 4) // no room: b was not asked for the longest
	if k.size != 8 || k.known["b"] != nil || k.known["a"] == nil || made != 3 {
		t.Errorf("size %d, made %d, kept %v", k.size, made, k.known)
	}
	get("d", 100) // larger than all: it alone stays
	if k.size != 100 || len(k.known) != 1 || k.known["d"] == nil {
		t.Errorf("size %d, kept %v", k.size, k.known)
	}
}

// Diagrams that differ in anything are kept apart.
func TestDiagramsAreToldApart(t *testing.T) {
	seen := map[[32]byte]bool{}
	for _, d := range []draw.Diagram{
		{}, {Title: "a"}, {Desc: "a"}, {Nodes: []draw.Node{{ID: "a"}}}, {Nodes: []draw.Node{{Label: "a"}}}, {Nodes: []draw.Node{{ID: "a", Mark: draw.Hit}}},
		{Nodes: []draw.Node{{ID: "a", Href: "/b"}}}, {Edges: []draw.Edge{{From: "a", To: "b"}}}, {Edges: []draw.Edge{{From: "ab"}}}, {Edges: []draw.Edge{{From: "a", To: "b", Dashed: true}}}, {Groups: []draw.Group{{ID: "a"}}},
	} {
		seen[contentOf(d)] = true
	}
	if len(seen) != 11 {
		t.Errorf("%d of 11 told apart", len(seen))
	}
}
