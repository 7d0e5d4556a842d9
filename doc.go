// Package entente is the vocabulary that two organisations share: identifiers,
// actors and roles, and the kinds of errors. It needs nothing but the standard
// library, so that others can import it to write a compatible peer.
//
// A newcomer reads this package first, then docs/architecture.md, then any room
// under internal/ on its own: every room begins with a doc.go that says what it
// is for, which tables it owns, and which events it writes and reads.
package entente
