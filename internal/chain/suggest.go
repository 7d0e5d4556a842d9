package chain

import "iter"

// closest gives the candidate that a slip of the pen could have turned into s, or
// "" when none is near. Among equally near ones the first wins.
func closest(s string, candidates iter.Seq[string]) string {
	limit := 1
	if len(s) >= 4 {
		limit = min(3, len(s)/4+1)
	}
	best := ""
	row := make([]int, 0, 64)
	for c := range candidates {
		if d := len(c) - len(s); d > limit || -d > limit || c == s {
			continue
		}
		if d := editDistance(s, c, &row); d <= limit {
			limit, best = d-1, c
			if limit <= 0 {
				break
			}
		}
	}
	return best
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string, scratch *[]int) int {
	row := append((*scratch)[:0], make([]int, len(b)+1)...)
	*scratch = row
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, above+1, row[j]+1)
			diagonal = above
		}
	}
	return row[len(b)]
}
