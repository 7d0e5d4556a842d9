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
	routes := p.routes()
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
	writeEdges(&b, p, routes)
	for _, bx := range p.order {
		writeBox(&b, bx)
	}
	writeLabels(&b, routes)
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

func writeEdges(b *strings.Builder, p placed, routes []route) {
	for i := range routes {
		e := routes[i].edge
		dashed := ""
		if e.Dashed {
			dashed = " dashed"
		}
		fmt.Fprintf(b, `<path class="edge%s%s" d="%s" marker-end="url(#arrow)" data-edge="%d" data-from="%s" data-to="%s"><title>%s</title></path>`,
			class(e.Mark), dashed, routes[i].path, i, esc(e.From), esc(e.To), esc(edgeTitle(p, *e)))
	}
}

// writeLabels writes the labels above everything else, each on a ground of its own.
func writeLabels(b *strings.Builder, routes []route) {
	for i := range routes {
		r := &routes[i]
		if len(r.lines) == 0 {
			continue
		}
		x := r.label.x + r.label.w/2
		fmt.Fprintf(b, `<g class="edge-label%s" data-edge="%d" data-from="%s" data-to="%s"><rect x="%d" y="%d" width="%d" height="%d" rx="3"/><text>`,
			class(r.edge.Mark), i, esc(r.edge.From), esc(r.edge.To), r.label.x, r.label.y, r.label.w, r.label.h)
		for k, line := range r.lines {
			fmt.Fprintf(b, `<tspan x="%d" y="%d">%s</tspan>`, x, r.label.y+labelPad+11+k*labelLine, esc(line))
		}
		b.WriteString("</text></g>")
	}
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
	fmt.Fprintf(b, `<g class="thing %s%s" data-thing="%s"><title>%s</title>`, esc(string(n.Shape)), class(n.Mark), esc(n.ID), esc(join(n.Label, n.Note)))
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
