package chain

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/entente-project/entente"
)

func readMap(t testing.TB, file string) *Map {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := ParseMap(f, file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t testing.TB, m *Map) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteMap(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMapSurvivesWritingAndReading(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := drawMap(rt)
		if found := Validate(m); len(found) > 0 {
			rt.Fatalf("the generator made a map that does not hold: %v", found)
		}
		var text bytes.Buffer
		if err := WriteMap(&text, m); err != nil {
			rt.Fatal(err)
		}
		back, err := ParseMap(bytes.NewReader(text.Bytes()), "map")
		if err != nil {
			rt.Fatalf("%v\n%s", err, text.String())
		}
		if diff := cmp.Diff(m, back); diff != "" {
			rt.Fatalf("%s\n%s", diff, text.String())
		}
		var again bytes.Buffer
		if err := WriteMap(&again, back); err != nil {
			rt.Fatal(err)
		}
		if again.String() != text.String() {
			rt.Fatal("the second writing differs from the first")
		}
	})
}

func TestParseMap(t *testing.T) {
	m := readMap(t, "testdata/portal.yaml")
	want := Process{
		ID: "bean-procurement", Name: "Bean procurement", Owner: "Head of purchasing",
		BIA: BIA{
			Criticality: Critical, RTO: 24 * time.Hour, MTPD: 3 * 24 * time.Hour, RPO: 4 * time.Hour,
			Cost: []CostRate{{From: 0, PerHour: 500}, {From: 36 * time.Hour, PerHour: 2000}},
		},
		Inputs:  []Item{{Name: "Green beans", Party: "rosthof", Kind: ItemGoods}},
		Outputs: []Item{{Name: "Orders"}},
		Activities: []Activity{
			{ID: "order-beans", Name: "Order beans", Needs: []Need{
				{Any: []NodeID{"portal"}},
				{Any: []NodeID{"green-beans", "spot-market"}, Buffer: 5 * 24 * time.Hour, Note: "stock in the warehouse"},
			}},
		},
	}
	if diff := cmp.Diff(want, m.Processes[0]); diff != "" {
		t.Error(diff)
	}
	if got := m.Supplies[0].Customer; got != "beanline" {
		t.Errorf("a supply without a customer goes to %q, not to our own organisation", got)
	}
	if got := m.Products[0].Version; got != "1.10" {
		t.Errorf("the version 1.10 was read as %q", got)
	}
	if got := m.Organisations[1].Country; got != "NO" {
		t.Errorf("the country NO was read as %q", got)
	}
}

// head is the beginning of a map that holds; tests add a wrong part behind it.
const head = `format: entente.map/1
organisation: us
currency: EUR
organisations:
  - {id: us, name: Us}
  - {id: them, name: Them}
`

func TestParseMapSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown field", head + "  - {id: x, nmae: X}\n", `line 7, organisations[2].nmae: there is no such field; did you mean "name"?`},
		{"missing name", head + "  - id: x\n", "line 7, organisations[2].name: the name is missing"},
		{"double field", head + "systems:\n  - {id: y, name: Y, name: Z}\n", "line 8, systems[0].name: the field is given twice"},
		{"merge key", head + "systems:\n  - {id: y, name: Y, <<: {}}\n", "merge keys (<<) are not taken"},
		{"unknown reference", head + "systems:\n  - id: y\n    name: Y\n    operator: tehm\n", `line 10, systems[0].operator: nothing in the map has the id "tehm"; did you mean "them"?`},
		{"wrong kind of reference", head + "systems:\n  - {id: y, name: Y, products: [them]}\n", `line 8, systems[0].products[0]: "them" is an organisation; here belongs a product`},
		{"need on a flow", head + "systems:\n  - {id: y, name: Y, needs: [f]}\n  - {id: z, name: Z}\nflows:\n  - {id: f, from: y, to: z}\n", `line 8, systems[0].needs[0].any[0]: "f" is a flow`},
		{"duplicate id", head + "systems:\n  - {id: them, name: Y}\n", `line 8, systems[0].id: the id "them" is taken already by an organisation`},
		{"bad id", head + "systems:\n  - {id: My System, name: Y}\n", `line 8, systems[0].id: the identifier "My System" may hold only`},
		{"ownership", head + "  - {id: a, name: A, parent: b}\n  - {id: b, name: B, parent: a}\n", `line 7, organisations[2].parent: the ownership runs in a circle: "a", owned by "b", owned by "a"`},
		{"owns itself", head + "  - {id: a, name: A, parent: a}\n", `the ownership runs in a circle: "a", owned by "a"`},
		{"negative buffer", head + "systems:\n  - {id: y, name: Y, needs: [{any: [them], buffer: -3h}]}\n", `line 8, systems[0].needs[0].buffer: the duration "-3h" is negative`},
		{"buffer without unit", head + "systems:\n  - {id: y, name: Y, needs: [{any: [them], buffer: 12}]}\n", `"12" has no unit at its end; write for example 30m`},
		{"RTO above MTPD", head + "processes:\n  - id: p\n    name: P\n    bia:\n      rto: 5d\n      mtpd: 3d\n", "line 11, processes[0].bia.rto: the RTO of 5d is longer than the MTPD of 3d"},
		{"rates", head + "processes:\n  - id: p\n    name: P\n    bia:\n      cost:\n        - {from: 4h, per_hour: 1}\n        - {from: 4h, per_hour: -1}\n", "line 13, processes[0].bia.cost[1].from: the rates do not ascend"},
		{"negative rate", head + "processes:\n  - {id: p, name: P, bia: {cost: [{from: 4h, per_hour: -1}]}}\n", "processes[0].bia.cost[0].per_hour: the rate -1 is outside of 0 to"},
		{"criticality", head + "processes:\n  - {id: p, name: P, bia: {criticality: hihg}}\n", `line 8, processes[0].bia.criticality: "hihg" is not one of critical, high, medium, low; did you mean "high"?`},
		{"LEI", head + "  - {id: a, name: A, lei: 529900T8BM49AURSDO56}\n", `line 7, organisations[2].lei: the check digits of the LEI "529900T8BM49AURSDO56" are wrong`},
		{"country", head + "  - {id: a, name: A, country: Germany}\n", `"Germany" is not a country code`},
		{"domain", head + "  - {id: a, name: A, domains: [\"https://a.example\"]}\n", `line 7, organisations[2].domains[0]: "https://a.example" is not a domain`},
		{"e-mail", head + "  - {id: a, name: A, contacts: [{name: N, email: nobody}]}\n", `organisations[2].contacts[0].email: "nobody" is not an e-mail address`},
		{"currency", strings.Replace(head, "EUR", "Euro", 1), `line 3, currency: "Euro" is not a currency code`},
		{"no alternative", head + "systems:\n  - {id: y, name: Y, needs: [{any: []}]}\n", "line 8, systems[0].needs[0].any: the need has no alternative"},
		{"self-need", head + "systems:\n  - {id: y, name: Y, needs: [y]}\n", `line 8, systems[0].needs[0].any[0]: "y" needs itself`},
		{"same alternative", head + "systems:\n  - {id: y, name: Y, needs: [{any: [us, us]}]}\n", `systems[0].needs[0].any[1]: the alternative "us" is listed twice`},
		{"own supplier", head + "supplies:\n  - {id: s, name: S, supplier: us, nature: goods}\n", `line 8, supplies[0].customer: "us" is supplier and customer of the same supply`},
		{"nature", head + "supplies:\n  - {id: s, name: S, supplier: them}\n", "line 8, supplies[0].nature: it is missing; take one of goods, service, software, cloud"},
		{"own organisation", strings.Replace(head, "organisation: us", "organisation: uss", 1), `line 2, organisation: nothing in the map has the id "uss"; did you mean "us"?`},
		{"flow in a circle", head + "flows:\n  - {id: f, from: us, to: us}\n", "the flow ends where it begins"},
		{"wrong type", head + "systems: y\n", `line 7, systems: here belongs a list, not "y"`},
		{"object for text", head + "systems:\n  - {id: y, name: {a: b}}\n", "systems[0].name: here belongs a single value, not an object"},
		{"number", head + "supplies:\n  - {id: s, name: S, supplier: them, nature: goods, spend: 1.5}\n", `supplies[0].spend: "1.5" is not a whole number`},
		{"control character", head + "systems:\n  - {id: y, name: \"a\\0b\"}\n", "systems[0].name: the text holds the character U+0000"},
		{"SBOM outside", head + "products:\n  - {id: r, name: R, sboms: [../secret.json]}\n", "must stay inside the folder of SBOMs"},
		{"tag", head + "systems:\n  - {id: y, name: !!binary aGk=}\n", "values with the tag !!binary are not taken"},
		{"empty", "", "is empty; a map begins with the line format: entente.map/1"},
		{"other file", "a: b\n", "does not say what it is"},
		{"newer", "format: entente.map/2\n", "it may come from a newer version"},
		{"list", "- a\n", "is not a map"},
		{"not YAML", "format: [\n", "is not YAML: line"},
		{"two documents", head + "---\na: b\n", "goes on after the end of the map"},
		{"large", head + strings.Repeat("#", MaxMapBytes), "is larger than 16 MiB"},
		{"commas", head + "systems: [" + strings.Repeat(",", maxMarks) + "]", "holds more than 2000000 fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := ParseMap(strings.NewReader(c.text), "bad.yaml")
			if err == nil || m != nil {
				t.Fatal("the map was taken")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant … %s", err, c.want)
			}
			var e *entente.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T is no entente.Error", err)
			}
		})
	}
}

func TestParseMapTellsAllProblemsInOrder(t *testing.T) {
	text := head + "systems:\n  - {id: y, nmae: Y}\n  - {id: z, name: Z, operator: nobody}\nsupplies:\n  - {id: s, name: S, supplier: them, nature: air}\n"
	_, err := ParseMap(strings.NewReader(text), "bad.yaml")
	var e *entente.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	var lines []int
	for _, f := range e.Fields {
		lines = append(lines, f.Line)
	}
	if diff := cmp.Diff([]int{8, 8, 9, 11}, lines); diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestParseMapBoundsItsProblems(t *testing.T) {
	text := head + "systems:\n" + strings.Repeat("  - {id: them}\n", 500)
	_, err := ParseMap(strings.NewReader(text), "bad.yaml")
	var e *entente.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if len(e.Fields) != MaxProblems+1 || e.Fields[MaxProblems].Message.String() != "… and 900 more problems" {
		t.Errorf("%d problems, the last: %v", len(e.Fields), e.Fields[len(e.Fields)-1])
	}
}

func TestParseMapBoundsAliases(t *testing.T) {
	bomb := head + "systems:\n  - &a {id: y, name: Y, needs: &b [us, us, us, us, us, us, us, us, us, us]}\n"
	for range 9 {
		bomb += "  - &a {id: y, name: Y, needs: *b}\n"
	}
	bomb += "supplies: [&s {id: s, needs: [" + strings.Repeat("*b, ", 1000) + "]}" + strings.Repeat(", *s", 1000) + "]\n"
	_, err := ParseMap(strings.NewReader(bomb), "bomb.yaml")
	if err == nil {
		t.Fatal("the map was taken")
	}
	self := head + "systems: &a [*a]\n"
	if _, err := ParseMap(strings.NewReader(self), "self.yaml"); err == nil {
		t.Fatal("the map that holds itself was taken")
	}
}

func FuzzParseMap(f *testing.F) {
	portal, err := os.ReadFile("testdata/portal.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(portal)
	f.Add([]byte(head))
	f.Add([]byte(head + "systems: &a [*a]\n"))
	f.Add([]byte(head + "systems:\n  - {id: y, name: Y, needs: [{any: [us], buffer: 1w2d3h4m5s}]}\n"))
	f.Add([]byte("format: entente.map/1\n? [a]\n: b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMap(bytes.NewReader(text), "fuzz")
		if err != nil {
			if entente.KindOf(err) == entente.KindInternal {
				t.Fatal(err)
			}
			return
		}
		var b bytes.Buffer
		if err := WriteMap(&b, m); err != nil {
			t.Fatal(err)
		}
		back, err := ParseMap(&b, "again")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, back); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "30m": 30 * time.Minute, "8h": 8 * time.Hour, "5d": 120 * time.Hour, "2w": 336 * time.Hour,
		"1w2d3h4m5s": 9*24*time.Hour + 3*time.Hour + 4*time.Minute + 5*time.Second, "90m": 90 * time.Minute,
	} {
		got, err := ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "h", "5", "5 h", "1h1d", "1h1h", "1.5h", "-1h", "999999999w", "9999999999s", "1y", "5H"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q was taken as %v", text, got)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(MaxDuration/time.Second)).Draw(rt, "seconds")) * time.Second
		got, err := ParseDuration(FormatDuration(d))
		if err != nil || got != d {
			rt.Fatalf("%v came back as %v, %v", d, got, err)
		}
	})
	for d, want := range map[time.Duration]string{
		0: "0 h", 30 * time.Minute: "30 min", 90 * time.Minute: "1 h 30 min", 24 * time.Hour: "24 h", 48 * time.Hour: "48 h",
		5 * 24 * time.Hour: "5 days", 60 * time.Hour: "2 days 12 h", Never: "never", 40 * time.Second: "40 s",
	} {
		if got := DurationWords(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestLEI(t *testing.T) {
	for _, good := range []string{"529900T8BM49AURSDO55", "7LTWFZYICNSX8D621K86", "5493001KJTIIGC8Y1R12"} {
		if err := validLEI(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"529900T8BM49AURSDO54", "529900T8BM49AURSDO5", "529900t8bm49aursdo55", "529900T8BM49AURSDOA5"} {
		if validLEI(bad) == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
