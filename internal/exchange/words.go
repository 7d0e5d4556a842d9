package exchange

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// Words are what a person writes, of whatever kind: each kind takes some of them.
type Words struct {
	Title, Text      string
	AnswerBy         time.Time // of a concern
	Date             string    // of a note, and who met and what they agreed
	People, Points   []string
	Product, Version string          // of an SBOM
	Record           json.RawMessage // an advisory or a threat, as it is
}

// Into makes the body of a statement of the words, and names it.
func (w Words) Into(n *NewStatement) (err error) {
	n.Title = strings.TrimSpace(w.Title)
	switch n.Kind {
	case entente.EntryPractice:
		n.Body, err = json.Marshal(entente.Practice{Title: n.Title, Text: w.Text})
	case entente.EntryConcern:
		n.Body, err = json.Marshal(entente.Concern{Title: n.Title, Text: w.Text, AnswerBy: w.AnswerBy})
	case entente.EntryNote:
		n.Body, err = json.Marshal(entente.Note{Title: n.Title, Date: w.Date, People: w.People, Points: w.Points, Text: w.Text})
	case entente.EntrySBOM:
		n.Title, n.Subject = strings.TrimSpace(w.Product+" "+w.Version), "sbom/"+strings.TrimSpace(w.Product)
		n.Body, err = json.Marshal(entente.SBOM{Product: strings.TrimSpace(w.Product), Version: strings.TrimSpace(w.Version)})
	case entente.EntryAdvisory:
		h := headingOf(w.Record)
		n.Title, n.Subject, n.Body = h.title(), "advisory/"+h.ID, w.Record
	case entente.EntryThreat:
		n.Body = w.Record
	default:
		return entente.Invalid("%q is nothing that a person says", string(n.Kind))
	}
	if err != nil {
		return err
	}
	return entente.CheckBody(n.Kind, n.Body)
}

// SourceOf names a partner as the source of what rooms take of what it said.
func SourceOf(r Received) string { return fmt.Sprintf("%s (%s)", r.Name, r.Party) }

// PartyOfSource is the partner that [SourceOf] named; empty: the source is another one.
func PartyOfSource(source string) entente.PartyID {
	at := strings.LastIndex(source, " (")
	if at < 0 {
		return ""
	}
	p := entente.PartyID(strings.TrimSuffix(source[at+2:], ")"))
	if p.Valid() != nil {
		return ""
	}
	return p
}
