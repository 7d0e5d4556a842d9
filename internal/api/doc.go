// Package api is the JSON door of a node: every operation under /api/v1, its
// OpenAPI 3.1 document (made from the Go types, at /api/v1/openapi.json and .yaml)
// and a reference page made from that document at /api/v1/.
//
// Each room has one file here (chain.go, inventory.go, advisory.go, journal.go,
// identity.go; the chain's things, batches and imports of sheets have things.go,
// batch.go, imports.go and drawings.go) that lists its operations as data: address, the verb that
// internal/identity is asked about, the object it is asked for, and the function
// that answers. operation.go turns the list into handlers; a test walks the same
// list against the table of rights, so an operation without a decision cannot be
// added.
//
// What all operations share: a token in the Authorization header and never a cookie
// (auth.go), problems by RFC 9457 from one table (problem.go), cursors (page.go),
// ETag, If-None-Match and If-Match (etag.go), and Idempotency-Key on POST
// (idempotency.go).
//
// Table owned: api_idempotency. Events written and read: none.
package api
