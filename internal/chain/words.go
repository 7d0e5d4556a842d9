package chain

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Path is why something stops: from the thing that stops to what was down at first.
type Path struct {
	Steps []Step
	// Call is whom to call: the organisations behind the steps, the nearest to the
	// process first. Those without contacts are listed too.
	Call []Call
}

// Step is one thing on a [Path].
type Step struct {
	Node
	At time.Duration // when it stops
	// The need by which it hangs on the next step; empty on the last one.
	Buffer time.Duration
	Note   string
	// Before are the other alternatives of that need, which stopped earlier or at
	// the same time.
	Before []Node

	kind reasonKind
}

// Call is an organisation to call, and why.
type Call struct {
	Organisation NodeID
	Name         string
	Rank         int
	Because      string // "operates Procurement portal"
	Contacts     []Contact
}

// Path gives the critical path of a process: the need that ended it first, the
// last alternative of that need to stop, and so on to what was down at first.
func (p ProcessOutage) Path() Path { return p.o.path(p.pos) }

// Path gives the critical path of any thing that stops; an empty one for a thing
// that does not.
func (o Outage) Path(id NodeID) Path {
	v, ok := o.g.index[id]
	if ok {
		for pos, e := range o.order {
			if e.node == v {
				return o.path(int32(pos))
			}
		}
	}
	return Path{}
}

func (o Outage) path(pos int32) Path {
	path := Path{Steps: o.steps(pos)}
	c := callers{g: o.g}
	for ; pos >= 0; pos = o.order[pos].by {
		c.add(o.order[pos].node)
	}
	path.Call = c.calls
	return path
}

func (o Outage) steps(pos int32) []Step {
	steps := make([]Step, 0, 8)
	for ; pos >= 0; pos = o.order[pos].by {
		e := o.order[pos]
		step := Step{Node: o.g.node(e.node), At: e.at}
		if e.why >= 0 {
			why := o.g.reasons[e.why]
			step.Buffer, step.Note, step.kind = o.g.needs[e.why].buffer, why.note, why.kind
			for _, other := range o.g.alternatives(e.why) {
				if other != o.order[e.by].node {
					step.Before = append(step.Before, o.g.node(other))
				}
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// Words tells the critical path, as [Path.Words] does, where nothing else of it is
// needed.
func (p ProcessOutage) Words() string { return Path{Steps: p.o.steps(p.pos)}.Words() }

// Words tells the path in one sentence: "Bean procurement stops after 24 h: it
// needs its activity Order beans, which needs Procurement portal, …".
func (p Path) Words() string {
	if len(p.Steps) == 0 {
		return ""
	}
	var b strings.Builder
	first := p.Steps[0]
	b.WriteString(first.Name)
	if len(p.Steps) == 1 {
		b.WriteString(" is down.")
		return b.String()
	}
	b.WriteString(" stops ")
	b.WriteString(afterWords(first.At))
	b.WriteString(": it ")
	for i, s := range p.Steps[:len(p.Steps)-1] {
		if i > 0 {
			b.WriteString(", which ")
		}
		b.WriteString(s.kind.verb())
		b.WriteString(p.Steps[i+1].Name)
		if extra := s.extra(); extra != "" {
			b.WriteString(" (" + extra + ")")
		}
	}
	b.WriteString(", which is down.")
	return b.String()
}

func afterWords(at time.Duration) string {
	if at == 0 {
		return "at once"
	}
	return "after " + DurationWords(at)
}

func (k reasonKind) verb() string {
	switch k {
	case stepOf:
		return "needs its activity "
	case suppliedBy:
		return "is supplied by "
	case delivers:
		return "delivers "
	case operatedBy:
		return "is operated by "
	case runs:
		return "runs "
	}
	return "needs "
}

func (s Step) extra() string {
	var parts []string
	if s.Buffer > 0 {
		part := "buffer " + DurationWords(s.Buffer)
		if s.Note != "" {
			part += ": " + s.Note
		}
		parts = append(parts, part)
	}
	if len(s.Before) > 0 {
		names := make([]string, 0, 3)
		for _, n := range s.Before[:min(2, len(s.Before))] {
			names = append(names, n.Name)
		}
		if more := len(s.Before) - 2; more > 0 {
			names = append(names, fmt.Sprintf("%d more", more))
		}
		parts = append(parts, "no way around it: "+andWords(names)+" stopped too")
	}
	return strings.Join(parts, "; ")
}

func andWords(all []string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// callers collects the organisations behind the things on a way.
type callers struct {
	g     *Graph
	calls []Call
}

func (c *callers) add(v int32) {
	o := c.g.owner[v]
	kind := c.g.kinds[v]
	if o < 0 || kind == process || kind == activity {
		return
	}
	because := "is on the way"
	switch kind {
	case system:
		because = "operates " + c.g.label(v)
	case supply:
		because = "supplies " + c.g.label(v)
	case product:
		because = "makes " + c.g.label(v)
	}
	id := c.g.ids[o]
	i := slices.IndexFunc(c.calls, func(call Call) bool { return call.Organisation == id })
	switch {
	case i < 0:
		org := &c.g.m.Organisations[o]
		c.calls = append(c.calls, Call{
			Organisation: id, Name: org.Name, Rank: c.g.Rank(id), Because: because, Contacts: org.Contacts,
		})
	case kind != organisation && c.calls[i].Because == "is on the way":
		c.calls[i].Because = because
	case kind != organisation && !strings.Contains(c.calls[i].Because, because):
		c.calls[i].Because += ", " + because
	}
}
