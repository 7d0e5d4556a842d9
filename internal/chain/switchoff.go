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
	for _, r := range c.Others {
		if r.Kind == KindSystem && r.Sure >= Likely {
			off = append(off, r.ID)
		}
	}
	seen := map[NodeID]bool{}
	for _, p := range c.Processes {
		if p.Sure < Likely {
			continue
		}
		supply := NodeID("")
		for _, h := range p.Way().Hops {
			if h.To.Kind == KindSystem || h.From.Kind == KindSystem {
				supply = ""
				break
			}
			if h.To.Kind == KindSupply {
				supply = h.To.ID
			} else if h.From.Kind == KindSupply {
				supply = h.From.ID
			}
		}
		if supply != "" && !seen[supply] {
			seen[supply] = true
			off = append(off, supply)
		}
	}
	return off
}
