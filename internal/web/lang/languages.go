package lang

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	entente "github.com/entente-project/entente"
)

//go:embed catalogue/*.yaml
var shipped embed.FS

// Languages are the languages of a node, English always among them. It is safe for
// concurrent use.
type Languages struct {
	all     []*Language // English first, the others by their names
	matcher language.Matcher

	mu      sync.Mutex
	readers map[readerKey]*Reader
}

// shippedEnglish lists what is said in English for those who translate it. The program
// has its English in its code and does not read it; a test does.
const shippedEnglish = "catalogue/en.yaml"

type readerKey struct {
	language *Language
	zone     string
}

// Shipped gives the languages that come with the program.
var Shipped = sync.OnceValues(func() (*Languages, error) { return load(shipped, "catalogue") })

// Load gives the shipped languages together with those of a folder; a file there
// goes before the shipped one of the same language.
func Load(folder fs.FS) (*Languages, error) {
	own, err := load(folder, ".")
	if err != nil {
		return nil, err
	}
	with, err := Shipped()
	if err != nil {
		return nil, err
	}
	all := slices.Clone(own.all[1:])
	for _, l := range with.all[1:] {
		if !slices.ContainsFunc(all, func(o *Language) bool { return o.tag == l.tag }) {
			all = append(all, l)
		}
	}
	return among(all), nil
}

func load(from fs.FS, folder string) (*Languages, error) {
	files, err := fs.ReadDir(from, folder)
	if err != nil {
		return nil, entente.Invalid("the folder of languages cannot be read: %w", err)
	}
	var all []*Language
	var faults []error
	for _, f := range files {
		if f.IsDir() || path.Ext(f.Name()) != ".yaml" || path.Join(folder, f.Name()) == shippedEnglish {
			continue
		}
		l, err := open(from, path.Join(folder, f.Name()))
		switch {
		case err != nil:
			faults = append(faults, err)
		case l.tag != English.tag:
			all = append(all, l)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return among(all), nil
}

func open(from fs.FS, name string) (*Language, error) {
	file, err := from.Open(name)
	if err != nil {
		return nil, entente.Invalid("%s cannot be read: %w", path.Base(name), err)
	}
	defer file.Close()
	return Parse(file, path.Base(name))
}

func among(others []*Language) *Languages {
	slices.SortFunc(others, func(a, b *Language) int { return strings.Compare(a.name, b.name) })
	all := append([]*Language{English}, others...)
	tags := make([]language.Tag, len(all))
	for i, l := range all {
		tags[i] = l.tag
	}
	return &Languages{all: all, matcher: language.NewMatcher(tags), readers: map[readerKey]*Reader{}}
}

// All gives the languages to choose from, English first.
func (l *Languages) All() []*Language { return slices.Clone(l.all) }

// Known gives the language of a tag, if the node has it.
func (l *Languages) Known(tag string) (*Language, bool) {
	for _, one := range append([]*Language{Pseudo}, l.all...) {
		if strings.EqualFold(one.Tag(), tag) {
			return one, true
		}
	}
	return nil, false
}

// longestAsked bounds what a browser says of its languages.
const longestAsked = 1000

// Choose gives the language for somebody: the one that they chose themselves, or
// else the one that fits best what their browser asks for in Accept-Language.
func (l *Languages) Choose(own, accept string) *Language {
	if known, ok := l.Known(own); ok {
		return known
	}
	if accept == "" || len(accept) > longestAsked {
		return English
	}
	asked, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(asked) == 0 {
		return English
	}
	if asked[0] == Pseudo.tag {
		return Pseudo
	}
	_, i, sure := l.matcher.Match(asked...)
	if sure == language.No {
		return English
	}
	return l.all[i]
}

// longestZone bounds the name of a time zone.
const longestZone = 64

// Zone gives a time zone by its name: "Europe/Berlin".
func Zone(name string) (*time.Location, bool) {
	if name == "" || name == "Local" || len(name) > longestZone {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// Reader gives the reader for somebody by what they chose and by what their browser
// asks for; a zone that does not exist is UTC.
func (l *Languages) Reader(own, accept, zone string) *Reader {
	key := readerKey{l.Choose(own, accept), zone}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.readers[key]; ok {
		return r
	}
	found, ok := Zone(zone)
	if !ok {
		key.zone = ""
	}
	r := NewReader(key.language, found)
	l.readers[key] = r // bounded by the zones that there are
	return r
}
