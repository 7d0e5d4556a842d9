// Package jsonstream reads JSON of any size in constant memory. Unlike
// encoding/json it bounds the length of a string and the depth of nesting while it
// reads, skips what nobody asked for without storing it, knows the path and the
// line of every value, and is lenient where a person would be: text with control
// characters or broken UTF-8 is cleaned and reported, not refused.
package jsonstream

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	entente "github.com/entente-project/entente"
)

// Kind is the kind of a JSON value, named by a byte.
type Kind byte

// The kinds of values. End is no value: the end of the input.
const (
	Object Kind = '{'
	Array  Kind = '['
	String Kind = '"'
	Number Kind = '0'
	True   Kind = 't'
	False  Kind = 'f'
	Null   Kind = 'n'
	End    Kind = 0
)

// String names the kind as in a sentence: "a list".
func (k Kind) String() string {
	switch k {
	case Object:
		return "an object"
	case Array:
		return "a list"
	case String:
		return "a text"
	case Number:
		return "a number"
	case True, False:
		return "true or false"
	case Null:
		return "null"
	}
	return "the end of the document"
}

// Limits bounds what a [Decoder] takes.
type Limits struct {
	Depth int // nesting of objects and lists
	Text  int // bytes of a string that is kept; skipped strings have no limit
}

const (
	bufferSize = 32 << 10
	maxKey     = 64 << 10
	maxInterns = 4096
)

type step struct {
	key   string
	index int // -1 in an object
}

// Decoder reads one JSON document from front to back.
type Decoder struct {
	r    io.Reader
	buf  []byte
	pos  int
	end  int
	base int64 // offset of buf[0] in the document
	line int
	lim  Limits
	path []step

	scratch []byte
	interns map[string]string
	err     error // what the reader said, after the last byte
	note    Note
}

// Note is told of every leniency: where it was, asked only if the note is kept, and
// a constant sentence with its arguments.
type Note func(where func() string, sentence entente.Text, args ...any)

// New begins to read a document; note may be nil.
func New(r io.Reader, lim Limits, note Note) *Decoder {
	if note == nil {
		note = func(func() string, entente.Text, ...any) {}
	}
	return &Decoder{r: r, buf: make([]byte, bufferSize), line: 1, lim: lim, interns: make(map[string]string), note: note}
}

// Offset is the number of bytes read so far.
func (d *Decoder) Offset() int64 { return d.base + int64(d.pos) }

// Line is the 1-based line of the next byte.
func (d *Decoder) Line() int { return d.line }

// Depth is the number of objects and lists around the next value.
func (d *Decoder) Depth() int { return len(d.path) }

// Path names the place of the current value: "components[3].purl".
func (d *Decoder) Path() string {
	var b strings.Builder
	for _, s := range d.path {
		if s.index >= 0 {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.index))
			b.WriteByte(']')
			continue
		}
		if s.key == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.key)
	}
	if b.Len() == 0 {
		return "the document"
	}
	return b.String()
}

func (d *Decoder) place() string {
	return "byte " + strconv.FormatInt(d.Offset(), 10) + " (line " + strconv.Itoa(d.line) + ")"
}

func (d *Decoder) invalid(what string) error {
	return entente.Invalid("the JSON is broken at %s, in %s: %s", d.place(), d.Path(), what)
}

func (d *Decoder) broken() error {
	if d.err != nil && !errors.Is(d.err, io.EOF) {
		return d.err
	}
	return entente.Invalid("the document ends too early, at %s, in %s; it was probably cut off: fetch or export it again", d.place(), d.Path())
}

// fill reads more bytes when the buffer is used up; false at the end.
func (d *Decoder) fill() bool {
	if d.err != nil {
		return false
	}
	d.base += int64(d.pos)
	d.pos, d.end = 0, 0
	for empty := 0; empty < 100; empty++ {
		n, err := d.r.Read(d.buf)
		d.err = err
		if n > 0 {
			d.end = n
			return true
		}
		if err != nil {
			return false
		}
	}
	d.err = io.ErrNoProgress
	return false
}

func (d *Decoder) peek() (byte, bool) {
	for {
		for d.pos < d.end {
			switch c := d.buf[d.pos]; c {
			case '\n':
				d.line++
				d.pos++
			case ' ', '\t', '\r':
				d.pos++
			default:
				return c, true
			}
		}
		if !d.fill() {
			return 0, false
		}
	}
}

// Kind looks at the next value without reading it. At the end of the input it is
// [End] without an error.
func (d *Decoder) Kind() (Kind, error) {
	c, ok := d.peek()
	if !ok {
		if !errors.Is(d.err, io.EOF) {
			return End, d.err
		}
		return End, nil
	}
	switch c {
	case '{', '[', '"', 't', 'f', 'n':
		return Kind(c), nil
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number, nil
	}
	return End, d.invalid("a value was expected, not " + strconv.QuoteRune(rune(c)))
}

func (d *Decoder) open(bracket byte) error {
	c, ok := d.peek()
	if !ok {
		return d.broken()
	}
	if c != bracket {
		return d.invalid(strconv.QuoteRune(rune(bracket)) + " was expected, not " + strconv.QuoteRune(rune(c)))
	}
	d.pos++
	return nil
}

func (d *Decoder) push(s step) error {
	if len(d.path) >= d.lim.Depth {
		return entente.TooLarge("the document is nested more than %d levels deep at %s; no bill of materials needs that", d.lim.Depth, d.place())
	}
	d.path = append(d.path, s)
	return nil
}

// Object reads an object; the next value must be one (see [Decoder.Kind]). For
// every key it calls field, which must read or skip the value.
func (d *Decoder) Object(field func(key string) error) error {
	if err := d.open('{'); err != nil {
		return err
	}
	if err := d.push(step{index: -1}); err != nil {
		return err
	}
	at := len(d.path) - 1
	for first := true; ; first = false {
		d.path[at].key = ""
		more, err := d.next('}', first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		c, ok := d.peek()
		if !ok {
			return d.broken()
		}
		if c != '"' {
			return d.invalid("a name in quotes was expected, not " + strconv.QuoteRune(rune(c)))
		}
		key, err := d.key()
		if err != nil {
			return err
		}
		c, ok = d.peek()
		if !ok {
			return d.broken()
		}
		if c != ':' {
			return d.invalid("a colon was expected after " + strconv.Quote(key) + ", not " + strconv.QuoteRune(rune(c)))
		}
		d.pos++
		d.path[at].key = key
		if err := field(key); err != nil {
			return err
		}
	}
	d.path = d.path[:at]
	return nil
}

// Array reads a list; the next value must be one. For every item it calls item,
// which must read or skip the value.
func (d *Decoder) Array(item func(index int) error) error {
	if err := d.open('['); err != nil {
		return err
	}
	if err := d.push(step{index: 0}); err != nil {
		return err
	}
	at := len(d.path) - 1
	for i := 0; ; i++ {
		more, err := d.next(']', i == 0)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		d.path[at].index = i
		if err := item(i); err != nil {
			return err
		}
	}
	d.path = d.path[:at]
	return nil
}

// next steps over the comma before an element; false at the closing bracket.
func (d *Decoder) next(closing byte, first bool) (bool, error) {
	c, ok := d.peek()
	if !ok {
		return false, d.broken()
	}
	if c == closing {
		d.pos++
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, d.invalid("a comma or " + strconv.QuoteRune(rune(closing)) + " was expected, not " + strconv.QuoteRune(rune(c)))
	}
	d.pos++
	c, ok = d.peek()
	if !ok {
		return false, d.broken()
	}
	if c == closing {
		d.note(d.Path, "a comma before the closing bracket")
		d.pos++
		return false, nil
	}
	return true, nil
}

func (d *Decoder) key() (string, error) {
	raw, err := d.str(maxKey)
	if err != nil {
		return "", err
	}
	if s, ok := d.interns[string(raw)]; ok {
		return s, nil
	}
	s := string(raw)
	if len(d.interns) < maxInterns && len(s) <= 64 {
		d.interns[s] = s
	}
	return s, nil
}

// Text reads any scalar as text: a string without its quotes, a number or true and
// false as written, null as "". The kind tells which it was; an object or a list
// is skipped and yields "".
func (d *Decoder) Text() (string, Kind, error) {
	kind, err := d.Kind()
	if err != nil {
		return "", kind, err
	}
	switch kind {
	case String:
		raw, err := d.str(d.lim.Text)
		if err != nil {
			return "", kind, err
		}
		// Short texts ("library", "MIT", "required") repeat in every component.
		if len(raw) <= 24 {
			if s, ok := d.interns[string(raw)]; ok {
				return s, kind, nil
			}
			s := string(raw)
			if len(d.interns) < maxInterns {
				d.interns[s] = s
			}
			return s, kind, nil
		}
		return string(raw), kind, nil
	case Object, Array:
		return "", kind, d.Skip()
	case End:
		return "", kind, d.broken()
	}
	raw, err := d.literal()
	if err != nil {
		return "", kind, err
	}
	if kind == Null {
		return "", kind, nil
	}
	return string(raw), kind, nil
}

// literal reads a number, true, false or null.
func (d *Decoder) literal() ([]byte, error) {
	d.scratch = d.scratch[:0]
	for {
		for d.pos < d.end {
			c := d.buf[d.pos]
			if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'E' {
				if len(d.scratch) >= 256 {
					return nil, d.invalid("a number of more than 256 digits")
				}
				d.scratch = append(d.scratch, c)
				d.pos++
				continue
			}
			return d.checkLiteral()
		}
		if !d.fill() {
			if !errors.Is(d.err, io.EOF) {
				return nil, d.err
			}
			return d.checkLiteral()
		}
	}
}

func (d *Decoder) checkLiteral() ([]byte, error) {
	switch s := d.scratch; s[0] {
	case 't', 'f', 'n':
		if string(s) != "true" && string(s) != "false" && string(s) != "null" {
			return nil, d.invalid("unknown word " + strconv.Quote(string(s)))
		}
	default:
		if _, err := strconv.ParseFloat(string(s), 64); err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, d.invalid(strconv.Quote(string(s)) + " is no number")
		}
	}
	return d.scratch, nil
}

// str reads a string whose opening quote is next. The result is valid until the
// next call.
func (d *Decoder) str(limit int) ([]byte, error) {
	d.pos++
	start := d.pos
	high := false
	for i := d.pos; i < d.end; i++ {
		c := d.buf[i]
		if c == '"' {
			d.pos = i + 1
			return d.clean(d.buf[start:i], high, limit)
		}
		if c == '\\' || c < 0x20 {
			break
		}
		high = high || c >= 0x80
	}
	return d.slowStr(limit)
}

// slowStr reads a string with escapes, or one that crosses the buffer's end.
func (d *Decoder) slowStr(limit int) ([]byte, error) {
	out := d.scratch[:0]
	high := false
	control := false
	for {
		if d.pos >= d.end && !d.fill() {
			return nil, d.broken()
		}
		c := d.buf[d.pos]
		d.pos++
		switch {
		case c == '"':
			d.scratch = out
			if control {
				d.note(d.Path, "control characters within a text; they were kept as spaces")
			}
			return d.clean(out, high, limit)
		case c == '\\':
			before := len(out)
			var err error
			out, err = d.escape(out)
			if err != nil {
				return nil, err
			}
			for i := before; i < len(out); i++ {
				if out[i] == 0 {
					control = true
					out[i] = ' '
				}
			}
		case c < 0x20:
			if c == '\n' {
				d.line++
			}
			control = true
			out = append(out, ' ')
		default:
			high = high || c >= 0x80
			out = append(out, c)
		}
		if len(out) > limit {
			return nil, d.tooLong(limit)
		}
	}
}

func (d *Decoder) tooLong(limit int) error {
	return entente.TooLarge("the text at %s, in %s, is longer than %d bytes", d.place(), d.Path(), limit)
}

func (d *Decoder) clean(s []byte, high bool, limit int) ([]byte, error) {
	if len(s) > limit {
		return nil, d.tooLong(limit)
	}
	if high && !utf8.Valid(s) {
		d.note(d.Path, "text that is not UTF-8; the wrong bytes were replaced")
		s = []byte(strings.ToValidUTF8(string(s), "\uFFFD"))
	}
	return s, nil
}

// escape reads what follows a backslash and adds it to out.
func (d *Decoder) escape(out []byte) ([]byte, error) {
	c, err := d.byte()
	if err != nil {
		return nil, err
	}
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'n':
		return append(out, '\n'), nil
	case 'r':
		return append(out, '\r'), nil
	case 't':
		return append(out, '\t'), nil
	case 'u':
		return d.unicode(out)
	}
	return nil, d.invalid("unknown escape \\" + string(rune(c)) + " in a text")
}

func (d *Decoder) byte() (byte, error) {
	if d.pos >= d.end && !d.fill() {
		return 0, d.broken()
	}
	c := d.buf[d.pos]
	d.pos++
	return c, nil
}

func (d *Decoder) hex4() (rune, error) {
	var r rune
	for range 4 {
		c, err := d.byte()
		if err != nil {
			return 0, err
		}
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, d.invalid("\\u needs four hexadecimal digits")
		}
	}
	return r, nil
}

// unicode reads what follows \u, with the second half of a surrogate pair. Half a
// pair becomes U+FFFD.
func (d *Decoder) unicode(out []byte) ([]byte, error) {
	r, err := d.hex4()
	if err != nil {
		return nil, err
	}
	for r >= 0xD800 && r < 0xDC00 {
		c, err := d.byte()
		if err != nil {
			return nil, err
		}
		if c != '\\' {
			d.pos--
			return utf8.AppendRune(out, utf8.RuneError), nil
		}
		c, err = d.byte()
		if err != nil {
			return nil, err
		}
		if c != 'u' {
			d.pos--
			return d.escape(utf8.AppendRune(out, utf8.RuneError))
		}
		second, err := d.hex4()
		if err != nil {
			return nil, err
		}
		if second >= 0xDC00 && second <= 0xDFFF {
			return utf8.AppendRune(out, (r-0xD800)<<10|(second-0xDC00)+0x10000), nil
		}
		out = utf8.AppendRune(out, utf8.RuneError)
		r = second
	}
	return utf8.AppendRune(out, r), nil
}

// Skip steps over the next value, however large, without storing it.
func (d *Decoder) Skip() error {
	kind, err := d.Kind()
	if err != nil {
		return err
	}
	switch kind {
	case String:
		d.pos++
		return d.skipStr()
	case Object:
		return d.Object(func(string) error { return d.Skip() })
	case Array:
		return d.Array(func(int) error { return d.Skip() })
	case End:
		return d.broken()
	}
	_, err = d.literal()
	return err
}

func (d *Decoder) skipStr() error {
	for {
		for d.pos < d.end {
			c := d.buf[d.pos]
			d.pos++
			switch c {
			case '"':
				return nil
			case '\n':
				d.line++
			case '\\':
				if _, err := d.byte(); err != nil {
					return err
				}
			}
		}
		if !d.fill() {
			return d.broken()
		}
	}
}
