package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/entente-project/entente/internal/chain"
)

// How much the text form tells; the JSON form tells everything.
const (
	fullWays     = 3 // ways of a process that are told hop by hop
	shownFinds   = 5 // findings of a product
	shownUnknown = 8 // lines of each list of what is unknown
)

// text writes the report for people.
func (r *report) text(s *sheet) {
	r.head(s)
	for _, h := range r.Hits {
		s.blank()
		r.process(s, h)
	}
	r.calls(s)
	r.findings(s)
	r.reach(s)
	r.unknowns(s)
}

func (r *report) head(s *sheet) {
	near := 0
	for _, h := range r.Hits {
		if h.near() {
			near++
		}
	}
	title, st := "no process is hit", bold
	if near > 0 {
		title, st = fmt.Sprintf("%d of %s hit", near, plural(r.Map.Processes, "process", "processes")), red
	}
	if far := len(r.Hits) - near; far > 0 {
		title += fmt.Sprintf(", %d possibly within reach", far)
	}
	title = r.Map.Name + ": " + title
	s.line(st, "", 0, title)
	if len(r.Asked.Down) > 0 {
		line := "If down: " + names(r.Asked.Down)
		if r.Asked.Restored != nil {
			line += ", restored after " + words(*r.Asked.Restored)
		}
		if r.Asked.Horizon != nil {
			line += "; looked ahead " + words(*r.Asked.Horizon)
		}
		s.line(plain, "", 0, line)
	}
	if !r.Asked.Documents {
		return
	}
	products := map[chain.NodeID]bool{}
	for _, f := range r.Found {
		products[f.Product.ID] = true
	}
	line := "No finding"
	if len(r.Found) > 0 {
		line = plural(len(r.Found), "finding", "findings") + " in " + plural(len(products), "product", "products")
	}
	line += " · " + plural(r.Read.Advisories, "advisory", "advisories")
	if r.Read.Withdrawn > 0 {
		line += fmt.Sprintf(" (%s withdrawn, not counted)", grouped(int64(r.Read.Withdrawn)))
	}
	line += " · " + plural(r.Read.Components, "component", "components") + " in " + plural(r.Read.Documents, "SBOM", "SBOMs")
	s.line(faint, "", 0, line)
}

func (r *report) process(s *sheet, h processHit) {
	about := string(h.Criticality)
	if h.Owner != "" {
		about = strings.TrimPrefix(about+" · "+h.Owner, " · ")
	}
	line := s.styled(bold, strings.ToUpper(h.Name))
	if about != "" {
		line += "  " + s.styled(faint, about)
	}
	fmt.Fprintln(s.w, line)
	if h.Outage != nil {
		r.stop(s, "Outage", h, h.Outage)
	}
	full := r.fullWays(h)
	for _, w := range h.Ways[:full] {
		r.way(s, w)
	}
	if further := h.Ways[full:]; len(further) > 0 {
		var all []string
		for _, w := range further {
			all = append(all, fmt.Sprintf("%s (%s, %s)", w.Product.Name, w.Sure, plural(len(w.Hops), "hop", "hops")))
		}
		s.row("Also by", plain, "%s", strings.Join(all, ", "))
	}
	if len(h.Ways) > 0 {
		if h.SwitchedOff != nil {
			r.stop(s, "Switch-off", h, h.SwitchedOff)
		} else {
			s.row("Switch-off", plain, "with what is reached out of service the process goes on: other ways or buffers carry it")
		}
	}
	var organisations []string
	for _, c := range h.Call {
		organisations = append(organisations, c.Name)
	}
	if len(organisations) > 0 {
		s.row("Call", plain, "%s", strings.Join(organisations, ", "))
	}
}

// fullWays says how many ways of a process are told hop by hop: what is at least
// likely, and where nothing is, the nearest.
func (r *report) fullWays(h processHit) int {
	n := 0
	for n < min(len(h.Ways), fullWays) && h.Ways[n].Sure >= chain.Likely {
		n++
	}
	return min(max(n, 1), len(h.Ways))
}

// calls lists everybody to call once, those nearest to us first.
func (r *report) calls(s *sheet) {
	type caller struct {
		call
		processes []string
	}
	var all []caller
	for _, h := range r.Hits {
		for _, c := range h.Call {
			i := slices.IndexFunc(all, func(known caller) bool { return known.Organisation == c.Organisation })
			if i < 0 {
				all = append(all, caller{call: c})
				i = len(all) - 1
			}
			all[i].processes = append(all[i].processes, h.Name)
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b caller) int { return cmp.Compare(rankOrder(a.Rank), rankOrder(b.Rank)) })
	s.blank()
	fmt.Fprintln(s.w, s.styled(bold, "CALL"))
	for _, c := range all {
		s.line(bold, "", 2, fmt.Sprintf("  %s (%s): %s", c.Name, kept(rankWords(c.Rank)), c.Because))
		for _, p := range c.Contacts {
			name := p.Name
			if p.Role != "" {
				name += " (" + p.Role + ")"
			}
			parts := slices.DeleteFunc([]string{name, kept(p.Phone), p.Email}, func(s string) bool { return s == "" })
			s.line(plain, "", 4, "    "+visible(strings.Join(parts, " · ")))
		}
		if len(c.Contacts) == 0 {
			s.line(faint, "", 4, "    no contact known; ask whoever it supplies")
		}
	}
}

func rankOrder(rank *int) int {
	if rank == nil {
		return math.MaxInt
	}
	return *rank
}

// way tells the gravest finding of the product and every hop, each with the rank of
// whoever it passes.
func (r *report) way(s *sheet, w way) {
	of := slices.IndexFunc(r.Found, func(f finding) bool { return f.Product.ID == w.Product.ID })
	cause := r.Found[of]
	more := ""
	if w.Findings > 1 {
		more = fmt.Sprintf(", and %d more", w.Findings-1)
	}
	s.row("Hit by", amber, "%s in %s %s of %s%s", visible(cause.names()), visible(cause.Component), visible(cause.At), productWords(w.Product, cause.Version), more)
	s.row(" "+w.Sure.String(), plain, "%s", visible(cause.Summary))
	if w.Sure < chain.Likely {
		all := []string{w.Product.Name}
		for _, h := range w.Hops {
			all = append(all, h.To.Name)
		}
		s.sub("by way of ", plain, "%s", strings.Join(all, " → "))
		return
	}
	for _, h := range w.Hops {
		s.sub(fmt.Sprintf("%-8s", rankWords(h.From.Rank)), plain, "%s", h.Words)
	}
}

func rankWords(rank *int) string {
	switch {
	case rank == nil:
		return "rank ?"
	case *rank == 0:
		return "us"
	}
	return fmt.Sprintf("rank %d", *rank)
}

func productWords(p thing, version string) string {
	return strings.TrimSpace(p.Name + " " + version)
}

// stop tells when a process stops, when it exceeds its objectives, and what that
// costs.
func (r *report) stop(s *sheet, label string, h processHit, st *stop) {
	when := "stops at once"
	if st.Stops > 0 {
		when = "stops after " + words(st.Stops)
	}
	s.row(label, amber, "%s%s%s", when, objective("RTO", h.RTO, st.RTOExceeded), objective("MTPD", h.MTPD, st.MTPDExceeded))
	if label == "Switch-off" {
		s.row("", faint, "if %s %s out of service now", names(st.Down), isAre(len(st.Down)))
	}
	for i, p := range st.Path[:len(st.Path)-1] {
		next := st.Path[i+1]
		line := p.Name + " needs " + next.Name
		if p.Kind == chain.KindProcess && next.Kind == chain.KindActivity {
			line = next.Name + " is a step of " + p.Name
		}
		if p.Buffer > 0 {
			line += "; can do without for " + words(p.Buffer)
			if p.Note != "" {
				line += " (" + p.Note + ")"
			}
		}
		if len(p.Also) > 0 {
			line += "; " + names(p.Also) + " stopped too"
		}
		s.sub(fmt.Sprintf("%-8s", rankWords(next.Rank)), plain, "%s", line)
	}
	var costs []string
	for _, c := range st.Costs {
		if c.Amount > 0 {
			costs = append(costs, fmt.Sprintf("%s\u00a0%s by %s (%s)", grouped(c.Amount), r.Map.Currency, words(c.After), c.When))
		}
	}
	if len(costs) > 0 {
		s.row("Cost", plain, "%s", strings.Join(costs, ", "))
	}
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func objective(name string, length int64, at *int64) string {
	switch {
	case at != nil:
		return fmt.Sprintf(" · %s of %s exceeded after %s", name, words(length), words(*at))
	case length > 0:
		return fmt.Sprintf(" · %s of %s is kept", name, words(length))
	}
	return " · no " + name + " set"
}

// words writes a time so that a line never breaks inside it.
func words(seconds int64) string {
	return kept(chain.DurationWords(time.Duration(seconds) * time.Second))
}

func names(things []thing) string {
	all := make([]string, len(things))
	for i, t := range things {
		all[i] = t.Name
		if t.Name == "" {
			all[i] = string(t.ID)
		}
	}
	if len(all) > 6 {
		all = append(all[:5], fmt.Sprintf("%d more", len(all)-5))
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

func (r *report) findings(s *sheet) {
	if len(r.Found) == 0 {
		return
	}
	s.blank()
	fmt.Fprintln(s.w, s.styled(bold, "FINDINGS"))
	for i := 0; i < len(r.Found); {
		first := r.Found[i]
		n := 1
		for i+n < len(r.Found) && r.Found[i+n].Product.ID == first.Product.ID {
			n++
		}
		s.line(bold, "", 4, visible("  "+productWords(first.Product, first.Version)+": "+plural(n, "finding", "findings")+", "+first.Document))
		for _, f := range r.Found[i : i+min(n, shownFinds)] {
			severity := f.Severity
			if severity == "" {
				severity = "unrated"
			}
			s.line(plain, "    "+fmt.Sprintf("%-9s", severity), 13, visible(fmt.Sprintf("%s in %s %s: %s", f.names(), f.Component, f.At, f.Summary)))
		}
		if n > shownFinds {
			s.line(faint, "", 13, fmt.Sprintf("and %d more, all of them with --format json", n-shownFinds))
		}
		i += n
	}
}

func (r *report) reach(s *sheet) {
	if len(r.Reach.Systems) == 0 && len(r.Reach.Data) == 0 {
		return
	}
	s.blank()
	fmt.Fprintln(s.w, s.styled(bold, "WITHIN REACH"))
	var systems, data []string
	for _, v := range r.Reach.Systems {
		systems = append(systems, fmt.Sprintf("%s (%s)", v.Name, v.Sure))
	}
	for _, d := range r.Reach.Data {
		data = append(data, fmt.Sprintf("%s data (%s)", d.Class, d.Sure))
	}
	if len(systems) > 0 {
		s.row("Systems", plain, "%s", strings.Join(systems, ", "))
	}
	if len(data) > 0 {
		s.row("Data", plain, "%s", strings.Join(data, ", "))
	}
}

// unknowns tells what could not be decided: it is not safe, it is unknown.
func (r *report) unknowns(s *sheet) {
	u := r.Open
	if len(u.NotAssessable)+len(u.Undecided)+len(u.Unread)+len(u.Without)+len(u.Unbound)+len(u.Advisories) == 0 || !r.Asked.Documents {
		return
	}
	s.blank()
	fmt.Fprintln(s.w, s.styled(bold, "UNKNOWN")+"  "+s.styled(faint, "not safe: not decided"))
	list := func(label string, n int, line func(int) string) {
		for i := range min(n, shownUnknown) {
			first := ""
			if i == 0 {
				first = label
			}
			s.row(first, plain, "%s", visible(line(i)))
		}
		if n > shownUnknown {
			s.row("", faint, "and %d more, all of them with --format json", n-shownUnknown)
		}
	}
	list("SBOM", len(u.NotAssessable), func(i int) string {
		d := u.NotAssessable[i]
		return fmt.Sprintf("%s (%s): not assessable, none of its %s has a package URL", d.File, d.Product.Name, plural(d.Components, "component", "components"))
	})
	list("Component", len(u.Undecided), func(i int) string {
		d := u.Undecided[i]
		return strings.TrimSpace(d.Component+" "+d.At) + " of " + d.Product.Name + ", " + d.Advisory + ": " + d.Why
	})
	list("Unreadable", len(u.Unread), func(i int) string { return u.Unread[i].File + ": " + u.Unread[i].Why })
	list("Advisory", len(u.Advisories), func(i int) string { return u.Advisories[i] })
	if n := len(u.Without); n > 0 {
		s.row("No SBOM", plain, "%s", names(u.Without))
	}
	if n := len(u.Unbound); n > 0 {
		s.row("Not bound", plain, "%s in the folder %s to no product of the map; bind them with its field sboms", plural(n, "document", "documents"), map[bool]string{true: "belongs", false: "belong"}[n == 1])
	}
}
