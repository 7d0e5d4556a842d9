package lang

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	entente "github.com/entente-project/entente"
)

const (
	largestFile = 4 << 20 // bytes of one catalogue
	longestText = 4000
	mostTold    = 20 // faults of one file that are told
)

// catalogue is a file of one language.
type catalogue struct {
	Language string               `yaml:"language"`
	Name     string               `yaml:"name"`
	Day      string               `yaml:"day"`
	Moment   string               `yaml:"moment"`
	Months   []string             `yaml:"months"`
	Texts    map[string]yaml.Node `yaml:"texts"`
}

var formNames = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// Parse reads a catalogue. Whatever is wrong in it is told with its line, and then
// nothing of it is used; a text that it leaves out is said in English.
func Parse(from io.Reader, name string) (*Language, error) {
	content, err := io.ReadAll(io.LimitReader(from, largestFile+1))
	if err != nil {
		return nil, entente.Invalid("%s cannot be read: %w", name, err)
	}
	if len(content) > largestFile {
		return nil, entente.TooLarge("%s is larger than the limit of 4 MB for a language", name)
	}
	var c catalogue
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	err = decoder.Decode(&c)
	if err != nil {
		return nil, entente.Invalid("%s is no catalogue of a language: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	p := parsing{}
	l := p.head(c)
	l.texts = make(map[entente.Text]forms, len(c.Texts))
	for text, node := range c.Texts {
		l.texts[entente.Text(text)] = p.forms(text, &node)
	}
	if len(p.faults) > 0 {
		return nil, p.wrong(name)
	}
	return l, nil
}

// fault is one thing that is wrong in a catalogue.
type fault struct {
	line int
	what string
}

type parsing struct{ faults []fault }

func (p *parsing) say(line int, format string, args ...any) {
	p.faults = append(p.faults, fault{line, fmt.Sprintf(format, args...)})
}

func (p *parsing) wrong(name string) error {
	slices.SortFunc(p.faults, func(a, b fault) int { return a.line - b.line })
	var told []string
	for _, f := range p.faults[:min(len(p.faults), mostTold)] {
		if f.line > 0 {
			f.what = "line " + strconv.Itoa(f.line) + ": " + f.what
		}
		told = append(told, f.what)
	}
	if more := len(p.faults) - len(told); more > 0 {
		told = append(told, "and "+strconv.Itoa(more)+" more")
	}
	return entente.Invalid("%s is not right:\n  %s", name, strings.Join(told, "\n  "))
}

// head reads what the file says of the language as a whole.
func (p *parsing) head(c catalogue) *Language {
	l := &Language{name: c.Name, day: c.Day, moment: c.Moment, months: c.Months}
	tag, err := language.Parse(c.Language)
	if err != nil || c.Language == "" || tag == Pseudo.tag {
		p.say(0, "language must name the language as HTML does, as in de or pt-BR")
	}
	l.tag = tag
	if strings.TrimSpace(c.Name) == "" {
		p.say(0, "name must be what the language calls itself")
	}
	for _, layout := range []struct{ name, value string }{{"day", c.Day}, {"moment", c.Moment}} {
		if !dates(layout.value, layout.name == "moment") {
			p.say(0, "%s must write Mon 2 Jan 2006, 15:04 as the language does", layout.name)
		}
	}
	if len(c.Months) != 0 && len(c.Months) != 12 {
		p.say(0, "months must be the twelve names that stand for Jan in dates, or none")
	}
	return l
}

// dates says whether a layout tells two days apart, and two minutes where it must.
func dates(layout string, minutes bool) bool {
	at := time.Date(2006, 1, 2, 3, 4, 0, 0, time.UTC)
	others := []time.Time{at.AddDate(0, 0, 1), at.AddDate(0, 1, 0), at.AddDate(1, 0, 0)}
	if minutes {
		others = append(others, at.Add(time.Minute), at.Add(time.Hour), at.Add(12*time.Hour))
	}
	for _, other := range others {
		if at.Format(layout) == other.Format(layout) {
			return false
		}
	}
	return len(layout) <= 60
}

// forms reads the translation of one text: a text, or one for each plural form.
func (p *parsing) forms(text string, node *yaml.Node) forms {
	found := forms{}
	switch node.Kind {
	case yaml.ScalarNode:
		found[plural.Other] = p.fitting(text, node, false)
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			form, ok := formNames[node.Content[i].Value]
			if !ok || node.Content[i+1].Kind != yaml.ScalarNode {
				p.say(node.Content[i].Line, "the forms of %q are zero, one, two, few, many and other, each with its text", text)
				continue
			}
			found[form] = p.fitting(text, node.Content[i+1], form != plural.Other)
		}
		if _, ok := found[plural.Other]; !ok {
			p.say(node.Line, "the forms of %q leave out the form other", text)
		}
	default:
		p.say(node.Line, "%q has neither a text nor forms", text)
	}
	return found
}

// fitting gives a translation whose verbs fit the source's. A form for one number may
// leave arguments out: "One process stops".
func (p *parsing) fitting(text string, node *yaml.Node, fewer bool) string {
	if len(node.Value) > longestText {
		p.say(node.Line, "the translation of %q is longer than %d bytes", text, longestText)
		return ""
	}
	asked, ok := verbs(text)
	given, fine := verbs(node.Value)
	if !ok || !fine {
		p.say(node.Line, "%q and %q: a %% must stand before a verb, or be written %%%%", text, node.Value)
		return ""
	}
	for place, verb := range given {
		if place >= len(asked) || asked[place] != verb && verb != 0 {
			p.say(node.Line, "%q asks for a verb that %q does not have", node.Value, text)
			return ""
		}
	}
	for place := range asked {
		if !fewer && (place >= len(given) || given[place] == 0 && asked[place] != 0) {
			p.say(node.Line, "%q leaves out a verb of %q", node.Value, text)
			return ""
		}
	}
	return node.Value
}

// verbs gives the verb of each argument that a text takes, 0 for one that it leaves
// out; false if the text is no format.
func verbs(text string) (found []byte, ok bool) {
	ok = eachVerb(text, func(place int, verb byte) {
		for len(found) <= place {
			found = append(found, 0)
		}
		found[place] = verb
	})
	return found, ok
}

// taken counts the arguments that a text takes.
func taken(text string) (n int) {
	eachVerb(text, func(place int, _ byte) { n = max(n, place+1) })
	return n
}

func eachVerb(text string, do func(place int, verb byte)) bool {
	next := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			continue
		}
		i++
		for i < len(text) && strings.IndexByte("+-# 0123456789.", text[i]) >= 0 {
			i++
		}
		if i < len(text) && text[i] == '[' {
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return false
			}
			n, err := strconv.Atoi(text[i+1 : i+end])
			if err != nil || n < 1 || n > 20 {
				return false
			}
			next, i = n-1, i+end+1
		}
		if i >= len(text) {
			return false
		}
		switch text[i] {
		case '%':
			if text[i-1] != '%' {
				return false
			}
			continue
		case 's', 'd', 'q', 'v', 'w', 'f', 'g', 'x', 't', 'U', 'c':
		default:
			return false
		}
		do(next, text[i])
		next++
	}
	return true
}
