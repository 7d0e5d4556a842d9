package jsonstream

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
)

// tree reads any value as encoding/json would, with numbers as written.
func tree(d *Decoder) (any, error) {
	kind, err := d.Kind()
	if err != nil {
		return nil, err
	}
	switch kind {
	case Object:
		m := map[string]any{}
		err := d.Object(func(key string) error {
			v, err := tree(d)
			m[key] = v
			return err
		})
		return m, err
	case Array:
		l := []any{}
		err := d.Array(func(int) error {
			v, err := tree(d)
			l = append(l, v)
			return err
		})
		return l, err
	}
	s, kind, err := d.Text()
	switch kind {
	case Number:
		return json.Number(s), err
	case True:
		return true, err
	case False:
		return false, err
	case Null:
		return nil, err
	}
	return s, err
}

var texts = []string{
	`{"a":[1,-2.5e3,true,false,null,"x"],"b":{"c":{}},"":"empty"}`,
	`"\u00e9\ud83d\ude00\n\t\"\\\/\b\f\r"`, `"\ud800"`, `"\ud800\u0041"`, `"\ud800x"`, "\"\xff\"", `[]`, ` [ 1 , 2 ] `,
	`{"long":"` + strings.Repeat("é", 20_000) + `"}`, `0`, `-`, `tru`, `{`, `{"a"`, `{"a":`, `[1`, `"abc`, ``, `[1,]`, `{,}`, `"\u0000"`,
}

func FuzzDecoder(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want any
		std := json.NewDecoder(strings.NewReader(text))
		std.UseNumber()
		err := std.Decode(&want)
		_, more := std.Token()
		valid := err == nil && more == io.EOF && utf8.ValidString(text) && !strings.Contains(text, `\u0000`)
		for _, slow := range []bool{false, true} {
			var in io.Reader = strings.NewReader(text)
			if slow && len(text) < 2000 {
				in = iotest.OneByteReader(in)
			}
			d := New(in, Limits{Depth: 10_001, Text: 1 << 20}, nil)
			got, err := tree(d)
			if err == nil {
				err = d.Finish()
			}
			if err != nil && entente.KindOf(err) == entente.KindInternal {
				t.Fatalf("%q: an error that is no message for people: %v", text, err)
			}
			if !valid {
				continue
			}
			if err != nil {
				t.Fatalf("%q is valid, but: %v", text, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q: encoding/json - ours +\n%s", text, diff)
			}
			d = New(strings.NewReader(text), Limits{Depth: 10_001, Text: 1 << 20}, nil)
			if err := d.Skip(); err != nil {
				t.Fatalf("%q is valid, but skipping: %v", text, err)
			}
		}
	})
}

func TestMessagesNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":\n [1,\n {\"b\": nope}]}": `the JSON is broken at byte 22 (line 3), in a[1].b: unknown word "nope"`,
		`{"a":[1,2`:                       "the document ends too early, at byte 9 (line 1), in a[1]; it was probably cut off",
		`{"a" 1}`:                         `a colon was expected after "a", not '1'`,
		`{"a":1 "b":2}`:                   `a comma or '}' was expected, not '"'`,
		strings.Repeat("[", 12):           "nested more than 10 levels deep at byte 11 (line 1)",
		`{"a":"` + strings.Repeat("x", 101) + `"}`:   "the text at byte 108 (line 1), in a, is longer than 100 bytes",
		`{"a":"\n` + strings.Repeat("x", 100) + `"}`: "is longer than 100 bytes",
		`[1 x]`:  "a comma or ']' was expected",
		`[--1]`:  `"--1" is no number`,
		`["\x"]`: `unknown escape \x`,
	} {
		d := New(strings.NewReader(text), Limits{Depth: 10, Text: 100}, nil)
		_, err := tree(d)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestSkippedTextHasNoLimit(t *testing.T) {
	text := `{"big":"` + strings.Repeat("x", 1<<20) + `","a":"b"}`
	d := New(strings.NewReader(text), Limits{Depth: 10, Text: 100}, nil)
	got := ""
	err := d.Object(func(key string) error {
		if key != "a" {
			return d.Skip()
		}
		s, err := d.Word()
		got = s
		return err
	})
	if err != nil || got != "b" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAnErrorOfTheReaderPasses(t *testing.T) {
	d := New(io.MultiReader(strings.NewReader(`{"a":[`), iotest.ErrReader(io.ErrClosedPipe)), Limits{Depth: 10, Text: 100}, nil)
	if _, err := tree(d); err != io.ErrClosedPipe {
		t.Errorf("got %v", err)
	}
}

func BenchmarkSkip(b *testing.B) {
	item := `{"bom-ref":"pkg:npm/left-pad@1.3.0","type":"library","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0","hashes":[{"alg":"SHA-256","content":"0123456789abcdef0123456789abcdef"}]}`
	text := "[" + strings.Repeat(item+",", 5000) + item + "]"
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		d := New(strings.NewReader(text), Limits{Depth: 10, Text: 100}, nil)
		if err := d.Skip(); err != nil {
			b.Fatal(err)
		}
	}
}
