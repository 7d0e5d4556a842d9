// Package outbound makes the connections by which a node calls addresses that people
// outside gave it: webhooks and partners. What they name must not lead into the
// node's own network.
package outbound
