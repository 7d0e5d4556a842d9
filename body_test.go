package entente

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBodies(t *testing.T) {
	hash := HashOf(nil).String()
	for _, c := range []struct {
		kind EntryKind
		body string
		ok   bool
	}{
		{EntryPractice, `{"title":"Backups","text":"Restore one every month."}`, true},
		{EntryPractice, `{"title":" ","text":"Restore one every month."}`, false},
		{EntryPractice, `{"title":"Backups"}`, false},
		{EntryPractice, `{"title":"Backups","text":"` + strings.Repeat("a", MaxText+1) + `"}`, false},
		{EntryPractice, `{"title":1}`, false},
		{EntryPractice, `{`, false},
		{EntryConcern, `{"title":"Keys","text":"Who holds them?","answer_by":"2027-01-02T00:00:00Z"}`, true},
		{EntryConcern, `{"title":"Keys","text":"Who holds them?","answer_by":"soon"}`, false},
		{EntryAnswer, `{"n":1,"hash":"` + hash + `","text":"We do."}`, true},
		{EntryAnswer, `{"n":0,"hash":"` + hash + `","text":"We do."}`, false},
		{EntryAnswer, `{"n":1,"hash":"` + hash + `","text":""}`, false},
		{EntryNote, `{"title":"Spring","date":"2027-03-31","points":["a test in May"],"people":["security lead"]}`, true},
		{EntryNote, `{"title":"Spring","date":"2027-02-31","points":["a test in May"]}`, false},
		{EntryNote, `{"title":"Spring","date":"2027-03-31","points":[]}`, false},
		{EntryNote, `{"title":"Spring","date":"2027-03-31","points":[" "]}`, false},
		{EntrySBOM, `{"product":"Roaster"}`, true},
		{EntrySBOM, `{"version":"1"}`, false},
		{EntryAdvisory, `{"id":"A-1"}`, true},
		{EntryAdvisory, `{"name":"A-1"}`, false},
		{"of.tomorrow", `[1]`, true},
	} {
		if err := CheckBody(c.kind, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s %.80s: %v", c.kind, c.body, err)
		}
	}
}

func FuzzCheckBody(f *testing.F) {
	f.Add(string(EntryNote), []byte(`{"title":"Spring","date":"2027-03-31","points":["a test in May"]}`))
	f.Add(string(EntryConcern), []byte(`{"title":"Keys","text":"Who holds them?","answer_by":"2027-01-02T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if CheckBody(EntryKind(kind), body) == nil && !json.Valid(body) {
			t.Errorf("%q was let through", body)
		}
	})
}
