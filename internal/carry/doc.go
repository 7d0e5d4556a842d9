// Package carry brings what partners say to the rooms that make something of it: an
// advisory to the advisories, an SBOM to the product. The exchange knows no room, and
// no room knows the exchange; this package knows both, and decides what is taken.
//
// It owns no tables. It reads entry.received, entry.file, entry.recalled, entry.narrowed,
// entry.expired, partnership.known and statement.recalled, and does its work in the jobs
// carry.entry, carry.partner and carry.own, which may run again: what is there already is
// left alone. What came of it stands with the entry ([exchange.Service.Settle]).
//
// It is also the way out of what only several rooms know together: what a customer is
// told of our own suppliers ([Carrier.Telling], [Carrier.Tell]).
//
// What a partner says never changes what another source has said: an advisory is taken
// only under a name that nobody else has used here, and an SBOM only for a product of
// the partner.
package carry
