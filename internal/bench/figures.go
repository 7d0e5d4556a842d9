package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// figure is one measured value beside its target.
type figure struct {
	part   string
	what   string
	value  string
	target string // "" where none was set
	missed bool
	note   string
}

// report collects the figures in the order in which they come.
type report struct {
	out     io.Writer
	figures []figure
}

func (r *report) add(f figure) {
	r.figures = append(r.figures, f)
	verdict := ""
	switch {
	case f.target != "" && f.missed:
		verdict = "MISSED, target " + f.target
	case f.target != "":
		verdict = "met, target " + f.target
	}
	fmt.Fprintf(r.out, "(%s) %-58s %-34s %s\n", f.part, f.what, f.value, verdict)
	if f.note != "" {
		fmt.Fprintf(r.out, "      %s\n", f.note)
	}
}

// below adds a duration that is to stay under a limit; no limit, no target.
func (r *report) below(part, what string, got, limit time.Duration, note string) {
	f := figure{part: part, what: what, value: durationText(got), note: note}
	if limit > 0 {
		f.target, f.missed = "< "+durationText(limit), got >= limit
	}
	r.add(f)
}

// within adds a size that is not to exceed a limit; no limit, no target.
func (r *report) within(part, what string, got, limit int64, note string) {
	f := figure{part: part, what: what, value: sizeText(got), note: note}
	if limit > 0 {
		f.target, f.missed = "≤ "+sizeText(limit), got > limit
	}
	r.add(f)
}

// fact adds a value without a target.
func (r *report) fact(part, what, value string) {
	r.add(figure{part: part, what: what, value: value})
}

func (r *report) missed() int {
	n := 0
	for _, f := range r.figures {
		if f.missed {
			n++
		}
	}
	return n
}

// markdown writes the figures as the table of docs/performance.md.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString("| part | what | measured | target | |\n|---|---|---|---|---|\n")
	for _, f := range r.figures {
		verdict := ""
		if f.target != "" {
			verdict = "met"
			if f.missed {
				verdict = "**missed**"
			}
		}
		what := f.what
		if f.note != "" {
			what += " (" + f.note + ")"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.part, what, f.value, f.target, verdict)
	}
	return b.String()
}

// spread is the distribution of many measurements.
type spread []time.Duration

// at gives the value below which the share q of the measurements lies.
func (s spread) at(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func durationText(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}
