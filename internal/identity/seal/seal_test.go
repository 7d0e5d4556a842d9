package seal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/entente-project/entente"
)

func TestSealAndOpen(t *testing.T) {
	key, err := New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal([]byte("secret"), "totp ada")
	if err != nil {
		t.Fatal(err)
	}
	again, err := key.Seal([]byte("secret"), "totp ada")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(sealed, again) || bytes.Contains(sealed, []byte("secret")) {
		t.Fatal("sealing is not random, or does not hide")
	}
	got, err := key.Open(sealed, "totp ada")
	if err != nil || string(got) != "secret" {
		t.Fatalf("%q, %v", got, err)
	}
	other, err := New(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(sealed)
	broken[len(broken)-1] ^= 1
	for name, try := range map[string]func() ([]byte, error){
		"another context": func() ([]byte, error) { return key.Open(sealed, "totp bob") },
		"another key":     func() ([]byte, error) { return other.Open(sealed, "totp ada") },
		"changed":         func() ([]byte, error) { return key.Open(broken, "totp ada") },
		"short":           func() ([]byte, error) { return key.Open(sealed[:10], "totp ada") },
		"empty":           func() ([]byte, error) { return key.Open(nil, "totp ada") },
		"no key":          func() ([]byte, error) { return Key{}.Open(sealed, "totp ada") },
	} {
		if got, err := try(); err == nil {
			t.Errorf("%s: opened %q", name, got)
		}
	}
	if _, err := New([]byte("short")); entente.KindOf(err) != entente.KindInvalid {
		t.Errorf("a short key: %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", key, key, key); strings.Contains(text, "aead") || !strings.Contains(text, key.Check()) {
		t.Errorf("the key prints as %s", text)
	}
}

func TestLoadMakesOneKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "node.key")
	checks := make([]string, 8)
	var wg sync.WaitGroup
	for i := range checks {
		wg.Go(func() {
			key, err := Load(file)
			if err != nil {
				t.Error(err)
			}
			checks[i] = key.Check()
		})
	}
	wg.Wait()
	for _, c := range checks {
		if c != checks[0] || c == "" {
			t.Fatalf("several keys: %v", checks)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, bad := range []string{"", "hello", marker, marker + " AAAA", marker + " ***"} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(file); entente.KindOf(err) != entente.KindInvalid {
			t.Errorf("key file %q: %v", bad, err)
		}
	}
}
