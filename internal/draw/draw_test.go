package draw

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sample() Diagram {
	return Diagram{
		Title: "Data flows of Bean procurement", Desc: "Who sends what to whom.",
		Groups: []Group{{ID: "us", Label: "Beanline", Mark: Focus}, {ID: "rost", Label: "Rosthof <Kaffee>"}},
		Nodes: []Node{
			{ID: "portal", Label: "Procurement portal", Note: "application", Shape: System, Group: "us"},
			{ID: "stock", Label: "Warehouse inventory by quality", Shape: Store, Group: "us"},
			{ID: "shop", Label: "Order portal", Shape: System, Group: "rost", Href: "/o/beanline/systems/shop"},
			{ID: "office", Label: "Offices", Shape: Entity},
		},
		Edges: []Edge{
			{From: "shop", To: "portal", Label: "order confirmations", Mark: Crosses},
			{From: "portal", To: "shop", Label: "orders", Mark: Crosses},
			{From: "portal", To: "stock", Label: "expected deliveries"},
			{From: "stock", To: "office", Label: "delivery notes"},
			{From: "stock", To: "nowhere", Label: "lost"},
		},
	}
}

func wellFormed(s string) error {
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestDrawingIsWellFormedAndSaysEverything(t *testing.T) {
	svg := sample().SVG()
	if err := wellFormed(svg); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Procurement portal", "Rosthof &lt;Kaffee&gt;", "boundary focus", `href="/o/beanline/systems/shop"`, "order", "class=\"side\""} {
		if !strings.Contains(svg, want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
	if strings.Contains(svg, "style") || strings.Contains(svg, "lost") {
		t.Error("a page's drawing has inline style, or an edge to nowhere")
	}
	if file := sample().File(); !strings.Contains(file, "<style>") || wellFormed(file) != nil {
		t.Error("the file lacks its style sheet or is not well formed")
	}
}

// Whatever the diagram, no two boxes overlap, every box lies inside its boundary
// and boundaries do not overlap, and the same input gives the same bytes.
func TestNothingOverlaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d Diagram
		groups := rapid.IntRange(0, 5).Draw(t, "groups")
		for g := range groups {
			d.Groups = append(d.Groups, Group{ID: fmt.Sprint("g", g), Label: "Group"})
		}
		n := rapid.IntRange(1, 25).Draw(t, "nodes")
		for i := range n {
			d.Nodes = append(d.Nodes, Node{ID: fmt.Sprint(i), Label: rapid.StringN(0, 60, 200).Draw(t, "label"),
				Group: fmt.Sprint("g", rapid.IntRange(0, 6).Draw(t, "group"))})
		}
		for range rapid.IntRange(0, 40).Draw(t, "edges") {
			d.Edges = append(d.Edges, Edge{From: fmt.Sprint(rapid.IntRange(0, n).Draw(t, "from")), To: fmt.Sprint(rapid.IntRange(0, n).Draw(t, "to"))})
		}
		p := place(d)
		for i, a := range p.order {
			if a.x < 0 || a.y < 0 || a.x+a.w > p.w || a.y+a.h > p.h {
				t.Fatalf("box %s lies outside the drawing", a.node.ID)
			}
			for _, b := range p.order[i+1:] {
				if a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
					t.Fatalf("boxes %s and %s overlap", a.node.ID, b.node.ID)
				}
			}
		}
		for i, a := range p.clusters {
			for _, b := range a.boxes {
				if b.x < a.x || b.y < a.y || b.x+b.w > a.x+a.w || b.y+b.h > a.y+a.h {
					t.Fatalf("box %s lies outside its boundary", b.node.ID)
				}
			}
			for _, b := range p.clusters[i+1:] {
				if a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
					t.Fatal("two boundaries overlap")
				}
			}
		}
		if first, again := d.SVG(), d.SVG(); first != again {
			t.Fatal("the same diagram is drawn in two ways")
		}
	})
}

// Whatever the diagram, no label covers a box, a title or another label, and all of
// it lies inside the drawing.
func TestLabelsHaveRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, routes := arranged(t)
		for i, r := range routes {
			if r.edge.Label == "" {
				continue
			}
			a := r.label
			if a.w == 0 || a.x < 0 || a.y < 0 || a.x+a.w > p.w || a.y+a.h > p.h {
				t.Fatalf("the label %v lies outside of the drawing of %d × %d", a, p.w, p.h)
			}
			for _, b := range p.order {
				if a.meets(b.area()) {
					t.Fatalf("the label %q covers the box %s", r.edge.Label, b.node.ID)
				}
			}
			for _, other := range routes[:i] {
				if other.edge.Label != "" && a.meets(other.label) {
					t.Fatalf("the labels %q and %q overlap", r.edge.Label, other.edge.Label)
				}
			}
			for _, c := range p.clusters {
				if c.group != nil && a.meets(c.title()) {
					t.Fatalf("the label %q covers the title of %s", r.edge.Label, c.group.ID)
				}
			}
		}
	})
}

// Whatever the diagram, no edge runs through a box.
func TestEdgesRunAroundBoxes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, routes := arranged(t)
		for i, e := range p.ports() {
			for _, b := range p.order {
				a := b.area().wider(-1)
				for _, at := range routes[i].points {
					if a.holds(at) {
						t.Fatalf("the edge from %s to %s runs through %s at %v", e.from.node.ID, e.to.node.ID, b.node.ID, at)
					}
				}
			}
		}
	})
}

func arranged(t *rapid.T) (placed, []route) {
	var d Diagram
	groups := rapid.IntRange(0, 4).Draw(t, "groups")
	for g := range groups {
		d.Groups = append(d.Groups, Group{ID: fmt.Sprint("g", g), Label: "A group of things"})
	}
	n := rapid.IntRange(2, 20).Draw(t, "nodes")
	for i := range n {
		d.Nodes = append(d.Nodes, Node{ID: fmt.Sprint(i), Label: "A thing", Note: "system", Group: fmt.Sprint("g", rapid.IntRange(0, 5).Draw(t, "group"))})
	}
	for i := range rapid.IntRange(0, 40).Draw(t, "edges") {
		d.Edges = append(d.Edges, Edge{
			From: fmt.Sprint(rapid.IntRange(0, n-1).Draw(t, "from")), To: fmt.Sprint(rapid.IntRange(0, n-1).Draw(t, "to")),
			Label: rapid.SampledFrom([]string{"", "orders", "REST API · confidential · orders and prices of beans"}).Draw(t, fmt.Sprint("label", i)),
		})
	}
	p := place(d)
	return p, p.routes()
}

// A drawing of the most that a page draws is ready within the time that a page has.
func BenchmarkLargeDrawing(b *testing.B) {
	var d Diagram
	for g := range 20 {
		d.Groups = append(d.Groups, Group{ID: fmt.Sprint("g", g), Label: "Organisation"})
	}
	for i := range 150 {
		d.Nodes = append(d.Nodes, Node{ID: fmt.Sprint(i), Label: "A thing with a name", Note: "system", Group: fmt.Sprint("g", i%20)})
		for k := range 3 {
			d.Edges = append(d.Edges, Edge{From: fmt.Sprint(i), To: fmt.Sprint((i*7 + k*31 + 1) % 150), Label: "REST API · confidential · orders"})
		}
	}
	for b.Loop() {
		_ = d.SVG()
	}
}
