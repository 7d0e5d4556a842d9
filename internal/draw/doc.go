// Package draw lays out diagrams on the server and writes them as SVG: data-flow
// diagrams with trust boundaries, and neighbourhoods of the chain. It is pure:
// the same diagram gives the same bytes, so drawings print, export and test.
//
// Things are placed in two steps. Groups (the trust boundaries: one for each
// organisation) are placed in columns by the flows between them; inside each
// group its things are placed in columns by the flows inside. Edges are curves
// between the boxes. This keeps a boundary in one piece, which a single layout of
// all things would not.
//
// Tables owned, events written and read: none.
package draw
