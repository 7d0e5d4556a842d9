package inventory

import (
	"cmp"
	"slices"
	"strings"
)

// productName is a product by id and name, as people may write either.
type productName struct{ id, name string }

// nearest gives the ids of the products whose id or name shares most pairs of
// letters with want, the best first, none that shares less than a third.
func nearest(want string, known []productName, most int) []string {
	type scored struct {
		id    string
		score float64
	}
	var all []scored
	pairs := pairsOf(want)
	for _, k := range known {
		score := max(alike(pairs, pairsOf(k.id)), alike(pairs, pairsOf(k.name)))
		if score >= 1.0/3 {
			all = append(all, scored{k.id, score})
		}
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
	})
	var ids []string
	for _, s := range all[:min(len(all), most)] {
		ids = append(ids, s.id)
	}
	return ids
}

func pairsOf(s string) map[string]bool {
	s = strings.ToLower(s)
	pairs := make(map[string]bool, len(s))
	for i := 0; i+2 <= len(s); i++ {
		pairs[s[i:i+2]] = true
	}
	return pairs
}

// alike is the Dice coefficient of two sets.
func alike(a, b map[string]bool) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both := 0
	for p := range a {
		if b[p] {
			both++
		}
	}
	return 2 * float64(both) / float64(len(a)+len(b))
}
