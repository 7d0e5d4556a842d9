package web

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/web/ui"
)

func TestDataFlowsAreDrawn(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	body := owner.mustHold("/o/beanline/data-flows", `class="drawing"`, `class="boundary focus"`, "edge crosses", "order API", "Rosthof", "crosses a trust boundary", "stays inside", "Download the drawing as SVG")
	wholePage(t, "data-flows", body)
	if strings.Count(body, `class="thing`) < 8 {
		t.Error("the drawing holds hardly anything")
	}
	inside := owner.mustHold("/o/beanline/data-flows?boundary=inside", `class="drawing"`)
	if strings.Contains(inside, "edge crosses") {
		t.Error("the filter of the list is not about the drawing")
	}
	owner.mustHold("/o/beanline/data-flows?process=bean-procurement", "Data flows of Bean procurement", "/o/beanline/processes/bean-procurement")
	owner.mustHold("/o/beanline/data-flows?q=unobtainium", "Nothing matches")
	w := owner.get("/o/beanline/data-flows?class=personal&format=svg")
	if w.Header().Get("Content-Type") != "image/svg+xml; charset=utf-8" || !strings.Contains(w.Header().Get("Content-Disposition"), "beanline-data-flows.svg") {
		t.Errorf("the file: %v", w.Header())
	}
	if file := w.Body.String(); !strings.Contains(file, "<style>") || strings.Contains(file, "href") || strings.Contains(file, "order API") {
		t.Error("the file has links, no style, or what the filter leaves out")
	}
	if csv := owner.get("/o/beanline/data-flows?format=csv&class=personal").Body.String(); !strings.Contains(csv, "personal") || strings.Contains(csv, "confidential") {
		t.Errorf("the CSV file: %s", csv)
	}
	if !strings.Contains(owner.get(ui.Asset("entente.css")).Body.String(), ".drawing .boundary") {
		t.Error("the style sheet of the pages does not know drawings")
	}
}

func TestChainOfAProcessIsDrawn(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	const at = "/o/beanline/processes/bean-procurement/chain"
	body := owner.mustHold(at, `class="drawing"`, "Rank 1", "Rank 2", "single point", "Nordhost Cloud", "edge dashed", "/o/beanline/suppliers/nordhost", "the process stops after 24 h")
	wholePage(t, at, body)
	near := owner.mustHold(at+"?steps=1", `class="drawing"`)
	if strings.Contains(near, "Kabelhafen") || strings.Count(near, `class="thing`) >= strings.Count(body, `class="thing`) {
		t.Error("the choice how far is not about the drawing")
	}
	owner.mustHold(at+"?alone=yes&q=nordhost", "Nordhost")
	if w := owner.get(at + "?format=svg"); !strings.Contains(w.Header().Get("Content-Disposition"), "chain-of-bean-procurement.svg") || wellFormedXML(w.Body.String()) != nil {
		t.Errorf("the file: %v", w.Header())
	}
	if w := owner.get("/o/beanline/processes/nothing/chain"); w.Code != 404 {
		t.Errorf("the chain of nothing: %d", w.Code)
	}
}

func wellFormedXML(s string) error {
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// In the drawings of the demonstration, no label covers a box or another label.
func TestLabelsCoverNothing(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	labels := 0
	at := []string{"/o/beanline/data-flows", "/o/beanline/data-flows?class=personal", "/o/beanline/data-flows?boundary=crosses", "/o/beanline/what-if?down=nordhost", "/o/beanline/what-if?down=crema&horizon=12w", "/o/beanline/graph"}
	for _, r := range demoMap(t).Processes {
		at = append(at, "/o/beanline/processes/"+string(r.ID)+"/chain", "/o/beanline/data-flows?process="+string(r.ID), "/o/beanline/what-if?down="+string(r.ID))
	}
	for _, path := range at {
		var boxes, grounds []rectangle
		for _, r := range rectangles(t, owner.get(path).Body.String()) {
			switch {
			case strings.HasPrefix(r.in, "thing"):
				boxes = append(boxes, r)
			case strings.HasPrefix(r.in, "edge-label"):
				grounds = append(grounds, r)
			}
		}
		labels += len(grounds)
		for i, g := range grounds {
			for _, other := range append(boxes, grounds[:i]...) {
				if g.x < other.x+other.w && other.x < g.x+g.w && g.y < other.y+other.h && other.y < g.y+g.h {
					t.Errorf("%s: the label at %v lies over %v", path, g, other)
				}
			}
		}
	}
	if labels < 20 {
		t.Errorf("only %d labels were found", labels)
	}
}

// rectangle is one of a drawing, with the class of the group that it stands in.
type rectangle struct {
	in         string
	x, y, w, h int
}

// rectangles reads those of the drawings of a page.
func rectangles(t *testing.T, body string) (all []rectangle) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	group := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		must(t, err)
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "g" && e.Name.Local != "rect" {
			continue
		}
		r := rectangle{in: group}
		for _, a := range e.Attr {
			number, _ := strconv.Atoi(a.Value)
			switch a.Name.Local {
			case "class":
				if e.Name.Local == "g" {
					group = a.Value
				}
			case "x":
				r.x = number
			case "y":
				r.y = number
			case "width":
				r.w = number
			case "height":
				r.h = number
			}
		}
		if e.Name.Local == "rect" {
			all = append(all, r)
		}
	}
}

// A chain of any size gives a drawing of bounded size that says what it leaves out.
func TestDrawingsAreBounded(t *testing.T) {
	n := newNode(t)
	m := &chain.Map{Own: "beanline", Currency: "EUR", Organisations: []chain.Organisation{{ID: "beanline", Name: "Beanline"}}}
	process := chain.Process{ID: "p", Name: "P"}
	for i := range 400 {
		id := chain.NodeID(fmt.Sprintf("s%d", i))
		m.Systems = append(m.Systems, chain.System{ID: id, Name: "System " + string(id), Kind: chain.SystemService, Operator: "beanline"})
		process.Needs = append(process.Needs, chain.Need{Any: []chain.NodeID{id}})
		if i > 0 {
			m.Flows = append(m.Flows, chain.Flow{ID: chain.NodeID(fmt.Sprintf("f%d", i)), From: chain.NodeID(fmt.Sprintf("s%d", i-1)), To: id, Data: []string{"data"}, Class: chain.ClassInternal})
		}
	}
	m.Processes = []chain.Process{process}
	_, err := n.Chain.Import(t.Context(), entente.System("beanline", entente.DoorCommand), m)
	must(t, err)
	owner := n.as("owner@beanline.example")
	for _, at := range []string{"/o/beanline/data-flows", "/o/beanline/processes/p/chain"} {
		body := owner.mustHold(at, "left out")
		if drawn := strings.Count(body, `class="thing`); drawn > mostDrawn || drawn < mostDrawn-2 {
			t.Errorf("%s draws %d things", at, drawn)
		}
	}
}
