package exchange

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// heading is what the body of an entry says of itself, whatever its kind: enough for
// lists, which open no bodies.
type heading struct {
	Title    string `json:"title"`
	Summary  string `json:"summary"`
	Product  string `json:"product"`
	Version  string `json:"version"`
	ID       string `json:"id"`
	AnswerBy string `json:"answer_by"`
	Objects  []struct {
		Name string `json:"name"`
	} `json:"objects"`
}

func headingOf(body json.RawMessage) (h heading) {
	_ = json.Unmarshal(body, &h) // what is of another shape has no heading, or a part of it
	return h
}

// longestTitle bounds a title in lists, in bytes.
const longestTitle = 190

func (h heading) title() string {
	named := strings.TrimSuffix(h.ID+": "+h.Summary, ": ")
	if h.ID == "" {
		named = h.Summary
	}
	for _, o := range h.Objects {
		if o.Name != "" {
			named = o.Name // of a bundle, the first thing in it that has a name
			break
		}
	}
	for _, text := range []string{h.Title, named, strings.TrimSpace(h.Product + " " + h.Version)} {
		text = strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")), " ")
		if len(text) > longestTitle {
			text = strings.ToValidUTF8(text[:longestTitle], "") + "…"
		}
		if text != "" {
			return text
		}
	}
	return ""
}

// dueOf is until when an entry asks for an answer; zero: it does not.
func dueOf(e entente.Entry) time.Time {
	at, err := time.Parse(time.RFC3339, headingOf(e.Body).AnswerBy)
	if err != nil || e.Kind != entente.EntryConcern {
		return time.Time{}
	}
	return at.UTC()
}
