package identity

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/entente-project/entente"
)

// What strangers send before anybody knows who they are.

func FuzzSplitSecret(f *testing.F) {
	f.Add("ent_beanline_abcdefghij_" + newSecretShape)
	f.Add("ent_a.b-c_abcdefghij_" + strings.Repeat("_", len(newSecretShape)))
	f.Add("ent__")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		org, id, secret, ok := splitSecret(tokenMark, s)
		if !ok {
			return
		}
		if entente.ValidSlug(string(org)) != nil || tokenMark+string(org)+"_"+id+"_"+secret != s {
			t.Errorf("%q reads as %q %q %q", s, org, id, secret)
		}
	})
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=0,t=0,p=0$$")
	f.Fuzz(func(t *testing.T, s string) {
		cost, salt, sum, err := parsePHC(s)
		if err != nil {
			return
		}
		if cost.Memory == 0 || cost.Memory > maxMemory || cost.Passes == 0 || cost.Passes > maxPasses || cost.Threads == 0 || len(salt) < 8 || len(sum) < 16 {
			t.Errorf("%q gives %+v", s, cost)
		}
	})
}

func FuzzClean(f *testing.F) {
	f.Add("Ada@beanline.example", "Ada Lovelace", "Mozilla/5.0", "[::1]:80")
	f.Add("a@b\x00", "\u202eevil", "\xff", "fe80::1%eth0")
	f.Fuzz(func(t *testing.T, email, name, agent, address string) {
		if clean, err := cleanEmail(email); err == nil {
			if again, err := cleanEmail(clean); err != nil || again != clean || strings.ContainsAny(clean, "\x00\r\n") || !utf8.ValidString(clean) {
				t.Errorf("e-mail %q → %q → %q, %v", email, clean, again, err)
			}
		}
		if clean, err := cleanName("name", name); err == nil {
			if again, err := cleanName("name", clean); err != nil || again != clean || strings.Contains(clean, "\x00") || !utf8.ValidString(clean) {
				t.Errorf("name %q → %q → %q, %v", name, clean, again, err)
			}
		}
		if a := shortAgent(agent); !utf8.ValidString(a) || strings.Contains(a, "\x00") || utf8.RuneCountInString(a) > 60 {
			t.Errorf("agent %q → %q", agent, a)
		}
		if a := shortAddress(address); !utf8.ValidString(a) || strings.Contains(a, "\x00") || len(a) > 64 {
			t.Errorf("address %q → %q", address, a)
		}
		if err := CheckPassword(name, email); err == nil && utf8.RuneCountInString(name) < MinPassword {
			t.Errorf("the password %q is accepted", name)
		}
		if next := localPath(name); !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") {
			t.Errorf("path %q → %q", name, next)
		}
	})
}
