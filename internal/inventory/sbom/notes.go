package sbom

import (
	"strings"
	"time"

	entente "github.com/entente-project/entente"
)

// perKind is how many oddities of one kind are kept, so that one habit of a tool
// does not push out everything else.
const perKind = 20

// Notes collects the oddities of a document within a limit.
type Notes struct {
	limit int
	kept  []Oddity
	more  int
	kinds map[entente.Text]int
}

// NewNotes collects up to limit oddities.
func NewNotes(limit int) *Notes {
	return &Notes{limit: limit, kinds: make(map[entente.Text]int)}
}

// Add keeps an oddity of a kind; where is called only if it is kept. The kind is
// the text of the sentence.
func (n *Notes) Add(where func() string, kind entente.Text, args ...any) {
	n.kinds[kind]++
	if n.kinds[kind] > perKind || len(n.kept) >= n.limit {
		n.more++
		return
	}
	n.kept = append(n.kept, Oddity{Where: where(), What: entente.Say(kind, args...).String()})
}

// At is Add with a place that costs nothing to name.
func (n *Notes) At(where string, kind entente.Text, args ...any) {
	n.Add(func() string { return where }, kind, args...)
}

// Into moves what was collected to the document.
func (n *Notes) Into(d *Document) {
	d.Oddities = n.kept
	d.MoreOddities = n.more
}

// Clip shortens a text from a document for a message.
func Clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// Moment reads the ways in which tools write a time.
func Moment(v string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", "2006-01-02"} {
		t, err := time.Parse(layout, strings.TrimSpace(v))
		if err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
