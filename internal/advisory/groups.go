package advisory

import (
	"cmp"
	"slices"
	"strings"
)

// Group is the records that tell of one vulnerability under several names
// (GO-2024-2687, GHSA-4v7x-pqxf-cx7m, CVE-2023-45288): one finding with all its
// names. Only aliases join records; what is related or upstream is another matter.
type Group struct {
	ID      string   // the name under which it is shown
	Names   []string // all names: ID first, then CVE numbers, then the rest
	Records []string // the records that are held, sorted
}

// Groups joins records by their aliases: two are in one group if one names the
// other or both name a third, however far the chain of names goes.
type Groups struct {
	parent map[string]string
	record map[string]bool
}

// NewGroups gives a grouping without records.
func NewGroups() *Groups {
	return &Groups{parent: map[string]string{}, record: map[string]bool{}}
}

// Add puts a record with its aliases into the grouping.
func (g *Groups) Add(id string, aliases []string) {
	g.record[id] = true
	root := g.find(id)
	for _, a := range aliases {
		if other := g.find(a); other != root {
			g.parent[other] = root
		}
	}
}

func (g *Groups) find(name string) string {
	if _, known := g.parent[name]; !known {
		g.parent[name] = name
		return name
	}
	root := name
	for g.parent[root] != root {
		root = g.parent[root]
	}
	for name != root {
		name, g.parent[name] = g.parent[name], root
	}
	return root
}

// All gives the groups in the order of their ids.
func (g *Groups) All() []Group {
	members := map[string][]string{}
	for name := range g.parent {
		root := g.find(name)
		members[root] = append(members[root], name)
	}
	all := make([]Group, 0, len(members))
	for _, names := range members {
		all = append(all, g.group(names))
	}
	slices.SortFunc(all, func(a, b Group) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func (g *Groups) group(names []string) Group {
	var out Group
	for _, n := range names {
		if g.record[n] {
			out.Records = append(out.Records, n)
		}
	}
	slices.Sort(out.Records)
	out.ID = Principal(out.Records)
	out.Names = OrderNames(out.ID, names)
	return out
}

// Principal chooses the name under which a group is shown from those of its
// records: GitHub's, because most people know it, then a CVE number, then the first
// in the alphabet; Bitnami's, which name their own product, and names that a
// conversion made up come last.
func Principal(records []string) string {
	if len(records) == 0 {
		return ""
	}
	return slices.MinFunc(records, func(a, b string) int {
		return cmp.Or(cmp.Compare(nameRank(a), nameRank(b)), strings.Compare(a, b))
	})
}

// OrderNames sorts all names of a group for people: the principal first, then CVE
// numbers, then the rest.
func OrderNames(principal string, names []string) []string {
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(
			cmp.Compare(btoi(a != principal), btoi(b != principal)),
			cmp.Compare(btoi(!strings.HasPrefix(a, "CVE-")), btoi(!strings.HasPrefix(b, "CVE-"))),
			strings.Compare(a, b),
		)
	})
	return slices.Compact(names)
}

func nameRank(id string) int {
	switch {
	case strings.HasPrefix(id, "GHSA-"):
		return 0
	case strings.HasPrefix(id, "CVE-"):
		return 1
	case strings.HasPrefix(id, "BIT-"):
		return 3
	case strings.HasPrefix(id, "CONV-"):
		return 4
	}
	return 2
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
