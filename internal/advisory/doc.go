// Package advisory is the room of advisories: statements that versions of
// something have a vulnerability. It records them, matches them with the packages
// of the bills of materials, and answers the main question: which products, which
// processes and by which way are hit, and whom to call.
package advisory
