package chain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func relianceMap() *Map {
	return &Map{
		Own: "us", Currency: "EUR",
		Organisations: []Organisation{{ID: "us", Name: "Us"}, {ID: "host", Name: "Host"}},
		Processes: []Process{{ID: "sell", Name: "Sell", Activities: []Activity{{ID: "pay", Name: "Pay", Needs: []Need{
			{Any: []NodeID{"shop"}, Buffer: 4 * time.Hour, Note: "paper"},
			{Any: []NodeID{"ledger", "shop"}},
		}}}}},
		Systems: []System{
			{ID: "shop", Name: "Shop", Kind: SystemApplication, Operator: "us", Needs: []Need{{Any: []NodeID{"cloud"}}, {Any: []NodeID{"ledger"}}}},
			{ID: "ledger", Name: "Ledger", Kind: SystemApplication, Operator: "us", Needs: []Need{{Any: []NodeID{"shop"}}, {Any: []NodeID{"cloud"}}}},
			{ID: "cloud", Name: "Cloud", Kind: SystemService, Operator: "host"},
		},
	}
}

func TestReliances(t *testing.T) {
	g, err := Compile(relianceMap())
	if err != nil {
		t.Fatal(err)
	}
	say := func(ways []Reliance) string {
		var lines []string
		for _, w := range ways {
			var steps []string
			for _, s := range w {
				step := string(s.ID)
				if s.Buffer > 0 || s.Others > 0 {
					step += fmt.Sprintf("(%s %s %d)", FormatDuration(s.Buffer), s.Note, s.Others)
				}
				steps = append(steps, step)
			}
			lines = append(lines, strings.Join(steps, ">"))
		}
		return strings.Join(lines, "\n")
	}
	ways, more := g.Reliances("sell", "host", 10)
	const want = `sell>pay(4h paper 0)>shop>cloud>host
sell>pay(0  1)>ledger>cloud>host
sell>pay(0  1)>shop>cloud>host
sell>pay(4h paper 0)>shop>ledger>cloud>host
sell>pay(0  1)>ledger>shop>cloud>host
sell>pay(0  1)>shop>ledger>cloud>host`
	if got := say(ways); got != want || more {
		t.Errorf("the ways, more %v:\n%s\nwant\n%s", more, got, want)
	}
	if ways, more := g.Reliances("sell", "host", 2); len(ways) != 2 || !more {
		t.Errorf("two ways: %d, more %v", len(ways), more)
	}
	for _, pair := range [][2]NodeID{{"host", "sell"}, {"sell", "sell"}, {"sell", "nowhere"}, {"nowhere", "sell"}} {
		if ways, more := g.Reliances(pair[0], pair[1], 3); len(ways) != 0 || more {
			t.Errorf("%s relies on %s in %d ways", pair[0], pair[1], len(ways))
		}
	}
	links := 0
	for l := range g.Links() {
		links++
		if l.Holder == l.Thing {
			t.Errorf("%d relies on itself", l.Thing)
		}
	}
	if links != 11 { // 1 activity, 3 of its needs, 4 written of systems, 3 operators
		t.Errorf("%d links", links)
	}
}
