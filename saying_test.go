package entente_test

import (
	"testing"

	entente "github.com/entente-project/entente"
)

func TestSayingsReadSentencesBack(t *testing.T) {
	s := entente.NewSayings(
		"%s names %s, but the component has no version",
		"%s names %s, but %s",
		"%.80q is no version of %s",
		"%s of %d bytes; it was cut to %d",
		"a name",
	)
	for _, m := range []entente.Message{
		entente.Say("%s names %s, but the component has no version", "GHSA-1", "npm/left, but wrong"),
		entente.Say("%s names %s, but %s", "GHSA-1", "npm/x", entente.Say("%.80q is no version of %s", `a "quoted\" one`, "npm")),
		entente.Say("%s of %d bytes; it was cut to %d", entente.Say("a name"), 20_000, 4000),
	} {
		got := s.Read(m.String())
		if got.Text != m.Text || got.String() != m.String() {
			t.Errorf("%q was read as %#v", m, got)
		}
	}
	nested := s.Read("a name of 20000 bytes; it was cut to 4000")
	if what, ok := nested.Args[0].(entente.Message); !ok || what.Text != "a name" || nested.Args[1] != 20_000 {
		t.Errorf("the arguments are %#v", nested.Args)
	}
	for _, other := range []string{"somebody else's sentence", "x of many bytes; it was cut to 3"} {
		if m := s.Read(other); m.Text != "%s" || m.String() != other {
			t.Errorf("%q was read as %#v", other, m)
		}
	}
	if m := s.Read(""); !m.Blank() {
		t.Errorf("nothing was read as %#v", m)
	}
}
