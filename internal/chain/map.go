package chain

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/entente-project/entente"
)

// MapFormat is the first line of a map: format: entente.map/1.
const MapFormat = "entente.map/1"

// MaxMapBytes is the largest map file that is read.
const MaxMapBytes = 16 << 20

// The fields of a map, as its file writes them. docs/schema/entente.map.1.json
// says the same; a test compares them.
var (
	mapFields          = []string{"format", "organisation", "currency", "organisations", "processes", "systems", "supplies", "products", "flows"}
	organisationFields = []string{"id", "name", "lei", "domains", "country", "category", "parent", "contacts", "note"}
	contactFields      = []string{"name", "role", "email", "phone"}
	processFields      = []string{"id", "name", "description", "owner", "bia", "inputs", "outputs", "activities", "needs"}
	biaFields          = []string{"criticality", "rto", "mtpd", "rpo", "cost"}
	costFields         = []string{"from", "per_hour"}
	itemFields         = []string{"name", "party", "kind"}
	activityFields     = []string{"id", "name", "buffer", "needs"}
	needFields         = []string{"any", "buffer", "note"}
	systemFields       = []string{"id", "name", "kind", "operator", "data", "products", "needs"}
	supplyFields       = []string{"id", "name", "supplier", "customer", "kind", "nature", "category", "products", "access", "spend", "needs"}
	accessFields       = []string{"system", "level"}
	productFields      = []string{"id", "name", "supplier", "version", "sboms"}
	flowFields         = []string{"id", "from", "to", "data", "class", "interface", "protocol"}
)

// ParseMap reads a map in the format entente.map/1 (docs/map.md). The name is how
// messages call the file. A map that does not hold gives an [entente.Error] whose
// Fields list everything that is wrong, each with its line and field.
//
// A supply without a customer is one to the map's own organisation.
func ParseMap(r io.Reader, name string) (*Map, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxMapBytes+1))
	if err != nil {
		return nil, entente.Invalid("%s cannot be read to its end", name).Because(err)
	}
	if len(text) > MaxMapBytes {
		return nil, entente.TooLarge("%s is larger than %d MiB, the limit for a map", name, MaxMapBytes>>20)
	}
	marks := 0
	for _, mark := range []string{"\n", ",", ":", "[", "{"} {
		marks += bytes.Count(text, []byte(mark))
	}
	if marks > maxMarks {
		return nil, entente.TooLarge("%s holds more than %d fields and entries, the limit for a map", name, maxMarks)
	}
	top, err := parseYAML(text, name)
	if err != nil {
		return nil, err
	}
	rd := &reader{values: maxValues}
	m := rd.file(top)
	v := validator{m: m}
	if rd.values >= 0 { // else only a part was read
		v.run()
	}
	for _, f := range v.found {
		if !rd.told(f.Field) {
			f.Line = lineOf(top, f.Field)
			rd.add(f)
		}
	}
	rd.more += v.more
	found := rd.list()
	if len(found) == 0 {
		return m, nil
	}
	slices.SortStableFunc(found, func(a, b entente.FieldError) int {
		switch {
		case (a.Line == 0) != (b.Line == 0):
			return b.Line - a.Line
		default:
			return a.Line - b.Line
		}
	})
	wrong := entente.Invalid("%s cannot be taken as a map; nothing was changed", name)
	wrong.Fields = found
	return nil, wrong
}

func parseYAML(text []byte, name string) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, entente.Invalid("%s is empty; a map begins with the line format: %s", name, MapFormat)
	}
	if err != nil {
		return nil, entente.Invalid("%s is not YAML: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, entente.Invalid("%s goes on after the end of the map (line %d); a file holds one map", name, second.Line)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, entente.Invalid("%s is not a map; a map begins with the line format: %s", name, MapFormat)
	}
	top := doc.Content[0]
	format := ""
	for i := 0; i+1 < len(top.Content); i += 2 {
		if top.Content[i].Value == "format" {
			format = top.Content[i+1].Value
		}
	}
	switch {
	case format == MapFormat:
		return top, nil
	case format == "":
		return nil, entente.Invalid("%s does not say what it is; a map begins with the line format: %s", name, MapFormat)
	case strings.HasPrefix(format, "entente.map/"):
		return nil, entente.Invalid("%s is written in %.40q, and this program reads %s only; it may come from a newer version", name, format, MapFormat)
	}
	return nil, entente.Invalid("%s says format: %.40q; a map begins with the line format: %s", name, format, MapFormat)
}

func (r *reader) file(n *yaml.Node) *Map {
	o := r.object(n, nil, mapFields)
	m := &Map{
		Own:      o.id("organisation"),
		Currency: o.text("currency"),
	}
	m.Organisations = list(o, "organisations", r.organisation)
	m.Processes = list(o, "processes", r.process)
	m.Systems = list(o, "systems", r.system)
	m.Supplies = list(o, "supplies", r.supply)
	m.Products = list(o, "products", r.product)
	m.Flows = list(o, "flows", r.flow)
	for i := range m.Supplies {
		if m.Supplies[i].Customer == "" {
			m.Supplies[i].Customer = m.Own
		}
	}
	return m
}

func (r *reader) organisation(n *yaml.Node, at *place) Organisation {
	o := r.object(n, at, organisationFields)
	return Organisation{
		ID:       o.id("id"),
		Name:     o.text("name"),
		LEI:      o.text("lei"),
		Domains:  list(o, "domains", r.text),
		Country:  o.text("country"),
		Category: o.text("category"),
		Parent:   o.id("parent"),
		Contacts: list(o, "contacts", r.contact),
		Note:     o.text("note"),
	}
}

func (r *reader) contact(n *yaml.Node, at *place) Contact {
	o := r.object(n, at, contactFields)
	return Contact{Name: o.text("name"), Role: o.text("role"), Email: o.text("email"), Phone: o.text("phone")}
}

func (r *reader) process(n *yaml.Node, at *place) Process {
	o := r.object(n, at, processFields)
	return Process{
		ID:          o.id("id"),
		Name:        o.text("name"),
		Description: o.text("description"),
		Owner:       o.text("owner"),
		BIA:         r.bia(o.child("bia")),
		Inputs:      list(o, "inputs", r.item),
		Outputs:     list(o, "outputs", r.item),
		Activities:  list(o, "activities", r.activity),
		Needs:       list(o, "needs", r.need),
	}
}

func (r *reader) bia(n *yaml.Node, at *place) BIA {
	if n == nil {
		return BIA{}
	}
	o := r.object(n, at, biaFields)
	return BIA{
		Criticality: Criticality(o.text("criticality")),
		RTO:         o.duration("rto"),
		MTPD:        o.duration("mtpd"),
		RPO:         o.duration("rpo"),
		Cost:        list(o, "cost", r.cost),
	}
}

func (r *reader) cost(n *yaml.Node, at *place) CostRate {
	o := r.object(n, at, costFields)
	return CostRate{From: o.duration("from"), PerHour: o.number("per_hour")}
}

func (r *reader) item(n *yaml.Node, at *place) Item {
	o := r.object(n, at, itemFields)
	return Item{Name: o.text("name"), Party: o.id("party"), Kind: ItemKind(o.text("kind"))}
}

func (r *reader) activity(n *yaml.Node, at *place) Activity {
	o := r.object(n, at, activityFields)
	return Activity{
		ID:     o.id("id"),
		Name:   o.text("name"),
		Buffer: o.duration("buffer"),
		Needs:  list(o, "needs", r.need),
	}
}

// need reads a need, which is the id of one thing or an object with alternatives.
func (r *reader) need(n *yaml.Node, at *place) Need {
	if r.follow(n).Kind == yaml.ScalarNode {
		return Need{Any: []NodeID{r.id(n, at)}}
	}
	o := r.object(n, at, needFields)
	return Need{Any: list(o, "any", r.id), Buffer: o.duration("buffer"), Note: o.text("note")}
}

func (r *reader) system(n *yaml.Node, at *place) System {
	o := r.object(n, at, systemFields)
	return System{
		ID:       o.id("id"),
		Name:     o.text("name"),
		Kind:     SystemKind(o.text("kind")),
		Operator: o.id("operator"),
		Data:     list(o, "data", r.class),
		Products: list(o, "products", r.id),
		Needs:    list(o, "needs", r.need),
	}
}

func (r *reader) supply(n *yaml.Node, at *place) Supply {
	o := r.object(n, at, supplyFields)
	return Supply{
		ID:       o.id("id"),
		Name:     o.text("name"),
		Supplier: o.id("supplier"),
		Customer: o.id("customer"),
		Kind:     SupplyKind(o.text("kind")),
		Nature:   Nature(o.text("nature")),
		Category: o.text("category"),
		Products: list(o, "products", r.id),
		Access:   list(o, "access", r.access),
		Spend:    o.number("spend"),
		Needs:    list(o, "needs", r.need),
	}
}

func (r *reader) access(n *yaml.Node, at *place) Access {
	o := r.object(n, at, accessFields)
	return Access{System: o.id("system"), Level: AccessLevel(o.text("level"))}
}

func (r *reader) product(n *yaml.Node, at *place) Product {
	o := r.object(n, at, productFields)
	return Product{
		ID:       o.id("id"),
		Name:     o.text("name"),
		Supplier: o.id("supplier"),
		Version:  o.text("version"),
		SBOMs:    list(o, "sboms", r.text),
	}
}

func (r *reader) flow(n *yaml.Node, at *place) Flow {
	o := r.object(n, at, flowFields)
	return Flow{
		ID:        o.id("id"),
		From:      o.id("from"),
		To:        o.id("to"),
		Data:      list(o, "data", r.text),
		Class:     Class(o.text("class")),
		Interface: o.text("interface"),
		Protocol:  o.text("protocol"),
	}
}
