package osv

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/entente-project/entente"
)

const small = `{
  "schema_version": "1.6.0",
  "id": "GHSA-aaaa-bbbb-cccc",
  "modified": "2024-05-06T07:08:09Z",
  "published": "2024-05-01T00:00:00.5Z",
  "aliases": ["CVE-2024-1", "CVE-2024-1", "GHSA-aaaa-bbbb-cccc", ""],
  "summary": "A hole",
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
  "affected": [{
    "package": {"ecosystem": "npm", "name": "left"},
    "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.3"}]}],
    "versions": ["1.0.0"],
    "unknown_field": {"kept": true}
  }],
  "database_specific": {"severity": "high"}
}`

func TestParse(t *testing.T) {
	r, odd, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if len(odd) != 0 {
		t.Errorf("oddities %v in a right record", odd)
	}
	if r.ID != "GHSA-aaaa-bbbb-cccc" || r.Rating != "HIGH" || len(r.Aliases) != 1 || r.Aliases[0] != "CVE-2024-1" {
		t.Errorf("read %+v", r)
	}
	if r.Modified.IsZero() || r.Published.Nanosecond() != 5e8 || !r.Withdrawn.IsZero() {
		t.Errorf("times %v, %v, %v", r.Modified, r.Published, r.Withdrawn)
	}
	if len(r.Affected) != 1 || r.Affected[0].Ranges[0].Events[1].Fixed != "1.2.3" {
		t.Errorf("affected %+v", r.Affected)
	}
	if !bytes.Contains(r.Raw, []byte(`"unknown_field":{"kept":true}`)) {
		t.Error("an unknown field is lost")
	}
}

func TestParseIsTolerant(t *testing.T) {
	for name, c := range map[string]struct{ in, where string }{
		"severity of a wrong type": {`{"id":"A-1","severity":"HIGH","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1"]}]}`, "severity"},
		"a number as a version":    {`{"id":"A-1","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":[1]}]}`, "affected"},
		"no time":                  {`{"id":"A-1","modified":"yesterday"}`, "modified"},
		"half a package":           {`{"id":"A-1","affected":[{"package":{"name":"x"}}]}`, "affected[0].package"},
	} {
		t.Run(name, func(t *testing.T) {
			r, odd, err := Parse([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if r.ID != "A-1" {
				t.Errorf("id %q", r.ID)
			}
			if len(odd) != 1 || !strings.HasPrefix(odd[0].Where, c.where) {
				t.Errorf("oddities %v, want one at %s", odd, c.where)
			}
		})
	}
	r, _, err := Parse([]byte(`{"id":"A-1","withdrawn":"some day"}`))
	if err != nil || r.Withdrawn.IsZero() {
		t.Errorf("withdrawn with an unreadable time is %v, %v; want withdrawn", r.Withdrawn, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":   "",
		"no object": "[1]",
		"text":      `"x"`,
		"no id":     `{"modified":"2024-01-01T00:00:00Z"}`,
		"cut off":   small[:200],
		"trailing":  small + "{}",
		"long id":   `{"id":"` + strings.Repeat("A", maxID+1) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse([]byte(in))
			if entente.KindOf(err) != entente.KindInvalid {
				t.Errorf("error %v, want one of kind invalid", err)
			}
		})
	}
	_, _, err := Parse(make([]byte, MaxRecord+1))
	if entente.KindOf(err) != entente.KindTooLarge {
		t.Errorf("error %v, want one of kind too-large", err)
	}
	_, _, err = Parse([]byte("{\n\"id\": \"A-1\",\n oops\n}"))
	if err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("error %v does not name line 3", err)
	}
}

type seen struct {
	docs, wrong, skipped []string
}

func (s *seen) visitor() Visitor {
	return Visitor{
		Doc:     func(d Doc) error { s.docs = append(s.docs, d.Where); return nil },
		Wrong:   func(where string, err error) error { s.wrong = append(s.wrong, where+": "+err.Error()); return nil },
		Skipped: func(where string) { s.skipped = append(s.skipped, where) },
	}
}

func makeZip(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := zw.Create(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWalkFindsEveryLayout(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("npm/all.zip", makeZip(t, "A-1.json", `{"id":"A-1"}`, "README.md", "x", "sub/A-2.json", `{"id":"A-2"}`))
	write("single/A-3.json", []byte("\xef\xbb\xbf"+small))
	write("many.json", []byte(` [{"id":"A-4"}, {"id":"A-5"}]`))
	write("api.json", []byte(`{ "vulns": [{"id":"A-6"}]}`))
	write("lines.jsonl", []byte("{\"id\":\"A-7\"}\n\n{\"id\":\"A-8\"}"))
	write("outer.zip", makeZip(t, "Go/all.zip", string(makeZip(t, "A-9.json", `{"id":"A-9"}`))))
	write("notes.txt", []byte("x"))
	write("empty.json", nil)
	write("broken.zip", []byte("PK"))

	var s seen
	if err := Walk(t.Context(), dir, DefaultLimits(), s.visitor()); err != nil {
		t.Fatal(err)
	}
	if len(s.docs) != 9 {
		t.Errorf("found %d records: %q, want 9", len(s.docs), s.docs)
	}
	joined := strings.Join(s.docs, "\n")
	for _, place := range []string{"npm/all.zip/sub/A-2.json", "many.json[1]", "api.json[0]", "lines.jsonl:3", "outer.zip/Go/all.zip/A-9.json"} {
		if !strings.Contains(joined, place) {
			t.Errorf("no record is said to lie at %s", place)
		}
	}
	if len(s.wrong) != 2 || len(s.skipped) != 2 {
		t.Errorf("wrong %q, skipped %q", s.wrong, s.skipped)
	}

	var one seen
	if err := Walk(t.Context(), filepath.Join(dir, "npm", "all.zip"), DefaultLimits(), one.visitor()); err != nil || len(one.docs) != 2 {
		t.Errorf("one archive gives %q, %v", one.docs, err)
	}
	if err := Walk(t.Context(), filepath.Join(dir, "notes.txt"), DefaultLimits(), one.visitor()); entente.KindOf(err) != entente.KindInvalid {
		t.Errorf("a text file gives %v", err)
	}
	if err := Walk(t.Context(), filepath.Join(dir, "absent"), DefaultLimits(), one.visitor()); entente.KindOf(err) != entente.KindInvalid {
		t.Errorf("no file gives %v", err)
	}
}

func TestWalkStopsWhereTheVisitorSays(t *testing.T) {
	enough := errors.New("enough")
	err := WalkFS(t.Context(), fstest.MapFS{"a.json": {Data: []byte(small)}}, DefaultLimits(), Visitor{
		Doc: func(Doc) error { return enough }, Wrong: func(string, error) error { return nil },
	})
	if !errors.Is(err, enough) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var s seen
	err = WalkFS(ctx, fstest.MapFS{"a.json": {Data: []byte(small)}}, DefaultLimits(), s.visitor())
	if !errors.Is(err, context.Canceled) || len(s.docs) != 0 {
		t.Errorf("cancelled: %v, %q", err, s.docs)
	}
}

func TestWalkIsBounded(t *testing.T) {
	zeros := `{"id":"Z","details":"` + strings.Repeat("0", 3<<20) + `"}`
	inner := string(makeZip(t, "A.json", small))
	for name, c := range map[string]struct {
		data []byte
		lim  func(*Limits)
		want string
	}{
		"entries":  {makeZip(t, "a.json", small, "b.json", small), func(l *Limits) { l.Entries = 1 }, "2 entries"},
		"record":   {makeZip(t, "a.json", small), func(l *Limits) { l.Record = 10 }, "at most 10"},
		"ratio":    {makeZip(t, "a.json", zeros), func(*Limits) {}, "200 times"},
		"unpacked": {makeZip(t, "a.json", small, "b.json", small), func(l *Limits) { l.Unpacked = int64(len(small)) }, "the rest is not read"},
		"nesting":  {makeZip(t, "1.zip", string(makeZip(t, "2.zip", inner))), func(*Limits) {}, "more than 1 others"},
		"archive":  {makeZip(t, "1.zip", inner), func(l *Limits) { l.Archive = 8 }, "at most 8"},
	} {
		t.Run(name, func(t *testing.T) {
			lim := DefaultLimits()
			c.lim(&lim)
			var s seen
			fsys := fstest.MapFS{"x.zip": {Data: c.data}}
			if err := WalkFS(t.Context(), fsys, lim, s.visitor()); err != nil {
				t.Fatal(err)
			}
			if len(s.wrong) != 1 || !strings.Contains(s.wrong[0], c.want) {
				t.Errorf("wrong %q, want one with %q", s.wrong, c.want)
			}
		})
	}
	var s seen
	lim := DefaultLimits()
	lim.File = 8
	if err := WalkFS(t.Context(), fstest.MapFS{"a.json": {Data: []byte(small)}}, lim, s.visitor()); err != nil || len(s.wrong) != 1 {
		t.Errorf("a large file gives %q, %v", s.wrong, err)
	}
}

func TestWalkFindsAnEntryThatLies(t *testing.T) {
	data := makeZip(t, "a.json", small)
	// Damage the packed bytes: the sum no longer fits.
	data[60] ^= 0xff
	var s seen
	if err := WalkReader(t.Context(), bytes.NewReader(data), "x.zip", DefaultLimits(), s.visitor()); err != nil {
		t.Fatal(err)
	}
	if len(s.docs) != 0 || len(s.wrong) != 1 {
		t.Errorf("docs %q, wrong %q", s.docs, s.wrong)
	}
}

func TestWalkReader(t *testing.T) {
	for name, data := range map[string][]byte{"a.json": []byte(small), "b.zip": makeZip(t, "a.json", small), "c.ndjson": []byte(`{"id":"A"}`)} {
		var s seen
		if err := WalkReader(t.Context(), bytes.NewReader(data), name, DefaultLimits(), s.visitor()); err != nil || len(s.docs) != 1 {
			t.Errorf("%s: %q, %v", name, s.docs, err)
		}
	}
	if err := WalkReader(t.Context(), strings.NewReader(""), "x.txt", DefaultLimits(), Visitor{}); entente.KindOf(err) != entente.KindInvalid {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"id":"A","affected":[{"ranges":[{"type":"GIT","events":[{"introduced":"0"},{"limit":"x"}]}]}],"database_specific":"<Any value>"}`))
	f.Add([]byte(`{"id":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, _, err := Parse(data)
		if err != nil {
			return
		}
		again, _, err := Parse(r.Raw)
		if err != nil {
			t.Fatalf("what was kept cannot be read again: %v", err)
		}
		if fmt.Sprint(again) != fmt.Sprint(r) {
			t.Fatalf("read again differently:\n%v\n%v", again, r)
		}
	})
}

func FuzzWalkZip(f *testing.F) {
	f.Add(makeZip(f, "a.json", small, "b.jsonl", "{}\n{}"))
	f.Add(makeZip(f, "n.zip", string(makeZip(f, "a.json", small))))
	lim := Limits{Record: 1 << 16, File: 1 << 16, Entries: 50, Unpacked: 1 << 20, Ratio: 50, Nesting: 1, Archive: 1 << 16}
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		err := WalkReader(t.Context(), bytes.NewReader(data), "x.zip", lim, Visitor{
			Doc:   func(d Doc) error { total += len(d.Data); return nil },
			Wrong: func(string, error) error { return nil },
		})
		if err == nil && int64(total) > lim.Unpacked+lim.Record {
			t.Fatalf("%d bytes came out", total)
		}
	})
}
