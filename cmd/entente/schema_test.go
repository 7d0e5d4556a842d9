package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// reportSchema compiles docs/schema/entente.impact.1.json.
func reportSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("../../docs/schema/entente.impact.1.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("impact.json", text); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("impact.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// The JSON form is promised by a schema that allows nothing else.
func TestImpactKeepsItsSchema(t *testing.T) {
	demo := exported(t)
	schema := reportSchema(t)
	cases := map[string][]string{
		"nothing hit":     {"--sboms", demo + "/sboms", "--advisories", demo + "/advisories/PYSEC-2019-13.json"},
		"all":             {"--sboms", demo + "/sboms", "--advisories", demo + "/advisories"},
		"an outage":       {"--down", "nordhost", "--down", "ticket-desk"},
		"with an end":     {"--down", "nordhost", "--restored", "2d", "--horizon", "1w"},
		"both questions":  {"--sboms", demo + "/sboms", "--advisories", demo + "/advisories", "--down", "nordhost"},
		"nothing follows": {"--down", "hafenkontor"},
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) {
			out, _, code := runEntente(t, append([]string{"impact", "--format", "json", "--map", demo + "/beanline.yaml"}, args...)...)
			if code != exitOK && code != exitHit {
				t.Fatalf("exit code %d", code)
			}
			text, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(text); err != nil {
				t.Errorf("%v", err)
			}
			var r report
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
			if r.Hit != (code == exitHit) {
				t.Errorf("hit is %v with exit code %d", r.Hit, code)
			}
		})
	}
}
