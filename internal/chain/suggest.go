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
		if c == s {
			continue
		}
		if d := editDistance(s, c, limit, &row); d <= limit {
			limit, best = d-1, c
			if limit == 0 {
				break
			}
		}
	}
	return best
}

// editDistance is the Levenshtein distance in bytes, as far as it is at most limit;
// limit+1 stands for everything above. Only the cells near the diagonal are worked
// out, because a map can hold a hundred thousand candidates.
func editDistance(a, b string, limit int, scratch *[]int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	row := append((*scratch)[:0], make([]int, len(b)+1)...)
	*scratch = row
	for j := range row {
		row[j] = min(j, limit+1)
	}
	for i := range len(a) {
		low, high := max(0, i-limit), min(len(b), i+limit+1)
		diagonal := row[low]
		row[low] = limit + 1
		if low == 0 {
			row[0] = min(i+1, limit+1)
		}
		least := row[low]
		for j := low; j < high; j++ {
			above := limit + 1
			if j+1 < i+limit+1 {
				above = row[j+1]
			}
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, above+1, row[j]+1, limit+1)
			least = min(least, row[j+1])
		}
		if least > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
