package lang

import (
	"testing"
	"time"

	entente "github.com/entente-project/entente"
)

var birthday = time.Date(2026, 3, 21, 12, 5, 0, 0, time.UTC)

func TestReader(t *testing.T) {
	at := time.Date(2026, 11, 21, 23, 5, 0, 0, time.UTC)
	zone := time.FixedZone("CET", 3600)
	en, local := NewReader(English, nil), NewReader(English, zone)
	for _, c := range []struct{ got, want string }{
		{en.Number(-1234567), "−1,234,567"},
		{en.T("%d of %d", 12000, 3), "12,000 of 3"},
		{en.N(1, "%d process", "%d processes"), "1 process"},
		{en.N(1200, "%d process", "%d processes"), "1,200 processes"},
		{en.Say(entente.Say("%s, %s", entente.Plural(2, "%d day", "%d days"), entente.And([]string{"a", "b"}))), "2 days, a and b"},
		{en.Moment(at), "21 Nov 2026, 23:05 UTC"},
		{local.Moment(at), "22 Nov 2026, 00:05 CET"},
		{local.Day(at), "22 Nov 2026"},
		{local.UTC(at), "21 Nov 2026, 23:05 UTC"},
		{en.Bytes(3400000), "3.4 MB"},
		{en.AndMore([]string{"a", "b", "c", "d"}, 2), "a, b and 2 more"},
		{Capital("écart"), "Écart"},
		{NewReader(Pseudo, nil).T("%s stops", "Beans"), "Beans šţöþš··"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestListOfEnglishTextsFits(t *testing.T) {
	if _, err := open(shipped, shippedEnglish); err != nil {
		t.Error(err)
	}
}
