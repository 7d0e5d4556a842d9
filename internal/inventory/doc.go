// Package inventory knows what products are made of: the bills of materials that
// were recorded for them, and every package that stands in one.
//
// [ReadSBOM] recognises a document and reads it with the codecs cyclonedx and spdx
// into the neutral form of package sbom; [ParsePackage] takes a component apart into
// the coordinates by which the matcher looks for advisories. [Service] keeps
// documents and components in the database. Of each product one document is
// current; a newer one supersedes it, and the older stays readable.
//
// Products are nodes of the chain, and their names and suppliers are read there.
//
// Tables owned: inventory_package (the dictionary of packages of an organisation),
// inventory_word (repeated texts: types, suppliers, licences), inventory_document,
// inventory_component, inventory_content (the packages of a document in one blob,
// from which the matcher's index is built).
//
// Events written: sbom.recorded (a document became the current one of its product),
// sbom.removed (a document was withdrawn). Events read: none.
package inventory
