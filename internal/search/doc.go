// Package search finds things by what people call them, over everything that the
// actor may see: the chain, suppliers, products, packages, advisories and people.
//
// The names of a chain are kept in memory beside its graph; packages and advisories
// are asked of their rooms. Whoever asks is told of nothing that [identity.Can] does
// not let them read.
//
// Tables owned: none. Events written: none. Events read: none.
package search
