// Package sheet reads and writes spreadsheets: CSV as people's programs write it
// (comma, semicolon or tab; UTF-8, with or without a mark, UTF-16 or Windows-1252)
// and XLSX. Rows are streamed both ways. Cells that a spreadsheet program would
// run as a formula are written as text.
//
// Tables owned, events written and read: none.
package sheet
