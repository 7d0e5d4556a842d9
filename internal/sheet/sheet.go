package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/entente-project/entente"
)

// Limits bounds what a reader takes. A bound that is hit is named in the error.
type Limits struct {
	Bytes    int64 // size of the file
	Unzipped int64 // size of an XLSX file once unpacked
	Rows     int   // rows below the heading
	Columns  int
	Cell     int // length of one cell in bytes
}

// DefaultLimits suit sheets that people made.
func DefaultLimits() Limits {
	return Limits{Bytes: 32 << 20, Unzipped: 256 << 20, Rows: 200_000, Columns: 200, Cell: 32 << 10}
}

// Row is one row below the heading.
type Row struct {
	Line  int // 1-based line of the sheet, as a spreadsheet program counts it
	Cells []string
}

// Read reads a sheet. The first row that is not empty is the heading; empty rows are
// passed over; rows shorter than the heading are filled up. row is called for each
// row below the heading; an error from it stops the reading and is returned.
func Read(r io.Reader, lim Limits, heading func([]string) error, row func(Row) error) error {
	data, err := io.ReadAll(io.LimitReader(r, lim.Bytes+1))
	if err != nil {
		return entente.Invalid("the sheet could not be read to its end").Because(err)
	}
	if int64(len(data)) > lim.Bytes {
		return entente.TooLarge("the sheet is larger than %d MiB; split it into several files", lim.Bytes>>20)
	}
	g := &gate{lim: lim, heading: heading, row: row}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		err = readXLSX(data, lim, g.take)
	} else if bytes.HasPrefix(data, []byte{0xD0, 0xCF, 0x11, 0xE0}) {
		return entente.Invalid("this is an old or encrypted Excel file; save it as .xlsx without a password, or as CSV")
	} else {
		err = readCSV(text(data), g.take)
	}
	if err != nil {
		return err
	}
	if g.width == 0 {
		return entente.Invalid("the sheet is empty: its first row must hold the names of the columns")
	}
	return nil
}

// gate checks what every kind of sheet must keep and parts heading from rows.
type gate struct {
	lim     Limits
	heading func([]string) error
	row     func(Row) error
	width   int
	rows    int
}

func (g *gate) take(line int, cells []string) error {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 0 {
		return nil
	}
	if len(cells) > g.lim.Columns {
		return entente.TooLarge("line %d has %d columns; at most %d are read", line, len(cells), g.lim.Columns)
	}
	out := make([]string, max(len(cells), g.width))
	for i, c := range cells {
		c = strings.TrimSpace(c)
		if len(c) > g.lim.Cell {
			return entente.TooLarge("line %d, column %d holds more than %d KiB", line, i+1, g.lim.Cell>>10)
		}
		out[i] = unguard(strings.ToValidUTF8(c, "�"))
	}
	if g.width == 0 {
		g.width = len(out)
		return g.heading(out)
	}
	if g.rows++; g.rows > g.lim.Rows {
		return entente.TooLarge("the sheet has more than %d rows; split it into several files", g.lim.Rows)
	}
	return g.row(Row{Line: line, Cells: out})
}

func readXLSX(data []byte, lim Limits, take func(int, []string) error) error {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: lim.Unzipped, UnzipXMLSizeLimit: lim.Unzipped})
	if err != nil {
		if strings.Contains(err.Error(), "unzip size") {
			return entente.TooLarge("the sheet unpacks to more than %d MiB", lim.Unzipped>>20)
		}
		return entente.Invalid("this is not a spreadsheet that can be opened; save it again as .xlsx or CSV").Because(err)
	}
	defer f.Close()
	names := f.GetSheetList()
	if len(names) == 0 {
		return entente.Invalid("the file holds no sheet")
	}
	rows, err := f.Rows(names[0])
	if err != nil {
		return entente.Invalid("the first sheet cannot be read").Because(err)
	}
	defer rows.Close()
	for line := 1; rows.Next(); line++ {
		cells, err := rows.Columns()
		if err != nil {
			return entente.Invalid("line %d cannot be read", line).Because(err)
		}
		if err := take(line, cells); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return entente.Invalid("the sheet is damaged").Because(err)
	}
	return nil
}

func readCSV(s string, take func(int, []string) error) error {
	r := csv.NewReader(strings.NewReader(s))
	r.Comma = delimiter(s)
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return entente.Invalid("line %d is not readable as CSV: %s", bad.Line, bad.Err.Error()).Because(err)
		}
		if err != nil {
			return entente.Invalid("the sheet cannot be read").Because(err)
		}
		line, _ := r.FieldPos(0)
		if err := take(line, cells); err != nil {
			return err
		}
	}
}

// delimiter takes the mark that occurs most in the first line, outside quotes.
func delimiter(s string) rune {
	count := map[rune]int{}
	quoted := false
	for _, c := range s {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			if len(count) > 0 {
				break
			}
			continue
		}
		if !quoted && (c == ',' || c == ';' || c == '\t') {
			count[c]++
		}
	}
	best := ','
	for _, c := range []rune{';', '\t'} {
		if count[c] > count[best] {
			best = c
		}
	}
	return best
}

// text turns the bytes of a CSV file into a string, whatever program wrote it.
func text(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return utf16Text(data[2:], func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 })
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return utf16Text(data[2:], func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) })
	}
	if utf8.Valid(data) {
		return string(data)
	}
	var b strings.Builder
	for _, c := range data {
		if r, ok := windows1252[c]; ok {
			b.WriteRune(r)
			continue
		}
		b.WriteRune(rune(c))
	}
	return b.String()
}

func utf16Text(data []byte, unit func([]byte) uint16) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = unit(data[2*i:])
	}
	return string(utf16.Decode(units))
}

// windows1252 holds the bytes in which Windows-1252 differs from Latin-1.
var windows1252 = map[byte]rune{
	0x80: '€', 0x82: '‚', 0x83: 'ƒ', 0x84: '„', 0x85: '…', 0x86: '†', 0x87: '‡', 0x88: 'ˆ',
	0x89: '‰', 0x8A: 'Š', 0x8B: '‹', 0x8C: 'Œ', 0x8E: 'Ž', 0x91: '‘', 0x92: '’', 0x93: '“',
	0x94: '”', 0x95: '•', 0x96: '–', 0x97: '—', 0x98: '˜', 0x99: '™', 0x9A: 'š', 0x9B: '›',
	0x9C: 'œ', 0x9E: 'ž', 0x9F: 'Ÿ',
}

// Guard makes a cell harmless that a spreadsheet program would run as a formula
// (OWASP, CSV injection): it gets an apostrophe in front. Plain numbers stay.
func Guard(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if (cell[0] == '-' || cell[0] == '+') && number(cell[1:]) {
		return cell
	}
	return "'" + cell
}

// unguard takes away the apostrophe that Guard put, so that an exported sheet can
// be imported again unchanged.
func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@\t\r", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

func number(s string) bool {
	dots := 0
	for _, c := range s {
		if c == '.' || c == ',' {
			dots++
			continue
		}
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != "" && dots < 2
}

// Writer writes a sheet row by row; Close ends it.
type Writer interface {
	Row(cells []string) error
	Close() error
}

// NewCSV writes CSV with a UTF-8 mark, which spreadsheet programs need to read
// letters beyond ASCII.
func NewCSV(w io.Writer) Writer {
	b := bufio.NewWriter(w)
	b.WriteString("\uFEFF")
	return &csvWriter{out: csv.NewWriter(b), buffer: b}
}

type csvWriter struct {
	out    *csv.Writer
	buffer *bufio.Writer
}

func (w *csvWriter) Row(cells []string) error {
	guarded := make([]string, len(cells))
	for i, c := range cells {
		guarded[i] = Guard(c)
	}
	return w.out.Write(guarded)
}

func (w *csvWriter) Close() error {
	w.out.Flush()
	if err := w.out.Error(); err != nil {
		return err
	}
	return w.buffer.Flush()
}

// NewXLSX writes one sheet of an XLSX file; the first row is set in bold and stays
// in view. Cells are text, so that nothing in them is run and no leading zero is lost.
func NewXLSX(w io.Writer, name string) (Writer, error) {
	f := excelize.NewFile()
	if err := f.SetSheetName("Sheet1", sheetName(name)); err != nil {
		return nil, err
	}
	s, err := f.NewStreamWriter(sheetName(name))
	if err != nil {
		return nil, err
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	if err := s.SetColWidth(1, 40, 22); err != nil {
		return nil, err
	}
	return &xlsxWriter{to: w, file: f, stream: s, bold: bold}, nil
}

type xlsxWriter struct {
	to     io.Writer
	file   *excelize.File
	stream *excelize.StreamWriter
	bold   int
	row    int
}

func (w *xlsxWriter) Row(cells []string) error {
	w.row++
	at, err := excelize.CoordinatesToCellName(1, w.row)
	if err != nil {
		return err
	}
	values := make([]any, len(cells))
	for i, c := range cells {
		if w.row == 1 {
			values[i] = excelize.Cell{StyleID: w.bold, Value: c}
			continue
		}
		values[i] = c
	}
	return w.stream.SetRow(at, values)
}

func (w *xlsxWriter) Close() error {
	defer w.file.Close()
	if err := w.stream.Flush(); err != nil {
		return err
	}
	_, err := w.file.WriteTo(w.to)
	return err
}

// sheetName keeps what a spreadsheet program allows as the name of a sheet.
func sheetName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return ' '
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 31 {
		name = string(r[:31])
	}
	if strings.TrimSpace(name) == "" {
		return "Sheet"
	}
	return name
}
