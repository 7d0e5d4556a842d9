// Package threat is the room of threats that partners shared: STIX 2.1 objects, each
// kept as it came, with who said it, when, and under which label. The codec is the
// package stix.
//
// A later entry of the same party that holds the same object takes its place in the
// list; both are kept. What was taken back is deleted.
//
// Tables owned: threat_object. Events written: threat.recorded, threat.forgotten.
// Events read: none.
package threat
