package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/entente-project/entente/internal/chain"
)

// document is the OpenAPI document as a client reads it: nothing but JSON.
type document struct {
	raw      map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

const documentURL = "https://entente.example/openapi.json"

func readDocument(t *testing.T, h http.Handler) *document {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", base+"/openapi.json", nil))
	if w.Code != 200 {
		t.Fatalf("the document: %d %s", w.Code, w.Body)
	}
	d := &document{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	err := json.Unmarshal(w.Body.Bytes(), &d.raw)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	err = d.compiler.AddResource(documentURL, parsed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// call is one operation of the document.
type call struct {
	path, method string
	op           map[string]any
}

func (d *document) calls() []call {
	var all []call
	for path, item := range d.raw["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			all = append(all, call{path: path, method: strings.ToUpper(method), op: op.(map[string]any)})
		}
	}
	slices.SortFunc(all, func(a, b call) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

func (c call) id() string { return c.op["operationId"].(string) }

// content is what a request of the operation may hold, by media type.
func (c call) content() map[string]any {
	body, _ := c.op["requestBody"].(map[string]any)
	content, _ := body["content"].(map[string]any)
	return content
}

func (c call) medias() []string { return slices.Sorted(maps.Keys(c.content())) }

// check compares an answer with what the document says of it.
func (d *document) check(c call, w *httptest.ResponseRecorder) error {
	if w.Code >= 500 {
		return fmt.Errorf("answered %d", w.Code)
	}
	status := fmt.Sprint(w.Code)
	answers := c.op["responses"].(map[string]any)
	answer, listed := answers[status].(map[string]any)
	if !listed {
		return fmt.Errorf("answered %d, which the document does not list", w.Code)
	}
	content, _ := answer["content"].(map[string]any)
	if len(content) == 0 {
		if w.Body.Len() > 0 {
			return fmt.Errorf("%d has a body, and the document says it has none: %.200s", w.Code, w.Body)
		}
		return nil
	}
	media, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	if content[media] == nil {
		return fmt.Errorf("%d came as %q, which the document does not list", w.Code, media)
	}
	if !strings.HasSuffix(media, "json") {
		return nil
	}
	schema, err := d.schema("/paths/" + pointer(c.path) + "/" + strings.ToLower(c.method) + "/responses/" + status + "/content/" + pointer(media) + "/schema")
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		return fmt.Errorf("%d is not JSON: %w", w.Code, err)
	}
	err = schema.Validate(value)
	if err != nil {
		return fmt.Errorf("%d does not hold to its schema: %w\n%.2000s", w.Code, err, w.Body)
	}
	return nil
}

func (d *document) schema(at string) (*jsonschema.Schema, error) {
	if s, ok := d.schemas[at]; ok {
		return s, nil
	}
	s, err := d.compiler.Compile(documentURL + "#" + at)
	if err == nil {
		d.schemas[at] = s
	}
	return s, err
}

// pointer escapes a name for a JSON pointer in a URL fragment.
func pointer(s string) string {
	return url.PathEscape(strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1"))
}

// inventor makes requests from the document: some as it asks for, some a little
// wrong, some wholly wrong.
type inventor struct {
	*document
	rng *rand.Rand
	// known are identifiers that answers held, by the list that they stood in, so
	// that requests meet real things; read are whole answers, to be put back.
	known map[string][]string
	read  map[string]answered
	tags  map[string]string  // by path
	last  map[string]float64 // the latest change of a thing, by its path
	files [][]byte           // bodies for uploads

	undoable string // the path of an import that can be undone
}

type answered struct {
	path string
	body []byte
}

func (v *inventor) request(c call, token string) *http.Request {
	path, query := c.path, url.Values{}
	if things := v.known["things"]; len(things) > 0 && v.rng.IntN(5) > 0 {
		path = strings.Replace(path, "{kind}/{id}", things[v.rng.IntN(len(things))], 1)
	}
	header := http.Header{}
	parameters, _ := c.op["parameters"].([]any)
	for _, p := range parameters {
		p := p.(map[string]any)
		name, schema := p["name"].(string), p["schema"].(map[string]any)
		switch p["in"] {
		case "path":
			before, _, _ := strings.Cut(c.path, "/{")
			pool := v.known[before[strings.LastIndexByte(before, '/')+1:]]
			value := v.text(schema)
			if len(pool) > 0 && v.rng.IntN(5) > 0 {
				value = pool[v.rng.IntN(len(pool))]
			}
			if value == "" || value == "." || value == ".." {
				value = "x"
			}
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
		case "query":
			if p["required"] == true && v.rng.IntN(10) > 0 || v.rng.IntN(3) == 0 {
				value := v.text(schema)
				if things := v.known["things"]; name == "down" && v.rng.IntN(3) > 0 {
					_, value, _ = strings.Cut(things[v.rng.IntN(len(things))], "/")
				}
				query.Add(name, value)
			}
		case "header":
			if v.rng.IntN(4) == 0 {
				header.Set(name, printableOnly(v.text(schema)))
			}
			if tag := v.tags[path]; name == "If-Match" && tag != "" && v.rng.IntN(4) > 0 {
				header.Set(name, tag)
			}
		}
	}
	if v.rng.IntN(40) == 0 {
		query.Add("nonsense", "1")
	}
	target := path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	body, media := v.body(c)
	if before, ok := v.read[c.path]; ok && media == "application/json" && v.rng.IntN(3) > 0 {
		target, body = before.path, before.body
		if tag := v.tags[before.path]; tag != "" && v.rng.IntN(4) > 0 {
			header.Set("If-Match", tag)
		}
	}
	if thing, ok := strings.CutSuffix(target, "/undo"); ok && v.last[thing] > 0 && v.rng.IntN(3) > 0 {
		body = fmt.Appendf(nil, `{"n":%.0f}`, v.last[thing])
	}
	if strings.HasSuffix(c.path, "/{import}/undo") && v.undoable != "" && v.rng.IntN(3) > 0 {
		target = v.undoable + "/undo"
	}
	r := httptest.NewRequest(c.method, "http://entente.example"+target, bytes.NewReader(body))
	for k, h := range header {
		r.Header[k] = h
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if v.rng.IntN(50) > 0 {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func (v *inventor) body(c call) ([]byte, string) {
	medias := c.medias()
	if len(medias) == 0 {
		return nil, ""
	}
	media := medias[v.rng.IntN(len(medias))]
	schema := v.resolve(c.content()[media].(map[string]any)["schema"].(map[string]any))
	if schema["format"] == "binary" {
		switch v.rng.IntN(6) {
		case 0:
			return nil, media
		case 1:
			return v.noise(), media
		}
		file := v.files[v.rng.IntN(len(v.files))]
		if media == "text/csv" {
			file = []byte(someSheet)
		}
		if v.rng.IntN(5) == 0 {
			file = file[:v.rng.IntN(len(file)+1)]
		}
		return file, media
	}
	if v.rng.IntN(10) == 0 {
		return v.noise(), media
	}
	value := v.value(schema, 0)
	properties, _ := schema["properties"].(map[string]any)
	if fields, ok := value.(map[string]any); ok && v.rng.IntN(3) > 0 {
		if properties["ids"] != nil {
			v.fits(fields)
		}
		delete(fields, "revision") // the chain has hardly ever the one that is made up
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, media
	}
	return text, media
}

// someSheet fits several kinds of things, wherever only a name is needed.
const someSheet = "Name;Kind;Country\nHarbour;service;DE\nWeighbridge;application;\n"

// fits makes a batch one of a thing that is there, by a field that it has.
func (v *inventor) fits(batch map[string]any) {
	kind, id, _ := strings.Cut(v.known["things"][v.rng.IntN(len(v.known["things"]))], "/")
	delete(batch, "revision")
	batch["kind"], batch["ids"], batch["value"] = kind, []string{id}, "Somebody"
	switch fields := chain.BatchFields(chain.NodeKind(kind)); {
	case len(fields) > 0:
		batch["field"] = fields[0]
	default:
		batch["field"] = "owner"
	}
}

func (v *inventor) noise() []byte {
	b := make([]byte, v.rng.IntN(200))
	for i := range b {
		b[i] = byte(v.rng.IntN(256))
	}
	return b
}

func (v *inventor) resolve(schema map[string]any) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		name := ref[strings.LastIndexByte(ref, '/')+1:]
		return v.raw["components"].(map[string]any)["schemas"].(map[string]any)[name].(map[string]any)
	}
	return schema
}

// text makes a parameter.
func (v *inventor) text(schema map[string]any) string {
	value := v.value(schema, 0)
	if list, ok := value.([]any); ok {
		words := make([]string, len(list))
		for i, w := range list {
			words[i] = fmt.Sprint(w)
		}
		return strings.Join(words, ",")
	}
	return fmt.Sprint(value)
}

var nasty = []string{
	"", " ", "0", "-1", "9223372036854775808", "1e400", "null", "true", "../..", "%00", "\x00", "\xff\xfe", "'; DROP TABLE chain_process; --",
	"<script>", "{}", "[]", "ünïcödé", "\u202e", strings.Repeat("a", 3000), "2026-02-30T00:00:00Z", "P1D", "1h", "5d", "48h", "-5h",
}

func (v *inventor) value(schema map[string]any, depth int) any {
	schema = v.resolve(schema)
	if v.rng.IntN(8) == 0 {
		return nasty[v.rng.IntN(len(nasty))]
	}
	if enum, ok := schema["enum"].([]any); ok && v.rng.IntN(10) > 0 {
		return enum[v.rng.IntN(len(enum))]
	}
	kind := schema["type"]
	if kinds, ok := kind.([]any); ok {
		kind = kinds[v.rng.IntN(len(kinds))]
	}
	switch kind {
	case "integer":
		low, high := -5, 1000
		if m, ok := schema["minimum"].(float64); ok {
			low = int(m)
		}
		if m, ok := schema["maximum"].(float64); ok {
			high = int(m)
		}
		return low + v.rng.IntN(high-low+1)
	case "number":
		return v.rng.NormFloat64() * 1000
	case "boolean":
		return v.rng.IntN(2) == 0
	case "array":
		list := []any{}
		for range v.rng.IntN(4) {
			list = append(list, v.value(schema["items"].(map[string]any), depth+1))
		}
		return list
	case "object":
		out := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			p := properties[name]
			if depth < 6 && v.rng.IntN(5) > 0 {
				out[name] = v.value(p.(map[string]any), depth+1)
			}
		}
		return out
	case "null":
		return nil
	}
	if schema["format"] == "date-time" && v.rng.IntN(4) > 0 {
		return time.Now().Add(time.Duration(v.rng.IntN(100)-20) * 24 * time.Hour).UTC().Format(time.RFC3339)
	}
	if schema["format"] == "email" && v.rng.IntN(4) > 0 {
		return fmt.Sprintf("colleague-%d@example.org", v.rng.IntN(1000))
	}
	if schema["format"] == "uri" && v.rng.IntN(4) > 0 {
		return "https://hooks.example/entente"
	}
	if pool := v.known["any"]; len(pool) > 0 && v.rng.IntN(4) > 0 {
		return pool[v.rng.IntN(len(pool))]
	}
	return []string{"a", "coffee", "log", "pkg:npm/lodash@4.17.20", "5d", "12"}[v.rng.IntN(6)]
}

// learn keeps the identifiers of an answer, and the answer.
func (v *inventor) learn(c call, r *http.Request, w *httptest.ResponseRecorder) {
	var value any
	if w.Code != 200 || c.method != "GET" || json.Unmarshal(w.Body.Bytes(), &value) != nil {
		return
	}
	if v.known == nil {
		v.known = map[string][]string{}
	}
	if v.read == nil {
		v.read, v.tags, v.last = map[string]answered{}, map[string]string{}, map[string]float64{}
	}
	v.tags[r.URL.Path] = w.Header().Get("ETag")
	if strings.Contains(c.path, "{") {
		v.read[c.path] = answered{r.URL.Path, w.Body.Bytes()}
	}
	keep := func(list, id string) {
		if pool := v.known[list]; len(pool) < 500 && !slices.Contains(pool, id) {
			v.known[list] = append(pool, id)
		}
	}
	var walk func(list string, x any)
	walk = func(list string, x any) {
		switch x := x.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(x)) { // so that the same is met in the same order
				y := x[k]
				switch k {
				case "id", "party":
					keep(list, fmt.Sprint(y))
					keep("any", fmt.Sprint(y))
				case "n":
					keep("changes", fmt.Sprint(y))
					if thing, ok := strings.CutSuffix(r.URL.Path, "/history"); ok && v.last[thing] < y.(float64) {
						v.last[thing] = y.(float64)
					}
				case "can_undo":
					if y == true {
						v.undoable = base + "/imports/" + fmt.Sprint(x["id"])
					}
				case "next", "name":
					keep("any", fmt.Sprint(y))
				case "items":
					k = c.path[strings.LastIndexByte(c.path, '/')+1:]
				}
				walk(k, y)
			}
		case []any:
			for _, y := range x {
				walk(list, y)
			}
		}
	}
	walk("", value)
}

func printableOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return -1
		}
		return r
	}, s)
}
