package sheet

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/entente-project/entente"
)

type read struct {
	Heading []string
	Rows    []Row
}

func all(data []byte, lim Limits) (read, error) {
	var got read
	err := Read(bytes.NewReader(data), lim,
		func(h []string) error { got.Heading = h; return nil },
		func(r Row) error { got.Rows = append(got.Rows, r); return nil })
	return got, err
}

func TestReadsWhatProgramsWrite(t *testing.T) {
	want := read{Heading: []string{"Name", "Country"}, Rows: []Row{
		{2, []string{"Röst, Hof", "DE"}}, {4, []string{"Solo", ""}},
	}}
	for name, data := range map[string]string{
		"comma":        "Name,Country\n\"Röst, Hof\",DE\n\nSolo\n",
		"semicolon":    "Name;Country\r\nRöst, Hof;DE\r\n;\r\nSolo;\r\n",
		"tab":          "Name\tCountry\nRöst, Hof\tDE\n\t\nSolo",
		"mark":         "\uFEFFName,Country\n\"Röst, Hof\",DE\n,\nSolo\n",
		"Windows-1252": "Name;Country\nR\xf6st, Hof;DE\n\nSolo\n",
		"UTF-16":       "\xff\xfe" + le("Name;Country\nRöst, Hof;DE\n\nSolo\n"),
	} {
		got, err := all([]byte(data), DefaultLimits())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func le(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

// What is exported can be imported again unchanged, and nothing in it is run.
func TestWrittenSheetsReadBack(t *testing.T) {
	rows := [][]string{{"Name", "Note"}, {"=HYPERLINK(1)", "-5.5"}, {"@x", "007"}, {"a\nb", "ü;,\""}}
	for _, kind := range []string{"csv", "xlsx"} {
		var b bytes.Buffer
		var w Writer = NewCSV(&b)
		if kind == "xlsx" {
			x, err := NewXLSX(&b, "Suppliers: all")
			if err != nil {
				t.Fatal(err)
			}
			w = x
		}
		for _, r := range rows {
			if err := w.Row(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if kind == "csv" && !strings.Contains(b.String(), "'=HYPERLINK") {
			t.Error("a formula is not guarded")
		}
		got, err := all(b.Bytes(), DefaultLimits())
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		back := [][]string{got.Heading}
		for _, r := range got.Rows {
			back = append(back, r.Cells)
		}
		if diff := cmp.Diff(rows, back); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestBadSheetsGetAMessage(t *testing.T) {
	small := Limits{Bytes: 1000, Unzipped: 1000, Rows: 2, Columns: 3, Cell: 10}
	var bomb bytes.Buffer
	w, err := NewXLSX(&bomb, "x")
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		if err := w.Row([]string{strings.Repeat("a", 100)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		lim  Limits
		kind entente.Kind
		want string
	}{
		"empty":     {nil, small, entente.KindInvalid, "empty"},
		"blank":     {[]byte("\n,,\n \n"), small, entente.KindInvalid, "empty"},
		"large":     {bytes.Repeat([]byte("a"), 1001), small, entente.KindTooLarge, "larger than"},
		"rows":      {[]byte("a\nb\nc\nd\n"), small, entente.KindTooLarge, "more than 2 rows"},
		"columns":   {[]byte("a,b,c,d\n"), small, entente.KindTooLarge, "4 columns"},
		"cell":      {[]byte("a\n" + strings.Repeat("b", 11)), small, entente.KindTooLarge, "column 1"},
		"old Excel": {[]byte{0xD0, 0xCF, 0x11, 0xE0, 1}, small, entente.KindInvalid, "old or encrypted"},
		"not a zip": {[]byte("PK\x03\x04nonsense"), small, entente.KindInvalid, "not a spreadsheet"},
		"zip bomb":  {bomb.Bytes(), Limits{Bytes: 1 << 20, Unzipped: 100_000, Rows: 10, Columns: 3, Cell: 200}, entente.KindTooLarge, "unpacks to more"},
	} {
		_, err := all(c.data, c.lim)
		if entente.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("Name,Country\nRosthof,DE\n"))
	f.Add([]byte("\xff\xfeN\x00;\x00"))
	f.Add([]byte("\"open\nquote;x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := all(data, Limits{Bytes: 1 << 16, Unzipped: 1 << 20, Rows: 100, Columns: 20, Cell: 1000})
		if err == nil && len(got.Heading) == 0 {
			t.Error("a sheet without a heading was taken")
		}
	})
}
