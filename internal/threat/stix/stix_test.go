package stix

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-project/entente"
)

const shared = "../../../../shared/data/stix21/"

// cases reads the lines of a file of the shared data, or skips.
func cases[T any](t *testing.T, name string) []T {
	t.Helper()
	f, err := os.Open(filepath.FromSlash(shared + name))
	if err != nil {
		t.Skipf("the shared data is not there (%v): the cases of the OASIS validator are not compared", err)
	}
	defer f.Close()
	var all []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one T
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	if lines.Err() != nil || len(all) == 0 {
		t.Fatalf("%s holds nothing: %v", name, lines.Err())
	}
	return all
}

func TestAgreesWithTheValidator(t *testing.T) {
	type validated struct {
		Test   string          `json:"test"`
		Valid  bool            `json:"must_valid"`
		Errors []string        `json:"errors"`
		Object json.RawMessage `json:"object"`
	}
	for _, c := range cases[validated](t, "validator-cases.jsonl") {
		d, err := Read(c.Object)
		if err == nil {
			err = d.Check()
		}
		if strings.HasSuffix(c.Test, "test_software_language") && !c.Valid {
			continue // it takes "bbb" for no language; the registry of RFC 5646 has it (Barai)
		}
		if (err == nil) != c.Valid {
			t.Errorf("%s: valid is %v, and we say: %v\n%s\n%.600s", c.Test, c.Valid, err, strings.Join(c.Errors, "\n"), c.Object)
		}
	}
}

func TestPatternsAgreeWithTheValidator(t *testing.T) {
	type validated struct {
		Pattern string `json:"pattern"`
		Valid   bool   `json:"valid"`
	}
	for _, c := range cases[validated](t, "pattern-cases.jsonl") {
		if _, err := Terms(c.Pattern); (err == nil) != c.Valid {
			t.Errorf("%s: valid is %v, and we say: %v", c.Pattern, c.Valid, err)
		}
	}
}

const indicator = `{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48.000Z","name":"Poisoned beans","pattern_type":"stix","pattern":"[domain-name:value = 'beans.example' AND file:hashes.MD5 IN ('a', 'b')]","valid_from":"2026-04-06T20:03:48Z","x_own_words":{"kept":[1,2]}%s}`

// These hold where the shared data is absent too.
func TestCheck(t *testing.T) {
	cases := []struct{ name, old, new, field string }{
		{"as it is", "", "", ""},
		{"no name of a pattern", `"pattern_type":"stix",`, "", "pattern_type"},
		{"a pattern that ends too early", `('a', 'b')]`, `('a', 'b'`, "pattern"},
		{"a day that is none", `"created":"2026-04-06`, `"created":"2026-04-31`, "created"},
		{"changed before it was made", `"modified":"2026`, `"modified":"2025`, "modified"},
		{"an id of another type", `"id":"indicator--`, `"id":"malware--`, "id"},
		{"a property that nobody may have", `"x_own_words"`, `"severity"`, "severity"},
		{"an empty list", `{"kept":[1,2]}`, `[]`, "x_own_words"},
		{"a marking that is none", `"name"`, `"object_marking_refs":["indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"],"name"`, "object_marking_refs[0]"},
	}
	for _, c := range cases {
		text := strings.Replace(indicator, "%s", "", 1)
		d, err := Read([]byte(strings.Replace(text, c.old, c.new, 1)))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		err = d.Check()
		var wrong *entente.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.field != "" && (!errors.As(err, &wrong) || wrong.Fields[0].Field != c.field):
			t.Errorf("%s: we say %v, and not that %s is wrong", c.name, err, c.field)
		}
	}
}

func TestKeepsWhatItDoesNotKnow(t *testing.T) {
	text := strings.Replace(indicator, "%s", "", 1)
	bundle := `{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[` + text + `,{"type":"x-new","spec_version":"2.1","id":"x-new--5d0092c5-5f74-4287-9642-33f4c354e56d","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48.000Z"}]}`
	d, err := Read([]byte(bundle))
	if err != nil || d.Check() != nil || len(d.Objects) != 2 {
		t.Fatal(err, d.Check(), len(d.Objects))
	}
	if !bytes.Equal(d.Objects[0].Raw, []byte(text)) || d.Objects[0].Title() != "Poisoned beans" || Class("x-new") != "" || Class("indicator") != "sdo" {
		t.Errorf("%+v", d.Objects[0])
	}
	terms, err := Terms(d.Objects[0].Text("pattern"))
	if err != nil || len(terms) != 2 || terms[0] != (Term{"domain-name", "value", "=", "beans.example"}) {
		t.Errorf("%+v %v", terms, err)
	}
}

func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"too deep": strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1),
		"too long": `{"type":"note","content":"` + strings.Repeat("a", MaxBytes) + `"}`,
		"too many": `[` + strings.Repeat(`{"type":"note"},`, MaxObjects) + `{"type":"note"}]`,
	} {
		if _, err := Read([]byte(text)); entente.KindOf(err) != entente.KindTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "[]", "7", `{"a":1}`, `{"type":"bundle","objects":[7]}`, `{"type":"bundle"}`, `{} {}`} {
		if _, err := Read([]byte(text)); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTLP(t *testing.T) {
	with := func(refs string) string {
		return strings.Replace(indicator, "%s", `,"object_marking_refs":["`+refs+`"]`, 1)
	}
	for _, c := range []struct {
		name, text string
		label      entente.TLP
	}{
		{"none", strings.Replace(indicator, "%s", "", 1), 0},
		{"TLP 2", with(entente.TLPAmberStrict.STIX()), entente.TLPAmberStrict},
		{"TLP 1", with("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"), entente.TLPAmber},
		{"the strictest", "[" + with(entente.TLPGreen.STIX()) + "," + with(entente.TLPRed.STIX()) + "]", entente.TLPRed},
		{"of a part", strings.Replace(indicator, "%s", `,"granular_markings":[{"selectors":["name"],"marking_ref":"`+entente.TLPRed.STIX()+`"}]`, 1), entente.TLPRed},
		{"of the document's own", "[" + with("marking-definition--11111111-1111-4111-8111-111111111111") + `,{"type":"marking-definition","id":"marking-definition--11111111-1111-4111-8111-111111111111","definition_type":"tlp","definition":{"tlp":"amber+strict"}}]`, entente.TLPAmberStrict},
	} {
		d, err := Read([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if label, said := d.TLP(); label != c.label || said != (c.label != 0) {
			t.Errorf("%s: %s %v", c.name, label, said)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(strings.Replace(indicator, "%s", "", 1)))
	f.Add([]byte(`{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[{"type":"file","id":"file--5d0092c5-5f74-5287-9642-33f4c354e56d","hashes":{"MD5":"x"},"extensions":{"a-ext":{}}}]}`))
	f.Add([]byte(`[{"type":"marking-definition","definition":{"tlp":7},"granular_markings":[{"selectors":["a.[1].b"]}]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Read(data)
		if err != nil {
			return
		}
		_ = d.Check()
		d.TLP()
		for _, o := range d.Objects {
			if !json.Valid(o.Raw) || o.Type == "" {
				t.Errorf("%+v", o)
			}
			_ = o.Title()
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add("[a:b = 'c']")
	f.Add("([file:size IN (1, 2)] FOLLOWEDBY [x:y[*].'z' NOT LIKE '%']) WITHIN 5 SECONDS REPEATS 2 TIMES START t'2016-06-01T01:30:00.123Z' STOP t'2016-06-01T01:30:00.123Z'")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = Terms(text) })
}
