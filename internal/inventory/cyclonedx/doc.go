// Package cyclonedx reads CycloneDX 1.0 to 1.7, JSON and XML, one component at a
// time. It keeps no document in memory, does no input or output of its own beyond
// the reader it is given, and knows nothing of databases.
//
// What it emits: every component at any depth of components, those nested in the
// subject (metadata.component), and services with the type "service". Ancestors and
// variants of a pedigree are not part of the product and are left out, and so are
// the components that metadata.tools lists.
package cyclonedx
