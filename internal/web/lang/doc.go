// Package lang says texts in the reader's language, and numbers, dates and sizes in
// the reader's way.
//
// Every text that people read is an [entente.Text] in English, in the place where it
// is said. A language is one file in catalogue/, whose keys are these texts; what it
// leaves out is said in English. catalogue/en.yaml lists all of them and is written
// by `make generate`. The language en-XA is made up for tests: its words are longer
// and spelled with accents, so that a text that no catalogue holds stands out.
package lang
