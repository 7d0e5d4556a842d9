// Package advisory is the room of advisories: statements that versions of
// something have a vulnerability. It records them, matches them with the packages
// of the bills of materials, and answers the main question: which products, which
// processes and by which way are hit, and whom to call. How it decides is told for
// people in docs/matching.md.
//
// The pure part needs no database: [KeyOf] (by which names advisories can concern a
// package), [Compile] and [Matcher] (whether a version is affected, with the reason),
// [Groups] (records that tell of one thing under several names), [Index] (packages,
// documents and products in memory) and [Scan], which the command line uses. The
// codec is the package osv.
//
// [Service] keeps the same in the database. A match is never removed: it changes
// its state, and the history stays. Matching goes both ways and costs as much as it
// hits: a new advisory is looked up in the index, a new package in advisory_affects.
// The index of an organisation is kept in memory within a bound; it is a copy of
// what the tables say, loaded from a compact stored form and brought up to date by
// the journal, and can be thrown away at any time.
//
// Tables owned: advisory_record and advisory_body (records), advisory_alias (their
// names), advisory_affects (the packages they name), advisory_group (records joined
// by their names, with counts), advisory_match and advisory_match_history,
// advisory_index and advisory_index_head (the stored form), advisory_vex (what suppliers
// say of whether their products are affected).
//
// Events written: advisory.recorded (records are new or changed), advisory.matched
// (packages stand differently to advisories), advisory.spoken (a supplier said how its
// products stand, or took it back). Events read: advisory.recorded, advisory.spoken,
// sbom.recorded, sbom.removed. Jobs: advisory.save-index.
package advisory
