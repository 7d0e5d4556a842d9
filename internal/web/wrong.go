package web

import (
	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/lang"
	"github.com/entente-project/entente/internal/web/ui"
)

// sentence says what is wrong as a sentence of its own.
func (v *visit) sentence(e *entente.Error) string {
	return v.T("%s.", lang.Capital(v.T("%s", e.Message)))
}

// wrongNotice says what is wrong, and in which places.
func (v *visit) wrongNotice(e *entente.Error) ui.Notice {
	n := ui.Notice{Tone: ui.Bad, Text: v.sentence(e)}
	for _, f := range e.Fields {
		n.Items = append(n.Items, v.place(f))
	}
	return n
}

// place says what is wrong at one place of what was sent.
func (v *visit) place(f entente.FieldError) string { return v.Say(f.Say()) }
