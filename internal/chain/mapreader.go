package chain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/entente-project/entente"
)

const (
	// maxValues bounds what a file may expand to: a few aliases can name each
	// other into more values than fit in memory.
	maxValues = 2_000_000
	// maxMarks bounds the punctuation of a file, and so the nodes that the YAML
	// parser makes of it: 16 MiB of commas would take gigabytes. A map of 16 MiB as
	// people and programs write them has less than two million marks.
	maxMarks = 2_000_000
)

// reader turns the nodes of a YAML file into a map and collects what is wrong,
// with the line.
type reader struct {
	problems
	values  int             // how many more values may be visited
	refused map[string]bool // paths of fields about which the reader itself complained
}

func (r *reader) say(n *yaml.Node, at *place, text entente.Text, args ...any) {
	if r.more >= maxCounted {
		r.ended, r.values = true, -1
		return
	}
	path := at.String()
	if r.refused == nil {
		r.refused = map[string]bool{}
	}
	r.refused[path] = true
	r.add(entente.FieldError{Line: n.Line, Field: path, Message: entente.Say(text, args...)})
}

// told says whether something was said about this field or one around it, so that
// what follows from it is not told as well.
func (r *reader) told(path string) bool {
	for {
		if r.refused[path] {
			return true
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return false
		}
		path = path[:cut]
	}
}

// follow gives the node that an alias stands for.
func (r *reader) follow(n *yaml.Node) *yaml.Node {
	for range 100 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n
		}
		n = n.Alias
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line}
}

// spend counts a visited value.
func (r *reader) spend(n *yaml.Node, at *place) bool {
	if r.values == 0 {
		r.say(n, at, "the file expands to more than %d values, which aliases (*name) multiply; write them out", maxValues)
	}
	r.values--
	return r.values >= 0
}

// object is a YAML mapping with a fixed set of fields.
type object struct {
	r      *reader
	at     *place
	fields []string
	values [12]*yaml.Node
}

func (r *reader) object(n *yaml.Node, at *place, fields []string) *object {
	o := &object{r: r, at: at, fields: fields}
	line := n
	n = r.follow(n)
	if !r.spend(line, at) {
		return o
	}
	if n.Kind != yaml.MappingNode {
		r.say(line, at, "here belongs an object with the fields %s, not %s", strings.Join(fields, ", "), whatIs(n))
		return o
	}
	for i := 0; i+1 < len(n.Content) && !r.ended; i += 2 {
		key := r.follow(n.Content[i])
		k := slices.Index(fields, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			r.say(key, at, "the name of a field cannot be %s", whatIs(key))
		case key.Value == "<<":
			r.say(key, o.path(key.Value), "merge keys (<<) are not taken; write the fields out")
		case k < 0:
			if near := closest(key.Value, slices.Values(fields)); near != "" {
				r.say(key, o.path(clip(key.Value)), "there is no such field; did you mean %q?", near)
			} else {
				r.say(key, o.path(clip(key.Value)), "there is no such field; the fields here are %s", strings.Join(fields, ", "))
			}
		case o.values[k] != nil:
			r.say(key, o.path(key.Value), "the field is given twice")
		default:
			o.values[k] = n.Content[i+1]
		}
	}
	return o
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func whatIs(n *yaml.Node) entente.Message {
	switch n.Kind {
	case yaml.MappingNode:
		return entente.Say("an object")
	case yaml.SequenceNode:
		return entente.Say("a list")
	}
	if n.ShortTag() == "!!null" {
		return entente.Say("nothing")
	}
	return entente.Say("%q", clip(n.Value))
}

func (o *object) path(field string) *place { return o.at.field(field) }

// value gives the node of a field, or nil if it is missing or null.
func (o *object) value(field string) *yaml.Node {
	n := o.values[slices.Index(o.fields, field)]
	if n == nil {
		return nil
	}
	if f := o.r.follow(n); f.Kind == yaml.ScalarNode && f.ShortTag() == "!!null" {
		return nil
	}
	return n
}

func (o *object) child(field string) (*yaml.Node, *place) {
	return o.value(field), o.path(field)
}

func (o *object) text(field string) string {
	n := o.value(field)
	if n == nil {
		return ""
	}
	return o.r.text(n, o.path(field))
}

func (o *object) id(field string) NodeID { return NodeID(o.text(field)) }

func (o *object) duration(field string) time.Duration {
	n := o.value(field)
	if n == nil {
		return 0
	}
	at := o.path(field)
	s, ok := o.r.scalar(n, at)
	if !ok {
		return 0
	}
	d, err := ParseDuration(s)
	if err != nil {
		o.r.say(n, at, "%v", err)
	}
	return d
}

func (o *object) number(field string) int64 {
	n := o.value(field)
	if n == nil {
		return 0
	}
	at := o.path(field)
	s, ok := o.r.scalar(n, at)
	if !ok {
		return 0
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		o.r.say(n, at, "%.40q is not a whole number", s)
	}
	return v
}

// list reads the entries of a field that holds a list; a missing one is nil.
func list[T any](o *object, field string, read func(*yaml.Node, *place) T) []T {
	n, at := o.child(field)
	if n == nil {
		return nil
	}
	line := n
	n = o.r.follow(n)
	if n.Kind != yaml.SequenceNode {
		o.r.say(line, at, "here belongs a list, not %s", whatIs(n))
		return nil
	}
	var all []T
	for i, entry := range n.Content {
		if o.r.values < 0 {
			return all
		}
		all = append(all, read(entry, at.at(i)))
	}
	return all
}

// scalar reads a single value as it is written, so that a version 1.10 and the
// country NO stay what they are.
func (r *reader) scalar(n *yaml.Node, at *place) (string, bool) {
	line := n
	n = r.follow(n)
	if !r.spend(line, at) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		r.say(line, at, "here belongs a single value, not %s", whatIs(n))
		return "", false
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		return n.Value, true
	case "!!null":
		r.say(line, at, "the value is missing")
	default:
		r.say(line, at, "values with the tag %.40s are not taken", n.Tag)
	}
	return "", false
}

func (r *reader) text(n *yaml.Node, at *place) string {
	s, _ := r.scalar(n, at)
	return s
}

func (r *reader) id(n *yaml.Node, at *place) NodeID   { return NodeID(r.text(n, at)) }
func (r *reader) class(n *yaml.Node, at *place) Class { return Class(r.text(n, at)) }

// lineOf finds the line of a field by its path; for a missing field, the line of
// the object around it.
func lineOf(top *yaml.Node, path string) int {
	line := top.Line
	n := top
	for path != "" {
		for n.Kind == yaml.AliasNode && n.Alias != nil {
			n = n.Alias
		}
		if path[0] == '[' {
			number, rest, _ := strings.Cut(path[1:], "]")
			i, err := strconv.Atoi(number)
			if err != nil || n.Kind != yaml.SequenceNode || i >= len(n.Content) {
				return line
			}
			n, path = n.Content[i], rest
			line = n.Line
			continue
		}
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		name := path[:end]
		if n.Kind != yaml.MappingNode {
			return line
		}
		found := false
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				n, line, found = n.Content[i+1], n.Content[i].Line, true
				break
			}
		}
		if !found {
			return line
		}
		path = path[end:]
	}
	return line
}
