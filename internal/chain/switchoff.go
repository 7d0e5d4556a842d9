package chain

// SwitchOff lists what has to be taken out of service to keep a compromise from the
// processes: the systems that it reaches certainly or likely, and where a process is
// reached without passing a system, the supply by which it came. Goods, and what is
// reached only possibly, are left alone. The outage of these things says by when
// switching off hurts.
//
// It is not the products themselves: taking a library away from its maker stops
// nothing for months, while the portal that runs it has to go off the net now.
func (c Compromise) SwitchOff() []NodeID {
	var off []NodeID
	for _, v := range c.switchOff() {
		off = append(off, c.g.ids[v])
	}
	return off
}

// Off is the outage of what [Compromise.SwitchOff] lists.
func (c Compromise) Off(opts OutageOptions) Outage {
	if c.g == nil {
		return Outage{OutageOptions: opts}
	}
	return c.g.outage(c.switchOff(), opts)
}

func (c *Compromise) switchOff() []int32 {
	var off []int32
	for _, r := range c.others {
		if v := c.mark(r).node; c.g.kinds[v] == system && r.sure >= Likely {
			off = append(off, v)
		}
	}
	var seen map[int32]bool
	for i := range c.Processes {
		p := &c.Processes[i]
		if p.Sure < Likely {
			break // the surest come first
		}
		v, found := c.lastSupply(p)
		if !found || seen[v] {
			continue
		}
		if seen == nil {
			seen = map[int32]bool{}
		}
		seen[v] = true
		off = append(off, v)
	}
	return off
}

// lastSupply gives the supply by which the compromise came to a process; not found
// if it passed a system.
func (c *Compromise) lastSupply(p *Reached) (v int32, found bool) {
	marks := c.levels[p.Sure]
	for pos := p.pos; pos >= 0; pos = marks[pos].from {
		switch k := marks[pos].node; c.g.kinds[k] {
		case system:
			return 0, false
		case supply:
			if !found {
				v, found = k, true
			}
		}
	}
	return v, found
}
