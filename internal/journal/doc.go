// Package journal keeps what happened, per organisation, and makes other rooms
// act on it: it is the audit trail, the way by which rooms learn of each other,
// and the clock for work that is due later.
//
// # Events
//
// A room appends an event in the transaction that makes the change ([Append]).
// Events of one organisation are numbered without gaps from 1, in the order of
// commits, since the writer of an organisation is alone from before its snapshot
// until its commit; so a reader that remembers one number skips nothing, also
// when a slow transaction commits late. Organisations never wait for each other.
// Each event names the hash of the one before; see [Event.Hash] for what is
// hashed, and [Verify], which finds the first event that was tampered with.
//
// # Consumers
//
// A [Consumer] has a cursor per organisation. Its effect and its cursor are one
// transaction, so its effect in the database happens exactly once, though its
// handler may run again. A handler that fails is tried again, ever more slowly;
// its event is never skipped, its error shows in [Consumers], and no other
// consumer and no other organisation waits for it.
//
// # Jobs
//
// A job is work due at a time ([Schedule]). Any replica may run it; a lease keeps
// the others away, and expires if the replica dies. Each attempt has a number,
// and only the latest attempt can finish the job, in one transaction with its
// effect ([Job.Finish]). After too many failures a job is dead, with its reason.
//
// # Tables and events
//
// Owns journal_head, journal_event, journal_cursor and journal_job. It writes
// and reads no events of its own. The [Runner] looks over all organisations for
// work, and nothing else does.
package journal
