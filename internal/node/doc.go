// Package node puts a node together: the rooms on one database, the workers, the two
// doors and the exchange behind one listener. It is the only place that wires rooms;
// the command, the tests with several nodes and the bench start nodes from here, so
// that all of them run the same.
//
// It owns no tables, and decides nothing.
package node
