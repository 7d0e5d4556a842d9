package chain

// Hanging is one thing that another hangs on, directly or through others.
type Hanging struct {
	Node
	// Steps is how many needs lie between, on the shortest way.
	Steps int
	// By is the thing nearer to the asking one that names this one, as one step of
	// a shortest way.
	By NodeID
}

// HangsOn lists everything that a thing hangs on: what its needs name, in all their
// alternatives, what those need, and so on; the nearest first. It says who is
// involved, not who can stop it: that is a question for [Graph.Outage].
func (g *Graph) HangsOn(id NodeID) []Hanging {
	start, ok := g.index[id]
	if !ok {
		return nil
	}
	steps := make([]int32, len(g.ids))
	steps[start] = 1
	queue := []int32{start}
	var all []Hanging
	for i := 0; i < len(queue); i++ {
		v := queue[i]
		for n := g.needAt[v]; n < g.needAt[v+1]; n++ {
			for _, o := range g.alternatives(n) {
				if steps[o] != 0 {
					continue
				}
				steps[o] = steps[v] + 1
				queue = append(queue, o)
				all = append(all, Hanging{Node: g.node(o), Steps: int(steps[v]), By: g.ids[v]})
			}
		}
	}
	return all
}
