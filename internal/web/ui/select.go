package ui

// Views are the saved views of a list.
type Views struct {
	All    Tab // the list as it is by itself
	Saved  []Tab
	Manage string // the page on which they are renamed and removed
	// Save is where the form leads that keeps what is shown now; Share says whether it
	// may be given to everybody.
	Save  string
	List  string
	Query string
	Share bool
}

// Picking is how rows of a list are chosen and what can be done with them.
type Picking struct {
	Action string // with what the list shows now
	Scopes []Option
	Acts   []Option
}

// Doing is a form of one button beside a notice.
type Doing struct {
	Action string
	Text   string
	More   Link
	Fields []Option // the values that go along, by their names
}
