package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/xuri/excelize/v2"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/ui"
)

type bean struct {
	name   string
	origin string
	weight int
}

func beanList() list[bean] {
	return list[bean]{
		name: "beans", one: "bean", many: "beans", search: "Search", sort: "name",
		text: func(b bean) []string { return []string{b.name, b.origin} },
		columns: []column[bean]{
			{key: "name", label: "Name", order: byText(func(b bean) string { return b.name }), cell: func(b bean) ui.Cell { return plainCell(b.name) }},
			{key: "weight", label: "Weight", num: true, order: by(func(b bean) int { return b.weight }), cell: func(b bean) ui.Cell { return ui.Cell{Text: strconv.Itoa(b.weight), Note: b.origin} }},
		},
		filters: []filter[bean]{{key: "origin", label: "Origin", standard: "peru", match: func(b bean, v string) bool { return b.origin == v }, options: []ui.Option{
			{Label: "All"}, {Value: "peru", Label: "Peru"}, {Value: "kenya", Label: "Kenya"},
		}}},
		empty: ui.Empty{Title: "No beans yet"},
	}
}

func beans(n int) []bean {
	var all []bean
	for i := range n {
		all = append(all, bean{name: "Bean " + strconv.Itoa(1000+i), origin: []string{"peru", "kenya"}[i%2], weight: (i * 7) % 100})
	}
	return all
}

func viewBeans(t *testing.T, url string, n int) ui.List {
	t.Helper()
	l := beanList()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	shown, err := l.view(&visit{r: r}, l.query(r.URL), held[bean]{l, beans(n)})
	must(t, err)
	return shown
}

func TestListFromTheURL(t *testing.T) {
	cases := []struct {
		url   string
		rows  int
		first string
		count string
		clear bool
	}{
		{"/beans", 50, "Bean 1000", "1 to 50 of 100 beans, out of 200", false},
		{"/beans?origin=", 50, "Bean 1000", "1 to 50 of 200 beans", true},
		{"/beans?origin=&sort=-name", 50, "Bean 1199", "1 to 50 of 200 beans", true},
		{"/beans?page=2&rows=25", 25, "Bean 1050", "26 to 50 of 100 beans, out of 200", false},
		{"/beans?page=99", 50, "Bean 1100", "51 to 100 of 100 beans, out of 200", false},
		{"/beans?page=-3&rows=7&sort=nonsense&origin=mars", 50, "Bean 1000", "1 to 50 of 100 beans, out of 200", false},
		{"/beans?q=1004", 1, "Bean 1004", "1 bean, out of 200", true},
		{"/beans?q=BEAN+peru+1004", 1, "Bean 1004", "1 bean, out of 200", true},
		{"/beans?q=nothing", 0, "", "0 beans, out of 200", true},
	}
	for _, c := range cases {
		l := viewBeans(t, c.url, 200)
		got := ""
		if len(l.Rows) > 0 {
			got = l.Rows[0].Cells[0].Text
		}
		if len(l.Rows) != c.rows || got != c.first || l.Count != c.count || (l.Clear != "") != c.clear {
			t.Errorf("%s: %d rows from %q, %q, clear %q", c.url, len(l.Rows), got, l.Count, l.Clear)
		}
	}
}

func TestListKeepsItsStateInEveryLink(t *testing.T) {
	l := viewBeans(t, "/beans?q=bean&origin=kenya&sort=-weight&rows=25&page=2&format=html", 200)
	if want := "/beans?origin=kenya&page=3&q=bean&rows=25&sort=-weight"; l.Next != want {
		t.Errorf("next: %s, want %s", l.Next, want)
	}
	if want := "/beans?format=csv&origin=kenya&q=bean&rows=25&sort=-weight"; l.CSV != want {
		t.Errorf("csv: %s, want %s", l.CSV, want)
	}
	if want := "/beans?rows=25&sort=-weight"; l.Clear != want {
		t.Errorf("clear: %s, want %s", l.Clear, want)
	}
	if l.Columns[1].Sorted != "descending" || l.Columns[1].SortHref != "/beans?origin=kenya&q=bean&rows=25&sort=weight" {
		t.Errorf("column: %+v", l.Columns[1])
	}
	if l.Columns[0].Sorted != "" || l.Sort != "-weight" {
		t.Errorf("sorting: %+v %q", l.Columns[0], l.Sort)
	}
}

func TestListSortsStably(t *testing.T) {
	l := viewBeans(t, "/beans?origin=&sort=weight&rows=200", 200)
	weights := make([]int, len(l.Rows))
	for i, r := range l.Rows {
		weights[i], _ = strconv.Atoi(r.Cells[1].Text)
	}
	if !slices.IsSorted(weights) || len(weights) != 200 {
		t.Errorf("not sorted: %v", weights)
	}
}

// takeBeans takes a list away as a file.
func takeBeans(t *testing.T, l list[bean], all []bean, url string) (*httptest.ResponseRecorder, [][]string) {
	t.Helper()
	w := httptest.NewRecorder()
	v := &visit{w: w, r: httptest.NewRequest(http.MethodGet, url, nil), actor: entente.Actor{Org: "beanline"}}
	must(t, l.show(v, held[bean]{l, all}, func(ui.List) templ.Component { t.Fatal("a page was made"); return nil }))
	var records [][]string
	if strings.Contains(url, "format=xlsx") {
		f, err := excelize.OpenReader(bytes.NewReader(w.Body.Bytes()))
		must(t, err)
		defer f.Close()
		records, err = f.GetRows("Beans")
		must(t, err)
		return w, records
	}
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\uFEFF"))).ReadAll()
	must(t, err)
	return w, records
}

// A file holds exactly the rows that search and filters let through, of all pages,
// in the order of the page, and no formula.
func TestFilesAreWhatIsShown(t *testing.T) {
	all := append(beans(200), bean{name: "=cmd|' /C calc'!A0", origin: "kenya", weight: -3}, bean{name: "Röst, \"fein\"", origin: "kenya"})
	for format, formula := range map[string]string{"csv": "'=cmd|' /C calc'!A0", "xlsx": "=cmd|' /C calc'!A0"} {
		w, records := takeBeans(t, beanList(), all, "/beans?origin=kenya&sort=-name&rows=25&page=2&format="+format)
		if d := w.Header().Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="beanline-beans-`) || !strings.HasSuffix(d, "."+format+`"`) {
			t.Errorf("%s: disposition %q", format, d)
		}
		if len(records) != 1+102 || !slices.Equal(records[0], []string{"Name", "Weight"}) {
			t.Fatalf("%s: %d records, head %v", format, len(records), records[0])
		}
		if records[1][0] != "Röst, \"fein\"" || records[2][0] != "Bean 1199" || records[102][0] != formula {
			t.Errorf("%s: rows: %v %v … %v", format, records[1], records[2], records[102])
		}
		if records[2][1] != "93 (kenya)" {
			t.Errorf("%s: a cell: %q", format, records[2][1])
		}
	}
}

// In an XLSX file a text that looks like a formula is a text and not a formula.
func TestNoFormulaInXLSX(t *testing.T) {
	w, _ := takeBeans(t, beanList(), []bean{{name: "=1+1", origin: "peru"}}, "/beans?format=xlsx")
	f, err := excelize.OpenReader(bytes.NewReader(w.Body.Bytes()))
	must(t, err)
	defer f.Close()
	formula, err := f.GetCellFormula("Beans", "A2")
	must(t, err)
	value, err := f.GetCellValue("Beans", "A2")
	must(t, err)
	if formula != "" || value != "=1+1" {
		t.Errorf("formula %q, value %q", formula, value)
	}
}

func TestColumnsAreChosen(t *testing.T) {
	l := beanList()
	l.columns = append(l.columns, column[bean]{label: "Where it grows", cell: func(b bean) ui.Cell { return plainCell(b.origin) }})
	for _, c := range []struct{ url, heads, kept string }{
		{"/beans", "Name, Weight, Where it grows", "/beans?page=2"},
		{"/beans?columns=where-it-grows", "Name, Where it grows", "/beans?columns=name%2Cwhere-it-grows&page=2"},
		{"/beans?columns=name&columns=weight", "Name, Weight", "/beans?columns=name%2Cweight&page=2"},
		{"/beans?columns=where-it-grows,weight", "Name, Weight, Where it grows", "/beans?page=2"},
		{"/beans?columns=", "Name", "/beans?columns=name&page=2"},
		{"/beans?columns=nonsense&sort=-weight", "Name", "/beans?columns=name&page=2&sort=-weight"},
	} {
		r := httptest.NewRequest(http.MethodGet, c.url, nil)
		shown, err := l.view(&visit{r: r}, l.query(r.URL), held[bean]{l, beans(200)})
		must(t, err)
		var heads []string
		for _, column := range shown.Columns {
			heads = append(heads, string(column.Label))
		}
		if got := strings.Join(heads, ", "); got != c.heads || len(shown.Rows[0].Cells) != len(heads) || shown.Next != c.kept {
			t.Errorf("%s: %s, %d cells, next %s", c.url, got, len(shown.Rows[0].Cells), shown.Next)
		}
		if len(shown.Choose) != 3 || !shown.Choose[0].Always || shown.Choose[1].On != strings.Contains(c.heads, "Weight") {
			t.Errorf("%s: to choose from: %+v", c.url, shown.Choose)
		}
		for _, format := range []string{"csv", "xlsx"} {
			both := c.url + "?format=" + format
			if strings.Contains(c.url, "?") {
				both = c.url + "&format=" + format
			}
			_, records := takeBeans(t, l, beans(4), both)
			if !slices.Equal(records[0], heads) || len(records) != 3 {
				t.Errorf("%s: %d records, head %v", both, len(records), records[0])
			}
		}
	}
}

func TestBackwards(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6}
	ask := func(offset, limit int) ([]int, int, error) {
		from := min(offset, len(all))
		return slices.Clone(all[from:min(from+limit, len(all))]), len(all), nil
	}
	for _, c := range []struct {
		offset, limit int
		want          []int
	}{{0, 3, []int{6, 5, 4}}, {3, 3, []int{3, 2, 1}}, {6, 3, []int{0}}, {7, 3, nil}} {
		got, matching, err := backwards(c.offset, c.limit, ask)
		must(t, err)
		if !slices.Equal(got, c.want) || matching != 7 {
			t.Errorf("offset %d: %v of %d, want %v", c.offset, got, matching, c.want)
		}
	}
}

// Picking out the first rows gives what sorting all of them gives.
func TestFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		values := make([]int, rng.IntN(2_000))
		places := make([]int32, len(values))
		for i := range values {
			values[i], places[i] = rng.IntN(50), int32(i)
		}
		order := func(a, b int32) int { return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b)) }
		want := slices.Clone(places)
		slices.SortFunc(want, order)
		n := rng.IntN(700)
		got := first(slices.Clone(places), n, order)
		if n = min(n, len(want)); !slices.Equal(got[:n], want[:n]) {
			t.Fatalf("the first %d of %d: %v, want %v", n, len(places), got[:n], want[:n])
		}
	}
}
