// Package osv reads advisories in the OSV format 1.x (https://ossf.github.io/osv-schema/):
// single records, files with several, folders, zip archives and the layout
// <Ecosystem>/all.zip of osv.dev. It is pure: it knows no database and decides
// nothing about packages.
//
// Reading is tolerant and honest. A field of the wrong type is left empty and
// reported as an oddity; a record that cannot be read at all is reported with its
// file and entry and does not stop the others; everything that is read is bounded
// before it is parsed.
package osv
