package chain

import (
	"math/bits"
	"slices"
	"sort"
	"time"
)

// OutageOptions narrow the question of [Graph.Outage]. The zero value asks for
// everything that follows from an outage without an end.
type OutageOptions struct {
	// Horizon leaves out what would stop later than this; 0 looks as far as it goes.
	Horizon time.Duration
	// Restored is when everything that was down at first works again; with it
	// everything else does, and what had not stopped by then never does. 0: not
	// restored.
	Restored time.Duration
}

// Outage is what follows when some things are down from time 0 on. Times count
// from there.
type Outage struct {
	Down    []NodeID
	Unknown []NodeID // asked for, but not in the chain
	OutageOptions
	// Processes that stop, the first to stop first; at the same time the more
	// critical first.
	Processes []ProcessOutage

	g     *Graph
	order []stopped // everything that stops, in order of time
}

// ProcessOutage is the end of one process in an [Outage].
type ProcessOutage struct {
	ID          NodeID
	Name        string
	Criticality Criticality
	Fails       time.Duration
	// RTOAt and MTPDAt are when the objective is exceeded: [Never] if the process
	// has none, or if the outage or the horizon ends before.
	RTOAt, MTPDAt time.Duration

	o   *Outage
	pos int32
}

// Stopped is a thing of any kind that does not work from a time on.
type Stopped struct {
	Node
	At time.Duration
}

// stopped is one entry of the pass in order of time. why is the need that was no
// longer met, -1 for what was down at first; by is the position of the thing whose
// end, the last among the alternatives, ended that need.
type stopped struct {
	at   time.Duration
	node int32
	why  int32
	by   int32
}

// Outage says what stops, and when, if the things in down stop at time 0. An
// organisation that is down takes with it what it supplies and operates.
//
// A need fails when the last of its alternatives has failed and its buffer has run
// out; a thing fails with the first of its needs. Things that need each other in a
// circle keep each other up as long as nothing else fails them.
func (g *Graph) Outage(down []NodeID, opts OutageOptions) Outage {
	var unknown []NodeID
	start := make([]int32, 0, len(down))
	known := make(map[int32]bool, len(down))
	for _, id := range down {
		v, ok := g.index[id]
		switch {
		case !ok:
			unknown = append(unknown, id)
		case !known[v]:
			known[v] = true
			start = append(start, v)
		}
	}
	o := g.outage(start, opts)
	o.Unknown = unknown
	return o
}

// outage is Outage of things that are given once each, by their numbers.
func (g *Graph) outage(start []int32, opts OutageOptions) Outage {
	o := Outage{OutageOptions: opts, g: g, Down: make([]NodeID, len(start))}
	for i, v := range start {
		o.Down[i] = g.ids[v]
	}
	s := g.scratch.Get().(*outageScratch)
	defer g.scratch.Put(s)
	o.order = slices.Clone(s.run(g, start, o.limit()))
	o.Processes = make([]ProcessOutage, 0, o.count())
	// The order is that of time; of what stops at one time the gravest stands first.
	var atOnce [weights][]int32
	for pos, e := range o.order {
		if g.kinds[e.node] == process {
			w := weight(g.criticality(e.node))
			atOnce[w] = append(atOnce[w], int32(pos))
		}
		if pos+1 < len(o.order) && o.order[pos+1].at == e.at {
			continue
		}
		for w := weights - 1; w >= 0; w-- {
			for _, pos := range atOnce[w] {
				o.Processes = append(o.Processes, o.process(pos))
			}
			atOnce[w] = atOnce[w][:0]
		}
	}
	for i := range o.Processes {
		o.Processes[i].o = &o
	}
	return o
}

func (o Outage) count() int {
	n := 0
	for _, e := range o.order {
		if o.g.kinds[e.node] == process {
			n++
		}
	}
	return n
}

// limit is the last moment at which something can stop.
func (o Outage) limit() time.Duration {
	limit := Never - 1
	if o.Horizon > 0 {
		limit = o.Horizon
	}
	if o.Restored > 0 {
		limit = min(limit, o.Restored-1)
	}
	return limit
}

func (o Outage) process(pos int32) ProcessOutage {
	e := o.order[pos]
	p := &o.g.m.Processes[o.g.place[e.node]]
	end := func(objective time.Duration) time.Duration {
		at := later(e.at, objective)
		if objective == 0 || o.Horizon > 0 && at > o.Horizon || o.Restored > 0 && at >= o.Restored {
			return Never
		}
		return at
	}
	return ProcessOutage{
		ID: p.ID, Name: p.Name, Criticality: p.BIA.Criticality,
		Fails: e.at, RTOAt: end(p.BIA.RTO), MTPDAt: end(p.BIA.MTPD),
		pos: pos,
	}
}

// weight orders criticalities; an unknown one counts least.
func weight(c Criticality) int {
	switch c {
	case Critical:
		return 4
	case High:
		return 3
	case Medium:
		return 2
	case Low:
		return 1
	}
	return 0
}

// weights is how many weights there are.
const weights = 5

// Len counts everything that stops, of any kind, what was down at first included.
func (o Outage) Len() int { return len(o.order) }

// Stopped lists everything that does not work at a time, the first to stop first:
// what a slider over time shows. After the restoration nothing is stopped.
func (o Outage) Stopped(at time.Duration) []Stopped {
	if o.Restored > 0 && at >= o.Restored {
		return nil
	}
	n := sort.Search(len(o.order), func(i int) bool { return o.order[i].at > at })
	all := make([]Stopped, n)
	for i, e := range o.order[:n] {
		all[i] = Stopped{Node: o.g.node(e.node), At: e.at}
	}
	return all
}

// Process gives the end of one process, if it stops.
func (o Outage) Process(id NodeID) (ProcessOutage, bool) {
	for _, p := range o.Processes {
		if p.ID == id {
			return p, true
		}
	}
	return ProcessOutage{}, false
}

// Fails gives when a thing of any kind stops; [Never] if it does not.
func (o Outage) Fails(id NodeID) time.Duration {
	v, ok := o.g.index[id]
	if ok {
		for _, e := range o.order {
			if e.node == v {
				return e.at
			}
		}
	}
	return Never
}

// CostAt gives what the interruptions of all processes have cost up to a time
// after the beginning of the outage, in the map's currency.
func (o Outage) CostAt(at time.Duration) int64 {
	var total int64
	for _, p := range o.Processes {
		total += p.CostAt(at)
	}
	return total
}

// CostAt gives what the interruption of the process has cost up to a time after
// the beginning of the outage; a restoration ends the costs.
func (p ProcessOutage) CostAt(at time.Duration) int64 {
	if p.o.Restored > 0 {
		at = min(at, p.o.Restored)
	}
	process, _ := p.o.g.Process(p.ID)
	return Cost(process.BIA, at-p.Fails)
}

// Cost gives what an interruption has cost after it lasted for a time, from the
// rates of the BIA; nothing before the first rate begins.
func Cost(b BIA, since time.Duration) int64 {
	var total, seconds int64 // in full hours, and the rest in rate × seconds
	for i, rate := range b.Cost {
		end := since
		if i+1 < len(b.Cost) {
			end = min(end, b.Cost[i+1].From)
		}
		if end <= rate.From {
			break
		}
		lasts := end - rate.From
		total += rate.PerHour * int64(lasts/time.Hour)
		seconds += rate.PerHour * int64(lasts%time.Hour/time.Second)
	}
	return total + seconds/3600
}

// outageScratch is the memory of one pass. Stamps tell whether an entry belongs to
// the present pass, so that starting one costs nothing.
type outageScratch struct {
	epoch uint32
	seen  []visit
	left  []countdown // for needs with several alternatives
	ahead ahead
	now   []int32 // things that stop at the present moment, first come first
	order []stopped
}

// visit is when a thing stops, as far as is known.
type visit struct {
	at    time.Duration
	epoch uint32
	why   int32
	by    int32
}

type countdown struct {
	epoch uint32
	left  int32
}

type waiting struct {
	at   time.Duration
	node int32
}

func newOutageScratch(g *Graph) *outageScratch {
	return &outageScratch{seen: make([]visit, len(g.ids)), left: make([]countdown, len(g.needs))}
}

// run is the one pass in order of time. What it returns is valid until the next.
func (s *outageScratch) run(g *Graph, down []int32, limit time.Duration) []stopped {
	nextEpoch(&s.epoch, func() { clear(s.seen); clear(s.left) })
	s.ahead.reset()
	s.now, s.order = s.now[:0], s.order[:0]
	for _, v := range down {
		s.seen[v] = visit{epoch: s.epoch, why: -1, by: -1}
		s.now = append(s.now, v)
	}
	for i := 0; ; i++ {
		if i == len(s.now) {
			s.now, i = s.now[:0], 0
			if s.next(); len(s.now) == 0 {
				return s.order
			}
		}
		v := s.now[i]
		at := s.seen[v].at
		pos := int32(len(s.order))
		s.order = append(s.order, stopped{at: at, node: v, why: s.seen[v].why, by: s.seen[v].by})
		for _, u := range g.usesOf(v) {
			// If the holder is to stop by then anyway, the need no longer matters: its
			// other alternatives can only end it later, and are not counted down.
			end := later(at, u.buffer)
			holder := &s.seen[u.holder]
			if holder.epoch == s.epoch && holder.at <= end || end > limit {
				continue
			}
			if u.need < 0 && !s.last(g, -1-u.need) {
				continue
			}
			*holder = visit{at: end, epoch: s.epoch, why: u.number(), by: pos}
			if end == at {
				s.now = append(s.now, u.holder)
			} else {
				s.ahead.push(waiting{end, u.holder})
			}
		}
	}
}

// last counts an alternative of a need down and says whether it was the last.
func (s *outageScratch) last(g *Graph, n int32) bool {
	c := &s.left[n]
	if c.epoch != s.epoch {
		*c = countdown{s.epoch, g.needs[n].count}
	}
	c.left--
	return c.left == 0
}

// next puts the things that stop next into now; entries that an earlier end has
// overtaken are dropped.
func (s *outageScratch) next() {
	for len(s.now) == 0 {
		soonest := s.ahead.pop()
		if len(soonest) == 0 {
			return
		}
		for _, w := range soonest {
			if s.seen[w.node].at == w.at {
				s.now = append(s.now, w.node)
			}
		}
	}
}

// ahead holds what is to stop later, in a radix heap: time only goes on in a pass,
// so that an entry belongs where its time first differs, in binary, from the time
// of the last one taken, and moves to a place nearer to the end each time that its
// place is opened. All of it runs along the memory, as a heap of comparisons does
// not.
type ahead struct {
	last   time.Duration
	places [64][]waiting // by the length of the difference; 0 is the present moment
}

func (a *ahead) reset() {
	a.last = 0
	for i := range a.places {
		a.places[i] = a.places[i][:0]
	}
}

func (a *ahead) push(w waiting) {
	i := bits.Len64(uint64(w.at ^ a.last))
	a.places[i] = append(a.places[i], w)
}

// pop takes all entries of the soonest time; none if there are none. They are valid
// until the next push.
func (a *ahead) pop() []waiting {
	a.places[0] = a.places[0][:0]
	for i := 1; i < len(a.places); i++ {
		list := a.places[i]
		if len(list) == 0 {
			continue
		}
		a.last = list[0].at
		for _, w := range list[1:] {
			a.last = min(a.last, w.at)
		}
		a.places[i] = list[:0]
		for _, w := range list {
			a.push(w) // to a lower place
		}
		break
	}
	return a.places[0]
}
