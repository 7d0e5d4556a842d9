package api

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed reference.html
var referenceHTML string

//go:embed reference.css
var referenceCSS []byte

func stack() string { return string(debug.Stack()) }

// serveDocument serves the OpenAPI document in both forms and the reference page.
// They need no token: they say what the program can do, and nothing of what it holds.
// Each is made when it is first asked for, as most nodes never are.
func (s *server) serveDocument(doc *huma.OpenAPI) {
	began := time.Now()
	serve := func(path, kind string, written func() ([]byte, error)) {
		written = sync.OnceValues(written)
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := written()
			if err != nil {
				s.log.Error("a document of the API cannot be written", "path", path, "error", err)
				s.nothingHere(w, r)
				return
			}
			h := w.Header()
			h.Set("Content-Type", kind)
			h.Set("Cache-Control", "no-cache")
			if strings.HasPrefix(kind, "text/html") {
				h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			}
			http.ServeContent(w, r, "", began, bytes.NewReader(body))
		})
	}
	serve(base+"/openapi.json", "application/openapi+json", func() ([]byte, error) { return json.MarshalIndent(doc, "", "  ") })
	serve(base+"/openapi.yaml", "application/openapi+yaml", doc.YAML)
	serve(base+"/reference.css", "text/css; charset=utf-8", func() ([]byte, error) { return referenceCSS, nil })
	serve(base+"/{$}", "text/html; charset=utf-8", func() ([]byte, error) { return referencePage(doc) })
}

// The reference page's view of the document.
type (
	refRoom struct {
		Name, About string
		Operations  []refOperation
	}
	refOperation struct {
		ID, Method, Path, Summary, About, Verb string
		Parameters                             []refField
		Body                                   []refType
		BodyAbout                              string
		Answers                                []refAnswer
	}
	refAnswer struct {
		Status, About string
		Types         []refType
	}
	refType struct {
		Media, Name string
		Linked      bool // the page tells the type
	}
	refField struct {
		Name, Type, In, About string
		Required              bool
	}
	refSchema struct {
		Name, About string
		Fields      []refField
	}
)

func referencePage(doc *huma.OpenAPI) ([]byte, error) {
	t, err := template.New("reference").Parse(referenceHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{
		"Doc": doc, "Base": base, "About": strings.Split(doc.Info.Description, "\n\n"),
		"Rooms": referenceRooms(doc), "Schemas": referenceSchemas(doc), "Problems": referenceProblems(),
	})
	return out.Bytes(), err
}

func referenceProblems() []map[string]any {
	var all []map[string]any
	for _, p := range problems {
		all = append(all, map[string]any{"Name": p.name, "Status": p.status, "Title": p.title, "Meaning": p.meaning})
	}
	return all
}

func referenceRooms(doc *huma.OpenAPI) []refRoom {
	var all []refRoom
	for _, r := range rooms() {
		one := refRoom{Name: r.name, About: r.about}
		for _, o := range r.operations {
			one.Operations = append(one.Operations, referenceOperation(doc, o))
		}
		all = append(all, one)
	}
	return all
}

func referenceOperation(doc *huma.OpenAPI, o operation) refOperation {
	op := operationIn(doc, o)
	out := refOperation{ID: o.id, Method: o.method, Path: base + o.path, Summary: o.summary, About: o.about, Verb: string(o.verb)}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, refField{Name: p.Name, In: p.In, Type: typeName(p.Schema), About: p.Description, Required: p.Required})
	}
	if op.RequestBody != nil {
		out.Body, out.BodyAbout = refTypes(op.RequestBody.Content), op.RequestBody.Description
	}
	for status, answer := range op.Responses {
		if status >= "400" {
			continue // the problems are the same everywhere, and stand at the end of the page
		}
		out.Answers = append(out.Answers, refAnswer{Status: status, About: answer.Description, Types: refTypes(answer.Content)})
	}
	slices.SortFunc(out.Answers, func(a, b refAnswer) int { return cmp.Compare(a.Status, b.Status) })
	return out
}

func refTypes(content map[string]*huma.MediaType) []refType {
	var out []refType
	for media, t := range content {
		out = append(out, refType{Media: media, Name: typeName(t.Schema), Linked: t.Schema != nil && t.Schema.Ref != ""})
	}
	slices.SortFunc(out, func(a, b refType) int { return cmp.Compare(a.Media, b.Media) })
	return out
}

func referenceSchemas(doc *huma.OpenAPI) []refSchema {
	var out []refSchema
	for name, s := range doc.Components.Schemas.Map() {
		one := refSchema{Name: name, About: s.Description}
		for field, p := range s.Properties {
			one.Fields = append(one.Fields, refField{Name: field, Type: typeName(p), About: fieldAbout(p), Required: slices.Contains(s.Required, field)})
		}
		slices.SortFunc(one.Fields, func(a, b refField) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b refSchema) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func fieldAbout(s *huma.Schema) string {
	if len(s.Enum) == 0 {
		return s.Description
	}
	var values []string
	for _, v := range s.Enum {
		values = append(values, fmt.Sprint(v))
	}
	return strings.TrimSpace(s.Description + " One of: " + strings.Join(values, ", ") + ".")
}

// typeName names a schema in a word or two; a type of the document keeps its name,
// so that the page can link to it.
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case s.Type == huma.TypeArray:
		return "list of " + typeName(s.Items)
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	case s.Type == "":
		return "any"
	}
	return s.Type
}
