package chain

import (
	"slices"
	"strings"
	"testing"
)

func TestSwitchOff(t *testing.T) {
	g := switchOffGraph(t)
	cases := []struct {
		name   string
		source NodeID
		want   []NodeID
	}{
		{"a library far away takes the system that runs it off the net, not its maker", "library", []NodeID{"portal"}},
		{"a service without a system is itself what is switched off", "remote-tool", []NodeID{"remote-care"}},
		{"what is only possible is left alone", "mailer", []NodeID{"mail"}},
		{"a product of nobody", "unused", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := g.Compromise([]Source{{Node: c.source, Sure: Certain}}).SwitchOff()
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func switchOffGraph(t *testing.T) *Graph {
	t.Helper()
	m, err := ParseMap(strings.NewReader(`format: entente.map/1
organisation: us
currency: EUR
organisations:
  - {id: us, name: Us}
  - {id: maker, name: Maker}
  - {id: project, name: Project}
processes:
  - id: sell
    name: Sell
    activities:
      - {id: order, name: Order, needs: [portal]}
  - id: care
    name: Care
    activities:
      - {id: watch, name: Watch, needs: [remote-care]}
systems:
  - {id: portal, name: Portal, operator: us, needs: [portal-software]}
  - {id: mail, name: Mail, operator: us, products: [mailer]}
supplies:
  - {id: portal-software, name: Portal software, supplier: maker, nature: software, needs: [framework]}
  - {id: framework, name: Framework, supplier: project, customer: maker, nature: software, products: [library]}
  - {id: remote-care, name: Remote care, supplier: maker, nature: service, products: [remote-tool]}
products:
  - {id: library, name: Library, supplier: project}
  - {id: remote-tool, name: Remote tool, supplier: maker}
  - {id: mailer, name: Mailer, supplier: project}
  - {id: unused, name: Unused, supplier: project}
flows:
  - {id: alerts, from: mail, to: portal, data: [alerts]}
`), "map")
	if err != nil {
		t.Fatal(err)
	}
	g, err := Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
