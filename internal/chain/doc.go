// Package chain knows what the business rests on: organisations, processes with
// their activities and BIA, systems, supplies, products, needs and flows. It
// answers the three questions about them: what stops when something is down
// ([Graph.Outage]), where a compromise spreads ([Graph.Compromise]), and on whom
// too much hangs ([Graph.Concentration]). Every answer carries its reason.
//
// A chain comes in as a [Map] (the file format entente.map/1, docs/map.md), is
// checked by [Validate], and becomes an immutable [Graph] by [Compile]. All three
// answers are pure functions of that graph. [Service] keeps one chain per hosted
// organisation in the database.
//
// Tables owned: chain_revision, chain_organisation, chain_contact, chain_process,
// chain_cost, chain_item, chain_activity, chain_system, chain_supply,
// chain_access, chain_product, chain_carries, chain_need, chain_need_option,
// chain_flow, chain_import (spreadsheets, from their upload on), chain_history (what
// each thing was before and after a change), chain_disclosure_choice (how much each
// partner is told of our suppliers), chain_disclosed (what suppliers told of theirs,
// which is in the graph and never in the map).
//
// Events written: chain.imported (a whole map was taken over; a spreadsheet was
// imported, or its import undone), chain.changed (one thing was edited or removed).
// Both name what was added, changed and removed. chain.disclosed (a supplier told of its
// suppliers, or took it back), chain.chosen (how much a partner is told).
// Events read: none.
package chain
