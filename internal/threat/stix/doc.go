// Package stix reads STIX 2.1: checks that objects keep what the standard demands,
// keeps them byte by byte as they came, unknown fields included, and says which TLP
// label they bear. It is pure.
//
// Who composes a threat to send, or receives one, calls [Read] with the bytes: a
// bundle, a list of objects or one object. An error means that it cannot be read at
// all. Then [Document.Check] gives what a MUST of the standard forbids, as one error
// with a field for each place; an entry that is sent has none. [Document.TLP] is the
// strictest label that is written inside: it must not be stricter than the marking of
// the entry ([entente.Stricter] gives the one that holds):
//
//	d, err := stix.Read(body)          // the body of an entry of kind "threat"
//	err = d.Check()                    // an entente.Error of kind invalid, or nil
//	label, said := d.TLP()             // said is false where nothing inside has one
//	ok := !said || marking.TLP >= label
//
// [Object.Title] names an object in a line of a list, [Terms] takes a pattern apart.
//
// The rules are the table types.txt and the functions of rules.go; they were compared
// with the cases of the OASIS validator. Vocabularies that are open, and what the
// standard only recommends, are not checked.
package stix
