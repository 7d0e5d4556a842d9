package sheet

import (
	"io"

	"github.com/xuri/excelize/v2"
)

// Note is a column of a template: its heading, an example, and what it means.
type Note struct {
	Heading string
	Example string
	Meaning string
}

// TemplateCSV writes an empty sheet to fill in: the heading, a row of examples, and
// a line for each column that tells what it means and begins with "#".
func TemplateCSV(w io.Writer, columns []Note) error {
	out := NewCSV(w)
	heading, example := rowsOf(columns)
	rows := [][]string{heading, example}
	for _, c := range columns {
		rows = append(rows, []string{"# " + c.Heading + ": " + c.Meaning})
	}
	for _, r := range rows {
		if err := out.Row(r); err != nil {
			return err
		}
	}
	return out.Close()
}

func rowsOf(columns []Note) (heading, example []string) {
	for _, c := range columns {
		heading, example = append(heading, c.Heading), append(example, c.Example)
	}
	return heading, example
}

// TemplateXLSX writes an empty sheet to fill in: the heading, on each column a note
// that tells what it means, and a row of examples. A second sheet holds the notes
// for those who print them. name and notes name the two sheets.
func TemplateXLSX(w io.Writer, name, notes string, columns []Note) error {
	f := excelize.NewFile()
	defer f.Close()
	name, notes = sheetName(name), sheetName(notes)
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return err
	}
	if _, err := f.NewSheet(notes); err != nil {
		return err
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	for i, c := range columns {
		at, err := excelize.CoordinatesToCellName(i+1, 1)
		if err != nil {
			return err
		}
		below, err := excelize.CoordinatesToCellName(i+1, 2)
		if err != nil {
			return err
		}
		column, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		line, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		for _, err := range []error{
			f.SetCellStr(name, at, c.Heading), f.SetCellStr(name, below, c.Example), f.SetCellStyle(name, at, at, bold), f.SetColWidth(name, column, column, 22),
			f.AddComment(name, excelize.Comment{Cell: at, Author: "Entente", Paragraph: []excelize.RichTextRun{{Text: c.Meaning}}}),
			f.SetSheetRow(notes, line, &[]string{c.Heading, c.Meaning}),
		} {
			if err != nil {
				return err
			}
		}
	}
	if err := f.SetColWidth(notes, "A", "A", 24); err != nil {
		return err
	}
	if err := f.SetColWidth(notes, "B", "B", 100); err != nil {
		return err
	}
	if err := f.SetPanes(name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	_, err = f.WriteTo(w)
	return err
}
