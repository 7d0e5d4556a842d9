// Package spdx reads SPDX 2.2 and 2.3 as JSON and tag-value, and SPDX 3 as JSON-LD,
// one package at a time. It keeps no document in memory, does no input or output of
// its own beyond the reader it is given, and knows nothing of databases.
//
// What it emits: packages, in SPDX 3 also the packages of the AI and dataset
// profiles. Files, snippets and relationships are read over.
package spdx
