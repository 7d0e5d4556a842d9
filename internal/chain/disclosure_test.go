package chain

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/entente-project/entente"
)

// The ids that the protocol promises: vectors are added, never edited.
func TestBlindIDsOfTheVectors(t *testing.T) {
	text, err := os.ReadFile("../../testdata/vectors/v1/blind.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Customer entente.PartyID `json:"customer"`
			Name     string          `json:"name"`
			LEI      string          `json:"lei"`
			Domains  []string        `json:"domains"`
			Blind    []string        `json:"blind"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Cases) == 0 {
		t.Fatal(err, len(file.Cases))
	}
	for _, c := range file.Cases {
		if got := BlindIDs(c.Customer, c.Name, c.LEI, c.Domains); !slices.Equal(got, c.Blind) {
			t.Errorf("%s: %q, not %q", c.Name, got, c.Blind)
		}
	}
}

func TestParseDisclosure(t *testing.T) {
	for text, kind := range map[string]entente.Kind{
		`{}`: "", `{"suppliers":[{"name":"Nimbus","needed":true,"buffer":"2d"}],"counted":3,"more":"fields"}`: "",
		`{"suppliers":[{"blind":["00112233445566778899aabbccddeeff"]}]}`: "",
		`7`: entente.KindInvalid, `{"suppliers":[{}]}`: entente.KindInvalid, `{"suppliers":[{"blind":["xyz"]}]}`: entente.KindInvalid,
		`{"counted":-1}`: entente.KindInvalid, `{"suppliers":[{"name":"x","buffer":"soon"}]}`: entente.KindInvalid,
		`{"suppliers":[{"name":"` + strings.Repeat("x", 400) + `"}]}`:                       entente.KindTooLarge,
		`{"suppliers":[` + strings.Repeat(`{"name":"x"},`, MaxDisclosed) + `{"name":"x"}]}`: entente.KindTooLarge,
	} {
		if _, err := ParseDisclosure([]byte(text)); err == nil && kind != "" || err != nil && entente.KindOf(err) != kind {
			t.Errorf("%.80s: %v", text, err)
		}
	}
}

func FuzzParseDisclosure(f *testing.F) {
	f.Add([]byte(`{"suppliers":[{"name":"Nimbus","domains":["a.example"],"needed":true,"buffer":"2d"},{"blind":["00112233445566778899aabbccddeeff"]}],"counted":3}`))
	m := &Map{Own: "us", Organisations: []Organisation{{ID: "us", Name: "Us"}, {ID: "them", Name: "Them", Domains: []string{"a.example"}}}, Supplies: []Supply{{ID: "s", Name: "S", Supplier: "them", Customer: "us", Nature: NatureGoods}}}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDisclosure(data)
		if err != nil {
			return
		}
		g := compileWith(m, []Told{{By: "them", Disclosure: d}})
		if len(g.Map().Organisations) != 2 || len(g.ProvidersOf("")) != len(d.Suppliers) {
			t.Errorf("%+v", d)
		}
		g.Providers()
	})
}
