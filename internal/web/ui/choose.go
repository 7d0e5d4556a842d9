package ui

import "slices"

// CheckGroup is a question of a form with several answers to tick.
type CheckGroup struct {
	Name    string
	Label   string
	Hint    string
	Wrong   string
	Class   string
	Options []Option
	Ticked  []string // values of the options that are ticked
}

func (c CheckGroup) ticked(value string) bool { return slices.Contains(c.Ticked, value) }
