package entente

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Sayings are texts whose sentences are kept in English, in records that live longer
// than the program that wrote them. They read such a sentence back into its message.
type Sayings struct {
	texts []Text
	once  sync.Once
	known []saying
}

// NewSayings knows sentences by their texts. Of several that fit, the first counts.
func NewSayings(texts ...Text) *Sayings { return &Sayings{texts: texts} }

// Texts gives what NewSayings was given.
func (s *Sayings) Texts() []Text { return slices.Clone(s.texts) }

// saying is one text, and how its sentences are taken apart.
type saying struct {
	text    Text
	literal string // its longest piece, which every sentence of it holds
	pattern *regexp.Regexp
	verbs   []byte
}

// deepest bounds how deep a sentence may lie within another.
const deepest = 4

// longestSentence bounds what is taken apart; no sentence that was kept is longer.
const longestSentence = 4000

// Read gives the message of a sentence, down to the sentences within it; one of
// another origin is said as it is.
func (s *Sayings) Read(sentence string) Message {
	if sentence == "" {
		return Message{}
	}
	s.once.Do(func() {
		for _, t := range s.texts {
			s.known = append(s.known, takeApart(t))
		}
	})
	if m, ok := s.read(sentence, deepest); ok {
		return m
	}
	return Say("%s", sentence)
}

func (s *Sayings) read(sentence string, depth int) (Message, bool) {
	if depth == 0 || len(sentence) > longestSentence {
		return Message{}, false
	}
	for i := range s.known {
		k := &s.known[i]
		if !strings.Contains(sentence, k.literal) {
			continue
		}
		found := k.pattern.FindStringSubmatch(sentence)
		if found == nil {
			continue
		}
		m := Message{Text: k.text}
		for j, part := range found[1:] {
			m.Args = append(m.Args, s.argument(k.verbs[j], part, depth))
		}
		return m, true
	}
	return Message{}, false
}

func (s *Sayings) argument(verb byte, part string, depth int) any {
	switch verb {
	case 'd':
		if n, err := strconv.Atoi(part); err == nil {
			return n
		}
	case 'q':
		if text, err := strconv.Unquote(part); err == nil {
			return text
		}
	default:
		if m, ok := s.read(part, depth-1); ok {
			return m
		}
	}
	return part
}

var verbInText = regexp.MustCompile(`%[\d.]*[a-z]`)

// takeApart makes the pattern of a text's sentences.
func takeApart(t Text) saying {
	k := saying{text: t}
	var b strings.Builder
	b.WriteString(`(?s)^`)
	rest := string(t)
	literal := func(piece string) {
		b.WriteString(regexp.QuoteMeta(piece))
		if len(piece) > len(k.literal) {
			k.literal = piece
		}
	}
	for {
		at := verbInText.FindStringIndex(rest)
		if at == nil {
			break
		}
		literal(rest[:at[0]])
		verb := rest[at[1]-1]
		k.verbs = append(k.verbs, verb)
		switch verb {
		case 'd':
			b.WriteString(`(-?\d+)`)
		case 'q':
			b.WriteString(`("(?:[^"\\]|\\.)*")`)
		default:
			b.WriteString(`(.+?)`)
		}
		rest = rest[at[1]:]
	}
	literal(rest)
	b.WriteString(`$`)
	k.pattern = regexp.MustCompile(b.String())
	return k
}
