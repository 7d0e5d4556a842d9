package entente

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestSlugs(t *testing.T) {
	for name, want := range map[string]string{
		"Röst & Hof GmbH": "rost-hof-gmbh", "  Beanline ": "beanline", "Łódź–Œuvre": "lodz-oeuvre", "日本": "", "A.B": "a-b",
		strings.Repeat("ab ", 40): strings.TrimRight(strings.Repeat("ab-", 22)[:MaxSlug], "-"),
	} {
		got := Slug(name)
		if got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
		if err := ValidSlug(got); (err == nil) != (got != "") {
			t.Errorf("ValidSlug(%q): %v", got, err)
		}
	}
	for _, bad := range []string{"", "-a", ".a", "A", "a b", "ä", "a/b", strings.Repeat("a", MaxSlug+1)} {
		if ValidSlug(bad) == nil {
			t.Errorf("%q was taken as an identifier", bad)
		}
	}
}

func TestErrorsHaveTwoFaces(t *testing.T) {
	e := Invalid("the map cannot be read: %w", io.ErrUnexpectedEOF)
	e.Fields = []FieldError{{Line: 3, Field: "processes[0].bia.rto", Message: Say("is negative")}, {Message: Say("and more")}}
	err := fmt.Errorf("import: %w", e)
	if KindOf(err) != KindInvalid || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the kind or the cause is lost: %v", err)
	}
	if want := "the map cannot be read: the log says why\n  line 3, processes[0].bia.rto: is negative\n  and more"; e.Error() != want {
		t.Errorf("got %q", e.Error())
	}
	if KindOf(io.EOF) != KindInternal {
		t.Error("a foreign error is not a fault of the program")
	}
}

func TestOnlyPeoplesRolesAreValid(t *testing.T) {
	for _, r := range Roles() {
		if !r.Valid() {
			t.Errorf("%s is not valid", r)
		}
	}
	if RoleSystem.Valid() || Role("").Valid() || System("beanline", DoorWorker).Role.Valid() {
		t.Error("a person can hold the role of the program")
	}
}
