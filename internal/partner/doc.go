// Package partner is the two-sided relation of a customer and a supplier. Now it
// holds the tier: how much hangs on a supplier, computed from the chain with its
// arithmetic shown, and what people know beside it or set by hand with a reason.
//
// Tables: partner_answer, partner_override.
// Writes: partner.answered, partner.tier-set, partner.tier-freed.
// Reads: the chain, through its service.
package partner
