// Package seal keeps the node's key and seals with it the few secrets that the
// database must hold in a readable form: the secrets of authenticator apps and of
// single sign-on. The key lives in one file beside the database and never in it, so
// that a copy of the database alone opens nothing.
package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/entente-project/entente"
)

// version is the first byte of everything sealed; another way of sealing gets
// another one.
const version = 1

// marker is the first word of a key file, by which a person and a backup know it.
const marker = "entente-node-key-1"

// maxFile bounds what is read as a key file.
const maxFile = 1 << 10

// Key is the node's key. Its zero value seals nothing and opens nothing.
type Key struct {
	aead  cipher.AEAD
	check string
}

// String keeps the key out of logs.
func (k Key) String() string { return "node key " + k.Check() }

// GoString keeps the key out of %#v.
func (k Key) GoString() string { return k.String() }

// Load reads the key file and, if there is none, makes one that only its owner can
// read. Two programs that make it at once end up with the same key.
func Load(file string) (Key, error) {
	secret, err := read(file)
	if !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return Key{}, err
		}
		return New(secret)
	}
	secret = make([]byte, chacha20poly1305.KeySize)
	rand.Read(secret)
	if err := write(file, secret); err != nil {
		return Key{}, fmt.Errorf("making the node's key: %w", err)
	}
	secret, err = read(file)
	if err != nil {
		return Key{}, err
	}
	return New(secret)
}

// New makes a key of 32 secret bytes, for replicas that are given theirs.
func New(secret []byte) (Key, error) {
	if len(secret) != chacha20poly1305.KeySize {
		return Key{}, entente.Invalid("the node's key has %d bytes; it needs %d", len(secret), chacha20poly1305.KeySize)
	}
	sealing, err := hkdf.Key(sha256.New, secret, nil, "entente seal 1", chacha20poly1305.KeySize)
	if err != nil {
		return Key{}, err
	}
	check, err := hkdf.Key(sha256.New, secret, nil, "entente check 1", 8)
	if err != nil {
		return Key{}, err
	}
	aead, err := chacha20poly1305.NewX(sealing)
	if err != nil {
		return Key{}, err
	}
	return Key{aead: aead, check: hex.EncodeToString(check)}, nil
}

// Check names the key without telling it: the database keeps it to notice that a
// node was started with another key than its secrets were sealed with.
func (k Key) Check() string { return k.check }

// Seal encrypts a secret. The context says what the secret belongs to; what is
// sealed for one context does not open in another.
func (k Key) Seal(secret []byte, context string) ([]byte, error) {
	if k.aead == nil {
		return nil, errors.New("seal: no key")
	}
	nonce := make([]byte, k.aead.NonceSize(), 1+k.aead.NonceSize()+len(secret)+k.aead.Overhead())
	rand.Read(nonce)
	return append([]byte{version}, k.aead.Seal(nonce, nonce, secret, []byte(context))...), nil
}

// Open decrypts what [Key.Seal] made for the same context.
func (k Key) Open(sealed []byte, context string) ([]byte, error) {
	if k.aead == nil {
		return nil, errors.New("seal: no key")
	}
	if len(sealed) < 1+k.aead.NonceSize() || sealed[0] != version {
		return nil, errors.New("seal: not a sealed secret of this version")
	}
	nonce, body := sealed[1:1+k.aead.NonceSize()], sealed[1+k.aead.NonceSize():]
	secret, err := k.aead.Open(nil, nonce, body, []byte(context))
	if err != nil {
		return nil, fmt.Errorf("seal: the secret was sealed with another key or for another context: %w", err)
	}
	return secret, nil
}

func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, err
	}
	word, rest, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if !ok || word != marker {
		return nil, entente.Invalid("%s is not a node key: its first word must be %s; put back the file from the backup", file, marker)
	}
	secret, err := base64.RawURLEncoding.DecodeString(rest)
	if err != nil || len(secret) != chacha20poly1305.KeySize {
		return nil, entente.Invalid("%s is a damaged node key; put back the file from the backup", file)
	}
	return secret, nil
}

// write leaves either no key file or a whole one, and never replaces one.
func write(file string, secret []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".node-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintln(tmp, marker, base64.RawURLEncoding.EncodeToString(secret))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	err = os.Link(tmp.Name(), file)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
