// Package exchange carries what organisations tell each other: signed entries in
// feeds, between nodes and between organisations of one node.
//
// It knows who the partners are and which keys are theirs, what was agreed with
// them, what may go to whom and why not, what was sent, held, read and taken back.
// What an entry says is the business of the rooms: they follow the event
// entry.received and read the entry here.
//
// # The way out
//
// Everything leaves by [Service.Say] and the few entries that keep a partnership
// (keys, agreements, recalls), and all of it through [entente.MayShare]. A statement
// is decided upon per partner, signed into the feed of each who may have it, and
// written into the ledger for each, in one transaction. The job exchange.deliver
// pushes a feed until its receiver has signed for all of it, ever more slowly while
// it does not answer; a receiver that cannot be reached fetches by itself.
//
// # The way in
//
// An entry is checked by [entente.FeedState.Take], stored as it was signed, and only
// then acknowledged by a signed receipt. A feed that contradicts itself is put into
// quarantine, with the proof. Requests between nodes are signed (RFC 9421) and taken
// once.
//
// # Tables and events
//
// Owns the tables exchange_*. Writes the Event constants of events.go. Reads no
// events. Private keys are touched by the package vault alone.
package exchange
