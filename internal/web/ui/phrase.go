package ui

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/web/lang"
)

// Phrase says a message of whose arguments some are views: a link, a point in time,
// a name that stands out. The sentence stays one text, so that a language may put
// them where its grammar wants them.
func Phrase(m entente.Message) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		// Each view is a mark in the text that no text has, until the text is escaped.
		var views []templ.Component
		said := m
		said.Args = make([]any, len(m.Args))
		for i, a := range m.Args {
			view, ok := a.(templ.Component)
			if !ok {
				if s, text := a.(string); text {
					a = strings.ReplaceAll(s, "\x00", "")
				}
				said.Args[i] = a
				continue
			}
			said.Args[i] = "\x00" + strconv.Itoa(len(views)) + "\x00"
			views = append(views, view)
		}
		for i, part := range strings.Split(lang.Of(ctx).Say(said), "\x00") {
			if i%2 == 0 {
				_, err := io.WriteString(w, templ.EscapeString(part))
				if err != nil {
					return err
				}
				continue
			}
			n, err := strconv.Atoi(part)
			if err != nil || n >= len(views) {
				continue // no mark of ours
			}
			err = views[n].Render(ctx, w)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Words is a text as an argument of [Phrase] that stands out.
func Words(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "<strong>"+templ.EscapeString(text)+"</strong>")
		return err
	})
}
