package entente_test

import (
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
	} {
		if got := c.message.String(); got != c.want {
			t.Errorf("%+v says %q, not %q", c.message, got, c.want)
		}
	}
}
