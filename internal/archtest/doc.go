// Package archtest holds the rules of the house as tests: who may import whom,
// which room writes which tables, how long a file may be, which words are used.
// The rules themselves stand in docs/architecture.md; what breaks one is told
// here by file and line. It has no code of its own, only tests.
package archtest
