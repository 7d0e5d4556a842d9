package ui

import (
	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
)

// Link is a text that leads somewhere.
type Link struct {
	Text string
	Href string
}

// Page is what the frame needs to know of a page.
type Page struct {
	Title   string // of the page alone; the frame adds organisation and product
	Org     Organisation
	Several bool // the person belongs to more than one organisation
	Person  string
	Home    string
	Account string
	Nav     []NavGroup
	Search  string // where everything can be searched
	Live    string // where what happens is told; "" if the page does not follow it
	Seen    int64  // up to which event of the journal the page is
}

// Organisation is the one that a page is about.
type Organisation struct {
	ID   string
	Name string
}

// NavGroup is one group of the navigation; without a name its items stand alone.
type NavGroup struct {
	Name  string
	Items []NavItem
}

// NavItem leads to one part of the program.
type NavItem struct {
	Link
	Current bool
}

// Head is the head of a page's content.
type Head struct {
	Crumbs  []Link
	Title   string
	Badges  []Badge
	Lead    string
	Main    Link   // what most people do on the page, if anything stands out
	Actions []Link // what else can be done
}

// Tone is the weight of a badge or a notice. It only supports what the words say.
type Tone string

// The tones.
const (
	Calm   Tone = ""
	Good   Tone = "good"
	Warn   Tone = "warn"
	Bad    Tone = "bad"
	Accent Tone = "accent"
)

// Badge is a word with a tone.
type Badge struct {
	Text string
	Tone Tone
}

// Notice tells something about the page as a whole: what just happened, what went
// wrong and where.
type Notice struct {
	Tone  Tone
	Text  string
	Items []string
	Doing Doing // what can be done about it at once, such as to undo it
}

// Ask is a question before a grave act.
type Ask struct {
	Title  string
	Text   string // what follows from it
	Yes    string // the words of the button that does it
	Action string
	Fields []Option
	Back   string // where who does not mean it goes
}

// Empty stands where there is nothing to show, with the one next step.
type Empty struct {
	Title string
	Text  string
	Next  Link   // empty when the actor can do nothing about it
	More  []Link // other ways to begin
}

// Fact is one figure with its name, and what it means.
type Fact struct {
	Name  string
	Value string
	Note  string
	Href  string
}

// Def is one line of a definition list. A line with neither text nor view is left out.
type Def struct {
	Term string
	Text string
	View templ.Component
}

// Tab leads to another side of the same thing.
type Tab struct {
	Link
	Current bool
}

// Field is one field of a form.
type Field struct {
	Name         string
	Label        string
	Type         string // of the input; "" is text
	Value        string
	Hint         string
	Wrong        string // what is wrong with the value
	Autocomplete string
	Accept       string
	Required     bool
	Multiple     bool
	Focus        bool
	Mode         string // inputmode
	MaxLength    int
}

// ID is the id of the field's input.
func (f Field) ID() string { return "f-" + f.Name }

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// describedBy lists the ids of the texts that explain the field.
func (f Field) describedBy() string {
	switch {
	case f.Wrong != "" && f.Hint != "":
		return f.ID() + "-wrong " + f.ID() + "-hint"
	case f.Wrong != "":
		return f.ID() + "-wrong"
	case f.Hint != "":
		return f.ID() + "-hint"
	}
	return ""
}

// Option is one choice of a [Choice].
type Option struct {
	Value string
	Label string
}

// Choice is a field with a few values to choose from.
type Choice struct {
	Name    string
	Label   string
	Value   string
	Options []Option
	Class   string
	Hint    string
}

// Cell is one cell of a [List]: what it says, and how the page shows it.
type Cell struct {
	Text string // also what a file of the list says
	Href string
	Note string // a second, quieter line
	View templ.Component
	// Same says that the text is spelled alike in every language: a file's heading, a name.
	Same bool
	// NoteView is a second line that is more than text.
	NoteView templ.Component
}

// Blank says whether the cell shows nothing.
func (c Cell) Blank() bool { return c.Text == "" && c.Note == "" && c.View == nil && c.NoteView == nil }

// Column is one column of a [List].
type Column struct {
	Label    entente.Text
	Num      bool
	Tight    bool   // never broken over lines
	Wide     bool   // sentences: on a phone they get the whole width
	SortHref string // "" if the list cannot be sorted by it
	Sorted   string // "ascending" or "descending" if the list is sorted by it
}

// List is a table with everything around it: search, filters, sorting, the count of
// rows, pages and the ways to take it away. Its whole state is in the URL.
type List struct {
	Noun    string // what the rows are, in the plural: "processes"
	Action  string // the path that the filter form leads to
	Search  string // what the search field asks for; "" hides the field
	Query   string
	Filters []Choice
	Fields  []Field  // filters into which something is typed
	Sorts   []Option // for narrow screens, where the head of the table is hidden
	Sort    string
	Keep    []Option // fields of the URL that belong to the page and not to the list
	Rows    []Row
	Columns []Column
	Count   string // "Rows 1 to 50 of 312 processes"
	Clear   string // leads to the list without search and filters; "" if none is in force
	Prev    string
	Next    string
	Pages   string // "Page 2 of 7"
	Sizes   []Option
	Size    string
	Choose  []ColumnChoice // the columns that there are to choose from
	CSV     string
	XLSX    string
	Empty   Empty // of a list that has no rows at all
	None    Empty // of a list whose filters let no row through
	// Follows lists what the rows follow while the page stands open, see [Following].
	Follows string
	Notice  Notice
	Views   *Views   // nil for lists without saved views
	Picking *Picking // nil for lists of which no rows are chosen
	// All is the number of rows before search and filters, or -1 if it is not known.
	All int
}

// ColumnChoice is a column that the reader may choose to see.
type ColumnChoice struct {
	Value  string
	Label  string
	On     bool
	Always bool // on, and not to be turned off
}

// Row is one row of a [List]; the first cell names it.
type Row struct {
	ID    string // by which the row is chosen, in a list with a [Picking]
	Cells []Cell
}

// Hop is one step of a way through the chain: a thing, and how it leads on.
type Hop struct {
	Link
	Relation string // to the next hop; "" at the end
}

// Call is an organisation to call: why, and whom there.
type Call struct {
	Organisation Link
	Note         string
	People       []Contact
}

// Contact is one person or desk to call.
type Contact struct {
	Name  string
	Role  string
	Email string
	Phone string
	// Invite leads to an invitation of a colleague to this program; mostly empty.
	Invite string
}

// Bar is one line of a time line: from when on a process stops, is late and is lost,
// in thousandths of the horizon; a value of 1000 or more is not reached.
type Bar struct {
	Name    Link
	Note    string
	Words   string // the same in words, for those who do not see the drawing
	Stopped int
	Late    int
	Lost    int
	Now     int // where a line marks the moment that is looked at; 0 for none
}
