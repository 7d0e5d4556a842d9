package ui

import "strings"

type part struct {
	class    string
	from, to int
}

// parts cuts the bar into its states, in order of time; the first always exists.
func (b Bar) parts() []part {
	marks := []part{{class: "bar-works"}, {class: "bar-stopped", from: b.Stopped}, {class: "bar-late", from: b.Late}, {class: "bar-lost", from: b.Lost}}
	var parts []part
	for i, m := range marks {
		if i > 0 && m.from >= 1000 {
			continue
		}
		m.from = max(m.from, 0)
		if n := len(parts); n > 0 {
			parts[n-1].to = m.from
			if parts[n-1].from >= m.from {
				parts = parts[:n-1]
			}
		}
		m.to = 1000
		parts = append(parts, m)
	}
	return parts
}

// dial keeps what a telephone can dial.
func dial(number string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, number)
}
