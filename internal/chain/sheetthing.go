package chain

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
)

// spot is the place of a thing in its map; an activity has that of its process.
type spot struct {
	kind NodeKind
	i    int
}

// spots finds every thing of a map by its id, flows included.
func spots(m *Map) map[NodeID]spot {
	at := make(map[NodeID]spot, m.things())
	for i := range m.Organisations {
		at[m.Organisations[i].ID] = spot{KindOrganisation, i}
	}
	for i := range m.Processes {
		at[m.Processes[i].ID] = spot{KindProcess, i}
		for _, a := range m.Processes[i].Activities {
			at[a.ID] = spot{KindActivity, i}
		}
	}
	for i := range m.Systems {
		at[m.Systems[i].ID] = spot{KindSystem, i}
	}
	for i := range m.Supplies {
		at[m.Supplies[i].ID] = spot{KindSupply, i}
	}
	for i := range m.Products {
		at[m.Products[i].ID] = spot{KindProduct, i}
	}
	for i := range m.Flows {
		at[m.Flows[i].ID] = spot{kindFlow, i}
	}
	return at
}

// thing gives the pointer to the thing at a spot; nil for activities.
func (m *Map) thing(s spot) any {
	switch s.kind {
	case KindOrganisation:
		return &m.Organisations[s.i]
	case KindProcess:
		return &m.Processes[s.i]
	case KindSystem:
		return &m.Systems[s.i]
	case KindSupply:
		return &m.Supplies[s.i]
	case KindProduct:
		return &m.Products[s.i]
	case kindFlow:
		return &m.Flows[s.i]
	}
	return nil
}

// put sets the thing at a spot, or adds it if the spot has no place yet, and gives
// its place.
func (m *Map) put(s spot, thing any) int {
	switch t := thing.(type) {
	case *Organisation:
		return putAt(&m.Organisations, s.i, *t)
	case *Process:
		return putAt(&m.Processes, s.i, *t)
	case *System:
		return putAt(&m.Systems, s.i, *t)
	case *Supply:
		return putAt(&m.Supplies, s.i, *t)
	case *Product:
		return putAt(&m.Products, s.i, *t)
	case *Flow:
		return putAt(&m.Flows, s.i, *t)
	}
	panic(fmt.Sprintf("chain: a map has no list of %T", thing))
}

func putAt[T any](all *[]T, i int, thing T) int {
	if i < 0 {
		*all = append(*all, thing)
		return len(*all) - 1
	}
	(*all)[i] = thing
	return i
}

// remade reads a thing of a kind back from JSON.
func remade(kind NodeKind, raw json.RawMessage) (any, error) {
	var thing any
	switch kind {
	case KindOrganisation:
		thing = &Organisation{}
	case KindProcess:
		thing = &Process{}
	case KindSystem:
		thing = &System{}
	case KindSupply:
		thing = &Supply{}
	case KindProduct:
		thing = &Product{}
	default:
		return nil, fmt.Errorf("chain: undo of a %q", kind)
	}
	return thing, json.Unmarshal(raw, thing)
}

// thingText is what a map says of a thing: two things are the same if their texts are.
func thingText(thing any) string {
	var b bytes.Buffer
	w := &writer{Writer: bufio.NewWriterSize(&b, 512)}
	switch t := thing.(type) {
	case *Organisation:
		w.organisation(t)
	case *Process:
		w.process(t)
	case *System:
		w.system(t)
	case *Supply:
		w.supply(t)
	case *Product:
		w.product(t)
	case *Flow:
		w.flow(t)
	}
	w.Flush() // a buffer takes everything
	return b.String()
}

func thingName(thing any) string {
	switch t := thing.(type) {
	case *Organisation:
		return t.Name
	case *Process:
		return t.Name
	case *System:
		return t.Name
	case *Supply:
		return t.Name
	case *Product:
		return t.Name
	case *Flow:
		return "the flow " + string(t.ID)
	}
	return ""
}
