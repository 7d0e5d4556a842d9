package web

import (
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"

	entente "github.com/entente-project/entente"
)

// qrView is a code for a camera as a page draws it.
type qrView struct {
	Size int    // modules in a row
	Path string // of the dark ones
}

// codeOf makes the code of a text for a camera.
func codeOf(text string) (qrView, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrView{}, entente.Invalid("The code for the camera could not be drawn. Begin again.").Because(err)
	}
	rows := make([][]bool, code.Bounds().Dx())
	for y := range rows {
		rows[y] = make([]bool, len(rows))
		for x := range rows[y] {
			r, _, _, _ := code.At(x, y).RGBA()
			rows[y][x] = r == 0
		}
	}
	return qrView{Size: len(rows), Path: modulePath(rows)}, nil
}

// modulePath draws the dark modules of a code as one path, run by run.
func modulePath(rows [][]bool) string {
	var b strings.Builder
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x < len(row) && row[x] {
				x++
			}
			width := strconv.Itoa(x - from)
			b.WriteString("M" + strconv.Itoa(from) + " " + strconv.Itoa(y) + "h" + width + "v1h-" + width + "z")
		}
	}
	return b.String()
}
