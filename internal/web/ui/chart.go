package ui

// Chart is bars beside one another on one scale. The numbers belong into a table
// under it; every bar says its own in words too.
type Chart struct {
	Title string
	Bars  []ChartBar
	Keys  []ChartKey
	Marks []ChartMark
	Note  string
}

// ChartBar is one line of a [Chart].
type ChartBar struct {
	Name  Link
	Note  string
	Words string
	Parts []ChartPart
}

// ChartPart is a part of a bar, in thousandths of the scale.
type ChartPart struct {
	Class    string
	From, To int
}

// ChartKey says what a colour means.
type ChartKey struct{ Class, Text string }

// ChartMark names a place on the scale, in thousandths; Line draws it through all
// bars, and After puts its name behind it instead of before, where two are near.
type ChartMark struct {
	At    int
	Text  string
	Line  bool
	After bool
}

func (m ChartMark) anchor() string {
	switch {
	case m.At == 0 || m.After:
		return "start"
	case m.At == 1000:
		return "end"
	}
	return "middle"
}
