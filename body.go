package entente

import (
	"encoding/json"
	"strings"
	"time"
)

// SBOM is the body of entries of [EntrySBOM]; the document itself is their first blob.
type SBOM struct {
	// Product names what the document is of, as the supplier calls it.
	Product string `json:"product"`
	Version string `json:"version,omitempty"`
}

// Practice is the body of entries of [EntryPractice]: something that works well, told
// so that others can do it too.
type Practice struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// Concern is the body of entries of [EntryConcern]. Whoever is asked answers with an
// [Answer] under the same subject.
type Concern struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	// AnswerBy is until when an answer is asked for; zero: no time is named.
	AnswerBy time.Time `json:"answer_by,omitzero"`
}

// Answer is the body of entries of [EntryAnswer], under the subject of the concern.
type Answer struct {
	// Number and Hash name what is answered: an entry of the feed in the other direction.
	Number uint64 `json:"n"`
	Hash   Hash   `json:"hash"`
	Text   string `json:"text"`
}

// Note is the body of entries of [EntryNote]: what people of both sides agreed on when
// they met.
type Note struct {
	Title string `json:"title"`
	Date  string `json:"date"` // a day, as in 2027-03-31
	// People are those who met, by role: "security lead of the supplier".
	People []string `json:"people,omitempty"`
	Points []string `json:"points"` // what was agreed
	Text   string   `json:"text,omitempty"`
}

// The bounds of what people write into a body.
const (
	MaxTitle = 200    // in bytes
	MaxText  = 50_000 // in bytes
	MaxLines = 200    // people or points of a note
)

// CheckBody says what is wrong with the body of an entry whose kind people write. Of
// other kinds it only asks for JSON.
func CheckBody(kind EntryKind, body []byte) error {
	if len(body) > MaxEntry {
		return TooLarge("this is larger than %d bytes", MaxEntry)
	}
	if !json.Valid(body) {
		return Invalid("the content is no JSON")
	}
	switch kind {
	case EntryPractice:
		return checkAs(body, func(p Practice) error { return titled(p.Title, p.Text) })
	case EntryConcern:
		return checkAs(body, func(c Concern) error { return titled(c.Title, c.Text) })
	case EntryAnswer:
		return checkAs(body, func(a Answer) error {
			if a.Number == 0 || a.Hash.IsZero() {
				return Invalid("an answer names the entry that it answers")
			}
			return titled("answer", a.Text)
		})
	case EntryNote:
		return checkAs(body, Note.check)
	case EntrySBOM:
		return checkAs(body, func(b SBOM) error {
			if strings.TrimSpace(b.Product) == "" || len(b.Product) > MaxTitle || len(b.Version) > MaxTitle {
				return Invalid("say of which product the SBOM is, in at most %d characters", MaxTitle)
			}
			return nil
		})
	case EntryAdvisory:
		return checkAs(body, func(a struct {
			ID string `json:"id"`
		}) error {
			if strings.TrimSpace(a.ID) == "" {
				return Invalid("it is no advisory that can be read: an OSV record has an id")
			}
			return nil
		})
	}
	return nil
}

func checkAs[T any](body []byte, check func(T) error) error {
	var b T
	if err := json.Unmarshal(body, &b); err != nil {
		return Invalid("the content cannot be read: %s", err.Error())
	}
	return check(b)
}

func titled(title, text string) error {
	switch {
	case strings.TrimSpace(title) == "":
		return Invalid("say in a few words what it is about")
	case len(title) > MaxTitle:
		return TooLarge("the title is longer than %d characters", MaxTitle)
	case strings.TrimSpace(text) == "":
		return Invalid("write what you want to say")
	case len(text) > MaxText:
		return TooLarge("the text is longer than %d characters", MaxText)
	}
	return nil
}

func (n Note) check() error {
	if _, err := time.Parse(time.DateOnly, n.Date); err != nil {
		return Invalid("give the day on which you met, as in 2027-03-31")
	}
	if len(n.Points) == 0 || len(n.Points) > MaxLines || len(n.People) > MaxLines {
		return Invalid("write what was agreed, from 1 to %d points", MaxLines)
	}
	for _, line := range append(append([]string{n.Text + "."}, n.Points...), n.People...) {
		if err := titled(n.Title, line); err != nil {
			return err
		}
	}
	return nil
}
