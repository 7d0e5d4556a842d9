package entente_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	entente "github.com/entente-project/entente"
)

func TestMessage(t *testing.T) {
	for _, c := range []struct {
		message entente.Message
		want    string
	}{
		{entente.Say("100 %% sure"), "100 % sure"},
		{entente.Say("%s stops %s", "Bean procurement", entente.Say("after %s", "24 h")), "Bean procurement stops after 24 h"},
		{entente.Plural(1, "%d process", "%d processes"), "1 process"},
		{entente.Plural(3, "%d process", "%d processes"), "3 processes"},
		{entente.Say("%s", entente.And([]string{"a", "b", "c"})), "a, b and c"},
		{entente.Say("%s", entente.Or([]string{"a", "b"})), "a or b"},
		{entente.Message{}, ""},
		{entente.Say("no: %w", entente.Invalid("%d is odd", 3)), "no: 3 is odd"},
	} {
		if got := c.message.String(); got != c.want {
			t.Errorf("%+v says %q, not %q", c.message, got, c.want)
		}
	}
}

// Whatever the text and the arguments, a message says what package fmt would.
func TestMessageIsAsFmtWouldSay(t *testing.T) {
	type named string
	args := []any{"a", named("b"), 12, int64(-3), 1.5, true, []string{"x", "y"}, entente.Text("t"), nil}
	for _, text := range []entente.Text{
		"", "%s", "%% %s", "%s %s", "%d", "%q", "%.1q", "%v and %v", "%[2]v before %[1]v", "%5d|", "%", "a %", "%z", "%s %[1]s", "%*d",
	} {
		for i := range args {
			for j := range args {
				for _, given := range [][]any{{args[i]}, {args[i], args[j]}} {
					if got, want := entente.Say(text, given...).String(), fmt.Sprintf(string(text), given...); got != want {
						t.Fatalf("%q with %v says %q, and fmt %q", text, given, got, want)
					}
				}
			}
		}
	}
}

func TestCausesAreNotShown(t *testing.T) {
	secret := errors.New("password of the database")
	inner := fmt.Errorf("inside: %w", entente.Invalid("the LEI is wrong"))
	for _, c := range []struct {
		err   *entente.Error
		cause error
		want  string
	}{
		{entente.Invalid("it cannot be read: %w", secret), secret, "it cannot be read: the log says why"},
		{entente.Conflict("it cannot be read: %s", secret), secret, "it cannot be read: the log says why"},
		{entente.Invalid("it cannot be read").Because(secret), secret, "it cannot be read"},
		{entente.Invalid("it cannot be read: %w", inner), inner, "it cannot be read: the LEI is wrong"},
	} {
		if c.err.Error() != c.want || !errors.Is(c.err, c.cause) {
			t.Errorf("%q, not %q, because of %v", c.err.Error(), c.want, errors.Unwrap(c.err))
		}
	}
}

func TestMessagesInJSON(t *testing.T) {
	in := entente.FieldError{Line: 3, Field: "lei", Message: entente.Say("%q is wrong", "x")}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"line":3,"field":"lei","message":"\"x\" is wrong"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var out entente.FieldError
	if err := json.Unmarshal(text, &out); err != nil || out.String() != in.String() {
		t.Errorf("%v came back as %v, %v", in, out, err)
	}
}
