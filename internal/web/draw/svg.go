package draw

import (
	_ "embed"
	"fmt"
	"html"
	"strings"
)

// Style is the style sheet of a drawing that stands alone as a file. Pages carry
// the same rules in their own sheet, because their policy forbids inline styles.
//
//go:embed draw.css
var Style string

// SVG draws the diagram for a page: no inline style, no script, classes only.
func (d Diagram) SVG() string { return d.write("") }

// File draws the diagram as a file of its own, with its style sheet inside.
func (d Diagram) File() string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + d.write(Style)
}

func (d Diagram) write(style string) string {
	p := place(d)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="drawing" viewBox="0 0 %d %d" width="%d" height="%d" role="%s" aria-label="%s">`,
		p.w, p.h, p.w, p.h, d.role(), esc(d.Title))
	if style != "" {
		b.WriteString("<style>" + style + "</style>")
	}
	fmt.Fprintf(&b, "<title>%s</title><desc>%s</desc>", esc(d.Title), esc(d.Desc))
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="arrowhead" d="M0 1 9 5 0 9z"/></marker></defs>`)
	for _, c := range p.clusters {
		if c.group == nil {
			continue
		}
		fmt.Fprintf(&b, `<g class="boundary%s"><rect x="%d" y="%d" width="%d" height="%d" rx="10"/><text x="%d" y="%d">%s</text></g>`,
			class(c.group.Mark), c.x, c.y, c.w, c.h, c.x+groupPad, c.y+groupTitle-4, esc(c.group.Label))
	}
	labels := writeEdges(&b, p)
	for _, bx := range p.order {
		writeBox(&b, bx)
	}
	b.WriteString(labels)
	b.WriteString("</svg>")
	return b.String()
}

// role is that of a picture, unless there is something in it to reach.
func (d Diagram) role() string {
	for _, n := range d.Nodes {
		if n.Href != "" {
			return "group"
		}
	}
	return "img"
}

func writeEdges(b *strings.Builder, p placed) (labels string) {
	var text strings.Builder
	// Several edges that leave or reach one side are spread along it.
	out, in := map[string]int{}, map[string]int{}
	outAt, inAt := map[string]int{}, map[string]int{}
	for _, e := range p.edges {
		out[e.From]++
		in[e.To]++
	}
	var taken []spot
	for _, e := range p.edges {
		from, to := p.boxes[e.From], p.boxes[e.To]
		y1 := spread(from, outAt[e.From], out[e.From])
		y2 := spread(to, inAt[e.To], in[e.To])
		outAt[e.From]++
		inAt[e.To]++
		var path string
		var lx, ly int
		switch {
		case to.x >= from.x+from.w:
			x1, x2 := from.x+from.w, to.x
			bend := max(24, (x2-x1)/2)
			path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+bend, y1, x2-bend, y2, x2, y2)
			lx, ly = (x1+x2)/2, (y1+y2)/2
		case to.x == from.x:
			x := from.x + from.w
			path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x, y1, x+52, y1, x+52, y2, x, y2)
			lx, ly = x+40, (y1+y2)/2
		default:
			// Backwards: below both boxes, so that it does not run through them.
			low := max(from.y+from.h, to.y+to.h) + 16
			x1, x2 := from.cx(), to.cx()
			path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, from.y+from.h, x1, low+18, x2, low+18, x2, to.y+to.h)
			lx, ly = (x1+x2)/2, low+10
		}
		dashed := ""
		if e.Dashed {
			dashed = " dashed"
		}
		fmt.Fprintf(b, `<path class="edge%s%s" d="%s" marker-end="url(#arrow)"><title>%s</title></path>`,
			class(e.Mark), dashed, path, esc(edgeTitle(p, e)))
		if e.Label == "" {
			continue
		}
		lines := wrap(e.Label, 16)
		lx, ly, taken = free(lx, ly, lines, taken)
		fmt.Fprintf(&text, `<text class="edge-label%s" x="%d" y="%d">`, class(e.Mark), lx, ly)
		for i, line := range lines {
			fmt.Fprintf(&text, `<tspan x="%d" dy="%d">%s</tspan>`, lx, min(i, 1)*13, esc(line))
		}
		text.WriteString("</text>")
	}
	return text.String()
}

type spot struct{ x, y, w, h int }

// free moves a label down until it covers no other label.
func free(x, y int, lines []string, taken []spot) (int, int, []spot) {
	w := 0
	for _, l := range lines {
		w = max(w, 7*len([]rune(l)))
	}
	s := spot{x - w/2, y - 10, w, 13*len(lines) + 2}
	for range 40 {
		hit := false
		for _, t := range taken {
			if s.x < t.x+t.w && t.x < s.x+s.w && s.y < t.y+t.h && t.y < s.y+s.h {
				s.y = t.y + t.h
				hit = true
			}
		}
		if !hit {
			break
		}
	}
	return x, s.y + 10, append(taken, s)
}

func spread(b *box, at, of int) int {
	return b.y + b.h*(at+1)/(of+1)
}

func edgeTitle(p placed, e Edge) string {
	title := p.boxes[e.From].node.Label + " → " + p.boxes[e.To].node.Label
	if e.Label != "" {
		title += ": " + e.Label
	}
	return join(title, e.Note)
}

func writeBox(b *strings.Builder, bx *box) {
	n := bx.node
	if n.Href != "" {
		fmt.Fprintf(b, `<a href="%s">`, esc(n.Href))
	}
	fmt.Fprintf(b, `<g class="thing %s%s"><title>%s</title>`, esc(string(n.Shape)), class(n.Mark), esc(join(n.Label, n.Note)))
	switch n.Shape {
	case Entity:
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d"/>`, bx.x, bx.y, bx.w, bx.h)
	case Store:
		fmt.Fprintf(b, `<rect class="open" x="%d" y="%d" width="%d" height="%d"/><path class="side" d="M%d %dH%dV%dH%d"/>`,
			bx.x, bx.y, bx.w, bx.h, bx.x+bx.w, bx.y, bx.x, bx.y+bx.h, bx.x+bx.w)
	case Process:
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="16"/>`, bx.x, bx.y, bx.w, bx.h)
	default:
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="5"/>`, bx.x, bx.y, bx.w, bx.h)
	}
	y := bx.y + boxPad + 12
	for _, line := range bx.lines {
		fmt.Fprintf(b, `<text class="label" x="%d" y="%d">%s</text>`, bx.cx(), y, esc(line))
		y += lineHeight
	}
	if n.Note != "" {
		note := []rune(n.Note)
		if len(note) > 27 {
			note = append(note[:26], '…')
		}
		fmt.Fprintf(b, `<text class="note" x="%d" y="%d">%s</text>`, bx.cx(), y-1, esc(string(note)))
	}
	b.WriteString("</g>")
	if n.Href != "" {
		b.WriteString("</a>")
	}
}

func class(m Mark) string {
	if m == Plain {
		return ""
	}
	return " " + string(m)
}

func join(label, note string) string {
	if note == "" {
		return label
	}
	return label + " (" + note + ")"
}

func esc(s string) string { return html.EscapeString(s) }
