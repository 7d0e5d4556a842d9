package archtest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// doors are the few places that may do what must be done in one place only.
var doors = []struct {
	call   string
	places []string // files or folders of the house
	why    string
}{
	{"entente.SignEntry(", []string{"internal/exchange/outbox.go"}, "an entry gets into a feed through exchange.enter alone, which asks the gate"},
	{"entente.MayShare(", []string{"internal/exchange/outbox.go", "internal/exchange/inbox.go", "internal/exchange/statements.go", "internal/exchange/reading.go"}, "the gate is asked by the exchange"},
	{"ed25519.GenerateKey(", []string{"internal/exchange/vault"}, "private keys are touched by the vault alone"},
	{"ed25519.NewKeyFromSeed(", []string{"internal/exchange/vault"}, "private keys are touched by the vault alone"},
	{"ed25519.Sign(", []string{"internal/exchange/vault"}, "private keys are touched by the vault alone"},
}

// Nothing leaves but through the gate, and nothing signs but the vault.
func TestOneDoor(t *testing.T) {
	found := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		text, err := os.ReadFile("../../" + s.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range doors {
			if !strings.Contains(string(text), d.call) {
				continue
			}
			found[d.call] = true
			if !slices.ContainsFunc(d.places, func(p string) bool { return s.path == p || strings.HasPrefix(s.path, p+"/") }) {
				t.Errorf("%s calls %s…): %s", s.path, d.call, d.why)
			}
		}
	}
	for _, d := range doors {
		if !found[d.call] {
			t.Errorf("nobody calls %s…): the rule looks for something that is not there", d.call)
		}
	}
}
