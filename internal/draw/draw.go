package draw

// Shape is how a thing is drawn; the notation follows Gane and Sarson.
type Shape string

// The shapes.
const (
	Entity  Shape = "entity"  // external party: square corners
	Process Shape = "process" // process or activity: round corners
	Store   Shape = "store"   // data store: open at the right
	System  Shape = "system"
	Supply  Shape = "supply"
	Product Shape = "product"
)

// Mark is how a thing or an edge stands out. It is always said in words too.
type Mark string

// The marks.
const (
	Plain   Mark = ""
	Focus   Mark = "focus"   // what the diagram is about
	Hit     Mark = "hit"     // affected or failed
	Source  Mark = "source"  // where it begins
	Faded   Mark = "faded"   // context only
	Crosses Mark = "crosses" // an edge that crosses a trust boundary
)

// Node is one thing in a diagram.
type Node struct {
	ID    string
	Label string
	Note  string // a second, smaller line: kind, time, class
	Shape Shape
	Group string // id of a Group, "" for none
	Href  string // where a click leads, "" for nowhere
	Mark  Mark
}

// Edge is an arrow between two things.
type Edge struct {
	From, To string
	Label    string
	Note     string // said in the tooltip only
	Mark     Mark
	Dashed   bool
}

// Group is a boundary around things: an organisation, a zone of trust.
type Group struct {
	ID    string
	Label string
	Mark  Mark
}

// Diagram is what [Diagram.SVG] draws. Edges whose ends are missing are left out.
type Diagram struct {
	Title string // the accessible name
	Desc  string // a sentence that says what one sees, for those who do not
	Nodes []Node
	Edges []Edge
	// Groups are drawn in the order in which their column places them; a node's
	// group that is not listed is drawn without a boundary.
	Groups []Group
}
