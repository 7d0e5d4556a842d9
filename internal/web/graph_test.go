package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/chain"
	"github.com/entente-project/entente/internal/identity"
)

// graphOf reads what the graph's script would read.
func graphOf(t *testing.T, v *visitor, path string) (g graphData) {
	t.Helper()
	w := v.get(path)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &g))
	return g
}

func (g graphData) names() []string {
	names := make([]string, len(g.Things))
	for i, thing := range g.Things {
		names[i] = thing[1].(string)
	}
	return names
}

func TestGraphHoldsTheWholeChain(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	g := graphOf(t, owner, "/o/beanline/graph/things")
	chained, err := n.Chain.Graph(t.Context(), entente.System("beanline", entente.DoorCommand))
	must(t, err)
	if size, _ := chained.Size(); len(g.Things) != size || size < 50 {
		t.Errorf("%d things; the chain has %d", len(g.Things), size)
	}
	for i, thing := range g.Things {
		if thing[1] == "Nordhost Cloud" {
			if ring := g.Rings[int(thing[3].(float64))].Name; ring != "Rank 2" || thing[7] != "/o/beanline/suppliers/nordhost" {
				t.Errorf("Nordhost stands in %s and leads to %v", ring, thing[7])
			}
		}
		if i > 0 && thing[3].(float64) < g.Things[i-1][3].(float64) {
			t.Error("the things are not in the order of their rings")
		}
	}
	if g.Rings[0].Name != "Ourselves" || len(g.Links) < 50 || len(g.Choice) == 0 {
		t.Errorf("rings %v, %d links, %d of them a choice", g.Rings, len(g.Links), len(g.Choice))
	}
	body := owner.mustHold("/o/beanline/graph", "Graph", "Nordhost Cloud", `class="drawing"`, "Tier Critical", "Rank 2", "data-graph")
	wholePage(t, "graph", body)
	if csv := owner.get("/o/beanline/graph?format=csv&kind=organisation&rank=2").Body.String(); !strings.Contains(csv, "Nordhost Cloud") || strings.Contains(csv, "Rosthof") {
		t.Errorf("the CSV file: %s", csv)
	}
}

func TestPathsToAProcess(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	const at = "/o/beanline/graph?process=bean-procurement&from=nordhost"
	body := owner.mustHold(at, "Paths to Bean procurement", "If Nordhost Cloud alone stops, Bean procurement stops after 24 h.", "What alone stops it", "Order from the wholesale sellers", "one of 2", "the process stops after 24 h")
	wholePage(t, at, body)
	var ways struct {
		Ways       [][]string
		All, Alone []string
		Words      string
	}
	must(t, json.Unmarshal(owner.get("/o/beanline/graph/ways?process=bean-procurement&from=nordhost").Body.Bytes(), &ways))
	for _, way := range ways.Ways {
		if way[0] != "bean-procurement" || way[len(way)-1] != "nordhost" {
			t.Errorf("the way %v", way)
		}
	}
	if len(ways.Ways) == 0 || !slices.Contains(ways.Alone, "nordhost") || !slices.Contains(ways.All, "nordhost") || !strings.Contains(body, strings.TrimSpace(ways.Words)) {
		t.Errorf("%d ways, alone %v; or other words than the page's", len(ways.Ways), ways.Alone)
	}
	// What is typed is found, or what it can mean is offered.
	w := owner.get("/o/beanline/graph?to=bean+procurement&thing=nordhost+cloud")
	if location := w.Header().Get("Location"); w.Code != http.StatusSeeOther || location != "/o/beanline/graph?from=nordhost&process=bean-procurement" {
		t.Errorf("typed names: %d to %q", w.Code, location)
	}
	owner.mustHold("/o/beanline/graph?to=bean", "Which one?", "Bean distribution, process")
	owner.mustHold("/o/beanline/graph?thing=unobtainium", "Nothing in the map is called like that")
	owner.mustHold("/o/beanline/graph?process=support&from=aroma-lab", "does not hang on")
	owner.mustHold("/o/beanline/graph?process=nothing&from=nobody", "Graph")
}

// A business owner sees at first what their processes hang on, and the rest if they
// ask for it.
func TestGraphOfABusinessOwner(t *testing.T) {
	n := newNode(t)
	n.tell()
	_, err := n.Identity.AddMember(t.Context(), entente.System("beanline", entente.DoorCommand), identity.NewMember{
		NewPerson: identity.NewPerson{Name: "Bo", Email: "bo@beanline.example", Password: testPassword}, Role: entente.RoleBusinessOwner, Scope: []string{"support"},
	})
	must(t, err)
	bo := n.as("bo@beanline.example")
	all := graphOf(t, n.as("owner@beanline.example"), "/o/beanline/graph/things")
	mine, whole := graphOf(t, bo, "/o/beanline/graph/things"), graphOf(t, bo, "/o/beanline/graph/things?scope=all")
	if len(whole.Things) != len(all.Things) || len(mine.Things) >= len(all.Things) || !slices.Contains(mine.names(), "Customer support") || slices.Contains(mine.names(), "Bean procurement") {
		t.Errorf("%d things of theirs, %d of all, %d of the owner's", len(mine.Things), len(whole.Things), len(all.Things))
	}
	body := bo.mustHold("/o/beanline/graph", "that your processes hang on", "scope=all")
	if strings.Contains(body, "Bean procurement</a>") {
		t.Error("the table holds more than the drawing")
	}
}

// A chain of any size gives a graph of bounded size that says what it leaves out.
func TestGraphIsBounded(t *testing.T) {
	n := newNode(t)
	m := &chain.Map{Own: "beanline", Currency: "EUR", Organisations: []chain.Organisation{{ID: "beanline", Name: "Beanline"}, {ID: "far", Name: "Far"}}}
	for i := range mostInGraph {
		m.Systems = append(m.Systems, chain.System{ID: chain.NodeID(fmt.Sprintf("s%d", i)), Name: fmt.Sprintf("System %d", i), Kind: chain.SystemService, Operator: "beanline"})
	}
	_, err := n.Chain.Import(t.Context(), entente.System("beanline", entente.DoorCommand), m)
	must(t, err)
	g := graphOf(t, n.as("owner@beanline.example"), "/o/beanline/graph/things?"+url.Values{"q": {"nothing"}}.Encode())
	if len(g.Things) != mostInGraph || !strings.Contains(g.Left, "2 things are not drawn") || slices.Contains(g.names(), "Far") {
		t.Errorf("%d things; left out: %q", len(g.Things), g.Left)
	}
}
