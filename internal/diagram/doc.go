// Package diagram turns a chain into diagrams for package draw: the flows of data with
// a boundary around each organisation, and what a process hangs on by rank. Both doors
// show the same drawings, each in the words of its reader.
//
// Tables owned, events written and read: none.
package diagram
