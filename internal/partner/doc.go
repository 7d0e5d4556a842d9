// Package partner is the two-sided relation of a customer and a supplier. Now it
// holds the tier: how much hangs on a supplier, computed from the chain with its
// arithmetic shown, and what people add or set by hand with a reason.
package partner
