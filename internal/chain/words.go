package chain

import (
	"slices"
	"time"

	"github.com/entente-project/entente"
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
	Because      entente.Message // "operates Procurement portal"
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

// Say tells the critical path, as [Path.Say] does, where nothing else of it is
// needed.
func (p ProcessOutage) Say() entente.Message { return Path{Steps: p.o.steps(p.pos)}.Say() }

// Words says it in English.
func (p ProcessOutage) Words() string { return p.Say().String() }

// Say tells the path in one sentence: "Bean procurement stops after 24 h: it
// needs its activity Order beans, which needs Procurement portal, …".
func (p Path) Say() entente.Message {
	switch len(p.Steps) {
	case 0:
		return entente.Message{}
	case 1:
		return entente.Say("%s is down.", p.Steps[0].Name)
	}
	hops := make([]any, len(p.Steps))
	for i := range hops[1:] {
		s := &p.Steps[i]
		hop := entente.Say(s.kind.text(), p.Steps[i+1].Name)
		if extra := s.extra(); len(extra) > 0 {
			hop = entente.Say("%s (%s)", hop, entente.List{Items: extra, Join: "; ", Last: "; "})
		}
		hops[i] = hop
	}
	hops[len(hops)-1] = entente.Text("is down")
	first := &p.Steps[0]
	return entente.Say("%s stops %s: it %s.", first.Name, After(first.At), entente.List{Items: hops, Join: ", which ", Last: ", which "})
}

// Words says the path in English.
func (p Path) Words() string { return p.Say().String() }

// After tells when something happens: "at once", "after 24 h".
func After(at time.Duration) entente.Message {
	if at == 0 {
		return entente.Say("at once")
	}
	return entente.Say("after %s", SayDuration(at))
}

// text tells what a thing has to do with the next one on a path.
func (k reasonKind) text() entente.Text {
	switch k {
	case stepOf:
		return "needs its activity %s"
	case suppliedBy:
		return "is supplied by %s"
	case delivers:
		return "delivers %s"
	case operatedBy:
		return "is operated by %s"
	case runs:
		return "runs %s"
	case disclosedNeed:
		return "says that it needs %s"
	}
	return "needs %s"
}

func (s *Step) extra() []any {
	var parts []any
	switch {
	case s.Buffer > 0 && s.Note != "":
		parts = append(parts, entente.Say("buffer %s: %s", SayDuration(s.Buffer), s.Note))
	case s.Buffer > 0:
		parts = append(parts, entente.Say("buffer %s", SayDuration(s.Buffer)))
	}
	if len(s.Before) > 0 {
		names := make([]any, 0, 3)
		for _, n := range s.Before[:min(2, len(s.Before))] {
			names = append(names, n.Name)
		}
		if more := len(s.Before) - 2; more > 0 {
			names = append(names, entente.Say("%d more", more))
		}
		parts = append(parts, entente.Say("no way around it: %s stopped too", entente.And(names)))
	}
	return parts
}

// callers collects the organisations behind the things on a way.
type callers struct {
	g     *Graph
	calls []Call
}

// onTheWay is why to call an organisation of which nothing else is known.
const onTheWay entente.Text = "is on the way"

func (c *callers) add(v int32) {
	o := c.g.owner[v]
	kind := c.g.kinds[v]
	if o < 0 || kind == process || kind == activity || IsDisclosed(c.g.ids[o]) {
		return
	}
	because := entente.Message{Text: onTheWay}
	switch kind {
	case system:
		because = entente.Say("operates %s", c.g.label(v))
	case supply:
		because = entente.Say("supplies %s", c.g.label(v))
	case product:
		because = entente.Say("makes %s", c.g.label(v))
	}
	id := c.g.ids[o]
	i := slices.IndexFunc(c.calls, func(call Call) bool { return call.Organisation == id })
	if i < 0 {
		org := &c.g.m.Organisations[o]
		c.calls = append(c.calls, Call{
			Organisation: id, Name: org.Name, Rank: c.g.Rank(id), Because: because, Contacts: org.Contacts,
		})
		return
	}
	if kind != organisation {
		c.calls[i].Because = andBecause(c.calls[i].Because, because)
	}
}

// reasons is how several reasons to call an organisation are told.
const reasons entente.Text = "%s"

// andBecause adds a reason to others, if it is not among them.
func andBecause(old, more entente.Message) entente.Message {
	if old.Text == onTheWay {
		return more
	}
	known := []any{old}
	if old.Text == reasons {
		known = old.Args[0].(entente.List).Items
	}
	for _, k := range known {
		if k := k.(entente.Message); k.Text == more.Text && k.Args[0] == more.Args[0] {
			return old
		}
	}
	known = append(slices.Clip(known), more)
	return entente.Say(reasons, entente.List{Items: known, Join: ", ", Last: ", "})
}
