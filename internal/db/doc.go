// Package db is the only place that opens a database. It gives every room the
// same few operations on SQLite (one node) and PostgreSQL 15 or newer (a hub
// with several replicas), with one SQL text for both.
//
// # Reading and writing
//
// [DB.Read] runs a function on one consistent, read-only snapshot. [DB.Write]
// runs a function as the only writer of one organisation, also across replicas,
// so that a value that was read can be trusted until the commit. Organisations
// never wait for each other on PostgreSQL; SQLite has one writer for the whole
// file; those of different organisations that wait for one another share a commit
// (docs/adr/0007). [DB.WriteNode] is the same for the node-wide tables.
//
// An organisation's writer and the node's writer do not wait for each other: a
// decision of one that rests on rows of the other needs a foreign key or a
// unique index behind it (docs/adr/0002).
//
// A function given to Read, Write or WriteNode may run again after a conflict, or after
// the fault of another in the same commit:
// it must not act on anything but its transaction, and assigns results afresh.
// The first statement that fails ends the transaction on both engines; only
// [ErrNoRow] does not. A row comes once in an [Tx.Insert] with DO UPDATE, or
// PostgreSQL refuses the statement. Beginning a transaction inside a transaction is a
// fault of the program and is refused.
//
// # SQL
//
// SQL is passed as an unexported string type, so only constants compile:
// nothing that came from outside can become part of a statement. Placeholders
// are $1, $2, …; columns are TEXT, INTEGER or BLOB; times are INTEGER
// milliseconds since 1970 in UTC ([Millis], [Time]); truth values are INTEGER 0
// and 1; JSON is TEXT. Text must be valid UTF-8 without NUL, as PostgreSQL
// stores no other; arguments are checked on both engines.
//
// # Schema
//
// Migrations are goose files in migrations/, written in SQLite's dialect and
// rewritten for PostgreSQL; see migrate.go for the few rules. Every primary key
// begins with org, apart from the node-wide tables.
package db
