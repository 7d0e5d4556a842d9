// Package carry brings what partners say to the rooms that make something of it: an
// advisory to the advisories, an SBOM to the product. The exchange knows no room, and
// no room knows the exchange; this package knows both, and decides what is taken.
//
// It owns no tables. It reads entry.received and entry.file, and does its work in the
// job carry.entry, which may run again: what is there already is left alone. What came
// of it stands with the entry ([exchange.Service.Settle]).
//
// What a partner says never changes what another source has said: an advisory is taken
// only under a name that nobody else has used here, and an SBOM only for a product of
// the partner.
package carry
