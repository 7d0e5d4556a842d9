package chain

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

const schemaFile = "../../docs/schema/entente.map.1.json"

// TestSchemaNamesTheFields compares the fields that the reader takes with those of
// the published schema.
func TestSchemaNamesTheFields(t *testing.T) {
	raw, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]any
		Additional any `json:"additionalProperties"`
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	schema.Defs["map"] = schema.object
	known := map[string][]string{
		"map": mapFields, "organisation": organisationFields, "contact": contactFields, "process": processFields,
		"bia": biaFields, "cost": costFields, "item": itemFields, "activity": activityFields, "alternatives": needFields,
		"system": systemFields, "supply": supplyFields, "access": accessFields, "product": productFields, "flow": flowFields,
	}
	for name, def := range schema.Defs {
		if def.Properties == nil {
			continue
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(known[name])), slices.Sorted(maps.Keys(def.Properties))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if def.Additional != false {
			t.Errorf("%s takes additional fields", name)
		}
		delete(known, name)
	}
	if len(known) > 0 {
		t.Errorf("the schema does not define %v", slices.Sorted(maps.Keys(known)))
	}
}

func mapSchema(t *testing.T) func(text string) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return err
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		value, err = jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
		if err != nil {
			return err
		}
		return schema.Validate(value)
	}
}

func TestSchemaTakesMaps(t *testing.T) {
	validate := mapSchema(t)
	files := []string{"testdata/portal.yaml"}
	for _, name := range []string{"beanline", "rosthof", "nordhost"} {
		files = append(files, "../../catalog/demo/"+name+".yaml")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		readMap(t, file)
		if err := validate(string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		text := write(t, drawMap(rt))
		if err := validate(text); err != nil {
			rt.Fatalf("%v\n%s", err, text)
		}
	})
}

func TestSchemaRefuses(t *testing.T) {
	validate := mapSchema(t)
	for _, text := range []string{
		strings.Replace(head, "map/1", "map/2", 1),
		strings.Replace(head, "EUR", "Euro", 1),
		head + "  - {id: x, nmae: X}\n",
		head + "  - {id: x}\n",
		head + "  - {id: My Organisation, name: X}\n",
		head + "  - {id: x, name: X, lei: 123}\n",
		head + "  - {id: x, name: X, country: Germany}\n",
		head + "systems:\n  - {id: y, name: Y, needs: [{any: []}]}\n",
		head + "systems:\n  - {id: y, name: Y, needs: [{any: [us, us]}]}\n",
		head + "systems:\n  - {id: y, name: Y, needs: [{any: [us], buffer: -3h}]}\n",
		head + "systems:\n  - {id: y, name: Y, needs: [{any: [us], buffer: 12}]}\n",
		head + "systems:\n  - {id: y, name: Y, needs: [{any: [us], buffer: h}]}\n",
		head + "systems:\n  - {id: y, name: Y, data: [top]}\n",
		head + "supplies:\n  - {id: s, name: S, supplier: them}\n",
		head + "supplies:\n  - {id: s, name: S, supplier: them, nature: goods, spend: -1}\n",
		head + "processes:\n  - {id: p, name: P, bia: {criticality: huge}}\n",
		head + "flows:\n  - {id: f, from: us}\n",
		head + "unknown: []\n",
	} {
		if _, err := ParseMap(strings.NewReader(text), "bad.yaml"); err == nil {
			t.Errorf("the program takes\n%s", text)
		}
		if err := validate(text); err == nil {
			t.Errorf("the schema takes\n%s", text)
		}
	}
}

// TestDocumentedMap reads the example of docs/map.md.
func TestDocumentedMap(t *testing.T) {
	page, err := os.ReadFile("../../docs/map.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/map.md holds no example")
	}
	m, err := ParseMap(strings.NewReader(text), "docs/map.md")
	if err != nil {
		t.Fatal(err)
	}
	g, err := Compile(m)
	if err != nil {
		t.Fatal(err)
	}
	if o := g.Outage([]NodeID{"nimbus"}, OutageOptions{}); len(o.Processes) != 1 {
		t.Error("the example's cloud host stops nothing")
	}
	if err := mapSchema(t)(text); err != nil {
		t.Error(err)
	}
}
