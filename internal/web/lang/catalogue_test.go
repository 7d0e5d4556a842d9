package lang

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	entente "github.com/entente-project/entente"
)

const german = `language: de
name: Deutsch
day: 2. Jan 2006
moment: 2. Jan 2006, 15:04
months: [Jan., Feb., März, Apr., Mai, Juni, Juli, Aug., Sep., Okt., Nov., Dez.]
texts:
  Suppliers: Lieferanten
  "%s stops %s": "%[2]s steht %[1]s still"
  "%d processes stop":
    one: Ein Prozess steht still
    other: "%d Prozesse stehen still"
  " and ": " und "
`

func parsed(t *testing.T, text string) (*Language, error) {
	t.Helper()
	return Parse(strings.NewReader(text), "de.yaml")
}

func TestParse(t *testing.T) {
	l, err := parsed(t, german)
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(l, nil)
	for _, c := range []struct{ got, want string }{
		{r.T("Suppliers"), "Lieferanten"},
		{r.T("Systems"), "Systems"}, // the file leaves it out
		{r.T("%s stops %s", "Rösten", entente.Say("at once")), "at once steht Rösten still"},
		{r.N(1, "%d process stops", "%d processes stop"), "Ein Prozess steht still"},
		{r.N(1200, "%d process stops", "%d processes stop"), "1.200 Prozesse stehen still"},
		{r.And([]string{"a", "b", "c"}), "a, b und c"},
		{r.Decimal(3.25, 1), "3,2"},
		{r.Day(birthday), "21. März 2026"},
		{r.Tag(), "de"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestParseTellsWhatIsWrong(t *testing.T) {
	for from, c := range map[string]struct{ to, wrong string }{
		"language: de":        {"language: klingonisch-x", "language must name"},
		"name: Deutsch":       {"name: \" \"", "name must be"},
		"day: 2. Jan 2006":    {"day: 2. Jan", "day must write"},
		", 15:04":             {", 3:04", "moment must write"},
		"months: [Jan., ":     {"months: [", "twelve names"},
		"%[2]s steht %[1]s":   {"%[3]s steht %[1]s", "line 8: \"%[3]s steht %[1]s still\" asks for a verb"},
		"\"%[2]s steht %[1]s": {"\"%s steht", "line 8: \"%s steht still\" leaves out a verb"},
		"%d Prozesse":         {"%s Prozesse", "asks for a verb"},
		"other:":              {"few:", "leave out the form other"},
		"one:":                {"eins:", "zero, one, two, few, many and other"},
		"Lieferanten":         {"[Lieferanten]", "neither a text nor forms"},
		"Ein Prozess":         {"100 % Prozess", "a % must stand before a verb"},
		"texts:":              {"words:", "not found"},
		"  Suppliers":         {" \tSuppliers", "no catalogue"},
	} {
		text := strings.Replace(german, from, c.to, 1)
		if text == german {
			t.Errorf("%q is not in the sample", from)
		}
		_, err := parsed(t, text)
		if err == nil || entente.KindOf(err) != entente.KindInvalid || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("with %q: %v; want %q", c.to, err, c.wrong)
		}
	}
	_, err := Parse(strings.NewReader(strings.Repeat(" ", largestFile+1)), "de.yaml")
	if entente.KindOf(err) != entente.KindTooLarge {
		t.Errorf("a file above the limit: %v", err)
	}
}

func TestEnglishCatalogueParses(t *testing.T) {
	file, err := os.Open("catalogue/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l, err := Parse(file, "en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(l.texts) < 100 {
		t.Errorf("only %d texts", len(l.texts))
	}
}

func TestChoose(t *testing.T) {
	all, err := Load(fstest.MapFS{"de.yaml": {Data: []byte(german)}, "README.md": {}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ own, accept, want string }{
		{"", "", "en"},
		{"", "de-CH,de;q=0.9,en;q=0.8", "de"},
		{"", "fr,de;q=0.5", "de"},
		{"", "fr", "en"},
		{"", "not a language;;;", "en"},
		{"", strings.Repeat("de,", 1000), "en"},
		{"de", "en", "de"},
		{"en", "de", "en"},
		{"xx", "de", "de"},
		{"", "en-XA", "en-XA"},
		{"en-XA", "de", "en-XA"},
		{"", "en-GB", "en"},
		{"", "de,en-XA", "de"},
	} {
		if got := all.Choose(c.own, c.accept).Tag(); got != c.want {
			t.Errorf("chose %q, asks for %.20q: %s, want %s", c.own, c.accept, got, c.want)
		}
	}
	if names := all.All(); len(names) != 2 || names[1].Name() != "Deutsch" {
		t.Errorf("languages to choose from: %v", names)
	}
	if r := all.Reader("de", "", "Europe/Berlin"); r.Moment(birthday) != "21. März 2026, 13:05 CET" || r != all.Reader("de", "", "Europe/Berlin") {
		t.Errorf("in Berlin it is %s", r.Moment(birthday))
	}
	for _, zone := range []string{"", "Local", "Europe/Nowhere", "../../etc/passwd", strings.Repeat("a", 1000)} {
		if r := all.Reader("", "", zone); r.Zone().String() != "UTC" || len(all.readers) > 3 {
			t.Errorf("zone %.20q: %s, %d readers kept", zone, r.Zone(), len(all.readers))
		}
	}
	_, err = Load(fstest.MapFS{"de.yaml": {Data: []byte("language: de")}})
	if err == nil || !strings.Contains(err.Error(), "de.yaml") {
		t.Errorf("a wrong file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(german)
	f.Add("texts: {\"%s\": {one: \"%[2]*d\"}}")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(strings.NewReader(text), "xx.yaml")
		if err != nil {
			if entente.KindOf(err) == entente.KindInternal {
				t.Fatal(err)
			}
			return
		}
		r := NewReader(l, nil)
		for source := range l.texts {
			asked, _ := verbs(string(source))
			args := make([]any, len(asked))
			for i, verb := range asked {
				args[i] = "a"
				switch verb {
				case 'd', 'x':
					args[i] = 7
				case 'f', 'g':
					args[i] = 7.5
				case 't':
					args[i] = true
				}
			}
			if strings.Contains(string(source), "!") {
				continue
			}
			for _, n := range []int{1, 2, 5} {
				said := r.Say(entente.Message{Text: source, One: source, N: n, Args: args})
				if strings.Contains(said, "%!") {
					t.Fatalf("%q with %d arguments is said as %q", source, len(args), said)
				}
			}
		}
	})
}
