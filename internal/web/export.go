package web

import (
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/sheet"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

const (
	formatCSV  = "csv"
	formatXLSX = "xlsx"

	rowsAtATime = 1000      // read while a file is written
	rowsInXLSX  = 1<<20 - 1 // below the heading, as many as a spreadsheet program opens
)

// file answers with the rows that the page's search, filters and order let through,
// all pages of them, in the columns that the page shows.
func (l list[T]) file(v *visit, q query, from rows[T]) error {
	found, matching, _, err := from.page(q, 0, rowsAtATime)
	if err != nil {
		return err
	}
	if q.file == formatXLSX && matching > rowsInXLSX {
		return entente.TooLarge("These are %s, and an XLSX file holds at most %s. Narrow the list by search and filters, or take it as CSV.", v.Say(l.counted(matching)), v.N(rowsInXLSX, "%d row", "%d rows"))
	}
	media := "text/csv; charset=utf-8; header=present"
	if q.file == formatXLSX {
		media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	name := string(v.actor.Org) + "-" + l.name + "-" + time.Now().UTC().Format("2006-01-02") + "." + q.file
	v.w.Header().Set("Content-Type", media)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	v.answer = http.StatusOK
	var out sheet.Writer
	if q.file == formatCSV {
		out = sheet.NewCSV(v.w)
	} else {
		out, err = sheet.NewXLSX(v.w, lang.Capital(v.T(l.many)))
		if err != nil {
			return err
		}
	}
	columns := l.shown(q)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = v.T(c.label)
	}
	err = out.Row(record)
	for offset := 0; err == nil; {
		for _, row := range found {
			for i, c := range columns {
				record[i] = inOneCell(c.cell(row))
			}
			err = out.Row(record)
			if err != nil {
				return err
			}
		}
		offset += len(found)
		if len(found) == 0 || offset >= matching {
			return out.Close()
		}
		found, _, _, err = from.page(q, offset, rowsAtATime)
	}
	return err
}

func inOneCell(c ui.Cell) string {
	switch {
	case c.Note == "":
		return c.Text
	case c.Text == "":
		return c.Note
	}
	return c.Text + " (" + c.Note + ")"
}
