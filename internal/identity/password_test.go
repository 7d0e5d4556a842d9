package identity

import (
	"strings"
	"testing"

	"github.com/entente-project/entente"
)

// cheap keeps the suite quick; the cost is a parameter everywhere.
var cheap = PasswordCost{Memory: 64, Passes: 1, Threads: 1}

func TestCheckPassword(t *testing.T) {
	own := []string{"Ada Lovelace", "ada.lovelace@beanline.example"}
	for password, want := range map[string]string{
		"kettle-orbit-violin-plum":                "",
		"Zähes Brot kaut langsam":                 "",
		"9sTq!mR2vLx#":                            "",
		"adalovelace writes the first programme":  "",
		"the password of my neighbour is unknown": "",
		"short":                     "at least 12",
		"ünïcödé":                   "at least 12",
		"aaaaaaaaaaaaaaaa":          "same few",
		"abababababab":              "same few",
		"abcdefghijkl":              "order",
		"123456789012":              "order",
		"qwertyuiop123":             "order",
		"zyxwvutsrqpo":              "order",
		"AdaLovelace1":              "own name",
		"lovelace.ada!":             "own name",
		"beanline.example":          "own name",
		"Password2026!":             "tried first",
		"P@ssw0rd1234!":             "tried first",
		"WelcomeSummer2026":         "tried first",
		"iloveyouiloveyou":          "tried first",
		"correcthorsebatterystaple": "tried first",
		"Pássword-20267":            "tried first",
		strings.Repeat("kettle-orbit-violin ", 60): "longer than",
		"\xff\xfe kettle orbit violin":             "no text",
	} {
		err := CheckPassword(password, own...)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q is refused: %v", password, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.40q: %v, want a message with %q", password, err, want)
		case err != nil && entente.KindOf(err) != entente.KindInvalid:
			t.Errorf("%q: kind %s", password, entente.KindOf(err))
		case err != nil && strings.Contains(err.Error(), password):
			t.Errorf("the message tells the password: %v", err)
		}
	}
}

func TestHashAndCheck(t *testing.T) {
	ctx := t.Context()
	h := newHasher(cheap)
	stored, err := h.Hash(ctx, "kettle orbit violin")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("stored as %s", stored)
	}
	check := func(h *hasher, stored, password string, wantOK, wantRenew bool) {
		t.Helper()
		ok, renew, err := h.Check(ctx, stored, password)
		if err != nil || ok != wantOK || renew != wantRenew {
			t.Errorf("%q: ok %v, renew %v, %v", password, ok, renew, err)
		}
	}
	check(h, stored, "kettle orbit violin", true, false)
	check(h, stored, "kettle orbit viola", false, false)
	check(h, stored, "", false, false)
	check(h, "", "kettle orbit violin", false, false)
	check(h, stored, strings.Repeat("x", 1<<20), false, false)
	check(newHasher(PasswordCost{Memory: 128, Passes: 1, Threads: 1}), stored, "kettle orbit violin", true, true)

	composed, err := h.Hash(ctx, "\u00fcber kettle orbit")
	if err != nil {
		t.Fatal(err)
	}
	check(h, composed, "u\u0308ber kettle orbit", true, false)

	for _, bad := range []string{
		"x", "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=0,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAA$AAAA",
	} {
		if _, _, err := h.Check(ctx, bad, "x"); err == nil {
			t.Errorf("the damaged hash %q is accepted", bad)
		}
	}
}
