package ui

import (
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
)

func TestPhrase(t *testing.T) {
	for want, m := range map[string]entente.Message{
		`By A&lt;b&gt; and <a href="/x">it</a>, <strong>2&amp;</strong>.`: entente.Say("By %s and %s, %s.", "A<b>", LinkTo(Link{Text: "it", Href: "/x"}), Words("2&")),
		`<strong>b</strong> before a`:                                     entente.Say("%[2]s before %[1]s", "a", Words("b")),
		`1 row of <strong>x</strong>`:                                     entente.Plural(1, "%d row of %s", "%d rows of %s", 1, Words("x")),
		`forged 7 mark`:                                                   entente.Say("%s", "forged \x007\x00 mark"),
		`forged 0 <strong>x</strong>`:                                     entente.Say("%s %s", "forged \x000\x00", Words("x")),
	} {
		var b strings.Builder
		err := Phrase(m).Render(t.Context(), &b)
		if err != nil || b.String() != want {
			t.Errorf("got %q, %v; want %q", b.String(), err, want)
		}
	}
}
