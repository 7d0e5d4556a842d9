// Package ui holds what all pages are made of: the frame, the components, the
// style sheet and the pictures. It knows nothing of the rooms; a page fills the
// structs of this package and renders them.
//
// The style sheet is the files of static/ in their order, joined to one: tokens,
// base, frame, parts, pages, print, each in its own cascade layer. A test reads the
// colours of 1-tokens.css and holds every pair of text and ground to WCAG AA in the
// light and the dark scheme.
//
// Rules of the interface: words before icons, and a colour never says something
// alone; every empty place names one next step; nothing needs a script where a page can do
// without (script/ holds the exceptions); nothing is
// styled or scripted inline, so that the strict Content-Security-Policy holds.
package ui
